"""Qwen3-VL from its official files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manymesh.errors import OutOfMemoryError, WeightsError
from manymesh.memory.placement import Placement
from manymesh.weights.tensors import read_header, require_shapes


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
    with torch.device("meta"):
        expected = Qwen3VLForConditionalGeneration(config).state_dict()
    check_shards(folder, {key: tuple(value.shape) for key, value in expected.items()}, tied=_tied(config))
    try:
        with quiet():
            model = Qwen3VLForConditionalGeneration.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=getattr(torch, placement.dtype),
                attn_implementation="sdpa",
            )
        return model.to(placement.device).eval().requires_grad_(False)
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(
            f"the detector {folder.name} does not fit in the memory of {placement.device}",
            "Use a smaller one, --detector dino, or --device detect=cpu",
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars of transformers' own: the faces of manymesh show progress."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _tied(config: Any) -> frozenset[str]:
    tied = getattr(config, "tie_word_embeddings", False) or getattr(config.text_config, "tie_word_embeddings", False)
    return frozenset({"lm_head.weight"}) if tied else frozenset()


def check_shards(folder: Path, expected: dict[str, tuple[int, ...]], tied: frozenset[str] = frozenset()) -> None:
    """Hold the headers of all safetensors files in ``folder`` against ``expected``. ``tied`` tensors may be absent."""
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= {key: info.shape for key, info in read_header(path).items()}
    needed = {key: shape for key, shape in expected.items() if key in found or key not in tied}
    require_shapes({k: s for k, s in found.items() if k in expected}, needed, "what its config.json describes", folder)
