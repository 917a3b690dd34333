"""A fixture of TripoSG's parity: its checkpoint's networks, and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manymesh.dev.parity_common import Entry, Row, compare, failed

# How many tokens apart those are that a fixture keeps under a name ending in "_sub".
TOKEN_STRIDE = 5


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
                yield self.row(name, seen[own.removesuffix("_sub")][:, ::TOKEN_STRIDE])
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

        image = read_picture(self.folder / picture)
        rgb = image[..., :3] if framed else frame_object(image)
        return torch.from_numpy(encoder_pixels(rgb, read_image(self.checkpoint)))


def read_picture(path: Path) -> np.ndarray:
    """A PNG as 8-bit RGB or RGBA."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA" if "A" in image.mode else "RGB"))
