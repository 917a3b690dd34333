"""Meshes for tests: closed, damaged, and real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manymesh.types import Atlas, Mesh, TexturedMesh


def box(low: float = -1.0, high: float = 1.0) -> Mesh:
    """A cube of 12 faces, wound outwards."""
    import trimesh

    solid = trimesh.creation.box(bounds=[[low] * 3, [high] * 3])
    return from_trimesh(solid)


def sphere(subdivisions: int = 3, radius: float = 1.0, centre: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    import trimesh

    solid = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    solid.apply_translation(centre)
    return from_trimesh(solid)


def torus() -> Mesh:
    import trimesh

    return from_trimesh(trimesh.creation.torus(major_radius=0.7, minor_radius=0.25))


def spiral(turns: float = 2.5, steps: int = 160) -> Mesh:
    """A winding ramp: every normal looks up, and yet it lies over itself seen from above."""
    t = np.linspace(0, turns * 2 * np.pi, steps)
    inner = np.stack([0.4 * np.cos(t), 0.1 * t, 0.4 * np.sin(t)], 1)
    outer = np.stack([np.cos(t), 0.1 * t, np.sin(t)], 1)
    vertices = np.stack([inner, outer], 1).reshape(-1, 3)
    i = 2 * np.arange(steps - 1)[:, None]
    faces = np.concatenate([i + np.array([0, 2, 1]), i + np.array([1, 2, 3])])
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32))


def plate(cells: int = 48, thickness: float = 0.02, bend: float = 0.0) -> Mesh:
    """A closed thin sheet with a regular grid of vertices above and below, bent to a wave of height ``bend``."""
    line = np.linspace(-1, 1, cells + 1)
    x, y = (a.reshape(-1) for a in np.meshgrid(line, line))
    middle = bend * np.sin(3 * x)
    vertices = np.concatenate([np.stack([x, y, middle + side * thickness / 2], 1) for side in (1, -1)])
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).reshape(-1, 1)
    above = np.concatenate([corner + np.array([0, 1, cells + 1]), corner + np.array([1, cells + 2, cells + 1])])
    n = (cells + 1) ** 2
    below = above[:, ::-1] + n
    ends = above[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    known = {tuple(e) for e in ends.tolist()}
    rim = np.array([e for e in ends.tolist() if (e[1], e[0]) not in known])
    a, b = rim.T
    walls = np.concatenate([np.stack([b, a, a + n], 1), np.stack([b, a + n, b + n], 1)])
    return Mesh(vertices.astype(np.float32), np.concatenate([above, below, walls]).astype(np.int32))


def blob(seed: int, resolution: int = 26, threshold: float = 0.0) -> Mesh:
    """A random closed surface: marching cubes of a noisy ball, often of several parts and handles."""
    from scipy.ndimage import gaussian_filter
    from skimage.measure import marching_cubes

    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((resolution,) * 3), 2.0)
    line = np.linspace(-1, 1, resolution)
    x, y, z = np.meshgrid(line, line, line, indexing="ij")
    field = 0.6 - np.sqrt(x**2 + y**2 + z**2) + 0.25 * noise / noise.std() - threshold
    field[[0, -1]] = field[:, [0, -1]] = field[:, :, [0, -1]] = -1
    vertices, faces, _, _ = marching_cubes(field.astype(np.float32), 0.0)
    return Mesh((vertices / (resolution - 1) * 2 - 1).astype(np.float32), faces[:, ::-1].astype(np.int32))


def joined(*meshes: Mesh) -> Mesh:
    offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + offset for mesh, offset in zip(meshes, offsets[:-1], strict=True)]
    return Mesh(np.concatenate([m.vertices for m in meshes]), np.concatenate(faces).astype(np.int32))


def coloured(mesh: Mesh, seed: int = 0) -> Mesh:
    colors = np.random.default_rng(seed).integers(0, 256, (len(mesh.vertices), 3)).astype(np.uint8)
    return Mesh(mesh.vertices, mesh.faces, colors)


def textured(atlas: Atlas, size: int = 64, seed: int = 0) -> TexturedMesh:
    return TexturedMesh(atlas, np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8))


def from_trimesh(solid: object) -> Mesh:
    return Mesh(np.asarray(solid.vertices, dtype=np.float32), np.asarray(solid.faces, dtype=np.int32))


def real(name: str) -> Mesh:
    """A model that gradio's wheel carries; skips the test where gradio is not installed."""
    import importlib.util

    import trimesh

    found = importlib.util.find_spec("gradio")
    if found is None or found.origin is None:
        pytest.skip("gradio's sample models are not installed")
    path = Path(found.origin).parent / "media_assets" / "models3d" / name
    return from_trimesh(trimesh.load(path, force="mesh", process=False))
