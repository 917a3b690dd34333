"""The full engine on cards of several sizes: predicted against measured, full size, random weights, hard caps.

    python benchmarks/budget.py --out budget.json                     # on CUDA: writes 19 GB of checkpoints first
    python benchmarks/budget.py --cases 4:1:textured,24:8:shapes      # some of the cases
    python benchmarks/budget.py --tiny --cases 0:1:textured           # small networks on the CPU, to try the script

A case is SIZE:OBJECTS:textured or shapes, and perhaps :warm. SIZE is the card's in GB: PyTorch may take that less 0.8
GiB and no more, so a job that needs more dies. 0 is the machine's own card, without a cap: the outputs of the other
cases are compared with that one's. :warm makes the same photo a second time in the same process.

Each case is a process of its own. Checkpoints stay in ``--folder`` for the next call. The numbers are written after
each case, so a call that is cut off still tells. Answers of random networks are exchanged as in ``walk.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

GIB = 2.0**30
# Of a card's memory, what is not PyTorch's.
MARGIN_GIB = 0.8
# The most telling first.
CASES = (
    "0:1:textured,4:1:textured,0:8:textured,4:8:textured,24:8:textured:warm,24:1:textured:warm,4:1:shapes,"
    "24:1:shapes,6:1:textured,8:1:textured,12:1:textured,16:1:textured,4:8:shapes,24:8:shapes,6:8:textured,"
    "8:8:textured,6:1:shapes,8:1:shapes,12:8:textured,16:8:textured"
)
MODEL_STAGES = ("detect", "matte", "shape", "paint")


def child(options: argparse.Namespace) -> None:
    """One case in this process; its numbers go to ``options.result`` as JSON."""
    began = time.perf_counter()
    row: dict[str, Any] = {"case": options.case}
    try:
        row |= measured(options)
    except Exception as error:  # noqa: BLE001 - reported, and the other cases go on
        row |= {"error": f"{type(error).__name__}: {error}"[:600], "where": traceback.format_exc()[-2500:]}
    row["process_s"] = time.perf_counter() - began
    options.result.write_text(json.dumps(row), "utf-8")


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The case's walks, the planner's prediction, and what the card really gave."""
    import torch
    from walk import BRIEF, report_of
    from walk_answers import LABEL, exchanged, photo

    from manymesh.engines import stages_of
    from manymesh.pipeline import Pipeline
    from manymesh.plan.machine import plan_for
    from manymesh.settings import Settings

    size, count, kind, warm = parsed(options.case)
    on_cuda = torch.cuda.is_available() and not options.tiny
    if on_cuda and size:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((size - MARGIN_GIB) * GIB / total)
    picture, boxes = photo(count, *((256, 192) if options.tiny else (1024, 768)))
    path = options.folder / f"photo-{count}.png"
    picture.save(path)
    settings = Settings(
        prompt=LABEL,
        engine="hunyuan",
        texture=kind == "textured",
        weights_dir=options.folder / "weights",
        vram=f"{size:g}G" if size else None,
        devices=("cuda",) if on_cuda else ("cpu",),
        **(BRIEF if options.tiny else {"texture_size": 2048, "detector_tokens": 256}),
        **json.loads(options.settings),
    )
    stages = stages_of("hunyuan", settings)
    plan = plan_for(stages, settings, objects=count)
    row: dict[str, Any] = {"plan": plan.to_json(), "imports_s": time.perf_counter() - options.began, "walks": []}
    for number in range(2 if warm else 1):
        tokens: list[Any] = []
        start = time.perf_counter()
        with exchanged(boxes), listening(tokens), profiled(options, number):
            (run,) = Pipeline(settings).make([path], options.folder / "runs" / options.case.replace(":", "-"))
        row["walks"].append(report_of(run, options.case, time.perf_counter() - start, {}) | {"tokens": tokens})
        row["walks"][-1]["records"] = [record.model_dump(mode="json") for record in run.manifest.stages]
    return row


def listening(tokens: list[Any]) -> Any:
    """Notes the tokens that the detector decodes."""
    from unittest import mock

    from manymesh.detect.qwen import model as detect

    class Listening(detect.Decoder):  # type: ignore[misc, name-defined]
        def run(self, *args: Any, **kwargs: Any) -> Any:
            answer = super().run(*args, **kwargs)
            tokens.append(list(answer.tokens))
            return answer

    return mock.patch.object(detect, "Decoder", Listening)


class profiled:  # noqa: N801 - reads as a function
    """Writes the functions that took longest beside the result, where ``--profile`` asks for it."""

    def __init__(self, options: argparse.Namespace, number: int) -> None:
        self.path = options.result.with_name(f"profile-{options.case.replace(':', '-')}-{number}.txt")
        self.on = options.profile

    def __enter__(self) -> None:
        if self.on:
            import cProfile

            self.profile = cProfile.Profile()
            self.profile.enable()

    def __exit__(self, *_: object) -> None:
        if self.on:
            import pstats

            self.profile.disable()
            with self.path.open("w", encoding="utf-8") as file:
                for order in ("tottime", "cumulative"):
                    pstats.Stats(self.profile, stream=file).sort_stats(order).print_stats(60)


def parsed(case: str) -> tuple[float, int, str, bool]:
    """Card in GB (0: no cap), objects, "textured" or "shapes", whether it is made twice."""
    parts = case.split(":")
    if len(parts) not in (3, 4) or parts[2] not in ("textured", "shapes") or parts[3:] not in ([], ["warm"]):
        sys.exit(f"'{case}' is no case: write SIZE:OBJECTS:textured or shapes, and perhaps :warm")
    return float(parts[0]), int(parts[1]), parts[2], len(parts) == 4


def run_case(case: str, options: argparse.Namespace) -> dict[str, Any]:
    """The case in a process of its own, which may die or hang."""
    result = options.folder / f"result-{case.replace(':', '-')}.json"
    result.unlink(missing_ok=True)
    command = [sys.executable, str(Path(__file__).resolve()), "--case", case, "--result", str(result)]
    command += ["--folder", str(options.folder), "--settings", options.settings]
    command += ["--tiny"] * options.tiny + ["--profile"] * options.profile
    start = time.perf_counter()
    row: dict[str, Any] = {"case": case}
    try:
        done = subprocess.run(command, timeout=options.case_limit, capture_output=True, text=True, check=False)
        if result.is_file():
            row = json.loads(result.read_text("utf-8"))
        else:
            row["error"] = f"died with {done.returncode}: {done.stderr[-1500:]}"
    except subprocess.TimeoutExpired:
        row["error"] = f"over {options.case_limit:.0f} s"
    row["all_s"] = time.perf_counter() - start
    return row


def summed(row: dict[str, Any], first: dict[str, Any] | None) -> dict[str, Any]:
    """A case's row with what people read first: predicted against measured, and the difference from the first case."""
    if "walks" not in row:
        return row
    planned = {stage["stage"]: stage for stage in row["plan"]["stages"]}
    for walk in row["walks"]:
        lines = {}
        for record in walk["records"]:
            name, plan = record["stage"], planned.get(record["stage"])
            line: dict[str, Any] = {"seconds": record["wall_seconds"], "load_s": record["load_seconds"]}
            line |= {"weights_s": record["weights_seconds"], "moved_gib": record["moved_bytes"] / GIB}
            if plan is not None and record["device_peak_bytes"] is not None:
                line |= {"level": record["level"], "planned_level": plan["level"]}
                for what, key in (("allocated", "device_peak_bytes"), ("reserved", "device_reserved_bytes")):
                    line[f"{what}_gib"] = record[key] / GIB
                    line[f"planned_{what}_gib"] = plan[f"{what}_bytes"] / GIB
                    line[f"{what}_over_planned"] = record[key] / max(plan[f"{what}_bytes"], 1)
            lines[name] = line
        walk["by_stage"] = lines
    if first is not None and "walks" in first:
        try:
            row["difference"] = difference(first["walks"][0], row["walks"][0])
        except Exception as error:  # noqa: BLE001 - the numbers before it stay
            row["difference"] = {"error": f"{type(error).__name__}: {error}"[:300]}
    return row


def difference(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The largest differences between two runs' objects: of positions (the box is 2 wide) and of colours (of 255)."""
    import numpy as np
    import trimesh

    found: dict[str, Any] = {"tokens_equal": one["tokens"] == other["tokens"], "objects": 0}
    if not found["tokens_equal"] and one["tokens"] and other["tokens"]:
        pairs = zip(one["tokens"][0], other["tokens"][0], strict=False)
        found["tokens_equal_until"] = next((at for at, (a, b) in enumerate(pairs) if a != b), -1)
    positions, colours, means, counts_equal = [0.0], [0.0], [0.0], True
    for folder in sorted((Path(one["folder"]) / "objects").iterdir()):
        beside = Path(other["folder"]) / "objects" / folder.name
        name = "model.glb" if (folder / "model.glb").is_file() and (beside / "model.glb").is_file() else "mesh.glb"
        a, b = (trimesh.load(path / name, force="mesh", process=False) for path in (folder, beside))
        found["objects"] += 1
        if a.vertices.shape != b.vertices.shape:
            counts_equal = False
            continue
        positions.append(float(np.abs(a.vertices - b.vertices).max()))
        if name == "model.glb":
            p, q = (np.asarray(m.visual.material.baseColorTexture.convert("RGB"), np.int16) for m in (a, b))
            colours.append(float(np.abs(p - q).max()))
            means.append(float(np.abs(p - q).mean()))
    found |= {"position": max(positions), "colour": max(colours), "colour_mean": max(means)}
    return found | {"counts_equal": counts_equal}


def table(report: dict[str, Any]) -> str:
    """One line a walk, then predicted and measured by stage."""
    lines = [
        "",
        "| case | s | detect (load) | matte | shape | refine | paint | write, finish | GiB allocated / reserved |",
    ]
    lines += ["| --- " * 9 + "|"]
    peaks = ["", "| case | stage | level | allocated: planned, measured | reserved: planned, measured | moved GiB |"]
    peaks += ["| --- " * 6 + "|"]
    for row in report["cases"]:
        if "walks" not in row:
            lines.append(f"| {row['case']} | {row.get('error', '')[:300]} |")
            continue
        for number, walk in enumerate(row["walks"]):
            by = walk["by_stage"]
            cells = [f"{by['detect']['seconds']:.1f} ({by['detect']['load_s']:.1f})" if "detect" in by else ""]
            cells += [
                f"{by[name]['seconds']:.1f}" if name in by else "" for name in ("matte", "shape", "refine", "paint")
            ]
            cells.append(f"{sum(by[name]['seconds'] for name in ('write', 'finish') if name in by):.1f}")
            name = f"{row['case']}{' again' * number}"
            lines.append(
                f"| {name} | {walk['seconds']:.1f} | {' | '.join(cells)} | {walk['allocated_gib']:.2f} / "
                f"{walk['reserved_gib']:.2f} |{'' if walk['state'] == 'done' else ' ' + walk['state']}"
            )
            lines += [f"  {text[:300]}" for text in (*walk["failed"], *walk["warnings"])]
            for stage in (stage for stage in MODEL_STAGES if "level" in by.get(stage, {})):
                s = by[stage]
                peaks.append(
                    f"| {name} | {stage} | {s['level']} | {s['planned_allocated_gib']:.2f}, {s['allocated_gib']:.2f} | "
                    f"{s['planned_reserved_gib']:.2f}, {s['reserved_gib']:.2f} | {s['moved_gib']:.1f} |"
                )
        if "difference" in row:
            lines.append(f"  against the run without a cap: {row['difference']}")
    return "\n".join(lines + peaks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--cases", default=CASES, help="with commas between")
    parser.add_argument("--folder", type=Path, help="for checkpoints and runs; kept, and used again")
    parser.add_argument("--out", type=Path, help="write the numbers here as JSON, the tables beside them as .md")
    parser.add_argument("--limit", type=float, default=560, help="begin no further case after so many seconds")
    parser.add_argument("--case-limit", type=float, default=200, help="seconds for one case")
    parser.add_argument("--settings", default="{}", help="more settings, as JSON")
    parser.add_argument("--profile", action="store_true", help="profile each case; profiles go beside --out")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.began = began = time.perf_counter()
    options.folder = options.folder or Path(tempfile.gettempdir()) / "manymesh-budget"
    options.folder.mkdir(parents=True, exist_ok=True)
    # The converted twin of the painter's pickle, and what is remembered of the device, belong with the rest.
    os.environ["XDG_CACHE_HOME"] = os.environ["MANYMESH_CONFIG"] = str(options.folder / "cache")
    if options.case:
        child(options)
        return 0
    for case in options.cases.split(","):
        parsed(case.strip())
    report: dict[str, Any] = {"settings": options.settings, "cases": []}
    report["checkpoints"] = checkpoints(options)
    first: dict[str, dict[str, Any]] = {}
    for case in (part.strip() for part in options.cases.split(",")):
        if time.perf_counter() - began > options.limit:
            report["cases"].append({"case": case, "error": f"not begun: over the limit of {options.limit:.0f} s"})
            continue
        size, *job = parsed(case)
        kept = options.folder / f"first-{job[0]}-{job[1]}.json"
        if str(job[:2]) not in first and kept.is_file():  # of an earlier call in the same folder
            first[str(job[:2])] = json.loads(kept.read_text("utf-8"))
        row = summed(run_case(case, options), first.get(str(job[:2])))
        if not size and "walks" in row:
            first[str(job[:2])] = row
            kept.write_text(json.dumps(row), "utf-8")
        report["cases"].append(row)
        text = f"{time.perf_counter() - began:.0f} s: {case}: "
        text += (
            row.get("error", "") or f"{row['walks'][0]['state']} in {[round(w['seconds'], 1) for w in row['walks']]}"
        )
        print(text[:1500], flush=True)
        if options.out:
            options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
            options.out.with_suffix(".md").write_text(table(report) + "\n", "utf-8")
            for profile in options.folder.glob("profile-*.txt"):
                (options.out.parent / profile.name).write_bytes(profile.read_bytes()[:400_000])
    print(table(report))
    print(f"\nall of it: {time.perf_counter() - began:.0f} s")
    return int(any("error" in row for row in report["cases"]))


def checkpoints(options: argparse.Namespace) -> dict[str, Any]:
    """Write them where an earlier call has not; what was written."""
    marker = options.folder / "checkpoints.json"
    if marker.is_file():
        return dict(json.loads(marker.read_text("utf-8")))
    import shutil

    import torch
    from measuring import machine
    from random_weights import write_checkpoints

    device = torch.device("cpu" if options.tiny or not torch.cuda.is_available() else "cuda")
    if device.type == "cpu" and not options.tiny:
        sys.exit("no CUDA device: use --tiny to try the script on the CPU")
    shutil.rmtree(options.folder / "weights", ignore_errors=True)
    facts: dict[str, Any] = {"machine": machine(device)}
    facts["models"] = write_checkpoints(options.folder / "weights", device, tiny=options.tiny)
    for model, row in facts["models"].items():
        print(f"{model}: {row['gigabytes']:.2f} GB written in {row['seconds']:.1f} s", flush=True)
    marker.write_text(json.dumps(facts), "utf-8")
    return facts


if __name__ == "__main__":
    sys.exit(main())
