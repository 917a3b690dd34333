"""From a photo to GLBs with the full engine: seconds and memory of every stage, full size, random weights.

    python benchmarks/walk.py --out walk.json       # on CUDA: writes 19 GB of random checkpoints first, then walks
    python benchmarks/walk.py --tiny                # small networks on the CPU, to try the script
    python benchmarks/walk.py --brief               # full-size networks, next to no steps: minutes on a CPU

Checkpoints in the official layouts go to a temporary folder, and ``Pipeline`` is given that folder as ``weights_dir``.
Everything is in one process; each stage loads its models for its own turn. Answers of random networks are exchanged
for sane ones after the work is done (``walk_answers.py``). Numbers come from each run's manifest. One process cannot
load a library twice, so the first walk pays for kernels and workspaces: the cases say which they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from measuring import GIB, clean, machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from random_weights import write_checkpoints
from walk_answers import LABEL, exchanged, photo

CASES = ("1 textured", "3 textured", "3 shapes", "1 shapes", "1 textured again")
AIM_GIB = 5.0
BRIEF = {
    "detector_tokens": 16,
    "steps": 3,
    "grid": 40,
    "faces": 1000,
    "paint_steps": 2,
    "delight_steps": 2,
    "paint_view_size": 64,
}
BRIEF |= {"render_size": 256, "texture_size": 128}


def walk(case: str, weights: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One photo through the pipeline; the manifest's numbers."""
    from manymesh.events import Event
    from manymesh.pipeline import Pipeline
    from manymesh.settings import Settings

    count, textured = int(case.split()[0]), "textured" in case
    picture, boxes = photo(count, *((256, 192) if options.brief else (1024, 768)))
    path = folder / f"{case.replace(' ', '-')}.png"
    picture.save(path)
    wishes: dict[str, Any] = {"texture_size": options.texture_size, "detector_tokens": options.tokens}
    settings = Settings(
        prompt=LABEL,
        engine="hunyuan",
        texture=textured,
        weights_dir=weights,
        shape_precision=options.precision,
        paint_precision=options.precision,
        devices=("cuda",) if torch.cuda.is_available() and not options.tiny else ("cpu",),
        **(BRIEF if options.brief else wishes),
    )
    left: dict[str, float] = {}

    def hear(event: Event) -> None:
        if event.kind == "stage-done" and torch.cuda.is_available():
            left[event.stage] = torch.cuda.memory_allocated() / GIB

    clean()
    start = time.perf_counter()
    with exchanged(boxes):
        (run,) = Pipeline(settings, on_event=hear).make([path], folder / "runs")
    seconds = time.perf_counter() - start
    return report_of(run, case, seconds, left)


def report_of(run: Any, case: str, seconds: float, left: dict[str, float]) -> dict[str, Any]:
    """What one run's manifest says, as plain data."""
    manifest = run.manifest
    stages = {}
    for record in manifest.stages:
        stages[record.stage] = {
            "seconds": record.wall_seconds,
            "load_seconds": record.load_seconds,
            "allocated_gib": None if record.device_peak_bytes is None else record.device_peak_bytes / GIB,
            "reserved_gib": None if record.device_reserved_bytes is None else record.device_reserved_bytes / GIB,
            "host_gib": record.host_peak_bytes / GIB,
            "left_gib": left.get(record.stage),
        }
    files = {record.id: (run.folder / file.path).stat().st_size for record, file in _models(manifest)}
    failed = [f"{record.id}: {record.error.message}" for record in manifest.objects if record.error is not None]
    failed += [manifest.error.message] if manifest.error is not None else []
    return {
        "case": case,
        "state": manifest.state,
        "seconds": seconds,
        "objects": len(manifest.objects),
        "allocated_gib": max((row["allocated_gib"] or 0.0 for row in stages.values()), default=0.0),
        "reserved_gib": max((row["reserved_gib"] or 0.0 for row in stages.values()), default=0.0),
        "stages": stages,
        "faces": [record.facts.get("faces") for record in manifest.objects],
        "object_seconds": {record.id: record.seconds for record in manifest.objects},
        "paint": {record.id: record.facts.get("paint") for record in manifest.objects},
        "file_bytes": files,
        "warnings": [*manifest.warnings, *(f"{r.id}: {w}" for r in manifest.objects for w in r.warnings)],
        "failed": failed,
        "folder": str(run.folder),
    }


def _models(manifest: Any) -> list[tuple[Any, Any]]:
    found = []
    for record in manifest.objects:
        role = "model" if "model" in record.files else "mesh"
        if role in record.files:
            found.append((record, record.files[role]))
    return found


def markdown(report: dict[str, Any]) -> str:
    """A table of seconds and one of memory, a column for each case."""
    facts = report["machine"]
    what = ", ".join(f"{key} {facts[key]}" for key in ("gpu", "torch", "transformers") if key in facts)
    cases = [row for row in report["cases"] if "stages" in row]
    order = list(dict.fromkeys(stage for row in cases for stage in row["stages"]))
    lines = [f"{what}. **Random weights**, {report['settings']}.", ""]
    for title, key, digits in (("seconds", "seconds", 2), ("GiB allocated (reserved)", "allocated_gib", 2)):
        lines += [f"| {title} | " + " | ".join(row["case"] for row in cases) + " |"]
        lines += ["| --- |" + " --- |" * len(cases)]
        for stage in [*order, "whole walk"]:
            cells = []
            for row in cases:
                numbers = row if stage == "whole walk" else row["stages"].get(stage)
                if numbers is None or numbers[key] is None:
                    cells.append("")
                    continue
                more = f" ({numbers['reserved_gib']:.{digits}f})" if key == "allocated_gib" else ""
                cells.append(f"{numbers[key]:.{digits}f}{more}")
            lines.append(f"| {stage} | " + " | ".join(cells) + " |")
        lines.append("")
    most = max((row["allocated_gib"] for row in cases), default=float("nan"))
    lines.append(f"Highest allocated: {most:.2f} GiB (aim: under {AIM_GIB:.0f}).")
    return "\n".join(lines)


def keep(folder: Path, row: dict[str, Any]) -> None:
    """The contact sheet and the manifest of a walk, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("sheet.png", "run.json"):
        source = Path(row["folder"]) / name
        if source.is_file():
            (folder / f"{row['case'].replace(' ', '-')}-{name}").write_bytes(source.read_bytes())


def described(options: argparse.Namespace) -> str:
    if options.brief:
        return "next to no work, to try the script"
    return (
        f"full size: Qwen3-VL-2B bfloat16 ({options.tokens} tokens), BiRefNet, 2mini (50 steps, grid 384) and Paint "
        f"(6 views at 512, 30 steps, 50 delight steps) float16; 40,000 faces, texture {options.texture_size}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--brief", action="store_true", help="next to no steps, small pictures; --tiny has this too")
    parser.add_argument("--precision", default="auto", help="of shape and paint networks: auto, float16, float32")
    parser.add_argument("--out", type=Path, help="write the numbers here as JSON, and the tables beside them as .md")
    parser.add_argument("--keep", type=Path, help="put the contact sheet and manifest of the largest walk here")
    parser.add_argument("--cases", default=",".join(CASES), help="which walks, with commas between")
    parser.add_argument("--tokens", type=int, default=256, help="new tokens that the detector decodes")
    parser.add_argument("--texture-size", type=int, default=2048)
    parser.add_argument("--limit", type=float, default=1e9, help="begin no further walk after so many seconds")
    options = parser.parse_args()
    options.brief |= options.tiny
    if not options.brief and not torch.cuda.is_available():
        sys.exit("no CUDA device: use --tiny to try the script on the CPU")
    began = time.perf_counter()
    device = torch.device("cpu" if options.tiny or not torch.cuda.is_available() else "cuda")
    report: dict[str, Any] = {"machine": machine(device), "cases": []}
    report["settings"] = described(options)
    with tempfile.TemporaryDirectory(prefix="manymesh-walk-") as name:
        folder = Path(name)
        report["checkpoints_in"] = str(folder.parent)
        # The converted twin of the painter's pickle, and notes about it, belong with the rest.
        os.environ["XDG_CACHE_HOME"] = os.environ["MANYMESH_CONFIG"] = str(folder / "cache")
        report["checkpoints"] = write_checkpoints(folder / "weights", device, tiny=options.tiny)
        for model, row in report["checkpoints"].items():
            print(f"{model}: {row['gigabytes']:.2f} GB written in {row['seconds']:.1f} s", flush=True)
        for case in (part.strip() for part in options.cases.split(",")):
            if time.perf_counter() - began > options.limit:
                report["cases"].append({"case": case, "skipped": f"over the limit of {options.limit:.0f} s"})
                continue
            row = walk(case, folder / "weights", folder, options)
            report["cases"].append(row)
            print(f"{case}: {row['state']} in {row['seconds']:.1f} s, {row['allocated_gib']:.2f} GiB", flush=True)
            for text in (*row["failed"], *row["warnings"]):
                print(f"  {text}", flush=True)
            if options.keep and case == "3 textured":
                keep(options.keep, row)
            if options.out:
                options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
                options.out.with_suffix(".md").write_text(markdown(report) + "\n", "utf-8")
    print("\n" + markdown(report))
    print(f"\nall of it: {time.perf_counter() - began:.0f} s")
    return int(any(row.get("failed") or row.get("state") == "failed" for row in report["cases"]))


if __name__ == "__main__":
    sys.exit(main())
