"""The commands. Each is thin; heavy packages are imported when a command runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape

from nwbsparse.cli import share, understand, writing
from nwbsparse.cli.lines import new_console, says
from nwbsparse.config import Config, ReadOptions, to_toml
from nwbsparse.schema import own_version

app = App(
    name="nwbsparse",
    help="NWB in, sparse nameable latents out: what the populations in a recording represent.",
    version=own_version,
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # stopping has an exit code of its own
)

for command in (*understand.COMMANDS, *writing.COMMANDS, *share.COMMANDS):
    app.command(command)

Flags = Annotated[Config, Parameter(name="*")]


@app.command
def run(
    source: str,
    /,
    *,
    out: Path,
    config: Flags = Config(),  # noqa: B008
    overwrite: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    quiet: bool = False,
) -> None:
    """Learn sparse latents from an NWB file and write an annotated copy and a report.

    Options can come from a file: ``--config run.toml`` (``nwbsparse config`` writes one); flags
    beside it win.

    Parameters
    ----------
    source
        What is read: an NWB file (HDF5 or Zarr, a path or address), a Kilosort, Phy or suite2p
        folder, an .npz file. It is never written to.
    out
        Folder for the results.
    overwrite
        Replace results of an earlier run in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    dry_run
        Say what would be done, with sizes and an estimate of time and memory.
    quiet
        Print nothing but errors.
    """
    from nwbsparse import pipeline
    from nwbsparse.cli.show import progress_bars, report_table, show_run
    from nwbsparse.io.reading import read_as

    console = new_console()
    if not dry_run:
        pipeline.check_out(out, source, config, overwrite=overwrite)
    session = read_as(source, config, strict=strict)
    if dry_run:
        _show_plan(console, pipeline.plan(session, config), source, out)
        return
    if not quiet:
        console.print(report_table(session.report.to_dict()))
    with progress_bars(console, quiet=quiet) as progress:
        say = (lambda _: None) if quiet else says(console)
        done = pipeline.run(session, out, config, overwrite=overwrite, progress=progress, say=say)
    if not quiet:
        show_run(console, done)
        then = f", or in Python: nwbsparse.open_results('{done.nwb}')" if done.nwb else ""
        console.print(f"next: open the report{then}", soft_wrap=True)


@app.command
def fit(
    source: str,
    /,
    *,
    out: Path,
    config: Flags = Config(),  # noqa: B008
    resume: bool = False,
    overwrite: bool = False,
    strict: bool = False,
    quiet: bool = False,
) -> None:
    """Learn sparse latents and keep the coder in a folder, without explaining or annotating.

    Options as for ``run``; ``--preset NAME`` starts from a published recipe. A training that was
    stopped goes on with ``--resume`` and ends as if it had never stopped.

    Parameters
    ----------
    source
        What is read, as for ``run``.
    out
        Folder for the coder.
    resume
        Go on with a training that was stopped.
    overwrite
        Replace a coder or a stopped training in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.fitting import fit_into

    console = new_console()
    fit_into(
        source,
        out,
        config,
        console,
        (lambda _: None) if quiet else says(console),
        resume=resume,
        overwrite=overwrite,
        strict=strict,
        quiet=quiet,
    )


@app.command
def encode(
    model: Path, source: str, /, *, out: Path, overwrite: bool = False, strict: bool = False
) -> None:
    """Apply a coder to a recording and write its latents as netCDF.

    Parameters
    ----------
    model
        Folder of a coder: of ``fit``, ``run`` or ``nwbsparse.save``.
    source
        What is read, as for ``run``; binned as the coder's training was.
    out
        The netCDF file to write.
    overwrite
        Replace the file.
    strict
        Refuse what reading would otherwise repair and report.
    """
    from nwbsparse.cli.fitting import encode_into

    encode_into(model, source, out, says(new_console()), overwrite=overwrite, strict=strict)


@app.command
def inspect(
    source: str,
    /,
    *,
    options: Annotated[ReadOptions, Parameter(name="*")] = ReadOptions(),  # noqa: B008
    strict: bool = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Show what a recording holds: what can be read, what was dropped and why.

    Parameters
    ----------
    source
        What is read: an NWB file (HDF5 or Zarr, a path or address), a Kilosort, Phy or suite2p
        folder, an .npz file. It is never written to.
    strict
        Refuse what reading would otherwise repair and report.
    time_scale
        Seconds per unit of the stored spike times.
    as_json
        Print JSON instead of tables.
    """
    from nwbsparse.cli.show import show_recording
    from nwbsparse.describe import describe
    from nwbsparse.io.reading import read_as

    seen = describe(read_as(source, options, strict=strict))
    if as_json:
        sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    else:
        show_recording(new_console(), seen)


@app.command
def config(config: Flags = Config()) -> None:  # noqa: B008
    """Print the options as TOML, ready for ``nwbsparse run --config``.

    Options that are left to be chosen from the recording are absent.
    """
    sys.stdout.write(to_toml(config))


@app.command
def info(*, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False) -> None:
    """Show versions, devices and the extension, for bug reports.

    Parameters
    ----------
    as_json
        Print JSON instead of lines.
    """
    from nwbsparse.cli.info import gather

    facts = gather()
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
        return
    console = new_console()
    for key, value in facts.items():
        console.print(f"[bold]{key:<20}[/] {escape(str(value))}", soft_wrap=True)


@app.command
def simulate(name: str, /, *, out: Path, seed: int = 0, overwrite: bool = False) -> None:
    """Write a recording with known truth as NWB.

    Parameters
    ----------
    name
        nldisco-placecells (four place cells among 96 noise units; published, so without a seed)
        or superposition (150 overlapping sources over 100 units).
    out
        The NWB file to write.
    seed
        Seed of the superposition.
    overwrite
        Replace the file.
    """
    from nwbsparse.errors import BadInput, did_you_mean
    from nwbsparse.simulate.nwb import write_placecells, write_superposition
    from nwbsparse.simulate.placecells import simulate_placecells
    from nwbsparse.simulate.superposition import simulate_superposition

    makers: dict[str, Callable[[], Any]] = {
        "nldisco-placecells": lambda: write_placecells(
            simulate_placecells(), out, overwrite=overwrite
        ),
        "superposition": lambda: write_superposition(
            simulate_superposition(seed=seed), out, overwrite=overwrite
        ),
    }
    if name not in makers:
        raise BadInput(
            f"there is no simulation '{name}'{did_you_mean(name, makers)}; there are: {', '.join(makers)}"
        )
    new_console().print(f"wrote {makers[name]()}", soft_wrap=True)


@app.command
def demo(*, out: Path = Path("demo"), seed: int = 0, seeds: int = 0) -> None:
    """Run everything on simulations with known truth, and say what was recovered.

    Parameters
    ----------
    out
        Folder for the recordings and results.
    seed
        Seed of the training.
    seeds
        With a number: only the place cells, under seeds 0 to that number (slow).
    """
    from nwbsparse.cli.demonstrate import demonstrate, demonstrate_seeds

    console = new_console()
    out.mkdir(parents=True, exist_ok=True)
    if seeds:
        demonstrate_seeds(console, out, seeds, says(console))
    else:
        demonstrate(console, out, seed, says(console))


def _show_plan(console: Console, planned: Any, source: str, out: Path) -> None:
    console.print(
        f"[bold]would run[/] on {escape(str(source))} and write to {escape(str(out))}",
        soft_wrap=True,
    )
    console.print(
        f"{planned.n_units} units, {planned.n_bins:,} bins ({planned.n_train:,} to train on), "
        f"{planned.updates:,} updates"
    )
    console.print(
        f"about {planned.seconds:.0f} s to fit on this machine (timed on a few updates), "
        f"{max(planned.gigabytes, 0.1):.1f} GB beyond the libraries"
    )
    sys.stdout.write(to_toml(planned.config))
