"""Whatever of CEL, or of another language, is not here is refused at its place, once, with the nearest thing that is."""

from __future__ import annotations

import pytest

from lang.cel import compile_condition

LOOK = "neither ahead nor back"


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        # Macros and comprehensions.
        ("action.targets.map(t, t + 'x') == []", "map", "`exists` or `all`"),
        ("action.targets.filter(t, t == 'x').size() > 0", "filter", "`exists` or `all`"),
        ("action.targets.exists_one(t, t == 'x')", "exists_one", "`exists`"),
        ("resource.map(k, k) == []", "map", "`exists` or `all`"),
        ("resource.exists_one(k, true)", "exists_one", "`exists`"),
        ("resource.transformList(k, v, v) == []", "transformList", "`exists` or `all`"),
        ("resource.exists(k, v, v == 'x')", "resource.exists(k, v, v == 'x')", "`exists(x, condition on x)`"),
        ("cel.bind(x, resource.name, x == 'a')", "cel", "the value itself"),
        # Types and conversions.
        ("b'abc' == resource.name", "b'abc'", "a text without the b"),
        ("bytes('a') == resource.name", "bytes", "a text"),
        ("agent.depth == 3u", "3u", "the number without u"),
        ("uint(3) == 3", "uint", "a whole number"),
        ("agent.depth > 1.5", "1.5", "a whole number"),
        ("double(agent.depth) > 1", "double", "a whole number"),
        ("type(agent.depth) == 'int'", "type", "leave it out"),
        ("resource.name == string", "string", "types are no values"),
        ("dyn(resource.name) == 'x'", "dyn", "leave it out"),
        ("string(agent.depth) == '3'", "string", "a text"),
        ("bool('true')", "bool", "`true` or `false`"),
        ("resource.owner == null", "null", "`has(name)`"),
        ("{'a': 1}['a'] == 1", "{", "maps are read, not written"),
        ("google.protobuf.Duration{seconds: 1} == credential.ttl", "{", "messages are not supported"),
        ("action.verbs[0] == 'exec'", "action.verbs[0]", "`in`, `exists` or `all`"),
        ("action.arguments[resource.name] == 'x'", "resource.name", "the key of a map is written out"),
        # Optional values.
        ("resource.?name == 'x'", "?", "optional values are not supported; ask `has(name)`"),
        ("resource[?'name'] == 'x'", "?", "optional values are not supported"),
        ("optional.none() == 'x'", "optional", "`has(name) ? ... : ...`"),
        ("resource.name.orValue('x') == 'x'", "orValue", "`has(x) ? x : ...`"),
        # Extensions.
        ("math.greatest(1, 2) == 2", "math", "comparisons"),
        ("sets.intersects(action.verbs, ['exec'])", "sets", "`list.exists(...)`"),
        ("strings.quote(resource.name) == 'x'", "strings", "functions of a text"),
        ("lists.range(3) == []", "lists", "written out"),
        ("base64.encode(resource.name) == 'x'", "base64", "the text as it is"),
        ("regex.extract(resource.name, 'a') == 'x'", "regex", "`name.matches(...)`"),
        ("resource.name.split('/') == []", "split", "`contains` or `matches`"),
        ("resource.name.substring(0, 3) == 'abc'", "substring", "`startsWith`"),
        ("resource.name.format(['a']) == ''", "format", "`+`"),
        ("action.verbs.sort() == []", "sort", "`exists` or `all`"),
        ("action.verbs.first() == 'x'", "first", "`exists`"),
        ("action.verbs.unheard() == 'x'", "unheard", "a list of texts has: exists, all, size"),
        ("context.day.unheard() == 1", "unheard", "a timestamp has: getFullYear"),
        ("isURL(resource.name)", "isURL", "`startsWith`"),
        ("ip(resource.name) == 'x'", "ip", "`startsWith` or `matches`"),
        ("now() > context.day", "now", "`context.day`"),
        ("context.day.getHours() > 8", "context.day", "the nearest: `context.day`, a timestamp"),
        ("context.day.getDate('Europe/Berlin') == 1", "getDate", "days are days in UTC"),
        ("duration('1d') < credential.ttl", "'1d'", 'write "24h"'),
        ("timestamp('2026-03-01') < context.day", "'2026-03-01'", 'write "2026-03-01T00:00:00Z"'),
        # Patterns of other dialects.
        ("resource.name.matches('(?=a)b')", "'(?=a)b'", LOOK),
        ("resource.name.matches('(?!a)b')", "'(?!a)b'", LOOK),
        ("resource.name.matches('(?<=a)b')", "'(?<=a)b'", LOOK),
        ("resource.name.matches(r'(a)\\1')", "r'(a)\\1'", "no references back"),
        ("resource.name.matches('(?P<n>a)(?P=n)')", "'(?P<n>a)(?P=n)'", "no references back"),
        ("resource.name.matches('(?>a)')", "'(?>a)'", "no atomic groups"),
        ("resource.name.matches('a++')", "'a++'", "possessive quantifiers"),
        ("resource.name.matches(r'a\\Z')", "r'a\\Z'", "`\\z` or `$`"),
        ("resource.name.matches('a{1001}')", "'a{1001}'", "at most 1,000"),
        # Other languages.
        ("resource.name like 'a%'", "like", "`name.matches(...)`"),
        ("resource.name contains 'a'", "contains", "`name.contains(...)`"),
        ("resource.name =~ 'a'", "=", "`name.matches"),
        ("resource.name <> 'x'", ">", "`!=`"),
        ("resource.name === 'x'", "=", "`==`"),
        ("resource.name ?? 'x' == 'x'", "?", "`has(name) ? name : ...`"),
        ("action.forced xor true", "xor", "`!=` between"),
        (".resource.name == 'x'", ".", "leave out the dot"),
        ("$name == 'x'", "$", "without a sign"),
        ("action.forced # always", "#", "`// ...`"),
        ("size(action.verbs, 1) == 1", "size(action.verbs, 1)", "`size` takes one value"),
    ],
)
def test_refused_at_its_place_with_the_nearest_that_is_supported(text: str, at: str, says: str) -> None:
    compiled = compile_condition(text)
    assert compiled.tree is None
    [problem] = compiled.problems
    assert (problem.severity, text[problem.start : problem.end]) == ("error", at)
    assert says in problem.message, problem.message
