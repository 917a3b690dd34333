"""Licences that people agree to once. What was agreed to is remembered in the user's configuration folder."""

from __future__ import annotations

from collections.abc import Iterable

from manymesh.errors import LicenceError, UsageError
from manymesh.user_config import read_notes, write_notes
from manymesh.weights.catalogue import MODELS
from manymesh.weights.entries import Licence

_NOTES = "licences.json"


def accept(licence_id: str) -> None:
    """Remember that the user has agreed. Raises ``UsageError`` for a licence that no model here has."""
    known = {model.licence.id: model.licence for model in MODELS}
    if licence_id not in known:
        raise UsageError(f"there is no licence '{licence_id}'", f"Known are: {', '.join(sorted(known))}")
    write_notes(_NOTES, {**read_notes(_NOTES), licence_id: known[licence_id].url})


def is_accepted(licence: Licence) -> bool:
    return not licence.must_accept or licence.id in read_notes(_NOTES)


def require_accepted(licences: Iterable[Licence]) -> None:
    """Raise ``LicenceError``, with the licence's address and the flag that agrees to it, for the first one open."""
    for licence in licences:
        if not is_accepted(licence):
            raise LicenceError(
                f"the {licence.name} has not been accepted. {licence.territory}".strip().rstrip("."),
                f"Read it at {licence.url} and, if you agree, add --accept-license {licence.id}",
            )
