"""What there is to do: bins once for all that are made alike, stacks of what can be trained together."""

import pytest

from nwbsparse.errors import BadInput
from nwbsparse.studies.grid import read_grid
from nwbsparse.studies.plan import BINS, FITS, MOST, Source, Wanted, described, fits_of, tasks_of

RAT = Source("rat", "/data/rat.nwb", "a" * 64)
MADE = Source("made", "/out/data/x.nc", "b" * 64, ready=True)


def planned(axes, *, sources=(RAT,), **fixed):
    tasks = tasks_of(sources, read_grid({"fixed": fixed, "axes": axes}), Wanted())
    return [one for one in tasks if one.kind == BINS], [one for one in tasks if one.kind == FITS]


def test_fits_that_differ_in_what_a_stack_may_are_one_task():
    bins, stacks = planned({"k": [2, 4], "learning_rate": [1e-3, 1e-2], "seed": [0, 1]})
    assert len(bins) == 1 and [one.size for one in stacks] == [8]
    assert stacks[0].needs == (bins[0].id,)
    bins, stacks = planned({"n_latents": [16, 32], "seed": [0, 1]})
    assert len(bins) == 1 and [one.about["fits"] for one in stacks] == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    "axes",
    [
        {"bin_width": [0.05, 0.1]},
        {"where": ["speed > 3", "speed > 4"]},
        {"blocks": [5, 10]},
        {"lag": [0, 2]},  # the gap between parts is as long as a coder looks
        {"window": [5, 10]},
    ],
)
def test_what_makes_other_bins_makes_another_dataset(axes):
    encoder = {"encoder": "window"} if "window" in axes else {}
    bins, stacks = planned(axes | {"seed": [0, 1]}, mask=0.0, **encoder)
    assert len(bins) == 2 and len(stacks) == 2
    assert {one.needs for one in stacks} == {(one.id,) for one in bins}


def test_several_recordings_and_bins_that_were_given():
    bins, stacks = planned({"seed": [0, 1]}, sources=(RAT, MADE))
    assert [one.about["session"] for one in bins] == ["rat"]
    assert [(one.about["session"], one.about["fits"]) for one in stacks] == [
        ("rat", [0, 1]),
        ("made", [2, 3]),
    ]
    assert stacks[1].paths == {"bins": MADE.path} and not stacks[1].needs


def test_large_stacks_are_several_tasks_and_what_takes_several_trainings_is_one_each():
    _, stacks = planned({"seed": list(range(MOST + 3))})
    assert [one.size for one in stacks] == [MOST, 3]
    _, stacks = planned({"seeds": [3, 4]})
    assert [(one.size, one.about["alone"]) for one in stacks] == [(1, True), (1, True)]


def test_ids_are_of_the_content_of_data_and_not_of_where_it_lies():
    moved = Source("rat", "/elsewhere/rat.nwb", RAT.digest)
    other = Source("rat", RAT.path, "c" * 64)
    axes = {"seed": [0]}
    ids = [[one.id for some in planned(axes, sources=(s,)) for one in some] for s in (RAT, moved)]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & {one.id for some in planned(axes, sources=(other,)) for one in some}


def test_a_ledger_says_enough_to_know_every_fit():
    grid = read_grid(
        {"fixed": {"n_latents": 32}, "axes": {"k": [2, 4], "levels": [[], ["8:1", "32:4"]]}},
        skip_invalid=True,
    )
    made_for = described((RAT, MADE), grid, Wanted())
    fits = fits_of(made_for)
    assert [one.config for one in fits] == [one.config for one in grid.cells] * 2
    assert [one.session for one in fits] == ["rat"] * 3 + ["made"] * 3
    assert made_for["left_out"] and "varying" in made_for


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metrics": ("hidden_unit",)}, "no metric 'hidden_unit'; did you mean 'hidden_units'"),
        ({"keep": ("model",)}, "no thing 'model'; did you mean 'models'"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_what_cannot_be_known_or_kept(given, said):
    with pytest.raises(BadInput, match=said):
        Wanted(**given)
