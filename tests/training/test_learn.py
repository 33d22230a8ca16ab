"""The default recipe as a whole, on a small population in which something is planted."""

import json

import numpy as np
import pytest
import torch

from make.fits import at_start_of_update, everything, raises
from make.patterns import masked_config, planted_patterns, shifted_apart
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.quality.stability import fit_seeds, stability_of
from nwbsparse.errors import BadInput
from nwbsparse.models.checkpoint import load, save
from nwbsparse.training import choose as choosing
from nwbsparse.training import learn as learning
from nwbsparse.training.fit import fit

PATCH = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def planted():
    return planted_patterns()


@pytest.fixture(scope="module")
def data():
    return planted_patterns(1500)[0]


@pytest.fixture(scope="module")
def longer():
    """With validation bins enough to score candidates on, without folds."""
    return planted_patterns(3000)[0]


@pytest.fixture(scope="module")
def learned(planted):
    return fit(planted[0], masked_config())


def cosines(coder, data, patterns):
    """Of each planted pattern with its nearest row, in standard deviations of the roots of counts."""
    train = np.sqrt(data["counts"].values[data["split"].values == 0].astype(float))
    # a pattern of events (0, 1) beside silence: how far it moves the mean root of its units
    wanted = np.sqrt(train.mean(axis=0) ** 2 + patterns) - train.mean(axis=0)
    wanted /= train.std(axis=0)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    return (wanted @ coder.dictionary.detach().numpy().T).max(axis=1)


def test_what_was_planted_is_found_and_found_again(learned, planted):
    assert 4 <= learned.n_latents <= 5
    assert cosines(learned, *planted).min() > 0.9
    stability = stability_of(learned)
    assert int(stability["stable"].sum()) >= 4
    assert int((stability["recurrence"] == 1).sum()) >= 4


def test_rows_are_nonnegative_and_of_unit_length(learned):
    rows = learned.dictionary.detach()
    assert float(rows.min()) >= 0
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(rows)))
    assert learned.config.sign == "nonnegative"
    assert learned.config.normalisation == "scaled"


def test_no_more_than_k_latents_are_active_where_nothing_is_hidden(learned, planted):
    data = planted[0]
    train = data["counts"].values[data["split"].values == 0]
    active = (learned(torch.from_numpy(train)) > 0).sum(dim=1).double().mean()
    assert 0.5 < float(active) <= 1.01 * learned.config.k


def test_the_record_says_what_was_asked_and_done(learned):
    record = learned.record
    assert record.asked == masked_config()
    assert (record.options.n_latents, record.options.k, record.options.seeds) == (8, 2, 4)
    assert record.config.n_latents == learned.n_latents
    assert len(record.learned["recurrence"]) == len(record.learned["again"]) == learned.n_latents
    assert record.learned["method"] == "consensus"
    json.dumps(record.learned)


def test_what_was_learned_is_kept_in_a_file(learned, tmp_path):
    path = tmp_path / "model"
    save(learned, path)
    found = load(path)
    assert found.record.learned == learned.record.learned
    assert (found.record.options, found.record.asked) == (
        learned.record.options,
        learned.record.asked,
    )
    assert found.id == learned.id
    assert stability_of(found).identical(stability_of(learned))


@pytest.mark.slow
def test_activations_know_no_future_where_smoothing_is_causal(quick, data):
    """Stored with the coder and part of its id; what it encodes of a bin ends with that bin."""
    given = masked_config().replace(smoothing=0.1, n_latents=8, k=2)
    both, causal = (
        fit(data, given.replace(smoothing_kernel=one)) for one in ("gaussian", "causal")
    )
    assert both.id != causal.id
    changed = data.copy(deep=True)
    changed["counts"].values[700:] = 3
    for coder, alike in ((causal, True), (both, False)):
        before, after = (dense(encode(coder, one))[:700] for one in (data, changed))
        assert np.array_equal(before, after) == alike


def test_units_that_share_nothing_have_no_latent_that_comes_back(planted):
    coder = fit(shifted_apart(planted[0]), masked_config())
    assert not stability_of(coder)["stable"].values.any()


def test_the_same_seed_gives_the_same_bits(quick, data):
    config = masked_config()
    one, other = fit(data, config), fit(data, config)
    assert everything(one) == everything(other)
    apart = config.replace(seed=100)  # seeds from 1 on are in part the same
    assert everything(fit(data, apart)) != everything(one)


def test_one_seed_is_chosen_for_and_trained_once_and_resumes(few_choices, longer, tmp_path):
    config = masked_config(**OPEN | {"seeds": 1})
    coder = fit(longer, config)
    assert coder.record.learned["method"] == "one coder" and coder.record.learned["candidates"]
    assert coder.record.asked == config and stability_of(coder) is None
    with pytest.raises(Stop):
        fit(longer, config, checkpoint=tmp_path, progress=stops_at_call(3))
    assert everything(fit(longer, config, checkpoint=tmp_path, resume=True)) == everything(coder)


def test_replicates_share_no_seed_and_no_order(quick, data, monkeypatch):
    seen = []
    original = learning.new_coders

    def looking(data, configs, *given, **more):
        seen.append([(one.seed, one.order_seed) for one in configs])
        return original(data, configs, *given, **more)

    monkeypatch.setattr(learning, "new_coders", looking)
    fit(data, masked_config(seeds=3, replicates=3, seed=5, order_seed=2))
    stacks = [one for one in seen if len(one) == 3]
    assert stacks == [[(5 + 3 * r + s, 2 + r) for s in range(3)] for r in range(3)]


def test_one_replicate_says_nothing_of_again(quick, data):
    found = stability_of(fit(data, masked_config(replicates=1)))
    assert "again" not in found
    np.testing.assert_array_equal(found["stable"], found["recurrence"] >= 0.8)


def test_max_epochs_is_that_of_the_refit(quick, data):
    coder = fit(data, masked_config(max_epochs=2))
    per_epoch = (data["split"].values == 0).sum() // 512
    assert coder.record.history[-1]["update"] == 2 * per_epoch


def test_fit_seeds_is_fit_with_its_stability(quick, data):
    found = fit_seeds(data, masked_config())
    [coder] = found.coders
    assert everything(coder) == everything(fit(data, masked_config()))
    assert dict(found.stability["again"].sizes) == {"latent": coder.n_latents}
    assert found.stability.attrs["n_seeds"] == 4
    assert found.stability.attrs["n_replicates"] == 2
    assert "clustered" in found.stability.attrs["stability_method"]


OPEN = {"choose": "all", "smoothing": None, "mask": None, "n_latents": None, "k": None, "seeds": 2}
"""Everything is chosen: the phases of a run with defaults."""


@pytest.fixture
def few_choices(quick, monkeypatch):
    monkeypatch.setattr(choosing, "SIGMAS", (0.0, 0.1))
    monkeypatch.setattr(choosing, "SIZES", (4, 8, 16))


class Stop(Exception):
    pass


def stops_at_call(number):
    calls = iter(range(1, 10_000))

    def progress(*given, **numbers):
        if next(calls) == number:
            raise Stop

    return progress


@pytest.mark.slow
def test_stopped_in_any_phase_and_resumed_it_is_the_same_to_the_last_bit(
    few_choices, longer, tmp_path
):
    config = masked_config(**OPEN)
    stages = []
    expected = fit(longer, config, progress=lambda stage, *_, **__: stages.append(stage))
    n_choices = stages.count("choose")
    assert n_choices == 5  # two sigmas, three sizes
    seeds, refit = n_choices + 1, n_choices + 5
    for number in [2, 4, seeds, refit, len(stages) // 2 + 4, len(stages)]:
        folder = tmp_path / str(number)
        with pytest.raises(Stop):
            fit(longer, config, checkpoint=folder, progress=stops_at_call(number))
        made = fit(longer, config, checkpoint=folder, resume=True)
        assert everything(made) == everything(expected), f"stopped in call {number}"
        assert not any(path.is_file() for path in folder.rglob("*"))


def test_interrupted_again_and_again_it_is_the_same_to_the_last_bit(few_choices, longer, tmp_path):
    config = masked_config(**OPEN)
    expected = fit(longer, config)
    rng = np.random.default_rng(0)
    n_stopped = 0
    for gap in [*rng.integers(20, 80, 6), 10**6]:
        with PATCH.context() as patch:
            at_start_of_update(patch, int(gap), raises(2))  # SIGINT
            try:
                made = fit(longer, config, checkpoint=tmp_path, resume=True)
            except KeyboardInterrupt:
                n_stopped += 1
                continue
        break
    assert n_stopped >= 3
    assert everything(made) == everything(expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_is_not_resumed_begins_anew(few_choices, longer, tmp_path):
    first, other = masked_config(**OPEN), masked_config(**OPEN, seed=7)
    for number in (3, 7, 9):
        with pytest.raises(Stop):
            fit(longer, first, checkpoint=tmp_path, progress=stops_at_call(number))
    with pytest.raises(Stop):  # before any phase of its own is over
        fit(longer, other, checkpoint=tmp_path, progress=stops_at_call(1))
    made = fit(longer, other, checkpoint=tmp_path, resume=True)
    assert everything(made) == everything(fit(longer, other))


def test_other_options_or_bins_are_not_resumed(quick, data, tmp_path):
    config = masked_config()
    with pytest.raises(Stop):
        fit(data, config, checkpoint=tmp_path, progress=stops_at_call(2))
    with pytest.raises(BadInput, match="other options"):
        fit(data, config.replace(k=1), checkpoint=tmp_path, resume=True)
    with pytest.raises(BadInput, match="other options or on other bins"):
        fit(planted_patterns(1500, seed=1)[0], config, checkpoint=tmp_path, resume=True)


def test_another_target_is_not_resumed(quick, data, tmp_path):
    targets = [planted_patterns(1500, seed=seed)[0] for seed in (1, 2)]
    config = masked_config(mask=0.0, replicates=1)
    with pytest.raises(Stop):
        fit(data, config, target=targets[0], checkpoint=tmp_path, progress=stops_at_call(2))
    with pytest.raises(BadInput, match="other"):
        fit(data, config, target=targets[1], checkpoint=tmp_path, resume=True)


def test_trainings_of_others_in_the_folder_are_left_alone(quick, data, tmp_path):
    alone = masked_config(seeds=1, max_epochs=1)
    fit(data, alone, checkpoint=tmp_path / "mine")
    before = (tmp_path / "mine" / "checkpoint.safetensors").read_bytes()
    fit(data, masked_config(), checkpoint=tmp_path)
    assert (tmp_path / "mine" / "checkpoint.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
