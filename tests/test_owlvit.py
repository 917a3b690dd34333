"""The detector ``owlvit``: what it makes of scores and boxes, which files it refuses, and who uses it."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="the extra 'small' is not installed")
pytest.importorskip("onnx")

from conftest import three_things
from tiny_owlvit import save_answering, save_sizing

from manymesh.detect.owlvit import STAGE, inputs
from manymesh.detect.owlvit.choose import candidates, distinct
from manymesh.detect.owlvit.queries import Queries, forms_of, queries_for
from manymesh.detect.owlvit.stage import Owl, find
from manymesh.engines import choose, stages_of
from manymesh.errors import Cancelled, MissingPieceError, WeightsError
from manymesh.onnx_network import OnnxNetwork
from manymesh.pipeline import Pipeline
from manymesh.settings import Settings
from manymesh.types import Box, Detection, Photo
from manymesh.weights import require

NO, LOW, HIGH = -9.0, -1.0, 3.0  # logits: scores 0.0001, 0.27, 0.95


def a_photo(width: int = 320, height: int = 240, alpha: np.ndarray | None = None) -> Photo:
    return Photo(np.asarray(three_things(width, height)), alpha, "things", "0" * 64)


def a_folder(tmp_path: Path, boxes: list, logits: list, **more: object) -> Path:
    """``weights_dir`` with an OWL-ViT that gives this answer."""
    save_answering(tmp_path / "weights" / "owlvit", boxes, logits, **more)
    return tmp_path / "weights"


def detect(weights: Path, photo: Photo, names: list[str], tick=lambda share: None, **more: object) -> list[Detection]:
    with STAGE.open(Settings(weights_dir=weights, **more)) as opened:
        return opened(photo, names, tick=tick)


def scored(label: str, box: tuple[int, int, int, int], score: float) -> Detection:
    return Detection(Box(*box), label, score, source="owlvit")


def test_every_instance_is_found_in_the_prompts_order_then_left_to_right(tmp_path: Path) -> None:
    # Columns are texts in the prompt's order: ox, cup.
    boxes = [(0.8, 0.5, 0.2, 0.4), (0.2, 0.5, 0.2, 0.4), (0.5, 0.5, 0.1, 0.5), (0.4, 0.9, 0.2, 0.2)]
    weights = a_folder(tmp_path, boxes, [(NO, HIGH), (NO, LOW), (HIGH, NO), (NO, NO)])
    found = detect(weights, a_photo(), ["ox", "cup"])
    assert [(d.label, d.box, d.source) for d in found] == [
        ("ox", Box(144, 60, 176, 180), "owlvit"),
        ("cup", Box(32, 72, 96, 168), "owlvit"),
        ("cup", Box(224, 72, 288, 168), "owlvit"),
    ]
    assert [round(d.score or 0, 2) for d in found] == [0.95, 0.27, 0.95]


def test_sentences_are_put_around_a_name_and_left_out_where_they_do_not_fit(tmp_path: Path) -> None:
    folder = save_answering(tmp_path / "owlvit", [(0.5, 0.5, 0.5, 0.5)], [[HIGH]])
    texts = inputs.Texts(folder)
    one = queries_for(["The cup"], texts, 1)
    assert (one.texts, one.cut) == (("a photo of a cup",), ())
    several = queries_for(["cup"], texts)
    assert several.texts[:2] == ("a photo of a cup", "itap of a cup")
    assert several.forms == ((tuple(range(len(several.texts))),),)
    assert queries_for(["wxyzwxyzwxyz"], texts).texts == ("wxyzwxyzwxyz",)
    assert queries_for(["wxyz" * 9], texts).cut == ("wxyz" * 9,)


def test_a_plural_is_asked_in_the_singular_too_and_words_that_only_look_like_one_are_not() -> None:
    def nouns(name: str) -> list[str]:
        return [form.noun for form in forms_of(name)]

    assert nouns("the red cups") == ["red cup", "red cups"]
    assert nouns("boxes of tea leaves") == ["box of tea leaves", "boxes of tea leaves"]
    assert nouns("Knives") == ["knife", "Knives"]
    assert nouns("berries") == ["berry", "berries"]
    for one in ("a cup", "glass", "scissors", "cactus", "bus", "tennis", "key", "7", "Tasse"):
        assert len(nouns(one)) == 1, one
    assert [form.format_in("a photo of a {}") for form in forms_of("cups")] == ["a photo of a cup", "a photo of cups"]


def test_the_number_of_texts_is_bounded_and_every_name_is_asked() -> None:
    everything = SimpleNamespace(fits=lambda text: True)
    for count in (1, 3, 8, 20, 32):
        queries = queries_for([f"cups{'x' * n} boxes" for n in range(count)], everything)  # type: ignore[arg-type]
        assert count <= len(queries.texts) <= 32
        places = [place for name in queries.forms for form in name for place in form]
        assert places == list(range(len(queries.texts)))


def test_sentences_are_averaged_and_the_better_form_counts() -> None:
    queries = Queries(tuple("abcde"), (((0, 1), (2,)), ((3, 4),)), ())
    odds = np.array([[2.0, 0.0, -1.0, -3.0, -1.0], [-4.0, -2.0, 0.5, 40.0, 40.0]])
    scores = queries.scores((1 / (1 + np.exp(-odds))).astype(np.float32))
    assert np.allclose(np.log(scores / (1 - scores))[:, 0], [1.0, 0.5], atol=1e-4)
    assert np.allclose(scores[:, 1], [1 / (1 + np.exp(2.0)), 1.0], atol=1e-6)


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]])
    found = detect(weights, a_photo(), ["wxyz" * 9])
    assert "longer than the detector reads" in found.notes[0]  # type: ignore[attr-defined]


def test_a_repeat_under_one_name_goes_and_the_better_name_of_one_box_stays() -> None:
    cup, cup_again = scored("cup", (10, 10, 110, 110), 0.6), scored("cup", (20, 10, 120, 110), 0.5)
    mug, saucer = scored("mug", (10, 10, 111, 110), 0.4), scored("saucer", (0, 60, 140, 120), 0.3)
    assert distinct([saucer, mug, cup_again, cup]) == [cup, saucer]


def test_a_box_around_several_of_its_name_gives_way_to_them_and_a_part_goes() -> None:
    left, right = scored("cup", (10, 10, 60, 90), 0.5), scored("cup", (80, 10, 130, 90), 0.45)
    both, handle = scored("cup", (5, 5, 135, 95), 0.6), scored("cup", (12, 20, 30, 60), 0.2)
    # The handle has less than half of the group's score, so the members that count are left and right.
    assert distinct([both, left, right]) == [left, right]
    assert distinct([left, right, handle]) == [left, right]
    saucer = scored("saucer", (5, 5, 135, 95), 0.6)
    assert set(distinct([left, saucer, handle])) == {left, saucer}, "another name's part is an object of its own"


def test_boxes_outside_the_photo_too_thin_or_not_numbers_are_left_out() -> None:
    corners = np.array(
        [[-50, -40, 400, 300], [10, 10, 14, 90], [500, 10, 600, 90], [np.nan, 0, 50, 50], [np.inf, 0, 50, 50]],
        np.float32,
    )
    found = candidates(np.full((5, 1), 0.5, np.float32), corners, ["cup"], (320, 240), "owlvit")
    assert [d.box for d in found] == [Box(0, 0, 320, 240)]


class Scripted:
    """In the network's place: answers by the size of the picture, and remembers what it was asked."""

    def __init__(self, whole: dict[str, list], tile: dict[str, list]) -> None:
        self.sizing = inputs.Sizing(64, 64)
        self.texts = SimpleNamespace(fits=lambda text: True)
        self.answers = {True: whole, False: tile}
        self.asked: list[tuple[tuple[int, ...], list[str]]] = []

    def __call__(self, rgb, texts, look):
        look()
        self.asked.append((rgb.shape[:2], list(texts)))
        answers = self.answers[len(self.asked) == 1]
        rows = [(box, score, name) for name, boxes in answers.items() for box, score in boxes]
        scores = np.array([[s if text.endswith(n) else 0.0 for text in texts] for _, s, n in rows], np.float32)
        return scores.reshape(-1, len(texts)), np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4)


def test_names_that_the_whole_photo_does_not_show_are_looked_for_in_four_tiles() -> None:
    owl = Scripted({"cup": [((10, 10, 90, 90), 0.5)]}, {"spoon": [((20, 30, 50, 60), 0.5)]})
    found = find(a_photo(), ["spoon", "cup"], owl, lambda share: None, source="owlvit", most=32)  # type: ignore[arg-type]
    nouns = [sorted({text.split()[-1] for text in texts}) for _, texts in owl.asked]
    assert nouns == [["cup", "spoon"], *[["spoon"]] * 4]
    assert [shape for shape, _ in owl.asked[1:]] == [(144, 192)] * 4
    spoons = [d.box for d in found if d.label == "spoon"]
    assert spoons == [Box(20, 30, 50, 60), Box(20, 126, 50, 156), Box(148, 30, 178, 60), Box(148, 126, 178, 156)]
    assert [d.label for d in found] == ["spoon"] * 4 + ["cup"]


def test_an_object_that_a_tile_cuts_is_not_taken_from_it() -> None:
    owl = Scripted({}, {"spoon": [((150, 30, 192, 60), 0.9)]})
    found = find(a_photo(), ["spoon"], owl, lambda share: None, source="owlvit", most=32)  # type: ignore[arg-type]
    # It touches the right edge of its tile: that is the photo's own edge in the two right tiles alone.
    assert [d.box for d in found] == [Box(278, 30, 320, 60), Box(278, 126, 320, 156)]


def test_a_photo_of_the_networks_size_gets_no_second_look() -> None:
    owl = Scripted({}, {})
    assert find(a_photo(70, 60), ["cup"], owl, lambda share: None, source="owlvit", most=9) == []  # type: ignore[arg-type]
    assert len(owl.asked) == 1


def test_transparent_parts_are_seen_as_white() -> None:
    seen = []

    class Watching(Scripted):
        def __call__(self, rgb, texts, look):
            seen.append(rgb)
            return super().__call__(rgb, texts, look)

    alpha = np.zeros((60, 70), np.uint8)
    alpha[:, :20] = 255
    find(a_photo(70, 60, alpha), ["cup"], Watching({}, {}), lambda share: None, source="owlvit", most=9)  # type: ignore[arg-type]
    assert (seen[0][:, 20:] == 255).all()
    assert np.array_equal(seen[0][:, :20], a_photo(70, 60).rgb[:, :20])


@pytest.mark.parametrize("called", ["input_ids", "pixel_values", "pred_boxes"])
def test_a_file_with_other_names_is_refused_with_what_was_expected_and_what_was_found(tmp_path, called: str) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]], names={called: "something_else"})
    with pytest.raises(WeightsError) as caught:
        detect(weights, a_photo(), ["cup"])
    assert f"'{called}'" in str(caught.value)
    assert "'something_else'" in str(caught.value)


def test_a_file_for_pictures_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]])
    save_sizing(weights / "owlvit", size={"height": 96, "width": 96})
    with pytest.raises(WeightsError, match=r"takes the shape \['any', 3, 64, 64\], and \[1, 3, 96, 96\] was to go in"):
        detect(weights, a_photo(), ["cup"])


def test_a_file_that_takes_a_fixed_number_of_texts_is_asked_in_such_portions(tmp_path: Path) -> None:
    # Every portion of two gets the same two columns.
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH, LOW]], texts=2)
    owl = Owl(require("owlvit", weights), "owlvit")
    scores, _ = owl(a_photo().rgb, ["a", "b", "c"], lambda: None)
    assert scores[0] == pytest.approx([0.953, 0.269, 0.953], abs=1e-3)


def test_an_answer_of_another_shape_is_refused(tmp_path: Path) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]], repeat=False)
    with pytest.raises(WeightsError, match=r"answers logits \[1, 1, 1\]"):
        detect(weights, a_photo(), ["cup", "spoon"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("onnx/model_quantized.onnx", b"not a network"),
        ("tokenizer.json", b'{"version": "1.0"}'),
        ("tokenizer.json", b""),
        ("preprocessor_config.json", b"[1, 2"),
        ("preprocessor_config.json", b'{"size": {"height": 1e9, "width": 64}}'),
        ("preprocessor_config.json", b'{"size": "large"}'),
        ("preprocessor_config.json", b'{"image_std": [0, 1, 1]}'),
    ],
)
def test_damaged_files_are_errors_for_people(tmp_path: Path, name: str, content: bytes) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]])
    (weights / "owlvit" / name).write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        detect(weights, a_photo(), ["cup"])
    assert caught.value.hint


def test_a_pass_stops_within_a_moment_when_the_user_wants_it(tmp_path: Path) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]])
    owl = Owl(require("owlvit", weights), "owlvit")
    stopped = threading.Event()

    def endless(names, feeds, options):
        while not options.terminate:
            threading.Event().wait(0.01)
        stopped.set()
        raise RuntimeError("terminated")

    owl._network._session = SimpleNamespace(run=endless)

    def cancelled() -> None:
        raise Cancelled("Stopped")

    with pytest.raises(Cancelled):
        owl(a_photo().rgb, ["cup"], cancelled)
    assert stopped.is_set()


def test_numbers_that_are_not_finite_are_an_error(tmp_path: Path) -> None:
    weights = a_folder(tmp_path, [(0.5, 0.5, float("nan"), 0.5)], [[HIGH]])
    with pytest.raises(RuntimeError, match="not finite"):
        detect(weights, a_photo(), ["cup"])


def test_lite_reads_names_with_it_where_it_is_here_and_only_then(tmp_path: Path) -> None:
    here = a_folder(tmp_path, [(0.5, 0.5, 0.5, 0.5)], [[HIGH]])

    def detector(**more: object) -> str:
        return stages_of("lite", Settings(**more))["detect"].name

    assert detector(prompt="cup", weights_dir=here) == "owlvit"
    assert detector(weights_dir=here) == "foreground"
    assert detector(prompt="cup", weights_dir=tmp_path) == "foreground"
    assert detector(prompt="cup", weights_dir=here, stages=["detect=foreground"]) == "foreground"
    assert detector(prompt="cup", detector="owlvit", weights_dir=tmp_path) == "owlvit"


def test_the_detector_that_was_asked_for_says_which_command_brings_it() -> None:
    with pytest.raises(MissingPieceError, match="manymesh models pull owlvit"):
        choose(Settings(engine="lite", prompt="cup", detector="owlvit"))
    with pytest.raises(MissingPieceError, match="manymesh models pull owlv2"):
        choose(Settings(engine="lite", prompt="cup", detector="owlv2"))
    assert stages_of("hunyuan", Settings(prompt="cup", detector="owlvit"))["detect"].name == "owlvit"


def test_the_manifest_says_who_read_which_name_with_what_score_and_which_were_not_found(
    tmp_path: Path, photo_path: Path
) -> None:
    # A box around the red disc. The names "disc" and "banana" are the columns. No second look at this size.
    weights = a_folder(tmp_path, [(0.1875, 0.48, 0.25, 0.32)], [(HIGH, NO)], side_px=256)
    settings = Settings(engine="lite", prompt="disc, banana", weights_dir=weights, texture=False, faces=400)
    run = Pipeline(settings).find(photo_path, tmp_path / "runs")
    (record,) = run.manifest.objects
    assert (record.label, record.source) == ("disc", "owlvit")
    assert record.score == pytest.approx(0.953, abs=1e-3)
    assert run.manifest.missing_names == ["banana"]
    assert "No 'banana' was found in the photo." in run.manifest.warnings
    assert run.manifest.implementations["detect"] == "owlvit"

    made = Pipeline().resume(run.folder)
    assert made.manifest.state == "done", made.manifest.objects[0].error
    cutout = made.load(made.manifest.objects[0], "cutout").rgba
    reds = cutout[cutout[..., 3] > 200][:, :3].astype(int)
    assert (reds[:, 0] > 2 * reds[:, 1]).mean() > 0.95, "the disc alone is cut out of the detector's box"


def test_an_onnx_file_is_absent_or_too_new(tmp_path: Path) -> None:
    from manymesh.weights.entries import Graph

    with pytest.raises(WeightsError, match=r"none\.onnx is not in"):
        OnnxNetwork(tmp_path / "none.onnx", Graph({}, {}))
