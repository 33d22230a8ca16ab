"""CEBRA is computed more quickly than in its package: the same pairs, network and loss."""

import json

import numpy as np
import pytest

from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.embedding.rows import rows_of
from nwbsparse.embedding.supervision import Covariates, covariates_for

cebra_package = pytest.importorskip("nwbsparse.embedding.cebra_package")
pytest.importorskip("cebra")
torch = pytest.importorskip("torch")

from nwbsparse.embedding.cebra import SETTINGS, _criterion, network  # noqa: E402
from nwbsparse.embedding.cebra_convolutions import time_first  # noqa: E402
from nwbsparse.embedding.cebra_nearest import Nearest  # noqa: E402
from nwbsparse.embedding.cebra_sampling import dataset_of, loader_of, seed_samplers  # noqa: E402
from nwbsparse.embedding.cebra_training import train  # noqa: E402

CONVOLUTIONS = (
    "offset10-model", "offset5-model", "offset36-model", "offset10-model-mse", "offset20-model"
)  # fmt: skip


@pytest.fixture(scope="module")
def binned():
    data = make_binned(planted(600), bin_width=0.1, blocks=3, gap=0.5)
    angle = np.linspace(0, 20 * np.pi, 600)
    side = (angle // np.pi % 2).astype(np.int32)
    role = {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS}
    columns = {
        "place": np.abs(angle % 2 - 1), "right": side, "left": 1 - side
    }  # fmt: skip
    return data.assign(
        {name: (names.TIME, one.astype(np.float32), role) for name, one in columns.items()}
    ).assign(
        side=(names.TIME, side,
              {names.ROLE: names.ROLE_CONDITION, names.CATEGORIES: json.dumps(["left", "right"])}),
    )  # fmt: skip


def queries(rng, behaviour, n=256):
    """Places that lie off the behaviour by what it changes, as CEBRA asks for them."""
    at, there, before = rng.integers(len(behaviour), size=(3, n))
    return behaviour[at] + 0.1 * (behaviour[there] - behaviour[before])


@pytest.mark.parametrize("columns", [1, 3, 5])
@pytest.mark.parametrize("kind", ["dense", "with ties"])
def test_the_nearest_bin_is_the_one_that_the_package_finds(columns, kind):
    rng = np.random.default_rng(columns)
    shape = 2000, columns
    table = rng.standard_normal(shape) if kind == "dense" else rng.integers(0, 4, shape)
    behaviour = torch.from_numpy(table.astype(np.float32))
    condition = torch.from_numpy(rng.integers(0, 3, 2000))
    alone = cebra_package.package().distributions.ContinuousIndex(behaviour)
    within = cebra_package.package().distributions.ConditionalIndex(condition, behaviour)
    for _ in range(5):
        asked = (
            queries(rng, behaviour) if kind == "dense" else behaviour[rng.integers(2000, size=256)]
        )
        theirs = condition[rng.integers(2000, size=256)]
        assert torch.equal(Nearest(behaviour).search(asked), alone.search(asked))
        found = Nearest(behaviour, condition).search(asked, theirs)
        assert torch.equal(found, within.search(asked, discrete=theirs))
        assert torch.equal(condition[found], theirs)


@pytest.mark.parametrize("architecture", CONVOLUTIONS)
def test_a_network_of_convolutions_is_the_packages_forwards_and_backwards(architecture):
    torch.manual_seed(0)
    model = network(SETTINGS | {"model_architecture": architecture}, n_units=7, dims=3)
    computed = time_first(model)
    assert computed is not None
    windows = torch.rand(50, 7, len(model.get_offset()))
    asked = torch.rand(50, 3)

    def with_gradients(made):
        model.zero_grad()
        (made * asked).sum().backward()
        return made.detach(), [one.grad.clone() for one in model.parameters()]

    wanted, onto = with_gradients(model(windows).reshape(50, 3))
    found, ours = with_gradients(computed(windows.permute(2, 0, 1).contiguous()))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    for one, other in zip(ours, onto, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * float(other.abs().max()))


@pytest.mark.parametrize("architecture", ["offset36-model-dropout", "offset4-model-2x-subsample"])
def test_a_network_with_other_layers_is_left_to_the_package(architecture):
    given = SETTINGS | {"model_architecture": architecture}
    assert time_first(network(given, n_units=5, dims=3)) is None


@pytest.mark.parametrize(
    ("labels", "settings"),
    [
        ((), {}),
        (("place", "right", "left"), {"standardise": False}),
        (("place", "side"), {}),
        (("place",), {"conditional": "delta_normal"}),
        (("side",), {"temperature_mode": "auto"}),
    ],
    ids=["time", "place and columns", "place and condition", "normal", "condition"],
)
def test_the_loss_of_every_update_is_that_of_the_packages_solver(labels, settings, binned):
    given = SETTINGS | {
        "max_iterations": 40, "batch_size": 64, "num_hidden_units": 16, **settings
    }  # fmt: skip
    rows = rows_of(binned)
    behaviour = covariates_for(binned, labels, rows.learned) if labels else Covariates()

    def started():
        loader, solver = loader_of([dataset_of(rows, behaviour, (5, 5), given)], given)
        seed_samplers(loader, 3)
        model = network(given, n_units=rows.table.shape[1], dims=4)
        loader.dataset.configure_for(model)
        return loader, solver, model, _criterion(given)

    with cebra_package.seeded(3):
        loader, solver, model, criterion = started()
        found = train(model, criterion, loader, solver, learning_rate=1e-3)
    with cebra_package.seeded(3):
        loader, solver, model, criterion = started()
        distribution = loader.distribution
        if hasattr(distribution, "index"):  # the package's own search, too
            distributions, own = cebra_package.package().distributions, loader.dataset
            distribution.index = (
                distributions.ContinuousIndex(own.continuous)
                if own.discrete is None
                else distributions.ConditionalIndex(own.discrete, own.continuous)
            )
        optimiser = torch.optim.Adam([*model.parameters(), *criterion.parameters()], lr=1e-3)
        theirs = cebra_package.package().solver.init(
            solver, model=model, criterion=criterion, optimizer=optimiser, tqdm_on=False
        )
        theirs.fit(loader=loader)
    assert len(found) == 40 and found[-1] < found[0]
    np.testing.assert_allclose(found, theirs.history, rtol=1e-4)
