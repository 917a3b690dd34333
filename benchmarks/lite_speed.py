"""Seconds and memory of the `lite` engine, by stage, and the start-up times. Run it on an otherwise idle machine;
where that cannot be had, compare the processor's seconds alone.

    python benchmarks/lite_speed.py [PHOTO...] [--json FILE]

Photos are first resized to 1024 pixels on their longer side. Each is made in a fresh process, as a user would; the
wall seconds and peaks by stage are those of its manifest, the whole is measured from outside. Two objects are worked on
at once, so a stage's objects take more seconds together than the stage.
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
STAGES = ("load", "detect", "crop", "matte", "shape", "refine", "paint", "write", "finish")


def run_photo(photo: Path, folder: Path) -> dict[str, Any]:
    """Make one photo in a process of its own."""
    resized = folder / f"{photo.stem}.png"
    with Image.open(photo) as image:
        scale = SIDE_PX / max(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(resized)
    command = [
        sys.executable,
        "-m",
        "manymesh",
        "make",
        str(resized),
        "--engine",
        "lite",
        "--json",
        "--out",
        str(folder),
    ]
    start_s, start_cpu_s = time.perf_counter(), children_cpu_s()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
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
        **{name: round(by_stage[name]["wall_seconds"] / len(run["objects"]), 3) for name in STAGES},
    }


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
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [run_photo(photo, Path(folder)) for photo in given.photos]
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
