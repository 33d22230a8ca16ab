"""What a column of an interval table says: the rules, one by one."""

import numpy as np
import pytest

from nwbsparse.io.rules.columns import column_kind

N = 40
START = np.arange(N) * 10.0
STOP = START + 8.0
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("id", np.arange(N), "identifier"),
        ("id", np.zeros(N), "identifier"),
        ("experiment", np.full(N, 71.0), "constant"),
        ("all_missing", np.full(N, np.nan), "constant"),
        ("laser", np.where(np.arange(N) % 2, np.nan, 5.0), "constant"),
        ("clip", np.array([f"clip {i}.mp4" for i in range(N)]), "identifier"),
        ("frame", np.array([f"frame {i % 25}" for i in range(N)]), "identifier"),
        ("side", np.array(["left", "right"] * (N // 2)), "category"),
        ("picture", np.array([f"picture {i % 15}" for i in range(N)]), "category"),
        ("good", np.arange(N) % 3 == 0, "category"),
        ("response_time", START + RNG.uniform(0, 8, N), "event time"),
        ("cue", START + 1.0, "event time"),
        ("cue_start_time", RNG.uniform(4, 9, N), "event time"),
        ("reaction_time", RNG.uniform(0.2, 2, N), "continuous"),
        ("RT", RNG.uniform(0.2, 2, N), "continuous"),
        ("trial_num", np.arange(1, N + 1, dtype=np.uint8), "identifier"),
        ("trial_in_block", np.tile(np.arange(1, 21), 2), "identifier"),
        ("stimCategory", np.tile([0, 1, 2, 0], N // 4), "category"),
        ("accuracy", np.tile([1.0, 2.0], N // 2), "category"),
        ("contrast", np.tile([0.1, 0.5, 0.9, np.nan], N // 4), "category"),
        ("n_licks", RNG.integers(0, 1000, N), "continuous"),
    ],
)
def test_the_kind_of_a_column(name, values, kind):
    assert column_kind(name, values, START, STOP) == kind


def test_a_table_without_rows_has_constant_columns():
    empty = np.empty(0)
    assert column_kind("side", empty, empty, empty) == "constant"
