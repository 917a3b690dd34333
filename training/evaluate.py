"""How good a shape stage is on objects that were kept out of training.

    python -m training.evaluate --shapes training/.cache/furniture.pack --shape inflate
    python -m training.evaluate --generated --model lite-shape.onnx --sheet answers.png

Each held-out object is rendered (azimuth within 60 degrees of the front, elevation 5 to 30, field of view 15 to 40, 512
px, perfect matte), modelled by the stage, and compared with the truth (training/measure.py says how).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from manymesh.engines import find_stage
from manymesh.errors import ManymeshError, ObjectError
from manymesh.segment.network import SegmentationNetwork
from manymesh.settings import Settings
from manymesh.stages import Shape as ShapeStage
from manymesh.stages import Tick
from manymesh.types import Cutout, ShapeResult
from training.answers import HEADS, Row, picture_of, sheet
from training.families import FAMILIES, generate
from training.measure import measure, truth_of
from training.pack import load
from training.recut import GROUNDS, recut
from training.shapes import Shape
from training.split import FIRST_VALIDATION_NUMBER, held_out
from training.views import ELEVATIONS_DEG, question

AS_IS, ALIGNED = "as is", "aligned"
COLUMNS = ("f_0.02", "f_0.05", "f_0.1", "chamfer_l1", "normals", "volume_iou", "novel_iou")


@contextmanager
def opened(name: str, model: Path | None) -> Iterator[ShapeStage]:
    """The shape stage called ``name``, or the learned one on a network of its own; that never falls back.

    Raises:
        ManymeshError: no such stage, or the network cannot be opened.
    """
    if model is None:
        with find_stage("shape", name).open(Settings()) as stage:
            yield stage
        return
    from manymesh.shape.learned.session import ShapeNetwork
    from manymesh.shape.learned.stage import EmptyShapeError, reconstruct

    network = ShapeNetwork(model)

    def shape(cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        try:
            return reconstruct(network, cutout, tick)
        except EmptyShapeError as error:
            raise ObjectError(str(error)) from error

    yield shape


def things(pack: Path | None, generated: int) -> list[Shape]:
    """The held-out shapes of a pack, and ``generated`` validation objects of every family."""
    shapes = [] if pack is None else [shape for shape in load(pack) if held_out(shape.name)]
    for family in FAMILIES if generated else ():
        shapes += [generate(family, FIRST_VALIDATION_NUMBER + number) for number in range(generated)]
    return shapes


def evaluated(
    shapes: Sequence[Shape],
    stage: ShapeStage,
    views: int,
    with_pictures: bool,
    elevations_deg: tuple[float, float] = ELEVATIONS_DEG,
    ground: str | None = None,
) -> Iterator[Row]:
    """A row for each shape and view. A stage that fails on one is noted there and gets no figures.

    With a ``ground`` (of ``training.recut.GROUNDS``) the stage gets the lite engine's own cutout from it.
    """
    network = None if ground is None else SegmentationNetwork()
    for shape in shapes:
        truth = truth_of(shape)
        for number in range(views):
            asked = question(shape, number, elevations_deg)
            place = {"azimuth": asked.azimuth_deg, "elevation": asked.elevation_deg, "fov": asked.fov_deg}
            began = time.perf_counter()
            cutout, found = asked.cutout, 1
            try:
                if ground is not None:
                    cutout, found = recut(asked.cutout, ground, shape.name, network)
                made = stage(cutout, seed=0, tick=lambda share: None)
            except (ManymeshError, ValueError, RuntimeError) as error:
                yield Row(shape.name, shape.family, place, {"error": f"{type(error).__name__}: {error}"})
                continue
            seconds = time.perf_counter() - began
            figures = measure(truth, made.mesh, view=made.view, alpha=asked.cutout.rgba[..., 3])
            figures |= {"seconds": seconds, "notes": list(made.notes), "found": found}
            picture = picture_of(shape, asked, made) if with_pictures else None
            yield Row(shape.name, shape.family, place, figures, picture)


def table(rows: Sequence[Row]) -> str:
    """Markdown: mean / median of every figure, by family and overall, as is and aligned."""
    done = [row for row in rows if "error" not in row.figures]
    lines = []
    for title, key in ((ALIGNED, "aligned"), (AS_IS, "as_is")):
        lines += ["", f"| {title} (mean / median) | n | " + " | ".join(COLUMNS) + " |"]
        lines.append("| --- " * (len(COLUMNS) + 2) + "|")
        for family in [*sorted({row.family for row in done}), "all"]:
            mine = [row.figures[key] for row in done if family in (row.family, "all")]
            values = (np.array([figures[column] for figures in mine]) for column in COLUMNS)
            cells = " | ".join(f"{value.mean():.3f} / {np.median(value):.3f}" for value in values) if mine else ""
            lines.append(f"| {family} | {len(mine)} | {cells} |")
    if done:
        front = np.array([row.figures["front_silhouette"] for row in done])
        closed = np.mean([row.figures["watertight"] for row in done])
        seconds = np.mean([row.figures["seconds"] for row in done])
        lines += ["", f"front silhouette {front.mean():.3f} / {np.median(front):.3f}, least {front.min():.3f}; "]
        lines[-1] += f"watertight {closed:.2f}; {seconds:.2f} s an object; failed {len(rows) - len(done)}"
    return "\n".join(lines).strip()


def main(arguments: Sequence[str] | None = None) -> int:
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=Path, help="a pack; its held-out shapes are asked about")
    parser.add_argument("--generated", type=int, nargs="?", const=3, default=0, help="objects of every family; 3")
    parser.add_argument("--shape", default="inflate", help="the stage's name")
    parser.add_argument("--model", type=Path, help="an ONNX file for the learned stage")
    parser.add_argument("--views", type=int, default=1, help="of each object")
    parser.add_argument("--elevation", type=float, nargs=2, default=ELEVATIONS_DEG, metavar=("LOW", "HIGH"))
    parser.add_argument("--ground", choices=sorted(GROUNDS), help="lay each on this ground and let lite cut it out")
    parser.add_argument("--every", type=int, default=1, help="ask about every so many-th object only")
    parser.add_argument("--limit", type=int, help="ask about the first so many objects only")
    parser.add_argument("--json", type=Path, help="write every figure")
    parser.add_argument("--sheet", type=Path, help=f"write a picture of all answers: {', '.join(HEADS)}")
    options = parser.parse_args(arguments)
    shapes = things(options.shapes, options.generated)[:: options.every][: options.limit]
    if not shapes:
        parser.error("nothing to ask about: give --shapes PACK, --generated, or both")
    rows: list[Row] = []
    try:
        with opened(options.shape, options.model) as stage:
            elevation, pictures = tuple(options.elevation), options.sheet is not None
            for row in evaluated(shapes, stage, options.views, pictures, elevation, options.ground):
                rows.append(row)
                print(row.line(), file=sys.stderr, flush=True)
    except ManymeshError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([row.plain() for row in rows], indent=1), "utf-8")
    if options.sheet:
        Image.fromarray(sheet(rows)).save(options.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
