"""Qwen3-VL finds things by name. Importing this loads no PyTorch."""

from manymesh.detect.qwen.stage import STAGE

__all__ = ["STAGE"]
