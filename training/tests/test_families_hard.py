"""The man-made half of the generator: whatever it makes is finite, closed, repeatable and the right way round."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest

from training.families import generate
from training.families.parts import Paint, box, extrude, frame, lathe, mirrored, rod, sheet, torus, tube, turned, vessel
from training.shapes import Part

FAMILIES = (
    "furniture",
    "seats",
    "tableware",
    "gadgets",
    "vehicles",
    "tools",
    "clothing",
    "lamps",
    "buildings",
    "music",
    "hoops",
)
PAINT = Paint((200, 100, 50), "wood")
SEEDS = range(12)


def open_edges(part: Part) -> int:
    """How many directed edges lack their twin, or come twice."""
    faces, count = np.asarray(part.faces), len(part.vertices)
    edges = np.concatenate([faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]).astype(np.int64)
    there, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return len(there) - len(np.intersect1d(there, back, assume_unique=False))


def volume(part: Part) -> float:
    a, b, c = (part.vertices[np.asarray(part.faces)[:, i]] for i in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def made(family: str, seed: int) -> list[Part]:
    return import_module(f"training.families.{family}").make(np.random.default_rng(seed))


@pytest.mark.parametrize("family", FAMILIES)
def test_things_are_closed_finite_and_outward(family: str) -> None:
    for seed in SEEDS:
        for part in made(family, seed):
            assert np.isfinite(part.vertices).all()
            assert open_edges(part) == 0
            assert volume(part) > 0
            assert all(0 <= channel <= 255 for channel in part.color)


@pytest.mark.parametrize("family", FAMILIES)
def test_face_counts_stay_in_bounds(family: str) -> None:
    counts = [sum(len(part.faces) for part in made(family, seed)) for seed in SEEDS]
    assert max(counts) <= 6000
    assert np.mean(counts) >= 200


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_seeds_give_equal_shapes(family: str) -> None:
    first, again, other = generate(family, 3), generate(family, 3), generate(family, 4)
    assert first.vertices.tobytes() == again.vertices.tobytes()
    assert first.colors.tobytes() == again.colors.tobytes()
    assert first.vertices.shape != other.vertices.shape or not np.array_equal(first.vertices, other.vertices)
    assert np.isclose(np.ptp(first.vertices, axis=0).max(), 1)


def test_a_chair_rises_behind_its_seat() -> None:
    from training.families.seats import wooden_chair

    for seed in SEEDS:
        points = np.concatenate([part.vertices for part in wooden_chair(np.random.default_rng(seed))])
        upper = points[points[:, 1] > 0.9 * points[:, 1].max()]
        assert upper[:, 2].mean() < np.median(points[:, 2])


def test_a_screen_faces_forwards_and_a_car_drives_forwards() -> None:
    from training.families.gadgets.screens import television
    from training.families.vehicles.cars import car

    for seed in SEEDS:
        parts = television(np.random.default_rng(seed))
        pane = next(part for part in parts if part.material == "screen")
        case = next(part for part in parts if part.material == "case")
        assert pane.vertices[:, 2].mean() > case.vertices[:, 2].mean()
        parts = car(np.random.default_rng(seed))
        lamp, tail = (next(p.vertices for p in parts if p.material == name) for name in ("lamp", "tail"))
        assert lamp[:, 2].mean() > tail[:, 2].mean()


def test_every_piece_is_closed_and_outward_whatever_its_sense() -> None:
    ell = np.array([[0, 0], [3, 0], [3, 1], [1, 1], [1, 3], [0, 3]], float)
    grid = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0), [0.0], indexing="ij"), -1)[:, :, 0]
    ring = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], float)
    parts = [
        box(PAINT, (1, 2, 3)),
        box(PAINT, (1, 2, 3), bevel=0.2),
        rod(PAINT, (0, 0, 0), (1, 1, 0), 0.2, 0),
        tube(PAINT, [(0, 0, 0), (1, 0, 0), (1, 1, 0)], [0.1, 0.2, 0.1]),
        tube(PAINT, [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], 0.1, loop=True),
        lathe(PAINT, [(0, 0), (1, 0), (1, 1), (0, 2)]),
        vessel(PAINT, [(0.5, 0), (1, 1), (1, 2)], 0.1),
        *(extrude(PAINT, loop, 1, axis=axis, bevel=0.1) for loop in (ell, ell[::-1]) for axis in "xyz"),
        frame(PAINT, ring, 0.8 * ring, 0.2),
        sheet(PAINT, grid, 0.1),
        *(torus(PAINT, 1, 0.2, axis=axis) for axis in "xyz"),
    ]
    for part in [*parts, *(mirrored(turned(part, 40, "z")) for part in parts)]:
        assert open_edges(part) == 0
        assert volume(part) > 0


def test_an_outline_with_hollows_keeps_its_area() -> None:
    comb = [(float(x), y) for x in range(8) for y in ((0.5, 3.0) if x % 2 else (3.0, 0.5))]
    outline = np.array([(0.0, 0.0), (7.0, 0.0), *comb[::-1]])
    area = 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*outline, outline[0]])))
    assert np.isclose(volume(extrude(PAINT, outline, 2.0)), 2 * area)
