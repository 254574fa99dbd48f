"""Formats as data: what a mapping may say, what it makes of records, and how it complains."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import open_source
from importers.mapping.engine import Mapping
from importers.mapping.file import YamlError, built_in, read_mapping
from importers.registry import importers
from importers.shared.fields import decode
from model.event import BadRecord, Event, Key, Parsed, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

GATE = """
mapping: 1
id: acme-gate
title: Acme gate
version: 3
recognise: {has: [ts, op], lacks: [kind], when: op != 'hello'}
requires: [ts, op]
skip: op == 'heartbeat'
unpack: [body]
identity: id
type: op
time: {of: ts, unit: ms}
event:
  vantage: enforcer
  point: acme-gate
  principal: {name: =user, kind: human}
  keys:
    - {role: scope, kind: session, value: {of: session, as: session}}
  attrs: {host: =ip}
events:
  - when: op == 'read'
    kind: decision
    verb: secret.read
    target: {class: secret_store, name: =body.path}
    decision: {effect: {of: ok, values: {"true": allow, "false": deny}, default: unknown}, reason: =why}
    keys:
      - {role: call, kind: request, value: =id}
  - when: op == 'issue'
    kind: credential
    phase: issued
    verb: credential.issue
    credential:
      kind: token
      issuer: acme
      scope: {of: scopes, split: ","}
      ttl_seconds: =ttl
      expires: {time: exp, unit: s}
    keys:
      - {role: credential, kind: acme.token, value: =token_id}
  - when: op == 'call'
    kind: action
    call: {tool: =tool, arguments: =body}
    outcome: {tool: {of: ok, values: {"true": yes, "false": no}}}
  - when: op == 'http'
    kind: effect
    vantage: target
    request: {method: =method, url: =url}
    text: {template: "{method} {url}"}
  - otherwise: true
    kind: action
    verb: {of: op, values: {"push*": repo.write}, default: unknown}
    target: {class: repository, name: {first: [=repo, =body.repo]}}
"""
SESSION = "0d9c5a2e-6f0b-4f57-9c0d-1a2b3c4d5e6f"


def gate() -> Mapping:
    return read_mapping(GATE)


def read(**record: object) -> Parsed:
    return gate().open().read({"ts": 1_780_000_000_000, "user": "dana@acme.example", **record})


def one(**record: object) -> Event:
    (event,) = read(**record).events
    return event


def test_a_record_becomes_the_event_its_rule_says() -> None:
    event = one(op="read", id="r-1", ok=True, body='{"path":"prod/db"}', session=f"run-{SESSION}", ip="10.0.0.9")
    assert (event.kind, event.phase, event.vantage) == (EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER)
    assert (event.at, event.clock) == (1_780_000_000_000_000, Clock.EXACT)
    assert event.target == Target(TargetClass.SECRET_STORE, "prod/db")
    assert event.decision is not None
    assert event.decision.effect is Effect.ALLOW
    assert event.keys == (Key(KeyRole.SCOPE, "session", SESSION), Key(KeyRole.CALL, "request", "r-1"))
    assert event.attrs == {"host": "10.0.0.9"}
    assert event.principal is not None
    assert event.principal.name == "dana@acme.example"


def test_what_a_record_does_not_say_is_unknown_and_makes_no_key() -> None:
    event = one(op="read", id="", ok=None, body="not json", session="no session")
    assert event.decision is not None
    assert event.decision.effect is Effect.UNKNOWN
    assert event.keys == ()
    assert event.target.name == ""


def test_credentials_have_scope_life_time_and_end() -> None:
    fact = one(op="issue", id="1", scopes="a, b", ttl=900, exp=1_780_000_900, token_id="t-9").credential
    assert fact is not None
    assert (fact.scope, fact.ttl_seconds, fact.expires) == (("a", "b"), 900, 1_780_000_900_000_000)


def test_calls_and_requests_mean_what_they_mean_everywhere() -> None:
    called = one(op="call", tool="Bash", body={"command": "git push"}, ok=False)
    assert (called.verb, called.attrs["command"]) == (Verb.EXEC, "git push")
    assert called.outcome is not None
    assert called.outcome.tool is Tri.NO
    sent = one(op="http", method="POST", url="https://api.github.com/repos/acme/pay/pulls")
    assert (sent.verb, sent.target.name, sent.vantage) == (Verb.PR_OPEN, "acme/pay", Vantage.TARGET)
    assert sent.text == "POST https://api.github.com/repos/acme/pay/pulls"


def test_the_last_rule_takes_what_none_before_it_took() -> None:
    assert one(op="push.forced", repo="acme/pay").verb is Verb.REPO_WRITE
    assert one(op="other", body='{"repo":"acme/pay"}').target.name == "acme/pay"


def test_a_mandatory_field_that_is_missing_rejects_and_what_is_skipped_gives_nothing() -> None:
    with pytest.raises(BadRecord, match="op: is missing; Acme gate makes it mandatory"):
        read()
    assert read(op="heartbeat").events == []
    assert read(op="heartbeat").unknown_type is None


def test_recognition_is_by_content() -> None:
    mapping = gate()
    assert mapping.sniff([{"ts": 1, "op": "read"}]) == 80
    assert mapping.sniff([{"ts": 1}]) == 0
    assert mapping.sniff([{"ts": 1, "op": "read", "kind": "x"}]) == 0
    assert mapping.sniff([{"ts": 1, "op": "hello"}]) == 0


def test_lines_are_taken_apart_by_their_pattern() -> None:
    mapping = read_mapping(
        """
id: acme-access
container: lines
pattern: '^(?P<ip>\\S+) \\S+ (?P<user>\\S+) \\[(?P<at>[^\\]]+)\\] "(?P<method>[A-Z]+) (?P<path>\\S+)" (?P<status>\\d+)'
recognise: {has: [ip, method, status]}
time: at
events:
  - {kind: effect, vantage: target, point: acme, request: {method: =method, path: =path, host: registry.npmjs.org}, attrs: {status: =status}}
"""
    )
    text = b'10.0.0.1 - dana [2026-03-01 10:00:00] "GET /left-pad" 200\nnoise\n'
    source = open_source(io.BytesIO(text), format=mapping)
    records = [item for item in source.items() if hasattr(item, "data")]
    event = mapping.open().read(decode(records[0].data)).events[0]
    assert (event.verb, event.target.name, event.clock) == (Verb.PACKAGE_INSTALL, "left-pad", Clock.ZONE_ASSUMED)
    with pytest.raises(BadRecord, match="does not fit the pattern"):
        mapping.open().read(decode(records[1].data))


def test_each_element_of_a_list_gives_its_events() -> None:
    mapping = read_mapping(
        """
id: acme-batch
recognise: {has: [rows]}
time: at
each: rows
events:
  - {kind: decision, vantage: enforcer, point: acme, decision: {effect: =item.effect}, tool: =name}
"""
    )
    parsed = mapping.open().read({"at": "2026-01-01T00:00:00Z", "name": "n", "rows": [{"effect": "allow"}, {"effect": "deny"}]})
    assert [event.decision.effect for event in parsed.events if event.decision] == [Effect.ALLOW, Effect.DENY]
    assert {event.tool for event in parsed.events} == {"n"}
    with pytest.raises(BadRecord, match="'maybe' is none of"):
        mapping.open().read({"at": 1, "rows": [{"effect": "maybe"}]})


def made(fields: str, **record: object) -> Event:
    """The one event of a small mapping whose event has these members."""
    mapping = read_mapping(
        f"id: x\nrecognise: {{has: [at]}}\ntime: at\nevents:\n  - {{kind: effect, vantage: target, point: x, {fields}}}\n"
    )
    (event,) = mapping.open().read({"at": "2026-01-01T00:00:00Z", **record}).events
    return event


def test_values_can_be_joined_quoted_unhexed_and_counted() -> None:
    arguments = "attrs: {command: {of: {of: {of: args, as: hex}, as: argument}, join: ' '}, duration_ms: {of: ms, as: number}}"
    found = made(arguments, args=["git", "commit", "6120 b", "612062"], ms="12").attrs
    assert found == {"command": "git commit '6120 b' 'a b'", "duration_ms": 12}
    assert made(arguments, args="cafe", ms="x").attrs == {"command": "cafe"}
    assert made(arguments, ms="0").attrs == {"duration_ms": 0}


@pytest.mark.parametrize(
    ("hex", "plain"), [("6C73202F", "ls /"), ("6162", "6162"), ("abc", "abc"), ("6C73002F00", "ls /"), ("C3A9", "é")]
)
def test_hex_is_undone_only_where_the_text_needed_it(hex: str, plain: str) -> None:
    assert made("text: {of: a, as: hex}", a=hex).text == plain


def test_a_template_takes_named_values() -> None:
    keys = "keys: [{role: scope, kind: ci.job, value: {template: 'ci:{repo}:{run}', with: {repo: {of: url, as: repository}}}}]"
    assert made(keys, url="https://x.example/Acme/Pay", run=7).keys == (Key(KeyRole.SCOPE, "ci.job", "ci:acme/pay:7"),)
    assert made(keys, url="", run=7).keys == ()


def test_a_number_is_a_text_where_a_text_is_wanted_and_a_nameless_principal_is_none() -> None:
    assert made("principal: {name: =who, kind: human}").principal is None
    found = made("principal: {name: =who, kind: human}, text: =body", who=5, body={"not": "text"})
    assert found.principal is not None
    assert (found.principal.name, found.text) == ("5", "")


def test_a_fact_of_an_odd_type_costs_the_fact_not_the_record() -> None:
    fields = "attrs: {host: =a, url: =b, status: =c, command: =d}, credential: {scope: =e, kind: =b}"
    found = made(fields, a={"ip": "x"}, b=["u", 1, None], c=True, d=7, e=["r", {}, "w"])
    assert found.attrs == {"url": ["u"], "status": True, "command": 7}
    assert found.credential is not None
    assert (found.credential.scope, found.credential.kind) == (("r", "w"), "")


def test_an_event_may_have_a_time_of_its_own() -> None:
    assert made("time: {time: done}", done="2026-01-01T00:01:00Z").at == made("text: a").at + 60_000_000  # type: ignore[operator]
    assert made("time: {time: done}", done="never").at == made("text: a").at


def test_packages_are_known_by_the_request() -> None:
    event = made("package: {method: =m, path: =p, registry: npm}", m="GET", p="/left-pad/-/left-pad-1.3.0.tgz")
    assert (event.verb, event.target) == (Verb.PACKAGE_INSTALL, Target(TargetClass.PACKAGE_REGISTRY, "left-pad", "1.3.0"))


def test_folded_names_and_words_for_nothing() -> None:
    mapping = read_mapping(
        "id: x\nfold: true\nabsent: ['-', nobody]\nrecognise: {has: [eventtime]}\nrequires: [who]\ntime: eventtime\n"
        "events:\n  - {kind: effect, vantage: target, point: x, principal: {name: =who}, text: =deep.innername}\n"
    )
    (event,) = mapping.open().read({"EventTime": 1_780_000_000, "Who": "dana", "Deep": {"InnerName": "t"}}).events
    assert (event.text, event.at) == ("t", 1_780_000_000_000_000)
    with pytest.raises(BadRecord, match="who: is missing"):
        mapping.open().read({"eventTime": 1, "WHO": "nobody"})
    deep: object = "x"
    for _ in range(5000):
        deep = {"Deep": [deep]}
    (event,) = mapping.open().read({"EVENTTIME": 1, "who": "dana", "deep": deep}).events
    assert event.text == ""


def test_rounds_within_rounds_see_both_elements() -> None:
    mapping = read_mapping(
        """
id: x
recognise: {has: [asked]}
time: at
each: ["zip(asked, answered)", "pairs(item[1])"]
event: {kind: decision, vantage: enforcer, point: x}
events:
  - decision: {effect: =item.value}
    target: {name: "=outer[0].name", detail: =item.name}
"""
    )
    asked = [{"name": "a"}, {"name": "b"}]
    parsed = mapping.open().read({"at": 1, "asked": asked, "answered": [{"read": "allow", "write": "deny"}]})
    assert [(e.target.name, e.target.detail, e.decision.effect.value) for e in parsed.events if e.decision] == [
        ("a", "read", "allow"),
        ("a", "write", "deny"),
    ]
    assert mapping.open().read({"at": 1, "asked": "no list", "answered": None}).events == []


def test_a_mapping_may_be_like_another() -> None:
    mapping = read_mapping("id: acme-leash\nlike: leash\ntitle: Acme\nrecognise: {has: [acme]}\n")
    assert (mapping.id, mapping.title, mapping.container) == ("acme-leash", "Acme", "keyvalue")
    (event,) = mapping.open().read({"time": "2026-01-01T00:00:00Z", "event": "proc.exec", "decision": "denied"}).events
    assert event.verb is Verb.EXEC


def test_recognition_may_ask_for_a_pattern() -> None:
    mapping = read_mapping("id: x\nrecognise: {has: [at, {of: path, pattern: '[.]whl$'}]}\ntime: at\nevents: []\n")
    assert mapping.sniff([{"at": 1, "path": "/a.whl"}]) == 80
    assert mapping.sniff([{"at": 1, "path": "/a.txt"}]) == 0


def test_only_what_must_be_there_keeps_a_record_from_being_looked_into() -> None:
    mapping = read_mapping("id: x\nfold: true\nrecognise: {has: [at.time, a || b, {of: c, pattern: x}]}\ntime: at\nevents: []\n")
    assert mapping.recognise.needs == {"at"}
    assert mapping.sniff([{"At": {"time": 1}, "b": 2, "C": "x"}]) == 80
    assert mapping.sniff([{"b": 2, "C": "x"}]) == 0
    lines = read_mapping("id: x\ncontainer: lines\npattern: '(?P<at>[0-9]+)'\nrecognise: {has: [at]}\ntime: at\nevents: []\n")
    assert lines.sniff([{"line": "12 o'clock"}]) == 80


BASE = "id: x\nrecognise: {has: [a]}\ntime: a\nevents:\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("recognise: {has: [a]}\ntime: a\nevents: []\n", 1, "id: is missing"),
        ("id: Bad Name\nrecognise: {has: [a]}\ntime: a\nevents: []\n", 1, "lower-case"),
        ("id: x\nmapping: 2\nrecognise: {has: [a]}\ntime: a\nevents: []\n", 2, "version 1"),
        ("id: x\nrecognise: {score: 5}\ntime: a\nevents: []\n", 2, "needs has, any or when"),
        ("id: x\nrecognise: {has: ['a[']}\ntime: a\nevents: []\n", 2, "JMESPath"),
        (BASE + "  - {kind: efect}\n", 5, "'effect'"),
        (BASE + "  - {kind: effect, vantge: target}\n", 5, "did you mean 'vantage'?"),
        (BASE + "  - {vantage: target}\n", 5, "kind: is missing"),
        (BASE + "  - {kind: effect, verb: {of: a, values: {b: repo.wrte}}}\n", 5, "'repo.write'"),
        (BASE + "  - {kind: effect, attrs: {hots: =a}}\n", 5, "did you mean 'host'?"),
        (BASE + "  - {kind: effect, text: {of: a, pattern: '('}}\n", 5, "RE2"),
        (BASE + "  - {kind: effect, text: {of: a, as: upper}}\n", 5, "as is 'upper'"),
        ("id: x\ncontainer: lines\nrecognise: {has: [a]}\ntime: a\nevents: []\n", 2, "need a `pattern`"),
        ("id: x\npattern: a\nrecognise: {has: [a]}\ntime: a\nevents: []\n", 2, "container: lines"),
        ("id: [x\n", 2, "not valid YAML"),
        ("id: x\nlike: no-such\n", 2, "no mapping 'no-such'"),
        ("id: x\nlike: spire-text\n", 2, "name 'spire'"),
    ],
)
def test_complaints_name_place_and_remedy(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlError) as raised:
        read_mapping(text)
    assert words in str(raised.value)
    assert raised.value.line == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["ts", "op", "id", "ok", "body", "session", "user", "scopes", "ttl", "exp", "tool", "url", "repo"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from(["read", "issue", "call", "http"])))
def test_no_record_does_worse_than_being_rejected(record: dict[str, object]) -> None:
    for mapping in (gate(), *built_in()):
        try:
            mapping.open().read(record)
        except BadRecord as error:
            assert str(error)


def test_our_mappings_are_formats_like_the_others() -> None:
    assert built_in()
    for mapping in built_in():
        assert importers()[mapping.id] is mapping
        assert mapping.title != mapping.id


def test_the_words_before_the_pairs_are_taken_apart_by_a_pattern_where_they_fit() -> None:
    mapping = read_mapping(
        "id: x\ncontainer: keyvalue\npattern: '^(?P<level>[A-Z]{4})\\[[0-9]+\\] (?P<msg>.+)$'\n"
        "recognise: {has: [level, msg]}\ntime: time\nevents: [{kind: effect, vantage: enforcer, point: x, text: =msg, attrs: {status: =level}}]\n"
    )
    (shown,) = mapping.open().read({"_prefix": "INFO[0061] API accessed", "a": "1"}).events
    assert (shown.text, shown.attrs["status"]) == ("API accessed", "INFO")
    (written,) = mapping.open().read({"_prefix": "INFO[0061] elsewhere", "level": "info", "msg": "stated"}).events
    assert (written.text, written.attrs["status"]) == ("stated", "info")
    assert mapping.sniff([{"_prefix": "host gate[44]:", "a": "1"}]) == 0


def test_names_in_either_spelling_of_protobuf_are_one() -> None:
    mapping = read_mapping(
        "id: x\nfold: joined\nrecognise: {has: [startTime || starttime, inner.hostname]}\ntime: starttime\n"
        "events: [{kind: effect, vantage: enforcer, point: x, text: =inner.hostname}]\n"
    )
    for record in (
        {"startTime": "2026-06-01T14:00:00Z", "inner": {"host_name": "a"}},
        {"start_time": 1, "inner": {"hostName": "a"}},
    ):
        assert mapping.sniff([record]) == 80
        (told,) = mapping.open().read(record).events
        assert told.text == "a"


def test_an_envelope_around_each_record_is_taken_off() -> None:
    mapping = read_mapping(
        "id: x\ninside: [result.entry, entry]\nrecognise: {has: [at, who]}\ntime: at\n"
        "events: [{kind: effect, vantage: enforcer, point: x, text: =who}]\n"
    )
    bare = {"at": 1, "who": "a"}
    for record in (bare, {"entry": bare}, {"result": {"entry": bare}}, {"at": 1, "who": "a", "entry": "no object"}):
        assert mapping.sniff([record]) == 80
        (told,) = mapping.open().read(record).events
        assert told.text == "a"
