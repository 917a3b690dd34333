"""A run's log as an entry of RUNS.md.

python -m training.report RUN_FOLDER >> training/RUNS.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from training.log import read

CURVE_ROWS = 14
SHOWN = {
    "iou": "IoU at 0.4",
    "front_l1": "front L1",
    "back_l1": "back L1",
    "elevation_degrees": "elevation °",
    "elevation_median": "median °",
    "elevation_spread": "(error/σ)²",
    "azimuth_degrees": "azimuth °",
    "azimuth_near": "within 20°",
    "centre_l1": "centre L1",
    "symmetry_right": "symmetry",
}
TERMS_SHOWN = ("occupancy", "dice", "hit", "front_depth", "back_depth", "elevation", "azimuth")


def entry(records: list[dict[str, Any]]) -> str:
    """Markdown: settings, what it took, the curve, the last validation, and room for a verdict. ValueError: no run."""
    starts = [record for record in records if record["event"] == "start"]
    if not starts:
        raise ValueError("the log holds no start of a run")
    plan, first = starts[0]["plan"], starts[0]
    parts = [f"## {plan['run']}", "", *settings(plan, first, len(starts)), "", *shapes(records)]
    steps = [record for record in records if record["event"] == "step"]
    if steps:
        parts += [speed(steps[-1]), "", *curve(steps), ""]
    validations = [record for record in records if record["event"] == "validation"]
    if validations:
        parts += [*validation_curve(validations), "", *validation_table(validations[-1]), ""]
    ends = [record for record in records if record["event"] == "end"]
    parts.append(f"Ended at step {ends[-1]['step']:,} after {ends[-1]['used_s']:,.0f} s." if ends else "Did not end.")
    parts += ["", "**Verdict:** (write here what this run teaches)", ""]
    return "\n".join(parts)


def settings(plan: dict[str, Any], first: dict[str, Any], calls: int) -> list[str]:
    weights = ", ".join(f"{name} {value:g}" for name, value in plan["weights"].items())
    size = ", ".join(f"{name} {value}" for name, value in plan["size"].items())
    return [
        f"- Machine: {first['machine']}, torch {first['torch']}; {calls} call(s)",
        f"- {first['parameters']:,} parameters: {size}",
        f"- {plan['minutes']:g} minutes, batch {plan['batch']} for each of {first['ranks']} ranks, seed {plan['seed']}",
        f"- Peak rate {plan['peak']:g} x sqrt(ranks), warm-up {plan['warm_up']} steps, decay {plan['weight_decay']:g}",
        f"- Loss weights: {weights}",
    ]


def shapes(records: list[dict[str, Any]]) -> list[str]:
    found = [record for record in records if record["event"] == "shapes"]
    return [f"- Shapes: {found[0]['train']:,} to train on, {found[0]['held_out']:,} held out", ""] if found else []


def speed(last: dict[str, Any]) -> str:
    split = ", ".join(f"{name} {ms:.1f}" for name, ms in last["ms"].items())
    return f"- Milliseconds a step at the end: {split}; peak memory {last['memory_gib']:.1f} GiB a GPU"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def curve(steps: list[dict[str, Any]]) -> list[str]:
    rows = [
        [f"{s['step']:,}", f"{s['used_s']:.0f}", f"{s['loss']:.3f}", *(f"{s['terms'][n]:.3f}" for n in TERMS_SHOWN)]
        for s in spread(steps)
    ]
    return table(["step", "s", "loss", *TERMS_SHOWN], rows)


def validation_curve(validations: list[dict[str, Any]]) -> list[str]:
    names = sorted({name for record in validations for name in groups(record["families"])})
    rows = []
    for record in spread(validations):
        found = groups(record["families"])
        cells = [f"{found[n]['iou']:.3f} / {found[n]['elevation_degrees']:.1f}" if n in found else "" for n in names]
        rows.append([f"{record['step']:,}", f"{record['used_s']:.0f}", *cells])
    return table(["step", "s", *(f"{name}: IoU / elevation °" for name in names)], rows)


def groups(families: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Families gathered: "all", each catalogue family, and "own" for the mean over all generated views."""
    found = {name: row for name, row in families.items() if not name.startswith("own/")}
    own = [row for name, row in families.items() if name.startswith("own/")]
    if own:
        views = sum(row["views"] for row in own)
        found["own"] = {k: sum(row[k] * row["views"] for row in own) / views for k in ("iou", "elevation_degrees")}
    return found


def validation_table(last: dict[str, Any]) -> list[str]:
    rows = [
        [name, str(int(row["views"])), *(f"{row[key]:.3f}" if key in row else "" for key in SHOWN)]
        for name, row in last["families"].items()
    ]
    return [f"Validation at step {last['step']:,}:", "", *table(["family", "views", *SHOWN.values()], rows)]


def spread(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most CURVE_ROWS of them, evenly, the first and the last among them."""
    if len(records) <= CURVE_ROWS:
        return records
    return [records[round(i * (len(records) - 1) / (CURVE_ROWS - 1))] for i in range(CURVE_ROWS)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run's folder")
    sys.stdout.write(entry(read(parser.parse_args(arguments).run)))


if __name__ == "__main__":
    main()
