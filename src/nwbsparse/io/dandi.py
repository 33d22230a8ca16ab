"""Where a file of the DANDI archive lies, and what the archive says it holds."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from nwbsparse.errors import BadInput, EnvironmentProblem

DANDI_API = "https://api.dandiarchive.org/api"

_ADDRESS = re.compile(r"dandi://(\d{6})(?:@(draft|[\d.]+))?/(.+)")


def find_asset(
    url: str,
    *,
    api: str,
    fetch: Callable[[str], bytes],
    is_private: Callable[[], bool] = lambda: False,
) -> tuple[str, str]:
    """The web address of ``dandi://DANDISET[@version]/path`` and a digest of its content.

    ``fetch`` gets the body of a web address and raises FileNotFoundError where there is none.
    ``is_private`` says, once that is done, whether it took an account: the archive then gives the file
    itself, since the storage would not.
    The digest is the SHA-256 where the archive states it, else 'dandi-etag:…', else ''.

    Raises:
        BadInput: no such Dandiset, version or file (near names are given), or a Zarr store.
        EnvironmentProblem: the archive does not answer as documented.
    """
    parts = _ADDRESS.fullmatch(url)
    if parts is None:
        raise BadInput(
            f"{url} is no address of the DANDI archive: write dandi://000207/sub-4/x.nwb or "
            "dandi://000207@0.220216.0323/sub-4/x.nwb."
        )
    dandiset, version, path = parts[1], parts[2] or "draft", parts[3]
    assets = f"{api.rstrip('/')}/dandisets/{dandiset}/versions/{version}/assets/"

    def listed(prefix: str) -> list[dict[str, Any]]:
        try:
            return _json(fetch, f"{assets}?{urlencode({'path': prefix, 'page_size': 1000})}")[
                "results"
            ]
        except FileNotFoundError:
            raise BadInput(f"DANDI has no Dandiset {dandiset} in version {version}.") from None

    try:
        found = [asset for asset in listed(path) if asset["path"] == path]
        if not found:
            folder = path.rpartition("/")[0]
            near = [asset["path"] for asset in (listed(f"{folder}/") if folder else [])]
            near = near or [asset["path"] for asset in listed("")]
            raise BadInput(_missing(path, dandiset, version, near))
        asset_id = quote(found[0]["asset_id"], safe="")
        about = _json(fetch, f"{assets}{asset_id}/")
        if "zarr" in str(about.get("encodingFormat", "")):
            raise BadInput(f"{url} is a Zarr store, which cannot be streamed: download it first.")
        # the file itself before the API, which redirects to an address that expires
        address = min(about["contentUrl"], key=lambda one: "/api/" in one)
        if is_private():
            address = f"{api.rstrip('/')}/assets/{asset_id}/download/"
        digests = about.get("digest", {})
    except (AttributeError, KeyError, TypeError, FileNotFoundError) as error:
        raise EnvironmentProblem(
            f"the DANDI archive did not answer as documented about {url} ({error!r}); download the "
            "file and give its path."
        ) from None
    if sha256 := digests.get("dandi:sha2-256"):
        return address, str(sha256)
    etag = digests.get("dandi:dandi-etag", "")
    return address, f"dandi-etag:{etag}" if etag else ""


def _missing(path: str, dandiset: str, version: str, names: list[str]) -> str:
    near = difflib.get_close_matches(path, names, n=3, cutoff=0.3) or names[:3]
    hint = f"; near names: {', '.join(near)}" if near else ""
    return f"Dandiset {dandiset} (version {version}) has no {path}{hint}."


def _json(fetch: Callable[[str], bytes], url: str) -> Any:
    body = fetch(url)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise EnvironmentProblem(f"{url} did not answer in JSON. Try again later.") from None
