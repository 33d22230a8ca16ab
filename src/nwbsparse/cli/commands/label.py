"""``nwbsparse label``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag


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
    from nwbsparse.errors import BadInput
    from nwbsparse.results.folder import keep_attribution
    from nwbsparse.results.label import label
    from nwbsparse.runs.revisit import annotated_in

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
        notify=notifier(console),
    )
    if run.expanduser().is_dir():
        keep_attribution(attribution, run.expanduser())
    said = str(attribution["label"].values[latent]) or "no label"
    verdict = str(attribution["verdict"].values[latent])
    notifier(console)(f"latent {latent}: {said}{f' ({verdict})' if verdict else ''}")
