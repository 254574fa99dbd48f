"""What a reader remembers stays bounded, and it is the latest that stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from importers.shared.recent import remember


@given(st.lists(st.integers(0, 30)), st.integers(1, 12))
def test_the_latest_half_is_always_held(keys: list[int], most: int) -> None:
    held: dict[int, int] = {}
    for at, key in enumerate(keys):
        remember(held, key, at, most)
        assert len(held) <= most and held[key] == at
    if len(set(keys)) == len(keys):
        latest = keys[-max(1, most // 2) :]
        assert [key for key in held if key in latest] == latest
