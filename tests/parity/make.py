"""Writes the public parity fixtures in this folder: small, of our own making, so that anybody can run the parity tests.

    python tests/parity/make.py [STACK...]

- ``detection``: replies of a language model and the boxes in them, both written by hand (``malformed_replies.py``).
- ``qwen3vl-tiny``: a Qwen3-VL with random weights in the official file layout. The expected numbers are those of
  transformers: its image processor, its tokenizer, its forward pass and its ``generate``.
- ``paint``: time grids and noise levels of the two samplers of the painter, as diffusers' schedulers give them.

The expected numbers never come from manymesh, except for the prompt's wording. The larger fixtures that maintainers use
(MANYMESH_PARITY, or ``shared/parity`` beside the checkout) also cover the matting and shape networks and the painter's
networks and renderer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

# Special tokens as the official tokenizer names them; the numbers behind them are this small vocabulary's own.
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
SPECIAL += ("<|video_pad|>",)
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PROMPT = (
    "Locate every instance that belongs to the following categories: cup, spoon. "
    "Report bbox coordinates in JSON format."
)
NEW_TOKENS = 24


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write_detection(folder: Path) -> None:
    from malformed_replies import REPLIES

    lines = [
        {
            "id": reply.id,
            "image_size": reply.size,
            "categories": reply.names,
            "reply": reply.text,
            "expected": [{"label": label, "box": box} for label, box in reply.expected],
        }
        for reply in REPLIES
    ]
    fixture = {"id": "malformed", "file": "malformed.jsonl", "tolerance": "exact"}
    write_json(folder / "manifest.json", {"format": 1, "stack": "detection", "set": "small", "fixtures": [fixture]})
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "malformed.jsonl").write_text(text, "utf-8")


def write_paint(folder: Path) -> None:
    import diffusers
    from safetensors.numpy import save_file

    common = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    common |= {"prediction_type": "v_prediction"}
    paint = common | {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True}
    euler = diffusers.EulerAncestralDiscreteScheduler
    samplers = {
        "paint30": (euler(**paint), 30),
        "delight50": (euler(**common, timestep_spacing="leading", steps_offset=1), 50),
    }
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for name, (scheduler, steps) in samplers.items():
        scheduler.set_timesteps(steps)
        arrays[f"{name}_timesteps"] = scheduler.timesteps.numpy().astype(np.float32)
        arrays[f"{name}_sigmas"] = scheduler.sigmas.numpy().astype(np.float32)
        arrays[f"{name}_init_noise_sigma"] = np.asarray(scheduler.init_noise_sigma, np.float32)
    whole = diffusers.DDIMScheduler(**paint)
    arrays["paint_alphas_cumprod"] = whole.alphas_cumprod.numpy().astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / "schedulers.safetensors")
    fixture = {"name": "schedulers", "file": "schedulers.safetensors"}
    write_json(folder / "manifest.json", {"format": 1, "stack": "paint", "set": "small", "fixtures": [fixture]})


def write_qwen(folder: Path) -> None:
    import torch
    from byte_tokenizer import save_byte_tokenizer
    from PIL import Image
    from safetensors.numpy import save_file
    from transformers import AutoTokenizer, Qwen3VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    folder.mkdir(parents=True, exist_ok=True)
    save_byte_tokenizer(folder, SPECIAL)
    (folder / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    config = _qwen_config()
    config.save_pretrained(folder)
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(config).eval()
    ends = [256 + SPECIAL.index("<|im_end|>"), 256 + SPECIAL.index("<|endoftext|>")]
    with torch.no_grad():
        for tensor in model.parameters():
            if tensor.ndim > 1:
                tensor.normal_(0, tensor[0].numel() ** -0.5)
        # The logit of an end token is 0, so that answers are long enough to compare.
        model.model.language_model.embed_tokens.weight[ends] = 0
    model.generation_config.eos_token_id = ends[0]
    model.generation_config.pad_token_id = ends[1]
    model.save_pretrained(folder)

    rows, columns = np.indices((70, 110))
    rgb = np.stack([rows * 3, columns * 2, (rows * columns) % 251], axis=2).astype(np.uint8)
    rgb[20:50, 30:70] = (200, 60, 40)
    Image.fromarray(rgb).save(folder / "sample.png")
    processor = {
        "size": {"shortest_edge": 4096, "longest_edge": 65536},
        "patch_size": 16,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    write_json(folder / "preprocessor_config.json", processor)
    seen = Qwen2VLImageProcessorPil(**processor)(images=[Image.fromarray(rgb)], return_tensors="np")
    pixels, grid = np.asarray(seen["pixel_values"], np.float32), np.asarray(seen["image_grid_thw"], np.int64)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": PROMPT}]}
    text = tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)
    count = int(grid.prod()) // 4
    whole = text.replace("<|image_pad|>", "<|image_pad|>" * count, 1)
    ids = torch.tensor([tokenizer(whole, add_special_tokens=False)["input_ids"]])
    given = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == config.image_token_id).long(),
        "pixel_values": torch.from_numpy(pixels),
        "image_grid_thw": torch.from_numpy(grid),
    }
    with torch.inference_mode():
        embeds = model.model.get_image_features(given["pixel_values"], given["image_grid_thw"]).pooler_output
        embeds = torch.cat(list(embeds)) if isinstance(embeds, (list, tuple)) else embeds
        last = model(**given).logits[0, -1]
        answer = model.generate(**given, max_new_tokens=NEW_TOKENS, do_sample=False)[0, ids.shape[1] :]
    arrays = {
        name: given[name].numpy() for name in ("input_ids", "mm_token_type_ids", "image_grid_thw", "pixel_values")
    }
    arrays |= {"image_embeds": embeds.numpy(), "logits_last": last.numpy(), "greedy_new_tokens": answer.numpy()}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "expected.safetensors")
    stated = {
        "prompt": PROMPT,
        "image": "sample.png",
        "rendered_prompt_before_expansion": text,
        "max_new_tokens": NEW_TOKENS,
        # Rounding of float32 between machines, with room; chosen by hand.
        "tolerances": {"pixel_values_pil": 1e-6, "image_embeds": 1e-4, "logits_last": 2e-4},
    }
    write_json(folder / "expected.json", stated)
    fixture = {"id": "qwen3vl_tiny", "file": "expected.safetensors", "expected": "expected.json", "model": "."}
    write_json(folder / "manifest.json", {"format": 1, "stack": "qwen3vl", "set": "small", "fixtures": [fixture]})


def _qwen_config() -> Any:
    from transformers import Qwen3VLConfig

    number = {token: 256 + place for place, token in enumerate(SPECIAL)}
    rope = {"rope_type": "default", "rope_theta": 5_000_000.0, "mrope_interleaved": True, "mrope_section": [4, 2, 2]}
    text = {
        "vocab_size": 264,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": 4096,
        "eos_token_id": number["<|im_end|>"],
        "pad_token_id": number["<|endoftext|>"],
        "bos_token_id": None,
        "rope_parameters": rope,
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 32,
        "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0],
    }
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=number["<|image_pad|>"],
        video_token_id=number["<|video_pad|>"],
        vision_start_token_id=number["<|vision_start|>"],
        vision_end_token_id=number["<|vision_end|>"],
        tie_word_embeddings=True,
        dtype="float32",
    )


STACKS: dict[str, Callable[[Path], None]] = {
    "detection": write_detection,
    "paint": write_paint,
    "qwen3vl-tiny": write_qwen,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or STACKS:
        STACKS[name](HERE / name)
