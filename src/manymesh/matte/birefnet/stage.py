"""The stage ``birefnet``: a crop in, the object alone out."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from manymesh.device.placement import place
from manymesh.matte import image
from manymesh.matte.birefnet.memory import levels
from manymesh.matte.cut_out import cut_out
from manymesh.plan.machine import usual_level
from manymesh.settings import Settings
from manymesh.stages import Level, Matte, Stage, Tick
from manymesh.types import U8, Crop, Cutout
from manymesh.weights import missing as missing_weights
from manymesh.weights import require
from manymesh.weights.load import as_safetensors

if TYPE_CHECKING:
    from torch import Tensor

    from manymesh.matte.birefnet.network import BiRefNet

NETWORK = "matte network"
# Width and height that each variant was trained at; other multiples of 32 run, but cut worse.
NATIVE_PX = {"hr": (2048, 2048), "hr-matting": (2048, 2048), "lite-2k": (2560, 1440), "512": (512, 512)}
_USUAL_PX = (1024, 1024)


@contextmanager
def open_matte(settings: Settings, level: Level | None = None) -> Iterator[Matte]:
    """Load the network that the settings name, and give a function from crops to cutouts.

    The network is freed at the end of the block, whoever still holds the function. ``level``: one of
    ``memory.levels``; None takes what fits now.
    """
    level = level or usual_level("matte", levels(settings), settings)
    if "device" in level.options:
        settings = settings.model_copy(update={"devices": (*settings.devices, f"matte={level.options['device']}")})
    network = AlphaNetwork(weights_file(settings), settings)

    def matte(crop: Crop, *, tick: Tick) -> Cutout:
        return replace(cut_out(crop, network, tick), notes=network.notes)

    try:
        yield matte
    finally:
        network.close()


def weights_file(settings: Settings) -> Path:
    """The network's safetensors file; one of the authors' .pth releases in ``weights_dir`` is converted, once."""
    pickled = _released_pth(settings)
    if pickled is not None and missing_weights(f"birefnet-{settings.matte_model}", settings.weights_dir):
        return as_safetensors(pickled)
    return require(f"birefnet-{settings.matte_model}", settings.weights_dir).files["model.safetensors"]


def _released_pth(settings: Settings) -> Path | None:
    """Such as BiRefNet-general-epoch_244.pth or BiRefNet-general-bb_swin_v1_tiny-epoch_232.pth (lite)."""
    if settings.weights_dir is None or settings.matte_model not in ("general", "lite"):
        return None
    small = settings.matte_model == "lite"
    names = sorted(settings.weights_dir.glob("BiRefNet-general-*.pth"))
    return next((path for path in names if ("tiny" in path.name or "lite" in path.name) == small), None)


class AlphaNetwork:
    """The loaded network: (h, w, 3) uint8 to alpha (h, w) uint8.

    Args:
        weights: its safetensors file.
        settings: the run's.
    """

    def __init__(self, weights: Path, settings: Settings) -> None:
        import torch

        from manymesh.device.number_format import Formats

        placement = place(settings.devices, "matte", half="float16")
        self.weights, self.device = weights, torch.device(placement.device)
        self.size = NATIVE_PX.get(settings.matte_model, _USUAL_PX)
        self.formats = Formats(getattr(torch, placement.dtype), self._load)
        self.network: BiRefNet | None = None
        self._load(NETWORK)

    def _load(self, name: str) -> None:
        from manymesh.matte.birefnet.load import load

        self.network = None  # two at once may not fit
        self.network = load(self.weights, self.device, self.formats[name])

    def close(self) -> None:
        """Free the network. It is held in a reference cycle (``formats`` calls ``_load``), so letting go of this object
        would leave it in the device's memory until the garbage collector runs."""
        self.network = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of how the network ran."""
        return self.formats.notes

    def __call__(self, rgb: U8) -> U8:
        import torch

        from manymesh.device.out_of_memory import device_errors

        x = torch.from_numpy(image.normalised(image.resized(rgb, *self.size)))[None]
        what = f"cutting out at {self.size[0]} x {self.size[1]} px does not fit"
        with device_errors(what, self.device, "Use --matte-model lite, or --device matte=cpu"):
            logits = self.formats.retry(lambda: self._logits(x)).numpy()
        return image.alpha_at(image.alpha_u8(logits[0, 0]), rgb.shape[1], rgb.shape[0])

    def _logits(self, x: Tensor) -> Tensor:
        import torch

        from manymesh.device.number_format import require_finite

        assert self.network is not None
        with torch.inference_mode():
            logits = self.network(x.to(self.device, self.formats[NETWORK]))
            return require_finite(logits, NETWORK).float().cpu()


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that brings it."""
    absent = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    if absent:
        return f'{" and ".join(absent)} not installed: run pip install "manymesh[hunyuan]"'
    if _released_pth(settings) is not None:
        return None
    return missing_weights(f"birefnet-{settings.matte_model}", settings.weights_dir)


STAGE = Stage(
    name="birefnet",
    kind="matte",
    summary="BiRefNet cuts each object out with soft edges",
    licence="MIT",
    open=open_matte,
    missing=missing,
    levels=levels,
    open_at=open_matte,
)
