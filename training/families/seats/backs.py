"""Backs of wooden chairs, standing at the rear edge of a seat."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.families.furniture.joinery import turned_spindle
from training.families.outlines import curve, mirror_outline
from training.families.paints import Rng, cloth, leather, pick
from training.families.parts import Paint, bar, box, cushion, extrude, lathe, moved, rod, tube, turned
from training.shapes import Part


def back(rng: Rng, paint: Paint, width: float, rise: float, thick: float, at: Any) -> list[Part]:
    """Any back, ``width`` wide and ``rise`` high above ``at``, leaning away from the seat."""
    styles = (ladder_back, spindle_back, splat_back, panel_back, padded_back, hoop_back, cross_back, rail_back)
    parts = pick(rng, styles)(rng, paint, width, rise, thick)
    return moved(turned(parts, -rng.uniform(0, 14), "x"), at)


def posts(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """Two uprights, plain, round or with finials."""
    x = width / 2 - thick / 2
    style = pick(rng, ("square", "round", "finial"))
    if style == "square":
        return [bar(paint, (s * x, -1, 0), (s * x, rise, 0), thick, 0.8 * thick) for s in (-1, 1)]
    profile = [(0.5, -1), (0.45, 0.5 * rise), (0.4, rise), (0, rise + 0.3)]
    if style == "finial":
        profile = [(0.5, -1), (0.42, rise), (0.6, rise + 1), (0.3, rise + 2), (0.55, rise + 4), (0, rise + 6)]
    scaled = np.array(profile) * (thick, 1)
    return [lathe(paint, scaled, (s * x, 0, 0), 12) for s in (-1, 1)]


def crest(rng: Rng, paint: Paint, width: float, rise: float, high: float, thick: float) -> Part:
    """The top rail: straight or with a curved upper edge, bent backwards in the middle."""
    bump = rng.uniform(0, 0.7) * high
    half = np.linspace(0, width / 2, 5)
    upper = np.column_stack([half[::-1], rise + bump * (np.cos(np.pi * half[::-1] / width * 2) + 1) / 2])
    outline = mirror_outline(np.concatenate([[(0, rise - high), (width / 2, rise - high)], upper]))
    rail = extrude(paint, outline, 0.7 * thick, bevel=0.12 * thick)
    bend = rng.uniform(0, 3) if high < 0.4 * rise else 0.0  # a board would buckle
    rail.vertices[:, 2] -= bend * (1 - (2 * rail.vertices[:, 0] / width) ** 2)
    return rail


def ladder_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """Level slats between two posts."""
    count = int(rng.integers(2, 6))
    high = rise / count * rng.uniform(0.3, 0.7)
    slats = [crest(rng, paint, width - thick, rise * (0.3 + 0.7 * (i + 1) / count), high, thick) for i in range(count)]
    return posts(rng, paint, width, rise, thick) + slats


def spindle_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """Thin upright rods below a top rail."""
    high = rng.uniform(5, 10)
    count = int(rng.integers(3, 9))
    low = rng.uniform(0, 0.2) * rise
    flat = rng.random() < 0.4
    parts = [*posts(rng, paint, width, rise, thick), crest(rng, paint, width, rise, high, thick)]
    if low > 2:
        parts.append(box(paint, (width - thick, 3, 0.6 * thick), (0, low, 0)))
    for x in np.linspace(-1, 1, count + 2)[1:-1] * (width / 2 - thick):
        start, end = (x, low, 0), (x, rise - high / 2, 0)
        parts.append(bar(paint, start, end, 2.4, 1.4) if flat else turned_spindle(rng, paint, start, end, 2.6))
    return parts


def splat_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """One broad shaped board in the middle."""
    waist = rng.uniform(0.3, 0.9, 5) * 0.22 * width
    half = curve(np.column_stack([waist, np.linspace(0, rise - 3, 5)]), 3)
    outline = mirror_outline(np.concatenate([[(0, 0)], half, [(0, rise - 3)]]))
    splat = extrude(paint, outline, 0.45 * thick)
    return [*posts(rng, paint, width, rise, thick), crest(rng, paint, width, rise, rng.uniform(5, 9), thick), splat]


def panel_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """A whole board, perhaps with a shaped top."""
    panel = crest(rng, paint, width, rise, rise * rng.uniform(0.45, 1), thick)
    if panel.vertices[:, 1].min() < 2:
        return [panel]
    return [*posts(rng, paint, width, rise - 2, thick), panel]


def padded_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """Upholstery between posts, or all over."""
    soft = cloth(rng) if rng.random() < 0.6 else leather(rng)
    low = rng.uniform(0.05, 0.4) * rise
    size = (width - 0.5 * thick, rise - low, rng.uniform(4, 8))
    pad = cushion(soft, size, (0, (rise + low) / 2, 0.4), rng.uniform(0.2, 0.45))
    if rng.random() < 0.5:
        return [*posts(rng, paint, width, rise, thick), pad]
    return [pad, *(bar(paint, (s * 0.3 * width, -2, -1), (s * 0.3 * width, low + 4, -1), thick) for s in (-1, 1))]


def hoop_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """A bent bow filled with rods (Windsor, bistro)."""
    angle = np.linspace(0, np.pi, 9)
    wide = width / 2 - thick / 2
    bow = np.column_stack([wide * np.cos(angle), 0.4 * rise + 0.6 * rise * np.sin(angle), np.zeros(9)])
    bow = np.concatenate([[(wide * 0.92, 0, 0)], bow, [(-wide * 0.92, 0, 0)]])
    parts = [tube(paint, bow, 0.4 * thick, 8)]
    if rng.random() < 0.3:
        return [*parts, tube(paint, bow * (0.68, 0.8, 1), 0.3 * thick, 8)]
    for t in np.linspace(-1, 1, int(rng.integers(4, 9)) + 2)[1:-1]:
        top = 0.4 * rise + 0.6 * rise * np.sqrt(1 - t * t)
        parts.append(turned_spindle(rng, paint, (0.8 * t * wide, 0, 0), (t * wide, top, 0), 2.4))
    return parts


def cross_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """Two crossing bows between the posts."""
    x, low = width / 2 - thick, 0.12 * rise
    parts = [*posts(rng, paint, width, rise, thick), crest(rng, paint, width, rise, rng.uniform(4, 8), thick)]
    for s in (-1, 1):
        parts.append(tube(paint, [(s * x, low, 0), (0, 0.52 * rise, 0.6), (-s * x, rise - 4, 0)], 0.32 * thick, 8))
    return [*parts, box(paint, (width - thick, 3, 0.6 * thick), (0, low, 0))]


def rail_back(rng: Rng, paint: Paint, width: float, rise: float, thick: float) -> list[Part]:
    """Posts and one wide curved rail (Danish)."""
    high = rng.uniform(8, 16)
    bend = rng.uniform(2, 8)
    x = width / 2 - thick / 2
    rail = tube(paint, [(-x - 1, rise, 1), (0, rise, -bend), (x + 1, rise, 1)], high / 2, 8, steps=6, flat=0.22)
    stand = [rod(paint, (s * x, -1, 0), (s * x, rise + high * 0.3, 0), 0.5 * thick, 0.35 * thick) for s in (-1, 1)]
    return [rail, *stand]
