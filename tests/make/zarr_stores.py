"""NWB Zarr stores for tests: the golden ones, of both generations, and what is changed in them."""

from __future__ import annotations

import json
import shutil
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "zarr"
RECORDING = GOLDEN / "recording.nwb"
"""The HDF5 twin of the stores ``format_2``, ``format_3`` and ``sharded``."""

QUIET = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs"),
    pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning"),
]
"""What zarr 2 and numcodecs warn of when they are imported or used."""


def writes_format_3() -> bool:
    """Whether the hdmf-zarr that is here is of the generation with zarr 3."""
    try:
        return int(version("hdmf-zarr").split(".")[1]) >= 14
    except PackageNotFoundError:
        return False


def need_hdmf_zarr(form: int = 2) -> Any:
    """hdmf-zarr; skips the test where it is missing, or cannot read this format."""
    if find_spec("hdmf_zarr") is None:
        pytest.skip("hdmf-zarr is not installed")
    if form == 3 and not writes_format_3():
        pytest.skip("hdmf-zarr 0.14, which reads format 3, is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numcodecs and zarr 2, when imported
        import hdmf_zarr
    return hdmf_zarr


def form_of(name: str) -> int:
    """The Zarr format of a golden store."""
    return 2 if name == "format_2" else 3


def golden(name: str, folder: Path) -> Path:
    """A copy of a golden store."""
    store = folder / f"{name}.nwb.zarr"
    shutil.unpack_archive(GOLDEN / f"{name}.nwb.zarr.zip", store)
    return store


def export(path: Path) -> Path:
    """An HDF5 file as the hdmf-zarr that is here writes it."""
    from pynwb import NWBHDF5IO

    hdmf_zarr, store = need_hdmf_zarr(), path.with_suffix(".nwb.zarr")
    with (
        warnings.catch_warnings(),
        NWBHDF5IO(path, "r") as source,
        hdmf_zarr.NWBZarrIO(str(store), mode="w") as target,
    ):
        warnings.simplefilter("ignore")
        target.export(src_io=source, write_args={"link_data": False})
    return store


def edit(file: Path, **changes: Any) -> None:
    """Change entries of a file of JSON."""
    held = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(held | changes))


def metadata_of(store: Path, place: str) -> Path:
    """The file with the metadata of an array."""
    return next(
        one for one in (store / place / "zarr.json", store / place / ".zarray") if one.exists()
    )


def set_attributes(store: Path, place: str, **changes: Any) -> None:
    """Change attributes of a group or array, where each reads them first."""
    if not (store / place / "zarr.json").exists():
        edit(store / place / ".zattrs", **changes)
        return
    held = json.loads((store / place / "zarr.json").read_text())
    edit(store / place / "zarr.json", attributes=held.get("attributes", {}) | changes)


def forget_consolidated(store: Path) -> None:
    """Leave only the metadata that stand in each group."""
    (store / ".zmetadata").unlink(missing_ok=True)
    if (store / "zarr.json").exists():
        held = json.loads((store / "zarr.json").read_text())
        held.pop("consolidated_metadata", None)
        (store / "zarr.json").write_text(json.dumps(held))


def chunks_of(store: Path, place: str) -> list[Path]:
    """The files that hold the data of an array, in order of their names."""
    files = (one for one in (store / place).rglob("*") if one.is_file())
    return sorted(one for one in files if one.name[0] != "." and one.name != "zarr.json")
