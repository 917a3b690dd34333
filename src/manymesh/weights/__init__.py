"""Weights: what there is (``catalogue``), where it lies (``locate``), how it comes (``download``), whether it is sound
(``verify``; ``deep`` against the networks, ``report`` for sending), how it becomes a network (``load``).

Stages call two functions: ``missing`` before a run, ``require`` when they open. Importing this loads nothing heavy.
"""

from __future__ import annotations

from pathlib import Path

from manymesh.errors import WeightsError
from manymesh.weights.catalogue import MODELS, model
from manymesh.weights.entries import Model
from manymesh.weights.locate import Found, find

__all__ = ["MODELS", "Found", "Model", "find", "missing", "model", "require"]


def missing(model_id: str, weights_dir: Path | None = None) -> str | None:
    """One sentence with the command that brings the model here, or None when it is here."""
    wanted = model(model_id)
    found = find(wanted, weights_dir)
    if found.complete:
        return None
    if weights_dir is not None:
        return (
            f"the weights {wanted.id} are not complete in {weights_dir}: {found.absent[0]} of {wanted.source} is absent"
        )
    return f"the weights {wanted.id} are not here: run 'manymesh models pull {wanted.id}'"


def require(model_id: str, weights_dir: Path | None = None) -> Found:
    """The model's files on this machine. Raises ``WeightsError`` that names the first absent file."""
    wanted = model(model_id)
    found = find(wanted, weights_dir)
    if not found.complete:
        where = f" in {weights_dir}" if weights_dir else ""
        raise WeightsError(
            f"the weights {wanted.id} are not complete{where}: {found.absent[0]} is absent",
            f"Run: manymesh models pull {wanted.id}",
        )
    return found
