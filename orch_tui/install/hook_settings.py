"""Registering ``orch hook`` with Claude Code and taking it out again."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from orch_tui import hook
from orch_tui.claude_client import oldest_client
from orch_tui.errors import FormatError, UsageError
from orch_tui.frozen import frozen
from orch_tui.install import json_text
from orch_tui.install.allowance import is_allowed, with_rule, without_rule
from orch_tui.install.enabled_plugins import HOOKS, enabled_plugins, read_object
from orch_tui.install.settings_file import (
    Change,
    Document,
    check_settings,
    checked_text,
    decode_settings,
    encoding_of,
    managed_settings,
    parse_settings,
    read_note,
    read_settings,
    settings_files,
    settings_text,
)
from orch_tui.install.skill import backups_of
from orch_tui.paths import AnyPath

EVENTS: Mapping[str, str | None] = {
    "PreToolUse": "Agent|Task",
    "PostToolUse": "Agent|Task|SendMessage|TaskStop|SubagentHandback",
    "PostToolUseFailure": "Agent|Task",
    "SubagentStart": None,
    "SubagentStop": None,
    "StopFailure": None,
    "TeammateIdle": None,
    "UserPromptSubmit": None,
    "PermissionRequest": None,
    "SessionEnd": None,
}
"""What orch listens to, and for which tools (https://code.claude.com/docs/en/hooks)."""

_STRICT_BEFORE = (2, 0, 43)
_NEW_TO_STRICT = (
    *("PostToolUseFailure", "SubagentStart", "StopFailure", "TeammateIdle", "PermissionRequest"),
)
"""Events that a release before that does not know: it drops a settings file that names one, and
says nothing (measured with 1.0.24 to 2.0.30); later ones pass over what they do not know."""

PLAIN = "orch hook"
"""The command in a file that people share: whichever orch each of them has."""

WHEN = "a running Claude Code uses the hooks at once; one of before 2.1 when it is started again"
"""When they take effect (measured with 2.1.332)."""

_TIMEOUT = 10
"""Seconds until Claude Code gives up on it; it takes milliseconds."""

_OURS = re.compile(
    r"(?:^orch hook(?P<plain> --hand-over)?"
    r"|orch_tui[/\\](?P<file>hand_over_)?hook\.py['\"]? \|\| true)$"
)
"""The recording hook, and with one of the groups the hand-over hook."""


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
    by_plugin: bool = False
    """The file is one of a plugin that is enabled."""
    missing: tuple[str, ...] = ()
    """Events that the client knows and that are not registered."""
    unknown: tuple[str, ...] = ()
    """Events for which the oldest client drops this settings file whole, without a word."""


@frozen
class HookState:
    """Whether Claude Code tells orch of the runs of a project."""

    registered: tuple[RegisteredHook, ...]
    unreadable: tuple[Path, ...]
    """Settings files that are no JSON; Claude Code does not read them either."""
    disabled_by: Path | None
    """The settings file that turns off all hooks."""

    @property
    def is_on(self) -> bool:
        return not self.disabled_by and any(r.is_complete and r.works for r in self.registered)

    @property
    def told_twice(self) -> tuple[RegisteredHook, ...]:
        """Hooks that are all started for one event; one command in several settings is once."""
        different = {(r.by_plugin and r.path, r.command): r for r in self.registered if r.works}
        return tuple(different.values()) if len(different) > 1 else ()

    @property
    def hands_over(self) -> bool:
        """Whether the line that names a briefing can stand for it."""
        return not self.disabled_by and any(r.hands_over and r.works for r in self.registered)


def heard_events() -> Mapping[str, str | None]:
    """Give the part of ``EVENTS`` that the oldest Claude Code here takes; all where none is found.

    Files of settings are read by every client of the user, and a strict one drops them whole.
    """
    oldest = oldest_client()
    if oldest is None or oldest[0] >= _STRICT_BEFORE:
        return EVENTS
    return {event: tools for event, tools in EVENTS.items() if event not in _NEW_TO_STRICT}


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
    """Tell what is registered for a project: in its own settings, the shared ones, the user's, and
    by plugins."""
    registered, unreadable, documents = [], [], []
    heard = heard_events()
    for path in (*managed_settings(), *settings_files(project)):
        try:
            document = parse_settings(path, settings_text(path))
        except (FormatError, OSError):
            unreadable.append(path)
            continue
        documents.append((path, document))
        if (found := _registered(path, document, heard)) is not None:
            registered.append(found)
    for folder in enabled_plugins(project, [document for _, document in documents]):
        with suppress(FormatError):
            document = {"hooks": read_object(folder / HOOKS).get("hooks", {})}
            check_settings(folder / HOOKS, document)
            found = _registered(folder / HOOKS, document, heard)
            if found is not None:
                registered.append(replace(found, by_plugin=True, unknown=()))
    return HookState(tuple(registered), tuple(unreadable), _disabled_by(documents))


def _registered(
    path: Path, document: Document, heard: Mapping[str, str | None]
) -> RegisteredHook | None:
    run, hands_over = _commands(document)
    if run is None:
        return None
    registered = {event for event, _, _ in _ours(document)}
    return RegisteredHook(
        path,
        run,
        is_complete=_is_complete(document, run, hands_over),
        works=_works(run) and (not hands_over or _works(hand_over_command(run))),
        hands_over=hands_over,
        missing=tuple(event for event in heard if event not in registered),
        unknown=tuple(e for e in EVENTS if e in document["hooks"] and e not in heard),
    )


def remedy(project: AnyPath, registered: RegisteredHook) -> str:
    """Name the command that registers the hooks of a file anew."""
    if registered.by_plugin:
        folder = registered.path.parents[1]
        return f"orch install --plugin {shlex.quote(str(folder))}"
    options = dict(zip(settings_files(project), ("", " --shared", " --user"), strict=True))
    return f"orch install --hooks{options.get(registered.path, '')}"


def _disabled_by(documents: Sequence[tuple[Path, Document]]) -> Path | None:
    """Find the file that turns hooks off: the first that says anything of it holds.

    An administrator may let only hooks of their own run.
    """
    for path, document in documents:
        if document.get("allowManagedHooksOnly") is True and path in managed_settings():
            return path
        if isinstance(said := document.get("disableAllHooks"), bool):
            return path if said else None
    return None


def due_installation(project: AnyPath, interpreter: str) -> Change:
    """Make what has hooks already whole again; where nothing has any, register them for a project.

    Raises:
        FormatError: the file is not what Claude Code reads; it says what to do.
        SourceError: a link leads it out of the project, or it cannot be read.
    """
    own = settings_files(project)
    for registered in state(project).registered:
        if registered.path in own and not (registered.is_complete and registered.works):
            run = PLAIN if registered.command == PLAIN else command(interpreter)
            return installation(registered.path, run)
    return installation(own[0], command(interpreter))


def installation(path: Path, run: str, *, hand_over: bool = False) -> Change:
    """Registering the command ``run`` in a settings file, with ``hand_over`` that hook, too.

    A hand-over hook that is there stays.

    Raises:
        FormatError: the file is not what Claude Code reads; it says what to do.
        SourceError: a link leads it out of the project, or it cannot be read.
    """
    before = read_settings(path)
    text = decode_settings(path, before or b"")
    document = parse_settings(path, text)
    hand_over = hand_over or _commands(document)[1]
    if _is_complete(document, run, hand_over):
        return Change(path, before, before)
    if _is_complete(document, run, False):  # what else it holds, `removal` recognises
        after = _checked_with(text, *_wanted(run, hand_over)[-1])
    else:
        after = _installed(path, text, run, hand_over)
    own = read_note(path).allows
    return Change(path, before, after.encode(encoding_of(before)), allows=own)


def removal(path: Path) -> Change:
    """Take out what orch put in, the hooks and the permission to run it, and nothing else.

    Where the file is as that left it, or says the same in another layout, since Claude Code writes
    it anew at times, it becomes what it was before, byte for byte.

    Raises:
        FormatError: the file is no JSON.
        SourceError: a link leads it out of the project, or it cannot be read.
    """
    before = read_settings(path)
    text = decode_settings(path, before or b"")
    document = parse_settings(path, text)
    own_rule = read_note(path).allows and is_allowed(document)
    run, hand_over = _commands(document)
    if run is None and not own_rule:
        return Change(path, before, before)

    def put_in(old: str) -> Iterator[str]:
        hooked = old if run is None else _installed(path, old, run, hand_over)
        if not own_rule:
            yield hooked
        else:
            yield with_rule(path, hooked)
            if run is not None:
                yield _installed(path, with_rule(path, old), run, hand_over)

    def take_out(old: str) -> str:
        unhooked = _without(path, old)
        return without_rule(unhooked) if own_rule else unhooked

    left = take_out(text)
    after: bytes | None = left.encode(encoding_of(before))
    worthless, is_new = [], True
    for backup in reversed(backups_of(path)):
        with suppress(FormatError, OSError):
            was = backup.read_bytes()
            old = decode_settings(path, was)
            held = parse_settings(path, old)
            if not any(_ours(held)) and not (own_rule and is_allowed(held)):
                is_new = False
                if text in put_in(old) or (left.strip() and json.loads(left) == held):
                    after = was
                    break
            elif _without_empty(take_out(old)) == _without_empty(left):
                worthless.append(was)
    if is_new and not json.loads(left):
        after = None
    return Change(path, before, after, is_removal=True, worthless=tuple(worthless))


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
    return checked_text(text, wanted)


def _checked_with(text: str, event: str, group: Document) -> str:
    wanted = json.loads(text)
    wanted["hooks"][event].append(group)
    return checked_text(_with(text, event, group), wanted)


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
    wanted = parse_settings(path, text)
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
    return checked_text(text, wanted)


def _without_empty(text: str) -> Document:
    """Parse settings without the containers that orch leaves or removes where they are empty."""
    document: Document = json.loads(text)
    permissions = document.get("permissions")
    if isinstance(permissions, dict) and permissions.get("allow") == []:
        del permissions["allow"]
    return {k: v for k, v in document.items() if v != {} or k not in ("hooks", "permissions")}


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
