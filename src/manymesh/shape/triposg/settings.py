"""The settings of TripoSG's shape stage alone. ``Settings`` inherits them.

Steps, guidance, grid, tries and precision it shares with the other shape networks.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TriposgSettings(BaseModel):
    """What ``Settings`` says of TripoSG."""

    # Only ``Settings`` is ever made: validators of its base classes would be built for nothing.
    model_config = ConfigDict(defer_build=True)

    tokens: Annotated[
        int | None,
        Field(
            description="Latents that TripoSG describes a shape with. Without it 2048. More: finer, slower.",
            ge=16,
            le=8192,
            json_schema_extra={"group": "engine"},
        ),
    ] = None
