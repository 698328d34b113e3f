"""Styles by name, made from the colours of the theme.

Component classes of Textual would do the same, but each is matched with all rules of CSS for every
widget that has it: for the lists of a screen that was a quarter of the time it took to come up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.style import Style as VisualStyle

if TYPE_CHECKING:
    from rich.style import Style
    from textual.widget import Widget


def read_styles(widget: Widget, named: Mapping[str, str]) -> dict[str, Style]:
    """Return a widget's styles by name; ``""`` is its own, which each of the others stands on.

    ``named`` says what a style adds, in the markup of Textual: ``bold $state-asks``.
    """
    own = widget.rich_style
    _, ground = widget.background_colors
    under = VisualStyle(background=ground)
    parse = widget.app.stylesheet.parse_style
    return {"": own} | {
        name: own + (under + parse(text)).rich_style for name, text in named.items()
    }
