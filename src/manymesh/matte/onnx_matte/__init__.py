"""Mattes that are fetched as ONNX files: IS-Net and BiRefNet-lite on any CPU, without PyTorch."""

from manymesh.matte.onnx_matte.stage import BIREFNET_LITE, ISNET

__all__ = ["BIREFNET_LITE", "ISNET"]
