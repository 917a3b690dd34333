"""Filling: every texel gets a colour; colour crosses seams on the surface and never gaps of the texture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_shapes import cube_atlas, joined, paint

from manymesh.image.resample import sample
from manymesh.paint.hunyuan.render.inpaint import spread_along_mesh
from manymesh.render import fill, padding
from manymesh.render.bake import Projection
from manymesh.render.texels import Texels, texels
from manymesh.types import Atlas


def seen_where(surface: Texels, known: Any, color: Any) -> Projection:
    weight = np.broadcast_to(np.where(known, 1, 0), surface.gutter.shape).astype(np.float32)
    return Projection((np.broadcast_to(color, (len(weight), 3)) * weight[:, None]).astype(np.float32), weight)


def texture(seen: Projection, surface: Texels, atlas: Atlas) -> Any:
    return padding.pad_charts(fill.fill_surface(seen, surface, atlas), surface)


def test_a_single_color_fills_the_whole_texture() -> None:
    atlas = cube_atlas(6)
    surface = texels(atlas, 120)
    front = surface.normal[:, 2] > 0.9
    made = texture(seen_where(surface, front, [0.2, 0.6, 0.8]), surface, atlas)
    assert made.shape == (120, 120, 3)
    assert made.dtype == np.uint8
    assert np.abs(made.astype(int) - [51, 153, 204]).max() <= 1


def test_seen_texels_keep_their_colors() -> None:
    atlas = cube_atlas(8, ball=True)
    surface = texels(atlas, 96)
    known = surface.position[:, 2] > 0
    made = fill.fill_surface(seen_where(surface, known, paint(surface.position)), surface, atlas)
    np.testing.assert_allclose(made[known], paint(surface.position)[known], atol=1e-6)


def test_color_spreads_over_the_surface_and_not_over_the_texture() -> None:
    # In the texture the charts of front (red) and back (blue) are neighbours of unrelated sides.
    atlas = cube_atlas(8, ball=True)
    surface = texels(atlas, 120)
    z = surface.position[:, 2]
    color = np.where(z[:, None] > 0, [1.0, 0, 0], [0, 0, 1.0])
    made = fill.fill_surface(seen_where(surface, np.abs(z) > 0.8, color), surface, atlas)
    red = made[:, 0] - made[:, 2]
    bands = [red[(z > low) & (z < low + 0.2)].mean() for low in np.arange(-0.8, 0.8, 0.2)]
    assert (np.diff(bands) > 0.05).all()
    assert abs(red[np.abs(z) < 0.05].mean()) < 0.1


def test_both_sides_of_a_seam_look_alike() -> None:
    atlas = cube_atlas(8, ball=True)
    surface = texels(atlas, 128)
    made = texture(seen_where(surface, surface.position[:, 2] > 0.2, paint(surface.position)), surface, atlas)
    at_vertices = sample(made, atlas.uv * 128).astype(np.float64)
    mean = np.stack([np.bincount(atlas.source, channel) for channel in at_vertices.T], axis=1)
    mean /= np.bincount(atlas.source)[:, None]
    assert np.abs(at_vertices - mean[atlas.source]).max() <= 3


def test_an_unseen_component_takes_the_nearest_colors() -> None:
    one, other = cube_atlas(4), cube_atlas(4)
    far = Atlas(other.vertices + np.float32([3, 0, 0]), other.faces, other.uv, other.source, "test")
    atlas = joined(one, far)
    surface = texels(atlas, 128)
    known = surface.position[:, 0] < 1.5
    color = np.where(surface.position[:, :1] > 0.9, [0.1, 0.9, 0.1], [0.9, 0.1, 0.1])
    made = fill.fill_surface(seen_where(surface, known, color), surface, atlas)
    assert np.abs(made[~known] - [0.1, 0.9, 0.1]).max() < 0.35
    assert (made[~known, 1] > made[~known, 0]).all()


def test_nothing_seen_and_no_texels_give_grey() -> None:
    atlas = cube_atlas(2)
    surface = texels(atlas, 32)
    assert (texture(seen_where(surface, False, [0, 0, 0]), surface, atlas) == 128).all()
    empty = Atlas(atlas.vertices, atlas.faces[:0], atlas.uv, atlas.source, "test")
    assert (padding.pad_charts(np.zeros((0, 3)), texels(empty, 16)) == 128).all()


def test_mip_levels_mix_in_no_other_color() -> None:
    atlas = cube_atlas(4)
    surface = texels(atlas, 96)
    bright = 0.7 + 0.3 * paint(surface.position)  # well away from black
    level = padding.pad_charts(bright, surface).astype(np.float64)
    darkest = bright.min() * 255
    while len(level) % 2 == 0:
        level = level.reshape(len(level) // 2, 2, -1, 2, 3).mean(axis=(1, 3))
        assert level.min() >= darkest - 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_push_pull_keeps_known_pixels_and_their_range(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.random((height, width, 3), np.float32)
    known = rng.random((height, width)) < 0.1
    known[rng.integers(height), rng.integers(width)] = True
    filled = padding.push_pull(np.where(known[:, :, None], picture, np.nan_to_num(np.inf)), known)
    np.testing.assert_array_equal(filled[known], picture[known])
    low, high = picture[known].min(axis=0), picture[known].max(axis=0)
    assert (filled >= low - 1e-4).all()
    assert (filled <= high + 1e-4).all()


def walk_in_order(picture: Any, painted: Any, vertices: Any, faces: Any, uv: Any) -> Any:
    """The reference's vertex filling written down step by step: colours and flags of the vertices."""
    size = len(painted) - 1
    column = np.floor(uv[:, 0] * size + 0.5).astype(int)
    row = np.floor((1 - uv[:, 1]) * size + 0.5).astype(int)
    colors, known = np.zeros((len(vertices), 3)), np.zeros(len(vertices), bool)
    waiting, neighbours = [], [[] for _ in vertices]
    for face in faces:
        for k in range(3):
            vertex = face[k]
            if painted[row[vertex], column[vertex]]:
                colors[vertex], known[vertex] = picture[row[vertex], column[vertex]], True
            else:
                waiting.append(vertex)
            neighbours[vertex].append(face[(k + 1) % 3])
    patience, before = 2, 0
    while patience > 0:
        missed = 0
        for vertex in waiting:
            near = [other for other in neighbours[vertex] if known[other]]
            if near:
                apart = np.linalg.norm(vertices[near] - vertices[vertex], axis=1)
                weight = 1 / np.maximum(apart, 1e-4) ** 2
                colors[vertex] = weight @ colors[near] / weight.sum()
                known[vertex] = True
            else:
                missed += 1
        patience += -1 if missed == before else 1
        before = missed
    return colors, known, row, column


@pytest.mark.parametrize("share", [0.02, 0.2, 0.9])
def test_filling_along_the_mesh_equals_the_walk_in_order(share: float) -> None:
    rng = np.random.default_rng(5)
    atlas = cube_atlas(7, ball=True)
    faces = rng.permutation(atlas.faces)
    vertices = (atlas.vertices + rng.normal(0, 0.03, atlas.vertices.shape)).astype(np.float32)
    picture = rng.random((200, 200, 3), np.float32)
    painted = np.kron(rng.random((20, 20)) < share, np.ones((10, 10))) > 0
    expected, known, row, column = walk_in_order(picture, painted, vertices, faces, atlas.uv)
    made, mask = spread_along_mesh(picture, painted, vertices, faces, atlas.uv)
    assert known.any()
    np.testing.assert_allclose(made[row, column][known], expected[known], atol=1e-6)
    wanted = painted.copy()
    wanted[row[known], column[known]] = True
    np.testing.assert_array_equal(mask, wanted)


def test_large_meshes_are_filled_as_small_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above ``MAX_DIRECT_NODES`` nodes another solver gives the same colours, to less than an 8-bit step."""
    count = 900
    right = np.arange(count).reshape(30, 30)
    a = np.concatenate([right[:, :-1].ravel(), right[:-1].ravel()])
    b = np.concatenate([right[:, 1:].ravel(), right[1:].ravel()])
    hold = np.where(np.arange(count) % 30 < 4, 8.0, 1e-9)
    values = np.random.default_rng(0).uniform(0, 1, (count, 3))
    direct = fill.solve_diffusion(fill.EdgeGraph(a, b, np.ones(len(a))), hold, values)
    monkeypatch.setattr(fill, "MAX_DIRECT_NODES", 100)
    np.testing.assert_allclose(
        fill.solve_diffusion(fill.EdgeGraph(a, b, np.ones(len(a))), hold, values), direct, atol=2e-3
    )


def test_what_is_solved_for_on_large_meshes_is_what_texels_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small unseen patch the solved part is small, and the colours are those of the whole."""
    atlas = cube_atlas(24, ball=True)
    surface = texels(atlas, 512)
    color = 0.5 + 0.5 * np.sin(4 * surface.position)
    seen = seen_where(surface, surface.normal[:, 2] < 0.93, color)
    whole = fill.fill_surface(seen, surface, atlas)
    solved: list[int] = []
    solve = fill.solve_diffusion
    monkeypatch.setattr(
        fill, "solve_diffusion", lambda edges, hold, own: solved.append(len(hold)) or solve(edges, hold, own)
    )
    monkeypatch.setattr(fill, "MAX_DIRECT_NODES", 100)
    part = fill.fill_surface(seen, surface, atlas)
    assert 0 < solved[0] < 0.4 * fill.weld_atlas(atlas)[1]
    assert np.abs(part - whole).max() < 0.5 / 255


def test_a_part_of_which_nothing_was_seen_is_filled_on_large_meshes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    away = cube_atlas(8)
    away = Atlas(away.vertices + np.float32([5, 0, 0]), away.faces, away.uv, away.source, away.method)
    atlas = joined(cube_atlas(8), away)
    surface = texels(atlas, 256)
    first = surface.position[:, 0] < 2.5
    monkeypatch.setattr(fill, "MAX_DIRECT_NODES", 100)
    made = fill.fill_surface(seen_where(surface, first, [0.2, 0.6, 0.8]), surface, atlas)
    np.testing.assert_allclose(made, np.broadcast_to([0.2, 0.6, 0.8], made.shape), atol=1 / 255)


def test_a_large_mesh_that_was_seen_all_over_keeps_its_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = cube_atlas(8)
    surface = texels(atlas, 128)
    monkeypatch.setattr(fill, "MAX_DIRECT_NODES", 100)
    made = fill.fill_surface(seen_where(surface, True, [0.2, 0.6, 0.8]), surface, atlas)
    np.testing.assert_array_equal(made, np.broadcast_to(np.float32([0.2, 0.6, 0.8]), made.shape))
