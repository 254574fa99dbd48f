"""Cedar and Rego over a store: on the command line, and with what OPA was asked."""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from review.policy.policies import dry_run
from review.policy.studio import Draft, Studio
from review.workspace import open_workspace
from tests.running import Day, run

pytestmark = pytest.mark.usefixtures("alone")

REGO = """package agents.tools
import rego.v1
default decision := {"allowed": true, "reason": []}
decision := {"allowed": false, "reason": ["no ticket"]} if {
	input.tool_name in {"Bash", "Write", "Edit"}
	not input.ticket
}
"""
CEDAR = '@id("all")\npermit(principal, action, resource);\n@id("forced")\nforbid(principal, action, resource) when { context.action has forced && context.action.forced };\n'


def test_what_opa_was_asked_is_replayed(day: Day, tmp_path: Path) -> None:
    pytest.importorskip("regopy")
    file = tmp_path / "policy.rego"
    file.write_text(REGO)
    said = day.json("policy", "dry-run", file, "--format", "rego")
    counts = said["summary"]
    assert sum(counts.values()) == said["history"]["requests"]
    # Only what OPA did not decide lacks what the policy reads.
    assert 0 < counts["cannot_judge"] < said["history"]["requests"] / 2
    assert set(said["missing_attributes"]) == {"input.tool_name", "input.ticket"}
    assert {flip["rule"] for flip in said["flips"] if flip["to"] == "deny"} == {"decision:4"}


@pytest.mark.parametrize(("format", "text"), [("rego", REGO), ("cedar", CEDAR)])
def test_every_command_takes_the_format(format: str, text: str, day: Day, tmp_path: Path) -> None:
    pytest.importorskip({"rego": "regopy", "cedar": "cedarpy"}[format])
    file = tmp_path / f"policy.{format}"
    file.write_text(text)
    assert run("policy", "check", file, "--format", format).code == 0
    asked = run("policy", "explain", file, "--format", format, "--request", '{"action.verb": "exec"}', "--json")
    assert asked.json["effect"] == {"rego": "unknown", "cedar": "allow"}[format]
    assert day.json("policy", "test", file, "--format", format)["failed"] == 0
    file.write_text("permit(" if format == "cedar" else "package p\nallow {")
    ran = run("policy", "check", file, "--format", format)
    assert ran.code == 2 and f"policy.{format}:" in ran.out and "Traceback" not in ran.err


def test_the_studio_replays_what_opa_was_asked(day: Day) -> None:
    pytest.importorskip("regopy")
    with open_workspace(str(day.store), readonly=True) as work:
        studio = Studio(work)
        studio.read_history()
        told: list[tuple[int, int]] = []
        draft = Draft("agents.rego", REGO, "rego")
        answer = studio.replay(draft, "recorded", lambda done, total: told.append((done, total)) is None)
        assert (0, 0) in told, "how many are read is told while they are"
        assert answer.told is not None and answer.run is not None
        whole = dry_run(work, REGO, "agents.rego", format="rego")
        assert answer.told["summary"] == whole["summary"] and whole["summary"]["unchanged"]
        parts: dict[str, object] = {}
        studio.tell(answer.run, parts.update, lambda: None)
        assert parts["ledger"] == whole["ledger"]

        def left(done: int, total: int) -> bool:
            raise CancelledError

        fresh = Studio(work)
        fresh.read_history()
        with pytest.raises(CancelledError):
            fresh.replay(draft, "recorded", left)
        studio.read_history()
        stale: list[object] = []
        studio.tell(answer.run, stale.append, lambda: None)
        assert not stale, "a dry-run over a history that was read anew since tells nothing more"
