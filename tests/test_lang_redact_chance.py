"""Secrets that look like something else by chance: a placeholder, an option, a path, words with blanks between, another vendor's key."""

from __future__ import annotations

import json

import pytest

from lang.redact import Redactor
from tests.redact_planted import contexts, core, planted

R = Redactor(b"0123456789abcdef")


@pytest.mark.parametrize("seed", ["first", "second", "third"])
def test_no_secret_of_another_draw_survives(seed: str) -> None:
    """A value may look like something else by chance; `python -m benchmarks.secret_draws` draws many."""
    survived = set()
    for item in planted(seed):
        for write, is_json in contexts().values():
            if core(item) in R.redact(write(item).encode(), json=is_json).data.decode().replace("\\/", "/"):
                survived.add((item.kind, item.value))
    assert survived == set()


def test_a_key_whose_plus_signs_nobody_encoded_goes_as_a_whole() -> None:
    key = "q10F4ZDuB+YJj5kO1C+l9Hflw" + "XqBDpFie0f49WhY"
    found = R.redact(f'{{"requestURI":"/p/exec?command=aws_secret_access_key={key}&command=x"}}'.encode())
    assert [one.pseudonym for one in found.secrets] == [R.pseudonym("secret", key)] and b"&command=x" in found.data
    told = '{"requestURI":"/p/exec?command=PASSWORD=hunterPa55x9Z+checkout+Release2024FixBug1+and+more"}'
    assert R.redact(told.encode()).data.endswith(b'+checkout+Release2024FixBug1+and+more"}')


def test_a_key_with_another_prefix_is_no_key_of_the_shorter_one() -> None:
    for prefix in ("sk", "rk"):
        (found,) = R.redact(f"{prefix}_test_51HQ8xkPw04LmTr2VbYp4HsNc8KdJf6".encode(), json=False).secrets
        assert found.kind == "stripe"


@pytest.mark.parametrize(
    "value",
    [
        "HDtlKpCg2R54FAisyoURG8nof" + "DrUqxozqKllLgLsgGLq2",
        "/D4MeqH6hN32U1KPRj7t4WBV04" + "CRpwU7FyyvMkadOFvJQwYI8vLi4R",
        "-7VOWk2K7bd1CKMfvSYNbsKj" + "xHd2-gpLWQDD2WT6",
        "9c91dece8ec781e988bc" + "ff918191ffff",
        "4XU3QtwJSnYeCXXXXiVKHw326z" + "dCLkAxOSYCGEJ",
    ],
    ids=["your", "a slash first", "a dash first", "few digits", "xxxx"],
)
@pytest.mark.parametrize("written", ["Authorization: Bearer {}", "a: 1\napi_token: {}\nb: 2\n", "API_KEY={}"])
def test_a_token_that_looks_like_something_else_by_chance_goes(value: str, written: str) -> None:
    for text, is_json in ((written.format(value), False), (json.dumps({"text": written.format(value)}), True)):
        assert value[8:24].encode() not in R.redact(text.encode(), json=is_json).data


@pytest.mark.parametrize(
    "text",
    [
        "API_KEY=your_api_key_here_2024AbcdefGhijk",
        "API_KEY=xxxxxxxxxxxxxxxxxxxxxxxxAb12",
        "token: /Users/Ada/Projects/Release2024Build/Config",
        "token: -DsomeSystemPropertyOfVersion2",
        "Authorization: Bearer YOUR_TOKEN_Goes1Here",
    ],
)
def test_what_only_stands_where_a_token_would_stays(text: str) -> None:
    assert R.redact_text(text) == text
