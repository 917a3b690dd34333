"""What a glTF file demands of its reader: compression is undone here, and what is unknown is refused by name."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError, MissingPieceError
from manymesh.mesh.formats import meshopt
from manymesh.mesh.formats.gltf import COMPONENTS, MAX_ENTRIES, Gltf, element_width, whole
from manymesh.mesh.formats.user_mesh import DamagedFileError

DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
# Required extensions that change what the triangles are, and that are read.
GEOMETRY = {DRACO, *MESHOPT, "KHR_mesh_quantization", "KHR_texture_transform", "EXT_mesh_gpu_instancing"}
# Required extensions that leave the triangles alone: looks, pictures, lights, motion, facts about the file.
HARMLESS = {
    "KHR_lights_punctual",
    "KHR_texture_basisu",
    "EXT_texture_webp",
    "EXT_texture_avif",
    "MSFT_texture_dds",
    "KHR_animation_pointer",
    "KHR_node_visibility",
    "KHR_node_hoverability",
    "KHR_node_selectability",
    "KHR_xmp_json_ld",
    "EXT_lights_ies",
    "EXT_lights_image_based",
}
LOOKS = "KHR_materials_"


def readable(source: Gltf, name: str) -> Gltf:
    """The document with its data uncompressed.

    Args:
        name: of the file, for messages.

    Raises:
        InputError: the file requires an extension that is not read.
        MissingPieceError: it takes a library that is not installed.
        DamagedFileError: compressed data is damaged.
    """
    required = source.document.get("extensionsRequired", [])
    for extension in required if isinstance(required, list) else []:
        if extension not in GEOMETRY | HARMLESS and not str(extension).startswith(LOOKS):
            raise InputError(
                f"'{name}' requires the glTF extension {extension}, which is not read", f"Export it without {extension}"
            )
    return _without_draco(_without_meshopt(source, name), name)


def _without_meshopt(source: Gltf, name: str) -> Gltf:
    views = source.document.get("bufferViews", [])
    packed = [(view, name) for view in views if isinstance(view, dict) for name in MESHOPT if name in _extensions(view)]
    if not packed:
        return source
    document = copy.deepcopy(source.document)
    binary, total = bytearray(source.binary), 0
    for number, view in enumerate(document["bufferViews"]):
        extension = next((each for each in MESHOPT if each in _extensions(view)), None)
        if extension is None:
            if view.get("buffer", 0) != 0:
                raise DamagedFileError("keeps its data in other files")
            continue
        packing = view["extensions"].pop(extension)
        if not view["extensions"]:
            del view["extensions"]
        if packing.get("buffer", 0) != 0:
            raise DamagedFileError("keeps compressed data in other files")
        start, length = whole(packing.get("byteOffset", 0), "byteOffset"), whole(packing["byteLength"], "byteLength")
        count, stride = whole(packing["count"], "count"), whole(packing["byteStride"], "byteStride")
        total += count * stride
        if count > MAX_ENTRIES or total > 64 * MAX_ENTRIES or start + length > len(source.binary):
            raise DamagedFileError(f"has compressed data in buffer view {number} that claims too much")
        part = source.binary[start : start + length]
        try:
            made = meshopt.decode(part, packing["mode"], packing.get("filter", "NONE"), count, stride)
        except DamagedFileError as error:
            raise _undecodable(name, extension) from error
        binary += b"\0" * (-len(binary) % 4)
        view.update(buffer=0, byteOffset=len(binary), byteLength=len(made))
        binary += made
    document["buffers"] = [{"byteLength": len(binary)}]
    _forget(document, *MESHOPT)
    return Gltf(document, bytes(binary), (*source.changed, "The file's meshopt compression was undone."))


def _without_draco(source: Gltf, name: str) -> Gltf:
    meshes = source.document.get("meshes", [])
    packed = [
        primitive for mesh in meshes for primitive in mesh.get("primitives", []) if DRACO in _extensions(primitive)
    ]
    if not packed:
        return source
    if DRACO not in source.document.get("extensionsRequired", []) and all(_is_plain_too(source, p) for p in packed):
        return _with_plain_data(source)
    try:
        import DracoPy
    except ImportError:
        raise MissingPieceError(
            f"'{name}' is compressed with {DRACO}, and DracoPy is not installed",
            "pip install 'manymesh[draco]', or export without compression",
        ) from None
    document = copy.deepcopy(source.document)
    binary = bytearray(source.binary)
    for mesh in document["meshes"]:
        for primitive in mesh.get("primitives", []):
            if DRACO in _extensions(primitive):
                packing = primitive["extensions"].pop(DRACO)
                if not primitive["extensions"]:
                    del primitive["extensions"]
                _unpack(source, document, binary, primitive, packing, DracoPy, name)
    document["buffers"] = [{"byteLength": len(binary)}]
    _forget(document, DRACO)
    return Gltf(document, bytes(binary), (*source.changed, "The file's Draco compression was undone."))


def _is_plain_too(source: Gltf, primitive: dict[str, Any]) -> bool:
    """Whether a compressed primitive has its data uncompressed as well, for readers that lack the extension."""
    numbers = [*primitive["attributes"].values(), *([primitive["indices"]] if "indices" in primitive else [])]
    return all("bufferView" in source.item("accessors", number) for number in numbers)


def _with_plain_data(source: Gltf) -> Gltf:
    """The document without its compressed data, where all of it is there uncompressed too."""
    document = copy.deepcopy(source.document)
    for mesh in document["meshes"]:
        for primitive in mesh.get("primitives", []):
            if DRACO in _extensions(primitive):
                del primitive["extensions"][DRACO]
                if not primitive["extensions"]:
                    del primitive["extensions"]
    _forget(document, DRACO)
    note = "The file has its mesh twice, compressed with Draco and plain; the plain one was taken."
    return Gltf(document, source.binary, (*source.changed, note))


def _unpack(
    source: Gltf,
    document: dict[str, Any],
    binary: bytearray,
    primitive: dict[str, Any],
    packing: dict[str, Any],
    draco: Any,
    name: str,
) -> None:
    """Gives the accessors of one primitive plain data."""
    try:
        decoded = draco.decode(bytes(source.view(packing["bufferView"])))
        by_id = {int(attribute["unique_id"]): np.asarray(attribute["data"]) for attribute in decoded.attributes}
        faces = np.asarray(decoded.faces).reshape(-1)
    except DamagedFileError:
        raise
    except Exception as error:  # whatever a library raises on damaged data
        raise _undecodable(name, DRACO) from error
    wanted = {primitive["indices"]: faces}
    for attribute, unique_id in packing["attributes"].items():
        if unique_id not in by_id:
            raise DamagedFileError(f"has no Draco attribute {unique_id}")
        wanted[primitive["attributes"][attribute]] = by_id[unique_id]
    for number, decoded in wanted.items():
        entry = Gltf(document, b"").item("accessors", number)
        width = element_width(entry)
        values: NDArray[Any] = decoded.reshape(-1, width) if decoded.size % width == 0 else np.zeros((0, width))
        # Encoders merge equal vertices, so there may be fewer than the accessor claims: its count follows the data.
        append_elements(document, binary, entry, values.astype(COMPONENTS[entry["componentType"]]))


def append_elements(
    document: dict[str, Any], binary: bytearray, entry: dict[str, Any], values: np.ndarray, target: int | None = None
) -> None:
    """Puts values at the end of the binary data, as a new buffer view that an accessor then reads.

    Args:
        entry: the accessor; its count follows the values, its type and component type stay.
        values: (count, width) of the accessor's component type.
        target: 34962 for vertices, 34963 for indices, None where a view has neither.
    """
    stored = np.ascontiguousarray(values)
    row = stored.dtype.itemsize * stored.shape[1]
    view: dict[str, Any] = {"buffer": 0}
    if row % 4 and stored.shape[1] > 1:  # elements of vertices start at multiples of four bytes (3.6.2.4)
        padded = np.zeros((len(stored), row + -row % 4), np.uint8)
        padded[:, :row] = stored.view(np.uint8).reshape(len(stored), row)
        stored, view["byteStride"] = padded, padded.shape[1]
    elif row % 4 and entry.get("type") == "SCALAR" and target == 34962:
        padded = np.zeros((len(stored), 4), np.uint8)
        padded[:, :row] = stored.view(np.uint8).reshape(len(stored), row)
        stored, view["byteStride"] = padded, 4
    binary += b"\0" * (-len(binary) % 4)
    data = stored.tobytes()
    view.update(byteOffset=len(binary), byteLength=len(data))
    if target is not None:
        view["target"] = target
    binary += data
    document.setdefault("bufferViews", []).append(view)
    entry.pop("byteOffset", None)
    entry.pop("sparse", None)
    entry.update(bufferView=len(document["bufferViews"]) - 1, count=len(values))


def _undecodable(name: str, extension: str) -> InputError:
    what = f"'{name}' is compressed with {extension}, and its data cannot be decoded"
    return InputError(what, "Export without compression")


def _extensions(entry: dict[str, Any]) -> dict[str, Any]:
    found = entry.get("extensions", {})
    return found if isinstance(found, dict) else {}


def _forget(document: dict[str, Any], *names: str) -> None:
    """Takes extensions from the lists of those in use."""
    for key in ("extensionsUsed", "extensionsRequired"):
        left = [name for name in document.get(key, []) if name not in names]
        document.pop(key, None)
        if left:
            document[key] = left
