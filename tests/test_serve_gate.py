"""The dashboard in a browser lets in one browser, once, from its own page, and listens to this machine alone."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.running import refused, run

aiohttp = pytest.importorskip("aiohttp", reason="the extra `serve` is not installed")

from aiohttp import web  # noqa: E402

from tui.web import server as serving  # noqa: E402
from tui.web.gate import COOKIE, HOST, MINUTES, Gate  # noqa: E402


def token(gate: Gate) -> str:
    return gate.address.partition("token=")[2]


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_token_is_good_once_and_for_a_while() -> None:
    gate, clock = Gate(8000), Clock()
    assert gate.admit(token(gate)[:-1]) is None and not gate.knows("")
    session = gate.admit(token(gate))
    assert session is not None and gate.knows(session) and not gate.knows(session + "x")
    assert gate.admit(token(gate)) is None and gate.knows(session)
    late = Gate(8000, clock)
    clock.at = 60 * MINUTES + 1
    assert late.admit(token(late)) is None


@given(st.text())
def test_no_other_text_is_a_token_or_a_session(text: str) -> None:
    gate = Gate(8000)
    assert not gate.knows(text)
    assert gate.admit(text) is None and not gate.knows(text)


OURS = "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("hosts", "origins", "site", "socket", "let"),
    [
        ([OURS], [], "none", False, True),
        ([OURS], [], "", False, True),
        ([OURS], [f"http://{OURS}"], "same-origin", True, True),
        # A name that leads here: DNS rebinding.
        (["rebound.example:8000"], ["http://rebound.example:8000"], "same-origin", True, False),
        (["localhost:8000"], [], "none", False, False),
        (["127.0.0.1"], [], "none", False, False),
        (["127.0.0.1:8001"], [], "none", False, False),
        ([], [], "none", False, False),
        ([OURS, "rebound.example"], [], "none", False, False),
        # Pages of others, and of other ports of this machine.
        ([OURS], ["https://elsewhere.example"], "cross-site", True, False),
        ([OURS], ["http://127.0.0.1:9000"], "same-site", True, False),
        ([OURS], ["null"], "", True, False),
        ([OURS], [f"https://{OURS}"], "", True, False),
        ([OURS], [f"http://{OURS}", "http://elsewhere.example"], "", True, False),
        ([OURS], [], "", True, False),
        ([OURS], [], "cross-site", False, False),
        ([OURS], [], "same-site", False, False),
    ],
)
def test_what_a_request_says_of_where_it_goes_and_comes_from(
    hosts: list[str], origins: list[str], site: str, socket: bool, let: bool
) -> None:
    assert (Gate(8000).refusal(hosts, origins, site, socket=socket) == "") is let


@asynccontextmanager
async def server(**more: object) -> AsyncIterator[tuple[Gate, aiohttp.ClientSession]]:
    """A server nobody was let in to yet; what it would start is never reached."""
    listening = serving.loopback(0)
    gate = Gate(listening.getsockname()[1])
    runner = web.AppRunner(await serving.LoopbackServer(["no-such-program"], gate, "<remit>").outer(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        # A client that keeps no cookies: each test says which it sends.
        async with aiohttp.ClientSession(gate.origin, cookie_jar=aiohttp.DummyCookieJar()) as client:
            yield gate, client
    finally:
        await runner.cleanup()


async def status(client: aiohttp.ClientSession, path: str, method: str = "GET", **headers: str) -> int:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.request(method, path, headers=told, allow_redirects=False) as answer:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.status)


async def test_nothing_is_served_without_the_session() -> None:
    async with server() as (gate, client):
        paths = [
            "/",
            gate.place,
            *(f"{gate.place}/{name}" for name in ("", "ws", "focus.js", "static/js/textual.js", "download/x", "no")),
        ]
        for path in paths:
            assert await status(client, path) == 403, path
            assert await status(client, path, Cookie=f"{COOKIE}=guess") == 403, path
        enter = f"{gate.place}/enter?token={token(gate)}"
        # None of these uses the token up.
        assert {await status(client, enter, method) for method in ("HEAD", "POST", "PUT")} <= {404, 405}
        assert await status(client, enter, Host="rebound.example") == 403
        assert await status(client, enter, Sec_Fetch_Site="cross-site") == 403
        assert await status(client, f"{gate.place}/enter?token=guess") == 403
        assert await status(client, f"{gate.place}/enter") == 403
        async with client.get(enter, allow_redirects=False) as answer:
            assert answer.status == 303 and answer.headers["Location"] == f"{gate.place}/"
            cookie = answer.cookies[COOKIE]
        assert (
            cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == f"{gate.place}/" and not cookie["domain"]
        )
        assert await status(client, enter) == 403
        ours = f"{COOKIE}={cookie.value}"
        async with client.get(f"{gate.place}/", headers={"Cookie": ours}) as answer:
            page = await answer.text()
        assert answer.status == 200 and "&lt;remit&gt;" in page
        assert f"ws://{gate.host}{gate.place}/ws" in page and "https://" not in page
        for name in ("focus.js", "static/js/textual.js", "static/css/xterm.css"):
            assert await status(client, f"{gate.place}/{name}", Cookie=ours) == 200
        for name in ("static/../server.py", "static/%2e%2e/server.py", "static/..%2fserver.py"):
            assert await status(client, f"{gate.place}/{name}", Cookie=ours) in (403, 404)


async def test_a_socket_is_opened_by_our_own_page_alone() -> None:
    async with server() as (gate, client):
        session = gate.admit(token(gate))
        ours = f"{COOKIE}={session}"
        for headers in (
            {"Cookie": ours},
            {"Cookie": ours, "Origin": "http://elsewhere.example"},
            {"Cookie": ours, "Origin": "http://127.0.0.1:9"},
            {"Cookie": ours, "Origin": gate.origin, "Host": "rebound.example"},
            {"Cookie": "remit=guess", "Origin": gate.origin},
            {"Origin": gate.origin},
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as told:
                await client.ws_connect(f"{gate.place}/ws", headers=headers)
            assert told.value.status == 403, headers


def test_it_listens_to_the_loopback_interface_alone() -> None:
    with serving.loopback(0) as listening:
        assert listening.family == socket.AF_INET and listening.getsockname()[0] == HOST == "127.0.0.1"
        assert not listening.get_inheritable()


@pytest.mark.parametrize(
    ("given", "cells"),
    [("120", 120), ("", 80), ("-5", 80), ("99999999", 1000), ("0", 1), (40, 40), (1e400, 80), (None, 80), ([], 80)],
)
def test_a_page_asks_for_a_size_within_bounds(given: object, cells: int) -> None:
    assert serving._cells(given) == cells


@pytest.mark.usefixtures("alone")
def test_what_keeps_it_from_serving_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "s.db"
    refused(run("--store", store, "serve"), 2, "no store", "remit import")
    from review.sitting.desk import Desk

    Desk(str(store)).close()
    refused(run("--store", store, "serve", "--port", "70000"), 2, "65535")
    with serving.loopback(0) as taken:
        refused(run("--store", store, "serve", "--port", str(taken.getsockname()[1])), 2, "in use", "--port")
    monkeypatch.setattr("cli.commands.serving.find_spec", lambda name: None)
    refused(run("--store", store, "serve"), 2, "remit[serve]")
