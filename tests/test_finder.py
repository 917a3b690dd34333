"""The finder: its file, its answers on made photos, and from its answers to separate things."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from lite_scenes import crop, disc, ground, iou, paint, photo, shade

from manymesh.detect.lite import detect, found_by
from manymesh.matte.lite import matte
from manymesh.segment import network as finders
from manymesh.segment.instances import MOST_PARTS, by_middle, ground_behind, settled, unsure, with_openings
from manymesh.segment.network import CELL, Finder, Seen, open_finder, sized
from manymesh.types import Box

SHAPE = (480, 640)


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


def ball(scene: np.ndarray, x: float, y: float, radius: float, colour: tuple[float, float, float]) -> np.ndarray:
    """Lay a shaded ball with its shadow onto a scene (changed in place); its coverage."""
    shade(scene, disc(SHAPE, x + 0.3 * radius, y + 0.8 * radius, 0.7 * radius), 0.2 * radius, 0.35)
    v, u = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    facing = np.clip(1 - np.hypot(u - x + 0.3 * radius, v - y + 0.4 * radius) / (1.6 * radius), 0, 1)
    coverage = disc(SHAPE, x, y, radius)[..., None]
    scene[:] = scene * (1 - coverage) + np.array(colour) * (0.35 + 0.7 * facing[..., None]) * coverage
    return coverage[..., 0] > 0.5


def seen(owner: np.ndarray, middles: dict[int, tuple[float, float]], doubt: float = 0.01) -> Seen:
    """What a finder says that sees the things numbered in ``owner`` (-1 ground) and sends each to its middle."""
    share = np.where(owner >= 0, 1 - doubt, doubt).astype(np.float32)
    small = owner[2::4, 2::4]
    y, x = np.mgrid[0 : small.shape[0], 0 : small.shape[1]] * 4 + 2.0
    ways, spots = np.zeros((2, *small.shape), np.float32), np.zeros(small.shape, np.float32)
    for number, (cx, cy) in middles.items():
        here = small == number
        ways[0][here], ways[1][here] = (cx - x)[here], (cy - y)[here]
        spots = np.maximum(spots, np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 200)).astype(np.float32)
    return Seen(share, spots, ways)


def test_a_pale_ball_on_pale_ground_is_found_where_colours_find_half_of_it(finder: Finder) -> None:
    scene = ground(*SHAPE, (226, 224, 220))
    truth = ball(scene, 320, 230, 110, (236, 233, 228))
    (found,) = detect(photo(scene), finder=finder)
    assert found.mask is not None
    assert iou(found.mask, truth) > 0.96
    by_colour = [one.mask for one in detect(photo(scene))]
    assert max((iou(mask, truth) for mask in by_colour if mask is not None), default=0) < 0.9


def test_three_balls_are_three_things_left_to_right_without_their_shadows(finder: Finder) -> None:
    scene = ground(*SHAPE, (190, 180, 165), noise=3)
    truths = [
        ball(scene, x, 240, 70, color)
        for x, color in ((130, (200, 60, 40)), (320, (60, 90, 190)), (520, (70, 150, 70)))
    ]
    found = detect(photo(scene), finder=finder)
    assert len(found) == 3
    for one, truth in zip(found, truths, strict=True):
        assert one.mask is not None
        assert iou(one.mask, truth) > 0.94


def test_the_same_picture_gives_the_same_masks(finder: Finder) -> None:
    scene = ground(*SHAPE)
    ball(scene, 300, 220, 90, (120, 80, 200))
    first, second = (detect(photo(scene), finder=finder) for _ in range(2))
    assert [one.box for one in first] == [one.box for one in second]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("shape", [(1, 1), (9, 9), (8, 700), (900, 31), (33, 47)])
def test_any_size_of_picture_is_seen(finder: Finder, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (*shape, 3), np.uint8)
    answer = finder(picture)
    assert answer.share.shape == sized(picture).shape[:2]
    assert all(side % CELL == 0 for side in answer.share.shape)
    assert answer.spots.shape == tuple(side // 4 for side in answer.share.shape)
    for mask in found_by(finder, picture, 5):
        assert mask.shape[0] <= max(shape[0], answer.share.shape[0])
    assert isinstance(detect(photo(picture.astype(np.float32)), finder=finder), list)


def test_the_opening_of_a_ring_is_ground(finder: Finder) -> None:
    scene = ground(*SHAPE)
    truth = disc(SHAPE, 320, 240, 150) - disc(SHAPE, 320, 240, 90)
    paint(scene, truth, (44, 130, 60))
    (found,) = detect(photo(scene), finder=finder)
    assert found.mask is not None
    assert iou(found.mask, truth > 0.5) > 0.95


def chest(lid: int, ground: int, lid_share: float) -> tuple[np.ndarray, np.ndarray, Seen]:
    """A photo of a brown chest with a pale top on a pale ground, its mask, and a finder's answer that fills it."""
    picture = np.full((160, 160, 3), ground, np.uint8)
    picture[50:120, 30:130] = (110, 80, 60)
    picture[54:80, 34:126] = lid
    if ground < 255:
        picture = (picture + np.random.default_rng(0).integers(-1, 2, picture.shape)).astype(np.uint8)
    share = np.full((160, 160), 0.01, np.float32)
    share[50:120, 30:130] = 0.99
    share[54:80, 34:126] = lid_share
    return picture, share > 0.5, Seen(share, np.zeros((40, 40), np.float32), np.zeros((2, 40, 40), np.float32))


def opened(picture: np.ndarray, mask: np.ndarray, answer: Seen) -> np.ndarray:
    behind = ground_behind(picture)
    assert behind is not None
    return with_openings(mask, answer.share, *behind)


def test_the_pale_lid_of_a_chest_is_no_opening() -> None:
    picture, mask, answer = chest(240, 240, 0.99)
    assert np.array_equal(opened(picture, settled(answer, picture), answer), mask)


def test_what_shows_the_very_ground_and_is_doubted_is_an_opening_wherever_it_lies() -> None:
    picture, mask, answer = chest(200, 200, 0.8)
    gone = mask & ~opened(picture, mask, answer)
    assert gone[56:78, 36:124].all()
    assert gone.sum() < 1.1 * 26 * 92


@pytest.mark.parametrize(("lid", "ground"), [(205, 200), (255, 255)], ids=["a little paler", "blown out"])
def test_a_doubted_top_that_is_not_surely_the_ground_stays(lid: int, ground: int) -> None:
    picture, mask, answer = chest(lid, ground, 0.8)
    assert np.array_equal(opened(picture, mask, answer), mask)


def test_an_even_ground_holds_nothing(finder: Finder) -> None:
    assert detect(photo(ground(*SHAPE)), finder=finder) == []


def test_a_thing_in_a_box_is_cut_out_and_the_one_beside_it_is_not(finder: Finder) -> None:
    scene = ground(*SHAPE, (150, 140, 130))
    left = ball(scene, 200, 240, 80, (210, 190, 60))
    ball(scene, 430, 240, 80, (60, 120, 160))
    rgb = photo(scene).rgb
    window = crop(rgb, Box(110, 150, 290, 330), margin=60)
    cutout = matte(window, finder=finder)
    box = cutout.window
    assert iou(cutout.rgba[..., 3] > 127, left[box.y0 : box.y1, box.x0 : box.x1]) > 0.94


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_without_its_file_colours_decide_and_the_log_says_so(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / finders.WEIGHTS.name
    shutil.copy(finders.WEIGHTS.with_suffix(".json"), copy.with_suffix(".json"))
    if how == "damaged":
        copy.write_bytes(finders.WEIGHTS.read_bytes()[:-1])
    monkeypatch.setattr(finders, "WEIGHTS", copy)
    with caplog.at_level(logging.WARNING):
        assert open_finder() is None
    assert how in caplog.text
    scene = ground(*SHAPE)
    paint(scene, disc(SHAPE, 300, 220, 90), (190, 40, 40))
    assert len(detect(photo(scene), finder=None)) == 1


def test_a_finder_that_doubts_is_not_believed(finder: Finder) -> None:
    owner = np.full((64, 96), -1)
    owner[20:40, 20:40] = 0
    certain, torn = seen(owner, {0: (30, 30)}), seen(owner, {0: (30, 30)}, doubt=0.4)
    assert unsure(certain) < 0.2 < unsure(torn)
    scene = ground(*SHAPE)
    paint(scene, disc(SHAPE, 300, 220, 90), (190, 40, 40))
    (found,) = detect(photo(scene), finder=lambda rgb: torn)  # type: ignore[arg-type]
    assert found.mask is not None
    assert iou(found.mask, disc(SHAPE, 300, 220, 90) > 0.5) > 0.97


def test_a_finder_that_fails_leaves_it_to_colours_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def broken(rgb: np.ndarray) -> Seen:
        raise RuntimeError("the finder failed: no memory")

    scene = ground(*SHAPE)
    paint(scene, disc(SHAPE, 300, 220, 90), (190, 40, 40))
    with caplog.at_level(logging.WARNING):
        assert len(detect(photo(scene), finder=broken)) == 1  # type: ignore[arg-type]
        window = crop(photo(scene).rgb, Box(205, 125, 395, 315), margin=60)
        assert (matte(window, finder=broken).rgba[..., 3] > 127).sum() > 20_000  # type: ignore[arg-type]
    assert caplog.text.count("no memory") == 2


def test_things_that_touch_are_parted_where_their_ways_lead_apart() -> None:
    owner = np.full((96, 192), -1)
    owner[30:70, 20:90] = 0
    owner[30:70, 90:160] = 1
    parts = by_middle(owner >= 0, seen(owner, {0: (55, 50), 1: (125, 50)}))
    assert len(parts) == 2
    assert min(int(part.sum()) for part in parts) > 2600


def test_a_shade_over_a_foot_is_one_lamp_though_their_ways_lead_apart() -> None:
    owner = np.full((192, 96), -1)
    owner[20:80, 20:70] = 0
    owner[80:150, 25:65] = 1
    (part,) = by_middle(owner >= 0, seen(owner, {0: (45, 50), 1: (45, 115)}))
    assert np.array_equal(part, owner >= 0)


def test_a_part_is_not_cut_for_a_middle_that_is_hardly_marked() -> None:
    owner = np.full((96, 224), -1)
    owner[40:56, 10:110] = 0
    owner[20:80, 110:200] = 1
    certain = seen(owner, {0: (60, 48), 1: (155, 50)})
    spots = certain.spots.copy()
    spots[:, :25] *= 0.4
    assert len(by_middle(owner >= 0, certain)) == 2
    assert len(by_middle(owner >= 0, Seen(certain.share, spots, certain.ways))) == 1


def test_two_blocks_of_a_desk_are_one_thing_and_two_sweets_that_touch_are_two() -> None:
    desk, sweets = np.full((192, 256), -1), np.full((192, 256), -1)
    desk[60:160, 20:100] = 0
    desk[50:160, 120:200] = 0
    desk[60:75, 100:120] = 0
    sweets[(disc((192, 256), 70, 96, 44) + disc((192, 256), 155, 96, 44)) > 0.5] = 0
    assert len(by_middle(desk >= 0, seen(desk, {0: (110, 105)}))) == 1
    assert len(by_middle(sweets >= 0, seen(sweets, {0: (112, 96)}))) == 2


def test_parts_with_one_middle_are_one_thing_and_others_are_not() -> None:
    owner = np.full((96, 192), -1)
    owner[20:30, 20:60] = 0
    owner[50:80, 20:60] = 0
    owner[40:70, 120:150] = 1
    parts = by_middle(owner >= 0, seen(owner, {0: (40, 50), 1: (135, 55)}))
    assert len(parts) == 2
    assert any(np.array_equal(part, owner == 0) for part in parts)


def test_of_a_thousand_crumbs_only_the_largest_are_looked_at() -> None:
    owner = np.where(np.random.default_rng(0).random((512, 512)) < 0.3, 0, -1)
    answer = seen(owner, {})
    assert 1 <= len(by_middle(owner >= 0, answer)) <= MOST_PARTS


def test_doubtful_pixels_go_with_the_colours_beside_them() -> None:
    picture = np.full((96, 128, 3), 230, np.uint8)
    picture[30:70, 30:90] = (180, 60, 40)
    picture = cv2.add(picture, np.random.default_rng(0).integers(0, 6, picture.shape, np.uint8))
    truth = np.zeros((96, 128), bool)
    truth[30:70, 30:90] = True
    share = np.full(truth.shape, 0.01, np.float32)
    share[30:70, 30:75] = 0.99
    share[25:70, 75:95] = 0.4  # unsure of the right end and of some ground about it
    answer = Seen(share, np.zeros((24, 32), np.float32), np.zeros((2, 24, 32), np.float32))
    assert iou(settled(answer, picture), truth) > 0.97


def test_a_cutout_laid_on_a_ground_comes_back_from_it(finder: Finder) -> None:
    from manymesh.types import Cutout
    from training.recut import recut

    rgba = np.zeros((256, 256, 4), np.float32)
    scene = np.zeros((*SHAPE, 3), np.float32)
    truth = ball(scene, 128, 128, 80, (200, 150, 60))[:256, :256]
    rgba[..., :3], rgba[..., 3] = scene[:256, :256], truth * 255
    back, count = recut(Cutout(rgba.clip(0, 255).astype(np.uint8), Box(0, 0, 256, 256)), "blue", "ball", finder)
    assert count == 1
    assert back.rgba.shape == (256, 256, 4)
    assert iou(back.rgba[..., 3] > 127, truth) > 0.95
