"""How much of a GPU's memory Qwen3-VL takes, at each of the ways in which it can run.

Sizes are those of the published configurations in bfloat16; their sums agree with the sizes of the published files.
Working memory was fitted to measurements on an NVIDIA H200 (``benchmarks/budget.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manymesh.stages import Level

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MB = 1_000_000
# Tokens of a prompt at most: the picture's 1,024 and the question.
PROMPT_TOKENS = 1_200
# Working memory beside weights, keys and values. Measured for 2B with 810 prompt tokens: 0.19 GiB allocated, and 0.26
# reserved with the captured step; the rest is margin for longer prompts.
_WORK_BYTES, _SPARE_BYTES = 230 << 20, 90 << 20
# Seconds of one H200: loading with files in the page cache, nearly all of it importing transformers, and an answer of
# 256 tokens with its first use of libraries.
_LOAD_S, _ANSWER_S = 9.0, 2.9
# What the link to host memory moved in a second: 243 GiB in 7.9 s, on the same machine.
_LINK_BYTES_PER_S = 33e9
_TOKENS = 256


@dataclass(frozen=True)
class Sizes:
    """Bytes of one model's parts, in bfloat16.

    Attributes:
        layer, layers: one layer of the language model, and how many there are.
        table: the token embedding and, where it is another, the output layer.
        block, blocks: one block of the vision tower, and how many.
        rest: of the vision tower, beside its blocks.
        token: keys and values of one token.
    """

    layer: int
    layers: int
    table: int
    block: int
    blocks: int
    rest: int
    token: int

    @property
    def total(self) -> int:
        return self.layer * self.layers + self.table + self.block * self.blocks + self.rest


SIZES = {
    "qwen3-vl-2b": Sizes(100_672_000, 28, 622_330_000, 25_192_000, 24, 209_300_000, 114_688),
    "qwen3-vl-4b": Sizes(201_900_000, 36, 778_000_000, 25_192_000, 24, 240_000_000, 147_456),
    "qwen3-vl-8b": Sizes(386_000_000, 36, 2_489_000_000, 30_500_000, 27, 341_000_000, 147_456),
}


def levels(settings: Settings) -> tuple[Level, ...]:
    """The whole model on the device, or with more and more of its layers passing through from host memory.

    Keys and values are reserved for ``settings.detector_tokens``. The answers are the same at every level.
    """
    sizes = SIZES.get(settings.detector)
    if sizes is None:
        return ()
    work = _WORK_BYTES + sizes.token * (PROMPT_TOKENS + settings.detector_tokens)
    whole = sizes.total + work
    found = [
        Level(
            "resident", "resident", whole, whole + _SPARE_BYTES, 0, _LOAD_S, _ANSWER_S,
            "the whole model is on the device", "bfloat16",
        )
    ]  # fmt: skip
    # A streamed layer takes the time of its transfer at every token, so as many as fit stay.
    # (Two of them would fill the two slots, and save nothing.)
    for kept in (sizes.layers, *range(sizes.layers - 4, -1, -2)):
        streamed = sizes.layers - kept
        held = sizes.table + sizes.rest + 2 * sizes.block + (kept + min(streamed, 2)) * sizes.layer
        bytes_ = held + work
        moved = streamed * sizes.layer + sizes.block * sizes.blocks
        answer = max(_ANSWER_S, _TOKENS * streamed * sizes.layer / _LINK_BYTES_PER_S)
        why = "the vision tower's blocks pass through from host memory"
        if streamed:
            why = f"{streamed} of {sizes.layers} layers and the vision tower pass through from host memory"
        found.append(
            Level(
                f"streamed-{streamed}", "streamed", bytes_, bytes_ + _SPARE_BYTES, moved, _LOAD_S, answer,
                why, "bfloat16", {"resident_layers": kept},
            )
        )  # fmt: skip
    return tuple(found)
