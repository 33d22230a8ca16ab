"""A grid says which options are tried: what cannot be tried is said before anything is."""

import pytest

from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config, field_names
from nwbsparse.options.facts import data_options
from nwbsparse.studies.grid import read_grid

TOML = """
[fixed]
preset = "plain"
max_epochs = 3

[axes]
seed = [0, 1]

[[grid]]
axes.k = [2, 4]
axes.n_latents = [16, 32]

[[grid]]
fixed.sparsifier = "l1"
axes.penalty_weight = [0.1, 0.3]
"""


def options(grid, *names):
    return [tuple(getattr(one.config, name) for name in names) for one in grid.cells]


def test_blocks_stand_side_by_side_and_take_what_holds_for_all(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(TOML)
    grid = read_grid(path)
    assert len(grid.cells) == 2 * 4 + 2 * 2
    assert options(grid, "seed", "k", "n_latents")[:4] == [
        (0, 2, 16), (0, 2, 32), (0, 4, 16), (0, 4, 32),
    ]  # fmt: skip
    assert options(grid, "sparsifier", "penalty_weight")[8:10] == [("l1", 0.1), ("l1", 0.3)]
    assert {one.config.max_epochs for one in grid.cells} == {3}
    assert {one.config.choose for one in grid.cells} == {"none"}  # of the preset
    assert grid.varying == ("n_latents", "k", "sparsifier", "penalty_weight", "seed")


def test_the_same_in_python_as_a_dict_or_as_configs():
    grid = read_grid({"fixed": {"max_epochs": 3}, "axes": {"k": [2, 4]}})
    same = read_grid([Config(max_epochs=3, k=2), Config(max_epochs=3, k=4)])
    assert options(grid, *field_names()) == options(same, *field_names())
    assert read_grid([Config(k=2), Config(k=2)]).cells == read_grid([Config(k=2)]).cells


@pytest.mark.parametrize("name", field_names())
def test_any_option_can_be_an_axis(name):
    """The kind: an option that a grid cannot name. Each is tried with its own default."""
    default = getattr(Config(), name)
    if default is None:
        return
    value = list(default) if isinstance(default, tuple) else default
    [cell] = read_grid({"axes": {name: [value]}}).cells
    assert getattr(cell.config, name) == default


def test_levels_are_values_of_an_axis_each_a_list():
    grid = read_grid({"axes": {"levels": [["16:1", "32:2"], ["8:1", "32:2"]]}})
    assert options(grid, "levels") == [(("16:1", "32:2"),), (("8:1", "32:2"),)]


def test_a_recipe_can_be_an_axis():
    grid = read_grid({"axes": {"preset": ["naik2025", "naik2025-code"]}})
    assert options(grid, "batch_size") == [(256,), (512,)]


IMPOSSIBLE = {"axes": {"k": [2, 40], "n_latents": [16, 64], "sparsifier": ["topk", "l1"]}}


def test_combinations_that_cannot_work_are_all_listed():
    grid = IMPOSSIBLE | {"fixed": {"penalty": "exponential"}}  # of l1 alone
    with pytest.raises(BadInput) as caught:
        read_grid(grid)
    said = str(caught.value)
    assert "5 of 8 combinations cannot work" in said and "--skip-invalid" in said
    assert said.count("k is 40 but there are only 16 latents") == 2
    assert said.count("penalty=exponential belongs to sparsifier=l1") == 4
    assert "- penalty=exponential, k=2, n_latents=16, sparsifier=topk: " in said
    kept = read_grid(grid, skip_invalid=True)
    assert (
        options(kept, "k", "n_latents") == [(2, 16), (2, 64), (40, 64)][:0] or len(kept.cells) == 3
    )
    assert len(kept.left_out) == 5


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"axes": {"n_latent": [4]}}, "there is no axis 'n_latent'; did you mean 'n_latents'"),
        ({"fixed": {"see": 4}}, "there is no option 'see'; did you mean 'seed'"),
        ({"axis": {"k": [4]}}, "there is no part 'axis'; did you mean 'axes'"),
        ({"grid": [{"axes": {"kk": [4]}}]}, r"block 1 of \[\[grid\]\]: there is no axis 'kk'"),
        ({"grid": {"axes": {"k": [4]}}}, "grid is a list of blocks"),
        ({"axes": {"k": 4}}, "axis 'k' is 4; it is a list of values"),
        ({"axes": {"sparsifier": "topk"}}, "it is a list of values"),
        ({"axes": {"k": []}}, "axis 'k' has no values"),
        ({"axes": [4]}, "axes is .4.; it is a table of options"),
        ({}, "is empty"),
        ({"axes": {}, "fixed": {}}, "is empty"),
        ([], "is empty"),
        ([{"k": 4}], "a list of Config; it holds a dict"),
        ({"axes": {"k": ["many"]}}, "k is 'many'; it must be int"),
        ({"axes": {"preset": ["naik"]}}, "there is no preset 'naik'; did you mean 'naik2025'"),
    ],
)
def test_what_is_no_grid_is_refused_in_words(grid, said):
    with pytest.raises(BadInput, match=said):
        read_grid(grid)


def test_nothing_is_left_to_try():
    with pytest.raises(BadInput, match="is empty: no combination of options can work"):
        read_grid({"axes": {"k": [9], "n_latents": [4]}}, skip_invalid=True)


@pytest.mark.parametrize("content", ["k = [", b"\xff\xfe"])
def test_a_file_that_is_no_toml(tmp_path, content):
    path = tmp_path / "grid.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput, match="is not valid TOML"):
        read_grid(path)
    with pytest.raises(BadInput, match="does not exist"):
        read_grid(tmp_path / "none.toml")
    with pytest.raises(BadInput, match="is a folder"):
        read_grid(tmp_path)


def test_a_fit_is_one_training_unless_the_grid_asks_for_more():
    """The kind: options that do nothing. A default of ten seeds is not asked for; naming it is."""
    alone = {
        (): False,
        (("seed", 1),): False,
        (("choose", "none"),): False,
        (("choose", "size"),): True,
        (("seeds", 5),): True,
        (("seeds", 1),): False,
        (("replicates", 2),): True,
        (("replicates", 0),): False,
    }
    for given, expected in alone.items():
        [cell] = read_grid({"fixed": {"max_epochs": 3} | dict(given)}).cells
        assert cell.alone == expected, given
    assert read_grid([Config(seeds=5)]).cells[0].alone
    assert not read_grid([Config()]).cells[0].alone


def test_options_that_make_other_data_are_those_of_their_groups():
    """Nobody keeps a list: a group says it of itself. Those of an embedding make data as well."""
    found = set(data_options(Config))
    assert {"bin_width", "units", "epochs", "blocks", "series", "duplicates"} <= found
    assert not {"seed", "n_latents", "smoothing", "reads", "n_shifts", "name"} & found
    assert {name for name in field_names() if name.startswith("embed")} <= found
    assert read_grid({"axes": {"bin_width": [0.1, 0.2], "k": [2, 4]}}).varying_data == (
        "bin_width",
    )
