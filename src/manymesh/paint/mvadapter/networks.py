"""Which network is in memory when. Each is loaded for its own part and let go after it.

The peak is then the UNet with its adapter and its work: of 2.9 GiB of weights in half precision, 1.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from manymesh.device.number_format import Formats
from manymesh.device.out_of_memory import device_errors, give_back
from manymesh.device.placement import place
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.mvadapter.adapter import AdaptedUNet
from manymesh.paint.mvadapter.checkpoint import Checkpoint
from manymesh.paint.mvadapter.condition_encoder import ConditionEncoder
from manymesh.paint.mvadapter.models import BASES, NEGATIVE_PROMPT, PROMPT, Base
from manymesh.paint.mvadapter.sampler import VIEWS
from manymesh.paint.mvadapter.text import TEXT, TextRows, encode_texts
from manymesh.settings import Settings
from manymesh.weights import require

# What people call the networks.
ENCODER, VAE = "condition encoder", "paint VAE"


class Networks:
    """Loads the painter's networks where and as the settings say.

    Args:
        settings: the run's.
        reload: called with a network's name when it has to be loaded anew, in a wider number format.

    Raises:
        WeightsError: weights are absent, or adapter and base do not belong together.
    """

    def __init__(self, settings: Settings, reload: Callable[[str], None] = lambda network: None) -> None:
        self.base = BASES[settings.paint_base]
        self.checkpoint = checkpoint_of(self.base, settings)
        self.checkpoint.check()
        placement = place(settings.devices, "paint", precision=settings.paint_precision)
        self.device = torch.device(placement.device)
        self.formats = Formats(getattr(torch, placement.dtype), reload)

    def texts(self) -> TextRows:
        """What the UNet is told: the negative prompt, then the prompt."""
        rows = encode_texts(self.checkpoint, [NEGATIVE_PROMPT, PROMPT], self.device, self.formats[TEXT])
        self.release()
        return rows

    def unet(self) -> AdaptedUNet:
        return self.checkpoint.unet(self.device, self.formats[VIEWS])

    def vae(self) -> ImageVae:
        return self.checkpoint.image_vae(self.device, self.formats[VAE])

    @contextmanager
    def condition_encoder(self) -> Iterator[ConditionEncoder]:
        """In float32 on every device."""
        network = self.checkpoint.condition_encoder(self.device, torch.float32)
        try:
            yield network
        finally:
            del network
            self.release()

    def release(self) -> None:
        """Give the memory of networks that are not referenced any more back to the device."""
        give_back(self.device)

    def device_errors(self) -> AbstractContextManager[None]:
        """Running out of the device's memory within is an error for people."""
        smaller = "--paint-base sd21, " if self.base.xl else ""
        return device_errors(
            "painting does not fit", self.device, f"Use --paint-memory low, {smaller}or --device paint=cpu"
        )


def checkpoint_of(base: Base, settings: Settings) -> Checkpoint:
    """Where the files of a base and its adapter lie. Raises ``WeightsError`` when they are not all here."""
    found = {name: require(name, settings.weights_dir) for name in base.weights}
    roots = {name: one.root for name, one in found.items()}
    folder, adapter = roots[base.base], roots[base.adapter]
    assert folder is not None
    assert adapter is not None
    return Checkpoint(folder, adapter / base.adapter_file, roots[base.vae] if base.vae else None, base.xl)
