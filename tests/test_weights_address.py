"""Files from plain addresses: fetched, gone on with, stopped, and held to the checksum of the first time."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from manymesh.errors import Cancelled, OutputError, WeightsError
from manymesh.weights import address, download, locate
from manymesh.weights.entries import File, Model
from manymesh.weights.families import APACHE
from manymesh.weights.verify import verify

DATA = bytes(range(256)) * 4096


class Server:
    """Serves ``data`` at every path. ``cut_at``: so many bytes, then the line goes dead. ``ranges``: what was asked."""

    def __init__(self) -> None:
        self.data, self.cut_at, self.status, self.ranges = DATA, -1, 200, []
        self.understands_ranges = True
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Tests say themselves what went wrong."""

            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                server.ranges.append(asked)
                start = int(asked.split("=")[1].rstrip("-")) if asked and server.understands_ranges else 0
                if server.status != 200 or start >= len(server.data):
                    self.send_error(server.status if server.status != 200 else 416)
                    return
                body = server.data[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if server.cut_at < 0 else body[: server.cut_at])

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "config"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Server()
    yield running
    running.close()


def a_model(server: Server, sha256: str | None = None) -> Model:
    file = File("cutter.onnx", sha256=sha256, address=f"{server.url}/releases/cutter.onnx")
    return Model("cutter", "matte", "", "", None, (file,), len(DATA), APACHE)


def test_a_file_comes_from_its_address_with_its_progress_told(server: Server) -> None:
    told: list[tuple[str, int, int | None]] = []
    (root,) = download.pull([a_model(server)], tick=lambda *what: told.append(what))
    assert (root / "cutter.onnx").read_bytes() == DATA
    assert told[0] == ("cutter", 0, len(DATA))
    assert told[-1] == ("cutter", len(DATA), len(DATA))
    found = locate.find(a_model(server))
    assert found.complete
    assert found.root == root
    download.pull([a_model(server)])
    assert len(server.ranges) == 1, "what is here is not fetched again"


def test_a_cut_transfer_goes_on_where_it_stopped(server: Server) -> None:
    server.cut_at = 300_000
    with pytest.raises(WeightsError, match="was cut after 300000 of 1048576 bytes"):
        download.pull([a_model(server)])
    assert not locate.find(a_model(server)).complete
    server.cut_at = -1
    (root,) = download.pull([a_model(server)])
    assert server.ranges == [None, "bytes=300000-"]
    assert (root / "cutter.onnx").read_bytes() == DATA


def test_a_server_that_knows_no_ranges_sends_the_whole_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.onnx.part").write_bytes(b"x" * 1000)
    server.understands_ranges = False
    address.fetch(f"{server.url}/a", tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == DATA


def test_leftovers_that_are_longer_than_the_file_are_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.onnx.part").write_bytes(b"x" * (len(DATA) + 5))
    address.fetch(f"{server.url}/a", tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == DATA


def test_a_download_stops_when_the_user_wants_it_and_keeps_what_is_here(server: Server) -> None:
    def stop(name: str, done: int, total: int | None) -> None:
        if done > 0:
            raise Cancelled("Stopped")

    with pytest.raises(Cancelled):
        download.pull([a_model(server)], tick=stop)
    assert not locate.find(a_model(server)).complete
    download.pull([a_model(server)])
    assert server.ranges[1] is not None


def test_the_checksum_of_the_first_download_is_kept_and_held_against_the_next(server: Server) -> None:
    (root,) = download.pull([a_model(server)])
    (verdict,) = verify(a_model(server), locate.find(a_model(server)))
    assert (verdict.problem, verdict.basis) == ("", "sha256")
    (root / "cutter.onnx").write_bytes(DATA[:-1] + b"x")
    (verdict,) = verify(a_model(server), locate.find(a_model(server)))
    assert "SHA-256" in verdict.problem
    (root / "cutter.onnx").unlink()
    server.data = DATA[::-1]
    with pytest.raises(WeightsError, match="arrived damaged and was deleted: SHA-256"):
        download.pull([a_model(server)])
    assert not (root / "cutter.onnx").exists()


def test_a_checksum_in_the_catalogue_counts_from_the_first_time_on(server: Server) -> None:
    download.pull([a_model(server, hashlib.sha256(DATA).hexdigest())])
    (locate.find(a_model(server)).files["cutter.onnx"]).unlink()
    with pytest.raises(WeightsError, match="arrived damaged"):
        download.pull([a_model(server, "0" * 64)])


def test_a_file_that_is_not_there_an_absent_server_and_a_forbidden_network_are_said_plainly(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.status = 404
    with pytest.raises(WeightsError, match="answers 404"):
        download.pull([a_model(server)])
    gone = File("cutter.onnx", address="http://127.0.0.1:9/cutter.onnx")
    with pytest.raises(WeightsError, match="cannot be fetched"):
        download.pull([Model("cutter", "matte", "", "", None, (gone,), 5, APACHE)])
    plain = File("cutter.onnx", address="http://example.org/cutter.onnx")
    with pytest.raises(WeightsError, match="no https address"):
        download.pull([Model("cutter", "matte", "", "", None, (plain,), 5, APACHE)])
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="the network is forbidden"):
        download.pull([a_model(server)])


def test_a_full_disk_is_said_before_the_first_byte(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    with pytest.raises(OutputError, match="more in"):
        download.pull([a_model(server)])
    assert server.ranges == []


def test_a_folder_of_the_users_own_may_hold_the_file_directly_or_under_the_models_name(server, tmp_path: Path) -> None:
    model = a_model(server)
    for folder in (tmp_path / "one", tmp_path / "two" / "cutter"):
        folder.mkdir(parents=True)
        (folder / "cutter.onnx").write_bytes(DATA)
    assert locate.find(model, tmp_path / "one").complete
    assert locate.find(model, tmp_path / "two").complete


def test_a_model_from_an_address_can_be_removed(server: Server) -> None:
    from manymesh.cli.models import remove_model

    (root,) = download.pull([a_model(server)])
    assert remove_model(a_model(server)) == len(DATA)
    assert not root.exists()
    assert remove_model(a_model(server)) == 0


def test_a_page_in_the_place_of_a_file_is_refused_and_its_checksum_not_remembered(server: Server) -> None:
    server.data = b"<html>Log in first</html>"
    with pytest.raises(WeightsError, match="wants a login"):
        download.pull([a_model(server)])
    server.data = DATA
    (root,) = download.pull([a_model(server)])
    assert (root / "cutter.onnx").read_bytes() == DATA


def test_a_model_that_was_removed_is_fetched_as_for_the_first_time(server: Server) -> None:
    from manymesh.cli.models import remove_model

    download.pull([a_model(server)])
    remove_model(a_model(server))
    server.data = DATA[::-1]
    (root,) = download.pull([a_model(server)])
    assert (root / "cutter.onnx").read_bytes() == DATA[::-1]


def test_a_redirection_that_is_not_https_is_not_followed(server: Server) -> None:
    import urllib.request
    from http.client import HTTPMessage

    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(WeightsError, match="no https address"):
        address._HttpsAlone().redirect_request(request, io.BytesIO(), 302, "", HTTPMessage(), "http://example.org/b")
