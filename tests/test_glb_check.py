"""What the look through a GLB file notices: each damage by its own sentence, and nothing in sound files."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mesh_samples import coloured, textured, torus

from manymesh.mesh.formats.glb import scene_glb, write_glb
from manymesh.mesh.formats.glb_check import check_glb
from manymesh.mesh.unwrap.unwrap import unwrap


def painted() -> bytes:
    return write_glb(textured(unwrap(torus(), 64)))


def parts(data: bytes) -> tuple[dict[str, Any], bytearray]:
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), bytearray(data[20 + length + 8 :])


def joined(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + bytes(binary)
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def place_of(document: dict[str, Any], name: str) -> int:
    primitive = document["meshes"][0]["primitives"][0]
    number = primitive["indices"] if name == "indices" else primitive["attributes"][name]
    return document["bufferViews"][document["accessors"][number]["bufferView"]]["byteOffset"]


def test_sound_files_pass_and_their_triangles_are_counted() -> None:
    mesh = torus()
    assert check_glb(write_glb(mesh)) == len(mesh.faces)
    assert check_glb(painted()) == len(mesh.faces)
    assert check_glb(scene_glb([("a", np.eye(4), mesh), ("b", np.eye(4), coloured(mesh))])) == 2 * len(mesh.faces)


def test_a_file_that_was_taken_apart_and_joined_again_passes() -> None:
    assert check_glb(joined(*parts(painted()))) == len(torus().faces)


def wrong_bounds(document: dict[str, Any], binary: bytearray) -> None:
    document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]["max"][1] += 1.0


def not_a_number(document: dict[str, Any], binary: bytearray) -> None:
    struct.pack_into("<f", binary, place_of(document, "TEXCOORD_0") + 8, float("nan"))


def moved_vertex(document: dict[str, Any], binary: bytearray) -> None:
    struct.pack_into("<f", binary, place_of(document, "POSITION") + 12, 99.0)


def long_normal(document: dict[str, Any], binary: bytearray) -> None:
    struct.pack_into("<3f", binary, place_of(document, "NORMAL"), 1.0, 1.0, 0.0)


def far_index(document: dict[str, Any], binary: bytearray) -> None:
    struct.pack_into("<H", binary, place_of(document, "indices"), 60_000)


def half_a_triangle(document: dict[str, Any], binary: bytearray) -> None:
    document["accessors"][document["meshes"][0]["primitives"][0]["indices"]]["count"] -= 1


def view_too_long(document: dict[str, Any], binary: bytearray) -> None:
    document["bufferViews"][-1]["byteLength"] += 1000


def accessor_too_long(document: dict[str, Any], binary: bytearray) -> None:
    document["accessors"][0]["count"] += 100_000


def no_material(document: dict[str, Any], binary: bytearray) -> None:
    document["materials"].clear()


def no_coordinates(document: dict[str, Any], binary: bytearray) -> None:
    del document["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"]


def no_object(document: dict[str, Any], binary: bytearray) -> None:
    document["bufferViews"][0] = "view"


def accessor_of_nothing(document: dict[str, Any], binary: bytearray) -> None:
    document["accessors"][0]["count"] = -3


def damaged_picture(document: dict[str, Any], binary: bytearray) -> None:
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    binary[view["byteOffset"] + view["byteLength"] // 2] ^= 1


def cut_picture(document: dict[str, Any], binary: bytearray) -> None:
    document["bufferViews"][document["images"][0]["bufferView"]]["byteLength"] -= 6


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (wrong_bounds, "bounds"),
        (moved_vertex, "bounds"),
        (not_a_number, "no number"),
        (long_normal, "unit length"),
        (far_index, "vertices that it lacks"),
        (half_a_triangle, "whole triangles"),
        (view_too_long, "leaves the buffer"),
        (accessor_too_long, "leaves its buffer view"),
        (no_material, "lacks something"),
        (no_object, "lacks something"),
        (accessor_of_nothing, "of nothing"),
        (no_coordinates, "without coordinates"),
        (damaged_picture, "damaged"),
        (cut_picture, "not whole"),
    ],
)
def test_damage_is_named(damage: Callable[[dict[str, Any], bytearray], None], said: str) -> None:
    document, binary = parts(painted())
    damage(document, binary)
    with pytest.raises(ValueError, match=said):
        check_glb(joined(document, bytes(binary)))


@pytest.mark.parametrize("length", [0, 3, 12, 19, 200, -4, -1])
def test_a_cut_file_is_noticed(length: int) -> None:
    with pytest.raises(ValueError, match=r"not whole|not a GLB"):
        check_glb(painted()[:length])
