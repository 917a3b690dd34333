"""Parity of the MV-Adapter painter, driven by the manifest of a folder of its fixtures.

Fixtures of both bases share these functions. A name that ends in ``_sd`` or has ``_sd_`` in it is of Stable Diffusion
2.1, ``_xl`` of XL. Cameras, maps and baking are in ``parity_mvadapter_render``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev import parity_mvadapter_render
from manymesh.dev.parity_common import (
    CompareFixture,
    Row,
    checked,
    compare,
    comparison_for,
    failed,
    load_arrays,
    share_within,
)
from manymesh.dev.parity_mvadapter_render import control_tensor

# Relative; the manifest says that 2e-5 can be reached except near t = 0.
SIGNAL = 2e-5
# Share of the bytes that must be within one level; the rest within three.
BYTES_WITHIN_ONE = 0.995


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    """Every row of every fixture; an unknown fixture is a failing row."""
    fixtures = {**FIXTURES, **parity_mvadapter_render.FIXTURES}
    for fixture in manifest.get("fixtures", []):
        name = str(fixture.get("name"))
        compare_fixture = comparison_for(name, fixtures)
        if compare_fixture is None:
            yield failed(name, "a fixture of this name is not understood here")
        else:
            yield from checked(name, lambda f=fixture, c=compare_fixture, n=name: c(directory, f, n))  # type: ignore[misc]


def _tensors(directory: Path, fixture: dict[str, Any]) -> dict[str, Any]:
    import torch

    return {key: torch.from_numpy(value) for key, value in load_arrays(directory, fixture).items()}


def _where() -> tuple[Any, Any]:
    import torch

    return torch.device("cpu"), torch.float32


def _checkpoint(directory: Path, name: str) -> Any:
    """The tiny checkpoint that a fixture of this name was made with."""
    from manymesh.paint.mvadapter.checkpoint import Checkpoint
    from manymesh.paint.mvadapter.models import BASES

    root = directory / "tiny_ckpt"
    if "xl" in name.split("_"):
        adapter = root / "mv-adapter" / BASES["sdxl"].adapter_file
        return Checkpoint(root / "stable-diffusion-xl-base-1.0", adapter, root / "sdxl-vae-fp16-fix", True)
    adapter = root / "mv-adapter" / BASES["sd21"].adapter_file
    return Checkpoint(root / "stable-diffusion-2-1-base", adapter, None, False)


@lru_cache(maxsize=2)
def _unet(checkpoint: Any) -> Any:
    return checkpoint.unet(*_where())


def _texts(checkpoint: Any, prompts: list[str]) -> Any:
    from manymesh.paint.mvadapter.text import encode_texts

    return encode_texts(checkpoint, prompts, *_where())


def _rows(fixture: dict[str, Any], name: str, found: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Row]:
    """A row for each tensor of the fixture under its own tolerance; a missing one fails."""
    tolerances = fixture["tolerances"]
    for key, value in found.items():
        yield compare(f"{name}/{key}", value, data[key], float(tolerances[key]))


def _tiny(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    """Exact equality of keys of every network, and the counts of the manifest."""
    values, kinds = fixture["values"], ("sd", "xl")
    for kind in kinds:
        checkpoint = _checkpoint(directory, kind)
        checkpoint.check()
        config = checkpoint.unet_config
        network = _unet(checkpoint)
        encoder = checkpoint.condition_encoder(*_where())
        vae = checkpoint.image_vae(*_where())
        texts = [checkpoint.text_encoder(part, *_where()) for part, _ in checkpoint.text_parts]
        branches = sum(p.numel() for _, block in network.blocks() for p in block.branches.parameters())
        counts = {
            f"{kind}_adapter_keys": checkpoint.adapter_keys(),
            f"{kind}_adapter_params": branches + sum(p.numel() for p in encoder.parameters()),
            f"{kind}_unet_keys": sum("branches" not in key for key in network.state_dict()),
        }
        for key, count in counts.items():
            if key in values:
                yield compare(f"{name}/{key}", count, values[key], 0.0)
        what = f"{len(texts)} text encoders, {len(config.channels)} levels, {len(vae.state_dict())} tensors of the VAE"
        yield Row(f"{name}/{kind}", 0.0, 0.0, 0.0, True, f"loads strictly: {what}")
    yield from _full_size(directory / "keys", name)


def _full_size(folder: Path, name: str) -> Iterator[Row]:
    """The networks at full size have the tensors of the published files; for sets that hold their lists."""
    import torch

    from manymesh.paint.diffusion.config import UNetConfig
    from manymesh.paint.mvadapter.adapter import ENCODER_PREFIX, AdaptedUNet, AttentionAdapter, attention_key
    from manymesh.paint.mvadapter.condition_encoder import ConditionEncoder, encoder_config

    xl = UNetConfig(
        channels=(320, 640, 1280),
        heads=(5, 10, 20),
        attends_down=(False, True, True),
        attends_up=(True, True, False),
        text_dim=2048,
        depth=(1, 2, 10),
        added_dim=2816,
        added_time_dim=256,
    )
    files = {"sd21": (UNetConfig(), "sd21_unet"), "sdxl": (xl, "sdxl_unet")}
    for kind, (config, unet) in files.items():
        if not (folder / f"{unet}.json").is_file():
            continue
        with torch.device("meta"):
            built = {key: list(v.shape) for key, v in AdaptedUNet(config).state_dict().items()}
            branches = {key: list(v.shape) for key, v in AttentionAdapter(config).state_dict().items()}
            encoder = ConditionEncoder(encoder_config(config)).state_dict()
        wanted = json.loads((folder / f"{unet}.json").read_text("utf-8"))["shapes"]
        yield _same_keys(f"{name}/{unet}", built, wanted)
        listed = json.loads((folder / f"mvadapter_ig2mv_{kind}.json").read_text("utf-8"))["shapes"]
        renamed = {attention_key(key) or key: shape for key, shape in listed.items()}
        both = branches | {ENCODER_PREFIX + key: list(value.shape) for key, value in encoder.items()}
        yield _same_keys(f"{name}/mvadapter_ig2mv_{kind}", both, renamed)


def _same_keys(name: str, built: Mapping[str, Any], wanted: Mapping[str, Any]) -> Row:
    wrong = sorted(key for key in {*built, *wanted} if built.get(key) != wanted.get(key))
    note = f"{len(built)} tensors" if not wrong else f"{len(wrong)} differ, such as {wrong[0]}"
    return Row(name, float(len(wrong)), 0.0, 0.0, not wrong, note)


def _preprocess(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.mvadapter.reference_picture import reference_picture

    data = load_arrays(directory, fixture)
    for key in sorted(key for key in data if key.startswith("in")):
        wanted = key.replace("in", "out")
        made = reference_picture(data[key], int(fixture["values"]["size_px"]))
        yield compare(f"{name}/{wanted}", made, data[wanted], 0.0)


def _encoder(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    data = _tensors(directory, fixture)
    found = _features(directory, fixture, _checkpoint(directory, name))
    yield from _rows(fixture, name, {f"feature{i}": value for i, value in enumerate(found.values())}, data)


def _features(directory: Path, fixture: dict[str, Any], checkpoint: Any) -> dict[str, Any]:
    import torch

    maps = torch.from_numpy(control_tensor(directory, fixture["values"].get("control", "control_maps.safetensors")))
    found: dict[str, Any] = checkpoint.condition_encoder(*_where())(maps)
    return found


def _attention(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.mvadapter.adapter import official_name
    from manymesh.paint.mvadapter.attention import ViewsContext

    network = _unet(_checkpoint(directory, name))
    block = {official_name(key): block for key, block in network.blocks()}[fixture["values"]["layer"]]
    data = _tensors(directory, fixture)
    with torch.inference_mode():
        memory = ViewsContext(text=(data["hidden"], data["hidden"]), reference=None)
        own, between, q = block.projected(data["hidden"])
        tokens = block.reference_keys_values(data["reference_tokens"])
        found = {
            "self": block.own(own),
            "between_views": block.between_views(between, memory),
            "reference": block.reference_attention(q, tokens),
        }
    found["total"] = found["self"] + found["between_views"] + found["reference"]
    yield from _rows(fixture, name, found, data)


def _prompts(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    checkpoint, data = _checkpoint(directory, name), _tensors(directory, fixture)
    prompts = fixture["values"]["prompts"]
    for number, (_, part) in enumerate(checkpoint.text_parts, start=1):
        tokenizer = checkpoint.tokenizer(part)
        start = f"ids{number}_" if checkpoint.xl else "ids"
        for at, prompt in enumerate(prompts):
            wanted = data[f"{start}{at}"]
            yield compare(f"{name}/{start}{at}", tokenizer(prompt, len(wanted)), wanted, 0.0)
    texts = _texts(checkpoint, prompts)
    for at in range(len(prompts)):
        found = {f"embeds{at}": texts.states[at]}
        if texts.summaries is not None:
            found[f"pooled{at}"] = texts.summaries[at]
        yield from _rows(fixture, name, found, data)


def _reference_latents(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.diffusion import pictures

    data, raw = _tensors(directory, fixture), load_arrays(directory, fixture)
    vae = _checkpoint(directory, name).image_vae(*_where())
    signed = pictures.to_signed_batch(raw["image"][None], *_where())
    mean = vae.encode(signed)
    found = {
        "mean": mean,
        "std": vae.encode(signed, torch.ones_like(mean)) - mean,
        "latents": pictures.encode(vae, raw["image"][None], data["eps"], pictures.Batching()),
    }
    yield from _rows(fixture, name, found, data)


def _decode(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.diffusion import pictures

    data, raw = _tensors(directory, fixture), load_arrays(directory, fixture)
    vae = _checkpoint(directory, name).image_vae(*_where())
    with torch.inference_mode():
        plain = vae.decoder(vae.post_quant_conv(data["latents"] / vae.config.scaling_factor))
    yield from _rows(fixture, name, {"decoded": plain[: len(data["decoded"])]}, data)
    made = pictures.to_uint8_images(pictures.decode(vae, data["latents"], pictures.Batching()))
    yield compare(f"{name}/uint8", made, raw["uint8"], 1.0)


def _write(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.mvadapter.adapter import official_name

    checkpoint, data, values = _checkpoint(directory, name), _tensors(directory, fixture), fixture["values"]
    network, texts = _unet(checkpoint), _texts(checkpoint, [values["prompt"]])
    added = texts.added(network.config, int(values["size_px"]))
    tokens, out = network.reference(data["ref_latents"], texts.states, added)
    found = {official_name(block): value for block, value in tokens.items()}
    if missing := set(data) - {*found, "unet_out", "ref_latents"}:
        yield failed(f"{name}/layers", f"{sorted(missing)} were expected")
    yield from _rows(fixture, name, {key: found[key].reshape(data[key].shape) for key in sorted(found)}, data)
    yield from _rows(fixture, name, {"unet_out": out}, data)


def _read(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.paint.mvadapter.condition_encoder import scaled_features

    checkpoint, data, values = _checkpoint(directory, name), _tensors(directory, fixture), fixture["values"]
    network = _unet(checkpoint)
    texts = _texts(checkpoint, [values["prompt"], values["negative_prompt"]])
    added = texts.added(network.config, int(values["size_px"]))
    guided = name.endswith("cfg")
    order = [1, 0] if guided else [0, 1]
    references = data["ref_latents"][1:] if guided else data["ref_latents"]
    features = scaled_features(_features(directory, fixture, checkpoint), values["control_scale"], data["sample"])
    with torch.inference_mode():
        first = None if added is None else added[:1]
        tokens, _ = network.reference(references, texts.states[:1], first)
        contexts = network.contexts(
            texts.states[order], tokens, between=values["mv_scale"], likeness=values["ref_scale"]
        )
        per_row = None if added is None else added[order].repeat_interleave(len(data["sample"]) // 2, dim=0)
        moment = torch.tensor(float(values["timestep"])).expand(len(data["sample"]))
        out = network(data["sample"], network.embed_time(moment, added=per_row), contexts, features)
    yield from _rows(fixture, name, {"out": out}, data)


def _rows_alone(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    checkpoint, data, values = _checkpoint(directory, "sd"), _tensors(directory, fixture), fixture["values"]
    network, texts = _unet(checkpoint), _texts(checkpoint, [values["prompt"]])
    features = {place: x[: values["views"]] for place, x in _features(directory, fixture, checkpoint).items()}
    with torch.inference_mode():
        tokens, _ = network.reference(data["ref_latents"], texts.states)
        contexts = network.contexts(texts.states, tokens, views=int(values["views"]), rows_alone=True)
        moment = torch.tensor(float(values["timestep"])).expand(len(data["sample"]))
        out = network(data["sample"], network.embed_time(moment), contexts, features)
    yield from _rows(fixture, name, {"out": out}, data)


def _schedules(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.mvadapter.schedule import schedule_of, shifted_signal

    data = load_arrays(directory, fixture)
    tolerances = fixture["tolerances"]
    for kind, base in (("ddpm", "sd"), ("euler", "xl")):
        noise = _checkpoint(directory, base).noise
        yield compare(f"{name}/{kind}_alphas_cumprod", shifted_signal(noise), data[f"{kind}_alphas_cumprod"], SIGNAL)
        for key in sorted(key for key in data if key.startswith(kind) and key.endswith("_timesteps")):
            start = key.removesuffix("_timesteps")
            made = schedule_of(noise, len(data[key]), kind)  # type: ignore[arg-type]
            found = {"timesteps": made.timesteps, "keep_eps_noise": np.stack([made.keep, made.answer, made.noise], 1)}
            if kind == "euler":
                found = {
                    "timesteps": made.timesteps,
                    "sigmas": made.sigmas,
                    "init_noise_sigma": np.array([made.start_scale]),
                }
            for what, value in found.items():
                yield compare(f"{start}_{what}", value, data[f"{start}_{what}"], float(tolerances[f"{start}_{what}"]))


class _Script:
    """Stands in for the generator: hands out the fixture's own noise in order."""

    def __init__(self, *noises: Any) -> None:
        self.noises = [noise for block in noises for noise in block]

    def __call__(self, shape: tuple[int, ...]) -> Any:
        return self.noises.pop(0).reshape(shape)


def _pipeline(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    from manymesh.paint.diffusion import pictures
    from manymesh.paint.mvadapter.sampler import SixViewSampler, Strengths
    from manymesh.paint.mvadapter.schedule import schedule_of

    checkpoint, data, values = _checkpoint(directory, name), _tensors(directory, fixture), fixture["values"]
    raw = load_arrays(directory, fixture)
    network, vae = _unet(checkpoint), checkpoint.image_vae(*_where())
    texts = _texts(checkpoint, [values["negative_prompt"], values["prompt"]])
    features = _features(directory, fixture, checkpoint)
    schedule = schedule_of(checkpoint.noise, int(values["steps"]), "euler" if name.endswith("euler") else "ddpm")
    yield compare(f"{name}/timesteps", schedule.timesteps, raw["timesteps"], 0.0)
    strengths = Strengths(values["ref_scale"], values["control_scale"], values["mv_scale"])
    guidance = float(values["guidance_scale"])
    latents = pictures.encode(vae, raw["ref_image"][None], data["ref_eps"], pictures.Batching())
    yield from _rows(fixture, name, {"ref_latents": latents}, data)
    for joint in (True, False) if guidance > 1 else (True,):
        kind = f"{name}/{'together' if joint else 'in turn'}"
        sampler = SixViewSampler(
            *(network, texts, int(values["size_px"]), guidance), joint=joint, strengths=strengths, use_graph=False
        )
        seen: dict[str, Any] = {}
        _listen(sampler, seen)
        out = sampler(
            sampler.reference(latents),
            features,
            schedule,
            _Script([data["init_noise"]], data.get("step_noise", ())),
            tuple(data["init_noise"].shape),
            each=lambda step, x, seen=seen: seen.update({f"latents{step - 1}": x.clone()}),  # type: ignore[misc]
        )
        for key, wanted in data.items():
            if key.startswith(("eps", "latents", "unet_in")):
                got = seen[key][: len(wanted)]
                yield compare(f"{kind}/{key}", got, wanted, float(fixture["tolerances"][key]))
        made = pictures.to_uint8_images(pictures.decode(vae, out[::2], pictures.Batching()))
        flat, wanted = made.reshape(len(made), -1), raw["uint8"].reshape(len(made), -1)
        yield share_within(f"{kind}/uint8", flat, wanted, 1.0, BYTES_WITHIN_ONE)
        yield compare(f"{kind}/uint8 at most", made, raw["uint8"], 3.0)


def _listen(sampler: Any, seen: dict[str, Any]) -> None:
    """Let a sampler write down what its network is given and what it answers."""
    answers, steps = sampler.answers, iter(range(1000))

    def listening(x: Any, time: Any) -> Any:
        found, step = answers(x, time), next(steps)
        seen[f"unet_in{step}"] = x.clone()
        if len(found) == 1:
            seen[f"eps{step}"] = found[0]
        else:
            seen[f"eps_uncond{step}"], seen[f"eps_cond{step}"] = found
        return found

    sampler.answers = listening


FIXTURES: Mapping[str, CompareFixture] = {
    "tiny_ckpt": _tiny,
    "preprocess": _preprocess,
    "cond_encoder": _encoder,
    "attention": _attention,
    "prompt": _prompts,
    "reference_latents": _reference_latents,
    "decode": _decode,
    "unet_write": _write,
    "unet_read": _read,
    "unet_row": _rows_alone,
    "schedulers": _schedules,
    "pipeline": _pipeline,
}
