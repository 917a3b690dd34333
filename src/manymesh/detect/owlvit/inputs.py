"""A picture and names as OWL-ViT wants them: the numbers of the official processor and tokenizer, without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manymesh.detect.transformers_files import tokenizer_errors
from manymesh.errors import WeightsError
from manymesh.types import F32, U8
from manymesh.weights.tables import read_json_table

I64 = NDArray[np.int64]

# The longest text that the network's text encoder takes, in tokens, first and last included.
TOKENS = 16
# What fills the rest, where the tokenizer's files name nothing.
_PAD_TOKEN = "!"
# OWLv2's pictures are padded to a square with this grey, of 1.
_GREY = 0.5
# Sides that a network may ask for, in pixels.
_SIDES_PX = 32, 4096
_AGAIN = "Fetch it again: 'manymesh models verify' names the damaged files and 'manymesh models pull' mends them"


@dataclass(frozen=True)
class Sizing:
    """The numbers of preprocessor_config.json.

    Attributes:
        height, width: of the network's input, in pixels.
        mean, std: of CLIP, by channel, for colours in 0..1.
        resample: Pillow's number of the filter; 3 is bicubic.
        square: OWLv2: the picture is padded below and to the right to a square instead of being squeezed.
    """

    height: int = 768
    width: int = 768
    mean: tuple[float, ...] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, ...] = (0.26862954, 0.26130258, 0.27577711)
    resample: int = 3
    square: bool = False


def read_sizing(folder: Path) -> Sizing:
    """The sizing of the network in ``folder``.

    Raises:
        WeightsError: preprocessor_config.json is absent, damaged, or asks for sizes out of range.
    """
    path = folder / "preprocessor_config.json"
    table = read_json_table(path)
    kind = str(table.get("image_processor_type") or table.get("feature_extractor_type") or "")
    d = Sizing(960, 960, resample=2, square=True) if kind.startswith("Owlv2") else Sizing()
    try:
        height, width = _sides(table.get("size"), (d.height, d.width))
        sizing = Sizing(
            *(height, width, _three(table.get("image_mean"), d.mean), _three(table.get("image_std"), d.std)),
            *(int(table.get("resample", d.resample)), d.square),
        )
        low, high = _SIDES_PX
        if not (low <= height <= high and low <= width <= high and 0 <= sizing.resample <= 5 and min(sizing.std) > 0):
            raise ValueError("a number is out of range")
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise WeightsError(f"{path} cannot be used: {error}", _AGAIN) from None
    return sizing


def _sides(value: Any, default: tuple[int, int]) -> tuple[int, int]:
    """Height and width: from a table, a pair or one number, as the files of different years have them."""
    if value is None:
        return default
    if isinstance(value, dict):
        return int(value["height"]), int(value["width"])
    height, width = (value, value) if isinstance(value, int) else value
    return int(height), int(width)


def _three(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    numbers = tuple(float(v) for v in value) if value is not None else default
    if len(numbers) != 3 or not np.isfinite(numbers).all():
        raise ValueError(f"{value} is not three numbers")
    return numbers


def pixels(rgb: U8, sizing: Sizing) -> F32:
    """(H, W, 3) uint8 sRGB to (1, 3, height, width) float32, equal to the official processor's.

    Photos for OWLv2 that are over twice as long as its input are first halved and so on until they are not: the
    official filter works on float64 copies of the whole photo. For these the numbers differ a little.
    """
    scaled = _padded_resized(rgb, sizing) if sizing.square else _resized(rgb, sizing)
    mean, std = np.array(sizing.mean, np.float32), np.array(sizing.std, np.float32)
    return np.ascontiguousarray(((scaled - mean) / std).transpose(2, 0, 1))[None]


def _resized(rgb: U8, sizing: Sizing) -> F32:
    """Squeezed to the input's size, in 0..1."""
    from PIL import Image

    small = Image.fromarray(rgb).resize((sizing.width, sizing.height), Image.Resampling(sizing.resample))
    return _in_unit(np.asarray(small))


def _padded_resized(rgb: U8, sizing: Sizing) -> F32:
    """Padded to a square and resized as the original OWLv2 does it: a Gaussian, then linear interpolation."""
    from PIL import Image
    from scipy import ndimage

    while max(rgb.shape[:2]) > 2 * max(sizing.height, sizing.width):
        half = (max(1, rgb.shape[1] // 2), max(1, rgb.shape[0] // 2))
        rgb = np.asarray(Image.fromarray(rgb).resize(half, Image.Resampling.BOX))
    side = max(rgb.shape[:2])
    square = np.full((side, side, 3), _GREY, np.float32)
    square[: rgb.shape[0], : rgb.shape[1]] = _in_unit(rgb)
    factors = np.divide(square.shape, (sizing.height, sizing.width, 3))
    smooth = ndimage.gaussian_filter(square, np.maximum(0, (factors - 1) / 2), mode="mirror")
    out = ndimage.zoom(smooth, [1 / f for f in factors], order=1, mode="mirror", grid_mode=True)
    return np.asarray(np.clip(out, square.min(), square.max()), np.float32)


def _in_unit(levels: U8) -> F32:
    """0..255 to 0..1, through float64 as in the official code."""
    return (levels.astype(np.float64) * (1 / 255)).astype(np.float32)


class Texts:
    """The tokenizer in a folder: texts to the network's two text inputs.

    Args:
        folder: holds tokenizer.json, and tokenizer_config.json where there is one.
        tokens: length of every text, in tokens.

    Raises:
        WeightsError: damaged files, or a tokenizer that does not close its texts.
    """

    def __init__(self, folder: Path, tokens: int = TOKENS) -> None:
        from tokenizers import Tokenizer

        with tokenizer_errors(folder):
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        pad = _pad_token(folder, self._tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        closing = self._tokenizer.encode("a").special_tokens_mask
        if len(closing) < 2 or not (closing[0] and closing[-1]):
            raise WeightsError(f"the tokenizer in {folder} does not open and close its texts", _AGAIN)
        self._tokens = tokens
        pad_id = self._tokenizer.token_to_id(pad)
        self._tokenizer.enable_padding(length=tokens, pad_id=0 if pad_id is None else pad_id, pad_token=pad)

    def __call__(self, texts: Sequence[str]) -> tuple[I64, I64]:
        """(n, tokens) token ids and (n, tokens) mask, int64. Longer texts are cut, their last token stays."""
        encoded = [self._encode(text) for text in texts]
        ids = np.array([e.ids for e in encoded], np.int64)
        return ids, np.array([e.attention_mask for e in encoded], np.int64)

    def fits(self, text: str) -> bool:
        """Whether the network reads the whole of a text."""
        return sum(self._tokenizer.encode(text).attention_mask) <= self._tokens

    def _encode(self, text: str) -> Any:
        # Set for each call: ``fits`` asks for the whole length.
        self._tokenizer.enable_truncation(max_length=self._tokens)
        try:
            return self._tokenizer.encode(text)
        finally:
            self._tokenizer.no_truncation()


def _pad_token(folder: Path, tokenizer: Any) -> str:
    path = folder / "tokenizer_config.json"
    named = read_json_table(path).get("pad_token") if path.is_file() else None
    if isinstance(named, dict):
        named = named.get("content")
    in_file = (tokenizer.padding or {}).get("pad_token")
    return next((str(token) for token in (named, in_file) if token), _PAD_TOKEN)
