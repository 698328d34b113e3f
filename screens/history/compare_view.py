"""Two runs compared: their figures with the difference, then what they were given and said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from orch_tui.screens.history.compared_pane import ComparedPane, TextPair
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.key_line import HELP_KEY, KeyLine
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.run_passages import ON_DISK, VERDICTS
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.tabs import Tabs
from orch_tui.screens.widgets.words import format_tokens, state_of
from orch_tui.times import between, lasting, local_time
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.recall.compare import Comparison, GivenPair
    from orch_tui.recall.show import Shown
    from orch_tui.rows import ExecutionFacts

TABS = {"given": "Given", "briefing": "Briefing", "said": "Said", "delivered": "Delivered"}

GIVEN_COLUMNS = (
    Column("", 1, state=True, gives_way=-1),
    Column("what they were given", cut_head=True),
    Column("left", 6, right=True, gives_way=-1),
    Column("right", 6, right=True, gives_way=-1),
    Column("", 22, state=True, gives_way=1),
)
DELIVERED_COLUMNS = (
    Column("", 1, state=True, gives_way=-1),
    Column("what they delivered", cut_head=True),
    Column("left", 18, gives_way=-1),
    Column("right", 18, gives_way=-1),
)
NOTHING = "–"


class RunFigures(Rows):
    """Rows to be read: nothing is opened from them."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "select"


class SideBySide(ModalScreen[None]):
    """Two runs beside each other."""

    DEFAULT_CSS = """
    SideBySide {
        & > #figures { height: auto; max-height: 45%; }
        & > .tabbed { height: 1fr; & > .-body { height: 1fr; background: $surface; } }
        &.-low > #figures { max-height: 100%; height: 1fr; display: none; }
        &.-low.-figures > #figures { display: block; }
        &.-low.-figures > .tabbed { display: none; }
    }
    """
    HORIZONTAL_BREAKPOINTS = OrchScreen.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back to the list"),
        Binding("f6", "next_tab", "Briefing, Said …", id="history-tab"),
        Binding("x", "change_sides", "change sides", id="compare-sides"),
        HELP_KEY,
    ]

    def __init__(self, found: Comparison, note: str = "") -> None:
        """``note`` says what the left one is to the right one."""
        super().__init__()
        self._found = found
        self._note = note
        self._changed = False
        """Whether left and right have changed places."""

    def compose(self) -> ComposeResult:
        yield RunFigures(self._columns(), id="figures", classes="pane")
        with Vertical(classes="tabbed"):
            yield Tabs(TABS)
            with Vertical(classes="-body", id="compared-body"):
                yield ComparedPane(id="compared")
        yield KeyLine()

    def on_mount(self) -> None:
        self.add_class("-figures")
        self.query_one("#figures", Rows).border_title = "Figures"
        self._show()
        self.call_after_refresh(self._focus)

    def _focus(self) -> None:
        if self.has_class("-low") and self.has_class("-figures"):
            self.query_one("#figures", Rows).focus()
        else:
            self.query_one(ComparedPane).focus_part()

    def _sides(self) -> tuple[Shown, Shown]:
        left, right = self._found.left, self._found.right
        return (right, left) if self._changed else (left, right)

    def _columns(self) -> tuple[Column, ...]:
        left, right = (one_line(side.execution.execution_id, 40) for side in self._sides())
        return (
            Column("", 8, gives_way=-1, own="dim"),
            Column(f"left: {left}", least=12),
            Column(f"right: {right}", least=12),
            Column("difference", 11, right=True, gives_way=-1),
        )

    def _show(self) -> None:
        figures = self.query_one("#figures", Rows)
        figures.set_columns(self._columns())
        left, right = self._sides()
        figures.show(list(_make_figures(left, right)))
        note = "" if self._changed else self._note
        low = "F6 what they were given" if self.has_class("-low") else ""
        figures.border_subtitle = Content(" · ".join(filter(None, (note, low))))
        self._show_tab()

    @on(Tabs.Activated)
    def _show_tab(self) -> None:
        pane, tab = self.query_one(ComparedPane), self.query_one(Tabs).active
        left, right = self._sides()
        if tab == "given":
            pairs = [self._pair(pair) for pair in self._found.pairs]
            pane.show(pairs, GIVEN_COLUMNS, empty="Neither was given anything.")
        elif tab == "delivered":
            pairs = list(_pair_delivered(left, right))
            pane.show(pairs, DELIVERED_COLUMNS, texts=False, empty="Neither delivered anything.")
        else:
            one, other = (
                (left.briefing or "", right.briefing or "")
                if tab == "briefing"
                else (left.execution.final_message or "", right.execution.final_message or "")
            )
            note = "Neither has one." if not one and not other else ""
            pair = TextPair(("", ""), "", TABS[tab], one, other, note)
            pane.show([pair], GIVEN_COLUMNS[:2], listed=False)
        self._focus()

    def _pair(self, pair: GivenPair) -> TextPair:
        one, other = (pair.right, pair.left) if self._changed else (pair.left, pair.right)
        out, into = (pair.added, pair.removed) if self._changed else (pair.removed, pair.added)
        tokens = [
            NOTHING if side is None else format_tokens(side.allocation.token_count or 0)
            for side in (one, other)
        ]
        note = ""
        if pair.same:
            sign, style, remark = "=", "dim", "the same"
        elif one is None or other is None:
            side = "right" if one is None else "left"
            sign, style, remark = "+" if one is None else "−", "ok" if one is None else "bad", ""
            remark = f"only {side}"
            note = f"Only the {side} one was given this."
        elif one.text is None or other.text is None:
            sign, style, remark = "≠", "warn", "other bytes"
            note = "The text of one was not recorded: that they differ is all that is known."
        else:
            sign, style, remark = "≠", "warn", f"{plural(out, 'line')} out, {into} in"
        left, right = (side.text if side else None for side in (one, other))
        cells = (sign, pair.name, *tokens, remark)
        return TextPair(cells, style, pair.name, left, right, note, pair.same)

    def action_next_tab(self) -> None:
        tabs = self.query_one(Tabs)
        if not self.has_class("-low"):
            tabs.step(1)
        elif self.has_class("-figures"):
            self.remove_class("-figures")
            self.call_after_refresh(self._focus)
        elif tabs.active == tabs.names[-1]:
            self.add_class("-figures")
            tabs.step(1)
        else:
            tabs.step(1)

    def action_change_sides(self) -> None:
        self._changed = not self._changed
        self._show()


def _make_figures(left: Shown, right: Shown) -> Iterator[Row]:
    """Make the rows of figures that any of the two has."""
    one, other = left.execution, right.execution
    states = [state_of(run.status, run.unverified, run.success) for run in (one, other)]
    accents = tuple(
        (side, ((0, len(state), style),)) for side, (state, style) in enumerate(states, start=1)
    )
    yield Row("outcome", ("outcome", states[0][0], states[1][0], ""), accents=accents)
    yield from _in_words("why", *(_reason(run) for run in (one, other)))
    yield from _in_words("session", one.session_id, other.session_id)
    yield from _in_words("agent", one.agent_type, other.agent_type)
    yield from _in_words("what for", one.scope or "", other.scope or "")
    models = (
        (run.resolved_model or run.model or "").removeprefix("claude-") for run in (one, other)
    )
    yield from _in_words("model", *models, always=True)
    yield from _in_words("when", local_time(one.deployed_at), local_time(other.deployed_at))
    figures = (
        ("given", one.context_token_count, other.context_token_count, _tokens),
        ("took", _seconds(one), _seconds(other), lasting),
        ("calls", one.tool_calls, other.tool_calls, _whole),
        ("context", one.context_end_tokens, other.context_end_tokens, _tokens),
        ("output", one.output_tokens, other.output_tokens, _tokens),
        ("cost", one.cost_usd, other.cost_usd, _dollars),
    )
    for name, here, there, words in figures:
        if here is None and there is None:
            continue
        sides = [NOTHING if side is None else words(side) for side in (here, there)]
        by = ""
        if here is not None and there is not None and (more := there - here):
            by = f"{'+' if more > 0 else '−'}{words(abs(more))}"
        elif here is not None and there is not None:
            by = "same"
        yield Row(name, (name, *sides, by), accents=((3, ((0, len(by), "dim"),)),) * (by == "same"))


def _in_words(name: str, left: str, right: str, *, always: bool = False) -> Iterator[Row]:
    """Make the row of what is no figure, where the two differ or it is always shown."""
    if left == right and not (always and left):
        return
    sides = (one_line(left, 300) or NOTHING, one_line(right, 300) or NOTHING)
    same = "same" if left == right else ""
    yield Row(name, (name, *sides, same), accents=((3, ((0, len(same), "dim"),)),) * bool(same))


def _reason(run: ExecutionFacts) -> str:
    return run.error_message or run.error_code or run.unverified or ""


def _seconds(run: ExecutionFacts) -> float | None:
    if run.duration_ms is not None:
        return run.duration_ms / 1000
    took = between(run.deployed_at, run.completed_at)
    return took.total_seconds() if took and run.status != "deployed" else None


def _tokens(count: float) -> str:
    return format_tokens(round(count))


def _whole(count: float) -> str:
    return f"{count:,.0f}"


def _dollars(cost: float) -> str:
    return f"$ {cost:.2f}"


def _pair_delivered(left: Shown, right: Shown) -> Iterator[TextPair]:
    """Pair the files and checks of two runs, each told by what became of it."""
    one, other = _delivered(left), _delivered(right)
    for name in {**one, **other}:
        sides = (one.get(name, NOTHING), other.get(name, NOTHING))
        same = sides[0] == sides[1]
        yield TextPair(
            ("=" if same else "≠", name, *sides), "dim" if same else "warn", name, same=same
        )


def _delivered(shown: Shown) -> Mapping[str, str]:
    from orch_tui.recall.listing import latest_results

    found = {
        delivered.output.file_path: ON_DISK.get(delivered.state or "", ("·", ""))[0]
        for delivered in shown.delivered
        if delivered.output.output_type == "deliverable"
    }
    outputs = [delivered.output for delivered in shown.delivered]
    said = ((o.execution_id, o.output_type or "", o.text, o.found, o.created_at) for o in outputs)
    for results in latest_results(said).values():
        for check, result in results.items():
            found[check] = VERDICTS.get(result.verdict, (f"· {result.value}", ""))[0]
    return found
