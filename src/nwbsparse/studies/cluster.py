"""A dask cluster that does tasks: on this machine, or one of the user's.

Tasks are given paths and say one word; nothing else travels. Memory is not limited by the nanny, which
cannot tell torch's from a leak and would pause workers for good: no more is begun than there is room for.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nwbsparse.errors import BadInput, EnvironmentProblem, raise_together
from nwbsparse.studies.made_for import LEDGER
from nwbsparse.studies.main_guard import check_main_guard

LOCAL = "local"
HERE = "127.0.0.1"
ALLOWED_DEATHS = 2
"""How many workers a task may take with it before it counts as failed."""
PATIENCE = 60
"""Seconds to wait for a first worker."""
ALIKE = ("nwbsparse", "torch", "numpy", "scipy", "numba", "scikit-learn", "distributed")
"""Packages whose versions must be the same everywhere: results depend on them, or they must understand
each other."""
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Workers:
    """The workers of a cluster, as something that takes a function and a path."""

    def __init__(self, client: Any, threads: int) -> None:
        self.client, self.threads = client, threads
        self.n_bytes = _room(client)

    @property
    def n_at_once(self) -> int:
        """One task per worker: threads, and what torch draws at random, belong to a process."""
        return max(len(self.client.nthreads()), 1)

    def submit(self, fn: Callable[[str], Any], path: str, /) -> Any:
        # not pure: asked again, it is to be looked at again, and not remembered
        return self.client.submit(fn, path, pure=False)

    def check(self, folder: Path) -> None:
        """Make sure that workers see the folder, and compute with what this process computes with.

        Raises:
            BadInput: they do not; each is named.
        """
        here = versions()
        try:
            found = self.client.run(_seen_from, str(folder / LEDGER))
        except ModuleNotFoundError as error:
            raise BadInput(
                f"the workers cannot import nwbsparse ({error}): they need the same environment"
            ) from None
        wrong = []
        for address, (sees, theirs) in sorted(found.items()):
            if not sees:
                wrong.append(
                    f"{address} does not see {folder}; all must see it under the same path"
                )
            wrong += [
                f"{address} has {name} {theirs.get(name, 'not at all')}, here it is {own}"
                for name, own in here.items()
                if theirs.get(name) != own
            ]
        raise_together(wrong, heading="the workers cannot do this work")


@contextmanager
def workers(
    cluster: Any,
    *,
    n_workers: int | None = None,
    threads: int | None = None,
    insecure: bool = False,
    notify: Callable[[str], None] = lambda _: None,
) -> Iterator[Workers]:
    """The workers of a cluster, which is closed again where it was made for this.

    Args:
        cluster: "local" (processes of this machine), the address of a scheduler, the file that one wrote,
            "module:function" (yours, that returns a cluster or client of dask), or a client.
        n_workers: of a local cluster; as many as there are cores, by threads.
        threads: that each task computes with; of a local cluster 1, else as many as the workers have.
        insecure: allow another machine without TLS.
        notify: called with a line about what was found.

    Raises:
        BadInput: no such cluster, or one on another machine without TLS.
        EnvironmentProblem: it cannot be reached, has no workers, or dask's ``distributed`` is missing.
    """
    with ExitStack() as held:
        if cluster == LOCAL:
            check_main_guard()
            client = held.enter_context(_local(n_workers, threads or 1))
        else:
            client = _client(cluster, held, insecure=insecure)
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except Exception as error:
            raise EnvironmentProblem(
                f"no worker of {client.scheduler.address} came within {PATIENCE} s"
            ) from error
        theirs = min(client.nthreads().values())
        if threads is not None and theirs < threads:
            notify(f"workers have {theirs} threads, and tasks compute with {threads}")
        found = Workers(client, threads or theirs)
        notify(
            f"workers: {found.n_at_once}, threads of each: {found.threads}, at {client.scheduler.address}"
        )
        yield found


def versions() -> dict[str, str]:
    """What results depend on, by name."""
    found = {"python": ".".join(map(str, sys.version_info[:2]))}
    for name in ALIKE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _seen_from(path: str) -> tuple[bool, dict[str, str]]:
    return Path(path).is_file(), versions()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise EnvironmentProblem(
            "a cluster needs dask's distributed: pip install 'nwbsparse[cluster]'"
        ) from None
    return distributed


@contextmanager
def _local(n_workers: int | None, threads: int) -> Iterator[Any]:
    """Processes of this machine, that nobody else can reach."""
    distributed = _distributed()
    from dask import config

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = ("OMP", "MKL", "OPENBLAS", "NUMBA")
    settings = {
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.scheduler.allowed-failures": ALLOWED_DEATHS,
    }
    with (
        config.set(settings),
        distributed.LocalCluster(
            n_workers=n_workers or max((cores or 1) // threads, 1),
            threads_per_worker=threads,
            processes=True,
            host=HERE,
            dashboard_address=None,
            memory_limit=None,
            silence_logs=logging.ERROR,
            env={f"{name}_NUM_THREADS": str(threads) for name in names},
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _client(cluster: Any, held: ExitStack, *, insecure: bool) -> Any:
    """A client of a cluster that is there; one that is given, its owner has made as it should be."""
    if hasattr(cluster, "scheduler_info") and hasattr(cluster, "submit"):
        return cluster
    distributed = _distributed()
    named = str(cluster)
    if "://" not in named and _FUNCTION.fullmatch(named):
        made = held.enter_context(_called(named))
        if hasattr(made, "submit"):
            check_safe(made.scheduler.address, insecure=insecure)
            return made
        check_safe(made.scheduler_address, insecure=insecure)
        return held.enter_context(distributed.Client(made, set_as_default=False))
    address = named
    if (path := Path(named).expanduser()).is_file():
        try:
            address = str(json.loads(path.read_text(encoding="utf-8"))["address"])
        except (ValueError, KeyError, TypeError):
            raise BadInput(f"{path} is no file that a scheduler of dask wrote") from None
    elif "://" not in named and ":" not in named:
        raise BadInput(
            f"there is no cluster '{named}'; it is 'local', the address of a scheduler, the file that it "
            "wrote, or module:function"
        )
    check_safe(address, insecure=insecure)
    try:
        return held.enter_context(
            distributed.Client(address, set_as_default=False, timeout=PATIENCE)
        )
    except (OSError, ValueError, TimeoutError) as error:
        raise EnvironmentProblem(f"no scheduler answers at {address}: {error}") from None


def _called(named: str) -> Any:
    """What a function of the user's returns; its module may lie in the working directory."""
    module, _, function = named.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"{named} cannot be imported: {error}") from None
    made = found()
    if not hasattr(made, "scheduler_address") and not hasattr(made, "scheduler_info"):
        raise BadInput(
            f"{named} returned a {type(made).__name__}; it must return a cluster or client of dask"
        )
    return made


def check_safe(address: str, *, insecure: bool) -> None:
    """Refuse a scheduler that anybody on the way could speak to.

    Raises:
        BadInput: it is on another machine, and its connections are not encrypted.
    """
    found = urlsplit(address if "://" in address else f"tcp://{address}")
    host = found.hostname or ""
    at_home = host in ("localhost", "::1") or host.startswith("127.") or found.scheme == "inproc"
    if not (insecure or at_home or found.scheme in ("tls", "wss", "ucxs")):
        raise BadInput(
            f"{address} is not on this machine and its connections are not encrypted: whoever reaches it "
            "can run anything as you. Use TLS (tls://…, docs.dask.org: security), or --insecure "
            "(insecure=True) where the network is yours"
        )


def _room(client: Any) -> int | None:
    """Bytes that are free on all machines of the workers together; None where nobody can tell."""
    try:
        found = client.run(_free_here)
    except ModuleNotFoundError:  # said when the workers are checked
        return None
    free: dict[str, int] = {}
    for host, n_bytes in found.values():
        if n_bytes is None:
            return None
        free[host] = min(n_bytes, free.get(host, n_bytes))
    return sum(free.values())


def _free_here() -> tuple[str, int | None]:
    import torch

    from nwbsparse.models.device import available_bytes

    return socket.gethostname(), available_bytes(torch.device("cpu"))
