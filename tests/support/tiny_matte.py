"""Tiny ONNX mattes of the published form: in their eyes colours stand out, and grey does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILES = {"isnet": "isnet-general-use.onnx", "birefnet-lite-onnx": "onnx/model.onnx"}
OUTPUTS = {"isnet": "1959", "birefnet-lite-onnx": "output_image"}


def save_matte(weights: Path, name: str, side_px: int = 64, gain: float | None = None, more: bool = True) -> Path:
    """A network in whose eyes colours stand out and grey does not: (largest - smallest channel), in the published form.

    IS-Net answers numbers that do not fill 0..1, and its other outputs after the first; BiRefNet answers logits.
    """
    gain = gain if gain is not None else {"isnet": 0.4, "birefnet-lite-onnx": 20.0}[name]
    shift = {"isnet": 0.1, "birefnet-lite-onnx": -24.0}[name]
    constants = [
        numpy_helper.from_array(np.array(gain, np.float32), "gain"),
        numpy_helper.from_array(np.array(shift, np.float32), "shift"),
    ]
    nodes = [
        helper.make_node("ReduceMax", ["picture"], ["high"], axes=[1], keepdims=1),
        helper.make_node("ReduceMin", ["picture"], ["low"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["high", "low"], ["colour"]),
        helper.make_node("Mul", ["colour", "gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], [OUTPUTS[name]]),
        helper.make_node("Identity", ["low"], ["another"]),
    ]
    form = ["n", 1, side_px, side_px]
    outputs = [helper.make_tensor_value_info(OUTPUTS[name], TensorProto.FLOAT, form)]
    outputs += [helper.make_tensor_value_info("another", TensorProto.FLOAT, form)] if more else []
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, side_px, side_px])
    graph = helper.make_graph(nodes, "tiny", [picture], outputs, constants)
    path = weights / name / FILES[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return weights
