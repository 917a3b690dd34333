"""The camera fitted to a cutout, and how well a silhouette agrees with it."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from manymesh.errors import ObjectError
from manymesh.render.camera import fit_front_camera, project
from manymesh.render.raster import raster_view
from manymesh.render.silhouette import silhouette_iou
from manymesh.types import U8, Mesh


def disc_alpha(radius: int = 20, width: int = 80, height: int = 60) -> U8:
    y, x = np.mgrid[:height, :width]
    return np.where((x - 30) ** 2 + (y - 25) ** 2 < radius**2, 255, 0).astype(np.uint8)


def ball(scale: tuple[float, float, float]) -> Mesh:
    body = trimesh.creation.icosphere(subdivisions=3)
    return Mesh((body.vertices * scale).astype(np.float32), body.faces.astype(np.int32))


def iou(mesh: Mesh, alpha: U8) -> float:
    return silhouette_iou(fit_front_camera(mesh, alpha), mesh.vertices, mesh.faces, alpha, 256)


def test_the_fitted_camera_lays_the_mesh_onto_the_cutout() -> None:
    alpha = disc_alpha()
    mesh = ball((1, 1, 0.4))
    camera = fit_front_camera(mesh, alpha)
    assert iou(mesh, alpha) > 0.95
    height, width = alpha.shape
    edge, _ = project(camera, [[0, 1, 0], [1, 0, 0], [0, 0, 0.4]], width, height)
    assert edge == pytest.approx(np.array([[30.5, 6], [50, 25.5], [30.5, 25.5]]), abs=0.6)
    covered = raster_view(camera, mesh.vertices, mesh.faces, height, width).mask
    assert (covered & (alpha == 0)).mean() < 0.02


def test_a_mesh_of_other_proportions_agrees_less() -> None:
    alpha = disc_alpha()
    assert iou(ball((1, 1, 1)), alpha) > iou(ball((1, 0.5, 1)), alpha) + 0.1


def test_a_faint_cutout_is_fitted_by_all_that_is_not_clear() -> None:
    faint = (disc_alpha() // 4).astype(np.uint8)
    strong, weak = (fit_front_camera(ball((1, 1, 1)), alpha) for alpha in (disc_alpha(), faint))
    np.testing.assert_array_equal(strong.projection, weak.projection)
    np.testing.assert_array_equal(strong.world_to_camera, weak.world_to_camera)


def test_an_empty_cutout_cannot_be_fitted() -> None:
    with pytest.raises(ObjectError, match="empty"):
        fit_front_camera(ball((1, 1, 1)), np.zeros((9, 9), np.uint8))


def test_nothing_against_nothing_is_no_agreement() -> None:
    mesh = ball((1, 1, 1))
    camera = fit_front_camera(mesh, disc_alpha())
    assert silhouette_iou(camera, mesh.vertices + 100, mesh.faces, np.zeros((60, 80), np.uint8), 256) == 0.0
