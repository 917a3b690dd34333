"""Networks that run out of range are told apart from answers, and get a wider number format."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the full engine's extra is not installed")

from manymesh.device.number_format import Formats, require_finite  # noqa: E402
from manymesh.errors import NotFiniteError, ObjectError, kind_of  # noqa: E402


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_one_bad_number_names_the_network(bad: float) -> None:
    whole = torch.zeros(2, 3)
    assert require_finite(whole, "decoder") is whole
    whole[1, 2] = bad
    with pytest.raises(NotFiniteError, match="the decoder gave numbers that are not finite") as caught:
        require_finite(whole, "decoder")
    assert caught.value.network == "decoder"


def test_the_error_is_one_objects_and_survives_the_manifest() -> None:
    error = NotFiniteError("it failed", "do this", network="decoder")
    assert error.code == "not-finite"
    assert kind_of(error.code) is NotFiniteError
    assert issubclass(NotFiniteError, ObjectError)


def test_only_the_network_that_failed_is_widened_and_a_note_says_so() -> None:
    reloaded: list[str] = []
    formats = Formats(torch.float16, reloaded.append)

    def work() -> str:
        for network in ("decoder", "encoder"):
            require_finite(torch.tensor(float("nan") if formats[network] == torch.float16 else 1.0), network)
        return "made"

    assert formats.notes == ()
    assert formats.retry(work) == "made"
    assert reloaded == ["decoder", "encoder"]
    assert formats["transformer"] == torch.float16
    assert formats.notes[0] == "The decoder gave numbers that are not finite in float16; it ran in float32."
    assert len(formats.notes) == 2


def test_a_network_that_fails_in_float32_too_is_an_error() -> None:
    def work() -> None:
        require_finite(torch.tensor(float("nan")), "decoder")

    tries: list[str] = []
    with pytest.raises(NotFiniteError):
        Formats(torch.float32, tries.append).retry(work)
    assert tries == []
    with pytest.raises(NotFiniteError):
        Formats(torch.float16, tries.append).retry(work)
    assert tries == ["decoder"]
