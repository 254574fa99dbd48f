"""What an agent's own permission engine is asked and what it answers, in words that fit all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from model.words import Effect
from policy.diagnostics import Diagnostic


class RuleFile(msgspec.Struct, frozen=True):
    """One file of rules: where it lies in the program's order of precedence (`layer`), how it is called, its text.

    Layers are the program's own words: `managed`, `user`, `project`, `local` (Claude Code), `user`, `project` (Codex),
    `admin`, `user`, `workspace`, `extension` (Gemini CLI), `global`, `project`, `agent` (opencode), `global`, `project`,
    `user` (Cursor), `flags`, `user`, `repository`, `local` (Copilot CLI). `directory` is the folder the file speaks for,
    where paths in it are relative.
    """

    layer: str
    name: str
    text: str
    directory: str = ""


def placed(files: Sequence[RuleFile], layers: Sequence[str]) -> list[RuleFile]:
    """The files, those of no layer in the first of a program's layers."""
    return [file if file.layer else msgspec.structs.replace(file, layer=layers[0]) for file in files]


class Call(msgspec.Struct, frozen=True):
    """A tool call with everything an engine may ask about it; what the record does not tell is None or "".

    `mode` is the permission mode or approval policy in force, `sandbox` the sandbox, both in the program's words; `agent`
    the agent or sub-agent that calls. `home` and `project` are folders of the machine the call was made on.
    """

    tool: str
    input: dict[str, object]
    cwd: str = ""
    project: str = ""
    home: str = ""
    mode: str = ""
    sandbox: str = ""
    agent: str = ""
    mcp_server: str = ""
    interactive: bool | None = None
    trusted: bool | None = None
    facts: dict[str, object] = msgspec.field(default_factory=dict)
    """Whatever else one program asks about, under the name its adapter documents."""


class Part(msgspec.Struct, frozen=True):
    """One sub-command of a compound command and what was made of it; `rule` is "" where no rule matched it."""

    text: str
    effect: Effect
    rule: str = ""


class Answer(msgspec.Struct, frozen=True):
    """The engine's answer: UNKNOWN is *cannot judge*, and then `missing` names the facts the record lacks.

    `rule` is the deciding rule as written and `place` the file it stands in, "" where a default decided; `reason` says in
    plain words why, and `parts` which piece of a compound command was decided how. `silent` is set where no rule matches
    and the program says nothing of its own: then the effect is UNKNOWN, but nothing is missing.
    """

    effect: Effect
    rule: str = ""
    place: str = ""
    reason: str = ""
    missing: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    silent: bool = False


class Slip(msgspec.Struct, frozen=True):
    """A rule that did not do what it says on one call: its file, the place of the problem that tells so, and the problem's code.

    `text` is the command, path or tool that it would have met.
    """

    file: str
    line: int
    code: str
    text: str
    column: int = 1


def name_set(text: str) -> frozenset[str]:
    """The words of a text: a list of names as it is read best."""
    return frozenset(text.split())


_STRICTNESS = {Effect.ALLOW: 0, Effect.ASK: 1, Effect.DENY: 2}


def falls_short(meant: Effect, answer: Effect) -> bool:
    """Whether an answer is not what a rule meant: milder than its ask or deny, or stricter than its allow; an open answer is not known to be."""
    if answer is Effect.UNKNOWN:
        return False
    if meant is Effect.ALLOW:
        return answer is not Effect.ALLOW
    return _STRICTNESS[answer] < _STRICTNESS[meant]


class Written(msgspec.Struct, frozen=True):
    """A rule that loaded, as answers name it, the file it stands in and what it means."""

    rule: str
    place: str
    effect: Effect


class AgentPolicy(Protocol):
    """Rule files as the program would hold them after loading."""

    @property
    def problems(self) -> Sequence[tuple[str, Diagnostic]]:
        """By file name: what does not load, and rules that do not do what they say, each at its line and column."""

    def written(self) -> Sequence[Written]:
        """Every rule of the files that loaded, in the program's order; what is built in is none of them."""

    def judge(self, call: Call) -> Answer:
        """What the program answers to a call; never raises for any call."""

    def slips(self, call: Call, answer: Answer | None = None) -> Sequence[Slip]:
        """The rules among `problems` that a call got past, or that left undone for it what they say; never raises.

        `answer` is what `judge` says of the call, where that is known already.
        """


class Proposal(msgspec.Struct, frozen=True):
    """A rule as the program's files are written, and a file that holds nothing else, to be loaded beside the others."""

    rule: str
    file: RuleFile


class Adapter(Protocol):
    """One program's engine. `modelled` is the version whose behaviour is modelled."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def layers(self) -> tuple[str, ...]:
        """The program's layers of files, first the one a file given without a layer belongs to."""

    @property
    def modelled(self) -> str: ...

    @property
    def reads(self) -> tuple[tuple[str, str], ...]:
        """The files it reads below a folder: a pattern of the name, and the layer such a file has whatever was stated, or ""."""

    def proposed(self, command: str) -> Proposal | None:
        """The rule that would let a shell command of one part run unasked, whatever follows its words; None where there is none."""

    @property
    def ways(self) -> tuple[str, ...]:
        """Ways of judging that the program has beside its usual one, the usual one first; () where it has one."""

    def load(self, files: Sequence[RuleFile], mode: str = "") -> AgentPolicy:
        """The policy that these files make together, in the program's own order; bad files are problems, not exceptions."""
