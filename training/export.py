"""Weights to the ONNX file that the lite engine runs.

    python -m training.export RUN_FOLDER --out lite.onnx --version 1

lite.json beside it gets the file's SHA-256, without which manymesh does not open it.
Batch norms are folded into their convolutions. Weights are stored as float16 behind Cast nodes: onnxruntime folds them
to float32 when it loads the file, so the file is half as large and a pass costs the same. --int8 stores int8 and one
scale per output channel behind Cast and Mul instead (not DequantizeLinear, which onnxruntime would run at every pass).
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from manymesh.onnx import write_digest
from manymesh.shape.learned import contract
from training.network import ConvNorm, Network

OPSET = 17
OUTPUTS = ("logits", "surface", "pose")
SMALLEST_PACKED = 1024
"""Weights of fewer values stay float32: they weigh nothing, and biases deserve the bits."""
LIMIT_BYTES = 20 * 2**20
LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Measured:
    """What an exported file is like: bytes, the largest differences to torch, milliseconds a pass by threads."""

    size_bytes: int
    logits_difference: float
    surface_difference: float
    pose_difference: float
    ms_by_threads: dict[int, float]


def folded(network: Any) -> Any:
    """A copy, in evaluation mode, whose batch norms are part of the convolutions before them."""
    network = copy.deepcopy(network).float().cpu().eval()
    for module in network.modules():
        if isinstance(module, ConvNorm) and not isinstance(module.norm, nn.Identity):
            module.conv = nn.utils.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()  # type: ignore[assignment]
    return network


def export(network: Network, out: Path, metadata: dict[str, str], *, int8: bool = False) -> None:
    """Write ``network`` (any mode, any device) to ``out``; ``metadata`` becomes the file's metadata_props."""
    axes = {name: {0: "batch"} for name in ("image", *OUTPUTS)}
    write_onnx(network, torch.rand(2, 4, contract.IMAGE_PX, contract.IMAGE_PX), out, OUTPUTS, axes, metadata, int8=int8)


def write_onnx(
    network: nn.Module,
    image: torch.Tensor,
    out: Path,
    outputs: tuple[str, ...],
    axes: dict[str, dict[int, str]],
    metadata: dict[str, str],
    *,
    int8: bool = False,
) -> None:
    """Trace any network of one input, "image", fold its norms, pack its weights and write it.

    Args:
        image: an input to trace with. axes: of input and outputs, which axes stay open, and their names.
    """
    import onnx

    plain = out.with_suffix(".float32.onnx")
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated in favour of one that needs onnxscript; its graph here is exact.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            folded(network),
            (image,),
            str(plain),
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(outputs),
            dynamic_axes=axes,
        )
    model = onnx.load(plain)
    plain.unlink()
    pack_weights(model, int8=int8)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)


def pack_weights(model: Any, *, int8: bool) -> None:
    """Replace each large float32 initializer of an onnx.ModelProto by a small one and the node that widens it."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    matrices = {node.input[1] for node in graph.node if node.op_type in ("MatMul", "Gemm")}
    convolutions = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    kept, widening = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST_PACKED:
            kept.append(tensor)
            continue
        name = f"{tensor.name}.packed"
        if int8 and tensor.name in matrices | convolutions and values.ndim > 1:
            axis = 0 if tensor.name in convolutions else values.ndim - 1
            scale, steps = quantised(values, axis)
            kept += [numpy_helper.from_array(steps, name), numpy_helper.from_array(scale, f"{name}.scale")]
            widening += [
                helper.make_node("Cast", [name], [f"{name}.wide"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [tensor.name]),
            ]
        else:
            kept.append(numpy_helper.from_array(values.astype(np.float16), name))
            widening.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(widening + nodes)


def quantised(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """(float32 scales that broadcast, int8 steps), symmetric, one scale for each index of ``axis``."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    scale = np.maximum(np.abs(values).max(others, keepdims=True), 1e-12).astype(np.float32) / 127
    return scale, np.clip(np.round(values / scale), -127, 127).astype(np.int8)


def measure(network: Network, path: Path, threads: tuple[int, ...] = (1, 2), passes: int = 5) -> Measured:
    """Compare the file with torch on a smooth and a random picture, and time it."""
    import onnxruntime

    image = probe()
    with torch.no_grad():
        expected = [value.numpy() for value in copy.deepcopy(network).float().cpu().eval()(torch.from_numpy(image))]
    ms = {}
    for count in threads:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = count
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        found = session.run(list(OUTPUTS), {"image": image})
        times = []
        for _ in range(passes):
            start = time.perf_counter()
            session.run(list(OUTPUTS), {"image": image[:1]})
            times.append(time.perf_counter() - start)
        ms[count] = 1000 * min(times)
    logits, surface, pose = (float(np.abs(a - b).max()) for a, b in zip(expected, found, strict=True))
    return Measured(path.stat().st_size, logits, surface, pose, ms)


def probe() -> np.ndarray:
    """(2, 4, 256, 256) float32: a shaded disc on nothing, and noise."""
    line = np.linspace(-1, 1, contract.IMAGE_PX, dtype=np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    alpha = (x**2 + y**2 < 0.7).astype(np.float32)
    disc = np.stack([alpha * (0.5 + 0.4 * x), alpha * (0.5 - 0.4 * y), 0.6 * alpha, alpha])
    noise = np.random.default_rng(0).random((4, contract.IMAGE_PX, contract.IMAGE_PX), np.float32)
    return np.stack([disc, noise])


def describe(measured: Measured) -> str:
    times = ", ".join(f"{ms:.0f} ms with {count} thread(s)" for count, ms in measured.ms_by_threads.items())
    return (
        f"{measured.size_bytes:,} bytes of {LIMIT_BYTES:,}; largest difference to torch: logits "
        f"{measured.logits_difference:.2g}, surface {measured.surface_difference:.2g}, pose "
        f"{measured.pose_difference:.2g}; a pass takes {times}"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a training run's folder, or 'random' for an untrained network")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="0", help="the model's version, kept in the file")
    parser.add_argument("--int8", action="store_true", help="int8 weights, one scale per output channel")
    chosen = parser.parse_args(arguments)
    if str(chosen.run) == "random":
        torch.manual_seed(0)
        network, run_id = Network(), "random"
    else:
        from training.checkpoint import load_ema

        network, run_id = load_ema(chosen.run)
    export(network, chosen.out, {"version": chosen.version, "training_run": run_id}, int8=chosen.int8)
    write_digest(chosen.out, version=chosen.version, licence=LICENCE)
    sys.stdout.write(describe(measure(network, chosen.out)) + "\n")


if __name__ == "__main__":
    main()
