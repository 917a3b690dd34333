"""What stands on a table or a kitchen counter."""

from __future__ import annotations

import numpy as np

from training.families.kitchenware import (
    candle,
    coffee_machine,
    cutlery,
    grater,
    kitchen_scale,
    knife_block,
    mixer,
    place_setting,
    rolling_pin,
    toaster,
)
from training.families.outlines import curve, oval
from training.families.paints import Rng, brass, ceramic, dark, glass, painted, pick, steel, white, wood
from training.families.parts import (
    Paint,
    aimed,
    both,
    box,
    ellipsoid,
    lathe,
    loft,
    ring,
    rod,
    torus,
    tube,
    vessel,
)
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random piece of tableware; handles point to either side, spouts to the other."""
    kinds = (cup, cup, mug, mug, teapot, teapot, wine_glass, tumbler, bottle, bottle, bowl, bowl, plate, pan, pot, pot)
    kinds += (jug, jug, cutlery, cutlery, knife_block, tray, candle, vase, vase, vase, kitchen_scale, toaster)
    kinds += (mixer, coffee_machine, kettle, grater, rolling_pin, place_setting, shaker, teapot_set, basket)
    return pick(rng, kinds)(rng)


def outside(rng: Rng, radius: float, height: float, style: str) -> np.ndarray:
    """(k, 2) smooth outside of a vessel from foot to rim."""
    points = {
        "straight": [(0.92, 0), (1, 0.04), (1, 0.5), (1, 1)],
        "cone": [(0.62, 0), (0.68, 0.04), (0.85, 0.5), (1, 1)],
        "round": [(0.5, 0), (0.72, 0.12), (0.98, 0.45), (1, 0.72), (0.93, 1)],
        "tulip": [(0.45, 0), (0.8, 0.15), (0.92, 0.4), (0.86, 0.7), (1, 1)],
        "barrel": [(0.75, 0), (0.9, 0.2), (1, 0.5), (0.92, 0.8), (0.82, 1)],
        "bell": [(0.4, 0), (0.42, 0.06), (0.75, 0.3), (0.9, 0.7), (1, 1)],
    }[style]
    shape = np.array(points)
    shape[1:-1, 0] *= rng.uniform(0.94, 1.06, len(shape) - 2)
    return curve(shape * (radius, height), 3)


def ear(paint: Paint, radius: float, low: float, high: float, reach: float, thick: float, style: str) -> Part:
    """A handle on the -X side of a vessel whose wall is at ``radius`` there."""
    mid, r = (low + high) / 2, -radius
    if style == "square":
        line = [(r * 0.93, high, 0), (r - reach, high, 0), (r - reach, low, 0), (r * 0.9, low, 0)]
        return tube(paint, line, thick, 8, steps=1)
    if style == "ear":
        line = [(r * 0.93, high, 0), (r - reach, high + 0.05 * mid, 0), (r - 0.8 * reach, mid, 0), (r * 0.85, low, 0)]
    else:
        line = [
            (r * 0.93, high, 0),
            (r - 0.8 * reach, high - 0.02 * mid, 0),
            (r - reach, mid, 0),
            (r - 0.7 * reach, low, 0),
            (r * 0.9, low, 0),
        ]
    return tube(paint, line, thick, 8, flat=1.4)


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


def plate(rng: Rng) -> list[Part]:
    """A plate or a stack of them, perhaps with a slice of something."""
    paint = ceramic(rng)
    r = rng.uniform(9, 15)
    t, high = 0.045 * r, rng.uniform(0.08, 0.2) * r
    profile = [
        (0.5 * r, 0),
        (0.62 * r, 0.2 * t),
        (0.7 * r, 0.5 * high),
        (r, high),
        (r * 0.99, high + t),
        (0.7 * r, 0.5 * high + t),
        (0.6 * r, 1.3 * t),
        (0, 1.2 * t),
    ]
    parts = []
    for i in range(1 if rng.random() < 0.75 else int(rng.integers(2, 6))):
        parts.append(lathe(paint, np.array(profile) + np.array((0, i * 1.5 * t)), sides=36))
    if len(parts) == 1 and rng.random() < 0.5:
        food = painted(rng, "food")
        for x, z, s in rng.uniform(-0.3, 0.3, (int(rng.integers(1, 5)), 3)) * r:
            parts.append(
                ellipsoid(food, (0.25 * r + s * 0.3, 0.14 * r, 0.2 * r), (x, 1.2 * t + 0.06 * r, z), 12, 0.8, 7)
            )
    return parts


def pan(rng: Rng) -> list[Part]:
    """A frying pan or wok with a long handle."""
    paint, grip = pick(rng, (dark, steel, brass))(rng, "metal"), pick(rng, (dark, wood, steel))(rng, "grip")
    r, high = rng.uniform(10, 16), rng.uniform(3, 7)
    parts = [
        vessel(
            paint, curve([(0.72 * r, 0), (0.8 * r, 0.1 * high), (0.93 * r, 0.6 * high), (r, high)], 3), 0.5, sides=32
        )
    ]
    reach = rng.uniform(13, 20)
    line = [(-0.96 * r, 0.75 * high, 0), (-r - 0.4 * reach, high + 1, 0), (-r - reach, high + rng.uniform(0.5, 4), 0)]
    parts += [
        tube(grip, line, [0.7, 0.9, 1.0], 8, flat=1.5),
        ellipsoid(paint, (1, 0.8, 1.6), (-0.98 * r, 0.78 * high, 0), 10),
    ]
    if rng.random() < 0.3:
        parts += [
            ellipsoid(white(rng, "egg"), (4.5, 0.6, 4), (1, 0.9, 0), 16, rings=5),
            ellipsoid(Paint((245, 180, 40), "yolk"), (1.6, 1.1, 1.6), (1, 1.2, 0), 12),
        ]
    return parts


def pot(rng: Rng) -> list[Part]:
    """A cooking pot with two ears or a long handle, with a lid or open."""
    paint, black = pick(rng, (steel, painted, brass, dark))(rng, "metal"), dark(rng, "grip")
    r, high = rng.uniform(8, 14), rng.uniform(7, 18)
    parts = [
        vessel(
            paint,
            curve([(0.9 * r, 0), (r, 0.08 * high), (r, 0.5 * high), (r, 0.96 * high), (1.03 * r, high)], 2),
            0.5,
            sides=28,
        )
    ]
    if rng.random() < 0.7:
        loop = [
            (0.97 * r, 0.78 * high, -2.6),
            (r + 2.6, 0.82 * high, -2),
            (r + 2.6, 0.82 * high, 2),
            (0.97 * r, 0.78 * high, 2.6),
        ]
        parts += both(tube(pick(rng, (paint, black)), loop, 0.55, 8))
    else:
        parts.append(
            tube(
                black,
                [(-r * 0.97, 0.8 * high, 0), (-r - 9, 0.86 * high, 0), (-r - 18, 0.84 * high, 0)],
                [0.8, 1, 1.1],
                8,
            )
        )
    if rng.random() < 0.65:
        lid = curve(
            [(1.04 * r, high), (1.04 * r, high + 0.5), (0.7 * r, high + 0.13 * r), (0.1 * r, high + 0.22 * r)], 2
        )
        parts += [
            lathe(pick(rng, (paint, glass(rng))), lid, sides=28),
            lathe(
                black,
                np.array([(0.5, 0), (0.5, 1), (1.6, 1.8), (1.2, 2.5), (0, 2.7)]) + np.array((0, high + 0.2 * r)),
                sides=14,
            ),
        ]
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


def tray(rng: Rng) -> list[Part]:
    """A tray with a rim and grips, sometimes with cups on it."""
    paint = pick(rng, (wood, steel, painted))(rng, "tray")
    width, depth = rng.uniform(30, 50), rng.uniform(22, 34)
    square = pick(rng, (0.15, 0.5, 1.0))
    rings = []
    for grow, y in ((0.92, 0.0), (1.0, 2.6), (0.96, 2.6), (0.89, 0.8)):
        loop = oval(width * grow, depth * grow, 28, square)
        rings.append(np.column_stack([loop[:, 0], np.full(28, y), loop[:, 1]]))
    parts = [loft(paint, np.array(rings))]
    parts += both(
        tube(
            paint,
            [(0.46 * width, 2.4, -5), (0.55 * width, 4, -4), (0.55 * width, 4, 4), (0.46 * width, 2.4, 5)],
            0.7,
            8,
        )
    )
    if rng.random() < 0.6:
        things = ceramic(rng, "cup")
        for _ in range(int(rng.integers(1, 4))):
            x, z = rng.uniform(-0.28, 0.28, 2) * (width, depth)
            parts.append(vessel(things, outside(rng, 3.6, rng.uniform(4, 12), "cone"), 0.4, (x, 0.8, z), 16))
    return parts


def shaker(rng: Rng) -> list[Part]:
    """A salt shaker or pepper mill."""
    paint = pick(rng, (wood, steel, ceramic))(rng, "body")
    high = rng.uniform(7, 26)
    shape = np.array(
        [
            (0.24, 0),
            (0.26, 0.08),
            (0.16, 0.3),
            (0.2, 0.5),
            (0.25, 0.62),
            (0.15, 0.72),
            (0.26, 0.8),
            (0.22, 0.92),
            (0, 0.97),
        ]
    )
    shape[:, 0] *= rng.uniform(0.7, 1.2) * min(1.0, 10 / high + 0.3)
    shape[1:-1, 0] *= rng.uniform(0.85, 1.1, 7)
    return [
        lathe(paint, curve(shape * high, 2)),
        ellipsoid(steel(rng), (0.05 * high,) * 3, (0, high * 0.99, 0), 10, rings=6),
    ]


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
