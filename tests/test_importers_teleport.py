"""Teleport: logins, certificates, sessions as credentials, what was seen inside them, and both spellings of an address."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from importers.shared.agents import references_in
from importers.teleport import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, read, survives

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
SID = "e6a1b6cc-9d3e-4e5b-9c55-0d1e3f0a7b21"
Record = dict[str, object]


def event(kind: str, code: str, **members: object) -> Record:
    return {
        "event": kind,
        "code": code,
        "uid": f"uid-{kind}",
        "ei": 0,
        "time": "2026-06-01T10:00:00.5Z",
        "cluster_name": "acme",
        "user": "dev@acme.example",
    } | members


COMMAND = event(
    "session.command", "T4000I", sid=SID, program="cat", path="/bin/cat", argv=["/etc/pass wd"], return_code=0, server_id="n1"
)


def test_command_seen_in_a_session() -> None:
    events = read(IMPORTER, COMMAND).events
    effect = only(events, EventKind.EFFECT)
    assert (effect.verb, effect.attrs["command"], effect.vantage) == (Verb.EXEC, "/bin/cat '/etc/pass wd'", Vantage.WITNESS)
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES
    assert names(only(events, EventKind.CREDENTIAL, Phase.USED), KeyRole.CREDENTIAL) == [f"teleport.session:{SID}"]
    failed = only(read(IMPORTER, COMMAND | {"return_code": 1}).events, EventKind.EFFECT).outcome
    assert failed is not None
    assert failed.effect is Tri.NO


@pytest.mark.parametrize(
    ("record", "verb", "command"),
    [
        (event("db.session.mysql.statements.prepare", "TMY00I", query="UPDATE t SET a = 1"), Verb.DB_QUERY, "UPDATE t SET a = 1"),
        (
            event("db.session.spanner.rpc", "TSPN001I", procedure="ExecuteSql", args={"sql": "select 1"}),
            Verb.DB_QUERY,
            "select 1",
        ),
        (
            event("db.session.sqlserver.rpc_request", "TMS00I", proc_name="Sp", parameters=["SELECT 1"]),
            Verb.DB_QUERY,
            "Sp\nSELECT 1",
        ),
        (event("db.session.cassandra.batch", "TCA01I", children=[{"query": "INSERT 1"}]), Verb.DB_QUERY, "INSERT 1"),
        (event("db.session.opensearch.request", "TOS00I", method="GET", path="/_count", query=""), Verb.DB_QUERY, "GET /_count"),
        (event("db.session.mysql.drop_db", "TMY09I", schema_name="pay"), Verb.DB_QUERY, "drop_db pay"),
        (event("scp", "T3005I", action="upload", path="/w/a", exitCode="0"), Verb.FILE_WRITE, None),
        (event("scp", "T3004I", action="download", path="/w/a"), Verb.FILE_READ, None),
        (event("sftp", "TS001I", action=1, flags=26, path="/w/a"), Verb.FILE_WRITE, None),
        (event("sftp", "TS001I", action=1, flags=1, path="/w/a"), Verb.FILE_READ, None),
        (event("sftp", "TS011I", action=11, path="/w/a"), Verb.FILE_DELETE, None),
        (event("desktop.directory.write", "TDP06I", file_path="a.ps1", desktop_addr="d:3389"), Verb.FILE_WRITE, None),
        (event("port", "T3003I", addr="203.0.113.7:443"), Verb.NET_CONNECT, None),
        (event("exec", "T3002I", command="sh", kubernetes_cluster="prod", kubernetes_pod_name="db-0"), Verb.EXEC, "sh"),
    ],
)
def test_what_is_seen_in_sessions_of_every_protocol(record: Record, verb: Verb, command: str | None) -> None:
    seen = only(read(IMPORTER, record | {"sid": SID}).events, EventKind.EFFECT)
    assert (seen.verb, seen.attrs.get("command")) == (verb, command)


@pytest.mark.parametrize(
    ("record", "effect"),
    [
        (event("db.session.query.failed", "TDB02W", success=False, error="access to database denied", db_query="x"), Effect.DENY),
        (event("db.session.query.failed", "TDB02W", success=False, error="relation does not exist", db_query="x"), None),
        (event("desktop.directory.read", "TDP05W", success=False, file_path="a"), None),
        (event("x11-forward", "T3008W", success=False, error="not permitted"), Effect.DENY),
        (event("session.rejected", "T1006W", reason="max_connections"), Effect.DENY),
        (event("saml.idp.auth", "TSI000I", success=False), Effect.DENY),
        (event("recovery_code.used", "T1009W", success=False, error="recovery code did not match"), Effect.DENY),
        (event("user.login", "T1012I", success=False, method="headless"), Effect.ASK),
        (event("user.login", "T1014W", success=False, method="headless"), Effect.DENY),
        (event("user.login", "T1013W", success=True, error="user not found", method="headless"), Effect.DENY),
        (event("sftp", "TS020E", action=1, path="/w/a", error="file copying via SCP or SFTP is not permitted"), Effect.DENY),
        (event("scp", "T3010E", action="upload", path="/w/a"), Effect.DENY),
        (event("sftp", "TS001E", action=1, path="/w/a", error="file does not exist"), None),
        (event("db.session.start", "TDB00W", success=False, error="access to db denied"), Effect.DENY),
        (event("db.session.start", "TDB00W", success=False, error="dial tcp 10.0.0.9:5432: connect: connection refused"), None),
    ],
)
def test_what_was_refused_and_what_merely_failed(record: Record, effect: Effect | None) -> None:
    events = read(IMPORTER, record).events
    assert [e.decision.effect for e in events if e.decision] == ([effect] if effect else [])
    assert all(e.outcome and e.outcome.effect is Tri.NO for e in events if e.kind is EventKind.EFFECT)


def test_an_access_request_is_known_by_the_id_that_tsh_prints() -> None:
    asked = "f772c4ab-1111-4222-8333-0123456789ab"
    created = read(IMPORTER, event("access_request.create", "T5000I", id=asked, roles=["admin"], state="PENDING"))
    printed = f"Creating request...\nRequest ID:     {asked}\nUsername:       dev@acme.example\nRoles:          admin\n"
    assert references_in(printed) == (Key(KeyRole.REFERENCE, "access.request", asked),)
    assert references_in(printed)[0] in only(created.events, EventKind.CREDENTIAL, Phase.REQUESTED).keys
    assert references_in(f"Request ID: {asked}\nHTTP Status Code: 403") == ()
    assert references_in(printed.partition("\n")[2]) == (), "what `tsh request show` prints of anybody's request"


def test_the_end_of_a_forwarding_is_no_second_one() -> None:
    begun, ended = event("port", "T3003I", addr="203.0.113.7:443"), event("port", "T3003S", addr="203.0.113.7:443")
    assert IMPORTER.sniff([ended]) > 80
    assert only(read(IMPORTER, begun).events, EventKind.EFFECT).verb is Verb.NET_CONNECT
    over = read(IMPORTER, ended)
    assert (over.events, over.unknown_type) == ([], None)


def test_a_session_names_what_it_leads_to_and_not_the_agent_in_between() -> None:
    desktop = {"desktop_name": "win-1", "windows_user": "Administrator", "success": True}
    opened = read(IMPORTER, event("windows.desktop.session.start", "TDP00I", sid=SID, **desktop)).events
    issued = only(opened, EventKind.CREDENTIAL, Phase.ISSUED)
    assert (issued.target.name, issued.target.detail) == ("win-1", "Administrator")
    app = only(
        read(IMPORTER, event("app.session.start", "T2007I", sid=SID, server_id="n1", app_name="pg")).events, EventKind.CREDENTIAL
    )
    assert app.target.name == "pg"


KUBE = event("kube.request", "T3009I", verb="GET", request_path="/api/v1/namespaces/pay/secrets/db", resource_kind="secrets",
             resource_name="db", resource_namespace="pay", response_code=403, kubernetes_cluster="prod")  # fmt: skip
MCP = event("mcp.session.request", "TMCP003E", sid=SID, app_name="pg", success=False, error="access denied to tool",
            message={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query"}})  # fmt: skip


@pytest.mark.parametrize(("record", "verb", "target"), [(KUBE, Verb.SECRET_READ, "pay/db"), (MCP, Verb.MCP_CALL, "pg")])
def test_what_the_answer_or_the_error_refused_was_not_done(record: Record, verb: Verb, target: str) -> None:
    events = read(IMPORTER, record).events
    verdict, seen = only(events, EventKind.DECISION), only(events, EventKind.EFFECT)
    assert verdict.decision is not None
    assert (verdict.decision.effect, seen.verb, seen.target.name) == (Effect.DENY, verb, target)
    assert seen.outcome is not None
    assert seen.outcome.effect is Tri.NO
    failed = only(read(IMPORTER, KUBE | {"response_code": 404}).events, EventKind.EFFECT).outcome
    assert failed is not None
    assert failed.effect is Tri.NO


def test_git_through_the_proxy() -> None:
    commit = "4f1d2c3b5a69788796a5b4c3d2e1f00112233445"
    push = event("git.command", "TGIT001I", service="git-receive-pack", path="acme/pay",
                 actions=[{"action": "update", "reference": "refs/heads/main", "new": commit}])  # fmt: skip
    seen = only(read(IMPORTER, push).events, EventKind.EFFECT)
    assert (seen.verb, seen.target.name, seen.target.detail) == (Verb.REPO_WRITE, "acme/pay", "main")
    assert names(seen, KeyRole.REFERENCE) == [f"commit:{commit}"]
    fetch = event("git.command", "TGIT001E", service="git-upload-pack", path="acme/pay", exitError="access to repo denied")
    events = read(IMPORTER, fetch).events
    assert only(events, EventKind.EFFECT).verb is Verb.REPO_READ
    assert only(events, EventKind.DECISION).decision is not None


def test_a_workloads_identity_is_issued_and_its_job_is_named() -> None:
    record = event(
        "spiffe.svid.issued", "TSPIFFE000I", spiffe_id="spiffe://acme/agent", svid_type="jwt", jti="j-1", serial_number=""
    )
    assert IMPORTER.sniff([record]) > 80
    issued = only(read(IMPORTER, record).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert names(issued, KeyRole.CREDENTIAL) == ["jti:j-1"]
    assert issued.credential is not None
    assert issued.credential.subject == "spiffe://acme/agent"
    joins = event("bot.join", "TJ001I", bot_name="agent", method="github", success=True,
                  attributes={"repository": "Acme/Pay", "run_id": "5512345678", "sub": "repo:Acme/Pay:ref:refs/heads/main"})  # fmt: skip
    verdict = only(read(IMPORTER, joins).events, EventKind.DECISION)
    assert names(verdict, KeyRole.SCOPE) == ["ci.job:github-actions:acme/pay:5512345678"]
    assert names(verdict, KeyRole.REFERENCE) == ["oidc.subject:repo:Acme/Pay:ref:refs/heads/main"]


def test_what_is_done_in_a_session_belongs_where_the_session_belongs() -> None:
    start = event(
        "session.start", "T2000I", sid=SID, login="root", server_hostname="db1", labels={"agent_session": f"agent-{SESSION}"}
    )
    end = event("session.end", "T2004I", sid=SID)
    done = joined(*(read(IMPORTER, record) for record in (start, COMMAND, end)))
    (chain,) = done.chains.values()
    assert chain.task.scope == f"session:{SESSION}"
    assert not done.unattributed
    (life,) = done.credentials.values()
    assert (life.kind, life.uses) == ("teleport-session", 1)


@pytest.mark.parametrize(
    ("record", "effect", "reason"),
    [
        (event("user.login", "T1000I", success=True, method="local"), Effect.ALLOW, "method local"),
        (event("user.login", "T1000W", success=False, error="bad password"), Effect.DENY, "bad password"),
        (
            event("auth", "T3007W", error="not in the set of valid principals", success=False),
            Effect.DENY,
            "not in the set of valid principals",
        ),
        (event("user.login", "T1000I"), Effect.ALLOW, "method unknown"),
        (event("access_request.review", "T5002I", id="r1", proposed_state="DENIED", reason="no"), Effect.DENY, "no"),
        (event("session.rejected", "T1006W", reason="max_connections"), Effect.DENY, "max_connections"),
    ],
)
def test_verdicts(record: Record, effect: Effect, reason: str) -> None:
    decision = only(read(IMPORTER, record).events, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (effect, reason)


def test_neither_success_nor_a_known_suffix_is_no_verdict() -> None:
    assert read(IMPORTER, event("user.login", "")).events == []


def test_what_a_bot_does_follows_the_job_it_joined_for() -> None:
    own: Record = {"user": "bot-ci", "bot_name": "ci", "bot_instance_id": "b-1"}
    job = {"repository": "acme/pay", "run_id": "7"}
    records = [
        event("bot.join", "TJ001I", success=True, method="github", attributes=job, **own),
        event("kube.request", "T3009I", verb="PATCH", resource_kind="deployments", response_code=200, **own),
        event("session.start", "T2000I", sid=SID, server_hostname="web-1", **own),
        event("session.end", "T2004I", sid=SID, server_hostname="web-1", **own),
    ]
    joined_in, asked, opened, closed = (
        [e for e in read(IMPORTER, one).events if e.kind is EventKind.CREDENTIAL] for one in records
    )
    assert [(e.phase, names(e, KeyRole.CREDENTIAL)) for e in joined_in] == [(Phase.ISSUED, ["teleport.bot_instance:b-1"])]
    assert names(joined_in[0], KeyRole.SCOPE) == ["ci.job:github-actions:acme/pay:7"]
    assert [(e.phase, names(e, KeyRole.CREDENTIAL)) for e in asked] == [(Phase.USED, ["teleport.bot_instance:b-1"])]
    assert [(e.phase, names(e, KeyRole.VIA)) for e in opened] == [(Phase.ISSUED, ["teleport.bot_instance:b-1"])]
    assert [e.phase for e in closed] == [Phase.REVOKED]
    (chain,) = joined(*(read(IMPORTER, one) for one in records)).chains.values()
    assert chain.task.scope == "ci.job:github-actions:acme/pay:7"
    assert len([step for step in chain.steps if step.verb is Verb.CLUSTER_CALL]) == 1


def test_a_request_for_access_that_nobody_uses_any_more_ends() -> None:
    asked = event("access_request.create", "T5000I", id="r1", roles=["admin"])
    over = event("access_request.expire", "T5005I", id="r1")
    events = [only(read(IMPORTER, record).events, EventKind.CREDENTIAL) for record in (asked, over)]
    assert [one.phase for one in events] == [Phase.REQUESTED, Phase.EXPIRED]
    assert [names(one, KeyRole.CALL) for one in events] == [["teleport.access_request:r1"]] * 2


def test_certificate_says_how_long_it_lasts() -> None:
    identity = {"user": "bot-ci", "roles": ["deploy"], "expires": "2026-06-01T11:00:00.5Z", "teleport_cluster": "acme"}
    issued = only(
        read(IMPORTER, event("cert.create", "TC000I", cert_type="user", identity=identity)).events, EventKind.CREDENTIAL
    )
    assert issued.credential is not None
    assert (issued.credential.ttl_seconds, issued.credential.subject, issued.credential.scope) == (3600, "bot-ci", ("deploy",))
    assert names(issued, KeyRole.CREDENTIAL) == ["teleport.certificate:uid-cert.create"]


@pytest.mark.parametrize(
    ("kind", "members", "verb", "cls", "name"),
    [
        ("session.network", {"dst_addr": "10.0.0.9", "dst_port": 22}, Verb.NET_CONNECT, TargetClass.NETWORK, "10.0.0.9"),
        ("session.disk", {"path": "/etc/x", "flags": 0}, Verb.FILE_READ, TargetClass.FILESYSTEM, "/etc/x"),
        ("session.disk", {"path": "/etc/x", "flags": 0o101}, Verb.FILE_WRITE, TargetClass.FILESYSTEM, "/etc/x"),
        ("kube.request", {"verb": "DELETE", "resource_kind": "pods", "resource_name": "a", "resource_namespace": "pay"},
         Verb.CLUSTER_CALL, TargetClass.CLUSTER, "pay"),
        ("db.session.query", {"db_name": "pay", "db_query": "select 1"}, Verb.DB_QUERY, TargetClass.DATABASE, "pay"),
        ("mcp.session.request", {"app_name": "files", "message": {"method": "tools/call", "params": {"name": "read"}}},
         Verb.MCP_CALL, TargetClass.MCP_SERVER, "files"),
        ("role.created", {"name": "admin"}, Verb.GUARDRAIL_CHANGE, TargetClass.CLOUD, "role"),
    ],
)  # fmt: skip
def test_verbs(kind: str, members: Record, verb: Verb, cls: TargetClass, name: str) -> None:
    effect = only(read(IMPORTER, event(kind, "T9000I", **members)).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.cls, effect.target.name) == (verb, cls, name)


@pytest.mark.parametrize(("returned", "done"), [(3, Tri.YES), (-13, Tri.NO), (None, Tri.UNKNOWN)])
def test_a_file_that_could_not_be_opened_was_not_read(returned: int | None, done: Tri) -> None:
    told = {} if returned is None else {"return_code": returned}
    effect = only(read(IMPORTER, event("session.disk", "T4001I", path="/etc/shadow", flags=0, **told)).events, EventKind.EFFECT)
    assert effect.outcome and effect.outcome.effect is done


def host(record: Record) -> object:
    found: list[Event] = read(IMPORTER, record).events
    return found[0].attrs["host"]


def test_addresses_in_both_spellings_and_times_without_a_zone() -> None:
    login = event("user.login", "T1000I", success=True)
    assert host(login | {"addr.remote": "[2001:db8::1]:65123"}) == "2001:db8::1"
    assert host(login | {"addr_remote": "192.0.2.1:35194"}) == "192.0.2.1"
    assert host(login | {"addr.remote": "2001:db8::1"}) == "2001:db8::1"
    assert read(IMPORTER, login | {"time": "2026-06-01 10:00:00"}).events[0].clock is Clock.ZONE_ASSUMED
    assert read(IMPORTER, login | {"time": "2026-06-01T10:00:000.0Z"}).events[0].clock is Clock.ORDER_ONLY


def test_unknown_events_are_kept_and_other_records_refused() -> None:
    assert read(IMPORTER, event("okta.sync", "TOK01I")).unknown_type == "okta.sync"
    assert read(IMPORTER, event("session.upload", "T2005I")).unknown_type is None
    printed = read(IMPORTER, {"event": "print", "ei": 7, "time": "2026-06-01T10:00:00Z", "data": "bHM="})
    assert (printed.events, printed.unknown_type) == ([], None)
    with pytest.raises(BadRecord, match="needs event, and code or uid"):
        read(IMPORTER, {"event": "session.command"})


@given(mutated([COMMAND, event("cert.create", "TC000I", identity={"user": "x", "expires": "2026-06-01T11:00:00Z"})]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    form, parsed, reasons = all_of(corpus / "teleport/panther-labs__panther-analysis/teleport.jsonl")
    assert (form, len(parsed), reasons) == ("teleport", 21, [])
    assert sum(e.verb is Verb.EXEC and e.kind is EventKind.EFFECT for p in parsed for e in p.events) == 8
