"""The opened shape stage: one cutout through encoder, transformer and field to a coloured mesh and its camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import numpy as np

from manymesh.errors import MissingPieceError, NotFiniteError, ObjectError
from manymesh.mesh.normalise import normalise
from manymesh.render.camera import move_camera
from manymesh.settings import Settings
from manymesh.shape.triposr.arithmetic import Weights, own_threads
from manymesh.shape.triposr.checkpoint import Arrays, load_arrays
from manymesh.shape.triposr.config import read_config
from manymesh.shape.triposr.encoder import encode
from manymesh.shape.triposr.field import Field
from manymesh.shape.triposr.preprocess import frame_object, network_picture
from manymesh.shape.triposr.surface import extract_surface
from manymesh.shape.triposr.transformer import transform
from manymesh.shape.triposr.upsample import upsample
from manymesh.shape.triposr.view import fit_view
from manymesh.stages import Tick
from manymesh.types import F32, F64, U8, Cutout, Mesh, ShapeResult
from manymesh.weights import Found, require

# The image encoder's configuration, where it lies beside the weights; the published one's sizes are known.
ENCODER_FILE = "dino_config.json"
# Alpha below this is taken for none: what a matte leaves far from the object would make the object smaller in its
# frame. A user of the published program chose the same.
FAINT_ALPHA = 16
# Progress when the encoder, the transformer and the surface are done. Shares of the time measured on two cores.
_ENCODED, _TRANSFORMED, _EXTRACTED = 0.1, 0.92, 0.97
# A camera less far above or below the object than this, degrees, counts as level. Chosen by hand.
LEVEL_DEG = 10.0


@contextmanager
def open_shape(settings: Settings) -> Iterator[ShapeModel]:
    """The stage. Its tensors are mapped on first use, and let go at the end of the block."""
    model = ShapeModel(require("triposr", settings.weights_dir))
    try:
        yield model
    finally:
        model.close()


class ShapeModel:
    """Makes shapes, one at a time.

    Args:
        found: the files of the weights.

    Raises:
        WeightsError: their configuration is not one of TripoSR.
    """

    def __init__(self, found: Found) -> None:
        settings_file = found.files["config.yaml"]
        encoder = settings_file.with_name(ENCODER_FILE)
        self.config = read_config(settings_file, encoder if encoder.is_file() else None)
        self._path = next(path for name, path in found.files.items() if name.startswith("model."))
        self._arrays: Arrays | None = None

    def begin(self, cutouts: Sequence[Cutout], *, tick: Tick = lambda done: None) -> None:
        """Open the weights, so that damaged ones end the run at once. Their first use converts them."""
        tick(0.0)
        self._weights(tick)
        tick(1.0)

    def close(self) -> None:
        """Let the mapped file go."""
        self._arrays = None

    def __call__(self, cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        """The shape in the canonical frame, with the field's colours. ``seed`` changes nothing.

        Raises:
            ObjectError: the cutout is empty, or the network found nothing solid in it.
        """
        tick(0.0)
        weights = self._weights(lambda done: tick(0.0))
        rgba = without_faint_alpha(cutout.rgba)
        framed, frame = frame_object(rgba)
        pixels = network_picture(framed, self.config.image_px)
        with own_threads():
            planes = self._planes(weights, pixels, tick)
            field = Field(weights, self.config, planes)
            mesh, notes = extract_surface(field, _part(tick, _TRANSFORMED, _EXTRACTED))
        view = fit_view(mesh, frame, rgba[..., 3])
        tick(0.98)
        rotation = believed_rotation(cutout.rgba)
        if rotation is None:
            notes = (*notes, "The object's tilt is not known; it stands as the camera saw it.")
        turned, matrix = stand_up(mesh, np.eye(3) if rotation is None else rotation)
        tick(1.0)
        return ShapeResult(turned, move_camera(view.camera, matrix), (*notes, view.note))

    def _planes(self, weights: Weights, pixels: np.ndarray, tick: Tick) -> np.ndarray:
        """(3, C, S, S) float32 planes of a picture.

        Raises:
            NotFiniteError: the numbers ran out of range.
        """
        encoder = weights.part("image_tokenizer.model")
        context = encode(encoder, self.config.encoder, pixels, _part(tick, 0.0, _ENCODED))
        tokens = transform(weights, self.config, context, _part(tick, _ENCODED, _TRANSFORMED))
        planes = upsample(weights, tokens)
        if not np.isfinite(planes).all():
            raise NotFiniteError(
                "The shape network's numbers ran out of range", "Try another cutout.", network="triplane transformer"
            )
        return planes

    def _weights(self, tick: Tick) -> Weights:
        if self._arrays is None:
            self._arrays = load_arrays(self._path, self.config, tick)
        return Weights(self._arrays)


def without_faint_alpha(rgba: U8) -> U8:
    """The cutout with alpha under ``FAINT_ALPHA`` as 0."""
    cleared = rgba.copy()
    cleared[rgba[..., 3] < FAINT_ALPHA, 3] = 0
    return cleared


def believed_rotation(rgba: U8) -> F64 | None:
    """(3, 3) from the object's own frame to the camera's, as the small network of ``lite`` believes from the picture.

    TripoSR takes every camera for level and in front. Where that is nearly true, the rotation is the identity. None
    where the small network is not here or fails.
    """
    from manymesh.shape.learned.pose import read_pose
    from manymesh.shape.learned.predict import predict
    from manymesh.shape.learned.preprocess import crop_square, network_input
    from manymesh.shape.learned.session import ShapeNetwork

    try:
        with closing(ShapeNetwork()) as network:

            def asked(pictures: Sequence[F32]) -> list[Mapping[str, F32]]:
                try:
                    return network(pictures)
                except (ValueError, RuntimeError) as error:  # its own, and no others' that would hide a mistake
                    raise ObjectError(str(error)) from error

            pose = read_pose(predict(asked, network_input(rgba, crop_square(rgba[..., 3]))).pose)
    except (MissingPieceError, ObjectError):
        return None
    if abs(pose.elevation_deg) < LEVEL_DEG and pose.azimuth_deg is None:
        return np.eye(3)
    return pose.rotation


def stand_up(mesh: Mesh, rotation: F64) -> tuple[Mesh, F64]:
    """The mesh in the canonical frame, and the (4, 4) matrix that was applied to it.

    Args:
        mesh: in the camera's frame. rotation: (3, 3) from the object's frame to the camera's.
    """
    vertices = (mesh.vertices.astype(np.float64) @ rotation).astype(np.float32)
    turned, matrix = normalise(Mesh(vertices, mesh.faces, mesh.colors))
    turn = np.eye(4)
    turn[:3, :3] = rotation.T
    return turned, matrix @ turn


def _part(tick: Tick, start: float, end: float) -> Tick:
    """A tick that reports a share of its own as one from ``start`` to ``end``."""
    return lambda done: tick(start + (end - start) * done)
