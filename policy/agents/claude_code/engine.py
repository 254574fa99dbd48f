"""Claude Code's answer to a call: rules of all scopes, the tool's own checks, hooks and the permission mode."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from lang.jsonc import loads
from lang.names import host_name
from model.words import Effect
from policy.agents.base import Answer, Call, Part, Proposal, RuleFile, Slip, Written, placed
from policy.agents.claude_code.bash import Finding, judge_bash
from policy.agents.claude_code.hosts import APPROVED_HOSTS
from policy.agents.claude_code.lint import lint
from policy.agents.claude_code.paths import FOLDERS, HOME, START, Place, all_match, matching, protected, unplaced
from policy.agents.claude_code.rules import ORDER, Rule, Rules, domain_matches, listed, name_set, named, parse
from policy.agents.claude_code.slips import slips
from policy.agents.jsonc import diagnostic, syntax
from policy.diagnostics import Diagnostic

MODES = ("default", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions")
_CLASSIFIED = frozenset({"plan", "auto"})
_LAYERS = ("managed", "flags", "local", "project", "user")
"""Scopes from the strongest; a single value is the strongest scope's."""
_OF_A_FOLDER = frozenset({"project", "local"})
_READERS = frozenset({"Read", "Grep", "Glob", "LS", "NotebookRead"})
_EDITORS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_UNASKED = name_set(
    "Agent TodoWrite TodoRead TaskCreate TaskGet TaskUpdate TaskList TaskOutput TaskStop BashOutput KillShell KillBash ToolSearch "
    "ListMcpResourcesTool ReadMcpResourceTool SendMessage EnterPlanMode"
)
"""Tools that need no leave of themselves."""
_RUNS_ANYTHING = re.compile(
    r"(?:python[23]?|node|deno|tsx|ruby|perl|php|lua|npx|bunx|npm run|yarn run|pnpm run|bun run|bash|sh|zsh|fish|ssh|eval|exec|env|xargs|sudo)"
    r"(?::\*|\*| \*| -.*\*)?"
)
"""Allow rules that let anything run, which the modes with a classifier leave out."""


class ClaudeCodePolicy:
    """Settings files by scope: `managed`, `flags` (the command line), `user`, `project`, `local`."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.problems: list[tuple[str, Diagnostic]] = []
        self._files: list[tuple[RuleFile, Mapping[str, object]]] = []
        self._doubtful: list[tuple[Diagnostic, Rule]] = []
        for file in files:
            settings = self._settings(file)
            if settings is not None:
                self._files.append((file, settings))
                found = list(lint(file, settings))
                self.problems += [(file.name, one) for one, _ in found]
                self._doubtful += [(one, rule) for one, rule in found if rule is not None]
        self._by_start: dict[str, _InForce] = {}

    def _settings(self, file: RuleFile) -> Mapping[str, object] | None:
        try:
            settings = loads(file.text) if file.text.strip() else {}
        except ValueError as error:
            self.problems.append((file.name, syntax(file.text, error)))
            return None
        if not isinstance(settings, dict):
            self.problems.append((file.name, diagnostic(file.text, (), "error", "no-load", "settings are one JSON object")))
            return None
        return settings

    def slips(self, call: Call, answer: Answer | None = None) -> list[Slip]:
        """See `AgentPolicy`."""
        if not self._doubtful:
            return []
        return list(slips(self._doubtful, call, self._in_force(call).place(call), answer or self.judge(call)))

    def written(self) -> list[Written]:
        """See `AgentPolicy`."""
        return [Written(one.text, one.place, one.effect) for one in self._in_force(Call("", {})).rules.all]

    def _in_force(self, call: Call) -> _InForce:
        start = call.project or call.cwd
        held = self._by_start.get(start)
        if held is None:
            held = self._by_start[start] = _InForce(self._files, start)
        return held

    def judge(self, call: Call) -> Answer:
        held = self._in_force(call)
        mode = held.mode(call.mode)
        if mode:
            return held.answer(call, mode)
        answers = [held.answer(call, one) for one in MODES]
        if all(one.effect is answers[0].effect for one in answers):
            return answers[0]
        return Answer(
            Effect.UNKNOWN, reason="the permission mode decides", missing=("the permission mode",), parts=answers[0].parts
        )


class _InForce:
    """The rules that hold where the program was started in one folder."""

    def __init__(self, files: Sequence[tuple[RuleFile, Mapping[str, object]]], start: str) -> None:
        # A folder's own settings are read where the program is started in that folder, not below it.
        read = [pair for pair in files if pair[0].layer not in _OF_A_FOLDER or pair[0].directory in ("", start) or not start]
        self._settings = sorted(read, key=lambda pair: _LAYERS.index(pair[0].layer) if pair[0].layer in _LAYERS else len(_LAYERS))
        only_managed = any(file.layer == "managed" and told.get("allowManagedPermissionRulesOnly") is True for file, told in read)
        rules: list[Rule] = []
        self._folders: list[str] = []
        for file, told in self._settings:
            permissions = told.get("permissions")
            if not isinstance(permissions, dict):
                continue
            extra = permissions.get("additionalDirectories")
            self._folders += [one for one in extra if isinstance(one, str)] if isinstance(extra, list) else []
            if only_managed and file.layer != "managed":
                continue
            for effect in ORDER:
                for _, text in listed(permissions, effect):
                    made = parse(text) if isinstance(text, str) else None
                    if made is not None and isinstance(text, str):
                        rules.append(Rule(text, made[0], made[1], effect, file.name, file.layer))
        self.rules = Rules(rules)
        self._no_bypass = any(
            isinstance(p := told.get("permissions"), dict) and p.get("disableBypassPermissionsMode") == "disable"
            for _, told in self._settings
        )
        self._hooked = [
            str(group.get("matcher") or "")
            for _, told in self._settings
            if isinstance(hooks := told.get("hooks"), dict) and told.get("disableAllHooks") is not True
            for event in ("PreToolUse", "PermissionRequest")
            if isinstance(groups := hooks.get(event), list)
            for group in groups
            if isinstance(group, dict)
        ]

    def mode(self, stated: str) -> str:
        """The mode in force: as stated, else as the settings begin with, "" where nothing tells."""
        mode = next((one for one in MODES if one.casefold() == stated.casefold()), "")
        if not mode:
            for _, told in self._settings:
                permissions = told.get("permissions")
                default = permissions.get("defaultMode") if isinstance(permissions, dict) else None
                if isinstance(default, str) and default in MODES:
                    mode = default
                    break
        return "default" if mode == "bypassPermissions" and self._no_bypass else mode

    def answer(self, call: Call, mode: str) -> Answer:
        tool = named(call.tool)
        offered = call.facts.get("tools")
        if isinstance(offered, list | tuple) and tool not in offered and not tool.startswith("mcp__"):
            return Answer(Effect.DENY, reason="the tool is not offered to the model")
        hidden = self.rules.whole(tool, Effect.DENY)
        if hidden is not None:
            return _by(hidden, "the whole tool is denied, and not offered to the model")
        place = self.place(call)
        dropped = self._dropped(mode)
        finding, parts = self._checked(call, tool, place, mode, dropped)
        if finding.effect in (Effect.DENY, Effect.UNKNOWN):
            return _answer(finding, parts)
        hook = call.facts.get("hook")
        if hook == "deny":
            return Answer(Effect.DENY, reason="a hook denies it", parts=parts)
        if hook is None and any(_hook_sees(matcher, call.tool) for matcher in self._hooked):
            return Answer(
                Effect.UNKNOWN,
                reason="a hook may answer otherwise than the rules",
                missing=("what the hooks answered",),
                parts=parts,
            )
        ask = self.rules.whole(tool, Effect.ASK)
        if ask is not None and (finding.effect is not Effect.ASK or finding.kind != "removal"):
            finding = Finding(Effect.ASK, "the whole tool is asked about", ask, "rule")
        by_rule = finding.effect is Effect.ASK and finding.kind in ("rule", "safety", "removal")
        if hook in ("allow", "ask") and not by_rule:
            told = "a hook allows it" if hook == "allow" else "a hook asks"
            return Answer(Effect(hook), reason=told, parts=parts)
        return self._in_mode(call, tool, finding, parts, mode, dropped)

    def _in_mode(
        self, call: Call, tool: str, finding: Finding, parts: tuple[Part, ...], mode: str, dropped: Sequence[Rule]
    ) -> Answer:
        asked_by_rule = finding.effect is Effect.ASK and finding.kind == "rule"
        if mode == "bypassPermissions":
            stays = finding.effect is Effect.ASK and finding.kind in ("rule", "removal")
            return _answer(finding, parts) if stays else Answer(Effect.ALLOW, reason="mode bypassPermissions", parts=parts)
        immune = finding.effect is Effect.ASK and finding.kind in ("rule", "safety", "removal")
        whole = self.rules.whole(tool, Effect.ALLOW)
        if whole is not None and whole not in dropped and not immune and not (mode == "plan" and tool in _EDITORS):
            return Answer(Effect.ALLOW, whole.text, whole.place, "the whole tool is allowed", parts=parts)
        if finding.effect is Effect.ALLOW:
            return _answer(finding, parts)
        if mode == "dontAsk":
            return Answer(Effect.DENY, finding.rule.text if finding.rule else "", finding.rule.place if finding.rule else "",
                          f"mode dontAsk refuses what would be asked: {finding.why}", parts=parts)  # fmt: skip
        if mode in _CLASSIFIED and not asked_by_rule:
            return self._classified(call, tool, finding, parts, mode)
        return _answer(finding, parts)

    def _classified(self, call: Call, tool: str, finding: Finding, parts: tuple[Part, ...], mode: str) -> Answer:
        """What neither rule nor read-only command settles in plan and auto mode."""
        if tool in _READERS:
            return Answer(Effect.ALLOW, reason=f"mode {mode} lets files be read anywhere")
        if mode == "plan" and tool in _EDITORS:
            return Answer(Effect.ASK, reason="mode plan asks before anything is changed")
        if mode == "plan" and tool.startswith("mcp__"):
            reads = call.facts.get("read_only")
            if reads is None:
                return Answer(
                    Effect.UNKNOWN,
                    reason="whether the tool changes anything decides in mode plan",
                    missing=("whether the tool is read-only",),
                )
            if not reads:
                return Answer(Effect.ASK, reason="mode plan asks before a tool that may change something")
        verdict = call.facts.get("classifier")
        if verdict in ("allow", "deny", "unavailable"):
            effect = Effect.ALLOW if verdict == "allow" else Effect.DENY
            return Answer(effect, reason=f"the check of mode {mode}: {verdict}", parts=parts)
        return Answer(
            Effect.UNKNOWN,
            reason=f"the check of mode {mode} decides: {finding.why}",
            missing=("what the check of this mode answered",),
            parts=parts,
        )

    def _dropped(self, mode: str) -> tuple[Rule, ...]:
        if mode not in _CLASSIFIED:
            return ()
        return tuple(
            r
            for r in self.rules.all
            if r.effect is Effect.ALLOW
            and ((r.tool == "Bash" and (r.spec is None or _RUNS_ANYTHING.fullmatch(r.spec.strip()))) or r.tool == "Agent")
        )

    def place(self, call: Call) -> Place:
        start = call.project or call.cwd or START
        home = call.home or HOME
        base = Place(call.cwd or start, home, (), {})
        added = call.facts.get("directories")
        listed_ = (
            [*self._folders, *(one for one in added if isinstance(one, str))]
            if isinstance(added, list | tuple)
            else self._folders
        )
        folders = [start, *(base.absolute(one, start) for one in listed_)]
        links = call.facts.get("links")
        known = {str(k): str(v) for k, v in links.items()} if isinstance(links, Mapping) else {}
        return Place(call.cwd or start, home, tuple(folders), known, bool(call.project))

    # -- each tool's own check

    def _checked(
        self, call: Call, tool: str, place: Place, mode: str, dropped: Sequence[Rule]
    ) -> tuple[Finding, tuple[Part, ...]]:
        def given(*names: str) -> str:
            return next((v for n in names if isinstance(v := call.input.get(n), str) and v), "")

        if tool == "Bash":
            script = given("command")
            if not script.strip():
                return Finding(Effect.UNKNOWN, "the command"), ()
            judged = judge_bash(script, self.rules, place, mode, dropped)
            return judged.finding, judged.parts
        if tool in _READERS:
            return self._read(given("file_path", "notebook_path", "path"), tool, place), ()
        if tool in _EDITORS:
            return self._edit(given("file_path", "notebook_path", "path"), place, mode), ()
        if tool == "WebFetch":
            return self._fetch(given("url")), ()
        if tool == "Agent":
            return self._agent(given("subagent_type")), ()
        if tool in _UNASKED:
            return Finding(Effect.ALLOW, "the tool needs no leave"), ()
        for effect in ORDER:
            exact = next((r for r in self.rules.of(tool, effect) if r.spec in call.input.values()), None)
            if exact is not None:
                return Finding(effect, f"{exact.text} matches", exact, "rule"), ()
        return Finding(Effect.ASK, "no rule matches"), ()

    def _read(self, written: str, tool: str, place: Place) -> Finding:
        if not written and tool == "Read":
            return Finding(Effect.UNKNOWN, "the path")
        path = place.absolute(written or ".")
        paths = place.both(path)
        for effect in (Effect.DENY, Effect.ASK):
            found = matching(self.rules.of("Read", effect), paths, place)
            if found is not None:
                return Finding(effect, f"{found.text} covers {written}", found, "rule")
            if unplaced(self.rules.of("Read", effect), paths, place):
                return Finding(Effect.UNKNOWN, FOLDERS)
        if place.uncertain(path):
            return Finding(Effect.UNKNOWN, FOLDERS)
        if place.inside(path):
            return Finding(Effect.ALLOW, "files of the project may be read")
        for name in ("Read", "Edit"):
            allowed = all_match(self.rules.of(name, Effect.ALLOW), paths, place)
            if allowed is not None:
                return Finding(Effect.ALLOW, f"{allowed.text} covers {written}", allowed, "rule")
            if unplaced(self.rules.of(name, Effect.ALLOW), paths, place):
                return Finding(Effect.UNKNOWN, FOLDERS)
        return Finding(Effect.ASK, f"{written} lies outside the project", kind="path")

    def _edit(self, written: str, place: Place, mode: str) -> Finding:
        if not written:
            return Finding(Effect.UNKNOWN, "the path")
        path = place.absolute(written)
        paths = place.both(path)
        unread = self.rules.whole("Read", Effect.DENY)
        if unread is not None:
            return Finding(Effect.DENY, "what may not be read may not be changed", unread, "rule")
        for name in ("Read", "Edit"):
            found = matching(self.rules.of(name, Effect.DENY), paths, place)
            if found is not None:
                return Finding(Effect.DENY, f"{found.text} covers {written}", found, "rule")
            if unplaced(self.rules.of(name, Effect.DENY), paths, place):
                return Finding(Effect.UNKNOWN, FOLDERS)
        if path in place.links:
            return Finding(Effect.DENY, f"{written} is a symbolic link, which is never written through")
        asked = matching(self.rules.of("Edit", Effect.ASK), paths, place)
        if asked is not None:
            return Finding(Effect.ASK, f"{asked.text} covers {written}", asked, "rule")
        if any(protected(one) for one in paths):
            return Finding(Effect.ASK, f"{written} is a protected file", kind="safety")
        if place.uncertain(path) and mode in ("acceptEdits", "auto"):
            return Finding(Effect.UNKNOWN, FOLDERS)
        if len(paths) > 1 and not place.inside(path) and any(path.startswith(f.rstrip("/") + "/") for f in place.folders):
            return Finding(Effect.ASK, f"{written} leads outside the project by a link", kind="safety")
        if mode in ("acceptEdits", "auto") and place.inside(path):
            return Finding(Effect.ALLOW, f"mode {mode} lets files of the project be changed")
        allowed = all_match(self.rules.of("Edit", Effect.ALLOW), paths, place)
        if allowed is not None and mode != "plan":
            return Finding(Effect.ALLOW, f"{allowed.text} covers {written}", allowed, "rule")
        if unplaced(self.rules.of("Edit", Effect.ALLOW), paths, place):
            return Finding(Effect.UNKNOWN, FOLDERS)
        return Finding(Effect.ASK, f"no rule allows a change of {written}", kind="path")

    def _fetch(self, url: str) -> Finding:
        if not url:
            return Finding(Effect.UNKNOWN, "the address")
        for effect in ORDER:
            if effect is Effect.ALLOW and host_name(url).casefold().rstrip(".") in APPROVED_HOSTS:
                return Finding(Effect.ALLOW, "the host is approved beforehand")
            found = next((r for r in self.rules.of("WebFetch", effect) if domain_matches(r.spec or "", url)), None)
            if found is not None:
                return Finding(effect, f"{found.text} covers the host", found, "rule")
        return Finding(Effect.ASK, "no rule covers the host")

    def _agent(self, kind: str) -> Finding:
        denied = self.rules.of("Agent", Effect.DENY)
        found = next((r for r in denied if r.spec == kind), None)
        if found is not None:
            return Finding(Effect.DENY, f"{found.text} names the type", found, "rule")
        if denied and not kind:
            return Finding(Effect.UNKNOWN, "the type of the sub-agent")
        return Finding(Effect.ALLOW, "a sub-agent needs no leave")


def _hook_sees(matcher: str, tool: str) -> bool:
    if matcher in ("", "*"):
        return True
    try:
        return re.fullmatch(matcher, tool) is not None
    except re.error:
        return True


def _by(rule: Rule, why: str) -> Answer:
    return Answer(rule.effect, rule.text, rule.place, why)


def _answer(finding: Finding, parts: tuple[Part, ...]) -> Answer:
    if finding.effect is Effect.UNKNOWN:
        return Answer(Effect.UNKNOWN, reason=f"{finding.why} is not on record", missing=(finding.why,))
    rule = finding.rule
    return Answer(finding.effect, rule.text if rule else "", rule.place if rule else "", finding.why, parts=parts)


class _Adapter:
    id = "claude-code"
    title = "Claude Code settings (permission rules)"
    layers = ("project", "user", "local", "flags", "managed")
    modelled = "2.1.330"
    reads = (("managed-settings.json", "managed"), ("settings.local.json", "local"), ("*.json", ""))
    ways: tuple[str, ...] = ()

    def proposed(self, command: str) -> Proposal | None:
        if not command:
            return None
        rule = f"Bash({command}:*)"
        return Proposal(rule, RuleFile("local", "a proposal", json.dumps({"permissions": {"allow": [rule]}})))

    def load(self, files: Sequence[RuleFile], mode: str = "") -> ClaudeCodePolicy:
        return ClaudeCodePolicy(placed(files, self.layers))


ADAPTER = _Adapter()
