"""Credential and audit detections over whole stories: what importers say, what a later log changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chains import TaskLife, credential_groups, lifeline
from chains.enrich import accept_uses
from chains.scopes import compare
from importers.agent_governance import AgentGovernanceReader
from importers.agentsh import AgentshReader
from model.event import CredentialFact, Event, Outcome
from model.words import Effect, EventKind, Phase, Tri, Vantage, Verb
from review.derive.building import build
from review.intake.importing import import_logs
from review.workspace import open_workspace
from tests.chains_story import S1, at, event, scope


def test_a_use_takes_its_fate_from_its_record() -> None:
    use = Event(EventKind.CREDENTIAL, Phase.USED, Vantage.TARGET, "github")
    seen = Event(EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, "github", outcome=Outcome(effect=Tri.NO))
    accept_uses([use, seen])
    assert use.attrs["accepted"] is False
    alone = Event(EventKind.CREDENTIAL, Phase.USED, Vantage.TARGET, "github")
    accept_uses([alone])
    assert "accepted" not in alone.attrs


def test_a_lifeline_knows_who_used_it_and_whether_it_worked() -> None:
    fact = CredentialFact("token", "broker", "svc", ("read",), ttl_seconds=900)
    issued = event("i", "credential", "issued", "enforcer", "broker", 1, scope(S1), "credential jti:a", credential=fact)
    used = event(
        "u",
        "credential",
        "used",
        "target",
        "github",
        5,
        scope(S1),
        "credential jti:a",
        attrs={"accepted": True, "environment": "prod"},
    )
    lives = {"t": TaskLife(ended=at(100), agent="codex", principal="ada")}
    (names,) = credential_groups([issued, used])
    made = lifeline(names, [(issued, "t"), (used, "t")], lives)
    assert (made.issued_agent, made.issued_for) == ("codex", "ada")
    (use,) = made.use_list
    assert (use.agent, use.by, use.done, use.environment) == ("codex", "ada", Tri.YES, "prod")


def test_scopes_are_compared_only_where_their_words_can_be() -> None:
    assert compare(["contents:write", "metadata:read"], [Verb.REPO_WRITE]).wider == ()
    assert compare(["contents:write"], [Verb.REPO_READ]).wider == ("contents:write, used for reading only",)
    assert compare(["repo", "admin:org"], [Verb.REPO_WRITE]).wider == ("admin:org",)
    policy = compare(["agent-deploy", "arn:aws:iam::1:role/x"], [Verb.SECRET_READ])
    assert (policy.wider, policy.judged) == ((), 0)
    assert compare(["root"], [Verb.SECRET_READ]).wider == ("root grants everything",)


def _agentsh(sequence: int, head: str, before: str) -> dict[str, object]:
    return {
        "id": f"e{sequence}",
        "timestamp": f"2026-01-01T10:00:{sequence:02d}Z",
        "type": "command_started",
        "session_id": "s1",
        "command_id": f"c{sequence}",
        "fields": {"command": "ls"},
        "integrity": {"format_version": 2, "sequence": sequence, "prev_hash": before, "entry_hash": head},
    }


def test_agentsh_links_are_followed() -> None:
    reader = AgentshReader()
    whole = [reader.read(_agentsh(0, "h0", "")), reader.read(_agentsh(1, "h1", "h0"))]
    assert not any("chain_broken" in e.attrs for p in whole for e in p.events)
    (cut,) = reader.read(_agentsh(4, "h4", "h3")).events
    assert (cut.attrs["missing_before"], cut.attrs["chain_broken"]) == (2, "record 4 follows record 1")
    (changed,) = reader.read(_agentsh(5, "h5", "other")).events
    assert changed.attrs["chain_broken"] == "prev_hash is not the hash of the record before"
    (later,) = AgentshReader().read(_agentsh(7, "h7", "h6")).events
    assert "chain_broken" not in later.attrs


def test_agentmesh_entries_name_the_entry_before() -> None:
    def entry(n: int, head: str, before: str) -> dict[str, object]:
        return {"entry_id": f"a{n}", "agent_did": "did:mesh:a", "event_type": "tool_invocation", "action": "read_file",
                "timestamp": f"2026-01-01T10:00:0{n}Z", "entry_hash": head, "previous_hash": before, "session_id": "s1"}  # fmt: skip

    reader = AgentGovernanceReader()
    assert not any("chain_broken" in e.attrs for e in reader.read(entry(1, "h1", "")).events)
    assert not any("chain_broken" in e.attrs for e in reader.read(entry(2, "h2", "h1")).events)
    assert all("chain_broken" in e.attrs for e in reader.read(entry(3, "h3", "h9")).events)
    assert not any("chain_broken" in e.attrs for e in reader.read(entry(4, "", "")).events)


def test_denials_are_no_success() -> None:
    refused = event("u", "credential", "used", "target", "github", 5, "credential jti:a", outcome=Outcome(permitted=Effect.DENY))
    (names,) = credential_groups([refused])
    assert lifeline(names, [(refused, "")], {}).use_list[0].done is Tri.NO


def _told(seconds: int, id: str, kind: str, phase: str, vantage: str, point: str, **more: object) -> str:
    moment = f"2026-03-01T{10 + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z"
    stated = {"format": "remit-events", "version": 1, "id": id, "time": moment, "kind": kind, "phase": phase, "vantage": vantage}
    return json.dumps({**stated, "point": point, **more})


def _issued(seconds: int, token: str, *scopes: dict[str, str]) -> str:
    keys = [{"role": "credential", "kind": "jti", "value": token}, *scopes]
    fact = {"kind": "token", "issuer": "broker", "subject": "svc", "scope": ["read"], "ttl_seconds": 90000}
    return _told(seconds, token, "credential", "issued", "enforcer", "broker", keys=keys, credential=fact)


def test_importing_the_issuers_later_log_turns_a_blind_spot_into_a_finding(tmp_path: Path) -> None:
    session = {"role": "scope", "kind": "session", "value": "s-1"}
    calls = [_told(n, f"c{n}", "action", "call", "agent", "agent", verb="exec", agent="codex", keys=[session]) for n in (1, 300)]
    first = [_issued(5, "a", session), *calls]
    later = [_issued(600 * n, f"t{n}") for n in range(1, 14)]

    def found(name: str, *files: list[str]) -> set[tuple[str, bool]]:
        work = open_workspace(f"{tmp_path}/{name}.db", None, create=True)
        for n, lines in enumerate(files):
            path = tmp_path / f"{name}-{n}.ndjson"
            path.write_text("\n".join(lines) + "\n")
            import_logs(work, [str(path)])
            build(work)
        return {(f.id, f.blind_spot) for f in work.store.findings() if f.detection == "CRED-05"}

    assert [blind for _, blind in found("one", first)] == [True]
    whole = found("two", first, later)
    assert [blind for _, blind in whole] == [False]
    assert whole == found("three", later, first) == found("four", first + later)


@pytest.mark.parametrize("later", ["first", "second"])
def test_a_record_that_comes_again_with_other_bytes_is_told_whichever_of_them_speaks(tmp_path: Path, later: str) -> None:
    session = {"role": "scope", "kind": "session", "value": "s-1"}
    told = {
        text: _told(1, "c1", "action", "call", "agent", "agent", verb="exec", keys=[session], text=text)
        for text in ("first", "second")
    }
    order = sorted(told, key=lambda text: text == later)
    with open_workspace(f"{tmp_path}/s.db", None, create=True) as work:
        for n, text in enumerate(order):
            path = tmp_path / f"{n}.ndjson"
            path.write_text(told[text] + "\n")
            import_logs(work, [str(path)])
            build(work)
        assert [finding.detection for finding in work.store.findings() if finding.detection == "AUD-02"] == ["AUD-02"]


@pytest.mark.parametrize(
    ("name", "seconds", "right", "said"),
    [
        ("kv/pay", 230, False, False),
        ("kv/pay", 230, True, True),
        ("kv/other", 230, False, True),
        ("kv/pay", 3 * 3600, False, True),
    ],
    ids=["what the task called for", "by a clock that is right", "what it did not call for", "much later"],
)
@pytest.mark.parametrize("revoked", [False, True], ids=["after the task", "after its revocation"])
def test_what_a_clock_alone_may_have_made_late_is_not_judged(
    tmp_path: Path, name: str, seconds: int, right: bool, said: bool, revoked: bool
) -> None:
    session = {"role": "scope", "kind": "session", "value": "s-1"}
    token = {"role": "credential", "kind": "jti", "value": "a"}

    def call(n: int, secret: str) -> str:
        return _told(n, f"c{n}", "action", "call", "agent", "agent", verb="secret.read", agent="codex",
                     target={"class": "secret_store", "name": secret}, keys=[session, {"role": "call", "kind": "call", "value": f"c{n}"}])  # fmt: skip

    def use(n: int, secret: str, *keys: dict[str, str]) -> str:
        return _told(n, f"u{n}", "credential", "used", "target", "kv", verb="secret.read", outcome={"effect": "yes"},
                     target={"class": "secret_store", "name": secret}, keys=[token, *keys])  # fmt: skip

    told = [_issued(5, "a", session), call(10, "kv/first"), call(40, "kv/pay"), call(50, "kv/last"), use(seconds, name)]
    if right:
        told.append(
            _told(11, "e", "effect", "observed", "target", "kv", verb="secret.read", outcome={"effect": "yes"},
                  target={"class": "secret_store", "name": "kv/first"}, keys=[{"role": "call", "kind": "call", "value": "c10"}])
        )  # fmt: skip
    if revoked:
        told.append(_told(60, "r", "credential", "revoked", "enforcer", "broker", verb="credential.revoke", keys=[token]))
    path = tmp_path / "a.ndjson"
    path.write_text("\n".join(told) + "\n")
    with open_workspace(f"{tmp_path}/s.db", None, create=True) as work:
        import_logs(work, [str(path)])
        build(work)
        wanted = "CRED-04" if revoked else "CRED-03"
        assert bool([one for one in work.store.findings() if one.detection == wanted]) is said
