"""Recovery of what was planted: the raw place cells pass the criterion, shuffled ones do not."""

import numpy as np
import pytest

from nwbsparse.analysis.recovery import matched_cosine, recovered_placecells
from nwbsparse.simulate.placecells import simulate_placecells


@pytest.fixture(scope="module")
def recording():
    """The simulation with ten of its noise units: what the criterion looks at."""
    made = simulate_placecells()
    return made.spikes[:14].T.astype(float), made.positions, made.fields


def test_raw_units_as_latents_meet_the_criterion(recording):
    counts, positions, fields = recording
    found = recovered_placecells(counts, counts, np.eye(14), positions, fields)
    assert [(one.unit, one.latent) for one in found] == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert all(one.single_unit and one.match >= 0.6 for one in found)


def test_latents_in_another_order_are_named_by_their_row(recording):
    counts, positions, fields = recording
    order = np.random.default_rng(0).permutation(14)
    found = recovered_placecells(counts[:, order], counts, np.eye(14)[order], positions, fields)
    assert [one.latent for one in found] == [int(np.flatnonzero(order == u)[0]) for u in range(4)]


def test_spikes_shifted_against_the_positions_recover_nothing(recording):
    counts, positions, fields = recording
    shuffled = np.random.default_rng(0).permutation(positions)
    found = recovered_placecells(counts, counts, np.eye(14), shuffled, fields)
    assert [one.latent for one in found] == [None] * 4
    assert all(np.isnan(one.match) and not one.single_unit for one in found)


def test_a_dictionary_that_does_not_name_the_unit_recovers_nothing(recording):
    counts, positions, fields = recording
    elsewhere = np.roll(np.eye(14), 5, axis=1)
    found = recovered_placecells(counts, counts, elsewhere, positions, fields)
    assert [one.latent for one in found] == [None] * 4


def test_too_few_active_samples_do_not_count(recording):
    counts, positions, fields = recording
    few = counts.copy()
    few[np.flatnonzero(few[:, 1])[99:], 1] = 0
    found = recovered_placecells(few, counts, np.eye(14), positions, fields)
    assert [one.latent for one in found] == [0, None, 2, 3]


def test_a_latent_that_adds_another_unit_is_not_that_single_unit(recording):
    counts, positions, fields = recording
    latents = counts.copy()
    held_back = np.random.default_rng(0).random(len(counts)) < 0.5
    latents[held_back, 1] = 0
    [cell] = [
        one
        for one in recovered_placecells(latents, counts, np.eye(14), positions, fields)
        if one.unit == 1
    ]
    assert cell.latent == 1 and not cell.single_unit


def test_matched_cosine_by_hand():
    planted = np.array([[1.0, 0.0], [0.0, 2.0]])
    dictionary = np.array([[0.0, 5.0], [3.0, 3.0]])
    np.testing.assert_allclose(matched_cosine(dictionary, planted), [np.sqrt(0.5), 1.0])


def test_matched_cosine_matches_one_to_one():
    planted = np.array([[1.0, 0.0], [1.0, 0.1]])
    near = np.array([[1.0, 0.05], [0.0, 1.0]])
    found = matched_cosine(near, planted)
    cosine = (
        planted @ near.T / np.linalg.norm(planted, axis=1)[:, None] / np.linalg.norm(near, axis=1)
    )
    assert found.sum() == pytest.approx(
        max(cosine[0, 0] + cosine[1, 1], cosine[0, 1] + cosine[1, 0])
    )


def test_matched_cosine_of_a_permuted_dictionary_is_one_and_of_missing_rows_zero():
    rng = np.random.default_rng(0)
    planted = rng.random((6, 9))
    order = rng.permutation(6)
    np.testing.assert_allclose(matched_cosine(3 * planted[order], planted), 1.0)
    np.testing.assert_allclose(matched_cosine(planted[[4, 1]], planted)[[1, 4]], 1.0)
    assert (matched_cosine(planted[[4, 1]], planted) > 0).sum() == 2
