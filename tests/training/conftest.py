"""What several tests of trainings share."""

import pytest

from nwbsparse.training import choose as choosing
from nwbsparse.training import learn as learning


@pytest.fixture
def quick(monkeypatch):
    """Few updates: for what does not hang on how well anything was learned."""
    monkeypatch.setattr(learning, "SEED_UPDATES", 30)
    monkeypatch.setattr(learning, "REFIT_UPDATES", 20)
    monkeypatch.setattr(choosing, "UPDATES", 20)
