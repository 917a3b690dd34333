"""Planes, helicopters, rockets, airships, boats and ships; noses and bows towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, bright, dark, glass, painted, pick, steel, wood
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
