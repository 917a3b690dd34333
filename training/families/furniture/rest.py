"""Beds, doors, windows, fences and stairs."""

from __future__ import annotations

import numpy as np

from training.families.furniture.home import wavy_curtain
from training.families.furniture.joinery import front_panel, table_legs, turned_leg, turned_spindle
from training.families.outlines import mirror_outline, rectangle
from training.families.paints import Rng, brass, cloth, dark, glass, muted, painted, pick, steel, stone, white, wood
from training.families.parts import Paint, bar, both, box, cushion, extrude, frame, lathe, moved, ring, rod, sheet, tube
from training.shapes import Part


def bed(rng: Rng) -> list[Part]:
    """Frame, mattress, blanket and pillows; the foot end towards +Z. Sometimes four posts and a canopy."""
    paint = wood(rng) if rng.random() < 0.6 else pick(rng, (painted, cloth, steel))(rng, "wood")
    width, length, high = rng.uniform(80, 185), rng.uniform(190, 215), rng.uniform(22, 46)
    thick = rng.uniform(14, 26)
    parts = [box(paint, (width + 6, rng.uniform(10, 22), length + 4), (0, high - 6, 0), bevel=1)]
    parts += table_legs(
        rng, paint, pick(rng, ("square", "round", "taper", "turned")), width, length, high, rng.uniform(6, 9)
    )
    parts += bedding(rng, width, length, high, thick)
    parts += bed_board(rng, paint, width + 8, high + thick + rng.uniform(20, 65), -length / 2 - 4)
    if rng.random() < 0.5:
        parts += bed_board(rng, paint, width + 8, high + rng.uniform(8, thick + 22), length / 2 + 4)
    if rng.random() < 0.1:
        top = rng.uniform(190, 220)
        for z in (-length / 2 - 4, length / 2 + 4):
            parts += both(turned_leg(rng, paint, (width / 2 + 2, 0, z), (width / 2 + 2, top, z), 8))
        parts.append(
            frame(paint, rectangle(width + 10, length + 14), rectangle(width - 4, length), 6, (0, top, 0), "y")
        )
        if rng.random() < 0.6:
            parts.append(box(cloth(rng, "canopy"), (width + 8, 3, length + 12), (0, top + 4, 0)))
    return parts


def bedding(rng: Rng, width: float, length: float, high: float, thick: float) -> list[Part]:
    """Mattress, blanket hanging over the sides, pillows at the head (-Z)."""
    y = high + thick
    parts = [box(white(rng, "sheet"), (width, thick, length), (0, high + thick / 2, 0), bevel=0.2 * thick)]
    cover = cloth(rng)
    end = rng.uniform(-0.3, 0.25) * length
    if rng.random() < 0.85:
        over = rng.uniform(2, thick * 0.9)
        half = width / 2
        x = np.array([-half - 1.5, -half - 1, -half + 3, -half / 3, half / 3, half - 3, half + 1, half + 1.5])
        z = np.linspace(end, length / 2 + 2, 7)
        grid = np.empty((len(x), len(z), 3))
        grid[..., 0], grid[..., 2] = x[:, None], z[None]
        drop = np.array([over, 3, -2.5, -3.5, -3.5, -2.5, 3, over])
        grid[..., 1] = y - drop[:, None] + rng.normal(0, 0.7, (len(x), len(z)))
        grid[:, -1, 1] -= min(over, 6)
        parts.append(sheet(cover, grid, 4))
        if rng.random() < 0.4:
            parts.append(box(white(rng, "sheet"), (width + 5, 4, 18), (0, y + 3, end), bevel=1.5))
    pillow = white(rng, "pillow") if rng.random() < 0.6 else cloth(rng, "pillow")
    count = 1 if width < 110 else 2
    for i in range(count):
        wide = width / count * 0.8
        at = ((i - (count - 1) / 2) * width / count, y + 6, -length / 2 + 26)
        parts.append(cushion(pillow, (wide, 16, 42), at, 0.6))
    return parts


def bed_board(rng: Rng, paint: Paint, width: float, high: float, z: float) -> list[Part]:
    """A head or foot board: plain, arched, slatted, padded or of iron rods."""
    style = pick(rng, ("plain", "arch", "slats", "pad", "iron"))
    half = width / 2
    if style == "plain":
        return [box(paint, (width, high, 5), (0, high / 2, z), bevel=1)]
    if style == "arch":
        t = np.linspace(0, 1, 7)[::-1]
        upper = np.column_stack([t * half, high * (0.75 + 0.25 * np.cos(t * np.pi) * 0.5 + 0.125)])
        return [extrude(paint, mirror_outline(np.concatenate([[(0, 0), (half, 0)], upper])), 5, (0, 0, z), bevel=1)]
    if style == "pad":
        pads = int(rng.integers(1, 5))
        soft = cloth(rng, "pad")
        parts = [box(paint, (width, high * 0.9, 4), (0, high * 0.45, z))]
        return parts + [
            cushion(soft, (width / pads, high * 0.6, 9), ((i - (pads - 1) / 2) * width / pads, high * 0.68, z + 2), 0.3)
            for i in range(pads)
        ]
    posts = [turned_leg(rng, paint, (s * half, 0, z), (s * half, high, z), 7) for s in (-1, 1)]
    posts.append(box(paint, (width, 5, 4), (0, high - 4, z), bevel=1))
    posts.append(box(paint, (width, 5, 4), (0, high * 0.45, z), bevel=1))
    xs = np.linspace(-half, half, int(rng.integers(5, 12)) + 2)[1:-1]
    if style == "slats":
        return posts + [bar(paint, (x, high * 0.45, z), (x, high - 4, z), 5, 2.4) for x in xs]
    return posts + [rod(paint, (x, high * 0.45, z), (x, high - 4, z), 1.5, sides=8) for x in xs]


def bunk_bed(rng: Rng) -> list[Part]:
    """Two beds above each other with a ladder and rails."""
    paint = wood(rng) if rng.random() < 0.6 else painted(rng, "wood")
    width, length = rng.uniform(195, 210), rng.uniform(82, 100)  # the long side faces +Z
    top, high = rng.uniform(110, 130), rng.uniform(150, 170)
    parts = []
    for sx in (-1, 1):
        parts += [box(paint, (6, high, 6), (sx * width / 2, high / 2, sz * length / 2), bevel=0.6) for sz in (-1, 1)]
        for y in (30, 48, top, top + 18, high - 6):
            parts.append(box(paint, (3, 8, length), (sx * width / 2, y, 0)))
    low = rng.random() < 0.8
    for y in (32, top) if low else (top,):
        parts.append(box(paint, (width, 10, length), (0, y, 0)))
        parts.append(box(white(rng, "sheet"), (width - 6, 13, length - 4), (0, y + 11, 0), bevel=3))
        parts.append(box(cloth(rng), (width * 0.62, 6, length - 1), (width * 0.17, y + 17, 0), bevel=2))
        parts.append(cushion(white(rng, "pillow"), (38, 13, length * 0.65), (-width / 2 + 26, y + 20, 0), 0.5))
    for z in (-length / 2, length / 2):
        parts += [
            box(paint, (width * (0.7 if z > 0 else 1), 7, 2.5), (-width * 0.15 if z > 0 else 0, y, z))
            for y in (top + 22, high - 8)
        ]
    x = width * 0.35
    parts += [bar(paint, (x + s * 18, 0, length / 2 + 14), (x + s * 18, top + 20, length / 2 + 4), 4) for s in (-1, 1)]
    for i in range(5):
        t = (i + 1) / 6
        z = length / 2 + 14 - 8.5 * t
        parts.append(rod(paint, (x - 18, t * (top + 10), z), (x + 18, t * (top + 10), z), 2, sides=8))
    if not low:
        parts.append(box(paint, (width * 0.7, 3, length * 0.6), (0, 72, -length * 0.15)))
    return parts


def cradle(rng: Rng) -> list[Part]:
    """A cot with bars on legs, wheels or runners."""
    paint = pick(rng, (wood, white, painted))(rng, "wood")
    width, depth = rng.uniform(90, 125), rng.uniform(50, 68)
    low, high = rng.uniform(25, 40), rng.uniform(75, 92)
    parts = [
        box(white(rng, "sheet"), (width - 6, 12, depth - 6), (0, low + 8, 0), bevel=3),
        box(paint, (width, 4, depth), (0, low, 0)),
    ]
    for sx in (-1, 1):
        parts += [
            rod(paint, (sx * width / 2, 0, sz * depth / 2), (sx * width / 2, high + 4, sz * depth / 2), 2.6)
            for sz in (-1, 1)
        ]
        parts += [box(paint, (3, 5, depth), (sx * width / 2, y, 0), bevel=0.8) for y in (low, high)]
        parts += [
            rod(paint, (sx * width / 2, low, z), (sx * width / 2, high, z), 1.3, sides=6)
            for z in np.linspace(-0.35, 0.35, 4) * depth
        ]
    count = int(rng.integers(7, 11))
    for sz in (-1, 1):
        parts += [box(paint, (width, 5, 3), (0, y, sz * depth / 2), bevel=0.8) for y in (low, high)]
        xs = np.linspace(-0.44, 0.44, count) * width
        parts += [rod(paint, (x, low, sz * depth / 2), (x, high, sz * depth / 2), 1.3, sides=6) for x in xs]
    parts.append(cushion(cloth(rng), (width * 0.55, 9, depth * 0.85), (width * 0.15, low + 15, 0), 0.4))
    if rng.random() < 0.4:
        for sx in (-1, 1):
            line = [(sx * width / 2, 10, -depth * 0.7), (sx * width / 2, 2, 0), (sx * width / 2, 10, depth * 0.7)]
            parts.append(tube(paint, line, 2.4))
    return parts


def door(rng: Rng) -> list[Part]:
    """A door leaf in its frame, with panels, panes, a letter slot, perhaps ajar."""
    paint = wood(rng) if rng.random() < 0.5 else painted(rng, "wood")
    rim, metal = (paint if rng.random() < 0.5 else white(rng, "rim")), pick(rng, (brass, steel, dark))(rng, "handle")
    width, high, thick = rng.uniform(75, 100), rng.uniform(190, 215), rng.uniform(4, 6)
    double = rng.random() < 0.25
    wide = width / 2 if double else width
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(1, 3)) if not double else 1
    style, panes = pick(rng, ("flat", "framed", "raised")), rng.random() < 0.3
    parts: list[Part] = []
    for s in (-1, 1) if double else (1,):
        leaf = [box(paint, (wide - 1, high, thick), (0, high / 2, 0))]
        for i in range(rows):
            for j in range(columns):
                at = (
                    (j + 0.5) * wide * 0.86 / columns - wide * 0.43,
                    (i + 0.5) * high * 0.92 / rows + 0.04 * high,
                    thick / 2 - 0.6,
                )
                skin = glass(rng) if panes and i >= rows - 2 else paint
                size = wide * 0.76 / columns, high * 0.82 / rows
                leaf += front_panel(skin, *size, at, 2, style)
                leaf.append(box(skin, (*size, 1.6), (at[0], at[1], -thick / 2)))
        for z in (thick / 2, -thick / 2 - 2.5):
            leaf.append(rod(metal, (-s * wide * 0.41, high * 0.48, z), (-s * wide * 0.41, high * 0.48, z + 2.5), 2.6))
            leaf.append(box(metal, (11, 2.2, 2.2), (-s * wide * 0.41 + s * 5, high * 0.48, z + 3), bevel=0.6))
        parts += moved(leaf, (s * wide / 2 if double else 0, 0, 0))
    frame_width = width + 4
    parts += both(box(rim, (10, high + 10, thick + 6), (frame_width / 2 + 3, high / 2 + 5, 0), bevel=1))
    parts.append(box(rim, (frame_width + 16, 10, thick + 6), (0, high + 6, 0), bevel=1))
    if rng.random() < 0.3:
        parts.append(box(rim, (frame_width + 30, 6, thick + 16), (0, high + 13, 2), bevel=1))
    if rng.random() < 0.4:
        parts.append(box(stone(rng), (frame_width + 30, 8, 30), (0, -4, 10), bevel=1))
    return parts


def window(rng: Rng) -> list[Part]:
    """A window with panes, sill, shutters or curtains; square or arched."""
    paint, pane = pick(rng, (white, wood, painted))(rng, "frame"), glass(rng)
    width, high, rim = rng.uniform(60, 150), rng.uniform(70, 150), rng.uniform(5, 9)
    arched = rng.random() < 0.3
    if arched:
        t = np.linspace(0, np.pi / 2, 7)
        half = np.column_stack([np.cos(t) * width / 2, high * 0.2 + np.sin(t) * high * 0.3])
        outer = mirror_outline(np.concatenate([[(0, -high / 2), (width / 2, -high / 2)], half[:-1], [(0, high / 2)]]))
    else:
        outer = rectangle(width, high)
    shrink = np.array([1 - 2 * rim / width, 1 - 2 * rim / high])
    parts = [frame(paint, outer, outer * shrink, 8), extrude(pane, outer * shrink * 1.01, 2)]
    for i in range(int(rng.integers(0, 4))):
        parts.append(box(paint, (4, high * 0.9, 5), ((i + 1) * width / 4 - width / 2 if i else 0, -high * 0.04, 0)))
    parts += [box(paint, (width * 0.95, 3.5, 5), (0, y * high, 0)) for y in pick(rng, ((), (0.0,), (-0.17, 0.17)))]
    parts.append(box(pick(rng, (paint, stone(rng))), (width + 14, 5, 18), (0, -high / 2 - 2, 4), bevel=1))
    extra = pick(rng, ("none", "shutters", "curtains", "box"))
    if extra == "shutters":
        leaf_paint = painted(rng, "shutter")
        leaf = [box(leaf_paint, (width / 2, high, 3), (width * 0.75 + 2, 0, 3))]
        leaf += [
            box(leaf_paint, (width * 0.4, high * 0.06, 3), (width * 0.75 + 2, y * high, 4.5))
            for y in np.linspace(-0.43, 0.43, 9)
        ]
        parts += both(leaf)
    if extra == "curtains":
        soft = cloth(rng, "curtain")
        parts += both(wavy_curtain(soft, width * 0.35, high * 1.2, (width * 0.42, high / 2 + 8, 10), 4))
        parts.append(rod(brass(rng), (-width * 0.7, high / 2 + 8, 10), (width * 0.7, high / 2 + 8, 10), 1.8))
    if extra == "box":
        parts.append(box(wood(rng, "box"), (width, 15, 16), (0, -high / 2 + 6, 12), bevel=1))
        leaf_paint = Paint((70, 130, 60), "leaf")
        parts += [
            cushion(leaf_paint, (14, 16, 14), (x, -high / 2 + 18, 12), 0.9) for x in np.linspace(-0.4, 0.4, 5) * width
        ]
    return parts


def fence(rng: Rng) -> list[Part]:
    """Posts and rails with pickets, planks, rods or crossed bars; sometimes a gate."""
    paint = pick(rng, (wood, white, dark, painted))(rng, "wood")
    width, high = rng.uniform(140, 240), rng.uniform(70, 130)
    bays = int(rng.integers(1, 4))
    style = pick(rng, ("picket", "rail", "iron", "cross", "spindle"))
    thick = rng.uniform(6, 11)
    parts = []
    for x in np.linspace(-width / 2, width / 2, bays + 1):
        parts.append(box(paint, (thick, high * 1.08, thick), (x, high * 0.54, 0), bevel=0.6))
        cap = pick(rng, (lathe(paint, [(thick * 0.5, 0), (thick * 0.6, 3), (0, thick)], (x, high * 1.08, 0), 8),) * 2)
        parts.append(cap)
    rails = (0.2, 0.5, 0.8) if style == "rail" else (0.22, 0.8)
    parts += [box(paint, (width, 6, 4), (0, t * high, -thick * 0.3 if style == "picket" else 0)) for t in rails]
    if style == "picket":
        count = round(width / rng.uniform(11, 18))
        tip = 7 * rng.random()
        outline = [(-4, 4), (4, 4), (4, high - tip), (0, high), (-4, high - tip)]
        picket = extrude(paint, outline, 3, (0, 0, thick * 0.2))
        parts += [moved(picket, (x, 0, 0)) for x in np.linspace(-0.46, 0.46, count) * width]
    if style in ("iron", "spindle"):
        xs = np.linspace(-0.47, 0.47, round(width / rng.uniform(11, 18))) * width
        for x in xs:
            if style == "iron":
                parts += [
                    rod(paint, (x, 4, 0), (x, high, 0), 1.7, sides=6),
                    rod(paint, (x, high, 0), (x, high + 8, 0), 3, 0, 6),
                ]
            else:
                parts.append(turned_spindle(rng, paint, (x, 0.2 * high, 0), (x, 0.8 * high, 0), 6))
    if style == "cross":
        step = width / bays
        for i in range(bays):
            x = (i + 0.5) * step - width / 2
            parts += [
                bar(paint, (x - s * step / 2, 0.22 * high, 0), (x + s * step / 2, 0.8 * high, 0), 4, 6) for s in (-1, 1)
            ]
    return parts


def staircase(rng: Rng) -> list[Part]:
    """Straight steps or a spiral, with a rail."""
    paint = pick(rng, (wood, stone, muted))(rng, "step")
    metal = pick(rng, (dark, steel, wood))(rng, "rail")
    count = int(rng.integers(5, 14))
    if rng.random() < 0.35:
        rise, reach = 18.0, rng.uniform(55, 85)
        step = extrude(paint, [(4, -8), (reach, -20), (reach, 20), (4, 8)], 4, axis="y")
        post = rod(metal, (reach - 5, 0, 0), (reach - 5, 80, 0), 1.8, sides=6)
        parts = [rod(metal, (0, 0, 0), (0, count * rise + 80, 0), 6)]
        for i in range(count):
            parts += moved(ring([step, post], 1, 25.0 * i), (0, (i + 1) * rise, 0))
        a = np.radians(25.0 * np.arange(count))
        rail = np.column_stack([(reach - 5) * np.cos(a), (np.arange(count) + 1) * rise + 80, -(reach - 5) * np.sin(a)])
        return [*parts, tube(metal, rail, 2.4, 8, steps=2)]
    width, rise, tread = rng.uniform(70, 120), rng.uniform(16, 20), rng.uniform(25, 30)
    solid = rng.random() < 0.5
    parts = []
    for i in range(count):
        low = 0.0 if solid else (i + 1) * rise - 4
        parts.append(
            box(
                paint,
                (width, (i + 1) * rise - low, tread + (0 if solid else 3)),
                (0, ((i + 1) * rise + low) / 2, -i * tread),
            )
        )
    ends = (0, 0.0), (-(count - 1) * tread, (count - 1) * rise)
    for s in (-1, 1):
        if not solid:
            line = [(14, 0), (ends[1][0] - 14, ends[1][1] + rise), (ends[1][0] - 14, ends[1][1] - 12), (-6, 0)]
            parts.append(extrude(metal, line, 4, (s * width / 2, 0, 0), "x"))
        if rng.random() < 0.7:
            x = s * (width / 2 - 3)
            parts += [
                rod(metal, (x, (i + 1) * rise - 2, -i * tread), (x, (i + 1) * rise + 80, -i * tread), 2, sides=6)
                for i in range(0, count, 2)
            ]
            parts.append(rod(metal, (x, rise + 80, 6), (x, count * rise + 80, ends[1][0]), 3))
    return parts


def coat_stand(rng: Rng) -> list[Part]:
    """A post with hooks on feet, or a towel or clothes rail."""
    paint = pick(rng, (wood, dark, steel))(rng, "wood")
    high = rng.uniform(150, 185)
    if rng.random() < 0.5:
        foot = tube(paint, [(0, 14, 0), (0, 10, 14), (0, 2, 28)], 2.4)
        hook = tube(paint, [(0, high * 0.86, 0), (0, high * 0.86, 12), (0, high * 0.95, 20)], [2, 2, 2.6])
        parts = [turned_leg(rng, paint, (0, 0, 0), (0, high, 0), 7), *ring(foot, int(rng.integers(3, 6)))]
        return parts + ring(hook, int(rng.integers(3, 7)), 20)
    width = rng.uniform(70, 130)
    parts = both(
        [
            rod(paint, (width / 2, 4, 0), (width / 2, high, 0), 2),
            rod(paint, (width / 2, 4, -25), (width / 2, 4, 25), 2.2),
        ]
    )
    parts.append(rod(paint, (-width / 2 - 4, high, 0), (width / 2 + 4, high, 0), 2))
    for x in np.linspace(-0.35, 0.35, int(rng.integers(0, 5))) * width:
        soft = cloth(rng, "garment")
        tall, wide = rng.uniform(60, 95), rng.uniform(34, 44)
        outline = [
            (-wide * 0.4, high - tall),
            (wide * 0.4, high - tall),
            (wide / 2, high - 12),
            (4, high - 5),
            (-4, high - 5),
            (-wide / 2, high - 12),
        ]
        parts.append(extrude(soft, outline, 5, (x, 0, 0), "x", bevel=1.5))
        parts.append(rod(steel(rng), (x, high - 6, 0), (x, high + 2, 0), 1.2, sides=6))
    return parts
