"""Toys: objects to ride, push, stack, spin, throw and cuddle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.families import parts as solids
from training.families.animals import BUILDS
from training.families.animals.quadrupeds import quadruped
from training.families.birds import KINDS as BIRDS
from training.families.birds import bird
from training.families.blobs import blob, bone, chain, egg, mirrored
from training.families.colors import any_color, pick
from training.families.figures import teddy
from training.families.figures.figurines import brickman
from training.families.parts import Paint
from training.families.slabs import curve, finer, pebble, slab, tube
from training.families.toys.playthings import ball, noisy, spinner
from training.families.toys.vehicles import BLACK, WHITE, car, flyer, toy_paint, train, wheel_pairs
from training.shapes import Part


def make(rng: np.random.Generator) -> list[Part]:
    """One toy."""
    return finer(TOYS[rng.integers(len(TOYS))](rng))


def _box_of(pieces: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    every = np.concatenate([piece.vertices for piece in pieces])
    return every.min(0), every.max(0)


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
        toy_paint(rng, "board"), np.array([2 * half, 0.06 * size, 2 * long]), (0, y - 0.03 * size, 0), 0.015 * size
    )
    wheels = solids.scaled(
        wheel_pairs(toy_paint(rng, "wheels"), half / size, (0.75 * long / size, -0.75 * long / size), 0.1, 0.05), size
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
    body, runner = toy_paint(rng, "body"), toy_paint(rng, "runners")
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


def blocks(rng: np.random.Generator) -> list[Part]:
    """A tower, a castle or a gate of wooden blocks, or a toppled heap."""
    parts: list[Part] = []
    if rng.random() < 0.5:
        y = 0.0
        for _ in range(rng.integers(3, 8)):
            size, kind = rng.uniform(0.25, 0.4), rng.integers(4)
            at, paint = (
                np.array([rng.normal(0, 0.03), y + size / 2, rng.normal(0, 0.03)]),
                toy_paint(rng, f"block{len(parts) % 4}"),
            )
            shape = (
                solids.rod(paint, at - (0, size / 2, 0), at + (0, size / 2, 0), size * 0.5, sides=20)
                if kind == 0
                else solids.box(paint, np.array([size * rng.choice([1, 1.4]), size, size]), at, 0.02)
            )
            parts.append(solids.turned(shape, rng.uniform(-25, 25), "y", at))
            y += size
        roof = solids.rod(
            toy_paint(rng, "roof"),
            (0, y - 0.01, 0),
            (0, y + 0.35, 0),
            0.24,
            0.01,
            sides=4 if rng.random() < 0.5 else 20,
        )
        return [*parts, roof]
    for x in (-0.5, 0.5):
        parts.append(solids.block(toy_paint(rng, "pillar"), (x - 0.15, 0, -0.15), (x + 0.15, 0.8, 0.15), 0.02))
        parts.append(solids.rod(toy_paint(rng, "roof"), (x, 1.08, 0), (x, 1.45, 0), 0.22, 0.01, sides=20))
    parts.append(solids.block(toy_paint(rng, "beam"), (-0.7, 0.8, -0.15), (0.7, 1.08, 0.15), 0.02))
    arch = np.stack([0.25 * np.cos(np.linspace(0, np.pi, 14)), 1.08 + 0.25 * np.sin(np.linspace(0, np.pi, 14))], 1)
    parts.append(solids.extrude(toy_paint(rng, "arch"), arch, 0.3, bevel=0.02))
    for _ in range(rng.integers(0, 4)):
        at = np.array([rng.uniform(-0.7, 0.7), 0.13, rng.uniform(0.3, 0.6)])
        parts.append(
            solids.turned(solids.box(toy_paint(rng, "loose"), np.full(3, 0.26), at, 0.02), rng.uniform(0, 90), "y", at)
        )
    return parts


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
