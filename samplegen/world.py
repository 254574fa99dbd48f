"""Harbour Lane, an invented ferry company: its people, repositories, accounts and rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DOMAIN = "harbourlane.example"
ORG = "harbour-lane"
ORG_ID = 71840265
BUSINESS = "harbour-lane-group"
BUSINESS_ID = 40817
DAY = "2026-03-17T00:00:00"
REGION = "eu-north-1"
STAGING = "418205937716"
PRODUCTION = "905613482077"
REGISTRY = f"packages.{DOMAIN}"
BUNDLE_REVISION = "agents-2026.03.16-4f1c2a9e"
ELSEWHERE = "203.0.113.77"

AgentName = Literal["claude-code", "codex"]


@dataclass(frozen=True, slots=True)
class Person:
    """A developer and the machine their agent runs on; `guarded` machines ask the policy engine before every tool call."""

    name: str
    login: str
    host: str
    address: str
    agent: AgentName
    version: str
    guarded: bool
    github_id: int

    @property
    def email(self) -> str:
        return f"{self.name}@{DOMAIN}"

    @property
    def home(self) -> str:
        return f"/home/{self.name.partition('.')[0]}"


PEOPLE: dict[str, Person] = {
    p.name.partition(".")[0]: p
    for p in (
        Person("mara.lindqvist", "mlindqvist-hl", "hl-lt-0142", "198.51.100.12", "claude-code", "2.1.42", True, 62014817),
        Person("tomas.reyes", "treyes-hl", "hl-lt-0157", "198.51.100.27", "claude-code", "2.1.42", True, 62014902),
        Person("ines.okafor", "iokafor-hl", "hl-lt-0163", "198.51.100.33", "codex", "0.104.0", True, 62015113),
        Person("jun.watanabe", "jwatanabe-hl", "hl-lt-0171", "198.51.100.41", "claude-code", "2.1.39", True, 62015240),
        Person("petra.novak", "pnovak-hl", "hl-ws-0021", "198.51.100.58", "claude-code", "2.1.42", True, 62015377),
        Person("samir.haddad", "shaddad-hl", "hl-lt-0180", "198.51.100.64", "codex", "0.104.0", True, 62015519),
        Person("noor.ellis", "nellis-hl", "hl-lt-0188", "198.51.100.72", "claude-code", "2.1.42", True, 62015604),
        Person("elin.berg", "eberg-hl", "hl-ct-0007", "198.51.100.90", "claude-code", "2.1.32", False, 62015788),
        Person("oskar.vale", "ovale-hl", "hl-ct-0009", "198.51.100.95", "codex", "0.104.0", False, 62015801),
    )
}


def person(key: str, lane: int) -> Person:
    """The person of that short name; every lane of a scaled-up history has people of its own."""
    p = PEOPLE[key]
    if not lane:
        return p
    return Person(
        f"{p.name}.{lane}", f"{p.login}{lane}", f"{p.host}-{lane}", p.address, p.agent, p.version, p.guarded, p.github_id + lane
    )


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository; `things` are words its tasks are about, `module` a source file of it."""

    name: str
    owner: str
    system: str
    number: int
    module: str
    test: str
    run_tests: str
    things: tuple[str, ...]

    @property
    def slug(self) -> str:
        return f"{ORG}/{self.name}"


REPOS: dict[str, Repo] = {
    r.name: r
    for r in (
        Repo(
            "quay-api",
            "team-quay",
            "quay",
            801442,
            "src/quay/bookings.py",
            "tests/test_bookings.py",
            "pytest -q",
            ("booking holds", "late check-in", "vehicle length bands", "seat release"),
        ),
        Repo(
            "quay-web",
            "team-quay",
            "quay",
            801443,
            "src/pages/Timetable.tsx",
            "src/pages/Timetable.test.tsx",
            "npm test",
            ("timetable filter", "language switch", "fare summary", "gate notice"),
        ),
        Repo(
            "ledger-core",
            "team-ledger",
            "ledger",
            801517,
            "internal/post/entry.go",
            "internal/post/entry_test.go",
            "go test ./...",
            ("rounding of refunds", "journal cut-off", "currency table", "posting retries"),
        ),
        Repo(
            "ledger-reports",
            "team-ledger",
            "ledger",
            801518,
            "reports/monthly.py",
            "tests/test_monthly.py",
            "pytest -q",
            ("monthly totals", "tax columns", "export order", "empty periods"),
        ),
        Repo(
            "berth-planner",
            "team-berth",
            "berth",
            801633,
            "planner/slots.py",
            "tests/test_slots.py",
            "pytest -q",
            ("tide margins", "slot overlap", "pilot roster", "berth swaps"),
        ),
        Repo(
            "infra-live",
            "team-platform",
            "platform",
            801720,
            "modules/queue/main.tf",
            "modules/queue/main.tftest.hcl",
            "terraform test",
            ("queue alarms", "log retention", "subnet tags", "backup window"),
        ),
        Repo(
            "docs-site",
            "team-docs",
            "docs",
            801804,
            "docs/boarding.md",
            "scripts/check_links.py",
            "python scripts/check_links.py",
            ("boarding guide", "contact page", "glossary", "winter schedule note"),
        ),
    )
}
