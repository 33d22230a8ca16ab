"""Numbers in README and docs that are constants in the code: they must be the same."""

import re
from inspect import signature

import pytest

from nwbsparse.analysis import transfer
from nwbsparse.analysis.apply import activity
from nwbsparse.analysis.association import (
    associate,
    blocks,
    design,
    draws,
    exchange,
    shifts,
    trials,
)
from nwbsparse.analysis.behaviour import (
    chance,
    coding,
    conditions,
    confirm,
    event_codes,
    information,
    labels_in_words,
    notes,
    together,
)
from nwbsparse.analysis.behaviour import cut as automatic
from nwbsparse.analysis.data_check import (
    at_once,
    clocks,
    dominant,
    drift,
    faulty_rois,
    jumps,
    lost_units,
    silence,
)
from nwbsparse.analysis.decoding import decode as decoding
from nwbsparse.analysis.decoding import targets as decoding_targets
from nwbsparse.analysis.quality import (
    hidden_baselines,
    hidden_bins,
    hidden_units,
    naik_scores,
    reconstruction,
    spectrum,
    stability,
)
from nwbsparse.analysis.statistics import circular_shift
from nwbsparse.analysis.units import attribute as attribution
from nwbsparse.analysis.units import encoder as gradients
from nwbsparse.analysis.units import tables as units
from nwbsparse.annotated.elements import activations
from nwbsparse.annotated.elements import latents as tables
from nwbsparse.annotated.elements import storage as packing
from nwbsparse.binning import covariates, events, grid, groups, observed
from nwbsparse.binning import split as dealing
from nwbsparse.io import digest as unchanged
from nwbsparse.options import presets
from nwbsparse.options.automatic import ACTIVE_SHARE, MIN_ACTIVE, PER_DIM
from nwbsparse.options.config import Config
from nwbsparse.training import bins, engine, learn, start
from nwbsparse.training import hidden_units as hidden_scores
from nwbsparse.views.plots import comparison as plots_comparison
from nwbsparse.views.plots import conditions as plots_conditions
from nwbsparse.views.plots import triggered as plots_triggered
from nwbsparse.views.plots import units as plots_units

WORDS = {
    "half": 0.5, "quarter": 4, "thirds": 3, "three": 3, "five": 5, "eight": 8, "ten": 10,
    "deciles": 10, "thousandfold": 1000,
}  # fmt: skip
NUMBER = rf"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?|{'|'.join(WORDS)})"
DEFAULT = Config()
SMOOTH = signature(decoding.decode).parameters["smooth_bins"].default

CHANGES = "CHANGELOG.md"
ASSESSMENT = "docs/reference/assessment.md"
CROSS_FITTED = "docs/decisions/0020-associations-are-cross-fitted.md"
ATTRIBUTION, METRICS = "docs/reference/attribution.md", "docs/reference/metrics.md"
MODELS, WRITING = "docs/reference/models.md", "docs/reference/writing.md"
DECODING, SPEED = "docs/reference/decoding.md", "docs/reference/speed.md"
CHECKED = "docs/reference/data-check.md"
EMBEDDINGS, FIGURES = "docs/how-to/embeddings.md", "docs/how-to/figures.md"
SHIFTS, EXCHANGED = (
    "docs/decisions/0003-p-values-of-circular-shifts.md",
    "docs/decisions/0004-labels-are-exchanged-among-neighbours.md",
)
CLAIM = "docs/decisions/0005-one-tested-claim-per-latent.md"
SLOW = "docs/decisions/0006-only-the-slow-population-rate-is-removed.md"
CONFIRMED = "docs/decisions/0012-confirmed-needs-seeds-and-halves.md"
BANDS = [edge for band in spectrum.BANDS.values() for edge in band]

HELD = [
    # document, what it says with # for each number, the constants in the same order
    (CHANGES, "per label (`lick_left`, `lick_right`), up to # labels", [events.MAX_LABELS]),
    (MODELS, "up to # validation bins, # times per training", [bins.CHECKED, engine.CHECKS]),
    (MODELS, "A loss that becomes NaN or a # stops", [engine.DIVERGED]),
    (MODELS, "found in # % of the other seeds", [100 * stability.SHARE]),
    (MODELS, "# % of the matches between *untrained* coders", [100 * stability.CHANCE]),
    (MODELS, "correlate by # or more on test bins", [stability.SAME]),
    (
        MODELS,
        "(# latents per dim, a # of the dims active, at least #)",
        [PER_DIM, ACTIVE_SHARE, MIN_ACTIVE],
    ),
    (MODELS, "the whole grid of #", [len(presets.naik_grid())]),
    (MODELS, "TopK, # latents per dimension", [presets.PRESETS["naik2025"]["expansion"]]),
    (
        EMBEDDINGS,
        "# latents per dim, a # of the dims (at least #) active",
        [PER_DIM, ACTIVE_SHARE, MIN_ACTIVE],
    ),
    (EMBEDDINGS, "as the default of # s is", [DEFAULT.gap]),
    (ATTRIBUTION, "shifts for the # units of largest weight", [units.TOP]),
    (ATTRIBUTION, "p for the # units that are read most", [units.TOP]),
    (ATTRIBUTION, "stands for the # units of largest", [units.TOP]),
    (ATTRIBUTION, "position in the dataset), and whether r ≥ #", [units.SINGLE_UNIT]),
    (
        ATTRIBUTION,
        "fewer than # active bins or # episodes of the latent where the variable is known, fewer "
        "than # bins in or outside",
        [conditions.MIN_ACTIVE, conditions.MIN_EPISODES, conditions.MIN_ACTIVE],
    ),
    (ATTRIBUTION, "what # draws of the condition's null give", [chance.DRAWS]),
    (ATTRIBUTION, "all arrangements where there are # or fewer", [chance.DRAWS]),
    (
        ATTRIBUTION,
        "covariates are cut into #, angles into # sectors, positions into # (# × #) places",
        [len(automatic.THIRDS), automatic.SECTORS, *[automatic.PLACES] * 3],
    ),
    (
        ATTRIBUTION,
        "exchanged among # neighbouring trials; their sequence shifted where they repeat | fewer than # "
        "trials, or than #",
        [exchange.NEIGHBOURS, trials.LEAST, trials.LEAST_PER_LABEL],
    ),
    (
        ATTRIBUTION,
        "circular shifts by # memories or more | fewer than # independent",
        [shifts.MEMORIES, shifts.LEAST_INDEPENDENT],
    ),
    (
        ATTRIBUTION,
        "what # shifts give; NaN below # events",
        [information.DRAWS, information.LEAST_EVENTS],
    ),
    (ASSESSMENT, "the slow population rate (# s)", [design.SLOW]),
    (
        ASSESSMENT,
        "deciles, # sectors of an angle, # places on a line or # × # in the plane",
        [coding.CIRCLE, coding.LINE, coding.SIDE, coding.SIDE],
    ),
    (
        ASSESSMENT,
        "(# s bins from # s before to # s after",
        [event_codes.STEP, event_codes.BEFORE, event_codes.AFTER],
    ),
    (
        ASSESSMENT,
        "blocks of # s or more, dealt to # folds",
        [blocks.LEAST_BLOCK, blocks.FOLDS],
    ),
    (ASSESSMENT, "n · mean)/(n + # s)", [associate.SHRINK]),
    (ASSESSMENT, "means of trials instead, in # folds", [trials.FOLDS]),
    (
        ASSESSMENT,
        "by # of its memories or more, at most # times",
        [shifts.MEMORIES, DEFAULT.n_shifts],
    ),
    (ASSESSMENT, "exchanged among # neighbouring", [exchange.NEIGHBOURS]),
    (
        ASSESSMENT,
        "where # stretches of # memories fit",
        [shifts.LEAST_INDEPENDENT, shifts.MEMORIES],
    ),
    (ASSESSMENT, "labels in # trials, # of each", [trials.LEAST, trials.LEAST_PER_LABEL]),
    (CROSS_FITTED, "# shifts first, then #, # and all", [n for n, _ in draws.STAGES]),
    (CROSS_FITTED, "more than # latents those that", [together.MOST_CHANNELS]),
    (ATTRIBUTION, "each show at least # of its r", [confirm.ALIKE]),
    (ATTRIBUTION, "true in at most # of them", [labels_in_words.MOST_ACTIVE]),
    (
        ATTRIBUTION,
        "must raise the correlation by # % in the even",
        [round(100 * labels_in_words.GAIN - 100)],
    ),
    (ATTRIBUTION, "AUROC rounds to # or less", [round(labels_in_words.LEAST - 0.005, 2)]),
    (ATTRIBUTION, "in the two sessions correlated by # or more", [transfer.ALIKE]),
    (METRICS, "are dealt at random, always alike, into # folds", [hidden_scores.FOLDS]),
    (METRICS, "standard error over # blocks of bins", [hidden_scores.BLOCKS]),
    (METRICS, "at least # of the unit's mean", [hidden_units.LEAST_RATE]),
    (METRICS, "only up to # of these numbers", [hidden_units.GAINS]),
    (METRICS, "not zero in fewer than # training bins", [start.FEWEST]),
    (METRICS, "penalty of #, #, #, #, # by validation bins", list(hidden_baselines.ALPHAS)),
    (METRICS, "fitted on at most # evenly spaced", [hidden_bins.MOST]),
    (METRICS, "that are visible, and at most #", [hidden_baselines.MOST_COMPONENTS]),
    (METRICS, "where `hidden_unit_r2` is below #", [hidden_scores.LEAST_SHARED]),
    (METRICS, "active in more than # of them", [reconstruction.Sparsity.ALWAYS_ON]),
    (METRICS, "above one #", [reconstruction.Sparsity.ALWAYS_ON]),
    (METRICS, "under another name (r ≥ # with its counts)", [units.SINGLE_UNIT]),
    (
        METRICS,
        "the longest power of two of bins, # at most, within # s of which # fit",
        [spectrum.MOST, spectrum.SECONDS, spectrum.WINDOWS],
    ),
    (METRICS, "not even windows of # bins fit", [spectrum.LEAST]),
    (METRICS, "slow #-#, delta #-#, theta #-#, beta #-#, gamma #-#", BANDS),
    (METRICS, "on at most # evenly spaced bins", [units.MAX_BINS]),
    (
        METRICS,
        "# Gauss-Legendre nodes, # active bins per latent",
        [gradients.NODES, gradients.SAMPLED],
    ),
    (METRICS, "mean over the # best latents of the largest \\|", [naik_scores.TOP_NEURON]),
    (METRICS, "per latent the mean of its # largest", [naik_scores.TOP_NEURON]),
    (METRICS, "`train_neuron_code` | train | mean of the # largest", [naik_scores.TOP_NEURON]),
    (METRICS, "mean over the # best latents of the largest R²", [naik_scores.TOP_BEHAVIOUR]),
    (
        METRICS,
        "`train_behaviour_code` | train | mean of the # largest",
        [naik_scores.TOP_BEHAVIOUR],
    ),
    (METRICS, "at least # s and three autocorrelation times", [circular_shift.MIN_SHIFT]),
    (METRICS, "with fewer than # such shifts", [circular_shift.MIN_SHIFTS]),
    (DECODING, "their mean over # bins (`smooth_bins`)", [SMOOTH]),
    (DECODING, "chosen by #-fold cross-validation", [decoding_targets.FOLDS]),
    (DECODING, "Of more than # training bins", [decoding.MOST]),
    (DECODING, "Classes with fewer than # training bins", [decoding_targets.LEAST]),
    (
        DECODING,
        "fewer than # training or # held-out bins",
        [decoding_targets.FOLDS * decoding_targets.LEAST, decoding_targets.LEAST],
    ),
    (WRITING, "up to # latents", [activations.DENSE_LIMIT]),
    (WRITING, "More than # latents stand in", [activations.DENSE_LIMIT]),
    (WRITING, "for up to # latents as a full table", [activity.DENSE_LIMIT]),
    (WRITING, "Arrays are in chunks of # KiB", [packing.CHUNK_BYTES / 2**10]),
    (
        WRITING,
        "in blocks of about # MiB",
        [packing.CHUNK_BYTES * packing.CHUNKS_PER_BLOCK / 2**20],
    ),
    (WRITING, "hashed it within the last # minutes", [unchanged.BELIEVED_FOR / 60]),
    (
        CHECKED,
        "# % of the rarer unit's spikes lie within # ms of another unit's, beyond chance, # spikes",
        [100 * groups.SHARED, 1000 * groups.WITHIN, groups.FEWEST],
    ),
    (CHECKED, "spikes within # ms of one that is there already", [1000 * groups.WITHIN]),
    (CHECKED, "on a clock coarser than # ms", [2000 * groups.WITHIN]),
    (
        CHECKED,
        "one of # or more units that fire holds more than #",
        [dominant.FEWEST_UNITS, notes.MOST_SPIKES],
    ),
    (
        CHECKED,
        "a unit of # spikes or more, in # different seconds or more, is missing for the first or last "
        "fifth of the recording and # s or more, and # times",
        [
            lost_units.FEWEST_SPIKES,
            lost_units.FEWEST_SECONDS,
            lost_units.SECONDS,
            lost_units.LONGER,
        ],
    ),
    (CHECKED, "in the last third are # times those", [drift.FACTOR]),
    (CHECKED, "the baseline of # of the units moves", [drift.MOST_UNITS]),
    (CHECKED, "all, from # minutes", [drift.WINDOWS * drift.SHORTEST / 60]),
    (
        CHECKED,
        "for # s or more in which # spikes were to be expected, # units or more",
        [silence.SECONDS, silence.EXPECTED, silence.FEWEST_UNITS],
    ),
    (
        CHECKED,
        "# % of the units, # or more, are active within # ms (one bin or frame), and chance does not do "
        "that even when all fire # times",
        [
            100 * at_once.NEARLY_ALL,
            at_once.FEWEST_UNITS,
            1000 * at_once.WITHIN,
            at_once.TOGETHER,
        ],
    ),
    (CHECKED, "NaN; # % stand at exactly", [100 * faulty_rois.SATURATED]),
    (CHECKED, "does not change at all for more than # s", [covariates.FROZEN]),
    (CHECKED, "from one sample to the next, and # times as far", [jumps.SUDDEN]),
    (CHECKED, "more than # % of trials or events", [100 * clocks.OUTSIDE]),
    (CHECKED, "is active in fewer than # bins, so", [start.FEWEST]),
    (CHECKED, "fewer than # units (or groups", [learn.FEWEST_GROUPS]),
    (
        CHECKED,
        "fewer than the # independent stretches, or # trials with # of each label",
        [shifts.LEAST_INDEPENDENT, trials.LEAST, trials.LEAST_PER_LABEL],
    ),
    (CHECKED, "shorter than # s; fewer than # bins", [dealing.MIN_BLOCK, grid.MIN_BINS]),
    (FIGURES, "those with the largest sum (#)", [plots_units.ROWS]),
    (FIGURES, "`peri_event` the most active (#)", [plots_triggered.ROWS]),
    (FIGURES, "`stability_matrix` (#)", [plots_comparison.COLUMNS]),
    (FIGURES, "the dots of `selectivity_bars` (#)", [plots_conditions.OTHERS]),
    (SPEED, "keeps only the values within # %", [100 * start.MARGINS[0]]),
    (SHIFTS, "max(# s, 3 autocorrelation times)", [circular_shift.MIN_SHIFT]),
    (EXCHANGED, "labels permuted within runs of # neighbouring", [exchange.NEIGHBOURS]),
    (
        CLAIM,
        "tuning bins (#, # sectors, # places or # × # places",
        [coding.QUANTILES, coding.CIRCLE, coding.LINE, coding.SIDE, coding.SIDE],
    ),
    (SLOW, "*smoothed over # s*", [design.SLOW]),
    (CONFIRMED, "when it comes back in # % of the other seeds", [100 * stability.SHARE]),
    (CONFIRMED, "the same sign and at least # its size", [confirm.ALIKE]),
]


def number(said):
    return WORDS[said] if said in WORDS else float(said.replace(",", ""))


@pytest.mark.parametrize(("document", "says", "constants"), HELD)
def test_documents_and_code_have_the_same_numbers(document, says, constants, request):
    text = " ".join((request.config.rootpath / document).read_text(encoding="utf-8").split())
    found = re.findall(re.escape(says).replace(r"\#", NUMBER), text)
    assert found, f"{document} does not say: {says}"
    for one in found:
        said = [one] if isinstance(one, str) else one
        assert [number(each) for each in said] == pytest.approx(constants), (document, says)


def test_constants_that_mean_the_same_are_the_same():
    assert activations.DENSE_LIMIT == activity.DENSE_LIMIT
    assert tables.TOP_UNITS == units.TOP
    assert attribution.MAX_BINS == units.MAX_BINS


def test_the_help_names_the_defaults_that_are_chosen(request):
    text = (request.config.rootpath / "src/nwbsparse/options/reading.py").read_text(
        encoding="utf-8"
    )
    low, high = (round(1000 * one) for one in (observed.BIN_WIDTHS[0], observed.BIN_WIDTHS[-1]))
    assert f"of {low}-{high} ms with {observed.SPIKES_PER_BIN:g} population spikes" in text
