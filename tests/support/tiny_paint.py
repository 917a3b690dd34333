"""The painter's and the delight network's checkpoints in the official layout, very small, with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GROUPS, CHANNELS, HEADS, TEXT = 4, [8, 16, 16, 16], [1, 2, 2, 2], 24
PAINT, TURBO, DELIGHT = "hunyuan3d-paint-v2-0", "hunyuan3d-paint-v2-0-turbo", "hunyuan3d-delight-v2-0"

UNET = {
    "_class_name": "UNet2DConditionModel",
    "act_fn": "silu",
    "attention_head_dim": HEADS,
    "block_out_channels": CHANNELS,
    "cross_attention_dim": TEXT,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "norm_eps": 1e-5,
    "norm_num_groups": GROUPS,
    "use_linear_projection": True,
}
VAE = {
    "_class_name": "AutoencoderKL",
    "act_fn": "silu",
    "block_out_channels": [8, 8, 16, 16],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 2,
    "norm_num_groups": GROUPS,
}
TEXT_ENCODER = {
    "hidden_act": "gelu",
    "hidden_size": TEXT,
    "intermediate_size": 96,
    "max_position_embeddings": 77,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "vocab_size": 6,
}
NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
}


def write_paint(root: Path, folder: str = PAINT, *, pickled: bool = True) -> Path:
    """Writes ``root/folder`` as the painter's (``pickled``: weights as .bin, as published), and gives it."""
    from manymesh.paint.diffusion.config import read_unet
    from manymesh.paint.hunyuan.multiview_unet import MultiviewUNet, ReferenceUNet

    target = root / folder
    scheduler = NOISE | {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "steps_offset": 1}
    _configs(target, {"unet": UNET, "vae": VAE, "scheduler": scheduler})
    config = read_unet(target)
    tensors = _random(MultiviewUNet(config), 1, "unet.") | _random(ReferenceUNet(config), 2, "unet_dual.")
    _save(tensors, target / "unet" / "diffusion_pytorch_model", pickled=pickled)
    _vae(target, pickled=pickled)
    return target


def write_delight(root: Path) -> Path:
    """Writes ``root/hunyuan3d-delight-v2-0`` and gives it."""
    from manymesh.paint.diffusion.config import read_text, read_unet
    from manymesh.paint.diffusion.text_encoder import TextEncoder
    from manymesh.paint.diffusion.unet import UNet

    target = root / DELIGHT
    scheduler = NOISE | {"rescale_betas_zero_snr": False, "timestep_spacing": "leading", "steps_offset": 1}
    configs = {"unet": UNET | {"in_channels": 8, "upcast_attention": True}, "vae": VAE | {"force_upcast": True}}
    _configs(target, configs | {"text_encoder": TEXT_ENCODER, "scheduler": scheduler})
    _save(_random(UNet(read_unet(target)), 3), target / "unet" / "diffusion_pytorch_model")
    _save(_random(TextEncoder(read_text(target)), 4, "text_model."), target / "text_encoder" / "model")
    _vae(target)
    words = {"!": 0, "a": 1, "b": 2, "c": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}
    special = {"bos_token": {"content": "<|startoftext|>"}, "eos_token": "<|endoftext|>", "pad_token": "!"}
    files = {
        "tokenizer/vocab.json": words,
        "tokenizer/special_tokens_map.json": special,
        "tokenizer/tokenizer_config.json": {"pad_token": "!", "model_max_length": 77},
        "feature_extractor/preprocessor_config.json": {},
        "model_index.json": {},
    }
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(json.dumps(content), encoding="utf-8")
    (target / "tokenizer" / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    return target


def write_all(root: Path) -> Path:
    """MultiviewSampler, turbo painter and delight network."""
    write_paint(root)
    write_paint(root, TURBO)
    write_delight(root)
    return root


def _configs(target: Path, configs: dict[str, dict[str, Any]]) -> None:
    for part, content in configs.items():
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        (target / part).mkdir(parents=True)
        (target / part / name).write_text(json.dumps(content), encoding="utf-8")


def _vae(target: Path, *, pickled: bool = False) -> None:
    from manymesh.paint.diffusion.config import read_vae
    from manymesh.paint.diffusion.image_vae import ImageVae

    _save(_random(ImageVae(read_vae(target)), 5), target / "vae" / "diffusion_pytorch_model", pickled=pickled)


def _random(network: Any, seed: int, prefix: str = "") -> dict[str, Any]:
    import torch

    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, tensor in network.state_dict().items():
        drawn = torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1:
            drawn *= tensor[0].numel() ** -0.5
        else:
            drawn = drawn * 0.1 + (0.0 if name.endswith("bias") else 1.0)
        tensors[prefix + name] = drawn.half()
    return tensors


def _save(tensors: dict[str, Any], stem: Path, *, pickled: bool = False) -> None:
    import torch
    from safetensors.torch import save_file

    if pickled:
        torch.save(tensors, stem.with_suffix(".bin"))
    else:
        save_file(tensors, stem.with_suffix(".safetensors"))
