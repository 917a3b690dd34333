"""A network of the learned shape stage's form in a few kilobytes: every silhouette becomes a slab."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from manymesh.onnx import write_digest
from manymesh.shape.learned import contract

FRONT_BIN, BACK_BIN = 38, 62
BACK_COLOR = (0.2, 0.6, 0.3)


def bin_start(number: int) -> float:
    return contract.NEAR + number * (contract.FAR - contract.NEAR) / contract.BINS


def slab_pose(*, azimuth_bin: int | None = None) -> np.ndarray:
    pose = np.zeros((1, contract.POSE_SIZE), np.float32)
    pose[0, [contract.ELEVATION_LOG_VARIANCE, contract.LOG_TAN_HALF_FOV_LOG_VARIANCE]] = -12
    pose[0, contract.LOG_TAN_HALF_FOV] = np.log(np.tan(np.radians(12)))
    if azimuth_bin is not None:
        pose[0, contract.AZIMUTH.start + azimuth_bin] = 20
    return pose


def write_tiny(path: Path, *, logit: float = 8.0, pose: np.ndarray | None = None, outputs: int = 3) -> Path:
    """An ONNX file, and the digest beside it. ``logit``: of the slab; the rest has its negative."""
    from onnx import TensorProto, checker, helper, numpy_helper, save

    profile = np.full((1, contract.BINS, 1, 1), -logit, np.float32)
    profile[0, FRONT_BIN:BACK_BIN] = logit
    maps = np.zeros((1, 8, 1, 1), np.float32)
    maps[0, contract.FRONT_DEPTH], maps[0, contract.BACK_DEPTH] = bin_start(FRONT_BIN), bin_start(BACK_BIN)
    maps[0, contract.FRONT_NORMAL.stop - 1] = 1
    maps[0, contract.BACK_COLOR, 0, 0] = BACK_COLOR
    constants = {
        "profile": profile,
        "maps": maps,
        "pose_value": slab_pose() if pose is None else pose,
        "zero": np.zeros(1, np.float32),
        "from": np.array([3], np.int64),
        "to": np.array([4], np.int64),
        "channel": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("AveragePool", ["image"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Slice", ["small", "from", "to", "channel"], ["alpha"]),
        helper.make_node("Mul", ["alpha", "zero"], ["empty"]),
        helper.make_node("Add", ["empty", "profile"], ["logits"]),
        helper.make_node("Add", ["empty", "maps"], ["surface"]),
        helper.make_node("Identity", ["pose_value"], ["pose"]),
    ]
    side = contract.GRID
    forms = {"logits": (1, contract.BINS, side, side), "surface": (1, 8, side, side), "pose": (1, contract.POSE_SIZE)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 4, contract.IMAGE_PX, contract.IMAGE_PX))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, form) for name, form in list(forms.items())[:outputs]],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, str(path))
    write_digest(path)
    return path
