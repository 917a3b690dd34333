"""What one row of the table of views holds: kernels and Python read it by these names."""

from __future__ import annotations

_SIZES = {
    # The camera. rot: rows right, up, towards the eye, of the object's axes. shift: where the eye stands, along those
    # rows (the third is its distance from the object's origin). scale: the stretch, negative in x when mirrored.
    "rot": 9,
    "shift": 3,
    "tan": 1,
    "scale": 3,
    "fill": 1,
    # Half sides of the object's box, before the stretch.
    "half": 3,
    # Light: directions towards it (object's axes, unit), linear colours.
    "key": 3,
    "key_color": 3,
    "fill_light": 3,
    "fill_color": 3,
    "sky": 3,
    "ground": 3,
    "shadow": 1,
    "occlusion": 1,
    "gloss": 1,
    # Material: mode 0 own colours, 1 repainted, 2 repainted in one hue; chance of a pattern on a group.
    "mode": 1,
    "hue": 1,
    "tint": 3,
    "textured": 1,
    "seed": 1,
    # The camera's tone.
    "gain": 1,
    "gamma": 1,
    "saturation": 1,
    "contrast": 1,
    # Photo and matte, see cuda/photo.cuh.
    "clean": 1,
    "pixels": 1,
    "noise": 1,
    "blur": 1,
    "jpeg": 1,
    "back": 3,
    "bleed": 1,
    "edge": 1,
    "soft": 1,
    "wobble": 1,
    "discs": 12,
    # How opaque what is left of the shadow on the ground is (0: nothing is), how far it reaches beyond the box's
    # footprint (1: as far as the box is wide), and how dark it is.
    "remnant": 3,
}


def _slices() -> dict[str, slice]:
    columns, start = {}, 0
    for name, size in _SIZES.items():
        columns[name] = slice(start, start + size)
        start += size
    return columns


COLUMNS = _slices()
VIEW_SIZE = sum(_SIZES.values())
