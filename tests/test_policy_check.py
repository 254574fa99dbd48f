"""`policy.yaml` is checked whole: every problem at its own line and column, whatever YAML is written in."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lang.cel.comments import comments
from lang.yamlplaces import places
from lang.yamltree import MAX_DEPTH, Mapping, Scalar, lines_of, read
from policy import check

HEAD = "version: 1\ndefault: deny\nrules:\n"


def found(text: str, as_of: int | None = None) -> list[tuple[str, str, str]]:
    """(code, what the diagnostic points at, message)."""
    lines = text.split("\n")
    return [(d.code, lines[d.line - 1][d.column - 1 : d.end_column - 1], d.message) for d in check(text, as_of).diagnostics]


def test_a_whole_policy() -> None:
    text = """\
version: 1
name: house rules
default: ask
rules:
  - id: no-prod-secrets
    effect: deny
    when: >-
      action.verb == "secret.read" &&
      resource.environment == "production"
    reason: production secrets are for people
    controls: [owasp-asi-2026:ASI03, "NHI-05"]
    expires: 2027-01-31
    tests:
      match:
        - {action: {verb: secret.read}, resource: {environment: production}}
        - action.verb: secret.read
          resource.environment: production
      not_match:
        - {action.verb: exec, resource.environment: production, credential.ttl_seconds: 60, action.forced: false}
"""
    checked = check(text)
    assert checked.diagnostics == ()
    policy = checked.policy
    assert policy is not None
    assert (policy.name, policy.default, policy.version, len(policy.sha256)) == ("house rules", "ask", 1, 64)
    [rule] = policy.rules
    assert (rule.id, rule.effect, rule.controls, rule.line) == ("no-prod-secrets", "deny", ("owasp-asi-2026:ASI03", "NHI-05"), 5)
    assert rule.expires == 1_801_440_000_000_000
    assert [(e.match, e.line) for e in rule.examples] == [(True, 15), (True, 16), (False, 19)]
    assert rule.examples[0].request == rule.examples[1].request
    assert rule.examples[2].request["credential.ttl_seconds"] == 60


def test_all_problems_at_once_each_at_its_place() -> None:
    text = """\
version: 2
nam: x
default: block
rules:
  - id: a
    effect: deny
    when: |
      resource.class == "repository" &&
        resource.nam == "x"
    reason: hi
  - id: a
    effect: allow
    when: >-
      action.verb == "exec" &&
      foo > 3

      && action.forced == 1
    expires: tomorrow
    tests:
      match:
        - {action.verb: exec, resource: {clas: x}}
        - {agent.depth: "3", action.verb: exce}
  - effect: sometimes
    when: "action.verb ==\\x20'exe'
      && bad"
    unless: x
    when: "true"
"""
    assert [(code, at) for code, at, _ in found(text)] == [
        ("bad-version", "2"),
        ("unknown-key", "nam"),
        ("bad-effect", "block"),
        ("cel-unknown-name", "resource.nam"),
        ("duplicate-id", "a"),
        ("cel-unknown-name", "foo"),
        ("cel-type", "action.forced == 1"),
        ("bad-time", "tomorrow"),
        ("bad-request", "clas"),
        ("bad-request", "agent.depth"),
        ("bad-request", "action.verb"),
        ("missing-key", "e"),
        ("bad-effect", "sometimes"),
        ("cel-value", "'exe'"),
        ("cel-unknown-name", "bad"),
        ("unknown-key", "unless"),
        ("duplicate-key", "when"),
    ]
    messages = [message for _, _, message in found(text)]
    assert "did you mean `name`?" in messages[1]
    assert "did you mean `deny`?" in messages[2]
    assert "line 5" in messages[4]
    assert "did you mean `resource.class`?" in messages[8]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("~", "empty"),
        ("just a text", "wrong-type"),
        ("- a\n", "wrong-type"),
        ("version: 1\n---\nversion: 1\n", "yaml-documents"),
        ("a: &x [1]\nb: *x\n", "yaml-alias"),
        ("a: &x [*x]\n", "yaml-alias"),
        ("a: [1\n", "yaml-syntax"),
        ("a: 'x\n", "yaml-syntax"),
        ("\ta: 1\n", "yaml-syntax"),
        ("a: \x00\n", "bad-character"),
        ("a: \u2028\n", "bad-character"),
        ("a: \ud800\n", "bad-character"),
        ("[" * 50, "too-deep"),
        ("a: " + "x" * (1 << 20), "too-large"),
        ("[" + "1," * 120_000 + "]", "too-large"),
        (HEAD + "  - {id: '-x', effect: deny, when: 'true'}\n", "bad-id"),
        (HEAD + "  - {id: [x], effect: deny, when: 'true'}\n", "wrong-type"),
        (HEAD + "  - {id: x, effect: deny, when: [true]}\n", "wrong-type"),
        (HEAD + "  - {id: x, effect: deny, when: }\n", "cel-empty"),
        (HEAD + "  - {id: x, effect: deny}\n", "missing-key"),
        (HEAD + "  - x\n", "wrong-type"),
        ("version: 1\ndefault: deny\nrules: {}\n", "wrong-type"),
        ("version: 1\ndefault: deny\n", "missing-key"),
        ("version: '1'\ndefault: deny\nrules: []\n", "bad-version"),
        ("version: true\ndefault: deny\nrules: []\n", "bad-version"),
        (HEAD + "  - {id: x, effect: deny, when: 'true', tests: {match: {action.verb: exec}}}\n", "wrong-type"),
        (HEAD + "  - {id: x, effect: deny, when: 'true', tests: {match: [3]}}\n", "bad-request"),
        (HEAD + "  - {id: x, effect: deny, when: 'true', ? [a] : b}\n", "wrong-type"),
    ],
)
def test_refused_with_one_clear_problem(text: str, code: str) -> None:
    checked = check(text)
    assert checked.policy is None
    errors = [d for d in checked.diagnostics if d.severity == "error"]
    assert [d.code for d in errors] == [code]
    assert all(d.line >= 1 and 1 <= d.column < d.end_column for d in errors)


def test_an_alias_bomb_costs_nothing() -> None:
    levels = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert [code for code, _, _ in found("b0: &b0 [x, x]\n" + levels)] == ["yaml-alias"]


def test_warnings_leave_the_policy_usable() -> None:
    text = "rules:\n  - {id: x, effect: deny, when: 'action.verb == \"exce\"', expires: 2020-01-01}\n"
    checked = check(text, as_of=1_600_000_000_000_000)
    assert checked.policy is not None
    assert checked.policy.default == "deny"
    assert [d.code for d in checked.diagnostics] == ["missing-key", "missing-key", "cel-value", "expired"]
    assert checked.policy.rules[0].expired
    assert not checked.errors
    other = check(text)
    assert other.policy is not None
    assert not other.policy.rules[0].expired
    assert [d.code for d in check("version: 1\ndefault: ask\nrules: []\n").diagnostics] == ["no-rules"]


def test_a_day_expires_with_its_evening() -> None:
    text = HEAD + "  - {id: x, effect: deny, when: 'true', expires: %s}\n"
    evening = 1_577_923_199_000_000
    for written, at, expired in (
        ("2020-01-01", evening, False),
        ("2020-01-01", evening + 1_000_000, True),
        ("2020-01-01T12:00:00Z", evening, True),
        ("2020-01-01T12:00:00+02:00", 1_577_872_800_000_000, True),
        ("2020-01-01T12:00:00+02:00", 1_577_872_799_999_999, False),
    ):
        policy = check(text % written, as_of=at).policy
        assert policy is not None
        assert policy.rules[0].expired is expired


@pytest.mark.parametrize(
    "written", ["01-02-2031 10:00 AM", "13-02-2031 10:00", "2031-01-31Z", "2031-01-31+02:00", "2031-01-31T00:00:00+25:00", "1-1"]
)
def test_an_expiry_in_another_spelling_is_not_guessed(written: str) -> None:
    checked = check(HEAD + f"  - {{id: x, effect: deny, when: 'true', expires: {written}}}\n")
    assert checked.policy is None
    assert {one.code for one in checked.diagnostics if one.severity == "error"} == {"bad-time"}


def test_yes_and_no_are_texts() -> None:
    text = HEAD + "  - {id: x, effect: deny, when: 'true', tests: {match: [{resource.name: no}, {action.forced: yes}]}}\n"
    assert [(code, at) for code, at, _ in found(text)] == [("bad-request", "action.forced")]


WORDS = st.sampled_from(
    [
        "action.forced",
        "&&",
        "||",
        "!",
        "(",
        ")",
        '"a  b"',
        "'it'",
        "resource.name",
        "==",
        "\\\\",
        "é日",
        "#x",
        ":",
        "- a",
        "{",
        "%",
        "  ",
    ]
)


@given(
    words=st.lists(WORDS | st.just("\n") | st.just("\n\n") | st.just("\n   "), min_size=1, max_size=14),
    style=st.sampled_from(["'", '"', "|", ">", None]),
    width=st.sampled_from([10, 20, 80]),
    unicode=st.booleans(),
    depth=st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_every_character_of_a_scalar_is_found_again_in_the_file(
    words: list[str], style: Any, width: int, unicode: bool, depth: int
) -> None:
    value = " ".join(words)
    document: Any = {"when": value, "next": 1}
    for _ in range(depth):
        document = {"in": [document]}
    text = yaml.safe_dump(document, default_style=style, width=width, allow_unicode=unicode, sort_keys=False)
    node = read(text)
    for _ in range(depth):
        assert isinstance(node, Mapping)
        node = node.pairs[0][1].items[0]  # type: ignore[union-attr]
    assert isinstance(node, Mapping)
    scalar = node.pairs[0][1]
    assert isinstance(scalar, Scalar)
    value = scalar.value  # the writer folds some texts wrongly; what was written counts
    where = places(lines_of(text), scalar)
    assert len(where) == len(value) + 1
    assert where == sorted(where)
    if len(set(where)) == 1 < len(value):
        return  # a way of writing that is not followed: the whole scalar is pointed at
    lines = lines_of(text)
    for char, place in zip(value, where, strict=False):
        written = lines[place.line][place.column : place.column + 1]
        assert written == char or char in " \n" or written == "\\" or (written == "'" and char == "'"), (text, char, place)


@pytest.mark.parametrize(
    "when",
    [
        "when: action.forced && nope",
        "when: 'action.forced && nope'",
        'when: "action.forced && nope"',
        'when: "action.forced \\x26& \\u006eope"',
        "when: |\n      action.forced\n\n      && nope",
        "when: |2-\n      action.forced && nope",
        "when: >\n      action.forced\n      &&\n      nope\n",
        "when: >-\n      action.forced\n        && // more\n\n      nope",
        "when: action.forced\n      &&\n\n      nope",
        "when: 'action.forced\n\n      && nope'",
        'when: "action.forced \\\n      && \\\n      nope"',
        "? when\n    : action.forced && nope",
        "when: !!str action.forced && nope",
        "when: &anchor action.forced && nope",
    ],
)
def test_a_problem_is_found_inside_every_way_of_writing(when: str) -> None:
    text = HEAD + f"  - id: x\n    effect: deny\n    {when}\n    reason: é\n"
    for variant in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        [d] = check(variant).diagnostics
        line = lines_of(variant)[d.line - 1]
        assert d.code == "cel-unknown-name"
        assert line[d.column - 1 : d.end_column - 1] in ("nope", "\\u006eope")


@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(
            [
                "rules:",
                "\n",
                "  ",
                "- ",
                "id: x",
                "when: ",
                "effect: deny",
                "[",
                "]",
                "{",
                "}",
                "&a",
                "*a",
                '"',
                "'",
                "|",
                ">",
                "# ",
                "? ",
                ": ",
                "!!x ",
            ]
        ),
        max_size=20,
    ).map("".join)
)
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_policy_or_has_an_error(text: str) -> None:
    checked = check(text)
    assert (checked.policy is None) == bool(checked.errors)
    lines = lines_of(text)
    for d in checked.diagnostics:
        assert 1 <= d.line <= len(lines) + 1
        assert 1 <= d.column < d.end_column


def test_two_thousand_lines_are_no_matter() -> None:
    rules = [{"id": f"r{n}", "effect": "deny", "when": f'resource.name == "x{n}"', "reason": "because"} for n in range(500)]
    checked = check(yaml.safe_dump({"version": 1, "default": "allow", "rules": rules}, sort_keys=False))
    assert checked.policy is not None
    assert len(checked.policy.rules) == 500
    assert check(json.dumps({"version": 1, "default": "allow", "rules": rules})).policy is not None
    assert MAX_DEPTH >= 7


RULE = "version: 1\ndefault: ask\nrules:\n  - id: a\n    effect: deny\n    when: "


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (">-\n      action.forced // only\n      && agent.depth > 3\n", [(8, 7)]),
        (">-\n      // why\n      // so\n      action.forced\n", [(9, 7), (9, 20)]),
        ("action.forced // only\n      && agent.depth > 3\n      && context.has_ticket\n", [(7, 7), (8, 7)]),
        ('"action.forced // only\n      && agent.depth > 3"\n', [(7, 7)]),
        ("|-\n      action.forced // only\n      && agent.depth > 3\n", []),
        (">-\n      action.forced // only\n        && agent.depth > 3\n", []),
        (">-\n      action.forced\n      // one\n      // two\n", []),
        (">-\n      action.command.contains('http://a') &&\n      agent.depth > 3\n", []),
        ('>-\n      action.command.contains(r\'\\\') && action.tool != """//""" &&\n      agent.depth > 3\n', []),
    ],
    ids=["folded", "first-lines", "plain", "quoted", "literal", "indented", "last-lines", "in-a-text", "in-a-raw-text"],
)
def test_what_a_comment_takes_in_of_a_folded_condition_is_told(when: str, told: list[tuple[int, int]]) -> None:
    checked = check(RULE + when)
    assert [(one.line, one.column) for one in checked.diagnostics] == told


@pytest.mark.parametrize("sign", ['"', "'", '"""', "'''", 'r"', '"\\', "/", "r'''"])
def test_comments_are_found_in_one_pass(sign: str) -> None:
    # At the square of it, each of these takes minutes.
    assert list(comments(sign * 100_000))[1:] == []
