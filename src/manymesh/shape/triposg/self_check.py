"""What ``manymesh models verify --deep`` checks of TripoSG. ``Model.self_check`` names ``checks``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from manymesh.shape.common.conditions import ENCODER
from manymesh.shape.common.dino import Dino
from manymesh.shape.common.sparse import DECODER
from manymesh.shape.triposg.checkpoint import refuse_scribble, renaming, weights_file
from manymesh.shape.triposg.config import (
    ENCODER_FOLDER,
    TRANSFORMER_FOLDER,
    VAE_FOLDER,
    TriposgConfig,
    published_config,
    read_config,
)
from manymesh.shape.triposg.models import TOKENS
from manymesh.shape.triposg.stage import TRANSFORMER
from manymesh.shape.triposg.transformer import ShapeTransformer
from manymesh.shape.triposg.vae import ShapeDecoder
from manymesh.weights.deep import Machine, StoredNetwork, check_networks
from manymesh.weights.entries import Model
from manymesh.weights.findings import Finding, failed, passed
from manymesh.weights.locate import Found

# The name of the check of the configuration's values.
SETTINGS = "settings"


def checks(model: Model, found: Found, machine: Machine) -> Iterator[Finding]:
    """All checks of the checkpoint ``model``, whose files are ``found``.

    Raises:
        WeightsError: a configuration cannot be read, or describes networks that are not built here.
    """
    assert found.root is not None
    config = read_config(found.root)
    refuse_scribble(weights_file(found.root, TRANSFORMER_FOLDER))
    yield from check_networks(networks(found.root, config), lambda built: push(built, config))
    published = {file.name: file.bytes for file in model.files}
    path = weights_file(found.root, TRANSFORMER_FOLDER)
    if path.stat().st_size == published[path.relative_to(found.root).as_posix()]:
        yield compare_settings(config)


def compare_settings(config: TriposgConfig) -> Finding:
    """The configuration of published weights against the values that were reported of it."""
    ours, reported = asdict(config), asdict(published_config())
    other = [
        f"{part} {ours[part]} where {reported[part]} was reported" for part in ours if ours[part] != reported[part]
    ]
    if not other:
        return passed(SETTINGS, "they are those reported of the published files")
    return failed(SETTINGS, f"{'; '.join(other)}: the networks are built from what is there")


def networks(folder: Path, config: TriposgConfig) -> list[StoredNetwork]:
    """The three networks of a checkpoint."""

    def stored(name: str, part: str, build: Any) -> StoredNetwork:
        return StoredNetwork(name, build, weights_file(folder, part), rename=renaming(part))

    return [
        stored(ENCODER, ENCODER_FOLDER, lambda: Dino(config.dino)),
        stored(TRANSFORMER, TRANSFORMER_FOLDER, lambda: ShapeTransformer(config.transformer)),
        stored(DECODER, VAE_FOLDER, lambda: ShapeDecoder(config.vae)),
    ]


def push(built: Mapping[str, Any], config: TriposgConfig) -> str:
    """A picture of the configuration's size, its tokens and latents through networks without memory.

    Raises:
        RuntimeError: shapes do not fit.
    """
    rows, columns = config.image.crop_px
    tokens = built[ENCODER](torch.empty(1, 3, rows, columns, device="meta"))
    latents = torch.empty(1, TOKENS, config.transformer.in_channels, device="meta")
    velocity = built[TRANSFORMER](latents, torch.empty(1, device="meta"), tokens)
    if velocity.shape != latents.shape:
        raise RuntimeError(f"the velocity is {list(velocity.shape)} where the latents are {list(latents.shape)}")
    decoder, points = built[DECODER], torch.empty(1, 8, 3, device="meta")
    field = decoder.field(points, decoder.keys_values(decoder(latents)))
    if field.shape != (1, 8, 1):
        raise RuntimeError(f"8 points give a field of the shape {list(field.shape)}")
    return f"a picture of {columns} x {rows} px becomes {tokens.shape[1]} tokens, and latents become a field"
