"""The shape models there are, and what each is used with when nothing else is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One official checkpoint.

    Attributes:
        weights: its name in the weights catalogue.
        steps: denoising steps.
        small_decoder: the catalogue's name of the VAE made for the ``flash`` decoding, where there is one.
    """

    weights: str
    steps: int
    small_decoder: str | None = None


def _family(name: str, small_decoder: str | None = None) -> dict[str, Variant]:
    """The base model takes 50 steps; guidance-distilled ("fast") ones do well with 30, step-distilled ones with 5."""
    steps = {"": 50, "-fast": 30, "-turbo": 5}
    return {name + end: Variant(f"hunyuan3d-{name}{end}", count, small_decoder) for end, count in steps.items()}


VARIANTS: Mapping[str, Variant] = {
    **_family("2mini", "hunyuan3d-2mini-vae-turbo"),
    **_family("2", "hunyuan3d-2-vae-turbo"),
    **_family("2mv", "hunyuan3d-2-vae-turbo"),
}
"""By the name that ``--model`` takes."""
