"""Secrets that only their place gives away: headers, cookies, addresses, key files, cluster secrets, secret stores."""

from __future__ import annotations

import json as jsonlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from lang import redact_judge as judge
from lang.late import late
from lang.redact_scan import BLOCK, REACH, VALUE_OF, Finder, Found, Scan, decoded, login
from lang.redact_view import plain

_BEARER = late(rb"""[Bb](?:earer|EARER)(?:\s|%20|\+|\\[tn])+([A-Za-z0-9._~+/=|:%-]{8,8192})""")
_BASIC = late(rb"[Bb](?:asic|ASIC)(?:\s|%20|\\[tn])+([A-Za-z0-9+/_-]{6,2000}={0,2})")
_AUTHORIZATION = late(
    rb"""[Aa]uthorization(?:["'\\\]]{0,8}\s{0,3}(?:[:=]|""" + VALUE_OF + rb""")\s{0,3}[\[(]?\s?)(\\*["'])?"""
    rb"""(?:(?i:token|api-?key|key|geniekey|ssws|splunk|bot|dpop|negotiate)\s+)?([A-Za-z0-9._~+/=|%-]{12,8192})"""
)
_COOKIE = late(rb"""[Cc]ookies?["'\\\]]{0,8}\s{0,3}(?:[:=]|""" + VALUE_OF + rb""")\s{0,3}[\[(]?\s?\\*["']?(?=[\w.%-]{1,80}=)""")
_COOKIES = late(rb"""cookies\\*"\s{0,4}:\s{0,40}(\[|\{)(?=([^\[\]]{1,8000}))""")
_COOKIE_VALUE = late(rb"""(?<![\w-])value\\*"\s{0,4}:\s{0,4}\\*"([^"\\]{8,4096})""")
_PAIR = late(rb"""([\w.%-]{1,80})=([^;,\s"'\\]{1,4096})""")
_ACCOUNT_TOKEN = late(rb"""://([\w.~-]{20,400})@(?=[\w\[])""")
_SESSION = late(rb"(?i)sess|sid|auth|token|jwt|secret|login|remember|csrf|xsrf|key|id$")
_COOKIE_WORD = late(rb"(?i)^(?:path|domain|expires|max-age|samesite|version|locale|lang|theme|tz|_ga.*|_gid|utm.*)$")
_USERINFO = late(rb"""://([^\s/:@"'\\<>?#]{0,128}):([^\s/"'\\<>`{}]{3,256})@(?=[\w\[(%$*-])""")
_SLASHED = late(rb"""://([^\s/:@"'\\<>?#]{1,128}):(?!\d{1,5}/)([A-Za-z0-9+/=_-]{24,256})@(?=[\w\[(%$*-])""")
_JWT = late(
    rb"(?:(?<![A-Za-z0-9+/])|(?<=\\[nrt]))eyJ[\w-]{8,4096}\."
    rb"(?:eyJ[\w-]{4,16384}|[\w-]{20,16384}\.[\w-]{8,4096}\.[\w-]{20,16384})\.?[\w-]{0,4096}(?:\.[\w-]{10,1000})?"
)


def bearer(scan: Scan, start: int, end: int) -> int:
    """`Bearer <token>` in a header, in any notation."""
    match = _BEARER.match(scan.data, start)
    if match is None:
        return 0
    value = match.group(1).rstrip(b".:|%")
    # In a header whatever stands there is meant; in prose "bearer" is followed by words.
    header = b"uthorization" in scan.data[max(0, start - 40) : start] and len(value) >= 16
    if judge.placeholder(value) or not (_digit(value) or header or (len(value) >= 20 and judge.entropy(value) >= 3.8)):
        return match.end()
    return scan.add(Found(match.start(1), match.start(1) + len(value), "bearer", "bearer token", value))


def basic(scan: Scan, start: int, end: int) -> int:
    """`Basic <base64 of user:password>`; its value is the password, so that it joins the password written elsewhere."""
    match = _BASIC.match(scan.data, start)
    clear = decoded(match.group(1)) if match else None
    if match is None or clear is None or b":" not in clear or any(c < 0x20 for c in clear):
        return 0
    # Words of prose may decode to any bytes; only a header is sure to encode what is not ASCII.
    if not clear.isascii() and b"uthorization" not in scan.data[max(0, start - 40) : start]:
        return 0
    user, _, password = clear.partition(b":")
    value = password or user
    if len(value) < 3 or judge.placeholder(value):
        return 0
    return scan.add(login(match.start(1), match.end(1), "basic-auth", "basic authentication", value))


def authorization(scan: Scan, start: int, end: int) -> int:
    """The value of an Authorization header under any scheme but Bearer and Basic."""
    match = _AUTHORIZATION.match(scan.data, start)
    if match is None or scan.data[match.end() : match.end() + 1] == b"(":
        return 0
    value = match.group(2)
    if not judge.placeholder(value) and _digit(value) and judge.entropy(value) >= 3.0:
        return scan.add(Found(match.start(2), match.end(2), "authorization", "authorization header", value))
    return match.end()


def cookie(scan: Scan, start: int, end: int) -> int:
    """The values of a Cookie or Set-Cookie header that carry a session."""
    data = scan.data
    match = _COOKIE.match(data, start)
    if match is None:
        return 0
    limit, position = min(len(data), start + REACH), match.end()
    while pair := _PAIR.match(data, position, limit):
        name, value = pair.groups()
        if not _COOKIE_WORD.match(name) and not judge.placeholder(value):
            strong = len(value) >= 20 and judge.entropy(value) >= 3.5
            if strong or (_SESSION.search(name) and len(value) >= 8 and _digit(value)):
                scan.add(Found(pair.start(2), pair.end(2), "cookie", "session cookie", value))
        position = pair.end()
        while data[position : position + 1] in (b";", b" ", b","):
            position += 1
    return position


def cookies(scan: Scan, start: int, end: int) -> int:
    """The values of cookies that were taken apart: an object of them, or a list of objects with `name` and `value`."""
    match = _COOKIES.match(scan.data, start, start + REACH)
    if match is None:
        return 0
    named = _COOKIE_VALUE if match.group(1) == b"[" else _MEMBER
    until = match.end(2) if match.group(1) == b"[" else match.end() + (match.group(2).find(b"}") + 1 or len(match.group(2)))
    for item in named.finditer(scan.data, match.end(), until):
        value = item.group(1)
        if len(value) >= 8 and not judge.placeholder(value):
            scan.add(Found(item.start(1), item.end(1), "cookie", "session cookie", value))
    return match.end()


def userinfo(scan: Scan, start: int, end: int) -> int:
    """The password in an address, `scheme://user:password@host`."""
    match = _USERINFO.match(scan.data, start) or _slashed(scan, start)
    if match is None:
        return _token_as_user(scan, start)
    if judge.placeholder(match.group(2)):
        return 0
    return scan.add(login(match.start(2), match.end(2), "url-password", "password in an address", match.group(2)))


def _slashed(scan: Scan, start: int) -> re.Match[bytes] | None:
    """A password of base64 that was put into an address as it is, slashes and all; a port and a path before an `@` are none."""
    match = _SLASHED.match(scan.data, start)
    return match if match and _digit(match.group(2)) and judge.entropy(match.group(2)) >= 4.0 else None


def _token_as_user(scan: Scan, start: int) -> int:
    """`https://<token>@host`: a token in the place of the user, told from a user's name by its look."""
    match = _ACCOUNT_TOKEN.match(scan.data, start)
    if match is None:
        return 0
    value = match.group(1)
    cased = value.lower() != value and value.upper() != value
    if judge.placeholder(value) or not (cased and _digit(value)) or judge.entropy(value) < 3.5:
        return 0
    return scan.add(login(match.start(1), match.end(1), "url-token", "token in an address", value))


def jwt(scan: Scan, start: int, end: int) -> int:
    """A JSON Web Token, signed or encrypted."""
    match = _JWT.match(scan.data, start)
    return scan.add(Found(start, match.end(), "jwt", "JSON Web Token", match.group())) if match else 0


def jti(token: bytes) -> str:
    """The id that a JSON Web Token states of itself, "" if it has none."""
    payload = decoded(token.split(b".")[1])
    try:
        claims = jsonlib.loads(payload or b"")
    except (ValueError, RecursionError):
        return ""
    told = claims.get("jti") if isinstance(claims, dict) else None
    return told if isinstance(told, str) and 8 <= len(told) <= 256 else ""


_BEGIN = late(rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----")
_END = late(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_STRING_END = late(rb'(?:[^"\\]|\\.)*+', re.S)
_KEY_TEXT = late(rb"""(?:[A-Za-z0-9+/=]|\\+[nrt"'/]|[\s:,.\-"'+|]|\\+u2192|\xe2\x86\x92)*+""")
_PEM_NOISE = late(rb"\d{1,9}(?:\\{1,9}u2192|\xe2\x86\x92)|\\++[nrt]?|[A-Za-z-]{1,64}: [^\n\\]*|[^A-Za-z0-9+/=]")
_BASE64_PEM = late(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,32768}={0,2}")
_ENCODED_PEM = late(
    rb"-----BEGIN(?:%20|\+)((?:[A-Z0-9]{1,12}(?:%20|\+)){0,3})PRIVATE(?:%20|\+)KEY(?:(?:%20|\+)BLOCK)?-----"
    rb"((?:[A-Za-z0-9+/=%._~:,]++|-(?!----))*+)(?:-----END(?:[A-Z0-9+]|%20){1,60}-----)?"
)
_PEM_KINDS = {b"OPENSSH ": "ssh-private-key", b"PGP ": "pgp-private-key"}


def pem(scan: Scan, start: int, end: int) -> int:
    """A private key in PEM, whole or cut off; its value is the key's base64 alone, however its lines were broken."""
    data = scan.data
    begin = _BEGIN.match(data, start)
    if begin is None:
        return 0
    # A key ends before the next one begins, so that no stretch is looked at twice.
    following = data.find(b"-----BEGIN ", begin.end(), start + BLOCK)
    limit = following if following >= 0 else min(len(data), start + BLOCK)
    if scan.json and (inside := _STRING_END.match(data, start, limit)):
        limit = inside.end()
    last = _END.search(data, begin.end(), limit)
    if last:
        body_end, stop = last.start(), last.end()
    else:
        text = _KEY_TEXT.match(data, begin.end(), limit)
        stop = text.end() if text else begin.end()
        while stop > begin.end() and data[stop - 1] in b"\\\"' \t\r\n,.:-|":
            stop -= 1
        body_end = stop
    value = _PEM_NOISE.sub(b"", data[begin.end() : body_end])
    if len(value) < 32 or judge.entropy(value) < 2.0 or b"REDACTED" in value:
        return 0
    return scan.add(Found(start, stop, _PEM_KINDS.get(begin.group(1), "private-key"), "private key", value))


def encoded_pem(scan: Scan, start: int, end: int) -> int:
    """A private key in PEM within an address or a form, its blanks and line ends percent-encoded."""
    match = _ENCODED_PEM.match(scan.data, start)
    if match is None:
        return 0
    value = _PEM_NOISE.sub(b"", unquote_to_bytes(match.group(2)))
    if len(value) < 32 or judge.entropy(value) < 2.0:
        return match.end()
    name = unquote_to_bytes(match.group(1).replace(b"+", b" "))
    return scan.add(Found(start, match.end(), _PEM_KINDS.get(name, "private-key"), "private key", value))


def base64_pem(scan: Scan, start: int, end: int) -> int:
    """A private key in PEM that was encoded in base64 once more, as kubeconfig files hold it."""
    head = decoded(scan.data[start : start + 80])
    if head is None or b"PRIVATE KEY" not in head:
        return 0
    match = _BASE64_PEM.match(scan.data, start)
    clear = decoded(match.group()) if match else None
    if match is None or clear is None:
        return 0
    body = _PEM_NOISE.sub(b"", clear.split(b"-----")[2]) if clear.count(b"-----") >= 2 else clear
    return scan.add(Found(start, match.end(), "private-key", "private key", body))


_PUTTY = late(rb"Private-Lines: \d{1,3}((?:(?:\\+[nr]|[\r\n])+[A-Za-z0-9+/]{8,64}={0,2})+)")
_JWK_MEMBER = late(rb"""(?<![\w-])(?:d|p|q|dp|dq|qi|k)\\*"\s?:\s?\\*"([\w-]{20,2048})""")
_JWK_REACH = 8192


def putty(scan: Scan, start: int, end: int) -> int:
    """The private part of a PuTTY key file."""
    match = _PUTTY.match(scan.data, start)
    if match is None:
        return 0
    return scan.add(Found(match.start(1), match.end(1), "ssh-private-key", "private key", _PEM_NOISE.sub(b"", match.group(1))))


def jwk(scan: Scan, start: int, end: int) -> int:
    """The private members of a JSON Web Key; the public ones stay."""
    data = scan.data
    begin = data.rfind(b"{", max(0, start - _JWK_REACH), start)
    stop = data.find(b"}", end, end + _JWK_REACH)
    if begin < 0 or stop < 0:
        return 0
    for member in _JWK_MEMBER.finditer(data, begin, stop):
        scan.add(Found(member.start(1), member.end(1), "jwk", "JSON Web Key", member.group(1)))
    return stop


_VAULT_VALUES = late(
    rb"""(?:"mount_type"\s?:\s?"(?:kv|generic|cubbyhole|transit)"|"path"\s?:\s?"(?:secrets?|kv|kv-v[12]|cubbyhole)/)"""
)
_VAULT_RECORD = (b'"remote_address"', b'"operation"', b'"request"')


def stored_secret(scan: Scan, start: int, end: int) -> int:
    """What a secret store's audit device wrote of a stored secret in clear (`log_raw`), under whatever name it stands.

    One look serves the whole record. What the device hashed stays.
    """
    data = scan.data
    if not scan.json or not _VAULT_VALUES.match(data, start):
        return 0
    if any(word not in data for word in _VAULT_RECORD):
        return len(data)
    return stored_values(scan, start, end)


def stored_values(scan: Scan, start: int, end: int) -> int:
    """The values of what a secret store answered or was told, wherever in a record of its own they stand."""
    data = scan.data
    for block in _DATA_JSON.finditer(data):
        for item in _MEMBER.finditer(data, block.start(1), block.end(1)):
            value = plain(item.group(1))
            if not judge.placeholder(value):
                scan.add(Found(item.start(1), item.end(1), "vault-secret", "value of a stored secret", value))
    return len(data)


_KIND_SECRET = late(rb"""(?:kind|@type)(?:\\*["'])?\s?:\s?(?:\\*["'])?(?:[\w.]{1,20}/v1\.)?Secret(?:List)?(?![A-Za-z])""")
_ABOUT_SECRETS = late(rb"""resource\\*(?:"|u0022)\s?:\s?\\*(?:"|u0022)secrets\\*(?:"|u0022)""")
_REQUEST = b"objectRef"
_VALUE = rb"""\\*"value\\*"\s?:\s?\\*"((?:[^"\\]|\\[^"\\]){4,40000}+)"""
_PATH = rb"""\\*"path\\*"\s?:\s?\\*"/(?:data|stringData)/[^"\\]{1,253}+\\*"\s?"""
_STEP = rb"""(?:,\s?\\*"op\\*"\s?:\s?\\*"\w{1,10}\\*"\s?)?,\s?"""
_PATCHES = late(_PATH + _STEP + _VALUE), late(_VALUE + rb"""\\*"\s?""" + _STEP + _PATH)
_DATA_JSON = late(rb"""(?<![A-Za-z])(?:data|stringData)\\*"\s{0,4}:\s{0,4}\{([^{}]{1,60000})\}""")
_MEMBER = late(rb"""\\*"[\w.-]{1,253}\\*"\s{0,4}:\s{0,4}\\*"((?:[^"\\]|\\[^"\\]){4,40000}+)""")
_DATA_YAML = late(
    rb"""(?:^|\\n|\n)(?:data|stringData):[ \t]*(?=\\n|\n)((?:(?:\\n|\n)[ \t]+[\w.-]{1,253}:[ \t]*[^\s\\]{1,40000})+)"""
)
_ITEM_YAML = late(rb"""[\w.-]{1,253}:[ \t]*["']?([^\s\\"']{4,40000})""")


def cluster_secret(scan: Scan, start: int, end: int) -> int:
    """The values of a Kubernetes Secret, base64 under `data`, clear under `stringData`, in JSON or YAML.

    One look serves the whole record: every such block with a Secret's kind near by.
    """
    data = scan.data
    if not _KIND_SECRET.search(data, max(0, start - 40), min(len(data), end + 8)):
        return 0
    kinds = [match.start() for match in _KIND_SECRET.finditer(data)]
    for blocks, items in ((_DATA_JSON, _MEMBER), (_DATA_YAML, _ITEM_YAML)):
        for block in blocks.finditer(data):
            nearest = bisect_left(kinds, block.start() - BLOCK)
            if nearest < len(kinds) and kinds[nearest] < block.end() + BLOCK:
                for item in items.finditer(data, block.start(1), block.end(1)):
                    _cluster_value(scan, item.start(1), item.group(1))
    return len(data)


def audited_secret(scan: Scan, start: int, end: int) -> int:
    """What an audited request on secrets says without naming their kind: a patch, merged or a list of operations."""
    if not _ABOUT_SECRETS.search(scan.data, max(0, start - 24), min(len(scan.data), end + 8)):
        return 0
    return audited_values(scan, start, end)


def audited_values(scan: Scan, start: int, end: int) -> int:
    """The values of secrets behind what said that the request is about them, up to the next request."""
    data = scan.data
    following = data.find(_REQUEST, end)
    until = following if following >= 0 else len(data)
    for block in _DATA_JSON.finditer(data, end, until):
        for item in _MEMBER.finditer(data, block.start(1), block.end(1)):
            _cluster_value(scan, item.start(1), item.group(1))
    for patch in _PATCHES:
        for item in patch.finditer(data, end, until):
            _cluster_value(scan, item.start(1), item.group(1))
    return until


class Told:
    """What a record too large to be searched at once says of all of itself, for the pieces in which it is not written."""

    def __init__(self, data: bytes, json: bool) -> None:
        self._stored = json and all(word in data for word in _VAULT_RECORD) and _VAULT_VALUES.search(data) is not None
        self._audited: list[tuple[int, int]] = []
        for match in _ABOUT_SECRETS.finditer(data):
            if not self._audited or match.start() >= self._audited[-1][1]:
                following = data.find(_REQUEST, match.end())
                self._audited.append((match.start(), following if following >= 0 else len(data)))

    def at(self, begin: int) -> Iterator[Finder]:
        """What to look for from the beginning of the piece that begins here, whatever stands in it."""
        if self._stored:
            yield stored_values
        place = bisect_right(self._audited, (begin,)) - 1
        if place >= 0 and self._audited[place][0] < begin < self._audited[place][1]:
            yield audited_values


def _cluster_value(scan: Scan, start: int, value: bytes) -> None:
    if judge.placeholder(value):
        return
    clear = decoded(value)
    secret = clear.rstrip(b"\n") if clear else plain(value)
    if secret:
        scan.add(Found(start, start + len(value), "kubernetes-secret", "Kubernetes secret value", secret))


def _digit(value: bytes) -> bool:
    return any(48 <= c < 58 for c in value[:256])
