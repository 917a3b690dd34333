"""Milliseconds of each stage: ``python -m training.render.speed``, some seconds on a large card."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from training.render import ShapeSet, draw, sample_views
from training.shapes import Part, Shape, assemble


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the renderer's stages")
    parser.add_argument("--shapes", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    on_gpu = options.device.startswith("cuda")
    shapes = [bumpy(number) for number in range(options.shapes)]
    ShapeSet(shapes[:1], options.device)  # compiles
    wait(on_gpu)
    start = time.perf_counter()
    shape_set = ShapeSet(shapes, options.device)
    wait(on_gpu)
    seconds = time.perf_counter() - start
    say(f"{len(shapes)} shapes of {len(shapes[0].faces)} faces: {seconds:.2f} s, {len(shapes) / seconds:.0f} shapes/s")
    weights = torch.ones(len(shape_set), device=shape_set.device)
    views = sample_views(shape_set, options.batch, weights, 0)
    front, back = draw.rasterise(shape_set, views)
    picture = draw.shade(shape_set, views, front)
    inside, near, *_ = draw.surfaces(shape_set, views, front, back)
    anchor = draw.anchors(inside, near)
    stages: dict[str, Callable[[], Any]] = {
        "sample_views": lambda: sample_views(shape_set, options.batch, weights, 1),
        "rasterise": lambda: draw.rasterise(shape_set, views),
        "shade": lambda: draw.shade(shape_set, views, front),
        "photograph": lambda: draw.photograph(shape_set, views, picture),
        "surfaces": lambda: draw.surfaces(shape_set, views, front, back),
        "occupancy": lambda: draw.occupancy(shape_set, views, anchor),
        "sample_views + render": lambda: draw.render(shape_set, sample_views(shape_set, options.batch, weights, 2)),
    }
    for name, stage in stages.items():
        say(f"{name:24s} {1000 * timed(stage, options.rounds, on_gpu):8.2f} ms for {options.batch} views")
    if on_gpu:
        say(f"memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB at most")


def bumpy(number: int) -> Shape:
    """A table-like object of a bumpy ball on four boxes, about 2,000 faces."""
    rng = np.random.default_rng(number)
    across, high = 44, 22
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, across, endpoint=False), np.linspace(0, np.pi, high))
    radius = 0.4 + 0.05 * np.sin(angle * rng.integers(2, 7)) * np.sin(height) ** 2
    ball = np.stack([np.sin(height) * np.cos(angle), 0.8 + np.cos(height), np.sin(height) * np.sin(angle)], -1)
    vertices = (ball * radius[..., None]).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(high - 1), np.arange(across), indexing="ij")
    a, b = row * across + column, row * across + (column + 1) % across
    faces = np.concatenate([np.stack([a, b, b + across], -1), np.stack([a, b + across, a + across], -1)]).reshape(-1, 3)
    parts = [Part(vertices, faces, (200, 120, 60), "body")]
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    sides = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    box = np.concatenate([sides[:, [0, 1, 2]], sides[:, [0, 2, 3]]])
    for x, z in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        size = np.array([0.05, 0.7, 0.05])
        parts.append(Part(corners * size + [0.2 * x - 0.025, -0.6, 0.2 * z - 0.025], box, (90, 60, 40), "legs"))
    return assemble(f"bumpy/{number}", "abstract", parts)


def timed(stage: Callable[[], Any], rounds: int, on_gpu: bool) -> float:
    """Seconds of one call, the mean after two calls of warming up."""
    for _ in range(2):
        stage()
    wait(on_gpu)
    start = time.perf_counter()
    for _ in range(rounds):
        stage()
    wait(on_gpu)
    return (time.perf_counter() - start) / rounds


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def wait(on_gpu: bool) -> None:
    if on_gpu:
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
