"""What is asked of Qwen3-VL, and how it becomes tokens, without transformers' processor class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manymesh.detect.qwen.picture import Patching, patches
from manymesh.types import U8

if TYPE_CHECKING:
    import torch

NAMED = (
    "Locate every instance that belongs to the following categories: {text}. Report bbox coordinates in JSON format."
)
ANYTHING = (
    "Locate every distinct object in the picture. Report bbox coordinates in JSON format, with a short label for each."
)

# The published template of the Qwen3-VL family for turns of pictures and text, for folders that come without one.
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def question(names: Sequence[str]) -> str:
    """The prompt for these names, used as they are; for everything in the picture without any."""
    return NAMED.format(text=", ".join(names)) if names else ANYTHING


def rendered(tokenizer: Any, text: str) -> str:
    """One user turn, picture first, and the opening of the answer, as the model's chat template writes it."""
    turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
    template = None if getattr(tokenizer, "chat_template", None) else _TEMPLATE
    return str(
        tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True, chat_template=template)
    )


def inputs(tokenizer: Any, image_token_id: int, text: str, rgb: U8, patching: Patching) -> dict[str, torch.Tensor]:
    """Everything that the model's forward pass takes, on the CPU.

    ``input_ids``, ``attention_mask`` and ``mm_token_type_ids`` are (1, n) int64 (1 marks the picture's tokens in the
    last), ``pixel_values`` (patches, numbers) float32, ``image_grid_thw`` (1, 3) int64.
    """
    import numpy as np
    import torch

    rows, grid = patches(rgb, patching)
    mark = tokenizer.convert_ids_to_tokens(image_token_id)
    tokens_of_picture = grid[0] * grid[1] * grid[2] // patching.merge**2
    whole = rendered(tokenizer, text).replace(mark, mark * tokens_of_picture, 1)
    ids = torch.tensor([tokenizer(whole, add_special_tokens=False)["input_ids"]])
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == image_token_id).long(),
        "pixel_values": torch.from_numpy(rows),
        "image_grid_thw": torch.from_numpy(np.array([grid], np.int64)),
    }


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in a model's folder. Raises ``WeightsError``."""
    from manymesh.detect.transformers_files import load_tokenizer as load

    return load(folder)
