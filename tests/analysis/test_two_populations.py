"""What latents read and what they reconstruct, where these are other units: known answers."""

import numpy as np
import pytest

from make.configs import plain_config
from make.two_regions import N_EVENTS, QUICK, WIDTH, ids, write_two_regions
from nwbsparse.analysis.apply.encode import batches
from nwbsparse.analysis.apply.populations import read_ids
from nwbsparse.analysis.behaviour.controls import observed_units, own_units
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.cosmooth import cosmooth
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.transfer import transfer
from nwbsparse.analysis.units.attribute import attribute
from nwbsparse.binning.split import part, split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.models.coder import as_tensor
from nwbsparse.training.fit import fit

OPTIONS = {key: value for key, value in QUICK.items() if key != "bin_width"}


def binned_of(path):
    return split(to_bins(read_nwb(path), WIDTH))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return binned_of(write_two_regions(tmp_path_factory.mktemp("two") / "two.nwb"))


@pytest.fixture(scope="module")
def coder(data):
    return fit(data, plain_config(**OPTIONS, target_regions="CA1"))


@pytest.fixture(scope="module")
def found(coder, data):
    return explain(coder, data)


def of_event(table, name, coordinate, event, region):
    """The latents whose largest values are those of the units that an event drives."""
    mine = ids(region, event)
    order = np.argsort(-np.nan_to_num(table[name].values, nan=-np.inf), axis=1)[:, : len(mine)]
    top = table[coordinate].values[order]
    return {latent for latent, units in enumerate(top) if set(units) == set(mine)}


@pytest.mark.parametrize("event", range(1, N_EVENTS))
def test_a_latent_of_each_source_reads_and_reconstructs_its_units(found, event):
    one = of_event(found, "encoder_attribution", "input_unit_id", event, "CA3")
    assert one & of_event(found, "encoder_weight", "input_unit_id", event, "CA3")
    both = one & of_event(found, "weight", "unit_id", event, "CA1")
    assert both & of_event(found, "z", "unit_id", event, "CA1")
    assert both & of_event(found, "correlation", "unit_id", event, "CA1")
    assert both & of_event(found, "input_z", "input_unit_id", event, "CA3")
    assert both & of_event(found, "input_correlation", "input_unit_id", event, "CA3")
    latent = min(both)
    like = read_ids(found)[int(found["like_unit"].values[latent])]
    assert like in ids("CA3", event)


def test_chance_is_told_apart_where_there_are_bins_enough(coder, data):
    table = attribute(coder, data, split="train")
    for event in range(1, N_EVENTS):
        mine = np.isin(table["unit_id"].values, ids("CA1", event))
        one = of_event(table, "encoder_attribution", "input_unit_id", event, "CA3")
        latent = min(one & of_event(table, "correlation", "unit_id", event, "CA1"))
        p = table["correlation_p"].values[latent]
        assert p[mine].max() < 0.01 < 0.05 < np.median(p[~mine])
        read = np.isin(table["input_unit_id"].values, ids("CA3", event))
        p = table["input_correlation_p"].values[latent]
        assert np.isfinite(p).sum() == 10 and np.nanmax(p[read]) < 0.01 < np.nanmedian(p[~read])


def test_the_latent_of_left_trials_is_the_one_of_their_source(found):
    best = int(np.nanargmax(found["association"].values))
    assert (found["best_variable"].values[best], found["best_condition"].values[best]) == (
        "trials.side",
        "left",
    )
    assert best in of_event(found, "encoder_attribution", "input_unit_id", 0, "CA3")
    assert best in of_event(found, "weight", "unit_id", 0, "CA1")
    unit = read_ids(found)[int(found["best_unit"].values[best])]
    assert unit in ids("CA3", 0)


def test_numbers_are_those_of_their_definitions(coder, data, found):
    bins = np.flatnonzero(part(data, "test"))
    active = np.concatenate([one.activation for one in batches(coder, data, bins)])
    for prefix, region in (("", "CA1"), ("input_", "CA3")):
        columns = np.flatnonzero(np.isin(data["unit_id"].values, ids(region)))
        counts = data["counts"].values[bins][:, columns].astype(float)
        z = (counts - counts.mean(axis=0)) / counts.std(axis=0)
        on = active > 0
        expected = np.full((8, len(columns)), np.nan)
        for latent in np.flatnonzero(on.any(axis=0)):
            expected[latent] = z[on[:, latent]].mean(axis=0)
        np.testing.assert_allclose(found[f"{prefix}z"], expected, rtol=1e-6)
        if not prefix:
            for latent in np.flatnonzero(on.any(axis=0)):
                r = np.corrcoef(active[:, latent], counts.T)[0, 1:]
                np.testing.assert_allclose(found["correlation"][latent], r, atol=1e-6)
    weight = coder.encoder_weight.detach().numpy()
    np.testing.assert_allclose(found["encoder_weight"], weight)
    y = coder.normalise(as_tensor(coder.reads(data).values(bins))).numpy() - coder.pre_bias.numpy()
    for latent in np.flatnonzero((active > 0).any(axis=0)):
        mean = y[active[:, latent] > 0].mean(axis=0)
        np.testing.assert_allclose(
            found["encoder_attribution"][latent], weight[latent] * mean, rtol=1e-3, atol=1e-5
        )


def test_populations_of_the_datasets(coder, data, found):
    read, written = coder.reads(data), coder.writes(data)
    assert (read.name, read.dim, written.dim) == ("counts", "input_unit", "unit")
    assert list(read.ids) == [str(one) for one in ids("CA3")]
    assert list(written.ids) == [str(one) for one in ids("CA1")]
    assert read.table["unit_id"].values.tolist() == ids("CA3")
    assert written.table["unit_id"].values.tolist() == ids("CA1")
    metrics = evaluate(coder, data)
    assert metrics["unit_id"].values.tolist() == ids("CA1") == found["unit_id"].values.tolist()
    assert found["input_unit_id"].values.tolist() == ids("CA3")
    assert found.sizes["unit"] == metrics.sizes["unit"] == coder.n_targets
    assert {found["encoder_attribution"].dims[1], found["weight"].dims[1]} == {"input_unit", "unit"}
    assert float(found["input_region_share"].min()) == float(found["region_share"].min()) == 1.0


def test_an_autoencoder_has_one_population(data):
    coder = fit(data, plain_config(**OPTIONS | {"max_epochs": 2}))
    table = attribute(coder, data)
    assert "input_unit" not in table.dims
    assert not [name for name in table.variables if str(name).startswith("input_")]
    assert coder.reads(data).data is data is coder.writes(data).data
    assert read_ids(table).tolist() == data["unit_id"].values.tolist()


def test_the_units_that_are_reconstructed_are_judged_at_the_lag(tmp_path):
    data = binned_of(write_two_regions(tmp_path / "later.nwb", delay=3 * WIDTH))
    coder = fit(data, plain_config(**OPTIONS, target_regions="CA1", lag=3))
    table = attribute(coder, data)
    for event in range(1, N_EVENTS):
        one = of_event(table, "encoder_attribution", "input_unit_id", event, "CA3")
        latent = min(one & of_event(table, "correlation", "unit_id", event, "CA1"))
        mine = np.isin(table["unit_id"].values, ids("CA1", event))
        assert table["z"].values[latent, mine].min() > 0.5


@pytest.mark.parametrize(
    "options",
    [
        {"encoder": "window", "window": 3, "decoded": "last"},
        {"encoder": "transformer", "window": 2, "decoded": "last"},
        {"decoder": "convolution", "window": 3},
    ],
)
def test_coders_of_several_bins_are_explained_too(data, options):
    coder = fit(
        data, plain_config(**(OPTIONS | {"max_epochs": 3}), target_regions="CA1", **options)
    )
    table = attribute(coder, data)
    assert np.isfinite(table["encoder_attribution"].values).any()
    assert np.isfinite(table["input_correlation"].values).any()
    assert ("encoder_weight" in table) == (options.get("encoder") != "transformer")
    assert float(table["completeness_error"].max()) < 0.05


def test_a_unit_that_is_not_observed_is_not_assessable_on_its_side(coder, data):
    valid = np.ones(data["counts"].shape, dtype=bool)
    unseen = {"CA3": ids("CA3")[2], "CA1": ids("CA1")[1]}
    valid[:, np.isin(data["unit_id"].values, list(unseen.values()))] = False
    table = attribute(coder, data.assign(valid=(("time", "unit"), valid)))
    for prefix, region in (("input_", "CA3"), ("", "CA1")):
        said = table[f"{prefix}assessable"].values
        assert table[f"{prefix}unit_id"].values[~said].tolist() == [unseen[region]]
        assert np.isnan(table[f"{prefix}z"].values[:, ~said]).all()
    assert np.isnan(table["encoder_attribution"].values[:, 2]).all()
    assert np.isnan(table["ablation"].values[:, 1]).all()


def test_a_coder_works_in_a_session_without_the_units_it_reconstructs(coder, data, found):
    alone = data.isel(unit=np.isin(data["unit_id"].values, ids("CA3")))
    moved = transfer(coder, alone, found)
    assert moved.attrs["n_units_matched"] == len(ids("CA3"))
    assert moved.attrs["n_kept"] == moved.attrs["n_found"] > 0
    others = data.isel(unit=np.isin(data["unit_id"].values, ids("CA1")))
    with pytest.raises(
        BadInput, match="no unit of the other session has an id that the coder reads"
    ):
        transfer(coder, others, found)


def test_the_yardstick_are_the_units_that_are_read(coder, data, found):
    groups = observed_units(coder, data)
    assert sum(len(one.units) for one in groups) == len(ids("CA3"))
    assert (found["best_unit"].values < len(ids("CA3"))).all()
    own = own_units(found)
    assert all((one < len(ids("CA3"))).all() for one in own) and any(len(one) for one in own)


def test_cosmoothing_takes_no_targets(data):
    with pytest.raises(BadInput, match="leave out target_units"):
        cosmooth(data, plain_config(**OPTIONS, target_regions="CA1"))
