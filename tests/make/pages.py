"""Pages of the documents as what they run: blocks of Python and lines of nwbsparse, in their order."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from make.cli_runs import run_cli
from make.house import ROOT
from nwbsparse.options.config import Config

BLOCK = re.compile(
    r"(?:^<!-- *not run:(?P<reason>.*?)-->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```",
    flags=re.S | re.M,
)
QUICK = tomllib.loads((ROOT / "tests/docs/quick.toml").read_text(encoding="utf-8"))
MAY_LEAVE_WITH = {"doctor": {0, 2, 5}}
"""Commands that say with their exit code what they found."""


@dataclass(frozen=True)
class Block:
    """A block of a page that holds something to run."""

    code: str
    is_python: bool
    reason: str | None
    """Why it is not run; None where it is."""

    @property
    def commands(self) -> list[tuple[list[str], set[int]]]:
        """Words of every nwbsparse line, and the exit codes that the page leads one to expect."""
        found: list[tuple[list[str], set[int]]] = []
        for line in self.code.replace("\\\n", " ").split("\n"):
            line = line.removeprefix("$ ").partition("  #")[0].strip()
            if line.startswith("nwbsparse: "):  # what the command before it says
                found[-1] = found[-1][0], {2}
            elif line.startswith("nwbsparse "):
                words = shlex.split(line)[1:]
                found.append((words, MAY_LEAVE_WITH.get(words[0], {0})))
        return found


def blocks_of(page: Path) -> list[Block]:
    """What a page holds that could be run."""
    made = []
    for one in BLOCK.finditer(page.read_text(encoding="utf-8")):
        is_python = one["language"] == "python"
        if not is_python and one["language"] not in ("", "console", "bash", "sh"):
            continue
        reason = None if one["reason"] is None else one["reason"].strip()
        block = Block(one["code"], is_python, reason)
        if is_python or block.commands:
            made.append(block)
    return made


def pages() -> list[Path]:
    """README and documents with something to run."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if blocks_of(page)]


def run_page(page: Path) -> None:
    """Run a page in the working directory, block by block, with the options of ``quick.toml``."""
    names: dict[str, Any] = {"__name__": "__page__"}
    with quick_defaults():
        for block in blocks_of(page):
            if block.reason is not None:
                continue
            if block.is_python:
                exec(compile(block.code, f"{page.name}: python", "exec"), names)
                continue
            for words, expected in block.commands:
                left = run_cli(*(one for word in words for one in expanded(word)))
                assert left in expected, (
                    f"{page.name}: nwbsparse {' '.join(words)} left with {left}"
                )


def expanded(word: str) -> list[str]:
    """A word as a shell hands it on: names of files for a pattern."""
    found = sorted(map(str, Path().glob(word))) if "*" in word else []
    return found or [word]


@contextmanager
def quick_defaults() -> Iterator[None]:
    """``nwbsparse.Config`` with the values of ``quick.toml`` where a caller says nothing."""
    as_ever = Config.__init__

    def begun(self: Config, **given: Any) -> None:
        sized = {"levels", "expansion"} & {key for key, value in given.items() if value}
        left = {key: value for key, value in QUICK.items() if not (sized and key in SIZES)}
        as_ever(self, **(left | given))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, "__init__", begun)
        yield


SIZES = ("n_latents", "k")
