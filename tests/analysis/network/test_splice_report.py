"""What a network keeps through a coder, beside what must keep all and what must keep nothing."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from make.planted_network import LABELS, SITE
from nwbsparse import names
from nwbsparse.analysis.network.site_scores import SiteScore, auroc, drops
from nwbsparse.analysis.network.splice_report import splice_report


@pytest.fixture(scope="module")
def found(known, coder, site_data):
    _, sessions, model = known
    return splice_report(model, sessions, coder, site_data, at=SITE)


def test_an_identity_changes_nothing(found):
    same = found.sel(representation="identity")
    assert (same.retained == 1).all() and (same.kl == 0).all()
    assert float(same.r2) == 1 and float(same.loss_recovered_mean) == 1


def test_without_the_site_nothing_is_left(found):
    for ablation in ("mean", "zero"):
        left = found.sel(representation=ablation)
        assert (left.score <= found.chance + 0.08).all()
        assert float(left[f"loss_recovered_{ablation}"]) == 0


def test_a_coder_keeps_what_a_random_one_does_not(found):
    assert (found.retained.sel(representation="latents") > 0.9).all()
    assert found.retained.sel(representation="random coder").mean() < 0.6
    coded = found.sel(representation="latents")
    assert 1 < float(coded.l0) < 5
    assert float(coded.r2) > float(found.r2.sel(representation="random coder"))


def test_components_stand_beside_it_with_as_many_numbers(found, coder):
    few = [
        str(name) for name in found[names.REPRESENTATION].values if str(name).startswith("pca (")
    ]
    assert len(few) == 2
    n = int(few[0].strip("pca ()"))
    assert n == round(float(found.l0.sel(representation=few[0])))
    assert float(found.r2.sel(representation="pca (all)")) == pytest.approx(1, abs=1e-6)


def test_chance_is_the_most_frequent_category_of_these_trials(found, known):
    _, sessions, _ = known
    for name in LABELS:
        test = np.concatenate(
            [one.targets[name][one.part == names.TEST].numpy() for one in sessions]
        )
        assert float(found.chance.sel(head=name)) == np.bincount(test).max() / len(test)


def test_auroc_of_a_rare_category():
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(50, generator=generator).round(decimals=1)
    inside = torch.rand(50, generator=generator) < 0.2
    assert auroc(value, inside) == pytest.approx(roc_auc_score(inside, value))


def test_a_head_at_chance_has_nothing_to_lose():
    base = {
        "a": SiteScore("accuracy", 0.9, 0.5, 0.1, 9),
        "b": SiteScore("accuracy", 0.52, 0.5, 1.0, 9),
    }
    gone = {
        "a": SiteScore("accuracy", 0.6, 0.5, 0.9, 9),
        "b": SiteScore("accuracy", 0.5, 0.5, 1.0, 9),
    }
    lost = drops(base, gone, margin=0.05)
    assert lost["a"] == pytest.approx(0.75) and np.isnan(lost["b"])
