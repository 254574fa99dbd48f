"""Rules proposed from what was done and how it was judged: least privilege for good work, a catch for harm, grants for standing keys.

Pure functions; nothing here is put in force by itself.
"""

from __future__ import annotations

from policy.mining.grants import Grant, grants
from policy.mining.propose import Mined, Refused, catch, from_denials, from_verdicts
from policy.mining.space import HARM, Counted, Judged, Proposal, Space
from policy.mining.text import grant_text, proposal_text, rules_text

__all__ = [
    "HARM",
    "Counted",
    "Grant",
    "Judged",
    "Mined",
    "Proposal",
    "Refused",
    "Space",
    "catch",
    "from_denials",
    "from_verdicts",
    "grant_text",
    "grants",
    "proposal_text",
    "rules_text",
]
