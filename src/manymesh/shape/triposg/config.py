"""Reads the JSON files of a TripoSG checkpoint, one folder for each network, into plain values.

The files name classes. Those names are looked up in a table of our own and never imported: a downloaded file must not
choose which code runs. ``model_index.json`` is not read at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manymesh.errors import WeightsError
from manymesh.weights.tables import read_json_table

# Where each network's files lie in the repository.
TRANSFORMER_FOLDER, VAE_FOLDER = "transformer", "vae"
ENCODER_FOLDER, IMAGES_FOLDER = "image_encoder_dinov2", "feature_extractor_dinov2"
SCHEDULER_FOLDER = "scheduler"

# The class names that stand for what is implemented here.
_CLASSES: Mapping[str, tuple[str, ...]] = {
    TRANSFORMER_FOLDER: ("TripoSGDiTModel",),
    VAE_FOLDER: ("Tripo2VAEModel", "TripoSGVAEModel"),
    SCHEDULER_FOLDER: ("RectifiedFlowScheduler",),
}
# The mark of bicubic resampling in the preprocessor's file (Pillow's number).
_BICUBIC = 3


@dataclass(frozen=True)
class TransformerConfig:
    """The diffusion transformer (see ``transformer``).

    Attributes:
        in_channels: width of one latent.
        width: of the tokens, ``heads`` times a head's width.
        layers: number of blocks.
        context_width: width of one condition token.
    """

    in_channels: int = 64
    width: int = 2048
    heads: int = 16
    layers: int = 21
    context_width: int = 1024


@dataclass(frozen=True)
class VaeConfig:
    """The decoder (see ``vae``).

    Attributes:
        latent_channels: width of one latent.
        width: of the tokens, ``heads`` times a head's width.
        layers: number of self-attention blocks.
        frequencies: octaves of the points' Fourier embedding; ``include_pi`` multiplies them by pi.
    """

    latent_channels: int = 64
    width: int = 1024
    heads: int = 8
    layers: int = 16
    frequencies: int = 8
    include_pi: bool = False


@dataclass(frozen=True)
class SchedulerConfig:
    """The flow-matching schedule (see ``schedule``).

    Attributes:
        train_timesteps: range of the network's time.
        shift: over 1, more steps are near the noise.
    """

    train_timesteps: int = 1000
    shift: float = 1.0


@dataclass(frozen=True)
class ImageConfig:
    """The image encoder's input (see ``preprocess``).

    Attributes:
        shortest_px: the shorter side is resized to this.
        crop_px: height and width of the part at the centre that the encoder sees.
        rescale: factor on 8-bit values.
        mean, std: of the three channels after it.
    """

    shortest_px: int = 256
    crop_px: tuple[int, int] = (224, 224)
    rescale: float = 1 / 255
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class TriposgConfig:
    """All sizes of one checkpoint. ``dino`` has the keys of ``transformers``' ``Dinov2Config``."""

    transformer: TransformerConfig
    vae: VaeConfig
    scheduler: SchedulerConfig
    image: ImageConfig
    dino: Mapping[str, Any]


def published_config() -> TriposgConfig:
    """What the official files say, as it was reported: the defaults of the official classes."""
    silent = _Table(Path(ENCODER_FOLDER, "config.json"), {})
    return TriposgConfig(TransformerConfig(), VaeConfig(), SchedulerConfig(), ImageConfig(), _dino(silent))


def read_config(folder: Path) -> TriposgConfig:
    """The configuration of a checkpoint folder.

    Raises:
        WeightsError: a file is absent or damaged, or describes what is not implemented here.
    """
    return TriposgConfig(
        read_transformer(folder), _vae(folder), _scheduler(folder), read_image(folder), read_dino(folder)
    )


def read_transformer(folder: Path) -> TransformerConfig:
    """The transformer alone. Raises as ``read_config``."""
    table = _Table.read(folder, TRANSFORMER_FOLDER, "config.json")
    if table.get("use_cross_attention_2", False):
        raise table.error(
            "describes a network for sketches and text, not for photos", "Use the weights of VAST-AI/TripoSG"
        )
    made = TransformerConfig(
        in_channels=table.count("in_channels", 64),
        width=table.count("width", 2048),
        heads=table.count("num_attention_heads", 16),
        layers=table.count("num_layers", 21),
        context_width=table.count("cross_attention_dim", 1024),
    )
    if made.width % made.heads or made.width % 2:
        raise table.error(f"has a width of {made.width} with {made.heads} heads")
    return made


def _vae(folder: Path) -> VaeConfig:
    table = _Table.read(folder, VAE_FOLDER, "config.json")
    kind = table.get("embedding_type", "frequency")
    if kind != "frequency":
        raise table.error(f"asks for the point embedding '{kind}'")
    made = VaeConfig(
        latent_channels=table.count("latent_channels", 64),
        width=table.count("width_decoder", 1024),
        heads=table.count("num_attention_heads", 8),
        layers=table.count("num_layers_decoder", 16),
        frequencies=table.count("embed_frequency", 8),
        include_pi=bool(table.get("embed_include_pi", False)),
    )
    if made.width % made.heads:
        raise table.error(f"has a width of {made.width} with {made.heads} heads")
    return made


def _scheduler(folder: Path) -> SchedulerConfig:
    table = _Table.read(folder, SCHEDULER_FOLDER, "scheduler_config.json")
    if table.get("use_dynamic_shifting", False):
        raise table.error("asks for dynamic shifting")
    return SchedulerConfig(table.count("num_train_timesteps", 1000), table.number("shift", 1.0))


def read_image(folder: Path) -> ImageConfig:
    """The encoder's input alone. Raises as ``read_config``."""
    table = _Table.read(folder, IMAGES_FOLDER, "preprocessor_config.json")
    for step in ("do_resize", "do_center_crop", "do_rescale", "do_normalize"):
        if not table.get(step, True):
            raise table.error(f"leaves out '{step}'")
    if table.get("resample", _BICUBIC) != _BICUBIC:
        raise table.error("asks for another resampling than bicubic")
    size, crop = table.part("size"), table.part("crop_size")
    published = ImageConfig()
    shortest = size.count("shortest_edge", published.shortest_px)
    crop_px = (crop.count("height", published.crop_px[0]), crop.count("width", published.crop_px[1]))
    if max(crop_px) > shortest:
        raise table.error(f"takes {max(crop_px)} px out of a picture of {shortest} px")
    return ImageConfig(
        shortest_px=shortest,
        crop_px=crop_px,
        rescale=table.number("rescale_factor", published.rescale),
        mean=table.colour("image_mean", published.mean),
        std=table.colour("image_std", published.std),
    )


def read_dino(folder: Path) -> Mapping[str, Any]:
    """The image encoder alone, with the published values where the file is silent. Raises as ``read_config``."""
    return _dino(_Table.read(folder, ENCODER_FOLDER, "config.json"))


def _dino(table: _Table) -> Mapping[str, Any]:
    if table.get("hidden_act", "gelu") != "gelu":
        raise table.error(f"asks for the activation '{table.get('hidden_act', '')}'")
    if table.get("num_register_tokens", 0):
        raise table.error("asks for register tokens")
    return {
        "hidden_size": table.count("hidden_size", 1024),
        "num_hidden_layers": table.count("num_hidden_layers", 24),
        "num_attention_heads": table.count("num_attention_heads", 16),
        "num_channels": table.count("num_channels", 3),
        "patch_size": table.count("patch_size", 14),
        "image_size": table.count("image_size", 518),
        "mlp_ratio": table.number("mlp_ratio", 4.0),
        "layer_norm_eps": table.number("layer_norm_eps", 1e-6),
        "qkv_bias": bool(table.get("qkv_bias", True)),
        "use_swiglu_ffn": bool(table.get("use_swiglu_ffn", False)),
    }


@dataclass(frozen=True)
class _Table:
    """One file's values, with errors that name the file."""

    path: Path
    values: Mapping[str, Any]

    @staticmethod
    def read(folder: Path, part: str, name: str) -> _Table:
        """Raises ``WeightsError`` for a class that is not implemented."""
        path = folder / part / name
        table = _Table(path, read_json_table(path))
        known = _CLASSES.get(part)
        asked = table.get("_class_name", known[0] if known else "")
        if known and asked not in known:
            raise table.error(f"names the class '{asked}'")
        return table

    def get(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        return default if value is None else value

    def number(self, key: str, default: float) -> float:
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise self.error(f"has '{key}': {value!r} where a number over 0 belongs")
        return float(value)

    def count(self, key: str, default: int) -> int:
        value = self.get(key, default)
        # Far over any published size; a wrong file must not ask for all memory.
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 1 << 20:
            raise self.error(f"has '{key}': {value!r} where a whole number over 0 belongs")
        return value

    def colour(self, key: str, default: tuple[float, float, float]) -> tuple[float, float, float]:
        value = self.get(key, default)
        if not isinstance(value, (list, tuple)) or len(value) != 3:
            raise self.error(f"has '{key}': {value!r} where three numbers belong")
        red, green, blue = (_Table(self.path, {key: one}).number(key, 1.0) for one in value)
        return red, green, blue

    def part(self, key: str) -> _Table:
        value = self.get(key, {})
        if not isinstance(value, dict):
            raise self.error(f"has '{key}': {value!r} where a table belongs")
        return _Table(self.path, value)

    def error(self, what: str, hint: str = "Run 'manymesh models verify triposg'") -> WeightsError:
        return WeightsError(f"{self.path.parent.name}/{self.path.name} {what}", hint)
