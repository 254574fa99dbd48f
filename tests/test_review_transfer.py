"""A review as a file: taken in elsewhere once, kept as asserted, overwriting nothing, and refused whole where it was altered."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from model.review import Comment
from review.errors import AlteredError, RemitError, UnreadableError
from review.judge.comments import comment
from review.judge.verdicts import give_verdict, withdraw_verdict
from review.show.tasks import tasks
from review.stores import receiving
from review.stores.receiving import import_review
from review.stores.transfer import export_review
from review.workspace import Workspace, open_workspace
from tests.running import SAMPLE, ok
from tests.tui_desk import KEY, own_store

Edit = Callable[[list[dict[str, Any]]], object]


@pytest.fixture(autouse=True)
def own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)


@pytest.fixture
def there(tmp_path: Path) -> Workspace:
    return open_workspace(str(own_store(tmp_path / "there")))


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return open_workspace(str(tmp_path / "here.db"), create=True)


def riskiest(work: Workspace) -> str:
    return str(tasks(work.store, sort="risk")[0]["id"])


def exported(work: Workspace, folder: Path, task: str) -> str:
    out = str(folder / "review.json.gz")
    export_review(work, task, out)
    return out


def test_a_review_arrives_whole_and_only_once(there: Workspace, here: Workspace, tmp_path: Path) -> None:
    task = riskiest(there)
    finding = there.store.findings_of(task)[0].id
    mistaken = give_verdict(there, finding, "false-positive", "a test")
    give_verdict(there, task, "outside-remit", "pushed with a standing key", reviewer="kim")
    comment(there, task, "see **ticket 7**")
    withdraw_verdict(there, mistaken["seq"], "was none")
    file = exported(there, tmp_path, task)
    done = import_review(here, file)
    assert done["records"]["added"] > 0 and done["records"]["other_bytes"] == 0
    assert done["derived"]["same"] >= len(there.store.steps(task)), "every step has the id it had"
    assert done["verdicts"] == {"added": 2, "withdrawn": 1, "held": 0} and done["comments"] == 1
    row = here.store.task_row(task)
    assert row is not None and (row.verdict, row.reviewer) == ("outside-remit", "kim")
    (kept,) = here.store.verdicts()
    first, last = there.store.journal(0, 1)[0], there.store.journal()[-1]
    assert kept.asserted and kept.by == here.identity and kept.origin == first.head
    (said,) = here.store.statements(Comment)
    assert "see **ticket 7**" in said.text and "asserted by export" in said.text
    taken = here.store.journal()[-1]
    assert taken.what == receiving.TAKEN and last.head in taken.body, "where it came from is in the journal"
    assert here.store.verify_journal().ok
    entries, records = len(here.store.journal()), here.store.counts()["records"]
    again = import_review(here, file)
    assert again["known"] == 4 and not again["verdicts"]["added"] and not again["records"]["added"]
    assert (len(here.store.journal()), here.store.counts()["records"]) == (entries, records)
    for record in there.store.chain(task).records:  # type: ignore[union-attr]
        assert here.store.raw(record) == there.store.raw(record)


def test_what_a_copied_session_holds_too_arrives_with_its_events(here: Workspace, tmp_path: Path) -> None:
    log = next(path for path in sorted(SAMPLE.glob("claude-code-*.jsonl")) if "-agent-" not in path.name)
    copy = tmp_path / "copy.jsonl"
    rows = [row for row in map(json.loads, log.read_text().splitlines()) if "sessionId" in row]
    copy.write_text("\n".join(json.dumps({**row, "sessionId": f"copy-of-{row['sessionId']}"}) for row in rows))
    ok("--store", tmp_path / "two.db", "import", log, copy)
    there = open_workspace(str(tmp_path / "two.db"))
    ids = sorted(str(row["id"]) for row in tasks(there.store) if row["steps"])
    for number, task in enumerate(ids):
        (tmp_path / str(number)).mkdir()
        import_review(here, exported(there, tmp_path / str(number), task))
    steps = {task: [step.id for step in there.store.steps(task)] for task in ids}
    assert {task: [step.id for step in here.store.steps(task)] for task in ids} == steps != {}
    assert here.store.odd_records()[0] == set()


def test_what_stands_here_is_not_overwritten(there: Workspace, here: Workspace, tmp_path: Path) -> None:
    task = riskiest(there)
    import_review(here, exported(there, tmp_path, task))
    give_verdict(here, task, "within-remit", "lee asked for it")
    give_verdict(there, task, "outside-remit", "nobody asked", reviewer="kim")
    file = exported(there, tmp_path, task)
    done = import_review(here, file)
    (conflict,) = done["conflicts"]
    assert (conflict["here"]["verdict"], conflict["there"]["verdict"]) == ("within-remit", "outside-remit")
    row = here.store.task_row(task)
    assert row is not None and row.verdict == "within-remit"
    assert "kim judged outside-remit" in here.store.statements(Comment)[0].text, "and it can be read where it matters"
    import_review(here, file)
    assert len(here.store.statements(Comment)) == 1 and here.store.verify_journal().ok


def rewritten(file: str, edit: Edit) -> str:
    """The same file with its lines edited and its end made to agree with them."""
    lines = [json.loads(line) for line in gzip.decompress(Path(file).read_bytes()).splitlines()][:-1]
    edit(lines)
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    end = {"end": {"lines": len(lines), "sha256": receiving.sha256(body).hexdigest()}}
    Path(file).write_bytes(gzip.compress(body + json.dumps(end).encode() + b"\n"))
    return file


def first(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(line[kind] for line in lines if kind in line)
    return found


def test_an_altered_file_is_refused_and_nothing_of_it_taken(there: Workspace, here: Workspace, tmp_path: Path) -> None:
    task = riskiest(there)
    give_verdict(there, task, "outside-remit", "x")

    def forge(lines: list[dict[str, Any]]) -> None:
        first(lines, "entry")["body"] = first(lines, "entry")["body"].replace("outside-remit", "within-remit")

    def steal(lines: list[dict[str, Any]]) -> None:
        first(lines, "record")["id"] = "rec-of-another"

    edits: list[tuple[Edit, str]] = [
        (forge, "does not follow"),
        (steal, "do not belong together"),
        (lambda lines: lines.pop(0), "does not begin with a header"),
        (lambda lines: first(lines, "header").update(remit_review=9), "version 9"),
        (lambda lines: lines.append({"surprise": 1}), "cannot be read"),
        (lambda lines: lines.append({}), "not one thing"),
    ]
    for edit, said in edits:
        with pytest.raises(RemitError, match=said):
            import_review(here, rewritten(exported(there, tmp_path, task), edit))
    file = Path(exported(there, tmp_path, task))
    for damage, kind in ((file.read_bytes()[:-40], UnreadableError), (b"no gzip", UnreadableError)):
        file.write_bytes(damage)
        with pytest.raises(kind):
            import_review(here, str(file))
    plain = gzip.decompress(Path(exported(there, tmp_path, task)).read_bytes())
    file.write_bytes(gzip.compress(plain[: plain.rindex(b"\n", 0, -1) + 1]))
    with pytest.raises(AlteredError, match="ends before"):
        import_review(here, str(file))
    assert not here.store.counts()["records"] and not here.store.journal()


def test_what_a_file_unpacks_to_is_bounded(
    there: Workspace, here: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = exported(there, tmp_path, riskiest(there))
    for name in ("MOST_BYTES", "MOST_LINE", "MOST_LINES"):
        with monkeypatch.context() as patch:
            patch.setattr(receiving, name, 1)
            with pytest.raises(UnreadableError, match="more than a review may hold"):
                import_review(here, file)


def test_a_secret_somebody_left_in_a_file_is_replaced(there: Workspace, here: Workspace, tmp_path: Path) -> None:
    secret = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"

    def leak(lines: list[dict[str, Any]]) -> None:
        record = first(lines, "record")
        record["events"][0]["text"] = f"token {secret}"

    import_review(here, rewritten(exported(there, tmp_path, riskiest(there)), leak))
    held = b"".join(path.read_bytes() for path in tmp_path.glob("here.db*"))
    assert secret.encode() not in held
    assert not any(secret in event.text for event in here.store.events_of_task(riskiest(here)))


def test_the_command_line_exports_and_imports(
    there: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    task, out = riskiest(there), str(tmp_path / "one.gz")
    give_verdict(there, task, "escalate", "who is this?")
    assert main(["store", "export", "--store", there.location, "--task", task, "--out", out]) == 0
    assert main(["store", "import", out, "--store", str(tmp_path / "b.db")]) == 0
    assert "1 added as asserted" in capsys.readouterr().out
    assert main(["store", "import", out, "--store", there.location, "--json"]) == 1
    conflict = json.loads(capsys.readouterr().out)["conflicts"][0]
    assert conflict["agrees"] and conflict["subject"] == task
