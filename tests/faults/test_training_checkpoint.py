"""Faults of checkpoints: another training's, damaged ones, and disks that fail while saving."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from make.configs import plain_config
from make.fits import KINDS, at_start_of_update, everything, raises
from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.errors import BadInput, IntegrityError, NwbsparseError
from nwbsparse.training.fit import fit
from nwbsparse.training.saved import FILE

CONFIG = plain_config(**KINDS["batch_topk"], batch_size=64, max_epochs=4)


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(700))


@pytest.fixture(scope="module")
def expected(data):
    return everything(fit(data, CONFIG))


def interrupted(data, folder, config=CONFIG, *, update=11, **more):
    with pytest.MonkeyPatch.context() as patch:
        at_start_of_update(patch, update, raises(signal.SIGTERM))
        with pytest.raises(KeyboardInterrupt):
            fit(data, config, checkpoint=folder, **more)
    return folder / FILE


@pytest.fixture(scope="module")
def content(data, tmp_path_factory):
    """The bytes of a checkpoint half-way."""
    return interrupted(data, tmp_path_factory.mktemp("half")).read_bytes()


@pytest.fixture
def folder(content, tmp_path):
    (tmp_path / FILE).write_bytes(content)
    return tmp_path


@pytest.mark.fault(54)
@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 1e-3},
        {"seed": 1},
        {"order_seed": 1},
        {"k": 4},
        {"n_latents": 33},
        {"batch_size": 32},
        {"max_epochs": 5},
        {"sparsifier": "topk"},
        {"precision": "float64"},
        {"patience": 6},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_options_are_refused_by_name(change, data, folder, content):
    (name, now), *_ = change.items()
    then = getattr(CONFIG, name)
    with pytest.raises(BadInput, match=rf"\b{name} \({then!r} then, {now!r} now\)") as refused:
        fit(data, CONFIG.replace(**change), checkpoint=folder, resume=True)
    assert str(folder / FILE) in str(refused.value)
    assert (folder / FILE).read_bytes() == content, "a refusal changes nothing"


def with_one_spike_more(data):
    other = data.copy(deep=True)
    other["counts"].values[333, 4] += 1
    return other


def with_a_bin_moved(data):
    other = data.copy(deep=True)
    parts = other["split"].values
    parts[np.flatnonzero(parts == names.TRAIN)[0]] = names.GAP
    return other


def with_a_unit_unobserved(data):
    valid = np.ones(data["counts"].shape, bool)
    valid[300:320, 2] = False
    return data.assign(valid=(("time", "unit"), valid))


def with_another_segment(data):
    segments = np.zeros(data.sizes["time"], np.int32)
    segments[350:] = 1
    return data.assign_coords(segment=("time", segments))


@pytest.mark.fault(54)
@pytest.mark.parametrize(
    "change", [with_one_spike_more, with_a_bin_moved, with_a_unit_unobserved, with_another_segment]
)
def test_other_data_are_refused(change, data, folder):
    with pytest.raises(BadInput, match="belongs to another training: bins"):
        fit(change(data), CONFIG, checkpoint=folder, resume=True)


@pytest.mark.fault(54)
def test_another_target_is_refused(data, tmp_path):
    target = data.assign_coords(unit_id=("unit", [f"t{i}" for i in range(16)]))
    interrupted(data, tmp_path, target=target)
    with pytest.raises(BadInput, match="belongs to another training: bins"):
        fit(data, CONFIG, target=with_one_spike_more(target), checkpoint=tmp_path, resume=True)


@pytest.mark.fault(55)
def test_the_same_units_in_another_order_are_refused(data, folder):
    # two units that never fired look the same in the counts; only their names tell them apart
    swapped = data["unit_id"].values[[1, 0, *range(2, 16)]]
    renamed = data.assign_coords(unit_id=("unit", swapped))
    with pytest.raises(BadInput, match="belongs to another training: units"):
        fit(renamed, CONFIG, checkpoint=folder, resume=True)
    with pytest.raises(BadInput, match=r"bins .*units"):
        fit(data.isel(unit=[1, 0, *range(2, 16)]), CONFIG, checkpoint=folder, resume=True)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.02, 0.3, 0.9, 0.9999])
def test_a_truncated_checkpoint_is_refused(share, data, folder, content):
    (folder / FILE).write_bytes(content[: int(share * len(content))])
    with pytest.raises(IntegrityError, match=r"is damaged.*remove it to train from the beginning"):
        fit(data, CONFIG, checkpoint=folder, resume=True)


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_bit_anywhere_is_found(seed, data, folder, content):
    # the words stand at the beginning, the numbers after them: damage both
    rng = np.random.default_rng(seed)
    begin = int.from_bytes(content[:8], "little") + 8
    place = int(rng.integers(begin, len(content)) if seed % 2 else rng.integers(begin))
    damaged = bytearray(content)
    damaged[place] ^= 1 << int(rng.integers(8))
    (folder / FILE).write_bytes(bytes(damaged))
    with pytest.raises(IntegrityError, match="is damaged"):
        fit(data, CONFIG, checkpoint=folder, resume=True)


def test_a_file_that_is_no_checkpoint_is_refused(data, folder):
    save_file({"weight": torch.zeros(3)}, folder / FILE)
    with pytest.raises(IntegrityError, match="is damaged"):
        fit(data, CONFIG, checkpoint=folder, resume=True)
    save_file({"weight": torch.zeros(3)}, folder / FILE, metadata={"nwbsparse": "[1, 2]"})
    with pytest.raises(IntegrityError, match="is damaged"):
        fit(data, CONFIG, checkpoint=folder, resume=True)


CHILD = """
    import os, resource, signal, sys
    sys.path.insert(0, {tests!r})
    from make.fits import KINDS
    from make.configs import plain_config
    from nwbsparse.errors import EnvironmentProblem
    from nwbsparse.training.fit import fit
    from make.sessions import make_binned, planted

    def train(**more):
        config = plain_config(**KINDS["batch_topk"], batch_size=64, max_epochs=4)
        fit(make_binned(planted(700)), config, checkpoint={folder!r}, resume=True, **more)

"""


def in_child(lines, folder, request):
    """Run lines in a process of their own; what it said and how it ended."""
    start = textwrap.dedent(CHILD).format(
        tests=str(request.config.rootpath / "tests"), folder=folder
    )
    return subprocess.run(
        [sys.executable, "-c", start + textwrap.dedent(lines)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.fault(53)
def test_a_kill_in_the_middle_of_saving_leaves_the_earlier_checkpoint(
    data, folder, content, expected, request
):
    killed = in_child(
        """
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        train()
        """,
        str(folder),
        request,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (folder / FILE).read_bytes() == content
    assert everything(fit(data, CONFIG, checkpoint=folder, resume=True)) == expected
    assert [path.name for path in folder.iterdir()] == [FILE], "the unfinished file was taken over"


@pytest.mark.fault(53)
def test_a_full_disk_while_saving_leaves_the_earlier_checkpoint(
    data, folder, content, expected, request
):
    full = in_child(
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        try:
            train()
        except EnvironmentProblem as error:
            sys.exit(f"refused: {error}")
        """,
        str(folder),
        request,
    )
    assert full.returncode == 1
    assert "refused:" in full.stderr
    assert f"{folder / FILE} cannot be written: File too large" in full.stderr
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert (folder / FILE).read_bytes() == content
    assert everything(fit(data, CONFIG, checkpoint=folder, resume=True)) == expected


@pytest.mark.fault(53)
def test_a_folder_that_cannot_be_made_is_said(data, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NwbsparseError, match="cannot be written") as refused:
        fit(data, CONFIG, checkpoint=tmp_path / "file" / "folder")
    assert refused.value.exit_code == 3
