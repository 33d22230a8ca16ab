"""A recording on a server, read in parts: an address → an open file that fetches what is asked.

Only the flat arrays that are used are downloaded, in a few large pieces. What a server sends is
untrusted: addresses are https only, and so is everything they redirect to.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.answers import answer_of, without_keys
from nwbsparse.io.dandi import DANDI_API, find_asset
from nwbsparse.io.dandi_key import DandiKey

TIMEOUT = 30.0
"""Seconds that a server may stay silent."""

_MAX_ANSWER = 64 * 2**20


class Stream(io.RawIOBase):
    """A file on a server, as an open binary file: seekable, read in parts, never written."""

    def __init__(self, reader: Any, *, url: str, size: int, digest: str):
        super().__init__()
        self.url = url
        """The address as it was asked for."""
        self.size = size
        """Bytes of the whole file."""
        self.digest = digest
        """What identifies the content: a SHA-256 that the archive states, or 'dandi-etag:',
        'etag:' or 'url:' and what stands for one."""
        self._reader = reader
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        n = min(len(buffer), self.size - self._at)
        if n <= 0:
            return 0
        try:
            self._reader.seek(self._at)
            content = self._reader.read(n)
        except Exception as error:  # of whichever network library
            raise EnvironmentProblem(
                f"reading {self.url} stopped ({without_keys(error)}). Try again, or download the file "
                "first."
            ) from None
        if len(content) != n:
            raise EnvironmentProblem(f"{self.url} sent {len(content)} bytes instead of {n}.")
        buffer[:n] = content
        self._at += n
        return n

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
        super().close()


def is_address(text: str) -> bool:
    """Whether this is an address (``https://…``, ``dandi://…``) and not a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://?(?=[^/])", text) is not None


def public_address(source: Any) -> str:
    """The address of a recording as results may say it; '' for what is not on a server.

    Name and password, and all that follows '?' or '#', are left out: that is where access keys
    stand, and a result is handed on. What was read is identified by its digest.
    """
    if not isinstance(source, str | Path | Stream):
        return ""
    text = source.url if isinstance(source, Stream) else str(source)
    if not is_address(text) or text.startswith("file:"):
        return ""
    try:
        scheme, place, path, _, _ = urlsplit(_whole(text))
    except ValueError:  # brackets that are no address of a machine
        return ""
    if scheme != "dandi":  # there the part after '@' is a version
        place = place.rpartition("@")[2]
    return urlunsplit((scheme, place, path, "", ""))


def _whole(url: str) -> str:
    """An address with both slashes: pathlib eats one."""
    return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]+):/(?=[^/])", r"\1://", url)


def open_stream(url: str, *, dandi_api: str = DANDI_API, timeout: float = TIMEOUT) -> Stream:
    """A recording on a server as an open file, of which only what is read is downloaded.

    Its ``digest`` identifies the content, so that results can say what they were made from: the
    SHA-256 that the DANDI archive states; else its 'dandi-etag:…'; else the server's 'etag:…';
    else 'url:…', the SHA-256 of address, size and date of the last change.

    A set of the DANDI archive that is not public is read with the key of an account, in the
    environment variable DANDI_API_KEY.

    Args:
        url: ``https://…`` of an NWB file (HDF5), or ``dandi://000207/sub-4/x.nwb`` (the draft) or
            ``dandi://000207@0.220216.0323/sub-4/x.nwb`` (a published version).
        dandi_api: where the API of the archive is.
        timeout: seconds that the server may stay silent.

    Raises:
        BadInput: no such file (near names are given), an address that is not https, or a server
            that cannot send parts of a file.
        EnvironmentProblem: the server cannot be reached, refuses, or stops; or neither remfile
            nor fsspec is installed.
    """
    url = _whole(url)
    address, digest, key = url, "", DandiKey(dandi_api)
    if name_of(url).endswith(".zarr"):
        raise BadInput(f"{url} is a Zarr store, which cannot be streamed: download it first.")
    if url.startswith("dandi://"):
        address, digest = find_asset(
            url,
            api=dandi_api,
            fetch=lambda at: _fetch(at, timeout, key),
            is_private=lambda: key.used,
        )
    address, size, headers = _probe(address, timeout, key)
    reader = _reader(address, size, timeout)
    return Stream(reader, url=url, size=size, digest=digest or _digest(url, size, headers))


def _fetch(url: str, timeout: float, key: DandiKey) -> bytes:
    """A small answer, whole. FileNotFoundError where there is none."""
    with answer_of(url, {"Accept": "application/json"}, timeout, key) as answer:
        return answer.read(_MAX_ANSWER)


def _probe(url: str, timeout: float, key: DandiKey) -> tuple[str, int, http.client.HTTPMessage]:
    """Where a file really lies, its size in bytes, and what the server says about it."""
    try:
        with answer_of(url, {"Range": "bytes=0-0"}, timeout, key) as answer:
            status, final, headers = answer.status, answer.geturl(), answer.headers
    except FileNotFoundError as error:
        raise BadInput(str(error)) from None
    size = headers.get("Content-Range", "").rpartition("/")[2]
    if status != 206 or not size.isdigit():
        raise BadInput(
            f"the server of {without_keys(url)} cannot send parts of a file (no range requests): "
            "download it and give its path."
        )
    return final, int(size), headers


def _digest(url: str, size: int, headers: http.client.HTTPMessage) -> str:
    if etag := headers.get("ETag", "").removeprefix("W/").strip('"'):
        return f"etag:{etag}"
    said = f"{url}\n{size}\n{headers.get('Last-Modified', '')}"
    return f"url:{hashlib.sha256(said.encode()).hexdigest()}"


def _reader(url: str, size: int, timeout: float) -> Any:
    makers: tuple[Callable[[str, int, float], Any], ...] = (_by_remfile, _by_fsspec)
    for make in makers:
        with suppress(ImportError):
            return make(url, size, timeout)
    raise EnvironmentProblem(
        f"reading {url} needs remfile: pip install 'nwbsparse[stream]', or download the file and "
        "give its path."
    )


def _by_remfile(url: str, size: int, timeout: float) -> Any:
    adapters = import_module("requests.adapters")
    reader = import_module("remfile").File(url, _size=size)

    class Patient(adapters.HTTPAdapter):
        def send(self, request: Any, **given: Any) -> Any:
            return super().send(request, **given | {"timeout": timeout})

    # its own session has no timeout, and would follow a redirect anywhere
    reader.session.mount("https://", Patient())
    reader.session.mount("http://", Patient())
    reader.session.max_redirects = 0
    reader.session.headers["Accept-Encoding"] = "identity"
    return reader


def _by_fsspec(url: str, size: int, timeout: float) -> Any:
    http_files = import_module("fsspec.implementations.http")
    client = import_module("aiohttp").ClientTimeout(sock_connect=timeout, sock_read=timeout)
    files = http_files.HTTPFileSystem(
        allow_redirects=False, client_kwargs={"timeout": client}, skip_instance_cache=True
    )
    return files.open(url, size=size, block_size=2**20, cache_type="blockcache")


def name_of(url: str) -> str:
    """The name of the file that an address ends in."""
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or url
