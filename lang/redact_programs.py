"""Secrets that programs and their own files are given: command-line users, logins, SQL, key pairs, client registries."""

from __future__ import annotations

import re

from lang import redact_judge as judge
from lang.late import late
from lang.redact_rules import Rule, shape
from lang.redact_scan import Found, Scan, decoded, login

_GAP = rb"(?:\\+[nrt]|[^\w+/\\]|\\+[\"'])"
_KEY_PAIR = late(
    rb"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9+/])"
    + _GAP
    + rb"{1,40}(?:[A-Za-z_ -]{0,16}(?i:secret)[A-Za-z_ -]{0,16}"
    + _GAP
    + rb"{1,20})?"
    rb"([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])"
)
_USER_FLAG = late(rb"""(?:-[A-Za-z]{0,8}u|--user|--proxy-user)[ =]?\s?\\*["']?([\w.@+%-]{1,80}):([^\s"'\\]{3,512})""")
_AFTER_P = late(rb"""[^|;&\n]{0,300}?\s-(?:p|a)\s?\\*["']?([^\s"'\\|;&-][^\s"'\\|;&]{3,256})""")
_ECHOED = late(
    rb"""(?:echo|printf)(?:\s+-n)?\s+\\*["']?(?:[\w.-]{1,64}:)?([^\s"'\\|:]{4,256})\\*["']?\s*\|"""
    rb"""[^|\n\\]{0,200}?(?:--password-stdin|chpasswd|passwd --stdin|sudo -S)"""
)
_SQL = late(rb"""(?:(?i:password|identified by))[ \t]+'([^'\\\s]{4,128})'""")
_STEP = rb"(?:\\+[nrt]|\s)+"
_NETRC = late(
    rb"(?:machine" + _STEP + rb"[\w.:-]{1,253}|default)(?:" + _STEP + rb"(?:login|account)" + _STEP + rb"[^\s\\]{1,128}){0,2}"
    + _STEP + rb"password" + _STEP + rb"([^\s\"'\\]{3,256})"
)  # fmt: skip
_REGISTRY_AUTH = late(rb"""auth\\*"\s*:\s*\\*"([A-Za-z0-9+/_-]{6,4000}={0,2})\\*\"""")


def key_pair(scan: Scan, start: int, end: int) -> int:
    """The secret access key that stands beside its access key id, as exports, tables and colon pairs write the two."""
    match = _KEY_PAIR.match(scan.data, start)
    if match is None or judge.example(match.group(1)):
        return 0
    value = match.group(1)
    if value.isalpha() or value.lower() == value or value.upper() == value or judge.entropy(value) < 4.0:
        return 0
    return scan.add(Found(match.start(1), match.end(1), "aws-secret-key", "AWS secret access key", value))


def user_flag(scan: Scan, start: int, end: int) -> int:
    """`curl -u user:password`."""
    for match in _USER_FLAG.finditer(scan.data, start, min(len(scan.data), start + 1024)):
        user, value = match.groups()
        if not judge.placeholder(value) and not (user.isdigit() and value.isdigit()):
            scan.add(login(match.start(2), match.end(2), "basic-auth", "basic authentication", value))
    return 0


def password_flag(scan: Scan, start: int, end: int) -> int:
    """`-p password` of programs that take a password so: sshpass, mysql, registry and cluster logins, redis-cli -a."""
    # Most keywords end with the blank that stands before a flag.
    match = _AFTER_P.match(scan.data, end - 1)
    if match is None:
        return 0
    value = match.group(1)
    # For mysql a blank after -p means that it asks; what follows is the database.
    asks = scan.data[start : start + 5] == b"mysql" and scan.data[match.start(1) - 1] == 0x20
    if judge.placeholder(value) or asks or value.isdigit():
        return 0
    return scan.add(login(match.start(1), match.end(1), "password", "password", value))


def echoed(scan: Scan, start: int, end: int) -> int:
    """A password written into a program that reads it from its input: `echo ... | docker login --password-stdin`."""
    return _one(scan, _ECHOED.match(scan.data, start))


def sql(scan: Scan, start: int, end: int) -> int:
    """`ALTER USER ... PASSWORD '...'`, `CREATE USER ... IDENTIFIED BY '...'`."""
    match = _SQL.match(scan.data, start)
    if match is None or not judge.is_secret("password", match.group(1), structural=False, direct=True):
        return 0
    return _one(scan, match)


def netrc(scan: Scan, start: int, end: int) -> int:
    """The password of a machine in a .netrc file."""
    return _one(scan, _NETRC.match(scan.data, start))


def registry_auth(scan: Scan, start: int, end: int) -> int:
    """`"auth": "<base64 of user:password>"` of a container client's configuration; it joins the password it encodes."""
    match = _REGISTRY_AUTH.match(scan.data, start)
    clear = decoded(match.group(1)) if match else None
    if match is None or clear is None or not clear.isascii() or any(c < 0x20 for c in clear):
        return 0
    user, colon, password = clear.partition(b":")
    if not colon or not user or len(password) < 3 or judge.placeholder(password):
        return 0
    return scan.add(login(match.start(1), match.end(1), "basic-auth", "registry login", password))


_COMMAND = late(rb"[^|;&\n]{0,1000}")
_WRITTEN = rb"""\\*["']?([^\s"'\\$<{*|;&@(][^\s"'\\|;&]{3,256})"""
_OF_PAIR = late(rb"""[= ]\\*["']?[\w./-]{1,128}=""" + _WRITTEN)

HANDED_OVER: dict[bytes, re.Pattern[bytes]] = {
    b"put-parameter": late(rb"--value[ =]" + _WRITTEN),
    b"put-secret-value": late(rb"--secret-string[ =]" + _WRITTEN),
    b"create-secret": late(rb"--secret-string[ =]" + _WRITTEN),
    b"update-secret": late(rb"--secret-string[ =]" + _WRITTEN),
    b"secrets put": late(rb"--string-value[ =]" + _WRITTEN),
    b"gh secret set": late(rb"(?:--body|-b)[ =]" + _WRITTEN),
    b"keyvault secret set": late(rb"--value[ =]" + _WRITTEN),
    b"create secret": late(rb"--from-literal" + _OF_PAIR.pattern),
    b"kv put": _OF_PAIR,
    b"kv patch": _OF_PAIR,
}
"""How commands that write into a secret store are given the secret, by the words that name the command."""


def handed_over(scan: Scan, start: int, end: int) -> int:
    """A secret handed to a secret store on the command line."""
    command = _COMMAND.match(scan.data, end)
    if command is None or (scan.data[start:end] == b"put-parameter" and b"SecureString" not in command.group()):
        return 0
    for match in HANDED_OVER[scan.data[start:end]].finditer(scan.data, end, command.end()):
        _one(scan, match)
    return command.end()


_KEY_LIST = late(rb"""(?:unseal_keys|recovery_keys|keys)_(?:b64|base64|hex)\\*"\s?:\s?\[([^\]]{1,4096})\]""")
_SHARE = late(rb"[A-Za-z0-9+/]{40,200}={0,2}")


def key_shares(scan: Scan, start: int, end: int) -> int:
    """The shares of a secret store's unseal key, as its initialisation prints them."""
    match = _KEY_LIST.match(scan.data, start)
    if match is None:
        return 0
    for share in _SHARE.finditer(scan.data, match.start(1), match.end(1)):
        scan.add(Found(share.start(), share.end(), "vault-unseal", "Vault unseal key", share.group()))
    return match.end()


def _one(scan: Scan, match: re.Match[bytes] | None) -> int:
    if match is None or judge.placeholder(match.group(1)):
        return 0
    return scan.add(login(match.start(1), match.end(1), "password", "password", match.group(1)))


_LITERAL = r"""[^\s"'\\$<{*|;&@:/][^\s"'\\|;&@:/]{3,127}"""

GIVEN: tuple[Rule, ...] = (
    shape("password", "password", ":5432:", rf":5432:[\w*-]{{1,63}}:[\w.-]{{1,63}}:(?P<v>{_LITERAL})"),
    shape("password", "password", "jdbc:oracle:thin:", rf"jdbc:oracle:thin:[\w.-]{{1,64}}/(?P<v>{_LITERAL})@"),
    shape("password", "password", ("sqlplus ",), rf"sqlplus (?:-\w+ )?[\w.-]{{1,64}}/(?P<v>{_LITERAL})@"),
    shape("password", "password", ("requirepass ", "masterauth "), rf"(?:requirepass|masterauth)[ \t]+(?P<v>{_LITERAL})"),
    shape("password", "password", ("unzip -P ",), rf"unzip -P (?P<v>{_LITERAL})"),
    shape(
        "password", "password", ("-passin pass:", "-passout pass:", "-pass pass:", "-k pass:"), rf"-\w+ pass:(?P<v>{_LITERAL})"
    ),
    shape(
        "password",
        "password",
        ("smbclient ", "smbmap ", "rpcclient "),
        rf"[a-z]+ [^\n|;]{{0,200}}?-U ?[\w.\\/-]{{1,80}}%(?P<v>{_LITERAL})",
    ),
    shape(
        "token",
        "token",
        ("?token=", "&token="),
        "[?&]token=(?P<v>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})(?![\\w-])",
    ),
    shape("password", "password", "psk=", r"psk=\\*\"(?!\$[{(]|\{\{|<[A-Za-z_ -]{1,40}>)(?P<v>[^\"\\]{8,63})\\*\""),
    shape("app-key", "key of an application", "APP_KEY=base64:", "APP_KEY=base64:(?P<v>[A-Za-z0-9+/]{43}=)"),
    shape(
        "password-hash",
        "hash of a password",
        "$2a$ $2b$ $2y$ $1$ $5$ $6$ $y$ $argon2i$ $argon2id$",
        r"(?P<v>\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"
        r"|\$[56]\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}"
        r"|\$y\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}"
        r"|\$argon2id?\$v=\d{1,3}\$[mtp=,\d]{1,40}\$[A-Za-z0-9+/]{8,86}\$[A-Za-z0-9+/]{16,172})",
        usable=False,
    ),
)
"""Passwords in notations of one program or one file each."""
