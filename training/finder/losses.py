"""What the finder is trained to get right: the mask, things' middles, and each pixel's way to its own."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.finder.network import MIDDLE_LOGIT, TO_MIDDLE, TO_MIDDLE_UNIT
from training.scenes.layout import MOST

TERMS = ("mask", "dice", "middle", "way")
SHARES = (1.0, 0.5, 4.0, 0.5)
RIM_WEIGHT = 3.0
"""How many times a pixel counts that has both thing and ground within RIM_PX."""
RIM_PX = 5
OPENING_WEIGHT = 2.0
"""How many times a pixel counts that shows the ground through a thing's opening."""
BLOB_PX = 10.0
"""Standard deviation, at full size, of the spot that marks a thing's middle."""


def losses(
    mask: torch.Tensor, middles: torch.Tensor, alpha: torch.Tensor, owner: torch.Tensor, opened: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted total, each of TERMS).

    Args:
        mask: (n, 1, h, w) logits; middles: (n, 3, h/4, w/4), see ``Finder``.
        alpha: (n, h, w) coverage by things; owner: (n, h, w) int64 number of the thing, -1 the ground.
        opened: (n, h, w) bool, see ``openings``.
    """
    logits, middles = mask.float()[:, 0], middles.float()
    solid = (alpha[:, None] >= 0.5).float()
    reach = 2 * RIM_PX + 1
    highest = functional.max_pool2d(solid, reach, 1, RIM_PX)[:, 0]
    lowest = -functional.max_pool2d(-solid, reach, 1, RIM_PX)[:, 0]
    weight = 1 + (RIM_WEIGHT - 1) * (highest - lowest)
    weight = torch.where(opened, weight.clamp(min=OPENING_WEIGHT), weight)
    cross = functional.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    share = torch.sigmoid(logits)
    shared, either = (share * alpha).sum((1, 2)), share.sum((1, 2)) + alpha.sum((1, 2))
    dice = 1 - (2 * shared + 20) / (either + 20)
    blobs, way, own = middle_truth(owner)
    spot = functional.binary_cross_entropy_with_logits(middles[:, MIDDLE_LOGIT], blobs, reduction="none")
    off = (middles[:, TO_MIDDLE] - way).abs().sum(1) * own
    terms = torch.stack(
        [
            (cross * weight).sum() / weight.sum(),
            dice.mean(),
            (spot * (1 + 10 * blobs)).mean(),
            off.sum() / own.sum().clamp(min=1),
        ]
    )
    return (terms * terms.new_tensor(SHARES)).sum(), terms.detach()


def middle_truth(owner: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """At a quarter of the size: spots at the middles (n, h, w), ways to them (n, 2, h, w), where things are (n, h, w).

    A thing's middle is the mean of its visible pixels.
    """
    small = owner[:, 2::4, 2::4]
    rows, columns = (torch.arange(side, device=owner.device).float() * 4 + 2 for side in small.shape[1:])
    y, x = rows[:, None], columns[None, :]
    numbers = torch.arange(MOST, device=owner.device)[None, :, None, None]
    here = (small[:, None] == numbers).float()  # (n, MOST, h, w)
    count = here.sum((2, 3))
    cx, cy = ((here * place).sum((2, 3)) / count.clamp(min=1) for place in (x, y))
    squared = (x - cx[..., None, None]) ** 2 + (y - cy[..., None, None]) ** 2
    blobs = (torch.exp(-squared / (2 * BLOB_PX**2)) * (count > 0)[..., None, None]).amax(1)
    own = (small >= 0).float()
    mine = small.clamp(min=0).flatten(1)
    to_x, to_y = (c.gather(1, mine).view_as(own) - place for c, place in ((cx, x), (cy, y)))
    return blobs, torch.stack([to_x, to_y], 1) * own[:, None] / TO_MIDDLE_UNIT, own
