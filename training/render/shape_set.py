"""Many shapes on one device: geometry, colours and carved solids, laid end to end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from training.render.backend import COARSE, EMPTY_KEY, MAP, SOLID, launch
from training.render.eyes import EYES, carving_eyes
from training.shapes import Shape, normalised

CREASE_DEGREES = 40.0
SYMMETRIC_IOU = 0.93
FEWEST_VOXELS = 24
"""A solid of fewer voxels is nothing: a wire across the box has five times as many."""
WELD_STEPS = 4096
"""Corners closer than about 1 / WELD_STEPS of the longest side share a place when normals are averaged."""


class ShapeSet:
    """Shapes ready for rendering. All tensors are on ``device``; numbers below count *kept* shapes.

    Attributes:
        kept: which of the given shapes are here, ascending. The others carved to nothing.
        names, families: of the kept shapes.
        symmetric: (s,) bool: the solid is nearly its own mirror image in x.
        front_known, generated: (s,) bool.
        vertex_start, face_start: (s + 1,) int64 running numbers.
        vertices: (v, 3) float32; corners, normals: (f, 3, 3) float32; uvs: (f, 3, 2) float32; colors: (f, 3) uint8;
        groups: (f,) int16; textures: (f,) int32 index into the table or -1.
        texture_start: (t,) int64 texel; texture_size: (t, 2) int32 height, width; texels: (n, 3) uint8.
        half_boxes, half_box: (s, 3) float32 half sides of the boxes, for NumPy and on the device.
        solid: (s, SOLID, SOLID, SOLID) uint8 [z, y, x] over [-0.5, 0.5]^3: 0 empty .. 255 solid.
        coarse: (s, COARSE, COARSE, COARSE) uint8, the solid blurred.
    """

    def __init__(self, shapes: Sequence[Shape], device: str) -> None:
        self.device = torch.device(device)
        if self.device.type == "cuda" and self.device.index is None:
            self.device = torch.device("cuda", torch.cuda.current_device())
        shapes = [_usable(shape) for shape in shapes]
        if not shapes:
            raise ValueError("a shape set needs at least one shape")
        self._upload(shapes)
        self.solid, self.coarse, filled, iou = carve(self)
        keep = torch.nonzero(filled >= FEWEST_VOXELS).flatten().tolist()
        if not keep:
            raise ValueError("every one of the shapes carved to nothing")
        self.kept: list[int] = keep
        if len(keep) < len(shapes):
            shapes = [shapes[number] for number in keep]
            self._upload(shapes)
            index = torch.tensor(keep, device=self.device)
            _close_gaps(self.solid, keep)
            self.solid, self.coarse, iou = self.solid[: len(keep)], self.coarse[index], iou[index]
        self.symmetric = iou > SYMMETRIC_IOU
        self.names = [shape.name for shape in shapes]
        self.families = [shape.family for shape in shapes]
        self.front_known = torch.tensor([shape.front_known for shape in shapes], device=self.device)
        # Catalogue models and generated objects may both be of the family "furniture"; only generated ones are our own.
        self.generated = torch.tensor([shape.licence == "own" for shape in shapes], device=self.device)
        self.normals = corner_normals(self)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # whoever renders may do so on another stream

    def __len__(self) -> int:
        return len(self.kept)

    def scene(self) -> tuple[torch.Tensor | int, ...]:
        """What the kernels' SCENE_ARGS stand for."""
        return (
            *(self.corners, self.normals, self.uvs, self.colors, self.groups, self.textures),
            *(self.texture_start, self.texture_size, self.texels, self.texture_count, self.solid, self.coarse),
        )

    def _upload(self, shapes: list[Shape]) -> None:
        def put(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

        vertex_start = np.cumsum([0, *(len(shape.vertices) for shape in shapes)])
        face_counts = [len(shape.faces) for shape in shapes]
        self.vertex_start = put(vertex_start.astype(np.int64))
        first_faces = np.cumsum([0, *face_counts]).astype(np.int64)
        self.face_start = put(first_faces)
        self.face_counts = put(np.array(face_counts, np.int64))
        self.vertices = put(np.concatenate([np.asarray(shape.vertices, np.float32) for shape in shapes]))
        faces = put(np.concatenate([np.asarray(shape.faces, np.int32) for shape in shapes])).long()
        faces += torch.repeat_interleave(self.vertex_start[:-1], self.face_counts)[:, None]
        self.corners = self.vertices[faces].contiguous()
        self.colors = put(np.concatenate([np.asarray(shape.colors, np.uint8) for shape in shapes]))
        self.groups = put(np.concatenate([np.asarray(shape.group, np.int16) for shape in shapes]))
        self.half_boxes = np.array([np.abs(shape.vertices).max(0) for shape in shapes], np.float32)
        self.half_box = put(self.half_boxes)
        self.uvs = torch.zeros((len(faces), 3, 2), dtype=torch.float32, device=self.device)
        self.textures = torch.full((len(faces),), -1, dtype=torch.int32, device=self.device)
        pictures: list[np.ndarray] = []
        for number, shape in enumerate(shapes):
            if shape.texture is not None and shape.uv is not None and len(shape.textures):
                texture = np.asarray(shape.texture, np.int32)
                part = slice(first_faces[number], first_faces[number + 1])
                self.textures[part] = put(np.where(texture >= 0, texture + len(pictures), -1).astype(np.int32))
                self.uvs[part] = put(np.nan_to_num(np.asarray(shape.uv, np.float32)))
                pictures.extend(shape.textures)
        self.texture_count = len(pictures)
        pictures = pictures or [np.full((1, 1, 3), 160, np.uint8)]  # kernels want an address
        sizes = np.array([picture.shape[:2] for picture in pictures], np.int32)
        self.texture_start = put(np.cumsum([0, *sizes.astype(np.int64).prod(1)])[:-1].astype(np.int64))
        self.texture_size = put(sizes)
        self.texels = put(np.concatenate([np.asarray(p, np.uint8)[..., :3].reshape(-1, 3) for p in pictures]))


def carve(shapes: ShapeSet) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Every shape's solid: see cuda/carve.cuh.

    Returns:
        solid, coarse (see ``ShapeSet``); (s,) float32 filled volume in voxels; (s,) float32 intersection over union of
        the solid and its mirror image in x.
    """
    device, count = shapes.device, len(shapes.face_counts)
    chunk = min(count, 24 if device.type == "cuda" else 1)
    eyes = torch.from_numpy(carving_eyes()).to(device)
    solid = torch.empty((count, SOLID, SOLID, SOLID), dtype=torch.uint8, device=device)
    coarse = torch.empty((count, COARSE, COARSE, COARSE), dtype=torch.uint8, device=device)
    filled = torch.empty(count, device=device)
    iou = torch.empty(count, device=device)
    raw = torch.empty((chunk, EYES, MAP, MAP), dtype=torch.int32, device=device)
    maps = torch.empty((chunk, EYES, MAP, MAP), dtype=torch.int16, device=device)
    outside = torch.empty((chunk, SOLID, SOLID, SOLID), dtype=torch.uint8, device=device)
    for first in range(0, count, chunk):
        n = min(chunk, count - first)
        part = slice(first, first + n)
        raw.fill_(0x7F7FFFFF)
        items = running(shapes.face_counts[part] + 2)
        half = shapes.half_box[part].contiguous()
        face_start = shapes.face_start[part].contiguous()
        many = 1 << 30  # the kernels read the true number of items on the device
        launch("carve_raster", device, many, n, items, face_start, shapes.corners, half, eyes, raw)
        launch("carve_nearest", device, many, n * EYES, raw, maps)
        launch("carve_outside", device, many, n, half, eyes, maps, outside)
        launch("carve_finish", device, many, n, outside, solid[part])
        full = solid[part] > 127
        flipped = full.flip(3)
        volume = full.flatten(1).sum(1).float()
        filled[part] = volume
        common = (full & flipped).flatten(1).sum(1).float()
        iou[part] = common / (2 * volume - common).clamp(min=1)
        blocks = torch.nn.functional.avg_pool3d(solid[part].float()[:, None], SOLID // COARSE)
        blurred = torch.nn.functional.avg_pool3d(blocks, 3, stride=1, padding=1, count_include_pad=True)
        # Rounded up: 0 must mean that nothing is near.
        coarse[part] = (0.5 * blocks + 0.5 * blurred)[:, 0].ceil().clamp(max=255).to(torch.uint8)
    return solid, coarse, filled, iou


def corner_normals(shapes: ShapeSet) -> torch.Tensor:
    """(f, 3, 3) float32 unit normals of all corners, smooth across edges of less than CREASE_DEGREES."""
    corners = shapes.corners.reshape(-1, 3)
    cell = ((corners + 0.6) * WELD_STEPS).round().long().clamp(0, (1 << 13) - 1)
    shape = torch.repeat_interleave(torch.arange(len(shapes.face_counts), device=shapes.device), shapes.face_counts * 3)
    key = ((shape << 39) | (cell[:, 0] << 26) | (cell[:, 1] << 13) | cell[:, 2]).contiguous()
    del cell, shape
    key, order = torch.sort(key, stable=True)
    normals = torch.empty_like(shapes.corners)
    threshold = math.cos(math.radians(CREASE_DEGREES))
    launch("corner_normals", shapes.device, len(key), len(key), order, key, shapes.corners, float(threshold), normals)
    return normals


def running(counts: torch.Tensor) -> torch.Tensor:
    """(n,) counts to (n + 1,) int64 running numbers from 0."""
    return torch.nn.functional.pad(torch.cumsum(counts, 0), (1, 0)).contiguous()


def empty_keys(count: int, device: torch.device) -> torch.Tensor:
    return torch.full((count,), EMPTY_KEY, dtype=torch.int64, device=device)


def _usable(shape: Shape) -> Shape:
    if len(shape.faces) == 0 or len(shape.vertices) == 0:
        raise ValueError(f"{shape.name} has no faces")
    if not np.isfinite(shape.vertices).all():
        raise ValueError(f"{shape.name} has vertices that are not finite")
    if shape.faces.min() < 0 or shape.faces.max() >= len(shape.vertices):
        raise ValueError(f"{shape.name} has faces that name no vertex")
    if not np.ptp(shape.vertices, axis=0).max() > 0:
        raise ValueError(f"{shape.name} has no size")
    return normalised(shape)


def _close_gaps(solid: torch.Tensor, keep: list[int]) -> None:
    """Move the kept grids to the front, one at a time: a copy of all of them might not fit."""
    for place, number in enumerate(keep):
        if place != number:
            solid[place] = solid[number]
