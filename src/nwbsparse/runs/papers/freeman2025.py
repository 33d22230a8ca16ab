"""Freeman et al. (2025), a sparse autoencoder inside a transformer that decodes stimuli: done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.files.made_folder import check_writable
from nwbsparse.files.whole import write_whole
from nwbsparse.io.digest import digest_of
from nwbsparse.options.splice import SpliceOptions
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import to_json
from nwbsparse.runs.papers.freeman2025_claims import Answer, Numbers, answers
from nwbsparse.runs.papers.freeman2025_page import page_of
from nwbsparse.runs.papers.freeman2025_settings import Freeman2025
from nwbsparse.runs.splice.splice_recordings import NUMBERS, RECORD, splice_recordings
from nwbsparse.simulate.catalog import simulation
from nwbsparse.simulate.nwb import write_sessions
from nwbsparse.views.study.page import as_html, as_markdown

TABLE, PAGE, TEXT = "freeman2025.json", "freeman2025.html", "freeman2025.md"
RECORDINGS = "recordings"
Notify = Callable[[str], None]


@dataclass(frozen=True)
class Freeman:
    """What a reproduction found, and where it was written."""

    runs: Mapping[str, Mapping[str, Numbers]]
    """Per run and way of training its numbers."""
    answers: list[Answer]
    """The paper's claims, each with a verdict and the numbers."""
    table: Path
    page: Path
    text: Path


def freeman2025(
    sources: Sequence[str | Path],
    out: str | Path,
    asked: Freeman2025 = Freeman2025(),  # noqa: B008
    *,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> Freeman:
    """Put a coder into a network that decodes gratings, on simulated mice and one's own recordings.

    Args:
        sources: recordings of gratings, all taken together; none: the simulation alone.
        out: folder for the page, the numbers, the simulated recordings and every run. What is done is
            not done again: a run that was stopped goes on with the same call.
        asked: where it is not as it is by itself.
        progress: called within every training.
        notify: told what is done.

    Raises:
        BadInput: a source cannot be used, or the folder is a file.
        EnvironmentProblem: the folder cannot be written.
    """
    folder = Path(out).expanduser()
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; results go into a folder")
    check_writable(folder)
    runs: dict[str, dict[str, Any]] = {}
    given = {"progress": progress}
    if sources:  # first: what is wrong with them is known before hours of simulation
        runs[RECORDINGS] = _run(
            lambda: list(sources), folder / RECORDINGS, asked.of_recordings(),
            notify=_named(RECORDINGS, notify), **given,
        )  # fmt: skip
    for seed in range(asked.seeds):
        name = f"simulation {seed}"
        place = folder / f"simulated-{seed}"
        runs[name] = _run(
            lambda seed=seed, place=place: _mice(place / "mice", asked, seed), place / "splice",
            asked.of_simulation(seed), notify=_named(name, notify), **given,
        )  # fmt: skip
    found = answers(runs)
    page = page_of(runs, asked, found)
    verdicts = [{"claim": one.claim.text, "verdict": one.verdict} for one in found]
    write_whole(folder / TABLE, to_json({"asked": asked.said(), "answers": verdicts, "runs": runs}))
    write_whole(folder / TEXT, as_markdown(page))
    write_whole(folder / PAGE, as_html(page))
    return Freeman(runs, found, folder / TABLE, folder / PAGE, folder / TEXT)


def _run(
    sources: Callable[[], Sequence[Any]],
    out: Path,
    options: SpliceOptions,
    *,
    progress: Progress,
    notify: Notify,
) -> dict[str, Any]:
    """The numbers of a run: those that are there, if they were made with the same options."""
    recordings = sources()
    if _done(out, options, recordings):
        notify("is there already")
    else:
        splice_recordings(
            recordings, out, options, nwb=False, overwrite=True, progress=progress, notify=notify
        )
    return json.loads((out / NUMBERS).read_text(encoding="utf-8"))


def _done(out: Path, options: SpliceOptions, sources: Sequence[Any]) -> bool:
    if not (out / NUMBERS).is_file() or not (out / RECORD).is_file():
        return False
    kept = json.loads((out / RECORD).read_text(encoding="utf-8"))
    asked = json.loads(json.dumps(asdict(options)))
    before = [(one["source"], one["sha256"]) for one in kept.get("sessions", [])]
    paths = [Path(one).expanduser().resolve() for one in sources]
    if kept.get("options") != asked or not all(path.exists() for path in paths):
        return False
    return before == [(str(path), digest_of(path)) for path in paths]


def _mice(folder: Path, asked: Freeman2025, seed: int) -> list[Path]:
    """The files of simulated mice, which are the same whenever they are made."""
    made: Any = simulation("orientation").make({"seed": seed} | asked.simulated)
    paths = [folder / f"{one.contents().identifier}.nwb" for one in made]
    if not all(path.is_file() for path in paths):
        write_sessions(made, folder, overwrite=True)
    return paths


def _named(name: str, notify: Notify) -> Notify:
    return lambda line: notify(f"{name}: {line}")
