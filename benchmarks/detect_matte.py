"""How fast are the full engine's eyes? Random weights at real size, on one GPU.

    python benchmarks/detect_matte.py --out detect_matte.json      # a few minutes on an H200
    python benchmarks/detect_matte.py --tiny                       # small networks on the CPU, to try the script

Weights are random: speed and memory do not depend on them. Every part is measured on its own, and one that breaks is
reported with its error while the others go on. Prints a table, and writes JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import GIB, Part, Peak, guarded, machine, print_table, seconds, synchronise

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from detect_matte_qwen import qwen, qwen_exact


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small networks on the CPU")
    parser.add_argument("--out", type=Path, help="write the numbers here as JSON")
    parser.add_argument("--only", default="", help="run only the parts whose name holds this")
    parser.add_argument("--tokens", type=int, default=256, help="new tokens to decode")
    options = parser.parse_args()
    if not options.tiny and not torch.cuda.is_available():
        sys.exit("no CUDA device: use --tiny to try the script on the CPU")
    device = torch.device("cpu" if options.tiny else "cuda")
    report: dict[str, Any] = {"machine": machine(device), "parts": {}}
    for name, part in PARTS.items():
        if options.only in name:
            report["parts"][name] = guarded(name, part, device, options)
            if options.out:
                options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    print_table(report)


def birefnet_model(config: Any, device: torch.device, dtype: torch.dtype) -> Any:
    from manymesh.matte.birefnet.network import BiRefNet

    torch.manual_seed(0)
    with torch.device(device):
        network = BiRefNet(config)
    for name, parameter in network.named_parameters():
        if name.endswith("relative_position_bias_table"):
            torch.nn.init.normal_(parameter, std=0.5)
    network = network.to(dtype).eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last) if device.type == "cuda" else network


def birefnet(variant: str, height: int, width: int) -> Part:
    """A part that measures one network at one input size."""

    def part(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
        from manymesh.matte.birefnet import config as sizes

        dtype = torch.float32 if options.tiny else torch.float16
        tiny = sizes.Config(8, (1, 2, 1, 2), (1, 2, 2, 4), 4, dec_inter=4, aspp_width=6, ipt_inter=2)
        config = tiny if options.tiny else {"general": sizes.GENERAL, "lite": sizes.LITE}[variant]
        h, w = (64, 96) if options.tiny else (height, width)
        network = birefnet_model(config, device, dtype)
        x = torch.randn(1, 3, h, w, generator=torch.Generator().manual_seed(2)).to(device, dtype)
        weights = sum(p.numel() * p.element_size() for p in network.parameters())
        return {"input": f"{w}x{h}", "weights_gib": weights / GIB} | birefnet_numbers(network, x, device)

    return part


def birefnet_numbers(network: Any, x: torch.Tensor, device: torch.device) -> dict[str, Any]:
    def forward() -> torch.Tensor:
        with torch.inference_mode():
            return network(x)

    forward()
    with Peak(device) as peak:
        forward()
        synchronise(device)
    numbers: dict[str, Any] = dict(peak.numbers)
    numbers["seconds"] = seconds(forward, device, repeats=15)
    numbers |= birefnet_steps(network, x, device)
    if device.type == "cuda":
        numbers |= captured_seconds(network, x, device)
    half = forward().float().sigmoid()
    network.float()
    with torch.inference_mode():
        exact = network(x.float()).sigmoid()
    numbers["alpha_mean_difference_to_float32"] = float((half - exact).abs().mean())
    numbers["alpha_mean"] = float(exact.mean())
    return numbers


def birefnet_steps(network: Any, x: torch.Tensor, device: torch.device) -> dict[str, Any]:
    """Seconds of the parts of a forward pass, one after another."""
    from manymesh.matte.birefnet.decoder import resize

    numbers: dict[str, Any] = {}
    with torch.inference_mode():
        halved = resize(x, (x.shape[2] // 2, x.shape[3] // 2))
        numbers["backbone_s"] = seconds(lambda: network.bb(x), device)
        numbers["backbone_half_scale_s"] = seconds(lambda: network.bb(halved), device)
        maps = network._two_scales(x, None)
        context = torch.cat([resize(m, maps[3]) for m in maps[:3]] + [maps[3]], 1)
        squeeze = network.squeeze_module[0]
        numbers["squeeze_s"] = seconds(lambda: squeeze(context), device)
        maps[3] = squeeze(context)
        numbers["decoder_s"] = seconds(lambda: network.decoder(x, list(maps)), device)
    return numbers


def captured_seconds(network: Any, x: torch.Tensor, device: torch.device) -> dict[str, Any]:
    """The forward pass replayed as a CUDA graph: what is left when Python costs nothing."""
    try:
        with torch.inference_mode():
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                network(x)
            return {"captured_s": seconds(graph.replay, device)}
    except Exception as error:  # noqa: BLE001 - this number is for orientation only
        return {"captured_s": float("nan"), "captured_error": f"{type(error).__name__}: {error}"[:300]}


def deform(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """The dearest deformable convolution: 7 x 7, 64 to 256 channels, on a 256 x 256 map."""
    from manymesh.matte.birefnet.deform import deform_conv2d

    side, dtype = (32, torch.float32) if options.tiny else (256, torch.float16)
    g = torch.Generator().manual_seed(3)
    shapes = {"x": (1, 64, side, side), "offset": (1, 98, side, side), "mask": (1, 49, side, side)}
    t = {name: torch.randn(*shape, generator=g).to(device, dtype) for name, shape in shapes.items()}
    weight = (torch.randn(256, 64, 7, 7, generator=g) / 56).to(device, dtype)

    def ours() -> torch.Tensor:
        with torch.inference_mode():
            return deform_conv2d(t["x"], t["offset"], t["mask"], weight, 3)

    with Peak(device) as peak:
        ours()
        synchronise(device)
    numbers: dict[str, Any] = {f"ours_{key}": value for key, value in peak.numbers.items()}
    numbers["ours_s"] = seconds(ours, device)
    try:
        from torchvision.ops import deform_conv2d as kernel
    except ImportError as error:
        return numbers | {"torchvision": f"absent: {error}"}

    def theirs() -> torch.Tensor:
        with torch.inference_mode():
            return kernel(t["x"], t["offset"], weight, None, padding=3, mask=t["mask"])

    with Peak(device) as peak:
        theirs()
        synchronise(device)
    numbers |= {f"torchvision_{key}": value for key, value in peak.numbers.items()}
    numbers["torchvision_s"] = seconds(theirs, device)
    exact = {name: value.float() for name, value in t.items()}
    with torch.inference_mode():
        a = deform_conv2d(exact["x"], exact["offset"], exact["mask"], weight.float(), 3)
        b = kernel(exact["x"], exact["offset"], weight.float(), None, padding=3, mask=exact["mask"])
    numbers["float32_max_difference_to_torchvision"] = float((a - b).abs().max())
    numbers["float16_mean_error_ours"] = float((ours().float() - b).abs().mean())
    numbers["float16_mean_error_torchvision"] = float((theirs().float() - b).abs().mean())
    return numbers


def after(device: torch.device, options: argparse.Namespace) -> dict[str, Any]:
    """What follows the network on the CPU: ownership and foreground colours of a large crop."""
    from manymesh.matte.foreground import refined_rgb
    from manymesh.matte.ownership import own_alpha
    from manymesh.types import Box

    side = 256 if options.tiny else 2048
    rng = np.random.default_rng(4)
    rgb = rng.integers(0, 255, (side, side, 3), np.uint8)
    y, x = np.mgrid[:side, :side] / side - 0.5
    alpha = (np.clip(6 * (0.4 - np.hypot(x, y)), 0, 1) * 255).astype(np.uint8)
    box = Box(0, 0, side, side)
    cpu = torch.device("cpu")
    return {
        "crop_px": side,
        "ownership_s": seconds(lambda: own_alpha(alpha, box, [box]), cpu, repeats=3, warm_up=1),
        "foreground_s": seconds(lambda: refined_rgb(rgb, alpha), cpu, repeats=3, warm_up=1),
    }


PARTS: dict[str, Part] = {
    "birefnet general 1024": birefnet("general", 1024, 1024),
    "deformable convolution": deform,
    "qwen3-vl-2b": qwen,
    "qwen3-vl-2b float32": qwen_exact,
    "birefnet lite 1024": birefnet("lite", 1024, 1024),
    "birefnet hr 2048": birefnet("general", 2048, 2048),
    "after the network": after,
}


if __name__ == "__main__":
    main()
