"""Aider's chat history (`.aider.chat.history.md`): what people asked, what they let it do, which files and commits it made.

Markdown, appended to by every launch: `#### ` stands before a person's words, `> ` before the program's, and both end their
line with two spaces, which the model's own headings and quotes do not. A launch states its local time, nothing after it
states any. An answer to a question looks the same whether a person or a setting gave it: where the launch states
`--yes-always`, none is a person's. What a question is about stands before it, and may hold blank lines. Source: the
program's `io.py` and `base_coder.py`, and the history its authors publish.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import takewhile

from importers.cutting.framing import Container
from importers.shared.agents import Act, Frame, exec_act, field, file_act, web_act
from importers.shared.fields import commit_id, mapping
from importers.shared.transcript import Transcript, name_of, object_of
from importers.shared.usage import Purse, spent, tell_spent
from model.event import BadRecord, Event, Key, Parsed, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Verb

POINT = "aider"

_STARTED = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*$")
_LAUNCHED = re.compile(r"^(?:> Aider v|#### )|^> .*\baider(?:\.exe)? ?", re.MULTILINE)
_VERSION = re.compile(r"Aider v(\S+)")
_PROGRAM = re.compile(r"(?:.*[/\\])?aider(?:\.exe|[/\\]__main__\.py)?(?: (?P<options>.*))?", re.IGNORECASE | re.DOTALL)
_MODEL = re.compile(r"(?:Main model|Models?): (\S+) with ")
_FOLDER = re.compile(r"Git working dir: (.+)")
_COMMIT = re.compile(r"Commit ([0-9a-f]{7,40}) (.*)", re.DOTALL)
_EDITED = re.compile(r"Applied edit to (.+)")
_ADDED = re.compile(r"Added (.+?) to (?:the chat|read-only files)\.?")
_RUNNING = re.compile(r"Running (.+)", re.DOTALL)
_CREATED = re.compile(r"Creating empty file (.+)")
_UNWRITTEN = re.compile(r"Unable to write file (.+?)(?: after \d+ attempts)?: ")
_SKIPPED = re.compile(
    r"(?P<what>Skipping edits to|Skipping|Can not add|Can't add) (?P<name>.+?),? (?:that match(?:es)?|which is|due to) (?P<why>.+?)\.?"
)
_COUNT = r"[\d.]{1,12}[kM]?"
_SPENT = re.compile(
    rf"Tokens: (?P<sent>{_COUNT}) sent(?:, {_COUNT} cache write)?(?:, (?P<cached>{_COUNT}) cache hit)?, (?P<received>{_COUNT}) received\."
    r"(?: +Cost: \$(?P<cost>\d{1,6}\.\d{1,12}) message)?"
)
_SCRAPED = re.compile(r"Scraping (https?://\S+?)\.{0,3}")
_ASKED = re.compile(
    r"(?P<question>.{1,300}?\?) ?(?:\[[YyNn]/[YyNn]\]|\(Y\)es/\(N\)o[^\[]{0,100}\[[^\]]{0,10}\]:)? ?(?P<answer>[a-z]|yes|no|all|skip|don't)"
)
_NAMED = re.compile(
    r"(?:Add|Create new file|Allow edits to|Allow creation of new file) (?P<name>\S+)"
    r"(?: to the chat| which was not previously [\w ]+| that has not been added to the chat)?\?"
)
_NO_NAMES = frozenset({"URL", "file", "files", "these", "edits", "command"})
_QUESTIONS = (
    ("Run shell command", Verb.EXEC),
    ("Run pip install", Verb.EXEC),
    ("Add .aider", Verb.FILE_WRITE),
    ("Add .env", Verb.FILE_WRITE),
    ("Create new file", Verb.FILE_WRITE),
    ("Allow edits to", Verb.FILE_WRITE),
    ("Allow creation of", Verb.FILE_WRITE),
    ("Add URL", Verb.HTTP_REQUEST),
    ("Add http", Verb.HTTP_REQUEST),
    ("Add these files", Verb.FILE_READ),
    ("Add file to", Verb.FILE_READ),
)
_IGNORES = re.compile(r"Add(?:ed)? \.\S+(?:, \S+)* to \.gitignore(?: \(recommended\))?\??")
_AGAIN = "Please answer with one of: "
_NOTHING = "<blank>"
_OPTIONS = "? (Y)es/(N)o"
_YES = frozenset({"yes", "yes-always"})
_ANSWERS = {"y": Effect.ALLOW, "a": Effect.ALLOW, "n": Effect.DENY, "s": Effect.DENY, "d": Effect.DENY}
_AROUND = ".,;:'\")>]"
_RUNS = ("/run", "/test", "/git", "/lint")
_SPOKEN = ("/ask", "/code", "/architect", "/context", "/help", "/chat-mode")
# What `/help` adds to a question; a fork puts its own name where the program's stands.
_ABOUT_HELP = "# Announcement lines from when this session of "
_TAIL = 200
_REPLY_LIMIT = 50_000
_MACHINE = ("# Fix any errors below", "# Fix lint errors", "I ran this command:", "I ran the command")


class AiderChat:
    id = "aider-chat"
    title = "Aider chat history (Markdown)"
    evidence = "real"
    version = 5
    container: Container = "paragraphs"

    def sniff(self, sample: Sequence[object]) -> int:
        blocks = [field(mapping(record), "line") for record in sample]
        begun = [_STARTED.match(block.partition("\n")[0]) is not None for block in blocks]
        launched = any(begun) and any(_LAUNCHED.search(block[:2000]) for block in blocks)
        return 85 if launched or begun[:1] == [True] else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """The launches of one history; of the one now read, the question's subject and what was let through but not done yet."""

    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._started = ""
        self._marked = True
        self._let: dict[str, str] = {}
        self._asked = ""
        self._reply: list[str] = []
        self._mode = ""
        self._purse: Purse = {}
        # What the program said last, which a blank line may keep apart from what it asks about it.
        self._tail: list[list[str]] = []

    def read(self, record: object) -> Parsed:
        block = field(object_of(record, "a paragraph of the history"), "line")
        if not block.strip():
            raise BadRecord("a paragraph without text")
        if (begun := _STARTED.match(block.partition("\n")[0])) is not None:
            self._started, self._file, self._let = begun[1], Transcript(POINT), {}
            self._asked, self._reply, self._mode, self._tail = "", [], "", []
            block = block.partition("\n")[2]
            if not block.strip():
                return Parsed(type="launch", scope=f"aider {self._started}")
        events: list[Event] = []
        if not self._file.session:
            # The time of the launch alone would be one session for all who launched in that second.
            self._file.begin(f"aider-{name_of([self._started, block])}")
            self._marked = "  \n" in block + "\n" or not block.startswith("> ")
            frame = self._file.frame(self._started or None)
            events.append(frame.event(EventKind.ACTION, Phase.STARTED))
        kind, told = self._told(block)
        events += told
        return Parsed(events, scope=self._file.session, type=kind)

    def _told(self, block: str) -> tuple[str, list[Event]]:
        events: list[Event] = []
        words: list[str] = []
        lines = block.split("\n")
        groups = self._continued(lines)
        kept = len(groups)
        for line in lines:
            if self._is(line, "####"):
                words.append(line[4:].strip(" "))
            elif line.startswith("> ") or line == ">":
                groups.append([line[1:].strip()])
                if not self._marked or line.endswith("  "):
                    events += self._program(groups[-1][0], groups[-_TAIL:-1], self._file.frame())
            elif groups:
                # A message of several lines has the mark on its first line alone.
                groups[-1].append(line.strip())
            elif len(self._reply) < _REPLY_LIMIT:
                self._reply += line[:_REPLY_LIMIT].split()
        for group in groups[kept:]:
            spent(self._purse, self._file.session, *_spent(" ".join(group[:3])))
        tell_spent(self._purse, self._file.session, events)
        self._keep(groups, words, lines)
        if words and not self._again(given := "\n".join(words).strip()):
            events = [*said(given, self._file.frame(), self._file), *events]
        return "prompt" if words else "program" if groups else "text", events

    def _continued(self, lines: list[str]) -> list[list[str]]:
        """What the program said before a blank line, where this goes on with it: the subject of a question that stands here.

        The program's own answer for all of a group is written down as a person's words, with the question before it.
        """
        asks = [
            line
            for line in lines
            if line[:1] == ">" and (not self._marked or line.endswith("  ")) and _ASKED.fullmatch(line[1:].strip())
        ]
        repeated = self._is(lines[0], "####") and _ASKED.fullmatch(lines[0][4:].strip())
        goes_on = self._tail and asks and (repeated or lines[0][:1] not in ("#", ">") or lines[0].startswith("# "))
        return [list(group) for group in self._tail] if goes_on else []

    def _keep(self, groups: list[list[str]], words: list[str], lines: list[str]) -> None:
        if groups:
            self._tail = groups[-_TAIL:]
        elif words or not self._tail or len(self._tail[-1]) > _TAIL:
            self._tail = []
        else:
            self._tail[-1] += [line.strip() for line in lines[:_TAIL]]

    def _again(self, given: str) -> bool:
        """Whether the program writes down as a person's what nobody typed: a command's own words once more, or the model's plan."""
        flat, reply = given.split(), self._reply
        asked, self._asked, self._reply = self._asked, "", []
        if " ".join(flat) == asked or (reply and flat == reply) or _ABOUT_HELP in given:
            return bool(flat)
        command, _, rest = given.partition(" ")
        self._asked = " ".join(rest.split()) if command in _SPOKEN else ""
        return False

    def _is(self, line: str, mark: str) -> bool:
        return (
            line.startswith(mark) and (not self._marked or line.endswith("  ")) and line[len(mark) : len(mark) + 1] in (" ", "")
        )

    def _program(self, words: str, before: list[list[str]], frame: Frame) -> Iterator[Event]:
        """A line of the program: a fact of the launch, something done, or a question with its answer, whose subject stands before it."""
        if (asked := _ASKED.fullmatch(words)) is not None:
            yield from self._answered(asked["question"], asked["answer"], before, frame)
        elif (edited := _EDITED.fullmatch(words)) is not None:
            yield from self._done("edit", file_act(Verb.FILE_WRITE, edited[1]), frame)
        elif (added := _ADDED.fullmatch(words)) is not None:
            yield from self._done("add", file_act(Verb.FILE_READ, added[1]), frame)
        elif (created := _CREATED.fullmatch(words)) is not None:
            yield from self._done("create", file_act(Verb.FILE_WRITE, created[1]), frame)
        elif _IGNORES.fullmatch(words) is not None:
            yield from self._done("ignore", file_act(Verb.FILE_WRITE, ".gitignore"), frame)
        elif (unwritten := _UNWRITTEN.match(words)) is not None:
            yield from self._done("edit", file_act(Verb.FILE_WRITE, unwritten[1]), frame, ok=Tri.NO, output=words)
        elif (skipped := _SKIPPED.fullmatch(words)) is not None:
            yield from self._refused(skipped, frame)
        elif (commit := _COMMIT.fullmatch(words)) is not None and commit_id(commit[1]):
            act = Act(Verb.REPO_WRITE, Target(TargetClass.REPOSITORY, "", commit[2][:300]))
            call, made = self._file.unnamed_call(), (Key(KeyRole.REFERENCE, "commit", commit[1]),)
            yield frame.event(EventKind.ACTION, Phase.CALL, call=call, more=made, act=act, tool="commit")
            yield from self._file.result(frame, call, Tri.YES, "")
        elif (running := _RUNNING.fullmatch(words)) is not None:
            if self._let.pop(f"exec {running[1]}", "") == "":
                yield from self._file.call(frame, self._file.unnamed_call(), "shell", None, act=exec_act(running[1]))
        elif (scraped := _SCRAPED.fullmatch(words)) is not None:
            yield from self._done("web", web_act(scraped[1]), frame, ok=Tri.UNKNOWN)
        else:
            yield from self._launched(words, frame)

    def _launched(self, words: str, frame: Frame) -> Iterator[Event]:
        if (version := _VERSION.match(words)) is not None:
            self._file.know(agent_version=version[1])
        elif (model := _MODEL.match(words)) is not None:
            self._file.know(model=model[1])
        elif (folder := _FOLDER.fullmatch(words)) is not None:
            self._file.place(folder[1])
        elif mode := _mode(words):
            self._mode = mode
            yield from self._file.posture(frame, mode)

    def _refused(self, skipped: re.Match[str], frame: Frame) -> Iterator[Event]:
        """A file that the program itself keeps from the model, or from its edits: what the ignore files list, what lies elsewhere."""
        verb = Verb.FILE_WRITE if "edits" in skipped["what"] else Verb.FILE_READ
        call = self._file.unnamed_call()
        yield from self._file.call(
            frame, call, "edit" if "edits" in skipped["what"] else "add", None, act=file_act(verb, skipped["name"])
        )
        yield from self._file.result(frame, call, Tri.NO, "", refused="rule", rule=skipped["why"][:200], reason=skipped[0][:300])

    def _done(self, tool: str, act: Act, frame: Frame, ok: Tri = Tri.YES, output: str = "") -> Iterator[Event]:
        """Something that the program says it did, under the call that was let through for it where there is one."""
        call = self._let.pop(f"{act.verb} {act.target.name}", "") or self._file.unnamed_call()
        yield from self._file.call(frame, call, tool, None, act=act)
        if ok is not Tri.UNKNOWN:
            yield from self._file.result(frame, call, ok, output)

    def _answered(self, question: str, answer: str, before: list[list[str]], frame: Frame) -> Iterator[Event]:
        """A question of the program and the answer to it: each thing asked about is a call that was allowed or refused."""
        verb = next((verb for begin, verb in _QUESTIONS if question.startswith(begin)), None)
        effect = _ANSWERS.get(answer[:1], Effect.UNKNOWN)
        if verb is Verb.EXEC and answer[:1] == "a":
            # The program takes the word, and runs a command for a yes alone.
            effect = Effect.DENY
        named = _NAMED.fullmatch(question)
        if named is not None and named["name"] in _NO_NAMES:
            named = None
        if verb is None and named is not None:
            verb = Verb.FILE_READ
        if verb is None or effect is Effect.UNKNOWN:
            return
        before = [group for group in before if not group[0].startswith(_AGAIN)]
        subject = before[-1] if before and not before[-1][0].startswith("Tokens:") else []
        if question.startswith("Add these files"):
            # Files are told one a message.
            names = (" ".join(group) for group in reversed(before))
            subject = list(takewhile(lambda name: name and " " not in name, names))[::-1]
        if named is not None:
            subject = [named["name"]]
        elif _IGNORES.fullmatch(question) is not None:
            subject = [".gitignore"]
        by = f" (--{self._mode})" if self._mode in _YES else ""
        for one in subject:
            if not one or one.startswith("#"):
                continue
            act = (
                exec_act(one)
                if verb is Verb.EXEC
                else web_act(one.rstrip(_AROUND))
                if verb is Verb.HTTP_REQUEST
                else file_act(verb, one)
            )
            call = self._file.unnamed_call()
            yield from self._file.call(frame, call, "shell" if verb is Verb.EXEC else "ask", None, act=act)
            if effect is Effect.ALLOW:
                who = "" if by else "user"
                yield frame.verdict(effect, call=call, rule=question[:200], reason=f"answered {answer}{by}", by=who)
                self._let[f"{act.verb} {one if verb is Verb.EXEC else act.target.name}"] = call
            else:
                who = "rule" if by else "user"
                yield from self._file.result(
                    frame, call, Tri.NO, "", refused=who, rule=question[:200], reason=f"answered {answer}{by}"
                )


def _spent(words: str) -> tuple[int, float]:
    """Tokens and money of an answer, to the digits that are shown; what came from the cache was counted when it was first read."""
    m = _SPENT.match(words)
    if m is None:
        return 0, 0.0
    tokens = _shown(m["sent"]) - _shown(m["cached"] or "0") + _shown(m["received"])
    return max(tokens, 0), float(m["cost"] or 0)


def _shown(count: str) -> int:
    number, unit = count.rstrip("kM"), count[-1]
    return round(float(number) * {"k": 1e3, "M": 1e6}.get(unit, 1)) if number.count(".") < 2 and number.strip(".") else 0


def said(words: str, frame: Frame, file: Transcript) -> Iterator[Event]:
    """A person's words at the prompt: a request, or a command of the chat."""
    command, _, rest = words.partition(" ")
    call = file.unnamed_call() if file.session else ""
    if words.startswith("!"):
        command, rest = "/run", words[1:].strip()
    if command in _RUNS:
        line = f"git {rest}" if command == "/git" else rest
        if line.strip():
            yield from file.call(frame, call, command, None, act=exec_act(line))
    elif command == "/web" and rest:
        yield from file.call(frame, call, command, None, act=web_act(rest.strip()))
    elif command in _SPOKEN and rest.strip():
        yield frame.intent(Phase.PROMPT, rest.strip())
    elif words and words != _NOTHING and not words.startswith(("/", *_MACHINE)) and _OPTIONS not in words:
        yield frame.intent(Phase.PROMPT, words)


def _mode(line: str) -> str:
    """What the command line of a launch says of questions: that all are answered, and how."""
    found = _PROGRAM.fullmatch(line)
    rest = found["options"] if found is not None else None
    if not rest:
        return ""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    return next((word.lstrip("-") for word in words if word in ("--yes-always", "--yes", "--no-yes-always")), "")


IMPORTER = AiderChat()
