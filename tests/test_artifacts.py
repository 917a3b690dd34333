"""What a run folder gives out is what is in its files, and the cache of decoded values is never too large."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import tetrahedron
from test_run import a_manifest, a_photo

from manymesh.errors import InputError
from manymesh.image import png
from manymesh.run.artifacts import ArtifactCache
from manymesh.run.folder import Run
from manymesh.run.manifest import ObjectRecord
from manymesh.types import U8, Atlas, Box, Crop, Cutout, Mesh, TexturedMesh

WINDOW = Box(0, 0, 30, 20)


def noise(seed: int, channels: int | None = 3) -> U8:
    shape = (20, 30) if channels is None else (20, 30, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def a_model() -> TexturedMesh:
    mesh = tetrahedron()
    corners = mesh.faces.reshape(-1)
    uv = np.random.default_rng(1).random((len(corners), 2), np.float32)
    faces = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    return TexturedMesh(Atlas(mesh.vertices[corners], faces, uv, corners, "fake"), noise(2), ("a note",), {"a": 1})


VALUES = {
    "crop": Crop(noise(0), WINDOW, Box(1, 1, 9, 9), noise(1, None)),
    "cutout": Cutout(noise(0, 4), WINDOW, "some id"),
    "shape": tetrahedron(),
    "mesh": Mesh(tetrahedron().vertices.astype(np.float64), tetrahedron().faces.astype(np.int64), noise(3)[0, :4]),
    "model": a_model(),
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    record = ObjectRecord(index=1, id="01-cup", label="cup", box=(1, 1, 9, 9), source="x", seed=1, window=WINDOW)
    run.manifest.objects.append(record)
    return run


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, arrays by type and content."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return bool(one == other)


@pytest.mark.parametrize("role", VALUES)
def test_a_value_just_stored_is_what_another_process_would_read(run: Run, role: Any) -> None:
    record = run.manifest.objects[0]
    run.store(record, role, VALUES[role])
    run.save()
    cached = run.load(record, role)
    other = Run.open(run.folder)
    read = other.load(other.manifest.objects[0], role)
    assert same(cached, read)
    assert run.load(record, role) is not VALUES[role]


@pytest.mark.parametrize("role", VALUES)
def test_a_stored_file_is_read_and_checked_but_not_decoded(
    run: Run, role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run.manifest.objects[0]
    run.store(record, role, VALUES[role])
    monkeypatch.setattr(png, "decode", None)
    monkeypatch.setattr("manymesh.mesh.formats.glb.split_glb", None)
    run.load(record, role)
    run.path(record.files[role]).write_bytes(b"other")
    with pytest.raises(InputError, match="has changed"):
        run.load(record, role)


def test_a_mesh_that_no_reader_would_take_is_not_kept(run: Run) -> None:
    record = run.manifest.objects[0]
    broken = Mesh(tetrahedron().vertices, np.array([[0, 1, -1]], np.int32))
    run.store(record, "shape", broken)
    with pytest.raises(InputError, match="vertices that it lacks"):
        run.load(record, "shape")


def test_a_cutout_is_named_by_its_run_and_object(run: Run) -> None:
    record = run.manifest.objects[0]
    run.store(record, "cutout", VALUES["cutout"])  # type: ignore[arg-type]
    assert run.load(record, "cutout").object_id == f"{run.folder.name}/01-cup"


def test_the_photo_comes_with_its_notes(tmp_path: Path) -> None:
    manifest = a_manifest()
    manifest.input.notes = ["It was turned."]
    run = Run.create(tmp_path, manifest, a_photo())
    photo = Run.open(run.folder).load_photo()
    assert photo.notes == ("It was turned.",)
    assert np.array_equal(photo.rgb, a_photo().rgb)


@pytest.mark.parametrize("alpha", [None, noise(1, None)])
def test_a_picture_just_written_is_what_another_process_would_decode(run: Run, alpha: U8 | None) -> None:
    run.write_picture("picture.png", noise(0), alpha, role="crop")
    mine = run.load_picture(run.manifest.files["crop"])
    decoded = png.decode((run.folder / "picture.png").read_bytes())
    for one, other in zip(mine, decoded, strict=True):
        assert np.array_equal(one, other)
        assert one is None or (one.flags.c_contiguous and one.dtype == np.uint8)


def test_nobody_can_change_a_value_in_the_cache() -> None:
    given = noise(0)
    kept = ArtifactCache().put("picture", "a", given)
    given[:] = 0
    assert np.array_equal(kept, noise(0))
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1


def test_the_values_used_longest_ago_go_when_there_are_too_many() -> None:
    cache = ArtifactCache(most_bytes=2 * noise(0).nbytes)
    cache.put("picture", "0", noise(0))
    cache.put("picture", "1", noise(1))
    assert cache.get("picture", "0") is not None
    cache.put("picture", "2", noise(2))
    assert [cache.get("picture", str(number)) is not None for number in range(3)] == [True, False, True]


def test_a_value_too_large_for_the_cache_pushes_nothing_out() -> None:
    cache = ArtifactCache(most_bytes=noise(0).nbytes)
    cache.put("picture", "small", noise(0))
    cache.put("picture", "large", (noise(0), noise(1, None)))
    assert cache.get("picture", "small") is not None
    assert cache.get("picture", "large") is None


def test_one_files_bytes_may_be_values_of_two_kinds() -> None:
    cache = ArtifactCache()
    cache.put("picture", "a", noise(0))
    cache.put("cutout", "a", noise(1, 4))
    assert cache.get("picture", "a").shape != cache.get("cutout", "a").shape
