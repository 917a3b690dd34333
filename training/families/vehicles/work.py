"""Trains, tractors, forklifts, tanks and walking robots; fronts towards +Z."""

from __future__ import annotations

import numpy as np

from training.families.paints import Rng, bright, dark, glass, muted, painted, pick, steel, wood
from training.families.parts import Paint, bar, both, box, ellipsoid, extrude, lathe, moved, rod, torus, tube, turned
from training.families.wheels import spoked, track, wheel
from training.shapes import Part

LAMP = Paint((245, 240, 210), "lamp")


def steam_engine(rng: Rng) -> list[Part]:
    """A locomotive: steam with boiler and cab, or a modern one."""
    paint, black, metal = painted(rng, "body"), dark(rng), pick(rng, (steel, bright))(rng, "metal")
    r, long = rng.uniform(30, 40), rng.uniform(150, 230)
    y = 50 + r
    if rng.random() < 0.25:
        return modern_train(rng)
    parts = [
        turned(
            lathe(
                paint,
                [(0.9 * r, -long / 2), (r, -long / 2), (r, long / 2), (0.85 * r, long / 2 + 6), (0, long / 2 + 8)],
            ),
            90,
            "x",
        )
    ]
    parts += [torus(metal, r, 2.6, (0, 0, z * long), "z", 20) for z in (-0.25, 0.1, 0.45)]
    parts = moved(parts, (0, y, 0))
    stack_z = 0.34 * long
    parts += [
        lathe(
            black,
            [(11, y + r - 6), (9, y + r + 30), (rng.uniform(12, 20), y + r + 50), (9, y + r + 52)],
            (0, 0, stack_z),
        ),
        ellipsoid(metal, (14, 18, 14), (0, y + r, 0.02 * long), 14),
    ]
    back = -long / 2 - 40
    parts += [
        box(paint, (2.3 * r, 2.4 * r, 70), (0, 44 + 1.2 * r, back), bevel=2),
        box(black, (2.7 * r, 6, 92), (0, 48 + 2.45 * r, back), bevel=2),
    ]
    parts += [
        box(glass(rng), (2.34 * r, 0.7 * r, 34), (0, 44 + 1.75 * r, back)),
        box(black, (1.9 * r, 14, long + 120), (0, 44, -18)),
    ]
    parts += [
        ellipsoid(LAMP, (9, 9, 6), (0, y + r + 4, long / 2), 12),
        box(metal, (2.2 * r, 14, 8), (0, 44, long / 2 + 42), bevel=2),
    ]
    cow = [(long / 2 + 40, 38), (long / 2 + 40, 8), (long / 2 + 68, 8)]
    parts.append(extrude(black, cow, 1.8 * r, axis="x"))
    big = rng.uniform(24, 32)
    for z in np.arange(int(rng.integers(2, 4))) * 2.2 * big - long * 0.42:
        parts += both(spoked(black, metal, (1.05 * r, big, z), big, 7, 8, 0.2))
    parts += both(
        [
            *wheel(black, metal, (1.05 * r, 17, long * 0.42), 17, 8, 2),
            *wheel(black, metal, (1.05 * r, 17, long * 0.2), 17, 8, 2),
        ]
    )
    return (
        parts
        + both(bar(metal, (1.2 * r, big, -long * 0.42), (1.2 * r, big, long * 0.25), 5))
        + both(box(black, (16, 22, 40), (r, 34, long * 0.4), bevel=2))
    )


def modern_train(rng: Rng) -> list[Part]:
    """A railcar or tram with a slanting nose."""
    paint, trim, pane, black = bright(rng, "body"), painted(rng, "trim"), glass(rng), dark(rng)
    h, high, width = rng.uniform(200, 300), 130.0, 100.0
    slant = rng.uniform(10, 70)
    side = [(-h, 26), (-h, high), (h - slant, high), (h, 70), (h, 26)]
    parts = [extrude(paint, side, width, axis="x", bevel=6), box(trim, (width + 1.5, 14, 2 * h - 6), (0, 50, 0))]
    parts += [box(pane, (width + 2, 32, 1.2 * h / 6), (0, 95, z), bevel=1) for z in np.linspace(-0.8, 0.55, 6) * h]
    lean = float(np.degrees(np.arctan2(slant, high - 70)))
    at = (0, 102, h - slant / 2 + 1)
    parts.append(turned(box(pane, (width * 0.8, 40, 4), at, bevel=1), -lean, "x", at))
    for z in (-0.65 * h, 0.6 * h):
        parts += [p for t in (-22, 22) for p in both(wheel(black, steel(rng), (width * 0.36, 16, z + t), 16, 10, 0))]
        parts.append(box(black, (width * 0.8, 16, 80), (0, 20, z)))
    parts += both(ellipsoid(LAMP, (8, 6, 4), (width * 0.32, 52, h), 10)) + [box(black, (16, 8, 14), (0, 30, h + 6))]
    if rng.random() < 0.6:
        parts.append(tube(black, [(0, high, 0), (0, high + 16, -20), (0, high + 32, 0)], 2.6, 6, steps=1))
        parts.append(rod(black, (-26, high + 33, 0), (26, high + 33, 0), 2.6, sides=6))
    return parts


def wagon(rng: Rng) -> list[Part]:
    """A horse cart, covered wagon, hand cart or railway wagon."""
    paint, metal = wood(rng), pick(rng, (wood, dark))(rng, "wheel")
    width, long, deck = rng.uniform(70, 95), rng.uniform(110, 190), 62.0
    big, small = rng.uniform(36, 46), rng.uniform(28, 36)
    parts = both(
        [
            *spoked(metal, metal, (width / 2 + 10, big, -long * 0.3), big, 7, 10, 0.14),
            *spoked(metal, metal, (width / 2 + 10, small, long * 0.32), small, 7, 10, 0.16),
        ]
    )
    parts += [
        rod(paint, (-width / 2 - 12, y, z), (width / 2 + 12, y, z), 4, sides=8)
        for y, z in ((big, -long * 0.3), (small, long * 0.32))
    ]
    parts += [box(paint, (width, 6, long), (0, deck, 0)), box(paint, (10, 8, long), (0, deck - 10, 0))]
    wall = rng.uniform(22, 36)
    rails = int(rng.integers(2, 4))
    for i in range(rails):
        y = deck + (i + 0.7) * wall / rails
        parts += both(box(paint, (4, 0.7 * wall / rails, long), (width / 2, y, 0), bevel=0.8))
        parts += [box(paint, (width, 0.7 * wall / rails, 4), (0, y, s * long / 2), bevel=0.8) for s in (-1, 1)]
    parts += (
        both(bar(paint, (16, deck - 8, long / 2), (10, 30, long / 2 + 90), 5))
        if rng.random() < 0.6
        else [bar(paint, (0, deck - 8, long / 2), (0, 34, long / 2 + 80), 5)]
    )
    if rng.random() < 0.4:
        a = np.linspace(0, np.pi, 11)
        outer = np.column_stack([np.cos(a) * width / 2, deck + wall + np.sin(a) * width * 0.6])
        inner = np.column_stack([np.cos(a) * width * 0.45, deck + wall + np.sin(a) * width * 0.54])[::-1]
        parts.append(extrude(Paint((225, 215, 190), "canvas"), np.concatenate([outer, inner]), long * 0.95))
    elif rng.random() < 0.5:
        load = pick(rng, (muted, wood))(rng, "load")
        parts += [
            ellipsoid(load, (18, 16, 22), (x, deck + 18, z), 12, 0.7, 7)
            for x in (-18, 18)
            for z in (-0.3 * long, 0.0, 0.3 * long)
        ]
    return parts


def tractor(rng: Rng) -> list[Part]:
    """A farm tractor, a digger or a bulldozer."""
    paint, black, metal = bright(rng, "body"), dark(rng), steel(rng)
    style = pick(rng, ("farm", "farm", "digger", "dozer"))
    if style == "digger":
        return digger(rng, paint, black, metal)
    cab = rng.random() < 0.7
    parts = [box(paint, (56, 52, 110), (0, 92, 60), bevel=6), box(black, (44, 30, 190), (0, 60, 10), bevel=3)]
    parts += [box(black, (40, 6, 3), (0, 80 + 10 * i, 116), bevel=1) for i in range(3)] + both(
        ellipsoid(LAMP, (7, 7, 4), (18, 106, 116), 10)
    )
    parts.append(rod(metal, (14, 116, 70), (14, 160, 70), 4))
    if cab:
        parts += [
            box(glass(rng), (80, 70, 74), (0, 142, -40), bevel=3),
            box(paint, (90, 8, 86), (0, 180, -40), bevel=3),
        ]
        parts += [box(paint, (6, 74, 6), (sx * 40, 142, -40 + sz * 37)) for sx in (-1, 1) for sz in (-1, 1)]
    else:
        parts += [box(black, (46, 8, 40), (0, 104, -50), bevel=3), box(black, (46, 36, 8), (0, 122, -70), bevel=3)]
        parts += [
            rod(metal, (0, 100, 0), (0, 128, -12), 3),
            turned(torus(black, 17, 2.6, (0, 130, -13), "y", 16), 30, "x", (0, 130, -13)),
        ]
    if style == "dozer":
        parts += both(
            [
                track(black, (58, 34, 0), 210, 68, 32),
                *(rod(metal, (74, 34, z), (77, 34, z), 22, sides=14) for z in (-68, 0, 68)),
            ]
        )
        blade = [(150, 10), (142, 40), (150, 80), (158, 80), (150, 40), (160, 8)]
        return [*parts, extrude(paint, blade, 170, axis="x"), *both(bar(paint, (76, 40, 0), (70, 36, 146), 10))]
    big, small = rng.uniform(58, 68), rng.uniform(32, 40)
    parts += both(
        [
            *wheel(black, bright(rng, "rim"), (66, big, -52), big, 34, 2),
            *wheel(black, metal, (48, small, 78), small, 20, 2),
        ]
    )
    for angle in np.linspace(0, 2 * np.pi, 14, endpoint=False):
        cleat = box(black, (34, 7, 9), (66, big + (big + 2) * np.sin(angle), -52 + (big + 2) * np.cos(angle)))
        parts += both(turned(cleat, -np.degrees(angle) + 90, "x", cleat.vertices.mean(0)))
    a = np.linspace(0.5, 2.7, 8)
    guard = np.concatenate(
        [np.column_stack([np.cos(a), np.sin(a)]) * 1.17, np.column_stack([np.cos(a), np.sin(a)])[::-1] * 1.09]
    )
    return parts + both(extrude(paint, guard * big + (-52, big), 34, (62, 0, 0), "x"))


def digger(rng: Rng, paint: Paint, black: Paint, metal: Paint) -> list[Part]:
    """An excavator on tracks with an arm and a bucket."""
    parts = both(
        [
            track(black, (52, 26, 0), 200, 52, 36),
            *(rod(metal, (71, 26, z), (74, 26, z), 16, sides=12) for z in (-66, -22, 22, 66)),
        ]
    )
    upper = [
        box(paint, (120, 46, 130), (0, 84, -30), bevel=7),
        box(glass(rng), (46, 64, 62), (-32, 134, 16), bevel=3),
        box(paint, (52, 7, 68), (-32, 168, 16), bevel=2),
    ]
    upper += [box(paint, (5, 66, 5), (-32 + sx * 23, 134, 16 + sz * 31)) for sx in (-1, 1) for sz in (-1, 1)]
    lift = rng.uniform(-20, 40)
    arm = [(20, 90, 30), (20, 190 + lift, 90), (20, 180 + lift, 150), (20, 70, 205)]
    upper += [
        tube(paint, arm[:3], [13, 15, 11], 6, steps=2),
        tube(paint, arm[2:], [11, 8], 6, steps=1),
        rod(metal, (20, 100, 60), (20, 176 + lift, 96), 6),
    ]
    bucket = [
        (190, 74),
        (222, 70),
        (228, 40),
        (205, 18),
        (176, 24),
        (180, 30),
        (202, 28),
        (216, 44),
        (212, 60),
        (190, 62),
    ]
    upper += [
        extrude(paint, bucket, 44, (20, 0, 0), "x"),
        *(box(metal, (6, 5, 14), (20 + x, 22, 172), bevel=1) for x in (-16, 0, 16)),
    ]
    return [
        *parts,
        rod(black, (0, 40, 0), (0, 64, 0), 34, sides=20),
        box(black, (80, 20, 90), (0, 36, 0)),
        *turned(upper, rng.uniform(-25, 25)),
    ]


def forklift(rng: Rng) -> list[Part]:
    """A fork lift truck with a mast, forks and a roof."""
    paint, black, metal = bright(rng, "body"), dark(rng), steel(rng)
    width, high = 86.0, rng.uniform(170, 215)
    side = [(-82, 26), (-86, 70), (-70, 92), (-24, 92), (-16, 52), (36, 50), (44, 80), (58, 80), (60, 26)]
    parts = [extrude(paint, side, width, axis="x", bevel=5)]
    parts += both([*wheel(black, metal, (40, 24, 42), 24, 20, 0), *wheel(black, metal, (38, 19, -56), 19, 18, 0)])
    for sx in (-1, 1):
        parts += [
            bar(black, (sx * 36, 86, -50), (sx * 33, 160, -36), 6),
            bar(black, (sx * 36, 76, 52), (sx * 33, 160, 30), 6),
        ]
    parts += [
        box(black, (76, 5, 76), (0, 161, -3), bevel=1),
        box(black, (44, 10, 38), (0, 96, -34), bevel=3),
        box(black, (44, 38, 9), (0, 114, -54), bevel=3),
    ]
    parts += both(box(metal, (9, high, 12), (24, high / 2 + 6, 72))) + [
        box(metal, (60, 8, 8), (0, y, 72)) for y in (30, high * 0.6, high)
    ]
    lift = rng.uniform(6, 70)
    parts += both([box(black, (11, 6, 92), (20, lift + 4, 128)), box(black, (11, 46, 7), (20, lift + 24, 84))]) + [
        box(black, (70, 8, 6), (0, y + lift, 82)) for y in (22, 46)
    ]
    if rng.random() < 0.4:
        parts.append(box(wood(rng, "crate"), (70, 56, 70), (0, lift + 36, 130), bevel=1))
    return [
        *parts,
        rod(black, (0, 78, 46), (0, 104, 30), 2.6),
        turned(torus(black, 15, 2.4, (0, 105, 29)), 35, "x", (0, 105, 29)),
    ]


def tank(rng: Rng) -> list[Part]:
    """A tank or armoured car with a turret."""
    paint, black = muted(rng, "body"), dark(rng)
    width, h = rng.uniform(120, 150), rng.uniform(130, 170)
    side = [(-h, 50), (-h, 78), (-0.8 * h, 88), (0.5 * h, 88), (h, 62), (0.85 * h, 38), (-0.85 * h, 34)]
    parts = [extrude(paint, side, width, axis="x", bevel=2)]
    if rng.random() < 0.75:
        parts += both(
            [
                track(black, (width / 2 - 4, 32, 0), 2.1 * h, 64, 32),
                *(
                    rod(paint, (width / 2 + 11, 28, z), (width / 2 + 15, 28, z), 21, sides=14)
                    for z in np.linspace(-0.72, 0.72, 5) * h
                ),
            ]
        )
        parts += both(box(paint, (38, 4, 2.05 * h), (width / 2 - 4, 68, 0), bevel=1))
    else:
        parts += [
            p for z in (-0.65 * h, 0.0, 0.65 * h) for p in both(wheel(black, paint, (width / 2 - 4, 34, z), 34, 26, 2))
        ]
    turret = [
        lathe(
            paint,
            np.array([(1, 0), (1.05, 0.4), (0.8, 1), (0, 1)]) * (rng.uniform(44, 56), rng.uniform(26, 40)),
            sides=pick(rng, (8, 20)),
        )
    ]
    gun = rng.uniform(110, 190)
    turret += [
        rod(paint, (0, 16, 30), (0, 20, 40 + gun), 7, 5),
        rod(paint, (0, 20, 26 + gun), (0, 20, 42 + gun), 8),
        box(paint, (34, 24, 26), (0, 16, 46), bevel=5),
    ]
    turret += [
        rod(paint, (-18, 28, -10), (-18, 40, -10), 14, sides=14),
        rod(black, (26, 26, -30), (26, 100, -36), 2.4, sides=6),
        box(paint, (60, 20, 24), (0, 16, -52), bevel=3),
    ]
    return parts + moved(turned(turret, rng.uniform(-30, 30)), (0, 87, -0.08 * h))


def robot_walker(rng: Rng) -> list[Part]:
    """A machine on two, four or six legs with guns or arms, as in films."""
    paint, black, metal = painted(rng, "body"), dark(rng), steel(rng)
    legs, hip = int(pick(rng, (2, 4, 4, 6))), rng.uniform(110, 150)
    size = rng.uniform(60, 90), rng.uniform(46, 64), rng.uniform(70, 150) if legs > 2 else rng.uniform(60, 80)
    body = [
        box(paint, size, (0, hip + 20, 0), bevel=12),
        box(paint, (0.7 * size[0], 0.3 * size[1], 0.7 * size[2]), (0, hip + 20 + 0.55 * size[1], -6), bevel=5),
    ]
    head = [
        box(paint, (0.6 * size[0], 30, 40), (0, hip + 24, size[2] / 2 + 26), bevel=6),
        box(glass(rng), (0.45 * size[0], 8, 4), (0, hip + 30, size[2] / 2 + 46)),
    ]
    head += both(
        rod(black, (0.22 * size[0], hip + 14, size[2] / 2 + 30), (0.22 * size[0], hip + 12, size[2] / 2 + 78), 4)
    )
    parts = [*body, *head, rod(black, (0, hip + 22, size[2] / 2 - 8), (0, hip + 24, size[2] / 2 + 14), 12)]
    for z in np.linspace(-0.42, 0.42, legs // 2) * size[2] if legs > 2 else (0.0,):
        x, step = size[0] / 2 + 8, rng.uniform(-14, 14)
        out = 30 if legs == 6 else 4
        knee, ankle = (x + out, 0.58 * hip + (40 if legs == 6 else 0), z - 22), (x + out + 6, 12, z + step)
        leg = [
            rod(metal, (x - 14, hip + 10, z), (x + 10, hip + 10, z), 14),
            tube(paint, [(x, hip + 10, z), knee], [12, 10], 6),
            ellipsoid(metal, (11, 11, 11), knee, 10, rings=6),
        ]
        leg += [tube(paint, [knee, ankle], [9, 8], 6), box(black, (28, 10, 36), (ankle[0], 5, ankle[2] + 4), bevel=3)]
        parts += both(leg)
    if rng.random() < 0.6:
        parts += both(
            [
                box(paint, (20, 26, 54), (size[0] / 2 + 16, hip + 44, 6), bevel=4),
                *(
                    rod(black, (size[0] / 2 + 16 + a, hip + 44, 30), (size[0] / 2 + 16 + a, hip + 44, 52), 5)
                    for a in (-5, 5)
                ),
            ]
        )
    return [*parts, rod(black, (14, hip + 50, -20), (16, hip + 96, -26), 2.2, sides=6)]
