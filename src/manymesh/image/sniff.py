"""What a file is, by its first bytes: a picture for one of the readers, or something else that has a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reader = Literal["pillow", "heif", "jxl", "raw", "hdr", "none"]

PICTURES = "Give a JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF file."

# Brands of an ISO media file ("ftyp" box), four bytes each.
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_RAW_BRANDS = (b"crx ",)
# Beginnings of camera raw files that are no TIFF, or a TIFF under another magic number.
_RAW_MAGIC = (b"FUJIFILMCCD-RAW", b"FOVb", b"IIRO", b"MMOR", b"IIRS", b"IIU\0", b"\0MRM")
# TIFF files that hold a camera's sensor values, by their names' endings; their first page is a small preview.
RAW_SUFFIXES = {
    ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".srw", ".pef", ".raf", ".orf", ".rw2", ".rwl",
    ".3fr", ".fff", ".iiq", ".erf", ".mef", ".mos", ".mrw", ".kdc", ".dcr", ".x3f", ".gpr",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        reader: which decoder reads it; "none" where nothing here does.
        name: what to call it in a sentence, such as "a HEIC photo".
        hint: for "none": what to do instead.
    """

    reader: Reader
    name: str = "a picture"
    hint: str = ""


def kind_of_picture(data: bytes, suffix: str) -> Kind:
    """What ``data`` is.

    Args:
        data: the whole file, or at least its first 512 bytes.
        suffix: the file name's ending, such as ".dng". It only matters for camera raw, which shares TIFF's beginning.
    """
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    if data.startswith(_RAW_MAGIC) or (is_tiff(data) and (data[8:10] == b"CR" or suffix.lower() in RAW_SUFFIXES)):
        return Kind("raw", "a camera raw file")
    if data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return Kind("jxl", "a JPEG XL picture")
    if data.startswith((b"#?RADIANCE", b"#?RGBE")):
        return Kind("hdr", "a Radiance HDR picture")
    if data.startswith((b"PF\n", b"PF ", b"PF\r")):
        return Kind("hdr", "a PFM picture")
    return _no_picture(data)


def is_tiff(data: bytes) -> bool:
    """Whether the file begins as TIFF or BigTIFF does."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _iso_media(data: bytes) -> Kind:
    # The first brand may be a general one ("mif1"); the compatible brands after it tell AVIF from HEIC.
    brands = [data[start : start + 4] for start in (8, *range(16, min(len(data), 64), 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return Kind("pillow", "an AVIF picture")
    if brands[0] in _RAW_BRANDS:
        return Kind("raw", "a camera raw file")
    if brands[0] in _HEIC_BRANDS:
        return Kind("heif", "a HEIC photo")
    return Kind("none", "a film, not a photo", "Take a single frame of it and save that as JPEG or PNG.")


def _no_picture(data: bytes) -> Kind:
    """Files that people take for pictures; everything else goes to Pillow, which makes its own checks."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if data.startswith(b"v/1\x01"):
        return Kind("none", "an OpenEXR picture, which cannot be read here", "Save it as a 16-bit TIFF or PNG.")
    if start.startswith((b"<!doctype html", b"<html")):
        return Kind("none", "a web page, not a picture", "Download the picture itself.")
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return Kind("none", "an SVG drawing, not a photo", "Export it as PNG.")
    if start.startswith((b"%pdf", b"%!ps")) or data.startswith(b"\xc5\xd0\xd3\xc6"):
        return Kind("none", "a PDF or PostScript document, not a photo", "Export the page as PNG.")
    if data.startswith((b"glTF", b"PK\x03\x04", b"solid ", b"ply\n")):
        return Kind("none", "not a picture", PICTURES)
    if data.startswith(b"8BPS\0\x02"):
        return Kind("none", "a large Photoshop document (PSB), which cannot be read", "Export it as PNG or TIFF.")
    bits = int.from_bytes(data[22:24], "big")
    if data.startswith(b"8BPS\0\x01") and bits > 8:
        return Kind(
            "none",
            f"a Photoshop document of {bits} bits a channel, which cannot be read",
            "Save it as a 16-bit TIFF or PNG, or with 8 bits a channel.",
        )
    return Kind("pillow")
