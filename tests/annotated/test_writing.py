"""Writing: the source is never touched, the target is complete or absent, anyone can read it."""

import errno
import hashlib
import subprocess
import sys

import h5py
import numpy as np
import pynwb
import pytest
from pynwb import NWBHDF5IO

from make.recordings import damaged, replace_dataset
from nwbsparse.annotated.write import modes as export
from nwbsparse.errors import BadInput, EnvironmentProblem, IntegrityError
from nwbsparse.results.results import open_results, write


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(path):
    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        kinds = {key: type(thing).__name__ for key, thing in nwbfile.objects.items()}
        return set(nwbfile.acquisition), kinds


@pytest.mark.fault(13)
@pytest.mark.parametrize("mode", ["derived", "link"])
def test_the_recording_can_be_opened_for_writing_afterwards(small, tmp_path, mode):
    source, results = small
    write(results, source.parent / f"{tmp_path.name}_{mode}.nwb", mode)
    with h5py.File(source, "r+") as file:
        assert "units" in file


@pytest.mark.fault(1)
def test_the_source_keeps_every_byte(rich):
    assert digest(rich[0]) == rich[3]


def test_raw_data_are_left_out_and_everything_else_in_acquisition_stays(rich):
    source, _, path, _ = rich
    assert contents(source)[0] == {"raw", "referred", "running"}
    assert contents(path)[0] == {"running"}


def test_raw_data_that_trials_refer_to_stay(rich_recording, quick_analysis, tmp_path):
    source = rich_recording(tmp_path / "source.nwb", referring=True)
    path = write(quick_analysis(source), tmp_path / "a.nwb")
    assert contents(path)[0] == {"referred", "running"}
    with NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        assert nwbfile.trials["timeseries"][0][0].timeseries is nwbfile.acquisition["referred"]
        assert len(nwbfile.acquisition["referred"].data) == 20_000


def test_an_lfp_that_shares_the_electrodes_of_raw_data_survives(
    rich_recording, quick_analysis, tmp_path
):
    source = rich_recording(tmp_path / "source.nwb", sharing=True)
    path = write(quick_analysis(source), tmp_path / "a.nwb")
    with NWBHDF5IO(path, "r") as io:
        lfp = io.read().processing["ecephys"]["LFP"]["lfp"]
        assert len(lfp.data) == 1000 and lfp.electrodes["location"][0] == "CA1"


def test_every_other_object_keeps_its_id_and_type(rich):
    source, _, path, _ = rich
    before, after = contents(source)[1], contents(path)[1]
    missing = [kind for key, kind in before.items() if after.get(key) != kind]
    # the raw series and their regions, which have no meaning without them
    assert set(missing) <= {"ElectricalSeries", "DynamicTableRegion"}
    assert missing.count("ElectricalSeries") == 2 and len(after) > len(before)


def test_validation_finds_nothing_that_the_source_does_not_have(rich):
    source, _, path, _ = rich
    said = [{str(error) for error in pynwb.validate(path=str(one))} for one in (source, path)]
    assert said[1] <= said[0]


@pytest.mark.slow
def test_nwbinspector_finds_nothing_critical_that_the_source_does_not_have(rich):
    source, _, path, _ = rich
    code = """
import sys, warnings
warnings.simplefilter("ignore")
from nwbinspector import inspect_nwbfile, load_config
for message in inspect_nwbfile(nwbfile_path=sys.argv[1], config=load_config("dandi")):
    if message.importance.name in ("CRITICAL", "ERROR", "PYNWB_VALIDATION"):
        print(message.importance.name, message.check_function_name, message.object_type)
print("done")
"""
    found = []
    for one in (source, path):
        done = subprocess.run(
            [sys.executable, "-c", code, str(one)], capture_output=True, text=True, check=True
        )
        assert done.stdout.endswith("done\n")
        found.append(set(done.stdout.splitlines()))
    assert found[1] <= found[0]


BLOCKED = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("ndx_sparse_latents", "nwbsparse", "scipy", "torch"):
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Wall())
from pynwb import NWBHDF5IO
with NWBHDF5IO(sys.argv[1], "r") as io:
    model = io.read().processing["sparse_latents"]["latents"]
    table = model.latents.to_dataframe()
    series = model.latent_activation_series["activations"]
    print(model.neurodata_type, len(table), "best_variable" in table, series.data.shape)
    print(float(series.data[:].sum()), model.input_population["source_id"][:].tolist())
assert not {"scipy", "nwbsparse", "ndx_sparse_latents", "torch"} & set(sys.modules)
"""


def test_a_reader_needs_pynwb_alone(rich):
    _, results, path, _ = rich
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = done.stdout.splitlines()[:2]
    activation = results.latents["activation"].values
    assert first == f"SparseLatentModel 16 True {activation.shape}"
    assert float(second.split()[0]) == pytest.approx(float(activation.sum()), rel=1e-4)
    assert second.endswith("[0, 1, 2, 3]")


# targets


def test_an_existing_target_is_kept_unless_it_may_be_replaced(rich, tmp_path):
    _, results, _, _ = rich
    target = tmp_path / "there.nwb"
    target.write_text("mine")
    with pytest.raises(BadInput, match="exists; use --overwrite"):
        write(results, target)
    assert target.read_text() == "mine" and names_in(tmp_path) == ["there.nwb"]
    assert open_results(write(results, target, overwrite=True)).coder.id == results.coder.id
    assert names_in(tmp_path) == ["there.nwb"]


@pytest.mark.fault(15)
@pytest.mark.parametrize("way", ["plain", "link", "detour"])
def test_the_source_is_never_a_target(rich, tmp_path, way):
    source, results, _, before = rich
    target = source
    if way == "link":
        target = tmp_path / "link.nwb"
        target.symlink_to(source)
    elif way == "detour":
        target = source.parent / "out" / ".." / source.name
    with pytest.raises(BadInput, match="source itself"):
        write(results, target, overwrite=True)
    assert digest(source) == before


@pytest.mark.fault(19)
def test_a_source_that_changed_since_it_was_read_is_refused(small, tmp_path):
    source, results = small
    with damaged(source) as file:
        times = file["/units/spike_times"][:]
        times[0] += 1e-3
        replace_dataset(file, "/units/spike_times", times)
    with pytest.raises(BadInput, match="changed since it was read"):
        write(results, tmp_path / "out" / "a.nwb")
    assert not (tmp_path / "out").exists()


def fail_half_way(error):
    def export(self, **arguments):
        with open(self.source, "wb") as stream:  # noqa: PTH123
            stream.write(b"half of it")
        raise error

    return export


@pytest.mark.fault(6)
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), EnvironmentProblem),
        (RuntimeError("something else"), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["disk full", "bug", "interrupted"],
)
def test_a_failure_half_way_leaves_nothing_behind(
    rich, tmp_path, monkeypatch, error, raised, there
):
    source, results, _, before = rich
    target = tmp_path / "a.nwb"
    if there:
        target.write_text("the previous one")
    monkeypatch.setattr(NWBHDF5IO, "export", fail_half_way(error))
    with pytest.raises(raised) as caught:
        write(results, target, overwrite=there)
    assert names_in(tmp_path) == ["a.nwb"] * there
    assert not there or target.read_text() == "the previous one"
    assert digest(source) == before
    if raised is EnvironmentProblem:
        assert "rich.nwb is unchanged" in str(caught.value) and caught.value.exit_code == 3


@pytest.mark.fault(10)
def test_a_folder_that_cannot_be_made_is_a_problem_of_the_environment(rich, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="cannot be written to") as caught:
        write(rich[1], tmp_path / "file" / "below" / "a.nwb")
    assert caught.value.exit_code == 3
    assert names_in(tmp_path) == ["file"]


@pytest.mark.fault(48)
def test_a_result_that_does_not_read_back_is_not_committed(rich, tmp_path, monkeypatch):
    _, results, _, _ = rich
    original = export.packed

    def spoilt(array):
        wrong = np.array(array)
        if wrong.shape == results.latents["activation"].shape:
            wrong[0, 0] += 1
        return original(wrong)

    monkeypatch.setattr(export, "packed", spoilt)
    with pytest.raises(IntegrityError, match=r"latents\.activation"):
        write(results, tmp_path / "a.nwb")
    assert not names_in(tmp_path)


@pytest.mark.fault(17)
@pytest.mark.parametrize("where", ["parameters", "hyperparameters"])
def test_a_stored_coder_that_was_tampered_with_is_refused(small, tmp_path, where):
    path = write(small[1], tmp_path / "a.nwb")
    name = f"/processing/sparse_latents/latents/{where}"
    with damaged(path) as file:
        if where == "parameters":
            values = file[name][:]
            values[-5] ^= 1
            replace_dataset(file, name, values)
        else:
            replace_dataset(file, name, file[name][()].decode()[:-20])
    with pytest.raises(IntegrityError) as caught:
        open_results(path)
    assert caught.value.exit_code == 5
