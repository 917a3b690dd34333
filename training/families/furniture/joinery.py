"""Legs, handles, panels and cushions that furniture of all kinds shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.families.outlines import curve, rectangle
from training.families.paints import Rng
from training.families.parts import (
    Paint,
    aimed,
    bar,
    box,
    cushion,
    ellipsoid,
    frame,
    lathe,
    rod,
    torus,
    tube,
)
from training.shapes import Part

LEG_STYLES = ("square", "taper", "round", "turned", "turned", "cabriole", "metal")
HANDLE_STYLES = ("knob", "bar", "bow", "ring", "ledge", "ball")


def leg(rng: Rng, paint: Paint, style: str, foot: Any, top: Any, thick: float) -> list[Part]:
    """One leg from its foot on the floor to its top under a seat or plate. ``thick``: its width at the top."""
    foot, top = np.asarray(foot, np.float64), np.asarray(top, np.float64)
    if style == "square":
        return [bar(paint, foot, top, thick)]
    if style == "taper":
        return [rod(paint, foot, top, 0.36 * thick, 0.68 * thick, sides=4)]
    if style == "metal":
        return [rod(paint, foot, top, 0.3 * thick, sides=10)]
    if style == "turned":
        return [turned_leg(rng, paint, foot, top, thick)]
    if style == "cabriole":
        out = np.array([top[0] - foot[0] * 0, 0, top[2]]) * 0.06
        line = [top, 0.75 * top + 0.25 * foot + out, 0.35 * top + 0.65 * foot - 0.4 * out, foot + 0.4 * out]
        return [
            tube(paint, line, [0.6 * thick, 0.62 * thick, 0.38 * thick, 0.36 * thick], 8),
            ellipsoid(paint, (0.6 * thick, 0.35 * thick, 0.6 * thick), foot + 0.4 * out + (0, 0.3 * thick, 0), 10),
        ]
    return [rod(paint, foot, top, 0.34 * thick, 0.5 * thick)]


def turned_leg(rng: Rng, paint: Paint, foot: Any, top: Any, thick: float) -> Part:
    """A leg turned on a lathe: vases, rings and a foot."""
    foot, top = np.asarray(foot, np.float64), np.asarray(top, np.float64)
    length = float(np.linalg.norm(top - foot))
    heights = np.array([0, 0.04, 0.1, 0.14, 0.2, 0.34, 0.46, 0.58, 0.64, 0.7, 0.74, 0.8, 1.0]) * length
    radii = np.array([0.3, 0.42, 0.34, 0.5, 0.3, 0.34, 0.44, 0.52, 0.38, 0.56, 0.36, 0.52, 0.52]) * thick
    radii[1:-2] *= rng.uniform(0.8, 1.15, 10)
    return aimed(lathe(paint, np.column_stack([radii, heights]), sides=12), top - foot, foot)


def table_legs(
    rng: Rng, paint: Paint, style: str, width: float, depth: float, height: float, thick: float, splay: float = 0.0
) -> list[Part]:
    """Four legs under a plate ``width`` x ``depth``; ``splay``: how far the feet stand further out."""
    parts = []
    for sx, sz in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        x, z = sx * (width / 2 - thick / 2), sz * (depth / 2 - thick / 2)
        parts += leg(rng, paint, style, (x + sx * splay, 0, z + sz * splay), (x, height, z), thick)
    return parts


def apron(paint: Paint, width: float, depth: float, top: float, high: float, thick: float) -> list[Part]:
    """The rails that join four legs under a plate."""
    parts = []
    for s in (-1, 1):
        parts.append(box(paint, (width, high, thick), (0, top - high / 2, s * (depth - thick) / 2)))
        parts.append(box(paint, (thick, high, depth), (s * (width - thick) / 2, top - high / 2, 0)))
    return parts


def stretchers(paint: Paint, width: float, depth: float, height: float, thick: float, style: str) -> list[Part]:
    """Rods near the floor between four legs: "sides", "box", "h" or "x"."""
    w, d = width / 2, depth / 2
    sides = [rod(paint, (s * w, height, -d), (s * w, height, d), thick / 2, sides=8) for s in (-1, 1)]
    if style == "box":
        return sides + [rod(paint, (-w, height, s * d), (w, height, s * d), thick / 2, sides=8) for s in (-1, 1)]
    if style == "h":
        return [*sides, rod(paint, (-w, height, 0), (w, height, 0), thick / 2, sides=8)]
    if style == "x":
        return [rod(paint, (-s * w, height, -d), (s * w, height, d), thick / 2, sides=8) for s in (-1, 1)]
    return sides


def handle(paint: Paint, style: str, at: Any, size: float, *, upright: bool = False) -> list[Part]:
    """A handle on a front that faces +Z. ``size``: its length."""
    x, y, z = at
    if style == "knob":
        profile = [(0.16, 0), (0.14, 0.2), (0.32, 0.32), (0.3, 0.5), (0, 0.56)]
        return [aimed(lathe(paint, np.array(profile) * size * 0.8, sides=12), (0, 0, 1), at)]
    if style == "ball":
        return [ellipsoid(paint, (size * 0.24,) * 3, (x, y, z + size * 0.2), 10, rings=6)]
    along = np.array((0, 1, 0) if upright else (1, 0, 0)) * size / 2
    out = np.array((0, 0, size * 0.22))
    at = np.asarray(at, np.float64)
    if style == "bow":
        line = [at - along, at - 0.7 * along + out, at + 0.7 * along + out, at + along]
        return [tube(paint, line, size * 0.06, 8)]
    if style == "ring":
        return [torus(paint, size * 0.3, size * 0.06, (x, y - size * 0.2, z + size * 0.06), "z", 14)]
    if style == "ledge":
        wide = (0.08, 1, 0.2) if upright else (1, 0.12, 0.2)
        return [box(paint, np.array(wide) * size, at + out * 0.4)]
    pegs = [rod(paint, at + s * 0.75 * along, at + s * 0.75 * along + out, size * 0.05, sides=8) for s in (-1, 1)]
    return [rod(paint, at - along + out, at + along + out, size * 0.07, sides=8), *pegs]


def front_panel(paint: Paint, width: float, height: float, at: Any, thick: float, style: str) -> list[Part]:
    """A door or drawer front facing +Z, its back at ``at``: "flat", "framed" (raised rim) or "raised" (field)."""
    x, y, z = at
    parts = [box(paint, (width, height, thick), (x, y, z + thick / 2), bevel=0.25 * thick)]
    rim = 0.13 * min(width, height) + 0.04 * max(width, height)
    if style == "framed":
        inner = rectangle(width - 2 * rim, height - 2 * rim)
        parts.append(frame(paint, rectangle(width, height), inner, thick, (x, y, z + 1.2 * thick)))
    if style == "raised":
        size = (width - 2 * rim, height - 2 * rim, thick)
        parts.append(box(paint, size, (x, y, z + 1.1 * thick), bevel=0.45 * thick))
    return parts


def caster(paint: Paint, at: Any, radius: float) -> list[Part]:
    """A small wheel under furniture, its axle along x."""
    x, y, z = at
    wheel = rod(paint, (x - 0.4 * radius, radius, z), (x + 0.4 * radius, radius, z), radius, sides=12)
    return [wheel, rod(paint, (x, radius, z), (x, y, z), 0.35 * radius, sides=8)]


def star_base(paint: Paint, tyres: Paint, arms: int, reach: float, height: float) -> list[Part]:
    """The star foot of a swivel chair on casters, with its column up to ``height``."""
    parts = [rod(paint, (0, 0.12 * reach, 0), (0, height, 0), 0.09 * reach, 0.07 * reach)]
    parts.append(rod(paint, (0, 0.2 * reach, 0), (0, 0.36 * reach, 0), 0.15 * reach, 0.12 * reach))
    for i in range(arms):
        angle = 2 * np.pi * i / arms + np.pi / 2
        x, z = reach * np.cos(angle), reach * np.sin(angle)
        parts.append(tube(paint, [(0, 0.3 * reach, 0), (x, 0.2 * reach, z)], [0.11 * reach, 0.07 * reach], 6))
        parts += caster(tyres, (x, 0.2 * reach, z), 0.09 * reach)
    return parts


def padding(paint: Paint, size: Any, at: Any, square: float = 0.35, *, tufts: int = 0) -> list[Part]:
    """A cushion, with ``tufts`` x ``tufts`` buttons on its upper side."""
    parts = [cushion(paint, size, at, square)]
    for i in range(tufts):
        for j in range(tufts):
            x = at[0] + size[0] * ((i + 0.5) / tufts - 0.5) * 0.8
            z = at[2] + size[2] * ((j + 0.5) / tufts - 0.5) * 0.8
            r = 0.04 * size[0]
            parts.append(ellipsoid(paint, (r, 0.6 * r, r), (x, at[1] + size[1] * 0.48, z), 8, rings=4))
    return parts


def turned_spindle(rng: Rng, paint: Paint, start: Any, end: Any, thick: float) -> Part:
    """A thin turned rod, thicker in its middle, as in chair backs and railings."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = float(np.linalg.norm(end - start))
    knots = np.array([[0.35, 0], [0.38, 0.2], [rng.uniform(0.4, 0.8), rng.uniform(0.35, 0.6)], [0.38, 0.8], [0.35, 1]])
    profile = curve(knots * (thick, length), 2)
    return aimed(lathe(paint, profile, sides=8), end - start, start)
