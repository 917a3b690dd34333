"""Light, paint, tone and photo faults of random views."""

from __future__ import annotations

import numpy as np

from manymesh.shape.learned.contract import FILL, IMAGE_PX
from training.render.columns import COLUMNS

CLEAN_SHARE = 0.25
SMALLEST_PX = 40
"""The longest side, in pixels, of the smallest object that is cut out of a photo and enlarged."""


def draw_look(rng: np.random.Generator, table: np.ndarray, azimuth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill every column of the table that is not the camera's.

    Returns:
        (n,) paint modes to take where the shape is generated, and where it is a catalogue's.
    """
    _draw_light(rng, table, azimuth)
    _draw_tone(rng, table)
    _draw_photo(rng, table)
    _draw_matte(rng, table)
    n = len(table)
    _set(table, "seed", rng.integers(0, 1 << 22, n))
    _set(table, "hue", rng.random(n))
    _set(table, "textured", np.where(rng.random(n) < 0.15, 0.0, 0.4))
    _set(table, "gloss", rng.choice([0.0, 0.15, 0.4, 0.9], n, p=[0.2, 0.4, 0.3, 0.1]))
    tint = np.exp(rng.normal(0, 0.12, (n, 1)) + rng.normal(0, 0.06, (n, 3)))
    _set(table, "tint", np.where(rng.random((n, 1)) < 0.75, tint, 1.0))
    repainted = np.where(rng.random(n) < 1 / 3, 2, 1)
    own = rng.random(n)
    return np.where(own < 0.25, 0, repainted), np.where(own < 0.25, repainted, 0)


def _draw_light(rng: np.random.Generator, table: np.ndarray, azimuth: np.ndarray) -> None:
    n = len(table)
    studio = rng.random(n) < 0.3  # soft light from everywhere, as of a white tent
    side = azimuth + np.radians(np.where(rng.random(n) < 0.85, rng.normal(0, 55, n), rng.uniform(-180, 180, n)))
    _set(table, "key", _direction(side, np.radians(np.clip(rng.normal(45, 18, n), 8, 88))))
    _set(
        table,
        "fill_light",
        _direction(azimuth + np.radians(rng.uniform(-90, 90, n)), np.radians(rng.uniform(-5, 50, n))),
    )
    # A tenth of photos has a cast: lamps taken for daylight, green tubes.
    cast = np.where(rng.random((n, 1)) < 0.1, rng.normal(0, 0.15, (n, 3)), 0.0)
    warmth = rng.normal(0, 0.10, (n, 1)) * np.array([[1.0, 0.1, -1.0]])
    cold = rng.normal(0, 0.06, (n, 1)) * np.array([[1.0, 0.1, -1.0]])
    strength = np.where(studio, rng.uniform(0.15, 0.5, n), rng.uniform(0.6, 1.4, n))[:, None]
    _set(table, "key_color", strength * np.exp(warmth + cast))
    _set(table, "fill_color", rng.uniform(0.02, 0.35, (n, 1)) * np.exp(cold + cast))
    sky = np.where(studio, rng.uniform(0.5, 0.85, n), rng.uniform(0.16, 0.5, n))[:, None]
    _set(table, "sky", sky * np.exp(-0.7 * warmth + cast))
    _set(table, "ground", sky * rng.uniform(0.25, 0.85, (n, 1)) * np.exp(rng.normal(0, 0.08, (n, 3)) + cast))
    _set(table, "shadow", np.where(studio, rng.uniform(0.2, 0.7, n), rng.uniform(0.6, 1.0, n)))
    _set(table, "occlusion", rng.uniform(0.3, 0.9, n))


def _draw_tone(rng: np.random.Generator, table: np.ndarray) -> None:
    n = len(table)
    _set(table, "gain", np.exp(rng.normal(0.05, 0.2, n)))
    _set(table, "gamma", np.exp(rng.normal(0, 0.1, n)))
    _set(table, "saturation", np.where(rng.random(n) < 0.05, 0.0, np.exp(rng.normal(0, 0.18, n))))
    _set(table, "contrast", np.exp(rng.normal(0, 0.1, n)))


def _draw_photo(rng: np.random.Generator, table: np.ndarray) -> None:
    n = len(table)
    small = rng.random(n) < 0.3
    longest = np.exp(rng.uniform(np.log(SMALLEST_PX), np.log(FILL * IMAGE_PX), n))
    _set(table, "clean", rng.random(n) < CLEAN_SHARE)
    _set(table, "pixels", np.where(small, np.round(longest / FILL), IMAGE_PX))
    _set(table, "noise", np.where(rng.random(n) < 0.6, rng.uniform(0, 0.03, n), 0.0))
    _set(table, "blur", np.where(rng.random(n) < 0.5, rng.uniform(0, 1.4, n), 0.0))
    _set(table, "jpeg", np.where(rng.random(n) < 0.35, rng.uniform(0.01, 0.09, n), 0.0))
    plain = np.repeat(rng.uniform(0.5, 1.0, (n, 1)), 3, axis=1)
    _set(table, "back", np.where(rng.random((n, 1)) < 0.5, plain, rng.random((n, 3))))
    _set(table, "bleed", np.where(rng.random(n) < 0.6, rng.uniform(0, 0.4, n), rng.uniform(0.4, 1.0, n)))


def _draw_matte(rng: np.random.Generator, table: np.ndarray) -> None:
    n = len(table)
    # Over 0.85 whole thin parts go, under 0.15 a rim of background stays.
    edge = np.where(rng.random(n) < 0.9, np.clip(rng.normal(0.5, 0.13, n), 0.15, 0.85), rng.uniform(0.03, 0.97, n))
    _set(table, "edge", edge)
    _set(table, "soft", np.where(rng.random(n) < 0.3, rng.uniform(0.5, 1.2, n), rng.uniform(0.12, 0.5, n)))
    _set(table, "wobble", np.where(rng.random(n) < 0.4, rng.uniform(0, 0.7, n), 0.0))
    discs = np.zeros((n, 3, 4))
    discs[..., :2] = rng.uniform(0.1, 0.9, (n, 3, 2)) * IMAGE_PX
    discs[..., 2] = np.exp(rng.uniform(np.log(3), np.log(14), (n, 3)))
    kind = np.where(rng.random((n, 3)) < 0.5, 1.0, 2.0 + rng.uniform(0.3, 1.0, (n, 3)))
    discs[..., 3] = np.where((rng.random(n) < 0.22)[:, None], kind, 0.0)
    _set(table, "discs", discs.reshape(n, 12))
    left = np.where(rng.random(n) < 0.1, rng.uniform(0.3, 1.0, n), 0.0)
    _set(table, "remnant", np.stack([left, rng.uniform(-0.15, 0.2, n), rng.uniform(0.3, 0.9, n)], axis=1))


def _direction(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    level = np.cos(elevation)
    return np.stack([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level], axis=1)


def _set(table: np.ndarray, name: str, values: np.ndarray) -> None:
    table[:, COLUMNS[name]] = np.asarray(values, np.float32).reshape(len(table), -1)
