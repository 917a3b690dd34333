"""OWL-ViT finds things by name on any CPU, without PyTorch. Importing this loads nothing heavy."""

from manymesh.detect.owlvit.stage import STAGE

__all__ = ["STAGE"]
