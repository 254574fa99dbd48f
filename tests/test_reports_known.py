"""A report as of a moment: what was logged or said later changes no byte of it, whatever it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lang.times import iso
from model.review import Attestation, ExceptionRecord, PolicyVersion, Verdict
from model.words import VerdictWord
from review.derive.building import build
from review.intake.importing import import_logs
from review.pack.pack_wish import PackWish
from review.pack.packs import pack_input, write_pack
from review.workspace import Workspace, open_workspace

pytestmark = pytest.mark.usefixtures("alone")

MINUTE = 60_000_000
START = 1_780_308_000_000_000  # 2026-06-01T10:00:00Z
MOMENT = START + 60 * MINUTE
CUSTODY = {"custody.json", "manifest.json"}
"""Files that tell when things were done; the manifest lists custody.json."""

ORG = """
name: Acme
enforcement_points:
  - {id: opa, vantage: enforcer, scope: "*", since: 2026-06-01T09:00:00Z}
"""


def key(role: str, kind: str, value: str) -> dict[str, str]:
    return {"role": role, "kind": kind, "value": value}


def event(id: str, minute: float, session: str = "", call: str = "", **members: Any) -> dict[str, Any]:
    keys = [key("scope", "session", session)] if session else []
    keys += [key("call", "call", call)] if call else []
    keys += members.pop("keys", [])
    at = START + int(minute * MINUTE)
    return {"format": "remit-events", "version": 1, "id": id, "time": iso(at), "keys": keys, **members}


def call(session: str, n: int, minute: float, verb: str = "repo.write", **more: Any) -> Iterator[dict[str, Any]]:
    """One call of an agent, decided by a policy engine."""
    name = f"{session}-{n}"
    what = {"verb": verb, "target": {"class": "repository", "name": "acme/pay"}, **more}
    yield event(f"a{name}", minute, session, name, kind="action", phase="call", vantage="agent", point="claude-code",
                agent="claude-code", principal={"name": "dana@acme.example", "kind": "human"}, tool="Bash", **what)  # fmt: skip
    yield event(f"d{name}", minute, session, name, kind="decision", phase="verdict", vantage="enforcer", point="opa",
                decision={"effect": "allow", "rule": "r1"}, **what)  # fmt: skip


def used(id: str, minute: float, session: str, phase: str, token: str, **more: Any) -> dict[str, Any]:
    return event(id, minute, session, kind="credential", phase=phase, vantage="enforcer", point="vault",
                 keys=[key("credential", "vault.accessor", token)], **more)  # fmt: skip


def early() -> Iterator[dict[str, Any]]:
    """Two sessions that are over by the moment, and one that goes on; the policy engine answers all along."""
    for n, session in enumerate(("s1", "s2", "s3")):
        yield event(f"p{session}", n, session, kind="intent", phase="prompt", vantage="agent", point="claude-code",
                    agent="claude-code", attrs={"text": "fix it"})  # fmt: skip
        yield used(
            f"i{session}", n + 0.5, session, "issued", f"acc-{session}", credential={"ttl_seconds": 900 * 60, "kind": "token"}
        )
        for i in range(4):
            yield from call(session, i, n + 2 + i * 10, verb=("repo.write", "package.publish", "secret.read", "exec")[i])
        yield used(f"u{session}", n + 40, session, "used", f"acc-{session}")
    yield from call("s3", 8, 59.5)


def late() -> Iterator[dict[str, Any]]:
    """What comes afterwards: more of a session, an effect of an early call, a use and revocation, other sessions and points."""
    yield from call("s3", 9, 61, verb="credential.issue")
    yield from call("s4", 0, 70)
    yield event("e1", 62, "s1", "s1-0", kind="effect", phase="observed", vantage="target", point="github",
                verb="repo.write", target={"class": "repository", "name": "acme/pay"}, outcome={"effect": "no"})  # fmt: skip
    yield event(
        "r1", 63, "s3", "s3-8", kind="action", phase="result", vantage="agent", point="claude-code", outcome={"tool": "no"}
    )
    yield used("use-2", 71, "s4", "used", "acc-s1")
    yield used("use-1", 65, "s1", "used", "acc-s1")
    yield used("revoke-1", 66, "s2", "revoked", "acc-s2")
    yield event("x", 80, kind="effect", phase="observed", vantage="witness", point="edr", verb="exec")


def bring(work: Workspace, folder: Path, name: str, events: Iterator[dict[str, Any]]) -> None:
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in events), "utf-8")
    assert not import_logs(work, [str(path)]).rejected
    build(work)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "org.yaml").write_text(ORG, "utf-8")
    with open_workspace(str(tmp_path / "s.db"), None, create=True) as opened:
        bring(opened, tmp_path, "early.ndjson", early())
        yield opened


def pack(work: Workspace, out: Path, **options: Any) -> dict[str, bytes]:
    write_pack(work, out, PackWish(frameworks=("owasp-asi-2026", "owasp-nhi-2025", "nist-csf-2.0"), **options))
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file() and p.name not in CUSTODY}


def say(work: Workspace, at: int) -> None:
    """A word of each kind on a finding or control."""
    (one, *_) = [f for f in work.store.findings() if not f.blind_spot]
    work.store.add_verdict(Verdict(one.id, "finding", VerdictWord.FALSE_POSITIVE, "late", "kim", at))
    work.store.add_exception(ExceptionRecord(one.id, "lee", "SEC-1", at + 1000 * MINUTE, "late", "lee", at))
    work.store.add_statement(Attestation("nist-csf-2.0", "GV.OC-01", "late", "kim", at))
    work.store.add_statement(Attestation("", "", "signed late", "kim", at))
    work.store.save_policy(PolicyVersion("p", 0, "remit", "", "rules: []\n", "kim", "late", at))


def test_what_comes_after_the_moment_changes_no_byte(work: Workspace, tmp_path: Path) -> None:
    before = pack(work, tmp_path / "before", as_of=MOMENT)
    bring(work, tmp_path, "late.ndjson", late())
    say(work, MOMENT + MINUTE)
    after = pack(work, tmp_path / "after", as_of=MOMENT)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []
    now = pack(work, tmp_path / "now")
    assert all(now[name] != before[name] for name in ("report.json", "sources.csv", "population.csv", "evidence.json"))


def test_what_had_happened_by_the_moment_is_known_however_late_it_was_imported(work: Workspace, tmp_path: Path) -> None:
    before = pack_input(work, None, None, MOMENT)
    bring(work, tmp_path, "forgotten.ndjson", call("s9", 0, 30))
    after = pack_input(work, None, None, MOMENT)
    assert len(after.tasks) == len(before.tasks) + 1
    assert len(after.sources) == len(before.sources) + 1


def test_the_default_moment_is_the_last_evidence_and_reviews_until_their_last_word(work: Workspace, tmp_path: Path) -> None:
    said_at = MOMENT + 500 * MINUTE
    last = work.store.last_evidence()
    say(work, said_at)
    given = pack_input(work, None, None, None)
    assert given.as_of == last
    assert given.reviewed_until == said_at
    assert given.verdicts and given.exceptions and given.attestations and given.sign_offs and given.policies
    assert not pack_input(work, None, None, MOMENT).verdicts
    first = pack(work, tmp_path / "first")
    rerun = json.loads(first["report.json"])["annexes"]["rerun"]
    assert f"--as-of {iso(last)} --reviewed-until {iso(said_at)}" in rerun
    say(work, said_at + MINUTE)
    assert pack(work, tmp_path / "again", as_of=last, reviewed_until=said_at) == first


def test_a_period_takes_steps_of_tasks_that_reach_into_it_and_counts_the_others(work: Workspace) -> None:
    start, end = START + 15 * MINUTE, START + 30 * MINUTE
    given = pack_input(work, start, end, None)
    steps = list(given.steps)
    assert steps and all(start <= (step.at or 0) <= end for step in steps)
    assert {step.task for step in steps} == {task.id for task in given.tasks}
    assert given.outside_period + len(steps) == len(list(pack_input(work, None, None, None).steps))
    assert all(start <= (row.finding.at or start) <= end for row in given.findings if row.finding.detection != "HUM-03")
