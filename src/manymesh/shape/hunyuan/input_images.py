"""The image encoder's inputs: the cutout, and further views that the user gives as files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from manymesh.errors import InputError, UsageError
from manymesh.image.limits import MAX_FILE_BYTES, check_size
from manymesh.settings import Settings
from manymesh.types import U8


def read_extra_views(settings: Settings, multi_view: bool) -> Mapping[str, U8]:
    """The files of ``settings.views`` as (H, W, 4) uint8, by side ("back", "left", "right").

    Raises:
        UsageError: the model takes only one view, or an image has no transparency.
        InputError: an image cannot be read.
    """
    from PIL import Image

    if settings.views and not multi_view:
        raise UsageError(f"the model {settings.shape_model} takes one view", "Use --model 2mv with --view")
    images: dict[str, U8] = {}
    for item in settings.views:
        side, _, file = item.partition("=")
        try:
            with Image.open(_opened(Path(file))) as image:
                check_size(Path(file), *image.size)
                rgba = np.asarray(image.convert("RGBA"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise InputError(f"the view '{file}' cannot be read: {error}", "Give a PNG with transparency") from None
        if rgba[..., 3].min() == 255:
            raise UsageError(f"the view '{file}' is not cut out", "Give a PNG that is transparent around the object")
        images[side] = rgba
    return images


def _opened(path: Path) -> io.BytesIO:
    """The bytes of a picture's file. Raises ``InputError`` for a pipe, a device, or too large a file."""
    if not path.is_file():
        raise InputError(f"the view '{path}' is not a file", "Give a PNG with transparency")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"the view '{path}' is larger than {MAX_FILE_BYTES >> 20} MiB", "Reduce it first")
    return io.BytesIO(path.read_bytes())
