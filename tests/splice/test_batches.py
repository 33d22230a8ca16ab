"""Trials dealt to parts and drawn in batches that mix sessions; what cannot be learned from."""

from dataclasses import replace

import pytest
import torch

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.splice.batches import SessionTrials, Trials, check_sessions, trial_parts
from nwbsparse.splice.heads import Head
from nwbsparse.splice.transformer import PopulationTransformer

HEADS = {
    "shape": Head("category", 3),
    "angle": Head("circular", period=180.0),
    "pupil": Head("continuous", per="bin"),
}


def session(name, n=20, n_units=4, seed=0, **targets):
    draw = torch.Generator().manual_seed(seed)
    given = {
        "shape": torch.randint(0, 3, (n,), generator=draw),
        "angle": 180 * torch.rand(n, generator=draw),
        "pupil": torch.randn(n, 5, generator=draw),
    }
    kept = {key: one for key, one in (given | targets).items() if one is not None}
    return SessionTrials(
        name, torch.randn(n, 5, n_units, generator=draw), kept, trial_parts(n, seed=seed)
    )


def decoder(**sessions):
    return PopulationTransformer(sessions, HEADS, n_bins=5, d_model=8, n_heads=2)


@pytest.mark.parametrize(
    ("n", "test", "validation"), [(100, 0.2, 0.1), (97, 0.25, 0.25), (10, 0.5, 0.0)]
)
def test_parts_have_their_shares(n, test, validation):
    parts = trial_parts(n, test=test, validation=validation, seed=3)
    held = int((parts == names.TEST).sum()), int((parts == names.VALIDATION).sum())
    assert held == pytest.approx((n * test, n * validation), abs=1)
    assert set(parts.tolist()) <= {names.TRAIN, names.VALIDATION, names.TEST}
    assert torch.equal(parts, trial_parts(n, test=test, validation=validation, seed=3))


def test_every_condition_is_in_every_part_and_blank_trials_in_none():
    strata = torch.arange(240) % 8
    strata[::24] = -1
    parts = trial_parts(240, strata=strata, seed=0)
    for part in (names.TRAIN, names.VALIDATION, names.TEST):
        assert set(strata[parts == part].tolist()) == set(range(8))
    assert torch.equal(parts == names.GAP, strata == -1)


def test_conditions_that_are_rarer_than_a_share_even_out():
    strata = torch.arange(90) // 3  # three trials of each: .6 for the test, .3 for validation
    parts = trial_parts(90, strata=strata, seed=0)
    assert int((parts == names.TEST).sum()) == pytest.approx(18, abs=1)
    assert int((parts == names.VALIDATION).sum()) == pytest.approx(9, abs=1)


def test_a_pass_gives_every_trial_once_and_sessions_stay_together():
    sessions = [session("a"), session("b", n=13, n_units=6, seed=1)]
    trials = Trials(HEADS, sessions, names.TRAIN)
    seen = []
    for index in trials.shuffled(8, epoch=0, seed=0):
        batch = trials.batch(index)
        assert len(batch) == len(index) == len(batch.targets["shape"])
        assert [one.shape[2] for one in batch.activity] == [
            {"a": 4, "b": 6}[name] for name in batch.sessions
        ]
        at = 0
        for name, rows in zip(batch.sessions, batch.activity, strict=True):
            one = sessions["ab".index(name)]
            for row in rows:
                place = int(torch.nonzero((one.activity == row).all(dim=(1, 2)))[0])
                assert int(batch.targets["shape"][at]) == int(one.targets["shape"][place])
                assert one.part[place] == names.TRAIN
                seen.append((name, place))
                at += 1
    assert len(seen) == len(set(seen)) == sum(len(one.of_part(names.TRAIN)) for one in sessions)


def test_the_order_is_that_of_the_seed_and_the_pass():
    trials = Trials(HEADS, [session("a")], names.TRAIN)
    first, again = (torch.cat(trials.shuffled(99, epoch=0, seed=0)) for _ in range(2))
    assert torch.equal(first, again)
    small = [trials.shuffled(4, epoch=epoch, seed=0)[0].tolist() for epoch in (0, 1, 2)]
    assert len({tuple(one) for one in small}) == 3


def test_a_session_without_a_variable_has_none_of_it():
    sessions = [session("a", shape=None, pupil=None), session("b", seed=1)]
    trials = Trials(HEADS, sessions, names.TEST)
    targets = trials.batch(torch.arange(len(trials))).targets
    n = len(sessions[0].of_part(names.TEST))
    assert (targets["shape"][:n] == -1).all() and (targets["shape"][n:] >= 0).all()
    assert targets["pupil"].shape[1:] == (5, 1)
    assert torch.isnan(targets["pupil"][:n]).all() and not torch.isnan(targets["pupil"][n:]).any()


def test_all_that_is_wrong_with_the_trials_is_said_at_once():
    fine = session("a")
    wrong = [
        replace(fine, activity=torch.full_like(fine.activity, torch.nan)),
        session("sesion-b"),
        replace(fine, activity=fine.activity[:, :3]),
        session("a", shape=torch.full((20,), 3)),
        session("a", pupil=torch.randn(20)),
        replace(fine, targets={"shap": fine.targets["shape"]}),
        replace(fine, part=fine.part[:5]),
    ]
    with pytest.raises(BadInput) as caught:
        check_sessions(decoder(**{"a": 4, "session-b": 4}), wrong)
    said = str(caught.value)
    for words in (
        "no unit was observed in any training trial",
        "'sesion-b' is none of the decoder's; did you mean 'session-b'",
        r"its activity is (20, 3, 4)",
        "'shape' has the code 3, of 3 categories",
        "'pupil' has the shape (20,)",
        "no head 'shap'; did you mean 'shape'",
        "20 trials, but parts of shape (5,)",
    ):
        assert words in said, words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"targets": {}}, "no training trial of any session has a value of 'shape'"),
        ({"part": torch.zeros(20)}, "no session has validation trials"),
        ({"part": torch.full((20,), names.VALIDATION)}, "no session has training trials"),
    ],
)
def test_nothing_to_learn_from_is_refused(changes, words):
    with pytest.raises(BadInput, match=words):
        check_sessions(decoder(a=4), [replace(session("a"), **changes)])


def test_labels_with_one_class_are_refused():
    with pytest.raises(BadInput, match="'shape' has one category only"):
        check_sessions(decoder(a=4), [session("a", shape=torch.ones(20, dtype=torch.long))])
