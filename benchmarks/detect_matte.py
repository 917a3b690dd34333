"""How fast are the full engine's eyes? Random weights at real size, on one GPU.

    python benchmarks/detect_matte.py --out detect_matte.json      # a few minutes on an H200
    python benchmarks/detect_matte.py --tiny                       # small networks on the CPU, to try the script

Weights are random: speed and memory do not depend on them. Every part is measured on its own, and one that breaks is
reported with its error while the others go on. Prints a table, and writes JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

GIB = 2.0**30
Part = Callable[[torch.device, argparse.Namespace], dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--out", type=Path, help="write the numbers here as JSON")
    parser.add_argument("--only", default="", help="run only the parts whose name holds this")
    parser.add_argument("--tokens", type=int, default=256, help="new tokens to decode")
    options = parser.parse_args()
    if not options.tiny and not torch.cuda.is_available():
        sys.exit("no CUDA device: use --tiny to try the script on the CPU")
    device = torch.device("cpu" if options.tiny else "cuda")
    report: dict[str, Any] = {"machine": machine(device), "parts": {}}
    for name, part in PARTS.items():
        if options.only in name:
            report["parts"][name] = guarded(name, part, device, options)
            if options.out:
                options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    print_table(report)


def guarded(name: str, part: Part, device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """One part's numbers, or the text of what broke it."""
    print(f"... {name}", flush=True)
    started = time.perf_counter()
    try:
        numbers = part(device, options)
    except Exception as error:  # noqa: BLE001 - reported, and the other parts go on
        numbers = {"error": f"{type(error).__name__}: {error}"[:600], "where": traceback.format_exc()[-1500:]}
    numbers["part_seconds"] = round(time.perf_counter() - started, 2)
    clean()
    return numbers


def machine(device: torch.device) -> dict[str, Any]:
    import transformers

    facts: dict[str, Any] = {"python": platform.python_version(), "torch": torch.__version__}
    facts["transformers"] = transformers.__version__
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
        a = torch.empty(1 << 30, dtype=torch.uint8, device=device)
        b = torch.empty_like(a)
        facts["copy_bytes_per_s"] = 2 * a.numel() / seconds(lambda: b.copy_(a), device, repeats=10)
    return facts


def clean() -> None:
    import gc

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(run: Callable[[], object], device: torch.device, repeats: int = 5, warm: int = 2) -> float:
    """Median wall time of ``run``, with the device idle before and after."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(repeats):
        synchronise(device)
        start = time.perf_counter()
        run()
        synchronise(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


class Peak:
    """The most device memory that was allocated and reserved inside a ``with`` block, in GiB."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.numbers = {"peak_allocated_gib": float("nan"), "peak_reserved_gib": float("nan")}

    def __enter__(self) -> Peak:
        clean()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        return self

    def __exit__(self, *_: object) -> None:
        if self.device.type == "cuda":
            allocated = torch.cuda.max_memory_allocated(self.device)
            reserved = torch.cuda.max_memory_reserved(self.device)
            self.numbers = {"peak_allocated_gib": allocated / GIB, "peak_reserved_gib": reserved / GIB}


# --- Qwen3-VL ---------------------------------------------------------------------------------------------------------


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
    numbers["ours_answer_s"] = seconds(lambda: decoder.run(inputs, count), device, repeats=3, warm=0)
    decoding = max(numbers["ours_answer_s"] - numbers["prefill_with_vision_s"], 1e-9)
    numbers["ours_decode_tokens_per_s"] = (count - 1) / decoding
    numbers["ours_ms_per_token"] = 1000 * decoding / (count - 1)
    numbers["captured"] = decoder.graph is not None
    if decoder.graph is not None:
        with torch.inference_mode():
            decoder.place.fill_(numbers["prompt_tokens"])
            decoder.count.fill_(1)
            numbers["replay_ms"] = 1000 * seconds(decoder.graph.replay, device, repeats=20, warm=3)
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


# --- BiRefNet ---------------------------------------------------------------------------------------------------------


def birefnet_model(config: Any, device: torch.device, dtype: torch.dtype) -> Any:
    from manymesh.matte.birefnet.network import BiRefNet

    torch.manual_seed(0)
    with torch.device(device):
        network = BiRefNet(config)
    for name, parameter in network.named_parameters():
        if name.endswith("relative_position_bias_table"):
            torch.nn.init.normal_(parameter, std=0.5)
    network = network.to(dtype).eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last) if device.type == "cuda" else network


def birefnet(variant: str, height: int, width: int) -> Part:
    """A part that measures one network at one input size."""

    def part(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
        from manymesh.matte.birefnet import config as sizes

        dtype = torch.float32 if options.tiny else torch.float16
        tiny = sizes.Config(8, (1, 2, 1, 2), (1, 2, 2, 4), 4, dec_inter=4, aspp_width=6, ipt_inter=2)
        config = tiny if options.tiny else {"general": sizes.GENERAL, "lite": sizes.LITE}[variant]
        h, w = (64, 96) if options.tiny else (height, width)
        network = birefnet_model(config, device, dtype)
        x = torch.randn(1, 3, h, w, generator=torch.Generator().manual_seed(2)).to(device, dtype)
        weights = sum(p.numel() * p.element_size() for p in network.parameters())
        return {"input": f"{w}x{h}", "weights_gib": weights / GIB} | birefnet_numbers(network, x, device)

    return part


def birefnet_numbers(network: Any, x: torch.Tensor, device: torch.device) -> dict[str, Any]:
    def forward() -> torch.Tensor:
        with torch.inference_mode():
            return network(x)

    forward()
    with Peak(device) as peak:
        forward()
        synchronise(device)
    numbers: dict[str, Any] = dict(peak.numbers)
    numbers["seconds"] = seconds(forward, device, repeats=15)
    numbers |= birefnet_steps(network, x, device)
    if device.type == "cuda":
        numbers |= captured_seconds(network, x, device)
    half = forward().float().sigmoid()
    network.float()
    with torch.inference_mode():
        exact = network(x.float()).sigmoid()
    numbers["alpha_mean_difference_to_float32"] = float((half - exact).abs().mean())
    numbers["alpha_mean"] = float(exact.mean())
    return numbers


def birefnet_steps(network: Any, x: torch.Tensor, device: torch.device) -> dict[str, Any]:
    """Seconds of the parts of a forward pass, one after another."""
    from manymesh.matte.birefnet.decoder import resize

    numbers: dict[str, Any] = {}
    with torch.inference_mode():
        halved = resize(x, (x.shape[2] // 2, x.shape[3] // 2))
        numbers["backbone_s"] = seconds(lambda: network.bb(x), device)
        numbers["backbone_half_scale_s"] = seconds(lambda: network.bb(halved), device)
        maps = network._two_scales(x, None)
        context = torch.cat([resize(m, maps[3]) for m in maps[:3]] + [maps[3]], 1)
        squeeze = network.squeeze_module[0]
        numbers["squeeze_s"] = seconds(lambda: squeeze(context), device)
        maps[3] = squeeze(context)
        numbers["decoder_s"] = seconds(lambda: network.decoder(x, list(maps)), device)
    return numbers


def captured_seconds(network: Any, x: torch.Tensor, device: torch.device) -> dict[str, Any]:
    """The forward pass replayed as a CUDA graph: what is left when Python costs nothing."""
    try:
        with torch.inference_mode():
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                network(x)
            return {"captured_s": seconds(graph.replay, device)}
    except Exception as error:  # noqa: BLE001 - this number is for orientation only
        return {"captured_s": float("nan"), "captured_error": f"{type(error).__name__}: {error}"[:300]}


def deform(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """The dearest deformable convolution: 7 x 7, 64 to 256 channels, on a 256 x 256 map."""
    from manymesh.matte.birefnet.deform import deform_conv2d

    side, dtype = (32, torch.float32) if options.tiny else (256, torch.float16)
    g = torch.Generator().manual_seed(3)
    shapes = {"x": (1, 64, side, side), "offset": (1, 98, side, side), "mask": (1, 49, side, side)}
    t = {name: torch.randn(*shape, generator=g).to(device, dtype) for name, shape in shapes.items()}
    weight = (torch.randn(256, 64, 7, 7, generator=g) / 56).to(device, dtype)

    def ours() -> torch.Tensor:
        with torch.inference_mode():
            return deform_conv2d(t["x"], t["offset"], t["mask"], weight, 3)

    with Peak(device) as peak:
        ours()
        synchronise(device)
    numbers: dict[str, Any] = {f"ours_{key}": value for key, value in peak.numbers.items()}
    numbers["ours_s"] = seconds(ours, device)
    try:
        from torchvision.ops import deform_conv2d as kernel
    except ImportError as error:
        return numbers | {"torchvision": f"absent: {error}"}

    def theirs() -> torch.Tensor:
        with torch.inference_mode():
            return kernel(t["x"], t["offset"], weight, None, padding=3, mask=t["mask"])

    with Peak(device) as peak:
        theirs()
        synchronise(device)
    numbers |= {f"torchvision_{key}": value for key, value in peak.numbers.items()}
    numbers["torchvision_s"] = seconds(theirs, device)
    exact = {name: value.float() for name, value in t.items()}
    with torch.inference_mode():
        a = deform_conv2d(exact["x"], exact["offset"], exact["mask"], weight.float(), 3)
        b = kernel(exact["x"], exact["offset"], weight.float(), None, padding=3, mask=exact["mask"])
    numbers["float32_max_difference_to_torchvision"] = float((a - b).abs().max())
    numbers["float16_mean_error_ours"] = float((ours().float() - b).abs().mean())
    numbers["float16_mean_error_torchvision"] = float((theirs().float() - b).abs().mean())
    return numbers


def after(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """What follows the network on the CPU: ownership and foreground colours of a large crop."""
    from manymesh.matte.foreground import refined_rgb
    from manymesh.matte.ownership import own_alpha
    from manymesh.types import Box

    side = 256 if options.tiny else 2048
    rng = np.random.default_rng(4)
    rgb = rng.integers(0, 255, (side, side, 3), np.uint8)
    y, x = np.mgrid[:side, :side] / side - 0.5
    alpha = (np.clip(6 * (0.4 - np.hypot(x, y)), 0, 1) * 255).astype(np.uint8)
    box = Box(0, 0, side, side)
    cpu = torch.device("cpu")
    return {
        "crop_px": side,
        "ownership_s": seconds(lambda: own_alpha(alpha, box, [box]), cpu, repeats=3, warm=1),
        "foreground_s": seconds(lambda: refined_rgb(rgb, alpha), cpu, repeats=3, warm=1),
    }


PARTS: dict[str, Part] = {
    "birefnet general 1024": birefnet("general", 1024, 1024),
    "deformable convolution": deform,
    "qwen3-vl-2b": qwen,
    "qwen3-vl-2b float32": qwen_exact,
    "birefnet lite 1024": birefnet("lite", 1024, 1024),
    "birefnet hr 2048": birefnet("general", 2048, 2048),
    "after the network": after,
}


def print_table(report: dict[str, Any]) -> None:
    print("\n" + ", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for name, numbers in report["parts"].items():
        print(f"\n{name}")
        for key, value in numbers.items():
            shown = f"{value:.5g}" if isinstance(value, float) else str(value)
            if isinstance(value, dict):
                shown = ", ".join(f"{k} {v:.3f}" for k, v in value.items())
            print(f"  {key:<42} {shown}")


if __name__ == "__main__":
    main()
