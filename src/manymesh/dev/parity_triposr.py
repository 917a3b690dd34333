"""Parity of TripoSR, driven by the manifest of a folder of its fixtures. Everything is float32 on the CPU.

Sizes, tolerances and epsilons are read from the manifest and the checkpoints' own files.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Arrays, Entry, Row, checked, compare, failed, load_arrays
from manymesh.errors import WeightsError
from manymesh.shape.triposr.arithmetic import Weights
from manymesh.shape.triposr.checkpoint import read_checkpoint
from manymesh.shape.triposr.config import TriposrConfig, parse_yaml, read_config
from manymesh.shape.triposr.encoder import encode
from manymesh.shape.triposr.field import Field, Lattice
from manymesh.shape.triposr.preprocess import frame_object, network_picture
from manymesh.shape.triposr.transformer import transform
from manymesh.shape.triposr.upsample import upsample

# How many tokens apart those are that a fixture keeps under a name ending in "_sub".
SUB = 5


@dataclass(frozen=True)
class Fixture(Entry):
    """A fixture of TripoSR: its network and its comparisons."""

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.entry.get("config") or {})

    @cached_property
    def config(self) -> TriposrConfig:
        return read_config(self._checkpoint / "config.yaml", self.folder / self.manifest["encoder_config"])

    @property
    def _checkpoint(self) -> Path:
        return self.folder / str(self.settings.get("checkpoint") or self.manifest["checkpoints"]["main"])

    def weights(self) -> Weights:
        arrays = dict(read_checkpoint(self._checkpoint / "model.ckpt", self.config))
        for text, factor in self.settings.get("scales", []):
            for name in arrays:
                if text in name:
                    arrays[name] = arrays[name] * np.float32(factor)
        return Weights(arrays)

    def field(self, planes: Any = None) -> Field:
        planes = self.tensors["triplane"] if planes is None else planes
        return Field(self.weights(), self.config, planes)

    def row(self, name: str, actual: Any, slack: float = 0.0) -> Row:
        """``actual`` against the tensor called ``name``, within the manifest's tolerance, or within ``slack``."""
        info = self.entry["tensors"][name]
        tolerance = 0.0 if info.get("tolerance") == "exact" else max(float(info["atol"]), slack)
        return compare(f"{self.id}/{name}", actual, self.tensors[name], tolerance)

    def expected(self) -> list[str]:
        return [name for name, info in self.entry["tensors"].items() if info["role"] == "expected"]

    def kept_rows(self, kept: Mapping[str, Any]) -> Iterator[Row]:
        """A row for each expected tensor that is in ``kept``, whole or every ``SUB``-th token of it."""
        for name in self.expected():
            value = kept.get(name.removesuffix("_sub"))
            if value is not None:
                yield self.row(name, value[None, ::SUB] if name.endswith("_sub") else value[None])


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; an unknown fixture is a failing row."""
    for entry in manifest["fixtures"]:
        name = str(entry.get("id"))
        compare_fixture = FIXTURES.get(name)
        if compare_fixture is None:
            yield failed(name, "no comparison for this fixture")
            continue
        tensors = load_arrays(directory, entry) if "file" in entry else {}
        fixture = Fixture(directory, entry, tensors, manifest)
        yield from checked(name, lambda f=fixture, c=compare_fixture: c(f))  # type: ignore[misc]


def _verdict(name: str, accepted: bool, wanted: str, note: str = "") -> Row:
    return Row(name, 0.0, 0.0, 0.0, accepted == (wanted == "accept"), note)


def _reader(f: Fixture) -> Iterator[Row]:
    from manymesh.weights.torch_pickle import map_torch_file

    for variant in f.entry["variants"]:
        name = f"reader/{Path(variant['file']).stem}"
        try:
            arrays = map_torch_file(f.folder / variant["file"])
        except WeightsError as error:
            yield _verdict(name, False, variant["verdict"], error.what.rpartition("refused: ")[2])
            continue
        found = {key: (list(a.shape), hashlib.sha256(a.tobytes()).hexdigest()) for key, a in arrays.items()}
        wanted = {key: (info["shape"], info["sha256"]) for key, info in variant.get("tensors", {}).items()}
        same = variant["verdict"] == "accept" and found == wanted
        yield _verdict(name, same, "accept", f"{len(found)} tensors")


def _config(f: Fixture) -> Iterator[Row]:
    for one in f.entry["configs"]:
        parsed = parse_yaml((f.folder / one["file"]).read_text("utf-8"))
        read_config(f.folder / one["file"], f.folder / f.manifest["encoder_config"])
        yield _verdict(f"config/{one['file']}", parsed == one["expected"], "accept")


def _models(f: Fixture) -> Iterator[Row]:
    for one in f.entry["models"]:
        folder = f.folder / one["folder"]
        try:
            config = read_config(folder / "config.yaml", folder / "dino_config.json")
            read_checkpoint(folder / "model.ckpt", config)
            accepted, note = True, ""
        except WeightsError as error:
            accepted, note = False, error.what.rpartition(": ")[2]
        yield _verdict(f"models/{folder.name}", accepted, one["verdict"], note)


def _picture(path: Path, mode: str) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


def _preprocess(f: Fixture) -> Iterator[Row]:
    size, stride = int(f.settings["size"]), int(f.settings["stride"])
    for one in f.entry["files"]:
        case = one["case"]
        framed, square = frame_object(_picture(f.folder / one["input"], "RGBA"), float(one["ratio"]))
        recorded = _picture(f.folder / one["framed"], "RGB")
        yield compare(f"preprocess/framed_{case}", framed, recorded, 1)
        share = float((framed != recorded).any(axis=-1).mean()) if framed.shape == recorded.shape else 1.0
        yield Row(f"preprocess/framed_{case}_differing", share, share, 0.01, share <= 0.01)
        yield compare(f"preprocess/square_{case}", [square.left, square.top, square.side], one["square"], 0)
        pixels = network_picture(recorded, size)[None]
        yield f.row(f"pixels_{case}", pixels[:, :, ::stride, ::stride])
        yield f.row(f"pixels_mean_{case}", pixels.mean(axis=(2, 3), dtype=np.float64))


def _no_tick(done: float) -> None:
    pass


def _keeping(kept: Arrays) -> Callable[[str, Any], None]:
    return lambda name, value: kept.__setitem__(name, value.copy())


def _encoder(f: Fixture) -> Iterator[Row]:
    kept: Arrays = {}
    weights = f.weights().part("image_tokenizer.model")
    encode(weights, f.config.encoder, f.tensors["pixels"][0], _no_tick, _keeping(kept))
    yield from f.kept_rows(kept)


def _backbone(f: Fixture) -> Iterator[Row]:
    kept: Arrays = {}
    weights = f.weights()
    transform(weights, f.config, f.tensors["context"][0], _no_tick, _keeping(kept))
    yield from f.kept_rows(kept)
    if "two_context" in f.tensors:
        yield f.row("two_out", transform(weights, f.config, f.tensors["two_context"][0], _no_tick)[None])


def _eps_probe(f: Fixture) -> Iterator[Row]:
    yield from _encoder(f)
    yield from _backbone(f)


def _upsample(f: Fixture) -> Iterator[Row]:
    yield f.row("triplane", upsample(f.weights(), f.tensors["tokens"][0])[None])


def _field(f: Fixture) -> Iterator[Row]:
    field, points = f.field(), f.tensors["points"]
    yield f.row("features", field.features(points))
    yield f.row("raw", field.raw(points))
    yield f.row("density", field.density(points)[:, None])
    yield f.row("color", field.colors(points))


def _colors(f: Fixture) -> Iterator[Row]:
    colors = f.field().colors(f.tensors["points"])
    yield f.row("color", colors)
    yield f.row("bytes", np.round(255 * colors))


def _lattice(field: Field, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The axis of a lattice, and the raw density at all of its nodes."""
    lattice = Lattice(field, count)
    index = np.indices((count,) * 3).reshape(3, -1).T.astype(np.int32)
    return lattice.axis, lattice.raw_density(index).reshape((count,) * 3)


def _grid(f: Fixture) -> Iterator[Row]:
    axis, raw = _lattice(f.field(), int(f.settings["points_per_axis"]))
    yield f.row("axis", axis)
    yield f.row("raw", raw)
    yield f.row("density", np.exp(raw + np.float32(f.config.density_bias)))


def _marching_cubes(f: Fixture) -> Iterator[Row]:
    from manymesh.mesh.marching_cubes import marching_cubes
    from manymesh.shape.triposr.surface import to_native, to_upright

    volume = f.tensors["density"]
    level, radius = float(f.settings["threshold"]), float(f.settings["radius"])
    grid, faces = marching_cubes(volume, level)
    native = to_native(grid, len(volume), radius)
    crossed = _crossed(volume > level)
    yield from _vertices(f, "vertices", native, len(native) - crossed)
    yield from _vertices(f, "vertices_house", to_upright(native), len(native) - crossed)
    yield from _facts(f, "facts", native, faces, crossed, f.settings["expected"])
    yield from _facts(f, "facts_house", to_upright(native), faces, crossed, f.settings["expected_house"])


def _crossed(inside: np.ndarray) -> int:
    """The number of grid edges with one end inside."""
    return sum(int(np.diff(inside.astype(np.int8), axis=axis).astype(bool).sum()) for axis in range(3))


def _vertices(f: Fixture, name: str, actual: np.ndarray, extra: int) -> Iterator[Row]:
    """Vertices as a set; ``extra`` of ours lie inside cells."""
    from scipy.spatial import cKDTree

    expected, atol = f.tensors[name], float(f.entry["tensors"][name]["atol"])
    there = cKDTree(actual).query(expected)[0]
    back = cKDTree(expected).query(actual)[0]
    tolerance = atol * math.sqrt(3)
    worst = float(there.max())
    yield Row(f"{f.id}/{name}", worst, worst / float(np.abs(expected).max()), tolerance, worst <= tolerance)
    off = int((back > tolerance).sum())
    yield Row(f"{f.id}/{name}_back", float(off), 0.0, float(extra), off <= extra, "ours without one of theirs")


def _facts(
    f: Fixture, name: str, points: np.ndarray, faces: np.ndarray, crossed: int, expected: dict[str, Any]
) -> Iterator[Row]:
    corners = points[faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    share = float(f.settings["share"])
    yield compare(f"{f.id}/{name}_crossed", crossed, expected["crossed"], 0 if share < 0.01 else share * crossed)
    found = {
        "faces": len(faces),
        "volume": float(np.einsum("nc,nc->n", corners[:, 0], cross).sum() / 6),
        "area": float(np.linalg.norm(cross, axis=1).sum() / 2),
    }
    for key, value in found.items():
        yield compare(f"{f.id}/{name}_{key}", value, expected[key], share * abs(expected[key]))
    tolerance = max((float(info.get("atol", 0)) for info in f.entry["tensors"].values()), default=0.0)
    yield compare(f"{f.id}/{name}_bounds", [points.min(axis=0), points.max(axis=0)], expected["bounds"], tolerance)


def _camera(f: Fixture) -> Iterator[Row]:
    from manymesh.render.camera import perspective, project
    from manymesh.shape.triposr.surface import to_upright

    settings, size = f.settings, int(f.settings["size"])
    found = []
    for point, azimuth in zip(f.tensors["points"], f.tensors["azimuth_deg"], strict=True):
        view = perspective(
            float(settings["fov_deg"]),
            azimuth_deg=float(azimuth),
            elevation_deg=float(settings["elevation_deg"]),
            distance=float(settings["distance"]),
        )
        found.append(project(view, to_upright(point[None]), size, size)[0][0])
    yield f.row("pixels", np.array(found))


def _render(f: Fixture) -> Iterator[Row]:
    from manymesh.dev.triposr_rays import render_view

    settings, field = f.settings, f.field()
    views = [
        render_view(
            field,
            azimuth_deg=float(azimuth),
            elevation_deg=float(settings["elevation_deg"]),
            distance=float(settings["distance"]),
            fov_deg=float(settings["fov_deg"]),
            size_px=int(settings["size"]),
            samples=int(settings["samples"]),
        )
        for azimuth in settings["azimuths_deg"]
    ]
    yield f.row("rgb", np.stack(views))


def _e2e(f: Fixture) -> Iterator[Row]:
    from manymesh.mesh.marching_cubes import marching_cubes
    from manymesh.shape.triposr.surface import to_native, to_upright

    settings, weights = f.settings, f.weights()
    framed, _ = frame_object(_picture(f.folder / settings["image"], "RGBA"), float(settings["ratio"]))
    pixels = network_picture(framed, f.config.image_px)
    context = encode(weights.part("image_tokenizer.model"), f.config.encoder, pixels, _no_tick)
    planes = upsample(weights, transform(weights, f.config, context, _no_tick))
    yield f.row("triplane", planes[None])
    field, count = f.field(planes), int(settings["points_per_axis"])
    _, raw = _lattice(field, count)
    yield f.row("raw", raw)
    density = np.exp(raw + np.float32(f.config.density_bias))
    grid, faces = marching_cubes(density, float(settings["threshold"]))
    native = to_native(grid, count, f.config.radius)
    expected = settings["expected"]
    share = float(settings["share"])
    tolerance = share * (np.array(expected["bounds"][1]) - expected["bounds"][0]).max()
    crossed = _crossed(density > float(settings["threshold"]))
    for row in _facts(f, "facts", native, faces, crossed, expected):
        yield (
            row
            if not row.name.endswith("bounds")
            else compare(row.name, [native.min(axis=0), native.max(axis=0)], expected["bounds"], tolerance)
        )
    upright = to_upright(native)
    bounds = [upright.min(axis=0), upright.max(axis=0)]
    yield compare("e2e/house_bounds", bounds, settings["expected_house_bounds"], tolerance)
    yield f.row("colors", np.round(255 * field.colors(f.tensors["vertices"])))


FIXTURES: Mapping[str, Callable[[Fixture], Iterator[Row]]] = {
    "reader": _reader,
    "config": _config,
    "models": _models,
    "preprocess": _preprocess,
    "encoder": _encoder,
    "backbone": _backbone,
    "upsample": _upsample,
    "field": _field,
    "colors": _colors,
    "grid": _grid,
    "marching_cubes": _marching_cubes,
    "camera": _camera,
    "render": _render,
    "eps_probe": _eps_probe,
    "e2e": _e2e,
}
