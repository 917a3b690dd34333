"""Reads the ``config.yaml`` of a Hunyuan3D-2 shape checkpoint into plain values.

The file names classes by dotted path. Those paths are looked up by their last part in a table of our own and never
imported: a downloaded file must not choose which code runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from manymesh.errors import WeightsError
from manymesh.weights.tables import read_yaml_table

T = TypeVar("T")


@dataclass(frozen=True)
class DitConfig:
    """The flow-matching diffusion transformer (see ``dit``).

    Attributes:
        in_channels: width of one latent.
        context_in_dim: width of one condition token.
        hidden_size: width of the residual streams, ``num_heads`` times a head's width.
        mlp_ratio: inner width of the MLPs over ``hidden_size``.
        depth: number of double-stream blocks.
        depth_single_blocks: number of single-stream blocks after them.
        guidance_embed: whether the guidance scale is an input (guidance-distilled models) instead of a second pass.
        time_factor: factor on the 0..1 time before its sinusoidal embedding, and in this family also the embedding's
            longest wavelength.
    """

    in_channels: int = 64
    context_in_dim: int = 1536
    hidden_size: int = 1024
    mlp_ratio: float = 4.0
    num_heads: int = 16
    depth: int = 16
    depth_single_blocks: int = 32
    qkv_bias: bool = True
    guidance_embed: bool = False
    time_factor: float = 1000.0


@dataclass(frozen=True)
class ShapeVaeConfig:
    """The shape VAE's decoder. Defaults are those of the official class, not of any official file.

    Attributes:
        num_latents: latents of one object.
        embed_dim: width of one latent.
        num_freqs: octaves of the points' Fourier embedding; ``include_pi`` multiplies them by pi.
        heads, width: attention heads and width of the transformer over the latents.
        num_decoder_layers: its residual blocks.
        qkv_bias: whether queries, keys and values have a bias.
        qk_norm: whether queries and keys are normalised per head.
        scale_factor: latents of the diffusion are divided by it.
        geo_decoder_mlp_expand_ratio: inner width of the point decoder's MLP over its own width.
        geo_decoder_downsample_ratio: ``width`` over the point decoder's width.
        geo_decoder_ln_post: whether the point decoder ends with a norm.
    """

    num_latents: int = 512
    embed_dim: int = 64
    num_freqs: int = 8
    include_pi: bool = True
    heads: int = 16
    width: int = 1024
    num_decoder_layers: int = 16
    qkv_bias: bool = True
    qk_norm: bool = False
    scale_factor: float = 1.0
    geo_decoder_mlp_expand_ratio: int = 4
    geo_decoder_downsample_ratio: int = 1
    geo_decoder_ln_post: bool = True


@dataclass(frozen=True)
class ConditionerConfig:
    """DINOv2.

    Attributes:
        dino: the encoder's sizes, with the keys of ``transformers``' ``Dinov2Config``.
        image_size: side of its input, pixels.
        multi_view: whether it was trained with embeddings for several views.
    """

    dino: Mapping[str, Any]
    image_size: int = 518
    multi_view: bool = False


@dataclass(frozen=True)
class SchedulerConfig:
    """Which flow-matching schedule a checkpoint samples with (see ``flow_schedule``).

    Attributes:
        kind: "euler", or "consistency" for step-distilled models.
        num_train_timesteps: range of the timesteps.
        shift: of the Euler schedule.
        pcm_timesteps: points of the consistency schedule.
    """

    kind: Literal["euler", "consistency"] = "euler"
    num_train_timesteps: int = 1000
    shift: float = 1.0
    pcm_timesteps: int = 50


@dataclass(frozen=True)
class ImageConfig:
    """The input picture (see ``preprocess``).

    Attributes:
        size: its side, pixels.
        border_ratio: share of it that is left free around the object.
    """

    size: int = 512
    border_ratio: float = 0.15


@dataclass(frozen=True)
class ShapeConfig:
    """All sizes in one checkpoint folder's config.yaml."""

    dit: DitConfig
    vae: ShapeVaeConfig
    conditioner: ConditionerConfig
    scheduler: SchedulerConfig
    image: ImageConfig


# For each block of the file: the last part of the class paths that we have, and our name for it.
_TARGETS: dict[str, dict[str, str]] = {
    "model": {"Hunyuan3DDiT": "dit"},
    "vae": {"ShapeVAE": "vae"},
    "conditioner": {"SingleImageEncoder": "image"},
    "scheduler": {
        "FlowMatchEulerDiscreteScheduler": "euler",
        "ConsistencyFlowMatchEulerDiscreteScheduler": "consistency",
    },
    "image_processor": {"ImageProcessorV2": "single", "MVImageProcessorV2": "multi"},
    "encoder": {"DinoImageEncoder": "single", "DinoImageEncoderMV": "multi"},
}
# In official files, but without effect on the numbers. ``axes_dim`` is checked against the head's width.
_WITHOUT_EFFECT = {"axes_dim", "theta"}


def read_shape_config(folder: Path) -> ShapeConfig:
    """The configuration of a checkpoint folder that holds all networks.

    Raises:
        WeightsError: the file is absent, is not YAML, or names a class that is not implemented here.
    """
    data = _read_yaml(folder)
    _kind(folder, "model", data)
    _kind(folder, "vae", data)
    _kind(folder, "conditioner", data)
    return ShapeConfig(
        dit=_dit(folder, _params(folder, "model", data)),
        vae=_fill(folder, ShapeVaeConfig, _params(folder, "vae", data), set()),
        conditioner=_conditioner(folder, _params(folder, "conditioner", data)),
        scheduler=_scheduler(folder, data),
        image=_image(folder, data),
    )


def read_vae_config(folder: Path) -> ShapeVaeConfig:
    """The configuration of a folder that holds a VAE alone, with ``target`` and ``params`` at the top level.

    Raises:
        WeightsError: as ``read_shape_config``.
    """
    data = {"vae": _read_yaml(folder)}
    if "target" in data["vae"]:
        _kind(folder, "vae", data)
    return _fill(folder, ShapeVaeConfig, _params(folder, "vae", data), set())


def _read_yaml(folder: Path) -> dict[str, Any]:
    return read_yaml_table(folder / "config.yaml")


def _kind(folder: Path, block: str, data: Mapping[str, Any]) -> str:
    """Our name for the class that a block's ``target`` gives."""
    found = data.get(block)
    target = found.get("target") if isinstance(found, dict) else None
    return _look_up(folder, block, f"{block}.target", target)


def _look_up(folder: Path, table: str, where: str, name: Any) -> str:
    known = _TARGETS[table]
    if not isinstance(name, str) or name.rsplit(".", 1)[-1] not in known:
        raise WeightsError(
            f"the checkpoint '{folder.name}' names {where} '{name}', which this program does not have",
            f"Known: {', '.join(known)}",
        )
    return known[name.rsplit(".", 1)[-1]]


def _params(folder: Path, block: str, data: Mapping[str, Any]) -> dict[str, Any]:
    params = data[block].get("params") or {}
    if not isinstance(params, dict):
        raise WeightsError(f"{block}.params of '{folder.name}' is not a table of settings", "Pull the model again")
    return params


def _fill(folder: Path, cls: type[T], params: Mapping[str, Any], skip: set[str]) -> T:
    """An instance of ``cls`` from the keys it knows, each cast to the type of its default."""
    defaults = cls()
    values: dict[str, Any] = {}
    for key, value in params.items():
        if key in skip or not hasattr(defaults, key):
            continue
        wanted = type(getattr(defaults, key))
        fits = isinstance(value, bool) if wanted is bool else isinstance(value, (int, float)) and value == wanted(value)
        if not fits:
            raise WeightsError(
                f"'{key}' of the checkpoint '{folder.name}' is {value!r}, not {wanted.__name__}", "Pull the model again"
            )
        values[key] = wanted(value)
    return cls(**values)


def _dit(folder: Path, params: Mapping[str, Any]) -> DitConfig:
    config = _fill(folder, DitConfig, params, _WITHOUT_EFFECT)
    if config.hidden_size % config.num_heads:
        raise WeightsError(
            f"the checkpoint '{folder.name}' has {config.num_heads} heads in a width of {config.hidden_size}",
            "The width must be a multiple of the heads",
        )
    axes = params.get("axes_dim")
    if axes is not None and sum(axes) != config.hidden_size // config.num_heads:
        raise WeightsError(
            f"axes_dim of '{folder.name}' sums to {sum(axes)}, a head is {config.hidden_size // config.num_heads} wide",
            "Pull the model again",
        )
    return config


def _conditioner(folder: Path, params: Mapping[str, Any]) -> ConditionerConfig:
    encoder = params.get("main_image_encoder")
    if not isinstance(encoder, dict):
        raise WeightsError(f"the checkpoint '{folder.name}' names no main_image_encoder", "Pull the model again")
    kind = _look_up(folder, "encoder", "main_image_encoder.type", encoder.get("type"))
    kwargs = encoder.get("kwargs") or {}
    dino = kwargs.get("config")
    if not isinstance(dino, dict):
        raise WeightsError(
            f"the checkpoint '{folder.name}' does not describe its image encoder",
            "Encoders that would be fetched from elsewhere are not supported",
        )
    return ConditionerConfig(dino, int(kwargs.get("image_size", 518)), kind == "multi")


def _scheduler(folder: Path, data: Mapping[str, Any]) -> SchedulerConfig:
    kind = _kind(folder, "scheduler", data)
    filled = _fill(folder, SchedulerConfig, _params(folder, "scheduler", data), {"kind"})
    return SchedulerConfig(
        "consistency" if kind == "consistency" else "euler",
        filled.num_train_timesteps,
        filled.shift,
        filled.pcm_timesteps,
    )


def _image(folder: Path, data: Mapping[str, Any]) -> ImageConfig:
    _kind(folder, "image_processor", data)
    return _fill(folder, ImageConfig, _params(folder, "image_processor", data), set())
