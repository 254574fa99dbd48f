"""A Claude Code transcript of any size, drawn from one seed: prompts, calls, results of mixed size, sub-agents, many sessions.

Sizes follow real transcripts: about 1 kB for a call, results from some hundred bytes to 60 kB that stand in the record
twice (as the model saw them and as the tool gave them), one result in two hundred with a token in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import msgspec

from samplegen.claude_session import ClaudeSession
from samplegen.ids import Ids
from samplegen.moments import DAY, MINUTE, moment
from samplegen.records import Bundle
from samplegen.scene import Noise, Scene
from samplegen.world import REPOS, person

PEOPLE = ("mara", "tomas", "jun", "petra", "noor", "elin")
START = moment("2026-03-02T08:00:00")
_WORDS = re.findall(
    r"\w+",
    """limit quay berth manifest retry queue parse booking tariff window client batch token_bucket schedule ferry route deck cargo
    handler request response session cursor payload serialize index offset shard replica metrics alert probe timeout""",
)


_SESSION = re.compile(rb'"sessionId":"[^"]*"')


def write_transcript(path: Path, size: int, seed: str = "speed", start: int = START, first: int = 0, session: str = "") -> int:
    """Write sessions until the file has at least `size` bytes; the number of records written.

    Tickets and pull requests are numbered by session, the first of them as the session of that number in a file of its own.
    With a `session` all of them are this one.
    """
    made = 0
    with path.open("wb") as out:
        number = 0
        while out.tell() < size:
            lines = _session(f"{seed} {number}", number, start, first + number)
            if session:
                lines = [_SESSION.sub(f'"sessionId":"{session}"'.encode(), line) for line in lines]
            out.write(b"".join(lines))
            made += len(lines)
            number += 1
    return made


def _session(seed: str, number: int, start: int, serial: int) -> list[bytes]:
    """One session with its sub-agents' records behind it, as lines."""
    ids = Ids(seed)
    dice = ids.random
    bundle = Bundle("speed", start)
    scene = Scene(ids, Noise(), bundle, 0, serial)
    who = person(PEOPLE[number % len(PEOPLE)], 0)
    repo = tuple(REPOS.values())[number % len(REPOS)]
    at = start + number * 7 * MINUTE + number % 5 * DAY
    session = ClaudeSession(scene, who, repo, at, f"hl/work-{number}")
    session.open(f"{scene.ticket()}: fix {dice.choice(repo.things)} in {repo.name}. {_prose(dice, 30)}", "acceptEdits")
    for _ in range(dice.randrange(2, 7)):
        for _ in range(dice.randrange(4, 20)):
            _step(session, dice, ids)
        session.prompt(_prose(dice, dice.randrange(5, 60)))
    session.finish(_prose(dice, 40))
    return [msgspec.json.encode(record.data) + b"\n" for one in bundle.transcripts for record in one.records]


def _step(session: ClaudeSession, dice: Random, ids: Ids) -> None:
    file = f"src/{dice.choice(_WORDS)}/{dice.choice(_WORDS)}.py"
    kind = dice.random()
    if kind < 0.35:
        session.say(_prose(dice, dice.randrange(8, 80)))
    elif kind < 0.60:
        session.run(_command(dice, file), _output(dice, ids), seconds=dice.uniform(0.7, 20), ok=dice.random() > 0.06)
    elif kind < 0.78:
        session.read(file, _output(dice, ids))
    elif kind < 0.88:
        session.edit(file, _line(dice), _line(dice))
    elif kind < 0.93:
        session.grep(dice.choice(_WORDS), _output(dice, ids))
    elif kind < 0.97:
        session.write(file, _output(dice, ids))
    elif kind < 0.99:
        session.mcp("tickets", "get_ticket", {"id": session.scene.ticket()}, _prose(dice, 60))
    else:
        session.spawn("Explore", "look around", _prose(dice, 40), lambda child: _explore(child, dice, ids))


def _explore(child: ClaudeSession, dice: Random, ids: Ids) -> str:
    for _ in range(dice.randrange(2, 8)):
        child.read(f"src/{dice.choice(_WORDS)}.py", _output(dice, ids))
        child.run(_command(dice, "src"), _output(dice, ids))
    return _prose(dice, 50)


def _command(dice: Random, file: str) -> str:
    word = dice.choice(_WORDS)
    return dice.choice(
        (
            f"git status && git diff --stat {file}",
            f"cd src && python -m pytest tests/test_{word}.py -k {dice.choice(_WORDS)} -x 2>&1 | tail -40",
            f"rg -n '{word}' {file} | head -50",
            f"git add -A && git commit -m 'Adjust {word} {dice.randrange(1000)}'",
            f"git push origin HEAD:refs/heads/hl/{word}-{dice.randrange(400)}",
            f"npm install {word}-{dice.choice(_WORDS)}@{dice.randrange(9)}.{dice.randrange(20)}.0",
            f"curl -sS https://api.harbourlane.example/v1/{word}?page={dice.randrange(90)} | jq '.items[] | .id'",
            f"find . -name '*{word}*' -not -path './node_modules/*' | xargs wc -l | sort -n",
            "make test",
            "ls -la",
        )
    )


def _output(dice: Random, ids: Ids) -> str:
    """A few lines mostly, now and then a very long listing."""
    lines = min(900, max(1, round(dice.lognormvariate(2.9, 1.4))))
    made = [_line(dice) for _ in range(min(lines, 120))]
    text = "\n".join(made * (1 + lines // 120))
    if dice.random() < 0.005:
        text += f"\nexport GITHUB_TOKEN={ids.app_token()}"
    return text


def _line(dice: Random) -> str:
    a, b, c = dice.choices(_WORDS, k=3)
    return f'    {a}.{b}({c}={dice.randrange(10_000)}, name="{b}-{a}")  # {c} {a}'


def _prose(dice: Random, words: int) -> str:
    return " ".join(dice.choices(_WORDS, k=words)) + "."
