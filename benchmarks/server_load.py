"""What ``manymesh ui`` stands up to: five storms against a server of its own on 127.0.0.1. Needs the extra `ui`.

    python benchmarks/server_load.py [--scale 1.0] [--storms parallel,slow,jobs,sessions,uploads] [--json FILE]

It starts ``manymesh ui`` as a child with 1,024 file descriptors, and talks to no other machine. In turn:

- parallel: 200 requests for the page at once;
- slow: 1,100 connections that send one header byte every second, for half a minute;
- jobs: 500 jobs, of which the server queues some and refuses the rest; then all are cancelled;
- sessions: 3,000 page sessions that come, ask once over the queue, and leave;
- uploads: 20 uploads of 20 MB that are broken off, 40 photos of 1 MB, and one request with 900 files.

During each storm an honest client asks for the page every half second, from the address that the storm comes from and
from another one (127.0.0.2, Linux only). The table gives its latency, how often it got no answer within 10 s, and the
server's memory before, at most, and once it has settled after the storm. Each storm is bounded in count and time, and
the server is stopped at the end. ``--scale`` makes fewer of everything.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import resource
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from PIL import Image, ImageDraw

SERVER_DESCRIPTORS = 1024
CLIENT_DESCRIPTORS = 8192
STORM_LIMIT_S = 240.0
ANSWER_LIMIT_S = 10.0
HONEST_PAUSE_S = 0.5
SLOW_S = 30.0
SETTLE_S = 45.0
BOUNDARY = "server-load-boundary"
MIB = 2**20


@dataclass
class Answer:
    status: int  # 0: the server closed without an answer
    body: bytes
    seconds: float


@dataclass
class Honest:
    """What a client that keeps to the rules saw during a storm."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def row(self) -> dict[str, Any]:
        times = sorted(self.seconds)
        return {
            "asked": len(times) + self.failed,
            "no_answer": self.failed,
            "median_s": round(statistics.median(times), 3) if times else None,
            "worst_s": round(times[-1], 3) if times else None,
        }


class Target:
    """The server that is stormed."""

    def __init__(self, url: str, process: psutil.Process, folders: Path) -> None:
        self.host, self.port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self.process, self.folders = process, folders
        self.functions: dict[str, int] = {}

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        kind: str = "application/json",
        *,
        source: str = "127.0.0.1",
        until: bytes | None = None,
        limit_s: float = 60.0,
    ) -> Answer:
        """One request on a connection of its own; reads to the end, or until ``until`` was seen."""
        start_s = time.perf_counter()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nConnection: close\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        got = await asyncio.wait_for(self._exchange(head.encode() + b"\r\n" + body, source, until), limit_s)
        status = int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else 0
        return Answer(status, got.partition(b"\r\n\r\n")[2], time.perf_counter() - start_s)

    async def _exchange(self, request: bytes, source: str, until: bytes | None) -> bytes:
        reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=(source, 0))
        try:
            writer.write(request)
            got = b""
            # A server that refuses a request before its body has come may close while we still send.
            with suppress(ConnectionResetError, BrokenPipeError):
                while chunk := await reader.read(1 << 16):
                    got += chunk
                    if until is not None and until in got:
                        break
            return got
        finally:
            writer.close()

    async def call(self, name: str, **data: Any) -> Any:
        """A named endpoint's answer, over the documented two requests; None when it is refused."""
        begun = await self.ask("POST", f"/gradio_api/call/v2/{name}", json.dumps(data).encode())
        if begun.status != 200:
            return None
        event = json.loads(_unchunked(begun.body))["event_id"]
        answer = await self.ask("GET", f"/gradio_api/call/{name}/{event}")
        text = _unchunked(answer.body).decode()
        found = re.search(r"event: complete\ndata: (.*)\n", text)
        return json.loads(found[1])[0] if found else None

    def used_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def disk_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folders.rglob("*") if path.is_file())


def _unchunked(body: bytes) -> bytes:
    """A body without the sizes of its chunks. (Bodies here never hold such lines themselves.)"""
    return re.sub(rb"(?:^|\r\n)[0-9a-f]+\r\n", b"", body)


async def parallel(target: Target, scale: float) -> dict[str, Any]:
    answers = await asyncio.gather(*(target.ask("GET", "/") for _ in range(round(200 * scale))), return_exceptions=True)
    times = sorted(answer.seconds for answer in answers if isinstance(answer, Answer))
    return {
        "answers": _statuses(answers),
        "median_s": round(statistics.median(times), 2) if times else None,
        "worst_s": round(times[-1], 2) if times else None,
    }


async def slow(target: Target, scale: float) -> dict[str, Any]:
    async def drip() -> str:
        try:
            reader, writer = await asyncio.open_connection(target.host, target.port)
        except OSError:
            return "refused"
        try:
            writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            end_s = time.perf_counter() + SLOW_S
            while time.perf_counter() < end_s:
                writer.write(b"a")
                await writer.drain()
                with suppress(asyncio.TimeoutError):
                    if not await asyncio.wait_for(reader.read(100), 1.0):
                        return "closed by the server"
            return "open to the end"
        except OSError:
            return "closed by the server"
        finally:
            writer.close()

    before = sum(target.process.cpu_times()[:2])
    ended = await asyncio.gather(*(drip() for _ in range(round(1100 * scale))))
    used_s = sum(target.process.cpu_times()[:2]) - before
    return {"connections": dict(Counter(ended)), "server_cpu_share": round(used_s / SLOW_S, 2)}


async def jobs(target: Target, scale: float) -> dict[str, Any]:
    path = json.loads(_unchunked((await _upload(target, [("disc.png", _photo(256))])).body))[0]
    photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
    begun = await _some_at_once(
        20, [lambda: target.call("submit", photo=photo, faces=500) for _ in range(round(500 * scale))]
    )
    ids = [job["id"] for job in begun if isinstance(job, dict)]
    await _some_at_once(20, [lambda job_id=job_id: target.call("cancel", job_id=job_id) for job_id in reversed(ids)])
    return {"queued": len(ids), "refused": len(begun) - len(ids)}


async def sessions(target: Target, scale: float) -> dict[str, Any]:
    async def visit() -> int:
        session = secrets.token_hex(6)
        page = await target.ask("GET", "/")
        beat = asyncio.create_task(target.ask("GET", f"/gradio_api/heartbeat/{session}", until=b"ALIVE"))
        body = {"data": [], "fn_index": target.functions["jobs"], "session_hash": session}
        joined = await target.ask("POST", "/gradio_api/queue/join", json.dumps(body).encode())
        if joined.status == 200:
            await target.ask("GET", f"/gradio_api/queue/data?session_hash={session}", until=b"close_stream")
        with suppress(OSError, asyncio.TimeoutError):
            await beat
        return min(page.status, joined.status) if joined.status == 200 else joined.status

    answers = await _some_at_once(16, [visit for _ in range(round(3000 * scale))])
    return {"sessions": dict(Counter(str(answer) for answer in answers))}


async def uploads(target: Target, scale: float) -> dict[str, Any]:
    before = target.disk_bytes()

    async def broken_off() -> None:
        _, writer = await asyncio.open_connection(target.host, target.port)
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {target.host}\r\nContent-Length: {40 * MIB}\r\n"
        head += f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        with suppress(OSError):
            writer.write(head.encode() + _part("half.png", _photo(64)) + b"\0" * 20 * MIB)
            await writer.drain()
        writer.transport.abort()

    for _ in range(round(20 * scale)):
        await broken_off()
    await asyncio.sleep(2)
    after_broken = target.disk_bytes()
    noise = _noise()
    sent = await _some_at_once(4, [lambda: _upload(target, [("noise.png", noise)]) for _ in range(round(40 * scale))])
    many = await _upload(target, [(f"{number}.png", _photo(32)) for number in range(round(900 * scale))])
    return {
        "broken_off_left_mib": round((after_broken - before) / MIB, 1),
        "photos": _statuses(sent),
        "many_files_in_one": many.status,
        "disk_mib": round((target.disk_bytes() - before) / MIB, 1),
    }


STORMS: dict[str, Callable[[Target, float], Awaitable[dict[str, Any]]]] = {
    "parallel": parallel,
    "slow": slow,
    "jobs": jobs,
    "sessions": sessions,
    "uploads": uploads,
}


async def stormed(target: Target, name: str, scale: float) -> dict[str, Any]:
    """One storm, the honest clients' view of it, and what memory it took and left."""
    before = await settled(target)
    seen = {"same address": Honest(), "another address": Honest()}
    watching = [
        asyncio.create_task(honest(target, seen["same address"], "127.0.0.1")),
        asyncio.create_task(honest(target, seen["another address"], "127.0.0.2")),
    ]
    peak = asyncio.create_task(highest(target))
    start_s = time.perf_counter()
    try:
        told = await asyncio.wait_for(STORMS[name](target, scale), STORM_LIMIT_S)
    except asyncio.TimeoutError:
        told = {"ended": f"stopped after {STORM_LIMIT_S:.0f} s"}
    took_s = time.perf_counter() - start_s
    for task in (*watching, peak):
        task.cancel()
    (highest_bytes,) = await asyncio.gather(peak)
    await asyncio.gather(*watching, return_exceptions=True)
    after = await settled(target)
    return {
        **told,
        "storm_s": round(took_s, 1),
        "memory_mib": {"before": before // MIB, "highest": highest_bytes // MIB, "after": after // MIB},
        "memory_kept": round(after / before - 1, 3),
        "honest": {address: one.row() for address, one in seen.items()},
    }


async def honest(target: Target, seen: Honest, source: str) -> None:
    while True:
        try:
            answer = await target.ask("GET", "/", source=source, limit_s=ANSWER_LIMIT_S)
        except (OSError, asyncio.TimeoutError):
            seen.failed += 1
        else:
            if answer.status == 200:
                seen.seconds.append(answer.seconds)
            else:
                seen.failed += 1
        await asyncio.sleep(HONEST_PAUSE_S)


async def highest(target: Target) -> int:
    most = target.used_bytes()
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.2)
            most = max(most, target.used_bytes())
    return most


async def settled(target: Target) -> int:
    """Resident memory once it no longer falls, at the latest after ``SETTLE_S``."""
    least, since_s, end_s = target.used_bytes(), time.perf_counter(), time.perf_counter() + SETTLE_S
    while time.perf_counter() < end_s and time.perf_counter() - since_s < 15:
        await asyncio.sleep(0.5)
        if (now := target.used_bytes()) < least - MIB:
            least, since_s = now, time.perf_counter()
    return target.used_bytes()


async def _some_at_once(count: int, calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    free = asyncio.Semaphore(count)

    async def one(call: Callable[[], Awaitable[Any]]) -> Any:
        async with free:
            return await call()

    return await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)


async def _upload(target: Target, files: list[tuple[str, bytes]]) -> Answer:
    body = b"".join(_part(name, data) for name, data in files) + f"--{BOUNDARY}--\r\n".encode()
    return await target.ask("POST", "/gradio_api/upload", body, f"multipart/form-data; boundary={BOUNDARY}")


def _part(name: str, data: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n"


def _photo(side_px: int) -> bytes:
    """A red disc on light grey, as PNG."""
    picture = Image.new("RGB", (side_px, side_px), (226, 225, 222))
    quarter = side_px // 4
    ImageDraw.Draw(picture).ellipse((quarter, quarter, 3 * quarter, 3 * quarter), fill=(186, 40, 36))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def _noise() -> bytes:
    """A PNG of about 1 MB."""
    data = io.BytesIO()
    Image.effect_noise((1000, 1000), 80).save(data, "PNG")
    return data.getvalue()


def _statuses(answers: list[Any]) -> dict[str, int]:
    kinds = (str(answer.status) if isinstance(answer, Answer) else type(answer).__name__ for answer in answers)
    return dict(Counter(kinds))


@contextmanager
def server(source: Path) -> Iterator[Target]:
    """``manymesh ui`` of the checkout at ``source``, with folders of its own for what it makes and keeps meanwhile."""

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (SERVER_DESCRIPTORS, SERVER_DESCRIPTORS))

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tmp").mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "manymesh", "ui", "--no-browser", "--out", f"{folder}/runs"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TMPDIR": f"{folder}/tmp", "PYTHONPATH": str(source / "src")},
            preexec_fn=limits,
        )
        assert process.stdout is not None
        try:
            yield Target(process.stdout.readline().strip(), psutil.Process(process.pid), Path(folder) / "tmp")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


async def run(target: Target, names: list[str], scale: float, kept: Path | None) -> dict[str, Any]:
    """All storms in turn; what is known so far is in ``kept`` after each."""
    config = json.loads(_unchunked((await target.ask("GET", "/config")).body))
    target.functions = {each["api_name"]: each["id"] for each in config["dependencies"] if each["api_name"]}
    # One real job first: what it loads stays loaded, and is no storm's fault.
    path = json.loads(_unchunked((await _upload(target, [("disc.png", _photo(256))])).body))[0]
    photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
    job = await target.call("submit", photo=photo, faces=500)
    while (await target.call("job", job_id=job["id"]))["state"] in ("queued", "running"):
        await asyncio.sleep(0.5)
    report = {}
    for name in names:
        print(f"... {name}", flush=True)
        report[name] = await stormed(target, name, scale)
        if kept is not None:
            kept.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def table(report: dict[str, Any]) -> str:
    lines = [
        "| storm | what came of it | memory before, highest, after (MiB) | kept | honest: median, worst s, no answer |",
        "| --- | --- | --- | --- | --- |",
    ]
    common = ("storm_s", "memory_mib", "memory_kept", "honest")
    for name, row in report.items():
        told = "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in row.items() if key not in common)
        memory = ", ".join(str(value) for value in row["memory_mib"].values())
        seen = "; ".join(
            f"{address}: {one['median_s']}, {one['worst_s']}, {one['no_answer']} of {one['asked']}"
            for address, one in row["honest"].items()
        )
        lines.append(f"| {name} ({row['storm_s']} s) | {told} | {memory} | {row['memory_kept']:+.0%} | {seen} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 makes a tenth of everything")
    parser.add_argument("--storms", default=",".join(STORMS))
    parser.add_argument("--source", type=Path, default=Path(__file__).resolve().parents[1], help="the checkout to run")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENT_DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with server(given.source.resolve()) as target:
        report = asyncio.run(run(target, given.storms.split(","), given.scale, given.json))
    print(table(report))


if __name__ == "__main__":
    main()
