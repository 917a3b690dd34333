"""Decode a picture file into a ``Photo``: any mode to 8-bit sRGB, oriented by EXIF, bounded in size."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from manymesh.errors import InputError
from manymesh.types import U8, Photo

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 100_000_000
"""Files that claim more pixels than this are refused before anything is decoded (a decompression bomb)."""

MAX_FILE_BYTES = 512 * 1024**2
WORKING_SIDE_PX = 4096
"""Longer photos are reduced to this side: no stage reads more, and it bounds host memory."""

MIN_SIDE_PX = 16
# The profile of 1998 that most editors and cameras embed for sRGB. Converting it to sRGB changes no colour by more than
# one level, and waiting for the colour library costs more than decoding a photo.
_SRGB_SHA256 = "2b3aa1645779a9e634744faf9b01e9102b0c9b88fd6deced7934df86b949af7e"
_EXIF_ORIENTATION = 0x0112
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def load_photo(path: Path) -> tuple[Photo, float]:
    """Read ``path``.

    Returns:
        The photo, and the factor by which its sides were reduced (1.0 unless it was longer than 4096 px). Boxes given
        in the file's own (oriented) pixels must be multiplied by it.

    Raises:
        InputError: not there, a folder, empty, not a picture, truncated, too many pixels, too small.
    """
    from PIL import Image, UnidentifiedImageError

    data = _read(path)
    # (Pillow reads AVIF itself, which may call itself by a general brand first.)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS and b"avif" not in data[8:64]:
        _enable_heic(path)
    # Pillow warns at 89 megapixels; our own limit, checked before decoding, is the one that is documented.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data)) as image:
                _check_size(path, image.width, image.height)
                notes: list[str] = []
                rgb, alpha, factor = _decode(image, notes)
        except Image.DecompressionBombError:
            raise _too_many_pixels(path, "far more") from None
        except UnidentifiedImageError:
            raise InputError(
                f"'{path}' is not a picture that can be read", "Give a JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF file."
            ) from None
        except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's readers raise on damaged data
            raise InputError(
                f"'{path}' is damaged and cannot be decoded ({error})", "Export or download it again."
            ) from None
    return Photo(rgb, alpha, path.stem, hashlib.sha256(data).hexdigest(), tuple(notes)), factor


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"'{path}' is a folder", "Give picture files, for example: manymesh make folder/*.jpg")
        size_bytes = path.stat().st_size
        if size_bytes == 0:
            raise InputError(f"'{path}' is empty (0 bytes)", "Export or download it again.")
        if size_bytes > MAX_FILE_BYTES:
            raise InputError(f"'{path}' has {size_bytes >> 20} MiB; the limit is {MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"'{path}' does not exist", "Check the path.") from None
    except PermissionError:
        raise InputError(f"'{path}' may not be read", "Check the file's permissions.") from None
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror or error})") from None


def _enable_heic(path: Path) -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise InputError(
            f"'{path}' is a HEIC photo, and its reader is not installed",
            "Run `pip install 'manymesh[heic]'`, or save the photo as JPEG.",
        ) from None
    register_heif_opener()


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(path, f"{width} x {height} = {width * height / 1e6:.0f} million")
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(
            f"'{path}' is only {width} x {height} pixels", f"Give a photo of at least {MIN_SIDE_PX} pixels a side."
        )


def _too_many_pixels(path: Path, count: str) -> InputError:
    return InputError(
        f"'{path}' claims {count} pixels; the limit is {MAX_PIXELS // 10**6} million", "Reduce the picture first."
    )


def _decode(image: Image.Image, notes: list[str]) -> tuple[U8, U8 | None, float]:
    """The picture as (H, W, 3) colour, (H, W) alpha or None, and the factor its sides were reduced by."""
    from PIL import Image, ImageOps

    # (An iPhone's MPO holds a second, smaller copy, not an animation.)
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format != "MPO":
        notes.append(f"The file has {frames} frames; the first was taken.")
    claimed_side_px = max(image.size)
    # JPEG can decode straight to a half or a quarter, so that a huge photo never needs its full array.
    image.draft("RGB", (WORKING_SIDE_PX, WORKING_SIDE_PX))
    image.load()
    if image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
        notes.append("Turned upright as its EXIF orientation says.")
    picture = _to_srgb(ImageOps.exif_transpose(image), notes)
    if max(picture.size) > WORKING_SIDE_PX:
        shrink = WORKING_SIDE_PX / max(picture.size)
        size = (max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    factor = max(picture.size) / claimed_side_px
    if factor < 1.0:
        notes.append(f"Reduced to {picture.width} x {picture.height} pixels (longest side {claimed_side_px} before).")
    pixels = np.asarray(picture)
    if picture.mode != "RGBA":
        return pixels, None, factor
    alpha = np.ascontiguousarray(pixels[..., 3])
    return np.ascontiguousarray(pixels[..., :3]), None if alpha.min() == 255 else alpha, factor


def _to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any Pillow mode to 8-bit RGB or RGBA in sRGB."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep_grey(image, notes)
    if image.mode == "LAB":
        from PIL import ImageCms

        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _through_profile(image, lab.tobytes(), notes)
    transparent = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L") and not _is_srgb(image, profile):
        image = _through_profile(image, profile, notes)
    elif image.mode == "CMYK":
        notes.append("Converted from CMYK without a colour profile; colours are approximate.")
    target = "RGBA" if transparent else "RGB"
    return image if image.mode == target else image.convert(target)


def _is_srgb(image: Image.Image, profile: bytes) -> bool:
    return image.mode in ("RGB", "RGBA") and hashlib.sha256(profile).hexdigest() == _SRGB_SHA256


def _from_deep_grey(image: Image.Image, notes: list[str]) -> Image.Image:
    """16-bit, 32-bit and float greyscale: scaled by the type's range, or the values' own where it has none."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(values.max(initial=0.0))
    if image.mode.startswith("I;16"):
        top = 65535.0
    else:
        # Whole 32-bit numbers and floats state no range: take the smallest usual one that holds the values.
        top = next((t for t in (1.0, 255.0, 65535.0) if highest <= t and (t > 1.0 or image.mode == "F")), highest)
    notes.append(f"Reduced from {'float' if image.mode == 'F' else '16-bit'} greyscale to 8 bits.")
    grey = np.clip(np.rint(values * (255.0 / top)), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _through_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """Apply the embedded ICC profile (phones embed Display P3). A broken profile is ignored, and said."""
    from PIL import Image, ImageCms

    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colour = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(colour, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        notes.append("Its colour profile is damaged and was ignored.")
        return image
    assert isinstance(converted, Image.Image)  # profileToProfile answers None only when it works in place
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
