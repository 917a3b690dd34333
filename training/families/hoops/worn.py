"""Objects with openings that are worn or held: glasses, headphones, rackets, scissors, pots with large handles."""

from __future__ import annotations

import numpy as np

from training.families.hoops.rings import any_paint
from training.families.outlines import oval
from training.families.paints import Rng, bright, ceramic, dark, painted, pick, steel, white, wood
from training.families.parts import (
    both,
    ellipsoid,
    extrude,
    frame,
    lathe,
    moved,
    rod,
    torus,
    tube,
    turned,
    vessel,
)
from training.shapes import Part


def eyeglasses(rng: Rng) -> list[Part]:
    """Glasses without panes, their sides open or folded."""
    paint, thick = pick(rng, (dark, painted, steel, wood))(rng, "frame"), rng.uniform(0.02, 0.07)
    wide, high = rng.uniform(0.8, 1.05), rng.uniform(0.5, 0.9)
    loop = oval(wide, high, 28, rng.uniform(0.55, 1.0)) + (0.62, high / 2 + 0.1)
    small = (loop - loop.mean(0)) * (1 - 2.4 * thick / wide, 1 - 2.4 * thick / high) + loop.mean(0)
    rim = frame(paint, loop, small, 1.2 * thick)
    end = 0.62 + wide / 2
    bow = [(-0.2, 0.7 * high, 0), (0, 0.8 * high, 0.05), (0.2, 0.7 * high, 0)]
    parts = [*both(rim), tube(paint, bow, 0.8 * thick, 8)]
    temple = [
        (end, 0.8 * high, 0),
        (end + 0.03, 0.8 * high, -1.0),
        (end - 0.02, 0.76 * high, -1.6),
        (end - 0.04, 0.4, -2.0),
    ]
    side = tube(paint, temple, [thick, 0.7 * thick, 0.7 * thick, thick], 8)
    if rng.random() < 0.3:
        side = turned(side, 80, "y", (end, 0, 0))
        return [*parts, side]
    return [*parts, *both(side)]


def headphones(rng: Rng) -> list[Part]:
    """A band over two cups, or hearing protectors."""
    paint, pad = pick(rng, (dark, white, painted))(rng, "body"), dark(rng, "pad")
    high, thick = rng.uniform(1.4, 1.9), rng.uniform(0.04, 0.12)
    points = [(-0.85, 0.35, 0), (-0.95, 0.65 * high, 0), (-0.55, 0.95 * high, 0), (0, 1.05 * high, 0)]
    points += [(-x, y, z) for x, y, z in points[2::-1]]
    band = tube(paint, points, thick, 8, flat=rng.uniform(1, 2.5))
    r, deep = rng.uniform(0.3, 0.5), rng.uniform(0.15, 0.35)
    cup = [rod(paint, (0.85, 0.4, 0), (0.85 + deep, 0.4, 0), r, 0.85 * r, 20)]
    cup.append(torus(pad, 0.75 * r, 0.28 * r, (0.83, 0.4, 0), "x"))
    return [band, *both(cup)]


def racket(rng: Rng) -> list[Part]:
    """A racket's frame, a magnifying glass, a bubble wand or a net's hoop: a loop on a handle, without strings."""
    paint, grip = any_paint(rng, "frame"), pick(rng, (dark, wood, bright))(rng, "grip")
    wide, high, thick = rng.uniform(0.5, 0.85), rng.uniform(0.75, 1.0), rng.uniform(0.03, 0.1)
    loop = oval(2 * wide, 2 * high, 28, rng.uniform(0.8, 1.0))
    parts = [tube(paint, np.column_stack([loop, np.zeros(28)]), thick, 8, steps=1, loop=True)]
    long = rng.uniform(0.8, 2.0)
    if rng.random() < 0.5:  # a throat
        start = -0.72 * high
        parts += both(
            tube(paint, [(0.6 * wide, start, 0), (0.3 * wide, -1.25 * high, 0), (0.02, -1.6 * high, 0)], thick, 8)
        )
        top = -1.5 * high
    else:
        top = -high
    parts.append(rod(paint, (0, top, 0), (0, top - 0.4 * long, 0), 0.9 * thick))
    parts.append(rod(grip, (0, top - 0.3 * long, 0), (0, top - long, 0), 1.3 * thick, 1.5 * thick))
    return parts


def shears(rng: Rng) -> list[Part]:
    """Scissors or pliers with large eyes, more or less open."""
    metal, grip = steel(rng), pick(rng, (bright, dark, steel, bright))(rng, "grip")
    eye, thick = rng.uniform(0.26, 0.42), rng.uniform(0.05, 0.1)
    blade = rng.uniform(0.7, 1.7)
    half = [
        extrude(metal, [(-0.08, -0.1), (0.1, -0.05), (0.12, 0.3 * blade), (0.02, blade), (-0.06, 0.4 * blade)], 0.05)
    ]
    tall = rng.uniform(1.0, 1.6)
    loop = oval(2 * eye, 2 * eye * tall, 22) + (0.06 + 0.8 * eye, -0.5 - eye * tall)
    half.append(tube(grip, np.column_stack([loop, np.zeros(22)]), thick, 8, steps=1, loop=True))
    half.append(tube(grip, [(0, 0, 0), (0.02, -0.3, 0), (0.8 * eye, -0.55, 0)], [0.07, 0.08, thick], 8))
    spread = rng.uniform(0, 24)
    # The blade of one side crosses to the other.
    one = moved(turned(half, spread, "z"), (0, 0, 0.03))
    other = moved(turned(both(half)[len(half) :], -spread, "z"), (0, 0, -0.03))
    return [*one, *other, rod(metal, (0, 0, -0.07), (0, 0, 0.07), 0.06, sides=10)]


def big_handled(rng: Rng) -> list[Part]:
    """A mug, jug, kettle, teapot or watering can with a handle wide enough for a hand, at the side or over the top."""
    paint = pick(rng, (ceramic, ceramic, steel, painted))(rng, "body")
    grip = paint if rng.random() < 0.6 else any_paint(rng, "grip")
    r, high = rng.uniform(0.4, 0.7), rng.uniform(0.6, 1.5)
    belly, thick = rng.uniform(0.9, 1.25) * r, rng.uniform(0.04, 0.1)
    parts = [vessel(paint, [(0.8 * r, 0), (belly, 0.4 * high), (r, high)], 0.06)]
    if rng.random() < 0.35:
        parts.append(lathe(paint, [(r, high), (0.7 * r, high + 0.12), (0, high + 0.16)]))
        parts.append(ellipsoid(grip, (0.08, 0.08, 0.08), (0, high + 0.22, 0), 10))
        spout = [(-0.8 * belly, 0.35 * high, 0), (-1.5 * r, 0.6 * high, 0), (-1.9 * r, 1.0 * high, 0)]
        parts.append(tube(paint, spout, [0.16, 0.11, 0.08], 10))
    reach = r + rng.uniform(0.35, 0.8)
    if rng.random() < 0.7:
        points = [(0.93 * r, 0.88 * high, 0), (0.8 * reach, 0.95 * high, 0), (reach, 0.6 * high, 0)]
        points += [(0.8 * reach, 0.25 * high, 0), (0.9 * belly, 0.2 * high, 0)]
        parts.append(tube(grip, points, thick, 8, flat=rng.uniform(1, 2)))
    else:
        rise = high + rng.uniform(0.4, 0.9)
        points = [(-0.95 * r, 0.9 * high, 0), (-1.1 * r, 0.5 * (high + rise), 0), (0, rise, 0)]
        points += [(-x, y, z) for x, y, z in points[1::-1]]
        parts.append(tube(grip, points, thick, 8))
    return turned(parts, 180) if rng.random() < 0.5 else parts
