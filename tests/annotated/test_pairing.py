"""Parts of different coders or recordings never meet in one file."""

from dataclasses import replace

import pytest

from make.cli_runs import run_cli
from make.configs import plain_config
from make.recordings import damaged, laps, poisson_spikes, write_recording
from make.results import made_results
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.results.results import open_results, write
from nwbsparse.runs.prepare import prepare
from nwbsparse.runs.run_sessions import run_sessions

QUICK = plain_config(bin_width=0.1, n_latents=8, k=2, max_epochs=2, batch_size=100, n_shifts=50)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = write_recording(tmp_path_factory.mktemp("paired") / "a.nwb")
    return made_results(path), made_results(path, seed=5)


@pytest.mark.parametrize("part", ["latents", "metrics", "attribution"])
def test_parts_of_another_coder_are_refused(made, tmp_path, part):
    results, other = made
    with pytest.raises(BadInput, match=f"the {part} are of the coder {other.coder.id}, not of"):
        write(replace(results, **{part: getattr(other, part)}), tmp_path / "a.nwb")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    """Two recordings whose units have the same ids, and what was learned from both."""
    folder = tmp_path_factory.mktemp("joint")
    sources = [
        write_recording(
            folder / f"{name}.nwb", spike_times=poisson_spikes(seed=seed), trials=laps()
        )
        for seed, name in enumerate(("monday", "tuesday"))
    ]
    return run_sessions(sources, folder / "out", QUICK).runs


def test_results_of_one_session_are_not_written_beside_the_other(joint, tmp_path):
    monday, tuesday = (joint[name].results for name in ("monday", "tuesday"))
    with pytest.raises(BadInput, match="the latents were made from another recording"):
        write(replace(monday, session=tuesday.session), tmp_path / "a.nwb")
    binned = prepare(tuesday.session, monday.config)
    swapped = replace(monday, session=tuesday.session, latents=encode(monday.coder, binned))
    with pytest.raises(BadInput, match="the coder is the part for the session 'monday'"):
        write(swapped, tmp_path / "a.nwb")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_what_was_opened_from_an_annotated_copy_is_written_again(joint, tmp_path):
    again = open_results(joint["monday"].nwb)
    encoded = encode(again.coder, prepare(again.session, again.config))
    for number, latents in enumerate((again.latents, encoded)):
        path = write(replace(again, latents=latents), tmp_path / f"{number}.nwb", replace=True)
        assert open_results(path).coder.id == again.coder.id
    copy = write(open_results(path), tmp_path / "copy.nwb", replace=True)
    assert run_cli("label", copy, "--latent=0", "--name", "first") == 0
    assert open_results(copy).coder.id == again.coder.id


@pytest.mark.slow
def test_a_linked_file_may_lead_to_an_annotated_one(joint, made, tmp_path):
    annotated = tmp_path / "annotated.nwb"
    annotated.write_bytes(joint["monday"].nwb.read_bytes())
    results = open_results(annotated)
    replaced = write(results, tmp_path / "replaced.nwb", "link", replace=True)
    assert open_results(replaced).coder.id == results.coder.id
    second = write(made_results(annotated, name="second"), tmp_path / "second.nwb", "link")
    assert open_results(second, result="second").coder.id != results.coder.id
    assert open_results(second, result="latents").coder.id == results.coder.id


def test_a_result_without_checksums_is_said_to_have_none(made, tmp_path):
    path = write(made[0], tmp_path / "a.nwb")
    with damaged(path) as file:
        file["processing/sparse_latents/latents/environment"][()] = "{}"
    with pytest.raises(IntegrityError, match="'latents' has no checksums: nwbsparse did not write"):
        open_results(path)
