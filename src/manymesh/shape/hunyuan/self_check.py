"""What ``manymesh models verify --deep`` checks of a shape model. ``Model.self_check`` names ``checks``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from manymesh.shape.common.conditions import ENCODER
from manymesh.shape.common.sparse import DECODER
from manymesh.shape.hunyuan import golden
from manymesh.shape.hunyuan.checkpoint import DECODER_PREFIX, ENCODER_PREFIX, TRANSFORMER_PREFIX, weights_file
from manymesh.shape.hunyuan.conditioner import VIEWS, Conditioner
from manymesh.shape.hunyuan.config import ShapeConfig, ShapeVaeConfig, read_shape_config, read_vae_config
from manymesh.shape.hunyuan.dit import Dit
from manymesh.shape.hunyuan.stage import TRANSFORMER
from manymesh.shape.hunyuan.vae import ShapeVae
from manymesh.weights.deep import Machine, StoredNetwork, check_networks
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding
from manymesh.weights.locate import Found


def checks(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of the checkpoint ``model``, whose files are ``found``.

    Raises:
        WeightsError: its config.yaml cannot be read, or describes networks that are not built here.
    """
    assert found.root is not None
    folder = found.root / model.folder
    path = weights_file(folder)
    if folder.name.startswith("hunyuan3d-vae"):
        alone = read_vae_config(folder)
        decoder = StoredNetwork(DECODER, lambda: ShapeVae(alone), path)
        yield from check_networks([decoder], lambda built: f"latents go {_push_latents(built[DECODER], alone)}")
        return
    config = read_shape_config(folder)
    yield from check_networks(networks(path, config), lambda built: push(built, config))
    yield from golden.checks(model, path, config, machine)


def networks(path: Path, config: ShapeConfig) -> list[StoredNetwork]:
    """The three networks of a checkpoint."""
    return [
        StoredNetwork(ENCODER, lambda: Conditioner(config.conditioner), path, ENCODER_PREFIX),
        StoredNetwork(TRANSFORMER, lambda: Dit(config.dit), path, TRANSFORMER_PREFIX),
        StoredNetwork(DECODER, lambda: ShapeVae(config.vae), path, DECODER_PREFIX),
    ]


def push(built: Mapping[str, Any], config: ShapeConfig) -> str:
    """A picture of the configuration's size, its tokens and latents through networks without memory.

    Raises:
        RuntimeError: shapes do not fit.
    """
    side, batch = config.image.size, len(VIEWS) if config.conditioner.multi_view else 1
    pictures = torch.empty(batch, 3, side, side, device="meta")
    encoder = built[ENCODER]
    tokens = encoder.encode_views(pictures, range(batch)) if config.conditioner.multi_view else encoder(pictures)
    latents = torch.empty(1, config.vae.num_latents, config.vae.embed_dim, device="meta")
    one = torch.empty(1, device="meta")
    velocity = built[TRANSFORMER](latents, one, tokens, one if config.dit.guidance_embed else None)
    if velocity.shape != latents.shape:
        raise RuntimeError(f"the velocity is {list(velocity.shape)} where the latents are {list(latents.shape)}")
    went = _push_latents(built[DECODER], config.vae)
    return f"a picture of {side} x {side} px becomes {tokens.shape[1]} tokens, and latents go {went}"


def _push_latents(decoder: Any, config: ShapeVaeConfig) -> str:
    latents = torch.empty(1, config.num_latents, config.embed_dim, device="meta")
    points = torch.empty(1, 8, 3, device="meta")
    logits = decoder.geo_decoder(points, decoder.geo_decoder.keys_values(decoder(latents)))
    if logits.shape != (1, 8, 1):
        raise RuntimeError(f"8 points give logits of the shape {list(logits.shape)}")
    return f"from {config.num_latents} x {config.embed_dim} to logits"
