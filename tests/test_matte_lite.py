from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lite_scenes import crop, disc, iou, paint, photo, plain_background

from manymesh.errors import Cancelled, ObjectError
from manymesh.matte.alpha import extend_color
from manymesh.matte.lite import STAGE, matte, segment_in_box
from manymesh.settings import Settings
from manymesh.types import Box, Crop

RED = (188, 40, 36)
SHAPE = (360, 480)
BOX = Box(140, 80, 340, 280)


def scene_of(truth: np.ndarray, colour: tuple[int, int, int] = RED, back: tuple[int, int, int] = (200, 204, 210)):
    scene = plain_background(*SHAPE, back)
    paint(scene, truth, colour)
    return photo(scene).rgb


def pasted(cutout, shape=SHAPE) -> np.ndarray:
    """The cutout at its position in the photo, (h, w, 4)."""
    whole = np.zeros((*shape, 4), np.uint8)
    w = cutout.window
    whole[w.y0 : w.y1, w.x0 : w.x1] = cutout.rgba
    return whole


def test_alpha_follows_a_soft_edge():
    truth = disc(SHAPE, 240, 180, 100)
    cut = pasted(matte(crop(scene_of(truth), BOX, mask=truth > 0.5)))
    error = np.abs(cut[..., 3] / 255 - truth)
    soft = (truth > 0.02) & (truth < 0.98)
    assert error[soft].mean() < 0.08
    assert error[~soft].max() < 0.15
    assert (cut[..., 3][disc(SHAPE, 240, 180, 94) == 1] == 255).all()
    assert (cut[..., 3][disc(SHAPE, 240, 180, 106) == 0] == 0).all()


@pytest.mark.parametrize("off", [-4, 4])
def test_a_mask_that_is_a_little_off_is_corrected(off: int):
    truth = disc(SHAPE, 240, 180, 100)
    rough = disc(SHAPE, 240, 180, 100 + off) > 0.5
    cut = pasted(matte(crop(scene_of(truth), BOX, mask=rough)))
    assert iou(cut[..., 3] >= 128, truth > 0.5) > 0.985
    assert iou(rough, truth > 0.5) < 0.93


def test_no_background_colour_bleeds_into_the_edge():
    truth = disc(SHAPE, 240, 180, 100)
    rgb = scene_of(truth, RED, (40, 220, 60))
    cut = pasted(matte(crop(rgb, BOX, mask=truth > 0.5)))
    visible = cut[..., 3] > 12
    off = np.abs(cut[..., :3].astype(int) - RED).max(axis=2)
    assert off[visible].max() < 40
    assert off[visible & (cut[..., 3] < 240)].mean() < 10


def test_the_colour_extends_beyond_the_edge():
    truth = disc(SHAPE, 240, 180, 100)
    cut = pasted(matte(crop(scene_of(truth, RED, (40, 220, 60)), BOX, mask=truth > 0.5)))
    beyond = (disc(SHAPE, 240, 180, 109) > 0.5) & (disc(SHAPE, 240, 180, 103) == 0)
    assert np.abs(cut[..., :3][beyond].astype(int) - RED).max() < 30


def test_opaque_pixels_are_the_photos_own():
    truth = disc(SHAPE, 240, 180, 100)
    rgb = scene_of(truth)
    cut = pasted(matte(crop(rgb, BOX, mask=truth > 0.5)))
    inner = cut[..., 3] == 255
    assert inner.sum() > 25_000
    assert (cut[..., :3][inner] == rgb[inner]).all()


def test_a_hole_in_the_mask_stays_open():
    truth = disc(SHAPE, 240, 180, 100) - disc(SHAPE, 240, 180, 50)
    cut = pasted(matte(crop(scene_of(truth), BOX, mask=truth > 0.5)))
    assert cut[180, 240, 3] == 0
    assert iou(cut[..., 3] >= 128, truth > 0.5) > 0.98


def test_a_thin_part_survives():
    truth = disc(SHAPE, 200, 180, 50)
    truth[178:182, 240:338] = 1
    cut = pasted(matte(crop(scene_of(truth), BOX, mask=truth > 0.5)))
    assert (cut[179:181, 250:332, 3] > 200).all()


def test_a_neighbour_in_the_crop_is_left_out():
    truth = disc(SHAPE, 220, 180, 76)
    rgb_scene = plain_background(*SHAPE)
    paint(rgb_scene, truth, RED)
    paint(rgb_scene, disc(SHAPE, 352, 180, 50), RED)
    cut = pasted(matte(crop(photo(rgb_scene).rgb, Box(144, 104, 296, 256), 60, mask=truth > 0.5)))
    assert (cut[:, 300:, 3] == 0).all()
    assert iou(cut[..., 3] >= 128, truth > 0.5) > 0.98


def test_a_box_without_a_mask_is_segmented():
    truth = disc(SHAPE, 240, 180, 95)
    cut = pasted(matte(crop(scene_of(truth), BOX)))
    assert iou(cut[..., 3] >= 128, truth > 0.5) > 0.97


def test_a_box_on_a_busy_background_is_segmented():
    rng = np.random.default_rng(3)
    scene = np.kron(rng.uniform(30, 140, (30, 40, 3)) * [0.6, 1.1, 0.7], np.ones((12, 12, 1)))
    truth = disc(SHAPE, 240, 180, 95)
    paint(scene, truth, (214, 60, 150))
    found = segment_in_box(photo(scene).rgb, BOX)
    assert iou(found, truth > 0.5) > 0.92


def test_a_neighbours_box_is_background():
    scene = plain_background(*SHAPE)
    mine, other = disc(SHAPE, 220, 190, 76), disc(SHAPE, 330, 120, 46)
    paint(scene, mine, RED)
    paint(scene, other, (40, 66, 170))
    box, others = Box(140, 100, 330, 270), (Box(284, 74, 376, 166),)
    found = segment_in_box(photo(scene).rgb, box, others)
    assert iou(found, mine > 0.5) > 0.95
    assert not found[100:160, 296:330].any()


def test_a_box_around_the_whole_photo_is_the_whole_photo():
    rgb = np.full((40, 60, 3), 128, np.uint8)
    cut = matte(Crop(rgb, Box(0, 0, 60, 40), Box(0, 0, 60, 40)))
    assert (cut.rgba[..., 3] == 255).all()
    assert (cut.rgba[..., :3] == rgb).all()


def test_an_empty_box_is_an_error_with_a_hint():
    with pytest.raises(ObjectError, match="nothing stands apart") as caught:
        matte(crop(photo(plain_background(*SHAPE, noise=0)).rgb, BOX))
    assert caught.value.hint


def test_given_alpha_is_kept():
    truth = disc(SHAPE, 240, 180, 90)
    alpha = np.round(truth * 255).astype(np.uint8)
    rgb = scene_of(truth)
    rgb[alpha == 0] = 0
    cut = pasted(matte(crop(rgb, BOX, alpha=alpha)))
    assert (cut[..., 3] == alpha).all()
    beyond = (disc(SHAPE, 240, 180, 98) > 0.5) & (alpha == 0)
    assert np.abs(cut[..., :3][beyond].astype(int) - RED).max() < 60


def test_given_alpha_of_a_neighbour_is_left_out():
    mine, other = disc(SHAPE, 200, 180, 60) > 0.5, disc(SHAPE, 330, 180, 60) > 0.5
    alpha = ((mine | other) * 255).astype(np.uint8)
    cut = pasted(matte(crop(scene_of(alpha / 255.0), Box(140, 120, 260, 240), 60, alpha=alpha, mask=mine)))
    assert ((cut[..., 3] > 0) == mine).all()


def test_full_transparency_is_an_error():
    with pytest.raises(ObjectError):
        matte(crop(scene_of(disc(SHAPE, 240, 180, 90)), BOX, alpha=np.zeros(SHAPE, np.uint8)))


def test_one_pixel_is_enough():
    crop_of_one = Crop(np.full((1, 1, 3), 7, np.uint8), Box(0, 0, 1, 1), Box(0, 0, 1, 1), mask=np.ones((1, 1), bool))
    assert matte(crop_of_one).rgba.tolist() == [[[7, 7, 7, 255]]]


def test_cancelling_stops_the_stage():
    def stop(share: float) -> None:
        raise Cancelled("stopped")

    truth = disc(SHAPE, 240, 180, 90)
    with pytest.raises(Cancelled), STAGE.open(Settings()) as run:
        run(crop(scene_of(truth), BOX, mask=truth > 0.5), tick=stop)


@settings(max_examples=20, derandomize=True, deadline=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 999), kind=st.sampled_from("mab"))
def test_cutouts_have_the_crops_size_and_window_and_are_deterministic(height: int, width: int, seed: int, kind: str):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    x0, y0 = int(rng.integers(0, width)), int(rng.integers(0, height))
    box = Box(x0, y0, int(rng.integers(x0, width)) + 1, int(rng.integers(y0, height)) + 1)
    view = Crop(
        rgb,
        Box(5, 7, 5 + width, 7 + height),
        box,
        alpha=rng.integers(0, 256, (height, width), dtype=np.uint8) if kind == "a" else None,
        mask=rng.random((height, width)) > 0.4 if kind == "m" else None,
    )
    before = rgb.copy()
    try:
        cut, again = matte(view), matte(view)
    except ObjectError:
        return
    assert cut.rgba.shape == (height, width, 4)
    assert cut.rgba.dtype == np.uint8
    assert cut.window == view.window
    assert (cut.rgba == again.rgba).all()
    assert (rgb == before).all()


def test_extended_colour_is_that_of_the_known_pixels():
    rgb = np.zeros((50, 70, 3), np.uint8)
    known = np.zeros((50, 70), bool)
    known[20:30, 20:40] = True
    rgb[known] = (10, 200, 90)
    filled = extend_color(rgb, known)
    assert (filled == (10, 200, 90)).all(axis=2).mean() > 0.99
