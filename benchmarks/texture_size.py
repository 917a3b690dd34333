"""What a larger texture costs the full painter, and what it shows: seconds, memory, bytes of the GLB, PSNR.

    python benchmarks/texture_size.py                        # 1024, 2048 and 4096 on the CPU, two threads
    python benchmarks/texture_size.py --device cuda          # the same on a GPU, with random views' time left out
    python benchmarks/texture_size.py --sizes 1024 2048 --json sizes.json

No network takes part, for their work does not depend on the texture: six views of 512 pixels are drawn of a surface
whose colours are known everywhere, as in ``bake_quality.py``, and baked. Each size runs in a process of its own, so
that its peak memory is its own. Columns:

    unwrap maps bake fill glb   seconds of each part; "glb" is compressing the picture and writing the file
    total                       their sum
    peak                        most memory of the process in MiB, and on a GPU most allocated there
    MB                          bytes of the GLB, in millions
    dB                          PSNR of the texture seen from 24 cameras of 1024 pixels, none where a view stood
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np
from bake_quality import RENDER_PX, VIEWS, cameras, colour, look, procedural, psnr, truth_views

from manymesh.image.resample import sample
from manymesh.mesh.formats.glb import write_glb
from manymesh.mesh.normalise import normalise
from manymesh.mesh.unwrap.unwrap import unwrap
from manymesh.paint.hunyuan import surface, surface_base
from manymesh.types import TexturedMesh

VIEW_PX, CAMERA_PX = 512, 1024
MESHES = ("bumpy ball", "knot")
PARTS = ("unwrap", "maps", "bake", "fill", "glb")


def one(name: str, texture_px: int, device: str) -> dict[str, Any]:
    """One mesh at one size."""
    import torch

    where = torch.device(device)
    surface.MOST_THREADS = 2
    mesh = normalise(procedural()[name])[0]
    laps: dict[str, float] = {}
    last = time.perf_counter()

    def lap(part: str) -> None:
        nonlocal last
        if where.type == "cuda":
            torch.cuda.synchronize(where)
        now = time.perf_counter()
        laps[part], last = now - last, now

    atlas = unwrap(mesh, texture_px)
    lap("unwrap")
    drawing = surface_base.Drawing(VIEWS, RENDER_PX, VIEW_PX, texture_px)
    views = truth_views(surface.HostSurface(atlas, drawing), atlas, VIEW_PX)
    if where.type == "cuda":  # the first use of a device costs a second or two that no size is to blame for
        surface.surface_of(atlas, drawing, where).maps()
        torch.cuda.reset_peak_memory_stats(where)
    last = time.perf_counter()
    drawn = surface.surface_of(atlas, drawing, where)
    drawn.maps()
    lap("maps")
    texture, painted = drawn.bake(views)
    lap("bake")
    filled = surface.fill_texture(texture, painted, atlas, device=where if where.type == "cuda" else None)
    lap("fill")
    written = write_glb(TexturedMesh(atlas, filled))
    lap("glb")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seen = [look(atlas, camera, CAMERA_PX) for camera in cameras()]
    uv = np.concatenate([view.uv for view in seen])
    away = sample(filled.astype(np.float32) / 255, uv * texture_px) - colour(np.concatenate([v.place for v in seen]))
    row: dict[str, Any] = {"mesh": name, "texture_px": texture_px, **laps, "total": sum(laps.values())}
    row |= {"peak_mib": peak, "glb_bytes": len(written), "psnr_db": psnr(away)}
    if where.type == "cuda":
        row["gpu_mib"] = torch.cuda.max_memory_allocated(where) / 2**20
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--meshes", nargs="+", default=list(MESHES), choices=sorted(procedural()))
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("MESH", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one[0], int(options.one[1]), options.device)))
        return
    print(f"{'mesh':<12}{'texture':>8}" + "".join(f"{title:>8}" for title in (*PARTS, "total", "peak", "MB", "dB")))
    rows = []
    for name in options.meshes:
        for size in options.sizes:
            command = [sys.executable, __file__, "--device", options.device, "--one", name, str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name:<12}{size:>8}  failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
                continue
            row = json.loads(done.stdout.strip().splitlines()[-1])
            rows.append(row)
            cells = "".join(f"{row[part]:>8.2f}" for part in (*PARTS, "total"))
            cells += f"{row['peak_mib']:>8.0f}{row['glb_bytes'] / 1e6:>8.2f}{row['psnr_db']:>8.2f}"
            gpu = f"  {row['gpu_mib']:.0f} MiB on the GPU" if "gpu_mib" in row else ""
            print(f"{name:<12}{size:>8}{cells}{gpu}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
