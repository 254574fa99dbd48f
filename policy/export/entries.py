"""Lists of what is allowed and denied (Copilot CLI, Cursor): what both need to hold a policy's rules, and the proof of it.

Such a program has no list of what is to be asked about, and decides by itself what no entry names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from policy.agents import adapter_of
from policy.agents.base import Call, RuleFile
from policy.export.base import Exported, Places, Unexportable, surviving
from policy.export.calls import Agent, Command, Selector, Tool, held_against, selectors
from policy.model import Policy, Rule

Entries = Callable[[Selector], Sequence[str]]
Render = Callable[[Sequence[str], Sequence[str]], str]


_LOOSE = "it might let through what a rule that is refused denies or asks about"


def alike(found: Iterable[Selector], kinds: Iterable[frozenset[str]], program: str) -> None:
    """Raise Unexportable where a rule names some of the tools that the program has one word for, and not the others."""
    named = {one.name for one in found if isinstance(one, Tool)}
    for kind in kinds:
        if named & kind and not kind <= named:
            raise Unexportable(f"{program} has one word for {', '.join(sorted(kind))}: a rule is about all of them")


def as_lists(
    policy: Policy,
    place: Places,
    agent: Agent,
    file: RuleFile,
    kinds: Sequence[frozenset[str]],
    program: str,
    entries: Entries,
    render: Render,
    asked: Callable[[str, dict[str, object]], Call],
    *,
    per_command: bool,
) -> Exported:
    """The rules whose meaning survives, held against our model of the program; what that answers otherwise is refused.

    A rule that asks needs no entry: what no entry names is asked about, which the proof tries. The default is always
    refused, as the program's own decides what no entry names.
    """
    found: dict[str, list[Selector]] = {}

    def written(rule: Rule) -> str:
        found[rule.id] = selectors(rule, agent, per_command=per_command)
        alike(found[rule.id], kinds, program)
        return "\n".join(dict.fromkeys(text for one in found[rule.id] for text in entries(one)))

    kept, refused = surviving(policy, place, written)

    def made(rules: Sequence[tuple[Rule, str]]) -> str:
        lists: dict[str, list[str]] = {"allow": [], "deny": [], "ask": []}
        for rule, text in rules:
            lists[rule.effect] += [one for one in text.splitlines() if one not in lists[rule.effect]]
        return render(lists["allow"], lists["deny"])

    # Without the refused rules others may come out otherwise, so the proof is repeated until it holds.
    while True:
        held = adapter_of(agent.id).load([RuleFile(file.layer, file.name, made(kept))])
        about = [(rule, found[rule.id]) for rule, _ in kept]
        wrong = [one for one in held_against(policy, agent, place, held, about, asked) if one.rule]
        gone = {one.rule for one in (*refused, *wrong)}
        if any(rule.effect != "allow" and rule.id in gone for _, rule in policy.in_force):
            loose = [rule for rule, _ in kept if rule.effect == "allow" and rule.id not in gone]
            wrong += [place.refused(rule, _LOOSE) for rule in loose]
        if not wrong:
            break
        refused += wrong
        kept = [(rule, text) for rule, text in kept if rule.id not in {one.rule for one in wrong}]
    refused.append(place.default(f"{program} has no entry for everything: what no entry names it decides by itself"))
    notes = (
        f"{program} asks about what no entry names: a rule that asks has no entry of its own",
        *(("each command of a compound is taken as meant by itself",) if per_command else ()),
    )
    return Exported(made(kept), tuple(refused), notes)


def first_words(one: Command) -> tuple[str, list[str]]:
    """The program of a command and the words after it."""
    name, *rest = one.text.split(" ")
    return name, rest
