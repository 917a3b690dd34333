"""Kitchen and bathroom fittings, fireplaces, mirrors and screens."""

from __future__ import annotations

import numpy as np

from training.families.furniture.joinery import front_panel, handle, table_legs
from training.families.outlines import oval, rectangle
from training.families.paints import Rng, brass, cloth, cream, dark, glass, muted, pick, steel, stone, white, wood
from training.families.parts import Paint, both, box, ellipsoid, extrude, frame, moved, rod, sheet, torus, tube, turned
from training.shapes import Part


def fireplace(rng: Rng) -> list[Part]:
    """A mantel round an opening with logs, or an iron stove with a pipe."""
    if rng.random() < 0.3:
        return iron_stove(rng)
    paint, inside = pick(rng, (stone, white, cream, wood))(rng, "stone"), dark(rng, "soot")
    width, high, depth = rng.uniform(110, 160), rng.uniform(95, 125), rng.uniform(28, 45)
    leg, beam = rng.uniform(18, 32), rng.uniform(18, 34)
    parts = both(box(paint, (leg, high, depth), (width / 2 - leg / 2, high / 2, 0), bevel=1.5))
    parts.append(box(paint, (width, beam, depth), (0, high - beam / 2, 0), bevel=1.5))
    parts.append(box(inside, (width - 2 * leg + 2, high - beam + 2, 4), (0, (high - beam) / 2, -depth / 2 + 2)))
    parts.append(box(paint, (width + 16, 6, depth + 12), (0, high + 3, 2), bevel=1.2))
    parts.append(box(paint, (width + 24, 5, depth + 40), (0, 2.5, 14), bevel=1))
    if rng.random() < 0.6:
        parts += both(
            box(
                paint,
                (leg * 0.65, high - beam - 12, 4),
                (width / 2 - leg / 2, (high - beam) / 2, depth / 2 + 1),
                bevel=1.2,
            )
        )
        parts.append(
            box(paint, ((width - 2 * leg) * 0.8, beam * 0.6, 4), (0, high - beam / 2, depth / 2 + 1), bevel=1.5)
        )
    logs = wood(rng, "log")
    for i in range(int(rng.integers(2, 6))):
        z, y = rng.uniform(-6, 6), 8 + 5 * (i // 2)
        parts.append(rod(logs, (-24, y, z), (24, y + rng.uniform(-2, 5), z + rng.uniform(-6, 6)), 4, 3.4, 9))
    if rng.random() < 0.4:
        parts.append(box(paint, (width * 0.7, rng.uniform(40, 90), depth * 0.7), (0, high + 30, -3), bevel=1))
    return parts


def iron_stove(rng: Rng) -> list[Part]:
    """A cast stove with a door and a pipe."""
    iron = dark(rng)
    width, high, depth = rng.uniform(40, 60), rng.uniform(45, 75), rng.uniform(34, 50)
    parts = [box(iron, (width, high, depth), (0, high / 2 + 14, 0), bevel=2)]
    parts += table_legs(rng, iron, "cabriole", width, depth, 15, 6)
    parts.append(box(iron, (width + 6, 4, depth + 6), (0, high + 15, 0), bevel=1.2))
    parts += front_panel(iron, 0.7 * width, 0.55 * high, (0, 0.55 * high + 12, depth / 2), 2.5, "framed")
    parts.append(
        box(Paint((210, 120, 50), "fire"), (0.5 * width, 0.35 * high, 1), (0, 0.55 * high + 12, depth / 2 + 2.6))
    )
    parts += handle(steel(rng), "knob", (0.28 * width, 0.55 * high + 12, depth / 2 + 3), 8)
    return [
        *parts,
        rod(iron, (0, high + 14, -6), (0, high + rng.uniform(50, 110), -6), 6),
        torus(iron, 6, 1.4, (0, high + 40, -6), sides=16),
    ]


def radiator(rng: Rng) -> list[Part]:
    """Ribs side by side."""
    paint = pick(rng, (white, steel, muted))(rng, "enamel")
    count, high, depth = int(rng.integers(5, 15)), rng.uniform(45, 85), rng.uniform(10, 20)
    step = rng.uniform(5.5, 8)
    rib = box(paint, (step * 0.68, high, depth), (0, 0, 0), bevel=step * 0.3)
    parts = [moved(rib, ((i - (count - 1) / 2) * step, high / 2 + 10, 0)) for i in range(count)]
    w = count * step / 2
    parts += [rod(paint, (-w - 4, y, 0), (w + 4, y, 0), 2.4) for y in (18, high + 3)]
    parts += both(box(paint, (step * 0.6, 12, depth), (w - step / 2, 6, 0)))
    return [*parts, rod(steel(rng), (w + 3, high + 3, 0), (w + 8, high + 3, 0), 3.2)]


def mirror(rng: Rng) -> list[Part]:
    """A framed mirror or picture: hanging, or standing on the floor and tilted."""
    paint, pane = pick(rng, (wood, brass, dark, white))(rng, "frame"), pick(rng, (glass, cloth, cream))(rng, "mirror")
    width, high, rim = rng.uniform(40, 90), rng.uniform(50, 170), rng.uniform(4, 10)
    square = pick(rng, (0.01, 0.01, 1.0, 0.5))
    if square < 0.1:
        outer, inner = rectangle(width, high), rectangle(width - 2 * rim, high - 2 * rim)
    else:
        outer, inner = oval(width, high, 32, square), oval(width - 2 * rim, high - 2 * rim, 32, square)
    parts = [frame(paint, outer, inner, 6), extrude(pane, inner * 1.03, 3, (0, 0, -0.8))]
    parts.append(frame(paint, outer * 0.93, inner * 1.01, 3, (0, 0, 3)))
    if high > 110 or rng.random() < 0.35:
        parts = turned(moved(parts, (0, high / 2 + 12, 0)), -rng.uniform(0, 12), "x", (0, high / 2 + 12, 0))
        x = width / 2 + 4
        for s in (-1, 1):
            parts.append(rod(paint, (s * x, 4, 0), (s * x, 0.65 * high + 12, 0), 2.2))
            parts.append(tube(paint, [(s * x, 2, -22), (s * x, 9, 0), (s * x, 2, 22)], 2.4))
            parts.append(ellipsoid(paint, (3, 3, 3), (s * x, 0.65 * high + 14, 0), 10, rings=5))
        parts.append(rod(paint, (-x, 10, 0), (x, 10, 0), 2))
    return parts


def room_divider(rng: Rng) -> list[Part]:
    """A folding screen of three to five leaves."""
    paint, soft = wood(rng), pick(rng, (cream, cloth, white))(rng, "paper")
    count, width, high = int(rng.integers(3, 6)), rng.uniform(38, 55), rng.uniform(140, 180)
    fold = np.radians(rng.uniform(15, 35))
    parts: list[Part] = []
    for i in range(count):
        leaf = [frame(paint, rectangle(width, high), rectangle(width - 8, high - 10), 3.5, (0, high / 2 + 4, 0))]
        leaf.append(box(soft, (width - 6, high - 8, 1.8), (0, high / 2 + 4, 0)))
        leaf += [box(paint, (width - 8, 2, 3), (0, high * t + 4, 0)) for t in (0.25, 0.5, 0.75)]
        leaf += both(box(paint, (4, 5, 3.5), (width / 2 - 2, 2.5, 0)))
        sign = 1 if i % 2 else -1
        x = (i - (count - 1) / 2) * width * np.cos(fold)
        parts += moved(turned(leaf, sign * np.degrees(fold)), (x, 0, 0))
    return parts


def wavy_curtain(soft: Paint, width: float, high: float, at: tuple[float, float, float], folds: int) -> Part:
    """Cloth hanging in folds."""
    x, y, z = at
    u = np.linspace(-1, 1, folds * 4 + 1)
    grid = np.zeros((2, len(u), 3))
    grid[..., 0] = x + u * width / 2
    grid[:, :, 1] = np.array([[y], [y - high]])
    grid[..., 2] = z + 3 * np.sin(u * folds * np.pi)
    return sheet(soft, grid, 1.8)
