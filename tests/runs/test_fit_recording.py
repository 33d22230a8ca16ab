"""fit_recording(): the first half of a run, of one recording and of several."""

import json

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.configs import plain_config
from make.recordings import poisson_spikes, write_recording
from nwbsparse.errors import BadInput
from nwbsparse.runs.plan import plan

FIT = plain_config(n_latents=12, k=2, max_epochs=3, bin_width=0.1, n_shifts=50)
FLAGS = (
    PLAIN,
    "--n-latents=12",
    "--k=2",
    "--max-epochs=3",
    "--bin-width=0.1",
    "--n-shifts=50",
    "--quiet",
)
WHOLE = {"model.safetensors", "model.json", "run.toml", "metrics.json"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return [
        write_recording(
            folder / f"{name}.nwb",
            spike_times=poisson_spikes(n_units=4 + at, seed=at),
            identifier=name,
        )
        for at, name in enumerate(("left", "right"))
    ]


@pytest.fixture(scope="module")
def both(sources, tmp_path_factory):
    lines = []
    done = ns.fit_recording(
        sources, tmp_path_factory.mktemp("fit") / "both", FIT, notify=lines.append
    )
    return done, lines


def test_the_command_line_leaves_the_same(sources, both, tmp_path):
    done, _ = both
    assert {path.name for path in done.folder.iterdir()} == WHOLE
    assert run_cli("fit", *sources, "--out", tmp_path / "again", *FLAGS) == 0
    for name in WHOLE:
        here, there = (folder / name for folder in (done.folder, tmp_path / "again"))
        if name != "run.toml":
            assert here.read_bytes() == there.read_bytes(), name
    assert 'source = "left.nwb, right.nwb"' in (tmp_path / "again" / "run.toml").read_text()


def test_it_is_the_model_that_a_run_makes(sources, both, tmp_path):
    done, _ = both
    whole = ns.run(sources, tmp_path, FIT)
    for name in ("model.safetensors", "model.json", "run.toml"):
        assert (done.folder / name).read_bytes() == (tmp_path / name).read_bytes(), name
    assert whole.coder.id == done.coder.id == done.metrics["coder_id"]
    assert json.loads((done.folder / "metrics.json").read_text()) == done.metrics


def test_it_says_what_it_did_for_each_and_for_all(both):
    done, lines = both
    assert [line.partition(":")[0] for line in lines[:4]] == ["left", "right", "left", "right"]
    fit = f"fit 12 latents of 9 units in 2 sessions in {done.coder.record.history[-1]['update']}"
    assert lines[4].startswith(fit) and f"model id {done.coder.id}" in lines[4]


def test_encode_takes_the_part_of_the_recording(sources, both, tmp_path, capsys):
    done, _ = both
    out = tmp_path / "latents.nc"
    assert run_cli("encode", done.folder, sources[1], "--out", out) == 0
    part = ns.coder_of_session(done.coder, "right")
    expected = ns.encode(part, done.binned["right"])
    with xr.open_dataset(out) as found:
        np.testing.assert_array_equal(found["activation"], expected["activation"])
    other = write_recording(tmp_path / "other.nwb", spike_times=poisson_spikes(seed=9))
    capsys.readouterr()
    assert run_cli("encode", done.folder, other, "--out", tmp_path / "no.nc") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "other.nwb is none of the recordings that the coder was made from: left (sha256" in said


def test_what_needs_one_recording_says_that_it_holds_several(sources, both):
    with pytest.raises(BadInput, match=r"a model of several sessions \(left, right\) and"):
        ns.revisit(both[0].folder, source=sources[0])


def test_a_coder_is_not_replaced_unasked(sources, both):
    folder = both[0].folder
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(BadInput, match="already holds a coder"):
        ns.fit_recording(sources[0], folder, FIT)
    assert (folder / "model.safetensors").read_bytes() == before


def test_seeds_of_several_each_know_their_recordings(sources, tmp_path):
    done = ns.fit_recording(sources, tmp_path, FIT.replace(seeds=2))
    assert {path.name for path in tmp_path.iterdir()} == WHOLE | {
        "stability.nc",
        "seed-0",
        "seed-1",
    }
    for seed in (0, 1):
        assert ns.load(tmp_path / f"seed-{seed}").record.session_names == ("left", "right")
    assert done.stability is not None and done.stability.attrs["coder_id"] == done.coder.id


def test_a_stopped_fit_of_several_resumes_to_the_same_bytes(sources, both, tmp_path):
    class Stop(Exception):
        pass

    def stop(stage, done, total, **_):
        if done > total // 2:
            raise Stop

    with pytest.raises(Stop):
        ns.fit_recording(sources, tmp_path, FIT, progress=stop)
    with pytest.raises(BadInput, match="go on with --resume"):
        ns.fit_recording(sources, tmp_path, FIT)
    ns.fit_recording(sources, tmp_path, FIT, resume=True)
    assert {path.name for path in tmp_path.iterdir()} == WHOLE
    for name in ("model.safetensors", "model.json"):
        assert (tmp_path / name).read_bytes() == (both[0].folder / name).read_bytes(), name


def test_a_plan_of_several_counts_all_and_says_what_it_chose(sources):
    lines = []
    planned = plan(sources, FIT.replace(bin_width=None), notify=lines.append)
    assert planned.sessions == ("left", "right")
    assert planned.n_units == 9 and planned.config.n_latents == 12
    assert any("for all (chosen: what 'left' needs" in line for line in lines)
    assert plan(sources[0], FIT).sessions == ()


def test_strict_is_of_one_and_of_several(sources, tmp_path):
    spikes = poisson_spikes()
    spikes[1][5] = np.nan
    faulty = write_recording(tmp_path / "faulty.nwb", spike_times=spikes)
    out = tmp_path / "out"
    for source in (faulty, [sources[0], faulty]):
        for verb in (
            ns.run,
            ns.fit_recording,
            lambda source, _, *given, **more: plan(source, *given, **more),
        ):
            with pytest.raises(BadInput, match="1 NaN or infinite time dropped"):
                verb(source, out, FIT, strict=True)
    assert not out.exists()
