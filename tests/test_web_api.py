"""The named endpoints, through ``gradio_client`` and plain HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import trimesh
from typer.testing import CliRunner
from web_fixtures import (
    IGNORE_FOREIGN_WARNINGS,
    HeldStages,
    coins,
    collected,
    collected_at_the_end,
    need_gradio,
    open_browser,
    until,
)

import manymesh
from manymesh.errors import MissingPieceError, UsageError
from manymesh.settings import Settings
from manymesh.web.server import Options, Served, check, serving

__all__ = ["collected", "collected_at_the_end"]  # fixtures that every test here uses
pytestmark = IGNORE_FOREIGN_WARNINGS

SMALL = {"faces": 500, "texture_size": 64}


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Served, HeldStages]]:
    need_gradio()
    stages = HeldStages()
    monkeypatch.setattr("manymesh.pipeline.choose", stages.plan)
    monkeypatch.setattr("manymesh.web.service.choose", stages.plan)
    monkeypatch.setattr("manymesh.runner.steps.PREVIEW_PX", 32)
    with serving(Options(out=tmp_path / "runs", max_upload_mb=1)) as served:
        yield served, stages
        stages.go.set()


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Any]]:
    """A server and a client of it, for requests that are all refused."""
    need_gradio()
    with serving(Options(out=tmp_path_factory.mktemp("idle") / "runs", max_upload_mb=1)) as served:
        yield served, client_of(served)


def client_of(served: Served, **more: Any) -> Any:
    from gradio_client import Client

    return Client(served.url, verbose=False, **more)


def photo(path: Path) -> Any:
    from gradio_client import handle_file

    return handle_file(str(path))


def test_make_answers_with_the_job_and_its_run(slow: tuple[Served, HeldStages], photo_path: Path) -> None:
    served, stages = slow
    stages.go.set()
    client = client_of(served)
    answer = client.predict(photo=photo(photo_path), prompt="cup, spoon, plate", seed=3, api_name="/make")
    assert (answer["state"], answer["error"], answer["kind"]) == ("done", None, "make")
    result = answer["result"]
    assert [each["label"] for each in result["objects"]] == ["cup", "spoon", "plate"]
    assert result["settings"]["seed"] == 3
    assert result["photo"]["name"] == "things"
    mesh = trimesh.load(
        served.service.out / result["name"] / result["objects"][0]["files"]["model"]["file"], force="mesh"
    )
    assert len(mesh.faces) == 4
    import httpx

    got = httpx.get(served.url + result["objects"][0]["files"]["model"]["url"])
    assert got.status_code == 200
    assert got.content[:4] == b"glTF"


def test_find_edit_paint_download_delete(slow: tuple[Served, HeldStages], photo_path: Path, tmp_path: Path) -> None:
    served, stages = slow
    stages.go.set()
    client = client_of(served, download_files=str(tmp_path / "got"))
    name = client.predict(photo=photo(photo_path), api_name="/find")["run"]
    edits = [{"index": 1, "keep": False}, {"index": 2, "label": "bar"}, {"label": "new", "box": [5, 5, 60, 60]}]
    made = client.predict(run=name, edits=edits, api_name="/go_on")["result"]
    assert [(each["label"], each["state"]) for each in made["objects"]] == [
        ("object-01", "skipped"),
        ("bar", "done"),
        ("object-03", "done"),
        ("new", "done"),
    ]
    again = client.predict(run=name, index=2, seed=99, api_name="/paint_again")["result"]
    assert again["objects"][1]["paint_seed"] == 99
    for file_format in ("glb", "stl"):
        path = Path(client.predict(name=name, index=2, file_format=file_format, api_name="/download"))
        assert (path.suffix, len(trimesh.load(path, force="mesh").faces)) == (f".{file_format}", 4)
    assert Path(client.predict(name=name, api_name="/archive")).suffix == ".zip"
    assert client.predict(api_name="/runs")["total"] == 1
    assert client.predict(name=name, api_name="/run")["name"] == name
    client.predict(name=name, api_name="/delete")
    assert client.predict(api_name="/runs")["total"] == 0
    engine = client.predict(api_name="/engine")
    assert engine["engine"] == "fake"
    assert set(engine["settings"]["properties"]) == set(Settings.model_fields)


def test_submit_answers_at_once_with_a_place_and_cancel(slow: tuple[Served, HeldStages], photo_path: Path) -> None:
    served, stages = slow
    client = client_of(served)
    first, second = (client.predict(photo=photo(photo_path), api_name="/submit") for _ in range(2))
    assert stages.waiting.wait(20)
    now = client.predict(job_id=second["id"], api_name="/job")
    assert (now["state"], now["place"], now["result"]) == ("queued", 1, None)
    assert client.predict(job_id=second["id"], api_name="/cancel")["state"] == "cancelled"
    running = client.predict(job_id=first["id"], api_name="/job")
    assert (running["state"], running["stage"], running["total"]) == ("running", "shape", 3)
    assert client.predict(job_id=first["id"], api_name="/cancel")["state"] in ("stopping", "cancelled")
    until(lambda: client.predict(job_id=first["id"], api_name="/job")["state"] == "cancelled", 3)
    stages.go.set()
    assert client.predict(run=running["run"], api_name="/resume")["state"] == "done"
    assert [job["kind"] for job in client.predict(api_name="/jobs")] == ["resume", "make", "make"]


@pytest.mark.parametrize(
    ("endpoint", "arguments", "says"),
    [
        ("/make", {"faces": 5}, "faces: Input should be greater"),
        ("/make", {"engine": "magic"}, "engine"),
        ("/make", {"boxes": ["1,2,3"]}, "is not a box"),
        ("/job", {"job_id": "nobody"}, "no job"),
        ("/run", {"name": "../.."}, "not the name of a run"),
        ("/delete", {"name": "gone"}, "no run"),
        ("/go_on", {"run": "gone", "edits": []}, "no run"),
        ("/download", {"name": "gone", "index": 1, "file_format": "glb"}, "no run"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_with_a_sentence(
    idle: tuple[Served, Any], photo_path: Path, endpoint: str, arguments: dict[str, Any], says: str
) -> None:
    from gradio_client.exceptions import AppError

    served, client = idle
    if endpoint == "/make":
        arguments = {"photo": photo(photo_path), **arguments}
    with pytest.raises(AppError, match=re.escape(says)):
        client.predict(**arguments, api_name=endpoint)
    assert served.service.jobs.all() == []


def test_a_file_that_is_no_photo_is_refused_at_its_upload(idle: tuple[Served, Any], tmp_path: Path) -> None:
    import httpx

    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(httpx.HTTPStatusError) as caught:
        idle[1].predict(photo=photo(bad), api_name="/make")
    assert caught.value.response.status_code == 422
    assert caught.value.response.text.startswith("The file is not a picture that can be read. Give a JPEG")


def test_an_upload_over_the_limit_is_refused(idle: tuple[Served, Any], tmp_path: Path) -> None:
    import httpx

    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(2 * 2**20))
    with big.open("rb") as file:
        answer = httpx.post(f"{idle[0].url}gradio_api/upload", files={"files": file})
    assert answer.status_code == 413


def test_another_host_needs_a_password(tmp_path: Path) -> None:
    need_gradio()
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org"):
        with pytest.raises(UsageError, match="password"):
            check(Options(host=host))
        assert check(Options(host=host, auth="ann:pa:ss")) == ("ann", "pa:ss")
    for auth in ("ann", "ann:", ":pass", ""):
        with pytest.raises(UsageError, match="USER:PASSWORD"):
            check(Options(auth=auth))
    assert check(Options()) is None
    with pytest.raises(UsageError, match="cannot go together"):
        check(Options(auth="ann:secret", mcp=True))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")
def test_each_address_has_a_share_of_the_queue(
    slow: tuple[Served, HeldStages], photo_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manymesh.web.jobs.MAX_QUEUED_PER_CLIENT", 1)
    served, stages = slow

    def answers(address: str, count: int) -> list[str]:
        transport = httpx.HTTPTransport(local_address=address)
        with httpx.Client(base_url=served.url, transport=transport, timeout=30) as client:
            sent = client.post("gradio_api/upload", files={"files": ("a.png", photo_path.read_bytes())}).json()[0]
            body = {"photo": {"path": sent, "meta": {"_type": "gradio.FileData"}}}
            begun = [client.post("gradio_api/call/v2/submit", json=body).json()["event_id"] for _ in range(count)]
            return [client.get(f"gradio_api/call/submit/{event}").text for event in begun]

    first = answers("127.0.0.1", 1)
    until(lambda: served.service.all_jobs()[0]["state"] == "running")
    first += answers("127.0.0.1", 2)
    assert ["event: complete" in answer for answer in first] == [True, True, False]
    assert "jobs of yours" in first[2]
    assert "event: complete" in answers("127.0.0.2", 1)[0]
    stages.go.set()


@pytest.mark.parametrize(
    ("module", "mcp", "command"), [("gradio", False, "manymesh[ui]"), ("mcp", True, "gradio[mcp]")]
)
def test_a_missing_extra_says_what_to_install(
    module: str, mcp: bool, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manymesh.web import server

    # (whether it is installed here or not)
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == module else object())
    with pytest.raises(MissingPieceError, match=re.escape(command)) as caught:
        check(Options(mcp=mcp))
    assert caught.value.exit_code == 8


def test_every_setting_has_a_field_or_a_reason_to_have_none() -> None:
    from manymesh.web import fields
    from manymesh.web.fields import LOCAL_SETTINGS

    described = {each["name"]: each for each in fields.describe()}
    assert {*described, *fields.ON_THE_PAGE, *LOCAL_SETTINGS} == set(Settings.model_fields)
    for name, each in described.items():
        assert each["info"] == Settings.model_fields[name].description
    assert (described["faces"]["min"], described["faces"]["max"]) == (100, 2_000_000)
    # Untouched, the form means the defaults.
    assert Settings(**{name: each["default"] for name, each in described.items()}) == Settings()
    # An engine's own settings are known by the room that they are declared in.
    assert described["shape_model"]["engines"] == described["paint_steps"]["engines"] == ["hunyuan"]
    assert described["tries"]["engines"] == ["open", "hunyuan"]
    assert described["faces"]["engines"] == []
    # Any size can be asked for; an empty field leaves it to the painter.
    assert (described["texture_size"]["kind"], described["texture_size"]["default"]) == ("number", None)
    # A setting that holds a path of this machine must never come from the page or the API.
    paths = {name for name, field in Settings.model_fields.items() if "Path" in str(field.annotation)}
    assert paths <= set(LOCAL_SETTINGS)


def test_the_command_explains_itself() -> None:
    from manymesh.cli.app import app

    help_text = CliRunner().invoke(app, ["ui", "--help"]).output
    for flag in ("--host", "--port", "--auth", "--out", "--mcp", "--max-upload-mb", "--no-browser"):
        assert flag in help_text


MAIN = "from manymesh.cli.app import main; main()"


def test_the_command_makes_ten_in_flat_memory_and_stops_cleanly(tmp_path: Path) -> None:
    need_gradio()
    with open_browser() as browser, _command(tmp_path / "runs") as (url, process):
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("#mm-make:enabled")
        page.close()
        _ten_jobs(url, psutil.Process(process.pid), tmp_path)
    assert process.returncode == 0


@contextmanager
def _command(out: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``manymesh ui`` in a process of its own; stopped as Ctrl-C stops it."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "ui", "--no-browser", "--out", str(out)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(manymesh.__file__).parents[1])},
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        yield url, process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def _ten_jobs(url: str, process: psutil.Process, folder: Path) -> list[int]:
    from gradio_client import Client

    client = Client(url, verbose=False)
    picture = coins(folder / "coins.png", count=1)
    pending = [client.submit(photo=photo(picture), seed=seed, **SMALL, api_name="/make") for seed in range(10)]
    used_bytes: list[int] = []  # after each job that ended
    end_s = time.monotonic() + 200
    while len(used_bytes) < len(pending):
        assert time.monotonic() < end_s
        time.sleep(0.1)
        ended = sum(job.done() for job in pending)
        used_bytes += [process.memory_info().rss] * (ended - len(used_bytes))
    answers = [job.result() for job in pending]
    assert [answer["state"] for answer in answers] == ["done"] * 10
    assert [answer["result"]["settings"]["seed"] for answer in answers] == list(range(10))
    assert len({answer["run"] for answer in answers}) == 10
    assert [[each["state"] for each in answer["result"]["objects"]] for answer in answers] == [["done"]] * 10
    # The first few load libraries; after that nothing may pile up: five jobs that kept a network each would be 200 MiB.
    # The next job runs already when this is read, so its working memory is the unrest.
    assert max(used_bytes[6:]) - max(used_bytes[2:5]) < 40 * 2**20
    client.close()
    return [round(used / 2**20) for used in used_bytes]
