"""The mean of several runs' averaged weights, where one went on from the other.

    python -m training.average RUN RUN --out FOLDER

Weights that lie in one valley can be averaged, and the mean is often better than each (Wortsman et al., "Model soups",
ICML 2022). FOLDER gets ema-*.safetensors, which ``training.export`` takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.checkpoint import load_ema, save_ema
from training.network import Network


def averaged(folders: list[Path]) -> tuple[Network, str]:
    """(a network of the mean weights, the runs' ids). ValueError: the networks are of different sizes."""
    loaded = [load_ema(folder) for folder in folders]
    first = loaded[0][0]
    if any(network.size != first.size for network, _ in loaded):
        raise ValueError("the runs' networks are of different sizes")
    states = [network.state_dict() for network, _ in loaded]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    first.load_state_dict(mean)
    return first, "mean of " + ", ".join(run for _, run in loaded)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs with one network's size")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    network, runs = averaged(chosen.runs)
    chosen.out.mkdir(parents=True, exist_ok=True)
    save_ema(chosen.out, network, network.size, runs, 0)


if __name__ == "__main__":
    main()
