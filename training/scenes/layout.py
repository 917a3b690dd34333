"""Where objects stand in a scene: how many, how large, how much they may cover each other, which are alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

MOST = 16
"""Objects in one scene, at most."""
TRIES = 12
"""Places looked at for each object; the one that covers least of the others is taken."""
COUNT_CHANCES = (0.03, 0.4, 0.12, 0.1, 0.08, 0.07, 0.05, *[0.15 / 10] * 10)
"""Of 0, 1, 2, ... things."""
FEW_CHANCES = (0.03, 0.47, 0.14, 0.12, 0.1, 0.08, 0.06)
"""The same where few are wanted."""
FEWEST_OF_A_KIND = 3
"""From so many on objects may lie in rows or a heap, as sweets, caps and coins do."""
ROWS_SHARE, HEAP_SHARE = 0.25, 0.25
ALIKE_SHARE = 0.65
"""Of the rows and heaps are of objects of one or two shapes."""
LEAVES_FRAME_SHARE = 0.2
FILLED = 0.85
"""An object's width as a share of its crop's."""


@dataclass(frozen=True)
class Layout:
    """Places of n scenes, those with most objects first; in each, objects in the order of laying, the farthest first.

    Attributes:
        present: (n, MOST) bool, the present ones first.
        centre: (n, MOST, 2) float32, x and y, of the object's crop, in sides of the picture from its top left corner.
        side: (n, MOST) float32, the crop's side in sides of the picture.
        twin: (n, MOST) int64, the place of the first object of the same shape in the scene; most often its own.
    """

    present: np.ndarray
    centre: np.ndarray
    side: np.ndarray
    twin: np.ndarray


def draw_layout(rng: np.random.Generator, n: int, few: bool = False) -> Layout:
    """Random places of ``n`` scenes; of one to six objects where ``few``."""
    chances = FEW_CHANCES if few else COUNT_CHANCES
    count = np.sort(rng.choice(len(chances), n, p=chances))[::-1]
    present = np.arange(MOST)[None] < count[:, None]
    side, centre = np.zeros((n, MOST), np.float32), np.zeros((n, MOST, 2), np.float32)
    twin = np.tile(np.arange(MOST), (n, 1))
    for scene, k in enumerate(count):
        if k:
            side[scene, :k], centre[scene, :k], twin[scene, :k] = _places(rng, k)
    return Layout(present, centre, side, twin)


def _places(rng: np.random.Generator, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    leaves_frame = rng.random() < LEAVES_FRAME_SHARE
    lot = rng.random() if k >= FEWEST_OF_A_KIND else 1.0
    if lot < ROWS_SHARE:
        side, centre = _rows(rng, k, leaves_frame)
    elif lot < ROWS_SHARE + HEAP_SHARE:
        side, centre = _heap(rng, k, leaves_frame)
    else:
        side, centre = _scattered(rng, k, leaves_frame)
    alike = rng.random() < (ALIKE_SHARE if lot < ROWS_SHARE + HEAP_SHARE else 0.1)
    group = rng.integers(rng.integers(1, 3), size=k) if alike else np.arange(k)
    # What stands lower in the picture is nearer.
    order = np.argsort(centre[:, 1] + 0.4 * side)
    return side[order], centre[order], np.argmax(group[:, None] == group[None], axis=1)


def _scattered(rng: np.random.Generator, k: int, leaves_frame: bool) -> tuple[np.ndarray, np.ndarray]:
    """Anywhere, of very different sizes."""
    if k == 1:
        side = np.exp(rng.uniform(np.log(0.3), np.log(1.12), 1))
    else:
        most = 1.25 / np.sqrt(k)
        side = np.exp(rng.uniform(np.log(0.3 * most), np.log(most), k))
    crowded = rng.random() < 0.3  # objects touch and cover each other
    reach = np.full(k, 0.5) if leaves_frame else np.maximum((1 - side) / 2, 0.02)
    free = 0.5 + rng.uniform(-1, 1, (k, TRIES, 2)) * reach[:, None, None]
    nearby = rng.normal(0, 0.3, (k, TRIES, 2))
    centre = np.zeros((k, 2))
    for i in range(k):
        tries = free[i]
        if crowded and i:
            tries = np.clip(centre[rng.integers(i)] + nearby[i], 0.5 - reach[i], 0.5 + reach[i])
        centre[i] = _freest(tries, side[i], centre[:i], side[:i])
    return side, centre


def _rows(rng: np.random.Generator, k: int, leaves_frame: bool) -> tuple[np.ndarray, np.ndarray]:
    """In a loose grid of like-sized objects, turned a little; neighbours stand apart or touch."""
    columns = int(np.clip(round(math.sqrt(k * rng.uniform(0.6, 1.8))), 1, k))
    cell = np.arange(k)
    places = np.stack([cell % columns, cell // columns], 1).astype(float)
    extent = places.max(0) + 1
    pitch = rng.uniform(0.6, 0.97) / extent.max()
    offset = (places - (extent - 1) / 2 + rng.normal(0, rng.uniform(0, 0.12), (k, 2))) * pitch
    angle = rng.normal(0, 0.15) if rng.random() < 0.7 else rng.uniform(0, 2 * math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    side = pitch * rng.uniform(0.65, 1.22) * np.exp(rng.normal(0, 0.05, k))
    return side, _shifted(rng, offset @ turn.T, side, leaves_frame)


def _heap(rng: np.random.Generator, k: int, leaves_frame: bool) -> tuple[np.ndarray, np.ndarray]:
    """Like-sized objects about each other; most touch one or lie on it."""
    side = np.exp(rng.uniform(np.log(0.4), 0)) / math.sqrt(k) * np.exp(rng.normal(0, 0.07, k))
    centre = np.zeros((k, 2))
    reach = rng.uniform(0.75, 1.3) * FILLED
    angle = rng.uniform(0, 2 * math.pi, (k, TRIES))
    for i in range(1, k):
        far = reach * (side[:i] + side[i])[:, None] / 2
        around = rng.integers(i, size=TRIES)
        tries = centre[around] + far[around] * np.stack([np.cos(angle[i]), np.sin(angle[i])], 1)
        centre[i] = _freest(tries, side[i], centre[:i], side[:i])
    return side, _shifted(rng, centre, side, leaves_frame)


def _shifted(rng: np.random.Generator, offset: np.ndarray, side: np.ndarray, leaves_frame: bool) -> np.ndarray:
    """A group brought into the picture, or partly out of it; every middle stays inside."""
    low, high = (offset - side[:, None] / 2).min(0), (offset + side[:, None] / 2).max(0)
    room = 0.35 if leaves_frame else np.maximum(1 - (high - low), 0) / 2
    moved = offset - (low + high) / 2 + 0.5 + rng.uniform(-1, 1, 2) * room
    return np.clip(moved, 0.0, 1.0)


def _freest(tries: np.ndarray, side: float, others: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """The first of the places where the boxes of those already placed are covered least."""
    if not len(others):
        return tries[0]
    half = 0.42 * (side + sides)[None, :, None]
    deep = np.maximum(half - np.abs(tries[:, None] - others[None]), 0)
    return tries[np.argmin((deep[..., 0] * deep[..., 1]).sum(1))]
