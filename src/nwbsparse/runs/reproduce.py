"""reproduce(): the same run again, from what the file says about itself; and whether it is the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from nwbsparse.deprecated import renamed
from nwbsparse.embedding.embedder import embedder_from
from nwbsparse.errors import BadInput
from nwbsparse.io.check import check_readable, sha256_of
from nwbsparse.io.nwb.marks import BEHAVIOUR, RECORDING, origins
from nwbsparse.io.nwb.opening import opened
from nwbsparse.io.readers import what_is
from nwbsparse.models.checkpoint import to_bytes
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress, silent
from nwbsparse.results.label import before_labels
from nwbsparse.results.results import Results, check_recording, environment, open_results
from nwbsparse.runs import run as pipeline
from nwbsparse.runs.run import Notify

_NOT_SOFTWARE = ("created", "seconds", "threads")


@dataclass(frozen=True)
class Compared:
    """One thing that a run made, then and now."""

    what: str
    then: str
    now: str
    same: bool
    difference: float | None = None
    """Largest absolute difference, for numbers."""


@dataclass(frozen=True)
class Reproduction:
    """Whether a run could be repeated from the record in its file, and what differs."""

    compared: tuple[Compared, ...]
    versions: Mapping[str, tuple[str, str]]
    """Software whose version differs: then, now."""
    n_labelled: int = 0
    """Latents that a person named or judged since: that was never made by a run, and is not compared."""

    @property
    def same(self) -> bool:
        """Whether everything came out the same."""
        return all(one.same for one in self.compared)

    @property
    def exit_code(self) -> int:
        """0 for the same, or where other versions may be why it is not; else 5."""
        return 0 if self.same or self.versions else 5


@renamed(name="result", say="notify")
def reproduce(
    file: str | Path,
    *,
    source: str | Path | Sequence[str | Path] | None = None,
    out: str | Path | None = None,
    result: str | None = None,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> Reproduction:
    """Run again what made the results in a file, and compare: source, coder, weights, metrics.

    Everything needed stands in the file: the options with every choice made, the seeds, the
    source's sha256, versions and the number of threads, which is set for the run. The part of a
    model of several sessions is made by training on all of them again.

    Args:
        file: an annotated NWB file.
        source: the recording, or recordings; what is not among them is looked for beside the file
            (and beside its folder), by sha256.
        out: folder for the new run; when absent nothing is kept.
        result: which one, when the file holds several.
        progress: called by long steps.
        notify: called with a line of text at every step.

    Raises:
        BadInput: the recording is not found, or is not the one the results were made from; without
            ``source``, the units in the file changed since; of a model of several sessions, the
            sessions that are missing are named.
        IntegrityError: the results in the file are damaged.
    """
    path = check_readable(file)
    then = open_results(path, result=result)
    if not source:
        check_recording(then)
    if then.target is not None:
        raise BadInput(
            f"the results in {path} were made in Python from two tables of units (with_target); "
            "repeat these steps in Python"
        )
    recordings = _recordings(then, path, source)
    threads = torch.get_num_threads()
    with ExitStack() as held:
        if out is None:
            out = held.enter_context(tempfile.TemporaryDirectory(prefix="nwbsparse-again-"))
        held.callback(torch.set_num_threads, threads)
        torch.set_num_threads(int(then.environment.get("threads", threads)))
        if then.coder.record.part_of_several:
            every = pipeline.run(
                recordings, out, then.coder.record.asked, progress=progress, notify=notify
            )
            now = every.runs[then.coder.record.session].results
        else:
            [recording] = recordings.values()
            now = pipeline.run(
                recording,
                out,
                _as_given(then),
                embedding=then.embedding,
                progress=progress,
                notify=notify,
            ).results
    made, n_labelled = before_labels(then.attribution)
    compared = _compare(replace(then, attribution=made), now)
    return Reproduction(tuple(compared), _versions(then, now), n_labelled)


def _as_given(then: Results) -> Config:
    """The options of then; an embedding that was made is taken as it was stored, not made again.

    What a network learns differs from machine to machine, and its package may not be here.
    """
    asked = then.coder.record.asked
    if asked.embed == "none":
        return asked
    reach = 0 if then.embedder is None else sum(embedder_from(then.embedder).receptive_field) - 1
    return asked.replace(
        embed="none", embed_dims=None, embed_covariates=None, embed_settings=None,
        gap=max(asked.gap, reach * then.coder.record.bin_width),
    )  # fmt: skip


def _sha256_then(then: Results) -> str:
    return then.coder.record.source_sha256


def _recordings(
    then: Results, path: Path, source: str | Path | Sequence[str | Path] | None
) -> dict[str, Path]:
    """{session: the file that the results were made from}, known by their sha256."""
    record = then.coder.record
    wanted = {one.name: one.sha256 for one in record.sessions} if record.part_of_several else {}
    wanted = wanted or {"": _sha256_then(then)}
    if nameless := [name for name, sha256 in wanted.items() if not sha256]:
        which = ", ".join(nameless)
        raise BadInput(
            f"{path} does not say which file was read"
            + (f" of the session {which}" if which else "; it was not made from one")
        )
    given = [source] if isinstance(source, str | Path) else source or []
    known = {sha256: name for name, sha256 in wanted.items()}
    found: dict[str, Path] = {}
    for one in [_file_of(one, path) for one in given]:
        if (sha256 := sha256_of(one)) not in known:
            raise BadInput(
                f"{one} is another recording (sha256 {sha256[:16]}…) than {_said(wanted, path)}, or "
                "was changed since"
            )
        found[known[sha256]] = one
    likely = {one.uri for one in record.sessions} | {then.session.source.uri}
    for one in nwb_files_near(path, folders=3 if record.part_of_several else 2, first=likely):
        if len(found) == len(wanted):
            break
        if (name := known.get(sha256_of(one))) is not None:
            found.setdefault(name, one)
    if missing := {name: wanted[name] for name in wanted if name not in found}:
        each = "it" if len(missing) == 1 else "each"
        raise BadInput(f"{_said(missing, path)} is not beside it; give {each} with --source")
    return {name: found[name] for name in wanted}


def _file_of(source: str | Path, path: Path) -> Path:
    """The file of a recording that results in another file were made from.

    Raises:
        BadInput: it is no NWB file, and what it takes to read it as it was read then is not known.
    """
    if (kind := what_is(source)) == "NWB":
        return check_readable(source)
    with opened(path) as recording:
        parts = origins(recording.nwbfile)
    if Path(source).is_file() and RECORDING in parts and BEHAVIOUR not in parts:
        return Path(source)  # one file, and nothing from elsewhere: its options say the rest
    raise BadInput(
        f"{source} is {kind}, and {path.name} does not say what was joined to it: repeat the run "
        f"with the options that stand beside the results, nwbsparse run {source} --config run.toml, "
        "and the behaviour and description that were given then"
    )


def _said(wanted: Mapping[str, str], path: Path) -> str:
    """'the recording that x.nwb was made from (sha256 …)', or of which sessions."""
    if "" in wanted:
        return f"the recording that {path.name} was made from (sha256 {wanted[''][:16]}…)"
    each = [f"{name} (sha256 {sha256[:16]}…)" for name, sha256 in wanted.items()]
    of = f"session {each[0]}" if len(each) == 1 else f"sessions {', '.join(each)}"
    return f"what the model in {path.name} was made from in the {of}"


def _compare(then: Results, now: Results) -> list[Compared]:
    rows = [
        _words("source sha256", _sha256_then(then), _sha256_then(now)),
        _words("coder id", then.coder.id, now.coder.id),
        *_models(then, now),
        _words("weights sha256", _digest(then), _digest(now)),
        _weights(then, now),
    ]
    for part in ("latents", "metrics", "attribution"):
        rows += _datasets(part, getattr(then, part), getattr(now, part))
    return rows


def _models(then: Results, now: Results) -> list[Compared]:
    """Whether the whole model came out the same, where the file holds a part of one."""
    if not then.coder.record.part_of_several:
        return []
    return [_words("model id", then.coder.model_id, now.coder.model_id)]


def _words(what: str, then: str, now: str) -> Compared:
    return Compared(what, then, now, then == now)


def _digest(results: Results) -> str:
    return hashlib.sha256(to_bytes(results.coder)).hexdigest()


def _weights(then: Results, now: Results) -> Compared:
    old, new = then.coder.state_dict(), now.coder.state_dict()
    if {key: value.shape for key, value in old.items()} != {
        key: value.shape for key, value in new.items()
    }:
        return Compared("weights", f"{len(old)} tensors", "of other shapes", same=False)
    pairs = [(old[key].double(), new[key].double()) for key in old]
    largest = max((float((a - b).abs().max()) for a, b in pairs if a.numel()), default=0.0)
    return Compared("weights", f"{len(old)} tensors", "the same shapes", largest == 0, largest)


def _datasets(part: str, then: xr.Dataset, now: xr.Dataset) -> list[Compared]:
    """Every variable of two datasets; those that are single numbers are shown, the rest summed up."""
    rows, differing, largest, n = [], [], 0.0, 0
    for name, variable in then.data_vars.items():
        if name not in now:
            differing.append(f"{name} (missing)")
            continue
        n += 1
        difference = _difference(variable.values, now[name].values)
        largest = max(largest, difference)
        if difference > 0:
            differing.append(str(name))
        if variable.ndim == 0 and variable.dtype.kind in "iuf":
            old, new = float(variable), float(now[name])
            rows.append(
                Compared(f"{part}: {name}", f"{old:.6g}", f"{new:.6g}", difference == 0, difference)
            )
    said = "all the same" if not differing else f"other: {', '.join(differing[:6])}"
    rows.append(Compared(part, f"{n} variables", said, not differing, largest))
    return rows


def _difference(then: np.ndarray, now: np.ndarray) -> float:
    """Largest absolute difference beyond what float32 storage rounds off; inf for other shapes."""
    if then.shape != now.shape:
        return float("inf")
    if then.dtype.kind not in "biuf" or now.dtype.kind not in "biuf":
        return 0.0 if list(map(str, then.flat)) == list(map(str, now.flat)) else float("inf")
    old, new = then.astype(np.float64), now.astype(np.float64)
    if np.array_equal(old, new, equal_nan=True) or np.allclose(
        old, new, rtol=1e-6, atol=1e-7, equal_nan=True
    ):
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.nanmax(np.abs(old - new), initial=0.0)) or float("inf")


def _versions(then: Results, now: Results) -> dict[str, tuple[str, str]]:
    old: dict[str, Any] = dict(then.environment)
    new: dict[str, Any] = environment(now.coder)
    keys = [*old, *(key for key in new if key not in old)]
    return {
        key: (str(old.get(key, "not recorded")), str(new.get(key, "not recorded")))
        for key in keys
        if key not in _NOT_SOFTWARE and str(old.get(key)) != str(new.get(key))
    }


def nwb_files_near(path: Path, *, folders: int, first: Collection[str] = ()) -> Iterator[Path]:
    """NWB files in the folder of a file and in those above it, without the file itself.

    Args:
        path: the file.
        folders: how many folders are looked into: its own, the one above, …
        first: names of files that come first in each folder, since looking into a file takes long.
    """
    seen = {path.resolve()}
    for folder in (path.parent, *path.resolve().parents[:folders]):
        for one in sorted(folder.glob("*.nwb"), key=lambda one: (one.name not in first, one.name)):
            if one.resolve() not in seen and one.is_file():
                seen.add(one.resolve())
                yield one
