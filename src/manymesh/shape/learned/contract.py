"""The numbers that the network's training and its use must agree on: its frames, its inputs and its outputs.

Object frame: +Y up, the thing's own front towards +Z, right-handed.

Camera frame: the eye at the origin, +X right, +Y up, ``depth`` straight ahead (so depth = -Z of the house's cameras).
An eye at azimuth a and elevation e looks at the thing from direction (sin a cos e, sin e, cos a cos e) of the object
frame: azimuth 0 sees the front, 90 the thing's +X side, elevation 90 looks down on it.

Crop: the square picture that the network sees, with the thing's alpha box in its middle, the box's longer side covering
``FILL`` of the crop's side, under a pinhole camera that looks at the crop's middle and whose field of view spans
``2 h``.

Crop units: the crop's side at the *anchor depth*, the mean visible depth inside the silhouette: one crop unit is
2 Z0 tan h. A point at depth Z lies ``d = (Z - Z0) / (2 Z0 tan h)`` crop units behind the anchor; at picture place
(u, v), each in [-0.5, 0.5], u right, v *up*, it lies at x = u (1 + 2 d tan h), y = v (1 + 2 d tan h) crop units.

Volume: ``BINS`` depth bins of equal length over [``NEAR``, ``FAR``] crop units along each pixel's ray (bins are equal
steps of d, not of distance from the eye), for GRID x GRID pixels. Index [bin, row, column]; row 0 is the picture's top;
the value belongs to the middle of its cell.
"""

from __future__ import annotations

IMAGE_PX = 256
"""Side of the network's input: (batch, 4, IMAGE_PX, IMAGE_PX) float32 in 0..1; R, G, B (sRGB, multiplied by alpha) and
alpha."""

GRID = 128
BINS = 128
NEAR, FAR = -0.6, 1.15
FILL = 0.875

# The network's three outputs, in this order and by these names:
#   "logits"  (batch, BINS, GRID, GRID) float32: occupancy, before the sigmoid.
#   "surface" (batch, 8, GRID, GRID) float32, see the slices below.
#   "pose"    (batch, POSE_SIZE) float32, see the slices below.
FRONT_DEPTH = 0
"""Of "surface": d of the first surface on the pixel's ray."""
BACK_DEPTH = 1
"""d of the last surface on the ray."""
FRONT_NORMAL = slice(2, 5)
"""Of the first surface, camera frame as (right, up, towards the eye); not of unit length."""
BACK_COLOR = slice(5, 8)
"""sRGB 0..1 of the last surface, unlit."""

ELEVATION, ELEVATION_LOG_VARIANCE = 0, 1
"""Of "pose": radians; the logarithm of the squared standard deviation in radians."""
LOG_TAN_HALF_FOV, LOG_TAN_HALF_FOV_LOG_VARIANCE = 2, 3
"""Natural logarithm of tan h."""
CENTRE = slice(4, 7)
"""Where the middle of the thing's (object frame) bounding box lies: x, y, d in crop units, y up; x and y as above."""
SYMMETRY = 7
"""Logit: the thing is its own mirror image in the object frame's plane x = middle of its box."""
AZIMUTH = slice(8, 44)
"""Logits over AZIMUTH_BINS equal bins; the middle of bin i is (i + 0.5) * 360 / AZIMUTH_BINS - 180 degrees."""
AZIMUTH_BINS = 36
POSE_SIZE = 44
