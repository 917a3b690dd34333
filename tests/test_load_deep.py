"""Deep pictures, files behind a preview, unusual files: brought to 8 bits rightly, and said."""

from __future__ import annotations

import io
import struct
import sys
import types
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import SavePhoto
from deep_pictures import PICTURE, png16, written
from PIL import Image

from manymesh.errors import InputError
from manymesh.image.deep import from_real_numbers, from_whole_numbers, used_bits
from manymesh.image.load import load_photo
from manymesh.types import U8


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
