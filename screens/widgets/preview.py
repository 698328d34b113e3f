"""One run in tabs: what it said, was given and delivered, and the facts; words that are sought are
marked, and it opens at the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.passages import Code, Passage
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.run_passages import (
    GivenItem,
    describe_figures,
    list_given,
    make_delivered,
    make_facts,
    make_said,
)
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.tabs import Tabs
from orch_tui.screens.widgets.words import state_of
from orch_tui.times import local_time

if TYPE_CHECKING:
    from orch_tui.app import OrchApp
    from orch_tui.recall.show import Given, Shown
    from orch_tui.search.matching import TextMatcher

SAID = "said"
TABS = (SAID, "given", "briefing", "delivered", "facts")

GIVEN = (
    Column("", 1, state=True, gives_way=-1),
    Column("given", cut_head=True),
    Column("", 14, state=True, gives_way=1),
    Column("tokens", 6, right=True, gives_way=2),
    Column("found", 5, right=True, bold=True, gives_way=-1),
)
PLAIN_GIVEN = (*GIVEN[:2], *GIVEN[3:4])
"""Where nothing is sought, and all arrived."""

STATE_COLOURS = {
    "running": "$state-running",
    "ok": "$state-done",
    "bad": "$state-failed",
    "warn": "$state-doubt",
}


class Preview(Vertical):
    """What the record holds of one execution; one text is shown at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "tab(-1)", "Tab before", show=False),
        Binding("right", "tab(1)", "Next tab", show=False),
        Binding("n", "match(1)", "next match", id="preview-next-match"),
        Binding("N", "match(-1)", "match before", id="preview-match-before", show=False),
        Binding("slash", "find", "find in this run", id="run-find"),
        Binding("escape", "leave_find", "to what was found", id="run-leave-find"),
        Binding("m", "markdown", "Markdown or raw", id="preview-markdown", show=False),
    ]
    DEFAULT_CSS = """
    Preview {
        & > .-body { height: 1fr; background: $surface; }
        & #run-head { height: auto; max-height: 4; padding: 0 1; margin-bottom: 1; }
        & #given { display: none; height: auto; margin-bottom: 1; }
        & #text { height: 1fr; border-title-color: $foreground; border-title-style: none; }
        &.-items #given { display: block; }
        &.-items #text { border-top: solid $line; }
        & #find { display: none; height: 1; padding: 0 1; background: $panel; }
    }
    """

    @dataclass
    class Counted(Message, bubble=False):
        """A thread has counted what is sought in a run."""

        shown: Shown
        sought: Sequence[TextMatcher]
        by_item: tuple[int, ...]
        by_tab: dict[str, int]

    app: OrchApp

    def __init__(
        self,
        *,
        keys: str = "",
        id: str | None = None,  # noqa: A002 # Textual's own name
    ) -> None:
        """``keys`` are told at the lower edge: what can be done with the text in front."""
        super().__init__(id=id, classes="tabbed")
        self._keys = keys
        self.shown: Shown | None = None
        self._hint = ""
        """What is said where there is no run to show."""
        self._markdown = True
        self._sought: Sequence[TextMatcher] = ()
        self._asked: Sequence[TextMatcher] = ()
        """What was sought as the run came up: letters that are looked for take its place."""
        self._items: list[GivenItem] = []
        self._item = 0
        self._by_item: tuple[int, ...] = ()
        self._by_tab: dict[str, int] = {}
        self._usual_tab = ""
        """The tab to go back to after a run that failed; empty: the one in front."""
        self._at_last = False
        """Whether the next text opens at its last match: one came to it backwards."""

    def compose(self) -> ComposeResult:
        yield Tabs({name: name.capitalize() for name in TABS})
        with Vertical(id="run-body", classes="-body"):
            yield Static("", id="run-head")
            yield Rows(PLAIN_GIVEN, id="given")
            yield Lines(id="text")
            yield Input(placeholder="letters to find in this run", compact=True, id="find")

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

    def show(
        self, shown: Shown | None, sought: Sequence[TextMatcher] = (), *, hint: str = ""
    ) -> None:
        """Show another run, where words are sought at the first of them in the tab in front; or
        ``hint``, where there is none to show.

        One that failed comes up with what it said, which begins with the reason, unless words are
        sought in it; others then with the tab of before.
        """
        self._choose_tab(shown, has_words=bool(sought))
        self.shown, self._hint = shown, hint
        self._asked = sought
        self._close_find()
        self._items = list_given(shown) if shown else []
        self._item, self._by_item, self._by_tab = 0, (), {}
        self._name_tabs()
        self.seek(sought)

    def _choose_tab(self, shown: Shown | None, *, has_words: bool) -> None:
        label, before = (each and each.execution.execution_id for each in (shown, self.shown))
        if shown is None or label == before:
            return
        if self._usual_tab:
            self.tab = self._usual_tab if self.tab == SAID else self.tab
            self._usual_tab = ""
        if _has_failed(shown) and not has_words and self.tab != SAID:
            self._usual_tab, self.tab = self.tab, SAID

    def seek(self, sought: Sequence[TextMatcher]) -> None:
        """Mark other words."""
        self._sought = sought
        self._by_item, self._by_tab = (), {}
        shown, items = self.shown, self._items
        if shown is None or not sought:
            self._draw()
            return

        def work() -> None:
            worker = get_current_worker()
            by_item = tuple(_count(item.text, sought) for item in items)
            by_tab = {tab: _count(text_of(shown, tab), sought) for tab in TABS if tab != "given"}
            if items:
                by_tab["given"] = sum(by_item)
            if not worker.is_cancelled:
                self.post_message(self.Counted(shown, sought, by_item, by_tab))

        self.run_worker(work, thread=True, exclusive=True, group="count")

    def on_preview_counted(self, message: Counted) -> None:
        if message.shown is not self.shown or message.sought is not self._sought:
            return
        self._by_item, self._by_tab = message.by_item, message.by_tab
        if self._by_item and not self._by_item[self._item]:
            self._item = next((n for n, count in enumerate(self._by_item) if count), self._item)
        self._draw()

    def on_tabs_activated(self, event: Tabs.Activated) -> None:
        event.stop()
        self._draw()

    def action_tab(self, by: int) -> None:
        self.query_one(Tabs).step(by)

    def action_markdown(self) -> None:
        self._markdown = not self._markdown
        self._draw()

    def focus_part(self) -> None:
        """Focus what one moves in first: the list of items, else the text."""
        items = self.query_one("#given", Rows)
        (items if self.has_class("-items") else self.query_one(Lines)).focus()

    def copy_text(self) -> None:
        """Put the text in front on the clipboard."""
        if self.shown is not None and self.text:
            self.app.copy(self.text, f"{self.tab} of {self.shown.execution.execution_id}")

    def edit_text(self) -> None:
        """Open the text in front in the user's editor; nothing of it is changed here."""
        if self.shown is not None and self.text:
            self.app.edit(self.text, f"{self.shown.execution.execution_id}-{self.tab}.md")

    # Finding letters

    def action_find(self) -> None:
        box = self.query_one("#find", Input)
        box.display = True
        box.focus()

    @on(Input.Changed, "#find")
    def _find(self, event: Input.Changed) -> None:
        event.stop()
        if self.query_one("#find", Input).display:
            from orch_tui.search.matching import LettersMatcher

            letters = event.value
            self.seek((LettersMatcher(letters),) if letters.strip() else self._asked)

    @on(Input.Submitted, "#find")
    def _found_letters(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave_find()

    def action_leave_find(self) -> None:
        """Go from the box to what it found; an empty box goes away."""
        box = self.query_one("#find", Input)
        box.display = bool(box.value.strip())
        self.query_one("#text", Lines).focus()

    def _close_find(self) -> None:
        box = self.query_one("#find", Input)
        box.display = False
        box.value = ""

    # Matches

    @property
    def has_matches(self) -> bool:
        """Whether what is sought stands anywhere in the run."""
        return any(self._by_tab.values())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("find", "leave_find"):
            return self.query_one("#find", Input).has_focus is (action == "leave_find")
        return self.has_matches if action == "match" else True

    def action_match(self, by: int) -> None:
        """Go to the next match: in this text, in the next item, in the next tab that has one."""
        if self.query_one(Lines).step_match(by):
            return
        if self.tab == "given" and self._by_item:
            ways = range(self._item + by, len(self._items) if by > 0 else -1, by)
            found = next((n for n in ways if self._by_item[n]), None)
            if found is not None:
                self._at_last = by < 0
                self._item = found
                self._draw()
                return
        here = TABS.index(self.tab)
        around = (TABS[(here + by * n) % len(TABS)] for n in range(1, len(TABS) + 1))
        tab = next((name for name in around if self._by_tab.get(name)), self.tab)
        if self._by_item and tab == "given":
            found_in = [n for n, count in enumerate(self._by_item) if count]
            self._item = found_in[0 if by > 0 else -1]
        self._at_last = by < 0
        if tab == self.tab:
            self._draw()
        self.tab = tab

    def on_lines_found(self, event: Lines.Found) -> None:
        event.stop()
        if self._at_last and event.lines.match_count:
            self._at_last = False
            event.lines.go_to_match(-1)
        self._tell_place()

    # Drawing

    @on(Rows.Highlighted, "#given")
    def _item_highlighted(self, event: Rows.Highlighted) -> None:
        event.stop()
        if event.key and int(event.key) != self._item:
            self._item = int(event.key)
            self._draw_text()

    @on(Rows.Selected, "#given")
    def _item_selected(self, event: Rows.Selected) -> None:
        event.stop()
        self.query_one(Lines).focus()

    def on_resize(self) -> None:
        self._name_tabs()
        self._fit_items()

    def _name_tabs(self) -> None:
        """Say how many there are behind a tab, where there is room for it."""
        tabs = self.query_one(Tabs)
        counts = (
            {"given": len(self._items), "delivered": len(self.shown.delivered)}
            if self.shown
            else {}
        )
        names = {tab: f"{tab.capitalize()} {counts.get(tab) or ''}".strip() for tab in TABS}
        if sum(len(name) + 3 for name in names.values()) + 3 > self.size.width:
            names = {tab: tab.capitalize() for tab in TABS}
        for tab, name in names.items():
            tabs.retitle(tab, name)

    def _show_head(self) -> None:
        head = self.query_one("#run-head", Static)
        head.display = self.shown is not None
        if self.shown is None:
            return
        run = self.shown.execution
        state, style = state_of(run.status, run.unverified, run.success)
        colour = STATE_COLOURS.get(style, "$foreground-muted")
        reason = one_line(run.error_message or run.error_code or "", 300)
        has_reason = _has_failed(self.shown) and bool(reason) and self.tab != SAID  # with it on top
        self.set_class(has_reason, "-reason")
        head.update(
            Content.assemble(
                Content.styled(state, colour),
                "  ",
                Content.styled(one_line(run.scope or "(no scope)", 300), "bold"),
                Content.styled("\nWhy it failed  ", f"bold {colour}") if has_reason else "",
                Content.styled(reason, colour) if has_reason else "",
                "\n",
                Content.styled(one_line(describe_figures(run), 300), "$foreground-muted"),
            )
        )

    def _draw(self) -> None:
        items = bool(self.tab == "given" and self._items)
        self.set_class(items, "-items")
        self._show_head()
        if items:
            self._draw_items()
        self._draw_text()
        self.screen.refresh_bindings()

    def _draw_items(self) -> None:
        rows = []
        for number, item in enumerate(self._items):
            found = self._by_item[number] if self._by_item else 0
            cells: tuple[str, ...] = (item.sign, item.source, item.remark, item.tokens)
            rows.append(Row(str(number), (*cells, str(found or "")), item.style))
        full = bool(self._by_item) or any(item.remark for item in self._items)
        given = self.query_one("#given", Rows)
        if not full:
            rows = [Row(row.key, (*row.cells[:2], row.cells[3]), row.style) for row in rows]
        given.set_columns(GIVEN if full else PLAIN_GIVEN)
        given.wanted = str(self._item)
        given.show(rows)
        self._fit_items()

    def _fit_items(self) -> None:
        """Give the items the lines they need, and at most two fifths of the pane."""
        most = max(3, self.size.height * 2 // 5)
        self.query_one("#given", Rows).styles.height = min(len(self._items) + 1, most)

    def _draw_text(self) -> None:
        lines = self.query_one("#text", Lines)
        if self.shown is None:
            lines.show(self._hint)
        else:
            text, passages = self._text_and_passages(self.shown)
            lines.show_passages(text, passages, self._sought)
        self._tell_place()

    def _text_and_passages(self, shown: Shown) -> tuple[str, Sequence[Passage]]:
        if self.tab == "said":
            return self.text, make_said(shown, markdown=self._markdown)
        if self.tab == "delivered":
            return self.text, make_delivered(shown)
        if self.tab == "facts":
            return self.text, make_facts(shown)
        if self.tab == "given" and self._items:
            item = self._items[self._item]
            return item.text, (item.passage,)
        return self.text, (Code(self.text, "briefing.md", 0),)

    def _tell_place(self) -> None:
        """Say which run it is and which match one is at, at the edges of what they are about."""
        lines, body = self.query_one("#text", Lines), self.query_one("#run-body")
        count = lines.match_count
        match = f"match {lines.match} of {count}" if count else ""
        if self.shown is None:
            body.border_subtitle = ""
            return
        run = self.shown.execution
        place = f"{one_line(run.execution_id, 40)} · {local_time(run.deployed_at)}"
        if self.has_class("-items"):
            name = one_line(self._items[self._item].source, 200)
            lines.border_title = Content("  ".join(filter(None, (name, match))))
            match = ""
        elif not count and self.has_matches:
            match = "no match here"
        wordings = ((self._keys, match, place), (self._keys, match), (match, place))
        told = (" · ".join(filter(None, parts)) for parts in wordings)
        body.border_subtitle = Content(
            next((words for words in told if len(words) + 6 <= self.size.width), match or place)
        )


def _has_failed(shown: Shown) -> bool:
    run = shown.execution
    return state_of(run.status, run.unverified, run.success)[1] == "bad"


def _count(text: str, sought: Sequence[TextMatcher]) -> int:
    from orch_tui.search.matching import find_spans

    return len(find_spans(text, sought))


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
    """One part of a run as text, to be copied and written to files."""
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
