"""Cups, mugs and pots for tea."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, brass, ceramic, dark, glass, painted, pick, steel, white, wood
from training.families.parts import Paint, ellipsoid, lathe, torus, tube, vessel
from training.families.tableware.walls import ear, outside
from training.shapes import Part


def cup(rng: Rng) -> list[Part]:
    """A tea cup on its saucer, perhaps with a spoon."""
    paint = ceramic(rng)
    r, high = rng.uniform(3.6, 5.2), rng.uniform(4.5, 7)
    lift = 1.2
    profile = outside(rng, r, high, pick(rng, ("round", "bell", "tulip", "cone")))
    parts = [vessel(paint, profile, 0.35, (0, lift, 0))]
    parts.append(
        ear(
            paint,
            np.interp(0.7 * high, profile[:, 1], profile[:, 0]),
            lift + 0.35 * high,
            lift + 0.8 * high,
            rng.uniform(1.6, 2.4),
            0.38,
            pick(rng, ("ear", "loop")),
        )
    )
    wide = r * rng.uniform(1.5, 1.8)
    if rng.random() < 0.85:
        parts.append(saucer(paint, wide, rng.uniform(1, 1.8)))
    if rng.random() < 0.5:
        parts.append(
            lathe(
                Paint((90, 55, 30), "drink"),
                [
                    (0, lift + 0.7 * high),
                    (r * 0.93, lift + 0.7 * high),
                    (r * 0.93, lift + 0.8 * high),
                    (0, lift + 0.8 * high),
                ],
            )
        )
    if rng.random() < 0.3:
        parts.append(
            tube(
                steel(rng),
                [(r * 0.4, 1.4, wide * 0.7), (r * 1.2, 2, wide * 0.4), (wide * 1.1, 2.4, wide * 0.1)],
                [0.8, 0.3, 0.4],
                8,
            )
        )
    return parts


def saucer(paint: Paint, radius: float, high: float) -> Part:
    """A small plate."""
    t = 0.4
    return lathe(
        paint,
        [
            (0.5 * radius, 0),
            (0.6 * radius, 0.15),
            (radius, high),
            (radius * 0.98, high + t),
            (0.6 * radius, t + 0.4),
            (0, t + 0.3),
        ],
        sides=28,
    )


def mug(rng: Rng) -> list[Part]:
    """A mug or beer stein, perhaps with bands or foam."""
    paint = pick(rng, (ceramic, ceramic, glass, wood, steel))(rng, "ceramic")
    r, high = rng.uniform(3.6, 5), rng.uniform(7, 13)
    style = pick(rng, ("straight", "straight", "barrel", "cone", "round"))
    profile = outside(rng, r, high, style)
    parts = [vessel(paint, profile, 0.45)]
    grip = pick(rng, ("ear", "loop", "square"))
    parts.append(ear(paint, r * 0.96, 0.2 * high, 0.82 * high, rng.uniform(2.2, 3.6), rng.uniform(0.45, 0.75), grip))
    if rng.random() < 0.35:
        band = painted(rng, "band")
        for t in pick(rng, ((0.15, 0.85), (0.5,), (0.1,))):
            parts.append(
                torus(band, float(np.interp(t * high, profile[:, 1], profile[:, 0])), 0.22, (0, t * high, 0), sides=24)
            )
    if rng.random() < 0.3:
        parts += [
            ellipsoid(white(rng, "foam"), (r * 0.5, 1, r * 0.5), (a, high - 0.3, b), 10, rings=5)
            for a, b in rng.uniform(-0.45, 0.45, (5, 2)) * r
        ]
    return parts


def teapot(rng: Rng) -> list[Part]:
    """A round pot with spout, handle, lid and knob."""
    paint = pick(rng, (ceramic, ceramic, steel, dark))(rng, "ceramic")
    r, high = rng.uniform(6.5, 9), rng.uniform(8, 14)
    profile = outside(rng, r, high, pick(rng, ("round", "round", "barrel", "tulip")))
    neck = profile[-1, 0] * rng.uniform(0.55, 0.75)
    shoulder = np.concatenate([profile, [(neck * 1.15, high + 0.6), (neck, high + 1)]])
    parts = [lathe(paint, shoulder, sides=28)]
    lid = curve([(neck * 1.1, high + 0.9), (neck * 0.95, high + 1.6), (neck * 0.4, high + 2.5), (0.3, high + 2.8)], 2)
    parts += [lathe(paint, lid), ellipsoid(paint, (0.9, 0.9, 0.9), (0, high + 3.5, 0), 12, rings=7)]
    reach = rng.uniform(5, 8)
    spout = [
        (0.7 * r, 0.3 * high, 0),
        (r + 0.45 * reach, 0.42 * high, 0),
        (r + 0.6 * reach, 0.8 * high, 0),
        (r + reach, high + 0.6, 0),
    ]
    parts.append(tube(paint, spout, [1.9, 1.5, 1.0, 0.75], 10))
    if rng.random() < 0.75:
        parts.append(
            ear(
                pick(rng, (paint, wood(rng))),
                r * 0.97,
                0.25 * high,
                0.88 * high,
                rng.uniform(3.5, 5),
                0.6,
                pick(rng, ("ear", "loop")),
            )
        )
    else:
        a = np.linspace(0.25, np.pi - 0.25, 7)
        bow = np.column_stack([r * 0.8 * np.cos(a), high + 7 * np.sin(a), np.zeros(7)])
        parts.append(tube(wood(rng, "grip"), bow, 0.55, 8))
    return parts


def kettle(rng: Rng) -> list[Part]:
    """A kettle for a hob or an electric one on its base."""
    paint, black = pick(rng, (steel, painted, brass))(rng, "enamel"), dark(rng)
    r, high = rng.uniform(8, 10.5), rng.uniform(11, 20)
    neck = 0.6 * r
    parts = [
        lathe(
            paint,
            curve([(r * 0.9, 1), (r, 2), (r * 0.96, 0.4 * high), (neck * 1.1, 0.92 * high), (neck, high)], 3),
            sides=28,
        )
    ]
    parts.append(lathe(black, [(r * 0.95, 0), (r * 0.95, 1.2), (r * 0.7, 1.5)], sides=28))
    parts.append(
        lathe(
            paint,
            [
                (neck, high),
                (neck * 0.8, high + 1),
                (0.9, high + 1.5),
                (0.8, high + 2.6),
                (1.2, high + 3),
                (0, high + 3.6),
            ],
        )
    )
    parts.append(
        tube(paint, [(0.8 * r, 0.55 * high, 0), (r * 1.25, 0.8 * high, 0), (r * 1.55, high, 0)], [2, 1.4, 1], 10)
    )
    if high < 14:
        a = np.linspace(0.1, np.pi - 0.1, 7)
        parts.append(
            tube(black, np.column_stack([r * 0.75 * np.cos(a), 0.85 * high + 9 * np.sin(a), np.zeros(7)]), 0.8, 8)
        )
    else:
        parts.append(ear(black, neck, 0.2 * high, high * 0.95, 6, 1.0, "square"))
    return parts


def teapot_set(rng: Rng) -> list[Part]:
    """A pot with two cups on a tray."""
    pot_parts = teapot(rng)
    paint = Paint(pot_parts[0].color, pot_parts[0].material)
    parts = [lathe(wood(rng, "tray"), [(24, 0), (25, 2), (24, 2), (23.4, 1), (0, 1)], sides=36)]
    parts += [Part(p.vertices + np.array((-4, 1, -5)), p.faces, p.color, p.material) for p in pot_parts]
    for x, z in ((-9, 13), (9, 12)):
        parts += [
            vessel(paint, outside(rng, 3.4, 5, "round"), 0.4, (x, 2, z), 16),
            torus(paint, 1.4, 0.35, (x + 4, 4.6, z), "z", 12),
        ]
    return parts
