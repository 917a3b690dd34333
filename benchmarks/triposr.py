"""Seconds and memory of TripoSR at full size on this CPU, with random weights.

    python benchmarks/triposr.py --weights FOLDER      # writes 0.85 GB of random weights there once
    python benchmarks/triposr.py --weights FOLDER --layers 2

The random weights are of the published sizes. The planes' tokens and the field's network are made by hand, so that a
body comes out whose surface is as large as a usual object's; its cost is that of the published network. So the
figures say nothing of quality.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from manymesh.shape.triposr.arithmetic import Weights, own_threads
from manymesh.shape.triposr.checkpoint import expected_shapes, is_unused, load_arrays
from manymesh.shape.triposr.config import TriposrConfig
from manymesh.shape.triposr.encoder import encode
from manymesh.shape.triposr.field import Field
from manymesh.shape.triposr.preprocess import frame_object, network_picture
from manymesh.shape.triposr.stage import believed_rotation, stand_up
from manymesh.shape.triposr.surface import extract_surface
from manymesh.shape.triposr.transformer import transform
from manymesh.shape.triposr.upsample import upsample
from manymesh.shape.triposr.view import fit_view
from manymesh.weights.arrays import write_arrays

# Added to the logarithm of the density outside a plane's disc, and inside all three.
OUTSIDE, INSIDE = -20.0, 8.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder for the random weights")
    parser.add_argument("--layers", type=int, default=16, help="blocks of the transformer; the published one has 16")
    parser.add_argument("--out", type=Path, help="file for the figures, as JSON")
    options = parser.parse_args()
    config = replace(TriposrConfig(), layers=options.layers)
    path = options.weights / f"random-{config.layers}.safetensors"
    if not path.is_file():
        write_random(path, config)
        print(f"{path} written; run again to measure")
        return 0
    with own_threads():
        figures = measure(path, config)
    for name, value in figures.items():
        print(f"{name:<28} {value:8.2f}")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return 0


def measure(path: Path, config: TriposrConfig) -> dict[str, float]:
    """Seconds of each part in the order in which they run, and the process' peak memory in MB."""
    figures: dict[str, float] = {}

    def timed(name: str, part: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = part()
        figures[name] = time.perf_counter() - start
        return result

    gap = [time.perf_counter(), 0.0]

    def tick(done: float) -> None:
        now = time.perf_counter()
        gap[:] = now, max(gap[1], now - gap[0])

    rgba = picture()
    weights = Weights(timed("weights opened", lambda: load_arrays(path, config)))
    framed, frame = timed("picture framed", lambda: frame_object(rgba))
    pixels = timed("picture reduced", lambda: network_picture(framed, config.image_px))
    part = weights.part("image_tokenizer.model")
    context = timed("encoder", lambda: encode(part, config.encoder, pixels, tick))
    gap[0] = time.perf_counter()
    tokens = timed("transformer", lambda: transform(weights, config, context, tick))
    planes = timed("planes", lambda: upsample(weights, tokens))
    gap[0] = time.perf_counter()
    mesh, _ = timed("field, surface and colours", lambda: extract_surface(Field(weights, config, planes), tick))
    view = timed("camera", lambda: fit_view(mesh, frame, rgba[..., 3]))
    timed("upright", lambda: stand_up(mesh, believed_rotation(rgba)))
    figures["whole"] = sum(figures.values())
    figures["longest time between ticks"] = gap[1]
    figures["faces"] = len(mesh.faces)
    figures["outline agreement"] = view.iou
    figures["peak memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def picture(side: int = 768) -> np.ndarray:
    """A cutout: a disc with some texture."""
    y, x = np.indices((side, side)) - side / 2
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[..., 0], rgba[..., 1], rgba[..., 2] = 128 + 100 * np.sin(x / 9), 128 + 100 * np.cos(y / 7), 90
    rgba[..., 3] = np.where(np.hypot(x, y) < 0.4 * side, 255, 0)
    return rgba


def write_random(path: Path, config: TriposrConfig) -> None:
    """Random tensors of all names; those that say which shape comes out are made by hand."""
    rng = np.random.default_rng(0)
    shapes = {name: shape for name, shape in expected_shapes(config).items() if not is_unused(name)}
    arrays: dict[str, Any] = {}
    for name, shape in shapes.items():
        value = rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
        arrays[name] = value.astype(np.float16) if value.ndim == 2 else value
    side = config.plane_tokens
    place = (np.arange(side) + 0.5) / side * 2 - 1
    arrays["tokenizer.embeddings"][:, 0] = np.where(np.hypot(place[:, None], place[None]) < 0.65, 0, OUTSIDE)
    arrays["backbone.proj_out.weight"] *= np.float16(0.01)
    kernel = np.zeros_like(arrays["post_processor.upsample.weight"])
    for channel in range(config.plane_channels):
        kernel[channel, channel] = 1
    arrays["post_processor.upsample.weight"] = kernel
    arrays |= summing_decoder(config)
    kinds = {name: "F16" if value.dtype == np.float16 else "F32" for name, value in arrays.items()}
    write_arrays(path, arrays, kinds)


def summing_decoder(config: TriposrConfig) -> dict[str, np.ndarray]:
    """The field's network as a sum of the planes' first four channels: silu(x) - silu(-x) is x, layer after layer."""
    width, last = config.neurons, config.hidden_layers
    layers = [np.zeros((width, 3 * config.plane_channels), np.float32)]
    layers += [np.zeros((width, width), np.float32) for _ in range(last - 1)] + [np.zeros((4, width), np.float32)]
    for output in range(4):
        pair = {2 * output: 1, 2 * output + 1: -1}
        for row, sign in pair.items():
            layers[0][row, output :: config.plane_channels] = sign
            for layer in layers[1:-1]:
                for column, other in pair.items():
                    layer[row, column] = sign * other
            layers[-1][output, row] = sign
    tensors: dict[str, np.ndarray] = {}
    for number, layer in enumerate(layers):
        tensors[f"decoder.layers.{2 * number}.weight"] = layer
        tensors[f"decoder.layers.{2 * number}.bias"] = np.zeros(len(layer), np.float32)
    tensors[f"decoder.layers.{2 * last}.bias"][0] = INSIDE
    return tensors


if __name__ == "__main__":
    raise SystemExit(main())
