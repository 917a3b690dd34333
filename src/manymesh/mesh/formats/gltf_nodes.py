"""Where the nodes of a glTF file put its meshes: matrices to the scene, and instances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from manymesh.mesh.formats.gltf import Gltf, whole
from manymesh.mesh.formats.user_mesh import DamagedFileError
from manymesh.types import F64

INSTANCING = "EXT_mesh_gpu_instancing"
# The deepest chain of nodes. Chosen by hand: rigs have about 100, and a longer one is a mistake or an attack.
MAX_DEPTH = 1000
# How often the scene may show meshes, all nodes and their instances together: a small file can claim any number. Chosen
# by hand.
MAX_INSTANCES = 100_000


def placed_meshes(source: Gltf) -> list[tuple[dict[str, Any], int, F64]]:
    """(node, mesh number, (4, 4) matrix to the scene) of everything the scene shows, in the order of a walk.

    Raises:
        DamagedFileError: it shows meshes more than ``MAX_INSTANCES`` times.
    """
    placed = list(islice(_placed(source), MAX_INSTANCES + 1))
    if len(placed) > MAX_INSTANCES:
        raise DamagedFileError(f"shows meshes more than {MAX_INSTANCES:,} times")
    return placed


def _placed(source: Gltf) -> Iterator[tuple[dict[str, Any], int, F64]]:
    for number, matrix in _walk(source):
        node = source.item("nodes", number)
        if "mesh" not in node:
            continue
        mesh = whole(node["mesh"], "mesh")
        instancing = node.get("extensions", {}).get(INSTANCING)
        for instance in _instances(source, instancing) if instancing else [np.eye(4)]:
            yield node, mesh, matrix @ instance


def _walk(source: Gltf) -> Iterator[tuple[int, F64]]:
    """Every node of the default scene with its matrix, parents first."""
    seen: set[int] = set()
    waiting = [(number, np.eye(4), 0) for number in reversed(_roots(source))]
    while waiting:
        number, above, depth = waiting.pop()
        node = source.item("nodes", number)
        if number in seen or depth > MAX_DEPTH:
            raise DamagedFileError("has nodes that contain one another")
        seen.add(number)
        if node.get("extensions", {}).get("KHR_node_visibility", {}).get("visible") is False:
            continue
        matrix = above @ local_matrix(node)
        yield number, matrix
        waiting += [(child, matrix, depth + 1) for child in reversed(node.get("children", []))]


def _roots(source: Gltf) -> list[int]:
    """The roots of the scene that viewers show; all roots where a file has no scene."""
    scenes = source.document.get("scenes", [])
    if scenes:
        return list(source.item("scenes", source.document.get("scene", 0)).get("nodes", []))
    nodes = source.document.get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    return [number for number in range(len(nodes)) if number not in children]


def local_matrix(node: dict[str, Any]) -> F64:
    """(4, 4) float64: a node's frame to its parent's."""
    if "matrix" in node:
        matrix = np.array(node["matrix"], np.float64)
        if matrix.shape != (16,):
            raise DamagedFileError("has a node matrix that is not 16 numbers")
        return matrix.reshape(4, 4).T
    return _from_parts(
        np.array(node.get("translation", (0, 0, 0)), np.float64),
        np.array(node.get("rotation", (0, 0, 0, 1)), np.float64),
        np.array(node.get("scale", (1, 1, 1)), np.float64),
    )


def _from_parts(translation: F64, rotation: F64, scale: F64) -> F64:
    """(4, 4) of a shift, a quaternion x, y, z, w, and a scale along each axis."""
    if translation.shape != (3,) or rotation.shape != (4,) or scale.shape != (3,):
        raise DamagedFileError("has a node whose place is not made of 3, 4 and 3 numbers")
    length = math.sqrt(float(rotation @ rotation))
    x, y, z, w = rotation / length if length > 0 else (0.0, 0.0, 0.0, 1.0)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= scale
    matrix[:3, 3] = translation
    return matrix


def _instances(source: Gltf, instancing: dict[str, Any]) -> list[F64]:
    """The matrices of a node's instances."""
    attributes = instancing["attributes"]
    for number in attributes.values():
        claimed = whole(source.item("accessors", number).get("count"), "count")
        if claimed > MAX_INSTANCES:
            raise DamagedFileError(f"has {claimed:,} instances of one node; the limit is {MAX_INSTANCES:,}")
    found = {
        name: source.numbers(attributes[name]) for name in ("TRANSLATION", "ROTATION", "SCALE") if name in attributes
    }
    count = max((len(values) for values in found.values()), default=0)
    if any(len(values) != count for values in found.values()):
        raise DamagedFileError("has instances with attributes of different lengths")
    usual = {"TRANSLATION": (0.0, 0, 0), "ROTATION": (0.0, 0, 0, 1), "SCALE": (1.0, 1, 1)}
    t, r, s = (found.get(name, np.tile(values, (count, 1))) for name, values in usual.items())
    return [_from_parts(t[i], r[i], s[i]) for i in range(count)]


def world_matrices(source: Gltf) -> dict[int, F64]:
    """Every node's matrix to the scene, also of nodes outside the default scene (joints may be there)."""
    found = dict(_walk(source))
    nodes = source.document.get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    everything = replace(source, document={**source.document, "scenes": []})
    if len(found) < len(nodes) and len(children) < len(nodes):
        found = dict(_walk(everything)) | found
    return found
