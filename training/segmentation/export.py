"""The segmentation network's weights to the ONNX file that the lite engine runs.

    python -m training.segmentation.export RUN_FOLDER --out lite-segmentation.onnx --version 1

``--mean-with FILE.onnx`` writes the mean of the run's weights and those of a file that the run went on from: weights in
one valley can be averaged, and the mean is often better than each (Wortsman et al., "Model soups", ICML 2022).
lite-segmentation.json beside it gets the file's SHA-256. Height and width stay open; both must be multiples of 32.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from manymesh.onnx import write_digest
from training.export import LICENCE, folded, write_onnx
from training.segmentation.network import SegmentationNetwork
from training.segmentation.start import read_onnx
from training.segmentation.weights import load

OUTPUTS = ("mask", "middles")


def export(network: SegmentationNetwork, out: Path, metadata: dict[str, str]) -> None:
    """Write ``network`` to ``out`` with float16 weights; ``metadata`` becomes the file's metadata_props."""
    axes = {name: {2: f"{name} rows", 3: f"{name} columns"} for name in ("image", *OUTPUTS)}
    write_onnx(network, torch.rand(1, 3, 96, 64), out, OUTPUTS, axes, metadata)


def mean(one: SegmentationNetwork, other: SegmentationNetwork) -> SegmentationNetwork:
    """A network, its norms folded, of the mean weights of two of one size."""
    made, theirs = folded(one), folded(other).state_dict()
    made.load_state_dict({name: (value + theirs[name]) / 2 for name, value in made.state_dict().items()})
    return made  # type: ignore[no-any-return]


def difference(network: SegmentationNetwork, path: Path) -> float:
    """The largest difference between the file's answers and torch's, on noise of another size than was traced."""
    import onnxruntime

    image = np.random.default_rng(0).random((1, 3, 128, 160), np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(list(OUTPUTS), {"image": image})
    with torch.no_grad():
        expected = network.float().cpu().eval()(torch.from_numpy(image))
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, found, strict=True))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a training run's folder, or 'random' for an untrained network")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="0", help="the model's version, kept in the file")
    parser.add_argument("--mean-with", type=Path, help="an exported file: take the mean of both")
    chosen = parser.parse_args(arguments)
    if str(chosen.run) == "random":
        torch.manual_seed(0)
        network, step = SegmentationNetwork(), 0
    else:
        network, _, step = load(chosen.run)
    if chosen.mean_with:
        network = mean(network, read_onnx(chosen.mean_with)[0])
    export(network, chosen.out, {"version": chosen.version, "training_steps": str(step)})
    write_digest(chosen.out, version=chosen.version, licence=LICENCE)
    size = chosen.out.stat().st_size
    sys.stdout.write(f"{size:,} bytes; largest difference to torch {difference(network, chosen.out):.2g}\n")


if __name__ == "__main__":
    main()
