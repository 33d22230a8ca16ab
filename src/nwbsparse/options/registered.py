"""What options know of sparsifiers and losses that others brought: their names, and what goes with them.

Options stand below what is registered and import none of it: an implementation is asked what was said
of it when it was registered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.roles import ROLES, load_plugins, module_of, registered

OPEN = ("sparsifier", "loss")
"""Options whose words others may add to; each is called like the role that it names one of."""


def words_of(field: str, own: Sequence[str]) -> tuple[str, ...]:
    """The words that an option can take: ours, and those of what others registered."""
    if field not in OPEN:
        return tuple(own)
    return (*own, *(one for one in registered(field) if one not in own))


def known(field: str, value: object, own: Sequence[str]) -> bool:
    """Whether an option can take a word; packages are only looked through for one that is not ours."""
    return value in own or value in words_of(field, own)


def brought(options: Any, choices: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """What options name that is none of ours, as 'sparsifier soft': the package that it came with."""
    given = {field: getattr(options, field) for field in OPEN}
    return {
        f"{field} {value}": module_of(ROLES[field][value]).partition(".")[0]
        for field, value in given.items()
        if value not in choices[field]
    }


def check_brought(
    values: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]], software: Mapping[str, str]
) -> None:
    """Refuse stored options that name what a package brought which is not here.

    Raises:
        BadInput: what is missing, and what to do.
    """
    for field in OPEN:
        value = values.get(field)
        if isinstance(value, str) and not known(field, value, choices[field]):
            package = software.get(f"{field} {value}", "")
            raise BadInput(
                f"it was made with {field}={value!r}, which came with {package or 'another package'} "
                "and is not here: install that package, or import the module that registers it, and "
                "open it again"
            )


def said_of(field: str, value: str, key: str) -> Any:
    """What was said of an implementation when it was registered; None where there is none."""
    if field not in ROLES:
        load_plugins()
    role = ROLES.get(field)
    return role.fact(value, key) if role is not None and value in role else None
