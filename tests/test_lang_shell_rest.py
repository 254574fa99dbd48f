"""Requests to a service's own interface as what they do there."""

from __future__ import annotations

import pytest

from lang.shell import parse
from tests.test_lang_shell import told

OPERATIONS = [
    ("glab api -X POST projects/acme%2Fpay/merge_requests -f x=y", ["pr.open acme/pay projects/acme%2Fpay/merge_requests"]),
    ("glab api -X PUT projects/7/merge_requests/3/merge", ["pr.merge projects/7/merge_requests/3/merge"]),
    (
        "curl -X PUT https://api.github.com/repos/acme/pay/branches/main/protection -d @p.json",
        [
            "http.request api.github.com /repos/acme/pay/branches/main/protection",
            "guardrail.change acme/pay repos/acme/pay/branches/main/protection",
            "file.read p.json",
        ],
    ),
    (
        "curl --request DELETE https://git.acme.example/api/v4/projects/17/protected_branches/main",
        [
            "http.request git.acme.example /api/v4/projects/17/protected_branches/main",
            "guardrail.change projects/17/protected_branches/main",
        ],
    ),
    (
        "curl -X POST https://api.bitbucket.org/2.0/repositories/acme/shop/pullrequests/8/merge",
        [
            "http.request api.bitbucket.org /2.0/repositories/acme/shop/pullrequests/8/merge",
            "pr.merge acme/shop repositories/acme/shop/pullrequests/8/merge",
        ],
    ),
    (
        "curl -X POST https://git.acme.example/rest/api/1.0/projects/PAY/repos/shop/pull-requests -d x",
        [
            "http.request git.acme.example /rest/api/1.0/projects/PAY/repos/shop/pull-requests",
            "pr.open pay/shop projects/PAY/repos/shop/pull-requests",
        ],
    ),
    ("curl https://api.github.com/repos/acme/pay/pulls", ["http.request api.github.com /repos/acme/pay/pulls"]),
    (
        "curl -X PUT https://api.github.com/repos/acme/pay/subscription",
        ["http.request api.github.com /repos/acme/pay/subscription"],
    ),
    (
        "curl -s https://kv-prod.vault.azure.net/secrets/master?api-version=7.4",
        ["http.request kv-prod.vault.azure.net /secrets/master", "secret.read kv-prod/master"],
    ),
]


@pytest.mark.parametrize(("command", "expected"), OPERATIONS)
def test_a_request_is_what_it_does(command: str, expected: list[str]) -> None:
    assert told(parse(command)) == expected
