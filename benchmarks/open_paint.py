"""Seconds and memory of MV-Adapter's paint stage at full size, with random weights.

    python benchmarks/open_paint.py                     # on CUDA: both bases, 30 steps, float16
    python benchmarks/open_paint.py --bases sd21 --caps 3.5,3.0   # also under hard caps of so many GiB
    python benchmarks/open_paint.py --tiny              # on the CPU in seconds, to try the script

Checkpoints in the official layout are written first, with random numbers. The stage then runs as a user's run does: it
is opened, reads the cutout and paints a bumpy ball of 40,000 faces, twice, so that the second object shows what is left
when everything is loaded. The seconds and the peak of memory of each part are the stage's own laps. The pictures are
noise. Aims on an H200, for Stable Diffusion 2.1: at most 2.5 s from the cutout to the texture once loaded, and at most
2.8 GiB. Each base stands alone; one that fails is reported and the others go on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np
import torch
from measuring import GIB, Part, clean, guarded, synchronise
from random_weights import Draw, entries_of, write_json, write_safetensors

from manymesh.box import Box
from manymesh.mesh.unwrap.unwrap import unwrap
from manymesh.paint import stage_timer
from manymesh.paint.diffusion import norm
from manymesh.paint.diffusion.image_vae import ImageVae
from manymesh.paint.diffusion.text_encoder import TextEncoder
from manymesh.paint.mvadapter import STAGE, stage
from manymesh.paint.mvadapter.adapter import AdaptedUNet, AttentionAdapter, official_name
from manymesh.paint.mvadapter.checkpoint import Checkpoint
from manymesh.paint.mvadapter.condition_encoder import ConditionEncoder, encoder_config
from manymesh.paint.mvadapter.models import BASES
from manymesh.render.camera import orthographic
from manymesh.settings import Settings
from manymesh.stages import Level
from manymesh.types import Atlas, Cutout, Mesh

# Operations of a whole run with 30 steps, in TFLOP, as the specification of the networks counts them.
TFLOP = {"sd21": 356.0, "sdxl": 1647.0}
COMMON = {
    "act_fn": "silu",
    "use_linear_projection": True,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "norm_eps": 1e-5,
}
SD_BLOCKS = {
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}
XL_BLOCKS = {
    "down_block_types": ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2,
    "up_block_types": ["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"],
    "addition_embed_type": "text_time",
}
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "epsilon"}
VAE = {"latent_channels": 4, "layers_per_block": 2, "in_channels": 3, "out_channels": 3, "act_fn": "silu"}
WORDS = {"!": 0, "<|startoftext|>": 1, "<|endoftext|>": 2}
ENDS = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "!"}


def sizes(name: str, tiny: bool) -> dict[str, Any]:
    """What is written into the config.json of the UNet, of each text encoder and of the autoencoder."""
    text = {"max_position_embeddings": 77, "vocab_size": 49408}
    if name == "sd21":
        unet = {"block_out_channels": [320, 640, 1280, 1280], "attention_head_dim": [5, 10, 20, 20]}
        unet |= {"cross_attention_dim": 1024, "norm_num_groups": 32}
        texts = [(1024, 4096, 23, 16, "gelu")]
    else:
        unet = {"block_out_channels": [320, 640, 1280], "attention_head_dim": [5, 10, 20], "norm_num_groups": 32}
        unet |= {"cross_attention_dim": 2048, "transformer_layers_per_block": [1, 2, 10]}
        unet |= {"addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816}
        texts = [(768, 3072, 12, 12, "quick_gelu"), (1280, 5120, 32, 20, "gelu")]
    vae: dict[str, Any] = {"block_out_channels": [128, 256, 512, 512], "norm_num_groups": 32}
    if tiny:
        widths = [8, 16, 16, 16]
        unet |= {"block_out_channels": widths, "attention_head_dim": [1, 2, 2, 2], "norm_num_groups": 4}
        unet |= {"cross_attention_dim": 24}
        texts, vae = [(24, 48, 2, 2, "gelu")], {"block_out_channels": [8, 8, 16, 16], "norm_num_groups": 4}
        if name == "sdxl":
            unet |= {"block_out_channels": widths[:3], "attention_head_dim": [1, 2, 2], "cross_attention_dim": 48}
            unet |= {"addition_time_embed_dim": 4, "projection_class_embeddings_input_dim": 40}
            texts = [(24, 48, 2, 2, "gelu"), (24, 48, 2, 2, "gelu")]
    named = []
    for width, inner, layers, heads, act in texts:
        about = {"hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers}
        more = {"num_attention_heads": heads, "hidden_act": act, "projection_dim": 16 if tiny else 1280}
        named.append(text | about | more)
    blocks = SD_BLOCKS if name == "sd21" else XL_BLOCKS
    return {"unet": COMMON | unet | blocks, "texts": named, "vae": VAE | vae}


def write_base(root: Path, name: str, draw: Draw, tiny: bool) -> Checkpoint:
    """Base, adapter and autoencoder below ``root``, as ``--weights-dir`` wants them."""
    base, size = BASES[name], sizes(name, tiny)
    folder, vae = root / base.base, root / base.vae if base.vae else None
    here = Checkpoint(folder, root / base.adapter / base.adapter_file, vae, base.xl)
    write_json(folder / "scheduler" / "scheduler_config.json", NOISE | {"steps_offset": 1})
    write_json(folder / "unet" / "config.json", size["unet"])
    write_json((vae or folder / "vae") / "config.json", size["vae"] | ({"scaling_factor": 0.13025} if vae else {}))
    suffix = "diffusion_pytorch_model.fp16.safetensors"
    config = here.unet_config
    write_safetensors(folder / "unet" / suffix, entries_of(lambda: AdaptedUNet(config)), draw)
    autoencoder = entries_of(lambda: ImageVae(here.vae_config))
    if vae is None:
        write_safetensors(folder / "vae" / suffix, autoencoder, draw)
    else:
        write_safetensors(vae / "diffusion_pytorch_model.safetensors", autoencoder, draw, torch.float32)
    for number, (part, tokenizer) in enumerate(here.text_parts):
        write_json(folder / part / "config.json", size["texts"][number])
        from manymesh.paint.diffusion.config import read_text

        text = read_text(folder, part, projects=number == 1)
        entries = [
            (key if key.startswith("text_projection") else f"text_model.{key}", shape)
            for key, shape in entries_of(lambda text=text: TextEncoder(text))  # type: ignore[misc]
        ]
        write_safetensors(folder / part / "model.fp16.safetensors", entries, draw)
        for file, content in (("vocab", WORDS), ("tokenizer_config", {}), ("special_tokens_map", ENDS)):
            write_json(folder / tokenizer / f"{file}.json", content)
        (folder / tokenizer / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    write_safetensors(here.adapter, list(adapter_entries(config)), draw, torch.float32)
    return here


def adapter_entries(config: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of an adapter's tensors, as published."""
    for key, shape in entries_of(lambda: AttentionAdapter(config)):
        _, block, kind, layer, rest = key.split(".", 4)
        yield f"{official_name(block)}.processor.{layer}_{kind}.{rest}", shape
    yield from entries_of(lambda: ConditionEncoder(encoder_config(config)), "adapter.")


class Laps(stage_timer.StageTimer):
    """The stage's own laps, with the peak of device memory in each."""

    device = torch.device("cpu")
    peaks: dict[str, dict[str, float]] = {}  # noqa: RUF012 - of the latest object

    def __init__(self) -> None:
        super().__init__()
        Laps.peaks = {}
        self._fresh()

    def lap(self, name: str) -> None:
        synchronise(self.device)
        super().lap(name)
        if self.device.type == "cuda":
            Laps.peaks[name] = {
                "allocated_gib": round(torch.cuda.max_memory_allocated() / GIB, 3),
                "reserved_gib": round(torch.cuda.max_memory_reserved() / GIB, 3),
            }
        self._fresh()

    def _fresh(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()


def body(steps: int, texture_px: int) -> tuple[Mesh, Atlas]:
    """A bumpy ball of 12 * steps ** 2 faces, and its charts."""
    sides = [((0, 0, 1), (1, 0, 0)), ((1, 0, 0), (0, 0, -1)), ((0, 0, -1), (-1, 0, 0))]
    sides += [((-1, 0, 0), (0, 0, 1)), ((0, 1, 0), (1, 0, 0)), ((0, -1, 0), (1, 0, 0))]
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : (steps + 1) * 1j, -1 : 1 : (steps + 1) * 1j])
    corner = (np.arange(steps)[:, None] * (steps + 1) + np.arange(steps)).ravel()
    quads = [[corner, corner + 1, corner + steps + 2], [corner, corner + steps + 2, corner + steps + 1]]
    grid = np.concatenate([np.stack(quad, axis=1) for quad in quads])
    points, faces = [], []
    for number, (normal, right) in enumerate(sides):
        up = np.cross(normal, right)
        points.append(np.array(normal) + x[:, None] * np.array(right) + y[:, None] * up)
        faces.append(grid + number * len(x))
    flat = np.concatenate(points)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    place, first = np.unique(np.round(unit, 6), axis=0, return_inverse=True)
    bumps = 1 + 0.08 * np.sin(7 * place[:, 0]) * np.sin(6 * place[:, 1] + 2 * place[:, 2])
    place = place * bumps[:, None]
    mesh = Mesh((place / np.abs(place).max()).astype(np.float32), first.ravel()[np.concatenate(faces)].astype(np.int32))
    return mesh, unwrap(mesh, texture_px)


def cutout(number: int) -> Cutout:
    y, x = np.mgrid[:768, :768]
    rgba = np.zeros((768, 768, 4), np.uint8)
    rgba[..., 0], rgba[..., 1], rgba[..., 2] = x // 3, y // 3, 120
    rgba[..., 3] = np.where((x - 384) ** 2 + (y - 384) ** 2 < 330**2, 255, 0)
    return Cutout(rgba, Box(0, 0, 768, 768), f"ball {number}")


@contextmanager
def capped(device: torch.device, gib: float | None) -> Iterator[None]:
    """The allocator may not take more than so much of the device."""
    if gib is None or device.type != "cuda":
        yield
        return
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(min(gib * GIB / total, 1.0), 0)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)


def run(settings: Settings, level: Level, mesh: Mesh, atlas: Atlas, objects: int = 2) -> dict[str, Any]:
    """The stage as it is opened in a run: seconds and peaks by part, for each object."""
    found: dict[str, Any] = {"level": level.name, "predicted_reserved_gib": round(level.reserved_bytes / GIB, 3)}
    started = time.perf_counter()
    with mock.patch.object(stage, "StageTimer", Laps), STAGE.open_at(settings, level) as paint:
        paint.begin([cutout(number) for number in range(objects)], tick=lambda done: None)
        synchronise(Laps.device)
        found["begin_s"] = round(time.perf_counter() - started, 3)
        for number in range(objects):
            started = time.perf_counter()
            made = paint(mesh, orthographic(1.2), cutout(number), seed=1, tick=lambda done: None, atlas=atlas)
            synchronise(Laps.device)
            whole = round(time.perf_counter() - started, 3)
            found[f"object {number + 1}"] = {
                "whole_s": whole,
                "seconds": made.details["seconds"],
                "peaks": dict(Laps.peaks),
                "highest_reserved_gib": max((peak["reserved_gib"] for peak in Laps.peaks.values()), default=0.0),
                "highest_allocated_gib": max((peak["allocated_gib"] for peak in Laps.peaks.values()), default=0.0),
                "painted": made.details["painted"],
                "texture_std": round(float(made.base_color.std()), 2),
            }
        found["notes"] = list(made.notes)
    clean()
    return found


def measure(name: str, device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """One base: written, then run at each level of memory, and under each cap."""
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    wishes: dict[str, Any] = {"paint_steps": options.steps, "texture_size": options.texture}
    if options.tiny:
        wishes |= {"paint_steps": 2, "paint_view_size": 64, "texture_size": 128}
    settings = Settings(
        weights_dir=folder,
        devices=(device.type,),
        paint_base=name,
        paint_memory="high",
        **wishes,  # type: ignore[arg-type]
    )
    found: dict[str, Any] = {}
    try:
        started = time.perf_counter()
        write_base(folder, name, Draw(device), options.tiny)
        found["written_s"] = round(time.perf_counter() - started, 1)
        mesh, atlas = body(6 if options.tiny else 58, int(wishes["texture_size"]))
        found["faces"] = len(mesh.faces)
        levels = {level.name: level for level in STAGE.levels(settings)}

        def part(level: Level, objects: int) -> Part:
            return lambda *_: run(settings, level, mesh, atlas, objects)

        for level in ("captured", "in-turn") if options.tiny else levels:
            print(f"... {name} {level}", flush=True)
            found[level] = guarded(f"{name} {level}", part(levels[level], 2), device, options)
        for cap in options.caps:
            with capped(device, cap):
                found[f"cap {cap} GiB"] = guarded(f"cap {cap}", part(levels["in-turn"], 1), device, options)
        views = found.get("captured", {}).get("object 2", {}).get("seconds", {}).get("views")
        if views and not options.tiny:
            found["tflop_per_s"] = round(TFLOP[name] * options.steps / 30 / views, 1)
        found["kernels"] = norm.KERNELS.trouble or "fused kernels used"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--bases", default="sd21,sdxl")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--texture", type=int, default=2048)
    parser.add_argument("--caps", default="", help="GiB, with commas between")
    parser.add_argument("--folder", type=Path, default=None, help="where the checkpoints are written for a while")
    parser.add_argument("--out", type=Path, default=Path("open_paint.json"))
    options = parser.parse_args()
    options.caps = [float(cap) for cap in options.caps.split(",") if cap]
    device = torch.device("cpu" if options.tiny else "cuda")
    Laps.device = device
    found: dict[str, Any] = {"torch": torch.__version__, "weights": "random"}
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    for name in options.bases.split(","):
        found[name] = guarded(name, lambda *_, n=name: measure(n, device, options), device, options)  # type: ignore[misc]
        options.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        show(name, found[name])
    print(options.out.read_text("utf-8") if options.tiny else f"written: {options.out}")


def show(name: str, found: dict[str, Any]) -> None:
    """A table of one base for the screen."""
    if "error" in found:
        print(f"{name}: {found['error']}\n{found.get('where', '')}")
        return
    print(f"{name}: written in {found['written_s']} s, {found['faces']} faces, {found.get('tflop_per_s')} TFLOP/s")
    for level, numbers in found.items():
        if not isinstance(numbers, dict):
            continue
        if "error" in numbers:
            print(f"  {level}: {numbers['error']}")
            continue
        print(f"  {level}: begin {numbers['begin_s']} s, predicted {numbers['predicted_reserved_gib']} GiB reserved")
        for key in ("object 1", "object 2"):
            if key in numbers:
                one = numbers[key]
                laps = ", ".join(f"{lap} {s}" for lap, s in one["seconds"].items())
                print(f"    {key}: {one['whole_s']} s ({laps})")
                print(f"      {one['highest_allocated_gib']} GiB allocated, {one['highest_reserved_gib']} reserved")
                for lap, peak in one["peaks"].items():
                    print(f"        {lap}: {peak['allocated_gib']} / {peak['reserved_gib']} GiB")
        for note in numbers.get("notes", []):
            print(f"    note: {note}")


if __name__ == "__main__":
    main()
