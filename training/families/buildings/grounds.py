"""What stands in gardens, camps and playgrounds."""

from __future__ import annotations

import numpy as np

from training.families.buildings.houses import gabled, roof_paint
from training.families.furniture.rest import fence
from training.families.outlines import curve
from training.families.paints import Rng, bright, cream, dark, muted, painted, pick, steel, stone, white, wood
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
    vessel,
)
from training.shapes import Part


def well(rng: Rng) -> list[Part]:
    """A well with a little roof, a windlass and a bucket."""
    wall, beam, roof = stone(rng, "wall"), wood(rng), roof_paint(rng)
    r = rng.uniform(30, 38)
    parts = [
        vessel(wall, [(r, 0), (r, 28), (1.1 * r, 30), (1.1 * r, 36)], 8),
        *both(box(beam, (5, 84, 5), (0.98 * r, 42, 0))),
        rod(beam, (-r, 64, 0), (r + 10, 64, 0), 4),
        *gabled(beam, roof, 2.3 * r, 1.6 * r, 0.5, 22, 6)[1:],
    ]
    parts[-1] = moved(parts[-1], (0, 80, 0))
    parts += ring(box(wall, (0.5 * r, 8, 3), (0, 8, r - 0.4), bevel=1), 8) + moved(
        ring(box(wall, (0.5 * r, 8, 3), (0, 0, r - 0.4), bevel=1), 8, 22), (0, 19, 0)
    )
    return [
        *parts,
        rod(beam, (0, 46, 0), (0, 62, 0), 0.9, sides=6),
        vessel(beam, [(5, 34), (6.4, 46)], 0.8),
        tube(dark(rng), [(r + 8, 64, 0), (r + 12, 64, 0), (r + 12, 54, 6), (r + 18, 54, 6)], 1.2, 6, steps=1),
    ]


def bridge(rng: Rng) -> list[Part]:
    """An arched stone bridge or a wooden foot bridge."""
    wall, long, width = pick(rng, (stone, wood))(rng, "wall"), rng.uniform(160, 240), rng.uniform(50, 76)
    x = np.linspace(-1, 1, 13)
    rise = rng.uniform(14, 34)
    top, low = (
        34 + rise * np.cos(x * np.pi / 2),
        22 * np.sqrt(np.clip(1 - (x / 0.8) ** 2, 0, 1)) + (rise - 6) * np.clip(1 - (x / 0.8) ** 2, 0, 1),
    )
    outline = np.concatenate([np.column_stack([x * long / 2, low]), np.column_stack([x * long / 2, top])[::-1]])
    parts = [extrude(wall, outline, width)]
    wood_rail = rng.random() < 0.5
    for z in (-width / 2 + 3, width / 2 - 3):
        if wood_rail:
            parts += [
                tube(wall, np.column_stack([x * long / 2, top + h, np.full(13, z)])[::2], 2.6, 6) for h in (15, 28)
            ] + [box(wall, (4, 32, 4), (a * long / 2, b + 15, z)) for a, b in zip(x[::3], top[::3], strict=True)]
        else:
            parts.append(
                extrude(
                    wall,
                    np.concatenate(
                        [np.column_stack([x * long / 2, top - 2]), np.column_stack([x * long / 2, top + 15])[::-1]]
                    ),
                    6,
                    (0, 0, z),
                )
            )
    return parts


def tent(rng: Rng) -> list[Part]:
    """A ridge tent, tipi, dome or pavilion, its entrance towards +Z."""
    soft, pole = pick(rng, (bright, cream, muted))(rng, "cloth"), wood(rng)
    style = pick(rng, ("ridge", "tipi", "dome", "pavilion"))
    if style == "ridge":
        w, d, high = rng.uniform(70, 100), rng.uniform(90, 130), rng.uniform(60, 80)
        outline = [(-w / 2, 0), (w / 2, 0), (0.06 * w, high), (-0.06 * w, high)]
        parts = [
            extrude(soft, outline, d),
            extrude(dark(rng, "inside"), [(-0.24 * w, 0.5), (0.24 * w, 0.5), (0, 0.8 * high)], 1.6, (0, 0, d / 2)),
            *(rod(pole, (0, 0, z), (0, high + 6, z), 1.6) for z in (-d / 2, d / 2)),
        ]
        return parts + [
            rod(pole, (sx * 0.4 * w, 0.25 * high, z), (sx * (w / 2 + 22), 0, z), 0.9, sides=5)
            for sx in (-1, 1)
            for z in (-d / 2, 0, d / 2)
        ]
    if style == "tipi":
        r, high = rng.uniform(42, 56), rng.uniform(100, 130)
        poles = ring(rod(pole, (0, 0, r), (0, 1.18 * high, -0.16 * r), 1.5, sides=6), 8)
        return [
            lathe(soft, [(r, 0), (0.12 * r, 0.9 * high), (0.1 * r, 0.92 * high)], sides=16),
            *poles,
            flap(dark(rng, "inside"), r, high),
        ]
    if style == "dome":
        r, high = rng.uniform(60, 80), rng.uniform(55, 75)
        dome = ellipsoid(soft, (r, high, 0.8 * r), (0, 0, 0), 24, 0.9, 11)
        dome.vertices[:, 1] = np.maximum(dome.vertices[:, 1], 0.002 * dome.vertices[:, 1])
        a = np.linspace(0, np.pi, 13)
        return [
            dome,
            *(
                turned(tube(pole, np.column_stack([1.0 * r * np.cos(a), 1.01 * high * np.sin(a), 0 * a]), 1.4, 6), t)
                for t in (35, -35)
            ),
            ellipsoid(dark(rng, "inside"), (18, 34, 6), (0, 4, 0.76 * r), 14),
        ]
    w, high, rise = rng.uniform(100, 140), rng.uniform(66, 80), rng.uniform(24, 44)
    eaves = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * w / 2
    rings = [
        np.column_stack([loop[:, 0], np.full(4, y), loop[:, 1]])
        for loop, y in ((eaves, high - 10), (eaves, high), (eaves * 0.04, high + rise))
    ]
    return [
        loft(soft, np.array(rings)),
        *(
            rod(pole, (x * 0.46 * w, 0, z * 0.46 * w), (x * 0.46 * w, high, z * 0.46 * w), 2)
            for x in (-1, 1)
            for z in (-1, 1)
        ),
        ellipsoid(pole, (3, 4, 3), (0, high + rise, 0), 10),
    ]


def flap(paint: Paint, r: float, high: float) -> Part:
    """A door flap leaning on a cone."""
    lean = float(np.degrees(np.arctan2(0.9 * r, 0.9 * high)))
    return turned(extrude(paint, [(-13, 0), (13, 0), (0, 60)], 2.4, (0, 0, r - 0.6)), -lean, "x", (0, 0, r))


def swing(rng: Rng) -> list[Part]:
    """A swing frame with one to three seats, or a seesaw."""
    paint, seat, rope = pick(rng, (wood, bright))(rng, "frame"), bright(rng, "seat"), dark(rng, "rope")
    if rng.random() < 0.3:
        tilt = rng.uniform(-14, 14)
        plank = [
            box(paint, (200, 4, 18), (0, 34, 0), bevel=1),
            *both(tube(rope, [(78, 36, -6), (78, 50, -5), (78, 50, 5), (78, 36, 6)], 1.4, 6, steps=1)),
            *both(box(seat, (26, 3, 20), (88, 37, 0), bevel=0.8)),
        ]
        return [*turned(plank, tilt, "z", (0, 34, 0)), extrude(paint, [(-22, 0), (22, 0), (5, 34), (-5, 34)], 16)]
    count = int(rng.integers(1, 4))
    width, high = 60.0 * count + 40, rng.uniform(120, 150)
    parts = both(
        [
            *(rod(paint, (width / 2 + 6, 0, s * 46), (width / 2 - 4, high, 0), 3) for s in (-1, 1)),
            rod(paint, (width / 2, 0.4 * high, -28), (width / 2, 0.4 * high, 28), 2),
        ]
    )
    parts.append(rod(paint, (-width / 2, high, 0), (width / 2, high, 0), 3.4))
    for i in range(count):
        x = (i - (count - 1) / 2) * 60
        one = [
            box(seat, (30, 3, 15), (x, 36, 0), bevel=0.8),
            *(rod(rope, (x + s * 13, 36, 0), (x + s * 13, high, 0), 1.3, sides=6) for s in (-1, 1)),
        ]
        parts += turned(one, rng.uniform(-18, 18), "x", (0, high, 0))
    return parts


def slide(rng: Rng) -> list[Part]:
    """A playground slide with a ladder, running down towards +Z."""
    paint, metal = bright(rng, "slide"), pick(rng, (steel, bright))(rng, "frame")
    high = rng.uniform(90, 120)
    z = np.linspace(0, 1, 9)
    line = curve([(-20, high), (0, high - 2), (60, 0.45 * high), (110, 12), (140, 8)], 3)
    parts = []
    for x, width, rise in ((0.0, 34.0, 0.0), (-17.0, 3.0, 9.0), (17.0, 3.0, 9.0)):
        loop = np.concatenate([line, (line + (0, 3 + rise))[::-1]])
        parts.append(extrude(paint, loop, width, (x, 0, 0), "x"))
    parts += both(rod(metal, (17, 0, -64), (17, high + 22, -20), 2.2)) + [
        rod(
            metal,
            (-17, t * high, -64 + 44 * t * high / (high + 22)),
            (17, t * high, -64 + 44 * t * high / (high + 22)),
            1.8,
            sides=8,
        )
        for t in z[1:]
    ]
    return (
        parts
        + both(tube(metal, [(17, high + 22, -20), (17, high + 24, -6), (17, high, 4)], 2, 8))
        + both(rod(metal, (16, 0, 40), (16, 0.62 * high, 40), 2))
    )


def goal(rng: Rng) -> list[Part]:
    """A football goal with a net, or a basketball hoop."""
    paint, net = white(rng, "post"), cream(rng, "net")
    if rng.random() < 0.5:
        w, high, d = rng.uniform(150, 220), rng.uniform(70, 90), rng.uniform(45, 70)
        parts = both(
            [
                rod(paint, (w / 2, 0, 0), (w / 2, high, 0), 3),
                rod(paint, (w / 2, high, 0), (w / 2, high, -0.35 * d), 2),
                rod(paint, (w / 2, high, -0.35 * d), (w / 2, 0, -d), 2),
            ]
        )
        parts += [rod(paint, (-w / 2, high, 0), (w / 2, high, 0), 3), rod(paint, (-w / 2, 2, -d), (w / 2, 2, -d), 2)]
        parts += [
            tube(net, [(x, high, 0), (x, high, -0.35 * d), (x, 0, -d)], 1.1, 4, steps=1)
            for x in np.linspace(-0.44, 0.44, 12) * w
        ]
        return parts + [
            rod(
                net,
                (-w / 2, (1 - t) * high, -(0.35 + 0.65 * t) * d),
                (w / 2, (1 - t) * high, -(0.35 + 0.65 * t) * d),
                1.1,
                sides=4,
            )
            for t in np.linspace(0.1, 0.9, 6)
        ]
    rim, metal, y = Paint((220, 90, 40), "rim"), dark(rng, "post"), 250.0
    parts = [
        rod(metal, (0, 0, -60), (0, y, -60), 6),
        tube(metal, [(0, y - 30, -60), (0, y + 10, -20), (0, y + 16, 0)], 4.4, 8),
        box(paint, (120, 76, 4), (0, y + 26, 2), bevel=0.8),
        box(rim, (44, 32, 4.6), (0, y + 14, 2)),
        torus(rim, 16, 1.6, (0, y, 22), sides=24),
    ]
    return [
        *parts,
        *moved(ring(rod(net, (0, 0, 16), (3, -26, 9), 0.9, sides=4), 12), (0, y, 22)),
        box(metal, (60, 12, 70), (0, 6, -60), bevel=2),
    ]


def diving_board(rng: Rng) -> list[Part]:
    """A diving board with a ladder; the board reaches towards +Z."""
    paint, metal = painted(rng, "board"), steel(rng)
    high = rng.uniform(40, 150)
    parts = [box(paint, (34, 4, 160), (0, high, 40), bevel=1), box(stone(rng), (50, 6, 120), (0, 3, -10))]
    parts += both(
        [
            rod(metal, (16, 0, -44), (16, high + 30, -44), 2.2),
            rod(metal, (16, 0, 24), (16, high, 24), 2.6),
            tube(metal, [(18, high + 30, -44), (18, high + 30, 20), (18, high, 24)], 1.8, 8, steps=2),
            rod(metal, (16, high * 0.1, -40), (16, high * 0.9, 22), 1.6),
        ]
    )
    return parts + [rod(metal, (-16, y, -44), (16, y, -44), 1.8, sides=8) for y in np.arange(12, high, 16)]


def railing(rng: Rng) -> list[Part]:
    """A fence or railing."""
    return fence(rng)


def gate(rng: Rng) -> list[Part]:
    """A gateway: pillars with caps and two iron leaves; or an arch."""
    wall, iron = stone(rng, "wall"), dark(rng, "iron")
    w, high = rng.uniform(90, 130), rng.uniform(90, 130)
    parts = both(
        [
            box(wall, (22, high, 22), (w / 2 + 11, high / 2, 0), bevel=0.8),
            box(wall, (28, 5, 28), (w / 2 + 11, high + 2, 0), bevel=1),
            ellipsoid(wall, (10, 10, 10), (w / 2 + 11, high + 13, 0), 14),
        ]
    )
    for x in np.linspace(-0.47, 0.47, 13) * w:
        top = high * (0.78 + 0.18 * np.cos(x / w * np.pi))
        parts += [rod(iron, (x, 5, 0), (x, top, 0), 1.5, sides=6), rod(iron, (x, top, 0), (x, top + 7, 0), 2.4, 0, 6)]
    return parts + [box(iron, (w, 4, 3), (0, y * high, 0)) for y in (0.08, 0.4, 0.72)]
