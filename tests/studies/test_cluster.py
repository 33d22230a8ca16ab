"""A cluster: what can go wrong with one has a default, and a test here. Its work is the same to the bit."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import cloudpickle
import numba
import pytest
import torch

from make.patterns import planted_patterns
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.runs.sweep import sweep
from nwbsparse.studies import cluster as rules
from nwbsparse.studies.cluster import Workers, check_safe, versions, workers
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.threads import threads_of

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests
PLAIN = {"preset": "plain", "max_epochs": 2, "batch_size": 256}
GRID = {"fixed": PLAIN, "axes": {"n_latents": [8, 12, 16, 24], "k": [2, 4], "seed": [0, 1]}}


class Client:
    """As little of a client as is asked for, with what its workers would say."""

    def __init__(self, said):
        self.said = said

    def run(self, function, *_):
        if isinstance(self.said, Exception):
            raise self.said
        return self.said if function is rules._seen_from else {"w": ("host", 10**9)}

    def nthreads(self):
        return {"tcp://127.0.0.1:1": 1}


# who is spoken to


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.5:8786",
        "tcp://node17:8786",
        "node17:8786",
        "ucx://10.0.0.5:1",
        "tcp://0.0.0.0:1",
    ],
)
def test_another_machine_without_tls_is_refused_before_it_is_spoken_to(address, tmp_path):
    with pytest.raises(BadInput, match="not encrypted: whoever reaches it can run anything as you"):
        check_safe(address, insecure=False)
    check_safe(address, insecure=True)
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": address}))
    for cluster in (address, str(file)):
        with pytest.raises(BadInput, match="--insecure"), workers(cluster):
            pass


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "localhost:8786", "tls://node17:8786", "tcp://[::1]:1"]
)
def test_this_machine_and_tls_are_safe(address):
    check_safe(address, insecure=False)


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("lokal", "there is no cluster 'lokal'"),
        ("no_such_module:make", "no_such_module:make cannot be imported"),
        ("os:getcwd", "returned a str; it must return a cluster"),
        ("os:nothing", "cannot be imported"),
        ("scheduler.json", "no file that a scheduler of dask wrote"),
    ],
)
def test_what_is_no_cluster(cluster, said, tmp_path, monkeypatch):
    (tmp_path / "scheduler.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(BadInput, match=said), workers(cluster):
        pass


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(rules, "PATIENCE", 0.5)
    said = "no scheduler answers at tcp://127"
    with pytest.raises(EnvironmentProblem, match=said), workers("tcp://127.0.0.1:9"):
        pass


def test_without_distributed_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = r"pip install 'nwbsparse\[cluster\]'"
    with pytest.raises(EnvironmentProblem, match=said), workers("tcp://127.0.0.1:9"):
        pass


# what they compute with


def test_other_versions_and_another_folder_are_named_for_each_worker(tmp_path):
    theirs = versions() | {"torch": "1.0"}
    del theirs["numba"]
    found = Workers(Client({"a": (True, versions()), "b": (False, theirs)}), 1)
    with pytest.raises(BadInput) as caught:
        found.check(tmp_path)
    said = str(caught.value)
    assert "3 problems" in said and f"b does not see {tmp_path}" in said
    assert f"b has torch 1.0, here it is {versions()['torch']}" in said
    assert "b has numba not at all" in said
    Workers(Client({"a": (True, versions())}), 1).check(tmp_path)
    gone = Workers(Client({"a": (True, versions())}), 1)
    gone.client.said = ModuleNotFoundError("No module named 'nwbsparse'")
    with pytest.raises(BadInput, match="cannot import nwbsparse"):
        gone.check(tmp_path)


def test_torch_and_numba_compute_with_as_many_threads_as_are_said():
    before = numba.get_num_threads(), torch.get_num_threads()
    with threads_of(2):
        assert torch.get_num_threads() == 2
        assert numba.get_num_threads() == min(2, numba.config.NUMBA_NUM_THREADS)
        with threads_of(1):
            assert (numba.get_num_threads(), torch.get_num_threads()) == (1, 1)
    assert (numba.get_num_threads(), torch.get_num_threads()) == before


# scripts

SCRIPT = """
import sys
import nwbsparse as ns
import xarray as xr

def run():
    binned = xr.open_dataset("binned.nc", engine="h5netcdf").load()
    grid = {"fixed": %s, "axes": {"k": [2, 4]}}
    ns.sweep(binned, grid, out="out", executor="local")
    assert "torch" not in sys.modules, "the parent has torch"

%s
"""


def run_script(tmp_path, call):
    fixed = PLAIN | {"n_latents": 8}
    (tmp_path / "script.py").write_text(SCRIPT % (fixed, call))
    return subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )


@pytest.mark.files
@pytest.mark.parametrize("call", ["run()", "if len(sys.argv) < 5:\n    run()"])
def test_a_script_without_a_guard_is_told_so_before_a_process_is_started(tmp_path, call):
    planted_patterns(1500)[0].to_netcdf(tmp_path / "binned.nc", engine="h5netcdf")
    done = run_script(tmp_path, call)
    assert done.returncode == 1
    assert done.stderr.count('put what it does under `if __name__ == "__main__":`') == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_parent_never_loads_torch(tmp_path):
    planted_patterns(1500)[0].to_netcdf(tmp_path / "binned.nc", engine="h5netcdf")
    done = run_script(tmp_path, 'if __name__ == "__main__":\n    run()')
    assert done.returncode == 0, done.stderr


# a cluster of this machine


def looked_at(dask_worker):
    """What a worker says of itself."""
    import psutil

    with threads_of(1):
        threads = torch.get_num_threads(), numba.get_num_threads()
    return {
        "threads": threads,
        "limit": dask_worker.memory_manager.memory_limit,
        "environment": {k: v for k, v in os.environ.items() if k.endswith("_NUM_THREADS")},
        "listens": {
            one.laddr.ip
            for one in psutil.Process().net_connections("inet")
            if one.status == psutil.CONN_LISTEN
        },
        "started": multiprocessing.get_start_method(),
        "knows_pytest": "_pytest" in sys.modules,
    }


@pytest.fixture(scope="module")
def binned():
    return planted_patterns(1500)[0]


@pytest.fixture(scope="module")
def alone(binned, tmp_path_factory):
    """The bytes of the table that this process makes alone."""
    out = tmp_path_factory.mktemp("alone") / "sweep"
    sweep(binned, GRID, out=out)
    return (out / "sweep.nc").read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_local_cluster_one_of_whose_workers_is_killed_makes_the_same_table(
    binned, alone, tmp_path
):
    import psutil

    killed = []

    def kill_one(_stage, done, total, **_):
        holders = Ledger(tmp_path / "sweep").status().running
        if not killed and 0 < done < total and holders:
            killed.append(holders[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with workers("local", n_workers=2) as found:
        assert found.n_at_once == 2 and found.threads == 1
        for said in found.client.run(looked_at).values():
            assert said["threads"] == (1, 1) and said["limit"] is None
            assert set(said["environment"].values()) == {"1"} and len(said["environment"]) >= 4
            assert said["listens"] <= {"127.0.0.1"}
            assert not said["knows_pytest"], "a fork of this process would know it"
        here = psutil.Process().net_connections("inet")
        assert {one.laddr.ip for one in here if one.status == psutil.CONN_LISTEN} <= {"127.0.0.1"}
        scheduler = found.client.cluster.scheduler
        assert scheduler.allowed_failures == rules.ALLOWED_DEATHS
        assert found.n_bytes > 10**8
        sweep(binned, GRID, out=tmp_path / "sweep", executor=found, progress=kill_one)
    assert killed, "a worker was killed in the middle"
    assert (tmp_path / "sweep" / "sweep.nc").read_bytes() == alone
