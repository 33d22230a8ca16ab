"""Tables of decoders: what each session's held-out trials tell, beside chance and simpler methods."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from nwbsparse import names
from nwbsparse.cli.whole_words import print_table

if TYPE_CHECKING:
    import xarray as xr

    from nwbsparse.runs.decoder.fit_decoder import FittedDecoder
    from nwbsparse.splice.head_scores import HeadScore

CALLED = {
    "network": "network", "alone": "trained alone", "linear": "linear", "shuffled": "shuffled labels",
    "new_session": "left out as a whole",
}  # fmt: skip

MARKS = "_-. "
"""Where names have parts."""
ALL = "all"


def show_fitted(console: Console, made: FittedDecoder) -> None:
    """Print the scores of a new decoder on its held-out trials."""
    from nwbsparse.splice.head_scores import answers, scores_by_session

    sessions = made.data.sessions
    found = scores_by_session(made.model, answers(made.model, sessions), sessions)
    heads, short = list(made.model.heads), shortened(list(found))
    rows = [
        (short[name], *(_beside_chance(own[head]) if head in own else "" for head in heads))
        for name, own in found.items()
    ]
    title = "held-out trials (in brackets: the best answer that does not look at the trial)"
    print_table(console, ("session", *heads), rows, title=title)


def show_evaluation(console: Console, made: xr.Dataset) -> None:
    """Print a table per target: sessions below each other, methods beside each other."""
    methods = [str(one) for one in made[names.DECODER].values]
    short = shortened([str(one) for one in made[names.SESSION].values], alone=(ALL,))
    for head in made[names.HEAD].values:
        own = made.sel({names.HEAD: head})
        metric = str(made["metric"].sel({names.HEAD: head}).values)
        rows = []
        for session in made[names.SESSION].values:
            here = own.sel({names.SESSION: session})
            if not np.isfinite(here[names.SCORE].values).any():
                continue
            first = here.isel({names.DECODER: 0})
            rows.append(
                (
                    short[str(session)],
                    *(_number(one) for one in here[names.SCORE].values.tolist()),
                    _number(float(here[names.CHANCE])),
                    _number(float(first[names.NULL_HIGH])),
                    _p(float(first[names.P])),
                    f"{int(here[names.N]):,}",
                )
            )
        if rows:
            columns = [CALLED.get(one, one) for one in methods]
            headings = ("session", *columns, "chance", "null 95 %", "p", "n")
            print_table(console, headings, rows, title=f"{head} ({metric}, held out)")
            console.print()


def shortened(sessions: Sequence[str], *, alone: Sequence[str] = ()) -> dict[str, str]:
    """{session: the part of its name that tells it from the others}; ``alone`` stay as they are."""
    several = [one for one in sessions if one not in alone]
    if len(several) < 2:
        return {one: one for one in sessions}
    head = os.path.commonprefix(several)  # noqa: RUF071
    tail = os.path.commonprefix([one[::-1] for one in several])[::-1]  # noqa: RUF071
    first = max(head.rfind(mark) for mark in MARKS) + 1
    ends = [at for at in map(tail.find, MARKS) if at >= 0]
    last = len(tail) - min(ends) if ends else 0
    made = {one: one[first : len(one) - last] for one in several}
    if not all(made.values()) or len(set(made.values())) < len(several):
        made = {one: one for one in several}
    return {one: made.get(one, one) for one in sessions}


def _beside_chance(score: HeadScore) -> str:
    return f"{score.value:.3f} ({score.chance:.3f})"


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""


def _p(value: float) -> str:
    return "" if not np.isfinite(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
