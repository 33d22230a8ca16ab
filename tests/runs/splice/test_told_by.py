"""Which variables say what another one is."""

import torch

from nwbsparse.runs.splice.told_by import told_by
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.heads import Head

HEADS = {"direction": Head("category", 8), "orientation": Head("category", 4),
         "frequency": Head("category", 3), "genotype": Head("category", 2)}  # fmt: skip


def session(name, genotype):
    direction = torch.arange(48) % 8
    targets = {
        "direction": direction,
        "orientation": direction % 4,
        "frequency": (torch.arange(48) // 8) % 3,
        "genotype": torch.full((48,), genotype),
    }
    targets["orientation"][0] = -1
    return SessionTrials(name, torch.zeros(48, 2, 3), targets, torch.zeros(48, dtype=torch.long))


def test_a_direction_says_its_orientation_and_nothing_says_anything_else():
    assert told_by([session("a", 0), session("b", 1)], HEADS) == [("direction", "orientation")]
    assert told_by([session("a", 0)], {"direction": HEADS["direction"]}) == []
