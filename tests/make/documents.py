"""What the documents of the repository name: links, paths, modules, commands, flags and calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from make.house import ROOT

DOCUMENTS = sorted(
    [
        *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").rglob("*.md"),
        *(ROOT / "extensions").glob("*/README.md"),
    ]
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.S | re.M)
QUOTED = re.compile(r"`([^`\n]+)`")


def prose(text: str) -> str:
    """All but the blocks of code."""
    return BLOCK.sub("", text)


def quoted(text: str) -> list[str]:
    """What stands in backticks in the prose."""
    return QUOTED.findall(" ".join(prose(text).split()))


def blocks(text: str, *languages: str) -> list[str]:
    """The blocks of code in these languages; "" for those that name none."""
    return [code for language, code in BLOCK.findall(text) if language in languages]


def links(text: str) -> list[tuple[str, str]]:
    """(file, anchor) of every link inside the repository; an empty file is the document itself."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    inside = [one for one in targets if not re.match(r"\w+:", one)]
    return [(path, anchor) for path, _, anchor in (one.partition("#") for one in inside)]


def anchors(text: str) -> set[str]:
    """The addresses of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", prose(text), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def command_lines(text: str) -> list[list[str]]:
    """Words of every call of a program: lines of blocks, and what stands in backticks."""
    lines = [
        line for code in blocks(text, "", "console", "bash", "sh") for line in code.split("\n")
    ]
    found = []
    for line in [*lines, *quoted(text)]:
        for part in line.partition("  #")[0].split("&&"):
            words = part.strip().removeprefix("$ ").split()
            while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):  # of the environment
                del words[0]
            if words:
                found.append(words)
    return found


def flags(words: list[str]) -> set[str]:
    """The long flags among words: ``--k=3,`` is ``--k``."""
    return {found[0] for one in words if (found := re.match(r"--[a-z][a-z0-9_-]*", one))}


def calls(text: str) -> Iterator[tuple[str, set[str]]]:
    """(dotted name, keywords) of every call of ours in blocks of Python."""
    known: dict[str, str] = {}
    for code in blocks(text, "python"):
        tree = ast.parse(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                known |= {one.asname or one.name: one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                start, _, rest = ast.unparse(node.func).partition(".")
                name = f"{known.get(start, '')}{rest and '.'}{rest}"
                if re.fullmatch(r"(nwbsparse|ndx_sparse_latents)[\w.]*", name):
                    yield name, {one.arg for one in node.keywords if one.arg}


def imported(text: str) -> set[str]:
    """Dotted names that blocks of Python import."""
    found = set()
    for code in blocks(text, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Import):
                found |= {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


def of(path: Path) -> str:
    """The text of a document."""
    return path.read_text(encoding="utf-8")
