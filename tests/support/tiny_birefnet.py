"""A BiRefNet of a few thousand parameters with weights made by rule, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from manymesh.dev.procedural import birefnet_tensor
from manymesh.matte.birefnet.config import Config, is_unused

TINY = Config(8, (1, 2, 1, 2), (1, 2, 2, 4), 4, dec_inter=4, aspp_width=6, ipt_inter=2)


def tiny_state(dtype: str = "float32") -> dict[str, np.ndarray]:
    """Every tensor of the tiny network, by its official name."""
    from manymesh.matte.birefnet.load import build

    shapes = {k: tuple(v.shape) for k, v in build(TINY).state_dict().items() if not is_unused(k)}
    return {key: birefnet_tensor(key, shape, "tiny").astype(dtype) for key, shape in shapes.items()}


def save(path: Path, state: dict[str, np.ndarray]) -> Path:
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
    return path
