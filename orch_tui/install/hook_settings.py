"""Registering ``orch hook`` with Claude Code and taking it out again.

A settings file is the user's: it is changed in place, what else it holds keeps its bytes, and
what it was before is kept beside it. Nothing is written where the file is not understood.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from orch_tui import hook
from orch_tui.claude_client import client_version
from orch_tui.errors import ConflictError, FormatError, UsageError
from orch_tui.files import refuse_leading_out, refused_reading, refused_writing, write
from orch_tui.frozen import frozen
from orch_tui.install import json_text
from orch_tui.install.skill import backup_of, backups_of
from orch_tui.paths import AnyPath, claude_folder

EVENTS: Mapping[str, str | None] = {
    "PreToolUse": "Agent|Task",
    "PostToolUse": "Agent|Task|SendMessage|TaskStop|SubagentHandback",
    "PostToolUseFailure": "Agent|Task",
    "SubagentStart": None,
    "SubagentStop": None,
    "StopFailure": None,
    "UserPromptSubmit": None,
    "PermissionRequest": None,
    "SessionEnd": None,
}
"""What orch listens to, and for which tools (https://code.claude.com/docs/en/hooks)."""

_STRICT_BEFORE = (2, 0, 43)
_NEW_TO_STRICT = ("PostToolUseFailure", "SubagentStart", "StopFailure", "PermissionRequest")
"""Events that a release before that does not know: it drops a settings file that names one, and
says nothing (measured with 1.0.24 to 2.0.30); later ones pass over what they do not know."""

PLAIN = "orch hook"
"""The command in a file that people share: whichever orch each of them has."""

_TIMEOUT = 10
"""Seconds until Claude Code gives up on it; it takes milliseconds."""

_OURS = re.compile(
    r"(?:^orch hook(?P<plain> --hand-over)?"
    r"|orch_tui[/\\](?P<file>hand_over_)?hook\.py['\"]? \|\| true)$"
)
"""The recording hook, and with one of the groups the hand-over hook."""

Document = dict[str, Any]


@frozen
class Change:
    """What would be done to one settings file."""

    path: Path
    before: bytes | None
    """None: there is no file."""
    after: bytes | None
    """None: the file goes."""

    @property
    def is_none(self) -> bool:
        return self.before == self.after

    def diff(self) -> list[str]:
        """The lines of a unified diff."""
        from difflib import unified_diff

        name = str(self.path)
        before, after = (
            (data or b"").decode("utf-8-sig").splitlines() for data in (self.before, self.after)
        )
        return list(unified_diff(before, after, name, name, lineterm="", n=2))


@frozen
class RegisteredHook:
    """The hooks of orch in one settings file."""

    path: Path
    command: str
    is_complete: bool
    """Every event is registered that this version of orch wants and the client knows."""
    works: bool
    """What the command names is there."""
    hands_over: bool = False
    """The hand-over hook is registered, too."""


@frozen
class HookState:
    """Whether Claude Code tells orch of the runs of a project."""

    registered: tuple[RegisteredHook, ...]
    unreadable: tuple[Path, ...]
    """Settings files that are no JSON; Claude Code does not read them either."""
    disabled: bool
    """The settings turn all hooks off."""

    @property
    def is_on(self) -> bool:
        return not self.disabled and any(r.is_complete and r.works for r in self.registered)

    @property
    def hands_over(self) -> bool:
        """Whether the line that names a briefing can stand for it."""
        return not self.disabled and any(r.hands_over and r.works for r in self.registered)


def heard_events() -> Mapping[str, str | None]:
    """Give the part of ``EVENTS`` that the Claude Code on PATH takes; all where none is found."""
    version = client_version()
    if version is None or version >= _STRICT_BEFORE:
        return EVENTS
    return {event: tools for event, tools in EVENTS.items() if event not in _NEW_TO_STRICT}


def settings_file(project: AnyPath | None, *, shared: bool = False) -> Path:
    """The user's settings of a project, or the shared ones; None: of all the user's projects."""
    if project is None:
        return Path(claude_folder(), "settings.json")
    return Path(project, ".claude", "settings.json" if shared else "settings.local.json")


def command(interpreter: str) -> str:
    """The command that starts the hook of this installation, and can never fail.

    Without ``|| true`` an installation that is gone would end it with 2 or 127; with 2 Claude Code
    does not let the user's tool call happen.

    Raises:
        UsageError: ``interpreter`` is no absolute path.
    """
    if not os.path.isabs(interpreter):
        raise UsageError(f"{interpreter!r} is no absolute path of a Python")
    file = os.path.abspath(hook.__file__)
    return f"{shlex.quote(interpreter)} -I -S {shlex.quote(file)} || true"


def hand_over_command(run: str) -> str:
    """The command of the hand-over hook of the installation whose recording hook is ``run``."""
    if run == PLAIN:
        return f"{PLAIN} --hand-over"
    folder, _, rest = run.rpartition("hook.py")
    return f"{folder}hand_over_hook.py{rest}"


def hooks(run: str, hand_over: bool = False) -> Document:
    """Give the ``hooks`` of a file that has no others."""
    held: Document = {}
    for event, group in _wanted(run, hand_over):
        held.setdefault(event, []).append(group)
    return held


def state(project: AnyPath) -> HookState:
    """What is registered for a project: its own settings, the shared ones, the user's."""
    registered, unreadable, disabled = [], [], False
    for path in (
        settings_file(project),
        settings_file(project, shared=True),
        settings_file(None),
    ):
        try:
            document = _parse(path, _text(path))
        except (FormatError, OSError):
            unreadable.append(path)
            continue
        disabled = disabled or document.get("disableAllHooks") is True
        run, hands_over = _commands(document)
        if run is not None:
            complete = _is_complete(document, run, hands_over)
            works = _works(run) and (not hands_over or _works(hand_over_command(run)))
            registered.append(RegisteredHook(path, run, complete, works, hands_over))
    return HookState(tuple(registered), tuple(unreadable), disabled)


def installation(path: Path, run: str, *, hand_over: bool = False) -> Change:
    """Registering the command ``run`` in a settings file, with ``hand_over`` that hook, too.

    A hand-over hook that is there stays.

    Raises:
        FormatError: the file is not what Claude Code reads; it says what to do.
        SourceError: a link leads it out of the project, or it cannot be read.
    """
    before = _held(path)
    text = _decoded(path, before or b"")
    document = _parse(path, text)
    hand_over = hand_over or _commands(document)[1]
    if _is_complete(document, run, hand_over):
        return Change(path, before, before)
    if _is_complete(document, run, False):  # what else it holds, `removal` recognises
        after = _checked_with(text, *_wanted(run, hand_over)[-1])
    else:
        after = _installed(path, text, run, hand_over)
    return Change(path, before, after.encode(_encoding(before)))


def removal(path: Path) -> Change:
    """Taking out what ``installation`` put in, and nothing else.

    Where the file is as the installation left it, it becomes what it was before, byte for byte.

    Raises:
        FormatError: the file is no JSON.
        SourceError: a link leads it out of the project, or it cannot be read.
    """
    before = _held(path)
    text = _decoded(path, before or b"")
    run, hand_over = _commands(_parse(path, text))
    if run is None:
        return Change(path, before, before)
    for backup in reversed(backups_of(path)):
        with suppress(FormatError, OSError):
            was = backup.read_bytes()
            old = _decoded(path, was)
            if not any(_ours(_parse(path, old))) and _installed(path, old, run, hand_over) == text:
                return Change(path, before, was)
    after = _without(path, text)
    gone = not json.loads(after) and not backups_of(path)
    return Change(path, before, None if gone else after.encode(_encoding(before)))


def apply(change: Change) -> Path | None:
    """Make a change and give the copy of what was there, where one was needed.

    Raises:
        SourceError: the file cannot be read or written.
        ConflictError: somebody else changed it after ``change`` was made.
    """
    if change.is_none:
        return None
    path = Path(os.path.realpath(change.path))  # a link of the user's stays one
    backup = None
    with refused_reading(str(path)):
        if (path.read_bytes() if path.exists() else None) != change.before:
            raise ConflictError(
                f"{path} was changed in the meantime",
                hint="repeat the command to see how it is now",
            )
        kept = [b.read_bytes() for b in backups_of(change.path)]
    with refused_writing(str(path)):
        if change.before is not None and change.after is not None and change.before not in kept:
            backup = backup_of(change.path)
            from shutil import copy2

            copy2(path, backup)
        if change.after is None:
            path.unlink()
    if change.after is not None:
        write(path, change.after)
    return backup


def _held(path: Path) -> bytes | None:
    """Read a settings file that is about to be changed; None: there is none.

    One of a project must lie in it: a repository can bring a link to the user's own settings. The
    user's own may be a link, into a folder of dotfiles for example.
    """
    if path.parent != Path(claude_folder()):
        refuse_leading_out(path, path.parent.parent)
    with refused_reading(str(path)):
        return _bytes(path)


def _bytes(path: Path) -> bytes | None:
    if not path.exists():
        return None
    if path.is_file():
        return path.read_bytes()
    raise _wrong(path, "it is no plain file")


# The document


def _wanted(run: str, hand_over: bool) -> list[tuple[str, Document]]:
    """Event and group of every hook to register."""
    wanted = [(event, _group(event, run)) for event in heard_events()]
    if hand_over:
        wanted.append((_HAND_OVER_AT, _group(_HAND_OVER_AT, hand_over_command(run))))
    return wanted


_HAND_OVER_AT = "PreToolUse"


def _group(event: str, run: str) -> Document:
    entry = {"type": "command", "command": run, "timeout": _TIMEOUT}
    matcher = EVENTS[event]
    return {"hooks": [entry]} if matcher is None else {"matcher": matcher, "hooks": [entry]}


def _ours(document: Document) -> Iterator[tuple[str, Document, Document]]:
    """Event, group and entry of every hook that is orch's."""
    for event, groups in document.get("hooks", {}).items():
        for group in groups:
            for entry in _entries(group):
                if _is_ours(entry):
                    yield event, group, entry


def _entries(group: Any) -> list[Any]:
    held = group.get("hooks") if isinstance(group, dict) else None
    return held if isinstance(held, list) else []


def _is_ours(entry: Any) -> bool:
    run = entry.get("command") if isinstance(entry, dict) else None
    return isinstance(run, str) and bool(_OURS.search(run.strip()))


def _commands(document: Document) -> tuple[str | None, bool]:
    """The command of the recording hook, None where no hook is orch's; whether one hands over."""
    runs, hands_over = [], False
    for _, _, entry in _ours(document):
        run = entry["command"].strip()
        found = _OURS.search(run)
        if found and (found["plain"] or found["file"]):
            hands_over = True
            run = PLAIN if found["plain"] else "hook.py".join(run.rsplit("hand_over_hook.py", 1))
        runs.append(run)
    return (runs[0] if runs else None), hands_over


def _is_complete(document: Document, run: str, hand_over: bool) -> bool:
    """Whether each event is registered once, in a group of its own."""
    held = [(event, group) for event, group, _ in _ours(document)]
    wanted = _wanted(run, hand_over)
    return len(held) == len(wanted) and all(each in held for each in wanted)


def _works(run: str) -> bool:
    if run.strip() == PLAIN:
        from shutil import which

        return which("orch") is not None
    try:
        words = shlex.split(run)
    except ValueError:
        return False
    return all(os.path.exists(word) for word in words if os.path.isabs(word))


# The text


def _installed(path: Path, text: str, run: str, hand_over: bool) -> str:
    text = _without(path, text) if text.strip() else "{}\n"
    wanted = json.loads(text)
    for event, group in _wanted(run, hand_over):
        wanted.setdefault("hooks", {}).setdefault(event, []).append(group)
        text = _with(text, event, group)
    return _checked(text, wanted)


def _checked_with(text: str, event: str, group: Document) -> str:
    wanted = json.loads(text)
    wanted["hooks"][event].append(group)
    return _checked(_with(text, event, group), wanted)


def _with(text: str, event: str, group: Document) -> str:
    root = json_text.beginning(text)
    held = json_text.member(text, root, "hooks")
    if held is None:
        return json_text.insert(text, root, {event: [group]}, key="hooks")
    groups = json_text.member(text, held.value, event)
    if groups is None:
        return json_text.insert(text, held.value, [group], key=event)
    return json_text.insert(text, groups.value, group)


def _without(path: Path, text: str) -> str:
    wanted = _parse(path, text)
    if not any(_ours(wanted)):
        return text
    for event, groups in list(wanted["hooks"].items()):
        for group in list(groups):
            if any(map(_is_ours, _entries(group))):
                group["hooks"] = [entry for entry in group["hooks"] if not _is_ours(entry)]
                if not group["hooks"]:
                    groups.remove(group)
                if not groups:
                    wanted["hooks"].pop(event, None)
    if not wanted["hooks"]:
        del wanted["hooks"]
    while (shorter := _without_one(text)) is not None:
        text = shorter
    return _checked(text, wanted)


def _without_one(text: str) -> str | None:
    """The text without the first of our hooks, and without what is empty then."""
    root = json_text.beginning(text)
    held = json_text.member(text, root, "hooks")
    if held is None:
        return None
    way = [(root, json_text.items(text, root).index(held))]
    for event_number, event in enumerate(json_text.items(text, held.value)):
        for group_number, group in enumerate(json_text.items(text, event.value)):
            entries = text[group.value] == "{" and json_text.member(text, group.value, "hooks")
            if not entries or text[entries.value] != "[":
                continue
            for number, entry in enumerate(json_text.items(text, entries.value)):
                if _is_ours(json.loads(text[entry.value : entry.end])):
                    way += [
                        (held.value, event_number),
                        (event.value, group_number),
                        (entries.value, number),
                    ]
                    while len(way) > 1 and len(json_text.items(text, way[-1][0])) == 1:
                        way.pop()
                    return json_text.remove(text, *way[-1])
    return None


def _checked(text: str, wanted: Document) -> str:
    """The text, if it says what it should; else (a key twice, say) the same written anew."""
    if json.loads(text) == wanted:
        return text
    return json.dumps(wanted, indent=2, ensure_ascii=False) + "\n"


def _text(path: Path) -> str:
    return _decoded(path, _bytes(path) or b"")


def _encoding(before: bytes | None) -> str:
    return "utf-8-sig" if (before or b"").startswith(b"\xef\xbb\xbf") else "utf-8"


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, f"byte {error.start} is not UTF-8") from None


def _parse(path: Path, text: str) -> Document:
    """The settings as far as orch has to understand them."""
    if not text.strip():
        return {}
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise _wrong(path, str(error)) from None
    held = document.get("hooks", {}) if isinstance(document, dict) else None
    checks: list[tuple[Callable[[], bool], str]] = [
        (lambda: isinstance(document, dict), "it is no JSON object"),
        (lambda: isinstance(held, dict), '"hooks" is no JSON object'),
    ]
    for is_right, wrong in checks:
        if not is_right():
            raise _wrong(path, wrong)
    for event, groups in (held or {}).items():
        if not isinstance(groups, list):
            raise _wrong(path, f'"hooks"."{event}" is no list')
    return dict(document)


def _wrong(path: Path, what: str) -> FormatError:
    return FormatError(
        f"{path}: {what}",
        hint="Claude Code takes plain JSON only, without comments: mend the file, then repeat this",
    )
