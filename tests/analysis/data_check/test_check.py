"""The data check: each thing it says has a recording in which it is so, and nothing is said of another."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nwbsparse as ns
from make import odd_recordings as odd
from make.duplicated import duplicated
from make.sessions import make_series, make_session
from nwbsparse.analysis.data_check.check import CHECKS
from nwbsparse.analysis.data_check.finding import SEVERITIES
from nwbsparse.errors import BadInput

SECONDS = odd.SECONDS


def copied():
    spikes = odd.trains()
    return odd.normal(spikes=spikes | {"u3": spikes["u2"][::2] + 2e-4})


def stuck(start, stop, *, value=None):
    series = odd.place()
    data = series.data.copy()
    at = (series.times >= start) & (series.times < stop)
    data[at] = data[at][0] if value is None else value
    return odd.normal(series=[replace(series, data=data)])


def laps():
    times = np.arange(0, SECONDS, 1 / odd.RATE)
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(times))
    data = (times % 9.97) / 9.97 + noise
    return odd.normal(series=[make_series("track", times, data, kind="position")])


def shifted(by):
    series = odd.place()
    return odd.normal(series=[replace(series, times=series.times + by)])


def in_milliseconds():
    series = odd.place()
    return odd.normal(series=[replace(series, times=series.times * 1000)])


def few_trials():
    return odd.normal(intervals={"trials": odd.trials(n=10)})


def slow_behaviour():
    times = np.arange(0, SECONDS, 0.1)
    return odd.normal(series=[make_series("hunger", times, times > SECONDS / 2)])


def burst(times, share=1.0):
    at = np.asarray(times)
    spikes = odd.trains()
    some = list(spikes)[: round(share * len(spikes))]
    rng = np.random.default_rng(0)
    return odd.normal(
        spikes={
            unit: np.sort(np.r_[one, at + rng.uniform(0, 1e-3, len(at))]) if unit in some else one
            for unit, one in spikes.items()
        }
    )


def saturated():
    data = odd.fluorescence()
    data[:, 3] = np.minimum(data[:, 3], np.quantile(data[:, 3], 0.95))
    return odd.traces(data)


def with_column(at, change):
    data = odd.fluorescence()
    data[:, at] = change(data)
    return odd.traces(data)


def flash():
    data = odd.fluorescence()
    data[2000] += 30
    return odd.traces(data)


def bleached():
    data = odd.fluorescence()
    return odd.traces(data + np.linspace(4, 0, len(data), dtype=np.float32)[:, None])


def counted_at_once():
    data = odd.counts(mean=0.05)
    data[3000] = 2
    return odd.traces(data, bin_width=0.1)


def counted_silence():
    data = odd.counts()
    data[3000:3200] = 0
    return odd.traces(data, bin_width=0.1)


def counted_twice():
    data = odd.counts()
    data[:, 4] = data[:, 2]
    return odd.traces(data, bin_width=0.1)


ODD = [
    # check, what it says, the recording
    ("shared spikes", "2 units share spikes, in 1 group", copied),
    ("shared spikes", "a clock of 100 ms", lambda: odd.everywhere(lambda t: np.floor(t / 0.1) * 0.1)),
    (
        "one unit holds most spikes",
        "Unit u5 holds",
        lambda: odd.changed(u5=lambda _: odd.trains(rate=100, n_units=1)["u0"]),
    ),
    ("units that appear or disappear", "u4 disappears at 31", lambda: odd.changed(u4=lambda t: t[t < 320])),
    ("units that appear or disappear", "u4 appears at 2", lambda: odd.changed(u4=lambda t: t[t > 240])),
    ("drift", "times as much as in", lambda: odd.everywhere(lambda t: SECONDS * np.sqrt(t / SECONDS))),
    ("drift", "% as much as in",
     lambda: odd.everywhere(lambda t: SECONDS * (1 - np.sqrt(t / SECONDS)))),
    ("drift", "baseline of 100 % of 12 units falls", bleached),
    ("silent stretches", "in 1 stretch of 5 s or more, 30 s in all",
     lambda: odd.everywhere(lambda t: t[(t < 200) | (t > 230)])),
    ("silent stretches", "the longest 20 s", counted_silence),
    ("all units at once", "At 3 moments", lambda: burst([100.0, 200.0, 300.0])),
    ("all units at once", "in one bin", counted_at_once),
    ("all units at once", "jump in one frame", flash),
    ("frozen behaviour", "does not change at all in 1 stretch", lambda: stuck(100, 180)),
    ("jumps of behaviour", "jumps 6 times", odd.teleported),
    ("jumps of behaviour", "over (nearly) its whole range 60 times: laps", laps),
    ("clocks", "no moment in common", lambda: shifted(5000.0)),
    ("clocks", "covers 33 % of the recording", lambda: shifted(400.0)),
    ("clocks", "0.1 % of it in common", in_milliseconds),
    (
        "clocks",
        "30 of 60 rows of trials lie outside the recording (0 to 600 s, extent of the raw recording): b",
        lambda: odd.normal(intervals={"trials": odd.trials(start=-SECONDS, stop=SECONDS)}),
    ),
    ("clocks", "All 2 events of licks", lambda: odd.with_events([-10.0, -5.0])),
    ("units that are hardly active", "1 of 12 units never fire", lambda: odd.changed(u1=lambda t: t[:0])),
    ("units that are hardly active", "1 unit has fewer than 20 spikes",
     lambda: odd.changed(u1=lambda t: t[:10])),
    ("too few units", "3 units that fire, 8 are needed",
     lambda: odd.normal(spikes=odd.trains(n_units=3))),
    ("too short", "hunger: 2 independent stretches, 5 are needed", slow_behaviour),
    ("too short", "side: 10 trials, 12 are needed", few_trials),
    ("too short", "held-out blocks of 4 s",
     lambda: odd.normal(spikes=odd.trains(stop=60.0), extent=(0.0, 60.0), series=(), intervals={})),
    ("missing samples", "1 unit of 12 lack", lambda: with_column(2, lambda d: np.full(len(d), np.nan))),
    ("saturated traces", "1 unit of 12 is at exactly", saturated),
    ("nearly identical units", "1 pair of units is nearly the same",
     lambda: with_column(2, lambda d: d[:, 7])),
    ("nearly identical units", "activity correlates", counted_twice),
]  # fmt: skip


@pytest.mark.parametrize(("check", "said", "recording"), ODD, ids=[f"{a}: {b}" for a, b, _ in ODD])
def test_what_is_odd_is_said_with_what_to_do(check, said, recording):
    found = [one for one in ns.check(recording()) if one.check == check]
    assert any(said in one.what for one in found), [one.what for one in found]
    for one in found:
        assert one.severity in SEVERITIES
        assert one.where and one.to_do and one.numbers
        assert str(one).startswith(one.severity)
        assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["check"] == check


def test_no_correlation_is_more_than_one():
    """Float32 rounds sums of products of what is equal to more than that."""
    data = odd.fluorescence().astype(np.float32)
    some = np.repeat(data[:, :4], 3, axis=1)
    [found] = [one for one in ns.check(odd.traces(some)) if one.check == "nearly identical units"]
    said = [pair["correlation"] for pair in found.numbers["pairs"]]
    assert len(said) == 12 and all(0.99 < one <= 1 for one in said)


FINE = {
    "spikes": odd.normal,
    "without behaviour": lambda: odd.normal(series=(), intervals={}),
    "traces": lambda: odd.traces(odd.fluorescence()),
    "counts": lambda: odd.traces(odd.counts(), bin_width=0.1),
    "events": lambda: odd.traces((odd.counts() > 1).astype(np.float32)),
    "a late start": lambda: odd.normal(
        spikes={u: t + 1000 for u, t in odd.trains().items()}, extent=(1000.0, 1600.0),
        series=[replace(odd.place(), times=odd.place().times + 1000)],
        intervals={"trials": odd.trials(start=1000.0, stop=1600.0)},
    ),
    "a pause that is known": lambda: odd.normal(
        spikes={u: t[(t < 200) | (t > 260)] for u, t in odd.trains().items()},
        invalid_times=[(200.0, 260.0)],
    ),
    "the population bursts": lambda: odd.everywhere(lambda t: t - 0.9 * (t % 0.5)),
    "a burst of half the units": lambda: burst([100.0, 200.0], share=0.5),
    "a unit that pauses often": lambda: odd.changed(u4=lambda t: t[(t % 200) < 60]),
    "a unit that was observed for a while": lambda: odd.normal(
        spikes=odd.trains() | {"u4": odd.trains()["u4"][odd.trains()["u4"] < 300]},
        obs_intervals=[[(0, 300 if i == 4 else SECONDS)] for i in range(odd.N_UNITS)],
    ),
    "a tenth of the rate more at the end": lambda: odd.everywhere(
        lambda t: SECONDS * (t / SECONDS) ** 0.95
    ),
    "a clock of 10 ms": lambda: odd.everywhere(lambda t: np.floor(t / 0.01) * 0.01),
    "an animal that rests": lambda: stuck(100, 120),
    "one trial too early": lambda: odd.normal(intervals={"trials": odd.trials(start=-10.0)}),
}  # fmt: skip


@pytest.mark.parametrize("recording", FINE.values(), ids=FINE.keys())
def test_nothing_is_said_of_a_recording_in_which_nothing_is_odd(recording):
    assert [one.what for one in ns.check(recording())] == []


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_said_by_chance(seed):
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(0, 1, 40)
    spikes = {i: np.sort(rng.uniform(0, 900, max(int(r * 900), 30))) for i, r in enumerate(rates)}
    assert ns.check(make_session(spikes, extent=(0.0, 900.0))) == []


def test_the_most_serious_comes_first():
    spikes = odd.trains()
    session = odd.normal(spikes=spikes | {"u1": spikes["u1"][:0], "u3": spikes["u2"]})
    session = replace(
        session, series={"position": replace(odd.place(), times=odd.place().times + 5e3)}
    )
    severity = [SEVERITIES.index(one.severity) for one in ns.check(session)]
    assert severity == sorted(severity)
    assert len(set(severity)) == 3


def test_only_what_is_used_is_looked_at():
    spikes = odd.trains()
    session = odd.normal(
        spikes=spikes | {"u3": spikes["u2"] + 1e-4},
        columns={"region": ["CA1"] * 3 + ["CA3"] * (odd.N_UNITS - 3)},
    )
    assert [one.check for one in ns.check(session)] == ["shared spikes"]
    assert ns.check(session, regions="CA3") == []
    assert ns.check(session, units=[u for u in spikes if u != "u3"]) == []
    for how in ("merge", "drop"):
        assert ns.check(session, duplicates=how) == []
    quiet = odd.everywhere(lambda t: t[(t < 500) | (t > 530)])
    assert ns.check(quiet)
    assert ns.check(quiet, intervals=np.array([[0.0, 490.0]])) == []
    with pytest.raises(BadInput, match="u99"):
        ns.check(session, units="u99")


def test_a_heap_of_leftovers_in_a_group_is_no_cell_to_merge_into():
    spikes = odd.trains()
    heap = np.sort(np.r_[odd.trains(rate=80, n_units=1, seed=1)["u0"], spikes["u2"] + 1e-4])
    [shared] = [one for one in ns.check(odd.normal(spikes=spikes | {"u7": heap}))
                if one.check == "shared spikes"]  # fmt: skip
    assert "leave it out first" in shared.to_do
    assert "unit u7 has" in shared.to_do
    assert (
        "leave it out first" not in ns.check(make_session(dict(enumerate(duplicated()))))[0].to_do
    )


def test_numbers_stand_behind_the_sentences():
    [one] = [f for f in ns.check(odd.changed(u4=lambda t: t[t < 320])) if "appear" in f.check]
    [unit] = one.numbers["units"]
    assert (unit["unit"], unit["kind"]) == ("u4", "disappears")
    assert 315 < unit["at"] <= 320
    assert unit["missing"] == pytest.approx(SECONDS - unit["at"])
    [one] = ns.check(odd.everywhere(lambda t: t[(t < 200) | (t > 230)]))
    [[start, stop]] = one.numbers["stretches"]
    assert 199 < start <= 200 < 230 <= stop < 231
    [one] = ns.check(copied())
    [pair] = one.numbers["pairs"]
    assert pair["units"] == ["u2", "u3"] and pair["share"] > 0.9


def test_strays_of_a_lost_unit_do_not_hide_that_it_is_lost():
    session = odd.changed(u4=lambda t: np.r_[t[t < 320], 450.0, 590.0])
    [one] = [f for f in ns.check(session) if "appear" in f.check]
    [unit] = one.numbers["units"]
    assert (unit["strays"], round(unit["at"], -1)) == (2, 320)


def test_times_in_milliseconds_are_named():
    [one] = [f for f in ns.check(in_milliseconds()) if f.check == "clocks"]
    assert one.severity == "problem"
    assert "may be in milliseconds" in one.to_do
    [one] = [f for f in ns.check(shifted(5000.0)) if f.check == "clocks"]
    assert "another one, with a zero" in one.to_do


def test_a_speed_at_zero_may_be_rest():
    times = np.arange(0, SECONDS, 0.1)
    speed = np.abs(np.random.default_rng(0).standard_normal(len(times)))
    speed[3000:3600] = 0
    [one] = ns.check(odd.normal(series=[make_series("speed", times, speed)]))
    assert "is 0 throughout in 1 stretch" in one.what and "stand still" in one.to_do


def test_labels_that_repeat_are_too_few_trials():
    table = odd.trials()
    table["side"].values[:] = np.repeat(["left", "right"], 30)
    [one] = ns.check(odd.normal(intervals={"trials": table}))
    assert "labels repeat from trial to trial" in one.what
    assert one.numbers["variables"][0]["n_trials"] == 60


def test_a_recording_without_its_spikes_is_not_checked():
    assert ns.check(make_session({"a": [], "b": []})) == []


def test_nothing_in_the_session_is_changed():
    session = odd.teleported()
    before = session.series["position"].data.copy(), session.spike_times.copy()
    ns.check(session, duplicates="merge")
    np.testing.assert_array_equal(session.series["position"].data, before[0])
    np.testing.assert_array_equal(session.spike_times, before[1])


def test_every_check_takes_a_sentence_to_say_what_it_is():
    assert len({one.__name__ for one in CHECKS}) == len(CHECKS)
    assert all((one.__doc__ or "").strip().endswith(".") for one in CHECKS)


DATA = os.environ.get("NWBSPARSE_DATA")
REAL = {
    "rat-ca1-w-maze.nwb": {
        "shared spikes", "one unit holds most spikes", "units that appear or disappear",
        "frozen behaviour", "jumps of behaviour", "units that are hardly active",
    },
    "human-mtl-dandi000207-sub-4.nwb": set(),
    "mouse-alm-dandi000006-anm369963.nwb": {"too few units", "clocks"},
    "mouse-alm-dandi000009-anm00239123.nwb": {"too few units", "units that appear or disappear"},
    "mouse-psb-a8604.nwb": {"too few units"},
}  # fmt: skip


@pytest.mark.skipif(not DATA, reason="needs NWBSPARSE_DATA")
@pytest.mark.parametrize("name", REAL)
def test_what_is_said_of_real_recordings(name):
    assert {one.check for one in ns.check(ns.read(Path(str(DATA)) / name))} == REAL[name]


def test_traces_are_not_said_to_fire():
    """The kind: words of spikes for what has none, in each check that speaks of activity."""
    rng = np.random.default_rng(0)
    events = (rng.random((6000, 12)) < 0.2).astype(np.float32)
    events[:, 3] = 0
    events[2000:3000] = 0
    said = " ".join(f"{one.what} {one.to_do}" for one in ns.check(odd.traces(events)))
    assert "1 of 12 units is never active" in said and "No unit is active in" in said
    assert not re.search(r"\b(fire|fires|spikes|electrode)\b", said)


def test_amounts_and_times_beside_pauses_do_not_contradict_each_other():
    """The kind: an amount of recorded time beside clock times that add up to more."""
    times = np.concatenate([start + np.arange(0, 3, 0.1) for start in np.arange(0, 600, 6.0)])
    data = 5 * rng_of(len(times))
    still = np.where((times > 100) & (times < 400), 0.0, 1 + np.sin(times))
    session = odd.traces(data)
    session = replace(
        session, traces=replace(session.traces, times=times),
        series={"speed": make_series("speed", times, still, kind="continuous")},
        extent=None,
    )  # fmt: skip
    [frozen] = [one for one in ns.check(session) if one.check == "frozen behaviour"]
    assert "of the recorded time" in frozen.what
    assert frozen.where.endswith("pauses of the recording within them not counted")
    [short] = [one for one in ns.check(session) if "held-out blocks" in one.what]
    assert "in several pieces between pauses" in short.what


def rng_of(n):
    return np.random.default_rng(1).random((n, 12)).astype(np.float32)
