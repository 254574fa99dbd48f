"""What a path is, by its name alone: a pipeline's definition, an agent's instructions, a safeguard, a file of secrets."""

from __future__ import annotations

import re
from functools import lru_cache

from lang.late import late
from model.words import TargetClass, Verb

# Names are compared in lower case with forward slashes; the first group that matches says what a write means.
_CI = r"""
  \.github/(?:workflows|actions)/.+ | \.(?:gitea|forgejo)/workflows/.+ | \.gitlab-ci[^/]*\.ya?ml | \.gitlab/ci/.+ | jenkinsfile[^/]*
| [^/]+\.jenkinsfile | \.circleci/.+ | azure-pipelines[^/]*\.ya?ml | \.azure-pipelines/.+ | \.azuredevops/.+ | \.travis\.ya?ml
| bitbucket-pipelines\.ya?ml | \.drone\.(?:ya?ml|star|jsonnet) | \.woodpecker(?:\.ya?ml|/.+) | \.buildkite/.+ | \.?appveyor\.ya?ml
| cloudbuild[^/]*\.ya?ml | buildspec[^/]*\.ya?ml | \.cirrus\.(?:ya?ml|star) | \.semaphore/.+ | \.tekton/.+ | codefresh\.ya?ml | \.teamcity/.+
"""
_GUARDRAIL = r"""
  \.(?:claude|gemini|qwen)/settings[^/]*\.json | \.claude/hooks/.+ | \.(?:codex|gemini|qwen)/(?:config\.toml|hooks/.+|hooks\.json|rules/.+|policies/.+|requirements\.toml)
| (?:etc/claude-code|library/application\ support/claudecode)/managed-settings(?:\.json|\.d/.+) | \.claude\.json
| opencode\.jsonc? | \.cursor/(?:hooks\.json|cli\.json|cli-config\.json|permissions\.json|sandbox\.json) | \.copilot/config\.json
| \.aider\.conf\.ya?ml | \.config/goose/(?:permission|config)\.ya?ml | \.mcp\.json | \.cursor/mcp\.json
| \.git/hooks/.+ | \.husky/.+ | \.?lefthook(?:-local)?\.(?:ya?ml|toml|json) | \.pre-commit-config\.ya?ml | \.githooks/.+
| \.github/codeowners | codeowners | \.github/(?:settings|rulesets/.+|dependabot)\.?(?:ya?ml|json)? | \.gitleaks\.toml
"""
_INSTRUCTIONS = r"""
  (?:claude|claude\.local|agents|agents\.override|agent|gemini|qwen|warp|crush|memory|conventions|soul)\.md
| \.(?:cursorrules|windsurfrules|clinerules|roorules|goosehints|rules) | \.(?:clinerules|roo|windsurf|kiro|continue|augment|junie|trae)/.+ | \.cursor/(?:rules|commands|agents)/.+
| \.github/(?:copilot-instructions\.md|instructions/.+|prompts/.+|chatmodes/.+|agents/.+) | \.(?:claude|codex|gemini|qwen|opencode|agents|copilot)/.+
| \.config/opencode/(?:agents?|commands?|rules)/.+ | copilot-instructions\.md | llms\.txt
"""
# What agents keep for themselves below their folders: transcripts, plans, caches. Writing these instructs nobody.
_OWN_RECORDS = r"""
  \.(?:claude|codex|gemini|qwen|copilot)/(?:projects|todos|plans|tasks|teams|statsig|shell-snapshots|file-history|debug|cache|ide|logs?|tmp|sessions
    |archived_sessions|history|paste-cache|image-cache|downloads|telemetry|session-env|session-state|antigravity|worktrees|usage-data|stats-cache|chats)(?:/.*|\.jsonl?)
| \.(?:codex|claude|gemini)/(?:auth\.json|\.credentials\.json|oauth_creds\.json|version\.json|[^/]*\.(?:sqlite|db|lock|log|jsonl))
"""
_SECRET = r"""
  \.env(?:\.[^/]+)? | \.envrc | \.netrc | _netrc | \.pgpass | \.my\.cnf | \.npmrc | \.pypirc | \.git-credentials | \.htpasswd | \.dockercfg | \.vault-token
| \.aws/(?:credentials|config|sso/.+|cli/cache/.+) | \.azure/.+ | \.config/gcloud/.+ | \.kube/config | kubeconfig[^/]* | \.docker/config\.json
| \.ssh/(?!known_hosts|config|.*\.pub$)[^/]+ | id_(?:rsa|dsa|ecdsa|ed25519) | [^/]+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc\.key)
| \.config/gh/hosts\.ya?ml | \.gnupg/.+ | \.cargo/credentials(?:\.toml)? | \.gem/credentials | \.terraform\.d/credentials\.tfrc\.json | \.terraformrc
| (?:application_default_)?credentials(?:\.json)? | service[-_]?account[^/]*\.json | secrets?\.(?:ya?ml|json|toml|env|ini) | \.(?:codex/auth|claude/\.credentials|gemini/oauth_creds)\.json
| etc/(?:shadow|gshadow|sudoers|sudoers\.d/.+) | proc/[^/]+/environ | run/secrets/.+ | var/run/secrets/.+ | terraform\.tfstate(?:\.backup)? | [^/]+\.tfvars
"""
_EXAMPLE = late(r"\.env\.(?:example|sample|template|dist|defaults?)$")
_PERSISTENCE = r"""
  \.(?:bashrc|bash_profile|bash_login|profile|zshrc|zprofile|zshenv|bash_aliases) | \.config/fish/config\.fish | etc/(?:profile|bash\.bashrc|environment|crontab|rc\.local)
| etc/(?:profile\.d|cron\.[^/]+|systemd/system|init\.d)/.+ | \.config/(?:systemd/user|autostart)/.+ | (?:library/)?launch(?:agents|daemons)/.+ | \.ssh/(?:authorized_keys2?|config|rc)
| var/spool/cron/.+ | etc/hosts | etc/ld\.so\.preload | \.git/config | \.gitconfig
"""


def _compiled(names: str) -> re.Pattern[str]:
    return late(rf"(?:^|/)(?:{names})$", re.X)


_IS_CI, _IS_GUARDRAIL, _IS_INSTRUCTIONS, _IS_OWN, _IS_SECRET, _IS_PERSISTENCE = map(
    _compiled, (_CI, _GUARDRAIL, _INSTRUCTIONS, _OWN_RECORDS, _SECRET, _PERSISTENCE)
)
_CLASSES = {
    Verb.CI_MODIFY: TargetClass.CI_CD,
    Verb.GUARDRAIL_CHANGE: TargetClass.AGENT,
    Verb.INSTRUCTIONS_WRITE: TargetClass.AGENT,
}


def path_verb(path: str, write: bool) -> Verb:
    """What reading or writing this path is: `file.read`, `file.write`, or the verb of what a write there changes."""
    return _known(_normal(path))[0] if write else Verb.FILE_READ


def path_class(verb: Verb) -> TargetClass:
    """The class of target that goes with a verb of `path_verb`."""
    return _CLASSES.get(verb, TargetClass.FILESYSTEM)


def path_flags(path: str, write: bool) -> tuple[str, ...]:
    """Further words about a path: `guardrail`, `persistence` when written, `secret-file` either way."""
    _, secret, guardrail, persistence = _known(_normal(path))
    flags = (("guardrail", write and guardrail), ("persistence", write and persistence), ("secret-file", secret))
    return tuple(name for name, holds in flags if holds)


def _normal(path: str) -> str:
    text = path.replace("\\", "/").casefold()[-400:]
    while "/./" in text or "//" in text:
        text = text.replace("/./", "/").replace("//", "/")
    return text.removeprefix("./").rstrip("/")


@lru_cache(maxsize=8192)
def _known(path: str) -> tuple[Verb, bool, bool, bool]:
    secret = _IS_SECRET.search(path) is not None and _EXAMPLE.search(path) is None
    persistence = _IS_PERSISTENCE.search(path) is not None
    if _IS_CI.search(path):
        return Verb.CI_MODIFY, secret, False, persistence
    if _IS_GUARDRAIL.search(path):
        return Verb.GUARDRAIL_CHANGE, secret, True, persistence
    if _IS_INSTRUCTIONS.search(path) and (not _IS_OWN.search(path) or path.endswith("/memory.md") or "/memory/" in path):
        return Verb.INSTRUCTIONS_WRITE, secret, False, persistence
    return Verb.FILE_WRITE, secret, False, persistence
