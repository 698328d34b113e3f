"""One run in tabs: what it was given, what it said, what it delivered, and the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.tabs import Tabs

if TYPE_CHECKING:
    from orch_tui.recall.show import Given, Shown

TABS = ("said", "given", "briefing", "delivered", "facts")


class Preview(Vertical):
    """What the record holds of one execution; one text is shown at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "tab(-1)", "Tab before", show=False),
        Binding("right", "tab(1)", "Next tab", show=False),
        Binding("m", "markdown", "Markdown/raw", id="preview-markdown"),
    ]
    DEFAULT_CSS = """
    Preview { & > Lines { height: 1fr; } }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id, classes="tabbed")
        self.shown: Shown | None = None
        self._markdown = True

    def compose(self) -> ComposeResult:
        yield Tabs({name: name.capitalize() for name in TABS})
        yield Lines(id="text", classes="-body")

    @property
    def tab(self) -> str:
        return self.query_one(Tabs).active

    @tab.setter
    def tab(self, name: str) -> None:
        self.query_one(Tabs).active = name

    @property
    def text(self) -> str:
        """The exact text of the tab in front."""
        return "" if self.shown is None else text_of(self.shown, self.tab)

    def show(self, shown: Shown | None) -> None:
        self.shown = shown
        self._draw()

    def on_tabs_activated(self, event: Tabs.Activated) -> None:
        event.stop()
        self._draw()

    def action_tab(self, by: int) -> None:
        self.query_one(Tabs).step(by)

    def action_markdown(self) -> None:
        self._markdown = not self._markdown
        self._draw()

    def _draw(self) -> None:
        markdown = self._markdown and self.tab == "said"
        self.query_one(Lines).show(self.text, markdown=markdown)


def _difference(shown: Shown) -> str:
    """How what it was handed differs from the plan; empty where it does not."""
    if shown.difference is None:
        return ""
    summary, lines = shown.difference.summary, shown.difference.lines
    rest = [f"... {len(lines) - _DIFFERENCE:,} more lines"] if len(lines) > _DIFFERENCE else []
    return "\n".join([f"━━ handed over · {summary}", *lines[:_DIFFERENCE], *rest, ""])


_DIFFERENCE = 40
"""Lines of a difference that are shown before what was given."""


def _absence(given: Given) -> str:
    """Why the text of an item was not before the agent; empty where it was."""
    if given.named_only:
        return " · only named for it to read"
    return " · did not arrive" if given.allocation.arrived is False else ""


def text_of(shown: Shown, tab: str) -> str:
    """One part of a run as text."""
    if tab == "briefing":
        return shown.briefing or "No briefing was recorded."
    if tab == "given":
        items = (
            f"━━ {given.allocation.context_source} · {_tokens(given.allocation.token_count)}"
            f"{'' if given.allocation.included_in_deployment else ' · not included'}"
            f"{_absence(given)}\n"
            f"{'(its text was not recorded)' if given.text is None else given.text}"
            for given in shown.given
        )
        whole = "\n".join(items) or shown.briefing or "No context was recorded."
        return f"{_difference(shown)}{whole}"
    if tab == "delivered":
        lines = (
            f"{delivered.output.output_type}"
            f"{' (found in the message)' if delivered.output.found else ''}"
            f"  {delivered.output.path or delivered.output.content}"
            f"{f'  · {delivered.state}' if delivered.state else ''}"
            for delivered in shown.delivered
        )
        return "\n".join(lines) or "Nothing was collected."
    if tab == "facts":
        return _facts(shown)
    many = len(shown.returned) > 1
    messages = (
        f"{f'━━ return {r.completion.position}, {r.completion.status}' + chr(10) if many else ''}"
        f"{r.words}"
        for r in shown.returned
    )
    return "\n\n".join(messages) or "It has not returned yet."


def _facts(shown: Shown) -> str:
    from orch_tui.recall.run_figures import describe_run

    return "\n".join(f"{name:<20}{value}" for name, value in describe_run(shown))


def _tokens(count: int | None) -> str:
    return "tokens unknown" if count is None else f"{count:,} tokens"
