"""Sources that are one document of settings: TOML and JSON with comments, and what is none of them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers import open_source
from importers.cutting.containers import NotRecognised
from importers.cutting.documents import MOST, document_of
from importers.shared.fields import decode
from model.event import RawRecord
from review.derive.building import build
from review.intake.importing import import_logs
from review.workspace import Workspace, open_workspace

CONFIG = b"""# ours
approval_policy = "on-request"
seen = 2026-06-01T10:00:00Z

[projects."/home/dana/a.b.c"]
trust_level = "trusted"
"""
RULES = b"""[[rule]]
toolName = "run_shell_command"
decision = "deny"
"""
SETTINGS = b"""{
  // what may be run
  "permissions": {"allow": ["Bash(make:*)",], /* no more */ },
}
"""


@pytest.mark.parametrize(
    ("data", "format", "name"),
    [
        (CONFIG, "agent-settings", "approval_policy"),
        (CONFIG.replace(b"\n", b"\r\n"), "agent-settings", "approval_policy"),
        (b"\xef\xbb\xbf" + CONFIG, "agent-settings", "approval_policy"),
        (RULES, "agent-settings", "rule"),
        (SETTINGS, "claude-code-settings", "permissions"),
    ],
)
def test_a_document_is_one_record(data: bytes, format: str, name: str) -> None:
    for told in (None, format):
        opened = open_source(io.BytesIO(data), format=told)
        (record,) = opened.items()
        assert opened.format == format and isinstance(record, RawRecord) and (record.line, record.index) == (1, None)
        value = decode(record.data)
        assert isinstance(value, dict) and name in value
        assert opened.end() is None, "what is written behind it makes another document"


@pytest.mark.parametrize(
    "data",
    [
        b'title = "somebody else\'s"\n',
        b"approval_policy = on-request\n",
        CONFIG + b"x" * MOST,
        b'approval_policy = "never"\n[a' + b".a" * 20_000 + b"]\n",
        b'{"permissions": {"allow": [}',
        b"// nothing\n",
    ],
)
def test_what_is_no_document_anybody_knows_is_refused(data: bytes) -> None:
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(data))


def test_names_of_many_parts_are_refused_and_texts_with_many_dots_are_not() -> None:
    assert document_of("a" + ".a" * 101 + " = 1") is None
    assert document_of(f'hosts = "{"a." * 500}"') == {"hosts": "a." * 500}
    assert document_of("x = inf") == {"x": None}


@given(st.text(max_size=200) | st.text(alphabet="[]{}.=\"'\n ,#/*a1:", max_size=200))
def test_any_text_is_a_document_or_none(text: str) -> None:
    found = document_of(text)
    assert found is None or isinstance(found, dict)


def test_settings_that_are_added_to_are_read_anew(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", "5a" * 32)
    path = tmp_path / "config.toml"
    token = b"ghp_" + b"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    with open_workspace(sqlite_url) as work:
        path.write_bytes(CONFIG + b'[mcp_servers.github]\ncommand = "npx"\nenv = { TOKEN = "' + token + b'" }\n')
        assert _postures(work, path) == 1
        path.write_bytes(path.read_bytes() + b'[profiles.full]\napproval_policy = "never"\n')
        assert _postures(work, path) == 2
        kept = b"".join(row.raw for source in work.store.sources() for row in work.store.raw_records(source.id))
        assert b"approval_policy" in kept and token not in kept


def _postures(work: Workspace, path: Path) -> int:
    import_logs(work, [str(path)])
    build(work)
    events = [one for one in work.store.unattributed(limit=100) if one.phase.value == "posture"]
    assert all("approval_policy: on-request" in one.text for one in events)
    return len(events)


@pytest.mark.parametrize("odd", ['"\\ud800"', '"\\uDFFFx"', "NaN", "-Infinity", "1e999", "9" * 40, '"\\u0000\\u001b[2J"'])
def test_an_odd_value_costs_itself_alone(odd: str) -> None:
    found = document_of('{"permission": "ask", // ours\n "odd": ' + odd + "}")
    assert found is not None and found["permission"] == "ask"
