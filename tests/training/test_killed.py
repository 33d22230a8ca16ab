"""Real processes killed at random times: what they leave behind goes on to the same bytes."""

import json
import subprocess
import sys
import textwrap

import pytest

from make.configs import plain_config
from make.fits import KINDS, everything
from make.sessions import make_binned, planted
from nwbsparse.training.fit import fit

RUN = {"batch_size": 64, "max_epochs": 24}
KILLS = 6
NURSERY = """
    import json, os, random, signal, sys, time
    import numba, torch._dynamo  # which the first training imports
    sys.path.insert(0, {tests!r})
    from make.fits import KINDS, everything
    from make.configs import plain_config
    from nwbsparse.training.fit import fit
    from make.sessions import make_binned, planted

    random.seed({seed})
    folder = {folder!r}
    config = plain_config(**KINDS[{kind!r}], **{run!r})
    data = make_binned(planted(900))
    file = folder + "/checkpoint.safetensors"

    def child():
        try:
            made = fit(data, config, checkpoint=folder, resume=True)
        except KeyboardInterrupt:
            os._exit(4)
        digest, history = everything(made)
        with open(folder + "/made.json", "w") as stream:
            json.dump([digest, history], stream)
        os._exit(0)

    def saved():
        return os.stat(file).st_mtime_ns if os.path.exists(file) else 0

    ends = []
    while 0 not in ends:
        # the parent never used torch, so forking is safe, and saves importing it each time
        before, done, status = saved(), 0, 0
        if (pid := os.fork()) == 0:
            child()
        while not done and (len(ends) >= {kills} or saved() == before):
            done, status = os.waitpid(pid, os.WNOHANG)
            time.sleep(0.001)
        if not done:
            time.sleep(random.uniform(0, 0.05))  # somewhere in the few updates after a check
            os.kill(pid, random.choice([signal.SIGKILL, signal.SIGTERM]))
            status = os.waitpid(pid, 0)[1]
        ends.append(os.waitstatus_to_exitcode(status))
        # SIGTERM kills, as it should, before and after the training proper
        if ends[-1] not in (0, 4, -signal.SIGKILL, -signal.SIGTERM):
            sys.exit(f"the child ended with {{ends[-1]}}")
    print(json.dumps(ends))
"""


@pytest.mark.fault(53)
@pytest.mark.fault(54)
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_killed_again_and_again_ends_the_same(kind, tmp_path, request):
    given = {"tests": str(request.config.rootpath / "tests"), "folder": str(tmp_path)}
    given |= {"kind": kind, "run": RUN, "kills": KILLS, "seed": len(kind)}
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NURSERY).format(**given)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    ends = json.loads(ran.stdout)
    assert {4, -9} <= set(ends), "the kills came too late to mean anything"
    digest, history = json.loads((tmp_path / "made.json").read_text())
    expected = fit(make_binned(planted(900)), plain_config(**KINDS[kind], **RUN))
    assert [digest, tuple(history)] == list(everything(expected))
