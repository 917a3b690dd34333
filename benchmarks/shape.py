"""Seconds and memory of the shape stage at full size, with random weights, beside what the machine could do.

    python benchmarks/shape.py                     # on CUDA: 2mini, 50 steps, grid 384, float16
    python benchmarks/shape.py --dense             # also every point of the grid, for comparison
    python benchmarks/shape.py --tiny              # on the CPU in seconds, to try the script

Random weights make no surface, so decoding runs the network on every point asked for and then answers with an analytic
body in its place: the hierarchy and marching cubes meet a real surface, at the network's cost. Each section stands
alone; one that fails is reported and the others go on. A table goes to the screen, JSON to ``--out``.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import torch
from measuring import clean, timed

from manymesh.shape.common.flow import initial_noise
from manymesh.shape.common.marching_cubes_torch import march_cells
from manymesh.shape.common.sparse import SparseVolume, dense_volume, sparse_volume
from manymesh.shape.hunyuan.conditioner import Conditioner
from manymesh.shape.hunyuan.config import ConditionerConfig, DitConfig, SchedulerConfig, ShapeVaeConfig
from manymesh.shape.hunyuan.dit import Dit
from manymesh.shape.hunyuan.flow_schedule import flow_schedule
from manymesh.shape.hunyuan.grid_decoder import GridDecoder
from manymesh.shape.hunyuan.sampler import Sampler, reference_denoise
from manymesh.shape.hunyuan.vae import ShapeVae
from manymesh.shape.hunyuan.volume import dense_grid, network_field

DINO = {"hidden_size": 1536, "num_attention_heads": 24, "num_hidden_layers": 40, "patch_size": 14, "image_size": 518}
DINO |= {"mlp_ratio": 4, "qkv_bias": True, "use_swiglu_ffn": True}
TINY_DINO = DINO | {"hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}


class Bench:
    """What is measured, and where."""

    def __init__(self, options: argparse.Namespace) -> None:
        tiny = options.tiny
        self.device = torch.device("cpu" if tiny else "cuda")
        self.dtype = torch.float32 if tiny else getattr(torch, options.dtype)
        self.steps, self.grid = (4, 48) if tiny else (options.steps, options.grid)
        self.repeats = 2 if tiny else options.repeats
        self.budget_bytes = options.budget_mib << 20
        self.conditioner = ConditionerConfig(TINY_DINO if tiny else DINO)
        width = int(self.conditioner.dino["hidden_size"])
        self.dit = DitConfig(context_in_dim=width, depth=8, depth_single_blocks=16)
        self.vae = ShapeVaeConfig(include_pi=False, qkv_bias=False, qk_norm=True)
        if tiny:
            self.dit = DitConfig(8, width, 48, num_heads=3, depth=2, depth_single_blocks=3)
            self.vae = ShapeVaeConfig(32, 8, 8, False, 4, 64, 2, False, True)
        self.results: dict[str, Any] = {}
        self.rate = self.bandwidth = math.nan

    def build(self, make: Callable[[], Any]) -> Any:
        """A network with random weights of a sane size, made where it is used."""
        with torch.device("meta"):
            network = make()
        network = network.to(self.dtype).to_empty(device=self.device)
        generator = torch.Generator(self.device).manual_seed(0)
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1:
                parameter.data.normal_(0, 1 / math.sqrt(parameter[0].numel()), generator=generator)
            else:
                parameter.data.fill_(0.0 if name.endswith("bias") else 1.0)
        return network.eval().requires_grad_(False)

    def timed(self, run: Callable[[], Any], repeats: int | None = None) -> dict[str, Any]:
        return timed(run, self.device, self.repeats if repeats is None else repeats)

    def floor(self, operations: float = 0.0, moved_bytes: float = 0.0) -> dict[str, float]:
        seconds = max(operations / self.rate, moved_bytes / self.bandwidth)
        return {"operations": operations, "floor_s": seconds}


def floors(b: Bench) -> dict[str, Any]:
    """What a large matrix product and a large copy reach here."""
    n = 512 if b.device.type == "cpu" else 8192
    x = torch.randn(n, n, device=b.device, dtype=b.dtype)
    product = b.timed(lambda: x @ x, 10)
    big = torch.empty((1 << 24) if b.device.type == "cpu" else (1 << 30), device=b.device, dtype=torch.uint8)
    other = torch.empty_like(big)
    copy = b.timed(lambda: other.copy_(big), 10)
    b.rate, b.bandwidth = 2 * n**3 / product["least_s"], 2 * big.numel() / copy["least_s"]
    return {"matmul_tflops": b.rate / 1e12, "copy_gb_s": b.bandwidth / 1e9}


def conditioner(b: Bench) -> dict[str, Any]:
    network = b.build(lambda: Conditioner(b.conditioner))
    image = torch.rand(1, 3, 512, 512) * 2 - 1
    row = b.timed(lambda: network(image))
    weights = sum(p.numel() for p in network.parameters())
    tokens = network(image).shape[1]
    b.results["tokens"] = tokens
    return {**row, **b.floor(2 * weights * tokens, weights * b.dtype.itemsize)}


def _start(b: Bench) -> tuple[Any, torch.Tensor, torch.Tensor, Any]:
    network = b.build(lambda: Dit(b.dit))
    tokens = b.results.get("tokens", 1370)
    condition = torch.randn(1, tokens, b.dit.context_in_dim, device=b.device, dtype=b.dtype)
    start = initial_noise(0, (1, b.vae.num_latents, b.dit.in_channels), device=b.device, dtype=b.dtype)
    return network, condition, start, flow_schedule(SchedulerConfig(), b.steps)


def _denoise_operations(b: Bench, network: Any, tokens: int) -> float:
    """Of all steps with the unconditional pass folded."""
    latents, rows = b.vae.num_latents, 0.0
    for block in network.double_blocks:
        for stream, count in (("img", 2 * latents), ("txt", tokens + 1)):
            parts = [p for n, p in block.named_parameters() if n.startswith((f"{stream}_attn", f"{stream}_mlp"))]
            rows += count * sum(p.numel() for p in parts)
    for block in network.single_blocks:
        rows += (2 * latents + tokens + 1) * (block.linear1.weight.numel() + block.linear2.weight.numel())
    blocks = len(network.double_blocks) + len(network.single_blocks)
    pairs = (latents + tokens) ** 2 + (latents + 1) ** 2
    return (2 * rows + blocks * 4 * pairs * b.dit.hidden_size) * (b.steps - 1)


def denoise(b: Bench) -> dict[str, Any]:
    network, condition, start, plan = _start(b)
    size = {"condition_tokens": condition.shape[1], "latents": start.shape[1], "guidance": 5.0}
    out: dict[str, Any] = b.floor(_denoise_operations(b, network, condition.shape[1]))
    captured = Sampler(network, **size)
    out["captured"] = b.timed(lambda: captured(condition, start, plan))
    out["capture_failure"] = captured.capture_failure
    fast = captured(condition, start, plan)
    eager = Sampler(network, **size, use_graph=False)
    out["uncaptured"] = b.timed(lambda: eager(condition, start, plan), 1)
    out["official_loop"] = b.timed(lambda: reference_denoise(network, condition, start, plan, 5.0), 1)
    slow = reference_denoise(network, condition, start, plan, 5.0)
    out["difference"] = float((fast.float() - slow.float()).abs().max() / slow.float().abs().max())
    with torch.inference_mode():
        out["kernels_of_a_step"] = kernels(b, eager.step)
    return out


def attention(b: Bench) -> dict[str, Any]:
    """Which of torch's attention kernels is fastest for the shapes used: denoising, and points against tokens."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    heads, width = b.dit.num_heads, b.dit.hidden_size // b.dit.num_heads
    guided = b.results.get("tokens", 1370) + b.vae.num_latents
    shapes = {"guided": (guided, guided), "points": (b.budget_bytes >> 15, b.vae.num_latents)}
    out: dict[str, Any] = {}
    for name, (queries, keys) in shapes.items():
        q = torch.randn(1, queries, heads, width, device=b.device, dtype=b.dtype).transpose(1, 2)
        k, v = torch.randn(2, 1, keys, heads, width, device=b.device, dtype=b.dtype).transpose(2, 3)
        for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, None):
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


def tokens(b: Bench) -> dict[str, Any]:
    network = b.build(lambda: ShapeVae(b.vae))
    latents = torch.randn(1, b.vae.num_latents, b.vae.embed_dim, device=b.device, dtype=b.dtype)
    with torch.inference_mode():
        row = b.timed(lambda: network.geo_decoder.keys_values(network(latents)))
    weights = sum(p.numel() for p in network.transformer.parameters())
    return {**row, **b.floor(2 * weights * b.vae.num_latents, weights * b.dtype.itemsize)}


def body(points: torch.Tensor) -> torch.Tensor:
    """A knobbly ball of radius 0.8 with a ball beside it and a thin plate: logits, ten for each unit of distance."""
    angle = 9 * points
    knobs = 0.04 * angle[:, 0].sin() * angle[:, 1].sin() * angle[:, 2].sin()
    ball = 0.75 - points.norm(dim=1) + knobs
    small = 0.1 - (points - points.new_tensor([0.86, 0.86, 0.86])).norm(dim=1)
    plate = torch.minimum(0.012 - points[:, 1].abs(), 0.95 - points[:, [0, 2]].abs().amax(dim=1))
    return 10 * torch.maximum(torch.maximum(ball, small), plate)


def _decoder(b: Bench) -> tuple[Any, Callable[[torch.Tensor, int], torch.Tensor], Any]:
    network = b.build(lambda: ShapeVae(b.vae))
    latents = torch.randn(1, b.vae.num_latents, b.vae.embed_dim, device=b.device, dtype=b.dtype)
    with torch.inference_mode():
        keys_values = network.geo_decoder.keys_values(network(latents))
    grid = GridDecoder(network.geo_decoder, keys_values, budget_bytes=b.budget_bytes)

    def field(index: torch.Tensor, resolution: int) -> torch.Tensor:
        answer = grid(index, resolution)
        # The network's cost, the body's shape: 0 * answer keeps the two tied without changing a value.
        return body(index.float() * (2.02 / resolution) - 1.01) + 0 * answer.nan_to_num(0, 0, 0)

    return network, field, keys_values


def _point_operations(b: Bench) -> float:
    width, keys = b.vae.width, b.vae.num_latents
    return 2.0 * (2 * width * width + 2 * 4 * width * width + 2 * keys * width)


def decode(b: Bench) -> dict[str, Any]:
    _, field, _ = _decoder(b)
    found: list[SparseVolume] = []

    def run() -> None:
        found.clear()
        found.append(sparse_volume(field, b.grid, min_resolution=min(63, b.grid // 4), device=b.device))

    out = b.timed(run)
    queries = found[0].queries
    out |= {"queries": queries, "share_of_dense": sum(queries) / (b.grid + 1) ** 3, "cells": len(found[0].cells)}
    out |= b.floor(sum(queries) * _point_operations(b))
    b.results["sparse"] = found[0]
    index = torch.randint(0, b.grid, (1 << (12 if b.device.type == "cpu" else 17), 3), device=b.device)
    out["kernels_of_131072_points"] = kernels(b, lambda: field(index, b.grid))
    return out


def extract(b: Bench) -> dict[str, Any]:
    found = b.results["sparse"]
    out = b.timed(lambda: march_cells(found.values, found.cells))
    vertices, faces = march_cells(found.values, found.cells)
    out |= {"vertices": len(vertices), "faces": len(faces)}
    try:
        from skimage.measure import marching_cubes
    except ImportError:
        out["scikit_image"] = "not installed"
        return out
    whole = found.values.nan_to_num(-1.0).cpu().numpy()
    start = time.perf_counter()
    marching_cubes(whole, 0.0)
    out["scikit_image_s"] = time.perf_counter() - start
    return out


def tidy(b: Bench) -> dict[str, Any]:
    """What follows on the host: small components dropped, the mesh brought into the canonical frame."""
    from manymesh.mesh.normalise import normalise
    from manymesh.shape.common.surface import drop_small_components
    from manymesh.types import Mesh

    found = b.results["sparse"]
    mesh = Mesh(*march_cells(found.values, found.cells))
    return b.timed(lambda: normalise(drop_small_components(mesh)))


def dense(b: Bench) -> dict[str, Any]:
    network, field, keys_values = _decoder(b)
    out: dict[str, Any] = b.floor((b.grid + 1) ** 3 * _point_operations(b))
    whole: list[SparseVolume] = []

    def run() -> None:
        whole.clear()
        whole.append(dense_volume(field, b.grid, device=b.device))

    out["on_the_grid"] = b.timed(run, 0)
    if "sparse" in b.results:
        out["same_cells"] = bool(torch.equal(whole[0].cells, b.results["sparse"].cells))
    official = network_field(network.geo_decoder, keys_values, b.budget_bytes)
    out["official_points"] = b.timed(lambda: dense_grid(official, b.grid, device=b.device), 0)
    return out


def kernels(b: Bench, run: Callable[[], Any], most: int = 14) -> list[str]:
    """The kernels that a call spends its time in: microseconds, calls, name."""
    if b.device.type != "cuda":
        return []
    from torch.profiler import ProfilerActivity, profile

    run()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        run()
        torch.cuda.synchronize()
    rows = sorted(seen.key_averages(), key=lambda row: -row.self_device_time_total)
    total = sum(row.self_device_time_total for row in rows)
    named = [f"{row.self_device_time_total:.0f} us in {row.count}: {row.key[:90]}" for row in rows[:most]]
    return [f"{total:.0f} us in all", *named]


SECTIONS = {
    "floors": floors,
    "conditioner": conditioner,
    "attention": attention,
    "denoise": denoise,
    "tokens": tokens,
    "decode": decode,
    "extract": extract,
    "tidy": tidy,
    "dense": dense,
}


def table(report: dict[str, Any]) -> str:
    lines = [f"{'section':<24}{'median s':>10}{'first s':>10}{'floor s':>10}{'peak GiB':>10}{'held GiB':>10}"]
    for name, row in report["sections"].items():
        rows = {"": row} | {f".{key}": value for key, value in row.items() if isinstance(value, dict)}
        for part, values in rows.items():
            if "error" in values:
                lines.append(f"{name + part:<24}{values['error'].splitlines()[-1]}")
            elif "median_s" in values:
                numbers = [values["median_s"], values["first_s"], values.get("floor_s", row.get("floor_s"))]
                numbers += [values.get("peak_allocated_gib"), values.get("held_gib")]
                cells = "".join(f"{number:>10.4f}" if number is not None else f"{'-':>10}" for number in numbers)
                lines.append(f"{name + part:<24}{cells}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--dense", action="store_true", help="decode every point too")
    parser.add_argument("--dtype", default="float16", choices=["float16", "bfloat16", "float32"])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--grid", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--budget-mib", type=int, default=512, help="working memory of the point decoder")
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    options = parser.parse_args()
    bench = Bench(options)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if bench.device.type == "cuda" else platform.processor() or "cpu",
        "dtype": str(bench.dtype),
        "steps": bench.steps,
        "grid": bench.grid,
        "sections": {},
    }
    for name, section in SECTIONS.items():
        if name == "dense" and not (options.dense or options.tiny):
            continue
        start = time.perf_counter()
        try:
            report["sections"][name] = section(bench)
        except Exception:  # noqa: BLE001 - a section that fails must not cost the others
            report["sections"][name] = {"error": traceback.format_exc()}
        report["sections"][name]["took_s"] = time.perf_counter() - start
        clean()
    print(table(report))
    for name, row in report["sections"].items():
        print(json.dumps({name: {key: value for key, value in row.items() if key != "error"}}, default=str))
        if "error" in row:
            print(row["error"])
    if options.out:
        options.out.write_text(json.dumps(report, indent=1, default=str) + "\n")
    return int(any("error" in row for row in report["sections"].values()))


if __name__ == "__main__":
    sys.exit(main())
