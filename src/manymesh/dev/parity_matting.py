"""Parity of BiRefNet and what surrounds it, driven by the manifest of a folder of matting fixtures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev import procedural
from manymesh.dev.parity_common import Row, checked, compare, failed
from manymesh.matte import foreground, image
from manymesh.matte.birefnet import config as sizes

Arrays = dict[str, np.ndarray]


def rows(directory: Path, manifest: dict[str, Any]) -> Iterator[Row]:
    if "procedural_demo" in manifest:
        yield from checked("procedural_demo", lambda: _demo(manifest["procedural_demo"]))
    for fixture in manifest.get("fixtures", []):
        kind = str(fixture.get("kind"))
        name = str(fixture.get("dir") or fixture.get("file") or kind).removesuffix(".safetensors")
        compare_kind = KINDS.get(kind)
        if compare_kind is None:
            yield failed(name, f"a fixture of kind '{kind}' is not understood here")
        else:
            yield from checked(name, lambda f=fixture, c=compare_kind, n=name: c(directory, f, n))  # type: ignore[misc]
    for variant, file in manifest.get("keys", {}).items():
        yield from checked(file, lambda v=variant, f=file: _keys(directory / f, v))  # type: ignore[misc]


def _arrays(path: Path) -> Arrays:
    from safetensors.numpy import load_file

    return load_file(path)


def _demo(demo: dict[str, Any]) -> Iterator[Row]:
    """The generator of weights by rule."""
    wanted = np.array(demo["uniforms"])
    actual = procedural.stream(demo["crc32_key"] + (demo["crc32_salt"] << 32), len(wanted))
    yield compare("procedural_demo", actual, wanted, 0.0)


def _network(config: sizes.Config, tensor: Callable[[str, tuple[int, ...]], np.ndarray]) -> Any:
    import torch

    from manymesh.matte.birefnet.load import build

    shapes = build(config).state_dict()
    state = {
        key: torch.from_numpy(np.ascontiguousarray(tensor(key, tuple(value.shape))))
        for key, value in shapes.items()
        if not sizes.is_unused(key)
    }
    return build(config, state)


def _run(network: Any, x: np.ndarray) -> Arrays:
    """Every cut point of a forward pass."""
    import torch

    cuts: Arrays = {}
    with torch.inference_mode():
        network(torch.from_numpy(x), lambda name, value: cuts.__setitem__(name, value.detach().clone().numpy()))
    return cuts


def _full_model_tiny(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    c: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fixture["config"].items()
    }
    state: Arrays = {}
    for file in fixture["weights"]:
        state |= _arrays(directory / fixture["dir"] / file)
    found = sizes.config_of({key: value.shape for key, value in state.items()})
    yield Row(f"{name}/config", 0.0, 0.0, 0.0, found == sizes.Config(**c), "read from the weights")
    network = _network(found, lambda key, shape: state[key])
    for file in fixture["io"]:
        io = _arrays(directory / fixture["dir"] / file)
        cuts = _run(network, io["input"])
        for tensor, wanted in io.items():
            if tensor == "input":
                continue
            tolerance = float(fixture["tensors"][tensor]["atol"])
            yield _held(f"{name}/{tensor}", cuts.get(tensor), wanted, tolerance)


def _full_size(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    config = {"swin_v1_l": sizes.GENERAL, "swin_v1_t": sizes.LITE}[fixture["backbone"]]
    salt = fixture["salt"]
    h, w = fixture["input_hw"]
    network = _network(config, lambda key, shape: procedural.birefnet_tensor(key, shape, salt))
    batch = int(fixture.get("batch", 1))
    pictures = np.stack([procedural.picture(h, w, f"{salt}{i}") for i in range(batch)])
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (image.MEAN, image.STD))
    cuts = _run(network, ((pictures - mean) / std).astype(np.float32))
    for key, wanted in _arrays(directory / fixture["file"]).items():
        cut = key.removeprefix("sample256.")
        got = cuts.get(cut)
        if got is not None and key != cut:
            got = got.reshape(-1)[np.linspace(0, got.size - 1, wanted.size).astype(np.int64)]
        yield _held(f"{name}/{key}", got, wanted, float(fixture["tolerance"][cut]["atol"]))


def _held(name: str, got: np.ndarray | None, wanted: np.ndarray, tolerance: float) -> Row:
    return failed(name, "no such cut point here") if got is None else compare(name, got, wanted, tolerance)


def _deform(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.matte.birefnet.deform import deform_conv2d

    io = {key: torch.from_numpy(value) for key, value in _arrays(directory / fixture["file"]).items()}
    for case in fixture["cases"]:
        p = case["prefix"]
        got = deform_conv2d(io[f"{p}.x"], io[f"{p}.offset"], io[f"{p}.mask"], io[f"{p}.weight"], case["padding"])
        yield compare(f"{name}/{p}", got.numpy(), io[f"{p}.y"].numpy(), float(fixture["atol"]))


def _swin_layer(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    import torch

    from manymesh.matte.birefnet.swin import Stage, window_grid

    io = {key: torch.from_numpy(value) for key, value in _arrays(directory / fixture["file"]).items()}
    for case in fixture["cases"]:
        p, h, w = case["prefix"], case["h"], case["w"]
        state = {key.removeprefix(f"{p}.w."): value for key, value in io.items() if key.startswith(f"{p}.w.")}
        depth = len({key.split(".")[1] for key in state if key.startswith("blocks.")})
        stage = Stage(case["dim"], depth, case["heads"], case["window"], last=False).eval()
        stage.load_state_dict({key: value for key, value in state.items() if not sizes.is_unused(key)})
        grid = window_grid(h, w, case["window"], torch.device("cpu"))
        with torch.inference_mode():
            out = stage(io[f"{p}.tokens_in"], h, w)
            merged = stage.downsample(out, h, w)
        atol = float(fixture["atol"])
        yield compare(f"{name}/{p}.shift_mask", grid.blocked.numpy(), io[f"{p}.shift_mask_blocked"].numpy(), 0.0)
        index = state["blocks.0.attn.relative_position_index"].numpy()
        yield compare(f"{name}/{p}.position_index", grid.positions.numpy(), index, 0.0)
        yield compare(f"{name}/{p}.tokens_out", out.numpy(), io[f"{p}.tokens_out"].numpy(), atol)
        yield compare(f"{name}/{p}.merged_out", merged.numpy(), io[f"{p}.merged_out"].numpy(), atol)


def _open(path: Path, mode: str = "RGBA") -> np.ndarray:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert(mode))


def _refine(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    io = _arrays(directory / fixture["file"])
    windows = tuple(fixture["radii"])
    exact, level = float(fixture["atol_float"]), float(fixture["atol_u8"])
    for case in fixture["cases"]:
        p = case["prefix"]
        rgba = _open(directory / case["input"])
        rgb, alpha = foreground.unit(rgba[..., :3]), foreground.unit(rgba[..., 3])
        first, behind = foreground.fuse(rgb, rgb, rgb, alpha, windows[0])
        colours = foreground.foreground_colours(rgb, alpha, windows)
        got: Arrays = {
            "gpu_pass1_foreground": first.transpose(2, 0, 1)[None],
            "gpu_pass1_background": behind.transpose(2, 0, 1)[None],
            "gpu_float": colours.transpose(2, 0, 1)[None],
            "gpu_u8": foreground.refined_rgb(rgba[..., :3], rgba[..., 3], windows),
        }
        got |= {f"box{r}_gpu_of_alpha": foreground.box_mean(alpha, r)[None, None] for r in windows}
        for key in sorted(k for k in io if k.startswith(f"{p}.") and "cpu" not in k):
            tolerance = level if key.endswith("u8") else exact
            yield _held(f"{name}/{key}", got.get(key.removeprefix(f"{p}.")), io[key], tolerance)


def _pre_post(directory: Path, fixture: dict[str, Any], name: str) -> Iterator[Row]:
    io = _arrays(directory / fixture["file"])
    exact, level = float(fixture["atol_float"]), float(fixture["atol_u8"])
    source = _open(directory / fixture["input"], "RGB")
    for which in ("up", "down"):
        small = image.resized(source, fixture[which], fixture[which])
        yield compare(f"{name}/pre_u8_{which}", small, io[f"pre_u8_{which}"], level)
        got = image.normalised(io[f"pre_u8_{which}"])[None]
        yield compare(f"{name}/pre_tensor_{which}", got, io[f"pre_tensor_{which}"], exact)
    for side, digest in fixture["sha256_of_resized_u8_rgb_hwc"].items():
        same = hashlib.sha256(image.resized(source, int(side), int(side)).tobytes()).hexdigest() == digest
        # The digest is of one Pillow version; another may round one pixel the other way, which is no fault of ours.
        note = "" if same else f"another digest than Pillow {fixture.get('pillow')}'s: the pixels above decide"
        yield Row(f"{name}/resized_{side}", 0.0 if same else float("nan"), 0.0, level, True, note)
    h, w = source.shape[:2]
    coarse = image.alpha_u8(io["post_logits"])[0, 0]
    yield compare(f"{name}/post_alpha_u8_model_res", coarse, io["post_alpha_u8_model_res"], level)
    alpha = image.alpha_at(io["post_alpha_u8_model_res"], w, h)
    yield compare(f"{name}/post_alpha_u8_image_res", alpha, io["post_alpha_u8_image_res"], level)
    exact_alpha = io["post_alpha_u8_image_res"]
    rgba = np.dstack([foreground.refined_rgb(source, exact_alpha), exact_alpha])
    yield compare(f"{name}/final_rgba", rgba, _open(directory / fixture["final_rgba"]), level)


def _keys(path: Path, variant: str) -> Iterator[Row]:
    """Names and shapes of every tensor of the official file."""
    from manymesh.matte.birefnet.load import build

    wanted = {key: tuple(shape) for key, (shape, _) in json.loads(path.read_text("utf-8")).items()}
    config = {"general": sizes.GENERAL, "lite": sizes.LITE}[variant]
    mine = {key: tuple(value.shape) for key, value in build(config).state_dict().items()}
    read = sizes.config_of(wanted) == config
    used = {key: shape for key, shape in wanted.items() if not sizes.is_unused(key)}
    ours = {key: shape for key, shape in mine.items() if not sizes.is_unused(key)}
    wrong = sorted(key for key in used.keys() | ours.keys() if used.get(key) != ours.get(key))
    note = f"{len(wrong)} keys differ, the first is {wrong[0]}" if wrong else f"{len(used)} tensors"
    yield Row(path.name, float(len(wrong)), 0.0, 0.0, read and not wrong, note)


KINDS: dict[str, Callable[[Path, dict[str, Any], str], Iterator[Row]]] = {
    "full_model_tiny": _full_model_tiny,
    "full_size_procedural": _full_size,
    "deform_conv2d": _deform,
    "swin_layer": _swin_layer,
    "refine_foreground": _refine,
    "pre_post": _pre_post,
}
