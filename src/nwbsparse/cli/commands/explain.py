"""``nwbsparse explain``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import csv_tables, new_console, notifier, wrote
from nwbsparse.cli.notation import cut, pair
from nwbsparse.cli.options import Flag, Repeated


def explain(
    run: Path,
    /,
    *,
    covariate: Repeated = [],  # noqa: B006
    condition: Repeated = [],  # noqa: B006
    null: Repeated = [],  # noqa: B006
    conjunction: Repeated = [],  # noqa: B006
    source: str | None = None,
    result: str | None = None,
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
        quantiles, ``speed=0,5,20`` at these edges. Here and below a name that holds the sign itself
        stands in quotes: ``"'left, right',speed"``.
    null
        ``VARIABLE=shift``, the table among whose rows labels are exchanged
        (``VARIABLE=trials``), or a null that a package brought, in place of the one that fits its
        kind; may be repeated.
    conjunction
        ``A,B``: look at the conditions of both together; may be repeated.
    source
        The recording, where there is no annotated file.
    result
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
    from nwbsparse.annotated.write.amend import amend
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.cli.tables import show_attribution
    from nwbsparse.results.folder import keep_attribution
    from nwbsparse.results.label import carried_over
    from nwbsparse.runs.revisit import annotated_in, revisit

    console = new_console()
    there = revisit(run, source=source, result=result)
    known = [str(name) for name in there.binned.data_vars]
    chosen = {
        "covariates": covariate or None,
        "conditions": dict(cut(one, known) for one in condition) or None,
        "nulls": dict(pair(one, "=", "--null VARIABLE=shift", known) for one in null) or None,
        "conjunctions": [pair(one, ",", "--conjunction A,B", known) for one in conjunction],
    }
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
        wrote(console, there.folder, "attribution.nc", "metrics.json")
    if write:
        file, line = annotated_in(run), notifier(console)
        stored = result if there.results is None else there.results.name
        # what a person said while this was computed stands in the file, not in what was read then
        attribution = amend(
            file,
            lambda stands: carried_over(stands, found),
            result=stored,
            backup=False,
            notify=line,
        )
        if there.folder is not None:
            keep_attribution(attribution, there.folder)
        line(f"put it into {file.name}")
    csv_tables(console, attribution, csv, overwrite=overwrite)
