"""The activity of a site on the session's clock: what a coder learns from, and what is written to files."""

import numpy as np
import pytest

from make.planted_network import N_DIMS, SITE, planted, planted_trials
from nwbsparse import names
from nwbsparse.analysis.network.decoder_trials import decoder_trials, heads_of
from nwbsparse.analysis.network.site_dataset import site_config, site_dataset
from nwbsparse.analysis.network.site_trials import captured
from nwbsparse.errors import BadInput


def test_bins_are_those_of_the_trials_in_the_time_of_the_session(known):
    trials, sessions, model = known
    made = site_dataset(model, trials[:1], sessions[:1], at=SITE)
    one = trials[0]
    wanted = one[names.START].values[:, None] + one[names.TIME].values
    assert np.allclose(made[names.TIME], wanted.ravel())
    assert made.sizes[names.DIM] == N_DIMS
    assert (sessions[0].part.numpy() == made[names.SPLIT].values.reshape(wanted.shape).T).all()
    assert len(np.unique(made[names.SEGMENT])) == one.sizes[names.TRIAL]
    seen = captured(model, sessions[:1], at=SITE, part=None).activity
    assert np.allclose(made[names.EMBEDDING], seen.flatten(0, 1))


def test_what_was_not_observed_is_not_valid(known):
    trials, sessions, model = known
    made = site_dataset(model, trials[:1], sessions[:1], at=SITE)
    assert np.argwhere(~made[names.VALID].values).tolist() == [[0, 3]]
    assert made[names.COUNTS].values[0, 3] == 0


def test_labels_stand_beside_it_as_conditions(known):
    trials, sessions, model = known
    made = site_dataset(model, trials[:1], sessions[:1], at=SITE)
    condition = made["gratings.orientation"]
    assert condition.attrs[names.ROLE] == names.ROLE_CONDITION
    assert condition.attrs[names.CATEGORIES] == '["0", "90", "180", "270"]'
    assert (condition.values[::3] == trials[0]["orientation"].values).all()
    assert made["gratings.speed"].attrs[names.ROLE] == names.ROLE_COVARIATE


def test_sessions_stand_beside_each_other(known):
    trials, sessions, model = known
    made = site_dataset(model, trials[:2], sessions[:2], at=SITE)
    assert made.sizes[names.UNIT] == 2 * N_DIMS
    assert np.all(np.diff(made[names.TIME]) > 0)
    second = made[names.SESSION].values == 1
    alone = site_dataset(model, trials[1:2], sessions[1:2], at=SITE)
    assert np.allclose(made[names.SESSION_TIME][second], alone[names.TIME])
    assert np.array_equal(made[names.EMBEDDING][second], alone[names.EMBEDDING])


def test_a_site_with_one_vector_per_trial_has_one_bin_per_trial(known):
    trials, sessions, model = known
    made = site_dataset(model, trials[:1], sessions[:1], at="pool")
    assert made.sizes[names.TIME] == trials[0].sizes[names.TRIAL]
    assert made.attrs[names.BIN_WIDTH] == pytest.approx(1.5)
    assert np.allclose(made[names.TIME], trials[0][names.START] + 0.75)


def test_bins_that_an_earlier_trial_covers_are_left_out():
    trials, sessions, model = planted(1, pause=-0.5)
    made = site_dataset(model, trials, sessions, at=SITE)
    n_trials = trials[0].sizes[names.TRIAL]
    assert made.sizes[names.TIME] == 3 * n_trials - (n_trials - 1)
    assert np.allclose(np.diff(made[names.TIME]), 0.5)


def test_parts_have_their_share_of_every_combination(known):
    _, sessions, _ = known
    for one in sessions:
        assert (one.part.numpy()[-4:] == names.GAP).all()
        for code in range(4):
            there = one.targets["orientation"].numpy() == code
            parts = one.part.numpy()[there]
            assert {names.TRAIN, names.TEST} <= set(parts)


def test_sessions_that_do_not_go_together_are_refused(known):
    trials, _, _ = known
    with pytest.raises(BadInput, match="did you mean 'orientation'"):
        heads_of(trials, ["orientatio"])
    longer = planted_trials(1, n_bins=4)
    with pytest.raises(BadInput, match="cut all with one window"):
        heads_of([trials[0], longer])
    with pytest.raises(BadInput, match="2 sessions are called 'mouse-0'"):
        decoder_trials([trials[0], trials[0]], heads_of(trials))
    with pytest.raises(BadInput, match="no trials"):
        heads_of([])


def test_heads_are_what_the_labels_are(known):
    heads = heads_of(known[0])
    assert heads["speed"].per == "bin"
    assert heads["orientation"].values == ("0", "90", "180", "270")


def test_an_unknown_site_is_refused_with_the_nearest(known):
    trials, sessions, model = known
    with pytest.raises(BadInput, match=r"did you mean 'blocks\.0'"):
        site_dataset(model, trials, sessions, at="blocks.00")


def test_a_coder_of_a_site_has_levels_up_to_all_latents():
    config = site_config(n_latents=64, k=5)
    assert config.levels == ("16:2:1", "32:4:1", "64:5:1")
    assert site_config(levels=()).levels == ()
