"""The settings of the Hunyuan3D-2 shape stage. ``Settings`` inherits them, so users see them among the others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

ShapeName = Literal["2mini", "2mini-fast", "2mini-turbo", "2", "2-fast", "2-turbo", "2mv", "2mv-fast", "2mv-turbo"]
Decoding = Literal["sparse", "dense", "flash", "reference"]
Precision = Literal["auto", "float16", "float32"]  # bfloat16 is too coarse to tell the points of a shape's grid apart
# The sides that a multi-view model may be shown beside the front.
SIDES = ("left", "back", "right")


class ShapeSettings(BaseModel):
    """What ``Settings`` says of ``shape_model`` and how it is run. The painter heeds ``memory`` too."""

    # Only ``Settings`` is ever made: validators of its base classes would be built for nothing.
    model_config = ConfigDict(defer_build=True)

    shape_model: Annotated[
        ShapeName,
        Field(
            description="The full engine's shape network, Hunyuan3D-2. turbo: 5 steps. mv: takes several views.",
            json_schema_extra={"group": "engine", "flag": "model"},
        ),
    ] = "2mini"
    steps: Annotated[
        int | None,
        Field(
            description="Denoising steps of the shape network. Without it, the model's own: 50, fast 30, turbo 5.",
            ge=1,
            le=1000,
            json_schema_extra={"group": "engine"},
        ),
    ] = None
    guidance: Annotated[
        float | None,
        Field(
            description="How closely the shape follows the picture. Without it, the model's own: 5, TripoSG 7.",
            ge=0,
            le=30,
            json_schema_extra={"group": "engine"},
        ),
    ] = None
    grid: Annotated[
        int,
        Field(
            description="Cells along each axis of the grid that the shape is read from. More: finer, slower.",
            ge=16,
            le=1024,
            json_schema_extra={"group": "engine"},
        ),
    ] = 384
    tries: Annotated[
        int,
        Field(
            description="Make this many shapes of each object and use the one whose outline fits the cutout best.",
            ge=1,
            le=16,
            json_schema_extra={"group": "engine"},
        ),
    ] = 1
    views: Annotated[
        tuple[str, ...],
        Field(
            description="Another side of the object, cut out (PNG with transparency), for the mv models: "
            "left=FILE, back=FILE or right=FILE.",
            json_schema_extra={"group": "what", "flag": "view", "metavar": "SIDE=FILE"},
            max_length=3,
        ),
    ] = ()
    decoding: Annotated[
        Decoding,
        Field(
            description="How the shape is read out. sparse: near its surface. dense: everywhere, the same surface. "
            "flash: FlashVDM, approximate. reference: the official arithmetic throughout, slow.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "sparse"
    memory: Annotated[
        int,
        Field(
            description="Working memory in MiB that the shape decoder may take at most. Less: slower, same result.",
            ge=64,
            le=65_536,
            json_schema_extra={"group": "engine", "metavar": "MIB"},
        ),
    ] = 512
    shape_precision: Annotated[
        Precision,
        Field(
            description="Number format of the shape networks. auto: float16 on a GPU, float32 on a CPU.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "auto"

    @field_validator("views")
    @classmethod
    def _check_views(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """``SIDE=FILE`` each, every side once."""
        sides = []
        for item in value:
            side, equals, file = item.partition("=")
            if side not in SIDES or not equals or not file:
                raise ValueError(f"'{item}' is not a view: write left=FILE, back=FILE or right=FILE")
            sides.append(side)
        if len(set(sides)) < len(sides):
            raise ValueError("a side may be given once")
        return value
