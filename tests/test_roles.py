"""Registries: what they refuse, what packages bring, and what is said where a package is missing."""

import json
import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch

from make.cli_runs import run_cli
from make.coders import make_coder
from make.configs import plain_config
from make.house import SOURCE
from make.plugins import installed, roles_as_before
from make.sessions import make_binned
from nwbsparse import roles
from nwbsparse.analysis.association.nulls import NULLS
from nwbsparse.errors import BadInput, NwbsparseWarning
from nwbsparse.io.readers import READERS
from nwbsparse.models import checkpoint
from nwbsparse.models.losses import LOSSES
from nwbsparse.models.sparsifiers import L1, SPARSIFIERS, Sparsifier
from nwbsparse.options.config import Config, from_dict
from nwbsparse.options.legality import LEGAL_TARGETS, PENALISED
from nwbsparse.training.fit import fit
from nwbsparse.views.figures import FIGURES

SOFT = textwrap.dedent(
    """
    from torch.nn import functional
    from nwbsparse.models.sparsifiers import L1, SPARSIFIERS

    @SPARSIFIERS.register("soft", penalised=True)
    class Soft(L1):
        def train(self, pi, weights, own, select):
            return functional.relu(pi - 0.01)
        def infer(self, pi, weights, own, *, k, threshold):
            return functional.relu(pi - 0.01)
    """
)


@pytest.fixture(autouse=True)
def as_before():
    with roles_as_before():
        yield


@pytest.fixture
def brings(tmp_path, monkeypatch):
    """Installs a package of this code, not yet looked at."""

    def made(name, code):
        monkeypatch.syspath_prepend(installed(tmp_path / "site", name, code))
        monkeypatch.delitem(sys.modules, name, raising=False)
        roles._looked.clear()
        return name

    return made


def test_every_role_holds_ours_under_the_words_that_options_know():
    assert set(roles.ROLES) == {"sparsifier", "loss", "reader", "null", "figure"}
    assert SPARSIFIERS.own() == ("batch_topk", "topk", "l1", "jumprelu", "gated")
    assert LOSSES.own() == tuple(LEGAL_TARGETS)
    penalised = [one for one in SPARSIFIERS.own() if SPARSIFIERS.fact(one, "penalised")]
    assert penalised == [*PENALISED]
    assert len(READERS.own()) == 9 and len(NULLS.own()) == 2 and len(FIGURES.own()) == 8


def test_a_taken_name_is_refused_until_it_is_removed():
    with pytest.raises(BadInput, match=r"'l1' already \(nwbsparse.models.sparsifiers.L1\)"):
        SPARSIFIERS.register("l1", L1)
    SPARSIFIERS.remove("l1")
    assert SPARSIFIERS.register("l1", L1, penalised=True) is L1


def counted():
    return make_binned(np.random.default_rng(0).poisson(1.0, (600, 4)).astype(np.uint8))


class Half(Sparsifier):
    def train(self, pi, weights, own, select):
        return pi


def loss_of_three(predicted, target, third):
    return predicted + target + third


LACKING = [
    (SPARSIFIERS, Half, {}, r"Half cannot be the sparsifier 'x': it does not say what infer\(\)"),
    (SPARSIFIERS, object, {}, r"it has no train\(\) and no infer\(\)"),
    (SPARSIFIERS, L1, {"lazy": True}, r"lazy= says nothing of a sparsifier \(.*: penalised\)"),
    (LOSSES, loss_of_three, {}, r"cannot be called with \(predicted, target\): .*third"),
    (READERS, object(), {}, r"it has no takes\(\) and no read\(\)"),
    (NULLS, loss_of_three, {}, r"cannot be called with \(codes, session, least, n_draws, seed\)"),
    (FIGURES, loss_of_three, {}, r"cannot be called with \(results, binned\)"),
]


@pytest.mark.parametrize(("registry", "made", "facts", "said"), LACKING)
def test_what_lacks_something_is_refused_with_what_it_lacks(registry, made, facts, said):
    with pytest.raises(BadInput, match=said):
        registry.register("x", made, **facts)
    assert "x" not in registry


def test_a_name_that_is_not_there_is_answered_with_those_there_are():
    with pytest.raises(BadInput, match="no sparsifier 'tokp'; did you mean 'topk'"):
        SPARSIFIERS["tokp"]
    assert SPARSIFIERS.get("tokp") is None
    with pytest.raises(BadInput, match=r"choose one of batch_topk, .*gated$"):
        Config(sparsifier="tokp")


def test_what_a_package_brings_is_an_option_like_ours(brings):
    brings("softly", SOFT)
    assert Config(sparsifier="soft", penalty_weight=0.2, bandwidth=0.1).penalty_weight == 0.2
    assert from_dict({"sparsifier": "soft"}).sparsifier == "soft"
    with pytest.raises(BadInput, match=r"gated, soft$"):
        Config(sparsifier="sofd")


def test_it_trains_is_stored_and_asks_for_its_package_where_that_is_missing(brings, tmp_path):
    brings("softly", SOFT)
    config = plain_config(sparsifier="soft", n_latents=8, k=2, max_epochs=1, bin_width=0.1)
    coder = fit(counted(), config)
    checkpoint.save(coder, tmp_path / "coder")
    assert checkpoint.load(tmp_path / "coder").id == coder.id
    SPARSIFIERS.remove("soft")
    with pytest.raises(BadInput, match="sparsifier='soft', which came with softly and is not here"):
        checkpoint.load(tmp_path / "coder")
    words = json.loads((tmp_path / "coder" / "model.json").read_text())
    assert words["software"]["sparsifier soft"] == "softly"


def test_ours_say_nothing_of_packages():
    assert set(make_coder().record.software) <= {"nwbsparse", "torch", "python"}


def test_packages_are_not_looked_at_for_what_is_ours(brings):
    brings("broken", "raise ImportError('no')")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Config(sparsifier="topk", loss="poisson").loss == "poisson"
        assert SPARSIFIERS["topk"] and READERS["NWB"]
    assert roles._looked == []


@pytest.mark.parametrize("code", ["import no_such_module", "raise SystemExit(3)", "1/0", "oh no"])
def test_a_package_that_cannot_be_imported_is_one_warning(brings, code):
    brings("broken", code)
    with pytest.warns(
        NwbsparseWarning, match=r"the plugin 'broken' \(broken\) is left out"
    ) as all_:
        assert "soft" not in SPARSIFIERS
    assert len(all_) == 1 and "\n" not in str(all_[0].message)
    assert "soft" not in SPARSIFIERS  # and not once more


def test_the_command_line_takes_what_a_package_brings_and_says_what_it_cannot(
    brings, recording, tmp_path, capsys
):
    brings("softly", SOFT)
    name = ("--sparsifier", "soft")
    assert run_cli("run", recording, "--out", tmp_path / "r", *name, "--dry-run", "--quiet") == 0
    assert run_cli("config", "--sparsifier", "soft") == 0
    assert 'sparsifier = "soft"' in capsys.readouterr().out
    assert run_cli("config", "--sparsifier", "sofd") == 2
    assert "gated, soft" in capsys.readouterr().err


def test_the_command_line_says_in_one_line_that_a_package_is_broken(brings, tmp_path):
    brings("broken", "import no_such_module")
    done = subprocess.run(
        [sys.executable, "-m", "nwbsparse", "config", "--sparsifier", "soft"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(SOURCE)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    first, second, *_ = done.stderr.splitlines()
    assert first == (
        "nwbsparse: the plugin 'broken' (broken) is left out: ModuleNotFoundError: No module named "
        "'no_such_module'"
    )
    assert second.startswith("nwbsparse: ")


def test_a_loss_of_others_has_the_targets_of_the_one_that_it_is_like():
    @LOSSES.register("absolute", like="mse")
    def absolute(predicted, target):
        return (predicted - target).abs()

    assert Config(loss="absolute").scaling == Config(loss="mse").scaling
    LOSSES.register("rates", absolute, like="poisson")
    with pytest.raises(BadInput, match="loss=rates is not defined with normalisation=zscore"):
        Config(loss="rates", normalisation="zscore")
    config = plain_config(loss="absolute", normalisation="zscore", n_latents=8, k=2, max_epochs=1)
    coder = fit(counted(), config)
    assert all(torch.isfinite(one).all() for one in coder.parameters())
