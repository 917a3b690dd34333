"""The sizes of a TripoSR checkpoint, from its ``config.yaml`` and its image encoder's ``config.json``.

The YAML is a small subset, read here line by line: two levels, plain values, one interpolation. A file with anything
else is refused. Class names in it are compared with a table; nothing that a file names is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manymesh.errors import WeightsError
from manymesh.weights.tables import MAX_YAML_BYTES, read_json_table, read_text

Value = int | float | str

# What a file may name as the class of each part, and the options that have one value only.
_CLASSES: Mapping[str, str] = {
    "image_tokenizer_cls": "tsr.models.tokenizers.image.DINOSingleImageTokenizer",
    "tokenizer_cls": "tsr.models.tokenizers.triplane.Triplane1DTokenizer",
    "backbone_cls": "tsr.models.transformer.transformer_1d.Transformer1D",
    "post_processor_cls": "tsr.models.network_utils.TriplaneUpsampleNetwork",
    "decoder_cls": "tsr.models.network_utils.NeRFMLP",
    "renderer_cls": "tsr.models.nerf_renderer.TriplaneNeRFRenderer",
}
_FIXED: Mapping[tuple[str, str], str] = {
    ("image_tokenizer", "pretrained_model_name_or_path"): "facebook/dino-vitb16",
    ("decoder", "activation"): "silu",
    ("renderer", "feature_reduction"): "concat",
    ("renderer", "density_activation"): "exp",
}
_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "image_tokenizer": (),
    "tokenizer": ("plane_size", "num_channels"),
    "backbone": ("in_channels", "num_attention_heads", "attention_head_dim", "num_layers", "cross_attention_dim"),
    "post_processor": ("in_channels", "out_channels"),
    "decoder": ("in_channels", "n_neurons", "n_hidden_layers"),
    "renderer": ("radius", "density_bias", "num_samples_per_ray"),
}
_INTERPOLATION, _INTERPOLATED = "${tokenizer.num_channels}", ("backbone", "in_channels")
_LINE = re.compile(r"(?P<indent>(?:  )?)(?P<key>[a-z_0-9]+):(?: +(?P<value>.*))?")
# Groups of channels in the transformer's first normalisation.
GROUPS = 32
# The largest size that a file may give; the published ones have at most 3072.
_MOST = 65_536


@dataclass(frozen=True)
class EncoderConfig:
    """The image encoder, a vision transformer.

    Attributes:
        table_px: side of the pictures that the table of positions was made for.
    """

    width: int = 768
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    patch_px: int = 16
    table_px: int = 224
    norm_eps: float = 1e-12


@dataclass(frozen=True)
class TriposrConfig:
    """Everything that ``config.yaml`` says. The defaults are the published checkpoint's.

    Attributes:
        image_px: side of the picture that the encoder sees.
        plane_tokens: tokens along each side of a plane; planes have twice as many texels.
        channels: of a token. heads, head_width, layers: of the transformer.
        plane_channels: of a texel.
        neurons, hidden_layers: of the field's network.
        radius: the field is defined in the box [-radius, radius] on each axis.
        density_bias: added to the network's density before exp.
        samples: along a ray in volume rendering.
    """

    image_px: int = 512
    plane_tokens: int = 32
    channels: int = 1024
    heads: int = 16
    head_width: int = 64
    layers: int = 16
    plane_channels: int = 40
    neurons: int = 64
    hidden_layers: int = 9
    radius: float = 0.87
    density_bias: float = -1.0
    samples: int = 128
    encoder: EncoderConfig = EncoderConfig()

    @property
    def tokens(self) -> int:
        return 3 * self.plane_tokens**2


def read_config(path: Path, encoder_path: Path | None = None) -> TriposrConfig:
    """The configuration in a ``config.yaml``.

    Args:
        encoder_path: the image encoder's ``config.json``; the published one's values when None.

    Raises:
        WeightsError: a file is absent, is not of the subset, or asks for what is not implemented here.
    """
    try:
        table = parse_yaml(read_text(path, MAX_YAML_BYTES))
        encoder = EncoderConfig() if encoder_path is None else _encoder(read_json_table(encoder_path))
        return _config(table, encoder)
    except ValueError as error:
        raise WeightsError(
            f"{path} is not a configuration of TripoSR: {error}", "Fetch it again: manymesh models pull triposr"
        ) from None


def parse_yaml(text: str) -> dict[str, Any]:
    """The table in a configuration's text: values, and tables of values.

    Raises:
        ValueError: a line is not of the subset.
    """
    table: dict[str, Any] = {}
    section: dict[str, Value] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(?:^| +)#.*$", "", line).rstrip(" ")
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None or (found["indent"] and section is None):
            raise ValueError(f"line {number} is not understood")
        target = section if found["indent"] else table
        assert target is not None
        if found["key"] in target:
            raise ValueError(f"line {number} repeats '{found['key']}'")
        if found["value"]:
            target[found["key"]] = _value(found["value"], number)
            section = section if found["indent"] else None
        elif found["indent"]:
            raise ValueError(f"line {number} is not understood")
        else:
            section = {}
            table[found["key"]] = section
    return _interpolated(table)


def _value(text: str, line: int) -> Value:
    if re.fullmatch(r"-?[0-9]{1,12}", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,12}\.[0-9]{0,20}(?:e-?[0-9]{1,2})?", text):
        return float(text)
    if quoted := re.fullmatch(r'"([^"\\]*)"', text):
        return quoted[1]
    if text == _INTERPOLATION or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text):
        return text
    raise ValueError(f"line {line} has a value that is not understood")


def _interpolated(table: dict[str, Any]) -> dict[str, Any]:
    section, key = _INTERPOLATED
    inside = table.get(section)
    if isinstance(inside, dict) and inside.get(key) == _INTERPOLATION:
        tokenizer = table.get("tokenizer")
        inside[key] = tokenizer.get("num_channels", "") if isinstance(tokenizer, dict) else ""
    return table


def _config(table: Mapping[str, Any], encoder: EncoderConfig) -> TriposrConfig:
    """Raises ``ValueError`` for what is absent, unknown, or does not fit together."""
    known = {"cond_image_size", *_CLASSES, *_NUMBERS}
    for key in (*table, *known):
        if key not in known or key not in table:
            raise ValueError(f"'{key}' is {'absent' if key in known else 'not known here'}")
    for key, name in _CLASSES.items():
        if table[key] != name:
            raise ValueError(f"the class of '{key}' is not known here")
    for section, numbers in _NUMBERS.items():
        inside = table[section]
        wanted = {*numbers, *(key for part, key in _FIXED if part == section)}
        if not isinstance(inside, dict) or set(inside) != wanted:
            raise ValueError(f"'{section}' does not have the entries {', '.join(sorted(wanted))}")
    for (section, key), value in _FIXED.items():
        if table[section][key] != value:
            raise ValueError(f"'{section}.{key}' is not '{value}', and nothing else is known here")
    backbone, tokenizer, post, decoder, renderer = (
        table[name] for name in ("backbone", "tokenizer", "post_processor", "decoder", "renderer")
    )
    config = TriposrConfig(
        image_px=_whole(table, "cond_image_size"),
        plane_tokens=_whole(tokenizer, "plane_size"),
        channels=_whole(tokenizer, "num_channels"),
        heads=_whole(backbone, "num_attention_heads"),
        head_width=_whole(backbone, "attention_head_dim"),
        layers=_whole(backbone, "num_layers"),
        plane_channels=_whole(post, "out_channels"),
        neurons=_whole(decoder, "n_neurons"),
        hidden_layers=_whole(decoder, "n_hidden_layers"),
        radius=_decimal(renderer, "radius", positive=True),
        density_bias=_decimal(renderer, "density_bias"),
        samples=_whole(renderer, "num_samples_per_ray"),
        encoder=encoder,
    )
    if not config.channels == _whole(backbone, "in_channels") == _whole(post, "in_channels"):
        raise ValueError("its parts have different numbers of channels")
    if config.channels % GROUPS or _whole(decoder, "in_channels") != 3 * config.plane_channels:
        raise ValueError("its numbers of channels do not fit together")
    if _whole(backbone, "cross_attention_dim") != encoder.width:
        raise ValueError("the transformer does not fit the image encoder")
    if config.image_px % encoder.patch_px or encoder.table_px % encoder.patch_px:
        raise ValueError("a picture's side is no multiple of the patches'")
    return config


def _encoder(table: Mapping[str, Any]) -> EncoderConfig:
    """Raises ``ValueError`` for what is not implemented."""
    for key, value in (("hidden_act", "gelu"), ("num_channels", 3)):
        if table.get(key) != value:
            raise ValueError(f"the image encoder's '{key}' is not {value}, and nothing else is known here")
    if table.get("qkv_bias", True) is not True:
        raise ValueError("the image encoder's 'qkv_bias' is not true, and nothing else is known here")
    config = EncoderConfig(
        width=_whole(table, "hidden_size"),
        layers=_whole(table, "num_hidden_layers"),
        heads=_whole(table, "num_attention_heads"),
        inner=_whole(table, "intermediate_size"),
        patch_px=_whole(table, "patch_size"),
        table_px=_whole(table, "image_size"),
        norm_eps=_decimal(table, "layer_norm_eps", positive=True),
    )
    if config.width % config.heads:
        raise ValueError("the image encoder's width is no multiple of its heads")
    return config


def _whole(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
        raise ValueError(f"'{key}' is no number from 1 to {_MOST}")
    return value


def _decimal(table: Mapping[str, Any], key: str, *, positive: bool = False) -> float:
    value = table.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1000 or (positive and value <= 0):
        raise ValueError(f"'{key}' is no number that is possible there")
    return float(value)
