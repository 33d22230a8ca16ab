"""What other packages find in an exported coder, and what their arithmetic makes of it.

Their forward passes are written here from their documented conventions; `benchmarks/oracles`
holds the scripts that run their own loaders on real exports.
"""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import nwbsparse
from make.coders import make_coder
from nwbsparse.errors import BadInput, EnvironmentProblem

COUNTS = {"normalisation": "none"}
KINDS = {
    "batch_topk": {},
    "topk": {"sparsifier": "topk"},
    "l1": {"sparsifier": "l1"},
    "exponential": {"sparsifier": "l1", "penalty": "exponential"},
    "free_rows": {"sparsifier": "l1", "rows": "free"},
    "jumprelu": {"sparsifier": "jumprelu"},
    "gated": {"sparsifier": "gated"},
    "independent": {"levels": ("4:1", "16:2")},
    "nested": {"levels": ("4:2", "7:2", "16:2"), "nesting": "nested"},
    "window": {"encoder": "window", "window": 3},
    "counts": COUNTS,
    "counts_gated": COUNTS | {"sparsifier": "gated"},
    "counts_jumprelu": COUNTS | {"sparsifier": "jumprelu"},
}
CLASSES = {
    "AutoEncoder": {"bias", "encoder.weight", "encoder.bias", "decoder.weight"},
    "AutoEncoderTopK": {"b_dec", "encoder.weight", "encoder.bias", "decoder.weight", "k",
                        "threshold"},
    "BatchTopKSAE": {"b_dec", "encoder.weight", "encoder.bias", "decoder.weight", "k", "threshold"},
    "MatryoshkaBatchTopKSAE": {"W_enc", "b_enc", "W_dec", "b_dec", "k", "threshold", "group_sizes"},
    "JumpReluAutoEncoder": {"W_enc", "b_enc", "W_dec", "b_dec", "threshold"},
    "GatedAutoEncoder": {"decoder_bias", "encoder.weight", "decoder.weight", "r_mag", "gate_bias",
                         "mag_bias"},
}  # fmt: skip


def relu(x):
    return np.maximum(x, 0)


def largest(pi, k):
    """Everything but the k largest of each row set to zero."""
    edge = np.sort(pi, axis=1)[:, -k][:, None]
    return np.where(pi >= edge, relu(pi), 0)


def sae_lens(folder, y):
    """SAELens 6: the architectures' encode and decode."""
    cfg, w = (
        json.loads((folder / "cfg.json").read_text()),
        load_file(folder / "sae_weights.safetensors"),
    )
    assert (cfg["d_in"], cfg["d_sae"]) == w["W_enc"].shape == w["W_dec"].shape[::-1]
    assert {array.dtype for array in w.values()} == {np.dtype(cfg["dtype"])}
    pi = (y - w["b_dec"] * cfg["apply_b_dec_to_input"]) @ w["W_enc"]
    kind, shared = cfg["architecture"], {"W_enc", "W_dec", "b_dec"}
    if kind == "gated":
        assert set(w) == shared | {"b_gate", "b_mag", "r_mag"}
        a = (pi + w["b_gate"] > 0) * relu(pi * np.exp(w["r_mag"]) + w["b_mag"])
        return a, a @ w["W_dec"] + w["b_dec"]
    assert set(w) == shared | {"b_enc"} | ({"threshold"} if kind == "jumprelu" else set())
    pi = pi + w["b_enc"]
    if kind == "jumprelu":
        a = relu(pi) * (pi > w["threshold"])
    else:
        a = largest(pi, cfg["k"]) if kind == "topk" else relu(pi)
    return a, a @ w["W_dec"] + w["b_dec"]


def dictionary_learning(folder, y):
    """dictionary-learning 0.1: load_dictionary's classes, encode and decode."""
    trainer = json.loads((folder / "config.json").read_text())["trainer"]
    kind = trainer["dict_class"]
    state = torch.load(folder / "ae.pt", weights_only=True)
    w = {name: tensor.numpy() for name, tensor in state.items()}
    assert set(w) == CLASSES[kind]
    assert w.pop("k", np.int32(trainer["k"])) == trainer["k"]
    assert {array.dtype for name, array in w.items() if name != "group_sizes"} == {
        np.dtype("float32")
    }
    bias = next(w[name] for name in ("b_dec", "bias", "decoder_bias") if name in w)
    encoder = w["encoder.weight"].T if "encoder.weight" in w else w["W_enc"]
    decoder = w["decoder.weight"].T if "decoder.weight" in w else w["W_dec"]
    pi = (y - bias * (kind != "JumpReluAutoEncoder")) @ encoder
    if kind == "GatedAutoEncoder":
        a = (pi + w["gate_bias"] > 0) * relu(pi * np.exp(w["r_mag"]) + w["mag_bias"])
        return a, a @ decoder + bias
    pi = pi + w.get("b_enc", w.get("encoder.bias"))
    if kind == "AutoEncoder":  # its loader does this to rows of another length
        norm = np.linalg.norm(decoder, axis=1)
        if not np.allclose(norm, 1):
            pi, decoder = pi * norm, decoder / norm[:, None]
        a = relu(pi)
    elif kind == "AutoEncoderTopK":
        a = largest(relu(pi), trainer["k"])
    else:
        a = relu(pi) * (relu(pi) > w["threshold"])
    return a, a @ decoder + bias


PEERS = {
    "sae_lens": (nwbsparse.export_saelens, sae_lens),
    "dictionary_learning": (nwbsparse.export_dictionary_learning, dictionary_learning),
}


def made(kind, **options):
    coder = make_coder(seed=3, **{"precision": "float32"} | KINDS[kind] | options)
    if kind == "free_rows":
        with torch.no_grad():
            coder.dictionary.mul_(torch.linspace(0.5, 2.0, 16)[:, None])
    return coder


def seen(coder, n=200):
    """Bins, or windows of them, as the coder sees them."""
    shape = (n, coder.window, coder.n_units)
    return coder.normalise(torch.from_numpy(np.random.default_rng(1).poisson(1.5, shape)))


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_peer_computes_what_the_coder_computes(kind, peer, tmp_path):
    coder, (export, forward) = made(kind), PEERS[peer]
    y = seen(coder)
    with torch.no_grad():
        activation = coder.activate(coder.pre_activation(y))
        reconstruction = coder.decode(activation)
    export(coder, tmp_path)
    found, rebuilt = forward(tmp_path, y.flatten(1).numpy())
    assert 0.01 < (activation > 0).float().mean() < 0.9
    np.testing.assert_array_equal(found > 0, activation > 0)
    np.testing.assert_allclose(found, activation, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rebuilt, reconstruction, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "architecture", "dict_class"),
    [
        ("batch_topk", "jumprelu", "BatchTopKSAE"),
        ("topk", "topk", "AutoEncoderTopK"),
        ("l1", "standard", "AutoEncoder"),
        ("free_rows", "standard", "JumpReluAutoEncoder"),
        ("jumprelu", "jumprelu", "JumpReluAutoEncoder"),
        ("gated", "gated", "GatedAutoEncoder"),
        ("independent", "jumprelu", "BatchTopKSAE"),
        ("nested", "jumprelu", "MatryoshkaBatchTopKSAE"),
    ],
)
def test_a_coder_becomes_the_peers_nearest_kind(kind, architecture, dict_class, tmp_path):
    coder = made(kind)
    nwbsparse.export_saelens(coder, tmp_path)
    nwbsparse.export_dictionary_learning(coder, str(tmp_path))
    assert json.loads((tmp_path / "cfg.json").read_text())["architecture"] == architecture
    trainer = json.loads((tmp_path / "config.json").read_text())["trainer"]
    assert (trainer["dict_class"], trainer["k"]) == (dict_class, 2)


def test_nested_levels_are_written_as_the_sizes_of_groups(tmp_path):
    nwbsparse.export_dictionary_learning(made("nested"), tmp_path)
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    assert state["group_sizes"].tolist() == [4, 3, 9]
    assert state["group_sizes"].dtype == torch.int64
    assert state["k"].dtype == torch.int32


@pytest.mark.parametrize("peer", PEERS)
def test_a_value_that_just_reaches_the_threshold_stays_active(peer, tmp_path):
    coder, (export, forward) = made("batch_topk"), PEERS[peer]
    with torch.no_grad():  # nothing to round: latent 0 is unit 0
        coder.encoder_weight.zero_()
        coder.encoder_weight[0, 0] = 1.0
        coder.encoder_bias.zero_()
        coder.pre_bias.zero_()
        coder.decoder_bias.zero_()
        coder.threshold.fill_(0.7)
        y = torch.zeros(2, 6)
        y[:, 0] = torch.tensor([0.7, np.nextafter(np.float32(0.7), np.float32(0))])
        assert (coder.activate(coder.pre_activation(y))[:, 0] > 0).tolist() == [True, False]
    export(coder, tmp_path)
    assert (forward(tmp_path, y.numpy())[0][:, 0] > 0).tolist() == [True, False]


def test_a_threshold_of_zero_keeps_what_is_positive(tmp_path):
    coder = made("batch_topk")
    coder.threshold.zero_()
    nwbsparse.export_saelens(coder, tmp_path)
    assert not load_file(tmp_path / "sae_weights.safetensors")["threshold"].any()


@pytest.mark.parametrize("peer", PEERS)
def test_a_stranger_finds_how_to_scale_counts(peer, tmp_path):
    coder, (export, forward) = made("batch_topk"), PEERS[peer]
    export(coder, tmp_path)
    if peer == "sae_lens":
        about = json.loads((tmp_path / "cfg.json").read_text())["metadata"]["nwbsparse"]
    else:
        about = json.loads((tmp_path / "config.json").read_text())["nwbsparse"]
    counts = np.random.default_rng(2).poisson(1.5, (50, 6))
    y = (counts - np.array(about["offset"])) / np.array(about["scale"])
    found, _ = forward(tmp_path, y.astype(np.float32))
    activation = coder(torch.from_numpy(counts))
    np.testing.assert_allclose(found, activation, rtol=1e-4, atol=1e-5)
    assert about["unit_ids"] == list(coder.record.unit_ids)
    assert about["coder_id"] == coder.id
    assert about["bin_width"] == 0.02


def test_a_coder_in_float64_is_written_in_float32(tmp_path):
    coder = made("counts", precision="float64")
    y = seen(coder)
    nwbsparse.export_saelens(coder, tmp_path)
    found, _ = sae_lens(tmp_path, y.flatten(1).numpy().astype(np.float32))
    with torch.no_grad():
        activation = coder.activate(coder.pre_activation(y))
    np.testing.assert_allclose(found, activation, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("export", [export for export, _ in PEERS.values()])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoder": "transformer", "window": 3}, "attends"),
        ({"encoder": "transformer", "attention": "model", "window": 3}, "attends"),
        ({"decoder": "convolution", "window": 3}, "time courses"),
        ({"encoder": "window", "window": 3, "decoded": "last"}, "only the last.*decoded=all"),
        ({"n_targets": 4}, "transcoder"),
        ({"lag": 2}, "2 later"),
        ({"loss": "poisson"}, "output is softplus"),
        ({"loss": "negative_binomial", "output": "exp"}, "output is exp"),
        ({"loss": "msle"}, "output is relu"),
    ],
)
def test_what_is_no_linear_autoencoder_is_refused_by_name(export, options, said, tmp_path):
    with pytest.raises(BadInput, match=f"cannot be exported: .*{said}"):
        export(make_coder(**options), tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_all_reasons_are_named_together(tmp_path):
    with pytest.raises(BadInput, match=r"2 problems:\n.*later(.|\n)*softplus"):
        nwbsparse.export_saelens(make_coder(lag=1, loss="poisson"), tmp_path)


@pytest.mark.parametrize("export", [export for export, _ in PEERS.values()])
def test_a_folder_that_cannot_be_made_is_named(export, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match=r"file.*cannot be written"):
        export(made("topk"), tmp_path / "file" / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("export", [export for export, _ in PEERS.values()])
def test_the_same_coder_gives_the_same_bytes(export, tmp_path):
    for folder in ("one", "two"):
        export(made("gated"), tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(names) == 2
    for name in names:
        one, two = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
        assert one == two
