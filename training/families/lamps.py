"""Lamps that stand, hang and are carried."""

from __future__ import annotations

import numpy as np

from training.families.kitchenware import candle
from training.families.outlines import circle, curve
from training.families.paints import Rng, brass, cream, dark, glass, muted, painted, pick, steel, wood
from training.families.parts import Paint, aimed, box, ellipsoid, lathe, loft, moved, ring, rod, torus, tube, turned
from training.shapes import Part

BULB = Paint((250, 235, 180), "bulb")


def make(rng: Rng) -> list[Part]:
    """One random lamp; desk lamps reach towards +Z or to a side."""
    kinds = (
        desk_lamp,
        desk_lamp,
        desk_lamp,
        table_lamp,
        table_lamp,
        table_lamp,
        floor_lamp,
        floor_lamp,
        pendant,
        pendant,
    )
    kinds += (chandelier, street_lamp, street_lamp, lantern, lantern, candle, wall_lamp, spotlight, oil_lamp, bulb)
    return pick(rng, kinds)(rng)


def metal(rng: Rng, material: str = "metal") -> Paint:
    """What stands and arms are made of."""
    return pick(rng, (steel, dark, brass, painted))(rng, material)


def shade(rng: Rng, paint: Paint, radius: float, high: float, style: str) -> Part:
    """A lamp shade open below, from y = 0 (rim) upwards, with real walls."""
    tops = {
        "cone": [(1, 0), (0.55, 1)],
        "drum": [(1, 0), (0.95, 1)],
        "bell": [(1, 0), (0.8, 0.25), (0.62, 0.7), (0.45, 1)],
        "dome": [(1, 0), (0.96, 0.4), (0.7, 0.8), (0.2, 1)],
        "flare": [(1, 0), (0.72, 0.12), (0.4, 0.5), (0.22, 1)],
    }
    outer = curve(np.array(tops[style]) * (radius, high), 3)
    inner = np.column_stack(
        [
            np.maximum(outer[:, 0] - 0.045 * radius - 0.1, 0.05 * radius),
            outer[:, 1] - (0.04 * high if style in ("dome", "flare") else 0),
        ]
    )
    inner[:, 1] = np.maximum(inner[:, 1], 0)
    cap = [(0.05 * radius, outer[-1, 1])] if style in ("dome", "flare") else []
    loops = np.concatenate([inner, outer[::-1]])[::-1] if not cap else np.concatenate([outer[::-1], inner])[::-1]
    return open_lathe(paint, loops, pick(rng, (24, 24, 6, 8)))


def open_lathe(paint: Paint, loop: np.ndarray, sides: int) -> Part:
    """A closed profile (radius, height) turned about y: a ring-like body, open in its middle."""
    turn = circle(1.0, sides)
    rings = np.empty((sides, len(loop), 3))
    rings[..., 0], rings[..., 1], rings[..., 2] = turn[:, :1] * loop[:, 0], loop[:, 1], turn[:, 1:] * loop[:, 0]
    return loft(paint, rings, loop=True)


def any_shade(rng: Rng, radius: float, high: float) -> list[Part]:
    """A shade with its bulb, the rim at y = 0."""
    paint = pick(rng, (cream, muted, painted, glass))(rng, "shade")
    style = pick(rng, ("cone", "drum", "bell", "dome", "flare"))
    return [
        shade(rng, paint, radius, high, style),
        ellipsoid(BULB, (0.2 * radius, 0.26 * radius, 0.2 * radius), (0, 0.42 * high, 0), 12),
        rod(dark(rng), (0, 0.5 * high, 0), (0, high * 1.02, 0), 0.1 * radius),
    ]


def desk_lamp(rng: Rng) -> list[Part]:
    """A foot, one or two jointed arms or a goose neck, and a tilted shade."""
    paint = metal(rng)
    arm, lean = rng.uniform(16, 24), np.radians(rng.uniform(-30, 20))
    up, out = np.radians(rng.uniform(20, 75)), rng.uniform(14, 22)
    base = pick(rng, ([(9, 0), (9, 1.2), (3, 2.6), (1.2, 3)], [(8, 0), (8, 2), (7.4, 2.4), (1.5, 2.6)]))
    parts = [lathe(paint, np.array(base) * rng.uniform(0.8, 1.1), sides=24)]
    elbow = np.array((0, 3 + arm * np.cos(lean), -arm * np.sin(lean) * -1))
    head = elbow + (0, out * np.sin(up) * 0.5, out)
    if rng.random() < 0.3:
        line = [(0, 2, 0), (0, arm * 0.8, -2), (0, arm * 1.25, 5), (0, head[1], head[2])]
        parts.append(tube(paint, line, 0.8, 8, steps=6))
    else:
        twin = rng.random() < 0.5
        for x in (-1.1, 1.1) if twin else (0.0,):
            parts += [
                rod(paint, (x, 2.4, 0), elbow + (x, 0, 0), 0.65, sides=8),
                rod(paint, elbow + (x, 0, 0), head + (x, 0, 0), 0.65, sides=8),
            ]
        parts += [
            rod(paint, p - (1.8, 0, 0), p + (1.8, 0, 0), 1.1, sides=12) for p in (np.array((0, 3, 0)), elbow, head)
        ]
        if rng.random() < 0.4:
            parts.append(rod(paint, elbow, elbow + (0, -2, -6), 1.6))
    r, high = rng.uniform(5, 8), rng.uniform(7, 12)
    cover = any_shade(rng, r, high)
    down = (0, -1, rng.uniform(0.2, 1.2))
    parts += aimed(moved(cover, (0, -high, 0)), (0, -down[1], -down[2]), head + (0, -0.4, 0.6))
    return turned(parts, pick(rng, (0, 0, 40, -40, 90)))


def table_lamp(rng: Rng) -> list[Part]:
    """A turned or vase-like foot with a shade."""
    paint = pick(rng, (metal, wood, painted))(rng, "foot")
    high, foot = rng.uniform(16, 34), rng.uniform(5, 9)
    radii = np.concatenate([[1, 1], rng.uniform(0.2, 1.0, 5), [0.16, 0.16]])
    ys = np.array([0, 0.05, 0.12, 0.28, 0.46, 0.62, 0.76, 0.88, 1])
    parts = [lathe(paint, curve(np.column_stack([radii * foot, ys * high]), 2), sides=pick(rng, (20, 20, 6)))]
    r, tall = rng.uniform(9, 16), rng.uniform(10, 18)
    parts += moved(any_shade(rng, r, tall), (0, high - rng.uniform(0, 3), 0))
    parts.append(rod(brass(rng), (0, high - 1, 0), (0, high + tall + 1, 0), 0.5, sides=8))
    if rng.random() < 0.3:
        parts.append(rod(brass(rng), (3, high + 2, 0), (3, high - 5, 0), 0.3, sides=6))
    return [*parts, ellipsoid(paint, (1.1, 1.4, 1.1), (0, high + tall + 1.6, 0), 10)]


def floor_lamp(rng: Rng) -> list[Part]:
    """A tall lamp: straight, bowed or on three legs; or an uplighter."""
    paint = pick(rng, (metal, wood))(rng, "metal")
    high, r, tall = rng.uniform(120, 165), rng.uniform(14, 26), rng.uniform(18, 30)
    style = pick(rng, ("straight", "bow", "tripod", "up"))
    if style == "tripod":
        parts = ring(rod(paint, (0, high * 0.94, 2), (0, 0, rng.uniform(26, 36)), 1.6, 1.3), 3)
        return [
            *parts,
            *moved(any_shade(rng, r, tall), (0, high * 0.9, 0)),
            rod(paint, (0, high * 0.88, 0), (0, high * 0.96, 0), 4),
        ]
    parts = [lathe(paint, [(15, 0), (15, 1.4), (5, 3), (1.6, 6)], sides=24)]
    if style == "bow":
        parts.append(
            tube(paint, [(0, 3, -20), (0, high * 0.7, -22), (0, high, 8), (0, high * 0.88, 40)], 1.4, 8, steps=6)
        )
        parts[0] = moved(parts[0], (0, 0, -20))
        return [*parts, *moved(any_shade(rng, r * 0.9, tall * 0.8), (0, high * 0.88 - tall * 0.8, 40))]
    parts.append(rod(paint, (0, 2, 0), (0, high, 0), 1.5))
    if style == "up":
        bowl = lathe(
            pick(rng, (glass, metal))(rng, "shade"),
            curve([(2, 0), (0.7 * r, 5), (r, 12), (0.94 * r, 12), (0.6 * r, 6), (0, 3)], 2),
            sides=24,
        )
        extra = (
            [
                tube(paint, [(0, high * 0.7, 0), (0, high * 0.72, 12), (0, high * 0.66, 20)], 1, 8),
                *moved(any_shade(rng, 6, 9), (0, high * 0.58, 20)),
            ]
            if rng.random() < 0.5
            else []
        )
        return [*parts, moved(bowl, (0, high - 1, 0)), *extra]
    return [
        *parts,
        *moved(any_shade(rng, r, tall), (0, high - tall * 0.7, 0)),
        *(torus(paint, 2.2, 0.8, (0, t * high, 0), sides=14) for t in (0.1, 0.5)),
    ]


def pendant(rng: Rng) -> list[Part]:
    """A hanging shade, globe or a row of them on a bar."""
    paint = metal(rng)
    r, tall, drop = rng.uniform(12, 24), rng.uniform(10, 22), rng.uniform(12, 50)
    one = any_shade(rng, r, tall)
    if rng.random() < 0.3:
        one = [
            ellipsoid(
                pick(rng, (cream, glass))(rng, "shade"),
                (r, r * rng.uniform(0.7, 1), r),
                (0, tall * 0.5, 0),
                22,
                rings=12,
            )
        ]
    one = [
        *one,
        rod(paint, (0, tall - 1, 0), (0, tall + drop, 0), 0.7, sides=8),
        lathe(paint, [(2.4, tall - 1), (1.6, tall + 3), (0.7, tall + 4)], sides=14),
    ]
    if rng.random() < 0.3:
        count = int(rng.integers(2, 5))
        parts = [p for i in range(count) for p in moved(one, ((i - (count - 1) / 2) * r * 2.5, 0, 0))]
        return [*parts, box(paint, (count * r * 2.5, 3, 5), (0, tall + drop, 0), bevel=0.8)]
    return [*one, lathe(paint, [(5, tall + drop - 2), (5.4, tall + drop), (5.4, tall + drop + 1)], sides=18)]


def chandelier(rng: Rng) -> list[Part]:
    """Arms with candles or small shades around a turned body."""
    paint, count, reach = metal(rng), int(rng.integers(4, 8)), rng.uniform(20, 32)
    body = lathe(
        paint,
        curve(np.array([(0.5, -14), (2.5, -11), (1.2, -8), (5, -3), (2, 4), (1.2, 12), (2.6, 18), (0.9, 24)]), 2),
        sides=14,
    )
    tip = rng.uniform(2, 10)
    arm = [
        tube(paint, [(0, -3, 2), (0, -9, 0.45 * reach), (0, -5, 0.85 * reach), (0, tip - 2, reach)], 0.9, 8),
        lathe(paint, [(0.8, tip - 2), (2.8, tip - 1), (2.8, tip - 0.4), (0.8, tip - 0.2)], (0, 0, reach), 12),
    ]
    if rng.random() < 0.5:
        arm += [
            rod(cream(rng, "wax"), (0, tip - 1, reach), (0, tip + 7, reach), 1, sides=10),
            ellipsoid(BULB, (0.9, 1.8, 0.9), (0, tip + 8.6, reach), 10),
        ]
    else:
        arm += moved(any_shade(rng, 5, 6), (0, tip, reach)) + [
            rod(paint, (0, tip - 1, reach), (0, tip + 4, reach), 0.7, sides=8)
        ]
    return [
        body,
        *ring(arm, count),
        rod(paint, (0, 22, 0), (0, 44, 0), 0.8, sides=8),
        lathe(paint, [(1, 40), (5, 43), (5.4, 45)], sides=16),
    ]


def lantern_box(rng: Rng, paint: Paint, width: float, high: float, sides: int) -> list[Part]:
    """A glazed lantern with bars and a roof, from y = 0."""
    r = width / 2
    parts = [
        lathe(paint, [(1.05 * r, 0), (1.05 * r, 0.08 * high), (r * 0.8, 0.1 * high)], sides=sides),
        lathe(glass(rng), [(0.8 * r, 0.06 * high), (0.95 * r, 0.72 * high)], sides=sides),
    ]
    bar = rod(paint, (0, 0.05 * high, 0.9 * r), (0, 0.74 * high, 1.02 * r), 0.08 * r, sides=6)
    parts += ring(bar, sides, 0.0)
    parts += [
        lathe(
            paint,
            [
                (1.3 * r, 0.7 * high),
                (1.25 * r, 0.75 * high),
                (0.45 * r, 0.95 * high),
                (0.3 * r, high),
                (0, 1.02 * high),
            ],
            sides=sides,
        ),
        torus(paint, 0.32 * r, 0.07 * r, (0, 1.1 * high, 0), "z", 14),
    ]
    return [*parts, ellipsoid(BULB, (0.3 * r, 0.2 * high, 0.3 * r), (0, 0.35 * high, 0), 10)]


def street_lamp(rng: Rng) -> list[Part]:
    """An old lantern post or a modern mast with one or two arms; or traffic lights."""
    paint = dark(rng, "metal") if rng.random() < 0.7 else metal(rng)
    high = rng.uniform(170, 280)
    post = np.array(
        [
            (13, 0),
            (13, 4),
            (9, 7),
            (7, 26),
            (8, 28),
            (4, 34),
            (3.4, 0.7 * high),
            (4.6, 0.71 * high),
            (3, 0.73 * high),
            (2.6, high),
        ]
    )
    style = pick(rng, ("old", "old", "arms", "mast", "traffic"))
    if style == "old":
        head = moved(
            lantern_box(rng, paint, rng.uniform(22, 32), rng.uniform(34, 46), pick(rng, (4, 6, 8))), (0, high, 0)
        )
        return [
            lathe(paint, post, sides=16),
            *head,
            rod(paint, (-12, 0.86 * high, 0), (12, 0.86 * high, 0), 1.6, sides=8),
        ]
    if style == "arms":
        count = int(rng.integers(2, 5))
        arm = [
            tube(paint, [(0, 0.82 * high, 0), (0, 0.8 * high, 20), (0, 0.9 * high, 34), (0, 0.92 * high, 36)], 2, 8),
            ellipsoid(cream(rng, "globe"), (11, 11, 11), (0, 0.92 * high + 10, 36), 16),
        ]
        return [
            lathe(paint, post, sides=16),
            *ring(arm, count),
            ellipsoid(cream(rng, "globe"), (12, 12, 12), (0, high + 9, 0), 16),
        ]
    if style == "mast":
        arm = [
            tube(paint, [(0, high * 0.92, 0), (0, high * 1.06, 12), (0, high * 1.1, 60)], [2.6, 2.2, 2], 8),
            box(paint, (14, 6, 34), (0, high * 1.1, 70), bevel=2),
            box(BULB, (10, 3, 26), (0, high * 1.1 - 3, 70), bevel=1),
        ]
        return [
            rod(paint, (0, 0, 0), (0, high, 0), 5, 2.8),
            lathe(paint, [(9, 0), (9, 16), (5, 20)], sides=14),
            *(arm if rng.random() < 0.6 else ring(arm, 2, 90)),
        ]
    parts = [rod(paint, (0, 0, 0), (0, high, 0), 4), box(paint, (24, 66, 18), (0, high + 20, 8), bevel=3)]
    for y, color in ((20, (210, 40, 40)), (0, (230, 180, 40)), (-20, (50, 180, 70))):
        parts += [
            rod(Paint(color, "signal"), (0, high + 20 + y, 16), (0, high + 20 + y, 18.5), 8, sides=18),
            tube(paint, [(-9, high + 20 + y, 17), (0, high + 30 + y, 21), (9, high + 20 + y, 17)], 2, 6),
        ]
    return parts


def lantern(rng: Rng) -> list[Part]:
    """A hand lantern, storm lamp or paper lantern."""
    paint = metal(rng)
    style = pick(rng, ("box", "box", "storm", "paper"))
    if style == "box":
        return lantern_box(rng, paint, rng.uniform(12, 18), rng.uniform(18, 30), pick(rng, (4, 4, 6, 8)))
    if style == "paper":
        skin = painted(rng, "paper")
        r, high = rng.uniform(14, 20), rng.uniform(22, 34)
        body = ellipsoid(skin, (r, high / 2, r), (0, high / 2, 0), 24, 0.85, 15)
        body.vertices[:, [0, 2]] *= (1 + 0.03 * np.cos(body.vertices[:, 1] * 2 * np.pi * 8 / high))[:, None]
        return [
            body,
            *(rod(paint, (0, y, 0), (0, y + 2, 0), 0.45 * r, sides=18) for y in (-1.4, high - 0.6)),
            rod(paint, (0, high, 0), (0, high + 12, 0), 0.5, sides=6),
            tube(skin, [(0, -1, 0), (0, -12, 0)], [0.8, 1.6], 8),
        ]
    parts = [
        lathe(paint, [(6.5, 0), (7, 1), (7, 4), (4, 6), (3, 7.4)], sides=22),
        lathe(glass(rng), curve([(3, 7), (4.8, 11), (3.2, 16)], 3), sides=20),
        lathe(paint, [(3.6, 16), (3.8, 18), (2.4, 20), (2.6, 22), (0, 23)], sides=18),
    ]
    parts += [tube(paint, [(s * 6, 3, 0), (s * 7, 12, 0), (s * 5, 19, 0), (s * 2, 21, 0)], 0.6, 8) for s in (-1, 1)]
    return [
        *parts,
        tube(paint, [(-6.5, 15, 0), (-7, 24, 0), (0, 29, 0), (7, 24, 0), (6.5, 15, 0)], 0.4, 6),
        rod(paint, (7, 5, 0), (9, 5, 0), 0.7),
    ]


def wall_lamp(rng: Rng) -> list[Part]:
    """A sconce: a plate on the wall, an arm and one or two shades."""
    paint = metal(rng)
    parts = [turned(lathe(paint, [(5, 0), (5, 1), (3, 2.4), (0, 2.8)], sides=20), 90, "x")]
    lamps = (
        any_shade(rng, rng.uniform(5, 8), rng.uniform(7, 10))
        if rng.random() < 0.7
        else lantern_box(rng, paint, 10, 16, 6)
    )
    for x in pick(rng, ((0.0,), (-8.0, 8.0))):
        parts += [
            tube(paint, [(0, 0, 1), (x * 0.7, -4, 9), (x, -2, 14), (x, 3, 14)], 0.8, 8),
            *moved(lamps, (x, 2, 14)),
        ]
    return parts


def spotlight(rng: Rng) -> list[Part]:
    """A studio or stage lamp with barn doors on a tripod or a clamp."""
    paint, lens = dark(rng), Paint((240, 235, 210), "lens")
    head = [
        turned(lathe(paint, [(5, -10), (8, -8), (9, 6), (9.6, 8), (8.6, 8)], sides=20), 90, "x"),
        turned(lathe(lens, [(8.6, 6.6), (5, 8), (0, 8.6)], sides=18), 90, "x"),
    ]
    head += [turned(turned(box(paint, (15, 11, 0.9), (0, 14, 10)), -25, "x", (0, 9, 9)), 90 * i, "z") for i in range(4)]
    head = [
        *turned(head, rng.uniform(0, 35), "x"),
        tube(paint, [(-10.5, 0, 0), (-10, -11, 0), (10, -11, 0), (10.5, 0, 0)], 1, 6, steps=2),
    ]
    if rng.random() < 0.6:
        high = rng.uniform(60, 110)
        return [
            *moved(head, (0, high + 11, 0)),
            rod(paint, (0, 8, 0), (0, high, 0), 1.4),
            *ring(rod(paint, (0, 22, 0), (0, 0, 26), 1.1, sides=8), 3),
            rod(paint, (0, 20, 0), (0, 24, 0), 2.2),
        ]
    return [*head, rod(paint, (0, -11, 0), (0, -17, 0), 1.4), box(paint, (14, 2, 14), (0, -18, 0), bevel=0.5)]


def oil_lamp(rng: Rng) -> list[Part]:
    """A lava lamp, oil lamp or genie lamp."""
    paint = pick(rng, (brass, steel, painted))(rng, "metal")
    if rng.random() < 0.5:
        return [
            lathe(paint, [(7, 0), (6.5, 1), (3.4, 9), (4.6, 13), (5, 15)], sides=22),
            lathe(painted(rng, "fluid"), curve([(4.8, 14), (5.6, 20), (3.2, 36)], 3), sides=22),
            lathe(paint, [(3.4, 36), (2.4, 43), (0, 43.4)], sides=20),
        ]
    base = lathe(paint, curve([(5, 0), (4.6, 1), (1.6, 3), (4, 5), (8, 9), (6, 13), (2, 14.5)], 3), sides=24)
    spout = tube(paint, [(5, 8, 0), (12, 10, 0), (17, 14, 0)], [2.8, 1.8, 1.1], 10)
    grip = tube(paint, [(-6, 12, 0), (-12, 13, 0), (-12, 7, 0), (-6.6, 7, 0)], 0.8, 8)
    return [base, spout, grip, lathe(paint, [(2, 14), (2.4, 15), (0.6, 17), (1, 18.4), (0, 19)], sides=14)]


def bulb(rng: Rng) -> list[Part]:
    """A light bulb with its screw."""
    metal_paint = steel(rng)
    parts = [
        lathe(
            pick(rng, (glass, cream))(rng, "bulb"),
            curve([(1.3, 3.6), (1.5, 5), (3.2, 9), (2.6, 12), (0, 13)], 4),
            sides=24,
        ),
        lathe(metal_paint, [(0.5, 0), (1.3, 0.8), (1.4, 3.8)], sides=18),
    ]
    return [*parts, *(torus(metal_paint, 1.4, 0.18, (0, y, 0), sides=18) for y in (1.2, 1.9, 2.6, 3.3))]
