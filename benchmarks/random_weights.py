"""Checkpoints in the official layouts with random weights, at full size or tiny: what ``walk.py`` loads.

Full size is Qwen3-VL-2B in bfloat16, BiRefNet general, Hunyuan3D-2mini, Hunyuan3D-2 Paint and its delight network in
float16: some 19 GB, one file of which (the painter's) is there twice, as the published pickle and as its twin.
Matrices are normal numbers scaled by the width of what they read, so that nothing grows out of float16.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from detect_matte_qwen import qwen_sizes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from byte_tokenizer import save_byte_tokenizer

Entry = tuple[str, tuple[int, ...]]
TYPES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
SPECIAL_TOKENS += ("<|video_pad|>",)
BYTES = 256

DINO = {"hidden_size": 1536, "num_attention_heads": 24, "num_hidden_layers": 40, "image_size": 518}
TINY_DINO = {"hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2, "image_size": 70}
DINO_COMMON = {"patch_size": 14, "num_channels": 3, "mlp_ratio": 4, "qkv_bias": True, "use_swiglu_ffn": True}
DIT = {"in_channels": 64, "hidden_size": 1024, "num_heads": 16, "depth": 8, "depth_single_blocks": 16}
TINY_DIT = {"in_channels": 8, "hidden_size": 48, "num_heads": 3, "depth": 2, "depth_single_blocks": 3}
SHAPE_VAE = {"num_latents": 512, "embed_dim": 64, "heads": 16, "width": 1024, "num_decoder_layers": 16}
TINY_SHAPE_VAE = {"num_latents": 32, "embed_dim": 8, "heads": 4, "width": 64, "num_decoder_layers": 2}
UNET = {"block_out_channels": [320, 640, 1280, 1280], "attention_head_dim": [5, 10, 20, 20], "norm_num_groups": 32}
UNET |= {"cross_attention_dim": 1024}
TINY_UNET = {"block_out_channels": [32, 64, 64, 64], "attention_head_dim": [2, 4, 4, 4], "norm_num_groups": 8}
TINY_UNET |= {"cross_attention_dim": 32}
UNET_COMMON = {"in_channels": 4, "out_channels": 4, "layers_per_block": 2, "use_linear_projection": True}
UNET_COMMON |= {"down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]}
UNET_COMMON |= {"up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3}
VAE = {"block_out_channels": [128, 256, 512, 512], "norm_num_groups": 32}
TINY_VAE = {"block_out_channels": [16, 16, 32, 32], "norm_num_groups": 8}
VAE_COMMON = {"layers_per_block": 2, "latent_channels": 4, "in_channels": 3, "out_channels": 3}
TEXT = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 23}
TINY_TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 2}
TEXT_COMMON = {"max_position_embeddings": 77, "vocab_size": 49408, "hidden_act": "gelu"}
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction"}


def write_checkpoints(root: Path, device: torch.device, *, tiny: bool) -> dict[str, dict[str, float]]:
    """Every model that the walk opens, under ``root`` as ``--weights-dir`` wants it: gigabytes and seconds by model."""
    writers: dict[str, Callable[[Path, Draw, bool], None]] = {
        "Qwen3-VL-2B": write_qwen,
        "BiRefNet general": write_birefnet,
        "Hunyuan3D-2mini": write_shape,
        "delight": write_delight,
        "Hunyuan3D-2 Paint": write_paint,
    }
    rows, before = {}, 0
    for name, write in writers.items():
        start = time.perf_counter()
        write(root, Draw(device), tiny)
        total = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        rows[name] = {"gigabytes": (total - before) / 1e9, "seconds": time.perf_counter() - start}
        before = total
    return rows


class Draw:
    """Random tensors, made where that is fast."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(0)

    def __call__(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """On the CPU."""
        if len(shape) > 1:
            spread = 1 / math.sqrt(math.prod(shape[1:]))
            drawn = torch.empty(shape, dtype=dtype, device=self.device).normal_(0, spread, generator=self.generator)
            return drawn.cpu()
        return torch.full(shape, 0.0 if name.endswith(("bias", "running_mean")) else 1.0, dtype=dtype)


def write_safetensors(path: Path, entries: Iterable[Entry], draw: Draw, dtype: torch.dtype = torch.float16) -> None:
    """A safetensors file, tensor by tensor, so that none but the one in hand is in memory."""
    entries, table, end = list(entries), {}, 0
    for name, shape in entries:
        start, end = end, end + math.prod(shape) * dtype.itemsize
        table[name] = {"dtype": TYPES[dtype], "shape": list(shape), "data_offsets": [start, end]}
    header = json.dumps(table).encode()
    header += b" " * (-len(header) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for name, shape in entries:
            file.write(draw(name, shape, dtype).flatten().view(torch.uint8).numpy())


def entries_of(build: Callable[[], Any], prefix: str = "", without: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Names and shapes of a network's weights; it takes no memory."""
    with torch.device("meta"):
        network = build()
    for name, tensor in network.state_dict().items():
        if not name.endswith(without):
            yield prefix + name, tuple(tensor.shape)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def write_qwen(root: Path, draw: Draw, tiny: bool) -> None:
    """``root/qwen3-vl-2b``, with a tokenizer that knows single bytes: prompts are longer than the real one's."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    folder = root / "qwen3-vl-2b"
    folder.mkdir(parents=True)
    text, vision = qwen_sizes(tiny)
    number = {token: BYTES + place for place, token in enumerate(SPECIAL_TOKENS)}
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=number["<|image_pad|>"],
        video_token_id=number["<|video_pad|>"],
        vision_start_token_id=number["<|vision_start|>"],
        vision_end_token_id=number["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    config.save_pretrained(folder)
    save_byte_tokenizer(folder, SPECIAL_TOKENS)
    sizes = {"shortest_edge": 4096 if tiny else 65_536, "longest_edge": 16_777_216}
    write_json(folder / "preprocessor_config.json", {"size": sizes, "patch_size": 16, "merge_size": 2})
    entries = entries_of(lambda: Qwen3VLForConditionalGeneration(config), without=("lm_head.weight",))
    write_safetensors(folder / "model.safetensors", entries, draw, torch.bfloat16)


def write_birefnet(root: Path, draw: Draw, tiny: bool) -> None:
    from manymesh.matte.birefnet import config as sizes
    from manymesh.matte.birefnet.load import build

    small = sizes.Config(8, (1, 2, 1, 2), (1, 2, 2, 4), 4, dec_inter=4, aspp_width=6, ipt_inter=2)
    entries = entries_of(lambda: build(small if tiny else sizes.GENERAL))
    kept = [(name, shape) for name, shape in entries if not sizes.is_unused(name)]
    write_safetensors(root / "birefnet-general" / "model.safetensors", kept, draw)


def write_shape(root: Path, draw: Draw, tiny: bool) -> None:
    import yaml

    from manymesh.shape.hunyuan.conditioner import Conditioner
    from manymesh.shape.hunyuan.config import read_shape_config
    from manymesh.shape.hunyuan.dit import Dit
    from manymesh.shape.hunyuan.vae import ShapeVae

    folder = root / "hunyuan3d-dit-v2-mini"
    dino = (TINY_DINO if tiny else DINO) | DINO_COMMON
    encoder = {"type": "DinoImageEncoder", "kwargs": {"config": dino, "image_size": 70 if tiny else 518}}
    dit = (TINY_DIT if tiny else DIT) | {"context_in_dim": dino["hidden_size"]}
    vae = (TINY_SHAPE_VAE if tiny else SHAPE_VAE) | {"include_pi": False, "qkv_bias": False, "qk_norm": True}
    config = {
        "model": {"target": "models.Hunyuan3DDiT", "params": dit},
        "vae": {"target": "models.ShapeVAE", "params": vae},
        "conditioner": {"target": "models.SingleImageEncoder", "params": {"main_image_encoder": encoder}},
        "scheduler": {"target": "schedulers.FlowMatchEulerDiscreteScheduler", "params": {"num_train_timesteps": 1000}},
        "image_processor": {"target": "preprocessors.ImageProcessorV2", "params": {"size": 512, "border_ratio": 0.15}},
    }
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    known = read_shape_config(folder)
    entries = [
        *entries_of(lambda: Dit(known.dit), "model."),
        *entries_of(lambda: ShapeVae(known.vae), "vae."),
        *entries_of(lambda: Conditioner(known.conditioner), "conditioner."),
    ]
    write_safetensors(folder / "model.fp16.safetensors", entries, draw)


def write_delight(root: Path, draw: Draw, tiny: bool) -> None:
    from manymesh.paint.diffusion.config import read_text, read_unet
    from manymesh.paint.diffusion.text_encoder import TextEncoder
    from manymesh.paint.diffusion.unet import UNet

    folder = root / "hunyuan3d-delight-v2-0"
    unet = (TINY_UNET if tiny else UNET) | UNET_COMMON | {"in_channels": 8}
    _write_vae(folder, draw, tiny)
    write_json(folder / "unet" / "config.json", unet)
    write_json(folder / "text_encoder" / "config.json", TEXT_COMMON | (TINY_TEXT if tiny else TEXT))
    noise = NOISE | {"timestep_spacing": "leading", "steps_offset": 1}
    write_json(folder / "scheduler" / "scheduler_config.json", noise)
    words = {"!": 0, "<|startoftext|>": 1, "<|endoftext|>": 2}
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "!"}
    for name, content in (("vocab", words), ("tokenizer_config", {}), ("special_tokens_map", ends)):
        write_json(folder / "tokenizer" / f"{name}.json", content)
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    write_json(folder / "feature_extractor" / "preprocessor_config.json", {})
    write_json(folder / "model_index.json", {})
    weights = "diffusion_pytorch_model.safetensors"
    write_safetensors(folder / "unet" / weights, entries_of(lambda: UNet(read_unet(folder))), draw)
    text = entries_of(lambda: TextEncoder(read_text(folder)), "text_model.")
    write_safetensors(folder / "text_encoder" / "model.safetensors", text, draw)


def write_paint(root: Path, draw: Draw, tiny: bool) -> None:
    """With the two UNets as a pickle, which is what is published, and its twin made as the first run makes it."""
    from manymesh.paint.diffusion.config import read_unet
    from manymesh.paint.hunyuan.multiview_unet import MultiviewUNet, ReferenceUNet
    from manymesh.weights.load import as_safetensors

    folder = root / "hunyuan3d-paint-v2-0"
    _write_vae(folder, draw, tiny)
    write_json(folder / "unet" / "config.json", (TINY_UNET if tiny else UNET) | UNET_COMMON)
    noise = NOISE | {"timestep_spacing": "trailing", "steps_offset": 1, "rescale_betas_zero_snr": True}
    write_json(folder / "scheduler" / "scheduler_config.json", noise)
    config = read_unet(folder)
    entries = [
        *entries_of(lambda: MultiviewUNet(config), "unet."),
        *entries_of(lambda: ReferenceUNet(config), "unet_dual."),
    ]
    pickled = folder / "unet" / "diffusion_pytorch_model.bin"
    torch.save({name: draw(name, shape, torch.float16) for name, shape in entries}, pickled)
    as_safetensors(pickled)


def _write_vae(folder: Path, draw: Draw, tiny: bool) -> None:
    from manymesh.paint.diffusion.config import read_vae
    from manymesh.paint.diffusion.image_vae import ImageVae

    write_json(folder / "vae" / "config.json", (TINY_VAE if tiny else VAE) | VAE_COMMON)
    entries = entries_of(lambda: ImageVae(read_vae(folder)))
    write_safetensors(folder / "vae" / "diffusion_pytorch_model.safetensors", entries, draw)
