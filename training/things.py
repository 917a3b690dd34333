"""All shapes of a run: the catalogue's from a pack, the generator's made now on every core."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training.families import FAMILIES, generate
from training.lying import laid_down
from training.shapes import Shape
from training.split import FIRST_VALIDATION_NUMBER, held_out

CATALOGUE_SHARE = 0.45
"""Of all views; the generated families share the rest evenly."""
MOST_FACES = 60_000
OWN = "own/"
"""Before the family of generated shapes in logs and tables, since the catalogue has a family "furniture" too."""


@dataclass(frozen=True)
class Things:
    """Shapes to train on, and shapes held out for validation."""

    train: list[Shape]
    held_out: list[Shape]


def collect(
    pack: Path | None, generated: range, held_out_each: int, workers: int, limit_s: float, say: Callable[[str], None]
) -> Things:
    """Load and generate.

    Args:
        generated: numbers over all families in turn.
        limit_s: after so many seconds of generating, go on with what there is.
    """
    catalogue = load_catalogue(pack) if pack else Things([], [])
    wanted = [(FAMILIES[i % len(FAMILIES)], i // len(FAMILIES)) for i in generated]
    checks = [(name, FIRST_VALIDATION_NUMBER + i) for name in FAMILIES for i in range(held_out_each)] if wanted else []
    start = time.monotonic()
    shapes, failed, unfinished = generate_all(checks + wanted, workers, limit_s)
    took = time.monotonic() - start
    for name, reason in failed:
        say(f"left out {name}: {reason}")
    say(
        f"generated {len(shapes)} of {len(checks) + len(wanted)} shapes of {len(FAMILIES)} families in {took:.1f} s on "
        f"{workers} workers ({1000 * took * workers / max(1, len(shapes)):.0f} ms each); {len(failed)} failed, "
        f"{unfinished} not finished in time"
    )
    say(f"catalogue: {len(catalogue.train)} to train on, {len(catalogue.held_out)} held out")
    made = divided(shapes)
    return Things(catalogue.train + made.train, catalogue.held_out + made.held_out)


def load_catalogue(pack: Path) -> Things:
    from training.pack import load

    return divided(load(pack))


def divided(shapes: list[Shape]) -> Things:
    return Things([s for s in shapes if not held_out(s.name)], [s for s in shapes if held_out(s.name)])


def generate_all(
    wanted: list[tuple[str, int]], workers: int, limit_s: float
) -> tuple[list[Shape], list[tuple[str, str]], int]:
    """(shapes in name order, (name, reason) of each that failed, how many were not finished)."""
    if not wanted:
        return [], [], 0
    shapes, failed = [], []
    deadline = time.monotonic() + limit_s
    # Forked workers start in milliseconds; the caller has not touched CUDA yet.
    with multiprocessing.get_context("fork").Pool(workers, one_thread) as pool:
        answers = pool.imap_unordered(attempt, wanted)  # chunks would hide next's timeout
        for _ in wanted:
            left = deadline - time.monotonic()
            if left <= 0:  # a timeout alone would never come while answers keep coming
                break
            try:
                name, answer = answers.next(timeout=left)
            except multiprocessing.TimeoutError:
                break
            if isinstance(answer, Shape):
                shapes.append(answer)
            else:
                failed.append((name, answer))
        pool.terminate()
    shapes.sort(key=lambda shape: shape.name)
    return shapes, sorted(failed), len(wanted) - len(shapes) - len(failed)


def one_thread() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def attempt(wanted: tuple[str, int]) -> tuple[str, Shape | str]:
    """(name, the shape or why there is none)."""
    family, number = wanted
    name = f"{family}/{number:06d}"
    try:
        shape = laid_down(generate(family, number), family, number)
    except Exception as error:  # noqa: BLE001 - one bad shape of thousands must not end the run; it is logged by name
        return name, f"{type(error).__name__}: {error}"
    if reason := unusable(shape):
        return name, reason
    return name, replace(shape, family=OWN + family)


def unusable(shape: Shape) -> str:
    """Why a shape cannot be trained on, "" where it can."""
    if not len(shape.faces) or not len(shape.vertices):
        return "no faces"
    if not np.isfinite(shape.vertices).all():
        return "vertices that are no numbers"
    if shape.faces.min() < 0 or shape.faces.max() >= len(shape.vertices):
        return "faces that point outside the vertices"
    if len(shape.faces) > MOST_FACES:
        return f"{len(shape.faces)} faces, over {MOST_FACES}"
    return ""


def view_weights(families_of_shapes: list[str], often: dict[str, float] | None = None) -> np.ndarray:
    """(shapes,) float64 that sum to 1: how often each shape is looked at, by the families of all.

    Args:
        often: generated families that are looked at so many times as often as the others.
    """
    generated = [family if family.startswith(OWN) else "" for family in families_of_shapes]
    families = sorted({family for family in generated if family})
    catalogue_share = CATALOGUE_SHARE if families else 1.0
    own_share = 1.0 - CATALOGUE_SHARE if "" in generated else 1.0
    parts = {family: (often or {}).get(family.removeprefix(OWN), 1.0) for family in families}
    total = max(sum(parts.values()), 1e-9)
    shares = {family: own_share * part / total for family, part in parts.items()} | {"": catalogue_share}
    counts = {family: generated.count(family) for family in {*generated}}
    return np.array([shares[family] / counts[family] for family in generated])
