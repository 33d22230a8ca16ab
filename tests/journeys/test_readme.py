"""The code of the README, run as it stands there."""

import re
import shutil

import numpy as np
import pytest

from make.recordings import circle, poisson_spikes, write_recording
from nwbsparse.training import learn


@pytest.fixture(scope="module")
def blocks(request):
    text = (request.config.rootpath / "README.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, flags=re.S)


@pytest.fixture
def recording(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spikes = poisson_spikes(n_units=5, stop=300.0)
    return write_recording(
        tmp_path / "recording.nwb", spike_times=spikes, position=circle(n=15_000)
    )


def test_the_quickstart_and_the_reading_without_us_run(
    blocks, recording, tmp_path, capsys, monkeypatch
):
    for phase in ("SEED_UPDATES", "REFIT_UPDATES"):
        monkeypatch.setattr(learn, phase, 60)
    before = recording.read_bytes()
    quickstart, without_us = blocks
    names = {}
    exec(quickstart, names)
    assert names["again"].coder.id == names["coder"].id
    assert recording.read_bytes() == before
    shutil.copy(tmp_path / "recording_sparse.nwb", tmp_path / "copy.nwb")
    exec(without_us, names)
    assert names["activations"].shape == names["latents"]["activation"].shape
    assert len(names["table"]) == names["coder"].n_latents
    assert np.isfinite(names["table"]["density"]).all()
    capsys.readouterr()
