"""The formats that are mappings: what their records mean, what they refuse, and that none takes another's source.

`mapping_records/<format>.log` holds records written for the purpose, `<format>.events` what each is evidence of: one event
a line (kind/phase, verb, class:name#detail of the target, the decision's effect, keys, `by:` the principal, `failed` where
the outcome says no), a blank line between records, `nothing` for a record that holds no event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import NotRecognised, open_source
from importers.base import container_of
from importers.mapping.engine import Mapping
from importers.mapping.file import built_in
from importers.registry import importers
from importers.shared.fields import decode
from lang.redact import Redactor
from lang.times import parse_time
from model.event import BadRecord, Event, RawRecord
from model.words import Tri
from tests.importer_checks import mutated, survives

MAPPINGS = {mapping.id: mapping for mapping in built_in()}
REDACTOR = Redactor(b"k" * 32)
START, END = (parse_time(f"2026-06-01T{clock}Z")[0] or 0 for clock in ("13:59:59", "14:06:00"))
ROOT = Path(__file__).resolve().parent.parent


class Case(NamedTuple):
    format: str
    data: bytes
    expected: list[list[str]]


def case_of(path: Path) -> Case:
    blocks = path.with_suffix(".events").read_text("utf-8").strip().split("\n\n")
    return Case(path.stem, path.read_bytes(), [[] if block == "nothing" else block.split("\n") for block in blocks])


CASES = [case_of(path) for path in sorted((ROOT / "tests" / "mapping_records").glob("*.log"))]
OBJECTS = [case for case in CASES if case.data[:1] == b"{"]
TEXTS = [case for case in CASES if case.data[:1] != b"{"]


def records(case: Case) -> list[object]:
    """The records as an import reads them: recognised, framed, redacted, decoded."""
    source = open_source(BytesIO(case.data))
    assert source.format == case.format
    items = list(source.items())
    assert all(isinstance(item, RawRecord) for item in items)
    return [decode(REDACTOR.redact(item.data).data) for item in items if isinstance(item, RawRecord)]


def told(event: Event) -> str:
    target = event.target
    parts = [f"{event.kind.value}/{event.phase.value}", event.verb.value]
    parts.append(f"{target.cls.value}:{target.name}" + (f"#{target.detail}" if target.detail else ""))
    if event.decision:
        parts.append(event.decision.effect.value)
    parts += [f"{key.role.value}:{key.name}" for key in event.keys]
    if event.principal:
        parts.append(f"by:{event.principal.name}")
    if event.outcome and Tri.NO in (event.outcome.effect, event.outcome.tool, event.outcome.transport):
        parts.append("failed")
    return " ".join(parts)


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.format)


@each_case
def test_records_mean_what_their_format_says(case: Case) -> None:
    reader = MAPPINGS[case.format].open()
    parsed = [reader.read(record) for record in records(case)]
    assert [[told(event) for event in one.events] for one in parsed] == case.expected
    assert all(event.at is None or START <= event.at <= END for one in parsed for event in one.events)


def test_nothing_stands_behind_the_event_rules_of_our_mappings() -> None:
    for path in sorted((ROOT / "importers" / "mappings").glob("*.yaml")):
        members = [line.partition(":")[0] for line in path.read_text("utf-8").splitlines() if line[:1].isalpha()]
        rules = [name in ("event", "events") for name in members]
        assert rules == sorted(rules), path.name


def test_no_negation_in_our_mappings_stops_short() -> None:
    """To JMESPath `!a.b` is a member of `!a`, which has none: what was meant stands in brackets."""
    for path in sorted((ROOT / "importers" / "mappings").glob("*.yaml")):
        assert re.findall(r"![A-Za-z_]\w*[.\[].*", path.read_text("utf-8")) == [], path.name


def test_every_mapping_has_records_here() -> None:
    assert set(MAPPINGS) == {case.format for case in CASES}


@each_case
def test_no_other_format_claims_these_records(case: Case) -> None:
    sample = records(case)
    own = MAPPINGS[case.format]
    claims = [one.id for one in importers().values() if container_of(one) == container_of(own) and one.sniff(sample) > 0]
    assert claims == [case.format]


def without(mapping: Mapping, record: dict[str, object], name: str) -> dict[str, object]:
    """The record less every member that states the mandatory field."""
    value = dict(mapping.requires)[name]
    while (stated := value(mapping.prepared(record))) not in (None, ""):
        fewer = ({key: one for key, one in record.items() if key != member} for member in record)
        record = next(one for one in fewer if value(mapping.prepared(one)) != stated)
    return record


@each_case
def test_a_record_that_lacks_a_mandatory_field_is_rejected(case: Case) -> None:
    mapping = MAPPINGS[case.format]
    good = next(one for one, lines in zip(records(case), case.expected, strict=True) if lines)
    assert isinstance(good, dict)
    if mapping.pattern is not None and mapping.container != "keyvalue":
        with pytest.raises(BadRecord, match="does not fit the pattern"):
            mapping.open().read({"line": "two\nlines"})
        return
    rejected = 0
    for name, _ in mapping.requires:
        lacking = without(mapping, good, name)
        if mapping.skip is not None and mapping.skip(mapping.prepared(lacking)):
            assert mapping.open().read(lacking).events == []
            continue
        with pytest.raises(BadRecord, match=r"is missing; .+ makes it mandatory"):
            mapping.open().read(lacking)
        rejected += 1
    assert rejected


PAGES: dict[str, Callable[[list[object]], object]] = {
    "okta": lambda rows: rows,
    "openai-audit": lambda rows: {"object": "list", "data": rows, "first_id": "a", "last_id": "b", "has_more": False},
    "anthropic-compliance": lambda rows: {"data": rows, "has_more": True, "first_id": "a", "last_id": "b"},
    "azure-activity": lambda rows: {"value": rows, "nextLink": "x"},
    "1password": lambda rows: {"cursor": "c", "has_more": False, "items": rows},
    "github-run": lambda rows: {"total_count": 2, "workflow_runs": rows},
    "atlassian-audit": lambda rows: {"entities": rows, "pagingInfo": {"lastPage": False, "size": 2}},
    "atlassian-events": lambda rows: {"data": rows, "meta": {"next": "x"}, "links": {"next": "u"}},
    "confluence-audit": lambda rows: {"results": rows, "start": 0, "limit": 100, "size": 2, "_links": {"self": "u"}},
    "azure-keyvault": lambda rows: {"records": rows},
    "entra-signin": lambda rows: {"@odata.context": "u", "@odata.nextLink": "v", "value": rows},
    "entra-audit": lambda rows: {"@odata.context": "u", "value": rows},
    "jira-audit": lambda rows: {"offset": 0, "limit": 1000, "total": 2, "records": rows},
    "gitlab-audit": lambda rows: rows,
    "cloudflare-access": lambda rows: {"result": rows, "success": True, "errors": [], "messages": []},
    "cloudflare-audit": lambda rows: {"success": True, "errors": [], "messages": [], "result": rows, "result_info": {"page": 1}},
    "devin-audit": lambda rows: {"items": rows, "end_cursor": None, "has_next_page": False, "total": 9},
    "google-workspace": lambda rows: {"kind": "admin#reports#activities", "etag": "x", "items": rows},
    "infisical": lambda rows: {"auditLogs": rows},
    "jules": lambda rows: {"activities": rows, "nextPageToken": "x"},
    "slack-audit": lambda rows: {"entries": rows, "response_metadata": {"next_cursor": ""}},
    "tailscale": lambda rows: {"version": "1.1", "tailnet": "acme.example", "logs": rows},
    "terraform-audit": lambda rows: {"data": rows, "pagination": {"current_page": 1, "next_page": None}},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("format", sorted(PAGES))
def test_pages_of_an_api_are_read_as_their_records(format: str, indent: int | None) -> None:
    (case,) = [one for one in CASES if one.format == format]
    rows = [json.loads(line) for line in case.data.splitlines()]
    page = json.dumps(PAGES[format](rows), indent=indent)
    source = open_source(BytesIO(page.encode()))
    assert source.format == format
    assert sum(isinstance(item, RawRecord) for item in source.items()) == len(rows)


def test_no_mapping_claims_the_sample_data() -> None:
    for path in sorted((ROOT / "sample_data").rglob("*.*json*")):
        with path.open("rb") as stream, suppress(NotRecognised):
            assert open_source(stream).format not in MAPPINGS, path.name


FOLDERS = {
    "okta-systemlog": "okta",
    "1password": "1password",
    "anthropic-compliance": "anthropic-compliance",
    "openai-audit": "openai-audit",
    "leash": "leash",
    "codex-live": "codex-history",
}
MIXED = {"codex-live"}
"""Folders that hold other formats as well."""


def test_the_corpus_is_recognised_as_what_its_folders_say(corpus: Path) -> None:
    seen = set()
    for path in sorted(one for one in corpus.rglob("*") if one.is_file() and one.name != "SOURCES.md"):
        folder = path.relative_to(corpus).parts[0]
        with path.open("rb") as stream:
            try:
                format = open_source(stream).format
            except NotRecognised:
                continue
        if format in MAPPINGS or folder in FOLDERS.keys() - MIXED:
            assert format == FOLDERS.get(folder), path.name
            seen.add(folder)
    assert seen == set(FOLDERS)


STRANGERS: dict[str, dict[str, object]] = {
    "toolhive": {"type": "Payment", "outcome": "denied", "component": "shop", "subjects": {"user": "u"}, "audit_id": "a", "logged_at": "2026-06-01T14:00:00Z"},
    "suricata": {"timestamp": "2026-06-01T14:00:00Z", "event_type": "alert", "src_ip": "10.0.0.1", "dest_ip": "10.0.0.2", "proto": "TCP"},
    "cerbos": {"callId": "c1", "timestamp": "2026-06-01T14:00:00Z", "method": "INVITE"},
    "tracee": {"timestamp": 1780322400, "eventName": "click", "args": {"x": 1}, "processId": 3},
}  # fmt: skip
"""What an audit library, a firewall, a telephone system and a web page write, by the format that has these members as well."""


@pytest.mark.parametrize("format", list(STRANGERS))
def test_another_products_record_with_the_same_members_is_not_taken(format: str) -> None:
    assert MAPPINGS[format].sniff([STRANGERS[format]] * 3) == 0


def test_partly_kept_entries_of_the_corpus_are_rejected_not_guessed(corpus: Path) -> None:
    counts = {"events": 0, "rejected": 0, "lacking": 0}
    with (corpus / "okta-systemlog/panther-labs__panther-analysis/okta-systemlog.jsonl").open("rb") as stream:
        source = open_source(stream)
        reader = source.importer.open()
        for item in source.items():
            assert isinstance(item, RawRecord)
            record = decode(item.data)
            assert isinstance(record, dict)
            names = {name.lower() for name in record}
            counts["lacking"] += not ({"eventtype", "published", "actor"} <= names and "id" in record["actor"])
            try:
                counts["events"] += len(reader.read(record).events)
            except BadRecord:
                counts["rejected"] += 1
    assert counts["rejected"] == counts["lacking"] > 0
    assert counts["events"] >= 90 - counts["rejected"]


RECORDS = [json.loads(line) for case in OBJECTS for line in case.data.splitlines()]
LINES = [(case.format, line) for case in TEXTS for line in case.data.decode().splitlines()]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(mutated(RECORDS), st.sampled_from([case.format for case in OBJECTS]))
def test_no_mutated_record_does_worse_than_being_rejected(record: object, format: str) -> None:
    survives(MAPPINGS[format], record)


@given(st.sampled_from(LINES), st.integers(0, 400), st.text(max_size=12))
def test_no_broken_line_does_worse_than_being_rejected(line: tuple[str, str], at: int, put: str) -> None:
    format, text = line
    data = (text[:at] + put + text[at:] + "\n" + text[:at] + "\n").encode("utf-8", "replace")
    with suppress(NotRecognised):
        source = open_source(BytesIO(data), format=format)
        for item in source.items():
            if isinstance(item, RawRecord):
                survives(source.importer, decode(item.data))


@pytest.mark.parametrize(
    ("format", "record", "fact"),
    [
        ("okta", 3, ("access_token", "okta", "dana@acme.example", ("repo:read", "repo:write"), None, "2026-06-01T15:00:00Z")),
        ("openai-audit", 0, ("api_key", "openai", "dana@acme.example", ("model.read",), None, None)),
        ("spire", 0, ("JWT-SVID", "spire", "spiffe://acme.example/agent/1", ("vault",), 300, None)),
        ("keycloak", 0, ("access token", "keycloak:acme", "u-1", ("openid", "email"), None, None)),
        ("oidc-token", 0, ("JWT", "https://token.actions.githubusercontent.com", "repo:acme/pay:ref:refs/heads/main",
                           ("sts.amazonaws.com",), None, "2026-06-01T14:15:00Z")),
    ],
)  # fmt: skip
def test_an_issued_credential_states_its_subject_scope_and_end(format: str, record: int, fact: tuple[object, ...]) -> None:
    (case,) = [one for one in CASES if one.format == format]
    found = MAPPINGS[format].open().read(records(case)[record]).events[0].credential
    assert found is not None
    kind, issuer, subject, scope, ttl, expires = fact
    assert (found.kind, found.issuer, found.subject, found.scope, found.ttl_seconds) == (kind, issuer, subject, scope, ttl)
    assert found.expires == (parse_time(expires)[0] if expires else None)


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"name": "Dana", "email": "dana@acme.example"}, "human"),
        ({"name": "ci", "email": "abc@1passwordserviceaccounts.com"}, "workload"),
        ({"name": "ci", "uuid": "U1"}, "unknown"),
    ],
    ids=["person", "service", "unsaid"],
)
def test_who_took_an_item_is_a_person_only_where_a_persons_address_says_so(user: dict[str, str], kind: str) -> None:
    used = {"uuid": "1", "timestamp": "2026-06-01T14:00:00Z", "vault_uuid": "v", "item_uuid": "i", "action": "fill", "user": user}
    (event,) = MAPPINGS["1password"].open().read(used).events
    assert event.principal is not None
    assert event.principal.kind == kind


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        ({"sub": "u-1", "act": {"sub": "agent:7"}}, ("agent:7", "unknown", "u-1")),
        ({"sub": "u-1", "email": "dana@acme.example"}, ("u-1", "human", "")),
        ({"sub": "u-1", "preferred_username": "service-account-ci"}, ("u-1", "workload", "")),
        ({"sub": "0oa1", "client_id": "0oa1"}, ("0oa1", "workload", "")),
        ({"sub": "spiffe://acme.example/ns/a/sa/b"}, ("spiffe://acme.example/ns/a/sa/b", "workload", "")),
        ({"sub": "u-1"}, ("u-1", "unknown", "")),
    ],
    ids=["delegated", "person", "client", "own", "spiffe", "unsaid"],
)
@pytest.mark.parametrize("inside", [False, True], ids=["claims", "member"])
def test_whose_a_token_is(claims: dict[str, object], who: tuple[str, str, str], inside: bool) -> None:
    token = {"iss": "https://idp.acme.example", "aud": "api", "iat": 1780322400, "exp": 1780322700} | claims
    (event,) = MAPPINGS["oidc-token"].open().read({"claims": token} if inside else token).events
    assert event.principal is not None
    assert (event.principal.name, event.principal.kind, event.principal.on_behalf_of) == who
    assert event.credential is not None
    assert event.credential.subject == claims["sub"]


def test_istios_policy_is_named_whole_and_the_status_is_the_answers() -> None:
    said = "rbac_access_denied_matched_policy[ns[foo]-policy[deny-delete]-rule[0]]"
    entry = {
        "start_time": "2026-09-01T10:00:00Z", "method": "DELETE", "authority": "a.example", "path": "/x", "response_code": 403,
        "response_code_details": said, "response_flags": "-",
    }  # fmt: skip
    decision, effect = MAPPINGS["envoy"].open().read(entry).events
    assert decision.decision is not None
    assert (decision.decision.rule, decision.decision.reason) == ("ns[foo]-policy[deny-delete]-rule[0]", said)
    unnamed = entry | {"response_code_details": "rbac_access_denied_matched_policy[none]"}
    refused = MAPPINGS["envoy"].open().read(unnamed).events[0].decision
    assert refused is not None
    assert (refused.effect.value, refused.rule) == ("deny", "")
    assert effect.attrs["status"] == "403"


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:3130", "2001:db8::7"),
        ("10.0.0.5:3130", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5"),
    ],
    ids=["six", "six with port", "four with port", "four"],
)
def test_a_proxys_client_is_told_whole_and_without_its_port(client: str, host: str) -> None:
    entry = {"ts": 1780322400.5, "client": client, "method": "CONNECT", "url": "x.example:443", "status": 200}
    (effect,) = MAPPINGS["squid"].open().read(entry | {"decision": "TCP_TUNNEL:HIER_DIRECT"}).events
    assert effect.attrs["host"] == host


def test_a_bot_of_gitlabs_is_no_person() -> None:
    (case,) = [one for one in CASES if one.format == "gitlab-audit"]
    events = [event for record in records(case) for event in MAPPINGS["gitlab-audit"].open().read(record).events]
    assert {event.principal.kind for event in events if event.principal and event.principal.name == "till-bot"} == {
        "workload",
        "unknown",
    }


@pytest.mark.parametrize("format", ["git-access", "gitlab-api"])
def test_to_be_told_the_refs_is_no_push(format: str) -> None:
    (case,) = [one for one in CASES if one.format == format]
    (told_refs,) = MAPPINGS[format].open().read(records(case)[-1]).events
    assert told_refs.outcome is not None
    assert (told_refs.verb.value, told_refs.outcome.effect) == ("repo.write", Tri.UNKNOWN)


def test_what_is_under_way_is_no_failure() -> None:
    outcomes = {}
    for case in CASES:
        if case.format in ("auditd", "laurel", "osquery"):
            events = [event for record in records(case) for event in MAPPINGS[case.format].open().read(record).events]
            outcomes[case.format] = [e.outcome.effect for e in events if e.outcome and e.verb.value == "net.connect"]
    no, unknown = Tri.NO, Tri.UNKNOWN
    # An address stands in a record of its own, which does not know what came of the call.
    assert outcomes == {
        "auditd": [no, *[unknown] * 4],
        "laurel": [no, unknown, no],
        "osquery": [unknown, unknown, no, unknown, unknown, unknown, Tri.YES, unknown, unknown, no],
    }


@pytest.mark.parametrize(("status", "effect"), [("0", Tri.YES), (0, Tri.YES), ("13", Tri.NO), (2, Tri.NO), ("", Tri.UNKNOWN)])
def test_a_number_as_the_status_of_a_call_is_its_error(status: object, effect: Tri) -> None:
    row = {"path": "/usr/bin/git", "cmdline": "git push", "uid": "501", "time": "1780322399", "status": status}
    record = {"name": "process_events", "hostIdentifier": "h1", "unixTime": 1780322400, "columns": row, "action": "added"}
    (event,) = MAPPINGS["osquery"].open().read(record).events
    assert event.outcome is not None
    assert event.outcome.effect is effect


def test_commands_of_witnesses_are_whole_and_quoted() -> None:
    commands = {}
    for case in CASES:
        if case.format in ("auditd", "tetragon", "osquery", "falco"):
            events = [event for record in records(case) for event in MAPPINGS[case.format].open().read(record).events]
            commands[case.format] = [event.attrs["command"] for event in events if "command" in event.attrs]
    assert commands == {
        "auditd": ["git commit -m 'fix the thing'", "ls /root", "id", "bash -c 'echo one; '", "'echo two'"],
        "tetragon": ["/usr/bin/curl https://x.example", "/bin/ls"],
        "osquery": ["curl https://x.example", "make", "ghost", "git push", "ghost"],
        "falco": ["bash -c id", "cat /etc/shadow", "sh -c date", "curl x", "sh", "tee /etc/cron.d/x", "curl https://203.0.113.7"],
    }


_AUDIT = {"timestamp": {"epochSecond": 1780322400, "nano": 0}, "author": {"id": "41", "name": "dana"}, "affectedObjects": []}
_EVENT = {"id": "e1", "type": "events"}


def _line(event: str) -> dict[str, object]:
    return {"line": f"10.0.0.9 | {event} | dana | 1780322400123 | - | {{}} | @x | -"}


def _audited(name: str, **details: object) -> dict[str, object]:
    entry = {"id": 1, "author_id": 7, "entity_id": 5, "entity_type": "Project", "created_at": "2026-06-01T14:00:00Z"}
    return entry | {"event_name": name, "details": {"author_name": "Dana", "entity_path": "acme/pay", **details}}


def _directory(name: str, result: str = "success") -> dict[str, object]:
    entry = {"activityDisplayName": name, "activityDateTime": "2026-06-01T14:00:00Z", "result": result}
    return entry | {"initiatedBy": {"user": {"userPrincipalName": "dana@acme.example"}}, "targetResources": [{"type": "Role"}]}


def _activity(kind: str, **more: object) -> dict[str, object]:
    return {"id": "a1", "created_at": "2026-06-01T14:00:00Z", "type": kind, "actor": {"type": "user_actor"}} | more


def _atlassian(action: str) -> dict[str, object]:
    return _EVENT | {"attributes": {"time": "2026-06-01T14:00:00Z", "action": action, "actor": {"name": "dana"}}}


@pytest.mark.parametrize(
    ("format", "record", "kind", "done"),
    [
        ("atlassian-audit", _AUDIT | {"auditType": {"action": "Global permission requested"}}, "effect", Tri.UNKNOWN),
        ("atlassian-audit", _AUDIT | {"auditType": {"action": "Global permission remove request"}}, "effect", Tri.UNKNOWN),
        ("atlassian-audit", _AUDIT | {"auditType": {"action": "Global permission granted"}}, "effect", Tri.YES),
        ("atlassian-audit", _AUDIT | {"auditType": {"action": "System backup failed"}}, "effect", Tri.NO),
        ("atlassian-audit", _AUDIT | {"auditType": {"action": "User login failed"}}, "decision", None),
        ("bitbucket-audit", _line("GlobalPermissionGrantRequestedEvent"), "effect", Tri.UNKNOWN),
        ("bitbucket-audit", _line("BackupFailedEvent"), "effect", Tri.NO),
        ("bitbucket-audit", _line("AuthenticationFailureEvent"), "decision", None),
        ("jira-audit", {"id": 1, "summary": "Import failed", "created": "2026-06-01T14:00:00.000+0000"}, "effect", Tri.NO),
        ("confluence-audit", {"summary": "Space import failed", "creationDate": 1780322400000, "author": {"username": "dana"}}, "effect", Tri.NO),
        ("atlassian-events", _atlassian("data_export_failed"), "effect", Tri.NO),
        ("atlassian-events", _atlassian("user_login_failed"), "decision", None),
        ("entra-audit", _directory("Add member to role requested (PIM activation)"), "effect", Tri.UNKNOWN),
        ("entra-audit", _directory("Add member to role requested (PIM activation)", "failure"), "effect", Tri.NO),
        ("entra-audit", _directory("Add member to role completed (PIM activation)"), "effect", Tri.YES),
        ("entra-audit", _directory("Add member to role request denied (PIM activation)"), "decision", None),
        ("gitlab-audit", _audited("deploy_token_creation_failed"), "effect", Tri.NO),
        ("gitlab-audit", _audited("project_access_token_creation_failed", custom_message="no permission"), "decision", None),
        ("gitlab-audit", _audited("api_request_access_with_scope", method="GET", request="/api/v4/user"), "effect", Tri.UNKNOWN),
        ("gitlab-audit", _audited("ip_restricted_group_accessed"), "effect", Tri.UNKNOWN),
        ("gitlab-audit", _audited("environment_unprotected"), "effect", Tri.YES),
        ("anthropic-compliance", _activity("org_sso_add_initiated"), "effect", Tri.UNKNOWN),
        ("anthropic-compliance", _activity("org_sso_connection_activated"), "effect", Tri.YES),
        ("anthropic-compliance", _activity("claude_file_deletion_failed"), "effect", Tri.NO),
        ("anthropic-compliance", _activity("group_member_addition_failed"), "effect", Tri.UNKNOWN),
        ("anthropic-compliance", _activity("github_token_import", result="imported"), "effect", Tri.YES),
        ("anthropic-compliance", _activity("github_token_import"), "effect", Tri.UNKNOWN),
        ("anthropic-compliance", _activity("platform_federated_authentication"), "effect", Tri.UNKNOWN),
        ("anthropic-compliance", _activity("claude_file_access_failed"), "decision", None),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_not_done_and_what_failed_was_not_refused(
    format: str, record: dict[str, object], kind: str, done: Tri | None
) -> None:
    mapping = MAPPINGS[format]
    (event,) = mapping.open().read(record).events
    assert (event.kind.value, event.outcome and event.outcome.effect) == (kind, done)


def test_what_a_grant_covers() -> None:
    """Whether a log gives scopes as a list, as one text, or as words in one."""

    def granted(format: str) -> list[tuple[str, ...]]:
        reader = MAPPINGS[format].open()
        case = next(case for case in CASES if case.format == format)
        found = (event.credential for record in records(case) for event in reader.read(record).events)
        return [one.scope for one in found if one is not None]

    drive, calendar = ("https://www.googleapis.com/auth/drive.readonly",), ("https://www.googleapis.com/auth/calendar",)
    assert granted("google-workspace") == [drive, (), calendar]
    assert granted("auth0") == [("read:all",)]


def test_another_servers_calls_are_none_of_argo_cds() -> None:
    own, other = (
        MAPPINGS["argocd"],
        {"time": "2026-06-01T14:00:01Z", "msg": "finished unary call with code OK", "grpc.code": "OK"},
    )
    assert own.sniff([{**other, "grpc.service": "application.ApplicationService", "grpc.method": "Get"}]) > 0
    assert own.sniff([{**other, "grpc.service": "gitaly.RefService", "grpc.method": "FindRefs"}]) == 0


def test_an_audit_log_of_anybodys_is_none_of_devins() -> None:
    own = {"audit_log_id": "a-1", "action": "login", "created_at": 1780322401, "org_id": None, "user_id": "u", "user_email": None}
    assert MAPPINGS["devin-audit"].sniff([own]) > 0
    assert MAPPINGS["devin-audit"].sniff([{name: value for name, value in own.items() if name != "org_id"}]) == 0


@pytest.mark.parametrize("indent", [None, 2])
def test_a_record_alone_is_one_although_a_list_within_it_looks_like_the_records(indent: int | None) -> None:
    (case,) = [one for one in CASES if one.format == "google-workspace"]
    record = next(one for one in map(json.loads, case.data.splitlines()) if isinstance(one.get("events"), list))
    source = open_source(BytesIO(json.dumps(record, indent=indent).encode()))
    assert (source.format, len(list(source.items()))) == ("google-workspace", 1)
    forced = open_source(BytesIO(json.dumps(record, indent=indent).encode()), format="google-workspace")
    assert len(list(forced.items())) == 1


OF_NO_EVENT = {
    "agentgateway-json",
    "cerbos",
    "gatekeeper",
    "mcp-gateway",
    "osquery",
    "spire",
    "suricata",
    "tetragon",
    "toolhive",
    "verdaccio",
}
"""Formats among whose lines some tell nothing, and are of no format where they stand alone."""


@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case.format)
def test_every_record_is_known_where_it_stands_alone(case: Case) -> None:
    for line, told_of_it in zip(case.data.splitlines(), case.expected, strict=True):
        with suppress(NotRecognised):
            source = open_source(BytesIO(line))
            assert (source.format, len(list(source.items()))) == (case.format, 1), line
            continue
        assert case.format in OF_NO_EVENT and not told_of_it, line
