"""Sets of DANDI that are not public: read with the key of an account, which nobody else ever sees.

The kind of fault is a key that leaves the machine, or the request: in a redirect, a message, a report.
"""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from make.recordings import write_recording
from nwbsparse.errors import EnvironmentProblem
from nwbsparse.io import answers
from nwbsparse.io.answers import without_keys
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.stream import open_stream

KEY = "0123456789abcdef"
PATH = "sub-4/a.nwb"
URL = f"dandi://000207/{PATH}"


class Archive(BaseHTTPRequestHandler):
    """An API that asks for a key, and a storage that takes a signature instead."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        parts, server = urlsplit(self.path), self.server
        server.asked.append((parts.path, self.headers.get("Authorization")))
        if parts.path.startswith("/api/"):
            if self.headers.get("Authorization") != f"token {KEY}":
                return self.answer(401)
            if parts.path.endswith("/download/"):
                return self.answer(302, Location=f"{server.url}/storage?X-Amz-Signature=secret")
            return self.answer(200, self.said(parts.path))
        if "Signature=secret" not in parts.query or self.headers.get("Authorization"):
            return self.answer(403)
        start, stop = (
            int(edge) for edge in self.headers["Range"].removeprefix("bytes=").split("-")
        )
        part = server.content[start : stop + 1]
        span = f"bytes {start}-{start + len(part) - 1}/{len(server.content)}"
        return self.answer(206, part, **{"Content-Range": span})

    def said(self, path):
        if path.endswith("/assets/"):
            return json.dumps({"results": [{"path": PATH, "asset_id": "one"}]}).encode()
        about = {
            "contentUrl": [f"{self.server.url}/storage"],
            "digest": {"dandi:sha2-256": "5" * 64},
        }
        return json.dumps(about).encode()

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("DANDI_API_KEY", raising=False)
    # the storage of this test is as near as the archive; others must be https
    monkeypatch.setattr(answers, "_HttpsOnly", urllib.request.HTTPRedirectHandler)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    server.daemon_threads = True
    server.asked = []
    server.content = write_recording(tmp_path / "a.nwb").read_bytes()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def opened(archive):
    return open_stream(URL, dandi_api=f"{archive.url}/api")


def test_a_set_that_is_not_public_is_read_with_the_key(archive, monkeypatch):
    pytest.importorskip("remfile")
    monkeypatch.setenv("DANDI_API_KEY", f" {KEY}\n")
    with opened(archive) as stream:
        assert stream.url == URL
        assert stream.digest == "5" * 64
        session = read_nwb(stream)
    assert session.n_units == 4
    said = json.dumps(session.report.to_dict()) + repr(session.source)
    assert KEY not in said
    assert "secret" not in said
    to_storage = [key for path, key in archive.asked if path == "/storage"]
    assert to_storage
    assert set(to_storage) == {None}


def test_without_a_key_it_is_said_how_to_give_one(archive):
    with pytest.raises(EnvironmentProblem, match=r"401.; set DANDI_API_KEY to the key of a DANDI"):
        opened(archive)


@pytest.mark.parametrize("key", ["another", "two words", "line\nX-Evil: 1", "schlüssel"])
def test_a_key_that_does_not_open_it_is_never_shown(archive, monkeypatch, key):
    monkeypatch.setenv("DANDI_API_KEY", key)
    with pytest.raises(EnvironmentProblem, match="DANDI_API_KEY") as refused:
        opened(archive)
    error = refused.value
    while error is not None:
        assert key not in str(error)
        error = error.__cause__
    assert all("evil" not in str(header).lower() for _, header in archive.asked)


def test_no_other_server_gets_the_key(archive, monkeypatch):
    monkeypatch.setenv("DANDI_API_KEY", KEY)
    with pytest.raises(EnvironmentProblem, match="download the file first"):
        open_stream(f"{archive.url}/storage")
    assert archive.asked == [("/storage", None)]


def test_signatures_are_left_out_of_messages():
    said = "Max retries with url: /a?X-Amz-Date=1&X-Amz-Signature=2 (https://b.org/c?sig=3)"
    assert without_keys(said) == "Max retries with url: /a (https://b.org/c)"
