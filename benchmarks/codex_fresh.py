"""Fresh rule files and commands, put to the model and to the installed `codex execpolicy check`: `make oracles ARGS=--fresh`.

Nothing here is from a table: files and commands are made up from a seed that is printed. Every command is put to every file.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.oracle_tables.codex import printed
from policy.agents.base import RuleFile
from policy.agents.codex import ADAPTER, CodexPolicy

_PROGRAMS = ("git", "npm", "rm", "ls", "bash", "/usr/bin/git", "./git", "../bin/x", "kubectl", "python3", "C:\\git.exe", "gît")
_WORDS = (
    "push", "log", "run", "build", "-f", "--force", "-lc", "git push", "--", "x=1", "a b", "", "*", "$HOME", "'", '"', "\\", "\n", "/",
    "status", "origin", "main", "-rf", ".", "é", "🎉",
)  # fmt: skip
_DECISIONS = ("allow", "prompt", "forbidden")
_TIMEOUT = 60


class Pair(NamedTuple):
    """One command and one rule file: what the program printed and what the model says it prints."""

    rules: str
    argv: list[str]
    resolve: bool
    program: object
    model: object


def program() -> str | None:
    """Where `codex` is installed, None where it is not."""
    return shutil.which("codex")


def rules_text(chance: random.Random) -> str:
    """One file of rules: mostly plain ones, some with alternatives, examples, listed programs or names, some that do not load."""
    lines: list[str] = []
    if chance.random() < 0.3:
        name = chance.choice(["git", "npm"])
        paths = chance.sample([f"/usr/bin/{name}", f"/opt/{name}", f"/usr/local/bin/{name}"], chance.randint(0, 2))
        paths += ["/usr/bin/other"] if chance.random() < 0.05 else []
        lines.append(f"host_executable(name={json.dumps(name)}, paths={json.dumps(paths)})")
    if chance.random() < 0.2:
        lines.append('tools = ["git", "npm"]')
        lines.append("def both(verb):\n    for tool in tools:\n        prefix_rule(pattern=[tool, verb], decision='prompt')")
        lines.append(f"both({json.dumps(chance.choice(_WORDS[:5]))})")
    lines += [_rule(chance) for _ in range(chance.randint(1, 6))]
    if chance.random() < 0.1:
        lines.append(
            chance.choice(["prefix_rule(pattern=[])", 'prefix_rule(["a"], match=["b"])', "x = (", "y = z", "load('x', 'y')"])
        )
    return "\n".join(lines) + "\n"


def _rule(chance: random.Random) -> str:
    words: list[object] = [chance.sample(_PROGRAMS, 2) if chance.random() < 0.2 else chance.choice(_PROGRAMS)]
    words += [
        chance.sample(_WORDS, chance.randint(1, 3)) if chance.random() < 0.25 else chance.choice(_WORDS)
        for _ in range(chance.randint(0, 3))
    ]
    told = [f"pattern={json.dumps(words, ensure_ascii=False)}"]
    if chance.random() < 0.8:
        told.append(f"decision={json.dumps(chance.choice(_DECISIONS))}")
    if chance.random() < 0.2:
        told.append(f"justification={json.dumps('' if chance.random() < 0.03 else 'because')}")
    if chance.random() < 0.2:
        example = [word[0] if isinstance(word, list) else word for word in words]
        kind = "not_match" if chance.random() < 0.1 else "match"
        told.append(f"{kind}={json.dumps([[*example, 'more']], ensure_ascii=False)}")
    return f"prefix_rule({', '.join(told)})"


def command(chance: random.Random, rules: str = "") -> list[str]:
    """The words of one command; half of them begin as a rule of a file does, if one is given."""
    patterns = list(_patterns(rules))
    if patterns and chance.random() < 0.5:
        words = [chance.choice(word) if isinstance(word, list) else word for word in chance.choice(patterns)]
        return [
            *words[: chance.choice([len(words), len(words), max(1, len(words) - 1)])],
            *chance.sample(_WORDS, chance.randint(0, 2)),
        ]
    return [chance.choice(_PROGRAMS), *(chance.choice(_WORDS) for _ in range(chance.randint(0, 4)))]


def _patterns(rules: str) -> Iterator[list[Any]]:
    """The patterns of a file that are written out."""
    for after in rules.split("pattern=")[1:]:
        try:
            yield json.JSONDecoder().raw_decode(after)[0]
        except ValueError:
            continue


def pairs(codex: str, seed: int, commands: int, files: int) -> Iterator[Pair]:
    """Every pair of `commands` commands and `files` files, the program run as often on as many threads as there are cores."""
    chance = random.Random(seed)
    texts = [rules_text(chance) for _ in range(files)]
    made = [(command(chance, chance.choice(texts)), chance.random() < 0.5) for _ in range(commands)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, text in enumerate(texts):
            path = Path(folder, f"{number}.rules")
            path.write_text(text, "utf-8")
            held = ADAPTER.load([RuleFile("user", path.name, text)], mode="check")
            asked = [(codex, path, argv, resolve) for argv, resolve in made]
            for (argv, resolve), told in zip(made, pool.map(lambda one: checked(*one), asked), strict=True):
                yield Pair(text, argv, resolve, told, modelled(held, argv, resolve=resolve, cwd=folder))


def checked(codex: str, path: Path, argv: list[str], resolve: bool) -> tuple[str | None, Any]:
    """What the program prints: the decision and the matches, (None, None) where it ends with an error."""
    flags = ["--resolve-host-executables"] if resolve else []
    done = subprocess.run(
        [codex, "execpolicy", "check", "--rules", str(path), *flags, "--", *argv],
        capture_output=True, text=True, cwd=path.parent, check=False, timeout=_TIMEOUT,
    )  # fmt: skip
    if done.returncode != 0:
        return None, None
    told = json.loads(done.stdout)
    return told.get("decision"), told["matchedRules"]


def modelled(held: CodexPolicy, argv: list[str], *, resolve: bool, cwd: str) -> tuple[str | None, Any]:
    return printed(held, argv, resolve=resolve, cwd=cwd)


def compare(seed: int, commands: int, files: int, shown: int) -> int:
    """Print how many pairs agree and the first that do not; the number that do not."""
    codex = program()
    if codex is None:
        print("codex: not installed here, so nothing fresh is compared; the tables of its answers above stand alone")
        return 0
    wrong = total = 0
    for pair in pairs(codex, seed, commands, files):
        total += 1
        if pair.program == pair.model:
            continue
        wrong += 1
        if wrong <= shown:
            print(f"  disagrees on {json.dumps(pair.argv)}{' resolved' if pair.resolve else ''} under\n{pair.rules}")
            print(f"    program {json.dumps(pair.program)}\n    model   {json.dumps(pair.model)}")
    print(f"codex: {total - wrong} of {total} fresh pairs agree ({commands} commands, {files} rule files, seed {seed})")
    return wrong
