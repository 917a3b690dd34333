"""How large a picture may be, checked before anything of it is decoded."""

from __future__ import annotations

from pathlib import Path

from manymesh.errors import InputError

# Files that claim more pixels than this are refused (a decompression bomb, or a mistake).
MAX_PIXELS = 100_000_000
MAX_FILE_BYTES = 512 * 1024**2
# Of 16-bit colour (6 or 8 bytes a pixel) and float pictures (up to 32) before they are reduced to 8 bits. With it,
# decoding stays under 1.5 GB.
MAX_DEEP_BYTES = 400 * 1024**2
# Longer photos are reduced to this side: no stage reads more, and it bounds host memory.
WORKING_SIDE_PX = 4096
MIN_SIDE_PX = 16


def check_size(path: Path, width: int, height: int, *, pixel_bytes: int = 0) -> None:
    """Refuse a picture of too many pixels or too few.

    Args:
        path: the file, for the sentence.
        width, height: what it claims, in pixels.
        pixel_bytes: bytes of a pixel where it is decoded to more than eight bits a sample.

    Raises:
        InputError: too large, too small, or so narrow that nothing is left of its short side when it is reduced.
    """
    if width < 1 or height < 1:
        raise InputError(f"'{path}' is damaged: it does not say how large its picture is", "Export it again.")
    if width * height > MAX_PIXELS:
        raise too_many_pixels(path, f"{width} x {height} = {width * height / 1e6:.0f} million")
    if width * height * pixel_bytes > MAX_DEEP_BYTES:
        raise InputError(
            f"'{path}' has {width * height / 1e6:.0f} million pixels of {pixel_bytes} bytes; "
            f"the limit for these is {MAX_DEEP_BYTES // pixel_bytes / 1e6:.0f} million",
            "Reduce the picture first, or save it with 8 bits a channel.",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(
            f"'{path}' is only {width} x {height} pixels", f"Give a photo of at least {MIN_SIDE_PX} pixels a side."
        )
    if max(width, height) * MIN_SIDE_PX > min(width, height) * WORKING_SIDE_PX:
        raise InputError(
            f"'{path}' is a strip of {width} x {height} pixels; "
            f"the limit is {WORKING_SIDE_PX // MIN_SIDE_PX} times as long as wide",
            "Crop the picture to the objects.",
        )


def check_pixels(what: str, width: int, height: int) -> None:
    """Refuse a picture inside a run folder, a mesh or beside a photo that claims more pixels than a photo may have.

    Args:
        what: the picture, for the sentence, such as "the texture".
        width, height: what it claims, in pixels.

    Raises:
        InputError: too many, or none.
    """
    if width < 1 or height < 1:
        raise InputError(f"{what} is damaged: it does not say how large it is")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{what} claims {width} x {height} = {width * height / 1e6:.0f} million pixels; "
            f"the limit is {MAX_PIXELS // 10**6} million"
        )


def too_many_pixels(path: Path, count: str) -> InputError:
    """The error for a picture that claims ``count`` pixels."""
    return InputError(
        f"'{path}' claims {count} pixels; the limit is {MAX_PIXELS // 10**6} million", "Reduce the picture first."
    )
