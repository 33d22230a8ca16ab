"""``--help`` in groups: a command's own flags, the options that are used most, then the others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cyclopts.help import DefaultFormatter

from nwbsparse.options.config import Config
from nwbsparse.options.facts import facts_of, group_of
from nwbsparse.options.nwb_fields import NwbFields, flag

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

COMMON, NEW_FILE = "Used most", "Of a recording that is no NWB file yet"


class GroupedHelp(DefaultFormatter):
    """Panels as usual, but for those that hold options of a run: these are shown group by group."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print a panel, as several where its flags belong to several groups."""
        own = str(panel.title)
        groups: dict[str, list[HelpEntry]] = {own: [], **{title: [] for title in titles()}}
        shown = {name for entry in panel.entries for name in entry.names}
        # a command of its own may have a flag that is called like an option
        of_a_run = any(flags <= shown for flags in titles().values())
        for entry in panel.entries:
            groups[(of_a_run and _group(entry)) or own].append(entry)
        for title, entries in groups.items():
            if entries:
                super().__call__(console, options, panel.copy(title=title, entries=entries))


@cache
def titles() -> dict[str, frozenset[str]]:
    """Title → flags of each group of options, in the order in which they are shown."""
    found: dict[str, set[str]] = {COMMON: set()}
    for name, facts in facts_of(Config):
        title = COMMON if facts.common else group_of(Config, name)
        found.setdefault(title, set()).add(flag(name))
    found[NEW_FILE] = {flag(name) for name, _ in facts_of(NwbFields)}
    return {title: frozenset(flags) for title, flags in found.items()}


def _group(entry: HelpEntry) -> str:
    """The title that a flag stands under; '' for a flag of the command alone."""
    return next((title for title, flags in titles().items() if flags & set(entry.names)), "")
