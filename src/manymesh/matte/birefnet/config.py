"""The sizes of a BiRefNet, and how to read them from a checkpoint's tensors.

P. Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image Segmentation", CAAI AIR 2024,
arXiv 2401.03407. Every width follows from the backbone's first one; three more are parameters only so that small
networks can be built for tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manymesh.errors import WeightsError


@dataclass(frozen=True)
class Config:
    """One BiRefNet with a Swin v1 backbone.

    Attributes:
        embed_dim: channels of the first stage; the others have 2, 4 and 8 times as many.
        depths: transformer blocks in each stage.
        num_heads: attention heads in each stage.
        window_size: side of an attention window, in tokens.
        dec_inter: inner width of the decoder's blocks.
        aspp_width: channels of each branch of the deformable ASPP.
        ipt_inter: inner width of the blocks that encode the picture itself.
    """

    embed_dim: int
    depths: tuple[int, int, int, int]
    num_heads: tuple[int, int, int, int]
    window_size: int
    dec_inter: int = 64
    aspp_width: int = 256
    ipt_inter: int = 64

    @property
    def stage_widths(self) -> tuple[int, int, int, int]:
        """Channels of the backbone's four maps, finest first."""
        e = self.embed_dim
        return e, 2 * e, 4 * e, 8 * e

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels of the decoder's four levels, coarsest first: full and half scale side by side."""
        e = self.embed_dim
        return 16 * e, 8 * e, 4 * e, 2 * e


GENERAL = Config(192, (2, 2, 18, 2), (6, 12, 24, 48), 12)
LITE = Config(96, (2, 2, 6, 2), (3, 6, 12, 24), 7)

_UNUSED = re.compile(
    r"decoder\.(conv_ms_spvn_\d|gdt_convs_pred_\d\.0)\.(weight|bias)|.*\.(num_batches_tracked|relative_position_index)"
)


def is_unused(key: str) -> bool:
    """Tensors that the published files hold for training only."""
    return _UNUSED.fullmatch(key) is not None


def plain_key(key: str) -> str:
    """The key without the wrappers that training may have left in front."""
    return key.removeprefix("module.").removeprefix("_orig_mod.")


def config_of(shapes: Mapping[str, Sequence[int]]) -> Config:
    """The sizes that a checkpoint's tensors have (keys already plain). Raises ``WeightsError`` for anything else."""
    try:
        depths = tuple(_count(shapes, rf"bb\.layers\.{stage}\.blocks\.(\d+)\.norm1\.weight") for stage in range(4))
        tables = [shapes[f"bb.layers.{s}.blocks.0.attn.relative_position_bias_table"] for s in range(4)]
        aspp = "squeeze_module.0.dec_att.aspp1.atrous_conv.regular_conv.weight"
        return Config(
            embed_dim=int(shapes["bb.patch_embed.proj.weight"][0]),
            depths=depths,  # type: ignore[arg-type]
            num_heads=tuple(int(table[1]) for table in tables),  # type: ignore[arg-type]
            window_size=(round(tables[0][0] ** 0.5) + 1) // 2,
            dec_inter=int(shapes["squeeze_module.0.conv_in.weight"][0]),
            aspp_width=int(shapes[aspp][0]),
            ipt_inter=int(shapes["decoder.ipt_blk1.conv1.weight"][0]),
        )
    except (KeyError, IndexError) as error:
        raise WeightsError(
            f"these are not the weights of a BiRefNet with a Swin backbone: {error} is not there"
        ) from None


def _count(shapes: Mapping[str, Sequence[int]], pattern: str) -> int:
    return len({m.group(1) for key in shapes if (m := re.fullmatch(pattern, key))})
