"""sheet.png: one picture of the whole run, to judge it at a glance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from manymesh.image import png
from manymesh.parallel import worker_count
from manymesh.render.preview import framing_camera, prepare_model, render
from manymesh.run.folder import Run
from manymesh.run.lifecycle import is_made, wanted
from manymesh.run.manifest import ObjectRecord
from manymesh.types import U8

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

CELL_PX, GAP_PX, TEXT_PX, HEAD_PX = 224, 16, 17, 420
COLUMNS = ("cutout", "front", "right", "back", "left", "clay")
PAPER, INK, FAINT, ALARM = "#f7f6f3", "#1d1d1f", "#77756f", "#b3261e"
CLAY_TURN_DEG, CLAY_RISE_DEG = 35.0, 20.0


def contact_sheet(run: Run) -> bytes:
    """PNG bytes: the photo with its boxes, then a row an object: cutout, four painted views, a clay one."""
    from PIL import Image, ImageDraw

    records = wanted(run.manifest)
    width = len(COLUMNS) * (CELL_PX + GAP_PX) + GAP_PX
    row_px = CELL_PX + TEXT_PX + 2 * GAP_PX
    sheet = Image.new("RGB", (width, HEAD_PX + 3 * GAP_PX + TEXT_PX + row_px * len(records)), PAPER)
    draw = ImageDraw.Draw(sheet)
    # Two at once: beside the drawing of the clay views all else on the sheet is quick.
    with ThreadPoolExecutor(worker_count()) as pool:
        clays = pool.map(partial(_clay, run), records)
        _head(sheet, draw, run)
        top = HEAD_PX + 2 * GAP_PX
        for column, name in enumerate(COLUMNS):
            draw.text((_left(column), top), name, fill=FAINT, font=png.font(TEXT_PX - 2))
        top += TEXT_PX + GAP_PX // 2
        for record, clay in zip(records, clays, strict=True):
            _row(sheet, draw, run, record, clay, top)
            top += row_px
    return png.encode(np.asarray(sheet))


def _left(column: int) -> int:
    return GAP_PX + column * (CELL_PX + GAP_PX)


def _head(sheet: Image.Image, draw: ImageDraw.ImageDraw, run: Run) -> None:
    from PIL import Image

    drawn, _ = run.load_picture(run.manifest.files["detections"])
    photo = Image.fromarray(drawn)
    photo.thumbnail((sheet.width * 5 // 8, HEAD_PX - GAP_PX), Image.Resampling.LANCZOS)
    sheet.paste(photo, (GAP_PX, GAP_PX))
    left, top = photo.width + 2 * GAP_PX, GAP_PX
    manifest = run.manifest
    made = sum(is_made(record) for record in manifest.objects)
    lines = [
        (manifest.input.name, INK, TEXT_PX + 7),
        (f"{made} of {len(wanted(manifest))} objects made", INK, TEXT_PX),
        (f"engine {manifest.engine}, seed {manifest.settings.seed}", FAINT, TEXT_PX),
        (f"prompt: {manifest.settings.prompt}" if manifest.settings.prompt else "no prompt", FAINT, TEXT_PX),
        (f"manymesh {manifest.manymesh}", FAINT, TEXT_PX),
    ]
    for text, colour, size_px in lines:
        draw.text(
            (left, top),
            _fitted(draw, text, size_px, sheet.width - left - GAP_PX),
            fill=colour,
            font=png.font(size_px),
        )
        top += round(size_px * 1.5)


def _clay(run: Run, record: ObjectRecord) -> U8 | None:
    """The (CELL_PX, CELL_PX, 4) view without colours of an object that was made."""
    if "preview" not in record.files:
        return None
    mesh = run.load(record, "mesh")
    camera = framing_camera(mesh.vertices, CLAY_TURN_DEG, CLAY_RISE_DEG)
    return render(prepare_model(mesh, clay=True), camera, CELL_PX, CELL_PX)


def _row(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, run: Run, record: ObjectRecord, clay: U8 | None, top: int
) -> None:
    from PIL import Image, ImageOps

    caption = f"{record.index}  {record.label}"
    if record.error is not None:
        caption += f"   failed in {record.error.stage}: {record.error.message}"
    else:
        caption += f"   {record.facts.get('faces', 0):,} faces"
    colour = INK if record.error is None else ALARM
    draw.text(
        (GAP_PX, top),
        _fitted(draw, caption, TEXT_PX, sheet.width - 2 * GAP_PX),
        fill=colour,
        font=png.font(TEXT_PX),
    )
    top += TEXT_PX + GAP_PX // 2
    if "cutout" in record.files or "crop" in record.files:
        small = ImageOps.contain(
            Image.fromarray(_cutout_or_crop(run, record)), (CELL_PX, CELL_PX), Image.Resampling.LANCZOS
        )
        picture = Image.fromarray(png.over_checkerboard(np.asarray(small)))
        sheet.paste(picture, (GAP_PX + (CELL_PX - picture.width) // 2, top + (CELL_PX - picture.height) // 2))
    if clay is not None:
        rgb, alpha = run.load_picture(record.files["preview"])
        strip = Image.fromarray(rgb if alpha is None else np.dstack([rgb, alpha]))
        side = strip.height
        for number in range(4):
            view = strip.crop((number * side, 0, (number + 1) * side, side))
            _paste(sheet, view.resize((CELL_PX, CELL_PX), Image.Resampling.LANCZOS), _left(1 + number), top)
        _paste(sheet, Image.fromarray(clay), _left(5), top)


def _cutout_or_crop(run: Run, record: ObjectRecord) -> U8:
    """(h, w, 4): the object as far as it was cut out."""
    if "cutout" in record.files:
        return run.load(record, "cutout").rgba
    rgb, alpha = run.load_picture(record.files["crop"])
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8) if alpha is None else alpha])


def _paste(sheet: Image.Image, picture: Image.Image, left: int, top: int) -> None:
    sheet.paste(picture, (left, top), picture if picture.mode == "RGBA" else None)


def _fitted(draw: ImageDraw.ImageDraw, text: str, size_px: int, room_px: int) -> str:
    """``text``, cut with an ellipsis where it would run off the sheet."""
    text = " ".join(text.split())
    font = png.font(size_px)
    if draw.textlength(text, font=font) <= room_px:
        return text
    while text and draw.textlength(text + "…", font=font) > room_px:
        text = text[:-1]
    return text + "…"
