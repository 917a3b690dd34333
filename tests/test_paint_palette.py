"""The unseen side: the photo's materials, continued over the surface."""

from __future__ import annotations

import numpy as np
from render_shapes import cube_atlas

from manymesh.paint.palette import continue_materials, extract_palette
from manymesh.paint.symmetry import photo_agrees
from manymesh.render.bake import Projection
from manymesh.render.fill import weld_atlas
from manymesh.types import F32

RED, BLUE, GREY = (0.8, 0.2, 0.1), (0.1, 0.2, 0.7), (0.45, 0.2, 0.4)
MATERIALS = np.array([RED, BLUE], np.float32)


def ball(guess_of: object = None) -> tuple[F32, F32]:
    """A ball whose front is red below and blue above, with a guess for its back: its points and their colours."""
    atlas = cube_atlas(12, ball=True)
    weld, count = weld_atlas(atlas)
    place = np.zeros((count, 3))
    place[weld] = atlas.vertices
    place /= np.linalg.norm(place, axis=1).max()
    strength = np.where(place[:, 2] > 0.1, 1.0, 0.0)
    color = np.where(place[:, 1:2] < 0.3, RED, BLUE)
    guess = color.copy() if guess_of is None else np.asarray(guess_of(place, color))  # type: ignore[operator]
    made = continue_materials(atlas, strength, color, guess, np.clip(-place[:, 2], 0, 1), MATERIALS)
    return atlas.vertices / np.linalg.norm(atlas.vertices, axis=1).max(), made


def far(made: F32, wanted: object) -> F32:
    return np.asarray(np.abs(made - np.asarray(wanted, np.float32)).max(axis=1))


def test_materials_continue_behind_and_stop_at_each_other() -> None:
    place, made = ball()
    behind = place[:, 2] < -0.3
    assert far(made, RED)[behind & (place[:, 1] < 0.05)].max() < 0.06
    assert far(made, BLUE)[behind & (place[:, 1] > 0.55)].max() < 0.06


def test_an_isolated_patch_of_guesses_takes_the_material_around_it() -> None:
    def with_patch(place: F32, color: F32) -> F32:
        patch = np.linalg.norm(place - [0, -0.3, -0.95], axis=1) < 0.25
        return np.where(patch[:, None], BLUE, color)

    place, made = ball(with_patch)
    assert far(made, RED)[(place[:, 2] < -0.3) & (place[:, 1] < 0.05)].max() < 0.06


def test_two_materials_do_not_mix_between_them() -> None:
    place, made = ball(lambda place, color: np.broadcast_to(GREY, color.shape))
    behind = place[:, 2] < -0.3
    assert (np.minimum(far(made, RED), far(made, BLUE))[behind] < 0.3).all()
    assert np.median(np.minimum(far(made, RED), far(made, BLUE))[behind]) < 0.2


def test_shading_alone_is_one_material() -> None:
    shade = np.linspace(150, 240, 64).astype(np.uint8)
    rgba = np.full((64, 64, 4), 255, np.uint8)
    rgba[..., :3] = shade[:, None, None]
    assert len(extract_palette(rgba)) == 1
    rgba[:32, :, 1:3] = 20
    found = extract_palette(rgba)
    assert len(found) == 2
    assert np.abs(found[:, 0] - found[:, 1]).max() > 0.5


def test_an_empty_cutout_has_one_material() -> None:
    assert extract_palette(np.zeros((4, 4, 4), np.uint8)).shape == (1, 3)


def test_a_photo_that_differs_from_its_mirror_image_is_not_symmetric() -> None:
    one = Projection(np.full((100, 3), 0.2, np.float32), np.ones(100, np.float32))
    other = Projection(np.full((100, 3), 0.6, np.float32), np.ones(100, np.float32))
    nowhere = Projection(other.color, np.zeros(100, np.float32))
    assert photo_agrees(one, one)
    assert not photo_agrees(one, other)
    assert photo_agrees(one, nowhere)
