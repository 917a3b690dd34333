from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from manymesh.matte.foreground import box_mean, refined_rgb
from manymesh.matte.ownership import own_alpha
from manymesh.types import Box


def solid(h: int, w: int, *boxes: tuple[int, int, int, int], level: int = 255) -> np.ndarray:
    alpha = np.zeros((h, w), np.uint8)
    for x0, y0, x1, y1 in boxes:
        alpha[y0:y1, x0:x1] = level
    return alpha


def test_a_neighbour_inside_its_own_box_is_removed() -> None:
    alpha = solid(50, 100, (10, 10, 45, 40), (45, 10, 90, 40))
    own = own_alpha(alpha, Box(8, 8, 46, 42), [Box(44, 8, 92, 42)])
    np.testing.assert_array_equal(own, solid(50, 100, (10, 10, 46, 40)))


def test_where_boxes_overlap_the_object_keeps_its_pixels() -> None:
    alpha = solid(50, 50, (10, 10, 40, 40))
    np.testing.assert_array_equal(own_alpha(alpha, Box(10, 10, 40, 40), [Box(0, 0, 50, 50)]), alpha)


def test_a_separate_component_is_dropped_and_an_overhang_is_kept() -> None:
    alpha = solid(60, 100, (10, 10, 40, 40), (38, 20, 50, 24), (70, 10, 95, 50))
    own = own_alpha(alpha, Box(8, 8, 42, 42), [])
    np.testing.assert_array_equal(own, solid(60, 100, (10, 10, 40, 40), (38, 20, 50, 24)))


def test_specks_and_faint_haze_are_removed() -> None:
    alpha = np.maximum(solid(100, 100, (0, 0, 100, 100), level=7), solid(100, 100, (20, 20, 80, 80), (90, 90, 91, 91)))
    alpha[5:15, 5:90] = 40
    np.testing.assert_array_equal(own_alpha(alpha, Box(0, 0, 100, 100), []), solid(100, 100, (20, 20, 80, 80)))


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(*[st.integers(-10, 50)] * 4), max_size=3))
def test_ownership_never_adds_alpha(seed: int, others: list[tuple[int, int, int, int]]) -> None:
    alpha = (np.random.default_rng(seed).random((30, 40)) ** 3 * 255).astype(np.uint8)
    own = own_alpha(alpha, Box(5, 5, 30, 25), [Box(*o) for o in others])
    assert np.all((own == alpha) | (own == 0))


def test_the_mean_covers_one_pixel_more_to_the_right_and_repeats_the_border() -> None:
    row = np.zeros((1, 9), np.float32)
    row[0, 4] = 6
    np.testing.assert_allclose(box_mean(row, 6)[0], [0, 1, 1, 1, 1, 1, 1, 0, 0], atol=1e-6)
    edge = np.array([[6, 0, 0, 0, 0, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(box_mean(edge, 6)[0], [3, 2, 1, 0, 0, 0, 0, 0], atol=1e-6)


def test_a_soft_edge_gets_the_objects_colour_instead_of_the_backgrounds() -> None:
    x = np.clip((np.arange(200) - 90) / 20, 0, 1)
    alpha = np.tile((x * 255).astype(np.uint8), (120, 1))
    red, green = np.array([220, 20, 20]), np.array([20, 200, 40])
    mixed = (x[:, None] * red + (1 - x[:, None]) * green).astype(np.uint8)
    seen = np.tile(mixed, (120, 1, 1))
    refined = refined_rgb(seen, alpha)
    at_half = 100
    assert np.abs(refined[60, at_half].astype(int) - red).max() < 20
    assert np.abs(seen[60, at_half].astype(int) - red).max() > 80


def test_a_neighbour_that_reaches_into_the_box_is_removed_with_its_soft_edge() -> None:
    alpha = solid(60, 100, (10, 10, 40, 50), (55, 10, 95, 50))
    alpha[20:30, 40:55] = 60  # a faint bridge, half of it nearer to each
    own = own_alpha(alpha, Box(8, 8, 62, 52), [Box(52, 8, 97, 52)])
    assert (own[10:50, 10:40] == 255).all()
    assert not own[:, 55:].any()
    assert own[25, 42] == 60
    assert own[25, 52] == 0


def test_an_object_inside_a_neighbours_box_is_kept() -> None:
    alpha = solid(60, 60, (20, 20, 40, 40))
    np.testing.assert_array_equal(own_alpha(alpha, Box(18, 18, 42, 42), [Box(5, 5, 55, 55)]), alpha)
