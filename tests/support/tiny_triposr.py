"""A TripoSR checkpoint of a few kilobytes whose shape is known: where three discs, one on each plane, all are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from torch_files import write_torch_file

from manymesh.shape.triposr.checkpoint import expected_shapes
from manymesh.shape.triposr.config import EncoderConfig, TriposrConfig
from manymesh.types import Box, Cutout

CONFIG = TriposrConfig(
    image_px=32,
    plane_tokens=8,
    channels=32,
    heads=2,
    head_width=8,
    layers=2,
    plane_channels=4,
    neurons=8,
    hidden_layers=1,
    encoder=EncoderConfig(width=16, layers=1, heads=2, inner=32, patch_px=8, table_px=16),
)
# Added to the logarithm of the density outside a disc, and inside all three.
OUTSIDE, INSIDE = -20.0, 8.0

YAML = """cond_image_size: 32

image_tokenizer_cls: tsr.models.tokenizers.image.DINOSingleImageTokenizer
image_tokenizer:
  pretrained_model_name_or_path: "facebook/dino-vitb16"
tokenizer_cls: tsr.models.tokenizers.triplane.Triplane1DTokenizer
tokenizer:
  plane_size: 8
  num_channels: 32
backbone_cls: tsr.models.transformer.transformer_1d.Transformer1D
backbone:
  in_channels: ${tokenizer.num_channels}
  num_attention_heads: 2
  attention_head_dim: 8
  num_layers: 2
  cross_attention_dim: 16
post_processor_cls: tsr.models.network_utils.TriplaneUpsampleNetwork
post_processor:
  in_channels: 32
  out_channels: 4
decoder_cls: tsr.models.network_utils.NeRFMLP
decoder:
  in_channels: 12 # 3 * 4
  n_neurons: 8
  n_hidden_layers: 1
  activation: silu
renderer_cls: tsr.models.nerf_renderer.TriplaneNeRFRenderer
renderer:
  radius: 0.87 # half the side of the box
  feature_reduction: concat
  density_activation: exp
  density_bias: -1.0
  num_samples_per_ray: 16
"""
ENCODER = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 8,
    "image_size": 16,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "num_channels": 3,
}


def summing_decoder(config: TriposrConfig) -> dict[str, np.ndarray]:
    """The field's network as a sum: channel 0 of the planes is the density, channels 1 to 3 are the colour.

    Two neurons give a value back: silu(x) - silu(-x) is x.
    """
    first = np.zeros((config.neurons, 3 * config.plane_channels), np.float32)
    last = np.zeros((4, config.neurons), np.float32)
    for output in range(4):
        for sign in (0, 1):
            first[2 * output + sign, output :: config.plane_channels] = 1 - 2 * sign
            last[output, 2 * output + sign] = 1 - 2 * sign
    return {
        "decoder.layers.0.weight": first,
        "decoder.layers.0.bias": np.zeros(config.neurons, np.float32),
        "decoder.layers.2.weight": last,
        "decoder.layers.2.bias": np.array([INSIDE, 0, 0, 0], np.float32),
    }


def tiny_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """All tensors: random ones, but for those that say which shape comes out."""
    rng = np.random.default_rng(seed)
    tensors = {
        name: (rng.standard_normal(shape) * 0.05).astype(np.float32) for name, shape in expected_shapes(CONFIG).items()
    }
    side = CONFIG.plane_tokens
    place = (np.arange(side) + 0.5) / side * 2 - 1
    disc = np.hypot(place[:, None], place[None]) < 0.6
    tensors["tokenizer.embeddings"][:, 0] = np.where(disc, 0.0, OUTSIDE)
    kernel = np.zeros((CONFIG.channels, CONFIG.plane_channels, 2, 2), np.float32)
    for channel in range(CONFIG.plane_channels):
        kernel[channel, channel] = 1
    tensors["post_processor.upsample.weight"] = kernel
    return tensors | summing_decoder(CONFIG)


def write_tiny_model(weights_dir: Path, tensors: dict[str, np.ndarray] | None = None) -> Path:
    """The checkpoint in a folder of weights, in the published layout. Returns its own folder."""
    folder = weights_dir / "stabilityai" / "TripoSR"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(YAML, "utf-8")
    (folder / "dino_config.json").write_text(json.dumps(ENCODER), "utf-8")
    write_torch_file(folder / "model.ckpt", tiny_tensors() if tensors is None else tensors)
    return folder


def no_tick(done: float) -> None:
    """Hears of no progress."""


def disc_cutout(side: int = 120) -> Cutout:
    y, x = np.indices((side, side)) - side / 2 + 0.5
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[..., :3] = (200, 60, 40)
    rgba[..., 3] = np.where(np.hypot(x, y) < 0.36 * side, 255, 0)
    return Cutout(rgba, Box(0, 0, side, side))
