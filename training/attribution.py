"""Writes ATTRIBUTION.md: who made each model that the network learned from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from training.catalogue import Entry
from training.sources.source import Found

HEAD = """# Who made what the network learned from

The shape network of the `lite` engine learned from renders of the models below and of things that its own generator
makes. The models themselves are not part of manymesh. Most come from Debian's package `sweethome3d-furniture`, whose
archives carry catalogues, licence texts and each author's name, and whose
`/usr/share/doc/sweethome3d-furniture/copyright` repeats the licences in full. For training all were cleaned,
simplified, recoloured and turned.

Written by `python -m training.gather --attribution training/ATTRIBUTION.md`.
"""

NOTES = {
    "BlendSwap-CC-0.sh3f": "Models by various authors from blendswap.com, converted by Emmanuel Puybaret / eTeks.",
    "BlendSwap-CC-BY.sh3f": "Models by various authors from blendswap.com, converted by Emmanuel Puybaret / eTeks.",
    "KatorLegaz.sh3f": "(C) Andrew Kator & Jennifer Legaz.",
    "Reallusion.sh3f": "(C) Reallusion, http://www.reallusion.com/",
    "Scopia.sh3f": "(C) 2006-2020 Scopia Visual Interfaces Systems, s.l. (http://www.scopia.es) and, for 265 of its "
    "models, Emmanuel Puybaret / eTeks.",
}

LINKS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-3.0-US": "https://creativecommons.org/licenses/by/3.0/us/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
}


PACKAGES = {
    "webxr": "npm package `@webxr-input-profiles/assets` 1.0.20, MIT, copyright (c) 2019 Amazon. Its README.md says "
    "'Assets are available under MIT license', its LICENSE.md has the text. Devices' names are trademarks.",
    "dm_control": "Python package `dm_control` 1.0.50, Apache-2.0, copyright the dm_control Authors (LICENSE and AUTHORS "
    "in the wheel's dist-info/licenses).",
}


def attribution(used: Sequence[Entry | Found]) -> str:
    """The whole file, for the models that were used."""
    entries = [entry for entry in used if isinstance(entry, Entry)]
    found = sorted((item for item in used if isinstance(item, Found)), key=lambda item: item.name)
    pieces = [HEAD, *_by_archive(entries)]
    for package, group in groupby(found, key=lambda item: item.name.split("/")[0]):
        theirs = list(group)
        titles = ", ".join(f"{_plain(item.title)} (`{item.name}`)" for item in theirs)
        pieces.append(f"\n## {package}: {len(theirs)} models\n\n{PACKAGES[package]}\n\n- {titles}\n")
    return "".join(pieces)


def _by_archive(used: Sequence[Entry]) -> list[str]:
    pieces = []
    by_archive = sorted(used, key=lambda entry: (entry.archive, entry.licence, entry.creator.casefold(), entry.path))
    for archive, group in groupby(by_archive, key=lambda entry: entry.archive):
        mine = list(group)
        pieces.append(f"\n## {archive}: {len(mine)} models\n\n{NOTES.get(archive, '')}\n")
        for (licence, creator), theirs in groupby(mine, key=lambda entry: (entry.licence, entry.creator)):
            titles = ", ".join(f"{_plain(entry.title)} (`{entry.name}`)" for entry in theirs)
            pieces.append(f"\n- **{_plain(creator) or 'unnamed'}**, [{licence}]({LINKS[licence]}): {titles}\n")
    return pieces


def _plain(text: str) -> str:
    return "".join("\\" + letter if letter in "*_[]`<>" else letter for letter in text)
