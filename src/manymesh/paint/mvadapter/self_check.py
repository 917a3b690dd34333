"""What ``manymesh models verify --deep`` checks of MV-Adapter's weights. ``Model.self_check`` names these functions.

An adapter is checked against the base that it was trained for, at full size: only with both are its keys known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch

from manymesh.paint.diffusion.config import UNetConfig, read_text, read_unet, read_vae
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.diffusion.image_vae import plain_key as vae_key
from manymesh.paint.diffusion.text_encoder import TextEncoder
from manymesh.paint.diffusion.text_encoder import plain_key as text_key
from manymesh.paint.mvadapter.adapter import ENCODER_PREFIX, AdaptedUNet, AttentionAdapter, attention_key
from manymesh.paint.mvadapter.checkpoint import Checkpoint
from manymesh.paint.mvadapter.condition_encoder import MAP_CHANNELS, ConditionEncoder, encoder_config
from manymesh.paint.mvadapter.models import BASES
from manymesh.paint.mvadapter.sampler import VIEWS
from manymesh.weights.deep import Machine, StoredNetwork, check_networks
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding
from manymesh.weights.locate import Found

# What people call the parts.
_BRANCHES, _ENCODER, _VAE = "attention adapter", "condition encoder", "picture autoencoder"

# The bases' UNets at full size, which the adapters were made for.
SD21 = UNetConfig()
SDXL = UNetConfig(
    channels=(320, 640, 1280),
    heads=(5, 10, 20),
    attends_down=(False, True, True),
    attends_up=(True, True, False),
    text_dim=2048,
    depth=(1, 2, 10),
    added_dim=2816,
    added_time_dim=256,
)


def adapter(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of an adapter whose file is ``found``. Raises ``WeightsError``."""
    assert found.root is not None
    base = next(base for base in BASES.values() if base.adapter == model.id)
    config, path = SDXL if base.xl else SD21, found.root / base.adapter_file
    encoder = encoder_config(config)
    networks = [
        StoredNetwork(_BRANCHES, lambda: AttentionAdapter(config), path, rename=attention_key),
        StoredNetwork(_ENCODER, lambda: ConditionEncoder(encoder), path, ENCODER_PREFIX),
    ]
    yield from check_networks(networks, lambda built: _push_maps(built, base.view_px))


def base(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a base whose files are ``found``. Raises ``WeightsError``, also for one that predicts v."""
    assert found.root is not None
    xl = next(base.xl for base in BASES.values() if base.base == model.id)
    here = Checkpoint(found.root, found.root, None, xl)
    _ = here.noise
    unet = read_unet(found.root, xl=xl)
    networks = [StoredNetwork(VIEWS, lambda: AdaptedUNet(unet), here.file("unet"))]
    for part, _tokens in here.text_parts:
        text = read_text(found.root, part, projects=part == "text_encoder_2")
        networks.append(
            StoredNetwork(part.replace("_", " "), partial(TextEncoder, text), here.file(part), rename=text_key)
        )
    if not xl:
        config = read_vae(found.root)
        networks.append(StoredNetwork(_VAE, lambda: ImageVae(config), here.vae_file(), rename=vae_key))
    yield from check_networks(networks, lambda built: _push_latents(built, unet))


def vae(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of an autoencoder of its own repository. Raises ``WeightsError``."""
    assert found.root is not None
    config = read_vae(found.root, "")
    here = Checkpoint(found.root, found.root, found.root, True)
    networks = [StoredNetwork(_VAE, lambda: ImageVae(config), here.vae_file(), rename=vae_key)]
    yield from check_networks(networks, lambda built: _push_picture(built[_VAE]))


def _push_maps(built: Mapping[str, Any], view_px: int) -> str:
    """Maps through the encoder without memory. Raises ``RuntimeError`` where shapes do not fit."""
    features = built[_ENCODER](torch.empty(1, MAP_CHANNELS, view_px, view_px, device="meta"))
    sizes = ", ".join(str(feature.shape[-1]) for feature in features.values())
    return f"maps of {view_px} px become features of {sizes} px"


def _push_latents(built: Mapping[str, Any], config: UNetConfig) -> str:
    unet: AdaptedUNet = built[VIEWS]
    latents = torch.empty(1, config.in_channels, 64, 64, device="meta")
    text = torch.empty(1, 77, config.text_dim, device="meta")
    added = torch.empty(1, config.added_dim, device="meta") if config.added_dim else None
    tokens, out = unet.reference(latents, text, added)
    if out.shape != latents.shape:
        raise RuntimeError(f"latents become {list(out.shape)}")
    return f"latents keep their shape, and {len(tokens)} blocks give their tokens"


def _push_picture(network: Any) -> str:
    latents = network.encode(torch.empty(1, 3, 512, 512, device="meta"))
    pictures = network.decode(latents)
    if pictures.shape[1:] != (3, 512, 512):
        raise RuntimeError(f"a picture comes back as {list(pictures.shape)}")
    return "a picture of 512 x 512 px becomes latents and comes back at its size"
