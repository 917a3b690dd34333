"""How much of a GPU's memory TripoSG takes, and the ways to take less of it.

Three parts come in turn: the image encoder, alone; the transformer; the decoder, beside the transformer or alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manymesh.shape.triposg.models import GUIDANCE, TOKENS
from manymesh.stages import Level

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MIB = 1 << 20
# Weights in float16: the published files' numbers, two bytes each.
ENCODER_BYTES, TRANSFORMER_BYTES, DECODER_BYTES = 608_737_280, 2_879_112_320, 428_417_026
# A step for one row of 2048 latents beside the weights: skips, MLP, queries and keys. Counted from the specification
# (84 + 67 + 100 MB), raised to what one H200 took.
_ROW_BYTES = 288 * _MIB
# The condition's keys and values, and the image encoder's work. Counted, raised to what one H200 took.
_CONDITION_BYTES, _ENCODER_WORK = 80 * _MIB, 128 * _MIB
# Bytes for each point of the grid while it is decoded (its value, and whether it was visited), and the tables of its
# surface at 384 cells, which grow with the grid's square. The latter measured on one H200.
_POINT_BYTES, _SURFACE_BYTES, _GRID = 5, 128 * _MIB, 384
# The point decoder's chunks, largest first.
_CHUNKS_MIB = (512, 128)
# Spare memory that the allocator keeps. A captured step has its own memory, which nothing else can use.
_SPARE_BYTES = 160 * _MIB


# Seconds: reading and casting the files; one object on an H200; copying transformer and decoder from host memory.
# Measured on one H200, the first with warm files.
_LOAD_S, _OBJECT_S, _MOVE_S = 1.0, 2.2, 0.9


def levels(settings: Settings) -> tuple[Level, ...]:
    """From the fastest to the smallest. ``settings.memory`` bounds the chunks. The shapes are the same to rounding.

    The options: ``together``: the transformer stays on the device while the decoder works; otherwise it goes, and comes
    again from host memory for the next object. ``one_pass``: both rows of guidance go through the transformer together.
    ``capture``: steps are captured as a CUDA graph. ``chunk_bytes``: working memory of the point decoder.
    """
    factor = 2 if settings.shape_precision == "float32" else 1
    guided = (GUIDANCE if settings.guidance is None else settings.guidance) > 1
    row = round(_ROW_BYTES * factor * (settings.tokens or TOKENS) / TOKENS)
    grid = _POINT_BYTES * (settings.grid + 1) ** 3 + round(_SURFACE_BYTES * (settings.grid / _GRID) ** 2)
    weights, decoder = TRANSFORMER_BYTES * factor + _CONDITION_BYTES, DECODER_BYTES * factor
    encoding = ENCODER_BYTES * factor + _ENCODER_WORK
    found: list[Level] = []
    for name, together, one_pass, capture, largest_chunk, why in (
        ("together", True, True, True, 0, "transformer and decoder side by side, both guidance rows at once"),
        ("in-turn", False, True, True, 0, "the transformer makes room for the decoder, both guidance rows at once"),
        ("rows-in-turn", False, False, False, 1, "the transformer makes room for the decoder, guidance rows in turn"),
    ):
        chunk = min(_CHUNKS_MIB[largest_chunk], settings.memory) * _MIB
        step = row * (2 if guided and one_pass else 1)
        decoding = decoder + grid + chunk
        beside = weights + decoder + max(step, grid + chunk) if together else max(weights + step, decoding)
        # Memory of a captured step stays its own while the decoder works beside it. The quarter is measured.
        kept = (
            weights + decoder + step + grid + chunk if together else max(weights + step + capture * step // 4, decoding)
        )
        allocated, reserved = max(beside, encoding), max(kept, encoding) + _SPARE_BYTES
        found.append(
            Level(
                name,
                "resident" if together else "staged",
                allocated,
                reserved,
                0 if together else TRANSFORMER_BYTES * factor + decoder,
                _LOAD_S,
                _OBJECT_S + (0.0 if together else _MOVE_S),
                why,
                "float32" if factor == 2 else "float16",
                {"together": together, "one_pass": one_pass, "capture": capture, "chunk_bytes": chunk},
            )
        )
    return tuple(found)
