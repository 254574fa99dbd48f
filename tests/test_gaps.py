"""What a silence is worth: not seen though watched, watched by nobody, not told of by such logs."""

from __future__ import annotations

import msgspec
import pytest

from chains.gaps import Why, missing, names_of
from lang.shell import parse
from model.chain import Coverage, Gap, Item, Step, StepOutcome, Task
from model.words import Phase, Tri, Vantage, Verb

DAY = 86_400_000_000
NOON = DAY // 2
NAMES = names_of(Task("t", "session:s", principal="dana"), ["dana@acme"])


def row(point: str, vantage: Vantage, scope: str = "*", *, decides: bool = False, verbs: tuple[Verb, ...] = ()) -> Coverage:
    return Coverage(point, vantage, scope, 0, DAY, 9, (), decides, verbs)


def item(vantage: Vantage, point: str, phase: Phase = Phase.CALL) -> Item:
    return Item(f"ev-{point}-{phase}", "rec", phase, vantage, point, NOON)


def step(verb: Verb = Verb.REPO_WRITE, **more: object) -> Step:
    return msgspec.structs.replace(Step("s", "t", 1, verb, at=NOON), **more)


OPA = row("opa", Vantage.ENFORCER, "principal:dana@acme", decides=True)
GITHUB = row("github", Vantage.TARGET)
AGENT = row("claude-code", Vantage.AGENT)
EXECS = row("opa", Vantage.ENFORCER, decides=True, verbs=(Verb.EXEC,))
LATE = msgspec.structs.replace(OPA, start=DAY - 10)
SILENT = msgspec.structs.replace(GITHUB, gaps=(Gap(NOON - 60_000_000, NOON + 60_000_000),))
OTHERS = row("opa", Vantage.ENFORCER, "principal:lee", decides=True)


@pytest.mark.parametrize(
    ("part", "one", "watching", "kind", "words"),
    [
        ("decision", step(), [], Why.COVERED, "no log of an enforcement point"),
        ("decision", step(), [OPA], Why.SEEN, "opa watched then"),
        ("decision", step(effects=(item(Vantage.ENFORCER, "opa"),)), [OPA], Why.LOGGED, "told of this step and of no decision"),
        ("decision", step(), [EXECS], Why.LOGGED, "no decision of theirs on repo.write was ever seen"),
        ("decision", step(), [LATE], Why.COVERED, "the log of opa reaches from 1970-01-01 23:59:59"),
        ("decision", step(), [OTHERS], Why.COVERED, "in this task's name"),
        ("decision", step(at=None), [OPA], Why.COVERED, "no time"),
        ("effect", step(), [], Why.COVERED, "a target's log was not imported"),
        ("effect", step(), [GITHUB], Why.SEEN, "github watched then"),
        ("effect", step(), [SILENT], Why.COVERED, "github was silent from 1970-01-01 11:59:00 to 1970-01-01 12:01:00"),
        ("effect", step(Verb.FILE_READ), [GITHUB], Why.LOGGED, "no target logs file.read"),
        ("effect", step(Verb.FILE_READ), [row("auditd", Vantage.WITNESS)], Why.SEEN, "auditd"),
        ("action", step(), [AGENT], Why.SEEN, "claude-code watched then"),
        ("action", step(), [], Why.COVERED, "an agent's log was not imported"),
        ("result", step(actions=(item(Vantage.AGENT, "codex"),)), [], Why.LOGGED, "codex told of the call"),
        ("credential", step(effects=(item(Vantage.TARGET, "github"),)), [], Why.LOGGED, "github told of this step"),
        ("credential", step(Verb.FILE_READ), [GITHUB], Why.LOGGED, "names no credential for file.read"),
        ("credential", step(), [GITHUB], Why.SEEN, "github watched then"),
        ("credential", step(), [], Why.COVERED, "was not imported"),
    ],
)
def test_each_gap_says_why(part: str, one: Step, watching: list[Coverage], kind: Why, words: str) -> None:
    found = {gap.part: gap for gap in missing(one, watching, NAMES)}
    assert found[part].kind is kind and words in found[part].why


def test_what_is_there_is_no_gap() -> None:
    whole = step(
        decisions=(item(Vantage.ENFORCER, "opa"),),
        credentials=("cred-1",),
        actions=(item(Vantage.AGENT, "codex"), item(Vantage.AGENT, "codex", Phase.RESULT)),
        effects=(item(Vantage.TARGET, "github"),),
        outcome=StepOutcome(tool=Tri.YES),
    )
    assert missing(whole, [OPA, GITHUB], NAMES) == []
    assert [gap.part for gap in missing(step(), [], NAMES)] == ["decision", "credential", "action", "effect"]
    stated = step(Verb.GUARDRAIL_CHANGE, actions=(item(Vantage.AGENT, "codex", Phase.POSTURE),))
    assert "result" not in {gap.part for gap in missing(stated, [], NAMES)}


def test_a_cluster_logs_the_guard_that_was_taken_away_there() -> None:
    ops = parse("kubectl delete validatingwebhookconfiguration x").operations
    (told,) = [gap for gap in missing(step(Verb.EXEC, operations=ops), [GITHUB], NAMES) if gap.part == "effect"]
    assert (told.kind, told.why) == (Why.SEEN, "github watched then and told nothing that is tied to it")
