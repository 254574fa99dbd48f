"""What OpenHands says its models cost: sums since the beginning, in runs, in events and in the state of a conversation."""

from __future__ import annotations

from importers.shared.fields import Json, mapping
from importers.shared.recent import remember
from importers.shared.usage import cost_of, tokens_of

_LIMIT = 10_000
"""Uses of a model whose last sums are remembered."""


def sums(metrics: Json) -> tuple[int, float]:
    """Tokens and money up to now; input holds what came from the cache and what was written to it."""
    usage = mapping(metrics.get("accumulated_token_usage"))
    tokens = tokens_of({**usage, "cached": usage.get("cache_read_tokens")})
    return tokens, cost_of(metrics.get("accumulated_cost"))


def of_state(event: Json) -> dict[str, Json]:
    """By what a model is used for, the sums that an update of a conversation's state holds."""
    value = mapping(event.get("value"))
    stats = value if event.get("key") == "stats" else mapping(value.get("stats"))
    return {name: mapping(one) for name, one in list(mapping(stats.get("usage_to_metrics")).items())[:100]}


class Spending:
    """What came to such sums since they were last told."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, float]] = {}

    def since(self, metrics: Json, use: str = "") -> tuple[int, float]:
        now, before = sums(metrics), self._before.get(use, (0, 0.0))
        if not any(now):
            return 0, 0.0
        remember(self._before, use, now, _LIMIT)
        # Sums that fell are those of another conversation, begun elsewhere.
        return (now[0] - before[0], now[1] - before[1]) if now[0] >= before[0] and now[1] >= before[1] else (0, 0.0)
