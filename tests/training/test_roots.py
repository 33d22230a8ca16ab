"""Of counts the square root is read and reconstructed: noise that does not grow with the rate."""

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.patterns import masked_config, planted_patterns
from make.sessions import make_binned
from nwbsparse.analysis.apply.encode import reconstruct
from nwbsparse.analysis.quality.hidden_units import hidden_units
from nwbsparse.analysis.quality.roots import rate_of_root
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import as_tensor
from nwbsparse.models.exports import export_saelens
from nwbsparse.options.config import Config, from_dict
from nwbsparse.training.fit import fit

ROOTS = {"normalisation": "scaled", "transform": "sqrt", "n_latents": 16, "k": 2, "max_epochs": 3}


@pytest.fixture(scope="module")
def data():
    return planted_patterns(2000)[0]


@pytest.fixture(scope="module")
def coder(data):
    return fit(data, plain_config(**ROOTS))


def test_what_is_read_is_the_standardised_root(coder, data):
    roots = np.sqrt(data["counts"].values.astype(float))
    train = roots[data["split"].values == 0]
    kept = train.std(axis=0) > 0
    wanted = ((roots - train.mean(axis=0)) / np.where(kept, train.std(axis=0), 1))[:, kept]
    found = coder.normalise(as_tensor(data["counts"].values)).numpy()[:, kept]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_counts_come_back(coder, data):
    counts = as_tensor(data["counts"].values)
    takes_part = (coder.target_scale < 1e10).numpy()
    back = coder.counts_of(coder.normalise_target(counts)).numpy()
    np.testing.assert_allclose(
        back[:, takes_part], data["counts"].values[:, takes_part], rtol=1e-4, atol=1e-5
    )
    assert reconstruct(coder, data).attrs["of"] == "sqrt(counts)"


def test_they_are_another_coder(coder, data):
    other = fit(data, plain_config(**ROOTS | {"transform": "none"}))
    assert coder.config.transform == "sqrt"
    assert other.id != coder.id
    assert "of" not in reconstruct(other, data).attrs


@pytest.mark.parametrize(
    ("table", "options", "found"),
    [
        (np.random.default_rng(0).poisson(1.0, (600, 12)).astype(np.uint8), {}, "sqrt"),
        (np.random.default_rng(0).integers(0, 2, (600, 12)).astype(np.uint8), {}, "none"),
        (np.random.default_rng(0).random((600, 12)).astype(np.float32), {}, "none"),
        (np.random.default_rng(0).poisson(1.0, (600, 12)).astype(np.uint8), {"loss": "poisson"}, "none"),
        (
            np.random.default_rng(0).poisson(1.0, (600, 12)).astype(np.uint8),
            {"transform": "none"},
            "none",
        ),
    ],
    ids=["counts", "binary", "traces", "a loss of counts", "asked"],
)  # fmt: skip
def test_roots_are_read_of_counts_alone(table, options, found):
    config = Config(n_latents=8, k=1, mask=0.25, smoothing=0.0, seeds=1, max_epochs=1, **options)
    assert fit(make_binned(table), config).config.transform == found


def test_published_recipes_and_old_files_read_counts_as_they_are(data):
    assert fit(data, plain_config(max_epochs=1)).config.transform == "none"
    old = fit(data, plain_config(max_epochs=1)).config.to_dict()
    del old["transform"]
    from nwbsparse.options.earlier import as_meant

    assert from_dict(as_meant(old)).transform == "none"


def test_what_has_no_root_is_refused():
    traces = np.random.default_rng(0).normal(size=(600, 12)).astype(np.float32)
    with pytest.raises(BadInput, match="values down to -"):
        fit(make_binned(traces), plain_config(**ROOTS))
    with pytest.raises(BadInput, match="loss=poisson"):
        Config(transform="sqrt", loss="poisson")


def test_spikes_of_hidden_units_are_told_as_well_by_roots(data):
    """Bits per spike are of counts whatever is read: both ways tell about the same."""
    told = {}
    for transform in ("sqrt", "none"):
        config = masked_config().replace(
            seeds=1, n_latents=5, k=2, smoothing=0.0, transform=transform, max_epochs=40
        )
        told[transform] = float(hidden_units(fit(data, config), data)["hidden_unit_bits"])
    assert told["none"] > 0.05
    assert told["sqrt"] == pytest.approx(told["none"], rel=0.3)


def test_an_exported_coder_says_that_it_reads_roots(data, tmp_path):
    config = plain_config(n_latents=8, k=2, max_epochs=1, transform="sqrt", normalisation="zscore")
    coder = fit(data, config)
    made = export_saelens(coder, tmp_path / "one")
    texts = [path.read_text() for path in (tmp_path / "one").rglob("*.json")]
    assert any("(sqrt(counts) - offset) / scale" in text for text in texts), made
    assert torch.isfinite(coder.dictionary).all()


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.3, 2.0, 17.0, 99.0, 150.0])
def test_the_rate_of_poisson_counts_follows_from_their_mean_root(rate):
    counts = np.random.default_rng(0).poisson(rate, 2_000_000)
    found = rate_of_root(np.array([np.sqrt(counts).mean(), -1.0]))
    assert found[0] == pytest.approx(rate, rel=0.01, abs=1e-9)
    assert found[1] == 0
