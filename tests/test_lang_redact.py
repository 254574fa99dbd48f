"""Redaction: nothing planted survives, what is no secret stays, syntax and joins hold."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lang.redact import RULES, Redactor
from lang.redact_view import View, has_escapes, plain
from model.words import KeyRole

_spec = importlib.util.spec_from_file_location("redact_planted", Path(__file__).with_name("redact_planted.py"))
assert _spec and _spec.loader
planted = importlib.util.module_from_spec(_spec)
sys.modules["redact_planted"] = planted
_spec.loader.exec_module(planted)

R = Redactor(b"0123456789abcdef")
ITEMS = planted.planted()


def test_there_are_enough_kinds() -> None:
    assert len({item.kind for item in ITEMS}) >= 110
    assert len({rule.kind for rule in RULES}) >= 200


def test_every_rule_has_a_pattern_that_can_be_tried() -> None:
    for rule in RULES:
        assert rule.keywords and re.compile(rule.pattern), rule.kind


@pytest.mark.parametrize("context", list(planted.contexts()))
def test_no_planted_secret_survives(context: str) -> None:
    write, is_json = planted.contexts()[context]
    survived = []
    for item in ITEMS:
        result = R.redact(write(item).encode(), json=is_json)
        seen = json.dumps(json.loads(result.data), ensure_ascii=False) if is_json else result.data.decode()
        if planted.core(item) in seen or planted.core(item).replace("/", "\\/") in result.data.decode() or not result.secrets:
            survived.append(item.kind)
    assert survived == []


@pytest.mark.parametrize("item", ITEMS, ids=[i.kind for i in ITEMS])
def test_one_secret_reads_the_same_in_every_context(item: planted.Planted) -> None:
    """The hex depends on the value alone; where a header or a name shows more than the token, the token still counts."""
    seen = set()
    for write, is_json in planted.contexts().values():
        for secret in R.redact(write(item).encode(), json=is_json).secrets:
            seen.add(secret.keys[0].value)
    assert len(seen) == 1


def test_redaction_is_idempotent_and_keeps_json_valid() -> None:
    for _, _, text, is_json in planted.records():
        once = R.redact(text.encode(), json=is_json)
        again = R.redact(once.data, json=is_json)
        assert again.data == once.data and again.secrets == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([i.value for i in ITEMS]),
            st.sampled_from([f"{i.name or 'password'}={i.value}" for i in ITEMS]),
            st.sampled_from(
                [
                    'password: "',
                    "token=",
                    '\\"secret\\":\\"',
                    "Bearer ",
                    "Basic ",
                    "://u:",
                    "@h",
                    "-----BEGIN RSA PRIVATE KEY-----",
                    "\\",
                    '"',
                    "\n",
                ]
            ),
            st.text(max_size=12),
        ),
        max_size=8,
    ),
    st.sampled_from(["", " ", ",", "\n", ":", '"', "\\"]),
    st.integers(0, 2),
    st.booleans(),
)
def test_json_stays_json_and_a_second_pass_changes_nothing(parts: list[str], glue: str, depth: int, escape: bool) -> None:
    value: object = {"password": glue.join(parts), "n": [1, None, glue.join(reversed(parts))]}
    for _ in range(depth):
        value = {"inner": json.dumps(value)}
    text = json.dumps(value).replace("/", "\\/") if escape else json.dumps(value, ensure_ascii=False)
    once = R.redact(text.encode("utf-8", "surrogatepass"))
    json.loads(once.data.decode("utf-8", "surrogatepass"))
    assert R.redact(once.data).data == once.data


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_taken(data: bytes, is_json: bool) -> None:
    once = R.redact(data, json=is_json)
    assert once.secrets or once.data == data


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='\\u0041/"ab{7', max_size=40))
def test_a_view_maps_back_to_whole_escapes(text: str) -> None:
    raw = text.encode()
    view = View(raw)
    position = 0
    for start in range(len(view.data)):
        begin, end = view.raw_span(start, start + 1)
        assert begin <= end <= len(raw) and begin >= position - 12
        position = max(position, begin)
    assert view.raw_span(0, len(view.data)) == (0, len(raw))
    if not has_escapes(raw):
        assert view.data == raw


def test_private_keys_in_any_notation_are_one_secret() -> None:
    key = planted.private_key()
    numbered = "\n".join(f"{n:>6}\u2192{line}" for n, line in enumerate(key.splitlines(), 1))
    texts = [
        (key, False),
        (key.replace("\n", "\\n"), False),
        (key.replace("\n", "\r\n"), False),
        (json.dumps({"private_key": key, "private_key_id": "a" * 40}), True),
        (json.dumps({"args": json.dumps({"content": key})}), True),
        (json.dumps({"content": numbered}), True),
        ("client-key-data: " + base64.b64encode(key.encode()).decode(), False),
        ("https://host.example/keys?page=2&key=" + quote(key, safe="") + "&sort=up", False),
        ("curl -d key=" + quote_plus(key) + " https://host.example", False),
    ]
    codes = set()
    for text, is_json in texts:
        result = R.redact(text.encode(), json=is_json)
        assert key.splitlines()[3].encode() not in result.data
        assert base64.b64encode(key.encode())[100:140] not in result.data
        if is_json:
            json.loads(result.data)
        codes |= {s.keys[0].value for s in result.secrets}
    assert len(codes) == 1


def test_a_cut_off_key_in_an_address_goes_and_its_neighbours_stay() -> None:
    key = quote(planted.private_key(), safe="")
    assert R.redact(f"a?k={key[:330]}".encode(), json=False).data.startswith(b"a?k=REDACTED.private-key.")
    assert R.redact(f"a?k={key}&sort=up".encode(), json=False).data.endswith(b"&sort=up")
    assert b"REDACTED" not in R.redact(b"grep -----BEGIN%20PRIVATE%20KEY-----", json=False).data


def test_a_key_that_is_cut_off_goes_as_far_as_it_is_there() -> None:
    key = planted.private_key("OPENSSH ")[:260]
    result = R.redact(json.dumps({"stdout": key, "next": "kept text"}).encode())
    assert json.loads(result.data)["next"] == "kept text"
    assert key[60:120].encode() not in result.data and result.secrets[0].kind == "ssh-private-key"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgres://app:Tr0ub4dor@db.internal:5432/pay", "Tr0ub4dor"),
        ("https://user:p%40ss-w0rd@host/x", "p%40ss-w0rd"),
        ("mysql -h db -u root -pS3cr3tPw! pay", "S3cr3tPw!"),
        ("sshpass -p 'Hunter-22x' ssh host", "Hunter-22x"),
        ("curl -s -u admin:G3heim-Wort https://host", "G3heim-Wort"),
        ("docker login -u me -p 9fK2-lwPq registry", "9fK2-lwPq"),
        ("machine host login me password 7hQ-wert", "7hQ-wert"),
        ("Cookie: theme=dark; sessionid=8c1fa2b97d3344e0ab12; lang=en", "8c1fa2b97d3344e0ab12"),
        ('"password": "correct horse 9 battery"', "correct horse 9 battery"),
        ("Server=db;Uid=app;Pwd=Zx81-Kw44;", "Zx81-Kw44"),
        ("<password>Ab12-Cd34</password>", "Ab12-Cd34"),
        ("aws configure set aws_secret_access_key " + "wJa1rXUtnF3MIxK7MDENGxbPxRf1CYqZ8Lm0sT4u", "wJa1rXUtnF3MIxK7MDENG"),
        ("X-Vault-Token: 6c4c1d9e-8f1b-4a52-9d35-0d6c8f3ab7e1x9", "6c4c1d9e-8f1b"),
        ('{"name": "DB_PASSWORD", "value": "q8-Lm-22-zz"}', "q8-Lm-22-zz"),
        ('{"password": 48151623}', "48151623"),
        ("?sv=2022&sig=" + "aB3%2F" + "k9ZxQw7LmTr2VbYp4HsNc8KdJf6GgE0oUiA1" + "%3D&se=1", "k9ZxQw7L"),
    ],
)
def test_secrets_known_by_their_place(text: str, secret: str) -> None:
    result = R.redact(text.encode(), json=text.startswith("{"))
    assert secret.encode() not in result.data and len(result.secrets) == 1
    if text.startswith("{"):
        json.loads(result.data)


def test_basic_authentication_joins_the_password_it_encodes() -> None:
    header = "Authorization: Basic " + base64.b64encode(b"app:Tr0ub4dor-9").decode()
    a = R.redact(header.encode(), json=False).secrets[0]
    b = R.redact(b"DB_PASSWORD=Tr0ub4dor-9", json=False).secrets[0]
    assert a.keys == b.keys and a.kind != b.kind


@pytest.mark.parametrize(
    "asked",
    [
        {"requestObject": {"data": {"app": "%"}}},
        {"requestObject": {"stringData": {"app": "hunter2-Pa55!"}}},
        {"requestObject": [{"op": "replace", "path": "/data/app", "value": "%"}]},
        {"requestObject": [{"value": "%", "op": "add", "path": "/data/app"}]},
        {"request": {"@type": "core.k8s.io/v1.Secret", "data": {"app": "%"}}},
    ],
    ids=["merged", "in clear", "operations", "value first", "typed"],
)
@pytest.mark.parametrize("carried", [False, True], ids=["plain", "in a string"])
def test_a_patch_of_a_cluster_secret_goes(asked: dict[str, object], carried: bool) -> None:
    """The audit of a request on secrets may say so in its reference alone."""
    encoded = base64.b64encode(b"hunter2-Pa55!").decode()
    record = {"objectRef": {"resource": "secrets", "name": "db"}, **json.loads(json.dumps(asked).replace("%", encoded))}
    other = {"objectRef": {"resource": "configmaps", "name": "c"}, "requestObject": {"data": {"colour": "blue-and-green"}}}
    items: object = [record, other] if "request" not in asked else [record]
    told = json.dumps({"log": json.dumps(items)} if carried else {"items": items})
    found = R.redact(told.encode())
    assert encoded.encode() not in found.data
    assert b"hunter2" not in found.data
    assert "request" in asked or b"blue-and-green" in found.data
    assert {one.pseudonym for one in found.secrets} == {R.pseudonym("kubernetes-secret", "hunter2-Pa55!")}
    json.loads(found.data)


@pytest.mark.parametrize(
    "query",
    [
        "command=sh&command=-c&command=DB_PASSWORD%3DhunterPa55x9Z+./run&stdout=true",
        "container=c&command=mysql&command=-u&command=root&command=-phunterPa55x9Z",
        "command=psql&command=--password%3DhunterPa55x9Z",
        "command=env&command=PGPASSWORD%3d%68unterPa55x9Z&command=psql",
    ],
)
@pytest.mark.parametrize("ampersand", ["&", "\\u0026"])
def test_a_secret_of_a_command_in_an_address_goes(query: str, ampersand: str) -> None:
    told = '{"requestURI":"/api/v1/namespaces/x/pods/p/exec?' + query.replace("&", ampersand) + '","verb":"create"}'
    found = R.redact(told.encode())
    assert b"unterPa55" not in found.data
    assert [one.pseudonym for one in found.secrets] == [R.pseudonym("password", "hunterPa55x9Z")]
    assert json.loads(found.data)["requestURI"].startswith("/api/v1/namespaces/x/pods/p/exec?")
    plain = '{"requestURI":"/api/v1/namespaces/x/pods/p/exec?command=ls&command=-la&command=%2Ftmp"}'
    assert R.redact(plain.encode()).data == plain.encode()


def test_cluster_secrets_join_what_they_encode() -> None:
    value = base64.b64encode(b"Tr0ub4dor-9").decode()
    as_json = json.dumps({"requestObject": {"kind": "Secret", "metadata": {"name": "db"}, "data": {"pw": value}}})
    nested = json.dumps({"annotation": as_json})
    as_yaml = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  pw: {value}\n  user: YXBw\n"
    clear = R.redact(b"DB_PASSWORD=Tr0ub4dor-9", json=False).secrets[0].keys
    for text, is_json in ((as_json, True), (nested, True), (as_yaml, False), (json.dumps({"t": as_yaml}), True)):
        result = R.redact(text.encode(), json=is_json)
        assert value.encode() not in result.data and b"metadata" in result.data
        assert clear in [s.keys for s in result.secrets]


WORD = "Qz81xkPw04LmTr2VbYp4"
PAIR = "wJa1rXUtnF3MIxK7MDENGxbPxRf1CYqZ8Lm0sT4u"
ID = "AKIA" + "Q3EGRT5YHN7MKJ2P"
NOTATIONS = {
    "key pair of an export": (f"User name,Access key ID,Secret access key\nbot,{ID},{PAIR}\n", PAIR),
    "key pair with a colon": (f"use {ID}:{PAIR}", PAIR),
    "key pair of a table": (f"|  AccessKeyId     |  {ID}  |\n|  SecretAccessKey |  {PAIR}   |", PAIR),
    "netrc lines": (f"machine api.host\n  login bot\n  password {WORD}\n", WORD),
    "netrc default": (f"default login bot password {WORD}", WORD),
    "netrc account": (f"machine h login bot account x password {WORD}", WORD),
    "pgpass": (f"db.internal:5432:pay:app:{WORD}", WORD),
    "wireguard": (f"[Peer]\nPresharedKey = {WORD}{WORD}abc=", WORD),
    "putty": (f"Private-Lines: 2\n{WORD * 3}\n{WORD}==\nPrivate-MAC: 00", WORD),
    "token as the user": (f"git clone https://{WORD}@host/a/b.git", WORD),
    "oracle": (f"jdbc:oracle:thin:scott/{WORD}@//db:1521/x", WORD),
    "sqlplus": (f"sqlplus scott/{WORD}@orcl", WORD),
    "sql password": (f"ALTER USER app WITH PASSWORD '{WORD}';", WORD),
    "sql identified": (f"create user app identified by '{WORD}'", WORD),
    "curl with joined flags": (f"curl -sSu jane:{WORD} https://x", WORD),
    "login with -p": (f"helm registry login r.io -u bot -p {WORD}", WORD),
    "echoed": (f"echo {WORD} | docker login -u bot --password-stdin", WORD),
    "echoed with a user": (f"echo 'deploy:{WORD}' | sudo chpasswd", WORD),
    "redis configuration": (f"requirepass {WORD}", WORD),
    "unzip": (f"unzip -P {WORD} a.zip", WORD),
    "openssl": (f"openssl rsa -in k.pem -passin pass:{WORD}", WORD),
    "keytool": (f"keytool -list -storepass {WORD}", WORD),
    "samba": (f"smbclient //s/x -U u%{WORD}", WORD),
    "signed address": (f"https://b.s3.host/k?X-Amz-Expires=3600&X-Amz-Signature={'0a9b7c' * 11}", "0a9b7c0a9b7c"),
    "unseal key": (f"Unseal Key 1: {WORD}{WORD}abcd", WORD),
    "short for password": (f"export DB_PASS={WORD}\nansible_become_pass: {WORD}", WORD),
    "parameter": (f"aws ssm put-parameter --name a --type SecureString --value {WORD}", WORD),
    "secret string": (f"aws secretsmanager put-secret-value --secret-id a --secret-string '{WORD}'", WORD),
    "secret of a repository": (f"gh secret set NAME --body {WORD}", WORD),
    "secret of a cluster": (f"kubectl create secret generic s --from-literal=a=b --from-literal=pw={WORD}", WORD),
    "secret of a store": (f"vault kv put secret/a x=1 pw={WORD}", WORD),
    "secret of Databricks": (f"databricks secrets put-secret s k --string-value '{WORD}'", WORD),
    "token of an address": ("GET /v1/kv/x?dc=a&token=b1a533c0-3d00-4000-8000-000000a0b001", "000000a0b001"),
    "token of Consul's": ("CONSUL_HTTP_TOKEN=b1a533c0-3d00-4000-8000-000000a0b001", "000000a0b001"),
    "line of a container file": (f"FROM x\nENV DB_PASSWORD {WORD}\nRUN y", WORD),
    "setx on a later line": (f"cd x\nsetx API_TOKEN {WORD}", WORD),
    "npm registry": ("//npm.host/:_authToken=7c5328de-4517-46a2-8c1b-5907fd30cbcb", "5907fd30cbcb"),
    "npm registry's password": (f"//npm.host/:_password={WORD}", WORD),
    "wireless": (f'network={{\n ssid="a"\n psk="{WORD}"\n}}', WORD),
    "key of an application": (f"APP_KEY=base64:{WORD}{WORD}abc=", WORD),
    "bcrypt": (f"u:$2y$10${WORD}{WORD}abcdefghij.kl", WORD),
    "shadow": (f"root:$6$saltsalt${WORD * 4}abcdef:19000:0:::", WORD),
    "argon2": (f"$argon2id$v=19$m=65536,t=3,p=4${WORD}${WORD * 2}abc", WORD),
    "slack cookie": (f"d=xox{''}d-{WORD}/{WORD}+{WORD}==; x", WORD),
}


@pytest.mark.parametrize("name", sorted(NOTATIONS))
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_secrets_in_the_notation_of_one_program(name: str, depth: int) -> None:
    text, secret = NOTATIONS[name]
    for _ in range(depth):
        text = json.dumps({"text": text})
    result = R.redact(text.encode(), json=depth > 0)
    assert secret.encode() not in result.data and result.secrets
    assert ID.encode() in result.data or ID not in text
    if depth:
        json.loads(result.data)


def _term(value: object) -> object:
    if isinstance(value, dict):
        return {"type": "object", "value": [[_term(name), _term(inner)] for name, inner in value.items()]}
    return {"type": "string", "value": value}


@pytest.mark.parametrize(
    "record",
    [
        {"input": _term({"password": WORD})},
        {"input": _term({"request": {"headers": {"x-api-key": WORD}}})},
        {"input": _term({"headers": {"authorization": "Token " + WORD}})},
        {"input": _term({"headers": {"cookie": "sessionid=" + WORD}})},
        {"parameters": [{"parameterKey": "DbPassword", "parameterValue": WORD}]},
        {"header_map": {"headers": [{"key": "x-api-key", "raw_value": WORD}]}},
        {"headers": {"x-api-key": ["REDACTED", WORD]}},
        {"passwords": ["Ab12-Cd34", WORD]},
        {"kty": "RSA", "n": "A" * 40, "e": "AQAB", "d": WORD * 3},
        {"keys": [{"kty": "oct", "k": WORD * 2, "alg": "HS256"}]},
        {"keys_base64": [WORD + WORD + "abc=", "Zz" + WORD + WORD + "a="], "root_token": "x"},
        {"auth": {"client_token": "6c4c1d9e-8f1b-4a52-9d35-0d6c8f3ab7e1", "note": "x"}},
    ],
    ids=repr,
)
def test_secrets_in_lists_pairs_and_ast_form(record: dict[str, object]) -> None:
    result = R.redact(json.dumps(record).encode())
    json.loads(result.data)
    assert WORD.encode() not in result.data and b"6c4c1d9e" not in result.data and result.secrets
    assert R.redact(json.dumps({"text": json.dumps(record)}).encode()).secrets


def test_a_client_registry_joins_the_password_it_encodes() -> None:
    login = base64.b64encode(f"robot:{WORD}".encode()).decode()
    clear = R.redact(f"DB_PASSWORD={WORD}".encode(), json=False).secrets[0]
    config = json.dumps({"auths": {"r.io": {"auth": login}}}, indent=1)
    for text in (config, json.dumps({"content": config}), "x: " + base64.b64encode(config.encode()).decode()):
        result = R.redact(text.encode(), json=text[0] == "{")
        assert login.encode() not in result.data
        assert [s.keys for s in result.secrets] == [clear.keys]


def test_an_encoded_document_goes_only_where_it_holds_a_secret() -> None:
    account = json.dumps({"type": "service_account", "private_key": planted.private_key(""), "client_email": "a@b"})
    secret, plain_text = (base64.b64encode(text.encode()).decode() for text in (account, json.dumps({"last": "k" * 60})))
    result = R.redact(json.dumps({"cmd": f"echo {secret} | base64 -d", "nextToken": plain_text}).encode())
    assert secret[40:90].encode() not in result.data and plain_text.encode() in result.data
    assert [s.kind for s in result.secrets] == ["private-key"]


@pytest.mark.parametrize("mount", [{"mount_type": "kv", "path": "team/data/app"}, {"path": "secret/app"}])
def test_stored_secrets_that_an_audit_device_wrote_in_clear(mount: dict[str, str]) -> None:
    request = {"id": "r1", "operation": "read", "remote_address": "10.0.0.1", **mount}
    data = {"data": {"dsn": "plain value-77aa", "kept": "hmac-sha256:0a1b"}, "metadata": {"created_time": "2024-05-01T00:00:00Z"}}
    record = {"type": "response", "request": request, "response": {"data": data}}
    result = R.redact(json.dumps(record, separators=(",", ":")).encode())
    assert b"value-77aa" not in result.data and [s.kind for s in result.secrets] == ["vault-secret"]
    assert json.loads(result.data)["request"] == request
    assert json.loads(result.data)["response"]["data"]["metadata"] == data["metadata"]
    elsewhere = json.dumps({"path": "secret/app", "data": {"dsn": "plain value-77aa"}}).encode()
    assert R.redact(elsewhere).data == elsewhere


@pytest.mark.parametrize(
    "text",
    [
        '{"token":"hmac-sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"}',
        '{"accessor":"hmac-sha256:77","id":"toolu_01A09q90qw90lq917835lq9","call_id":"call_Wz8Qm2Xk9"}',
        '{"sessionId":"fe5e1c67-53e7-4862-81ae-d0e013e3270b","uuid":"5c0375b4-57a5-4f26-b12d-d022ee4e51b7"}',
        '{"accessKeyId":"AKIAIOSFODNN7QWERTYU","token":"AKIAIOSFODNN7QWERTYU"}',
        '{"sha":"7fac1f20c8f1a1f0b6f0d3a3c4a5b6c7d8e9f001","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}',
        '{"integrity":"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="}',
        '{"usage":{"input_tokens":3,"cache_read_input_tokens":123456,"max_tokens":4096},"stop_token":"end_turn_1234567890"}',
        '{"nextToken":"eyJsYXN0IjoxMjM0NTY3ODkwfQ1234567890abcdef","hashed_token":"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="}',
        "password=${DB_PASSWORD} token=$TOKEN api_key={{ vault.key }} secret=<your-secret-here>",
        'password: "your-password" api_key="xxxxxxxxxxxxxxxx" secret: "********" token: "changeme"',
        "token = get_token(request); password = os.environ['PASSWORD']; secret = settings.SECRET_KEY",
        "def login(password: str, token: Optional[str] = None) -> bool: return password == expected_password",
        "The token authentication and bearer authentication headers need a password reset, see secret rotation.",
        "Authorization: Bearer <token>  Authorization: Bearer $TOKEN  Authorization: Bearer ${TOKEN}",
        "REDACTED *** REDACTED.github-pat.0123456789ab password=REDACTED.password.0123456789ab",
        '{"secretId":"arn:aws:secretsmanager:us-east-1:123456789012:secret:pay-db-1a2b3c","SecretArn":"x"}',
        '{"passwordLastUsed":"Jul 10, 2023, 12:09:47 PM","passwordResetRequired":true,"tokenType":"service1234567890"}',
        "-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----",
        "docker run -u 1000:1000 image; git push -u origin main; http://localhost:3000/a@b",
        "PWD=/home/me/project OLDPWD=/tmp",
        f"{ID} 7fac1f20c8f1a1f0b6f0d3a3c4a5b6c7d8e9f001",
        '{"accessKeyId":"AKIAQ3EGRT5YHN7MKJ2P","userName":"Alice","arn":"arn:aws:iam::123456789012:role/service-role/Deploy1"}',
        '{"clientToken":"6c4c1d9e-8f1b-4a52-9d35-0d6c8f3ab7e1","test_pass":"all of them","first_pass":"done already"}',
        "kubectl create configmap c --from-literal=a=Qz81xkPw04LmTr2V; aws ssm put-parameter --type String --value Qz81xkPw04Lm",
        '{"kty":"EC","crv":"P-256","x":"WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis","y":"y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE"}',
        "docker run -p 5432:5432 db; git clone https://octocat@github.com/o/r.git; ssh://git@host/a; mkdir -p a/b",
        "echo done | tee log; printf 'x' | docker build -; the password 'field' is shown",
        '{"secretKey":"DB_PASSWORD","metadata":{"secretKey":"STRIPE_KEY_NEW_2"}}',
        "_authToken = getTokenFromEnvironment2(); _authToken = process.env.NPM_TOKEN_2; x:_auth = something_long_here",
        'psk="${wifi_psk_2}" jina_embeddings_v3_model_name_that_is_quite_long_for_tests_and_more tr_prod_abcdefghijklmnop',
        '{"consul_accessor_id":"b1a533c0-3d00-4000-8000-000000a0b001","next":"/x?page_token=b1a533c0-3d00-4000-8000-000000a0b001"}',
        '{"auth":"required","next":"eyJsYXN0RXZhbHVhdGVkS2V5Ijp7ImlkIjoiMTIzNDU2Nzg5MCIsInBhZ2UiOjJ9fQ==","path":"secret/data/app"}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    result = R.redact(text.encode(), json=text.startswith("{"))
    assert result.data.decode() == text


@pytest.mark.parametrize("name", ["SecretAccessKey", "aws_secret_access_key"])
def test_a_key_that_begins_like_a_path_goes_and_a_path_stays(name: str) -> None:
    for text in (
        f'{{"{name}": "/EKOUwPIEoArjia50ur3KV5BV/yaZf3uhCQrJ9fd"}}',
        f"export {name.upper()}=/EKOUwPIEoArjia50ur3KV5BV/yaZf3uhCQrJ9fd",
    ):
        assert b"EKOUwPIEoArjia" not in R.redact(text.encode(), json=text.startswith("{")).data
    for path in ("/home/Petra/work/infra/live/secrets/DbPassword1", "/opt/Service2/SecretStore/current/keys/production"):
        assert path.encode() in R.redact(json.dumps({name: path}).encode(), json=True).data


def test_images_stay(pytestconfig: pytest.Config) -> None:
    image = base64.b64encode(bytes(range(256)) * 200).decode()
    text = json.dumps({"source": {"type": "base64", "media_type": "image/png", "data": image}, "signature": image[:600]})
    assert R.redact(text.encode()).data.decode() == text


def test_vendor_digest_joins_what_github_logs() -> None:
    token = next(i.value for i in ITEMS if i.kind == "github-pat")
    secret = R.redact(f"remote: {token}".encode(), json=False).secrets[0]
    logged = base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()
    assert {(k.kind, k.value) for k in secret.keys} >= {("token", R.token_pseudonym(logged))}
    assert all(k.role is KeyRole.CREDENTIAL for k in secret.keys)
    assert logged not in repr(secret)


def test_jwt_id_is_a_key() -> None:
    token = planted.token_jwt({"sub": "agent", "jti": "5a1b9c0e-77aa"})
    secret = R.redact(json.dumps({"h": "Bearer " + token}).encode()).secrets[0]
    assert secret.kind == "jwt" and ("jti", "5a1b9c0e-77aa") in {(k.kind, k.value) for k in secret.keys}


def test_keys_separate_installations() -> None:
    other = Redactor(b"another key of 16+")
    text = f"token {ITEMS[0].value}"
    assert R.redact_text(text) != other.redact_text(text)
    assert R.redact_text(text) == Redactor(b"0123456789abcdef").redact_text(text)
    assert R.redact_text("nothing here \udc80") == "nothing here \udc80"
    with pytest.raises(ValueError, match="16 bytes"):
        Redactor(b"short")


def test_trivial_passwords_go_but_are_no_credentials() -> None:
    secret = R.redact(b"postgres://postgres:postgres@localhost/db", json=False).secrets[0]
    assert not secret.usable


def test_plain_undoes_any_depth() -> None:
    value = 'p"a/s\\w'
    text = value
    for _ in range(3):
        text = json.dumps(text)[1:-1]
        assert plain(text.encode()) == plain(value.encode())


@pytest.mark.parametrize(
    "record",
    [
        {"args": ["mysql", "-p%", "-u", "root"]},
        {"args": ["/usr/bin/curl", "-d", '{"a": "b"}', "-u", "u:%", "https://x"]},
        {"args": ["sshpass", "-p", "%", "ssh", "host"]},
        {"args": ["docker", "login", "-u", "x", "-p", "%", "r.io"]},
        {"inner": json.dumps({"args": ["mysql", "-u", "root", "-p%"]})},
        {"command": "mysql -p% -u root"},
        {"cookies": [{"name": "sid", "value": "%", "path": "/api/v2/users"}], "other": {"value": "/keep/this/one"}},
        {"cookies": {"sid": "%", "theme": "dark"}, "other": {"value": "/keep/this/one"}},
        {"key": "http.request.header.cookie", "value": {"stringValue": "a=%; b=c"}},
        {"key": "db.password", "value": {"stringValue": "%"}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_programs_and_headers_were_given_piece_by_piece(record: dict[str, object], indent: int | None) -> None:
    secret = "Xq052vR8kTz4Lw9PmB2nYc7"
    clear = json.dumps(record, indent=indent).replace("%", secret)
    redacted = R.redact(clear.encode())
    kept = json.dumps(json.loads(redacted.data))
    assert secret not in kept and len(redacted.secrets) == 1
    assert redacted.secrets[0].pseudonym.rpartition(".")[2] == R.pseudonym("x", secret).rpartition(".")[2]
    assert ("/keep/this/one" in kept) == ("/keep/this/one" in clear) and ("/api/v2/users" in kept) == ("/api/v2/users" in clear)


def test_hostile_repetition_is_linear() -> None:
    for unit in (
        b"token=",
        b'"resource":"secrets","data":{',
        b'"path":"/data/a","value":"',
        b"&command=a%3D",
        b"?command=",
        b'"curl",',
        b'"cookies":[{"value":"',
        b"&command=%3Fcommand%3D",
        b'"password":"',
        b"://a:",
        b"eyJ",
        b"-----BEGIN PRIVATE KEY-----",
        b"-----BEGIN%20PRIVATE%20KEY-----",
        b"-----BEGIN+PRIVATE+KEY-----%0A-",
        b"--heroku-",
        b"Cookie: a=",
        b"kind: Secret data:{",
        b"\\u0041",
        b"Basic ",
        b"mysql ",
        b"echo ",
        b"password '",
        b"kv put a=b ",
        b'{"kty":',
        b"AKIAQ3EGRT5YHN7MKJ2P ",
        b'"passwords":["a","b",',
        b"machine a login b ",
        b'"path":"secret/a"',
        b"eyJhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh ",
        b"Private-Lines: 1\\n",
        b'password"},{"type":"string","value":"',
    ):
        R.redact(unit * (200_000 // len(unit)), json=True)
    for unit in (b"A-", b"\n", b"7", b"\\\\"):
        body = unit * (60_000 // len(unit))
        for _ in range(20):
            R.redact(b"-----BEGIN PRIVATE KEY-----" + body + b"-----END PRIVATE KEY-----", json=False)


CORPUS_LEFT = {
    "claude-code": (b"toolu_", b"sessionId", b"requestId", b"msg_"),
    "cloudtrail": (b"AKIA", b"ASIA", b"eventID", b"arn:aws:secretsmanager"),
    "vault-audit": (b"hmac-sha256:",),
    "github-audit": (b"hashed_token", b"_document_id"),
}


@pytest.mark.parametrize("folder", sorted(CORPUS_LEFT))
def test_corpus_ids_survive(corpus: Path, folder: str) -> None:
    """Over real logs: still JSON line by line, no identifier lost, and hardly a line touched."""
    lines = touched = 0
    for path in sorted((corpus / folder).rglob("*.json*"))[:60]:
        for line in path.read_bytes().split(b"\n")[:400]:
            result = R.redact(line)
            lines += 1
            touched += bool(result.secrets)
            for mark in CORPUS_LEFT[folder]:
                assert result.data.count(mark) == line.count(mark)
            if result.secrets and line[:1] in b"{[":
                try:
                    json.loads(line)
                except ValueError:
                    continue
                json.loads(result.data)
    assert lines > 20
    assert touched <= max(24, lines // 200)


def test_a_password_with_slashes_in_an_address_is_one_and_a_port_with_a_path_is_none() -> None:
    value = "rLM1I+aHXUlp9HNPouumyr5T9pjV/ccbmkpiSjbUWmBF"
    for text in (f"https://x-access-token:{value}@host.example/a", f"postgres://app:{value}@db:5432/x"):
        assert value not in R.redact_text(text)
    for text in (
        "https://registry.example:4873/a9Xk2LmQ7pZr4TbV8nWc1YdS/@scope/pkg",
        "http://host:8080/path/with/Many1Parts/@me",
    ):
        assert R.redact_text(text) == text


def test_a_run_of_backslashes_is_looked_through_once() -> None:
    """Text that was written as JSON in JSON many times over doubles them: two megabytes of them would take minutes otherwise."""
    raw = b'{"a":"' + b"\\" * (2 << 20) + b'\\u0041"}'
    assert View(raw).data == b'{"a":"A"}'
    assert View(b'"' + b"\\" * (2 << 20) + b'"').data == b'"' + b"\\" * (2 << 20) + b'"'


def test_a_command_line_in_xml_is_read_with_its_quotes() -> None:
    value = "Zq7fK2mW9xB4tR"
    for command in (
        f"mysql --password=&quot;{value}&quot; db",
        f"curl -u &quot;bob:{value}&quot; https://h",
        f"curl -u &apos;b:{value}&apos; h",
    ):
        line = f'<Data Name="CommandLine">{command}</Data>'
        for text in (line, json.dumps({"line": line})):
            redacted = R.redact(text.encode(), json=text != line).data.decode()
            assert value not in redacted
            assert redacted.count(command[-8:]) == 1
    plain = "<p>he said &quot;no&quot;, and &apos;maybe&apos;</p>"
    assert R.redact_text(plain) == plain
