"""What others' validators say about a file: pynwb, nwbinspector and dandi."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pynwb

from nwbsparse.io.nwb.opening import opened
from nwbsparse.share.findings import Finding, Severity, counted

DANDI_SECONDS = 600
_LONGEST = 240
"""Characters of one message."""

_INSPECTED: dict[str, Severity] = {
    "CRITICAL": "error",
    "PYNWB_VALIDATION": "error",
    "ERROR": "error",
    "BEST_PRACTICE_VIOLATION": "warning",
    "BEST_PRACTICE_SUGGESTION": "note",
}
_DANDI: dict[str, Severity] = {"CRITICAL": "error", "ERROR": "error", "WARNING": "warning"}
_SAID_ABOVE = ("NWBI.", "pynwb.")
"""What dandi passes on from the other two."""


def by_pynwb(path: Path) -> list[Finding]:
    """Where the file departs from the NWB schema and the extensions installed here."""

    def look() -> list[Finding]:
        if path.is_dir():  # by path it would be taken for HDF5
            with opened(path) as recording:
                io = recording.nwbfile.get_read_io()
                errors = pynwb.validate(io=io, use_cached_namespaces=False)
        else:
            errors = pynwb.validate(path=str(path), use_cached_namespaces=False)
        found: list[Any] = list(errors)
        return [
            Finding("pynwb", "error", _short(one.reason), f"{one.name} at {one.location or '/'}")
            for one in found
        ]

    return _said("pynwb", look)


def by_nwbinspector(path: Path) -> list[Finding]:
    """What nwbinspector says with DANDI's configuration; that it is not installed, if so."""
    if find_spec("nwbinspector") is None:
        return [Finding("nwbinspector", "skipped", "not installed: pip install nwbinspector")]
    if path.is_dir():
        return [Finding("nwbinspector", "skipped", "it cannot read this kind of Zarr store")]

    def look() -> list[Finding]:
        from nwbinspector import inspect_nwbfile, load_config

        found: list[Any] = list(
            # the schema was checked above
            inspect_nwbfile(nwbfile_path=path, config=load_config("dandi"), skip_validate=True)
        )
        return [_of_inspector(one) for one in found if one is not None]

    return _said("nwbinspector", look)


def by_dandi(path: Path) -> list[Finding]:
    """What ``dandi validate`` says; that it is not installed, if so."""
    command = _dandi_command()
    if command is None:
        return [Finding("dandi", "skipped", "not installed: pip install dandi")]
    with tempfile.TemporaryDirectory(prefix="nwbsparse-dandi-") as aside:
        # its logs go with the folder, and it asks no server whether it is the newest
        world = os.environ | {"XDG_STATE_HOME": aside, "DANDI_NO_ET": "1"}
        try:
            done = subprocess.run(  # noqa: S603  (a list of arguments; the path is one of them)
                [*command, "validate", "--format", "json_lines", str(path.resolve())],
                capture_output=True,
                timeout=DANDI_SECONDS,
                env=world,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [Finding("dandi", "skipped", f"it did not end within {DANDI_SECONDS} s")]
    said = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        try:
            said.append(json.loads(line))
        except ValueError:
            continue
    if done.returncode and not said:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return [Finding("dandi", "skipped", f"it failed: {_short(' '.join(last))}")]
    own = [one for one in said if not str(one.get("id", "")).startswith(_SAID_ABOVE)]
    found = [
        Finding(
            "dandi",
            # a file may be checked before it is put into its Dandiset
            "note"
            if one.get("id") == "DANDI.NO_DANDISET_FOUND"
            else _DANDI.get(str(one.get("severity")), "note"),
            f"{one.get('id')}: {_short(str(one.get('message')))}",
        )
        for one in own
    ]
    if passed_on := [one for one in said if one not in own]:
        errors = sum(str(one.get("severity")) in ("ERROR", "CRITICAL") for one in passed_on)
        found.append(
            Finding(
                "dandi",
                # said above already, and counted there
                "error" if errors and find_spec("nwbinspector") is None else "note",
                f"it passes on {len(passed_on)} findings of nwbinspector and pynwb, of which "
                f"{errors} count as errors",
            )
        )
    return counted(found) or [Finding("dandi", "ok", "no complaints")]


def _dandi_command() -> list[str] | None:
    if find_spec("dandi") is not None:
        return [sys.executable, "-m", "dandi"]
    there = shutil.which("dandi")
    return None if there is None else [there]


def _said(tool: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """What a check finds; one line where it breaks: a broken check must not hide the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return counted(look()) or [Finding(tool, "ok", "no complaints")]
        except Exception as error:  # they raise anything at files that they did not expect
            why = _short(str(error.args[-1]) if error.args else "")
            return [
                Finding(tool, "error", f"it cannot read the file: {type(error).__name__} {why}")
            ]


def _of_inspector(message: Any) -> Finding:
    rule = str(message.check_function_name)
    if broken := re.match(r"During evaluation of '(\w+)' - (.*)", rule, re.DOTALL):
        # its own words begin with a traceback, and are counted as errors of the file
        said = f"{broken[1]} failed on this file, in nwbinspector itself: {_short(broken[2])}"
        return Finding("nwbinspector", "skipped", said, rule=rule)
    severity = _INSPECTED.get(message.importance.name, "note")
    said = f"{rule}: {_short(_general(message))}"
    return Finding("nwbinspector", severity, said, str(message.location or "/"), rule=rule)


def _general(message: Any) -> str:
    """The words of a message; without the name of the object where that is said beside it."""
    said = str(message.message).splitlines()[0] if message.message else ""
    said = re.sub(r"'b'([^']*)''", r"'\1'", said)  # bytes, as nwbinspector words them
    return said.replace(f"'{message.object_name}' ", "")


def _short(said: str) -> str:
    said = " ".join(said.split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
