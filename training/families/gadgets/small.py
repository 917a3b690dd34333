"""Gadgets that fit a hand or a wall; screens, lenses and keys face +Z."""

from __future__ import annotations

import numpy as np

from training.families.gadgets.cases import body
from training.families.outlines import circle, curve, mirror_outline, rounded
from training.families.paints import Rng, brass, bright, dark, leather, painted, pick, screen, steel, white
from training.families.parts import (
    aimed,
    both,
    box,
    ellipsoid,
    extrude,
    frame,
    lathe,
    moved,
    rod,
    sheet,
    torus,
    tube,
    turned,
)
from training.shapes import Part


def leaning(rng: Rng, parts: list[Part]) -> list[Part]:
    """Flat objects: upright, leaning back or lying."""
    return turned(parts, -pick(rng, (0.0, 0.0, rng.uniform(10, 40), 90.0)), "x")


def phone(rng: Rng) -> list[Part]:
    """A smart phone, flip phone or old mobile."""
    paint, pane, black = body(rng), screen(rng), dark(rng, "key")
    width, high, thick = rng.uniform(6, 8), rng.uniform(12, 16), rng.uniform(0.8, 1.3)
    parts = [extrude(paint, rounded(width, high, rng.uniform(0.5, 1.3)), thick, bevel=0.22)]
    if rng.random() < 0.6:
        parts += [
            extrude(pane, rounded(0.92 * width, rng.uniform(0.82, 0.95) * high, 0.6), 0.25, (0, 0, thick / 2)),
            box(paint, (0.3, 1.6, 0.5), (width / 2, 0.2 * high, 0)),
        ]
        parts += [
            extrude(black, rounded(2, 2.4, 0.5), 0.5, (-0.25 * width, 0.36 * high, -thick / 2)),
            *(
                rod(pane, (-0.25 * width, y * high, -thick / 2 - 0.1), (-0.25 * width, y * high, -thick / 2 - 0.5), 0.5)
                for y in (0.33, 0.39)
            ),
        ]
        return leaning(rng, parts)
    thick *= 1.6
    parts = [
        extrude(paint, rounded(width, high, 1.5), thick, bevel=0.4),
        box(pane, (0.74 * width, 0.34 * high, 0.3), (0, 0.24 * high, thick / 2)),
    ]
    parts += [
        box(
            black,
            (0.2 * width, 0.055 * high, 0.5),
            (x * 0.26 * width, (-0.08 - 0.09 * i) * high, thick / 2),
            bevel=0.12,
        )
        for x in (-1, 0, 1)
        for i in range(4)
    ]
    return leaning(rng, [*parts, rod(paint, (0.36 * width, 0.45 * high, 0), (0.36 * width, 0.68 * high, 0), 0.5)])


def remote(rng: Rng) -> list[Part]:
    """A remote control or pocket calculator."""
    paint, key = body(rng), painted(rng, "key")
    width, high, thick = rng.uniform(4, 9), rng.uniform(13, 20), rng.uniform(1.2, 2.2)
    parts = [extrude(paint, rounded(width, high, rng.uniform(0.4, 2)), thick, bevel=0.3)]
    columns, rows = int(rng.integers(3, 5)), int(rng.integers(4, 8))
    top = 0.45 * high if rng.random() < 0.5 else 0.22 * high
    if top < 0.3 * high:
        parts.append(box(screen(rng), (0.8 * width, 0.15 * high, 0.3), (0, 0.36 * high, thick / 2)))
    step = (top + 0.42 * high) / rows
    for i in range(rows):
        for j in range(columns):
            at = ((j - (columns - 1) / 2) * 0.84 * width / columns, top - (i + 0.5) * step, thick / 2)
            parts.append(box(key, (0.55 * width / columns, 0.5 * step, 0.6), at, bevel=0.15))
    return leaning(rng, parts)


def alarm_clock(rng: Rng) -> list[Part]:
    """A clock with two bells, or a digital clock."""
    paint, face, black, metal = (
        painted(rng, "case"),
        white(rng, "dial"),
        dark(rng, "hand"),
        pick(rng, (steel, brass))(rng),
    )
    if rng.random() < 0.3:
        parts = [
            extrude(paint, [(-4, 0), (4, 0), (2.4, 7), (-4, 7)], 16, axis="x", bevel=0.5),
            turned(box(screen(rng), (13, 4.6, 0.6), (0, 3.6, 3.4)), -13, "x", (0, 3.6, 3.4)),
        ]
        return [*parts, *(box(metal, (1.6, 0.6, 1.2), (x, 7.1, -1), bevel=0.2) for x in (-4, 0, 4))]
    r, z = 6.0, 2.0
    shell = turned(lathe(paint, [(0.7 * r, -z - 0.6), (r, -z), (r, z), (0.88 * r, z + 0.3)], sides=28), 90, "x")
    parts = [
        shell,
        frame(metal, circle(r * 1.03, 28), circle(0.86 * r, 28), 1, (0, 0, z)),
        extrude(face, circle(0.88 * r, 28), 0.6, (0, 0, z)),
    ]
    parts += [turned(box(black, (0.3, 0.8, 0.3), (0, 0.72 * r, z + 0.4)), 30 * i, "z") for i in range(12)]
    parts += [
        turned(box(black, (0.35, q * r, 0.3), (0, 0.45 * q * r, z + 0.6)), rng.uniform(0, 360), "z")
        for q in (0.45, 0.66)
    ]
    bell = lathe(metal, [(2.6, 0), (2.4, 1), (1.4, 2), (0, 2.4)], sides=18)
    parts += both(aimed(bell, (0.55, 0.83, 0), (3.6, 5.6, 0))) + both(
        rod(metal, (3.4, -4.6, 0), (4.8, -7.4, 0), 0.6, 0.9)
    )
    bow = tube(metal, [(-3, 8.4, 0), (-2, 10.4, 0), (2, 10.4, 0), (3, 8.4, 0)], 0.4, 8)
    return [
        *parts,
        bow,
        rod(metal, (0, 5.6, 0), (0, 8, 0), 0.4),
        ellipsoid(metal, (0.8, 1, 0.8), (0, 8.3, 0), 10),
        rod(metal, (0, 0, -z - 0.6), (0, 0, -z - 1.6), 1),
    ]


def plug(rng: Rng) -> list[Part]:
    """A plug with a cable, a socket, a switch or a multi-way strip."""
    paint, metal, black = pick(rng, (white, dark))(rng, "case"), steel(rng), dark(rng, "hole")
    style = int(rng.integers(4))
    if style == 0:
        parts = [
            extrude(paint, rounded(5, 4, 1.5), 4, bevel=0.6),
            *both(rod(metal, (0.95, 0, 1.8), (0.95, 0, 5.4), 0.42, sides=10)),
        ]
        return [
            *parts,
            tube(
                paint,
                [(0, 0, -1.8), (0, 0, -5), (1, -1, -9), (5, -1.6, -13), (11, -1.6, -12)],
                [1.2, 0.7, 0.5, 0.5, 0.5],
                8,
            ),
        ]
    if style == 1:
        count = int(rng.integers(1, 4))
        parts = [extrude(paint, rounded(8 * count, 8, 0.8), 1.2, bevel=0.3)]
        for i in range(count):
            x = (i - (count - 1) / 2) * 7.4
            parts += [
                frame(paint, circle(2.6, 20), circle(2.1, 20), 1, (x, 0, 0.9)),
                rod(paint, (x, 0, 0), (x, 0, 0.9), 2.2, sides=20),
                *(rod(black, (x + s, 0, 0.5), (x + s, 0, 1.1), 0.4, sides=8) for s in (-0.9, 0.9)),
            ]
        return parts
    if style == 2:
        return [
            extrude(paint, rounded(8, 8, 0.8), 1.2, bevel=0.3),
            turned(box(paint, (5.4, 5.4, 1.2), (0, 0, 0.8), bevel=0.3), pick(rng, (-6, 6)), "x"),
            *both(rod(metal, (3.3, 0, 0.4), (3.3, 0, 0.8), 0.3, sides=8)),
        ]
    count = int(rng.integers(3, 7))
    long = 5 * count + 4
    parts = [extrude(paint, rounded(long, 5.4, 1.2), 3.6, (0, 1.8, 0), "y", bevel=0.4)]
    for i in range(count):
        x = (i - (count - 1) / 2) * 5 - 1
        parts += [
            torus(paint, 1.9, 0.3, (x, 3.7, 0), sides=18),
            *(rod(black, (x, 3.2, s), (x, 3.8, s), 0.4, sides=8) for s in (-0.9, 0.9)),
        ]
    return [
        *parts,
        box(bright(rng, "switch"), (1.6, 1, 2.4), (long / 2 - 1.6, 3.8, 0), bevel=0.3),
        tube(paint, [(-long / 2 + 0.5, 1.6, 0), (-long / 2 - 5, 1, 1), (-long / 2 - 9, 0.6, 6)], 0.5, 8),
    ]


def surveillance_camera(rng: Rng) -> list[Part]:
    """A camera on a wall arm, or a dome."""
    paint, black = pick(rng, (white, steel, dark))(rng, "case"), screen(rng, "lens")
    if rng.random() < 0.35:
        return [
            lathe(paint, [(7, 0), (7, 2), (6.4, 3), (6, 3.4)], sides=28),
            ellipsoid(black, (5.6, 5.4, 5.6), (0, 3, 0), 20),
            torus(paint, 5.7, 0.5, (0, 3.3, 0)),
        ]
    width, high, long = rng.uniform(6, 8), rng.uniform(6, 8), rng.uniform(16, 24)
    parts = [
        box(paint, (width, high, long), (0, 0, 0), bevel=1)
        if rng.random() < 0.6
        else moved(turned(rod(paint, (0, -long / 2, 0), (0, long / 2, 0), high / 2, sides=20), 90, "x"), (0, 0, 0))
    ]
    parts += [
        box(paint, (width + 1.4, 0.8, long + 4), (0, high / 2 + 0.8, 1.4), bevel=0.2),
        rod(black, (0, 0, long / 2 - 0.6), (0, 0, long / 2 + 0.6), 0.38 * high, sides=20),
        torus(paint, 0.4 * high, 0.35, (0, 0, long / 2 + 0.5), "z"),
    ]
    parts = turned(turned(parts, rng.uniform(5, 25), "x"), rng.uniform(-25, 25))
    arm = tube(
        paint,
        [(0, -0.4 * high, 0), (0, -0.4 * high - 6, 0), (0, -0.4 * high - 7, -8), (0, -0.4 * high - 7, -0.6 * long - 4)],
        1.2,
        8,
        steps=2,
    )
    return [
        *parts,
        arm,
        rod(paint, (0, -0.4 * high - 7, -0.6 * long - 5), (0, -0.4 * high - 7, -0.6 * long - 3), 4, sides=20),
        ellipsoid(paint, (2, 2, 2), (0, -0.5 * high - 1, 0), 10),
    ]


def old_telephone(rng: Rng) -> list[Part]:
    """A telephone with a dial and a receiver on its cradle."""
    paint, face, black = painted(rng, "case"), white(rng, "dial"), dark(rng, "hole")
    side = curve([(9, 0), (9, 3), (3, 8.5), (-3, 10), (-7, 8), (-9, 0)], 3)
    parts = [extrude(paint, side, 16, axis="x", bevel=1.2)]
    dial = [
        lathe(face, [(4.6, 0), (4.6, 0.6), (0, 0.7)], sides=24),
        *(moved(rod(black, (0, 0.4, 0), (0, 0.9, 0), 0.65, sides=10), (3.3 * c, 0, 3.3 * s)) for c, s in circle(1, 10)),
        rod(paint, (0, 0, 0), (0, 1.1, 0), 1.7, sides=16),
    ]
    if rng.random() < 0.3:
        dial = [
            box(face, (1.5, 0.9, 1.3), (x * 2.2, 0.4, z * 2), bevel=0.25)
            for x in (-1, 0, 1)
            for z in (-1.5, -0.5, 0.5, 1.5)
        ]
    parts += moved(turned(dial, 47, "x"), (0, 5.9, 5.9))
    parts += both(box(paint, (1.6, 3, 4.5), (5, 10, -3.5), bevel=0.5))
    grip = tube(
        paint,
        [(-9.5, 11.6, -3.5), (-8, 13.4, -3.5), (0, 14.2, -3.5), (8, 13.4, -3.5), (9.5, 11.6, -3.5)],
        [1.6, 1.5, 1.3, 1.5, 1.6],
        10,
    )
    parts += [grip, *both(lathe(paint, [(2.2, 0), (2.7, 0.8), (2.4, 1.8), (1.2, 2.4)], (9.6, 9.8, -3.5), 18))]
    t = np.linspace(0, 1, 14)
    cord = np.column_stack([-9.5 - 3 * np.sin(np.pi * t), 10 * (1 - t) + 0.8, -3.5 + 4 * t * t + 0.8 * np.sin(t * 40)])
    return [*parts, tube(black, cord, 0.42, 6, steps=2)]


def game_pad(rng: Rng) -> list[Part]:
    """A game controller or handheld console."""
    paint, black, pane = body(rng), dark(rng, "stick"), screen(rng)
    if rng.random() < 0.4:
        wide = rng.uniform(15, 22)
        parts = [extrude(paint, rounded(wide, 9, 2), 2, bevel=0.4), box(pane, (0.55 * wide, 6.6, 0.4), (0, 0.2, 1))]
    else:
        wide = 16.0
        half = curve([(0, -1.6), (3, -2), (5.6, -6.5), (8, -6), (7.8, 0), (6.4, 3.6), (3, 4), (0, 3.6)], 3)
        parts = [extrude(paint, mirror_outline(half), 3.2, bevel=1)]
        parts += (
            both(rod(black, (2.6, -1, 1.4), (2.6, -1, 2.6), 0.6))
            + both(ellipsoid(black, (1.3, 1.3, 0.5), (2.6, -1, 2.8), 12))
            + both(box(black, (3, 1.2, 1.8), (5, 4, -0.4), bevel=0.4))
        )
    x = 0.33 * wide
    z = 1.2 if len(parts) == 2 else 1.7
    parts += [
        box(black, (2.8, 0.9, 0.8), (-x, 1.2, z), bevel=0.2),
        box(black, (0.9, 2.8, 0.8), (-x, 1.2, z), bevel=0.2),
    ]
    parts += [
        ellipsoid(bright(rng, "button"), (0.55, 0.55, 0.5), (x + c, 1.2 + s, z), 10)
        for c, s in ((1.1, 0), (-1.1, 0), (0, 1.1), (0, -1.1))
    ]
    return leaning(rng, parts)


def watch(rng: Rng) -> list[Part]:
    """A wrist watch standing on its strap, or a pocket watch."""
    metal, strap, face = (
        pick(rng, (steel, brass, dark))(rng, "metal"),
        leather(rng),
        pick(rng, (white, screen))(rng, "dial"),
    )
    r = rng.uniform(1.8, 2.3)
    loop = circle(r, 24) if rng.random() < 0.7 else rounded(1.7 * r, 2 * r, 0.5, 5)
    dial = [
        extrude(metal, loop, 0.9, bevel=0.2),
        frame(metal, loop * 1.02, loop * 0.84, 0.5, (0, 0, 0.5)),
        extrude(face, loop * 0.86, 0.3, (0, 0, 0.45)),
        rod(metal, (0.9 * r, 0, 0), (1.25 * r, 0, 0), 0.25, sides=8),
    ]
    dial += [
        turned(box(dark(rng, "hand"), (0.13, q * r, 0.15), (0, 0.45 * q * r, 0.68)), rng.uniform(0, 360), "z")
        for q in (0.5, 0.7)
    ]
    if rng.random() < 0.25:
        chain = tube(metal, [(0, r + 0.9, 0), (1, r + 2.4, 0), (3.5, r + 2.2, 0.4), (5, r, 0)], 0.2, 6)
        return [
            *dial,
            torus(metal, 0.5, 0.15, (0, r + 0.7, 0), "z", 12),
            rod(metal, (0, r, 0), (0, r + 0.4, 0), 0.3),
            chain,
        ]
    a = np.linspace(0.5, 2 * np.pi - 0.5, 17)
    wide = np.linspace(-0.62, 0.62, 3) * r
    grid = np.empty((17, 3, 3))
    grid[..., 0] = wide[None]
    grid[..., 1], grid[..., 2] = (2.9 * np.sin(a))[:, None], (2.3 * np.cos(a) - 2.3)[:, None]
    parts = [*dial, sheet(strap, grid, 0.36)] + both(box(metal, (0.3, 2.4 * r, 0.6), (0.7 * r, 0, -0.15), bevel=0.1))
    return [*parts, frame(metal, rounded(1.5 * r, 1.2, 0.2), rounded(1.2 * r, 0.8, 0.2), 0.3, (0, 0, -4.8))]
