"""What a program printed of what it reached: the repository a push went to, the package that was published, the run that was begun elsewhere.

A command seldom says so itself: `git push origin main` names a remote, `npm publish` nothing at all.
"""

from __future__ import annotations

import re
from itertools import islice

from lang.late import late
from lang.names import repository_name
from model.event import Event
from model.words import EventKind, Phase, Vantage, Verb

_REMOTE = late(r"(To|From) (\S{3,300})")
_PUBLISHED = late(r"^\+ (@?[\w./-]{1,200})@\d[\w.+-]{0,60}$", re.MULTILINE)
_UPLOADED = late(
    r"^ *(?:- )?Uploading ([A-Za-z0-9][\w.]{0,200}?)-\d[\w.!+]{0,60}?(?:-[\w.-]{1,80}\.whl|\.tar\.gz)\b", re.MULTILINE
)
_CRATE = late(r"^ *Uploading ([\w-]{1,200}) v\d", re.MULTILINE)
_IMAGE = late(r"^The push refers to repository \[(?:[\w-]+[.:][\w.:-]+/)?([\w./-]{1,200})\]$", re.MULTILINE)
_LOOSE = late(r"[-_.]+")
_INSTALLED = late(r"^(?:added|updated|changed|removed) \d+ package", re.MULTILINE)
_MARKS = (" -> ", "+ ", "Uploading ", "The push refers", "Preparing the remote ")
_MOST = 5
_REFS = 20
"""So many lines behind its address git may name refs in; one is enough."""


def printed_values(event: Event) -> tuple[str, ...]:
    """`verb|target` of what an agent's call printed that it did elsewhere, sorted; nothing for other events."""
    output = event.attrs.get("output")
    if event.kind is not EventKind.ACTION or event.phase is not Phase.RESULT or event.vantage is not Vantage.AGENT:
        return ()
    if not isinstance(output, str) or not any(mark in output for mark in _MARKS):
        return ()
    begun = (f"{Verb.CI_RUN.value}|terraform/run/{key.value}" for key in event.keys if key.kind == "terraform.run")
    return tuple(sorted({*_remotes(output.splitlines()), *_packages(output), *begun}))


def _remotes(lines: list[str]) -> list[str]:
    """The repositories git says it pushed to or fetched from: an address and below it what became of the refs."""
    found: list[str] = []
    for number, line in enumerate(lines):
        if len(found) == _MOST:
            break
        told = _REMOTE.fullmatch(line)
        if told and any(_reached(ref) for ref in islice(lines, number + 1, number + 1 + _REFS)):
            verb = Verb.REPO_WRITE if told.group(1) == "To" else Verb.REPO_READ
            found += [f"{verb.value}|{name}" for name in (repository_name(told.group(2)),) if name]
    return found


def _reached(ref: str) -> bool:
    """Whether what became of one ref was for the other side to do: git itself turns down what would lose commits, and sends no ref
    that is there already.
    """
    return ref[:1] == " " and " -> " in ref and not ref.startswith((" ! [rejected]", " = [up to date]"))


def _packages(output: str) -> list[str]:
    """The packages npm, twine, poetry, cargo or docker say they sent; npm's older versions print the same of what they installed,
    and how many that were.
    """
    names = [] if _INSTALLED.search(output) else _PUBLISHED.findall(output)[:_MOST]
    # PyPI takes these signs for one another in a project's name.
    names += [_LOOSE.sub("-", name) for name in _UPLOADED.findall(output)[:_MOST]]
    names += _CRATE.findall(output)[:_MOST] + _IMAGE.findall(output)[:_MOST]
    return [f"{Verb.PACKAGE_PUBLISH.value}|{name.casefold()}" for name in names]
