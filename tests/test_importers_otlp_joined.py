"""Telemetry beside the transcripts of the same sessions: one step per call, and counts held against plain JSON."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from chains.facts import OrgFacts
from chains.stitch import stitch
from model.event import ATTRS
from model.words import Phase
from tests.importer_checks import of_files, whole


def test_a_transcript_and_its_telemetry_are_one_step_per_call(corpus: Path) -> None:
    for name in ("tui-no-with-words", "sub-agents", "hook-denies"):
        folder = corpus / "claude-code-live/2.1.330" / name
        transcripts = sorted(folder.glob("projects/**/*.jsonl"))
        alone = stitch(of_files(*transcripts), OrgFacts())
        both = stitch(of_files(*transcripts, folder / "otel-logs.jsonl", folder / "otel-traces.jsonl"), OrgFacts())
        before = {(task, one.call) for task, chain in alone.chains.items() for one in chain.steps}
        steps = {(task, one.call): one for task, chain in both.chains.items() for one in chain.steps}
        assert steps.keys() == before
        decided = Counter(
            call for (_, call), one in steps.items() for item in one.decisions if item.record.startswith("otel-logs")
        )
        logged = [
            one for one in (folder / "otel-logs.jsonl").read_text().split('"claude_code.') if one.startswith("tool_decision")
        ]
        assert decided == Counter(
            "call:" + one.split('"tool_use_id", "value": {"stringValue": "')[1].split('"')[0] for one in logged
        )
        joined = {
            link.key
            for one in steps.values()
            for link in one.links
            if link.target.startswith("otel-logs") and link.kind == "exact"
        }
        assert decided.keys() <= joined


def test_telemetry_that_names_no_call_is_placed_by_words_tool_and_time(corpus: Path) -> None:
    """Of a file written twice in a row the telemetry tells no path: which call was under way does."""
    for name in ("tui-yes-always", "secret-by-detour", "tui-no"):
        folder = corpus / "claude-code-live/2.0.14" / name
        transcripts = sorted(folder.glob("projects/**/*.jsonl"))
        ((_, alone),) = stitch(of_files(*transcripts), OrgFacts()).chains.items()
        ((_, both),) = stitch(of_files(*transcripts, folder / "otel-logs.jsonl"), OrgFacts()).chains.items()
        assert [one.call for one in both.steps] == [one.call for one in alone.steps]
        told = [one for one in both.steps if any(record.startswith("otel-logs") for record in one.records)]
        assert told and not any(one.outcome.disputed for one in told)
        if name == "tui-yes-always":
            by = [[item.decision.by for item in one.decisions if item.decision] for one in both.steps]
            assert by == [["user"], ["config"], ["user"], ["config"], ["user"]]


def test_a_codex_rollout_and_its_telemetry_are_one_step_per_call(corpus: Path, tmp_path: Path) -> None:
    (rollout,) = sorted((corpus / "codex-live/runs/app-rules-decline").glob("rollout-*.jsonl"))
    lines = (corpus / "codex-live/otel.jsonl").read_text().splitlines()
    told = tmp_path / "otel.jsonl"
    told.write_text("\n".join(line for line in lines if json.loads(line)["job"] == "app-rules-decline"))
    alone = stitch(of_files(rollout), OrgFacts())
    both = stitch(of_files(rollout, told), OrgFacts())
    assert len(both.chains) == 1
    ((task, chain),) = both.chains.items()
    before, after = Counter(one.call for one in alone.chains[task].steps), Counter(one.call for one in chain.steps)
    # Calls within a script that were refused stand in the telemetry alone.
    assert before <= after and max(after.values()) == 1
    assert all(call.startswith("call:exec-") for call in after - before)
    told_of = {one.call for one in chain.steps for item in one.decisions if item.record.startswith("otel.jsonl")}
    assert told_of & before.keys()


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    expected: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    paths = [*corpus.glob("claude-code-live/*/*/otel-*.jsonl"), corpus / "codex-live/otel.jsonl", *corpus.glob("gemini-cli-live/*/telemetry.log"),
             *corpus.glob("otlp-genai/*/*.jsonl"), *corpus.glob("assay/*/*__trace.json")]  # fmt: skip
    assert len(paths) > 90
    for path in paths:
        text = path.read_text()
        for word in (
            "claude_code.tool_decision",
            "claude_code.tool_result",
            "gemini_cli.tool_call",
            "codex.tool_decision",
            "codex.tool_result",
        ):
            expected[word] += text.count(f'"event.name": "{word}"') + text.count(f'"stringValue": "{word}"')
        expected["execute_tool"] += text.count('{"stringValue":"execute_tool"}')
        parsed, rejects = whole(text, "otlp")
        assert not rejects
        for event in (event for one in parsed for event in one.events):
            assert event.attrs.keys() <= ATTRS.keys()
            result, verdict = event.phase is Phase.RESULT, event.phase is Phase.VERDICT
            by = event.decision.by if event.decision else ""
            # Of a span a result tells its length as a number, of a log record as it was logged.
            logged = isinstance(event.attrs.get("duration_ms"), str)
            if event.point == "claude-code":
                seen["claude_code.tool_decision"] += verdict and event.tool != "" and path.name == "otel-logs.jsonl"
                seen["claude_code.tool_result"] += result and path.name == "otel-logs.jsonl"
            elif event.point == "codex":
                seen["codex.tool_decision"] += verdict and by in ("config", "user", "automated reviewer")
                seen["codex.tool_result"] += result
            elif event.point == "gemini-cli":
                seen["gemini_cli.tool_call"] += result and logged
            seen["execute_tool"] += path.parent.parent.name == "otlp-genai" and event.phase is Phase.CALL
    assert seen == expected
