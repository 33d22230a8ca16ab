"""What the types of an NWB file mean: definitions from pynwb, the file itself, and installed packages."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from copy import deepcopy
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from hdmf.build import BuildManager, TypeMap
from pynwb import get_type_map

from nwbsparse.io.rules.values import text

_SPECLOC = ".specloc"  # the attribute of the root by which hdmf finds the cached definitions
_OWN = ("core", "hdmf-common", "hdmf-experimental")
_EXTENSION = re.compile(r"ndx-[a-z0-9]+(?:-[a-z0-9]+)*")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


def open_with_definitions(
    make: Callable[[BuildManager], Any], held: ExitStack
) -> tuple[Any, dict[str, str]]:
    """A pynwb io with every definition of its file that can be used, and why the others cannot.

    ``make`` opens the file with a manager of types. One cached definition that rests on another
    that is not there would otherwise stop the whole file.
    """
    type_map = get_type_map()
    io = held.enter_context(make(BuildManager(type_map)))
    try:
        io.load_namespaces_io(type_map)
        return io, {}
    except Exception:  # hdmf raises anything: a missing name, broken JSON, a cycle, …
        usable, broken = _sorted_out(io)
    type_map = get_type_map()  # the first may hold half of a definition
    io = held.enter_context(make(BuildManager(type_map)))
    if usable:
        io.load_namespaces_io(type_map, usable)
    return io, broken


def load_installed(namespace: str, type_map: TypeMap) -> bool:
    """Learn the types of an extension from its installed package; whether that worked.

    Only the YAML of the definition is read: no code of the package runs because a file names it.
    """
    path = _definition_of(namespace) if _EXTENSION.fullmatch(namespace) else None
    if path is None:
        return False
    try:
        _learn(deepcopy(type_map), path)
    except Exception:  # as above; the copy takes the damage
        return False
    _learn(type_map, path)
    return True


def why_unknown(
    namespace: str | None, type_name: str, type_map: Any, broken: dict[str, str]
) -> str:
    """Why objects of this type cannot be built; '' where they can."""
    if namespace is None:
        return "it states no namespace"
    if namespace in broken:
        return f"the definition of {namespace} in the file cannot be used ({broken[namespace]})"
    catalog: Any = type_map.namespace_catalog
    if namespace not in catalog.namespaces:
        return f"the definition of {namespace} is neither in the file nor installed"
    known = catalog.get_namespace(namespace)
    if type_name not in known.get_registered_types():
        return f"{namespace} {known.version}, which is at hand, has no such type"
    try:
        type_map.get_dt_container_cls(type_name, namespace)
    except Exception as error:  # as above
        return f"its definition cannot be used ({_said(error)})"
    return ""


def remedy(namespace: str | None) -> str:
    """What to install so that the types of a namespace can be built."""
    if namespace in _OWN:
        return "update pynwb (pip install -U pynwb)"
    # the name comes from the file: only what can be a package is put into a command
    if namespace is None or not _PACKAGE.fullmatch(namespace):
        return "re-export the file with its definitions cached"
    return f"install it (pip install {namespace}) and read again"


def _sorted_out(io: Any) -> tuple[list[str], dict[str, str]]:
    """The names of cached definitions that can be used, and why each of the others cannot."""
    file = io._file
    waiting, usable = sorted(file[file.attrs[_SPECLOC]].keys()), []
    broken: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again when what is usable is loaded for good
        growing = True
        while growing:  # one definition may rest on another that comes later
            growing = False
            for name in list(waiting):
                try:
                    io.load_namespaces_io(get_type_map(), [*usable, name])
                except Exception as error:  # as above
                    broken[name] = _said(error)
                    continue
                waiting.remove(name)
                broken.pop(name, None)
                usable.append(name)
                growing = True
    return usable, broken


def _learn(type_map: Any, path: Path) -> None:
    type_map.load_namespaces(namespace_path=str(path))


def _definition_of(namespace: str) -> Path | None:
    try:
        held = files(namespace) or []
    except PackageNotFoundError:
        return None
    found = [one for one in held if one.name == f"{namespace}.namespace.yaml"]
    return Path(str(found[0].locate())) if found else None


def _said(error: Exception) -> str:
    return text(error.args[-1])[:200] if error.args else type(error).__name__
