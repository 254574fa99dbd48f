"""Secrets that only their place gives away: assignments, flags, headers, cookies, addresses, keys in PEM, cluster secrets.

Each finder is called at a keyword and yields spans of the record. Everything is bounded: a finder looks at most
`REACH` bytes ahead, a PEM block or a cluster secret at most `BLOCK`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lang import redact_judge as judge
from lang.redact_view import plain

REACH = 8192
BLOCK = 65536


class Found(NamedTuple):
    """A secret's span, what it is, and its own characters; `quote` where a bare JSON number must become a string."""

    start: int
    end: int
    kind: str
    label: str
    value: bytes
    usable: bool = True
    quote: bool = False


Finder = Callable[[bytes, int, int], Iterator[Found]]

_LABELS = {
    "password": "password",
    "secret": "secret",
    "token": "token",
    "api-key": "API key",
    "private-key": "private key",
}
_NAME_BEFORE = re.compile(rb"[\w.-]*\Z")
_ASSIGNED = re.compile(
    rb"""([A-Za-z0-9_-]{0,40}+)((?:\\+["'`]|["'`\])]){0,4})\s{0,4}(=>|:=|={1,3}|!=|:(?!:)|,\s?\\*["'](?i:value|val|secret)\\*["']\s?:)(\s{0,4}[\[(]?\s?)(\\*["'`])?"""
)
_FLAG = re.compile(rb"""([A-Za-z0-9_-]{0,24}+)(?:\\*["'],\s?(\\*["'])|\\*["']?[ \t]+(\\*["'])?)""")
_SET = re.compile(rb"(?:\bset|configure)[ \t]+[\w./:@-]{0,80}\Z")
_BARE = re.compile(rb"[^\s\"'`,;&|<>(){}\[\]\\]{4,8192}")
_BARE_LINE = re.compile(rb"[^\s\"'`\\]{4,8192}")
_NUMBER = re.compile(rb"\d{4,40}(?=\s?[,}\]])")
_XML = re.compile(rb">([^<>\\\"\s]{4,256})</")


def assignment(data: bytes, start: int, end: int) -> Iterator[Found]:
    """`name = value` in any language, JSON at any depth, a YAML line, an environment line, a flag with its value."""
    match = _ASSIGNED.match(data, end)
    if match is None:
        yield from _flag(data, start, end)
        return
    name = _name(data, start) + data[start:end] + match.group(1)
    kind = judge.name_kind(name)
    if not kind:
        return
    opener, position = match.group(5), match.end()
    # Inside a JSON string an unescaped quote cannot follow the name, so this is a member of the record's own object.
    structural = match.group(2) == b'"' and match.group(3)[:1] in (b":", b",")
    if opener:
        stop = closing(data, position, opener)
        if stop <= position:
            return
        value = data[position:stop]
        direct = structural or opener == b'"' or name.isupper() or match.group(3) == b"="
        direct = direct and not (match.group(3) == b"=" and match.group(4))
        if judge.is_secret(kind, plain(value), structural=structural and opener == b'"', direct=direct):
            yield _made(position, stop, kind, plain(value), structural)
        return
    if structural and data[position : position + 1].isdigit():
        number = _NUMBER.match(data, position)
        if number and kind == "password":
            yield _made(position, number.end(), kind, number.group(), True, quote=True)
        return
    line = match.group(3) == b"=" and not match.group(4) and name.isupper()
    bare = (_BARE_LINE if line else _BARE).match(data, position)
    if bare is None:
        return
    value, stop = bare.group(), bare.end()
    trimmed = value.rstrip(b".,;:)") if not line else value
    after = data[stop : stop + 1]
    if match.group(3) == b":" and not match.group(4) and _colon_path(data, start):
        return
    if after in (b"(", b"[") or (b"." in trimmed and judge.name_kind(trimmed) and not any(48 <= c < 58 for c in trimmed)):
        return
    direct = line or (match.group(3) == b"=" and not match.group(4)) or _flagged(data, start)
    if judge.is_secret(kind, trimmed, structural=False, direct=direct) and (direct or _looks_random(trimmed)):
        yield _made(position, position + len(trimmed), kind, trimmed, False)


def _flag(data: bytes, start: int, end: int) -> Iterator[Found]:
    match = _FLAG.match(data, end)
    if match is None:
        if data[end : end + 1] == b">" and (xml := _XML.match(data, end)):
            kind = judge.name_kind(_name(data, start) + data[start:end])
            if kind and judge.is_secret(kind, xml.group(1), structural=False, direct=True):
                yield _made(xml.start(1), xml.end(1), kind, xml.group(1), False)
        return
    name = _name(data, start)
    flagged = _flagged(data, start)
    if not flagged and not _SET.search(data, max(0, start - 100), start):
        return
    kind = judge.name_kind(name + data[start:end] + match.group(1))
    if not kind:
        return
    position, opener = match.end(), match.group(2) or match.group(3)
    if opener:
        stop = closing(data, position, opener)
    else:
        bare = _BARE_LINE.match(data, position)
        stop = bare.end() if bare else position
    value = plain(data[position:stop])
    shown = judge.is_secret(kind, value, structural=False, direct=True)
    if shown and (opener or not value.isalpha() or len(value) >= 16) and not value.startswith(b"-"):
        yield _made(position, stop, kind, value, False)


def _name(data: bytes, start: int) -> bytes:
    match = _NAME_BEFORE.search(data, max(0, start - 40), start)
    name = match.group() if match else b""
    # An escaped line end before the name is no part of it.
    if name[:1] in (b"n", b"r", b"t") and data[start - len(name) - 1 : start - len(name)] == b"\\":
        return name[1:]
    return name


def _colon_path(data: bytes, start: int) -> bool:
    """Whether the name is one part of a name with colons, an ARN or a URN."""
    before = start - len(_name(data, start)) - 1
    return before >= 0 and data[before] == 0x3A


def _flagged(data: bytes, start: int) -> bool:
    name = _name(data, start)
    return name.startswith(b"--") or (name.startswith(b"-") and len(name) > 1)


def _looks_random(value: bytes) -> bool:
    return any(48 <= c < 58 for c in value) and any(c > 57 for c in value) and judge.entropy(value) >= 2.5


def _made(start: int, end: int, kind: str, value: bytes, structural: bool, quote: bool = False) -> Found:
    usable = not judge.trivial(value) and (structural or judge.entropy(value) * len(value) >= 24)
    return Found(start, end, kind, _LABELS[kind], value, usable, quote)


def closing(data: bytes, position: int, opener: bytes) -> int:
    """Where the text ends that this quote (with its escaping) opened; `position` itself where it does not end near by."""
    quote, depth = opener[-1:], len(opener) - 1
    limit = min(len(data), position + REACH)
    at = data.find(quote, position, limit)
    while at >= 0:
        slashes = 0
        while at - slashes > position and data[at - slashes - 1] == 0x5C:
            slashes += 1
        if slashes <= depth or (depth == 0 and slashes % 2 == 0):
            return at - min(slashes, depth)
        at = data.find(quote, at + 1, limit)
    return position


_SCHEME = re.compile(rb"""[Bb](?:earer|EARER)(?:\s|%20|\+|\\[tn])+([A-Za-z0-9._~+/=|:%-]{8,8192})""")


def bearer(data: bytes, start: int, end: int) -> Iterator[Found]:
    """`Bearer <token>` in a header, in any notation."""
    match = _SCHEME.match(data, start)
    if match is None:
        return
    value = match.group(1).rstrip(b".:|%")
    if judge.placeholder(value) or not (any(48 <= c < 58 for c in value) or (len(value) >= 20 and judge.entropy(value) >= 3.8)):
        return
    if b"REDACTED" in value or value.startswith((b"hmac-sha256:", b"sha256:")):
        return
    yield Found(match.start(1), match.start(1) + len(value), "bearer", "bearer token", value)


_BASIC = re.compile(rb"[Bb](?:asic|ASIC)(?:\s|%20|\\[tn])+([A-Za-z0-9+/_-]{6,2000}={0,2})")


def basic(data: bytes, start: int, end: int) -> Iterator[Found]:
    """`Basic <base64 of user:password>`; its value is the password, so that it joins the password written elsewhere."""
    match = _BASIC.match(data, start)
    if match is None:
        return
    clear = _decoded(match.group(1))
    if clear is None or b":" not in clear or not clear.isascii() or any(c < 0x20 for c in clear):
        return
    user, _, password = clear.partition(b":")
    value = password or user
    if len(value) < 3 or judge.placeholder(value):
        return
    yield Found(match.start(1), match.end(1), "basic-auth", "basic authentication", value, not judge.trivial(value))


_AUTHORIZATION = re.compile(
    rb"""[Aa]uthorization(?:["'\\\]]{0,8}\s{0,3}(?:[:=]|,\s?\\*["']value\\*["']\s?:)\s{0,3}[\[(]?\s?)(\\*["'])?"""
    rb"""(?:(?:token|Token|ApiKey|Api-Key|apikey|GenieKey|SSWS|Key|key|NegotiateToken|Digest|AWS4-HMAC-SHA256|Splunk|Bot|DPoP|Negotiate)\s+)?([A-Za-z0-9._~+/=|%-]{12,8192})"""
)


def authorization(data: bytes, start: int, end: int) -> Iterator[Found]:
    """The value of an Authorization header under any scheme but Bearer and Basic."""
    match = _AUTHORIZATION.match(data, start)
    if match is None:
        return
    value = match.group(2)
    if (
        judge.placeholder(value)
        or data[match.start(2) - 1 : match.start(2)].isalnum()
        or data[match.end() : match.end() + 1] == b"("
    ):
        return
    if any(48 <= c < 58 for c in value) and judge.entropy(value) >= 3.0:
        yield Found(match.start(2), match.end(2), "authorization", "authorization header", value)


_COOKIE = re.compile(
    rb"""[Cc]ookies?["'\\\]]{0,8}\s{0,3}(?:[:=]|,\s?\\*["']value\\*["']\s?:)\s{0,3}[\[(]?\s?\\*["']?(?=[\w.%-]{1,80}=)"""
)
_PAIR = re.compile(rb"""([\w.%-]{1,80})=([^;,\s"'\\]{1,4096})""")
_SESSION = re.compile(rb"(?i)sess|sid|auth|token|jwt|secret|login|remember|csrf|xsrf|key|id$")
_COOKIE_WORD = re.compile(rb"(?i)^(?:path|domain|expires|max-age|samesite|version|locale|lang|theme|tz|_ga.*|_gid|utm.*)$")


def cookie(data: bytes, start: int, end: int) -> Iterator[Found]:
    """The values of a Cookie or Set-Cookie header that carry a session."""
    match = _COOKIE.match(data, start)
    if match is None:
        return
    limit, position = min(len(data), start + REACH), match.end()
    while pair := _PAIR.match(data, position, limit):
        name, value = pair.groups()
        if not _COOKIE_WORD.match(name) and not judge.placeholder(value):
            strong = len(value) >= 20 and judge.entropy(value) >= 3.5
            if strong or (_SESSION.search(name) and len(value) >= 8 and any(48 <= c < 58 for c in value)):
                yield Found(pair.start(2), pair.end(2), "cookie", "session cookie", value)
        position = pair.end()
        while data[position : position + 1] in (b";", b" ", b","):
            position += 1


_USERINFO = re.compile(rb"""://([^\s/:@"'\\<>?#]{0,128}):([^\s/"'\\<>`{}]{3,256})@(?=[\w\[(%$*-])""")


def userinfo(data: bytes, start: int, end: int) -> Iterator[Found]:
    """The password in an address, `scheme://user:password@host`."""
    match = _USERINFO.match(data, start)
    if match is None:
        return
    value = match.group(2)
    if judge.placeholder(value) or value.lower() in (b"password", b"pass", b"pwd"):
        return
    yield Found(match.start(2), match.end(2), "url-password", "password in an address", value, not judge.trivial(value))


_USER_FLAG = re.compile(rb"""(?:-u|--user|--proxy-user)[ =]?\s?\\*["']?([\w.@+%-]{1,80}):([^\s"'\\]{3,512})""")
_AFTER_P = re.compile(rb"""[^|;&\n]{0,300}?\s-(?:p|a)\s?\\*["']?([^\s"'\\|;&-][^\s"'\\|;&]{3,256})""")


def curl_user(data: bytes, start: int, end: int) -> Iterator[Found]:
    """`curl -u user:password`."""
    for match in _USER_FLAG.finditer(data, start, min(len(data), start + 1024)):
        user, value = match.groups()
        if not judge.placeholder(value) and not (user.isdigit() and value.isdigit()):
            yield Found(match.start(2), match.end(2), "basic-auth", "basic authentication", value, not judge.trivial(value))


def password_flag(data: bytes, start: int, end: int) -> Iterator[Found]:
    """`-p password` of programs that take a password so: sshpass, mysql, docker login, redis-cli -a."""
    match = _AFTER_P.match(data, end)
    if match is None:
        return
    value = match.group(1)
    spaced = data[match.start(1) - 1 : match.start(1)] == b" "
    mysql = data[start:end].startswith(b"mysql")
    if judge.placeholder(value) or (mysql and spaced) or value.isdigit() or value.startswith(b"/"):
        return
    yield Found(match.start(1), match.end(1), "password", "password", value, not judge.trivial(value))


_NETRC = re.compile(
    rb"machine\s+[\w.:-]{1,253}(?:\\[nrt]|\s)+login\s+[^\s\\]{1,128}(?:\\[nrt]|\s)+password\s+([^\s\"'\\]{3,256})"
)


def netrc(data: bytes, start: int, end: int) -> Iterator[Found]:
    """`machine host login user password ...` of a .netrc file."""
    if (match := _NETRC.match(data, start)) and not judge.placeholder(match.group(1)):
        yield Found(match.start(1), match.end(1), "password", "password", match.group(1))


_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*+', re.S)
_KEY_TEXT = re.compile(rb"""(?:[A-Za-z0-9+/=]|\\+[nrt"'/]|[\s:,.\-"'+|]|\d\xe2\x86\x92)*+""")
_PEM_NOISE = re.compile(rb"\\+[nrtu]|\d+\xe2\x86\x92|[A-Za-z-]+: [^\n\\]*|[^A-Za-z0-9+/=]")


def pem(data: bytes, start: int, end: int, json: bool) -> Iterator[Found]:
    """A private key in PEM, whole or cut off; its value is the key's base64 alone, however its lines were broken."""
    begin = _BEGIN.match(data, start)
    if begin is None:
        return
    limit = min(len(data), start + BLOCK)
    if json and (inside := _STRING_END.match(data, start, limit)):
        limit = inside.end()
    last = _END.search(data, begin.end(), limit)
    following = _BEGIN.search(data, begin.end(), limit)
    if last and not (following and following.start() < last.start()):
        body_end, stop = last.start(), last.end()
    else:
        text = _KEY_TEXT.match(data, begin.end(), following.start() if following else limit)
        body_end = stop = text.end() if text else begin.end()
        while stop > begin.end() and data[stop - 1] in b"\\\"' \t\r\n,.:-|":
            stop -= 1
        body_end = stop
    value = _PEM_NOISE.sub(b"", data[begin.end() : body_end])
    if len(value) < 32 or judge.entropy(value) < 2.0 or b"REDACTED" in value:
        return
    kind = {b"OPENSSH ": "ssh-private-key", b"PGP ": "pgp-private-key"}.get(begin.group(1), "private-key")
    yield Found(start, stop, kind, "private key", value)


_BASE64_PEM = re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,32768}={0,2}")


def base64_pem(data: bytes, start: int, end: int) -> Iterator[Found]:
    """A private key in PEM that was encoded in base64 once more, as kubeconfig files hold it."""
    match = _BASE64_PEM.match(data, start)
    clear = _decoded(match.group()) if match else None
    if match and clear and b"PRIVATE KEY" in clear[:60]:
        body = _PEM_NOISE.sub(b"", clear.split(b"-----")[2] if clear.count(b"-----") >= 2 else clear)
        yield Found(start, match.end(), "private-key", "private key", body)


_JWT = re.compile(
    rb"(?<![A-Za-z0-9+/])eyJ[\w-]{8,4096}\.(?:eyJ[\w-]{4,16384}|[\w-]{20,16384}\.[\w-]{8,4096}\.[\w-]{20,16384})\.?[\w-]{0,4096}(?:\.[\w-]{10,1000})?"
)


def jwt(data: bytes, start: int, end: int) -> Iterator[Found]:
    """A JSON Web Token, signed or encrypted."""
    if match := _JWT.match(data, start):
        yield Found(start, match.end(), "jwt", "JSON Web Token", match.group())


_KIND_SECRET = re.compile(rb"""kind(?:\\*["'])?\s?:\s?(?:\\*["'])?Secret(?:List)?(?![A-Za-z])""")
_DATA_JSON = re.compile(rb"""(?<![A-Za-z])(?:data|stringData)(\\*)"\s{0,4}:\s{0,4}\{([^{}]{1,60000})\}""")
_MEMBER = re.compile(rb"""(\\*)"[\w.-]{1,253}\\*"\s{0,4}:\s{0,4}(\\*")((?:[^"\\]|\\[^"\\]){4,40000}+)""")
_DATA_YAML = re.compile(
    rb"""(?:^|\\n|\n)(?:data|stringData):[ \t]*(?=\\n|\n)((?:(?:\\n|\n)[ \t]+[\w.-]{1,253}:[ \t]*[^\s\\]{1,40000})+)"""
)
_ITEM_YAML = re.compile(rb"""[\w.-]{1,253}:[ \t]*["']?([^\s\\"']{4,40000})""")


def cluster_secret(data: bytes, start: int, end: int) -> Iterator[Found]:
    """The values of a Kubernetes Secret, base64 under `data`, clear under `stringData`, in JSON or YAML."""
    near = _KIND_SECRET.search(data, max(0, start - 16), min(len(data), end + 8))
    if near is None:
        return
    low, high = max(0, start - BLOCK), min(len(data), end + BLOCK)
    for block in _DATA_JSON.finditer(data, low, high):
        for member in _MEMBER.finditer(data, block.start(2), block.end(2)):
            yield from _cluster_value(member.start(3), member.group(3))
    for block in _DATA_YAML.finditer(data, low, high):
        for item in _ITEM_YAML.finditer(data, block.start(1), block.end(1)):
            yield from _cluster_value(item.start(1), item.group(1))


def _cluster_value(start: int, value: bytes) -> Iterator[Found]:
    clear = _decoded(value)
    if judge.placeholder(value):
        return
    secret = clear.rstrip(b"\n") if clear else plain(value)
    if secret:
        yield Found(start, start + len(value), "kubernetes-secret", "Kubernetes secret value", secret)


def _decoded(value: bytes) -> bytes | None:
    try:
        return b64decode(value.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(value) % 4), validate=True)
    except (Base64Error, ValueError):
        return None
