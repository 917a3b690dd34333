"""Contact sheets of training shapes: a look at the data before it is learned from.

    python -m training.sheet animals --out animals.png
    python -m training.sheet training/.cache/furniture.pack --count 60 --skip 120 --out furniture.png

Each object is shown from its front (+Z), from three quarters and from behind, with its name below.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manymesh.image import png
from manymesh.render.preview import framing_camera
from training.draw import draw, flattened, normals_of
from training.families import FAMILIES, generate
from training.pack import load
from training.shapes import Shape
from training.split import held_out

VIEWS_DEG = (0.0, 40.0, 180.0)
ELEVATION_DEG = 15.0
PAPER, INK = (247, 246, 243), (40, 40, 44)
CAPTION_PX = 13


def strip(shape: Shape, view_px: int, views_deg: Sequence[float] = VIEWS_DEG) -> NDArray[np.uint8]:
    """(view_px, n * view_px, 3): the shape from n sides."""
    normals = normals_of(shape)
    views = []
    for azimuth in views_deg:
        camera = framing_camera(shape.vertices, azimuth, ELEVATION_DEG)
        views.append(flattened(draw(shape, camera, view_px, normals=normals), PAPER))
    return np.concatenate(views, axis=1)


def sheet(shapes: Sequence[Shape], view_px: int = 96, across: int = 5) -> NDArray[np.uint8]:
    """All shapes, ``across`` in a row, each with its name."""
    from PIL import Image, ImageDraw

    width, height = view_px * len(VIEWS_DEG) + 8, view_px + CAPTION_PX + 4
    rows = -(-len(shapes) // across)
    picture = Image.new("RGB", (across * width, max(rows, 1) * height), PAPER)
    pen = ImageDraw.Draw(picture)
    for number, shape in enumerate(shapes):
        left, top = number % across * width, number // across * height
        picture.paste(Image.fromarray(strip(shape, view_px)), (left, top))
        mark = "" if shape.front_known else "  (front unknown)"
        pen.text((left + 3, top + view_px), shape.name + mark, fill=INK, font=png.font(CAPTION_PX - 2))
    return np.asarray(picture)


def shapes_of(source: str) -> list[Shape] | None:
    """The shapes of a pack file, or None when ``source`` names a generator family."""
    return None if source in FAMILIES else load(source)


def main(arguments: Sequence[str] | None = None) -> int:
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help=f"a pack, or one of {', '.join(FAMILIES)}")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--across", type=int, default=5)
    parser.add_argument("--view-px", type=int, default=96)
    parser.add_argument("--held-out", action="store_true", help="of a pack, only the shapes that validate")
    options = parser.parse_args(arguments)
    if options.source not in FAMILIES and not Path(options.source).is_file():
        parser.error(f"'{options.source}' is neither a family nor a file")
    shapes = shapes_of(options.source)
    if shapes is None:
        shapes = [generate(options.source, options.skip + number) for number in range(options.count)]
    else:
        shapes = [s for s in shapes if held_out(s.name) or not options.held_out]
        shapes = shapes[options.skip : options.skip + options.count]
    Image.fromarray(sheet(shapes, options.view_px, options.across)).save(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
