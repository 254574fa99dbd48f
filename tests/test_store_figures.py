"""Sums the database makes of what the build counted, on both databases: shares, habits, pairs, versions; nothing stale is left."""

from __future__ import annotations

from model.evidence import SourceFile
from model.figures import Sums, Tally, Version
from store import Store
from store.rows import PairRow, VersionRow
from tests.store_fixtures import make_chain, make_event, make_finding, make_record, make_step

BASE = {"decided": 1, "allowed": 1, "refused": 0, "held": 1, "bound": 1, "confirmed": 1, "burst": 2, "timed": 1, "waited": 500}


def tally(
    owner: str = "team-a", week: str = "2026-W12", tool: str = "Bash", actions: int = 2, at: int = 1_000, **more: int
) -> Tally:
    counts = BASE | {"near": 0, "far": 1} | more
    return Tally(owner, week, "exec", tool, actions, **counts, first=at, last=at + 5)


def save(store: Store, id: str, agent: str, started: int, *tallies: Tally, versions: tuple[Version, ...] = ()) -> None:
    chain = make_chain(id, [make_step(id, 0)], [f"rec-{id}"], agent=agent, repository="acme/payments", started=started)
    chain.tallies, chain.versions = tallies, versions
    store.save_chain(chain, [])


def test_shares_are_sums_by_agent_owner_and_week(store: Store) -> None:
    save(store, "task-1", "codex", 1_000, tally(), tally("team-b", actions=3))
    save(store, "task-2", "claude-code", 2_000, tally(week="2026-W13", at=2_000))
    by_agent = store.shares("agent")
    assert [(row.name, row.sums.actions, row.first, row.last) for row in by_agent] == [
        ("claude-code", 2, 2_000, 2_005),
        ("codex", 5, 1_000, 1_005),
    ]
    assert by_agent[1].sums == Sums(5, 2, 2, 0, 2, 2, 2, 2, 1_000, 0, 2)
    assert [(row.name, row.sums.actions) for row in store.shares("owner")] == [("team-a", 4), ("team-b", 3)]
    assert [(row.name, row.sums.decided) for row in store.shares("week")] == [("2026-W12", 2), ("2026-W13", 1)]


def test_saving_again_and_deleting_leave_no_count_behind(store: Store) -> None:
    save(store, "task-1", "codex", 1_000, tally(), versions=(Version("codex", "software", "1", 2, 5, 9),))
    save(store, "task-1", "codex", 1_000, tally(actions=7))
    assert [row.sums.actions for row in store.shares("agent")] == [7] and store.point_versions() == []
    store.delete_task("task-1")
    assert store.shares("agent") == [] and list(store.habits()) == []
    save(store, "task-1", "codex", 1_000, tally())
    store.clear_derived()
    assert store.shares("week") == []


def test_habits_tell_what_was_used_before(store: Store) -> None:
    save(store, "task-1", "codex", 1_000, tally(tool="Read"), tally(tool="Edit"))
    save(store, "task-2", "codex", 2_000, tally(tool="Bash", week="2026-W13", at=2_000, burst=9))
    save(store, "task-3", "claude-code", 500, tally(tool="Grep"))
    assert [(h.agent, h.tool, h.week, h.burst) for h in store.habits("codex")] == [
        ("codex", "Bash", "2026-W13", 9),
        ("codex", "Edit", "2026-W12", 2),
        ("codex", "Read", "2026-W12", 2),
    ]
    assert list(store.habits("codex", "acme/other")) == []
    assert store.pairs() == [
        PairRow("claude-code", "acme/payments", 1, 500, 500),
        PairRow("codex", "acme/payments", 2, 1_000, 2_000),
    ]
    assert store.pair_before("codex", "acme/payments", "task-2", 2_000) == (1, 1_000)
    assert store.pair_before("codex", "acme/payments", "task-1", 1_000) == (0, None)
    assert store.tools_before("codex", "acme/payments", "task-2", 2_000, ["Read", "Edit", "Bash", "Grep"]) == {"Read", "Edit"}
    assert store.tools_before("codex", "acme/payments", "task-1", 1_000, ["Read", "Bash"]) == set()


def test_versions_add_up_over_tasks(store: Store) -> None:
    save(store, "task-1", "codex", 1_000, versions=(Version("codex", "software", "1.0", 2, 5, 9),))
    save(
        store,
        "task-2",
        "codex",
        1_000,
        versions=(Version("codex", "software", "1.0", 3, None, None), Version("opa", "policy", "p@1", 1, 7, 7)),
    )
    assert store.point_versions() == [
        VersionRow("codex", "software", "1.0", 5, 5, 9),
        VersionRow("opa", "policy", "p@1", 1, 7, 7),
    ]


def test_names_too_long_or_broken_for_a_column_stay_apart(store: Store) -> None:
    tools = ["x" * 400 + "a", "x" * 400 + "b", "nul\0", "nul\ufffd", "lone\ud800", ""]
    save(store, "task-1", "codex", 1_000, *(tally(tool=name) for name in sorted(tools)))
    assert len({habit.tool for habit in store.habits()}) == len(tools)


def test_delays_are_those_of_findings_with_both_times(store: Store) -> None:
    chain = make_chain("task-1", [make_step("task-1", 0)], ["rec-1"], agent="codex", repository="acme/payments")
    timed, untimed, blind = make_finding("task-1", "a"), make_finding("task-1", "b"), make_finding("task-1", "c", blind_spot=True)
    timed.at, timed.evident = 1_000, 4_000
    untimed.at, untimed.evident = None, 4_000
    blind.at, blind.evident = 1_000, 9_000
    store.save_chain(chain, [timed, untimed, blind])
    assert [(agent, repository, delay) for agent, repository, _, delay in store.detection_delays()] == [
        ("codex", "acme/payments", 3_000)
    ]


def test_sources_tell_what_no_kind_of_event_says(store: Store) -> None:
    """What a call cost and a chain that was checked are evidence of their own; words that only read like them are none."""
    said = {
        "rec-cost": {"tokens": 700},
        "rec-dollars": {"cost_usd": 0.5},
        "rec-chain": {"chain": "checked"},
        "rec-words": {"command": "\xa6tokens \xa8cost_usd \xa5chain\xa7checked chainchecked"},
        "rec-both": {"tokens": 0, "chain": "checked", "chain_broken": "it does not fit"},
    }
    for number, (id, attrs) in enumerate(said.items()):
        record = make_record(id, source=f"src-{number}", line=1, at=5)
        record.events = [make_event(id, 0, at=5, text="x")]
        record.events[0].attrs = dict(attrs)
        store.begin_source(SourceFile(f"src-{number}", "opa", f"{number}.jsonl"))
        store.add([record])
    facts = {source: facts for source, *_, facts in store.delivered()}
    assert facts == {
        "src-0": ("usage",), "src-1": ("usage",), "src-2": ("log_chain",), "src-3": (), "src-4": ("log_chain", "usage"),
    }  # fmt: skip
