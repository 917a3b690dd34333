"""How shapes are looked at: camera, light, paint and the photo's faults, drawn at random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from training.render.backend import launch
from training.render.columns import COLUMNS, VIEW_SIZE
from training.render.eyes import axes
from training.render.looks import draw_look
from training.render.shape_set import ShapeSet

FIT_STEPS = 6
STEEP_SHARE = 0.27
"""Of views from 40 to 90 degrees above: small objects on desks and on the ground."""
TWIN_PAINT_SHARE = 0.4
"""Of the groups of like objects are painted alike as well."""
SAFE_ELEVATION = math.radians(35.0)
LONGEST = 1.3
"""An object's length along the sight over the picture's side: nobody photographs a pole from straight above, and what
lies that deep is beyond the volume's last bin."""


@dataclass(frozen=True)
class Views:
    """n looks at shapes of one set.

    Attributes:
        shape_index: (n,) int64, on the set's device.
        table: (n, VIEW_SIZE) float32 on the device; its columns are named in ``training.render.columns``.
        azimuth, elevation: (n,) float32 radians on the device, of the eye in the (stretched, mirrored) object's frame.
    """

    shape_index: torch.Tensor
    table: torch.Tensor
    azimuth: torch.Tensor
    elevation: torch.Tensor

    def __len__(self) -> int:
        return len(self.shape_index)

    def column(self, name: str) -> torch.Tensor:
        """(n, k) values of one named column of the table."""
        return self.table[:, COLUMNS[name]]


def sample_views(
    shape_set: ShapeSet,
    n: int,
    weights: torch.Tensor,
    seed: int,
    twins: np.ndarray | None = None,
    heights: np.ndarray | None = None,
) -> Views:
    """Random views.

    Args:
        shape_set: what is looked at.
        n: how many views.
        weights: (len(shape_set),) any non-negative numbers, not all zero: how often each kept shape is chosen.
        seed: equal seeds give equal views on the same kind of device.
        twins: (n,) for each view the number of the one whose shape and stretch it takes, often its paint too: like
            objects lying together. A view without a twin has its own number.
        heights: (n,) for each view the number of the one whose elevation it nearly takes: objects before one camera.
            The twins' when None.
    """
    if len(weights) != len(shape_set):
        raise ValueError(f"{len(weights)} weights for {len(shape_set)} shapes")
    chooser = torch.Generator(weights.device).manual_seed(seed)
    chosen = torch.multinomial(weights.float(), n, replacement=True, generator=chooser)
    if twins is not None:
        chosen = chosen[torch.from_numpy(twins).to(chosen.device)]
    where = chosen.cpu().numpy()
    if shape_set.device.type == "cuda" and chosen.device.type == "cpu":
        chosen = chosen.pin_memory()
    chosen = chosen.to(shape_set.device, non_blocking=True)
    rng = np.random.default_rng([seed, 5])
    table = np.zeros((n, VIEW_SIZE), np.float32)
    azimuth, elevation = _draw_camera(rng, table, 2 * shape_set.half_boxes[where])
    generated_mode, real_mode = draw_look(rng, table, azimuth)
    if twins is not None:
        _like_twins(rng, table, twins)
        elevation = _like_heights(rng, table, twins if heights is None else heights, azimuth, elevation)
        generated_mode, real_mode = generated_mode[twins], real_mode[twins]
    placed = upload(table, shape_set.device)
    modes = upload(np.stack([generated_mode, real_mode]), shape_set.device)
    generated = shape_set.generated[chosen]
    placed[:, COLUMNS["mode"].start] = torch.where(generated, modes[0], modes[1])
    placed[:, COLUMNS["textured"].start] *= torch.where(generated, 1.0, 0.1)
    return fitted(shape_set, chosen, placed, azimuth, elevation)


def _like_twins(rng: np.random.Generator, table: np.ndarray, twins: np.ndarray) -> None:
    """Make views' stretch, and often their paint, their twins'."""
    n = len(table)
    table[:, COLUMNS["scale"]] = table[twins][:, COLUMNS["scale"]]
    same_paint = (twins != np.arange(n)) & (rng.random(n) < TWIN_PAINT_SHARE)[twins]
    for name in ("hue", "tint", "textured", "seed", "gloss"):
        table[same_paint, COLUMNS[name]] = table[twins[same_paint], COLUMNS[name]]


def _like_heights(
    rng: np.random.Generator, table: np.ndarray, heights: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray
) -> np.ndarray:
    """Turn cameras to nearly others' elevations; answers the new ones in radians."""
    n = len(table)
    other = heights != np.arange(n)
    nearly = np.minimum(elevation[heights] + np.radians(rng.normal(0, 3, n)), math.pi / 2)
    elevation = np.where(other, nearly, elevation)
    for i in np.flatnonzero(other):
        table[i, COLUMNS["rot"]] = axes(azimuth[i], elevation[i], 0.0).ravel()
    return elevation


def fitted(
    shape_set: ShapeSet, shape_index: torch.Tensor, table: torch.Tensor, azimuth: np.ndarray, elevation: np.ndarray
) -> Views:
    """Views whose cameras stand so that the object's box is centred and its longest side covers "fill" of the crop.

    The camera is aimed (shifted sideways, never turned), so the optical axis passes through the crop's middle as the
    decoder assumes. The field of view in "tan" is a wish: objects that reach close to the eye get a longer lens.
    """
    device, n = shape_set.device, len(table)
    table[:, COLUMNS["half"]] = shape_set.half_box[shape_index]
    extents = torch.zeros((n, 6), dtype=torch.int32, device=device)
    extents[:, 3:] = -1
    for step in range(FIT_STEPS):
        frustum = int(step == 0)
        geometry = (shape_index, shape_set.vertex_start, shape_set.vertices)
        launch("fit_extents", device, n * 256, n, table, *geometry, frustum, extents)
        launch("fit_update", device, n, n, table, extents, frustum)
    angles = upload(np.stack([azimuth, elevation]), device)
    return Views(shape_index, table, angles[0], angles[1])


def upload(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """The numbers as float32 on the device, without waiting for what is queued there."""
    values = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values


def place_camera(
    row: np.ndarray,
    azimuth: float,
    elevation: float,
    roll: float = 0.0,
    tan_half_fov: float = 0.25,
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
    fill: float = 0.875,
) -> None:
    """Write a camera into one (VIEW_SIZE,) row; radians. It still must be ``fitted``."""
    row[COLUMNS["rot"]] = axes(azimuth, elevation, roll).ravel()
    row[COLUMNS["tan"]] = tan_half_fov
    row[COLUMNS["scale"]] = scale
    row[COLUMNS["fill"]] = fill


def _draw_camera(rng: np.random.Generator, table: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill the camera's columns; answers azimuth and elevation in radians. ``sizes``: (n, 3) of the shapes' boxes."""
    n = len(table)
    usual = np.where(rng.random(n) < 0.8, np.clip(rng.normal(17, 9, n), -5, 50), rng.uniform(-10, 50, n))
    steep = rng.random(n) < STEEP_SHARE
    elevation = np.where(steep, rng.uniform(40, 90, n), usual)
    # Objects on a desk lie any way round; from the side people stand before them.
    before = rng.random(n) < np.where(steep, 0.5, 0.8)
    azimuth = np.where(before, rng.uniform(-65, 65, n), rng.uniform(-180, 180, n))
    roll = np.where(rng.random(n) < 0.4, rng.uniform(-4, 4, n), 0.0)
    tan = np.tan(np.radians(rng.uniform(12, 44, n) / 2))
    stretch = np.where(rng.random((n, 1)) < 0.7, np.exp(rng.uniform(-0.22, 0.22, (n, 3))), 1.0)
    stretch[:, 0] *= np.where(rng.random(n) < 0.5, -1.0, 1.0)
    fill = rng.uniform(0.81, 0.93, n)
    azimuth, elevation, roll = np.radians(azimuth), np.radians(elevation), np.radians(roll)
    elevation = _not_down_poles(elevation, azimuth, sizes * np.abs(stretch))
    for i in range(n):
        place_camera(table[i], azimuth[i], elevation[i], roll[i], tan[i], tuple(stretch[i]), fill[i])
    return (azimuth + math.pi) % (2 * math.pi) - math.pi, elevation


def _not_down_poles(elevation: np.ndarray, azimuth: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Elevations lowered, where they are steep, until no object is longer along the sight than ``LONGEST``."""
    across = sizes[:, 0] * np.abs(np.cos(azimuth)) + sizes[:, 2] * np.abs(np.sin(azimuth))
    ahead = sizes[:, 0] * np.abs(np.sin(azimuth)) + sizes[:, 2] * np.abs(np.cos(azimuth))

    def too_long(angle: np.ndarray) -> np.ndarray:
        sine, cosine = np.abs(np.sin(angle)), np.cos(angle)
        side = np.maximum(across, sizes[:, 1] * cosine + ahead * sine)
        return (angle > SAFE_ELEVATION) & (sizes[:, 1] * sine + ahead * cosine > LONGEST * side)

    step = math.radians(4.0)
    for _ in range(math.ceil((math.pi / 2 - SAFE_ELEVATION) / step)):
        elevation = np.where(too_long(elevation), np.maximum(elevation - step, SAFE_ELEVATION), elevation)
    return elevation
