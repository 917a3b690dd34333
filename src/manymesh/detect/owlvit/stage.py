"""The stage ``owlvit``: OWL-ViT (Minderer et al. 2022) or OWLv2 (2023), as ONNX files in transformers.js' layout."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from manymesh.detect.owlvit import inputs
from manymesh.detect.owlvit.choose import THRESHOLD, candidates, distinct, is_cut, moved, tiles
from manymesh.detect.owlvit.queries import MOST_TEXTS, queries_for
from manymesh.detect.postprocess import clean_names, largest_in_order, name_groups, names_not_found
from manymesh.errors import WeightsError
from manymesh.image.transparency import on_white
from manymesh.onnx_network import OnnxNetwork
from manymesh.settings import Settings
from manymesh.stages import Detect, Stage, Tick
from manymesh.types import F32, U8, Detection, Detections, Photo
from manymesh.weights import Found, model, require
from manymesh.weights import missing as missing_weights

# What ``--detector`` calls them, and their weights.
WEIGHTS = {"owlvit": "owlvit", "owlv2": "owlv2"}
# Names in one pass: each is asked at least once.
NAMES_AT_ONCE = MOST_TEXTS
# A photo whose longest side is over this many times the network's is looked at again in tiles for the names that were
# not found. Chosen by hand; not measured.
TILES_FROM = 1.25
# Width and height of each of the four tiles, of the photo's. Small objects are whole in at least one.
TILE_SHARE = 0.6
# Four tiles have four times as many chances to be wrong, so a box in a tile needs more. Chosen by hand; not measured.
TILE_THRESHOLD = 0.15
# What is asked for when nobody named anything. Such answers are poor.
_ANYTHING = ("object",)

Look = Callable[[U8, Sequence[str], Callable[[], None]], "tuple[F32, F32]"]
"""Picture, texts and what to call meanwhile, to scores (boxes, texts) and corners (boxes, 4) in pixels."""


@contextmanager
def open_detect(settings: Settings) -> Iterator[Detect]:
    """Load the network that the settings name, and give a function from photo and names to detections."""
    name = weights_name(settings)
    owl = Owl(require(WEIGHTS[name], settings.weights_dir), WEIGHTS[name])

    def detect(photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        # One more tells that there are more.
        return find(photo, names, owl, tick, source=name, most=settings.max_objects + 1)

    yield detect


def weights_name(settings: Settings) -> str:
    """The detector that the settings ask for of this stage; ``owlvit`` unless they say ``owlv2``."""
    return settings.detector if settings.detector in WEIGHTS else "owlvit"


class Owl:
    """An open network with its tokenizer: a ``Look``.

    Args:
        found: the model's files.
        model_id: its row in the catalogue, which names inputs and outputs.

    Raises:
        WeightsError: files that are damaged, or of another conversion.
    """

    def __init__(self, found: Found, model_id: str) -> None:
        graph = model(model_id).graph
        assert graph is not None
        assert found.root is not None
        path = next(path for name, path in found.files.items() if name.endswith(".onnx"))
        self._path: Path = path
        self._network = OnnxNetwork(path, graph)
        self.sizing = inputs.read_sizing(found.root)
        self.texts = inputs.Texts(found.root, self._network.length("tokens", 1) or inputs.TOKENS)
        # Some conversions fix the number of texts.
        self._texts_at_once = self._network.length("tokens", 0)

    @property
    def signature(self) -> str:
        """What the file takes and gives, for people."""
        return self._network.signature

    def __call__(self, rgb: U8, texts: Sequence[str], look: Callable[[], None]) -> tuple[F32, F32]:
        picture = inputs.pixels(rgb, self.sizing)
        step = self._texts_at_once or max(len(texts), 1)
        columns: list[F32] = []
        corners = np.zeros((0, 4), np.float32)
        for start in range(0, len(texts), step):
            asked = list(texts[start : start + step])
            full = asked + [asked[-1]] * ((self._texts_at_once or len(asked)) - len(asked))
            ids, mask = self.texts(full)
            answer = self._network(look, tokens=ids, mask=mask, picture=picture)
            logits, boxes = answer["logits"], answer["boxes"]
            if logits.ndim != 3 or boxes.shape != (1, logits.shape[1], 4) or logits.shape[::2] != (1, len(full)):
                raise WeightsError(
                    f"{self._path} answers logits {list(logits.shape)} and boxes {list(boxes.shape)} where "
                    f"[1, boxes, {len(full)}] and [1, boxes, 4] were expected"
                )
            with np.errstate(over="ignore"):
                columns.append((1 / (1 + np.exp(-logits[0, :, : len(asked)]))).astype(np.float32))
            corners = _corners(boxes[0], rgb, self.sizing.square)
        return np.concatenate(columns, axis=1), corners


def _corners(boxes: F32, rgb: U8, square: bool) -> F32:
    """(n, 4) centre x, y, width, height as shares of the network's picture, to x0, y0, x1, y1 in ``rgb``'s pixels."""
    height, width = rgb.shape[:2]
    if square:
        height = width = max(height, width)
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    scale = np.array([width, height, width, height], np.float32)
    return np.asarray(np.concatenate([centre - half, centre + half], axis=1) * scale, np.float32)


def find(photo: Photo, names: Sequence[str], owl: Owl, tick: Tick, *, source: str, most: int) -> Detections:
    """Every instance of every name; in the prompt's order, then left to right.

    Names that the whole photo does not show are looked for again in four tiles, if the photo is much larger than the
    network's picture.

    Args:
        photo: transparent parts are seen as white.
        names: what to look for; "object" where there are none.
        owl: the network.
        tick: called with the share done, 0..1.
        source: recorded in the detections.
        most: at most so many, the largest.
    """
    wanted = clean_names(names)
    rgb = photo.rgb if photo.alpha is None else on_white(photo.rgb, photo.alpha)
    groups = name_groups(wanted or _ANYTHING, NAMES_AT_ONCE, 1_000_000)
    found: list[Detection] = []
    cut: list[str] = []
    for number, group in enumerate(groups):
        look = partial(tick, 0.5 * number / len(groups))
        queries = queries_for(group, owl.texts)
        cut += queries.cut
        scores, corners = owl(rgb, queries.texts, look)
        found += candidates(queries.scores(scores), corners, group, (photo.width, photo.height), source)
    found = distinct(found)
    unseen = names_not_found(found, wanted)
    if unseen and max(photo.width, photo.height) > TILES_FROM * max(owl.sizing.width, owl.sizing.height):
        found = distinct([*found, *_in_tiles(rgb, unseen, owl, tick, source)])
    tick(1.0)
    notes = tuple(
        f"'{name}' is longer than the detector reads ({inputs.TOKENS} tokens): only its beginning counts."
        for name in cut
    )
    return Detections(largest_in_order(found, wanted, most), notes)


def _in_tiles(rgb: U8, names: Sequence[str], owl: Owl, tick: Tick, source: str) -> list[Detection]:
    """The names in four tiles of the photo, as detections over the whole. At most one pass a tile."""
    height, width = rgb.shape[:2]
    found: list[Detection] = []
    group = list(names[:NAMES_AT_ONCE])
    queries = queries_for(group, owl.texts)
    for number, tile in enumerate(tiles(width, height, TILE_SHARE)):
        part = np.ascontiguousarray(rgb[tile.y0 : tile.y1, tile.x0 : tile.x1])
        scores, corners = owl(part, queries.texts, partial(tick, 0.5 + 0.125 * number))
        seen = candidates(queries.scores(scores), corners, group, (tile.width, tile.height), source, TILE_THRESHOLD)
        found += [moved(d, tile.x0, tile.y0) for d in seen if not is_cut(d.box, tile, width, height)]
    return found


def missing(settings: Settings) -> str | None:
    """What this machine lacks for the stage, with the command that brings it."""
    if importlib.util.find_spec("tokenizers") is None:
        return 'tokenizers is not installed: run pip install "manymesh[small]"'
    return missing_weights(WEIGHTS[weights_name(settings)], settings.weights_dir)


def better_than(reads_no_names: Settings) -> str | None:
    """``owlvit`` where a detector that reads no names should give way to it: the user names things, and asks for it
    or has it. None otherwise."""
    settings = reads_no_names
    if not settings.names:
        return None
    return "owlvit" if settings.detector in WEIGHTS or missing(settings) is None else None


def _instead(settings: Settings) -> str | None:
    """Grounding DINO where the user asks for it; the detector that reads no names where there is nothing to read."""
    if settings.names and settings.detector.startswith("dino"):
        return "dino"
    return None if settings.names or settings.boxes else "foreground"


STAGE = Stage(
    name="owlvit",
    kind="detect",
    summary=f"OWL-ViT finds what you name, on any CPU (boxes from a score of {THRESHOLD} on)",
    licence="Apache-2.0",
    open=open_detect,
    missing=missing,
    instead=_instead,
    reads_names=True,
)
