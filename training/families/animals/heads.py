"""Heads of four-legged animals: skull, muzzle, eyes, nose, ears, horns, trunk. Unit: the animal's shoulder height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.families.blobs import Color, Lump, blob, bone, egg, tilted
from training.families.slabs import curve, pebble, slab, tube
from training.shapes import Part

BLACK, WHITE, IVORY, PINK = (22, 20, 20), (240, 240, 236), (228, 220, 196), (222, 150, 150)


@dataclass(frozen=True)
class Head:
    """A head's proportions. ``size`` is the skull's radius; muzzle lengths are in skull radii, angles in degrees."""

    size: float = 0.15
    muzzle: float = 1.1  # how far the muzzle reaches out of the skull
    muzzle_r: float = 0.5
    tip_r: float = 0.38
    drop: float = 10.0  # how far the nose points down
    ears: str = "pointed"
    ear: float = 1.0  # ear length in skull radii
    horns: str = ""
    nose: str = "ball"
    eye: float = 0.16


@dataclass(frozen=True)
class Place:
    """Where the head is: its centre, its axes as rows (to its left, up, ahead), and the length of a skull radius."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    size: float

    def at(self, points: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(self.centre + self.size * (np.asarray(points, np.float64) @ self.axes))


def head_parts(
    rng: np.random.Generator, head: Head, neck_end: NDArray[np.float64], turn: float, coat: Color, pale: Color
) -> list[Part]:
    """Everything at the end of the neck. ``turn``: to the animal's left, radians."""
    axes = tilted(np.radians(-head.drop) + rng.normal(0, 0.08), turn)
    place = Place(neck_end + axes[2] * head.size * 0.35, axes, head.size)
    tip = np.array([0, -0.22, head.muzzle])
    lumps: list[Lump] = [
        egg(place.at((0, 0, 0)), head.size * np.array([0.88, 0.9, 1.0]), axes, 0.3 * head.size),
        bone(
            place.at((0, -0.15, 0.35)),
            place.at(tip),
            head.muzzle_r * head.size * 1.2,
            head.tip_r * head.size,
            0.35 * head.size,
        ),
        bone(
            place.at((0, -0.42, 0.2)),
            place.at((0, -0.38 - 0.3 * head.tip_r, head.muzzle * 0.88)),
            0.4 * head.size,
            0.6 * head.tip_r * head.size,
            0.2 * head.size,
        ),
    ]
    if head.nose == "trunk":
        lumps += _trunk(rng, place)
    parts = [blob(lumps, coat, "coat", 1100 if head.nose == "trunk" else 800)]
    parts += _eyes(place, head)
    parts += _nose(place, head, tip, pale)
    parts += _ears(rng, place, head, coat)
    parts += _horns(rng, place, head)
    return parts


def _eyes(place: Place, head: Head) -> list[Part]:
    parts = []
    for side in (1, -1):
        way = np.array([side * 0.62, 0.32, 0.66])
        at = place.at(way * np.array([0.9, 0.92, 1.02]))
        if head.eye > 0.2:
            parts.append(pebble(at, head.eye * place.size, WHITE, "eyewhite"))
            at, size = place.at(way * 1.06 + (0, 0, 0.1)), 0.6
        else:
            size = 1.0
        parts.append(pebble(at, head.eye * size * place.size, BLACK, "eye"))
    return parts


def _nose(place: Place, head: Head, tip: NDArray[np.float64], pale: Color) -> list[Part]:
    r = head.tip_r
    if head.nose == "ball":
        return [
            pebble(
                place.at(tip + (0, r * 0.45, r * 0.75)),
                place.size * r * np.array([0.55, 0.4, 0.4]),
                BLACK,
                "nose",
                place.axes,
            )
        ]
    if head.nose == "disc":
        return [
            tube(
                place.at([tip + (0, 0, r * 0.5), tip + (0, 0, r * 1.25)]),
                place.size * r * np.array([1.0, 0.95]),
                PINK,
                "nose",
                12,
            )
        ]
    if head.nose == "broad":
        return [
            pebble(
                place.at(tip + (0, -0.05, 0.15 * r)),
                place.size * r * np.array([1.12, 1.0, 1.0]),
                pale,
                "nose",
                place.axes,
            )
        ]
    return []


def _trunk(rng: np.random.Generator, place: Place) -> list[Lump]:
    ends = [(0, -2.9, 1.1), (0, -2.6, 1.9), (0, -0.2, 2.8), (0, -2.4, 0.8)]
    end = ends[rng.integers(len(ends))]
    way = place.at(curve([(0, -0.2, 0.8), (0, -0.9, 1.45), (0, -1.8, 1.45), end], 7))
    radii = np.linspace(0.42, 0.17, 7) * place.size
    return [bone(way[i], way[i + 1], radii[i], radii[i + 1], 0.08 * place.size) for i in range(6)]


def _ears(rng: np.random.Generator, place: Place, head: Head, coat: Color) -> list[Part]:
    size, thick = head.ear, 0.14 * place.size * max(head.ear, 0.8) ** 0.5
    flop = rng.normal(0, 0.1)
    plans = {
        "pointed": (
            [(0.5, 0.6, 0), (0.62, 0.6 + 0.5 * size, 0), (0.7 + flop, 0.55 + size, 0.02)],
            [0.6, 0.5, 0.05],
            (0.25, 0, 1),
            0.2,
        ),
        "round": (
            [(0.6, 0.55, 0), (0.75, 0.6 + 0.3 * size, 0), (0.85, 0.6 + 0.55 * size, 0)],
            [0.55, 0.65, 0.3],
            (0.2, 0, 1),
            0.15,
        ),
        "floppy": (
            [(0.6, 0.62, 0), (0.98, 0.5, 0.05), (1.05, 0.5 - 0.9 * size, 0.2)],
            [0.4, 0.6, 0.35],
            (1, 0.4, 0.3),
            0.0,
        ),
        "long": (
            [(0.35, 0.7, -0.1), (0.45, 0.7 + 0.6 * size, -0.25), (0.5 + 2 * flop, 0.6 + size, -0.3)],
            [0.35, 0.55, 0.12],
            (0.2, 0, 1),
            0.2,
        ),
        "side": (
            [(0.7, 0.4, -0.2), (1.0 + 0.3 * size, 0.42, -0.25), (0.9 + size, 0.3, -0.3)],
            [0.25, 0.5, 0.08],
            (0, 0.2, 1),
            0.25,
        ),
        "fan": (
            [(0.7, 0.1, -0.1), (1.5, 0.15, -0.35), (1.2 + 1.1 * size, -0.25, -0.75)],
            [1.3, 2.4, 1.2],
            (0.5, 0, 1),
            0.0,
        ),
    }
    if head.ears not in plans:
        return []
    points, widths, face, cup = plans[head.ears]
    way, across = curve(points, 6), np.interp(np.linspace(0, 2, 6), range(3), widths) * place.size
    width_size = 1.0 if head.ears in ("fan", "long") else max(size, 0.7)
    parts = []
    for side in (1, -1):
        flip = np.array([side, 1, 1])
        look = (np.array(face) * flip) @ place.axes
        parts.append(slab(place.at(way * flip), across * width_size, thick, coat, "coat", face=look, cup=cup))
    return parts


def _horns(rng: np.random.Generator, place: Place, head: Head) -> list[Part]:
    big = rng.uniform(0.8, 1.3)
    paths = {
        "cow": [(0.5, 0.6, -0.1), (1.0, 0.8, -0.1), (1.35, 1.3, 0.1)],
        "bull": [(0.5, 0.6, -0.1), (1.6, 0.7, 0.1), (2.1, 1.5, 0.4)],
        "goat": [(0.3, 0.8, 0.1), (0.4, 1.6, -0.2), (0.6, 2.0, -1.2)],
        "ram": [(0.4, 0.7, 0), (0.9, 0.9, -0.7), (1.2, -0.1, -0.8), (1.4, -0.4, 0.2), (1.6, 0.2, 0.4)],
        "stumps": [(0.3, 0.8, 0), (0.35, 1.3, 0), (0.36, 1.65, 0)],
        "tusks": [(0.4, -0.4, 0.9), (0.55, -0.9, 1.6), (0.5, -0.7, 2.3)],
        "antlers": [(0.35, 0.8, -0.1), (0.9, 1.8, -0.4), (1.1, 2.9, -0.2), (0.9, 3.4, 0.2)],
        "rhino": [(0, 0.25, 1.7), (0, 0.8, 1.95), (0, 1.4, 1.9)],
    }
    if head.horns not in paths:
        return []
    points = np.array(paths[head.horns], np.float64)
    points = points[0] + (points - points[0]) * big
    thick = {"antlers": 0.13, "stumps": 0.15, "rhino": 0.3, "ram": 0.28}.get(head.horns, 0.2)
    end = {"antlers": 0.09, "stumps": 0.16}.get(head.horns, 0.04)
    parts = []
    for side in (1, -1) if head.horns != "rhino" else (1,):
        way = curve(points * np.array([side, 1, 1]), 9)
        parts.append(tube(place.at(way), np.linspace(thick, end, 9) * place.size, IVORY, "horn"))
        if head.horns == "antlers":
            for i, tine in ((3, (0.1, 0.5, 0.6)), (5, (0.3, 0.6, 0.4)), (6, (-0.4, 0.5, 0.1))):
                step = way[i] + np.array(tine) * np.array([side, 1, 1]) * big
                parts.append(
                    tube(
                        place.at([way[i], (way[i] + step) / 2 + (0, -0.05, 0.05), step]),
                        np.array([0.11, 0.1, 0.08]) * place.size,
                        IVORY,
                        "horn",
                    )
                )
    return parts
