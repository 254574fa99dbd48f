"""Credentials of no task: they have lifelines like any other, in any order of import, however often they were used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from model.chain import Credential
from review.derive import building, lifelines
from store.derived import Derived
from tests.running import ok

pytestmark = pytest.mark.usefixtures("alone")


def used(n: int, accessor: str = "acc-1") -> dict[str, Any]:
    """One request at a Vault with a token that no agent's log names."""
    return {
        "time": f"2026-03-01T10:{n // 60:02d}:{n % 60:02d}Z",
        "type": "request",
        "auth": {"accessor": accessor, "display_name": "approle", "token_type": "service", "policies": ["p"]},
        "request": {
            "id": f"r-{accessor}-{n}",
            "operation": "read",
            "path": f"secret/data/{n}",
            "client_token_accessor": accessor,
        },
    }


def revoked(n: int, accessor: str = "acc-1") -> dict[str, Any]:
    one = used(n, accessor)
    one["request"] |= {"operation": "update", "path": "auth/token/revoke-self"}
    return one | {"type": "response", "response": {}}


def log(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def listed(store: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ok("--store", store, "credentials", "--json").json
    return rows


def test_a_credential_of_no_task_is_listed_and_says_so(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    ok("--store", store, "import", log(tmp_path / "vault.log", used(1), used(2)), "--json")
    (row,) = listed(store)
    assert (row["tasks"], row["uses"], row["flags"]) == ([], 2, ["no_issuance_seen"])
    assert "no task" in ok("--store", store, "credentials").out
    assert ok("--store", store, "tasks", "--json").json == []


@pytest.mark.parametrize("parts", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_what_is_known_of_it_does_not_depend_on_the_order_of_import(tmp_path: Path, parts: list[int]) -> None:
    logs = [log(tmp_path / f"{n}.log", *some) for n, some in enumerate(([used(1)], [revoked(5)], [used(59)]))]
    one, many = tmp_path / "one.db", tmp_path / "many.db"
    ok("--store", one, "import", *logs, "--json")
    for part in parts:
        ok("--store", many, "import", logs[part], "--json")
    assert listed(one) == listed(many)
    assert {"used_after_revocation", "no_issuance_seen"} <= set(listed(one)[0]["flags"])


def test_one_that_was_used_very_often_is_told_by_its_first_and_last_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    often = [*(used(n) for n in range(60)), revoked(70), used(120)]
    whole, short = tmp_path / "whole.db", tmp_path / "short.db"
    path = log(tmp_path / "vault.log", *often)
    ok("--store", whole, "import", path, "--json")
    monkeypatch.setattr(lifelines, "UNTIED", 9)
    ok("--store", short, "import", path, "--json")
    (told,), (cut,) = listed(whole), listed(short)
    assert {name: cut[name] for name in ("first_use", "last_use", "revoked", "flags", "id")} == {
        name: told[name] for name in ("first_use", "last_use", "revoked", "flags", "id")
    }
    assert cut["uses"] >= told["uses"] > 50


def test_those_that_a_task_knows_come_first(tmp_path: Path) -> None:
    from tests.running import sample_logs

    store = tmp_path / "s.db"
    path = log(tmp_path / "other.log", *(used(1, f"acc-{n}") for n in range(3)))
    ok("--store", store, "import", *sample_logs(), path, "--json")
    tied = [bool(row["tasks"]) for row in listed(store)]
    assert tied == sorted(tied, reverse=True) and tied.count(False) >= 3


def test_those_at_hand_are_few_where_each_was_used_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = log(tmp_path / "vault.log", *(used(n, f"acc-{n % 30}") for n in range(300)))
    ok("--store", tmp_path / "one.db", "import", file, "--json")
    monkeypatch.setattr(lifelines, "MOMENTS", 25)
    monkeypatch.setattr(building, "NAMES", 4)
    held: list[int] = []
    saved: list[int] = []
    trim, save = lifelines.Lifelines.trim, Derived.save_credentials

    def trimmed(self: lifelines.Lifelines) -> None:
        trim(self)
        held.append(sum(len(one.use_list) for one in self._at_hand.values()))

    def kept(self: Derived, credentials: Sequence[Credential]) -> None:
        saved.append(len(credentials))
        save(self, credentials)

    monkeypatch.setattr(lifelines.Lifelines, "trim", trimmed)
    monkeypatch.setattr(Derived, "save_credentials", kept)
    ok("--store", tmp_path / "few.db", "import", file, "--json")
    assert held and 10 <= max(held) <= 25
    assert sum(saved) == 30 and max(saved) <= 4
    assert listed(tmp_path / "few.db") == listed(tmp_path / "one.db")
