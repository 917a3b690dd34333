"""MV-Adapter's checkpoints in the official layout, for both bases, very small, with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiny_paint import CHANNELS, HEADS, NOISE, TEXT, TEXT_ENCODER, UNET, VAE, _configs, _random

ADAPTERS, SD21, SDXL, SDXL_VAE = (
    "mv-adapter",
    "stable-diffusion-2-1-base",
    "stable-diffusion-xl-base-1.0",
    "sdxl-vae-fp16-fix",
)
SCHEDULER = NOISE | {"prediction_type": "epsilon", "steps_offset": 1, "clip_sample": False}
# A text's summary and six numbers of four sines and cosines each.
_SUMMARY, _TIME = 16, 4
XL_UNET = UNET | {
    "block_out_channels": CHANNELS[:3],
    "attention_head_dim": HEADS[:3],
    "cross_attention_dim": 2 * TEXT,
    "down_block_types": ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2,
    "up_block_types": ["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"],
    "transformer_layers_per_block": [1, 2, 3],
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": _TIME,
    "projection_class_embeddings_input_dim": _SUMMARY + 6 * _TIME,
}
WORDS = {"!": 0, "a</w>": 1, "b</w>": 2, "c</w>": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}


def write_sd21(root: Path) -> Path:
    """Writes the base and its adapter below ``root``, and gives it."""
    from manymesh.paint.diffusion.image_vae import ImageVae
    from manymesh.paint.mvadapter.checkpoint import Checkpoint

    folder = root / SD21
    configs = {"unet": UNET, "vae": VAE, "text_encoder": TEXT_ENCODER, "scheduler": SCHEDULER}
    _configs(folder, configs)
    checkpoint = Checkpoint(folder, root / ADAPTERS / "mvadapter_ig2mv_sd21.safetensors", None, False)
    _write_networks(checkpoint)
    _save(_random(ImageVae(checkpoint.vae_config), 5), folder / "vae" / "diffusion_pytorch_model.fp16.safetensors")
    return root


def write_sdxl(root: Path) -> Path:
    """As ``write_sd21``, with XL's two text encoders and the autoencoder of its own repository."""
    from manymesh.paint.diffusion.image_vae import ImageVae
    from manymesh.paint.mvadapter.checkpoint import Checkpoint

    folder = root / SDXL
    second = TEXT_ENCODER | {"projection_dim": _SUMMARY}
    _configs(folder, {"unet": XL_UNET, "text_encoder": TEXT_ENCODER, "text_encoder_2": second, "scheduler": SCHEDULER})
    vae = root / SDXL_VAE
    vae.mkdir()
    (vae / "config.json").write_text(json.dumps(VAE | {"scaling_factor": 0.13025}), "utf-8")
    checkpoint = Checkpoint(folder, root / ADAPTERS / "mvadapter_ig2mv_sdxl.safetensors", vae, True)
    _write_networks(checkpoint)
    _save(_random(ImageVae(checkpoint.vae_config), 5), vae / "diffusion_pytorch_model.safetensors")
    return root


def adapter_tensors(config: Any) -> dict[str, Any]:
    """Random tensors of an adapter for a UNet, by the official names."""
    from manymesh.paint.mvadapter.adapter import AttentionAdapter, official_name
    from manymesh.paint.mvadapter.condition_encoder import ConditionEncoder, encoder_config

    found = {}
    for key, tensor in _random(AttentionAdapter(config), 7).items():
        _, block, kind, layer, rest = key.split(".", 4)
        found[f"{official_name(block)}.processor.{layer}_{kind}.{rest}"] = tensor.float()
    encoder = _random(ConditionEncoder(encoder_config(config)), 8, "adapter.")
    return found | {key: tensor.float() for key, tensor in encoder.items()}


def _write_networks(checkpoint: Any) -> None:
    """UNet, text encoders, tokenizers and adapter."""
    from manymesh.paint.diffusion.config import read_text
    from manymesh.paint.diffusion.text_encoder import TextEncoder
    from manymesh.paint.mvadapter.adapter import AdaptedUNet

    config, folder = checkpoint.unet_config, checkpoint.base
    _save(_random(AdaptedUNet(config), 1), folder / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    special = {"bos_token": {"content": "<|startoftext|>"}, "eos_token": "<|endoftext|>", "pad_token": "!"}
    for number, (part, tokenizer) in enumerate(checkpoint.text_parts):
        text = read_text(folder, part, projects=number == 1)
        tensors = _random(TextEncoder(text), 4 + number)
        named = {key if key.startswith("text_projection") else f"text_model.{key}": t for key, t in tensors.items()}
        _save(named, folder / part / "model.fp16.safetensors")
        target = folder / tokenizer
        target.mkdir()
        (target / "vocab.json").write_text(json.dumps(WORDS), "utf-8")
        (target / "special_tokens_map.json").write_text(json.dumps(special), "utf-8")
        (target / "tokenizer_config.json").write_text(json.dumps({"pad_token": "!"}), "utf-8")
        (target / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    checkpoint.adapter.parent.mkdir(exist_ok=True)
    _save(adapter_tensors(config), checkpoint.adapter)


def _save(tensors: dict[str, Any], path: Path) -> None:
    from safetensors.torch import save_file

    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path)
