"""The dashboard in a real Chromium: opened by its address, driven by keys, read from what the terminal in the page shows."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from review.sitting.desk import Desk
from tests.running import finish, start
from tests.tui_desk import KEY, ROOT

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed (Debian: apt-get install chromium)"),
]


@contextmanager
def served(store: Path) -> Iterator[str]:
    """`remit serve` as a process of its own; its address."""
    process = start("serve", "--store", store, env={**os.environ, "REMIT_PSEUDONYM_KEY": KEY})
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().strip()
    finally:
        process.send_signal(signal.SIGINT)
        ended = finish(process)
    assert ended.code == 0 and "Traceback" not in ended.err, ended


OUTSIDER = """
async ([origin, place]) => {
  const tried = (url) => new Promise((done) => {
    const socket = new WebSocket(url);
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
  });
  const page = await fetch(origin + place + "/", {credentials: "include"}).then(() => "read", () => "refused");
  return [await tried(origin.replace("http", "ws") + place + "/ws"), page];
}
"""
INK = """
() => Array.from(document.querySelectorAll(".xterm-screen canvas")).reduce((ink, canvas) => {
  const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  for (let at = 3; at < pixels.length; at += 4) ink += pixels[at] > 0;
  return ink;
}, 0)
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small store: one transcript."""
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    desk = Desk(str(tmp_path / "s.db"))
    desk.import_files(str(ROOT / "sample_data" / "claude-code-00c681b3.jsonl"))
    desk.close()
    return tmp_path / "s.db"


async def test_the_dashboard_is_worked_in_a_browser_and_in_that_one_only(store: Path) -> None:
    api = pytest.importorskip("playwright.async_api", reason="playwright drives the browser; it is part of the development tools")
    with served(store) as address:
        place, origin = address.rpartition("/")[0], "/".join(address.split("/")[:3])
        async with api.async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            ours = await browser.new_context(viewport={"width": 1200, "height": 760})
            page = await ours.new_page()
            drawn = Drawn()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("websocket", drawn.follow)
            await page.goto(address)
            await drawn.shows("waiting, riskiest first")
            await page.wait_for_function(f"({INK})() > 2000")
            await page.keyboard.press("?")
            await drawn.shows("Everywhere")
            assert all(url.startswith((place, "data:")) for url in asked), asked
            # The cookie is for the server, not for scripts, and for no other place.
            assert await page.evaluate("document.cookie") == ""
            (cookie,) = await ours.cookies()
            assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and origin + cookie["path"] == place + "/"

            # Another tab of this browser is another sitting; the address itself is used up.
            answer = await (await ours.new_page()).goto(address)
            assert answer is not None and answer.status == 403
            other = await browser.new_context()
            stranger = await other.new_page()
            for url in (address, place + "/"):
                answer = await stranger.goto(url)
                assert answer is not None and answer.status == 403
            # A page of another origin, in the browser that was let in.
            outside = await ours.new_page()
            await outside.route(
                "http://elsewhere.example/", lambda route: route.fulfill(body="<p>elsewhere</p>", content_type="text/html")
            )
            await outside.goto("http://elsewhere.example/")
            assert await outside.evaluate(OUTSIDER, [origin, place.removeprefix(origin)]) == ["refused", "refused"]

            await page.keyboard.press("Control+q")
            await page.wait_for_selector("text=This sitting has ended")
            await browser.close()


class Drawn:
    """What the dashboard drew in the page so far, as text."""

    def __init__(self) -> None:
        self.text = ""
        self.came = asyncio.Event()

    def follow(self, socket: Any) -> None:
        socket.on("framereceived", self._take)

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z$]", "", frame.decode("utf-8", "replace"))
            self.came.set()

    async def shows(self, words: str) -> None:
        try:
            async with asyncio.timeout(40):
                while words not in self.text:
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError:
            raise AssertionError(f"{words!r} is not in what was drawn: {self.text[-2000:]}") from None
