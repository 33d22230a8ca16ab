"""Work is dealt to whatever takes a function and a path: in order, and no more than there is room for."""

import json
from concurrent.futures import Future

import pytest

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.studies import work as rules
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.task import Task
from nwbsparse.studies.work import work_through


class KilledWorker(Exception):
    """As dask names it when too many workers died of one task."""


class Later:
    """Futures that end one by one, when all that was allowed to begin has begun."""

    def __init__(self, *, n_at_once=99, n_bytes=None, killed=()):
        self.n_at_once, self.n_bytes, self.killed = n_at_once, n_bytes, killed
        self.begun, self.most, self.order = {}, 0, []

    def submit(self, fn, path, /):
        _, task = Ledger.of(path)
        future = Future()
        self.begun[task.about["number"]] = (future, fn, path)
        self.order.append(task.about["number"])
        self.most = max(self.most, len(self.begun))
        return _Ending(future, self)

    def end_one(self):
        number, (future, fn, path) = next(iter(self.begun.items()))
        del self.begun[number]
        if number in self.killed:
            future.set_exception(KilledWorker("died 3 times"))
        else:
            future.set_result(fn(path))


class _Ending:
    def __init__(self, future, later):
        self.future, self.later = future, later

    def add_done_callback(self, then):
        self.future.add_done_callback(lambda _: then(self))

    def result(self):
        return self.future.result()


class Pump(rules._Work):
    """Ends one future whenever something is waited for."""

    def wait(self):
        if self.begun:
            self.executor.end_one()
        super().wait()


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "sweep", {})


@pytest.fixture(autouse=True)
def pumped(monkeypatch):
    monkeypatch.setattr(rules, "_Work", Pump)
    monkeypatch.setattr(rules, "LOOK_AGAIN", 0.01)


def do(path):
    def make(ledger, task, path):
        for need in task.needs:
            assert ledger.is_done(ledger.task(need))
        if task.about.get("refuse"):
            raise BadInput("it cannot be")
        path.write_text(json.dumps(task.about["number"]))

    ledger, task = Ledger.of(path)
    return ledger.run(task, make)


HOW = {"count": do}


def counted(ledger, n=4, **more):
    return ledger.add(Task("count", {"number": number} | more) for number in range(n))


def test_here_it_is_done_one_after_another_and_said(ledger):
    tasks, said = counted(ledger), []
    work_through(ledger, tasks, HOW, progress=lambda *a, **_: said.append(a))
    assert ledger.status().done == 4
    assert said == [("sweep", done, 4) for done in range(1, 5)]


def test_no_more_is_begun_than_there_are_workers(ledger):
    executor = Later(n_at_once=2)
    work_through(ledger, counted(ledger), HOW, executor)
    assert executor.most == 2 and ledger.status().done == 4


def test_no_more_is_begun_than_there_is_memory_for(ledger):
    """Not the nanny's limit, under which torch makes workers pause for good."""
    executor = Later(n_bytes=250)
    work_through(ledger, counted(ledger), HOW, executor, needed=lambda _: 100)
    assert executor.most == 2 and ledger.status().done == 4


def test_what_never_fits_is_a_failure_with_both_numbers(ledger):
    tasks = counted(ledger)
    needed = {task.id: 10**9 * (1 + task.about["number"]) for task in tasks}
    work_through(ledger, tasks, HOW, Later(n_bytes=3 * 10**9), needed=lambda task: needed[task.id])
    assert ledger.status().done == 3
    assert "needs about 4.0 GB, 3.0 GB are free" in ledger.failure(tasks[3]).message


@pytest.mark.parametrize("executor", [None, Later()], ids=["here", "elsewhere"])
def test_what_others_need_comes_first_and_is_found_where_only_these_are_given(ledger, executor):
    (first,) = ledger.add([Task("count", {"number": 0})])
    rest = ledger.add(Task("count", {"number": n}, needs=(first.id,)) for n in (1, 2))
    work_through(ledger, rest, HOW, executor)
    assert ledger.status().done == 3


def test_what_needs_a_failure_fails_for_the_same_reason(ledger):
    (first,) = ledger.add([Task("count", {"number": 0, "refuse": True})])
    rest = ledger.add(Task("count", {"number": n}, needs=(first.id,)) for n in (1, 2))
    work_through(ledger, rest, HOW)
    assert {ledger.failure(task).message for task in rest} == {"it cannot be"}


def test_a_worker_that_dies_of_a_task_again_and_again_is_a_failure_of_that_task(ledger):
    tasks = counted(ledger)
    work_through(ledger, tasks, HOW, Later(killed=(2,)))
    assert ledger.status().done == 3
    assert "not enough memory (died 3 times)" in ledger.failure(tasks[2]).message


def test_workers_that_are_gone_can_be_gone_on_from(ledger):
    class Gone(Later):
        def end_one(self):
            number, (future, _, _) = next(iter(self.begun.items()))
            del self.begun[number]
            future.set_exception(ConnectionError("lost"))

    tasks = counted(ledger)
    with pytest.raises(EnvironmentProblem, match=r"the workers are gone .*run the same again"):
        work_through(ledger, tasks, HOW, Gone())
    assert ledger.status().failed == 0
    work_through(ledger, tasks, HOW)
    assert ledger.status().done == 4


def test_workers_that_see_another_folder_are_told_so(ledger):
    with pytest.raises(EnvironmentProblem, match="workers must see the same folder"):
        work_through(ledger, counted(ledger), {"count": lambda _: "done"}, Later())


def test_what_another_process_works_on_is_waited_for(ledger):
    tasks, looks = counted(ledger, 1), []

    def taken_at_first(path):
        looks.append(path)
        return do(path) if len(looks) == 3 else "taken"

    work_through(ledger, tasks, {"count": taken_at_first})
    assert len(looks) == 3 and ledger.status().done == 1
