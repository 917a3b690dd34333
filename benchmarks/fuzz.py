"""Feeds damaged files to everything that reads files: no traceback, no hang, no more than 1.5 GB.

    python benchmarks/fuzz.py [--count 10000] [--seed 0] [--paint-every 200] [--walks 400]

Valid GLB, OBJ, PLY, STL, 3MF, PNG, JPEG, TIFF, WebP, GIF and BMP files and the manifest of a run folder are mutated
(bits flipped, cut, bytes and numbers replaced, parts doubled) and read in child processes with a limit on memory. An
error for people (``ManymeshError``) is a right answer, and so is a mesh or a photo. Every mutant follows from the seed
and its number. Meshes that can still be read are painted, every ``--paint-every``-th of them. ``--walks`` so many whole
runs are made of damaged photos or resumed in damaged folders (``fuzz_runs.py``).
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

TIMEOUT_S = 20.0
# Of data, beyond what the libraries map: 1.5 GB.
MEMORY_BYTES = 1_500_000_000
MESHES, PICTURES = ("glb", "obj", "ply", "stl", "3mf"), ("png", "jpg", "tif", "webp", "gif", "bmp")
KINDS = (*MESHES, *PICTURES, "run")
# Whole runs with stages that do next to nothing: of a damaged run folder, and of a damaged photo.
WALKS = ("resume", "stage")
_NUMBERS = (
    b"0",
    b"-1",
    b"1e309",
    b"nan",
    b"4294967295",
    b"99999999999999999999",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"9" * 5000,
)


@dataclass(frozen=True)
class Fault:
    """A mutant that was answered wrongly: its kind and number, and what happened."""

    kind: str
    number: int
    what: str


@cache
def seeds() -> dict[str, bytes]:
    """A small valid file of each kind."""
    import numpy as np
    from PIL import Image

    from manymesh.mesh.formats.write import write
    from manymesh.types import Atlas, TexturedMesh

    vertices = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)
    corners = faces.reshape(-1)
    uv = np.tile(np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], np.float32), (4, 1))
    atlas = Atlas(vertices[corners], np.arange(12, dtype=np.int32).reshape(-1, 3), uv, corners, "test")
    mesh = TexturedMesh(atlas, np.full((16, 16, 3), 90, np.uint8))
    found = {kind: write(mesh, kind, stem="x", name="x")[f"x.{kind}"] for kind in MESHES}
    rows, columns = np.indices((48, 64))
    picture = Image.fromarray(np.dstack([rows * 5, columns * 4, rows + columns]).astype(np.uint8))
    for kind, name in zip(PICTURES, ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"), strict=True):
        file = io.BytesIO()
        picture.save(file, name)
        found[kind] = file.getvalue()
    return found


def mutant(data: bytes, rng: random.Random) -> bytes:
    """``data`` with one to four things changed."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not made:
            break
        # Headers and tables lie at the start, and say the most.
        place = rng.randrange(min(len(made), 200) if rng.random() < 0.5 else len(made))
        way = rng.randrange(7)
        if way == 0:
            made[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            made[place] = rng.randrange(256)
        elif way == 2:
            del made[place + 1 :]
        elif way == 3:
            made[place : place + 4] = rng.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\0\0\0\x80"))
        elif way == 4:
            made[place:place] = made[place : place + rng.randrange(1, 64)]
        elif way == 5:
            del made[place : place + rng.randrange(1, 16)]
        else:
            numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?", bytes(made[:4000])))
            if numbers:
                found = rng.choice(numbers)
                made[found.start() : found.end()] = rng.choice(_NUMBERS)
    return bytes(made)


def read_one(kind: str, number: int, seed: int, folder: Path, paint: bool) -> str:
    """ "" if the mutant is read or refused in one sentence, else what happened. Never raises."""
    from manymesh.errors import ManymeshError

    rng = random.Random(f"{seed}-{kind}-{number}")
    try:
        if kind == "run":
            _read_run(rng, folder)
            return ""
        if kind in WALKS:
            return _walk(kind, rng, folder)
        path = folder / f"x.{kind}"
        path.write_bytes(mutant(seeds()[kind], rng))
        if kind in MESHES:
            _read_mesh(path, folder, paint)
        else:
            from manymesh.image.load import load_photo

            load_photo(path)
    except ManymeshError as error:
        return f"an error of two lines: {error}" if "\n" in str(error) else ""
    except MemoryError:
        return "more memory than it may take"
    except BaseException:  # noqa: BLE001 - that is what is looked for
        return traceback.format_exc()
    return ""


def _walk(kind: str, rng: random.Random, folder: Path) -> str:
    from benchmarks import fuzz_runs

    if kind == "resume":
        return fuzz_runs.resume_one(rng, folder, seeds()["png"], mutant)
    ending = rng.choice(PICTURES)
    photo = folder / f"photo.{ending}"
    photo.write_bytes(mutant(seeds()[ending], rng))
    return fuzz_runs.stage_one(folder, photo)


def _read_mesh(path: Path, folder: Path, paint: bool) -> None:
    from manymesh.mesh.formats.read import read_mesh

    read_mesh(path)
    if paint:
        from manymesh.paint_mesh import paint_file
        from manymesh.settings import Settings

        (folder / "photo.png").write_bytes(seeds()["png"])
        settings = Settings(engine="lite", texture_size=64, boxes=("8,8,56,40",))
        paint_file(path, folder / "photo.png", folder / "painted", settings)


def _read_run(rng: random.Random, folder: Path) -> None:
    from manymesh.run import lifecycle
    from manymesh.run.folder import Run

    text = json.dumps(_manifest(), indent=1).encode()
    (folder / "run.json").write_bytes(mutant(text, rng))
    (folder / "input.png").write_bytes(seeds()["png"])
    lifecycle.reopen(Run.open(folder))


@cache
def _manifest() -> dict[str, object]:
    """A run with one object, none of whose files is there but the photo."""
    import hashlib

    from manymesh.run.manifest import FileRecord, InputRecord, Manifest, ObjectRecord
    from manymesh.settings import Settings
    from manymesh.types import Box

    photo = seeds()["png"]
    digest = hashlib.sha256(photo).hexdigest()
    record = InputRecord(path="x.png", name="x", sha256=digest, width=64, height=48, scale=1.0)
    box = Box(8, 8, 56, 40)
    thing = ObjectRecord(index=1, id="01-cup", label="cup", box=box, source="user", seed=1, window=box)
    thing.stages_done = ["matte"]
    manifest = Manifest(
        manymesh="0", name="x", created="2026-01-01T00:00:00+00:00", input=record, settings=Settings(), engine="lite",
        engine_reason="", implementations={}, stages_done=["detect", "crop"], objects=[thing],
    )  # fmt: skip
    manifest.files["input"] = FileRecord(path="input.png", bytes=len(photo), sha256=digest)
    data: dict[str, object] = manifest.model_dump(mode="json")
    return data


def _child(pipe: Connection, seed: int) -> None:
    """Reads mutants until it is told to end."""
    import logging
    import warnings

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        while (task := pipe.recv()) is not None:
            kind, number, paint = task
            pipe.send(read_one(kind, number, seed, Path(folder), paint))


class _Worker:
    """A child process that reads mutants; started anew when one kills it or takes too long."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_child, args=(other, self._seed), daemon=True)
        self._process.start()
        other.close()
        self._fresh = True

    def read(self, kind: str, number: int, paint: bool) -> str:
        self._pipe.send((kind, number, paint))
        try:
            # A fresh child first imports the libraries.
            if self._pipe.poll(TIMEOUT_S + (60.0 if self._fresh else 0.0)):
                self._fresh = False
                return str(self._pipe.recv())
            what = f"not done after {TIMEOUT_S:.0f} s"
        except (EOFError, ConnectionError):
            self._process.join()
            what = f"the process ended with {self._process.exitcode}"
        self.close()
        self._start()
        return what

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def fuzz(
    count: int, seed: int, *, kinds: tuple[str, ...] = KINDS, paint_every: int = 0, part: int = 0, parts: int = 1
) -> list[Fault]:
    """Read ``count`` mutants, the kinds in turn.

    Args:
        count, seed: how many, and from which seed.
        kinds: of ``KINDS`` and ``WALKS``.
        paint_every: paint every such mesh that can be read; 0: none.
        part, parts: only every ``parts``-th mutant, from ``part`` on.
    """
    faults = []
    worker = _Worker(seed)
    try:
        for number in range(part, count, parts):
            kind = kinds[number % len(kinds)]
            paint = bool(paint_every) and (number // len(kinds)) % paint_every == 0
            what = worker.read(kind, number, paint)
            if what:
                faults.append(Fault(kind, number, what))
    finally:
        worker.close()
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paint-every", type=int, default=200)
    parser.add_argument("--walks", type=int, default=400)
    given = parser.parse_args()
    start_s = time.perf_counter()
    faults = fuzz(given.count, given.seed, paint_every=given.paint_every)
    faults += fuzz(given.walks, given.seed, kinds=WALKS)
    print(f"{given.count} + {given.walks} mutants in {time.perf_counter() - start_s:.0f} s: {len(faults)} faults")
    last_lines = Counter((fault.kind, fault.what.strip().splitlines()[-1][:150]) for fault in faults)
    for (kind, line), times in last_lines.most_common():
        print(f"{times:6} {kind:5} {line}")
    for fault in faults[:10]:
        print(f"\n{fault.kind} {fault.number}\n{fault.what}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
