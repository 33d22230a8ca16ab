"""What Naik (2025) claims, and how the numbers of a reproduction answer each claim."""

from __future__ import annotations

from dataclasses import dataclass

from nwbsparse.runs.papers import naik2025_evidence as evidence
from nwbsparse.runs.papers.naik2025_evidence import Show, Shown
from nwbsparse.studies.fits import Fits

HOLDS, UNTRAINED_TOO, NOT, NOT_RUN = (
    "holds", "holds also untrained", "does not hold", "not run here",
)  # fmt: skip
RECONSTRUCTED = ("r2", "train_r2")
NEURON = ("neuron_paper", "neuron_text", "train_neuron_code")
BEHAVIOUR = ("behaviour_paper", "behaviour_per_behaviour", "train_behaviour_code")
DECODED = (
    "position_r2", "direction_accuracy", "train_position_r2", "train_direction_accuracy",
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says."""

    name: str
    where: str
    text: str
    show: Show
    readings: tuple[str, ...]
    """The scores that it can be read of; those that are not in the lead stand beside."""
    leading: int = 1
    """How many of the readings must show it for it to hold: held-out ones come first."""


CLAIMS = (
    Claim(
        "settings", "3.2, Figure 1", "A learning rate of 1e-3 and 64 hidden units make better embeddings.",
        evidence.settings_better, DECODED, 2,
    ),
    Claim(
        "dims", "3.2, Figure 1", "The number of dims matters little.",
        evidence.dims_matter_little, DECODED, 2,
    ),
    Claim(
        "topk", "3.3, Figures 2 and 3", "TopK reconstructs best.", evidence.topk_best, RECONSTRUCTED,
    ),
    Claim(
        "topk_large", "3.3, Figures 2 and 3", "The advantage of TopK is larger at 32 and 64 dims.",
        evidence.topk_better_when_large, RECONSTRUCTED,
    ),
    Claim(
        "expansion", "3.3, Figures 2 and 3", "Eight latents per dim reconstruct best.",
        evidence.expansion_8_best, RECONSTRUCTED,
    ),
    Claim(
        "neuron_rises", "3.4, Figure 4", "The neuron score of latents is above that of the embedding for "
        "every k.",
        evidence.rises_for_every_k, NEURON,
    ),
    Claim(
        "behaviour_rises", "3.4, Figure 4", "The behaviour score rises only at k = 32.",
        evidence.rises_at_most_active_alone, BEHAVIOUR,
    ),
    Claim(
        "decoding", "3.4, Figure 5", "Position and direction are decoded from latents as well as from the "
        "embedding, or slightly better.",
        evidence.kept, DECODED, 2,
    ),
    Claim(
        "neuron_dims", "3.4, Figure 6", "Larger embeddings have latents of a higher neuron score.",
        evidence.rises_with_dims, NEURON,
    ),
    Claim(
        "neuron_k", "3.4, Figure 6", "k does not matter for the neuron score.",
        evidence.k_does_not_matter, NEURON,
    ),
    Claim(
        "behaviour_dims", "3.4, Figure 6", "Smaller embeddings have latents of a higher behaviour score.",
        evidence.falls_with_dims, BEHAVIOUR,
    ),
    Claim(
        "behaviour_k", "3.4, Figure 6", "A higher k gives a higher behaviour score.",
        evidence.rises_with_k, BEHAVIOUR,
    ),
    Claim(
        "behaviour_sparsity", "Discussion", "Increased sparsity gives a higher behaviour score.",
        evidence.falls_with_k, BEHAVIOUR,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """A claim, what became of it, and why."""

    claim: Claim
    verdict: str
    sentences: tuple[str, ...]


def answers(fits: Fits) -> list[Answer]:
    """Every claim answered from the table alone."""
    found = [answer(claim, fits) for claim in CLAIMS]
    said = contradiction(found)
    return [
        Answer(one.claim, one.verdict, (*one.sentences, said))
        if one.claim.name in ("behaviour_k", "behaviour_sparsity")
        else one
        for one in found
    ]


def answer(claim: Claim, fits: Fits) -> Answer:
    """What the table says of a claim: the verdict by its leading readings, the others beside."""
    shown = {reading: claim.show(fits, reading, "") for reading in claim.readings}
    leading = claim.readings[: claim.leading]
    if any(shown[reading] is None for reading in leading):
        return Answer(claim, NOT_RUN, ("The table has nothing that could show it.",))
    verdicts = {
        reading: _verdict(one, claim.show(fits, reading, "untrained"))
        for reading, one in shown.items()
        if one is not None
    }
    sentences = []
    for reading in leading:
        sentences.append(_of(reading, shown[reading]))
        if (bare := claim.show(fits, reading, "untrained")) is not None:
            so = "so as well" if bare.holds else "not so"
            sentences.append(f"Untrained, it is {so}: {bare.numbers}.")
        if (dealt := claim.show(fits, reading, "shuffled")) is not None:
            so = "so as well" if dealt.holds else "not so"
            sentences.append(f"Shuffled, it is {so}: {dealt.numbers}.")
    beside = [reading for reading in claim.readings[claim.leading :] if reading in verdicts]
    sentences += [
        f"{_of(reading, shown[reading])[:-1]} – {verdicts[reading]}." for reading in beside
    ]
    return Answer(claim, _together([verdicts[reading] for reading in leading]), tuple(sentences))


def contradiction(found: list[Answer]) -> str:
    """What becomes of the two sentences of the paper that cannot both be so."""
    by = {one.claim.name: one.verdict for one in found}
    figure, discussion = by.get("behaviour_k", NOT_RUN), by.get("behaviour_sparsity", NOT_RUN)
    said = (
        "The paper contradicts itself here: its Figure 6 says that a higher k gives a higher behaviour "
        "score, its discussion that increased sparsity does, which is a lower k"
    )
    if NOT_RUN in (figure, discussion):
        return f"{said}; nothing here can decide between them."
    if figure != NOT:
        return f"{said}. The numbers are with the figure."
    if discussion != NOT:
        return f"{said}. The numbers are with the discussion."
    return f"{said}. The numbers are with neither: the score does not follow k in every seed."


def _verdict(shown: Shown, untrained: Shown | None) -> str:
    if not shown.holds:
        return NOT
    return UNTRAINED_TOO if untrained is not None and untrained.holds else HOLDS


def _together(verdicts: list[str]) -> str:
    """Of several leading readings: all must hold; and it takes all of them untrained to hold untrained."""
    if NOT in verdicts:
        return NOT
    return UNTRAINED_TOO if all(one == UNTRAINED_TOO for one in verdicts) else HOLDS


def _of(reading: str, shown: Shown | None) -> str:
    return f"`{reading}`: {shown.numbers if shown else '–'}."
