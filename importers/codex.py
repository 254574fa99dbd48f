"""Codex rollouts, wrapped ({timestamp, type, payload}), bare (before 0.44) and the one object of the first program (early 2025).

A rollout holds no approval: only what the policy in force was, what was asked for, and refusals. Records have no ids of
their own; a spawned thread's file begins with a copy of its parent's history, which is left to the parent's file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from importers.codex_items import begun, called, ended, item_of, results
from importers.codex_outputs import Output, output_of
from importers.codex_prompts import first_told, handed, review_asked
from importers.codex_records import ITEMS, MESSAGES, TYPES, made_at, sureness, turn_of, wrapped
from importers.codex_reviews import asked, assessed, permitted, reviewed
from importers.codex_scripts import Scripts
from importers.codex_tools import arguments_of, call_act, changes_act, command_of, custom_act, search_act
from importers.shared.agents import (
    Frame,
    call_id,
    decided_before,
    exec_act,
    field,
    folder,
    origin_of,
    scope_id,
    scope_key,
    words_of,
)
from importers.shared.fields import Json, commit_id, first_text, mapping, moment, number
from importers.shared.questions import answers_in, asks
from importers.shared.transcript import objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from lang.late import late
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import Clock, EventKind, KeyRole, Phase, Verb

POINT = "codex"

_REMEMBERED = 1_000
"""Calls of the model that are remembered until the program tells how they ended."""
_SURROUNDING = late(r"<(cwd|approval_policy|sandbox_mode)>([^<]{1,4000}+)</\1>")
# Items that tell how a call ended which the model's own call tells the beginning of.
_ENDED = frozenset({"CommandExecution", "FileChange", "McpToolCall"})
_PERSONS = ("user_shell", "userShell")
"""A command that the person ran, and no call of the agent's."""
_LOCAL = ("cli", "tui", "vscode", "desktop", "codex_exec")


class Codex:
    id = "codex"
    title = "Codex rollouts"
    evidence = "real"
    version = 12
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return sureness(sample)

    def open(self) -> CodexReader:
        return CodexReader()


class CodexReader:
    """One rollout: its thread, its parent, the posture last stated, and which prompts were already told.

    With `stream` its messages come from the program's event stream, which tells a call's beginning where a rollout has the
    model's own call.
    """

    def __init__(self, stream: bool = False) -> None:
        self._stream = stream
        self._session = ""
        self._parent = ""
        self._agent_path = ""
        self._spawned = False
        self._guardian = False
        self._inherited_until = 0
        self._forked = self._copied = False
        self._facts: dict[str, Attr] = {}
        self._posture: tuple[str, str, str] = ("", "", "")
        self._told: dict[str, dict[str, int]] = {}
        self._purse: Purse = {}
        self._total = 0
        self._called: dict[str, str] = {}
        self._decided: set[str] = set()
        self._scripted: dict[str, tuple[int, str]] = {}
        self._ran: list[str] = []

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: a rollout record is one JSON object")
        kind, payload = wrapped(record)
        at, clock = moment(record.get("timestamp", payload.get("timestamp") if kind == "session_meta" else None))
        if at is None:
            at, clock = (None, Clock.ORDER_ONLY)
        if kind == "session_meta" and not self._session:
            return self._begin(payload, at, clock)
        if not self._session and kind == "state":
            # It may stand before the thread's own first record, beside the list that this is in.
            return Parsed(scope="", type="state", at=at)
        if not self._session:
            self._session = "unnamed-" + _name(record)
        sub = field(payload, "type")
        parsed = Parsed(scope=self._session, type=f"{kind}/{sub}"[:100] if sub else kind[:100], at=at)
        ordinal = number(record.get("ordinal"))
        if made_at(turn := turn_of(payload)):
            self._copied = self._forked and made_at(turn) < made_at(self._session)
        if kind == "session_meta" or self._copied or (ordinal is not None and ordinal < self._inherited_until):
            return parsed
        frame = self._frame(at, clock)
        if kind == "turn_context":
            parsed.events = list(self._context(payload, frame))
        elif kind == "response_item":
            if sub and sub not in ITEMS:
                parsed.unknown_type = parsed.type
            parsed.events = list(self._item(payload, sub, frame))
        elif kind == "history_mutation":
            # A fork writes what was added to the conversation at once; what replaces it repeats what was told.
            added = objects(payload.get("items")) if field(payload, "operation") == "append" else []
            parsed.events = [event for one in added for event in self._item(one, field(one, "type"), frame)]
        elif kind == "event_msg":
            if sub not in MESSAGES:
                parsed.unknown_type = parsed.type
            parsed.events = list(self._message(payload, sub, frame))
        elif kind not in TYPES and kind != "state":
            parsed.unknown_type = parsed.type or "no type"
        parsed.events = [event for event in parsed.events if not decided_before(self._decided, event)]
        tell_spent(self._purse, self._session, parsed.events)
        return parsed

    def _begin(self, meta: Json, at: int | None, clock: Clock) -> Parsed:
        """The thread's own first record: who it is and who spawned it."""
        self._session = scope_id(meta.get("id")) or scope_id(meta.get("session_id")) or "unnamed-" + _name(meta)
        source = mapping(meta.get("source"))
        sub = mapping(source.get("subagent"))
        spawn = mapping(sub.get("thread_spawn"))
        self._guardian = sub.get("other") == "guardian" or meta.get("thread_source") == "guardian_review"
        self._spawned = bool(sub) or isinstance(source.get("subagent"), str)
        parent = scope_id(meta.get("parent_thread_id")) or scope_id(spawn.get("parent_thread_id"))
        self._parent = parent if parent != self._session else ""
        self._agent_path = field(meta, "agent_path") or field(spawn, "agent_path")
        self._inherited_until = number(meta.get("subagent_history_start_ordinal")) or 0
        # Older versions do not say where the copied history of another thread ends: its turns are older than this thread.
        self._forked = not self._inherited_until and bool(scope_id(meta.get("forked_from_id")) or parent)
        git = mapping(meta.get("git"))
        cwd, originator = folder(meta.get("cwd")), field(meta, "originator")
        named = {
            "cwd": cwd,
            "branch": field(git, "branch")[:500],
            "repository": repository_name(field(git, "repository_url")[:1000]),
            "agent_version": field(meta, "cli_version")[:100],
            "origin": origin_of(cwd) or ("endpoint" if any(word in originator.lower() for word in _LOCAL) else ""),
        }
        self._facts = {name: value for name, value in named.items() if value}
        role = field(meta, "agent_role") or field(spawn, "agent_role") or ("guardian" if self._guardian else "")
        more: dict[str, Attr] = {"agent_type": role[:200]} if role else {}
        if sha := commit_id(field(git, "commit_hash")):
            more["sha"] = sha
        event = self._frame(at, clock).event(EventKind.ACTION, Phase.STARTED, attrs=more)
        return Parsed([event], scope=self._session, type="session_meta", at=at)

    def _frame(self, at: int | None, clock: Clock) -> Frame:
        scope = scope_key("session", self._session)
        if self._parent:
            scope += scope_key("session", self._parent, KeyRole.PARENT)
        return Frame(POINT, at, clock, "", "", scope, self._facts, "codex")

    def _context(self, payload: Json, frame: Frame) -> Iterator[Event]:
        """The policy in force; told again with every call of the model, passed on only where it changes."""
        approval = payload.get("approval_policy")
        mode = approval if isinstance(approval, str) else "granular" if isinstance(approval, dict) and approval else ""
        box = payload.get("sandbox_policy")
        sandbox = box if isinstance(box, str) else field(mapping(box), "type") or field(mapping(box), "mode")
        if not sandbox and not self._posture[1]:
            # Newer settings name a profile instead; only the one that lifts all limits has a name of the old kind.
            profile = payload.get("permission_profile")
            lifted = field(mapping(profile), "type") == "disabled"
            sandbox = profile if isinstance(profile, str) else "danger-full-access" if lifted else ""
        reviewer = field(payload, "approvals_reviewer")
        if cwd := folder(payload.get("cwd")):
            self._facts = {**self._facts, "cwd": cwd}
        if model := field(payload, "model"):
            self._facts = {**self._facts, "model": model[:200]}
        before = self._posture
        now = (mode or before[0], sandbox or before[1], reviewer or before[2])
        if now == before or not any(now):
            return
        self._posture = now
        attrs: dict[str, Attr] = {name: value[:100] for name, value in zip(("mode", "sandbox"), now, strict=False) if value}
        yield frame._replace(attrs={**self._facts}).event(
            EventKind.DECISION, Phase.POSTURE, attrs=attrs, text=f"approvals reviewed by {now[2][:100]}" if now[2] else ""
        )

    def _item(self, payload: Json, sub: str, frame: Frame) -> Iterator[Event]:
        call = call_id(payload.get("call_id"))
        if call and not sub.endswith("_output"):
            self._called[call] = field(payload, "name")[:100]
            if len(self._called) > _REMEMBERED:
                del self._called[next(iter(self._called))]
        if sub in ("message", ""):
            yield from self._said(payload, frame)
        elif sub == "function_call":
            yield from _called(payload, call, frame)
        elif sub == "custom_tool_call":
            name, text = field(payload, "name")[:300], field(payload, "input")
            if name == "exec":
                Scripts(self._scripted, self._ran).begun(call, text)
            yield frame.event(EventKind.ACTION, Phase.CALL, call=call, act=custom_act(name, text), tool=name)
        elif sub == "local_shell_call":
            action = mapping(payload.get("action"))
            place = folder(action.get("working_directory"))
            act = exec_act(command_of(action.get("command")), {"cwd": place} if place else None)
            yield frame.event(EventKind.ACTION, Phase.CALL, call=call or call_id(payload.get("id")), act=act, tool="local_shell")
        elif sub == "web_search_call":
            act = search_act(mapping(payload.get("action")))
            yield frame.event(EventKind.ACTION, Phase.CALL, call=call, act=act, tool="web_search")
        elif sub.endswith("_output"):
            yield from self._output(payload, call, frame)
        elif sub == "agent_message" and self._spawned and self._agent_path:
            author, recipient = field(payload, "author"), field(payload, "recipient")
            if recipient == self._agent_path and author != recipient:
                yield from self._request(words_of(payload.get("content")), sub, frame)

    def _said(self, payload: Json, frame: Frame) -> Iterator[Event]:
        role = payload.get("role")
        if role == "user":
            if "cwd" not in self._facts:
                yield from self._surroundings(words_of(payload.get("content")), frame)
                frame = frame._replace(attrs=self._facts)
            yield from self._request(words_of(payload.get("content")), "message", frame)
        elif role == "assistant" and self._guardian:
            yield from reviewed(words_of(payload.get("content")), frame)

    def _surroundings(self, words: str, frame: Frame) -> Iterator[Event]:
        """Where the first rollouts ran and under what policy: they say so in the first message alone."""
        if words.lstrip().startswith("<environment_context>"):
            told = {name: value.strip()[:2000] for name, value in _SURROUNDING.findall(words)}
            policy = {
                "cwd": told.get("cwd"),
                "approval_policy": told.get("approval_policy"),
                "sandbox_policy": told.get("sandbox_mode"),
            }
            yield from self._context(policy, frame)

    def _request(self, words: str, teller: str, frame: Frame) -> Iterator[Event]:
        if first_told(self._told, words, teller):
            phase = Phase.DELEGATED if self._spawned else Phase.PROMPT
            yield frame.intent(phase, handed(words), branch=str(self._facts.get("branch", "")))

    def _output(self, payload: Json, call: str, frame: Frame) -> Iterator[Event]:
        found = yield from Scripts(self._scripted, self._ran).ended(call, self._said_no(output_of(payload.get("output"))), frame)
        yield from results(found, call, frame)
        # What a command wrote may look like anything: only the tool's own answer says this.
        name = self._called.get(call, "spawn")
        if name == "request_permissions":
            yield from permitted(found.text, call, frame)
        if asks(name) and (words := answers_in(found.text)):
            yield frame.intent(Phase.PROMPT, words, call=call)
        if "spawn" in name and (child := scope_id(_agent_id(found.text))):
            yield _child(frame, self._session, child, call, Phase.STARTED)

    def _message(self, payload: Json, sub: str, frame: Frame) -> Iterator[Event]:
        call = call_id(payload.get("call_id"))
        if sub == "token_count":
            self._count(mapping(payload.get("info")))
        elif sub in ("task_complete", "turn_aborted") and self._purse:
            # The turn's last words were paid for too, and no call follows them.
            yield frame.event(EventKind.ACTION, Phase.STARTED)
        elif sub == "user_message":
            yield from self._request(field(payload, "message"), sub, frame)
        elif sub == "entered_review_mode":
            yield from self._request(review_asked(payload), sub, frame)
        elif sub == "item_completed":
            yield from self._completed(mapping(payload.get("item")), frame)
        elif sub == "thread_settings_applied":
            yield from self._context(mapping(payload.get("thread_settings")), frame)
        elif sub == "exec_approval_request":
            yield asked(exec_act(command_of(payload.get("command"))), payload, call, frame)
        elif sub == "apply_patch_approval_request":
            yield asked(changes_act(payload.get("changes")), payload, call, frame)
        elif field(payload, "source") in _PERSONS:
            return
        elif (told := ended(sub, payload)) is not None:
            Scripts(self._scripted, self._ran).told(told.act)
            if not self._stream and (_is_inner(call) or self._untold(call, payload)):
                yield called(told, call, frame)
            yield from results(self._said_no(told.output), call, frame)
        elif self._stream and (told := begun(sub, payload)) is not None:
            yield called(told, call, frame)
        elif sub == "guardian_assessment":
            yield from assessed(payload, frame)
        elif sub == "sub_agent_activity":
            yield from self._activity(payload, call_id(payload.get("event_id")), frame)
        elif sub == "collab_agent_spawn_end" or (sub == "collab_tool_call" and field(payload, "tool") == "spawn_agent"):
            if child := scope_id(payload.get("new_thread_id")):
                yield _child(frame, self._session, child, call, Phase.STARTED, field(payload, "new_agent_role"))
        elif sub == "thread_name_updated" and (title := field(payload, "thread_name") or field(payload, "name")):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title[:300]})

    def _said_no(self, found: Output) -> Output:
        """Where approvals are off nobody is asked: what is put as a person's no is the policy's."""
        return found._replace(refused="rule") if found.refused == "user" and self._posture[0] == "never" else found

    def _untold(self, call: str, payload: Json) -> bool:
        """Whether only the program's word on its end tells of a call: it stands for the call then."""
        states = any(payload.get(name) for name in ("command", "invocation", "changes"))
        return bool(call) and call not in self._called and states

    def _count(self, info: Json) -> None:
        """Tokens of the last answer; a total that has not moved tells of the same one once more."""
        total = number(mapping(info.get("total_token_usage")).get("total_tokens")) or 0
        if total != self._total or not total:
            self._total = total
            spent(self._purse, self._session, tokens_of(mapping(info.get("last_token_usage"))))

    def _completed(self, item: Json, frame: Frame) -> Iterator[Event]:
        """The program's own word on a call."""
        kind, call = field(item, "type"), call_id(item.get("id"))
        if kind == "UserMessage":
            yield from self._request(words_of(item.get("content")), kind, frame)
        elif kind in _ENDED and field(item, "source") not in _PERSONS:
            told = item_of(item)
            if told is not None:
                Scripts(self._scripted, self._ran).told(told.act)
                if _is_inner(call):
                    yield called(told, call, frame)
                yield from results(self._said_no(told.output), call, frame)
        elif kind == "SubAgentActivity":
            yield from self._activity(item, call, frame)

    def _activity(self, told: Json, call: str, frame: Frame) -> Iterator[Event]:
        """A spawned thread began or ended; a message to it in between, or to the parent itself, is neither."""
        child, kind = scope_id(told.get("agent_thread_id")), field(told, "kind")
        if not child or child in (self._session, self._parent) or kind == "interacted":
            return
        begun = kind == "started"
        yield _child(frame, self._session, child, call if begun else "", Phase.STARTED if begun else Phase.ENDED)


def _name(record: Json) -> str:
    try:
        return digest(msgspec.json.encode(record, order="sorted"))[:20]
    except (TypeError, ValueError, RecursionError):
        return "0"


def _called(payload: Json, call: str, frame: Frame) -> Iterator[Event]:
    name, namespace = field(payload, "name")[:300], field(payload, "namespace")[:300]
    act = call_act(payload, name, namespace)
    tool = f"{namespace}__{name}" if namespace.startswith("mcp__") else name
    yield frame.event(EventKind.ACTION, Phase.CALL, call=call, act=act, tool=tool)
    if act.verb is Verb.AGENT_SPAWN:
        given = arguments_of(payload)
        words = first_text(given, "message", "prompt", "instruction") or words_of(given.get("items"))
        if words:
            yield frame.intent(Phase.DELEGATED, words, call=call, attrs=dict(act.attrs))


def _is_inner(call: str) -> bool:
    """Whether a script made this call: such calls are told by their end alone."""
    return call.startswith("exec-")


def _agent_id(said: str) -> object:
    """The thread a spawning call answers with."""
    if not said.startswith('{"agent_id"'):
        return None
    try:
        return mapping(msgspec.json.decode(said)).get("agent_id")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _child(frame: Frame, session: str, child: str, call: str, phase: Phase, role: str = "") -> Event:
    """A word on a spawned thread, in its own scope, naming the thread and the call that spawned it."""
    scope = scope_key("session", child) + scope_key("session", session, KeyRole.PARENT) + scope_key("call", call, KeyRole.PARENT)
    attrs: dict[str, Attr] = {"agent_type": role[:200]} if role else {}
    return frame._replace(scope=scope, attrs={}).event(EventKind.ACTION, phase, attrs=attrs)


IMPORTER = Codex()
