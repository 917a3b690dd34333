from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "huggingface_hub", "cv2", "scipy", "skimage", "PIL.Image", "safetensors", "diffusers")


@pytest.mark.parametrize(
    "module",
    [
        "manymesh.settings",
        "manymesh.detect",
        "manymesh.detect.qwen",
        "manymesh.detect.dino",
        "manymesh.detect.owlvit",
        "manymesh.matte.birefnet",
        "manymesh.matte.onnx_matte",
        "manymesh.paint.hunyuan",
        "manymesh.cli.paint",
        "manymesh.cli.models",
    ],
)
def test_importing_a_stage_loads_no_large_library(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
