"""What a test does, told from its code: whether it asks for folders, and whether it fits models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

FOLDERS = {"tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory", "pytester"}
FITS = {
    *("fit", "fit_many", "fit_recording", "fit_seeds", "fit_transform", "resume", "run"),
    *("run_sessions", "run_cli"),
    *("train_decoder", "fit_read_in", "fine_tune"),
    *("explain", "decode", "cosmooth", "naik_scores", "transfer", "reproduce", "learn", "train"),
}
"""Names of what takes long: trainings, and what fits decoders or draws nulls."""


def asks_for_folders(item: Any) -> bool:
    """Whether a test, or a fixture that it needs, is given a folder."""
    return bool(FOLDERS & {*getattr(item, "fixturenames", ())})


def fits_models(item: Any) -> bool:
    """Whether a test, a fixture that it needs, or a function of the tests that these call, fits."""
    functions = [item.function] if hasattr(item, "function") else []
    for name in getattr(item, "fixturenames", ()):
        functions += [one.func for one in item._fixtureinfo.name2fixturedefs.get(name, ())]
    seen: set[FunctionType] = set()
    return any(FITS & names for one in functions for names in _names(one, seen))


def _names(function: Callable[..., Any], seen: set[FunctionType]) -> Iterator[set[str]]:
    """Names in a function, and in those of the tests that it calls."""
    given = getattr(function, "hypothesis", None)  # hypothesis calls the test that it wraps
    function = function if given is None else given.inner_test
    if not isinstance(function, FunctionType) or function in seen:
        return
    seen.add(function)
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    yield names
    for name in names & function.__globals__.keys():
        called = function.__globals__[name]
        if isinstance(called, FunctionType) and not called.__module__.startswith("nwbsparse"):
            yield from _names(called, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)
