"""Where things stand in a scene: how many, how large, how much they may cover each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST = 6
"""Things in one scene, at most."""
TRIES = 12
"""Places looked at for each thing; the one that covers least of the others is taken."""
COUNT_CHANCES = (0.03, 0.47, 0.14, 0.12, 0.1, 0.08, 0.06)
"""Of 0, 1, 2, ... things."""


@dataclass(frozen=True)
class Layout:
    """Places of n scenes; things in the order they are laid, the farthest first.

    Attributes:
        present: (n, MOST) bool, the present ones first.
        centre: (n, MOST, 2) float32, x and y, of the thing's crop, in sides of the picture from its top left corner.
        side: (n, MOST) float32, the crop's side in sides of the picture.
    """

    present: np.ndarray
    centre: np.ndarray
    side: np.ndarray


def draw_layout(rng: np.random.Generator, n: int) -> Layout:
    """Random places of ``n`` scenes."""
    count = rng.choice(len(COUNT_CHANCES), n, p=COUNT_CHANCES)
    present = np.arange(MOST)[None] < count[:, None]
    side, centre = np.zeros((n, MOST), np.float32), np.zeros((n, MOST, 2), np.float32)
    for scene in range(n):
        k = count[scene]
        if k:
            side[scene, :k], centre[scene, :k] = _places(rng, k)
    return Layout(present, centre, side)


def _places(rng: np.random.Generator, k: int) -> tuple[np.ndarray, np.ndarray]:
    if k == 1:
        side = np.exp(rng.uniform(np.log(0.3), np.log(1.12), 1))
    else:
        most = 1.25 / np.sqrt(k)
        side = np.exp(rng.uniform(np.log(0.3 * most), np.log(most), k))
    crowded = rng.random() < 0.3  # things touch and cover each other
    leaves_frame = rng.random() < 0.12
    centre = np.zeros((k, 2))
    for i in range(k):
        room = (1 - side[i]) / 2
        reach = 0.5 if leaves_frame else max(room, 0.02)
        tries = 0.5 + rng.uniform(-reach, reach, (TRIES, 2))
        if crowded and i:
            near = centre[rng.integers(i)]
            tries = np.clip(near + rng.normal(0, 0.3, (TRIES, 2)), 0.5 - reach, 0.5 + reach)
        centre[i] = tries[np.argmin(_covered(tries, side[i], centre[:i], side[:i]))]
    # What stands lower in the picture is nearer.
    order = np.argsort(centre[:, 1] + 0.4 * side)
    return side[order], centre[order]


def _covered(tries: np.ndarray, side: float, others: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """(tries,) how much of the boxes would be shared with those already placed."""
    if not len(others):
        return np.zeros(len(tries))
    half = 0.42 * (side + sides)[None, :, None]
    deep = np.maximum(half - np.abs(tries[:, None] - others[None]), 0)
    return (deep[..., 0] * deep[..., 1]).sum(1)
