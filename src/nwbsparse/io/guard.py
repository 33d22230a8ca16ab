"""A downloaded file is untrusted: it may name other files of this machine as its own data.

Stock readers follow external storage, virtual datasets and external links wherever they lead.
The tree is walked here first, link by link, without reading data and without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
from h5py import h5d, h5f, h5g, h5l, h5o  # pyright: ignore[reportAttributeAccessIssue]  (compiled)

from nwbsparse.errors import BadInput

MAX_DEPTH = 200
MAX_LINKS = 1_000_000


class Damaged(BadInput):
    """The file was an NWB file once: parts of it are missing or unreadable."""


_Group = tuple[h5g.GroupID, Iterator[bytes], str]
_External = tuple[str, Path, str]  # where the link is, the file it names, the path in that file


def check_tree(path: Path) -> None:
    """Refuse a file that takes data from outside its own folder, or that no reader could walk.

    External links to files in the same folder (or below) are followed and those files are held
    to the same rules.

    Raises:
        BadInput: external storage, a virtual dataset, a link that dangles or leaves the folder,
            groups nested more than 200 deep, more than 1,000,000 links, or a damaged object.
    """
    root = path.parent.resolve()
    waiting, seen, links = [path], {path.resolve()}, []
    while waiting:
        found = _walk(waiting.pop(), root)
        links += found
        for _, target, _ in found:
            if target.resolve() not in seen:
                seen.add(target.resolve())
                waiting.append(target)
    # only now, when every file is known to be safe, may paths inside them be followed
    for where, target, inside in links:
        with h5py.File(target, mode="r") as file:
            if inside not in file:
                raise BadInput(f"{where} points to {inside} in {target}, which is not there.")


def check_open_tree(file: h5py.File, path: Path) -> None:
    """Refuse an open file that takes data from anywhere else: it has no folder to link into.

    Raises:
        BadInput: as ``check_tree``, and for every external link.
    """
    _walk_groups(h5g.open(file.id, b"/"), path, None)


def datasets_in(top: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """Every dataset of a checked file or group and of what it links to, once, with its path."""
    waiting: list[tuple[str, h5py.Group]] = [("", top)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            try:
                thing: Any = group.get(name)
            except RuntimeError:  # soft links that lead round in a circle
                continue
            if thing is None:  # a soft link that dangles
                continue
            about = h5o.get_info(thing.id)
            if (about.fileno, about.addr) in seen:
                continue
            seen.add((about.fileno, about.addr))
            if isinstance(thing, h5py.Dataset):
                yield f"{prefix}/{name}", thing
            elif isinstance(thing, h5py.Group):
                waiting.append((f"{prefix}/{name}", thing))


def _walk(path: Path, root: Path) -> list[_External]:
    try:
        file = h5f.open(str(path).encode(), h5f.ACC_RDONLY)
    except OSError as error:
        raise Damaged(f"{path}, which the recording links to, is damaged: {error}") from None
    try:
        return _walk_groups(h5g.open(file, b"/"), path, root)
    finally:
        file.close()


def external_links(path: Path) -> list[Path]:
    """The files that a file links to, as it names them, whether they are there or not.

    Raises:
        BadInput: as ``check_tree``, but for the links.
        OSError: it cannot be opened.
    """
    file = h5f.open(str(path).encode(), h5f.ACC_RDONLY)
    try:
        found = _walk_groups(h5g.open(file, b"/"), path, None, note=_any_link)
    finally:
        file.close()
    return list(dict.fromkeys(target for _, target, _ in found))


def _any_link(value: tuple[bytes, bytes], where: str, path: Path, _root: Path | None) -> _External:
    name, inside = (part.decode("utf-8", "replace") for part in value)
    return where, path.parent / name, inside


def _walk_groups(
    top: h5g.GroupID,
    path: Path,
    root: Path | None,
    *,
    note: Callable[[tuple[bytes, bytes], str, Path, Path | None], _External] | None = None,
) -> list[_External]:
    try:
        return _walked(top, path, root, note or _checked_link)
    except BadInput:
        raise
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        raise Damaged(f"{path} is damaged ({error}). Re-copy it.") from None


def _walked(
    top: h5g.GroupID,
    path: Path,
    root: Path | None,
    note: Callable[[tuple[bytes, bytes], str, Path, Path | None], _External],
) -> list[_External]:
    external: list[_External] = []
    visited = {h5o.get_info(top).addr}
    stack: list[_Group] = [(top, iter(list(top)), "")]
    n_links = 0
    while stack:
        group, names, prefix = stack[-1]
        name = next(names, None)
        if name is None:
            stack.pop()
            continue
        n_links += 1
        if n_links > MAX_LINKS:
            raise BadInput(f"{path} holds more than {MAX_LINKS:,} links; no recording needs them.")
        where = f"{prefix}/{name.decode('utf-8', 'replace')}"
        try:
            kind = group.links.get_info(name).type
            if kind == h5l.TYPE_SOFT:
                continue
            if kind == h5l.TYPE_EXTERNAL:
                external.append(note(group.links.get_val(name), where, path, root))
                continue
            thing = h5o.open(group, name)
            address = h5o.get_info(thing).addr
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise Damaged(f"{where} in {path} is damaged ({error}). Re-copy the file.") from None
        if address in visited:  # a hard link back up the tree, or a second name
            continue
        visited.add(address)
        if isinstance(thing, h5d.DatasetID):
            check_storage(thing, where, path)
        elif isinstance(thing, h5g.GroupID):
            if len(stack) >= MAX_DEPTH:
                raise BadInput(
                    f"{path} nests groups more than {MAX_DEPTH} deep, below {where[:80]}…"
                )
            stack.append((thing, iter(list(thing)), where))
    return external


def check_storage(dataset: h5d.DatasetID, where: str, path: Path | str) -> None:
    """Refuse a dataset whose data lie in other files.

    Raises:
        BadInput: external storage, or a virtual dataset.
    """
    layout = dataset.get_create_plist()
    if layout.get_external_count():
        outside = layout.get_external(0)[0].decode("utf-8", "replace")
        raise BadInput(
            f"{where} in {path} keeps its data in another file ({outside}); such files are not "
            "opened because they can read any file of this machine. Ask for a self-contained copy."
        )
    if layout.get_layout() == h5d.VIRTUAL:
        raise BadInput(
            f"{where} in {path} is a virtual dataset made of other files; such files are not "
            "opened because they can read any file of this machine. Ask for a self-contained copy."
        )


def _checked_link(
    value: tuple[bytes, bytes], where: str, path: Path, root: Path | None
) -> _External:
    name, inside = (part.decode("utf-8", "replace") for part in value)
    if root is None:
        raise BadInput(
            f"{where} in {path} points to another file ({name}); such links are followed only in "
            f"files on this machine. Give the path of a local copy, with {name} beside it."
        )
    target = path.parent / name
    if not target.resolve().is_relative_to(root):
        raise BadInput(
            f"{where} in {path} points to {name}, outside the folder of the recording; links are "
            "followed only inside it. Put the files side by side and link by relative names."
        )
    if not target.is_file():
        folder = path.resolve().parent
        raise BadInput(f"{where} in {path} points to {name}; fetch it first into {folder}")
    return where, target, inside
