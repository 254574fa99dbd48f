"""The second engine: every shape is asked about, every difference is told, and where there is none that is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lang.cel.functions import FUNCTIONS
from lang.cel.scalar import closure
from model.evidence import RequestRow
from policy import History, check
from policy.agents.base import RuleFile
from policy.agents.codex import CodexPolicy
from policy.google_cel import NoReferee, available
from policy.referee import referee
from policy.referee_codex import CodexCheck
from policy.referee_codex import referee as ask_codex
from review.policy import referee as judges
from tests.running import DRAFT, Day, fits, run

pytestmark = pytest.mark.usefixtures("alone")
needs_cel = pytest.mark.skipif(not available(), reason="Google's CEL is not installed: the extra `referee`")
RULES = 'prefix_rule(pattern=["git", ["push", "fetch"]], decision="prompt")\nprefix_rule(pattern=["ls"])\n'
STAND_IN = """#!/bin/sh
if [ "$1" = --version ]; then echo "codex-cli 9.9.9"; exit 0; fi
shift 4
case "$1 $2" in
  "git push") echo '{"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":["git","push"],"decision":"prompt"}}],"decision":"prompt"}' ;;
  "ls "*) echo '{"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":["ls"],"decision":"forbidden"}}],"decision":"forbidden"}' ;;
  "die "*) echo "error: it failed" >&2; exit 3 ;;
  "odd "*) echo 'well' ;;
  *) echo '{"matchedRules":[]}' ;;
esac
"""


def history(*requests: dict[str, Any]) -> History:
    return History.from_rows(RequestRow(f"s{n}", "t", n, "allow", request) for n, request in enumerate(requests))


def policy_of(*conditions: str) -> Any:
    rules = [{"id": f"r{n}", "effect": "deny", "when": when} for n, when in enumerate(conditions)]
    return check(json.dumps({"version": 1, "default": "allow", "rules": rules})).policy


@needs_cel
def test_every_shape_is_judged_and_a_difference_is_told_with_its_condition_and_request(monkeypatch: pytest.MonkeyPatch) -> None:
    past = history({"resource.name": "a b"}, {"resource.name": "a b"}, {"resource.name": "c"}, {})
    draft = policy_of('resource.name.indexOf("b") == 2', 'resource.name == "c" || agent.depth > 1')
    told: list[tuple[int, int]] = []
    good = judges.judged_policy(draft, past, lambda done, of: told.append((done, of)))
    assert (good["agree"], good["of"], good["disagreeing"], good["rules"], good["disagreements"]) == (3, 3, 0, 2, [])
    assert next(judges.sentences(good)) == "Referee: 3 of 3 shapes agree with Google CEL (C++)."
    assert told[0] == (0, 2) and told[-1] == (2, 2)

    monkeypatch.setitem(FUNCTIONS, "indexOf", lambda s, t: s.find(t) + 1)
    closure.cache_clear()
    bad = judges.judged_policy(draft, past)
    closure.cache_clear()
    assert (bad["agree"], bad["of"], bad["disagreeing"]) == (2, 3, 1)
    [one] = bad["disagreements"]
    assert (one["rule"], one["condition"], one["ours"], one["theirs"]) == (
        "r0",
        'resource.name.indexOf("b") == 2',
        "false",
        "true",
    )
    assert (one["request"], one["shapes"], one["requests"], one["step"]) == ({"resource.name": "a b"}, 1, 2, "s0")
    words = list(judges.sentences(bad))
    assert words[1].startswith("DISAGREE: 1 shape;")
    assert (
        'rule r0 (resource.name.indexOf("b") == 2): here false, there true for {"resource.name": "a b"} (2 requests' in words[2]
    )


@needs_cel
def test_what_cannot_be_compared_is_not_counted_as_agreement() -> None:
    found = referee(policy_of('resource.name == "a\\u0000"'), history({"resource.name": "a"}, {"resource.name": "b"}))
    assert (found.agree, found.of, found.not_compared) == (0, 2, 2)
    assert "NUL" in found.notes[0]


@needs_cel
def test_the_dry_run_and_the_command_tell_the_judgement(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    said = day.json("policy", "dry-run", DRAFT, "--referee")
    fits(said["referee"], {"engine": str, "agree": int, "of": int, "disagreeing": int, "disagreements": [], "notes": []})
    assert said["referee"]["agree"] == said["referee"]["of"] == said["history"]["shapes"] > 0
    assert day.json("policy", "referee", DRAFT) == said["referee"]
    monkeypatch.setattr(judges, "available", lambda: False)
    for command in (("policy", "dry-run", DRAFT, "--referee"), ("policy", "referee", DRAFT)):
        ran = run(*command, "--store", day.store)
        assert ran.code == 2 and "pip install 'remit[referee]'" in ran.err and not ran.out


def test_programs_that_cannot_be_asked_are_named(day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text("{}")
    ran = run("policy", "referee", settings, "--format", "claude-code", "--store", day.store)
    assert ran.code == 2 and "no command that says what its rules decide" in ran.err
    monkeypatch.setenv("PATH", str(tmp_path))
    rules = tmp_path / "a.rules"
    rules.write_text(RULES)
    ran = run("policy", "referee", rules, "--format", "codex", "--store", day.store)
    assert ran.code == 2 and "codex is not installed here" in ran.err


def test_codex_is_asked_command_by_command(tmp_path: Path) -> None:
    """The protocol alone: a stand-in for the program answers as its documentation says, wrongly once and badly twice."""
    program, rules = tmp_path / "codex", tmp_path / "a.rules"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    rules.write_text(RULES)
    codex, model = CodexCheck([str(rules)], str(program)), CodexPolicy([RuleFile("user", str(rules), RULES)], "check")
    commands = [(("git", "push", "-f"), 2), (("pwd",), 1), (("ls", "-l"), 3), (("a\x00",), 1), (("-x",), 1)]
    found = ask_codex(model, codex, commands)
    assert (found.engine, found.what) == ("codex-cli 9.9.9 (execpolicy check)", "command")
    assert (found.agree, found.of, found.disagreeing, found.not_compared) == (2, 5, 1, 2)
    [one] = found.disagreements
    assert (one.ours, one.theirs, one.request, one.requests) == ("allow", "forbidden", {"argv": ["ls", "-l"]}, 3)
    for word, says in (("die", "ended with 3: error: it failed"), ("odd", "something else than JSON")):
        with pytest.raises(NoReferee, match=says):
            ask_codex(model, codex, [((word,), 1)])


@pytest.mark.skipif(shutil.which("codex") is None, reason="codex is not installed")
def test_the_real_codex_agrees(tmp_path: Path) -> None:
    rules = tmp_path / "a.rules"
    rules.write_text(RULES)
    model = CodexPolicy([RuleFile("user", str(rules), RULES)], "check")
    commands = [(tuple(words.split()), 1) for words in ("git push", "git fetch x", "git status", "ls", "ls -l", "/bin/ls")]
    found = ask_codex(model, CodexCheck([str(rules)]), commands)
    assert (found.agree, found.disagreements) == (6, [])
