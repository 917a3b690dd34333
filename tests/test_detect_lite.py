from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lite_scenes import disc, iou, paint, photo, plain_background, shade, uneven_background
from PIL import Image

from manymesh.detect.lite import STAGE, detect
from manymesh.errors import Cancelled
from manymesh.segment.foreground import to_lab
from manymesh.segment.network import SegmentationNetwork
from manymesh.segment.regions import label_components
from manymesh.segment.superpixels import superpixels
from manymesh.settings import Settings
from manymesh.types import Detection, Photo

Find = Callable[..., list[Detection]]

EXAMPLES = Path(__file__).parents[1] / "examples"
RED, BLUE, GREEN = (188, 40, 36), (40, 66, 170), (44, 130, 60)


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    return SegmentationNetwork()


@pytest.fixture(params=["network", "colour"])
def find(request: pytest.FixtureRequest, network: SegmentationNetwork) -> Find:
    """``detect`` with the packaged network, as users have it, and without, as when its file is missing."""
    return partial(detect, network=network if request.param == "network" else None)


def union(found: list[Detection], like: Photo) -> np.ndarray:
    mask = np.zeros((like.height, like.width), bool)
    for one in found:
        assert one.mask is not None
        mask |= one.mask
    return mask


def test_a_disc_on_a_plain_background_is_found_to_the_pixel(find: Find):
    scene = plain_background(480, 640)
    truth = disc((480, 640), 300, 220, 110)
    paint(scene, truth, RED)
    (found,) = find(photo(scene))
    assert found.mask is not None
    assert found.mask.shape == (480, 640)
    assert iou(found.mask, truth > 0.5) > 0.98
    assert np.abs(np.array(found.box) - (190, 110, 410, 330)).max() <= 2
    assert found.label == ""
    assert found.source == STAGE.name


def test_uneven_light_is_not_an_object(find: Find):
    scene = uneven_background(480, 640)
    truth = disc((480, 640), 320, 240, 90)
    paint(scene, truth, BLUE)
    (found,) = find(photo(scene))
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.97
    assert find(photo(uneven_background(480, 640))) == []


def test_a_soft_shadow_is_background(find: Find):
    scene = plain_background(480, 640, (214, 210, 204))
    shade(scene, disc((480, 640), 350, 290, 110), 18, 0.4)
    truth = disc((480, 640), 300, 220, 110)
    paint(scene, truth, (150, 90, 40))
    found = find(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.95


def test_a_deep_contact_shadow_is_background(find: Find):
    scene = plain_background(480, 640, (214, 210, 204))
    shade(scene, disc((480, 640), 345, 245, 100), 7, 0.5)
    truth = disc((480, 640), 300, 220, 110)
    paint(scene, truth, (30, 60, 90))
    found = find(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.95


def test_a_grey_object_is_not_taken_for_a_shadow(find: Find):
    scene = plain_background(480, 640, (214, 214, 214))
    truth = disc((480, 640), 320, 240, 100)
    paint(scene, truth, (140, 140, 140))
    found = find(photo(scene))
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.97


def test_the_hole_of_a_ring_is_background(find: Find):
    scene = plain_background(480, 640)
    truth = disc((480, 640), 320, 240, 150) - disc((480, 640), 320, 240, 90)
    paint(scene, truth, GREEN)
    (found,) = find(photo(scene))
    assert found.mask is not None
    assert not found.mask[240, 320]
    assert iou(found.mask, truth > 0.5) > 0.95


def test_a_highlight_is_not_a_hole(find: Find):
    scene = plain_background(480, 640, (235, 235, 235))
    truth = disc((480, 640), 320, 240, 150)
    paint(scene, truth, RED)
    glint = cv2.GaussianBlur(disc((480, 640), 280, 190, 14), (0, 0), 7)
    scene[:] = scene * (1 - glint[..., None]) + 255 * glint[..., None]
    (found,) = find(photo(scene))
    assert found.mask is not None
    assert found.mask[150:330, 230:410].all()


def test_a_thin_handle_is_kept(find: Find):
    scene = plain_background(600, 800)
    truth = disc((600, 800), 220, 300, 90)
    truth[296:305, 300:720] = 1
    paint(scene, truth, (70, 60, 58))
    (found,) = find(photo(scene))
    assert found.box.x1 > 712
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.94


def test_a_cup_keeps_its_handle_and_the_handle_its_hole(find: Find):
    scene = plain_background(480, 640)
    handle = disc((480, 640), 400, 240, 70) - disc((480, 640), 400, 240, 46)
    truth = handle.copy()
    truth[130:350, 200:380] = 1
    paint(scene, truth, (36, 84, 120))
    (found,) = find(photo(scene))
    assert found.mask is not None
    assert not found.mask[235:245, 395:430].any()
    assert found.mask[240, 458]
    assert iou(found.mask, truth > 0.5) > 0.96


@pytest.mark.parametrize("noise", [6.0, 12.0])
def test_camera_noise_neither_hides_nor_adds_objects(find: Find, noise: float):
    scene = plain_background(480, 640, noise=noise)
    truth = disc((480, 640), 320, 240, 100)
    paint(scene, truth, RED)
    found = find(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.95


def test_wall_and_table_are_both_background(find: Find):
    scene = plain_background(480, 640, (205, 198, 184))
    scene[300:] = plain_background(180, 640, (110, 78, 54), seed=3)
    scene[:] = cv2.GaussianBlur(scene, (0, 0), 1.2)
    truth = disc((480, 640), 320, 290, 90)
    paint(scene, truth, BLUE)
    found = find(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.96


def test_an_object_on_a_mottled_background_is_found(find: Find):
    rng = np.random.default_rng(5)
    blobs = cv2.resize(rng.uniform(-1, 1, (16, 20, 3)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC)
    scene = np.array([78, 104, 58]) + 26 * blobs + rng.normal(0, 2, (480, 640, 3))
    truth = disc((480, 640), 330, 230, 105)
    paint(scene, truth, (214, 120, 40))
    found = find(photo(scene))
    assert len(found) == 1
    assert iou(union(found, photo(scene)), truth > 0.5) > 0.93


def test_an_object_that_the_frame_cuts_off_is_found(find: Find):
    scene = plain_background(480, 640)
    truth = disc((480, 640), 320, 470, 150)
    paint(scene, truth, RED)
    (found,) = find(photo(scene))
    assert found.box.y1 == 480
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.96


def test_an_object_that_touches_all_four_sides_is_found(find: Find):
    scene = plain_background(480, 480)
    truth = disc((480, 480), 240, 240, 246)
    paint(scene, truth, GREEN)
    (found,) = find(photo(scene))
    assert iou(union([found], photo(scene)), truth > 0.5) > 0.95


def test_several_objects_come_left_to_right_and_then_down(find: Find):
    scene = plain_background(480, 640)
    places = [(500, 120), (120, 340), (120, 110), (320, 240)]
    for index, (x, y) in enumerate(places):
        paint(scene, disc((480, 640), x, y, 60), [RED, BLUE, GREEN, (30, 30, 30)][index])
    found = find(photo(scene))
    assert [(one.box.x0 + 60, one.box.y0 + 60) for one in found] == [
        pytest.approx(place, abs=3) for place in sorted(places)
    ]
    masks = np.sum([one.mask for one in found], axis=0)
    assert masks.max() == 1


def test_two_objects_close_together_stay_two(find: Find):
    scene = plain_background(480, 640)
    left, right = disc((480, 640), 230, 240, 80), disc((480, 640), 406, 240, 80)
    paint(scene, left, RED)
    paint(scene, right, RED)
    found = find(photo(scene))
    assert len(found) == 2
    assert all(iou(one.mask, truth > 0.5) > 0.96 for one, truth in zip(found, (left, right), strict=True))


def test_two_discs_that_touch_are_split(find: Find):
    scene = plain_background(480, 640)
    paint(scene, np.maximum(disc((480, 640), 230, 240, 86), disc((480, 640), 398, 240, 86)), RED)
    assert len(find(photo(scene))) == 2


def test_one_curved_object_is_not_split(find: Find):
    scene = plain_background(480, 640)
    bow = disc((480, 640), 320, 200, 170) - disc((480, 640), 320, 160, 150)
    paint(scene, np.clip(bow, 0, 1), RED)
    assert len(find(photo(scene))) == 1


def test_a_fragment_beside_an_object_is_merged_into_it(find: Find):
    scene = plain_background(480, 640)
    truth = np.zeros((480, 640), np.float32)
    truth[225:255, 100:480] = 1
    truth[225:255, 484:520] = 1
    paint(scene, truth, (60, 50, 48))
    (found,) = find(photo(scene))
    assert found.box.x1 >= 518


def test_specks_are_dropped(find: Find):
    scene = plain_background(480, 640)
    paint(scene, disc((480, 640), 320, 240, 100), RED)
    for x in range(40, 620, 60):
        paint(scene, disc((480, 640), x, 40, 3), (30, 30, 30))
    assert len(find(photo(scene))) == 1


def test_only_the_largest_objects_are_kept(find: Find):
    scene = plain_background(480, 640)
    for index in range(8):
        paint(scene, disc((480, 640), 60 + 74 * index, 240, 14 + 2 * index), RED)
    found = find(photo(scene), limit=3)
    assert [one.box.width > 44 for one in found] == [True] * 3


def test_greyscale_photos_work(find: Find):
    scene = plain_background(480, 640, (190, 190, 190))
    truth = disc((480, 640), 320, 240, 110)
    paint(scene, truth, (60, 60, 60))
    grey = np.repeat(scene.mean(axis=2, keepdims=True), 3, axis=2)
    (found,) = find(photo(grey))
    assert iou(union([found], photo(grey)), truth > 0.5) > 0.97


def test_the_components_of_given_alpha_are_the_objects():
    rgb = plain_background(300, 400)
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
def test_a_photo_without_objects_gives_an_empty_list(find: Find, scene: np.ndarray):
    assert find(photo(scene)) == []


def test_full_transparency_gives_an_empty_list():
    assert detect(photo(plain_background(90, 120), np.zeros((90, 120), np.uint8))) == []


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    levels=st.integers(1, 8),
    seed=st.integers(0, 999),
    clear=st.booleans(),
)
def test_masks_match_their_boxes_and_are_deterministic(height: int, width: int, levels: int, seed: int, clear: bool):
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


def test_cancelling_stops_the_stage():
    def stop(share: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled), STAGE.open(Settings()) as run:
        run(photo(plain_background(60, 80)), (), tick=stop)


def test_a_photo_that_the_network_is_certain_of_is_not_segmented_by_colour(
    network: SegmentationNetwork, monkeypatch: pytest.MonkeyPatch
):
    def fail(rgb: np.ndarray) -> np.ndarray:
        raise AssertionError("segmented by colour")

    monkeypatch.setattr("manymesh.detect.lite.foreground_by_color", fail)
    scene = plain_background(480, 640)
    paint(scene, disc((480, 640), 320, 240, 90), BLUE)
    assert len(detect(photo(scene), network=network)) == 1


def test_the_five_objects_of_the_example_desk(find: Find):
    rgb = cv2.cvtColor(cv2.imread(str(EXAMPLES / "desk.jpg")), cv2.COLOR_BGR2RGB)
    found = find(Photo(rgb, None, "desk", ""))
    truth = [(58, 91, 339, 254), (190, 289, 230, 327), (193, 18, 264, 96), (315, 313, 360, 459), (338, 125, 454, 248)]
    assert len(found) == 5
    for one, (x0, y0, x1, y1) in zip(found, truth, strict=True):
        assert np.abs(np.array(one.box) - (x0, y0, x1, y1)).max() < 14


def test_the_one_flower_of_the_example_without_the_cut_off_leaf(find: Find):
    with Image.open(EXAMPLES / "flower.jpg") as image:
        rgb = np.asarray(image.convert("RGB"))
    (found,) = find(Photo(rgb, None, "flower", ""))
    assert found.box.width > 0.35 * rgb.shape[1]


def test_superpixels_of_noise_are_connected() -> None:
    # Over 46,341 parts before the small ones are joined: their pairs need more than 32 bits.
    picture = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    picture[:, :60] = (200, 30, 30)
    labels = superpixels(to_lab(picture), 300)
    assert all(label_components(labels == number)[0] == 1 for number in range(int(labels.max()) + 1))
