"""Every screen of the dashboard has a command that prints the same in plain sentences, and the docs say which."""

from __future__ import annotations

import inspect
import pkgutil
import re
import shlex
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from textual.screen import Screen

import tui.screens
from review.policy.draft_formats import draft_formats
from review.sitting.desk import Desk
from review.sitting.tour import STOPS
from tests.running import ok, surroundings
from tests.tui_desk import KEY, ROOT, own_store
from tui.actions import ACTIONS
from tui.screenshots import SHOTS

PAGE = ROOT / "docs" / "listings.md"


@cache
def twins() -> dict[str, list[str]]:
    """The commands that the page names, by the name of the screen's picture, or of the page it leads to."""
    told = re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {Path(link).stem: re.findall(r"`remit ([^`]+)`", words) for link, words in told}


def modules() -> set[str]:
    """Every module of the dashboard that defines a screen of its own; what others are made from is what they have in common."""
    loaded = [import_module(f"tui.screens.{module.name}") for module in pkgutil.iter_modules(tui.screens.__path__)]
    return {
        module.__name__.rpartition(".")[2]
        for module in loaded
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, Screen) and one.__module__ == module.__name__ and not one.__subclasses__()
    }


def test_every_screen_has_a_command() -> None:
    shown = {shot.shows: shot.name for shot in SHOTS} | {"importing": "import"}
    assert {shown[module] for module in modules()} | {shot.name for shot in SHOTS} == set(twins())
    for name, commands in twins().items():
        assert commands and all(one.endswith(" --plain") for one in commands), name


def figures(desk: Desk, task: str, finding: str, credential: str) -> dict[str, list[str]]:
    """What must be read in what a screen's commands print, out of what the screen itself is drawn from."""
    whole, tasks, sources = desk.show(task), desk.tasks("", "risk").count(), desk.sources()
    step, narrow = whole["steps"][0], desk.tasks("risk:>20 seen:target", "risk").count()
    title = whole["task"]["title"]
    agents = {one["value"]: one["tasks"] for one in desk.facet("agent", "", 9)}
    return {
        "overview": [f"{tasks} tasks from {len(sources)} sources", title],
        "rows": [f"verdict {task}", "Exception 1, in force", "OPS-7"],
        "queue": [f"1. Risk {whole['task']['risk']}: {title}", f"\n{tasks}. Risk "],
        "filter": [f"\n{narrow}. Risk ", *(f"agent {name or '?'}: {count} tasks" for name, count in agents.items())],
        "views": ["waiting (built in): -verdict:*", "risky (yours): risk:>60"],
        "task": [title, f"Risk {whole['task']['risk']}", *(one["detection"] for one in whole["findings"])],
        "links": [f"Step 1 of task {task}", *(f"{one['kind']} link on {one['key']}" for one in step["links"][:1])],
        "record": [step["records"][0]["digest"], "byte "],
        "authorised": ["Authorised at", "mode default", "Perhaps live: credential"],
        "delegation": ["depth 0", f"holds aws.access_key {credential}"],
        "verdict": [f"task {task}: within-remit by", "as its ticket says"],
        "assign": [f"task {task}: ", " looks after it"],
        "accept": [f"finding {finding} accepted until 2099-01-01", "hiding 1"],
        "comments": ["said in a test"],
        "policy": [
            "requests of ",
            "Newly allowed: 0",
            "Cannot judge: ",
        ],
        "versions": ["kept version 1", "for a test"],
        "proposals": ["4 requests denied and not judged outside their remit", "not proposed: "],
        "language": [f"{one.id}: {one.title}" for one in draft_formats().values()],
        "referee": ["shapes agree with"],
        "credentials": [
            f"{len(desk.credentials())}. ",
            f"Credential {credential}: aws.access_key",
            "From issuance to first use: 15 s",
        ],
        "sources": [f"{len(sources)}. ", "= accepted ", "cloudtrail:418205937716 (target)"],
        "import": ["policy.yaml: would be skipped"],
        "imports": [*(one["name"] for one in sources[:3]), "rejected 0"],
        "report": ["owasp-asi-2026", "have a detection"],
        "controls": ["ASI02  Tool Misuse and Exploitation: observed", "10. owasp-asi-2026 ASI10"],
        "findings": ["ASI02", "BND-05", "Speaks to: "],
        "sign-off": ["I have read the coverage", "separation of duties", "unenforced"],
        "help": [f"{one.id}  " for one in ACTIONS],
        "command": ["everywhere.command  "],
        "messages": ["everywhere.messages  "],
        "jump": ["everywhere.jump  "],
        "theme": ['theme = "auto"'],
        "topics": ["Just-in-time access", "credential"],
        "tour": [stop.title for stop in STOPS],
    }


def test_each_command_shows_what_its_screen_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cel_expr_python", reason="the second engine is an extra")
    store = own_store(tmp_path / "own")
    monkeypatch.chdir(store.parent)
    with surroundings(tmp_path, REMIT_STORE=str(store), REMIT_PSEUDONYM_KEY=KEY):
        desk = Desk(str(store))
        task = desk.tasks("", "risk").page(0)
        whole = desk.show(task[0]["id"])
        ids = {
            "TASK": task[0]["id"],
            "STEP": whole["steps"][0]["id"],
            "FINDING": whole["findings"][0]["id"],
            "CREDENTIAL": next(one["id"] for one in desk.credentials() if one["kind"] == "aws.access_key"),
            "RECORD": whole["steps"][0]["records"][0]["digest"],
        }
        wanted = figures(desk, ids["TASK"], ids["FINDING"], ids["CREDENTIAL"])
        desk.close()
        ok("comment", ids["TASK"], "--text", "said in a test")
        ok("views", "save", "risky", "--filter", "risk:>60")
        ok("policy", "save", "policy.yaml", "--name", "kept", "--reason", "for a test")
        assert set(wanted) == set(twins())
        printed: dict[str, str] = {}
        # What writes comes last, and then the rows that it leaves.
        for name in sorted(twins(), key=lambda name: (name in ("verdict", "accept", "assign")) + 2 * (name == "rows")):
            for one in twins()[name]:
                if one not in printed:
                    printed[one] = ok(*(ids.get(word, word) for word in shlex.split(one))).out
            told = "\n" + "\n".join(printed[one] for one in twins()[name])
            assert not [words for words in wanted[name] if words not in told], (name, told[:2000])
            assert not re.search(r"[\u2500-\u257f]{3}", told), f"{name} draws boxes"
