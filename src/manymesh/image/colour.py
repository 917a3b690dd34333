"""Pictures of every colour mode as 8-bit RGB or RGBA in sRGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from manymesh.image.deep import from_real_numbers, from_whole_numbers
from manymesh.image.icc import MatrixProfile, read_grey_profile, read_matrix_profile, to_srgb_8bit
from manymesh.image.stated import stated_profile

if TYPE_CHECKING:
    from PIL import Image

# Modes with an alpha channel, or with one colour of the palette declared transparent.
_ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
_GREY_MODES = ("1", "L", "LA", "La")


def to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """A decoded picture of any Pillow mode as mode RGB, or RGBA where it has transparency.

    Args:
        image: with its colour profile in ``info``. notes: called with a sentence for people.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep_grey(image, notes)
    if image.mode == "LAB":
        from PIL import ImageCms

        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return apply_profile(image, lab.tobytes(), notes)
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        profile = b""
    colour = image.mode in ("RGB", "RGBA", "P") or (image.mode in ("L", "LA") and image.format == "PNG")
    stated = stated_profile(image, notes) if colour and not profile else None
    transparent = image.mode in _ALPHA_MODES or "transparency" in image.info
    if image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        grey = image.mode in _GREY_MODES and not transparent
        image = image.convert("L" if grey else "RGBA" if transparent else "RGB")
    if profile and not (image.mode in ("RGB", "RGBA") and _is_srgb(profile)):
        image = apply_profile(image, profile, notes)
    elif stated is not None:
        image = _converted(image if image.mode == "RGBA" else image.convert("RGB"), stated)
    elif image.mode == "CMYK":
        notes.append("Converted from CMYK without a colour profile; colours are approximate.")
    target = "RGBA" if transparent else "RGB"
    return image if image.mode == target else image.convert(target)


def _converted(image: Image.Image, profile: MatrixProfile) -> Image.Image:
    """A picture in RGB or RGBA with its colours in sRGB."""
    from PIL import Image

    pixels = np.asarray(image)
    made = Image.fromarray(to_srgb_8bit(pixels[..., :3].astype(np.uint16) * np.uint16(257), profile))
    if image.mode == "RGBA":
        made.putalpha(Image.fromarray(np.ascontiguousarray(pixels[..., 3])))
    return made


def _is_srgb(profile: bytes) -> bool:
    # (Importing the colour library and converting takes longer than decoding a photo.)
    matrix = read_matrix_profile(profile)
    return matrix is not None and matrix.is_srgb()


def _from_deep_grey(image: Image.Image, notes: list[str]) -> Image.Image:
    """16-bit, 32-bit and float greyscale."""
    from PIL import Image

    values: NDArray[np.generic] = np.asarray(image)
    if image.mode == "I" and (getattr(image, "tag_v2", {}).get(339) or (1,))[0] == 1:
        values = values.astype(np.int32).view(np.uint32)  # unsigned in the file; Pillow's numbers have a sign
    if image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(262) == 0:
        # TIFF's WhiteIsZero, which Pillow turns round in 8-bit pictures alone.
        values = np.uint16(65535) - values.astype(np.uint16)
    stated = image.info.get("icc_profile") or b""
    profile = read_grey_profile(stated) if stated or image.format != "PNG" else stated_profile(image, notes)
    if image.mode == "F":
        grey = from_real_numbers(values, notes)
        profile = None
    else:
        grey = from_whole_numbers(values, notes, None if profile is None or profile.is_srgb() else profile)
    made = Image.fromarray(grey)
    if stated and profile is None:
        made = apply_profile(made, stated, notes)
    made = made.convert("RGB")
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        made.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return made


def apply_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """Convert to sRGB by the embedded ICC profile. One that cannot be applied is ignored, and noted."""
    from PIL import Image, ImageCms

    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colour = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() == "GRAY" and colour.mode != "L":
            colour = colour.convert("L")
        elif source.profile.xcolor_space.strip() == "RGB" and colour.mode == "L":
            colour = colour.convert("RGB")
        converted = ImageCms.profileToProfile(colour, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        notes.append("Its colour profile is damaged and was ignored.")
        return image
    assert isinstance(converted, Image.Image)  # profileToProfile answers None only when it works in place
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
