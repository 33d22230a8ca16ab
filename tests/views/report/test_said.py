"""Single sentences of the report, from made-up numbers: true of none, of one and of many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from make.configs import plain_config
from make.sessions import make_binned
from nwbsparse import names
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.views.plots.curve import crowded
from nwbsparse.views.plots.moments import around
from nwbsparse.views.report.data_check import advice
from nwbsparse.views.report.follows import how_sure
from nwbsparse.views.report.found import Followed
from nwbsparse.views.report.quality import single_said, sparse_said
from nwbsparse.views.report.recording import parts, subject_said
from nwbsparse.views.report.top_of_page import few_draws_said
from nwbsparse.views.report.unbroken import unbroken
from nwbsparse.views.report.unexplained import how_many_said, n_stretches


@pytest.mark.parametrize(
    ("n", "n_confirmed", "said"),
    [
        (1, None, ""), (1, 0, " (not confirmed)"), (1, 1, " (confirmed)"), (2, 2, " (both confirmed)"),
        (3, 3, " (all confirmed)"), (5, 3, " (3 confirmed)"), (5, 0, " (none confirmed)"),
    ],
)  # fmt: skip
def test_what_is_counted_as_confirmed_is_called_so(
    n: int, n_confirmed: int | None, said: str
) -> None:
    one = Followed("speed", n, n_confirmed, (), "", "", "", (), "")
    assert one.confirmed == said


@pytest.mark.parametrize(
    ("n", "n_single", "parts_of_it"),
    [
        (1, 0, ["One latent comes back", "or the discovery"]),
        (1, 1, ["One latent comes back", "It is a unit under another name"]),
        (3, 0, ["3 latents come back", "They may be noise"]),
        (3, 1, ["1 of them is a unit under another name. The others may be noise"]),
        (3, 2, ["2 of them are units under other names. The other may be noise"]),
        (3, 3, ["All are units under other names"]),
        (
            9,
            1,
            ["Shown: the 4 that tell most of hidden units, those that are no single unit first."],
        ),
        (9, 0, ["Shown: the 4 that tell most of hidden units."]),
    ],
)
def test_a_unit_under_another_name_is_no_discovery(
    n: int, n_single: int, parts_of_it: list[str]
) -> None:
    said = how_many_said(n, n_single, hidden_told=True)
    assert all(one in said for one in parts_of_it)
    assert ("discovery" in said) == (n_single < n)


def test_nothing_goes_on_beyond_a_pause_of_the_recording() -> None:
    """The kind: neighbours in a table taken for neighbours in time, as stretches and as what is drawn."""
    active = np.array([1, 1, 1, 0, 1, 1], dtype=bool)
    segment = np.array([0, 0, 1, 1, 1, 2])
    assert n_stretches(active, segment) == 4
    assert n_stretches(active, np.zeros(6, dtype=int)) == 2
    assert n_stretches(np.zeros(6, dtype=bool), segment) == 0
    assert around(segment, 3, 20) == slice(2, 5)
    assert around(np.zeros(9, dtype=int), 3, 2) == slice(1, 6)
    assert around(segment, 5, 2) == slice(5, 6)


def test_blocks_are_counted_beside_the_pieces_that_pauses_make_of_them() -> None:
    binned = make_binned(np.ones((1200, 2), dtype=np.uint8)).isel({names.TIME: slice(0, 12)})
    split = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 0, 0], dtype=np.int8)
    segment = np.array([0, 0, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3])
    cut = binned.assign_coords({names.SPLIT: ("time", split), names.SEGMENT: ("time", segment)})
    train, validation, test, gap = parts(cut)
    assert (train.blocks, validation.blocks, test.blocks, gap.blocks) == (
        "2 in 3 pieces", "1", "1 in 3 pieces", "0",
    )  # fmt: skip


def draws_of(draws: list[int]) -> xr.Dataset:
    return xr.Dataset({"association_draws": ("latent", np.array(draws))})


def test_more_draws_are_advised_only_where_there_are_more() -> None:
    """The kind: advice that cannot help."""
    none = few_draws_said(draws_of([179]), np.zeros(0, dtype=int), 2000)
    assert none == []
    [all_made] = few_draws_said(draws_of([179]), np.array([0]), 2000)
    assert all_made.startswith("1 latent cannot be told from chance: at most one of the 179 draws")
    assert "more draws would not" in all_made and "--n-shifts" not in all_made
    [more] = few_draws_said(draws_of([99, 100]), np.array([0, 1]), 100)
    assert more.startswith(
        "2 latents cannot be told from chance: at most one of the 99 to 100 draws"
    )
    assert "--n-shifts" in more and "would not" not in more
    assert len(few_draws_said(draws_of([179, 1999]), np.array([0, 1]), 2000)) == 2


@pytest.mark.parametrize(
    ("single", "n_active", "said"),
    [
        (0, 0, "No latent is active on held-out bins."),
        (0, 1, "The one latent active on held-out bins does not correlate at 0.9 or more"),
        (1, 1, "The one latent active on held-out bins correlates at 0.9 or more"),
        (0, 5, "None of the 5 latents active on held-out bins correlates at"),
        (1, 5, "1 of the 5 latents active on held-out bins correlates at"),
        (3, 5, "3 of the 5 latents active on held-out bins correlate at"),
    ],
)
def test_single_units_are_counted_in_words(single: int, n_active: int, said: str) -> None:
    assert single_said(single, n_active).startswith(said)


def test_whether_held_out_bins_are_as_sparse_is_said_by_the_numbers() -> None:
    k8 = plain_config().replace(n_latents=64, k=8)
    assert "held out there are 1.7 times as many" in sparse_said(13.5, k8)
    assert "held out there are about as many" in sparse_said(8.4, k8)
    assert "held out there are fewer" in sparse_said(1.0, k8)


def with_halves(first: list[float], second: list[float], low: float) -> xr.Dataset:
    whole = (np.array(first) + np.array(second)) / 2
    made: dict[str, Any] = {
        "best_variable": ("latent", np.array(["speed"], dtype=object)),
        "association_low": ("latent", [low]),
        "tuning.speed": (("latent", "speed_bin"), whole[None]),
        "occupancy.speed": ("speed_bin", np.full(len(first), 9)),
        "tuning_half_1.speed": (("latent", "speed_bin"), np.array(first)[None]),
        "tuning_half_2.speed": (("latent", "speed_bin"), np.array(second)[None]),
    }
    return xr.Dataset(made)


def test_what_speaks_against_a_found_latent_stands_on_its_card() -> None:
    assert how_sure(with_halves([0, 1.0, 0], [0, 0.8, 0], 0.1), 0) == ""
    assert how_sure(with_halves([0, 1.0, 0], [0, 0.8, 0], -0.02), 0).startswith(
        "Its interval holds 0"
    )
    apart = how_sure(with_halves([0, 1.34, 0], [0, 0.35, 0.1], 0.1), 0)
    assert apart.startswith("Where it is most active the two halves of the recording differ")
    assert "1.34 in the even and 0.35 in the odd blocks" in apart


def test_the_advice_of_the_data_check_is_repeated_but_for_notes() -> None:
    def finding(severity: Any) -> Finding:
        return Finding("one unit holds most spikes", severity, "x", "y", "leave it out", {})

    assert advice(None) == advice([finding("note")]) == []
    [one] = advice([finding("caution"), finding("note")])
    assert (one.what, one.to_do) == ("One unit holds most spikes", "leave it out")
    assert len(advice([finding("caution")] * 9)) == 3


@pytest.mark.parametrize(
    ("age", "said"),
    [
        ("P60D/", "60 days or more"), ("P49Y", "49 years"), ("P1Y2M", "1 year 2 months"),
        ("P1D/P9D", "1 day to 9 days"), ("/P3W", "up to 3 weeks"), ("adult", "adult"), ("P", "P"),
        ("P60D/x", "P60D/x"),
    ],
)  # fmt: skip
def test_codes_of_the_file_are_said_in_words(age: str, said: str) -> None:
    subject = subject_said(
        {"subject_id": "a", "age": age, "sex": "U", "description": "see the source"}
    )
    assert subject["age"] == said and subject["sex"] == "not known"
    assert subject["description"] == "“see the source”"
    assert subject_said({"sex": "hermaphrodite"}) == {"sex": "hermaphrodite"}


def test_numbers_stay_with_their_signs_and_code_stays_code() -> None:
    page = "<p>12 % of 30 s, p &lt; 0.05, 3 ± 2 (r 0.62)</p><pre>a 12 % b</pre><i title='5 s'>6 s x</i>"
    kept = "\u00a0"
    assert unbroken(page) == (
        f"<p>12{kept}% of 30{kept}s, p{kept}&lt;{kept}0.05, 3{kept}±{kept}2 (r{kept}0.62)</p>"
        f"<pre>a 12 % b</pre><i title='5 s'>6{kept}s x</i>"
    )


def test_values_that_crowd_are_drawn_side_by_side() -> None:
    assert crowded(np.array([0, 0.0001, 0.058, 0.063, 0.3, 0.3005, 0.64]))
    assert not crowded(np.linspace(0, 1, 10)) and not crowded(np.array([0, 0, 1.0]))
