"""The materials, textures and pictures of a glTF file, changed to show new base colours."""

from __future__ import annotations

import copy
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from manymesh.image.png import encode
from manymesh.mesh.formats.gltf import CLAMP, LINEAR, LINEAR_MIPMAPS, Gltf
from manymesh.mesh.formats.gltf_edit import Edit, Repaint
from manymesh.mesh.formats.gltf_scene import SPECULAR, TRANSFORM, GltfPart, base_texture
from manymesh.types import U8

# The largest picture whose opacity is kept; as for photos.
MAX_PICTURE_PX = 100_000_000


def recolour(edit: Edit, parts: list[tuple[GltfPart, int]], paint: Repaint, chosen: dict[tuple[int, int], int]) -> None:
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


def _is_transparent(edit: Edit, part: GltfPart) -> bool:
    """Whether the part's material blends or cuts out by its picture."""
    number = edit.primitive(part).get("material")
    if number is None:
        return False
    material = edit.document["materials"][number]
    return material.get("alphaMode", "OPAQUE") != "OPAQUE" and bool(base_texture(material))


def _old_alpha(edit: Edit, parts: list[GltfPart], size_px: int) -> U8 | None:
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


def _new_material(edit: Edit, number: int | None) -> int:
    """A copy of a material for the painted faces alone; for none, a neutral one."""
    materials = edit.document.setdefault("materials", [])
    neutral = {"name": "painted", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0}}
    materials.append(neutral if number is None else copy.deepcopy(materials[number]))
    return len(materials) - 1


def _show(edit: Edit, material: dict[str, Any], image: int, texture_set: int) -> Iterator[int]:
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


def _set_colours_aside(edit: Edit, part: GltfPart) -> None:
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


def _drop_pictures(edit: Edit, replaced: set[int], images: list[int]) -> None:
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
