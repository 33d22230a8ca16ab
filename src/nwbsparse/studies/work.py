"""Working through the tasks of a ledger: in this process, or by whatever takes a function and a path."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.progress import Progress, silent
from nwbsparse.studies.ledger import Ledger, Outcome
from nwbsparse.studies.task import Task

Do = Callable[[str], Outcome]
"""Does the task that a path leads to; can be imported by its name in any process."""
LOOK_AGAIN = 1.0
"""Seconds after which a task that another process works on is looked at again."""


class Executor(Protocol):
    """Anything that does something with a path, now or later, here or elsewhere.

    A future that it may return has ``add_done_callback`` and ``result``, as those of
    :mod:`concurrent.futures` and of dask. Beside ``submit`` it may say how many tasks it takes at a time
    (``n_at_once``) and how many bytes its tasks may take together (``n_bytes``).
    """

    def submit(self, fn: Do, path: str, /) -> Any: ...


class _Here:
    """The process that asks, one task after another."""

    def submit(self, fn: Do, path: str, /) -> Outcome:
        return fn(path)


def work_through(
    ledger: Ledger,
    tasks: Sequence[Task],
    how: Mapping[str, Do],
    executor: Executor | None = None,
    *,
    needed: Callable[[Task], int] = lambda _: 0,
    progress: Progress = silent,
) -> None:
    """Do all tasks that are not done, those that are needed by others first.

    Args:
        ledger: that they are written into.
        tasks: all, or a share; a task of another share that one of these needs is done as well.
        how: what does tasks of each kind.
        executor: who does them; this process when absent.
        needed: bytes that a task will take, roughly: no more are begun at once than there is room for.
        progress: called when a task is done, with how many fits are.

    Raises:
        EnvironmentProblem: the executor is gone; what is done is done, and can be gone on from.
    """
    known = {task.id: task for task in tasks}
    for task in tasks:
        for need in task.needs:
            known.setdefault(need, ledger.task(need))
    work = _Work(ledger, known, how, executor or _Here(), needed)
    total = sum(task.size for task in known.values())
    while not work.finished:
        work.begin_what_can_be()
        progress("sweep", total - sum(task.size for task in work.unsettled), total)
        if not work.finished:
            work.wait()


class _Work:
    """What is open, and what is being worked on."""

    def __init__(
        self,
        ledger: Ledger,
        known: Mapping[str, Task],
        how: Mapping[str, Do],
        executor: Executor,
        needed: Callable[[Task], int],
    ) -> None:
        self.ledger, self.how, self.executor, self.needed = ledger, how, executor, needed
        self.known = known
        self.open = [task for task in known.values() if not self._settled(task)]
        self.begun: dict[str, tuple[Task, int]] = {}
        self.ended: queue.SimpleQueue[tuple[Task, Any]] = queue.SimpleQueue()
        self.not_before: dict[str, float] = {}
        self.most = int(getattr(executor, "n_at_once", 0)) or len(known)
        self.room = getattr(executor, "n_bytes", None)

    @property
    def finished(self) -> bool:
        return not self.open and not self.begun

    @property
    def unsettled(self) -> list[Task]:
        return self.open + [task for task, _ in self.begun.values()]

    def begin_what_can_be(self) -> None:
        for task in list(self.open):
            if len(self.begun) >= self.most:
                return
            if self._settled(task) or self._cannot_be(task):
                self.open.remove(task)
                continue
            if not all(self.ledger.is_done(self.known[need]) for need in task.needs):
                continue
            if time.monotonic() < self.not_before.get(task.id, 0.0):
                continue
            n_bytes = self.needed(task)
            if self.room is not None and n_bytes > self.room:
                self.open.remove(task)
                self.ledger.fail(task, _too_large(n_bytes, self.room))
                continue
            if self.room is not None and self._taken() + n_bytes > self.room:
                continue
            self.open.remove(task)
            self._begin(task, n_bytes)
            if not self.begun:  # done at once: whoever asks how far we are is told
                return

    def wait(self) -> None:
        """Wait until something ends, here or where others work on it."""
        try:
            task, future = self.ended.get(timeout=None if self.begun else LOOK_AGAIN)
        except queue.Empty:
            return
        self.begun.pop(task.id)
        try:
            self._end(task, future.result())
        except Exception as error:
            self._lost(task, error)

    def _begin(self, task: Task, n_bytes: int) -> None:
        try:
            future = self.executor.submit(self.how[task.kind], str(self.ledger.path_of(task)))
        except RuntimeError as error:  # shut down, or broken by an earlier task
            raise EnvironmentProblem(_gone(error)) from error
        if hasattr(future, "add_done_callback"):
            self.begun[task.id] = task, n_bytes
            future.add_done_callback(lambda ended: self.ended.put((task, ended)))
        else:
            self._end(task, future)

    def _end(self, task: Task, outcome: Outcome) -> None:
        if outcome == "taken" or not self._settled(task):
            self._check_there(task, outcome)
            self.not_before[task.id] = time.monotonic() + LOOK_AGAIN
            self.open.append(task)

    def _check_there(self, task: Task, outcome: Outcome) -> None:
        if outcome != "taken":
            raise EnvironmentProblem(
                f"a worker says that it did {task.kind} {task.id}, and {self.ledger.folder} holds nothing "
                "of it: workers must see the same folder under the same path"
            )

    def _lost(self, task: Task, error: Exception) -> None:
        """What ended without a word: the worker died too often, or nobody is left to ask."""
        if isinstance(error, EnvironmentProblem | BadInput):
            raise error
        if type(error).__name__ != "KilledWorker":
            raise EnvironmentProblem(_gone(error)) from error
        if not self._settled(task):
            self.ledger.fail(
                task,
                "the processes that worked on it were killed, one after another: most likely there was "
                f"not enough memory ({error})".replace("\n", " "),
            )

    def _cannot_be(self, task: Task) -> bool:
        """Whether what a task needs could not be made: then it cannot be either, for the same reason."""
        for need in task.needs:
            if (failure := self.ledger.failure(self.known[need])) is not None:
                self.ledger.fail(task, failure.message)
                return True
        return False

    def _settled(self, task: Task) -> bool:
        return self.ledger.is_done(task) or self.ledger.failure(task) is not None

    def _taken(self) -> int:
        return sum(n_bytes for _, n_bytes in self.begun.values())


def _too_large(needed: int, room: int) -> str:
    return (
        f"it needs about {needed / 1e9:.1f} GB, {room / 1e9:.1f} GB are free; use wider bins, fewer "
        "latents or a smaller batch_size"
    )


def _gone(error: Exception) -> str:
    return (
        f"the workers are gone ({type(error).__name__}: {error}); what was done is kept: run the same "
        "again to go on"
    )
