"""Long work on the command line shows how far it is and stops at once on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import three_things

from manymesh.cli import job
from manymesh.errors import Cancelled, InputError


def test_the_answer_and_the_error_of_the_work_come_back() -> None:
    assert job.carry_out(lambda progress: 3, lambda: None) == 3
    with pytest.raises(InputError, match="no mesh"):
        job.carry_out(lambda progress: (_ for _ in ()).throw(InputError("no mesh")), lambda: None)


def test_each_step_is_said_with_its_share(capfd: pytest.CaptureFixture[str]) -> None:
    def work(progress: job.Progress) -> bool:
        for words, share in (("Reading", 0.0), ("Painting", 0.5)):
            progress.tell(words, share)
            time.sleep(0.5)
        return True

    job.carry_out(work, lambda: None)
    assert "Reading (0%)" in capfd.readouterr().err.splitlines()


def test_time_left_follows_from_the_share_done() -> None:
    assert job.Progress("Painting", 0.25).left_s(10.0) == pytest.approx(30.0)
    assert job.Progress("Painting", 0.01).left_s(10.0) is None


def test_ctrl_c_ends_work_that_listens() -> None:
    ended = threading.Event()

    def work(progress: job.Progress) -> None:
        try:
            while True:
                progress.tell("Painting", 0.5)
                time.sleep(0.01)
        finally:
            ended.set()

    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(Cancelled):
        job.carry_out(work, lambda: pytest.fail("it did end by itself"))
    assert ended.is_set()


def test_ctrl_c_stops_paint_at_once_with_one_document(tmp_path: Path) -> None:
    # The work neither listens nor ends: a library that computes for long.
    script = (
        "import sys, time, types\nimport manymesh.cli.app as app\n"
        "fake = types.ModuleType('manymesh.paint_mesh')\n"
        "def paint_file(*given, **more):\n    print('busy', file=sys.stderr, flush=True)\n    time.sleep(60)\n"
        "fake.paint_file = paint_file\nsys.modules['manymesh.paint_mesh'] = fake\napp.main()\n"
    )
    three_things().save(tmp_path / "x.png")
    arguments = ["paint", "mesh.obj", "--image", str(tmp_path / "x.png"), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while "busy" not in process.stderr.readline():
        assert process.poll() is None
    start_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - start_s < 10
    document = json.loads(output)
    assert (document["state"], document["folder"], document["error"]["exit_code"]) == ("cancelled", None, 130)
    assert "Traceback" not in errors
