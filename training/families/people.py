"""People: a skeleton in a pose, a body over it, clothes, hair and shoes. Unit: about the height of a grown person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.families import parts as solids
from training.families.blobs import Lump, blob, bone, chain, egg, tilted
from training.families.colors import Color, any_color, pick
from training.families.parts import Paint
from training.families.slabs import curve, pebble, slab, tube, unit
from training.shapes import Part

Point = NDArray[np.float64]
SKIN: tuple[Color, ...] = ((240, 205, 175), (224, 172, 130), (190, 135, 95), (140, 90, 60), (90, 60, 45))
HAIR: tuple[Color, ...] = ((35, 28, 24), (80, 52, 32), (140, 90, 45), (215, 180, 110), (165, 70, 35), (170, 168, 165))
BLACK, WHITE = (25, 25, 27), (240, 240, 238)


@dataclass(frozen=True)
class Frame:
    """Lengths and girths of a body, in its own height (1)."""

    head: float  # radius
    leg: float  # hip to sole
    torso: float  # hip to the neck's root
    shoulder: float  # half width
    hip: float  # half width
    arm: float  # shoulder to wrist
    girth: float  # 1 = slim adult
    woman: bool


@dataclass(frozen=True)
class Joints:
    """Where the joints are; lists run left, right (+X is the person's left)."""

    pelvis: Point
    neck: Point
    head: Point
    shoulders: list[Point]
    elbows: list[Point]
    hands: list[Point]
    hips: list[Point]
    knees: list[Point]
    feet: list[Point]  # ankles
    toes: list[Point]  # unit directions of the feet


def frame(rng: np.random.Generator) -> Frame:
    """A grown person, a child or a cartoon."""
    woman = bool(rng.random() < 0.5)
    style = rng.random()
    girth = float(np.exp(rng.normal(0.05, 0.13)))
    if style < 0.5:
        return Frame(0.065, 0.5, 0.31, 0.105 if woman else 0.125, 0.055, 0.33, girth, woman)
    if style < 0.75:
        return Frame(0.1, 0.42, 0.3, 0.11, 0.055, 0.29, girth * 1.15, woman)
    return Frame(rng.uniform(0.14, 0.19), 0.3, 0.25, 0.12, 0.06, 0.22, girth * 1.4, woman)


def posed(rng: np.random.Generator, body: Frame, name: str) -> Joints:
    """Joints of a pose: stand, apose, tpose, walk, run, sit, kneel, wave, hips, cheer, carry."""
    lean = rng.normal(0, 0.04) + {"run": 0.22, "walk": 0.05}.get(name, 0.0)
    legs, pelvis_y = _legs(rng, body, name)
    pelvis = np.array([0, pelvis_y, 0])
    up = unit(np.array([rng.normal(0, 0.03), np.cos(lean), np.sin(lean)]))
    neck = pelvis + up * body.torso
    head = neck + up * body.head * 1.35 + (0, 0, 0.15 * body.head)
    turn = rng.normal(0, 0.12)
    across = np.array([np.cos(turn), 0, np.sin(turn)])
    shoulders = [neck - up * 0.035 + side * across * body.shoulder for side in (1, -1)]
    hips = [pelvis + np.array([side * body.hip, 0, 0]) for side in (1, -1)]
    elbows: list[Point] = []
    hands: list[Point] = []
    for side, (upper, lower) in zip((1, -1), _arms(rng, name), strict=True):
        flip = np.array([side, 1, 1])
        half = body.arm / 2
        elbow = shoulders[len(elbows)] + unit(np.array(upper)) * flip * half
        elbows.append(elbow)
        hands.append(elbow + unit(np.array(lower)) * flip * half)
    knees = [hip + leg[0] for hip, leg in zip(hips, legs, strict=True)]
    feet = [knee + leg[1] for knee, leg in zip(knees, legs, strict=True)]
    toes = [unit(np.array([side * 0.15, leg[2], 1])) for side, leg in zip((1, -1), legs, strict=True)]
    return Joints(pelvis, neck, head, shoulders, elbows, hands, hips, knees, feet, toes)


def _legs(rng: np.random.Generator, body: Frame, name: str) -> tuple[list[tuple[Point, Point, float]], float]:
    """Thigh and shin of both legs as vectors, the toes' rise, and the pelvis's height."""
    half, sole = (body.leg - 0.03) / 2, 0.03
    spread = rng.uniform(0.02, 0.2)
    swing = {"walk": rng.uniform(0.3, 0.5), "run": rng.uniform(0.7, 1.0)}.get(name, 0.0) * rng.choice([-1, 1])

    def limb(forward: float, bend: float, out: float) -> tuple[Point, Point, float]:
        thigh = np.array([out, -np.cos(forward), np.sin(forward)])
        back = forward - bend
        shin = np.array([out, -np.cos(back), np.sin(back)])
        return unit(thigh) * half, unit(shin) * half, -0.8 * np.sin(min(back, 0) * 0.8)

    if name == "sit":
        drop = rng.uniform(-0.05, 0.15)
        pair = [limb(1.5 - drop, 1.5 + rng.uniform(-0.2, 0.2), 0.1) for _ in range(2)]
    elif name == "kneel":
        pair = [limb(1.45, 1.5, 0.1), limb(0.1, 1.6, 0.05)]
    else:
        pair = [
            limb(s * swing + 0.05, 0.1 + (0.5 if s * swing < 0 else 0.15) * abs(swing) * 1.6, spread * 0.5)
            for s in (1, -1)
        ]
    for i, side in enumerate((1, -1)):
        flip = np.array([side, 1, 1])
        pair[i] = (pair[i][0] * flip, pair[i][1] * flip, pair[i][2] if name in ("walk", "run", "kneel") else 0.0)
    lowest = min(float((leg[0] + leg[1])[1]) for leg in pair)
    return [(leg[0], leg[1], -leg[2]) for leg in pair], sole - lowest


def _arms(rng: np.random.Generator, name: str) -> list[tuple[tuple[float, float, float], tuple[float, float, float]]]:
    """Directions of upper arm and forearm, outwards, up, ahead, for both sides."""
    loose = rng.uniform(0.08, 0.35)
    rest = ((loose, -1.0, -0.05), (loose * 0.6, -1.0, 0.25))
    if name == "apose":
        return [((0.7, -0.75, 0.0), (0.7, -0.75, 0.08))] * 2
    if name == "tpose":
        return [((1.0, 0.0, 0.0), (1.0, 0.0, 0.05))] * 2
    if name in ("walk", "run"):
        bend = 0.3 if name == "walk" else 1.2
        return [((0.2, -1.0, s * 0.5), (0.05, -1.0 + bend * 0.7, s * 0.5 + bend)) for s in (rng.choice([-1, 1]),)] + [
            ((0.2, -1.0, 0.3), (0.0, -1.0 + bend * 0.7, 0.3 + bend))
        ]
    if name == "wave":
        return [((0.9, 0.4, 0.1), (0.3, 1.0, 0.1)), rest]
    if name == "hips":
        return [((0.8, -0.8, -0.2), (-0.75, -0.5, 0.35))] * 2
    if name == "cheer":
        return [((0.7, 0.9, 0.0), (0.3, 1.0, 0.0))] * 2
    if name == "carry":
        return [((0.25, -1.0, 0.1), (-0.2, 0.1, 1.0))] * 2
    if name == "sit":
        return [((0.2, -1.0, 0.3), (-0.05, -0.35, 1.0))] * 2
    return [rest, rest] if rng.random() < 0.7 else [rest, ((0.5, -0.8, 0.3), (-0.4, 0.5, 0.8))]


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
    dress = body.woman and rng.random() < 0.45 and name not in ("sit", "kneel", "run")
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
    pieces += _extras(rng, body, joints, name)
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


def _extras(rng: np.random.Generator, body: Frame, joints: Joints, name: str) -> list[Part]:
    """What goes with the pose, or what some people wear: a stool, a box carried, a backpack, a cape, a belt."""
    if name == "sit":
        seat, depth = joints.pelvis[1] - 0.06 * body.girth, 0.24
        paint = Paint(any_color(rng), "seat")
        if rng.random() < 0.5:
            return [solids.block(paint, (-0.14, 0, -depth / 2), (0.14, seat, depth / 2))]
        return [
            solids.lathe(
                paint,
                [(0.13, 0.0), (0.13, 0.02), (0.03, 0.04), (0.03, seat - 0.03), (0.13, seat - 0.025), (0.13, seat)],
                (0, 0, 0),
            )
        ]
    if name == "carry":
        middle = (joints.hands[0] + joints.hands[1]) / 2 + (0, 0, 0.02)
        return [solids.box(Paint((176, 130, 84), "box"), np.array([0.2, 0.14, 0.14]), middle + (0, 0.03, 0.04))]
    draw, back = rng.random(), (joints.pelvis + joints.neck) / 2 - (0, 0, 0.06 * body.girth)
    if draw < 0.1:
        return [
            blob(
                [egg(back - (0, 0, 0.05), (0.1, 0.15, 0.07)), egg(back - (0, 0.08, 0.1), (0.07, 0.06, 0.04))],
                any_color(rng),
                "bag",
                400,
            )
        ]
    if draw < 0.2:
        shoulder, floor = joints.neck - (0, 0.03, 0.06), joints.pelvis[1] * rng.uniform(0.1, 0.6)
        way = curve([shoulder, back - (0, 0.05, 0.06), (0, floor, back[2] - rng.uniform(0.08, 0.2))], 7)
        return [slab(way, np.linspace(0.2, 0.4, 7), 0.03, any_color(rng), "cape", face=(0, 0, -1), cup=-0.3)]
    if draw < 0.3:
        hand = joints.hands[1]
        return [tube([hand * (1, 0, 1), hand * (1, 1, 1) + (0, 0.35, 0)], [0.016, 0.016], (120, 80, 50), "staff")]
    return []
