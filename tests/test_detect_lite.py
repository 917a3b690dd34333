from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lite_scenes import disc, ground, iou, paint, photo, shade, sloped
from PIL import Image

from manymesh.detect.lite import STAGE, detect
from manymesh.errors import Cancelled
from manymesh.segment.foreground import to_lab
from manymesh.segment.regions import components
from manymesh.segment.superpixels import superpixels
from manymesh.settings import Settings
from manymesh.types import Detection, Photo

EXAMPLES = Path(__file__).parents[1] / "examples"
RED, BLUE, GREEN = (188, 40, 36), (40, 66, 170), (44, 130, 60)


def union(found: list[Detection], like: Photo) -> np.ndarray:
    mask = np.zeros((like.height, like.width), bool)
    for one in found:
        assert one.mask is not None
        mask |= one.mask
    return mask


def test_a_disc_on_plain_ground_is_found_to_the_pixel():
    scene = ground(480, 640)
    truth = disc((480, 640), 300, 220, 110)
    paint(scene, truth, RED)
    (found,) = detect(photo(scene))
    assert found.mask is not None
    assert found.mask.shape == (480, 640)
    assert iou(found.mask, truth > 0.5) > 0.98
    assert np.abs(np.array(found.box) - (190, 110, 410, 330)).max() <= 2
    assert found.label == ""
    assert found.source == STAGE.name


def test_an_uneven_light_is_no_thing():
    scene = sloped(480, 640)
    truth = disc((480, 640), 320, 240, 90)
    paint(scene, truth, BLUE)
    (found,) = detect(photo(scene))
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.97
    assert detect(photo(sloped(480, 640))) == []


def test_a_soft_shadow_is_left_on_the_ground():
    scene = ground(480, 640, (214, 210, 204))
    shade(scene, disc((480, 640), 350, 290, 110), 18, 0.4)
    truth = disc((480, 640), 300, 220, 110)
    paint(scene, truth, (150, 90, 40))
    found = detect(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.95


def test_a_deep_contact_shadow_is_left_on_the_ground():
    scene = ground(480, 640, (214, 210, 204))
    shade(scene, disc((480, 640), 345, 245, 100), 7, 0.5)
    truth = disc((480, 640), 300, 220, 110)
    paint(scene, truth, (30, 60, 90))
    found = detect(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.95


def test_a_grey_thing_is_not_taken_for_a_shadow():
    scene = ground(480, 640, (214, 214, 214))
    truth = disc((480, 640), 320, 240, 100)
    paint(scene, truth, (140, 140, 140))
    found = detect(photo(scene))
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.97


def test_the_opening_of_a_ring_is_ground():
    scene = ground(480, 640)
    truth = disc((480, 640), 320, 240, 150) - disc((480, 640), 320, 240, 90)
    paint(scene, truth, GREEN)
    (found,) = detect(photo(scene))
    assert found.mask is not None
    assert not found.mask[240, 320]
    assert iou(found.mask, truth > 0.5) > 0.95


def test_a_highlight_is_no_opening():
    scene = ground(480, 640, (235, 235, 235))
    truth = disc((480, 640), 320, 240, 150)
    paint(scene, truth, RED)
    glint = cv2.GaussianBlur(disc((480, 640), 280, 190, 14), (0, 0), 7)
    scene[:] = scene * (1 - glint[..., None]) + 255 * glint[..., None]
    (found,) = detect(photo(scene))
    assert found.mask is not None
    assert found.mask[150:330, 230:410].all()


def test_a_thin_handle_stays_on():
    scene = ground(600, 800)
    truth = disc((600, 800), 220, 300, 90)
    truth[296:305, 300:720] = 1
    paint(scene, truth, (70, 60, 58))
    (found,) = detect(photo(scene))
    assert found.box.x1 > 712
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.94


def test_a_cup_keeps_its_handle_and_the_handle_its_opening():
    scene = ground(480, 640)
    handle = disc((480, 640), 400, 240, 70) - disc((480, 640), 400, 240, 46)
    truth = handle.copy()
    truth[130:350, 200:380] = 1
    paint(scene, truth, (36, 84, 120))
    (found,) = detect(photo(scene))
    assert found.mask is not None
    assert not found.mask[235:245, 395:430].any()
    assert found.mask[240, 458]
    assert iou(found.mask, truth > 0.5) > 0.96


@pytest.mark.parametrize("noise", [6.0, 12.0])
def test_camera_noise_neither_hides_nor_makes_things(noise: float):
    scene = ground(480, 640, noise=noise)
    truth = disc((480, 640), 320, 240, 100)
    paint(scene, truth, RED)
    found = detect(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.95


def test_wall_and_table_are_both_ground():
    scene = ground(480, 640, (205, 198, 184))
    scene[300:] = ground(180, 640, (110, 78, 54), seed=3)
    scene[:] = cv2.GaussianBlur(scene, (0, 0), 1.2)
    truth = disc((480, 640), 320, 290, 90)
    paint(scene, truth, BLUE)
    found = detect(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.96


def test_a_thing_on_mottled_ground_is_found():
    rng = np.random.default_rng(5)
    blobs = cv2.resize(rng.uniform(-1, 1, (16, 20, 3)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC)
    scene = np.array([78, 104, 58]) + 26 * blobs + rng.normal(0, 2, (480, 640, 3))
    truth = disc((480, 640), 330, 230, 105)
    paint(scene, truth, (214, 120, 40))
    found = detect(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.93


def test_a_thing_that_the_frame_cuts_off_is_found():
    scene = ground(480, 640)
    truth = disc((480, 640), 320, 470, 150)
    paint(scene, truth, RED)
    (found,) = detect(photo(scene))
    assert found.box.y1 == 480
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.96


def test_a_thing_that_touches_all_four_sides_is_found():
    scene = ground(480, 480)
    truth = disc((480, 480), 240, 240, 246)
    paint(scene, truth, GREEN)
    (found,) = detect(photo(scene))
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.95


def test_several_things_come_left_to_right_and_then_down():
    scene = ground(480, 640)
    places = [(500, 120), (120, 340), (120, 110), (320, 240)]
    for index, (x, y) in enumerate(places):
        paint(scene, disc((480, 640), x, y, 60), [RED, BLUE, GREEN, (30, 30, 30)][index])
    found = detect(photo(scene))
    assert [(one.box.x0 + 60, one.box.y0 + 60) for one in found] == [
        pytest.approx(place, abs=3) for place in sorted(places)
    ]
    masks = np.sum([one.mask for one in found], axis=0)
    assert masks.max() == 1


def test_two_things_close_together_stay_two():
    scene = ground(480, 640)
    left, right = disc((480, 640), 230, 240, 80), disc((480, 640), 406, 240, 80)
    paint(scene, left, RED)
    paint(scene, right, RED)
    found = detect(photo(scene))
    assert len(found) == 2
    assert all(iou(one.mask, truth > 0.5) > 0.96 for one, truth in zip(found, (left, right), strict=True))


def test_two_discs_that_touch_are_parted():
    scene = ground(480, 640)
    paint(scene, np.maximum(disc((480, 640), 230, 240, 86), disc((480, 640), 398, 240, 86)), RED)
    assert len(detect(photo(scene))) == 2


def test_one_curved_thing_is_not_parted():
    scene = ground(480, 640)
    bow = disc((480, 640), 320, 200, 170) - disc((480, 640), 320, 160, 150)
    paint(scene, np.clip(bow, 0, 1), RED)
    assert len(detect(photo(scene))) == 1


def test_a_cut_off_tip_is_joined_again():
    scene = ground(480, 640)
    truth = np.zeros((480, 640), np.float32)
    truth[225:255, 100:480] = 1
    truth[225:255, 484:520] = 1
    paint(scene, truth, (60, 50, 48))
    (found,) = detect(photo(scene))
    assert found.box.x1 >= 518


def test_specks_are_dropped():
    scene = ground(480, 640)
    paint(scene, disc((480, 640), 320, 240, 100), RED)
    for x in range(40, 620, 60):
        paint(scene, disc((480, 640), x, 40, 3), (30, 30, 30))
    assert len(detect(photo(scene))) == 1


def test_no_more_than_asked_and_the_largest():
    scene = ground(480, 640)
    for index in range(8):
        paint(scene, disc((480, 640), 60 + 74 * index, 240, 14 + 2 * index), RED)
    found = detect(photo(scene), most=3)
    assert [one.box.width > 44 for one in found] == [True] * 3


def test_greyscale_is_enough():
    scene = ground(480, 640, (190, 190, 190))
    truth = disc((480, 640), 320, 240, 110)
    paint(scene, truth, (60, 60, 60))
    grey = np.repeat(scene.mean(axis=2, keepdims=True), 3, axis=2)
    (found,) = detect(photo(grey))
    assert iou(union([found], photo(grey)), truth > 0.5) > 0.97


def test_given_alpha_is_taken_at_its_word():
    rgb = ground(300, 400)
    alpha = np.zeros((300, 400), np.uint8)
    alpha[50:150, 40:120] = 255
    alpha[100:220, 220:330] = 200
    alpha[5, 5] = 255
    found = detect(photo(rgb, alpha))
    assert [tuple(one.box) for one in found] == [(40, 50, 120, 150), (220, 100, 330, 220)]
    assert (union(found, photo(rgb)) == ((alpha > 0) & ~(np.indices(alpha.shape).sum(axis=0) == 10))).all()


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(np.full((480, 640, 3), 127), id="uniform"),
        pytest.param(np.full((1, 1, 3), 9), id="one pixel"),
        pytest.param(np.full((2, 5000, 3), 200), id="ribbon"),
        pytest.param(np.random.default_rng(1).integers(0, 256, (480, 640, 3)), id="noise"),
        pytest.param(np.random.default_rng(1).integers(0, 256, (2, 5000, 3)), id="ribbon of noise"),
        pytest.param(np.random.default_rng(2).integers(0, 256, (7, 3, 3)), id="tiny noise"),
        pytest.param(
            np.repeat(np.repeat(np.indices((12, 16)).sum(0)[..., None] % 2 * 255, 40, 0), 40, 1) * [1, 1, 1], id="chess"
        ),
    ],
)
def test_nothing_to_tell_apart_is_an_empty_answer(scene: np.ndarray):
    assert detect(photo(scene)) == []


def test_fully_transparent_is_an_empty_answer():
    assert detect(photo(ground(90, 120), np.zeros((90, 120), np.uint8))) == []


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    levels=st.integers(1, 8),
    seed=st.integers(0, 999),
    clear=st.booleans(),
)
def test_every_answer_keeps_the_contract(height: int, width: int, levels: int, seed: int, clear: bool):
    rng = np.random.default_rng(seed)
    rgb = cv2.resize(
        rng.integers(0, 256, (levels, levels, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
    )
    alpha = rng.integers(0, 2, (height, width), dtype=np.uint8) * 255 if clear else None
    given_photo = Photo(rgb.reshape(height, width, 3), alpha, "", "")
    found = detect(given_photo)
    again = detect(given_photo)
    assert len(found) <= 32
    assert [one.box for one in found] == [one.box for one in again]
    for one, same in zip(found, again, strict=True):
        assert one.mask is not None
        assert one.mask.shape == (height, width)
        assert one.mask.any()
        rows, columns = np.flatnonzero(one.mask.any(axis=1)), np.flatnonzero(one.mask.any(axis=0))
        assert tuple(one.box) == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert (one.mask == same.mask).all()


def test_a_stop_goes_through():
    def stop(share: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled), STAGE.open(Settings()) as run:
        run(photo(ground(60, 80)), (), tick=stop)


def test_the_five_things_on_the_example_desk():
    rgb = cv2.cvtColor(cv2.imread(str(EXAMPLES / "desk.jpg")), cv2.COLOR_BGR2RGB)
    found = detect(Photo(rgb, None, "desk", ""))
    truth = [(58, 91, 339, 254), (190, 289, 230, 327), (193, 18, 264, 96), (315, 313, 360, 459), (338, 125, 454, 248)]
    assert len(found) == 5
    for one, (x0, y0, x1, y1) in zip(found, truth, strict=True):
        assert np.abs(np.array(one.box) - (x0, y0, x1, y1)).max() < 14


def test_the_one_flower_without_the_leaf_that_the_frame_cuts_off():
    with Image.open(EXAMPLES / "flower.jpg") as image:
        rgb = np.asarray(image.convert("RGB"))
    (found,) = detect(Photo(rgb, None, "flower", ""))
    assert found.box.width > 0.35 * rgb.shape[1]


def test_pieces_of_a_noisy_picture_hang_together() -> None:
    # Over 46,341 parts before the small ones are joined: their pairs need more than 32 bits.
    picture = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    picture[:, :60] = (200, 30, 30)
    labels = superpixels(to_lab(picture), 300)
    assert all(components(labels == number)[0] == 1 for number in range(int(labels.max()) + 1))
