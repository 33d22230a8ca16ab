"""Recordings on a server: only what is read is downloaded, and nothing is followed off https."""

import hashlib
import json
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import h5py
import numpy as np
import pytest

from make.recordings import circle, damaged, line_of, poisson_spikes, write_recording
from nwbsparse.binning.describe import describe
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.read import read
from nwbsparse.io.stream import is_address, open_stream, public_address

N_UNITS = 2000


class Server(ThreadingHTTPServer):
    """Serves bytes by path, in parts, and counts what was asked of it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    """Of the usual 5 the sixth parallel request waits for the retries of TCP, up to its time limit."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {"ETag": '"abc-1"'}
        self.ranges: list[tuple[str, int, int]] = []
        self.in_parts = True
        self.fail_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def sent(self) -> int:
        return sum(stop - start for _, start, stop in self.ranges)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path == "/moved":
            return self.answer(302, b"", {"Location": f"{self.server.url}/a.nwb"})
        if parts.path.startswith("/api/"):
            return self.api(parts)
        content = self.server.files.get(parts.path)
        failing = self.server.fail_after
        if content is None or (failing is not None and len(self.server.ranges) >= failing):
            return self.answer(403 if parts.path == "/private" else 404, b"nothing")
        wanted = self.headers.get("Range", "")
        if not wanted or not self.server.in_parts:
            return self.answer(200, content, self.server.headers)
        start, stop = (int(edge) for edge in wanted.removeprefix("bytes=").split("-"))
        stop = min(stop + 1, len(content))
        self.server.ranges.append((parts.path, start, stop))
        span = {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
        return self.answer(206, content[start:stop], self.server.headers | span)

    def api(self, parts):
        known = self.server.files.get(f"{parts.path}?{parse_qs(parts.query).get('path', [''])[0]}")
        known = known or self.server.files.get(parts.path)
        self.answer(200 if known else 404, known or b"{}")

    def answer(self, code, body, headers=None):
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server():
    with serving() as one:
        yield one


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("small") / "a.nwb", position=circle())


def large(path, *, rate):
    """2,000 units and a raw series of 40 MB that nobody reads."""
    spikes = poisson_spikes(n_units=N_UNITS, rate=rate)
    raw = {"data": np.zeros((5_000_000, 1)), "rate": 30_000.0}
    columns = {"depth": np.arange(float(N_UNITS)), "label": ["good"] * N_UNITS}
    write_recording(
        path, spike_times=spikes, unit_columns=columns,
        electrodes={"location": ["CA1"] * N_UNITS}, raw=raw,
    )  # fmt: skip
    return path


# reading


@pytest.mark.parametrize("library", ["remfile", "fsspec"])
def test_a_file_on_a_server_reads_as_the_local_one(server, small, library, monkeypatch):
    if library == "remfile":
        pytest.importorskip("remfile")
    else:
        pytest.importorskip("aiohttp")
        pytest.importorskip("fsspec")
        monkeypatch.setitem(sys.modules, "remfile", None)
    server.files["/data/a%20b.nwb"] = small.read_bytes()
    session, local = read_nwb(f"{server.url}/data/a%20b.nwb"), read_nwb(small)
    np.testing.assert_array_equal(session.spike_times, local.spike_times)
    np.testing.assert_array_equal(session.series["position"].data, local.series["position"].data)
    assert session.report.lines[:-1] == local.report.lines
    [note] = line_of(session, "other", "source").reasons
    assert note.startswith(f"read in parts from {server.url}/data/a%20b.nwb (")
    assert session.source.path is None
    assert session.source.sha256 == "etag:abc-1"


def test_flat_arrays_are_read_at_once_and_raw_data_not_at_all(server, tmp_path):
    pytest.importorskip("remfile")
    n_requests = []
    for rate in (1.0, 5.0):
        path = large(tmp_path / f"{rate}.nwb", rate=rate)
        server.files["/a.nwb"] = path.read_bytes()
        server.ranges.clear()
        session = read_nwb(f"{server.url}/a.nwb")
        assert session.n_units == N_UNITS
        np.testing.assert_array_equal(session.spike_times, read_nwb(path).spike_times)
        n_requests.append(len(server.ranges))
        used = session.spike_times.nbytes
        assert server.sent < used + 8e6  # spikes, metadata and reading ahead; not the 40 MB
        assert path.stat().st_size > used + 40e6
    few, many = n_requests
    assert max(few, many) < 60  # 2,000 units: never one request per unit
    assert many <= few + 10


def test_what_is_on_a_server_is_held_to_the_same_rules(server, small, tmp_path):
    path = tmp_path / "evil.nwb"
    path.write_bytes(small.read_bytes())
    with damaged(path) as file:
        file["acquisition/raw"] = h5py.ExternalLink("/etc/passwd", "/")
    server.files["/evil.nwb"] = path.read_bytes()
    with pytest.raises(BadInput, match=r"/acquisition/raw in evil\.nwb points to another file"):
        read_nwb(f"{server.url}/evil.nwb")
    server.files["/text.nwb"] = b"a,b\n" * 1000
    with pytest.raises(BadInput, match=r"text\.nwb is not an HDF5 file"):
        read_nwb(f"{server.url}/text.nwb")


# what identifies it


@pytest.mark.parametrize(
    ("headers", "start"),
    [
        ({"ETag": 'W/"weak"'}, "etag:weak"),
        ({"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, "url:"),
        ({}, "url:"),
    ],
)
def test_the_content_is_identified_without_downloading_it(server, headers, start):
    server.files["/a.nwb"], server.headers = b"x" * 1000, headers
    with open_stream(f"{server.url}/a.nwb") as stream:
        assert stream.digest.startswith(start)
        assert (stream.size, server.sent) == (1000, 1)
        if start == "url:":
            said = f"{server.url}/a.nwb\n1000\n{headers.get('Last-Modified', '')}"
            assert stream.digest == f"url:{hashlib.sha256(said.encode()).hexdigest()}"


@pytest.mark.slow
def test_the_address_is_kept_without_what_gives_access(server, small):
    server.files["/a.nwb"] = small.read_bytes()
    session = read(f"{server.url}/a.nwb?X-Amz-Signature=secret")
    assert session.source.uri == f"{server.url}/a.nwb"
    seen = describe(session)
    assert seen["source"] == seen["uri"] == f"{server.url}/a.nwb"
    with open_stream(f"{server.url}/a.nwb") as stream:
        assert read(stream).source.uri == f"{server.url}/a.nwb"
    assert read(small).source.uri == read(f"file://{small}").source.uri == ""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("https://a.org/x%20y.nwb", "https://a.org/x%20y.nwb"),
        ("https://user:word@a.org:8443/x.nwb?key=1#part", "https://a.org:8443/x.nwb"),
        ("https:/a.org/x.nwb", "https://a.org/x.nwb"),
        ("dandi:/000207@0.220216.0323/sub-4/x.nwb", "dandi://000207@0.220216.0323/sub-4/x.nwb"),
        ("https://[a/x.nwb", ""),
        ("/data/x.nwb", ""),
        (7, ""),
    ],
)
def test_addresses_as_results_say_them(address, public):
    assert public_address(address) == public


# what goes wrong


def test_what_is_not_there_or_not_allowed_is_said(server):
    with pytest.raises(BadInput, match=r"none\.nwb does not exist on the server"):
        open_stream(f"{server.url}/none.nwb")
    with pytest.raises(EnvironmentProblem, match=r"may not be read without an account \(HTTP 403"):
        open_stream(f"{server.url}/private")
    with pytest.raises(BadInput, match="is a Zarr store, which cannot be streamed"):
        open_stream(f"{server.url}/a.nwb.zarr")


def test_a_server_without_range_requests_is_refused(server):
    server.files["/a.nwb"], server.in_parts = b"x" * 1000, False
    with pytest.raises(BadInput, match=r"no range requests\): download it"):
        open_stream(f"{server.url}/a.nwb")


def test_no_network_is_a_problem_of_the_environment():
    with serving() as server:
        url = f"{server.url}/a.nwb"
    with pytest.raises(
        EnvironmentProblem, match=r"cannot be reached .*Check the network"
    ) as refused:
        read_nwb(url)
    assert refused.value.exit_code == 3


def test_a_server_that_stops_is_not_called_a_damaged_file(server, small):
    pytest.importorskip("remfile")
    server.files["/a.nwb"], server.fail_after = small.read_bytes(), 2
    with pytest.raises(EnvironmentProblem, match=r"reading .*/a\.nwb stopped \(.*404"):
        read_nwb(f"{server.url}/a.nwb")


def test_only_https_is_read_and_followed(server):
    server.files["/a.nwb"] = b"x"
    for url in ("http://example.org/a.nwb", "s3://bucket/a.nwb", "ftp://example.org/a.nwb"):
        with pytest.raises(BadInput, match="an address must begin with https:// or dandi://"):
            read_nwb(url)
    with pytest.raises(BadInput, match=r"redirects to .*, which is not https: refused"):
        open_stream(f"{server.url}/moved")
    assert server.ranges == []


def test_without_a_library_the_way_out_is_named(server, monkeypatch):
    server.files["/a.nwb"] = b"x" * 1000
    for name in ("remfile", "fsspec.implementations.http"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'nwbsparse\[stream\]'"):
        open_stream(f"{server.url}/a.nwb")


def test_addresses_are_told_from_paths():
    assert all(map(is_address, ("https://a.org/x.nwb", "dandi://000207/x.nwb", "https:/a/x.nwb")))
    assert not any(map(is_address, ("a.nwb", "/data/a.nwb", "C:\\a.nwb", "C:/a.nwb", "a:b.nwb")))


# the DANDI archive

ASSETS = "/api/dandisets/000207/versions/{}/assets/"
PATH = "sub-4/sub-4_ecephys.nwb"


@pytest.fixture
def archive(server, small):
    """An archive with one recording, as the API of DANDI answers about it."""
    about = {
        "encodingFormat": "application/x-nwb",
        "contentUrl": [f"{server.url}/api/assets/1/download/", f"{server.url}/blobs/1"],
        "digest": {"dandi:dandi-etag": "e-1", "dandi:sha2-256": "5" * 64},
    }
    listing = json.dumps({"results": [{"path": PATH, "asset_id": "1"}]}).encode()
    for version in ("draft", "0.220216.0323"):
        assets = ASSETS.format(version)
        server.files |= {f"{assets}?{prefix}": listing for prefix in ("", "sub-4/", PATH)}
        server.files[assets] = json.dumps({"results": []}).encode()
        server.files[f"{assets}1/"] = json.dumps(about).encode()
    server.files["/blobs/1"] = small.read_bytes()
    return about, server


@pytest.mark.parametrize("version", ["", "@0.220216.0323", "@draft"])
def test_a_file_of_dandi_is_found_and_identified_by_the_archive(archive, small, version):
    about, server = archive
    url = f"dandi://000207{version}/{PATH}"
    with open_stream(url, dandi_api=f"{server.url}/api") as stream:
        session = read_nwb(stream)
    assert session.source.sha256 == "5" * 64
    assert url in line_of(session, "other", "source").reasons[0]
    np.testing.assert_array_equal(session.spike_times, read_nwb(small).spike_times)
    del about["digest"]["dandi:sha2-256"]
    server.files[f"{ASSETS.format(version[1:] or 'draft')}1/"] = json.dumps(about).encode()
    with open_stream(url, dandi_api=f"{server.url}/api") as stream:
        assert stream.digest == "dandi-etag:e-1"


def test_what_dandi_does_not_have_is_said_with_near_names(archive):
    about, server = archive
    api = f"{server.url}/api"
    for wrong in ("sub-4/sub-4_ecefys.nwb", "sub-5/sub-4_ecephys.nwb"):
        with pytest.raises(BadInput, match=rf"has no {wrong}; near names: {PATH}"):
            open_stream(f"dandi://000207/{wrong}", dandi_api=api)
    with pytest.raises(BadInput, match="DANDI has no Dandiset 000999 in version draft"):
        open_stream(f"dandi://000999/{PATH}", dandi_api=api)
    with pytest.raises(BadInput, match="no address of the DANDI archive: write dandi://000207/"):
        open_stream("dandi://207/x.nwb", dandi_api=api)
    about["encodingFormat"] = "application/x-zarr"
    server.files[f"{ASSETS.format('draft')}1/"] = json.dumps(about).encode()
    with pytest.raises(BadInput, match="is a Zarr store, which cannot be streamed"):
        open_stream(f"dandi://000207/{PATH}", dandi_api=api)


def test_an_archive_that_answers_otherwise_is_a_problem_of_the_environment(archive):
    _, server = archive
    server.files[f"{ASSETS.format('draft')}?{PATH}"] = b"<html>"
    with pytest.raises(EnvironmentProblem, match="did not answer in JSON"):
        open_stream(f"dandi://000207/{PATH}", dandi_api=f"{server.url}/api")
    server.files[f"{ASSETS.format('draft')}?{PATH}"] = b"[]"
    with pytest.raises(EnvironmentProblem, match="did not answer as documented"):
        open_stream(f"dandi://000207/{PATH}", dandi_api=f"{server.url}/api")
