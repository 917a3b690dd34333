"""The predictions of a perfect shape network for shapes given by formula, to test what is made of them.

A shape is a signed distance in its own frame (+Y up, front +Z), negative inside. A view of it gives the alpha picture,
the network's three outputs without error, and the true surface in the camera frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from manymesh.mesh.marching_cubes import marching_cubes
from manymesh.render.camera import orbit, perspective, to_clip
from manymesh.render.raster import rasterise
from manymesh.shape.learned import contract

Distance = Callable[[np.ndarray], np.ndarray]


def box(centre: tuple[float, float, float], half: tuple[float, float, float]) -> Distance:
    def distance(p: np.ndarray) -> np.ndarray:
        q = np.abs(p - np.array(centre, np.float32)) - np.array(half, np.float32)
        return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)

    return distance


def union(*parts: Distance) -> Distance:
    return lambda p: np.minimum.reduce([part(p) for part in parts])


def ball(p: np.ndarray) -> np.ndarray:
    return np.linalg.norm(p, axis=-1) - 0.9


def mug(p: np.ndarray) -> np.ndarray:
    """A hollow cup, open above, with a handle at +X."""
    p = p + np.array([0.25, 0, 0], np.float32)
    radius = np.linalg.norm(p[..., [0, 2]], axis=-1)
    body = np.maximum(radius - 0.6, np.abs(p[..., 1]) - 0.75)
    hollow = np.maximum(radius - 0.5, -p[..., 1] - 0.6)
    ring = np.hypot(p[..., 0] - 0.62, p[..., 1]) - 0.38
    handle = np.maximum(np.hypot(ring, p[..., 2]) - 0.09, 0.55 - radius)
    return np.minimum(np.maximum(body, -hollow), handle)


def chair() -> Distance:
    legs = [box((x, -0.55, z), (0.06, 0.4, 0.06)) for x in (-0.45, 0.45) for z in (-0.45, 0.45)]
    return union(box((0, -0.12, 0), (0.52, 0.06, 0.52)), box((0, 0.42, -0.46), (0.52, 0.5, 0.06)), *legs)


SHAPES: dict[str, Distance] = {
    "box": box((0, 0, 0), (0.55, 0.8, 0.4)),
    "ball": ball,
    "chair": chair(),
    "mug": mug,
}


@dataclass(frozen=True)
class View:
    """Attributes:
    alpha: (H, W) uint8 of the cutout. outputs: by name. vertices, faces: the true surface in
    the camera frame, crop units (see ``meshing.extract_mesh``). to_shape: (4, 4), camera frame to the shape's.
    """

    alpha: np.ndarray
    outputs: dict[str, np.ndarray]
    vertices: np.ndarray
    faces: np.ndarray
    to_shape: np.ndarray
    tan_half_fov: float


def look_at(
    shape: Distance,
    azimuth_deg: float,
    elevation_deg: float,
    *,
    fov_deg: float = 28.0,
    px: int = 384,
    grid: int = 128,
    depths: int = 320,
) -> View:
    """A view of a shape that fills the cutout as it fills the network's crop."""
    t = float(np.tan(np.radians(fov_deg) / 2))
    vertices, faces = _true_surface(shape, grid)
    turn = orbit(azimuth_deg, elevation_deg, 0.0)[:3, :3]
    seen = vertices @ turn.T
    distance, aim = _framed(seen, t)
    # Camera frame with the eye at the origin, depth straight ahead; its unit is the shape's.
    eye_points = np.column_stack([seen[:, 0] - aim[0], seen[:, 1] - aim[1], distance - seen[:, 2]])
    side = contract.GRID
    u = ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)
    x, y = np.meshgrid(u * 2 * t, -u * 2 * t)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1)
    eye_at = np.array([aim[0], aim[1], distance])

    def sampled(depth: np.ndarray) -> np.ndarray:
        places = rays[:, :, None] * depth[:, None] if depth.ndim == 1 else rays * depth[..., None]
        in_shape = (places * np.array([1, 1, -1], np.float32) + eye_at.astype(np.float32)) @ turn.astype(np.float32)
        return shape(in_shape)

    low, high = eye_points[:, 2].min() - 0.02, eye_points[:, 2].max() + 0.02
    depth = np.linspace(low, high, depths, dtype=np.float32)
    values = np.concatenate([sampled(part) for part in np.array_split(depth, 16)], axis=2)
    front, back, hit = _layers(values, depth)
    anchor = float(front[hit].mean())
    unit = 2 * anchor * t
    bins = anchor + unit * (
        contract.NEAR + (np.arange(contract.BINS) + 0.5) * (contract.FAR - contract.NEAR) / contract.BINS
    )
    step = unit * (contract.FAR - contract.NEAR) / contract.BINS
    share = np.concatenate([sampled(p) for p in np.array_split(bins.astype(np.float32), 16)], axis=2)
    share = np.clip(0.5 - share / step, 0.002, 0.998)
    outputs = _outputs(share, front, back, hit, anchor, unit, sampled, turn)
    there = (rays * front[..., None] * np.array([1, 1, -1]) + eye_at) @ turn
    outputs["surface"][contract.FRONT_NORMAL] = (_gradient(shape, there) @ turn.T).transpose(2, 0, 1)
    outputs["pose"] = _pose(azimuth_deg, elevation_deg, t, vertices, turn, aim, distance, anchor, unit)
    points = np.column_stack([eye_points[:, :2], anchor - eye_points[:, 2]]) / unit
    to_shape = np.eye(4)
    to_shape[:3, :3] = turn.T * unit
    to_shape[:3, 3] = turn.T @ np.array([aim[0], aim[1], distance - anchor])
    alpha = _alpha(points, faces, t, px)
    return View(alpha, outputs, points, faces, to_shape, t)


def _true_surface(shape: Distance, grid: int) -> tuple[np.ndarray, np.ndarray]:
    line = np.linspace(-1.05, 1.05, grid, dtype=np.float32)
    volume = -shape(np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)).astype(np.float32)
    vertices, faces = marching_cubes(volume)
    return vertices.astype(np.float64) * (line[1] - line[0]) + line[0], faces


def _framed(points: np.ndarray, t: float) -> tuple[float, np.ndarray]:
    """The eye's distance, and the x, y that its axis passes through, so that the longer side covers ``FILL``."""
    distance, aim = 1.5 / t, np.zeros(2)
    for _ in range(40):
        picture = (points[:, :2] - aim) / (distance - points[:, 2])[:, None] / (2 * t)
        low, high = picture.min(0), picture.max(0)
        aim += (low + high) / 2 * 2 * t * distance
        distance *= (high - low).max() / contract.FILL
    return float(distance), aim


def _layers(values: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    solid = values < 0
    hit = solid.any(axis=2)
    first = solid.argmax(axis=2).clip(1)
    last = (solid.shape[2] - 1 - solid[:, :, ::-1].argmax(axis=2)).clip(0, solid.shape[2] - 2)
    rows, columns = np.indices(hit.shape)

    def crossing(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        a, b = values[rows, columns, i], values[rows, columns, j]
        share = np.clip(a / np.where(a == b, 1, a - b), 0, 1)
        return np.where(hit, depth[i] + share * (depth[j] - depth[i]), 0)

    return crossing(first - 1, first), crossing(last, last + 1), hit


def _gradient(shape: Distance, points: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """(..., 3): of a distance this is the unit normal."""
    steps = np.eye(3) * step
    return np.stack([(shape(points + off) - shape(points - off)) / (2 * step) for off in steps], axis=-1)


def _outputs(
    share: np.ndarray, front: np.ndarray, back: np.ndarray, hit: np.ndarray, anchor: float, unit: float,
    sampled: Callable[[np.ndarray], np.ndarray], turn: np.ndarray,
) -> dict[str, np.ndarray]:  # fmt: skip
    surface = np.zeros((8, *front.shape), np.float32)
    surface[contract.FRONT_DEPTH] = np.where(hit, (front - anchor) / unit, 0.3)
    surface[contract.BACK_DEPTH] = np.where(hit, (back - anchor) / unit, 0.4)
    surface[contract.BACK_COLOR] = np.array([0.8, 0.4, 0.1])[:, None, None]
    logits = np.log(share / (1 - share)).transpose(2, 0, 1)
    logits = np.where(
        hit[None], logits, np.random.default_rng(0).normal(0, 4, logits.shape)
    )  # rays that miss are arbitrary: the network is never trained there
    return {"logits": logits.astype(np.float32), "surface": surface}


def _pose(
    azimuth_deg: float, elevation_deg: float, t: float, vertices: np.ndarray, turn: np.ndarray, aim: np.ndarray,
    distance: float, anchor: float, unit: float,
) -> np.ndarray:  # fmt: skip
    pose = np.zeros(contract.POSE_SIZE, np.float32)
    pose[contract.ELEVATION], pose[contract.ELEVATION_LOG_VARIANCE] = np.radians(elevation_deg), -12
    pose[contract.LOG_TAN_HALF_FOV], pose[contract.LOG_TAN_HALF_FOV_LOG_VARIANCE] = np.log(t), -12
    centre = (turn @ ((vertices.max(0) + vertices.min(0)) / 2)) - [*aim, 0]
    pose[contract.CENTRE] = np.array([centre[0], centre[1], distance - centre[2] - anchor]) / unit
    pose[contract.SYMMETRY] = 6
    bin_centres = (np.arange(contract.AZIMUTH_BINS) + 0.5) * 360 / contract.AZIMUTH_BINS - 180
    away = (bin_centres - azimuth_deg + 180) % 360 - 180
    pose[contract.AZIMUTH] = -((away / 8) ** 2) / 2
    return pose


def _alpha(points: np.ndarray, faces: np.ndarray, t: float, px: int) -> np.ndarray:
    camera = perspective(float(2 * np.degrees(np.arctan(t))), distance=1 / (2 * t), reach=2.0)
    fine = rasterise(to_clip(camera, points), faces, 4 * px, 4 * px).mask
    return (fine.reshape(px, 4, px, 4).mean((1, 3)) * 255).astype(np.uint8)


def perfect_network(view: View) -> Callable[[Sequence[np.ndarray]], list[dict[str, np.ndarray]]]:
    """A network call that returns one view's true outputs, for the picture and for its mirror image."""
    from manymesh.shape.learned.predict import Prediction, mirror_prediction

    def call(pictures: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
        straight, other = pictures
        assert straight.shape == (4, contract.IMAGE_PX, contract.IMAGE_PX)
        assert np.array_equal(straight[:, :, ::-1], other)
        mirrored = mirror_prediction(Prediction(view.outputs["logits"], view.outputs["surface"], view.outputs["pose"]))
        return [
            view.outputs,
            {"logits": mirrored.logits, "surface": mirrored.surface, "pose": mirrored.pose},
        ]

    return call
