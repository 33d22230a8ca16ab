"""What planted dims stand for is found; what labels that mean nothing give is not."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from make.planted_network import FIRST, LABELS, SITE
from nwbsparse import names
from nwbsparse.analysis.network.directions import direction_indices, is_direction
from nwbsparse.analysis.network.eta_squared import eta_squared, eta_squared_of_many
from nwbsparse.analysis.network.groups import Groups, groups_of
from nwbsparse.analysis.network.label_permutations import permutation_p
from nwbsparse.analysis.network.one_against_rest import auroc_of_groups
from nwbsparse.analysis.network.probing import site_probing
from nwbsparse.analysis.network.site_channels import raw_dims
from nwbsparse.analysis.network.site_selectivity import site_selectivity
from nwbsparse.errors import BadInput
from nwbsparse.splice.heads import Head


@pytest.fixture(scope="module")
def found(known):
    _, sessions, model = known
    return site_selectivity(model, sessions, raw_dims("latents"), at=SITE, n_permutations=299)


def test_every_dim_stands_for_its_variable(found):
    for name, values in LABELS.items():
        for code, value in enumerate(values):
            latent = FIRST[name] + code
            assert found.selective_for.values[latent] == name
            assert found.preferred.sel(head=name).values[latent] == value


def test_a_property_of_sessions_is_tested_over_sessions(found):
    genotype = found.sel(head="genotype")
    assert bool(genotype.constant) and int(genotype.n_cases) == 12
    assert (genotype.session_eta2[FIRST["genotype"] :] > 0.99).all()
    assert np.isnan(found.session_eta2.sel(head="orientation")).all()
    assert (found.n_selective_shuffled <= 0.5).all()


def test_of_what_goes_below_nothing_no_tuning_is_said(found):
    """Of these dims, that is; latents never do."""
    assert np.isnan(found.osi.sel(direction_head="orientation")[:4]).all()


def test_what_labels_say_by_chance_is_even():
    rng = np.random.default_rng(0)
    activation = rng.standard_normal((240, 60))
    session = np.repeat(np.arange(12), 20)
    group = rng.integers(0, 4, 240)
    tested = permutation_p(activation, group, session, constant=False, n=199, rng=rng)
    assert 0.35 < tested.p.mean() < 0.65
    own = np.arange(12) % 3
    activation += rng.standard_normal((12, 60))[session]  # sessions differ, whatever their label
    tested = permutation_p(activation, own[session], session, constant=True, n=199, rng=rng)
    assert 0.35 < tested.p.mean() < 0.65
    assert (
        permutation_p(activation, own[session], session, constant=False, n=19, rng=rng).p == 1
    ).all()


def test_eta_squared_by_hand():
    activation = np.array([[1.0, 5.0], [1.0, 5.0], [3.0, 5.0], [5.0, 5.0]])
    group = np.array([0, 0, 1, 1])
    # means 1 and 4 around 2.5: between 9, all 11
    assert eta_squared(activation, group) == pytest.approx([9 / 11, 0.0])
    many = eta_squared_of_many(activation, np.stack([group, group[::-1]]))
    assert many == pytest.approx(np.array([[9 / 11, 0.0], [9 / 11, 0.0]]))
    assert eta_squared(activation, np.array([-1, 0, 0, 1])) == pytest.approx([0.75, 0.0])


def test_auroc_is_that_of_others_ties_and_all():
    rng = np.random.default_rng(1)
    activation = rng.integers(0, 4, (60, 3)).astype(float)
    group = rng.integers(-1, 2, 60)
    made = auroc_of_groups(
        activation, {"x": group}, {"x": groups_of(Head("category", 3), torch.arange(3))}
    )
    there = group >= 0
    for latent in range(3):
        wanted = roc_auc_score(group[there] == 1, activation[there, latent])
        assert made.auroc.values[latent, 1] == pytest.approx(wanted)
    assert np.isnan(made.auroc.values[:, 2]).all()
    assert list(made.condition_name.values) == ["0", "1", "2"]


def test_tuning_to_an_axis_is_no_tuning_to_a_direction():
    head = Head("category", 4, values=("0", "90", "180", "270"))
    assert is_direction("orientation", head) and not is_direction("contrast", head)
    activation = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    made = direction_indices(activation, {"x": np.arange(4)}, {"x": Groups(head, head.values)})
    assert made.osi.values[:, 0] == pytest.approx([1, 1, 0], abs=1e-12)
    assert made.dsi.values[:, 0] == pytest.approx([0, 1, 0], abs=1e-12)


def test_a_few_dims_tell_what_they_stand_for(known):
    _, sessions, model = known
    found = site_probing(model, sessions, raw_dims("latents"), at=SITE, ks=(1, 4, 16))
    own = found.balanced_accuracy.sel(representation="latents", head="orientation")
    assert own.sel(n_channels=1) < 0.6 < 0.95 < own.sel(n_channels=4)
    assert np.isnan(own.sel(n_channels=16))  # there are nine
    assert found.chance.sel(head="orientation") == 0.25
    with pytest.raises(BadInput, match="at least 1"):
        site_probing(model, sessions, raw_dims(), at=SITE, ks=(0,))


def test_angles_and_numbers_are_cut_into_groups():
    circular = groups_of(Head("circular", period=360.0), torch.arange(3.0))
    assert circular.of(torch.tensor([0.0, 350.0, 45.0, float("nan")])).tolist() == [0, 0, 1, -1]
    numbers = torch.arange(100.0)
    cut = groups_of(Head("continuous"), numbers)
    assert np.bincount(cut.of(numbers)).tolist() == [20] * 5
    per_bin = groups_of(Head("continuous", per="bin"), numbers[:, None].expand(-1, 3))
    values = torch.tensor([[0.0, float("nan"), 0.0], [99.0, 99.0, 99.0]])
    assert per_bin.of(values).tolist() == [0, 4]


def test_the_dataset_says_what_it_is_of(found):
    assert found.attrs["site"] == SITE and found.attrs["part"] == "test"
    assert found.attrs[names.SCHEMA] == names.SITE_SELECTIVITY
