"""The step size over a training."""

import numpy as np
import pytest

from nwbsparse.models.schedule import step_size

KINDS = ("trapezoid", "cosine", "constant")


def test_the_step_size_warms_up_stays_and_falls_to_a_hundredth():
    steps = [step_size(update, 1000) for update in range(1000)]
    assert steps[0] == pytest.approx(0.01)
    assert np.all(np.diff(steps[:100]) > 0)
    assert set(steps[100:500]) == {1.0}
    assert np.all(np.diff(steps[500:]) < 0)
    assert steps[-1] == pytest.approx(0.01, abs=1e-4)


def test_the_cosine_falls_from_the_end_of_the_warm_up():
    steps = [step_size(update, 1000, "cosine") for update in range(1000)]
    assert np.all(np.diff(steps[:100]) > 0)
    assert steps[100] == pytest.approx(1)
    assert np.all(np.diff(steps[101:]) < 0)
    assert steps[550] == pytest.approx(0.505, abs=1e-3), "half-way between 1 and a hundredth"
    assert steps[-1] == pytest.approx(0.01, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("total", [1, 2, 7, 10, 11])
def test_even_the_shortest_training_takes_steps(kind, total):
    assert all(0 < step_size(update, total, kind) <= 1 for update in range(total))
