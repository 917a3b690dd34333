"""The vertices of a glTF primitive as they are shown: morph targets, nodes and skins applied."""

from __future__ import annotations

from typing import Any

import numpy as np

from manymesh.mesh.formats.gltf import Gltf
from manymesh.mesh.formats.gltf_nodes import world_matrices
from manymesh.mesh.formats.user_mesh import DamagedFileError
from manymesh.types import F64


def attribute_of(source: Gltf, attributes: dict[str, Any], name: str, count: int, width: int) -> F64 | None:
    """(count, width) of an attribute, None where the primitive lacks it."""
    if name not in attributes:
        return None
    values = source.numbers(attributes[name])
    if values.shape != (count, width):
        raise DamagedFileError(f"has {len(values)} values as {name} for {count} vertices")
    return values


def morphed(
    source: Gltf,
    node: dict[str, Any],
    mesh: dict[str, Any],
    primitive: dict[str, Any],
    positions: F64,
    normals: F64 | None,
) -> tuple[F64, F64 | None]:
    """Positions and normals with the morph targets that are on."""
    targets = primitive.get("targets", [])
    weights = node.get("weights", mesh.get("weights", []))
    for target, weight in zip(targets, weights, strict=False):
        if not weight:
            continue
        moved = attribute_of(source, target, "POSITION", len(positions), 3)
        turned = attribute_of(source, target, "NORMAL", len(positions), 3)
        if moved is not None:
            positions = positions + float(weight) * moved
        if turned is not None and normals is not None:
            normals = normals + float(weight) * turned
    return positions, normals


def moved_by(matrix: F64, positions: F64, normals: F64 | None) -> tuple[F64, F64 | None]:
    """Positions and normals under a matrix."""
    linear = matrix[:3, :3]
    moved = positions @ linear.T + matrix[:3, 3]
    return moved, None if normals is None else normals @ _cofactors(linear).T


def _cofactors(linear: F64) -> F64:
    """What turns normals under a linear map: its inverse transposed times its determinant, which is never singular."""
    a, b, c = linear
    made: F64 = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)]) * np.sign(np.linalg.det(linear) or 1.0)
    return made


def skinned(
    source: Gltf, skin: Any, attributes: dict[str, Any], positions: F64, normals: F64 | None
) -> tuple[F64, F64 | None, bool]:
    """Positions and normals as the skin's joints hold them; the mesh's own node does not move them (3.7.3.3)."""
    entry = source.item("skins", skin)
    joints = entry["joints"]
    world = world_matrices(source)
    bones = np.stack([world.get(joint, np.eye(4)) for joint in joints])
    if "inverseBindMatrices" in entry:
        inverse = source.numbers(entry["inverseBindMatrices"])
        if inverse.shape[0] < len(joints) or inverse.shape[1] != 16:
            raise DamagedFileError("has a skin with fewer matrices than joints")
        bones = bones @ inverse[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)
    count = len(positions)
    total = np.zeros((count, 3, 4))
    weight_sum = np.zeros(count)
    for number in range(16):
        if f"JOINTS_{number}" not in attributes:
            break
        index = attribute_of(source, attributes, f"JOINTS_{number}", count, 4)
        weight = attribute_of(source, attributes, f"WEIGHTS_{number}", count, 4)
        if index is None or weight is None:
            raise DamagedFileError("has joints without weights")
        index = index.astype(np.int64)
        if index.size and int(np.where(weight > 0, index, 0).max()) >= len(joints):
            raise DamagedFileError("has vertices on joints that its skin lacks")
        for corner in range(4):
            share = weight[:, corner]
            held = np.where(share > 0, index[:, corner], 0)
            total += share[:, None, None] * bones[held, :3]
            weight_sum += share
    total /= np.where(weight_sum > 0, weight_sum, 1.0)[:, None, None]
    total[weight_sum <= 0] = np.eye(4)[:3]
    moved = np.einsum("nij,nj->ni", total[:, :, :3], positions) + total[:, :, 3]
    linear = total[:, :, :3]
    if normals is not None:
        normals = np.einsum("nij,nj->ni", linear, normals)
    mirrored = count > 0 and float(np.median(np.linalg.det(linear))) < 0
    return moved, normals, mirrored
