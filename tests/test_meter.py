from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from manymesh.device import meter
from manymesh.device.meter import LIST_CHILDREN_EVERY_S, Meter, Resident

HOLDING = "import sys; held = b'1' * 100_000_000; print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.communicate()


def test_resident_memory_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(meter, "_has_children", lambda: False)  # other tests' helpers may live on
    assert Resident().bytes() == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)


def test_a_child_counts_while_it_lives(child: subprocess.Popen[bytes]):
    resident = Resident()
    together = resident.bytes()
    assert together > psutil.Process().memory_info().rss + 90_000_000
    child.communicate()
    assert resident.bytes() < together - 90_000_000


def test_a_child_that_starts_later_counts_too():
    resident = Resident()
    before = resident.bytes()
    with subprocess.Popen([sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(2 * LIST_CHILDREN_EVERY_S)
        # The child holds 100 MB. This process may give back some of its own meanwhile.
        assert resident.bytes() > before + 50_000_000
        process.communicate()


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="this system cannot look at ended children")
def test_looking_for_children_leaves_an_ended_one_to_its_parent():
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
        Resident().bytes()
        assert process.wait() == 3


def test_a_peak_is_the_stretch_of_works_own():
    with Meter() as large:
        held = b"1" * 150_000_000
        time.sleep(0.2)  # four samples
        del held
    with Meter() as small:
        pass
    assert large.usage.host_peak_bytes > small.usage.host_peak_bytes
    assert small.usage.seconds < 5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process's memory in a file")
def test_a_sample_opens_no_file(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(meter, "_has_children", lambda: False)  # other tests' helpers may live on
    resident = Resident()
    resident.bytes()

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(os, "open", refuse)
    assert resident.bytes() > 1_000_000
    resident.close()
