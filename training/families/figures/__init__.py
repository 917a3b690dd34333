"""Figures: people, statues and busts, snowmen, teddies, robots; small ones are in ``figurines``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg, mirrored
from training.families.colors import Color, any_color, pick, tinted
from training.families.figures.figurines import brickman, chessman, gnome
from training.families.figures.people import BLACK, WHITE, person
from training.families.parts import Paint
from training.families.slabs import curve, pebble, slab, tube
from training.shapes import Part

STONE: tuple[Color, ...] = (
    (200, 195, 185),
    (150, 148, 142),
    (120, 95, 60),
    (70, 85, 75),
    (235, 232, 225),
    (60, 58, 56),
)
STEEL: tuple[Color, ...] = ((160, 165, 170), (110, 115, 125), (200, 200, 205))


def make(rng: np.random.Generator) -> list[Part]:
    """One figure; half of them are people."""
    if rng.random() < 0.5:
        return person(rng)
    return KINDS[rng.integers(len(KINDS))](rng)


def statue(rng: np.random.Generator) -> list[Part]:
    """Somebody in stone or bronze, often on a pedestal."""
    color = pick(rng, STONE)
    body = person(rng, color)
    if rng.random() < 0.3:
        return body
    low = min(part.vertices[:, 1].min() for part in body)
    reach = 1.05 * max(
        np.abs(part.vertices[part.vertices[:, 1] < low + 0.3][:, [0, 2]]).max(initial=0.1) for part in body
    )
    tall, paint = rng.uniform(0.04, 0.5), Paint(color, "stone")
    if rng.random() < 0.5:
        plinth = [solids.block(paint, (-reach, low - tall, -reach), (reach, low, reach), 0.02)]
    else:
        plinth = [
            solids.lathe(
                paint,
                [(reach * 1.2, 0), (reach * 1.2, tall * 0.2), (reach, tall * 0.3), (reach, tall)],
                (0, low - tall, 0),
            )
        ]
    return body + plinth


def bust(rng: np.random.Generator) -> list[Part]:
    """Head and shoulders on a foot."""
    color, r = pick(rng, STONE), 0.3
    lumps: list[Lump] = [
        egg((0, 1.05, 0), (0.82 * r, 1.05 * r, 0.98 * r)),
        egg((0, 0.86, 0.08), (0.6 * r, 0.55 * r, 0.62 * r), blend=0.1),
        bone((0, 1.0, 0.29), (0, 0.92, 0.33), 0.035, 0.06, 0.04),
        bone((0, 0.4, -0.03), (0, 0.9, 0), 0.16, 0.14, 0.08),
        egg((0, 0.32, 0), (rng.uniform(0.4, 0.55), 0.2, 0.24), blend=0.12),
        egg((0, 0.14, 0.04), (0.3, 0.2, 0.22), blend=0.1),
        *mirrored(
            [
                egg((0.25, 0.98, -0.02), (0.04, 0.09, 0.06)),
                egg((0.1, 1.06, 0.26), (0.06, 0.035, 0.06), blend=0.02, carve=True),
            ]
        ),
        bone((-0.05, 0.8, 0.28), (0.05, 0.8, 0.28), 0.03, blend=0.02),
    ]
    style = rng.integers(4)
    if style > 0:
        lumps.append(egg((0, 1.15, -0.07), (0.29, 0.29, 0.3), blend=0.03))
    if style == 2:
        lumps.append(egg((0, 0.75, 0.2), (0.18, 0.2, 0.15), blend=0.05))
    if style == 3:
        lumps.append(bone((0, 1.0, -0.15), (0, 0.5, -0.2), 0.24, 0.2, 0.05))
    foot = solids.lathe(
        Paint(pick(rng, STONE), "foot"), [(0.22, -0.4), (0.22, -0.34), (0.1, -0.25), (0.09, -0.1), (0.16, 0.05)]
    )
    return [blob(lumps, color, "stone", 3200), foot]


def snowman(rng: np.random.Generator) -> list[Part]:
    """Two or three balls, a carrot, a hat, a scarf, twigs."""
    sizes = np.array([0.5, 0.37, 0.26] if rng.random() < 0.7 else [0.5, 0.33]) * np.exp(rng.normal(0, 0.06))
    parts, y = [], 0.0
    for radius in sizes:
        y += radius * 0.85
        parts.append(solids.ellipsoid(Paint((240, 243, 248), "snow"), np.full(3, radius), (0, y, 0)))
        centre, y = y, y + radius * 0.85
    head, r = np.array([0, centre, 0]), sizes[-1]
    parts.append(
        solids.rod(
            Paint((235, 120, 40), "carrot"), head + (0, 0, r * 0.9), head + (0, -0.02, r * 1.9), 0.2 * r, 0.04 * r
        )
    )
    parts += [pebble(head + r * np.array([s * 0.35, 0.25, 0.88]), 0.1 * r, BLACK, "coal") for s in (1, -1)]
    below = sizes[-2]
    under = centre - r * 0.85 - below * 0.85
    parts += [
        pebble((0, under + below * np.sin(a), below * np.cos(a)), 0.08 * below, BLACK, "coal")
        for a in (0.5, 0.15, -0.2)
    ]
    scarf = any_color(rng)
    neck = centre - r * 0.85
    parts.append(solids.torus(Paint(scarf, "scarf"), r * 0.72, r * 0.2, (0, neck, 0)))
    way = curve([(r * 0.4, neck, r * 0.7), (r * 0.5, neck - 0.15, below * 0.95), (r * 0.5, neck - 0.4, below * 1.1)], 5)
    parts.append(slab(way, np.full(5, 0.13), 0.05, scarf, "scarf"))
    top = head + (0, r * 0.75, 0)
    if rng.random() < 0.7:
        parts.append(
            solids.lathe(
                Paint(pick(rng, (BLACK, scarf)), "hat"),
                np.array([(1.2, 0), (1.2, 0.12), (0.75, 0.15), (0.72, 1.0)]) * r,
                top,
            )
        )
    for side in (1, -1):
        root = np.array([side * below * 0.8, under + 0.05, 0])
        tip = root + (side * 0.5, rng.uniform(0, 0.35), rng.uniform(-0.1, 0.2))
        parts.append(tube([root, (root + tip) / 2 + (0, 0.04, 0), tip], 0.028, (90, 60, 40), "twig", 6))
        parts.append(
            tube(
                [root + 0.7 * (tip - root), root + 0.8 * (tip - root) + (0, 0.14, 0.05)], 0.022, (90, 60, 40), "twig", 6
            )
        )
    return parts


def teddy(rng: np.random.Generator) -> list[Part]:
    """A soft toy that sits or stands: bear, bunny, mouse or cat."""
    fur = pick(rng, ((170, 115, 65), (120, 80, 50), (225, 205, 175), (200, 160, 190), (150, 150, 155), (240, 235, 228)))
    pale, sits = tinted(rng, (235, 215, 185)), rng.random() < 0.65
    head_r, y = rng.uniform(0.27, 0.36), 0.36
    head = np.array([0, y + 0.34 + head_r * 0.8, 0.03])
    lumps: list[Lump] = [
        egg((0, y, 0), (0.3, 0.37, 0.27), blend=0.05),
        egg(head, head_r * np.array([1.05, 0.95, 0.95]), blend=0.05),
    ]
    arm_y = rng.uniform(-0.25, 0.3)
    lumps += mirrored(chain([(0.2, y + 0.24, 0.03), (0.42, y + 0.12 + arm_y, 0.18)], [0.11, 0.105], 0.03))
    if sits:
        lumps += mirrored(chain([(0.17, y - 0.22, 0.08), (0.27, 0.13, 0.5)], [0.15, 0.13], 0.03))
        lumps += mirrored([egg((0.28, 0.17, 0.56), (0.13, 0.17, 0.09))])
    else:
        lumps += mirrored(
            chain([(0.16, y - 0.2, 0), (0.18, -0.22, 0.02), (0.18, -0.26, 0.12)], [0.14, 0.12, 0.12], 0.03)
        )
    ears = rng.choice(["bear", "bunny", "cat"], p=[0.6, 0.25, 0.15])
    if ears == "bear":
        lumps += mirrored(
            [egg(head + head_r * np.array([0.72, 0.78, -0.05]), head_r * np.array([0.38, 0.38, 0.2]), blend=0.03)]
        )
    elif ears == "bunny":
        lumps += mirrored(
            [
                bone(
                    head + head_r * np.array([0.4, 0.8, 0]),
                    head + head_r * np.array([0.55, 2.2, -0.2]),
                    0.07,
                    0.1,
                    0.03,
                )
            ]
        )
    else:
        lumps += mirrored(
            [bone(head + head_r * np.array([0.5, 0.6, 0]), head + head_r * np.array([0.75, 1.25, 0]), 0.12, 0.03, 0.03)]
        )
    muzzle = head + head_r * np.array([0, -0.25, 0.85])
    parts = [blob(lumps, fur, "fur", 3000), pebble(muzzle, head_r * np.array([0.42, 0.34, 0.32]), pale, "muzzle")]
    parts.append(
        pebble(muzzle + head_r * np.array([0, 0.16, 0.28]), head_r * np.array([0.16, 0.11, 0.1]), BLACK, "nose")
    )
    parts += [pebble(head + head_r * np.array([s * 0.38, 0.22, 0.85]), 0.12 * head_r, BLACK, "eye") for s in (1, -1)]
    parts.append(pebble((0, y - 0.03, 0.12), (0.22, 0.27, 0.18), pale, "belly"))
    if rng.random() < 0.4:
        bow = any_color(rng)
        parts += [pebble((s * 0.1, y + 0.34, 0.25), (0.1, 0.065, 0.04), bow, "bow") for s in (1, -1)]
    return parts


def robot(rng: np.random.Generator) -> list[Part]:
    """A boxy or round robot on legs, wheels or a skirt."""
    shell, joint = Paint(pick(rng, (*STEEL, any_color(rng), WHITE)), "shell"), Paint(pick(rng, STEEL), "joint")
    glow, bevel = Paint(any_color(rng), "eye"), rng.uniform(0, 0.06)
    w, h, d = rng.uniform(0.22, 0.36), rng.uniform(0.4, 0.65), rng.uniform(0.25, 0.4)
    legs = rng.choice(["legs", "wheels", "skirt"], p=[0.6, 0.2, 0.2])
    base = {"legs": rng.uniform(0.3, 0.6), "wheels": 0.2, "skirt": 0.3}[str(legs)]
    parts = [solids.block(shell, (-w, base, -d / 2), (w, base + h, d / 2), bevel)]
    parts.append(solids.block(glow, (-w * 0.5, base + h * 0.45, d / 2 - 0.02), (w * 0.5, base + h * 0.8, d / 2 + 0.03)))
    top, hw = base + h + 0.08, rng.uniform(0.16, 0.3)
    hh = rng.uniform(0.22, 0.4)
    parts.append(solids.rod(joint, (0, base + h - 0.02, 0), (0, top + 0.05, 0), 0.08))
    if rng.random() < 0.6:
        parts.append(solids.block(shell, (-hw, top, -0.16), (hw, top + hh, 0.16), bevel))
        face = 0.15
    else:
        parts.append(solids.ellipsoid(shell, (hw, hh / 2 + 0.05, hw), (0, top + hh / 2, 0)))
        face = hw * 0.85
    for side in (1, -1):
        eye = np.array([side * hw * 0.45, top + hh * 0.6, face])
        parts.append(solids.rod(glow, eye, eye + (0, 0, 0.05), 0.055))
        shoulder = np.array([side * (w + 0.05), base + h * 0.85, 0])
        elbow = shoulder + (side * 0.12, -0.22, rng.uniform(-0.05, 0.15))
        hand = elbow + (side * rng.uniform(-0.05, 0.15), rng.uniform(-0.28, 0.1), rng.uniform(0.05, 0.3))
        parts.append(solids.ellipsoid(joint, np.full(3, 0.09), shoulder))
        parts += [solids.rod(joint, shoulder, elbow, 0.055), solids.rod(shell, elbow, hand, 0.07, 0.09)]
        parts += [solids.rod(joint, hand, hand + (x, -0.06, 0.1), 0.03) for x in (-0.05, 0.05)]
        if legs == "legs":
            x = side * w * 0.55
            parts.append(solids.rod(joint, (x, base + 0.02, 0), (x, 0.08, 0), 0.075))
            parts.append(solids.block(shell, (x - 0.11, 0, -0.14), (x + 0.11, 0.1, 0.2), bevel * 0.5))
        elif legs == "wheels":
            parts.append(
                solids.rod(Paint(BLACK, "tyre"), (side * w * 0.6, 0.17, 0), (side * (w + 0.1), 0.17, 0), 0.19, sides=18)
            )
    if legs == "skirt":
        parts.append(solids.lathe(shell, [(w * 1.25, 0), (w * 1.25, 0.06), (w * 0.8, base + 0.02)], (0, 0, 0)))
    if legs == "wheels":
        parts.append(solids.block(joint, (-w * 0.7, 0.12, -d * 0.4), (w * 0.7, base + 0.02, d * 0.4)))
    if rng.random() < 0.6:
        tip = top + hh + rng.uniform(0.12, 0.25)
        parts += [
            solids.rod(joint, (0, top + hh - 0.03, 0), (0, tip, 0), 0.022),
            solids.ellipsoid(glow, np.full(3, 0.05), (0, tip, 0)),
        ]
    return parts


KINDS: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    statue,
    bust,
    snowman,
    teddy,
    teddy,
    robot,
    robot,
    chessman,
    chessman,
    gnome,
    brickman,
)
