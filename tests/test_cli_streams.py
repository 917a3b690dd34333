"""Names that a terminal cannot show are escaped; nothing that a library says by itself reaches the user."""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from conftest import three_things

from manymesh.cli import streams
from manymesh.cli.options import readable

NAME = "カップ"
QUICK = ["--engine", "lite", "--faces", "500", "--no-texture", "--shape", "inflate"]
ENCODINGS = [
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


def manymesh(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "manymesh", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=120, check=False, env=os.environ | environment)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[bytes], Path]:
    """A run of a photo with a Japanese name, in a folder and with an object of such a name."""
    folder = tmp_path_factory.mktemp("streams") / NAME
    folder.mkdir()
    three_things().save(folder / f"{NAME}.png")
    box = f"130,50,165,195:{NAME}"
    made = manymesh(ENCODINGS[0], "make", folder / f"{NAME}.png", "--out", folder / "runs", "--box", box, *QUICK)
    return made, folder


def test_a_photo_with_a_name_that_the_pipe_cannot_hold_is_made(
    finished: tuple[subprocess.CompletedProcess[bytes], Path],
) -> None:
    made, folder = finished
    assert made.returncode == 0, made.stderr
    (run,) = (folder / "runs").iterdir()
    escaped = NAME.encode("ascii", "backslashreplace")
    assert made.stdout.strip() == str(run).encode("ascii", "backslashreplace")
    assert escaped in made.stderr
    assert b"Traceback" not in made.stderr
    manifest = json.loads((run / "run.json").read_bytes().decode("utf-8"))
    assert manifest["input"]["name"] == NAME
    assert manifest["objects"][0]["label"] == NAME


# Several commands in one process, whose start costs more than all of them. Without torch, which `doctor` would load.
SEVERAL = """
import json, os, sys
sys.modules["torch"] = None
from manymesh.cli.app import main
for words in json.loads(sys.argv[1]):
    sys.argv = [os.fsdecode(word.encode()) for word in words]  # as this process would have been given them
    print("==", flush=True)
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""


@pytest.mark.parametrize("environment", ENCODINGS, ids=["cp1252", "ascii", "C"])
def test_every_command_ends_well_whatever_the_encoding(
    finished: tuple[subprocess.CompletedProcess[bytes], Path], environment: dict[str, str]
) -> None:
    (run,) = (finished[1] / "runs").iterdir()
    commands = [["show", run], ["resume", run], ["show", run, "--json"], ["doctor"]]
    orders = json.dumps([["manymesh", *map(str, words)] for words in commands])
    told = subprocess.run(
        [sys.executable, "-c", SEVERAL, orders], capture_output=True, timeout=120, env=os.environ | environment
    )
    assert told.returncode == 0, told.stderr
    assert b"Traceback" not in told.stderr
    start, shown, resumed, document, found = re.split(rb"^==\r?\n", told.stdout, flags=re.MULTILINE)
    assert start == b""
    assert b"01-" in shown
    # Where the file system's own encoding is ASCII, a path's bytes come out as they are.
    assert resumed.strip() in (str(run).encode("ascii", "backslashreplace"), str(run).encode())
    assert json.loads(document)["runs"][0]["input"]["name"] == NAME
    assert b"engine lite: ready" in found


def test_bytes_of_a_path_that_are_no_text_come_out_as_they_are() -> None:
    codecs.register_error("manymesh-escape", streams.escape)
    raw = b"/photos/\xe9t\xe9-\xff.png"
    for encoding in ("utf-8", "ascii", "cp1252"):
        assert raw.decode("utf-8", "surrogateescape").encode(encoding, "manymesh-escape") == raw
    assert "é-カ-\udcff".encode("ascii", "manymesh-escape") == b"\\xe9-\\u30ab-\xff"


def test_what_libraries_log_and_warn_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(streams.SHOW_LOGS, raising=False)
    monkeypatch.setattr(sys, "warnoptions", [])
    with warnings.catch_warnings():
        try:
            streams.silence_libraries()
            logging.getLogger("trimesh").error("a traceback of theirs")
            warnings.warn("a warning of theirs", stacklevel=1)
        finally:
            logging.disable(logging.NOTSET)
    assert capfd.readouterr().err == ""


def test_a_developer_can_see_what_libraries_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(streams.SHOW_LOGS, "1")
    streams.silence_libraries()
    assert logging.root.manager.disable < logging.CRITICAL


def test_tables_have_frames_that_the_encoding_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert not streams.can_show("┏━┃")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert streams.can_show("┏━┃")


def test_ctrl_c_while_a_command_still_starts_has_its_sentence_and_code(photo_path: Path) -> None:
    command = [sys.executable, "-m", "manymesh", "make", str(photo_path), "--json"]
    script = (
        "import os, signal, sys\nimport manymesh.cli.app as app\n"
        "app.app = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = sys.argv[1:]\napp.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *command[2:]], capture_output=True, timeout=60, check=False)
    assert done.returncode == 130
    assert json.loads(done.stdout)["error"]["code"] == "cancelled"
    assert b"Stopped by Ctrl-C" in done.stderr


def test_a_prompt_in_a_terminal_without_an_encoding_is_read_as_utf_8() -> None:
    raw = NAME.encode().decode("ascii", "surrogateescape")
    assert readable([raw, "cup", 3]) == [NAME, "cup", 3]


def test_a_busy_port_is_told_in_a_sentence_of_our_own() -> None:
    pytest.importorskip("gradio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = manymesh({}, "ui", "--port", port, "--no-browser")
    assert told.returncode == 7
    assert f"Port {port} of 127.0.0.1 is in use by another program".encode() in told.stderr
    assert b"Errno" not in told.stderr
