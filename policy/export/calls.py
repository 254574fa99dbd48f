"""A policy's rules as the agents' own engines can hold them: about tools, about MCP servers, about commands; and the proof of it.

An engine knows calls, not requests: of a call's request it can tell the tool, its verb, the server and the command. A rule
that asks for anything else is refused. What was written is then held against our model of the program, call by call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from lang.cel import evaluate
from lang.cel.typed import And, Attr, Call, Const, Not, Or, Tree, reads
from model.words import TargetClass, Verb
from policy.agents.base import AgentPolicy
from policy.agents.base import Call as ToolCall
from policy.decide import decide
from policy.export.base import Places, Refusal, Unexportable
from policy.export.charclass import characters
from policy.model import Policy, Request, Rule
from policy.toolcalls import to_request

_TOLD = frozenset({"agent.name", "action.tool", "action.verb", "resource.class"})
_SERVER = frozenset({"resource.name", "resource.detail", "action.arguments.server"})
_COMPOUND = frozenset(";&|\n<>`$()")
"""Characters a rule must rule out to be about single plain commands only."""


class Tool(msgspec.Struct, frozen=True):
    """Every call of a tool."""

    name: str


class Server(msgspec.Struct, frozen=True):
    """Every call of an MCP server's tool, of all its tools where `tool` is "", of all servers where `name` is."""

    name: str = ""
    tool: str = ""


class Command(msgspec.Struct, frozen=True):
    """A command line that is this text, or (`prefix`) that and more words."""

    text: str
    prefix: bool = False


Selector: TypeAlias = "Tool | Server | Command"


class Agent(msgspec.Struct, frozen=True):
    """An agent as exports know it: the tools every installation has, and which of them run command lines."""

    id: str
    tools: tuple[str, ...]
    shells: frozenset[str]
    mcp: str = "mcp__"
    """How names of MCP tools begin; the server comes next."""

    def request(self, tool: str, given: Mapping[str, object] | None = None) -> Request:
        """The request a call of a tool makes."""
        return to_request({"agent": self.id, "tool": tool, "input": dict(given or {})})

    def facts(self) -> Iterator[tuple[str, Request]]:
        """By tool what its request says whatever it is called with; "" stands for the tools of MCP servers."""
        for tool in self.tools:
            made = self.request(tool, {"command": "true"} if tool in self.shells else None)
            yield tool, {name: value for name, value in made.items() if name in _TOLD}
        yield "", {"agent.name": self.id, "action.verb": Verb.MCP_CALL.value, "resource.class": TargetClass.MCP_SERVER.value}


def selectors(rule: Rule, agent: Agent, *, per_command: bool) -> list[Selector]:
    """What a rule is about, none where it is about no call of this agent; raises Unexportable."""
    out: dict[Selector, None] = {}
    for one in _alternatives(rule.tree):
        out.update(dict.fromkeys(_selected(_conjuncts(one), agent, per_command=per_command)))
    return list(out)


def _alternatives(tree: Tree) -> Sequence[Tree]:
    return tree.of if isinstance(tree, Or) else (tree,)


def _conjuncts(tree: Tree) -> list[Tree]:
    return [part for one in tree.of for part in _conjuncts(one)] if isinstance(tree, And) else [tree]


def _selected(parts: Sequence[Tree], agent: Agent, *, per_command: bool) -> Iterator[Selector]:
    rest = [part for part in parts if not reads(part) <= _TOLD]
    told = [part for part in parts if reads(part) <= _TOLD]
    strange = sorted({name for part in rest for name in reads(part)} - _TOLD - _SERVER - {"action.command"})
    hits, servers, named = [], True, _named_servers(told, agent)
    for tool, facts in agent.facts():
        answers = [_answer(part, facts, named=tool == "") for part in told]
        if False in answers:
            servers = servers and tool != ""
        elif None in answers:
            if strange:
                raise Unexportable(f"rules of this program do not know {', '.join(strange)}")
            raise Unexportable(f"whether it is about {tool or 'tools of MCP servers'} cannot be told from the tool alone")
        elif tool:
            hits.append(tool)
    if named is not None:
        if hits or rest:
            raise Unexportable("one condition names tools of MCP servers and something else; make them two rules")
        yield from named
        return
    if not rest:
        yield from map(Tool, hits)
        if servers:
            yield Server()
        return
    if servers and not hits and all(reads(part) <= _SERVER for part in rest):
        yield _server(rest)
        return
    if not servers and hits and agent.shells.issuperset(hits):
        if agent.shells != frozenset(hits):
            raise Unexportable("it is about one shell tool of several; a rule about commands is about all of them")
        yield from _commands(rest, per_command=per_command)
        return
    if not hits and not servers:
        return
    names = sorted(frozenset().union(*map(reads, rest)) - _TOLD)
    if "action.command" in names and len(names) == 1:
        raise Unexportable('a condition on the command alone is open for every other tool: write `action.verb == "exec" && ...`')
    raise Unexportable(f"rules of this program do not know {', '.join(strange or names)}")


def _answer(part: Tree, facts: Request, *, named: bool) -> bool | None:
    if named and "action.tool" in reads(part):
        # An MCP tool is none of the tools that are named; a pattern over names could be about some of them.
        exact = isinstance(part, Call) and part.fn in ("==", "in") and not isinstance(part.args[0], Const)
        return False if exact else None
    return evaluate(part, facts).value


def _named_servers(told: Sequence[Tree], agent: Agent) -> list[Server] | None:
    """The MCP tools that are named by their whole names, None where none is."""
    for part in told:
        match part:
            case Call("==", (Attr("action.tool"), Const(_, str(value)))):
                names: tuple[str, ...] = (value,)
            case Call("in", (Attr("action.tool"), Const(_, tuple(values)))):
                names = tuple(map(str, values))
            case _:
                continue
        found = [_mcp_name(name, agent) for name in names]
        if any(one is not None for one in found):
            if None in found or len(told) > 1:
                raise Unexportable("one condition names tools of MCP servers and something else; make them two rules")
            return [one for one in found if one is not None]
    return None


def _mcp_name(name: str, agent: Agent) -> Server | None:
    if not agent.mcp or not name.startswith(agent.mcp):
        return None
    server, split, tool = name[len(agent.mcp) :].partition("__" if agent.mcp.endswith("__") else "_")
    return Server(server, tool) if split and server and tool else None


def _server(rest: Sequence[Tree]) -> Server:
    said: dict[str, str] = {}
    for part in rest:
        match part:
            case Call("==", (Attr(name), Const(_, str(value)))):
                key = "resource.name" if name == "action.arguments.server" else name
                if said.setdefault(key, value) != value:
                    raise Unexportable("it asks for two servers at once")
            case _:
                raise Unexportable("servers and their tools are named one by one: write `==`")
    if "resource.name" not in said:
        raise Unexportable("a tool is named with its server: add `resource.name == ...`")
    return Server(said["resource.name"], said.get("resource.detail", ""))


def _commands(rest: Sequence[Tree], *, per_command: bool) -> Iterator[Command]:
    found: list[Command] | None = None
    for part in rest:
        commands = _lines(part)
        if commands is not None and found is None:
            found = commands
        elif not _plain(part):
            names = ", ".join(sorted(reads(part))) or "nothing of the command"
            raise Unexportable(f"rules about commands know words at the beginning of a command, not this condition on {names}")
    if found is None:
        raise Unexportable("no command is named")
    if compound := next((one.text for one in found if _COMPOUND & set(one.text)), ""):
        raise Unexportable(f"`{compound[:60]}` is more than one plain command, and this program reads each by itself")
    if not per_command:
        raise Unexportable(
            "the condition is about the whole command line, while this program reads each command of a compound by itself; "
            "where that is meant, say --per-command"
        )
    yield from found


def _lines(part: Tree) -> list[Command] | None:
    """The command lines a condition names, None where it is about something else."""
    match part:
        case Call("==", (Attr("action.command"), Const(_, str(text)))):
            return [Command(text)]
        case Call("in", (Attr("action.command"), Const(_, tuple(texts)))):
            return [Command(str(text)) for text in texts]
        case Or(of):
            return _prefix(of)
    return None


def _prefix(parts: Sequence[Tree]) -> list[Command] | None:
    """`== P || startsWith(P + " ")` in any order, and several of them."""
    whole: dict[str, bool] = {}
    for part in parts:
        match part:
            case Call("==", (Attr("action.command"), Const(_, str(text)))):
                whole.setdefault(text, False)
            case Call("startsWith", (Attr("action.command"), Const(_, str(text)))) if text.endswith(" ") and text.strip():
                whole[text[:-1]] = True
            case _:
                return None
    exact = {
        part.args[1].value for part in parts if isinstance(part, Call) and part.fn == "==" and isinstance(part.args[1], Const)
    }
    if any(prefix and text not in exact for text, prefix in whole.items()):
        return None
    return [Command(text, prefix) for text, prefix in whole.items()]


def _plain(part: Tree) -> bool:
    """Whether a condition only says that the command line is a single plain one, which commands read one by one are."""
    match part:
        case Not(Call("matches", (Attr("action.command"), Const(_, str(pattern))))):
            chars = characters(pattern)
            return chars is not None and set(chars) >= _COMPOUND
    return False


# the proof

WORDS = re.compile(r"[A-Za-z0-9_@%+=:,./-]+( [A-Za-z0-9_@%+=:,./-]+)*")
"""A command of plain words, which no shell reads as anything but itself."""
_FILE = "/work/project/src/file.txt"
_GIVEN = {
    "file_path": _FILE,
    "filePath": _FILE,
    "notebook_path": _FILE,
    "url": "https://docs.example/page",
    "pattern": "x",
    "query": "x",
}
"""What tools other than shells are asked about with: an ordinary file of the project, an ordinary address."""
_COMMANDS = ("frobnicate", "ls", "git status", "cat src/file.txt", "rm -rf build")
"""What shells are asked about whatever the policy names: some programs know commands that are safe, or dangerous."""

Asked: TypeAlias = Callable[[str, "dict[str, object]"], ToolCall]


def held_against(
    policy: Policy, agent: Agent, place: Places, held: AgentPolicy, kept: Iterable[tuple[Rule, Sequence[Selector]]], asked: Asked,
) -> list[Refusal]:  # fmt: skip
    """What our model of the program answers otherwise than the policy: to every tool, and to every command and server named.

    The kept rules stand for the policy: a call that a refused rule is about may come out otherwise.
    """
    rules = [rule for rule, _ in kept]
    some = msgspec.structs.replace(policy, rules=tuple(rules))
    by_id = {rule.id: rule for rule in rules}
    out: dict[str, Refusal] = {}
    for tool, given in _questions(agent, [one for _, found in kept for one in found]):
        wanted = decide(some, agent.request(tool, given))
        answer = held.judge(asked(tool, given))
        if wanted.effect != "unknown" and answer.effect.value != wanted.effect:
            what = given.get("command") or tool
            reason = (
                f"the program answers {answer.effect.value} to `{what}` where the policy says {wanted.effect}: {answer.reason}"
            )
            rule = by_id.get(wanted.rule)
            out.setdefault(wanted.rule, place.refused(rule, reason) if rule is not None else place.default(reason))
    return list(out.values())


def _questions(agent: Agent, found: Iterable[Selector]) -> Iterator[tuple[str, dict[str, object]]]:
    shell = min(agent.shells)
    for tool in agent.tools:
        for given in [{"command": one} for one in _COMMANDS] if tool in agent.shells else [_GIVEN]:
            yield tool, {**given}
    for one in (*found, Server("other", "thing")):
        if isinstance(one, Command):
            yield shell, {"command": one.text}
            yield shell, {"command": f"{one.text} more"}
        elif isinstance(one, Server) and one.name and agent.mcp:
            split = "__" if agent.mcp.endswith("__") else "_"
            yield f"{agent.mcp}{one.name}{split}{one.tool or 'any'}", {}
