"""Animals: four-legged ones of many builds, reptiles, fish and insects."""

from __future__ import annotations

import numpy as np

from training.families.animals.crawlers import CRAWLERS
from training.families.animals.dinosaurs import biped
from training.families.animals.heads import Head
from training.families.animals.quadrupeds import Build, quadruped
from training.families.animals.swimmers import SWIMMERS
from training.shapes import Part

STILL = ("stand", "stand", "walk")
PET = ("stand", "walk", "run", "sit", "sit", "lie")
GRAZER = ("stand", "stand", "walk", "graze", "lie")

BROWN, TAN, CREAM, GREY, DARK_GREY = (120, 80, 50), (190, 150, 100), (232, 220, 195), (140, 138, 135), (75, 74, 75)
WHITE, BLACK, RUST, PINK = (235, 232, 226), (40, 38, 38), (190, 95, 40), (226, 165, 160)
GREEN = (105, 125, 75)

BUILDS: dict[str, Build] = {
    "dog": Build(
        Head(0.17, 1.35, 0.5, 0.36, 8, "floppy", 0.9), 0.95, 0.22, 0.18, 0.18, 0.78, 0.07, 0.045, "paw", 0.3, 48, 0.12,
        "whip", PET, coats=((TAN, CREAM), (BROWN, WHITE), (BLACK, TAN), (WHITE, BLACK), (RUST, WHITE)),
    ),
    "shepherd": Build(
        Head(0.16, 1.6, 0.5, 0.3, 8, "pointed", 1.0), 1.05, 0.23, 0.19, 0.19, 0.75, 0.07, 0.042, "paw", 0.32, 45, 0.13,
        "bushy", PET, coats=((BROWN, BLACK), (GREY, WHITE), (BLACK, RUST)),
    ),
    "dachshund": Build(
        Head(0.28, 1.7, 0.45, 0.3, 8, "floppy", 1.1), 1.9, 0.36, 0.32, 0.32, 0.85, 0.13, 0.09, "paw", 0.4, 50, 0.2,
        "whip", ("stand", "walk", "lie"), coats=((RUST, BROWN), (BLACK, TAN)),
    ),
    "cat": Build(
        Head(0.19, 0.75, 0.5, 0.34, 5, "pointed", 0.75, eye=0.18), 1.1, 0.2, 0.19, 0.2, 0.8, 0.07, 0.048, "paw", 0.24,
        45, 0.12, "whip", PET, coats=((RUST, WHITE), (GREY, WHITE), (BLACK, WHITE), (CREAM, BROWN), (DARK_GREY, GREY)),
    ),
    "fox": Build(
        Head(0.17, 1.55, 0.42, 0.2, 10, "pointed", 1.1), 1.15, 0.19, 0.17, 0.18, 0.78, 0.06, 0.038, "paw", 0.3, 40,
        0.11, "bushy", PET, coats=((RUST, WHITE), (WHITE, CREAM), (GREY, WHITE)), marks=("belly", "socks", "belly"),
    ),
    "lion": Build(
        Head(0.18, 1.0, 0.6, 0.46, 5, "round", 0.6), 1.35, 0.26, 0.22, 0.22, 0.75, 0.09, 0.06, "paw", 0.3, 35, 0.16,
        "tuft", PET, "lion", coats=((TAN, CREAM),), marks=("", "belly"),
    ),
    "bigcat": Build(
        Head(0.17, 0.95, 0.58, 0.44, 5, "round", 0.6), 1.4, 0.24, 0.21, 0.21, 0.75, 0.085, 0.06, "paw", 0.28, 30, 0.15,
        "whip", PET, coats=((RUST, BLACK), (BLACK, BLACK), (TAN, BLACK)), marks=("spots", "spots", ""),
    ),
    "horse": Build(
        Head(0.125, 2.6, 0.62, 0.5, 38, "pointed", 1.0, nose=""), 0.98, 0.22, 0.2, 0.21, 0.75, 0.075, 0.036, "hoof",
        0.52, 55, 0.13, "horse", ("stand", "stand", "walk", "run", "graze"), "crest",
        ((BROWN, BLACK), (WHITE, GREY), (BLACK, DARK_GREY), (RUST, CREAM), (TAN, WHITE)), ("", "socks", "spots"),
    ),
    "cow": Build(
        Head(0.15, 2.0, 0.72, 0.62, 25, "side", 1.0, "cow", "broad"), 1.15, 0.3, 0.3, 0.27, 0.78, 0.085, 0.045, "hoof",
        0.35, 20, 0.17, "tuft", GRAZER, coats=((WHITE, BLACK), (BROWN, WHITE), (BLACK, WHITE), (RUST, CREAM)),
        marks=("spots", "spots", "", "belly"),
    ),
    "bull": Build(
        Head(0.17, 1.8, 0.75, 0.62, 28, "side", 0.9, "bull", "broad"), 1.15, 0.36, 0.29, 0.26, 0.78, 0.1, 0.05, "hoof",
        0.3, 15, 0.24, "tuft", GRAZER, coats=((BROWN, BLACK), (BLACK, DARK_GREY)), marks=("", "socks"),
    ),
    "goat": Build(
        Head(0.15, 1.6, 0.5, 0.36, 25, "side", 1.0, "goat", ""), 1.05, 0.24, 0.25, 0.22, 0.8, 0.065, 0.036, "hoof",
        0.36,
        55, 0.1, "stub", GRAZER, coats=((WHITE, GREY), (BROWN, WHITE), (GREY, BLACK)),
    ),
    "sheep": Build(
        Head(0.15, 1.4, 0.5, 0.38, 25, "side", 0.9, "", ""), 0.95, 0.34, 0.36, 0.33, 0.9, 0.06, 0.038, "hoof", 0.26, 40,
        0.15, "stub", GRAZER, coats=((CREAM, BLACK), (WHITE, GREY)), marks=("", "socks"),
    ),
    "ram": Build(
        Head(0.16, 1.4, 0.55, 0.42, 25, "", 0.9, "ram", ""), 1.0, 0.3, 0.3, 0.28, 0.85, 0.07, 0.04, "hoof", 0.3, 45,
        0.15, "stub", GRAZER, coats=((CREAM, TAN), (BROWN, CREAM)), marks=("", "belly"),
    ),
    "deer": Build(
        Head(0.12, 1.9, 0.5, 0.34, 22, "side", 1.1, "antlers"), 0.98, 0.19, 0.18, 0.19, 0.75, 0.06, 0.03, "hoof", 0.5,
        58, 0.09, "stub", ("stand", "stand", "walk", "run", "lie"), coats=((BROWN, CREAM), (TAN, CREAM)),
        marks=("belly", "belly", ""),
    ),
    "doe": Build(
        Head(0.12, 1.8, 0.48, 0.32, 20, "side", 1.4), 0.92, 0.18, 0.17, 0.18, 0.75, 0.055, 0.028, "hoof", 0.48, 60,
        0.085, "stub", ("stand", "stand", "walk", "run", "graze", "lie"), coats=((TAN, WHITE),), marks=("belly",
        "spots"),
    ),
    "bear": Build(
        Head(0.21, 1.25, 0.55, 0.4, 10, "round", 0.6), 1.2, 0.32, 0.33, 0.33, 0.85, 0.13, 0.1, "flat", 0.26, 20, 0.22,
        "stub", ("stand", "walk", "walk", "sit"), coats=((BROWN, TAN), (BLACK, TAN), (WHITE, CREAM)), marks=("",
        "belly"),
    ),
    "panda": Build(
        Head(0.25, 0.85, 0.55, 0.42, 5, "round", 0.6), 1.0, 0.34, 0.37, 0.35, 0.9, 0.14, 0.11, "flat", 0.22, 25, 0.24,
        "stub", ("stand", "walk", "sit", "sit"), coats=((WHITE, BLACK),), marks=("socks",),
    ),
    "rabbit": Build(
        Head(0.27, 0.75, 0.55, 0.4, 8, "long", 2.6), 0.72, 0.28, 0.36, 0.4, 0.82, 0.1, 0.075, "flat", 0.24, 55, 0.16,
        "stub", ("sit", "lie", "sit", "stand"), coats=((GREY, WHITE), (BROWN, WHITE), (WHITE, PINK)), marks=("",
        "belly"),
    ),
    "mouse": Build(
        Head(0.3, 1.3, 0.4, 0.16, 5, "round", 1.3), 1.2, 0.36, 0.44, 0.46, 0.9, 0.1, 0.07, "flat", 0.2, 10, 0.26,
        "whip",
        ("stand", "lie", "sit"), coats=((GREY, PINK), (WHITE, PINK), (BROWN, CREAM)), marks=("", "belly"),
    ),
    "elephant": Build(
        Head(0.24, 0.9, 0.5, 0.35, 0, "fan", 1.0, "tusks", "trunk", 0.09), 0.95, 0.34, 0.37, 0.34, 0.82, 0.12, 0.1,
        "column", 0.3, 35, 0.22, "tuft", STILL, coats=((GREY, GREY), (DARK_GREY, GREY)), marks=("",),
    ),
    "rhino": Build(
        Head(0.2, 1.7, 0.7, 0.55, 25, "pointed", 0.7, "rhino", "", 0.09), 1.2, 0.33, 0.35, 0.32, 0.82, 0.12, 0.09,
        "column", 0.28, 5, 0.25, "stub", STILL, coats=((GREY, GREY), (DARK_GREY, GREY)), marks=("",),
    ),
    "hippo": Build(
        Head(0.24, 1.7, 0.75, 0.8, 15, "round", 0.4, "", "", 0.1), 1.45, 0.42, 0.46, 0.42, 0.9, 0.15, 0.12,
        "column", 0.25,
        5, 0.33, "stub", STILL, coats=((GREY, PINK), (DARK_GREY, PINK)), marks=("", "belly"),
    ),
    "pig": Build(
        Head(0.25, 1.35, 0.65, 0.42, 15, "pointed", 0.8, "", "disc", 0.1), 1.15, 0.34, 0.36, 0.34, 0.88, 0.1, 0.06,
        "hoof",
        0.24, 10, 0.26, "curl", ("stand", "walk", "lie", "sit"), coats=((PINK, PINK), (PINK, BLACK), (BLACK, PINK)),
        marks=("", "", "spots"),
    ),
    "zebra": Build(
        Head(0.13, 2.4, 0.62, 0.5, 35, "pointed", 1.1, nose=""), 0.95, 0.23, 0.22, 0.22, 0.78, 0.075, 0.038,
        "hoof", 0.44,
        52, 0.13, "tuft", ("stand", "walk", "run", "graze"), "crest", ((WHITE, BLACK),), ("stripes",),
    ),
    "tiger": Build(
        Head(0.18, 0.95, 0.6, 0.46, 5, "round", 0.6), 1.4, 0.25, 0.22, 0.22, 0.75, 0.09, 0.062, "paw", 0.28, 30, 0.16,
        "whip", PET, coats=((RUST, BLACK), (WHITE, BLACK)), marks=("stripes",),
    ),
    "sauropod": Build(
        Head(0.1, 1.6, 0.6, 0.45, 10, "", 0.9, nose="", eye=0.18), 1.05, 0.3, 0.34, 0.32, 0.85, 0.12, 0.09,
        "column", 1.1,
        52, 0.12, "taper", ("stand", "walk", "graze"), coats=((GREEN, CREAM), (GREY, CREAM), (BROWN, TAN)),
        marks=("", "belly", "spots"),
    ),
    "triceratops": Build(
        Head(0.26, 1.5, 0.6, 0.36, 20, "fan", 0.55, "bull", "", 0.1), 1.2, 0.34, 0.37, 0.36, 0.85, 0.13, 0.09, "column",
        0.26, 5, 0.26, "taper", STILL, coats=((GREEN, TAN), (TAN, BROWN), (GREY, CREAM)), marks=("", "belly", "spots"),
    ),
    "giraffe": Build(
        Head(0.1, 2.0, 0.55, 0.4, 22, "side", 1.0, "stumps", ""), 0.72, 0.2, 0.18, 0.17, 0.75, 0.06, 0.034, "hoof",
        1.05,
        66, 0.095, "tuft", STILL, "crest", ((TAN, BROWN), (CREAM, BROWN)), ("spots",),
    ),
    "camel": Build(
        Head(0.1, 1.9, 0.55, 0.42, 12, "round", 0.6, "", ""), 0.85, 0.22, 0.22, 0.2, 0.8, 0.065, 0.036, "paw", 0.6, 48,
        0.09, "tuft", STILL, humps=(0.3, 0.65), coats=((TAN, CREAM), (BROWN, TAN)), marks=("",),
    ),
    "dromedary": Build(
        Head(0.1, 1.9, 0.55, 0.42, 12, "round", 0.6, "", ""), 0.8, 0.22, 0.22, 0.24, 0.8, 0.065, 0.036, "paw", 0.65, 50,
        0.09, "tuft", ("stand", "walk", "lie"), humps=(0.5,), coats=((TAN, CREAM), (CREAM, TAN)), marks=("",),
    ),
    "woolly": Build(
        Head(0.15, 1.3, 0.5, 0.38, 20, "side", 1.0, "", ""), 0.8, 0.27, 0.28, 0.27, 0.95, 0.05, 0.04, "hoof", 0.24, 45,
        0.15, "stub", GRAZER, "wool", coats=((BLACK, WHITE), (TAN, CREAM), (CREAM, WHITE)), marks=("",),
    ),
}  # fmt: skip


def make(rng: np.random.Generator) -> list[Part]:
    """One animal."""
    draw = rng.random()
    if draw < 0.14:
        return SWIMMERS[rng.integers(len(SWIMMERS))](rng)
    if draw < 0.19:
        return biped(rng)
    if draw < 0.35:
        return CRAWLERS[rng.integers(len(CRAWLERS))](rng)
    kinds = sorted(BUILDS)
    return quadruped(rng, BUILDS[kinds[rng.integers(len(kinds))]])
