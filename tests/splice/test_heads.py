"""What heads say: 1 where nothing is known, 0 where all is, and the answer in the variable's own terms."""

import math

import pytest
import torch

from nwbsparse.errors import BadInput
from nwbsparse.splice.heads import Head, Readout

CATEGORY = Head("category", 4, values=("a", "b", "c", "d"))
CIRCULAR = Head("circular", period=180.0)
NUMBERS = Head("continuous", 2)


def readout(head):
    torch.manual_seed(0)
    return Readout(head, 8)


@pytest.mark.parametrize(
    ("head", "output", "target"),
    [
        (CATEGORY, torch.zeros(4, 4), torch.arange(4)),
        (CIRCULAR, torch.zeros(4, 2), torch.tensor([0.0, 50.0, 90.0, 179.0])),
        (NUMBERS, torch.zeros(4, 2), torch.tensor([[1.0, -1.0], [-1.0, 1.0]] * 2)),
    ],
)
def test_the_loss_is_one_where_nothing_is_known(head, output, target):
    one = readout(head)
    one.scale([target]) if head is NUMBERS else None
    assert float(one.losses(output, target).mean()) == pytest.approx(1.0, abs=1e-5)


def test_the_loss_is_nothing_where_all_is_known():
    sure = 30.0 * torch.eye(4)
    assert float(readout(CATEGORY).losses(sure, torch.arange(4)).max()) < 1e-6
    angle = torch.tensor([10.0, 170.0])
    turned = angle * 2 * math.pi / 180
    exact = torch.stack([torch.cos(turned), torch.sin(turned)], dim=-1)
    assert float(readout(CIRCULAR).losses(exact, angle).max()) < 1e-6


def test_trials_without_a_value_cost_nothing_and_leave_no_nan_in_the_gradient():
    for head, target in [
        (CATEGORY, torch.tensor([1, -1])),
        (CIRCULAR, torch.tensor([20.0, torch.nan])),
        (NUMBERS, torch.tensor([[1.0, 2.0], [torch.nan, 1.0]])),
    ]:
        one = readout(head)
        lost = one.losses(one(torch.randn(2, 8)), target)
        lost.sum().backward()
        assert head.present(target).tolist() == [True, False]
        assert lost[0] > 0 and lost[1] == 0
        assert torch.isfinite(one.linear.weight.grad).all()


def test_answers_are_in_the_terms_of_the_variable():
    angles = torch.tensor([0.0, 45.0, 91.0, 179.0])
    turned = angles * 2 * math.pi / 180
    output = 3 * torch.stack([torch.cos(turned), torch.sin(turned)], dim=-1)
    torch.testing.assert_close(readout(CIRCULAR).predicted(output), angles, atol=1e-3, rtol=0)
    numbers = readout(NUMBERS)
    values = torch.tensor([[10.0, 0.1], [30.0, 0.5], [torch.nan, 9.0]])
    numbers.scale([values])
    z = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    torch.testing.assert_close(numbers.predicted(z), values[:2])
    assert readout(CATEGORY).predicted(torch.eye(4)).tolist() == [0, 1, 2, 3]


def test_a_number_that_never_changes_gives_no_nan():
    one = readout(Head("continuous"))
    one.scale([torch.full((5, 1), 3.0)])
    assert float(one.losses(torch.zeros(2, 1), torch.full((2, 1), 3.0)).sum()) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "categorical", "size": 3}, "kind is 'categorical'; there are category"),
        ({"kind": "category", "size": 1}, "a label with one value says nothing"),
        ({"kind": "circular"}, "needs the period"),
        ({"kind": "circular", "period": 1.0, "size": 2}, "is one number, not 2"),
        ({"kind": "category", "size": 3, "values": ("a",)}, "1 values are named"),
        ({"kind": "continuous", "per": "time"}, "per is 'time'"),
    ],
)
def test_a_head_that_contradicts_itself_is_refused(options, words):
    with pytest.raises(BadInput, match=words):
        Head(**options)
