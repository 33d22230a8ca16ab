"""``evaluate``, ``explain``, ``decode``, ``transfer``, ``report``: what a finished run means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console

from nwbsparse.cli.asked import cut, matching_in, pair
from nwbsparse.cli.lines import new_console, says

Flag = Annotated[bool, Parameter(negative=())]
Repeated = Annotated[list[str], Parameter(negative=())]


def evaluate(
    run: Path,
    /,
    *,
    source: str | None = None,
    name: str | None = None,
    split: Literal["test", "validation", "train"] = "test",
    csv: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Say how well a coder reconstructs bins it has never seen, and how sparse it is.

    The numbers go to metrics.json and metrics.nc of the folder of the run.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    source
        The recording, where there is no annotated file.
    name
        Which result, where the file holds several.
    split
        The part of the bins; "train" gives no held-out numbers.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    """
    from nwbsparse.analysis.evaluate import evaluate
    from nwbsparse.cli.tables import show_metrics
    from nwbsparse.folder import keep_metrics
    from nwbsparse.revisited import revisit

    console = new_console()
    there = revisit(run, source=source, name=name)
    metrics = evaluate(there.coder, there.binned, split=split, detail="all")
    show_metrics(console, metrics, there.coder)
    if there.folder is not None and split == "test":
        keep_metrics(metrics, there.folder)
        _wrote(console, there.folder, "metrics.nc", "metrics.json")
    _csv(console, metrics, csv, overwrite=overwrite)


def explain(
    run: Path,
    /,
    *,
    covariate: Repeated = [],  # noqa: B006
    condition: Repeated = [],  # noqa: B006
    null: Repeated = [],  # noqa: B006
    conjunction: Repeated = [],  # noqa: B006
    source: str | None = None,
    name: str | None = None,
    top: int = 20,
    csv: Path | None = None,
    overwrite: Flag = False,
    write: Flag = False,
    quiet: Flag = False,
) -> None:
    """Say what each latent stands for: behaviour, units, how sure; with nulls and controls.

    The result goes to attribution.nc of the folder of the run.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    covariate
        Compare with this covariate only; may be repeated.
    condition
        Take this variable's conditions; may be repeated. ``speed=4`` cuts a covariate into
        quantiles, ``speed=0,5,20`` at these edges.
    null
        ``VARIABLE=shift``, or the table among whose rows labels are exchanged
        (``VARIABLE=trials``), in place of the null that fits its kind; may be repeated.
    conjunction
        ``A,B``: look at the conditions of both together; may be repeated.
    source
        The recording, where there is no annotated file.
    name
        Which result, where the file holds several.
    top
        How many latents to list.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    write
        Put it into the annotated file as well, in place of what stood there; names and verdicts
        given with ``label`` stay.
    quiet
        Show no progress.
    """
    from nwbsparse.analysis.explain import explain
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.cli.tables import show_attribution
    from nwbsparse.curation import carried_over
    from nwbsparse.folder import keep_attribution
    from nwbsparse.io.results.amend import amend
    from nwbsparse.revisited import annotated_in, revisit

    console = new_console()
    chosen = {
        "covariates": covariate or None,
        "conditions": dict(map(cut, condition)) or None,
        "nulls": dict(pair(one, "=", "--null VARIABLE=shift") for one in null) or None,
        "conjunctions": [pair(one, ",", "--conjunction A,B") for one in conjunction],
    }
    there = revisit(run, source=source, name=name)
    with progress_bars(console, quiet=quiet) as progress:
        attribution = explain(
            there.coder, there.binned, stability=there.stability, progress=progress, **chosen
        )
    found = attribution
    if there.results is not None:
        attribution = carried_over(there.results.attribution, found)
    show_attribution(console, attribution, top=top)
    if there.folder is not None:
        keep_attribution(attribution, there.folder)
        _wrote(console, there.folder, "attribution.nc", "metrics.json")
    if write:
        file, line = annotated_in(run), says(console)
        result = name if there.results is None else there.results.name
        # what a person said while this was computed stands in the file, not in what was read then
        attribution = amend(
            file, lambda stands: carried_over(stands, found), result=result, backup=False, say=line
        )
        if there.folder is not None:
            keep_attribution(attribution, there.folder)
        line(f"put it into {file.name}")
    _csv(console, attribution, csv, overwrite=overwrite)


def decode(
    run: Path,
    /,
    *,
    target: Repeated = [],  # noqa: B006
    inputs: Annotated[list[str], Parameter(name="--input", negative=())] = [],  # noqa: B006
    source: str | None = None,
    name: str | None = None,
    csv: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Read behaviour from counts, smoothed counts, latents and PCA side by side, on held-out bins.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    target
        A covariate or condition to read out; all when absent; may be repeated.
    inputs
        counts, smoothed, latents, best_latent or pca; all when absent; may be repeated.
    source
        The recording, where there is no annotated file.
    name
        Which result, where the file holds several.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    """
    from nwbsparse.analysis.decoding import decode
    from nwbsparse.analysis.inference import encode
    from nwbsparse.analysis.populations import encoded
    from nwbsparse.cli.tables import show_decoding
    from nwbsparse.revisited import revisit

    console = new_console()
    there = revisit(run, source=source, name=name)
    latents = encode(there.coder, there.binned)
    # what latents are compared with are the units that they are made from
    read = encoded(there.coder, there.binned)
    embedding = there.binned if there.coder.config.reads == "embedding" else None
    scores = decode(
        read, target or None, inputs=inputs or None, latents=latents, embedding=embedding
    )
    show_decoding(console, scores)
    _csv(console, scores, csv, overwrite=overwrite)


def transfer(
    run: Path,
    other: str,
    /,
    *,
    matching: Path | None = None,
    source: str | None = None,
    name: str | None = None,
    csv: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Apply a coder to another session and say which latents keep their meaning there.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    other
        The other recording, as ``run`` reads it.
    matching
        JSON file: unit id of the coder → unit id there; without it the ids must be the same.
    source
        The first recording, where there is no annotated file.
    name
        Which result, where the file holds several.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    """
    from nwbsparse.analysis.explain import explain
    from nwbsparse.analysis.transfer import transfer
    from nwbsparse.cli.tables import show_transfer
    from nwbsparse.io.reading import read_as
    from nwbsparse.prepare import prepare
    from nwbsparse.revisited import revisit

    console = new_console()
    pairs = None if matching is None else matching_in(matching)
    there = revisit(run, source=source, name=name)
    others = prepare(read_as(other, there.coder.config), there.coder.config)
    attribution = explain(there.coder, there.binned, stability=there.stability)
    moved = transfer(there.coder, others, attribution, pairs)
    show_transfer(console, moved)
    _csv(console, moved, csv, overwrite=overwrite)


def report(run: Path, /, *, out: Path, name: str | None = None, overwrite: Flag = False) -> None:
    """Make the report of an annotated file again, as one HTML page.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run``, or an annotated NWB file.
    out
        The HTML file to write.
    name
        Which result, where the file holds several.
    overwrite
        Replace the file.
    """
    from nwbsparse.errors import BadInput
    from nwbsparse.revisited import revisit
    from nwbsparse.views.report import report

    out = out.expanduser()
    if out.exists() and not overwrite:
        raise BadInput(f"{out} exists; use --overwrite or another --out")
    there = revisit(run, name=name)
    if there.results is None:
        raise BadInput(f"{run} holds no annotated NWB file; `nwbsparse run` makes one")
    report(there.results, there.binned, out)
    says(new_console())(f"wrote {out}")


def _csv(console: Console, dataset: Any, folder: Path | None, *, overwrite: bool) -> None:
    if folder is None:
        return
    from nwbsparse.io.csv_tables import write_csv

    _wrote(
        console, folder, *(path.name for path in write_csv(dataset, folder, overwrite=overwrite))
    )


def _wrote(console: Console, folder: Path, *files: str) -> None:
    says(console)(f"wrote {', '.join(files)} to {folder}")


COMMANDS: tuple[Callable[..., None], ...] = (evaluate, explain, decode, transfer, report)
