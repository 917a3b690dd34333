"""Glasses, bottles, jugs, bowls and vases."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve
from training.families.paints import Rng, brass, ceramic, dark, glass, painted, pick, steel, white, wood
from training.families.parts import Paint, aimed, both, box, ellipsoid, lathe, ring, rod, torus, tube, vessel
from training.families.tableware.walls import ear, outside
from training.shapes import Part


def wine_glass(rng: Rng) -> list[Part]:
    """A stemmed glass or goblet, perhaps filled."""
    paint = pick(rng, (glass, glass, steel, brass))(rng, "glass")
    r, bowl, stem = rng.uniform(2.8, 4.6), rng.uniform(5, 11), rng.uniform(4, 9)
    foot = rng.uniform(0.8, 1.0) * 3.6
    shape = outside(rng, r, bowl, pick(rng, ("round", "tulip", "cone", "straight", "barrel")))
    shape[0, 0] = 0.5
    shape[:, 1] += stem
    low = np.array(
        [(foot, 0), (foot, 0.25), (1.2, 0.6), (0.45, 1.5), (rng.uniform(0.4, 0.9), stem * 0.6), (0.42, stem * 0.92)]
    )
    inside = shape[3:][::-1] - (0.3, -0.0)
    floor = [(0, stem + 0.12 * bowl)]
    fill = rng.random() < 0.5
    parts = [lathe(paint, np.concatenate([low, shape, inside, floor]), sides=24)]
    if fill:
        y = stem + bowl * rng.uniform(0.35, 0.7)
        w = float(np.interp(y, shape[:, 1], shape[:, 0])) - 0.15
        parts.append(
            lathe(
                Paint((120, 20, 40), "drink"), [(0, stem + 0.1 * bowl), (w * 0.6, stem + 0.15 * bowl), (w, y), (0, y)]
            )
        )
    return parts


def tumbler(rng: Rng) -> list[Part]:
    """A drinking glass with ribs, a straw or a cocktail stick."""
    paint = pick(rng, (glass, painted))(rng, "glass")
    r, high = rng.uniform(2.8, 4.5), rng.uniform(7, 15)
    profile = outside(rng, r, high, pick(rng, ("straight", "cone", "tulip")))
    sides = pick(rng, (24, 24, 10, 8))
    parts = [vessel(paint, profile, 0.35, sides=sides)]
    y = rng.uniform(0.5, 0.9) * high
    w = float(np.interp(y, profile[:, 1], profile[:, 0])) - 0.25
    if rng.random() < 0.6:
        parts.append(lathe(painted(rng, "drink"), [(0, 0.4), (w * 0.8, 0.5), (w, y), (0, y)]))
    if rng.random() < 0.5:
        parts.append(
            tube(
                painted(rng, "straw"),
                [(-0.3 * r, 1, 0), (0.7 * r, high, 0), (0.9 * r, high + 3, 0), (r + 2, high + 5, 0)],
                0.33,
                8,
            )
        )
    if rng.random() < 0.25:
        slice_ = rod(Paint((240, 190, 60), "fruit"), (-r - 0.2, high, -0.25), (-r - 0.2, high, 0.25), 1.8, sides=16)
        parts.append(slice_)
    return parts


def bottle(rng: Rng) -> list[Part]:
    """Wine, beer, flask, soap or water bottle with a stopper and a label."""
    paint = pick(rng, (glass, glass, painted, ceramic))(rng, "glass")
    r, high = rng.uniform(3, 5.5), rng.uniform(14, 32)
    neck, shoulder = rng.uniform(0.9, 1.6), rng.uniform(0.45, 0.75)
    points = [(r * 0.9, 0), (r, 0.5), (r, shoulder * high * 0.9), (r * 0.85, shoulder * high)]
    points += [
        (neck * 1.25, (shoulder + 0.14) * high),
        (neck, 0.9 * high),
        (neck, 0.95 * high),
        (neck * 1.25, 0.96 * high),
        (neck * 1.2, high),
    ]
    profile = curve(points, 2)
    body = lathe(paint, profile, sides=24)
    if rng.random() < 0.25:
        flat = rng.uniform(0.45, 0.7)
        body.vertices[:, 2] *= np.where(body.vertices[:, 1] < shoulder * high, flat, flat + (1 - flat) * 0.7)
        return [body, rod(dark(rng, "cap"), (0, 0.95 * high, 0), (0, 1.06 * high, 0), neck * 1.15)]
    parts = [body]
    if rng.random() < 0.7:
        low, top = 0.15 * high, shoulder * high * rng.uniform(0.6, 0.85)
        parts.append(
            lathe(
                pick(rng, (white, painted))(rng, "label"),
                [(r * 0.9, low), (r * 1.02, low), (r * 1.02, top), (r * 0.9, top)],
                sides=24,
            )
        )
    stopper = pick(rng, ("cork", "cap", "pump", "none"))
    if stopper == "cork":
        parts.append(rod(wood(rng, "cork"), (0, 0.98 * high, 0), (0, 1.05 * high, 0), neck * 0.9))
    elif stopper == "cap":
        parts.append(
            lathe(painted(rng, "cap"), [(neck * 1.3, 0.93 * high), (neck * 1.35, high), (neck, 1.02 * high)], sides=16)
        )
    elif stopper == "pump":
        black = dark(rng, "cap")
        parts += [
            rod(black, (0, high, 0), (0, high + 4, 0), 0.5),
            rod(black, (0, 0.95 * high, 0), (0, high + 0.8, 0), neck * 1.4),
        ]
        parts.append(
            tube(black, [(-0.8, high + 4, 0), (0, high + 4.2, 0), (3, high + 4, 0), (3.8, high + 3, 0)], 0.7, 8)
        )
    return parts


def bowl(rng: Rng) -> list[Part]:
    """A bowl on a foot, perhaps filled with round things."""
    paint = pick(rng, (ceramic, ceramic, wood, glass, steel))(rng, "ceramic")
    r, high = rng.uniform(6, 15), rng.uniform(4, 10)
    points = curve(
        [(0.4 * r, 0), (0.42 * r, 0.1 * high), (0.78 * r, 0.4 * high), (0.97 * r, 0.85 * high), (r, high)], 3
    )
    parts = [vessel(paint, points, 0.045 * r, sides=32)]
    if rng.random() < 0.4:
        fruit = painted(rng, "fruit")
        size = r * rng.uniform(0.24, 0.36)
        for i in range(6):
            a = i * 2 * np.pi / 5
            at = (0.42 * r * np.cos(a), high * 0.85, 0.42 * r * np.sin(a)) if i < 5 else (0, high * 0.85 + size, 0)
            parts.append(ellipsoid(fruit, (size, size * 0.92, size), at, 12, rings=7))
    return parts


def jug(rng: Rng) -> list[Part]:
    """A jug or watering can with a lip or spout."""
    paint = pick(rng, (ceramic, glass, steel, painted))(rng, "ceramic")
    r, high = rng.uniform(5, 8), rng.uniform(14, 26)
    points = [(0.7, 0), (0.95, 0.1), (1, 0.35), (0.75, 0.7), (0.6, 0.85), (0.7, 1)]
    profile = curve(np.array(points) * (r, high), 3)
    body = vessel(paint, profile, 0.45, sides=24)
    v = body.vertices
    lip = np.clip(v[:, 1] / high - 0.82, 0, 1) / 0.18 * np.clip(v[:, 0] / (0.6 * r), 0, 1) ** 4
    v[:, 0] += lip * 0.32 * r
    v[:, 1] += lip * 0.05 * high
    parts = [
        body,
        ear(paint, 0.72 * r, 0.3 * high, 0.9 * high, rng.uniform(3.5, 5.5), 0.65, pick(rng, ("ear", "loop"))),
    ]
    if rng.random() < 0.25:
        parts.append(
            tube(
                paint,
                [(0.8 * r, 0.2 * high, 0), (1.9 * r, 0.6 * high, 0), (2.5 * r, 1.0 * high, 0)],
                [1.3, 0.9, 0.8],
                8,
            )
        )
        parts.append(
            aimed(
                lathe(paint, [(0.8, 0), (2.2, 1.8), (2.2, 2.3)], sides=14), (0.8, 0.55, 0), (2.45 * r, high * 0.98, 0)
            )
        )
    return parts


def vase(rng: Rng) -> list[Part]:
    """A vase, amphora or urn of any outline, perhaps fluted, perhaps with ears or twigs."""
    paint = pick(rng, (ceramic, ceramic, glass, brass, painted))(rng, "ceramic")
    high = rng.uniform(14, 40)
    ts = np.array([0, 0.06, 0.25, 0.5, 0.72, 0.88, 1.0])
    radii = rng.uniform(0.35, 1, 7)
    radii[[0, 1]] = rng.uniform(0.4, 0.75)
    radii[2:4] = np.maximum(radii[2:4], 0.55)
    profile = curve(np.column_stack([radii * high * rng.uniform(0.22, 0.4), ts * high]), 3)
    lobes = int(rng.integers(5, 10))
    body = vessel(paint, profile, 0.022 * high, sides=lobes * 4 if rng.random() < 0.3 else 24)
    parts = [body]
    if len(body.vertices) % 24 and rng.random() < 0.9:
        v = body.vertices
        v[:, [0, 2]] *= (1 + 0.05 * np.cos(lobes * np.arctan2(v[:, 2], v[:, 0])))[:, None]
    if rng.random() < 0.25:
        x = float(np.interp(0.85 * high, profile[:, 1], profile[:, 0])) * 0.95
        y = float(np.interp(0.55 * high, profile[:, 1], profile[:, 0])) * 0.95
        parts += both(
            tube(
                paint,
                [(x, 0.88 * high, 0), (max(x, y) + 0.14 * high, 0.86 * high, 0), (y, 0.55 * high, 0)],
                0.025 * high,
                8,
            )
        )
    if rng.random() < 0.4:
        leaf, bloom = Paint((80, 120, 60), "stem"), painted(rng, "flower")
        for a in rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))):
            lean = rng.uniform(0.1, 0.5) * high
            tip = (lean * np.cos(a), high * rng.uniform(1.3, 1.7), lean * np.sin(a))
            parts.append(
                tube(leaf, [(0, 0.5 * high, 0), (0.3 * tip[0], high * 1.1, 0.3 * tip[2]), tip], 0.014 * high, 6)
            )
            parts.append(ellipsoid(bloom, (0.07 * high,) * 3, tip, 10, rings=6))
    return parts


def basket(rng: Rng) -> list[Part]:
    """A woven basket with a bow."""
    paint = wood(rng)
    r, high = rng.uniform(12, 18), rng.uniform(9, 16)
    parts = [vessel(paint, [(0.78 * r, 0), (0.9 * r, 0.5 * high), (r, high)], 0.9, sides=24)]
    for t in np.linspace(0.05, 1, 6):
        parts.append(torus(paint, (0.78 + 0.22 * t) * r, 0.55, (0, t * high, 0), sides=24))
    parts += ring(rod(paint, (0.8 * r, 0, 0), (1.02 * r, high, 0), 0.5, sides=6), 12)
    if rng.random() < 0.7:
        a = np.linspace(0, np.pi, 9)
        parts.append(tube(paint, np.column_stack([r * np.cos(a), high + 1.1 * r * np.sin(a), np.zeros(9)]), 0.9, 8))
    if rng.random() < 0.4:
        parts.append(box(painted(rng, "cloth"), (1.2 * r, 2, 1.2 * r), (0, high - 1, 0), bevel=0.8))
    return parts
