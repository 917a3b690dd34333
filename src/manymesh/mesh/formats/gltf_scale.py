"""A glTF file at another size: its scene stands under one node with a scale, all else stays as it is.

Scaling positions instead would have to change skins, morph targets, animations and instances with them.
"""

from __future__ import annotations

from typing import Any

from manymesh.mesh.formats.gltf import pack_glb, parse_gltf

NAME = "size"


def scaled(data: bytes, factor: float) -> bytes:
    """The GLB file with everything that its scenes show ``factor`` times as large.

    Args:
        data: a GLB file with its data inside. One without a scene gets one of all its root nodes.
    """
    source = parse_gltf(data)
    document: dict[str, Any] = source.document
    nodes = document.setdefault("nodes", [])
    if not document.get("scenes"):
        children = {child for node in nodes for child in node.get("children", [])}
        document["scenes"] = [{"nodes": [number for number in range(len(nodes)) if number not in children]}]
        document["scene"] = 0
    # A node may stand below one parent only: roots that the same scenes show share the node above them.
    shown_by: dict[int, list[int]] = {}
    for number, scene in enumerate(document["scenes"]):
        for root in scene.get("nodes", []):
            shown_by.setdefault(root, []).append(number)
        scene.pop("nodes", None)
    together: dict[tuple[int, ...], list[int]] = {}
    for root, by in shown_by.items():
        together.setdefault(tuple(by), []).append(root)
    for scenes, roots in together.items():
        for number in scenes:
            document["scenes"][number].setdefault("nodes", []).append(len(nodes))
        nodes.append({"name": NAME, "scale": [factor] * 3, "children": roots})
    return pack_glb(document, source.binary)
