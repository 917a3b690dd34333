"""Round objects with an opening, in the plane of x and y about the origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.families.outlines import circle, oval
from training.families.paints import Rng, brass, bright, cloth, dark, muted, near, painted, pick, steel, white, wood
from training.families.parts import (
    Paint,
    ellipsoid,
    extrude,
    frame,
    loft,
    moved,
    rod,
    torus,
    tube,
    turned,
)
from training.shapes import Part


def any_paint(rng: Rng, material: str = "body") -> Paint:
    """What rings and frames are made of."""
    return pick(rng, (steel, steel, brass, brass, painted, painted, wood, dark, white))(rng, material)


def hoop(paint: Paint, radius: float, band: float, deep: float, sides: int = 40) -> Part:
    """A ring of a flat band about the z axis: ``band`` across, ``deep`` along z."""
    return frame(paint, circle(radius, sides), circle(radius - band, sides), deep)


def bracelet(rng: Rng) -> list[Part]:
    """A finger ring, bangle, gasket or gym hoop: a round or flat band of any thickness, perhaps with a stone."""
    paint, thick = any_paint(rng), float(np.exp(rng.uniform(np.log(0.02), np.log(0.28))))
    lot = rng.random()
    if lot < 0.45:
        parts = [torus(paint, 1, thick, axis="z", sides=40)]
    elif lot < 0.8:
        parts = [hoop(paint, 1, thick, float(rng.uniform(0.3, 6)) * max(thick, 0.04))]
    else:
        loop = oval(2, rng.uniform(1.2, 1.9), 28, rng.uniform(0.6, 1.0))
        points = np.column_stack([loop, np.zeros(len(loop))])
        parts = [tube(paint, points, thick, 8, steps=1, loop=True)]
    if rng.random() < 0.2:
        size = rng.uniform(0.15, 0.35)
        parts.append(ellipsoid(bright(rng, "stone"), (size, 0.8 * size, size), (0, 1 + thick, 0), 8, rings=4))
    return parts


def tyre(rng: Rng) -> list[Part]:
    """A tyre without its wheel, a swimming ring or a doughnut cushion."""
    paint = dark(rng) if rng.random() < 0.5 else pick(rng, (bright, muted))(rng, "body")
    fat, wide = rng.uniform(0.16, 0.38), rng.uniform(0.5, 1.4)
    loop = oval(2 * fat, 2 * fat * wide, 14, rng.uniform(0.6, 1.0)) + (1, 0)
    turns = circle(1.0, 36)
    rings = np.stack([loop[None, :, 0] * turns[:, :1], loop[None, :, 0] * turns[:, 1:], _level(loop, 36)], 2)
    parts = [loft(paint, rings, loop=True)]
    if rng.random() < 0.5:  # a stripe, or the tread's shoulder
        other = white(rng, "stripe") if rng.random() < 0.5 else bright(rng, "stripe")
        parts.append(torus(other, 1 + 0.55 * fat, 0.3 * fat, (0, 0, 0.75 * fat * wide), "z", 36))
    return parts


def wreath(rng: Rng) -> list[Part]:
    """Leaves, berries or flowers about a ring."""
    leaf = Paint(near(rng, pick(rng, ((50, 90, 45), (90, 110, 60), (150, 110, 70), (190, 90, 60)))), "leaf")
    berry = bright(rng, "berry")
    parts = [torus(leaf, 1, 0.12, axis="z", sides=24)]
    for i in range(int(rng.integers(22, 44))):
        angle, off = rng.uniform(0, 360), rng.normal(0, 0.09)
        long = rng.uniform(0.12, 0.24)
        piece = ellipsoid(leaf, (long, 0.45 * long, 0.25 * long), sides=8, rings=4)
        if i % 5 == 0:
            piece = ellipsoid(berry, (0.4 * long,) * 3, sides=8, rings=4)
        piece = turned(turned(piece, rng.uniform(-60, 60), "z"), rng.uniform(-60, 60), "y")
        parts.append(turned(moved(piece, (1 + off, 0, rng.normal(0, 0.08))), angle, "z"))
    return parts


def embroidery_hoop(rng: Rng) -> list[Part]:
    """Two thin bands in each other with a screw at the top; sometimes with strings across: a dreamcatcher."""
    paint, deep = pick(rng, (wood, wood, painted))(rng, "body"), rng.uniform(0.08, 0.22)
    parts = [hoop(paint, 1.0, 0.035, deep), hoop(paint, 0.958, 0.035, deep)]
    parts.append(rod(brass(rng), (-0.13, 1.05, 0), (0.13, 1.05, 0), 0.035, sides=8))
    if rng.random() < 0.25:
        string, count = cloth(rng, "string"), int(rng.integers(3, 7))
        turns = circle(0.95, 2 * count)
        ends = [(turns[i], turns[(i + count + 1) % len(turns)]) for i in range(count)]
        parts += [rod(string, (*a, 0), (*b, 0), 0.012, sides=6) for a, b in ends]
    return parts


def spoked_wheel(rng: Rng) -> list[Part]:
    """A wheel of a bicycle, cart or ship, a valve's or a steering wheel."""
    paint, band = any_paint(rng), float(np.exp(rng.uniform(np.log(0.04), np.log(0.2))))
    spokes, thin = int(rng.integers(2, 17)), 1.0
    thin = rng.uniform(0.25, 0.9) * band if spokes < 9 else rng.uniform(0.1, 0.3) * band
    hub = rng.uniform(0.06, 0.25)
    parts = [torus(paint, 1, band / 2, axis="z", sides=40)]
    if rng.random() < 0.5:
        parts = [hoop(paint, 1 + band / 2, band, rng.uniform(0.5, 2) * band)]
        if rng.random() < 0.6:
            parts.append(torus(dark(rng, "tyre"), 1 + band, 0.7 * band, axis="z", sides=40))
    other = paint if rng.random() < 0.5 else steel(rng, "spoke")
    parts += _about_z(rod(other, (0, 0.8 * hub, 0), (0, 1, 0), thin / 2, sides=8), spokes)
    parts.append(rod(other, (0, 0, -hub / 2), (0, 0, hub / 2), hub, sides=20))
    if rng.random() < 0.2:  # a ship's
        parts += _about_z(rod(paint, (0, 1, 0), (0, 1.35, 0), 0.6 * band, 0.4 * band, 8), max(spokes, 4))
    return parts


def key_ring(rng: Rng) -> list[Part]:
    """One to four keys on a ring."""
    paint, r = steel(rng), rng.uniform(0.5, 0.9)
    parts = [torus(paint, r, rng.uniform(0.03, 0.06), axis="z", sides=30)]
    for i in range(int(rng.integers(1, 5))):
        metal = pick(rng, (steel, brass))(rng, f"key {i}")
        bow, long = rng.uniform(0.22, 0.36), rng.uniform(0.9, 1.4)
        key = [frame(metal, oval(2 * bow, 1.7 * bow, 20), oval(1.0 * bow, 0.7 * bow, 20), 0.07)]
        key.append(extrude(metal, _bit(rng, 0.8 * bow, long), 0.06))
        angle = 90 + (i - 1) * rng.uniform(18, 40) + rng.normal(0, 12)
        parts += turned(moved(turned(key, 180, "z"), (-r - 0.45 * bow, 0, 0.05 * i)), angle, "z")
    return parts


def horseshoe(rng: Rng) -> list[Part]:
    """A horseshoe, a cuff or a magnet."""
    paint, band = pick(rng, (dark, steel, brass, bright))(rng, "body"), rng.uniform(0.2, 0.4)
    reach = np.radians(rng.uniform(200, 320)) / 2
    angle = np.linspace(-reach, reach, 26) + np.pi / 2
    direction = np.stack([np.cos(angle), rng.uniform(1, 1.25) * np.sin(angle)], 1)
    outline = np.concatenate([direction, (1 - band) * direction[::-1]])
    return [extrude(paint, outline, rng.uniform(0.1, 0.3))]


def chain(rng: Rng) -> list[Part]:
    """Some links of a chain, or a closed one."""
    paint, thick = pick(rng, (steel, brass, dark, bright, white))(rng, "body"), rng.uniform(0.07, 0.16)
    long = rng.uniform(0.5, 0.95)
    loop = oval(2 * long, 0.9, 16, 0.8)
    link = tube(paint, np.column_stack([loop, np.zeros(16)]), thick, 6, steps=2, loop=True)
    pitch = 2 * long - 2.2 * thick
    count = int(rng.integers(2, 10))
    if rng.random() < 0.4:
        count = int(rng.integers(8, 15))
        far = count * pitch / (2 * np.pi)
        placed = [turned(link, (0, 75)[i % 2], "x") for i in range(count)]
        return [turned(moved(turned(one, 90, "z"), (far, 0, 0)), 360 * i / count, "z") for i, one in enumerate(placed)]
    bend, parts, at, angle = rng.normal(0, 22), [], np.zeros(2), 0.0
    for i in range(count):
        parts.append(moved(turned(turned(link, (0, 75)[i % 2], "x"), angle, "z"), (*at, 0)))
        middle = np.radians(angle + bend / 2)
        at, angle = at + pitch * np.array([np.cos(middle), np.sin(middle)]), angle + bend
    return parts


def tape_roll(rng: Rng) -> list[Part]:
    """A roll of tape, paper or ribbon with its core."""
    paint, core = (
        pick(rng, (bright, white, muted, dark, wood))(rng, "tape"),
        pick(rng, (wood, white, muted))(rng, "core"),
    )
    deep, hole, wall = rng.uniform(0.2, 1.4), rng.uniform(0.3, 0.85), rng.uniform(0.03, 0.08)
    return [hoop(paint, 1, 1 - hole, deep), hoop(core, hole, min(wall, 0.3 * hole), 1.02 * deep)]


def carabiner(rng: Rng) -> list[Part]:
    """A carabiner or a shower ring, its gate drawn in another paint."""
    paint, thick = pick(rng, (bright, steel, dark))(rng, "body"), rng.uniform(0.07, 0.14)
    wide, high = rng.uniform(0.45, 0.8), rng.uniform(1.0, 1.4)
    points = [(-wide, -0.5 * high, 0), (-0.7 * wide, high, 0), (0.1, 1.15 * high, 0), (wide, 0.8 * high, 0)]
    points += [(0.8 * wide, -0.7 * high, 0), (0.2, -high, 0), (-0.5 * wide, -0.95 * high, 0)]
    gate = rod(steel(rng, "gate"), (wide, 0.6 * high, 0), (0.85 * wide, -0.5 * high, 0), 1.05 * thick, sides=8)
    return [tube(paint, points, thick, 8, loop=True), gate]


def lug(paint: Paint, at: Any, radius: float) -> Part:
    """A small ring in the plane of x and y, to hang something by."""
    return torus(paint, radius, 0.25 * radius, at, "z", 16)


def _about_z(part: Part, count: int) -> list[Part]:
    return [turned(part, 360 * i / count, "z") for i in range(count)]


def _level(loop: Any, count: int) -> Any:
    return np.broadcast_to(loop[:, 1], (count, len(loop)))


def _bit(rng: Rng, start: float, long: float) -> list[tuple[float, float]]:
    """A key's blade along +x with teeth below."""
    teeth = np.linspace(start + 0.4 * long, start + 0.9 * long, 6)
    depth = rng.uniform(0.02, 0.1, 6)
    lower = [(float(x), float(d - 0.12)) for x, d in zip(teeth, depth, strict=True)]
    return [(start, -0.1), *lower, (start + long, 0), (start + 0.93 * long, 0.1), (start, 0.1)]
