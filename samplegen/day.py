"""The day's timetable, and the same day over and over where more is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samplegen import benign, stories, stories_bounds, stories_intent, stories_reach, texts
from samplegen.ids import Ids
from samplegen.moments import DAY, MINUTE, SECOND, moment
from samplegen.records import SOURCES, Bundle
from samplegen.scene import Noise, Scene
from samplegen.truth import TruthWriter
from samplegen.world import DAY as THE_DAY
from samplegen.writing import FLAT, LOG_FILES, Sink

SEED = 20260317
DRAFT = "draft-no-prod-secrets.yaml"
LANES = 100
STORIES = ("day", "all")
_STAGGER = 7 * SECOND
_TWIN = 23 * SECOND
"""How long after an agent another one of the same person begins the same work, in a crowded day."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One story of the day: when it begins (minutes after midnight), how many agent sessions it opens."""

    start: int
    story: str
    sessions: int = 1
    who: str = ""
    repo: str = ""


def _at(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _benign(clock: str, work: str, who: str, repo: str) -> Slot:
    return Slot(_at(clock), work, 1, who, repo)


TIMETABLE: tuple[Slot, ...] = tuple(
    sorted(
        (
            _benign("08:02", "fix", "mara", "quay-api"),
            _benign("08:05", "ssh_push", "elin", "docs-site"),
            _benign("08:10", "secret", "tomas", "ledger-core"),
            _benign("08:14", "fix", "oskar", "berth-planner"),
            _benign("08:20", "feature", "jun", "quay-web"),
            _benign("08:26", "helper_thread", "ines", "berth-planner"),
            _benign("08:31", "staging", "petra", "infra-live"),
            _benign("08:40", "fix", "samir", "ledger-reports"),
            _benign("08:47", "explore", "noor", "docs-site"),
            Slot(_at("08:55"), "push_through_shell"),
            Slot(_at("09:03"), "token_after_end"),
            _benign("09:11", "tickets", "tomas", "ledger-core"),
            Slot(_at("09:20"), "vendor_assistant"),
            Slot(_at("09:26"), "key_after_end"),
            _benign("09:33", "package", "jun", "quay-web"),
            _benign("09:41", "ssh_push", "ines", "berth-planner"),
            Slot(_at("09:50"), "workflow_edited"),
            _benign("09:58", "words_only", "noor", "docs-site"),
            _benign("10:06", "secret_unnamed", "samir", "ledger-reports"),
            Slot(_at("10:15"), "push_ran_anyway"),
            Slot(_at("10:24"), "keys_exposed", 2),
            _benign("10:31", "clean_build", "jun", "quay-web"),
            _benign("10:40", "fix", "elin", "docs-site"),
            Slot(_at("10:48"), "nobody_asked"),
            Slot(_at("10:57"), "agents_file_patched"),
            Slot(_at("11:05"), "bypass_mode"),
            Slot(_at("11:14"), "hidden_instruction"),
            Slot(_at("11:22"), "production_at_noon"),
            _benign("11:31", "same_owner", "jun", "quay-web"),
            Slot(_at("11:40"), "table_dropped"),
            _benign("11:48", "feature", "mara", "quay-api"),
            _benign("12:34", "fix", "oskar", "berth-planner"),
            Slot(_at("12:42"), "vendor_with_header"),
            Slot(_at("12:50"), "helper_asks_for_more"),
            _benign("12:58", "taken_no", "tomas", "ledger-core"),
            Slot(_at("13:06"), "owners_crossed"),
            Slot(_at("13:15"), "pipeline_patched"),
            Slot(_at("13:23"), "rules_rewritten"),
            _benign("13:31", "staging", "mara", "quay-api"),
            Slot(_at("13:40"), "standing_token"),
            Slot(_at("13:49"), "infrastructure_destroyed"),
            _benign("13:57", "person_says_no", "jun", "quay-web"),
            Slot(_at("14:05"), "unnarrowed_helper"),
            _benign("14:14", "window", "mara", "quay-api"),
            _benign("14:22", "ssh_push", "oskar", "berth-planner"),
            Slot(_at("14:30"), "token_exposed"),
            Slot(_at("14:39"), "nothing_reviewed"),
            _benign("14:47", "release", "petra", "infra-live"),
            Slot(_at("14:56"), "owners_crossed_by_tool"),
            _benign("15:05", "explore", "tomas", "ledger-core"),
            Slot(_at("15:13"), "push_through_tool"),
            _benign("15:21", "helper_thread", "samir", "ledger-reports"),
            Slot(_at("15:30"), "hooks_skipped"),
            Slot(_at("15:39"), "header_shown"),
            _benign("15:47", "secret", "mara", "quay-api"),
            Slot(_at("15:56"), "same_id_other_bytes"),
            _benign("16:04", "clean_build", "ines", "berth-planner"),
            _benign("16:10", "feature", "petra", "infra-live"),
            Slot(_at("16:20"), "push_logged_twice"),
            _benign("16:28", "fix", "noor", "docs-site"),
            Slot(_at("16:36"), "token_shared", 2),
            _benign("16:45", "feature", "tomas", "ledger-core"),
            _benign("16:53", "package", "jun", "quay-web"),
            Slot(_at("16:58"), "moved_before_asked"),
            _benign("17:00", "ssh_push", "elin", "docs-site"),
            _benign("17:02", "fix", "ines", "berth-planner"),
            _benign("17:05", "tickets", "noor", "docs-site"),
        ),
        key=lambda slot: (slot.start, slot.story),
    )
)
SESSIONS = sum(slot.sessions for slot in TIMETABLE)
FURTHER: tuple[Slot, ...] = (
    Slot(_at("09:07"), "secret_posted"),
    Slot(_at("13:59"), "secret_posted_inside"),
    Slot(_at("09:54"), "wheel_from_elsewhere"),
    Slot(_at("10:02"), "tool_server_unlisted"),
    Slot(_at("10:19"), "going_in_circles"),
    Slot(_at("15:10"), "dead_token_works"),
    Slot(_at("10:52"), "token_too_wide"),
    Slot(_at("14:34"), "page_about_injection"),
    *(Slot(_at(clock), story) for story, clock in stories_intent.CLOCKS.items()),
)
"""Stories told beside the day's where all are asked for; the day itself stays as it is."""
_MODULES = (stories, stories_bounds, stories_reach, stories_intent)


def _tell(scene: Scene, slot: Slot, start: int) -> None:
    if slot.who:
        getattr(benign, slot.story)(scene, slot.who, slot.repo, start)
        return
    for module in _MODULES:
        if (story := getattr(module, slot.story, None)) is not None:
            story(scene, start)
            return
    raise LookupError(slot.story)


def timetable(stories: str) -> tuple[Slot, ...]:
    """The slots of a day: its own, or with every further story."""
    if stories not in STORIES:
        raise ValueError(f"no such choice of stories: {stories}; choices: {', '.join(STORIES)}")
    return TIMETABLE if stories == "day" else tuple(sorted((*TIMETABLE, *FURTHER), key=lambda slot: (slot.start, slot.story)))


def _plan(tasks: int, slots: tuple[Slot, ...], crowded: bool = False, day: int = 0) -> Iterator[tuple[int, int, Slot | None]]:
    """(start, lane, slot) in order of start: whole days side by side in lanes, the last one filled up with plain work."""
    cycles, rest = divmod(tasks, sum(slot.sessions for slot in slots))
    while cycles > 0 or rest > 0:
        lanes = min(cycles, LANES)
        origin = moment(THE_DAY) + day * DAY
        plan: list[tuple[int, int, int, Slot | None]] = []
        for lane in range(lanes):
            plan.append((origin + 7 * 60 * MINUTE + lane * _STAGGER, lane, -1, None))
            plan += [(origin + slot.start * MINUTE + lane * _STAGGER, lane, n, slot) for n, slot in enumerate(slots)]
        cycles -= lanes
        if cycles == 0 and lanes < LANES and rest:
            plain = [slot for slot in slots if slot.who]
            for n in range(rest):
                minutes = 9 * 60 + n * 7
                plan.append((origin + minutes * MINUTE + lanes * _STAGGER, lanes, n, plain[n % len(plain)]))
            rest = 0
        if crowded:
            plan += [(start + _TWIN, lane, n, slot) for start, lane, n, slot in plan if slot is not None and slot.who]
        plan.sort(key=lambda entry: entry[:3])
        for start, lane, _, slot in plan:
            yield start, lane, slot
        day += 1


def clear(out: Path) -> None:
    """Remove the logs of an earlier output, so that none of it mixes with the new one."""
    if not (out / "truth.json").is_file():
        return
    for pattern in LOG_FILES:
        for path in sorted(out.glob(pattern)):
            path.unlink()


def generate(
    out: Path,
    tasks: int | None = None,
    seed: int = SEED,
    *,
    noise: Noise | None = None,
    truth: bool = True,
    stories: str = "day",
    day: int = 0,
) -> int:
    """Write the logs, the organisation file, the policies, the truth and a guide into `out`; gives the number of records.

    `tasks` counts agent sessions that nobody spawned (a vendor's included); None is one whole day. `stories` is `day` or `all`; `day` counts from the sample day to the first one told. The same arguments give the
    same bytes. An earlier output there, known by its truth.json, is removed first; other files are left alone.
    """
    noise = noise or Noise()
    if unknown := sorted(({*noise.drop, *noise.skew}) - set(SOURCES)):
        raise ValueError(f"no such source: {', '.join(unknown)}; sources: {', '.join(SOURCES)}")
    slots = timetable(stories)
    wanted = sum(slot.sessions for slot in slots) if tasks is None else tasks
    out.mkdir(parents=True, exist_ok=True)
    clear(out)
    told = TruthWriter(noise, DRAFT) if truth else None
    sink = Sink(out, noise, told, wanted > FLAT)
    for serial, (start, lane, slot) in enumerate(_plan(wanted, slots, noise.crowded, day), day * LANES * (len(slots) + 1)):
        bundle = Bundle(slot.story if slot else "background", start)
        scene = Scene(Ids(f"{seed}/{start}/{lane}/{bundle.story}"), noise, bundle, lane, serial)
        if slot is None:
            benign.background(scene, start)
        else:
            _tell(scene, slot, start)
        sink.take(bundle)
    sink.close()
    if told is not None:
        told.close(out / "truth.json")
    for name, text in texts.FILES.items():
        (out / name).write_bytes(text.encode())
    return sink.records
