"""What speaks against an object's result, in a sentence each with what to do: for a hint on its card."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from manymesh.errors import ManymeshError
from manymesh.run.artifacts import final_role, load_view
from manymesh.run.folder import Run
from manymesh.run.lifecycle import is_done
from manymesh.run.manifest import ObjectRecord

# A box that comes so close to the photo's edge, in shares of the photo's side, is cut off by it. Chosen by hand.
_EDGE = 0.004
# Share of a cutout's pixels that are neither object nor background. Soft edges of small objects have up to a tenth.
# Chosen by hand; not measured on photographs.
_UNSURE = 0.25
_SOFT = (26, 229)
# Agreement of the mesh's silhouette with the cutout. As for meshes that users bring (``paint.fit``).
_GOOD_IOU = 0.8
_COMPARE_PX = 128


def doubts(run: Run, record: ObjectRecord) -> list[str]:
    """Sentences for people; [] where nothing speaks against the object, or it is not made yet."""
    if record.error is not None or not is_done(record, "shape"):
        return []
    found = []
    width, height = run.manifest.input.width, run.manifest.input.height
    x0, y0, x1, y1 = record.box
    margins = (x0 / width, y0 / height, 1 - x1 / width, 1 - y1 / height)
    if min(margins) <= _EDGE and record.source != "whole photo":
        found.append("The edge of the photo cuts it off, so a part of its shape is a guess.")
    try:
        key = _Key(run, record)
        try:
            soft, iou = _measured(key)
        finally:
            key.release()
    except (ManymeshError, KeyError, ValueError):
        return found  # a file that is gone is told of when the run is resumed
    if soft > _UNSURE:
        found.append("The cut-out is unsure. Draw the box again, or cut it out by hand.")
    if iou is not None and iou < _GOOD_IOU:
        found.append(f"Shape and cut-out agree by only {100 * iou:.0f} %. Another engine may do better.")
    return found


class _Key:
    """A run's object, equal to another whose files are the same."""

    def __init__(self, run: Run, record: ObjectRecord) -> None:
        self.of: tuple[Run, ObjectRecord] | None = (run, record)
        role = final_role(record) if is_done(record, "refine") else ""
        self._same = (record.files["cutout"].sha256, record.files[role].sha256 if role else "", str(record.view))

    def release(self) -> None:
        """Let go of the run: a cache that keeps the key need not keep all that the run holds."""
        self.of = None

    def __hash__(self) -> int:
        return hash(self._same)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._same == other._same


@lru_cache(maxsize=256)
def _measured(key: _Key) -> tuple[float, float | None]:
    """The unsure share of a cutout, and the agreement of the refined mesh with it (None before there is one)."""
    from manymesh.render.silhouette import silhouette_iou

    assert key.of is not None, "the key was released"
    run, record = key.of
    alpha = run.load(record, "cutout").rgba[..., 3]
    object_px = int((alpha >= _SOFT[0]).sum())
    soft = float(((alpha >= _SOFT[0]) & (alpha <= _SOFT[1])).sum() / object_px) if object_px else 1.0
    if not is_done(record, "refine") or record.view is None:
        return soft, None
    mesh = run.load(record, "mesh")
    faces, vertices = np.asarray(mesh.faces), np.asarray(mesh.vertices)
    return soft, silhouette_iou(load_view(record), vertices, faces, alpha, _COMPARE_PX)
