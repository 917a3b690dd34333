"""Kitchen and bathroom fittings, fireplaces, mirrors and screens."""

from __future__ import annotations

import numpy as np

from training.families.furniture_storage import basin
from training.families.joinery import front_panel, handle, table_legs
from training.families.outlines import curve, oval, rectangle
from training.families.paints import (
    Rng,
    brass,
    cloth,
    cream,
    dark,
    glass,
    muted,
    painted,
    pick,
    screen,
    steel,
    stone,
    white,
    wood,
)
from training.families.parts import (
    Paint,
    both,
    box,
    ellipsoid,
    extrude,
    frame,
    lathe,
    loft,
    moved,
    rod,
    sheet,
    torus,
    tube,
    turned,
)
from training.shapes import Part

Ring = tuple[float, float, float, float]  # width, depth, height, shift in z


def stack(paint: Paint, rings: list[Ring], square: float = 1.0, sides: int = 28) -> Part:
    """A solid of ovals above each other; a list that goes up, in and down again is a bowl."""
    loops = []
    for width, depth, y, z in rings:
        loop = oval(width, depth, sides, square)
        loops.append(np.column_stack([loop[:, 0], np.full(sides, y), loop[:, 1] + z]))
    return loft(paint, np.array(loops))


def tap(metal: Paint, at: tuple[float, float, float], size: float) -> list[Part]:
    """A bent tap that reaches towards +Z, with two grips."""
    x, y, z = at
    line = [(x, y, z), (x, y + 0.8 * size, z), (x, y + size, z + 0.5 * size), (x, y + 0.7 * size, z + 0.9 * size)]
    grips = [
        rod(metal, (x + s * 0.5 * size, y, z), (x + s * 0.5 * size, y + 0.35 * size, z), 0.13 * size) for s in (-1, 1)
    ]
    return [tube(metal, line, 0.11 * size, 8), *grips]


def washbasin(rng: Rng) -> list[Part]:
    """A basin on a pedestal or on a cabinet, with a tap."""
    paint, metal = white(rng, "ceramic"), pick(rng, (steel, brass))(rng)
    width, depth, deep = rng.uniform(45, 75), rng.uniform(36, 50), rng.uniform(12, 18)
    rim, square = 84.0, pick(rng, (1.0, 0.7, 0.35))
    rings = [
        (0.4, rim - deep),
        (0.75, rim - 0.6 * deep),
        (1, rim - 3),
        (1, rim),
        (0.88, rim),
        (0.8, rim - 2),
        (0.5, rim - 0.75 * deep),
    ]
    bowl = stack(paint, [(width * s, depth * s, y, 0) for s, y in rings], square)
    parts = [bowl, *tap(metal, (0, rim, -depth * 0.44), rng.uniform(9, 15))]
    style = pick(rng, ("pedestal", "cabinet", "legs"))
    if style == "pedestal":
        parts.append(lathe(paint, curve([(12, 0), (11, 4), (8, 20), (8, 50), (12, rim - deep + 3)], 3), (0, 0, -4)))
        parts.append(box(paint, (0.7 * width, 10, 7), (0, rim - 4, -depth * 0.48), bevel=1.5))
    elif style == "cabinet":
        body = painted(rng, "wood")
        parts.append(box(body, (width + 6, rim - deep + 2, depth), (0, (rim - deep) / 2 + 2, -2), bevel=0.8))
        for s in (-1, 1):
            at = (s * width * 0.26, (rim - deep) / 2, depth / 2 - 2)
            parts += front_panel(body, width / 2, rim - deep - 10, at, 2, pick(rng, ("flat", "framed")))
            parts += handle(metal, "knob", (s * 5, at[1], at[2] + 2), 5)
        parts.append(box(stone(rng), (width + 10, 3, depth + 6), (0, rim - 5, -2), bevel=0.6))
    else:
        parts += table_legs(rng, metal, "metal", width * 0.8, depth * 0.8, rim - 4, 5)
        parts.append(box(paint, (0.8 * width, 8, 6), (0, rim - 4, -depth * 0.48), bevel=1.5))
    return parts


def toilet(rng: Rng) -> list[Part]:
    """A bowl with seat, lid and cistern."""
    paint, lid = white(rng, "ceramic"), pick(rng, (white, white, wood, dark))(rng, "lid")
    width, depth, rim = rng.uniform(34, 39), rng.uniform(44, 52), rng.uniform(38, 42)
    foot = rng.uniform(0.5, 0.7)
    rings = [
        (width * foot, depth * 0.75, 0, -6),
        (width * foot * 0.85, depth * 0.65, 10, -6),
        (width * 0.8, depth * 0.85, rim * 0.6, -2),
    ]
    rings += [
        (width, depth, rim - 4, 0),
        (width, depth, rim, 0),
        (width * 0.72, depth * 0.74, rim, 1),
        (width * 0.4, depth * 0.4, rim - 16, 0),
    ]
    parts = [stack(paint, rings, 0.9)]
    seat = frame(lid, oval(width, depth, 28, 0.9), oval(width * 0.66, depth * 0.7, 28, 0.9), 2.2, (0, rim + 1, 0), "y")
    cover = extrude(lid, oval(width, depth, 28, 0.9), 2, (0, rim + 3.2, 0), "y", bevel=0.6)
    closed = rng.random() < 0.5
    parts += [seat, cover if closed else turned(cover, -100, "x", (0, rim + 3, -depth / 2))]
    high, wide = rng.uniform(28, 40), rng.uniform(36, 44)
    z = -depth / 2 - 6
    parts.append(box(paint, (width * 0.8, 8, 22), (0, rim - 4, z + 4), bevel=2))
    parts.append(box(paint, (wide, high, 16), (0, rim + high / 2 - 2, z - 3), bevel=rng.uniform(1, 4)))
    parts.append(box(paint, (wide + 2, 3, 18), (0, rim + high - 1, z - 3), bevel=1))
    metal = steel(rng)
    parts.append(rod(metal, (0, rim + high, z - 3), (0, rim + high + 2, z - 3), 3))
    return parts


def bathtub(rng: Rng) -> list[Part]:
    """A tub: boxed in, free standing or on claw feet."""
    paint, metal = white(rng, "ceramic"), pick(rng, (steel, brass))(rng)
    skin = paint if rng.random() < 0.6 else painted(rng, "skin")
    length, depth, high = rng.uniform(140, 180), rng.uniform(68, 82), rng.uniform(48, 62)
    style = pick(rng, ("box", "free", "claw"))
    if style == "box":
        parts = [tub_in_box(skin, length, depth, high)]
    else:
        lift = 14.0 if style == "claw" else 0.0
        square = rng.uniform(0.6, 0.9)
        rings = [
            (0.7, lift),
            (0.82, lift + 5),
            (0.92, 0.6 * high + lift),
            (1, high + lift),
            (1.02, high + lift + 1.5),
            (0.95, high + lift + 1.5),
        ]
        rings += [(0.86, 0.6 * high + lift), (0.72, lift + 10)]
        parts = [stack(skin, [(length * s, depth * s, y, 0) for s, y in rings], square)]
        if rng.random() < 0.5:
            rise = rng.uniform(4, 12)
            for part in parts:
                v = part.vertices
                v[:, 1] += rise * np.clip(v[:, 1] / high, 0, 1) * (v[:, 0] / length * 2) ** 2
        if lift:
            for s in (-1, 1):
                for t in (-1, 1):
                    line = [
                        (s * 0.28 * length, lift + 8, t * 0.3 * depth),
                        (s * 0.33 * length, 8, t * 0.4 * depth),
                        (s * 0.32 * length, 2, t * 0.42 * depth),
                    ]
                    parts.append(tube(metal, line, [3, 2.2, 4], 8))
    return parts + moved(turned(tap(metal, (0, 0, 0), 16), -90), (0.46 * length, high + 2, 0))


def tub_in_box(paint: Paint, length: float, depth: float, high: float) -> Part:
    """A rectangular block with an oval hollow."""
    rings = []
    for grow, square, y in ((1, 0.12, 0.0), (1, 0.12, high), (0.88, 0.5, high), (0.83, 0.5, high - 6), (0.68, 0.5, 10)):
        loop = oval(length * grow, depth * grow, 28, square)
        rings.append(np.column_stack([loop[:, 0], np.full(28, y), loop[:, 1]]))
    return loft(paint, np.array(rings))


def shower(rng: Rng) -> list[Part]:
    """A cabin of panes on a tray with a shower head."""
    paint, metal, pane = white(rng, "ceramic"), steel(rng), glass(rng)
    side, high = rng.uniform(75, 100), rng.uniform(185, 205)
    h = side / 2
    parts = [basin(paint, (side, 10, side), (0, 10, 0))]
    parts.append(box(pane, (side, high, 2.2), (0, high / 2 + 8, -h + 1)))
    parts.append(box(pane, (2.2, high, side), (h - 1, high / 2 + 8, 0)))
    parts.append(box(pane, (2.2, high, side), (1 - h, high / 2 + 8, 0)))
    for sx in (-1, 1):
        parts += [box(metal, (3.2, high + 10, 3.2), (sx * (h - 1), high / 2 + 5, sz * (h - 1))) for sz in (-1, 1)]
    parts += [box(metal, (side, 3, 3), (0, high + 9, sz * (h - 1))) for sz in (-1, 1)]
    parts.append(tube(metal, [(0, 90, -h + 4), (0, high - 8, -h + 4), (0, high, -h + 14), (0, high - 4, -h + 24)], 1.5))
    parts.append(rod(metal, (0, high - 8, -h + 24), (0, high - 4, -h + 24), 9, 4))
    return parts


def knobs(paint: Paint, count: int, width: float, at: tuple[float, float, float], radius: float) -> list[Part]:
    """Turning knobs side by side on a front."""
    x, y, z = at
    xs = [x + (i - (count - 1) / 2) * width / count for i in range(count)]
    return [rod(paint, (u, y, z), (u, y, z + radius), radius, 0.8 * radius, 12) for u in xs]


def oven(rng: Rng) -> list[Part]:
    """A kitchen stove with an oven door, knobs and hobs; or an old iron range."""
    paint, metal = pick(rng, (white, steel, dark, painted))(rng, "enamel"), steel(rng)
    width, depth, high = rng.uniform(50, 90), rng.uniform(52, 65), rng.uniform(80, 92)
    lift = rng.uniform(2, 12)
    parts = [box(paint, (width, high - lift, depth), (0, (high + lift) / 2, 0), bevel=1)]
    parts += table_legs(rng, dark(rng), "square", width - 3, depth - 3, lift + 1, 5)
    parts += knobs(
        pick(rng, (dark, steel))(rng, "knob"), int(rng.integers(4, 7)), 0.85 * width, (0, high - 6, depth / 2), 2.4
    )
    door = (high - lift) * rng.uniform(0.45, 0.62)
    y = high - 13 - door / 2
    parts.append(box(paint, (0.92 * width, door, 3), (0, y, depth / 2 + 1), bevel=0.8))
    parts.append(box(screen(rng, "pane"), (0.7 * width, 0.55 * door, 1), (0, y - 2, depth / 2 + 2.8)))
    parts += handle(metal, "bar", (0, y + 0.42 * door, depth / 2 + 2.5), 0.75 * width)
    parts.append(
        box(
            paint,
            (0.92 * width, max(y - door / 2 - lift - 3, 3), 2),
            (0, (y - door / 2 + lift) / 2, depth / 2 + 0.6),
            bevel=0.6,
        )
    )
    for s in (-1, 1):
        for t in (-1, 1):
            r = rng.uniform(7, 10)
            here = (s * 0.24 * width, high + 0.6, t * 0.23 * depth)
            parts.append(rod(dark(rng, "hob"), (here[0], high - 1, here[2]), here, r, sides=16))
            parts.append(torus(dark(rng, "hob"), r * 0.75, 0.9, here, sides=14))
    if rng.random() < 0.35:
        parts.append(box(paint, (width, rng.uniform(12, 30), 3), (0, high + 8, -depth / 2 + 1.5), bevel=0.8))
    if rng.random() < 0.2:
        parts.append(tube(dark(rng), [(0, high, -depth / 3), (0, high + 60, -depth / 3)], 6))
    return parts


def washing_machine(rng: Rng) -> list[Part]:
    """A front loader or dishwasher with a round or square door."""
    paint, metal = pick(rng, (white, white, steel, dark))(rng, "enamel"), pick(rng, (steel, dark))(rng)
    width, depth, high = rng.uniform(56, 64), rng.uniform(45, 62), rng.uniform(78, 90)
    front = depth / 2
    parts = [box(paint, (width, high, depth), (0, high / 2 + 2, 0), bevel=rng.uniform(0.8, 2.5))]
    parts += table_legs(rng, dark(rng), "round", width - 4, depth - 4, 3, 5)
    parts.append(box(metal, (width * 0.98, 10, 1.5), (0, high - 5, front), bevel=0.4))
    parts += knobs(metal, 1, 1, (rng.uniform(-0.2, 0.3) * width, high - 5, front), 3.6)
    parts.append(box(paint, (0.27 * width, 7, 1.6), (-0.34 * width, high - 5, front + 0.8), bevel=0.5))
    r, y = rng.uniform(15, 20), 0.48 * high
    rim = [(r, 0), (r, 1.5), (r * 0.92, 3), (r * 0.72, 3), (r * 0.66, 1.5), (r * 0.4, 3.5), (0, 4.5)]
    door = lathe(metal, rim, sides=28)
    parts.append(moved(turned(door, 90, "x"), (0, y, front)))
    parts.append(
        moved(
            turned(lathe(screen(rng, "pane"), [(r * 0.7, 0), (r * 0.66, 3), (0, 5.2)], sides=24), 90, "x"),
            (0, y, front),
        )
    )
    parts.append(box(paint, (0.22 * width, 7, 1), (0.34 * width, 9, front), bevel=0.3))
    return parts


def refrigerator(rng: Rng) -> list[Part]:
    """One or two doors, plain or round as in the fifties."""
    paint, metal = pick(rng, (white, steel, painted, painted))(rng, "enamel"), steel(rng)
    width, depth, high = rng.uniform(52, 92), rng.uniform(55, 70), rng.uniform(85, 190)
    bevel = pick(rng, (0.8, 2, 7))
    parts = [box(paint, (width, high, depth), (0, high / 2 + 4, 0), bevel=bevel)]
    parts += table_legs(rng, dark(rng), "round", width - 10, depth - 10, 6, 5)
    split = rng.uniform(0.25, 0.7) if high > 120 else 1.0
    side = 1 if rng.random() < 0.5 else -1
    if width > 78 and rng.random() < 0.7:
        for s in (-1, 1):
            parts.append(
                box(paint, (width / 2 - 1, high - 4, 5), (s * width / 4, high / 2 + 4, depth / 2 + 2), bevel=1.2)
            )
            parts += handle(metal, "bar", (s * 4, 0.58 * high, depth / 2 + 4.5), 40, upright=True)
        parts.append(box(dark(rng), (0.22 * width, 26, 2), (-width / 4, 0.62 * high, depth / 2 + 4.2), bevel=0.6))
        return parts
    for low, top in ((0.0, split), (split, 1.0)):
        if top - low < 0.05:
            continue
        size = (width - 0.6 * bevel, (top - low) * high - 2, 5)
        parts.append(box(paint, size, (0, (low + top) / 2 * high + 4, depth / 2 + 2), bevel=min(bevel, 2.2)))
        y = (low + 0.55 * (top - low)) * high + 4
        parts += handle(
            metal,
            pick(rng, ("bar", "bow")),
            (side * width * 0.4, y, depth / 2 + 4.5),
            min(28, 0.5 * (top - low) * high),
            upright=True,
        )
    return parts


def kitchen_sink(rng: Rng) -> list[Part]:
    """A sink with a drainer and a tap."""
    metal, paint = steel(rng), painted(rng, "wood")
    width, depth, high = rng.uniform(80, 130), rng.uniform(48, 60), 86.0
    cut = rng.uniform(0.4, 0.6) * width
    parts = [basin(metal, (cut, 16, depth), (-width / 2 + cut / 2, high, 0))]
    parts.append(box(metal, (width - cut, 3, depth), (cut / 2, high - 1.5, 0)))
    for i in range(6):
        parts.append(box(metal, ((width - cut) * 0.8, 1.5, 2), (cut / 2, high + 0.4, (i - 2.5) * depth / 8), bevel=0.4))
    parts += tap(metal, (-width / 2 + cut * 0.7, high, -depth * 0.45), 20)
    parts.append(box(paint, (width - 2, high - 22, depth - 6), (0, (high - 22) / 2 + 6, 0)))
    count = max(2, round(width / 45))
    for i in range(count):
        x = (i + 0.5) * width / count - width / 2
        parts += front_panel(
            paint,
            width / count - 3,
            high - 28,
            (x, (high - 22) / 2 + 6, depth / 2 - 3),
            2,
            pick(rng, ("flat", "framed")),
        )
        parts += handle(metal, "knob", (x + 0.35 * width / count, 0.6 * high, depth / 2 - 1), 5)
    return parts


def fireplace(rng: Rng) -> list[Part]:
    """A mantel round an opening with logs, or an iron stove with a pipe."""
    if rng.random() < 0.3:
        return iron_stove(rng)
    paint, inside = pick(rng, (stone, white, cream, wood))(rng, "stone"), dark(rng, "soot")
    width, high, depth = rng.uniform(110, 160), rng.uniform(95, 125), rng.uniform(28, 45)
    leg, beam = rng.uniform(18, 32), rng.uniform(18, 34)
    parts = both(box(paint, (leg, high, depth), (width / 2 - leg / 2, high / 2, 0), bevel=1.5))
    parts.append(box(paint, (width, beam, depth), (0, high - beam / 2, 0), bevel=1.5))
    parts.append(box(inside, (width - 2 * leg + 2, high - beam + 2, 4), (0, (high - beam) / 2, -depth / 2 + 2)))
    parts.append(box(paint, (width + 16, 6, depth + 12), (0, high + 3, 2), bevel=1.2))
    parts.append(box(paint, (width + 24, 5, depth + 40), (0, 2.5, 14), bevel=1))
    if rng.random() < 0.6:
        parts += both(
            box(
                paint,
                (leg * 0.65, high - beam - 12, 4),
                (width / 2 - leg / 2, (high - beam) / 2, depth / 2 + 1),
                bevel=1.2,
            )
        )
        parts.append(
            box(paint, ((width - 2 * leg) * 0.8, beam * 0.6, 4), (0, high - beam / 2, depth / 2 + 1), bevel=1.5)
        )
    logs = wood(rng, "log")
    for i in range(int(rng.integers(2, 6))):
        z, y = rng.uniform(-6, 6), 8 + 5 * (i // 2)
        parts.append(rod(logs, (-24, y, z), (24, y + rng.uniform(-2, 5), z + rng.uniform(-6, 6)), 4, 3.4, 9))
    if rng.random() < 0.4:
        parts.append(box(paint, (width * 0.7, rng.uniform(40, 90), depth * 0.7), (0, high + 30, -3), bevel=1))
    return parts


def iron_stove(rng: Rng) -> list[Part]:
    """A cast stove with a door and a pipe."""
    iron = dark(rng)
    width, high, depth = rng.uniform(40, 60), rng.uniform(45, 75), rng.uniform(34, 50)
    parts = [box(iron, (width, high, depth), (0, high / 2 + 14, 0), bevel=2)]
    parts += table_legs(rng, iron, "cabriole", width, depth, 15, 6)
    parts.append(box(iron, (width + 6, 4, depth + 6), (0, high + 15, 0), bevel=1.2))
    parts += front_panel(iron, 0.7 * width, 0.55 * high, (0, 0.55 * high + 12, depth / 2), 2.5, "framed")
    parts.append(
        box(Paint((210, 120, 50), "fire"), (0.5 * width, 0.35 * high, 1), (0, 0.55 * high + 12, depth / 2 + 2.6))
    )
    parts += handle(steel(rng), "knob", (0.28 * width, 0.55 * high + 12, depth / 2 + 3), 8)
    return [
        *parts,
        rod(iron, (0, high + 14, -6), (0, high + rng.uniform(50, 110), -6), 6),
        torus(iron, 6, 1.4, (0, high + 40, -6), sides=16),
    ]


def radiator(rng: Rng) -> list[Part]:
    """Ribs side by side."""
    paint = pick(rng, (white, steel, muted))(rng, "enamel")
    count, high, depth = int(rng.integers(5, 15)), rng.uniform(45, 85), rng.uniform(10, 20)
    step = rng.uniform(5.5, 8)
    rib = box(paint, (step * 0.68, high, depth), (0, 0, 0), bevel=step * 0.3)
    parts = [moved(rib, ((i - (count - 1) / 2) * step, high / 2 + 10, 0)) for i in range(count)]
    w = count * step / 2
    parts += [rod(paint, (-w - 4, y, 0), (w + 4, y, 0), 2.4) for y in (18, high + 3)]
    parts += both(box(paint, (step * 0.6, 12, depth), (w - step / 2, 6, 0)))
    return [*parts, rod(steel(rng), (w + 3, high + 3, 0), (w + 8, high + 3, 0), 3.2)]


def mirror(rng: Rng) -> list[Part]:
    """A framed mirror or picture: hanging, or standing on the floor and tilted."""
    paint, pane = pick(rng, (wood, brass, dark, white))(rng, "frame"), pick(rng, (glass, cloth, cream))(rng, "mirror")
    width, high, rim = rng.uniform(40, 90), rng.uniform(50, 170), rng.uniform(4, 10)
    square = pick(rng, (0.01, 0.01, 1.0, 0.5))
    if square < 0.1:
        outer, inner = rectangle(width, high), rectangle(width - 2 * rim, high - 2 * rim)
    else:
        outer, inner = oval(width, high, 32, square), oval(width - 2 * rim, high - 2 * rim, 32, square)
    parts = [frame(paint, outer, inner, 6), extrude(pane, inner * 1.03, 3, (0, 0, -0.8))]
    parts.append(frame(paint, outer * 0.93, inner * 1.01, 3, (0, 0, 3)))
    if high > 110 or rng.random() < 0.35:
        parts = turned(moved(parts, (0, high / 2 + 12, 0)), -rng.uniform(0, 12), "x", (0, high / 2 + 12, 0))
        x = width / 2 + 4
        for s in (-1, 1):
            parts.append(rod(paint, (s * x, 4, 0), (s * x, 0.65 * high + 12, 0), 2.2))
            parts.append(tube(paint, [(s * x, 2, -22), (s * x, 9, 0), (s * x, 2, 22)], 2.4))
            parts.append(ellipsoid(paint, (3, 3, 3), (s * x, 0.65 * high + 14, 0), 10, rings=5))
        parts.append(rod(paint, (-x, 10, 0), (x, 10, 0), 2))
    return parts


def room_divider(rng: Rng) -> list[Part]:
    """A folding screen of three to five leaves."""
    paint, soft = wood(rng), pick(rng, (cream, cloth, white))(rng, "paper")
    count, width, high = int(rng.integers(3, 6)), rng.uniform(38, 55), rng.uniform(140, 180)
    fold = np.radians(rng.uniform(15, 35))
    parts: list[Part] = []
    for i in range(count):
        leaf = [frame(paint, rectangle(width, high), rectangle(width - 8, high - 10), 3.5, (0, high / 2 + 4, 0))]
        leaf.append(box(soft, (width - 6, high - 8, 1.8), (0, high / 2 + 4, 0)))
        leaf += [box(paint, (width - 8, 2, 3), (0, high * t + 4, 0)) for t in (0.25, 0.5, 0.75)]
        leaf += both(box(paint, (4, 5, 3.5), (width / 2 - 2, 2.5, 0)))
        sign = 1 if i % 2 else -1
        x = (i - (count - 1) / 2) * width * np.cos(fold)
        parts += moved(turned(leaf, sign * np.degrees(fold)), (x, 0, 0))
    return parts


def wavy_curtain(soft: Paint, width: float, high: float, at: tuple[float, float, float], folds: int) -> Part:
    """Cloth hanging in folds."""
    x, y, z = at
    u = np.linspace(-1, 1, folds * 4 + 1)
    grid = np.zeros((2, len(u), 3))
    grid[..., 0] = x + u * width / 2
    grid[:, :, 1] = np.array([[y], [y - high]])
    grid[..., 2] = z + 3 * np.sin(u * folds * np.pi)
    return sheet(soft, grid, 1.8)
