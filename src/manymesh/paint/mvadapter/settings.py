"""The settings of the MV-Adapter painter. ``Settings`` inherits them, so users see them among the others.

It heeds ``paint_steps``, ``paint_view_size``, ``paint_precision``, ``paint_memory`` and ``keep_photo`` too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

BaseName = Literal["sd21", "sdxl"]


class MvAdapterSettings(BaseModel):
    """What ``Settings`` says of ``paint_base`` and how it is run."""

    # Only ``Settings`` is ever made: validators of its base classes would be built for nothing.
    model_config = ConfigDict(defer_build=True)

    paint_base: Annotated[
        BaseName,
        Field(
            description="What MV-Adapter paints with: Stable Diffusion 2.1 with views of 512 pixels, or XL with views "
            "of 768, which is sharper and wants a GPU of 12 GB.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "sd21"
    adapter_guidance: Annotated[
        float,
        Field(
            description="How closely MV-Adapter's views follow the picture; 1 or less switches guidance off.",
            ge=0,
            le=100,
            json_schema_extra={"group": "engine"},
        ),
    ] = 3.0
