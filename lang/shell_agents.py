"""Coding agents started from a shell, safeguards switched off by flags or variables, and programs that run other code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lang.names import host_name
from lang.shell_calls import Call, assignments, wordset
from lang.shell_ops import Classifier, made, split
from lang.shell_syntax import SimpleCommand
from model.event import Operation
from model.words import TargetClass, Verb

_AGENT = TargetClass.AGENT
# Program -> the product's name.
AGENTS: dict[str, str] = {
    "claude": "claude-code",
    "codex": "codex",
    "gemini": "gemini-cli",
    "qwen": "qwen-code",
    "opencode": "opencode",
    "cursor-agent": "cursor",
    "copilot": "copilot",
    "aider": "aider",
    "goose": "goose",
    "amp": "amp",
    "crush": "crush",
    "droid": "droid",
    "auggie": "augment",
    "kiro-cli": "kiro",
    "cline": "cline",
    "openhands": "openhands",
    "swe-agent": "swe-agent",
    "gptme": "gptme",
    "kimi": "kimi",
    "iflow": "iflow",
}
_BYPASS = wordset(
    "--dangerously-skip-permissions --allow-dangerously-skip-permissions --dangerously-bypass-approvals-and-sandbox --dangerously-bypass-hook-trust --yolo "
    "--allow-all-tools --allow-all-paths --allow-all --yes-always --skip-permissions-unsafe --trust-all-tools --dangerously-allow-all --no-sandbox "
    "--dangerously-skip-trust --auto-approve-everything"
)
# Short and valued options that mean the same for one product.
_BYPASS_OF: dict[str, tuple[frozenset[str], dict[str, frozenset[str]]]] = {
    "claude": (frozenset(), {"--permission-mode": frozenset({"bypassPermissions"})}),
    "codex": (
        frozenset(),
        {
            "--ask-for-approval": frozenset({"never"}),
            "-a": frozenset({"never"}),
            "--sandbox": frozenset({"danger-full-access"}),
            "-s": frozenset({"danger-full-access"}),
        },
    ),
    "gemini": (frozenset({"-y"}), {"--approval-mode": frozenset({"yolo"})}),
    "qwen": (frozenset({"-y"}), {"--approval-mode": frozenset({"yolo"})}),
    "cursor-agent": (frozenset({"-f", "--force"}), {}),
    "opencode": (frozenset({"--auto"}), {}),
    "aider": (frozenset({"--yes"}), {}),
    "gptme": (frozenset({"-y", "--no-confirm"}), {}),
    "crush": (frozenset({"-y"}), {}),
}
_PLAIN_SHORT = {"claude": wordset("-c -p"), "cursor-agent": wordset("-p")}
"""Short options that take no value with one product: `-c` is a setting or "continue", `-p` a prompt or "print"."""
_SETTINGS = re.compile(
    r"^(?:approval_policy|sandbox_mode|sandbox_permissions)=[\"']?(?:never|danger-full-access)|^(?:permissions|hooks|mcp_servers)\b"
)
_AGENT_VALUES = wordset(
    "-p --prompt -m --model -c --config -a --ask-for-approval -s --sandbox --permission-mode --approval-mode --settings --add-dir --allowedTools --allowed-tools "
    "--disallowedTools --disallowed-tools --append-system-prompt --system-prompt --output-format --input-format --mcp-config --resume --session-id --agents "
    "-C --cd --profile -i --image --agent --max-turns --message --tools --setting-sources --permission-prompt-tool --append-system-prompt-file -o --output-schema"
)
_QUIET = wordset(
    "--version -v -V --help -h help version update upgrade doctor login logout auth completion install migrate-installer features debug apply stats models"
)
_MESSAGES = wordset("resume continue --resume -r --continue -c")


def agent(call: Call) -> Iterator[Operation]:
    """An agent started; a flag that switches its questions or its sandbox off is an operation of its own."""
    args = split(
        call.args,
        _AGENT_VALUES - _PLAIN_SHORT.get(call.name, frozenset()),
    )
    name = AGENTS[call.name]
    words = args.words()
    action = words[0] if words else ""
    plain, valued = _BYPASS_OF.get(call.name, (frozenset(), {}))
    loose = [option for option, _ in args.options if option in _BYPASS or option in plain]
    loose += [
        f"{option}={word.text}" for option, word in args.options if word and word.literal and word.text in valued.get(option, ())
    ]
    loose += [
        f"{option} {word.text}"
        for option, word in args.options
        if word and option in ("-c", "--config") and _SETTINGS.match(word.text)
    ]
    if loose and action != "mcp":
        # What follows `mcp add` are the options of the server's own command.
        yield made(call, Verb.GUARDRAIL_CHANGE, _AGENT, name, loose[0], ["bypass", *loose])
    if action in _QUIET or any(option in _QUIET for option, _ in args.options[:1]):
        return
    if action in ("mcp", "config", "plugin", "extensions", "skills", "hooks", "permissions"):
        said = words[1] if len(words) > 1 else ""
        if action == "mcp" and said in ("add", "add-json"):
            trusted = ["trust"] if any(option == "--trust" for option, _ in args.options) else []
            yield made(call, Verb.GUARDRAIL_CHANGE, _AGENT, name, f"mcp {said}", [*_server(call), *trusted], certain=args.known)
            return
        if action == "mcp" and said == "remove":
            yield made(call, Verb.GUARDRAIL_CHANGE, _AGENT, name, "mcp remove", ["narrows"], certain=args.known)
            return
        if said in ("add", "add-json", "set", "remove", "install", "enable", "disable", "add-from-claude-desktop", "import"):
            yield made(call, Verb.GUARDRAIL_CHANGE, _AGENT, name, f"{action} {said}", certain=args.known)
            return
        if said or action == "mcp":
            return
    yield made(call, Verb.AGENT_SPAWN, _AGENT, name, "", ["bypass", *loose] if loose else [])


_SERVER_VALUES = wordset(
    "-t --transport -s --scope -e --env -H --header --url --bearer-token-env-var --callback-port --client-id"
)
_FETCHERS = wordset("npx bunx uvx pnpx pipx docker podman uv npm pnpm yarn bun deno")


def _server(call: Call) -> list[str]:
    """What is told of an MCP server that is added: `server=` its name, `remote=` its host, `launch=` the command that starts it."""
    rest = list(call.args[2:])
    args = split(rest, _SERVER_VALUES)
    words = [word.text for word in args.operands if word.literal]
    flags = [f"server={words[0]}"] if words else []
    address = args.value("--url") or next((word for word in words[1:] if "://" in word), "")
    started = next((n for n, word in enumerate(rest) if word.literal and word.text.rpartition("/")[2] in _FETCHERS), None)
    if address and started is None:
        flags.append(f"remote={host_name(address)}")
    elif started is not None:
        flags.append("launch=" + " ".join(word.text for word in rest[started:] if word.literal)[:300])
    return flags


# Variables that switch a safeguard off, and the values that do; no values: any but the empty one and those for "no".
_ANY = frozenset[str]()
_GUARD_VARIABLES: dict[str, frozenset[str]] = {
    "HUSKY": frozenset({"0"}),
    "HUSKY_SKIP_HOOKS": _ANY,
    "HUSKY_SKIP_INSTALL": _ANY,
    "LEFTHOOK": wordset("0 false"),
    "LEFTHOOK_EXCLUDE": _ANY,
    "SKIP": _ANY,
    "PRE_COMMIT_ALLOW_NO_CONFIG": _ANY,
    "OVERCOMMIT_DISABLE": _ANY,
    "GIT_SSL_NO_VERIFY": _ANY,
    "NODE_TLS_REJECT_UNAUTHORIZED": frozenset({"0"}),
    "PYTHONHTTPSVERIFY": frozenset({"0"}),
    "NPM_CONFIG_STRICT_SSL": frozenset({"false"}),
    "npm_config_strict_ssl": frozenset({"false"}),
    "CLAUDE_CODE_DISABLE_HOOKS": _ANY,
    "CLAUDE_CODE_SKIP_PERMISSIONS": _ANY,
    "IS_SANDBOX": _ANY,
    "GEMINI_SANDBOX": wordset("false 0"),
    "GOOSE_MODE": frozenset({"auto"}),
    "CODEX_SANDBOX": wordset("none off danger-full-access"),
    "CODEX_UNSAFE_ALLOW_NO_SANDBOX": _ANY,
    "COPILOT_ALLOW_ALL": _ANY,
    "AIDER_YES_ALWAYS": _ANY,
    "OPENCODE_PERMISSION": _ANY,
    "OPENCODE_DISABLE_PERMISSIONS": _ANY,
    "VAULT_SKIP_VERIFY": _ANY,
    "KUBECTL_INSECURE_SKIP_TLS_VERIFY": _ANY,
    "SKIP_SECRET_SCAN": _ANY,
    "DISABLE_GUARDRAILS": _ANY,
    "ANTHROPIC_BASE_URL": _ANY,
    "HISTFILE": frozenset({"/dev/null"}),
}
_NO = wordset("0 false no off") | {""}


def variables(command: SimpleCommand) -> Iterator[Operation]:
    """Assignments, leading, exported or by `env`, that switch a safeguard off."""
    for name, value in assignments(command):
        if name not in _GUARD_VARIABLES:
            continue
        values = _GUARD_VARIABLES[name]
        call = Call("", (), command)
        if not value.literal:
            yield made(call, Verb.GUARDRAIL_CHANGE, _AGENT, "", name, ["variable"], certain=False)
        elif value.text in values or (not values and value.text.lower() not in _NO):
            yield made(call, Verb.GUARDRAIL_CHANGE, _AGENT, "", name, ["bypass", "variable"])


# Interpreters: the options after which code stands on the command line.
_INLINE: dict[str, frozenset[str]] = {
    **dict.fromkeys(("python", "python2", "python3", "pypy", "pypy3", "ipython"), frozenset({"-c"})),
    **dict.fromkeys(("node", "nodejs", "tsx", "ts-node"), wordset("-e --eval -p --print")),
    **dict.fromkeys(("perl", "ruby"), wordset("-e -E -ne -pe -le -nle -lne -pi")),
    "php": wordset("-r --run"),
    "lua": frozenset({"-e"}),
    "Rscript": frozenset({"-e"}),
    "osascript": frozenset({"-e"}),
    "powershell": wordset("-c -Command -EncodedCommand -enc"),
    "pwsh": wordset("-c -Command -EncodedCommand -enc"),
    "deno": frozenset({"eval"}),
    "bun": wordset("-e --eval"),
    "elixir": frozenset({"-e"}),
    "expect": frozenset({"-c"}),
    "groovy": frozenset({"-e"}),
    "scala": frozenset({"-e"}),
    "julia": wordset("-e -E"),
    "sqlcmd": frozenset(),
}
_MODULES = {
    "pip": "pip",
    "pip3": "pip",
    "twine": "twine",
    "poetry": "poetry",
    "uv": "uv",
    "pipx": "pipx",
    "pdm": "pdm",
    "hatch": "hatch",
}


def interpreter(call: Call) -> Iterator[Operation]:
    """Code in another language is not looked into: what it does is unknown, never safe. A file or module is named."""
    options = _INLINE[call.name]
    words = call.args
    for word in words:
        text = word.text
        if not word.literal:
            yield made(call, Verb.UNKNOWN, flags=["inline-code"], certain=False)
            return
        if text in options or (
            len(text) > 2 and text[:2] in options and text[1] != "-" and call.name.startswith(("python", "perl", "ruby"))
        ):
            yield made(call, Verb.UNKNOWN, TargetClass.UNKNOWN, call.name, flags=["inline-code"], certain=False)
            return
        if text == "-m" and call.name.startswith(("python", "pypy")):
            break
        if not text.startswith("-"):
            yield made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name, text, ["script"])
            return
        if text in ("--version", "-V", "-v", "--help", "-h"):
            return
        if text == "-":
            break
    names = [word.text for word in words]
    if "-m" in names and names.index("-m") + 1 < len(names):
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name, names[names.index("-m") + 1], ["module"])
    elif (
        call.command.given is not None
        or call.command.piped
        or "-" in names
        or any(r.operator == "<" for r in call.command.redirects)
    ):
        yield made(call, Verb.UNKNOWN, TargetClass.UNKNOWN, call.name, flags=["inline-code"], certain=False)
    else:
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name)


def module_of(call: Call) -> Call | None:
    """`python -m pip install x` as the `pip install x` it is."""
    if not call.name.startswith(("python", "pypy")):
        return None
    names = [word.text for word in call.args[:6]]
    if "-m" not in names:
        return None
    at = names.index("-m") + 1
    if at < len(call.args) and call.args[at].literal and call.args[at].text in _MODULES:
        return call._replace(name=_MODULES[call.args[at].text], args=call.args[at + 1 :])
    return None


CLASSIFIERS: dict[str, Classifier] = {
    **dict.fromkeys(AGENTS, agent),
    **dict.fromkeys((name for name in _INLINE if name not in ("deno", "bun", "sqlcmd")), interpreter),
}
