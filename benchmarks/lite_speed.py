"""Seconds and memory of the `lite` engine, by stage, and the start-up times.

Run it on an otherwise idle machine. Where there is none, compare the processor's seconds alone.

    python benchmarks/lite_speed.py [PHOTO...] [--rounds N] [--against SRC] [--json FILE]

Photos are first resized to 1024 pixels on their longer side. Each is made in a fresh process, as a user would; the
wall seconds and peaks by stage are those of its manifest, the whole is measured from outside. Two objects are in
progress at a time, so a stage's objects take more seconds together than the stage. Of several rounds the quickest is
shown.

With ``--against`` another checkout's ``src`` folder makes each photo too, in turn with this one. On a machine that
others share, only such a ratio says which is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

SIDE_PX = 1024
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def resized(photo: Path, folder: Path) -> Path:
    """The photo at ``SIDE_PX``, transparency included."""
    target = folder / f"{photo.stem}.png"
    with Image.open(photo) as image:
        scale = SIDE_PX / max(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        image.convert("RGBA" if "A" in image.mode else "RGB").resize(size, Image.Resampling.LANCZOS).save(target)
    return target


def run_photo(photo: Path, folder: Path, source: Path | None = None) -> dict[str, Any]:
    """Make one photo in a process of its own, with the installed manymesh or with that of a ``src`` folder."""
    command = [
        sys.executable,
        "-m",
        "manymesh",
        "make",
        str(photo),
        "--engine",
        "lite",
        "--json",
        "--out",
        str(folder),
    ]
    start_s, start_cpu_s = time.perf_counter(), children_cpu_s()
    environment = os.environ if source is None else os.environ | {"PYTHONPATH": str(source)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, cpu_s = time.perf_counter() - start_s, children_cpu_s() - start_cpu_s
    (run,) = json.loads(done.stdout)["runs"]
    by_stage = {stage["stage"]: stage for stage in run["stages"]}
    return {
        "photo": photo.name,
        "objects": len(run["objects"]),
        "seconds": round(seconds, 2),
        "seconds_per_object": round(seconds / len(run["objects"]), 2),
        "cpu_s_per_object": round(cpu_s / len(run["objects"]), 2),
        "peak_mib": max(stage["host_peak_bytes"] for stage in run["stages"]) >> 20,
        **{name: round(by_stage[name]["wall_seconds"] / len(run["objects"]), 3) for name in by_stage},
    }


def rows_of(photo: Path, folder: Path, rounds: int, against: Path | None) -> dict[str, Any]:
    """The quickest of some rounds, with the quickest of the other checkout's beside it."""
    small = resized(photo, folder)
    mine, others = [], []
    for _ in range(rounds):
        mine.append(run_photo(small, folder))
        if against is not None:
            others.append(run_photo(small, folder, against))
    row: dict[str, Any] = min(mine, key=lambda one: one["seconds"]) | {"photo": photo.name}
    if others:
        other = min(others, key=lambda one: one["seconds"])
        ratios = {key: round(row[key] / other[key], 2) for key in ("seconds", "cpu_s_per_object")}
        row |= {"other_seconds": other["seconds"], "other_cpu_s_per_object": other["cpu_s_per_object"]}
        row |= {"ratio": ratios["seconds"], "cpu_ratio": ratios["cpu_s_per_object"]}
    return row


def children_cpu_s() -> float:
    """Processor seconds of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def best_of(count: int, command: list[str]) -> float:
    """The least wall seconds of a command: start-up time without the disk's first read."""
    times = []
    for _ in range(count):
        start_s = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - start_s)
    return round(min(times), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "photos", nargs="*", type=Path, default=sorted([*EXAMPLES.glob("*.jpg"), *EXAMPLES.glob("*.png")])
    )
    parser.add_argument("--rounds", type=int, default=1, help="of each photo; the quickest counts")
    parser.add_argument("--against", type=Path, help="the src folder of another checkout")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [rows_of(photo, Path(folder), given.rounds, given.against) for photo in given.photos]
    python = sys.executable
    start = {
        "import manymesh": best_of(5, [python, "-c", "import manymesh"]),
        "manymesh --help": best_of(5, [python, "-m", "manymesh", "--help"]),
        "manymesh make --help": best_of(5, [python, "-m", "manymesh", "make", "--help"]),
        "python alone": best_of(5, [python, "-c", "pass"]),
    }
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}\n")
    keys = list(rows[0])
    print("| " + " | ".join(keys) + " |\n|" + " --- |" * len(keys))
    for row in rows:
        print("| " + " | ".join(str(row[key]) for key in keys) + " |")
    print("\n| start | seconds (best of 5) |\n| --- | --- |")
    for name, seconds in start.items():
        print(f"| `{name}` | {seconds} |")
    if given.json:
        given.json.write_text(json.dumps({"rows": rows, "start": start}, indent=1))


if __name__ == "__main__":
    main()
