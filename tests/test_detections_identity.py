"""Who acted and with what, as importers tell it; approvals and separation of duties; findings that nobody reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.detections import registry
from chains.detections.human import approver
from importers.registry import importers
from model.event import Event
from model.words import Phase
from review.derive.building import build
from review.errors import RemitError
from review.intake.importing import import_logs
from review.judge.exceptions import accept_risk
from review.judge.verdicts import give_verdict
from review.pack.packs import pack_input
from review.show import listings
from review.show.showing import show, task_document
from review.state.overdue import overdue
from review.workspace import Workspace, open_workspace


def read(format: str, record: dict[str, Any]) -> list[Event]:
    return importers()[format].open().read(record).events


def trail(identity: dict[str, Any], **more: Any) -> Event:
    record = {
        "eventVersion": "1.11", "eventTime": "2026-05-28T20:26:40Z", "eventSource": "ecs.amazonaws.com", "eventName": "UpdateService",
        "awsRegion": "eu-north-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2", "eventID": "e1", "requestID": "r1",
        "recipientAccountId": "111122223333", "userIdentity": {"accountId": "111122223333"} | identity,
    }  # fmt: skip
    return next(e for e in read("cloudtrail", record | more) if e.phase is Phase.OBSERVED)


@pytest.mark.parametrize(
    ("identity", "proof"),
    [
        ({"type": "IAMUser", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "svc"}, "static key"),
        ({"type": "WebIdentityUser", "userName": "repo:acme/pay:ref:refs/heads/main"}, "oidc"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/x/i-0123456789abcdef0"}, "attested"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/x/dana"}, None),
    ],
)
def test_cloudtrail_tells_how_a_caller_was_known(identity: dict[str, Any], proof: str | None) -> None:
    assert trail(identity).attrs.get("identity_proof") == proof


def test_cloudtrail_tells_the_console() -> None:
    role = {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/x/dana"}
    assert trail(role, sessionCredentialFromConsole="true").attrs["interactive"] is True
    assert "interactive" not in trail(role).attrs


@pytest.mark.parametrize(
    ("display", "proof"),
    [
        ("approle-ci", "static key"),
        ("kubernetes-ns-app", "attested"),
        ("userpass-dana", "password"),
        ("root", "static key"),
        ("own-name", None),
    ],
)
def test_vault_tells_how_the_bearer_logged_in(display: str, proof: str | None) -> None:
    record = {
        "time": "2026-05-28T20:26:40Z", "type": "request", "auth": {"display_name": display, "accessor": "hmac-sha256:ab"},
        "request": {"id": "r1", "operation": "read", "path": "aws/creds/x", "mount_type": "aws", "client_token_accessor": "hmac-sha256:ab"},
    }  # fmt: skip
    told = read("vault", record)
    assert told
    assert {e.attrs.get("identity_proof") for e in told} == {proof}


def test_an_approved_review_names_both_sides() -> None:
    body = {
        "action": "submitted", "review": {"state": "approved", "user": {"login": "dana"}, "submitted_at": "2026-05-28T20:26:40Z"},
        "pull_request": {"number": 7, "user": {"login": "agent[bot]"}, "head": {"sha": "a" * 40}},
        "repository": {"full_name": "acme/pay"}, "sender": {"login": "dana"},
    }  # fmt: skip
    (event,) = read("github-webhook", body)
    assert (approver(event), event.attrs["requester"]) == ("dana", "agent[bot]")
    body["review"]["state"] = "commented"  # type: ignore[index]
    (event,) = read("github-webhook", body)
    assert approver(event) == ""


def test_a_rule_approves_nothing() -> None:
    sample = next(s for s in registry()["HUM-01"].examples if s.title == "by a rule")
    chain, _ = sample.chain()
    assert {approver(event) for event in chain.events.values()} == {""}


DAY = 24 * 3600


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Workspace]:
    """A store with a destructive command ten days before its last record."""

    def line(id: str, day: int, session: str, command: str) -> str:
        base = {
            "format": "remit-events", "version": 1, "time": f"2026-05-{day:02}T10:00:00Z", "point": "agent", "vantage": "agent",
            "kind": "action", "verb": "exec", "attrs": {"command": command},
            "keys": [{"role": "scope", "kind": "session", "value": session}, {"role": "call", "kind": "call", "value": id}],
        }  # fmt: skip
        told = [
            base | {"id": f"{id}-call", "phase": "call"},
            base | {"id": f"{id}-result", "phase": "result", "outcome": {"tool": "yes"}},
        ]
        return "".join(json.dumps(one) + "\n" for one in told)

    (tmp_path / "log.ndjson").write_text(line("c1", 10, "one", "rm -rf /srv/data") + line("c2", 20, "two", "ls"))
    with open_workspace(str(tmp_path / "remit.db"), None, create=True) as work:
        import_logs(work, [str(tmp_path / "log.ndjson")])
        build(work)
        yield work


def told(work: Workspace) -> list[dict[str, Any]]:
    return [row for row in listings.findings(work) if row["detection"] == "HUM-03"]


def test_what_nobody_reviewed_in_time_is_told_wherever_findings_are_read(late: Workspace) -> None:
    (row,) = told(late)
    assert row["severity"] == "low"
    assert "BND-03" in row["why"]
    assert row["evidence"]
    assert row["controls"]
    assert list(listings.findings(late, "detection:HUM-03")) == [row]
    assert row not in list(listings.findings(late, "severity:high"))
    assert row not in list(listings.findings(late, "detection:BND-03"))
    assert row["id"] in {f["id"] for f in task_document(late, row["task"])["findings"]}
    assert show(late, row["id"][:12])["finding"]["id"] == row["id"]
    assert row["id"] in {f.finding.id for f in pack_input(late, None, None, None).findings}
    assert all(f.detection != "HUM-03" for f in late.store.findings()), "nothing derived may rest on a verdict"
    with pytest.raises(RemitError, match="review what it names"):
        give_verdict(late, row["id"], "within-remit", "seen")


def test_a_verdict_on_the_finding_or_its_task_ends_it(late: Workspace) -> None:
    (row,) = told(late)
    give_verdict(late, row["task"], "within-remit", "the folder was scratch space")
    assert told(late) == []


def test_an_accepted_risk_counts_again_when_its_time_is_over(late: Workspace) -> None:
    (finding,) = (f for f in late.store.findings() if f.detection == "BND-03")
    accept_risk(late, finding.id, owner="dana", ticket="PAY-1", expires="2999-01-01", reason="known")
    assert told(late) == []
    over = overdue(late, as_of=32_503_680_000_000_000 + DAY * 1_000_000)
    assert [f.facts["expired"] for f in over] == [1]
