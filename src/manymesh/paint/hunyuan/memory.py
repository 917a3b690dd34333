"""How much of a GPU's memory painting takes. Fitted to measurements on an NVIDIA H200.

Three parts come in turn: the delight network, the reference network, and the painter; each with a VAE beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manymesh.paint.hunyuan.settings import texture_px, view_px
from manymesh.stages import Level

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MIB = 1 << 20
# Weights in float16.
PAINTER_BYTES, VAE_BYTES, DELIGHT_BYTES = 1_930_604_680, 167_307_726, 1_731_844_488
# What the painter's step takes beside the weights, for six views of 512 pixels: both guidance rows together, and one.
# Measured: 1.03 and 0.67 GiB allocated.
_JOINT_BYTES, _ROW_BYTES = 1_060 * _MIB, 690 * _MIB
# Baking at a render and texture size of 2048. Measured: 1.13 GiB allocated beside the weights.
_BAKE_BYTES, _BAKE_PX = 1_160 * _MIB, 2048
# Decoding one view of 512 pixels by the VAE. Not measured alone; it is less than baking takes.
_DECODE_BYTES = 700 * _MIB
# Delight, beside its weights. Measured: 0.43 GiB.
_DELIGHT_WORK = 450 * _MIB
# The matrix library's workspaces of two threads, and spare memory that the allocator keeps.
_THREADS_BYTES, _SPARE_BYTES = 128 * _MIB, 160 * _MIB
_VIEWS, _VIEW_PX = 6, 512
# Seconds of one H200: loading, an object's turn on the device, and loading its networks again for each object.
_LOAD_S, _OBJECT_S, _RELOAD_S = 4.0, 2.7, 1.8


def levels(settings: Settings) -> tuple[Level, ...]:
    """From all at once to one after the other. ``settings.paint_memory`` asks for an end of the list. The pictures are
    the same to rounding."""
    factor = 2 if settings.paint_precision == "float32" else 1
    number_format = "float32" if factor == 2 else "float16"
    views = settings.paint_views.count(",") + 1
    area = (view_px(settings) / _VIEW_PX) ** 2
    weights = (PAINTER_BYTES + VAE_BYTES) * factor
    bake = round(_BAKE_BYTES * (max(settings.render_size, texture_px(settings)) / _BAKE_PX) ** 2)
    delight = (DELIGHT_BYTES + VAE_BYTES) * factor + round(_DELIGHT_WORK * area * factor) if settings.delight else 0
    guided = settings.paint_model == "2" and settings.paint_guidance > 1
    found = []
    for name, joint, capture, apart, images, why in (
        ("together", True, True, False, views, "both guidance rows and all views at once, steps captured"),
        ("captured", True, True, False, 1, "both guidance rows at once, steps captured"),
        ("captured-in-turn", False, True, False, 1, "guidance rows in turn, steps captured"),
        ("in-turn", False, False, False, 1, "guidance rows in turn, one memory for all parts"),
        ("apart", False, False, True, 1, "guidance rows in turn; VAE, network and baking are never there together"),
    ):
        step = round((_JOINT_BYTES if joint and guided else _ROW_BYTES) * area * views / _VIEWS * factor)
        beside = max(round(_DECODE_BYTES * area * images * factor), bake)
        if apart:
            allocated = max(PAINTER_BYTES * factor + step, VAE_BYTES * factor + beside, delight)
            reserved = allocated
        else:
            allocated = max(weights + max(step, beside), delight)
            reserved = max(weights + (step + beside if capture else max(step, beside)), delight)
        options = {"joint_guidance": joint, "capture": capture, "images_per_pass": images, "apart": apart}
        found.append(
            Level(
                name, "staged", allocated + _THREADS_BYTES, reserved + _THREADS_BYTES + _SPARE_BYTES, 0, _LOAD_S,
                _OBJECT_S + (_RELOAD_S if apart else 0), why, number_format, options,
            )
        )  # fmt: skip
    if settings.paint_memory == "high":
        return tuple(found)
    return tuple(found[2:] if settings.paint_memory == "low" else found[1:])
