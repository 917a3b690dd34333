"""Decodes KHR_draco_mesh_compression by DracoPy, which the extra ``draco`` brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from manymesh.errors import InputError
from manymesh.types import F64

if TYPE_CHECKING:
    from manymesh.mesh.formats.gltf_file import GltfFile


def decode_draco(
    file: GltfFile, extension: Mapping[str, Any]
) -> tuple[F64, NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """A primitive's positions (n, 3) float64, faces (m, 3) int64, and coordinate sets (n, 2) float64 by their names.

    Raises:
        InputError: DracoPy is not installed, or cannot decode the data.
    """
    try:
        import DracoPy
    except ImportError:
        raise InputError(
            "The file is compressed with KHR_draco_mesh_compression",
            "Export it without compression, or: pip install 'manymesh[draco]'",
        ) from None
    try:
        mesh = DracoPy.decode(bytes(file.view(extension["bufferView"])))
    except Exception as error:  # DracoPy's errors share no base class
        raise InputError(
            f"The file's Draco data cannot be decoded ({str(error)[:100]})", "Export it without compression."
        ) from error
    by_id = {attribute["unique_id"]: np.asarray(attribute["data"], np.float64) for attribute in mesh.attributes}
    named = {name: by_id[number] for name, number in extension["attributes"].items() if number in by_id}
    faces = np.asarray(mesh.faces, np.int64).reshape(-1, 3)
    vertices = named["POSITION"]
    if len(faces) and not 0 <= faces.min() <= faces.max() < len(vertices):
        raise InputError("The file's Draco data names vertices that it lacks", "Export it again.")
    return vertices, faces, {name: data for name, data in named.items() if name.startswith("TEXCOORD_")}
