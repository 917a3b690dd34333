"""PNG to arrays and back, and the drawings that a run folder holds: boxes on a photo, a checkerboard under a cutout."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from manymesh.errors import InputError
from manymesh.image.limits import check_pixels
from manymesh.types import U8, Bool, Box

if TYPE_CHECKING:
    from PIL import ImageFont

# Okabe and Ito's palette (2008): colour-blind people can tell its colours apart, in light and dark photos.
PALETTE = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


def encode(pixels: U8, alpha: U8 | None = None) -> bytes:
    """PNG bytes of an image.

    Args:
        pixels: (H, W) grey, (H, W, 3) sRGB or (H, W, 4) sRGB with straight alpha, uint8.
        alpha: (H, W) uint8, alpha to add to (H, W, 3) pixels.
    """
    import cv2

    stacked = np.ascontiguousarray(pixels)
    if alpha is not None:
        stacked = np.asarray(cv2.cvtColor(stacked, cv2.COLOR_RGB2BGRA))
        cv2.insertChannel(np.ascontiguousarray(alpha), stacked, 3)
    elif stacked.ndim == 3:
        stacked = np.asarray(cv2.cvtColor(stacked, cv2.COLOR_RGB2BGR if stacked.shape[2] == 3 else cv2.COLOR_RGBA2BGRA))
    # Run-length coding after the filters: half of Pillow's time, and files as small as its level 4 makes them.
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    if hasattr(
        cv2, "IMWRITE_PNG_FILTER"
    ):  # from OpenCV 4.11 on; trying all five filters takes 1.5 times as long and saves nothing
        options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH]
    return cv2.imencode(".png", stacked, options)[1].tobytes()


def decode(data: bytes) -> tuple[U8, U8 | None]:
    """PNG bytes as (H, W, 3) uint8 sRGB and (H, W) uint8 alpha, or None where the file has none.

    Raises:
        InputError: no PNG picture, a damaged one, or one of more pixels than a photo may have.
    """
    import cv2

    _check_header(data)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3:  # grey, a palette, or damaged
        return _decode_any(data)
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8), None
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)
    return np.asarray(rgb, np.uint8), np.asarray(cv2.extractChannel(pixels, 3), np.uint8)


def decode_rgba(data: bytes) -> U8:
    """PNG bytes as (H, W, 4) uint8, opaque where the file has no transparency. Raises as ``decode``."""
    rgb, alpha = decode(data)
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8) if alpha is None else alpha])


def _decode_any(data: bytes) -> tuple[U8, U8 | None]:
    """``decode`` by Pillow, which knows every kind of PNG."""
    from PIL import Image

    with _damage(), Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGBA" if "A" in image.mode else "RGB"))
    if pixels.shape[2] == 3:
        return pixels, None
    return np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3])


def encode_mask(mask: Bool) -> bytes:
    """(H, W) bool as a greyscale PNG, white inside."""
    return encode(mask.astype(np.uint8) * 255)


def decode_mask(data: bytes) -> Bool:
    """A greyscale PNG as (H, W) bool. Raises as ``decode``."""
    from PIL import Image

    _check_header(data)
    with _damage(), Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("L")) > 127


def _check_header(data: bytes) -> None:
    """Judge a picture by its first bytes, before anything of it is decoded."""
    if len(data) < 24 or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise InputError("a picture is no PNG file", "It is damaged, or not one that manymesh wrote.")
    check_pixels("a picture", *struct.unpack(">II", data[16:24]))


@contextmanager
def _damage() -> Iterator[None]:
    """Faults of a damaged picture as an error for people."""
    try:
        yield
    except (OSError, ValueError, SyntaxError, struct.error, zlib.error) as error:
        raise InputError(f"a picture cannot be read ({error})", "It is damaged.") from error


@lru_cache(maxsize=16)
def font(size_px: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Pillow's own font, which is the same on every machine, so that drawings are the same bytes.

    It is cached because unpacking it takes longer than writing a line with it.
    """
    from PIL import ImageFont

    return ImageFont.load_default(size_px)


def draw_boxes(rgb: U8, boxes: Sequence[tuple[Box, str]]) -> U8:
    """An (H, W, 3) uint8 photo with labelled boxes drawn on it, (H, W, 3) uint8."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    side = max(image.size)
    line_px, text_px = max(2, side // 320), max(12, side // 45)
    for number, (box, label) in enumerate(boxes):
        colour = PALETTE[number % len(PALETTE)]
        draw.rectangle(
            (box.x0, box.y0, max(box.x1 - 1, box.x0), max(box.y1 - 1, box.y0)), outline=colour, width=line_px
        )
        # Inside the box where there is no room above it.
        y = box.y0 - text_px - 6 if box.y0 >= text_px + 6 else box.y0
        extent = draw.textbbox((box.x0 + 4, y + 2), label, font=font(text_px))
        draw.rectangle((box.x0, y, extent[2] + 4, extent[3] + 4), fill=colour)
        draw.text((box.x0 + 4, y + 2), label, fill="black", font=font(text_px))
    return np.asarray(image)


def over_checkerboard(rgba: U8, cell_px: int = 12) -> U8:
    """An (H, W, 4) uint8 cutout over a grey checkerboard, (H, W, 3) uint8."""
    rows, columns = np.indices(rgba.shape[:2]) // cell_px
    board = np.where((rows + columns) % 2 == 0, 205, 235).astype(np.float32)[..., None]
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    return np.asarray(np.rint(rgba[..., :3] * alpha + board * (1.0 - alpha)).astype(np.uint8))
