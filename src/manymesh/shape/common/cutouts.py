"""What every image encoder of shapes needs of a cutout."""

from __future__ import annotations

from manymesh.types import U8

# Alpha up to this (5 % of 255) is cleared. Chosen by hand; not measured.
_FAINT_ALPHA = 12


def clear_faint_alpha(rgba: U8) -> U8:
    """(H, W, 4) uint8 with alpha of at most 5 % set to 0; unchanged when all of it is that faint.

    Preprocessing scales the box of all pixels that are not clear to a fixed size, so faint pixels far from the object
    would shrink it.
    """
    faint = rgba[..., 3] <= _FAINT_ALPHA
    if faint.all():
        return rgba
    cleared = rgba.copy()
    cleared[faint, 3] = 0
    return cleared
