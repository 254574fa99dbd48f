"""Secrets in the command lines of the kernel's audit, of which arguments with a blank or a quote stand in hex."""

from __future__ import annotations

from io import BytesIO

import pytest

from importers import open_source
from importers.shared.fields import decode
from lang.redact import Redactor
from model.event import RawRecord

REDACTOR = Redactor(b"k" * 32)
PASSWORD = "Zq7fK2mW9xB4tR"
STAMP = "msg=audit(1780322400.243:24287):"


def hexed(text: str) -> str:
    return text.encode().hex().upper()


def arguments(*argv: str) -> str:
    given = (f"a{at}=" + (hexed(word) if " " in word else f'"{word}"') for at, word in enumerate(argv))
    return f"type=EXECVE {STAMP} argc={len(argv)} " + " ".join(given)


LINES = {
    "header": (arguments("curl", "-H", f"Authorization: Bearer {PASSWORD}", "https://h"), "REDACTED.bearer."),
    "login": (arguments("curl", "-u", f"bob:{PASSWORD}", "https://h"), "-u bob:REDACTED."),
    "login with a blank": (arguments("sh", "-c", f"curl -u bob:{PASSWORD} https://h"), "-u bob:REDACTED."),
    "password": (arguments("mysql", f"-p{PASSWORD}", "shop"), "mysql -pREDACTED."),
    "sudo": (
        f'type=USER_CMD {STAMP} pid=2 msg=\'cwd="/w" cmd={hexed(f"mysql -p{PASSWORD} shop")} exe="/usr/bin/sudo" res=success\'',
        "mysql -pREDACTED.",
    ),
}


@pytest.mark.parametrize("name", list(LINES))
def test_a_secret_in_an_argument_goes_and_the_command_stays(name: str) -> None:
    line, told = LINES[name]
    source = open_source(BytesIO((line + "\n").encode()), format="auditd")
    (item,) = source.items()
    assert isinstance(item, RawRecord)
    data = REDACTOR.redact(item.data).data
    assert PASSWORD.encode() not in data
    assert hexed(PASSWORD).encode() not in data
    (event,) = source.importer.open().read(decode(data)).events
    assert told in str(event.attrs["command"])


def test_the_whole_command_line_in_hex_loses_its_secret_wherever_it_is_quoted() -> None:
    title = hexed(f"curl\0-u\0bob:{PASSWORD}\0https://h")
    line = f"type=PROCTITLE {STAMP} proctitle={title}"
    for text in (line, f"it printed\n{line}\n{line}\n"):
        assert hexed(PASSWORD) not in REDACTOR.redact_text(text)


def test_arguments_that_hold_records_are_searched_once() -> None:
    text = f"EXECVE {STAMP} " + "a0=EXECVE;" * 20_000
    assert REDACTOR.redact_text(text) == text


def test_other_programs_words_are_no_arguments() -> None:
    record = b'{"isTTY": true, "a0": "mysql", "a1": "-pattern-7fK2mW9x", "data": "x"}'
    assert REDACTOR.redact(record).data == record
