"""Lays one mesh on another: the similarity (turn, one scale, shift) under which their surfaces agree best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

YAWS, TILTS_DEG = 24, (-30.0, -15.0, 0.0, 15.0, 30.0)
COARSE, MIDDLE, FINE = 300, 1_000, 4_000
"""Points used to rank the starts, to settle the best of them, and for the last steps."""

SURVIVORS, FINALISTS = 24, 4
REACHES = (0.2, 0.2, 0.2, 0.15, 0.15, 0.15, 0.1, 0.1, 0.1, 0.07, 0.07, 0.05, 0.05)
LAST_REACHES = (0.05,) * 10
"""How far apart, step by step, a pair may be to count for half: what finds no partner loses its say."""

NEAR = 0.05


def aligned(answer: F64, truth: F64) -> F64:
    """The (4, 4) matrix that takes ``answer`` onto ``truth``. Deterministic; 1.3 s on one core.

    Starts from YAWS turns about the vertical times len(TILTS_DEG) tilts, settles the best by iterated closest points
    both ways (Besl & McKay 1992, Umeyama's scale 1991, far pairs weighed down), and keeps the one with the best
    F-score at NEAR.

    Args:
        answer, truth: (n, 3) points spread evenly over the surfaces, n at least FINE; truth's longest side about 1.
    """
    from scipy.spatial import cKDTree

    trees = {count: cKDTree(truth[:count]) for count in (COARSE, MIDDLE, FINE)}
    starts = [_start(answer[:COARSE], truth[:COARSE], turn) for turn in _turns()]
    ranked = sorted(starts, key=lambda matrix: _gap(matrix, answer, truth, trees, COARSE))[:SURVIVORS]
    settled = [refined_alignment(matrix, answer, truth, trees, MIDDLE, REACHES) for matrix in ranked]
    # As it lies, and the starts themselves, may be nearest already: a step lessens distances, not the score.
    tried = [np.eye(4), *ranked, *settled]
    finalists = sorted(tried, key=lambda matrix: _score(matrix, answer, truth, trees, MIDDLE))[-FINALISTS:]
    last = [refined_alignment(matrix, answer, truth, trees, FINE, LAST_REACHES) for matrix in finalists]
    return max([*finalists, *last], key=lambda matrix: _score(matrix, answer, truth, trees, FINE))


def moved(matrix: F64, points: Any) -> F64:
    """(n, 3) points under a (4, 4) matrix."""
    return np.asarray(points, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def _turns() -> list[F64]:
    turns = []
    for tilt in TILTS_DEG:
        for k in range(YAWS):
            yaw, pitch = 2 * math.pi * k / YAWS, math.radians(tilt)
            about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
            about_x = np.array(
                [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
            )
            turns.append(about_y @ about_x)
    return turns


def _start(answer: F64, truth: F64, turn: F64) -> F64:
    """Turned, then box on box: middles together, equal mean extent."""
    turned = answer @ turn.T
    sides, wanted = np.ptp(turned, axis=0), np.ptp(truth, axis=0)
    matrix = np.eye(4)
    scale = float(np.cbrt(np.prod(wanted + 0.05) / np.prod(sides + 0.05)))
    matrix[:3, :3] = scale * turn
    matrix[:3, 3] = (truth.max(0) + truth.min(0)) / 2 - scale * (turned.max(0) + turned.min(0)) / 2
    return matrix


def nearest_pairs(matrix: F64, answer: F64, truth: F64, trees: dict[int, Any], count: int) -> tuple[F64, F64, F64]:
    """Each answer point with its nearest true point and each true one with its nearest answer; and the distances."""
    from scipy.spatial import cKDTree

    here = moved(matrix, answer[:count])
    forth, to = trees[count].query(here)
    back, of = cKDTree(here).query(truth[:count])
    source = np.concatenate([answer[:count], answer[of]])
    return source, np.concatenate([truth[to], truth[:count]]), np.concatenate([forth, back])


def _gap(matrix: F64, answer: F64, truth: F64, trees: dict[int, Any], count: int) -> float:
    return float(np.minimum(nearest_pairs(matrix, answer, truth, trees, count)[2], 0.2).mean())


def _score(matrix: F64, answer: F64, truth: F64, trees: dict[int, Any], count: int) -> tuple[float, float]:
    """The F-score at NEAR, to half a per cent; where that is equal, as for a box turned by 180 degrees, closeness."""
    distance = nearest_pairs(matrix, answer, truth, trees, count)[2]
    near = distance < NEAR
    precision, recall = float(near[:count].mean()), float(near[count:].mean())
    return round(200 * 2 * precision * recall / max(precision + recall, 1e-9)), -float(distance.mean())


def refined_alignment(
    matrix: F64, answer: F64, truth: F64, trees: dict[int, Any], count: int, reaches: tuple[float, ...]
) -> F64:
    for reach in reaches:
        source, target, distance = nearest_pairs(matrix, answer, truth, trees, count)
        matrix = similarity(source, target, 1 / (1 + (distance / reach) ** 2) ** 2)  # Geman-McClure
    return matrix


def similarity(source: F64, target: F64, weight: F64) -> F64:
    """The (4, 4) similarity that brings paired points closest, in the weighted least squares (Umeyama 1991)."""
    share = (weight / weight.sum())[:, None]
    from_middle, to_middle = (share * source).sum(0), (share * target).sum(0)
    left, right = source - from_middle, target - to_middle
    u, stretch, vt = np.linalg.svd((share * right).T @ left)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = (u * sign) @ vt
    scale = float((stretch * sign).sum() / max(float((share * left**2).sum()), 1e-30))
    matrix = np.eye(4)
    matrix[:3, :3] = scale * turn
    matrix[:3, 3] = to_middle - scale * turn @ from_middle
    return matrix
