"""A whole server under hostile requests: uploads, files, disk, downloads, connections. No browser."""

from __future__ import annotations

import io
import os
import re
import socket
import stat
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import three_things
from fakes import Diary, fake_plan
from web_fixtures import IGNORE_FOREIGN_WARNINGS, collected, collected_at_the_end, need_gradio

from manymesh.errors import InputError, OutputError
from manymesh.pipeline import Pipeline
from manymesh.run.export import as_format
from manymesh.run.folder import Run
from manymesh.web import limits, scratch
from manymesh.web.limits import Connection
from manymesh.web.scratch import Scratch, safe_stem
from manymesh.web.server import Options, Served, serving

__all__ = ["collected", "collected_at_the_end"]  # fixtures that every test here uses
pytestmark = IGNORE_FOREIGN_WARNINGS

# In the place of the server's own number, which takes three times as many requests to reach.
SESSIONS_KEPT = 16
HTML = b"<html><script>alert(1)</script></html>"


@cache
def png(side_px: int = 64, colour: str = "red") -> bytes:
    data = io.BytesIO()
    three_things(320, 240).resize((side_px, side_px)).save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Run]]:
    """A server whose output folder holds one finished run of one object, made by stages that do next to nothing."""
    need_gradio()
    folder = tmp_path_factory.mktemp("security")
    three_things().save(folder / "things.png")
    with pytest.MonkeyPatch.context() as patch:
        diary = Diary()
        patch.setattr("manymesh.pipeline.choose", lambda settings: fake_plan(diary, settings, count=1))
        patch.setattr("manymesh.web.service.choose", lambda settings: fake_plan(diary, settings, count=1))
        patch.setattr("manymesh.web.server.SESSIONS_KEPT", SESSIONS_KEPT)
        run = Pipeline().make([folder / "things.png"], folder / "runs")[0]
        with serving(Options(out=folder / "runs", max_upload_mb=1, max_scratch_mb=8)) as served:
            yield served, run


@pytest.fixture
def url(made: tuple[Served, Run]) -> str:
    return made[0].url


def upload(url: str, *files: tuple[str, bytes]) -> httpx.Response:
    return httpx.post(f"{url}gradio_api/upload", files=[("files", file) for file in files], timeout=30)


def test_an_upload_is_kept_under_a_name_of_ours_with_its_true_type(url: str) -> None:
    answer = upload(url, ("evil.PNG.html", png()))
    assert answer.status_code == 200
    (address,) = answer.json()
    assert re.fullmatch(r"files/uploads/[0-9a-f]{32}/evil-PNG\.png", address)
    for before in ("", "gradio_api/file="):
        got = httpx.get(f"{url}{before}{address}")
        assert (got.status_code, got.headers["content-type"], got.content) == (200, "image/png", png())
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.png", HTML),
        ("vector.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("raw.dng", b"II*\0" + HTML),
        ("script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("cut.png", png()[:200]),
        ("head.png", b"\x89PNG\r\n\x1a\n" + HTML),
        ("nothing.png", b""),
        ("small.png", png(8)),
    ],
)
def test_what_is_no_photo_is_not_kept(made: tuple[Served, Run], name: str, data: bytes) -> None:
    served = made[0]
    before = sorted(served.service.scratch.folder.rglob("*"))
    answer = upload(served.url, (name, data))
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("The file ")
    assert sorted(served.service.scratch.folder.rglob("*")) == before


def test_one_request_brings_few_files(made: tuple[Served, Run]) -> None:
    served = made[0]
    before = len(list((served.service.scratch.folder / "uploads").iterdir()))
    assert upload(served.url, *[(f"{number}.png", png(16)) for number in range(900)]).status_code == 400
    assert len(list((served.service.scratch.folder / "uploads").iterdir())) == before
    assert len(upload(served.url, *[(f"{number}.png", png(16)) for number in range(8)]).json()) == 8


def test_an_upload_that_is_broken_off_leaves_nothing(made: tuple[Served, Run]) -> None:
    served = made[0]
    before = sorted(served.service.scratch.folder.rglob("*"))
    address = urlsplit(served.url)
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port)) as client:
            head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 900000\r\n"
            head += "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            part = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
            client.sendall(head.encode() + part.encode() + png() + b"\0" * 500_000)
    time.sleep(0.5)
    assert sorted(served.service.scratch.folder.rglob("*")) == before


def test_uploads_and_downloads_hold_no_more_than_they_may(made: tuple[Served, Run]) -> None:
    served, run = made
    kept = served.service.scratch
    noise = io.BytesIO()
    from PIL import Image

    Image.effect_noise((900, 900), 90).save(noise, "PNG")
    first = upload(served.url, ("first.png", noise.getvalue())).json()[0]
    for number in range(12):
        assert upload(served.url, (f"{number}.png", noise.getvalue())).status_code == 200
    served.service.archive(run.folder.name)
    held_bytes = sum(path.stat().st_size for path in kept.folder.rglob("*") if path.is_file())
    assert 4 * 2**20 < held_bytes <= 8 * 2**20
    assert httpx.get(served.url + first).status_code == 403


def test_the_photo_of_a_job_that_waits_is_never_removed(tmp_path: Path) -> None:
    kept = Scratch(tmp_path, cap_bytes=3 * len(png()))
    wanted = kept.add_photo(png(), "wanted.png")
    kept.in_use = lambda: {wanted}
    for number in range(5):
        kept.add_photo(png(), f"{number}.png")
    assert wanted.is_file()
    kept.in_use = lambda: {path for path in tmp_path.rglob("*.png")}
    with pytest.raises(OutputError, match="full"):
        kept.add_photo(png(), "more.png")


def test_a_folder_that_a_killed_server_left_goes_when_the_next_one_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, lock = scratch.new_folder()
    (left / "uploads").mkdir()
    living, living_lock = scratch.new_folder()
    assert left.is_dir()  # its server is alive
    lock.close()
    (tmp_path / f"{scratch.PREFIX}link").symlink_to("/")
    _, new_lock = scratch.new_folder()
    assert not left.exists()
    assert living.is_dir()
    living_lock.close()
    new_lock.close()


def test_only_files_that_a_manifest_names_are_given_out(made: tuple[Served, Run]) -> None:
    served, run = made
    (run.folder / "secret.png").write_bytes(png())
    (run.folder / "page.html").write_bytes(HTML)
    os.symlink("/etc/passwd", run.folder / "link.png")
    name = run.folder.name
    record = run.manifest.objects[0]
    inside = [f"runs/{name}/{path}" for path in ("run.json", "secret.png", "page.html", "link.png", ".lock", "../x")]
    outside = [
        "runs/../runs.py",
        "static/1/../../server.py",
        "static/1/login.html",
        "uploads/../.lock",
        ".lock",
        "",
        "x",
    ]
    with httpx.Client(base_url=served.url) as client:
        for path in (*inside, *outside, f"runs/{name}//etc/passwd", f"runs/{name}/%2e%2e/run.json"):
            for before in ("files/", "gradio_api/file=files/"):
                assert client.get(before + path).status_code in (403, 404), path
        model = client.get(f"files/runs/{name}/{record.files['model'].path}")
        assert (model.status_code, model.headers["content-type"]) == (200, "model/gltf-binary")
        assert model.headers["content-disposition"].startswith("inline")
        assert client.get("gradio_api/file=/etc/passwd").status_code == 404


def test_an_archive_tells_no_folder_of_this_machine(made: tuple[Served, Run]) -> None:
    served, run = made
    assert str(run.folder.parent.parent) in (run.folder / "run.json").read_text()
    answer = httpx.post(f"{served.url}page/archive", json={"run": run.folder.name}).json()
    with zipfile.ZipFile(io.BytesIO(httpx.get(served.url + answer["url"]).content)) as archive:
        told = archive.read(f"{run.folder.name}/run.json").decode()
        archive.extractall(run.folder.parent.parent / "elsewhere")
    assert str(run.folder.parent.parent) not in told
    assert Run.open(run.folder.parent.parent / "elsewhere" / run.folder.name).manifest.input.path == "things.png"


def test_downloads_come_as_attachments(made: tuple[Served, Run]) -> None:
    served, run = made
    for name in ("stl", "glb", "obj"):
        asked = {"run": run.folder.name, "index": 1, "format": name}
        answer = httpx.post(f"{served.url}page/download", json=asked).json()
        got = httpx.get(served.url + answer["url"])
        assert got.status_code == 200
        assert got.headers["content-disposition"].startswith("attachment")


def test_many_downloads_at_once_are_one_file_written_once(
    made: tuple[Served, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, run = made
    written: list[str] = []

    def slowly(run: Run, record: Any, name: str) -> tuple[str, bytes]:
        written.append(name)
        time.sleep(0.2)
        return as_format(run, record, name)

    monkeypatch.setattr("manymesh.web.service.as_format", slowly)

    def fetch(number: int) -> bytes:
        asked = {"run": run.folder.name, "index": 1, "format": ("ply", "3mf")[number % 2]}
        answer = httpx.post(f"{served.url}page/download", json=asked, timeout=60).json()
        got = httpx.get(served.url + answer["url"], timeout=60)
        assert got.status_code == 200
        return got.content

    with ThreadPoolExecutor(12) as pool:
        files = list(pool.map(fetch, range(24)))
    assert sorted(written) == ["3mf", "ply"]
    assert len(set(files[::2])) == len(set(files[1::2])) == 1


def test_a_writer_that_fails_leaves_nothing_and_the_next_one_tries_again(tmp_path: Path) -> None:
    kept = Scratch(tmp_path)

    def fail(path: Path) -> str:
        path.write_bytes(b"half")
        raise InputError("no mesh")

    with pytest.raises(InputError):
        kept.export("run", ("1", "stl"), fail)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))

    def work(path: Path) -> str:
        path.write_bytes(b"whole")
        return "cup.stl"

    path = kept.export("run", ("1", "stl"), work)
    assert (path.name, path.read_bytes()) == ("cup.stl", b"whole")
    assert kept.export("run", ("1", "stl"), fail) == path
    kept.forget("run")
    assert not path.exists()


def test_no_answer_names_a_folder_of_the_installation_or_a_temporary_one(made: tuple[Served, Run]) -> None:
    served, run = made
    address = upload(served.url, ("things.png", png())).json()[0]
    photo = {"path": address, "meta": {"_type": "gradio.FileData"}}
    with httpx.Client(base_url=served.url, timeout=30) as client:
        told = [client.get(path).text for path in ("", "config", "gradio_api/info", "gradio_api/openapi.json")]
        told.append(client.post("page/look", json={"run": run.folder.name}).text)
        told.append(client.post("page/look", json={"run": "gone"}).text)
        told.append(client.post("page/runs", json={"page": 0}).text)
        told.append(client.post("page/download", json={"run": run.folder.name, "index": 1, "format": "x"}).text)
        calls: list[tuple[str, dict[str, Any]]] = [
            ("make", {"photo": photo}),
            ("download", {"name": run.folder.name, "index": 1, "file_format": "stl"}),
            ("run", {"name": "gone"}),
            ("engine", {}),
        ]
        for name, data in calls:
            event = client.post(f"gradio_api/call/v2/{name}", json=data).json()["event_id"]
            told.append(client.get(f"gradio_api/call/{name}/{event}").text)
    assert all(told)
    import gradio

    packages = [Path(scratch.__file__).parents[1], Path(gradio.__file__).parent]
    folders = [served.service.scratch.folder, served.service.out, *packages]
    for text in told:
        assert [folder for folder in folders if str(folder) in text] == []


def test_temporary_folders_and_run_folders_are_for_their_owner_alone(made: tuple[Served, Run]) -> None:
    served, run = made
    folders = [served.service.scratch.folder, run.folder]
    for kind in ("uploads", "downloads", "thumbs"):
        inside = served.service.scratch.folder / kind
        folders += [inside, *(path for path in inside.iterdir() if path.is_dir())]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("cup.jpg", "cup"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\cup.jpg", "cup"),
        ("<img src=x onerror=alert(1)>.png", "img src-x onerror-alert(1)"),
        ("café 日本.heic", "café 日本"),
        ("a#b?c%d.png", "a-b-c-d"),
        (".htaccess", "htaccess"),
        ("", "photo"),
        ("\0\n", "photo"),
        ("x" * 300, "x" * 80),
    ],
)
def test_a_photos_name_is_kept_as_far_as_it_is_harmless(given: str, kept: str) -> None:
    stem = safe_stem(given)
    assert stem == kept or (kept == "photo" and stem in ("photo", "object"))


@contextmanager
def _waiting(url: str, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    address = urlsplit(url)
    clients = [socket.create_connection((address.hostname, address.port)) for _ in range(count)]
    try:
        for client in clients:
            client.sendall(sent)
        yield clients
    finally:
        for client in clients:
            client.close()


def was_closed(client: socket.socket, timeout_s: float = 10.0) -> bool:
    """Whether the server ends the connection without an answer."""
    client.settimeout(timeout_s)
    try:
        return client.recv(100) == b""
    except ConnectionError:
        return True


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Starts a server with little patience, and with room for few connections."""
    need_gradio()
    started: list[Any] = []

    def start(**constants: float) -> Served:
        for name, value in constants.items():
            monkeypatch.setattr(limits, name, value)
        if "CONNECTIONS" in constants:
            patched = (constants["CONNECTIONS"], constants["CONNECTIONS"])
            monkeypatch.setattr(limits.Connections.__init__, "__defaults__", patched)
        started.append(serving(Options(out=tmp_path / "runs")))
        served: Served = started[-1].__enter__()
        return served

    yield start
    for each in started:
        each.__exit__(None, None, None)


def test_slow_clients_do_not_keep_others_out(small: Callable[..., Served]) -> None:
    served = small(CONNECTIONS=12)
    with _waiting(served.url, 40, b"GET / HTTP/1.1\r\nX-Slow: "):
        start_s = time.monotonic()
        assert httpx.get(served.url, timeout=10).status_code == 200
        assert time.monotonic() - start_s < 5


def test_a_head_and_a_body_have_to_come_in_time(small: Callable[..., Served]) -> None:
    served = small(HEAD_S=0.5, BODY_PAUSE_S=0.5, SWEEP_S=0.1)
    host = urlsplit(served.url).netloc
    body = f"POST /page/look HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{{"
    with _waiting(served.url, 2, b"GET / HTTP/1.1\r\n") as heads, _waiting(served.url, 2, body.encode()) as bodies:
        for client in (*heads, *bodies):
            assert was_closed(client)


def test_a_body_has_to_come_at_some_speed(small: Callable[..., Served]) -> None:
    served = small(BODY_GRACE_S=0.5, SWEEP_S=0.1)
    host = urlsplit(served.url).netloc
    body = f"POST /page/look HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    with _waiting(served.url, 1, body.encode()) as (client,):
        end_s = time.monotonic() + 10
        with suppress(ConnectionError):
            while time.monotonic() < end_s:
                client.sendall(b" ")
                time.sleep(0.05)
        assert time.monotonic() < end_s


def test_a_client_that_takes_no_answer_is_dropped(
    small: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = small(ANSWER_PAUSE_S=0.5, SWEEP_S=0.1)
    dropped = threading.Event()
    monkeypatch.setattr(Connection, "drop", lambda self: (self.transport.abort(), dropped.set()))
    host = urlsplit(served.url).netloc
    # The description of the endpoints 60 times over is more than the buffers between us take.
    with _waiting(served.url, 1, f"GET /config HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * 60):
        assert dropped.wait(15)


def test_what_gradio_keeps_for_a_page_goes_with_many_pages(url: str, made: tuple[Served, Run]) -> None:
    with httpx.Client(base_url=url, timeout=30) as client:
        functions = {each["api_name"]: each["id"] for each in client.get("config").json()["dependencies"]}
        for number in range(SESSIONS_KEPT + 20):
            body = {"data": [], "fn_index": functions["jobs"], "session_hash": f"s{number}"}
            assert client.post("gradio_api/queue/join", json=body).status_code == 200
            client.get(f"gradio_api/queue/data?session_hash=s{number}")
    import gc

    import gradio.state_holder

    gc.unfreeze()  # see web_fixtures
    holders = [each for each in gc.get_objects() if isinstance(each, gradio.state_holder.StateHolder)]
    counts = [len(holder.session_data) for holder in holders]
    assert max(counts) <= SESSIONS_KEPT + 1
