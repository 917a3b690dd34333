"""Parity of the shape stage: rows for ``python -m manymesh.dev.parity DIR`` (networks and geometry stand beside it).

Everything is read from the manifest and the checkpoints' own configuration, so fixtures of other widths, depths and
seeds run as they are. All of it is float32 on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity import Row, checked, compare, failed
from manymesh.shape.hunyuan.config import read_shape_config, read_vae_config

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Fixture:
    """One entry of the manifest with its tensors."""

    folder: Path
    entry: dict[str, Any]
    tensors: Arrays
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.entry["id"])

    @property
    def config(self) -> dict[str, Any]:
        return self.entry.get("config") or {}

    @property
    def shared(self) -> dict[str, str]:
        """The manifest's checkpoints: what each is for, to its folder."""
        return dict(self.manifest["checkpoints"])

    def other_config(self, name: str) -> dict[str, Any]:
        """The configuration of another fixture; empty where there is none."""
        configs = (entry.get("config") for entry in self.manifest["fixtures"] if entry["id"] == name)
        return next(configs, None) or {}

    def row(self, name: str, actual: Any, note: str = "", slack: float = 0.0) -> Row:
        """``actual`` against the tensor called ``name``, under the manifest's tolerance and ``slack`` more."""
        info = self.entry["tensors"][name]
        tolerance = 0.0 if info.get("tolerance") == "exact" else float(info["atol"]) + slack
        return compare(f"{self.id}/{name}", _numpy(actual), self.tensors[name], tolerance, note=note)

    def torch(self, name: str) -> Any:
        import torch

        return torch.from_numpy(self.tensors[name].copy())


def angle_slack(factor: float, time: Any) -> float:
    """What one unit in the last place of the largest float32 angle, ``factor`` times a time, does to its sinusoid.

    The exponentials of two processors differ by as much, so what follows from a sinusoid cannot be held closer.
    """
    return float(np.spacing(np.float32(factor * np.abs(_numpy(time)).max())))


Check = Callable[[Fixture], Iterator[Row]]


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; one that is not understood is a failing row."""
    from manymesh.dev.parity_shape_geometry import CHECKS as GEOMETRY
    from manymesh.dev.parity_shape_networks import CHECKS as NETWORKS

    checks: dict[str, Check] = {**CHECKS, **NETWORKS, **GEOMETRY}
    for entry in manifest["fixtures"]:
        name = str(entry.get("id"))
        check = _check_for(name, checks)
        if check is None:
            yield failed(name, "no comparison for this fixture")
            continue
        yield from checked(name, lambda e=entry, run=check: run(_load(directory, e, manifest)))  # type: ignore[misc]


def _check_for(name: str, checks: dict[str, Check]) -> Check | None:
    """The comparison called ``name``, or the one whose name it goes on from ("dit_wide" is a "dit")."""
    fitting = [known for known in checks if name == known or name.startswith(known + "_")]
    return checks[max(fitting, key=len)] if fitting else None


def _load(directory: Path, entry: dict[str, Any], manifest: dict[str, Any]) -> Fixture:
    from safetensors.numpy import load_file

    tensors = load_file(directory / entry["file"]) if "file" in entry else {}
    return Fixture(directory, entry, tensors, manifest)


def _numpy(value: Any) -> np.ndarray:
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


def network(folder: Path, which: str) -> Any:
    """``"dit"``, ``"conditioner"`` or ``"vae"`` of a folder, float32 on the CPU; a VAE folder may hold it alone."""
    import torch

    from manymesh.shape.hunyuan import checkpoint
    from manymesh.shape.hunyuan.conditioner import Conditioner
    from manymesh.shape.hunyuan.dit import Dit
    from manymesh.shape.hunyuan.vae import ShapeVae
    from manymesh.weights.tensors import read_header

    path = checkpoint.weights_file(folder)
    place: Any = {"device": torch.device("cpu"), "dtype": torch.float32}
    if which == "vae":
        whole = any(key.startswith("vae.") for key in read_header(path))
        vae = read_shape_config(folder).vae if whole else read_vae_config(folder)
        return checkpoint.load_network(lambda: ShapeVae(vae), path, "vae." if whole else "", **place)
    config = read_shape_config(folder)
    if which == "dit":
        return checkpoint.load_network(lambda: Dit(config.dit), path, "model.", **place)
    return checkpoint.load_network(lambda: Conditioner(config.conditioner), path, "conditioner.", **place)


def condition(folder: Path, checkpoint_folder: str, picture: str) -> Any:
    """(1, T, width) condition tokens of a picture file, all the way."""
    return network(folder / checkpoint_folder, "conditioner")(signed(folder, checkpoint_folder, picture))


def signed(folder: Path, checkpoint_folder: str, picture: str, size: int | None = None) -> Any:
    """(1, 3, S, S) in [-1, 1]: a picture file through the checkpoint's own preprocessing."""
    import torch
    from PIL import Image

    from manymesh.shape.hunyuan.config import ImageConfig
    from manymesh.shape.hunyuan.preprocess import prepare_image, to_signed_pixels

    config = read_shape_config(folder / checkpoint_folder).image
    if size is not None:
        config = ImageConfig(size, config.border_ratio)
    with Image.open(folder / picture) as image:
        rgba = np.asarray(image.convert("RGBA"))
    return torch.from_numpy(to_signed_pixels(prepare_image(rgba, config)[0]))[None]


def _rng(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.sampler import initial_noise

    seed, shape, cpu = int(f.config["seed"]), tuple(f.config["shape"]), torch.device("cpu")
    yield f.row("noise_fp16", initial_noise(seed, shape, device=cpu, dtype=torch.float16))
    head = f.tensors["noise_fp32_head"].shape[1]
    yield f.row("noise_fp32_head", initial_noise(seed, shape, device=cpu, dtype=torch.float32)[:, :head])
    twice = f.tensors["two_calls_head"].shape
    generator = torch.Generator().manual_seed(seed)
    calls = [torch.randn(shape, generator=generator) for _ in range(twice[0])]
    yield f.row("two_calls_head", torch.cat([call[:, : twice[1]] for call in calls]))


def _preprocess(f: Fixture) -> Iterator[Row]:
    from PIL import Image

    from manymesh.shape.hunyuan.config import ImageConfig
    from manymesh.shape.hunyuan.preprocess import centre_on_white, prepare_image

    def read(name: str) -> np.ndarray:
        with Image.open(f.folder / name) as image:
            return np.asarray(image)

    for case in f.entry["files"]:
        image = read(case["input"])
        recentred, mask = centre_on_white(image, case["border_ratio"])
        small, small_mask = prepare_image(image, ImageConfig(case["size"], case["border_ratio"]))
        made = {"recentred": recentred, "recentred_mask": mask, "image": small, "mask": small_mask}
        for name, actual in made.items():
            expected = read(case[name])
            row = compare(f"preprocess/{case['case']}/{name}", actual, expected, 1.0)
            if not row.passed and row.max_abs <= 2:  # OpenCV versions differ: 2 levels for 0.1% of the pixels
                share = float((np.abs(actual.astype(int) - expected) > 1).mean())
                row = Row(row.name, row.max_abs, row.max_rel, 2.0, share <= 1e-3, f"{share:.2%} of pixels over 1 level")
            yield row


def _time_fp16(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.dit import time_embedding
    from manymesh.shape.hunyuan.flow_schedule import FlowSchedule
    from manymesh.shape.hunyuan.sampler import network_timesteps

    times = f.tensors["timesteps_fp32"]
    steps = FlowSchedule(np.append(times / 1000, 1).astype(np.float32), times)
    half = network_timesteps(steps, torch.empty(0, dtype=torch.float16))
    yield f.row("t_model_fp16", half)
    yield f.row("t_emb_fp16", time_embedding(half))
    whole = network_timesteps(steps, torch.empty(0))
    yield f.row("t_emb_fp32", time_embedding(whole), slack=angle_slack(1000.0, whole))


def _scheduler(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.flow_schedule import consistency_schedule, euler_schedule, euler_step, predict_data

    for name in f.entry["tensors"]:
        if not name.endswith("_sigmas"):
            continue
        run = name.removesuffix("_sigmas")
        if run.startswith("pcm"):
            points, steps = (int(part) for part in run.removeprefix("pcm").split("_"))
            plan = consistency_schedule(steps, points)
        else:
            count, _, shift = run.removeprefix("euler").partition("_shift")
            plan = euler_schedule(int(count), float(shift or 1.0))
        yield f.row(name, plan.sigmas)
        if f"{run}_timesteps" in f.tensors:
            yield f.row(f"{run}_timesteps", plan.timesteps)
        for kind in (run, f"{run}_fp16"):
            if f"{kind}_x" not in f.tensors:
                continue
            x, xs, ends = f.torch(f"{kind}_x0"), [], []
            for step, v in enumerate(f.torch(f"{kind}_v")):
                ends.append(predict_data(x, v, float(plan.sigmas[step])))
                x = euler_step(x, v, torch.tensor(plan.sigmas[step + 1] - plan.sigmas[step]))
                xs.append(x)
            yield f.row(f"{kind}_x", torch.stack(xs))
            if f"{kind}_pred" in f.tensors:
                yield f.row(f"{kind}_pred", torch.stack(ends))


def denoised(f: Fixture) -> tuple[Any, Any, Any]:
    """Noise, the sample after each step and the fast sampler's latents, from a fixture's picture and settings."""
    import torch

    from manymesh.shape.hunyuan.flow_schedule import flow_schedule
    from manymesh.shape.hunyuan.sampler import Sampler, initial_noise, reference_denoise

    name, scale = f.config["checkpoint"], float(f.config["guidance_scale"])
    config = read_shape_config(f.folder / name)
    dit, tokens = network(f.folder / name, "dit"), condition(f.folder, name, f.config["image"])
    size = (1, config.vae.num_latents, config.vae.embed_dim)
    start = initial_noise(int(f.config["seed"]), size, device=torch.device("cpu"), dtype=torch.float32)
    plan = flow_schedule(config.scheduler, int(f.config["steps"]))
    each: list[Any] = []
    reference_denoise(dit, tokens, start, plan, scale, lambda step, x: each.append(x))
    fast = Sampler(dit, condition_tokens=tokens.shape[1], latents=size[1], guidance=scale)
    return start, torch.stack(each), fast(tokens, start, plan)


def _denoise(f: Fixture) -> Iterator[Row]:
    start, each, fast = denoised(f)
    yield f.row("noise", start)
    yield f.row("latents_each_step", each)
    yield f.row("latents", each[-1])
    row = f.row("latents", fast, "fast path")
    yield Row(f"{f.id}/latents (fast)", row.max_abs, row.max_rel, row.tolerance, row.passed, row.note)


CHECKS: dict[str, Check] = {
    "rng": _rng,
    "preprocess": _preprocess,
    "time_fp16": _time_fp16,
    "scheduler": _scheduler,
    "denoise_cfg": _denoise,
    "denoise_turbo": _denoise,
}
