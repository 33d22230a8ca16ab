"""Whether a script may start processes: each of them imports it, and must not do so again."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from nwbsparse.errors import BadInput


def check_main_guard() -> None:
    """Refuse to start processes from a line of a script that each of them would run again.

    Raises:
        BadInput: the call does not stand under ``if __name__ == "__main__":``.
    """
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None or getattr(sys, "ps1", None) is not None:
        return  # typed in: no process can import it
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals is vars(main) and frame.f_code.co_name == "<module>":
            if not _guarded(Path(file), frame.f_lineno):
                raise BadInput(
                    f"{file}, line {frame.f_lineno}: a local cluster starts processes that import this "
                    'script; put what it does under `if __name__ == "__main__":`'
                )
            return
        frame = frame.f_back


def _guarded(path: Path, line: int) -> bool:
    """Whether a line stands where only the script itself comes; also where nobody can tell."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return True
    for one in tree.body:
        if one.lineno <= line <= (one.end_lineno or one.lineno):
            return isinstance(one, ast.If) and "__name__" in ast.unparse(one.test)
    return True
