"""Planes, helicopters, rockets, airships, boats and ships; noses and bows towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, mirror_outline
from training.families.paints import Rng, bright, cloth, cream, dark, glass, painted, pick, steel, white, wood
from training.families.parts import (
    Paint,
    both,
    box,
    ellipsoid,
    extrude,
    lathe,
    loft,
    moved,
    ring,
    rod,
    sheet,
    torus,
    tube,
    turned,
)
from training.families.wheels import wheel
from training.shapes import Part


def fuselage(paint: Paint, length: float, radius: float, tail: float, high: float) -> Part:
    """A plane's body along z, its nose at +length / 2; the tail end is drawn up and thin."""
    t = np.array([-1, -0.7, -0.3, 0.1, 0.5, 0.75, 0.9, 1.0])
    r = np.array([tail, 0.5, 0.85, 1, 1, 0.86, 0.6, 0.12])
    line = np.column_stack(
        [np.zeros(8), high + radius * np.array([0.7, 0.45, 0.12, 0, 0, -0.02, -0.06, -0.12]), t * length / 2]
    )
    return tube(paint, line, r * radius, 16, steps=2)


def wing(paint: Paint, span: float, root: float, tip: float, sweep: float, thick: float, dihedral: float = 0.0) -> Part:
    """A right wing from the origin to x = span, tapering and swept back."""
    section = np.array([(0.5, 0), (0.32, 0.42), (0, 0.5), (-0.5, 0.06), (-0.5, -0.06), (0, -0.4), (0.32, -0.36)])
    rings = []
    for t in (0.0, 0.5, 0.93, 1.0):
        chord = root + (tip - root) * t * (1 if t < 1 else 1.0)
        fat = thick * (1 - 0.5 * t) * (0.5 if t == 1 else 1)
        rings.append(
            np.column_stack(
                [
                    np.full(7, t * span),
                    section[:, 1] * fat + t * dihedral,
                    section[:, 0] * chord * (0.8 if t == 1 else 1) - t * sweep,
                ]
            )
        )
    return loft(paint, np.array(rings))


def fin(paint: Paint, high: float, root: float, tip: float, sweep: float, thick: float) -> Part:
    """An upright tail fin from the origin."""
    return turned(wing(paint, high, root, tip, sweep, thick), 90, "z")


def propeller(paint: Paint, at: tuple[float, float, float], radius: float, blades: int) -> list[Part]:
    """A spinner and blades facing +Z."""
    blade = box(paint, (0.16 * radius, radius, 0.05 * radius), (0, radius / 2, 0), bevel=0.01 * radius)
    parts = [p for i in range(blades) for p in turned([blade], 360 * i / blades + 20, "z")]
    hub = turned(
        lathe(paint, [(0.14 * radius, -0.1 * radius), (0.13 * radius, 0.08 * radius), (0, 0.26 * radius)], sides=12),
        90,
        "x",
    )
    return moved([*parts, hub], at)


def plane(rng: Rng) -> list[Part]:
    """An airliner, a jet fighter or a small propeller plane."""
    style = pick(rng, ("liner", "fighter", "small", "small"))
    paint, trim, pane = painted(rng, "body"), painted(rng, "trim"), glass(rng)
    length, r = 400.0, {"liner": 26.0, "fighter": 24.0, "small": 32.0}[style] * rng.uniform(0.85, 1.15)
    high = r + (46 if style == "small" else 30)
    parts = [fuselage(paint, length, r, 0.12, high)]
    jet = style != "small"
    span = rng.uniform(170, 215) if style != "fighter" else rng.uniform(105, 135)
    root, tip = (
        (rng.uniform(80, 100), 28)
        if style == "liner"
        else (rng.uniform(120, 165), 30)
        if jet
        else (rng.uniform(58, 70), 44)
    )
    sweep = {"liner": 80.0, "fighter": 95.0, "small": rng.uniform(-4, 14)}[style]
    top = style == "small" and rng.random() < 0.5
    y, z = (high + 0.85 * r, 30.0) if top else (high - 0.5 * r, 20.0)
    parts += moved(both(wing(paint, span, root, tip, sweep, 10, 14)), (0, y, z))
    parts += moved(
        both(wing(trim, span * 0.36, root * 0.6, tip * 0.7, sweep * 0.4, 7, 6)), (0, high + 0.65 * r, -length * 0.44)
    )
    parts += moved([fin(trim, rng.uniform(58, 80), root * 0.65, tip * 0.8, 34, 7)], (0, high + 0.4 * r, -length * 0.42))
    parts.append(
        ellipsoid(
            pane,
            (0.62 * r, 0.6 * r, 1.3 * r if jet else 1.7 * r),
            (0, high + 0.72 * r, length * (0.36 if jet else 0.12)),
            14,
        )
    )
    if style == "liner":
        parts += both(ellipsoid(pane, (3, 4, 0.4 * length), (r - 2, high + 0.2 * r, 10), 10, 0.3))
        for t in (0.3, 0.58)[: int(rng.integers(1, 3))]:
            engine = turned(
                lathe(trim, curve([(6, -26), (11, -10), (13, 10), (12, 24), (9, 24), (8, 10)], 2), sides=16), 90, "x"
            )
            parts += both(moved(engine, (t * span, y - 12, z - t * sweep + 0.34 * root)))
    elif style == "fighter":
        parts += both(box(paint, (18, 26, 130), (r + 4, high - 6, 0), bevel=5)) + both(
            moved(fin(trim, 50, 70, 30, 34, 6), (26, high, -length * 0.36))
        )
        parts += both(tube(steel(rng), [(span * 0.6, y - 4, z - 90), (span * 0.6, y - 4, z - 10)], 5, 8)) + [
            rod(dark(rng), (0, high + 10, -length / 2 - 6), (0, high + 8, -length / 2 + 30), 14, 17)
        ]
    else:
        parts += propeller(dark(rng), (0, high - 3, length / 2 + 2), rng.uniform(55, 70), int(rng.integers(2, 4)))
        if top:
            parts += both(rod(paint, (r * 0.8, high - 0.6 * r, z), (span * 0.5, y + 4, z), 3.5, sides=8))
    return parts + landing_gear(rng, high, r, length)


def landing_gear(rng: Rng, high: float, r: float, length: float) -> list[Part]:
    """Three wheels on struts, or none while flying."""
    if rng.random() < 0.3:
        return []
    tyre, metal = dark(rng, "tyre"), steel(rng)
    radius = 13.0
    parts = both(
        [
            *wheel(tyre, metal, (40, radius, 20), radius, 9, 0),
            rod(metal, (38, radius, 20), (0.5 * r, high - 0.4 * r, 20), 4, sides=8),
        ]
    )
    return [
        *parts,
        *wheel(tyre, metal, (0, radius, 0.36 * length), radius, 9, 0),
        rod(metal, (0, radius, 0.36 * length), (0, high - 0.5 * r, 0.34 * length), 4, sides=8),
    ]


def biplane(rng: Rng) -> list[Part]:
    """Two wings, struts, open cockpit, a propeller."""
    paint, trim, dark_paint = bright(rng, "body"), painted(rng, "trim"), dark(rng)
    parts = [fuselage(paint, 300, 28, 0.15, 74)]
    for y, z in ((60, 40), (132, 56)):
        parts += moved(both(wing(trim, 180, 62, 50, 0, 9, 6)), (0, y, z))
    for x in (30.0, 95.0, 150.0):
        for z in (28, 62):
            parts += both(rod(dark_paint, (x, 62 + x * 0.03, z), (x, 132 + x * 0.03, z + 12), 2.6, sides=6))
    parts += moved(both(wing(trim, 66, 44, 30, 6, 6)), (0, 92, -128)) + moved(
        [fin(trim, 56, 46, 30, 10, 6)], (0, 88, -126)
    )
    parts += [
        ellipsoid(dark_paint, (16, 8, 22), (0, 100, -10), 14),
        *propeller(wood(rng), (0, 70, 152), 56, 2),
        ellipsoid(Paint((220, 180, 150), "skin"), (11, 13, 12), (0, 112, -12), 12),
    ]
    tyre = both(
        [
            *wheel(dark_paint, steel(rng), (34, 18, 60), 18, 8, 0),
            rod(dark_paint, (34, 18, 60), (14, 54, 50), 3, sides=6),
        ]
    )
    return [
        *parts,
        *tyre,
        rod(dark_paint, (-34, 18, 60), (34, 18, 60), 2.6, sides=6),
        rod(dark_paint, (0, 84, -126), (0, 62, -140), 3),
    ]


def helicopter(rng: Rng) -> list[Part]:
    """A helicopter with rotor, tail boom and skids or wheels."""
    paint, pane, black = painted(rng, "body"), glass(rng), dark(rng)
    r, long = rng.uniform(34, 46), rng.uniform(54, 90)
    y = r + 24
    parts = [
        ellipsoid(paint, (r, r * 1.05, long), (0, y, 0), 20, rng.uniform(0.7, 1)),
        ellipsoid(pane, (r * 0.9, r * 0.8, long * 0.55), (0, y + 4, long * 0.52), 18, 0.9),
    ]
    tail = long + rng.uniform(90, 130)
    parts.append(
        tube(paint, [(0, y + 10, -0.5 * long), (0, y + 14, -0.7 * tail), (0, y + 18, -tail)], [0.5 * r, 9, 6], 10)
    )
    parts += moved([fin(paint, 46, 40, 22, 22, 5)], (0, y + 16, -tail + 8)) + moved(
        both(wing(paint, 34, 24, 16, 6, 5)), (0, y + 16, -tail + 30)
    )
    blade = turned([box(black, (4, 26, 4), (0, 13, 0)), box(black, (4, 26, 4), (0, -13, 0))], 35, "x")
    parts += moved(blade, (8, y + 26, -tail - 2))
    count, span = int(rng.integers(2, 6)), rng.uniform(140, 190)
    top = y + r + 20
    parts += [
        rod(black, (0, y + 0.8 * r, 0), (0, top + 6, 0), 5),
        ellipsoid(paint, (0.45 * r, 14, 0.6 * long), (0, y + r, -8), 14),
    ]
    parts += moved(ring(box(black, (11, 3.6, span), (0, 0, span / 2)), count, rng.uniform(0, 90)), (0, top, 0))
    if rng.random() < 0.65:
        skid = tube(black, [(r + 2, 3, -long * 0.8), (r + 2, 3, long * 0.7), (r + 2, 12, long)], 3, 8)
        parts += both(
            [
                skid,
                *(
                    rod(black, (r + 2, 3, z), (0.4 * r, y - 0.8 * r, z), 2.8, sides=8)
                    for z in (-0.4 * long, 0.4 * long)
                ),
            ]
        )
    else:
        parts += both(
            [
                *wheel(black, steel(rng), (r, 11, -0.4 * long), 11, 8, 0),
                rod(black, (r, 11, -0.4 * long), (0.5 * r, y - 0.6 * r, -0.4 * long), 4),
            ]
        )
        parts += [
            *wheel(black, steel(rng), (0, 11, 0.7 * long), 11, 8, 0),
            rod(black, (0, 11, 0.7 * long), (0, y - 0.5 * r, 0.6 * long), 4),
        ]
    return parts


def rocket(rng: Rng) -> list[Part]:
    """A standing rocket with fins and a window, or a space shuttle-like dart."""
    paint, trim, pane = painted(rng, "body"), bright(rng, "trim"), glass(rng)
    r, high = rng.uniform(20, 40), rng.uniform(150, 240)
    belly = rng.uniform(0.85, 1.25)
    profile = curve([(0.55 * r, 0), (0.8 * r, 0.1 * high), (r * belly, 0.4 * high), (0.8 * r, 0.72 * high)], 3)
    nose = curve([(0.8 * r, 0.72 * high), (0.5 * r, 0.88 * high), (0.06 * r, high)], 3)
    parts = [
        lathe(paint, profile),
        lathe(trim, nose),
        lathe(dark(rng), [(0.7 * r, -12), (0.5 * r, 2)]),
        rod(trim, (0, high, 0), (0, high * 1.08, 0), 0.05 * r),
    ]
    shape = curve([(0.6 * r, 0.3 * high), (1.5 * r, 0.12 * high), (1.7 * r, -0.12 * high)], 3)
    outline = np.concatenate([shape, [(1.5 * r, -0.12 * high), (1.1 * r, 0.02 * high), (0.5 * r, 0.05 * high)]])
    parts += ring(extrude(trim, outline, 0.12 * r + 2, bevel=0.8), int(rng.integers(3, 5)), 45)
    for y in (0.55, 0.38)[: int(rng.integers(1, 3))]:
        at = float(np.interp(y * high, profile[:, 1], profile[:, 0]))
        parts += [
            torus(trim, 0.3 * r, 0.07 * r, (0, y * high, at), "z", 18),
            rod(pane, (0, y * high, at - 5), (0, y * high, at + 1), 0.3 * r, sides=18),
        ]
    return moved(parts, (0, 0.14 * high, 0))


def airship(rng: Rng) -> list[Part]:
    """A zeppelin with a gondola, or a hot-air balloon with its basket."""
    paint, trim = bright(rng, "body"), painted(rng, "trim")
    if rng.random() < 0.5:
        body = turned(
            lathe(paint, curve([(1, -160), (34, -110), (56, -20), (54, 60), (34, 120), (2, 150)], 3), sides=16), 90, "x"
        )
        parts = [
            moved(body, (0, 100, 0)),
            box(trim, (26, 20, 80), (0, 34, 20), bevel=6),
            *propeller(dark(rng), (0, 34, -26), 18, 2),
        ]
        fins = [p for i in range(4) for p in turned([fin(trim, 50, 52, 34, 16, 6)], 90 * i + 45, "z")]
        return parts + moved(fins, (0, 100, -118))
    r = rng.uniform(60, 75)
    lobes = int(rng.integers(8, 13))
    body = lathe(
        paint,
        curve([(0.22 * r, 70), (0.62 * r, 110), (r, 170), (0.9 * r, 215), (0.5 * r, 242), (0, 250)], 3),
        sides=lobes * 3,
    )
    v = body.vertices
    v[:, [0, 2]] *= (1 - 0.05 * np.abs(np.cos(lobes / 2 * np.arctan2(v[:, 2], v[:, 0]))))[:, None]
    basket = wood(rng)
    parts = [body, box(basket, (30, 26, 30), (0, 13, 0), bevel=2), box(trim, (34, 4, 34), (0, 26, 0), bevel=1)]
    for sx in (-1, 1):
        parts += [rod(basket, (sx * 14, 26, sz * 14), (sx * 0.15 * r, 74, sz * 0.15 * r), 2, sides=6) for sz in (-1, 1)]
    return [*parts, lathe(trim, [(1.0 * r, 164), (1.01 * r, 180), (0.97 * r, 184)], sides=24)]


def hull(paint: Paint, length: float, width: float, high: float, wall: float, stern: float, *, deck: bool) -> Part:
    """A boat's body along z, open at the top unless it has a deck. ``stern``: its width at the rear, 0..1."""
    t = np.linspace(-1, 1, 13)
    plan = np.where(t < 0, stern + (1 - stern) * np.sqrt(np.clip(1 - t * t, 0, 1)), np.clip(1 - np.abs(t) ** 2.6, 0, 1))
    sheer = high * (1 + 0.18 * t * t + 0.12 * t)

    def level(shrink: float, down: float, long: float) -> np.ndarray:
        half = np.column_stack(
            [np.maximum(plan * width / 2 * shrink, 0.004 * width), sheer * down, t * length / 2 * long]
        )
        left = half[::-1] * (-1, 1, 1)
        return np.concatenate([half, left])

    rings = [level(0.25, 0.0, 0.72), level(0.72, 0.25, 0.86), level(0.93, 0.65, 0.96), level(1, 1, 1)]
    inner = 1 - 2 * wall / width
    rings += [level(inner, 1, 0.97)]
    rings += [level(inner, 0.93, 0.97)] if deck else [level(0.9 * inner, 0.6, 0.93), level(0.6, 0.3, 0.82)]
    return loft(paint, np.array(rings))


def boat(rng: Rng) -> list[Part]:
    """A rowing boat, canoe, dinghy or motor boat."""
    paint, inside = pick(rng, (wood, painted))(rng, "hull"), wood(rng)
    length, width, high = rng.uniform(220, 320), rng.uniform(70, 110), rng.uniform(34, 50)
    motor = rng.random() < 0.4
    parts = [hull(paint, length, width, high, 5, pick(rng, (0.05, 0.7)), deck=motor)]
    if motor:
        white_paint, pane = white(rng, "cabin"), glass(rng)
        parts.append(box(white_paint, (width * 0.6, 30, length * 0.3), (0, high + 12, 0.02 * length), bevel=5))
        parts.append(
            turned(
                box(pane, (width * 0.62, 26, 4), (0, high + 32, 0.12 * length), bevel=1),
                -28,
                "x",
                (0, high + 32, 0.12 * length),
            )
        )
        parts.append(box(dark(rng), (22, 46, 22), (0, high, -0.5 * length), bevel=4))
        parts += both(
            tube(
                steel(rng),
                [
                    (width * 0.3, high, 0.1 * length),
                    (width * 0.3, high + 18, 0.25 * length),
                    (2, high + 18, 0.46 * length),
                ],
                2.2,
                8,
                steps=2,
            )
        )
        return parts
    parts += [box(inside, (width * 0.86, 4, 22), (0, high * 0.72, z * length), bevel=0.8) for z in (-0.25, 0.02, 0.24)]
    if rng.random() < 0.7:
        oar = [
            rod(inside, (10, high + 4, 0), (110, high + 2, -20), 2.4),
            turned(box(inside, (42, 2.6, 13), (124, high + 2, -22), bevel=0.8), 10, "y", (124, high, -22)),
        ]
        parts += both(oar)
    return parts


def ship(rng: Rng) -> list[Part]:
    """A steamer, tug or cargo ship with a bridge and funnels."""
    paint, upper, black = painted(rng, "hull"), white(rng, "cabin"), dark(rng)
    length, width, high = rng.uniform(260, 420), rng.uniform(75, 100), rng.uniform(42, 62)
    parts = [hull(paint, length, width, high, 4, 0.75, deck=True)]
    y, back = high, rng.uniform(-0.3, 0.05) * length
    for i in range(int(rng.integers(2, 5))):
        size = (width * (0.72 - 0.08 * i), 22, length * (0.36 - 0.06 * i))
        parts += [
            box(upper, size, (0, y + 11, back), bevel=1.5),
            box(glass(rng), (size[0] + 1, 7, size[2] * 0.9), (0, y + 13, back)),
            box(upper, (size[0] + 6, 2.5, size[2] + 8), (0, y + 22, back)),
        ]
        y += 22
    stack = bright(rng, "funnel")
    for k in range(int(rng.integers(1, 4))):
        z = back - 12 + k * 26
        parts += [
            rod(stack, (0, y - 8, z), (0, y + 34, z - 5), 11, 10),
            rod(black, (0, y + 30, z - 4), (0, y + 40, z - 6), 10.6),
        ]
    parts += [
        rod(black, (0, high, 0.3 * length), (0, y + 30, 0.3 * length), 3, 1.5),
        *both(ellipsoid(upper, (6, 6, 22), (width * 0.4, high + 16, back), 10)),
    ]
    if rng.random() < 0.5:
        parts += [
            box(painted(rng, "cargo"), (width * 0.3, 18, 36), (x * width * 0.32, high + 8, z * length), bevel=1)
            for x in (-0.5, 0.5)
            for z in (0.14, 0.26)
        ]
    return parts


def sailing_ship(rng: Rng) -> list[Part]:
    """A yacht or a square-rigged ship."""
    paint, sail, mast = (
        pick(rng, (wood, painted))(rng, "hull"),
        pick(rng, (cream, white, cloth))(rng, "sail"),
        wood(rng),
    )
    length, width, high = rng.uniform(230, 320), rng.uniform(60, 84), rng.uniform(36, 56)
    parts = [hull(paint, length, width, high, 4, 0.6, deck=True)]
    if rng.random() < 0.5:
        tall = rng.uniform(240, 320)
        parts += [
            rod(mast, (0, high - 6, 0.1 * length), (0, high + tall, 0.1 * length), 4, 2.5),
            rod(mast, (0, high + 22, 0.1 * length), (12, high + 20, -0.42 * length), 3, sides=8),
        ]
        for corner_z, top in ((-0.4 * length, tall - 6), (0.48 * length, tall * 0.82)):
            u = np.linspace(0, 1, 6)[:, None]
            w = np.linspace(0, 1, 4)[None]
            z = 0.1 * length + (corner_z - 0.1 * length) * w * (1 - 0.96 * u)
            grid = np.stack(
                [
                    10 * np.sin(np.pi * w) * np.sin(np.pi * np.clip(u * 0.8 + 0.1, 0, 1)) + 0 * u,
                    high + 26 + (top - 26) * u + 0 * w,
                    z,
                ],
                -1,
            )
            parts.append(sheet(sail, grid, 4))
        return [
            *parts,
            box(white(rng, "cabin"), (width * 0.5, 16, length * 0.25), (0, high + 6, -0.05 * length), bevel=3),
        ]
    parts += [
        box(paint, (width * 0.85, 30, length * 0.2), (0, high + 16, -0.4 * length), bevel=2),
        rod(mast, (0, high, 0.44 * length), (0, high + 34, 0.68 * length), 4, 2),
    ]
    for z, tall in ((-0.26, 170), (0.02, 220), (0.28, 180))[: int(rng.integers(1, 4))]:
        parts.append(rod(mast, (0, high - 6, z * length), (0, high + tall, z * length), 4, 2.6, 8))
        for t, wide in ((0.22, 1.5), (0.55, 1.15), (0.82, 0.8)):
            w, y = width * wide, high + t * tall
            grid = np.stack(
                np.broadcast_arrays(
                    np.linspace(-w / 2, w / 2, 5)[None],
                    y + np.linspace(0, 0.24 * tall, 5)[:, None],
                    z * length + 6 + 14 * np.sin(np.linspace(0, np.pi, 5))[:, None],
                ),
                -1,
            )
            parts += [
                sheet(sail, grid, 4),
                rod(
                    mast,
                    (-w / 2, y + 0.25 * tall, z * length + 4),
                    (w / 2, y + 0.25 * tall, z * length + 4),
                    2.4,
                    sides=6,
                ),
            ]
    return [
        *parts,
        extrude(
            bright(rng, "flag"), mirror_outline([(0, 0), (14, 0), (14, 9), (0, 9)]), 4, (0, high + 52, -0.5 * length)
        ),
    ]
