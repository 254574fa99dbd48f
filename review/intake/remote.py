"""One object store behind fsspec: its objects listed and read, with retries; what it is reached with is never shown.

Which stores there are is a closed list: fsspec itself would also follow chains (`zip://x::https://y`), caches and code
hosts, and a listing is foreign text. Credentials come from the environment and the drivers' own files.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from importers.cutting.origin import CHUNK
from lang.safe import safe_line
from review.errors import RemitError

DRIVERS: dict[str, str] = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "https": "aiohttp",
    "http": "aiohttp",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "memory": "",
}
"""The stores that are read, and the package each needs besides fsspec."""
_PLAIN = ("sftp", "ssh")
"""Whose driver keeps no listings, and hands what it is given on to its connection, which knows nothing of them."""

PAGE_BYTES = 16 << 20
"""How much of a web server's page is read as a listing, unpacked."""
PAGES = 20_000
"""How many such pages below one address: a server can invent folders without end."""
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try."""
_FOREIGN = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
    ("azure.core.exceptions", "AzureError"),
    ("paramiko", "SSHException"),
)
"""What drivers raise beside OSError; a driver that was not loaded raises nothing."""
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, NotImplementedError, ImportError)
_BUSY = (408, 425, 429)
_STATES = ("ETag", "etag", "e_tag", "md5Hash", "content_md5", "Content-MD5", "generation", "VersionId", "LastModified",
           "last_modified", "Last-Modified", "updated", "mtime", "created", "modified")  # fmt: skip
_USER = re.compile(r"(://)[^/\s@]*@")
_QUERY = re.compile(r"(?<=[\w/.%-])\?[^\s'\"]*")

Given = TypeVar("Given")


class Object(NamedTuple):
    """One object: its path in the store, bytes (None: not told), and a digest of what changes with its content ("": not told)."""

    path: str
    size: int | None
    state: str
    folder: bool = False


class Changed(OSError):
    """The object became another while it was read."""


class TooMuch(OSError):
    """A web server's listing is longer than is read."""


class Endless(OSError):
    """A web server has more listings than are read."""


def shown(address: str) -> str:
    """An address without what it is reached with: no user, password or query."""
    return safe_line(_QUERY.sub("", _USER.sub(r"\1", address)), 300)


class Remote:
    """The store an address lies in; raises RemitError where there is no such store or its driver is not installed."""

    def __init__(self, address: str, pause: Callable[[float], None] = time.sleep) -> None:
        scheme = address.partition("://")[0].lower()
        if scheme not in DRIVERS or "::" in address:
            raise RemitError(f"{shown(address)}: no store of this kind is read; known: {', '.join(DRIVERS)}, file")
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise RemitError(f"{shown(address)}: needs the extra `cloud`: install remit[cloud]") from error
        self.scheme = scheme
        self.web = scheme in ("http", "https")
        self._address = address
        self._pause = pause
        self._pages = 0
        options: dict[str, Any] = {"skip_instance_cache": True}
        if scheme not in _PLAIN:
            options["use_listings_cache"] = False
        if self.web:
            options["get_client"] = _client
        try:
            self._fs, self.root = url_to_fs(address, **options)
        except ImportError as error:
            raise RemitError(f"{shown(address)}: needs the package {DRIVERS[scheme]!r} as well ({_line(error)})") from error
        except self.errors + (ValueError, TypeError) as error:  # noqa: RUF005  mypy knows no star here
            raise RemitError(f"{shown(address)}: cannot be reached: {self.told(error)}") from error
        self.parallel = 8 if getattr(self._fs, "async_impl", False) or scheme == "memory" else 1

    @property
    def errors(self) -> tuple[type[BaseException], ...]:
        """What reading may raise."""
        found: list[type[BaseException]] = [OSError, EOFError, NotImplementedError]
        for module, name in _FOREIGN:
            kind = getattr(sys.modules.get(module), name, None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                found.append(kind)
        return tuple(found)

    def told(self, error: BaseException) -> str:
        """An error's own words, without what the store is reached with."""
        if isinstance(error, FileNotFoundError) or getattr(error, "status", None) == 404:
            return "no such object"
        return shown(f"{type(error).__name__}: {_line(error)}" if not isinstance(error, Changed) else _line(error))

    def address(self, path: str) -> str:
        """Where an object lies, as it may be shown."""
        return shown(path if "://" in path else f"{self.scheme}://{path.lstrip('/')}")

    def look(self, path: str) -> Object:
        """One object or folder; raises OSError with a reason."""
        return self._object(self._tried(lambda: self._fs.info(path)), path)

    def entries(self, path: str) -> list[Object]:
        """What lies directly in a folder, by name; raises OSError with a reason, Endless where no more are read."""
        self._pages += self.web
        if self._pages > PAGES:
            raise Endless(f"more than {PAGES} pages of listings; the rest is not read")
        begin = path.rstrip("/") + "/"
        found = [self._object(one) for one in self._tried(lambda: self._fs.ls(path, detail=True))]
        inside = {one.path: one for one in found if self._is_below(one.path.rstrip("/"), begin)}
        return [inside[name] for name in sorted(inside)]

    def _is_below(self, path: str, begin: str) -> bool:
        """Whether a listed path lies in the folder it was listed for: a page may link anywhere, also by steps upward."""
        if self.web:
            import yarl

            path, begin = str(yarl.URL(path)), str(yarl.URL(begin))
        return path.startswith(begin) and len(path) > len(begin)

    def chunks(self, one: Object) -> Iterator[bytes]:
        """An object's bytes, read on where a connection was lost; raises OSError with a reason, Changed where it is another by then."""
        done, failures = 0, 0
        while True:
            try:
                for data in self._from(one.path, done):
                    done += len(data)
                    failures = 0
                    yield data
                if one.size is not None and done < one.size:
                    raise EOFError(f"it ended after {done} of {one.size} bytes")
                return
            except self.errors as error:
                if failures >= len(PAUSES) or _is_final(error):
                    raise OSError(self.told(error)) from error
                self._pause(PAUSES[failures])
                failures += 1
            if one.state and done and self.look(one.path).state != one.state:
                raise Changed("it was changed while it was read; import again")

    def _from(self, path: str, offset: int) -> Iterator[bytes]:
        # A web server may give everything for a part that was asked: it is read as it comes, from the beginning.
        how = {"block_size": 0, "size": 1} if self.web else {"block_size": 4 * CHUNK, "cache_type": "readahead"}
        with self._fs.open(path, "rb", **how) as file:
            if offset and not self.web:
                file.seek(offset)
            skip = offset if self.web else 0
            while data := file.read(CHUNK):
                if skip >= len(data):
                    skip -= len(data)
                    continue
                yield bytes(data[skip:]) if skip else bytes(data)
                skip = 0

    def _object(self, info: dict[str, Any], path: str = "") -> Object:
        size = info.get("size")
        marks = [(name, str(info[name])) for name in _STATES if info.get(name) not in (None, "")]
        state = sha256(repr((size, marks)).encode("utf-8", "replace")).hexdigest() if marks else ""
        folder = info.get("type") == "directory" or (size == 0 and str(info["name"]).endswith("/"))
        return Object(path or str(info["name"]), size if isinstance(size, int) else None, state, folder)

    def _tried(self, ask: Callable[[], Given]) -> Given:
        failures = 0
        while True:
            try:
                return ask()
            except self.errors as error:
                what = self._meant(error)
                if failures >= len(PAUSES) or _is_final(what):
                    raise OSError(self.told(what)) from error
                self._pause(PAUSES[failures])
                failures += 1

    def _meant(self, error: BaseException) -> BaseException:
        """What really went wrong: the web driver calls a page missing whatever the server answered."""
        cause = error.__cause__
        return cause if isinstance(error, FileNotFoundError) and isinstance(cause, self.errors) else error


def _is_final(error: BaseException) -> bool:
    """Whether trying again would give the same."""
    status = getattr(error, "status", None) or getattr(error, "code", None)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in _BUSY
    return refused or isinstance(error, (*_FINAL, Changed, Astray, TooMuch))


class Astray(OSError):
    """A web server sends somewhere nobody asked for."""


async def _client(**options: Any) -> Any:
    """A web client that follows a redirect to the web alone, from https to https alone, and reads no endless listing."""
    import aiohttp
    import yarl

    class Page(aiohttp.ClientResponse):
        async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
            # Of all that is read, listings alone are asked for as a text.
            parts, size = [], 0
            async for part in self.content.iter_chunked(CHUNK):
                parts.append(part)
                size += len(part)
                if size > PAGE_BYTES:
                    self.close()
                    raise TooMuch(f"a listing of more than {PAGE_BYTES >> 20} MB is not read")
            self._body = b"".join(parts)
            return await super().text(encoding, errors)

    async def redirected(_session: Any, _context: Any, params: Any) -> None:
        target = params.response.headers.get("Location") or params.response.headers.get("URI") or ""
        scheme = params.url.join(yarl.URL(target, encoded=True)).scheme
        if scheme != "https" and not (scheme == "http" and params.url.scheme == "http"):
            raise Astray(f"the server redirects to {scheme or 'nowhere'}, which is not followed")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(redirected)
    return aiohttp.ClientSession(trace_configs=[tracing], response_class=Page, **options)


def _line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
