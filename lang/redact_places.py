"""Secrets that only their place gives away: headers, cookies, addresses, program flags, key files, cluster secrets."""

from __future__ import annotations

import re
from bisect import bisect_left

from lang import redact_judge as judge
from lang.redact_scan import BLOCK, REACH, Found, Scan, decoded
from lang.redact_view import plain

_BEARER = re.compile(rb"""[Bb](?:earer|EARER)(?:\s|%20|\+|\\[tn])+([A-Za-z0-9._~+/=|:%-]{8,8192})""")
_BASIC = re.compile(rb"[Bb](?:asic|ASIC)(?:\s|%20|\\[tn])+([A-Za-z0-9+/_-]{6,2000}={0,2})")
_AUTHORIZATION = re.compile(
    rb"""[Aa]uthorization(?:["'\\\]]{0,8}\s{0,3}(?:[:=]|,(?:\s|\\+n){0,40}\\*["']value\\*["']\s?:)\s{0,3}[\[(]?\s?)(\\*["'])?"""
    rb"""(?:(?i:token|api-?key|key|geniekey|ssws|splunk|bot|dpop|negotiate)\s+)?([A-Za-z0-9._~+/=|%-]{12,8192})"""
)
_COOKIE = re.compile(
    rb"""[Cc]ookies?["'\\\]]{0,8}\s{0,3}(?:[:=]|,(?:\s|\\+n){0,40}\\*["']value\\*["']\s?:)\s{0,3}[\[(]?\s?\\*["']?(?=[\w.%-]{1,80}=)"""
)
_PAIR = re.compile(rb"""([\w.%-]{1,80})=([^;,\s"'\\]{1,4096})""")
_SESSION = re.compile(rb"(?i)sess|sid|auth|token|jwt|secret|login|remember|csrf|xsrf|key|id$")
_COOKIE_WORD = re.compile(rb"(?i)^(?:path|domain|expires|max-age|samesite|version|locale|lang|theme|tz|_ga.*|_gid|utm.*)$")
_USERINFO = re.compile(rb"""://([^\s/:@"'\\<>?#]{0,128}):([^\s/"'\\<>`{}]{3,256})@(?=[\w\[(%$*-])""")
_USER_FLAG = re.compile(rb"""(?:-u|--user|--proxy-user)[ =]?\s?\\*["']?([\w.@+%-]{1,80}):([^\s"'\\]{3,512})""")
_AFTER_P = re.compile(rb"""[^|;&\n]{0,300}?\s-(?:p|a)\s?\\*["']?([^\s"'\\|;&-][^\s"'\\|;&]{3,256})""")
_NETRC = re.compile(
    rb"machine\s+[\w.:-]{1,253}(?:\\[nrt]|\s)+login\s+[^\s\\]{1,128}(?:\\[nrt]|\s)+password\s+([^\s\"'\\]{3,256})"
)
_JWT = re.compile(
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
    if match is None or clear is None or b":" not in clear or not clear.isascii() or any(c < 0x20 for c in clear):
        return 0
    user, _, password = clear.partition(b":")
    value = password or user
    if len(value) < 3 or judge.placeholder(value):
        return 0
    return scan.add(_login(match.start(1), match.end(1), "basic-auth", "basic authentication", value))


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


def userinfo(scan: Scan, start: int, end: int) -> int:
    """The password in an address, `scheme://user:password@host`."""
    match = _USERINFO.match(scan.data, start)
    if match is None or judge.placeholder(match.group(2)):
        return 0
    return scan.add(_login(match.start(2), match.end(2), "url-password", "password in an address", match.group(2)))


def curl_user(scan: Scan, start: int, end: int) -> int:
    """`curl -u user:password`."""
    for match in _USER_FLAG.finditer(scan.data, start, min(len(scan.data), start + 1024)):
        user, value = match.groups()
        if not judge.placeholder(value) and not (user.isdigit() and value.isdigit()):
            scan.add(_login(match.start(2), match.end(2), "basic-auth", "basic authentication", value))
    return 0


def password_flag(scan: Scan, start: int, end: int) -> int:
    """`-p password` of programs that take a password so: sshpass, mysql, docker login, redis-cli -a."""
    match = _AFTER_P.match(scan.data, end)
    if match is None:
        return 0
    value = match.group(1)
    # For mysql a blank after -p means that it asks; what follows is the database.
    asks = scan.data[start : start + 5] == b"mysql" and scan.data[match.start(1) - 1] == 0x20
    if judge.placeholder(value) or asks or value.isdigit():
        return 0
    return scan.add(_login(match.start(1), match.end(1), "password", "password", value))


def netrc(scan: Scan, start: int, end: int) -> int:
    """`machine host login user password ...` of a .netrc file."""
    match = _NETRC.match(scan.data, start)
    if match is None or judge.placeholder(match.group(1)):
        return 0
    return scan.add(_login(match.start(1), match.end(1), "password", "password", match.group(1)))


def jwt(scan: Scan, start: int, end: int) -> int:
    """A JSON Web Token, signed or encrypted."""
    match = _JWT.match(scan.data, start)
    return scan.add(Found(start, match.end(), "jwt", "JSON Web Token", match.group())) if match else 0


_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*+', re.S)
_KEY_TEXT = re.compile(rb"""(?:[A-Za-z0-9+/=]|\\+[nrt"'/]|[\s:,.\-"'+|]|\\+u2192|\xe2\x86\x92)*+""")
_PEM_NOISE = re.compile(rb"\s*\d+(?:\\+u2192|\xe2\x86\x92)|\\+[nrt]|[A-Za-z-]+: [^\n\\]*|[^A-Za-z0-9+/=]")
_BASE64_PEM = re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,32768}={0,2}")
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


_KIND_SECRET = re.compile(rb"""kind(?:\\*["'])?\s?:\s?(?:\\*["'])?Secret(?:List)?(?![A-Za-z])""")
_DATA_JSON = re.compile(rb"""(?<![A-Za-z])(?:data|stringData)\\*"\s{0,4}:\s{0,4}\{([^{}]{1,60000})\}""")
_MEMBER = re.compile(rb"""\\*"[\w.-]{1,253}\\*"\s{0,4}:\s{0,4}\\*"((?:[^"\\]|\\[^"\\]){4,40000}+)""")
_DATA_YAML = re.compile(
    rb"""(?:^|\\n|\n)(?:data|stringData):[ \t]*(?=\\n|\n)((?:(?:\\n|\n)[ \t]+[\w.-]{1,253}:[ \t]*[^\s\\]{1,40000})+)"""
)
_ITEM_YAML = re.compile(rb"""[\w.-]{1,253}:[ \t]*["']?([^\s\\"']{4,40000})""")


def cluster_secret(scan: Scan, start: int, end: int) -> int:
    """The values of a Kubernetes Secret, base64 under `data`, clear under `stringData`, in JSON or YAML.

    One look serves the whole record: every such block with a Secret's kind near by.
    """
    data = scan.data
    if not _KIND_SECRET.search(data, max(0, start - 16), min(len(data), end + 8)):
        return 0
    kinds = [match.start() for match in _KIND_SECRET.finditer(data)]
    for blocks, items in ((_DATA_JSON, _MEMBER), (_DATA_YAML, _ITEM_YAML)):
        for block in blocks.finditer(data):
            nearest = bisect_left(kinds, block.start() - BLOCK)
            if nearest < len(kinds) and kinds[nearest] < block.end() + BLOCK:
                for item in items.finditer(data, block.start(1), block.end(1)):
                    _cluster_value(scan, item.start(1), item.group(1))
    return len(data)


def _cluster_value(scan: Scan, start: int, value: bytes) -> None:
    if judge.placeholder(value):
        return
    clear = decoded(value)
    secret = clear.rstrip(b"\n") if clear else plain(value)
    if secret:
        scan.add(Found(start, start + len(value), "kubernetes-secret", "Kubernetes secret value", secret))


def _digit(value: bytes) -> bool:
    return any(48 <= c < 58 for c in value[:256])


def _login(start: int, end: int, kind: str, label: str, value: bytes) -> Found:
    return Found(start, end, kind, label, value, not judge.trivial(value))
