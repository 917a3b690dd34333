"""Hats, helmets, crowns and spectacles; faces towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, oval
from training.families.paints import Rng, brass, bright, cloth, dark, glass, leather, painted, pick, steel, white
from training.families.parts import both, box, cushion, ellipsoid, extrude, frame, lathe, ring, rod, torus, tube, warped
from training.shapes import Part


def hat(rng: Rng) -> list[Part]:
    """A brimmed hat, top hat, bowler, witch's hat or sombrero."""
    paint, band = pick(rng, (dark, leather, cloth))(rng, "felt"), painted(rng, "band")
    brim, high = rng.uniform(13, 24), rng.uniform(9, 16)
    crowns = {
        "top": [(8.2, 1), (8, 0.6 * high), (8.6, 1.3 * high), (0, 1.3 * high)],
        "bowler": [(8.6, 1), (8.4, 0.5 * high), (6, 0.85 * high), (2, high), (0, high)],
        "witch": [(8.6, 1), (6, 0.7 * high), (3, 1.6 * high), (0.4, 2.3 * high)],
        "fedora": [(8.4, 1), (7.8, 0.6 * high), (6.4, high), (3, 0.96 * high), (0, 0.85 * high)],
    }
    crown = pick(rng, list(crowns.values()))
    bend = rng.uniform(-1, 3.4)
    base = lathe(paint, [(8, -0.2), (brim, 0.2), (brim + 0.3, 0.7), (brim, 1.2), (8, 1.3)], sides=36)
    v = base.vertices
    v[:, 1] += bend * (np.abs(v[:, 0]) / brim) ** 3 - 0.4 * bend * (np.abs(v[:, 2]) / brim) ** 3
    parts = [
        base,
        lathe(paint, crown if len(crown) < 5 else curve(crown, 2), sides=28),
        lathe(band, [(8.75, 1), (8.55, 3.4)], sides=28),
    ]
    parts = warped(parts, lambda p: p * (0.88, 1, 1))
    return (
        [*parts, tube(bright(rng, "feather"), [(7.4, 2, 0), (8, 7, -2), (8.6, 12, -6)], [0.8, 1.4, 0.5], 6, flat=0.4)]
        if rng.random() < 0.25
        else parts
    )


def cap(rng: Rng) -> list[Part]:
    """A baseball cap, woollen hat, chef's hat or beret."""
    paint, trim = cloth(rng, "cap"), bright(rng, "trim")
    style = pick(rng, ("base", "base", "wool", "chef"))
    if style == "base":
        dome = lathe(paint, curve([(9, 0), (9.2, 3), (7.6, 8), (3.4, 11), (0, 11.6)], 3), sides=24)
        shade = extrude(
            trim if rng.random() < 0.5 else paint,
            np.array(
                [(7.6 * np.cos(a), 7.4 + 9 * np.sin(a)) for a in np.linspace(0, np.pi, 13)] + [(-8.4, 2), (8.4, 2)]
            ),
            1.0,
            (0, 0.7, 0),
            "y",
            bevel=0.2,
        )
        shade.vertices[:, 1] -= 0.022 * shade.vertices[:, 0] ** 2 - 0.4
        return [
            warped(dome, lambda p: p * (0.92, 1, 1.05)),
            shade,
            ellipsoid(trim, (0.9, 0.6, 0.9), (0, 11.7, 0), 10),
            *ring(tube(trim, [(0, 0.5, 9.1), (0, 6, 8.4), (0, 11.4, 0.8)], 0.25, 4), 6),
            box(trim, (5, 3.4, 0.8), (0, 5, 9.3), bevel=0.2),
        ]
    if style == "wool":
        return [
            lathe(paint, curve([(9, 4), (9, 8), (7, 14), (2, 17.6), (0, 18)], 3), sides=24),
            lathe(trim, [(8.8, 0), (9.8, 0.6), (9.8, 5), (8.9, 5.6)], sides=24),
            ellipsoid(white(rng, "pompom"), (3, 3, 3), (0, 19.6, 0), 12),
        ]
    puff = ellipsoid(white(rng, "cloth"), (12, 7, 12), (0, 16, 0), 32, 0.85)
    puff.vertices[:, [0, 2]] *= (1 + 0.06 * np.cos(8 * np.arctan2(puff.vertices[:, 2], puff.vertices[:, 0])))[:, None]
    return [lathe(white(rng, "cloth"), [(8.6, 0), (9, 0.5), (8.8, 12)], sides=24), puff]


def helmet(rng: Rng) -> list[Part]:
    """A crash, bicycle, builder's, knight's or astronaut's helmet."""
    paint, black, pane = pick(rng, (bright, white, steel))(rng, "shell"), dark(rng), glass(rng, "visor")
    style = pick(rng, ("crash", "builder", "knight", "bike"))
    if style == "builder":
        return [
            lathe(paint, curve([(11, 0), (11.4, 2), (10, 8), (5, 13), (0, 14)], 3), sides=28),
            lathe(paint, [(10, -0.4), (13.6, -0.4), (13.8, 0.4), (11, 1.2)], sides=32),
            *(
                tube(paint, [(x, 3, 11), (x, 11, 7), (x, 14.2, 0), (x, 11, -7), (x, 3, -11)], 0.9, 6)
                for x in (-2.6, 0, 2.6)
            ),
        ]
    if style == "knight":
        return [
            lathe(paint, curve([(8, 0), (9.6, 4), (9.8, 14), (7, 22), (0, 26)], 3), sides=24),
            *(box(black, (1, 5.4, 1.4), (x, 8, 9.4)) for x in (-3, -1, 1, 3)),
            box(black, (13, 1.8, 3), (0, 15, 8.4)),
            box(paint, (1.4, 18, 2), (0, 12, 9.8), bevel=0.3),
            tube(bright(rng, "plume"), [(0, 25, 2), (0, 33, -1), (0, 31, -9), (0, 20, -14)], [1.4, 3, 3.4, 1.6], 8),
        ]
    shell = ellipsoid(paint, (11, 11.4, 13), (0, 13, 0), 24, 0.9, 12)
    if style == "bike":
        shell.vertices[:, 1] = np.maximum(shell.vertices[:, 1], 11)
        return [
            shell,
            *(ellipsoid(black, (1.2, 2.2, 7), (x, 22.6 - 0.09 * x * x, 0), 10) for x in (-6, -2, 2, 6)),
            *both(tube(black, [(9.4, 12, 2), (7, 3, 3), (0, -2, 4)], 0.7, 6)),
            extrude(black, [(-8, 11), (8, 11), (5, 15.6), (-5, 15.6)], 1.2, (0, 11.4, 0), "y"),
        ]
    shell.vertices[:, 1] = np.maximum(shell.vertices[:, 1], 3)
    return [
        shell,
        ellipsoid(pane, (9.2, 5.2, 6), (0, 14, 8), 20, 0.7),
        box(paint, (12, 5.4, 6), (0, 5.6, 10), bevel=2),
        *both(rod(black, (10, 14, 1), (11.6, 14, 1), 2)),
        torus(black, 8.4, 1.1, (0, 3, -1), sides=24),
    ]


def spectacles(rng: Rng) -> list[Part]:
    """Glasses or sunglasses."""
    paint, pane = pick(rng, (dark, bright, brass))(rng, "frame"), pick(rng, (glass, dark))(rng, "lens")
    w, high, square = rng.uniform(5, 6.4), rng.uniform(3.8, 5.4), pick(rng, (1.0, 0.6, 0.4))
    loop = oval(w, high, 24, square) + (3.6, 0)
    centre = np.array((3.6, 0))
    side = [
        frame(paint, (loop - centre) * 1.13 + centre, (loop - centre) * 0.96 + centre, 0.6),
        extrude(pane, loop, 0.35),
        tube(
            paint,
            [
                (3.6 + w / 2, 0.8, 0),
                (4.3 + w / 2, 0.8, -1),
                (4.3 + w / 2, 0.9, -9),
                (4.2 + w / 2, 0, -12),
                (4.0 + w / 2, -2, -14),
            ],
            0.34,
            6,
            flat=0.8,
        ),
    ]
    return [
        *both(side),
        tube(paint, [(-1.2, 0.4, 0), (0, 0.9, 0.2), (1.2, 0.4, 0)], 0.36, 6),
        *both(ellipsoid(pane, (0.3, 0.7, 0.5), (1.0, -0.8, -0.6), 6)),
    ]


def crown(rng: Rng) -> list[Part]:
    """A crown with stones, or a ring."""
    gold, gem = brass(rng), bright(rng, "gem")
    if rng.random() < 0.35:
        return [
            torus(gold, 9, 1.5, (0, 0, 0), "z", 32),
            lathe(gold, [(1.4, 9.4), (3, 11.6), (2.6, 12.2)], sides=12),
            lathe(gem, [(2.2, 11.4), (3.6, 13.4), (2.4, 14.8), (0, 15)], sides=8),
        ]
    count = int(rng.integers(5, 9))
    spike = [
        extrude(gold, [(-2.6, 3), (2.6, 3), (0, rng.uniform(10, 15))], 1.2, (0, 0, 10)),
        ellipsoid(gem, (1.1, 1.1, 1.1), (0, 12.6, 10), 10, rings=5),
        ellipsoid(gem, (1.2, 1, 0.8), (0, 1.8, 10.8), 8, rings=5),
    ]
    return [
        lathe(gold, [(9.4, 0), (10.6, 0), (10.6, 4), (9.4, 4)], sides=28),
        torus(gold, 10.4, 0.8, (0, 0.2, 0), sides=28),
        *ring(spike, count),
        *([cushion(cloth(rng, "lining"), (18, 13, 18), (0, 5, 0), 0.8)] if rng.random() < 0.5 else []),
    ]
