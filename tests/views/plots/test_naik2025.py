"""The figures of Naik 2025 from made-up tables: drawn, labels apart, controls to be told from the rest."""

from __future__ import annotations

import itertools

import pytest
from matplotlib import _pylab_helpers
from matplotlib.figure import Figure

from make.naik_tables import table
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.plots.before_and_after import before_and_after, scores_by_size
from nwbsparse.views.plots.embedding_sweep import decoded_by_setting
from nwbsparse.views.plots.sparsity_tradeoff import reconstruction_by_sparsity

SCORES = (("neuron_paper", "behaviour_paper"), ("position_r2", "direction_accuracy"))


def varied(score, dims, k=8, seed=0, hidden_units=64, cebra_rate=1e-3, **_):
    own = 0.1 * ("behaviour" in score) + 0.002 * dims + 0.004 * k + 0.01 * seed
    return 0.3 + own + 0.001 * (hidden_units or 0) - 5 * (cebra_rate or 0)


def reconstructed(method, dims, expansion, k, **_):
    return 0.2 + 0.02 * k + 0.01 * expansion - 0.003 * dims - 0.9 * (method == "standard")


@pytest.fixture(scope="module")
def fits():
    return table(
        embedding=varied,
        latents=varied,
        untrained=varied,
        r2=reconstructed,
        animals=("achilles", "buddy"),
    )


def drawn(fits):
    return {
        "1": decoded_by_setting(fits),
        "2": reconstruction_by_sparsity(fits, "buddy", 8.0),
        "4": before_and_after(fits, SCORES[0]),
        "5": before_and_after(fits, SCORES[1]),
        "6": scores_by_size(fits, SCORES[0]),
    }


def labels(figure: Figure):
    """Boxes of the legend's and axes' words that are shown."""
    figure.draw_without_rendering()
    renderer = figure._get_renderer()  # pyright: ignore[reportAttributeAccessIssue]
    words = []
    for ax in figure.axes:
        words += [ax.xaxis.label, ax.yaxis.label, ax.title]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            words += [one.label1 for one in axis.get_major_ticks() if low <= one.get_loc() <= high]
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes)]
    for legend in legends:
        words += [] if legend is None else [*legend.get_texts(), legend.get_title()]
    return [
        (one.get_text(), one.get_window_extent(renderer))
        for one in words
        if one.get_visible() and one.get_text()
    ]


@pytest.mark.parametrize("which", ["1", "2", "4", "5", "6"])
def test_it_is_drawn_without_pyplot_and_no_words_lie_on_others(which, fits):
    ax = drawn(fits)[which]
    assert not _pylab_helpers.Gcf.get_all_fig_managers()
    assert ax is not None
    assert data_uri(ax).startswith("data:image/svg+xml")
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    for (one, box), (other, there) in itertools.combinations(labels(figure), 2):
        beside = min(box.x1, there.x1) - max(box.x0, there.x0)
        above = min(box.y1, there.y1) - max(box.y0, there.y0)
        assert beside <= 1 or above <= 1, f"{one!r} lies on {other!r}"


def test_trained_and_controls_have_marks_of_their_own(fits):
    ax = before_and_after(fits, SCORES[0])
    assert ax is not None
    legend = ax.get_figure(root=True).legends[0]  # pyright: ignore[reportOptionalMemberAccess]
    assert [one.get_text() for one in legend.get_texts()] == [
        "trained", "each size", "untrained", "shuffled", "counts over 20 bins"
    ]  # fmt: skip
    marks = {
        (line.get_color(), line.get_marker(), line.get_markerfacecolor(), line.get_linestyle())
        for line in legend.legend_handles
    }
    assert len(marks) == 5


def test_without_behaviour_only_reconstruction_is_drawn():
    bare = table(behaviour=False)
    made = drawn(bare)
    assert [which for which, ax in made.items() if ax is not None] == ["2"]


def test_coders_far_below_zero_are_marked_at_the_edge(fits):
    ax = reconstruction_by_sparsity(fits, "buddy", 8.0)
    assert ax.get_ylim()[0] == -0.25
    words = [one.get_text() for one in ax.get_figure(root=True).legends[0].get_texts()]  # pyright: ignore[reportOptionalMemberAccess]
    assert "below the axis" in words
