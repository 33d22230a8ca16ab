"""References as hdmf-zarr stored them before 0.14: in pickles, which are read here without unpickling.

A pickle is a program. hdmf-zarr wrote every column of references (``electrodes/group``,
``trials/timeseries``) as one that makes a numpy array of tables. Here its instructions are followed
by hand, as far as they make arrays, tables, text and numbers: nothing that a pickle names is imported
or called, whatever the settings of numcodecs are.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_MAKERS = {
    ("numpy._core.multiarray", "_reconstruct"): "array",
    ("numpy.core.multiarray", "_reconstruct"): "array",
    ("numpy", "ndarray"): "kind of array",
    ("numpy", "dtype"): "dtype",
    ("hdmf_zarr.utils", "ZarrReference"): "reference",
    ("hdmf_zarr.zarr_utils", "ZarrReference"): "reference",
}
"""What a pickle of references may name, and what it stands for here."""


class NotReferences(ValueError):
    """A pickle that makes anything else than references."""


@dataclass(frozen=True)
class _Maker:
    what: str


@dataclass
class _Made:
    """An array or dtype, with what it is said to consist of."""

    what: str
    of: tuple[Any, ...]
    state: tuple[Any, ...] = ()


@dataclass
class _Machine:
    """The stack on which a pickle works."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop(self, n: int) -> list[Any]:
        taken = self.stack[len(self.stack) - n :]
        del self.stack[len(self.stack) - n :]
        return taken

    def since_mark(self) -> list[Any]:
        return self.pop(len(self.stack) - self.marks.pop())


def references_in(pickled: bytes) -> Any:
    """The array of references that a pickle would make, or the whole number that it is.

    Raises:
        NotReferences: it would make anything else, or is damaged.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            _follow(machine, opcode.name, argument)
        (made,) = machine.stack
        return made if isinstance(made, int) else _array_of(made)
    except NotReferences:
        raise
    except Exception as error:  # whatever a damaged one leads to
        raise NotReferences(f"no references can be read from it ({error!r:.120})") from None


@contextmanager
def references_without_unpickling() -> Iterator[None]:
    """While it is open, what Zarr would unpickle is read by ``references_in`` instead."""
    from numcodecs import pickles
    from numcodecs.registry import codec_registry

    known: dict[Any, Any] = codec_registry

    class References(pickles.Pickle):
        def decode(self, buf: Any, out: Any = None) -> Any:
            found = references_in(memoryview(buf).tobytes())
            if out is None:
                return found
            np.copyto(out, found)
            return out

    before = known[pickles.Pickle.codec_id]
    known[pickles.Pickle.codec_id] = References
    try:
        yield
    finally:
        known[pickles.Pickle.codec_id] = before


def _follow(machine: _Machine, name: str, argument: Any) -> None:
    if name in _VALUES:
        machine.stack.append(_VALUES[name](argument))
    elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
        at = len(machine.memo) if name == "MEMOIZE" else argument
        machine.memo[at] = machine.stack[-1]
    elif name in ("BINGET", "LONG_BINGET"):
        machine.stack.append(machine.memo[argument])
    elif name == "MARK":
        machine.marks.append(len(machine.stack))
    elif name in _STEPS:
        _STEPS[name](machine)
    elif name == "GLOBAL":
        machine.stack.append(_maker(*argument.split(" ", 1)))
    elif name not in ("PROTO", "FRAME", "STOP"):
        raise NotReferences(f"it does more than make references ({name})")


_VALUES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1"), int),
    **dict.fromkeys(("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), str),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES"), bytes),
    "BINFLOAT": float,
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_LIST": lambda _: [],
    "EMPTY_DICT": lambda _: {},
}


def _tuple_of(n: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(tuple(machine.pop(n)))


def _tuple(machine: _Machine) -> None:
    machine.stack.append(tuple(machine.since_mark()))


def _append(machine: _Machine) -> None:
    _extend(machine, machine.pop(1))


def _appends(machine: _Machine) -> None:
    _extend(machine, machine.since_mark())


def _set_item(machine: _Machine) -> None:
    _update(machine, machine.pop(2))


def _set_items(machine: _Machine) -> None:
    _update(machine, machine.since_mark())


def _extend(machine: _Machine, more: list[Any]) -> None:
    if not isinstance(machine.stack[-1], list):
        raise NotReferences("it adds to what is no list")
    machine.stack[-1].extend(more)


def _update(machine: _Machine, pairs: list[Any]) -> None:
    if not isinstance(machine.stack[-1], dict):
        raise NotReferences("it names parts of what is no table")
    machine.stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))


def _stack_global(machine: _Machine) -> None:
    machine.stack.append(_maker(*machine.pop(2)))


def _maker(module: str, name: str) -> _Maker:
    what = _MAKERS.get((module, name))
    if what is None:
        raise NotReferences(f"it calls for {module}.{name}")
    return _Maker(what)


def _call(machine: _Machine) -> None:
    """What a pickle would call is only written down."""
    maker, of = machine.pop(2)
    if not isinstance(maker, _Maker) or not isinstance(of, tuple):
        raise NotReferences("it calls something")
    if maker.what == "reference" and not of:
        machine.stack.append({})
    elif maker.what in ("array", "dtype"):
        machine.stack.append(_Made(maker.what, of))
    else:
        raise NotReferences(f"it makes a {maker.what}")


def _build(machine: _Machine) -> None:
    (state,) = machine.pop(1)
    made = machine.stack[-1]
    if not isinstance(made, _Made) or not isinstance(state, tuple):
        raise NotReferences("it changes something")
    made.state = state


_STEPS: dict[str, Callable[[_Machine], None]] = {
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "TUPLE": _tuple,
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _call,
    "NEWOBJ": _call,
    "BUILD": _build,
}


def _array_of(made: Any) -> np.ndarray:
    if not isinstance(made, _Made) or made.what != "array":
        raise NotReferences("it makes no array")
    _, shape, kind, in_columns, values = made.state
    dtype = _dtype_of(kind)
    if not isinstance(values, list) or not dtype.hasobject:
        raise NotReferences("it makes an array of numbers")
    array = np.empty(len(values), dtype=dtype)
    for i, value in enumerate(values):
        array[i] = value
        of_objects = value if isinstance(value, tuple) else (value,)
        if not all(_is_plain(one) for one in of_objects):
            raise NotReferences("it holds something else than references")
    return array.reshape(shape, order="F" if in_columns else "C")


def _is_plain(value: Any) -> bool:
    """Whether it is a reference: a table of words; or a number or text beside references."""
    if isinstance(value, dict):
        words = (*value.keys(), *value.values())
        return all(one is None or isinstance(one, str) for one in words)
    return value is None or isinstance(value, int | float | str)


def _dtype_of(made: Any) -> np.dtype:
    if not isinstance(made, _Made) or made.what != "dtype":
        raise NotReferences("it is of no dtype")
    code, (_, order, _, names, fields, *_) = str(made.of[0]), made.state
    if names is None:
        return np.dtype(code if order == "|" else f"{order}{code}")
    return np.dtype([(str(name), _dtype_of(fields[name][0])) for name in names])
