"""Whatever the sessions hold: joining loses no spike, invents none, and can be undone."""

import json

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from joined_sessions import part_of
from nwbsparse.binning.sessions.join import SEPARATION, join_sessions
from nwbsparse.binning.variables import category_names
from nwbsparse.training.bins import whole

COVARIATE = {"role": "covariate"}
POSITION = COVARIATE | {"kind": "position"}
CONDITION = {"role": "condition", "kind": "categorical", "table": "trials"}


def restored(joined, name, original):
    """One session out of the joined dataset, in the form it had before."""
    mine = part_of(joined, name)
    number = json.loads(joined["session"].attrs["categories"]).index(name)
    made = {}
    for key, variable in original.variables.items():
        key = str(key)
        if key not in mine.variables:
            assert key == "valid"
            made[key] = np.ones(variable.shape, bool)
            continue
        values = mine[key].values
        if key == "time":
            values = mine["session_time"].values
        elif key == "segment":
            values = values - values.min() + variable.values.min()
        elif key == "unit":
            values = values - values.min()
        elif key == "unit_id":
            values = np.array([v.removeprefix(f"{name}/") for v in values]).astype(variable.dtype)
        elif "first_row" in mine[key].attrs:
            first = json.loads(mine[key].attrs["first_row"])[number]
            values = np.where(values >= 0, values - first, -1)
        elif "categories" in variable.attrs:
            own = json.loads(variable.attrs["categories"])
            words = category_names(mine[key])[values]
            values = np.array([own.index(word) if word else -1 for word in words])
        made[key] = values
    return made


def assert_restored(joined, name, original):
    for key, values in restored(joined, name, original).items():
        wanted = original[key].values
        if wanted.dtype.kind in "OU":
            assert values.tolist() == wanted.astype(str).tolist(), key
        else:
            assert np.array_equal(
                values.astype(wanted.dtype), wanted, equal_nan=wanted.dtype.kind == "f"
            ), key


@st.composite
def binned_sessions(draw):
    """{name: Binned dataset} that share some variables, and differ in which they have."""
    made = {}
    for name in draw(st.lists(st.sampled_from(["a", "b b", "ü"]), min_size=1, unique=True)):
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        n, n_units = draw(st.integers(2, 30)), draw(st.integers(1, 4))
        kind = draw(st.sampled_from([np.uint8, np.uint16, np.int64]))
        counts = rng.integers(0, draw(st.sampled_from([2, 255, 60_000])), (n, n_units)).astype(kind)
        start = draw(st.sampled_from([0.0, -7.3, 1e5 + 0.1]))
        words = draw(st.sampled_from([["x", "y"], ["y", "z", "10", "9"], ["z"]]))
        condition = CONDITION | {"categories": json.dumps(words)}
        speed = COVARIATE | {"kind": "continuous", "units": draw(st.sampled_from(["m", "px"]))}
        event = {"role": "event", "dropped": 1}
        optional = {
            "speed": ("time", rng.random(n).astype(np.float32), speed),
            "place": (("time", "space"), rng.random((n, 2)).astype(np.float32), POSITION),
            "lick": ("time", rng.integers(0, 3, n).astype(np.uint8), event),
            "valid": (("time", "unit"), rng.random((n, n_units)) < 0.7),
        }  # fmt: skip
        columns = {
            "region": ("unit", np.array([f"r{i}" for i in range(n_units)])),
            "shank": ("unit", rng.integers(0, 9, n_units)),
            "fast": ("unit", rng.random(n_units) < 0.5),
        }
        rows = rng.integers(-1, 4, n).astype(np.int32)
        made[name] = xr.Dataset(
            {
                "counts": (("time", "unit"), counts),
                "trials": ("time", rows, {"role": "interval", "n_overlapping_bins": 0}),
                "trials.side": ("time", rng.integers(-1, len(words), n).astype(np.int32), condition),
            }
            | {key: value for key, value in optional.items() if draw(st.booleans())},
            coords={
                "time": start + np.cumsum(rng.uniform(0.1, 0.5, n)),
                "segment": ("time", np.sort(rng.integers(0, 3, n)).astype(np.int32)),
                "trial": ("time", rows),
                "split": ("time", rng.integers(-1, 3, n).astype(np.int8)),
                "unit": np.arange(n_units),
                "unit_id": ("unit", rng.choice(100, n_units, replace=False)),
            }
            | {key: value for key, value in columns.items() if draw(st.booleans())},
            attrs={"bin_width": 0.1, "source": name},
        )  # fmt: skip
    return made


@settings(max_examples=60, deadline=None)
@given(binned_sessions())
def test_every_session_comes_back_bit_for_bit(sessions):
    joined = join_sessions(sessions)
    for name, original in sessions.items():
        plain = {k for k in original.variables if k in joined.variables or k == "valid"}
        apart = set(original.variables) - plain
        assert apart <= {"speed"}  # in another unit of measure: it stands under its own name
        assert_restored(joined, name, original[list(plain)])


@settings(max_examples=40, deadline=None)
@given(binned_sessions())
def test_no_spike_is_lost_or_invented_and_no_one_sees_another_session(sessions):
    joined = join_sessions(sessions)
    for name, original in sessions.items():
        rows = joined["session"].values == list(sessions).index(name)
        columns = joined["unit_session"].values == name
        block = joined["counts"].values[np.ix_(rows, columns)]
        assert np.array_equal(block, original["counts"].values)
        assert not joined["counts"].values[np.ix_(rows, ~columns)].any()
        if "valid" in joined:
            assert not joined["valid"].values[np.ix_(rows, ~columns)].any()
    total = sum(int(one["counts"].sum()) for one in sessions.values())
    assert int(joined["counts"].sum(dtype=np.int64)) == total


@settings(max_examples=40, deadline=None)
@given(binned_sessions())
def test_sessions_share_no_segment_trial_or_moment(sessions):
    joined = join_sessions(sessions)
    session = joined["session"].values
    for key in ("segment", "trial", "trials"):
        values = joined[key].values
        owners = {value: set(session[values == value]) for value in np.unique(values[values >= 0])}
        assert all(len(owner) == 1 for owner in owners.values()), key
    border = np.diff(session) != 0
    assert (np.diff(joined["time"].values) > 0).all()
    assert (np.diff(joined["time"].values)[border] >= SEPARATION - 1e-6).all()
    assert joined["time"].dtype == np.float64
    parts, segment = joined["split"].values, joined["segment"].values
    across = np.flatnonzero(border)
    assert not whole(parts, segment, reach=np.array([0, 1]))[across].any()
