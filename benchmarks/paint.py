"""Seconds and memory of the paint stage at full size, with random weights, phase by phase.

    python benchmarks/paint.py                 # on CUDA: 6 views at 512, 30 steps, 50 delight steps, texture 2048
    python benchmarks/paint.py --tiny          # on the CPU in seconds, to try the script

Needs PyTorch, NumPy, SciPy, OpenCV and Pillow. Every phase builds its own networks and lets them go, as the stage
does, so a phase's peak is what the stage needs at that time. A phase that fails is reported and the others go on. A
table goes to the screen, JSON to ``--out``.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np
import torch
from measuring import synchronise, timed
from paint_kernels import attention, kernels

from manymesh.paint.diffusion import image_vae, norm, pictures, unet
from manymesh.paint.diffusion.config import ImageVaeConfig, NoiseScheduleConfig, UNetConfig
from manymesh.paint.diffusion.diffusion_schedule import consistency, euler_ancestral, turbo_timesteps
from manymesh.paint.hunyuan import delight, multiview_sampler, multiview_unet, surface, surface_base
from manymesh.paint.hunyuan.models import parse_views
from manymesh.types import Atlas, Mesh

VIEWS = parse_views("0:0:1,90:0:0.1,180:0:0.5,270:0:0.1,0:90:0.05,180:-90:0.05")


class Bench:
    """What is measured, and where."""

    def __init__(self, options: argparse.Namespace) -> None:
        tiny = options.tiny
        self.device = torch.device("cpu" if tiny else "cuda")
        self.dtype = torch.float32 if tiny else torch.float16
        self.repeats = 1 if tiny else options.repeats
        self.unet, self.vae = UNetConfig(), ImageVaeConfig()
        self.delight_unet = UNetConfig(in_channels=8)
        self.view_px, self.render_px, self.texture_px = 512, 2048, 2048
        self.steps, self.delight_steps, self.faces = 30, 50, 40_000
        if tiny:
            small = {"channels": (32, 64, 64, 64), "heads": (2, 4, 4, 4), "text_dim": 32, "groups": 8}
            self.unet, self.delight_unet = UNetConfig(**small), UNetConfig(in_channels=8, **small)
            self.vae = ImageVaeConfig(channels=(16, 16, 32, 32), groups=8)
            self.view_px, self.render_px, self.texture_px = 64, 256, 128
            self.steps, self.delight_steps, self.faces = 2, 2, 2000
        self.latent_px = self.view_px // 8
        self.results: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}

    def build(self, make: Callable[[], Any]) -> Any:
        """A network with random weights of a sane size, made where it is used."""
        with torch.device("meta"):
            network = make()
        network = network.to(self.dtype).to_empty(device=self.device)
        generator = torch.Generator(self.device).manual_seed(0)
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1:
                parameter.data.normal_(0, 1 / math.sqrt(parameter[0].numel()), generator=generator)
                if parameter.dim() == 4:
                    parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
            else:
                parameter.data.fill_(0.0 if name.endswith("bias") else 1.0)
        return network.eval().requires_grad_(False)

    def draw(self, seed: int) -> Callable[[tuple[int, ...]], torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return lambda shape: torch.randn(shape, generator=generator)

    def picture(self, count: int) -> np.ndarray:
        y, x = np.mgrid[: self.view_px, : self.view_px] / self.view_px
        waves = [np.stack([np.sin(9 * x + n), np.cos(7 * y - n), np.sin(5 * (x + y))], axis=2) for n in range(count)]
        return ((np.stack(waves) * 0.4 + 0.5) * 255).astype(np.uint8)

    def latents(self, count: int, seed: int) -> torch.Tensor:
        shape = (count, 4, self.latent_px, self.latent_px)
        return self.draw(seed)(shape).to(self.device, self.dtype)

    def timed(self, run: Callable[[], Any], repeats: int | None = None) -> dict[str, Any]:
        return timed(run, self.device, self.repeats if repeats is None else repeats)


def delighting(b: Bench) -> dict[str, Any]:
    """Encode, all steps, decode."""
    network = unet.fuse_projections(b.build(lambda: unet.UNet(b.delight_unet)))
    coder = b.build(lambda: image_vae.ImageVae(b.vae))
    prompt = torch.randn(1, 77, b.unet.text_dim, device=b.device, dtype=b.dtype)
    noise = NoiseScheduleConfig(spacing="leading", zero_snr=False)
    maker = delight.Delighter(network, coder, prompt, noise)
    picture = b.picture(1)[0]
    row = b.timed(lambda: pictures.to_uint8_images(maker(picture, b.delight_steps, b.draw(1))))
    row["capture_failure"] = maker.denoiser.capture_failure if maker.denoiser else ""
    if b.device.type == "cuda":
        plain = delight.Delighter(network, coder, prompt, noise, use_graph=False)
        row["uncaptured_s"] = b.timed(lambda: plain(picture, b.delight_steps, b.draw(1)), 1)["median_s"]
    return row


def reference(b: Bench) -> dict[str, Any]:
    """The picture through the VAE, the reference network once."""
    coder = b.build(lambda: image_vae.ImageVae(b.vae))
    network = unet.fuse_projections(b.build(lambda: multiview_unet.ReferenceUNet(b.unet)))
    text = torch.randn(1, 77, b.unet.text_dim, device=b.device, dtype=b.dtype)

    def run() -> None:
        latents = pictures.encode(coder, b.picture(1), b.latents(1, 0), pictures.Batching())
        b.kept["tokens"] = multiview_sampler.reference_tokens(network, latents, text)

    return b.timed(run)


def denoising(b: Bench) -> dict[str, Any]:
    """Maps through the VAE, all steps, views out of it; and the same more frugally."""
    coder = b.build(lambda: image_vae.ImageVae(b.vae))
    network = unet.fuse_projections(b.build(lambda: multiview_unet.MultiviewUNet(b.unet)))
    indices, schedule = [view.camera_index for view in VIEWS], euler_ancestral(NoiseScheduleConfig(), b.steps)
    tokens, maps = b.kept["tokens"], b.picture(len(VIEWS))
    results: dict[str, Any] = {}
    painted = {}

    def measure(
        name: str, batching: pictures.Batching, *, use_graph: bool = True, guidance: float = 2.0, plan: Any
    ) -> None:
        painter = multiview_sampler.MultiviewSampler(network, indices, guidance, batching, use_graph=use_graph)
        seconds: dict[str, list[float]] = {"encode": [], "denoise": [], "decode": []}

        def lap(part: str, start: float) -> float:
            synchronise(b.device)
            seconds[part].append(time.perf_counter() - start)
            return time.perf_counter()

        def run() -> None:
            now = time.perf_counter()
            first = pictures.encode(coder, maps, b.latents(len(VIEWS), 1), batching)
            second = pictures.encode(coder, maps, b.latents(len(VIEWS), 2), batching)
            now = lap("encode", now)
            latents = painter(tokens, first, second, plan, b.draw(3))
            now = lap("denoise", now)
            painted[name] = pictures.to_uint8_images(pictures.decode(coder, latents, batching))
            lap("decode", now)

        row = b.timed(run, 1 if name != "together" else None)
        row |= {f"{part}_s": statistics.median(times[1:] or times) for part, times in seconds.items()}
        row["capture_failure"] = painter.denoiser.capture_failure if painter.denoiser else ""
        results[name] = row

    measure("together", pictures.Batching(True, 1), plan=schedule)
    measure("in turn", pictures.Batching(False, 1), plan=schedule)
    if b.device.type == "cuda":
        measure("uncaptured", pictures.Batching(True, 1), use_graph=False, plan=schedule)
        for part in ("layer_norm", "gated", "group_norm"):
            norm.KERNELS.without = frozenset([part])
            measure(f"without our {part}", pictures.Batching(True, 1), plan=schedule)
        norm.KERNELS.without = frozenset()
    turbo = consistency(NoiseScheduleConfig(), turbo_timesteps(NoiseScheduleConfig()))
    measure("turbo", pictures.Batching(True, 1), guidance=1.0, plan=turbo)
    apart = np.abs(painted["together"].astype(int) - painted["in turn"])
    results["together"]["apart_from_in_turn_levels"] = float(apart.mean())
    b.kept["pictures"] = painted["together"]
    return results


def bumpy(faces: int) -> Mesh:
    """A closed mesh with hills and hollows: a warped sphere."""
    rows = max(int(math.sqrt(faces / 4)), 4)
    columns = faces // (2 * rows)
    down, round_ = np.meshgrid(
        np.arange(1, rows + 1) / (rows + 1) * math.pi, np.arange(columns) / columns * 2 * math.pi
    )
    points = np.stack([np.sin(down) * np.sin(round_), np.cos(down), np.sin(down) * np.cos(round_)], axis=2)
    points = points.transpose(1, 0, 2).reshape(-1, 3)
    points = np.concatenate([points, [[0, 1, 0], [0, -1, 0]]])
    x, y, z = points.T
    points *= (1 + 0.1 * np.sin(7 * x) * np.cos(5 * y) + 0.05 * np.sin(13 * z) + 0.15 * np.sin(3 * x + y))[:, None]
    ring = np.arange(columns)
    ahead = (ring + 1) % columns
    triangles = [np.stack([np.full(columns, len(points) - 2), ring, ahead], axis=1)]
    for row in range(rows - 1):
        a, c = row * columns, (row + 1) * columns
        triangles.append(np.stack([a + ring, c + ring, c + ahead], axis=1))
        triangles.append(np.stack([a + ring, c + ahead, a + ahead], axis=1))
    last = (rows - 1) * columns
    triangles.append(np.stack([last + ahead, last + ring, np.full(columns, len(points) - 1)], axis=1))
    points /= np.abs(points).max()
    return Mesh(points.astype(np.float32), np.concatenate(triangles).astype(np.int32))


def unwrapping(b: Bench) -> dict[str, Any]:
    from manymesh.mesh.unwrap.unwrap import unwrap

    mesh = bumpy(b.faces)
    row = b.timed(lambda: b.kept.__setitem__("atlas", unwrap(mesh, b.texture_px)), 0)
    return row | {"faces": len(mesh.faces), "method": b.kept["atlas"].method}


def _drawing(b: Bench, texture_px: int) -> surface_base.Drawing:
    return surface_base.Drawing(VIEWS, b.render_px, b.view_px, texture_px)


def _pictures(b: Bench) -> np.ndarray:
    return b.kept.get("pictures", b.picture(len(VIEWS)))


def mapping(b: Bench) -> dict[str, Any]:
    """Twelve maps drawn at the render size and reduced, mesh upload included."""
    atlas: Atlas = b.kept["atlas"]
    return b.timed(lambda: surface.surface_of(atlas, _drawing(b, b.texture_px), b.device).maps())


def baking(b: Bench) -> dict[str, Any]:
    """Views enlarged to the render size, read back, merged."""
    drawn = surface.surface_of(b.kept["atlas"], _drawing(b, b.texture_px), b.device)
    return b.timed(lambda: b.kept.__setitem__("baked", drawn.bake(_pictures(b))))


def same_rasters(b: Bench) -> dict[str, Any]:
    """Does the GPU draw what the CPU draws?"""
    from manymesh.paint.gpu import raster as raster_torch
    from manymesh.paint.hunyuan.render.reference_raster import rasterise_reference

    drawn = surface.HostSurface(b.kept["atlas"], _drawing(b, b.texture_px))
    clip = drawn.cameras[0].clip(drawn.vertices)
    wanted = rasterise_reference(clip, drawn.faces, b.render_px, b.render_px)
    faces = torch.from_numpy(drawn.faces).to(b.device).long()
    made = raster_torch.rasterise(torch.from_numpy(clip).to(b.device), faces, b.render_px, b.render_px)
    same = len(made.pixel) == len(wanted.pixel) and bool((made.pixel.cpu().numpy() == wanted.pixel).all())
    other = int((made.face.cpu().numpy() != wanted.face).sum()) if same else -1
    bary = float(np.abs(made.bary.cpu().numpy() - wanted.bary).max()) if same else math.nan
    return {"same_pixels": float(same), "other_faces": float(other), "bary_apart": bary}


def filling_up(b: Bench) -> dict[str, Any]:
    """Unpainted texels and gaps, in our way and in the official one."""
    texture, painted = b.kept["baked"]
    atlas = b.kept["atlas"]
    device = b.device if b.device.type == "cuda" else None
    results = {
        "ours": b.timed(
            lambda: b.kept.__setitem__("filled", surface.fill_texture(texture, painted, atlas, device=device))
        ),
        "ours on the CPU": b.timed(lambda: surface.fill_texture(texture, painted, atlas), 1),
        "official (CPU)": b.timed(lambda: surface.fill_texture(texture, painted, atlas, exact=True), 1),
    }
    results["ours"]["painted"] = float(painted.mean())
    return results


def export(b: Bench) -> dict[str, Any]:
    from manymesh.mesh.formats.glb import write_glb
    from manymesh.types import TexturedMesh

    painted = TexturedMesh(b.kept["atlas"], b.kept["filled"])
    return b.timed(lambda: b.kept.__setitem__("glb", write_glb(painted)), 1)


def on_the_cpu(b: Bench) -> dict[str, Any]:
    """Maps, bake and fill on two threads, texture 1024: what a machine without a GPU does beside its networks."""
    from manymesh.mesh.unwrap.unwrap import unwrap

    size = min(1024, b.texture_px)
    atlas = unwrap(bumpy(b.faces), size)
    surface.MOST_THREADS, was = 2, surface.MOST_THREADS
    seconds = {}
    start = time.perf_counter()
    drawn = surface.HostSurface(atlas, _drawing(b, size))
    drawn.maps()
    seconds["maps_s"] = time.perf_counter() - start
    texture, painted = drawn.bake(_pictures(b))
    seconds["bake_s"] = time.perf_counter() - start - seconds["maps_s"]
    surface.fill_texture(texture, painted, atlas)
    surface.MOST_THREADS = was
    total = time.perf_counter() - start
    return {**seconds, "fill_s": total - seconds["maps_s"] - seconds["bake_s"], "total_s": total}


def profile(b: Bench) -> dict[str, Any]:
    """Where a denoising step's time goes: the heaviest kernels, in milliseconds."""
    if b.device.type != "cuda":
        return {"skipped": 0.0}
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    network = unet.fuse_projections(b.build(lambda: multiview_unet.MultiviewUNet(b.unet)))
    painter = multiview_sampler.MultiviewSampler(
        network, [v.camera_index for v in VIEWS], 2.0, pictures.Batching(), use_graph=False
    )
    plan = euler_ancestral(NoiseScheduleConfig(), 2)
    maps = b.latents(len(VIEWS), 1)
    painter(b.kept["tokens"], maps, maps, plan, b.draw(3))
    with record(activities=[ProfilerActivity.CUDA]) as recorded:
        painter(b.kept["tokens"], maps, maps, plan, b.draw(3))
        synchronise(b.device)
    rows = sorted(recorded.key_averages(), key=lambda row: -row.self_device_time_total)[:24]
    return {row.key[:90]: round(row.self_device_time_total / 2000, 3) for row in rows}


SECTIONS: tuple[tuple[str, Callable[[Bench], dict[str, Any]]], ...] = (
    ("kernels", kernels),
    ("largest attention", attention),
    ("delight", delighting),
    ("reference", reference),
    ("views", denoising),
    ("profile of a step", profile),
    ("unwrap", unwrapping),
    ("maps", mapping),
    ("bake", baking),
    ("rasters", same_rasters),
    ("fill", filling_up),
    ("export", export),
    ("two CPU threads", on_the_cpu),
)


def show(name: str, row: dict[str, Any], depth: int = 0) -> None:
    numbers = {key: value for key, value in row.items() if not isinstance(value, dict)}
    cells = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in numbers.items() if v != "")
    print(f"{'  ' * depth}{name}: {cells}", flush=True)
    for key, value in row.items():
        if isinstance(value, dict):
            show(key, value, depth + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="sections to run, with commas between")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.backends.cudnn.benchmark = False
    bench = Bench(options)
    machine = torch.cuda.get_device_name(0) if bench.device.type == "cuda" else platform.processor()
    print(f"{machine}, PyTorch {torch.__version__}, {bench.dtype}", flush=True)
    wanted = [part.strip() for part in options.only.split(",") if part.strip()]
    for name, section in SECTIONS:
        if wanted and name not in wanted:
            continue
        start = time.perf_counter()
        try:
            bench.results[name] = section(bench)
        except Exception:  # noqa: BLE001 - the other sections still have something to say
            bench.results[name] = {"failed": traceback.format_exc(limit=-4)}
        bench.results[name]["section_s"] = time.perf_counter() - start
        show(name, bench.results[name])
    peaks = [_deepest(row) for row in bench.results.values()]
    print(f"highest peak allocated in any phase of the stage's own way: {max(peaks, default=0.0):.2f} GiB")
    if options.out:
        record = {"machine": machine, "torch": torch.__version__, "results": bench.results}
        options.out.write_text(json.dumps(record, indent=1) + "\n")


def _deepest(row: dict[str, Any]) -> float:
    others = ("uncaptured", "without our ")  # comparisons
    inner = [_deepest(value) for name, value in row.items() if isinstance(value, dict) and not name.startswith(others)]
    return max([float(row.get("peak_allocated_gib", 0.0)), *inner])


if __name__ == "__main__":
    main()
