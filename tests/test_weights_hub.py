from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from small_hub import COMMIT, Hub

pytest.importorskip("huggingface_hub", reason="the full engine's extra is not installed")
pytest.importorskip("safetensors", reason="the full engine's extra is not installed")

from manymesh.cli.models import remove_model
from manymesh.errors import LicenceError, OutputError, WeightsError
from manymesh.weights import download as pulling
from manymesh.weights import locate
from manymesh.weights.catalogue import HUNYUAN, MIT, File, Model
from manymesh.weights.licences import accept
from manymesh.weights.verify import verify

REPO = "someone/cutter"
CONFIG = b'{"size": 3}'


def weights_bytes() -> bytes:
    from safetensors.numpy import save

    return save({"a": np.arange(300_000, dtype=np.float32), "b": np.ones(7, np.float16)})


WEIGHTS = weights_bytes()
MODEL = Model("cutter", "matte", "", REPO, None, (File("config.json"), File("*.safetensors")), len(WEIGHTS), MIT)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MANYMESH_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with Hub(files={REPO: {"config.json": CONFIG, "model.safetensors": WEIGHTS, "modules.py": b"boom"}}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def test_a_pull_brings_what_is_listed_and_nothing_else_and_remembers_the_commit(hub) -> None:
    assert not locate.find(MODEL).complete
    (root,) = pulling.pull([MODEL])
    assert sorted(path.name for path in root.iterdir()) == ["config.json", "model.safetensors"]
    assert (root / "model.safetensors").read_bytes() == WEIGHTS
    assert locate.remembered_commit(REPO) == COMMIT
    assert root.name == COMMIT
    found = locate.find(MODEL)
    assert found.complete
    assert {v.name: (v.problem, v.basis) for v in verify(MODEL, found)}["model.safetensors"] == ("", "sha256")


def test_a_second_pull_fetches_no_file_again(hub) -> None:
    pulling.pull([MODEL])
    hub.asked.clear()
    said: list[str] = []
    pulling.pull([MODEL], said.append)
    assert said == []
    assert hub.ranges == []


def test_a_cut_download_goes_on_where_it_stopped(hub, monkeypatch) -> None:
    # The hub's client writes what it got in pieces of 10 MB; these weights are smaller than one.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)
    hub.cut_at["model.safetensors"] = 500_000
    with pytest.raises(WeightsError, match="again: it goes on where it stopped"):
        pulling.pull([MODEL])
    assert not locate.find(MODEL).complete
    hub.cut_at.clear()
    hub.ranges.clear()
    (root,) = pulling.pull([MODEL])
    assert (root / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.ranges
    assert all(r == "bytes=500000-" for r in hub.ranges)


def test_a_file_with_a_wrong_checksum_is_named_and_thrown_away(hub) -> None:
    hub.wrong["model.safetensors"] = WEIGHTS[:-1] + b"\x7f"
    with pytest.raises(WeightsError, match=r"model\.safetensors of cutter arrived damaged.*SHA-256"):
        pulling.pull([MODEL])
    assert locate.find(MODEL).absent == ("*.safetensors",)
    hub.wrong.clear()
    (root,) = pulling.pull([MODEL])
    assert (root / "model.safetensors").read_bytes() == WEIGHTS


def test_the_catalogues_own_checksum_outranks_the_hubs(hub) -> None:
    pinned = (File("config.json"), File("model.safetensors", sha256="0" * 64))
    with pytest.raises(WeightsError, match="where 0000"):
        pulling.pull([replace(MODEL, files=pinned)])


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (replace(MODEL, repo="someone/gone"), "someone/gone does not exist or is private"),
        (replace(MODEL, revision="f" * 40), "no longer has the commit ffff"),
        (replace(MODEL, files=(File("weights.bin"),)), "has no file 'weights.bin'"),
    ],
)
def test_what_the_hub_does_not_have_is_named(hub, model: Model, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        pulling.pull([model])


def test_a_gated_repository_says_where_to_ask(hub) -> None:
    hub.gated.add(REPO)
    with pytest.raises(WeightsError, match=f"Ask at {hub.url}/{REPO}, then set HF_TOKEN"):
        pulling.pull([MODEL])


def test_too_little_disk_is_noticed_before_a_byte_is_fetched(hub, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**6))
    with pytest.raises(OutputError, match="set HF_HOME to a folder on a larger disk"):
        pulling.pull([MODEL])
    assert not any("resolve" in path for path in hub.asked)


def test_a_disk_that_fills_up_on_the_way_says_so(hub, monkeypatch) -> None:
    def full(*args: object, **kwargs: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(OutputError, match="the disk filled up"):
        pulling.pull([MODEL])


def test_a_dead_hub_is_an_error_for_people(hub, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="could not be fetched"):
        pulling.pull([MODEL])


def test_offline_uses_what_is_here_and_asks_nobody(hub, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="the network is forbidden"):
        pulling.pull([MODEL])
    assert hub.asked == []
    monkeypatch.delenv("HF_HUB_OFFLINE")
    (root,) = pulling.pull([MODEL])
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    assert pulling.pull([MODEL]) == [root]
    assert hub.asked == []


def test_a_licence_is_agreed_to_once_before_the_first_byte(hub) -> None:
    model = replace(MODEL, licence=HUNYUAN)
    with pytest.raises(LicenceError, match=re.escape(f"--accept-license {HUNYUAN.id}")):
        pulling.pull([model])
    assert hub.asked == []
    accept(HUNYUAN.id)
    assert pulling.pull([model])


def require_root(model: Model) -> Path:
    root = locate.find(model).root
    assert root is not None
    return root


def test_removing_frees_the_bytes_and_leaves_other_models_of_the_repository(hub, monkeypatch) -> None:
    hub.files[REPO] |= {"other/model.safetensors": WEIGHTS, "other/more.bin": b"x" * 5000}
    other = replace(MODEL, id="other", files=(File("other/model.safetensors"), File("other/more.bin")))
    monkeypatch.setattr("manymesh.cli.models.MODELS", (MODEL, other))
    pulling.pull([MODEL, other])
    assert remove_model(other) == 5000  # the cache holds equal files once, and the other model still needs one
    assert (require_root(MODEL) / "model.safetensors").read_bytes() == WEIGHTS
    assert locate.find(MODEL).files.keys() == {"config.json", "model.safetensors"}
    assert not locate.find(other).files
    remove_model(MODEL)
    assert locate.find(MODEL).root is None
    assert remove_model(MODEL) == 0


def test_a_damaged_file_in_the_cache_is_found_by_verify(hub) -> None:
    (root,) = pulling.pull([MODEL])
    blob = Path(root / "model.safetensors").resolve()
    data = bytearray(blob.read_bytes())
    data[-5] ^= 1
    blob.write_bytes(bytes(data))
    problems = {v.name: v.problem for v in verify(MODEL, locate.find(MODEL))}
    assert problems["config.json"] == ""
    assert hashlib.sha256(WEIGHTS).hexdigest() in problems["model.safetensors"]
