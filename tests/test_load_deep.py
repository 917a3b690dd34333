"""Deep pictures, other colours than sRGB, files behind a preview: brought to 8-bit sRGB rightly, and said."""

from __future__ import annotations

import io
import struct
import sys
import types
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from colour_profiles import ADOBE_RGB, DISPLAY_P3, LINEAR_CURVE, SRGB, SRGB_CURVE, gamma_curve, grey_profile, profile
from conftest import SavePhoto, three_things
from PIL import Image, ImageCms

from manymesh.errors import InputError
from manymesh.image.deep import from_real_numbers, from_whole_numbers, used_bits
from manymesh.image.icc import encode_srgb, read_grey_profile, read_matrix_profile
from manymesh.image.load import load_photo
from manymesh.types import U8

PICTURE: U8 = np.asarray(three_things(96, 72))


def png16(values: np.ndarray, *extra: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG of (h, w, 1 to 4) values, with further chunks."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("name", ["colour.png", "colour.tif", "grey.png", "grey.tif"])
def test_the_bits_that_a_file_uses_become_eight(tmp_path: Path, bits: int, name: str) -> None:
    shown = PICTURE if "colour" in name else PICTURE[..., :1]
    values = np.rint(shown * ((2**bits - 1) / 255)).astype(np.uint16)
    path = tmp_path / name
    if name.endswith("png"):
        path.write_bytes(png16(values))
    else:
        cv2.imwrite(str(path), values[..., ::-1])
    photo, _ = load_photo(path)
    assert np.abs(photo.rgb.astype(int) - shown).max() <= 1
    assert any("16-bit" in note for note in photo.notes)
    assert any(f"uses {bits} bits only" in note for note in photo.notes) == (bits < 16)


def test_a_dark_photo_of_16_bits_stays_dark() -> None:
    values = np.linspace(0, 20000, 600).astype(np.uint16).reshape(20, 30)
    assert abs(int(from_whole_numbers(values, []).max()) - 20000 / 257) <= 1


def test_depths_are_the_usual_ones() -> None:
    found = [used_bits(highest) for highest in (0, 255, 256, 1023, 1024, 4095, 4096, 16383, 16384, 65535)]
    assert found == [8, 8, 10, 10, 12, 12, 14, 14, 16, 16]


def test_transparency_of_16_bit_pictures_is_kept(tmp_path: Path) -> None:
    values = np.rint(PICTURE * 257.0).astype(np.uint16)
    alpha = np.zeros((72, 96, 1), np.uint16)
    alpha[15:60, 20:80] = 65535
    for planes in (np.dstack([values, alpha]), np.dstack([values[..., :1], alpha])):
        photo, _ = load_photo(written(tmp_path, "x.png", png16(planes)))
        assert photo.alpha is not None
        assert np.array_equal(photo.alpha, alpha[..., 0] // 257)
        assert np.array_equal(photo.rgb[..., 0], PICTURE[..., 0])
    values[alpha[..., 0] == 0] = (1, 2, 3)
    photo, _ = load_photo(written(tmp_path, "x.png", png16(values, (b"tRNS", struct.pack(">3H", 1, 2, 3)))))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, alpha[..., 0] // 257)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_colour_in_floating_point_is_read(tmp_path: Path, kind: type) -> None:
    path = tmp_path / "float.tif"
    cv2.imwrite(str(path), (PICTURE[..., ::-1] / 255).astype(kind))
    photo, _ = load_photo(path)
    assert np.abs(photo.rgb.astype(int) - PICTURE).max() <= 1
    assert any("float colour" in note for note in photo.notes)


def test_floats_on_an_integer_scale_are_scaled_as_integers() -> None:
    shown = PICTURE.astype(np.float32)
    assert np.array_equal(from_real_numbers(shown, []), PICTURE)
    assert np.abs(from_real_numbers(shown * 0.98 + 0.5, []).astype(int) - PICTURE).max() <= 5
    assert np.array_equal(from_real_numbers(np.rint(shown * (4095 / 255)), []), PICTURE)


def test_light_of_any_strength_is_tone_mapped_alike_and_nothing_but_highlights_is_lost() -> None:
    linear = np.where(PICTURE / 255 <= 0.04045, PICTURE / 255 / 12.92, ((PICTURE / 255 + 0.055) / 1.055) ** 2.4)
    scene = linear.astype(np.float32)
    scene[:4, :4] = 60.0
    notes: list[str] = []
    weak, strong = from_real_numbers(scene, notes, linear=True), from_real_numbers(scene * 100, [], linear=True)
    assert np.abs(weak.astype(int) - strong).max() <= 1
    assert "Tone-mapped" in notes[0]
    assert weak[:4, :4].min() >= 250
    assert 60 < np.median(weak) < 220
    # Brighter stays brighter, in each pixel's brightest channel.
    order = np.argsort(scene.max(axis=-1).ravel(), kind="stable")
    assert (np.diff(weak.max(axis=-1).ravel()[order].astype(int)) >= 0).all()


def test_radiance_hdr_is_read_as_light(tmp_path: Path) -> None:
    linear = (((PICTURE / 255 + 0.055) / 1.055) ** 2.4).astype(np.float32)
    _, data = cv2.imencode(".hdr", linear[..., ::-1])
    photo, _ = load_photo(written(tmp_path, "x.hdr", data.tobytes()))
    assert np.abs(photo.rgb.astype(int) - PICTURE).mean() < 3


@pytest.mark.parametrize("name", ["x.tif", "x.hdr"])
def test_a_damaged_float_picture_is_refused_in_silence(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    cv2.imwrite(str(path), PICTURE.astype(np.float32) / 255)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError):
        load_photo(path)
    assert capfd.readouterr().err == ""


def test_floats_that_are_no_numbers_count_as_black() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
    assert from_real_numbers(values, []).tolist() == [[0, 0, 0, 255]]


def _expected(to_xyz: np.ndarray, linear: np.ndarray) -> np.ndarray:
    return np.rint(255 * encode_srgb(linear @ (np.linalg.inv(SRGB) @ to_xyz).T))


@pytest.mark.parametrize(
    ("name", "to_xyz", "curve", "gamma"),
    [("P3", DISPLAY_P3, SRGB_CURVE, None), ("Adobe", ADOBE_RGB, gamma_curve(563 / 256), 563 / 256)],
)
@pytest.mark.parametrize("deep", [False, True])
def test_wide_gamuts_are_converted(
    tmp_path: Path, name: str, to_xyz: np.ndarray, curve: bytes, gamma: float | None, deep: bool
) -> None:
    encoded = PICTURE / 255
    linear = (
        encoded**gamma if gamma else np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    )
    icc = profile(to_xyz, curve)
    path = tmp_path / "x.png"
    if deep:
        path.write_bytes(png16(np.rint(PICTURE * 257.0).astype(np.uint16), (b"iCCP", b"x\0\0" + zlib.compress(icc))))
    else:
        Image.fromarray(PICTURE).save(path, icc_profile=icc)
    photo, _ = load_photo(path)
    difference = np.abs(photo.rgb.astype(int) - _expected(to_xyz, linear))
    assert difference.mean() < 0.5
    assert difference.max() <= 3


def test_16_bit_linear_light_keeps_its_dark_shades(tmp_path: Path) -> None:
    linear = np.repeat(np.linspace(0, 0.02, 64)[None, :, None], 32, axis=0).repeat(3, axis=2)
    values = np.rint(linear * 65535).astype(np.uint16)
    values[0, 0] = 65535
    icc = profile(SRGB, LINEAR_CURVE)
    photo, _ = load_photo(written(tmp_path, "x.png", png16(values, (b"iCCP", b"x\0\0" + zlib.compress(icc)))))
    assert np.abs(photo.rgb[1:].astype(int) - np.rint(255 * encode_srgb(linear))[1:]).max() <= 1
    assert len(np.unique(photo.rgb[1:])) > 30  # eight linear bits would leave six


@pytest.mark.parametrize("name", ["x.png", "x.tif", "alpha.png"])
def test_16_bit_grey_heeds_its_own_profile(tmp_path: Path, name: str) -> None:
    light = np.repeat(np.linspace(0, 1, 64)[None], 32, axis=0)
    values = np.rint(light * 65535).astype(np.uint16)
    icc = grey_profile(LINEAR_CURVE)
    path = tmp_path / name
    if name == "x.tif":
        Image.fromarray(values).save(path, icc_profile=icc)
    else:
        opaque = np.full_like(values, 65535)
        pixels = values[..., None] if name == "x.png" else np.stack([values, opaque], axis=-1)
        written(tmp_path, name, png16(pixels, (b"iCCP", b"x\0\0" + zlib.compress(icc))))
    photo, _ = load_photo(path)
    expected = np.rint(255 * encode_srgb(light))[..., None]
    assert np.abs(photo.rgb.astype(int) - expected).max() <= 1
    assert len(np.unique(photo.rgb[:, 1:6])) == 5  # 8 linear bits first would spread the dark shades


def test_16_bit_grey_of_12_bits_heeds_its_profile_in_the_range_it_uses(tmp_path: Path) -> None:
    values = np.repeat(np.linspace(0, 4095, 64)[None], 32, axis=0).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "x.tif", icc_profile=grey_profile(gamma_curve(1.8)))
    photo, _ = load_photo(tmp_path / "x.tif")
    assert np.abs(photo.rgb[..., 0].astype(int) - np.rint(255 * encode_srgb((values / 4095) ** 1.8))).max() <= 1


def test_grey_with_an_srgb_like_curve_changes_nothing(tmp_path: Path) -> None:
    values = np.repeat(np.linspace(0, 65535, 64)[None], 32, axis=0).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "plain.tif")
    Image.fromarray(values).save(tmp_path / "x.tif", icc_profile=grey_profile(SRGB_CURVE))
    plain, told = (load_photo(tmp_path / name)[0].rgb for name in ("plain.tif", "x.tif"))
    np.testing.assert_array_equal(plain, told)


def test_a_grey_profile_cut_anywhere_is_damaged_and_never_crashes() -> None:
    data = grey_profile(SRGB_CURVE)
    for length in range(0, len(data), 7):
        read_grey_profile(data[:length])
    assert read_grey_profile(data) is not None


def test_8_bit_grey_may_carry_a_profile_of_colour(save_photo: SavePhoto) -> None:
    image = Image.new("L", (32, 32), 100)
    photo, _ = load_photo(save_photo(image, "x.jpg", icc_profile=profile(SRGB, LINEAR_CURVE)))
    assert abs(int(photo.rgb[0, 0, 0]) - round(float(255 * encode_srgb(np.array(100 / 255))))) <= 1
    assert not any("damaged" in note for note in photo.notes)


def test_profiles_that_are_srgb_in_all_but_name_are_seen_and_others_are_not() -> None:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for data, expected in [
        (made, True),
        (profile(SRGB, SRGB_CURVE), True),
        (profile(SRGB, gamma_curve(2.2)), False),
        (profile(DISPLAY_P3, SRGB_CURVE), False),
        (profile(ADOBE_RGB, gamma_curve(563 / 256)), False),
    ]:
        found = read_matrix_profile(data)
        assert found is not None
        assert found.is_srgb() == expected


def test_a_profile_cut_anywhere_is_damaged_and_never_crashes() -> None:
    data = profile(SRGB, SRGB_CURVE)
    for length in range(0, len(data), 7):
        read_matrix_profile(data[:length])


def test_the_profile_of_a_palette_is_applied(save_photo: SavePhoto) -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([200, 30, 30])
    photo, _ = load_photo(save_photo(image, "x.png", icc_profile=profile(DISPLAY_P3, SRGB_CURVE)))
    assert photo.rgb[0, 0, 0] > 205


def test_cmyk_and_ycck_jpegs_have_the_colours_that_they_print(save_photo: SavePhoto) -> None:
    image = Image.fromarray(PICTURE).convert("CMYK")
    photo, _ = load_photo(save_photo(image, "x.jpg", quality=95))
    assert np.abs(photo.rgb.astype(int) - PICTURE).mean() < 6


def _tiff_pages(first_tags: dict[int, Any], later: list[Image.Image], first: Image.Image) -> bytes:
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=later, tiffinfo=first_tags)
    return file.getvalue()


def test_a_preview_on_the_first_page_is_passed_over(tmp_path: Path) -> None:
    small, full = Image.new("RGB", (32, 24), "black"), Image.fromarray(PICTURE)
    full.encoderinfo = {"tiffinfo": {254: 0}}
    photo, _ = load_photo(written(tmp_path, "x.tif", _tiff_pages({254: 1}, [full], small)))
    assert np.array_equal(photo.rgb, PICTURE)
    assert any("page 2 was taken" in note for note in photo.notes)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.dng", b"II*\0" + bytes(64)),
        ("x.NEF", b"MM\0*" + bytes(64)),
        ("x.jpg", b"FUJIFILMCCD-RAW " + bytes(64)),
        ("x.jpg", b"II*\0\x10\0\0\0CR\x02\0" + bytes(64)),
        ("x.jpg", b"\0\0\0\x18ftypcrx " + bytes(64)),
        ("no-ending", _tiff_pages({50706: b"\1\4\0\0"}, [], Image.new("RGB", (32, 32)))),
    ],
)
def test_camera_raw_without_its_reader_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(InputError, match=r"camera raw.*manymesh\[raw\]"):
        load_photo(written(tmp_path, name, data))


def test_camera_raw_is_developed_where_its_reader_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened:
        sizes = types.SimpleNamespace(width=96, height=72)

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *exc: object) -> None:
            return None

        def postprocess(self, **how: object) -> U8:
            assert how == {"use_camera_wb": True, "output_bps": 8}
            return PICTURE

    monkeypatch.setitem(sys.modules, "rawpy", types.SimpleNamespace(imread=lambda file: Opened()))
    photo, _ = load_photo(written(tmp_path, "x.dng", b"II*\0" + bytes(64)))
    assert np.array_equal(photo.rgb, PICTURE)
    assert any("camera raw" in note for note in photo.notes)


def test_jpeg_xl_without_its_reader_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(InputError, match=r"JPEG XL.*manymesh\[jxl\]"):
        load_photo(written(tmp_path, "x.jxl", b"\xff\x0a" + bytes(64)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"v/1\x01" + bytes(64), "OpenEXR"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x18ftypisom" + bytes(64), "film"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "PostScript"),
    ],
)
def test_what_people_take_for_a_picture_is_called_by_its_name(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_photo(written(tmp_path, "x.jpg", data))


@pytest.mark.parametrize("name", ["x.avif", "x.jp2", "x.bmp", "x.tga", "x.ppm", "x.ico", "x.qoi", "x.sgi", "x.pcx"])
def test_further_formats_are_read(save_photo: SavePhoto, name: str) -> None:
    from PIL import features

    if name == "x.avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    image = Image.fromarray(PICTURE[:64, :64])
    options = {"quality": 100} if name == "x.avif" else {"sizes": [(64, 64)]} if name == "x.ico" else {}
    photo, _ = load_photo(save_photo(image, name, **options))
    assert np.abs(photo.rgb.astype(int) - PICTURE[:64, :64]).mean() < 3


@pytest.mark.parametrize(("package", "name"), [("pillow_heif", "x.heic"), ("pillow_jxl", "x.jxl")])
def test_formats_of_extras_are_read_where_they_are_installed(save_photo: SavePhoto, package: str, name: str) -> None:
    plugin = pytest.importorskip(package)
    if package == "pillow_heif":
        plugin.register_heif_opener()
    path = save_photo(Image.fromarray(PICTURE), name, quality=95)
    assert np.abs(load_photo(path)[0].rgb.astype(int) - PICTURE).mean() < 4


def test_a_tiff_without_dimensions_is_refused(tmp_path: Path) -> None:
    entry = struct.pack("<HHI", 258, 3, 1) + struct.pack("<HH", 8, 0)
    with pytest.raises(InputError, match=r"damaged|not a picture"):
        load_photo(written(tmp_path, "x.tif", struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + bytes(4)))


def test_a_float_tiff_that_claims_too_much_is_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    cv2.imwrite(str(path), PICTURE.astype(np.float32) / 255)
    data = bytearray(path.read_bytes())
    for tag, value in ((256, 9000), (257, 9000)):
        place = data.index(struct.pack("<H", tag), 8)
        data[place + 2 : place + 12] = struct.pack("<HII", 4, 1, value)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"81 million pixels of 12 bytes; the limit for these is 35 million"):
        load_photo(path)


@pytest.mark.parametrize(
    ("size", "words"), [((16, 16), None), ((5000, 250), None), ((6000, 16), "strip"), ((100, 15), "only")]
)
def test_icons_and_panoramas_are_read_but_no_strips(
    save_photo: SavePhoto, size: tuple[int, int], words: str | None
) -> None:
    path = save_photo(Image.new("RGB", size, "teal"), "x.png")
    if words is None:
        photo, _ = load_photo(path)
        assert min(photo.width, photo.height) >= 16
        return
    with pytest.raises(InputError, match=words):
        load_photo(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    import os

    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    with pytest.raises(InputError, match="pipe"):
        load_photo(path)


def plain_tiff(values: np.ndarray, sample_format: int, extra: int | None = None) -> bytes:
    """(h, w, n) as an uncompressed RGB TIFF of one strip. ``extra`` is what the fourth channel means."""
    height, width, channels = values.shape
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = [(256, 4, [width]), (257, 4, [height]), (258, 3, [8 * values.itemsize] * channels), (259, 3, [1])]
    tags += [(262, 3, [2]), (273, 4, [8]), (277, 3, [channels]), (278, 4, [height]), (279, 4, [len(data)])]
    tags += (
        [(284, 3, [1])] + ([(338, 3, [extra])] if extra is not None else []) + [(339, 3, [sample_format] * channels)]
    )
    start = 8 + len(data)
    entries, rest = b"", b""
    for tag, kind, numbers in tags:
        stored = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        place = struct.pack("<I", start + 6 + 12 * len(tags) + len(rest))
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + (
            stored.ljust(4, b"\0") if len(stored) <= 4 else place
        )
        rest += stored if len(stored) > 4 else b""
    return struct.pack("<2sHI", b"II", 42, start) + data + struct.pack("<H", len(tags)) + entries + bytes(4) + rest


@pytest.mark.parametrize(
    ("kind", "white", "sample_format", "near"),
    [
        ("u4", 2**32 - 1, 1, 0),
        ("i4", 2**31 - 1, 2, 0),
        ("i2", 2**15 - 1, 2, 1),
        ("i1", 127, 2, 2),
        ("u8", 2**64 - 2048, 1, 0),
    ],
)
def test_colour_in_unusual_whole_numbers_is_read(
    tmp_path: Path, kind: str, white: int, sample_format: int, near: int
) -> None:
    shown = PICTURE.copy()
    shown[0, 0] = 255
    values = np.rint(shown / 255 * float(white)).clip(0, white).astype(kind)
    photo, _ = load_photo(written(tmp_path, "x.tif", plain_tiff(values, sample_format)))
    assert np.abs(photo.rgb.astype(int) - shown).max() <= near
    assert photo.notes


@pytest.mark.parametrize("photometric", [5, 8])
def test_unusual_numbers_in_another_colour_space_are_refused(tmp_path: Path, photometric: int) -> None:
    data = plain_tiff(PICTURE.astype("i2"), 2)
    entry = struct.pack("<HHI", 262, 3, 1)
    at = data.index(entry) + len(entry)
    data = data[:at] + struct.pack("<H", photometric) + data[at + 2 :]
    with pytest.raises(InputError, match=r"a colour space other than RGB.*Save it in RGB"):
        load_photo(written(tmp_path, "x.tif", data))


def test_unusual_numbers_that_the_decoder_does_not_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("manymesh.image.decode._by_opencv", lambda data, page: None)
    path = written(tmp_path, "x.tif", plain_tiff(PICTURE.astype("i2"), 2))
    with pytest.raises(InputError, match="a TIFF of 16-bit whole numbers with a sign, which cannot be read in colour"):
        load_photo(path)


@pytest.mark.parametrize(("kind", "white", "sample_format"), [("u1", 255, 1), ("u2", 65535, 1), ("f4", 1.0, 3)])
def test_colour_that_is_multiplied_by_its_opacity_is_taken_back(
    tmp_path: Path, kind: str, white: float, sample_format: int
) -> None:
    """Associated alpha (extra sample 1), straight alpha (2) and a fourth channel that means nothing (0)."""
    alpha = np.zeros((*PICTURE.shape[:2], 1))
    alpha[10:60, 10:80] = 1.0
    alpha[10:12, 10:80] = 0.5
    straight = PICTURE / 255
    for extra, colour in ((1, straight * alpha), (2, straight), (0, straight)):
        values = np.concatenate([colour, alpha], axis=2) * white
        values = values.astype(kind) if kind == "f4" else np.rint(values).astype(kind)
        photo, _ = load_photo(written(tmp_path, f"{extra}.tif", plain_tiff(values, sample_format, extra)), "keep")
        assert (photo.alpha is None) == (extra == 0)
        seen = alpha[..., 0] > 0
        # Half of 8 bits cannot be doubled exactly.
        assert np.abs(photo.rgb[seen].astype(int) - PICTURE[seen]).max() <= (2 if kind == "u1" else 1), (extra, kind)


@pytest.mark.parametrize("bits", [16, 32])
def test_a_deep_photoshop_document_is_called_by_its_name(tmp_path: Path, bits: int) -> None:
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 8, 8, bits, 3) + bytes(14) + bytes(3 * 64 * bits // 8)
    with pytest.raises(InputError, match=f"a Photoshop document of {bits} bits a channel, which cannot be read"):
        load_photo(written(tmp_path, "x.psd", header))


def with_gamma(data: bytes, gamma: float) -> bytes:
    """A PNG with a gAMA chunk."""
    body = b"gAMA" + struct.pack(">I", round(gamma * 100_000))
    return data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


@pytest.mark.parametrize("deep", [False, True])
def test_a_png_that_states_linear_light_becomes_srgb(tmp_path: Path, deep: bool) -> None:
    linear = ((PICTURE / 255 + 0.055) / 1.055) ** 2.4
    if deep:
        data = png16(np.rint(linear * 65535).astype(np.uint16))
    else:
        kept = io.BytesIO()
        Image.fromarray(np.rint(linear * 255).astype(np.uint8)).save(kept, "PNG")
        data = kept.getvalue()
    photo, _ = load_photo(written(tmp_path, "x.png", with_gamma(data, 1.0)))
    bright = PICTURE > 60
    assert np.abs(photo.rgb.astype(int) - PICTURE)[bright].max() <= (1 if deep else 3)
    assert any("from the gamma that the PNG states (1)" in note for note in photo.notes)
    usual, _ = load_photo(written(tmp_path, "y.png", with_gamma(data, 0.45455)))
    assert not any("gamma" in note for note in usual.notes)


@pytest.mark.parametrize("kind", ["L", "LA", "I;16"])
def test_a_grey_png_that_states_linear_light_becomes_srgb(tmp_path: Path, kind: str) -> None:
    grey = np.tile(np.arange(70, 230, dtype=np.uint8), (64, 1))
    linear = ((grey / 255 + 0.055) / 1.055) ** 2.4
    if kind == "I;16":
        image = Image.fromarray(np.rint(linear * 65535).astype(np.uint16))
    else:
        image = Image.fromarray(np.rint(linear * 255).astype(np.uint8)).convert(kind)
    kept = io.BytesIO()
    image.save(kept, "PNG")
    photo, _ = load_photo(written(tmp_path, "x.png", with_gamma(kept.getvalue(), 1.0)))
    assert np.abs(photo.rgb.astype(int) - grey[..., None]).max() <= (1 if kind == "I;16" else 3)
    assert any("from the gamma that the PNG states (1)" in note for note in photo.notes)


def test_adobe_rgb_that_only_exif_states_is_converted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    colour = Image.new("RGB", (64, 64), (90, 200, 90))
    colour.save(tmp_path / "x.jpg", exif=exif, quality=98)
    colour.save(tmp_path / "y.jpg", icc_profile=profile(ADOBE_RGB, gamma_curve(563 / 256)), quality=98)
    colour.save(tmp_path / "z.jpg", quality=98)
    stated, embedded, plain = (load_photo(tmp_path / f"{name}.jpg")[0].rgb[32, 32].astype(int) for name in "xyz")
    assert np.abs(stated - embedded).max() <= 2
    assert np.abs(stated - plain).max() > 30
