"""Birds standing, sitting, swimming and flying: from sparrow, owl and penguin to duck, rooster, flamingo and eagle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.families.blobs import Lump, blob, bone, chain, egg, tilted
from training.families.colors import Color, any_color, pick, tinted
from training.families.slabs import curve, pebble, slab, tube
from training.shapes import Part

Point = NDArray[np.float64]
BLACK, WHITE, YELLOW, ORANGE, RED = (24, 24, 26), (238, 238, 234), (232, 180, 50), (225, 120, 40), (200, 40, 35)
BROWN, GREY, CREAM, BLUE, GREEN, PINK = (
    (125, 85, 55),
    (130, 132, 138),
    (230, 215, 185),
    (60, 100, 170),
    (70, 140, 60),
    (235, 140, 140),
)


@dataclass(frozen=True)
class Build:
    """Proportions of a bird; the trunk is an egg about 1 long. Angles in degrees."""

    fat: float = 0.3  # the trunk's radius
    pitch: float = 25.0  # breast up
    neck: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.12, 0.2))  # (ahead, up) from the breast to the head's centre
    neck_r: float = 0.14
    head: float = 0.2
    beak: float = 0.2
    beak_r: float = 0.07
    hook: float = 0.0  # how far the beak's tip bends down
    legs: float = 0.35  # 0: sits on the ground or water
    tail: float = 0.5
    tail_up: float = 0.0  # degrees above the trunk's own line
    fan: float = 0.25
    extras: Sequence[str] = ()
    colors: Sequence[tuple[Color, Color, Color]] = ((BROWN, CREAM, YELLOW),)  # plumage, breast, beak and feet


KINDS: dict[str, Build] = {
    "songbird": Build(colors=((BROWN, CREAM, GREY), (BLUE, WHITE, BLACK), (RED, CREAM, ORANGE), (YELLOW, WHITE,
        BLACK), (BLACK, BLACK, YELLOW))),
    "pigeon": Build(0.29, 22, ((0, 0), (0.12, 0.3)), 0.13, 0.15, 0.13, 0.05, 0.02, 0.25, 0.5, -5, 0.28, (), ((GREY,
        GREY, PINK), (WHITE, WHITE, PINK))),
    "crow": Build(0.27, 22, ((0, 0), (0.15, 0.22)), 0.14, 0.19, 0.32, 0.09, 0.05, 0.35, 0.55, -5, 0.25, (), ((BLACK,
        BLACK, GREY),)),
    "duck": Build(0.32, 10, ((0, 0), (0.1, 0.18), (0.12, 0.42)), 0.13, 0.18, 0.26, 0.1, -0.02, 0.16, 0.3, 25, 0.3,
        ("bill",), ((WHITE, WHITE, ORANGE), (BROWN, GREY, YELLOW), (YELLOW, YELLOW, ORANGE))),
    "swimmer": Build(0.34, 8, ((0, 0), (0.1, 0.2), (0.12, 0.42)), 0.13, 0.19, 0.24, 0.1, -0.02, 0, 0.32, 30, 0.3,
        ("bill",), ((WHITE, WHITE, ORANGE), (YELLOW, YELLOW, ORANGE), (BROWN, GREY, YELLOW))),
    "swan": Build(0.33, 8, ((0, -0.05), (0.2, 0.2), (0.05, 0.55), (0.15, 0.9)), 0.085, 0.13, 0.22, 0.06, 0.03, 0,
        0.4, 15, 0.3, ("bill",), ((WHITE, WHITE, ORANGE), (BLACK, BLACK, RED))),
    "goose": Build(0.33, 15, ((0, 0), (0.1, 0.3), (0.1, 0.65)), 0.1, 0.14, 0.2, 0.08, 0.0, 0.3, 0.3, 10, 0.28,
        ("bill",), ((WHITE, WHITE, ORANGE), (GREY, WHITE, ORANGE))),
    "hen": Build(0.38, 12, ((0, 0), (0.08, 0.25), (0.12, 0.45)), 0.16, 0.15, 0.14, 0.06, 0.03, 0.3, 0.4, 45, 0.3,
        ("comb",), ((WHITE, WHITE, YELLOW), (BROWN, BROWN, YELLOW), (BLACK, BLACK, YELLOW), (ORANGE, CREAM, YELLOW))),
    "rooster": Build(0.36, 18, ((0, 0), (0.06, 0.3), (0.12, 0.58)), 0.17, 0.15, 0.15, 0.06, 0.04, 0.4, 0.3, 50, 0.2,
        ("comb", "plumes"), ((BROWN, ORANGE, YELLOW), (WHITE, WHITE, YELLOW), (BLACK, ORANGE, YELLOW))),
    "chick": Build(0.42, 15, ((0, 0), (0.05, 0.3)), 0.25, 0.3, 0.13, 0.07, 0, 0.22, 0.05, 20, 0.2, (), ((YELLOW,
        YELLOW, ORANGE),)),
    "turkey": Build(0.44, 25, ((0, 0), (0.1, 0.25), (0.15, 0.5)), 0.1, 0.12, 0.14, 0.05, 0.05, 0.35, 0.3, 40, 0.3,
        ("wheel", "comb"), ((BROWN, BLACK, RED),)),
    "peacock": Build(0.28, 18, ((0, 0), (0.1, 0.3), (0.12, 0.55)), 0.09, 0.12, 0.14, 0.05, 0.02, 0.4, 0.3, 0, 0.2,
        ("wheel",), ((BLUE, BLUE, GREY),)),
    "owl": Build(0.36, 72, ((0, 0), (0.07, 0.27)), 0.3, 0.31, 0.12, 0.07, 0.07, 0.12, 0.25, -10, 0.22, ("disc",),
        ((BROWN, CREAM, YELLOW), (WHITE, WHITE, GREY), (GREY, WHITE, ORANGE))),
    "penguin": Build(0.33, 80, ((0, 0), (0.06, 0.3)), 0.22, 0.2, 0.2, 0.05, 0.03, 0.08, 0.15, -10, 0.2,
        ("flippers",), ((BLACK, WHITE, ORANGE), (BLUE, WHITE, YELLOW))),
    "parrot": Build(0.25, 58, ((0, 0), (0.05, 0.18)), 0.19, 0.21, 0.16, 0.1, 0.14, 0.14, 0.9, -12, 0.18, (), ((RED,
        YELLOW, GREY), (GREEN, RED, CREAM), (BLUE, YELLOW, BLACK), (WHITE, WHITE, GREY))),
    "toucan": Build(0.26, 50, ((0, 0), (0.06, 0.18)), 0.18, 0.19, 0.55, 0.13, 0.12, 0.16, 0.5, -8, 0.18, (),
        ((BLACK, WHITE, ORANGE),)),
    "eagle": Build(0.28, 55, ((0, 0), (0.06, 0.22)), 0.16, 0.17, 0.2, 0.08, 0.11, 0.25, 0.5, -8, 0.25, (), ((BROWN,
        BROWN, YELLOW), (BROWN, WHITE, YELLOW))),
    "flamingo": Build(0.25, 12, ((0, 0), (0.25, 0.2), (0.02, 0.55), (0.2, 0.85)), 0.06, 0.1, 0.22, 0.065, 0.12, 1.2,
        0.25, -15, 0.2, (), ((PINK, PINK, BLACK),)),
    "stork": Build(0.24, 15, ((0, 0), (0.2, 0.15), (0.12, 0.45), (0.22, 0.65)), 0.07, 0.11, 0.5, 0.05, 0, 1.0, 0.3,
        -15, 0.2, (), ((WHITE, WHITE, RED), (GREY, GREY, BLACK))),
    "ostrich": Build(0.36, 8, ((0, 0), (0.15, 0.3), (0.12, 0.95)), 0.075, 0.12, 0.16, 0.06, 0, 0.95, 0.25, 10, 0.3,
        ("thick",), ((BLACK, BLACK, PINK), (BROWN, BROWN, GREY))),
}  # fmt: skip
FLYERS = ("songbird", "pigeon", "crow", "eagle", "parrot")


@dataclass(frozen=True)
class Place:
    """Where a bird's trunk is: middle, axes as rows (left, up, ahead); its head; the height of its feet."""

    trunk: Point
    axes: Point
    head: Point
    feet: float


def make(rng: np.random.Generator) -> list[Part]:
    """One bird."""
    name = str(rng.choice(sorted(KINDS)))
    return bird(rng, KINDS[name], aloft=name in FLYERS and rng.random() < 0.6)


def bird(rng: np.random.Generator, build: Build, *, aloft: bool) -> list[Part]:
    """A bird of a build, with spread wings where it is ``aloft`` (and now and then where it stands)."""
    build = _varied(rng, build)
    spreads = aloft or (rng.random() < 0.12 and build.legs > 0 and "flippers" not in build.extras)
    if aloft:
        low = ((0.0, 0.0), (0.16, 0.08))
        build = replace(build, pitch=float(rng.uniform(-5, 25)), neck=low, legs=0.0, extras=())
    plumage, breast, bare = (tinted(rng, color) for color in build.colors[int(rng.integers(len(build.colors)))])
    if rng.random() < 0.15:
        plumage = any_color(rng)
    place = _placed(build)
    parts = _trunk(build, place, plumage, breast) + _head(build, place, plumage, bare)
    parts += _spread_wings(rng, build, place, plumage) if spreads else _folded_wings(rng, build, place, plumage)
    parts += _tail(rng, build, place, plumage)
    if build.legs > 0:
        parts += _legs(rng, build, place, bare)
    if "plumes" in build.extras or "wheel" in build.extras:
        parts += _show(rng, build, place, plumage)
    return parts


def _placed(build: Build) -> Place:
    axes = tilted(np.radians(build.pitch))
    trunk = np.zeros(3)
    breast = trunk + axes[2] * 0.36 + axes[1] * 0.02
    ahead, up = build.neck[-1]
    lowest = -float(np.sqrt((0.5 * axes[2, 1]) ** 2 + (build.fat * axes[1, 1]) ** 2))
    return Place(trunk, axes, breast + (0, up, ahead), lowest - build.legs)


def _trunk(build: Build, place: Place, plumage: Color, breast: Color) -> list[Part]:
    axes = place.axes
    root = place.trunk + axes[2] * 0.36
    lumps: list[Lump] = [
        egg(place.trunk, (build.fat * 0.92, build.fat, 0.5), axes, 0.1),
        egg(place.trunk + axes[2] * 0.2, (build.fat * 0.85, build.fat * 0.9, 0.3), axes, 0.1),
        bone(place.trunk, place.trunk - axes[2] * 0.52, build.fat * 0.7, build.fat * 0.25, 0.1),
    ]
    way = curve([root + (0, up, ahead) for ahead, up in build.neck], 3 * len(build.neck))
    radii = np.linspace(max(build.neck_r * 1.4, 0.5 * build.fat), build.neck_r, len(way))
    lumps += chain(way, radii, 0.08)
    lumps.append(egg(place.head, build.head * np.array([0.9, 0.92, 1.0]), blend=0.06))
    parts = [blob(lumps, plumage, "plumage", 2300)]
    if breast != plumage:
        upright = build.pitch > 65
        front = place.trunk + axes[2] * (0.0 if upright else 0.12) - axes[1] * build.fat * (0.42 if upright else 0.3)
        parts.append(blob([egg(front, (build.fat * 0.8, build.fat * 0.76, 0.42), axes)], breast, "breast", 500))
    return parts


def _head(build: Build, place: Place, plumage: Color, bare: Color) -> list[Part]:
    size, head = build.head, place.head
    base = head + (0, -0.1 * size, 0.75 * size)
    tip = head + (0, -0.15 * size - build.hook, size + build.beak)
    way = curve([base, (base + tip) / 2 + (0, build.hook * 0.5, 0), tip], 6)
    if "bill" in build.extras:
        parts = [
            slab(
                way,
                build.beak_r * np.array([1.6, 1.7, 1.8, 2.2, 2.4, 1.3]),
                build.beak_r * np.linspace(1.5, 0.5, 6),
                bare,
                "beak",
                face=(0, 1, 0),
            )
        ]
    else:
        parts = [tube(way, build.beak_r * np.array([1.1, 1.05, 0.95, 0.75, 0.5, 0.2]), bare, "beak")]
    ahead = 0.75 if "disc" in build.extras else 0.45
    for side in (1, -1):
        eye = head + size * np.array([side * np.sqrt(0.96 - ahead**2) * 0.9, 0.22, ahead])
        if "disc" in build.extras:
            parts.append(pebble(eye, size * np.array([0.42, 0.42, 0.2]), WHITE, "disc"))
            parts.append(pebble(eye + (0, 0, 0.16 * size), size * 0.2, BLACK, "eye"))
            tuft = head + size * np.array([side * 0.55, 0.7, 0.2])
            parts.append(tube([tuft, tuft + (side * 0.05, 0.12, 0.02)], [0.07, 0.015], plumage, "plumage", 6))
        else:
            parts.append(pebble(eye, max(0.14 * size, 0.024), BLACK, "eye"))
    if "comb" in build.extras:
        for along, high in ((0.5, 0.35), (0.1, 0.5), (-0.35, 0.45)):
            parts.append(
                pebble(head + size * np.array([0, 0.95, along]), size * np.array([0.16, high, 0.3]), RED, "comb")
            )
        parts.append(pebble(head + size * np.array([0, -0.75, 0.85]), size * np.array([0.2, 0.5, 0.2]), RED, "comb"))
    return parts


def _folded_wings(rng: np.random.Generator, build: Build, place: Place, plumage: Color) -> list[Part]:
    color = tinted(rng, plumage, 0.25)
    axes, parts = place.axes, []
    flippers = "flippers" in build.extras
    for side in (1, -1):
        out = axes[0] * side
        shoulder = place.trunk + axes[2] * 0.3 + out * build.fat * 0.72 + axes[1] * build.fat * 0.25
        if flippers:
            way = curve(
                [
                    shoulder,
                    shoulder + out * 0.16 - axes[2] * 0.25,
                    shoulder + out * rng.uniform(0.12, 0.3) - axes[2] * 0.5,
                ],
                6,
            )
            parts.append(slab(way, [0.14, 0.2, 0.2, 0.18, 0.15, 0.06], 0.06, color, "wing", face=out))
            continue
        way = curve(
            [
                shoulder,
                shoulder + out * build.fat * 0.22 - axes[2] * 0.3,
                place.trunk + out * build.fat * 0.35 - axes[2] * 0.68 + axes[1] * 0.04,
            ],
            8,
        )
        widths = build.fat * np.array([0.6, 1.1, 1.3, 1.3, 1.15, 0.9, 0.6, 0.2])
        parts.append(slab(way, widths, 0.09, color, "wing", face=out + axes[1] * 0.3, cup=-0.25))
    return parts


def _spread_wings(rng: np.random.Generator, build: Build, place: Place, plumage: Color) -> list[Part]:
    color, parts = tinted(rng, plumage, 0.2), []
    lift, reach, back, wide = (
        rng.uniform(-0.25, 0.8),
        rng.uniform(0.9, 1.5),
        rng.uniform(0.0, 0.4),
        rng.uniform(0.3, 0.5),
    )
    fingers = rng.random() < 0.5
    for side in (1, -1):
        out = place.axes[0] * side
        root = place.trunk + place.axes[2] * 0.15 + place.axes[1] * build.fat * 0.5
        elbow = root + out * reach * 0.45 + (0, reach * 0.45 * lift, 0.1)
        tip = root + out * reach + (0, reach * lift * 0.7, -back)
        way = curve([root, elbow, tip], 9)
        widths = wide * np.array([1.0, 1.05, 1.08, 1.08, 1.0, 0.92, 0.8, 0.6, 0.2])
        thick = np.linspace(0.11, 0.06, 9)
        parts.append(slab(way, widths, thick, color, "wing", face=(0, 1, 0)))
        if fingers:
            for i in range(4):
                start = way[5 + i // 2] - (0, 0, 0.05 * i)
                end = tip + out * (0.22 - 0.07 * i) + (0, 0.04, -0.1 - 0.14 * i)
                parts.append(
                    slab(
                        curve([start, (start + end) / 2, end], 5),
                        [0.12, 0.13, 0.13, 0.11, 0.06],
                        0.05,
                        color,
                        "wing",
                        face=(0, 1, 0),
                    )
                )
    return parts


def _tail(rng: np.random.Generator, build: Build, place: Place, plumage: Color) -> list[Part]:
    axes, up = place.axes, np.radians(build.tail_up)
    root = place.trunk - axes[2] * 0.4
    way = -np.cos(up) * axes[2] + np.sin(up) * axes[1]
    if build.tail < 0.1:
        return []
    line = curve([root, root + way * build.tail * 0.5, root + way * build.tail * 1.0], 6)
    line[:, 1] = np.maximum(line[:, 1], place.feet + 0.03)
    widths = build.fan * np.array([0.7, 0.85, 1.0, 1.15, 1.2, 0.8])
    return [slab(line, widths, [0.14, 0.1, 0.07, 0.055, 0.045, 0.04], tinted(rng, plumage, 0.25), "tail", face=axes[1])]


def _legs(rng: np.random.Generator, build: Build, place: Place, bare: Color) -> list[Part]:
    thick = 0.055 if "thick" in build.extras else 0.028 + 0.03 * (build.legs < 0.5)
    lame = rng.random() < 0.15 and build.legs > 0.5
    parts = []
    for side in (1, -1):
        step = rng.normal(0, 0.08) * min(build.legs * 2, 1)
        hip = place.trunk + (side * build.fat * 0.45, -build.fat * 0.35, -0.04)
        foot = np.array([hip[0], place.feet + 0.02, hip[2] + 0.05 + step])
        knee = (hip + foot) / 2 + (0, 0, -0.08 * build.legs - 0.02)
        if lame and side == 1:
            foot = hip + (0, -0.1 - 0.2 * build.legs, -0.3 * build.legs)
        parts.append(tube(curve([hip, knee, foot], 6), np.array([2.2, 1.4, 1.1, 1.0, 1.0, 1.0]) * thick, bare, "legs"))
        toe = 0.08 + 0.35 * thick + 0.08 * build.fat
        for turn in (-0.5, 0.0, 0.5, np.pi):
            end = foot + np.array([np.sin(turn), 0, np.cos(turn)]) * toe * (0.6 if turn > 1 else 1.2)
            parts.append(tube([foot, end], [thick * 0.9, thick * 0.6], bare, "legs", 6))
    return parts


def _show(rng: np.random.Generator, build: Build, place: Place, plumage: Color) -> list[Part]:
    """A rooster's arching plumes, or the wheel of a turkey or peacock."""
    root, parts = place.trunk - place.axes[2] * 0.35 + (0, 0.1, 0), []
    if "plumes" in build.extras:
        for i in range(6):
            high, side = rng.uniform(0.3, 0.55), (i - 2.5) * 0.04
            way = curve(
                [
                    root + (side, 0, 0),
                    root + (side * 2, high, -0.2),
                    root + (side * 2.5, high * 0.7, -0.5),
                    root + (side * 2.5, 0.0, -0.62),
                ],
                8,
            )
            parts.append(
                slab(
                    way,
                    [0.08, 0.12, 0.14, 0.15, 0.14, 0.12, 0.09, 0.03],
                    0.04,
                    pick(rng, (BLACK, GREEN, plumage)),
                    "plumes",
                    face=(1, 0, 0),
                )
            )
        return parts
    count, long = 13, rng.uniform(0.7, 1.1)
    for i in range(count):
        angle = np.linspace(-1.4, 1.4, count)[i]
        out = np.array([np.sin(angle), np.cos(angle), -0.25])
        way = curve([root, root + out * long * 0.5, root + out * long], 6)
        parts.append(
            slab(
                way,
                long * np.array([0.08, 0.13, 0.18, 0.22, 0.24, 0.12]),
                0.05,
                pick(rng, (GREEN, BLUE, plumage)),
                "plumes",
                face=(0, 0.25, 1),
                coarse=True,
            )
        )
        parts.append(
            pebble(root + out * long * 0.88 + (0, 0, 0.03), long * np.array([0.06, 0.07, 0.02]), YELLOW, "spots")
        )
    return parts


def _varied(rng: np.random.Generator, build: Build) -> Build:
    names = ("fat", "neck_r", "head", "beak", "beak_r", "legs", "tail", "fan")
    changed = {name: getattr(build, name) * float(np.exp(rng.normal(0, 0.08))) for name in names}
    if rng.random() < 0.2:
        changed["head"] *= 1.35
        changed["fat"] *= 1.12
    return replace(build, pitch=build.pitch + rng.normal(0, 5), **changed)
