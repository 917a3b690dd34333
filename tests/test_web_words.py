"""What the page and the API say speaks of no flags, commands or paths of the server."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import manymesh
from manymesh.web.words import for_page

SOURCE = Path(manymesh.__file__).parent
SPOKEN = re.compile(r"--[a-z]|\bmanymesh [a-z]+|pip install")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("'/srv/runs/20260101-desk/objects/01-cup/mesh.glb' has changed", "'mesh.glb' has changed"),
        ("Stopped. What was finished is kept; `manymesh resume` goes on from there.", None),
        ("More than 3 objects were found; the first are made (raise --max-objects for more).", None),
        ("See `manymesh doctor`.", ""),
        (
            "The engine 'small' cannot matte here: the weights isnet are not here: run 'manymesh models pull isnet'",
            None,
        ),
        ("faces: Input should be greater than or equal to 100", "faces: Input should be greater than or equal to 100"),
        ("1/2 of the object is cut off at 3:4.", "1/2 of the object is cut off at 3:4."),
    ],
)
def test_what_is_said_to_a_terminal_is_said_in_the_pages_words(said: str, shown: str | None) -> None:
    told = for_page(said)
    assert not SPOKEN.search(told)
    if shown is not None:
        assert told == shown
    assert told or not shown


def test_advice_that_can_be_followed_on_the_page_is_kept() -> None:
    assert "“Max objects”" in for_page("Too many were found (raise --max-objects for more).")
    assert "Rename them" in for_page(
        "Numbered. Use --box x0,y0,x1,y1:name to name them yourself. To find them by name here: run 'manymesh x'."
    )
    assert (
        for_page(
            "Nothing is left. Draw its box more tightly with --box, or bring a cutout: "
            "manymesh resume RUN --cutout 3=cutout.png"
        )
        == "Nothing is left. Draw its box again, more tightly."
    )


def test_no_sentence_of_the_source_reaches_people_with_a_flag_or_a_command() -> None:
    texts = [
        node.value
        for path in SOURCE.rglob("*.py")
        if "cli" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 600
    ]
    spoken = [text for text in texts if SPOKEN.search(text)]
    assert len(spoken) > 20
    assert [
        text for text in spoken if re.search(r"--[a-z]|`|pip install|manymesh (models|resume|doctor)", for_page(text))
    ] == []
