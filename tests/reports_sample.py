"""A small organisation's state built by code: what the report tests make their packs from."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from model.chain import Coverage, Credential, Finding, Gap, Task
from model.event import RecordRef, digest, short_id
from model.org import Org, PointFact, Resource, Window
from model.review import ExceptionRecord, PolicyVersion, Remedy, Verdict
from model.words import Effect, EventKind, Phase, Severity, TargetClass, Tri, Vantage, Verb, VerdictWord
from reports.asked import PackRequest
from reports.crosswalk import load
from reports.earlier import Earlier
from reports.input import (
    Attestation,
    Classification,
    CustodyEntry,
    Delivered,
    Detection,
    FindingRow,
    Journal,
    PackInput,
    SourceRow,
    StepRow,
)
from reports.pack import build_pack as built
from reports.renderers.folder import TemplateFolder

DAY = 1_780_272_000_000_000  # 2026-06-01T00:00:00Z
HOUR = 3_600_000_000
MINUTE = 60_000_000
IMPLEMENTED = [
    "GOV-01",
    "GOV-02",
    "CRED-01",
    "CRED-03",
    "CRED-06",
    "CRED-08",
    "CRED-09",
    "DEL-01",
    "DEL-02",
    "BND-03",
    "BND-04",
    "BND-05",
    "BND-07",
    "SUP-02",
    "AUD-02",
]
FRAMEWORKS = ["owasp-asi-2026", "owasp-nhi-2025", "nist-ai-rmf-1.0"]
EU = "eu-ai-act-2024-1689-selected"

SOURCES = {
    "claude": ("claude-code/session.jsonl", "claude-code", ("claude-code",)),
    "opa": ("opa/decisions.json", "opa", ("opa:agents/authz",)),
    "vault": ("vault/audit.log", "vault", ("vault",)),
    "github": ("github/audit.json", "github-audit", ("github:acme",)),
}


def steps(tasks: int, per_task: int) -> Iterator[StepRow]:
    """Steps of every kind, in the order a pack wants them; one in three is decided, one in five uses a credential."""
    verbs = (Verb.EXEC, Verb.FILE_READ, Verb.FILE_WRITE, Verb.REPO_WRITE, Verb.SECRET_READ, Verb.HTTP_REQUEST)
    for t in range(tasks):
        for n in range(per_task):
            denied = n % 11 == 7
            decided = n % 3 == 0 or denied
            yield StepRow(
                id=f"step-{t:05d}-{n:04d}",
                task=f"task-{t:05d}",
                n=n,
                at=DAY + 8 * HOUR + t * MINUTE + n * 1_000_000,
                verb=verbs[n % len(verbs)],
                tool="Bash" if n % 2 else "Read",
                target_class=TargetClass.REPOSITORY,
                target=f"acme/service-{t % 7}",
                owner="payments" if t % 2 else "",
                environment="prod" if n % 9 == 0 else "staging",
                title=f"run step {n}" if n % 8 else '=HYPERLINK("x","y")',
                permitted=Effect.DENY if denied else Effect.ALLOW if decided else Effect.UNKNOWN,
                decided=decided,
                decided_by="opa:agents/authz" if decided else "",
                rule="r-17" if decided else "",
                policy="v12" if decided else "",
                covered=n % 10 != 9,
                credentials=(f"cred-{t % 4}",) if n % 5 == 0 else (),
                task_bound=Tri.YES if n % 10 == 0 else Tri.NO,
                tool_outcome=Tri.YES,
                effect=Tri.YES if n % 4 == 0 else Tri.UNKNOWN,
                disputed=n % 17 == 16,
                vantages=("agent", "enforcer") if decided else ("agent",),
                records=1 + decided,
            )


def finding(
    detection: str, task: int, step: int | None = None, severity: Severity = Severity.HIGH, /, **more: object
) -> FindingRow:
    """A finding with one record of evidence."""
    anchor = f"{task}:{step}"
    step_id = "" if step is None else f"step-{task:05d}-{step:04d}"
    made = Finding(
        id=short_id("find", detection, anchor),
        detection=detection,
        title=load().detections[detection].title,
        severity=severity,
        task=f"task-{task:05d}",
        anchor=anchor,
        step=step_id,
        at=DAY + 8 * HOUR + task * MINUTE,
        evidence=(short_id("rec", anchor),),
        evidence_digest=digest(detection, anchor),
        why=f"<script>alert({task})</script> the push | was *refused* and went out \x1b[31mred\u202e again",
    )
    for name, value in more.items():
        setattr(made, name, value)
    reference = RecordRef("src-claude", "claude-code/session.jsonl", 10 + task, None, 1000 * task, digest("record", anchor))
    return FindingRow(made, (reference,))


def findings() -> tuple[FindingRow, ...]:
    return (
        finding("BND-05", 1, 7, Severity.CRITICAL),
        finding("CRED-03", 2, 5),
        finding("CRED-08", 3, 1),
        finding("CRED-08", 4, 1),
        finding("GOV-01", 5, 4),
        finding("GOV-01", 6, 9, blind_spot=True, why="no decider's log covers 08:06"),
        finding("BND-03", 0, 2, Severity.MEDIUM),
        finding("DEL-02", 7, None, Severity.LOW),
    )


def sources() -> tuple[SourceRow, ...]:
    rows = []
    for i, (name, (path, format_, points)) in enumerate(SOURCES.items()):
        rows.append(
            SourceRow(
                id=f"src-{name}",
                name=path,
                format=format_,
                sha256=digest(path),
                bytes=10_000 + i,
                first=DAY + 8 * HOUR,
                last=DAY + 18 * HOUR,
                read=103 + i,
                accepted=100,
                duplicate=i,
                rejected=3,
                events=140 + i,
                points=points,
                reject_reasons={"not valid JSON": 2, "no time": 1},
                skew_micros=-1_250_000 if name == "vault" else None,
                note="exported by hand; all events of the day",
            )
        )
    return tuple(rows)


def delivered() -> tuple[Delivered, ...]:
    rows = [
        ("claude", EventKind.INTENT, Phase.PROMPT, Vantage.AGENT),
        ("claude", EventKind.ACTION, Phase.CALL, Vantage.AGENT),
        ("claude", EventKind.ACTION, Phase.RESULT, Vantage.AGENT),
        ("opa", EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER),
        ("vault", EventKind.CREDENTIAL, Phase.ISSUED, Vantage.ENFORCER),
        ("vault", EventKind.CREDENTIAL, Phase.USED, Vantage.ENFORCER),
        ("github", EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET),
    ]
    return tuple(Delivered(f"src-{s}", SOURCES[s][2][0], kind, phase, vantage, 40) for s, kind, phase, vantage in rows)


def coverage() -> tuple[Coverage, ...]:
    start, end = DAY + 8 * HOUR, DAY + 18 * HOUR
    return (
        Coverage("claude-code", Vantage.AGENT, "*", start, end, 100),
        Coverage(
            "opa:agents/authz", Vantage.ENFORCER, "*", start, end, 100, (Gap(DAY + 11 * HOUR, DAY + 12 * HOUR),), decides=True
        ),
        Coverage("vault", Vantage.ENFORCER, "*", start + HOUR, end, 100),
        Coverage("github:acme", Vantage.TARGET, "acme", start, end - HOUR, 100),
    )


def organisation() -> Org:
    return Org(
        name="Acme",
        resources=(Resource("repository:acme/*", owner="payments", environment="prod"),),
        change_windows=(Window("prod", ("mon",), "14:00", "16:00"),),
        enforcement_points=(PointFact("opa:*", "enforcer"), PointFact("vault", "enforcer")),
    )


def sample(tasks: int = 12, per_task: int = 20, /, **changes: object) -> PackInput:
    """The whole state; keyword arguments replace fields of it."""
    rows = findings()
    made = PackInput(
        organisation="Acme <Ltd>",
        system="coding agents",
        start=DAY,
        end=DAY + 24 * HOUR,
        as_of=DAY + 24 * HOUR,
        tool_version="0.1.0",
        tasks=tuple(
            Task(
                id=f"task-{t:05d}",
                scope=f"session:{t}",
                title=f"Rotate key {t} ![x](javascript:alert(1))",
                agent="claude-code",
                principal="dana@acme.example",
                started=DAY + 8 * HOUR,
                ended=DAY + 9 * HOUR,
                steps=per_task,
                risk=90 - t % 90,
            )
            for t in range(tasks)
        ),
        steps=steps(tasks, per_task),
        findings=rows,
        credentials=tuple(
            Credential(
                id=f"cred-{c}",
                key=f"vault.accessor:{c}",
                kind="vault token",
                issuer="vault",
                issued=DAY + 8 * HOUR,
                ttl_seconds=900 if c else -1,
                expires=DAY + 9 * HOUR if c else None,
                uses=3,
                tasks=(f"task-{c:05d}",),
                flags=() if c else ("standing",),
            )
            for c in range(4)
        ),
        coverage=coverage(),
        sources=sources(),
        delivered=delivered(),
        exceptions=(
            ExceptionRecord(rows[2].finding.id, "lee", "SEC-9", DAY + 48 * HOUR, "test key only", "lee", DAY + 20 * HOUR),
            ExceptionRecord(rows[3].finding.id, "lee", "SEC-8", DAY + 2 * HOUR, "ran out", "lee", DAY + HOUR),
        ),
        remedies=(
            Remedy(rows[0].finding.id, "", "{{ the mode }} was *bypass*", "dana", DAY + 2 * HOUR, "", "lee", DAY + 21 * HOUR),
            Remedy(rows[2].finding.id, "", "", "lee", DAY + 90 * HOUR, "=PR 88", "lee", DAY + 21 * HOUR),
            Remedy(rows[7].finding.id, "", "a test", "", 0, "PR 89", "lee", DAY + 21 * HOUR),
        ),
        verdicts=(
            Verdict(rows[0].finding.id, "finding", VerdictWord.OUTSIDE, "no mandate", "lee", DAY + 20 * HOUR),
            Verdict(
                rows[6].finding.id,
                "finding",
                VerdictWord.FALSE_POSITIVE,
                "cleans a cache",
                "dana@acme.example",
                DAY + 21 * HOUR,
                own=True,
            ),
            Verdict(
                rows[7].finding.id, "finding", VerdictWord.WITHIN, "agreed", "lee", DAY + 21 * HOUR, evidence="earlier", seq=3
            ),
        ),
        policies=(PolicyVersion("agents", 12, "remit", digest("policy"), "", "kim", "tighten", DAY),),
        detections=tuple(
            Detection(
                name,
                load().detections[name].title,
                1,
                Severity.HIGH,
                {"limit_hours": 12} if name == "CRED-01" else {},
                2 if name == "GOV-02" else 0,
                {"owner": 4} if name == "DEL-02" else {},
            )
            for name in IMPLEMENTED
        ),
        unattributed={"effect": 5, "credential": 2},
        outside_period=3,
        org=organisation(),
        attestations=(Attestation("nist-ai-rmf-1.0", "GOVERN 1.4", "kim", DAY + 22 * HOUR, "Policy board met in May."),),
        configuration={"inference_threshold": "0.75"},
        journal=Journal(7, digest("head")),
        custody=(CustodyEntry("src-claude", "/home/dana/session.jsonl", "dana", DAY + 19 * HOUR, digest("file")),),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def classified() -> tuple[Classification, ...]:
    return (Classification(EU, "the legal department", "deployer", "Annex III, point 4"),)


def build_pack(
    given: PackInput,
    out: Path,
    frameworks: Sequence[str],
    only: Collection[str] | None = None,
    *,
    templates: Path | None = None,
    since: dict[str, Any] | None = None,
    **asked: Any,
) -> dict[str, Any]:
    """A pack of what is asked for, the templates by their path and the earlier report by its document."""
    folder = TemplateFolder(templates) if templates else None
    earlier = Earlier("before", "", since) if since is not None else None
    request = PackRequest(frameworks=frameworks, only=only, templates=folder, since=earlier, **asked)
    return built(given, out, request)


if __name__ == "__main__":
    build_pack(sample(), Path(sys.argv[1]), [*FRAMEWORKS, "nist-csf-2.0"])
