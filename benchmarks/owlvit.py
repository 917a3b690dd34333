"""OWL-ViT and IS-Net through onnxruntime at full size, RANDOM WEIGHTS: seconds a pass and memory of the process.

    python benchmarks/owlvit.py --folder build/owlvit            # writes the files once (a minute), then measures
    python benchmarks/owlvit.py --folder build/owlvit --only owlvit

Needs torch, transformers and onnx to write the files; the measured processes load none of them. Cores: as many as the
process may use (``taskset -c 0,1`` for two).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

NAMES = ["cup", "spoon", "saucer", "a red book", "scissors", "key", "lamp", "plant in a pot"]
PASSES = 3


def write_owlvit(folder: Path) -> None:
    """base/32 with random weights, as float32 and with weights quantised to int8 dynamically."""
    import tiny_owlvit
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import OwlViTConfig, OwlViTForObjectDetection

    network = OwlViTForObjectDetection(OwlViTConfig()).eval()
    tiny_owlvit.export(network, folder)
    tiny_owlvit.save_tokenizer(folder)
    tiny_owlvit.save_sizing(folder, size={"height": 768, "width": 768})
    names = folder / "onnx"
    quantize_dynamic(names / "model.onnx", names / "model_quantized.onnx", weight_type=QuantType.QUInt8)


def write_isnet(folder: Path) -> None:
    """A network of IS-Net's form, 1024 x 1024: six nested U-blocks down, five up, and a map of each."""
    import warnings

    import torch
    from torch import nn
    from torch.nn import functional

    class Conv(nn.Sequential):
        def __init__(self, i: int, o: int, dilation: int = 1, stride: int = 1) -> None:
            super().__init__(nn.Conv2d(i, o, 3, stride, dilation, dilation), nn.BatchNorm2d(o), nn.ReLU(inplace=True))

    def grown(x: Any, like: Any) -> Any:
        return functional.interpolate(x, size=like.shape[2:], mode="bilinear")

    class Block(nn.Module):
        """A U of ``depth`` levels inside a residual; with ``flat``, dilation takes the place of pooling."""

        def __init__(self, depth: int, i: int, middle: int, o: int, flat: bool = False) -> None:
            super().__init__()
            self.flat = flat
            self.first = Conv(i, o)
            rates = [2**n for n in range(depth)] if flat else [1] * (depth - 1) + [2]
            self.down = nn.ModuleList(Conv(o if n == 0 else middle, middle, rate) for n, rate in enumerate(rates))
            back = rates[-2::-1] if flat else [1] * (depth - 1)
            self.up = nn.ModuleList(
                Conv(2 * middle, o if n == depth - 2 else middle, rate) for n, rate in enumerate(back)
            )

        def forward(self, x: Any) -> Any:
            x = self.first(x)
            seen, h = [], x
            for n, conv in enumerate(self.down):
                pooled = n > 0 and not self.flat and n < len(self.down) - 1
                h = conv(functional.max_pool2d(h, 2, ceil_mode=True) if pooled else h)
                seen.append(h)
            for conv, left in zip(self.up, seen[-2::-1], strict=True):
                h = conv(torch.cat([h if h.shape == left.shape else grown(h, left), left], 1))
            return h + x

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 64, 3, 2, 1)
            rows = [(7, 64, 32, 64), (6, 64, 32, 128), (5, 128, 64, 256), (4, 256, 128, 512)]
            self.down = nn.ModuleList([*(Block(*row) for row in rows), *(Block(4, 512, 256, 512, True) for _ in "12")])
            rows = [(4, 1024, 128, 256), (5, 512, 64, 128), (6, 256, 32, 64), (7, 128, 16, 64)]
            self.up = nn.ModuleList([Block(4, 1024, 256, 512, True), *(Block(*row) for row in rows)])
            self.sides = nn.ModuleList(nn.Conv2d(c, 1, 3, 1, 1) for c in (64, 64, 128, 256, 512, 512))

        def forward(self, x: Any) -> Any:
            h, seen = self.stem(x), []
            for n, block in enumerate(self.down):
                h = block(functional.max_pool2d(h, 2, ceil_mode=True) if n else h)
                seen.append(h)
            maps = [h]
            for block, left in zip(self.up, seen[-2::-1], strict=True):
                h = block(torch.cat([grown(h, left), left], 1))
                maps.insert(0, h)
            return tuple(grown(side(m), x).sigmoid() for side, m in zip(self.sides, maps, strict=True))

    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, about itself and about traced shapes
        torch.onnx.export(
            Net().eval(), torch.zeros(1, 3, 1024, 1024), str(folder / "isnet-general-use.onnx"), dynamo=False,
            opset_version=17, input_names=["picture"],
        )  # fmt: skip


def measure(what: str, folder: Path) -> dict[str, Any]:
    """In a process of its own: load, a first pass, ``PASSES`` more."""
    from manymesh.types import Photo

    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (1500, 2000, 3), np.uint8)
    start_s = time.perf_counter()
    if what == "isnet":
        from manymesh.matte.onnx_matte.stage import _ISNET, AlphaNetwork
        from manymesh.weights import require

        network = AlphaNetwork(_ISNET, require("isnet", folder))
        run = lambda: network(rgb)  # noqa: E731
    else:
        from manymesh.detect.owlvit.stage import Owl
        from manymesh.weights import Found

        root = folder / "owlvit"
        name = "onnx/model_quantized.onnx" if what == "owlvit" else "onnx/model.onnx"
        owl = Owl(Found(root, {name: root / name}, ()), "owlvit")
        photo = Photo(rgb, None, "noise", "")
        texts = [f"a photo of a {name}" for name in NAMES]
        run = lambda: owl(photo.rgb, texts, lambda: None)  # noqa: E731
    load_s = time.perf_counter() - start_s
    seconds = []
    for _ in range(1 + PASSES):
        start_s = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start_s)
    # Not getrusage: its peak is inherited from the process that wrote the files.
    status = Path("/proc/self/status").read_text()
    peak_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1000
    return {"what": what, "load_s": load_s, "first_s": seconds[0], "pass_s": min(seconds[1:]), "peak_mb": peak_mb}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("build/owlvit"), help="where the files are written")
    parser.add_argument("--only", choices=("owlvit", "owlvit-float32", "isnet"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child, options.folder)))
        return
    if not (options.folder / "owlvit" / "onnx" / "model_quantized.onnx").is_file():
        write_owlvit(options.folder / "owlvit")
    if not (options.folder / "isnet" / "isnet-general-use.onnx").is_file():
        write_isnet(options.folder / "isnet")
    print(f"RANDOM WEIGHTS; {len(NAMES)} names; photo of 2000 x 1500")
    for what in (options.only,) if options.only else ("owlvit", "owlvit-float32", "isnet"):
        command = [sys.executable, __file__, "--folder", str(options.folder), "--child", what]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        files = {"owlvit": "owlvit/onnx/model_quantized.onnx", "owlvit-float32": "owlvit/onnx/model.onnx"}
        size_mb = (options.folder / files.get(what, "isnet/isnet-general-use.onnx")).stat().st_size / 1e6
        print(
            f"{what:16} file {size_mb:4.0f} MB  load {row['load_s']:.2f} s  first {row['first_s']:.2f} s  "
            f"pass {row['pass_s']:.2f} s  process {row['peak_mb']:.0f} MB"
        )


if __name__ == "__main__":
    main()
