"""Codex itself as a second opinion on its rule files: `codex execpolicy check` asked about one command after the other.

The check takes the words of a command as they are; it says nothing of approval policy, sandbox or scripts, which the
running program adds. Its output is JSON: `{"matchedRules": [...], "decision": "allow|prompt|forbidden"}`, the decision
left out where no rule matches.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence

from policy.agents.codex import CodexPolicy
from policy.google_cel import NoReferee
from policy.referee import LISTED, Disagreement, Judgement

Argv = tuple[str, ...]
HOW_TO_GET = "codex is not installed here; the check needs the program itself on the PATH (npm install -g @openai/codex)"
_PATIENCE = 30.0
"""Seconds one check may take."""
_WORDS = frozenset(("allow", "prompt", "forbidden"))
_LONGEST = 100_000
"""Bytes of one command line that is handed over."""


class CodexCheck:
    """The installed program over some rule files, by path; raises NoReferee where it is not there."""

    def __init__(self, files: Sequence[str], program: str = "codex") -> None:
        found = shutil.which(program)
        if found is None:
            raise NoReferee(HOW_TO_GET)
        self._begin = [found, "execpolicy", "check", *(word for file in files for word in ("--rules", file))]
        self._program = found

    def version(self) -> str:
        """What the program calls itself."""
        return self._run([self._program, "--version"]).strip().partition("\n")[0] or "codex"

    def decision(self, argv: Argv) -> str:
        """`allow`, `prompt`, `forbidden`, or "" where no rule matches; raises NoReferee with its words where it fails."""
        told = self._run([*self._begin, *argv])
        try:
            answer = json.loads(told)
            word = answer.get("decision") or ""
        except (ValueError, AttributeError):
            raise NoReferee(f"codex answered with something else than JSON: {told[:200]!r}") from None
        if word and word not in _WORDS:
            raise NoReferee(f"codex answered with a decision that is not known: {word!r}")
        return str(word)

    @staticmethod
    def _run(command: list[str]) -> str:
        try:
            done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=False)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise NoReferee(f"codex could not be asked: {error}") from None
        if done.returncode:
            words = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise NoReferee(f"codex ended with {done.returncode}: {words[:300]}")
        return done.stdout.decode("utf-8", "replace")


def referee(
    policy: CodexPolicy, program: CodexCheck, commands: Iterable[tuple[Argv, int]], told: Callable[[int], None] | None = None
) -> Judgement:
    """The program against our model over distinct commands, each with the number of calls that made it.

    `policy` is loaded in `check` mode from the same files. `told` hears how many are done and may raise to end the work.
    """
    agree = of = bad = out = 0
    notes: dict[str, None] = {}
    listed: list[Disagreement] = []
    for number, (argv, calls) in enumerate(commands):
        if told is not None:
            told(number)
        of += 1
        if not argv or any("\x00" in word for word in argv) or sum(map(len, argv)) > _LONGEST or argv[0].startswith("-"):
            out += 1
            notes["commands that a command line cannot carry are not compared"] = None
            continue
        ours, theirs = policy.check(argv)[0], program.decision(argv)
        if ours == theirs:
            agree += 1
            continue
        bad += 1
        if len(listed) < LISTED:
            request = {"argv": list(argv)}
            listed.append(Disagreement("", "", ours or "no rule", theirs or "no rule", request, 1, calls, "", ""))
    return Judgement(f"{program.version()} (execpolicy check)", agree, of, bad, out, 0, of, listed, list(notes), "command")
