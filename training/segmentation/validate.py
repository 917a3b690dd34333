"""How well the segmentation network does on fixed scenes of shapes that never train."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.feed import VALIDATION_SEED
from training.log import Log
from training.render.shape_set import ShapeSet
from training.scenes.compose import Scenes, compose
from training.scenes.grounds import KINDS
from training.scenes.layout import MOST
from training.segmentation.holes import holes
from training.segmentation.network import CENTRE_LOGIT
from training.things import Things, view_weights

OFTEN = {"hoops": 3.0}
"""Families that are in scenes so many times as often as others: holes are what segmentation networks fill."""
HOLE_PX = 60
"""A scene with fewer pixels of holes says nothing about them."""
LEAST_SPOT = 0.25
"""A centre is counted from so strong a mark on. (The engine cuts a part for stronger ones only.)"""
LEAST_OBJECT_PX = 40
Table = dict[str, dict[str, float]]


def validation_scenes(things: Things, count: int, chunk: int, size: int, device: torch.device) -> list[Scenes]:
    """``count`` scenes in whole chunks, at least one."""
    shapes = ShapeSet(things.held_out, str(device))
    weights = torch.from_numpy(view_weights(shapes.families, OFTEN))
    return [compose(shapes, chunk, weights, VALIDATION_SEED + i, size) for i in range(max(1, count // chunk))]


def report(log: Log, network: torch.nn.Module, checks: list[Scenes], step: int) -> None:
    """Validate and log."""
    table = validate(network, checks)
    log.record("validation", step=step, kinds=table)
    log.say(f"validation at step {step}: " + "; ".join(_line(kind, row) for kind, row in table.items()))


@torch.no_grad()
def validate(network: torch.nn.Module, checks: list[Scenes]) -> Table:
    """By kind of background, see ``summary``."""
    found: dict[str, list[dict[str, float]]] = {}
    for scenes in checks:
        for kind, row in zip(scenes.kinds.tolist(), measured(network, scenes), strict=True):
            if row:
                found.setdefault(KINDS[kind], []).append(row)
    found["all"] = [row for rows in found.values() for row in rows]
    return {kind: summary(rows) for kind, rows in sorted(found.items()) if rows}


def measured(network: torch.nn.Module, scenes: Scenes) -> list[dict[str, float]]:
    """For each scene the mask's IoU, how much of the holes stays open (where there are any), and how many centres
    are marked too many or too few; nothing for a scene without things."""
    device = scenes.image.device
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        logits, middles = network(scenes.image)
    mask, truth = logits[:, 0] > 0, scenes.owner >= 0
    either = (mask | truth).sum((1, 2))
    iou = (mask & truth).sum((1, 2)) / either.clamp(min=1)
    opened = holes(scenes.owner)
    wide = opened.sum((1, 2))
    stays = (opened & ~mask).sum((1, 2)) / wide.clamp(min=1)
    off = (counted(middles.float()) - visible(scenes.owner)).abs()
    columns = (iou, stays, wide, off, truth.flatten(1).any(1))
    rows = []
    for one, kept_open, width, wrong, there in zip(*(c.tolist() for c in columns), strict=True):
        row = {"iou": one, "off": float(wrong)} | ({"open": kept_open} if width >= HOLE_PX else {})
        rows.append(row if there else {})
    return rows


def counted(middles: torch.Tensor) -> torch.Tensor:
    """(n,) int64: how many centres are marked."""
    spots = torch.sigmoid(middles[:, CENTRE_LOGIT : CENTRE_LOGIT + 1])
    highest = functional.max_pool2d(spots, 5, 1, 2)
    return ((spots == highest) & (spots > LEAST_SPOT)).flatten(1).sum(1)


def visible(owner: torch.Tensor) -> torch.Tensor:
    """(n,) int64: of how many objects more than a few pixels show."""
    sizes = torch.stack([(owner == number).sum((1, 2)) for number in range(MOST)])
    return (sizes >= LEAST_OBJECT_PX).sum(0)


def summary(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means: the mask's IoU, that of its worst tenth, the share of holes kept open, of scenes counted right."""
    ious = sorted(row["iou"] for row in rows)
    worst, opened = ious[: max(1, len(ious) // 10)], [row["open"] for row in rows if "open" in row]
    made = {"scenes": float(len(rows)), "iou": _mean(ious), "worst": _mean(worst)}
    made["counted"] = _mean([float(row["off"] == 0) for row in rows])
    return made | ({"open": _mean(opened), "with_openings": float(len(opened))} if opened else {})


def _line(kind: str, row: dict[str, float]) -> str:
    opened = f", open {row['open']:.3f}" if "open" in row else ""
    return f"{kind} {row['iou']:.4f} (worst {row['worst']:.2f}{opened}, counted {row['counted']:.2f})"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
