"""Where the weights of one network lie in an official folder of the painter or of the delight network."""

from __future__ import annotations

from pathlib import Path

from manymesh.errors import WeightsError
from manymesh.weights.load import as_safetensors
from manymesh.weights.locate import twin_beside

WEIGHTS = "diffusion_pytorch_model"


def network_file(folder: Path, part: str, *, sha256: str | None = None, pickle_only: bool = False) -> Path:
    """The safetensors file of one network of a folder in diffusers' layout.

    A ``.bin`` is a pickle. It is converted, once, by the loader that runs nothing from it.

    Args:
        folder: such as ``hunyuan3d-paint-v2-0``.
        part: "unet", "vae" or "text_encoder".
        sha256: of the ``.bin``, where known.
        pickle_only: never take a ``.safetensors``. In the turbo painter's ``unet`` folder it is another network;
            everywhere else it holds the same network as the ``.bin`` and is taken first.
    """
    name = "model" if part == "text_encoder" else WEIGHTS
    pickled, safe = folder / part / f"{name}.bin", folder / part / f"{name}.safetensors"
    if safe.is_file() and not pickle_only:
        return safe
    if pickled.is_file() or twin_beside(pickled).is_file():
        return as_safetensors(pickled, sha256)
    raise WeightsError(f"{folder / part} holds no weights", "Run 'manymesh models verify'")
