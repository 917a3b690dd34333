"""What a request may ask for and hold, and what goes with every answer. No server, no Gradio."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asgi_calls import Echo, ask

from manymesh.errors import InputError
from manymesh.web.answers import AnswerGuard, PageCache, page_policy
from manymesh.web.asgi import network_of
from manymesh.web.security import JSON_BYTES, RequestGuard

KEPT = Path("/srv/scratch/uploads/1/cup.png")


def uploaded(address: str) -> Path:
    if address != "files/uploads/1/cup.png":
        raise InputError("The photo is not one that was uploaded here", "Upload it again.")
    return KEPT


def guard(behind: Echo, **more: bool) -> RequestGuard:
    return RequestGuard(behind, upload_bytes=1000, uploaded=uploaded, **more)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=http://10.0.0.1/"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=files/../../etc/passwd"),
        ("GET", "/gradio_api/proxy=http://x/"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring/summary"),
        ("GET", "/gradio_api/mcp/"),
        ("GET", "/gradio_api/custom_component/1/client/component/index.js"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/run/make"),
        ("POST", "/gradio_api/api/make"),
        ("POST", "/gradio_api/run-history/connect"),
        ("PUT", "/gradio_api/upload"),
        ("DELETE", "/"),
        ("TRACE", "/"),
    ],
)
def test_addresses_that_nobody_needs_are_shut(method: str, path: str) -> None:
    behind = Echo()
    assert ask(guard(behind), path, method=method).status == 404
    assert behind.scopes == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/config/"),
        ("GET", "/files/static/1/app.js"),
        ("GET", "/gradio_api/heartbeat/abc"),
        ("GET", "/gradio_api/file=files/uploads/1/cup.png"),
        ("GET", "/gradio_api/call/make/abc"),
        ("POST", "/gradio_api/call/v2/make"),
        ("POST", "/page/look"),
    ],
)
def test_addresses_that_the_page_and_its_clients_need_are_open(method: str, path: str) -> None:
    assert ask(guard(Echo()), path, method=method).status == 200


def test_a_photo_is_named_by_its_uploads_address_and_by_nothing_else() -> None:
    behind = Echo()
    photo = {"path": "files/uploads/1/cup.png", "url": "http://evil.example/", "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": [photo, 5], "session_hash": "s"}).encode()
    assert ask(guard(behind), "/gradio_api/queue/join", method="POST", body=body).status == 200
    got = json.loads(behind.bodies[0])["data"][0]
    assert (got["path"], got.get("url")) == (str(KEPT), None)
    length = dict(behind.scopes[0]["headers"])[b"content-length"]
    assert int(length) == len(behind.bodies[0])
    for path in ("/etc/passwd", str(KEPT), "http://10.0.0.1/a.png", "files/runs/x/input.png", "", "files/uploads/1"):
        wrong = json.dumps({"photo": {**photo, "path": path}}).encode()
        answer = ask(guard(behind), "/gradio_api/call/v2/make", method="POST", body=wrong)
        assert answer.status == 422
        assert b"not one that was uploaded here" in answer.body
    assert len(behind.scopes) == 1


def test_only_mcp_lets_a_photo_be_named_by_a_public_address() -> None:
    photo = {"path": "https://example.org/cup.png", "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"photo": photo}).encode()
    assert ask(guard(Echo(), mcp=True), "/gradio_api/call/make", method="POST", body=body).status == 200
    assert ask(guard(Echo(), mcp=True), "/gradio_api/mcp/", method="POST", body=b"{}").status == 200
    assert ask(guard(Echo()), "/gradio_api/call/make", method="POST", body=body).status == 422


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'{"n": ' + b"9" * 5000 + b"}", b"\xff\xfe"], ids=["cut", "deep", "digits", "bytes"]
)
def test_json_that_nobody_writes_is_refused(body: bytes) -> None:
    assert ask(guard(Echo()), "/gradio_api/queue/join", method="POST", body=body).status == 422


def test_bodies_have_limits_however_they_come() -> None:
    behind = Echo()
    large = [b"[1, "] + [b"1, " * 1000] * (JSON_BYTES // 3000 + 2)
    assert ask(guard(behind), "/page/look", method="POST", body=large).status == 413
    assert behind.scopes == []
    upload = "/gradio_api/upload"
    assert ask(guard(behind), upload, method="POST", headers={"content-length": "9" * 30}).status == 413
    assert ask(guard(behind), upload, method="POST", headers={"content-length": "x"}).status == 413
    assert ask(guard(behind), upload, method="POST", body=[b"a" * 900] * 200).status == 413
    assert ask(guard(behind), upload, method="POST", body=[b"a" * 900]).status == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unix:", "unix:"),
    ],
)
def test_limits_count_what_one_client_may_have_many_addresses_of(address: str, network: str) -> None:
    assert network_of(address) == network


def test_every_answer_binds_the_browser() -> None:
    page = b"<html><script>one()</script><script src='/assets/a.js'></script><script type='x'>two()</script></html>"
    answer = ask(AnswerGuard(Echo(page, "text/html; charset=utf-8"), {}))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = answer.headers["content-security-policy"]
    assert policy == page_policy(page)
    assert policy.count("'sha256-") == 2
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    other = ask(AnswerGuard(Echo(b"{}", "application/json"), {}), "/gradio_api/info")
    assert other.headers["content-security-policy"].startswith("default-src 'none'")


def test_no_answer_names_a_folder_of_this_machine() -> None:
    told = 'at /srv/scratch/uploads/1/cup.png, "/home/\\u00e9va/runs/x" and /home/%C3%A9va/runs/x'
    hidden = {"/srv/scratch": "files", "/home/éva": "~", "/home/éva/runs": "runs"}
    answer = ask(AnswerGuard(Echo(told.encode(), "application/json"), hidden), "/gradio_api/queue/data")
    assert answer.body == b'at files/uploads/1/cup.png, "runs/x" and runs/x'
    assert int(answer.headers["content-length"]) == len(answer.body)
    model = Echo(b"glTF /srv/scratch", "text/plain")
    assert ask(AnswerGuard(model, hidden), "/files/uploads/1/a.txt").body == b"glTF /srv/scratch"


def test_the_description_of_endpoints_is_made_once_for_each_host_and_its_query_goes_no_further() -> None:
    behind = Echo(b"{}", "application/json")
    cache = PageCache(behind)
    for _ in range(3):
        assert ask(cache, "/config").body == b"{}"
    assert ask(cache, "/config", headers={"host": "meshes.example"}).body == b"{}"
    assert len(behind.scopes) == 2
    ask(cache, "/gradio_api/info")
    ask(cache, "/gradio_api/info")
    assert len(behind.scopes) == 4
