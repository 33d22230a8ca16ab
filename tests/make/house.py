"""The files of the house, and which module of ours imports which: for tests of the architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
HOME = SOURCE / "nwbsparse"


def modules() -> dict[str, Path]:
    """Dotted name → file of every module of nwbsparse; a package is its ``__init__.py``."""
    found = {}
    for path in sorted(HOME.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ours that one imports, also inside functions, but not for types alone."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in _run_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            names = {f"{origin}.{alias.name}" for alias in node.names}
            found |= {one if one in known else origin for one in names}
    return found & known.keys()


def _run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers see."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _run_nodes(other)
        else:
            yield from _run_nodes(child)
