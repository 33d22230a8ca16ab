"""Latents of an embedding: scored over its dims, explained with the units that were recorded."""

import json

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.configs import plain_config
from make.embedded_recordings import projected
from make.recordings import circle, laps, poisson_spikes, write_recording
from nwbsparse.analysis.behaviour.controls import observed_units, own_units
from nwbsparse.analysis.behaviour.notes import assessed_bins
from nwbsparse.errors import BadInput

QUICK = {"max_epochs": 3, "batch_size": 100, "n_shifts": 50}
N_UNITS = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(data, coder, latents, attribution) of a recording of which one unit fires in bursts.

    The first dim of its embedding is that unit, so some latent must be it.
    """
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, 1195, 240))
    bursts = np.sort((starts[:, None] + rng.uniform(0, 0.5, (240, 12))).ravel())
    spikes = [*poisson_spikes(n_units=N_UNITS - 1, stop=1200.0), bursts]
    path = write_recording(
        tmp_path_factory.mktemp("embedded") / "rat.nwb",
        spike_times=spikes,
        position=circle(n=60_000),
        trials=laps(n=120),
    )
    data = ns.split(ns.to_bins(ns.read(path), 0.1))
    others = projected(data.isel(unit=slice(0, -1)), n_dims=3)
    values = np.column_stack([data["counts"].values[:, -1], others])
    data = ns.with_embedding(data, values, method="planted")
    coder = ns.fit(data, plain_config(reads="embedding", **QUICK))
    latents = ns.encode(coder, data)
    return data, coder, latents, ns.explain(coder, data, latents)


def test_quality_is_that_of_the_dims(made):
    data, coder, _, _ = made
    metrics = ns.evaluate(coder, data, detail="all")
    assert metrics["unit_r2"].dims == metrics["unit_cosine"].dims == ("dim",)
    assert metrics["spectrum"].dims == ("frequency", "dim")
    assert "unit" not in metrics.dims and "unit_id" not in metrics.coords
    held = data["split"].values == 2
    target = (data["embedding"].values[held] - coder.offset.numpy()) / coder.scale.numpy()
    guess = ns.reconstruct(coder, data)
    assert guess.dims == ("time", "dim")
    error = ((target - guess.values[held]) ** 2).sum(axis=0)
    variance = ((target - target.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(metrics["unit_r2"], 1 - error / variance, rtol=1e-4, atol=1e-5)
    assert float(metrics["r2"]) == pytest.approx(1 - error.sum() / variance.sum(), rel=1e-4)


def test_weights_lead_to_dims_and_correlations_to_units(made):
    data, coder, latents, attribution = made
    for name in ("weight", "encoder_attribution", "ablation"):
        assert attribution[name].dims == ("latent", "dim"), name
    for name in ("z", "correlation", "correlation_p"):
        assert attribution[name].dims == ("latent", "unit"), name
    assert attribution["dim_assessable"].dims == ("dim",)
    assert attribution["assessable"].dims == ("unit",)
    np.testing.assert_array_equal(attribution["unit_id"], data["unit_id"])
    np.testing.assert_allclose(attribution["weight"], coder.weight.detach()[:, 0], rtol=1e-6)
    held = data["split"].values == 2
    activation = latents["activation"].values[held].astype(float)
    counts = data["counts"].values[held].astype(float)
    for latent in np.flatnonzero(activation.std(axis=0) > 0)[:5]:
        expected = [np.corrcoef(activation[:, latent], one)[0, 1] for one in counts.T]
        np.testing.assert_allclose(attribution["correlation"][latent], expected, atol=1e-6)
        score = (counts - counts.mean(axis=0)) / counts.std(axis=0)
        expected = score[activation[:, latent] > 0].mean(axis=0)
        np.testing.assert_allclose(attribution["z"][latent], expected, atol=1e-6)


def test_the_unit_behind_a_planted_dim_is_found(made):
    _, _, _, attribution = made
    latent = int(np.nanargmax(attribution["correlation"].values[:, N_UNITS - 1]))
    assert int(attribution["like_unit"][latent]) == N_UNITS - 1
    assert float(attribution["correlation"][latent, N_UNITS - 1]) > 0.7
    assert int(attribution["weight"].values[latent].argmax()) == 0
    assert float(attribution["correlation_p"][latent, N_UNITS - 1]) == pytest.approx(
        float(np.nanmin(attribution["correlation_p"])), abs=1e-9
    )


def test_controls_and_the_caveat_stand_beside(made):
    data, coder, _, attribution = made
    assert sum(len(one.units) for one in observed_units(coder, data)) == N_UNITS
    assert all(len(one) == 0 for one in own_units(attribution)), "no weight leads to a unit"
    [note] = [one for one in json.loads(attribution.attrs["notes"]) if "embedding" in one]
    assert "(planted)" in note and "all bins are assessed" in note


def test_only_bins_that_a_supervised_embedding_has_not_seen_are_assessed(made):
    data, coder, _, _ = made
    values = data["embedding"].values
    for seen, n in (("train", int((data["split"] == 2).sum())), ("all", 0)):
        taught = ns.with_embedding(data, values, saw_behaviour=seen)
        assert len(assessed_bins(coder, taught)) == n
        found = ns.explain(coder, taught)
        assert json.loads(found.attrs["notes"])[-1].count("made with the behaviour") == 1
        assert found.attrs["split"] == "test"
    assert np.isnan(found["association_p"].values).all()
    assert found.attrs["n_explained_latents"] == 0
    with pytest.raises(BadInput, match="it is 'train', 'all' or None"):
        ns.with_embedding(data, values, saw_behaviour="some")


def test_behaviour_is_judged_as_for_any_coder_of_the_same_activations(made):
    """What is said of behaviour follows from the activations alone, wherever they come from."""
    data, coder, _, attribution = made
    swapped = data.drop_dims("dim")
    names = np.array(coder.record.unit_ids, dtype=object)
    dims = xr.DataArray(data["embedding"].values, dims=("time", "unit"))
    swapped = swapped.drop_dims("unit").assign(counts=dims)
    swapped = swapped.assign_coords(unit=np.arange(len(names)), unit_id=("unit", names))
    other = ns.explain(
        ns.fit(swapped, plain_config(**QUICK, n_latents=coder.n_latents, k=4)), swapped
    )
    # the population rate, which is removed, is another one: the matrix does not use it
    np.testing.assert_allclose(other["selectivity"], attribution["selectivity"], atol=1e-6)
    np.testing.assert_allclose(other["auroc"], attribution["auroc"], atol=1e-6)


@pytest.mark.slow
def test_seeds_transfer_and_scores_know_embeddings(made):
    data, coder, _, attribution = made
    found = ns.fit_seeds(data, plain_config(reads="embedding", **QUICK, seeds=2))
    assert found.stability["stable"].dims == ("latent",)
    moved = ns.transfer(coder, data, attribution)
    assert moved.attrs["n_units_matched"] == 0 and moved.sizes["latent"] == coder.n_latents
    with pytest.raises(BadInput, match="none to match"):
        ns.transfer(coder, data, attribution, {"0": "1"})
    with pytest.raises(BadInput, match="the data hold none"):
        ns.transfer(coder, data.drop_dims("dim"), attribution)
    scores = ns.naik_scores(coder, data, n_shifts=20)
    apart = ns.naik_scores(coder, data, population=data, n_shifts=20)
    xr.testing.assert_allclose(scores.drop_attrs(), apart.drop_attrs())
    decoded = ns.decode(data, latents=ns.encode(coder, data), embedding=data)
    assert "embedding" in decoded["input"]
