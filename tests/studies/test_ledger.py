"""A ledger: what is done is never done again, what was killed is, and nobody works on what another does."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager

import pytest

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.files import claim
from nwbsparse.studies import ledger as rules
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.task import Task

FOR = {"grid": {"axes": {"k": [4, 8]}}, "data": "abc"}


def write_number(_ledger, task, path):
    path.write_text(json.dumps(task.about["number"]))


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "sweep", FOR)


@pytest.fixture
def tasks(ledger):
    return ledger.add(Task("count", {"number": number}) for number in range(3))


@contextmanager
def another_process(tmp_path, code):
    """A process that has the ledger, and says 'ready' before it goes on."""
    begin = f"""
        import time
        from nwbsparse.studies.ledger import Ledger
        ledger = Ledger({str(tmp_path / "sweep")!r})
        tasks = ledger.tasks()
    """
    code = textwrap.dedent(begin) + textwrap.dedent(code)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_a_finished_task_is_never_run_again(ledger, tasks):
    made = []

    def make(_ledger, task, path):
        made.append(task.about["number"])
        write_number(_ledger, task, path)

    for _ in range(2):
        assert [ledger.run(task, make) for task in tasks] == ["done"] * 3
    assert made == [0, 1, 2]
    assert [json.loads(ledger.result(task).read_text()) for task in tasks] == [0, 1, 2]
    status = ledger.status()
    assert (status.total, status.done, status.failed, status.waiting) == (3, 3, 0, 0)
    assert status.settled and status.seconds_left == 0


def test_an_id_is_of_everything_that_the_result_depends_on():
    one = Task("count", {"a": 1, "b": [2]})
    assert one.id == Task("count", {"b": [2], "a": 1}, size=7).id
    others = [
        Task("sum", {"a": 1, "b": [2]}),
        Task("count", {"a": 1, "b": [3]}),
        Task("count", {"a": 1, "b": [2]}, needs=("x",)),
        Task("count", {"a": 1, "b": [2]}, version="0.0.1"),
    ]
    assert len({one.id, *(other.id for other in others)}) == 5


def test_another_process_needs_the_path_alone(ledger, tasks):
    again, task = Ledger.of(ledger.path_of(tasks[1]))
    assert task == tasks[1] and again.folder == ledger.folder
    assert again.made_for["grid"] == FOR["grid"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grid": {"axes": {"k": [4, 16]}}}, r"grid\.axes\.k\[1\] \(there 8, here 16\)"),
        ({"grid": {"axes": {}}}, r"grid\.axes\.k \(there \[4, 8\], here nothing\)"),
        ({"data": "abd"}, 'data \\(there "abc", here "abd"\\)'),
        ({"version": "0.0.1"}, "version"),
    ],
)
def test_the_folder_of_another_sweep_is_refused_with_what_differs(ledger, change, said):
    before = (ledger.folder / "ledger.json").read_bytes()
    with pytest.raises(BadInput, match=said):
        Ledger(ledger.folder, FOR | change)
    assert (ledger.folder / "ledger.json").read_bytes() == before
    Ledger(ledger.folder, FOR)


def test_what_is_no_ledger_is_refused(tmp_path, ledger):
    with pytest.raises(BadInput, match="holds no sweep"):
        Ledger(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is a file"):
        Ledger(tmp_path / "file", FOR)
    (tmp_path / "other" / "results").mkdir(parents=True)
    with pytest.raises(BadInput, match="holds results, and no ledger"):
        Ledger(tmp_path / "other", FOR)
    for damaged in ("", "[]", "{}", '{"format": 9, "made_for": {}}'):
        (ledger.folder / "ledger.json").write_text(damaged)
        with pytest.raises(BadInput, match=r"damaged|format 9"):
            Ledger(ledger.folder, FOR)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"kind": "a", "about": {}, "needs": [], "x": 1}']
)
def test_a_damaged_task_is_named(ledger, tasks, content):
    ledger.path_of(tasks[0]).write_text(content)
    with pytest.raises(BadInput, match=f"{tasks[0].id}.json is missing or damaged"):
        ledger.tasks()


def test_what_options_cannot_do_is_tried_once_and_written_down(ledger, tasks):
    tries = []

    def refuse(*_):
        tries.append(1)
        raise BadInput("k is 9 but there are only 4 latents")

    assert [ledger.run(tasks[0], refuse) for _ in range(2)] == ["failed", "failed"]
    assert len(tries) == 1
    assert ledger.failure(tasks[0]).message == "k is 9 but there are only 4 latents"
    assert not ledger.result(tasks[0]).exists()
    assert ledger.status().failed == 1
    ledger.forget_failures()
    assert ledger.run(tasks[0], write_number) == "done"


@pytest.mark.parametrize(
    "error", [EnvironmentProblem("no disk"), MemoryError(), OSError(5, "Input/output error")]
)
def test_the_faults_of_a_machine_are_tried_a_few_times(ledger, tasks, monkeypatch, error):
    """The kind: what may go well the next time. A bug is none of it: its failure says where."""
    monkeypatch.setattr(rules, "PAUSE", 0.0)
    tries = []

    def fail(_ledger, task, path):
        tries.append(1)
        if len(tries) < 3:
            raise error
        write_number(_ledger, task, path)

    assert ledger.run(tasks[0], fail) == "done" and len(tries) == 3

    def always(*_):
        tries.append(1)
        raise error

    tries.clear()
    assert ledger.run(tasks[1], always) == "failed" and len(tries) == 3
    assert ledger.failure(tasks[1]).attempts == 3

    def bug(*_):
        raise KeyError("gone")

    assert ledger.run(tasks[2], bug) == "failed"
    said = ledger.failure(tasks[2])
    assert "KeyError" in said.message and "test_ledger.py" in said.message and said.attempts == 1


def test_an_interruption_leaves_nothing_of_the_task(ledger, tasks):
    def stop(_ledger, _task, path):
        path.write_text("ha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.run(tasks[0], stop)
    assert not ledger.is_done(tasks[0]) and ledger.holder(tasks[0]) is None
    assert list((ledger.folder / "results").iterdir()) == []
    assert ledger.run(tasks[0], write_number) == "done"


HOLD = """
    def hold(ledger, task, path):
        path.write_text("half")
        print("ready", flush=True)
        time.sleep(60)
    ledger.run(tasks[0], hold)
"""


@pytest.mark.files
def test_two_processes_never_do_one_task_and_that_of_a_dead_one_is_done_again(
    tmp_path, ledger, tasks
):
    tasks = ledger.tasks()
    with another_process(tmp_path, HOLD) as other:
        assert ledger.run(tasks[0], write_number) == "taken"
        holder = ledger.holder(tasks[0])
        assert holder.pid == other.pid and f"process {other.pid} on" in str(holder)
        assert len(ledger.status().running) == 1 and ledger.status().waiting == 2
        other.send_signal(signal.SIGKILL)
        # killed, and nobody has asked how it ended: as good as gone
        deadline = time.monotonic() + 10
        while ledger.holder(tasks[0]) is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ledger.holder(tasks[0]) is None
    assert ledger.run(tasks[0], write_number) == "done"
    assert [one.name for one in (ledger.folder / "results").iterdir()] == [f"{tasks[0].id}.json"]
    assert list((ledger.folder / "claims").iterdir()) == []


@pytest.mark.files
def test_one_share_is_one_worker_s(tmp_path, ledger):
    code = """
    with ledger.share(1, 4):
        print("ready", flush=True)
        time.sleep(60)
    """
    with another_process(tmp_path, code) as other:
        said = f"process {other.pid} on .* works on share 1 of 4"
        with pytest.raises(BadInput, match=said), ledger.share(1, 4):
            pass
        with ledger.share(2, 4):
            pass
    with ledger.share(1, 4):
        pass


@pytest.mark.parametrize(("index", "of"), [(4, 4), (-1, 4), (0, 0)])
def test_a_share_that_does_not_exist(ledger, index, of):
    with pytest.raises(BadInput, match="does not exist"), ledger.share(index, of):
        pass


def test_a_claim_of_another_machine_is_taken_over_once_nobody_renews_it(ledger, tasks):
    path = ledger.folder / "claims" / tasks[0].id
    path.parent.mkdir()
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "since": "then"}))
    assert ledger.run(tasks[0], write_number) == "taken"
    assert str(ledger.holder(tasks[0])) == "process 1 on elsewhere since then"
    long_ago = time.time() - 2 * claim.SILENT_FOR
    os.utime(path, (long_ago, long_ago))
    assert ledger.holder(tasks[0]) is None
    assert ledger.run(tasks[0], write_number) == "done"


def test_a_claim_of_an_earlier_process_of_the_same_number_is_nobody_s(ledger, tasks):
    path = ledger.folder / "claims" / tasks[0].id
    path.parent.mkdir()
    path.write_text(
        json.dumps(
            {"host": claim.socket.gethostname(), "pid": os.getpid(), "began": 1, "since": ""}
        )
    )
    assert ledger.run(tasks[0], write_number) == "done"


def test_a_disk_without_links_has_claims_too(ledger, tasks, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    seen = []

    def look(_ledger, task, path):
        seen.append((_ledger.holder(task).pid, _ledger.run(task, write_number)))
        write_number(_ledger, task, path)

    assert ledger.run(tasks[0], look) == "done"
    assert seen == [(os.getpid(), "taken")]


def test_how_long_it_will_take_goes_by_what_was_done(ledger, tasks, monkeypatch):
    assert ledger.status().seconds_left is None
    clock = iter([0.0, 4.0])
    monkeypatch.setattr(rules.time, "perf_counter", lambda: next(clock))
    ledger.run(tasks[0], write_number)
    assert ledger.seconds(tasks[0]) == 4.0
    assert ledger.status().seconds_left == pytest.approx(8.0)
