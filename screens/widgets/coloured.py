"""Markdown, code and differences in the colours of orch's themes."""

from __future__ import annotations

from functools import cache

from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    String,
    Token,
)
from rich.style import Style
from rich.syntax import ANSISyntaxTheme
from rich.theme import Theme

from orch_tui.screens.theme import DARK, LIGHT


@cache
def make_markdown_colours(*, dark: bool) -> Theme:
    """Return what Rich draws Markdown with: headings and code stand out, nothing has a ground."""
    colours = DARK if dark else LIGHT
    accent, muted = colours["accent"], colours["muted"]
    return Theme(
        {
            "markdown.h1": Style(color=accent, bold=True),
            "markdown.h2": Style(color=accent, bold=True),
            "markdown.h3": Style(color=accent),
            "markdown.h4": Style(color=accent),
            "markdown.h5": Style(color=accent),
            "markdown.h6": Style(color=accent),
            "markdown.code": Style(color=colours["shared"]),
            "markdown.code_block": Style(color=colours["foreground"]),
            "markdown.block_quote": Style(color=muted),
            "markdown.item.bullet": Style(color=muted),
            "markdown.item.number": Style(color=muted),
            "markdown.list": Style(),
            "markdown.hr": Style(color=colours["line"]),
            "markdown.link": Style(underline=True),
            "markdown.link_url": Style(color=muted, underline=True),
            "markdown.table.border": Style(color=colours["line"]),
            "markdown.table.header": Style(color=muted, bold=True),
        }
    )


@cache
def make_code_colours(*, dark: bool) -> ANSISyntaxTheme:
    """Return the colours of code: keywords in the accent, words and notes told apart."""
    colours = DARK if dark else LIGHT
    return ANSISyntaxTheme(
        {
            Token: Style(color=colours["foreground"]),
            Comment: Style(color=colours["muted"]),
            Keyword: Style(color=colours["accent"]),
            Operator: Style(color=colours["foreground"]),
            Operator.Word: Style(color=colours["accent"]),
            Name.Function: Style(color=colours["running"]),
            Name.Class: Style(color=colours["running"]),
            Name.Tag: Style(color=colours["accent"]),
            Name.Attribute: Style(color=colours["running"]),
            Name.Decorator: Style(color=colours["muted"]),
            String: Style(color=colours["done"]),
            Number: Style(color=colours["shared"]),
            Literal: Style(color=colours["done"]),
            Generic.Heading: Style(color=colours["accent"], bold=True),
            Generic.Subheading: Style(color=colours["accent"]),
            Generic.Inserted: Style(color=colours["done"]),
            Generic.Deleted: Style(color=colours["failed"]),
            Generic.Emph: Style(italic=True),
            Generic.Strong: Style(bold=True),
        }
    )
