"""Parity of our route into Qwen3-VL: tokens, patches, vision tower, logits and greedy tokens of a small checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Row, checked, compare, failed
from manymesh.device.placement import Placement


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    for fixture in manifest.get("fixtures", []):
        name = str(fixture.get("id"))
        if not {"file", "expected", "model"} <= set(fixture):
            yield failed(name, "a fixture that is not understood here")
        else:
            yield from checked(name, lambda f=fixture, n=name: _fixture(directory, f, n))  # type: ignore[misc]


def _fixture(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch
    from PIL import Image
    from safetensors.numpy import load_file

    from manymesh.detect.qwen import picture, prompt
    from manymesh.detect.qwen.decode import Decoder
    from manymesh.detect.qwen.load import load_model

    folder = directory / fixture["model"]
    stated = json.loads((directory / fixture["expected"]).read_text("utf-8"))
    wanted = load_file(directory / fixture["file"])
    limits = stated["tolerances"]
    with Image.open(directory / fixture.get("image", stated["image"])) as image:
        rgb = np.asarray(image.convert("RGB"))
    tokenizer = prompt.load_tokenizer(folder)
    text = prompt.rendered(tokenizer, stated["prompt"])
    same = text == stated["rendered_prompt_before_expansion"]
    yield Row(f"{name}/rendered_prompt", 0.0, 0.0, 0.0, same, "" if same else repr(text)[:200])

    model = load_model(folder, Placement("cpu", "float32", "parity is judged in float32"))
    inputs = prompt.inputs(tokenizer, model.config.image_token_id, stated["prompt"], rgb, picture.read_patching(folder))
    for key in ("input_ids", "mm_token_type_ids", "image_grid_thw"):
        yield compare(f"{name}/{key}", inputs[key].numpy(), wanted[key].reshape(inputs[key].shape), 0.0)
    pixels = float(limits["pixel_values_pil"])
    yield compare(f"{name}/pixel_values", inputs["pixel_values"].numpy(), wanted["pixel_values"], pixels)

    with torch.inference_mode():
        seen = model.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"]).pooler_output
        seen = torch.cat(list(seen)) if isinstance(seen, (list, tuple)) else seen
        logits = model(**inputs, logits_to_keep=1).logits[0, -1]
    embeds = wanted["image_embeds"]
    yield compare(f"{name}/image_embeds", seen.numpy().reshape(embeds.shape), embeds, float(limits["image_embeds"]))
    last = wanted["logits_last"]
    yield compare(f"{name}/logits_last", logits.numpy().reshape(last.shape), last, float(limits["logits_last"]))

    answer = Decoder(model).run(inputs, int(stated["max_new_tokens"]))
    tokens = wanted["greedy_new_tokens"].reshape(-1)
    ends = set(Decoder(model).ends)
    until_end = [int(t) for t in tokens]
    cut = next((i for i, t in enumerate(until_end) if t in ends), len(until_end))
    yield compare(f"{name}/greedy_new_tokens", np.array(answer.tokens), np.array(until_end[:cut]), 0.0)
