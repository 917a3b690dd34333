"""Where the password of ``manymesh ui`` comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from manymesh.cli.ui import AUTH_VARIABLE, login
from manymesh.errors import UsageError


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AUTH_VARIABLE, raising=False)


def test_the_login_comes_from_a_file_the_command_line_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "login"
    file.write_text("ann:from file\n")
    file.chmod(0o600)
    assert login(None, None) is None
    monkeypatch.setenv(AUTH_VARIABLE, "ann:from environment")
    assert login(None, None) == "ann:from environment"
    assert login("ann:from line", None) == "ann:from line"
    assert login(None, file) == "ann:from file"
    with pytest.raises(UsageError, match="exclude each other"):
        login("ann:from line", file)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_text("ann:secret")
    file.chmod(0o640)
    with pytest.raises(UsageError, match="Others may read") as caught:
        login(None, file)
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="cannot be read"):
        login(None, tmp_path / "gone")
