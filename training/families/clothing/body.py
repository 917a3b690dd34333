"""Clothes as if worn by nobody; chests towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, oval, rounded
from training.families.paints import Rng, brass, cloth, leather, painted, pick
from training.families.parts import both, box, ellipsoid, extrude, frame, lathe, stacked, torus, tube, turned, warped
from training.shapes import Part


def shirt(rng: Rng) -> list[Part]:
    """A T-shirt, shirt, jacket or jumper filled by nobody."""
    paint, trim = cloth(rng, "shirt"), painted(rng, "button")
    w, high, d = rng.uniform(44, 56), rng.uniform(58, 78), rng.uniform(18, 25)
    body = [
        (0.98, 1, 0.0, 0, 0),
        (1.0, 1, 0.04, 0, 0),
        (0.9, 0.92, 0.45, 0, 0),
        (0.98, 1, 0.78, 0, 0),
        (0.86, 0.8, 0.93, -0.5, 0),
        (0.34, 0.6, 0.99, -1, 0.12),
        (0.3, 0.55, 1.03, -1, 0.12),
        (0.25, 0.46, 1.03, -1, 0.12),
        (0.2, 0.36, 0.9, -1, 0),
    ]
    parts = [stacked(paint, [(a * w, b * d, c * high, z, t) for a, b, c, z, t in body], 0.75)]
    long, out = rng.uniform(16, 58), rng.uniform(0.12, 0.9)
    arm = np.array((np.sin(out), -np.cos(out), 0.12))
    shoulder = np.array((0.38 * w, 0.88 * high, -0.5))
    line = [
        shoulder - arm * 2,
        shoulder + arm * 5 + (2, 0, 0),
        shoulder + arm * 0.55 * long + (2.5, 0, -0.6),
        shoulder + arm * long + (2.5, 0, 1.2),
    ]
    parts += both(tube(paint, line, [8, 7.6, 6.4, 5.6], 12)) + both(
        tube(trim if rng.random() < 0.3 else paint, [line[-1] - arm * 2.6, line[-1] + arm * 0.4], 6.1, 12)
    )
    front = d / 2
    if rng.random() < 0.6:
        parts += [
            box(paint, (3, 0.86 * high, 2), (0, 0.46 * high, front - 1.4), bevel=0.5),
            *(
                ellipsoid(trim, (0.9, 0.9, 0.7), (0, y * high, front - 0.2), 8, rings=4)
                for y in np.linspace(0.1, 0.84, 6)
            ),
        ]
        parts += both(
            turned(box(paint, (7, 9, 1.8), (4.4, 0.95 * high, front - 3.6), bevel=0.5), -24, "z", (4.4, 0.95 * high, 0))
        )
    if rng.random() < 0.5:
        parts += both(box(paint, (11, 12, 1.6), (0.25 * w, 0.22 * high, front - 2), bevel=0.5))
    return parts


def trousers(rng: Rng) -> list[Part]:
    """Trousers or shorts."""
    paint, belt_paint = cloth(rng), leather(rng)
    long, w = rng.uniform(26, 84), rng.uniform(36, 42)
    top = long + 24
    leg = tube(
        paint,
        [(0.22 * w, top - 14, 0), (0.27 * w, long - 3, 0), (0.29 * w, 0.5 * long, 0.6), (0.3 * w, 0, 0)],
        [9.4, 9.6, 7.4, rng.uniform(6, 10)],
        14,
    )
    hips = stacked(
        paint,
        [
            (0.8 * w, 20, long - 3, 0, 0),
            (w, 23, long + 5, 0, 0),
            (0.95 * w, 22, top - 8, 0, 0),
            (0.86 * w, 20, top, 0, 0),
            (0.78 * w, 18, top, 0, 0),
            (0.7 * w, 14, top - 7, 0, 0),
        ],
        0.8,
    )
    loop = oval(0.88 * w, 21, 24, 0.8)
    return [
        *both(leg),
        hips,
        frame(belt_paint, loop, loop * 0.93, 3.6, (0, top - 2.4, 0), "y"),
        box(brass(rng), (4, 3.4, 1.2), (0, top - 2.4, 10.4), bevel=0.3),
        *both(box(paint, (9, 9, 1.4), (0.22 * w, top - 13, -10.6), bevel=0.4)),
    ]


def dress(rng: Rng) -> list[Part]:
    """A dress or skirt with folds."""
    paint, trim = cloth(rng, "dress"), painted(rng, "trim")
    high, hem, folds = rng.uniform(70, 110), rng.uniform(20, 40), int(rng.integers(6, 11))
    body = lathe(
        paint,
        curve(
            [
                (hem, 0),
                (0.75 * hem + 4, 0.3 * high),
                (11, 0.62 * high),
                (15, 0.82 * high),
                (13, 0.95 * high),
                (9, high),
            ],
            3,
        ),
        sides=folds * 4,
    )
    v = body.vertices
    wave = np.clip(1 - v[:, 1] / (0.6 * high), 0, 1)
    v[:, [0, 2]] *= (1 + 0.09 * wave * np.cos(folds * np.arctan2(v[:, 2], v[:, 0])))[:, None]
    parts = [
        warped(body, lambda p: p * (1, 1, 0.72)),
        warped(torus(trim, 11.4, 1.6, (0, 0.62 * high, 0), sides=24), lambda p: p * (1, 1, 0.76)),
    ]
    return (
        parts + both(tube(paint, [(10, 0.93 * high, 0), (17, 0.86 * high, 0), (20, 0.76 * high, 1)], [5, 5, 4.6], 10))
        if rng.random() < 0.7
        else parts
    )


def belt(rng: Rng) -> list[Part]:
    """A rolled belt, a bow tie or a tie."""
    paint, metal = pick(rng, (leather, cloth))(rng, "belt"), brass(rng)
    if rng.random() < 0.5:
        return [
            extrude(paint, [(-2, 0), (2, 0), (2.6, 4), (-2.6, 4)], 2.2, (0, 38, 0.4), bevel=0.5),
            extrude(paint, [(-1.6, 39), (1.6, 39), (4.4, 4), (0, -1), (-4.4, 4)], 1.2, bevel=0.3),
            torus(paint, 7.4, 0.9, (0, 43, -6.6), sides=24),
        ]
    loop = oval(26, 22, 32)
    return [
        frame(paint, loop, loop * 0.93, 4, (0, 2, 0), "y"),
        frame(metal, rounded(6, 5.6, 0.8), rounded(4, 3.6, 0.4), 1, (0, 2, 11.4)),
        box(paint, (9, 3.6, 1), (6, 2, 11.2), bevel=0.2),
    ]


def glove(rng: Rng) -> list[Part]:
    """A glove or mitten standing on its cuff."""
    paint, cuff = pick(rng, (leather, cloth))(rng, "glove"), painted(rng, "cuff")
    palm = [
        ellipsoid(paint, (4.4, 6, 1.9), (0, 11, 0), 18, 0.7),
        lathe(cuff, [(3.4, 0), (3.9, 0.6), (3.6, 5), (3, 6.4)], sides=20),
        tube(paint, [(3, 8, 0.4), (5.6, 11, 0.8), (6.6, 14.6, 0.8)], [1.5, 1.35, 1.1], 10),
    ]
    if rng.random() < 0.35:
        return [*palm, ellipsoid(paint, (4.3, 6, 1.8), (-0.4, 16, 0), 18, 0.8)]
    tips = ((-3.3, 20.4), (-1.1, 22.6), (1.1, 22), (3.3, 20))
    return [
        *palm,
        *(
            tube(paint, [(x * 0.92, 14, 0), (x * 1.1, y - 0.8, 0), (x * 1.12, y, 0)], [1.2, 1.05, 0.6], 10)
            for x, y in tips
        ),
    ]
