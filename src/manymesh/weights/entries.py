"""What the catalogue says of a model: its files, its licence, how its graph is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlparse


@dataclass(frozen=True)
class Licence:
    """Terms of use.

    Attributes:
        must_accept: people have to agree before the first download.
        territory: where it does not apply, in a sentence, or "".
        terms: what else users have to know, one sentence each.
    """

    id: str
    name: str
    url: str
    must_accept: bool = False
    territory: str = ""
    terms: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """Everything in one line: name, territory, terms."""
        more = " ".join(part for part in (self.territory, *self.terms) if part)
        return f"{self.name}: {more}" if more else self.name


@dataclass(frozen=True)
class File:
    """A file of a model, relative to its repository; ``name`` may be a pattern ("*.safetensors").

    Attributes:
        bytes: exact size where known.
        sha256: hex digest where known.
        optional: the model works without it.
        alternatives: other names under which the same may lie in a folder that a user brings.
        address: where it is fetched from, for a model of no hub.
    """

    name: str
    bytes: int | None = None
    sha256: str | None = None
    optional: bool = False
    alternatives: tuple[str, ...] = ()
    address: str = ""

    @property
    def is_pattern(self) -> bool:
        return "*" in self.name


@dataclass(frozen=True)
class Graph:
    """How the ONNX file of a model is called. An open file must report these names, or it is refused.

    Attributes:
        inputs: the name of each input in the file, by the name that the stage has for it. "" is the file's first.
        outputs: likewise of the outputs; the file may have more.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """One set of weights.

    Attributes:
        id: what people call it.
        stage: the stage that uses it: detect, matte, shape or paint.
        summary: one line.
        repo: repository on the Hugging Face hub; "" for a model whose files have addresses of their own.
        revision: commit, or None when none is known.
        files: what is needed of it.
        bytes: about how much that is.
        licence: its terms.
        graph: names of inputs and outputs, for a model that is an ONNX file.
        self_check: where the deep check of its family is, as "module:function" (see ``weights.deep``); "" where its
            numbers alone can be checked.
    """

    id: str
    stage: str
    summary: str
    repo: str
    revision: str | None
    files: tuple[File, ...]
    bytes: int
    licence: Licence
    graph: Graph | None = None
    self_check: str = ""

    @property
    def source(self) -> str:
        """Where it comes from, for people: the repository, or the server of its files."""
        return self.repo or urlparse(self.files[0].address).netloc

    @property
    def folder(self) -> str:
        """The part of the repository that holds all files, or ""."""
        tops = {file.name.split("/")[0] if "/" in file.name else "" for file in self.files}
        return tops.pop() if len(tops) == 1 else ""
