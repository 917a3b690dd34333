"""The stages ``isnet`` and ``birefnet-lite-onnx``: a crop in, the object alone out.

IS-Net: Qin et al., "Highly Accurate Dichotomous Image Segmentation", ECCV 2022. BiRefNet: see ``matte/birefnet``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from manymesh.errors import WeightsError
from manymesh.matte import image
from manymesh.matte.cut_out import cut_out
from manymesh.onnx_network import OnnxNetwork
from manymesh.settings import Settings
from manymesh.stages import Matte, Stage, Tick
from manymesh.types import F32, U8, Crop, Cutout
from manymesh.weights import Found, model, require
from manymesh.weights import missing as missing_weights

# IS-Net's answer is stretched to 0..1. One that never exceeds this is of a crop without an object, and stretching would
# make an object of noise. Chosen by hand; not measured.
FAINTEST_ANSWER = 0.05


@dataclass(frozen=True)
class Kind:
    """How one of the networks is called.

    Attributes:
        weights: its row in the catalogue.
        mean, std: of its input, by channel, for colours in 0..1.
        logits: whether it answers logits; else it answers alpha that is to be stretched to 0..1.
        side_px: width and height of its input, where its file leaves them open.
    """

    weights: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    logits: bool
    side_px: int = 1024


_ISNET = Kind("isnet", mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0), logits=False)
_BIREFNET_LITE = Kind("birefnet-lite-onnx", mean=image.MEAN, std=image.STD, logits=True)
# By their rows in the catalogue.
KINDS = {kind.weights: kind for kind in (_ISNET, _BIREFNET_LITE)}


class AlphaNetwork:
    """An open network: (h, w, 3) uint8 to alpha (h, w) uint8 of everything that stands out.

    Args:
        kind: which.
        found: the model's files.

    Raises:
        WeightsError: a file that is damaged, or of another conversion.
    """

    def __init__(self, kind: Kind, found: Found) -> None:
        graph = model(kind.weights).graph
        assert graph is not None
        self._kind = kind
        self._path = next(path for name, path in found.files.items() if name.endswith(".onnx"))
        self._network = OnnxNetwork(self._path, graph)
        self._height = self._network.length("picture", 2) or kind.side_px
        self._width = self._network.length("picture", 3) or kind.side_px

    @property
    def signature(self) -> str:
        """What the file takes and gives, for people."""
        return self._network.signature

    def __call__(self, rgb: U8, look: Callable[[], None] = lambda: None) -> U8:
        small = image.resized(rgb, self._width, self._height)
        picture = image.normalised(small, self._kind.mean, self._kind.std)[None]
        answer = self._network(look, picture=picture)["alpha"]
        if answer.shape[:1] != (1,) or answer.ndim not in (3, 4) or (answer.ndim == 4 and answer.shape[1] != 1):
            raise WeightsError(f"{self._path} answers the shape {list(answer.shape)} where [1, 1, h, w] was expected")
        field = answer[0, 0] if answer.ndim == 4 else answer[0]
        alpha = image.alpha_u8(field) if self._kind.logits else stretched(field)
        return image.alpha_at(alpha, rgb.shape[1], rgb.shape[0])


def stretched(answer: F32) -> U8:
    """(h, w) float32 to uint8, so that its lowest number is 0 and its highest 255; all 0 where nothing was seen."""
    low, high = float(answer.min()), float(answer.max())
    if high < FAINTEST_ANSWER or high <= low:
        return np.zeros(answer.shape, np.uint8)
    return ((answer - low) / (high - low) * 255).astype(np.uint8)


def _opener(kind: Kind) -> Callable[[Settings], AbstractContextManager[Matte]]:
    @contextmanager
    def open_matte(settings: Settings) -> Iterator[Matte]:
        """Load the network, and give a function from crops to cutouts."""
        network = AlphaNetwork(kind, require(kind.weights, settings.weights_dir))

        def matte(crop: Crop, *, tick: Tick) -> Cutout:
            return cut_out(crop, partial(network, look=partial(tick, 0.1)), tick)

        yield matte

    return open_matte


ISNET = Stage(
    name="isnet",
    kind="matte",
    summary="IS-Net cuts each object out, on any CPU",
    licence="Apache-2.0",
    open=_opener(_ISNET),
    missing=lambda settings: missing_weights(_ISNET.weights, settings.weights_dir),
)
BIREFNET_LITE = Stage(
    name="birefnet-lite-onnx",
    kind="matte",
    summary="BiRefNet-lite cuts each object out with finer edges, slower, on any CPU",
    licence="MIT",
    open=_opener(_BIREFNET_LITE),
    missing=lambda settings: missing_weights(_BIREFNET_LITE.weights, settings.weights_dir),
)
