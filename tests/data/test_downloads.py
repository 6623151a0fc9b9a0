"""Fetching: whole, resumed, wrong, not there."""

import hashlib
import http.server
import os
import threading
from typing import ClassVar

import pytest

from selfdoubt.data import downloads
from selfdoubt.runtime.errors import UserError

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT; /range resumes, /plain does not, /short breaks off after 1,000 bytes."""

    asked: ClassVar[list] = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.asked.append((self.path, wanted))
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.path != "/plain" else 0
        if self.path == "/missing":
            self.send_error(404)
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + 1000] if self.path == "/short" else CONTENT[start:])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def address():
    Handler.asked.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_stands_under_its_name(address, tmp_path):
    downloads.fetch(f"{address}/range", MD5, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT and names(tmp_path) == ["a.zip"]


def test_a_file_is_on_disk_before_it_has_its_name(address, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda file: seen.append((os.fstat(file).st_size, names(tmp_path))))
    downloads.fetch(f"{address}/range", MD5, tmp_path / "a.zip")
    assert seen == [(len(CONTENT), ["a.zip.part"])]


@pytest.mark.parametrize("path", ["range", "plain"])
def test_a_broken_transfer_is_gone_on_with(address, tmp_path, path):
    with pytest.raises(UserError, match=r"a\.zip: .* 1000 of 256000 .*run again"):
        downloads.fetch(f"{address}/short", MD5, tmp_path / "a.zip")
    assert names(tmp_path) == ["a.zip.part"]
    downloads.fetch(f"{address}/{path}", MD5, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT and names(tmp_path) == ["a.zip"]
    assert Handler.asked[-1] == (f"/{path}", "bytes=1000-")


def test_what_was_whole_already_is_not_fetched_again(address, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    downloads.fetch(f"{address}/range", MD5, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_another_file_is_refused_and_not_kept(address, tmp_path):
    with pytest.raises(UserError, match=rf"{MD5}.* by hand \(md5 0\)"):
        downloads.fetch(f"{address}/range", "0", tmp_path / "a.zip")
    assert names(tmp_path) == []


def test_a_missing_file_is_reported_with_a_remedy(address, tmp_path):
    for url in (f"{address}/missing", "http://127.0.0.1:9/closed"):
        with pytest.raises(UserError, match=rf"{url} .* by hand \(md5 {MD5}\)") as fault:
            downloads.fetch(url, MD5, tmp_path / "a.zip")
        assert "\n" not in str(fault.value)


def test_a_file_put_there_by_hand_is_checked(tmp_path):
    (tmp_path / "a.zip").write_bytes(CONTENT)
    downloads.check(tmp_path / "a.zip", MD5)
    (tmp_path / "a.zip").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match=r"a\.zip: .*fetch it again"):
        downloads.check(tmp_path / "a.zip", MD5)
