"""A sheet of what training sees: ``python -m training.render.preview --shapes PACK_OR_FAMILY --out picture.png``.

A row a view: the network's input on a checker; the same clean picture's front depth, back depth, front normal, back
colour; the solid cut along the middle column of the picture (seen from the left: the eye is to the left, depth grows
to the right; red is the front depth, blue the back depth) and in the middle row (seen from above, the eye is below).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from manymesh.shape.learned.contract import BINS, FAR, GRID, NEAR
from training.batch import Batch
from training.render import ShapeSet, render, sample_views
from training.shapes import Shape


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a sheet of training views")
    parser.add_argument("--shapes", required=True, help="a pack file, or names of families with commas between")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=6, help="shapes (of each family)")
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="number of the first shape")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", action="store_true", help="only the inputs, eight in a row")
    options = parser.parse_args()
    shapes = load(options.shapes, options.first, options.count)
    shape_set = ShapeSet(shapes, "cuda" if torch.cuda.is_available() else "cpu")
    batch = render(shape_set, sample_views(shape_set, options.views, torch.ones(len(shape_set)), options.seed))
    save(contact(batch) if options.pictures else sheet(batch), options.out)


def load(source: str, first: int, count: int) -> list[Shape]:
    """Shapes of a pack, or freshly generated ones."""
    if Path(source).exists():
        from training.pack import load as load_pack

        return load_pack(source)[first : first + count]
    from training.families import generate

    return [generate(family, number) for family in source.split(",") for number in range(first, first + count)]


def sheet(batch: Batch) -> np.ndarray:
    """(h, w, 3) uint8, one row a view."""
    return np.concatenate([np.concatenate(_row(batch, i), axis=1) for i in range(len(batch.image))])


def contact(batch: Batch, across: int = 8) -> np.ndarray:
    """(h, w, 3) uint8: the inputs alone."""
    tiles = [_input(batch, i) for i in range(len(batch.image))]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % across)
    return np.concatenate([np.concatenate(tiles[i : i + across], axis=1) for i in range(0, len(tiles), across)])


def save(picture: np.ndarray, path: Path) -> None:
    from PIL import Image

    Image.fromarray(picture).save(path)


def _row(batch: Batch, i: int) -> list[np.ndarray]:
    inside = batch.inside[i].cpu().numpy()[..., None]
    front, back = (depth[i].float().cpu().numpy() for depth in (batch.front_depth, batch.back_depth))
    normal = batch.front_normal[i].cpu().numpy().transpose(1, 2, 0) * 0.5 + 0.5
    color = batch.back_color[i].cpu().numpy().transpose(1, 2, 0)
    solid = batch.occupancy[i].cpu().numpy()
    middle = GRID // 2
    tiles = [_grey(front) * inside, _grey(back) * inside, normal * inside, color * inside]
    tiles += [_slice(solid[:, :, middle].T, front[:, middle], back[:, middle], inside[:, middle, 0])]
    tiles += [_slice(solid[:, middle, :].T, front[middle], back[middle], inside[middle, :, 0]).transpose(1, 0, 2)[::-1]]
    doubled = [_bytes(tile).repeat(2, axis=0).repeat(2, axis=1) for tile in tiles]
    return [_input(batch, i), *doubled]


def _input(batch: Batch, i: int) -> np.ndarray:
    picture = batch.image[i].float().cpu().numpy().transpose(1, 2, 0)
    rows, columns = np.indices(picture.shape[:2]) // 16
    checker = np.where((rows + columns) % 2, 0.75, 0.9)[..., None]
    return _bytes(picture[..., :3] + (1 - picture[..., 3:]) * checker)


def _slice(solid: np.ndarray, front: np.ndarray, back: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """A [pixel, bin] cut with the two depths drawn in."""
    picture = np.repeat(solid[..., None] / 255.0 * 0.7, 3, axis=2)
    for depth, channel in ((front, 0), (back, 2)):
        bins = np.floor((depth - NEAR) / (FAR - NEAR) * BINS).astype(int)
        for pixel in np.nonzero(inside & (bins >= 0) & (bins < BINS))[0]:
            picture[pixel, bins[pixel]] = np.eye(3)[channel]
    return picture


def _grey(depth: np.ndarray) -> np.ndarray:
    return np.repeat(np.clip((FAR - depth) / (FAR - NEAR), 0, 1)[..., None], 3, axis=2)


def _bytes(picture: np.ndarray) -> np.ndarray:
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


if __name__ == "__main__":
    main()
