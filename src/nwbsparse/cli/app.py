"""The commands. Each is thin; heavy packages are imported when a command runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

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
    *more: str,
    out: Path,
    config: Flags = Config(),  # noqa: B008
    embedding: Path | None = None,
    embedding_method: str | None = None,
    overwrite: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    quiet: bool = False,
) -> None:
    """Learn sparse latents from an NWB file and write an annotated copy and a report.

    With several recordings one model is learned from all of them, and each gets an annotated copy
    and a report of its own, in a folder called like its file. Options can come from a file:
    ``--config run.toml`` (``nwbsparse config`` writes one); flags beside it win.

    Parameters
    ----------
    source
        What is read: an NWB file (HDF5 or Zarr, a path or address), a Kilosort, Phy or suite2p
        folder, an .npz file. It is never written to.
    more
        More recordings, of which one model is made together with the first.
    out
        Folder for the results.
    embedding
        An .npy file (bins, dims), one row per bin of the recording: the coder reads it in place of
        the counts, and its latents are explained with units and behaviour.
    embedding_method
        What made the embedding ("cebra", "pca", …); "unknown" when absent.
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
    from nwbsparse.cli.show import progress_bars, report_table, show_plan, show_run
    from nwbsparse.io.reading import read_as

    console = new_console()
    if more:
        from nwbsparse.cli.several import run_several
        from nwbsparse.errors import BadInput

        if embedding is not None:
            raise BadInput(
                "--embedding is for one recording; a model of several sessions reads their counts"
            )

        run_several(
            console, (source, *more), out, config, overwrite=overwrite, strict=strict,
            dry_run=dry_run, quiet=quiet,
        )  # fmt: skip
        return
    if not dry_run:
        pipeline.check_out(out, source, config, overwrite=overwrite)
    session = read_as(source, config, strict=strict)
    if dry_run:
        show_plan(console, pipeline.plan(session, config, embedding=embedding), source, out)
        return
    if not quiet:
        console.print(report_table(session.report.to_dict()))
    with progress_bars(console, quiet=quiet) as progress:
        say = (lambda _: None) if quiet else says(console)
        done = pipeline.run(
            session, out, config, embedding=embedding, embedding_method=embedding_method,
            overwrite=overwrite, progress=progress, say=say,
        )  # fmt: skip
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
    embedding: Path | None = None,
    embedding_method: str | None = None,
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
    embedding
        An .npy file (bins, dims) that the coder reads in place of the counts, as for ``run``.
    embedding_method
        What made the embedding ("cebra", "pca", …); "unknown" when absent.
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
        embedding=embedding,
        embedding_method=embedding_method,
        resume=resume,
        overwrite=overwrite,
        strict=strict,
        quiet=quiet,
    )


@app.command
def encode(
    model: Path,
    source: str,
    /,
    *,
    out: Path,
    embedding: Path | None = None,
    overwrite: bool = False,
    strict: bool = False,
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
    embedding
        For a coder of an embedding: that of the recording (.npy); by default the one it learned from.
    overwrite
        Replace the file.
    strict
        Refuse what reading would otherwise repair and report.
    """
    from nwbsparse.cli.fitting import encode_into

    say = says(new_console())
    encode_into(model, source, out, say, embedding=embedding, overwrite=overwrite, strict=strict)


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
def info(
    *files: Path, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False
) -> None:
    """Show versions, devices and the extension, for bug reports; or which models files hold.

    Annotated files with the same model id hold the same model: of several sessions, each file has
    the part of its own.

    Parameters
    ----------
    files
        Annotated NWB files (HDF5 or Zarr).
    as_json
        Print JSON instead of lines.
    """
    from nwbsparse.cli.info import gather, lines_of, models_of

    facts: dict[str, Any] = models_of(files) if files else gather()
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
        return
    console = new_console()
    for file, held in facts.items() if files else ():
        for line in lines_of(held):
            console.print(Text.assemble((file, "bold"), f" {line}"), soft_wrap=True)
    if files:
        return
    for key, value in facts.items():
        console.print(Text.assemble((f"{key:<20}", "bold"), f" {value}"), soft_wrap=True)


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
    out = out.expanduser()
    out.mkdir(parents=True, exist_ok=True)
    if seeds:
        demonstrate_seeds(console, out, seeds, says(console))
    else:
        demonstrate(console, out, seed, says(console))
