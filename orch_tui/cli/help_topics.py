"""``orch help settings``: every setting, environment variable, exit code and file, in one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orch_tui.cli.manage import PLACES
from orch_tui.config import DEFAULTS
from orch_tui.setting_changes import ABOUT

VARIABLES = {
    "ORCH_SESSION": "the session that is meant where none is named",
    "ORCH_DB": "the database, as --db names one",
    "ORCH_CONFIG_DIR": "the folder of your own settings (default: XDG_CONFIG_HOME/orch)",
    "CLAUDE_CONFIG_DIR": "the folder of Claude Code (default: ~/.claude)",
    "CLAUDE_PROJECT_DIR": "the project, in commands that Claude Code runs",
    "CLAUDE_CODE_SESSION_ID": "the Claude session of a shell: its session of orch is meant there",
    "CLAUDE_CODE_ENTRYPOINT": "whether the client runs in a terminal or headless, for figures",
    "CLAUDE_CODE_PROJECT_DIR_NAME": "the folder that the client keeps its transcripts in",
    "GIT_CONFIG_GLOBAL, GIT_CONFIG_SYSTEM, GIT_CONFIG_NOSYSTEM": "where git's own settings lie, "
    "for the files it ignores",
    "VISUAL, EDITOR": "the editor of texts and settings (default: vi)",
    "NO_COLOR": "signs instead of colours",
    "COLORFGBG": "tells whether the terminal is light, for the theme",
    "TERM, COLUMNS": "what the terminal is, and how wide",
    "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME": "where your own files lie, if not in HOME",
    "TMPDIR": "where files lie that are gone afterwards",
    "PGSERVICEFILE, PGSERVICE, PGSYSCONFDIR": "where the services of PostgreSQL stand, and which "
    "is meant, for the hub of a team; the rest of libpq's count, too (PGPASSWORD, PGPASSFILE)",
    "TMUX_PANE": "tells one pane from another, for the session that is kept there (orch use)",
}
"""What orch reads of the environment."""

EXIT_CODES = {
    0: "done",
    1: "the answer is no: invalid, over budget, an id that is not known",
    2: "wrong usage",
    70: "a bug in orch",
    129: "the terminal is gone",
    130: "interrupted",
    143: "terminated",
}

TOPICS = {
    "Settings": "in config.toml, the project's before your own; orch config set",
    "Environment": "",
    "Exit codes": "",
    "Files": "orch path NAME prints where each is",
}
"""The sections of the page, and what stands under their titles."""


def list_topic(title: str) -> list[tuple[str, str]]:
    """List the lines of a section as names and meanings."""
    match title:
        case "Settings":
            return [
                (name, f"{about}{f' (default: {shown})' if shown else ''}")
                for name, about in ABOUT.items()
                for shown in [_show_default(name)]
            ]
        case "Environment":
            return [*VARIABLES.items()]
        case "Exit codes":
            return [(str(code), meaning) for code, meaning in EXIT_CODES.items()]
        case _:
            return [*PLACES.items()]


def _show_default(name: str) -> str:
    value = getattr(DEFAULTS, name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value) if isinstance(value, str | float) else ""


def render_settings_help() -> str:
    """Render the page for a terminal, 80 columns wide at most."""
    return "\n".join(_render_topics()) + "\n"


def _render_topics() -> Iterator[str]:
    from textwrap import wrap

    for number, (title, about) in enumerate(TOPICS.items()):
        yield from ("",) if number else ()
        yield f"{title}: {about}".rstrip(": ") if about else f"{title}:"
        lines = list_topic(title)
        width = min(20, max(len(name) for name, _ in lines))
        for name, meaning in lines:
            pieces = wrap(meaning, 80 - width - 4)
            if len(name) > width:
                yield f"  {name}"
            else:
                yield f"  {name:<{width}}  {pieces.pop(0)}"
            yield from (f"  {'':<{width}}  {piece}" for piece in pieces)


def render_settings_page() -> str:
    """Render the page in Markdown, as ``docs/settings.md`` has it."""
    return "\n".join(_render_tables()) + "\n"


def _render_tables() -> Iterable[str]:
    yield "# Settings, environment, exit codes, files\n"
    yield "Made by `make docs`; `orch help settings` says the same in a terminal."
    for title, about in TOPICS.items():
        yield f"\n## {title}\n"
        if about:
            yield f"{about[0].upper()}{about[1:]}.\n"
        yield from ("| name | meaning |", "|---|---|")
        yield from (f"| `{name}` | {meaning} |" for name, meaning in list_topic(title))
