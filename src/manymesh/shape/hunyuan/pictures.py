"""The pictures that the image encoder is to see: the cutout, and further views that the user gives as files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from manymesh.errors import InputError, UsageError
from manymesh.settings import Settings
from manymesh.types import U8

_HAZE = 12


def without_haze(rgba: U8) -> U8:
    """The cutout with alpha of at most 5 % cleared. Preprocessing takes all that is not clear for the object, so
    a haze that nobody sees would make the object small. A cutout that is nothing but haze stays as it is."""
    clear = rgba[..., 3] <= _HAZE
    if clear.all():
        return rgba
    cleaned = rgba.copy()
    cleaned[clear, 3] = 0
    return cleaned


def read_views(settings: Settings, multi_view: bool) -> Mapping[str, U8]:
    """The further views' pictures, (H, W, 4) uint8, by side.

    Raises:
        UsageError: the model takes one view, or a picture is not cut out.
        InputError: a picture cannot be read.
    """
    from PIL import Image

    if settings.views and not multi_view:
        raise UsageError(f"the model {settings.shape_model} takes one view", "Use --model 2mv with --view")
    pictures: dict[str, U8] = {}
    for item in settings.views:
        side, _, file = item.partition("=")
        try:
            with Image.open(file) as image:
                rgba = np.asarray(image.convert("RGBA"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise InputError(f"the view '{file}' cannot be read: {error}", "Give a PNG with transparency") from None
        if rgba[..., 3].min() == 255:
            raise UsageError(f"the view '{file}' is not cut out", "Give a PNG that is transparent around the object")
        pictures[side] = rgba
    return pictures
