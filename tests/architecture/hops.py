"""How many functions of other files four journeys pass through: ``python tests/architecture/hops.py``.

Who follows a journey in the source opens a file for each of them. Counted are functions of nwbsparse that
are called straight from another file of it; what a library calls back is not.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import nwbsparse
from nwbsparse.__main__ import main
from nwbsparse.simulate.assemblies import simulate_assemblies
from nwbsparse.simulate.nwb import write_simulation

HOME = str(Path(nwbsparse.__file__).parent)
QUICK = (
    "--preset=plain", "--bin-width=0.1", "--n-latents=8", "--k=2", "--max-epochs=2", "--n-shifts=20",
)  # fmt: skip


def called_across(journey: Callable[[], Any]) -> set[tuple[str, str]]:
    """{(file, function)} of nwbsparse that a journey calls from another file of nwbsparse."""
    # by their ids, since to hash code is to hash all that it holds; kept, so that no id comes twice
    seen: dict[tuple[int, int], tuple[CodeType, CodeType]] = {}

    def look(frame: FrameType, event: str, _given: Any) -> None:
        if event == "call" and frame.f_back is not None:
            called, caller = frame.f_code, frame.f_back.f_code
            seen[id(called), id(caller)] = called, caller

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        journey()
    finally:
        sys.setprofile(before)
    return {
        (called.co_filename.removeprefix(HOME)[1:], called.co_qualname)
        for called, caller in seen.values()
        if called.co_filename != caller.co_filename
        and called.co_filename.startswith(HOME)
        and caller.co_filename.startswith(HOME)
    }


def command(*words: object) -> None:
    """Run a command of the command line, and keep what it prints to itself.

    Raises:
        RuntimeError: it did not end well; what it said.
    """
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main([str(word) for word in words])
        except SystemExit as left:
            if left.code:
                raise RuntimeError(said.getvalue()) from None


def counted(folder: Path) -> dict[str, set[tuple[str, str]]]:
    """What each journey calls across files, on two small simulated recordings."""
    one, two = (
        write_simulation(
            simulate_assemblies(
                seed=seed, n_assemblies=4, n_units=12, units_per_assembly=4, duration=60.0
            ),
            folder / f"{name}.nwb",
        )
        for seed, name in enumerate(("one", "two"))
    )
    annotated = folder / "alone" / "one_desc-latents_sparse.nwb"
    journeys: dict[str, Callable[[], Any]] = {
        "run FILE": lambda: command("run", one, "--out", folder / "alone", *QUICK),
        "open_results": lambda: nwbsparse.open_results(annotated),
        "explain FILE --write": lambda: command("explain", annotated, "--write"),
        "run FILE FILE": lambda: command("run", one, two, "--out", folder / "both", *QUICK),
    }
    return {name: called_across(journey) for name, journey in journeys.items()}


def print_table(found: dict[str, set[tuple[str, str]]], *, rooms: bool = False) -> None:
    """How many there are, and in how many files; room by room where that is asked."""
    out = sys.stdout
    out.write(f"{'journey':<22}{'functions':>10}{'files':>7}\n")
    for name, calls in found.items():
        out.write(f"{name:<22}{len(calls):>10}{len({file for file, _ in calls}):>7}\n")
        if rooms:
            count = Counter(file.partition("/")[0] for file, _ in calls)
            for room, n in count.most_common():
                out.write(f"  {room:<20}{n:>10}\n")


if __name__ == "__main__":
    with suppress(BrokenPipeError), tempfile.TemporaryDirectory() as made:
        print_table(counted(Path(made)), rooms="--rooms" in sys.argv)
