"""Digests of every file that runs leave: the proof that a change of the code changed no result.

    python benchmarks/same_bytes.py --json before.json [--source SRC]
    python benchmarks/same_bytes.py --json after.json --against before.json
    python benchmarks/same_bytes.py --json repeats.json --repeat 50

It makes the four example photos with the ``lite`` engine, and walks the full engine once on tiny random networks (the
test suite's own walk). Times, memory, paths, dates and versions are left out of ``run.json`` before it is hashed. With
``--against`` the differences from an earlier JSON file are listed, and the exit code is 1 where there are any.

With ``--repeat`` a small photo is made with ``make --faces 3000`` that many times, and the mesh of its first object
painted by ``paint`` from its cutout, each time in a fresh process with another seed of Python's hashes. The exit code
is 1 where two differ.

Results depend on the machine and on library versions, so both files must come from the same machine and environment.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Height of the photo that ``--repeat`` makes, pixels. Chosen by hand, to be quick.
SMALL_PX = 384
# What differs between two runs of the same code: clocks, memory, and where things lie.
VOLATILE = {
    "created", "name", "path", "seconds", "load_seconds", "wall_seconds", "host_peak_bytes", "device_peak_bytes",
    "device_reserved_bytes", "weights_seconds", "versions", "weights_dir",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="where to write the digests")
    parser.add_argument("--against", type=Path, help="an earlier JSON file to compare with")
    parser.add_argument("--source", type=Path, default=ROOT / "src", help="the src folder that is run")
    parser.add_argument("--repeat", type=int, metavar="N", help="make and paint one small photo this often instead")
    given = parser.parse_args()
    source = given.source.resolve()
    if given.repeat:
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(repeated(source, Path(folder), given.repeat, given.json))
    with tempfile.TemporaryDirectory() as folder:
        digests = lite_digests(source, Path(folder) / "lite") | walk_digests(source, Path(folder) / "walk")
    given.json.write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(digests)} files")
    if given.against is not None:
        sys.exit(report(json.loads(given.against.read_text(encoding="utf-8")), digests))


def lite_digests(source: Path, folder: Path) -> dict[str, str]:
    """Digests of the runs of all example photos with ``lite``, by "photo/file"."""
    found: dict[str, str] = {}
    examples = sorted([*(ROOT / "examples").glob("*.jpg"), *(ROOT / "examples").glob("*.png")])
    for photo in examples:
        out = folder / photo.stem
        command = [sys.executable, "-m", "manymesh", "make", str(photo), "--engine", "lite", "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(source)})
        (run,) = [path for path in out.iterdir() if path.is_dir()]
        found |= folder_digests(run, photo.stem)
    return found


def repeated(source: Path, folder: Path, count: int, target: Path) -> int:
    """Make and paint one photo ``count`` times, and compare. Returns the exit code."""
    from PIL import Image

    photo = folder / "photo.png"
    with Image.open(ROOT / "examples" / "coffee.png") as image:
        image.resize((image.width * SMALL_PX // image.height, SMALL_PX)).save(photo)
    first: dict[str, str] = {}
    differ = 0
    for number in range(count):
        out = folder / str(number)
        environment = os.environ | {"PYTHONPATH": str(source), "PYTHONHASHSEED": str(number)}
        program = [sys.executable, "-m", "manymesh"]
        made = [*program, "make", str(photo), "--engine", "lite", "--faces", "3000", "--out", str(out / "made")]
        subprocess.run(made, check=True, capture_output=True, env=environment)
        (run,) = (out / "made").iterdir()
        found = folder_digests(run, "make")
        if not first:
            parts = sorted(run.glob("objects/*"))[0]
            shutil.copy(parts / "mesh.glb", folder / "mesh.glb")
            shutil.copy(parts / "cutout.png", folder / "cutout.png")
        mesh, cutout = str(folder / "mesh.glb"), str(folder / "cutout.png")
        painted = [*program, "paint", mesh, "--image", cutout, "--engine", "lite", "--out", str(out / "painted")]
        subprocess.run(painted, check=True, capture_output=True, env=environment)
        (result,) = (out / "painted").iterdir()
        found |= {key: digest for key, digest in folder_digests(result, "paint").items() if key != "paint/paint.json"}
        first = first or found
        differ += found != first
        print(f"{number + 1} of {count}: {'as the first' if found == first else 'DIFFERS'}", flush=True)
    target.write_text(json.dumps(first, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(first)} files, {differ} of {count} runs differ from the first")
    return 1 if differ else 0


def walk_digests(source: Path, folder: Path) -> dict[str, str]:
    """Digests of the runs that the test suite's walk of the full engine makes, by "walk/file"."""
    tests = source.parent / "tests"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}"]
    command += [str(tests / "test_walk_hunyuan.py"), "-k", "complete"]
    environment = os.environ | {"PYTHONPATH": str(source)}
    environment["MANYMESH_PARITY"] = os.environ.get("MANYMESH_PARITY", str(ROOT.parent / "shared" / "parity"))
    subprocess.run(command, check=True, cwd=source.parent, env=environment, stdout=subprocess.DEVNULL)
    manifest = next(path for path in folder.glob("runs*/*/run.json") if not path.parents[1].is_symlink())
    return folder_digests(manifest.parent, "walk")


def folder_digests(run: Path, prefix: str) -> dict[str, str]:
    """SHA-256 of every file of a run folder; of ``run.json`` without what is volatile."""
    found = {}
    for path in sorted(path for path in run.rglob("*") if path.is_file() and path.name != ".lock"):
        data = path.read_bytes()
        if path.name == "run.json":
            data = json.dumps(without_volatile(json.loads(data)), sort_keys=True).encode()
        found[f"{prefix}/{path.relative_to(run).as_posix()}"] = hashlib.sha256(data).hexdigest()
    return found


def without_volatile(value: Any) -> Any:
    """The same JSON value without the fields named in ``VOLATILE``; a file's digest stays."""
    if isinstance(value, dict):
        return {key: without_volatile(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [without_volatile(item) for item in value]
    return value


def report(before: dict[str, str], after: dict[str, str]) -> int:
    """Print every file that differs, is new or is missing. Returns the exit code."""
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    for key in changed:
        state = "missing" if key not in after else "new" if key not in before else "differs"
        print(f"{state}: {key}")
    print("all equal" if not changed else f"{len(changed)} of {len(before | after)} differ")
    return 1 if changed else 0


if __name__ == "__main__":
    main()
