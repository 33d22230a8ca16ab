"""An NWBFile that is already in memory: where its parts would lie, and what identifies it."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pynwb

from nwbsparse.errors import BadInput
from nwbsparse.io.rules.values import load, text

_FOLDERS = {
    "acquisition": "/acquisition",
    "processing": "/processing",
    "analysis": "/analysis",
    "scratch": "/scratch",
    "stimulus": "/stimulus/presentation",
    "stimulus_template": "/stimulus/templates",
    "intervals": "/intervals",
    "trials": "/intervals",
    "epochs": "/intervals",
    "invalid_times": "/intervals",
    "events": "/events",
    "units": "",
    "electrodes": "/general/extracellular_ephys",
    "electrode_groups": "/general/extracellular_ephys",
    "imaging_planes": "/general/optophysiology",
    "ogen_sites": "/general/optogenetics",
    "devices": "/general/devices",
    "subject": "/general",
    "lab_meta_data": "/general",
}
"""Where pynwb writes what an NWBFile holds under each of its names."""


def builders_of(nwbfile: Any) -> Any:
    """What the manager of a pynwb io answers about the parts of a file, also without an io."""
    manager = getattr(nwbfile.read_io, "manager", None)

    def get_builder(thing: Any) -> Any:
        known = manager.get_builder(thing) if manager is not None else None
        if known is not None:
            return known
        return SimpleNamespace(path=f"root{_path_of(thing, nwbfile)}", datasets={}, attributes={})

    return SimpleNamespace(get_builder=get_builder)


def check_still_open(nwbfile: Any) -> None:
    """Refuse an NWBFile whose file was closed: its data can no longer be read.

    Raises:
        BadInput: the file was closed.
    """
    for thing in nwbfile.objects.values():
        data = getattr(thing, "data", None)
        if isinstance(data, h5py.Dataset) and not data:
            raise BadInput(
                f"the file of NWBFile '{nwbfile.identifier}' was closed; give its path "
                f"({nwbfile.container_source}), or keep its io open."
            )


def content_digest(nwbfile: Any) -> str:
    """What identifies a recording that is in no file: 'units:' and a SHA-256.

    It is taken over the object id of the Units table and the stored spike times and index;
    without spikes ('objects:') over the ids of all objects, which are made anew for each.
    """
    table: Any = nwbfile.units
    if table is None or "spike_times" not in table.colnames:
        ids = "\n".join(sorted(map(str, nwbfile.objects)))
        return f"objects:{sha256(ids.encode()).hexdigest()}"
    digest = sha256(table.object_id.encode())
    index = table["spike_times"]
    for name, column in (("spike_times", getattr(index, "target", index)), ("index", index)):
        values = load(column.data, what=f"/units/{name}")
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return f"units:{digest.hexdigest()}"


def version_of(nwbfile: Any) -> str:
    """The NWB version of the file it came from, or the one that pynwb would write."""
    try:
        return text(nwbfile.read_io.nwb_version[0])
    except (AttributeError, TypeError, ValueError):  # no io, another kind of io, or a closed one
        known: Any = pynwb.get_type_map().namespace_catalog
        return text(known.get_namespace("core")["version"])


def _path_of(thing: Any, nwbfile: Any) -> str:
    names, top = [], thing
    while thing is not None and thing is not nwbfile:
        names.append(text(thing.name))
        top, thing = thing, thing.parent
    for field, folder in _FOLDERS.items():
        held: Any = getattr(nwbfile, field, None)
        if held is top or (hasattr(held, "values") and any(one is top for one in held.values())):
            return "/".join([folder, *reversed(names)])
    return "/".join(["", *reversed(names)])
