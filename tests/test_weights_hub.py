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
from manymesh.weights.entries import File, Model
from manymesh.weights.families import HUNYUAN, MIT
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


def test_the_disk_space_of_all_models_is_summed_before_the_first_byte(hub, monkeypatch) -> None:
    hub.files["someone/second"] = {"config.json": CONFIG, "model.safetensors": WEIGHTS}
    second = replace(MODEL, id="second", repo="someone/second")
    # Enough for either of them, not for both.
    free = len(WEIGHTS) * 3 // 2 + pulling._SPARE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(OutputError, match="2 MB more in"):
        pulling.pull([MODEL, second])
    assert not any("resolve" in path for path in hub.asked)
    assert pulling.pull([MODEL])


def test_what_is_here_already_needs_no_more_space(hub, monkeypatch) -> None:
    pulling.pull([MODEL])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    assert pulling.pull([MODEL])


def test_a_pickle_counts_twice_until_it_is_converted(hub, monkeypatch) -> None:
    hub.files[REPO]["w.bin"] = b"x" * 900_000
    model = replace(MODEL, files=(File("w.bin"),))
    planned = pulling.plan([model])
    assert (planned.total_bytes, planned.convert_bytes) == (900_000, 900_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=pulling._SPARE_BYTES + 1_000_000))
    with pytest.raises(OutputError, match="2 MB more in"):
        pulling.pull([model])


def test_one_progress_runs_over_all_models_and_goes_on_after_a_cut(hub, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)
    hub.files["someone/second"] = {"config.json": CONFIG, "model.safetensors": WEIGHTS[::-1]}
    second = replace(MODEL, id="second", repo="someone/second", files=(File("model.safetensors"),))
    monkeypatch.setattr(pulling, "check_file", lambda *given: ("", "none"))
    first = replace(MODEL, files=(File("model.safetensors"),))
    total = 2 * len(WEIGHTS)
    told: list[int] = []

    def progress(done: int, of: int) -> None:
        assert of == total
        told.append(done)

    hub.cut_at["model.safetensors"] = 500_000
    with pytest.raises(WeightsError, match="goes on where it stopped"):
        pulling.carry_out(pulling.plan([first, second]), progress=progress)
    assert told[-1] == 500_000
    hub.cut_at.clear()
    told.clear()
    planned = pulling.plan([first, second])
    assert planned.begun_bytes == 500_000
    pulling.carry_out(planned, progress=progress)
    assert told[0] == 500_000
    assert told == sorted(told)
    assert told[-1] == total


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


@pytest.mark.parametrize("is_known", [True, False])
def test_removing_leaves_the_half_fetched_files_of_other_models(hub, monkeypatch, is_known: bool) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)
    data = WEIGHTS[::-1]
    hub.files[REPO] |= {"other/config.json": CONFIG, "other/weights.bin": data}
    digest = hashlib.sha256(data).hexdigest() if is_known else None
    other = replace(MODEL, id="other", files=(File("other/config.json"), File("other/weights.bin", sha256=digest)))
    monkeypatch.setattr("manymesh.cli.models.MODELS", (MODEL, other))
    pulling.pull([MODEL])
    hub.cut_at["other/weights.bin"] = 500_000
    with pytest.raises(WeightsError, match="goes on where it stopped"):
        pulling.pull([other])
    remove_model(MODEL)
    assert not locate.find(MODEL).files
    assert pulling.plan([other]).begun_bytes == 500_000
    assert remove_model(other) == len(CONFIG) + 500_000
    assert locate.find(other).root is None


def test_removing_a_link_to_a_file_of_the_users_own_leaves_that_file(hub, tmp_path: Path) -> None:
    (root,) = pulling.pull([MODEL])
    own = tmp_path / "large disk" / "model.safetensors"
    own.parent.mkdir()
    own.write_bytes(WEIGHTS)
    (root / "model.safetensors").unlink()
    (root / "model.safetensors").symlink_to(own)
    remove_model(MODEL)
    assert own.read_bytes() == WEIGHTS


def test_a_damaged_file_in_the_cache_is_found_by_verify(hub) -> None:
    (root,) = pulling.pull([MODEL])
    blob = Path(root / "model.safetensors").resolve()
    data = bytearray(blob.read_bytes())
    data[-5] ^= 1
    blob.write_bytes(bytes(data))
    problems = {v.name: v.problem for v in verify(MODEL, locate.find(MODEL))}
    assert problems["config.json"] == ""
    assert hashlib.sha256(WEIGHTS).hexdigest() in problems["model.safetensors"]


class TestPickles:
    """A pickle is converted at the pull; its original goes only when people agree and every tensor is equal."""

    @pytest.fixture
    def pickled(self, hub, monkeypatch, tmp_path) -> Model:
        torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        torch.save({"a": torch.arange(5000, dtype=torch.float16), "b": torch.full((3,), torch.nan)}, tmp_path / "w.bin")
        hub.files[REPO]["w.bin"] = (tmp_path / "w.bin").read_bytes()
        model = replace(MODEL, files=(File("w.bin"),))
        pulling.pull([model])
        return model

    def test_it_stays_without_a_word_from_the_user(self, pickled) -> None:
        from manymesh.cli.pull import convert

        convert([pickled], None)
        assert locate.find(pickled).files["w.bin"].is_file()
        assert pulling.plan([pickled]).convert_bytes == 0

    def test_its_twin_takes_its_place_and_nothing_is_fetched_or_converted_again(self, pickled, hub) -> None:
        from manymesh.cli.pull import convert
        from manymesh.weights.load import as_safetensors

        original = locate.find(pickled).files["w.bin"]
        blob = original.resolve()
        convert([pickled], False)
        assert not original.exists()
        assert not blob.exists()
        found = locate.find(pickled)
        assert found.complete
        assert list(found.files) == ["w.bin.safetensors"]
        assert as_safetensors(original) == found.files["w.bin.safetensors"]
        planned = pulling.plan([pickled])
        assert (planned.total_bytes, planned.convert_bytes) == (0, 0)
        convert([pickled], False)
        size = found.files["w.bin.safetensors"].stat().st_size
        assert remove_model(pickled) == size
        assert locate.find(pickled).root is None

    def test_an_original_that_differs_from_its_twin_stays(self, pickled, monkeypatch) -> None:
        from manymesh.cli.pull import convert
        from manymesh.weights import load

        real = load._unpickled

        def one_bit_off(source: Path):
            tensors = real(source)
            tensors["a"] = tensors["a"] + (tensors["a"] == 17)
            return tensors

        convert([pickled], True)
        monkeypatch.setattr(load, "_unpickled", one_bit_off)
        with pytest.raises(WeightsError, match="differs from its source at 'a'"):
            convert([pickled], False)
        assert locate.find(pickled).files["w.bin"].is_file()


@pytest.mark.parametrize("agrees", [True, False])
def test_a_terminal_asks_once_for_each_licence(hub, monkeypatch, agrees: bool) -> None:
    from manymesh.cli import pull as steps

    asked: list[str] = []

    def confirm(question: str, **more: object) -> bool:
        asked.append(question)
        return agrees

    monkeypatch.setattr(steps, "is_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", confirm)
    models = [replace(MODEL, id=name, licence=HUNYUAN) for name in ("one", "two")]
    if agrees:
        steps.agree(models, [])
        steps.agree(models, [])
    else:
        with pytest.raises(LicenceError):
            steps.agree(models, [])
    assert len(asked) == 1
    assert HUNYUAN.name in asked[0]
