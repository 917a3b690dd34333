"""Bags, suitcases and umbrellas; their fronts face +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, rounded
from training.families.paints import Rng, brass, bright, cloth, dark, leather, painted, pick, steel
from training.families.parts import both, box, cushion, extrude, lathe, moved, ring, rod, torus, tube, turned, warped
from training.shapes import Part


def handbag(rng: Rng) -> list[Part]:
    """A handbag, tote, purse or doctor's bag."""
    paint, metal = pick(rng, (leather, cloth, bright))(rng, "bag"), pick(rng, (brass, steel))(rng, "metal")
    w, high, d = rng.uniform(24, 40), rng.uniform(18, 34), rng.uniform(8, 16)
    taper = rng.uniform(0.55, 1.0)
    body = cushion(paint, (w, high, d), (0, high / 2, 0), rng.uniform(0.12, 0.3))
    parts = [
        warped(
            body,
            lambda p: (
                p
                * np.column_stack(
                    [1 - 0.2 * p[:, 1] / high * (taper < 0.8), np.ones(len(p)), 1 - (1 - taper) * p[:, 1] / high]
                )
            ),
        )
    ]
    reach, x = rng.uniform(8, 22), rng.uniform(0.2, 0.34) * w
    bow = [
        (-x, 0.86 * high, 0),
        (-0.9 * x, high + 0.75 * reach, 0),
        (0, high + reach, 0),
        (0.9 * x, high + 0.75 * reach, 0),
        (x, 0.86 * high, 0),
    ]
    handles = tube(leather(rng, "handle"), bow, rng.uniform(0.6, 1), 8)
    parts += [moved(handles, (0, 0, s * 0.45 * d * taper)) for s in (-1, 1)] if rng.random() < 0.6 else [handles]
    if rng.random() < 0.55:
        parts.append(
            extrude(
                paint, rounded(w * 0.9, high * 0.7, 4), 1.6, (0, 0.68 * high, 0.46 * d * (1 + taper) / 2), bevel=0.4
            )
        )
        parts.append(box(metal, (3, 3.4, 1.6), (0, 0.36 * high, 0.5 * d), bevel=0.4))
    else:
        parts.append(box(metal, (w * 0.8, 1.2, 1.4), (0, high * 0.985, 0), bevel=0.3))
    return parts + both(box(metal, (1, 2, d * taper), (x, 0.84 * high, 0), bevel=0.2))


def backpack(rng: Rng) -> list[Part]:
    """A backpack with pockets, straps behind, a flap or a rolled mat."""
    paint, trim, strap = cloth(rng, "bag"), painted(rng, "trim"), dark(rng, "strap")
    w, high, d = rng.uniform(26, 34), rng.uniform(36, 54), rng.uniform(14, 20)
    parts = [
        cushion(paint, (w, high, d), (0, high / 2, 0), 0.3),
        cushion(
            trim if rng.random() < 0.5 else paint, (0.76 * w, 0.42 * high, 0.5 * d), (0, 0.28 * high, 0.5 * d), 0.3
        ),
        box(strap, (0.6 * w, 0.9, 1), (0, 0.44 * high, 0.73 * d), bevel=0.2),
    ]
    parts += both(
        tube(
            strap,
            [
                (0.22 * w, 0.93 * high, -0.45 * d),
                (0.26 * w, 0.8 * high, -0.85 * d),
                (0.3 * w, 0.4 * high, -0.85 * d),
                (0.34 * w, 0.12 * high, -0.4 * d),
            ],
            1.1,
            6,
            flat=2.4,
        )
    )
    parts.append(
        tube(
            strap,
            [
                (-3.4, 0.95 * high, -0.4 * d),
                (-3, high + 3.4, -0.42 * d),
                (3, high + 3.4, -0.42 * d),
                (3.4, 0.95 * high, -0.4 * d),
            ],
            0.9,
            6,
        )
    )
    if rng.random() < 0.5:
        parts += [
            cushion(trim, (w, 0.2 * high, 1.12 * d), (0, 0.92 * high, 0.4), 0.35),
            *both(box(strap, (2, 0.4 * high, 1.4), (0.24 * w, 0.72 * high, 0.52 * d), bevel=0.3)),
        ]
    if rng.random() < 0.5:
        parts += both(cushion(paint, (7, 0.36 * high, 0.6 * d), (w / 2, 0.24 * high, 0), 0.4))
    if rng.random() < 0.25:
        parts += [
            rod(bright(rng, "mat"), (-0.56 * w, high + 4, 0), (0.56 * w, high + 4, 0), 5, sides=18),
            *both(torus(strap, 5.2, 0.7, (0.3 * w, high + 4, 0), "x")),
        ]
    return parts


def suitcase(rng: Rng) -> list[Part]:
    """A trolley case or an old suitcase."""
    paint, black, metal = pick(rng, (bright, leather, dark))(rng, "case"), dark(rng), pick(rng, (steel, brass))(rng)
    w, high, d = rng.uniform(36, 46), rng.uniform(50, 70), rng.uniform(20, 28)
    if rng.random() < 0.5:
        parts = [
            box(paint, (w, high, d), (0, high / 2 + 4, 0), bevel=rng.uniform(2, 5)),
            *(
                box(paint, (2.4, 0.86 * high, d + 1.4), (x * w, high / 2 + 4, 0), bevel=0.5)
                for x in np.linspace(-0.36, 0.36, int(rng.integers(3, 7)))
            ),
            box(black, (w + 0.6, high + 0.6, 1.2), (0, high / 2 + 4, 0), bevel=0.4),
        ]
        parts += [
            rod(black, (x * 0.4 * w - 1, 2.6, z * 0.36 * d), (x * 0.4 * w + 1, 2.6, z * 0.36 * d), 2.6, sides=14)
            for x in (-1, 1)
            for z in (-1, 1)
        ]
        pull = rng.uniform(4, 40)
        return [
            *parts,
            *both(rod(metal, (7, high, -0.4 * d), (7, high + 4 + pull, -0.4 * d), 0.8)),
            rod(black, (-8.4, high + 4 + pull, -0.4 * d), (8.4, high + 4 + pull, -0.4 * d), 1.4),
            tube(black, [(-6, high + 3.6, 0), (-5, high + 6.4, 0), (5, high + 6.4, 0), (6, high + 3.6, 0)], 1, 8),
        ]
    w, high = high, w
    parts = [
        box(paint, (w, high, d), (0, high / 2, 0), bevel=1.4),
        box(metal, (w + 0.7, high + 0.7, 1.2), (0, high / 2, 0)),
        tube(black, [(-7, high, 0), (-6, high + 4.6, 0), (6, high + 4.6, 0), (7, high, 0)], 1.2, 8),
    ]
    corner = [box(black, (7, 7, d + 0.8), (0.5 * w - 3.2, y, 0), bevel=1) for y in (3.2, high - 3.2)]
    return parts + both(
        [
            *corner,
            box(leather(rng, "belt"), (3.6, high + 1, d + 1), (0.26 * w, high / 2, 0), bevel=0.4),
            box(metal, (3.4, 4, 2), (0.26 * w, 0.76 * high, d / 2 + 0.6), bevel=0.3),
        ]
    )


def umbrella(rng: Rng) -> list[Part]:
    """An open, closed or garden umbrella."""
    paint, metal, grip = bright(rng, "cloth"), steel(rng), pick(rng, (leather, dark))(rng, "grip")
    r, high, count = rng.uniform(42, 56), rng.uniform(74, 92), 8
    hook = tube(grip, [(0, 8, 0), (0, 1, 0), (2, -4, 0), (6, -4, 0), (7.4, 1, 0)], 1.4, 8)
    if rng.random() < 0.3:
        return turned(
            [
                lathe(paint, curve([(1.2, 12), (4.4, 24), (3.6, 50), (1, 74)], 3), sides=16),
                rod(metal, (0, 6, 0), (0, 82, 0), 0.9),
                hook,
            ],
            pick(rng, (0, 180, 150)),
            "z",
        )
    outer = curve([(r, 0), (0.8 * r, 0.2 * r), (0.45 * r, 0.36 * r), (0.02 * r, 0.44 * r)], 2)
    top = lathe(
        paint,
        np.concatenate([[(0, 0.44 * r - 1.6)], (outer - (0.8, 1.5))[::-1], outer, [(0, 0.44 * r)]]),
        (0, high - 0.44 * r, 0),
        count * 2,
    )
    v = top.vertices
    t = np.hypot(v[:, 0], v[:, 2]) / r
    v[:, 1] += 3.4 * t * t * np.abs(np.cos(count / 2 * np.arctan2(v[:, 2], v[:, 0])))
    ribs = ring(tube(metal, [(0, high * 0.72, 0), (0, high - 0.2 * r, 0.55 * r)], 0.6, 4), count)
    parts = [top, rod(metal, (0, 6, 0), (0, high + 5, 0), 1), *ribs]
    if rng.random() < 0.35:
        return [
            *parts,
            rod(metal, (0, -30, 0), (0, 8, 0), 1.3),
            lathe(dark(rng), [(17, -32), (17, -29), (3, -26)], sides=20),
        ]
    return turned([*parts, hook], pick(rng, (0, 0, 40, 115)), "z")
