"""A TripoSG checkpoint in the official layout with very small networks and random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = "triposg"
TRANSFORMER = {
    "_class_name": "TripoSGDiTModel",
    "num_attention_heads": 2,
    "width": 32,
    "in_channels": 4,
    "num_layers": 3,
    "cross_attention_dim": 24,
}
VAE = {
    "_class_name": "TripoSGVAEModel",
    "in_channels": 3,
    "latent_channels": 4,
    "num_attention_heads": 2,
    "width_encoder": 16,
    "width_decoder": 32,
    "num_layers_encoder": 1,
    "num_layers_decoder": 1,
    "embedding_type": "frequency",
    "embed_frequency": 3,
    "embed_include_pi": False,
}
DINO = {
    "hidden_size": 24,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "patch_size": 14,
    "image_size": 56,
    "mlp_ratio": 4,
    "layer_norm_eps": 1e-6,
    "hidden_act": "gelu",
    "use_swiglu_ffn": False,
}
IMAGES = {
    "do_resize": True,
    "size": {"shortest_edge": 64},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 56, "width": 56},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
SCHEDULER = {"_class_name": "RectifiedFlowScheduler", "num_train_timesteps": 1000, "shift": 1}


def write_checkpoint(root: Path, folder: str = FOLDER, *, seed: int = 0, inverted: bool = False) -> Path:
    """Write ``root/folder`` in the official layout; returns the folder.

    Args:
        root: the weights' folder.
        folder: the checkpoint's.
        seed: of the weights.
        inverted: give the field the sign opposite to the published one.
    """
    import torch
    from safetensors.torch import save_file

    from manymesh.shape.common.dino import Dino
    from manymesh.shape.triposg.config import read_config
    from manymesh.shape.triposg.transformer import ShapeTransformer
    from manymesh.shape.triposg.vae import ShapeDecoder

    target = root / folder
    configs: dict[str, dict[str, Any]] = {
        "transformer/config.json": TRANSFORMER,
        "vae/config.json": VAE,
        "scheduler/scheduler_config.json": SCHEDULER,
        "image_encoder_dinov2/config.json": DINO,
        "feature_extractor_dinov2/preprocessor_config.json": IMAGES,
    }
    for name, values in configs.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(json.dumps(values), encoding="utf-8")
    known = read_config(target)
    generator = torch.Generator().manual_seed(seed)
    encoder = _drawn(Dino(known.dino), generator)
    transformer = _drawn(ShapeTransformer(known.transformer), generator)
    decoder = ShapeDecoder(known.vae)
    vae = _drawn(decoder, generator)
    _centre_field(decoder, vae)
    if inverted:
        for name in ("decoder.proj_out.weight", "decoder.proj_out.bias"):
            vae[name] = -vae[name]
    vae["quant.weight"] = torch.zeros(8, 16)  # of the point encoder, which is passed over
    save_file(encoder, target / "image_encoder_dinov2" / "model.safetensors")
    save_file(transformer, target / "transformer" / "diffusion_pytorch_model.safetensors")
    save_file(vae, target / "vae" / "diffusion_pytorch_model.safetensors")
    return target


def _drawn(network: Any, generator: Any) -> dict[str, Any]:
    """Random weights for all tensors of a network, in float32 as the official files are."""
    import torch

    tensors = {}
    for name, tensor in network.state_dict().items():
        drawn = torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1:
            drawn *= 2 * tensor[0].numel() ** -0.5
        else:
            drawn = drawn * 0.1 + (0.0 if name.endswith("bias") else 1.0)
        tensors[name] = drawn.half().float()
    return tensors


def _centre_field(decoder: Any, tensors: dict[str, Any]) -> None:
    """A rounded object amid the box, with an uneven surface.

    Random weights alone have surfaces everywhere, also on the box's faces, whose sign the stage looks at. So the last
    layer is fitted to a ball's field: least squares on what reaches it, at random points of a few random latents. The
    attention is scaled down, so that other latents change it little.
    """
    import torch

    tensors[f"decoder.blocks.{decoder.config.layers}.attn2.to_out.0.weight"] *= 0.05
    decoder.load_state_dict(tensors)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(4, 12, decoder.config.latent_channels, generator=generator)
    points = (torch.rand(4, 1500, 3, generator=generator) * 2 - 1) * 1.005
    seen: list[Any] = []
    hook = decoder.decoder.norm_out.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.inference_mode():
        decoder.field(points, decoder.keys_values(decoder(latents)))
    hook.remove()
    features = torch.cat([seen[0].flatten(0, 1), torch.ones(4 * 1500, 1)], dim=1).double()
    # The network's own output is positive inside; the field is its negative.
    wanted = (0.6 - points.norm(dim=-1)).flatten().double()[:, None]
    # A little ridge: a layer norm's outputs are nearly collinear, and the weights must stay small for half precision.
    square = features.T @ features + 1e-3 * len(features) * torch.eye(features.shape[1], dtype=torch.float64)
    fitted = torch.linalg.solve(square, features.T @ wanted).float()
    tensors["decoder.proj_out.weight"] = (5 * fitted[:-1].T).half().float()
    tensors["decoder.proj_out.bias"] = (5 * fitted[-1]).half().float()
