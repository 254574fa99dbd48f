"""Detections as data: read with every fault at its place, matched like the plain reading of their words, tried on their own tests."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chains.context import Context
from chains.detections import judge
from chains.detections.examples import answer, at, chain, context, step
from chains.exclusions import Exclusions
from chains.facts import OrgFacts
from chains.org import load
from chains.own import Definition, as_detections, read_detections, try_tests
from chains.own.matching import Match, Matcher, Perhaps
from chains.own.rows import Row
from lang.yamlread import YamlError
from model.chain import Coverage, Item, TaskChain
from model.event import Event, Target
from model.words import EventKind, Phase, Severity, TargetClass, Vantage, Verb

MINUTE = 60_000_000
PAGE = Path(__file__).resolve().parent.parent / "docs" / "own-detections.md"


def one(body: str, **more: object) -> Definition:
    """The only definition of a file whose remaining keys are these."""
    keys = {"id": "ACME-1", "title": "t", "severity": "high"} | yaml.safe_load(body) | more
    found = read_detections(yaml.safe_dump({"detections": [keys]}))
    assert not found.errors, found.errors
    return found.definitions[0]


def said(text: str) -> list[tuple[str, str]]:
    """(code, what the fault points at), in the order of the text."""
    lines = text.split("\n")
    found = read_detections(text, families=["GOV"], controls={"owasp-asi-2026": frozenset({"ASI03"})})
    return [(d.code, lines[d.line - 1][d.column - 1 : d.end_column - 1]) for d in found.errors]


def examples() -> list[str]:
    return [part.partition("```")[0] for part in PAGE.read_text("utf-8").split("```yaml\n")[1:]]


def test_the_worked_example_holds() -> None:
    detections, org = examples()
    found = read_detections(detections)
    assert found.diagnostics == ()
    results = [result for definition in found.definitions for result in try_tests(definition)]
    assert len(results) == 7
    assert [r.message for r in results if not r.ok] == []
    read = load(org)
    assert read.detections["CRED-08"] == {"at_most": 3}
    assert len(read.exclusions["GOV-01"]) == 3


def test_every_fault_is_told_at_its_place_and_loses_nothing_else() -> None:
    text = """\
version: 2
detections:
  - id: ACME-1
    titel: x
    severity: hihg
    when: action.verb == 3 &&
      nope.x
  - id: GOV-7
    title: taken
    severity: low
    when: "true"
  - id: ACME-2
    title: sound
    severity: low
    when: action.verb == "exec"
  - id: ACME-2
    title: twice
    severity: low
    when: "true"
  - id: ACME-3
    title: sequences
    severity: low
    when: "true"
    why: "{resource.nam} and {first.title}"
    controls: [owasp-asi-2026:ASI03, owasp-asi-2026:ASI99, nonsense]
    then: {when: "true"}
    without: {when: "true", within: soon, side: beside}
    parameters: {UPPER: 1, half: 1.5}
    tests:
      - {steps: []}
      - match: no
        steps: [{resource.nam: x}, {at: later, action.verb: fly}]
"""
    assert said(text) == [
        ("bad-version", "2"),
        ("missing-key", "i"),
        ("unknown-key", "titel"),
        ("bad-word", "hihg"),
        ("cel-type", "action.verb == 3"),
        ("cel-unknown-name", "nope.x"),
        ("taken-id", "GOV-7"),
        ("duplicate-id", "ACME-2"),
        ("bad-template", '"{resource.nam} and {first.title}"'),
        ("unknown-control", "owasp-asi-2026:ASI99"),
        ("bad-control", "nonsense"),
        ("missing-key", "{"),
        ("bad-duration", "soon"),
        ("bad-word", "beside"),
        ("bad-parameter", "UPPER"),
        ("bad-parameter", "1.5"),
        ("bad-test", "{steps: []}"),
        ("bad-request", "resource.nam"),
        ("bad-duration", "later"),
        ("bad-request", "action.verb"),
    ]
    assert [d.id for d in read_detections(text, families=["GOV"]).definitions] == ["ACME-2"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "a: &x [*x]",
        "detections: {}",
        "detections: [1, null]",
        "---\n---\n",
        "\x00",
        "detections:\n" + "  - " * 30,
        "{" * 5000,
    ],
)
def test_no_text_is_too_broken_to_be_told(text: str) -> None:
    found = read_detections(text)
    assert found.definitions == ()
    assert found.errors


@given(st.text(alphabet=st.sampled_from("abid:-{}[]\"' \n>|&*!#0\\é\t"), max_size=200))
def test_any_text_is_answered(text: str) -> None:
    read_detections("detections:\n" + text)
    read_detections(text)


# matching


def rows(*stated: tuple[float | None, dict[str, object]]) -> list[Row]:
    return [
        Row(f"call:{n}", f"step-{n}", None if at is None else int(at * MINUTE), values, f"step {n}")  # type: ignore[arg-type]
        for n, (at, values) in enumerate(stated)
    ]


def verb(name: str) -> dict[str, object]:
    return {"action.verb": name}


def always(start: int, end: int) -> bool:
    return True


def matched(definition: Definition, found: list[Row]) -> list[tuple[str, ...]]:
    got = Matcher(definition).matches(found, {}, always)
    return [tuple(row.step for row in match.rows) for match in got if isinstance(match, Match) and not match.blind]


SEQUENCE = "{when: action.verb == 'secret.read', then: {when: action.verb == 'net.connect', within: 10m}}"


def test_a_sequence_takes_the_nearest_beginning_and_never_one_step_twice() -> None:
    found = rows((0, verb("secret.read")), (5, verb("secret.read")), (12, verb("net.connect")), (30, verb("net.connect")))
    assert matched(one(SEQUENCE), found) == [("step-1", "step-2")]
    same = "{when: action.verb == 'exec', then: {when: action.verb == 'exec', within: 10m}}"
    assert matched(one(same), rows((0, verb("exec")))) == []
    assert matched(one(same), rows((0, verb("exec")), (1, verb("exec")), (2, verb("exec")))) == [
        ("step-0", "step-1"),
        ("step-1", "step-2"),
    ]


def test_what_is_unknown_does_not_fire_and_is_named() -> None:
    definition = one("{when: action.verb == 'secret.read' && resource.environment == 'production'}")
    got = list(Matcher(definition).matches(rows((0, verb("secret.read")), (1, verb("exec"))), {}, always))
    assert got == [Perhaps(frozenset({"resource.environment"}))]
    timeless = rows((0, verb("secret.read")), (None, verb("net.connect")))
    got = list(Matcher(one(SEQUENCE)).matches(timeless, {}, always))
    assert got == [Perhaps(frozenset({"the time of a step"}))]


@pytest.mark.parametrize(
    ("side", "stated", "expected"),
    [
        ("after", [(0, "exec"), (9, "ticket.update")], []),
        ("after", [(0, "exec"), (11, "ticket.update")], ["step-0"]),
        ("after", [(-1, "ticket.update"), (0, "exec")], ["step-1"]),
        ("after", [(0, "ticket.update"), (0, "exec")], ["step-1"]),
        ("before", [(0, "ticket.update"), (9, "exec")], []),
        ("before", [(0, "exec"), (1, "ticket.update")], ["step-0"]),
        ("before", [(0, "ticket.update"), (11, "exec")], ["step-1"]),
    ],
)
def test_an_absence_on_either_side(side: str, stated: list[tuple[float, str]], expected: list[str]) -> None:
    definition = one(
        "{when: action.verb == 'exec'}", without={"when": "action.verb == 'ticket.update'", "within": "10m", "side": side}
    )
    assert [row[-1] for row in matched(definition, rows(*((at, verb(name)) for at, name in stated)))] == expected


def test_an_absence_nobody_watched_is_blind_and_one_that_may_be_there_is_unjudged() -> None:
    definition = one("{when: action.verb == 'exec', without: {when: resource.name == 'T-1', within: 10m}}")
    steps = rows((0, verb("exec") | {"resource.name": "x"}))
    assert [
        m.blind for m in Matcher(definition).matches(steps, {}, lambda start, end: end <= 9 * MINUTE) if isinstance(m, Match)
    ] == [True]
    got = list(Matcher(definition).matches([*steps, *rows((1, verb("ticket.update")))[:1]], {}, always))
    assert got == [Perhaps(frozenset({"resource.name"}))]


LETTERS = st.sampled_from(["secret.read", "net.connect", "exec"])


@given(
    st.lists(st.tuples(st.integers(0, 12), LETTERS), max_size=9),
    st.lists(st.tuples(LETTERS, st.integers(1, 8)), min_size=1, max_size=3),
)
def test_sequences_are_what_trying_every_choice_of_steps_gives(
    story: list[tuple[int, str]], links: list[tuple[str, int]]
) -> None:
    found = rows(*((at, verb(name)) for at, name in sorted(story, key=lambda pair: pair[0])))
    (first, _), *rest = links
    then = [{"when": f"action.verb == {name!r}", "within": f"{minutes}m"} for name, minutes in rest]
    definition = one(f"{{when: action.verb == '{first}'}}", **({"then": then} if then else {}))
    ends = set()
    for choice in product(range(len(found)), repeat=len(links)):
        rising = all(a < b for a, b in pairwise(choice))
        named = all(found[i].values["action.verb"] == name for i, (name, _) in zip(choice, links, strict=True))
        near = all(
            (found[b].at or 0) - (found[a].at or 0) <= minutes * MINUTE
            for (a, b), (_, minutes) in zip(pairwise(choice), rest, strict=True)
        )
        if rising and named and near:
            ends.add(f"step-{choice[-1]}")
    assert {row[-1] for row in matched(definition, found)} == ends


# as detections of a task


def findings(definition: Definition, story: TaskChain, around: Context | None = None) -> list[tuple[str, str, bool]]:
    got = judge(story, around or Context(OrgFacts()), as_detections([definition]))
    return [(f.step, f.why, f.blind_spot) for f in got.findings if f.detection == definition.id]


def requested(story: TaskChain) -> TaskChain:
    """Steps with the request their verb and target give."""
    for made in story.steps:
        made.request = {"action.verb": made.verb.value} | ({"resource.name": made.target.name} if made.target.name else {})
    return story


def test_its_findings_have_stable_ids_levels_and_words() -> None:
    definition = one("{when: action.verb == 'secret.read'}", why="{title} of {resource.name}, class {resource.class}")
    story = requested(
        chain(step("secret.read", name="prod/db"), step("exec"), step("secret.read", answer("deny"), name="x", tool="no"))()
    )
    own = as_detections([definition])
    facts = OrgFacts(load("detections: {ACME-1: {severity: low}}"))
    first, again = (judge(story, Context(facts), own).findings for _ in range(2))
    mine = [f for f in first if f.detection == "ACME-1"]
    assert [(f.severity, f.why, f.step) for f in mine] == [(Severity.LOW, "prod/db of prod/db, class unknown", "step-1")]
    assert [f.id for f in first] == [f.id for f in again]
    assert mine[0].evidence == ("rec-1",)
    assert len(findings(one("{when: action.verb == 'secret.read', refused: true}"), story)) == 2
    off = Context(OrgFacts(load("detections: {ACME-1: {enabled: false}}")))
    assert not [f for f in judge(story, off, own).findings if f.detection == "ACME-1"]


def test_parameters_are_set_by_the_organisation_and_a_wrong_one_is_told() -> None:
    definition = one("{when: resource.name in param.watched, parameters: {watched: [prod/db]}}")
    story = requested(chain(step("secret.read", name="prod/db"), step("secret.read", name="prod/mail"))())
    assert [s for s, _, _ in findings(definition, story)] == ["step-1"]
    set_up = Context(OrgFacts(load("detections: {ACME-1: {watched: [prod/mail]}}")))
    assert [s for s, _, _ in findings(definition, story, set_up)] == ["step-2"]
    wrong = Context(OrgFacts(load("detections: {ACME-1: {watched: 7}}")))
    got = judge(story, wrong, as_detections([definition]))
    assert got.unjudged["ACME-1"] == "param.watched"


def test_once_for_a_task_says_how_often() -> None:
    definition = one("{when: action.verb == 'exec', per: task}")
    story = requested(chain(*(step("exec", name=f"x{n}") for n in range(4)))())
    [(_, why, _)] = findings(definition, story)
    assert "4 times in this task" in why


def watched(
    start: float, end: float, *, point: str = "claude-code", scope: str = "*", vantage: Vantage = Vantage.AGENT
) -> Coverage:
    return Coverage(point, vantage, scope, at(start), at(end), 9)


ABSENCE = "{when: action.verb == 'repo.merge', without: {when: action.verb == 'ticket.update', within: 10m%s}}"


def test_absence_is_judged_inside_coverage_only() -> None:
    story = requested(chain(step("repo.merge", name="acme/x"))())
    usual, vault = one(ABSENCE % ""), one(ABSENCE % ", seen_by: 'jira*'")
    assert [blind for _, _, blind in findings(usual, story, context(watched(0, 1000))())] == [False]
    assert [blind for _, _, blind in findings(usual, story, context(watched(0, 500))())] == [True]
    assert [blind for _, _, blind in findings(usual, story, context(watched(0, 1000, point="codex"))())] == [True]
    assert [blind for _, _, blind in findings(vault, story, context(watched(0, 1000))())] == [True]
    jira = watched(0, 1000, point="jira:acme", vantage=Vantage.TARGET)
    assert [blind for _, _, blind in findings(vault, story, context(jira)())] == [False]
    second = watched(0, 60, point="jira:other", vantage=Vantage.TARGET)
    assert [blind for _, _, blind in findings(vault, story, context(jira, second)())] == [True]


def test_conditions_over_events_read_what_each_log_said() -> None:
    seen = Event(
        EventKind.EFFECT,
        Phase.OBSERVED,
        Vantage.WITNESS,
        "falco",
        id="ev-seen",
        record="rec-seen",
        at=at(12),
        format="falco",
        verb=Verb.NET_CONNECT,
        target=Target(TargetClass.NETWORK, "203.0.113.9", "443"),
    )
    item = Item("ev-seen", "rec-seen", Phase.OBSERVED, Vantage.WITNESS, "falco", at(12))
    story = requested(chain(step("exec", command="curl x", effects=(item,)), events=(seen,))())
    definition = one("{over: events, when: event.destination_ip.startsWith('203.0.') && event.destination_port == 443}")
    [(where, _, _)] = findings(definition, story)
    assert where == "step-1"
    got = judge(story, Context(OrgFacts()), as_detections([definition])).findings
    assert next(f for f in got if f.detection == "ACME-1").evidence == ("rec-seen",)
    assert findings(one("{over: events, when: event.destination_host.endsWith('.example')}"), story) == []


# exclusions


EXCLUDED = """
detections:
  ACME-1:
    at_most: 2
    exclude:
      - {reason: bots, principal: "bot-*"}
      - {reason: tests, repository: acme/lab, path: "*/tmp/*"}
      - {reason: staging, when: resource.environment == "staging"}
"""


def test_what_is_excluded_is_counted_by_its_reason() -> None:
    org = load(EXCLUDED)
    story = requested(
        chain(*(step("file.write", target="filesystem", name=f"/w/tmp/{n}") for n in range(6)), repository="acme/lab")()
    )
    requests = (
        {"principal.id": "bot-7"},
        {"resource.environment": "staging"},
        {"context.repository": "acme/shop"},
        {"context.repository": "acme/shop", "resource.environment": "prod"},
        {"context.repository": "acme/shop"},
        {},
    )
    for made, more in zip(story.steps, requests, strict=True):
        made.request |= more
    got = judge(story, Context(OrgFacts(org)), as_detections([one("{when: action.verb == 'file.write'}")]), Exclusions(org))
    # The first three reasons are asked in their order, and a fact nobody states excludes nothing.
    assert got.hidden == {"ACME-1": {"bots": 1, "more than 2 in one task": 1, "tests": 2}}
    assert [f.step for f in got.findings if f.detection == "ACME-1"] == ["step-3", "step-4"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("exclude: [{principal: x}]", "reason"),
        ("exclude: [{reason: x}]", "principal"),
        ("exclude: [{reason: x, when: action.verb = 1}]", "when"),
        ("exclude: [{reason: x, princpal: y}]", "principal"),
        ("severity: hgih", "high"),
        ("at_most: none", "number"),
        ("enabled: maybe", "true or false"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(text: str, word: str) -> None:
    with pytest.raises(YamlError, match=word) as told:
        load(f"detections:\n  GOV-01:\n    {text}\n")
    assert told.value.line == 3
