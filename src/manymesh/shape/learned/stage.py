"""The shape stage of ``lite``: one cutout through the network to a mesh, and the pinhole camera that saw it.

When the network cannot be opened, or fails on a cutout, silhouette inflation takes its place, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np

from manymesh.errors import MissingPieceError, ObjectError
from manymesh.mesh.denoise import denoised
from manymesh.mesh.marching_table import table
from manymesh.mesh.simplify import reduce
from manymesh.onnx import weight_problem
from manymesh.render.camera import crop_camera, move_camera, perspective
from manymesh.settings import Settings
from manymesh.shape.inflate import inflate
from manymesh.shape.learned import session
from manymesh.shape.learned.connect_parts import connect_parts
from manymesh.shape.learned.depth_refine import refine_depths
from manymesh.shape.learned.field import build_field, pixels_inside
from manymesh.shape.learned.meshing import back_colors, extract_mesh, keep_outline, snap_to_outline
from manymesh.shape.learned.pose import Pose, read_pose
from manymesh.shape.learned.predict import NetworkCall, predict
from manymesh.shape.learned.preprocess import CropSquare, crop_square, network_input
from manymesh.shape.learned.session import ShapeNetwork
from manymesh.stages import Shape, Stage, Tick
from manymesh.types import Camera, Cutout, Mesh, ShapeResult

# Triangles of a mesh. Measured on the 42 validation models: 24,000 score the same (F@0.05 0.947 against 0.948), and
# every later stage takes longer with them.
FACES = 12_000


@contextmanager
def open_shape(settings: Settings) -> Iterator[Shape]:
    """Open the network once for all objects; without it, the stage inflates silhouettes and says so in a note."""
    try:
        network = ShapeNetwork()
    except MissingPieceError as error:
        excuse = f"Silhouettes are inflated instead of modelled: {error.what}."
        yield lambda cutout, *, seed, tick: replace(inflate(cutout, tick), notes=(excuse,))
        return

    def shape(cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        try:
            return reconstruct(network, cutout, tick)
        except (EmptyShapeError, ValueError, RuntimeError) as error:
            note = f"The silhouette was inflated instead of modelled: {error}."
            return replace(inflate(cutout, tick), notes=(note,))

    with closing(network):
        yield shape


def warm_up() -> None:
    """Import what ``reconstruct`` needs beside the network, and load the marching cubes table."""
    import fast_simplification  # noqa: F401
    import scipy.sparse.linalg
    import scipy.spatial  # noqa: F401

    table()


def _damage() -> str | None:
    problem = weight_problem(session.WEIGHTS)
    return problem and f"inflates silhouettes instead of modelling them: {problem}"


STAGE = Stage(
    "learned",
    "shape",
    "a small network of our own on the CPU; no download",
    "Apache-2.0; trained on CC0 and CC-BY models",
    open_shape,
    thread_safe=True,
    preload=True,
    damage=_damage,
    warm_up=warm_up,
)


class EmptyShapeError(Exception):
    """The network's prediction holds no solid part."""


def reconstruct(network: NetworkCall, cutout: Cutout, tick: Tick) -> ShapeResult:
    """A closed mesh of the cutout's object in the canonical frame, and the camera that sees it as the cutout does.

    Its vertex colours are the network's guess of the side that the photo does not show.

    Raises:
        ObjectError: the cutout is empty.
        EmptyShapeError: the network predicts nothing solid.
    """
    alpha = cutout.rgba[..., 3]
    square = crop_square(alpha)
    prediction = predict(network, network_input(cutout.rgba, square))
    tick(0.6)
    pose = read_pose(prediction.pose)
    inside = pixels_inside(alpha, square)
    prediction = refine_depths(prediction, inside, pose.tan_half_fov)
    field = build_field(prediction, alpha, square, inside)
    field = connect_parts(field, pose.rotation[:, 1])
    mesh = extract_mesh(field, prediction, pose.tan_half_fov)
    tick(0.8)
    mesh = reduce(mesh, FACES) if len(mesh.faces) else mesh
    if not len(mesh.faces):
        raise EmptyShapeError("the network found nothing solid")
    outlined = snap_to_outline(mesh.vertices, mesh.faces, field, pose.tan_half_fov)
    held = keep_outline(denoised(outlined, mesh.faces), outlined, field, pose.tan_half_fov)
    mesh = replace(mesh, vertices=held.astype(np.float32))
    tick(0.9)
    mesh = replace(mesh, colors=back_colors(prediction, mesh.vertices.astype(np.float64), inside, pose.tan_half_fov))
    return to_canonical_frame(mesh, pose, square, alpha.shape[1], alpha.shape[0])


def to_canonical_frame(mesh: Mesh, pose: Pose, square: CropSquare, width: int, height: int) -> ShapeResult:
    """A mesh of the camera frame in the canonical frame (see ``types``), with the camera that goes with it.

    Args:
        mesh: camera frame, crop units.
        square: where the network's crop lies in the cutout.
        width, height: of the cutout, pixels.

    Raises:
        ObjectError: the mesh has no extent.
    """
    points = mesh.vertices.astype(np.float64) @ pose.rotation
    low, high = points.min(axis=0), points.max(axis=0)
    half, centre = float((high - low).max()) / 2, (low + high) / 2
    if not half > 0:
        raise ObjectError("The model has no extent", "Draw the object's box with --box.")
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation.T / half
    matrix[:3, 3] = -centre / half
    vertices = ((points - centre) / half).astype(np.float32)
    view = move_camera(cutout_camera(pose.tan_half_fov, square, width, height), matrix)
    return ShapeResult(replace(mesh, vertices=vertices), view)


def cutout_camera(tan_half_fov: float, square: CropSquare, width: int, height: int) -> Camera:
    """The camera whose picture is the whole cutout, for a mesh in the camera frame (crop units, origin at the anchor).

    Its axis runs through the crop's centre, so it is off centre in the cutout.

    Args:
        tan_half_fov: of the crop.
        square: where the crop lies in the cutout. width, height: of the cutout, pixels.
    """
    fov_deg = 2 * np.degrees(np.arctan(tan_half_fov))
    of_crop = perspective(float(fov_deg), distance=1 / (2 * tan_half_fov), reach=2.0)
    left, top, side = square.left_px, square.top_px, square.side_px
    # In units of the crop's side, so that the cutout's place is exact whatever its size.
    return crop_camera(of_crop, (-left / side, -top / side, (width - left) / side, (height - top) / side), 1, 1)
