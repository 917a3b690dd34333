"""The organic half of the shape generator: every family gives closed, sound, repeatable objects that face +Z."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest

from training.families import generate
from training.families.animals import BUILDS
from training.families.animals.quadrupeds import quadruped
from training.families.birds import KINDS, bird
from training.families.blobs import blob, bone, egg
from training.families.figures.people import person
from training.families.slabs import finer, slab
from training.shapes import Part, Shape, assemble

pytest.importorskip("skimage")

FAMILIES = ("animals", "birds", "figures", "plants", "food", "toys", "abstract")
SEEDS = range(12)
MOST_FACES = 6000


def things(family: str) -> list[list[Part]]:
    make = import_module(f"training.families.{family}").make
    return [make(np.random.default_rng(seed)) for seed in SEEDS]


def volume(part: Part) -> float:
    a, b, c = (part.vertices[part.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def area(part: Part) -> float:
    a, b, c = (part.vertices[part.faces[:, i]] for i in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def is_closed(part: Part) -> bool:
    """Every edge is walked as often one way as the other."""
    faces = np.asarray(part.faces, np.int64)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    count = len(part.vertices)
    there, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return bool((np.sort(there) == np.sort(back)).all())


def mean_z(parts: list[Part], materials: tuple[str, ...]) -> float:
    return float(np.concatenate([p.vertices[:, 2] for p in parts if p.material in materials]).mean())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_piece_is_closed_solid_and_coloured(family: str) -> None:
    for parts in things(family):
        for part in parts:
            assert np.isfinite(part.vertices).all()
            assert part.faces.min() >= 0
            assert part.faces.max() < len(part.vertices)
            assert is_closed(part), part.material
            assert volume(part) > 0, part.material
            assert all(0 <= c <= 255 for c in part.color)


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_numbers_give_equal_shapes_of_a_fitting_size(family: str) -> None:
    first, again, other = generate(family, 3), generate(family, 3), generate(family, 4)
    assert np.array_equal(first.vertices, again.vertices)
    assert np.array_equal(first.faces, again.faces)
    assert np.array_equal(first.colors, again.colors)
    assert first.vertices.shape != other.vertices.shape or not np.array_equal(first.vertices, other.vertices)
    for parts in things(family):
        shape = assemble("thing", family, parts)
        assert 450 <= len(shape.faces) <= MOST_FACES
        assert np.ptp(shape.vertices, axis=0).max() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_pieces_are_thick_enough_for_a_grid(family: str) -> None:
    """Twice the volume over the area is the thickness of a sheet and half that of a rod."""
    thin, every = 0.0, 0.0
    for parts in things(family):
        size = max(np.ptp(np.concatenate([part.vertices for part in parts]), axis=0))
        for part in parts:
            every += area(part)
            thin += area(part) * (2 * volume(part) / area(part) < 0.005 * size)
    assert thin < 0.06 * every


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_four_legged_animals_look_towards_the_front(name: str) -> None:
    for seed in range(3):
        parts = quadruped(np.random.default_rng(seed), BUILDS[name])
        assert mean_z(parts, ("eye",)) > mean_z(parts[:1], ("coat",)) + 0.15


@pytest.mark.parametrize("name", sorted(KINDS))
def test_birds_look_towards_the_front(name: str) -> None:
    for aloft in (False, True):
        parts = bird(np.random.default_rng(1), KINDS[name], aloft=aloft)
        assert mean_z(parts, ("beak",)) > mean_z(parts, ("plumage",))
        assert mean_z(parts, ("tail", "wing")) < mean_z(parts, ("beak",))


def test_people_look_and_step_towards_the_front() -> None:
    for seed in range(8):
        parts = person(np.random.default_rng(seed))
        assert mean_z(parts, ("eye",)) > mean_z(parts, ("hair", "skin"))
        # Kneeling children with large shoes dig their toes in.
        assert min(p.vertices[:, 1].min() for p in parts if p.material == "shoes") > -0.15


def test_a_blob_melts_what_touches_and_keeps_within_its_budget() -> None:
    one = blob([egg((0, 0, 0), 1.0), bone((0, 0, 0), (3, 0, 0), 0.5, 0.3)], (1, 2, 3), faces=2000)
    assert is_closed(one)
    assert 1000 < len(one.faces) < 3000
    assert one.vertices[:, 0].max() == pytest.approx(3.3, abs=0.1)
    islands = [egg((0, 0, 0), 1.0), egg((4, 0, 0), 0.5)]
    assert blob(islands, (1, 2, 3), whole=True).vertices[:, 0].max() < 1.5


def test_a_carved_blob_has_less_volume() -> None:
    full, hole = egg((0, 0, 0), 1.0), egg((0, 1, 0), 0.5, blend=0.0, carve=True)
    assert volume(blob([full, hole], (0, 0, 0))) < volume(blob([full], (0, 0, 0))) - 0.15


def test_finer_keeps_the_solid() -> None:
    leaf = slab([(0, 0, 0), (0, 1, 0), (0, 2, 0)], [0.2, 1.0, 0.1], 0.1, (0, 90, 0))
    fine = finer([leaf], 500)[0]
    assert len(fine.faces) >= 500
    assert is_closed(fine)
    assert volume(fine) == pytest.approx(volume(leaf))


def test_shapes_of_one_family_differ() -> None:
    sizes: list[Shape] = [generate("animals", number) for number in range(6)]
    assert all(len(a.faces) != len(b.faces) for a, b in pairwise(sizes))
