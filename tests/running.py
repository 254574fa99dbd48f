"""Running `remit` in tests, in this process or as one of its own, and holding what it prints against a shape."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_data"
ORG = SAMPLE / "org.yaml"
POLICY = SAMPLE / "policy.yaml"
DRAFT = SAMPLE / "draft-no-prod-secrets.yaml"
KEY = "5e" * 32
"""A pseudonym key for tests; a store is bound to the key it was made with."""


def sample_logs() -> list[Path]:
    """The logs of the sample day, and nothing else that lies beside them."""
    return [*sorted(SAMPLE.glob("*.jsonl")), *sorted(SAMPLE.glob("*.ndjson")), *sorted(SAMPLE.glob("cloudtrail-*.json")),
            SAMPLE / "vault-audit.log"]  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What one run gave: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """`remit` in this process; leaving by SystemExit is an exit code like any other."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main([str(argument) for argument in arguments])
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else 1
    finally:
        sys.stdin = before
    return Ran(code, out.getvalue(), err.getvalue())


def ok(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """A run that ends well."""
    ran = run(*arguments, stdin=stdin)
    assert ran.code == 0, (arguments, ran)
    return ran


def refused(ran: Ran, code: int, *words: str) -> None:
    """The run ended with this code and one clear sentence on standard error that holds these words, and no traceback."""
    assert ran.code == code, ran
    assert "Traceback" not in ran.out + ran.err, ran.err
    said = ran.err.strip().splitlines()
    assert len(said) == 1, said
    assert said[0].startswith("remit") and len(said[0]) > 20, said[0]
    for word in words:
        assert word in said[0], (word, said[0])


def command(*arguments: str | Path) -> list[str]:
    """The command line of `remit` as a process of its own."""
    return [sys.executable, "-m", "cli.main", *(str(argument) for argument in arguments)]


def start(*arguments: str | Path, **more: Any) -> subprocess.Popen[bytes]:
    """`remit` as a process of its own, its output in pipes unless told otherwise."""
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT}
    return subprocess.Popen(command(*arguments), **(given | more))


def finish(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, (out or b"").decode(), (err or b"").decode())


@contextmanager
def surroundings(folder: Path, **more: str | None) -> Iterator[None]:
    """An environment in which `remit` finds nothing of the person who runs the tests."""
    given: Mapping[str, str | None] = {
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "REMIT_PSEUDONYM_KEY": KEY,
        "REMIT_STORE": None,
        "REMIT_ORG": None,
        "COLUMNS": "100",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**given, **more}.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        yield


def listings(store: str | Path) -> dict[str, str]:
    """The bytes of the listings that may depend on the records alone."""
    names = (
        "tasks",
        "findings",
        "credentials",
        "points",
        "baselines",
        *(f"coverage --by {by}" for by in ("team", "week", "point")),
    )
    return {name: ok("--store", store, "--org", ORG, *name.split(), "--json").out for name in names}


def report_files(store: str | Path, folder: Path) -> dict[str, bytes]:
    """A report's files by name, but those that say who imported when."""
    ok("--store", store, "--org", ORG, "report", "--out", folder)
    kept = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in sorted(kept.items()) if name not in ("custody.json", "manifest.json")}


Shape = Any
"""A type, a tuple of types, a set of allowed values, `[shape]` for a list, `{key: shape}` for an object that may hold more."""


def fits(value: Any, shape: Shape, path: str = "$") -> None:
    """Fail where a JSON value has not this shape, naming the place."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), f"{path} is {value!r}, not an object"
        for name, inner in shape.items():
            assert name in value, f"{path} has no {name!r}, only {sorted(value)}"
            fits(value[name], inner, f"{path}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{path} is {value!r}, not a list"
        for number, inner in enumerate(value):
            fits(inner, shape[0], f"{path}[{number}]")
    elif isinstance(shape, frozenset | set):
        assert value in shape, f"{path} is {value!r}, not one of {sorted(map(str, shape))}"
    elif isinstance(shape, Either):
        if value is not None:
            fits(value, shape.shape, path)
    elif callable(shape) and not isinstance(shape, type):
        assert shape(value), f"{path} is {value!r}"
    else:
        assert isinstance(value, shape), f"{path} is {value!r}, not {shape}"
        # True is an int to Python; to a reader of JSON it is not.
        allowed: Sequence[type] = shape if isinstance(shape, tuple) else (shape,)
        assert not isinstance(value, bool) or bool in allowed, f"{path} is {value!r}, not {shape}"


@dataclass(frozen=True)
class Either:
    """A shape or null."""

    shape: Shape


def writable_anyway() -> bool:
    """True where file modes do not stop the user who runs the tests."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


@dataclass(frozen=True)
class Day:
    """A store of the sample day with its organisation file beside it, and what its import printed."""

    store: Path
    imported: dict[str, Any]

    def json(self, *arguments: str | Path) -> Any:
        """What a command says of this store, as JSON."""
        return ok("--store", self.store, *arguments, "--json").json

    def copy(self, folder: Path) -> Day:
        """A store of its own, to be changed."""
        shutil.copytree(self.store.parent, folder, dirs_exist_ok=True)
        return Day(folder / self.store.name, self.imported)


def sample_day(temporary: pytest.TempPathFactory) -> Day:
    """The sample day, imported once for all tests of this process."""
    folder = temporary.getbasetemp() / "sample-day"
    said = folder / "imported.json"
    if not said.exists():
        folder.mkdir()
        shutil.copyfile(ORG, folder / "org.yaml")
        with surroundings(folder):
            said.write_text(ok("--store", folder / "day.db", "import", *sample_logs(), "--json").out)
    return Day(folder / "day.db", json.loads(said.read_text()))
