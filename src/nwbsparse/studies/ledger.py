"""A folder that knows what of a long piece of work is done: the unit of truth of a sweep.

One task is one result file, written completely or not at all. What is done is never done again, what
was killed is, and putting results together is a look into the folder. That alone gives resuming, the
same results in whatever order tasks are worked on, and an answer to "is it done?".

    ledger.json     what the ledger is for, and by which version of nwbsparse
    tasks/ID.json   what there is to do; the id is a hash of everything its result depends on
    results/ID.*    what was made: there, or not
    clock/ID.json   how long it took, where: the only thing that two runs of one sweep differ in
    failed/ID.json  why something could not be made
    claims/         who works on what
"""

from __future__ import annotations

import json
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.files.claim import Holder, holder_of, is_stale, release, renewing, take
from nwbsparse.files.whole import remove_unfinished, whole_file, write_whole
from nwbsparse.studies.made_for import begin, made_for_in
from nwbsparse.studies.task import Task, json_in, read_task

TASKS, RESULTS, CLOCK, FAILED, CLAIMS = "tasks", "results", "clock", "failed", "claims"
ATTEMPTS = 3
"""How often a task is tried that failed for no fault of its options: a full disk, no memory."""
PAUSE = 1.0
"""Seconds before the next try."""

Outcome = Literal["done", "failed", "taken"]
Make = Callable[["Ledger", "Task", Path], None]
"""Makes a task's result: writes it to the path it is given."""


@dataclass(frozen=True)
class Failure:
    """Why a task could not be done."""

    message: str
    attempts: int


@dataclass(frozen=True)
class Status:
    """How far a ledger is."""

    total: int
    done: int
    running: tuple[Holder, ...]
    failed: int
    seconds_left: float | None
    """Rough; None as long as nothing of the kind was ever done."""

    @property
    def waiting(self) -> int:
        return self.total - self.done - self.failed - len(self.running)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.done + self.failed == self.total


class Ledger:
    """The folder of a long piece of work.

    Args:
        folder: made when absent.
        made_for: what the work is, as JSON holds it. A ledger knows what it was made for, and refuses
            to be used for anything else; absent, it must be there.

    Raises:
        BadInput: the folder is another sweep's (what differs is named), or no ledger.
        EnvironmentProblem: it cannot be written to.
    """

    def __init__(self, folder: str | Path, made_for: Mapping[str, Any] | None = None) -> None:
        self.folder = Path(folder).expanduser().absolute()
        if made_for is not None:
            begin(self.folder, made_for)
        self.made_for: dict[str, Any] = made_for_in(self.folder)

    @classmethod
    def of(cls, path: str | Path) -> tuple[Ledger, Task]:
        """The ledger that a task's file lies in, and the task: all that another process needs to know."""
        path = Path(path)
        return cls(path.parent.parent), read_task(path)

    # --- what there is to do

    def add(self, tasks: Iterable[Task]) -> list[Task]:
        """Write down what is to be done, and where the files lie that it needs."""
        listed = list(tasks)
        for task in listed:
            path, said = self.path_of(task), task.to_json()
            if not path.exists() or path.read_text(encoding="utf-8") != said:
                write_whole(path, said)
        return listed

    def tasks(self) -> list[Task]:
        """All that is written down, in the order of their ids."""
        return [read_task(path) for path in sorted((self.folder / TASKS).glob("*.json"))]

    def task(self, id: str) -> Task:
        """One that is written down."""
        return read_task(self.folder / TASKS / f"{id}.json")

    def path_of(self, task: Task) -> Path:
        """The file that says what there is to do: all that a worker is given."""
        return self.folder / TASKS / f"{task.id}.json"

    # --- what is done

    def result(self, task: Task) -> Path:
        """Where the result of a task lies, once there is one."""
        return self.folder / RESULTS / f"{task.id}{task.suffix}"

    def is_done(self, task: Task) -> bool:
        return self.result(task).exists()

    def failure(self, task: Task) -> Failure | None:
        """Why a task could not be done, if it was tried in vain."""
        found = json_in(self.folder / FAILED / f"{task.id}.json")
        if found is None or self.is_done(task):
            return None
        return Failure(str(found["message"]), int(found["attempts"]))

    def seconds(self, task: Task) -> float | None:
        """How long a task took."""
        found = json_in(self.folder / CLOCK / f"{task.id}.json")
        return None if found is None else float(found["seconds"])

    def holder(self, task: Task) -> Holder | None:
        """Who works on a task now."""
        claim = self._claim(task)
        if not claim.exists() or is_stale(claim, renewed=True):
            return None
        return holder_of(claim)

    def forget_failures(self) -> None:
        """Let what failed be tried again."""
        shutil.rmtree(self.folder / FAILED, ignore_errors=True)

    def fail(self, task: Task, message: str, *, attempts: int = 1) -> None:
        """Write down that a task cannot be done, and why."""
        content = {"message": message, "attempts": attempts, "kind": task.kind}
        write_whole(self.folder / FAILED / f"{task.id}.json", json.dumps(content, indent=1) + "\n")

    def status(self) -> Status:
        """How much is done, who works on what, and how long the rest will take."""
        tasks = self.tasks()
        done = [task for task in tasks if self.is_done(task)]
        failed = [task for task in tasks if not self.is_done(task) and self.failure(task)]
        settled = {task.id for task in (*done, *failed)}
        open_ones = [task for task in tasks if task.id not in settled]
        running = [one for task in open_ones if (one := self.holder(task)) is not None]
        left = _seconds_left(open_ones, [(task, self.seconds(task)) for task in done])
        workers = max(len(running), 1)
        return Status(
            total=len(tasks),
            done=len(done),
            running=tuple(running),
            failed=len(failed),
            seconds_left=None if left is None else left / workers,
        )

    # --- doing it

    def run(self, task: Task, make: Make) -> Outcome:
        """Do a task, unless it is done, was tried in vain, or somebody is at it.

        Options that cannot work fail at once; what may be the machine's fault is tried a few times. A
        failure is written down, never raised. Whatever stops the process leaves nothing of the task.

        Args:
            task: one of this ledger's.
            make: called with the ledger, the task, and the path to write its result to.
        """
        if (settled := self._settled(task)) is not None:
            return settled
        claim = self._claim(task)
        claim.parent.mkdir(parents=True, exist_ok=True)
        if take(claim, about=f"{task.kind} {task.id}", renewed=True) is not None:
            return self._settled(task) or "taken"
        with ExitStack() as held:
            held.callback(release, claim)
            held.enter_context(renewing(claim))
            if (settled := self._settled(task)) is not None:  # done while the claim was taken
                return settled
            return self._attempt(task, make)

    @contextmanager
    def share(self, index: int, of: int) -> Iterator[None]:
        """Work as one of several, each of which has a share of the tasks.

        Raises:
            BadInput: another process has the same share.
        """
        if not 0 <= index < of:
            raise BadInput(
                f"share {index} of {of} does not exist; shares are counted 0 to {of - 1}"
            )
        claim = self.folder / CLAIMS / f"share-{index}-of-{of}"
        claim.parent.mkdir(parents=True, exist_ok=True)
        if (holder := take(claim, about=f"share {index} of {of}", renewed=True)) is not None:
            which = "all of it" if of == 1 else f"share {index} of {of}"
            raise BadInput(
                f"{self.folder}: {holder} works on {which}; wait for it, or let this one take another "
                f"share (sweep work --index --of). If it is gone, remove {claim}"
            )
        with ExitStack() as held:
            held.callback(release, claim)
            held.enter_context(renewing(claim))
            yield

    def _settled(self, task: Task) -> Outcome | None:
        if self.is_done(task):
            return "done"
        return "failed" if self.failure(task) else None

    def _attempt(self, task: Task, make: Make) -> Outcome:
        target = self.result(task)
        remove_unfinished(target)
        for attempt in range(1, ATTEMPTS + 1):
            began = time.perf_counter()
            try:
                with whole_file(target) as fresh:
                    _make(make, self, task, fresh)
                    self._clock(task, time.perf_counter() - began)
                return "done"
            except Exception as error:
                again = isinstance(error, EnvironmentProblem | MemoryError | OSError)
                if not again or attempt == ATTEMPTS:
                    self.fail(task, _said(error), attempts=attempt)
                    return "failed"
            time.sleep(PAUSE)
        raise AssertionError("the last attempt settles it")

    def _clock(self, task: Task, seconds: float) -> None:
        content = {"seconds": round(seconds, 3), "kind": task.kind, "size": task.size}
        write_whole(self.folder / CLOCK / f"{task.id}.json", json.dumps(content) + "\n")

    def _claim(self, task: Task) -> Path:
        return self.folder / CLAIMS / task.id


def _make(make: Make, ledger: Ledger, task: Task, fresh: Path) -> None:
    try:
        make(ledger, task, fresh)
    except NwbsparseError:
        raise
    except OSError as error:  # not that the result could not be written: what it says
        raise EnvironmentProblem(_said(error)) from error


def _said(error: Exception) -> str:
    """The message of a failure; of what nobody foresaw also where it was raised."""
    if isinstance(error, NwbsparseError):
        return str(error)
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = str(error) or "no memory is left" if isinstance(error, MemoryError) else str(error)
    return f"{type(error).__name__}: {said} ({Path(where.filename).name}, line {where.lineno})"


def _seconds_left(waiting: list[Task], done: list[tuple[Task, float | None]]) -> float | None:
    """What the rest takes one after another, each like others of its kind and by its size."""
    rate: dict[str, float] = {}
    for kind in {task.kind for task, _ in done}:
        own = [(task.size, took) for task, took in done if task.kind == kind and took is not None]
        if own:
            rate[kind] = sum(took for _, took in own) / max(sum(size for size, _ in own), 1)
    left = [task.size * rate[task.kind] for task in waiting if task.kind in rate]
    if not waiting:
        return 0.0
    return sum(left) if left else None
