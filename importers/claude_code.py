"""Claude Code session transcripts: main sessions, sub-agent files, inline sidechains, web sessions.

Formats seen: 1.0.98 to 2.1.330. Intents, calls, results and refusals are the agent's own word; an approval is stated
only where a record carries `permissionDecision` (2.1.3xx), otherwise nothing is known of who let a call run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from importers.claude_code_attachments import handed_over, hook_answers
from importers.claude_code_background import ended
from importers.claude_code_results import child_scope, result_events
from importers.claude_code_tools import act_of
from importers.claude_code_words import is_request, own_command, spoken, typed
from importers.shared.agents import Frame, call_id, decided_before, field, origin_of, scope_id, scope_key, words_of
from importers.shared.fields import Json, clip, first_moment, mapping, moment, number, text
from importers.shared.recent import remember
from importers.shared.transcript import objects
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Key, Parsed, digest
from model.words import Effect, EventKind, KeyRole, Phase

POINT = "claude-code"

_MESSAGES = frozenset({"user", "assistant"})
_SILENT = frozenset(
    {"file-history-snapshot", "file-history-delta", "last-prompt", "atis-latch", "tools-used", "cost-state", "mode"}
    | {
        "api-request",
        "api-request-blob",
        "api-request-shape",
        "agent-name",
        "agent-color",
        "agent-setting",
        "tag",
        "task-summary",
    }
    | {"frame-link", "worktree-state", "content-replacement", "attribution-snapshot", "speculation-accept", "relocated"}
    | {
        "bridge-session",
        "continued-in",
        "marble-origami-commit",
        "marble-origami-snapshot",
        "history-suppression",
        "observer-ref",
    }
    | {"fork-context-ref", "ended-by-model", "isolation-latch", "dev-mods", "memory-mode"}
    | {"artifact-autoreact-ledger", "artifact-comment-monitor"}
)
_TITLES = {"summary": "summary", "custom-title": "customTitle", "ai-title": "aiTitle"}
_TYPES = (
    _MESSAGES | _SILENT | _TITLES.keys() | {"system", "progress", "attachment", "queue-operation", "permission-mode", "pr-link"}
)
_SYSTEM = frozenset(
    {"stop_hook_summary", "turn_duration", "compact_boundary", "microcompact_boundary", "local_command", "informational"}
    | {"api_error", "away_summary", "bridge_status", "memory_saved", "agents_killed", "scheduled_task_fire"}
    | {"api_metrics", "permission_retry", "snip_boundary", "snip_marker", "thinking"}
    | {"model_refusal_fallback", "model_refusal_no_fallback"}
)
_PROGRESS = frozenset(
    {"hook_progress", "bash_progress", "agent_progress", "mcp_progress", "waiting_for_task", "query_update"}
    | {"search_results_received", "skill_progress"}
)
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_SERVER_TOOLS = {"web_search": "WebSearch", "web_fetch": "WebFetch"}
_SPAWNS = frozenset({"Task", "Agent"})
_INHERITS = "history-suppression"
_PLANS = frozenset({"ExitPlanMode", "exit_plan_mode"})
_RECENT = 20_000
"""Records whose place in the file is remembered, and messages whose tokens are."""
_SPAWN_LIMIT = 1_000


class ClaudeCode:
    id = "claude-code"
    title = "Claude Code transcripts"
    evidence = "real"
    version = 9
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        messages = sure = others = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            kind = field(record, "type")
            if kind in _MESSAGES and isinstance(record.get("message"), dict) and "parent_tool_use_id" not in record:
                if "parts" in record["message"]:
                    # Another agent's session in the same frame, its messages in the shape of another model.
                    return 0
                session = isinstance(record.get("sessionId"), str)
                messages += session or isinstance(record.get("timestamp"), str)
                sure += session and isinstance(record.get("uuid"), str)
            elif kind in _TYPES:
                others += isinstance(record.get("sessionId"), str) or "leafUuid" in record or "snapshot" in record
        if sure:
            return 95
        if messages:
            return 60
        return 40 if others * 2 > len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One file. It remembers the session, the sidechains it is in and the calls that may have begun them."""

    def __init__(self) -> None:
        self._session = ""
        self._unnamed = ""
        self._seen: dict[str, None] = {}
        self._silent: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._spawns: dict[str, str] = {}
        self._counted: dict[str, None] = {}
        self._waiting: dict[str, int] = {}
        self._dequeued = 0
        self._began: int | None = None
        self._decided: set[str] = set()
        self._attrs: dict[tuple[str, str, str, str], dict[str, Attr]] = {}

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: a transcript record is one JSON object")
        after = call_id(record.get("parentUuid")) or call_id(record.get("logicalParentUuid"))
        after = self._silent.get(after, after)
        parsed = self._read(record, after)
        parsed.events = [event for event in parsed.events if not decided_before(self._decided, event)]
        if not parsed.events and after and parsed.identity:
            # What follows a record without events follows what that record followed.
            remember(self._silent, parsed.identity, after, _RECENT)
        return parsed

    def _read(self, record: Json, after: str) -> Parsed:
        kind = record.get("type")
        if not isinstance(kind, str) or not kind:
            raise BadRecord("no record type: `type` is missing or is no text")
        session = scope_id(record.get("sessionId")) or self._session or self._name(record)
        self._session = session
        uuid = call_id(record.get("uuid"))
        at, clock = first_moment(record, "timestamp", "ts") if kind == _INHERITS else moment(record.get("timestamp"))
        parsed = Parsed(identity=uuid or None, scope="" if uuid else session, type=kind[:100], at=at)
        # A forked session begins with a copy of its origin's records, ids and all: whichever copy speaks, the deeds are the
        # origin's.
        origin = scope_id(mapping(record.get("forkedFrom")).get("sessionId"))
        parsed.copied = bool(origin) or self._older(record, uuid, at)
        session = origin or session
        if uuid:
            parsed.voice = session
        if kind in _SILENT:
            return parsed
        if kind in _MESSAGES and not isinstance(record.get("message"), dict):
            raise BadRecord(f"a {kind} record without a `message` object")
        if kind == "progress" and field(mapping(record.get("data")), "type") != "agent_progress":
            return self._noted(parsed, field(mapping(record.get("data")), "type"), _PROGRESS)
        frame = Frame(
            POINT,
            at,
            clock,
            f"uuid:{uuid}" if uuid else "",
            f"uuid:{after}" if after else "",
            self._scope(record, session, uuid, after),
            self._facts(record),
            "claude-code",
        )
        if uuid:
            remember(self._seen, uuid, None, _RECENT)
        if kind == "assistant":
            parsed.events = list(self._assistant(record, frame))
        elif kind == "user":
            parsed.events = list(self._user(record, frame, session))
        elif kind == "progress":
            parsed.events = list(self._agent_progress(record, frame, session))
        elif kind == "queue-operation":
            parsed.events = list(self._queue(record, frame))
        elif kind == "permission-mode":
            parsed.events = list(_posture(record, frame))
        elif kind == "pr-link":
            parsed.events = list(self._pull_request(record, frame))
        elif kind in _TITLES:
            parsed.events = list(self._title(record, frame, _TITLES[kind]))
        elif kind == "system":
            parsed.type = f"system/{field(record, 'subtype')[:100]}"
            parsed.events = list(_system(record, frame))
            return self._noted(parsed, field(record, "subtype"), _SYSTEM)
        elif kind == "attachment":
            attachment = mapping(record.get("attachment"))
            parsed.type = f"attachment/{field(attachment, 'type')[:100]}"
            about = {**record, "origin": attachment.get("origin") or record.get("origin")}
            parsed.events = [*hook_answers(attachment, frame), *self._queued(about, handed_over(attachment), frame, late=True)]
            if field(attachment, "type") == "queued_command":
                parsed.events += ended(about, attachment.get("prompt"), frame)
        else:
            parsed.unknown_type = kind[:100]
        return parsed

    def _older(self, record: Json, uuid: str, at: int | None) -> bool:
        """Whether a record is older than what its file begins with: the prompt it was given, or the word that it inherits.

        A session resumed under a new name begins with a copy of all records of the old one, which keep their ids and times.
        """
        begins = record.get("type") == "queue-operation" or record.get("cause") == "fork_inherit"
        if begins and not self._seen and self._began is None:
            self._began = at
        return bool(uuid) and at is not None and self._began is not None and at < self._began

    def _name(self, record: Json) -> str:
        """A session without an id is named after its first record, which every snapshot of it begins with."""
        if not self._unnamed:
            try:
                self._unnamed = "unnamed-" + digest(msgspec.json.encode(record, order="sorted"))[:20]
            except (TypeError, ValueError, RecursionError):
                self._unnamed = "unnamed"
        return self._unnamed

    def _noted(self, parsed: Parsed, sub: str, known: frozenset[str]) -> Parsed:
        parsed.type = f"{parsed.type.partition('/')[0]}/{sub[:100]}"
        if sub not in known:
            parsed.unknown_type = parsed.type
        return parsed

    def _scope(self, record: Json, session: str, uuid: str, after: str) -> tuple[Key, ...]:
        """The session, or the sub-agent with the session as its parent."""
        agent = call_id(record.get("agentId"))
        if not agent and record.get("isSidechain") is not True:
            return scope_key("session", session)
        more: tuple[Key, ...] = ()
        if not agent:
            agent = self._roots.get(after, "")
            if not agent and record.get("type") == "user":
                # What the program prints of such a sub-agent names it by the call that began it.
                agent = self._spawns.pop(words_of(mapping(record.get("message")).get("content")), "")
                more = scope_key("call", agent, KeyRole.PARENT)
            agent = agent or uuid
            if uuid:
                remember(self._roots, uuid, agent, _RECENT)
        if not agent:
            return scope_key("session", session)
        return child_scope(session, agent) + more

    def _facts(self, record: Json) -> dict[str, Attr]:
        cwd, branch = field(record, "cwd"), field(record, "gitBranch")
        version, entry = field(record, "version"), field(record, "entrypoint")
        place = (cwd, branch, version, entry)
        facts = self._attrs.get(place)
        if facts is None:
            origin = "vendor" if "remote" in entry else origin_of(cwd)
            named = {"cwd": cwd[:2000], "branch": branch[:500], "agent_version": version[:100], "origin": origin}
            facts = {name: value for name, value in named.items() if value}
            remember(self._attrs, place, facts, 1000)
        return facts

    def _assistant(self, record: Json, frame: Frame) -> Iterator[Event]:
        message = mapping(record.get("message"))
        content = message.get("content")
        if not isinstance(content, list) or record.get("isApiErrorMessage") is True:
            return
        model = field(message, "model")
        extra: dict[str, Attr] = {"model": model[:200]} if model else {}
        # Every line of one message repeats the usage of the whole.
        name = call_id(message.get("id"))
        if name and name not in self._counted and (tokens := _tokens(mapping(message.get("usage")))):
            extra["tokens"] = tokens
        for block in content:
            if isinstance(block, dict) and field(block, "type") in _CALLS:
                yield from self._call(block, frame, extra)
                if extra.pop("tokens", None):
                    remember(self._counted, name, None, _RECENT)

    def _call(self, block: Json, frame: Frame, extra: dict[str, Attr]) -> Iterator[Event]:
        name, given, call = field(block, "name")[:300], block.get("input"), call_id(block.get("id"))
        if block.get("type") == "server_tool_use":
            act = act_of(_SERVER_TOOLS.get(name, name), given)
        elif block.get("type") == "mcp_tool_use":
            act = act_of(f"mcp__{field(block, 'server_name')}__{name}", given)
        else:
            act = act_of(name, given)
        yield frame.event(EventKind.ACTION, Phase.CALL, call=call, act=act, tool=name, attrs=extra)
        if name in _SPAWNS and (prompt := field(mapping(given), "prompt")):
            kind = act.attrs.get("agent_type")
            yield frame.intent(Phase.DELEGATED, prompt, call=call, attrs={"agent_type": kind} if kind else None)
            if call:
                remember(self._spawns, prompt, call, _SPAWN_LIMIT)
        elif name in _PLANS and (plan := field(mapping(given), "plan")):
            yield frame.intent(Phase.PLAN, plan, call=call)

    def _user(self, record: Json, frame: Frame, session: str) -> Iterator[Event]:
        content = mapping(record.get("message")).get("content")
        yield from _posture(record, frame)
        blocks = objects(content)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        about = record if len(results) == 1 else {}
        for block in results:
            yield from result_events(about, block, frame, session)
        yield from ended(record, content, frame)
        # A person's words may stand beside what came back of a call.
        words = spoken([block for block in blocks if block.get("type") != "tool_result"] if results else content)
        words = typed(words) or words
        if is_request(record, words) and not self._handed_over(words):
            child = frame.scope[0].kind == "claude.agent" if frame.scope else False
            yield frame.intent(Phase.DELEGATED if child else Phase.PROMPT, words, branch=field(record, "gitBranch"))
        if not results and (plan := field(record, "planContent")):
            yield frame.intent(Phase.PLAN, plan)

    def _agent_progress(self, record: Json, frame: Frame, session: str) -> Iterator[Event]:
        """A message of a sub-agent, told in its parent's file: its own event in its own scope."""
        data = mapping(record.get("data"))
        inner, agent, call = mapping(data.get("message")), call_id(data.get("agentId")), call_id(record.get("parentToolUseID"))
        if not agent:
            return
        at, clock = moment(inner.get("timestamp"))
        scope = child_scope(session, agent) + scope_key("call", call, KeyRole.PARENT)
        frame = frame._replace(scope=scope)
        if at is not None:
            frame = frame._replace(at=at, clock=clock)
        if inner.get("type") == "assistant":
            yield from self._assistant(inner, frame)
        elif inner.get("type") == "user":
            yield from self._user(inner, frame, session)

    def _queue(self, record: Json, frame: Frame) -> Iterator[Event]:
        """What became of words that wait: typed, sent as the next prompt, or taken out to be handed over at once."""
        operation, content = record.get("operation"), record.get("content")
        if operation == "enqueue":
            yield from self._queued(record, content, frame, late=False)
        elif operation == "dequeue":
            self._dequeued += 1
        elif operation == "remove" and not self._waiting.get(spoken(content), 0):
            # Nobody told of them when they were typed; an attachment may tell of them once more.
            yield from self._queued(record, content, frame, late=False)

    def _handed_over(self, words: str) -> bool:
        """Whether this prompt is what waited and was told when it was typed."""
        due, self._dequeued = self._dequeued, 0
        waiting = self._waiting.get(words, 0)
        if due and waiting:
            self._dequeued, self._waiting[words] = due - 1, waiting - 1
        return bool(due and waiting)

    def _queued(self, record: Json, content: object, frame: Frame, *, late: bool) -> Iterator[Event]:
        """Words typed while the agent worked: told when they were, and again, in some versions only, when they were handed over."""
        words = spoken(content)
        if not is_request(record, words) or own_command(words):
            return
        waiting = self._waiting.get(words, 0)
        if late and waiting:
            self._waiting[words] = waiting - 1
            return
        if not late:
            remember(self._waiting, words, waiting + 1, _SPAWN_LIMIT)
        yield frame.intent(Phase.QUEUED, words)

    def _pull_request(self, record: Json, frame: Frame) -> Iterator[Event]:
        """The pull request a session came to be about; told again whenever the session is resumed."""
        repository = repository_name(field(record, "prRepository") or field(record, "repository") or field(record, "prUrl"))
        number = text(record.get("prNumber"))
        name = f"{repository}#{number}" if repository and number.isdecimal() else ""
        if name and name not in self._waiting:
            remember(self._waiting, name, 0, _SPAWN_LIMIT)
            yield frame.event(EventKind.ACTION, Phase.STARTED, more=(Key(KeyRole.REFERENCE, "pr", name),))

    def _title(self, record: Json, frame: Frame, name: str) -> Iterator[Event]:
        """The session's title; a summary may speak of another session, whose leaf it names."""
        title, leaf = field(record, name), call_id(record.get("leafUuid"))
        if title and (not leaf or leaf in self._seen):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": clip(title, 300)})


def _tokens(usage: Json) -> int:
    """Tokens a message cost: read anew and written; what came from the cache is not counted again."""
    named = (number(usage.get(name)) for name in ("input_tokens", "cache_creation_input_tokens", "output_tokens"))
    return sum(found for found in named if found is not None and found > 0)


def _posture(record: Json, frame: Frame) -> Iterator[Event]:
    if mode := field(record, "permissionMode"):
        yield frame.event(EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode[:100]})


def _system(record: Json, frame: Frame) -> Iterator[Event]:
    words = field(record, "content")
    if record.get("preventContinuation") is True and " operation blocked by hook" in words[:80]:
        yield frame.verdict(Effect.DENY, rule=words.partition(" ")[0][:100], reason=words.partition("\n\n")[0])


IMPORTER = ClaudeCode()
