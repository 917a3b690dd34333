from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_samples import blob, box, joined, real, sphere, spiral, textured, torus

from manymesh.mesh.clean.clean import clean
from manymesh.mesh.formats.glb import write_glb
from manymesh.mesh.simplify import reduce
from manymesh.mesh.topology import connected_components, distinct
from manymesh.mesh.unwrap import coarse, parameterize
from manymesh.mesh.unwrap.pack import padding_px
from manymesh.mesh.unwrap.raster import covered
from manymesh.mesh.unwrap.unwrap import unwrap
from manymesh.types import Atlas, Mesh


def uv_areas(atlas: Atlas) -> np.ndarray:
    """Twice the area of each face in the texture, positive when not mirrored (v runs down)."""
    a, b, c = (atlas.uv.astype(np.float64)[atlas.faces[:, k]] for k in range(3))
    return -((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))


def assert_sound(atlas: Atlas, mesh: Mesh, size: int) -> None:
    assert np.array_equal(atlas.source[atlas.faces], mesh.faces)
    assert np.array_equal(atlas.vertices, mesh.vertices[atlas.source])
    assert atlas.uv.min() >= 0
    assert atlas.uv.max() <= 1
    assert (uv_areas(atlas) > 0).all()
    _, chart = connected_components(len(atlas.uv), np.concatenate([atlas.faces[:, :2], atlas.faces[:, 1:]]))
    owner = np.zeros((size, size), dtype=np.int64)
    hits = np.zeros((size, size), dtype=np.int64)
    for face, x, y in covered(atlas.uv.astype(np.float64)[atlas.faces] * size):
        np.add.at(hits, (y, x), 1)
        owner[y, x] = chart[atlas.faces[face, 0]] + 1
    assert hits.max() <= 1, f"{(hits > 1).sum()} pixels are covered twice"
    # No other chart within the padding; centres say so up to one pixel.
    reach = padding_px(size) - 1
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy > reach * reach:
                continue
            near = np.roll(owner, (dy, dx), axis=(0, 1))
            clash = (owner > 0) & (near > 0) & (owner != near)
            inner = clash[reach : size - reach, reach : size - reach]
            assert not inner.any(), f"charts come closer than {padding_px(size)} pixels"


@settings(max_examples=5, derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([256, 512]))
def test_random_meshes_unwrap_without_overlap(seed: int, size: int) -> None:
    mesh, _ = clean(blob(seed))
    mesh = reduce(mesh, 1200)
    assert_sound(unwrap(mesh, size), mesh, size)


@pytest.mark.parametrize("mesh", [box(), sphere(3), torus(), spiral()], ids=["box", "sphere", "torus", "spiral"])
def test_simple_shapes_unwrap(mesh: Mesh) -> None:
    assert_sound(unwrap(mesh, 256), mesh, 256)


def test_a_ramp_over_itself_is_split() -> None:
    atlas = unwrap(spiral(), 512)
    count, _ = connected_components(len(atlas.uv), np.concatenate([atlas.faces[:, :2], atlas.faces[:, 1:]]))
    assert count >= 2


def test_real_models_unwrap_with_even_density() -> None:
    mesh, _ = clean(real("Duck.glb"))
    atlas = unwrap(mesh, 512)
    assert_sound(atlas, mesh, 512)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    real_area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    density = np.sqrt(uv_areas(atlas) / real_area)
    density /= np.average(density, weights=real_area)
    assert np.average(np.abs(density - 1) < 0.25, weights=real_area) > 0.9
    assert uv_areas(atlas).sum() / 2 > 0.45  # of the texture is used


def test_many_parts_and_a_tiny_texture() -> None:
    parts = [Mesh(box(0, 0.2).vertices + np.float32([i % 5, i // 5, 0]), box().faces) for i in range(25)]
    mesh = joined(*parts)
    atlas = unwrap(mesh, 64)
    assert (uv_areas(atlas) > 0).all()
    assert atlas.uv.min() >= 0
    assert atlas.uv.max() <= 1


def test_unwrapping_and_writing_fifty_times_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also beside another thread that changes ``sys.path``; no child process is started, which could inherit that."""
    monkeypatch.setattr(subprocess, "Popen", None)
    mesh = box()
    done = threading.Event()

    def change_the_path() -> None:
        while not done.wait(0.001):
            sys.path.insert(0, "elsewhere")
            sys.path.remove("elsewhere")

    other = threading.Thread(target=change_the_path)
    other.start()
    try:
        made = {write_glb(textured(unwrap(mesh, 32))) for _ in range(50)}
    finally:
        done.set()
        other.join()
    assert len(made) == 1


@pytest.mark.parametrize("mesh", [sphere(4), torus(), spiral()], ids=["sphere", "torus", "spiral"])
def test_large_meshes_unwrap_as_small_ones_do(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above ``MANY_VERTICES`` charts are flattened on a grid first: as sound, and nearly as even."""
    direct = unwrap(mesh, 256)
    monkeypatch.setattr(parameterize, "MANY_VERTICES", 0)
    atlas = unwrap(mesh, 256)
    assert atlas.uv.tobytes() != direct.uv.tobytes(), "the other way was not taken"
    assert_sound(atlas, mesh, 256)
    assert l2_stretch(atlas) < 1.01 * l2_stretch(direct)


def test_many_small_charts_are_flattened_without_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chart has grid points of its own, so that their grid would be larger than the mesh."""
    corners = np.random.default_rng(0).uniform(-1, 1, (300, 3, 3)).astype(np.float32)
    mesh = Mesh(corners.reshape(-1, 3), np.arange(900, dtype=np.int32).reshape(-1, 3))
    monkeypatch.setattr(parameterize, "MANY_VERTICES", 0)
    monkeypatch.setattr(coarse, "solve_coarse", lambda *_: pytest.fail("the grid was used"))
    assert len(unwrap(mesh, 64).faces) == 300


def l2_stretch(atlas: Atlas) -> float:
    """The root mean square of how much the texture is stretched on the surface (Sander et al. 2001); 1 is best."""
    places, flat = atlas.vertices.astype(np.float64)[atlas.faces], atlas.uv.astype(np.float64)[atlas.faces]
    across = np.linalg.inv((flat[:, 1:] - flat[:, :1]).transpose(0, 2, 1))
    gradient = (places[:, 1:] - places[:, :1]).transpose(0, 2, 1) @ across
    area = np.linalg.norm(np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]), axis=1)
    squared = (gradient**2).sum(axis=(1, 2)) / 2
    share = np.abs(uv_areas(atlas)).sum() / area.sum()
    return float(np.sqrt((squared * area).sum() / area.sum() * share))


@given(st.lists(st.integers(0, 60), max_size=200))
def test_distinct_numbers_are_those_of_numpy(numbers: list[int]) -> None:
    key = np.array(numbers, np.int64)
    unique, place = np.unique(key, return_inverse=True)
    found, where = distinct(key)
    np.testing.assert_array_equal(found, unique)
    np.testing.assert_array_equal(where, place)
