"""Who is let in to the dashboard in a browser: nobody but the one browser that was given the address.

A page of any site may send requests to a server on this machine, and a name that site owns may lead here (DNS
rebinding); another user of the machine may connect too. So every request must name this server as its host, come from
this server's own pages, and carry what the one-time token was exchanged for.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest

HOST = "127.0.0.1"
COOKIE = "remit"
MINUTES = 10
"""How long the address works if nobody uses it."""


class Gate:
    """One token, good once and for a while, exchanged for one session.

    `place` is a path nobody can guess below which everything lies: a browser sends a host's cookies to every port of it,
    but only below the cookie's path.
    """

    def __init__(self, port: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.host = f"{HOST}:{port}"
        self.origin = f"http://{self.host}"
        self.place = f"/{secrets.token_urlsafe(16)}"
        self._clock = clock
        self._until = clock() + 60 * MINUTES
        token = secrets.token_urlsafe(32)
        self.address = f"{self.origin}{self.place}/enter?token={token}"
        self._token: bytes | None = _digest(token)
        self._session: bytes | None = None

    def refusal(self, hosts: Sequence[str], origins: Sequence[str], site: str, *, socket: bool) -> str:
        """Why a request is refused whoever sends it, "" if it is not: its Host, Origin and Sec-Fetch-Site headers are looked at.

        A browser opening a web socket always tells the page it comes from, so there the origin must be given.
        """
        if list(hosts) != [self.host]:
            return f"this server answers to {self.host} alone"
        if any(origin != self.origin for origin in origins) or (socket and not origins):
            return "this request comes from another page"
        if site not in ("", "none", "same-origin"):
            return "this request comes from another site; type or paste the address that `remit serve` printed"
        return ""

    def admit(self, token: str) -> str | None:
        """The session that a token is exchanged for, or None; a token that was right is good no more."""
        kept = self._token
        if kept is None or not compare_digest(kept, _digest(token)) or self._clock() > self._until:
            return None
        session = secrets.token_urlsafe(32)
        self._token, self._session = None, _digest(session)
        return session

    def knows(self, session: str) -> bool:
        """Whether this is the session the token was exchanged for."""
        return self._session is not None and compare_digest(self._session, _digest(session))


def _digest(text: str) -> bytes:
    """Digests are compared, so that neither bytes nor length of what is kept show in how long it takes."""
    return sha256(text.encode("utf-8", "replace")).digest()
