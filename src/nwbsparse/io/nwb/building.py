"""An NWB file built by pynwb, without the parts that nobody can build."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hdmf.build import BuildManager

from nwbsparse.errors import BadInput, NwbsparseError
from nwbsparse.io.check import first_text, preliminary
from nwbsparse.io.nwb.definitions import open_with_definitions, remedy
from nwbsparse.io.nwb.spoiled import said_of, spoiled_in, spoiled_root
from nwbsparse.io.nwb.unbuildable import Unbuildable, sift
from nwbsparse.io.zarr.stack import is_raised_by_zarr, left_out

Make = Callable[[BuildManager], Any]
"""What makes a pynwb io of a file, given a manager of types."""


def build(
    make: Make, label: Path, held: ExitStack, *, for_copy: bool = False
) -> tuple[Any, Any, tuple[Unbuildable, ...]]:
    """A pynwb io, the NWBFile that it reads and what that lacks, or one sentence about why not.

    Objects of types that nobody defines are taken out first. If the file still does not build, those
    at fault are found and taken out as well.

    Raises:
        BadInput: the file cannot be built even so.
    """
    spoiled: dict[str, str] = {}
    unbuildable: list[Unbuildable] = []
    undecoded: list[Unbuildable] = []
    version = ""
    try:
        while True:
            io, unbuildable = _sifted(make, held, spoiled, for_copy=for_copy)
            undecoded = [
                Unbuildable(path, f"it cannot be decoded ({reason})")
                for path, reason in left_out(io)
            ]
            version = first_text(io.read_builder().attributes.get("nwb_version"))
            try:
                # reading builds the same tree, from which all is gone that would stop it
                return io, io.read(), (*unbuildable, *undecoded)
            except (NwbsparseError, OSError, MemoryError):
                raise
            except Exception as error:  # pynwb raises anything
                again, _ = _sifted(make, held, spoiled, for_copy=for_copy)
                found = spoiled_in(again.read_builder(), again.manager)
                found = found or spoiled_root(again.read_builder(), error)
                if not found.keys() - spoiled.keys():
                    raise
                spoiled |= found
    except NwbsparseError:
        raise
    except Exception as error:  # a missing extension, a broken table, …
        if undecoded or (is_raised_by_zarr(error) and not isinstance(error, ValueError)):
            said = "; ".join(f"{one.path}: {one.what}" for one in undecoded) or str(error)
            raise BadInput(
                f"data in {label} are damaged, or packed by a codec that is not here ({said}). Re-copy "
                "the file, or install the codec."
            ) from error
        why = said_of(error)
        if early := preliminary(version):
            raise BadInput(f"{label} {early}") from error
        if unknown := {str(one.namespace) for one in unbuildable if one.namespace is not None}:
            said = "; ".join(f"{name}: {remedy(name)}" for name in sorted(unknown))
            raise BadInput(
                f"{label} uses types whose definition it does not hold, and cannot be read without "
                f"them ({why}). {said}."
            ) from error
        raise BadInput(
            f"{label} cannot be read by pynwb ({why}). Check it with nwbinspector, and re-export "
            "it."
        ) from error


def _sifted(
    make: Make, held: ExitStack, spoiled: dict[str, str], *, for_copy: bool
) -> tuple[Any, list[Unbuildable]]:
    """A pynwb io whose tree lacks what cannot be built, and what that is."""
    io, broken = open_with_definitions(make, held)
    root = io.read_builder()
    out = spoiled | getattr(io, "unreadable", {})
    return io, sift(root, io.manager.type_map, broken, spoiled=out, for_copy=for_copy)
