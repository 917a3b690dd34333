"""What ``manymesh models verify --deep`` checks of the painter and of the delight network.

``Model.self_check`` names ``painter`` and ``delight``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from manymesh.paint.diffusion.config import ImageVaeConfig, read_text, read_unet, read_vae
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.diffusion.image_vae import plain_key as vae_key
from manymesh.paint.diffusion.text_encoder import TextEncoder
from manymesh.paint.diffusion.text_encoder import plain_key as text_key
from manymesh.paint.diffusion.unet import UNet, text_contexts
from manymesh.paint.hunyuan.delight import UNET as DELIGHT_UNET
from manymesh.paint.hunyuan.delight import VAE as DELIGHT_VAE
from manymesh.paint.hunyuan.multiview_unet import MultiviewUNet, ReferenceUNet
from manymesh.paint.hunyuan.networks import REFERENCE, TEXT, VAE, VIEWS, weights_of
from manymesh.weights.deep import TENSORS, Machine, StoredNetwork, check_networks
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, not_possible
from manymesh.weights.load import is_ready
from manymesh.weights.locate import Found

# Side of the picture that is pushed through, and how many views of it. A run's is 512 and 6.
_PICTURE_PX, _VIEWS = 512, 2


def painter(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of a painter whose files are ``found``.

    Raises:
        WeightsError: a configuration cannot be read, or describes a network that is not built here.
    """
    assert found.root is not None
    folder = found.root / model.folder
    if not _is_readable(found, machine):
        yield not_possible(TENSORS, "the weights are a pickle, which is converted first: manymesh models verify --deep")
        return
    unet, vae, path = read_unet(folder), read_vae(folder), weights_of(folder, "unet")
    networks = [
        StoredNetwork(VIEWS, lambda: MultiviewUNet(unet), path, "unet."),
        StoredNetwork(REFERENCE, lambda: ReferenceUNet(unet), path, "unet_dual."),
        StoredNetwork(VAE, lambda: ImageVae(vae), weights_of(folder, "vae"), rename=vae_key),
    ]
    yield from check_networks(networks, lambda built: _push_views(built, vae))


def delight(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of the delight network whose files are ``found``. Raises as ``painter``."""
    assert found.root is not None
    folder = found.root / model.folder
    unet, vae, text = read_unet(folder), read_vae(folder), read_text(folder)
    networks = [
        StoredNetwork(DELIGHT_UNET, lambda: UNet(unet), weights_of(folder, "unet")),
        StoredNetwork(DELIGHT_VAE, lambda: ImageVae(vae), weights_of(folder, "vae"), rename=vae_key),
        StoredNetwork(TEXT, lambda: TextEncoder(text), weights_of(folder, "text_encoder"), rename=text_key),
    ]
    yield from check_networks(networks, lambda built: _push_photo(built, vae, text.positions))


def _is_readable(found: Found, machine: Machine) -> bool:
    """Converting a pickle takes a minute and gigabytes: only a thorough check does it."""
    pickles = [path for path in found.files.values() if path.suffix == ".bin"]
    return machine.thorough or all(is_ready(path) for path in pickles)


def _push_views(built: Mapping[str, Any], config: ImageVaeConfig) -> str:
    """The painter's way without memory. Raises ``RuntimeError`` where shapes do not fit."""
    latents = _encoded(built[VAE], config, 1)
    views: MultiviewUNet = built[VIEWS]
    tokens, _ = built[REFERENCE].write(latents, views.learned_text_clip_ref)
    contexts = views.block_contexts(_VIEWS, 1, text=views.learned_text_clip_gen, tokens=tokens)
    size = latents.shape[2:]
    sample = torch.empty(_VIEWS, views.config.in_channels, *size, device="meta")
    labels = torch.zeros(_VIEWS, dtype=torch.long, device="meta")
    time = views.embed_time(torch.empty(_VIEWS, device="meta"), labels)
    return _decoded(built[VAE], views(sample, time, contexts), f"{_VIEWS} views come")


def _push_photo(built: Mapping[str, Any], config: ImageVaeConfig, positions: int) -> str:
    """The delight network's way without memory. Raises as ``_push_views``."""
    prompt = built[TEXT](torch.zeros(1, positions, dtype=torch.long, device="meta"))
    latents = _encoded(built[DELIGHT_VAE], config, 1)
    unet: UNet = built[DELIGHT_UNET]
    time = unet.embed_time(torch.empty(1, device="meta"))
    made = unet(torch.cat([latents, latents], dim=1), time, text_contexts(unet, prompt))
    return _decoded(built[DELIGHT_VAE], made, "it comes")


def _encoded(vae: Any, config: ImageVaeConfig, count: int) -> Tensor:
    latents: Tensor = vae.encode(torch.empty(count, 3, _PICTURE_PX, _PICTURE_PX, device="meta"))
    side = _PICTURE_PX // config.shrinks
    if latents.shape != (count, config.latent_channels, side, side):
        raise RuntimeError(f"a picture of {_PICTURE_PX} px gives latents of the shape {list(latents.shape)}")
    return latents


def _decoded(vae: Any, latents: Tensor, what: str) -> str:
    pictures = vae.decode(latents)
    if pictures.shape[1:] != (3, _PICTURE_PX, _PICTURE_PX):
        raise RuntimeError(f"latents give pictures of the shape {list(pictures.shape)}")
    return f"a picture of {_PICTURE_PX} x {_PICTURE_PX} px becomes latents, and {what} back at its size"
