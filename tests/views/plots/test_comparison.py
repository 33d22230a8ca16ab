"""Seeds, decoders and confusions: what is drawn is what the datasets say."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots import confusion_matrix, decoding_comparison, stability_matrix


def seeds(agreement: np.ndarray, match: np.ndarray) -> xr.Dataset:
    recurrence = ((match > 0.5) & (agreement >= 0.7)).mean(axis=1)
    both = ("latent", "seed")
    return xr.Dataset(
        {
            "match": (both, match),
            "agreement": (both, agreement),
            "recurrence": ("latent", recurrence),
            "stable": ("latent", recurrence >= 0.8),
        },
        coords={"latent": np.arange(len(match)), "seed": np.arange(1, match.shape[1] + 1)},
        attrs={"chance_match": 0.5},
    )


def test_stable_latents_stand_first_and_dots_mark_what_was_found_again() -> None:
    agreement = np.array([[0.2, 0.1], [0.9, 0.8], [0.9, 0.1], [np.nan, np.nan]])
    match = np.array([[0.9, 0.9], [0.9, 0.9], [0.9, 0.9], [0.1, 0.1]])
    ax = stability_matrix(seeds(agreement, match))
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2", "0", "3"]
    picture = np.ma.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(picture[:, 0], [0.9, 0.8])
    assert picture.mask[:, 3].all()  # never active: not drawn as no agreement
    dots = set(zip(*map(np.ndarray.tolist, ax.lines[0].get_data()), strict=True))  # pyright: ignore
    assert dots == {(0, 0), (0, 1), (1, 0)}
    bar = ax.lines[1].get_xdata()
    np.testing.assert_allclose(np.asarray(bar), [-0.5, 0.5])
    assert "1 of 4 stable" in ax.get_title("left")
    data_uri(ax)


@pytest.mark.parametrize("n", [1, 4096])
def test_one_latent_and_thousands_of_them(n: int) -> None:
    rng = np.random.default_rng(0)
    ax = stability_matrix(seeds(rng.uniform(size=(n, 4)), rng.uniform(size=(n, 4))))
    assert np.shape(ax.images[0].get_array()) == (4, min(n, 400))
    assert ("400 of 4,096 latents" in ax.get_xlabel()) == (n > 400)
    data_uri(ax)


def scores() -> xr.Dataset:
    """Two inputs; a covariate, one that is decoded terribly, a condition, one not assessable."""
    both = ("input", "target")
    nan = np.nan
    return xr.Dataset(
        {
            "r2": (both, np.array([[0.4, -3.0, nan, nan], [0.6, 0.1, nan, nan]])),
            "balanced_accuracy": (both, np.array([[nan, nan, 0.7, nan], [nan, nan, 0.9, nan]])),
            "chance": ("target", np.array([nan, nan, 1 / 3, nan])),
            "status": ("target", np.array(["", "", "", "one class"], dtype=object)),
            "confusion.side $": (
                ("input", "side $_true", "side $_said"),
                np.array([np.zeros((3, 3)), [[6, 2, 0], [0, 10, 0], [0, 0, 0]]], dtype=np.int64),
            ),
            "confusion.odd": (("input", "odd_true", "odd_said"), np.zeros((2, 2, 2), np.int64)),
        },
        coords={
            "input": np.array(["counts", "best_latent"], dtype=object),
            "target": np.array(["speed", "<script>", "side $", "odd"], dtype=object),
            names.KIND: (
                "target",
                np.array(
                    [names.CONTINUOUS, names.CONTINUOUS, names.CATEGORICAL, names.CATEGORICAL],
                    object,
                ),
            ),
            **{
                f"side $_{end}": (f"side $_{end}", np.array(["a", "b", "c"], object))
                for end in ("true", "said")
            },
            **{
                f"odd_{end}": (f"odd_{end}", np.array(["a", "b"], object))
                for end in ("true", "said")
            },
        },
    )


def drawn_at(panel: Axes, which: int) -> np.ndarray:
    return np.asarray(panel.lines[which].get_xdata(), dtype=float)


def test_every_score_stands_at_its_value_and_terrible_ones_at_the_edge() -> None:
    left, right = decoding_comparison(scores()).child_axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["speed", "<script>"]
    np.testing.assert_allclose(drawn_at(left, 0), [0.4, np.nan])
    np.testing.assert_allclose(drawn_at(left, 1), [0.6, 0.1])
    np.testing.assert_allclose(drawn_at(left, 2), [np.nan, -0.25])  # an arrow
    assert left.lines[2].get_marker() == "<" and left.get_xlim()[0] < -0.25
    np.testing.assert_allclose(drawn_at(right, 0), [0.7, np.nan])
    np.testing.assert_allclose(drawn_at(right, 4), [1 / 3, np.nan])
    assert [t.get_text() for t in right.texts] == ["– not assessable"]


def test_without_conditions_there_is_one_panel_and_without_targets_none() -> None:
    assert len(decoding_comparison(scores().isel(target=[0])).child_axes) == 1
    assert "no behaviour" in decoding_comparison(scores().isel(target=[])).texts[0].get_text()


def test_rows_of_the_confusion_matrix_are_shares_of_true_bins() -> None:
    ax = confusion_matrix(scores(), "side $", given="best_latent")
    np.testing.assert_allclose(np.ma.asarray(ax.images[0].get_array()), [[0.75, 0.25], [0, 1]])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a (8)", "b (10)"]  # c never occurs
    assert [t.get_text() for t in ax.texts] == ["0.75", "0.25", "0.00", "1.00"]
    assert ax.get_title("left") == r"side \$"
    data_uri(ax)


def test_confusions_that_are_not_there() -> None:
    assert "one class" in confusion_matrix(scores(), "odd", given="counts").texts[0].get_text()
    with pytest.raises(BadInput, match="'side \\$'"):
        confusion_matrix(scores(), "side", given="counts")
    with pytest.raises(BadInput, match="counts, best_latent"):
        confusion_matrix(scores(), "odd", given="latents")
