"""What models cost: tokens and money as agents' own logs state them, under one meaning for all of them.

Tokens are those read anew and those written; what a provider took from its cache counts nothing, for it was counted when it
was first read. Where a log states them in a record of their own, they stand with the session's next event.
"""

from __future__ import annotations

from collections.abc import Iterable

from importers.shared.fields import Json, mapping, number
from model.event import Event

Purse = dict[str, dict[str, float]]
"""By session what was spent and stands with no event yet."""

_MOST_SESSIONS = 1_000
_LARGEST = 1 << 50
_WHOLE = ("input_tokens", "inputTokens", "prompt_tokens", "promptTokenCount", "input", "inputTokenCount", "tokensIn")
_OUT = ("output_tokens", "outputTokens", "completion_tokens", "candidatesTokenCount", "output", "outputTokenCount", "tokensOut")
_CACHED = ("cached_input_tokens", "cachedContentTokenCount", "cached", "cached_tokens")
_APART = ("thoughtsTokenCount", "thoughts", "tool", "toolUsePromptTokenCount")
_WRITTEN = ("cache_creation_input_tokens", "cacheCreationInputTokens", "cacheWriteInputTokenCount", "cacheWrites", "cacheWrite")
"""Written to the cache and not part of the input: Anthropic's way of counting, and that of those who repeat it."""


def tokens_of(usage: Json) -> int:
    """Tokens of one answer, 0 where none are stated: input less what came from the cache, and output with what was thought."""
    within = mapping(usage.get("prompt_tokens_details")) or mapping(usage.get("input_tokens_details"))
    cached = _first(usage, _CACHED) or _count(within.get("cached_tokens"))
    # Who breaks the input down counts what was written to the cache within it, and repeats it beside it.
    written = 0 if "cache_creation_tokens" in within else _first(usage, _WRITTEN)
    found = max(_first(usage, _WHOLE) - cached, 0) + _first(usage, _OUT) + written
    found += sum(_count(usage.get(name)) for name in _APART)
    return found or _first(usage, ("total_tokens", "totalTokens", "totalTokenCount", "total"))


def cost_of(value: object) -> float:
    """US dollars, 0 where none are stated."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
    return float(value) if fits and isinstance(value, int | float) else 0.0


def spent(purse: Purse, session: str, tokens: int, cost: float = 0.0) -> None:
    """Keep in mind what a session spent until its next event is told."""
    if (tokens or cost) and (session in purse or len(purse) < _MOST_SESSIONS):
        held = purse.setdefault(session, {"tokens": 0, "cost_usd": 0.0})
        held["tokens"] += tokens
        held["cost_usd"] += cost


def tell_spent(purse: Purse, session: str, events: Iterable[Event]) -> None:
    """Have the first of these events say what its session spent since the last one told."""
    first = next(iter(events), None) if session in purse else None
    if first is not None:
        held = purse.pop(session)
        state(first, int(held["tokens"]), held["cost_usd"])


def state(event: Event, tokens: int, cost: float = 0.0) -> None:
    """Have an event state tokens and money; nothing where there is none of them."""
    more = ({"tokens": tokens} if tokens else {}) | ({"cost_usd": round(cost, 9)} if cost else {})
    if more:
        event.attrs = {**event.attrs, **more}


def otel_tokens(attrs: Json) -> int:
    """Tokens of a model's span: GenAI conventions in their present and earlier spellings, those of OpenInference and of the Vercel SDK."""
    for name in ("gen_ai.usage", "llm.usage", "llm.token_count", "ai.usage"):
        given = {
            end: attrs.get(f"{name}.{end}") for end in ("input_tokens", "prompt_tokens", "prompt", "promptTokens", "inputTokens")
        }
        made = {end: attrs.get(f"{name}.{end}") for end in ("output_tokens", "completion_tokens", "completion", "completionTokens",
                                                            "outputTokens")}  # fmt: skip
        cached = {end: attrs.get(f"{name}.{end}") for end in ("cached_input_tokens", "cache_read.input_tokens", "cache_read_input_tokens",
                                                              "prompt_details.cache_read", "cachedInputTokens")}  # fmt: skip
        whole, out = _first(given, tuple(given)), _first(made, tuple(made))
        if whole or out:
            return max(whole - _first(cached, tuple(cached)), 0) + out
    return 0


def _first(place: Json, names: tuple[str, ...]) -> int:
    return next((found for name in names if (found := _count(place.get(name)))), 0)


def _count(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = number(value)
    return found if found is not None and 0 < found < _LARGEST else 0
