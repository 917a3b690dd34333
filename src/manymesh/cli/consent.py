"""Downloads that a run would profit from: a person at a terminal is asked once, before the run."""

from __future__ import annotations

from manymesh.cli.pull import fetch, is_terminal
from manymesh.cli.streams import say
from manymesh.engines import NAME_READER, choose, find_stage, missing_stages, stages_of
from manymesh.errors import Cancelled, ManymeshError
from manymesh.settings import Settings
from manymesh.user_config import read_notes, write_notes
from manymesh.weights import locate
from manymesh.weights.catalogue import ENGINES, model
from manymesh.weights.entries import Model
from manymesh.weights.licences import require_accepted

# In the user's configuration folder: what was answered with no.
_NOTES = "declined.json"
# Engines whose downloads are offered: anybody may use them, and they are small.
_OFFERED = ("small",)
# What a stage that lacks its weights says before their name (``weights.missing``).
_PULL = "models pull "


def offer(settings: Settings, *, yes: bool) -> None:
    """Fetch what ``wanted`` names, if the user agrees, or has agreed with ``yes``.

    Without a terminal, and after a no, nothing is asked: the run goes on as it can, and says which command brings what
    it lacks. So it does when the download fails.
    """
    models = wanted(settings)
    if not models:
        return
    key = " ".join(m.id for m in models)
    if not yes and (not is_terminal() or key in read_notes(_NOTES)):
        return
    if not yes and not _agreed(models, settings):
        write_notes(_NOTES, {**read_notes(_NOTES), key: "no"})
        say(f"Nothing is fetched, and this is not asked again. Later: manymesh models pull {key}")
        return
    try:
        require_accepted(m.licence for m in models)
        fetch(models)
    except Cancelled:
        raise
    except ManymeshError as error:
        say(str(error))


def wanted(settings: Settings) -> list[Model]:
    """The models that these settings call for and that are not here: those of ``small``, where it is asked for; the
    reader of names, where the user names things and the run would have none. None where a library is missing, or the
    user brings weights in a folder."""
    if settings.weights_dir is not None:
        return []
    if settings.engine in _OFFERED:
        kinds = missing_stages(stages_of(settings.engine, settings), settings)
        if not all(_PULL in text for text in kinds.values()):
            return []
        return [model(text.rpartition(_PULL)[2].rstrip("'")) for text in kinds.values()]
    lack = find_stage("detect", NAME_READER).missing(settings) or ""
    if _PULL not in lack or not _lacks_a_reader(settings):
        return []
    return [model(settings.detector if settings.detector.startswith("owl") else NAME_READER)]


def _lacks_a_reader(settings: Settings) -> bool:
    """Whether the user names objects and the run would ignore the names."""
    if not settings.names or settings.boxes or any(item.startswith("detect=") for item in settings.stages):
        return False
    try:
        return not choose(settings).stages["detect"].reads_names
    except ManymeshError:
        # The run says what lacks; a reader that was asked for by name may be all.
        return settings.detector.startswith("owl")


def _agreed(models: list[Model], settings: Settings) -> bool:
    from manymesh.weights.download import readable

    why = (
        f"for the engine '{settings.engine}'" if settings.engine in ENGINES else f"to find '{settings.prompt}' by name"
    )
    say(f"To be fetched once, {why}:")
    for m in models:
        where = locate.hub_cache() if m.repo else locate.plain_folder(m)
        say(f"  {m.id}: {readable(m.bytes)}, {m.licence.name}, from {m.source} into {where}")
    say("Fetch it now? [Y/n] (--yes agrees without asking)")
    try:
        return input().strip().lower() in ("", "y", "yes")
    except EOFError:
        return False
