"""The official checkpoint and its defaults."""

from __future__ import annotations

# Its name in the weights catalogue.
WEIGHTS = "triposg"
# The official defaults: denoising steps, guidance scale, latents.
STEPS, GUIDANCE, TOKENS = 50, 7.0, 2048
