"""Musical instruments; strings, keys and skins face +Z."""

from __future__ import annotations

from training.families.music.keys import accordion, grand_piano, keyboard, piano, xylophone
from training.families.music.strings import banjo, guitar, harp, violin
from training.families.music.wind import bell, drum, drum_kit, flute, saxophone, tambourine, trumpet
from training.families.paints import Kind, Rng, pick
from training.shapes import Part


def make(rng: Rng) -> list[Part]:
    """One random instrument."""
    kinds: tuple[Kind, ...] = (guitar, guitar, guitar, guitar, piano, piano, grand_piano, drum, drum, drum_kit, violin)
    kinds += (violin, trumpet, trumpet, saxophone, harp, flute, accordion, xylophone, banjo, tambourine, bell, keyboard)
    return pick(rng, kinds)(rng)
