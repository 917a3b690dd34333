"""Every setting of a run, declared once. The command line's flags, the web page's fields, the Python keywords and the
manifest all come from this class: add a field here and it exists everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from manymesh import settings_checks as checks
from manymesh.box import Box

Format = Literal["glb", "obj", "stl", "ply", "3mf"]
EngineName = Literal["auto", "lite", "hunyuan"]
DetectorName = Literal["qwen3-vl-2b", "qwen3-vl-4b", "qwen3-vl-8b", "dino", "dino-mm"]
ShapeName = Literal["2mini", "2mini-fast", "2mini-turbo", "2", "2-fast", "2-turbo", "2mv", "2mv-fast", "2mv-turbo"]
Decoding = Literal["sparse", "dense", "flash", "reference"]
Precision = Literal["auto", "float16", "float32"]  # bfloat16 is too coarse to tell the points of a shape's grid apart
PaintName = Literal["2", "2-turbo"]
Painting = Literal["fast", "reference"]
PaintPrecision = Literal["auto", "float16", "float32"]
PaintMemory = Literal["auto", "low", "high"]
MatteName = Literal["general", "lite", "lite-2k", "hr", "hr-matting", "matting", "portrait", "512"]

FORMATS: tuple[str, ...] = get_args(Format)


class BoxRequest(BaseModel):
    """A box the user drew: ``x0,y0,x1,y1[:label]`` in the oriented photo's pixels, half-open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x0: int
    y0: int
    x1: int
    y1: int
    label: str | None = None

    @classmethod
    def parse(cls, text: str) -> BoxRequest:
        numbers, _, label = text.partition(":")
        try:
            x0, y0, x1, y1 = (int(part) for part in numbers.split(","))
        except ValueError:
            raise ValueError(f"'{text}' is not a box: write x0,y0,x1,y1 or x0,y0,x1,y1:label in whole pixels") from None
        if x1 <= x0 or y1 <= y0:
            raise ValueError(f"the box '{text}' is empty: x1 must be over x0 and y1 over y0")
        return cls(x0=x0, y0=y0, x1=x1, y1=y1, label=label.strip() or None)

    @property
    def box(self) -> Box:
        return Box(self.x0, self.y0, self.x1, self.y1)


class Settings(BaseModel):
    """What to make and how. Frozen; two runs with equal settings, photo and machine give equal files.

    A field's ``description`` is its help text everywhere. ``json_schema_extra`` may hold ``group`` (how faces group
    the field: "what", "result" or "engine"), ``flag`` (the command line's spelling, where it differs) and ``metavar``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Annotated[
        str | None,
        Field(
            description="What to make, as a comma-separated list of names: 'cup, spoon'. Without it, everything found.",
            json_schema_extra={"group": "what"},
            max_length=2000,
        ),
    ] = None
    boxes: Annotated[
        tuple[BoxRequest, ...],
        Field(
            description="An object's box in the photo's pixels, and its name. Repeatable. Replaces detection.",
            json_schema_extra={"group": "what", "flag": "box", "metavar": "X0,Y0,X1,Y1[:LABEL]"},
            max_length=256,
        ),
    ] = ()
    max_objects: Annotated[
        int,
        Field(description="Stop after this many objects.", ge=1, le=256, json_schema_extra={"group": "what"}),
    ] = 32
    whole_image_if_none: Annotated[
        bool,
        Field(
            description="When nothing is found, take the whole photo as one object.",
            json_schema_extra={"group": "what"},
        ),
    ] = False
    engine: Annotated[
        EngineName,
        Field(
            description="lite: no download, any CPU. hunyuan: the large networks. auto: the best this machine can run.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "auto"
    stages: Annotated[
        tuple[str, ...],
        Field(
            description="Take another implementation for one stage: shape=inflate, or a plug-in's name. Repeatable.",
            json_schema_extra={"group": "engine", "flag": "stage", "metavar": "STAGE=NAME"},
            max_length=4,
        ),
    ] = ()
    texture: Annotated[
        bool,
        Field(description="Paint the meshes, or leave them grey.", json_schema_extra={"group": "result"}),
    ] = True
    faces: Annotated[
        int,
        Field(
            description="The most triangles a mesh may have.",
            ge=100,
            le=2_000_000,
            json_schema_extra={"group": "result"},
        ),
    ] = 40_000
    texture_size: Annotated[
        int,
        Field(
            description="Width and height of a texture, in pixels.",
            ge=64,
            le=4096,
            json_schema_extra={"group": "result"},
        ),
    ] = 1024
    formats: Annotated[
        tuple[Format, ...],
        Field(
            description=f"Files to write for each object, comma-separated: {', '.join(FORMATS)}.",
            json_schema_extra={"group": "result", "flag": "format", "metavar": "FORMATS"},
            min_length=1,
        ),
    ] = ("glb",)
    seed: Annotated[
        int,
        Field(description="Same seed, same result.", ge=0, le=2**32 - 1, json_schema_extra={"group": "engine"}),
    ] = 0

    detector: Annotated[
        DetectorName,
        Field(
            description="The full engine's detector. qwen3-vl: understands phrases. dino: nouns only, small and fast.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "qwen3-vl-2b"
    detector_tokens: Annotated[
        int,
        Field(
            description="The longest answer a qwen3-vl detector may write, in tokens; an object takes about 30.",
            ge=16,
            le=8192,
            json_schema_extra={"group": "engine"},
        ),
    ] = 1024
    matte_model: Annotated[
        MatteName,
        Field(
            description="The full engine's cut-out network. lite: small, fast. hr: fine detail, four times the work.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "general"
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
        float,
        Field(
            description="How closely the shape follows the picture.",
            ge=0,
            le=30,
            json_schema_extra={"group": "engine"},
        ),
    ] = 5.0
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
            description="Make so many shapes of each object and use the one whose outline fits the cutout best.",
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
            description="Working memory in MiB that a network may take beyond its weights. Less: slower, same result.",
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
        int,
        Field(
            description="Width and height of a painted view, in pixels, a multiple of 64. The networks know 512 best.",
            ge=64,
            le=1024,
            multiple_of=64,
            json_schema_extra={"group": "engine"},
        ),
    ] = 512
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
        Painting,
        Field(
            description="reference: the official seeds, order of random numbers, texture places and filling; the run's "
            "seed and --keep-photo have no effect then.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "fast"
    paint_precision: Annotated[
        PaintPrecision,
        Field(
            description="Number format of the paint networks. auto: float16 on a GPU, float32 on a CPU.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "auto"
    paint_memory: Annotated[
        PaintMemory,
        Field(
            description="low: one thing after the other, for small GPUs. high: more at once. The picture is the same.",
            json_schema_extra={"group": "engine"},
        ),
    ] = "auto"
    devices: Annotated[
        tuple[str, ...],
        Field(
            description="Where to compute: auto, cpu, cuda, cuda:1 or mps, for all stages or for one: detect=cpu.",
            json_schema_extra={"group": "engine", "flag": "device", "metavar": "[STAGE=]DEVICE"},
            max_length=16,
        ),
    ] = ()
    weights_dir: Annotated[
        Path | None,
        Field(
            description="A folder of weights in their official layout, in place of the Hugging Face cache.",
            json_schema_extra={"group": "engine"},
        ),
    ] = None

    _known_devices = field_validator("devices")(checks.known_devices)
    _known_views = field_validator("views")(checks.known_views)
    _known_paint_views = field_validator("paint_views")(checks.known_paint_views)
    _known_stages = field_validator("stages")(checks.known_stages)
    _split_formats = field_validator("formats", mode="before")(checks.split_formats)

    @field_validator("boxes", mode="before")
    @classmethod
    def _parse_boxes(cls, value: Any) -> Any:
        return tuple(BoxRequest.parse(item) if isinstance(item, str) else item for item in value)

    @property
    def names(self) -> tuple[str, ...]:
        """The prompt's names, in order, without repeats."""
        if not self.prompt:
            return ()
        parts = (" ".join(part.split()).strip(" .;") for part in self.prompt.replace("\n", ",").split(","))
        return tuple(dict.fromkeys(part for part in parts if part))
