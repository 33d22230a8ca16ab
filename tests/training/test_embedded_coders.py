"""Coders of an embedding learn what they would learn if the dims were units."""

import numpy as np
import pytest
import torch

import nwbsparse as ns
from make.configs import plain_config
from make.embedded_recordings import embedded
from make.fits import KINDS
from make.recordings import circle, write_recording
from nwbsparse.errors import BadInput
from nwbsparse.options.config import from_dict

QUICK = {"max_epochs": 2, "batch_size": 100}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = write_recording(tmp_path_factory.mktemp("embedded") / "rat.nwb", position=circle())
    return embedded(path)


def as_counts(data):
    """The same numbers as if a person had put them in the place of the counts."""
    made = data.drop_dims(["unit", "dim"])
    n_dims = data.sizes["dim"]
    made = made.assign({"counts": (("time", "unit"), data["embedding"].values)})
    ids = np.array([f"dim {dim}" for dim in range(n_dims)], dtype=object)
    return made.assign_coords(unit=np.arange(n_dims), unit_id=("unit", ids))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "transcoder"])
def test_each_kind_learns_what_it_would_learn_from_dims_as_units(data, kind):
    options = {**KINDS[kind], **QUICK}
    coder = ns.fit(data, plain_config(reads="embedding", **options))
    other = ns.fit(as_counts(data), plain_config(**options))
    assert coder.record.unit_ids == ("dim 0", "dim 1", "dim 2", "dim 3", "dim 4")
    for name, tensor in coder.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    latents, others = ns.encode(coder, data), ns.encode(other, as_counts(data))
    np.testing.assert_array_equal(latents["activation"], others["activation"])


def test_counts_are_read_unless_an_embedding_is_asked_for(data):
    coder = ns.fit(data, plain_config(**QUICK, n_latents=16))
    plain = ns.fit(data.drop_dims("dim"), plain_config(**QUICK, n_latents=16))
    assert coder.id == plain.id and coder.config.reads == "counts"


@pytest.mark.parametrize(
    ("n_dims", "n_latents", "k"), [(1, 8, 1), (3, 24, 3), (8, 64, 4), (64, 512, 16)]
)
def test_eight_latents_per_dim_and_a_quarter_of_the_dims_active(n_dims, n_latents, k):
    from nwbsparse.options.automatic import resolve

    values = np.random.default_rng(0).standard_normal((50, n_dims))
    found = resolve(plain_config(reads="embedding"), values, n_train=4000, bin_width=0.02)
    assert (found.n_latents, found.k) == (n_latents, k)
    assert (found.normalisation, found.output) == ("zscore", "identity")


def test_many_seeds_and_both_inputs_are_trained_in_one_call(data):
    shared = {**QUICK, "n_latents": 16, "k": 2}
    configs = [
        plain_config(reads=reads, seed=seed, **shared)
        for reads in ("counts", "embedding")
        for seed in (0, 1)
    ]
    for config, coder in zip(configs, ns.fit_many(data, configs), strict=True):
        alone = ns.fit(data, config)
        assert coder.record.unit_ids == alone.record.unit_ids
        np.testing.assert_allclose(coder.dictionary.detach(), alone.dictionary.detach(), atol=1e-4)


def test_dims_are_scaled_by_training_bins(data):
    coder = ns.fit(data, plain_config(reads="embedding", **QUICK))
    train = data["embedding"].values[data["split"].values == 0].astype(float)
    np.testing.assert_allclose(coder.offset, train.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(coder.scale, train.std(axis=0), rtol=1e-4)


def test_losses_of_counts_need_values_that_are_not_negative(data):
    with pytest.raises(BadInput, match=r"loss=msle is for values of 0 and more.*use loss=mse"):
        ns.fit(data, plain_config(reads="embedding", loss="msle", **QUICK))
    positive = ns.with_embedding(data, np.abs(data["embedding"].values))
    assert ns.fit(positive, plain_config(reads="embedding", loss="poisson", **QUICK)).n_units == 5


def test_what_makes_no_sense_is_refused(data):
    with pytest.raises(BadInput, match="reconstructs the embedding's dims"):
        plain_config(reads="embedding", target_units="0,1")
    with pytest.raises(BadInput, match="leave target= out"):
        ns.fit(data, plain_config(reads="embedding", **QUICK), target=data)
    with pytest.raises(BadInput, match=r"the data hold none; nwbsparse\.with_embedding"):
        ns.fit(data.drop_dims("dim"), plain_config(reads="embedding", **QUICK))
    with pytest.raises(BadInput, match="choose one of counts, embedding"):
        from_dict({"reads": "spikes"})
    coder = ns.fit(data, plain_config(reads="embedding", **QUICK))
    other = ns.with_embedding(data, data["embedding"].values[:, :3])
    with pytest.raises(BadInput, match="trained on an embedding of 5 dims, this one has 3"):
        ns.encode(coder, other)
    with pytest.raises(BadInput, match="an embedding was made from all of them"):
        ns.cosmooth(data, plain_config(reads="embedding", **QUICK))


def test_a_training_on_another_embedding_is_not_resumed(data, tmp_path):
    config = plain_config(reads="embedding", **QUICK)
    with pytest.raises(ZeroDivisionError):
        ns.fit(data, config, checkpoint=tmp_path, callbacks=[lambda _: 1 / 0])
    resumed = ns.fit(data, config, checkpoint=tmp_path, resume=True)
    assert resumed.id == ns.fit(data, config).id
    with pytest.raises(ZeroDivisionError):
        ns.fit(data, config, checkpoint=tmp_path, callbacks=[lambda _: 1 / 0])
    other = ns.with_embedding(data, data["embedding"].values + 1)
    with pytest.raises(BadInput):
        ns.fit(other, config, checkpoint=tmp_path, resume=True)
