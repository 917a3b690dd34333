"""Damaged run folders and photos for whole runs, with stages that do next to nothing (see ``fuzz.py``).

``resume``: a finished run is mutated and resumed. Its manifest is changed, or other files are cut, changed, swapped or
taken out; in every second mutant the manifest states the digest of the damaged file, so that it is read. ``stage``: a
photo is mutated and a run is made of it.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from manymesh.engines import Plan
from manymesh.pipeline import Pipeline
from manymesh.run.folder import Run
from manymesh.settings import Settings
from manymesh.stages import Kind, Stage
from manymesh.types import Atlas, Box, Cutout, Detection, Mesh, ShapeResult, TexturedMesh

Mutate = Callable[[bytes, random.Random], bytes]


def resume_one(rng: random.Random, folder: Path, photo: bytes, mutant: Mutate) -> str:
    """ "" if a mutant of a finished run is resumed or refused, else the traceback of the bug that it met.

    Raises whatever ``Pipeline.resume`` raises.
    """
    run = _emptied(folder / "run")
    for name, data in _mutated(_finished(photo), rng, mutant).items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(data)
    with _fakes():
        return _bugs(Pipeline().resume(run))


def stage_one(folder: Path, photo: Path) -> str:
    """The same for a run that is made of a photo."""
    with _fakes():
        (run,) = Pipeline(_settings()).make([photo], _emptied(folder / "runs"))
        return _bugs(run)


def _bugs(run: Run) -> str:
    errors = [run.manifest.error, *(record.error for record in run.manifest.objects)]
    return "\n".join(error.traceback or error.message for error in errors if error is not None and error.code == "bug")


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _settings() -> Settings:
    return Settings(engine="lite", formats=("obj",), faces=100)


@cache
def _finished(photo: bytes) -> dict[str, bytes]:
    """Every file of a finished run of two objects, by its place in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.png").write_bytes(photo)
        with _fakes():
            (run,) = Pipeline(_settings()).make([Path(folder) / "x.png"], Path(folder) / "runs")
        files = [path for path in run.folder.rglob("*") if path.is_file() and path.name != ".lock"]
        return {path.relative_to(run.folder).as_posix(): path.read_bytes() for path in sorted(files)}


def _mutated(files: dict[str, bytes], rng: random.Random, mutant: Mutate) -> dict[str, bytes]:
    files = dict(files)
    manifest = json.loads(files["run.json"])
    others = sorted(set(files) - {"run.json"})
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(others)
        way = rng.randrange(4)
        if way == 0:
            files.pop(name, None)
        elif way == 1:
            files[name] = files.get(rng.choice(others), b"")
        else:
            files[name] = mutant(files.get(name, b""), rng)
        if rng.random() < 0.5 and name in files:
            _restate(manifest, name, files[name])
    if rng.random() < 0.5:  # as if it had been stopped on the way
        manifest["state"] = "running"
        manifest["stages_done"] = manifest["stages_done"][: rng.randrange(4)]
        for record in manifest["objects"]:
            record["state"], record["stages_done"] = "pending", record["stages_done"][: rng.randrange(6)]
    text = json.dumps(manifest, indent=1).encode()
    files["run.json"] = mutant(text, rng) if rng.random() < 0.4 else text
    return files


def _restate(manifest: dict[str, Any], name: str, data: bytes) -> None:
    """Gives a file the digest and length that it has now."""
    for owner in (manifest, *manifest["objects"]):
        for record in owner["files"].values():
            if record["path"] == name:
                record.update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


@contextmanager
def _fakes() -> Iterator[None]:
    """Every run takes stages that do next to nothing, and its previews are small."""
    with patch("manymesh.pipeline.choose", _plan), patch("manymesh.runner.steps.PREVIEW_PX", 32):
        yield


def _plan(settings: Settings) -> Plan:
    stages = {kind: _stage(kind, work) for kind, work in _WORK.items()}
    return Plan("fake", "to try damaged files", stages, settings)


def _stage(kind: Kind, work: Callable[..., Any]) -> Stage:
    @contextmanager
    def opened(settings: Settings) -> Iterator[Any]:
        yield work

    return Stage(f"fake-{kind}", kind, "a fake", "Apache-2.0", opened, reads_names=True)


def _detect(photo: Any, names: Any, *, tick: Any) -> list[Detection]:
    half = photo.width // 2
    return [Detection(Box(at, 0, at + half, photo.height), "", 0.9, None, "fake") for at in (0, half)]


def _matte(crop: Any, *, tick: Any) -> Cutout:
    alpha = np.zeros(crop.rgb.shape[:2], np.uint8)
    alpha[crop.box.y0 : crop.box.y1, crop.box.x0 : crop.box.x1] = 255
    return Cutout(np.dstack([crop.rgb, alpha]), crop.window)


def _shape(cutout: Any, *, seed: int, tick: Any) -> ShapeResult:
    from manymesh.render.camera import orthographic

    vertices = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)
    return ShapeResult(
        Mesh(vertices, np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)), orthographic(1.5)
    )


def _paint(mesh: Mesh, view: Any, cutout: Any, *, seed: int, tick: Any) -> TexturedMesh:
    corners = mesh.faces.reshape(-1)
    uv = np.tile(np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], np.float32), (len(mesh.faces), 1))
    faces = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    return TexturedMesh(Atlas(mesh.vertices[corners], faces, uv, corners, "fake"), np.full((16, 16, 3), 90, np.uint8))


_WORK: dict[Kind, Callable[..., Any]] = {"detect": _detect, "matte": _matte, "shape": _shape, "paint": _paint}
