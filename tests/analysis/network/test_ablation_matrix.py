"""Taking dims away that are known to stand for a variable takes that variable away, and no other."""

import numpy as np
import pytest
import torch

from make.planted_network import FIRST, LABELS, N_DIMS, SITE
from nwbsparse.analysis.network.ablation_bench import selectivity_index
from nwbsparse.analysis.network.ablation_matrix import ablation_matrix
from nwbsparse.analysis.network.site_channels import SiteChannels, raw_dims
from nwbsparse.analysis.network.site_controls import untrained_network
from nwbsparse.errors import BadInput

COUNTS = (2, 3, 4, 9)


@pytest.fixture(scope="module")
def of_dims(known):
    _, sessions, model = known
    return ablation_matrix(model, sessions, raw_dims("latents"), at=SITE, counts=COUNTS, n_draws=3)


def test_own_variables_go_and_others_stay(of_dims):
    drop = of_dims.normalised_drop.sel(representation="latents")
    for name in LABELS:
        own = drop.sel(removed=name, head=name)
        assert own.sel(ablation="zero") > 0.7, name
        others = drop.sel(removed=name).drop_sel(head=name)
        assert float(abs(others).max()) < 0.02, name


def test_the_dims_that_are_removed_are_those_of_the_variable(of_dims):
    for name, values in LABELS.items():
        taken = set(np.flatnonzero(of_dims.latents_removed.sel(removed=name)))
        planted = set(range(FIRST[name], FIRST[name] + len(values)))
        assert taken and taken <= planted


def test_rotated_dims_are_entangled_and_turned_back_are_not(known):
    _, sessions, model = known
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(N_DIMS, N_DIMS, generator=generator))[0]
    turned = SiteChannels("latents", lambda x: x @ turn, lambda z: z @ turn.T)
    found = ablation_matrix(
        model, sessions, turned, at=SITE, ablations=("resample",), counts=COUNTS, n_draws=1
    )
    index = found.selectivity_index.sel(ablation="resample").mean("removed")
    assert index.sel(representation="latents") < index.sel(representation="raw dims") - 0.3


def test_shuffled_labels_take_nothing_away(of_dims):
    """One latent in a hundred differs with labels that mean nothing: seldom, not never."""
    index = of_dims.selectivity_index.sel(representation="shuffled labels")
    assert float(index.max()) < 0.25


def test_as_many_random_dims_are_less(of_dims):
    index = of_dims.selectivity_index.sel(ablation="resample")
    beside = index.sel(representation="random latents").mean()
    assert beside < index.sel(representation="latents").mean() - 0.3


def test_a_network_that_learned_nothing_has_nothing_to_lose(known, coder):
    trials, sessions, model = known
    raw = untrained_network(model, trials, sessions, coder, at=SITE)
    found = ablation_matrix(
        model,
        sessions,
        coder,
        at=SITE,
        untrained=raw,
        ablations=("resample",),
        counts=COUNTS,
        n_draws=1,
    )
    beside = found.sel(representation="untrained network")
    assert (beside.score < found.chance + 0.2).all()
    passes = beside.selectivity_index.sel(ablation="resample")
    assert not (passes > 0.5).any()


def test_nothing_is_taken_where_nothing_differs_with_a_variable(known):
    """Two sessions of each line are too few for p < .01 over sessions."""
    _, sessions, model = known
    found = ablation_matrix(
        model,
        sessions[:4],
        raw_dims("latents"),
        at=SITE,
        ablations=("zero",),
        counts=COUNTS,
        n_draws=1,
    )
    assert found.n_removed.sel(representation="latents", removed="genotype") == 0
    assert found.normalised_drop.sel(representation="latents", removed="genotype").max() == 0


def test_the_same_seed_gives_the_same_numbers(known, of_dims):
    _, sessions, model = known
    again = ablation_matrix(
        model,
        sessions,
        raw_dims("latents"),
        at=SITE,
        ablations=("resample",),
        counts=COUNTS,
        n_draws=3,
    )
    assert again.identical(of_dims.sel(ablation=["resample"]))


def test_index_is_own_drop_minus_the_worst_other():
    drop = np.array([[0.9, 0.1, -0.2], [0.3, 0.8, 0.5], [0.0, 0.0, 1.0]])
    assert np.allclose(selectivity_index(drop), [0.8, 0.3, 1.0])


def test_what_cannot_be_asked_is_refused(known):
    _, sessions, model = known
    with pytest.raises(BadInput, match="did you mean 'genotype'"):
        ablation_matrix(model, sessions, raw_dims(), at=SITE, heads=["genotyp", "orientation"])
    with pytest.raises(BadInput, match="two variables or more"):
        ablation_matrix(model, sessions, raw_dims(), at=SITE, heads=["orientation"])
    with pytest.raises(BadInput, match="did you mean 'resample'"):
        ablation_matrix(model, sessions, raw_dims(), at=SITE, ablations=("resampled",))
    with pytest.raises(BadInput, match=r"did you mean 'blocks\.0'"):
        ablation_matrix(model, sessions, raw_dims(), at="block.0")
