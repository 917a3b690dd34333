"""Small figures: chessmen, gnomes, peg people and toy figures of hard pieces."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg, mirrored
from training.families.colors import any_color, pick
from training.families.figures.people import BLACK, HAIR, SKIN, WHITE
from training.families.parts import Paint
from training.families.slabs import curve, pebble, tube
from training.shapes import Part


def chessman(rng: np.random.Generator) -> list[Part]:
    """Pawn, rook, bishop, queen, king or knight."""
    paint = Paint(pick(rng, ((230, 215, 185), (60, 45, 38), WHITE, BLACK, (150, 100, 60))), "wood")
    kind, tall = rng.integers(6), rng.uniform(0.8, 1.3)
    foot = [(0.36, 0), (0.38, 0.08), (0.33, 0.14), (0.34, 0.2), (0.24, 0.28)]
    waist = (0.13 + 0.04 * rng.random(), 0.3 + 0.45 * tall)
    collar = [(0.15, 0.3 + 0.6 * tall), (0.25, 0.33 + 0.6 * tall), (0.24, 0.38 + 0.6 * tall)]
    y = collar[-1][1]
    if kind == 5:
        neck: list[Lump] = [
            *chain([(0, 0.25, -0.05), (0, 0.6, -0.1), (0, 0.95, 0.0), (0, 1.1, 0.1)], [0.25, 0.22, 0.17, 0.15], 0.1),
            bone((0, 1.1, 0.08), (0, 0.9, 0.42), 0.15, 0.09, 0.06),
            bone((0, 1.15, -0.02), (0, 0.7, -0.3), 0.07, 0.1, 0.08),
            *mirrored([bone((0.06, 1.15, 0.02), (0.09, 1.34, 0.0), 0.06, 0.02, 0.03)]),
        ]
        return [solids.lathe(paint, foot), blob([lump for lump in neck], paint.color, "wood", 1800)]
    profile = [*foot, waist, *collar]
    extra: list[Part] = []
    if kind == 0:
        profile += [(0.13, y + 0.03), (0.21, y + 0.14), (0.22, y + 0.22), (0.17, y + 0.34), (0.03, y + 0.41)]
    elif kind == 1:
        profile += [
            (0.17, y + 0.02),
            (0.18, y + 0.12),
            (0.25, y + 0.2),
            (0.25, y + 0.42),
            (0.17, y + 0.42),
            (0.17, y + 0.3),
        ]
    elif kind == 2:
        profile += [
            (0.12, y + 0.03),
            (0.19, y + 0.2),
            (0.15, y + 0.38),
            (0.05, y + 0.5),
            (0.07, y + 0.54),
            (0.05, y + 0.6),
        ]
    else:
        profile += [
            (0.13, y + 0.03),
            (0.16, y + 0.2),
            (0.25, y + 0.45),
            (0.2, y + 0.47),
            (0.1, y + 0.55),
            (0.02, y + 0.58),
        ]
        if kind == 3:
            extra = [
                solids.block(paint, (-0.03, y + 0.5, -0.03), (0.03, y + 0.85, 0.03)),
                solids.block(paint, (-0.12, y + 0.68, -0.03), (0.12, y + 0.75, 0.03)),
            ]
        else:
            spikes = 2 * np.pi * np.arange(8) / 8
            extra = [pebble((0.23 * np.sin(a), y + 0.47, 0.23 * np.cos(a)), 0.05, paint.color, "wood") for a in spikes]
            extra.append(pebble((0, y + 0.62, 0), 0.07, paint.color, "wood"))
    return [solids.lathe(paint, profile, sides=24), *extra]


def gnome(rng: np.random.Generator) -> list[Part]:
    """Garden gnome, Santa or wizard: pointed hat, beard, round belly."""
    coat, hat, beard = any_color(rng), any_color(rng), pick(rng, (WHITE, *HAIR[3:]))
    belly, tall = rng.uniform(0.28, 0.4), rng.uniform(0.45, 0.9)
    lumps: list[Lump] = [
        egg((0, 0.45, 0), (belly, 0.38, belly * 0.95)),
        *mirrored(chain([(0.24, 0.65, 0), (0.42, 0.48, 0.12), (0.3, 0.4, 0.32)], [0.12, 0.1, 0.09], 0.03)),
    ]
    parts = [
        blob(lumps, coat, "coat", 1800),
        solids.ellipsoid(Paint(pick(rng, SKIN), "skin"), (0.22, 0.22, 0.21), (0, 0.92, 0.02)),
    ]
    parts.append(
        blob(
            [
                egg((0, 0.75, 0.17), (0.19, 0.28, 0.13)),
                bone((0, 0.7, 0.22), (0, rng.uniform(0.3, 0.5), 0.3), 0.14, 0.05),
            ],
            beard,
            "beard",
            600,
        )
    )
    bend = rng.normal(0, 0.1)
    parts.append(
        tube(
            curve([(0, 0.98, 0), (0, 1.1, 0), (bend * 0.3, 1.0 + tall * 0.5, -0.05), (bend, 1.05 + tall, -0.1)], 7),
            np.array([0.28, 0.26, 0.22, 0.17, 0.12, 0.08, 0.03]),
            hat,
            "hat",
            14,
        )
    )
    parts.append(pebble((0, 0.9, 0.25), 0.06, pick(rng, SKIN), "skin"))
    for side in (1, -1):
        parts.append(pebble((side * 0.09, 0.95, 0.2), 0.025, BLACK, "eye"))
        parts.append(
            blob(
                [
                    bone((side * 0.15, 0.1, 0), (side * 0.17, 0.07, 0.2), 0.11, 0.09),
                    bone((side * 0.15, 0.1, 0), (side * 0.13, 0.3, 0), 0.1, 0.12),
                ],
                BLACK,
                "boots",
                400,
            )
        )
    return parts


def brickman(rng: np.random.Generator) -> list[Part]:
    """A toy figure of a few hard pieces: peg people, or blocks with clip hands."""
    skin, top, bottom = pick(rng, ((245, 205, 60), *SKIN)), any_color(rng), any_color(rng)
    if rng.random() < 0.35:
        body = Paint(top, "body")
        tall = rng.uniform(0.6, 0.9)
        parts = [solids.lathe(body, [(0.26, 0), (0.27, 0.05), (0.22, tall * 0.6), (0.15, tall)], (0, 0, 0))]
        parts.append(solids.ellipsoid(Paint(skin, "skin"), np.full(3, 0.23), (0, tall + 0.17, 0)))
        parts.append(blob([egg((0, tall + 0.24, -0.05), (0.235, 0.2, 0.22))], pick(rng, HAIR), "hair", 500))
        return parts + [pebble((s * 0.08, tall + 0.19, 0.215), 0.025, BLACK, "eye") for s in (1, -1)]
    taper = np.array([(-0.3, 0.62), (0.3, 0.62), (0.22, 1.1), (-0.22, 1.1)])
    parts = [
        solids.extrude(Paint(top, "top"), taper, 0.3),
        solids.block(Paint(bottom, "bottom"), (-0.29, 0.5, -0.14), (0.29, 0.63, 0.14)),
    ]
    parts.append(
        solids.lathe(
            Paint(skin, "skin"),
            [(0.1, 1.08), (0.12, 1.12), (0.2, 1.15), (0.21, 1.2), (0.21, 1.4), (0.17, 1.45), (0.1, 1.46), (0.1, 1.52)],
        )
    )
    stride = rng.choice([0.0, 0.25, 0.5])
    for side in (1, -1):
        x = side * 0.15
        lean = side * stride
        parts.append(
            solids.extrude(
                Paint(bottom, "bottom"),
                np.array(
                    [
                        (-0.14, 0.52),
                        (-0.14 + lean * 0.5, 0),
                        (0.22 + lean * 0.5, 0),
                        (0.22 + lean * 0.5, 0.12),
                        (0.14 + lean * 0.45, 0.14),
                        (0.14, 0.52),
                    ]
                ),
                0.26,
                (x, 0, 0),
                "x",
            )
        )
        hand = np.array([side * 0.42, rng.uniform(0.62, 0.9), 0.28])
        parts.append(tube(curve([(side * 0.26, 1.02, 0), (side * 0.38, 0.86, 0.03), hand], 6), 0.085, top, "top"))
        parts.append(solids.torus(Paint(skin, "skin"), 0.06, 0.03, hand + (0, -0.03, 0.07), sides=10))
        parts.append(pebble((side * 0.07, 1.33, 0.2), 0.026, BLACK, "eye"))
    if rng.random() < 0.8:
        parts.append(
            blob(
                [egg((0, 1.42, -0.03), (0.235, 0.15, 0.235)), egg((0, 1.32, -0.13), (0.225, 0.2, 0.13))],
                pick(rng, (*HAIR, any_color(rng))),
                "hair",
                600,
            )
        )
    return parts
