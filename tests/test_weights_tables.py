"""Small tables that come with weights: any fault of theirs is one sentence, and soon said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from manymesh.errors import WeightsError
from manymesh.user_config import read_notes
from manymesh.weights.tables import MAX_YAML_BYTES, read_json_table, read_yaml_table
from manymesh.weights.verify import read_header

DEEP = "[" * 100_000


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, "[1]", "nul", "1" * 5000, b"\xff{}", ""])
def test_json_that_is_no_table_is_one_sentence(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(WeightsError, match=r"x\.json") as caught:
        read_json_table(path)
    assert "\n" not in caught.value.what


@pytest.mark.parametrize(
    "text",
    [
        "a: 2026-99-99",
        "a: " + "9" * 5000,
        "a: " + "[" * 1000,
        "a: !!python/object:os.x {}",
        "- 1",
        "a: [",
        "? {a: 1}\n: 2",
    ],
)
def test_yaml_that_is_no_table_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"config\.yaml") as caught:
        read_yaml_table(path)
    assert "\n" not in caught.value.what


def test_a_large_yaml_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"a: [" + b"1, " * (10 * 1024 * 1024 // 3) + b"1]")
    start_s = time.perf_counter()
    with pytest.raises(WeightsError, match=f"limit is {MAX_YAML_BYTES}"):
        read_yaml_table(path)
    assert time.perf_counter() - start_s < 2


def test_a_pipe_is_no_table_and_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(WeightsError, match="not a file"):
        read_json_table(tmp_path / "x.json")


def test_deep_json_in_a_safetensors_header_and_in_notes_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(DEEP).to_bytes(8, "little") + DEEP.encode())
    with pytest.raises(WeightsError, match="not a safetensors file"):
        read_header(path)
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path))
    (tmp_path / "commits.json").write_text(DEEP)
    assert read_notes("commits.json") == {}


def test_a_damaged_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from manymesh.detect.transformers_files import load_tokenizer

    (tmp_path / "tokenizer.json").write_text('{"model": 1}')
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    with pytest.raises(WeightsError, match="tokenizer"):
        load_tokenizer(tmp_path)
