"""People: a body over a skeleton in a pose, clothes, hair and shoes. Unit: about the height of a grown person."""

from __future__ import annotations

import numpy as np

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg, tilted
from training.families.colors import Color, any_color, pick
from training.families.figures.belongings import extras
from training.families.figures.skeleton import Frame, Joints, frame, posed
from training.families.parts import Paint
from training.families.slabs import pebble, slab, unit
from training.shapes import Part

SKIN: tuple[Color, ...] = ((240, 205, 175), (224, 172, 130), (190, 135, 95), (140, 90, 60), (90, 60, 45))
HAIR: tuple[Color, ...] = ((35, 28, 24), (80, 52, 32), (140, 90, 45), (215, 180, 110), (165, 70, 35), (170, 168, 165))
BLACK, WHITE = (25, 25, 27), (240, 240, 238)


def person(rng: np.random.Generator, plain: Color | None = None) -> list[Part]:
    """Somebody, dressed. With ``plain`` all in that one colour (a statue, a mannequin)."""
    name = str(
        rng.choice(
            [
                "stand",
                "stand",
                "apose",
                "tpose",
                "walk",
                "walk",
                "run",
                "sit",
                "sit",
                "floor",
                "kneel",
                "wave",
                "hips",
                "cheer",
                "carry",
            ]
        )
    )
    body = frame(rng)
    joints = posed(rng, body, name)
    skin, top, below = pick(rng, SKIN), any_color(rng), any_color(rng)
    dress = body.woman and rng.random() < 0.45 and name not in ("sit", "floor", "kneel", "run")
    shirt = rng.random() < 0.5
    pieces = [_skin(body, joints, skin, bare_legs=dress)]
    pieces.append(_top(body, joints, top, long=not shirt))
    if dress:
        pieces.append(_skirt(rng, body, joints, top if rng.random() < 0.6 else below))
    else:
        pieces.append(_trousers(body, joints, below, short=rng.random() < 0.2))
    pieces += _shoes(body, joints, pick(rng, (BLACK, (90, 60, 40), WHITE, below)))
    pieces += _face(body, joints)
    pieces += _hair(rng, body, joints, pick(rng, HAIR))
    pieces += extras(rng, body, joints, name)
    if plain is None:
        return pieces
    return [Part(p.vertices, p.faces, plain, "stone") for p in pieces if p.material not in ("eye",)]


def _skin(body: Frame, joints: Joints, color: Color, bare_legs: bool) -> Part:
    r, thin = body.head, 0.021 * body.girth
    lumps: list[Lump] = [
        egg(joints.head + (0, 0.12 * r, -0.05 * r), (0.8 * r, 1.0 * r, 0.95 * r), blend=0.02),
        egg(joints.head + (0, -0.45 * r, 0.2 * r), (0.55 * r, 0.55 * r, 0.6 * r), blend=0.3 * r),
        egg(joints.head + (0, -0.15 * r, 0.95 * r), (0.13 * r, 0.22 * r, 0.2 * r), blend=0.05 * r),
        bone(joints.neck - (0, 0.02, 0), joints.head - (0, 0.3 * r, 0), min(0.5 * r, 0.04 * body.girth), blend=0.01),
    ]
    for side in (0, 1):
        lumps.append(
            egg(joints.head + ((0.82 - 1.64 * side) * r, 0, -0.1 * r), (0.12 * r, 0.28 * r, 0.2 * r), blend=0.03 * r)
        )
        shoulder, elbow, hand = joints.shoulders[side], joints.elbows[side], joints.hands[side]
        lumps += chain([(shoulder + elbow) / 2, elbow, hand], [1.35 * thin, 1.15 * thin, 0.9 * thin], 0.01)
        ahead = unit(hand - elbow)
        palm = hand + ahead * 0.035
        lumps.append(bone(hand, palm, 0.95 * thin, 1.1 * thin, 0.01))
        lumps.append(bone(palm, palm + ahead * 0.03, 0.9 * thin, 0.6 * thin, 0.008))
        lumps.append(bone(hand + ahead * 0.02, hand + ahead * 0.04 + (0, 0.0, 0.03), 0.5 * thin, 0.45 * thin, 0.008))
        if bare_legs:
            lumps += chain(
                [joints.hips[side], joints.knees[side], joints.feet[side]], np.array([2.4, 1.6, 1.2]) * thin, 0.01
            )
    return blob(lumps, color, "skin", 1500)


def _top(body: Frame, joints: Joints, color: Color, long: bool) -> Part:
    spine, thick = joints.neck - joints.pelvis, body.girth
    pitch = float(np.arctan2(spine[1], spine[2])) - np.pi / 2
    axes = tilted(pitch)
    chest, waist = joints.pelvis + 0.7 * spine, joints.pelvis + 0.28 * spine
    lumps: list[Lump] = [
        egg(chest, (body.shoulder * 0.92, 0.3 * body.torso, 0.062 * thick), axes, 0.04),
        egg(
            waist,
            (body.shoulder * (0.62 if body.woman else 0.74) * thick**0.7, 0.24 * body.torso, 0.058 * thick),
            axes,
            0.05,
        ),
        egg(joints.pelvis + 0.1 * spine, (body.hip * 1.75 * thick**0.6, 0.12 * body.torso, 0.06 * thick), axes, 0.04),
        bone(joints.shoulders[0], joints.shoulders[1], 0.036 * thick**0.7, blend=0.04),
        bone(joints.neck - 0.1 * spine, joints.neck + 0.03 * spine, 0.05 * thick, 0.037 * thick, 0.03),
    ]
    if body.woman:
        for side in (1, -1):
            lumps.append(
                egg(chest + (side * 0.4 * body.shoulder, -0.03, 0.045 * thick), 0.036 * thick**0.6, blend=0.03)
            )
    for shoulder, elbow, hand in zip(joints.shoulders, joints.elbows, joints.hands, strict=True):
        path = (
            [shoulder, elbow, elbow + 0.88 * (hand - elbow)]
            if long
            else [shoulder, shoulder + 0.65 * (elbow - shoulder)]
        )
        radii = [0.037, 0.031, 0.026] if long else [0.038, 0.036]
        lumps += chain(path, np.array(radii) * thick, 0.015)
    return blob(lumps, color, "top", 1400)


def _trousers(body: Frame, joints: Joints, color: Color, short: bool) -> Part:
    thick = body.girth
    lumps: list[Lump] = [
        egg(joints.pelvis, (body.hip * 1.85 * thick**0.6, 0.26 * body.torso, 0.07 * thick), blend=0.03)
    ]
    for hip, knee, foot in zip(joints.hips, joints.knees, joints.feet, strict=True):
        path, radii = [hip, knee, foot], [0.062, 0.045, 0.036]
        if short:
            path, radii = [hip, hip + 0.8 * (knee - hip)], [0.062, 0.055]
        lumps += chain(path, np.array(radii) * thick**0.8, 0.015)
        if short:
            lumps += chain([knee, foot], np.array([0.034, 0.027]) * thick**0.8, 0.01)
            lumps.append(bone(hip + 0.8 * (knee - hip), knee, 0.04 * thick**0.8, 0.034 * thick**0.8, 0.005))
    return blob(lumps, color, "bottom", 1100)


def _skirt(rng: np.random.Generator, body: Frame, joints: Joints, color: Color) -> Part:
    top = joints.pelvis + 0.3 * (joints.neck - joints.pelvis)
    low = joints.pelvis[1] * rng.uniform(0.08, 0.65)
    wide, thick = rng.uniform(0.09, 0.26), body.girth**0.6
    heights = np.linspace(low, top[1], 6)
    radii = np.interp(heights, [low, joints.pelvis[1], top[1]], [max(wide, 0.12), 0.108 * thick, 0.07 * thick])
    cone = solids.lathe(Paint(color, "bottom"), np.stack([radii, heights - heights[0]], 1), (0, low, 0), 18)
    return Part(cone.vertices * (1, 1, 0.8) + (top * (1, 0, 1) * 0.5), cone.faces, cone.color, cone.material)


def _shoes(body: Frame, joints: Joints, color: Color) -> list[Part]:
    size = 0.034 * body.girth**0.6 * (1 + max(body.head - 0.1, 0) * 4)
    shoes = []
    for foot, toe in zip(joints.feet, joints.toes, strict=True):
        ball = foot + toe * 2.6 * size - (0, 0.25 * size, 0)
        shoes.append(
            blob(
                [bone(foot - toe * 0.5 * size, ball, size, 0.8 * size), bone(foot, foot + (0, size, 0), size)],
                color,
                "shoes",
                260,
            )
        )
    return shoes


def _face(body: Frame, joints: Joints) -> list[Part]:
    r, big = body.head, 0.11 if body.head < 0.12 else 0.17
    pieces = []
    for side in (1, -1):
        pieces.append(pebble(joints.head + r * np.array([side * 0.33, 0.06, 0.82]), r * big, BLACK, "eye"))
    mouth = joints.head + r * np.array([0, -0.52, 0.74])
    return [*pieces, pebble(mouth, r * np.array([0.24, 0.06, 0.1]), (170, 80, 80), "mouth")]


def _hair(rng: np.random.Generator, body: Frame, joints: Joints, color: Color) -> list[Part]:
    r, head = body.head, joints.head
    style = rng.choice(["bald", "short", "short", "bob", "long", "bun", "tail", "spiky", "hat", "cap", "afro"])
    if style == "bald":
        return []
    if style in ("hat", "cap"):
        paint = Paint(any_color(rng), "hat")
        brim = 1.7 if style == "hat" else 1.05
        profile = np.array(
            [
                [brim * r, 0],
                [brim * r, 0.1 * r],
                [0.97 * r, 0.16 * r],
                [0.95 * r, 0.6 * r],
                [0.6 * r, 0.95 * r],
                [0.02 * r, 1.0 * r],
            ]
        )
        hat = [solids.lathe(paint, profile, head + (0, 0.35 * r, -0.05 * r), 16)]
        if style == "cap":
            hat.append(
                slab(
                    head + r * np.array([(0, 0.42, 0.7), (0, 0.42, 1.2), (0, 0.36, 1.7)]),
                    r * np.array([1.5, 1.4, 0.9]),
                    0.12 * r,
                    paint.color,
                    "hat",
                    face=(0, 1, 0),
                )
            )
        return hat
    scale = 1.35 if style == "afro" else 1.0
    lumps: list[Lump] = [
        egg(head + (0, 0.22 * r, -0.12 * r), scale * r * np.array([0.9, 1.0, 1.0]), blend=0.1 * r),
        egg(head + (0, -0.35 * r, 0.95 * r), (0.8 * r, 0.85 * r, 0.75 * r), blend=0.05 * r, carve=True),
    ]
    if style in ("bob", "long"):
        low = 0.9 if style == "bob" else rng.uniform(1.6, 2.6)
        lumps.insert(1, bone(head + (0, 0, -0.3 * r), head + (0, -low * r, -0.55 * r), 0.85 * r, 0.6 * r, 0.2 * r))
    if style == "bun":
        lumps.append(egg(head + r * np.array([0, 0.9, -0.7]), 0.42 * r))
    if style == "tail":
        lumps += chain(
            head + r * np.array([(0, 0.4, -0.9), (0, 0.3, -1.4), (0, -0.9, -1.3)]),
            np.array([0.25, 0.32, 0.12]) * r,
            0.1 * r,
        )
    if style == "spiky":
        for _ in range(9):
            way = unit(rng.normal(size=3) + (0, 1.2, -0.4))
            lumps.append(bone(head + way * r * 0.8, head + way * r * 1.5, 0.3 * r, 0.08 * r, 0.1 * r))
    return [blob(lumps, color, "hair", 700)]
