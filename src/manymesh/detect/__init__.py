"""Which things are in the photo, and where. Importing this loads no network and no large library."""

from manymesh.detect.parse import parse_boxes

__all__ = ["parse_boxes"]
