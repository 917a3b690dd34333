"""How much of a GPU's memory painting takes: counted from shapes, then raised to what one H200 took (random weights).

The parts come in turn: the text encoders, the autoencoder, the condition encoder, the UNet with its adapter, and the
autoencoder again. The UNet stays for the next object, so the small ones come beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manymesh.paint.mvadapter.models import BASES, TEXTURE_PX
from manymesh.stages import Level

if TYPE_CHECKING:
    from manymesh.settings import Settings

_MIB = 1 << 20
# Baking and filling at a texture size of 2048, measured.
_BAKE_BYTES, _BAKE_PX = 700 * _MIB, 2048
# Seconds of one H200, measured.
_LOAD_S = 2.0


@dataclass(frozen=True)
class _Need:
    """Of one base, in bytes at 16 bits a number, for its usual size of views.

    Attributes:
        unet: the UNet and the adapter's branches. vae: the autoencoder.
        joint, row: a step's work with both guidance rows together, and with one.
        decode: of one view.
        encoder: the condition encoder and its work, in float32.
        kept: keys and values of reference and texts, and features.
        spare: what the allocator keeps beside that. pool: likewise where all views are decoded at once.
        object_s: seconds of one H200, once captured.
    """

    unet: int
    vae: int
    joint: int
    row: int
    decode: int
    encoder: int
    kept: int
    spare: int
    pool: int
    object_s: float


_NEEDS = {
    "sd21": _Need(
        *(1_930_117_768, 167_307_726, 940 * _MIB, 440 * _MIB, 390 * _MIB, 470 * _MIB, 100 * _MIB),
        *(560 * _MIB, 1_024 * _MIB),
        object_s=3.4,
    ),
    "sdxl": _Need(
        *(6_773_660_168, 167_307_726, 1_480 * _MIB, 770 * _MIB, 1_110 * _MIB, 510 * _MIB, 290 * _MIB),
        *(2_048 * _MIB, 3_500 * _MIB),
        object_s=7.5,
    ),
}


def levels(settings: Settings) -> tuple[Level, ...]:
    """From all at once to one after the other. ``settings.paint_memory`` asks for an end of the list. The pictures are
    the same to rounding."""
    need, base = _NEEDS[settings.paint_base], BASES[settings.paint_base]
    factor = 2 if settings.paint_precision == "float32" else 1
    number_format = "float32" if factor == 2 else "float16"
    area = (base.size(settings.paint_view_size) / base.view_px) ** 2
    bake = round(_BAKE_BYTES * ((settings.texture_size or TEXTURE_PX) / _BAKE_PX) ** 2)
    guided = settings.adapter_guidance > 1
    found = []
    for name, joint, graph, images, why in (
        ("together", True, True, 6, "both guidance rows and all views at once, steps captured"),
        ("captured", True, True, 1, "both guidance rows at once, steps captured"),
        ("captured-in-turn", False, True, 1, "guidance rows in turn, steps captured"),
        ("in-turn", False, False, 1, "guidance rows in turn, one memory for all parts"),
    ):
        step = round((need.joint if joint and guided else need.row) * area * factor)
        beside = max(round(need.decode * area * images * factor) + need.vae * factor, round(need.encoder * area), bake)
        weights = need.unet * factor + round(need.kept * area * factor)
        allocated = weights + max(step, beside)
        # Memory of a captured step stays its own while all views are decoded.
        reserved = weights + step + beside + need.pool if images > 1 else allocated + need.spare
        found.append(
            Level(
                name, "staged", allocated, reserved, 0, _LOAD_S, need.object_s, why,
                number_format, {"joint_guidance": joint, "capture": graph, "images_per_pass": images},
            )
        )  # fmt: skip
    if settings.paint_memory == "high":
        return tuple(found)
    return tuple(found[2:] if settings.paint_memory == "low" else found[1:])
