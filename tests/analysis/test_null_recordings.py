"""Twenty recordings in which nothing follows behaviour, and twenty with planted place fields.

Activity and behaviour keep their autocorrelation. In a null recording the behaviour is that of
another session, or of another time, or both activity and behaviour drift. Every latent is taken as
stable over seeds here, the weakest case for what must not be confirmed.
"""

import numpy as np
import pytest
import xarray as xr
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from nwbsparse import names
from nwbsparse.analysis.apply.activity import entries_of
from nwbsparse.analysis.behaviour.association import associate, candidates_of
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.behaviour.confirm import halves_agree
from nwbsparse.analysis.behaviour.design import make_ground
from nwbsparse.analysis.statistics.nulls import false_discovery_rate
from sessions import make_binned

N, LATENTS, RUNS = 12_000, 40, 20
PLANTED = 20
CONTINUOUS = {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS}
POSITION = {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.POSITION}


def behaviour(rng):
    """(place, speed): an animal that runs to and fro, unevenly."""
    pace = np.exp(gaussian_filter1d(rng.standard_normal(N), 30.0) * 5) * 0.01
    phase = np.cumsum(pace) % 2
    return np.where(phase < 1, phase, 2 - phase), pace


def activity(rng, place, n_fields):
    """(time, latent) sparse, with a memory of half a second; the first follow the place."""
    keep = np.exp(-1 / 5)
    noise = lfilter([1.0], [1.0, -keep], rng.standard_normal((N, LATENTS)), axis=0)
    noise /= noise.std(axis=0)
    centres = rng.random(n_fields)
    for latent, centre in enumerate(centres):
        noise[:, latent] += 1.5 * np.exp(-((place - centre) ** 2) / (2 * 0.1**2))
    return np.maximum(noise - 1.5, 0)


def recording(seed, kind):
    """(data, activity) of one recording; kind says what is wrong with the behaviour, if anything."""
    rng = np.random.default_rng(seed)
    place, speed = behaviour(rng)
    made = activity(rng, place, 0 if kind == "drift" else PLANTED)
    if kind == "swapped":
        place, speed = behaviour(np.random.default_rng(seed + 1000))
    elif kind == "shifted":
        place, speed = np.roll(place, N // 3), np.roll(speed, N // 3)
    elif kind == "drift":
        ramp = np.linspace(0, 1, N)
        made = np.maximum(made + 1.0 * ramp[:, None] * rng.random(LATENTS) - 0.3, 0)
        place, speed = place * 0.5 + 0.5 * ramp, speed * (1 + ramp)
    counts = np.random.default_rng(seed).poisson(made.sum(axis=1, keepdims=True) * 0.2 + 0.2)
    data = make_binned(np.minimum(counts, 255).astype(np.uint8), test=0.3)
    return data.assign(place=("time", place, POSITION), speed=("time", speed, CONTINUOUS)), made


def look(seed, kind):
    """(q, p, confirmed were all latents stable) of every latent."""
    data, made = recording(seed, kind)
    candidates = candidates_of(make_scope(data).tested)
    tested = associate(made, candidates, make_ground(data, n_draws=200, seed=seed))
    q = false_discovery_rate(tested.p)
    pairs = zip(q, tested.halves, tested.observed, strict=True)
    confirmed = [one < 0.05 and halves_agree(halves, whole) for one, halves, whole in pairs]
    return q, tested.p, np.array(confirmed)


@pytest.mark.slow
def test_null_recordings_give_findings_in_three_of_twenty_at_most():
    kinds = ["swapped", "shifted", "drift"]
    found = [look(seed, kinds[seed % 3]) for seed in range(RUNS)]
    any_found = [bool((q < 0.05).any()) for q, _, _ in found]
    confirmed = [int(one.sum()) for _, _, one in found]
    p = np.concatenate([one[np.isfinite(one)] for _, one, _ in found])
    assert len(p) > 0.8 * RUNS * LATENTS
    assert sum(any_found) <= 3
    assert sum(confirmed) == 0
    assert np.mean(p <= 0.05) <= 0.10
    assert 0.40 < p.mean() < 0.60


@pytest.mark.slow
def test_planted_fields_are_found_and_confirmed():
    found = [look(seed, "planted") for seed in range(RUNS)]
    share = np.mean([np.mean(q[:PLANTED] < 0.05) for q, _, _ in found])
    kept = np.mean([one[:PLANTED].mean() for _, _, one in found])
    false = np.mean([np.mean(q[PLANTED:] < 0.05) for q, _, _ in found])
    assert share >= 0.8
    assert kept >= 0.8
    assert false <= 0.05


def test_one_null_and_one_planted_recording():
    q, _, confirmed = look(0, "swapped")
    assert (q < 0.05).sum() <= 1 and not confirmed.any()
    q, _, confirmed = look(0, "planted")
    assert (q[:PLANTED] < 0.05).mean() >= 0.8 and confirmed[:PLANTED].mean() >= 0.8


def test_the_same_recording_as_rows_of_a_table_is_judged_alike():
    data, made = recording(0, "planted")
    candidates = candidates_of(make_scope(data).tested)
    ground = make_ground(data, n_draws=50, seed=0)
    rows = sparse.csr_matrix(made)
    latents = xr.Dataset(
        {
            names.VALUE: (names.ENTRY, rows.data),
            names.LATENT_INDEX: (names.ENTRY, rows.indices.astype(np.uint16)),
            names.INDPTR: (names.TIME_EDGE, rows.indptr.astype(np.uint64)),
        },
        coords={names.TIME: data["time"].values, names.LATENT: np.arange(LATENTS)},
    )
    one, other = (associate(a, candidates, ground) for a in (made, entries_of(latents)))
    np.testing.assert_array_equal(one.p, other.p)
    np.testing.assert_array_equal(one.score, other.score)
