"""All that can be done from where one is, one line each: what, how it stands, and the key.

What cannot be done just now is there too, with the reason. Keys that only move about are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.actions import parse
from textual.dom import DOMNode
from textual.screen import Screen

from orch_tui.screens.dialogs import Pick
from orch_tui.screens.keyhelp import ANY_OF_OURS, begin_large, list_bindings_around
from orch_tui.screens.widgets.row_list import Column, Row
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.app import OrchApp

MOVES = (
    "cursor",
    "page",
    "to",
    "scroll",
    "move",
    "focus",
    "toggle_focus",
    "next_tab",
    "tab",
    "other_pane",
    "next_pane",
)
"""How actions begin that only go somewhere."""

EVERYWHERE = "Everywhere"
"""The heading of what can be done on every screen."""
COLUMNS = (
    Column("", least=20),
    Column("", 34, gives_way=1, own="dim"),
    Column("", 11, right=True, own="here", bold=True, gives_way=-1),
)
SCREENS = {
    "plan": "sessions, their phases and agents",
    "compose": "what an agent is given",
    "deploy": "hand over, record what came back",
    "history": "every run, found by its words",
    "insights": "what is new, and what goes well",
}
"""What each screen is for."""


@dataclass(frozen=True)
class ScreenCommand:
    """Something that can be done; ``not_now`` is why it cannot be just now."""

    group: str
    words: str
    key: str
    run: Callable[[], object]
    state: str = ""
    not_now: str = ""


def show_commands(app: OrchApp) -> None:
    """Show the list of commands of the screen in front, and do what is chosen."""
    commands = list(list_commands(app, app.screen))
    rows = list(_rows(commands))
    fixed = {str(number) for number, command in enumerate(commands) if command.not_now}

    def do(key: str | None) -> None:
        if key is not None:
            app.call_later(commands[int(key)].run)

    asked = Pick("Commands", COLUMNS, rows, find_in=(0, 1), enter="does it", fixed=fixed)
    app.push_screen(asked, do)


def list_commands(app: OrchApp, screen: Screen[Any]) -> Iterator[ScreenCommand]:
    """List what the screen does, of the part that has the keys first, and what the app does."""
    own = sorted(_own_commands(app, screen), key=lambda command: bool(command.not_now))
    yield from (command for command in own if command.group != EVERYWHERE)
    for number, (mode, title) in enumerate(app.TITLES.items(), start=1):
        if mode != app.current_mode:
            go = partial(app.switch_mode, mode)
            yield ScreenCommand("Screens", title, f"F{number}", go, SCREENS[mode])
    yield from (command for command in own if command.group == EVERYWHERE)
    yield from _app_commands(app)


def _own_commands(app: OrchApp, screen: Screen[Any]) -> Iterator[ScreenCommand]:
    title = f"In {app.TITLES[app.current_mode]}"
    reasons: Mapping[str, str] = getattr(screen, "NOT_NOW", {})
    seen: set[str] = set()
    taken: set[str] = set()
    """Keys of what can be done; farther out they stand for nothing."""
    with app.choosing_command():
        around = list(list_bindings_around(screen))
        around.sort(key=lambda each: -len(each[0].ancestors))  # what has the keys comes first
        for node, binding in around:
            space, name, parameters = parse(binding.action)
            if not _is_command(name, binding.description, seen):
                continue
            target = screen if space == "screen" else node
            reason = getattr(node, "NOT_NOW", reasons).get(name, "")
            can = target.check_action(name, parameters)
            if binding.key in taken:
                continue
            if can:
                taken.add(binding.key)
            is_any = (binding.action, binding.description) in ANY_OF_OURS
            yield ScreenCommand(
                EVERYWHERE if is_any else title,
                begin_large(binding.description),
                app.get_key_display(binding),
                partial(_run, app, binding.action, node),
                state=binding.tooltip,
                not_now="" if can else f"not now{f': {reason}' if reason else ''}",
            )


def _app_commands(app: OrchApp) -> Iterator[ScreenCommand]:
    """List what can be done on every screen."""
    session = app.session.scope or app.session.session_id if app.session else "none yet"
    for words, state, key, run in (
        ("Work on another session", session, "choose-session", app.action_choose_session),
        ("Search all runs", "", "search-anywhere", app.action_search),
        ("Keys of this screen", "", "help-anywhere", app.action_toggle_help),
        ("Jump to a pane", "by a letter", "jump", app.action_jump),
        ("Theme", app.theme, "", app.action_choose_theme),
        ("Settings", "and where each comes from", "settings", app.action_show_settings),
        ("Import transcripts", "all of this project", "", app.import_transcripts),
        ("Install the hooks", "they record every run", "", app.install_hooks),
        ("Quit", "what was typed is kept", "quit", partial(app.run_action, "quit")),
    ):
        yield ScreenCommand(EVERYWHERE, words, app.key_of(key), run, one_line(state, 60))


async def _run(app: OrchApp, action: str, node: DOMNode) -> None:
    """Do what a key does, although a text field has the keys."""
    with app.choosing_command():
        await app.run_action(action, node)


def _is_command(name: str, words: str, seen: set[str]) -> bool:
    if not words or words in seen or name.startswith(MOVES):
        return False
    seen.add(words)
    return True


def _rows(commands: list[ScreenCommand]) -> Iterator[Row]:
    group = ""
    for number, command in enumerate(commands):
        if command.group != group:
            group = command.group
            yield Row(f"section {group}", (group,), section=True)
        cells = (command.words, command.not_now or command.state, command.key)
        yield Row(str(number), cells, "dim" if command.not_now else "")
