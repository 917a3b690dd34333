"""Where a TripoSG checkpoint's weights lie, and loading one network of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from manymesh.errors import WeightsError
from manymesh.shape.triposg.config import ENCODER_FOLDER, TRANSFORMER_FOLDER, VAE_FOLDER
from manymesh.weights.load import Network, Rename, load_network, same_key
from manymesh.weights.verify import read_header

WEIGHTS: dict[str, str] = {
    ENCODER_FOLDER: "model.safetensors",
    TRANSFORMER_FOLDER: "diffusion_pytorch_model.safetensors",
    VAE_FOLDER: "diffusion_pytorch_model.safetensors",
}
# Parts of the VAE that turn points into latents. Nothing here needs them.
_POINT_ENCODER = ("encoder.", "quant.")
# Parts that only the transformer for sketches and text has.
_SCRIBBLE = (".attn2_2.", ".norm2_2.")


def weights_file(folder: Path, part: str) -> Path:
    """The safetensors file of one network. Raises ``WeightsError`` when there is none."""
    path = folder / part / WEIGHTS[part]
    if not path.is_file():
        raise WeightsError(f"the checkpoint has no {part}/{path.name}", "Run 'manymesh models pull triposg'")
    return path


def decoder_key(key: str) -> str | None:
    """A ``Rename`` that passes over the VAE's point encoder."""
    return None if key.startswith(_POINT_ENCODER) else key


def renaming(part: str) -> Rename:
    """How the keys of one network's file become the network's own."""
    return decoder_key if part == VAE_FOLDER else same_key


def load_part(
    build: Callable[[], Network], folder: Path, part: str, *, device: torch.device, dtype: torch.dtype
) -> Network:
    """One network of a checkpoint, with its weights.

    Args:
        build: makes the network.
        folder: the checkpoint.
        part: the network's folder in it.
        device, dtype: where the weights go, and what the float32 numbers of the file are cast to, one by one.

    Raises:
        WeightsError: file and network do not match; the first wrong key is named.
    """
    path = weights_file(folder, part)
    refuse_scribble(path)
    return load_network(build, path, device=device, dtype=dtype, rename=renaming(part))


def refuse_scribble(path: Path) -> None:
    """Raise ``WeightsError`` for the weights of the model for sketches and text."""
    if any(mark in key for key in read_header(path) for mark in _SCRIBBLE):
        raise WeightsError(
            f"{path.parent.name}/{path.name} is TripoSG's network for sketches and text, not the one for photos",
            "Use the weights of VAST-AI/TripoSG",
        )
