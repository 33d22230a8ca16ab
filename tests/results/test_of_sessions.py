"""One model of several sessions, one annotated file for each: parts of the same thing."""

import json
import shutil

import numpy as np
import pytest
import torch
from pynwb import NWBHDF5IO

from make.configs import plain_config
from make.recordings import circle, laps, poisson_spikes, write_recording
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode, reconstruct
from nwbsparse.analysis.explain import explain
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.models.checkpoint import load
from nwbsparse.results.of_sessions import results_of_sessions
from nwbsparse.results.results import open_results, write
from nwbsparse.runs.prepare import prepare
from nwbsparse.runs.revisit import revisit
from nwbsparse.runs.run_sessions import run_sessions
from nwbsparse.share.identity import identities
from nwbsparse.share.validate import validate
from nwbsparse.training.fit import fit
from nwbsparse.views.report.report import report

QUICK = plain_config(n_latents=12, k=2, max_epochs=3, batch_size=100, n_shifts=50, bin_width=0.1)
UNITS = {"monday": 4, "tuesday": 6, "friday": 4}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Three recordings; two have units of the same ids, the third other ones."""
    folder = tmp_path_factory.mktemp("sessions")
    made = {}
    for at, (name, n_units) in enumerate(UNITS.items()):
        made[name] = write_recording(
            folder / f"{name}.nwb",
            spike_times=poisson_spikes(n_units=n_units, seed=at),
            unit_ids=[70, 3, 1000, 8] if name == "friday" else None,
            position=circle() if name != "friday" else None,
            trials=laps(),
            identifier=f"id of {name}",
            subject={"subject_id": f"rat {at}"},
        )
    return made


@pytest.fixture(scope="module")
def done(sources, tmp_path_factory):
    return run_sessions(sources.values(), tmp_path_factory.mktemp("several"), QUICK)


@pytest.fixture(scope="module")
def opened(done):
    return {name: open_results(one.nwb) for name, one in done.runs.items()}


def model_of(path):
    io = NWBHDF5IO(path, "r")
    return io, io.read().processing["sparse_latents"]["latents"]


def test_every_file_says_which_model_it_is_a_part_of(done, opened):
    assert list(opened) == list(UNITS)
    for name, one in opened.items():
        record = one.coder.record
        assert (record.model_id, record.session) == (done.coder.id, name)
        assert record.session_names == tuple(UNITS)
        assert one.coder.id == done.runs[name].results.coder.id != done.coder.id
        assert list(record.unit_ids) == [str(unit) for unit in one.session.units["unit_id"].values]
    said = [identities(one.nwb)[0] for one in done.runs.values()]
    assert {one.model_id for one in said} == {done.coder.id}
    assert [one.session for one in said] == list(UNITS)
    assert len({one.coder_id for one in said}) == len(UNITS)


def test_what_latents_share_is_equal_and_units_are_each_sessions_own(done, opened):
    whole = load(done.folder)
    assert whole.id == done.coder.id
    parts = [one.coder.state_dict() for one in opened.values()]
    for key, tensor in whole.state_dict().items():
        if key in ("encoder_bias", "threshold"):
            assert all(torch.equal(tensor, part[key]) for part in parts), key
        else:
            assert torch.equal(torch.cat([part[key] for part in parts], dim=-1), tensor), key


def test_activations_are_those_of_the_whole_coder(sources, done, opened):
    binned = {name: prepare(read_nwb(path), QUICK) for name, path in sources.items()}
    joined = join_sessions(binned)
    whole, predicted = dense(encode(done.coder, joined)), reconstruct(done.coder, joined).values
    for at, (name, one) in enumerate(opened.items()):
        here, own = joined["session"].values == at, joined["unit_session"].values == name
        np.testing.assert_allclose(dense(one.latents), whole[here], rtol=1e-5, atol=1e-6)
        again = reconstruct(one.coder, prepare(one.session, one.config)).values
        np.testing.assert_allclose(again, predicted[here][:, own], rtol=1e-4, atol=1e-5)
        times = joined["session_time"].values[here]
        np.testing.assert_allclose(one.latents["time"], times, rtol=0, atol=1e-9)
        assert np.array_equal(one.latents["split"], joined["split"].values[here])


def test_the_behaviour_of_a_session_is_explained_in_that_session(opened):
    covariates = {
        name: set(one.attribution["condition_variable"].values) for name, one in opened.items()
    }
    assert "position" in covariates["monday"] and "position" not in covariates["friday"]
    assert all("session" not in one for one in covariates.values())


def test_a_stranger_reads_it_with_pynwb_alone(done):
    for name, one in done.runs.items():
        io, model = model_of(one.nwb)
        with io:
            table = model.sessions.to_dataframe()
            assert table["session"].tolist() == [name, *(x for x in UNITS if x != name)]
            assert table["nwb_identifier"].tolist() == [f"id of {x}" for x in table["session"]]
            assert table["uri"].tolist() == [f"{x}.nwb" for x in table["session"]]
            assert table["subject_id"].tolist() == [
                f"rat {list(UNITS).index(x)}" for x in table["session"]
            ]
            assert len(set(table["sha256"])) == len(set(table["nwb_object_id"])) == 3
            said = f"Part of the model {done.coder.id} of 3 sessions (monday, tuesday, friday)"
            assert said in model.description and said in model.model_card
            assert f"the session {name};" in model.model_card
            words = json.loads(model.environment)["coder"]
            assert (words["model_id"], words["session"]) == (done.coder.id, name)
            assert model.decoder_weights.shape == (12, UNITS[name])


def test_a_model_of_one_recording_says_nothing_of_sessions(made_once, tmp_path):
    results = made_once
    path = write(results, tmp_path / "one.nwb")
    io, model = model_of(path)
    with io:
        assert model.sessions.colnames == (
            "nwb_identifier", "nwb_object_id", "session_id", "subject_id", "uri", "sha256",
        )  # fmt: skip
        assert "sessions" not in model.description
        assert not {"model_id", "session", "sessions"} & set(json.loads(model.environment)["coder"])
    [said] = identities(path)
    assert (said.model_id, said.session, said.sessions) == (results.coder.id, "", ())


def test_a_file_needs_none_of_the_others(done, opened, tmp_path, monkeypatch):
    alone = tmp_path / "somewhere" / "else.nwb"
    alone.parent.mkdir()
    shutil.copy(done.runs["tuesday"].nwb, alone)
    results = open_results(alone)
    assert np.array_equal(dense(results.latents), dense(opened["tuesday"].latents))
    there = revisit(alone)
    assert np.array_equal(dense(encode(there.coder, there.binned)), dense(results.latents))
    attribution = explain(there.coder, there.binned, results.latents)
    np.testing.assert_allclose(attribution["weight"], results.attribution["weight"])
    page = report(results, there.binned, tmp_path / "report.html").read_text()
    assert done.coder.id in page and "learned together with monday, friday" in page
    for tool in ("by_nwbinspector", "by_dandi"):
        monkeypatch.setattr(f"nwbsparse.share.validate.{tool}", lambda _: [])
    findings = validate(alone).findings
    assert {one.severity for one in findings} == {"ok"}
    assert f"model id {done.coder.id}, session tuesday of" in " ".join(one.what for one in findings)


@pytest.mark.slow
def test_written_again_it_is_still_a_part(opened, tmp_path):
    for mode in ("derived", "zarr"):
        again = open_results(write(opened["monday"], tmp_path / f"{mode}.nwb", mode, replace=True))
        assert again.coder.record == opened["monday"].coder.record


def test_results_of_one_session_do_not_go_into_the_file_of_another(done, sources, tmp_path):
    file = tmp_path / "tuesday.nwb"
    shutil.copy(done.runs["tuesday"].nwb, file)
    before = file.read_bytes()
    results = done.runs["monday"].results
    with pytest.raises(BadInput, match=r"neither the recording that .latents. was made from"):
        write(results, file, "in_place", replace=True)
    assert file.read_bytes() == before


def test_the_steps_one_by_one_give_the_same(sources, done):
    sessions = {name: read_nwb(path) for name, path in sources.items()}
    binned = {name: prepare(one, QUICK) for name, one in sessions.items()}
    coder = fit(join_sessions(binned), QUICK)
    assert coder.id == done.coder.id
    results = results_of_sessions(coder, sessions, binned)
    assert list(results) == list(UNITS)
    for name, one in results.items():
        assert one.coder.record == done.runs[name].results.coder.record
        assert one.attribution.equals(done.runs[name].results.attribution)
        assert one.metrics.equals(done.runs[name].results.metrics)


def test_sessions_that_were_not_split_are_dealt_as_they_were_when_joined(sources):
    sessions = {name: read_nwb(sources[name]) for name in ("monday", "tuesday")}
    binned = {name: prepare(one, QUICK).drop_vars("split") for name, one in sessions.items()}
    joined = join_sessions(binned)
    results = results_of_sessions(fit(joined, QUICK), sessions, binned)
    parts = np.concatenate([one.latents["split"].values for one in results.values()])
    assert np.array_equal(parts, joined["split"].values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s, b: (s.pop("friday"), b.pop("friday")), "the session 'friday' is missing"),
        (lambda s, b: b.pop("friday"), "there are no bins of 'friday'"),
        (lambda s, b: s.update(sunday=s["friday"]), "there is no 'sunday' among"),
        (lambda s, b: b.update(monday=b["tuesday"]), "'monday': the coder was trained on 4 units"),
        (
            lambda s, b: b.update(monday=b["monday"].isel(unit=[1, 0, 2, 3])),
            "'monday': the units are those of the coder but in another order",
        ),
        (
            lambda s, b: b.update(monday=b["monday"].assign_attrs(bin_width=0.2)),
            "'monday' has bins of 0.2 s, the coder was trained on 0.1 s",
        ),
        (lambda s, b: b.update(monday=join_sessions(b)), "the bins of 'monday' are joined"),
    ],
)
def test_sessions_that_were_not_joined_are_refused(sources, done, change, words):
    sessions = {name: read_nwb(path) for name, path in sources.items()}
    binned = {name: prepare(one, QUICK) for name, one in sessions.items()}
    change(sessions, binned)
    with pytest.raises(BadInput, match=words):
        results_of_sessions(done.coder, sessions, binned)


def test_a_coder_of_one_recording_or_one_part_is_refused(sources, done):
    session = read_nwb(sources["monday"])
    binned = prepare(session, QUICK)
    for coder in (fit(binned, QUICK), done.runs["monday"].results.coder):
        with pytest.raises(BadInput, match="not learned from joined sessions"):
            results_of_sessions(coder, {"monday": session}, {"monday": binned})


@pytest.mark.slow
def test_seeds_confirm_latents_in_every_session(sources, tmp_path):
    done = run_sessions([sources["monday"], sources["tuesday"]], tmp_path, QUICK.replace(seeds=2))
    for name, one in done.runs.items():
        assert "n_confirmed_latents" in one.results.attribution.attrs
        there = revisit(tmp_path / name)
        assert there.stability is not None and there.stability.attrs["model_id"] == done.coder.id
        again = explain(there.coder, there.binned, stability=there.stability)
        assert again["confirmed"].equals(one.results.attribution["confirmed"])


def test_a_model_that_reconstructs_other_units_has_files_too(tmp_path):
    regions = ["CA1"] * 4 + ["CA3"] * 3
    sources = [
        write_recording(
            tmp_path / f"{name}.nwb",
            spike_times=poisson_spikes(n_units=n_units, seed=n_units),
            electrodes={"location": regions[:n_units]},
            trials=laps(),
        )
        for name, n_units in (("one", 6), ("two", 7))
    ]
    done = run_sessions(sources, tmp_path / "out", QUICK.replace(target_regions="CA3"))
    for name, run in done.runs.items():
        again = open_results(run.nwb)
        assert again.coder.model_id == done.coder.id
        assert again.coder.record.unit_ids == ("0", "1", "2", "3")
        assert again.coder.record.target_ids == (("4", "5") if name == "one" else ("4", "5", "6"))
        there = revisit(run.nwb)
        assert np.array_equal(dense(encode(there.coder, there.binned)), dense(again.latents))


def test_other_stability_is_refused(sources, done):
    binned = {name: prepare(read_nwb(path), QUICK) for name, path in sources.items()}
    stability = encode(done.coder, join_sessions(binned)).assign_attrs(coder_id="another")
    sessions = {name: read_nwb(path) for name, path in sources.items()}
    with pytest.raises(BadInput, match="the stability is of the coder another, not of"):
        results_of_sessions(done.coder, sessions, binned, stability=stability)
