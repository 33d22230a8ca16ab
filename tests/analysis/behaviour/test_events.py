"""Events as conditions of a bin: what follows one label is found with that label and no other."""

import json
from dataclasses import replace

import numpy as np
import pytest

from make.configs import plain_config
from make.sessions import make_session
from nwbsparse import fit, names
from nwbsparse.analysis.behaviour.coding import code_variables
from nwbsparse.analysis.explain import explain
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.session import Events
from nwbsparse.views.report.recording import variables

SECONDS, N_TONES = 1200.0, 900


def make_tones():
    """Units 0-2 fire at low tones, 3-5 at high ones, 6-11 at random; clicks drive nobody."""
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, SECONDS, N_TONES))
    pitch = rng.choice(["low", "high"], N_TONES)
    spikes = {}
    for unit in range(12):
        train = rng.uniform(0, SECONDS, int(SECONDS))
        if unit < 6:
            mine = times[pitch == ("low" if unit < 3 else "high")]
            heard = np.repeat(mine, rng.poisson(3, len(mine)))
            # in the bin of the tone: what is late is another condition
            late = np.minimum(rng.exponential(0.02, len(heard)), 0.1 - heard % 0.1 - 1e-3)
            train = np.append(train[::4], heard + np.maximum(late, 0))
        spikes[unit] = train
    clicks = Events("click", np.sort(rng.uniform(0, SECONDS, 500)))
    few = Events("rare", np.array([5.0, 9.0]))
    made = make_session(spikes, extent=(0.0, SECONDS))
    heard = Events("tone", times, pitch)
    return replace(made, events={"tone": heard, "click": clicks, "rare": few})


@pytest.fixture(scope="module")
def tones():
    binned = split(to_bins(make_tones(), 0.1), test=0.3)
    coder = fit(binned, plain_config(n_latents=32, k=3, batch_size=256, max_epochs=6, n_shifts=200))
    return binned, explain(coder, binned)


def test_a_bin_holds_an_event_or_none(tones):
    binned, _ = tones
    coded = {variable.name: variable for variable in code_variables(binned)}
    assert list(coded) == ["tone_high", "tone_low", "click"], "two events are too few to compare"
    low = coded["tone_low"]
    assert (low.kind, low.labels, low.table) == (names.CATEGORICAL, ("event", "none"), None)
    np.testing.assert_array_equal(low.codes == 0, binned["tone_low"] > 0)


def test_latents_are_found_with_the_label_they_follow(tones):
    _, attribution = tones
    found = attribution["association_status"].values == "found"
    variable = attribution["best_variable"].values
    condition = attribution["best_condition"].values
    top = attribution["weight"].values.argmax(axis=1)
    for units, name in ((range(3), "tone_low"), (range(3, 6), "tone_high")):
        mine = found & np.isin(top, units)
        assert mine.any() and (condition[mine] == "").all()
        assert set(variable[mine]) == {name}
    assert "click" not in json.loads(attribution.attrs["summary"])["latents"]["by_variable"]


def test_the_report_lists_events_with_what_was_left_out(tones):
    binned, _ = tones
    told = {variable.name: variable for variable in variables(binned)}
    n_low = int(binned["tone_low"].sum())
    assert told["tone_low"].kind == "event" and told["tone_low"].detail == f"{n_low} events"
    assert told["rare"].detail == "2 events"
    assert told["tone_low"].notes == ""
