"""What stands in streets, yards and squares."""

from __future__ import annotations

import numpy as np

from training.families.outlines import circle, curve
from training.families.paints import Rng, bright, cream, dark, muted, painted, pick, steel, stone, white, wood
from training.families.parts import (
    Paint,
    bar,
    both,
    box,
    ellipsoid,
    extrude,
    lathe,
    moved,
    ring,
    rod,
    torus,
    tube,
    turned,
    vessel,
)
from training.shapes import Part


def mailbox(rng: Rng) -> list[Part]:
    """A letter box on a post or a pillar box."""
    paint, metal = bright(rng, "box"), steel(rng)
    if rng.random() < 0.35:
        return [
            lathe(paint, [(15, 0), (15, 5), (13, 7), (13, 70), (15, 73), (14, 77), (6, 81), (0, 82)], sides=24),
            box(dark(rng), (14, 2.4, 3), (0, 62, 12.5)),
            box(white(rng, "label"), (9, 11, 1.6), (0, 48, 12.8)),
        ]
    a = np.linspace(0, np.pi, 11)
    arch = np.concatenate([[(-9, 0), (9, 0)], np.column_stack([np.cos(a) * 9, 8 + np.sin(a) * 9])])
    parts = [
        extrude(paint, arch, 34),
        extrude(paint, arch * 1.06 - (0, 0.4), 2, (0, 0, 17)),
        box(metal, (4, 1.4, 1.6), (0, 13, 18.4)),
        box(bright(rng, "flag"), (1.2, 9, 2.2), (9.6, 14, 4)),
        box(bright(rng, "flag"), (1.2, 4, 6), (9.6, 18, 5)),
    ]
    return [*moved(parts, (0, 72, 0)), box(wood(rng), (8, 72, 8), (0, 36, 0)), box(wood(rng), (14, 3, 30), (0, 71, 0))]


def barrel(rng: Rng) -> list[Part]:
    """A wooden barrel with hoops, an oil drum, standing or lying on its rack."""
    r, high = rng.uniform(24, 30), rng.uniform(64, 88)
    if rng.random() < 0.35:
        paint = painted(rng, "drum")
        parts = [
            lathe(paint, [(r, 0), (r, high), (0.93 * r, high), (0.93 * r, high - 1.4), (0, high - 1.4)], sides=28),
            *(torus(paint, r, 1.3, (0, t * high, 0), sides=28) for t in (0.02, 0.34, 0.67, 0.99)),
            rod(paint, (0.6 * r, high - 2, 0), (0.6 * r, high + 0.8, 0), 3),
        ]
    else:
        paint, iron = wood(rng), dark(rng, "iron")
        side = curve([(0.8, 0), (0.97, 0.28), (1, 0.5), (0.97, 0.72), (0.8, 1)], 3) * (r, high)
        parts = [
            lathe(paint, np.concatenate([side, [(0.72 * r, high), (0.71 * r, high - 2.4), (0, high - 2.4)]]), sides=22)
        ]
        for t in (0.06, 0.26, 0.74, 0.94):
            rim = float(np.interp(t * high, side[:, 1], side[:, 0]))
            parts.append(
                lathe(
                    iron,
                    [
                        (0.9 * rim, t * high - 2.4),
                        (rim + 0.8, t * high - 2.4),
                        (rim + 0.8, t * high + 2.4),
                        (0.9 * rim, t * high + 2.4),
                    ],
                    sides=22,
                )
            )
        if rng.random() < 0.3:
            lying = moved(turned([*parts, rod(paint, (0, -3, 0), (0, 1, 0), 2)], 90, "x"), (0, r + 8, -high / 2))
            return [*lying, *(box(paint, (2 * r, 14, 8), (0, 7, z * high)) for z in (-0.3, 0.3))]
    return parts


def crate(rng: Rng) -> list[Part]:
    """A wooden crate, pallet, container or cardboard box; sometimes stacked."""
    paint = wood(rng)
    w, high, d = rng.uniform(40, 70), rng.uniform(30, 60), rng.uniform(36, 60)
    style = pick(rng, ("crate", "crate", "open", "pallet", "box", "container"))
    if style == "container":
        metal = bright(rng, "box")
        return [
            box(metal, (100, 44, 40), (0, 22, 0)),
            *(box(metal, (2, 38, 41.6), (x, 22, 0)) for x in np.linspace(-45, 45, 16)),
            *(box(metal, (4, 46, 4), (x * 49, 22, z * 19)) for x in (-1, 1) for z in (-1, 1)),
            *(rod(steel(rng), (51, 3, z), (51, 41, z), 1, sides=6) for z in (-8, -4, 4, 8)),
        ]
    if style == "pallet":
        parts = [box(paint, (110, 2.6, 9), (0, 14, z)) for z in np.linspace(-36, 36, 6)] + [
            box(paint, (9, 3, 82), (x, 11.4, 0)) for x in (-48, 0, 48)
        ]
        parts += [box(paint, (10, 8, 10), (x, 6, z)) for x in (-48, 0, 48) for z in (-34, 0, 34)] + [
            box(paint, (110, 2.4, 9), (0, 1.2, z)) for z in (-34, 0, 34)
        ]
        return parts
    if style == "box":
        card = Paint((190, 150, 105), "card")
        parts = [
            box(card, (w, high, d), (0, high / 2, 0)),
            box(cream(rng, "tape"), (5, high + 0.6, d + 0.8), (0, high / 2, 0)),
        ]
        if rng.random() < 0.5:
            parts += both(
                turned(box(card, (w / 2, 1.2, d), (w * 0.75, high, 0)), rng.uniform(10, 50), "z", (w / 2, high, 0))
            )
        return parts
    slats = int(rng.integers(3, 6))
    if style == "open":
        parts = [box(paint, (w, 2, d), (0, 1, 0))]
        for i in range(slats):
            y = (i + 0.6) * high / slats
            parts += [box(paint, (w, 0.7 * high / slats, 1.8), (0, y, s * d / 2)) for s in (-1, 1)] + both(
                box(paint, (1.8, 0.7 * high / slats, d), (w / 2, y, 0))
            )
        return parts + [
            box(paint, (4, high, 4), (x * (w / 2 - 2), high / 2, z * (d / 2 - 2))) for x in (-1, 1) for z in (-1, 1)
        ]
    parts = [box(paint, (w - 2, high - 2, d - 2), (0, high / 2, 0))]
    for s in (-1, 1):
        for y in (3, high - 3):
            parts += [box(paint, (w, 6, 3), (0, y, s * d / 2)), box(paint, (3, 6, d), (s * w / 2, y, 0))]
        parts += [box(paint, (6, high, 3.4), (x * (w / 2 - 3), high / 2, s * d / 2)) for x in (-1, 1)] + [
            box(paint, (3.4, high, 6), (s * w / 2, high / 2, z * (d / 2 - 3))) for z in (-1, 1)
        ]
        parts += [
            bar(paint, (-w / 2 + 4, 4, s * d / 2), (w / 2 - 4, high - 4, s * d / 2), 2.6, 6),
            bar(paint, (s * w / 2, 4, -d / 2 + 4), (s * w / 2, high - 4, d / 2 - 4), 2.6, 6),
        ]
    return parts


def bin_(rng: Rng) -> list[Part]:
    """A dustbin: round, on wheels, with a pedal or a park bin."""
    paint, black = pick(rng, (steel, bright, dark, muted))(rng, "bin"), dark(rng)
    style, r, high = int(rng.integers(3)), rng.uniform(14, 20), rng.uniform(42, 64)
    if style == 0:
        ribs = [box(paint, (1.4, 0.86 * high, 1), (0, 0.46 * high, r * 0.96)) for _ in range(1)]
        parts = [
            lathe(paint, [(0.86 * r, 0), (r, high)], sides=24),
            lathe(paint, [(1.06 * r, high), (1.06 * r, high + 3), (0.8 * r, high + 7), (0, high + 9)], sides=24),
            *ring(ribs, 14),
        ]
        return [
            *parts,
            *both(
                tube(
                    black,
                    [
                        (1.0 * r, 0.75 * high, -4),
                        (1.25 * r, 0.8 * high, -3),
                        (1.25 * r, 0.8 * high, 3),
                        (1.0 * r, 0.75 * high, 4),
                    ],
                    0.9,
                    6,
                )
            ),
            tube(black, [(-5, high + 7, 0), (-4, high + 12, 0), (4, high + 12, 0), (5, high + 7, 0)], 0.9, 6),
        ]
    if style == 1:
        side = [(-18, 6), (16, 3), (22, 78), (-22, 78)]
        parts = [
            extrude(paint, side, 42, axis="x", bevel=2),
            extrude(paint, [(-24, 78), (26, 78), (26, 82), (-10, 88), (-24, 86)], 46, axis="x", bevel=1.2),
            rod(black, (-18, 82, -26), (18, 82, -26), 1.8),
        ]
        return parts + both(rod(black, (21, 9, -17), (25, 9, -17), 9, sides=18))
    return [
        vessel(paint, [(0.8 * r, 0), (r, 0.6 * high), (r, high)], 1.2),
        torus(paint, r, 1.2, (0, high, 0), sides=24),
        *ring(box(paint, (3, 0.8 * high, 1.6), (0, 0.5 * high, 0.98 * r), bevel=0.3), 12),
    ]


def sign(rng: Rng) -> list[Part]:
    """A traffic sign, signpost, bill board or stand-up board."""
    face, rim, metal = painted(rng, "sign"), bright(rng, "rim"), steel(rng)
    style, high = pick(rng, ("round", "triangle", "octagon", "post", "board", "stand")), rng.uniform(90, 140)
    if style in ("round", "triangle", "octagon"):
        loop = {
            "round": circle(20, 28),
            "triangle": np.array([(-22, -15), (22, -15), (0, 23)]),
            "octagon": circle(21, 8),
        }[style]
        return [
            rod(metal, (0, 0, 0), (0, high + 8, 0), 2),
            extrude(rim, loop + (0, high), 1.8, (0, 0, 2.4)),
            extrude(face, loop * 0.8 + (0, high), 2.4, (0, 0, 2.6)),
            box(metal, (14, 3, 2.6), (0, high, 0.6)),
        ]
    if style == "post":
        paint = wood(rng)
        parts = [box(paint, (6, high + 14, 6), (0, high / 2 + 7, 0), bevel=0.8)]
        for i in range(int(rng.integers(1, 5))):
            arrow = extrude(paint, [(-16, -5), (26, -5), (33, 0), (26, 5), (-16, 5)], 2.6, (0, high - 13 * i, 4.4))
            parts.append(turned(arrow, 180 * int(rng.integers(2)) + rng.uniform(-25, 25)))
        return parts
    if style == "board":
        return [
            box(face, (110, 56, 4), (0, high, 0), bevel=0.8),
            box(rim, (102, 48, 5), (0, high, 0)),
            *both(rod(metal, (34, 0, -3), (34, high + 20, -3), 2.6)),
            *both(bar(metal, (34, 0, -30), (34, high, -4), 3)),
        ]
    leaf = [box(wood(rng), (50, 76, 3), (0, 40, 0), bevel=0.6), box(dark(rng, "slate"), (43, 66, 3.6), (0, 42, 0))]
    return [*turned(leaf, -14, "x", (0, 78, 0)), *turned(leaf, 14, "x", (0, 78, 0))]


def fountain(rng: Rng) -> list[Part]:
    """A fountain of one to three bowls, or a bird bath."""
    paint, water = stone(rng), Paint((110, 160, 190), "water")
    r = rng.uniform(44, 64)
    sides = pick(rng, (8, 28, 28))
    parts = [
        vessel(
            paint,
            [(r, 0), (1.02 * r, 3), (0.95 * r, 5), (0.95 * r, 15), (1.05 * r, 18), (1.05 * r, 21)],
            6,
            sides=sides,
        ),
        lathe(water, [(0.9 * r, 4), (0.9 * r, 14)], sides=24),
    ]
    y = 6.0
    for i in range(int(rng.integers(1, 4))):
        size, step = r * (0.62 - 0.17 * i), 34 - 6 * i
        parts.append(
            lathe(
                paint,
                curve(
                    [(0.4 * size, y), (0.2 * size, y + 6), (0.16 * size, y + 0.6 * step), (0.22 * size, y + step)], 2
                ),
                sides=16,
            )
        )
        parts.append(
            vessel(paint, curve([(0.2 * size, y + step - 2), (0.7 * size, y + step + 2), (size, y + step + 9)], 3), 2.6)
        )
        parts.append(lathe(water, [(0.7 * size, y + step + 4), (0.9 * size, y + step + 7)], sides=20))
        y += step
    return [*parts, lathe(paint, [(3, y), (4, y + 12), (1.4, y + 16), (3, y + 19), (0, y + 23)], sides=12)]


def market_stall(rng: Rng) -> list[Part]:
    """A stall with a striped awning and goods."""
    beam, stripe, pale = wood(rng), bright(rng, "stripe"), white(rng, "cloth")
    w, d, high = rng.uniform(110, 150), rng.uniform(60, 80), rng.uniform(100, 120)
    parts = [
        box(beam, (w, 4, d), (0, 42, 0)),
        box(beam, (w - 6, 40, 3), (0, 21, d / 2 - 4)),
        *(
            rod(beam, (x * w * 0.47, 0, z * d * 0.46), (x * w * 0.47, high + (8 if z < 0 else 0), z * d * 0.46), 2.2)
            for x in (-1, 1)
            for z in (-1, 1)
        ),
    ]
    for i in range(8):
        x = (i - 3.5) * w / 7.4
        parts.append(
            turned(box(stripe if i % 2 else pale, (w / 7.4, 2.4, d + 26), (x, high + 6, 6)), 9, "x", (0, high + 6, 0))
        )
        parts.append(box(stripe if i % 2 else pale, (w / 7.4, 10, 2), (x, high - 5, d / 2 + 18), bevel=0.4))
    goods = bright(rng, "goods")
    return parts + [
        ellipsoid(goods, (7, 7, 7), (x, 49, z), 10, rings=6) for x in np.linspace(-0.36, 0.36, 6) * w for z in (-12, 8)
    ]


def grave_stone(rng: Rng) -> list[Part]:
    """A headstone, cross or memorial."""
    paint = stone(rng)
    w, high = rng.uniform(34, 50), rng.uniform(50, 80)
    base = [box(paint, (w + 16, 8, 26), (0, 4, 0), bevel=1)]
    if rng.random() < 0.4:
        return [
            *base,
            box(paint, (12, high + 14, 9), (0, high / 2 + 12, 0), bevel=1),
            box(paint, (0.9 * w, 12, 9), (0, 0.8 * high, 0), bevel=1),
            torus(paint, 13, 2.6, (0, 0.8 * high, 0), "z", 20),
        ]
    a = np.linspace(0, np.pi, 11)
    arch = np.concatenate(
        [[(-w / 2, 6), (w / 2, 6)], np.column_stack([np.cos(a) * w / 2, high - w / 2 + np.sin(a) * w / 2])]
    )
    return [
        *base,
        extrude(paint, arch, 11, bevel=1.2),
        box(dark(rng, "plate"), (0.6 * w, 0.3 * high, 1), (0, 0.5 * high, 5.4)),
    ]
