"""A Hunyuan3D-2 shape checkpoint in the official layout with very small networks and random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DINO = {
    "hidden_size": 24,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "patch_size": 14,
    "image_size": 56,
    "num_channels": 3,
    "mlp_ratio": 4,
    "qkv_bias": True,
    "use_swiglu_ffn": True,
    "layer_norm_eps": 1.0e-6,
}
FOLDER = "hunyuan3d-dit-v2-mini"
_PATH = "hy3dgen.shapegen."


def config(*, turbo: bool = False, multi_view: bool = False, large_picture: bool = False) -> dict[str, Any]:
    """The content of config.yaml. ``large_picture``: larger than the encoder's position table, as 2mini-turbo's is."""
    picture_px = 98 if large_picture else DINO["image_size"]
    scheduler = "ConsistencyFlowMatchEulerDiscreteScheduler" if turbo else "FlowMatchEulerDiscreteScheduler"
    encoder = {"type": "DinoImageEncoder" + "MV" * multi_view, "kwargs": {"config": DINO, "image_size": picture_px}}
    return {
        "model": {
            "target": _PATH + "models.Hunyuan3DDiT",
            "params": {
                "in_channels": 4,
                "context_in_dim": 24,
                "hidden_size": 32,
                "mlp_ratio": 4.0,
                "num_heads": 2,
                "depth": 1,
                "depth_single_blocks": 2,
                "axes_dim": [16],
                "theta": 10000,
                "qkv_bias": True,
                "guidance_embed": turbo,
            },
        },
        "vae": {
            "target": _PATH + "models.ShapeVAE",
            "params": {
                "num_latents": 12,
                "embed_dim": 4,
                "num_freqs": 3,
                "include_pi": False,
                "heads": 2,
                "width": 32,
                "num_decoder_layers": 1,
                "qkv_bias": False,
                "qk_norm": True,
                "scale_factor": 0.9,
            },
        },
        "conditioner": {
            "target": _PATH + "models.SingleImageEncoder",
            "params": {"main_image_encoder": encoder},
        },
        "scheduler": {
            "target": _PATH + "schedulers." + scheduler,
            "params": {"num_train_timesteps": 1000, **({"pcm_timesteps": 100} if turbo else {})},
        },
        "image_processor": {
            "target": _PATH + "preprocessors." + "MV" * multi_view + "ImageProcessorV2",
            "params": {"size": picture_px, "border_ratio": 0.15},
        },
        "pipeline": {"target": _PATH + "pipelines.Hunyuan3DDiTFlowMatchingPipeline"},
    }


def write_checkpoint(root: Path, folder: str = FOLDER, *, seed: int = 0, **kind: bool) -> Path:
    """Write ``root/folder`` with config.yaml and model.fp16.safetensors; returns the folder."""
    import torch
    import yaml
    from safetensors.torch import save_file

    from manymesh.shape.hunyuan.conditioner import Conditioner
    from manymesh.shape.hunyuan.config import read_shape_config
    from manymesh.shape.hunyuan.dit import Dit
    from manymesh.shape.hunyuan.vae import ShapeVae

    target = root / folder
    target.mkdir(parents=True)
    (target / "config.yaml").write_text(yaml.safe_dump(config(**kind)), encoding="utf-8")
    known = read_shape_config(target)
    networks = {"model": Dit(known.dit), "vae": ShapeVae(known.vae), "conditioner": Conditioner(known.conditioner)}
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for prefix, network in networks.items():
        for name, tensor in network.state_dict().items():
            drawn = torch.randn(tensor.shape, generator=generator)
            if tensor.dim() > 1:
                drawn *= 2 * tensor[0].numel() ** -0.5
            else:
                drawn = drawn * 0.1 + (0.0 if name.endswith("bias") else 1.0)
            tensors[f"{prefix}.{name}"] = drawn.half()
    _centre_field(networks["vae"], tensors)
    save_file(tensors, target / "model.fp16.safetensors")
    return target


def _centre_field(vae: Any, tensors: dict[str, Any]) -> None:
    """Scale the attention down so that the field depends more on the point than on the latents, and shift it so that
    about a quarter of the volume is inside. With random weights alone many objects would have no surface."""
    import torch

    tensors["vae.geo_decoder.cross_attn_decoder.attn.c_proj.weight"] *= 0.2
    own = {key.removeprefix("vae."): tensor.float() for key, tensor in tensors.items() if key.startswith("vae.")}
    vae.load_state_dict(own)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(8, 12, 4, generator=generator)
    points = torch.rand(8, 500, 3, generator=generator) * 2 - 1
    with torch.inference_mode():
        logits = vae.geo_decoder(points, vae.geo_decoder.keys_values(vae(latents)))
    tensors["vae.geo_decoder.output_proj.bias"] -= logits.quantile(0.75).half()
