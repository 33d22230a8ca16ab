"""One coder of several sessions: as good as one each, and no session leaks into another."""

import json

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.joined_sessions import part_of, shared_sources
from make.sessions import make_session
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode, reconstruct
from nwbsparse.analysis.association.design import make_design
from nwbsparse.analysis.behaviour.coding import code_variables
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.behaviour.controls import UnitGroup, observed_units
from nwbsparse.analysis.behaviour.notes import notes
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.units.tables import unit_attribution
from nwbsparse.binning.sessions.for_coder import for_coder
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput
from nwbsparse.results.results import Results, environment
from nwbsparse.training.fit import fit
from nwbsparse.views.report.report import report

CONFIG = plain_config(n_latents=24, k=2, batch_size=256, max_epochs=15, n_shifts=500)
SIZES = {"A": 20, "B": 24}
HIGH = {"role": "condition", "kind": "categorical", "categories": '["0", "1"]'}


@pytest.fixture(scope="module")
def sessions():
    return {name: shared_sources(size, seed=at) for at, (name, size) in enumerate(SIZES.items())}


@pytest.fixture(scope="module")
def joined(sessions):
    return join_sessions(sessions)


@pytest.fixture(scope="module")
def coder(joined):
    return fit(joined, CONFIG)


def columns_of(joined, name):
    return torch.from_numpy(joined["unit_session"].values == name)


@pytest.mark.parametrize("name", SIZES)
def test_one_coder_of_two_sessions_is_about_as_good_as_one_each(sessions, coder, name):
    alone = float(evaluate(fit(sessions[name], CONFIG), sessions[name])["r2"])
    together = float(evaluate(coder, for_coder(sessions[name], coder, session=name))["r2"])
    assert alone > 0.6
    assert together > alone - 0.05


@pytest.mark.parametrize("noise", [0, 200])
def test_the_units_of_one_session_do_not_touch_the_latents_of_another(joined, coder, noise):
    rng = np.random.default_rng(0)
    counts = joined["counts"].values.copy()
    counts[:, joined["unit_session"].values == "B"] = rng.integers(
        0, noise + 1, (len(counts), SIZES["B"])
    )
    other = joined.assign(counts=(("time", "unit"), counts))
    in_a = joined["session"].values == 0
    before, after = dense(encode(coder, joined)), dense(encode(coder, other))
    assert np.array_equal(before[in_a], after[in_a])
    assert not np.array_equal(before[~in_a], after[~in_a])
    columns = joined["unit_session"].values == "A"
    said = [reconstruct(coder, one).values[in_a][:, columns] for one in (joined, other)]
    assert np.array_equal(*said)


def test_each_session_has_a_read_in_and_a_read_out_of_its_own(joined, coder):
    changed = fit(joined, CONFIG.replace(max_epochs=1))
    changed.load_state_dict(coder.state_dict())
    of_b = columns_of(joined, "B")
    with torch.no_grad():
        changed.encoder_weight[:, of_b] += 1.0
        changed.dictionary[:, of_b] += 1.0
        changed.offset[of_b] += 1.0
    in_a = joined["session"].values == 0
    latents = [dense(encode(one, joined))[in_a] for one in (coder, changed)]
    assert np.array_equal(*latents)
    said = [reconstruct(one, joined).values[in_a][:, ~of_b.numpy()] for one in (coder, changed)]
    np.testing.assert_allclose(*said, atol=1e-6)


def test_one_session_is_encoded_as_it_is_among_the_others(sessions, joined, coder):
    together = dense(encode(coder, joined))
    for at, (name, one) in enumerate(sessions.items()):
        alone = for_coder(one, coder, session=name)
        assert alone["unit_id"].values.tolist() == list(coder.record.unit_ids)
        np.testing.assert_allclose(
            dense(encode(coder, alone)), together[joined["session"].values == at], atol=1e-5
        )
        shuffled = one.isel(unit=np.random.default_rng(0).permutation(SIZES[name]))
        assert for_coder(shuffled, coder, session=name)["counts"].equals(alone["counts"])


def test_some_sessions_joined_in_another_order_find_their_places(sessions, coder):
    turned = for_coder(join_sessions(dict(reversed(sessions.items()))), coder)
    one = for_coder(sessions["A"], coder, session="A")
    mine = part_of(turned, "A")["counts"].values
    assert np.array_equal(mine, one["counts"].values[:, : SIZES["A"]])
    assert turned["unit_id"].values.tolist() == list(coder.record.unit_ids)


def test_a_session_is_known_by_its_source(sessions, coder):
    named = sessions["B"].assign_attrs(source="B")
    assert for_coder(named, coder)["valid"].values[:, SIZES["A"] :].all()


@pytest.mark.parametrize(
    ("change", "session", "words"),
    [
        (lambda one: one, "b", "no session 'b'.*it has A, B"),
        (lambda one: one, "A", "20 units of A, the data hold 24"),
        (lambda one: one.isel(unit=slice(5)), "B", "24 units of B, the data hold 5, of which 5"),
        (lambda one: one.assign_attrs(bin_width=0.2), "B", "bins of 0.1 s, these are of 0.2 s"),
    ],
)
def test_a_session_that_the_coder_does_not_know_is_refused(sessions, coder, change, session, words):
    with pytest.raises(BadInput, match=words):
        for_coder(change(sessions["B"]), coder, session=session)


def test_a_window_never_reaches_into_another_session(joined):
    made = fit(joined, plain_config(encoder="window", window=4, n_latents=16, k=2, max_epochs=1))
    complete = encode(made, joined)["complete"].values
    first = np.flatnonzero(np.diff(joined["session"].values, prepend=-1))
    assert not complete[np.add.outer(first, np.arange(3)).ravel()].any()
    assert complete.sum() == len(complete) - 6


@pytest.mark.parametrize("name", SIZES)
def test_units_are_judged_on_the_bins_in_which_they_were_observed(sessions, joined, coder, name):
    alone = for_coder(sessions[name], coder, session=name)
    mine = joined["unit_session"].values == name
    found = []
    for data in (joined, alone):
        test = np.flatnonzero(part(data, "test"))
        found.append(unit_attribution(coder, data, test, dense(encode(coder, data), test)))
    for key in ("z", "correlation", "correlation_p"):
        first, second = (one[key].values[:, mine] for one in found)
        np.testing.assert_allclose(first, second, atol=1e-4, err_msg=key)
    metrics = [evaluate(coder, data)["unit_r2"].values for data in (joined, alone)]
    np.testing.assert_allclose(metrics[0][mine], metrics[1][mine], atol=1e-5)
    assert np.isnan(metrics[1][~mine]).all()


@pytest.mark.parametrize("name", SIZES)
def test_raw_units_are_compared_as_they_would_be_alone(sessions, coder, name):
    """With a covariate that only their session has, and a condition that all sessions have."""
    given = {}
    for key, one in sessions.items():
        high = (one["level"] > 1).astype(np.int32).assign_attrs(HIGH)
        given[key] = (one if key == name else one.drop_vars("level")).assign(high=high)
    joined = join_sessions(given)
    mine = np.flatnonzero(joined["unit_session"].values == name)
    design, variables = make_design(joined, n_draws=50, seed=0), by_name(joined)
    [group] = [one for one in observed_units(coder, joined) if set(one.units) == set(mine)]
    own = given[name]
    by_itself = make_design(own, n_draws=50, seed=0)
    alone = UnitGroup(np.arange(len(mine)), own["counts"].values, np.ones(len(own["time"]), bool))
    assert set(by_name(own)) == {"level", "high"}
    for key, variable in by_name(own).items():
        [(units, fit)] = group.fits(variables[key], design)
        [(_, wanted)] = alone.fits(variable, by_itself)
        np.testing.assert_array_equal(units, mine)
        np.testing.assert_allclose(fit.r, wanted.r, atol=1e-6)
        np.testing.assert_allclose(fit.left_out, wanted.left_out, atol=1e-6)
    others = [one for one in observed_units(coder, joined) if set(one.units) != set(mine)]
    assert all(one.fits(variables["level"], design) == [] for one in others)


def by_name(data):
    return {v.name: v for v in code_variables(data) if v.name != "session"}


def test_a_unit_that_holds_most_spikes_of_its_session_is_named(sessions):
    loud = sessions["A"].copy(deep=True)
    loud["counts"][:, 3] = 20
    counts = sessions["B"]["counts"].astype(np.uint16) * 1000
    joined = join_sessions({"A": loud, "B": sessions["B"].assign(counts=counts)})
    [said] = notes(joined)
    assert said.startswith("unit A/3 holds ")


def test_what_is_constant_in_a_session_is_no_claim_of_a_latent(sessions):
    given = {}
    for at, (name, one) in enumerate(sessions.items()):
        high = np.full(one.sizes["time"], at, dtype=np.int32)
        given[name] = one.assign(genotype=("time", high, HIGH))
    scope = make_scope(join_sessions(given))
    assert {v.name for v in scope.tested} == {"level"}
    tables = {v.name: v.table for v in scope.conditions}
    assert tables == {"level": None, "genotype": "sessions", "session": "sessions"}


@pytest.fixture(scope="module")
def attribution(joined, coder):
    return explain(coder, joined)


def test_a_latent_can_be_seen_to_belong_to_a_session_but_no_p_value_says_so(attribution):
    of_session = attribution["condition_variable"].values == "session"
    assert attribution["condition_name"].values[of_session].tolist() == ["A", "B"]
    precision = attribution["precision"].values[:, of_session]
    used = np.isfinite(precision).all(axis=1)
    assert used.sum() >= 10
    np.testing.assert_allclose(precision[used].sum(axis=1), 1.0)
    assert json.loads(attribution.attrs["nulls"])["session"]["kind"] == "sessions"
    assert np.nanmax(attribution["session_eta2"].values) <= 1
    assert set(attribution["candidate_variable"].values) == {"level"}
    assert set(attribution["best_variable"].values) <= {"level", ""}


def test_what_a_latent_follows_is_found_among_several_sessions(attribution):
    found = attribution["association_status"].values == "found"
    assert found.sum() >= 1
    told = json.loads(attribution.attrs["summary"])["variables"]["level"]
    assert told["together"]["share"]["units"] > told["together"]["chance"]


def test_the_report_of_several_sessions_is_written(joined, coder, attribution, tmp_path):
    session = make_session({unit: [1.0] for unit in joined["unit_id"].values})
    results = Results(
        session, coder, encode(coder, joined), evaluate(coder, joined), attribution, environment(coder)
    )  # fmt: skip
    page = report(results, joined, tmp_path / "report.html").read_text()
    assert "session" in page
    assert "2 values: A, B" in page or "2 values: A and B" in page
