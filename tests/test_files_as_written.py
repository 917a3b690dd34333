"""Oddities that writers of files are known for: each is read, or refused in a sentence that says what it is."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mesh_samples import box

from manymesh.errors import InputError
from manymesh.image.load import load_photo
from manymesh.mesh.formats.glb import split_glb, write_glb
from manymesh.mesh.formats.read import read_mesh
from manymesh.mesh.formats.user_mesh import UserMesh
from manymesh.mesh.formats.write import write


def read(folder: Path, name: str, data: bytes | str) -> UserMesh:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return read_mesh(folder / name)


QUAD = "v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\n"
FACET = "facet normal 0 0 1\nouter loop\nvertex -1 -1 0\nvertex 1 -1 0\nvertex 1 1 0\nendloop\nendfacet\n"


def test_a_backslash_with_blanks_after_it_continues_an_obj_line(tmp_path: Path) -> None:
    assert len(read(tmp_path, "x.obj", QUAD + "f 1 2 \\ \t\n 3 4\n").faces) == 2


def test_the_old_word_fo_is_a_face(tmp_path: Path) -> None:
    assert len(read(tmp_path, "x.obj", QUAD + "fo 1 2 3 4\n").faces) == 2


def test_a_ply_comment_may_name_the_end_of_the_header(tmp_path: Path) -> None:
    header = (
        "ply\nformat ascii 1.0\ncomment the end_header follows\nelement vertex 3\nproperty float x\nproperty float y\n"
    )
    header += "property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    assert len(read(tmp_path, "x.ply", header + "0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n").faces) == 1


@pytest.mark.parametrize(
    "start", ["\ufeffsolid a\n", "solid " + "x" * 6000 + "\n"], ids=["byte order mark", "long name"]
)
def test_a_text_stl_may_begin_oddly(start: str, tmp_path: Path) -> None:
    assert len(read(tmp_path, "x.stl", start + FACET + "endsolid\n").faces) == 1


def test_a_text_stl_with_decimal_commas_is_one_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has text where numbers belong"):
        read(tmp_path, "x.stl", "solid a\n" + FACET.replace("-1", "-1,5"))


def package(rename: dict[str, str | None], model: bytes | None = None) -> bytes:
    """A 3MF of a cube with parts renamed, or left out."""
    with zipfile.ZipFile(io.BytesIO(write(box(), "3mf", stem="x")["x.3mf"])) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if model is not None:
        parts["3D/3dmodel.model"] = model
    with zipfile.ZipFile(made := io.BytesIO(), "w") as archive:
        for name, data in parts.items():
            if rename.get(name, name) is not None:
                archive.writestr(str(rename.get(name, name)), data)
    return made.getvalue()


@pytest.mark.parametrize(
    "rename",
    [
        {"_rels/.rels": None},
        {"3D/3dmodel.model": "3D/3DModel.model"},
        {"3D/3dmodel.model": "3D\\3dmodel.model"},
        {"_rels/.rels": None, "3D/3dmodel.model": "Model/part one.model"},
    ],
)
def test_parts_of_a_3mf_are_found_under_names_that_differ_a_little(
    rename: dict[str, str | None], tmp_path: Path
) -> None:
    assert len(read(tmp_path, "x.3mf", package(rename)).faces) == 12


def test_a_3mf_that_builds_nothing_shows_its_objects(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package({}))) as archive:
        model = archive.read("3D/3dmodel.model").decode()
    emptied = model[: model.index("<build>")] + "<build/></model>"
    assert len(read(tmp_path, "x.3mf", package({}, emptied.encode())).faces) == 12
    with pytest.raises(InputError, match="lacks its part"):
        read(tmp_path, "x.3mf", package({"3D/3dmodel.model": None}))


def test_a_3mf_that_requires_what_is_not_read_is_refused_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package({}))) as archive:
        model = archive.read("3D/3dmodel.model").decode()

    def required(prefix: str, namespace: str) -> bytes:
        stated = f'<model xmlns:{prefix}="{namespace}" requiredextensions="{prefix}" '
        return model.replace("<model ", stated, 1).encode()

    core = "http://schemas.microsoft.com/3dmanufacturing/"
    known = required("p", core + "production/2015/06")
    assert len(read(tmp_path, "x.3mf", package({}, known)).faces) == 12
    with pytest.raises(InputError, match=r"requires the 3MF extension .*beamlattice/2017/02, which is not read"):
        read(tmp_path, "x.3mf", package({}, required("b", core + "beamlattice/2017/02")))


@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
def test_a_3mf_with_entities_is_refused_in_every_encoding(tmp_path: Path, code: str) -> None:
    text = f'<?xml version="1.0" encoding="{code}"?><!DOCTYPE m [<!ENTITY a "1">]><model unit="&a;"/>'
    with pytest.raises(InputError, match="entities"):
        read(tmp_path, "x.3mf", package({}, text.encode(code)))


def test_json_padded_with_zero_bytes_is_read(tmp_path: Path) -> None:
    document, binary = split_glb(write_glb(box()))
    text = json.dumps(document).encode()
    text += b"\0" * (4 - len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    data = struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks
    assert len(read(tmp_path, "x.glb", data).faces) == 12


@pytest.mark.parametrize("form", ["lines", "no padding", "escaped letters", "per cent"])
def test_data_uris_of_every_spelling_are_read(form: str, tmp_path: Path) -> None:
    document, binary = split_glb(write_glb(box()))
    letters = base64.b64encode(binary).decode()
    uri = {
        "lines": "data:application/octet-stream;base64," + base64.encodebytes(binary).decode(),
        "no padding": "data:application/gltf-buffer;base64," + letters.rstrip("="),
        "escaped letters": "data:;base64," + letters.replace("/", "%2F").replace("+", "%2B"),
        "per cent": "data:application/octet-stream," + "".join(f"%{byte:02X}" for byte in binary),
    }[form]
    document["buffers"][0]["uri"] = uri
    assert len(read(tmp_path, "x.gltf", json.dumps(document)).faces) == 12


def test_a_buffer_in_another_file_is_named_as_people_know_it(tmp_path: Path) -> None:
    document, binary = split_glb(write_glb(box()))
    (tmp_path / "my data.bin").write_bytes(binary)
    document["buffers"][0]["uri"] = "parts\\my%20data.bin"
    with pytest.raises(InputError, match=r"another file, 'parts/my data.bin', which is not beside it.*export as GLB"):
        read(tmp_path, "x.gltf", json.dumps(document))
    (tmp_path / "parts").mkdir()
    (tmp_path / "my data.bin").rename(tmp_path / "parts" / "my data.bin")
    assert len(read(tmp_path, "x.gltf", json.dumps(document)).faces) == 12


def test_a_targa_whose_fourth_byte_is_no_opacity_is_a_photo(tmp_path: Path) -> None:
    pixels = np.full((32, 32, 4), (60, 120, 200, 0), np.uint8)
    for bits, opaque in ((0, True), (8, False)):
        header = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 32, 32, 32, 0x20 | bits)
        (tmp_path / "x.tga").write_bytes(header + pixels.tobytes())
        photo, _ = load_photo(tmp_path / "x.tga")
        assert (photo.alpha is None) == opaque
        assert photo.rgb[0, 0].tolist() == [200, 120, 60]


def tiff(values: np.ndarray, *parts: bytes, samples: int = 1, kind: int = 1, planes: int = 1, tile: int = 0) -> bytes:
    """A TIFF of (h, w) or (h, w, 3) values, stored as the parts say."""
    height, width = values.shape[:2]
    tags = {256: [width], 257: [height], 258: [8 * values.itemsize] * samples, 259: [1], 262: [2 if samples > 1 else 1]}
    tags |= {277: [samples], 284: [planes], 339: [kind] * samples}
    tags |= {322: [tile], 323: [tile], 324: [], 325: []} if tile else {278: [height], 273: [], 279: []}
    start = 8 + 2 + 12 * len(tags) + 4
    beyond = sum(4 * len(each) for each in tags.values() if len(each) > 1) + 8 * len(parts) * (len(parts) > 1)
    places = [start + beyond + sum(map(len, parts[:number])) for number in range(len(parts))]
    tags[324 if tile else 273], tags[325 if tile else 279] = places, list(map(len, parts))
    table, more = struct.pack("<4sIH", b"II*\0", 8, len(tags)), b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        table += struct.pack("<HHI", tag, 4, len(numbers))
        table += packed if len(numbers) == 1 else struct.pack("<I", start + len(more))
        more += packed if len(numbers) > 1 else b""
    return table + bytes(4) + more + b"".join(parts)


RAMP = np.repeat(np.linspace(0, 1, 64)[None], 32, axis=0)


def test_unsigned_32_bit_grey_keeps_its_brighter_half(tmp_path: Path) -> None:
    values = np.rint(RAMP * (2**32 - 1)).astype("<u4")
    (tmp_path / "x.tif").write_bytes(tiff(values, values.tobytes()))
    photo, _ = load_photo(tmp_path / "x.tif")
    assert np.abs(photo.rgb[..., 0].astype(int) - 255 * RAMP).max() <= 1


def test_grey_of_64_bits_in_floating_point_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(tiff(RAMP, RAMP.astype("<f8").tobytes(), kind=3))
    photo, _ = load_photo(tmp_path / "x.tif")
    assert np.abs(photo.rgb[..., 0].astype(int) - 255 * RAMP).max() <= 1


def test_16_bit_colour_in_tiles_is_read(tmp_path: Path) -> None:
    values = np.rint(np.stack([RAMP, RAMP[:, ::-1], RAMP / 2], axis=-1) * 65535).astype("<u2")
    tiles = [values[y : y + 16, x : x + 16].tobytes() for y in (0, 16) for x in range(0, 64, 16)]
    (tmp_path / "x.tif").write_bytes(tiff(values, *tiles, samples=3, tile=16))
    photo, _ = load_photo(tmp_path / "x.tif")
    assert np.abs(photo.rgb.astype(int) - values / 257).max() <= 1


@pytest.mark.parametrize("dtype", ["<u2", "<f4"])
def test_deep_channels_in_planes_of_their_own_are_refused_by_name(dtype: str, tmp_path: Path) -> None:
    values = (np.stack([RAMP] * 3, axis=-1) * (65535 if dtype == "<u2" else 1)).astype(dtype)
    planes = [np.ascontiguousarray(values[..., channel]).tobytes() for channel in range(3)]
    data = tiff(values, *planes, samples=3, kind=1 if dtype == "<u2" else 3, planes=2)
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(InputError, match="separate planes"):
        load_photo(tmp_path / "x.tif")
