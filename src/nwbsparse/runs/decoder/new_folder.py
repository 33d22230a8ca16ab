"""Whether a folder can take what is about to be made."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.errors import BadInput
from nwbsparse.files.made_folder import check_writable


def check_new(out: Path, kept: str, what: str, *, overwrite: bool) -> None:
    """Refuse a folder that cannot be written to, or holds such results already.

    Args:
        out: the folder.
        kept: the file by which results are known.
        what: what they are called.
        overwrite: whether results may be replaced.

    Raises:
        BadInput: it is a file, or holds results that are to stay.
        EnvironmentProblem: it cannot be written to.
    """
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out must be a folder")
    if (out / kept).exists() and not overwrite:
        raise BadInput(f"{out} already holds {what}; use --overwrite or another --out")
    check_writable(out)
