"""Where a shape checkpoint's weights lie: one safetensors file with all networks, each under a prefix of its own."""

from __future__ import annotations

from pathlib import Path

from manymesh.errors import WeightsError

# The pickled .ckpt of the same name is never read: it can run code.
WEIGHTS_FILES = ("model.fp16.safetensors", "model.safetensors")
# What the keys of each network start with. A folder that holds the decoder alone has no prefix.
ENCODER_PREFIX, TRANSFORMER_PREFIX, DECODER_PREFIX = "conditioner.", "model.", "vae."


def weights_file(folder: Path) -> Path:
    """The safetensors file of a checkpoint folder.

    Raises:
        WeightsError: there is none.
    """
    for name in WEIGHTS_FILES:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(f"the checkpoint '{folder.name}' has no {WEIGHTS_FILES[0]}", "Run 'manymesh models verify'")
