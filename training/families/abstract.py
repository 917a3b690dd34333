"""Shapes of no kind in particular: lumps, heaps of primitives, twists, knots, crystals, voxels, sculptures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg, mirrored
from training.families.colors import any_color, pick
from training.families.parts import Paint
from training.families.slabs import curve, finer, pebble, slab, tube, unit
from training.shapes import Part

Matrix = NDArray[np.float64]
STONES = ((150, 146, 140), (120, 105, 90), (190, 185, 175), (90, 90, 95))


def make(rng: np.random.Generator) -> list[Part]:
    """One shape."""
    return finer(SHAPES[rng.integers(len(SHAPES))](rng))


def turn(rng: np.random.Generator) -> Matrix:
    """A random rotation."""
    matrix, upper = np.linalg.qr(rng.normal(size=(3, 3)))
    matrix = matrix * np.sign(np.diag(upper))
    return np.asarray(matrix * np.sign(np.linalg.det(matrix)))


def _turned(pieces: list[Part], matrix: Matrix) -> list[Part]:
    return solids.warped(pieces, lambda v: v @ matrix.T)


def lumps(rng: np.random.Generator) -> list[Part]:
    """Eggs and bones melted together, sometimes mirrored, sometimes with holes."""
    pieces: list[Lump] = []
    symmetric = rng.random() < 0.5
    at = np.zeros(3)
    for _ in range(rng.integers(3, 9)):
        step = rng.normal(0, 0.35, 3)
        if rng.random() < 0.5:
            pieces.append(egg(at, rng.uniform(0.12, 0.4, 3), turn(rng), rng.uniform(0.02, 0.2)))
        else:
            pieces.append(bone(at, at + step, rng.uniform(0.06, 0.25), rng.uniform(0.06, 0.25), rng.uniform(0.02, 0.2)))
        at = at + step if rng.random() < 0.7 else rng.normal(0, 0.2, 3)
    pieces = mirrored(pieces) if symmetric else pieces
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 4)):
            hole = egg(rng.normal(0, 0.4, 3), rng.uniform(0.1, 0.3, 3), turn(rng), rng.uniform(0, 0.1), carve=True)
            pieces += mirrored([hole]) if symmetric else [hole]
    return [blob(pieces, any_color(rng), faces=int(rng.integers(2500, 4500)), whole=True)]


def primitive(rng: np.random.Generator, paint: Paint) -> Part:
    """A box, ball, cylinder, cone, ring or wedge, about 0.5 across."""
    size, kind = rng.uniform(0.15, 0.6, 3), rng.integers(7)
    if kind < 2:
        return solids.box(paint, size * 1.4, bevel=rng.choice([0.0, 0.04]))
    if kind == 2:
        return solids.ellipsoid(paint, size * 0.8, sides=20, square=float(rng.choice([1.0, 0.5, 0.3])), rings=11)
    if kind == 3:
        return solids.rod(paint, (0, -size[1], 0), (0, size[1], 0), size[0] * 0.7, sides=int(rng.choice([5, 6, 8, 24])))
    if kind == 4:
        return solids.rod(
            paint,
            (0, -size[1] * 0.8, 0),
            (0, size[1] * 0.8, 0),
            size[0] * 0.8,
            size[0] * rng.uniform(0, 0.5),
            sides=int(rng.choice([3, 4, 6, 24])),
        )
    if kind == 5:
        return solids.torus(
            paint, size[0] + 0.1, rng.uniform(0.06, 0.15), axis=str(rng.choice(["x", "y", "z"])), sides=24
        )
    return solids.extrude(
        paint, np.array([(-0.5, -0.4), (0.5, -0.4), (rng.uniform(-0.5, 0.5), 0.4)]) * size[:2] * 2, size[2]
    )


def heap(rng: np.random.Generator) -> list[Part]:
    """Primitives stuck into one another, straight or turned, sometimes mirrored."""
    pieces, straight = [], rng.random() < 0.5
    paints = [Paint(any_color(rng), f"paint{i}") for i in range(rng.integers(1, 4))]
    for _ in range(rng.integers(2, 9)):
        one = primitive(rng, paints[rng.integers(len(paints))])
        matrix = np.eye(3)[rng.permutation(3)] if straight else turn(rng)
        matrix = matrix * np.sign(np.linalg.det(matrix))
        pieces.append(solids.moved(_turned([one], matrix)[0], rng.normal(0, 0.25, 3)))
    return solids.both(pieces) if rng.random() < 0.4 else pieces


def stack(rng: np.random.Generator) -> list[Part]:
    """Primitives on top of one another: a totem, a cairn, a trophy."""
    pieces: list[Part] = []
    y, cairn = 0.0, rng.random() < 0.35
    for i in range(rng.integers(3, 8)):
        paint = Paint(pick(rng, STONES) if cairn else any_color(rng), f"part{i % 3}")
        one = (
            solids.ellipsoid(paint, rng.uniform(0.2, 0.5, 3) * (1, 0.55, 1), sides=16, square=0.8)
            if cairn
            else primitive(rng, paint)
        )
        low, high = one.vertices.min(0), one.vertices.max(0)
        shift = np.array([0, y - low[1] - 0.03, 0]) + rng.normal(0, 0.04, 3) * (1, 0, 1)
        pieces.append(solids.moved(solids.turned(one, rng.uniform(0, 90)), shift))
        y += high[1] - low[1] - 0.03
    return pieces


def twist(rng: np.random.Generator) -> list[Part]:
    """A polygon lofted along a line while it turns, swells and shrinks: columns, vases, shells."""
    sides, rings = int(rng.choice([3, 4, 5, 6, 8, 24])), 26
    t = np.linspace(0, 1, rings)
    angle = 2 * np.pi * np.arange(sides * 2) / (sides * 2)
    edge = np.where(np.arange(sides * 2) % 2 == 0, 1.0, rng.uniform(0.6, 1.05))
    spin = rng.normal(0, 2.0) * t
    swell = np.interp(t, np.linspace(0, 1, 5), rng.uniform(0.12, 0.5, 5))
    sway = curve(rng.normal(0, 0.2, (4, 3)) * (1, 0, 1), rings)
    turns = angle[None] + spin[:, None]
    flat = rng.uniform(0.5, 1.0)
    x, z = swell[:, None] * edge * np.sin(turns), flat * swell[:, None] * edge * np.cos(turns)
    loops = np.stack([x, np.broadcast_to((t * rng.uniform(0.8, 1.8))[:, None], x.shape), z], -1) + sway[:, None]
    pieces = [solids.loft(Paint(any_color(rng), "body"), loops)]
    if rng.random() < 0.3:
        pieces.append(
            solids.lathe(
                Paint(any_color(rng), "base"), [(0.45, -0.12), (0.48, -0.06), (0.4, 0.02)], (sway[0, 0], 0, sway[0, 2])
            )
        )
    return pieces


def knot(rng: np.random.Generator) -> list[Part]:
    """A torus knot, a spring, a wandering tube or a ribbon."""
    kind, paint = rng.integers(4), Paint(any_color(rng), "body")
    if kind == 0:
        p, q = ((2, 3), (3, 2), (2, 5), (3, 4))[rng.integers(4)]
        t = 2 * np.pi * np.arange(100) / 100
        r = 0.5 + 0.2 * np.cos(q * t)
        line = np.stack([r * np.cos(p * t), r * np.sin(p * t), 0.22 * np.sin(q * t)], 1)
        return _turned(
            [tube(np.concatenate([line, line[:3]]), np.full(103, rng.uniform(0.05, 0.11)), paint.color, "body", 9)],
            turn(rng),
        )
    if kind == 1:
        t = np.linspace(0, rng.uniform(3, 6) * 2 * np.pi, 110)
        wide = np.interp(t, [0, t[-1]], rng.uniform(0.2, 0.5, 2))
        line = np.stack([wide * np.cos(t), t / t[-1] * rng.uniform(0.8, 1.5), wide * np.sin(t)], 1)
        return [tube(line, np.full(110, rng.uniform(0.03, 0.06)), paint.color, "body", 8)]
    line = curve(np.cumsum(rng.normal(0, 0.4, (7, 3)), axis=0), 60)
    if kind == 2:
        return [
            tube(
                line,
                np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, 5), rng.uniform(0.04, 0.2, 5)),
                paint.color,
                "body",
                12,
            )
        ]
    look = unit(curve(rng.normal(size=(5, 3)), 60))
    return [slab(line, np.full(60, rng.uniform(0.2, 0.5)), 0.06, paint.color, "body", face=look)]


def crystals(rng: np.random.Generator) -> list[Part]:
    """A cluster of pointed prisms, or a ball of spikes."""
    pieces: list[Part] = []
    spiky = rng.random() < 0.4
    paint = Paint(any_color(rng), "crystal")
    for i in range(rng.integers(14, 40) if spiky else rng.integers(4, 12)):
        way = unit(rng.normal(size=3)) if spiky else unit(rng.normal(0, 0.45, 3) + (0, 1, 0))
        long, r = rng.uniform(0.5, 0.8) if spiky else rng.uniform(0.4, 1.1), rng.uniform(0.05, 0.16)
        profile = (
            [(r, 0), (r * 0.9, long * 0.8), (0.01, long)]
            if not spiky
            else [(r, 0), (r * 0.6, long * 0.6), (0.015, long)]
        )
        pieces.append(
            solids.aimed(solids.lathe(paint, profile, sides=6), way, way * 0.02 * i * (not spiky) * (1, 0, 1))
        )
    if spiky:
        return [*pieces, solids.ellipsoid(Paint(any_color(rng), "core"), np.full(3, 0.38), sides=18, rings=11)]
    return [
        *pieces,
        solids.ellipsoid(Paint(pick(rng, STONES), "rock"), rng.uniform(0.3, 0.45, 3) * (1, 0.4, 1), sides=9, rings=5),
    ]


def rock(rng: np.random.Generator) -> list[Part]:
    """A boulder: a ball with many cuts and bumps; or some together."""
    pieces = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        at, size = rng.normal(0, 0.35, 3) * (1, 0.1, 1), rng.uniform(0.3, 0.5)
        ball = solids.ellipsoid(Paint(pick(rng, STONES), "stone"), np.full(3, size), sides=22, rings=13)
        vertices = ball.vertices * rng.uniform(0.7, 1.2, 3)
        for _ in range(14):
            way, depth = unit(rng.normal(size=3)), size * rng.uniform(0.6, 0.95)
            vertices = vertices - np.maximum(vertices @ way - depth, 0)[:, None] * way
        pieces.append(Part(vertices + at, ball.faces, ball.color, "stone"))
    return pieces


def voxels(rng: np.random.Generator) -> list[Part]:
    """A mirrored mass of cubes: a creature, a ship, a robot of blocks."""
    half, tall, deep = int(rng.integers(2, 5)), int(rng.integers(4, 9)), int(rng.integers(2, 5))
    noise = rng.random((half, tall, deep))
    noise[0] *= 0.4
    smooth = noise + 0.5 * np.roll(noise, 1, 1) + 0.5 * np.roll(noise, 1, 0)
    solid = smooth < np.quantile(smooth, rng.uniform(0.35, 0.6))
    solid[0, :, deep // 2] = True
    paints = [Paint(any_color(rng), f"cube{i}") for i in range(3)]
    pieces = []
    for x, y, z in np.argwhere(solid):
        for side in (1, -1):
            pieces.append(solids.box(paints[(y // 2) % 3], np.full(3, 1.02), (side * (x + 0.5), y + 0.5, z - deep / 2)))
    return pieces


def sculpture(rng: np.random.Generator) -> list[Part]:
    """Rods and balls like a molecule, a ring with objects through it, or fins around an axle, on a foot."""
    kind, metal = rng.integers(3), Paint(any_color(rng), "metal")
    pieces: list[Part] = []
    if kind == 0:
        spots = [np.zeros(3)]
        for _ in range(rng.integers(4, 12)):
            start = spots[rng.integers(len(spots))]
            spots.append(start + unit(rng.normal(size=3)) * rng.uniform(0.35, 0.5))
            pieces.append(solids.rod(metal, start, spots[-1], 0.035, sides=7))
        return pieces + [
            pebble(at, rng.uniform(0.09, 0.17), any_color(rng), f"ball{i % 3}") for i, at in enumerate(spots)
        ]
    if kind == 1:
        for axis in rng.choice(["x", "y", "z"], rng.integers(1, 4), replace=False):
            pieces.append(
                solids.torus(
                    Paint(any_color(rng), "ring"),
                    rng.uniform(0.35, 0.55),
                    rng.uniform(0.025, 0.07),
                    axis=str(axis),
                    sides=32,
                )
            )
        pieces = _turned(pieces, turn(rng)) if rng.random() < 0.5 else pieces
        pieces.append(solids.ellipsoid(metal, np.full(3, rng.uniform(0.12, 0.28)), sides=18, rings=9))
    else:
        blade = solids.extrude(
            metal,
            np.array([(0.03, -0.4), (0.5, rng.uniform(-0.4, 0.2)), (rng.uniform(0.2, 0.5), 0.4), (0.03, 0.45)]),
            0.035,
        )
        pieces = [
            *solids.ring(blade, int(rng.integers(3, 10))),
            solids.rod(Paint(any_color(rng), "axle"), (0, -0.5, 0), (0, 0.6, 0), 0.06),
        ]
    foot = [(0.3, -0.85), (0.32, -0.78), (0.05, -0.72), (0.045, -0.3)]
    return [*pieces, solids.lathe(Paint(pick(rng, STONES), "foot"), foot, sides=20)]


def turned_solid(rng: np.random.Generator) -> list[Part]:
    """A random profile on the lathe, round or with an oval or square plan, upright or lying."""
    count = int(rng.integers(5, 10))
    radii = rng.uniform(0.06, 0.5, count)
    profile = curve(np.column_stack([radii, np.sort(rng.uniform(0, 1.4, count)), np.zeros(count)]), 3 * count)[:, :2]
    profile[:, 0] = np.maximum(profile[:, 0], 0.03)
    profile[:, 1] = np.maximum.accumulate(profile[:, 1])
    body = solids.lathe(Paint(any_color(rng), "body"), profile, sides=int(rng.choice([4, 6, 24, 28])))
    body = solids.scaled(body, (1, 1, rng.uniform(0.5, 1.0)))
    return _turned([body], turn(rng)) if rng.random() < 0.3 else [body]


def emblem(rng: np.random.Generator) -> list[Part]:
    """A thick heart, star, arrow, cross, letter-like or crescent sign, some on a foot."""
    kind, t = rng.integers(5), np.linspace(0, 2 * np.pi, 40, endpoint=False)
    if kind == 0:
        outline = (
            np.stack([16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)], 1)[
                ::-1
            ]
            / 32
        )
    elif kind == 1:
        points = int(rng.integers(4, 9))
        a = np.pi * np.arange(2 * points) / points
        outline = (
            np.stack([-np.sin(a), np.cos(a)], 1)
            * np.where(np.arange(2 * points) % 2, rng.uniform(0.2, 0.4), 0.5)[:, None]
        )
    elif kind == 2:
        w = rng.uniform(0.08, 0.2)
        outline = np.array([(-w, -0.5), (w, -0.5), (w, 0.1), (0.4, 0.1), (0, 0.5), (-0.4, 0.1), (-w, 0.1)])
    elif kind == 3:
        w = rng.uniform(0.08, 0.18)
        outline = np.array(
            [
                (-w, -0.5),
                (w, -0.5),
                (w, -w),
                (0.5, -w),
                (0.5, w),
                (w, w),
                (w, 0.5),
                (-w, 0.5),
                (-w, w),
                (-0.5, w),
                (-0.5, -w),
                (-w, -w),
            ]
        )
    else:
        a = np.linspace(-2.2, 2.2, 20)
        outer, inner = (
            np.stack([-np.cos(a), -np.sin(a)], 1) * 0.5,
            np.stack([0.14 - 0.38 * np.cos(a[::-1]), -0.38 * np.sin(a[::-1])], 1),
        )
        outline = np.concatenate([outer, inner])
    body = solids.extrude(
        Paint(any_color(rng), "body"), outline, rng.uniform(0.08, 0.3), bevel=float(rng.choice([0.0, 0.02]))
    )
    if rng.random() < 0.5:
        return [body]
    return [
        body,
        solids.lathe(
            Paint(pick(rng, STONES), "foot"), [(0.26, -0.72), (0.26, -0.66), (0.06, -0.6), (0.06, -0.3)], sides=20
        ),
    ]


def coral(rng: np.random.Generator) -> list[Part]:
    """Branching arms of one flesh: coral, antler, splash."""
    pieces: list[Lump] = []
    tips = [(np.zeros(3), np.array([0, 1.0, 0]), 0.13)]
    for _ in range(rng.integers(5, 11)):
        at, way, r = tips.pop(0)
        for _ in range(2):
            ahead = unit(way + rng.normal(0, 0.55, 3))
            end = at + ahead * rng.uniform(0.2, 0.35)
            pieces += chain([at, end], [r, r * 0.8], 0.05)
            tips.append((end, ahead, max(r * 0.8, 0.045)))
    return [blob(pieces, any_color(rng), "body", 5000)]


SHAPES: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    lumps,
    lumps,
    lumps,
    lumps,
    heap,
    heap,
    heap,
    stack,
    twist,
    twist,
    knot,
    crystals,
    rock,
    voxels,
    sculpture,
    turned_solid,
    emblem,
    coral,
)
