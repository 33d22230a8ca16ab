"""Old names of parameters: they mean what they meant, and say what they are called now."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")


def renamed(**now: str) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Let a function take parameters by their old names, with a warning.

    Args:
        now: ``old="new"`` for each.

    Raises:
        TypeError: called with both names of one, as Python says of a parameter that is given twice.
    """

    def decorated(function: Callable[Given, Made]) -> Callable[Given, Made]:
        @functools.wraps(function)
        def called(*args: Given.args, **kwargs: Given.kwargs) -> Made:
            for old, new in now.items():
                if old not in kwargs:
                    continue
                if new in kwargs:
                    raise TypeError(
                        f"{function.__name__}() got both {old}= and {new}=, its new name"
                    )
                warnings.warn(
                    f"{function.__name__}({old}=…) is called {new}= now; the old name goes in 1.0",
                    DeprecationWarning,
                    stacklevel=2,
                )
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return called

    return decorated
