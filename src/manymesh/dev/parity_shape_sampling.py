"""Parity of the shape stage's image preprocessing, schedules, noise and sampling loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from manymesh.dev.parity_common import Row, compare
from manymesh.dev.parity_shape_fixture import CompareShape, Fixture, angle_slack, denoised


def _rng(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.common.flow import initial_noise

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

    from manymesh.shape.common.flow import euler_step
    from manymesh.shape.hunyuan.flow_schedule import consistency_schedule, euler_schedule, predict_data

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


def _denoise(f: Fixture) -> Iterator[Row]:
    start, each, fast = denoised(f)
    yield f.row("noise", start)
    yield f.row("latents_each_step", each)
    yield f.row("latents", each[-1])
    row = f.row("latents", fast, "fast path")
    yield Row(f"{f.id}/latents (fast)", row.max_abs, row.max_rel, row.tolerance, row.passed, row.note)


FIXTURES: Mapping[str, CompareShape] = {
    "rng": _rng,
    "preprocess": _preprocess,
    "time_fp16": _time_fp16,
    "scheduler": _scheduler,
    "denoise_cfg": _denoise,
    "denoise_turbo": _denoise,
}
