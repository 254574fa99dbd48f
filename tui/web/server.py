"""The server: textual-serve's page and its process per tab, behind the gate and on the loopback interface alone.

What textual-serve leaves open is closed here: it takes any Host and Origin, starts its command through a shell, and its
page asks another host for a font.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

import aiohttp_jinja2
from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from tui.web.gate import COOKIE, HOST, Gate

TABS = 8
"""Dashboards open at once; each is a process of its own."""

LARGEST = 1000
"""Columns and rows a page may ask for."""

MESSAGE = 1 << 20
"""Bytes of one message from the page: a paste, at most."""

_HERE = Path(__file__).parent
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GRACE = 5
"""Seconds a dashboard is given to end by itself."""


class Dashboard(AppService):
    """One dashboard and its process; of what the app may ask of a browser only ending is passed on."""

    def __init__(self, program: Sequence[str], **more: Any) -> None:
        super().__init__("", **more)
        self._program = program

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        # Where modules are looked for, less the folder one stands in, which `-P` leaves out.
        modules = os.pathsep.join(path for path in sys.path if path)
        return super()._build_environment(width, height) | {
            "TEXTUAL_DRIVER": "tui.web.driver:PipedDriver",
            "PYTHONPATH": modules,
        }

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width, height),
            # Ctrl-C at the server's terminal is the server's: it tells the dashboards to end in order.
            start_new_session=True,
        )
        self._process, self._stdin = process, process.stdin
        return process

    async def stop(self) -> None:
        """End the process, by force where it does not end by itself."""
        process = self._process
        try:
            await asyncio.wait_for(super().stop(), GRACE)
        except TimeoutError:
            self._task = None
        if process is not None:
            if process.returncode is None and self._task is None:
                with contextlib.suppress(ProcessLookupError, TimeoutError):
                    await asyncio.wait_for(process.wait(), GRACE)
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def set_terminal_size(self, width: int, height: int) -> None:
        await super().set_terminal_size(_cells(width), _cells(height))

    async def on_meta(self, data: bytes) -> None:
        if json.loads(data).get("type") == "exit":
            await super().on_meta(data)


class LoopbackServer(Server):
    """Serves the dashboard that `program` starts to the one browser the gate lets in."""

    def __init__(self, program: Sequence[str], gate: Gate, title: str) -> None:
        super().__init__("", host=HOST, title=title, public_url=gate.origin, templates_path=_HERE)
        self.program = program
        self.gate = gate
        self._entrance = f"{gate.place}/enter"
        self.sockets: WeakSet[web.WebSocketResponse] = WeakSet()

    async def outer(self) -> web.Application:
        """Everything below the gate's place, the way in beside it."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get(self._entrance, self._enter, allow_head=False)
        app.router.add_get(f"{self.gate.place}/focus.js", self._focus)
        app.add_subapp(self.gate.place, await self._make_app())
        app.on_response_prepare.append(self._close_off)
        app.on_shutdown.append(self._end_all)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed: where the server stands is for the command to say."""

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        refusal = self.gate.refusal(
            headers.getall("Host", []),
            headers.getall("Origin", []),
            headers.get("Sec-Fetch-Site", ""),
            socket="Upgrade" in headers,
        )
        if not refusal and request.path != self._entrance and not self.gate.knows(request.cookies.get(COOKIE, "")):
            refusal = "this browser has not been let in; open the address that `remit serve` printed"
        if refusal:
            return web.Response(status=403, text=f"Refused: {refusal}.\n")
        return await handler(request)

    async def _enter(self, request: web.Request) -> web.Response:
        session = self.gate.admit(request.query.get("token", ""))
        if session is None:
            return web.Response(
                status=403, text="Refused: this address has been used or is too old; start `remit serve` again for another.\n"
            )
        response = web.Response(status=303, headers={"Location": f"{self.gate.place}/"})
        response.set_cookie(COOKIE, session, path=f"{self.gate.place}/", httponly=True, samesite="Strict")
        return response

    async def _focus(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(_HERE / "focus.js")

    async def _close_off(self, request: web.Request, response: web.StreamResponse) -> None:
        """Nothing from elsewhere is loaded, nothing is kept, no other page may hold this one."""
        ours = self.gate.host
        response.headers.update(
            {
                "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                f"font-src 'self'; img-src 'self' data:; connect-src ws://{ours}; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Cache-Control": "no-store",
            }
        )

    async def handle_index(self, request: web.Request) -> web.Response:
        place = self.gate.place
        page = {
            "title": self.title,
            "static": f"{place}/static/",
            "socket": f"ws://{self.gate.host}{place}/ws",
            "focus": f"{place}/focus.js",
            "again": f"{place}/",
            "font_size": 16,
        }
        return aiohttp_jinja2.render_template("page.html", request, page)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A dashboard for one tab, ended with it."""
        if len(self.sockets) >= TABS:
            raise web.HTTPServiceUnavailable(text=f"{TABS} dashboards are open already; close one of them.\n")
        page = web.WebSocketResponse(heartbeat=15, max_msg_size=MESSAGE)
        await page.prepare(request)
        self.sockets.add(page)
        dashboard = Dashboard(
            self.program,
            write_bytes=page.send_bytes,
            write_str=page.send_str,
            close=page.close,
            download_manager=self.download_manager,
        )
        try:
            await dashboard.start(_cells(request.query.get("width", "")), _cells(request.query.get("height", "")))
            await self._process_messages(page, dashboard)
        except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
            # Not what our page sends.
            await page.close(code=WSCloseCode.UNSUPPORTED_DATA)
        finally:
            self.sockets.discard(page)
            await dashboard.stop()
        return page

    async def _end_all(self, app: web.Application) -> None:
        for page in list(self.sockets):
            await page.close(code=WSCloseCode.GOING_AWAY)


def _cells(given: object) -> int:
    """A number of columns or rows as a page gave it, within bounds."""
    number = int(given[:6]) if isinstance(given, str) and given.isdecimal() else given
    return min(max(number, 1), LARGEST) if isinstance(number, int) else 80


def loopback(port: int) -> socket.socket:
    """A listening socket on the loopback interface, at any free port where `port` is 0; raises OSError."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen()
    except OSError:
        made.close()
        raise
    return made


async def run(program: Sequence[str], listening: socket.socket, title: str, tell: Callable[[str], None]) -> None:
    """Serve until interrupted; `tell` is given the address, once connections are taken."""
    gate = Gate(listening.getsockname()[1])
    runner = web.AppRunner(await LoopbackServer(program, gate, title).outer(), access_log=None, shutdown_timeout=3)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        asked = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(name, asked.set)
        tell(gate.address)
        await asked.wait()
    finally:
        await runner.cleanup()
