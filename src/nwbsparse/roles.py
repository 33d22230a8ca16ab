"""Roles that others can fill: implementations by name, ours beside those that installed packages bring.

A role is one :class:`Registry`, which stands beside what it serves (``models/sparsifiers.py``, …). A
package names a module of its own under the entry point group ``nwbsparse.plugins``; it is imported the
first time that a name is asked for which is none of ours, or that all names are.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from nwbsparse.errors import BadInput, NwbsparseWarning, unknown

GROUP = "nwbsparse.plugins"
ROLES: dict[str, Registry] = {}
"""The roles whose module was imported."""
_looked: list[str] = []
"""Whether installed packages were asked, so that they are asked once."""


class Registry(Mapping[str, Any]):
    """The implementations of one role by name.

    Args:
        role: what they are, in a word: 'sparsifier'.
        methods: what each must have.
        called_with: names of what each is called with, for roles that functions fill; the fact
            ``needs``, where there is one, names what is given besides.
        facts: what may be said of one when it is registered, with defaults.
    """

    def __init__(
        self,
        role: str,
        *,
        methods: Sequence[str] = (),
        called_with: Sequence[str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.role, self._methods, self._called_with = role, methods, called_with
        self._defaults = dict(facts or {})
        self._held: dict[str, tuple[Any, dict[str, Any]]] = {}
        ROLES[role] = self

    def register(self, name: str, made: Any = None, /, **facts: Any) -> Any:
        """Add an implementation under a name; a decorator where only the name is given.

        Raises:
            BadInput: the name is taken, or the implementation lacks what the role needs.
        """
        if made is None:
            return lambda one: self.register(name, one, **facts)
        if name in self._held:
            raise BadInput(
                f"there is a {self.role} '{name}' already ({_origin(self._held[name][0])}); "
                "take another name, or remove() that one first"
            )
        if lacks := self._lacks(made, facts):
            raise BadInput(f"{_origin(made)} cannot be the {self.role} '{name}': {lacks}")
        self._held[name] = made, self._defaults | facts
        return made

    def remove(self, name: str) -> None:
        """Forget an implementation."""
        del self._held[name]

    def fact(self, name: str, key: str) -> Any:
        """What was said of an implementation when it was registered, or the default."""
        self[name]
        return self._held[name][1][key]

    def own(self) -> tuple[str, ...]:
        """The names of those that are part of nwbsparse."""
        return tuple(name for name, (made, _) in self._held.items() if _is_ours(made))

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            more = (
                "Others come with packages: install the one that registers it, or import its module"
            )
            raise unknown(name, self._held, what=self.role, more=more)
        return self._held[name][0]

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping; what is looked up with ``[]`` and is not there is answered with a BadInput."""
        return self._held[name][0] if name in self else default

    def __contains__(self, name: object) -> bool:
        if name not in self._held:
            load_plugins()
        return name in self._held

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(tuple(self._held))

    def __len__(self) -> int:
        load_plugins()
        return len(self._held)

    def _lacks(self, made: Any, facts: Mapping[str, Any]) -> str:
        """What is missing in an implementation, '' if nothing is."""
        if missing := [one for one in self._methods if not callable(getattr(made, one, None))]:
            return f"it has no {'() and no '.join(missing)}()"
        if abstract := sorted(getattr(made, "__abstractmethods__", ())):
            return f"it does not say what {' and '.join(abstract)}() do"
        if strange := [key for key in facts if key not in self._defaults]:
            known = ", ".join(self._defaults) or "nothing"
            return f"{strange[0]}= says nothing of a {self.role} (what can be said: {known})"
        if self._called_with is None:
            return ""
        given = [*self._called_with, *([facts["needs"]] if facts.get("needs") else [])]
        call = f"({', '.join(given)})"
        try:
            inspect.signature(made).bind(*given)
        except (TypeError, ValueError) as error:
            return f"it cannot be called with {call}: {error}"
        return ""


def load_plugins() -> None:
    """Import what installed packages name under the entry point group, once.

    What cannot be imported is left out with one line of warning.
    """
    if _looked:
        return
    _looked.append(GROUP)
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        try:
            point.load()
        except (Exception, SystemExit) as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            warnings.warn(
                f"the plugin '{point.name}' ({point.value}) is left out: {why}",
                NwbsparseWarning,
                stacklevel=2,
            )


def registered(role: str) -> tuple[str, ...]:
    """The names in a role whose module was imported, by us or by a package that fills it; else none."""
    load_plugins()
    return tuple(ROLES[role]) if role in ROLES else ()


def _is_ours(made: Any) -> bool:
    return module_of(made).partition(".")[0] == "nwbsparse"


def module_of(made: Any) -> str:
    """The module that an implementation is defined in."""
    return str(getattr(made, "__module__", type(made).__module__))


def _origin(made: Any) -> str:
    """'models.sparsifiers.TopK': where an implementation comes from."""
    return f"{module_of(made)}.{getattr(made, '__qualname__', type(made).__qualname__)}"
