"""How far one has to read to follow a journey: functions called across files, which should not grow."""

import subprocess
import sys

import pytest

from make.house import ROOT

MOST = {"run FILE": 578, "open_results": 127, "explain FILE --write": 409, "run FILE FILE": 585}
"""What ``hops.py`` counted when the number last fell. More is a choice: say in the commit what it buys."""


@pytest.mark.slow
def test_journeys_pass_through_no_more_functions_than_they_did():
    # in a process of its own: here every function is wrapped to check the types of what it is given
    script = ROOT / "tests" / "architecture" / "hops.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    rows = [line.rsplit(maxsplit=2) for line in done.stdout.splitlines()[1:]]
    found = {name: int(functions) for name, functions, _ in rows}
    assert found.keys() == MOST.keys()
    assert {name: n for name, n in found.items() if n > MOST[name]} == {}, done.stdout
