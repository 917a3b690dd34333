"""The networks' sizes, read from the official config.json files and checked against what is built here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manymesh.errors import WeightsError
from manymesh.weights.tables import read_json_table

ATTENTION_DOWN, PLAIN_DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
ATTENTION_UP, PLAIN_UP = "CrossAttnUpBlock2D", "UpBlock2D"

# Switches of the family that are not built. A file that sets one to anything else describes another network.
_UNET_FIXED: Mapping[str, tuple[Any, ...]] = {
    "act_fn": ("silu",),
    "use_linear_projection": (True,),
    "center_input_sample": (False,),
    "dual_cross_attention": (False,),
    "only_cross_attention": (False,),
    "downsample_padding": (1,),
    "mid_block_scale_factor": (1,),
    "num_class_embeds": (None,),
    "class_embed_type": (None,),
    "time_embedding_type": ("positional",),
    "resnet_time_scale_shift": ("default",),
    "encoder_hid_dim": (None,),
    "mid_block_type": ("UNetMidBlock2DCrossAttn",),
    "conv_in_kernel": (3,),
    "conv_out_kernel": (3,),
    "num_attention_heads": (None,),
}
# What Stable Diffusion XL has beside those.
_XL_FIXED: Mapping[str, tuple[Any, ...]] = {
    **_UNET_FIXED,
    "addition_embed_type": ("text_time",),
    "reverse_transformer_layers_per_block": (None,),
    "time_cond_proj_dim": (None,),
}
_PLAIN_FIXED: Mapping[str, tuple[Any, ...]] = {
    **_UNET_FIXED,
    "addition_embed_type": (None,),
    "transformer_layers_per_block": (1,),
}
_VAE_FIXED: Mapping[str, tuple[Any, ...]] = {
    "act_fn": ("silu",),
    "mid_block_add_attention": (True,),
    "use_quant_conv": (True,),
    "use_post_quant_conv": (True,),
    "shift_factor": (None, 0),
    "latents_mean": (None,),
    "latents_std": (None,),
}


@dataclass(frozen=True)
class UNetConfig:
    """A UNet of Stable Diffusion 2 (Rombach et al. 2022) or XL (Podell et al. 2023).

    Attributes:
        channels: per level.
        heads: attention heads per level. The files call them attention_head_dim; they are counts.
        attends_down, attends_up: which levels have transformers, in the order of the lists in the file.
        text_dim: width of the text's tokens.
        depth: blocks of each transformer, per level.
        added_dim: width of the embedding that is added to the time's, or 0 without one. XL's is made of the text's
            summary and of six numbers about the picture's size.
        added_time_dim: how many sines and cosines stand for each of the six.
    """

    in_channels: int = 4
    out_channels: int = 4
    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    heads: tuple[int, ...] = (5, 10, 20, 20)
    layers: int = 2
    attends_down: tuple[bool, ...] = (True, True, True, False)
    attends_up: tuple[bool, ...] = (False, True, True, True)
    text_dim: int = 1024
    groups: int = 32
    eps: float = 1e-5
    flip_sin_to_cos: bool = True
    freq_shift: float = 0
    depth: tuple[int, ...] = (1, 1, 1, 1)
    added_dim: int = 0
    added_time_dim: int = 0


@dataclass(frozen=True)
class ImageVaeConfig:
    """An AutoencoderKL (Rombach et al. 2022)."""

    channels: tuple[int, ...] = (128, 256, 512, 512)
    layers: int = 2
    latent_channels: int = 4
    groups: int = 32
    scaling_factor: float = 0.18215

    @property
    def shrinks(self) -> int:
        """Pixels per latent along a side."""
        return 1 << (len(self.channels) - 1)


@dataclass(frozen=True)
class TextConfig:
    """A CLIP text encoder (Radford et al. 2021).

    Attributes:
        projection: width of the text's summary, or 0 for an encoder that has none.
    """

    width: int = 1024
    layers: int = 23
    heads: int = 16
    inner: int = 4096
    vocabulary: int = 49408
    positions: int = 77
    quick_gelu: bool = False
    eps: float = 1e-5
    projection: int = 0


@dataclass(frozen=True)
class NoiseScheduleConfig:
    """The noise that the networks were trained with, and how its steps are spaced."""

    beta_start: float = 0.00085
    beta_end: float = 0.012
    train_steps: int = 1000
    spacing: str = "trailing"
    zero_snr: bool = True
    offset: int = 1


def read_unet(folder: Path, *, xl: bool = False) -> UNetConfig:
    """``folder/unet/config.json``. ``xl``: it must be Stable Diffusion XL's, otherwise 2's.

    Raises ``WeightsError`` for a network that is not built here.
    """
    path = folder / "unet" / "config.json"
    table = _table(path, _XL_FIXED if xl else _PLAIN_FIXED)
    with _reading(path):
        channels = _whole_numbers(table["block_out_channels"])
        heads = table.get("attention_head_dim", 8)
        down, up = table["down_block_types"], table["up_block_types"]
        known = set(down) <= {ATTENTION_DOWN, PLAIN_DOWN} and set(up) <= {ATTENTION_UP, PLAIN_UP}
        if not known or len(down) != len(channels) or len(up) != len(channels):
            raise ValueError("its blocks are not those of Stable Diffusion 2")
        depth = table.get("transformer_layers_per_block", 1)
        config = UNetConfig(
            in_channels=int(table["in_channels"]),
            out_channels=int(table["out_channels"]),
            channels=channels,
            heads=(int(heads),) * len(channels) if isinstance(heads, int) else _whole_numbers(heads),
            layers=int(table["layers_per_block"]),
            attends_down=tuple(kind == ATTENTION_DOWN for kind in down),
            attends_up=tuple(kind == ATTENTION_UP for kind in up),
            text_dim=int(table["cross_attention_dim"]),
            groups=int(table.get("norm_num_groups", 32)),
            eps=float(table.get("norm_eps", 1e-5)),
            flip_sin_to_cos=bool(table.get("flip_sin_to_cos", True)),
            freq_shift=float(table.get("freq_shift", 0)),
            depth=(int(depth),) * len(channels) if isinstance(depth, int) else _whole_numbers(depth),
            added_dim=int(table["projection_class_embeddings_input_dim"]) if xl else 0,
            added_time_dim=int(table["addition_time_embed_dim"]) if xl else 0,
        )
        if len(config.depth) != len(channels):
            raise ValueError("its transformers' depths are not one per level")
        divides = all(c % h == 0 and c % config.groups == 0 for c, h in zip(channels, config.heads, strict=True))
        if min(config.groups, config.layers, config.text_dim, config.in_channels, *config.heads) < 1 or not divides:
            raise ValueError("its sizes do not go together")
    return config


def read_vae(folder: Path, part: str = "vae") -> ImageVaeConfig:
    """``folder/PART/config.json``; ``part`` is "" where the folder holds nothing else. Raises as ``read_unet``."""
    path = folder / part / "config.json"
    table = _table(path, _VAE_FIXED)
    with _reading(path):
        return ImageVaeConfig(
            channels=_whole_numbers(table["block_out_channels"]),
            layers=int(table["layers_per_block"]),
            latent_channels=int(table["latent_channels"]),
            groups=int(table.get("norm_num_groups", 32)),
            scaling_factor=float(table.get("scaling_factor", 0.18215)),
        )


def read_text(folder: Path, part: str = "text_encoder", *, projects: bool = False) -> TextConfig:
    """``folder/PART/config.json``. ``projects``: it gives a summary of the text too. Raises as ``read_unet``."""
    path = folder / part / "config.json"
    table = _table(path, {"hidden_act": ("gelu", "quick_gelu")})
    with _reading(path):
        return TextConfig(
            width=int(table["hidden_size"]),
            layers=int(table["num_hidden_layers"]),
            heads=int(table["num_attention_heads"]),
            inner=int(table["intermediate_size"]),
            vocabulary=int(table["vocab_size"]),
            positions=int(table["max_position_embeddings"]),
            quick_gelu=table.get("hidden_act") == "quick_gelu",
            eps=float(table.get("layer_norm_eps", 1e-5)),
            projection=int(table["projection_dim"]) if projects else 0,
        )


def read_noise_schedule(folder: Path, predicts: str = "v_prediction") -> NoiseScheduleConfig:
    """``folder/scheduler/scheduler_config.json``. Raises as ``read_unet``.

    Args:
        folder: of the model.
        predicts: what its network must predict, "v_prediction" or "epsilon".
    """
    path = folder / "scheduler" / "scheduler_config.json"
    fixed = {"beta_schedule": ("scaled_linear",), "prediction_type": (predicts,), "trained_betas": (None,)}
    table = _table(path, {**fixed, "timestep_spacing": ("leading", "trailing")})
    with _reading(path):
        # The bases that predict noise are published without the spacing, and theirs is "leading".
        spacing = table.get("timestep_spacing", "leading") if predicts == "epsilon" else table["timestep_spacing"]
        return NoiseScheduleConfig(
            beta_start=float(table["beta_start"]),
            beta_end=float(table["beta_end"]),
            train_steps=int(table.get("num_train_timesteps", 1000)),
            spacing=str(spacing),
            zero_snr=bool(table.get("rescale_betas_zero_snr", False)),
            offset=int(table.get("steps_offset", 0)),
        )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object in a file. Raises ``WeightsError``."""
    return read_json_table(path)


_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"


def _table(path: Path, fixed: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    table = read_json(path)
    for key, allowed in fixed.items():
        if key in table and table[key] not in allowed:
            raise WeightsError(
                f"{path} describes a network that is not built here: {key} is {table[key]!r}",
                "It holds another model: see 'manymesh models list' for what fits",
            )
    return table


class _reading:  # noqa: N801 - used as a function
    """Turns what a wrong config raises into one sentence for people."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError)):
            raise WeightsError(f"{self.path} is not understood: {error}", _AGAIN) from error


def _whole_numbers(values: Any) -> tuple[int, ...]:
    numbers = tuple(int(value) for value in values)
    if not numbers or min(numbers) < 1:
        raise ValueError("a list of sizes is empty or not positive")
    return numbers
