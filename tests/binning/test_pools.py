"""Units summed to pools: which, in what order, called what, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbsparse as ns
from make.duplicated import duplicated, train
from make.sessions import make_session
from nwbsparse.binning.account import ACCOUNT, POOLS, accounted
from nwbsparse.binning.pool_columns import bin_of
from nwbsparse.errors import BadInput

REGIONS = ["CA3", "CA1", "CA3", "", "CA1", "DG"]
DEPTHS = [950.0, 100.0, 199.9, 200.0, np.nan, -50.0]


def trains(n=6):
    return {f"u{at}": train(1.0 + at, seed=at) for at in range(n)}


def session(columns=None, **given):
    n = len(next(iter(columns.values()))) if columns else len(REGIONS)
    columns = {"region": REGIONS, "depth": DEPTHS} if columns is None else columns
    return make_session(trains(n), columns=columns, extent=(0.0, 200.0), **given)


def ids(binned):
    return binned["unit_id"].values.tolist()


def members(binned):
    return [json.loads(one) for one in binned["merged_units"].values]


def test_units_of_one_region_become_one_in_order_of_appearance():
    single, binned = (ns.to_bins(session(), 0.1, pool=pool) for pool in (None, "region"))
    assert ids(binned) == ["CA3", "CA1", "DG"]
    assert members(binned) == [[[0, "u0"], [2, "u2"]], [[1, "u1"], [4, "u4"]], [[5, "u5"]]]
    assert binned["unit_row"].values.tolist() == [2, 4, 5], "the row of most spikes"
    assert binned["region"].values.tolist() == ["CA3", "CA1", "DG"]
    assert "depth" not in binned.coords, "units of a pool lie at several depths"
    counts = single["counts"].values.astype(int)
    np.testing.assert_array_equal(binned["counts"][:, 0], counts[:, 0] + counts[:, 2])
    np.testing.assert_array_equal(binned["counts"][:, 2], counts[:, 5])
    n = single["n_spikes"].values
    assert binned["n_spikes"].values.tolist() == [n[0] + n[2], n[1] + n[4], n[5]]
    np.testing.assert_array_equal(
        binned["counts"].sum("time") + binned["dropped"], binned["n_spikes"]
    )
    assert len(set(binned["group"].values.tolist())) == 3
    assert json.loads(binned.attrs["history"])[-1]["parameters"]["pool"] == "region"


def test_without_pool_nothing_changes():
    assert ns.to_bins(session(), 0.1).identical(ns.to_bins(session(), 0.1, pool=None))
    assert "pool" not in json.loads(ns.to_bins(session(), 0.1).attrs["history"])[-1]["parameters"]


def test_bins_of_a_number_are_half_open_and_in_order_of_size():
    binned = ns.to_bins(session(), 0.1, pool="depth:100")
    assert ids(binned) == ["depth -100 to 0", "depth 100-200", "depth 200-300", "depth 900-1000"]
    assert [[unit for _, unit in one] for one in members(binned)] == [
        ["u5"], ["u1", "u2"], ["u3"], ["u0"],
    ]  # fmt: skip


@pytest.mark.parametrize("width", [0.1, 0.3, 1 / 3, 20.0, 7.0])
def test_an_edge_belongs_to_the_bin_above_whatever_the_rounding(width):
    k = np.arange(-50, 51)
    np.testing.assert_array_equal(bin_of(k * width, width), k)
    np.testing.assert_array_equal(bin_of((k + 0.999) * width, width), k)


@pytest.mark.parametrize(
    ("columns", "pool", "called"),
    [
        ({"shank": [2, 10, 2, 1]}, "shank", ["shank 1", "shank 2", "shank 10"]),
        ({"shank": [2.0, np.nan, 1.0, 2.0]}, "shank", ["shank 1", "shank 2"]),
        ({"region": ["4", "17", "4", "3a"]}, "region", ["region 4", "region 17", "region 3a"]),
        ({"fast": [True, False, True, True]}, "fast", ["fast True", "fast False"]),
        ({"electrode": [7, 3, -1, 7]}, "electrode", ["electrode 3", "electrode 7"]),
        ({"peak_channel": [7, 3, -1, 7]}, "electrode", ["electrode 3", "electrode 7"]),
        (
            {"peak_channel": [7, 3, 5, 7], "first_electrode": [0, 0, 0, 0]},
            "electrode",
            ["electrode 3", "electrode 5", "electrode 7"],
        ),
        (
            {"probe": ["B", "A", "B", "A"], "depth": [10.0, 10.0, 120.0, 20.0]},
            "probe,depth:100",
            ["B depth 0-100", "B depth 100-200", "A depth 0-100"],
        ),
        ({"a": ["x", "x y", "x", "z"], "b": ["y z", "z", "q", "q"]}, "a,b",
         ["a x b y z", "a x b q", "a x y b z", "a z b q"]),
        ({"z": [0.05, 0.1, 0.15, 0.31]}, "z:0.1", ["z 0-0.1", "z 0.1-0.2", "z 0.3-0.4"]),
        ({"z": [-5.0, 20.0]}, "z:1e6", ["z -1000000 to 0", "z 0-1000000"]),
    ],
)  # fmt: skip
def test_what_pools_are_called(columns, pool, called):
    assert ids(ns.to_bins(session(columns), 0.1, pool=pool)) == called


@settings(max_examples=50, deadline=None)
@given(
    spikes=st.lists(st.lists(st.integers(0, 30_000), max_size=40), min_size=4, max_size=8),
    labels=st.lists(st.integers(0, 3), min_size=8, max_size=8),
    seen=st.lists(
        st.tuples(st.integers(0, 12), st.integers(18, 30)), min_size=8, max_size=8
    ),
    limited=st.booleans(),
)  # fmt: skip
def test_counts_of_a_pool_are_the_sums_of_its_units_and_no_spike_is_lost(
    spikes, labels, seen, limited
):
    spikes[0] = [*spikes[0], 15_000]
    labels = [0, 1, *labels][: len(spikes)]
    recording = make_session(
        {at: np.array(one) / 1000 for at, one in enumerate(spikes)},
        columns={"shank": labels},
        extent=(0.0, 30.0),
        obs_intervals=seen[: len(spikes)] if limited else None,
    )
    single, binned = (ns.to_bins(recording, 0.1, pool=pool) for pool in (None, "shank"))
    np.testing.assert_array_equal(single["time"], binned["time"])
    for at, label in enumerate(np.unique(labels)):
        own = np.flatnonzero(np.array(labels) == label)
        counts = single["counts"].values[:, own].astype(int)
        np.testing.assert_array_equal(binned["counts"][:, at], counts.sum(axis=1))
        if limited and "valid" in single:
            known = single["valid"].values[:, own].all(axis=1)
            ours = binned["valid"].values[:, at] if "valid" in binned else np.True_
            np.testing.assert_array_equal(ours & np.ones_like(known), known)
    assert int(binned["n_spikes"].sum()) == int(single["n_spikes"].sum())
    total = int(binned["counts"].sum()) + int(binned["dropped"].sum())
    assert total == sum(map(len, spikes))


def test_a_pool_is_observed_where_all_of_its_units_are():
    seen = [[(0, 100)], [(0, 200)], [(50, 60), (70, 180)], [(0, 200)], [], [(0, 200)]]
    binned = ns.to_bins(session(obs_intervals=seen), 0.1, pool="region")
    time, valid = binned["time"].values, binned["valid"].values
    inside = ((time > 50) & (time < 60)) | ((time > 70) & (time < 100))
    np.testing.assert_array_equal(valid[:, 0], inside)
    assert valid[:, 1].all(), "one of its units has no intervals: it was observed throughout"
    assert valid[:, 2].all()


def test_units_that_were_never_observed_together_make_no_pool():
    seen = [[(0, 90)], *[[(0, 200)]], [(100, 200)], *[[(0, 200)]] * 3]
    with pytest.raises(BadInput, match=r"'CA3' were never observed together.*--units"):
        ns.to_bins(session(obs_intervals=seen), 0.1, pool="region")


def test_selection_comes_first_then_duplicates_then_pools():
    columns = {"tetrode": [0, 1, 0, 1, 0, 1, 1, 1, 1, 2]}
    recording = make_session(
        {f"u{at}": one for at, one in enumerate(duplicated())}, columns=columns
    )
    units = ",".join(f"u{at}" for at in range(9))
    given = {"units": units, "pool": "tetrode"}
    kept, merged, dropped = (
        ns.to_bins(recording, 0.1, duplicates=how, **given) for how in ("keep", "merge", "drop")
    )
    rows = [[row for row, _ in one] for one in members(kept)]
    assert rows == [[0, 2, 4], [1, 3, 5, 6, 7, 8]]
    # u1 is merged into u2 and u3 into u4, which are of tetrode 0
    rows = [[row for row, _ in one] for one in members(merged)]
    assert rows == [[0, 1, 2, 3, 4], [5, 6, 7, 8]]
    rows = [[row for row, _ in one] for one in members(dropped)]
    assert rows == [[0, 2, 4], [5, 6, 7, 8]]
    single = ns.to_bins(recording, 0.1, duplicates="merge", units=units)
    assert merged["n_spikes"].sum() == single["n_spikes"].sum()


def test_lazy_bins_are_the_same():
    eager, lazy = (ns.to_bins(session(), 0.1, pool="region", lazy=one) for one in (False, True))
    np.testing.assert_array_equal(eager["counts"], lazy["counts"])


def test_many_spikes_in_one_bin_are_all_counted():
    spikes = {at: np.linspace(5.0, 5.05, 200) for at in range(4)} | {9: np.arange(20.0)}
    binned = ns.to_bins(make_session(spikes, columns={"at": [0, 0, 0, 0, 1]}), 0.1, pool="at")
    assert binned["counts"].max() == 800


def test_sessions_of_the_same_pools_have_columns_of_their_own():
    named = {name: ns.to_bins(session(), 0.1, pool="region") for name in ("mon", "tue")}
    joined = ns.join_sessions(named)
    assert ids(joined) == [f"{day}/{at}" for day in named for at in ("CA3", "CA1", "DG")]
    assert joined["unit_session"].values.tolist() == ["mon"] * 3 + ["tue"] * 3


def test_pools_are_chosen_by_what_they_are_called():
    binned = ns.split(ns.to_bins(session(), 0.1, pool="depth:100"))
    config = ns.Config(target_units="depth 100-200, depth 900-1000", seeds=1, choose="none")
    coder = ns.fit(binned, config.replace(max_epochs=1))
    assert coder.record.targets == ("depth 100-200", "depth 900-1000")


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ("regoin", r"no unit column 'regoin'; did you mean 'region'\? \(there are: region, depth\)"),
        ("depth", r"'depth' holds numbers that are not whole \(-50 to 950\).*\"depth:100\""),
        ("depth:0", "must be > 0"),
        ("depth:-3", "must be > 0"),
        ("depth:nan", "must be > 0"),
        ("depth:wide", "'wide', which is no number"),
        ("depth:", "'', which is no number"),
        ("region:5", "'region' holds text, which has no width"),
        ("region,region", "twice"),
        ("", "lacks the name of a column"),
        ("region,", "lacks the name of a column"),
        ("electrode", r"no unit column 'electrode'.*known from electrode, .*or electrodes in NWB"),
        ("unit_id", "no unit column 'unit_id'"),
    ],
)  # fmt: skip
def test_what_cannot_be_pooled_is_refused_in_words(pool, said):
    with pytest.raises(BadInput, match=said):
        ns.to_bins(session(), 0.1, pool=pool)
    if "unit column" not in said and "holds" not in said:
        with pytest.raises(BadInput, match=said):
            ns.Config(pool=pool)


def test_one_pool_is_not_enough():
    with pytest.raises(BadInput, match=r"makes one pool \('CA1'\) of 2 units, and 2 are needed"):
        ns.to_bins(session(), 0.1, pool="region", regions="CA1")
    empty = session({"region": ["", "", ""], "depth": [1.0, 2.0, 3.0]})
    with pytest.raises(
        BadInput, match=r"makes no pool of 3 units, for none has a value, .*: depth\)"
    ):
        ns.to_bins(empty, 0.1, pool="region")


def test_without_spike_times_nothing_can_be_pooled():
    counted = ns.read(np.ones((300, 3), np.uint8), bin_width=0.1)
    for ask in (lambda: ns.to_bins(counted, pool="region"),
                lambda: accounted(counted, duplicates="keep", pool="region")):  # fmt: skip
        with pytest.raises(BadInput, match="pool=region needs spike times"):
            ask()


def test_the_account_says_which_units_were_summed_and_which_left_out():
    once = accounted(session(), duplicates="keep", pool="region")
    [line] = accounted(once, duplicates="keep", pool="region").report.lines
    assert (line.name, line.found, line.kept) == (POOLS, 6, 5)
    assert line.reasons == (
        "summed to 3 pools by region: CA3 (2 units), CA1 (2 units), DG (1 unit)",
        "1 left out, without a value of region: unit u3",
    )
    both = accounted(session(), duplicates="merge", pool="region").report.lines
    assert [line.name for line in both] == [ACCOUNT, POOLS]
    many = session({"at": list(range(20))})
    [line] = accounted(many, duplicates="keep", pool="at").report.lines
    assert line.reasons[0].endswith("and 8 more")


def test_depths_of_several_probes_are_not_taken_for_one_in_silence():
    columns = {
        "electrode_group": ["A", "B", "A", "B"],
        "shank": [0, 1, 2, 3],
        "depth": [10.0, 20.0, 150.0, 350.0],
    }
    [line] = accounted(session(columns), duplicates="keep", pool="depth:100").report.lines
    assert line.reasons[1] == (
        "1 of 3 pools hold units of more than one shank, such as 'depth 0-100' (0, 1): "
        '--pool "shank,depth:100" keeps them apart'
    )
    for pool in ("shank,depth:100", "electrode_group"):
        [line] = accounted(session(columns), duplicates="keep", pool=pool).report.lines
        assert len(line.reasons) == 1


def test_the_check_asks_the_pools_whether_they_are_enough_and_the_units_all_else():
    recording = make_session(
        {f"u{at}": one for at, one in enumerate(duplicated())}, columns={"at": [0] * 5 + [1] * 5}
    )
    found = {one.what.split(",")[0]: one for one in ns.check(recording, pool="at")}
    assert "2 pools that fire" in found
    assert "narrower bins" in found["2 pools that fire"].to_do
    shared = next(one for one in found.values() if "share spikes" in one.what)
    assert "units u1 and u2" in shared.where
    assert shared.to_do.startswith("In the sum of a pool such a spike counts as often")


def test_old_options_mean_that_nothing_is_pooled():
    assert ns.Config().pool is None
    assert "pool" not in ns.Config().to_dict()
    assert ns.Config(pool="region").to_dict()["pool"] == "region"
