"""Denoising: flats get flatter, edges stay, and so do volume and topology."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manymesh.mesh.denoise import denoised
from manymesh.mesh.inspect import inspect
from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.mesh.topology import face_cross, six_volumes, unit
from manymesh.types import Mesh

HALF = 8.0


def box() -> Mesh:
    """A cube of side 2 HALF from a grid of steps 1, with sharp edges."""
    axis = np.arange(-HALF - 2, HALF + 3)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    inside = HALF + 0.5 - np.maximum(np.maximum(abs(x), abs(y)), abs(z))
    vertices, faces = marching_cubes(inside.astype(np.float32))
    return Mesh((vertices - HALF - 2).astype(np.float32), faces)


def noisy(mesh: Mesh, seed: int, size: float = 0.15) -> np.ndarray:
    return mesh.vertices + np.random.default_rng(seed).normal(0, size, mesh.vertices.shape)


def on_flats(mesh: Mesh) -> np.ndarray:
    """Vertices of the six sides, three steps from any edge."""
    return (np.sort(np.abs(mesh.vertices), axis=1)[:, 1] < HALF - 3) & (np.abs(mesh.vertices).max(axis=1) > HALF)


def off_flat(mesh: Mesh, vertices: np.ndarray) -> float:
    return float(np.abs(np.abs(vertices).max(axis=1) - HALF - 0.5)[on_flats(mesh)].mean())


@settings(max_examples=3, derandomize=True, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_noisy_box_gets_flatter_and_keeps_edges_and_volume(seed: int) -> None:
    mesh = box()
    before = noisy(mesh, seed)
    after = denoised(before, mesh.faces)
    assert off_flat(mesh, after) < 0.5 * off_flat(mesh, before)
    true = unit(face_cross(mesh.vertices, mesh.faces))
    axis_like = np.abs(true).max(axis=1) > 0.99
    agree = np.einsum("nc,nc->n", true, unit(face_cross(after, mesh.faces)))[axis_like]
    worse = np.einsum("nc,nc->n", true, unit(face_cross(before, mesh.faces)))[axis_like]
    assert agree.mean() > 0.985 > worse.mean()
    # An edge that was rounded would lie within: the ring of vertices next to it is still as far out.
    rim = np.sort(np.abs(mesh.vertices), axis=1)[:, 1] > HALF - 0.1
    assert np.abs(after).max(axis=1)[rim].mean() > HALF - 0.1
    volume = six_volumes(mesh.vertices, mesh.faces).sum()
    assert six_volumes(after, mesh.faces).sum() == pytest.approx(volume, rel=0.02)


def test_topology_stays() -> None:
    mesh = box()
    after = Mesh(denoised(noisy(mesh, 3), mesh.faces).astype(np.float32), mesh.faces)
    assert inspect(after).watertight
    assert inspect(after).components == 1


def test_a_clean_box_stays_as_it_is_and_the_same_again_is_the_same() -> None:
    mesh = box()
    once = denoised(mesh.vertices, mesh.faces)
    assert np.abs(once - mesh.vertices).mean() < 0.06
    assert np.array_equal(once, denoised(mesh.vertices, mesh.faces))


def test_nothing_in_nothing_out() -> None:
    assert denoised(np.zeros((0, 3)), np.zeros((0, 3), np.int32)).shape == (0, 3)
