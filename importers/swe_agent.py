"""SWE-agent trajectories (`.traj`) and mini-swe-agent's: the history of messages of one run, in order and without times.

What stands beside the history (`environment`, `info`, `trajectory`) repeats it. Older histories hold an action as text and its
outcome as the next user message; newer ones have tool calls with ids. The issue's text is the intent, demonstrations are not.
Source: recorded trajectories of 0.7 to 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, exec_act, field, file_act, words_of
from importers.shared.chat import json_of
from importers.shared.enclosed import enclosed
from importers.shared.fields import Json, mapping, number
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, cost_of, spent, state, tell_spent, tokens_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri, Verb

POINT = "swe-agent"

_ROLES = frozenset({"system", "user", "assistant", "tool", "exit"})
# Commands of the program's own shell that touch a file; all others are commands of the system's.
_READS = frozenset({"open", "find_file", "search_dir", "search_file", "goto", "scroll_up", "scroll_down", "view_image"})
_WRITES = frozenset({"create", "edit", "insert", "replace", "str_replace_editor"})
_DONE = frozenset({"submit", "exit_forfeit", "exit_cost", "skip"})
_BLOCK, _BLOCK_END = re.compile(r"```(?:bash|sh|mswea_bash_command)(?:[^\S\n]*+\n)++"), re.compile(r"\n```")
_LONGEST = 100_000
_CODE = re.compile(r"<returncode>(-?\d{1,9})</returncode>|Exit code: (-?\d{1,9})")
_FAILED = (
    "Execution failed",
    "Your command ran into",
    "EXECUTION TIMED OUT",
    "Your proposed edit has introduced new syntax error",
    "The last command <command>",
)


# What the smaller agent puts into a person's mouth, before the person's own words.
_STOPPED = re.compile(
    r"(?P<UserRejection>Commands? not executed\.(?: The user rejected your commands? with the following message:"
    r"| Switching to human mode)?)|(?P<UserInterruption>Interrupted by user:)|(?P<UserNewTask>The user added a new task:)"
)
_PEOPLE = {"UserRejection": "user", "UserInterruption": "interrupted", "UserNewTask": ""}
_CORRECTED = ("Please always provide EXACTLY ONE action", "Format error:")
_UNSAID = "Temporary interruption caught."
# What stands in the place of an answer where a command was not run, before it is said why.
_UNRUN = "action was not executed"
# A command of the person's own, who took over from the agent.
_OWN = "User command: \n```bash\n"


class SweAgent:
    id = "swe-agent"
    title = "SWE-agent trajectories"
    evidence = "real"
    version = 6
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            if "trajectory_format" in record or ("trajectory" in record and "info" in record) or _published(record):
                return 90
            step = "action" in record and "observation" in record and ("state" in record or "thought" in record)
            message = field(record, "role") in _ROLES and ("agent" in record or "message_type" in record or "thought" in record)
            found += bool(step or message)
        return 80 if found and found * 2 >= len(sample) else 75 if _of_the_smaller(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._file = Transcript(POINT, unique_calls=False, model_calls=True)
        self._waiting: list[str] = []
        self._unrun: list[str] = []
        self._names: dict[str, str] = {}
        self._purse: Purse = {}
        self._told = False
        self._begun = False
        self._own = False
        self._runs = 0

    def read(self, record: object) -> Parsed:
        record = _chat(object_of(record, "a trajectory record"))
        run = not {"role", "action"} & record.keys() and bool({"trajectory", "info", "history", "messages"} & record.keys())
        if run and self._runs and (record.get("messages") or _published(record)):
            # Published collections hold a run a line.
            self._begin()
        self._file.begin(None, record)
        if run:
            return self._run(record)
        frame = self._file.frame()
        parsed = Parsed(scope=self._file.session)
        role = field(record, "role")
        if role:
            if "content" not in record and "tool_calls" not in record:
                raise BadRecord(f"a {role} message without `content`")
            parsed.type = f"message/{role}"[:100]
            parsed.events = list(self._message(role, record, frame))
            if role not in _ROLES:
                parsed.unknown_type = parsed.type
        elif "action" in record and "observation" in record:
            parsed.type = "step"
            parsed.events = [] if self._told else list(self._step(record, frame))
        else:
            raise BadRecord("neither a message (`role`) nor a step (`action` and `observation`)")
        return parsed

    def _run(self, record: Json) -> Parsed:
        """The members beside the history; the history too where it was read as one record with them."""
        self._runs += 1
        info = mapping(record.get("info"))
        self._file.know(model=field(mapping(mapping(info.get("config")).get("model")), "model_name"))
        self._file.know(agent_version=field(info, "swe_agent_version") or field(info, "mini_version"))
        frame = self._file.frame()
        status = field(info, "exit_status")[:100] or field(record, "exit_status")[:100]
        attrs: dict[str, Attr] = {"status": status} if status else {}
        parsed = Parsed([frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs)], scope=self._file.session, type="run")
        history = _published(record) or objects(record.get("history") or record.get("messages"))
        state(parsed.events[0], *_total(info, history))
        steps = objects(record.get("trajectory"))
        # The steps say the history once more, without what was asked; in some files they come first and by themselves.
        self._told = bool({"history", "messages"} & record.keys()) or bool(_published(record))
        for message in map(_chat, history):
            if role := field(message, "role"):
                parsed.events += self._message(role, message, frame)
        parsed.events += [
            event for step in ([] if self._told else steps) if "action" in step for event in self._step(step, frame)
        ]
        return parsed

    def _message(self, role: str, message: Json, frame: Frame) -> Iterator[Event]:
        if message.get("is_demo") is True:
            return
        words, more = words_of(message.get("content")), mapping(message.get("extra"))
        if more.get("timestamp") is not None:
            frame = self._file.frame(more.get("timestamp"), unit="s")
        # An answer that asks for nothing cost as well, and stands with what is told next; one that the program corrects is kept
        # with the correction.
        spent(self._purse, self._file.session, *_paid(message))
        if role in ("assistant", "exit"):
            yield from self._done(field(more, "exit_status") == "Submitted" or bool(field(more, "submission")), role, frame)
        if role == "assistant":
            self._own = False
            events = list(self._asked(message, frame))
            tell_spent(self._purse, self._file.session, events)
            yield from events
        elif role == "user" and (words.startswith(_OWN) or isinstance(more.get("actions"), list)):
            self._waiting, self._own = [], True
        elif role in ("user", "tool"):
            ids = message.get("tool_call_ids")
            named = [call_id(one) for one in ids] if isinstance(ids, list) else [call_id(message.get("tool_call_id"))]
            named = [self._names.get(one, one) for one in named if one]
            if role == "user" and not named and (stopped := _interrupted(words, field(more, "interrupt_type"))) is not None:
                yield from self._stopped(*stopped, frame)
                return
            named = named or self._waiting[:1]
            shown = more.get("returncode") is not None or _CODE.match(words.lstrip()) is not None
            if not named and (shown or self._own):
                # What a command gave is nobody's words; of a person's own command no call is told.
                self._own = False
                return
            self._waiting = [one for one in self._waiting if one not in named]
            if field(more, "exception_info") == _UNRUN:
                self._unrun += named
                return
            for call in named:
                yield from self._answer(call, words, frame, more.get("returncode"))
            if role == "user" and not named and words.strip():
                yield frame.intent(Phase.PROMPT, words)

    def _stopped(self, refused: str, words: str, frame: Frame) -> Iterator[Event]:
        """A person between the agent and its commands: what was asked for was not run, and what they said instead."""
        if not refused and self._unrun and words:
            # Another task was set when the agent had done this one.
            yield from self._done(True, "exit", frame)
        for call in self._unrun + self._waiting if refused else []:
            yield from self._file.result(frame, call, Tri.NO, "", refused=refused, reason=words[:200])
        self._waiting = []
        self._unrun = self._unrun if not refused else []
        if words:
            yield frame.intent(Phase.PROMPT, words)

    def _done(self, submitted: bool, role: str, frame: Frame) -> Iterator[Event]:
        """What became of commands that have no answer of their own: the one that ends a run went well, and none after it was run."""
        unrun = self._unrun + (self._waiting if role == "exit" and submitted else [])
        self._unrun = []
        for call in unrun:
            well = role == "exit" and submitted and call == unrun[0]
            yield from self._file.result(frame, call, Tri.YES if well else Tri.NO, "" if well else _UNRUN)

    def _asked(self, message: Json, frame: Frame) -> Iterator[Event]:
        self._waiting = []
        action = field(message, "action").strip()
        made: list[tuple[str, str, object, Act]] = []
        for one in objects(message.get("tool_calls")):
            inner = mapping(one.get("function"))
            given = json_of(inner.get("arguments"))
            made.append((call_id(one.get("id")), field(inner, "name"), given, _tool_act(field(inner, "name"), given)))
        stated = [] if made else mapping(message.get("extra")).get("actions")
        for given in stated if isinstance(stated, list) else []:
            line = given if isinstance(given, str) else field(mapping(given), "command")
            made.append((call_id(mapping(given).get("tool_call_id")), "bash", given, exec_act(line)))
        plain = not {"agent", "message_type", "action"} & message.keys()
        if not made and plain and len(blocks := _blocks(words_of(message.get("content")))) == 1:
            # The smaller agent's only way to act is one block of shell in its answer.
            made.append(("", "bash", {}, exec_act(blocks[0])))
        if not made and action:
            made.append(("", action.split(maxsplit=1)[0][:100], {}, _command_act(action)))
        for call, tool, given, act in made:
            # A replayed run repeats the ids of the one it replays, also within itself.
            name = self._file.unnamed_call() if not call or self._file.answered(call) else call
            self._names[call] = name
            self._waiting.append(name)
            yield from self._file.call(frame, name, tool, given, act=act)

    def _step(self, step: Json, frame: Frame) -> Iterator[Event]:
        place = mapping(json_of(step.get("state")))
        self._file.place(field(place, "working_dir"))
        action = field(step, "action").strip()
        if not action:
            return
        frame = self._file.informed(frame)
        if not self._begun:
            shown = (m for m in objects(step.get("query") or step.get("messages")) if m.get("is_demo") is not True)
            yield from (frame.intent(Phase.PROMPT, words_of(m.get("content"))) for m in shown if m.get("role") == "user")
        self._begun = True
        call = self._file.unnamed_call()
        yield from self._file.call(frame, call, action.split(maxsplit=1)[0][:100], {}, act=_command_act(action))
        yield from self._answer(call, field(step, "observation"), frame)

    def _answer(self, call: str, said: str, frame: Frame, code: object = None) -> Iterator[Event]:
        shown = _CODE.match(said.lstrip())
        code = number(code) if number(code) is not None else number(shown[1] or shown[2]) if shown else None
        ok = Tri.UNKNOWN if code is None else Tri.YES if code == 0 else Tri.NO
        failed = said.lstrip().startswith(_FAILED)
        yield from self._file.result(frame, call, Tri.NO if failed else ok, said, status="" if code is None else str(code))


def _paid(message: Json) -> tuple[int, float]:
    """Tokens and money that one message of the smaller agent states."""
    more = mapping(message.get("extra"))
    usage = mapping(message.get("usage")) or mapping(mapping(more.get("response")).get("usage"))
    return tokens_of(usage), cost_of(more.get("cost"))


def _total(info: Json, history: list[Json]) -> tuple[int, float]:
    """What a whole run cost, of which its messages say nothing; those of the smaller agent may come one by one and say it then."""
    stats, paid = mapping(info.get("model_stats")), [_paid(message) for message in history]
    if not history and "mini_version" in info:
        return 0, 0.0
    tokens = (number(stats.get("tokens_sent")) or 0) + (number(stats.get("tokens_received")) or 0)
    return (
        0 if any(one for one, _ in paid) else max(tokens, 0),
        0.0 if any(one for _, one in paid) else cost_of(stats.get("instance_cost")),
    )


def _of_the_smaller(sample: Sequence[object]) -> bool:
    """Whether these are messages of the smaller agent's first versions, or runs of them, with nothing beside what they say."""
    rows = [row for record in map(mapping, sample) for row in objects(record.get("messages")) or [record]]
    return any(
        field(asked, "role") == "assistant"
        and field(said, "role") == "user"
        and field(said, "content").startswith("<returncode>")
        for asked, said in pairwise(rows)
    )


def _interrupted(words: str, kind: str) -> tuple[str, str] | None:
    """How a person stopped the smaller agent and what they said; ("", "") where the program itself did, None for any other message.

    Older versions do not say so beside the words, which are theirs to the letter.
    """
    said = _STOPPED.match(words)
    if said is None and kind not in _PEOPLE:
        return ("", "") if kind or words.startswith(_CORRECTED) else None
    who = (said.lastgroup if said else None) or kind
    told = words[said.end() :].strip() if said else ""
    return _PEOPLE[who], "" if told == _UNSAID else told


def _blocks(answer: str) -> list[str]:
    """The blocks of shell in an answer."""
    return [body for _, body in enclosed(answer, _BLOCK, _BLOCK_END) if 0 < len(body) <= _LONGEST]


def _published(record: Json) -> list[Json]:
    """The messages of a run in a published collection, which says what was said as `text` and the agent's part as that of an `ai`."""
    made: list[Json] = []
    for row in objects(record.get("trajectory")):
        role, said = field(row, "role"), field(row, "text")
        if role == "ai":
            # The agent acts by the last block of its answer.
            begin, end = said.rstrip().removesuffix("```").rpartition("```"), said.rstrip().endswith("```")
            action = begin[2].partition("\n")[2].strip() if end and begin[1] else ""
            made.append({"role": "assistant", "content": said, "action": action})
        elif role in ("user", "system") and "text" in row:
            made.append({"role": role, "content": said})
    return made if any(one["role"] == "assistant" for one in made) else []


def _chat(message: Json) -> Json:
    """An item of the Responses API as the chat message it stands for; other messages as they are."""
    extra = message.get("extra")
    if message.get("object") == "response" and "role" not in message:
        made = [item for item in objects(message.get("output")) if item.get("type") == "function_call"]
        calls = [{"id": item.get("call_id"), "function": item} for item in made]
        return {"role": "assistant", "content": "", "tool_calls": calls, "extra": extra, "usage": message.get("usage")}
    if message.get("type") == "function_call_output" and "role" not in message:
        return {"role": "tool", "content": message.get("output"), "tool_call_id": message.get("call_id"), "extra": extra}
    return message


def _tool_act(tool: str, given: object) -> Act:
    args = mapping(given)
    if tool in _READS or tool in _WRITES:
        looks = tool in _READS or field(args, "command") == "view"
        path = field(args, "path") or field(args, "file_name") or field(args, "filename") or field(args, "file")
        return file_act(Verb.FILE_READ if looks else Verb.FILE_WRITE, path)
    return act_of("submit" if tool in _DONE else tool, given)


def _command_act(action: str) -> Act:
    name, _, rest = action.partition("\n")[0].partition(" ")
    if name in _READS or name in _WRITES:
        path = rest.strip().split(" ")[0].strip("\"'") if name in ("open", "create") else ""
        return file_act(Verb.FILE_READ if name in _READS else Verb.FILE_WRITE, path)
    return act_of("submit", {}) if name in _DONE else exec_act(action)


IMPORTER = SweAgent()
