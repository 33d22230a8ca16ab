"""Weights where the units are, ablation, selectivity: what is drawn is what the datasets say."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from nwbsparse.errors import BadInput
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots import (
    ablation_heatmap,
    selectivity_bars,
    top_units,
    weights_along_depth,
    weights_by_region,
)

WEIGHT = np.array([[0.6, -0.2, 0.2, 0.5, 0.9], [0.0, 0.0, 0.0, 0.0, 0.0]])


def table(weight: np.ndarray = WEIGHT, *, silent: int | None = 4) -> xr.Dataset:
    n_latents, n = weight.shape
    return xr.Dataset(
        {
            "weight": (("latent", "unit"), weight),
            "z": (("latent", "unit"), np.where(np.arange(n) == silent, np.nan, 1.0) * (weight + 1)),
            "assessable": ("unit", np.arange(n) != silent),
        },
        coords={
            "latent": np.arange(n_latents),
            "unit": np.arange(n),
            "unit_id": ("unit", np.arange(n) * 10),
        },
    )


def units(**coords: object) -> xr.Dataset:
    return xr.Dataset(
        {"counts": (("time", "unit"), np.zeros((2, 5), np.uint8))},
        coords={
            "unit_id": ("unit", np.arange(5) * 10),
            **{name: ("unit", values) for name, values in coords.items()},
        },
    )


def texts(ax: object) -> list[str]:
    return [one.get_text() for one in ax.texts]  # pyright: ignore


def test_weights_stand_at_the_depth_of_their_units() -> None:
    depth = np.array([100.0, 200.0, 300.0, np.nan, 500.0])
    region = np.array(["CA1", "CA1", "", "DG", "DG"], dtype=object)
    ax = weights_along_depth(table(), units(depth=depth, region=region), 0)
    points = {}
    for one in ax.lines:
        if one.get_marker() == "o":
            points |= dict.fromkeys(zip(*one.get_data(), strict=True), one.get_label())  # pyright: ignore
    assert points == {(0.6, 100.0): "CA1", (-0.2, 200.0): "CA1", (0.2, 300.0): "unknown"}
    assert texts(ax) == ["0", "10", "20"]  # ids of the strongest
    assert "2 of 5 units left out" in ax.get_xlabel()  # one silent, one of unknown depth
    mean = (0.6 * 100 + 0.2 * 200 + 0.2 * 300) / 1.0
    said = next(one for one in ax.lines if one.get_marker() == "_")
    np.testing.assert_allclose(np.asarray(said.get_ydata(), dtype=float), [mean])
    data_uri(ax)


def test_weights_by_region_say_which_share_is_where() -> None:
    region = np.array(["<script>", "<script>", "$x^", "$x^", "$x^"], dtype=object)
    ax = weights_by_region(table(), units(region=region), 0)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["<script>", r"\$x^"]
    said = [one.replace("\u00a0", " ") for one in texts(ax)]
    # 0.8 of 1.5 of the weight, 2 of the 4 units that fire
    assert said[:4] == ["53 %", "50 %", "47 %", "50 %"]
    assert {"0", "30"} <= set(said)
    assert "1 of 5 units left out" in ax.get_xlabel()
    data_uri(ax)


def test_many_regions_are_cut_and_counted() -> None:
    weight = np.linspace(1, 2, 40)[None]
    binned = xr.Dataset(
        {"counts": (("time", "unit"), np.zeros((1, 40), np.uint8))},
        coords={
            "unit_id": ("unit", np.arange(40)),
            "region": ("unit", [f"r{i}" for i in range(40)]),
        },
    )
    ax = weights_by_region(table(weight, silent=None), binned, 0)
    assert len(ax.get_yticklabels()) == 12 and "28 more regions" in ax.get_xlabel()
    assert ax.get_yticklabels()[0].get_text() == "r39"


def test_latents_without_weights_or_units_that_fire() -> None:
    placed = units(depth=np.arange(5.0), region=np.array(["a"] * 5, dtype=object))
    data_uri(weights_along_depth(table(), placed, 1))
    data_uri(weights_by_region(table(), placed, 1))
    dead = table().assign(assessable=("unit", np.zeros(5, dtype=bool)))
    assert "no unit" in texts(weights_along_depth(dead, placed, 0))[0]
    assert "no unit" in texts(weights_by_region(dead, placed, 0))[0]


def test_tables_of_other_units_are_refused() -> None:
    with pytest.raises(BadInput, match="the table has 5 units, the recording 3"):
        weights_along_depth(table(), units(depth=np.arange(5.0)).isel(unit=slice(3)), 0)


def test_rounded_scores_have_no_sign() -> None:
    said = texts(top_units(table().assign(z=(("latent", "unit"), np.full((2, 5), -0.01))), 0))
    assert set(said[:-1]) == {"0.0"}


def test_units_can_be_chosen() -> None:
    ax = top_units(table(), 0, units=[2, 1])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["unit 20", "unit 10"]
    assert [t.get_text() for t in top_units(table(), 0, n=2).get_yticklabels()] == [
        "unit 0",
        "unit 30",
    ]


def ablated(values: np.ndarray) -> xr.Dataset:
    n_latents, n = values.shape
    return xr.Dataset(
        {"ablation": (("latent", "unit"), values)},
        coords={"latent": np.arange(n_latents), "unit_id": ("unit", [f"u{i}" for i in range(n)])},
    )


def test_ablation_blocks_keep_their_latent_and_unit() -> None:
    values = np.zeros((3, 4))
    values[0, 2], values[1, 0], values[2, 1], values[2, 0] = 0.5, 0.3, 0.2, 0.1
    values[:, 3] = np.nan
    ax = ablation_heatmap(ablated(values))
    rows = [int(t.get_text()) for t in ax.get_yticklabels()]
    columns = [int(t.get_text()[1:]) for t in ax.get_xticklabels()]
    assert sorted(columns) == [0, 1, 2] and "3 of 4, the rest silent" in ax.get_xlabel()
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array()), values[np.ix_(rows, columns)])
    data_uri(ax)


def test_negative_differences_get_a_scale_with_zero_in_its_middle() -> None:
    ax = ablation_heatmap(ablated(np.array([[0.5, -0.2]])))
    norm = ax.images[0].norm
    assert norm(0.0) == 0.5 and (norm.vmin, norm.vmax) == (-0.5, 0.5)


def test_thousands_of_latents_are_cut_to_those_that_matter() -> None:
    values = np.random.default_rng(0).uniform(0, 0.01, size=(4096, 100))
    values[77] += 0.1
    ax = ablation_heatmap(ablated(values))
    assert np.shape(ax.images[0].get_array()) == (40, 60)
    assert "40 of 4,096" in ax.get_ylabel() and "60 of 100" in ax.get_xlabel()
    assert "77" in [t.get_text() for t in ax.get_yticklabels()]
    asked = ablation_heatmap(ablated(values), latents=np.array([5, 9]))
    assert sorted(t.get_text() for t in asked.get_yticklabels()) == ["5", "9"]


def test_all_nan_is_said() -> None:
    assert "no unit" in texts(ablation_heatmap(ablated(np.full((1, 2), np.nan))))[0]


def selective(values: np.ndarray, **more: np.ndarray) -> xr.Dataset:
    n = values.shape[1]
    return xr.Dataset(
        {
            "selectivity": (("latent", "condition"), values),
            **{name: (("latent", "condition"), one) for name, one in more.items()},
        },
        coords={
            "condition_variable": ("condition", np.array(["side"] * n, dtype=object)),
            "condition_name": ("condition", np.array([f"c{i} $" for i in range(n)], dtype=object)),
        },
    )


def test_selectivity_starts_at_one_half_beside_the_other_latents() -> None:
    values = np.array([[0.9, 0.3, np.nan], [0.5, 0.6, 0.7], [0.2, np.nan, 0.1]])
    ax = selectivity_bars(
        selective(values, selectivity_null_mean=values * 0 + 0.4), 0, "side", condition="c0 $"
    )
    bars = [(one.get_x(), one.get_width()) for one in ax.patches]  # pyright: ignore
    np.testing.assert_allclose(bars, [(0.5, 0.4), (0.5, -0.2), (0.5, np.nan)])
    assert texts(ax) == ["0.90", "0.30", "–"]
    assert [t.get_text() for t in ax.get_yticklabels()] == [r"▸ c0 \$", r"c1 \$", r"c2 \$"]
    np.testing.assert_allclose(np.asarray(ax.lines[0].get_xdata()), values[1:].ravel())
    np.testing.assert_allclose(np.asarray(ax.lines[1].get_xdata()), [0.4, 0.4, np.nan])
    data_uri(ax)


def test_selectivity_of_one_latent_and_of_thousands() -> None:
    data_uri(selectivity_bars(selective(np.array([[0.9]])), 0, "side"))
    many = np.random.default_rng(0).uniform(size=(4096, 30))
    ax = selectivity_bars(selective(many), 7, "side")
    legend = ax.get_legend()
    assert legend is not None and "100 of 4,095 others" in [
        t.get_text() for t in legend.get_texts()
    ]
    shown = [int(t.get_text()[1:-3]) for t in ax.get_yticklabels()]
    assert shown == sorted(np.argsort(-np.abs(many[7] - 0.5))[:10])
