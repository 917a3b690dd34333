"""Wind instruments, drums and bells; skins face +Z."""

from __future__ import annotations

import numpy as np

from training.families.music.strings import posed
from training.families.outlines import curve
from training.families.paints import Rng, brass, bright, dark, pick, steel, white, wood
from training.families.parts import Paint, both, box, ellipsoid, lathe, moved, ring, rod, torus, tube, turned
from training.shapes import Part


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
    profiles: dict[str, list[tuple[float, float]]] = {
        "conga": [(0.75, 0), (1, 0.45), (0.9, 1)],
        "djembe": [(0.72, 0), (0.45, 0.42), (0.55, 0.55), (1, 0.85), (1, 1)],
        "bongo": [(0.85, 0), (1, 1)],
    }
    profile = profiles[style]
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
