"""Frames, racks and other objects of bars with openings between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.families.hoops.rings import any_paint, lug
from training.families.outlines import circle, oval, rounded, star
from training.families.paints import Rng, brass, bright, cream, dark, painted, pick, steel, white, wood
from training.families.parts import (
    bar,
    box,
    frame,
    moved,
    rod,
    row,
    torus,
    tube,
    turned,
    vessel,
)
from training.shapes import Part


def mirror_frame(rng: Rng) -> list[Part]:
    """A picture or mirror frame without picture, thin or broad, angular, round-cornered or oval; perhaps a stand."""
    paint = any_paint(rng, "frame")
    wide, high = 1.0, rng.uniform(0.6, 1.5)
    band = float(np.exp(rng.uniform(np.log(0.02), np.log(0.2))))
    outer = _outline(rng, wide, high)
    inner = outer * ((wide - 2 * band) / wide, (high - 2 * band) / high)
    deep = rng.uniform(0.02, 0.12)
    parts = [frame(paint, outer, inner, deep)]
    if rng.random() < 0.4:  # a step or gilt edge inside
        lip = outer * ((wide - 1.7 * band) / wide, (high - 1.7 * band) / high)
        parts.append(frame(pick(rng, (brass, white, dark))(rng, "lip"), lip, 0.97 * inner, 0.6 * deep))
    if rng.random() < 0.2:
        count = int(rng.integers(1, 3))  # a window's bars
        parts += [box(paint, (0.03, high - band, 0.6 * deep), (x, 0, 0)) for x in _between(wide, count)]
        parts += [box(paint, (wide - band, 0.03, 0.6 * deep), (0, y, 0)) for y in _between(high, count)]
    if rng.random() < 0.2:
        parts.append(lug(brass(rng), (0, high / 2 + 0.03, 0), 0.05))
    return parts


def _outline(rng: Rng, wide: float, high: float) -> Any:
    lot = rng.random()
    if lot < 0.4:
        return rounded(wide, high, 0.001, 1)
    if lot < 0.65:
        return rounded(wide, high, rng.uniform(0.05, 0.3), 5)
    if lot < 0.9:
        return oval(wide, high, 36, rng.choice([1.0, 1.0, 0.6]))
    loop = circle(1.0, int(rng.integers(5, 9)))
    return loop / np.abs(loop).max(0) * (wide / 2, high / 2)


def _between(length: float, count: int) -> Any:
    return (np.arange(1, count + 1) / (count + 1) - 0.5) * length


def cookie_cutter(rng: Rng) -> list[Part]:
    """A thin wall along the outline of a star, heart, flower, moon, gingerbread man or house."""
    paint = steel(rng) if rng.random() < 0.6 else bright(rng, "body")
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    lot = rng.integers(6)
    if lot == 0:
        outline = star(int(rng.integers(5, 8)), 1.0, rng.uniform(0.4, 0.7))
    elif lot == 1:  # a heart
        x = 16 * np.sin(angle) ** 3
        y = 13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)
        outline = np.stack([x, y], 1) / 17
    elif lot == 2:
        radius = 1 + rng.uniform(0.1, 0.25) * np.cos(int(rng.integers(4, 8)) * angle)
        outline = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
    elif lot == 3:
        outline = oval(2, rng.uniform(1.2, 2), 30)
    elif lot == 4:  # a gingerbread man
        half = [(0, -0.45), (0.25, -1), (0.5, -0.95), (0.4, -0.2), (0.45, 0.1), (0.85, 0.1), (0.85, 0.35), (0.35, 0.42)]
        half += [(0.22, 0.5), (0.32, 0.75), (0.2, 1.0), (0, 1.05)]
        outline = np.array([*half, *[(-x, y) for x, y in half[-2:0:-1]]])
    else:
        outline = np.array([(-0.7, -0.8), (0.7, -0.8), (0.7, 0.2), (0.95, 0.2), (0, 1), (-0.95, 0.2), (-0.7, 0.2)])
    wall, middle = rng.uniform(0.02, 0.05), outline.mean(0)
    inner = (outline - middle) * (1 - 1.6 * wall) + middle
    return [frame(paint, outline, inner, rng.uniform(0.25, 0.7))]


def coat_hanger(rng: Rng) -> list[Part]:
    """Of wire, plastic or wood, with a hook."""
    metal, thick = steel(rng), rng.uniform(0.012, 0.05)
    paint = pick(rng, (wood, painted, steel, dark))(rng, "body")
    low, wide = rng.uniform(-0.5, -0.3), 1.0
    corners = [(0, 0.02, 0), (0.55 * wide, 0.3 * low, 0), (wide, low, 0), (0, low - 0.02, 0), (-wide, low, 0)]
    corners.append((-0.55 * wide, 0.3 * low, 0))
    if rng.random() < 0.75:
        parts = [tube(paint, corners, thick, 8, steps=3, loop=True)]
    else:  # open below, with a bar
        shoulders = [(-wide, low, 0), (-0.5, 0.3 * low, 0), (0, 0.02, 0), (0.5, 0.3 * low, 0), (wide, low, 0)]
        parts = [tube(paint, shoulders, [0.06, 0.05, 0.06, 0.05, 0.06], 10)]
        parts.append(rod(metal, (-0.9 * wide, 0.9 * low, 0), (0.9 * wide, 0.9 * low, 0), 0.02, sides=8))
    hook = [(0, 0, 0), (0, 0.18, 0), (0.13, 0.26, 0), (0.13, 0.4, 0), (0, 0.46, 0), (-0.12, 0.38, 0)]
    return [*parts, tube(metal, hook, 0.018, 8)]


def trivet(rng: Rng) -> list[Part]:
    """A pot stand or grate: a ring or square with bars, rings or a smaller ring within."""
    paint, band, deep = (
        pick(rng, (wood, dark, steel, brass))(rng, "body"),
        rng.uniform(0.06, 0.16),
        rng.uniform(0.06, 0.2),
    )
    lot = rng.integers(3)
    outline = circle(1.0, 32) if lot == 1 or rng.random() < 0.5 else rounded(2, 2, 0.2, 5)
    parts = [frame(paint, outline, outline * (1 - band), deep)]
    if lot == 0:
        count = int(rng.integers(2, 6))
        parts += row(box(paint, (0.6 * band, 1.5, 0.8 * deep)), count, (1.4 / count, 0, 0))
    elif lot == 1:
        count, small = int(rng.integers(3, 7)), rng.uniform(0.18, 0.3)
        far = 1 - band - 0.95 * small
        parts += [
            turned(torus(paint, small, 0.35 * band, (far, 0, 0), "z", 18), 360 * i / count, "z") for i in range(count)
        ]
    else:
        within, count = rng.uniform(0.25, 0.6), int(rng.integers(3, 8))
        parts.append(frame(paint, circle(within, 28), circle(within - 0.8 * band, 28), deep))
        spoke = bar(paint, (0, within - 0.4 * band, 0), (0, 1 - 0.6 * band, 0), 0.7 * band, 0.8 * deep)
        parts += [turned(spoke, 360 * i / count, "z") for i in range(count)]
    return parts


def cooling_rack(rng: Rng) -> list[Part]:
    """A grid of wires, a toast rack or a dish drainer, with feet."""
    paint, thick = pick(rng, (steel, steel, dark, white, brass))(rng, "wire"), rng.uniform(0.015, 0.035)
    wide, deep = rng.uniform(0.7, 1.2), rng.uniform(0.4, 0.9)
    loop = rounded(2 * wide, 2 * deep, 0.12, 3)
    rim = tube(
        paint, np.column_stack([loop[:, 0], np.full(len(loop), 0.15), loop[:, 1]]), 1.4 * thick, 6, steps=1, loop=True
    )
    count = int(rng.integers(3, 9))
    if rng.random() < 0.5:
        arch = rng.uniform(0.3, 0.7)
        points = [(0, 0.15, -0.8 * deep), (0, arch, -0.6 * deep), (0, arch, 0.6 * deep), (0, 0.15, 0.8 * deep)]
        wires = row(tube(paint, points, thick, 6, steps=3), count, (1.7 * wide / count, 0, 0))
    else:
        wires = row(rod(paint, (0, 0.15, -deep), (0, 0.15, deep), thick, sides=6), count, (1.8 * wide / count, 0, 0))
        wires += row(rod(paint, (-wide, 0.15, 0), (wide, 0.15, 0), thick, sides=6), 3, (0, 0, 0.6 * deep))
    places = [(x * 0.9 * wide, z * 0.9 * deep) for x in (-1, 1) for z in (-1, 1)]
    return [rim, *wires, *(rod(paint, (x, 0, z), (x, 0.15, z), 1.4 * thick, sides=6) for x, z in places)]


def step_ladder(rng: Rng) -> list[Part]:
    """A ladder, one- or two-sided, a towel rail or a clothes horse."""
    paint, other = pick(rng, (wood, steel, painted))(rng, "rail"), pick(rng, (wood, steel, painted))(rng, "rung")
    high, wide, thick = rng.uniform(1.4, 3.2), rng.uniform(0.3, 0.7), rng.uniform(0.03, 0.08)
    top, count = rng.uniform(0.5, 1.0) * wide, int(rng.integers(3, 9))
    side = [bar(paint, (s * wide, 0, 0), (s * top, high, 0), thick, 2 * thick) for s in (-1, 1)]
    for i in range(count):
        share = (i + 0.7) / (count + 0.4)
        reach = wide + (top - wide) * share
        side.append(bar(other, (-reach, share * high, 0), (reach, share * high, 0), 2 * thick, 0.8 * thick))
    if rng.random() < 0.4:
        return turned(side, -rng.uniform(0, 20), "x")
    lean = rng.uniform(8, 20)
    front = turned(side, -lean, "x", (0, high, 0))
    return [*front, *turned(front, 180, "y", (0, high, 0))]


def handled_tray(rng: Rng) -> list[Part]:
    """A tray or toolbox with raised handles to reach through."""
    paint, grip = pick(rng, (wood, wood, painted, steel))(rng, "tray"), any_paint(rng, "grip")
    wide, deep, high = rng.uniform(0.8, 1.2), rng.uniform(0.4, 0.8), rng.uniform(0.08, 0.4)
    parts = [box(paint, (2 * wide, 0.05, 2 * deep), (0, 0.025, 0))]
    loop = rounded(2 * wide, 2 * deep, 0.08, 3)
    parts.append(frame(paint, loop, loop * (1 - 0.06 / wide, 1 - 0.06 / deep), high, (0, high / 2, 0), "y"))
    rise, reach = high + rng.uniform(0.15, 0.7), rng.uniform(0.4, 0.9) * deep
    if rng.random() < 0.6:
        points = [(wide, high, -reach), (wide, rise, -0.8 * reach), (wide, rise, 0.8 * reach), (wide, high, reach)]
        one = tube(grip, points, rng.uniform(0.02, 0.05), 8)
        return [*parts, one, turned(one, 180)]
    posts = [bar(paint, (s * 0.97 * wide, 0, 0), (s * 0.97 * wide, rise, 0), 0.05, 0.3 * deep) for s in (-1, 1)]
    return [*parts, *posts, rod(grip, (-wide, 0.97 * rise, 0), (wide, 0.97 * rise, 0), 0.05, sides=10)]


def wide_basket(rng: Rng) -> list[Part]:
    """A basket, pail or bag with one large handle over it, or two."""
    paint, grip = pick(rng, (wood, cream, bright, steel, painted))(rng, "body"), any_paint(rng, "grip")
    r, high = rng.uniform(0.5, 0.9), rng.uniform(0.4, 1.1)
    foot, thick = rng.uniform(0.65, 1.0) * r, rng.uniform(0.02, 0.07)
    parts = [vessel(paint, [(foot, 0), (0.5 * (foot + r) + 0.04, 0.5 * high), (r, high)], 0.05)]
    parts.append(torus(paint, r - 0.02, 0.04, (0, high, 0)))
    rise, shoulder = high + rng.uniform(0.4, 1.3), rng.uniform(0.75, 1.0) * r
    points = [(-r, 0.85 * high, 0), (-shoulder, 0.6 * rise + 0.4 * high, 0), (0, rise, 0)]
    points += [(-x, y, z) for x, y, z in points[1::-1]]
    arch = tube(grip, points, thick, 8, flat=rng.choice([1.0, 2.5]))
    if rng.random() < 0.3:
        apart = rng.uniform(0.3, 0.7) * r
        smaller = [(0.5 * x, y, 0) for x, y, _ in points]
        arches = [tube(grip, smaller, thick, 8) for _ in range(2)]
        return [*parts, moved(arches[0], (0, 0, apart)), moved(arches[1], (0, 0, -apart))]
    return [*parts, arch]
