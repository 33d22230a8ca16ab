"""The key of a DANDI account, for sets that are not public yet: sent to the archive and nowhere else.

It stands in the environment variable that DANDI's own programs read. It is never part of an address,
a message, a report or a result.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from nwbsparse.errors import EnvironmentProblem

VARIABLE = "DANDI_API_KEY"


@dataclass
class DandiKey:
    """The key of this environment, and the archive that it is for."""

    api: str
    """Where the API of the archive is."""
    used: bool = False
    """Whether the archive asked for it."""

    def headers(self, url: str) -> dict[str, str]:
        """What is sent with a request to the archive; nothing to anybody else, or where there is no key.

        Raises:
            EnvironmentProblem: the variable holds what can be no key.
        """
        value = os.environ.get(VARIABLE, "").strip()
        if not value or _place(url) != _place(self.api):
            return {}
        if not re.fullmatch(r"[\x21-\x7e]+", value):  # a line break would begin another header
            raise EnvironmentProblem(
                f"{VARIABLE} holds blanks or letters that no key has: set it anew."
            )
        return {"Authorization": f"token {value}"}

    def refusal(self, url: str) -> str:
        """What to do where the archive refuses; '' for any other server."""
        if _place(url) != _place(self.api):
            return ""
        if not os.environ.get(VARIABLE, "").strip():
            return f"set {VARIABLE} to the key of a DANDI account that may read it"
        return f"the key in {VARIABLE} is not accepted, or its account may not read this set"


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
