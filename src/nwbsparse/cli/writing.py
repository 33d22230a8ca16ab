"""``write`` and ``label``: results into NWB files, and what a person says about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nwbsparse.cli.lines import new_console, says

Flag = Annotated[bool, Parameter(negative=())]


def write(
    run: Path,
    /,
    *,
    to: Path,
    mode: Literal["derived", "link", "in_place", "zarr"] = "derived",
    source: str | None = None,
    name: str | None = None,
    replace: Flag = False,
    overwrite: Flag = False,
    dense: Annotated[bool | None, Parameter(negative="--sparse")] = None,
    backup: Flag = False,
) -> None:
    """Write the results of a run into another NWB file.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run``, or an annotated NWB file.
    to
        The file to write.
    mode
        derived: a new file with the recording, without raw data. link: a small one with links to
        the recording, for work inside a lab. in_place: add the results to an NWB file that exists,
        which is replaced by a verified new one. zarr: as derived, as an NWB Zarr store.
    source
        The recording that the results were made from, or a copy of it; by default what the annotated
        file holds (in_place: the file itself, where it is that recording).
    name
        Which result, where the file holds several.
    replace
        Replace a result of the same name.
    overwrite
        Replace the file.
    dense
        Activations as a full table, or (--sparse) only what is not zero; left out: a full table
        for up to 256 latents.
    backup
        With in_place: keep the file as it was beside it (.bak).
    """
    from dataclasses import replace as with_

    from nwbsparse.results import open_results
    from nwbsparse.results import write as write_results
    from nwbsparse.revisited import annotated_in, recording_of

    console = new_console()
    results = open_results(annotated_in(run), name=name)
    if source is not None:
        results = with_(results, session=recording_of(source, results.coder, results))
    written = write_results(
        results, to, mode, replace=replace, overwrite=overwrite, dense=dense, backup=backup,
        say=says(console),
    )  # fmt: skip
    says(console)(f"{written} holds '{results.name}'")


def label(
    run: Path,
    /,
    *,
    latent: int,
    name: str | None = None,
    accept: Flag = False,
    reject: Flag = False,
    reopen: Flag = False,
    result: str | None = None,
    backup: Flag = False,
) -> None:
    """Name a latent, accept or reject it; kept in the annotated file.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run``, or an annotated NWB file.
    latent
        Its number, from 0.
    name
        What to call it; an empty name gives the automatic words back.
    accept
        It holds up.
    reject
        It does not.
    reopen
        Take either back.
    result
        Which result, where the file holds several.
    backup
        Keep the file as it was beside it (.bak).
    """
    from nwbsparse.curation import label
    from nwbsparse.errors import BadInput
    from nwbsparse.folder import keep_attribution
    from nwbsparse.revisited import annotated_in

    console = new_console()
    asked = {"accepted": accept, "rejected": reject, "open": reopen}
    verdicts = [verdict for verdict, given in asked.items() if given]
    if len(verdicts) > 1:
        raise BadInput("give one of --accept, --reject and --reopen")
    file = annotated_in(run)
    attribution = label(
        file,
        latent,
        name=name,
        verdict=verdicts[0] if verdicts else None,
        result=result,
        backup=backup,
        say=says(console),
    )
    if run.expanduser().is_dir():
        keep_attribution(attribution, run.expanduser())
    said = str(attribution["label"].values[latent]) or "no label"
    verdict = str(attribution["verdict"].values[latent])
    says(console)(f"latent {latent}: {said}{f' ({verdict})' if verdict else ''}")


COMMANDS: tuple[Callable[..., None], ...] = (write, label)
