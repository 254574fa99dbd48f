"""What a Claude Code tool result says about permission: who let the call run, or why it did not."""

from __future__ import annotations

from typing import NamedTuple

from importers.shared.agents import DECIDERS, field
from importers.shared.fields import Json, mapping
from lang.late import late
from model.words import Effect


class Answer(NamedTuple):
    """`refused` is "" where the call ran; `effect` UNKNOWN where the record proves no decision; `by` who decided, where it is stated."""

    refused: str = ""
    effect: Effect = Effect.UNKNOWN
    rule: str = ""
    reason: str = ""
    by: str = ""

    @property
    def decider(self) -> str:
        """Who decided, "" for the program itself; where a rule is named, a hook only led to it."""
        return self.by or (self.refused if self.refused == "user" or (self.refused in DECIDERS and not self.rule) else "")


_RAN = Answer()
_ASKED = "asked for approval; nobody answered"

# How refusals begin in versions that say it in the result's text alone. A command's own output cannot come first there:
# the program puts these words in its place.
_TEXTS: tuple[tuple[str, str, Effect], ...] = (
    ("The user doesn't want to proceed with this tool use.", "user", Effect.DENY),
    ("The user doesn't want to take this action right now.", "user", Effect.DENY),
    ("Permission for this tool use was denied. It requires approval, and ", "rule", Effect.ASK),
    ("Permission for this tool use was denied: it requires interactive approval", "rule", Effect.ASK),
    ("Permission for this tool use was denied.", "user", Effect.DENY),
    ("Permission for this action has been denied.", "rule", Effect.DENY),
    ("Permission for this action was denied ", "rule", Effect.DENY),
    ("The agent proposed a plan that was rejected by the user.", "user", Effect.DENY),
    ("[Request interrupted by user", "interrupted", Effect.UNKNOWN),
    ("Cancelled: parallel tool call ", "interrupted", Effect.UNKNOWN),
    ("Auto mode could not evaluate this action and is blocking it for safety", "rule", Effect.ASK),
    ("Claude requested permissions to ", "rule", Effect.ASK),
    ("This command requires approval", "rule", Effect.ASK),
    ("This Bash command contains multiple operations. The following part", "rule", Effect.ASK),
    ("Exit plan mode?", "rule", Effect.ASK),
    ("Tool permission request failed: ", "rule", Effect.ASK),
)
# What the program asks a person about a command or a path; it stands as the result where nobody was there to be asked.
_QUESTION = late(
    r".{1,300} was blocked\. For security, Claude Code may only |.{1,300} needs approval\. |Command contains .{1,200} (?:which|that) could "
    r"|Contains (?:[a-z]+_)?(?:expansion|substitution)$|.{0,80}shell syntax \(\w{1,40}\) that cannot be statically analyzed"
    r"|Multiple directory changes in one command require approval|Permission rule .{1,200} requires (?:confirmation|approval)"
    r"|(?:Compound commands? |Commands that change directories ).{1,200} (?:require approval|manual approval|requires approval)"
)
_UNREVIEWED = " so auto mode cannot determine the safety of "
_NO_SKILL = "Skill execution blocked by permission rules"
_APPROVED = ("User has approved your plan", "User has approved exiting plan mode")
_VIOLATIONS = ("<sandbox_violations>", "</sandbox_violations>")


def answer_of(record: Json, said: str, failed: bool) -> Answer:
    """Read the answer from `permissionDecision`, else `toolDenialKind`, else from how the text begins."""
    decided = record.get("permissionDecision")
    if isinstance(decided, dict):
        source = field(decided, "source")
        by = "user" if source.startswith("user") else source if source == "hook" else ""
        return _decided(decided, field(record, "toolDenialKind"), said)._replace(by=by)
    denial = field(record, "toolDenialKind")
    if not failed and not denial:
        # A plan's own result alone has the plan beside it.
        approved = said.startswith(_APPROVED) and "plan" in mapping(record.get("toolUseResult"))
        return Answer("", Effect.ALLOW, "", said.partition(". ")[0][:200], "user") if approved else _RAN
    found = _told(said)
    if not denial:
        return found
    if denial == "permission-rule":
        return found if found.refused in ("rule", "hook") else Answer("rule", Effect.DENY, denial, said)
    if denial == "user-rejected":
        # The same mark stands on asks that nobody answered: only the program's own words prove a person's no.
        return found if found.refused else Answer("rule", Effect.ASK, denial, _ASKED)
    if denial == "interrupted":
        return found if found.refused else Answer("interrupted", Effect.UNKNOWN, denial, said)
    if "unavailable" in denial:
        # The automatic reviewer was not there to answer, and nobody else was asked.
        return Answer("rule", Effect.ASK, denial, _ASKED)
    if "hook" in denial:
        return Answer("hook", Effect.DENY, denial, said)
    return found if found.refused else Answer("rule", Effect.DENY, denial, said)


def _decided(decided: Json, denial: str, said: str) -> Answer:
    source, code = field(decided, "source"), field(decided, "reasonCode")
    rule = " ".join(part for part in (field(decided, "reasonType"), field(decided, "ruleSource") or code) if part)
    reason = " ".join(part for part in (source, field(decided, "grantScope")) if part)
    if field(decided, "decision") == "accept":
        return Answer("", Effect.ALLOW, rule, reason)
    if field(decided, "decision") != "reject":
        return _told(said)
    if source == "user_abort":
        return Answer("interrupted", Effect.DENY, rule, reason)
    if source.startswith("user"):
        return Answer("user", Effect.DENY, rule, reason)
    by = "hook" if source == "hook" or code.startswith("hook:") else "rule"
    if denial == "user-rejected" and not code.startswith("mode:"):
        return Answer(by, Effect.ASK, rule, _ASKED)
    return Answer(by, Effect.DENY, rule, reason)


def _told(said: str) -> Answer:
    begin = said[:400].removeprefix("<tool_use_error>").removeprefix("Error: ")
    for words, refused, effect in _TEXTS:
        if begin.startswith(words):
            reason = _ASKED if effect is Effect.ASK else begin.partition(". ")[0]
            return Answer(refused, effect, "", reason)
    line = begin.partition("\n")[0]
    if line.startswith("Permission to ") and "has been auto-denied (prompts unavailable)" in line:
        return Answer("rule", Effect.ASK, "", _ASKED)
    if line.startswith("Permission to ") and ("has been denied" in line or "has been auto-denied" in line):
        return Answer("rule", Effect.DENY, "", line)
    if _UNREVIEWED in line or _QUESTION.match(line):
        return Answer("rule", Effect.ASK, "", _ASKED)
    if line.startswith("Hook ") and " denied this tool" in line[:120]:
        return Answer("hook", Effect.DENY, "", line)
    if (line.startswith("Agent type '") and "' has been denied by permission rule '" in line) or line.startswith(_NO_SKILL):
        return Answer("rule", Effect.DENY, "", line)
    if line.endswith("is denied by your permission settings.") or "that is denied by your permission settings" in line:
        return Answer("rule", Effect.DENY, "", line)
    if line.startswith(("WebFetch denied access to ", "Cannot write to ")) and ("domain:" in line or "in plan mode" in line):
        return Answer("rule", Effect.DENY, "", line)
    if line.startswith("PreToolUse hook ") or " hook error:" in line[:80] or " operation blocked by hook" in line[:80]:
        return Answer("hook", Effect.DENY, "", line)
    return _RAN


def sandboxed(said: str) -> str:
    """What the sandbox refused to a command, which the program writes behind its output; "" where it says nothing of that."""
    begin, end = _VIOLATIONS
    if not said.rstrip().endswith(end):
        return ""
    return said.rpartition(begin)[2].partition(end)[0].strip().partition("\n")[0]


def words_with_refusal(record: Json, said: str) -> str:
    """What the person wrote while refusing: the next thing they want done."""
    if feedback := field(record, "userFeedback"):
        return feedback
    _, marked, words = said.partition("the user said:\n")
    if marked and said.startswith("The user doesn't want to proceed"):
        return words.strip()
    decided = mapping(record.get("permissionDecision"))
    if record.get("holdsPersonsWords") is True and field(decided, "source").startswith("user"):
        return said
    return ""
