"""Seconds and memory of ``manymesh paint`` on meshes of growing size, each in a process of its own.

    python benchmarks/paint_file.py [--faces 82000,400000] [--loose] [--json paint.json] [--keep DIR]

The mesh is a bumpy ball in binary STL (triangles that share no vertices); with ``--loose`` every triangle is a piece of
its own. The photo is a cut-out disc. Texture 1024, engine ``lite``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# The command, and then the peak of its memory in KB as the last line on stderr.
PROGRAM = """
import resource, sys
from manymesh.cli.app import main
sys.argv = ["manymesh", "paint", *sys.argv[1:]]
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", default="82000,400000", help="about how many faces, comma-separated")
    parser.add_argument("--loose", action="store_true", help="pull the triangles apart")
    parser.add_argument("--json", type=Path, help="also write the rows there")
    parser.add_argument("--keep", type=Path, help="leave each mesh's preview and texture there")
    given = parser.parse_args()
    rows = []
    print("| faces | seconds | of them unwrap | bake | fill | write | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for wanted in given.faces.split(","):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measured(Path(folder), int(wanted), given.loose))
            if given.keep:
                keep_pictures(Path(folder, "out", "ball-painted"), given.keep / wanted)
        row = rows[-1]
        steps = " | ".join(f"{row[name]:.1f}" for name in ("unwrap", "bake", "fill", "write"))
        print(f"| {row['faces']:,} | {row['seconds']:.1f} | {steps} | {row['peak_mb']:.0f} |", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")


def measured(folder: Path, faces: int, loose: bool) -> dict[str, float]:
    """One row of the table."""
    from PIL import Image

    corners = bumpy_ball(faces)
    if loose:
        corners = corners + 0.001 * np.random.default_rng(0).normal(size=(len(corners), 1, 3))
    table = np.zeros(len(corners), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("end", "<u2")]))
    table["corners"] = corners
    (folder / "ball.stl").write_bytes(b"\0" * 80 + struct.pack("<I", len(table)) + table.tobytes())
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    pixels = np.zeros((512, 512, 4), np.uint8)
    pixels[..., :3] = np.stack([120 + 100 * x, 120 + 100 * y, np.full_like(x, 90)], axis=-1)
    pixels[..., 3] = np.where(x**2 + y**2 < 0.8, 255, 0)
    Image.fromarray(pixels).save(folder / "disc.png")
    arguments = [str(folder / "ball.stl"), "--image", str(folder / "disc.png"), "--engine", "lite", "--json"]
    start_s = time.perf_counter()
    command = [sys.executable, "-c", PROGRAM, *arguments, "--out", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start_s
    found = json.loads(done.stdout)["details"]["seconds"]
    peak_kb = int(done.stderr.strip().splitlines()[-1])
    return {"faces": len(corners), "seconds": seconds, **found, "peak_mb": peak_kb / 1024}


def keep_pictures(painted: Path, target: Path) -> None:
    """Copies the preview, and the texture from the GLB."""
    import trimesh

    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(painted / "preview.png", target)
    mesh = trimesh.load(painted / "model.glb", force="mesh", process=False)
    mesh.visual.material.baseColorTexture.save(target / "texture.png")


def bumpy_ball(faces: int) -> np.ndarray:
    """(m, 3, 3) corners of about ``faces`` triangles of a closed ball with bumps."""
    rows = max(int(np.sqrt(faces / 4)), 3)
    columns = 2 * rows
    polar, around = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.arange(columns + 1) % columns * np.pi / rows)
    place = np.stack([np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1)
    place *= 1 + 0.1 * np.sin(5 * place[..., :1]) * np.cos(4 * place[..., 1:2])
    a, b, c, d = place[:-1, :-1], place[:-1, 1:], place[1:, 1:], place[1:, :-1]
    corners = np.concatenate(
        [np.stack([a, c, b], axis=2).reshape(-1, 3, 3), np.stack([a, d, c], axis=2).reshape(-1, 3, 3)]
    )
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return corners[area > 1e-12]


if __name__ == "__main__":
    main()
