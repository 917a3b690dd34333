"""Other colours than sRGB (profiles, stated gamma, print colours) are brought to sRGB rightly."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from colour_profiles import ADOBE_RGB, DISPLAY_P3, LINEAR_CURVE, SRGB, SRGB_CURVE, gamma_curve, grey_profile, profile
from conftest import SavePhoto
from deep_pictures import PICTURE, png16, written
from PIL import Image, ImageCms

from manymesh.image.icc import encode_srgb, read_grey_profile, read_matrix_profile
from manymesh.image.load import load_photo


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
