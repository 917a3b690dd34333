"""What the average network does on views of shapes that it never trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from manymesh.shape.learned import contract
from training.batch import Batch
from training.losses import bin_middles
from training.network import Network

THRESHOLD = 0.4
"""Occupancy that counts as solid: where the intersection over union is best (a first study: 0.3 and 0.5 are worse)."""
NEAR_ENOUGH_DEGREES = 20.0
STEEP_DEGREES = 45.0
STEEP = "steep"
"""The group of all views from higher above than that."""

METRICS = (
    "iou",
    "front_l1",
    "back_l1",
    "elevation_degrees",
    "elevation_spread",
    "fov_error",
    "centre_l1",
    "azimuth_degrees",
    "azimuth_near",
    "symmetry_right",
)


@dataclass(frozen=True)
class Views:
    """Fixed views, rendered once.

    Attributes:
        batches: what the network sees and should answer.
        groups: for each view of all batches in a row, its family.
    """

    batches: list[Batch]
    groups: list[str]


@torch.no_grad()
def validate(network: Network, views: Views, bfloat16: bool) -> dict[str, dict[str, float]]:
    """Means (and the median elevation error) by family, over all as "all", and over steep views; network in
    evaluation mode."""
    rows = []
    for batch in views.batches:
        image = batch.image.float().contiguous(memory_format=torch.channels_last)
        with torch.autocast(image.device.type, torch.bfloat16, enabled=bfloat16):
            logits, surface, pose = network(image)
        found = measures(logits, surface, pose, batch)
        rows.append(torch.stack([column.float() for column in found.values()], 1))
    table = torch.cat(rows).cpu()
    members: dict[str, list[int]] = {"all": list(range(len(views.groups)))}
    for index, group in enumerate(views.groups):
        members.setdefault(group, []).append(index)
    elevations = torch.cat([batch.elevation for batch in views.batches]).rad2deg()
    if steep := torch.nonzero(elevations > STEEP_DEGREES).flatten().tolist():
        members[STEEP] = steep
    return {group: summary(table[indices]) for group, indices in sorted(members.items())}


def summary(table: torch.Tensor) -> dict[str, float]:
    """One family's views (n, len(METRICS)) in numbers; a metric that no view has is left out."""
    found: dict[str, float] = {"views": len(table)}
    for name, column in zip(METRICS, table.T, strict=True):
        if torch.isfinite(column).any():
            found[name] = round(float(column.nanmean()), 5)
    found["elevation_median"] = round(float(table[:, METRICS.index("elevation_degrees")].median()), 5)
    return found


def measures(logits: torch.Tensor, surface: torch.Tensor, pose: torch.Tensor, batch: Batch) -> dict[str, torch.Tensor]:
    """Each of METRICS for each view, (n,); not a number where the view has no truth for it."""
    logits, surface, pose = logits.float(), surface.float(), pose.float()
    inside, pixels = batch.inside, batch.inside.sum((1, 2)).clamp(min=1)
    solid = (torch.sigmoid(logits) > THRESHOLD) & inside.unsqueeze(1)
    true = (batch.occupancy > 127) & inside.unsqueeze(1)
    shared, either = (solid & true).sum((1, 2, 3)), (solid | true).sum((1, 2, 3)).clamp(min=1)

    def surface_l1(channel: int, truth: torch.Tensor) -> torch.Tensor:
        return torch.where(inside, (surface[:, channel] - truth).abs(), 0.0).sum((1, 2)) / pixels

    elevation_error = (pose[:, contract.ELEVATION] - batch.elevation).abs()
    deviation = torch.exp(0.5 * pose[:, contract.ELEVATION_LOG_VARIANCE])
    away = pose_azimuth(pose) - batch.azimuth
    azimuth_error = torch.atan2(torch.sin(away), torch.cos(away)).abs().rad2deg()
    unknown = torch.where(batch.azimuth_known, 0.0, torch.nan)
    return {
        "iou": shared / either,
        "front_l1": surface_l1(contract.FRONT_DEPTH, batch.front_depth),
        "back_l1": surface_l1(contract.BACK_DEPTH, batch.back_depth),
        "elevation_degrees": elevation_error.rad2deg(),
        "elevation_spread": (elevation_error / deviation).square(),
        "fov_error": (pose[:, contract.LOG_TAN_HALF_FOV] - batch.log_tan_half_fov).abs(),
        "centre_l1": (pose[:, contract.CENTRE] - batch.centre).abs().mean(1),
        "azimuth_degrees": azimuth_error + unknown,
        "azimuth_near": (azimuth_error < NEAR_ENOUGH_DEGREES).float() + unknown,
        "symmetry_right": ((pose[:, contract.SYMMETRY] > 0) == batch.symmetric).float(),
    }


def pose_azimuth(pose: torch.Tensor) -> torch.Tensor:
    """(n,) radians: the likeliest bin, moved by the weighted mean of it and its two neighbours."""
    chances = torch.softmax(pose[:, contract.AZIMUTH], 1)
    best = chances.argmax(1)
    step = 2 * math.pi / contract.AZIMUTH_BINS
    near = torch.stack([chances.gather(1, ((best + k) % contract.AZIMUTH_BINS).unsqueeze(1)) for k in (-1, 0, 1)], 1)
    near = near.squeeze(2)
    return bin_middles(pose.device)[best] + step * (near[:, 2] - near[:, 0]) / near.sum(1)
