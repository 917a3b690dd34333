"""Decode a picture file into a ``Photo``: any mode to 8-bit sRGB, oriented by EXIF, bounded in size."""

from __future__ import annotations

import hashlib
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from manymesh.errors import InputError, ManymeshError, OutOfMemoryError
from manymesh.image.decode import decode
from manymesh.image.limits import MAX_FILE_BYTES, WORKING_SIDE_PX, too_many_pixels
from manymesh.image.limits import MAX_PIXELS as MAX_PIXELS
from manymesh.image.sniff import PICTURES
from manymesh.image.transparency import Transparency, clear_share, is_cutout, without_transparency
from manymesh.types import U8, Photo

if TYPE_CHECKING:
    from PIL import Image

_DAMAGED = "Export or download it again."


def load_photo(path: Path, transparency: Transparency = "judge") -> tuple[Photo, float]:
    """Read ``path``.

    Args:
        path: the file.
        transparency: "judge" drops a transparency that outlines no object (see ``transparency.py``), and notes it;
            "keep" keeps any, for pictures that the user calls cutouts.

    Returns:
        The photo, and the factor by which its sides were reduced (1.0 unless it was longer than 4096 px). Boxes given
        in the file's own (oriented) pixels must be multiplied by it.

    Raises:
        InputError: not there, not a file, empty, not a picture, truncated, too many pixels, too small.
        OutOfMemoryError: there is not enough memory to decode it.
    """
    from PIL import Image, UnidentifiedImageError

    data = _read(path)
    notes: list[str] = []
    # Pillow warns at 89 megapixels, and of every oddity in a file; our own limits and notes are the documented ones.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture, claimed_side_px = decode(path, data, notes)
            picture = _reduced(picture, claimed_side_px, notes)
        except ManymeshError:
            raise
        except Image.DecompressionBombError:
            raise too_many_pixels(path, "far more") from None
        except UnidentifiedImageError:
            raise InputError(f"'{path}' is not a picture that can be read", PICTURES) from None
        except MemoryError:
            raise OutOfMemoryError(f"There is not enough memory to decode '{path}'", "Reduce the picture.") from None
        except Exception as error:  # noqa: BLE001 - whatever a reader of damaged data raises, the file is at fault
            raise InputError(f"'{path}' is damaged and cannot be decoded ({_first_line(error)})", _DAMAGED) from None
    rgb, alpha = _split(picture)
    if alpha is not None and transparency == "judge" and not is_cutout(alpha):
        notes.append(
            f"Its transparency was ignored: {clear_share(alpha):.1%} of the picture is clear, "
            "which outlines no object. It is taken as a photo."
        )
        rgb, alpha = without_transparency(rgb, alpha), None
    photo = Photo(rgb, alpha, path.stem, hashlib.sha256(data).hexdigest(), tuple(notes))
    return photo, max(picture.size) / claimed_side_px


def _read(path: Path) -> bytes:
    """The file's bytes, once its kind and size have been checked."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"'{path}' is a folder", "Give picture files, for example: manymesh make folder/*.jpg")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"'{path}' is not a file but a pipe or a device", "Save the picture to a file first.")
        if status.st_size == 0:
            raise InputError(f"'{path}' is empty (0 bytes)", _DAMAGED)
        if status.st_size > MAX_FILE_BYTES:
            raise InputError(f"'{path}' has {status.st_size >> 20} MiB; the limit is {MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"'{path}' does not exist", "Check the path.") from None
    except PermissionError:
        raise InputError(f"'{path}' may not be read", "Check the file's permissions.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise InputError(f"'{path}' cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _first_line(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    # LibRaw's words come as bytes.
    lines = (first.decode("utf-8", "replace") if isinstance(first, bytes) else str(error)).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__


def _reduced(picture: Image.Image, claimed_side_px: int, notes: list[str]) -> Image.Image:
    """The picture with a longest side of at most 4096 px."""
    from PIL import Image

    if max(picture.size) > WORKING_SIDE_PX:
        shrink = WORKING_SIDE_PX / max(picture.size)
        size = (max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if max(picture.size) < claimed_side_px:
        notes.append(f"Reduced to {picture.width} x {picture.height} pixels (longest side {claimed_side_px} before).")
    return picture


def _split(picture: Image.Image) -> tuple[U8, U8 | None]:
    """(H, W, 3) colour, and (H, W) alpha, or None where there is none or all is opaque."""
    pixels = np.asarray(picture)
    if picture.mode != "RGBA":
        return pixels, None
    alpha = np.ascontiguousarray(pixels[..., 3])
    return np.ascontiguousarray(pixels[..., :3]), None if alpha.min() == 255 else alpha
