"""Stages that do next to nothing, so that the pipeline's own promises can be tested in milliseconds."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from manymesh.engines import Plan
from manymesh.render.camera import orthographic
from manymesh.settings import Settings
from manymesh.stages import Kind, Stage
from manymesh.types import Atlas, Box, Cutout, Detection, Mesh, ShapeResult, TexturedMesh


class Model:
    """Stands for a network's weights: alive as long as anybody holds it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


@dataclass
class Diary:
    """What the fake stages did, in order, and which models are alive.

    ``alive_at_open`` is filled on demand: to know what is alive, all garbage has to be collected, and in a process that
    has imported torch and Gradio that takes longer than the run.
    """

    calls: list[str] = field(default_factory=list)
    looks_at_open: bool = False
    alive_at_open: list[tuple[str, ...]] = field(default_factory=list)
    models: list[weakref.ref[Model]] = field(default_factory=list)
    hooks: dict[str, Callable[[int], None]] = field(default_factory=dict)

    def alive(self) -> tuple[str, ...]:
        gc.collect()
        return tuple(model.kind for ref in self.models if (model := ref()) is not None)

    def call(self, kind: str) -> None:
        self.calls.append(kind)
        hook = self.hooks.get(kind)
        if hook is not None:
            hook(self.calls.count(kind))


def fake_plan(diary: Diary, settings: Settings, count: int = 3) -> Plan:
    """A plan whose detector finds ``count`` boxes side by side; ``diary.hooks`` may raise in any stage's nth call."""

    def detect(photo: Any, names: Any, *, tick: Any) -> list[Detection]:
        diary.call("detect")
        step = photo.width // count
        boxes = [Box(i * step + 4, 8, (i + 1) * step - 4, photo.height - 8) for i in range(count)]
        return [Detection(box, names[i] if i < len(names) else "", 0.9, None, "fake") for i, box in enumerate(boxes)]

    def matte(crop: Any, *, tick: Any) -> Cutout:
        diary.call("matte")
        tick(0.5)
        alpha = np.zeros(crop.rgb.shape[:2], np.uint8)
        alpha[crop.box.y0 : crop.box.y1, crop.box.x0 : crop.box.x1] = 255
        return Cutout(np.dstack([crop.rgb, alpha]), crop.window)

    def shape(cutout: Any, *, seed: int, tick: Any) -> ShapeResult:
        diary.call("shape")
        tick(0.5)
        return ShapeResult(tetrahedron(1.0 + seed % 7 / 10), orthographic(1.5))

    def paint(mesh: Mesh, view: Any, cutout: Any, *, seed: int, tick: Any) -> TexturedMesh:
        diary.call("paint")
        tick(0.5)
        corners = mesh.faces.reshape(-1)
        uv = np.tile(np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], np.float32), (len(mesh.faces), 1))
        atlas = Atlas(
            mesh.vertices[corners], np.arange(len(corners), dtype=np.int32).reshape(-1, 3), uv, corners, "fake"
        )
        return TexturedMesh(atlas, np.full((64, 64, 3), seed % 256, np.uint8))

    functions = {"detect": detect, "matte": matte, "shape": shape, "paint": paint}
    stages = {kind: _stage(kind, function, diary) for kind, function in functions.items()}  # type: ignore[arg-type]
    return Plan("fake", "for tests", stages, settings)


def _stage(kind: Kind, function: Callable[..., Any], diary: Diary) -> Stage:
    @contextmanager
    def opened(settings: Settings) -> Iterator[Any]:
        if diary.looks_at_open:
            diary.alive_at_open.append(diary.alive())
        model = Model(kind)
        diary.models.append(weakref.ref(model))

        def call(*args: Any, **kwargs: Any) -> Any:
            assert model.kind == kind
            return function(*args, **kwargs)

        yield call

    return Stage(f"fake-{kind}", kind, "a fake", "Apache-2.0", opened, reads_names=True)


def without_names(plan: Plan) -> Plan:
    """The same plan with a detector that cannot read names."""
    return replace(plan, stages={**plan.stages, "detect": replace(plan.stages["detect"], reads_names=False)})


def tetrahedron(size: float = 1.0) -> Mesh:
    vertices = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32) * np.float32(size)
    return Mesh(vertices, np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32))
