"""The skeleton of people: its lengths, and its joints in a pose. Unit: about the height of a grown person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.families.slabs import unit

Point = NDArray[np.float64]


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
    """Joints of a pose: stand, apose, tpose, walk, run, sit, floor, kneel, wave, hips, cheer, carry.

    "floor" sits on the ground with the legs ahead.
    """
    lean = rng.normal(0, 0.04) + {"run": 0.22, "walk": 0.05, "floor": rng.uniform(-0.35, 0.15)}.get(name, 0.0)
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
    elif name == "floor":
        raised, crossed = rng.uniform(0.0, 0.9, 2), rng.random() < 0.3
        pair = [limb(1.55 + up, 0.1 + 2 * up, 0.6 if crossed else rng.uniform(0.05, 0.4)) for up in raised]
        if crossed:
            pair = [(leg[0], leg[1] * (-1, 1, 0.2), leg[2]) for leg in pair]
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
    height = max(sole - lowest, 0.09) if name == "floor" else sole - lowest
    return [(leg[0], leg[1], -leg[2]) for leg in pair], height


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
    if name == "floor":
        behind = [((0.3, -1.0, -0.6), (0.1, -1.0, -0.2))] * 2
        return behind if rng.random() < 0.5 else [((0.2, -1.0, 0.5), (-0.05, -0.35, 1.0))] * 2
    if name == "sit":
        return [((0.2, -1.0, 0.3), (-0.05, -0.35, 1.0))] * 2
    return [rest, rest] if rng.random() < 0.7 else [rest, ((0.5, -0.8, 0.3), (-0.4, 0.5, 0.8))]
