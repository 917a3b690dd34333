"""Parity of TripoSG, driven by the manifest of a folder of its fixtures. Everything is float32 on the CPU.

Sizes, seeds, tolerances and every configuration value are read from the manifest and the checkpoints' own files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Row, checked, compare, comparison_for, failed, load_arrays
from manymesh.dev.parity_shape_geometry import facts
from manymesh.dev.parity_triposg_field import field_of, grid, levels, marching_cubes, official_surface
from manymesh.dev.parity_triposg_fixture import TOKEN_STRIDE, Fixture, read_picture

# How many pixels apart those are that a fixture keeps of a picture.
_PIXEL_STRIDE = 7
# A picture may be one level off, which moves what follows by up to this share of the largest value.
_ONE_LEVEL = 0.002


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; an unknown fixture is a failing row."""
    for entry in manifest["fixtures"]:
        name = str(entry.get("id"))
        compare_fixture = comparison_for(name, FIXTURES)
        if compare_fixture is None:
            yield failed(name, "no comparison for this fixture")
            continue
        tensors = load_arrays(directory, entry) if "file" in entry else {}
        fixture = Fixture(directory, entry, tensors, manifest)
        yield from checked(name, lambda f=fixture, c=compare_fixture: c(f))  # type: ignore[misc]


def _watch(module: Any, seen: dict[str, Any], name: str) -> None:
    """Keeps what a module returns under ``name``."""
    module.register_forward_hook(lambda _module, _inputs, output: seen.__setitem__(name, output))


def _rng(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.common.flow import initial_noise

    seed, shape, cpu = int(f.config["seed"]), tuple(f.config["shape"]), torch.device("cpu")
    for name, dtype in (("noise_fp32_head", torch.float32), ("noise_fp16_head", torch.float16)):
        drawn = initial_noise(seed, shape, device=cpu, dtype=dtype)
        yield f.row(name, drawn[:, : f.tensors[name].shape[1]])
    calls, heads, _ = f.tensors["two_calls_head"].shape
    generator = torch.Generator().manual_seed(seed)
    twice = [torch.randn(shape, generator=generator)[:, :heads] for _ in range(calls)]
    yield f.row("two_calls_head", torch.cat(twice))


def _preprocess(f: Fixture) -> Iterator[Row]:
    from manymesh.shape.triposg.preprocess import frame_object

    for case in f.entry["files"]:
        name = case["case"]
        framed = frame_object(read_picture(f.folder / case["input"]))
        yield compare(f"{f.id}/{name}/padded_size", framed.shape[:2], np.array(case["padded_size"])[::-1], 0)
        yield compare(f"{f.id}/{name}/padded", framed, read_picture(f.folder / case["padded"]), 1.0)
        pixels = f.pixels(case["padded"], framed=True)
        yield f.row(f"pixels_{name}", pixels[..., ::_PIXEL_STRIDE, ::_PIXEL_STRIDE])
        yield f.row(f"pixels_mean_{name}", pixels.mean(dim=(2, 3)))


def _encoder(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.common.dino import resampled_positions

    network = f.encoder
    seen: dict[str, Any] = {}
    _watch(network.embeddings, seen, "embeddings")
    _watch(network.encoder.layer[0], seen, "layer0")
    pixels = f.pixels(f.config["image"], framed=True)
    patch = network.embeddings.patch_embeddings.projection.kernel_size[0]
    with torch.inference_mode():
        seen["tokens"] = network(pixels)
        table = network.embeddings.position_embeddings
        seen["positions"] = resampled_positions(table, pixels.shape[-2] // patch, pixels.shape[-1] // patch)
    yield compare(f"{f.id}/count", seen["tokens"].shape[1], f.config.get("tokens", seen["tokens"].shape[1]), 0)
    yield from f.expected(seen)


def _time(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.triposg.transformer import time_sinusoid

    network = f.transformer
    with torch.inference_mode():
        yield f.row("sinusoid", time_sinusoid(f.torch("t"), network.config.width))
        yield f.row("time_token", network.time_tokens(f.torch("t")))


def _dit(f: Fixture) -> Iterator[Row]:
    for case in f.config["cases"]:
        yield from _forward(f, f"{case}_")


def _dit_even(f: Fixture) -> Iterator[Row]:
    manifest = f.manifest["checkpoints"]
    config = {**f.config, "checkpoint": f.config.get("checkpoint", manifest.get("even"))}
    yield from _forward(Fixture(f.folder, {**f.entry, "config": config}, f.tensors, f.manifest), "")


def _forward(f: Fixture, prefix: str) -> Iterator[Row]:
    """One pass of the transformer, layer by layer."""
    import torch

    network = f.transformer
    seen: dict[str, Any] = {}
    _watch(network.proj_in, seen, "proj_in")
    _watch(network.time_proj, seen, "time_token")
    _watch(network.norm_out, seen, "norm_out")
    for number, block in enumerate(network.blocks):
        _watch(block, seen, f"block{number}")
    with torch.inference_mode():
        seen["out"] = network(*(f.torch(f"{prefix}{name}") for name in ("x", "t", "context")))
    yield from f.expected(seen, prefix)


def _guidance(f: Fixture) -> Iterator[Row]:
    """Both rows in one pass of plain conditions, and with the unconditional row's cross attention left out."""
    import torch

    network = f.transformer
    x, t, context = (f.torch(name) for name in ("x", "t", "context"))
    with torch.inference_mode():
        plain = network(torch.cat([x, x]), t.expand(2), torch.cat([torch.zeros_like(context), context]))
        time, keys_values = network.time_tokens(t), network.keys_values(context)
        together = network.velocity(torch.cat([x, x]), time.expand(2, -1), keys_values, free=1)
        apart = torch.cat([network.velocity(x, time, None, free=1), network.velocity(x, time, keys_values)])
    for what, both in (("", plain), (" (one pass)", together), (" (two passes)", apart)):
        free, bound = both.chunk(2)
        yield f.row("v_uncond", free, what=what)
        yield f.row("v_cond", bound, what=what)
        for scale in f.config["scales"]:
            yield f.row(f"guided_{scale}", free + scale * (bound - free), what=what)


def _scheduler(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.common.flow import euler_step
    from manymesh.shape.triposg.config import SchedulerConfig
    from manymesh.shape.triposg.schedule import schedule

    plans = {}
    for run, sizes in f.config["runs"].items():
        config = SchedulerConfig(int(sizes.get("num_train_timesteps", 1000)), float(sizes["shift"]))
        plans[run] = schedule(config, int(sizes["steps"]))
        yield f.row(f"{run}_sigmas", plans[run].sigmas)
        yield f.row(f"{run}_timesteps", plans[run].timesteps)
    widths = torch.from_numpy(plans[f.config["step_run"]].widths)
    for kind in ("step", "step_fp16"):
        x, each = f.torch(f"{kind}_x0"), []
        for width, velocity in zip(widths, f.torch(f"{kind}_v"), strict=True):
            x = euler_step(x, velocity, width)
            each.append(x)
        yield f.row(f"{kind}_x", torch.stack(each))


def _denoised(f: Fixture, *, framed: bool) -> dict[str, Any]:
    """Noise, the sample after each step, and latents by the plain and the fast loops, from a fixture's picture."""
    import torch

    from manymesh.shape.common.flow import initial_noise
    from manymesh.shape.triposg.config import read_config
    from manymesh.shape.triposg.sampler import Sampler, reference_denoise
    from manymesh.shape.triposg.schedule import schedule

    config, network = read_config(f.checkpoint), f.transformer
    guidance, tokens = float(f.config["guidance_scale"]), int(f.config["tokens"])
    with torch.inference_mode():
        condition = f.encoder(f.pixels(f.config["image"], framed=framed))
    size, cpu = (1, tokens, config.transformer.in_channels), torch.device("cpu")
    noise = initial_noise(int(f.config["seed"]), size, device=cpu, dtype=torch.float32)
    plan, each = schedule(config.scheduler, int(f.config["steps"])), []
    reference_denoise(network, condition, noise, plan, guidance, lambda step, x: each.append(x))
    made = {"noise": noise, "latents_each_step": torch.stack(each), "latents": each[-1]}
    for what, one_pass in (("one pass", True), ("two passes", False)):
        sampler = Sampler(
            network, condition_tokens=condition.shape[1], latents=tokens, guidance=guidance, one_pass=one_pass
        )
        made[what] = sampler(condition, noise, plan)
    return made


def _denoise(f: Fixture) -> Iterator[Row]:
    made = _denoised(f, framed=True)
    yield from f.expected(made)
    for what in ("one pass", "two passes"):
        yield f.row("latents", made[what], what=f" ({what})")


def _vae(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.common.grid_field import fourier

    network = f.decoder
    seen: dict[str, Any] = {}
    points = network.decoder.blocks[-1]
    _watch(network.post_quant, seen, "post_quant")
    _watch(network.decoder.blocks[0], seen, "block0")
    _watch(network.decoder.proj_query, seen, "query")
    _watch(points.attn2, seen, "cross_attn")
    _watch(points, seen, "cross_block")
    with torch.inference_mode():
        seen["fourier"] = fourier(f.torch("points"), network.config.frequencies, network.config.include_pi)
        seen["decoded"] = network(f.torch("z"))
        seen["field"] = network.field(f.torch("points"), network.keys_values(seen["decoded"]))
    yield from f.expected(seen)


def _eps_probe(f: Fixture) -> Iterator[Row]:
    """Weights made so small that the epsilon of every norm shows."""
    import torch

    from manymesh.shape.triposg.attention import HeadNorm

    def small(network: Any) -> Any:
        for name, parameter in network.named_parameters():
            if not any(part in name for part in f.config["keep"]):
                special = [value for key, value in f.config.get("factors", {}).items() if key in name]
                parameter.mul_(torch.tensor(special[0] if special else f.config["factor"], dtype=torch.float32))
        return network

    with torch.inference_mode():
        yield f.row("dit_out", small(f.transformer)(f.torch("x"), f.torch("t"), f.torch("context")))
        tokens = small(f.encoder)(f.pixels(f.config["image"], framed=True))
        yield f.row("tokens_sub", tokens[:, ::TOKEN_STRIDE])
        decoder = small(f.decoder)
        decoded = decoder(f.torch("z"))
        yield f.row("vae_decoded", decoded)
        yield f.row("vae_field", decoder.field(f.torch("points"), decoder.keys_values(decoded)))
        norm = HeadNorm(f.tensors["rms_weight"].shape[0])
        norm.weight.data = f.torch("rms_weight")
        yield f.row("rms_out", norm(f.torch("rms_in")))


def _e2e(f: Fixture) -> Iterator[Row]:
    made = _denoised(f, framed=False)
    slack = {name: _ONE_LEVEL * float(np.abs(f.tensors[name]).max()) for name in ("latents", "field")}
    for what, latents in (("", made["latents"]), (" (one pass)", made["one pass"])):
        yield f.row("latents", latents, what=what, least=slack["latents"])
        field = field_of(f, latents)
        yield f.row("field", field, what=what, least=slack["field"])
        mesh, expected = official_surface(field[0].numpy(), float(f.config["bounds"])), f.config["expected"]
        if mesh is None:
            yield failed(f"{f.id}/mesh{what}", "no surface")
            continue
        off = max(1, round(5e-3 * expected["faces"]))
        yield from facts(f"{f.id}/mesh{what}", mesh, expected, faces_off=off, bounds_off=1e-3, share=5e-3)


FIXTURES: Mapping[str, Callable[[Fixture], Iterator[Row]]] = {
    "rng": _rng,
    "preprocess": _preprocess,
    "encoder": _encoder,
    "time": _time,
    "dit": _dit,
    "dit_even": _dit_even,
    "guidance": _guidance,
    "scheduler": _scheduler,
    "denoise": _denoise,
    "vae": _vae,
    "eps_probe": _eps_probe,
    "grid": grid,
    "levels": levels,
    "marching_cubes": marching_cubes,
    "e2e": _e2e,
}
