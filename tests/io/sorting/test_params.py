"""params.py: what it states is read, nothing in it is run."""

import numpy as np
import pytest

from nwbsparse.errors import BadInput
from nwbsparse.io.sorting.folder import read_sorting_folder


def write_folder(folder, params):
    folder.mkdir()
    np.save(folder / "spike_times.npy", np.array([30, 60]))
    np.save(folder / "spike_clusters.npy", np.array([0, 0]))
    (folder / "params.py").write_text(params)
    return folder


@pytest.mark.parametrize("rate", ["np.float64(30000.0)", "numpy.int64(30000)", "float(30000)"])
def test_numbers_that_numpy_shows_with_their_type_are_read_and_never_run(tmp_path, rate):
    lines = f"sample_rate = {rate}\ndat_path = [PosixPath('a.bin')]\ndtype = np.dtype('int16')\n"
    folder = write_folder(tmp_path / "ks", lines)
    session = read_sorting_folder(folder, strict=True)
    assert session.spike_times.tolist() == [0.001, 0.002]
    odd = f"sample_rate = {rate}\nx = np.load('a')\ny = os.float64(1)\nz = np.float64(len('a'))\n"
    folder = write_folder(tmp_path / "odd", odd)
    with pytest.raises(BadInput, match=r"line 2 .*line 3 .*line 4 "):
        read_sorting_folder(folder, strict=True)
