"""Objects in a cloud's store: another object of a bucket, or another bucket, is no effect of a command that names its own."""

from __future__ import annotations

import pytest

from chains import enrich
from chains.build import build_task
from chains.match import match_values
from chains.objects import other_object
from chains.reach import task_id
from model.event import Event
from tests.chains_placed import of, place
from tests.chains_story import S1, call, effect, event, facts, ready, result

T1 = task_id(f"session:{S1}")
BUCKET = "projects/_/buckets/acme-exports/objects"


def asked(command: str) -> set[str]:
    return set(match_values(enrich(call(S1, "c1", 10, attrs={"command": command}))))


def seen(detail: str, name: str = "storage:delete", id: str = "seen", seconds: float = 12) -> set[str]:
    return set(match_values(logged(detail, name, id, seconds)))


def logged(detail: str, name: str = "storage:delete", id: str = "seen", seconds: float = 12) -> Event:
    return effect(id, seconds, verb="cloud.call", target=f"cloud:{name}@{detail}", who="deployer@acme", point="cloud:acme")


@pytest.mark.parametrize(
    ("command", "detail", "other"),
    [
        ("gcloud storage rm gs://acme-exports/x.csv", f"{BUCKET}/x.csv", False),
        ("gcloud storage rm gs://acme-exports/x.csv", f"{BUCKET}/y.csv", True),
        ("gsutil rm gs://acme-exports/x.csv gs://acme-exports/y.csv", f"{BUCKET}/y.csv", False),
        ("gsutil -m rm gs://acme-exports/2025/**", f"{BUCKET}/2025/a/b.csv", False),
        ("gsutil -m rm gs://acme-exports/2025/**", f"{BUCKET}/2026/b.csv", True),
        ("gsutil rm gs://acme-exports/$NAME", f"{BUCKET}/y.csv", False),
        ("gsutil rm gs://$BUCKET/x.csv", f"{BUCKET}/y.csv", False),
        ("gcloud storage ls gs://acme-exports/2025/", "projects/_/buckets/acme-exports", False),
        ("gcloud storage ls gs://acme-other/", f"{BUCKET}/x.csv", True),
        ("gcloud compute instances list", f"{BUCKET}/x.csv", False),
    ],
)
def test_google_cloud_storage(command: str, detail: str, other: bool) -> None:
    assert other_object(seen(detail), asked(command)) is other


@pytest.mark.parametrize(
    ("command", "detail", "other"),
    [
        ("aws s3 rm s3://acme-logs/2025.tar", "arn:aws:s3:::acme-logs/2025.tar", False),
        ("aws s3 rm s3://acme-logs/2025.tar", "arn:aws:s3:::acme-logs/2024.tar", True),
        ("aws s3 cp report.pdf s3://acme-logs", "arn:aws:s3:::acme-logs/report.pdf", False),
        ("aws s3 cp s3://acme-a/x s3://acme-b/y", "arn:aws:s3:::acme-b/y", False),
        ("aws s3 rm s3://acme-logs/2025.tar", "acme-logs", False),
        ("aws s3 rm s3://acme-logs/2025.tar", "acme-web", True),
        ("aws s3api delete-object --bucket acme-logs --key a", "arn:aws:s3:::acme-logs/a", False),
        ("aws s3api delete-object --bucket acme-logs --key a", "arn:aws:s3:::acme-logs/b", True),
        ("aws s3api delete-object --bucket=acme-logs --key $KEY", "arn:aws:s3:::acme-logs/b", False),
        ("aws s3api put-object --key a --bucket $BUCKET", "arn:aws:s3:::acme-logs/b", False),
        ("aws s3api list-objects-v2 --bucket acme-logs", "acme-web", True),
    ],
)
def test_amazon_s3(command: str, detail: str, other: bool) -> None:
    assert other_object(seen(detail, "s3:DeleteObject"), asked(command)) is other


VM = "/SUBSCRIPTIONS/0F3A/RESOURCEGROUPS/RG1/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM7"


@pytest.mark.parametrize(
    ("command", "other"),
    [
        ("az vm delete -g rg1 -n vm7 --yes", False),
        ("az vm delete --name vm7 --resource-group RG1", False),
        ("az vm delete -g rg1 -n vm9", True),
        ("az vm delete -g rg2 -n vm7", True),
        ("az vm list -g rg1", False),
    ],
)
def test_a_resource_of_azures(command: str, other: bool) -> None:
    record = effect("seen", 12, verb="cloud.call", target=f"cloud:{VM}@microsoft.compute/virtualmachines/delete", point="azure")
    values = set(match_values(record))
    assert other_object(values, asked(command)) is other
    assert bool(values & asked(command)) is ((not other and " -n" in command) or "--name" in command)


def test_azures_key_vault_and_its_command_line_name_one_secret() -> None:
    record = effect("seen", 12, verb="secret.read", target="secret_store:kv-prod.vault.azure.net/secrets/master", point="kv")
    for command in (
        "az keyvault secret show --vault-name kv-prod --name master",
        "curl -s https://kv-prod.vault.azure.net/secrets/master?api-version=7.4",
    ):
        assert "secret.read|kv-prod/master" in set(match_values(record)) & asked(command)


def test_what_another_deleted_with_the_same_service_account_is_not_the_agents() -> None:
    story = [call(S1, "c1", 10, attrs={"command": "gcloud storage rm gs://acme-exports/x.csv"}), result(S1, "c1", 14)]
    mine, others = logged(f"{BUCKET}/x.csv"), logged(f"{BUCKET}/y.csv", id="others", seconds=13)
    found = place([*story, mine, others])
    assert [of(found, one).task for one in (mine, others)] == [T1, ""]


def test_each_object_belongs_to_the_call_that_names_it() -> None:
    def rm(id: str, seconds: float, name: str) -> list[Event]:
        command = f"gcloud storage rm gs://acme-exports/{name}"
        return [call(S1, id, seconds, attrs={"command": command}), result(S1, id, seconds + 1)]

    mine = event("late", "effect", "observed", "target", "cloud:acme", 22, f"scope session:{S1}", verb="cloud.call",
                 target=f"cloud:storage:delete@{BUCKET}/x.csv")  # fmt: skip
    chain = build_task(T1, ready([*rm("c1", 10, "x.csv"), *rm("c2", 20, "y.csv"), mine]), [], facts())
    assert [len(step.effects) for step in chain.steps] == [1, 0]


def test_an_application_of_argo_cds_is_named_alike_by_its_server_and_its_command_line() -> None:
    record = effect("seen", 12, verb="ci.run", target="ci_cd:argocd/web@Sync", point="argocd")
    assert set(match_values(record)) & asked("argocd app sync web --prune")
    assert not set(match_values(record)) & asked("argocd app sync api")
