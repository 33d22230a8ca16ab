"""A decoder whose every dim is known, and a coder of its site."""

import pytest

from make.planted_network import SITE, planted
from nwbsparse.analysis.network.site_dataset import site_config, site_dataset
from nwbsparse.training.fit import fit


@pytest.fixture(scope="session")
def known():
    """(trials, sessions, decoder)."""
    return planted()


@pytest.fixture(scope="session")
def site_data(known):
    trials, sessions, model = known
    return site_dataset(model, trials, sessions, at=SITE)


@pytest.fixture(scope="session")
def coder(site_data):
    return fit(site_data, site_config(n_latents=16, k=3, levels=(), max_epochs=40))
