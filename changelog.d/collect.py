"""Puts the fragments of this folder into CHANGELOG.md under a version, and deletes them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

KINDS = ("added", "changed", "fixed", "removed")
FOLDER = Path(__file__).parent
CHANGELOG = FOLDER.parent / "CHANGELOG.md"


def fragments(folder: Path = FOLDER) -> dict[str, list[Path]]:
    """Kind → its files; README.md is none."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        kind = path.name.removesuffix(".md").rpartition(".")[2]
        if kind not in KINDS:
            raise SystemExit(f"{path.name}: call it NAME.KIND.md with a kind of {', '.join(KINDS)}")
        found[kind].append(path)
    return found


def section(version: str, found: dict[str, list[Path]]) -> str:
    """The part of the changelog that the fragments make."""
    parts = [f"## {version}"]
    for kind, paths in found.items():
        if not paths:
            continue
        texts = [" ".join(path.read_text(encoding="utf-8").split()) for path in paths]
        lines = [textwrap.fill(f"- {text}", 110, subsequent_indent="  ") for text in texts]
        parts += [f"{kind.capitalize()}:\n\n" + "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def collected(changelog: str, version: str, found: dict[str, list[Path]]) -> str:
    """The changelog with a new section above the newest; what waits for this version stays below it."""
    at = changelog.index("\n## ") + 1
    rest = changelog[at:]
    heading = f"## {version} (unreleased)\n"
    if rest.startswith(heading):
        rest = rest.removeprefix(heading).lstrip("\n")
        return changelog[:at] + section(version, found) + "\n" + rest
    return changelog[:at] + section(version, found) + "\n" + rest


def main(version: str) -> None:
    """Write CHANGELOG.md and delete what went into it."""
    found = fragments()
    text = CHANGELOG.read_text(encoding="utf-8")
    CHANGELOG.write_text(collected(text, version, found), encoding="utf-8")
    for path in [one for paths in found.values() for one in paths]:
        path.unlink()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python changelog.d/collect.py VERSION")
    main(sys.argv[1])
