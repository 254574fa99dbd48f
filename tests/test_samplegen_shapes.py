"""Each generated log has the shape of a real log of its format: the same members of the same kinds of value."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_data"
Shapes = dict[str, set[tuple[str, str]]]


def walk(value: object, path: str, opaque: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(path, kind of value) of everything inside, except inside of what the format leaves free."""
    kind = {bool: "bool", int: "number", float: "number", str: "text", list: "list", dict: "object"}.get(type(value), "null")
    yield path, kind
    if path in opaque:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, f"{path}.{name}", opaque)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, f"{path}[]", opaque)


def shapes(
    records: Iterator[dict[str, object]], kind_of: Callable[[dict[str, object]], str | None], opaque: tuple[str, ...]
) -> Shapes:
    found: Shapes = defaultdict(set)
    for record in records:
        kind = kind_of(record)
        if kind is not None:
            found[kind].update(walk(record, "", opaque))
    return found


def lines(*paths: Path) -> Iterator[dict[str, object]]:
    """JSON objects of line files, of CloudTrail's envelopes and of concatenated objects."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        decoder, at = json.JSONDecoder(), 0
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            try:
                value, at = decoder.raw_decode(text, at)
            except json.JSONDecodeError:
                at = text.find("\n", at) + 1 or len(text)
                continue
            if isinstance(value, dict):
                yield from value.get("Records", [value])


def compare(ours: Shapes, real: Shapes) -> list[str]:
    wrong = [f"{kind}: no such record in the corpus" for kind in ours if kind not in real]
    for kind in ours.keys() & real.keys():
        nullable = {path for path, what in real[kind] if what == "null"}
        for path, what in sorted(ours[kind] - real[kind]):
            if what != "null" or path not in nullable:
                wrong.append(f"{kind}{path}: {what}")
    return sorted(wrong)


def claude_kind(record: dict[str, object]) -> str | None:
    kind = str(record.get("type"))
    message = record.get("message")
    if isinstance(message, dict):
        content = message.get("content")
        kind += ":" + (content[0]["type"] if isinstance(content, list) and content else "text")
    data = record.get("data")
    if isinstance(data, dict):
        kind += f":{data.get('type')}"
    return kind + (f":{record['subtype']}" if "subtype" in record else "")


def test_claude_code(corpus: Path) -> None:
    opaque = (".message.content[].input", ".toolUseResult", ".message.content[].content", ".data")
    real = shapes(
        lines(
            *sorted((corpus / "claude-code" / "entireio__cli").glob("*.jsonl")),
            *sorted((corpus / "claude-code-live").glob("**/subagents/*.jsonl")),
        ),
        claude_kind,
        opaque,
    )
    ours = shapes(lines(*sorted(SAMPLE.glob("claude-code-*.jsonl"))), claude_kind, opaque)
    assert len(ours) == 7
    assert compare(ours, real) == []


def test_claude_code_results_by_tool(corpus: Path) -> None:
    """What a tool's result holds beside its text, for the tools both sides use."""

    def by_tool(paths: list[Path]) -> Shapes:
        found: Shapes = defaultdict(set)
        tools: dict[str, str] = {}
        for record in lines(*paths):
            message = record.get("message")
            content = message.get("content") if isinstance(message, dict) else None
            for block in content if isinstance(content, list) else []:
                if block.get("type") == "tool_use" and "id" in block:
                    tools[block["id"]] = block["name"]
                if block.get("type") == "tool_result" and isinstance(record.get("toolUseResult"), dict):
                    found[tools.get(block["tool_use_id"], "?")].update(walk(record["toolUseResult"], "", ()))
        return found

    ours = by_tool(sorted(SAMPLE.glob("claude-code-*.jsonl")))
    real = by_tool(sorted((corpus / "claude-code" / "entireio__cli").glob("*.jsonl")))
    assert {"Bash", "Read", "Edit", "Grep", "WebFetch", "Task"} <= set(ours)
    assert compare({k: v for k, v in ours.items() if not k.startswith("mcp__")}, real) == []


def codex_kind(record: dict[str, object]) -> str | None:
    payload = record.get("payload")
    if not isinstance(payload, dict):
        return None
    return ":".join(str(x) for x in (record["type"], payload.get("type", ""), payload.get("role", "")))


def test_codex(corpus: Path) -> None:
    paths = [*(corpus / "codex").glob("*/*.jsonl"), *(corpus / "codex-live").glob("runs/*/rollout*.jsonl")]
    real = shapes(lines(*sorted(paths)), codex_kind, ())
    ours = shapes(lines(*sorted(SAMPLE.glob("codex-*.jsonl"))), codex_kind, ())
    assert len(ours) >= 11
    assert compare(ours, real) == []


def test_opa(corpus: Path) -> None:
    """The question is the asker's own; `bundles` and `req_id` are OPA's documented members, absent from small set-ups."""

    def kind(record: dict[str, object]) -> str | None:
        return "decision" if "decision_id" in record else None

    real = shapes(lines(*sorted((corpus / "opa-decision-logs").glob("*/*.json*"))), kind, (".input", ".result"))
    ours = shapes(lines(SAMPLE / "opa-decisions.jsonl"), kind, (".input", ".result", ".bundles"))
    documented = {(".bundles", "object"), (".req_id", "number")}
    assert compare({"decision": ours["decision"] - documented}, real) == []


def test_vault(corpus: Path) -> None:
    """Data is the secret engine's own; metadata is the role's."""
    opaque = (".request.data", ".response.data", ".auth.metadata", ".response.auth.metadata")

    def kind(record: dict[str, object]) -> str | None:
        return str(record["type"])

    real = shapes(lines(*sorted((corpus / "vault-audit").glob("*/*"))), kind, opaque)
    ours = shapes(lines(SAMPLE / "vault-audit.log"), kind, opaque)
    assert compare(ours, real) == []


def test_cloudtrail(corpus: Path) -> None:
    """Parameters and answers are each service's own; web identities are documented and not in these files."""
    opaque = (".requestParameters", ".responseElements")

    def kind(record: dict[str, object]) -> str | None:
        identity = record.get("userIdentity")
        return str(identity.get("type")) if isinstance(identity, dict) else None

    real = shapes(lines(*sorted((corpus / "cloudtrail" / "invictus-ir__aws_dataset").glob("*.json"))), kind, opaque)
    ours = shapes(lines(*sorted(SAMPLE.glob("cloudtrail-*.json"))), kind, opaque)
    web = ours.pop("WebIdentityUser")
    known = {path for path, _ in set().union(*real.values())} | {".userIdentity.identityProvider"}
    assert {path for path, _ in web} <= known
    assert compare(ours, real) == []


def test_cloudtrail_issuance(corpus: Path) -> None:
    """What an issued key looks like, in its own words."""

    def kind(record: dict[str, object]) -> str | None:
        name = str(record.get("eventName"))
        return name if name == "AssumeRole" and isinstance(record.get("responseElements"), dict) else None

    real = shapes(lines(*sorted((corpus / "cloudtrail" / "invictus-ir__aws_dataset").glob("*.json"))), kind, (".userIdentity",))
    ours = shapes(lines(*sorted(SAMPLE.glob("cloudtrail-*.json"))), kind, (".userIdentity",))
    assert compare(ours, real) == []


def test_github(corpus: Path) -> None:
    """Audit events; the corpus holds no pull requests, whose members are documented."""

    def kind(record: dict[str, object]) -> str | None:
        action = str(record.get("action"))
        return "audit" if "." in action and "sender" not in record else None

    real = shapes(lines(*sorted((corpus / "github-audit").glob("*/*"))), kind, ())
    real["audit"] |= {(path, "number") for path, what in real["audit"] if what == "text" and path.endswith(("_id", "timestamp"))}
    ours = shapes(lines(SAMPLE / "github-audit.ndjson"), kind, ())
    documented = {(".pull_request_id", "number"), (".pull_request_title", "text"), (".pull_request_url", "text")}
    assert compare({"audit": ours["audit"] - documented}, real) == []


def test_neutral_events_keep_their_schema() -> None:
    validator = jsonschema_rs.validator_for(json.loads((ROOT / "importers" / "remit-events.schema.json").read_bytes()))
    names = sorted(SAMPLE.glob("*-events.ndjson"))
    assert len(names) == 4
    seen: set[tuple[object, object]] = set()
    for record in lines(*names):
        validator.validate(record)
        assert (record["point"], record["id"]) not in seen
        seen.add((record["point"], record["id"]))


def test_organisation_keeps_its_schema() -> None:
    validator = jsonschema_rs.validator_for(json.loads((ROOT / "chains" / "org.schema.json").read_bytes()))
    validator.validate(yaml.safe_load((SAMPLE / "org.yaml").read_text()))


def test_draft_is_the_policy_and_one_rule_more() -> None:
    policy, draft = (yaml.safe_load((SAMPLE / name).read_text()) for name in ("policy.yaml", "draft-no-prod-secrets.yaml"))
    assert draft["rules"][:-1] == policy["rules"]
    assert draft["rules"][-1]["when"] == (
        '"secret.read" in action.verbs && resource.class == "secret_store" && '
        'context.environment == "prod" && principal.origin == "endpoint"'
    )


@pytest.mark.parametrize("name", ["truth.json", "org.yaml", "policy.yaml", "draft-no-prod-secrets.yaml", "README.md"])
def test_companions_are_there(name: str) -> None:
    assert (SAMPLE / name).stat().st_size > 400
