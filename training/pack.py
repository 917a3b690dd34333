"""Shapes in one small file: ``save(path, shapes)``, ``load(path)``. Needs NumPy and Pillow only.

Layout: MAGIC, then blocks of a little-endian uint64 length and that many bytes: an LZMA'd JSON header, one LZMA'd
block for each stream of STREAMS (the numbers of all shapes in a row, as differences, split into planes of equal byte
significance, which is what compresses), then every distinct texture as WebP.

Vertices are kept to 1 / 65,534 of the longest side, texture places to 1 / 4,096 of the picture.
"""

from __future__ import annotations

import io
import json
import lzma
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.shapes import Shape

MAGIC = b"mmpack1\n"
VERTEX_STEPS, UV_STEPS = 65_534, 4_096
WEBP_QUALITY = 70

STREAMS = {
    "vertices": (np.int16, 3),
    "faces": (np.int32, 1),
    "colors": (np.uint8, 3),
    "group": (np.int16, 1),
    "texture": (np.int16, 1),
    "uv": (np.int32, 2),
    "uv_index": (np.int32, 1),
}


def save(path: str | Path, shapes: Sequence[Shape]) -> None:
    """Write ``shapes`` (normalised ones). Equal shapes give equal bytes with the same Pillow."""
    pictures: dict[bytes, int] = {}
    header: list[dict[str, Any]] = []
    rows: dict[str, list[NDArray[Any]]] = {name: [] for name in STREAMS}
    for shape in shapes:
        about, numbers = _taken_apart(shape, pictures)
        header.append(about)
        for name, values in numbers.items():
            rows[name].append(values.reshape(-1, STREAMS[name][1]))
    with open(path, "wb") as out:
        out.write(MAGIC)
        _write(out, _squeezed(json.dumps({"shapes": header, "pictures": len(pictures)}).encode()))
        for name, (kind, width) in STREAMS.items():
            _write(out, _squeezed(_planes(np.concatenate([np.zeros((0, width), kind), *rows[name]]))))
        for data in pictures:
            _write(out, data)


def load(path: str | Path) -> list[Shape]:
    """The shapes of a pack, in the order in which they were saved.

    Raises:
        ValueError: it is no pack.
    """
    with open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{path} is no pack of shapes; make one with `python -m training.gather`")
        blocks = _blocks(file)
        header = json.loads(lzma.decompress(next(blocks)))
        streams = {name: _numbers(lzma.decompress(next(blocks)), *kind) for name, kind in STREAMS.items()}
        pictures = [_decoded(next(blocks)) for _ in range(header["pictures"])]
    cursor = dict.fromkeys(STREAMS, 0)

    def take(name: str, count: int) -> NDArray[Any]:
        start = cursor[name]
        cursor[name] = start + count
        return streams[name][start : start + count]

    return [_put_together(about, take, pictures) for about in header["shapes"]]


def _taken_apart(shape: Shape, pictures: dict[bytes, int]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    used = [pictures.setdefault(_encoded(picture), len(pictures)) for picture in shape.textures]
    about: dict[str, Any] = {
        "name": shape.name,
        "family": shape.family,
        "licence": shape.licence,
        "front_known": shape.front_known,
        "vertices": len(shape.vertices),
        "faces": len(shape.faces),
    }
    numbers: dict[str, NDArray[Any]] = {
        "vertices": np.clip(np.rint(shape.vertices * VERTEX_STEPS), -32767, 32767).astype(np.int16),
        "faces": shape.faces.astype(np.int32),
        "colors": shape.colors.astype(np.uint8),
        "group": shape.group.astype(np.int16),
    }
    if shape.texture is not None and shape.uv is not None:
        corners = np.rint(shape.uv[shape.texture >= 0].reshape(-1, 2) * UV_STEPS).astype(np.int32)
        places, index = _first_seen(corners)
        about |= {"textures": used, "places": len(places), "corners": len(corners)}
        numbers |= {"texture": shape.texture.astype(np.int16), "uv": places, "uv_index": index}
    return about, numbers


def _put_together(about: dict[str, Any], take: Any, pictures: list[NDArray[np.uint8]]) -> Shape:
    vertices = take("vertices", about["vertices"]).astype(np.float32) / np.float32(VERTEX_STEPS)
    faces = take("faces", 3 * about["faces"]).reshape(-1, 3)
    colors, group = take("colors", about["faces"]), take("group", about["faces"]).reshape(-1)
    texture = uv = None
    if "textures" in about:
        texture = take("texture", about["faces"]).reshape(-1)
        places = take("uv", about["places"]).astype(np.float32) / np.float32(UV_STEPS)
        uv = np.zeros((about["faces"], 3, 2), np.float32)
        uv[texture >= 0] = places[take("uv_index", about["corners"]).reshape(-1)].reshape(-1, 3, 2)
    textures = tuple(pictures[k] for k in about.get("textures", ()))
    return Shape(
        about["name"],
        about["family"],
        vertices,
        faces,
        colors,
        group,
        texture,
        uv,
        textures,
        about["licence"],
        about["front_known"],
    )


def _first_seen(rows: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The distinct rows in the order of their first appearance, and each row's number among them."""
    distinct, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return distinct[order], rank[inverse.reshape(-1)]


def _planes(values: NDArray[Any]) -> bytes:
    """Differences to the row before, modulo the type, one plane for each byte of each column."""
    unsigned = values.view(f"u{values.itemsize}")
    steps = np.diff(unsigned, axis=0, prepend=np.zeros((1, values.shape[1]), unsigned.dtype))
    half = steps.dtype.type(8 * steps.itemsize - 1)
    zigzag = (steps << steps.dtype.type(1)) ^ (np.zeros_like(steps) - (steps >> half))  # small either way: small
    as_bytes = zigzag.astype(zigzag.dtype.newbyteorder("<")).view(np.uint8)
    return np.ascontiguousarray(as_bytes.reshape(len(values), values.shape[1] * values.itemsize).T).tobytes()


def _numbers(data: bytes, kind: Any, width: int) -> NDArray[Any]:
    size = np.dtype(kind).itemsize
    planes = np.frombuffer(data, np.uint8).reshape(width * size, len(data) // (width * size))
    zigzag = np.ascontiguousarray(planes.T).view(f"<u{size}").astype(f"u{size}")
    one = zigzag.dtype.type(1)
    steps = (zigzag >> one) ^ (np.zeros_like(zigzag) - (zigzag & one))
    return np.cumsum(steps, axis=0, dtype=steps.dtype).view(kind)


def _encoded(picture: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=WEBP_QUALITY, method=6)
    return buffer.getvalue()


def _decoded(data: bytes) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def _squeezed(data: bytes) -> bytes:
    return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)


def _write(out: Any, data: bytes) -> None:
    out.write(struct.pack("<Q", len(data)))
    out.write(data)


def _blocks(file: Any) -> Iterator[bytes]:
    while True:
        head = file.read(8)
        if len(head) < 8:
            return
        yield file.read(struct.unpack("<Q", head)[0])
