"""Attention of one head, fused: onnxruntime's operator, which never holds a whole matrix of scores.

The graph is one operator, so its few bytes are written here, and no file and no library for graphs is needed. The
format is that of protocol buffers: each field is its number and wire type, then a number or a length and bytes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from manymesh.types import F32

# Wire types of protocol buffers.
_NUMBER, _BYTES = 0, 2
# onnx.proto's numbers for the element type float32 and for an attribute that is a whole number.
_FLOAT, _INT = 1, 2
# The graph's format, of 2022, and its set of operators: all releases of onnxruntime that we take know them.
_IR_VERSION, _OPERATORS = 8, 17


def attend(q: F32, k: F32, v: F32) -> F32:
    """softmax(q k^T / sqrt(d)) v of one head, on the calling thread.

    Args:
        q: (n, d). k, v: (m, d). All float32, and next to each other in memory.

    Returns:
        (n, d) float32.
    """
    return session().run(None, {"q": q[None], "k": k[None], "v": v[None]})[0][0]  # type: ignore[no-any-return]


@cache
def session() -> Any:
    """The operator, ready to run; any number of threads may run it at once. It holds no weights."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Several heads are in work at a time, each on a thread of ours.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(attention_graph(), options, providers=["CPUExecutionProvider"])


def attention_graph() -> bytes:
    """An ONNX model: com.microsoft's MultiHeadAttention with one head, inputs q, k and v, output y."""
    one_head = _text(1, "num_heads") + _number(3, 1) + _number(20, _INT)
    operator = b"".join(_text(1, name) for name in "qkv")
    operator += _text(2, "y") + _text(4, "MultiHeadAttention") + _message(5, one_head) + _text(7, "com.microsoft")
    graph = _message(1, operator) + _text(2, "attention")
    graph += b"".join(_message(11, _value(name, rows)) for name, rows in (("q", "n"), ("k", "m"), ("v", "m")))
    graph += _message(12, _value("y", "n"))
    sets = (("", _OPERATORS), ("com.microsoft", 1))
    domains = b"".join(_message(8, _text(1, domain) + _number(2, version)) for domain, version in sets)
    return _number(1, _IR_VERSION) + domains + _message(7, graph)


def _value(name: str, rows: str) -> bytes:
    """A float32 input or output of the shape (1, rows, d)."""
    axes = (_number(1, 1), _text(2, rows), _text(2, "d"))
    tensor = _number(1, _FLOAT) + _message(2, b"".join(_message(1, axis) for axis in axes))
    return _text(1, name) + _message(2, _message(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _NUMBER) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits in each byte, the lowest first; the highest bit says that more follow."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
