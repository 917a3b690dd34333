"""Official folders to networks: one network at a time, strictly, straight to where it computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from manymesh.errors import WeightsError
from manymesh.weights import load
from manymesh.weights.load import as_safetensors
from manymesh.weights.locate import twin_beside

if TYPE_CHECKING:
    import torch

WEIGHTS = "diffusion_pytorch_model"

Network = TypeVar("Network", bound="torch.nn.Module")


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


def load_network(
    build: Callable[[], Network],
    path: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    prefix: str = "",
    rename: Callable[[str], str | None] = lambda key: key,
) -> Network:
    """A network with the weights of a file, ready to run.

    Args:
        build: makes the network; called under the ``meta`` device, where it takes no memory.
        path: a safetensors file, which may hold several networks.
        device, dtype: where the weights go, tensor by tensor, and what they become.
        prefix: of the keys that are this network's.
        rename: a key without its prefix to the network's own, or None for what is no weight.

    Raises:
        WeightsError: file and network do not match; the first wrong key is named. Nothing has been allocated then.
    """
    what = "the network that its config.json describes"
    return load.load_network(
        build, path, device=device, dtype=dtype, prefix=prefix, rename=rename, what=what, channels_last=True
    )
