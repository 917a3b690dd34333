"""The other files that a glTF file names: its binary data and its pictures.

A file comes from anywhere, so it does not choose what is read of this machine: what it names must lie beside it or in a
folder there, and all together must stay within the limit of one file.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from manymesh.errors import InputError
from manymesh.mesh.formats.gltf import DATA_URI, Gltf

# A scheme ("http:", "file:"), which is also a drive's letter.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_SHOWN = 80
# Bytes at a file's start that tell a picture's kind.
_HEAD_BYTES = 16
# How the kinds of pictures that glTF knows begin, and their names in it.
_PICTURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"\xabKTX 20\xbb\r\n\x1a\n"), "image/ktx2"),
    (re.compile(rb"....ftypavif", re.DOTALL), "image/avif"),
    (re.compile(rb"DDS "), "image/vnd-ms.dds"),
)


class Beside:
    """Reads the files beside a glTF file.

    Args:
        path: of the glTF file.
        most_bytes: the most that all of them together may have.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._name, self._folder, self._left = path.name, path.parent, most_bytes

    def read(self, uri: str, most_bytes: int = sys.maxsize) -> bytes:
        """The contents of the file that ``uri`` names.

        Args:
            uri: relative, percent-encoded or not.
            most_bytes: what follows is not read.

        Raises:
            InputError: it names a place elsewhere, the file is absent or cannot be read, or all have too many bytes.
        """
        return self.contents(self.find(uri), most_bytes)

    def contents(self, path: Path, most_bytes: int = sys.maxsize) -> bytes:
        """The contents of a file that was found; errors as those of ``read``."""
        try:
            size = min(path.stat().st_size, most_bytes)
            if size > self._left:
                raise InputError(f"'{self._name}' and the files beside it are too large", "Reduce it first")
            with path.open("rb") as file:
                data = file.read(size)
        except OSError as error:
            raise InputError(
                f"'{path.name}', which '{self._name}' names, cannot be read ({error.strerror or error})",
                "Check the file, or export as GLB",
            ) from None
        self._left -= len(data)
        return data

    def find(self, uri: str) -> Path:
        """Where the file is. Writers that do not encode names leave spaces and per cent signs in them.

        Raises:
            InputError: it names a place elsewhere, or the file is absent.
        """
        names = list(dict.fromkeys((unquote(uri), uri)))
        folder = self._folder.resolve()
        for name in names:
            if self._leads_away(name):
                raise InputError(
                    f"'{self._name}' names '{shown(uri)}', and only files beside it are read",
                    "Put it beside the file, or export as GLB, which holds everything",
                )
            path = self._folder / name.replace("\\", "/")
            try:
                if path.is_file():
                    if path.resolve().is_relative_to(folder):
                        return path
                    raise InputError(
                        f"'{self._name}' names '{shown(uri)}', a link that leads elsewhere; only files beside it are "
                        "read",
                        "Put the file itself there",
                    )
            except (OSError, ValueError):  # a name that no file can have
                continue
        raise InputError(
            f"'{self._name}' keeps its data in another file, '{shown(uri)}', which is not beside it",
            "Put it there, or export as GLB, which holds everything",
        )

    @staticmethod
    def _leads_away(name: str) -> bool:
        parts = name.replace("\\", "/").split("/")
        return not name or name.startswith(("/", "\\")) or bool(_SCHEME.match(name)) or ".." in parts or "\0" in name


def with_pictures(source: Gltf, beside: Beside) -> Gltf:
    """The document with the pictures of other files as part of its own data, so that a copy has them.

    A picture that cannot be had changes nothing of the shape: it stays named, and a sentence says so.

    That is where no such file is beside, it is no picture or cannot be read, or all files would be too large with it.
    """
    images = source.document.get("images", [])
    named = [
        (number, image["uri"])
        for number, image in enumerate(images if isinstance(images, list) else [])
        if isinstance(image, dict) and isinstance(image.get("uri"), str) and not image["uri"].startswith(DATA_URI)
    ]
    if not named:
        return source
    views = list(source.document.get("bufferViews", []))
    binary, made, lacking = bytearray(source.binary), list(images), []
    read: dict[str, dict[str, Any] | None] = {}  # None: it cannot be had
    for number, uri in named:
        if uri not in read:
            data, kind = _picture(beside, uri)
            read[uri] = None
            if kind:
                binary += b"\0" * (-len(binary) % 4)
                views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
                binary += data
                read[uri] = {"bufferView": len(views) - 1, "mimeType": kind}
        kept = read[uri]
        if kept is None:
            lacking.append(shown(uri))
            continue
        rest = {key: value for key, value in images[number].items() if key not in ("uri", "mimeType")}
        made[number] = {"name": Path(unquote(uri)).stem, **rest, **kept}
    document = {**source.document, "images": made}
    if views:
        document["bufferViews"] = views
        first = (source.document.get("buffers") or [{}])[0]
        document["buffers"] = [{**{k: v for k, v in first.items() if k != "uri"}, "byteLength": len(binary)}]
    notes = list(source.changed)
    if lacking:
        listed = ", ".join(f"'{name}'" for name in dict.fromkeys(lacking))
        notes.append(f"The file names pictures that cannot be read beside it: {listed}. A copy lacks them too.")
    return replace(source, document=document, binary=bytes(binary), changed=tuple(notes))


def _picture(beside: Beside, uri: str) -> tuple[bytes, str]:
    """A picture's bytes and kind; both empty where it cannot be had."""
    try:
        path = beside.find(uri)
        head = beside.contents(path, _HEAD_BYTES)
        kind = next((kind for begins, kind in _PICTURES if begins.match(head)), "")
        return (beside.contents(path), kind) if kind else (b"", "")
    except InputError:
        return b"", ""


def shown(uri: str) -> str:
    """The name in a URI, for people."""
    return unquote(uri).replace("\\", "/")[:_SHOWN]
