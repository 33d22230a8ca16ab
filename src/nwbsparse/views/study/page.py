"""A page about a study as one HTML file, and as Markdown with its figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from nwbsparse.views.drawing import as_data

TEMPLATE = "study/page.html.jinja"


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str
    kind: str = "words"


@dataclass(frozen=True)
class Listed:
    """Sentences, one under the other."""

    items: Sequence[str]
    kind: str = "listed"


@dataclass(frozen=True)
class Grid:
    """A table of words."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False
    kind: str = "grid"


@dataclass(frozen=True)
class Picture:
    """A figure: the name of its file beside the Markdown, its title, and how to read it."""

    name: str
    title: str
    caption: str
    svg: bytes
    kind: str = "picture"

    @property
    def uri(self) -> str:
        """The figure as an address that an image can have."""
        return as_data(self.svg)


@dataclass(frozen=True)
class Verdict:
    """A claim and what became of it."""

    claim: str
    where: str
    verdict: str
    sentences: Sequence[str]
    kind: str = "verdict"

    @property
    def tone(self) -> str:
        """How it is marked: whether it holds, holds but not by learning, does not, or is open."""
        tones = {"holds": "yes", "holds also untrained": "weak", "does not hold": "no"}
        return tones.get(self.verdict, "open")


Block = Words | Listed | Grid | Picture | Verdict


@dataclass(frozen=True)
class Section:
    """Part of a page."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A page."""

    title: str
    meta: str
    lead: str
    sections: Sequence[Section]


def as_html(page: Page) -> str:
    """One file that needs nothing but itself: no scripts, nothing loaded; all text is escaped."""
    world = Environment(
        autoescape=True,
        loader=PackageLoader("nwbsparse", "views"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return world.get_template(TEMPLATE).render(page=page)


def as_markdown(page: Page) -> str:
    """The same as Markdown; figures are the files of :func:`figure_files`."""
    lines = [f"# {page.title}", "", page.meta, "", page.lead, ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += [*_marked(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def figure_files(page: Page) -> dict[str, bytes]:
    """{name: SVG} of every figure of a page."""
    blocks = [block for section in page.sections for block in section.blocks]
    return {one.name: one.svg for one in blocks if isinstance(one, Picture)}


def _marked(block: Block) -> list[str]:
    if isinstance(block, Words):
        return [block.text]
    if isinstance(block, Listed):
        return [f"- {one}" for one in block.items]
    if isinstance(block, Picture):
        return [f"**{block.title}**", "", f"![{block.title}]({block.name})", "", block.caption]
    if isinstance(block, Verdict):
        where = f"{block.claim} ({block.where})"
        return [
            f"### {where}",
            "",
            f"**{block.verdict}**",
            "",
            *[f"- {one}" for one in block.sentences],
        ]
    heads = f"| {' | '.join(map(_cell, block.heads))} |"
    rule = "|" + "---|" * len(block.heads)
    rows = [f"| {' | '.join(map(_cell, row))} |" for row in block.rows]
    return [f"**{block.title}**", "", heads, rule, *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
