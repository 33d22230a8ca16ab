"""Sessions and wishes that no trials can be made of: what is said, and that all is said at once."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.sessions import make_session, make_table
from make.trial_sessions import clock_session, with_column
from nwbsparse.errors import BadInput


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "trial"}, "there is no table 'trial'; did you mean 'trials'?"),
        ({"labels": "directoin"}, "there is no label 'directoin'; did you mean 'direction'?"),
        ({"labels": "direction:circle"}, "no kind 'circle'; did you mean 'circular'?"),
        ({"labels": "direction:category:360"}, "a period is a number above 0, of a circular label"),
        ({"labels": "direction:circular:round"}, "a period is a number above 0"),
        ({"labels": "direction, direction"}, "one is named twice"),
        ({"labels": []}, "none is named"),
        ({"labels": "line"}, "label 'line' has one class ('Cux2' throughout)"),
        ({"labels": "genotype"}, "label 'genotype' has one class ('wild' throughout)"),
        ({"labels": "direction, empty:continuous"}, "label 'empty' has no value in any trial"),
        ({"labels": "line:continuous"}, "label 'line' holds text"),
        ({"labels": "id"}, "'id' is an identifier of its rows"),
        ({"window": (0, 2.6)}, "6 of 6 trials are shorter than the window"),
        ({"window": (0, 0.2)}, "holds no bin of 0.5 s"),
        ({"window": (1, 0)}, "holds no bin"),
        ({"window": (0, np.nan)}, "holds no bin"),
        (
            {"window": (-60, -58)},
            "no trial is left of 6: 6 trials left out: the window lies outside",
        ),
        ({"bin_width": 0.0}, "bin width must be > 0"),
        ({"where": "direction > 1000"}, "has no row that satisfies"),
        ({"where": "directoin > 1"}, "directoin"),
        ({"units": "99"}, "99"),
        ({"labels": "depth"}, "'depth' differs between units (10, 20)"),
    ],
)
def test_what_cannot_be_is_said(options, said):
    session = with_column(
        clock_session(subject={"genotype": "wild"}, columns={"depth": [10, 20]}),
        line=("category", ["Cux2"] * 6),
        empty=("continuous", [np.nan] * 6),
        id=("identifier", np.arange(6)),
    )
    with pytest.raises(BadInput) as refused:
        ns.to_trials(session, **{"bin_width": 0.5, **options})
    assert said in " ".join(str(refused.value).split())


def test_everything_that_is_wrong_is_said_at_once():
    sessions = [
        clock_session(name="a"),
        clock_session(name="b", tables={}),
        clock_session(name="c"),
    ]
    sessions[2] = replace(sessions[2], units=sessions[2].units.isel(unit=[]))
    with pytest.raises(BadInput) as refused:
        ns.to_trials(sessions, labels="direction, lime", bin_width=0.5)
    said = str(refused.value)
    assert "3 problems" in said
    assert "b: has no table of trials" in said
    assert "c: has no units" in said
    assert "no label 'lime'" in said


def test_units_that_do_not_agree_are_said_once():
    sessions = [clock_session(name=name, columns={"depth": [1, 2]}) for name in "ab"]
    with pytest.raises(BadInput) as refused:
        ns.to_trials(sessions, labels="depth")
    assert "2 problems" in str(refused.value) and "there is no" not in str(refused.value)


def test_trials_of_very_different_length_need_a_window():
    table = make_table([5.0, 10.0, 15.0], [7.0, 10.3, 17.0], side=("category", list("aba")))
    session = clock_session(tables={"trials": table})
    with pytest.raises(BadInput, match=r"from 0\.3 to 2 s: say how much"):
        ns.to_trials(session, bin_width=0.1)
    with pytest.raises(BadInput, match=r"1 of 3 .* where='duration >= 2'"):
        ns.to_trials(session, bin_width=0.1, window=(0, 2))
    assert ns.to_trials(session, bin_width=0.1, window=(0, 0.3)).sizes["trial"] == 3


def test_a_window_that_was_recorded_in_no_trial_is_refused():
    session = clock_session()
    times = session.traces.times
    around = np.any([(times >= s - 0.01) & (times < s + 1.99) for s in range(5, 31, 5)], axis=0)
    only = replace(session.traces, times=times[around], data=session.traces.data[around])
    only = replace(session, traces=only)
    with pytest.raises(BadInput, match="nothing was recorded between -1 and 0 s of any trial"):
        ns.to_trials(only, window=(-1, 2), bin_width=0.5, where="start_time > 5")
    assert ns.to_trials(only, bin_width=0.5).sizes["trial"] == 6


def test_a_name_of_every_trial_tells_no_trials_apart():
    start = 5 + np.arange(14) * 0.5
    table = make_table(start, start + 1, picture=("category", [f"{n}.png" for n in range(14)]))
    session = clock_session(tables={"trials": table})
    with pytest.raises(BadInput, match="label 'picture' has 14 classes in 14 trials"):
        ns.to_trials(session, bin_width=0.5)
    asked = ns.to_trials(session, labels="picture:category", bin_width=0.5)
    assert len(np.unique(asked["picture"])) == 14


def test_several_tables_need_a_name():
    table = clock_session().intervals["trials"]
    session = clock_session(tables={"first": table, "second": table})
    with pytest.raises(BadInput, match="say table=, one of: first, second"):
        ns.to_trials(session)


def test_all_blank_is_no_recording_to_learn_from():
    session = with_column(clock_session(), direction=("category", [np.nan] * 6))
    with pytest.raises(BadInput, match="every trial is blank"):
        ns.to_trials(session, labels="direction")


def test_categories_that_an_earlier_dataset_has_not_are_refused():
    before = ns.to_trials(clock_session(), bin_width=0.5)
    new = with_column(clock_session(), direction=("category", [0.0, 33.0] * 3))
    with pytest.raises(BadInput, match=r"has 33, which the trials given as like= have not"):
        ns.to_trials(new, like=before)
    with pytest.raises(BadInput, match="not a trials dataset"):
        ns.to_trials(new, like=xr.Dataset())


def test_a_signal_can_be_no_category_and_nothing_comes_of_no_session():
    from make.sessions import make_series

    session = clock_session(series=[make_series("speed", [0, 40], [0, 1])])
    with pytest.raises(BadInput, match="it can be no category"):
        ns.to_trials(session, labels="speed:category", bin_width=0.5)
    with pytest.raises(BadInput, match="no session was given"):
        ns.to_trials([])


def test_no_spike_at_all_is_said_with_the_rest():
    table = make_table([1.0, 5.0], [2.0, 6.0], side=("category", ["l", "r"]))
    with pytest.raises(BadInput, match="no spikes"):
        ns.to_trials(make_session({0: []}, intervals={"trials": table}), bin_width=0.5)
