"""A tokenizer that knows single bytes and a few special tokens, for tiny language models with random weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path


def save_byte_tokenizer(folder: Path, special_tokens: Sequence[str]) -> None:
    """Write tokenizer.json and tokenizer_config.json, in the layout of Qwen3-VL's.

    Args:
        folder: where to.
        special_tokens: numbered from 256 on; "<|im_end|>" and "<|endoftext|>" must be among them.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: place for place, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special_tokens))
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "model_max_length": 262_144}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **named}
    text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
    (folder / "tokenizer_config.json").write_text(text, "utf-8")
