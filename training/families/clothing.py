"""Clothes, shoes, hats and bags as if worn by nobody; toes and faces towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, oval, rounded
from training.families.paints import Rng, brass, bright, cloth, dark, glass, leather, painted, pick, steel, white
from training.families.parts import (
    Paint,
    both,
    box,
    cushion,
    ellipsoid,
    extrude,
    frame,
    lathe,
    loft,
    moved,
    ring,
    rod,
    torus,
    tube,
    turned,
    warped,
)
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random piece of clothing or luggage."""
    kinds = (
        shoe,
        shoe,
        shoe,
        boot,
        boot,
        high_heel,
        hat,
        hat,
        cap,
        cap,
        shirt,
        shirt,
        trousers,
        dress,
        handbag,
        handbag,
    )
    kinds += (backpack, backpack, suitcase, suitcase, umbrella, helmet, helmet, spectacles, belt, glove, crown, sock)
    return pick(rng, kinds)(rng)


def stacked(
    paint: Paint, rings: list[tuple[float, float, float, float, float]], square: float = 0.9, sides: int = 24
) -> Part:
    """A skin over ovals: (width, depth, height, shift in z, tilt) each; up, in and down again leaves it open."""
    loops = []
    for width, depth, y, z, tilt in rings:
        loop = oval(width, depth, sides, square)
        loops.append(np.column_stack([loop[:, 0], y + tilt * loop[:, 1], loop[:, 1] + z]))
    return loft(paint, np.array(loops))


def sole_outline(long: float, wide: float) -> np.ndarray:
    """(k, 2) x and z of a right shoe's sole; toe towards +Z."""
    points = [
        (0, -0.5),
        (0.36, -0.44),
        (0.4, -0.25),
        (0.34, 0),
        (0.48, 0.24),
        (0.42, 0.4),
        (0.1, 0.5),
        (-0.28, 0.46),
        (-0.46, 0.24),
        (-0.36, 0),
        (-0.4, -0.25),
        (-0.34, -0.44),
    ]
    return curve(np.array(points) * (wide, long), 2, loop=True)


def one_shoe(rng: Rng, paint: Paint, sole: Paint, lace: Paint, rise: float, thick: float, heel: float) -> list[Part]:
    """A right shoe with an open collar at height ``rise``."""
    base = sole_outline(28, 10.5)
    bottom = extrude(sole, base * 1.04, thick, (0, thick / 2, 0), "y", bevel=0.25 * thick)
    loops = []
    for grow, y, slant in ((1.0, 0.0, 0.0), (1.03, 1.6, 0.0), (0.94, 3.6, 0.35), (0.78, 5.6, 0.8)):
        loop = base * grow
        front = np.clip(loop[:, 1] / 14, 0, 1)
        loops.append(np.column_stack([loop[:, 0], thick + y - slant * 3.0 * front, loop[:, 1]]))
    collar = [
        (8.0, 12.0, min(rise, 7.5), -5.4),
        (6.8, 10.0, rise, -6.0),
        (5.6, 8.8, rise, -6.0),
        (5.6, 9.0, min(rise, 7) - 2.5, -5.6),
    ]
    angle = np.arctan2(base[:, 1], base[:, 0])
    for wide, deep, y, z in collar:
        loops.append(
            np.column_stack([np.cos(angle) * wide / 2, np.full(len(base), thick + y), np.sin(angle) * deep / 2 + z])
        )
    parts = [bottom, loft(paint, np.array(loops))]
    if heel:
        parts.append(extrude(sole, oval(7, 8, 16, 0.7), heel, (0, -heel / 2, -9.4), "y", bevel=0.3))
    for i in range(4):
        z, y = 0.4 + i * 1.9, thick + 6.5 - i * 0.75
        parts.append(tube(lace, [(-2.6, y - 0.8, z), (0, y + 0.3, z + 0.3), (2.6, y - 0.8, z)], 0.42, 6))
    parts += [ellipsoid(paint, (3, 3.0, 5.6), (0, thick + min(rise, 6) - 1.6, 2.2), 14, 0.9)]
    return [*parts, ellipsoid(sole, (4.2, 2, 2.6), (0.4, thick + 0.8, 11.4), 12, 0.8)] if rng.random() < 0.4 else parts


def pair(rng: Rng, right: list[Part], gap: float) -> list[Part]:
    """One shoe alone, or both."""
    return both(moved(right, (gap, 0, 0))) if rng.random() < 0.55 else turned(right, pick(rng, (0, 0, 60, -60)))


def shoe(rng: Rng) -> list[Part]:
    """A sneaker, leather shoe or slipper."""
    paint, sole, lace = (
        pick(rng, (bright, white, leather, dark))(rng, "shoe"),
        pick(rng, (white, dark))(rng, "sole"),
        painted(rng, "lace"),
    )
    right = one_shoe(rng, paint, sole, lace, rng.uniform(6.5, 11), rng.uniform(1.4, 3.4), 0)
    if rng.random() < 0.5:
        stripe = painted(rng, "stripe")
        right += both(
            [
                turned(
                    box(stripe, (0.7, 4.4, 1), (4.7, 4.4, -2 + 2.4 * i), bevel=0.2), 22, "x", (4.7, 4.4, -2 + 2.4 * i)
                )
                for i in range(int(rng.integers(1, 4)))
            ]
        )
    return pair(rng, right, 7)


def boot(rng: Rng) -> list[Part]:
    """A boot: rubber, walking or riding."""
    paint, sole = pick(rng, (leather, dark, bright))(rng, "boot"), dark(rng, "sole")
    high = rng.uniform(14, 36)
    right = moved(one_shoe(rng, paint, sole, painted(rng, "lace"), 9, 2.2, 2.0), (0, 2, 0))
    wide = rng.uniform(9, 12)
    right.append(
        stacked(
            paint,
            [
                (7.5, 10.5, 5, -5.4, 0),
                (8.2, 11, 10, -5.8, 0),
                (wide, wide * 1.15, high, -6.4, 0),
                (wide * 1.05, wide * 1.2, high + 1.4, -6.4, 0),
                (wide * 0.88, wide, high + 1.4, -6.4, 0),
                (6.5, 8.4, 9, -6, 0),
            ],
        )
    )
    if rng.random() < 0.5:
        right += [
            box(dark(rng, "strap"), (8.8, 1.4, 11.6), (0, 11, -5.8), bevel=0.4),
            box(steel(rng), (1, 2, 2.2), (4.7, 11, -5), bevel=0.2),
        ]
    return pair(rng, right, 7)


def high_heel(rng: Rng) -> list[Part]:
    """A pump, sandal or flip-flop."""
    paint, sole = pick(rng, (bright, dark, leather))(rng, "shoe"), dark(rng, "sole")
    base = sole_outline(24, 8.4)
    lift = rng.uniform(0.5, 9)

    def arch(v: np.ndarray) -> np.ndarray:
        t = np.clip((4 - v[:, 2]) / 14, 0, 1)
        return v + np.column_stack([0 * t, lift * t * t * (3 - 2 * t), 0 * t])

    right = [warped(extrude(paint, base, 1.3, (0, 0.7, 0), "y", bevel=0.2), arch)]
    if rng.random() < 0.6:
        loops = [
            np.column_stack(
                [base[:, 0] * g, 1.0 + y + 0 * base[:, 0] + 1.4 * (base[:, 1] < -6) * (y > 2), base[:, 1] * g]
            )
            for g, y in ((1, 0), (1.02, 1.6), (0.94, 3.4), (0.84, 3.4), (0.8, 1.2))
        ]
        right.append(warped(loft(paint, np.array(loops)), arch))
    else:
        right += [
            tube(paint, [(-3.8, 1.2, z), (-2, 3.8, z - 0.6), (2, 3.8, z - 0.6), (3.8, 1.2, z)], 1.0, 6) for z in (3, 7)
        ]
    if lift > 2:
        right.append(rod(sole, (0, 0, -10.2), (0, lift + 0.6, -9.4), 0.9, 2.4))
    return pair(rng, right, 6)


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


def sock(rng: Rng) -> list[Part]:
    """A sock or Christmas stocking, seen from the side."""
    paint, cuff = cloth(rng, "sock"), painted(rng, "cuff")
    sock_ = tube(
        paint,
        [(0, 26, 0), (0, 14, 0), (0.4, 6, 0.6), (0, 3.2, 4), (0, 3, 11), (0, 3.2, 16)],
        [4, 3.9, 4.4, 4, 3.6, 2.6],
        14,
    )
    return turned(
        [
            sock_,
            lathe(cuff, [(4.4, 22), (4.8, 23), (4.8, 27), (3.6, 27), (3.4, 23), (0, 22.6)], sides=20),
            ellipsoid(cuff, (3.2, 3.2, 3), (0, 3.2, 14.6), 12),
            ellipsoid(cuff, (3.7, 3.6, 3.6), (0.2, 4.6, -0.6), 12),
        ],
        pick(rng, (0, 60, -60)),
    )


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
