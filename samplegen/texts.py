"""The files beside the logs: the organisation file, the policy in force, a draft of its next version, and the guide."""

from __future__ import annotations

from samplegen.world import DOMAIN, PEOPLE, PRODUCTION, REGISTRY, REPOS, STAGING


def _organisation() -> str:
    lines = [
        "# What the logs of Harbour Lane cannot say.",
        "name: Harbour Lane",
        "",
        "repositories:",
    ]
    for repo in REPOS.values():
        lines.append(f"  {repo.slug}: {{owner: {repo.owner}, project: {repo.system}}}")
    lines += [
        "",
        "accounts:",
        f'  "{STAGING}": {{environment: staging}}',
        f'  "{PRODUCTION}": {{environment: prod, classification: restricted}}',
        "",
        "secrets:",
        '  "*prod/*": {environment: prod, classification: restricted}',
        '  "*staging/*": {environment: staging, classification: internal}',
        '  "*dev/*": {environment: dev, classification: internal}',
        "",
        "clusters:",
        '  "*-staging": {environment: staging}',
        "",
        "databases:",
        '  "*.staging.*": {environment: staging}',
        "",
        "change_windows:",
        '  - {environment: prod, days: [tue, thu], start: "14:00", end: "16:00", zone: UTC}',
        "",
        "approved:",
        f"  registries: [{REGISTRY}]",
        "  mcp_servers: [github, tickets]",
        f'  hosts: ["*.{DOMAIN}", github.com, "*.amazonaws.com"]',
        "",
        "identities:",
    ]
    for p in PEOPLE.values():
        lines.append(f"  {p.email}: {{kind: human, aliases: [{p.login}, jwt-{p.email}, {p.host}]}}")
    lines += [
        '  dockhand@vendor.example: {kind: agent, aliases: ["dockhand[bot]", dockhand]}',
        '  github-actions: {kind: workload, aliases: ["github-actions[bot]"]}',
        "  svc-batch-agent: {kind: service}",
        "",
        "ttl_limits: {staging: 1h, prod: 1h}",
        "",
        'ticket_pattern: "HARB-[0-9]+"',
        "",
        "enforcement_points:",
        '  - {id: "opa:*", vantage: enforcer, since: "2026-02-01"}',
        '  - {id: mcp-gateway, vantage: enforcer, since: "2026-02-01"}',
        '  - {id: vault, vantage: enforcer, since: "2025-06-01"}',
        '  - {id: "github:*", vantage: target, since: "2024-01-01"}',
        '  - {id: "cloudtrail:*", vantage: target, since: "2024-01-01"}',
        "",
    ]
    return "\n".join(lines)


_POLICY = """\
version: 1
default: allow

rules:
  - id: deny-push-to-main
    effect: deny
    when: 'action.command.startsWith("git ") && "repo.write" in action.verbs && resource.detail == "main" && principal.origin == "endpoint"'
    reason: Pushing to main from an agent session needs a pull request.
    tests:
      match:
        - {action.verb: exec, action.verbs: [exec, repo.write], action.command: git push origin main, resource.class: repository, resource.detail: main, principal.origin: endpoint}
      not_match:
        - {action.verb: exec, action.verbs: [exec, repo.write], action.command: git push origin hl/fix, resource.class: repository, resource.detail: hl/fix, principal.origin: endpoint}

  - id: ask-package-publish
    effect: ask
    when: 'action.verb == "package.publish" && principal.origin == "endpoint"'
    reason: Packages are published by CI.
"""

_NO_PROD_SECRETS = """
  - id: deny-prod-secrets-from-endpoints
    effect: deny
    when: >-
      "secret.read" in action.verbs && resource.class == "secret_store" &&
      context.environment == "prod" && principal.origin == "endpoint"
    reason: Production secrets are not read on a developer's machine.
    tests:
      match:
        - {action.verb: secret.read, action.verbs: [secret.read], resource.class: secret_store, context.environment: prod, principal.origin: endpoint}
      not_match:
        - {action.verb: secret.read, action.verbs: [secret.read], resource.class: secret_store, context.environment: staging, principal.origin: endpoint}
        - {action.verb: secret.read, action.verbs: [secret.read], resource.class: secret_store, context.environment: prod, principal.origin: ci}
        - {action.verb: credential.issue, action.verbs: [exec, credential.issue], resource.class: secret_store, context.environment: prod, principal.origin: endpoint}
"""

_GUIDE = f"""\
# One working day at Harbour Lane

Harbour Lane is a ferry company that does not exist. On Tuesday 17 March 2026 its developers, a vendor's assistant and its pipelines
worked on seven repositories and two cloud accounts, and ten kinds of enforcement points wrote down what they saw. Everything here is
invented by `python -m samplegen --out sample_data`; nothing is copied from real logs, every token and key was drawn by a random number
generator and belongs to nobody. The same program with `--tasks N` writes as much of it as is wanted.

| file | what | format |
| --- | --- | --- |
| `claude-code-<session>.jsonl` | transcripts of Claude Code 2.1, one per session | `claude-code` |
| `claude-code-<session>-agent-<id>.jsonl` | its sub-agents, beside the session that spawned them | `claude-code` |
| `codex-<thread>.jsonl` | rollouts of Codex 0.104, one per thread; spawned threads have their own | `codex` |
| `opa-decisions.jsonl` | decision log of the policy engine that guarded machines ask before every tool call | `opa` |
| `vault-audit.log` | audit log of the secret store, requests and responses; accessors in clear | `vault` |
| `github-audit.ndjson` | the Git host's organisation audit log | `github` |
| `cloudtrail-staging.json`, `cloudtrail-production.json` | CloudTrail of the two accounts | `cloudtrail` |
| `mcp-gateway-events.ndjson` | the MCP gateway and the credential broker behind it | `remit-events` |
| `ci-events.ndjson` | workflow runs as the CI system reports them | `remit-events` |
| `package-registry-events.ndjson` | installs and publications | `remit-events` |
| `ticketing-events.ndjson` | tickets written and moved | `remit-events` |
| `org.yaml` | what logs cannot say: owners, environments, the change window, aliases, limits | organisation file |
| `policy.yaml` | the policy in force | policy |
| `draft-no-prod-secrets.yaml` | the same with one more rule: no production secrets on endpoints | policy |
| `truth.json` | what is true of all this; Remit never reads it | see below |

The machines of {", ".join(p.name for p in PEOPLE.values() if not p.guarded)} are not guarded: the policy engine knows nothing of them. Nobody sees the machine the
vendor's assistant runs on.

## truth.json

A place is `{{file, line}}`, `line` counting from 1; in CloudTrail's arrays `line` is 1 and `index` counts the records from 1. A task is
named by its scope key: `session:<id>`, `claude.agent:<session>/<agent>` or `ci.job:<...>`. A step is named by the agent's own call id.

- `tasks`: every task with its story, file (empty where no endpoint saw it), agent, principal and repository; children name their parent
  and the call that spawned them.
- `events`: every record: the task and step it truly belongs to (null: none), and in `by` the strongest tie that shows it:
  `call` or `scope` (the record carries the id), `job` (the CI run's id), `request` (a request id shared with another record),
  `credential` (a key, accessor or token issued to the task), `reference` (the ticket the task names), `inference` (person, target
  and time only), `none`. `quiet` marks records of an agent that say nothing of what was wanted, decided or done: a reader may make
  no event of them; so does the version of a twice logged id that has the larger digest. `also` names the sub-agent that the result of a spawning call speaks of.
- `links`: from the record that owns the key to the record that is joined to it by that key.
  `decides` says whether the link is its end's strongest tie to the task; the others say the same once more. Which end is called `from` is
  a convention, and where several records of one task carry the key any of them may stand for it: compare pairs without direction, by task
  and key.
  - `exact`: the same identifier in both. `via: call` starts at the record of the agent's own call and ends at its result, its decision
    or a gateway's record of it; `via: scope` starts at the session's first prompt (Codex:
    its `session_meta`; without a transcript the first record that names the session; for CI the run's first record) and ends at a
    record of another log that carries the session's or the job's id and names no call seen; `via: request` joins Vault's request to its response and the gateway's record to the
    ticket system's.
  - `derived`: `via: credential` starts where the credential was issued (or, if nobody logged that, shown) and ends at each record of its
    use, renewal or revocation, or of its issuance in another log; `via: reference` starts at the task's first prompt and ends at the ticket, or starts at the pull
    request a task opened and ends at the first record of the CI run for it.
  - `inferred`: what person, target and time suggest and what is in fact so. They start at the call that
    caused the record. Exact and derived links are complete, but for those between records that only inference could place; inferred
    ones are not.
- `findings`: every real finding of the detections that it names, complete; `step` is null where no call is to blame, `where` is the record that shows it best, `by` is that
  record's tie to the task, `needs` names the sources without which the finding cannot be seen.
- `tolerated`: real findings whose main source was left out; whoever sees them all the same is not wrong. Empty for the whole day.
- `near_misses`: what resembles a finding and is none, with the reason. `rm -rf` of a build folder and a forced push to the agent's own
  branch are counted here, not as destruction.
- `blind_spots`: where nobody was watching. Work of unguarded machines is one, not a finding of GOV-01.
- `unattributed`: records that belong to no task.
- `related`: records of one or two tasks that a reader will want side by side, or that carry a key as well as the ends of a link do;
  joining them is right, not joining them is no miss.
- `dry_run`: the requests that `draft-no-prod-secrets.yaml` denies and the day's deciders, like `policy.yaml`, did not.

With `--drop SOURCE` the records of that source and the findings that need it are absent. With `--mask-ids` other people's logs carry no session or
call ids and accessors are hashed: exact links over those ids are absent and `by` says what is left. With `--skew SOURCE=SECONDS` that
source's clock is off; the truth stays.
"""

FILES: dict[str, str] = {
    "org.yaml": _organisation(),
    "policy.yaml": _POLICY,
    "draft-no-prod-secrets.yaml": _POLICY + _NO_PROD_SECRETS,
    "README.md": _GUIDE,
}
