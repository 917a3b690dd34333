"""The engines as people choose among them: what each needs, who may use it, and whether it is ready here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from manymesh.engines import ABOUT, ENGINES, NAME_READER, PREFERENCE, choose, find_stage, missing_stages, stages_of
from manymesh.errors import ManymeshError
from manymesh.settings import Settings
from manymesh.shape.learned.stage import FACES
from manymesh.weights.catalogue import ENGINES as WEIGHTS_OF
from manymesh.weights.catalogue import model, models_of
from manymesh.weights.entries import Model

# What a stage that lacks its weights says before their name (``weights.missing``).
PULL = "models pull "
# Engines whose downloads the page offers: anybody may use them, and they are small.
OFFERED = ("small",)
# The most triangles that an engine's shapes have, where it has such a bound.
MOST_FACES = {"lite": FACES}
# With a name an engine takes its detector of names, where it has one.
_NAMED = Settings(prompt="object")


def ladder() -> dict[str, Any]:
    """``engines``, the least first; ``auto``, the one that would be taken and why; ``reader``, the download that lets
    any engine read names, or None where nothing lacks or it would not serve."""
    engines = [_rung(name) for name in reversed(PREFERENCE) if name in ENGINES]
    lack = find_stage("detect", NAME_READER).missing(_NAMED) or ""
    return {
        "engines": engines,
        "auto": _auto(engines),
        "reader": offer([NAME_READER]) if PULL in lack else None,
    }


def offer(ids: Sequence[str]) -> dict[str, Any]:
    """What people should know before they fetch these models: size, licences, and where they come from."""
    models = [model(each) for each in ids]
    licences = {m.licence.id: m.licence for m in models}
    return {
        "models": [m.id for m in models],
        "bytes": sum(m.bytes for m in models),
        "licences": [{"name": each.name, "url": each.url} for each in licences.values()],
        "sources": sorted({m.source for m in models}),
    }


def offered(ids: Sequence[str]) -> list[Model]:
    """Those of ``ids`` that the page may fetch: models of the engines that are offered, under licences that ask for no
    consent of their own."""
    known = {m.id: m for m in models_of(OFFERED)} | {NAME_READER: model(NAME_READER)}
    return [known[each] for each in ids if each in known and not known[each].licence.must_accept]


def _rung(name: str) -> dict[str, Any]:
    about, lacks = ABOUT[name], list(missing_stages(stages_of(name, _NAMED), _NAMED).values())
    absent = [text.rpartition(PULL)[2].rstrip("'") for text in lacks if PULL in text]
    others = [text for text in lacks if PULL not in text]
    return {
        "name": name,
        "ready": not lacks,
        "lacks": _in_words(absent, others),
        "download": offer(absent) if absent and not others and name in OFFERED else None,
        "bytes": sum(m.bytes for m in models_of([name])) if name in WEIGHTS_OF else 0,
        "most_faces": MOST_FACES.get(name),
        "needs": about.needs.partition(", pip install")[0],
        "licence": about.licence,
        "users": about.users,
        "good": about.good,
        "bad": about.bad,
        "reads_names": not lacks and _reads_names(name),
    }


def _reads_names(engine: str) -> bool:
    return stages_of(engine, _NAMED)["detect"].reads_names


def _in_words(absent: Sequence[str], others: Sequence[str]) -> str:
    if any("install" in text for text in others):
        return "a part of manymesh that is not installed on this machine"
    if others:
        return "this machine cannot run it"
    return "its networks are not downloaded" if absent else ""


def _auto(engines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    try:
        taken = choose(Settings()).engine
    except ManymeshError:
        return {"engine": None, "reads_names": False, "why": "No engine can run here."}
    by_name = {each["name"]: each for each in engines}
    better = [each for each in PREFERENCE[: PREFERENCE.index(taken)] if each in by_name] if taken in PREFERENCE else []
    why = [f"{each}: {by_name[each]['lacks'] or 'too slow on this machine'}" for each in better]
    return {
        "engine": taken,
        "reads_names": bool(by_name.get(taken, {}).get("reads_names")),
        "why": "the best engine that is ready here" + (f" ({'; '.join(why)})" if why else ""),
    }
