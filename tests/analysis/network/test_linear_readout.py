"""A linear readout of one session: it finds what is there, and learns from training trials alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nwbsparse import names
from nwbsparse.analysis.network.linear_readout import linear_readout
from nwbsparse.analysis.network.trial_folds import trial_folds
from nwbsparse.errors import BadInput
from nwbsparse.splice.batches import SessionTrials, trial_parts
from nwbsparse.splice.heads import Head

HEADS = {
    "side": Head("category", 3),
    "phase": Head("circular", period=180.0),
    "speed": Head("continuous", per="bin"),
}


def session(n=120, seed=0):
    rng = np.random.default_rng(seed)
    side, phase = rng.integers(0, 3, n), rng.uniform(0, 180, n)
    speed = rng.standard_normal((n, 5))
    activity = 0.1 * rng.standard_normal((n, 5, 12))
    activity[:, :, :3] += np.eye(3)[side][:, None]
    activity[:, :, 3] += np.cos(phase * np.pi / 90)[:, None]
    activity[:, :, 4] += np.sin(phase * np.pi / 90)[:, None]
    activity[:, :, 5] += speed
    activity[:, :, 6] = np.nan
    targets = {"side": side, "phase": phase, "speed": speed}
    return SessionTrials(
        "one",
        torch.from_numpy(activity.astype(np.float32)),
        {name: torch.from_numpy(each) for name, each in targets.items()},
        trial_parts(n, strata=torch.from_numpy(side)),
    )


def test_it_tells_a_category_an_angle_and_a_series():
    one = session()
    test = one.of_part(names.TEST).numpy()
    assert (linear_readout(one, HEADS["side"], "side") == one.targets["side"].numpy()[test]).all()
    apart = linear_readout(one, HEADS["phase"], "phase") - one.targets["phase"].numpy()[test]
    assert np.cos(apart * np.pi / 90).mean() > 0.95
    speed = linear_readout(one, HEADS["speed"], "speed")
    assert speed.shape == (len(test), 5)
    assert np.corrcoef(speed.ravel(), one.targets["speed"].numpy()[test].ravel())[0, 1] > 0.95


def test_what_is_known_of_test_trials_changes_no_answer():
    one = session()
    before = linear_readout(one, HEADS["side"], "side")
    targets = {"side": one.targets["side"].clone()}
    targets["side"][one.of_part(names.TEST)] = 0
    assert (linear_readout(replace(one, targets=targets), HEADS["side"], "side") == before).all()


def test_there_is_no_answer_where_nothing_can_be_learned():
    one = session()
    alike = replace(one, targets={"side": torch.zeros(120, dtype=torch.long)})
    assert linear_readout(alike, HEADS["side"], "side") is None
    assert linear_readout(alike, HEADS["phase"], "phase") is None


def test_in_folds_every_trial_is_tested_once():
    one = session()
    blank = one.part.clone()
    blank[:7] = names.GAP
    folds = trial_folds([replace(one, part=blank)], {"side": HEADS["side"]}, n_folds=5)
    tested = torch.stack([fold[0].part == names.TEST for fold in folds]).sum(dim=0)
    assert (tested[:7] == 0).all() and (tested[7:] == 1).all()
    for [fold] in folds:
        sides = one.targets["side"][fold.of_part(names.TEST)]
        assert torch.bincount(sides, minlength=3).min() >= 5, (
            "each fold has its share of each category"
        )
        assert len(fold.of_part(names.VALIDATION)) == pytest.approx(9, abs=1)


def test_too_few_trials_for_folds_are_refused():
    with pytest.raises(BadInput, match="'one' has 120 trials"):
        trial_folds([session()], HEADS, n_folds=61)
    with pytest.raises(BadInput, match="at least 2"):
        trial_folds([session()], HEADS, n_folds=1)
