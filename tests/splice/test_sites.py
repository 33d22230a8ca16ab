"""Sites of any network: captured, replaced, and left without a trace whatever happened."""

from collections import OrderedDict, namedtuple

import pytest
import torch
from torch import nn

from nwbsparse.errors import BadInput
from nwbsparse.splice.ablations import identity, mean_of, only, resample_of, zero
from nwbsparse.splice.capture import capture
from nwbsparse.splice.replace import replace
from nwbsparse.splice.site import site

Pair = namedtuple("Pair", "hidden more")


class Giving(nn.Module):
    """Gives what it is told to make of its input."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, x):
        return self.make(x)


class Around(nn.Module):
    """A linear map, a part that gives something odd, and what takes the tensor out of it again."""

    def __init__(self, make, take):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.odd, self.take = nn.Linear(4, 4), Giving(make), take

    def forward(self, x):
        return self.take(self.odd(self.first(x)))


class Repeating(nn.Module):
    """One layer that is used three times in a pass."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.never = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        for _ in range(3):
            x = torch.tanh(self.layer(x))
        return x


def example(n=6):
    return torch.randn(n, 3, 4, generator=torch.Generator().manual_seed(1))


def plain():
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(first=nn.Linear(4, 4), act=nn.GELU(), last=nn.Linear(4, 2)))


def n_hooks(model):
    kinds = ("_forward_hooks", "_forward_pre_hooks")
    return sum(len(getattr(one, kind)) for one in model.modules() for kind in kinds)


def test_what_passes_is_captured_pass_after_pass():
    model, x = plain(), example()
    with capture(site(model, "act")) as seen:
        model(x[:2])
        model(x[2:])
    expected = model.act(model.first(x))
    torch.testing.assert_close(seen.activity, expected)
    assert not seen.activity.requires_grad and n_hooks(model) == 0


def test_gradients_reach_what_is_captured_where_that_is_asked_for():
    model, x = plain(), example()
    with capture(site(model, "act"), detach=False) as seen:
        out = model(x)
    torch.autograd.grad(out.sum(), seen.tensors[0])


def test_the_rest_of_the_network_sees_what_was_put_there():
    model, x = plain(), example()
    with replace(site(model, "act"), zero):
        out = model(x)
    torch.testing.assert_close(out, model.last.bias.expand(6, 3, 2))
    assert n_hooks(model) == 0


@pytest.mark.parametrize(
    ("make", "take", "options"),
    [
        (lambda x: (x, "more"), lambda y: y[0], {}),
        (lambda x: ("more", x), lambda y: y[1], {}),
        (lambda x: (x + 1, x), lambda y: y[1] + 0 * y[0], {"item": 1}),
        (lambda x: [x, x], lambda y: y[0], {"item": 0}),
        (lambda x: Pair(x, None), lambda y: y.hidden, {}),
        (lambda x: {"more": 3, "hidden": x}, lambda y: y["hidden"], {}),
        (lambda x: OrderedDict(a=x, hidden=x), lambda y: y["hidden"], {"item": "hidden"}),
        (lambda x: x.transpose(1, 2), lambda y: y.transpose(1, 2), {"axis": 1}),
    ],
)
def test_tuples_dicts_and_other_axes(make, take, options):
    model, x = Around(make, take), example()
    place = site(model, "odd", **options)
    base = model(x)
    with capture(place) as seen:
        model(x)
    torch.testing.assert_close(seen.activity, model.first(x))
    with replace(place, identity):
        assert torch.equal(model(x), base)
    with replace(place, lambda t: 2 * t):
        torch.testing.assert_close(model(x), 2 * base)


def test_the_error_term_keeps_what_the_function_missed():
    model, x = plain(), example()
    base, place = model(x), site(model, "first")
    rough = lambda t: t.round()  # noqa: E731
    edited = lambda t: only([1], zero)(t.round())  # noqa: E731
    with replace(place, rough):
        assert (model(x) - base).abs().max() > 0.01
    with replace(place, rough, error_term=True):
        assert torch.equal(model(x), base)
    with replace(place, edited, error_term=True, intact=rough), capture(place) as seen:
        model(x)
    before = model.first(x)
    expected = before.clone()
    expected[..., 1] -= before[..., 1].round()
    torch.testing.assert_close(seen.activity, expected)
    with (
        pytest.raises(BadInput, match="needs error_term=True"),
        replace(place, rough, intact=rough),
    ):
        model(x)


def test_a_module_that_is_used_several_times_is_replaced_every_time_or_once():
    model, x = Repeating(), example()
    place, layer = site(model, "layer"), model.layer
    with capture(place) as seen:
        model(x), model(x)
    assert seen.calls == [0, 1, 2, 0, 1, 2]
    assert seen.activity.shape == (36, 3, 4)
    with replace(place, zero):
        assert model(x).abs().max() == 0
    with replace(place, zero, call=1):
        made = model(x), model(x)
    expected = torch.tanh(layer(torch.zeros_like(x)))
    for one in made:
        torch.testing.assert_close(one, expected)
    with pytest.raises(BadInput, match="fewer than 4 times"), replace(place, zero, call=3):
        model(x)


def test_contexts_in_one_another():
    model, x = plain(), example()
    first, last = site(model, "first"), site(model, "last")
    with replace(first, zero):
        with replace(last, lambda t: t + 1), capture(first) as seen:
            out = model(x)
        again = model(x)
    assert seen.activity.abs().max() == 0, "inside of a replacement its result is seen"
    torch.testing.assert_close(out, again + 1)
    assert n_hooks(model) == 0
    with replace(first, lambda t: t + 1), replace(first, lambda t: 2 * t), capture(first) as seen:
        model(x)
    torch.testing.assert_close(seen.activity, 2 * (model.first(x) + 1))


@pytest.mark.parametrize("where", ["model", "function", "with"])
def test_no_hook_remains_after_an_exception(where):
    model, x = plain(), example()
    place = site(model, "act")
    fused = torch.backends.mha.get_fastpath_enabled()

    def fail(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), capture(place), replace(place, fail):  # noqa: PT012
        if where == "with":
            raise ZeroDivisionError
        model(x if where == "function" else fail(x))
    assert n_hooks(model) == 0
    assert torch.backends.mha.get_fastpath_enabled() is fused


def test_a_site_that_is_not_there_is_answered_with_those_near_it():
    with pytest.raises(BadInput, match="no site 'frist'; did you mean 'first'"):
        site(plain(), "frist")


@pytest.mark.parametrize("enter", [capture, lambda place: replace(place, identity)])
def test_a_site_that_never_fires_is_an_error(enter):
    model = Repeating()
    with pytest.raises(BadInput, match="'never' never gave anything"), enter(site(model, "never")):
        model(example())
    assert n_hooks(model) == 0


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (lambda x: x, {"item": 1}, "gives one tensor: there is no entry 1"),
        (lambda x: (x, x), {"item": 2}, "no entry '2'"),
        (lambda x: (x, "more"), {"item": 1}, "gives a str in entry 1"),
        (lambda x: ("more",), {}, "gives no tensor"),
        (lambda x: object(), {}, "gives a object: neither a tensor nor"),
        (lambda x: x, {"axis": 3}, "there is no axis 3"),
    ],
)
def test_outputs_without_a_tensor_are_refused(make, options, words):
    model = Around(make, lambda y: y)
    with pytest.raises(BadInput, match=words), capture(site(model, "odd", **options)):
        model(example())
    assert n_hooks(model) == 0


def test_what_is_put_there_keeps_the_shape():
    model = plain()
    with (
        pytest.raises(BadInput, match=r"gave \(6, 3, 3\)"),
        replace(site(model, "act"), lambda t: t[..., :3]),
    ):
        model(example())


def test_ablations():
    x = example()
    torch.testing.assert_close(mean_of(x)(x)[0, 0], x.mean(dim=(0, 1)))
    made = only([0, 2], mean_of(x))(x)
    assert torch.equal(made[..., [1, 3]], x[..., [1, 3]])
    torch.testing.assert_close(made[..., 0], x[..., 0].mean().expand(6, 3))
    assert torch.equal(only([], zero)(x), x)
    with pytest.raises(BadInput, match="there are 4 dims"):
        only([4], zero)(x)


def test_resampled_trials_are_whole_trials_of_others_and_follow_the_seed():
    x = example()
    change = resample_of(x, seed=3)
    made = [change(x), change(x)]
    for one in made:
        for trial in one:
            assert (x == trial).all(dim=(1, 2)).any()
    assert not torch.equal(*made)
    again = resample_of(x, seed=3)
    assert torch.equal(again(x), made[0]) and torch.equal(again(x), made[1])
    with pytest.raises(BadInput, match="capture the same site"):
        change(x[:, :2])
