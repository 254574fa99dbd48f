"""The organisation file: read strictly, told precisely where it is wrong, and answering unknown where it is silent."""

from __future__ import annotations

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.facts import OrgFacts
from chains.org import load, org_schema
from lang.times import parse_time
from lang.yamlread import YamlError
from model.words import TargetClass

FULL = """
name: Acme
repositories:
  acme/payments: {owner: team-pay, environment: prod, classification: restricted, project: pay}
  acme/*: {owner: team-core}
accounts:
  905613482077: {environment: production}
hosts: {"*.internal.acme": {environment: prod}}
paths: {"**/terraform/**": {owner: team-infra}}
secrets: {"*prod/*": {environment: prod}}
resources:
  "database:*.staging.*": {environment: staging}
change_windows:
  - {environment: prod, days: [tue, thu], start: "14:00", end: "16:00", zone: Europe/Stockholm}
  - {environment: staging, days: fri-mon, start: "22:00", end: "02:00"}
  - {environment: freeze, from: 2026-03-01, to: "2026-03-02T00:00:00Z"}
approved:
  registries: [packages.acme.example]
  hosts: ["*.acme.example"]
identities:
  dana@acme: [dana-gh, "arn:aws:sts::*:assumed-role/*/dana"]
  batch: {kind: service, aliases: [svc-batch]}
ttl_limits: {prod: 15m, "*": 12h}
ticket_pattern: "PAY-[0-9]+"
enforcement_points:
  - {id: "opa:*", vantage: enforcer, since: "2026-02-01", heartbeat: 10m}
detections:
  CRED-03: {grace_seconds: 9}
inference: {threshold: 0.8, window: 2m}
"""


@pytest.fixture
def facts() -> OrgFacts:
    return OrgFacts(load(FULL))


def moment(text: str) -> int:
    at, _ = parse_time(text)
    assert at is not None
    return at


def test_every_resource_states_what_it_says_and_no_more(facts: OrgFacts) -> None:
    found = facts.resource(TargetClass.REPOSITORY, "acme/payments")
    assert (found.owner, found.environment, found.classification, found.project) == ("team-pay", "prod", "restricted", "pay")
    assert facts.resource("repository", "ACME/Web").owner == "team-core"
    assert facts.resource("repository", "acme/web").environment == ""
    assert facts.resource("repository", "other/web").owner == ""
    assert facts.resource("repository", "").owner == ""
    assert facts.resource("account", "905613482077").environment == "production"
    assert facts.resource("secret_store", "kv/data/prod/db").environment == "prod"
    assert facts.resource("database", "pay.staging.acme").environment == "staging"
    assert facts.resource("filesystem", "/home/d/terraform/main.tf").owner == "team-infra"


def test_a_more_special_glob_does_not_hide_what_only_the_general_one_states() -> None:
    facts = OrgFacts(load("repositories: {acme/pay: {environment: prod}, acme/*: {owner: core, environment: dev}}"))
    found = facts.resource("repository", "acme/pay")
    assert (found.owner, found.environment) == ("core", "prod")


def test_change_windows_by_weekday_zone_midnight_and_span(facts: OrgFacts) -> None:
    assert facts.in_change_window("prod", moment("2026-03-17T13:30:00Z")) is True
    assert facts.in_change_window("prod", moment("2026-03-17T15:30:00Z")) is False
    assert facts.in_change_window("prod", moment("2026-03-18T13:30:00Z")) is False
    assert facts.in_change_window("staging", moment("2026-03-20T23:30:00Z")) is True
    assert facts.in_change_window("staging", moment("2026-03-24T01:30:00Z")) is True
    assert facts.in_change_window("staging", moment("2026-03-25T01:30:00Z")) is False
    assert facts.in_change_window("freeze", moment("2026-03-01T12:00:00Z")) is True
    assert facts.in_change_window("freeze", moment("2026-03-02T12:00:00Z")) is False


def test_what_is_not_stated_is_unknown(facts: OrgFacts) -> None:
    assert facts.in_change_window("dev", moment("2026-03-17T13:30:00Z")) is None
    assert facts.in_change_window("prod", None) is None
    assert facts.approved_mcp_server("anything") is None
    assert facts.kind("dana@acme") == ""
    nothing = OrgFacts()
    assert nothing.ttl_limit("prod") is None
    assert nothing.in_change_window("prod", 0) is None
    assert nothing.ticket_in("PAY-1") == ""
    assert nothing.identity("x") == "x"


def test_identities_limits_lists_and_points(facts: OrgFacts) -> None:
    assert facts.identity("DANA-GH") == "dana@acme"
    assert facts.identity("arn:aws:sts::12:assumed-role/x/dana") == "dana@acme"
    assert facts.identity("stranger") == "stranger"
    assert facts.kind("svc-batch") == "service"
    assert facts.knows_identity("dana-gh")
    assert not facts.knows_identity("stranger")
    assert facts.ttl_limit("prod") == 900
    assert facts.ttl_limit("staging") == 43_200
    assert facts.approved_registry("packages.acme.example") is True
    assert facts.approved_host("evil.example") is False
    assert [p.id for p in facts.expected_points("opa:agents")] == ["opa:*"]
    assert facts.expected_points("vault") == []
    assert facts.ticket_in("see PAY-118, please") == "PAY-118"
    assert facts.parameters("CRED-03") == {"grace_seconds": 9}
    assert facts.org.inference_threshold == 0.8
    assert facts.org.inference_window_seconds == 120


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("name: x\nrepositoris: {}\n", 2, 1, "did you mean 'repositories'?"),
        ("repositories:\n  a/b: {ownr: x}\n", 2, 9, "did you mean 'owner'?"),
        ("name: [\n", 2, 1, "not valid YAML"),
        ("name: {a: 1}", 1, 7, "must be text"),
        ("- a", 1, 1, "must be a mapping"),
        ("name: a\nname: b", 2, 1, "a second time"),
        ("resources: {payments: {}}", 1, 13, "class:glob"),
        ("change_windows:\n- {days: [someday]}", 2, 10, "is not a day"),
        ('change_windows: [{start: "25:00"}]', 1, 26, "not a time of day"),
        ("change_windows: [{zone: Mars/Olympus}]", 1, 25, "unknown time zone"),
        ("change_windows: [{from: soon}]", 1, 25, "ISO 8601"),
        ("change_windows: [{from: 2026-01-01, days: mon}]", 1, 43, "not both"),
        ("identities: {a: {kind: robot}}", 1, 24, "one of human"),
        ("identities: {a: [b], c: [B]}", 1, 22, "already names 'a'"),
        ("ttl_limits: {prod: soon}", 1, 20, "duration"),
        ("ticket_pattern: '('", 1, 17, "RE2"),
        ("enforcement_points: [{vantage: target}]", 1, 22, "needs an `id`"),
        ("enforcement_points: [{id: a, vantage: targt}]", 1, 39, "did you mean 'target'?"),
        ("inference: {threshold: 2}", 1, 24, "between"),
        ("inference: {window: 2d}", 1, 21, "between"),
        ("[" * 60, 1, 25, "nested deeper"),
        ("detections: {a: &d {x: *d}}", 1, 21, "alias"),
        ("a: 1\n---\nb: 2", 2, 1, "not valid YAML"),
    ],
)
def test_complaints_name_place_and_remedy(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(YamlError) as raised:
        load(text)
    assert words in str(raised.value)
    assert (raised.value.line, raised.value.column) == (line, column)


def test_an_alias_bomb_is_refused() -> None:
    rows = ["detections:", "  d0: &a0 {k: v}"]
    rows += [f"  d{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}, r: *a{n - 1}}}" for n in range(1, 30)]
    with pytest.raises(YamlError, match="aliases"):
        load("\n".join(rows))


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_an_organisation_or_a_complaint(text: str) -> None:
    try:
        load(text)
    except YamlError as error:
        assert error.line >= 1
        assert error.column >= 1


def test_what_the_loader_takes_the_schema_takes() -> None:
    schema = jsonschema_rs.validator_for(org_schema())
    plain = yaml.load(FULL.replace("905613482077", "'905613482077'"), yaml.BaseLoader)
    plain["inference"]["threshold"] = 0.8
    schema.validate(plain)
    schema.validate({})


@pytest.mark.parametrize(
    "wrong",
    [
        {"repositoris": {}},
        {"repositories": {"a/b": {"ownr": "x"}}},
        {"resources": {"payments": {}}},
        {"ttl_limits": {"prod": "soon"}},
        {"enforcement_points": [{"vantage": "target"}]},
        {"identities": {"a": {"kind": "robot"}}},
        {"inference": {"threshold": 2}},
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(wrong: dict[str, object]) -> None:
    assert not jsonschema_rs.validator_for(org_schema()).is_valid(wrong)
    with pytest.raises(YamlError):
        load(yaml.safe_dump(wrong))
