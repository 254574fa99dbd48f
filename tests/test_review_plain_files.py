"""A text a person names is read within bounds, and nothing waits for a pipe that nobody writes to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from review import plain_files
from review.plain_files import read_text


def test_lines_end_one_way_and_the_text_is_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("ä: 1\r\nb: 2\rc: 3\n".encode())
    assert read_text(path) == "ä: 1\nb: 2\nc: 3\n"
    path.write_bytes(b"\xe9")
    with pytest.raises(UnicodeDecodeError):
        read_text(path)


def test_a_folder_and_a_text_that_never_ends_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IsADirectoryError):
        read_text(tmp_path)
    monkeypatch.setattr(plain_files, "LONGEST", 1000)
    with pytest.raises(OSError, match="more than 1,000 bytes"):
        read_text("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_read_where_somebody_writes_to_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="nobody writes to"):
        read_text(path, patience=0)
    text = "version: 1\n" * 20_000
    writer = threading.Thread(target=path.write_text, args=(text,))
    writer.start()
    try:
        assert read_text(path, patience=60) == text
    finally:
        writer.join()
