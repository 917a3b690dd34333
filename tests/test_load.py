"""Photos of every kind: each is read right, or refused with a sentence that helps."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import SavePhoto, three_things
from PIL import Image, ImageCms

from manymesh.errors import InputError
from manymesh.image.load import MAX_PIXELS, WORKING_SIDE_PX, load_photo

FLOWER = Path(__file__).parents[1] / "examples" / "flower.jpg"


def test_a_plain_photo_keeps_its_pixels(photo_path: Path) -> None:
    photo, factor = load_photo(photo_path)
    assert np.array_equal(photo.rgb, np.asarray(three_things()))
    assert photo.alpha is None
    assert factor == 1.0
    assert photo.notes == ()


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "0 bytes"), (b"hello, I am no picture at all", "not a picture"), (b"\x89PNG\r\n\x1a\n", "picture")],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=word):
        load_photo(path)


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        load_photo(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        load_photo(tmp_path / "nothing.png")


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.webp", "cut.tif"])
def test_a_truncated_file_is_refused(save_photo: SavePhoto, name: str) -> None:
    path = save_photo(three_things(), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"damaged|not a picture"):
        load_photo(path)


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_claiming(*size))
    with pytest.raises(InputError, match=f"limit is {MAX_PIXELS // 10**6} million"):
        load_photo(path)


def test_a_one_pixel_picture_is_refused(save_photo: SavePhoto) -> None:
    with pytest.raises(InputError, match="only 1 x 1 pixels"):
        load_photo(save_photo(Image.new("RGB", (1, 1)), "one.png"))


def test_exif_rotation_is_applied(save_photo: SavePhoto) -> None:
    image = three_things()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    path = save_photo(image, "turned.jpg", exif=exif, quality=95)
    photo, _ = load_photo(path)
    assert (photo.width, photo.height) == (image.height, image.width)
    upright = np.asarray(image.rotate(-90, expand=True)).astype(int)
    assert np.abs(photo.rgb.astype(int) - upright).mean() < 3
    assert any("upright" in note for note in photo.notes)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "LAB":
        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    return image.quantize(256) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "LAB", "LA"])
def test_every_colour_mode_becomes_rgb(save_photo: SavePhoto, mode: str) -> None:
    name = {"CMYK": "x.tif", "LAB": "x.tif", "YCbCr": "x.jpg"}.get(mode, "x.png")
    photo, _ = load_photo(save_photo(_in_mode(three_things(), mode), name))
    assert (photo.rgb.shape, photo.rgb.dtype) == ((240, 320, 3), np.uint8)
    grey = mode in ("L", "LA", "1")
    expected = np.asarray(three_things().convert("L" if grey else "RGB").convert("RGB")).astype(int)
    # One-bit pictures are dithered: only their mean says anything.
    error = photo.rgb.astype(int) - expected
    assert abs(error.mean()) < 3 if mode == "1" else np.abs(error).mean() < 6


def test_16_bit_greyscale_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    path = tmp_path / "deep.png"
    Image.fromarray(ramp).save(path)
    photo, _ = load_photo(path)
    assert np.abs(photo.rgb[0, :, 0].astype(int) - np.rint(ramp[0] / 257)).max() <= 1
    assert any("16-bit" in note for note in photo.notes)


def test_float_tiff_is_scaled(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(np.tile(np.linspace(0, 1, 64, dtype=np.float32), (32, 1))).save(path)
    photo, _ = load_photo(path)
    assert (photo.rgb[0, 0, 0], photo.rgb[0, -1, 0]) == (0, 255)


@pytest.mark.parametrize("name", ["x.gif", "x.png", "x.webp", "x.tif"])
def test_an_animation_gives_its_first_frame_and_says_so(save_photo: SavePhoto, name: str) -> None:
    first, second = three_things(), Image.new("RGB", (320, 240), "black")
    options = {} if name == "x.gif" else {"lossless": True} if name == "x.webp" else {}
    photo, _ = load_photo(save_photo(first, name, save_all=True, append_images=[second], **options))
    assert photo.rgb.mean() > 100
    assert any("2 frames" in note for note in photo.notes)


def test_transparency_is_kept_and_opaque_alpha_dropped(save_photo: SavePhoto) -> None:
    image = three_things().convert("RGBA")
    assert load_photo(save_photo(image, "opaque.png"))[0].alpha is None
    outline = Image.new("L", image.size, 0)
    outline.paste(77, (60, 40, 260, 200))
    image.putalpha(outline)
    alpha = load_photo(save_photo(image, "half.png"))[0].alpha
    assert alpha is not None
    assert np.array_equal(alpha, np.asarray(outline))


def test_palette_transparency_is_kept(save_photo: SavePhoto) -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (8, 8, 24, 24))
    alpha = load_photo(save_photo(image, "p.png", transparency=0))[0].alpha
    assert alpha is not None
    assert (alpha[0, 0], alpha[16, 16]) == (0, 255)


def test_a_wide_gamut_profile_is_converted_and_a_broken_one_ignored(save_photo: SavePhoto) -> None:
    broken = load_photo(save_photo(three_things(), "broken.png", icc_profile=b"no profile"))[0]
    assert any("colour profile is damaged" in note for note in broken.notes)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = load_photo(save_photo(three_things(), "srgb.png", icc_profile=srgb))[0]
    assert np.abs(same.rgb.astype(int) - np.asarray(three_things()).astype(int)).max() <= 1


def test_the_usual_srgb_profile_changes_nothing(save_photo: SavePhoto) -> None:
    with Image.open(FLOWER) as flower:
        profile = flower.info["icc_profile"]
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    kept = load_photo(save_photo(colours, "usual.png", icc_profile=profile))[0]
    assert np.array_equal(kept.rgb, np.asarray(colours))
    assert not kept.notes
    converted = ImageCms.profileToProfile(
        colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    assert np.abs(np.asarray(converted).astype(int) - kept.rgb).max() <= 1


def test_a_very_large_photo_is_reduced_and_the_factor_given(save_photo: SavePhoto) -> None:
    path = save_photo(Image.new("RGB", (2 * WORKING_SIDE_PX, 64), "teal"), "wide.jpg")
    photo, factor = load_photo(path)
    assert (photo.width, photo.height) == (WORKING_SIDE_PX, 32)
    assert factor == pytest.approx(0.5)


def test_heic_without_its_reader_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    path = tmp_path / "phone.heic"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + b"\0" * 64)
    with pytest.raises(InputError, match=r"manymesh\[heic\]"):
        load_photo(path)


def test_the_digest_is_of_the_file(photo_path: Path) -> None:
    import hashlib

    assert load_photo(photo_path)[0].sha256 == hashlib.sha256(photo_path.read_bytes()).hexdigest()
    buffer = io.BytesIO()
    three_things().save(buffer, "PNG", compress_level=1)
    photo_path.write_bytes(buffer.getvalue())
    assert load_photo(photo_path)[0].sha256 == hashlib.sha256(buffer.getvalue()).hexdigest()
