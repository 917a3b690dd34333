"""Four-legged animals: one skeleton, many builds and poses. Unit: the standing shoulder height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.families.animals.heads import Head, head_parts
from training.families.blobs import Bone, Color, Lump, bone, chain, egg, field_of, patch, surface, tilted
from training.families.colors import tinted
from training.families.slabs import curve, pebble, slab, tube, unit
from training.shapes import Part

Point = NDArray[np.float64]
DARK = (38, 32, 30)


@dataclass(frozen=True)
class Build:
    """Proportions of a kind of animal; angles in degrees, lengths in shoulder heights."""

    head: Head
    length: float = 1.05  # from hip to chest
    chest: float = 0.24  # vertical radii of the trunk
    belly: float = 0.22
    rump: float = 0.22
    slim: float = 0.8  # width over height of the trunk
    leg: float = 0.085  # radius at the elbow
    shank: float = 0.045  # radius above the foot
    foot: str = "paw"  # paw, hoof, flat, column
    neck: float = 0.35
    neck_up: float = 50.0
    neck_r: float = 0.13
    tail: str = "whip"
    poses: Sequence[str] = ("stand", "stand", "walk", "walk", "run")
    mane: str = ""
    coats: Sequence[tuple[Color, Color]] = (((150, 105, 65), (215, 190, 155)),)
    marks: Sequence[str] = ("", "", "belly", "spots", "socks")
    humps: Sequence[float] = ()  # where along the back


@dataclass(frozen=True)
class Pose:
    """Where the joints are: hip and chest, four legs of 5 points (front left, front right, hind left, hind right)."""

    name: str
    hip: Point
    chest: Point
    legs: list[Point]
    neck_up: float


FRONT = np.array([(0, 1.0), (-0.05, 0.62), (0.0, 0.34), (-0.01, 0.1), (0.05, 0.03)])  # (z, height) in leg lengths
HIND = np.array([(0, 1.0), (0.1, 0.64), (-0.13, 0.36), (-0.07, 0.1), (0.0, 0.03)])
HIND_FLAT = np.array([(0, 1.0), (0.08, 0.55), (-0.04, 0.14), (0.04, 0.06), (0.14, 0.05)])
COLUMN = np.array([(0, 1.0), (0.0, 0.6), (0.02, 0.35), (0.0, 0.12), (0.02, 0.06)])


def quadruped(rng: np.random.Generator, build: Build) -> list[Part]:
    """One animal of a build, in a random pose and coat."""
    build = _varied(rng, build)
    pose = posed(rng, build, str(rng.choice(build.poses)))
    coat, pale = build.coats[int(rng.integers(len(build.coats)))]
    coat, pale = tinted(rng, coat), tinted(rng, pale)
    neck_end, lumps = _body(build, pose)
    field = field_of(lumps, 2300)
    parts = [surface(field, coat, "coat")]
    parts += _marks(rng, field, build, pose, pale)
    turn = rng.normal(0, 0.25) if pose.name != "run" else 0.0
    parts += head_parts(rng, build.head, neck_end, turn, coat, pale)
    parts += _tail(rng, build, pose, coat, pale)
    parts += _mane(rng, build, pose, neck_end, pale if rng.random() < 0.5 or build.mane == "wool" else DARK)
    if build.foot == "hoof":
        parts += [_hoof(leg, build.shank, DARK) for leg in pose.legs]
    return parts


def posed(rng: np.random.Generator, build: Build, name: str) -> Pose:
    """Joints of a pose."""
    trunk = max(build.chest, build.rump)
    hip = np.array([0, 1 - build.rump * 0.95, -build.length / 2])
    chest = np.array([0, 1 - build.chest, build.length / 2])
    neck_up = build.neck_up + rng.normal(0, 8)
    if name == "sit":
        hip = np.array([0, build.rump * 0.95, 0])
        rise = min(chest[1] - hip[1], 0.92 * build.length)
        hip[2] = -np.sqrt(build.length**2 - rise**2) * 0.9
        chest = np.array([0, hip[1] + rise, 0.1])
        return Pose(name, hip, chest, _sitting_legs(build, hip, chest), max(neck_up, 55))
    if name == "lie":
        hip, chest = np.array([0, build.rump, hip[2]]), np.array([0, build.chest * 1.05, chest[2]])
        return Pose(name, hip, chest, _lying_legs(build, hip, chest), max(neck_up, 35))
    if name == "graze":
        neck_up = rng.uniform(-55, -35)
    stride = {"walk": rng.uniform(0.1, 0.3), "run": rng.uniform(0.4, 0.65)}.get(name, rng.uniform(0, 0.06))
    swing = stride * np.array([1, -1, -1, 1]) if name != "run" else stride * np.array([1, 0.8, -1, -0.75])
    lift = np.array([0.12, 0, 0, 0.08]) * (name == "walk") * rng.random() + 0.25 * (name == "run")
    legs = []
    for i in range(4):
        front, side = i < 2, 1 if i % 2 == 0 else -1
        top = chest if front else hip
        legs.append(_leg(build, top, front, side, swing[i], lift[i], trunk))
    return Pose(name, hip, chest, legs, neck_up)


def _leg(build: Build, top: Point, front: bool, side: int, swing: float, lift: float, trunk: float) -> Point:
    """Five joints of a leg that reaches the ground under ``top``, sheared forward by ``swing`` leg lengths."""
    outline = {"flat": HIND_FLAT, "column": COLUMN}.get(build.foot, HIND)
    plan = (COLUMN if build.foot == "column" else FRONT) if front else outline
    height = top[1] * plan[:, 1]
    down = 1 - plan[:, 1]
    z = top[2] + plan[:, 0] * top[1] + swing * down * top[1]
    height = height + lift * top[1] * down**2
    out = build.slim * trunk * 0.62
    x = side * out * np.array([0.85, 1, 1, 0.95, 0.95])
    joints = np.stack([x, height, z], 1)
    if lift > 0.03:
        joints[3:, 2] -= lift * top[1] * 0.8
    return joints


def _sitting_legs(build: Build, hip: Point, chest: Point) -> list[Point]:
    out = build.slim * build.chest * 0.62
    foot = build.shank
    legs = []
    for side in (1, -1):
        y = chest[1] * FRONT[:, 1]
        legs.append(np.stack([np.full(5, side * out), np.maximum(y, foot), chest[2] + FRONT[:, 0] * chest[1]], 1))
    for side in (1, -1):
        wide = side * build.slim * build.rump
        legs.append(
            hip
            + np.array(
                [
                    (wide * 0.8, 0, 0),
                    (wide * 1.15, 0.04, 0.3),
                    (wide * 1.2, -hip[1] + foot * 1.6, 0.06),
                    (wide * 1.25, -hip[1] + foot, 0.26),
                    (wide * 1.3, -hip[1] + foot, 0.36),
                ]
            )
        )
    return legs


def _lying_legs(build: Build, hip: Point, chest: Point) -> list[Point]:
    foot, legs = build.shank, []
    for side in (1, -1):
        out = side * build.slim * build.chest * 0.75
        legs.append(
            np.array(
                [
                    (out, chest[1], chest[2]),
                    (out * 1.1, foot * 1.6, chest[2] - 0.12),
                    (out * 1.1, foot * 1.1, chest[2] + 0.16),
                    (out, foot, chest[2] + 0.32),
                    (out, foot, chest[2] + 0.4),
                ]
            )
        )
    for side in (1, -1):
        out = side * build.slim * build.rump
        legs.append(
            np.array(
                [
                    (out * 0.7, hip[1], hip[2]),
                    (out * 1.3, hip[1] * 0.8, hip[2] + 0.3),
                    (out * 1.4, foot * 1.3, hip[2] + 0.02),
                    (out * 1.45, foot, hip[2] + 0.2),
                    (out * 1.5, foot, hip[2] + 0.3),
                ]
            )
        )
    return legs


def _body(build: Build, pose: Pose) -> tuple[Point, list[Lump]]:
    """Where the neck ends, and the lumps of trunk, neck and legs."""
    spine = pose.chest - pose.hip
    span = float(np.linalg.norm(spine))
    pitch = float(np.arctan2(spine[1], np.hypot(spine[0], spine[2])))
    axes = tilted(pitch)
    middle = (pose.hip + pose.chest) / 2
    lumps: list[Lump] = []
    for at, radius, long in (
        (pose.chest - 0.08 * spine, build.chest, 0.34),
        (middle, build.belly, 0.42),
        (pose.hip + 0.06 * spine, build.rump, 0.3),
    ):
        lumps.append(egg(at, (build.slim * radius, radius, max(long * span, radius)), axes, 0.5 * radius))
    for along in build.humps:
        peak = pose.hip + along * spine + axes[1] * build.rump
        lumps.append(egg(peak, np.array([0.55, 0.8, 0.6]) * build.rump, axes, 0.1))
    for i, leg in enumerate(pose.legs):
        lumps += _leg_lumps(build, leg, front=i < 2, soft=pose.name in ("sit", "lie"))
    start = pose.chest + axes[1] * build.chest * 0.25 + axes[2] * build.chest * 0.3
    reach = build.neck * np.array([0, np.sin(np.radians(pose.neck_up)), np.cos(np.radians(pose.neck_up))])
    end = start + reach
    lumps += chain(
        [start - 0.12 * reach, start + 0.5 * reach, end], [build.neck_r * 1.35, build.neck_r, build.neck_r * 0.85], 0.1
    )
    return end, lumps


def _leg_lumps(build: Build, leg: Point, front: bool, soft: bool) -> list[Lump]:
    thigh = build.leg * (1.35 if front else 1.75) * (1.2 if soft and not front else 1)
    middle = build.shank * 1.1 + 0.35 * max(build.leg - build.shank, 0)
    radii = [thigh, build.leg * (1.0 if front else 1.15), middle, build.shank, build.shank * 1.1]
    if build.foot == "column":
        radii = [build.leg * 1.25, build.leg * 1.1, build.leg, build.leg, build.leg * 1.12]
    lumps = chain(leg, radii, 0.03)
    first = lumps[0]
    assert isinstance(first, Bone)
    lumps[0] = replace(first, blend=0.1)
    if build.foot in ("paw", "flat"):
        toe = leg[-1] + np.array([0, 0, 0.3 * build.shank])
        lumps.append(egg(toe, np.array([1.25, 0.85, 1.7]) * build.shank, blend=0.02))
    return lumps


def _hoof(leg: Point, shank: float, color: Color) -> Part:
    low = leg[-1] * np.array([1, 0, 1])
    top = low + (leg[-1] - low) + np.array([0, shank * 0.9, -shank * 0.3])
    bottom = leg[-1] + np.array([0, -min(leg[-1][1], 0.06), shank * 0.3])
    return tube([top, (top + bottom) / 2, bottom], np.array([1.05, 1.3, 1.45]) * shank, color, "hoof")


def _marks(rng: np.random.Generator, field: object, build: Build, pose: Pose, pale: Color) -> list[Part]:
    """Patches of another colour."""
    kind = str(rng.choice(build.marks))
    spots: list[Lump] = []
    if kind == "belly":
        axes = tilted(float(np.arctan2(*(pose.chest - pose.hip)[1:])))
        centre = (pose.chest + pose.hip) / 2 - axes[1] * build.belly
        spots = [egg(centre, (build.belly * 0.6, build.belly * 0.55, 0.55 * build.length), axes)]
    if kind == "spots":
        tall = build.neck > 0.9
        small = 0.65 if tall else 1.0
        for _ in range(14 if tall else rng.integers(3, 7)):
            at = pose.hip + rng.uniform(0, 1) * (pose.chest - pose.hip)
            at = at + np.array([rng.choice([-1, 1]) * 1.2 * build.slim * build.belly, rng.uniform(-0.1, 0.12), 0])
            spots.append(egg(at, (0.5 * build.slim * build.belly, *(small * rng.uniform(0.08, 0.2, 2)))))
    if kind == "stripes":
        axes = tilted(float(np.arctan2(*(pose.chest - pose.hip)[1:])))
        for along in np.linspace(-0.12, 1.05, 7) + rng.normal(0, 0.02, 7):
            at = pose.hip + along * (pose.chest - pose.hip) + axes[1] * rng.uniform(0.0, 0.12)
            spots.append(egg(at, (0.4, 0.3, 0.035), axes))
    if kind == "socks":
        spots = [bone(leg[-2], leg[-1] - (0, 0.1, 0), build.shank * 2.2) for leg in pose.legs if rng.random() < 0.8]
    found = [patch(field, spot, pale, "marking") for spot in spots]  # type: ignore[arg-type]
    return [part for part in found if part is not None]


def _tail(rng: np.random.Generator, build: Build, pose: Pose, coat: Color, pale: Color) -> list[Part]:
    spine = (pose.chest - pose.hip) / np.linalg.norm(pose.chest - pose.hip)
    back = np.array([0, -spine[1], -spine[2]])
    root = pose.hip + back * 0.5 * build.rump + np.array([0, 0.55 * build.rump, 0])
    if pose.name == "sit":
        root = np.array([0, build.rump * 0.5, pose.hip[2] - build.rump * 0.6])
    bend, low = rng.normal(0, 0.12), 0.06 - root[1]

    def path(*steps: tuple[float, float]) -> Point:
        return curve([root + (bend * i / 2, max(dy, low), -dz) for i, (dz, dy) in enumerate(steps)], 9)

    if build.tail == "whip":
        up = rng.random() < 0.5 and pose.name != "lie"
        way = (
            path((0, 0), (0.2, 0.1), (0.35, 0.3), (0.3, 0.55))
            if up
            else path((0, 0), (0.2, -0.08), (0.32, -0.3), (0.5, -0.42))
        )
        return [tube(way, np.linspace(0.045, 0.028, 9), coat, "coat")]
    if build.tail == "bushy":
        way = path((-0.05, 0), (0.2, 0.02), (0.42, -0.12), (0.68, -0.16))
        thick = np.array([0.04, 0.06, 0.085, 0.105, 0.115, 0.11, 0.09, 0.06, 0.015])
        return [tube(way, thick, coat, "coat"), tube(way[6:], thick[6:] * 1.08, pale, "marking")]
    if build.tail == "horse":
        way = path((-0.05, 0.02), (0.12, -0.02), (0.2, -0.28), (0.2, -0.62))
        return [tube(way, np.array([0.03, 0.045, 0.06, 0.07, 0.075, 0.075, 0.065, 0.05, 0.02]), pale, "hair")]
    if build.tail == "taper":
        way = path((-0.1, -0.05), (0.35, -0.12), (0.8, -0.45), (1.3, -0.55))
        return [tube(way, build.rump * np.array([0.8, 0.62, 0.5, 0.4, 0.32, 0.25, 0.19, 0.14, 0.08]), coat, "coat")]
    if build.tail == "tuft":
        way = path((-0.05, 0), (0.1, -0.05), (0.16, -0.3), (0.15, -0.58))
        return [tube(way, np.full(9, 0.022), coat, "coat"), pebble(way[-1], (0.045, 0.1, 0.045), DARK, "hair")]
    if build.tail == "curl":
        t = np.linspace(0, 1.4 * 2 * np.pi, 12)
        spiral = root + np.stack([0.05 * np.sin(t), 0.05 * (1 - np.cos(t)), -0.014 * t], 1)
        return [tube(spiral, np.linspace(0.022, 0.014, 12), coat, "coat")]
    return [pebble(root + (0, 0, -0.05), rng.uniform(0.06, 0.09), coat, "coat")]


def _mane(rng: np.random.Generator, build: Build, pose: Pose, neck_end: Point, color: Color) -> list[Part]:
    if build.mane == "crest":
        start = pose.chest + (0, build.chest * 0.9, 0)
        up = np.array([0, np.sin(np.radians(pose.neck_up)), np.cos(np.radians(pose.neck_up))])
        behind = np.array([0, up[2], -up[1]])
        way = curve(
            [start, (start + neck_end) / 2 + behind * build.neck_r * 0.9, neck_end + behind * build.neck_r * 1.1], 8
        )
        way = np.concatenate([way, [neck_end + behind * build.neck_r * 0.4 + up * 0.16]])
        return [
            slab(
                way,
                build.neck_r * np.array([0.8, 1.2, 1.4, 1.4, 1.4, 1.4, 1.4, 1.2, 0.5]),
                0.05,
                color,
                "hair",
                face=(1, 0, 0),
            )
        ]
    if build.mane == "wool":
        middle = (pose.hip + pose.chest) / 2
        axes = tilted(float(np.arctan2(*(pose.chest - pose.hip)[1:])))
        lumps: list[Lump] = [
            egg(middle, (build.slim * build.belly * 1.15, build.belly * 1.12, 0.55 * build.length + 0.2), axes)
        ]
        for _ in range(46):
            way = unit(rng.normal(size=3) + (0, 0.5, 0))
            at = (
                pose.hip
                + rng.uniform(-0.05, 1.05) * (pose.chest - pose.hip)
                + way * np.array([build.slim, 1, 1]) * build.belly * 1.0
            )
            lumps.append(egg(at, rng.uniform(0.09, 0.14), blend=0.04))
        return [surface(field_of(lumps, 5000), color, "wool")]
    if build.mane == "lion":
        centre = neck_end + (0, 0.0, -0.04)
        lumps = [egg(centre, (0.27, 0.31, 0.16), blend=0.05), egg(centre - (0, 0.2, 0.05), (0.2, 0.26, 0.2), blend=0.1)]
        return [surface(field_of(lumps, 700), color, "hair")]
    return []


def _varied(rng: np.random.Generator, build: Build) -> Build:
    """The build with every proportion a little different; sometimes a toy's or a cartoon's big head and short legs."""
    fields = ("length", "chest", "belly", "rump", "slim", "leg", "shank", "neck", "neck_r")
    changed = {name: getattr(build, name) * float(np.exp(rng.normal(0, 0.07))) for name in fields}
    stout, big = (rng.uniform(1.15, 1.5), rng.uniform(1.3, 1.8)) if rng.random() < 0.25 else (1.0, 1.0)
    for name in ("chest", "belly", "rump", "leg", "shank"):
        changed[name] = min(changed[name] * stout, max(0.44, getattr(build, name)))
    head = replace(build.head, size=build.head.size * big * float(np.exp(rng.normal(0, 0.07))))
    if big > 1:
        head = replace(head, eye=head.eye * 1.4)
        changed["length"] *= 0.85
    return replace(build, head=head, **changed)
