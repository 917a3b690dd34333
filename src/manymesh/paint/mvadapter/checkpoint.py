"""The files of a base and its adapter, and the networks in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from manymesh.errors import WeightsError
from manymesh.paint.diffusion.config import (
    ImageVaeConfig,
    NoiseScheduleConfig,
    UNetConfig,
    read_json,
    read_noise_schedule,
    read_text,
    read_unet,
    read_vae,
)
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.diffusion.image_vae import plain_key as vae_key
from manymesh.paint.diffusion.text_encoder import TextEncoder
from manymesh.paint.diffusion.text_encoder import plain_key as text_key
from manymesh.paint.diffusion.tokenizer import Tokenizer
from manymesh.paint.mvadapter.adapter import ENCODER_PREFIX, AdaptedUNet, AttentionAdapter, attention_key
from manymesh.paint.mvadapter.condition_encoder import ConditionEncoder, encoder_config
from manymesh.weights.load import load_network, skeleton
from manymesh.weights.verify import read_header

# What diffusers calls the variant with 16 bits a number; a folder without it may hold the plain one.
_VARIANTS = (".fp16", "")
_ADAPTER = "the adapter of this base"


@dataclass(frozen=True)
class Checkpoint:
    """
    Attributes:
        base: folder of the base, in diffusers' layout.
        adapter: file of the adapter.
        vae: folder of the autoencoder's own repository, or None where the base's is used.
        xl: whether the base is Stable Diffusion XL.
    """

    base: Path
    adapter: Path
    vae: Path | None
    xl: bool

    @cached_property
    def unet_config(self) -> UNetConfig:
        """Raises ``WeightsError`` for another network than Stable Diffusion's."""
        return read_unet(self.base, xl=self.xl)

    @cached_property
    def vae_config(self) -> ImageVaeConfig:
        return read_vae(self.base) if self.vae is None else read_vae(self.vae, "")

    @cached_property
    def noise(self) -> NoiseScheduleConfig:
        """Raises ``WeightsError`` for a base that predicts anything but the noise."""
        path = self.base / "scheduler" / "scheduler_config.json"
        predicts = read_json(path).get("prediction_type", "epsilon")
        if predicts != "epsilon":
            raise WeightsError(
                f"{self.base} predicts '{predicts}' where MV-Adapter needs 'epsilon': "
                "it looks like stable-diffusion-2-1, and the adapter was trained with stable-diffusion-2-1-base",
                "Fetch the right one: manymesh models pull sd21-base",
            )
        return read_noise_schedule(self.base, "epsilon")

    @property
    def text_parts(self) -> tuple[tuple[str, str], ...]:
        """The folders of each text encoder and its tokenizer."""
        first = ("text_encoder", "tokenizer")
        return (first, ("text_encoder_2", "tokenizer_2")) if self.xl else (first,)

    def check(self) -> None:
        """Compare the adapter with the base, from the headers of their files. Raises ``WeightsError``.

        Every key of the adapter must be there and none besides: a half-loaded adapter paints plausible nonsense.
        """
        _ = self.noise
        config = self.unet_config
        skeleton(lambda: AttentionAdapter(config), self.adapter, rename=attention_key, what=_ADAPTER)
        skeleton(lambda: ConditionEncoder(encoder_config(config)), self.adapter, prefix=ENCODER_PREFIX, what=_ADAPTER)

    def unet(self, device: torch.device, dtype: torch.dtype) -> AdaptedUNet:
        """The base's UNet with the adapter's branches."""
        config = self.unet_config
        how: dict[str, Any] = {"device": device, "dtype": dtype}
        network = load_network(lambda: AdaptedUNet(config), self.file("unet"), channels_last=True, **how)
        network.attach(
            load_network(lambda: AttentionAdapter(config), self.adapter, rename=attention_key, what=_ADAPTER, **how)
        )
        return network

    def condition_encoder(self, device: torch.device, dtype: torch.dtype) -> ConditionEncoder:
        config = encoder_config(self.unet_config)
        build: Callable[[], ConditionEncoder] = lambda: ConditionEncoder(config)  # noqa: E731
        return load_network(
            build, self.adapter, prefix=ENCODER_PREFIX, what=_ADAPTER, channels_last=True, device=device, dtype=dtype
        )

    def image_vae(self, device: torch.device, dtype: torch.dtype) -> ImageVae:
        config = self.vae_config
        return load_network(
            lambda: ImageVae(config), self.vae_file(), rename=vae_key, channels_last=True, device=device, dtype=dtype
        )

    def text_encoder(self, part: str, device: torch.device, dtype: torch.dtype) -> TextEncoder:
        """``part``: "text_encoder" or "text_encoder_2", which gives a summary too."""
        config = read_text(self.base, part, projects=part == "text_encoder_2")
        return load_network(lambda: TextEncoder(config), self.file(part), rename=text_key, device=device, dtype=dtype)

    def tokenizer(self, part: str) -> Tokenizer:
        return Tokenizer(self.base / part)

    def file(self, part: str) -> Path:
        """The safetensors file of a part of the base. Raises ``WeightsError`` without one."""
        stem = "model" if part.startswith("text_encoder") else "diffusion_pytorch_model"
        return _first(self.base / part, stem)

    def vae_file(self) -> Path:
        return self.file("vae") if self.vae is None else _first(self.vae, "diffusion_pytorch_model")

    def adapter_keys(self) -> int:
        """How many tensors the adapter's file holds."""
        return len(read_header(self.adapter))


def _first(folder: Path, stem: str) -> Path:
    for variant in _VARIANTS:
        path = folder / f"{stem}{variant}.safetensors"
        if path.is_file():
            return path
    raise WeightsError(f"{folder} holds no weights", "Run 'manymesh models verify'")
