"""No planted secret comes through the import in any context; `make secrets` does the same with every kind at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.secrets import FORMS, Searched, Told, contexts, import_all, items, no_secret, opened, plants
from lang.redact import Redactor


def test_there_are_enough_kinds_contexts_and_forms() -> None:
    assert len({item.kind for item in items()}) >= 200
    assert len(contexts()) >= 5 and len(FORMS) >= 5


@pytest.mark.parametrize("context", list(contexts()))
def test_no_kind_survives_redaction(context: str) -> None:
    redactor, searched = Redactor(b"k" * 32), Searched(items())
    survived = set()
    for _, where, value in plants(items()):
        if where == context:
            for data, is_json in (
                (json.dumps({"x": value}), True),
                (value if isinstance(value, str) else json.dumps(value), False),
            ):
                assert searched.planted_in(data.encode()), "it must be there to be found"
                survived |= searched.planted_in(redactor.redact(data.encode(), json=is_json).data)
    assert survived == set()


def test_no_planted_secret_is_in_any_byte_an_import_leaves(tmp_path: Path) -> None:
    chosen = items()[::16]
    searched, accepted, watch = import_all(tmp_path, chosen, (("findings", "--json"), ("store", "export")))
    assert dict(searched.places) == {}
    assert accepted > len(chosen) * len(contexts()) * len(FORMS)
    assert any(name.endswith("-wal") for name in watch.files), "the write-ahead log must have been seen"
    told = [data for _, data in opened(tmp_path / "out" / "s.db")]
    assert b"\0".join(told).count(b"REDACTED.") > len(chosen) * len(contexts()) * len(FORMS)


def test_what_surely_is_no_secret_is_judged_by_its_look() -> None:
    for value in (b"your-key-here", b"${TOKEN}", b"1234567890", b"/srv/app/keys", b"os.environ['X']", b"password", b"sha256:ab"):
        assert no_secret(value)
    assert [item.kind for item in items() if no_secret(item.value.encode())] == []
    told = Told()
    told.redact(b'{"password": "correct-horse-1"}')
    assert told.replaced.total() == 1 and not told.wrong
