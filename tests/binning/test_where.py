"""Bins in which a condition on trials holds: numbers of the file are numbers, text is text."""

import json

import numpy as np
import pytest

from make.sessions import make_session, make_table
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput

START = np.arange(40) * 3.0
VALUES = {
    "correct": np.arange(40) % 2,
    "rewarded": np.arange(40) % 2 == 1,
    "block": (np.arange(40) // 20).astype(float),
    "side": np.array(["1", "left"] * 20),
    "picture": np.array([1234567.0, 1234568.0, 440.0001, 440.0002] * 10),
}


@pytest.fixture(scope="module")
def session():
    spikes = {unit: np.linspace(0.01, 119.99, 600) for unit in range(3)}
    columns = {name: ("category", values) for name, values in VALUES.items()}
    table = make_table(START, START + 3, **columns)
    return make_session(spikes, intervals={"trials": table}, extent=(0.0, 120.0))


@pytest.mark.parametrize(
    "where",
    ["trials.correct == 1", "trials.correct != 0", "trials.correct > 0.5", "trials.correct == '1'",
     "trials.rewarded == True", "trials.rewarded != False", "trials.rewarded == 1",
     "trials.correct not in [0]", "trials.block != 0", "trials.side == 'left'",
     "trials.picture in [1234567, 440.0001]"],
)  # fmt: skip
def test_half_of_the_trials_are_meant(session, where):
    """A number in a condition means the number: categories reach it as words, of which 1 is none."""
    assert to_bins(session, 0.1, where=where).sizes["time"] == 600


@pytest.mark.parametrize(
    "where", ["trials.side == 1", "trials.side != 1", "trials.correct == 'yes'"]
)
def test_a_number_is_refused_where_text_is(session, where):
    with pytest.raises(BadInput, match="compares numbers with text"):
        to_bins(session, 0.1, where=where)


def test_outside_of_trials_nothing_is_equal(session):
    table = session.intervals["trials"].isel(interval=slice(0, 20))
    short = make_session(
        {0: session.spikes_of(0), 1: session.spikes_of(1)},
        intervals={"trials": table}, extent=(0.0, 120.0),
    )  # fmt: skip
    equal = to_bins(short, 0.1, where="trials.correct == 0").sizes["time"]
    other = to_bins(short, 0.1, where="trials.correct != 0").sizes["time"]
    assert (equal, other) == (300, 900)


def test_long_numbers_are_categories_each(session):
    """Six digits are no identity: of four pictures none may take the place of another."""
    picture = to_bins(session, 0.1)["trials.picture"]
    known = json.loads(picture.attrs["categories"])
    assert known == ["440.0001", "440.0002", "1234567", "1234568"]
    codes = picture.values[::30]  # one bin of each trial
    assert [known[code] for code in codes[:4]] == ["1234567", "1234568", "440.0001", "440.0002"]


def test_what_differs_by_rounding_is_one_category():
    noisy = np.array([0.3, 0.1 + 0.2] * 20)
    table = make_table(START, START + 3, contrast=("category", noisy))
    session = make_session({0: START, 1: START}, intervals={"trials": table}, extent=(0.0, 120.0))
    assert to_bins(session, 0.1)["trials.contrast"].attrs["categories"] == '["0.3"]'
