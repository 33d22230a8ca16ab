"""A sweep: one table of every fit, the same to the last bit however often it was stopped."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.patterns import planted_patterns
from make.sessions import make_binned
from nwbsparse.errors import BadInput
from nwbsparse.files import whole
from nwbsparse.options.config import Config
from nwbsparse.options.presets import preset
from nwbsparse.runs import sweep as runs
from nwbsparse.studies import fitting
from nwbsparse.studies.choice import choose, front_of
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.table import open_table

PLAIN = {"preset": "plain", "max_epochs": 2, "batch_size": 256}
GRID = {"fixed": PLAIN, "axes": {"n_latents": [8, 16], "k": [2, 4], "seed": [0, 1]}}


@pytest.fixture(scope="module")
def binned():
    return planted_patterns(1500)[0]


@pytest.fixture(scope="module")
def swept(binned, tmp_path_factory):
    """The folder of a sweep that nothing stopped, and what it returned."""
    out = tmp_path_factory.mktemp("swept") / "sweep"
    return out, ns.sweep(binned, GRID, out=out)


def bytes_of(out):
    return (out / "sweep.nc").read_bytes()


def test_a_table_of_every_fit(swept, binned):
    out, table = swept
    assert dict(table.sizes) == {"fit": 8}
    assert list(table["n_latents"].values) == [8] * 4 + [16] * 4
    assert list(table["k"].values) == [2, 2, 4, 4] * 2 and list(table["seed"].values) == [0, 1] * 4
    assert set(table["status"].values) == {"ok"} and set(table["message"].values) == {""}
    for part in ("train", "validation", "test"):
        assert np.isfinite(table[f"{part}_r2"].values).all()
    assert (table["train_r2"].values > 0.1).all() and (table["test_l0"].values <= 5).all()
    assert np.allclose(table["nonzero_ratio"], table["test_l0"] / table["n_latents_used"])
    assert (table["seconds"].values > 0).all()
    with xr.open_dataset(out / "sweep.nc", engine="h5netcdf") as stored:
        assert stored.load().identical(table.drop_vars("seconds"))
    assert open_table(out).identical(table)


def test_each_fit_is_what_fit_makes_of_its_options(swept, binned):
    _, table = swept
    at = 6
    config = Config(
        **preset("plain") | {"max_epochs": 2, "batch_size": 256, "n_latents": 16, "k": 4}
    )
    alone = ns.fit(binned, config)
    metrics = ns.evaluate(alone, binned)
    assert float(table["test_r2"][at]) == pytest.approx(float(metrics["r2"]), rel=1e-4)


def test_what_is_done_is_not_done_again(swept, binned, monkeypatch):
    out, table = swept
    before = {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()}

    def fail(*_):
        raise AssertionError("fitted again")

    monkeypatch.setattr(fitting, "fit_many", fail)
    assert ns.sweep(binned, GRID, out=out).identical(table)
    assert {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()} == before


def killed_at(number, task):
    """A child that does a task and ends like one that is killed, before its n-th file is named."""
    child = os.fork()
    if child == 0:
        named = []

        def sync(path, sync=whole.sync):
            named.append(path)
            if len(named) == number:
                os._exit(9)
            sync(path)

        whole.sync = sync
        code = 77
        try:
            task()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.slow
def test_killed_at_any_point_and_gone_on_from_it_is_the_same_table(swept, binned, tmp_path):
    whole_table = bytes_of(swept[0])
    number, done = 1, 9
    while done == 9:  # each time a little later, each time anew
        out = tmp_path / str(number)
        done = killed_at(number, lambda out=out: ns.sweep(binned, GRID, out=out))
        assert done in (9, 0)
        ns.sweep(binned, GRID, out=out)
        assert bytes_of(out) == whole_table
        assert not list((out / "claims").glob("*"))
        number += 2
    assert number > 15, "several points were tried"


def test_stopped_half_way_and_gone_on_from(swept, binned, tmp_path, monkeypatch):
    def stop(coder, *rest, real=fitting.scores_of):
        if coder.n_latents == 16:
            raise KeyboardInterrupt
        return real(coder, *rest)

    out = tmp_path / "sweep"
    with monkeypatch.context() as patched:
        patched.setattr(fitting, "scores_of", stop)
        with pytest.raises(KeyboardInterrupt):
            ns.sweep(binned, GRID, out=out)
    status = Ledger(out).status()
    assert 0 < status.done < status.total and not (out / "sweep.nc").exists()
    assert list(open_table(out)["status"].values).count("waiting") == 4
    ns.sweep(binned, GRID, out=out)
    assert bytes_of(out) == bytes_of(swept[0])


@pytest.mark.parametrize("shares", [3, 4])
def test_shares_one_after_another_make_the_same_table(swept, binned, tmp_path, shares):
    out = tmp_path / "sweep"
    grid = {"fixed": PLAIN, "grid": [{"axes": GRID["axes"]}]}
    runs.open_sweep(binned, grid, out=out)
    for index in range(shares):
        assert not (out / "sweep.nc").exists()
        runs.work_on_share(out, index, shares)
        if Ledger(out).status().settled:
            break
    assert bytes_of(out) == bytes_of(swept[0])


def test_the_folder_of_another_sweep_is_refused_and_stays_as_it_is(swept, binned):
    out, _ = swept
    before = sorted((path, path.read_bytes()) for path in out.rglob("*") if path.is_file())
    other = GRID | {"axes": GRID["axes"] | {"k": [2, 8]}}
    with pytest.raises(BadInput, match=r"another sweep; it differs in grid.*k \(there 4, here 8\)"):
        ns.sweep(binned, other, out=out)
    changed = binned.assign(counts=binned["counts"] + 1)
    with pytest.raises(BadInput, match=r"data\[0\]|data"):
        ns.sweep(changed, GRID, out=out)
    with pytest.raises(BadInput, match="metrics"):
        ns.sweep(binned, GRID, out=out, metrics=("reconstruction", "hidden_units"))
    now = sorted((path, path.read_bytes()) for path in out.rglob("*") if path.is_file())
    assert [path for path, _ in now if "data" not in path.parts] == [
        path for path, _ in before if "data" not in path.parts
    ]


def test_two_workers_on_one_ledger_with_the_same_share(swept, binned):
    out, _ = swept
    with (
        Ledger(out).share(0, 1),
        pytest.raises(BadInput, match=f"process {os.getpid()} on .*all of it"),
    ):
        ns.sweep(binned, GRID, out=out)
    with Ledger(out).share(1, 2), pytest.raises(BadInput, match="works on share 1 of 2"):
        runs.work_on_share(out, 1, 2)


def test_what_diverges_or_cannot_be_is_a_row_with_its_message(binned, tmp_path):
    """The kind: one fit that goes wrong must not cost the others of its stack, nor hide."""
    grid = {
        "fixed": PLAIN | {"n_latents": 16, "k": 2, "clip": 0.0},
        "axes": {"learning_rate": [1e-3, 1e6]},
    }
    table = ns.sweep(binned, grid, out=tmp_path / "diverged")
    assert list(table["status"].values) == ["ok", "diverged"]
    assert "loss" in str(table["message"].values[1]) and np.isnan(table["test_r2"].values[1])
    # only the recording says how many latents there are: 4 per unit, 96
    grid = {"fixed": PLAIN, "axes": {"k": [2, 100]}}
    table = ns.sweep(binned, grid, out=tmp_path / "impossible")
    assert list(table["status"].values) == ["ok", "failed"]
    assert "k is 100 but there are only 96 latents" in str(table["message"].values[1])


def test_a_task_that_fails_as_a_whole_is_rows_and_can_be_tried_again(binned, tmp_path, monkeypatch):
    out = tmp_path / "sweep"

    def fail(*_):
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(fitting, "fit_many", fail)
        table = ns.sweep(binned, GRID, out=out)
    assert set(table["status"].values) == {"failed"}
    assert "ZeroDivisionError: a bug" in str(table["message"].values[0])
    assert set(ns.sweep(binned, GRID, out=out)["status"].values) == {"failed"}
    assert set(ns.sweep(binned, GRID, out=out, retry=True)["status"].values) == {"ok"}


def test_models_and_latents_are_kept_where_that_is_asked_for(binned, tmp_path):
    out = tmp_path / "sweep"
    table = ns.sweep(binned, GRID, out=out, keep=("models", "latents"))
    for number in range(8):
        coder = ns.load(out / "models" / f"fit-{number:05d}")
        assert coder.id == str(table["model_id"].values[number])
        with xr.open_dataset(out / "latents" / f"fit-{number:05d}.nc") as latents:
            assert np.array_equal(latents["activation"], ns.encode(coder, binned)["activation"])
    assert not [path for path in out.rglob("*") if path.suffix in (".pkl", ".pickle", ".pt")]


def test_metrics_that_are_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    n_bins = 1500
    phase = np.arange(n_bins) / 40
    rates = 0.3 + 2 * np.clip(np.cos(phase[:, None] - np.linspace(0, 6, 10)), 0, 1)
    binned = make_binned(rng.poisson(rates).astype(np.uint8))
    binned["speed"] = ("time", np.sin(phase), BEHAVIOUR)
    grid = {"fixed": PLAIN | {"n_latents": 8, "k": 2}, "axes": {"mask": [0.0, 0.25]}}
    table = ns.sweep(
        binned,
        grid,
        out=tmp_path / "s",
        metrics=("reconstruction", "hidden_units", "naik", "decode"),
    )
    told = table["test_hidden_unit_r2"].values
    assert np.isnan(told[0]) and np.isfinite(told[1])  # only what learned to tell is asked
    coder = ns.fit(binned, Config(**preset("plain") | PLAIN_OPTIONS | {"mask": 0.25}))
    full = ns.evaluate(coder, binned, detail="all")
    assert told[1] == pytest.approx(float(full["hidden_unit_r2"]), abs=0.02)
    scores = ns.naik_scores(coder, binned, n_shifts=0)
    assert float(table["neuron_paper"][1]) == pytest.approx(
        float(scores["neuron_paper"].sel(source="latents")), abs=1e-3
    )
    assert {"untrained_neuron_paper", "input_behaviour_paper"} <= set(table.data_vars)
    assert table["decoded_r2"].dims == ("fit", "target") and "speed" in table["target"].values
    read = ns.decode(binned, inputs=["latents"], latents=ns.encode(coder, binned))
    assert float(table["decoded_r2"].sel(target="speed")[1]) == pytest.approx(
        float(read["r2"].sel(target="speed")[0]), abs=1e-3
    )


BEHAVIOUR = {"role": "covariate", "kind": "continuous", "units": "m/s"}
PLAIN_OPTIONS = {"max_epochs": 2, "batch_size": 256, "n_latents": 8, "k": 2}


def test_whole_recipes_are_swept_where_the_grid_names_them(binned, tmp_path):
    grid = {
        "fixed": PLAIN | {"n_latents": 8, "k": 2, "mask": 0.25, "seeds": 2},
        "axes": {"replicates": [0, 1]},
    }
    table = ns.sweep(binned, grid, out=tmp_path / "s")
    config = Config(**preset("plain") | PLAIN_OPTIONS | {"mask": 0.25, "seeds": 2, "replicates": 1})
    assert str(table["model_id"].values[1]) == ns.fit(binned, config).id


def test_several_datasets_are_swept_each_by_itself(binned, tmp_path):
    other = planted_patterns(1500, seed=1)[0]
    table = ns.sweep(
        {"monday": binned, "tuesday": other}, {"fixed": PLAIN | {"n_latents": 8}, "axes": {"k": [2, 4]}},
        out=tmp_path / "s",
    )  # fmt: skip
    assert list(table["session"].values) == ["monday", "monday", "tuesday", "tuesday"]
    assert len(set(table["model_id"].values)) == 4
    choice = choose(table)
    assert len(choice.fits) == 2 and "mean of 2 fits" in choice.because


@pytest.mark.parametrize(
    ("data", "grid", "said"),
    [
        ("binned", {"axes": {"bin_width": [0.1, 0.2]}}, "bin_width would make other bins"),
        ("unsplit", {"axes": {"k": [2]}}, "split"),
        ("none.nwb", {"axes": {"k": [2]}}, "none.nwb does not exist"),
        ("list", {"axes": {"k": [2]}}, "a sweep is of recordings"),
        ("binned", {"axes": {}}, "is empty"),
    ],
)
def test_what_cannot_be_swept_is_said_and_leaves_nothing(binned, tmp_path, data, grid, said):
    given = {
        "binned": binned, "unsplit": binned.drop_vars("split"), "list": [],
        "none.nwb": tmp_path / "none.nwb",
    }[data]  # fmt: skip
    with pytest.raises(BadInput, match=said):
        ns.sweep(given, grid, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_choice_is_the_smallest_that_is_nearly_as_good_and_says_so(swept):
    _, table = swept
    choice = choose(table)
    assert "the sparsest" in choice.because and "95 % or more" in choice.because
    made = table.assign(
        validation_hidden_unit_r2=("fit", np.array([0.28, 0.28, 0.1, 0.1, 0.3, 0.3, 0.1, 0.1])),
        test_hidden_unit_r2=("fit", np.full(8, 0.2)),
    )
    assert choose(made).fits == (4, 5)  # .28 is less than 95 % of .3
    made["validation_hidden_unit_r2"][:2] = 0.29
    choice = choose(made)
    assert choice.fits == (0, 1) and choice.because.startswith("n_latents=8, k=2: the smallest (8")


def test_the_front_holds_what_nothing_beats_in_both(swept):
    _, table = swept
    front = front_of(table)
    cost, score = table["validation_l0"].values, table["validation_r2"].values
    for at in range(8):
        beaten = (cost <= cost[at]) & (score > score[at])
        assert beaten.any() or at in front or (cost[front] < cost[at]).any()
    assert all(np.diff(cost[front]) >= 0) and all(np.diff(score[front]) > 0)


def test_bytes_do_not_depend_on_when_or_where(swept, binned, tmp_path):
    out = tmp_path / "deeper" / "elsewhere"
    ns.sweep(binned, GRID, out=out)
    assert bytes_of(out) == bytes_of(swept[0])
    assert str(out) not in json.dumps(open_table(out).attrs)


def test_anything_that_takes_a_function_and_a_path_can_do_it(swept, binned, tmp_path):
    out = tmp_path / "sweep"
    with ThreadPoolExecutor(2) as executor:  # of one process, so one at a time
        ns.sweep(binned, GRID, out=out, executor=executor)
    assert bytes_of(out) == bytes_of(swept[0])


def test_a_task_starts_no_process(binned, tmp_path, monkeypatch):
    """A worker of a cluster must not: it is a daemon, whose children are refused, or outlive it."""
    import subprocess

    def refuse(*_, **__):
        raise AssertionError("a process was started")

    for place, name in ((os, "fork"), (os, "posix_spawn"), (subprocess, "Popen")):
        monkeypatch.setattr(place, name, refuse)
    table = ns.sweep(binned, GRID, out=tmp_path / "s", metrics=("reconstruction", "decode", "naik"))
    assert set(table["status"].values) == {"ok"}
