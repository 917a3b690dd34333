"""An engine is a named choice of stage implementations. Which ones exist, and which one ``auto`` takes and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points

from manymesh.errors import MissingPieceError, UsageError
from manymesh.settings import Settings
from manymesh.stages import KINDS, STEPS, Kind, Stage
from manymesh.weights.catalogue import ENGINES as WEIGHTS_OF

# Where each of our own implementations lives. Names, not imports: listing them must cost nothing.
BUILTIN: Mapping[Kind, Mapping[str, str]] = {
    "detect": {
        "foreground": "manymesh.detect.lite:STAGE",
        "qwen3-vl": "manymesh.detect.qwen:STAGE",
        "dino": "manymesh.detect.dino:STAGE",
        "owlvit": "manymesh.detect.owlvit:STAGE",
    },
    "matte": {
        "colour-mix": "manymesh.matte.lite:STAGE",
        "birefnet": "manymesh.matte.birefnet:STAGE",
        "isnet": "manymesh.matte.onnx_matte:ISNET",
        "birefnet-lite-onnx": "manymesh.matte.onnx_matte:BIREFNET_LITE",
    },
    "shape": {
        "learned": "manymesh.shape.learned.stage:STAGE",
        "inflate": "manymesh.shape.inflate:STAGE",
        "triposr": "manymesh.shape.triposr:STAGE",
        "triposg": "manymesh.shape.triposg:STAGE",
        "hunyuan3d": "manymesh.shape.hunyuan:STAGE",
    },
    "paint": {
        "photo": "manymesh.paint.projection:STAGE",
        "photo-and-shape": "manymesh.paint.projection:STAGE_WITH_SHAPE_COLORS",
        "hunyuan3d-paint": "manymesh.paint.hunyuan:STAGE",
        "mv-adapter": "manymesh.paint.mvadapter:STAGE",
    },
}

ENTRY_POINT_GROUPS: Mapping[Kind, str] = {
    "detect": "manymesh.detectors",
    "matte": "manymesh.mattes",
    "shape": "manymesh.shapes",
    "paint": "manymesh.painters",
}

ENGINES: Mapping[str, Mapping[Kind, str]] = {
    "lite": {"detect": "foreground", "matte": "colour-mix", "shape": "learned", "paint": "photo"},
    "small": {"detect": "owlvit", "matte": "isnet", "shape": "triposr", "paint": "photo-and-shape"},
    "open": {"detect": "qwen3-vl", "matte": "birefnet", "shape": "triposg", "paint": "mv-adapter"},
    "hunyuan": {"detect": "qwen3-vl", "matte": "birefnet", "shape": "hunyuan3d", "paint": "hunyuan3d-paint"},
}
# Best first: what `auto` tries.
PREFERENCE = ("hunyuan", "open", "small", "lite")
_BEST = "the best that this machine can run"
# The detector that reads names on any machine, once its weights are here.
NAME_READER = "owlvit"


@dataclass(frozen=True)
class About:
    """What people should know to choose an engine. What it downloads is the sum of its rows in the weights' catalogue.

    Attributes:
        needs: machine and libraries.
        licence: of all its weights, in words.
        users: who may use it.
        good: what it is good at.
        bad: what it is bad at.
    """

    needs: str
    licence: str
    users: str
    good: str
    bad: str


ABOUT: Mapping[str, About] = {
    "lite": About(
        needs="any CPU",
        licence="Apache-2.0",
        users="everybody",
        good="seconds an object; one object, or several apart, on a calm background",
        bad="reads no names; cluttered photos; fine detail",
    ),
    "small": About(
        needs='any CPU, pip install "manymesh[small]"',
        licence="Apache-2.0 and MIT",
        users="everybody",
        good="finds what you name; cut-outs and whole shapes by networks that saw photographs",
        bad="plain nouns only; half a minute an object; soft shapes",
    ),
    "open": About(
        needs='a CUDA GPU, pip install "manymesh[hunyuan]"',
        licence="Apache-2.0, MIT and the CreativeML Open RAIL++-M License",
        users="everybody, under its use restrictions",
        good="whole phrases; hidden sides, painted too; fine shapes; no territory is left out",
        bad="large download; the painter's light stays in the texture; minutes without a fast GPU",
    ),
    "hunyuan": About(
        needs='a CUDA GPU, pip install "manymesh[hunyuan]"',
        licence="Apache-2.0, MIT and the Tencent Hunyuan 3D 2.0 Community License",
        users="not in the European Union, the United Kingdom and South Korea",
        good="whole phrases; hidden sides; fine shapes and textures",
        bad="large download; minutes without a fast GPU",
    ),
}


@dataclass(frozen=True)
class Plan:
    """What a run will use.

    Attributes:
        engine: the engine's name.
        reason: why this one, in a sentence.
        stages: the implementation of each kind.
        settings: what was asked for.
    """

    engine: str
    reason: str
    stages: Mapping[Kind, Stage]
    settings: Settings

    @property
    def stage_settings(self) -> Settings:
        """What the stages are opened with: ``texture_size`` is the painter's own where no other was asked for.

        It is no part of ``settings``: a run that goes on with another painter gets that painter's own size.
        """
        size = self.settings.texture_size or self.stages["paint"].texture_px
        return self.settings.model_copy(update={"texture_size": size})


def find_stage(kind: Kind, name: str) -> Stage:
    """The implementation called ``name``, ours or an installed plug-in's.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    target = BUILTIN[kind].get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
    plugins = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUPS[kind])}
    if name not in plugins:
        known = ", ".join([*BUILTIN[kind], *sorted(plugins)])
        raise UsageError(f"There is no {kind} stage called '{name}'", f"There are: {known}.")
    stage = plugins[name].load()
    if not isinstance(stage, Stage) or stage.kind != kind:
        raise UsageError(f"The plug-in '{name}' does not offer a {kind} stage", f"See {ENTRY_POINT_GROUPS[kind]}.")
    return stage


def stages_of(engine: str, settings: Settings) -> dict[Kind, Stage]:
    """The implementations of ``engine``, with those that a setting asks for in the place of its own.

    Raises:
        UsageError: no such engine.
    """
    return {kind: _stage_of(engine, kind, settings) for kind in KINDS}


def _stage_of(engine: str, kind: Kind, settings: Settings) -> Stage:
    """One of them; the others are not even imported."""
    if engine not in ENGINES:
        raise UsageError(f"There is no engine '{engine}'", f"There are: {', '.join(ENGINES)}.")
    asked = dict(item.split("=", 1) for item in settings.stages)
    if kind in asked:
        return find_stage(kind, asked[kind])
    stage = find_stage(kind, ENGINES[engine][kind])
    other = stage.instead(settings)
    return stage if other is None else find_stage(kind, other)


def required_stages(settings: Settings) -> list[Kind]:
    """The kinds whose models a run with these settings needs, in the order of their stages."""
    return [step.model for step in STEPS if step.model is not None and step.needs_model(settings)]


def missing_stages(stages: Mapping[Kind, Stage], settings: Settings) -> dict[Kind, str]:
    """What this machine lacks for these stages, by kind; empty when they can run."""
    answers = {kind: stages[kind].missing(settings) for kind in required_stages(settings)}
    return {kind: text for kind, text in answers.items() if text is not None}


def _with_whole_pull(engine: str, lack: str) -> str:
    """What an engine lacks, with the command that brings all that it needs in the place of one model's."""
    for one in WEIGHTS_OF.get(engine, ()):
        lack = lack.replace(f"models pull {one}'", f"models pull {engine}'")
    return lack


def _obstacle(engine: str, settings: Settings) -> str | None:
    """The first reason against an engine here, or None. Stages after the one that gives it are not imported."""
    stages = []
    for kind in required_stages(settings):
        stages.append(_stage_of(engine, kind, settings))
        lack = stages[-1].missing(settings)
        if lack is not None:
            return _with_whole_pull(engine, lack)
    for stage in stages:
        slow = stage.slow_here(settings)
        if slow is not None:
            return f"{slow} (--engine {engine} does it all the same)"
    return None


def _also_ready(engine: str, settings: Settings) -> list[str]:
    """The engines after ``engine`` in ``PREFERENCE`` that could run too. The last one runs everywhere; it goes without
    saying."""
    after = PREFERENCE[PREFERENCE.index(engine) + 1 : -1]
    return [name for name in after if name in ENGINES and _obstacle(name, settings) is None]


def choose(settings: Settings) -> Plan:
    """The plan for ``settings``; ``auto`` takes the best engine that this machine can really run.

    Raises:
        MissingPieceError: the engine that was asked for lacks something; the hint brings it.
    """
    if settings.engine != "auto":
        stages = stages_of(settings.engine, settings)
        lack = missing_stages(stages, settings)
        if lack:
            kind, text = next(iter(lack.items()))
            text = _with_whole_pull(settings.engine, text)
            raise MissingPieceError(f"The engine '{settings.engine}' cannot {kind} here: {text}")
        return Plan(settings.engine, "asked for", stages_of(settings.engine, settings), settings)
    why_not: list[str] = []
    for engine in PREFERENCE:
        if engine not in ENGINES:
            continue
        obstacle = _obstacle(engine, settings)
        if obstacle is None:
            others = _also_ready(engine, settings)
            chosen = f"{_BEST}, before {' and '.join(others)}" if others else _BEST
            reason = chosen + (f" ({'; '.join(why_not)})" if why_not else "")
            return Plan(engine, reason, stages_of(engine, settings), settings)
        why_not.append(f"not {engine}: {obstacle}")
    raise MissingPieceError("No engine can run here: " + "; ".join(why_not), "See `manymesh doctor`.")
