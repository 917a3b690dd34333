"""Grounding DINO finds objects by noun: small, deterministic, quick on a CPU. Importing this loads no PyTorch."""

from manymesh.detect.dino.stage import STAGE

__all__ = ["STAGE"]
