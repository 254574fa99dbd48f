"""GitHub Copilot CLI: what its options, settings and saved approvals let through, refuse or ask about.

Modelled on its published documentation and help texts of the version that `ADAPTER.modelled` names, and on measurements
published of it; no truth table of the program was at hand. Where these say nothing, the answer is *cannot judge*.
A file is a command line with options (`--allow-tool`, `--deny-tool` ...), `settings.json` or `config.json`, or
`permissions-config.json`. `Call.facts` may hold `identifiers`, the program's own names of a command's parts as its log has
them (`[{"identifier", "readOnly"}]`).
"""

from __future__ import annotations

from policy.agents.copilot_cli.policy import CopilotCli, CopilotPolicy

__all__ = ["ADAPTER", "CopilotCli", "CopilotPolicy"]

ADAPTER = CopilotCli()
