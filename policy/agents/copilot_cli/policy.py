"""Copilot CLI's answer to a call: each part of it held against the lists, then paths and addresses."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from model.words import Effect, Tri
from policy.agents.base import Answer, Call, Proposal, RuleFile, Slip, Written, name_set, placed
from policy.agents.copilot_cli.commands import (
    NAMED,
    Segment,
    addresses,
    redirected,
    segments,
    shell_matches,
    url_matches,
    words_of,
)
from policy.agents.copilot_cli.lint import lint, met
from policy.agents.copilot_cli.options import MODES, SAVED, Options, read_options
from policy.agents.doubts import Doubt, slips
from policy.agents.listed import Listed, Verdict, answered, decide, path_fits, settled
from policy.diagnostics import Diagnostic

SHELLS = name_set("bash powershell shell local_shell run_in_terminal")
WRITERS = name_set("create edit apply_patch str_replace_editor write insert delete")
READERS = name_set("view grep rg glob read show_file lsp")
FETCHERS = name_set("web_fetch fetch")
_MEMORY = name_set("store_memory vote_memory")
_FREE = name_set(
    "ask_user exit_plan_mode fetch_copilot_cli_documentation list_agents list_bash list_powershell read_agent read_bash "
    "read_powershell report_intent skill sql stop_bash stop_powershell task task_complete update_todo web_search"
)
"""Tools that ask for nothing themselves."""
_TO_A_SHELL = name_set("write_bash write_powershell")
_BACKTICK = re.compile(r"(?<!\\)`")
_TEMP = ("/tmp", "/var/tmp", "/private/tmp")  # noqa: S108
_SAFE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin"})


class CopilotPolicy:
    """Options, settings and saved approvals; an approval saved for a folder holds for calls made in it."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.options = Options()
        for file in files:
            read_options(file, self.options)
        self._doubts: list[tuple[str, Diagnostic, Doubt]] = []
        for file in files:
            mine = [rule for rule in self.options.rules if rule.place == file.name]
            self._doubts += [(file.name, problem, doubt) for problem, doubt in lint(file, mine, self.options)]
        self.problems: list[tuple[str, Diagnostic]] = [
            *self.options.problems,
            *((name, problem) for name, problem, _ in self._doubts),
        ]
        self.broken = next((name for name, one in self.problems if one.severity == "error"), "")

    def slips(self, call: Call, answer: Answer | None = None) -> list[Slip]:
        """See `AgentPolicy`."""
        return list(slips(self._doubts, call, answer or self.judge(call), met)) if self._doubts else []

    def written(self) -> list[Written]:
        """See `AgentPolicy`."""
        return [Written(one.text, one.place, one.effect) for one in self.options.rules]

    def judge(self, call: Call) -> Answer:
        if self.broken:
            return Answer(Effect.UNKNOWN, reason=f"{self.broken} does not load", missing=("a configuration that loads",))
        options, tool = self.options, call.tool or ("bash" if call.input.get("command") else "")
        if (options.available and tool not in options.available) or (not options.available and tool in options.excluded):
            return Answer(Effect.DENY, reason="the tool is not offered to the model at all")
        stated = MODES.get((call.mode or options.mode).lower())
        if stated is None:
            return Answer(
                Effect.UNKNOWN,
                reason=f"`{call.mode or options.mode}` is no mode of the program",
                missing=("the permission mode",),
            )
        alone = call.interactive is False or (call.interactive is None and options.headless)
        return answered(list(_Judge(self, call, tool, stated, alone).parts()), alone=alone)


class _Judge:
    """One call, in one mode."""

    def __init__(self, policy: CopilotPolicy, call: Call, tool: str, mode: str, alone: bool) -> None:
        self.call, self.tool, self.mode, self.alone = call, tool, mode, alone
        self.options = policy.options
        everything = mode == "allow-all" and not self.options.bypass_disabled
        off = self.options.bypass_disabled
        self.all_tools = everything or (self.options.all_tools and not off)
        self.all_paths = everything or (self.options.all_paths and not off)
        self.all_urls = everything or (self.options.all_urls and not off)
        self.rules = [rule for rule in self.options.rules if rule.how != SAVED or self._here(rule.within)]

    def _here(self, folder: str) -> bool:
        here = posixpath.normpath((self.call.project or self.call.cwd or "").replace("\\", "/"))
        return here == folder or here.startswith(folder.rstrip("/") + "/")

    def _text(self, *names: str) -> str:
        return next((v for n in names if isinstance(v := self.call.input.get(n), str) and v), "")

    def parts(self) -> Iterator[tuple[str, Verdict]]:
        tool = self.tool
        if tool in SHELLS:
            yield from self._shell(self._text("command", "cmd", "fullCommandText"))
        elif tool in WRITERS:
            path = self._text("path", "file_path", "filePath", "fileName")
            yield path or tool, self._tool(tool, lambda rule: self._writes(rule, path), self._asks("a file would be written"))
            yield from self._paths([path], "write")
        elif tool in READERS:
            path = self._text("path", "file_path", "filePath")
            yield path or tool, self._tool(tool, lambda rule: self._reads(rule, path), settled(Effect.ALLOW, "files may be read"))
            yield from self._paths([path], "read")
        elif tool in FETCHERS:
            yield self._url(self._text("url"))
        elif tool in _MEMORY:
            yield tool, self._tool(tool, lambda rule: (_tri(rule.kind == "memory"), ""), self._asks("memory would be written"))
        elif tool in _FREE or not tool:
            yield tool, self._tool(tool, lambda rule: (Tri.NO, ""), settled(Effect.ALLOW, "the tool asks for nothing"))
        elif tool in _TO_A_SHELL:
            yield tool, self._tool(tool, lambda rule: (Tri.NO, ""), Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, "input for a running command", ("how input for a running command is asked about",)))  # fmt: skip
        else:
            yield tool, self._tool(tool, self._server, self._asks("no rule allows the tool"))

    # -- what stands where no rule does

    def _asks(self, what: str) -> Verdict:
        if self.mode == "assisted":
            return Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, f"{what}; the check of this mode decides", ("what the check of this mode answered",))  # fmt: skip
        if self.mode == "plan":
            return Verdict(frozenset({Effect.DENY, Effect.ASK}), None, f"{what} while planning", ("what plan mode refuses",))
        return settled(Effect.ASK, what)

    def _tool(self, tool: str, matches: Callable[[Listed], tuple[Tri, str]], otherwise: Verdict) -> Verdict:
        if self.all_tools:
            otherwise = settled(Effect.ALLOW, "all tools are allowed")

        def either(rule: Listed) -> tuple[Tri, str]:
            # A rule may name a tool of the program's own by its name.
            return (Tri.YES, "") if rule.kind == tool and rule.argument is None else matches(rule)

        return decide(self.rules, either, otherwise)

    # -- commands

    def _shell(self, command: str) -> Iterator[tuple[str, Verdict]]:
        if not command.strip():
            yield "", Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, "the call has no command", ("the command",))
            return
        if _BACKTICK.search(re.sub(r"'[^']*'", "", command)):
            yield command, settled(Effect.DENY, "a command with backticks is blocked outright")
            return
        found = list(segments(self.call, command))
        for segment in found:
            yield segment.text, self._segment(segment)
        if not found:
            yield command, self._tool("shell", lambda rule: (_tri(rule.kind == "shell" and rule.argument is None), ""), self._asks("the command cannot be told apart"))  # fmt: skip
        targets = redirected(command)
        for target in targets:
            # Only the option for all tools lets redirections through; a deny of `write` does not look at them.
            yield f"> {target}", settled(Effect.ALLOW, "all tools are allowed") if self.all_tools else self._asks(f"{target} would be written by a redirection")  # fmt: skip
        for address in addresses(command):
            yield self._url(address)
        yield from self._paths([*words_of(command), *targets], "shell")

    def _segment(self, segment: Segment) -> Verdict:
        asks = self._asks(f"`{segment.name}` matches no rule")
        otherwise = asks
        if segment.reads is Tri.YES:
            otherwise = settled(Effect.ALLOW, f"`{segment.name}` only reads")
        elif segment.reads is Tri.UNKNOWN:
            otherwise = Verdict(asks.may | {Effect.ALLOW}, None, f"`{segment.name}` may be held to only read", ("which commands the program holds to only read",))  # fmt: skip

        def matches(rule: Listed) -> tuple[Tri, str]:
            found = shell_matches(rule.argument, segment) if rule.kind == "shell" else Tri.NO
            return found, "how many words of a command are its name"

        return self._tool("shell", matches, otherwise)

    # -- files, addresses, servers

    def _writes(self, rule: Listed, path: str) -> tuple[Tri, str]:
        return self._file(rule, "write", path)

    def _reads(self, rule: Listed, path: str) -> tuple[Tri, str]:
        return self._file(rule, "read", path)

    def _file(self, rule: Listed, kind: str, path: str) -> tuple[Tri, str]:
        if rule.kind != kind:
            return Tri.NO, ""
        if rule.argument is None:
            return Tri.YES, ""
        if not path:
            return Tri.UNKNOWN, "the path"
        return _tri(file_matches(rule.argument, self._absolute(path))), ""

    def _absolute(self, path: str) -> str:
        path = path.replace("\\", "/")
        if path == "~" or path.startswith("~/"):
            path = self.call.home + path[1:] if self.call.home else path
        return posixpath.normpath(posixpath.join(self.call.cwd or self.call.project or ".", path))

    def _paths(self, paths: Sequence[str], kind: str) -> Iterator[tuple[str, Verdict]]:
        """Folders beside the working one have a question of their own, whatever is allowed to the tool."""
        here = self.call.project or self.call.cwd
        if self.all_paths or not here:
            return
        folders = [here, *(one for where, one in self.options.directories if not where or self._here(where))]
        folders += _TEMP if self.options.temp else ()
        for path in dict.fromkeys(paths):
            if (
                not path
                or path in _SAFE
                or not (kind != "shell" or re.match(r"(/|~(/|$)|\.\.(/|$))[^\s]*$|[^\s-][^\s]*/\.\./", path))
            ):
                continue
            full = self._absolute(path)
            if any(full == one or full.startswith(one.rstrip("/") + "/") for one in map(posixpath.normpath, folders)):
                continue
            if kind == "shell" and self.alone:
                yield path, Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, f"{path} lies outside the folders allowed", ("whether paths are checked without anybody to ask",))  # fmt: skip
            else:
                yield path, settled(Effect.ASK, f"{path} lies outside the folders allowed")

    def _url(self, url: str) -> tuple[str, Verdict]:
        if not url:
            return "", Verdict(frozenset({Effect.ALLOW, Effect.ASK}), None, "the call has no address", ("the address",))
        otherwise = settled(Effect.ALLOW, "all addresses are allowed") if self.all_urls else self._asks(f"no rule allows {url}")
        return url, decide(self.rules, lambda rule: (_tri(rule.kind == "url" and url_matches(rule.argument, url)), ""), otherwise)

    def _server(self, rule: Listed) -> tuple[Tri, str]:
        """A rule on a server of tools: its name, with one tool in brackets or all of them."""
        server = self.call.mcp_server
        tool = self.call.tool.removeprefix(f"{server}-").removeprefix(f"mcp__{server}__")
        if server:
            return _tri(rule.kind == server and rule.argument in (None, tool)), ""
        # Names of tools begin with their server's, with a hyphen after it.
        named = self.call.tool.startswith(f"{rule.kind}-") or self.call.tool.startswith(f"mcp__{rule.kind}__")
        if not named or (rule.argument is not None and not self.call.tool.endswith(rule.argument)):
            return Tri.NO, ""
        return Tri.UNKNOWN, "the MCP server"


def file_matches(pattern: str, path: str) -> bool:
    """An absolute pattern names one place; another one the last parts of a path, wherever it lies."""
    pattern = pattern.replace("\\", "/").removeprefix("./")
    return (
        path_fits(pattern, path)
        if pattern.startswith("/")
        else path_fits(f"/**/{pattern}", path if path.startswith("/") else f"/{path}")
    )


def _tri(value: bool) -> Tri:
    return Tri.YES if value else Tri.NO


class CopilotCli:
    id = "copilot-cli"
    title = "Copilot CLI lists"
    layers = ("flags", "user", "repository", "local")
    modelled = "1.0.85, by its documentation"
    reads = (("*.json", "user"), ("*.jsonc", "user"), ("*.sh", "flags"), ("*.args", "flags"))
    ways: tuple[str, ...] = ()

    def proposed(self, command: str) -> Proposal | None:
        words = command.split()
        if not words:
            return None
        named = NAMED.get(words[0])
        # With `:*` an entry holds however many words of a command the program takes for its name.
        option = f"--allow-tool='shell({' '.join(words[:named]) if named else words[0] + ':*'})'"
        return Proposal(option, RuleFile("flags", "a proposal", option))

    def load(self, files: Sequence[RuleFile], mode: str = "") -> CopilotPolicy:
        return CopilotPolicy(placed(files, self.layers))
