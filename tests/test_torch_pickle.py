"""Files of torch are read without torch and without pickle: tensors come out, anything else is refused."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from parity_path import parity_dir
from torch_files import calls, program, python_pickle, write_torch_file

from manymesh.errors import WeightsError
from manymesh.weights.torch_pickle import map_torch_file

TENSORS = {
    "first.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "first.bias": np.array([0.5, -1.5], np.float32),
    "scale": np.array(2.0, np.float32),
}


def test_a_table_of_tensors_comes_out_as_it_was_saved(tmp_path) -> None:
    read = map_torch_file(write_torch_file(tmp_path / "model.ckpt", TENSORS))
    assert list(read) == list(TENSORS)
    for name, value in TENSORS.items():
        assert read[name].dtype == np.float32
        assert np.array_equal(read[name], value), name
    assert not read["first.weight"].flags.writeable


def test_torch_and_pickle_are_not_loaded_for_it(tmp_path) -> None:
    import subprocess

    path = write_torch_file(tmp_path / "model.ckpt", TENSORS)
    code = (
        "import sys; before = set(sys.modules); from pathlib import Path; "
        "from manymesh.weights import torch_pickle; import pickle; pickle.loads = pickle.Unpickler = None; "
        f"torch_pickle.map_torch_file(Path({str(path)!r})); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (calls("os", "system"), "os.system"),
        (calls("builtins", "eval"), "builtins.eval"),
        (calls("collections", "OrderedDict"), "collections.OrderedDict"),
        (python_pickle({"a": 1}), "no tensor"),
        (python_pickle({"a": [1.5]}), "instruction"),
        (program({}) + b".", "bytes follow"),
        (program({}), "no table of tensors"),
        (b"\x80\x02" + b"(" * 100 + b"t" * 100 + b".", "no table of tensors"),
        (b"\x80\x02Xabc", "cut short"),
    ],
)
def test_a_program_that_does_more_than_tables_of_tensors_is_refused(tmp_path, text: bytes, says: str) -> None:
    path = write_torch_file(tmp_path / "model.ckpt", TENSORS, text)
    with pytest.raises(WeightsError, match=says):
        map_torch_file(path)


def test_a_file_that_is_absent_or_empty_is_told(tmp_path) -> None:
    with pytest.raises(WeightsError, match="not in"):
        map_torch_file(tmp_path / "model.ckpt")
    (tmp_path / "model.ckpt").write_bytes(b"")
    with pytest.raises(WeightsError, match="empty"):
        map_torch_file(tmp_path / "model.ckpt")


def test_random_damage_is_refused_or_leaves_tensors_of_the_same_size(tmp_path) -> None:
    whole = write_torch_file(tmp_path / "model.ckpt", TENSORS).read_bytes()
    chance = random.Random(1)
    refused = 0
    for number in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            kind = chance.randrange(3)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at : at + chance.randint(1, 9)]
            else:
                data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(bytes(data))
        try:
            read = map_torch_file(path)
        except WeightsError:
            refused += 1
        else:
            assert sum(value.nbytes for value in read.values()) <= len(data)
        path.unlink()
    assert refused > 200


def test_every_recorded_file_gets_its_verdict() -> None:
    folder: Path = parity_dir("triposr")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (entry,) = (f for f in manifest["fixtures"] if f["id"] == "reader")
    for variant in entry["variants"]:
        path = folder / variant["file"]
        if variant["verdict"] == "refuse":
            with pytest.raises(WeightsError) as caught:
                map_torch_file(path)
            assert "\n" not in caught.value.what, path.name
            continue
        read = {
            name: (list(value.shape), hashlib.sha256(value.tobytes()).hexdigest())
            for name, value in map_torch_file(path).items()
        }
        assert read == {name: (info["shape"], info["sha256"]) for name, info in variant["tensors"].items()}
