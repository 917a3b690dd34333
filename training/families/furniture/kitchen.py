"""Kitchen machines and sinks."""

from __future__ import annotations

from training.families.furniture.bath import tap
from training.families.furniture.joinery import front_panel, handle, table_legs
from training.families.furniture.storage import basin
from training.families.paints import Rng, dark, painted, pick, screen, steel, white
from training.families.parts import Paint, box, lathe, moved, rod, torus, tube, turned
from training.shapes import Part


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
