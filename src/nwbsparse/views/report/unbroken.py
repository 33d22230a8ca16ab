"""Numbers that stay on one line with their sign or unit of measure, wherever a page says them."""

from __future__ import annotations

import re

_KEPT = re.compile(r"(<pre\b.*?</pre>|<style\b.*?</style>|<[^>]*>)", re.DOTALL)
"""What stays as it is: code that is copied, and tags with what they hold."""
_AFTER = re.compile(r"(?<=\d) (?=(?:%|ms|s|min|h|Hz|°)(?![\w%])|± )")
_BEFORE = re.compile(r"(?:(?<=[=±≤≥])|(?<=&lt;)|(?<=&gt;)) (?=[−\d.])")
_NAMED = re.compile(r"\b([pqrk]) (?=(?:[<>=≤≥]|&lt;|&gt;)[ \u00a0][\d.]|[−\d])")


def unbroken(page: str) -> str:
    """The page with spaces that no line is broken at: '12 %', '< 0.05', '3 ± 2', '30 s'."""
    pieces = _KEPT.split(page)
    return "".join(
        piece
        if at % 2
        else _NAMED.sub("\\1\u00a0", _BEFORE.sub("\u00a0", _AFTER.sub("\u00a0", piece)))
        for at, piece in enumerate(pieces)
    )
