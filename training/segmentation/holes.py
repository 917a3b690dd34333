"""Holes of objects: the background that is seen through rings, frames and handles."""

from __future__ import annotations

import torch

FIELD = 32
"""More than there are numbers of things."""


def holes(owner: torch.Tensor) -> torch.Tensor:
    """(n, h, w) bool: background that has the same object next to the left, to the right, above and below.

    Args:
        owner: (n, h, w) int64 number of the object, -1 the background.
    """
    before, after = _next_along(owner, 2)
    above, below = _next_along(owner, 1)
    return (owner < 0) & (before >= 0) & (before == after) & (before == above) & (before == below)


def _next_along(owner: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest object before and after each pixel along an axis, -1 for none."""
    shape = [1, 1, 1]
    shape[axis] = -1
    place = torch.arange(owner.shape[axis], device=owner.device, dtype=torch.int32).view(shape)
    numbers = owner.to(torch.int32)

    def last(values: torch.Tensor) -> torch.Tensor:
        # The largest code so far is that of the last place with an object.
        code = torch.where(values >= 0, (place + 1) * FIELD + values, -1)
        found = torch.cummax(code, axis).values
        return torch.where(found >= 0, found % FIELD, -1)

    return last(numbers), last(numbers.flip(axis)).flip(axis)
