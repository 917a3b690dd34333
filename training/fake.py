"""Ellipsoids instead of objects: a batch source that needs no shapes and no renderer, computed analytically.

It follows every rule of a true batch (frames, anchor, alpha, poses), and a network can learn it: colour tells the
direction that a face looks in the object frame, so azimuth and elevation are visible. For smoke runs, timing and tests.
"""

from __future__ import annotations

import math

import torch

from manymesh.shape.learned import contract
from training.batch import Batch

LIGHT = (0.4, 0.6, 0.7)


def fake_batch(count: int, seed: int, device: torch.device) -> Batch:
    """``count`` views of random ellipsoids; equal seeds give equal batches."""
    generator = torch.Generator().manual_seed(seed)

    def between(low: float, high: float, *shape: int) -> torch.Tensor:
        return (low + (high - low) * torch.rand(*shape, generator=generator)).to(device)

    azimuth = between(-math.radians(60), math.radians(60), count)
    elevation = between(math.radians(3), math.radians(32), count)
    tangent = torch.tan(between(math.radians(6), math.radians(20), count))
    radii = between(0.12, 0.36, count, 3)
    turn = camera_axes(azimuth, elevation)

    # The anchor is the mean visible depth: find where it falls for an object at 0, then move the object.
    depth = torch.zeros(count, device=device)
    for _ in range(3):
        near, far, _ = hits(contract.GRID, tangent, radii, turn, depth)
        inside = torch.isfinite(near)
        depth = depth - torch.where(inside, near, 0.0).sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)
    near, far, (right, up) = hits(contract.GRID, tangent, radii, turn, depth)
    inside = torch.isfinite(near)

    _, front_normal = normal_at(right, up, near, tangent, radii, turn, depth)
    back_object, _ = normal_at(right, up, far, tangent, radii, turn, depth)
    step = (contract.FAR - contract.NEAR) / contract.BINS
    middle = contract.NEAR + (torch.arange(contract.BINS, device=device) + 0.5).view(1, -1, 1, 1) * step
    overlap = torch.minimum(far.unsqueeze(1), middle + step / 2) - torch.maximum(near.unsqueeze(1), middle - step / 2)
    occupancy = torch.where(inside.unsqueeze(1), (overlap / step).clamp(0, 1), 0.0)

    fine_near, _, (fine_right, fine_up) = hits(contract.IMAGE_PX, tangent, radii, turn, depth)
    alpha = torch.isfinite(fine_near).unsqueeze(1).float()
    fine_object, fine_normal = normal_at(fine_right, fine_up, fine_near, tangent, radii, turn, depth)
    light = torch.tensor(LIGHT, device=device).view(1, 3, 1, 1)
    shade = 0.55 + 0.45 * (fine_normal * light).sum(1, keepdim=True).clamp(min=0)
    picture = torch.cat([color_of(fine_object) * shade * alpha, alpha], 1)
    return Batch(
        image=torch.nan_to_num(picture),
        occupancy=(occupancy * 255).round().to(torch.uint8),
        inside=inside,
        front_depth=near,
        back_depth=far,
        front_normal=front_normal,
        back_color=color_of(back_object),
        elevation=elevation,
        azimuth=azimuth,
        azimuth_known=torch.ones(count, dtype=torch.bool, device=device),
        log_tan_half_fov=torch.log(tangent),
        centre=torch.stack([torch.zeros_like(depth), torch.zeros_like(depth), depth], 1),
        symmetric=torch.ones(count, dtype=torch.bool, device=device),
        shape_index=torch.arange(count, device=device),
    )


def camera_axes(azimuth: torch.Tensor, elevation: torch.Tensor) -> torch.Tensor:
    """(n, 3, 3): rows are the camera's right, up and towards-the-eye in the object frame."""
    sin_a, cos_a, sin_e, cos_e = azimuth.sin(), azimuth.cos(), elevation.sin(), elevation.cos()
    zero = torch.zeros_like(azimuth)
    right = torch.stack([cos_a, zero, -sin_a], 1)
    up = torch.stack([-sin_a * sin_e, cos_e, -cos_a * sin_e], 1)
    towards = torch.stack([sin_a * cos_e, sin_e, cos_a * cos_e], 1)
    return torch.stack([right, up, towards], 1)


def hits(
    side: int, tangent: torch.Tensor, radii: torch.Tensor, turn: torch.Tensor, depth: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """First and last d on each pixel's ray, (n, side, side), not a number where it misses; and (u, v) of the pixels."""
    line = (torch.arange(side, device=tangent.device) + 0.5) / side - 0.5
    up, right = torch.meshgrid(-line, line, indexing="ij")
    widening = 2 * tangent.view(-1, 1, 1)
    # In crop units the ray is start + d * along, with (x, y, towards the eye) = (u, v, 0) + d (2 t u, 2 t v, -1).
    start = torch.stack(torch.broadcast_tensors(right, up, depth.view(-1, 1, 1)), -1)
    along = torch.stack(torch.broadcast_tensors(right * widening, up * widening, -torch.ones_like(widening)), -1)
    start, along = (torch.einsum("nhwc,ncx->nhwx", value, turn) / radii[:, None, None] for value in (start, along))
    a, b, c = (along * along).sum(-1), (start * along).sum(-1), (start * start).sum(-1) - 1
    root = torch.sqrt(b * b - a * c)  # not a number where the ray misses
    return (-b - root) / a, (-b + root) / a, (right, up)


def normal_at(
    right: torch.Tensor,
    up: torch.Tensor,
    d: torch.Tensor,
    tangent: torch.Tensor,
    radii: torch.Tensor,
    turn: torch.Tensor,
    depth: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit normals at depth d of each ray: (n, 3, side, side) in the object frame and in the camera's."""
    wider = 1 + 2 * d * tangent.view(-1, 1, 1)
    point = torch.stack([right * wider, up * wider, depth.view(-1, 1, 1) - d], -1)
    in_object = torch.einsum("nhwc,ncx->nhwx", point, turn)
    normal = torch.nn.functional.normalize(in_object / radii[:, None, None] ** 2, dim=-1)
    in_camera = torch.einsum("nhwx,ncx->nhwc", normal, turn)
    return normal.permute(0, 3, 1, 2), in_camera.permute(0, 3, 1, 2)


def color_of(normal: torch.Tensor) -> torch.Tensor:
    return 0.5 + 0.45 * normal
