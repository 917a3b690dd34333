"""The shape stage: one cutout through the network to an upright mesh, and the pinhole camera that saw it.

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
from manymesh.render.camera import crop_camera, move_camera, perspective
from manymesh.settings import Settings
from manymesh.shape.inflate import inflate
from manymesh.shape.learned.color import back_colors
from manymesh.shape.learned.connect_parts import connect_parts
from manymesh.shape.learned.depth_refine import refine_depths
from manymesh.shape.learned.field import build_field, pixels_inside
from manymesh.shape.learned.pose import Pose, read_pose
from manymesh.shape.learned.predict import NetworkCall, predict
from manymesh.shape.learned.preprocess import CropSquare, crop_square, network_input
from manymesh.shape.learned.session import ShapeNetwork
from manymesh.shape.learned.surface import extract_mesh, keep_outline, snap_to_outline
from manymesh.stages import Shape, Stage, Tick
from manymesh.types import Camera, Cutout, Mesh, ShapeResult

FACES = 12_000
"""More than the network's 128 samples a side can fill with detail; every stage after this one is the faster."""


@contextmanager
def open_shape(settings: Settings) -> Iterator[Shape]:
    """One session for all objects."""
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
    """Import what sculpting needs beside the network, and work out the table of marching cubes."""
    import fast_simplification  # noqa: F401
    import scipy.sparse.linalg
    import scipy.spatial  # noqa: F401

    table()


STAGE = Stage(
    "learned",
    "shape",
    "a small network of our own on the CPU; no download",
    "Apache-2.0; trained on CC0 and CC-BY models",
    open_shape,
    thread_safe=True,
    preload=True,
    warm_up=warm_up,
)


class EmptyShapeError(Exception):
    """The network's answer holds no solid part."""


def reconstruct(ask: NetworkCall, cutout: Cutout, tick: Tick) -> ShapeResult:
    """A closed mesh of what the cutout shows, upright, with the network's colours for the side that is not seen.

    Args:
        ask: the network.

    Raises:
        ObjectError: the cutout is empty.
        NothingModelledError: the answer is empty.
    """
    alpha = cutout.rgba[..., 3]
    square = crop_square(alpha)
    answer = predict(ask, network_input(cutout.rgba, square))
    tick(0.6)
    pose = read_pose(answer.pose)
    inside = pixels_inside(alpha, square)
    answer = refine_depths(answer, inside, pose.tan_half_fov)
    space = connect_parts(build_field(answer, alpha, square, inside), pose.rotation[:, 1])
    mesh = extract_mesh(space, answer, pose.tan_half_fov)
    tick(0.8)
    mesh = reduce(mesh, FACES) if len(mesh.faces) else mesh
    if not len(mesh.faces):
        raise EmptyShapeError("the network found nothing solid")
    outlined = snap_to_outline(mesh.vertices, mesh.faces, space, pose.tan_half_fov)
    held = keep_outline(denoised(outlined, mesh.faces), outlined, space, pose.tan_half_fov)
    mesh = replace(mesh, vertices=held.astype(np.float32))
    tick(0.9)
    mesh = replace(mesh, colors=back_colors(answer, mesh.vertices.astype(np.float64), inside, pose.tan_half_fov))
    return to_canonical_frame(mesh, pose, square, alpha.shape[1], alpha.shape[0])


def to_canonical_frame(mesh: Mesh, pose: Pose, square: CropSquare, width: int, height: int) -> ShapeResult:
    """From the camera's frame to the house's, with the camera that goes with it.

    Args:
        mesh: camera frame, crop units.
        width, height: of the cutout, pixels.
    """
    points = mesh.vertices.astype(np.float64) @ pose.rotation
    low, high = points.min(axis=0), points.max(axis=0)
    half, middle = float((high - low).max()) / 2, (low + high) / 2
    if not half > 0:
        raise ObjectError("The model has no extent", "Draw the object's box with --box.")
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation.T / half
    matrix[:3, 3] = -middle / half
    vertices = ((points - middle) / half).astype(np.float32)
    view = move_camera(cutout_camera(pose.tan_half_fov, square, width, height), matrix)
    return ShapeResult(replace(mesh, vertices=vertices), view)


def cutout_camera(tan_half_fov: float, square: CropSquare, width: int, height: int) -> Camera:
    """The camera that sees the camera's frame (crop units, origin at the anchor depth) as the whole cutout does.

    Its axis runs through the crop's middle, so in the cutout's picture it is off centre.
    """
    fov_deg = 2 * np.degrees(np.arctan(tan_half_fov))
    of_crop = perspective(float(fov_deg), distance=1 / (2 * tan_half_fov), reach=2.0)
    left, top, side = square.left_px, square.top_px, square.side_px
    # In units of the crop's side, so that the cutout's place is exact whatever its size.
    return crop_camera(of_crop, (-left / side, -top / side, (width - left) / side, (height - top) / side), 1, 1)
