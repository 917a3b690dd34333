"""The segmentation network: its file, its answers on synthetic photos, and instances from its answers."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from lite_scenes import crop, disc, iou, paint, photo, plain_background, shade

from manymesh.detect.lite import detect, network_objects
from manymesh.matte.lite import matte
from manymesh.segment import network as network_module
from manymesh.segment.instances import group_by_center
from manymesh.segment.mask import MAX_COMPONENTS, lab_and_background, refine_mask, restore_holes, uncertainty
from manymesh.segment.network import STRIDE_PX, Segmentation, SegmentationNetwork, open_network, resize_to_input
from manymesh.types import Box

SHAPE = (480, 640)


@pytest.fixture(scope="module")
def network() -> SegmentationNetwork:
    return SegmentationNetwork()


def ball(scene: np.ndarray, x: float, y: float, radius: float, colour: tuple[float, float, float]) -> np.ndarray:
    """Paint a shaded ball with its shadow onto a scene (changed in place); returns its mask."""
    shade(scene, disc(SHAPE, x + 0.3 * radius, y + 0.8 * radius, 0.7 * radius), 0.2 * radius, 0.35)
    v, u = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    facing = np.clip(1 - np.hypot(u - x + 0.3 * radius, v - y + 0.4 * radius) / (1.6 * radius), 0, 1)
    coverage = disc(SHAPE, x, y, radius)[..., None]
    scene[:] = scene * (1 - coverage) + np.array(colour) * (0.35 + 0.7 * facing[..., None]) * coverage
    return coverage[..., 0] > 0.5


def answer_for(owner: np.ndarray, centers: dict[int, tuple[float, float]], doubt: float = 0.01) -> Segmentation:
    """A network's answer that sees the objects numbered in ``owner`` (-1: background), each with its centre."""
    probability = np.where(owner >= 0, 1 - doubt, doubt).astype(np.float32)
    small = owner[2::4, 2::4]
    y, x = np.mgrid[0 : small.shape[0], 0 : small.shape[1]] * 4 + 2.0
    offsets, heatmap = np.zeros((2, *small.shape), np.float32), np.zeros(small.shape, np.float32)
    for number, (cx, cy) in centers.items():
        here = small == number
        offsets[0][here], offsets[1][here] = (cx - x)[here], (cy - y)[here]
        heatmap = np.maximum(heatmap, np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 200)).astype(np.float32)
    return Segmentation(probability, heatmap, offsets)


def test_a_pale_ball_on_a_pale_background_is_found_where_colour_fails(network: SegmentationNetwork) -> None:
    scene = plain_background(*SHAPE, (226, 224, 220))
    truth = ball(scene, 320, 230, 110, (236, 233, 228))
    (found,) = detect(photo(scene), network=network)
    assert found.mask is not None
    assert iou(found.mask, truth) > 0.96
    by_colour = [one.mask for one in detect(photo(scene))]
    assert max((iou(mask, truth) for mask in by_colour if mask is not None), default=0) < 0.9


def test_three_balls_are_three_objects_left_to_right_without_their_shadows(network: SegmentationNetwork) -> None:
    scene = plain_background(*SHAPE, (190, 180, 165), noise=3)
    truths = [
        ball(scene, x, 240, 70, color)
        for x, color in ((130, (200, 60, 40)), (320, (60, 90, 190)), (520, (70, 150, 70)))
    ]
    found = detect(photo(scene), network=network)
    assert len(found) == 3
    for one, truth in zip(found, truths, strict=True):
        assert one.mask is not None
        assert iou(one.mask, truth) > 0.94


def test_the_same_picture_gives_the_same_masks(network: SegmentationNetwork) -> None:
    scene = plain_background(*SHAPE)
    ball(scene, 300, 220, 90, (120, 80, 200))
    first, second = (detect(photo(scene), network=network) for _ in range(2))
    assert len(first) == 1
    assert [one.box for one in first] == [one.box for one in second]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("shape", [(1, 1), (9, 9), (8, 700), (900, 31), (33, 47)])
def test_images_of_any_size_are_segmented(network: SegmentationNetwork, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (*shape, 3), np.uint8)
    answer = network(image)
    assert answer.probability.shape == resize_to_input(image).shape[:2]
    assert all(side % STRIDE_PX == 0 for side in answer.probability.shape)
    assert answer.center_heatmap.shape == tuple(side // 4 for side in answer.probability.shape)
    for mask in network_objects(network, image, 5):
        assert mask.shape[0] <= max(shape[0], answer.probability.shape[0])
    for one in detect(photo(image.astype(np.float32)), network=network):
        assert one.mask is not None
        assert one.mask.shape == shape


def test_the_hole_of_a_ring_is_background(network: SegmentationNetwork) -> None:
    scene = plain_background(*SHAPE)
    truth = disc(SHAPE, 320, 240, 150) - disc(SHAPE, 320, 240, 90)
    paint(scene, truth, (44, 130, 60))
    (found,) = detect(photo(scene), network=network)
    assert found.mask is not None
    assert iou(found.mask, truth > 0.5) > 0.95


def chest(lid: int, background: int, lid_probability: float) -> tuple[np.ndarray, np.ndarray, Segmentation]:
    """An image of a brown chest with a pale lid on a pale background, its mask, and a network's answer of that mask."""
    image = np.full((160, 160, 3), background, np.uint8)
    image[50:120, 30:130] = (110, 80, 60)
    image[54:80, 34:126] = lid
    if background < 255:
        image = (image + np.random.default_rng(0).integers(-1, 2, image.shape)).astype(np.uint8)
    probability = np.full((160, 160), 0.01, np.float32)
    probability[50:120, 30:130] = 0.99
    probability[54:80, 34:126] = lid_probability
    return (
        image,
        probability > 0.5,
        Segmentation(probability, np.zeros((40, 40), np.float32), np.zeros((2, 40, 40), np.float32)),
    )


def with_restored_holes(image: np.ndarray, mask: np.ndarray, answer: Segmentation) -> np.ndarray:
    fitted = lab_and_background(image)
    assert fitted is not None
    return restore_holes(mask, answer.probability, *fitted)


def test_the_pale_lid_of_a_chest_is_not_a_hole() -> None:
    image, mask, answer = chest(240, 240, 0.99)
    assert np.array_equal(with_restored_holes(image, refine_mask(answer, image)[0], answer), mask)


def test_a_doubted_region_of_exactly_the_backgrounds_colour_is_a_hole() -> None:
    image, mask, answer = chest(200, 200, 0.8)
    removed = mask & ~with_restored_holes(image, mask, answer)
    assert removed[56:78, 36:124].all()
    assert removed.sum() < 1.1 * 26 * 92


@pytest.mark.parametrize(("lid", "background"), [(205, 200), (255, 255)], ids=["a little paler", "blown out"])
def test_a_doubted_region_that_may_differ_from_the_background_stays(lid: int, background: int) -> None:
    image, mask, answer = chest(lid, background, 0.8)
    assert np.array_equal(with_restored_holes(image, mask, answer), mask)


def test_an_empty_background_has_no_objects(network: SegmentationNetwork) -> None:
    assert detect(photo(plain_background(*SHAPE)), network=network) == []


def test_the_object_in_a_box_is_cut_out_and_its_neighbour_is_not(network: SegmentationNetwork) -> None:
    scene = plain_background(*SHAPE, (150, 140, 130))
    left = ball(scene, 200, 240, 80, (210, 190, 60))
    ball(scene, 430, 240, 80, (60, 120, 160))
    rgb = photo(scene).rgb
    window = crop(rgb, Box(110, 150, 290, 330), margin=60)
    cutout = matte(window, network=network)
    box = cutout.window
    assert iou(cutout.rgba[..., 3] > 127, left[box.y0 : box.y1, box.x0 : box.x1]) > 0.94


@pytest.mark.parametrize("state", ["missing", "damaged"])
def test_without_its_file_colours_decide_and_the_log_says_so(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / network_module.WEIGHTS.name
    shutil.copy(network_module.WEIGHTS.with_suffix(".json"), copy.with_suffix(".json"))
    if state == "damaged":
        copy.write_bytes(network_module.WEIGHTS.read_bytes()[:-1])
    monkeypatch.setattr(network_module, "WEIGHTS", copy)
    with caplog.at_level(logging.WARNING):
        assert open_network() is None
    assert state in caplog.text
    scene = plain_background(*SHAPE)
    paint(scene, disc(SHAPE, 300, 220, 90), (190, 40, 40))
    assert len(detect(photo(scene), network=None)) == 1


def test_an_uncertain_answer_is_not_used(network: SegmentationNetwork) -> None:
    owner = np.full((64, 96), -1)
    owner[20:40, 20:40] = 0
    certain, uncertain = answer_for(owner, {0: (30, 30)}), answer_for(owner, {0: (30, 30)}, doubt=0.4)
    assert uncertainty(certain) < 0.2 < uncertainty(uncertain)
    scene = plain_background(*SHAPE)
    paint(scene, disc(SHAPE, 300, 220, 90), (190, 40, 40))
    (found,) = detect(photo(scene), network=lambda rgb: uncertain)  # type: ignore[arg-type]
    assert found.mask is not None
    assert iou(found.mask, disc(SHAPE, 300, 220, 90) > 0.5) > 0.97


def test_when_the_network_fails_colours_decide_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def broken(rgb: np.ndarray) -> Segmentation:
        raise RuntimeError("the segmentation network failed: no memory")

    scene = plain_background(*SHAPE)
    paint(scene, disc(SHAPE, 300, 220, 90), (190, 40, 40))
    with caplog.at_level(logging.WARNING):
        assert len(detect(photo(scene), network=broken)) == 1  # type: ignore[arg-type]
        window = crop(photo(scene).rgb, Box(205, 125, 395, 315), margin=60)
        assert (matte(window, network=broken).rgba[..., 3] > 127).sum() > 20_000  # type: ignore[arg-type]
    assert caplog.text.count("no memory") == 2


def test_touching_objects_are_split_where_their_centres_differ() -> None:
    owner = np.full((96, 192), -1)
    owner[30:70, 20:90] = 0
    owner[30:70, 90:160] = 1
    parts = group_by_center(owner >= 0, answer_for(owner, {0: (55, 50), 1: (125, 50)}))
    assert len(parts) == 2
    assert min(int(part.sum()) for part in parts) > 2600


def test_stacked_parts_with_different_centres_are_one_object() -> None:
    owner = np.full((192, 96), -1)
    owner[20:80, 20:70] = 0
    owner[80:150, 25:65] = 1
    (part,) = group_by_center(owner >= 0, answer_for(owner, {0: (45, 50), 1: (45, 115)}))
    assert np.array_equal(part, owner >= 0)


def test_a_component_is_not_split_for_a_weak_heatmap_peak() -> None:
    owner = np.full((96, 224), -1)
    owner[40:56, 10:110] = 0
    owner[20:80, 110:200] = 1
    certain = answer_for(owner, {0: (60, 48), 1: (155, 50)})
    heatmap = certain.center_heatmap.copy()
    heatmap[:, :25] *= 0.4
    assert len(group_by_center(owner >= 0, certain)) == 2
    weak = Segmentation(certain.probability, heatmap, certain.center_offsets)
    assert len(group_by_center(owner >= 0, weak)) == 1


def test_two_blocks_of_a_desk_are_one_object_and_two_sweets_that_touch_are_two() -> None:
    desk, sweets = np.full((192, 256), -1), np.full((192, 256), -1)
    desk[60:160, 20:100] = 0
    desk[50:160, 120:200] = 0
    desk[60:75, 100:120] = 0
    sweets[(disc((192, 256), 70, 96, 44) + disc((192, 256), 155, 96, 44)) > 0.5] = 0
    assert len(group_by_center(desk >= 0, answer_for(desk, {0: (110, 105)}))) == 1
    assert len(group_by_center(sweets >= 0, answer_for(sweets, {0: (112, 96)}))) == 2


def test_components_with_one_centre_are_one_object_and_others_are_not() -> None:
    owner = np.full((96, 192), -1)
    owner[20:30, 20:60] = 0
    owner[50:80, 20:60] = 0
    owner[40:70, 120:150] = 1
    parts = group_by_center(owner >= 0, answer_for(owner, {0: (40, 50), 1: (135, 55)}))
    assert len(parts) == 2
    assert any(np.array_equal(part, owner == 0) for part in parts)


def test_of_a_thousand_small_components_only_the_largest_are_used() -> None:
    owner = np.where(np.random.default_rng(0).random((512, 512)) < 0.3, 0, -1)
    answer = answer_for(owner, {})
    assert 1 <= len(group_by_center(owner >= 0, answer)) <= MAX_COMPONENTS


def test_uncertain_pixels_are_decided_by_colour() -> None:
    image = np.full((96, 128, 3), 230, np.uint8)
    image[30:70, 30:90] = (180, 60, 40)
    image = cv2.add(image, np.random.default_rng(0).integers(0, 6, image.shape, np.uint8))
    truth = np.zeros((96, 128), bool)
    truth[30:70, 30:90] = True
    probability = np.full(truth.shape, 0.01, np.float32)
    probability[30:70, 30:75] = 0.99
    probability[25:70, 75:95] = 0.4  # uncertain about the right end and some background around it
    answer = Segmentation(probability, np.zeros((24, 32), np.float32), np.zeros((2, 24, 32), np.float32))
    assert iou(refine_mask(answer, image)[0], truth) > 0.97
