"""``nwbsparse run`` with several recordings: one model, and results of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from nwbsparse.cli.console import says
from nwbsparse.cli.show import progress_bars, show_plan, show_run
from nwbsparse.options.config import Config
from nwbsparse.runs.plan import plan_of
from nwbsparse.runs.prepare_sessions import check_outs, named_sources, prepare_sessions
from nwbsparse.runs.run_sessions import run_sessions


def run_several(
    console: Console,
    sources: Sequence[str],
    out: Path,
    config: Config,
    *,
    overwrite: bool,
    strict: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Run on all of them, or say what would be done; print the numbers of each session.

    Raises:
        BadInput, EnvironmentProblem: as :func:`nwbsparse.run_sessions`.
    """
    say = (lambda _: None) if quiet else says(console)
    named = named_sources(sources)
    if dry_run:
        ready = prepare_sessions(named, config, strict=strict, say=say)
        show_plan(console, plan_of(ready.joined, ready.config), " + ".join(named), out)
        return
    check_outs(out, named, config, overwrite=overwrite)
    with progress_bars(console, quiet=quiet) as progress:
        done = run_sessions(
            named, out, config, overwrite=overwrite, strict=strict, progress=progress, say=say
        )
    if quiet:
        return
    for name, one in done.runs.items():
        console.print(Text(f"\nsession {name}", style="bold"))
        show_run(console, one)
    console.print(f"\nmodel id {done.coder.id}, the same in all {len(done.runs)} files")
    console.print(f"the whole coder is in {out}", soft_wrap=True)
