"""Clear-text secrets replaced by keyed pseudonyms before anything is stored, and still joinable.

One Aho-Corasick pass finds the keywords of all rules; only where one stands is a pattern tried. A secret gives way to
`REDACTED.<kind>.<12 hex>`, the hex being HMAC-SHA256 of the secret's own characters under the installation's key: the
same secret gives the same hex in a header, a prompt, an environment line and a string inside a string. What is already
redacted, a placeholder or an identifier stays as it is, and a record that was JSON is JSON afterwards.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from lang import redact_audit as audit
from lang import redact_fields as fields
from lang import redact_judge as judge
from lang import redact_places as places
from lang import redact_programs as programs
from lang import redact_query as query
from lang.redact_named import NAMED
from lang.redact_rules import Rule, any_case, spellings
from lang.redact_scan import BLOCK, REACH, Finder, Found, Scan, decoded
from lang.redact_services import BUSINESS, MESSAGING, MONITORING, REGISTRIES
from lang.redact_tokens import CLOUDS, CODE_HOSTS, GITHUB_KINDS, MODELS
from lang.redact_view import ESCAPES, View, has_escapes, plain
from model.event import Key
from model.words import KeyRole

RULES: tuple[Rule, ...] = (
    *CODE_HOSTS,
    *MODELS,
    *CLOUDS,
    *REGISTRIES,
    *MONITORING,
    *MESSAGING,
    *BUSINESS,
    *NAMED,
    *programs.GIVEN,
)

VENDOR_BITS = 80
"""A digest without a key is computed only of values too rich to be found by trying."""

MOST_TOLD = 4096
"""Distinct secrets of one record that are told, each of which is an event: what holds more is a list of passwords."""

_ROUNDS = 4
_WHOLE = 2 << 20
"""Bytes of a record that are searched at once: of a larger one a piece after the other, each with so much around it that
whatever begins in it is found as in the whole. A byte of text may give a hundred of candidates."""

_PIECE, _AROUND = 1 << 20, 4 * BLOCK
_HEX = 12

_ASSIGNED_NAMES = (
    "password passwd passwort passphrase secret token apikey api_key api-key access_key access-key accesskey "
    "private_key private-key privatekey auth_key auth-key authkey signing_key signing-key signingkey encryption_key "
    "encryption-key encryptionkey master_key master-key masterkey account_key account-key subscription-key "
    "subscription_key session_key session-key sessionkey ssh_key ssh-key credential client-key-data presharedkey preshared_key storepass keypass client_token _pass -pass"
)
_PASSWORD_PROGRAMS = (
    b"sshpass",
    b"mysql ",
    b"mysqldump ",
    b"mysqladmin ",
    b"redis-cli ",
    b"docker login",
    b"podman login",
    b"buildah login",
    b"nerdctl login",
    b"skopeo login",
    b"registry login",
    b"oras login",
    b"oc login",
    b"az login",
    b"acr login",
    b"twine upload",
)
_LISTED_PROGRAMS = tuple(dict.fromkeys((b"curl", *(name.split()[0] for name in _PASSWORD_PROGRAMS if b"registry" not in name))))
_ASSIGNED_EXTRA = (
    b"apiKey ApiKey APIKey Api_Key Api-Key API-Key Access-Key Private-Key Auth-Key Subscription-Key accessKey "
    b"AccessKey privateKey PrivateKey authKey AuthKey signingKey SigningKey encryptionKey EncryptionKey masterKey "
    b"Pass MasterKey sessionKey SessionKey PresharedKey PassWord passWord PWD Pwd pwd _auth"
)


_DIGEST = re.compile(rb"[0-9a-f]{64}")


class Secret(NamedTuple):
    """A secret that was in a record: what it is, how it reads now, and the keys under which it can be joined.

    `usable` is False where it is no credential by itself (a publishable key, everybody's default password); `digest` says that
    it has the form of a SHA-256 in hex, which a format may know to be all it is.
    """

    kind: str
    label: str
    pseudonym: str
    keys: tuple[Key, ...]
    usable: bool
    digest: bool = False


class Redacted(NamedTuple):
    """A record after redaction, and the distinct secrets that were in it, in the order of their first appearance.

    All of them are replaced; the first `MOST_TOLD` are told one by one.
    """

    data: bytes
    secrets: tuple[Secret, ...]


class Redactor:
    """Redacts under one key. The same key gives the same pseudonyms on every machine; another key joins nothing."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the pseudonym key must have at least 16 bytes")
        self._key = key

    def redact(self, data: bytes, json: bool = True) -> Redacted:
        """One record without its secrets; with `json` it stays syntactically valid JSON if it was."""
        secrets: dict[str, Secret] = {}
        for _ in range(_ROUNDS):
            # What one round replaced may have hidden a neighbour from a pattern; most records need no second round.
            out, done = BytesIO(), 0
            for start, end, item in _spans(data, json):
                secret = self._secret(item)
                if len(secrets) < MOST_TOLD:
                    secrets.setdefault(secret.pseudonym[-_HEX:], secret)
                text = secret.pseudonym.encode()
                out.write(data[done:start])
                out.write(b'"' + text + b'"' if item.quote else text)
                done = end
            if not done:
                break
            out.write(memoryview(data)[done:])
            data = out.getvalue()
        return Redacted(data, tuple(secrets.values()))

    def redact_text(self, text: str) -> str:
        """Plain text without its secrets."""
        if not text:
            return text
        data = text.encode("utf-8", "surrogatepass")
        redacted = self.redact(data, json=False).data
        return text if redacted == data else redacted.decode("utf-8", "surrogatepass")

    def pseudonym(self, kind: str, value: str | bytes) -> str:
        """How a secret of this kind reads once replaced; the hex depends on the value alone."""
        return f"REDACTED.{kind}.{self._hex(value)}"

    def token_pseudonym(self, b64digest: str) -> str:
        """The keyed pseudonym of a vendor's own digest of a token (GitHub's `hashed_token`, base64 of SHA-256)."""
        return hmac.new(self._key, b"vendor-digest\0" + b64digest.strip().encode(), sha256).hexdigest()[:32]

    def _hex(self, value: str | bytes) -> str:
        raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return hmac.new(self._key, raw, sha256).hexdigest()[:_HEX]

    def _secret(self, item: Found) -> Secret:
        code = self._hex(item.value)
        keys = [Key(KeyRole.CREDENTIAL, "secret", code)]
        if item.kind in GITHUB_KINDS and judge.entropy(item.value) * len(item.value) >= VENDOR_BITS:
            vendor = b64encode(sha256(item.value).digest()).decode()
            keys.append(Key(KeyRole.CREDENTIAL, "token", self.token_pseudonym(vendor)))
        if item.kind == "jwt" and (jti := places.jti(item.value)):
            keys.append(Key(KeyRole.CREDENTIAL, "jti", jti))
        return Secret(
            item.kind,
            item.label,
            f"REDACTED.{item.kind}.{code}",
            tuple(keys),
            item.usable,
            _DIGEST.fullmatch(item.value) is not None,
        )


def _finders() -> list[tuple[tuple[bytes, ...], Finder]]:
    """Keywords and finders of secrets that have no shape of their own, the most telling first."""
    words = tuple(dict.fromkeys((*(s for name in _ASSIGNED_NAMES.split() for s in spellings(name)), *_ASSIGNED_EXTRA.split())))
    return [
        ((b"-----BEGIN ",), places.pem),
        ((b"-----BEGIN%20", b"-----BEGIN+"), places.encoded_pem),
        ((b"eyJ",), places.jwt),
        ((b"LS0tLS1CRUdJTi",), places.base64_pem),
        ((b"Bearer", b"bearer", b"BEARER"), places.bearer),
        ((b"Basic ", b"basic ", b"BASIC ", b"Basic%20"), places.basic),
        ((b"Secret",), places.cluster_secret),
        ((b'secrets"', b"secrets\\"), places.audited_secret),
        ((b"://",), places.userinfo),
        ((b"AKIA", b"ASIA"), programs.key_pair),
        ((b"curl ",), programs.user_flag),
        (tuple(_PASSWORD_PROGRAMS), programs.password_flag),
        ((b"echo ", b"printf "), programs.echoed),
        (any_case("password '", "identified by '"), programs.sql),
        (tuple(programs.HANDED_OVER), programs.handed_over),
        ((b"machine ", b"default login"), programs.netrc),
        ((b'auth"', b"auth\\"), programs.registry_auth),
        ((b"unseal_keys_", b"recovery_keys_", b"keys_base64"), programs.key_shares),
        ((b"eyJ", b"ewo", b"YXBpVmVyc2lvbjog"), _base64_document),
        ((b"?command=", b"&command="), _called_by_query),
        (tuple(name + mark for name in _LISTED_PROGRAMS for mark in (b'"', b"\\")), _called_by_list),
        (audit.KEYWORDS, _called_in_audit),
        ((b"Private-Lines:",), places.putty),
        ((b'"kty', b"kty\\"), places.jwk),
        ((b'"mount_type"', b'"path"'), places.stored_secret),
        ((b"Authorization", b"authorization"), places.authorization),
        ((b"Cookie", b"cookie"), places.cookie),
        ((b'cookies"', b"cookies\\"), places.cookies),
        (words, fields.assignment),
    ]


def _base64_document(scan: Scan, start: int, end: int) -> int:
    """A JSON or YAML document with a secret in it, encoded in base64 as a whole (a service account, a client's logins).

    It stands for the first secret within it, so that it joins that secret written elsewhere.
    """
    match = _BASE64_DOCUMENT.match(scan.data, start)
    if match is None:
        return 0
    clear = decoded(match.group())
    if clear is None or clear.lstrip()[:1] not in (b"{", b"a") or b"\0" in clear:
        return match.end()
    if found := _find(clear, clear[:1] == b"{"):
        item = found[0][2]
        return scan.add(Found(match.start(), match.end(), item.kind, item.label, item.value, item.usable))
    return match.end()


def _called_by_query(scan: Scan, start: int, end: int) -> int:
    """The command line in an address, as an exec into a container is asked for; what is found gives way in its own, encoded, place."""
    # An address may hold one that holds one, as deep as it is long: what is typed there is searched, and no further address within.
    if scan.typed:
        return 0
    (line, lies), until = query.typed(scan.data, start)
    for begin, stop, item in _find(line, False, typed=True):
        scan.add(item._replace(start=lies[begin], end=lies[stop]))
    return until


def _called_by_list(scan: Scan, start: int, end: int) -> int:
    """A program's arguments as a list of texts, as audit logs hold them; searched as they would be typed, each gives way in its place."""
    name = end - 1
    if scan.typed:
        return 0
    typed, lies, at = bytearray(scan.data[start:name]), [*range(start, name + 1)], name
    listed = _LISTED_PLAIN if scan.data[name : name + 1] == b'"' else _LISTED
    while part := listed.match(scan.data, at, min(len(scan.data), start + REACH)):
        typed += b" " + part.group(1)
        lies += range(part.start(1), part.end(1) + 1)
        at = part.end(1)
    for begin, stop, item in _find(bytes(typed), False, typed=True) if at > name else ():
        scan.add(item._replace(start=lies[begin], end=lies[stop]))
    return at


def _called_in_audit(scan: Scan, start: int, end: int) -> int:
    """A command line as the kernel's audit has it; what is found in an argument that stands in hex gives way there."""
    (line, lies), until = audit.typed(scan.data, start)
    for begin, stop, item in () if scan.typed else _find(line, False, typed=True):
        if b'"' not in scan.data[lies[begin] : lies[stop]]:
            scan.add(item._replace(start=lies[begin], end=lies[stop]))
    return until


_BASE64_DOCUMENT = re.compile(rb"(?<![A-Za-z0-9+/._-])[A-Za-z0-9+/]{40,65536}={0,2}(?![A-Za-z0-9+/._-])")


def _by_rule(rule: Rule) -> Finder:
    """A rule as the finder that tries it."""
    kind, label, bits, usable, back, ahead = rule.kind, rule.label, rule.bits, rule.usable, rule.back, rule.ahead + 1
    group: str | int = 0
    pattern: re.Pattern[bytes] | None = None

    def tried(scan: Scan, start: int, end: int) -> int:
        nonlocal group, pattern
        if pattern is None:
            pattern = re.compile(rule.pattern)
            group = "v" if "v" in pattern.groupindex else 0
        match = pattern.search(scan.data, max(0, start - back), end + ahead) if back else pattern.match(scan.data, start)
        if match is None:
            return 0
        value = match.group(group)
        if judge.example(value) or (bits and judge.entropy(value) < bits):
            return 0
        return scan.add(Found(match.start(group), match.end(group), kind, label, plain(value), usable))

    return tried


def _ranked() -> list[tuple[tuple[bytes, ...], Finder]]:
    """Keywords and what to try there; of overlapping candidates the one that stands further before is the more telling."""
    # A whole private key comes before any token that its base64 might happen to hold.
    finders = _finders()
    return [finders[0], *((rule.keywords, _by_rule(rule)) for rule in RULES), *finders[1:]]


def _by_keyword() -> dict[bytes, list[tuple[int, Finder]]]:
    """What to try at each keyword, with its rank."""
    table: dict[bytes, list[tuple[int, Finder]]] = defaultdict(list)
    for rank, (words, action) in enumerate(_RANKED):
        for word in words:
            table[word].append((rank, action))
    return dict(sorted(table.items()))


_LISTED = re.compile(rb"""\\{1,9}"\s{0,4},\s{0,40}\\{1,9}"((?:[^"\\]++|\\[^"\\])*+)""")
_LISTED_PLAIN = re.compile(rb"""\"\s{0,4},\s{0,40}"((?:[^"\\]++|\\.)*+)""", re.DOTALL)
_RANKED = _ranked()
_TABLE = _by_keyword()
_RANKS = {action: rank for rank, (_, action) in enumerate(_RANKED)}
_ANYWAY: dict[Finder, int] = {
    places.stored_values: _RANKS[places.stored_secret],
    places.audited_values: _RANKS[places.audited_secret],
}
# Escapes of printable characters are met in the same pass; they mean that the record must be read without them.
_ACTIONS = [*_TABLE.values(), *([] for _ in ESCAPES)]
_SEARCH = BytesAhoCorasick([*_TABLE, *ESCAPES], implementation=Implementation.DFA)


def _spans(data: bytes, json: bool) -> Iterator[tuple[int, int, Found]]:
    """Spans to replace in a record, in order, none overlapping."""
    if len(data) <= _WHOLE:
        yield from _find(data, json)
        return
    done, told = 0, places.Told(data, json)
    for at in range(0, len(data), _PIECE):
        begin = max(0, at - _AROUND)
        for start, end, item in _find(data[begin : at + _PIECE + _AROUND], json, anyway=tuple(told.at(begin))):
            if max(at, done) <= begin + start < at + _PIECE:
                done = begin + end
                yield begin + start, done, item


def _find(raw: bytes, json: bool, typed: bool = False, anyway: tuple[Finder, ...] = ()) -> list[tuple[int, int, Found]]:
    """Spans to replace in a text that is searched as a whole, in order, none overlapping; `anyway` needs no keyword in it."""
    hits = _SEARCH.find_matches_as_indexes(raw, overlapping=True)
    if not hits and not anyway:
        return []
    view = None
    if hits and max(hits)[0] >= len(_TABLE) and has_escapes(raw):
        view = View(raw)
        hits = _SEARCH.find_matches_as_indexes(view.data, overlapping=True)
    scan = Scan(raw if view is None else view.data, json, typed)
    looked: dict[int, int] = {}
    for index, start, end in hits:
        for rank, action in _ACTIONS[index]:
            if start < looked.get(rank, 0):
                continue
            scan.rank = rank
            until = action(scan, start, end)
            if until:
                looked[rank] = until
    for action in anyway:
        scan.rank = _ANYWAY[action]
        action(scan, 0, 0)
    if not scan.candidates:
        return []
    return [(*((item.start, item.end) if view is None else view.raw_span(item.start, item.end)), item) for item in _chosen(scan)]


def _chosen(scan: Scan) -> list[Found]:
    """The most telling of overlapping candidates; what shares a byte with a more telling one adds nothing."""
    starts: list[int] = []
    taken: list[Found] = []
    for _, _, _, item in sorted(scan.candidates):
        at = bisect_left(starts, item.start)
        if (at == 0 or taken[at - 1].end <= item.start) and (at == len(taken) or item.end <= taken[at].start):
            starts.insert(at, item.start)
            taken.insert(at, item)
    return taken
