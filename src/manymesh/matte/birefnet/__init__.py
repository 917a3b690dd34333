"""BiRefNet in our own PyTorch modules, loading the official files. Importing this loads no PyTorch."""

from manymesh.matte.birefnet.stage import STAGE

__all__ = ["STAGE"]
