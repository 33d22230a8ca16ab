"""Which machine this is, how busy it is, and how contenders are run on it."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUSY = 2.3
"""Load of the two cores beyond which times say little; ratios of one run still do."""


def words():
    """The machine in a line."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else name
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}; {load_words()}"


def load_words():
    """The load, with a warning where it is too high for times to mean much."""
    load = os.getloadavg()[0]
    warning = f": WARNING, above {BUSY}, run again when it is quiet" if load > BUSY else ""
    return f"load {load:.2f}{warning}"


def run(interpreter, *arguments, threads=1):
    """A contender in a process of its own; what its last line says, or why it failed."""
    # waiting threads of a pool spin: all pools get the same size, set before they start
    pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = os.environ | dict.fromkeys(pools, str(threads))
    command = [str(interpreter), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"failed": lines[-1] if lines else f"exit {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def ourselves(*arguments, threads=1):
    """A contender that is a script of this folder, in the interpreter that runs now."""
    name, *others = arguments
    return run(sys.executable, HERE / name, *others, threads=threads)


def best(found, key="cpu_s"):
    """The run that took the least CPU; a failed one only where all failed."""
    made = [one for one in found if key in one]
    return min(made, key=lambda one: one[key]) if made else found[0]


def table(heads, rows):
    """Rows of text under their heads, in columns."""
    cells = [list(map(str, row)) for row in (heads, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heads))]
    for row in cells:
        first, *others = zip(row, widths, strict=True)
        print("  " + first[0].ljust(first[1]), *(text.rjust(width) for text, width in others))
