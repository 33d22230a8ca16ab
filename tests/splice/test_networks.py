"""Networks of others: the same again at a site changes nothing, and what does not come through is said."""

import warnings

import pytest
import torch
from torch import nn

from make.grating_trials import decoder_of, grating_sessions
from nwbsparse.errors import BadInput
from nwbsparse.splice.ablations import identity, mean_of, zero
from nwbsparse.splice.adapters import passages, sites_of
from nwbsparse.splice.capture import capture
from nwbsparse.splice.replace import replace
from nwbsparse.splice.site import site, unfused

EXACT = 1e-6


def ours():
    sessions = grating_sessions(1, n_trials=20)
    model = decoder_of(sessions).eval()
    return model, lambda: model(sessions[0].activity, session="session-0")["direction"]


def encoder(*, norm_first=False, masked=False):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, norm_first=norm_first)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    x = torch.randn(7, 10, 16)
    mask = torch.arange(10) > 6 if masked else None
    padded = None if mask is None else mask.expand(7, 10)
    return model, lambda: model(x, src_key_padding_mask=padded)


def nested():
    """As torch makes it when nothing is asked for: with a mask it packs trials of unequal length."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).eval()
    x, padded = torch.randn(7, 10, 16), torch.zeros(7, 10, dtype=torch.bool)
    padded[2, 6:] = True
    # bins that are not there come out as zeros, or as anything: they are not compared
    return model, lambda: model(x, src_key_padding_mask=padded)[~padded]


def cebra_network(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = pytest.importorskip("cebra.models", reason="CEBRA is not installed")
        torch.manual_seed(0)
        model = models.init(name, num_neurons=20, num_units=16, num_output=4).eval()
    x = torch.randn(9, 20, len(model.get_offset()))
    return model, lambda: model(x)


def poyo():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = pytest.importorskip(
            "torch_brain.models", reason="torch_brain is not installed: pip install nwbsparse[poyo]"
        )
    torch.manual_seed(0)
    model = models.POYO(
        sequence_length=1.0, latent_step=0.25, num_latents_per_step=4, dim=16, dim_out=2, depth=2,
        dim_head=8, cross_heads=1, self_heads=2,
    ).eval()  # fmt: skip
    model.unit_emb.initialize_vocab([f"unit-{i}" for i in range(10)])
    model.session_emb.initialize_vocab(["session-0", "session-1"])
    draw = torch.Generator().manual_seed(0)
    n = 30
    given = {
        "input_unit_index": torch.randint(1, 11, (3, n), generator=draw),
        "input_timestamps": torch.rand(3, n, generator=draw).sort().values,
        "input_token_type": torch.zeros(3, n, dtype=torch.long),
        "input_mask": torch.ones(3, n, dtype=torch.bool),
        "latent_index": torch.arange(4).repeat(4).expand(3, 16),
        "latent_timestamps": (0.125 + 0.25 * torch.arange(4)).repeat_interleave(4).expand(3, 16),
        "session_index": torch.tensor([1, 1, 1]),  # which session it is goes round the latents
        "output_timestamps": torch.linspace(0, 1, 5).expand(3, 5),
    }
    return model, lambda: model(**given)


pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")

NETWORKS = {
    "ours": ours,
    "encoder": encoder,
    "encoder, norm first": lambda: encoder(norm_first=True),
    "encoder, masked": lambda: encoder(masked=True),
    "encoder, nested": nested,
    "cebra offset10": lambda: cebra_network("offset10-model"),
    "cebra offset1": lambda: cebra_network("offset1-model"),
    "poyo": poyo,
}


def shifted(x):
    """Another amount in every dim: neither a norm nor a layer's mean takes it out again."""
    return x + 0.1 * torch.arange(x.shape[-1])


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]()


@torch.no_grad()
def test_the_same_again_and_the_error_term_change_nothing(network):
    model, run = network
    base = run()
    for place in passages(model):
        with replace(place, identity):
            assert (run() - base).abs().max() <= EXACT, place.name
        with replace(place, shifted, error_term=True):
            assert (run() - base).abs().max() <= EXACT, place.name
        with replace(place, shifted):
            assert (run() - base).abs().max() > 1e-4, f"{place.name} is not what is read on"
    assert torch.equal(run(), base), "nothing is left behind"


@torch.no_grad()
def test_where_both_go_module_by_module_not_a_bit_differs(network):
    model, run = network
    with unfused():
        base = run()
    for place in passages(model):
        with replace(place, shifted, error_term=True):
            assert torch.equal(run(), base), place.name


@torch.no_grad()
def test_everything_passes_through_the_last_passage(network):
    """With the same vector everywhere, answers depend on nothing that was recorded."""
    model, run = network
    place = passages(model)[-1]
    with capture(place) as seen:
        base = run()
    with replace(place, mean_of(seen.activity)):
        made = run()
    assert base.std(dim=0).max() > 1e-3
    assert made.flatten(1).std(dim=0).min() <= 1e-6


@torch.no_grad()
def test_dims_stand_last_whatever_the_network_does(network):
    model, run = network
    for place in passages(model):
        with capture(place) as seen:
            run()
        assert seen.activity.shape[-1] in (32, 16, 8, 4), place.name


@torch.no_grad()
def test_the_fused_way_of_encoder_layers_does_not_go_round_a_site_inside_of_one():
    model, run = encoder()
    base = run()
    with replace(site(model, "layers.0.linear2"), zero):
        assert (run() - base).abs().max() > 1e-3
    assert torch.backends.mha.get_fastpath_enabled()


@torch.no_grad()
def test_sites_of_any_network_are_those_that_are_called():
    model, run = encoder()
    found = sites_of(model, run)
    assert {"layers.0", "layers.1", "layers.0.linear1"} <= found.keys()
    assert found["layers.1"] == (7, 10, 16) and found["layers.0.linear1"] == (7, 10, 32)
    assert "layers.0.self_attn.out_proj" not in found, "its weights are used, it is not called"
    with (
        pytest.raises(BadInput, match="never gave anything"),
        capture(site(model, "layers.0.self_attn.out_proj")),
    ):
        run()


@torch.no_grad()
def test_the_layers_of_poyo_that_are_never_called_say_so():
    model, run = poyo()
    with (
        pytest.raises(BadInput, match="never gave anything"),
        capture(site(model, "proc_layers.0")),
    ):
        run()
    assert "proc_layers.0.1" in sites_of(model, run)


def test_a_network_that_nobody_knows_has_no_passages_but_sites():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU())
    assert passages(model) == []
    assert sites_of(model, lambda: model(torch.zeros(2, 3))) == {"0": (2, 4), "1": (2, 4)}
