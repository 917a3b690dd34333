"""Gathers the furniture models that the network learns from into one pack.

    apt-get install sweethome3d-furniture
    python -m training.gather

Without the package, give a folder of its .sh3f archives by --archives. Only models under CC0 or CC-BY are taken, and
none that training/reserved.txt names. ATTRIBUTION.md beside this file says whose they are; --attribution writes it.
Two more packages are read where their files are given (training/sources says how to get them):

    python -m training.gather --webxr webxr-input-profiles-assets-1.0.20.tgz \\
        --dm-control dm_control-1.0.50-py3-none-any.whl
"""

from __future__ import annotations

import argparse
import posixpath
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.attribution import attribution
from training.catalogue import Entry, entries
from training.fronts import front_known
from training.pack import save
from training.shapes import Shape
from training.sources import dm_control, webxr
from training.sources.source import Found
from training.split import held_out
from training.tidy import UnfitError, shape_of
from training.wavefront import Model, read_obj

HERE = Path(__file__).parent
ARCHIVES = Path("/usr/share/sweethome3d/furniture")
FREE = ("CC0-1.0", "CC-BY-3.0", "CC-BY-3.0-US", "CC-BY-4.0")


class RefusedError(Exception):
    """Nothing is gathered; the message says what to do."""


@dataclass(frozen=True)
class Gathered:
    """What came of one model: a shape, or why there is none."""

    entry: Entry | Found
    shape: Shape | None
    reason: str = ""


def reserved_keys(path: Path) -> set[str]:
    """The lines "ARCHIVE.sh3f:path" of a reserved list, as ``comparable`` spells them. Other lines are for people."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return {comparable(line) for line in lines if not line.startswith("#") and ".sh3f:" in line}


def comparable(key: str) -> str:
    """One spelling of "ARCHIVE:path", whatever its slashes, dots and capitals."""
    archive, _, path = key.partition(":")
    return f"{archive.strip()}:{posixpath.normpath(path.strip().replace(chr(92), '/').lstrip('/'))}".casefold()


def chosen(archives: Sequence[Path], reserved: Path) -> list[Entry]:
    """The entries that may be used, in the order of the archives' names.

    Raises:
        RefusedError: no archives, or a reserved line that names nothing in them: then the list cannot be trusted to
            keep out what it should.
    """
    if not archives:
        raise RefusedError("There are no .sh3f archives. `apt-get install sweethome3d-furniture`, or give --archives.")
    every = [entry for archive in sorted(archives, key=lambda path: path.name) for entry in entries(archive)]
    keep_out = reserved_keys(reserved)
    strange = keep_out - {comparable(entry.key) for entry in every}
    if strange:
        raise RefusedError(f"{reserved} names {len(strange)} models that no archive has: {', '.join(sorted(strange))}")
    return [entry for entry in every if entry.licence in FREE and comparable(entry.key) not in keep_out]


def gathered(archives: Sequence[Path], reserved: Path) -> Iterator[Gathered]:
    """Every entry that may be used, read and tidied. Copies of a reserved model under another name stay out too."""
    usable = chosen(archives, reserved)
    keep_out = reserved_keys(reserved)
    for archive in sorted(archives, key=lambda path: path.name):
        with zipfile.ZipFile(archive) as stored:
            known = {comparable(entry.key): entry for entry in entries(archive)}
            mine = [entry for entry in usable if entry.archive == archive.name]
            print_of = {_print(_model(known[key], stored)) for key in sorted(keep_out & set(known))}
            for entry in mine:
                yield _one(entry, stored, print_of)


def _one(entry: Entry, stored: zipfile.ZipFile, reserved_prints: set[tuple[object, ...]]) -> Gathered:
    model = _model(entry, stored)
    if _print(model) in reserved_prints:
        return Gathered(entry, None, "a copy of a reserved model")
    try:
        shape = shape_of(model, entry.name, entry.licence, entry.rotation)
    except UnfitError as error:
        return Gathered(entry, None, str(error))
    return Gathered(entry, replace(shape, front_known=front_known(entry.name)))


def further(found: Iterator[Found]) -> Iterator[Gathered]:
    """The models of another package, tidied."""
    for item in found:
        try:
            shape = shape_of(item.model, item.name, item.licence, item.rotation, item.family)
        except UnfitError as error:
            yield Gathered(item, None, str(error))
        else:
            yield Gathered(item, replace(shape, front_known=item.front_known))


def _model(entry: Entry, stored: zipfile.ZipFile) -> Model:
    return read_obj(entry.path, lambda path: stored.read(posixpath.normpath(path)))


def _print(model: Model) -> tuple[object, ...]:
    """Equal for models of equal geometry at any scale and colour."""
    sides = sorted((model.vertices.max(0) - model.vertices.min(0)).tolist())
    ratios = tuple(round(side / max(sides[-1], 1e-30), 3) for side in sides)
    return len(model.vertices), len(model.faces), ratios


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / ".cache" / "furniture.pack")
    parser.add_argument("--archives", type=Path, default=ARCHIVES, help=f"folder of .sh3f files; {ARCHIVES}")
    parser.add_argument("--reserved", type=Path, default=HERE / "reserved.txt", help="models that must stay out")
    parser.add_argument("--webxr", type=Path, help="npm package @webxr-input-profiles/assets (.tgz)")
    parser.add_argument("--dm-control", type=Path, help="Python package dm_control (.whl)")
    parser.add_argument("--attribution", type=Path, help="also write who made what, as Markdown")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    try:
        results = list(gathered(sorted(options.archives.glob("*.sh3f")), options.reserved))
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 2
    for file, models in ((options.webxr, webxr.models), (options.dm_control, dm_control.models)):
        results += further(models(file)) if file else []
    shapes = [result.shape for result in results if result.shape is not None]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save(options.out, shapes)
    if options.attribution:
        options.attribution.write_text(attribution([r.entry for r in results if r.shape is not None]), "utf-8")
    _tell(results, shapes, options.out, time.perf_counter() - began)
    return 0


def _tell(results: list[Gathered], shapes: list[Shape], out: Path, seconds: float) -> None:
    for result in results:
        if result.shape is None:
            print(f"left out: {result.entry.name}: {result.reason}")
    print(f"{len(shapes)} of {len(results)} usable models; faces: {sum(len(shape.faces) for shape in shapes):,}")
    for title, values in (("licence", [s.licence for s in shapes]), ("left out", [r.reason for r in results])):
        counts = Counter(value for value in values if value)
        print(f"{title}: " + ", ".join(f"{value} {count}" for value, count in sorted(counts.items())))
    print(f"held out: {sum(held_out(s.name) for s in shapes)}; front unknown: {sum(not s.front_known for s in shapes)}")
    print(f"{out}: {out.stat().st_size:,} bytes in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
