"""How much of a GPU's memory painting takes. Fitted to measurements on an NVIDIA H200.

Three parts come in turn: the delight network, the reference network, and the painter; each with a VAE beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manymesh.paint.hunyuan.settings import texture_px
from manymesh.stages import Level

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MIB = 1 << 20
# Weights in float16.
PAINTER_BYTES, VAE_BYTES, DELIGHT_BYTES = 1_930_604_680, 167_307_726, 1_731_844_488
# What the painter's step takes beside the weights, for six views of 512 pixels: both guidance rows together, and one.
# Measured: 1.13 and 0.67 GiB allocated.
_JOINT_BYTES, _ROW_BYTES = 1_190 * _MIB, 700 * _MIB
# Baking at a render and texture size of 2048, beside the weights. Measured: 0.4 GiB.
_BAKE_BYTES, _BAKE_PX = 480 * _MIB, 2048
# Decoding one view of 512 pixels by the VAE, which a captured step's memory cannot serve. Not measured alone.
_DECODE_BYTES = 700 * _MIB
# Delight, beside its weights.
_DELIGHT_WORK = 420 * _MIB
# Spare memory that the allocator keeps.
_SPARE_BYTES = 160 * _MIB
_VIEWS, _VIEW_PX = 6, 512
# Seconds of one H200.
_LOAD_S, _OBJECT_S = 2.5, 4.5


def levels(settings: Settings) -> tuple[Level, ...]:
    """From all at once to one after the other. ``settings.paint_memory`` asks for an end of the list. The pictures are
    the same to rounding."""
    factor = 2 if settings.paint_precision == "float32" else 1
    number_format = "float32" if factor == 2 else "float16"
    views = settings.paint_views.count(",") + 1
    area = (settings.paint_view_size / _VIEW_PX) ** 2
    weights = (PAINTER_BYTES + VAE_BYTES) * factor
    bake = round(_BAKE_BYTES * (max(settings.render_size, texture_px(settings)) / _BAKE_PX) ** 2)
    delight = (DELIGHT_BYTES + VAE_BYTES) * factor + round(_DELIGHT_WORK * area * factor) if settings.delight else 0
    guided = settings.paint_model == "2" and settings.paint_guidance > 1
    found = []
    for name, joint, graph, images, why in (
        ("together", True, True, views, "both guidance rows and all views at once, steps captured"),
        ("captured", True, True, 1, "both guidance rows at once, steps captured"),
        ("captured-in-turn", False, True, 1, "guidance rows in turn, steps captured"),
        ("in-turn", False, False, 1, "guidance rows in turn, one memory for all parts"),
    ):
        step = round((_JOINT_BYTES if joint and guided else _ROW_BYTES) * area * views / _VIEWS * factor)
        decode = round(_DECODE_BYTES * area * images * factor)
        beside = max(decode, bake)
        allocated = max(weights + max(step, beside), delight)
        reserved = weights + (step + beside if graph else max(step, beside))
        found.append(
            Level(
                name, "staged", allocated, max(reserved, delight) + _SPARE_BYTES, 0, _LOAD_S, _OBJECT_S, why,
                number_format, {"joint_guidance": joint, "capture": graph, "images_per_pass": images},
            )
        )  # fmt: skip
    if settings.paint_memory == "high":
        return tuple(found)
    return tuple(found[2:] if settings.paint_memory == "low" else found[1:])
