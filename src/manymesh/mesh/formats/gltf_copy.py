"""A copy of a user's glTF file with another base colour; everything else stays as it was written.

Where the file's own texture coordinates are kept, nothing but the picture changes. Where new ones are needed, vertices
on their seams are repeated with all their attributes; nodes, materials, skins, animations, cameras, names and extras
stay. Faces that were wound inwards are turned.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.mesh.formats.gltf import COMPONENTS, INDEX_TARGET, VERTEX_TARGET, pack_glb
from manymesh.mesh.formats.gltf_edit import Edit, Repaint, accessor_users
from manymesh.mesh.formats.gltf_extensions import append_elements
from manymesh.mesh.formats.gltf_recolour import recolour
from manymesh.mesh.formats.gltf_scene import TRIANGLES, GltfPart, GltfParts, has_other_textures

VARIANTS = "KHR_materials_variants"
Ints = NDArray[np.int64]


def repainted(parts: GltfParts, paint: Repaint) -> tuple[bytes, list[str]]:
    """The GLB file, and one sentence about each thing that could not stay as it was."""
    source = parts.source
    edit = Edit(copy.deepcopy(source.document), bytearray(source.binary), source, accessor_users(source.document))
    before = edit.view_users()
    firsts = [(part, picture) for part, picture in zip(parts.parts, paint.picture_of, strict=True) if not part.copy]
    chosen = _texture_sets(edit, [part for part, _ in firsts]) if paint.uv is not None else {}
    for pool in _pools(edit, [part for part, _ in firsts]):
        _rewrite_vertices(edit, pool, paint, chosen)
    recolour(edit, firsts, paint, chosen)
    edit.drop_views(before)
    return pack_glb(edit.document, bytes(edit.binary)), edit.notes


def _texture_sets(edit: Edit, parts: list[GltfPart]) -> dict[tuple[int, int], int]:
    """For each primitive the number of the TEXCOORD attribute that takes the new coordinates.

    The first, unless something else than the base colour still reads coordinates of the file's own.
    """
    chosen = {}
    for part in parts:
        primitive = edit.primitive(part)
        numbers = [int(name[9:]) for name in primitive["attributes"] if name[:9] == "TEXCOORD_" and name[9:].isdigit()]
        number = primitive.get("material")
        material = edit.document["materials"][number] if number is not None else {}
        others = VARIANTS in primitive.get("extensions", {}) or has_other_textures(material)
        chosen[part.mesh, part.primitive] = max(numbers, default=-1) + 1 if others else 0
    # Primitives of one material must agree, because the material says which coordinates it reads.
    by_material: dict[Any, int] = defaultdict(int)
    for part in parts:
        key = edit.primitive(part).get("material")
        by_material[key] = max(by_material[key], chosen[part.mesh, part.primitive])
    return {(part.mesh, part.primitive): by_material[edit.primitive(part).get("material")] for part in parts}


def _pools(edit: Edit, parts: list[GltfPart]) -> list[list[GltfPart]]:
    """The primitives that share all their vertex data: their vertices can only be repeated together."""
    pools: dict[str, list[GltfPart]] = defaultdict(list)
    for part in parts:
        primitive = edit.primitive(part)
        key = repr((sorted(primitive["attributes"].items()), primitive.get("targets")))
        pools[key].append(part)
    return list(pools.values())


def _rewrite_vertices(edit: Edit, pool: list[GltfPart], paint: Repaint, chosen: dict[tuple[int, int], int]) -> None:
    """Gives the vertices of a pool the new coordinates, and turns its faces, where either is asked for."""
    rows = [np.arange(part.first, part.first + part.count) for part in pool]
    turned = [paint.turned[each] for each in rows]
    negated = any(paint.negated[each].any() for each in rows)
    if paint.uv is None and not negated:
        for part, flags in zip(pool, turned, strict=True):
            if flags.any():
                _set_indices(edit, part, _wound(part.corners, flags))
        return
    corners = np.concatenate([part.corners for part in pool])
    uv = (
        None
        if paint.uv is None
        else np.concatenate(
            [_in_file_order(paint.uv[each], part) for each, part in zip(rows, pool, strict=True)]
        ).astype("<f4")
    )
    inward = np.concatenate([paint.negated[each] for each in rows])
    keys = [corners.reshape(-1), np.repeat(inward, 3).astype(np.int64)]
    if uv is not None:
        keys += list(np.ascontiguousarray(uv.reshape(-1, 2)).view("<i4").T.astype(np.int64))
    first, number = _distinct(keys)
    accessor = -1 if uv is None else _texture_accessor(edit, pool, chosen)
    _set_attributes(edit, pool, corners.reshape(-1)[first], np.repeat(inward, 3)[first])
    if uv is not None:
        entry = edit.document["accessors"][accessor]
        append_elements(edit.document, edit.binary, entry, uv.reshape(-1, 2)[first], VERTEX_TARGET)
        for part in pool:
            attributes = edit.primitive(part)["attributes"]
            number_of_set = chosen[part.mesh, part.primitive]
            attributes[f"TEXCOORD_{number_of_set}"] = accessor
            for lower in range(number_of_set):  # numbers must follow one another (3.7.2.1)
                attributes.setdefault(f"TEXCOORD_{lower}", accessor)
    placed = number.reshape(-1, 3)
    start = 0
    for part, flags in zip(pool, turned, strict=True):
        _set_indices(edit, part, _wound(placed[start : start + part.count], flags))
        start += part.count


def _texture_accessor(edit: Edit, pool: list[GltfPart], chosen: dict[tuple[int, int], int]) -> int:
    """The accessor for new coordinates: the one of the coordinates they replace, if nothing else reads that."""
    replaced: list[int] = []
    for part in pool:
        primitive = edit.primitive(part)
        for attributes in [primitive["attributes"], *primitive.get("targets", [])]:
            old = attributes.pop(f"TEXCOORD_{chosen[part.mesh, part.primitive]}", None)
            replaced += [] if old is None else [old]
    entry = {"componentType": 5126, "type": "VEC2"}
    accessors = edit.document["accessors"]
    if len(set(replaced)) == 1 and edit.users[replaced[0]] == len(replaced):
        accessors[replaced[0]] = entry
        return replaced[0]
    accessors.append(entry)
    return len(accessors) - 1


def _in_file_order(values: NDArray[Any], part: GltfPart) -> NDArray[Any]:
    """Corner values of a part in the order of its indices."""
    return values[:, [0, 2, 1]] if part.mirrored else values


def _wound(corners: Ints, turned: NDArray[np.bool_]) -> Ints:
    return np.where(turned[:, None], corners[:, [0, 2, 1]], corners)


def _distinct(keys: list[Ints]) -> tuple[Ints, Ints]:
    """Equal rows of several columns as one, in order of the first column: the place of the first of each, and which
    each row is."""
    order = np.lexsort(keys[::-1])
    new = np.ones(len(order), bool)
    for key in keys:
        ordered = key[order]
        if key is keys[0]:
            new[1:] = ordered[1:] != ordered[:-1]
        else:
            new[1:] |= ordered[1:] != ordered[:-1]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    return order[new], number


def _set_attributes(edit: Edit, pool: list[GltfPart], source: Ints, inward: NDArray[np.bool_]) -> None:
    """Repeats every attribute and morph target of a pool: new vertex i is the file's vertex ``source[i]``."""
    holders: dict[int, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for part in pool:
        primitive = edit.primitive(part)
        for attributes in [primitive["attributes"], *primitive.get("targets", [])]:
            for name, number in attributes.items():
                holders[number].append((attributes, name))
    for number, places in holders.items():
        values = edit.source.accessor(number)[source]
        if any(name == "NORMAL" for _, name in places) and inward.any():
            values = values.copy()
            values[inward] = (
                -np.maximum(values[inward], -np.iinfo(values.dtype).max)
                if values.dtype.kind == "i"
                else (-values[inward])
            )
        entry = edit.document["accessors"][number]
        if edit.users[number] > len(places):  # something else reads it as well
            entry = {key: value for key, value in entry.items()}
            edit.document["accessors"].append(entry)
            for attributes, name in places:
                attributes[name] = len(edit.document["accessors"]) - 1
        if "min" in entry or "max" in entry or any(name == "POSITION" for _, name in places):
            entry["min"], entry["max"] = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        append_elements(edit.document, edit.binary, entry, values, VERTEX_TARGET)


def _set_indices(edit: Edit, part: GltfPart, corners: Ints) -> None:
    """Gives a primitive plain triangles."""
    primitive = edit.primitive(part)
    largest = int(corners.max(initial=0))
    kind = 5123 if largest < 65535 else 5125  # 65535 itself is reserved
    number = primitive.get("indices")
    entry: dict[str, Any] = {"componentType": kind, "type": "SCALAR"}
    if number is not None and edit.users[number] == 1:
        entry = edit.document["accessors"][number]
        if np.iinfo(COMPONENTS[entry["componentType"]]).max <= largest:
            entry["componentType"] = kind
        entry.pop("min", None)
        entry.pop("max", None)
    else:
        edit.document["accessors"].append(entry)
        primitive["indices"] = len(edit.document["accessors"]) - 1
    values = corners.reshape(-1, 1).astype(COMPONENTS[entry["componentType"]])
    append_elements(edit.document, edit.binary, entry, values, INDEX_TARGET)
    if primitive.get("mode", TRIANGLES) != TRIANGLES:
        del primitive["mode"]
