"""Seconds and memory of TripoSG's shape stage at full size, with random weights, beside what the machine could do.

    python benchmarks/open_shape.py                     # on CUDA: 50 steps, grid 384, float16
    python benchmarks/open_shape.py --caps 5.2,3.2      # the stage also under hard caps of so many GiB
    python benchmarks/open_shape.py --tiny              # on the CPU in seconds, to try the script

Random weights make no surface, so decoding runs the network on every point asked for and then answers with an analytic
body in its place: the hierarchy and marching cubes meet a real surface, at the network's cost. The last sections run
the whole stage on checkpoints in the official layout, which are written first. Each section stands alone; one that
fails is reported and the others go on. A table goes to the screen, JSON to ``--out``.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np
import torch
from measuring import GIB, clean, synchronise
from random_weights import Draw, entries_of, write_json, write_safetensors
from shape import Bench, body, floors, kernels, table

from manymesh.settings import Settings
from manymesh.shape.common.dino import Dino
from manymesh.shape.common.flow import initial_noise
from manymesh.shape.common.grid_field import GridField
from manymesh.shape.common.surface import drop_small_components
from manymesh.shape.triposg import decode as decoding
from manymesh.shape.triposg import stage
from manymesh.shape.triposg.config import SchedulerConfig, TransformerConfig, VaeConfig
from manymesh.shape.triposg.memory import levels
from manymesh.shape.triposg.sampler import Sampler, reference_denoise
from manymesh.shape.triposg.schedule import schedule
from manymesh.shape.triposg.transformer import ShapeTransformer
from manymesh.shape.triposg.vae import ShapeDecoder

DINO = {"hidden_size": 1024, "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "image_size": 518}
DINO |= {"num_channels": 3, "mlp_ratio": 4, "qkv_bias": True, "use_swiglu_ffn": False, "layer_norm_eps": 1e-6}
TINY_DINO = DINO | {"hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}
# Condition tokens of a picture of 224 px, and latents.
CONDITION, TOKENS, GUIDANCE = 257, 2048, 7.0


class OpenBench(Bench):
    """What is measured, and where."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        tiny = options.tiny
        self.dino = TINY_DINO if tiny else DINO
        width = int(self.dino["hidden_size"])
        self.transformer = TransformerConfig(8, 64, 4, 3, width) if tiny else TransformerConfig()
        self.decoder = VaeConfig(8, 64, 4, 2) if tiny else VaeConfig()
        self.tokens = 64 if tiny else options.tokens
        self.caps = [float(cap) for cap in options.caps.split(",") if cap]
        self.tiny = tiny
        self.folder = Path(tempfile.mkdtemp(prefix="open-shape-"))

    def settings(self) -> Settings:
        device = () if self.device.type == "cuda" else ("cpu",)
        sizes: dict[str, Any] = {"steps": self.steps, "grid": self.grid, "tokens": self.tokens}
        return Settings(weights_dir=self.folder, devices=device, memory=self.budget_bytes >> 20, **sizes)


def encode(b: OpenBench) -> dict[str, Any]:
    network = b.build(lambda: Dino(b.dino))
    pixels = torch.randn(1, 3, 224, 224, device=b.device, dtype=b.dtype)
    with torch.inference_mode():
        row = b.timed(lambda: network(pixels))
    weights = sum(p.numel() for p in network.parameters())
    return {**row, **b.floor(2 * weights * CONDITION, weights * b.dtype.itemsize)}


def _denoise_operations(b: OpenBench, network: ShapeTransformer) -> float:
    """Of all steps, with the unconditional row's cross attention left out."""
    count, width = b.tokens + 1, b.transformer.width
    cross = sum(p.numel() for n, p in network.named_parameters() if "attn2" in n)
    context = sum(p.numel() for n, p in network.named_parameters() if "attn2.to_k" in n or "attn2.to_v" in n)
    time_token = sum(p.numel() for n, p in network.named_parameters() if n.startswith("time_proj"))
    shared = sum(p.numel() for p in network.parameters()) - cross - time_token
    pairs = b.transformer.layers * 4 * width * (2 * count**2 + count * CONDITION)
    return b.steps * (2 * count * (2 * shared + cross - context) + pairs)


def denoise(b: OpenBench) -> dict[str, Any]:
    network = b.build(lambda: ShapeTransformer(b.transformer))
    condition = torch.randn(1, CONDITION, b.transformer.context_width, device=b.device, dtype=b.dtype)
    size = (1, b.tokens, b.transformer.in_channels)
    start = initial_noise(0, size, device=b.device, dtype=torch.float32).to(b.dtype)
    plan = schedule(SchedulerConfig(), b.steps)
    out: dict[str, Any] = b.floor(_denoise_operations(b, network))
    sizes: dict[str, Any] = {"condition_tokens": CONDITION, "latents": b.tokens, "guidance": GUIDANCE}
    made = {}
    for name, one_pass in (("one_pass", True), ("two_passes", False)):
        sampler = Sampler(network, one_pass=one_pass, **sizes)
        out[name] = b.timed(lambda sampler=sampler: sampler(condition, start, plan))
        out[f"{name}_capture_failure"] = sampler.capture_failure
        made[name] = sampler(condition, start, plan).float()
        del sampler
        clean()
    short = schedule(SchedulerConfig(), min(b.steps, 5))
    eager = Sampler(network, use_graph=False, **sizes)
    out["five_steps_uncaptured"] = b.timed(lambda: eager(condition, start, short), 1)
    out["five_steps_official_loop"] = b.timed(lambda: reference_denoise(network, condition, start, short, GUIDANCE), 1)
    slow = reference_denoise(network, condition, start, short, GUIDANCE).float()
    out["five_steps_difference"] = float((eager(condition, start, short).float() - slow).norm() / slow.norm())
    out["passes_difference"] = float((made["one_pass"] - made["two_passes"]).norm() / made["one_pass"].norm())
    with torch.inference_mode():
        out["kernels_of_a_step"] = kernels(b, eager.step)
    return out


def attention(b: OpenBench) -> dict[str, Any]:
    """Which of torch's attention kernels is fastest for the shapes used: denoising, and points against tokens."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    heads, width = b.transformer.heads, b.transformer.width // b.transformer.heads
    points, point_heads = max(b.budget_bytes >> 15, 256), b.decoder.heads
    shapes = {"self": (2, heads, b.tokens + 1, b.tokens + 1), "cross": (1, heads, b.tokens + 1, CONDITION)}
    shapes["points"] = (1, point_heads, points, b.tokens)
    out: dict[str, Any] = {}
    for name, (rows, count, queries, keys) in shapes.items():
        q = torch.randn(rows, queries, count, width, device=b.device, dtype=b.dtype).transpose(1, 2)
        k, v = torch.randn(2, rows, keys, count, width, device=b.device, dtype=b.dtype).transpose(2, 3)
        for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, None):
            label = "default" if backend is None else backend.name.lower()

            def run(backend: Any = backend, q: Any = q, k: Any = k, v: Any = v) -> None:
                for _ in range(20):
                    if backend is None:
                        torch.nn.functional.scaled_dot_product_attention(q, k, v)
                        continue
                    with sdpa_kernel(backend):
                        torch.nn.functional.scaled_dot_product_attention(q, k, v)

            try:
                out[f"{name}_{label}_us"] = b.timed(run, 3)["least_s"] / 20 * 1e6
            except RuntimeError as error:
                out[f"{name}_{label}_us"] = str(error).splitlines()[0]
    return out


def tokens(b: OpenBench) -> dict[str, Any]:
    network = b.build(lambda: ShapeDecoder(b.decoder))
    latents = torch.randn(1, b.tokens, b.decoder.latent_channels, device=b.device, dtype=b.dtype)
    with torch.inference_mode():
        row = b.timed(lambda: network.keys_values(network(latents)))
    weights = sum(p.numel() for p in network.decoder.blocks[:-1].parameters())
    pairs = b.decoder.layers * 4 * b.decoder.width * b.tokens**2
    return {**row, **b.floor(2 * weights * b.tokens + pairs, weights * b.dtype.itemsize)}


class BodyField(GridField):
    """The network's cost, the body's shape."""

    points = 0

    def __call__(self, index: torch.Tensor, resolution: int) -> torch.Tensor:
        answer = super().__call__(index, resolution)
        BodyField.points += len(index)
        # 0 * answer keeps the two tied without changing a value.
        return body(index.float() * (2 * self.bounds / resolution) - self.bounds) + 0 * answer.nan_to_num(0, 0, 0)


def decode(b: OpenBench) -> dict[str, Any]:
    """Latents to a mesh in the network's box, the tokens included."""
    network = b.build(lambda: ShapeDecoder(b.decoder))
    latents = torch.randn(1, b.tokens, b.decoder.latent_channels, device=b.device, dtype=b.dtype)
    made: list[Any] = []

    def run() -> None:
        BodyField.points = 0
        made[:] = [decoding.decode(network, latents, "sparse", b.grid, b.budget_bytes, lambda done: None)[0]]

    with mock.patch.object(decoding, "GridField", BodyField):
        out = b.timed(run)
        field = decoding.field_on_grid(network, network.keys_values(network(latents)), b.budget_bytes)
        index = torch.randint(0, b.grid, (1 << (12 if b.device.type == "cpu" else 17), 3), device=b.device)
        out["kernels_of_131072_points"] = kernels(b, lambda: field(index, b.grid))
    width = b.decoder.width
    each = 2.0 * (10 * width * width + 2 * b.tokens * width)
    out |= {"points": BodyField.points, "share_of_dense": BodyField.points / (b.grid + 1) ** 3}
    out |= {"vertices": len(made[0].vertices), "faces": len(made[0].faces)}
    b.results["mesh"] = made[0]
    return out | b.floor(BodyField.points * each)


def tidy(b: OpenBench) -> dict[str, Any]:
    """What follows on the host: small components dropped, the mesh brought into the canonical frame."""
    from manymesh.mesh.normalise import normalise

    return b.timed(lambda: normalise(drop_small_components(b.results["mesh"])))


def write(b: OpenBench) -> dict[str, Any]:
    """The checkpoint in the official layout, float32, with random weights."""
    folder, start = b.folder / "triposg", time.perf_counter()
    transformer = {"_class_name": "TripoSGDiTModel", "num_attention_heads": b.transformer.heads}
    transformer |= {"width": b.transformer.width, "in_channels": b.transformer.in_channels}
    transformer |= {"num_layers": b.transformer.layers, "cross_attention_dim": b.transformer.context_width}
    vae = {"_class_name": "Tripo2VAEModel", "latent_channels": b.decoder.latent_channels}
    vae |= {"num_attention_heads": b.decoder.heads, "width_decoder": b.decoder.width}
    vae |= {"num_layers_decoder": b.decoder.layers, "embed_frequency": b.decoder.frequencies}
    write_json(folder / "transformer" / "config.json", transformer)
    write_json(folder / "vae" / "config.json", vae)
    write_json(folder / "image_encoder_dinov2" / "config.json", b.dino)
    write_json(folder / "feature_extractor_dinov2" / "preprocessor_config.json", {})
    write_json(folder / "scheduler" / "scheduler_config.json", {"num_train_timesteps": 1000, "shift": 1})
    draw = Draw(b.device)
    for part, file, build in (
        ("transformer", "diffusion_pytorch_model", lambda: ShapeTransformer(b.transformer)),
        ("vae", "diffusion_pytorch_model", lambda: ShapeDecoder(b.decoder)),
        ("image_encoder_dinov2", "model", lambda: Dino(b.dino)),
    ):
        write_safetensors(folder / part / f"{file}.safetensors", entries_of(build), draw, torch.float32)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"gigabytes": total / 1e9, "seconds": time.perf_counter() - start}


class Phases:
    """Seconds and peak memory of named parts. What a part takes is not counted in the one around it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.rows: dict[str, dict[str, float]] = {}
        self._inner: list[float] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        row = self.rows.setdefault(name, {"seconds": 0.0, "peak_gib": 0.0, "reserved_gib": 0.0})
        synchronise(self.device)
        self._inner.append(0.0)
        start = time.perf_counter()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        try:
            yield
        finally:
            synchronise(self.device)
            took = time.perf_counter() - start
            row["seconds"] += took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took
            if self.device.type == "cuda":
                peaks = (torch.cuda.max_memory_allocated(self.device), torch.cuda.max_memory_reserved(self.device))
                row["peak_gib"] = max(row["peak_gib"], peaks[0] / GIB)
                row["reserved_gib"] = max(row["reserved_gib"], peaks[1] / GIB)

    def around(self, function: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        def timed(*arguments: Any, **more: Any) -> Any:
            with self.part(name(*arguments)):
                return function(*arguments, **more)

        return timed


def ball() -> Any:
    """A cutout of 512 px with a coloured disc."""
    from manymesh.types import Box, Cutout

    y, x = np.mgrid[:512, :512]
    rgba = np.full((512, 512, 4), 180, np.uint8)
    rgba[..., 0] = x // 2
    rgba[..., 3] = np.where((x - 256) ** 2 + (y - 256) ** 2 < 200**2, 255, 0)
    return Cutout(rgba, Box(0, 0, 512, 512), "ball")


def run_stage(b: OpenBench, objects: int, level: str = "") -> dict[str, Any]:
    """The opened stage as a run uses it: ``objects`` cutouts, each phase with its seconds and peak. ``level``: the
    name of a way to use memory; "" is what fits."""
    phases = Phases(b.device)
    model = stage.ShapeModel
    settings = b.settings()
    asked = next((one for one in levels(settings) if one.name == level), None)
    cutouts = [ball() for _ in range(objects)]
    cutouts = [type(one)(one.rgba, one.window, f"ball {number}") for number, one in enumerate(cutouts)]
    times = []
    with (
        mock.patch.object(decoding, "GridField", BodyField),
        mock.patch.object(stage, "load_part", phases.around(stage.load_part, lambda *a: f"load {a[2]}")),
        mock.patch.object(model, "_encode", phases.around(model._encode, lambda *a: "encode")),
        mock.patch.object(model, "_denoise", phases.around(model._denoise, lambda *a: "denoise")),
        mock.patch.object(model, "_decode", phases.around(model._decode, lambda *a: "decode")),
        phases.part("around them"),
        stage.open_shape(settings, asked) as shape,
    ):
        shape.begin(cutouts)
        for number, cutout in enumerate(cutouts):
            start = time.perf_counter()
            shape(cutout, seed=number, tick=lambda done: None)
            synchronise(b.device)
            times.append(time.perf_counter() - start)
        used = {"together": shape.together, "one_pass": shape.one_pass, "chunk_bytes": shape.chunk_bytes}
    return {"objects_s": times, "level": asked and asdict(asked), "used": used, "phases": phases.rows}


def whole(b: OpenBench) -> dict[str, Any]:
    """One object, which waits for loading and for kernels; then three objects at each level of memory."""
    out: dict[str, Any] = {"first": run_stage(b, 1)}
    for level in ("together", "in-turn", "rows-in-turn"):
        clean()
        out[level] = run_stage(b, 3, level)
    return out


def capped(b: OpenBench) -> dict[str, Any]:
    """The same under hard caps: what does not fit dies."""
    out: dict[str, Any] = {}
    if b.device.type != "cuda":
        return {"note": "caps need a GPU"}
    total = torch.cuda.get_device_properties(b.device).total_memory
    for cap in b.caps:
        clean()
        torch.cuda.set_per_process_memory_fraction(cap * GIB / total, 0)
        fitting = [level for level in levels(b.settings()) if level.reserved_bytes <= cap * GIB]
        try:
            out[f"{cap} GiB"] = run_stage(b, 2, fitting[0].name)
        except Exception:  # noqa: BLE001 - one cap that is too small must not cost the others
            out[f"{cap} GiB"] = {"error": traceback.format_exc()}
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0, 0)
    return out


SECTIONS: dict[str, Callable[[OpenBench], dict[str, Any]]] = {
    "floors": floors,
    "encode": encode,
    "attention": attention,
    "denoise": denoise,
    "tokens": tokens,
    "decode": decode,
    "tidy": tidy,
    "write": write,
    "whole": whole,
    "capped": capped,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--dtype", default="float16", choices=["float16", "float32"])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--grid", type=int, default=384)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--budget-mib", type=int, default=512, help="working memory of the point decoder")
    parser.add_argument("--caps", default="5.2,3.2", help="hard caps of GPU memory to try the stage under, GiB")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    options = parser.parse_args()
    bench = OpenBench(options)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if bench.device.type == "cuda" else platform.processor() or "cpu",
        "dtype": str(bench.dtype),
        "steps": bench.steps,
        "grid": bench.grid,
        "tokens": bench.tokens,
        "weights": "random",
        "sections": {},
    }
    try:
        for name, section in SECTIONS.items():
            start = time.perf_counter()
            print(f"... {name}", flush=True)
            try:
                report["sections"][name] = section(bench)
            except Exception:  # noqa: BLE001 - a section that fails must not cost the others
                report["sections"][name] = {"error": traceback.format_exc()}
            report["sections"][name]["took_s"] = time.perf_counter() - start
            clean()
            if options.out:
                options.out.write_text(json.dumps(report, indent=1, default=str) + "\n")
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    print(table(report))
    for name, row in report["sections"].items():
        print(json.dumps({name: {key: value for key, value in row.items() if key != "error"}}, default=str))
        if "error" in row:
            print(row["error"])
    return int(any("error" in row for row in report["sections"].values()))


if __name__ == "__main__":
    sys.exit(main())
