"""The bases there are, and what each is used with when nothing else is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from manymesh.errors import UsageError

Sampler = Literal["ddpm", "euler"]

# As published: the adapter was validated with these words.
PROMPT = "high quality"
NEGATIVE_PROMPT = "watermark, ugly, deformed, noisy, blurry, low contrast"

# Side of a texture where no size is asked for: the one that was measured for another painter's views of 512 pixels.
TEXTURE_PX = 2048


@dataclass(frozen=True)
class Base:
    """A text-to-image model and the adapter that was trained for it.

    Attributes:
        adapter: the adapter's name in the weights catalogue, which is one file.
        adapter_file: its name in the repository.
        base: the base's name in the catalogue.
        vae: the autoencoder's, where it is another repository's; "" for the base's own.
        xl: whether it is Stable Diffusion XL: two text encoders, an added embedding.
        view_px: side of a view.
        view_step_px: a view's side is a multiple of this.
        sampler: how it is sampled.
    """

    adapter: str
    adapter_file: str
    base: str
    vae: str
    xl: bool
    view_px: int
    view_step_px: int
    sampler: Sampler

    @property
    def weights(self) -> tuple[str, ...]:
        """The names in the catalogue of all that it needs."""
        return tuple(name for name in (self.adapter, self.base, self.vae) if name)

    def size(self, asked_px: int | None) -> int:
        """The side of a view: what is asked for, or for None what the base knows best.

        Raises ``UsageError`` for a size that it cannot paint.
        """
        size = self.view_px if asked_px is None else asked_px
        if size % self.view_step_px:
            raise UsageError(f"views of {size} pixels cannot be painted", f"Ask for a multiple of {self.view_step_px}")
        return size


BASES: Mapping[str, Base] = {
    "sd21": Base(
        *("mv-adapter-sd21", "mvadapter_ig2mv_sd21.safetensors", "sd21-base", "", False),
        view_px=512,
        view_step_px=64,
        sampler="ddpm",
    ),
    "sdxl": Base(
        *("mv-adapter-sdxl", "mvadapter_ig2mv_sdxl.safetensors", "sdxl-base", "sdxl-vae-fp16-fix", True),
        view_px=768,
        view_step_px=32,
        sampler="euler",
    ),
}
"""By the name that ``--paint-base`` takes."""
