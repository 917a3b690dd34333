"""A perfect cutout laid on a plain background and cut out again by the lite engine: what its own cutting out costs."""

from __future__ import annotations

import zlib

import numpy as np

from manymesh.detect.lite import detect
from manymesh.errors import ObjectError
from manymesh.image.crop import box_in_window, crop_array, crop_window
from manymesh.matte.lite import matte
from manymesh.segment.network import SegmentationNetwork
from manymesh.types import Crop, Cutout, Photo

GROUNDS = {"grey": (198, 198, 200), "blue": (96, 128, 168), "beige": (222, 206, 180), "white": (250, 250, 250)}
"""sRGB colours of the backgrounds that can be asked for."""
NOISE = 2.0
"""Standard deviation of the camera's noise, of 255."""


def on_ground(cutout: Cutout, ground: str, name: str) -> Photo:
    """A photo of the cutout on a plain background; equal names give equal noise."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    share = cutout.rgba[..., 3:].astype(np.float32) / 255
    scene = cutout.rgba[..., :3] * share + np.array(GROUNDS[ground]) * (1 - share)
    scene = scene + rng.normal(0, NOISE, scene.shape)
    return Photo(np.clip(np.round(scene), 0, 255).astype(np.uint8), None, name, "")


def recut(cutout: Cutout, ground: str, name: str, network: SegmentationNetwork | None) -> tuple[Cutout, int]:
    """(the largest object found, on the same canvas; how many objects were found).

    Raises:
        ObjectError: nothing was found.
    """
    photo = on_ground(cutout, ground, name)
    found = detect(photo, network=network)
    if not found:
        raise ObjectError("nothing stands apart from the ground")
    largest = max(found, key=lambda one: 0 if one.mask is None else int(one.mask.sum()))
    window = crop_window(largest.box, photo.width, photo.height)
    mask = None if largest.mask is None else crop_array(largest.mask, window)
    small = matte(Crop(crop_array(photo.rgb, window), window, box_in_window(largest.box, window), mask=mask))
    rgba = np.zeros_like(cutout.rgba)
    rgba[window.y0 : window.y1, window.x0 : window.x1] = small.rgba
    return Cutout(rgba, cutout.window), len(found)
