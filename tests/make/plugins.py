"""Roles as they were before a test, and packages that bring something, as installed ones look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nwbsparse import roles


@contextmanager
def roles_as_before() -> Iterator[None]:
    """What is registered inside is forgotten afterwards, and packages are asked again."""
    before = {role: dict(registry._held) for role, registry in roles.ROLES.items()}
    looked = list(roles._looked)
    try:
        yield
    finally:
        roles._looked[:] = looked
        for role, registry in roles.ROLES.items():
            registry._held = before.get(role, {k: registry._held[k] for k in registry.own()})


def installed(folder: Path, name: str, code: str) -> Path:
    """A package of one module with an entry point, to be put on the path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(code)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{roles.GROUP}]\n{name} = {name}\n")
    return folder
