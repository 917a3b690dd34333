"""One answer of a stage under validation, and the picture that lets people judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image import png
from manymesh.paint.projection import paint_from_photo
from manymesh.render.preview import framing_camera, prepare_model, render
from manymesh.types import ShapeResult
from training.draw import draw, flattened
from training.shapes import Shape
from training.views import Question

CELL_PX, CAPTION_PX = 150, 16
TEXTURE_PX = 512
PAPER, INK = (247, 246, 243), (40, 40, 44)
HEADS = ("input", "front", "side", "back", "clay", "true clay")
RISE_DEG, CLAY_DEG = 12.0, (35.0, 20.0)


@dataclass(frozen=True)
class Row:
    """What came of one question.

    Attributes:
        name, family: of the true shape.
        place: the view's angles.
        figures: what ``measure`` gives and the seconds taken, or {"error": text}.
        picture: (CELL_PX, len(HEADS) * CELL_PX, 3) uint8, or None.
    """

    name: str
    family: str
    place: dict[str, float]
    figures: dict[str, Any]
    picture: NDArray[np.uint8] | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        place = {key: round(value, 2) for key, value in self.place.items()}
        return {"name": self.name, "family": self.family, "view": place} | _rounded(self.figures)

    def line(self) -> str:
        if "error" in self.figures:
            return f"{self.name}: {self.figures['error']}"
        aligned, as_is = self.figures["aligned"]["f_0.05"], self.figures["as_is"]["f_0.05"]
        return f"{self.name}: F@0.05 {aligned:.3f} aligned, {as_is:.3f} as is; {self.figures['seconds']:.2f} s"


def picture_of(shape: Shape, asked: Question, made: ShapeResult) -> NDArray[np.uint8]:
    """Input, the answer as the engine paints it from front, side and behind, in clay, and the truth in clay."""
    painted = paint_from_photo(made.mesh, made.view, asked.cutout, TEXTURE_PX, lambda share: None)
    model, clay = prepare_model(painted), prepare_model(made.mesh, clay=True)
    small = asked.cutout.rgba
    step = small.shape[0] / CELL_PX
    index = ((np.arange(CELL_PX) + 0.5) * step).astype(int)
    cells = [flattened(small[index][:, index], PAPER)]
    for azimuth in (0.0, 90.0, 180.0):
        cells.append(
            flattened(render(model, framing_camera(model.vertices, azimuth, RISE_DEG), CELL_PX, CELL_PX), PAPER)
        )
    cells.append(flattened(render(clay, framing_camera(clay.vertices, *CLAY_DEG), CELL_PX, CELL_PX), PAPER))
    plain = Shape(
        shape.name,
        shape.family,
        shape.vertices,
        shape.faces,
        np.full_like(shape.colors, 200),
        shape.group,
    )
    cells.append(flattened(draw(plain, framing_camera(shape.vertices, *CLAY_DEG), CELL_PX), PAPER))
    return np.concatenate(cells, axis=1)


def sheet(rows: Sequence[Row], across: int = 2) -> NDArray[np.uint8]:
    """All answers that have a picture, ``across`` in a row, each with its name and its two F-scores."""
    from PIL import Image, ImageDraw

    shown = [row for row in rows if row.picture is not None]
    width, height = CELL_PX * len(HEADS) + 12, CELL_PX + CAPTION_PX + 4
    picture = Image.new("RGB", (across * width, max(-(-len(shown) // across), 1) * height), PAPER)
    pen = ImageDraw.Draw(picture)
    for number, row in enumerate(shown):
        left, top = number % across * width, number // across * height
        picture.paste(Image.fromarray(np.asarray(row.picture)), (left, top))
        pen.text((left + 4, top + CELL_PX), row.line(), fill=INK, font=png.font(CAPTION_PX - 3))
    return np.asarray(picture)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 5) if isinstance(value, float) else value
