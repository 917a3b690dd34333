"""Two animals of the Python package dm_control: the dog and the rodent.

    pip download --no-deps dm_control==1.0.50

Licence: Apache-2.0, copyright the dm_control Authors (LICENSE and AUTHORS in the wheel's dist-info/licenses).
Frame of the files: +Z up, the head towards +X.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.sources.source import Found
from training.wavefront import Material, Model

SKINS = {
    "dog": ("dm_control/suite/dog_assets/dog_skin.skn", "dm_control/suite/dog_assets/skin_texture.png"),
    "rodent": ("dm_control/locomotion/walkers/assets/rodent_walker_skin.skn", ""),
}
UPRIGHT = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
FUR = (146, 120, 96)


def models(package: Path) -> Iterator[Found]:
    """The skins in their rest pose."""
    with zipfile.ZipFile(package) as stored:
        for title, (skin, picture) in SKINS.items():
            material = Material(FUR, 1.0, _picture(stored.read(picture)) if picture else None)
            model = skin_model(stored.read(skin), material)
            yield Found(
                f"dm_control/{title}", "animals", "Apache-2.0", "The dm_control Authors", title, model, UPRIGHT, True
            )


def skin_model(data: bytes, material: Material) -> Model:
    """MuJoCo's SKN: four counts (vertices, texture places, faces, bones), then float32 and int32 arrays in that order.

    Raises:
        ValueError: the file is shorter than its counts say.
    """
    vertices, places, faces, _ = np.frombuffer(data, "<i4", 4)
    numbers = np.frombuffer(data, "<f4", 3 * vertices + 2 * places, 16)
    index = np.frombuffer(data, "<i4", 3 * faces, 16 + numbers.nbytes).reshape(-1, 3).astype(np.int64)
    uv = numbers[3 * vertices :].reshape(-1, 2).astype(np.float64)
    corners = uv[index] if places == vertices else np.zeros((faces, 3, 2))
    return Model(
        numbers[: 3 * vertices].reshape(-1, 3).astype(np.float64), index, corners, np.zeros(faces, np.int64), [material]
    )


def _picture(data: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        picture = np.array(image.convert("RGBA"))
    picture[..., 3] = 255
    return picture
