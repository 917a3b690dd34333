"""A copy of a user's glTF file with another base colour; everything else stays as it was written.

Where the file's own texture coordinates are kept, nothing but the picture changes. Where new ones are needed, vertices
on their seams are repeated with all their attributes; nodes, materials, skins, animations, cameras, names and extras
stay. Faces that were wound inwards are turned.
"""

from __future__ import annotations

import copy
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.image.png import encode
from manymesh.mesh.formats.gltf import COMPONENTS, Gltf, pack_glb
from manymesh.mesh.formats.gltf_extensions import append_elements
from manymesh.mesh.formats.gltf_scene import SPECULAR, TRANSFORM, TRIANGLES, GltfPart, GltfParts, base_texture
from manymesh.types import U8

VERTEX_TARGET, INDEX_TARGET = 34962, 34963
LINEAR, LINEAR_MIPMAPS, CLAMP = 9729, 9987, 33071
# The largest picture whose opacity is kept; as for photos.
MAX_PICTURE_PX = 100_000_000
VARIANTS = "KHR_materials_variants"
Ints = NDArray[np.int64]


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


def repainted(parts: GltfParts, paint: Repaint) -> tuple[bytes, list[str]]:
    """The GLB file, and one sentence about each thing that could not stay as it was."""
    source = parts.source
    edit = _Edit(copy.deepcopy(source.document), bytearray(source.binary), source, _accessor_users(source.document))
    before = edit.view_users()
    firsts = [(part, picture) for part, picture in zip(parts.parts, paint.picture_of, strict=True) if not part.copy]
    chosen = _texture_sets(edit, [part for part, _ in firsts]) if paint.uv is not None else {}
    for pool in _pools(edit, [part for part, _ in firsts]):
        _rewrite_vertices(edit, pool, paint, chosen)
    _recolour(edit, firsts, paint, chosen)
    edit.drop_views(before)
    return pack_glb(edit.document, bytes(edit.binary)), edit.notes


@dataclass
class _Edit:
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


def _texture_sets(edit: _Edit, parts: list[GltfPart]) -> dict[tuple[int, int], int]:
    """For each primitive the number of the TEXCOORD attribute that takes the new coordinates.

    The first, unless something else than the base colour still reads coordinates of the file's own.
    """
    chosen = {}
    for part in parts:
        primitive = edit.primitive(part)
        numbers = [int(name[9:]) for name in primitive["attributes"] if name[:9] == "TEXCOORD_" and name[9:].isdigit()]
        number = primitive.get("material")
        material = edit.document["materials"][number] if number is not None else {}
        others = VARIANTS in primitive.get("extensions", {}) or _has_other_textures(material)
        chosen[part.mesh, part.primitive] = max(numbers, default=-1) + 1 if others else 0
    # Primitives of one material must agree, because the material says which coordinates it reads.
    by_material: dict[Any, int] = defaultdict(int)
    for part in parts:
        key = edit.primitive(part).get("material")
        by_material[key] = max(by_material[key], chosen[part.mesh, part.primitive])
    return {(part.mesh, part.primitive): by_material[edit.primitive(part).get("material")] for part in parts}


def _has_other_textures(material: dict[str, Any]) -> bool:
    """Whether a material reads another texture than that of its base colour."""
    base = base_texture(material)
    waiting: list[Any] = [value for key, value in material.items() if key != "extras"]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            if "index" in here and here is not base:
                return True
            waiting += [inner for inner in here.values() if inner is not base]
    return False


def _pools(edit: _Edit, parts: list[GltfPart]) -> list[list[GltfPart]]:
    """The primitives that share all their vertex data: their vertices can only be repeated together."""
    pools: dict[str, list[GltfPart]] = defaultdict(list)
    for part in parts:
        primitive = edit.primitive(part)
        key = repr((sorted(primitive["attributes"].items()), primitive.get("targets")))
        pools[key].append(part)
    return list(pools.values())


def _rewrite_vertices(edit: _Edit, pool: list[GltfPart], paint: Repaint, chosen: dict[tuple[int, int], int]) -> None:
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


def _texture_accessor(edit: _Edit, pool: list[GltfPart], chosen: dict[tuple[int, int], int]) -> int:
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


def _set_attributes(edit: _Edit, pool: list[GltfPart], source: Ints, inward: NDArray[np.bool_]) -> None:
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


def _accessor_users(document: dict[str, Any]) -> Counter[int]:
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


def _set_indices(edit: _Edit, part: GltfPart, corners: Ints) -> None:
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


def _recolour(
    edit: _Edit, parts: list[tuple[GltfPart, int]], paint: Repaint, chosen: dict[tuple[int, int], int]
) -> None:
    """Lets every painted material read the new pictures, and takes out what would tint them."""
    images = []
    for place, pixels in enumerate(paint.pictures):
        showing = [part for part, mine in parts if mine == place]
        alpha = _old_alpha(edit, showing, len(pixels)) if paint.uv is None else None
        images.append(edit.add_picture(encode(pixels, alpha), "base color"))
    if paint.uv is not None and any(_is_transparent(edit, part) for part, _ in parts):
        edit.notes.append("The mesh was unwrapped anew, so the transparency of its old pictures was not kept.")
    painted = {(part.mesh, part.primitive) for part, _ in parts}
    elsewhere = {
        primitive.get("material")
        for m, mesh in enumerate(edit.document["meshes"])
        for p, primitive in enumerate(mesh.get("primitives", []))
        if (m, p) not in painted
    }
    made: dict[tuple[Any, int, int], int] = {}
    tinted: list[str] = []
    replaced: set[int] = set()
    for part, picture in parts:
        primitive = edit.primitive(part)
        number = primitive.get("material")
        texture_set = chosen.get((part.mesh, part.primitive), -1)
        key = (number, picture, texture_set)
        if key not in made:
            taken = number in elsewhere or any(other[0] == number for other in made)
            made[key] = _new_material(edit, number) if number is None or taken else number
            material = edit.document["materials"][made[key]]
            replaced.update(_show(edit, material, images[picture], texture_set))
            if _whitened(material):
                tinted.append(str(material.get("name", "")))
        primitive["material"] = made[key]
        _set_colours_aside(edit, part)
    if tinted:
        names = ", ".join(f"'{name}'" for name in tinted if name) or "a material"
        edit.notes.append(f"Base colour factors would tint the picture, so those of {names} were set to white.")
    _drop_pictures(edit, replaced, images)


def _is_transparent(edit: _Edit, part: GltfPart) -> bool:
    """Whether the part's material blends or cuts out by its picture."""
    number = edit.primitive(part).get("material")
    if number is None:
        return False
    material = edit.document["materials"][number]
    return material.get("alphaMode", "OPAQUE") != "OPAQUE" and bool(base_texture(material))


def _old_alpha(edit: _Edit, parts: list[GltfPart], size_px: int) -> U8 | None:
    """(size_px, size_px) opacity of the picture that the parts showed before, where a material of theirs needs it."""
    import cv2

    found: dict[int, U8] = {}
    for part in parts:
        number = edit.primitive(part).get("material")
        material = {} if number is None else edit.document["materials"][number]
        info = base_texture(material)
        if material.get("alphaMode", "OPAQUE") == "OPAQUE" or not info:
            continue
        image = edit.source.item("textures", info["index"]).get("source")
        if image is not None and image not in found:
            alpha = _picture_alpha(edit.source, image)
            if alpha is not None:
                fitted = cv2.resize(alpha, (size_px, size_px), interpolation=cv2.INTER_LINEAR)
                found[image] = np.asarray(fitted, np.uint8)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        edit.notes.append("The materials' transparent pictures differ, so their transparency was not kept.")
    return None


def _picture_alpha(source: Gltf, image: int) -> U8 | None:
    """The opacity of a picture inside the file, None where it has none or cannot be read."""
    from PIL import Image

    entry = source.item("images", image)
    if "bufferView" not in entry:
        return None
    try:
        with Image.open(io.BytesIO(bytes(source.view(entry["bufferView"]))), formats=("PNG", "WEBP")) as picture:
            if picture.width * picture.height > MAX_PICTURE_PX:
                return None
            return np.asarray(picture.convert("RGBA"))[..., 3].copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _new_material(edit: _Edit, number: int | None) -> int:
    """A copy of a material for the painted faces alone; for none, a neutral one."""
    materials = edit.document.setdefault("materials", [])
    neutral = {"name": "painted", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0}}
    materials.append(neutral if number is None else copy.deepcopy(materials[number]))
    return len(materials) - 1


def _show(edit: _Edit, material: dict[str, Any], image: int, texture_set: int) -> Iterator[int]:
    """Makes a material's base colour read an image; the textures that it read before.

    Args:
        texture_set: of new coordinates, or -1 where the material goes on reading its own.
    """
    textures = edit.document.setdefault("textures", [])
    info = dict(base_texture(material))
    entry: dict[str, Any] = {"source": image}
    old = info.get("index")
    if texture_set < 0:
        if old is not None and "sampler" in textures[old]:
            entry["sampler"] = textures[old]["sampler"]
    else:
        samplers = edit.document.setdefault("samplers", [])
        wanted = {"magFilter": LINEAR, "minFilter": LINEAR_MIPMAPS, "wrapS": CLAMP, "wrapT": CLAMP}
        if wanted not in samplers:
            samplers.append(wanted)
        entry["sampler"] = samplers.index(wanted)
        info.pop("texCoord", None)
        if texture_set:
            info["texCoord"] = texture_set
        extensions = {name: value for name, value in info.pop("extensions", {}).items() if name != TRANSFORM}
        if extensions:
            info["extensions"] = extensions
    if entry not in textures:
        textures.append(entry)
    info["index"] = textures.index(entry)
    specular = material.get("extensions", {}).get(SPECULAR)
    if specular is not None:
        specular["diffuseTexture"] = info
    else:
        material.setdefault("pbrMetallicRoughness", {})["baseColorTexture"] = info
    return iter([] if old is None else [old])


def _whitened(material: dict[str, Any]) -> bool:
    """Sets a base colour factor to white, its opacity kept; whether it had another colour."""
    specular = material.get("extensions", {}).get(SPECULAR)
    holder, name = (
        (specular, "diffuseFactor") if specular is not None else (material["pbrMetallicRoughness"], "baseColorFactor")
    )
    factor = holder.get(name)
    if not isinstance(factor, list) or len(factor) != 4 or factor[:3] == [1, 1, 1]:
        return False
    holder[name] = [1, 1, 1, factor[3]]
    return True


def _set_colours_aside(edit: _Edit, part: GltfPart) -> None:
    """Renames vertex colours, which viewers multiply with the texture, unless they are all white."""
    attributes = edit.primitive(part)["attributes"]
    if "COLOR_0" not in attributes:
        return
    stored = edit.source.document["meshes"][part.mesh]["primitives"][part.primitive]["attributes"]["COLOR_0"]
    values = edit.source.numbers(stored)[:, :3]
    if values.size and float(values.min()) >= 0.999:
        return
    attributes["_COLOR_0"] = attributes.pop("COLOR_0")
    note = "Vertex colours would tint the picture, so they were kept aside, as the attribute _COLOR_0."
    if note not in edit.notes:
        edit.notes.append(note)


def _drop_pictures(edit: _Edit, replaced: set[int], images: list[int]) -> None:
    """Puts the new textures and images in the places of old ones that nothing reads any more, so that the old pictures'
    data can go. Old ones that are left over show a new picture.

    (Taking entries out of the tables would renumber what extensions may refer to.)

    Args:
        replaced: textures that were base colours before. images: the new images, the last of the table.
    """
    textures, table = edit.document["textures"], edit.document["images"]
    added = len(edit.source.document.get("textures", []))
    read = Counter(info["index"] for info in _texture_infos(edit.document))
    unread = sorted(number for number in replaced if not read[number])
    while unread and len(textures) > added:
        last, place = len(textures) - 1, unread.pop(0)
        textures[place] = textures.pop()
        for info in _texture_infos(edit.document):
            info["index"] = place if info["index"] == last else info["index"]
    for number in unread:
        textures[number] = {"source": images[0]}
    sources: set[Any] = set()
    for texture in textures:
        sources.update(
            inner.get("source")
            for inner in [texture, *texture.get("extensions", {}).values()]
            if isinstance(inner, dict)
        )
    # Only pictures that were base colours: extensions may name others, such as a thumbnail.
    old = edit.source.document.get("textures", [])
    ours = {old[number].get("source") for number in replaced if number < len(old)}
    free = [
        number
        for number in range(images[0])
        if number in ours and number not in sources and "bufferView" in table[number]
    ]
    while free and len(table) > images[0]:
        last, place = len(table) - 1, free.pop(0)
        table[place] = {**table.pop(), **({"name": table[place]["name"]} if "name" in table[place] else {})}
        for texture in textures:
            if texture.get("source") == last:
                texture["source"] = place
    for number in free:
        shown = table[textures[-1]["source"]] if textures else table[0]
        table[number].update(bufferView=shown["bufferView"], mimeType=shown["mimeType"])


def _texture_infos(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What materials say of the textures they read; in extensions too, but not in extras."""
    waiting: list[Any] = [document.get("materials", [])]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            if isinstance(here.get("index"), int):
                yield here
            waiting += [inner for key, inner in here.items() if key != "extras"]
        elif isinstance(here, list):
            waiting += here
