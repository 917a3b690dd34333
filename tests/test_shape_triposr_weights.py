"""TripoSR without torch: its arithmetic, and the checkpoint that it reads."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_triposr import YAML, disc_cutout, no_tick, tiny_tensors, write_tiny_model

from manymesh.errors import WeightsError
from manymesh.settings import Settings
from manymesh.shape.triposr import STAGE, arithmetic, checkpoint
from manymesh.shape.triposr.arithmetic import Weights, attention, linear, own_threads
from manymesh.shape.triposr.config import read_config
from manymesh.weights import catalogue, load


def test_layers_on_our_own_threads_give_the_same_numbers_and_leave_the_library_as_it_was(monkeypatch) -> None:
    import contextlib
    import sys
    import types

    limits: list[object] = []

    @contextlib.contextmanager
    def threadpool_limits(count: int, user_api: str):
        limits.append((count, user_api))
        yield
        limits.append("restored")

    rng = np.random.default_rng(0)
    weights = Weights({"a.weight": rng.standard_normal((8, 16)).astype(np.float32), "a.bias": np.ones(8, np.float32)})
    x = rng.standard_normal((37, 16)).astype(np.float32)
    plain = linear(x, weights, "a"), attention(x, x, x, 4, lambda: None)
    monkeypatch.setattr(arithmetic, "_CORES", 3)
    monkeypatch.setitem(sys.modules, "threadpoolctl", types.SimpleNamespace(threadpool_limits=threadpool_limits))
    with own_threads():
        shared = linear(x, weights, "a"), attention(x, x, x, 4, lambda: None)
    assert limits == [(1, "blas"), "restored"]
    assert all(np.allclose(one, two, atol=1e-5) for one, two in zip(plain, shared, strict=True))
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with own_threads():
        assert np.array_equal(linear(x, weights, "a"), plain[0])


def test_every_finite_half_is_widened_to_the_same_number() -> None:
    half = np.arange(65536, dtype=np.uint16).view(np.float16).reshape(256, 256)
    finite = half[np.isfinite(half).all(axis=1)]
    wide = arithmetic.widened(finite)
    assert len(finite) > 240
    assert np.array_equal(wide, finite.astype(np.float32))
    assert np.array_equal(np.signbit(wide), np.signbit(finite))


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_a_matrix_in_half_precision_that_is_not_finite_is_refused(number: float) -> None:
    half = np.full((300, 200), 65504, np.float16)
    half[250, 3] = number
    with pytest.raises(WeightsError, match=r"'a\.weight' holds numbers that are not finite"):
        arithmetic.Weights({"a.weight": half}).part("a")["weight"]


def test_attention_is_that_of_a_matrix_of_scores() -> None:
    rng = np.random.default_rng(0)
    q = rng.standard_normal((37, 48)).astype(np.float32) * 3
    k, v = (rng.standard_normal((50, 48)).astype(np.float32) for _ in range(2))
    wanted = []
    for head in range(3):
        mine = slice(16 * head, 16 * head + 16)
        scores = np.exp(q[:, mine].astype(np.float64) @ k[:, mine].T / 4)
        wanted.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, mine])
    assert np.allclose(attention(q, k, v, 3, lambda: None), np.concatenate(wanted, axis=1), atol=1e-5)


def test_calls_that_overlap_give_the_library_its_threads_back(monkeypatch) -> None:
    import contextlib
    import sys
    import threading
    import types

    library = {"threads": 4}

    @contextlib.contextmanager
    def threadpool_limits(count: int, user_api: str):
        before, library["threads"] = library["threads"], count
        yield
        library["threads"] = before

    monkeypatch.setitem(sys.modules, "threadpoolctl", types.SimpleNamespace(threadpool_limits=threadpool_limits))
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with own_threads():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=work)
    with own_threads():
        other.start()
        inside.wait(0.2)
    leave.set()
    other.join()
    assert library == {"threads": 4}


def test_the_checkpoint_is_converted_once_and_kept_in_half_the_space(tmp_path: Path, monkeypatch) -> None:
    folder = write_tiny_model(tmp_path)
    config = read_config(folder / "config.yaml", folder / "dino_config.json")
    told: list[float] = []
    arrays = checkpoint.load_arrays(folder / "model.ckpt", config, told.append)
    assert told == sorted(told)
    assert arrays["backbone.proj_in.weight"].dtype == np.float16
    assert arrays["decoder.layers.0.weight"].dtype == np.float32
    assert not any("pooler" in name for name in arrays)
    for name, value in tiny_tensors().items():
        if name in arrays:
            assert np.allclose(arrays[name], value, rtol=1e-3, atol=1e-5), name
    (copy,) = load.converted_dir().iterdir()
    monkeypatch.setattr(checkpoint, "map_torch_file", None)
    again = checkpoint.load_arrays(folder / "model.ckpt", config)
    assert list(again) == list(arrays)
    # The copy alone does as well.
    assert list(checkpoint.load_arrays(copy, config)) == list(arrays)


def test_numbers_too_large_for_half_precision_stay_as_they_are(tmp_path: Path) -> None:
    tensors = tiny_tensors()
    tensors["backbone.proj_in.weight"][0, 0] = 1e6
    folder = write_tiny_model(tmp_path, tensors)
    config = read_config(folder / "config.yaml", folder / "dino_config.json")
    arrays = checkpoint.load_arrays(folder / "model.ckpt", config)
    assert arrays["backbone.proj_in.weight"].dtype == np.float32
    assert arrays["backbone.proj_in.weight"][0, 0] == 1e6


def test_a_file_of_the_published_size_with_other_bytes_is_refused_before_it_is_read(tmp_path, monkeypatch) -> None:
    folder = write_tiny_model(tmp_path)
    path = folder / "model.ckpt"
    known = catalogue.model("triposr")
    published = replace(known, files=(known.files[0], replace(known.files[1], bytes=path.stat().st_size)))
    monkeypatch.setattr(checkpoint, "model", lambda name: published)
    monkeypatch.setattr(checkpoint, "map_torch_file", None)
    config = read_config(folder / "config.yaml", folder / "dino_config.json")
    with pytest.raises(WeightsError, match="SHA-256"):
        checkpoint.load_arrays(path, config)


def test_damaged_weights_end_the_run_before_the_first_object(tmp_path: Path) -> None:
    tensors = tiny_tensors()
    tensors["backbone.norm.weight"][0] = np.nan
    write_tiny_model(tmp_path, tensors)
    with STAGE.open(Settings(weights_dir=tmp_path)) as shape, pytest.raises(WeightsError, match="not finite"):
        shape.begin([disc_cutout()], tick=no_tick)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("num_layers: 2", "num_layers: 3", "is missing"),
        ("activation: silu", "activation: relu", "silu"),
        ("cond_image_size: 32", "cond_image_size: 33", "multiple"),
        ("cond_image_size: 32", "cond_image_size: [32]", "line 1"),
        ("cond_image_size: 32", "cond_image_size: 32\ncond_image_size: 32", "repeats"),
        ("cond_image_size: 32", "image_size: 32", "image_size"),
        ("plane_size: 8", "plane_size: &a 8", "line 8"),
        ("in_channels: 12", "in_channels: 15", "do not fit"),
    ],
)
def test_a_configuration_that_is_not_implemented_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = write_tiny_model(tmp_path)
    (folder / "config.yaml").write_text(YAML.replace(old, new), "utf-8")

    def load_all() -> None:
        config = read_config(folder / "config.yaml", folder / "dino_config.json")
        checkpoint.load_arrays(folder / "model.ckpt", config)

    with pytest.raises(WeightsError, match=says):
        load_all()


def test_the_published_checkpoint_has_as_many_tensors_and_numbers_as_is_known() -> None:
    from manymesh.shape.triposr.config import TriposrConfig

    shapes = checkpoint.expected_shapes(TriposrConfig())
    assert len(shapes) == 549
    assert sum(math.prod(shape) for shape in shapes.values()) == 419_275_628
