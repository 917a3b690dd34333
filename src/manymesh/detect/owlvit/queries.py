"""The texts that are asked for each name, and one score for each name from theirs.

A name is asked in one or two forms: a plural in its singular too, because a box holds one object. Each form is asked in
several sentences. The network's number for a box and a text is a line in the cosine between the two. So the mean of a
form's numbers is the number for the mean of its texts' directions, but for that mean's length: this is how CLIP's
authors put several sentences together. Of a name's forms the best counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from manymesh.detect.owlvit.inputs import Texts
from manymesh.types import F32

# Four of the seven sentences that CLIP's authors publish as the best set, the first being what OWL-ViT's own
# program asks. The other three speak of art, origami and video games, not of photos.
TEMPLATES = ("a photo of a {}", "itap of a {}", "a photo of the large {}", "a photo of the small {}")
# Texts in one pass of the network, so that a long prompt costs no more than twice a short one. With more names, there
# are fewer sentences for each. Chosen by hand; the cost was not measured.
MOST_TEXTS = 32
# Shares nearer to 0 and 1 than this count as this, so that a logarithm can be taken.
_LEAST_SHARE = 1e-7

_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
    "feet": "foot",
    "teeth": "tooth",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "shelves": "shelf",
    "scarves": "scarf",
    "wolves": "wolf",
    "cookies": "cookie",
    "brownies": "brownie",
    "movies": "movie",
    "pies": "pie",
    "ties": "tie",
    "shoes": "shoe",
    "toes": "toe",
    "buses": "bus",
    "lenses": "lens",
    "axes": "axe",
}
# Words that end as plurals do and name one object, or have no singular.
_NO_PLURAL = (
    *("scissors", "glasses", "sunglasses", "binoculars", "trousers", "jeans", "shorts", "pants", "tights", "pliers"),
    *("tongs", "tweezers", "headphones", "earphones", "pyjamas", "pajamas", "clothes", "series", "species", "lens"),
    *("gas", "bus", "atlas", "canvas", "christmas", "chess", "news", "bellows", "stairs"),
)

# A phrase's noun, with what stands before it and after it.
_HEAD = re.compile(r"(?P<first>.*?)(?P<word>[^\W\d_]+)(?P<rest>(?:\s+(?:of|in|on|with|for|from|at|by|and|or)\b.*)?)")


@dataclass(frozen=True)
class Queries:
    """What is asked for some names.

    Attributes:
        texts: all texts, a name's next to each other.
        forms: for each name, the places in ``texts`` of each of its forms.
        cut: names that are longer than the network reads.
    """

    texts: tuple[str, ...]
    forms: tuple[tuple[tuple[int, ...], ...], ...]
    cut: tuple[str, ...]

    def scores(self, of_texts: F32) -> F32:
        """(boxes, texts) scores 0..1 to (boxes, names)."""
        return np.stack([_best([_mean(of_texts[:, list(form)]) for form in name]) for name in self.forms], axis=1)


def queries_for(names: Sequence[str], texts: Texts, most: int = MOST_TEXTS) -> Queries:
    """At most ``most`` texts for the names, or one for each name if there are more names than that."""
    forms = [forms_of(name) for name in names]
    if sum(map(len, forms)) > most:
        forms = [own[:1] for own in forms]
    sentences = max(1, min(len(TEMPLATES), most // max(sum(map(len, forms)), 1)))
    asked: list[str] = []
    places, cut = [], []
    for name, own in zip(names, forms, strict=True):
        mine = []
        for form in own:
            fitting = [text for text in map(form.format_in, TEMPLATES[:sentences]) if texts.fits(text)]
            mine.append(tuple(range(len(asked), len(asked) + len(fitting or [name]))))
            asked += fitting or [name]
        if not texts.fits(asked[-1]):
            cut.append(name)
        places.append(tuple(mine))
    return Queries(tuple(asked), tuple(places), tuple(cut))


@dataclass(frozen=True)
class Form:
    """A name as it is put into a sentence: without an article of its own."""

    noun: str
    plural: bool = False

    def format_in(self, template: str) -> str:
        """The sentence. "a photo of a {}" becomes "a photo of cups" for a plural."""
        return (template.replace(" a {}", " {}") if self.plural else template).format(self.noun)


def forms_of(name: str) -> tuple[Form, ...]:
    """The singular first, if the name is a plural. What comes before and after its noun stays: "red cups of tea"."""
    noun = re.sub(r"^(a|an|the)\s+", "", name.strip(), flags=re.IGNORECASE)
    head = _HEAD.fullmatch(noun)
    if head is None:
        return (Form(noun),)
    one = singular(head["word"])
    if one is None:
        return (Form(noun),)
    return Form(f"{head['first']}{one}{head['rest']}"), Form(noun, plural=True)


def singular(word: str) -> str | None:
    """The singular of an English plural by its ending; None if the word does not look like one."""
    lower = word.lower()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if lower in _NO_PLURAL or len(word) < 4 or not lower.endswith("s") or lower.endswith(("ss", "us", "is")):
        return None
    if lower.endswith("ies"):
        return f"{word[:-3]}y"
    if lower.endswith(("ches", "shes", "xes", "sses", "zzes", "toes")):
        return word[:-2]
    return word[:-1]


def _mean(of_form: F32) -> F32:
    """(boxes, sentences) scores to (boxes,): the score of their mean log odds."""
    if of_form.shape[1] == 1:
        return of_form[:, 0]
    share = np.clip(of_form.astype(np.float64), _LEAST_SHARE, 1 - _LEAST_SHARE)
    odds = np.log(share / (1 - share)).mean(axis=1)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _best(of_name: Sequence[F32]) -> F32:
    return np.max(np.stack(of_name), axis=0)  # type: ignore[no-any-return]
