"""What the segmentation network learns to get right: the mask, objects' centres, each pixel's offset to its own."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.scenes.layout import MOST
from training.segmentation.network import CENTRE_LOGIT, TO_CENTRE, TO_CENTRE_UNIT

TERMS = ("mask", "dice", "middle", "way")
SHARES = (1.0, 0.5, 4.0, 0.5)
EDGE_WEIGHT = 3.0
"""How many times a pixel counts that has both object and background within EDGE_PX."""
EDGE_PX = 5
HOLE_WEIGHT = 2.0
"""How many times a pixel counts that shows the background through an object's hole."""
BLOB_PX = 10.0
"""Standard deviation, at full size, of the spot that marks an object's centre."""


def losses(
    mask: torch.Tensor, middles: torch.Tensor, alpha: torch.Tensor, owner: torch.Tensor, opened: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted total, each of TERMS).

    Args:
        mask: (n, 1, h, w) logits; middles: (n, 3, h/4, w/4), see ``SegmentationNetwork``.
        alpha: (n, h, w) coverage by objects; owner: (n, h, w) int64 number of the object, -1 the background.
        opened: (n, h, w) bool, see ``holes``.
    """
    logits, middles = mask.float()[:, 0], middles.float()
    solid = (alpha[:, None] >= 0.5).float()
    reach = 2 * EDGE_PX + 1
    highest = functional.max_pool2d(solid, reach, 1, EDGE_PX)[:, 0]
    lowest = -functional.max_pool2d(-solid, reach, 1, EDGE_PX)[:, 0]
    weight = 1 + (EDGE_WEIGHT - 1) * (highest - lowest)
    weight = torch.where(opened, weight.clamp(min=HOLE_WEIGHT), weight)
    cross = functional.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    share = torch.sigmoid(logits)
    shared, either = (share * alpha).sum((1, 2)), share.sum((1, 2)) + alpha.sum((1, 2))
    dice = 1 - (2 * shared + 20) / (either + 20)
    blobs, way, own = centre_truth(owner)
    spot = functional.binary_cross_entropy_with_logits(middles[:, CENTRE_LOGIT], blobs, reduction="none")
    off = (middles[:, TO_CENTRE] - way).abs().sum(1) * own
    terms = torch.stack(
        [
            (cross * weight).sum() / weight.sum(),
            dice.mean(),
            (spot * (1 + 10 * blobs)).mean(),
            off.sum() / own.sum().clamp(min=1),
        ]
    )
    return (terms * terms.new_tensor(SHARES)).sum(), terms.detach()


def centre_truth(owner: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """At a quarter of the size: spots at centres (n, h, w), offsets to them (n, 2, h, w), where objects are (n, h, w).

    An object's centre is the mean of its visible pixels.
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
    return blobs, torch.stack([to_x, to_y], 1) * own[:, None] / TO_CENTRE_UNIT, own
