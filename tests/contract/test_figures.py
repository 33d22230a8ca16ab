"""What every figure of a whole result must do, whoever brings it."""

import pytest
from matplotlib import _pylab_helpers
from matplotlib.axes import Axes

from nwbsparse.errors import BadInput
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.figures import FIGURES, draw, draw_all


@pytest.fixture(scope="module")
def result(finished):
    from nwbsparse.runs.revisit import revisit

    there = revisit(finished)
    return there.results, there.binned


@pytest.mark.parametrize("name", [*FIGURES])
def test_it_has_a_title_and_is_drawn_without_pyplot_or_is_none(name, result):
    drawn = draw(name, *result)
    assert not _pylab_helpers.Gcf.get_all_fig_managers()
    if drawn is None:
        assert name in ("hidden_units", "candidates", "stability_matrix")  # not of one plain seed
        return
    title, ax = drawn
    assert title and title[0].isupper()
    assert isinstance(ax, Axes) and data_uri(ax).startswith("data:image/svg+xml")


def test_the_report_shows_the_usual_ones_and_others_where_they_are_asked_for(result):
    usual = [title for title, _ in draw_all(*result)]
    assert {
        "Held-out R² of each unit", "Active latents per held-out bin",
        "How often each latent is active", "Loss during training",
    } <= set(usual)  # fmt: skip
    [(asked_for, _)] = draw_all(*result, ["reconstruction_examples"])
    assert asked_for not in usual
    with pytest.raises(BadInput, match="no figure 'unit_r3'; did you mean 'unit_r2'"):
        draw_all(*result, ["unit_r3"])
