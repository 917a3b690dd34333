"""Parity of TripoSG, driven by the manifest of a folder of its fixtures. Everything is float32 on the CPU.

Sizes, seeds, tolerances and every configuration value are read from the manifest and the checkpoints' own files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Entry, Row, checked, compare, comparison_for, failed, load_arrays
from manymesh.dev.parity_shape_geometry import facts

# Working memory of the point decoder while fixtures are compared.
_BUDGET_BYTES = 64 << 20
# How many tokens apart those are that a fixture keeps under a name ending in "_sub", and pixels of a picture.
_TOKEN_STRIDE, _PIXEL_STRIDE = 5, 7
# A picture may be one level off, which moves what follows by up to this share of the largest value.
_ONE_LEVEL = 0.002


@dataclass(frozen=True)
class Fixture(Entry):
    """A fixture of TripoSG: its checkpoint and its comparisons."""

    @property
    def config(self) -> dict[str, Any]:
        return self.entry.get("config") or {}

    @property
    def checkpoint(self) -> Path:
        return self.folder / str(self.config.get("checkpoint") or self.manifest["checkpoints"]["main"])

    def torch(self, name: str) -> Any:
        import torch

        return torch.from_numpy(self.tensors[name].copy())

    def row(self, name: str, actual: Any, *, what: str = "", least: float = 0.0) -> Row:
        """``actual`` against the tensor called ``name``, within the manifest's tolerance, or within ``least``."""
        info = self.entry["tensors"][name]
        tolerance = 0.0 if info.get("tolerance") == "exact" else max(float(info["atol"]), least)
        made = actual.detach().numpy() if hasattr(actual, "detach") else np.asarray(actual)
        return compare(f"{self.id}/{name}{what}", made, self.tensors[name], tolerance)

    def expected(self, seen: Mapping[str, Any], prefix: str = "") -> Iterator[Row]:
        """A row for each tensor that the manifest expects under ``prefix``; one that was not made fails."""
        for name, info in self.entry["tensors"].items():
            if info["role"] != "expected" or not name.startswith(prefix):
                continue
            own = name.removeprefix(prefix)
            if own in seen:
                yield self.row(name, seen[own])
            elif own.removesuffix("_sub") in seen:
                yield self.row(name, seen[own.removesuffix("_sub")][:, ::_TOKEN_STRIDE])
            else:
                yield failed(f"{self.id}/{name}", "not made")

    def network(self, part: str) -> Any:
        """One network of the fixture's checkpoint, by its folder in it."""
        import torch

        from manymesh.shape.common.dino import Dino
        from manymesh.shape.triposg import config
        from manymesh.shape.triposg.checkpoint import load_part
        from manymesh.shape.triposg.transformer import ShapeTransformer
        from manymesh.shape.triposg.vae import ShapeDecoder

        folder = self.checkpoint
        if part == config.ENCODER_FOLDER:
            dino = config.read_dino(folder)
            build: Callable[[], Any] = lambda: Dino(dino)  # noqa: E731
        elif part == config.TRANSFORMER_FOLDER:
            sizes = config.read_transformer(folder)
            build = lambda: ShapeTransformer(sizes)  # noqa: E731
        else:
            vae = config.read_config(folder).vae
            build = lambda: ShapeDecoder(vae)  # noqa: E731
        return load_part(build, folder, part, device=torch.device("cpu"), dtype=torch.float32)

    @property
    def encoder(self) -> Any:
        return self.network("image_encoder_dinov2")

    @property
    def transformer(self) -> Any:
        return self.network("transformer")

    @property
    def decoder(self) -> Any:
        return self.network("vae")

    def pixels(self, picture: str, *, framed: bool) -> Any:
        """The encoder's input of a picture file, which is framed already or is a cutout."""
        import torch

        from manymesh.shape.triposg.config import read_image
        from manymesh.shape.triposg.preprocess import encoder_pixels, frame_object

        image = _read(self.folder / picture)
        rgb = image[..., :3] if framed else frame_object(image)
        return torch.from_numpy(encoder_pixels(rgb, read_image(self.checkpoint)))


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


def _read(path: Path) -> np.ndarray:
    """A PNG as 8-bit RGB or RGBA."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA" if "A" in image.mode else "RGB"))


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
        framed = frame_object(_read(f.folder / case["input"]))
        yield compare(f"{f.id}/{name}/padded_size", framed.shape[:2], np.array(case["padded_size"])[::-1], 0)
        yield compare(f"{f.id}/{name}/padded", framed, _read(f.folder / case["padded"]), 1.0)
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
        yield f.row("tokens_sub", tokens[:, ::_TOKEN_STRIDE])
        decoder = small(f.decoder)
        decoded = decoder(f.torch("z"))
        yield f.row("vae_decoded", decoded)
        yield f.row("vae_field", decoder.field(f.torch("points"), decoder.keys_values(decoded)))
        norm = HeadNorm(f.tensors["rms_weight"].shape[0])
        norm.weight.data = f.torch("rms_weight")
        yield f.row("rms_out", norm(f.torch("rms_in")))


def _field_on_grid(f: Fixture, latents: Any) -> Any:
    """(1, R+1, R+1, R+1) field of the fixture's checkpoint, positive outside."""
    import torch

    from manymesh.shape.triposg.decode import OUTSIDE, field_on_grid

    decoder, cells = f.decoder, int(f.config["cells"])
    with torch.inference_mode():
        keys_values = decoder.keys_values(decoder(latents))
    field = field_on_grid(decoder, keys_values, _BUDGET_BYTES, bounds=float(f.config["bounds"]))
    index = torch.cartesian_prod(*[torch.arange(cells + 1)] * 3)
    return field(index, cells).view(1, cells + 1, cells + 1, cells + 1) * -OUTSIDE


def _grid(f: Fixture) -> Iterator[Row]:
    yield f.row("field", _field_on_grid(f, f.torch("z")))


def _levels(f: Fixture) -> Iterator[Row]:
    """The official coarse-to-fine rule is not ours. Ours must find the surface of all points."""
    import torch

    from manymesh.shape.common.sparse import dense_volume, sparse_volume
    from manymesh.shape.common.surface import surface_of

    bounds, sizes, cpu = float(f.config["bounds"]), list(f.config["levels"]), torch.device("cpu")
    analytic = _analytic(f.config["field"])

    def inside(index: Any, resolution: int) -> Any:
        return -analytic(index.float() * (2 * bounds / resolution) - bounds)

    volume = dense_volume(inside, sizes[-1], device=cpu)
    count = volume.values.numel()
    official = np.unpackbits(f.tensors["evaluated_packed"])[:count].astype(bool)
    axis = torch.arange(sizes[-1] + 1)
    values = -inside(torch.cartesian_prod(axis, axis, axis), sizes[-1]).numpy()
    yield f.row("values", values[official])
    sparse = sparse_volume(inside, sizes[-1], min_resolution=sizes[0], device=cpu)
    meshes = [surface_of(one.values, one.cells, bounds) for one in (sparse, volume)]
    yield compare(f"{f.id}/vertices", len(meshes[0].vertices), len(meshes[1].vertices), 0)
    same = len(meshes[0].vertices) == len(meshes[1].vertices)
    off = float(np.abs(meshes[0].vertices - meshes[1].vertices).max()) if same else np.inf
    ours, theirs = sum(sparse.queries), sum(f.config["queries_per_level"])
    yield compare(f"{f.id}/surface", off, 0.0, 1e-6, note=f"{ours} points evaluated, by the official rule {theirs}")


def _analytic(config: dict[str, Any]) -> Callable[[Any], Any]:
    """The fixtures' field without a network: the least of three balls' ``s * (distance - r)``."""
    import torch

    def field(points: Any) -> Any:
        body = ((points - torch.tensor(config["c"])) / torch.tensor(config["a"])).norm(dim=-1) - config["r"]
        others = [(points - torch.tensor(config[f"c{i}"])).norm(dim=-1) - config[f"r{i}"] for i in (2, 3)]
        return config["s"] * torch.minimum(body, torch.minimum(*others))

    return field


def _official_surface(field: np.ndarray, bounds: float) -> Any:
    """scikit-image's surface of a field that is positive outside, on the right scale."""
    from manymesh.shape.hunyuan.reference_surface import clean_reference_surface, reference_surface

    # Of the negated field, whose faces are wound inwards and are then reversed: the same surface.
    raw = reference_surface(-field, bounds=bounds, divisor=field.shape[0] - 1)
    return None if raw is None else clean_reference_surface(raw)


def _marching_cubes(f: Fixture) -> Iterator[Row]:
    """scikit-image's vertices, and our own extractor's facts."""
    import torch

    from manymesh.shape.common.marching_cubes_torch import crossing_cells
    from manymesh.shape.common.surface import surface_of
    from manymesh.shape.triposg.decode import outwards, signed_volume

    bounds, grid = float(f.config["bounds"]), f.tensors["grid"].astype(np.float32) - float(f.config.get("level", 0.0))
    official = _official_surface(grid, bounds)
    tolerance = float(f.entry["tensors"]["vertices"]["atol"])
    yield _as_set(f"{f.id}/vertices", official[0], f.tensors["vertices"], tolerance)
    yield from facts(f"{f.id}/official", official, f.config["expected"])
    inside = torch.from_numpy(-grid)
    ours = outwards(surface_of(inside, crossing_cells(inside), bounds))
    # Our vertices keep a ten-thousandth of a cell from grid points.
    enclosed = float(f.config["expected"]["volume"])
    cell = 2 * bounds / int(f.config["cells"])
    yield _as_set(f"{f.id}/vertices (ours)", ours.vertices, f.tensors["vertices"], tolerance + 2e-4 * cell)
    yield compare(f"{f.id}/volume (ours)", signed_volume(ours), enclosed, 1e-3 * enclosed)


def _as_set(name: str, actual: np.ndarray, expected: np.ndarray, tolerance: float) -> Row:
    """Vertices as a set: each is held against the nearest of the others."""
    from scipy.spatial import cKDTree

    if len(actual) != len(expected):
        return failed(name, f"{len(actual)} vertices where {len(expected)} were expected")
    worst = max(float(cKDTree(a).query(b)[0].max()) for a, b in ((actual, expected), (expected, actual)))
    allowed = tolerance * np.sqrt(3)
    return Row(name, worst, worst / float(np.abs(expected).max()), allowed, worst <= allowed)


def _e2e(f: Fixture) -> Iterator[Row]:
    made = _denoised(f, framed=False)
    slack = {name: _ONE_LEVEL * float(np.abs(f.tensors[name]).max()) for name in ("latents", "field")}
    for what, latents in (("", made["latents"]), (" (one pass)", made["one pass"])):
        yield f.row("latents", latents, what=what, least=slack["latents"])
        field = _field_on_grid(f, latents)
        yield f.row("field", field, what=what, least=slack["field"])
        mesh, expected = _official_surface(field[0].numpy(), float(f.config["bounds"])), f.config["expected"]
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
    "grid": _grid,
    "levels": _levels,
    "marching_cubes": _marching_cubes,
    "e2e": _e2e,
}
