"""A sheet of scenes with the truth beside: ``python -m training.scenes.look --shapes PACK_OR_FAMILIES --out a.png``."""

from __future__ import annotations

import argparse
import colorsys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from training.render.preview import load
from training.render.shape_set import ShapeSet
from training.scenes.compose import Scenes, compose
from training.scenes.layout import MOST


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a sheet of the segmentation network's training scenes")
    parser.add_argument("--shapes", required=True, help="a pack file, or names of families with commas between")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=6, help="shapes (of each family)")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    shape_set = ShapeSet(load(options.shapes, 0, options.count), "cuda" if torch.cuda.is_available() else "cpu")
    scenes = compose(shape_set, options.scenes, torch.ones(len(shape_set)), options.seed)
    Image.fromarray(sheet(scenes)).save(options.out)


def sheet(scenes: Scenes, columns: int = 6, side: int = 256) -> np.ndarray:
    """(h, w, 3) uint8: each photo, and under it its objects in colours."""
    hues = [(number * 0.618) % 1 for number in range(MOST)]
    colors = [
        [255 * c for c in colorsys.hsv_to_rgb(hue, 0.5 + 0.5 * (i % 2), 1 - 0.4 * (i % 3 == 2))]
        for i, hue in enumerate(hues)
    ]
    palette = np.array([[0, 0, 0], *colors])
    cells = []
    for image, owner in zip(scenes.image.cpu(), scenes.owner.cpu(), strict=True):
        photo = (image.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        truth = palette[owner.numpy() + 1].astype(np.uint8)
        both = [np.asarray(Image.fromarray(part).resize((side, side))) for part in (photo, truth)]
        cells.append(np.concatenate(both))
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    return np.concatenate([np.concatenate(cells[i : i + columns], 1) for i in range(0, len(cells), columns)])


if __name__ == "__main__":
    main()
