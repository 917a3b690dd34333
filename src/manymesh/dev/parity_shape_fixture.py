"""A fixture of the shape stack, and what its comparisons share: loading networks, encoding images, sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Entry, Row, compare, load_arrays
from manymesh.shape.hunyuan.config import read_shape_config, read_vae_config


@dataclass(frozen=True)
class Fixture(Entry):
    """A fixture of the shape stack: its checkpoints and its comparisons."""

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


CompareShape = Callable[[Fixture], Iterator[Row]]


def load_fixture(directory: Path, entry: dict[str, Any], manifest: dict[str, Any]) -> Fixture:
    """One entry of the manifest with the arrays of its file."""
    tensors = load_arrays(directory, entry) if "file" in entry else {}
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
    from manymesh.weights.load import load_network
    from manymesh.weights.verify import read_header

    path = checkpoint.weights_file(folder)
    place: Any = {"device": torch.device("cpu"), "dtype": torch.float32}
    if which == "vae":
        whole = any(key.startswith("vae.") for key in read_header(path))
        vae = read_shape_config(folder).vae if whole else read_vae_config(folder)
        return load_network(lambda: ShapeVae(vae), path, prefix="vae." if whole else "", **place)
    config = read_shape_config(folder)
    if which == "dit":
        return load_network(lambda: Dit(config.dit), path, prefix="model.", **place)
    return load_network(lambda: Conditioner(config.conditioner), path, prefix="conditioner.", **place)


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


def denoised(f: Fixture) -> tuple[Any, Any, Any]:
    """Noise, the sample after each step and the fast sampler's latents, from a fixture's picture and settings."""
    import torch

    from manymesh.shape.common.flow import initial_noise
    from manymesh.shape.hunyuan.flow_schedule import flow_schedule
    from manymesh.shape.hunyuan.sampler import Sampler, reference_denoise

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
