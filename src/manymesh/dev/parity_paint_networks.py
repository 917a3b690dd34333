"""Parity of the painter's networks, schedules and loops, and of what is done to the photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import CompareFixture, Row, compare, failed, load_arrays, relative

NETWORK, PIPELINE, DELIGHT = 2e-4, 5e-3, 2e-3


def _tensors(directory: Path, fixture: dict[str, Any]) -> dict[str, Any]:
    import torch

    return {key: torch.from_numpy(value) for key, value in load_arrays(directory, fixture).items()}


def _folder(directory: Path, fixture: dict[str, Any]) -> Path:
    folder: Path = directory / fixture["config"]
    return folder.parent if folder.name == "unet" else folder


def _load(build: Any, path: Path, **how: Any) -> Any:
    import torch

    from manymesh.weights.load import load_network

    return load_network(build, path, device=torch.device("cpu"), dtype=torch.float32, channels_last=True, **how)


@lru_cache(maxsize=2)
def _unets(folder: Path) -> tuple[Any, Any]:
    """The reference network and the main one, with their projections joined as in a run."""
    from manymesh.paint.diffusion.checkpoint import network_file
    from manymesh.paint.diffusion.config import read_unet
    from manymesh.paint.diffusion.unet import fuse_projections
    from manymesh.paint.hunyuan.multiview_unet import MultiviewUNet, ReferenceUNet

    config, path = read_unet(folder), network_file(folder, "unet")
    reference = _load(lambda: ReferenceUNet(config), path, prefix="unet_dual.")
    main = _load(lambda: MultiviewUNet(config), path, prefix="unet.")
    return fuse_projections(reference), fuse_projections(main)


def _vae(folder: Path) -> Any:
    from manymesh.paint.diffusion.checkpoint import network_file
    from manymesh.paint.diffusion.config import read_vae
    from manymesh.paint.diffusion.image_vae import ImageVae, plain_key

    config = read_vae(folder)
    return _load(lambda: ImageVae(config), network_file(folder, "vae"), rename=plain_key)


def _checkpoint(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    """Strict loading of every network of every folder, and the counts of the manifest."""
    from manymesh.paint.diffusion.checkpoint import network_file
    from manymesh.weights.verify import read_header

    for root in fixture["files"]:
        for folder in sorted(path for path in (directory / root).iterdir() if (path / "unet").is_dir()):
            if "delight" in folder.name:
                _delight_networks(folder)
            else:
                _unets(folder)
                header = read_header(network_file(folder, "unet"))
                values = fixture.get("values", {})
                numbers = sum(int(np.prod(info.shape)) for info in header.values())
                for key, found in (("n_unet_keys", len(header)), ("n_unet_params", numbers)):
                    if key in values:
                        yield compare(f"{name}/{key}", found, values[key], 0.0)
            _vae(folder)
            yield Row(f"{name}/{folder.name}", 0.0, 0.0, 0.0, True, "loads strictly")


def _delight_networks(folder: Path) -> tuple[Any, Any]:
    """The UNet and the text encoder."""
    from manymesh.paint.diffusion.checkpoint import network_file
    from manymesh.paint.diffusion.config import read_text, read_unet
    from manymesh.paint.diffusion.text_encoder import TextEncoder, plain_key
    from manymesh.paint.diffusion.unet import UNet, fuse_projections

    config, text = read_unet(folder), read_text(folder)
    unet = fuse_projections(_load(lambda: UNet(config), network_file(folder, "unet")))
    encoder = _load(lambda: TextEncoder(text), network_file(folder, "text_encoder"), rename=plain_key)
    return unet, encoder


def _write(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    reference, main = _unets(_folder(directory, fixture))
    data = _tensors(directory, fixture)
    tokens, out = reference.write(data["ref_latents"].flatten(0, 1), main.learned_text_clip_ref)
    yield relative(f"{name}/dual_unet_out", out, data["dual_unet_out"], NETWORK)
    expected = {key.removeprefix("cond."): value for key, value in data.items() if key.startswith("cond.")}
    if set(expected) != set(tokens):
        yield failed(f"{name}/layers", f"{sorted(tokens)} where {sorted(expected)} were expected")
    for layer, wanted in expected.items():
        yield relative(f"{name}/{layer}", tokens[layer], wanted, NETWORK)


def _tokens(reference: Any, main: Any, latents: Any) -> dict[str, Any]:
    import torch

    rows = [reference.write(row, main.learned_text_clip_ref)[0] for row in latents]
    return {layer: torch.cat([row[layer] for row in rows]) for layer in rows[0]}


def _read(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.hunyuan.multiview_unet import camera_labels

    reference, main = _unets(_folder(directory, fixture))
    data, values = _tensors(directory, fixture), fixture["values"]
    rows, views = data["sample"].shape[:2]
    with torch.inference_mode():
        memory = main.block_contexts(
            views,
            rows,
            text=data["encoder_hidden_states"],
            tokens=_tokens(reference, main, data["ref_latents"]),
            scale=data.get("ref_scale"),
            between=float(values.get("mva_scale", 1.0)),
        )
        x = torch.cat([data["sample"], data["normal_latents"], data["position_latents"]], dim=2).flatten(0, 1)
        time = main.embed_time(data["timestep"].expand(rows * views), camera_labels(data["camera_info_gen"].flatten()))
        out = main(x, time, memory)
    yield relative(f"{name}/out", out, data["out"], NETWORK)


def _block(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.diffusion.layers import attend
    from manymesh.paint.hunyuan.multiview_unet import BlockContext

    main = _unets(_folder(directory, fixture))[1]
    data, values = _tensors(directory, fixture), fixture["values"]
    block = dict(main.blocks())[values["layer_name"]]
    views = int(values["num_in_batch"])
    with torch.inference_mode():
        texts = data["encoder_hidden_states"]
        memory = BlockContext(
            views,
            0,
            block.transformer.text_keys_values(texts),
            block.reference_keys_values(data["cond"]),
            data["ref_scale"],
            float(values["mva_scale"]),
        )
        z = block.transformer.norm1(data["hidden"])
        own, between, q = block.projected(z)
        plain = BlockContext(views, 0, memory.text, memory.reference)
        heads = block.transformer.attn1.heads
        joint = block.multiview_attention(between, views).unflatten(0, (-1, views)).flatten(1, 2)
        parts = {
            "norm1_out": z,
            "attn1_out": block.transformer.attn1.out(attend(own[0], own[1], own[2], heads)),
            "attn_refview_out": block.reference_attention(q, plain),
            "attn_multiview_out": joint,
            "out": block(data["hidden"], memory),
        }
        h = data["hidden"] + parts["attn1_out"] + block.reference_attention(q, memory)
        h = h + memory.between * block.multiview_attention(between, views)
        parts["attn2_out"] = torch.zeros_like(h)
        block.add_text_attention(parts["attn2_out"], block.transformer.norm2(h), memory)
    for key, got in parts.items():
        yield relative(f"{name}/{key}", got, data[key], NETWORK)


def _schedules(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.diffusion.config import NoiseScheduleConfig
    from manymesh.paint.diffusion.diffusion_schedule import euler_ancestral, signal, turbo_timesteps

    data = load_arrays(directory, fixture)
    paint = NoiseScheduleConfig()
    delight = NoiseScheduleConfig(spacing="leading", zero_snr=False, offset=1)
    for kind, config in (("paint", paint), ("delight", delight)):
        for key in (key for key in data if key.startswith(kind) and key.endswith("_timesteps")):
            start = key.removesuffix("_timesteps")
            made = euler_ancestral(config, len(data[key]))
            yield compare(f"{name}/{key}", made.timesteps, data[key], 0.0)
            wanted = data[f"{start}_sigmas"].astype(np.float64)
            ratio = made.sigmas[:-1] / wanted[:-1]
            yield compare(f"{name}/{start}_sigmas", ratio, np.ones(len(ratio)), 1e-5)
            yield relative(
                f"{name}/{start}_init_noise_sigma", made.start_scale, data[f"{start}_init_noise_sigma"], 1e-5
            )
    if "turbo_timesteps" in data:
        yield compare(f"{name}/turbo_timesteps", turbo_timesteps(paint), data["turbo_timesteps"], 0.0)
    if "turbo_ddim30" in data:
        grid = np.sort(np.arange(1, 31) * (paint.train_steps // 30) - 1)
        yield compare(f"{name}/turbo_ddim30", grid, np.sort(data["turbo_ddim30"]), 0.0)
    if "paint_alphas_cumprod" in data:
        yield compare(f"{name}/paint_alphas_cumprod", signal(paint), data["paint_alphas_cumprod"], 1e-6)


class _Script:
    """Stands in for the generator: hands out the fixture's own noise in order."""

    def __init__(self, *noises: Any) -> None:
        self.noises = [noise for block in noises for noise in block]

    def __call__(self, shape: tuple[int, ...]) -> Any:
        import torch

        # The consistency sampler's last step draws nothing there and is multiplied by nothing here.
        return self.noises.pop(0).reshape(shape) if self.noises else torch.zeros(shape)


def _pipeline(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.diffusion import pictures
    from manymesh.paint.diffusion.config import read_noise_schedule
    from manymesh.paint.diffusion.diffusion_schedule import consistency, euler_ancestral, turbo_timesteps
    from manymesh.paint.hunyuan import multiview_sampler
    from manymesh.paint.hunyuan.multiview_unet import REFERENCE_SLOTS

    folder, values = _folder(directory, fixture), fixture["values"]
    data, raw = _tensors(directory, fixture), load_arrays(directory, fixture)
    (reference, main), vae, noise = _unets(folder), _vae(folder), read_noise_schedule(folder)
    turbo = bool(values.get("lcm"))
    if turbo:
        schedule = consistency(noise, turbo_timesteps(noise))
    else:
        schedule = euler_ancestral(noise, int(values["steps"]))
        yield relative(f"{name}/sigmas", schedule.sigmas, raw["sigmas"], 1e-5)
    yield compare(f"{name}/timesteps", schedule.timesteps, raw["timesteps"], 0.0)
    guidance = 1.0 if turbo else float(values["guidance_scale"])
    shown = {"ref": raw["ref_image"], "normal": raw["normal_images"], "position": raw["position_images"]}
    for economy in (pictures.Batching(True, 8), pictures.Batching(False, 1)):
        kind = f"{name}/{'together' if economy.joint_guidance else 'in turn'}"
        latents = {}
        for key, picture in shown.items():
            batch = picture if picture.ndim == 4 else picture[None]
            latents[key] = pictures.encode(vae, batch, data[f"vae_eps_{key}"], economy)
            yield relative(f"{kind}/{key}_latents", latents[key], data[f"{key}_latents"][-1], PIPELINE)
        tokens = multiview_sampler.reference_tokens(reference, latents["ref"], main.learned_text_clip_ref)
        indices = data["camera_info_gen"].flatten().tolist()
        painter = multiview_sampler.MultiviewSampler(main, indices, guidance, economy, use_graph=False)
        seen: list[Any] = []
        out = painter(
            tokens,
            latents["normal"],
            latents["position"],
            schedule,
            _Script([data["init_noise"]], data["step_noise"]),
            each=lambda step, x, seen=seen: seen.append(x.clone()),  # type: ignore[misc]
        )
        for step, x in enumerate(seen):
            yield relative(f"{kind}/latents_after{step}", x, data["latents_after"][step], PIPELINE)
        for step in range(len(seen)):
            x = data["step_input"][step] * float(schedule.input_scale[step])
            moment = torch.tensor(float(schedule.timesteps[step])).expand(len(indices))
            with torch.inference_mode():
                time = main.embed_time(moment, torch.tensor(indices) + REFERENCE_SLOTS)
                v = painter.predict(x, time)
            yield relative(f"{kind}/model_out{step}", v, data["model_out_guided"][step], PIPELINE)
        yield relative(f"{kind}/final_latents", out, data["final_latents"], PIPELINE)
        yield compare(f"{kind}/images", pictures.decode(vae, out, economy), data["images"], PIPELINE)


def _delight(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.diffusion.config import read_noise_schedule
    from manymesh.paint.diffusion.diffusion_schedule import euler_ancestral
    from manymesh.paint.diffusion.text_encoder import empty_prompt
    from manymesh.paint.hunyuan.delight import Delighter

    folder, values = _folder(directory, fixture), fixture["values"]
    data, raw = _tensors(directory, fixture), load_arrays(directory, fixture)
    unet, encoder = _delight_networks(folder)
    ids = empty_prompt(folder, raw["prompt_ids"].shape[1])
    yield compare(f"{name}/prompt_ids", [ids], raw["prompt_ids"], 0.0)
    prompt = encoder(torch.tensor([ids]))
    yield relative(f"{name}/prompt_embeds", prompt, data["prompt_embeds"], DELIGHT)
    noise, steps = read_noise_schedule(folder), int(values["steps"])
    schedule = euler_ancestral(noise, steps)
    yield compare(f"{name}/timesteps", schedule.timesteps, raw["timesteps"], 0.0)
    yield relative(f"{name}/sigmas", schedule.sigmas, raw["sigmas"], 1e-5)
    delighter = Delighter(unet, _vae(folder), prompt, noise, use_graph=False)
    yield relative(f"{name}/image_latents", delighter.encode(raw["image"]), data["image_latents"], DELIGHT)
    seen: list[Any] = []
    image = delighter(
        raw["image"],
        steps,
        _Script([data["init_noise"]], data["step_noise"]),
        each=lambda step, x: seen.append(x.clone()),
    )
    for step, x in enumerate(seen):
        yield relative(f"{name}/latents_after{step}", x, data["latents_after"][step], DELIGHT)
        with torch.inference_mode():
            time = unet.embed_time(torch.tensor([float(schedule.timesteps[step])]))
            v = unet(data["unet_in"][step], time, delighter.text_context)
        yield relative(f"{name}/model_out{step}", v, data["model_out"][step], DELIGHT)
    yield relative(f"{name}/images", image, data["images"], DELIGHT)
    # The generator itself: one on the CPU, one draw for the start and one for every step.
    generator = torch.Generator().manual_seed(int(values["seed"]))
    drawn = [torch.randn(data["init_noise"].shape, generator=generator) for _ in range(1 + steps)]
    yield compare(f"{name}/drawn", torch.stack(drawn[1:]), data["step_noise"], 0.0)


def _prepost(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.hunyuan import delight_images

    data, values = load_arrays(directory, fixture), fixture["values"]
    size = int(values.get("resize", 512))
    yield compare(f"{name}/resized", delight_images.resize_square(data["rgba"], size), data["resized"], 1.0)
    ready, target, alpha = delight_images.prepared(data["resized"])
    yield compare(f"{name}/eroded_alpha", ready[:, :, 3], data["eroded_alpha"], 0.0)
    yield compare(f"{name}/rgba_prepared", ready, data["rgba_prepared"], 0.0)
    yield compare(f"{name}/pipeline_input_rgb", ready[:, :, :3], data["pipeline_input_rgb"], 0.0)
    yield compare(
        f"{name}/final_rgb", delight_images.finished(data["pipeline_output_rgb"], target, alpha), data["final_rgb"], 1.0
    )
    if "final_rgb_no_alpha" in data:
        plain = delight_images.resize_square(np.ascontiguousarray(data["rgba"][:, :, :3]), size)
        ready, target, alpha = delight_images.prepared(plain)
        stand_in = np.clip((ready / 255.0) ** 0.8 * [0.9, 1.0, 0.8] + 0.05, 0, 1)
        final = delight_images.finished((stand_in * 255).astype(np.uint8), target, alpha)
        yield compare(f"{name}/final_rgb_no_alpha", final, data["final_rgb_no_alpha"], 1.0)


def _recolor(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.hunyuan import delight_images

    data = load_arrays(directory, fixture)
    for case in sorted(key.removesuffix("_src") for key in data if key.endswith("_src")):
        alpha = data[f"{case}_alpha"]
        made = delight_images.recoloured(data[f"{case}_src"], data[f"{case}_target"], alpha)
        yield compare(f"{name}/{case}", np.concatenate([made, alpha], axis=2), data[f"{case}_out"], 1e-9)


def _recenter(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.errors import ObjectError
    from manymesh.paint.hunyuan import delight_images

    data = load_arrays(directory, fixture)
    for key in sorted(key for key in data if key.startswith("in")):
        yield compare(f"{name}/{key}", delight_images.pad_to_square(data[key]), data[key.replace("in", "out")], 0.0)
    plain = data["in0"][:, :, :3]
    yield compare(f"{name}/rgb", delight_images.pad_to_square(plain), plain, 0.0)
    grey = plain[:, :, 0]
    yield compare(f"{name}/grey", delight_images.pad_to_square(grey), np.dstack([grey] * 3), 0.0)
    try:
        delight_images.pad_to_square(np.zeros_like(data["in0"]))
    except ObjectError:
        yield Row(f"{name}/transparent", 0.0, 0.0, 0.0, True, "raises")
    else:
        yield failed(f"{name}/transparent", "a fully transparent picture was accepted")


FIXTURES: Mapping[str, CompareFixture] = {
    "tiny_ckpt": _checkpoint,
    "unet_write": _write,
    "unet_read": _read,
    "block_2p5d": _block,
    "schedulers": _schedules,
    "pipeline": _pipeline,
    "delight_pipeline": _delight,
    "delight_prepost": _prepost,
    "delight_recolor": _recolor,
    "recenter_rgba": _recenter,
}
