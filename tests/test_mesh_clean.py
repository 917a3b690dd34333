from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_samples import blob, box, coloured, joined, real, sphere, torus
from parity_path import parity_dir

from manymesh.errors import DamagedMeshError
from manymesh.mesh.clean.clean import clean, drop_floaters
from manymesh.mesh.inspect import inspect
from manymesh.mesh.normalise import normalise
from manymesh.types import Mesh

few = settings(max_examples=12, derandomize=True, deadline=None)


def test_a_mesh_in_order_is_left_alone() -> None:
    mesh = coloured(torus())
    cleaned, notes = clean(mesh)
    assert notes == []
    assert np.array_equal(cleaned.vertices, mesh.vertices)
    assert np.array_equal(cleaned.faces, mesh.faces)
    assert np.array_equal(cleaned.colors, mesh.colors)


@pytest.mark.parametrize(
    "mesh", [box(), sphere(), torus(), blob(1), blob(2)], ids=["box", "sphere", "torus", "b1", "b2"]
)
def test_facts_agree_with_trimesh(mesh: Mesh) -> None:
    import trimesh

    mesh, _ = clean(mesh, floater_share=0)
    found = inspect(mesh)
    other = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert found.watertight == other.is_watertight
    assert found.winding == other.is_winding_consistent
    assert found.euler == other.euler_number
    assert found.components == len(trimesh.graph.connected_components(other.face_adjacency))
    assert found.area == pytest.approx(other.area)
    assert found.volume == pytest.approx(other.volume, rel=1e-5)


def test_genus_counts_handles() -> None:
    assert inspect(sphere()).genus == 0
    assert inspect(torus()).genus == 1


def test_faces_with_bad_vertices_go_and_others_stay() -> None:
    mesh = sphere()
    vertices = np.concatenate([mesh.vertices, [[np.nan, 0, 0], [np.inf, 1, 1]]]).astype(np.float32)
    n = len(mesh.vertices)
    faces = np.concatenate([mesh.faces, [[0, 1, n], [n + 1, n, 2], [0, 1, 99999], [-1, 0, 1]]]).astype(np.int32)
    cleaned, notes = clean(Mesh(vertices, faces))
    assert len(cleaned.faces) == len(mesh.faces)
    assert "4 faces" in notes[0]
    assert inspect(cleaned).solid


def test_triangle_soup_is_sewn_together_and_repeats_go() -> None:
    mesh = torus()
    soup = mesh.vertices[np.concatenate([mesh.faces, mesh.faces[:7]])].reshape(-1, 3)
    cleaned, _ = clean(Mesh(soup, np.arange(len(soup), dtype=np.int32).reshape(-1, 3)))
    assert inspect(cleaned).solid
    assert len(cleaned.faces) == len(mesh.faces)


def test_winding_is_made_consistent_and_outward() -> None:
    mesh = joined(torus(), sphere(2, 0.3, (3, 0, 0)))
    faces = mesh.faces.copy()
    turned = np.random.default_rng(0).random(len(faces)) < 0.3
    faces[turned] = faces[turned][:, ::-1]
    cleaned, _ = clean(Mesh(mesh.vertices, faces))
    assert inspect(cleaned).solid
    assert inspect(cleaned).volume == pytest.approx(inspect(mesh).volume, rel=1e-5)
    assert inspect(clean(Mesh(mesh.vertices, mesh.faces[:, ::-1].copy()))[0]).solid


def test_a_cavity_stays_hollow() -> None:
    inner = sphere(2, 0.5)
    hollow = joined(sphere(3), Mesh(inner.vertices, inner.faces[:, ::-1].copy()))
    cleaned, notes = clean(hollow)
    assert notes == []
    assert inspect(cleaned).volume == pytest.approx(inspect(hollow).volume, rel=1e-6)


def test_two_cubes_that_share_an_edge_are_parted() -> None:
    one = box(-1, 0)
    two = Mesh(one.vertices + np.float32([1, 1, 0]), one.faces)
    cleaned, _ = clean(joined(one, two))
    found = inspect(cleaned)
    assert found.solid
    assert found.components == 2
    # A reader that merges equal positions must not glue them again.
    assert len(np.unique(cleaned.vertices, axis=0)) == len(cleaned.vertices)
    assert np.abs(found.volume - 2) < 0.05


def test_two_cubes_that_share_a_corner_are_parted() -> None:
    one = box(-1, 0)
    two = Mesh(one.vertices + np.float32([1, 1, 1]), one.faces)
    found = inspect(clean(joined(one, two))[0])
    assert found.solid
    assert found.components == 2


def test_faces_without_area_go_and_leave_no_slit() -> None:
    mesh = box()
    # A cap: the middle of an edge, on one side only. Its neighbour must take the vertex in.
    face = mesh.faces[0]
    middle = (mesh.vertices[face[0]] + mesh.vertices[face[1]]) / 2
    n = len(mesh.vertices)
    faces = np.concatenate([mesh.faces[1:], [[face[0], n, face[2]], [n, face[1], face[2]], [face[0], face[1], n]]])
    cleaned, notes = clean(Mesh(np.concatenate([mesh.vertices, [middle]]), faces.astype(np.int32)))
    found = inspect(cleaned)
    assert found.solid
    assert found.degenerate == 0
    assert found.volume == pytest.approx(8)
    assert any("without area" in note for note in notes)


@pytest.mark.parametrize(
    "mesh",
    [
        Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)),
        Mesh(np.full((3, 3), np.nan, np.float32), np.int32([[0, 1, 2]])),
        Mesh(np.zeros((3, 3), np.float32), np.int32([[0, 1, 2]])),
        Mesh(np.float32([[0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.int32([[0, 1, 2]])),
        Mesh(np.zeros((3, 2), np.float32), np.int32([[0, 1, 2]])),
    ],
    ids=["empty", "nan", "point", "line", "flat array"],
)
def test_nothing_left_is_an_error_for_people(mesh: Mesh) -> None:
    with pytest.raises(DamagedMeshError):
        clean(mesh)


@few
@given(st.integers(0, 10_000), st.floats(-0.2, 0.2))
def test_random_closed_meshes_become_solid(seed: int, threshold: float) -> None:
    mesh = blob(seed, 18, threshold)
    # Vertices squeezed onto a coarse grid: needles, caps, crowded edges and touching corners.
    squeezed = Mesh(np.round(mesh.vertices * 6).astype(np.float32) / 6, mesh.faces)
    for damaged in (mesh, squeezed):
        try:
            cleaned, _ = clean(damaged, floater_share=0)
        except DamagedMeshError:
            continue
        found = inspect(cleaned)
        assert found.watertight, found
        assert found.manifold, found
        assert found.winding, found
        assert len(np.unique(cleaned.vertices, axis=0)) == len(cleaned.vertices)


def test_real_models_come_closed_as_far_as_they_are() -> None:
    for name, closed in (("Duck.glb", True), ("Fox.gltf", True), ("sofia.stl", True), ("Bunny.obj", False)):
        found = inspect(clean(real(name))[0])
        assert found.manifold, name
        assert found.winding, name
        assert found.watertight == closed, name


def test_floaters_go_by_share_of_the_largest_part() -> None:
    small, tiny = sphere(1, 0.1, (2, 0, 0)), box(3, 3.1)
    mesh = joined(sphere(4), small, tiny)  # 5120, 80 and 12 faces; 0.5 % is 25.6
    assert len(drop_floaters(mesh).faces) == 5200
    assert len(drop_floaters(mesh, share=0.02).faces) == 5120
    assert len(clean(mesh, floater_share=0)[0].faces) == 5212


def test_floaters_match_the_reference() -> None:
    from safetensors.numpy import load_file

    data = load_file(parity_dir("shape") / "11_postprocess.safetensors")
    for suffix, vertices, faces in (("", 10404, 20802), ("2", 5150, 10288)):
        kept = drop_floaters(Mesh(data["vertices" + suffix], data["faces" + suffix]))
        assert (len(kept.vertices), len(kept.faces)) == (vertices, faces)


@few
@given(st.integers(0, 1000), st.floats(0.001, 1000), st.tuples(*[st.floats(-100, 100)] * 3))
def test_normalise_spans_exactly_one(seed: int, scale: float, move: tuple[float, float, float]) -> None:
    mesh = blob(seed, 12)
    moved = Mesh((mesh.vertices * scale + np.array(move)).astype(np.float32), mesh.faces)
    placed, matrix = normalise(moved)
    low, high = placed.vertices.min(axis=0), placed.vertices.max(axis=0)
    axis = (high - low).argmax()
    assert (low[axis], high[axis]) == (-1, 1)
    assert np.abs(low + high).max() < 1e-6
    assert np.abs(placed.vertices).max() <= 1
    again = moved.vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.abs(again - placed.vertices).max() < 1e-6


def test_a_point_cannot_be_normalised() -> None:
    with pytest.raises(DamagedMeshError):
        normalise(Mesh(np.ones((3, 3), np.float32), np.int32([[0, 1, 2]])))
