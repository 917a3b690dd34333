"""Noisy depth layers become smooth, and jump only where the object does."""

from __future__ import annotations

import numpy as np

from manymesh.shape.learned import contract
from manymesh.shape.learned.contract import BIN_LENGTH
from manymesh.shape.learned.depth_refine import normals_from_depth, refine_depths
from manymesh.shape.learned.predict import Prediction
from manymesh.shape.learned.thin_parts import find_thin_parts

SIDE = contract.GRID


def slopes(noise: float, step: float = 0.0) -> tuple[Prediction, np.ndarray, np.ndarray]:
    """Two tilted planes, the right half ``step`` behind: the network's prediction, the truth, and the inside."""
    u = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    x, y = np.meshgrid(u, -u)
    inside = np.maximum(abs(x), abs(y)) < 0.3
    front = 0.4 * x + 0.2 * y + step * (x > 0)
    surface = np.zeros((8, SIDE, SIDE), np.float32)
    surface[contract.FRONT_DEPTH], surface[contract.BACK_DEPTH] = front, front + 0.2
    truth = surface.copy()
    surface[contract.FRONT_NORMAL] = normals_from_depth(0.4 * x + 0.2 * y, inside, 0.2).transpose(2, 0, 1)
    surface[:2] += np.random.default_rng(0).normal(0, noise, (2, SIDE, SIDE))
    return (
        Prediction(np.zeros((contract.BINS, SIDE, SIDE), np.float32), surface, np.zeros(44, np.float32)),
        truth,
        inside,
    )


def test_noise_is_removed_and_the_mean_depth_stays() -> None:
    prediction, truth, inside = slopes(0.5 * BIN_LENGTH)
    found = refine_depths(prediction, inside, 0.2).surface
    for layer, share in ((contract.FRONT_DEPTH, 0.4), (contract.BACK_DEPTH, 0.6)):
        before, after = (part[layer][inside] - truth[layer][inside] for part in (prediction.surface, found))
        assert after.std() < share * before.std()
        assert abs(after.mean()) < 0.05 * BIN_LENGTH


def test_a_step_stays_a_step_and_pixels_outside_keep_their_depth() -> None:
    prediction, truth, inside = slopes(0.1 * BIN_LENGTH, step=12 * BIN_LENGTH)
    found = refine_depths(prediction, inside, 0.2).surface
    assert np.abs(found[contract.FRONT_DEPTH] - truth[contract.FRONT_DEPTH])[inside].max() < BIN_LENGTH
    assert np.array_equal(found[:, ~inside], prediction.surface[:, ~inside])


def test_a_post_is_a_thin_part_and_a_plate_is_not() -> None:
    prediction, _, _ = slopes(0)
    column, row = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    for half, is_thin in ((1.5, True), (20, False)):
        distance = np.minimum(half + 0.5 - abs(column - 64), 50 - abs(row - 64)).astype(np.float32)
        prediction.surface[contract.BACK_DEPTH] = prediction.surface[contract.FRONT_DEPTH] + 3 / SIDE
        parts = find_thin_parts(prediction, distance > 0, distance, 0)
        assert (parts[64, 64, 0] > 0) == is_thin
        if is_thin:
            centre = (prediction.surface[:2, 64, 64].mean() - contract.NEAR) / BIN_LENGTH - 0.5
            assert abs(parts[64, 64, 1] - centre) < 0.3
