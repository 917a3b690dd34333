"""From a picture file's bytes to an upright 8-bit sRGB picture, by whichever library reads the format.

Pillow reads most. Its own decoders keep 8 of 16 bits of a colour; the other 8 are got by decoding a second time. OpenCV
reads colour in floating point, LibRaw (the extra ``raw``) cameras' sensor values.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError
from manymesh.image import tiff
from manymesh.image.colour import apply_profile, to_srgb
from manymesh.image.deep import from_real_numbers, from_whole_numbers, used_bits
from manymesh.image.icc import read_grey_profile, read_matrix_profile
from manymesh.image.limits import WORKING_SIDE_PX, check_size
from manymesh.image.sniff import Kind, is_tiff, kind_of_picture
from manymesh.image.stated import stated_profile

if TYPE_CHECKING:
    from PIL import Image

# The formats that Pillow may try. Left out are those that start other programs (EPS), and scientific and game formats
# that no photo comes in.
FORMATS = {
    "JPEG", "PNG", "GIF", "BMP", "DIB", "PPM", "WEBP", "TIFF", "AVIF", "JPEG2000", "TGA", "PCX", "PSD", "ICO", "ICNS",
    "SGI", "QOI", "HEIF", "JXL",
}  # fmt: skip
_EXIF_ORIENTATION = 0x0112
# Pillow's names for samples of 16 bits: mode (RGBa: multiplied by the opacity already), then the byte order.
_SIXTEEN_BIT = re.compile(r"(RGB|RGBX|RGBA|RGBa|LA);16([LBN])")
_RADIANCE_SIZE = re.compile(rb"\n[-+][XY] +(\d{1,9}) +[-+][XY] +(\d{1,9})\n")
_PFM_SIZE = re.compile(rb"PF\s+(\d{1,9})\s+(\d{1,9})\s")


def decode(path: Path, data: bytes, notes: list[str]) -> tuple[Image.Image, int]:
    """The picture in ``data``.

    Args:
        path: the file's name, for sentences; its ending distinguishes camera raw from TIFF.
        data: the file.
        notes: called with a sentence for people.

    Returns:
        The picture in mode RGB or RGBA, upright, at most about twice the working size where the format can be decoded
        so; and the longest side that the file claims, in pixels.

    Raises:
        InputError: known not to be readable here; too large or too small.
        Exception: whatever a library raises on damaged data.
    """
    kind = kind_of_picture(data[:512], path.suffix)
    if kind.reader == "none":
        raise InputError(f"'{path}' is {kind.name}", kind.hint)
    pages = tiff.read_pages(data) if is_tiff(data) else []
    if kind.reader == "raw" or _is_raw(pages):
        return _from_raw(path, data, notes)
    if kind.reader == "hdr":
        return _from_hdr(path, data, notes)
    if kind.reader in ("heif", "jxl"):
        _enable(kind, path)
    page = _page_to_read(pages, notes)
    stored = pages[page] if pages else None
    if stored is not None and stored.has_planes and stored.bits > 8:
        # Pillow and OpenCV both read these without a word, and wrongly.
        raise InputError(
            f"'{path}' is a TIFF with channels of {stored.bits} bits in separate planes, which cannot be read",
            "Save it with interleaved channels, or as a 16-bit PNG.",
        )
    # Pillow reads grey of 32 bits in floating point, and no other.
    if stored is not None and stored.is_float and (stored.first(tiff.SAMPLES, 1) > 1 or stored.bits != 32):
        return _from_float_tiff(path, data, pages[page], page, notes)
    if stored is not None and stored.is_unusual_colour:
        return _from_unusual_tiff(path, data, stored, page, notes)
    return _from_pillow(path, data, page, notes)


def _is_raw(pages: list[tiff.Page]) -> bool:
    """Whether a TIFF file is camera raw: it says so, or it holds nothing but a preview and pages below it."""
    only_previews = bool(pages) and all(page.is_reduced for page in pages)
    return any(page.is_raw for page in pages) or (only_previews and any(tiff.SUB_IFDS in page.tags for page in pages))


def _page_to_read(pages: list[tiff.Page], notes: list[str]) -> int:
    """The first page that is no preview of another."""
    page = next((number for number, page in enumerate(pages) if not page.is_reduced), 0)
    if page:
        notes.append(f"The file's first page is a preview; page {page + 1} was taken.")
    return page


def _enable(kind: Kind, path: Path) -> None:
    """Register the Pillow plug-in for HEIC or JPEG XL."""
    extra = "heic" if kind.reader == "heif" else "jxl"
    try:
        if extra == "heic":
            from pillow_heif import register_heif_opener

            register_heif_opener()
        else:
            import pillow_jxl  # noqa: F401 - registers itself
    except ImportError:
        raise _lacks_reader(path, kind.name, extra) from None


def _lacks_reader(path: Path, name: str, extra: str) -> InputError:
    return InputError(
        f"'{path}' is {name}, and its reader is not installed",
        f"Run `pip install 'manymesh[{extra}]'`, or save the photo as JPEG.",
    )


def _open(data: bytes, page: int) -> Image.Image:
    """The file as Pillow opens it, at a page, not yet decoded."""
    from PIL import Image, UnidentifiedImageError

    Image.preinit()  # the readers of the five most usual formats; the others take longer to import
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=[name for name in Image.OPEN if name in FORMATS])
    except UnidentifiedImageError:
        Image.init()
        image = Image.open(io.BytesIO(data), formats=[name for name in Image.OPEN if name in FORMATS])
    if page:
        image.seek(page)
    return image


def _from_pillow(path: Path, data: bytes, page: int, notes: list[str]) -> tuple[Image.Image, int]:
    with _open(data, page) as image:
        check_size(path, image.width, image.height)
        # (An iPhone's MPO holds a second, smaller copy, not an animation.)
        frames = int(getattr(image, "n_frames", 1))
        if frames > 1 and image.format != "MPO" and not page:
            notes.append(f"The file has {frames} frames; the first was taken.")
        claimed_side_px = max(image.size)
        deep = _sixteen_bit_mode(image)
        if deep:
            check_size(path, image.width, image.height, pixel_bytes=2 * len(image.getbands()))
            picture = _from_sixteen_bits(data, page, deep, image, notes)
        else:
            # JPEG can decode straight to a half or a quarter, so that a huge photo never needs its full array.
            image.draft("RGB", (WORKING_SIDE_PX, WORKING_SIDE_PX))
            image.load()
            picture = to_srgb(image, notes)
            if image.format == "TGA" and picture.mode == "RGBA" and not data[17] & 15:
                picture = picture.convert("RGB")  # its header says that the fourth byte is no opacity
        return _upright(picture, image.getexif().get(_EXIF_ORIENTATION, 1), notes), claimed_side_px


def _upright(picture: Image.Image, orientation: object, notes: list[str]) -> Image.Image:
    """The picture turned as its EXIF orientation (1 to 8; 1 is upright) says."""
    from PIL import Image

    way = Image.Transpose
    methods = {2: way.FLIP_LEFT_RIGHT, 3: way.ROTATE_180, 4: way.FLIP_TOP_BOTTOM, 5: way.TRANSPOSE}
    methods |= {6: way.ROTATE_270, 7: way.TRANSVERSE, 8: way.ROTATE_90}
    method = methods.get(orientation) if isinstance(orientation, int) else None
    if method is None:
        return picture
    notes.append("Turned upright as its EXIF orientation says.")
    return picture.transpose(method)


def _sixteen_bit_mode(image: Image.Image) -> re.Match[str] | None:
    """Pillow's name for how the file keeps its samples, if it is one of 16 bits a colour channel."""
    for tile in getattr(image, "tile", []):
        arguments = tile[3]
        raw_mode = arguments[0] if isinstance(arguments, tuple) else arguments
        return _SIXTEEN_BIT.fullmatch(raw_mode) if isinstance(raw_mode, str) else None
    return None


def _from_sixteen_bits(
    data: bytes, page: int, deep: re.Match[str], opened: Image.Image, notes: list[str]
) -> Image.Image:
    from PIL import Image

    info = opened.info
    values = _both_bytes(data, page, deep)
    colour, alpha = (values[..., :3], values[..., 3]) if values.shape[2] == 4 else (values, None)
    if deep[1] == "RGBa" and alpha is not None:
        colour = np.rint(_unmultiplied(colour, alpha / np.float32(65535))).clip(0, 65535).astype(np.uint16)
    transparent = info.get("transparency")
    if alpha is None and isinstance(transparent, tuple) and len(transparent) == 3:
        alpha = np.where((colour == np.array(transparent)).all(axis=-1), np.uint16(0), np.uint16(65535))
    icc = info.get("icc_profile") or b""
    profile = read_matrix_profile(icc) or (read_grey_profile(icc) if deep[1] == "LA" else None)
    if not icc and (deep[1] != "LA" or opened.format == "PNG"):
        profile = stated_profile(opened, notes)
    made = Image.fromarray(from_whole_numbers(colour, notes, None if profile is None or profile.is_srgb() else profile))
    if icc and profile is None:
        made = apply_profile(made, icc, notes)
    if alpha is not None:
        white = (1 << used_bits(int(alpha.max()))) - 1
        made.putalpha(Image.fromarray(np.rint(alpha * np.float32(255 / white)).astype(np.uint8)))
    return made


def _both_bytes(data: bytes, page: int, deep: re.Match[str]) -> NDArray[np.uint16]:
    """(h, w, 3 or 4) uint16.

    Pillow decodes one byte of each sample only: the high one, or the low one if asked to read the other byte order.
    """
    mode, order = deep.groups()
    if mode == "LA":  # 4 bytes a pixel: grey's two and alpha's two
        four = _decoded(data, page, "RGBA", "RGBA").astype(np.uint16)
        grey, alpha = four[..., 0] << 8 | four[..., 1], four[..., 2] << 8 | four[..., 3]
        return np.stack([grey, grey, grey, alpha], axis=-1)
    plain = "RGBA" if mode == "RGBa" else mode
    values = _decoded(data, page, plain if plain != mode else None, f"{plain};16{order}").astype(np.uint16)
    values <<= 8
    values |= _decoded(data, page, plain if plain != mode else None, f"{plain};16{'L' if order == 'B' else 'B'}")
    return values[..., :3] if mode == "RGBX" else values


def _decoded(data: bytes, page: int, mode: str | None, raw_mode: str) -> NDArray[np.uint8]:
    """The picture as Pillow decodes it when it is made to believe that the file keeps its samples as ``raw_mode``."""
    with _open(data, page) as opened:
        image: Any = opened  # neither attribute is in Pillow's type hints of every version
        image.tile = [_retold(tile, raw_mode) for tile in image.tile]
        if mode is not None:
            image._mode = mode
        image.load()
        return np.asarray(image)


def _retold(tile: Any, raw_mode: str) -> Any:
    """One of Pillow's tiles with its samples kept as ``raw_mode``."""
    arguments = (raw_mode, *tile[3][1:]) if isinstance(tile[3], tuple) else raw_mode
    # A named tuple in newer versions, and some readers ask for the names.
    return tile._replace(args=arguments) if hasattr(tile, "_replace") else (*tile[:3], arguments)


def _from_float_tiff(
    path: Path, data: bytes, page: tiff.Page, number: int, notes: list[str]
) -> tuple[Image.Image, int]:
    check_size(path, page.width, page.height, pixel_bytes=page.first(tiff.SAMPLES, 1) * max(page.bits // 8, 4))
    values = _by_opencv(data, number)
    if values is None:
        raise InputError(
            f"'{path}' is a TIFF of {page.bits}-bit floating point numbers, stored in a way that cannot be read",
            "Save it as a 16-bit TIFF or PNG.",
        )
    extra = page.first(tiff.EXTRA_SAMPLES)
    if values.ndim == 3 and values.shape[2] == 4:
        if extra == tiff.ASSOCIATED:
            values = np.dstack([_unmultiplied(values[..., :3], values[..., 3]), values[..., 3]])
        elif not extra:
            values = values[..., :3]  # a fourth channel of no stated meaning is no opacity
    return _from_light(values, page.first(tiff.ORIENTATION, 1), notes, linear=False)


def _unmultiplied(colour: NDArray[Any], alpha: NDArray[Any]) -> NDArray[np.float32]:
    """(h, w, 3) colour that was multiplied by (h, w) opacity, 0..1, without that; black where all is clear."""
    opacity = np.nan_to_num(alpha.astype(np.float32))[..., None]
    made: NDArray[np.float32] = np.divide(colour, opacity, out=np.zeros(colour.shape, np.float32), where=opacity > 0)
    return made


def _from_unusual_tiff(
    path: Path, data: bytes, page: tiff.Page, number: int, notes: list[str]
) -> tuple[Image.Image, int]:
    """Colour in whole numbers with a sign, or of more than 16 bits."""
    from PIL import Image

    if page.first(tiff.PHOTOMETRIC, tiff.RGB) not in (tiff.WHITE_IS_ZERO, tiff.BLACK_IS_ZERO, tiff.RGB):
        # OpenCV would hand the numbers over as if they were red, green and blue.
        raise InputError(
            f"'{path}' is a TIFF of {page.bits}-bit numbers in a colour space other than RGB, which cannot be read",
            "Save it in RGB, as a 16-bit TIFF or PNG.",
        )
    check_size(path, page.width, page.height, pixel_bytes=page.first(tiff.SAMPLES, 1) * max(page.bits // 8, 1))
    values = _by_opencv(data, number)
    if values is None or values.dtype.kind not in "iu" or values.ndim != 3:
        sign = "with a sign" if page.first(tiff.SAMPLE_FORMAT, tiff.UNSIGNED) == tiff.SIGNED else "without a sign"
        raise InputError(
            f"'{path}' is a TIFF of {page.bits}-bit whole numbers {sign}, which cannot be read in colour",
            "Save it as a 16-bit TIFF or PNG.",
        )
    colour = values[..., :3]
    if page.first(tiff.EXTRA_SAMPLES):
        notes.append("Its transparency was not read: colour in such numbers is read without it.")
    if colour.dtype.kind == "i" and colour.itemsize <= 2 and int(colour.min()) >= 0:
        # Half of the range is for negative numbers: the other half becomes the whole.
        colour = colour.view(f"u{colour.itemsize}") << 1
    if colour.dtype == np.uint8:
        notes.append("Its numbers have a sign; the positive half of their range was taken.")
        made = Image.fromarray(np.ascontiguousarray(colour))
    else:
        made = Image.fromarray(from_whole_numbers(colour, notes))
    return _upright(made, page.first(tiff.ORIENTATION, 1), notes), max(made.size)


def _from_hdr(path: Path, data: bytes, notes: list[str]) -> tuple[Image.Image, int]:
    size = (_PFM_SIZE if data.startswith(b"PF") else _RADIANCE_SIZE).search(data[:65536])
    if size is None:
        raise InputError(f"'{path}' is damaged: it does not say how large its picture is", "Export it again.")
    check_size(path, int(size[1]), int(size[2]), pixel_bytes=12)
    values = _by_opencv(data, 0)
    if values is None:
        raise InputError(f"'{path}' is damaged and cannot be decoded", "Export or download it again.")
    return _from_light(values, 1, notes, linear=True)


def _from_light(values: NDArray[Any], orientation: int, notes: list[str], *, linear: bool) -> tuple[Image.Image, int]:
    """A picture from (h, w), (h, w, 3) or (h, w, 4) numbers in floating point."""
    from PIL import Image

    colour = values[..., :3] if values.ndim == 3 else values
    made = Image.fromarray(from_real_numbers(colour, notes, linear=linear)).convert("RGB")
    if values.ndim == 3 and values.shape[2] == 4:
        alpha = np.clip(np.nan_to_num(values[..., 3]), 0.0, 1.0)
        made.putalpha(Image.fromarray(np.rint(alpha * 255).astype(np.uint8)))
    return _upright(made, orientation, notes), max(made.size)


def _by_opencv(data: bytes, page: int) -> NDArray[Any] | None:
    """What OpenCV makes of a file, in RGB(A) order; None where it cannot read it."""
    import cv2

    encoded = np.frombuffer(data, np.uint8)
    try:
        with _silent_opencv():
            if page:
                _, found = cv2.imdecodemulti(encoded, cv2.IMREAD_UNCHANGED, range=(page, page + 1))
                pixels = found[0] if found else None
            else:
                pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None or pixels.ndim == 2:
        return pixels
    return np.asarray(pixels)[..., [2, 1, 0, 3][: pixels.shape[2]]] if pixels.shape[2] >= 3 else None


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """OpenCV writes to stderr by itself what it cannot read."""
    from cv2.utils import logging

    before = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """LibRaw writes to the process's stderr what it stumbles over, past Python; nothing may be seen of that."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _from_raw(path: Path, data: bytes, notes: list[str]) -> tuple[Image.Image, int]:
    from PIL import Image

    try:
        import rawpy
    except ImportError:
        raise _lacks_reader(path, "a camera raw file", "raw") from None
    with _silent_stderr(), rawpy.imread(io.BytesIO(data)) as raw:
        check_size(path, raw.sizes.width, raw.sizes.height)
        picture = Image.fromarray(raw.postprocess(use_camera_wb=True, output_bps=8))
    notes.append("Developed from camera raw with the camera's white balance.")
    return picture, max(picture.size)
