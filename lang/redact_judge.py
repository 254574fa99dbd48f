"""Is a value assigned to a telling name a secret? Judged by the name, by how it was written and by its look."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from math import log2

from lang.late import late

# Parts of a name that say the value is about a secret, or is no secret at all.
_ABOUT_LAST = frozenset(
    b"id ids identifier identifiers alias aliases name names path paths file files filename url urls uri uris endpoint arn version versions "
    b"type types count counts length len size limit limits hash hashes digest checksum policy policies expiry expires "
    b"expiration ttl at date time timestamp field fields label labels hint placeholder message messages error errors "
    b"description title regex pattern format prefix suffix required enabled disabled manager store usage budget "
    b"details status state mode kind metadata used changed updated created reset rotation strength rules visible "
    b"element header param params parameter ref refs reference references index total left remaining cost price source "
    b"provider location dir directory env var variable tag scope scopes input output accessor fingerprint thumbprint "
    b"last valid verified exists missing found present pub public algorithm alg lifetime duration window interval role "
    b"user username email owner account region issuer audience subject".split()
)
_ABOUT_FIRST = frozenset(
    b"next page paging pagination continuation continue cursor sync cancel cancellation hashed encrypted hash max min "
    b"num total idempotency starting prev previous stop pad eos bos cls sep mask unk special public pub input output "
    b"subject prompt completion reasoning cached cache thinking upload change design type count has is no use with get set".split()
)
_ABOUT_ANY = frozenset(b"csrf xsrf hashed fingerprint publishable pagination idempotency nonce antiforgery".split())
_HEAD = 256
_WORDS = late(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_PLACEHOLDER = late(
    rb"""(?isx)
    REDACTED | HIDDEN | \*{3} | x{4} | X{4} | \.{3} | \xe2\x80\xa6 | \xe2\x80\xa2 | \xe2\x97\x8f
    | your[-_ ]?[a-z] | example | placeholder | change[-_ ]?me | changeit | dummy | ^sample | <[^>]{1,80}> | \{\{
    | insert[-_ ] | replace[-_ ] | todo | fixme | foo[-_]?bar | not[-_]a[-_] | to[-_]be[-_]
    | omitted | masked | filtered | elided | truncated | secret[-_]?here | goes[-_]here
    """
)
_NOTHING = late(
    rb"""(?ix)^(?:
      null|none|nil|true|false|yes|no|on|off|undefined|void|any|unknown|string|str|bytes|int|integer|number|bool(?:ean)?
    | object|optional|array|dict
    | pass(?:word|wd|phrase)?|secrets?|tokens?|api[-_ ]?keys?|keys?|credentials?
    | private|access|auth|basic|bearer|login|required|default|empty|missing|invalid
    | hunter|abc|abcd|abc123|foo|bar|baz|test|testing|demo
    | (?:my|the|some|test|fake|mock|new|old|bad|wrong|valid|invalid|no)
      [-_ ]?(?:password|passwd|secret|token|api[-_]?key|key)
    | 0+|1+|1234?|(.)\1*
    | [%$@:&!*~^#?].* | \{.* | \[.* | \(.* | -+.* | <.*
    | [A-Za-z]:[\\/].* | [.~]{0,2}/.* | \.\w.* | [a-z][a-z0-9+.-]*://.*
    | (?:op|arn|vault|secretref|projects|file|env|ssm|keyvault|ref):.*
    | (?:hmac-)?(?:sha|md)[0-9-]+[:$].* | hmac-.* | v?\d+(?:\.\d+)+ | \d{4}-\d\d-\d\d.*
    | (?:process|os|self|this|config|settings|secrets|env|var|local|data|module|std|opts?|options|args|ctx
      |req|request|props|params|state|user|client|cfg|conf)[.\[].*
    | (?:toolu|call|msg|req|resp|run|chatcmpl|item|fc|rs|evt|task|sess|session|thread|step|srvtoolu)_\w* )$"""
)
_IDENTIFIER = late(rb"^[A-Za-z]+(?:[._:/-]+[A-Za-z]+)*[.!?:;]?$")
_VARIABLE = late(rb"^[A-Z]{2,}(?:_[A-Z]{2,})+(?:_[0-9])?$")
"""How environment variables are called, and secrets in the stores that hand them out as such."""
_CROSSED = late(rb"(?i)x{4,}")
_DASHED_KEY = late(rb"^-[A-Za-z0-9_-]{20,}$")
_BASE64_KEY = late(rb"^[A-Za-z0-9/+]{32,}={0,2}$")
_HEX_KEY = late(rb"^(?:[0-9a-f]{32,128}|[0-9A-F]{32,128})$")
_UUID = late(rb"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_ACCESS_KEY_ID = late(rb"^(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,}$")
_TRIVIAL = frozenset(
    b"postgres mysql root admin guest minio redis rabbitmq password123 user passw0rd password1 toor letmein qwerty "
    b"123456 12345678 admin123 test123 test1234 mongo vagrant docker ubuntu".split()
)
# A word of the name ends so ("authtoken", "dbpassword"; not "secretsmanager", "tokenizer") ...
_ENDINGS = (
    (b"password", "password"),
    (b"passwords", "password"),
    (b"passwd", "password"),
    (b"passwort", "password"),
    (b"passphrase", "password"),
    (b"pwd", "password"),
    (b"storepass", "password"),
    (b"keypass", "password"),
    (b"privatekey", "private-key"),
    (b"secret", "secret"),
    (b"secretkey", "secret"),
    (b"credential", "secret"),
    (b"credentials", "secret"),
    (b"token", "token"),
    (b"apikey", "api-key"),
    (b"accesskey", "api-key"),
)
# "pass" alone says many things; behind one of these it is short for password.
_WITH_PASS = frozenset(
    b"db database sql mysql mariadb pg postgres postgresql redis mongo mongodb rabbitmq amqp mq smtp imap mail email ftp sftp "
    b"ssh sudo become admin root user login auth ldap bind proxy http https basic app api service svc registry docker store "
    b"keystore truststore cert key vault wifi vpn jenkins nexus sonar grafana elastic kafka sasl".split()
)
# ... or several words together say it.
_PARTS = (
    (b"privatekey", "private-key"),
    (b"clientkeydata", "private-key"),
    (b"sshkey", "private-key"),
    (b"apikey", "api-key"),
    (b"accesskey", "api-key"),
    (b"authkey", "api-key"),
    (b"signingkey", "api-key"),
    (b"encryptionkey", "api-key"),
    (b"masterkey", "api-key"),
    (b"accountkey", "api-key"),
    (b"subscriptionkey", "api-key"),
    (b"sessionkey", "api-key"),
    (b"presharedkey", "private-key"),
    (b"auth", "token"),
)


def entropy(value: bytes) -> float:
    """Shannon entropy in bits a character, of the beginning where a value is long."""
    head = value[:_HEAD]
    size = len(head)
    return -sum(n / size * log2(n / size) for n in Counter(head).values()) if size else 0.0


def placeholder(value: bytes) -> bool:
    """Whether a value only stands where a secret would: already redacted, a variable, an example, a type, a path."""
    head = value[:_HEAD]
    if b"REDACTED" in value or any(not _by_chance(head, found) for found in _PLACEHOLDER.finditer(head)):
        return True
    return _NOTHING.match(head) is not None and not _slashed_key(head) and not _dashed_key(head)


def _by_chance(value: bytes, found: re.Match[bytes]) -> bool:
    """Whether a word that placeholders have stands in a token as any letters may: in mixed case, or short with more letters around it."""
    word = found.group()
    if not word.isalpha() or not _of_all_kinds(value):
        return False
    if not (word.islower() or word.isupper() or word.istitle()):
        return True
    return len(word) < 6 and (
        value[found.start() - 1 : found.start()].isalnum() or value[found.end() : found.end() + 1].isalnum()
    )


def _of_all_kinds(value: bytes) -> bool:
    """Whether a value is as long as a token and has letters of both cases and digits."""
    return len(value) >= 20 and value.upper() != value != value.lower() and any(0x30 <= c <= 0x39 for c in value)


def _dashed_key(value: bytes) -> bool:
    """Whether what begins like an option is a key: one in 64 of those that may hold dashes begins with one."""
    return _DASHED_KEY.match(value) is not None and _of_all_kinds(value) and _scrambled(value)


def _slashed_key(value: bytes) -> bool:
    """Whether what begins like a path is a base64 key: one in 64 begins with a slash, and no folder is called so."""
    if not value.startswith(b"/") or _BASE64_KEY.match(value) is None:
        return False
    return any(len(part) >= 10 and _scrambled(part) for part in value.split(b"/"))


def _scrambled(value: bytes) -> bool:
    """Lower case, upper case and digits in no order that words have: two fifths of neighbours are of different kinds, six tenths by chance."""
    kinds = [0 if c <= 0x39 else 1 if c <= 0x5A else 2 for c in value]
    return sum(a != b for a, b in pairwise(kinds)) * 5 >= len(value) * 2


def trivial(value: bytes) -> bool:
    """Whether a value is one of the passwords everybody's local database has."""
    return value.lower() in _TRIVIAL


def example(value: bytes) -> bool:
    """Whether a token-shaped value comes from a vendor's documentation or is a row of the same characters."""
    if b"EXAMPLE" in value or b"REDACTED" in value or b"..." in value or b"****" in value:
        return True
    return any(not _by_chance(value, found) for found in _CROSSED.finditer(value))


@lru_cache(maxsize=4096)
def name_kind(name: bytes) -> str:
    """What an assignment to this name holds: password, secret, token, api-key, private-key; "" where it holds no secret."""
    words = [w.lower() for w in _WORDS.findall(name)]
    if not words or words[0] in _ABOUT_FIRST or words[-1] in _ABOUT_LAST or _ABOUT_ANY.intersection(words):
        return ""
    joined = b"".join(words)
    if name == b"client_token":
        # So a secret store spells its token; spelled otherwise it is an idempotency token of a cloud's API.
        return "secret"
    if joined in (b"clienttoken", b"clientrequesttoken"):
        return ""
    if words[-1] == b"pass" and len(words) > 1 and words[-2] in _WITH_PASS:
        return "password"
    for ending, kind in _ENDINGS:
        if any(word.endswith(ending) for word in words):
            return kind
    return next((kind for part, kind in _PARTS if part in joined), "")


def is_secret(kind: str, value: bytes, *, structural: bool, direct: bool) -> bool:
    """Whether a value under a name of this kind is a secret.

    `structural`: name and value are a member of a JSON object in the record itself. `direct`: written where people
    and programs put literal values (an environment line, a command-line flag), not in source code.
    """
    if kind != "password" and value.isdigit():
        return False
    size = len(value)
    if size < 4 or placeholder(value) or _ACCESS_KEY_ID.match(value):
        return False
    strong = kind in ("password", "secret", "private-key")
    if any(c in value for c in b" \t\r\n"):
        return structural and kind == "password" and size <= 128
    if kind == "secret" and structural and _VARIABLE.match(value) is not None:
        return False
    word = _IDENTIFIER.match(value) is not None or (value.replace(b"_", b"").isalpha() and name_kind(value) != "")
    if kind == "password":
        if structural:
            return not (word and size < 5)
        if word:
            return direct and size >= (6 if b"-" not in value else 12)
        return size >= (5 if direct else 6)
    if word and not (structural and strong and size >= 8) and not (size >= 20 and _mixed(value)):
        return direct and size >= 16 and entropy(value) >= 3.0
    if _UUID.match(value):
        return strong or kind == "api-key"
    if strong:
        return size >= 6 and (structural or direct or size >= 8)
    # Of thirty-two digits in hex one in some three hundred shows less than 3.2 bits a character.
    bits = 2.8 if structural or direct or _HEX_KEY.match(value) else 3.2
    return size >= (12 if structural or direct else 16) and entropy(value) >= bits


def _mixed(value: bytes) -> bool:
    """Letters of both cases in no order that words have: at least a fifth of neighbours change case."""
    changes = sum(97 <= a <= 122 and 65 <= b <= 90 for a, b in pairwise(value))
    return changes * 5 >= len(value)
