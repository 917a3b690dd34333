"""What a run says: lines for people on stdout, records for programs in log.jsonl."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


class Log:
    """Seconds are counted from the making of the log. ``folder`` None keeps quiet (every rank but the first)."""

    def __init__(self, folder: Path | None, started: float | None = None) -> None:
        self.started = time.monotonic() if started is None else started
        self.path = folder / "log.jsonl" if folder else None

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def say(self, line: str) -> None:
        if self.path:
            sys.stdout.write(f"[{self.seconds():7.1f} s] {line}\n")
            sys.stdout.flush()

    def record(self, event: str, **values: Any) -> None:
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"event": event, "seconds": round(self.seconds(), 2), **values}) + "\n")


def read(folder: Path) -> list[dict[str, Any]]:
    """All records of a run, in order."""
    with open(folder / "log.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
