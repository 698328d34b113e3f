"""What the doctor looks at around a record: settings, what is installed, hooks and the inbox."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui import __version__, config
from orch_tui.claude_client import oldest_client
from orch_tui.errors import FormatError, OrchError
from orch_tui.paths import SET_ASIDE, hand_over_folder, inboxes, is_plain_inbox, is_private
from orch_tui.record.hooks import inbox
from orch_tui.record.upkeep.finding import Finding, count_and_name
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.install.hook_settings import HookState


def check_setup(root: Path) -> Iterator[Finding]:
    """Yield what is to be told of what stands around the record of a project."""
    for check in (_settings, _installations, _skills, _hooks, _inbox, _elsewhere):
        yield from check(root)


def _settings(root: Path) -> list[Finding]:
    broken: list[FormatError] = []
    config.load(root, broken.append)
    remedy = "mend or remove the file: every other command refuses to run"
    return [Finding("problem", "settings", error.message, error.hint or remedy) for error in broken]


def _installations(root: Path) -> Iterator[Finding]:
    """Every orch that something leads to: one of another version may not read the record."""
    from orch_tui.install.installations import named_orchs

    for named in named_orchs(root):
        where = f"{named.by}: " if named.by == "PATH" else f"{named.by} in {named.place}: "
        if not named.is_there:
            yield Finding("warning", "orch", f"{where}{named.path} is gone", named.remedy)
        elif named.is_same:
            known = f"orch {named.version}" if named.version else "an orch of unknown version"
            yield Finding("ok", "orch", f"{where}{named.path} is {known}")
        else:
            what = f"{where}{named.path} is orch {named.version}, this one is {__version__}"
            yield Finding("warning", "orch", what, named.remedy)


_HOOKS = "orch install --hooks"
_HAND_OVER = f"{_HOOKS} --hand-over"


def _hooks(root: Path) -> Iterator[Finding]:
    """Tell whether Claude Code tells orch of agent runs."""
    from orch_tui.install import hook_settings

    state = hook_settings.state(root)
    for path in state.unreadable:
        yield Finding(
            "warning", "hooks", f"{path} is no JSON; Claude Code does not read it", "mend it"
        )
    if state.disabled_by:
        what = f"{state.disabled_by} turns hooks off: nothing is recorded by itself"
        yield Finding(
            "warning", "hooks", what, "drop disableAllHooks or allowManagedHooksOnly there"
        )
    client = oldest_client()
    release = f"Claude Code {'.'.join(map(str, client[0]))} ({client[1]})" if client else ""
    for registered in state.registered:
        again = hook_settings.remedy(root, registered)
        if not registered.works:
            what = f"{registered.path} names what is gone: {registered.command}"
            yield Finding("problem", "hooks", what, again)
        elif registered.unknown:
            what = f"{release} drops {registered.path} whole: {', '.join(registered.unknown)}"
            yield Finding("problem", "hooks", f"{what} is new to it", f"{again}, or update it")
        elif not registered.is_complete:
            what = f"{registered.path} has other events than this version and your client know"
            yield Finding("warning", "hooks", what, again)
        else:
            yield Finding("ok", "hooks", f"registered in {registered.path}")
    missing = hook_settings.EVENTS.keys() - hook_settings.heard_events().keys()
    if missing and state.registered:
        what = f"{release} is too old for {', '.join(sorted(missing))}: less is heard"
        yield Finding("warning", "hooks", what, "update Claude Code, then orch install --hooks")
    if twice := state.told_twice:
        places = " and ".join(str(registered.path) for registered in twice)
        what = f"{places} tell of each event: it is recorded once, a tool call waits for each hook"
        own = [hook_settings.remedy(root, r) for r in state.registered if not r.by_plugin]
        either = [each.replace("orch install", "orch uninstall") for each in own]
        if len(own) < len(state.registered):
            either = [" and ".join(either), "disable the plugin"]
        yield Finding("warning", "hooks", what, " or ".join(filter(None, either)))
    if not state.registered:
        yield Finding("ok", "hooks", "none: only what somebody says is recorded", _HOOKS)
    yield from _hand_over(state)


def _skills(root: Path) -> Iterator[Finding]:
    """Tell whether what was installed of the skill is still there."""
    from orch_tui.install import skill

    for project, command in ((root, "orch install"), (None, "orch install --user")):
        with suppress(OrchError):
            folder = skill.skill_folder(project)
            if gone := skill.missing_files(folder):
                what = f"{folder}: gone are {count_and_name(gone, 'file')} of it"
                yield Finding("problem", "skill", what, command)


def _hand_over(state: HookState) -> Iterator[Finding]:
    """Tell whether a line can stand for a briefing."""
    if not any(registered.hands_over for registered in state.registered):
        yield Finding("ok", "hand-over", "no hook puts briefings into prompts", _HAND_OVER)
    elif not state.hands_over:
        what = "the hook that puts briefings into prompts is registered and cannot run"
        yield Finding("problem", "hand-over", what, _HAND_OVER)
    elif os.path.lexists(folder := hand_over_folder()) and not is_private(folder):
        what = f"{folder} is a link or not yours alone: nothing there is handed over"
        yield Finding("warning", "hand-over", what, "make it yours, with mode 700")
    else:
        yield Finding("ok", "hand-over", "a hook puts briefings into prompts")


def _inbox(root: Path) -> Iterator[Finding]:
    """What waits, what could not be read, and what had to go elsewhere."""
    first = True
    for folder in inboxes(root):
        if first and os.path.lexists(folder) and not is_plain_inbox(folder):
            yield Finding(
                "warning",
                "inbox",
                f"{folder} is or holds a link, is no folder, or is somebody else's: hooks leave "
                "nothing there, and nothing there is taken in",
                "remove it (hooks make a new one), unless you know whose it is",
            )
            first = False
            continue
        aside = inbox.list_set_aside(folder)
        if aside:
            what = f"{plural(len(aside), 'payload')} could not be read in {folder}: {aside[-1][1]}"
            yield Finding("warning", "inbox", what, f"see the folder {SET_ASIDE} there")
        waiting = len(inbox.list_inbox(folder))
        meant = os.path.dirname(next(inboxes(root)))
        if waiting and not first and os.path.isdir(meant) and not os.access(meant, os.W_OK):
            what = f"{plural(waiting, 'payload')} went to {folder}: {meant} cannot be written"
            yield Finding("warning", "inbox", what, f"check the permissions of {meant}")
        elif waiting:
            what = f"{plural(waiting, 'payload')} in {folder}, to be taken in by the next command"
            yield Finding("ok", "inbox", what)
        if not first and os.path.lexists(_owned(folder)) and not is_private(_owned(folder)):
            what = f"{_owned(folder)} is not yours alone: hooks leave nothing there"
            yield Finding("warning", "inbox", what, "make it yours, with mode 700")
        first = False


_MANY_BYTES = 100_000_000
"""Payloads of projects that nobody opens are worth a warning from here on."""


def _elsewhere(root: Path) -> Iterator[Finding]:
    """What hooks left for projects of the user's that nobody has opened orch in since."""
    for own in list(inboxes(root))[1:]:
        top = os.path.dirname(own)
        if not is_private(os.path.dirname(top)):
            continue
        with suppress(OSError):
            others = [entry.path for entry in os.scandir(top) if entry.path != own]
            waiting = [each for each in map(inbox.list_inbox, others) if each]
            if not waiting:
                continue
            size = sum(payload.size for each in waiting for payload in each)
            yield Finding(
                "warning" if size > _MANY_BYTES else "ok",
                "inbox",
                f"{plural(sum(map(len, waiting)), 'payload')} ({size / 1e6:,.1f} MB) of "
                f"{plural(len(waiting), 'other project')} in {top}",
                "open orch in those projects, or delete the folders of those that are done",
            )


def _owned(folder: str) -> str:
    return os.path.dirname(os.path.dirname(folder))
