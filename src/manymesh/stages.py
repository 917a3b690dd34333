"""The steps of a run, and what an implementation of one of them must offer.

``STEPS`` is the one list of what happens to a photo, in order. Four of the steps have a *model*: a detector, a matte, a
shape or a paint network. Each of these four kinds has a protocol below, and a ``Stage`` is one implementation of one
kind.

A stage is opened once for all objects, called once per object, and closed: whatever it loaded is gone then. So an
implementation is one generator function and one value::

    @contextmanager
    def open_shape(settings: Settings) -> Iterator[Shape]:
        network = load(...)
        yield lambda cutout, *, seed, tick: reconstruct(network, cutout, seed, tick)

    STAGE = Stage("my-shape", "shape", "what it does", "Apache-2.0", open_shape)

Third parties add theirs by an entry point in ``manymesh.detectors``, ``manymesh.mattes``, ``manymesh.shapes`` or
``manymesh.painters`` that names such a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from manymesh.settings import Settings
    from manymesh.types import Atlas, Camera, Crop, Cutout, Detection, Mesh, Photo, ShapeResult, TexturedMesh

Kind = Literal["detect", "matte", "shape", "paint"]

Tick = Callable[[float], None]
"""Called by a stage now and then with the share done, 0..1. Raises ``Cancelled`` when the user has asked to stop, so
a stage must call it at least once a second where it can, and let the exception through."""


@dataclass(frozen=True)
class Step:
    """One step of a run, as plain data. ``pipeline.STEPS`` says which function carries it out.

    Attributes:
        name: what ``run.json``, events and ``--stage`` call it.
        label: what people read while it works.
        per: carried out once a run, or once an object.
        reads: the roles of the object's files that the step is given, in this order.
        may_read: those that it is given too where its implementation wants them (``Stage.wants_shape``) and the object
            has them, else None.
        leaves: the role of the file in the run folder by which a finished step is known; "" where there is none.
        model: the kind of implementation that does the work; None where manymesh itself does it.
        applies: whether a run with these settings has this step at all.
        opens_model: whether these settings leave its model anything to do.
        sees_all_first: whether its model may have a ``begin`` that is shown the cutouts of all objects.
    """

    name: str
    label: str
    per: Literal["run", "object"]
    reads: tuple[str, ...] = ()
    may_read: tuple[str, ...] = ()
    leaves: str = ""
    model: Kind | None = None
    applies: Callable[[Settings], bool] = lambda settings: True
    opens_model: Callable[[Settings], bool] = lambda settings: True
    sees_all_first: bool = False

    def needs_model(self, settings: Settings) -> bool:
        """Whether a run with these settings opens this step's model."""
        return self.model is not None and self.applies(settings) and self.opens_model(settings)


STEPS: tuple[Step, ...] = (
    Step("load", "Reading the photo", per="run", leaves="input"),
    Step("detect", "Finding objects", per="run", model="detect", opens_model=lambda settings: not settings.boxes),
    Step("crop", "Cropping", per="run", leaves="crop"),
    Step("matte", "Removing backgrounds", per="object", reads=("crop",), leaves="cutout", model="matte"),
    Step("shape", "Modelling", per="object", reads=("cutout",), leaves="shape", model="shape", sees_all_first=True),
    Step("refine", "Refining", per="object", reads=("shape",), leaves="mesh"),
    Step(
        "paint",
        "Painting",
        per="object",
        reads=("mesh", "cutout"),
        may_read=("shape",),
        leaves="model",
        model="paint",
        applies=lambda settings: settings.texture,
        sees_all_first=True,
    ),
    Step("write", "Writing", per="object", reads=("final",), leaves="preview"),
    Step("finish", "Finishing", per="run", leaves="sheet"),
)

BY_NAME = {step.name: step for step in STEPS}
# The kinds of models, in the order of their steps.
KINDS: tuple[Kind, ...] = tuple(step.model for step in STEPS if step.model is not None)
# The steps that find the objects: a person may look at these before the run goes on.
FINDING: tuple[Step, ...] = tuple(takewhile(lambda step: step.per == "run", STEPS))


def label_of(name: str, default: str = "") -> str:
    """What people read while the step called ``name`` works; ``default`` where there is no such step."""
    return BY_NAME[name].label if name in BY_NAME else default


class Detect(Protocol):
    def __call__(self, photo: Photo, names: Sequence[str], *, tick: Tick) -> Sequence[Detection]:
        """Everything in the photo that goes by one of ``names`` (by any name, when empty), in a stable order."""


class Matte(Protocol):
    def __call__(self, crop: Crop, *, tick: Tick) -> Cutout:
        """The crop without its background. Raises ``ObjectError`` when nothing is left."""


class Shape(Protocol):
    """May also have a ``begin``: see ``begin`` below."""

    def __call__(self, cutout: Cutout, *, seed: int, tick: Tick) -> ShapeResult:
        """Geometry for one cutout. Deterministic in (cutout, seed)."""


class Paint(Protocol):
    """May also have a ``begin``: see ``begin`` below."""

    def __call__(
        self, mesh: Mesh, view: Camera, cutout: Cutout, *, seed: int, tick: Tick, atlas: Atlas | None = None
    ) -> TexturedMesh:
        """A texture for a mesh that ``view`` places on the cutout. Deterministic in its arguments.

        ``atlas`` is given only where the mesh brings texture coordinates of its own, which are then to be kept.
        """


def begin(model: Shape | Paint, cutouts: Iterable[Cutout], *, tick: Tick) -> None:
    """Show a model the cutouts of all objects before the first is made, if it wants to see them.

    It wants to if it has a method ``begin(cutouts, *, tick)``. A network that is only needed to look at pictures can
    then do so for all of them and be let go. The same cutout comes again with the call for its object, under the same
    ``Cutout.object_id``; but not every one does, and one may come that was not shown.

    An exception from it ends the whole call. So it leaves out a cutout that it cannot use, and raises when that
    object's own turn comes.
    """
    method = getattr(model, "begin", None)
    if method is not None:
        method(list(cutouts), tick=tick)


@dataclass(frozen=True)
class Level:
    """One way in which a stage can use the memory of a GPU, as plain data. The planner (``plan``) chooses among them.

    Attributes:
        name: short and unique in its stage; in ``run.json``.
        how: "resident": the model stays on the device while its stage works. "staged": its networks come and go, one
            after the other. "streamed": layers pass through from host memory. "cpu": nothing is on the device.
        allocated_bytes: the most device memory that tensors take, predicted.
        reserved_bytes: the most that the allocator takes for them, spare memory included, predicted. This must fit.
        host_bytes: host memory that it takes beyond what the stage always needs.
        load_s, object_s: seconds predicted for loading, and for each object, as measured on an NVIDIA H200.
        why: one clause for people.
        number_format: of most weights.
        options: what the stage does at this level, by its own names.
    """

    name: str
    how: Literal["resident", "staged", "streamed", "cpu"]
    allocated_bytes: int = 0
    reserved_bytes: int = 0
    host_bytes: int = 0
    load_s: float = 0.0
    object_s: float = 0.0
    why: str = ""
    number_format: str = "float32"
    options: Mapping[str, Any] = field(default_factory=dict)


# Side of a texture in pixels where neither the user nor the painter asks for another. Chosen by hand: an object in a
# photo seldom covers more pixels.
TEXTURE_PX = 1024


@dataclass(frozen=True)
class Stage:
    """One implementation of one stage.

    Attributes:
        name: short and unique in its kind; what ``--stage shape=NAME`` and the manifest call it.
        kind: which of the four it is.
        summary: one line for ``manymesh doctor``.
        licence: of its weights, or of its code when it has none (SPDX id or a name).
        open: gives a context manager whose value is the callable of the protocol above.
        missing: says in one sentence what this machine lacks for it, with the command that brings it, or None.
        slow_here: says why ``auto`` should not take it on this machine although it could run, or None.
        damage: says in one sentence what of its own is damaged, and how it works without, or None. For a stage that
            works all the same; ``manymesh doctor`` shows it.
        instead: the name of another implementation that these settings ask for in its place, or None.
        reads_names: (detectors) whether it can find objects by name.
        wants_shape: (painters) whether its callable takes ``shape``, a ``Mesh``: what the shape stage made, with all
            its colours, before it was cleaned and reduced; in the painted mesh's frame. None where that is not known.
        thread_safe: whether the opened callable may be called from several threads at once; its answers must not
            depend on it.
        preload: whether it may be opened on another thread while an earlier stage works. Only for small models.
        warm_up: called on that thread once such stages are open: what the first object would wait for, libraries to be
            imported say.
        levels: the ways in which it can use a GPU's memory with these settings, the fastest first, each smaller than
            the one before. A level "cpu" says that the stage is also quick enough without a GPU to be placed there
            unasked. Empty for a stage that needs no GPU. It loads nothing and needs no GPU to answer.
        open_at: as ``open``, at one of these levels. None where there are none.
        texture_px: (painters) side of the texture that it makes where nobody asks for another.
    """

    name: str
    kind: Kind
    summary: str
    licence: str
    open: Callable[[Settings], AbstractContextManager[Any]]
    missing: Callable[[Settings], str | None] = lambda settings: None
    slow_here: Callable[[Settings], str | None] = lambda settings: None
    damage: Callable[[], str | None] = lambda: None
    instead: Callable[[Settings], str | None] = lambda settings: None
    reads_names: bool = False
    wants_shape: bool = False
    thread_safe: bool = False
    preload: bool = False
    warm_up: Callable[[], None] = lambda: None
    levels: Callable[[Settings], Sequence[Level]] = lambda settings: ()
    open_at: Callable[[Settings, Level], AbstractContextManager[Any]] | None = None
    texture_px: int = TEXTURE_PX
