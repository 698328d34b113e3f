"""From words on the command line to a command and its arguments.

Only the module of the command that was asked for is imported, and only its parser is built:
building all of them would take longer than most commands.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from importlib import import_module
from keyword import iskeyword
from typing import Any, NamedTuple, NoReturn

from orch_tui.errors import FormatError, UsageError
from orch_tui.project import Project


class Command(NamedTuple):
    """One command: where it lives and what the list of commands says of it."""

    module: str
    summary: str


COMMANDS = {
    "init-session": Command("session_commands", "open a session"),
    "use": Command("session_commands", "keep a session as the one meant here, or tell which is"),
    "set-phase": Command("session_commands", "move a session to a phase, 1 to 5"),
    "set-scope": Command("session_commands", "change what a session is about"),
    "set-budget": Command(
        "session_commands", "change the budget of a session, its thresholds and reserve"
    ),
    "plan": Command("plan_command", "plan the agents of a session"),
    "init-deployment": Command(
        "deployment_commands", "record a deployment, before the agent starts"
    ),
    "record-allocation": Command("deployment_commands", "record what an execution was given"),
    "record-completion": Command("completion_commands", "record what came back"),
    "collect": Command(
        "completion_commands", "record deliverables, validation results and insights"
    ),
    "complete-session": Command("session_commands", "close a session"),
    "retract": Command(
        "completion_commands", "take back an execution or bundle recorded by mistake"
    ),
    "prepare-bundle": Command("prepare", "compose the context for one agent"),
    "bundles": Command("bundles", "list saved bundles; copy, export, import, restore them"),
    "track-budget": Command("prepare", "show the budget of a session or of bundles"),
    "deduplicate": Command("bundles", "find what several bundles share"),
    "generate-briefing": Command("prepare", "render the text an agent is handed"),
    "validate": Command("prepare", "check scope, files and dependencies of a plan"),
    "check-bounds": Command("prepare", "check that files fit the context of a phase"),
    "count": Command("prepare", "count the tokens of files"),
    "query": Command("find_commands", "list executions or sessions"),
    "outputs": Command("find_commands", "list what agents produced"),
    "history": Command("find_commands", "search everything that was recorded"),
    "show": Command("show_commands", "show one execution whole"),
    "compare": Command("show_commands", "put two executions side by side"),
    "replay": Command("show_commands", "render a past briefing again, or deploy it again"),
    "stats": Command("stats_commands", "what went with success, always with n"),
    "synthesize": Command("stats_commands", "write the report of a session"),
    "import": Command("import_command", "take in transcripts of Claude Code, or an export"),
    "hook": Command("capture", "keep a hook event of Claude Code (see orch install --hooks)"),
    "watch": Command("capture", "print a line for each deployment and return as it happens"),
    "path": Command("manage", "print where the record, the settings or the inbox are"),
    "config": Command("manage", "show every setting and where it comes from"),
    "doctor": Command("manage", "check the record and say what to do"),
    "migrate": Command("manage", "bring the record of an older orch up to date"),
    "backup": Command("manage", "copy the record while it is in use"),
    "restore": Command("manage", "make a backup the record again"),
    "export": Command("manage", "write the whole record as JSONL"),
    "redact": Command("manage", "remove a secret from everywhere it stands"),
    "forget": Command("manage", "drop the texts of old runs; figures and hashes stay"),
    "install": Command("install_commands", "install the skill or the hooks for Claude Code"),
    "uninstall": Command("install_commands", "remove what was installed"),
    "hub connect": Command("hub_commands", "join the record to the hub of a team"),
    "hub status": Command("hub_commands", "tell which hub the record is joined to, and who else"),
    "hub sync": Command("hub_sync_command", "send what is new here, fetch what is new there"),
    "hub disconnect": Command("hub_commands", "leave the hub; what is there stays there"),
    "hub serve": Command("hub_commands", "run a hub on this machine"),
    "hub admin init": Command("hub_admin_commands", "make a hub in a database"),
    "hub admin migrate": Command("hub_admin_commands", "bring a hub up to date, with its months"),
    "hub admin check": Command("hub_admin_commands", "check a hub and say what to do"),
    "hub admin held": Command("hub_admin_commands", "what looks like a secret and is held back"),
    "hub admin forget": Command("hub_admin_commands", "forget what a machine sent, or is old"),
    "completion": Command("manage", "print the shell completion script"),
    "demo": Command("demo", "run a whole orchestration on a sample project"),
}

_GROUPS = {
    "prepare": "Prepare",
    "bundles": "Prepare",
    "session_commands": "Record",
    "plan_command": "Record",
    "deployment_commands": "Record",
    "completion_commands": "Record",
    "import_command": "Capture",
    "capture": "Capture",
    "find_commands": "Recall",
    "show_commands": "Recall",
    "stats_commands": "Recall",
    "manage": "Manage",
    "install_commands": "Manage",
    "hub_commands": "Team",
    "hub_sync_command": "Team",
    "hub_admin_commands": "Team",
    "demo": "Try",
}


EVERYDAY = (
    *("plan", "prepare-bundle", "track-budget", "init-deployment", "record-completion"),
    *("query", "history", "show", "stats", "import", "install", "doctor", "demo"),
)
"""What ``orch --help`` lists; ``orch help --all`` lists every command."""

_unmeasured = partial(argparse.RawDescriptionHelpFormatter, width=80)
"""What argparse makes with each option, to check it. To measure the terminal for that it would
load three compression libraries."""


SHORT = {
    "--session-id": "-s",
    "--execution-id": "-e",
    "--agent-type": "-a",
    "--format": "-f",
    "--output": "-o",
    "--limit": "-n",
}
"""The options that are typed most, and their short forms in every command that has them, but for
``orch history``: there ``-word`` leaves a word out."""


class Parser(argparse.ArgumentParser):
    """Examples keep their lines; an abbreviation of a flag is no flag."""

    def __init__(
        self, name: str, *, example: str, remarks: str = "", has_record: bool = True
    ) -> None:
        summary = f"{COMMANDS[name].summary[0].upper()}{COMMANDS[name].summary[1:]}."
        super().__init__(
            prog=f"orch {name}",
            description=f"{summary}\n\n{remarks}" if remarks else summary,
            epilog=f"example:\n{_indented(example)}",
            formatter_class=_unmeasured,
            allow_abbrev=False,
        )
        self._rules: list[tuple[str, tuple[str, ...], bool]] = []
        self._may_be_empty: set[str] = set()
        self._given: list[str] = []
        if has_record:
            self.add_argument("--db", metavar="FILE", help="the database (default: the project's)")

    def _add_action(self, action: Any) -> Any:
        """Give an option its short form; those of groups come by here, too."""
        if self.prog != "orch history":
            action.option_strings = [
                *(SHORT[flag] for flag in action.option_strings if flag in SHORT),
                *action.option_strings,
            ]
        return super()._add_action(action)

    def require(self, name: str, *others: str) -> None:
        """Refuse an argument where none of the others is given, without which it means nothing.

        An argument is named as it is typed: ``--flag``, ``--flag value``, or ``BUNDLE`` for a
        positional one.
        """
        self._rules.append((name, others, True))

    def forbid(self, name: str, *others: str) -> None:
        """Refuse an argument beside any of the others, one of which would be ignored."""
        self._rules.append((name, others, False))

    def allow_empty(self, *flags: str) -> None:
        """Take an empty value of these options, to which there is a meaning."""
        self._may_be_empty.update(flags)

    def _check_empty(self, typed: Collection[str], known: argparse.Namespace) -> None:
        """Refuse an empty value, mostly that of a variable that nobody set: it names nothing."""
        for action in self._actions:
            flag = action.option_strings[-1] if action.option_strings else ""
            if not flag or flag not in typed or flag in self._may_be_empty:
                continue
            value = getattr(known, action.dest, None)
            values = value if isinstance(value, list) else [value]
            if any(isinstance(each, str) and not each.strip() for each in values):
                self.error(f"{flag} is empty; is a variable empty?")

    def _list_typed(self, args: list[str]) -> set[str]:
        """List the options that were typed, in their long forms."""
        flags = args[: args.index("--")] if "--" in args else args
        typed = {word.partition("=")[0] for word in flags}
        return typed | {f for f, short in SHORT.items() if any(w[:2] == short for w in flags)}

    def _check_rules(self, typed: Collection[str], known: argparse.Namespace) -> None:
        def is_given(name: str) -> bool:
            flag, _, value = name.partition(" ")
            if flag.startswith("--"):
                return flag in typed and (not value or str(self._value(flag, known)) == value)
            return self._value(flag, known) not in (None, [])

        for name, others, needed in self._rules:
            if is_given(name):
                given = [other for other in others if is_given(other)]
                if needed and not given:
                    self.error(f"{name} is only for {' or '.join(others)}")
                if given and not needed:
                    self.error(f"{name} does not go with {given[0]}")

    def _value(self, name: str, known: argparse.Namespace) -> Any:
        """The value of an argument, by its flag or by what the help calls it."""
        action = next(a for a in self._actions if name in (*a.option_strings, a.metavar))
        return getattr(known, action.dest)

    def format_help(self) -> str:
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """``-word`` leaves a word out of a search: it is no flag where words are taken."""
        args = sys.argv[1:] if args is None else list(args)
        if self._takes_words:
            args = list(self._blank_before_words(args))
        self._given = args
        known, unknown = super().parse_known_args(args, namespace)
        typed = self._list_typed(args)
        self._check_empty(typed, known)
        self._check_rules(typed, known)
        return known, unknown

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Refuse ``--files=--``, of which argparse makes an empty list before Python 3.13."""
        if action.option_strings and arg_strings == ["--"]:
            self.error(f"argument {action.option_strings[0]}: -- is no value for it")
        return super()._get_values(action, arg_strings)

    @property
    def _takes_words(self) -> bool:
        return any(action.dest == "words" for action in self._actions)

    def _blank_before_words(self, args: list[str]) -> Iterator[str]:
        """Put a blank before what begins with one dash and is no flag: argparse takes it for none
        then, and to a search it means nothing."""
        flags = {flag for action in self._actions for flag in action.option_strings}
        words = False
        for arg in args:
            words = words or arg == "--"
            is_word = arg.startswith("-") and not arg.startswith("--") and arg not in flags
            yield f" {arg}" if is_word and not words else arg

    def error(self, message: str) -> NoReturn:
        """Wrong usage in two lines; the usage as a whole is for ``--help``."""
        print(f"{self.prog}: {message}{self._nearest(message)}", file=sys.stderr)
        print(f"      {self.prog} --help tells more, with an example", file=sys.stderr)
        raise SystemExit(2)

    def _nearest(self, message: str) -> str:
        """For a flag that does not exist, those that are spelled much like it."""
        from difflib import get_close_matches

        if wrong := re.fullmatch(r"(?s).*: invalid choice: '(.*)' \(choose from (.*)\)", message):
            choices = wrong[2].replace("'", "").split(", ")
            meant = [choice for choice in choices if choice.split("_")[0] == wrong[1]]
            near = meant or get_close_matches(wrong[1], choices, n=2)
            return f"; did you mean {' or '.join(near)}?" if near else ""
        if not message.startswith("unrecognized arguments"):
            return ""
        flags = [flag for action in self._actions for flag in action.option_strings]
        words = [word for word in message.split(": ", 1)[1].split() if word.startswith("--")]
        near = [n for word in words for n in get_close_matches(word.split("=")[0], flags, n=2)]
        if near:
            return f" (nearest: {', '.join(near)})"
        if self._takes_words and words:
            return f"; to search for it, put -- before it: {self.prog} -- {' '.join(words)}"
        return self._tell_commas(message.split(": ", 1)[1])

    def _tell_commas(self, unknown: str) -> str:
        """For words behind an option that takes a list: how it is written."""
        place = next((n for n, a in enumerate(self._given) if f"{unknown} ".startswith(f"{a} ")), 0)
        flag = next((word for word in self._given[:place][::-1] if word.startswith("-")), "")
        action = self._option_string_actions.get(flag.partition("=")[0])
        if action is None or not ("," in str(action.metavar) or action.metavar == "SOURCE"):
            return ""
        return f"; separate several with commas: {flag} A,B"


def project_of(
    arguments: argparse.Namespace, broken_settings: Callable[[FormatError], object] | None = None
) -> Project:
    """The project that a command is about; ``main`` closes it when the command has ended.

    Settings that are wrong raise FormatError, or are told to ``broken_settings`` and passed over.
    """
    arguments.project_opened = Project(
        database=arguments.db,
        face="command",
        recording=not getattr(arguments, "no_record", False),
        broken_settings=broken_settings,
        remark=_remark,
    )
    return arguments.project_opened  # type: ignore[no-any-return]


def _remark(text: str) -> None:
    from orch_tui.cli.printing import say

    say(f"orch: {text}")


Builder = Callable[[], argparse.ArgumentParser]


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments of the command in ``argv``; its ``run`` does the work.

    Options may stand before the command, too.
    """
    if "_ARGCOMPLETE" in os.environ:
        from orch_tui.cli.shell_completion import answer_shell

        answer_shell((name, c.summary, partial(_made, name)) for name, c in COMMANDS.items())
    if argv and argv[0].startswith("-") and (place := _find_command(argv)) is not None:
        end = place + len(name_command(argv[place:]).split())
        argv = [*argv[place:end], *argv[:place], *argv[end:]]
    if not argv or argv[0].startswith("-"):
        return _make_whole(EVERYDAY).parse_args(argv)
    if argv[0] == "help":
        return _parse_help(argv[1:])
    name = name_command(argv)
    if name not in COMMANDS and (listed := _list_group(argv)):
        return argparse.Namespace(run=lambda _: print("\n".join(listed)))
    return _build(name)().parse_args(argv[len(name.split()) :])


def name_command(words: list[str]) -> str:
    """Name the command that words begin with: of one word, or of several (``hub admin init``)."""
    longest = max(len(name.split()) for name in COMMANDS)
    names = [" ".join(words[:length]) for length in range(longest, 0, -1)]
    typed = (
        names[0].partition(" -")[0] if any(c.startswith(f"{words[0]} ") for c in COMMANDS) else ""
    )
    return next((name for name in names if name in COMMANDS), typed or words[0])


def _list_group(words: list[str]) -> list[str]:
    """List the commands that begin with words, where these are all that was typed but for
    ``--help``."""
    typed = [word for word in words if word not in ("-h", "--help")]
    if not typed:
        return []
    listed = [name for name in COMMANDS if name.split()[: len(typed)] == typed]
    return [f"  orch {name:<19}{COMMANDS[name].summary}" for name in listed]


def _parse_help(words: list[str]) -> argparse.Namespace:
    """``orch help``, ``--all``, ``settings``, ``json``, ``json COMMAND`` and ``COMMAND``."""
    if words[:1] == ["json"]:
        from orch_tui.cli.json_help import render_json_help

        return argparse.Namespace(run=lambda _: print(render_json_help(words[1:]), end=""))
    name = name_command(words) if words else ""
    if name not in COMMANDS and words and (listed := _list_group(words)):
        return argparse.Namespace(run=lambda _: print("\n".join(listed)))
    if len(words) > max(1, len(name.split())):
        raise UsageError("help is of one command", hint="orch help --all lists all of them")
    if words == ["settings"]:
        from orch_tui.cli.help_topics import render_settings_help

        return argparse.Namespace(run=lambda _: print(render_settings_help(), end=""))
    if words and not words[0].startswith("-"):
        parser = _build(name)()
    elif words in ([], ["--all"]):
        parser = _make_whole(COMMANDS if words else EVERYDAY)
    else:
        raise UsageError(f"{words[0]} is no command", hint="orch help --all, or COMMAND")
    return argparse.Namespace(run=lambda _: parser.print_help())


def _build(name: str) -> Builder:
    """What builds the parser of a command, as somebody typed its name."""
    if name in COMMANDS:
        return builder(name)
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=3)
    raise UsageError(
        f"there is no command {name!r}",
        hint=f"nearest: {', '.join(near)}" if near else "orch help --all lists the commands",
    )


def _find_command(words: list[str]) -> int | None:
    """Return where the command stands behind options; None where only options do.

    A word behind an option that takes a value is that value, whatever commands there are.
    """
    for place, word in enumerate(words):
        if word == "--":
            return None
        name = name_command(words[place:])
        if name in COMMANDS:
            before = words[place - 1]
            options = builder(name)()._option_string_actions
            if not before.startswith("-") or "=" in before:
                return place
            if before in options and options[before].nargs == 0:
                return place
    return None


def _made(name: str) -> argparse.ArgumentParser:
    return builder(name)()


def builder(name: str) -> Builder:
    """What builds a command's parser: ``init-session`` -> ``init_session``, ``import_``,
    ``hub status`` -> ``hub_status``."""
    module = import_module(f"orch_tui.cli.{COMMANDS[name].module}")
    function = re.sub("[- ]", "_", name) + "_" * iskeyword(name)
    build: Builder = getattr(module, function)
    return build


def _make_whole(names: Collection[str]) -> argparse.ArgumentParser:
    """``orch`` without a command: the screens, and the help that lists commands."""
    from orch_tui import __version__
    from orch_tui.cli import open_app

    lines = []
    for title in dict.fromkeys(_GROUPS.values()):
        listed = [n for n, c in COMMANDS.items() if _GROUPS[c.module] == title and n in names]
        lines += [f"\n{title}:"] if listed else []
        lines += [f"  {n:<19}{COMMANDS[n].summary}" for n in listed]
    others = len(COMMANDS) - len(names)
    ends = ["", "orch help COMMAND tells more, with an example."]
    ends += [f"orch help --all lists {others} more."] if others else []
    ends += ["orch help settings: settings, environment, exit codes, files."]
    ends += ["orch help json: what the answers to --format json hold."]
    parser = argparse.ArgumentParser(
        prog="orch",
        usage="orch [--web [--port N]] [--db FILE]\n       orch COMMAND ...",
        description="Prepare, record and recall the work you delegate to Claude Code subagents.",
        epilog="\n".join([*lines, *ends]).strip("\n"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"orch {__version__}")
    open_app.add_options(parser)
    return parser


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
