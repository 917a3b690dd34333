"""A picture with transparency is a cutout only where the transparency outlines an object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import SavePhoto, three_things
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from manymesh.image.load import load_photo
from manymesh.image.transparency import is_cutout, is_cutout_near, without_transparency
from manymesh.paint_mesh import paint_file
from manymesh.pipeline import Pipeline
from manymesh.settings import Settings
from manymesh.types import U8

sizes = st.tuples(st.integers(40, 400), st.integers(40, 400))


def drawn(size: tuple[int, int], shape: str, where: tuple[float, float, float, float], value: int = 255) -> Image.Image:
    """A transparency of 0 with one ``shape`` of ``value`` in it; ``where`` in shares of the sides."""
    width, height = size
    alpha = Image.new("L", size, 0)
    x0, y0, x1, y1 = where[0] * width, where[1] * height, where[2] * width - 1, where[3] * height - 1
    draw = ImageDraw.Draw(alpha)
    if shape == "polygon":
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        draw.polygon([(middle_x, y0), (x1, middle_y), (middle_x, y1), (x0, middle_y)], fill=value)
    else:
        getattr(draw, shape)((x0, y0, x1, y1), fill=value)
    return alpha


@given(sizes, st.integers(1, 255))
@settings(max_examples=30, deadline=None)
def test_the_same_transparency_everywhere_is_no_outline(size: tuple[int, int], value: int) -> None:
    assert not is_cutout(np.full(size, value, np.uint8))


@given(sizes, st.integers(0, 2**32 - 1), st.floats(0.00001, 0.03))
@settings(max_examples=30, deadline=None)
def test_a_few_clear_pixels_anywhere_are_no_outline(size: tuple[int, int], seed: int, share: float) -> None:
    alpha = np.where(np.random.default_rng(seed).random(size) < share, 0, 255).astype(np.uint8)
    assert not is_cutout(alpha)


@given(sizes, st.floats(0.01, 0.22))
@settings(max_examples=30, deadline=None)
def test_rounded_corners_are_no_outline(size: tuple[int, int], radius_share: float) -> None:
    alpha = Image.new("L", size, 0)
    box = (0, 0, size[0] - 1, size[1] - 1)
    ImageDraw.Draw(alpha).rounded_rectangle(box, radius=radius_share * min(size), fill=255)
    assert not is_cutout(np.asarray(alpha))


@given(sizes, st.tuples(*[st.floats(0.0, 0.08)] * 4), st.floats(0.0, 4.0))
@settings(max_examples=40, deadline=None)
def test_a_thin_frame_soft_or_sharp_is_no_outline(
    size: tuple[int, int], margins: tuple[float, float, float, float], blur_px: float
) -> None:
    left, top, right, bottom = margins
    alpha = drawn(size, "rectangle", (left, top, 1 - right, 1 - bottom))
    assert not is_cutout(np.asarray(alpha.filter(ImageFilter.GaussianBlur(min(blur_px, min(size) / 60)))))


@given(sizes, st.floats(0.05, 0.45), st.booleans())
@settings(max_examples=30, deadline=None)
def test_bars_on_both_sides_of_a_photo_are_no_outline(size: tuple[int, int], bar: float, upright: bool) -> None:
    where = (bar, 0.0, 1 - bar, 1.0) if upright else (0.0, bar, 1.0, 1 - bar)
    assert not is_cutout(np.asarray(drawn(size, "rectangle", where)))


@given(st.integers(150, 600), st.integers(150, 600), st.floats(-7.0, 7.0))
@settings(max_examples=30, deadline=None)
def test_the_wedges_beside_a_turned_scan_are_no_outline(width: int, height: int, degrees: float) -> None:
    turned = Image.new("L", (width, height), 255).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    assert not is_cutout(np.asarray(turned))


def test_a_fade_to_nothing_at_one_side_is_no_outline() -> None:
    fade = np.clip(np.linspace(-60, 600, 300), 0, 255).astype(np.uint8)
    assert not is_cutout(np.repeat(fade[:, None], 200, axis=1))


def test_a_hole_inside_a_photo_is_no_outline() -> None:
    alpha = 255 - np.asarray(drawn((200, 160), "ellipse", (0.3, 0.3, 0.7, 0.7)))
    assert not is_cutout(alpha.astype(np.uint8))


@given(
    sizes,
    st.sampled_from(["ellipse", "polygon"]),
    st.tuples(*[st.floats(0.0, 0.3)] * 4),
    st.integers(30, 255),
    st.floats(0.0, 3.0),
)
@settings(max_examples=60, deadline=None)
def test_an_object_with_any_margin_soft_or_sharp_or_half_transparent_is_an_outline(
    size: tuple[int, int], shape: str, margins: tuple[float, float, float, float], value: int, blur_px: float
) -> None:
    left, top, right, bottom = margins
    alpha = drawn(size, shape, (left, top, 1 - right, 1 - bottom), value)
    assert is_cutout(np.asarray(alpha.filter(ImageFilter.GaussianBlur(blur_px))))


@given(sizes, st.floats(0.1, 0.3), st.floats(0.1, 0.3))
@settings(max_examples=20, deadline=None)
def test_a_box_with_a_fair_margin_all_round_is_an_outline(size: tuple[int, int], x: float, y: float) -> None:
    assert is_cutout(np.asarray(drawn(size, "rectangle", (x, y, 1 - x, 1 - y))))


def test_a_cut_out_object_that_the_picture_ends_is_an_outline() -> None:
    # A bust: its lower edge is the picture's.
    assert is_cutout(np.asarray(drawn((200, 200), "ellipse", (0.1, 0.2, 0.9, 1.6))))


def test_a_very_soft_shadow_beside_an_object_changes_nothing() -> None:
    alpha = np.maximum(
        np.asarray(drawn((300, 240), "ellipse", (0.3, 0.2, 0.7, 0.7))),
        np.asarray(drawn((300, 240), "ellipse", (0.2, 0.6, 0.9, 0.9), 90).filter(ImageFilter.GaussianBlur(12))),
    )
    assert is_cutout(alpha)


def test_a_fully_transparent_picture_is_a_cutout_of_nothing() -> None:
    assert is_cutout(np.zeros((20, 30), np.uint8))


def test_transparency_counts_near_a_box_only_if_some_of_it_is_clear() -> None:
    alpha = np.asarray(drawn((200, 200), "ellipse", (0.1, 0.1, 0.9, 0.9)))
    assert not is_cutout_near(alpha[80:120, 80:120])
    assert is_cutout_near(alpha[:100, :100])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_without_transparency_clear_pixels_take_the_nearest_colour(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(1, 256, (30, 40, 3), np.uint8)
    alpha = np.where(rng.random((30, 40)) < 0.2, 0, 255).astype(np.uint8)
    black = np.where(alpha[..., None] == 0, 0, rgb).astype(np.uint8)
    filled = without_transparency(black, alpha)
    assert np.array_equal(filled[alpha > 0], rgb[alpha > 0])
    for y, x in np.argwhere(alpha == 0)[:20]:
        near = np.abs(np.argwhere(alpha > 0) - (y, x))
        reach = np.hypot(*near.T).min() + 1.0  # OpenCV's distances are a little coarse
        rows, columns = np.argwhere(alpha > 0)[np.hypot(*near.T) <= reach].T
        assert (filled[y, x] == rgb[rows, columns]).all(axis=1).any()


def _picture_of(alpha: Image.Image) -> Image.Image:
    image = three_things(*alpha.size).convert("RGBA")
    image.putalpha(alpha)
    return image


def _as_grey_with_one_clear_shade(alpha: Image.Image) -> Image.Image:
    grey = np.where(np.asarray(alpha) > 0, np.asarray(three_things(*alpha.size).convert("L")).clip(1), 0)
    return Image.fromarray((grey * np.uint16(257)).astype(np.uint16))


@pytest.mark.parametrize("name", ["x.png", "x.gif", "x.webp", "x.tif", "palette.png", "deep.png"])
@pytest.mark.parametrize("cut", [True, False])
def test_every_format_is_judged_alike(save_photo: SavePhoto, name: str, cut: bool) -> None:
    alpha = (
        drawn((160, 120), "ellipse", (0.2, 0.2, 0.8, 0.8)) if cut else drawn((160, 120), "rectangle", (0, 0, 1, 0.99))
    )
    image, options = _picture_of(alpha), {}
    if name == "x.webp":
        options = {"lossless": True}
    elif name == "palette.png":
        image = image.quantize(64)
    elif name == "deep.png":
        image, options = _as_grey_with_one_clear_shade(alpha), {"transparency": 0}
    photo, _ = load_photo(save_photo(image, name, **options))
    assert (photo.alpha is not None) == cut
    if photo.alpha is not None:
        assert np.array_equal(photo.alpha > 127, np.asarray(alpha) > 127)
    assert any("transparency was ignored" in note for note in photo.notes) != cut


def test_an_ignored_transparency_leaves_the_photo_and_is_said(save_photo: SavePhoto) -> None:
    photo, _ = load_photo(save_photo(_picture_of(Image.new("L", (320, 240), 254)), "x.png"))
    assert photo.alpha is None
    assert np.array_equal(photo.rgb, np.asarray(three_things()))
    assert any("0.0% of the picture is clear" in note for note in photo.notes)


def test_a_picture_that_the_user_calls_a_cutout_keeps_any_transparency(save_photo: SavePhoto) -> None:
    path = save_photo(_picture_of(Image.new("L", (320, 240), 254)), "x.png")
    photo, _ = load_photo(path, "keep")
    assert photo.alpha is not None
    assert not photo.notes


def test_black_under_rounded_corners_does_not_become_a_border(save_photo: SavePhoto) -> None:
    alpha = Image.new("L", (320, 240), 0)
    ImageDraw.Draw(alpha).rounded_rectangle((0, 0, 319, 239), radius=30, fill=255)
    image = _picture_of(alpha)
    pixels: U8 = np.array(image)
    pixels[pixels[..., 3] == 0] = 0
    photo, _ = load_photo(save_photo(Image.fromarray(pixels), "x.png"))
    assert photo.rgb[0, 0].min() > 180


def test_a_box_in_the_opaque_part_of_a_cutout_asks_for_an_object_there(save_photo: SavePhoto, tmp_path: Path) -> None:
    cut = drawn((320, 240), "ellipse", (0.05, 0.02, 0.95, 1.2))
    path = save_photo(_picture_of(cut), "y.png")
    run = Pipeline(Settings(engine="lite", boxes=("135,90,165,150", "0,0,160,120"))).find(path, tmp_path / "runs")
    alphas = [run.load_picture(record.files["crop"])[1] for record in run.manifest.objects]
    assert alphas[0] is None
    assert alphas[1] is not None


def test_paint_heeds_a_box_in_the_files_own_pixels(save_photo: SavePhoto, tmp_path: Path) -> None:
    image = Image.new("RGB", (6000, 240), (228, 228, 228))
    image.paste(three_things(), (5000, 0))
    photo = save_photo(image, "large.png")
    mesh = tmp_path / "flat.obj"
    mesh.write_text("v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\nf 1 2 3 4\n")
    settings = Settings(engine="lite", texture_size=64, boxes=("5120,50,5170,200",))
    made = paint_file(mesh, photo, tmp_path / "painted", settings)
    assert any("Reduced to 4096" in note for note in made.notes)
    with Image.open(made.folder / "cutout.png") as cutout:
        seen = np.asarray(cutout)
    colour = seen[seen[..., 3] > 200][:, :3].astype(int)
    assert (np.abs(colour - (30, 130, 50)).max(axis=1) < 40).mean() > 0.9
