"""orch's own two themes: one colour for each meaning, and a sign beside it that says the same.

A state or a part of a gauge is told by its sign or height alone too: under NO_COLOR, with 16
colours, or by eyes that see no red. ``tests.screens.test_theme`` measures contrast and distance.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

    from orch_tui.config import Config

SIGNS: Mapping[str, str] = {
    "planned": "○",
    "running": "●",
    "asks": "?",
    "done": "✓",
    "failed": "✗",
    "doubt": "!",
}
"""What stands for a state; no sign is an emoji, which some terminals draw two cells wide."""

PARTS: Mapping[str, str] = {
    "had": "░",
    "template": "▞",
    "required": "█",
    "recommended": "▆",
    "optional": "▃",
    "shared": "▚",
    "uncertain": "╱",
}
"""What fills a gauge; the heights of the first three blocks are their order."""

DARK: Mapping[str, str] = {
    "background": "#12151b",
    "surface": "#171b22",
    "panel": "#222833",
    "foreground": "#dfe4ec",
    "muted": "#98a2b1",
    "line": "#3b4454",
    "accent": "#b4a5ff",
    "cursor": "#2f2c52",
    "cursor-idle": "#232936",
    "match": "#5a4a12",
    "planned": "#98a2b1",
    "running": "#6fb4fa",
    "asks": "#f2df58",
    "done": "#7be3c3",
    "failed": "#ff8059",
    "doubt": "#fb72bd",
    "had": "#7f858f",
    "template": "#b5a96b",
    "required": "#e4deff",
    "recommended": "#b3a0ff",
    "optional": "#8376e1",
    "shared": "#46e6d2",
    "uncertain": "#fb72bd",
    "added": "#16352c",
    "removed": "#41231f",
}
LIGHT: Mapping[str, str] = {
    "background": "#eeedf2",
    "surface": "#fbfbfd",
    "panel": "#e6e4ed",
    "foreground": "#1d2129",
    "muted": "#565d69",
    "line": "#b9b6c6",
    "accent": "#5b3fd0",
    "cursor": "#e4deff",
    "cursor-idle": "#e9e8ee",
    "match": "#ffe488",
    "planned": "#565d69",
    "running": "#153f80",
    "asks": "#7a6200",
    "done": "#006c54",
    "failed": "#8e1212",
    "doubt": "#b01f9a",
    "had": "#6c6f76",
    "template": "#4d4414",
    "required": "#2b1c6b",
    "recommended": "#5120ad",
    "optional": "#7456dd",
    "shared": "#005f63",
    "uncertain": "#b01f9a",
    "added": "#d6f2e4",
    "removed": "#fbdfd9",
}

OWN = {"orch-dark": DARK, "orch-light": LIGHT}


def make_themes() -> list[Theme]:
    """Return the two themes, to be registered with the app."""
    return [_make_theme(name, colours) for name, colours in OWN.items()]


def name_fitting_theme(environ: Mapping[str, str] = os.environ) -> str:
    """Name the one for this terminal: light where COLORFGBG says that its ground is, else dark.

    Asking the terminal itself would take a round trip before the first paint.
    """
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "orch-light" if ground in ("7", "15") else "orch-dark"


def make_variables(dark: bool) -> dict[str, str]:
    """Return what the styles of orch speak of beyond a theme of Textual: the same in each theme,
    so that another theme has the colours of meaning too."""
    colours = DARK if dark else LIGHT
    return {
        **{f"state-{name}": colours[name] for name in SIGNS},
        **{f"part-{name}": colours[name] for name in PARTS},
        **{name: colours[name] for name in ("match", "added", "removed", "line")},
    }


def _make_theme(name: str, colours: Mapping[str, str]) -> Theme:
    return Theme(
        name=name,
        dark=colours is DARK,
        primary=colours["accent"],
        secondary=colours["shared"],
        accent=colours["accent"],
        success=colours["done"],
        warning=colours["asks"],
        error=colours["failed"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        foreground=colours["foreground"],
        variables={
            "border": colours["accent"],
            "border-blurred": colours["line"],
            "block-cursor-background": colours["cursor"],
            "block-cursor-foreground": colours["foreground"],
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": colours["cursor-idle"],
            "block-cursor-blurred-foreground": colours["foreground"],
            "footer-background": colours["panel"],
            "footer-foreground": colours["foreground"],
            "footer-key-foreground": colours["accent"],
            "foreground-muted": colours["muted"],
            "text-muted": colours["muted"],
            "text-primary": colours["accent"],
            "text-accent": colours["accent"],
            "text-success": colours["done"],
            "text-warning": colours["doubt"],
            "text-error": colours["failed"],
            "input-cursor-background": colours["foreground"],
            "input-selection-background": colours["cursor"],
            "scrollbar": colours["line"],
            "scrollbar-hover": colours["muted"],
            "scrollbar-active": colours["accent"],
            "scrollbar-background": colours["surface"],
            "scrollbar-background-hover": colours["surface"],
            "scrollbar-background-active": colours["surface"],
            "scrollbar-corner-color": colours["surface"],
        },
    )


def register_themes(app: App[Any], config: Config) -> Iterator[str]:
    """Register orch's themes and the user's own; yield what is wrong with those."""
    from textual.color import ColorParseError

    for own in make_themes():
        app.register_theme(own)
    for name, fields in config.themes.items():
        try:
            theme = Theme(name=name, **fields)
            theme.to_color_system().generate()
        except (TypeError, ValueError, ColorParseError) as error:
            yield f"theme {name}: {error}"
        else:
            app.register_theme(theme)


def choose_theme_name(app: App[Any], config: Config, chosen: object) -> tuple[str, str]:
    """Choose among the registered themes: the one chosen in the app, that of the settings, one that
    fits the terminal; give what is wrong with the settings, too, or nothing."""
    for name in (chosen, config.theme):
        if isinstance(name, str) and name in app.available_themes:
            return name, ""
    known = ", ".join(app.available_themes)
    problem = f"theme {config.theme} is not known. Known: {known}" if config.theme else ""
    return name_fitting_theme(), problem
