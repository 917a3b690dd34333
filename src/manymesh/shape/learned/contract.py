"""The numbers that the network's training and its use must agree on: frames, inputs and outputs.

Object frame: +Y up, the object's own front towards +Z, right-handed.

Camera frame: the eye at the origin, +X right, +Y up, ``depth`` straight ahead (so depth = -Z of ``render.camera``).
An eye at azimuth a and elevation e sees the object from direction (sin a cos e, sin e, cos a cos e) of the object
frame: azimuth 0 sees the front, 90 the object's +X side, elevation 90 looks down on it.

Crop: the square picture that the network sees. The object's alpha box is centred in it, and the box's longer side
covers ``FILL`` of the crop's side. The crop's camera is a pinhole whose axis runs through the crop's centre and whose
field of view spans ``2 h``.

Crop units: the crop's side at the *anchor depth* Z0, the mean visible depth inside the silhouette. One crop unit is
2 Z0 tan h. A point at depth Z lies ``d = (Z - Z0) / (2 Z0 tan h)`` crop units behind the anchor. At picture position
(u, v), each in [-0.5, 0.5], u right, v *up*, it lies at x = u (1 + 2 d tan h), y = v (1 + 2 d tan h) crop units.

Volume: ``BINS`` depth bins of equal length over [``NEAR``, ``FAR``] crop units along each pixel's ray (bins are equal
steps of d, not of distance from the eye), for GRID x GRID pixels. Index [bin, row, column]; row 0 is the picture's top;
a value belongs to the centre of its cell.
"""

from __future__ import annotations

from manymesh.types import F32

# Side of the network's input: (batch, 4, IMAGE_PX, IMAGE_PX) float32 in 0..1; R, G, B (sRGB, multiplied by alpha) and
# alpha.
IMAGE_PX = 256

# Pixels a side of the network's outputs, and depth bins of its volume.
GRID = 128
BINS = 128

# d of the first bin's start and of the last bin's end, crop units; and the length of one bin.
NEAR, FAR = -0.6, 1.15
BIN_LENGTH = (FAR - NEAR) / BINS

# Share of the crop's side that the longer side of the object's alpha box covers.
FILL = 0.875

# The network's three outputs, in this order and by these names:
#   "logits"  (batch, BINS, GRID, GRID) float32: occupancy, before the sigmoid.
#   "surface" (batch, 8, GRID, GRID) float32, see the slices below.
#   "pose"    (batch, POSE_SIZE) float32, see the slices below.

# Channels of "surface". FRONT_DEPTH: d of the first surface on the pixel's ray. BACK_DEPTH: d of the last surface.
# FRONT_NORMAL: of the first surface, camera frame as (right, up, towards the eye), not of unit length. BACK_COLOR:
# sRGB 0..1 of the last surface, unlit.
FRONT_DEPTH = 0
BACK_DEPTH = 1
FRONT_NORMAL = slice(2, 5)
BACK_COLOR = slice(5, 8)

# Entries of "pose". ELEVATION: radians. LOG_TAN_HALF_FOV: natural logarithm of tan h. Each has the logarithm of its
# variance beside it (of radians squared for the elevation).
ELEVATION, ELEVATION_LOG_VARIANCE = 0, 1
LOG_TAN_HALF_FOV, LOG_TAN_HALF_FOV_LOG_VARIANCE = 2, 3
# Centre of the object's bounding box (of the object frame): x, y, d in crop units, y up; x and y as above.
CENTRE = slice(4, 7)
# Logit: the object is its own mirror image in the object frame's plane x = centre of its box.
SYMMETRY = 7
# Logits over AZIMUTH_BINS equal bins; the centre of bin i is (i + 0.5) * 360 / AZIMUTH_BINS - 180 degrees.
AZIMUTH = slice(8, 44)
AZIMUTH_BINS = 36
POSE_SIZE = 44


def depth_to_bins(d: F32, first: int = 0) -> F32:
    """Depths d in crop units as positions in bins: 0 is the centre of bin ``first``, 1 that of the next."""
    return (d - NEAR) / BIN_LENGTH - 0.5 - first
