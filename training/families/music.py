"""Musical instruments; strings, keys and skins face +Z."""

from __future__ import annotations

import numpy as np

from training.families.outlines import curve, mirror_outline
from training.families.paints import Rng, brass, bright, dark, pick, steel, white, wood
from training.families.parts import (
    Paint,
    aimed,
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
)
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random instrument."""
    kinds = (guitar, guitar, guitar, guitar, piano, piano, grand_piano, drum, drum, drum_kit, violin, violin, trumpet)
    kinds += (trumpet, saxophone, harp, flute, accordion, xylophone, banjo, tambourine, bell, keyboard)
    return pick(rng, kinds)(rng)


def posed(rng: Rng, parts: list[Part]) -> list[Part]:
    """Upright, leaning back or tilted to a side."""
    return turned(turned(parts, -pick(rng, (0.0, 0.0, 12.0)), "x"), pick(rng, (0.0, 0.0, rng.uniform(-40, 40))), "z")


def neck(rng: Rng, paint: Paint, low: float, long: float, wide: float, depth: float, strings: int) -> list[Part]:
    """A neck with frets, nut, head and pegs, from y = low upwards."""
    board, metal = dark(rng, "board"), steel(rng)
    parts = [
        box(paint, (wide, long, depth), (0, low + long / 2, 0), bevel=0.3 * depth),
        box(board, (wide * 0.96, long + 8, 0.8), (0, low + long / 2 - 4, depth / 2 + 0.3)),
    ]
    parts += [
        box(metal, (wide * 0.96, 0.35, 0.6), (0, low + long * (1 - 0.944**i), depth / 2 + 0.7)) for i in range(1, 13)
    ]
    top = low + long
    head = [(-wide / 2, 0), (wide / 2, 0), (0.9 * wide, 4), (0.8 * wide, 15), (-0.8 * wide, 15), (-0.9 * wide, 4)]
    parts.append(turned(extrude(paint, head, 1.8, (0, top, 0), bevel=0.3), -10, "x", (0, top, 0)))
    for i in range(strings // 2):
        y = top + 4.5 + i * 9 / max(strings // 2 - 1, 1)
        parts += both(
            [
                rod(metal, (0.8 * wide, y, -1), (1.25 * wide, y, -1), 0.5, sides=8),
                ellipsoid(white(rng, "peg"), (0.9, 1.2, 0.6), (1.35 * wide, y, -1), 8, rings=4),
            ]
        )
    return parts


def body_outline(rng: Rng, high: float, wide: float, waist: float) -> np.ndarray:
    """A guitar's or violin's body, its foot at y = 0."""
    half = [
        (0, 0),
        (0.3, 0.02),
        (0.48, 0.14),
        (0.5, 0.28),
        (0.4 * waist + 0.08, 0.52),
        (0.36, 0.72),
        (0.34, 0.88),
        (0.2, 0.98),
        (0, 1),
    ]
    return mirror_outline(curve(np.array(half) * (wide, high), 3))


def guitar(rng: Rng) -> list[Part]:
    """An acoustic or electric guitar, bass or ukulele."""
    paint, dark_paint, metal = (wood(rng, "body") if rng.random() < 0.5 else bright(rng, "body")), dark(rng), steel(rng)
    high, wide = rng.uniform(38, 50), rng.uniform(29, 39)
    electric = rng.random() < 0.5
    depth = rng.uniform(3.6, 5) if electric else rng.uniform(8, 11)
    if electric and rng.random() < 0.6:
        style = pick(
            rng,
            (
                [
                    (-8, 0),
                    (8, 0),
                    (17, 6),
                    (16, 16),
                    (11, 22),
                    (15, 32),
                    (13, 40),
                    (8, 34),
                    (0, 30),
                    (-8, 34),
                    (-13, 45),
                    (-15, 36),
                    (-11, 22),
                    (-16, 16),
                    (-17, 6),
                ],
                [(0, 4), (20, -6), (8, 32), (0, 33), (-8, 32), (-20, -6)],
            ),
        )
        outline = curve(style, 2 if len(style) > 8 else 1, loop=len(style) > 8)
        top = 33.0
    else:
        outline, top = body_outline(rng, high, wide, rng.uniform(0.6, 0.9)), high
    parts = [extrude(paint, outline, depth, bevel=0.7)]
    front = depth / 2
    if electric:
        parts += [box(dark_paint, (8, 3, 1.2), (0, y, front + 0.3), bevel=0.3) for y in (12, 22)] + [
            rod(metal, (x, y, front), (x, y, front + 1.4), 1.1) for x, y in ((9, 8), (11, 12))
        ]
        parts.append(
            extrude(
                white(rng, "plate"),
                curve([(3, 6), (11, 7), (9, 18), (4, 27), (1, 20)], 2, loop=True),
                0.9,
                (0, 0, front),
            )
        )
    else:
        parts += [
            rod(dark_paint, (0, 0.64 * high, front - 0.2), (0, 0.64 * high, front + 0.35), 0.15 * wide, sides=22),
            torus(dark_paint, 0.17 * wide, 0.5, (0, 0.64 * high, front + 0.2), "z", 22),
        ]
    parts += [
        box(dark_paint, (11, 2, 1.4), (0, 6, front + 0.5), bevel=0.3),
        *moved(
            neck(rng, wood(rng, "neck"), top - 2, rng.uniform(32, 48), 4.8, 2.4, pick(rng, (4, 6))), (0, 0, front - 1.0)
        ),
    ]
    return posed(
        rng,
        [
            *parts,
            *(rod(metal, (x, 6, front + 1.5), (x * 0.7, top + 36, front + 1.3), 0.3, sides=4) for x in (-1.6, 0, 1.6)),
        ],
    )


def violin(rng: Rng) -> list[Part]:
    """A violin, cello or double bass, perhaps with its bow."""
    paint, black = Paint(pick(rng, ((150, 80, 40), (120, 60, 30), (180, 110, 55))), "wood"), dark(rng)
    half = [(0, 0), (8, 0.4), (11.5, 5), (10, 11), (6.8, 15), (7, 20), (9, 22), (9.2, 28), (6, 33), (0, 35)]
    outline = mirror_outline(curve(half, 2))
    depth = rng.uniform(4.6, 8)
    front = depth / 2
    parts = [
        extrude(paint, outline, depth, bevel=1.1),
        extrude(paint, outline * 0.72 + (0, 4.8), depth + 1.2, bevel=0.5),
    ]
    parts += [
        extrude(black, [(-2.2, 3), (2.2, 3), (1.2, 12), (-1.2, 12)], 0.9, (0, 0, front + 1.2)),
        box(wood(rng, "bridge"), (5, 0.9, 3.2), (0, 16, front + 1.5)),
        box(paint, (3, 24, 2.6), (0, 45, front - 0.6), bevel=0.6),
        box(black, (3.1, 38, 1), (0, 37, front + 1.4)),
    ]
    parts += both(tube(black, [(4.4, 14, front + 0.7), (5, 17, front + 0.7), (4, 19, front + 0.7)], 0.4, 6)) + [
        torus(paint, 1.8, 0.9, (0, 60, front - 1.6), "x", 16)
    ]
    parts += [
        rod(black, (s * 1.2, 56 + i, front - 1), (s * 4.4, 56 + i, front - 1), 0.5, sides=8)
        for s, i in ((1, 0), (-1, 1), (1, 2.4), (-1, 3.2))
    ]
    if depth > 6:
        parts.append(rod(black, (0, 1, 0), (0, -9, 0), 0.7))
    if rng.random() < 0.4:
        parts += [
            tube(wood(rng, "bow"), [(14, -2, 2), (14.8, 26, 2), (14, 54, 2)], 0.6, 6),
            box(white(rng, "hair"), (0.6, 54, 0.9), (13, 26, 2)),
            box(black, (2, 4, 1.2), (13.4, 2, 2)),
        ]
    return posed(rng, parts)


def banjo(rng: Rng) -> list[Part]:
    """A banjo or lute with a round body."""
    metal, skin = pick(rng, (steel, wood))(rng, "rim"), white(rng, "skin")
    r = rng.uniform(13, 17)
    parts = [
        aimed(lathe(metal, [(0.9 * r, -4), (r, -3), (r, 3), (0.94 * r, 3.4)], sides=28), (0, 0, 1)),
        aimed(lathe(skin, [(0.93 * r, 2), (0.93 * r, 3.8)], sides=28), (0, 0, 1)),
    ]
    parts += [turned(rod(metal, (0, r + 0.8, -2.4), (0, r + 0.8, 3), 0.7, sides=6), 30 * i, "z") for i in range(12)]
    return posed(
        rng,
        [
            *parts,
            *moved(neck(rng, wood(rng, "neck"), r - 2, 44, 4.6, 2.4, 4), (0, 0, 2)),
            box(wood(rng), (7, 1.2, 2), (0, -0.4 * r, 4.6)),
        ],
    )


def keys(rng: Rng, width: float, count: int, at: tuple[float, float, float], deep: float) -> list[Part]:
    """White and black piano keys, their fronts towards +Z."""
    x, y, z = at
    step = width / count
    parts = [
        box(white(rng, "key"), (step * 0.94, 2, deep), (x + (i - (count - 1) / 2) * step, y, z), bevel=0.2)
        for i in range(count)
    ]
    black = dark(rng, "black key")
    return parts + [
        box(black, (step * 0.56, 2, deep * 0.62), (x + (i - count / 2 + 1) * step, y + 1.4, z - 0.19 * deep), bevel=0.3)
        for i in range(count - 1)
        if i % 7 not in (2, 6)
    ]


def piano(rng: Rng) -> list[Part]:
    """An upright piano, often with a stool."""
    paint, metal = pick(rng, (dark, wood, white))(rng, "wood"), brass(rng)
    w, high = rng.uniform(120, 150), rng.uniform(100, 125)
    parts = [
        box(paint, (w, high, 30), (0, high / 2, -22), bevel=0.8),
        box(paint, (w + 3, 3.6, 35), (0, high + 1.6, -21), bevel=0.8),
        box(paint, (w, 6, 30), (0, 62, 6), bevel=0.6),
    ]
    parts += (
        keys(rng, w - 14, 22, (0, 66, 12), 15)
        + both(box(paint, (5, 12, 32), (w / 2 - 2.5, 66, 6), bevel=0.8))
        + both(box(paint, (6, 62, 6), (w / 2 - 5, 31, 18), bevel=0.8))
    )
    parts += [
        box(paint, (w * 0.84, high * 0.22, 2), (0, high * 0.82, -6.4), bevel=0.6),
        box(paint, (w * 0.84, 40, 2), (0, 30, -6.4), bevel=0.6),
        turned(box(paint, (46, 20, 1.6), (0, 82, -2)), -14, "x", (0, 74, -2)),
        *(box(metal, (3, 1.4, 9), (x, 5, -3), bevel=0.4) for x in (-7, 0, 7)),
    ]
    if rng.random() < 0.5:
        parts += [
            box(dark(rng, "seat"), (52, 8, 28), (0, 44, 60), bevel=2),
            *(p for z in (50, 70) for p in both(rod(paint, (22, 0, z), (22, 42, z), 2.4))),
        ]
    return parts


def grand_piano(rng: Rng) -> list[Part]:
    """A grand piano with its lid up; the keys towards +Z."""
    paint, metal = pick(rng, (dark, dark, white, wood))(rng, "wood"), brass(rng)
    plan = curve([(-70, -60), (-70, -110), (-50, -142), (-22, -140), (0, -100), (30, -66), (66, -50), (70, -30)], 3)
    outline = np.concatenate([[(70, 0), (-70, 0)], plan])
    parts = [
        extrude(paint, outline, 28, (0, 76, 0), "y", bevel=0.8),
        extrude(metal, outline * 0.93 + (0, -4), 1, (0, 90.4, 0), "y"),
        box(paint, (140, 8, 22), (0, 68, 10), bevel=0.8),
        *keys(rng, 122, 22, (0, 74, 11), 15),
        *both(box(paint, (8, 16, 24), (66, 74, 9), bevel=1)),
    ]
    lid = turned(extrude(paint, outline, 2.4, (0, 91, 0), "y"), rng.uniform(25, 42), "z", (-70, 91, 0))
    parts += [
        lid,
        rod(paint, (58, 88, -40), (40, 150, -46), 1.2, sides=6),
        turned(box(paint, (60, 22, 1.6), (0, 102, -10)), -16, "x", (0, 92, -10)),
    ]
    leg = lathe(paint, [(4, 0), (3, 6), (5, 40), (6.4, 62)], sides=12)
    return [
        *parts,
        *(moved(leg, at) for at in ((58, 0, 0), (-58, 0, 0), (-40, 0, -116))),
        box(paint, (14, 4, 8), (0, 14, -10)),
        *both(rod(paint, (6, 14, -10), (6, 62, -10), 1.2, sides=8)),
    ]


def keyboard(rng: Rng) -> list[Part]:
    """An electric keyboard on an X stand, or bare."""
    paint, metal = dark(rng, "case"), pick(rng, (dark, steel))(rng, "stand")
    w = rng.uniform(80, 130)
    parts = [
        box(paint, (w, 7, 30), (0, 0, 0), bevel=1),
        *keys(rng, w - 10, 21, (0, 4, 7), 14),
        box(Paint((70, 110, 140), "screen"), (16, 0.8, 6), (0, 3.7, -8)),
        *(rod(metal, (x, 3, -8), (x, 4.6, -8), 1.6) for x in np.linspace(-0.4, 0.4, 7) * w if abs(x) > 10),
    ]
    if rng.random() < 0.6:
        parts = (
            moved(parts, (0, 80, 0))
            + [rod(metal, (s * 36, 2, z), (-s * 36, 76, z), 2, sides=8) for s in (-1, 1) for z in (-9, 9)]
            + [rod(metal, (s * 36, y, -14), (s * 36, y, 14), 2, sides=8) for s in (-1, 1) for y in (2, 76)]
        )
    return parts


def shell(rng: Rng, paint: Paint, r: float, high: float, rods: int) -> list[Part]:
    """A drum about y from 0 to ``high``."""
    skin, metal = white(rng, "skin"), steel(rng)
    rim = [(0.98 * r, -1.2), (1.05 * r, -1.2), (1.05 * r, 1.2), (0.98 * r, 1.2)]
    parts = [
        lathe(paint, [(r, 0), (r, high)]),
        *(lathe(skin, [(0.95 * r, y), (0.95 * r, y + 1.4)]) for y in (-1.4, high)),
    ]
    parts += [lathe(metal, rim, (0, y, 0)) for y in (0, high)]
    return parts + ring(
        [
            rod(metal, (0, 0, 1.04 * r), (0, high, 1.04 * r), 0.6, sides=6),
            box(metal, (1.8, 5, 2), (0, high / 2, 1.03 * r), bevel=0.3),
        ],
        rods,
    )


def drum(rng: Rng) -> list[Part]:
    """A snare, tom, bongo, conga or djembe."""
    paint, r = pick(rng, (bright, wood))(rng, "shell"), rng.uniform(14, 22)
    style = pick(rng, ("snare", "conga", "djembe", "bongo"))
    if style == "snare":
        parts = shell(rng, paint, r, rng.uniform(10, 34), int(rng.integers(6, 10)))
        sticks = [
            rod(
                wood(rng, "stick"),
                (-18, parts[0].vertices[:, 1].max() + 2, 4 * s),
                (20, parts[0].vertices[:, 1].max() + 2, 9 * s),
                0.9,
                0.6,
                8,
            )
            for s in (-1, 1)
        ]
        return parts + (sticks if rng.random() < 0.6 else [])
    profile = {
        "conga": [(0.75, 0), (1, 0.45), (0.9, 1)],
        "djembe": [(0.72, 0), (0.45, 0.42), (0.55, 0.55), (1, 0.85), (1, 1)],
        "bongo": [(0.85, 0), (1, 1)],
    }[style]
    high = {"conga": 4.0, "djembe": 3.2, "bongo": 1.2}[style] * r * 0.8
    one = [
        lathe(paint, curve(np.array(profile) * (0.8 * r, high), 3), sides=24),
        lathe(white(rng, "skin"), [(0.78 * r, high - 1), (0.76 * r, high + 0.8)], sides=24),
        torus(steel(rng), 0.82 * r * profile[-1][0], 1, (0, high - 0.6, 0), sides=24),
        *ring(rod(steel(rng), (0, 0.72 * high, 0.84 * r), (0, high, 0.84 * r), 0.7, sides=6), 8),
    ]
    if style == "bongo":
        return [
            *moved(one, (-r, 0, 0)),
            *moved([Part(p.vertices * 0.85, p.faces, p.color, p.material) for p in one], (0.72 * r, 0, 0)),
            box(dark(rng), (8, 8, 7), (-0.1 * r, 0.5 * high, 0), bevel=1),
        ]
    return one


def drum_kit(rng: Rng) -> list[Part]:
    """A kit with bass drum, toms and cymbals."""
    paint, gold, metal = bright(rng, "shell"), Paint((205, 170, 80), "cymbal"), steel(rng)
    parts = moved(turned(shell(rng, paint, 28, 38, 8), 90, "x"), (0, 29, -19))
    parts += (
        moved(turned(shell(rng, paint, 15, 18, 6), 20, "x"), (-17, 64, 2))
        + moved(turned(shell(rng, paint, 15, 18, 6), 20, "x"), (17, 64, 2))
        + moved(shell(rng, paint, 20, 34, 6), (-50, 14, -20))
        + moved(shell(rng, paint, 17, 14, 6), (44, 44, -26))
    )
    for x, y, z, r in ((-46, 108, 4, 22), (48, 100, 6, 20)):
        parts += [
            turned(
                lathe(gold, [(r, y), (r, y + 1.2), (5, y + 3), (3, y + 6), (0, y + 6.4)], (x, 0, z), 24),
                8,
                "x",
                (x, y, z),
            ),
            rod(metal, (x, 0, z), (x, y + 8, z), 1.2, sides=8),
            *moved(ring(rod(metal, (0, 22, 0), (0, 0, 16), 1.1, sides=6), 3), (x, 0, z)),
        ]
    return [*parts, *(rod(metal, (x, 0, z), (x, 46, z), 1.2, sides=6) for x, z in ((34, -26), (54, -20), (44, -40)))]


def trumpet(rng: Rng) -> list[Part]:
    """A trumpet, trombone or horn; its bell towards +X or +Z."""
    paint = pick(rng, (brass, brass, steel))(rng, "brass")
    bell = lathe(
        paint,
        [(0.9, 0), (1.1, 10), (1.8, 16), (4, 21), (6.4, 23), (6.2, 23.6), (3.6, 21.4), (1, 14), (0, 12)],
        sides=22,
    )
    parts = [moved(turned(bell, -90, "z"), (2, 4, 0)), rod(paint, (-26, 4, 0), (2, 4, 0), 0.8)]
    if rng.random() < 0.35:
        slide = [
            (-26, 4, 0),
            (-30, 2, 0),
            (-30, -3, 0),
            (-26, -5, 0),
            (34, -5, 0),
            (38, -7, 0),
            (38, -10, 0),
            (34, -12, 0),
            (-20, -12, 0),
        ]
        parts += [
            tube(paint, slide, 0.8, 8, steps=2),
            rod(paint, (-8, -12, 0), (-8, 4, 0), 0.6),
            rod(paint, (4, -12, 0), (4, -5, 0), 0.6),
            lathe(paint, [(0.5, 0), (1.4, 2)], sides=12),
        ][:4]
    else:
        parts += [
            tube(
                paint,
                [
                    (-26, 4, 0),
                    (-29, 2, 0),
                    (-29, -3, 0),
                    (-26, -5, 0),
                    (8, -5, 0),
                    (12, -3, 0),
                    (12, 0, 1),
                    (6, 1, 1.6),
                ],
                0.8,
                8,
                steps=2,
            ),
            *(rod(paint, (x, -8, 0.6), (x, 7, 0.6), 1.5, sides=14) for x in (-8, -4, 0)),
            *(rod(white(rng, "cap"), (x, 7, 0.6), (x, 9.4, 0.6), 0.9) for x in (-8, -4, 0)),
            tube(paint, [(-12, 4, 0), (-40, 4, 0), (-42, 4, 0), (-44, 4, 0)], [0.7, 0.6, 0.8, 1.3], 8, steps=1),
        ]
    return turned(turned(parts, rng.uniform(-10, 30), "z"), pick(rng, (0, -50, -90, 130)))


def saxophone(rng: Rng) -> list[Part]:
    """A saxophone."""
    paint = brass(rng)
    line = [
        (-9, 62, 0),
        (-3, 66, 0),
        (0, 60, 0),
        (0, 30, 0),
        (1, 6, 0),
        (6, 0, 0),
        (12, 5, 0),
        (14, 16, 0),
        (17, 26, 0),
    ]
    parts = [
        tube(paint, line, [0.8, 0.9, 1.2, 2, 2.8, 3.4, 3.8, 4.6, 7.2], 14, steps=4),
        tube(dark(rng), [(-13, 61, 0), (-9, 62.4, 0)], [0.7, 1.1], 8),
        rod(dark(rng, "inside"), (16.5, 25, 0), (17.1, 26.4, 0), 6),
    ]
    parts += [
        rod(paint, (0, y, 1.4), (0, y, 3.4 + (50 - y) * 0.03), 1.5 + (50 - y) * 0.02, sides=12)
        for y in (12, 18, 24, 30, 36, 42, 48)
    ]
    return turned(
        [
            *parts,
            rod(paint, (-2.6, 8, 1), (-1.6, 50, 1), 0.6, sides=6),
            *(ellipsoid(white(rng, "pearl"), (1, 1, 0.6), (1.6, y, 2.4), 8) for y in (27, 33, 39)),
        ],
        pick(rng, (0, 30, -40)),
    )


def harp(rng: Rng) -> list[Part]:
    """A harp or lyre."""
    paint, string = pick(rng, (wood, brass))(rng, "frame"), steel(rng, "string")
    high = rng.uniform(120, 160)
    foot, top = np.array((-26.0, 8, 0)), np.array((34.0, 0.86 * high, 0))
    parts = [
        tube(paint, [(-28, 4, 0), (30, 0.78 * high, 0), top], [10, 4.6, 3.4], 8, steps=2),
        rod(paint, (-38, 4, 0), (-38, high, 0), 3.6, 3),
        tube(paint, [(-38, high - 2, 0), (-24, high + 2, 0), (-4, 0.8 * high, 0), (16, 0.86 * high, 0), top], 3.4, 8),
        box(paint, (34, 8, 22), (-30, 4, 0), bevel=2),
        lathe(paint, [(4, high), (6, high + 4), (3, high + 8), (0, high + 10)], (-38, 0, 0), 14),
    ]
    for t in np.linspace(0.06, 0.94, 14):
        low = foot * (1 - t) + np.array((28, 0.74 * high, 0)) * t
        up = float(np.interp(low[0], [-38, -24, -4, 16, 34], np.array([0.98, 1.0, 0.8, 0.86, 0.86]) * high))
        parts.append(rod(string, low, (low[0], max(up, low[1] + 1), 0), 0.75, sides=4))
    return turned(parts, rng.uniform(-40, 40))


def flute(rng: Rng) -> list[Part]:
    """A flute, recorder, clarinet or bagless pipes."""
    paint, metal = pick(rng, (dark, steel, wood))(rng, "tube"), steel(rng)
    if rng.random() < 0.3:
        return [
            *(rod(wood(rng, "pipe"), (i * 2.7, -6 - i * 2.2, 0), (i * 2.7, 10, 0), 1.25) for i in range(8)),
            box(dark(rng), (23, 1.6, 3.2), (9.4, 3, 0), bevel=0.4),
        ]
    parts = [
        lathe(paint, [(2.4, 0), (1.4, 5), (1.1, 8), (1.0, 44), (1.4, 45), (1.4, 48), (1.0, 49), (0.8, 58)], sides=16),
        *(torus(metal, 1.15, 0.25, (0, y, 0), sides=14) for y in (8, 26, 44)),
        *(rod(metal, (0, y, 0.8), (0, y, 1.8), 0.8, sides=10) for y in np.linspace(12, 40, 8)),
        rod(metal, (1.1, 10, 0.6), (1.1, 42, 0.6), 0.45, sides=6),
    ]
    return posed(rng, parts) if rng.random() < 0.5 else turned(parts, rng.uniform(50, 100), "z")


def accordion(rng: Rng) -> list[Part]:
    """An accordion with bellows and keys."""
    paint, folds = bright(rng, "case"), dark(rng, "bellows")
    gap, count = rng.uniform(10, 24), 9
    parts = [
        box(paint, (12, 38, 18), (gap / 2 + 6, 0, 0), bevel=1.6),
        box(paint, (10, 38, 18), (-gap / 2 - 5, 0, 0), bevel=1.6),
        *(
            box(folds, (gap / count * 0.8, 36, 17), (x * gap, 0, 0), bevel=gap / count * 0.35)
            for x in np.linspace(-0.46, 0.46, count)
        ),
    ]
    parts += [box(white(rng, "key"), (5, 2.2, 1.4), (gap / 2 + 13, y, 5), bevel=0.2) for y in np.linspace(-16, 16, 13)]
    return parts + [
        ellipsoid(white(rng, "button"), (0.8, 0.8, 0.6), (-gap / 2 - 7 + 2.4 * x, y, 9.2), 6, rings=3)
        for x in (0, 1)
        for y in np.linspace(-14, 14, 8)
    ]


def xylophone(rng: Rng) -> list[Part]:
    """A xylophone with two mallets."""
    frame_paint, count = wood(rng), int(rng.integers(8, 13))
    parts = []
    for i in range(count):
        deep = 30 - 14 * i / count
        parts.append(box(bright(rng, f"bar{i % 3}"), (4.2, 1.4, deep), ((i - (count - 1) / 2) * 5, 5, 0), bevel=0.3))
    half = count * 2.5 + 2
    parts += [tube(frame_paint, [(-half, 3, s * 9.5), (half, 3, s * 5.0)], 1.4, 6, steps=1) for s in (-1, 1)] + [
        box(frame_paint, (3, 4, 24), (-half, 2, 0)),
        box(frame_paint, (3, 4, 14), (half, 2, 0)),
    ]
    for s in (-1, 1):
        parts += [
            rod(frame_paint, (s * 6 - 8, 7, 14), (s * 6 + 6, 8, -2), 0.5, sides=8),
            ellipsoid(dark(rng, "ball"), (1.5, 1.5, 1.5), (s * 6 + 6, 8, -2), 10),
        ]
    return parts


def tambourine(rng: Rng) -> list[Part]:
    """A tambourine or maracas."""
    paint, metal = wood(rng), brass(rng)
    if rng.random() < 0.4:
        egg = [
            ellipsoid(bright(rng, "egg"), (4.6, 5.6, 4.6), (0, 18, 0), 18),
            rod(paint, (0, 0, 0), (0, 14, 0), 1.2, 1),
        ]
        return [*turned(egg, 20, "z"), *moved(turned(egg, -24, "z"), (6, 0, 4))]
    parts = [
        lathe(paint, [(12, 0), (13, 0), (13, 5), (12, 5)], sides=30),
        lathe(white(rng, "skin"), [(12.4, 4.4), (12.4, 5.4)], sides=28),
        *ring([rod(metal, (0, y, 12.4), (0, y + 0.6, 12.4), 2.4, sides=12) for y in (1.6, 2.8)], 7),
    ]
    return turned(parts, pick(rng, (0, 70, 90)), "x")


def bell(rng: Rng) -> list[Part]:
    """A bell with a handle or in its yoke, or a metronome."""
    paint, beam = brass(rng), wood(rng)
    body = lathe(paint, curve([(10, 0), (9.4, 1.4), (6.6, 7), (5.4, 13), (2, 16.4), (0.6, 17)], 3), sides=24)
    if rng.random() < 0.35:
        return [
            lathe(beam, [(9, 0), (8.4, 2), (3.2, 24), (0, 26)], sides=4),
            turned(rod(steel(rng), (0, 5, 5.6), (0, 27, 4.4), 0.5, sides=8), 10, "z", (0, 5, 5)),
            box(steel(rng), (2.4, 3, 1.4), (-2.6, 20, 4.6), bevel=0.4),
        ]
    clapper = ellipsoid(dark(rng), (1.8, 2, 1.8), (0, -0.6, 0), 12)
    if rng.random() < 0.5:
        return [body, clapper, lathe(beam, curve([(0.8, 16.6), (1.6, 21), (1.2, 27), (1.8, 30), (0, 31)], 2), sides=14)]
    return [
        body,
        clapper,
        box(beam, (26, 5, 5), (0, 20, 0), bevel=1),
        *both([box(beam, (4, 40, 5), (14, 6, 0), bevel=0.8), box(beam, (5, 4, 22), (14, -13, 0), bevel=0.8)]),
    ]
