"""The point decoder at the points of a grid."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from manymesh.shape.common.grid_field import GridField, PointEmbedding
from manymesh.shape.hunyuan.vae import GeoDecoder, KeysValues
from manymesh.shape.hunyuan.volume import BOUNDS, point_bytes


class GridDecoder(GridField):
    """The point decoder as a ``sparse.GridField``.

    Args:
        decoder: the point decoder.
        keys_values: of one object.
        budget_bytes: working memory; points are evaluated in chunks as large as it allows.
        bounds: half the box's side.
        before_chunk: called before each chunk with its number of points; may raise to stop.
    """

    def __init__(
        self,
        decoder: GeoDecoder,
        keys_values: KeysValues,
        *,
        budget_bytes: int,
        bounds: float = BOUNDS,
        before_chunk: Callable[[int], None] = lambda points: None,
    ) -> None:
        def logits(embedded: Tensor) -> Tensor:
            return decoder.embedded_logits(embedded[None], keys_values)[0, :, 0]

        super().__init__(
            PointEmbedding(decoder.query_proj, decoder.config.num_freqs, decoder.config.include_pi),
            logits,
            chunk=max(budget_bytes // point_bytes(decoder), 256),
            bounds=bounds,
            before_chunk=before_chunk,
        )
