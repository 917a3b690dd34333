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
BLOB_PX = 10.0
"""Standard deviation, at full size, of the spot that marks a thing's middle."""


def losses(
    mask: torch.Tensor, middles: torch.Tensor, alpha: torch.Tensor, owner: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted total, each of TERMS).

    Args:
        mask: (n, 1, h, w) logits; middles: (n, 3, h/4, w/4), see ``Finder``.
        alpha: (n, h, w) coverage by things; owner: (n, h, w) int64 number of the thing, -1 the ground.
    """
    logits, middles = mask.float()[:, 0], middles.float()
    solid = (alpha[:, None] >= 0.5).float()
    reach = 2 * RIM_PX + 1
    highest = functional.max_pool2d(solid, reach, 1, RIM_PX)[:, 0]
    lowest = -functional.max_pool2d(-solid, reach, 1, RIM_PX)[:, 0]
    weight = 1 + (RIM_WEIGHT - 1) * (highest - lowest)
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
    n, height, width = small.shape
    rows, columns = (torch.arange(side, device=owner.device).float() * 4 + 2 for side in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    blobs = torch.zeros((n, height, width), device=owner.device)
    way = torch.zeros((n, 2, height, width), device=owner.device)
    for number in range(MOST):
        here = (small == number).float()
        count = here.sum((1, 2))
        cx = ((here * x).sum((1, 2)) / count.clamp(min=1))[:, None, None]
        cy = ((here * y).sum((1, 2)) / count.clamp(min=1))[:, None, None]
        spot = torch.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * BLOB_PX**2)) * (count > 0)[:, None, None]
        blobs = torch.maximum(blobs, spot)
        way = way + here[:, None] * torch.stack([cx - x, cy - y], 1) / TO_MIDDLE_UNIT
    return blobs, way, (small >= 0).float()
