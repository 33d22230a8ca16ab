from pathlib import Path

import pytest
from pynwb import NWBHDF5IO

from ndx_sparse_latents.testing import mock_NWBFile, mock_SparseLatentModel


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> Path:
    """A file with a full model and a minimal one for windows of three lags."""
    path = tmp_path_factory.mktemp("written") / "sub-A_ses-1_desc-latents_ecephys.nwb"
    file = mock_NWBFile()
    mock_SparseLatentModel(file=file)
    mock_SparseLatentModel(name="minimal", file=file, num_lags=3, optional=False)
    with NWBHDF5IO(path, "w") as io:
        io.write(file)
    return path


@pytest.fixture
def models(written):
    """The models of that file, read back."""
    with NWBHDF5IO(written, "r") as io:
        yield io.read().processing["sparse_latents"].data_interfaces
