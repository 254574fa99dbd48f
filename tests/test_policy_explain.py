"""Answers to single requests: why, in which words a request may come, and what rule examples say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.request import FIELD, FIELDS
from policy import (
    History,
    Policy,
    RequestError,
    check,
    decide,
    explain,
    format_of,
    formats,
    policy_schema,
    read_request,
    request_schema,
    run_tests,
    to_request,
)
from policy.schema import field_table

POLICY = """\
version: 1
default: ask
rules:
  - {id: no-force, effect: deny, when: 'action.forced && "repo.write" in action.verbs', reason: history is not rewritten}
  - {id: production, effect: deny, when: 'resource.environment == "production" && agent.depth > 0'}
  - {id: reads, effect: allow, when: 'action.verb == "file.read" || action.verbs.all(v, v in ["exec", "repo.read"])'}
"""


def policy(text: str = POLICY) -> Policy:
    checked = check(text)
    assert checked.policy is not None, checked.diagnostics
    return checked.policy


@pytest.mark.parametrize(
    ("request_", "effect", "rule", "reason", "undetermined"),
    [
        (
            {"action.verb": "file.read", "action.forced": False, "resource.environment": "dev"},
            "allow",
            "reads",
            "rule reads matches",
            [],
        ),
        (
            {"action": {"forced": True, "verbs": ["exec", "repo.write"]}},
            "deny",
            "no-force",
            "history is not rewritten",
            [],
        ),
        (
            {"action": {"verb": "file.read", "forced": False}, "resource": {"environment": "production"}},
            "unknown",
            None,
            "cannot judge: production needs agent.depth",
            [{"rule": "production", "missing": ["agent.depth"]}],
        ),
        (
            {"action.verb": "db.query", "action.verbs": ["db.query"], "agent.depth": 0, "action.forced": None},
            "ask",
            None,
            "no rule matches; the default is ask",
            [],
        ),
        (
            {},
            "unknown",
            None,
            "cannot judge: no-force, production, reads need action.forced, action.verb, action.verbs, agent.depth, resource.environment",
            [
                {"rule": "no-force", "missing": ["action.forced", "action.verbs"]},
                {"rule": "production", "missing": ["agent.depth", "resource.environment"]},
                {"rule": "reads", "missing": ["action.verb", "action.verbs"]},
            ],
        ),
    ],
)
def test_explain_names_effect_rule_reason_and_what_is_missing(
    request_: dict[str, Any], effect: str, rule: str | None, reason: str, undetermined: list[Any]
) -> None:
    answer = explain(policy(), request_)
    assert (answer["effect"], answer["rule"], answer["reason"]) == (effect, rule, reason)
    assert answer["undetermined"] == undetermined
    assert list(answer) == ["effect", "rule", "reason", "matched", "undetermined", "operations"]
    assert json.loads(json.dumps(answer)) == answer


def test_matched_lists_weaker_rules_too() -> None:
    answer = explain(policy(), {"action.verb": "file.read", "action.forced": True, "action.verbs": ["repo.write"]})
    assert (answer["effect"], answer["matched"]) == ("deny", ["no-force", "reads"])


def test_operations_of_a_command_are_answered_one_by_one() -> None:
    command = "git status && git push --force origin main"
    answer = explain(
        policy(), {"agent": "claude-code", "tool": "Bash", "input": {"command": command}, "cwd": "/w", "mode": "default"}
    )
    assert (answer["effect"], answer["rule"]) == ("deny", "no-force")
    answers = {op["text"]: (op["effect"], op["rule"]) for op in answer["operations"]}
    assert answers["git push --force origin main"] == ("deny", "no-force")
    assert answers["git status"][1] != "no-force"


@pytest.mark.parametrize(
    ("call", "want"),
    [
        (
            {"agent": "claude-code", "tool": "Read", "input": {"file_path": "/w/a"}, "cwd": "/w", "project": "/w"},
            {"action.verb": "file.read", "resource.class": "filesystem", "resource.name": "/w/a", "context.project": "/w"},
        ),
        (
            {"agent": "claude-code", "tool": "mcp__github__create_issue", "input": {}},
            {
                "action.verb": "mcp.call",
                "resource.class": "mcp_server",
                "resource.name": "github",
                "resource.detail": "create_issue",
            },
        ),
        (
            {"agent": "claude-code", "tool": "WebFetch", "input": {"url": "https://Example.org/a?b"}},
            {"action.verb": "http.request", "resource.name": "example.org", "resource.detail": "/a?b"},
        ),
        (
            {
                "agent": "codex",
                "argv": ["bash", "-lc", "git push origin main"],
                "approval_policy": "never",
                "sandbox": "read-only",
            },
            {"action.command": "git push origin main", "agent.mode": "never", "agent.sandbox": "read-only"},
        ),
        ({"agent": "codex", "argv": ["git", "commit", "-m", "a b"]}, {"action.command": "git commit -m 'a b'"}),
        ({"agent": "codex", "command": "rm -rf x"}, {"action.verb": "exec", "action.command": "rm -rf x"}),
        (
            {"agent": "gemini-cli", "tool": "run_shell_command", "input": {"command": "ls"}, "interactive": False},
            {"action.command": "ls"},
        ),
        (
            {"agent": "opencode", "tool": "edit", "input": {"filePath": "a.py"}},
            {"action.verb": "file.write", "resource.name": "a.py"},
        ),
        ({"agent": "opencode", "tool": "bash", "input": {"command": 3}}, {"action.verb": "exec"}),
        (
            {"agent": "copilot-cli", "tool": "powershell", "input": {"command": "git push"}},
            {"action.verb": "exec", "action.command": "git push"},
        ),
        (
            {"agent": "copilot-cli", "tool": "create", "input": {"path": "/src/a.py"}},
            {"action.verb": "file.write", "resource.name": "/src/a.py"},
        ),
        (
            {"agent": "cursor", "tool": "delete_file", "input": {"target_file": "a.py"}},
            {"action.verb": "file.delete", "resource.name": "a.py"},
        ),
    ],
)
def test_tool_calls_become_requests(call: dict[str, Any], want: dict[str, Any]) -> None:
    request = to_request(call)
    assert want.items() <= request.items()
    assert request["agent.name"] == call["agent"]
    assert request.keys() <= FIELD.keys()


def test_a_tool_nobody_knows_leaves_the_verb_missing() -> None:
    request = to_request({"agent": "claude-code", "tool": "Brandnew", "input": {"path": "/x"}})
    assert request == {"agent.name": "claude-code", "action.tool": "Brandnew", "action.arguments.path": "/x"}


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (3, "a mapping of attributes, not a number"),
        (["a"], "not a list"),
        (None, "not null"),
        ({"resource.nam": "x"}, "unknown attribute `resource.nam`; did you mean `resource.name`?"),
        ({"resource": {"clas": "x"}}, "did you mean `resource.class`?"),
        ({"resource": "x"}, "`resource` is a group of attributes"),
        ({"agent.depth": "3"}, "`agent.depth` is a whole number, not a text"),
        ({"agent.depth": True}, "a whole number, not true or false"),
        ({"agent.depth": 2**63}, "`agent.depth` is a whole number"),
        ({"action.verbs": "exec"}, "`action.verbs` is a list of texts, not a text"),
        ({"action.verbs": ["exec", 3]}, "a list with other things than texts"),
        ({"action.verb": "exce"}, "is never `exce`; did you mean `exec`?"),
        ({"resource": {"name": "a"}, "resource.name": "b"}, "stated twice"),
        ({"agent": "claude-code", "tol": "Bash"}, "unknown name `tol`"),
        ({"agent": "other", "tool": "Bash"}, "unknown agent `other`"),
        ({"agent": "codex", "argv": []}, "`argv` is a list of texts"),
        ({"agent": "codex", "argv": ["a", 1]}, "`argv` is a list of texts"),
        ({"agent": "codex", "command": ["a"]}, "`command` is a text"),
        ({"agent": "claude-code", "tool": "Bash", "input": 3}, "`input` is an object"),
        ({"agent": "claude-code"}, "has a `tool`"),
    ],
)
def test_a_wrong_request_is_refused_by_name(request_: object, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        explain(policy(), request_)
    assert says in str(caught.value)


def test_all_problems_of_a_request_are_listed() -> None:
    with pytest.raises(RequestError) as caught:
        read_request({"a": 1, "agent.depth": "x", "resource": {"b": 1}})
    assert [p.name for p in caught.value.problems] == ["a", "agent.depth", "resource.b"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["agent", "tool", "input", "argv", "command", "resource", *list(FIELD)[:8]]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_any_json_is_answered_or_refused(request_: object) -> None:
    try:
        answer = explain(policy(), request_)
    except RequestError as error:
        assert error.problems
        return
    assert answer["effect"] in ("allow", "ask", "deny", "unknown")


def test_examples_of_rules() -> None:
    text = """\
version: 1
default: ask
rules:
  - id: deep
    effect: deny
    when: agent.depth > 1 && action.verb == "exec"
    tests:
      match:
        - {agent.depth: 2, action.verb: exec}
        - {agent.depth: 1, action.verb: exec}
        - {action.verb: exec}
      not_match:
        - {agent.depth: 0}
        - {agent: {depth: 3}, action: {verb: exec}}
        - {agent.depth: 3}
"""
    results = run_tests(policy(text))
    assert [(r.kind, r.line, r.ok, r.got, r.missing) for r in results] == [
        ("match", 9, True, "matched", ()),
        ("match", 10, False, "not matched", ()),
        ("match", 11, False, "unknown", ("agent.depth",)),
        ("not_match", 13, True, "not matched", ()),
        ("not_match", 14, False, "matched", ()),
        ("not_match", 15, False, "unknown", ("action.verb",)),
    ]
    assert results[1].message == "deep: the example is not matched, but must be"
    assert results[4].message == "deep: the example is matched, but must not be"
    assert results[2].message == "deep: unknown: the example does not state agent.depth"


def test_the_schemas_accept_what_the_reader_accepts() -> None:
    request = jsonschema_rs.validator_for(request_schema())
    for good in ({}, {"resource": {"class": "cloud"}}, {"resource.class": "cloud", "agent": {"depth": 3}}, {"agent.depth": None}):
        assert request.is_valid(good)
        read_request(good)
    for bad in (
        {"resource": {"clas": "x"}},
        {"x": 1},
        {"agent.depth": "3"},
        {"action.verb": "exce"},
        {"action.verbs": [3]},
        3,
    ):
        assert not request.is_valid(bad)
        with pytest.raises(RequestError):
            read_request(bad)
    document = jsonschema_rs.validator_for(policy_schema())
    rule = {"id": "a", "effect": "deny", "when": "true", "tests": {"match": [{"agent.depth": 1}]}, "controls": ["x"]}
    assert document.is_valid({"version": 1, "name": "n", "default": "ask", "rules": [rule]})
    for bad in ({"rules": [{**rule, "effect": "block"}]}, {"rules": [{**rule, "unless": "x"}]}, {"version": 2, "rules": []}, {}):
        assert not document.is_valid(bad)
        assert check(json.dumps(bad)).policy is None


def test_the_documentation_lists_the_attributes_as_they_are() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
    assert field_table() in text
    assert all(f"`{field.name}`" in text for field in FIELDS)


def test_every_policy_in_the_documentation_is_a_good_one() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in text.split("```yaml\n")[1:]]
    assert examples
    for example in examples:
        checked = check(example)
        assert checked.diagnostics == ()
        assert checked.policy is not None
        results = run_tests(checked.policy)
        assert results
        assert all(result.ok for result in results)


def test_formats_are_found_by_themselves() -> None:
    assert "remit" in formats()
    remit = format_of("remit")
    checked = remit.check(POLICY)
    assert checked.policy is not None
    assert (
        remit.explain(checked.policy, {"action.verb": "file.read", "agent.depth": 0, "action.forced": False})["effect"] == "allow"
    )
    assert remit.test(checked.policy) == []
    assert len(remit.replay(History.from_rows([])).decide(checked.policy).rules) == 3
    with pytest.raises(LookupError, match=r"known: .*remit"):
        format_of("nothing")


def test_decide_does_not_let_a_weaker_unknown_disturb_a_certain_answer() -> None:
    text = 'version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: "action.forced"}\n  - {id: b, effect: ask, when: "agent.depth > 1"}\n'
    assert decide(policy(text), {"action.forced": True}).effect == "deny"
    assert decide(policy(text), {"agent.depth": 2}).effect == "unknown"
    assert decide(policy(text), {"action.forced": False}).undetermined[0].rule == "b"
