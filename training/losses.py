"""What the network is trained to get right. Every term is about 0 when the answer is the truth (variances apart).

All arithmetic is float32, whatever autocast made of the network's outputs. Nothing outside the silhouette counts: the
picture's alpha already says that those columns are empty. Frames: manymesh.shape.learned.contract.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch.nn import functional

from manymesh.shape.learned import contract
from training.batch import Batch

TERMS = (
    "occupancy",
    "dice",
    "hit",
    "front_depth",
    "back_depth",
    "normal",
    "back_color",
    "elevation",
    "field_of_view",
    "variance",
    "azimuth",
    "centre",
    "symmetry",
)
LOG_VARIANCE_RANGE = (-7.5, 1.0)
"""Standard deviations from 1.3 degrees (of elevation) up to more than anything can be wrong by."""


@dataclass(frozen=True)
class Weights:
    """What each term counts, and the two settings of the thin-part weighting.

    Attributes:
        variance: of the negative log likelihood of elevation and field of view. It teaches the variances alone (the
            error in it is detached), so a sure but wrong picture cannot outweigh the rest.
        thin_most: how many times a thin column's cross-entropy counts at most; 1 switches the weighting off.
        thin_voxels: columns with at least this many solid voxels count once, with half of it twice, and so on.
    """

    occupancy: float = 2.0
    dice: float = 0.5
    hit: float = 0.15
    front_depth: float = 0.6
    back_depth: float = 0.4
    normal: float = 0.1
    back_color: float = 0.2
    elevation: float = 0.5
    field_of_view: float = 0.1
    variance: float = 0.03
    azimuth: float = 0.1
    centre: float = 0.3
    symmetry: float = 0.1
    thin_most: float = 2.0
    thin_voxels: float = 6.0


SOFT_DEGREES = 8.0
"""Width of the wrapped Gaussian that an azimuth's soft bins are."""
SOLID_ENOUGH = 0.3
"""A column whose fullest voxel holds this much has something to hit; a thin sheet never fills a voxel."""


def losses(
    answers: tuple[torch.Tensor, torch.Tensor, torch.Tensor], truth: dict[str, torch.Tensor], weights: Weights
) -> tuple[torch.Tensor, torch.Tensor]:
    """(weighted total, each of TERMS unweighted). ``truth``: as_dict of a Batch."""
    logits, surface, pose = (answer.float() for answer in answers)
    inside = truth["inside"]
    terms = {
        **volume_terms(logits, truth["occupancy"], inside, weights),
        **surface_terms(surface, truth, inside),
        **pose_terms(pose, truth),
    }
    total = torch.stack([getattr(weights, name) * terms[name] for name in TERMS]).sum()
    return total, torch.stack([terms[name] for name in TERMS]).detach()


def as_dict(batch: Batch) -> dict[str, torch.Tensor]:
    """The batch's fields by name, without copying: what compiled code takes."""
    return {field.name: getattr(batch, field.name) for field in fields(batch)}


def mean_over(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of ``values`` where ``mask`` (of the same shape) is set; 0 where it is nowhere set."""
    mask = mask.float()
    return (values * mask).sum() / mask.sum().clamp(min=1.0)


def volume_terms(
    logits: torch.Tensor, occupancy: torch.Tensor, inside: torch.Tensor, weights: Weights
) -> dict[str, torch.Tensor]:
    target = occupancy.float() / 255.0
    silhouette = inside.unsqueeze(1)
    solid = target.sum(1)
    thin = (weights.thin_voxels / solid.clamp(min=0.5)).clamp(1.0, weights.thin_most) * inside.float()

    softplus = functional.softplus(logits)
    cross_entropy = ((softplus - logits * target).mean(1) * thin).sum() / thin.sum().clamp(min=1.0)

    probability = torch.sigmoid(logits) * silhouette.float()
    shared = (probability * target).sum((1, 2, 3))
    either = probability.sum((1, 2, 3)) + (target * silhouette.float()).sum((1, 2, 3))
    dice = 1.0 - (2.0 * shared + 1.0) / (either + 1.0)

    # The chance that a ray through the column hits anything is 1 - prod(1 - p) = 1 - exp(-sum softplus(logit)).
    missed = torch.log(-torch.expm1(-softplus.sum(1).clamp(min=1e-6)))
    hit = mean_over(-missed, inside & (target.amax(1) >= SOLID_ENOUGH))
    return {"occupancy": cross_entropy, "dice": dice.mean(), "hit": hit}


def surface_terms(
    surface: torch.Tensor, truth: dict[str, torch.Tensor], inside: torch.Tensor
) -> dict[str, torch.Tensor]:
    def off_by(answer: torch.Tensor, name: str) -> torch.Tensor:
        # Outside the silhouette the truth is undefined, perhaps not a number: replaced before it meets any arithmetic.
        wanted = torch.where(inside, truth[name].float(), 0.0)
        return mean_over((answer - wanted).abs(), inside)

    silhouette = inside.unsqueeze(1)
    normal = torch.where(silhouette, truth["front_normal"].float(), 0.0)
    color = torch.where(silhouette, truth["back_color"].float(), 0.0)
    alike = (functional.normalize(surface[:, contract.FRONT_NORMAL], dim=1, eps=1e-4) * normal).sum(1)
    return {
        "front_depth": off_by(surface[:, contract.FRONT_DEPTH], "front_depth"),
        "back_depth": off_by(surface[:, contract.BACK_DEPTH], "back_depth"),
        "normal": mean_over(1.0 - alike, inside),
        "back_color": mean_over((surface[:, contract.BACK_COLOR] - color).abs().mean(1), inside),
    }


def pose_terms(pose: torch.Tensor, truth: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    elevation_error = pose[:, contract.ELEVATION] - truth["elevation"]
    view_error = pose[:, contract.LOG_TAN_HALF_FOV] - truth["log_tan_half_fov"]
    unsure = gaussian_nll(elevation_error.detach(), pose[:, contract.ELEVATION_LOG_VARIANCE]) + gaussian_nll(
        view_error.detach(), pose[:, contract.LOG_TAN_HALF_FOV_LOG_VARIANCE]
    )
    bins = soft_bins(truth["azimuth"])
    surprise = (bins * (torch.log(bins + 1e-9) - functional.log_softmax(pose[:, contract.AZIMUTH], dim=1))).sum(1)
    symmetry = functional.binary_cross_entropy_with_logits(pose[:, contract.SYMMETRY], truth["symmetric"].float())
    return {
        "elevation": elevation_error.abs().mean(),
        "field_of_view": view_error.abs().mean(),
        "variance": unsure.mean(),
        "azimuth": mean_over(surprise, truth["azimuth_known"]),
        "centre": (pose[:, contract.CENTRE] - truth["centre"]).abs().mean(),
        "symmetry": symmetry,
    }


def gaussian_nll(error: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    log_variance = log_variance.clamp(*LOG_VARIANCE_RANGE)
    return 0.5 * (error.square() * torch.exp(-log_variance) + log_variance)


def bin_middles(device: torch.device | None = None) -> torch.Tensor:
    """(AZIMUTH_BINS,) radians."""
    step = 2 * math.pi / contract.AZIMUTH_BINS
    return (torch.arange(contract.AZIMUTH_BINS, device=device) + 0.5) * step - math.pi


def soft_bins(azimuth: torch.Tensor) -> torch.Tensor:
    """(n,) radians -> (n, AZIMUTH_BINS), each row a wrapped Gaussian around its azimuth that sums to 1."""
    away = azimuth.unsqueeze(1) - bin_middles(azimuth.device)
    away = torch.atan2(torch.sin(away), torch.cos(away))
    return torch.softmax(-0.5 * (away / math.radians(SOFT_DEGREES)) ** 2, dim=1)
