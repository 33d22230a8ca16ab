"""A null that somebody registered takes the place of ours, over bins and over trials."""

from dataclasses import replace

import numpy as np
import pytest

from make.designs import make_coded, make_design
from make.plugins import roles_as_before
from nwbsparse.analysis.association.associate import associate
from nwbsparse.analysis.association.design import detrended
from nwbsparse.analysis.association.nulls import NULLS, Rearranged
from nwbsparse.analysis.behaviour.condition_draws import condition_draws

N, STEP = 2000, 0.1


@pytest.fixture(autouse=True)
def registered():
    """Any order at all: right only for what has no memory, as the codes here."""

    def anyhow(codes, session, least, n_draws, seed):
        def table(draws):
            orders = [np.random.default_rng([*seed, int(one)]).permutation(codes) for one in draws]
            return np.stack(orders, axis=1).astype(np.uint8)

        return Rearranged(table, min(n_draws, 300))

    with roles_as_before():
        NULLS.register("anyhow", anyhow)
        yield


@pytest.fixture
def made():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, N)
    table = (rng.random((N, 20)) < 0.2) * rng.random((N, 20))
    table[:, 0] += 0.5 * (codes == 1)
    return table, codes


def test_over_bins_it_gives_the_draws_and_no_stretch_is_counted(made):
    table, codes = made
    design = make_design(N, STEP, n_draws=1000)
    variable = replace(make_coded(codes), null="anyhow")
    found = associate(detrended(table, design), variable, design)
    assert found.kind == "anyhow" and (found.hindrance == "").all()
    assert (found.independent == N).all()
    assert found.chance.n.max() == 300
    assert found.p[0] <= 1 / 301 + 1e-9 and np.mean(found.p[1:] <= 0.05) <= 0.2
    assert abs(found.chance.mean[0]) < 0.05


def test_over_trials_it_rearranges_labels(made):
    table, _ = made
    row = np.arange(N) // 40
    codes = np.random.default_rng(1).integers(0, 2, N // 40)[row]
    table[:, 0] += 0.5 * codes
    design = make_design(N, STEP, n_draws=500, trials=row)
    variable = replace(make_coded(codes, table="trials"), null="anyhow")
    found = associate(detrended(table, design), variable, design)
    assert found.kind == "anyhow of trials"
    assert found.chance.n.max() == 300 and found.p[0] < 0.01
    drawn = condition_draws(variable, codes, design, 200, 0)
    assert drawn.kind == "anyhow of trials" and drawn.table.shape == (N // 40, 201)
    assert (drawn.table.sum(axis=0) == drawn.table[:, 0].sum()).all()


def test_the_matrix_of_conditions_uses_it_too(made):
    _, codes = made
    design = make_design(N, STEP)
    variable = replace(make_coded(codes), null="anyhow")
    drawn = condition_draws(variable, codes, design, 100, 0)
    assert (drawn.kind, drawn.status) == ("anyhow", "") and drawn.table.shape == (N, 101)
    assert (drawn.table[:, 0] == codes).all() and (drawn.table[:, 1] != codes).any()
