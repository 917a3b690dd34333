"""The official shape checkpoints and their default settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The official default of classifier-free guidance's scale.
GUIDANCE = 5.0


@dataclass(frozen=True)
class ShapeVariant:
    """One official checkpoint.

    Attributes:
        weights: its name in the weights catalogue.
        steps: default number of denoising steps.
        small_decoder: the catalogue's name of the VAE trained for ``--decoding flash``, or None.
    """

    weights: str
    steps: int
    small_decoder: str | None = None


def _family(name: str, small_decoder: str | None = None) -> dict[str, ShapeVariant]:
    """The base model and its distilled variants.

    Steps are the official defaults: 50, 30 for guidance-distilled ("fast") and 5 for step-distilled ("turbo") models.
    """
    steps = {"": 50, "-fast": 30, "-turbo": 5}
    return {name + end: ShapeVariant(f"hunyuan3d-{name}{end}", count, small_decoder) for end, count in steps.items()}


# By the name that ``--model`` takes.
VARIANTS: Mapping[str, ShapeVariant] = {
    **_family("2mini", "hunyuan3d-2mini-vae-turbo"),
    **_family("2", "hunyuan3d-2-vae-turbo"),
    **_family("2mv", "hunyuan3d-2-vae-turbo"),
}
