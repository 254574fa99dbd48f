"""What a condition may say, and what is said of one that is wrong: place, reason, nearest supported thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.cel import compile_condition, evaluate, project
from lang.cel.syntax import MAX_DEPTH


def problems(text: str) -> list[tuple[str, str]]:
    """(what the problem points at, its message) for each problem."""
    return [(text[p.start : p.end], p.message) for p in compile_condition(text).problems]


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("resource.nam == 'x'", "resource.nam", "did you mean `resource.name`?"),
        ("Resource.Class == 'x'", "Resource.Class", "did you mean `resource.class`?"),
        ("owner == 'x'", "owner", "did you mean `resource.owner`?"),
        ("resource == 'x'", "resource", "is a group of attributes"),
        ("resource.name.foo == 'x'", "resource.name.foo", "a text has no part `foo`"),
        ("resource.name.size > 3", "resource.name.size", "write `.size(...)`"),
        ("action.forced == True", "True", "write `true`"),
        ("resource.name > 3", "resource.name > 3", "cannot compare a text with a number"),
        ("action.forced == 'true'", "action.forced == 'true'", "booleans are written true and false"),
        ("agent.depth == '1'", "agent.depth == '1'", "numbers are written without quotes"),
        ("action.verbs == 'exec'", "action.verbs == 'exec'", "use `in`"),
        ("resource.name", "resource.name", "a condition must be true or false"),
        ("agent.depth + 1", "agent.depth + 1", "a condition must be true or false"),
        ("resource.name && action.forced", "resource.name", "joins conditions"),
        ("!resource.name", "resource.name", "joins conditions"),
        ("action.forced ? 1 : 2", "action.forced ? 1 : 2", "a condition must be true or false"),
        ("action.forced ? true : 'x'", "'x'", "must be of one type"),
        ("'x' in resource.name", "resource.name", "`contains` for a part of a text"),
        ("3 in action.verbs", "3 in action.verbs", "cannot be in a list of texts"),
        ("resource.name in ['a', 3]", "3", "one type"),
        ("resource.name.matches('(?=a)')", "'(?=a)'", "not an RE2 pattern"),
        ("resource.name.matches('a{1001}')", "'a{1001}'", "not an RE2 pattern"),
        ("resource.name.matches(resource.owner)", "resource.owner", "must be written out"),
        ("action.targets.filter(t, t == 'x')", "filter", "`exists` or `all`"),
        ("action.targets.exists_one(t, t == 'x')", "exists_one", "`exists`"),
        ("action.targets.contains('x')", "action.targets", "for a list use `exists`"),
        ("action.targets.exists(t)", "action.targets.exists(t)", "exists(x, condition on x)"),
        ("resource.name.exists(t, t == 'x')", "resource.name", "runs over a list"),
        ("startsWith(resource.name, 'x')", "startsWith", "written after a value"),
        ("resource.name.startswith('x')", "startswith", "`startsWith`"),
        ("resource.name.split('/').size() > 1", "split", "supported"),
        ("duration('1h') > 3", "duration('1h') > 3", "durations are written"),
        ("credential.ttl > duration('1d')", "'1d'", 'write "24h"'),
        ("credential.ttl > duration('1ns')", "'1ns'", "whole microseconds"),
        ("credential.ttl > duration('99999999999h')", "'99999999999h'", "292 years"),
        ("credential.ttl > duration(resource.name)", "duration(resource.name)", "written out"),
        ("credential.ttl > 3600", "credential.ttl > 3600", "durations are written"),
        ("-credential.ttl < duration('0')", "-credential.ttl", "needs a number"),
        ("context.day > timestamp('2026-03-01')", "'2026-03-01'", 'write "2026-03-01T00:00:00Z"'),
        ("context.day > timestamp('2026-02-30T00:00:00Z')", "'2026-02-30T00:00:00Z'", "not a timestamp"),
        ("context.day == '2026-03-01'", "context.day == '2026-03-01'", "timestamps are written"),
        ("context.day.getHours() > 8", "context.day", "`context.in_change_window`"),
        ("context.day.getDayOfWeek('Europe/Berlin') == 1", "getDayOfWeek", "UTC"),
        ("request.time > timestamp('2026-03-01T00:00:00Z')", "request.time", "`context.day`"),
        ("now > context.day", "now", "no attribute"),
        ("context.day + context.day > context.day", "context.day + context.day", "a timestamp and a duration"),
        ("credential.ttl in [duration('1h')]", "duration('1h')", "texts, numbers or booleans"),
        ("resource[action.tool] == 'x'", "action.tool", "written out"),
        ("resource['nam'] == 'x'", "resource['nam']", "did you mean `resource.name`"),
        ("action['arguments.path'] == 'x'", "'arguments.path'", "written out"),
        ("'nam' in resource", "'nam'", "did you mean `name`"),
        ("resource.name in resource", "resource.name", "written out"),
        ("'arguments' in action", "'arguments'", "write `has(action.arguments)`"),
        ("action.verb == exec", "exec", 'a text is written in quotes: "exec"'),
        ("action.verb == file.read", "file.read", 'a text is written in quotes: "file.read"'),
        ("resource.environment == production", "production", "a text is written in quotes"),
        ("action.verb in ('exec', 'file.read')", ",", "a list is written in brackets"),
        ("has(resource['owner'])", "resource['owner']", '"owner" in resource'),
        ("action.exists(k, k == 'tool')", "action", "`action.arguments`"),
        ("size(action) > 1", "action", "`action.arguments`"),
        ("action.verbs.exists(resource, resource == 'exec')", "resource", "choose another name"),
        ("context.exists(k, context[k] == 'x')", "context[k] == 'x'", "cannot compare"),
        ("resource.name.substring(1) == 'a'", "substring", "`startsWith`"),
        ("has(resource)", "resource", "group of attributes"),
        ("has('x')", "'x'", "takes the name of an attribute"),
        ("resource.name[0] == 'a'", "resource.name[0]", "reads a map"),
        ("action.verbs[0] == 'a'", "action.verbs[0]", "`in`, `exists` or `all`"),
        ("resource.owner == null", "null", "has(name)"),
        ("agent.depth > 1.5", "1.5", "whole number"),
        ("agent.depth > 1u", "1u", "without u"),
        ("agent.depth > 9223372036854775808", "9223372036854775808", "64 bits"),
        ("resource.name == b'x'", "b'x'", "bytes are not supported"),
        ("{'a': 1}", "{", "maps are read, not written"),
        ("resource.name = 'x'", "=", "write `==`"),
        ("action.forced & true", "&", "write `&&`"),
        ("action.forced and true", "and", "write `&&`"),
        ("not action.forced", "not", "write `!`"),
        ("resource.name == 'x", "'x", "not closed"),
        ("resource.name == '\\d'", "\\d", "raw text"),
        ("resource.name == '\\ud800'", "\\ud800", "no character"),
        ("(action.forced", "", "`)` is missing"),
        ("action.forced true", "true", "an operator"),
        ("== 'x'", "==", "a value is expected"),
        ("resource.name ==", "", "a value is expected"),
        ("if == 'x'", "if", "reserved word"),
        ("", "", "the condition is empty"),
    ],
)
def test_refused_at_the_place_with_the_nearest_thing(text: str, at: str, says: str) -> None:
    assert compile_condition(text).tree is None
    [(where, message)] = problems(text)
    assert where == at
    assert says in message


def test_all_problems_at_once() -> None:
    text = 'resource.nam == "x" && agent.depth > "3" || foo(resource.ovner)'
    assert [where for where, _ in problems(text)] == ["resource.nam", 'agent.depth > "3"', "foo", "resource.ovner"]


def test_a_value_outside_a_closed_list_is_warned_of_and_still_compiles() -> None:
    text = 'action.verb in ["exec", "exce"] || "nothing.such" in action.verbs || resource.class == "repository"'
    compiled = compile_condition(text)
    assert compiled.tree is not None
    assert [(text[p.start : p.end], p.severity) for p in compiled.problems] == [('"exce"', "warning")]
    assert 'did you mean "exec"?' in compiled.problems[0].message


@pytest.mark.parametrize(
    ("text", "request_", "value", "missing"),
    [
        ('resource.class == "cloud" || agent.depth > 1', {"resource.class": "cloud"}, True, set()),
        ('agent.depth > 1 || resource.class == "cloud"', {"resource.class": "cloud"}, True, set()),
        ('agent.depth > 1 && resource.class == "cloud"', {"resource.class": "ci_cd"}, False, set()),
        ('agent.depth > 1 && resource.class == "cloud"', {"resource.class": "cloud"}, None, {"agent.depth"}),
        ('agent.depth > 1 && resource.class == "cloud"', {}, None, {"agent.depth", "resource.class"}),
        ("!(agent.depth > 1)", {}, None, {"agent.depth"}),
        ("has(agent.depth)", {}, False, set()),
        ("has(agent.depth) && agent.depth > 1", {}, False, set()),
        ("agent.depth / 0 > 1", {"agent.depth": 1}, None, set()),
        ("agent.depth / 0 > 1 || action.forced", {"agent.depth": 1, "action.forced": True}, True, set()),
        ("-7 / 2 == -3 && -7 % 2 == -1", {}, True, set()),
        ("9223372036854775807 + 1 > 0", {}, None, set()),
        ("action.forced ? true : agent.depth > 1", {}, None, {"action.forced"}),
        ("action.forced ? true : agent.depth > 1", {"action.forced": False}, None, {"agent.depth"}),
        ('action.verbs.exists(v, v == "exec" || agent.depth > 1)', {"action.verbs": ("exec",)}, True, set()),
        ('action.verbs.all(v, v == "exec" && agent.depth > 1)', {"action.verbs": ("exec",)}, None, {"agent.depth"}),
        ("action.verbs.exists(v, agent.depth > 1)", {"action.verbs": ()}, False, set()),
        (
            'action.verbs.exists(v, v == "a" && action.targets.exists(v, v == "b"))',
            {"action.verbs": ("a",), "action.targets": ("b",)},
            True,
            set(),
        ),
        ('resource.name + "/x" == "a/x"', {"resource.name": "a"}, True, set()),
        ("size(resource.name) == 2 && resource.name.size() == 2", {"resource.name": "é本"}, True, set()),
        ('resource.name.lowerAscii() == "aÉ"', {"resource.name": "AÉ"}, True, set()),
        (r'resource.name.matches(r"^\d+$")', {"resource.name": "12"}, True, set()),
        ("resource.name == '''a\n'b'''", {"resource.name": "a\n'b"}, True, set()),
        ('resource.name == "\\x41\\u00e9\\101\\n"', {"resource.name": "AéA\n"}, True, set()),
        ("agent.depth - 1 == 0x1 // counted from the top", {"agent.depth": 2}, True, set()),
        ("agent.depth -1 == 1", {"agent.depth": 2}, True, set()),
        ('resource.name in ["a", "b",]', {"resource.name": "b"}, True, set()),
        ('credential.ttl <= duration("1h")', {"credential.ttl_seconds": 3600}, True, set()),
        ('credential.ttl <= duration("1h")', {}, None, {"credential.ttl_seconds"}),
        ('credential.ttl == duration("9223372036s")', {"credential.ttl_seconds": 9007199254740991}, True, set()),
        ('credential.ttl + duration("1s") > duration("0")', {"credential.ttl_seconds": 9007199254740991}, None, set()),
        (
            'credential.ttl.getMinutes() == 90 && duration("1h30m") == credential.ttl',
            {"credential.ttl_seconds": 5400},
            True,
            set(),
        ),
        ("has(credential.ttl)", {}, False, set()),
        ("context.day.getDayOfWeek() in [0, 6]", {"context.day": "2026-03-01"}, True, set()),
        ("context.day.getDayOfWeek() in [0, 6]", {"context.day": "yesterday"}, None, {"context.day"}),
        (
            'context.day - timestamp("2026-02-27T00:00:00+02:00") == duration("50h")',
            {"context.day": "2026-03-01"},
            True,
            set(),
        ),
        (
            'timestamp("9999-12-31T00:00:00Z") + duration("48h") > context.day',
            {"context.day": "2026-03-01"},
            None,
            set(),
        ),
        ('resource["name"] == "a" && "name" in resource', {"resource.name": "a"}, True, set()),
        ('"owner" in resource || has(resource.owner)', {"resource.name": "a"}, False, set()),
        ("has(action.arguments)", {"action.arguments.url": "/x"}, True, set()),
        ("has(action.arguments)", {"action.verb": "exec"}, False, set()),
        (
            "has(action.arguments) && action.arguments.path == '/x'",
            {"action.arguments.url": "/x"},
            None,
            {"action.arguments.path"},
        ),
        ('resource["owner"] == "a"', {"resource.name": "a"}, None, {"resource.owner"}),
        ("size(resource) == 2 && action.arguments.size() == 0", {"resource.name": "a", "resource.class": "cloud"}, True, set()),
        ("action.arguments.exists(k, k == 'url' || action.arguments[k] == '/x')", {"action.arguments.path": "/x"}, True, set()),
        (
            "action.arguments.all(k, action.arguments[k].startsWith(context.cwd))",
            {"action.arguments.path": "/x"},
            None,
            {"context.cwd"},
        ),
        ("action.arguments.all(k, action.arguments[k].startsWith(context.cwd))", {}, True, set()),
        ("action.verbs.exists(k, resource.all(k, k != 'owner') && k == 'exec')", {"action.verbs": ("exec",)}, True, set()),
        (
            "resource.exists(k, action.verbs.exists(k, k == 'exec') && k == 'name')",
            {"action.verbs": ("exec",), "resource.name": "a"},
            True,
            set(),
        ),
        ('resource.name.trim().replace("a", "bb").indexOf("b") == 0', {"resource.name": "\u2003aa\n"}, True, set()),
    ],
)
def test_three_valued_answers(text: str, request_: dict[str, object], value: bool | None, missing: set[str]) -> None:
    compiled = compile_condition(text)
    assert compiled.tree is not None, compiled.problems
    answer = evaluate(compiled.tree, project(request_))
    assert (answer.value, set(answer.missing)) == (value, missing)


def test_a_value_of_another_type_is_missing() -> None:
    request = {
        "agent.depth": "3",
        "resource.name": 3,
        "action.forced": 1,
        "action.verbs": ["a", 1],
        "credential.ttl_seconds": 60.0,
        "x": 1,
    }
    assert project(request) == {"credential.ttl_seconds": 60}
    assert project({"resource.name": "a\ud800"}) == {"resource.name": "a\ufffd"}


def test_long_and_deep_conditions_are_refused_not_fatal() -> None:
    deep = "!" * (MAX_DEPTH * 50) + "action.forced"
    assert "nested" in problems(deep)[0][1]
    assert "nested" in problems("-" * 3000 + "(1)")[0][1]
    assert "`)` is missing" in problems("(" * 5000 + "true")[0][1] or "nested" in problems("(" * 5000 + "true")[0][1]
    assert compile_condition("(" * 5000 + "true" + ")" * 5000).tree is not None
    assert compile_condition(" || ".join(["action.forced"] * 900)).tree is not None
    assert "longer than" in problems("action.forced || " * 2000 + "true")[0][1]
    nested = "action.verbs.all(a, action.verbs.all(b, action.verbs.all(c, a == c)))"
    assert "nested 2 deep" in problems(nested)[0][1]


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            ["resource.name", "==", '"a"', "(", ")", "&&", "in", "[", "]", ".exists(", "x,", "1", "?", ":", "has(", "-"]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_text_is_compiled_or_refused_within_itself(text: str) -> None:
    compiled = compile_condition(text)
    assert (compiled.tree is None) == any(p.severity == "error" for p in compiled.problems)
    for p in compiled.problems:
        assert 0 <= p.start <= p.end <= len(text)
        assert p.message
