"""Parity of the shape stage: rows for ``python -m manymesh.dev.parity DIR`` (networks here, geometry beside it).

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

    def shared_fixture(self, name: str) -> dict[str, Any]:
        """The manifest's entry of another fixture."""
        return next(entry for entry in self.manifest["fixtures"] if entry["id"] == name)

    def row(self, name: str, actual: Any, note: str = "") -> Row:
        """``actual`` against the tensor called ``name``, under the manifest's tolerance."""
        info = self.entry["tensors"][name]
        tolerance = 0.0 if info.get("tolerance") == "exact" else float(info["atol"])
        return compare(f"{self.id}/{name}", _numpy(actual), self.tensors[name], tolerance, note=note)

    def torch(self, name: str) -> Any:
        import torch

        return torch.from_numpy(self.tensors[name].copy())


Check = Callable[[Fixture], Iterator[Row]]


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; one that is not understood is a failing row."""
    from manymesh.dev.parity_shape_geometry import CHECKS as GEOMETRY

    checks: dict[str, Check] = {**CHECKS, **GEOMETRY}
    for entry in manifest["fixtures"]:
        name = str(entry.get("id"))
        if name not in checks:
            yield failed(name, "no comparison for this fixture")
            continue
        yield from checked(name, lambda e=entry, run=checks[name]: run(_load(directory, e, manifest)))  # type: ignore[misc]


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


def watch(module: Any, seen: dict[str, Any], name: str) -> None:
    """Keeps what a module returns under ``name``."""
    module.register_forward_hook(lambda _module, _inputs, output: seen.__setitem__(name, output))


def condition(folder: Path, checkpoint_folder: str, picture: str) -> Any:
    """(1, T, width) condition tokens of a picture file, all the way."""
    return network(folder / checkpoint_folder, "conditioner")(signed(folder, checkpoint_folder, picture))


def signed(folder: Path, checkpoint_folder: str, picture: str, size: int | None = None) -> Any:
    """(1, 3, S, S) in [-1, 1]: a picture file through the checkpoint's own preprocessing."""
    import torch
    from PIL import Image

    from manymesh.shape.hunyuan.config import ImageConfig
    from manymesh.shape.hunyuan.preprocess import prepare_image, to_signed

    config = read_shape_config(folder / checkpoint_folder).image
    if size is not None:
        config = ImageConfig(size, config.border_ratio)
    with Image.open(folder / picture) as image:
        rgba = np.asarray(image.convert("RGBA"))
    return torch.from_numpy(to_signed(prepare_image(rgba, config)[0]))[None]


def _rng(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.sampler import noise

    seed, shape, cpu = int(f.config["seed"]), tuple(f.config["shape"]), torch.device("cpu")
    yield f.row("noise_fp16", noise(seed, shape, device=cpu, dtype=torch.float16))
    head = f.tensors["noise_fp32_head"].shape[1]
    yield f.row("noise_fp32_head", noise(seed, shape, device=cpu, dtype=torch.float32)[:, :head])
    twice = f.tensors["two_calls_head"].shape
    generator = torch.Generator().manual_seed(seed)
    calls = [torch.randn(shape, generator=generator) for _ in range(twice[0])]
    yield f.row("two_calls_head", torch.cat([call[:, : twice[1]] for call in calls]))


def _preprocess(f: Fixture) -> Iterator[Row]:
    from PIL import Image

    from manymesh.shape.hunyuan.config import ImageConfig
    from manymesh.shape.hunyuan.preprocess import prepare_image, recentre

    def read(name: str) -> np.ndarray:
        with Image.open(f.folder / name) as image:
            return np.asarray(image)

    for case in f.entry["files"]:
        image = read(case["input"])
        recentred, mask = recentre(image, case["border_ratio"])
        small, small_mask = prepare_image(image, ImageConfig(case["size"], case["border_ratio"]))
        made = {"recentred": recentred, "recentred_mask": mask, "image": small, "mask": small_mask}
        for name, actual in made.items():
            expected = read(case[name])
            row = compare(f"preprocess/{case['case']}/{name}", actual, expected, 1.0)
            if not row.passed and row.max_abs <= 2:  # OpenCV versions differ: 2 levels for 0.1% of the pixels
                share = float((np.abs(actual.astype(int) - expected) > 1).mean())
                row = Row(row.name, row.max_abs, row.max_rel, 2.0, share <= 1e-3, f"{share:.2%} of pixels over 1 level")
            yield row


def _conditioner(f: Fixture) -> Iterator[Row]:
    import torch
    from PIL import Image

    from manymesh.shape.hunyuan.preprocess import to_signed

    net = network(f.folder / f.config["checkpoint"], "conditioner")
    with Image.open(f.folder / f.config["image"]) as image:
        pixels = torch.from_numpy(to_signed(np.asarray(image.convert("RGB"))))[None]
    seen: dict[str, Any] = {}
    watch(net.main_image_encoder.model.embeddings, seen, "embeddings_sub")
    watch(net.main_image_encoder.model.encoder.layer[0], seen, "layer0_sub")
    main = net(pixels)
    given = net.pixels(pixels)
    stride = _stride(given.shape[-1], f.tensors["pixel_values_sub"].shape[-1])
    yield f.row("pixel_values_sub", given[..., ::stride, ::stride])
    yield f.row("pixel_values_mean", given.mean(dim=(2, 3)))
    for name, value in seen.items():
        yield f.row(name, value[:, :: _stride(value.shape[1], f.tensors[name].shape[1])])
    yield f.row("main", main)
    free = torch.zeros_like(main)
    yield f.row("uncond_shape", np.array(free.shape))
    yield f.row("uncond_absmax", free.abs().max()[None])


def _stride(whole: int, part: int) -> int:
    """The step s for which ``range(0, whole, s)`` has ``part`` items."""
    return next(s for s in range(max(whole // part, 1), whole + 1) if -(-whole // s) == part)


def _conditioner_mv(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.conditioner import VIEWS, view_embedding

    name = f.config["checkpoint"]
    indices = sorted(VIEWS.index(view) for view in f.config["views"])
    images = torch.cat([signed(f.folder, name, f.config["views"][VIEWS[i]], f.config["size"]) for i in indices])
    main = network(f.folder / name, "conditioner").encode_views(images, indices)
    count, width = f.tensors["view_embed"].shape
    yield f.row("view_embed", view_embedding(range(count), width))
    yield compare("conditioner_mv/tokens", main.shape[1], f.config["tokens"], 0)
    yield f.row("main_sub", main[:, :: _stride(main.shape[1], f.tensors["main_sub"].shape[1])])
    yield f.row("main_mean", main.mean(dim=1))


def _dit(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.dit import time_embedding

    net = network(f.folder / f.config["checkpoint"], "dit")
    seen: dict[str, Any] = {}
    for name in ("latent_in", "cond_in", "time_in", "guidance_in"):
        if hasattr(net, name):
            watch(getattr(net, name), seen, name)
    for i, block in enumerate(net.double_blocks):
        watch(block, seen, f"double{i}")
    for i, block in enumerate(net.single_blocks):
        watch(block, seen, f"single{i}")
    guidance = f.torch("guidance") if "guidance" in f.tensors else None
    with torch.inference_mode():
        seen["out"] = net(f.torch("x"), f.torch("t"), f.torch("context"), guidance)
        seen["t_emb"] = time_embedding(f.torch("t"), net.config.time_factor)
    for i in range(len(net.double_blocks)):
        seen[f"double{i}_latent"], seen[f"double{i}_cond"] = seen.pop(f"double{i}")
    yield from _expected(f, seen)


def _expected(f: Fixture, seen: dict[str, Any]) -> Iterator[Row]:
    """A row for each tensor that the manifest expects; one that was not made fails."""
    for name, info in f.entry["tensors"].items():
        if info["role"] == "expected":
            yield f.row(name, seen[name]) if name in seen else failed(f"{f.id}/{name}", "not made")


def _time_fp16(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.dit import time_embedding
    from manymesh.shape.hunyuan.sampler import network_times
    from manymesh.shape.hunyuan.schedule import Schedule

    times = f.tensors["timesteps_fp32"]
    steps = Schedule(np.append(times / 1000, 1).astype(np.float32), times)
    half = network_times(steps, torch.empty(0, dtype=torch.float16))
    yield f.row("t_model_fp16", half)
    yield f.row("t_emb_fp16", time_embedding(half))
    yield f.row("t_emb_fp32", time_embedding(network_times(steps, torch.empty(0))))


def _scheduler(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.schedule import consistency_schedule, euler_schedule, euler_step, predicted_end

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
                ends.append(predicted_end(x, v, float(plan.sigmas[step])))
                x = euler_step(x, v, torch.tensor(plan.sigmas[step + 1] - plan.sigmas[step]))
                xs.append(x)
            yield f.row(f"{kind}_x", torch.stack(xs))
            if f"{kind}_pred" in f.tensors:
                yield f.row(f"{kind}_pred", torch.stack(ends))


def denoised(f: Fixture) -> tuple[Any, Any, Any]:
    """Noise, the sample after each step and the fast sampler's latents, from a fixture's picture and settings."""
    import torch

    from manymesh.shape.hunyuan.sampler import Sampler, noise, reference_denoise
    from manymesh.shape.hunyuan.schedule import schedule

    name, scale = f.config["checkpoint"], float(f.config["guidance_scale"])
    config = read_shape_config(f.folder / name)
    dit, tokens = network(f.folder / name, "dit"), condition(f.folder, name, f.config["image"])
    size = (1, config.vae.num_latents, config.vae.embed_dim)
    start = noise(int(f.config["seed"]), size, device=torch.device("cpu"), dtype=torch.float32)
    plan = schedule(config.scheduler, int(f.config["steps"]))
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


def _vae(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.hunyuan.vae import fourier

    net = network(f.folder / f.config["checkpoint"], "vae")
    seen: dict[str, Any] = {}
    watch(net.post_kl, seen, "post_kl")
    watch(net.transformer.resblocks[0], seen, "block0")
    geo = net.geo_decoder
    watch(geo.query_proj, seen, "query_embed")
    watch(geo.cross_attn_decoder.attn.c_proj, seen, "cross_attn")
    watch(geo.cross_attn_decoder, seen, "cross_block")
    with torch.inference_mode():
        seen["fourier"] = fourier(f.torch("points"), net.config.num_freqs, net.config.include_pi)
        seen["decoded"] = net(f.torch("z"))
        seen["logits"] = geo(f.torch("points"), geo.keys_values(seen["decoded"]))
    # The official attention module returns its projection alone; what a query has seen is the same number.
    yield from _expected(f, seen)


_KEPT = (".ln_", "ln_post", "q_norm", "k_norm", ".norm1.", ".norm2.", ".layernorm.")


def _eps_probe(f: Fixture) -> Iterator[Row]:
    """Weights made so small that the epsilon of every norm shows."""
    import torch

    from manymesh.shape.hunyuan.dit import HeadNorm

    def small(which: str, kind: str) -> Any:
        net = network(f.folder / f.config["checkpoints"][which], kind)
        for name, parameter in net.named_parameters(prefix=" "):
            if not name.endswith(".scale") and not any(part in name for part in _KEPT):
                parameter.mul_(torch.tensor(f.config["factor"], dtype=torch.float32))
        return net

    with torch.inference_mode():
        yield f.row("dit_out", small("dit", "dit")(f.torch("x"), f.torch("t"), f.torch("context")))
        for which in ("vae", "vae_turbo"):
            net = small(which, "vae")
            decoded = net.transformer(net.post_kl(f.torch("z")))
            yield f.row(f"{which}_decoded", decoded)
            points = f.torch("points")
            yield f.row(f"{which}_logits", net.geo_decoder(points, net.geo_decoder.keys_values(decoded)))
        from PIL import Image

        from manymesh.shape.hunyuan.preprocess import to_signed

        with Image.open(f.folder / f.config["image"]) as image:
            pixels = torch.from_numpy(to_signed(np.asarray(image.convert("RGB"))))[None]
        main = small("conditioner", "conditioner")(pixels)
        yield f.row("cond_sub", main[:, :: _stride(main.shape[1], f.tensors["cond_sub"].shape[1])])
        norm = HeadNorm(f.tensors["rms_scale"].shape[0])
        norm.scale.data = f.torch("rms_scale")
        yield f.row("rms_out", norm(f.torch("rms_in")))


CHECKS: dict[str, Check] = {
    "rng": _rng,
    "preprocess": _preprocess,
    "conditioner": _conditioner,
    "conditioner_mv": _conditioner_mv,
    "dit": _dit,
    "dit_guidance": _dit,
    "time_fp16": _time_fp16,
    "scheduler": _scheduler,
    "denoise_cfg": _denoise,
    "denoise_turbo": _denoise,
    "vae": _vae,
    "vae_turbo": _vae,
    "eps_probe": _eps_probe,
}
