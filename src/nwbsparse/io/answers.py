"""What a server answers, over https only, and in words where it does not."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.dandi_key import DandiKey

_LOCAL = ("localhost", "127.0.0.1", "::1")
_REMEDY = "if you have one, download the file first"


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOCAL:
        return
    known = "https:// or dandi:// (or the path of a file)"
    raise BadInput(f"{url} cannot be read: an address must begin with {known}.")


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme != "https":
            fp.close()
            raise BadInput(
                f"{without_keys(req.full_url)} redirects to {without_keys(newurl)}, which is not https: "
                "refused."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Refused(EnvironmentProblem):
    """A server wants to know who asks."""


def answer_of(
    url: str, headers: Mapping[str, str], timeout: float, key: DandiKey | None = None
) -> Any:
    """The answer of a server; of the DANDI archive with the key of an account, where it asks for one."""
    try:
        return _answer(url, headers, {}, timeout)
    except _Refused as error:
        secret = key.headers(url) if key is not None else {}
        remedy = key.refusal(url) if key is not None else ""
        if not secret:
            raise EnvironmentProblem(f"{error}; {remedy or _REMEDY}.") from None
    assert key is not None
    key.used = True
    try:
        return _answer(url, headers, secret, timeout)
    except _Refused as error:
        raise EnvironmentProblem(f"{error}; {remedy}.") from None


def _answer(url: str, headers: Mapping[str, str], secret: Mapping[str, str], timeout: float) -> Any:
    _check_address(url)
    shown = without_keys(url)
    request = urllib.request.Request(  # noqa: S310  (the address is https: checked above)
        url, headers={"User-Agent": "nwbsparse", "Accept-Encoding": "identity", **headers}
    )
    for name, value in secret.items():  # not for whomever it redirects to
        request.add_unredirected_header(name, value)
    try:
        return urllib.request.build_opener(_HttpsOnly).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise FileNotFoundError(f"{shown} does not exist on the server.") from None
        if error.code == 416:
            raise BadInput(f"{shown} is empty: 0 bytes.") from None
        if error.code in (401, 403):
            raise _Refused(
                f"{shown} may not be read without an account (HTTP {error.code})"
            ) from None
        raise EnvironmentProblem(
            f"the server of {shown} answered HTTP {error.code} ({error.reason}). Try again later."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        why = without_keys(getattr(error, "reason", None) or error)
        raise EnvironmentProblem(
            f"{shown} cannot be reached ({why}). Check the network, or download the file elsewhere "
            "and give its path."
        ) from None


def without_keys(said: object) -> str:
    """A message without what follows '?' in its addresses: there signatures stand that open a file."""
    return re.sub(r"\?[^\s'\")]*=[^\s'\")]*", "", str(said))
