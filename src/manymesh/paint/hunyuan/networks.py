"""Which network is in memory when. Each is loaded for its own part and let go after it.

The peak is then the largest network and its work, not the sum of all: of 6.7 GiB of weights at 16 bits, 1.9 GiB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from manymesh.device.number_format import Formats, require_finite
from manymesh.device.out_of_memory import device_errors, give_back
from manymesh.device.placement import place
from manymesh.paint.diffusion.checkpoint import network_file
from manymesh.paint.diffusion.config import read_noise_schedule, read_text, read_unet, read_vae
from manymesh.paint.diffusion.image_vae import ImageVae, plain_key
from manymesh.paint.diffusion.text_encoder import TextEncoder, empty_prompt
from manymesh.paint.diffusion.text_encoder import plain_key as plain_text_key
from manymesh.paint.diffusion.unet import UNet, fuse_projections
from manymesh.paint.hunyuan.delight import UNET as DELIGHT_UNET
from manymesh.paint.hunyuan.delight import VAE as DELIGHT_VAE
from manymesh.paint.hunyuan.delight import Delighter
from manymesh.paint.hunyuan.models import DELIGHT, DELIGHT_FOLDER, VARIANTS
from manymesh.paint.hunyuan.multiview_unet import MultiviewUNet, ReferenceUNet
from manymesh.settings import Settings
from manymesh.weights import require
from manymesh.weights.load import load_network
from manymesh.weights.verify import blob_sha256

Network = TypeVar("Network", bound=torch.nn.Module)

# What people call the networks.
TEXT, REFERENCE, VIEWS, VAE = "delight text encoder", "reference network", "paint network", "paint VAE"

# Folders whose unet/*.safetensors is another network than the painter.
_OTHER_SAFETENSORS = tuple(variant.folder for variant in VARIANTS.values() if variant.turbo)


class Networks:
    """Loads the painter's networks where and as the settings say.

    Args:
        settings: the run's.
        reload: called with a network's name when it has to be loaded anew, in a wider number format.

    Raises:
        WeightsError: weights are absent.
    """

    def __init__(self, settings: Settings, reload: Callable[[str], None] = lambda network: None) -> None:
        self.settings = settings
        self.variant = VARIANTS[settings.paint_model]
        self.folder = _folder(self.variant.weights, self.variant.folder, settings)
        self.delight_folder = _folder(DELIGHT, DELIGHT_FOLDER, settings) if settings.delight else None
        placement = place(settings.devices, "paint", precision=settings.paint_precision)
        self.device = torch.device(placement.device)
        self.formats = Formats(getattr(torch, placement.dtype), reload)
        self.noise = read_noise_schedule(self.folder)

    @contextmanager
    def delighter(self) -> Iterator[Delighter]:
        folder = self.delight_folder
        assert folder is not None
        text, config, vae_config = read_text(folder), read_unet(folder), read_vae(folder)
        ids = torch.tensor([empty_prompt(folder, text.positions)], device=self.device)
        encoder = self._load(TEXT, lambda: TextEncoder(text), weights_of(folder, "text_encoder"), rename=plain_text_key)
        prompt = require_finite(encoder(ids), TEXT)
        del encoder
        self.release()
        unet = fuse_projections(self._load(DELIGHT_UNET, lambda: UNet(config), weights_of(folder, "unet")))
        vae = self._load(DELIGHT_VAE, lambda: ImageVae(vae_config), weights_of(folder, "vae"), rename=plain_key)
        delighter = Delighter(unet, vae, prompt, read_noise_schedule(folder))
        del unet, vae
        try:
            yield delighter
        finally:
            delighter.close()
            self.release()

    @contextmanager
    def reference(self) -> Iterator[tuple[ReferenceUNet, Tensor]]:
        """The network that reads the reference, and the text it is given."""
        config, path = read_unet(self.folder), weights_of(self.folder, "unet")
        text = self._load(REFERENCE, lambda: _ReferenceText(config.text_dim), path, prefix="unet.", rename=_text_alone)
        network = fuse_projections(self._load(REFERENCE, lambda: ReferenceUNet(config), path, prefix="unet_dual."))
        assert isinstance(network, ReferenceUNet)
        try:
            yield network, text.learned_text_clip_ref
        finally:
            del network
            self.release()

    def views(self) -> MultiviewUNet:
        config = read_unet(self.folder)
        network = fuse_projections(
            self._load(VIEWS, lambda: MultiviewUNet(config), weights_of(self.folder, "unet"), prefix="unet.")
        )
        assert isinstance(network, MultiviewUNet)
        return network

    def vae(self) -> ImageVae:
        config = read_vae(self.folder)
        return self._load(VAE, lambda: ImageVae(config), weights_of(self.folder, "vae"), rename=plain_key)

    def release(self) -> None:
        """Give the memory of networks that are not referenced any more back to the device."""
        give_back(self.device)

    def device_errors(self) -> AbstractContextManager[None]:
        """Running out of the device's memory within is an error for people."""
        advice = "Use --paint-memory low, a smaller --render-size, or --device paint=cpu"
        return device_errors("painting does not fit", self.device, advice)

    def _load(self, name: str, build: Callable[[], Network], path: Path, **how: Any) -> Network:
        return load_network(build, path, device=self.device, dtype=self.formats[name], channels_last=True, **how)


class _ReferenceText(torch.nn.Module):
    """One tensor of the main network, which the reference network is given."""

    def __init__(self, text_dim: int) -> None:
        super().__init__()
        self.learned_text_clip_ref = torch.nn.Parameter(torch.empty(1, 77, text_dim))


def _text_alone(key: str) -> str | None:
    return key if key == "learned_text_clip_ref" else None


def _folder(name: str, folder: str, settings: Settings) -> Path:
    """A model's own folder. Raises ``WeightsError`` when it is not all here."""
    root = require(name, settings.weights_dir).root
    assert root is not None
    return root / folder


def weights_of(folder: Path, part: str) -> Path:
    """The safetensors file of a part ("unet", "vae", "text_encoder") of an official folder; see ``network_file``."""
    name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
    pickle_only = part == "unet" and folder.name in _OTHER_SAFETENSORS
    return network_file(folder, part, sha256=blob_sha256(folder / part / f"{name}.bin"), pickle_only=pickle_only)
