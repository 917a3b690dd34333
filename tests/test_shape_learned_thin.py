"""Thin parts keep their outline, and floating parts are connected to the body."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from known_shapes import Distance, box, look_at, perfect_network, union
from scipy.ndimage import label

from manymesh.mesh.inspect import inspect
from manymesh.render.camera import to_clip
from manymesh.render.raster import rasterise
from manymesh.shape.learned import contract
from manymesh.shape.learned.connect_parts import connect_parts
from manymesh.shape.learned.field import Field
from manymesh.shape.learned.pose import posterior_elevation
from manymesh.shape.learned.stage import reconstruct
from manymesh.types import Box, Cutout

PX = 400
UP = np.array([0.0, 1.0, 0.0])


def table(leg: float) -> Distance:
    legs = [box((x, -0.3, z), (leg, 0.5, leg)) for x in (-0.6, 0.6) for z in (-0.4, 0.4)]
    return union(box((0, 0.25, 0), (0.8, 0.05, 0.55)), *legs)


def overlap(made: Any, alpha: Any) -> float:
    seen = rasterise(to_clip(made.view, made.mesh.vertices), made.mesh.faces, PX, PX).mask
    inside = alpha > 127
    return float((seen & inside).sum() / (seen | inside).sum())


def cutout_of(alpha: Any) -> Cutout:
    return Cutout(np.dstack([np.full((*alpha.shape, 3), 140, np.uint8), alpha]), Box(0, 0, PX, PX))


def test_thin_legs_keep_their_width() -> None:
    view = look_at(table(0.025), 25.0, 20.0, px=PX, grid=112, depths=160)
    assert overlap(reconstruct(perfect_network(view), cutout_of(view.alpha), lambda share: None), view.alpha) > 0.975


def test_legs_missing_from_the_occupancy_stand_at_the_predicted_depth() -> None:
    """Nothing else is as far off as the rear legs here."""
    view = look_at(table(0.03), 25.0, 20.0, px=PX, grid=112, depths=160)
    legs = np.zeros((contract.GRID, contract.GRID), bool)
    legs[72:] = True
    outputs = dict(view.outputs)
    outputs["logits"] = np.where(legs, np.float32(-6), outputs["logits"])
    lost = type(view)(view.alpha, outputs, view.vertices, view.faces, view.to_shape, view.tan_half_fov)
    made = reconstruct(perfect_network(lost), cutout_of(view.alpha), lambda share: None)
    assert overlap(made, view.alpha) > 0.95
    assert inspect(made.mesh).components == 1


def blocks(*boxes: tuple[slice, slice, slice]) -> Field:
    values = np.full((100, 100, 60), -6, np.float32)
    for block in boxes:
        values[block] = 6
    edge = np.full((100, 100), 5, np.float32)
    return Field(values, edge, -0.5, 0.5, 0.01, -0.4)


def part_count(field: Field) -> int:
    return int(label(field.values > 0)[1])


def test_a_leg_behind_a_plate_is_connected_upwards() -> None:
    plate, leg = np.s_[20:30, 10:90, 10:50], np.s_[45:90, 40:44, 30:33]
    field = blocks(plate, leg)
    found = connect_parts(field, UP)
    assert (part_count(field), part_count(found)) == (2, 1)
    added = np.argwhere((found.values > 0) & (field.values <= 0))
    assert added[:, 0].min() >= 28
    assert added[:, 0].max() <= 47
    assert np.ptp(added[:, 1]) <= 8  # straight up
    assert (found.values[field.values > 0] > 0).all()


def test_connections_stay_within_the_silhouette() -> None:
    field = blocks(np.s_[20:30, 10:90, 10:50], np.s_[45:90, 40:44, 30:33])
    field.edge[30:45] = -1
    assert part_count(connect_parts(field, UP)) == 2


def test_two_objects_on_the_floor_stay_apart_and_a_single_part_is_unchanged() -> None:
    shoes = blocks(np.s_[60:90, 10:40, 10:50], np.s_[62:90, 60:90, 10:50])
    assert part_count(connect_parts(shoes, UP)) == 2
    one = blocks(np.s_[60:90, 10:40, 10:50])
    assert connect_parts(one, UP) is one


def test_small_hidden_parts_are_not_connected() -> None:
    hidden = blocks(np.s_[20:80, 10:90, 10:30], np.s_[50:52, 50:52, 40:42])
    assert connect_parts(hidden, UP) is hidden


def test_a_certain_steep_elevation_overrules_the_prior() -> None:
    assert posterior_elevation(75.0, 4.0) == pytest.approx(75, abs=0.5)
    assert posterior_elevation(88.0, 2.0) == pytest.approx(88, abs=1)
    assert posterior_elevation(25.0, 9.0) == pytest.approx(21, abs=1.5)
    assert posterior_elevation(200.0, 1.0) <= 90
