"""Every setting of a run, declared once. The command line's flags, the web page's fields, the Python keywords and the
manifest all come from ``Settings``: a field that is added here appears in all of them. What it does is up to the stage
that reads it.

An engine's own settings are declared beside the engine, in a class that ``Settings`` inherits. Users see them all in
one list.
"""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from manymesh.box import Box
from manymesh.errors import UsageError
from manymesh.paint.hunyuan.settings import PaintSettings
from manymesh.paint.mvadapter.settings import MvAdapterSettings
from manymesh.shape.hunyuan.settings import ShapeSettings
from manymesh.shape.triposg.settings import TriposgSettings
from manymesh.stages import KINDS
from manymesh.units import Up, parse_length, parse_memory

Format = Literal["glb", "obj", "stl", "ply", "3mf"]
EngineName = Literal["auto", "lite", "small", "open", "hunyuan"]
DetectorName = Literal["qwen3-vl-2b", "qwen3-vl-4b", "qwen3-vl-8b", "dino", "dino-mm", "owlvit", "owlv2"]
MatteName = Literal["general", "lite", "lite-2k", "hr", "hr-matting", "matting", "portrait", "512"]

# What ``fast`` changes, where the setting has its usual value.
FAST = {"shape_model": "2mini-turbo", "paint_model": "2-turbo"}

FORMATS: tuple[str, ...] = get_args(Format)
_KINDS_IN_WORDS = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"


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


class GeneralSettings(BaseModel):
    """The settings that come first: what to make, and those that no single shape or paint network owns."""

    # Only ``Settings`` is ever made: validators of its base classes would be built for nothing.
    model_config = ConfigDict(defer_build=True)

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
            description="lite: no download. small: any CPU. open, hunyuan: large networks. auto: the best here.",
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
        int | None,
        Field(
            description="Width and height of a texture, in pixels. Without it 1024; 2048 by the painters of six views.",
            ge=64,
            le=4096,
            json_schema_extra={"group": "result"},
        ),
    ] = None
    formats: Annotated[
        tuple[Format, ...],
        Field(
            description=f"Files to write for each object, comma-separated: {', '.join(FORMATS)}.",
            json_schema_extra={"group": "result", "flag": "format", "metavar": "FORMATS"},
            min_length=1,
        ),
    ] = ("glb",)
    sizes: Annotated[
        tuple[str, ...],
        Field(
            description="How long the longest side of a written model is: 0.09 (metres), 9cm, 90mm or 3in.",
            json_schema_extra={"group": "result", "flag": "size", "metavar": "LENGTH"},
            max_length=256,
        ),
    ] = ()
    up: Annotated[
        Up | None,
        Field(
            description="The axis that is up in OBJ, PLY and STL: y, or z as slicers have it. GLB has y, 3MF has z.",
            json_schema_extra={"group": "result"},
        ),
    ] = None
    seed: Annotated[
        int,
        Field(description="Same seed, same result.", ge=0, le=2**32 - 1, json_schema_extra={"group": "engine"}),
    ] = 0
    detector: Annotated[
        DetectorName,
        Field(
            description="Who reads the prompt. qwen3-vl: whole phrases. dino: nouns, fast. owlvit: nouns, no PyTorch.",
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


# Order in help and form: GeneralSettings, ShapeSettings, TriposgSettings, PaintSettings, MvAdapterSettings, then the
# fields below. pydantic lists base classes from right to left.
class Settings(MvAdapterSettings, PaintSettings, TriposgSettings, ShapeSettings, GeneralSettings):
    """What to make and how. Frozen; two runs with equal settings, photo and machine give equal files.

    A field's ``description`` is its help text everywhere. ``json_schema_extra`` may hold ``group`` (how faces group
    the field: "what", "result" or "engine"), ``flag`` (the command line's spelling, where it differs) and ``metavar``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=False)

    devices: Annotated[
        tuple[str, ...],
        Field(
            description="Where to compute: auto, cpu, cuda, cuda:1 or mps, for all stages or for one: detect=cpu.",
            json_schema_extra={"group": "engine", "flag": "device", "metavar": "[STAGE=]DEVICE"},
            max_length=16,
        ),
    ] = ()
    fast: Annotated[
        bool,
        Field(
            description="Hunyuan3D-2's turbo models: shapes in 5 steps, painting in 10 without guidance. Coarser.",
            json_schema_extra={"group": "engine"},
        ),
    ] = False
    vram: Annotated[
        str | None,
        Field(
            description="The graphics card's memory to plan for and keep to: 8G. Without it, what is free.",
            json_schema_extra={"group": "engine", "metavar": "SIZE"},
            max_length=32,
        ),
    ] = None
    weights_dir: Annotated[
        Path | None,
        Field(
            description="A folder of weights in their official layout, in place of the Hugging Face cache.",
            json_schema_extra={"group": "engine"},
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _take_fast(cls, values: Any) -> Any:
        """With ``fast``, the turbo models in the place of the usual ones; another that is named stays."""
        if not isinstance(values, dict) or values.get("fast") is not True:
            return values
        usual = {name: cls.model_fields[name].default for name in FAST}
        return {**values, **{name: FAST[name] for name in FAST if values.get(name, usual[name]) == usual[name]}}

    @field_validator("boxes", mode="before")
    @classmethod
    def _parse_boxes(cls, value: Any) -> Any:
        return tuple(BoxRequest.parse(item) if isinstance(item, str) else item for item in value)

    @field_validator("stages")
    @classmethod
    def _check_stages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """``STAGE=NAME`` each."""
        for item in value:
            stage, equals, name = item.partition("=")
            if stage not in KINDS or not equals or not name:
                raise ValueError(f"'{item}' is not STAGE=NAME with {_KINDS_IN_WORDS}")
        return value

    @field_validator("sizes")
    @classmethod
    def _check_sizes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """One length. (A list, so that a later version can take one for each name without another kind of manifest.)"""
        for item in value:
            parse_length(item)
        if len(value) > 1:
            raise ValueError(f"give one length, not {len(value)}")
        return value

    @field_validator("formats", mode="before")
    @classmethod
    def _split_formats(cls, value: Any) -> Any:
        """One text with commas, or several, as a tuple of lower-case endings."""
        items = value.split(",") if isinstance(value, str) else list(value)
        asked = [str(item).strip().lower().lstrip(".") for item in items if str(item).strip()]
        # GLB is always written: the scene, previews and resume read it.
        return tuple(dict.fromkeys(["glb", *asked]))

    @field_validator("devices")
    @classmethod
    def _check_devices(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """``DEVICE`` or ``STAGE=DEVICE`` each."""
        for item in value:
            stage, equals, device = item.rpartition("=")
            if equals and stage not in KINDS:
                raise ValueError(f"'{item}' names no stage: use {_KINDS_IN_WORDS}")
            if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,2})?", device):
                raise ValueError(f"'{item}' names no device: use auto, cpu, cuda, cuda:N or mps")
        return value

    @field_validator("vram")
    @classmethod
    def _check_vram(cls, value: str | None) -> str | None:
        """An amount of memory."""
        if value is not None:
            parse_memory(value)
        return value

    @property
    def size_m(self) -> float | None:
        """The longest side of a written model in metres, None where nothing is asked for."""
        return parse_length(self.sizes[0]) if self.sizes else None

    @property
    def names(self) -> tuple[str, ...]:
        """The prompt's names, in order, without repeats."""
        if not self.prompt:
            return ()
        parts = (" ".join(part.split()).strip(" .;") for part in self.prompt.replace("\n", ",").split(","))
        return tuple(dict.fromkeys(part for part in parts if part))


def build_settings(values: dict[str, Any]) -> Settings:
    """Validated settings.

    Raises:
        UsageError: naming the setting, what it was and what it may be.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        field = Settings.model_fields.get(name)
        extra = field.json_schema_extra if field and isinstance(field.json_schema_extra, dict) else {}
        message = str(first["msg"]).removeprefix("Value error, ")
        raise UsageError(f"{str(extra.get('flag', name)).replace('_', '-')}: {message}") from None


def plain_type(annotation: Any, default: Any) -> tuple[Any, Any]:
    """The type and default of a field in plain values, as Typer and the HTTP API understand them."""
    origin = typing.get_origin(annotation)
    if origin is tuple:
        inner = typing.get_args(annotation)[0]
        # A closed list of words is written once, with commas; anything else is repeated.
        if typing.get_origin(inner) is typing.Literal:
            return str, ",".join(default)
        return list[str], list(default)
    if origin in (types.UnionType, typing.Union):
        inner = next(arg for arg in typing.get_args(annotation) if arg is not type(None))
        return inner | None, default
    return annotation, default
