"""Ready-made settings: for a purpose, at a quality. Plain data for the page; every value is one of ``Settings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# All values are chosen by hand, from what the formats' users commonly ask for; not measured.
_SETTINGS: Mapping[str, Mapping[str, tuple[int, int | None]]] = {  # faces, texture size (None: the painter's own)
    "any use": {"quick": (5_000, 512), "good": (40_000, None), "best": (200_000, 2048)},
    "game": {"quick": (2_000, 512), "good": (8_000, 1024), "best": (20_000, 2048)},
    "web": {"quick": (5_000, 512), "good": (15_000, 1024), "best": (50_000, 1024)},
    "print": {"quick": (50_000, 512), "good": (200_000, 512), "best": (500_000, 512)},
}
_FILES: Mapping[str, Mapping[str, Any]] = {
    "any use": {"formats": ["glb"], "texture": True, "sizes": [], "up": None},
    "game": {"formats": ["glb"], "texture": True, "sizes": [], "up": None},
    "web": {"formats": ["glb"], "texture": True, "sizes": [], "up": None},
    # Slicers have z up, and take 3MF or STL with a size.
    "print": {"formats": ["glb", "stl", "3mf"], "texture": False, "sizes": ["10cm"], "up": "z"},
}


def presets() -> dict[str, dict[str, dict[str, Any]]]:
    """Settings by purpose and quality."""
    return {
        purpose: {
            quality: {**_FILES[purpose], "faces": faces, "texture_size": size}
            for quality, (faces, size) in qualities.items()
        }
        for purpose, qualities in _SETTINGS.items()
    }
