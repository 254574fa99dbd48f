"""Cursor's answer to a call: each reading that its documentation leaves open is tried, and only what all agree on is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from lang.shell_syntax import SimpleCommand
from model.words import Effect, Tri
from policy.agents.base import Answer, Call, Proposal, RuleFile, Slip, Written, name_set, placed
from policy.agents.cursor.lint import lint, met
from policy.agents.cursor.rules import mcp_matches, path_matches, read_config, shell_matches, url_matches
from policy.agents.doubts import Doubt, slips
from policy.agents.inner import script_of
from policy.agents.listed import Listed, Verdict, answered, decide, settled
from policy.diagnostics import Diagnostic

SHELLS = name_set("shell Shell bash run_terminal_cmd run_terminal_command terminal shellToolCall")
WRITERS = name_set(
    "write edit edit_file search_replace delete delete_file create_file Write Edit Delete StrReplace apply_patch edit_notebook"
)
READERS = name_set(
    "read read_file ls list_dir glob grep grep_search file_search codebase_search Read Glob Grep LS SemanticSearch"
)
FETCHERS = name_set("web_fetch WebFetch fetch")
_FREE = name_set("web_search todo_write read_lints Task task update_plan create_plan ask_question")
_UNRESTRICTED = name_set("unrestricted force yolo bypass run-everything")
_COMPOUND = "how a compound command is compared"
_MERGED = "how the lists of several files are put together"
_LAYERS = ("global", "user", "project")


class CursorPolicy:
    """The person's file, then those of the project from its root downwards; of the editor's lists all entries together."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        ordered = sorted(files, key=lambda f: _LAYERS.index(f.layer) if f.layer in _LAYERS else 0)
        self.configs = [read_config(file) for file in ordered]
        self.problems: list[tuple[str, Diagnostic]] = [
            (one.file.name, problem) for one in self.configs for problem in one.problems
        ]
        self.broken = next((name for name, one in self.problems if one.severity == "error"), "")
        self._doubts: list[tuple[str, Diagnostic, Doubt]] = []
        everything = [rule for one in self.configs for rule in one.rules]
        for config in self.configs:
            self._doubts += [(config.file.name, problem, doubt) for problem, doubt in lint(config, everything)]
        self.problems += [(name, problem) for name, problem, _ in self._doubts]

    def slips(self, call: Call, answer: Answer | None = None) -> list[Slip]:
        """See `AgentPolicy`."""
        return list(slips(self._doubts, call, answer or self.judge(call), met)) if self._doubts else []

    def written(self) -> list[Written]:
        """See `AgentPolicy`."""
        return [Written(one.text, one.place, one.effect) for config in self.configs for one in config.rules]

    def judge(self, call: Call) -> Answer:
        if self.broken:
            return Answer(Effect.UNKNOWN, reason=f"{self.broken} does not load", missing=("a configuration that loads",))
        mode = (call.mode or next((one.approval for one in reversed(self.configs) if one.approval), "allowlist")).lower()
        readings = [answered(list(_parts(call, rules, mode, self._sandboxed(call), whole)), alone=call.interactive is False)
                    for rules in self._lists() for whole in ((False, True) if _is_compound(call) else (False,))]  # fmt: skip
        first = readings[0]
        if all(one.effect is first.effect for one in readings):
            return first
        differing = self._lists()
        missing = (
            (_MERGED,)
            if len(differing) > 1 and not _is_compound(call)
            else (_COMPOUND,)
            if len(differing) == 1
            else (_COMPOUND, _MERGED)
        )
        effects = ", ".join(sorted({one.effect.value for one in readings}))
        return Answer(Effect.UNKNOWN, first.rule, first.place, f"by how it is read: {effects}", missing, first.parts)

    def _sandboxed(self, call: Call) -> bool:
        return any(one.sandboxed for one in self.configs) or (call.sandbox not in ("", "disabled", "none"))

    def _lists(self) -> list[list[Listed]]:
        """All entries together; and, where more than one file of the command line has lists, those of the last alone."""
        editor = [rule for one in self.configs if one.editor for rule in one.rules]
        lists = [one.rules for one in self.configs if not one.editor and one.rules]
        together = [*editor, *(rule for rules in lists for rule in rules)]
        return [together, [*editor, *lists[-1]]] if len(lists) > 1 else [together]


def _command(call: Call) -> str:
    value = call.input.get("command") or call.input.get("cmd")
    return value if isinstance(value, str) else ""


def _is_compound(call: Call) -> bool:
    return _is_shell(call) and len(_commands(_command(call))) > 1


def _is_shell(call: Call) -> bool:
    return call.tool in SHELLS or (not call.tool and bool(_command(call)))


def _commands(command: str) -> list[SimpleCommand]:
    return [one for one in script_of(command).commands if one.words]


def _parts(call: Call, rules: Sequence[Listed], mode: str, sandboxed: bool, whole: bool) -> Iterator[tuple[str, Verdict]]:
    """The parts of a call; `whole` compares a script by the words it begins with alone."""

    def asks(what: str) -> Verdict:
        if mode in _UNRESTRICTED:
            return settled(Effect.ALLOW, "everything runs that no rule denies")
        if mode == "auto-review":
            return Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, f"{what}; the check of this mode decides", ("what the check of this mode answered",))  # fmt: skip
        return settled(Effect.ASK, what)

    def text(*names: str) -> str:
        return next((v for n in names if isinstance(v := call.input.get(n), str) and v), "")

    def held(matches: Callable[[Listed], Tri], lacking: str, otherwise: Verdict) -> Verdict:
        return decide(rules, lambda rule: (matches(rule), lacking), otherwise)

    if _is_shell(call):
        commands = _commands(_command(call))
        if not commands:
            what = Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, "the call has no command", ("the command",))
            yield _command(call), what if not _command(call).strip() else asks("the command cannot be told apart")
        for one in commands[:1] if whole else commands:
            words = [word.text for word in one.words]
            otherwise = asks(f"`{words[0]}` matches no rule")
            if sandboxed and otherwise.effect is Effect.ASK:
                otherwise = Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, f"{otherwise.reason}: it may run in the sandbox", ("whether it ran in the sandbox",))  # fmt: skip
            yield one.text, held(partial(shell_matches, words), "how a rule on a command's words is compared", otherwise)
        return
    path = text("path", "file_path", "filePath", "target_file", "target_notebook")
    if call.tool in WRITERS:
        yield path or call.tool, held(lambda rule: path_matches(rule, "write", path, call), "the path", asks(f"no rule allows a change of {path or 'a file'}"))  # fmt: skip
    elif call.tool in READERS:
        path = path or text("target_directory", "directory")
        yield path or call.tool, held(lambda rule: path_matches(rule, "read", path, call), "the path", settled(Effect.ALLOW, "files may be read"))  # fmt: skip
    elif call.tool in FETCHERS:
        url = text("url")
        yield url, held(lambda rule: url_matches(rule, url), "the address", asks(f"no rule allows {url or 'the address'}"))
    elif call.tool in _FREE or not call.tool:
        yield call.tool, settled(Effect.ALLOW, "the tool asks for nothing")
    else:
        tool = call.tool.removeprefix(f"mcp_{call.mcp_server}_").removeprefix(f"mcp__{call.mcp_server}__").removeprefix("MCP:")
        yield (
            call.tool,
            held(lambda rule: mcp_matches(rule, call.mcp_server, tool), "the MCP server", asks("no rule allows the tool")),
        )


class Cursor:
    id = "cursor"
    title = "Cursor lists"
    layers = ("project", "global", "user")
    modelled = "2026, by its documentation"
    reads = (("cli-config.json", "global"), ("cli.json", "project"), ("permissions.json", ""))
    ways: tuple[str, ...] = ()

    def proposed(self, command: str) -> Proposal | None:
        name, _, rest = command.partition(" ")
        if not name:
            return None
        rule = f"Shell({name}:{rest}*)" if rest else f"Shell({name})"
        return Proposal(json.dumps(rule), RuleFile("global", "a proposal", json.dumps({"permissions": {"allow": [rule]}})))

    def load(self, files: Sequence[RuleFile], mode: str = "") -> CursorPolicy:
        return CursorPolicy(placed(files, self.layers))
