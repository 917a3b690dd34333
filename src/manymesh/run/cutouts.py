"""Cutouts that the user brings in place of the matte stage's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from manymesh.errors import InputError, UsageError
from manymesh.image.load import load_photo
from manymesh.run.folder import Run
from manymesh.run.lifecycle import redo_from


def parse_replacements(items: Sequence[str]) -> dict[int, Path]:
    """``["2=my.png"]`` as {2: Path("my.png")}.

    Raises:
        UsageError: not of that form, or a number twice.
    """
    found: dict[int, Path] = {}
    for item in items:
        number, equals, path = item.partition("=")
        if not (equals and path and number.strip().isdigit()):
            raise UsageError(f"'{item}' is not N=FILE", "For example: --cutout 2=my.png")
        if int(number) in found:
            raise UsageError(f"Object {int(number)} has two cutouts", "Give one.")
        found[int(number)] = Path(path)
    return found


def replace_cutouts(run: Run, replacements: Mapping[int, Path]) -> None:
    """Put the given pictures in the place of objects' cutouts; everything made from the old ones is made again.

    Raises:
        UsageError: the run has no such object (or has not got as far as finding any).
        InputError: a picture cannot be read, or has no transparency.
    """
    by_index = {record.index: record for record in run.manifest.objects}
    for index, path in replacements.items():
        if index not in by_index:
            known = ", ".join(f"{record.index} ({record.label})" for record in by_index.values()) or "none yet"
            raise UsageError(f"The run has no object {index}", f"It has: {known}.")
        photo, _ = load_photo(path, "keep")
        if photo.alpha is None:
            raise InputError(f"'{path}' has no transparency, so it is no cutout", "Save it as a PNG with alpha.")
        if not (photo.alpha > 127).any():
            raise InputError(f"'{path}' is fully transparent", "Give a picture with something in it.")
        record = by_index[index]
        redo_from(record, "matte")
        run.write_picture(f"objects/{record.id}/cutout.png", photo.rgb, photo.alpha, owner=record, role="cutout")
        record.stages_done.append("matte")
        record.warnings = ["The cutout was given by the user."]
    if replacements:
        if "finish" in run.manifest.stages_done:
            run.manifest.stages_done.remove("finish")
        run.manifest.state = "running"
        run.save()
