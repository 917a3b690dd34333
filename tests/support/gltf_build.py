"""Small GLB files made by hand, so that each test decides every byte of its input."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class GltfBuilder:
    """Collects arrays as accessors; ``document`` is filled in by the test."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.document: dict[str, Any] = {"asset": {"version": "2.0"}, "accessors": [], "bufferViews": []}

    def view(self, data: bytes) -> int:
        """Add bytes; returns the buffer view."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.document["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data
        return len(self.document["bufferViews"]) - 1

    def accessor(self, values: NDArray[Any], *, normalized: bool = False) -> int:
        """Add an array (n, width) or (n,); returns the accessor."""
        rows = np.ascontiguousarray(values.reshape(len(values), -1))
        entry: dict[str, Any] = {
            "bufferView": self.view(rows.tobytes()),
            "componentType": COMPONENTS[rows.dtype.str[1:]],
            "count": len(rows),
            "type": KINDS[rows.shape[1]],
        }
        if normalized:
            entry["normalized"] = True
        if rows.shape[1] == 3:
            entry["min"], entry["max"] = rows.min(axis=0).tolist(), rows.max(axis=0).tolist()
        self.document["accessors"].append(entry)
        return len(self.document["accessors"]) - 1

    def to_bytes(self, **tables: Any) -> bytes:
        """The file, with these tables added to the document."""
        document = self.document | tables
        document.setdefault("scenes", [{"nodes": [0]}])
        document.setdefault("nodes", [{"mesh": 0}])
        if self.binary:
            document["buffers"] = [{"byteLength": len(self.binary)}]
        document = {key: value for key, value in document.items() if value != []}
        text = json.dumps(document).encode()
        text += b" " * (-len(text) % 4)
        chunks = [struct.pack("<II", len(text), 0x4E4F534A), text]
        if self.binary:
            body = bytes(self.binary) + b"\0" * (-len(self.binary) % 4)
            chunks += [struct.pack("<II", len(body), 0x004E4942), body]
        return b"".join([struct.pack("<III", 0x46546C67, 2, 12 + sum(map(len, chunks))), *chunks])


def box(size: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint16]]:
    """A box with flat normals and a layout of its own, one cell of a 3 x 2 grid for each side.

    Returns:
        Positions (24, 3), normals (24, 3), texture coordinates (24, 2), indices (36,).
    """
    positions, normals, uv, faces = [], [], [], []
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    for side in range(6):
        axis, sign = side // 2, 1 - 2 * (side % 2)
        corner = np.zeros((4, 3), np.float32)
        corner[:, axis] = sign
        corner[:, (axis + 1) % 3], corner[:, (axis + 2) % 3] = square[:, 0] * sign, square[:, 1]
        positions.append(corner * size / 2)
        normals.append(np.tile(np.eye(3, dtype=np.float32)[axis] * sign, (4, 1)))
        cell = np.array([side % 3, side // 3], np.float32)
        uv.append((cell + 0.5 + square * 0.45) / (3, 2))
        faces.append(np.array([[0, 1, 2], [0, 2, 3]]) + 4 * side)
    stacked = [np.concatenate(rows).astype(np.float32) for rows in (positions, normals, uv)]
    return stacked[0], stacked[1], stacked[2], np.concatenate(faces).astype(np.uint16).reshape(-1)


def box_primitive(build: GltfBuilder, size: float = 1.0, **more: Any) -> dict[str, Any]:
    """A primitive with the box's positions, normals, coordinates and indices."""
    positions, normals, uv, faces = box(size)
    attributes = {
        "POSITION": build.accessor(positions),
        "NORMAL": build.accessor(normals),
        "TEXCOORD_0": build.accessor(uv),
    }
    return {"attributes": attributes, "indices": build.accessor(faces), **more}
