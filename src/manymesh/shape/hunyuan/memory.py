"""How much of a GPU's memory the shape networks take. Fitted to measurements on an NVIDIA H200.

Two parts come in turn: the image encoder, alone, and then the transformer with the decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manymesh.shape.hunyuan.models import VARIANTS
from manymesh.stages import Level
from manymesh.weights.catalogue import model

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MIB = 1 << 20
# The image encoder's weights in float16: 1,136,480,768 numbers in every published model; one of its 40 blocks.
ENCODER_BYTES = 2_272_961_536
_BLOCK_BYTES, _BLOCKS = 56_700_000, 40
# The encoder's work for one view. Measured: 0.19 GiB allocated, 0.48 reserved.
_ENCODER_WORK, _ENCODER_SPARE = 205 * _MIB, 310 * _MIB
# Beside the two networks' weights: a captured step with two threads' workspaces, the field's grid and the tables of its
# surface at 384 cells, which grow with the grid's cube. Measured for 2mini together with 512 MiB for points: 0.96 GiB
# with one thread, 1.09 with four.
_STEP_BYTES, _GRID_BYTES, _GRID = 244 * _MIB, 330 * _MIB, 384
# The point decoder's chunks, largest first.
_CHUNKS_MIB = (512, 128)
# Seconds of one H200.
_LOAD_S, _OBJECT_S = 2.0, 1.1


def levels(settings: Settings) -> tuple[Level, ...]:
    """Encoder, then transformer and decoder; with large or small chunks of points; with the encoder's blocks passing
    through from host memory. ``settings.memory`` bounds the chunks. The shapes are the same to rounding."""
    factor = 2 if settings.shape_precision == "float32" else 1
    number_format = "float32" if factor == 2 else "float16"
    rest = max(model(VARIANTS[settings.shape_model].weights).bytes - ENCODER_BYTES, 0) * factor
    views = 1 + len(settings.views)
    grid = round(_GRID_BYTES * (settings.grid / _GRID) ** 3)
    found: list[Level] = []
    for chunk_mib in dict.fromkeys(min(chunk, settings.memory) for chunk in _CHUNKS_MIB):
        second = rest + _STEP_BYTES + grid + chunk_mib * _MIB
        for stream in (False, True):
            held = 4 * _BLOCK_BYTES if stream else ENCODER_BYTES
            first = held * factor + _ENCODER_WORK * (views if views > 1 else 1)
            allocated = max(first, second)
            reserved = max(first + _ENCODER_SPARE, second + _ENCODER_SPARE)
            name = "staged" + ("-streamed-encoder" if stream else "") + ("" if chunk_mib == 512 else f"-{chunk_mib}")
            why = "encoder, then transformer and decoder"
            if stream:
                why = "the encoder's blocks pass through from host memory, then transformer and decoder"
            moved = _BLOCK_BYTES * _BLOCKS * factor if stream else 0
            found.append(
                Level(
                    name, "streamed" if stream else "staged", allocated, reserved, moved,
                    _LOAD_S, _OBJECT_S, why, number_format, {"chunk_bytes": chunk_mib * _MIB, "stream_encoder": stream},
                )
            )  # fmt: skip
    return shrinking(found)


def shrinking(found: list[Level]) -> tuple[Level, ...]:
    """Without the levels that are no smaller than one before them."""
    kept: list[Level] = []
    for level in found:
        if not kept or level.reserved_bytes < kept[-1].reserved_bytes:
            kept.append(level)
    return tuple(kept)
