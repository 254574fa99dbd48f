"""git, and the command lines of Git hosts (gh, glab), as operations on repositories, pull requests, issues and pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lang.names import repository_name
from lang.shell_calls import Call, wordset
from lang.shell_files import resolved
from lang.shell_ops import Args, Classifier, made, split, tried
from lang.shell_rest import over_command
from lang.shell_syntax import Word
from model.event import Operation
from model.words import TargetClass, Verb

_REPO = TargetClass.REPOSITORY
_GLOBAL = wordset("-C -c --git-dir --work-tree --namespace --super-prefix --config-env")
_VALUED = {
    "commit": wordset("-m -F -C -c -t --message --file --author --date --template --fixup --squash --trailer --cleanup"),
    "push": wordset("-o --push-option --repo --receive-pack --exec"),
    "clone": wordset("-b -o -u -c -j --branch --origin --depth --config --reference --jobs --filter --template --shallow-since"),
    "fetch": wordset("-j --depth --jobs --deepen --shallow-since --filter --refmap -o"),
    "pull": wordset("-s -X -j --depth --strategy"),
    "merge": wordset("-m -F -s -X --strategy --strategy-option --into-name"),
    "tag": wordset("-m -F -u --message --file --local-user --sort --format --contains --points-at --merged"),
    "checkout": wordset("-b -B --orphan --conflict"),
    "switch": wordset("-c -C --create --force-create --orphan"),
    "config": wordset("-f --file --blob --type --default"),
}
# Sub-commands that only look, and those that move the working copy about; neither writes history.
_LOOKS = wordset(
    "status log diff show blame rev-parse rev-list ls-files ls-tree cat-file describe shortlog reflog grep bisect name- "
    "rev merge-base for-each-ref show-ref var help version whatchanged cherry range-diff diff-tree diff-index diff-files "
    "symbolic-ref check-ignore check-attr count-objects fsck verify-commit verify-tag archive bundle add stage stash "
    "switch worktree sparse-checkout init mv rm notes rerere maintenance gc prune submodule remote apply format-patch "
    "lfs annotate instaweb difftool mergetool request-pull read-tree write-tree verify-pack hash-object mktree pack- "
    "objects unpack-objects index-pack update-index checkout-index merge-file merge-tree stripspace mailinfo interpret- "
    "trailers get-tar-commit-id column diagnose bugreport gui citool gitk pack-refs repack hook-list last-modified"
)
_LOCAL = wordset(
    "commit rebase cherry-pick revert am merge reset tag branch filter-branch filter-repo update-ref replace commit-tree"
)
_REMOTE_READS = frozenset({"fetch", "pull", "clone", "ls-remote"})
_GUARDS = (
    "core.hookspath",
    "commit.gpgsign",
    "tag.gpgsign",
    "http.sslverify",
    "receive.deny",
    "safe.directory",
    "protocol.",
    "gpg.",
)
_SWITCHES = ("gpgsign", "sslverify")
_ON = wordset("true 1 yes on")
_NO_HOOKS = wordset("/dev/null nul /nonexistent") | {""}
_BRANCHES = ("refs/heads/", "heads/", "refs/")


def git(call: Call) -> Iterator[Operation]:
    """git itself. A repository given as a remote's name stays "" with the flag `remote=`: what it is called, the log says."""
    top = split(_before_sub_command(call.args), _GLOBAL)
    rest = call.args[len(_before_sub_command(call.args)) :]
    folder = _folder(call, top.values("-C", "--work-tree", "--git-dir"))
    for setting in top.values("-c"):
        name, _, value = setting.lower().partition("=")
        if name.startswith(_GUARDS) and not (name.endswith(_SWITCHES) and value in _ON):
            # Another folder of hooks may ask as much as the one before.
            past = ["bypass"] if name != "core.hookspath" or value in _NO_HOOKS else []
            yield made(call, Verb.GUARDRAIL_CHANGE, _REPO, detail=setting, flags=[*past, *folder])
    if not rest:
        return
    if not rest[0].literal:
        yield made(call, Verb.UNKNOWN, _REPO, flags=folder, certain=False)
        return
    sub, args = rest[0].text, split(rest[1:], _VALUED.get(rest[0].text, frozenset()))
    if (sub in _HOOKED and args.has("--no-verify")) or (sub == "commit" and args.has("-n")):
        yield made(call, Verb.GUARDRAIL_CHANGE, _REPO, detail="hooks", flags=["no-verify", "bypass", *folder])
        folder.append("no-verify")
    if sub == "push":
        yield from _push(call, args, folder)
    elif sub in _REMOTE_READS:
        yield from _fetch(call, sub, args, folder)
    elif sub == "config":
        yield from _config(call, args, folder)
    elif sub in ("checkout", "restore", "clean"):
        lost = _discards(sub, args)
        verb = Verb.REPO_WRITE if lost else Verb.REPO_READ
        yield made(call, verb, _REPO, flags=["local", *(["destructive"] if lost else []), *folder], certain=args.known)
    elif sub == "credential":
        yield made(call, Verb.SECRET_READ, TargetClass.SECRET_STORE, "", "git credential", folder)
    elif sub in _LOCAL:
        yield _local(call, sub, args, folder)
    elif sub in _LOOKS:
        lost = sub in ("stash", "reflog", "worktree", "gc") and any(
            w in ("drop", "clear", "expire", "--prune=now") for w in args.words()
        )
        yield made(call, Verb.REPO_READ, _REPO, flags=["local", *(["destructive"] if lost else []), *folder])
    else:
        # An alias may do anything.
        yield made(call, Verb.UNKNOWN, _REPO, detail=sub, flags=folder, certain=False)


def _folder(call: Call, stated: Iterable[str] = ()) -> list[str]:
    """`dir=` the folder that options and a `cd` before them lead to; none where both leave the command where it was run."""
    led = call.command.cwd
    for value in stated:
        led = resolved(value, led)
    return [f"dir={led}"] if led else []


def _before_sub_command(words: tuple[Word, ...]) -> tuple[Word, ...]:
    position = 0
    while position < len(words) and words[position].text.startswith("-"):
        position += 2 if words[position].text in _GLOBAL else 1
    return words[:position]


def _place(word: Word | None) -> tuple[str, list[str]]:
    """A repository's name where an address says it, else a flag with the remote's name."""
    if word is None or not word.literal:
        return "", []
    if "/" in word.text or ":" in word.text:
        return repository_name(word.text), []
    return "", [f"remote={word.text}"]


def _push(call: Call, args: Args, flags: list[str]) -> Iterator[Operation]:
    where = args.operands[0] if args.operands else None
    if repo := args.value("--repo"):
        where = Word(repo)
    for option in args.values("-o", "--push-option"):
        if option.startswith(("secret_push_protection.skip", "secret_detection.skip")):
            yield made(call, Verb.GUARDRAIL_CHANGE, _REPO, detail=option, flags=["bypass", *flags])
    name, remote = _place(where)
    forced = args.has("--force", "-f", "--force-with-lease", "--force-if-includes", "--mirror")
    deleted = args.has("--delete", "-d")
    kinds = [
        flag.lstrip("-") for flag in ("--tags", "--all", "--branches", "--mirror", "--prune", "--follow-tags") if args.has(flag)
    ]
    kinds += tried(args, "-n")
    refs: list[Word] = list(args.operands[1:]) or [Word("")]
    for ref in refs:
        text = ref.text if ref.literal else ""
        plus = text.startswith("+")
        source, colon, target = text.lstrip("+").partition(":")
        gone = deleted or bool(colon and not source)
        told = [*(["forced"] if forced or plus else []), *(["delete"] if gone else [])]
        told += ["destructive"] if told else []
        known = ref.literal and (where is None or where.literal) and call.open_ended is False
        yield made(
            call, Verb.REPO_WRITE, _REPO, name, _branch(target if colon else source), [*told, *kinds, *remote, *flags], known
        )


def _branch(ref: str) -> str:
    """The branch that a ref names; "" for whatever HEAD stands on."""
    for prefix in _BRANCHES:
        ref = ref.removeprefix(prefix)
    return "" if ref in ("HEAD", "@") else ref


def _fetch(call: Call, sub: str, args: Args, flags: list[str]) -> Iterator[Operation]:
    name, remote = _place(args.operands[0] if args.operands else None)
    branch = args.value("-b", "--branch") if sub == "clone" else _branch(args.words(1)[0]) if len(args.operands) > 1 else ""
    yield made(call, Verb.REPO_READ, _REPO, name, branch, [*remote, *flags], args.known)


def _config(call: Call, args: Args, flags: list[str]) -> Iterator[Operation]:
    words = [w for w in args.words() if w not in ("set", "get", "unset")]
    removing = args.has("--unset", "--unset-all") or "unset" in args.words()[:1]
    changes = (len(words) >= 2 or removing) and not args.has("--get", "--list", "-l") and "get" not in args.words()[:1]
    setting = words[0].lower() if words else ""
    back = setting.endswith(_SWITCHES) and (
        (removing and setting.endswith("sslverify")) or (words[1:2] and words[1].lower() in _ON)
    )
    if changes and setting.startswith(_GUARDS) and not back:
        yield made(call, Verb.GUARDRAIL_CHANGE, _REPO, detail=words[0], flags=flags, certain=args.known)
    elif changes:
        yield made(call, Verb.REPO_WRITE, _REPO, flags=["local", "config", *flags], certain=args.known)


def _discards(sub: str, args: Args) -> bool:
    if sub == "restore":
        return not (args.has("--staged", "-S") and not args.has("--worktree", "-W"))
    if sub == "clean":
        return args.has("-f", "--force") and not args.has("-n", "--dry-run")
    return args.has("-f", "--force") or "." in args.words()


def _local(call: Call, sub: str, args: Args, flags: list[str]) -> Operation:
    verb, told = Verb.REPO_WRITE, ["local"]
    words = args.words()
    detail = ""
    if sub == "merge":
        verb, detail = Verb.REPO_MERGE, words[0] if words else ""
    elif sub in ("tag", "branch"):
        detail = words[0] if words else ""
        if not words or (
            args.has("-l", "--list", "--show-current", "--contains", "--merged", "-v", "-vv", "-a", "-r")
            and not args.has("-D", "-d")
        ):
            verb = Verb.REPO_READ
    lost = (
        (sub == "reset" and args.has("--hard"))
        or (sub == "branch" and args.has("-D", "-f"))
        or sub in ("filter-branch", "filter-repo")
        or (sub == "update-ref" and args.has("-d"))
        or (sub in ("branch", "tag") and args.has("--delete", "-d"))
    )
    return made(call, verb, _REPO, "", detail, [*told, *(["destructive"] if lost else []), *flags], args.known)


_PR, _CI, _TICKET = TargetClass.REPOSITORY, TargetClass.CI_CD, TargetClass.TICKETING
# Sub-command of a Git host's program -> verb, class of target. `pr` is read for `mr`, `workflow` for `ci`.
_HOST: dict[str, tuple[Verb, TargetClass]] = {
    "pr create": (Verb.PR_OPEN, _PR),
    "pr new": (Verb.PR_OPEN, _PR),
    "pr merge": (Verb.PR_MERGE, _PR),
    "pr accept": (Verb.PR_MERGE, _PR),
    "pr view": (Verb.REPO_READ, _REPO),
    "pr list": (Verb.REPO_READ, _REPO),
    "pr diff": (Verb.REPO_READ, _REPO),
    "pr checks": (Verb.REPO_READ, _REPO),
    "pr status": (Verb.REPO_READ, _REPO),
    "pr checkout": (Verb.REPO_READ, _REPO),
    "pr": (Verb.REPO_WRITE, _REPO),
    "issue create": (Verb.TICKET_OPEN, _TICKET),
    "issue new": (Verb.TICKET_OPEN, _TICKET),
    "issue view": (Verb.REPO_READ, _TICKET),
    "issue list": (Verb.REPO_READ, _TICKET),
    "issue status": (Verb.REPO_READ, _TICKET),
    "issue": (Verb.TICKET_UPDATE, _TICKET),
    "repo view": (Verb.REPO_READ, _REPO),
    "repo list": (Verb.REPO_READ, _REPO),
    "repo clone": (Verb.REPO_READ, _REPO),
    "repo": (Verb.REPO_WRITE, _REPO),
    "workflow run": (Verb.CI_RUN, _CI),
    "workflow trigger": (Verb.CI_RUN, _CI),
    "workflow retry": (Verb.CI_RUN, _CI),
    "workflow list": (Verb.REPO_READ, _CI),
    "workflow view": (Verb.REPO_READ, _CI),
    "workflow status": (Verb.REPO_READ, _CI),
    "workflow": (Verb.CI_MODIFY, _CI),
    "run rerun": (Verb.CI_RUN, _CI),
    "run cancel": (Verb.CI_RUN, _CI),
    "run delete": (Verb.CI_MODIFY, _CI),
    "run": (Verb.REPO_READ, _CI),
    "secret list": (Verb.REPO_READ, TargetClass.SECRET_STORE),
    "secret": (Verb.SECRET_WRITE, TargetClass.SECRET_STORE),
    "variable list": (Verb.REPO_READ, _CI),
    "variable get": (Verb.REPO_READ, _CI),
    "variable": (Verb.CI_MODIFY, _CI),
    "ruleset": (Verb.REPO_READ, _REPO),
    "release create": (Verb.PACKAGE_PUBLISH, _REPO),
    "release upload": (Verb.PACKAGE_PUBLISH, _REPO),
    "release view": (Verb.REPO_READ, _REPO),
    "release list": (Verb.REPO_READ, _REPO),
    "release download": (Verb.REPO_READ, _REPO),
    "release": (Verb.REPO_WRITE, _REPO),
    "gist view": (Verb.REPO_READ, _REPO),
    "gist list": (Verb.REPO_READ, _REPO),
    "gist": (Verb.REPO_WRITE, _REPO),
    "auth token": (Verb.SECRET_READ, TargetClass.SECRET_STORE),
    "auth login": (Verb.CREDENTIAL_ISSUE, TargetClass.UNKNOWN),
    "auth refresh": (Verb.CREDENTIAL_ISSUE, TargetClass.UNKNOWN),
    "auth logout": (Verb.CREDENTIAL_REVOKE, TargetClass.UNKNOWN),
    "ssh-key add": (Verb.CREDENTIAL_ISSUE, TargetClass.UNKNOWN),
    "deploy-key add": (Verb.CREDENTIAL_ISSUE, _REPO),
    "search": (Verb.REPO_READ, _REPO),
    "browse": (Verb.REPO_READ, _REPO),
    "codespace ssh": (Verb.NET_CONNECT, TargetClass.NETWORK),
    "extension install": (Verb.PACKAGE_INSTALL, TargetClass.PACKAGE_REGISTRY),
}
_QUIET = frozenset(
    {"auth status", "auth setup-git", "config", "alias", "status", "version", "help", "completion", "org", "cache", "label list"}
)
_HOST_VALUES = wordset(
    "-R --repo -t --title -b --body -F --body-file -B --base -H --head -l --label -a --assignee -r --reviewer -m --milestone -X --method -f "
    "--raw-field --field --jq -q --json --template --input --hostname --ref -L --limit -s --state -S --search -e --env -o --org -c --comment "
    "-n --notes --notes-file --target -d --description --source-branch --target-branch --author --message --workflow --branch --commit --user -p "
    "--project --match-head-commit --subject --visibility --cache --preview --header"
)

_HOOKED = wordset("commit push merge pull rebase am")
"""What runs hooks that may refuse, and can be told to run none; elsewhere the word is what somebody looks for."""


def host(call: Call) -> Iterator[Operation]:
    """gh and glab."""
    args = split(call.args, _HOST_VALUES - _switches(call))
    words = args.words()
    if not words:
        if args.operands:
            yield made(call, Verb.UNKNOWN, _REPO, certain=False)
        return
    words[0] = {"mr": "pr", "ci": "workflow", "pipeline": "workflow"}.get(words[0], words[0])
    name = repository_name(args.value("-R", "--repo"))
    if words[0] == "api":
        yield from over_command(call, args, name)
        return
    joined = " ".join(words[:2])
    if joined in _QUIET or words[0] in _QUIET:
        return
    verb, cls = _HOST.get(joined) or _HOST.get(words[0]) or (Verb.UNKNOWN, _REPO)
    detail = words[2] if len(words) > 2 else ""
    if words[0] == "repo" and detail and not name:
        name, detail = repository_name(detail), ""
    if verb is Verb.PR_OPEN:
        detail = args.value("-B", "--base", "--target-branch")
    if cls is TargetClass.SECRET_STORE and detail:
        name, detail = detail, name
    flags = ["destructive"] if len(words) > 1 and words[1] in ("delete", "archive", "purge") else []
    if args.has("--admin"):
        yield made(call, Verb.GUARDRAIL_CHANGE, _REPO, name, "branch protection", ["bypass", "admin"])
        flags.append("admin")
    if verb in (Verb.TICKET_UPDATE, Verb.REPO_WRITE):
        flags.append(f"op={joined}")
    if not name:
        flags += _folder(call)
    yield made(call, verb, cls, name, detail, flags, verb is not Verb.UNKNOWN and all(words[:2]))


def _switches(call: Call) -> frozenset[str]:
    """Short options that take a value elsewhere but none in this sub-command."""
    said = [word.text for word in call.args if not word.text.startswith("-")][:2]
    if said[:1] in (["pr"], ["mr"]):
        return wordset("-d -f -s -e -n -m -r") if "merge" in said else wordset("-d -f -s -e -n")
    return frozenset()


CLASSIFIERS: dict[str, Classifier] = {"git": git, "gh": host, "glab": host, "hub": git}
