"""Very dense shapes are reduced before they are inspected; what was wrong with them is found all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh
from fakes import Diary, fake_plan

from manymesh.mesh.inspect import inspect
from manymesh.render.camera import orthographic
from manymesh.run.artifacts import store_view
from manymesh.runner import steps
from manymesh.settings import Settings
from manymesh.types import Mesh


def ring(side: int = 60) -> Mesh:
    made = trimesh.creation.torus(major_radius=0.7, minor_radius=0.25, major_sections=side, minor_sections=side)
    return Mesh(made.vertices.astype(np.float32), made.faces.astype(np.int32))


def beside(mesh: Mesh, other: Mesh) -> Mesh:
    faces = np.concatenate([mesh.faces, other.faces + len(mesh.vertices)])
    return Mesh(np.concatenate([mesh.vertices, other.vertices]), faces)


def refined(shape: Mesh, budget: int) -> tuple[Mesh, dict[str, Any]]:
    record = SimpleNamespace(facts={}, view=None)
    store_view(record, orthographic(1.5))  # type: ignore[arg-type]
    plan = fake_plan(Diary(), Settings(faces=budget))
    left = dict(steps.refine(shape, record, plan, None, lambda done: None))  # type: ignore[arg-type]
    made = left["mesh"]
    assert isinstance(made, Mesh)
    return made, record.facts


def test_a_sound_dense_shape_gives_the_same_mesh_with_and_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, facts = refined(ring(), 500)
    monkeypatch.setattr(steps, "UNSEEN", 1000)
    unseen, same = refined(ring(), 500)
    assert unseen.vertices.tobytes() == looked.vertices.tobytes()
    assert unseen.faces.tobytes() == looked.faces.tobytes()
    assert same == facts
    assert inspect(unseen).is_sound


def test_a_dense_shape_with_a_loose_part_is_cleaned_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    tetrahedron = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)
    shape = beside(ring(), Mesh(0.1 * corners, tetrahedron))
    looked, facts = refined(shape, 500)
    monkeypatch.setattr(steps, "UNSEEN", 1000)
    unseen, same = refined(shape, 500)
    assert unseen.faces.tobytes() == looked.faces.tobytes()
    assert same == facts
    assert facts["cleaned"]
    assert facts["components"] == 1


@pytest.mark.parametrize("fault", ["soup", "not finite"])
def test_a_shape_that_cannot_be_reduced_as_it_is_is_looked_at_first(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(steps, "UNSEEN", 1000)
    mesh = ring(30)
    if fault == "soup":
        shape = Mesh(
            mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(3 * len(mesh.faces), dtype=np.int32).reshape(-1, 3)
        )
    else:
        shape = Mesh(np.concatenate([mesh.vertices, np.full((1, 3), np.nan, np.float32)]), mesh.faces)
    made, facts = refined(shape, 400)
    assert inspect(made).is_sound
    assert facts["cleaned"]
