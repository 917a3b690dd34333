"""The settings of the Hunyuan3D-2 Paint stage. ``Settings`` inherits them, so users see them among the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from manymesh.settings import Settings

PaintName = Literal["2", "2-turbo"]
PaintMode = Literal["fast", "reference"]
Precision = Literal["auto", "float16", "float32"]
Memory = Literal["auto", "low", "high"]

# Side of a texture in pixels where nobody asks for another; the official program's too. Measured by
# benchmarks/texture_size.py with views of 512 pixels: 5 dB better than 1024 where views saw all of the surface; 4096 is
# only 1 dB better still.
TEXTURE_PX = 2048
# Side of a view where no size is asked for: the one that the networks were trained with.
VIEW_PX = 512


class PaintSettings(BaseModel):
    """What ``Settings`` says of ``paint_model`` and how it is run."""

    # Only ``Settings`` is ever made: validators of its base classes would be built for nothing.
    model_config = ConfigDict(defer_build=True)

    paint_model: Annotated[
        PaintName,
        Field(
            description="The full engine's painter, Hunyuan3D-2 Paint. 2-turbo: 10 steps without guidance.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "2"
    paint_steps: Annotated[
        int,
        Field(
            description="Denoising steps of the painter. The turbo model has 10, always.",
            ge=1,
            le=1000,
            json_schema_extra={"group": "engine"},
        ),
    ] = 30
    paint_guidance: Annotated[
        float,
        Field(
            description="How closely the painted views follow the picture; 1 or less switches guidance off.",
            ge=0,
            le=100,
            json_schema_extra={"group": "engine"},
        ),
    ] = 2.0
    paint_views: Annotated[
        str,
        Field(
            description="The sides that are painted, AZIMUTH:ELEVATION:WEIGHT with commas between. Azimuths come in "
            "steps of 30 degrees, elevations are -90, -20, 0, 20 or 90.",
            max_length=1000,
            json_schema_extra={"group": "engine", "flag": "views", "metavar": "VIEWS"},
        ),
    ] = "0:0:1,90:0:0.1,180:0:0.5,270:0:0.1,0:90:0.05,180:-90:0.05"
    paint_view_size: Annotated[
        int | None,
        Field(
            description="Width and height of a painted view, in pixels, a multiple of 64. By default what the networks "
            "know best: 512, and 768 with --paint-base sdxl.",
            ge=64,
            le=1024,
            multiple_of=64,
            json_schema_extra={"group": "engine"},
        ),
    ] = None
    render_size: Annotated[
        int,
        Field(
            description="Width and height at which the painter draws the mesh and reads its views, in pixels.",
            ge=64,
            le=4096,
            json_schema_extra={"group": "engine"},
        ),
    ] = 2048
    bake_exponent: Annotated[
        float,
        Field(
            description="How much more a view counts where it sees the surface squarely.",
            ge=0,
            le=64,
            json_schema_extra={"group": "engine"},
        ),
    ] = 4.0
    bake_angle: Annotated[
        float,
        Field(
            description="Surfaces turned further away from a view than this are not painted by it, in degrees.",
            ge=1,
            le=90,
            json_schema_extra={"group": "engine"},
        ),
    ] = 75.0
    delight: Annotated[
        bool,
        Field(
            description="Take the photo's light and shade out of it before painting.",
            json_schema_extra={"group": "engine"},
        ),
    ] = True
    delight_steps: Annotated[
        int,
        Field(description="Steps of the delight network.", ge=1, le=1000, json_schema_extra={"group": "engine"}),
    ] = 50
    photo_margin: Annotated[
        float,
        Field(
            description="Room that the painter leaves around the object in the photo, as a share of its size.",
            ge=0,
            le=2,
            json_schema_extra={"group": "engine"},
        ),
    ] = 0.2
    keep_photo: Annotated[
        bool,
        Field(
            description="Take the photo's own fine detail where it shows the surface. Pays when the pose is exact.",
            json_schema_extra={"group": "engine"},
        ),
    ] = False
    painting: Annotated[
        PaintMode,
        Field(
            description="reference: the official seeds, order of random numbers, texture places and filling; the run's "
            "seed and --keep-photo have no effect then.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "fast"
    paint_precision: Annotated[
        Precision,
        Field(
            description="Number format of the paint networks. auto: float16 on a GPU, float32 on a CPU.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "auto"
    paint_memory: Annotated[
        Memory,
        Field(
            description="auto: as planned. low: one step after the other. high: more at once. The same picture.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "auto"

    @field_validator("paint_views")
    @classmethod
    def _check_paint_views(cls, value: str) -> str:
        """Up to twelve times ``AZIMUTH:ELEVATION:WEIGHT``."""
        item = r"\s*-?\d{1,3}:-?\d{1,2}:\d*\.?\d+\s*"
        if not re.fullmatch(rf"{item}(,{item}){{0,11}}", value):
            raise ValueError(f"'{value}' is no list of up to 12 views: write AZIMUTH:ELEVATION:WEIGHT,...")
        return value


def texture_px(settings: Settings) -> int:
    """Side of the texture in pixels with these settings."""
    return settings.texture_size or TEXTURE_PX


def view_px(settings: Settings) -> int:
    """Side of a painted view in pixels with these settings."""
    return settings.paint_view_size or VIEW_PX
