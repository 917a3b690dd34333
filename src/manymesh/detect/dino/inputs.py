"""Names and a picture as Grounding DINO wants them, and which text tokens belong to which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from manymesh.types import F32, U8
from manymesh.weights.tables import read_json_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Sizing:
    """The numbers of preprocessor_config.json: sides in pixels, ImageNet mean and deviation."""

    shortest: int = 800
    longest: int = 1333
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)


def read_sizing(folder: Path) -> Sizing:
    d = Sizing()
    table = read_json_table(folder / "preprocessor_config.json")
    size: dict[str, Any] = table.get("size") or {}
    return Sizing(
        shortest=int(size.get("shortest_edge", d.shortest)),
        longest=int(size.get("longest_edge", d.longest)),
        mean=tuple(table.get("image_mean", d.mean)),
        std=tuple(table.get("image_std", d.std)),
    )


def fitted_size(height: int, width: int, sizing: Sizing) -> tuple[int, int]:
    """Height and width with the short side at its size, or the long one where that would be too long."""
    short, long = min(height, width), max(height, width)
    if long / short * sizing.shortest > sizing.longest:
        target_short = int(sizing.longest * short / long)
    else:
        target_short = sizing.shortest
    if height <= width:
        return max(target_short, 1), max(int(target_short * width / height), 1)
    return max(int(target_short * height / width), 1), max(target_short, 1)


def pixels(rgb: U8, sizing: Sizing) -> F32:
    """(H, W, 3) uint8 to (1, 3, h, w) float32."""
    from PIL import Image

    h, w = fitted_size(rgb.shape[0], rgb.shape[1], sizing)
    small = np.asarray(Image.fromarray(rgb).resize((w, h), Image.Resampling.BILINEAR))
    mean, std = np.array(sizing.mean, np.float32), np.array(sizing.std, np.float32)
    return np.ascontiguousarray(((small.astype(np.float32) / np.float32(255) - mean) / std).transpose(2, 0, 1))[None]


def phrases(names: Sequence[str]) -> str:
    """The prompt: lower-case nouns, each closed by a full stop, "cup . spoon ."."""
    return " ".join(f"{name.lower().replace('.', ' ').strip()} ." for name in names)


def tokens(tokenizer: Any, names: Sequence[str]) -> tuple[dict[str, torch.Tensor], list[list[int]]]:
    """The text's tensors, (1, n) each, and for each name the places of its tokens.

    The places are found by counting the full stops that close the names.
    """
    text = tokenizer(phrases(names), return_tensors="pt")
    stop = tokenizer.convert_tokens_to_ids(".")
    special = set(tokenizer.all_special_ids)
    places: list[list[int]] = [[] for _ in names]
    number = 0
    for at, token in enumerate(text["input_ids"][0].tolist()):
        if token == stop:
            number += 1
        elif token not in special and number < len(names):
            places[number].append(at)
    return dict(text), places
