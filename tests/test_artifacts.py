"""Pictures on the shelf are those in the files, and never too many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_run import a_manifest, a_photo

from manymesh.errors import InputError
from manymesh.image import png
from manymesh.run.artifacts import Shelf
from manymesh.run.folder import Run
from manymesh.types import U8


def noise(seed: int, channels: int | None = 3) -> U8:
    shape = (20, 30) if channels is None else (20, 30, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("alpha", [None, noise(1, None)])
def test_a_picture_just_written_is_what_another_process_would_decode(tmp_path: Path, alpha: U8 | None) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    run.write_picture("crop.png", noise(0), alpha, role="crop")
    mine = run.picture(run.manifest.files["crop"])
    decoded = png.decode((run.folder / "crop.png").read_bytes())
    for one, other in zip(mine, decoded, strict=True):
        assert np.array_equal(one, other)
        assert one is None or (one.flags.c_contiguous and one.dtype == np.uint8)


def test_a_picture_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    run.save()
    opened = Run.open(run.folder)
    first, _ = opened.picture(opened.manifest.files["input"])
    monkeypatch.setattr(png, "decode", None)
    assert opened.picture(opened.manifest.files["input"])[0] is first
    assert np.array_equal(first, a_photo().rgb)


def test_a_file_that_was_changed_is_noticed_though_its_picture_is_on_the_shelf(tmp_path: Path) -> None:
    run = Run.create(tmp_path, a_manifest(), a_photo())
    (run.folder / "input.png").write_bytes(png.encode(noise(3)))
    with pytest.raises(InputError, match="has changed"):
        run.picture(run.manifest.files["input"])


def test_nobody_can_change_a_picture_on_the_shelf() -> None:
    given = noise(0)
    kept, _ = Shelf().put("a", given, None)
    given[:] = 0
    assert np.array_equal(kept, noise(0))
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1


def test_the_oldest_pictures_go_when_there_are_too_many() -> None:
    shelf = Shelf(most_bytes=2 * noise(0).nbytes)
    for number in range(3):
        shelf.put(str(number), noise(number), None)
    assert [shelf.get(str(number)) is not None for number in range(3)] == [False, True, True]


def test_a_picture_too_large_for_the_shelf_pushes_nothing_out() -> None:
    shelf = Shelf(most_bytes=noise(0).nbytes)
    shelf.put("small", noise(0), None)
    shelf.put("large", noise(0), noise(1, None))
    assert shelf.get("small") is not None
    assert shelf.get("large") is None
