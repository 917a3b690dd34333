"""Hand-held controllers and hands of the npm package @webxr-input-profiles/assets.

    npm pack @webxr-input-profiles/assets@1.0.20

Licence: MIT, copyright (c) 2019 Amazon. The package's README.md says "Assets are available under MIT license" and its
LICENSE.md holds the text. Frame: +Y up, the far end towards -Z; which side is the front nobody can say.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from training.sources.source import Found
from training.wavefront import Material, Model

FOLDER = "package/dist/profiles/"

# The generic controllers are one body with other buttons: two of them are enough.
ALIKE = "generic-"
KEPT = {"generic-button", "generic-trigger-squeeze-touchpad-thumbstick", "generic-hand", "generic-fixed-hand"}


def models(package: Path) -> Iterator[Found]:
    """One model of each profile: left and right are mirror images, and training mirrors by itself."""
    with tarfile.open(package) as stored:
        files = {item.name: item for item in stored.getmembers()}
        for profile in sorted({name[len(FOLDER) :].split("/")[0] for name in files if name.endswith(".glb")}):
            if profile.startswith(ALIKE) and profile not in KEPT:
                continue
            sides = [f"{FOLDER}{profile}/{side}.glb" for side in ("right", "none", "left")]
            member = stored.extractfile(next(files[side] for side in sides if side in files))
            assert member is not None
            model = glb_model(member.read())
            yield Found(f"webxr/{profile}", "gadgets", "MIT", "Amazon and others", profile, model, np.eye(3), False)


def glb_model(data: bytes) -> Model:
    """A GLB's meshes, placed as its scene places them, with base colours."""
    import trimesh

    scene: Any = trimesh.load(io.BytesIO(data), file_type="glb", force="scene")
    pieces = [piece for piece in scene.dump() if hasattr(piece, "faces") and len(piece.faces)]
    offsets = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    uv = [_corner_uv(piece) for piece in pieces]
    return Model(
        np.concatenate([np.asarray(piece.vertices, np.float64) for piece in pieces]),
        np.concatenate(
            [np.asarray(piece.faces, np.int64) + start for piece, start in zip(pieces, offsets, strict=False)]
        ),
        np.concatenate(uv),
        np.repeat(np.arange(len(pieces)), [len(piece.faces) for piece in pieces]),
        [_material(piece) for piece in pieces],
    )


def _corner_uv(piece: Any) -> np.ndarray:
    uv = getattr(piece.visual, "uv", None)
    if uv is None or len(uv) != len(piece.vertices):
        return np.zeros((len(piece.faces), 3, 2))
    uv = np.nan_to_num(np.asarray(uv, np.float64))
    return (uv * [1, -1] + [0, 1])[piece.faces]


def _material(piece: Any) -> Material:
    material = getattr(piece.visual, "material", None)
    factor = getattr(material, "baseColorFactor", None)
    color = (204, 204, 204) if factor is None else tuple(int(value) for value in np.asarray(factor)[:3])
    image = getattr(material, "baseColorTexture", None)
    if image is None or getattr(piece.visual, "uv", None) is None:
        return Material((color[0], color[1], color[2]))
    picture = np.array(image.convert("RGBA"))
    if getattr(material, "alphaMode", None) in (None, "OPAQUE"):
        picture[..., 3] = 255
    return Material((color[0], color[1], color[2]), 1.0, picture)
