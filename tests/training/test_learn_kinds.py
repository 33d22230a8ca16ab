"""The recipe where the data are of another kind, and where it does not apply."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import nwbsparse as ns
from make.joined_sessions import shared_sources
from make.patterns import consensus_config, masked_config, planted_patterns
from make.sessions import make_binned
from nwbsparse.analysis.quality.stability import fit_seeds, stability_of
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.errors import BadInput
from nwbsparse.training import learn as learning
from nwbsparse.training.consensus import Consensus
from nwbsparse.training.fit import fit, fit_many


@pytest.fixture(scope="module")
def data():
    return planted_patterns(1500)[0]


def trained(data, **options):
    """Learned with these options: checked for what every consensus must have, and encoded."""
    target = options.pop("target", None)
    coder = fit(data, masked_config(**options), target=target)
    assert coder.record.learned["method"] == "consensus"
    assert len(coder.record.learned["again"]) == coder.n_latents
    assert all(torch.isfinite(one).all() for one in coder.state_dict().values())
    if target is None:
        latents = ns.encode(coder, data)
        assert latents.sizes["latent"] == coder.n_latents
    return coder


@pytest.mark.parametrize(
    "options",
    [
        {"sparsifier": "topk"},
        {"sparsifier": "l1"},
        {"sparsifier": "jumprelu"},
        {"sparsifier": "gated"},
        {"encoder": "window", "window": 3},
        {"encoder": "window", "window": 3, "decoded": "last"},
        {"encoder": "transformer", "window": 3},
        {"encoder": "transformer", "attention": "model", "window": 3, "d_model": 8, "n_blocks": 1},
        {"decoder": "convolution", "window": 3},
        {"levels": ("4:1", "12:2"), "n_latents": None, "k": None},
        {"levels": ("4:2", "12:2"), "n_latents": None, "k": None, "nesting": "nested"},
        {"loss": "poisson"},
        {"loss": "msle"},
        {"loss": "negative_binomial"},
        {"sign": "free"},
        {"normalisation": "zscore"},
        {"smoothing": 0.2},
        {"target_units": "0,1,2,3", "mask": 0.0, "choose": "size"},
        {"target_units": "0,1,2,3", "mask": None, "choose": "all"},
        {"lag": 1, "mask": 0.0, "choose": "size"},
        {"lag": 1, "mask": None, "choose": "all"},
        {"revival": "paper"},
    ],
    ids=lambda options: "-".join(f"{key}={value}" for key, value in options.items()),
)
def test_every_kind_learns_a_consensus(quick, data, options):
    coder = trained(data, **options)
    other = "target_units" in options or "lag" in options
    assert coder.config.mask == (0.0 if other else 0.25)
    nonnegative = options.get("sign", "nonnegative") == "nonnegative"
    assert (float(coder.dictionary.detach().min()) >= 0) == nonnegative


def test_another_recording_as_target(quick, data):
    other = planted_patterns(1500, seed=3)[0]
    assert trained(data, target=other, mask=None, choose="size").config.mask == 0.0


def test_levels_come_back_level_by_level(quick, data):
    levels = ("4:1:0.5", "12:2")
    coder = trained(data, levels=levels, n_latents=None, k=None)
    sizes = [size for size, _ in coder.levels]
    assert sizes[-1] == coder.n_latents
    assert len(sizes) <= 2
    assert len(sizes) < 2 or coder.config.level_weights == [0.5, 1.0]


def test_a_level_of_which_nothing_comes_back_is_left_out(quick, data, monkeypatch):
    rows = np.eye(24)[:3]
    for level, expected in (([0, 0, 2], [2, 3]), ([1, 1, 1], [3]), ([0, 0, 0], [3])):
        found = Consensus(rows, np.ones(3), np.array(level))
        monkeypatch.setattr(learning, "consensus", lambda *_, found=found: found)
        coder = trained(data, levels=("4:1", "8:2", "12:3"), n_latents=None, k=None)
        assert [size for size, _ in coder.levels] == expected


@pytest.mark.parametrize("n_rows", [1, 3, 5])
def test_any_number_of_rows_can_be_refitted_with_attention_over_latents(
    quick, data, monkeypatch, n_rows
):
    found = Consensus(np.eye(24)[:n_rows], np.ones(n_rows), np.zeros(n_rows, dtype=int))
    monkeypatch.setattr(learning, "consensus", lambda *_: found)
    coder = trained(data, encoder="transformer", window=3, decoded="last")
    assert coder.n_latents == n_rows


def test_fewer_than_eight_groups_are_learned_unit_by_unit(quick):
    few = planted_patterns(1500, n_units=7)[0]
    coder = fit(few, consensus_config(seeds=2, smoothing=0.0))
    assert coder.config.mask == 0.0
    assert (coder.record.options.n_latents, coder.record.options.k) == (7, 1)
    assert coder.record.options.choose == "none"
    asked = learning.settled_for(few, consensus_config(k=9))
    assert (asked.n_latents, asked.k) == (9, 9)
    many = planted_patterns(1500, n_units=14)[0]
    assert learning.settled_for(many, consensus_config()).mask == 0.25
    paired = many.assign_coords(group=("unit", np.arange(14) // 2))
    assert learning.settled_for(paired, consensus_config()).mask == 0.0


def test_where_there_is_one_group_to_hide_a_mask_is_refused(quick, data):
    alone = data.assign_coords(group=("unit", np.zeros(24, int)))
    for options in ({}, {"choose": "size", "n_latents": None, "k": None}, {"seeds": 1}):
        with pytest.raises(BadInput, match="mask"):
            fit(alone, masked_config(**options))


def test_embeddings_are_learned_whole(quick, data):
    values = data["counts"].values[:, :6].astype(np.float32) - 0.3
    embedded = ns.with_embedding(data, values, method="projection")
    coder = fit(embedded, consensus_config(reads="embedding", seeds=2, batch_size=256))
    assert coder.config.mask == 0.0
    assert coder.config.sign == "free"
    assert (coder.record.options.n_latents, coder.record.learned["candidates"]) == (None, [])
    assert coder.record.learned["method"] == "consensus"
    assert "latent" in ns.encode(coder, embedded).sizes


@pytest.mark.parametrize("dims", [6, 20])
def test_a_consensus_of_an_embedding_has_the_k_of_its_seeds(quick, data, dims):
    """A quarter of the dims, at least four; not all latents of a small consensus at once."""
    values = np.random.default_rng(0).standard_normal((data.sizes["time"], dims))
    embedded = ns.with_embedding(data, values.astype(np.float32), method="noise")
    options = {"reads": "embedding", "seeds": 2, "batch_size": 256, "n_latents": None, "k": None}
    coder = fit(embedded, consensus_config(**options))
    assert coder.config.k == min(max(dims // 4, 4), coder.n_latents // 2)
    assert coder.config.k > 1


def test_signed_traces_have_rows_of_either_sign(quick, data):
    rng = np.random.default_rng(0)
    traces = data["counts"].values + rng.standard_normal(data["counts"].shape) - 0.5
    signed = data.assign(counts=(("time", "unit"), traces.astype(np.float32)))
    coder = trained(signed)
    assert coder.config.sign == "free"
    assert float(coder.dictionary.detach().min()) < 0


def test_joined_sessions_are_learned_together(quick):
    sessions = {name: shared_sources(14, seed=seed, n_bins=1500) for seed, name in enumerate("ab")}
    joined = join_sessions(sessions)
    coder = trained(joined)
    assert coder.n_units == 28
    rows = coder.dictionary.detach().numpy()
    assert np.abs(rows[:, :14]).sum() > 0
    assert np.abs(rows[:, 14:]).sum() > 0


def test_units_that_hardly_fire_are_read_and_written_as_nothing(quick, data):
    counts = data["counts"].values.copy()
    counts[:, 3] = 0
    counts[5:300:17, 3] = 1  # 18 bins
    some = data.assign(counts=(("time", "unit"), counts))
    coder = trained(some)
    assert float(coder.encoder_weight.detach()[:, 3].abs().max()) < 1e-6
    latents = ns.encode(coder, some)
    made = (
        coder.decode(torch.from_numpy(latents["activation"].values))
        if "activation" in latents
        else None
    )
    if made is None:
        made = coder.decode(coder(torch.from_numpy(counts)))
    in_counts = made.detach() * coder.target_scale + coder.target_offset
    assert float(in_counts[:, 3].abs().max()) < 100, "a silent unit is not said to fire"


def test_settled_for_leaves_what_is_given():
    data = planted_patterns(1500)[0]
    for options in ({"mask": 0.1}, {"mask": 0.0}, {"mask": 0.5, "smoothing": 0.1}):
        config = consensus_config(**options)
        assert learning.settled_for(data, config) == config
    assert learning.settled_for(data, consensus_config(encoder="window")).smoothing == 0.0
    assert (
        learning.settled_for(data, consensus_config(encoder="window", smoothing=0.3)).smoothing
        == 0.3
    )
    assert learning.settled_for(data, consensus_config(lag=2)).mask == 0.0
    assert learning.settled_for(data, consensus_config(target_units="0")).mask == 0.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reads": "embedding", "mask": 0.25}, "dims"),
        ({"target_units": "0,1", "mask": 0.25}, "target_units"),
        ({"target_regions": "CA1", "mask": 0.25}, "target_regions"),
        ({"lag": 1, "mask": 0.25}, "lag"),
        ({"mask": 1.0}, "below 1"),
        ({"mask": -0.1}, "0 or more"),
        ({"revival": "resample", "mask": 0.25}, "resample"),
    ],
)
def test_what_has_no_rule_is_refused(options, words):
    with pytest.raises(BadInput, match=words):
        consensus_config(**options)


def test_a_mask_with_another_recording_as_target_is_refused(data):
    other = planted_patterns(1500, seed=3)[0]
    for seeds in (1, 2):
        with pytest.raises(BadInput, match="mask"):
            fit(data, masked_config(seeds=seeds), target=other)


def test_a_member_of_many_is_what_fit_makes_of_it(data):
    """As fit_many promises, whatever is left open."""
    options = {"seeds": 1, "n_latents": 8, "k": 2, "smoothing": 0.0, "batch_size": 256}
    config = consensus_config(**options, max_epochs=2)
    [one] = fit_many(data, [config])
    assert one.config == fit(data, config).config
    assert one.config.mask == 0.25


def test_seeds_without_consensus_are_masked_like_one_alone(data):
    config = consensus_config(
        seeds=2, replicates=0, n_latents=8, k=2, smoothing=0.0, batch_size=256, max_epochs=2
    )
    found = fit_seeds(data, config)
    assert len(found.coders) == 2
    assert found.coders[0].config.mask == 0.25
    assert stability_of(found.coders[0]) is None


def test_too_many_rows_are_no_trouble(quick, data):
    record = fit(data, masked_config(n_latents=40, k=5)).record
    assert record.options.n_latents == 40
    assert replace(record, learned={}).options == record.config


def test_bins_that_are_all_trained_on_are_enough(quick):
    data = make_binned(np.random.default_rng(0).poisson(0.5, (1500, 10)).astype(np.uint8))
    data = data.assign_coords(
        split=("time", np.where(data["split"].values == 1, 0, data["split"].values))
    )
    assert trained(data).n_latents >= 1
