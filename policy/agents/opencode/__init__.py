"""opencode's permission rules: flattened in order, last match wins, every sub-command of a script asked about by itself.

Modelled on the version that `ADAPTER.modelled` names: its published source where it is clear and its own answers
everywhere. A rule is (permission, pattern, action), both compared with `*` and `?` over the whole text; a pattern that ends
in ` *` also matches without it. `Call.facts` may hold `identical_calls_before`, how many equal calls came right before.
"""

from __future__ import annotations

from policy.agents.opencode.policy import Opencode, OpencodePolicy

__all__ = ["ADAPTER", "Opencode", "OpencodePolicy"]

ADAPTER = Opencode()
