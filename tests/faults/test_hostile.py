"""Files made to harm are refused or do nothing: in bounded memory and time, leaving nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from make.configs import plain_config
from make.hostile_corpus import CANARY, SECRET, build, names

ADDRESS_SPACE = 2 * 2**30
"""Beyond what torch and its libraries reserve before they do anything: 1 GB, several with CUDA."""
RESIDENT = 400 * 2**20
"""Beyond what the libraries take by themselves."""
SECONDS = 60
"""For each verb, on a machine that others use too: opening 20,000 types takes ten."""

TRIED = Path(__file__).parent / "hostile_probe.py"
HARMLESS = {
    "script_in_names", "metadata_of_megabytes", "identifier_that_climbs", "pickle_in_a_dataset",
    "twenty_thousand_types", "types_that_inherit_in_a_circle", "links_in_a_circle",
    # the unit whose spikes would lie there is left out, and reported
    "index_beyond_the_end",
    # groups of electrodes are not needed
    "zarr_references",
    # the recording beside the results is sound
    "deep_json_in_results", "pickle_as_weights", "options_of_terabytes",
}  # fmt: skip
"""What may be read: there is nothing in it that harms. Everything else must be refused."""


HURT = ("deep_json_in_results", "pickle_as_weights", "options_of_terabytes")
FIRST = ("external_storage", "pickle_in_a_dataset", "compression_bomb")
"""Tried always; the others, seconds each, with ``-m slow``."""


def tried(name):
    marks = [] if name in FIRST else [pytest.mark.slow]
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [tried(name) for name in names()])
def test_a_hostile_file_is_refused_or_harmless(name, tmp_path):
    path = build(name, tmp_path / "here")
    before = snapshot(tmp_path)
    done = subprocess.run(
        [sys.executable, str(TRIED), str(path), str(ADDRESS_SPACE), str(SECONDS)],
        capture_output=True,
        text=True,
        timeout=6 * SECONDS,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=tmp_path / "here",
    )
    said = done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    outcome = {line.split()[1]: line.split(maxsplit=2)[2] for line in lines}
    assert done.returncode == 0, said[-3000:]
    assert set(outcome) == {"read", "open_results", "doctor", "validate", "report", "memory"}, said
    for verb in ("read", "open_results", "doctor", "validate", "report"):
        assert outcome[verb].startswith(("refused", "ok")), outcome
    if name not in HARMLESS:
        assert outcome["read"].startswith("refused"), outcome
    if name in HURT:
        assert outcome["open_results"].startswith("refused"), outcome
        assert outcome["validate"] == "ok 5", outcome
    assert int(outcome["memory"]) < RESIDENT, outcome
    assert SECRET not in said
    assert snapshot(tmp_path) == before, "something was written, or run"


def snapshot(folder: Path) -> dict[str, int]:
    return {str(one): one.lstat().st_size for one in folder.rglob("*")}


def test_names_with_scripts_are_escaped_in_the_report(tmp_path):
    import nwbsparse
    from make.results import made_results
    from nwbsparse.io.nwb.read import read_nwb
    from nwbsparse.results.results import environment

    path = build("script_in_names", tmp_path / "here")
    results = made_results(path)
    binned = nwbsparse.split(nwbsparse.to_bins(read_nwb(path), 0.1))
    coder = nwbsparse.fit(binned, plain_config(n_latents=16, k=2, max_epochs=1, n_shifts=50))
    latents = nwbsparse.encode(coder, binned)
    made = nwbsparse.Results(
        results.session,
        coder,
        latents,
        nwbsparse.evaluate(coder, binned),
        nwbsparse.explain(coder, binned, latents),
        environment(coder),
    )
    page = nwbsparse.report(made, binned, tmp_path / "report.html").read_text(encoding="utf-8")
    assert CANARY not in page and "nwbsparse-canary" in page and "<script" not in page.lower()
