"""Who may ask: origins, hosts, proxies, the login. No server, no Gradio."""

from __future__ import annotations

import pytest
from asgi_calls import Echo, ask

from manymesh.errors import UsageError
from manymesh.web.security import FAILURES, FAILURES_S, SESSION_S, SESSIONS, LoginGuard, OriginGuard, is_loopback

HERE = ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]
ELSEWHERE = ["0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.evil.org"]
LOGIN = b"username=ann&password=a%20secret"


@pytest.mark.parametrize(("host", "local"), [(host, host in HERE) for host in HERE + ELSEWHERE])
def test_loopback_is_known(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("local_only", "host", "status"),
    [
        (True, "127.0.0.1:7860", 200),
        (True, "[::1]:7860", 200),
        (True, "localhost", 200),
        (True, "evil.example:7860", 403),
        (True, "", 400),
        (False, "meshes.example", 200),
        (False, "meshes.example/<script>", 400),
    ],
)
def test_a_server_without_a_login_answers_to_this_machines_names_alone(
    local_only: bool, host: str, status: int
) -> None:
    assert ask(OriginGuard(Echo(), local_only=local_only), headers={"host": host}).status == status


@pytest.mark.parametrize("local_only", [True, False])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:7860", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1:9999", 403),
        ("http://127.0.0.1", 403),
        ("null", 403),
    ],
)
def test_another_sites_page_is_refused_with_and_without_a_login(local_only: bool, origin: str, status: int) -> None:
    # (A login was once enough: the answer then gave any origin's page the right to read it.)
    behind = Echo(access_control_allow_origin=origin, access_control_allow_credentials="true")
    answer = ask(OriginGuard(behind, local_only=local_only), method="POST", headers={"origin": origin})
    assert answer.status == status
    assert not any(name.startswith("access-control") for name in answer.headers)
    assert len(behind.scopes) == (status == 200)


def test_a_preflight_from_elsewhere_gets_no_permission() -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = ask(OriginGuard(Echo(), local_only=False), method="OPTIONS", headers=headers)
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_named_origin_may_ask_and_read() -> None:
    guard = OriginGuard(Echo(), local_only=False, allowed=["https://shop.example"])
    answer = ask(guard, method="POST", headers={"origin": "https://shop.example"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example")
    preflight = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    assert ask(guard, method="OPTIONS", headers=preflight).status == 204
    assert ask(guard, method="POST", headers={"origin": "https://shop.example.evil.org"}).status == 403


@pytest.mark.parametrize(
    ("path", "method", "fetch", "status"),
    [
        ("/files/runs/a/input.png", "GET", ("cross-site", "no-cors", "image"), 403),
        ("/files/runs/a/input.png", "GET", ("same-site", "no-cors", "image"), 403),
        ("/", "GET", ("cross-site", "navigate", "iframe"), 403),
        ("/logout", "GET", ("cross-site", "navigate", "document"), 403),
        ("/", "GET", ("cross-site", "navigate", "document"), 200),
        ("/files/runs/a/input.png", "GET", ("same-origin", "no-cors", "image"), 200),
        ("/", "GET", ("none", "navigate", "document"), 200),
    ],
)
def test_what_a_browser_fetches_for_another_site_without_an_origin_is_refused(
    path: str, method: str, fetch: tuple[str, str, str], status: int
) -> None:
    names = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
    headers = dict(zip(names, fetch, strict=True))
    assert ask(OriginGuard(Echo(), local_only=True), path, method=method, headers=headers).status == status


def test_forwarding_headers_are_believed_only_from_a_proxy_of_our_own() -> None:
    said = {
        "host": "127.0.0.1:7860",
        "x-forwarded-host": "evil.example, meshes.example",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "10.9.9.9, 10.0.0.7",
        "x-gradio-server": "https://evil.example",
        "forwarded": "host=evil.example",
        "origin": "https://meshes.example",
    }
    behind = Echo()
    assert ask(OriginGuard(behind, local_only=False), headers=said).status == 403
    assert ask(OriginGuard(behind, local_only=False, proxy=True), headers=said).status == 200
    (scope,) = behind.scopes
    assert dict(scope["headers"])[b"host"] == b"meshes.example"
    assert (scope["scheme"], scope["client"][0]) == ("https", "10.0.0.7")
    without = {name: value for name, value in said.items() if name != "origin"}
    assert ask(OriginGuard(behind, local_only=False), headers=without).status == 200
    assert [name for name, _ in behind.scopes[-1]["headers"]] == [b"host"]
    assert behind.scopes[-1]["scheme"] == "http"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def guard(clock: Clock | None = None) -> LoginGuard:
    return LoginGuard(Echo(), "ann", "a secret", "<form>{note}</form>", clock or Clock())


def log_in(app: LoginGuard, body: bytes = LOGIN, **more: str) -> str:
    answer = ask(app, "/login", method="POST", body=body, headers=more or None)
    assert answer.status == 200, answer
    return answer.headers["set-cookie"]


def test_every_address_is_shut_without_a_login() -> None:
    app = guard()
    for path in ("/config", "/gradio_api/info", "/files/static/1/app.js", "/login", "/assets/x.js", "/page/look"):
        assert ask(app, path).status == 401
        assert ask(app, path, headers={"cookie": "manymesh-session=x"}).status == 401
    page = ask(app, "/")
    assert (page.status, page.body) == (200, b"<form></form>")


def test_a_login_lasts_by_a_cookie_that_other_sites_cannot_use() -> None:
    app = guard()
    cookie = log_in(app)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    pair = cookie.partition(";")[0]
    assert ask(app, "/config", headers={"cookie": f"other=1; {pair}"}).status == 200
    secure = ask(app, "/login", method="POST", body=LOGIN, scheme="https")
    assert secure.headers["set-cookie"].endswith("; Secure")
    ask(app, "/logout", headers={"cookie": pair})
    assert ask(app, "/config", headers={"cookie": pair}).status == 401


def test_a_browser_is_sent_to_the_page_or_told_that_the_password_is_wrong() -> None:
    app = guard()
    browser = {"accept": "text/html,*/*"}
    right = ask(app, "/login", method="POST", body=LOGIN, headers=browser)
    assert (right.status, right.headers["location"]) == (303, "./")
    wrong = ask(app, "/login", method="POST", body=b"username=ann&password=<b>", headers=browser)
    assert (wrong.status, wrong.body) == (401, b"<form>The name or the password is wrong.</form>")


@pytest.mark.parametrize(
    "body", [b"", b"username=ann", b"username=bob&password=a%20secret", b"username=ann&password=", b"\xff" * 9]
)
def test_a_wrong_login_is_no_login(body: bytes) -> None:
    answer = ask(guard(), "/login", method="POST", body=body)
    assert answer.status == 401
    assert "set-cookie" not in answer.headers


def test_guessing_a_password_is_slowed_down_for_that_address() -> None:
    clock = Clock()
    app = guard(clock)
    for _ in range(FAILURES):
        assert ask(app, "/login", method="POST", body=b"username=ann&password=guess").status == 401
    refused = ask(app, "/login", method="POST", body=LOGIN)
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= FAILURES_S + 1
    assert ask(app, "/login", method="POST", body=LOGIN, client="10.0.0.1").status == 200
    clock.now_s += FAILURES_S + 1
    log_in(app)


def test_a_session_ends_when_it_is_not_used_and_few_are_remembered() -> None:
    clock = Clock()
    app = guard(clock)
    first = log_in(app).partition(";")[0]
    clock.now_s += SESSION_S - 1
    assert ask(app, "/config", headers={"cookie": first}).status == 200
    clock.now_s += SESSION_S + 1
    assert ask(app, "/config", headers={"cookie": first}).status == 401
    second = log_in(app).partition(";")[0]
    for _ in range(SESSIONS):
        log_in(app)
    assert ask(app, "/config", headers={"cookie": second}).status == 401


def test_a_login_that_is_too_long_is_not_read() -> None:
    assert ask(guard(), "/login", method="POST", body=[b"a" * 3000] * 3).status == 400


def test_an_origin_must_be_one() -> None:
    pytest.importorskip("gradio")
    from manymesh.web.server import Options, check

    for bad in ("meshes.example", "https://meshes.example/", "https://", "ftp://meshes.example", "*"):
        with pytest.raises(UsageError, match="not an origin"):
            check(Options(allow_origin=(bad,)))
    check(Options(allow_origin=("https://meshes.example", "http://localhost:3000")))
    with pytest.raises(UsageError, match="proxy"):
        check(Options(proxy=True))
