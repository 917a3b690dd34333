"""Toys: things to ride, push, stack, spin, throw and cuddle."""
# ruff: noqa: RUF005 (arrays plus tuples are sums here, not joined lists)

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.families import parts as solids
from training.families.animals import BUILDS
from training.families.birds import KINDS as BIRDS
from training.families.birds import bird
from training.families.blobs import blob, bone, chain, egg, mirrored
from training.families.colors import Color, any_color, pick
from training.families.figures import brickman, teddy
from training.families.parts import Paint
from training.families.quadrupeds import quadruped
from training.families.slabs import curve, finer, pebble, slab, tube, unit
from training.shapes import Part

WOOD: tuple[Color, ...] = ((200, 155, 100), (225, 190, 140), (160, 110, 65))
BLACK, WHITE = (30, 30, 32), (240, 240, 238)


def make(rng: np.random.Generator) -> list[Part]:
    """One toy."""
    return finer(TOYS[rng.integers(len(TOYS))](rng))


def _paint(rng: np.random.Generator, name: str) -> Paint:
    return Paint(any_color(rng) if rng.random() < 0.7 else pick(rng, WOOD), name)


def _box_of(pieces: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    every = np.concatenate([piece.vertices for piece in pieces])
    return every.min(0), every.max(0)


def _wheels(paint: Paint, x: float, zs: tuple[float, ...], radius: float, width: float = 0.08) -> list[Part]:
    """Pairs of wheels with hubs, their axles at height ``radius``."""
    parts = []
    for z in zs:
        parts.append(solids.rod(Paint((190, 190, 190), "axle"), (-x, radius, z), (x, radius, z), 0.025, sides=6))
        for side in (1, -1):
            rim = np.array([side * x, radius, z])
            parts.append(solids.rod(paint, rim, rim + (side * width, 0, 0), radius, sides=18))
            parts.append(
                solids.rod(Paint(WHITE, "hub"), rim, rim + (side * (width + 0.015), 0, 0), radius * 0.4, sides=10)
            )
    return parts


def on_wheels(rng: np.random.Generator) -> list[Part]:
    """A duck, teddy, horse, dog or elephant on a board with wheels."""
    kind = rng.integers(3)
    if kind == 0:
        body = bird(rng, BIRDS["swimmer"], aloft=False)
    elif kind == 1:
        body = teddy(rng)
    else:
        name = str(rng.choice(["horse", "dog", "elephant", "cow", "sheep", "cat", "bear"]))
        body = quadruped(rng, BUILDS[name])
    low, high = _box_of(body)
    size = (high - low).max()
    half, long, y = max(0.24 * size, 0.3 * (high - low)[0]), (high - low)[2] * 0.52, 0.16 * size
    middle = (low[2] + high[2]) / 2
    body = solids.moved(body, (0, y - low[1] - 0.01 * size, -middle))
    board = solids.box(
        _paint(rng, "board"), np.array([2 * half, 0.06 * size, 2 * long]), (0, y - 0.03 * size, 0), 0.015 * size
    )
    wheels = solids.scaled(
        _wheels(_paint(rng, "wheels"), half / size, (0.75 * long / size, -0.75 * long / size), 0.1, 0.05), size
    )
    parts = [*body, board, *wheels]
    if rng.random() < 0.4:
        line = curve([(0, y, long), (0, y * 0.5, long + 0.2 * size), (0.05 * size, y * 0.8, long + 0.4 * size)], 7)
        parts += [
            tube(line, np.full(7, 0.014 * size), WHITE, "cord", 6),
            pebble(line[-1], 0.035 * size, any_color(rng), "bead"),
        ]
    return parts


def rocking_horse(rng: np.random.Generator) -> list[Part]:
    """A horse on two curved runners, with saddle and handle."""
    body, runner = _paint(rng, "body"), _paint(rng, "runners")
    hair, parts = any_color(rng), []
    lean, thick = rng.uniform(0.15, 0.35), rng.uniform(0.03, 0.045)
    lumps = [
        *chain([(0, 0.62, -0.32), (0, 0.6, 0.0), (0, 0.63, 0.3)], [0.15, 0.145, 0.15], 0.08),
        *chain([(0, 0.66, 0.3), (0, 0.88, 0.42), (0, 1.05, 0.46)], [0.13, 0.1, 0.1], 0.06),
        bone((0, 1.07, 0.46), (0, 0.94, 0.72), 0.1, 0.065),
        *mirrored([bone((0.05, 1.12, 0.42), (0.07, 1.22, 0.4), 0.035, 0.015, 0.02)]),
        *mirrored([bone((0.1, 0.56, 0.28), (0.19, 0.16, 0.28 + lean), 0.075, 0.05, 0.04)]),
        *mirrored([bone((0.1, 0.56, -0.3), (0.19, 0.16, -0.3 - lean), 0.085, 0.05, 0.04)]),
    ]
    parts.append(blob(lumps, body.color, body.material, 2400))
    t = np.linspace(-0.62, 0.62, 12)
    for side in (1, -1):
        line = np.stack([np.full(12, side * 0.2), 1.25 * (1 - np.cos(t)) + 0.06, 1.35 * np.sin(t)], 1)
        parts.append(slab(line, np.full(12, 2.2 * thick), 2.2 * thick, runner.color, "runners", face=(1, 0, 0)))
    for z in (0.28 + lean, -0.3 - lean):
        high = 1.25 * (1 - np.sqrt(max(1 - (z / 1.35) ** 2, 0))) + 0.08
        parts.append(solids.rod(runner, (-0.22, high, z), (0.22, high, z), 0.035))
    parts.append(solids.rod(runner, (-0.24, 0.95, 0.4), (0.24, 0.95, 0.4), 0.028))
    parts.append(pebble((0, 0.75, -0.02), (0.15, 0.06, 0.2), any_color(rng), "saddle"))
    mane = curve([(0, 0.75, 0.22), (0, 0.95, 0.3), (0, 1.15, 0.38), (0, 1.16, 0.5)], 8)
    parts.append(slab(mane, [0.06, 0.1, 0.12, 0.12, 0.12, 0.12, 0.1, 0.05], 0.05, hair, "hair", face=(1, 0, 0)))
    tail = curve([(0, 0.68, -0.44), (0, 0.66, -0.6), (0, 0.4, -0.68)], 7)
    parts.append(tube(tail, [0.03, 0.045, 0.055, 0.06, 0.055, 0.04, 0.015], hair, "hair"))
    return parts + [pebble((s * 0.085, 1.09, 0.52), 0.024, BLACK, "eye") for s in (1, -1)]


def car(rng: np.random.Generator) -> list[Part]:
    """A chunky wooden car, bus, truck or tractor, with its front towards +Z."""
    body, top = _paint(rng, "body"), _paint(rng, "cab")
    long, half, tall, r = rng.uniform(0.5, 0.8), rng.uniform(0.22, 0.32), rng.uniform(0.2, 0.34), rng.uniform(0.13, 0.2)
    floor = r * 0.8
    kind = rng.integers(3)
    cabin = {
        0: [(-0.6, 0), (-0.4, 0.9), (0.25, 0.9), (0.5, 0)],
        1: [(-0.98, 0), (-0.95, 0.9), (0.9, 0.9), (0.98, 0)],
        2: [(0.1, 0), (0.15, 1.0), (0.7, 1.0), (0.85, 0)],
    }[int(kind)]
    outline = np.array(cabin) * (long, tall * rng.uniform(0.9, 1.3)) + (0, floor + tall * 0.97)
    parts = [solids.block(body, (-half, floor, -long), (half, floor + tall, long), 0.05)]
    parts.append(solids.extrude(top, outline, half * 1.8, axis="x", bevel=0.03))
    parts += _wheels(Paint(pick(rng, (BLACK, any_color(rng))), "wheels"), half * 0.95, (long * 0.62, -long * 0.62), r)
    for side in (1, -1):
        parts.append(
            pebble((side * half * 0.65, floor + tall * 0.6, long), (0.06, 0.06, 0.04), (250, 235, 160), "lamp")
        )
        for z in (
            np.linspace(outline[:, 0].min() * 0.6, outline[:, 0].max() * 0.55, 2 + 2 * (kind == 1)) if kind < 2 else ()
        ):
            parts.append(
                solids.box(
                    Paint((150, 190, 215), "window"),
                    np.array([0.03, tall * 0.45, 0.2 * long]),
                    (side * half * 0.9, floor + tall * 1.45, z),
                    0.01,
                )
            )
    if kind == 2:
        for _ in range(rng.integers(2, 5)):
            at = rng.uniform(
                (-half * 0.5, floor + tall + 0.08, -long * 0.8), (half * 0.5, floor + tall + 0.12, -long * 0.1)
            )
            parts.append(
                solids.turned(solids.box(_paint(rng, "load"), np.full(3, 0.19), at), rng.uniform(0, 90), "y", at)
            )
    if rng.random() < 0.3:
        head = solids.moved(
            solids.scaled(brickman(rng), 0.45),
            (0, floor + tall + outline[:, 1].max() - floor - tall - 0.08, outline[:, 0].mean()),
        )
        parts += head
    return parts


def train(rng: np.random.Generator) -> list[Part]:
    """A locomotive of simple solids with up to three wagons behind."""
    paint, cab, r = _paint(rng, "boiler"), _paint(rng, "cab"), 0.15
    parts = [solids.block(_paint(rng, "frame"), (-0.24, 0.18, -0.5), (0.24, 0.27, 0.55), 0.015)]
    parts += [
        solids.rod(paint, (0, 0.45, -0.2), (0, 0.45, 0.52), 0.2, sides=18),
        solids.rod(Paint(BLACK, "front"), (0, 0.45, 0.5), (0, 0.45, 0.56), 0.17, sides=18),
    ]
    parts += [
        solids.block(cab, (-0.23, 0.26, -0.5), (0.23, 0.85, -0.12), 0.015),
        solids.block(_paint(rng, "roof"), (-0.28, 0.84, -0.55), (0.28, 0.91, -0.06), 0.03),
    ]
    parts.append(
        solids.lathe(
            Paint(BLACK, "chimney"), [(0.07, 0.6), (0.065, 0.75), (0.12, 0.88), (0.12, 0.92)], (0, 0, 0.36), 14
        )
    )
    parts.append(solids.ellipsoid(Paint((230, 190, 70), "dome"), (0.09, 0.12, 0.09), (0, 0.64, 0.1)))
    wheel = _paint(rng, "wheels")
    parts += _wheels(wheel, 0.22, (0.38, 0.0, -0.36), r, 0.06)
    for i in range(rng.integers(0, 4)):
        z = -1.05 - 0.95 * i
        parts.append(solids.rod(Paint(BLACK, "link"), (0, 0.23, z + 0.3), (0, 0.23, z + 0.62), 0.035))
        parts.append(
            solids.block(_paint(rng, "wagon"), (-0.25, 0.18, z - 0.38), (0.25, rng.uniform(0.3, 0.6), z + 0.38), 0.02)
        )
        parts += _wheels(wheel, 0.22, (z + 0.22, z - 0.22), 0.12, 0.06)
        if rng.random() < 0.6:
            parts += [
                solids.rod(_paint(rng, "load"), (-0.1 + 0.2 * k, 0.5, z - 0.3), (-0.1 + 0.2 * k, 0.5, z + 0.3), 0.1)
                for k in range(2)
            ]
    return parts


def ball(rng: np.random.Generator) -> list[Part]:
    """Football, beach ball, basketball, rugby ball, dice or a yo-yo."""
    kind, color = rng.integers(5), any_color(rng)
    if kind == 0:
        other, parts = any_color(rng), [solids.ellipsoid(Paint(color, "ball"), np.full(3, 0.5), sides=24, rings=15)]
        for i in range(3):
            parts.append(solids.turned(solids.torus(Paint(other, "seam"), 0.49, 0.025, axis="x", sides=32), 60 * i))
        return parts
    if kind == 1:
        golden = (1 + 5**0.5) / 2
        corners = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
        ways = [unit(np.roll(np.array(corner, float), k)) for corner in corners for k in range(3)]
        patches = [
            solids.aimed(
                solids.lathe(Paint(BLACK, "patch"), [(0.17, 0.44), (0.17, 0.475), (0.09, 0.505)], sides=5), way
            )
            for way in ways
        ]
        return [solids.ellipsoid(Paint(WHITE, "ball"), np.full(3, 0.5), sides=24, rings=15), *patches]
    if kind == 2:
        parts = [
            solids.ellipsoid(
                Paint(pick(rng, ((150, 80, 45), color)), "ball"),
                np.array([0.36, 0.36, 0.6]),
                (0, 0.36, 0),
                24,
                rings=13,
            )
        ]
        return parts + [
            solids.box(Paint(WHITE, "lace"), np.array([0.12, 0.03, 0.025]), (0, 0.72, z))
            for z in np.linspace(-0.15, 0.15, 5)
        ]
    if kind == 3:
        parts = [solids.box(Paint(color, "die"), np.ones(3), bevel=rng.uniform(0.05, 0.14))]
        dots = {
            "front": [(0, 0, 0.5)],
            "top": [(0.22, 0.5, 0.22), (-0.22, 0.5, -0.22)],
            "right": [(0.5, 0.22, 0.22), (0.5, 0, 0), (0.5, -0.22, -0.22)],
            "back": [(x, y, -0.5) for x in (-0.22, 0.22) for y in (-0.25, 0, 0.25)],
            "left": [(-0.5, y, z) for y in (-0.22, 0.22) for z in (-0.22, 0.22)],
        }
        return parts + [
            pebble(at, np.where(np.abs(at) > 0.4, 0.02, 0.09), WHITE, "dots") for face in dots.values() for at in face
        ]
    profile = [
        (0.45, -0.2),
        (0.5, -0.12),
        (0.3, -0.05),
        (0.08, -0.03),
        (0.08, 0.03),
        (0.3, 0.05),
        (0.5, 0.12),
        (0.45, 0.2),
    ]
    yoyo = solids.turned(solids.lathe(Paint(color, "yoyo"), profile, sides=28), 90, "z")
    return [
        solids.moved(yoyo, (0, 0, 0)),
        tube(curve([(0, 0.1, 0), (0, 0.6, 0.02), (0.03, 1.0, 0)], 8), np.full(8, 0.02), WHITE, "cord", 6),
        solids.torus(Paint(WHITE, "cord"), 0.08, 0.02, (0.03, 1.08, 0), "z", 12),
    ]


def blocks(rng: np.random.Generator) -> list[Part]:
    """A tower, a castle or a gate of wooden blocks, or a toppled heap."""
    parts: list[Part] = []
    if rng.random() < 0.5:
        y = 0.0
        for _ in range(rng.integers(3, 8)):
            size, kind = rng.uniform(0.25, 0.4), rng.integers(4)
            at, paint = (
                np.array([rng.normal(0, 0.03), y + size / 2, rng.normal(0, 0.03)]),
                _paint(rng, f"block{len(parts) % 4}"),
            )
            shape = (
                solids.rod(paint, at - (0, size / 2, 0), at + (0, size / 2, 0), size * 0.5, sides=20)
                if kind == 0
                else solids.box(paint, np.array([size * rng.choice([1, 1.4]), size, size]), at, 0.02)
            )
            parts.append(solids.turned(shape, rng.uniform(-25, 25), "y", at))
            y += size
        roof = solids.rod(
            _paint(rng, "roof"), (0, y - 0.01, 0), (0, y + 0.35, 0), 0.24, 0.01, sides=4 if rng.random() < 0.5 else 20
        )
        return [*parts, roof]
    for x in (-0.5, 0.5):
        parts.append(solids.block(_paint(rng, "pillar"), (x - 0.15, 0, -0.15), (x + 0.15, 0.8, 0.15), 0.02))
        parts.append(solids.rod(_paint(rng, "roof"), (x, 1.08, 0), (x, 1.45, 0), 0.22, 0.01, sides=20))
    parts.append(solids.block(_paint(rng, "beam"), (-0.7, 0.8, -0.15), (0.7, 1.08, 0.15), 0.02))
    arch = np.stack([0.25 * np.cos(np.linspace(0, np.pi, 14)), 1.08 + 0.25 * np.sin(np.linspace(0, np.pi, 14))], 1)
    parts.append(solids.extrude(_paint(rng, "arch"), arch, 0.3, bevel=0.02))
    for _ in range(rng.integers(0, 4)):
        at = np.array([rng.uniform(-0.7, 0.7), 0.13, rng.uniform(0.3, 0.6)])
        parts.append(
            solids.turned(solids.box(_paint(rng, "loose"), np.full(3, 0.26), at, 0.02), rng.uniform(0, 90), "y", at)
        )
    return parts


def spinner(rng: np.random.Generator) -> list[Part]:
    """Spinning top, ring pyramid, rattle, pinwheel or skittle."""
    kind = rng.integers(5)
    if kind == 0:
        wide, tall = rng.uniform(0.4, 0.55), rng.uniform(0.15, 0.35)
        profile = [
            (0.02, 0),
            (0.06, 0.06),
            (wide * 0.6, 0.25),
            (wide, 0.4),
            (wide * 0.95, 0.46),
            (wide * 0.4, 0.45 + tall * 0.5),
            (0.06, 0.5 + tall),
            (0.05, 0.95),
            (0.08, 1.0),
        ]
        parts = [
            solids.lathe(_paint(rng, "top"), profile, sides=28),
            solids.torus(_paint(rng, "band"), wide * 0.96, 0.035, (0, 0.41, 0), sides=28),
        ]
        return solids.turned(parts, float(rng.choice([0, 15, -20])), "z")
    if kind == 1:
        parts, y, count = (
            [
                solids.lathe(
                    _paint(rng, "base"), [(0.5, 0), (0.52, 0.05), (0.48, 0.1), (0.06, 0.12), (0.05, 1.15)], sides=24
                )
            ],
            0.1,
            int(rng.integers(4, 7)),
        )
        for i in range(count):
            thick = 0.48 / count
            parts.append(
                solids.torus(_paint(rng, f"ring{i}"), 0.36 - 0.2 * i / count, thick + 0.02, (0, y + thick, 0), sides=24)
            )
            y += 1.9 * thick
        return [*parts, pebble((0, y + 0.12, 0), 0.16, any_color(rng), "knob")]
    if kind == 2:
        head = solids.ellipsoid(_paint(rng, "head"), np.full(3, 0.26), (0, 0.85, 0))
        stick = solids.lathe(_paint(rng, "stick"), [(0.09, 0), (0.1, 0.05), (0.05, 0.12), (0.05, 0.65)], sides=14)
        rings = [solids.torus(_paint(rng, "ring"), 0.24, 0.05, (0, 0.85, 0), axis) for axis in ("y", "x")]
        return [head, stick, *rings, solids.torus(_paint(rng, "ring"), 0.12, 0.035, (0, -0.1, 0), "z")]
    if kind == 3:
        parts, count = (
            [solids.rod(_paint(rng, "stick"), (0, -1.0, -0.06), (0, 0.1, -0.06), 0.028)],
            int(rng.choice([4, 5, 6, 8])),
        )
        for i in range(count):
            a = 2 * np.pi * i / count
            out, side = np.array([np.sin(a), np.cos(a), 0]), np.array([np.cos(a), -np.sin(a), 0])
            line = curve([(0, 0, 0), out * 0.25 + side * 0.12 + (0, 0, 0.1), out * 0.5 + side * 0.05], 6)
            parts.append(
                slab(
                    line,
                    [0.08, 0.22, 0.3, 0.32, 0.26, 0.08],
                    0.035,
                    any_color(rng),
                    f"sail{i % 2}",
                    face=(side * 0.7 + (0, 0, 1)),
                    cup=0.2,
                )
            )
        return [*parts, pebble((0, 0, 0.05), 0.06, any_color(rng), "hub")]
    profile = [
        (0.16, 0),
        (0.2, 0.1),
        (0.22, 0.3),
        (0.17, 0.55),
        (0.09, 0.72),
        (0.08, 0.8),
        (0.12, 0.9),
        (0.12, 0.98),
        (0.06, 1.06),
    ]
    pin = [
        solids.lathe(Paint(WHITE, "pin"), profile, sides=22),
        solids.torus(_paint(rng, "stripe"), 0.085, 0.03, (0, 0.76, 0), sides=20),
    ]
    return solids.row(pin, int(rng.choice([1, 3])), (0.5, 0, 0)) if rng.random() < 0.6 else pin


def doll(rng: np.random.Generator) -> list[Part]:
    """A rag doll, a nesting doll or a jack-in-the-box."""
    skin, dress, hair = pick(rng, ((245, 215, 190), (190, 135, 100), (110, 75, 55))), any_color(rng), any_color(rng)
    eyes = [pebble((s * 0.09, 1.04, 0.255), 0.035, BLACK, "eye") for s in (1, -1)]
    if rng.random() < 0.4:
        profile = [
            (0.3, 0),
            (0.38, 0.1),
            (0.42, 0.35),
            (0.36, 0.62),
            (0.26, 0.78),
            (0.3, 0.95),
            (0.28, 1.15),
            (0.16, 1.3),
            (0.03, 1.35),
        ]
        parts = [
            solids.lathe(Paint(dress, "body"), profile, sides=28),
            pebble((0, 1.03, 0.17), (0.21, 0.22, 0.16), skin, "skin"),
        ]
        parts += [pebble((s * 0.075, 1.06, 0.32), 0.03, BLACK, "eye") for s in (1, -1)]
        return [*parts, pebble((0, 0.4, 0.24), (0.28, 0.27, 0.21), any_color(rng), "apron")]
    body = [
        egg((0, 1.0, 0), 0.27),
        *mirrored(chain([(0.14, 0.7, 0), (0.42, rng.uniform(0.4, 0.8), 0.1)], [0.08, 0.085], 0.03)),
    ]
    sits = rng.random() < 0.5
    leg = (
        [(0.1, 0.3, 0), (0.15, 0.1, 0.2), (0.16, 0.1, 0.55)]
        if sits
        else [(0.1, 0.3, 0), (0.11, 0.0, 0.02), (0.11, -0.28, 0.04)]
    )
    body += mirrored(chain(leg, [0.1, 0.085, 0.08], 0.03))
    skirt = solids.lathe(
        Paint(dress, "dress"),
        [(0.36, 0.06 if sits else -0.02), (0.34, 0.14), (0.17, 0.55), (0.15, 0.74), (0.1, 0.78)],
        sides=20,
    )
    cap = blob(
        [egg((0, 1.06, -0.03), (0.3, 0.28, 0.29)), egg((0, 0.95, 0.3), (0.24, 0.26, 0.2), carve=True)],
        hair,
        "hair",
        900,
    )
    plaits = [
        tube(
            curve([(s * 0.26, 1.0, 0), (s * 0.38, 0.9, 0.02), (s * 0.36, 0.65, 0.06)], 8),
            0.055 * np.tile([1, 1.25], 4),
            hair,
            "hair",
        )
        for s in (1, -1)
    ]
    shoes = [pebble(np.array(leg[-1]) * (s, 1, 1) + (0, 0, 0.06), (0.09, 0.09, 0.13), BLACK, "shoes") for s in (1, -1)]
    return [
        blob(body, skin, "skin", 1800),
        skirt,
        cap,
        *plaits,
        *shoes,
        *eyes,
        pebble((0, 0.9, 0.25), (0.05, 0.02, 0.03), (190, 60, 60), "mouth"),
    ]


def flyer(rng: np.random.Generator) -> list[Part]:
    """A wooden plane, rocket or boat."""
    body, wing, kind = _paint(rng, "body"), _paint(rng, "wings"), rng.integers(3)
    if kind == 0:
        parts = [
            blob(
                chain([(0, 0.3, -0.75), (0, 0.28, 0.0), (0, 0.28, 0.5)], [0.06, 0.16, 0.15], 0.05),
                body.color,
                "body",
                1200,
            )
        ]
        parts += [
            solids.box(wing, np.array([1.6, 0.05, 0.36]), (0, y, 0.15), 0.02)
            for y in ((0.22,) if rng.random() < 0.5 else (0.14, 0.6))
        ]
        parts += (
            [solids.rod(wing, (x, 0.14, 0.15), (x, 0.6, 0.15), 0.025, sides=6) for x in (-0.55, 0.55)]
            if len(parts) > 2
            else []
        )
        parts += [
            solids.box(wing, np.array([0.6, 0.04, 0.2]), (0, 0.32, -0.7), 0.015),
            solids.box(wing, np.array([0.04, 0.28, 0.2]), (0, 0.46, -0.7), 0.015),
        ]
        parts += [
            solids.box(_paint(rng, "propeller"), np.array([0.62, 0.08, 0.04]), (0, 0.28, 0.68), 0.01),
            pebble((0, 0.28, 0.68), 0.06, any_color(rng), "hub"),
            pebble((0, 0.45, 0.05), (0.09, 0.1, 0.13), (150, 190, 215), "cockpit"),
        ]
        return [*parts, *_wheels(Paint(BLACK, "wheels"), 0.2, (0.3,), 0.09, 0.05)]
    if kind == 1:
        parts = [
            solids.lathe(
                body, [(0.16, 0.15), (0.24, 0.3), (0.27, 0.6), (0.22, 0.95), (0.12, 1.2), (0.02, 1.35)], sides=22
            ),
            solids.lathe(wing, [(0.13, 0.02), (0.15, 0.16)], sides=16),
        ]
        fins = solids.extrude(wing, np.array([(0.15, 0.2), (0.15, 0.6), (0.45, 0.25), (0.48, 0.0)]), 0.06)
        return [
            *parts,
            *solids.ring(fins, int(rng.choice([3, 4]))),
            *[solids.rod(Paint((150, 190, 215), "window"), (0, y, 0.15), (0, y, 0.275), 0.08) for y in (0.85, 0.62)],
        ]
    t = np.linspace(0, 1, 9)
    width = 0.3 * np.sin(np.pi * (0.25 + 0.75 * t)) ** 0.8 + 0.02
    rings = np.stack([np.array([(-w, 0.3), (-0.6 * w, 0.02), (0.6 * w, 0.02), (w, 0.3)]) for w in width])
    hull = np.stack(
        [
            np.column_stack([ring[:, 0], ring[:, 1] + 0.1 * z**3, np.full(4, 1.6 * z - 0.8)])
            for ring, z in zip(rings, t, strict=True)
        ]
    )
    parts = [solids.loft(body, hull)]
    if rng.random() < 0.5:
        parts += [
            solids.rod(wing, (0, 0.25, 0.1), (0, 1.5, 0.1), 0.03),
            solids.extrude(
                Paint(WHITE, "sail"), np.array([(0.04, 0.5), (0.04, 1.45), (-0.65, 0.5)]), 0.03, (0, 0, 0.05), "x"
            ),
            solids.extrude(
                Paint(any_color(rng), "sail2"), np.array([(0.15, 0.5), (0.15, 1.3), (0.7, 0.45)]), 0.03, axis="x"
            ),
        ]
    else:
        parts += [
            solids.block(wing, (-0.16, 0.28, -0.4), (0.16, 0.6, 0.15), 0.02),
            solids.rod(_paint(rng, "funnel"), (0, 0.55, -0.2), (0, 0.9, -0.25), 0.09),
        ]
    return parts


def noisy(rng: np.random.Generator) -> list[Part]:
    """Drum, xylophone or abacus."""
    if rng.random() < 0.5:
        tall, paint = rng.uniform(0.4, 0.8), _paint(rng, "drum")
        parts = [
            solids.lathe(paint, [(0.48, 0), (0.48, tall)], sides=26),
            solids.ellipsoid(Paint(WHITE, "skin"), (0.46, 0.05, 0.46), (0, tall, 0)),
        ]
        parts += [solids.torus(_paint(rng, "hoop"), 0.5, 0.04, (0, y, 0), sides=26) for y in (0.02, tall - 0.02)]
        for i in range(12):
            a, b = 2 * np.pi * i / 12, 2 * np.pi * (i + 0.5 * (-1) ** i) / 12
            parts.append(
                solids.rod(
                    Paint(WHITE, "cord"),
                    (0.5 * np.sin(a), 0.04, 0.5 * np.cos(a)),
                    (0.5 * np.sin(b), tall - 0.04, 0.5 * np.cos(b)),
                    0.018,
                    sides=5,
                )
            )
        for z in (0.05, 0.2):
            parts += [
                solids.rod(Paint(WOOD[0], "stick"), (-0.4, tall + 0.08, z), (0.5, tall + 0.1, z + 0.1), 0.025),
                pebble((-0.4, tall + 0.08, z), 0.05, WOOD[0], "stick"),
            ]
        return parts
    parts, wood = [], Paint(pick(rng, WOOD), "wood")
    if rng.random() < 0.5:
        for side in (1, -1):
            parts.append(solids.bar(wood, (-0.7, 0.06, side * 0.3), (0.7, 0.06, side * 0.18), 0.08, 0.08))
        for i, x in enumerate(np.linspace(-0.62, 0.62, 8)):
            parts.append(
                solids.box(
                    Paint(any_color(rng), f"bar{i}"), np.array([0.14, 0.05, 0.95 - 0.05 * i]), (x, 0.13, 0), 0.012
                )
            )
        return parts
    for x in (-0.6, 0.6):
        parts.append(solids.block(wood, (x - 0.06, 0, -0.15), (x + 0.06, 1.1, 0.15), 0.02))
    parts.append(solids.block(wood, (-0.6, 0.0, -0.1), (0.6, 0.08, 0.1)))
    for y in np.linspace(0.22, 1.0, 5):
        parts.append(solids.rod(Paint((190, 190, 190), "wire"), (-0.58, y, 0), (0.58, y, 0), 0.02, sides=6))
        split, color = rng.integers(0, 8), any_color(rng)
        for i in range(7):
            parts.append(pebble((-0.48 + 0.1 * i + 0.3 * (i >= split), y, 0), (0.048, 0.075, 0.075), color, "beads"))
    return parts


TOYS: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    on_wheels,
    on_wheels,
    on_wheels,
    rocking_horse,
    car,
    car,
    train,
    ball,
    blocks,
    spinner,
    spinner,
    doll,
    doll,
    flyer,
    noisy,
    brickman,
    teddy,
)
