"""Which units, regions, stretches and sessions are used; trials around a moment."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from make.sessions import make_session, make_table
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.binning.trials import trial_counts
from nwbsparse.errors import BadInput, CoarseClockWarning, NwbsparseWarning
from nwbsparse.session import Source


@pytest.fixture
def session():
    rng = np.random.default_rng(0)
    spikes = {unit: np.sort(rng.uniform(0, 100, 500)) for unit in (3, 5, 9)}
    trials = make_table(
        [10.0, 30.0, 95.0],
        [20.0, 50.0, 105.0],
        side=("category", ["left", "right", "left"]),
        go_time=("event time", [12.0, 33.0, np.nan]),
    )
    columns = {"region": ["CA1", "CA3", "CA1"], "depth": [1.0, 2.0, 3.0]}
    return make_session(spikes, columns=columns, intervals={"trials": trials}, extent=(0.0, 100.0))


def ids(binned):
    return binned["unit_id"].values.tolist()


def test_units_by_list_function_and_region(session):
    assert ids(to_bins(session, 0.1, units=[9, 3])) == [3, 9]
    assert ids(to_bins(session, 0.1, units=lambda units: units["depth"].values > 1)) == [5, 9]
    assert ids(to_bins(session, 0.1, regions="CA1")) == [3, 9]
    assert ids(to_bins(session, 0.1, regions=["CA1", "CA3"], units="depth < 3")) == [3, 5]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"units": [4]}, "no unit '4'"),
        ({"units": lambda units: np.array([1, 2, 3])}, "one bool for each of the 3 units"),
        ({"regions": "V1"}, "no unit lies in V1; there are: CA1, CA3"),
        ({"regions": "CA3", "units": "depth > 2"}, "none of the 3 units"),
        ({"intervals": "trial"}, "did you mean 'trials'"),
        ({"intervals": np.array([[200.0, 300.0]])}, "nothing is left"),
    ],
)
def test_what_does_not_exist_is_refused_in_words(session, options, words):
    with pytest.raises(BadInput, match=words):
        to_bins(session, 0.1, **options)


def test_intervals_restrict_what_is_binned(session):
    by_table = to_bins(session, 0.1, intervals="trials")
    by_hand = to_bins(session, 0.1, intervals=np.array([[10.0, 20], [30, 50], [95, 100]]))
    assert by_table.sizes["time"] == 350
    assert by_table["segment"].values.max() == 2
    xr.testing.assert_equal(by_table["counts"], by_hand["counts"])
    assert "within trials" in by_table.attrs["extent_from"]


def test_lazy_counts_are_the_same_counts(session):
    lazy, now = to_bins(session, 0.1, lazy=True), to_bins(session, 0.1)
    assert lazy["counts"].chunks is not None
    xr.testing.assert_equal(lazy["counts"].compute(), now["counts"])
    xr.testing.assert_equal(lazy["dropped"], now["dropped"])


def test_units_keep_the_rows_of_the_table_they_came_from(session):
    units = session.units.assign(unit_row=("unit", [0, 2, 7]))
    binned = to_bins(replace(session, units=units), 0.1, units=[3, 9])
    assert binned["unit_row"].values.tolist() == [0, 7]


@pytest.mark.fault(36)
def test_a_clock_coarser_than_half_a_bin_is_said(session):
    coarse = replace(session, units=session.units.assign_attrs(spike_time_spacing=0.0078))
    with pytest.warns(CoarseClockWarning, match=r"steps of 7\.8 ms"):
        to_bins(coarse, 0.01)
    to_bins(coarse, 0.1)


def test_several_sessions_give_a_tree_with_one_width(session):
    other = replace(session, source=Source(None, "", identifier="day/2"))
    first = replace(session, source=Source(None, "", identifier="day1"))
    tree = to_bins([first, other, first])
    assert list(tree.children) == ["day1", "day-2", "day1-2"]
    widths = {child.attrs["bin_width"] for child in tree.children.values()}
    assert len(widths) == 1
    xr.testing.assert_equal(tree["day1"].to_dataset()["counts"], to_bins(first)["counts"])


def test_trials_are_binned_around_their_moment(session):
    aligned = trial_counts(session, align="go_time", before=1.0, after=2.0, bin_width=0.1)
    assert aligned["counts"].dims == ("trial", "time", "unit")
    assert aligned["counts"].shape == (3, 30, 3)
    np.testing.assert_allclose(aligned["time"].values[[0, 9, 10]], [-0.95, -0.05, 0.05])
    for row, moment in ((0, 12.0), (1, 33.0)):
        edges = moment - 1 + np.arange(31) * 0.1
        wanted = np.histogram(session.spikes_of(1), edges)[0]
        assert aligned["counts"].values[row, :, 1].tolist() == wanted.tolist()
    assert aligned["observed"].values.tolist() == [True, True, False]
    assert aligned["side"].values.tolist() == ["left", "right", "left"]


def test_a_window_that_leaves_the_recording_is_not_observed(session):
    aligned = trial_counts(session, align="stop_time", before=0.0, after=10.0, bin_width=1.0)
    assert aligned["observed"].values.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "trial"}, "did you mean 'trials'"),
        ({"align": "go"}, "no column 'go'"),
        ({"before": -3.0}, "holds no bin"),
    ],
)
def test_trials_that_cannot_be_aligned_are_refused(session, options, words):
    given = {"before": 0.0, "after": 1.0, "bin_width": 0.1} | options
    with pytest.raises(BadInput, match=words):
        trial_counts(session, **given)


V1 = "Primary visual area, layer 4"


@pytest.fixture
def named():
    """Regions, columns and epochs whose names hold commas, and ids that repeat."""
    rng = np.random.default_rng(0)
    spikes = {unit: np.sort(rng.uniform(0, 100, 500)) for unit in range(4)}
    columns = {"region": [V1, "CA1", V1, "layer 4"], "depth, um": [0.0, 50.0, 150.0, 250.0]}
    epochs = make_table(
        [0.0, 40.0, 60.0], [40.0, 60.0, 100.0],
        tags=("category", ["'run, fast',light", "run,dark", "sleep"]),
        label=("category", ["maze, left", "maze, right", "box"]),
    )  # fmt: skip
    made = make_session(spikes, columns=columns, intervals={"epochs": epochs}, extent=(0.0, 100.0))
    return replace(made, units=made.units.assign(unit_id=("unit", [1, 1, 2, 1])))


@pytest.mark.parametrize(
    ("regions", "n_units"),
    [(V1, 2), (f"CA1, {V1}", 3), ("layer 4", 1), (f"'layer 4', {V1}", 3), ([V1], 2)],
)
def test_regions_whose_names_hold_commas(named, regions, n_units):
    assert to_bins(named, 0.1, regions=regions).sizes["unit"] == n_units


@pytest.mark.parametrize(
    ("epochs", "n_bins"),
    [("'run, fast'", 400), ("run, fast", 400), ("run", 200), ("light,sleep", 800),
     ("maze, left", 400), ("maze", 600), ("Maze, Right, sleep", 600)],
)  # fmt: skip
def test_epochs_whose_names_hold_commas(named, epochs, n_bins):
    assert to_bins(named, 0.1, epochs=epochs).sizes["time"] == n_bins


@pytest.mark.parametrize("option", ["regions", "epochs"])
def test_the_names_of_a_message_can_be_typed(named, option):
    with pytest.raises(BadInput, match="there are: ") as caught:
        to_bins(named, 0.1, **{option: "nowhere"})
    there_are = str(caught.value).rpartition("there are: ")[2]
    every = {"regions": ("unit", 4), "epochs": ("time", 1000)}[option]
    assert to_bins(named, 0.1, **{option: there_are}).sizes[every[0]] == every[1]


def test_a_pool_by_a_column_whose_name_holds_a_comma(named):
    pooled = to_bins(named, 0.1, pool="'depth, um':100")
    assert ids(pooled) == ["depth, um 0-100", "depth, um 100-200", "depth, um 200-300"]


def test_units_of_one_id_are_called_by_their_rows(named):
    binned = to_bins(named, 0.1)
    assert ids(binned) == ["1 (row 0)", "1 (row 1)", "2", "1 (row 3)"]
    assert ids(to_bins(named, 0.1, units="1 (row 3), 2")) == ["2", "1 (row 3)"]
    assert ids(to_bins(named, 0.1, units=["2", "1 (row 1)"])) == ["1 (row 1)", "2"]
    assert ids(to_bins(named, 0.1, units="unit_id == 1")) == ["1 (row 0)", "1 (row 1)", "1 (row 3)"]
    trials = trial_counts(
        replace(named, intervals={"trials": named.intervals["epochs"]}),
        align="start_time", before=1.0, after=1.0, bin_width=0.1,
    )  # fmt: skip
    assert ids(trials) == ids(binned)


@pytest.mark.parametrize("units", ["1", [1], "1,2"])
def test_an_id_of_several_units_means_all_of_them_and_that_is_said(named, units):
    with pytest.warns(NwbsparseWarning, match=r"3 units have the id 1.* as '1 \(row 0\)'"):
        found = ids(to_bins(named, 0.1, units=units))
    assert [one for one in found if one != "2"] == ["1 (row 0)", "1 (row 1)", "1 (row 3)"]


def test_an_empty_list_of_units_is_refused(named):
    with pytest.raises(BadInput, match="none of the 4 units"):
        to_bins(named, 0.1, units=[])
