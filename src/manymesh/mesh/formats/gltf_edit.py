"""A glTF document while it is changed: what is new in it, and its data kept without gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.gltf import Gltf
from manymesh.mesh.formats.gltf_scene import GltfPart
from manymesh.types import U8


@dataclass(frozen=True)
class Repaint:
    """What is new in the copy.

    Attributes:
        pictures: (T, T, 3) uint8 each.
        picture_of: for each part of the file, which picture its faces show.
        uv: (m, 3, 2) new texture coordinates of all corners in glTF's origin, or None where the file's own are kept.
        turned: (m,) bool, faces to be wound the other way.
        negated: (m,) bool, faces whose authored normals point inwards.
    """

    pictures: Sequence[U8]
    picture_of: Sequence[int]
    uv: NDArray[np.float64] | None
    turned: NDArray[np.bool_]
    negated: NDArray[np.bool_]


@dataclass
class Edit:
    """The document while it is changed.

    Attributes:
        source: the file as it was: attributes are read there, by the numbers that they had.
        users: how often each of its accessors was referred to.
    """

    document: dict[str, Any]
    binary: bytearray
    source: Gltf
    users: Counter[int]
    notes: list[str] = field(default_factory=list)

    def primitive(self, part: GltfPart) -> dict[str, Any]:
        found: dict[str, Any] = self.document["meshes"][part.mesh]["primitives"][part.primitive]
        return found

    def view_users(self) -> Counter[int]:
        """How often each buffer view is referred to."""
        return Counter(holder["bufferView"] for holder in _view_holders(self.document))

    def add_picture(self, data: bytes, name: str) -> int:
        """Embeds a PNG file; the number of its image."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        views, images = self.document.setdefault("bufferViews", []), self.document.setdefault("images", [])
        views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data
        images.append({"name": name, "mimeType": "image/png", "bufferView": len(views) - 1})
        return len(images) - 1

    def drop_views(self, before: Counter[int]) -> None:
        """Takes out the buffer views that lost their last user, and their bytes; the other bytes keep their order."""
        now = self.view_users()
        lost = {number for number in before if not now[number]}
        views = self.document.get("bufferViews", [])
        if lost:
            kept = [number for number in range(len(views)) if number not in lost]
            binary = bytearray()
            for number in kept:
                view = views[number]
                start = view.get("byteOffset", 0)
                binary += b"\0" * (-len(binary) % 8 if start % 8 == 0 else -len(binary) % 4)
                content = self.binary[start : start + view["byteLength"]]
                view["byteOffset"] = len(binary)
                binary += content
            place = {number: new for new, number in enumerate(kept)}
            for holder in list(_view_holders(self.document)):
                holder["bufferView"] = place[holder["bufferView"]]
            self.document["bufferViews"] = [views[number] for number in kept]
            self.binary = binary
        if self.binary:
            buffers = self.document.setdefault("buffers", [{}])
            first = {key: value for key, value in buffers[0].items() if key != "uri"} if buffers else {}
            self.document["buffers"] = [{**first, "byteLength": len(self.binary)}]


def _view_holders(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document that names a buffer view; in extensions too, but not in extras."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            number = here.get("bufferView")
            if isinstance(number, int) and not isinstance(number, bool):
                yield here
            waiting += [inner for key, inner in here.items() if key != "extras"]
        elif isinstance(here, list):
            waiting += here


def accessor_users(document: dict[str, Any]) -> Counter[int]:
    """How often each accessor is referred to by what glTF itself defines, and by instancing."""
    users: Counter[int] = Counter()
    for mesh in document.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            for attributes in [primitive.get("attributes", {}), *primitive.get("targets", [])]:
                users.update(attributes.values())
            if "indices" in primitive:
                users[primitive["indices"]] += 1
    for skin in document.get("skins", []):
        users[skin.get("inverseBindMatrices", -1)] += 1
    for animation in document.get("animations", []):
        for sampler in animation.get("samplers", []):
            users.update((sampler.get("input", -1), sampler.get("output", -1)))
    for node in document.get("nodes", []):
        users.update(node.get("extensions", {}).get("EXT_mesh_gpu_instancing", {}).get("attributes", {}).values())
    return users
