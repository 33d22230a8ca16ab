"""Several names in one text, with commas between them, where a name may hold commas itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_QUOTES = "'\""


def pieces(text: str, sign: str = ",") -> list[str]:
    """A text cut at its commas, or another sign, but not within quotes: "'a, b',c:2" → ["'a, b'", "c:2"].

    Only what begins with a quote is quoted: "Broca's area" is a name like others.
    """
    found, at = [], 0
    while at <= len(text):
        begin = at + len(text[at:]) - len(text[at:].lstrip())
        quoted = begin < len(text) and text[begin] in _QUOTES
        close = text.find(text[begin], begin + 1) if quoted else -1
        stop = text.find(sign, max(close, at))
        stop = len(text) if stop < 0 else stop
        found.append(text[at:stop].strip())
        at = stop + 1
    return found


def unquoted(piece: str) -> str:
    """A piece without the quotes around it, where there are any."""
    whole = len(piece) > 1 and piece[0] in _QUOTES and piece.find(piece[0], 1) == len(piece) - 1
    return piece[1:-1] if whole else piece


def names_in(text: str, known: Collection[str] = ()) -> list[str]:
    """The names in a text: those in quotes, the longest that are known, else what stands between commas.

    "Field CA1, Primary visual area, layer 4" is two names where "Primary visual area, layer 4" is
    known; quotes say what is meant where "layer 4" is known as well.
    """
    cut = pieces(text)
    whole = {_evenly(name): name for name in known}
    longest = 1 + max((name.count(",") for name in whole), default=0)
    found, at = [], 0
    while at < len(cut):
        for stop in range(min(at + longest, len(cut)), at, -1):
            name = whole.get(_evenly(",".join(cut[at:stop])))
            if name is not None or stop == at + 1:
                found.append(unquoted(cut[at]) if name is None else name)
                at = stop
                break
    return found


def name_and_rest(text: str, sign: str, known: Collection[str] = ()) -> tuple[str, str | None]:
    """A name, and what stands behind a sign after it; None where there is no sign.

    "a=b=4" is what the name 'a=b' is given where that is known, and 'a' otherwise; so is "'a=b'=4".
    """
    text = text.strip()
    if text in known:
        return text, None
    for name in sorted(known, key=len, reverse=True):
        if text.startswith(name) and text[len(name) :].lstrip().startswith(sign):
            return name, text[len(name) :].lstrip()[len(sign) :].strip()
    first = pieces(text, sign)[0]
    rest = text[text.index(first) + len(first) :].lstrip()
    return unquoted(first), rest[len(sign) :].strip() if rest else None


def listed_names(names: Iterable[str]) -> str:
    """Names as :func:`names_in` reads them: those that hold commas or begin with a quote in quotes."""
    return ", ".join(quoted(name) for name in names)


def joined_names(names: Iterable[str]) -> str:
    """The same without blanks: what is kept of several texts of a table in one place."""
    return ",".join(quoted(name) for name in names)


def quoted(name: str, within: str = ",") -> str:
    """A name in quotes where it has to be: where it holds one of some letters, or begins with a quote."""
    if not (set(name) & set(within) or (name[:1] in _QUOTES and name)):
        return name
    mark = next((one for one in _QUOTES if one not in name), "'")
    return f"{mark}{name}{mark}"


def _evenly(name: str) -> str:
    """A name without the blanks around its commas, which nobody types as they stand."""
    return ",".join(part.strip() for part in name.split(","))
