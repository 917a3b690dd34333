"""Instruments with keys and bars; the player sits or stands towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, brass, bright, dark, pick, steel, white, wood
from training.families.parts import Paint, both, box, ellipsoid, extrude, lathe, moved, rod, tube, turned
from training.shapes import Part


def keys(rng: Rng, width: float, count: int, at: tuple[float, float, float], deep: float) -> list[Part]:
    """White and black piano keys, their fronts towards +Z."""
    x, y, z = at
    step = width / count
    parts = [
        box(white(rng, "key"), (step * 0.94, 2, deep), (x + (i - (count - 1) / 2) * step, y, z), bevel=0.2)
        for i in range(count)
    ]
    black = dark(rng, "black key")
    return parts + [
        box(black, (step * 0.56, 2, deep * 0.62), (x + (i - count / 2 + 1) * step, y + 1.4, z - 0.19 * deep), bevel=0.3)
        for i in range(count - 1)
        if i % 7 not in (2, 6)
    ]


def piano(rng: Rng) -> list[Part]:
    """An upright piano, often with a stool."""
    paint, metal = pick(rng, (dark, wood, white))(rng, "wood"), brass(rng)
    w, high = rng.uniform(120, 150), rng.uniform(100, 125)
    parts = [
        box(paint, (w, high, 30), (0, high / 2, -22), bevel=0.8),
        box(paint, (w + 3, 3.6, 35), (0, high + 1.6, -21), bevel=0.8),
        box(paint, (w, 6, 30), (0, 62, 6), bevel=0.6),
    ]
    parts += (
        keys(rng, w - 14, 22, (0, 66, 12), 15)
        + both(box(paint, (5, 12, 32), (w / 2 - 2.5, 66, 6), bevel=0.8))
        + both(box(paint, (6, 62, 6), (w / 2 - 5, 31, 18), bevel=0.8))
    )
    parts += [
        box(paint, (w * 0.84, high * 0.22, 2), (0, high * 0.82, -6.4), bevel=0.6),
        box(paint, (w * 0.84, 40, 2), (0, 30, -6.4), bevel=0.6),
        turned(box(paint, (46, 20, 1.6), (0, 82, -2)), -14, "x", (0, 74, -2)),
        *(box(metal, (3, 1.4, 9), (x, 5, -3), bevel=0.4) for x in (-7, 0, 7)),
    ]
    if rng.random() < 0.5:
        parts += [
            box(dark(rng, "seat"), (52, 8, 28), (0, 44, 60), bevel=2),
            *(p for z in (50, 70) for p in both(rod(paint, (22, 0, z), (22, 42, z), 2.4))),
        ]
    return parts


def grand_piano(rng: Rng) -> list[Part]:
    """A grand piano with its lid up; the keys towards +Z."""
    paint, metal = pick(rng, (dark, dark, white, wood))(rng, "wood"), brass(rng)
    plan = curve([(-70, -60), (-70, -110), (-50, -142), (-22, -140), (0, -100), (30, -66), (66, -50), (70, -30)], 3)
    outline = np.concatenate([[(70, 0), (-70, 0)], plan])
    parts = [
        extrude(paint, outline, 28, (0, 76, 0), "y", bevel=0.8),
        extrude(metal, outline * 0.93 + (0, -4), 1, (0, 90.4, 0), "y"),
        box(paint, (140, 8, 22), (0, 68, 10), bevel=0.8),
        *keys(rng, 122, 22, (0, 74, 11), 15),
        *both(box(paint, (8, 16, 24), (66, 74, 9), bevel=1)),
    ]
    lid = turned(extrude(paint, outline, 2.4, (0, 91, 0), "y"), rng.uniform(25, 42), "z", (-70, 91, 0))
    parts += [
        lid,
        rod(paint, (58, 88, -40), (40, 150, -46), 1.2, sides=6),
        turned(box(paint, (60, 22, 1.6), (0, 102, -10)), -16, "x", (0, 92, -10)),
    ]
    leg = lathe(paint, [(4, 0), (3, 6), (5, 40), (6.4, 62)], sides=12)
    return [
        *parts,
        *(moved(leg, at) for at in ((58, 0, 0), (-58, 0, 0), (-40, 0, -116))),
        box(paint, (14, 4, 8), (0, 14, -10)),
        *both(rod(paint, (6, 14, -10), (6, 62, -10), 1.2, sides=8)),
    ]


def keyboard(rng: Rng) -> list[Part]:
    """An electric keyboard on an X stand, or bare."""
    paint, metal = dark(rng, "case"), pick(rng, (dark, steel))(rng, "stand")
    w = rng.uniform(80, 130)
    parts = [
        box(paint, (w, 7, 30), (0, 0, 0), bevel=1),
        *keys(rng, w - 10, 21, (0, 4, 7), 14),
        box(Paint((70, 110, 140), "screen"), (16, 0.8, 6), (0, 3.7, -8)),
        *(rod(metal, (x, 3, -8), (x, 4.6, -8), 1.6) for x in np.linspace(-0.4, 0.4, 7) * w if abs(x) > 10),
    ]
    if rng.random() < 0.6:
        parts = (
            moved(parts, (0, 80, 0))
            + [rod(metal, (s * 36, 2, z), (-s * 36, 76, z), 2, sides=8) for s in (-1, 1) for z in (-9, 9)]
            + [rod(metal, (s * 36, y, -14), (s * 36, y, 14), 2, sides=8) for s in (-1, 1) for y in (2, 76)]
        )
    return parts


def accordion(rng: Rng) -> list[Part]:
    """An accordion with bellows and keys."""
    paint, folds = bright(rng, "case"), dark(rng, "bellows")
    gap, count = rng.uniform(10, 24), 9
    parts = [
        box(paint, (12, 38, 18), (gap / 2 + 6, 0, 0), bevel=1.6),
        box(paint, (10, 38, 18), (-gap / 2 - 5, 0, 0), bevel=1.6),
        *(
            box(folds, (gap / count * 0.8, 36, 17), (x * gap, 0, 0), bevel=gap / count * 0.35)
            for x in np.linspace(-0.46, 0.46, count)
        ),
    ]
    parts += [box(white(rng, "key"), (5, 2.2, 1.4), (gap / 2 + 13, y, 5), bevel=0.2) for y in np.linspace(-16, 16, 13)]
    return parts + [
        ellipsoid(white(rng, "button"), (0.8, 0.8, 0.6), (-gap / 2 - 7 + 2.4 * x, y, 9.2), 6, rings=3)
        for x in (0, 1)
        for y in np.linspace(-14, 14, 8)
    ]


def xylophone(rng: Rng) -> list[Part]:
    """A xylophone with two mallets."""
    frame_paint, count = wood(rng), int(rng.integers(8, 13))
    parts = []
    for i in range(count):
        deep = 30 - 14 * i / count
        parts.append(box(bright(rng, f"bar{i % 3}"), (4.2, 1.4, deep), ((i - (count - 1) / 2) * 5, 5, 0), bevel=0.3))
    half = count * 2.5 + 2
    parts += [tube(frame_paint, [(-half, 3, s * 9.5), (half, 3, s * 5.0)], 1.4, 6, steps=1) for s in (-1, 1)] + [
        box(frame_paint, (3, 4, 24), (-half, 2, 0)),
        box(frame_paint, (3, 4, 14), (half, 2, 0)),
    ]
    for s in (-1, 1):
        parts += [
            rod(frame_paint, (s * 6 - 8, 7, 14), (s * 6 + 6, 8, -2), 0.5, sides=8),
            ellipsoid(dark(rng, "ball"), (1.5, 1.5, 1.5), (s * 6 + 6, 8, -2), 10),
        ]
    return parts
