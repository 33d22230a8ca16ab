"""run_sessions(): a run of several recordings, whatever they are."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.deprecated import renamed
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress, silent
from nwbsparse.runs.asked import Sources, named_sources
from nwbsparse.runs.outputs import Notify
from nwbsparse.runs.run import JointRun, run


@renamed(say="notify")
def run_sessions(
    sources: Sources,
    out: str | Path,
    config: Config | None = None,
    *,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> JointRun:
    """Learn one set of latents from several recordings, and annotate a copy of each with them.

    :func:`nwbsparse.run` does the same of a list of files or Sessions; here they may be anything
    that can be read, arrays in memory too, which `run` would take for the units of one recording.

    Args:
        sources: anything that :func:`nwbsparse.read` takes, or Sessions; called like their files,
            or, as {name: source}, like that.
        out, config, overwrite, strict, progress, notify: as of :func:`nwbsparse.run`.

    Returns:
        The whole coder, and per session the results in memory and where the files are. All files
        appear in ``out`` together, at the end.

    Raises:
        BadInput: fewer than two sources, two with one name or of one recording, sources or options
            that cannot be used, or results exist already.
        EnvironmentProblem: the folder cannot be written to.
    """
    return run(
        named_sources(sources), out, config, overwrite=overwrite, strict=strict, progress=progress,
        notify=notify,
    )  # fmt: skip
