"""Qwen3-VL from its official files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from manymesh.detect.transformers_files import load_pretrained
from manymesh.device.placement import Placement
from manymesh.errors import OutOfMemoryError, WeightsError


def load_model(folder: Path, placement: Placement) -> Any:
    """``Qwen3VLForConditionalGeneration`` with the weights in ``folder``, on its device, ready to run.

    Names and shapes in all shards are held against the architecture before anything is allocated; ``WeightsError``
    names the first that does not fit.
    """
    import torch
    from transformers import AutoConfig, Qwen3VLForConditionalGeneration

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type != "qwen3_vl":
        raise WeightsError(f"{folder} holds a model of type '{config.model_type}', not Qwen3-VL")
    try:
        model = load_pretrained(
            Qwen3VLForConditionalGeneration,
            folder,
            lambda: Qwen3VLForConditionalGeneration(config),
            dtype=getattr(torch, placement.dtype),
            attn_implementation="sdpa",
        )
        return model.to(placement.device).eval().requires_grad_(False)
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(
            f"the detector {folder.name} does not fit in the memory of {placement.device}",
            "Use a smaller one, --detector dino, or --device detect=cpu",
        ) from error
