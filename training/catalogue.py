"""Reads the archives of Debian's sweethome3d-furniture: which models there are, by whom, under which licence.

An archive (.sh3f) is a zip of OBJ models and a catalogue, ``PluginFurnitureCatalog.properties``. Its frame after
``modelRotation`` is +Y up with the front towards +Z.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CATALOGUE = "PluginFurnitureCatalog.properties"


@dataclass(frozen=True)
class Entry:
    """One model of a catalogue.

    Attributes:
        archive: file name of its archive. path: inside the archive, without a leading slash.
        title, creator, category: as the catalogue says.
        licence: SPDX id, or "" when the archive and the model's own licence file do not give one that we know.
        rotation: (3, 3), from the file's frame to +Y up, +Z front.
    """

    archive: str
    path: str
    title: str
    creator: str
    category: str
    licence: str
    rotation: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Short and stable: the first and the last piece of the path, "scopia/tricycle"."""
        pieces = self.path.rsplit(".", 1)[0].split("/")
        return "/".join(dict.fromkeys([pieces[0], pieces[-1]]))

    @property
    def key(self) -> str:
        return f"{self.archive}:{self.path}"


def entries(archive: Path) -> list[Entry]:
    """The models of one archive, in the catalogue's order.

    Raises:
        KeyError: it has no catalogue. zipfile.BadZipFile: it is no zip.
    """
    with zipfile.ZipFile(archive) as stored:
        fields = properties(stored.read(CATALOGUE))
        files = stored.namelist()
        top = fields.get("license", "")
        if "LICENSE.TXT" in files:
            top += "\n" + stored.read("LICENSE.TXT").decode("utf-8", "replace")
        found = []
        for number in sorted(int(key[6:]) for key in fields if re.fullmatch(r"model#\d+", key)):
            path = fields[f"model#{number}"].lstrip("/")
            texts = [stored.read(file).decode("utf-8", "replace") for file in _licence_files(path, files)]
            texts = [text for text in (fields.get(f"license#{number}", ""), *texts) if licence_of(text)] or [top]
            found.append(
                Entry(
                    archive.name,
                    path,
                    fields.get(f"name#{number}", path),
                    fields.get(f"creator#{number}", ""),
                    fields.get(f"category#{number}", ""),
                    strictest([licence_of(text) for text in [top, *texts]]),
                    _rotation(fields.get(f"modelRotation#{number}")),
                )
            )
    return found


def properties(data: bytes) -> dict[str, str]:
    """A Java properties file (ISO-8859-1, backslash-u escapes, no continued lines)."""
    found = {}
    for line in data.decode("iso-8859-1").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "!")):
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), value)
            found[key.strip()] = re.sub(r"\\(.)", r"\1", value).strip()
    return found


ORDER = ("CC0-1.0", "CC-BY-3.0", "CC-BY-3.0-US", "CC-BY-4.0", "restricted")
"""From the freest to the strictest; "restricted" is every one that adds conditions to attribution."""


def licence_of(text: str) -> str:
    """The SPDX id of a licence text, "restricted" for share-alike, non-commercial and the like, "" when unknown."""
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", text, flags=re.S | re.I).lower()
    if re.search(r"share[ -]?alike|non-?commercial|no ?deriv|\bby-(sa|nc|nd)|\bgpl|general public license", text):
        return "restricted"
    if re.search(r"attribution|\bcc[ -]by\b|licenses/by/", text):
        if "4.0" in text:
            return "CC-BY-4.0"
        return "CC-BY-3.0-US" if "united states" in text else "CC-BY-3.0"
    return "CC0-1.0" if re.search(r"\bcc-?0|public domain|creative commons zero", text) else ""


def strictest(licences: list[str]) -> str:
    """What remains when several texts speak of the same model; "" when one of them is not known."""
    return "" if "" in licences else max(licences, key=ORDER.index)


def _licence_files(path: str, files: list[str]) -> list[str]:
    folder = path.rsplit("/", 1)[0] + "/"
    return [file for file in files if file.startswith(folder) and re.search(r"licen[sc]e", file[len(folder) :], re.I)]


def _rotation(text: str | None) -> NDArray[np.float64]:
    return np.eye(3) if not text else np.array(text.split(), np.float64).reshape(3, 3)
