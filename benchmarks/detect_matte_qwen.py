"""The detector's part of detect_matte.py: Qwen3-VL-2B, our decoding beside transformers' own."""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from measuring import GIB, Peak, seconds, synchronise


def qwen_sizes(tiny: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Text and vision configuration of Qwen3-VL-2B, or of something small."""
    rope = {"rope_type": "default", "rope_theta": 5_000_000, "mrope_interleaved": True}
    if tiny:
        text = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}
        text |= {"num_key_value_heads": 2, "head_dim": 16, "vocab_size": 512}
        text |= {"rope_parameters": {**rope, "mrope_section": [4, 2, 2]}}
        vision = {"depth": 3, "hidden_size": 48, "intermediate_size": 96, "num_heads": 4, "out_hidden_size": 64}
        vision |= {"deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64}
    else:
        text = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16}
        text |= {"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936}
        text |= {"rope_parameters": {**rope, "mrope_section": [24, 20, 20]}}
        vision = {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16}
        vision |= {"out_hidden_size": 2048, "deepstack_visual_indexes": [5, 11, 17], "num_position_embeddings": 2304}
    return text | {"tie_word_embeddings": True, "max_position_embeddings": 262_144}, vision


def qwen_model(device: torch.device, dtype: torch.dtype, tiny: bool) -> Any:
    """Qwen3-VL with random weights, made on the device."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    text, vision = qwen_sizes(tiny)
    vocabulary = text["vocab_size"]
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=vocabulary - 4,
        video_token_id=vocabulary - 3,
        vision_start_token_id=vocabulary - 2,
        vision_end_token_id=vocabulary - 1,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = Qwen3VLForConditionalGeneration._from_config(config, dtype=dtype, attn_implementation="sdpa")
    for name, parameter in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            # Fresh weights with a tied output layer say their last token for ever; louder layers make them wander.
            parameter.data.mul_(20)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.to(device).eval().requires_grad_(False)


def qwen_inputs(model: Any, device: torch.device, dtype: torch.dtype, tiny: bool) -> dict[str, torch.Tensor]:
    """A 1024 x 768 photo's 768 image tokens and 42 others, 810 in all (45 when tiny)."""
    rows, columns, words = (10, 14, 8) if tiny else (48, 64, 40)
    c = model.config
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(0, c.text_config.vocab_size - 8, (words,), generator=generator).tolist()
    picture = [c.vision_start_token_id, *[c.image_token_id] * (rows * columns // 4), c.vision_end_token_id]
    ids = torch.tensor([[*text[:4], *picture, *text[4:]]], device=device)
    pixels = torch.rand(rows * columns, 1536, generator=generator) * 2 - 1
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == c.image_token_id).long(),
        "pixel_values": pixels.to(device, dtype),
        "image_grid_thw": torch.tensor([[1, rows, columns]], device=device),
    }


def generate(model: Any, inputs: dict[str, torch.Tensor], count: int) -> list[int]:
    with torch.inference_mode():
        whole = model.generate(
            **inputs, max_new_tokens=count, do_sample=False, temperature=None, top_p=None, top_k=None, use_cache=True
        )
    return whole[0, inputs["input_ids"].shape[1] :].tolist()


def qwen(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """Vision tower, prompt, decoding: our own loop, and ``generate`` beside it."""
    dtype = torch.float32 if options.tiny else torch.bfloat16
    model = qwen_model(device, dtype, options.tiny)
    inputs = qwen_inputs(model, device, dtype, options.tiny)
    count = 24 if options.tiny else options.tokens
    numbers: dict[str, Any] = {
        "prompt_tokens": inputs["input_ids"].shape[1],
        "new_tokens": count,
        "weights_gib": sum(p.numel() * p.element_size() for p in model.parameters()) / GIB,
    }

    def see() -> None:
        with torch.inference_mode():
            model.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"])

    def prefill() -> None:
        with torch.inference_mode():
            model.model.rope_deltas = None
            model(**inputs, use_cache=True, logits_to_keep=1)

    numbers["vision_s"] = seconds(see, device)
    numbers["prefill_with_vision_s"] = seconds(prefill, device)
    ours = our_decoding(model, inputs, count, device, numbers)
    generate(model, inputs, 4)
    with Peak(device) as peak:
        synchronise(device)
        start = time.perf_counter()
        theirs = generate(model, inputs, count)
        synchronise(device)
        numbers["generate_answer_s"] = time.perf_counter() - start
    numbers["generate"] = peak.numbers
    numbers["generate_tokens_per_s"] = count / numbers["generate_answer_s"]
    numbers["times_faster"] = numbers["generate_answer_s"] / numbers["ours_answer_s"]
    return numbers | agreement(model, inputs, ours, theirs)


def our_decoding(
    model: Any, inputs: dict[str, torch.Tensor], count: int, device: torch.device, numbers: dict[str, Any]
) -> list[int]:
    """Decode with our loop, put its numbers among ``numbers``, and return the tokens."""
    from manymesh.detect.qwen.decode import Decoder

    decoder = Decoder(model)
    decoder.ends = frozenset()
    with Peak(device) as peak:
        synchronise(device)
        start = time.perf_counter()
        tokens = list(decoder.run(inputs, count).tokens)
        numbers["ours_first_answer_s"] = time.perf_counter() - start
    numbers["ours"] = peak.numbers
    numbers["ours_answer_s"] = seconds(lambda: decoder.run(inputs, count), device, repeats=3, warm_up=0)
    decoding = max(numbers["ours_answer_s"] - numbers["prefill_with_vision_s"], 1e-9)
    numbers["ours_decode_tokens_per_s"] = (count - 1) / decoding
    numbers["ours_ms_per_token"] = 1000 * decoding / (count - 1)
    numbers["captured"] = decoder.graph is not None
    numbers["capture_error"] = decoder.capture_error
    if decoder.graph is not None:
        with torch.inference_mode():
            decoder.position.fill_(numbers["prompt_tokens"])
            decoder.count.fill_(1)
            numbers["replay_ms"] = 1000 * seconds(decoder.graph.replay, device, repeats=20, warm_up=3)
    return tokens


def agreement(model: Any, inputs: dict[str, torch.Tensor], ours: list[int], theirs: list[int]) -> dict[str, Any]:
    """Whether both gave the same tokens; where they part, by how little the best logits differ there."""
    first = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    if first is None:
        return {"same_tokens": len(ours) == len(theirs), "different_tokens": len(set(ours))}
    prefix = torch.tensor([theirs[:first]], dtype=torch.long, device=inputs["input_ids"].device)
    ids = torch.cat([inputs["input_ids"], prefix], 1)
    kinds = torch.nn.functional.pad(inputs["mm_token_type_ids"], (0, first))
    with torch.inference_mode():
        model.model.rope_deltas = None
        out = model(
            **{**inputs, "input_ids": ids, "mm_token_type_ids": kinds, "attention_mask": torch.ones_like(ids)},
            use_cache=False,
            logits_to_keep=1,
        )
    logits = out.logits[0, -1].float()
    best = logits.topk(3).values.tolist()
    return {
        "same_tokens": False,
        "first_difference_at": first,
        "logits_ours_theirs": [float(logits[ours[first]]), float(logits[theirs[first]])],
        "three_best_logits": best,
        "a_logit_is_rounded_to": float(torch.finfo(out.logits.dtype).eps) * abs(best[0]),
    }


def qwen_exact(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """The same comparison in float32, where two logits are hardly ever as near as rounding."""
    from manymesh.detect.qwen.decode import Decoder

    model = qwen_model(device, torch.float32, options.tiny)
    inputs = qwen_inputs(model, device, torch.float32, options.tiny)
    count = 24 if options.tiny else 128
    decoder = Decoder(model)
    decoder.ends = frozenset()
    ours = list(decoder.run(inputs, count).tokens)
    one_by_one = list(decoder.run(inputs, count, use_graph=False).tokens)
    theirs = generate(model, inputs, count)
    same = {"new_tokens": count, "same_with_and_without_graph": ours == one_by_one}
    return same | agreement(model, inputs, ours, theirs)
