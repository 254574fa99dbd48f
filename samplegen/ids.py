"""Identifiers shaped like the real ones, all drawn from one seeded generator."""

from __future__ import annotations

import hmac
from base64 import b64encode
from hashlib import sha256
from random import Random

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SECRET = _BASE62 + "+/"


def _table(alphabet: str) -> bytes:
    """Random bytes become letters by this table: quick, and even enough for ids that nobody guesses."""
    return bytes(ord(alphabet[n % len(alphabet)]) for n in range(256))


_TO_BASE62, _TO_BASE32, _TO_SECRET = _table(_BASE62), _table(_BASE32), _table(_SECRET)


class Ids:
    """A source of identifiers: the same seed gives the same ids in the same order."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self._salt = seed.encode()

    def _letters(self, table: bytes, length: int) -> str:
        return self.random.randbytes(length).translate(table).decode()

    def hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def base62(self, length: int) -> str:
        return self._letters(_TO_BASE62, length)

    def number(self, digits: int) -> int:
        return self.random.randrange(10 ** (digits - 1), 10**digits)

    def uuid(self) -> str:
        h = self.hex(32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"

    def uuid7(self, at: int) -> str:
        """A time-ordered UUID of the moment `at` (microseconds)."""
        head, h = f"{at // 1000:012x}", self.hex(20)
        return f"{head[:8]}-{head[8:]}-7{h[1:4]}-{'89ab'[int(h[4], 16) & 3]}{h[5:8]}-{h[8:]}"

    def tool_use(self) -> str:
        return "toolu_01" + self.base62(22)

    def message(self) -> str:
        return "msg_01" + self.base62(22)

    def api_request(self) -> str:
        return "req_011C" + self.base62(20)

    def codex_call(self) -> str:
        return "call_" + self.base62(24)

    def agent(self) -> str:
        return "a" + self.hex(6)

    def aws_key(self, temporary: bool = True) -> str:
        return ("ASIA" if temporary else "AKIA") + self._letters(_TO_BASE32, 16)

    def aws_principal(self, prefix: str) -> str:
        return prefix + self._letters(_TO_BASE32, 17)

    def aws_secret(self) -> str:
        return self._letters(_TO_SECRET, 40)

    def app_token(self) -> str:
        """A GitHub App installation token in shape only: no valid checksum, never issued by anyone."""
        return "ghs_" + self.base62(36)

    def vault_token(self) -> str:
        return "hvs.CAESI" + self.base62(86)

    def document(self) -> str:
        return self.base62(22)

    def hashed(self, value: str) -> str:
        """A value as an audit device writes it: keyed with the device's own salt."""
        return "hmac-sha256:" + hmac.new(self._salt, value.encode(), sha256).hexdigest()


def hashed_token(token: str) -> str:
    """A token as GitHub's audit log names it: base64 of its SHA-256."""
    return b64encode(sha256(token.encode()).digest()).decode()
