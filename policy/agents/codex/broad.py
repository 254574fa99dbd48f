"""Allow rules too broad for the running program: it takes them out, and says so nowhere."""

from __future__ import annotations

from policy.agents.codex.rules import Rule
from policy.agents.codex.shell import Argv

_SHELLS = ("bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/bin/zsh")
_ALONE = (
    "Rscript bun cmd cmd.exe dash deno env fish git julia ksh lua node nodejs osascript perl php powershell powershell.exe pwsh "
    "py pypy pypy3 python python3 pythonw pyw rm ruby sudo"
)
_PAIRS = (
    "bun -e|bun run|cmd /c|cmd /k|cmd.exe /c|cmd.exe /k|dash -c|deno eval|fish -c|julia -e|ksh -c|lua -e|node -e|nodejs -e|"
    "npm run|perl -e|php -r|pnpm run|pwsh -e|pwsh -ec|pwsh -f|py -3|python -|python -c|python3 -|python3 -c|ruby -e|yarn run"
)
BROAD: frozenset[Argv] = frozenset(
    [
        *((name,) for name in (*_SHELLS, *_ALONE.split())),
        *((shell, flag) for shell in _SHELLS for flag in ("-c", "-lc")),
        *(
            (shell, flag)
            for shell in ("powershell", "powershell.exe", "pwsh")
            for flag in ("-Command", "-EncodedCommand", "-File", "-c")
        ),
        *(tuple(pair.split()) for pair in _PAIRS.split("|")),
    ]
)


def ignored(rule: Rule, prefix: Argv) -> bool:
    """Whether the running program leaves an allow rule out for the words it matched."""
    return rule.decision == "allow" and prefix in BROAD


def broad_prefixes(rule: Rule) -> list[Argv]:
    """The prefixes among a rule's alternatives for which it is left out."""
    if rule.decision != "allow" or len(rule.rest) > 1:
        return []
    every = [(rule.first, *word) for word in ([(one,) for one in rule.rest[0]] if rule.rest else [()])]
    return [prefix for prefix in every if prefix in BROAD]
