from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_samples import blob, box, joined, real, sphere, spiral, torus

import manymesh.mesh.unwrap.unwrap as unwrap_module
from manymesh.errors import Cancelled
from manymesh.mesh.clean.clean import clean
from manymesh.mesh.simplify import reduce
from manymesh.mesh.topology import connected_components
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
    assert_sound(unwrap(mesh, size, method="charts"), mesh, size)


@pytest.mark.parametrize("mesh", [box(), sphere(3), torus(), spiral()], ids=["box", "sphere", "torus", "spiral"])
def test_simple_shapes_unwrap(mesh: Mesh) -> None:
    assert_sound(unwrap(mesh, 256, method="charts"), mesh, 256)


def test_a_ramp_over_itself_is_split() -> None:
    atlas = unwrap(spiral(), 512, method="charts")
    count, _ = connected_components(len(atlas.uv), np.concatenate([atlas.faces[:, :2], atlas.faces[:, 1:]]))
    assert count >= 2


@pytest.mark.parametrize("method", ["charts", "xatlas"])
def test_real_models_unwrap_with_even_density(method: str) -> None:
    mesh, _ = clean(real("Duck.glb"))
    atlas = unwrap(mesh, 512, method=method, time_limit_s=60)
    assert atlas.method == method
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
    atlas = unwrap(mesh, 64, method="charts")
    assert (uv_areas(atlas) > 0).all()
    assert atlas.uv.min() >= 0
    assert atlas.uv.max() <= 1


@pytest.mark.parametrize("method", ["charts", "xatlas"])
def test_same_input_same_bytes(method: str) -> None:
    mesh = torus()
    one, two = (unwrap(mesh, 256, method=method, time_limit_s=60) for _ in range(2))
    assert one.uv.tobytes() == two.uv.tobytes()
    assert one.faces.tobytes() == two.faces.tobytes()


def test_a_time_out_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []
    real_popen = subprocess.Popen

    def slow(arguments: list[str], **options: object) -> subprocess.Popen:
        started.append(real_popen([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        return started[-1]

    monkeypatch.setattr(unwrap_module.subprocess, "Popen", slow)
    atlas = unwrap(box(), 128, time_limit_s=0.2)
    assert atlas.method == "charts (xatlas ran longer than 0.2 s)"
    assert started[0].poll() is not None, "the process outlived the call"


def test_a_crash_of_xatlas_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real_popen = subprocess.Popen
    crash = [sys.executable, "-c", "import os; os._exit(9)"]
    monkeypatch.setattr(unwrap_module.subprocess, "Popen", lambda arguments, **options: real_popen(crash, **options))
    assert unwrap(box(), 128).method == "charts (xatlas ended with code 9)"


def test_cancelling_stops_xatlas() -> None:
    def tick(share: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        unwrap(sphere(4), 128, method="xatlas", tick=tick)
