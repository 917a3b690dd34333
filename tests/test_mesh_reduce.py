from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_samples import blob, box, joined, plate, real, sphere, torus
from parity_path import parity_dir
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from manymesh.errors import DamagedMeshError
from manymesh.mesh import reduce_apart, simplify
from manymesh.mesh.clean.clean import clean
from manymesh.mesh.inspect import inspect
from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.mesh.simplify import reduce
from manymesh.mesh.topology import face_cross, unit
from manymesh.types import Mesh


@settings(max_examples=12, derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.integers(100, 1500))
def test_the_budget_is_honoured_and_the_mesh_stays_solid(seed: int, budget: int) -> None:
    mesh, _ = clean(blob(seed))
    small = reduce(mesh, budget)
    found = inspect(small)
    assert len(small.faces) <= budget
    assert found.solid, found
    if len(mesh.faces) > budget:
        assert len(small.faces) >= 0.9 * budget - 4


@cache
def cleaned(name: str) -> Mesh:
    return clean(real(name))[0]


@pytest.mark.parametrize("budget", [100, 1000, 5000])
@pytest.mark.parametrize("name", ["Duck.glb", "Fox.gltf", "sofia.stl"])
def test_real_models_stay_solid(name: str, budget: int) -> None:
    mesh = cleaned(name)
    small = reduce(mesh, budget)
    assert inspect(small).solid
    assert 0.9 * min(budget, len(mesh.faces)) <= len(small.faces) <= budget


def test_within_the_budget_nothing_changes() -> None:
    mesh = torus()
    assert reduce(mesh, len(mesh.faces)) is mesh


def test_a_smooth_shape_keeps_volume_and_extent() -> None:
    mesh = sphere(5)
    small = reduce(mesh, 2000)
    assert inspect(small).volume == pytest.approx(inspect(mesh).volume, rel=0.01)
    assert np.abs(np.linalg.norm(small.vertices, axis=1) - 1).max() < 0.02


@pytest.mark.parametrize("bend", [0.0, 0.1])
def test_a_thin_plate_keeps_both_sides(bend: float) -> None:
    mesh = plate(bend=bend)
    assert inspect(mesh).solid
    small = reduce(mesh, 1000)
    assert inspect(small).solid
    assert 600 < len(small.faces) <= 1000
    assert inspect(small).volume == pytest.approx(inspect(mesh).volume, rel=0.02)
    normals = unit(face_cross(small.vertices, small.faces))
    middle = small.vertices[small.faces].mean(axis=1)
    height = middle[:, 2] - bend * np.sin(3 * middle[:, 0])
    broad = np.abs(normals[:, 2]) > 0.7
    assert (np.sign(normals[:, 2]) == np.sign(height))[broad].all()


def test_colours_come_from_the_nearest_vertex() -> None:
    mesh = sphere(4)
    red = np.where(mesh.vertices[:, :1] > 0, np.uint8([[255, 0, 0]]), np.uint8([[0, 0, 255]]))
    small = reduce(Mesh(mesh.vertices, mesh.faces, red), 300)
    clear = np.abs(small.vertices[:, 0]) > 0.1
    assert ((small.colors[:, 0] == 255) == (small.vertices[:, 0] > 0))[clear].all()


def test_more_parts_than_faces_still_ends_within_the_budget() -> None:
    rng = np.random.default_rng(0)
    cubes = [Mesh(box(0, 0.05).vertices + rng.random(3).astype(np.float32) * 5, box().faces) for _ in range(200)]
    small = reduce(joined(*cubes), 100)
    assert 0 < len(small.faces) <= 100
    assert inspect(small).watertight
    assert inspect(small).manifold


def test_no_mesh_of_three_faces() -> None:
    with pytest.raises(DamagedMeshError):
        reduce(sphere(2), 3)


def test_same_input_same_output() -> None:
    mesh, _ = clean(blob(5))
    one, two = reduce(mesh, 700), reduce(mesh, 700)
    assert one.vertices.tobytes() == two.vertices.tobytes()
    assert one.faces.tobytes() == two.faces.tobytes()


def cloud(seed: int) -> Mesh:
    """Something large enough that two threads reduce at the same time."""
    volume = gaussian_filter(np.random.default_rng(seed).normal(size=(32, 32, 32)).astype(np.float32), 2) - 0.01
    for axis in range(3):
        np.moveaxis(volume, axis, 0)[[0, -1]] = -1
    return Mesh(*marching_cubes(volume))


def test_two_threads_get_their_own_meshes() -> None:
    meshes = [cloud(seed) for seed in range(4)]
    alone = [reduce(mesh, 3000) for mesh in meshes]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda mesh: reduce(mesh, 3000), meshes * 3))
    for found, wanted in zip(together, alone * 3, strict=True):
        assert np.array_equal(found.vertices, wanted.vertices)
        assert np.array_equal(found.faces, wanted.faces)


def test_reduction_matches_the_reference_in_effect() -> None:
    from safetensors.numpy import load_file

    data = load_file(parity_dir("shape") / "11_postprocess.safetensors")
    mesh, _ = clean(Mesh(data["vertices"], data["faces"]))
    for budget, volume, area in ((5000, 2.150022, 8.146174), (1000, 2.142067, 8.136001)):
        small = reduce(mesh, budget)
        assert budget - 2 <= len(small.faces) <= budget
        assert inspect(small).volume == pytest.approx(volume, rel=1e-3)
        assert inspect(small).area == pytest.approx(area, rel=1e-3)
        assert inspect(small).components == 2


def dense_torus(side: int) -> Mesh:
    """(2 side^2) faces."""
    import trimesh

    ring = trimesh.creation.torus(major_radius=0.7, minor_radius=0.25, major_sections=side, minor_sections=side)
    return clean(Mesh(ring.vertices.astype(np.float32), ring.faces.astype(np.int32)))[0]


def test_a_very_dense_mesh_is_hurried_and_stays_solid_and_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplify, "LARGE", 5_000)
    mesh = dense_torus(120)
    seen: list[tuple[int, float]] = []
    real_call = simplify._simplified

    def listening(points: np.ndarray, faces: np.ndarray, target: int, aggressiveness: float) -> object:
        seen.append((target, aggressiveness))
        return real_call(points, faces, target, aggressiveness)

    monkeypatch.setattr(simplify, "_simplified", listening)
    small = reduce(mesh, 1000)
    assert seen[0] == (7500, simplify.HURRY)
    assert len(small.faces) <= 1000
    assert inspect(small).solid
    dense = cKDTree(mesh.vertices)
    assert dense.query(small.vertices)[0].max() < 0.1 * float(np.ptp(mesh.vertices, axis=0).max())


def test_a_hurry_that_tears_the_mesh_is_done_again_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplify, "_hurried", lambda mesh, faces: Mesh(mesh.vertices, mesh.faces[5:]))
    small = reduce(dense_torus(60), 1000)
    assert inspect(small).solid


@pytest.mark.parametrize("colored", [False, True])
def test_a_process_of_its_own_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch, colored: bool) -> None:
    monkeypatch.setattr(reduce_apart, "LARGE", 1000)
    monkeypatch.setattr(reduce_apart, "usable_cores", lambda: 8)
    mesh = dense_torus(40)
    if colored:
        mesh = replace(mesh, colors=np.arange(3 * len(mesh.vertices), dtype=np.uint8).reshape(-1, 3))
    here = reduce(mesh, 500)
    monkeypatch.setattr(reduce_apart, "reduce", None)  # not in this process
    apart = reduce_apart.reduce_apart(mesh, 500)
    assert apart.vertices.tobytes() == here.vertices.tobytes()
    assert apart.faces.tobytes() == here.faces.tobytes()
    assert (apart.colors is None) == (here.colors is None)
    if here.colors is not None and apart.colors is not None:
        assert apart.colors.tobytes() == here.colors.tobytes()


def test_the_process_imports_nothing_from_the_working_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("open('imported', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    mesh = dense_torus(40)
    made = reduce_apart._in_process(mesh, 500)
    assert made is not None
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("python", ["no-such-program", "/bin/false", "/bin/true"])
def test_where_no_process_can_be_started_the_mesh_is_reduced_here(
    monkeypatch: pytest.MonkeyPatch, python: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reduce_apart, "LARGE", 1000)
    monkeypatch.setattr(reduce_apart, "usable_cores", lambda: 8)
    monkeypatch.setattr(sys, "executable", python)
    mesh = dense_torus(40)
    assert reduce_apart.reduce_apart(mesh, 500).faces.tobytes() == reduce(mesh, 500).faces.tobytes()
    assert "A mesh is reduced in this process" in caplog.text
