"""Parity of the shape stage's networks, layer by layer: image encoder, transformer, VAE decoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Row, compare, failed
from manymesh.dev.parity_shape_fixture import CompareShape, Fixture, angle_slack, network, signed


def _watch(module: Any, seen: dict[str, Any], name: str) -> None:
    """Keeps what a module returns under ``name``."""
    module.register_forward_hook(lambda _module, _inputs, output: seen.__setitem__(name, output))


def _conditioner(f: Fixture) -> Iterator[Row]:
    import torch
    from PIL import Image

    from manymesh.shape.hunyuan.preprocess import to_signed_pixels

    net = network(f.folder / f.config["checkpoint"], "conditioner")
    with Image.open(f.folder / f.config["image"]) as image:
        pixels = torch.from_numpy(to_signed_pixels(np.asarray(image.convert("RGB"))))[None]
    seen: dict[str, Any] = {}
    _watch(net.main_image_encoder.model.embeddings, seen, "embeddings_sub")
    _watch(net.main_image_encoder.model.encoder.layer[0], seen, "layer0_sub")
    main = net(pixels)
    given = net.normalise_pixels(pixels)
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
            _watch(getattr(net, name), seen, name)
    for i, block in enumerate(net.double_blocks):
        _watch(block, seen, f"double{i}")
    for i, block in enumerate(net.single_blocks):
        _watch(block, seen, f"single{i}")
    guidance = f.torch("guidance") if "guidance" in f.tensors else None
    with torch.inference_mode():
        seen["out"] = net(f.torch("x"), f.torch("t"), f.torch("context"), guidance)
        seen["t_emb"] = time_embedding(f.torch("t"), net.config.time_factor)
    for i in range(len(net.double_blocks)):
        seen[f"double{i}_latent"], seen[f"double{i}_cond"] = seen.pop(f"double{i}")
    slack = {
        name: angle_slack(net.config.time_factor, f.tensors[name]) for name in ("t", "guidance") if name in f.tensors
    }
    before = {"latent_in": 0.0, "cond_in": 0.0, "t_emb": slack["t"], "time_in": slack["t"]}
    yield from _expected(f, seen, {name: before.get(name, max(slack.values())) for name in seen})


def _expected(f: Fixture, seen: dict[str, Any], slack: Mapping[str, float] | None = None) -> Iterator[Row]:
    """A row for each tensor that the manifest expects; one that was not made fails. Slack: by name, see ``row``."""
    for name, info in f.entry["tensors"].items():
        if info["role"] == "expected" and name not in seen:
            yield failed(f"{f.id}/{name}", "not made")
        elif info["role"] == "expected":
            yield f.row(name, seen[name], slack=(slack or {}).get(name, 0.0))


def _vae(f: Fixture) -> Iterator[Row]:
    import torch

    from manymesh.shape.common.grid_field import fourier

    net = network(f.folder / f.config["checkpoint"], "vae")
    seen: dict[str, Any] = {}
    _watch(net.post_kl, seen, "post_kl")
    _watch(net.transformer.resblocks[0], seen, "block0")
    geo = net.geo_decoder
    _watch(geo.query_proj, seen, "query_embed")
    _watch(geo.cross_attn_decoder.attn.c_proj, seen, "cross_attn")
    _watch(geo.cross_attn_decoder, seen, "cross_block")
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

        from manymesh.shape.hunyuan.preprocess import to_signed_pixels

        with Image.open(f.folder / f.config["image"]) as image:
            pixels = torch.from_numpy(to_signed_pixels(np.asarray(image.convert("RGB"))))[None]
        main = small("conditioner", "conditioner")(pixels)
        yield f.row("cond_sub", main[:, :: _stride(main.shape[1], f.tensors["cond_sub"].shape[1])])
        norm = HeadNorm(f.tensors["rms_scale"].shape[0])
        norm.scale.data = f.torch("rms_scale")
        yield f.row("rms_out", norm(f.torch("rms_in")))


FIXTURES: Mapping[str, CompareShape] = {
    "conditioner": _conditioner,
    "conditioner_mv": _conditioner_mv,
    "dit": _dit,
    "dit_guidance": _dit,
    "vae": _vae,
    "vae_turbo": _vae,
    "eps_probe": _eps_probe,
}
