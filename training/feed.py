"""Where batches come from: rendered shapes, or ellipsoids; and one batch ahead on a stream of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Protocol

import torch

from training.batch import Batch
from training.fake import fake_batch
from training.shapes import Shape
from training.things import OWN, Things, view_weights
from training.validate import Views

VALIDATION_SEED = 900_000_000


class Source(Protocol):
    def batch(self, count: int, seed: int) -> Batch:
        """``count`` views on the device; equal seeds give equal views."""
        ...


class FakeSource:
    def __init__(self, device: torch.device) -> None:
        self.device = device

    def batch(self, count: int, seed: int) -> Batch:
        return fake_batch(count, seed, self.device)


class RenderedSource:
    """Views of shapes, chosen as ``view_weights`` says; ``names`` and ``families`` are of those that carved."""

    def __init__(self, shapes: list[Shape], device: torch.device) -> None:
        from training.render import ShapeSet

        self.set = ShapeSet(shapes, str(device))
        self.names, self.families = self.set.names, self.set.families
        self.lost = sorted({shape.name for shape in shapes} - {*self.names})
        self.weights = torch.from_numpy(view_weights(self.families))

    def batch(self, count: int, seed: int) -> Batch:
        from training.render import render, sample_views

        return render(self.set, sample_views(self.set, count, self.weights, seed))


class Feeder:
    """Batches by step. With ``overlap`` the next one is rendered on a second stream while the network works."""

    def __init__(self, source: Source, count: int, seeds: Seeds, device: torch.device, overlap: bool) -> None:
        self.source, self.count, self.seeds = source, count, seeds
        self.overlap = overlap and device.type == "cuda"
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        if self.stream is not None:
            torch.cuda.synchronize(device)  # the second stream must not read shapes that are still being carved
        self.preload: tuple[int, Batch, Any] | None = None

    def get(self, step: int) -> Batch:
        if not self.overlap or self.stream is None:
            return self.source.batch(self.count, self.seeds[step])
        if self.preload is None or self.preload[0] != step:
            self.prepare(step)
        assert self.preload is not None
        _, batch, ready = self.preload
        self.preload = None
        ready.wait()
        for field in fields(batch):
            getattr(batch, field.name).record_stream(torch.cuda.current_stream())
        return batch

    def prepare(self, step: int) -> None:
        """Start on the batch of ``step``; call it once the network's work on the one before is queued."""
        if self.overlap and self.stream is not None:
            with torch.cuda.stream(self.stream):
                batch = self.source.batch(self.count, self.seeds[step])
                self.preload = (step, batch, self.stream.record_event())


def validation_views(things: Things | None, count: int, chunk: int, device: torch.device) -> Views:
    """``count`` fixed views of the catalogue's held-out shapes and as many of the generated ones."""
    if things is None:
        seeds = range(VALIDATION_SEED, VALIDATION_SEED + max(1, count // chunk))
        return Views([fake_batch(chunk, seed, device) for seed in seeds], ["ellipsoids"] * (chunk * len(seeds)))
    batches: list[Batch] = []
    groups: list[str] = []
    generated = [shape.family.startswith(OWN) for shape in things.held_out]
    for part, wanted in enumerate((False, True)):
        shapes = [shape for shape, own in zip(things.held_out, generated, strict=True) if own is wanted]
        if not shapes:
            continue
        source = RenderedSource(shapes, device)
        for number in range(max(1, count // chunk)):
            batch = source.batch(chunk, VALIDATION_SEED + 10_000 * part + number)
            batches.append(batch)
            groups += [source.families[index] for index in batch.shape_index.tolist()]
    return Views(batches, groups)


@dataclass
class Seeds:
    """The seed of each step of one rank: no two steps, ranks or runs share one."""

    run: int
    rank: int
    world: int

    def __getitem__(self, step: int) -> int:
        return self.run * 100_000_000 + step * self.world + self.rank
