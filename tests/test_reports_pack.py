"""The pack: the same state gives the same bytes, numbers are found again in the tables, nothing hostile is obeyed."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from model.chain import Coverage
from model.words import Vantage
from reports import asked as asked_module
from reports.canonical import canonical
from reports.catalogue import frameworks
from reports.document import json_schema
from reports.errors import PackError, UnknownName
from reports.input import CustodyEntry, Journal, SourceRow
from reports.renderers.base import renderers
from reports.text import neutral, told
from reports.verify import verify
from tests.reports_figures import Page, figures, recomputed, split, table
from tests.reports_sample import DAY, EU, FRAMEWORKS, build_pack, classified, finding, sample, steps

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "report.html",
    "report.md",
    "report.json",
    "report.schema.json",
    "findings.csv",
    "population.csv",
    "controls.csv",
    "sources.csv",
    "coverage.csv",
    "credentials.csv",
    "limits.csv",
    "verdicts.csv",
    "custody.json",
    "evidence.json",
    "verify.py",
    "VERIFY.md",
    "manifest.json",
    "findings.sarif",
    "ocsf/compliance-findings.jsonl",
    "ocsf/detection-findings.jsonl",
    "oscal/assessment-results-nist-csf-2.0.json",
    "oscal/plan-of-action.json",
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack over every framework."""
    out = tmp_path_factory.mktemp("pack") / "out"
    build_pack(sample(classifications=classified()), out, [f.id for f in frameworks()])
    return out


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- the same bytes -------------------------------------------------------------------------------------------------


def test_two_processes_anywhere_write_the_same_bytes(tmp_path: Path) -> None:
    packs = []
    for n, (zone, locale, seed) in enumerate([("UTC", "C.UTF-8", "0"), ("Pacific/Kiritimati", "tr_TR.UTF-8", "4242")]):
        out = tmp_path / f"somewhere-{n}" / ("x" * (n + 1))
        env = {**os.environ, "TZ": zone, "LANG": locale, "LC_ALL": locale, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "tests/reports_sample.py", str(out)], env=env, cwd=ROOT, check=True)
        packs.append(read(out))
    assert packs[0] == packs[1]
    assert set(packs[0]) == FILES


def test_what_import_order_changes_stands_in_custody_alone(tmp_path: Path) -> None:
    state = sample()
    shuffled = sample(
        journal=Journal(99, "another head"),
        custody=(CustodyEntry("src-opa", "/srv/elsewhere/opa.json", "kim", DAY), *state.custody),
    )
    chance = random.Random(7)
    for name in ("tasks", "findings", "credentials", "coverage", "sources", "delivered", "exceptions", "verdicts", "detections"):
        values = list(getattr(shuffled, name))
        chance.shuffle(values)
        setattr(shuffled, name, tuple(values))
    build_pack(state, tmp_path / "a", FRAMEWORKS)
    build_pack(shuffled, tmp_path / "b", FRAMEWORKS)
    one, two = read(tmp_path / "a"), read(tmp_path / "b")
    assert {name for name in one if one[name] != two[name]} == {"custody.json", "manifest.json"}
    assert b"/home/dana" in one["custody.json"]
    assert not any(b"/home/dana" in data for name, data in one.items() if name != "custody.json")


def test_the_population_must_come_in_order(tmp_path: Path) -> None:
    rows = list(steps(2, 3))
    with pytest.raises(PackError, match="out of order at step step-00000-0000"):
        build_pack(sample(steps=rows[1:2] + rows), tmp_path / "out", FRAMEWORKS)
    assert list(tmp_path.iterdir()) == []


# --- the formats agree -------------------------------------------------------------------------------------------------


def test_controls_of_findings_agree_with_the_findings_of_controls(pack: Path) -> None:
    by_control: dict[str, set[str]] = {}
    for row in table(pack, "findings.csv"):
        for control in split(row["controls"]):
            by_control.setdefault(control, set()).add(row["id"])
    for row in table(pack, "controls.csv"):
        if row["kind"] != "layer":
            assert set(split(row["findings"])) == by_control.get(f"{row['framework']}:{row['id']}", set()), row["id"]


def test_json_and_markdown_say_what_the_tables_say(pack: Path) -> None:
    report = json.loads((pack / "report.json").read_bytes())
    own = recomputed(pack)
    assert {name: own[name] for name in report["figures"]} == report["figures"]
    text = (pack / "report.md").read_text(encoding="utf-8")
    assert f"Population: {own['steps']} steps in {own['tasks']} tasks" in text
    assert f"| effect | {5} |" in text


def test_every_id_exists_in_its_edition(pack: Path) -> None:
    known = {f.id: (f.edition, set(f.by_id)) for f in frameworks()}
    rows = table(pack, "controls.csv")
    assert {r["framework"] for r in rows} == set(known)
    for row in rows:
        edition, ids = known[row["framework"]]
        assert row["edition"].lstrip("'") == edition and row["id"] in ids
        if row["detections_run"] or row["detections_not_run"]:
            assert row["shows"] and row["does_not_show"], row["id"]
    for row in table(pack, "findings.csv"):
        for control in split(row["controls"]):
            name, _, item = control.partition(":")
            assert item in known[name][1], control


def test_the_cover_ties_the_page_to_the_tables(pack: Path) -> None:
    digests = {p.name: sha256(p.read_bytes()).hexdigest() for p in pack.glob("*.csv")}
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    own = sha256(lines.encode()).hexdigest()
    for name in ("report.html", "report.md", "report.json"):
        text = (pack / name).read_text(encoding="utf-8")
        assert own in text and all(d in text for d in digests.values()), name


# --- formats --------------------------------------------------------------------------------------------------------


def test_json_is_canonical_and_fits_its_schema(pack: Path) -> None:
    data = (pack / "report.json").read_bytes()
    body = json.loads(data)
    assert rfc8785.dumps(body) == data
    jsonschema_rs.validator_for(json_schema()).validate(body)
    assert json.loads((pack / "report.schema.json").read_bytes()) == json_schema()
    broken = {**body, "findings": [{**body["findings"][0], "evidence": "none"}]}
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(json_schema()).validate(broken)


def test_tables_are_rfc_4180_and_safe_in_a_spreadsheet(pack: Path) -> None:
    for path in pack.glob("*.csv"):
        data = path.read_bytes()
        assert data.endswith(b"\r\n") and data.count(b"\n") == data.count(b"\r\n")
        rows = list(csv.reader(data.decode("utf-8").splitlines()))
        assert len({len(row) for row in rows}) == 1, path.name
        for row in rows[1:]:
            for value in row:
                assert not re.match(r"[=+@\t\r]|-(?![\d.]+$)", value), (path.name, value)
    assert any(r["title"].startswith("'=HYPERLINK") for r in table(pack, "population.csv"))
    header = (pack / "population.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("task,n,step,at,verb,tool") and {"verdict", "permitted", "credentials", "effect"} <= set(
        header.split(",")
    )


@pytest.fixture(scope="module")
def page(pack: Path) -> Page:
    return Page((pack / "report.html").read_text(encoding="utf-8"))


def test_html_stands_alone_and_runs_nothing(page: Page) -> None:
    assert page.tags["script"] == page.tags["link"] == page.tags["iframe"] == page.tags["object"] == page.tags["img"] == 0
    assert not [a for a in page.attributes if a[1].startswith("on") or a[1] in ("src", "style")]
    assert all(value.startswith("#") for _, name, value in page.attributes if name in ("href", "xlink:href"))
    assert ("meta", "content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'") in page.attributes


def test_html_can_be_read_aloud(page: Page) -> None:
    assert ("html", "lang", "en") in page.attributes
    assert all(page.tags[name] == 1 for name in ("header", "nav", "main", "footer", "h1", "title") if name != "title")
    assert page.tags["caption"] == page.tags["table"] > 20
    scoped = sum(
        1 for tag, name, value in page.attributes if tag == "th" and name == "scope" and value in ("col", "row", "rowgroup")
    )
    assert scoped == page.tags["th"]
    assert len(page.ids) == len(set(page.ids))
    assert page.targets <= set(page.ids)
    roles = sum(1 for tag, name, value in page.attributes if tag == "svg" and (name, value) == ("role", "img"))
    assert roles == page.tags["svg"] > 10
    assert page.tags["title"] == 1 + page.tags["svg"]


def test_the_ten_sections_come_in_order_with_coverage_after_the_summary(page: Page, pack: Path) -> None:
    words = ["Cover", "Summary", "Scope and coverage", "Method", "Results by framework", "Findings"]
    words += ["Accepted exceptions and remediation", "Chain samples", "Sign-off", "Annexes"]
    shown = re.findall(r"^(\d+)\. (.+)$", "\n".join(t.strip() for t in page.text), re.M)
    assert [(int(n), t) for n, t in shown] == list(enumerate(words, 1))
    headings = re.findall(r"^## (\d+)\. (.+)$", (pack / "report.md").read_text(encoding="utf-8"), re.M)
    assert [(int(n), t) for n, t in headings] == list(enumerate(words, 1))


def test_words_of_its_own_are_explained_and_markdown_tells_of_a_source_what_the_page_does(page: Page, pack: Path) -> None:
    text, markdown = " ".join(page.text), (pack / "report.md").read_text(encoding="utf-8")
    for one in json.loads((pack / "report.json").read_bytes())["method"]["terms"]:
        assert one["meaning"] in text and f"| {one['term']} | {one['meaning']} |" in markdown
    row = next(r for r in table(pack, "sources.csv") if r["reject_reasons"])
    (line,) = (one for one in markdown.splitlines() if row["sha256"] in one)
    for word in (row["points"], "rejected: not valid JSON (2)", row["note"]):
        assert word in line
    assert "2026-06-01T11:00:00Z to 2026-06-01T12:00:00Z" in markdown, "a gap of coverage with its ends"
    row = next(r for r in table(pack, "controls.csv") if r["cannot_judge"] != "0" and r["detections_run"])
    (line,) = (
        one for one in markdown.splitlines() if one.startswith(f"| {row['id']} | {row['title']} |") and row["shows"] in one
    )
    sizes = ", ".join(part.replace("_", " ").replace("=", " ") for part in sorted(row["population"].split("; ")))
    for word in (
        sizes,
        f"not judged: {row['cannot_judge']}",
        row["detections_run"].replace("; ", ", "),
        "; detections run: ",
        f"({row['level']})",
    ):
        assert word in line


def test_a_finding_tells_how_it_is_put_right(page: Page, pack: Path) -> None:
    stated = [f["remedy"] for f in json.loads((pack / "report.json").read_bytes())["findings"] if f["remedy"]]
    told = [text.strip() for text in page.text]
    assert told.count("Put right") == len(stated) == 3
    done = [next(text for text in told[place + 1 :] if text) for place, text in enumerate(told) if text == "Put right"]
    assert sum(text.startswith("done") for text in done) == sum(bool(one["closure"]) for one in stated) == 2
    assert any(text.startswith("overdue, owner dana, due") for text in done)


def test_given_labels_stand_beside_published_ids(page: Page, pack: Path) -> None:
    text = " ".join(page.text)
    for word in ("A2", "ASI02", "NHI-03", "NHI7:2025", "NHI5:2025", "The guidance gives no subcategory.", "GOVERN 1.4"):
        assert word in text
    assert "NHI3:2025 is Vulnerable Third-Party NHI" in text
    for catalogue in frameworks():
        assert catalogue.attribution in text, catalogue.id
    assert "No framework owner has reviewed it" in text
    row = next(r for r in table(pack, "controls.csv") if r["id"] == "ASI02")
    assert row["given_labels"] == "A2"


def test_nothing_claims_what_a_report_cannot(page: Page, pack: Path) -> None:
    forbidden = re.compile(r"\b(compliant|certified|passed)\b", re.I)
    for path in sorted((ROOT / "reports" / "templates").iterdir()):
        assert not forbidden.search(path.read_text(encoding="utf-8")), path.name
    assert not forbidden.search((ROOT / "reports" / "wording.py").read_text(encoding="utf-8"))
    assert not forbidden.search(" ".join(page.text))
    assert not forbidden.search((pack / "report.md").read_text(encoding="utf-8"))


def test_hostile_text_is_shown_and_never_obeyed(page: Page, pack: Path) -> None:
    assert "<script>alert(1)</script>" in " ".join(page.text)
    for name in FILES - {"custody.json"}:
        data = (pack / name).read_text(encoding="utf-8")
        assert "\x1b" not in data and "\u202e" not in data, name
    text = (pack / "report.md").read_text(encoding="utf-8")
    assert "<script" not in text and "![x](" not in text
    assert r"\| was \*refused\*" in text


def test_strings_of_every_kind_survive_every_format(tmp_path: Path) -> None:
    nasty = ["\ud800", "\x00\x01", "{{ 7*7 }}", "{% raw %}", "a\r\nb", "\u2028", "|", '"', "'", "-1+1", "\ufeff", "x" * 100_000]
    rows = tuple(finding("BND-05", i, i, why=text, title=text, task=text) for i, text in enumerate(nasty))
    state = sample(
        organisation="".join(nasty),
        findings=rows,
        sources=tuple(SourceRow(f"s{i}", text, text, note=text, points=(text,)) for i, text in enumerate(nasty)),
        coverage=tuple(Coverage(text, Vantage.AGENT, text, DAY, DAY + 1, 1) for text in nasty),
        credentials=tuple(msgspec.structs.replace(c, expires=10**30, subject=nasty[0]) for c in sample().credentials),
        configuration=dict.fromkeys(nasty, "\ud800"),
    )
    build_pack(state, tmp_path / "out", FRAMEWORKS)
    assert verify(tmp_path / "out").sound
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    Page(text)
    assert "{{ 7*7 }}" in text and "{% raw %}" in text
    assert "outside the calendar" in (tmp_path / "out" / "credentials.csv").read_text(encoding="utf-8")


# --- choosing -------------------------------------------------------------------------------------------------------


def test_frameworks_that_need_a_classification_are_named_and_left_off(tmp_path: Path) -> None:
    build_pack(sample(), tmp_path / "out", [EU, "owasp-asi-2026"])
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert [f["id"] for f in report["frameworks"]] == ["owasp-asi-2026"]
    assert report["left_off"][0]["framework"] == EU
    assert "Art.26" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Art.26" not in (tmp_path / "out" / "findings.csv").read_text(encoding="utf-8")


def test_only_some_formats(tmp_path: Path) -> None:
    manifest = build_pack(sample(), tmp_path / "out", ["owasp-asi"], {"markdown"})
    assert [f["path"] for f in manifest["files"]] == ["VERIFY.md", "custody.json", "evidence.json", "report.md", "verify.py"]
    assert verify(tmp_path / "out").sound
    with pytest.raises(UnknownName, match="nearest: markdown"):
        build_pack(sample(), tmp_path / "other", ["owasp-asi"], {"markdwon"})
    assert next(iter(renderers())) == "csv"


def test_an_earlier_pack_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_pack(sample(), out, FRAMEWORKS)
    build_pack(sample(), out, ["owasp-asi-2026"], {"json"})
    assert {p.name for p in out.iterdir()} == FILES & {
        "report.json",
        "report.schema.json",
        "custody.json",
        "evidence.json",
        "verify.py",
        "VERIFY.md",
        "manifest.json",
    }
    assert verify(out).sound
    (out / "notes.txt").write_text("mine")
    with pytest.raises(PackError, match=r"notes\.txt"):
        build_pack(sample(), out, FRAMEWORKS)
    assert (out / "notes.txt").read_text() == "mine"
    other = tmp_path / "home"
    other.mkdir()
    (other / "letter").write_text("dear")
    with pytest.raises(PackError, match="holds no earlier pack"):
        build_pack(sample(), other, FRAMEWORKS)
    with pytest.raises(PackError, match="is a file"):
        build_pack(sample(), other / "letter", FRAMEWORKS)
    with pytest.raises(PackError, match=r"File exists|Not a directory"):
        build_pack(sample(), other / "letter" / "below", FRAMEWORKS)


ENCLOSED = {"VERIFY.md", "evidence.json", "verify.py"}


class Nested:
    """A format that writes where it is told to."""

    id, title, order = "nested", "nested", 5

    def __init__(self, *names: str) -> None:
        self.names = names

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: dict[str, Any], folder: Path) -> dict[str, int]:
        for name in self.names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a,b\r\n1,2\r\n")
        return {name: 1 if name.endswith(".csv") else -1 for name in self.names}


def nested(monkeypatch: pytest.MonkeyPatch, out: Path, *names: str) -> dict[str, Any]:
    monkeypatch.setattr(asked_module, "choose", lambda only, choices: [Nested(*names)])
    return build_pack(sample(1, 1), out, ["owasp-asi-2026"])


def test_sub_folders_are_listed_in_order_checked_and_cleaned_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    made = nested(monkeypatch, out, "oscal/b.json", "oscal/a/c.csv", "odd")
    assert [f["path"] for f in made["files"] if f["path"] not in ENCLOSED] == [
        "custody.json",
        "odd",
        "oscal/a/c.csv",
        "oscal/b.json",
    ]
    assert verify(out).sound and verify(out).completeness.claimed == 1
    (out / "oscal" / "a" / "c.csv").write_text("a,b\r\n")
    assert verify(out).altered == ["oscal/a/c.csv"]
    nested(monkeypatch, out, "oscal/a", "odd/x.json")
    assert set(read(out)) - ENCLOSED == {"custody.json", "manifest.json", "odd/x.json", "oscal/a"} and verify(out).sound
    (out / "oscal" / "mine.txt").write_text("mine")
    with pytest.raises(PackError, match=r"oscal/mine\.txt"):
        nested(monkeypatch, out, "odd/x.json")
    (out / "oscal" / "mine.txt").unlink()
    nested(monkeypatch, out, "x.json")
    assert set(read(out)) - ENCLOSED == {"custody.json", "manifest.json", "x.json"}


@pytest.mark.parametrize("name", ["../out.json", "oscal/../../out.json", "oscal//x.json", "oscal/.x", "schlüssel.json"])
def test_no_format_writes_outside_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(PackError, match="no plain file inside the pack"):
        nested(monkeypatch, tmp_path / "held" / "out", name)
    assert not (tmp_path / "held" / "out").exists()


def test_no_link_is_followed_where_a_pack_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    mine.mkdir()
    (mine / "x.json").write_text("mine")
    nested(monkeypatch, out, "y.json")
    (out / "oscal").symlink_to(mine)
    with pytest.raises(PackError, match="oscal"):
        nested(monkeypatch, out, "oscal/x.json")
    (out / "oscal").unlink()
    (out / "y.json").unlink()
    (out / "y.json").symlink_to(mine / "x.json")
    nested(monkeypatch, out, "oscal/x.json", "y.json")
    assert (mine / "x.json").read_text() == "mine" and verify(out).sound


def test_an_empty_store_still_gives_an_honest_report(tmp_path: Path) -> None:
    empty = sample(
        steps=(), tasks=(), findings=(), credentials=(), coverage=(), sources=(), delivered=(), exceptions=(), verdicts=()
    )
    build_pack(empty, tmp_path / "out", FRAMEWORKS)
    assert verify(tmp_path / "out").sound
    words = {r["result"] for r in table(tmp_path / "out", "controls.csv")}
    assert words == {"insufficient evidence", "not assessable from imported evidence"}
    Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))


def test_many_findings_keep_the_page_small(tmp_path: Path) -> None:
    rows = tuple(finding("CRED-08", i, i % 20) for i in range(3000))
    build_pack(sample(findings=rows), tmp_path / "out", [f.id for f in frameworks()], {"csv", "html"})
    assert (tmp_path / "out" / "report.html").stat().st_size < 2_000_000
    assert "The 200 most severe of 3000 are shown" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert len(table(tmp_path / "out", "findings.csv")) == 3000


def test_figures_follow_the_state(pack: Path, tmp_path: Path) -> None:
    state: Any = sample(findings=sample().findings[1:])
    build_pack(state, tmp_path / "out", FRAMEWORKS)
    assert figures(tmp_path / "out")["findings.open"] == {figures(pack)["findings.open"].pop() - 1}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_was_made_harmless_is_canonical_when_sorted(value: object) -> None:
    made = neutral(value)
    assert canonical(made) == rfc8785.dumps(made)


@given(st.floats(-(2.0**53), 2.0**53))
def test_a_number_is_written_as_canonical_json_writes_it(value: float) -> None:
    made = neutral([value])
    assert canonical(made) == rfc8785.dumps(made)


class _Told(msgspec.Struct):
    name: str
    at: int


@pytest.mark.parametrize(
    "name", ["plain", 'a "b" \\ c', "\\n", "a\nb", "\x7f", "\ud800", "é", "\u202e", "9" * 20, ":" + "9" * 20, "=1"]
)
@pytest.mark.parametrize("at", [0, 2**53, -(2**60)])
def test_what_is_told_without_a_walk_is_what_a_walk_makes_of_it(name: str, at: int) -> None:
    one = _Told(name, at)
    assert told(one) == neutral(msgspec.to_builtins(one))


def test_an_earlier_pack_stays_whole_until_the_new_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    build_pack(sample(2, 8), out, FRAMEWORKS)
    out.chmod(0o750)
    (tmp_path / "link").symlink_to(out)
    monkeypatch.chdir(out)
    before = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    rename = Path.rename
    for stop in (1, 2):
        moves = iter(range(1, 9))

        def stopped(path: Path, to: Path, moves: Iterator[int] = moves, stop: int = stop) -> Path:
            if next(moves) == stop:
                raise KeyboardInterrupt
            return rename(path, to)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Path, "rename", stopped)
            build_pack(sample(1, 3), out, FRAMEWORKS, {"csv"})
        assert {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} == before and verify(out).sound
    for place in (tmp_path / "link", Path()):
        build_pack(sample(1, 3), place, FRAMEWORKS, {"csv"})
        assert verify(out).sound and not (out / "report.json").exists() and out.stat().st_mode & 0o777 == 0o750
        monkeypatch.chdir(out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "out"]
