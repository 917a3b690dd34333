"""``manymesh ui --mcp``: what an agent can ask for, through the client that agents use."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import three_things
from fakes import Diary, fake_plan
from web_fixtures import IGNORE_FOREIGN_WARNINGS, collected, collected_at_the_end, need_gradio

from manymesh.web.server import Options, Served, serving

__all__ = ["collected", "collected_at_the_end"]  # fixtures that every test here uses
pytestmark = IGNORE_FOREIGN_WARNINGS


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    need_gradio()
    pytest.importorskip("mcp")
    with pytest.MonkeyPatch.context() as patch:
        diary = Diary()
        patch.setattr("manymesh.pipeline.choose", lambda settings: fake_plan(diary, settings, count=1))
        patch.setattr("manymesh.web.service.choose", lambda settings: fake_plan(diary, settings, count=1))
        with serving(Options(out=tmp_path_factory.mktemp("mcp"), mcp=True)) as up:
            yield up


def ask(served: Served, tool: str, **arguments: Any) -> tuple[bool, str]:
    """Whether the tool refused, and what it said."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def call() -> tuple[bool, str]:
        async with (
            streamable_http_client(f"{served.url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            answer = await session.call_tool(tool, arguments)
            return bool(answer.isError), "".join(getattr(part, "text", "") for part in answer.content)

    return asyncio.run(call())


def test_an_agent_makes_meshes_of_a_photo_that_it_sends(served: Served, tmp_path: Path) -> None:
    three_things().save(tmp_path / "things.png")
    sent = "data:image/png;base64," + base64.b64encode((tmp_path / "things.png").read_bytes()).decode()
    refused, answer = ask(served, "make", photo=sent, faces=500, texture_size=64)
    assert not refused
    assert "'state': 'done'" in answer
    assert str(tmp_path.parent) not in answer


@pytest.mark.parametrize(
    "photo",
    ["/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "http://localhost:1/"],
)
def test_an_agent_cannot_have_the_server_read_its_own_files_or_network(served: Served, photo: str) -> None:
    before = len(served.service.all_jobs())
    refused, answer = ask(served, "submit", photo=photo)
    assert refused
    assert "root:" not in answer
    assert len(served.service.all_jobs()) == before


def test_an_agent_cannot_have_the_server_ask_itself(served: Served) -> None:
    refused, answer = ask(served, "submit", photo=f"{served.url}config")
    assert refused
    assert "manymesh" not in answer


def test_a_tool_tells_what_makes_no_sense(served: Served) -> None:
    refused, answer = ask(served, "run", name="../elsewhere")
    assert refused
    assert "is not the name of a run" in answer
