"""What Freeman et al. (2025) claim, and how the numbers of coders inside networks answer it.

Of the paper only the abstract is known here. Whether its network is frozen or trained with the coder
it does not say: both are run, and a claim holds where it holds of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HOLDS, UNTRAINED_TOO, NOT, NOT_RUN = (
    "holds", "holds also untrained", "does not hold", "not run here",
)  # fmt: skip
RETAINED = 0.95
"""Of a score: what the network must keep for its performance to be preserved."""
APART = 0.1
"""By how much the coder must keep more than one that learned nothing."""
OWN = 0.5
"""Of what a variable is above chance: what goes with its latents where its decoding is impaired."""
BEYOND = 0.25
"""By how much more than of any other variable."""
SAME = 0.005
"""Numbers that are said with two digits and are less apart are said as one."""
ABOVE = 0.05
"""Above chance: what a score must be for its variable to be decoded."""
CHANCE = 0.01
"""Share of the latents that differ with a variable by chance."""
Numbers = Mapping[str, Any]
"""The numbers of one way of training (``spliced.json``)."""
ORIENTATION = ("orientation", "direction")


@dataclass(frozen=True)
class Claim:
    """One thing that the abstract says."""

    text: str
    show: Callable[[Numbers, Sequence[str]], tuple[str, str] | None]
    """The numbers of one run, and its variables → a verdict and a sentence; None where it says nothing."""


@dataclass(frozen=True)
class Answer:
    """A claim, what became of it, and why."""

    claim: Claim
    verdict: str
    sentences: tuple[str, ...]


def variables_of(numbers: Numbers) -> list[str]:
    """The variables that a run is about."""
    return [key.removeprefix("retained_") for key in numbers if key.startswith("retained_")]


def preserved(numbers: Numbers, heads: Sequence[str]) -> tuple[str, str] | None:
    """Whether the coder in the layer's place keeps what is decoded."""
    kept = _known(numbers, "retained", heads)
    if not kept:
        return None
    random, untrained = (
        _known(numbers, f"{one}_retained", heads) for one in ("random", "untrained")
    )
    least = min(kept.values())
    said = (
        f"retained {_range(kept)} (random coder {_range(random)}, untrained coder {_range(untrained)}), "
        f"loss recovered {_number(numbers.get('loss_recovered'))}"
    )
    if least < RETAINED:
        return NOT, said
    empty = min(untrained.values(), default=0.0)
    return (UNTRAINED_TOO if empty > least - APART else HOLDS), said


def selective(heads: Sequence[str]) -> Callable[[Numbers, Sequence[str]], tuple[str, str] | None]:
    """Whether there are latents that are selective for one of some variables."""

    def show(numbers: Numbers, known: Sequence[str]) -> tuple[str, str] | None:
        head = next((one for one in heads if one in known), None)
        if head is None:
            return None
        n, alive = numbers[f"tuned_{head}"], numbers["alive"]
        by_chance = max(1.0, CHANCE * alive)
        bare = numbers.get(f"tuned_untrained_{head}") or 0
        most = numbers[f"selective_{head}"]
        said = (
            f"{n} of {alive:.0f} latents differ with {head} (η² at least .1, p < .01; by chance "
            f"at most {by_chance:.1f}; at the layer of an untrained network {bare}), "
            f"{most} of them with nothing more"
        )
        if n <= 2 * by_chance:
            return NOT, said
        return (UNTRAINED_TOO if bare >= n else HOLDS), said

    return show


def impaired(numbers: Numbers, heads: Sequence[str]) -> tuple[str, str] | None:
    """Whether removing the latents of a variable takes that variable away, and only that."""
    own, other = _known(numbers, "own_drop", heads), _known(numbers, "other_drop", heads)
    if not own:
        return None
    parts = [
        f"{head} loses {own[head]:.2f}, others at most {other.get(head, float('nan')):.2f}"
        for head in own
    ]
    said = f"{'; '.join(parts)} (as many random latents: at most {_most(numbers, 'random_drop', heads)})"
    if min(own.values()) < OWN:
        return NOT, said
    apart = all(value - other.get(head, 0.0) >= BEYOND for head, value in own.items())
    alone = "" if apart else "; not that variable alone"
    return HOLDS, f"{said}{alone}"


CLAIMS = (
    Claim("Adding the sparse autoencoder preserves the performance of the network.", preserved),
    Claim("Hidden units respond selectively to stimulus orientation.", selective(ORIENTATION)),
    Claim("Hidden units respond selectively to genetic background.", selective(("genotype",))),
    Claim("Ablating the units of a variable impairs its decoding.", impaired),
)


def answers(runs: Mapping[str, Mapping[str, Numbers]]) -> list[Answer]:
    """Every claim answered by all runs: it holds where it holds in each that can show it.

    Args:
        runs: per run (a simulation, the recordings) and way of training its numbers.
    """
    return [_answer(claim, runs) for claim in CLAIMS]


def _answer(claim: Claim, runs: Mapping[str, Mapping[str, Numbers]]) -> Answer:
    verdicts, sentences = [], []
    for run, ways in runs.items():
        for way, numbers in ways.items():
            decoded = [one for one in variables_of(numbers) if _above_chance(numbers, one)]
            found = claim.show(numbers, decoded)
            if found is None:
                sentences.append(f"{run}, {way}: nothing there that could show it.")
                continue
            verdicts.append(found[0])
            sentences.append(f"{run}, {way}: {found[0]}: {found[1]}.")
    order = (NOT, UNTRAINED_TOO, HOLDS)
    verdict = next((one for one in order if one in verdicts), NOT_RUN)
    return Answer(claim, verdict, tuple(sentences))


def _above_chance(numbers: Numbers, head: str) -> bool:
    """Whether a variable is decoded at all: what is not can neither be kept nor lost."""
    score, chance = numbers.get(f"score_{head}"), numbers.get(f"chance_{head}")
    return score is not None and chance is not None and score - chance >= ABOVE


def _known(numbers: Numbers, what: str, heads: Sequence[str]) -> dict[str, float]:
    found = {head: numbers.get(f"{what}_{head}") for head in heads}
    return {head: float(one) for head, one in found.items() if one is not None}


def _range(values: Mapping[str, float]) -> str:
    if not values:
        return "not known"
    low, high = min(values.values()), max(values.values())
    return f"{low:.2f}" if high - low < SAME else f"{low:.2f} to {high:.2f}"


def _most(numbers: Numbers, what: str, heads: Sequence[str]) -> str:
    found = _known(numbers, what, heads)
    return _number(max(found.values()) if found else None)


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"
