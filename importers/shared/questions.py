"""What a person answered to an agent's own question, as the result of the tool that asked has it."""

from __future__ import annotations

import msgspec

from importers.shared.agents import words_of
from importers.shared.fields import mapping

_TOOLS = frozenset(
    {"ask", "ask_question", "ask_user", "ask_user_question", "askuserquestion", "question", "request_user_input", "user_input"}
)
_SAID = ("User has answered your questions: ", "User has provided the following answers:", "User selected: ", "User responded: ")
_BEHIND = ". You can now continue"


def asks(tool: str) -> bool:
    """Whether this tool puts a question to the person: nothing but its own result says what they answered."""
    return tool.lower() in _TOOLS


def answers_in(output: str) -> str:
    """The answers, a line for each where their questions are named apart; "" where the text holds none."""
    for begin in _SAID:
        if output.startswith(begin):
            return output.removeprefix(begin).partition(_BEHIND)[0].strip()
    if not output.startswith("{"):
        return ""
    try:
        told = mapping(mapping(msgspec.json.decode(output)).get("answers"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    lines = ((name, _answer(given)) for name, given in told.items())
    return "\n".join(f"{name}: {said}" for name, said in lines if said)


def _answer(given: object) -> str:
    inner: object = mapping(given).get("answers", given) if isinstance(given, dict) else given
    return ", ".join(words_of(inner).splitlines())
