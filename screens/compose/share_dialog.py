"""The question what is shared between bundles, with what that does to each agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from orch_tui.prepare.bundle import label_item
from orch_tui.screens.dialogs import tell_keys
from orch_tui.screens.theme import PARTS
from orch_tui.screens.widgets.bundle_parts import gauge_parts
from orch_tui.screens.widgets.line_list import fit_text, fold_words
from orch_tui.screens.widgets.row_list import Column, Row, Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.stack import GaugePart, draw_bar, draw_line
from orch_tui.screens.widgets.words import format_tokens
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.count import Count
    from orch_tui.sharing_prospect import AgentProspect, SharingProspect

INTRO = (
    "These stand in several bundles. Shared, each goes once into a document that the agents are "
    "told to read: briefings get shorter, and what an agent reads of it, it takes all the same."
)
COLUMNS = (
    Column("", 1, state=True, gives_way=-1),
    Column("file", cut_head=True, bold=True),
    Column("tokens", 7, right=True, gives_way=-1),
    Column("stands in"),
)
WITH_BARS = 66
"""Cells from which there is room for gauges."""
WIDE = 90
"""Cells from which whole sentences stand beside figures."""

Foretell = Callable[[frozenset[str], Callable[["SharingProspect"], None]], None]
"""Foretells sharing without some items, and gives that to a function when it is known."""


class ShareDialog(ModalScreen[frozenset[str] | None]):
    """What to share, each text marked or not; the result are the labels of those left out. None
    when it was left with Escape."""

    DEFAULT_CSS = """
    ShareDialog {
        align: center middle;
        & > Vertical {
            width: 110; max-width: 98%; padding: 0 1;
            border: round $border; background: $surface;
            border-title-color: $border; border-title-style: bold;
            border-subtitle-color: $foreground-muted;
        }
        & VerticalScroll { scrollbar-size-vertical: 1; }
        & .intro { color: $foreground-muted; }
        & .keys { margin-top: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("space", "mark", "Mark"),
    ]

    def __init__(
        self,
        prospect: SharingProspect,
        *,
        first: str = "",
        remark: str = "",
        foretell: Foretell,
    ) -> None:
        """``first`` says what is done before, and ``remark`` what else there is to know."""
        super().__init__()
        self._prospect = prospect
        self._left = prospect.left
        self._first = first
        self._remark = remark
        self._foretell = foretell
        self._names = name_bundles(prospect.foreseen.before)
        self._rows = Rows(COLUMNS, rows=self._draw_rows())

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Share what several bundles carry"
            box.border_subtitle = "D takes it back"
            yield Static(INTRO, classes="intro", markup=False)
            yield self._rows
            with VerticalScroll():
                yield Static("", id="effects")
            yield Static("", classes="keys")

    def on_resize(self) -> None:
        self._draw()

    @property
    def left(self) -> frozenset[str]:
        """The labels of the items that are not to be shared."""
        return self._left

    # What is shared

    def _draw_rows(self) -> list[Row]:
        rows = []
        for item in self._prospect.offered:
            label = label_item(item)
            rows.append(
                Row(
                    label,
                    (
                        "□" if label in self._left else "■",
                        label,
                        _tokens(item.count),
                        ", ".join(self._names[bundle_id] for bundle_id in item.shared_with),
                    ),
                    "dim" if label in self._left else "shared",
                )
            )
        for number, (bundle, overlap) in enumerate(self._prospect.overlaps):
            name = self._names[bundle.bundle_id]
            has = f"{name} has it anyway" if overlap.ambient else f"{name}, in {overlap.by} too"
            lines = "" if overlap.whole else f":{overlap.first}-{overlap.last}"
            cells = (PARTS["had"], f"{overlap.source}{lines}", _tokens(overlap.count), has)
            rows.append(Row(f"\0{number}", cells))
        return rows

    def action_mark(self) -> None:
        """Share the text under the cursor, or leave it where it is."""
        label = self._rows.key
        if label in {label_item(item) for item in self._prospect.offered}:
            self._left ^= {label}
            self._rows.redraw(self._draw_rows())
            self._rows.action_cursor(1)
            self._draw()
            self._foretell(self._left, self._foretold)

    def _foretold(self, prospect: SharingProspect) -> None:
        if prospect.left == self._left and self.is_attached:
            self._prospect = prospect
            self._draw()

    # What that does

    def _draw(self) -> None:
        """Draw what comes of it; the list has a third of the room, and that the rest."""
        width, height = self.app.size
        inner = min(110, int(width * 0.98)) - 4
        theme = self.app.theme_variables
        effects = render_effects(self._prospect, self._names, inner - 1, theme, self._remark)
        keys = tell_keys(
            f"{self._first}{describe_act(self._prospect, self._left)}",
            [("Space", "shares one or not"), ("Esc", "changes nothing")],
        )
        intro = self.query_one(".intro")
        intro.display = height >= 22
        above = len(fold_words(INTRO, inner)) if intro.display else 0
        below = 1 + len(fold_words(keys.plain, inner))
        listed = min(len(self._rows.rows) + 1, max(3, (height - above) // 3))
        room = max(2, height - 2 - above - listed - below)
        told = min(room, len(fold_words(effects.plain, inner - 1)))
        self._rows.styles.height = listed
        self.query_one(VerticalScroll).styles.height = told
        self.query_one("#box").styles.height = 2 + above + listed + told + below
        self.query_one("#effects", Static).update(effects)
        self.query_one(".keys", Static).update(keys)

    @on(Rows.Selected)
    def _chosen(self, event: Rows.Selected) -> None:
        event.stop()
        self.dismiss(self._left)

    def action_leave(self) -> None:
        self.dismiss(None)


def name_bundles(bundles: Sequence[Bundle]) -> dict[str, str]:
    """Name bundles by their agents; where an agent has several, with which of them it is."""
    types = Counter(bundle.agent_type for bundle in bundles)
    seen: Counter[str] = Counter()
    names = {}
    for bundle in bundles:
        seen[bundle.agent_type] += 1
        number = f" {seen[bundle.agent_type]}" if types[bundle.agent_type] > 1 else ""
        names[bundle.bundle_id] = one_line(f"{bundle.agent_type or bundle.bundle_id}{number}", 60)
    return names


def describe_act(prospect: SharingProspect, left: frozenset[str]) -> str:
    """Say what Enter does."""
    shared = sum(label_item(item) not in left for item in prospect.offered)
    out = len(prospect.overlaps)
    done = [f"shares {plural(shared, 'text')}"] if shared or not out else []
    done += [f"leaves out {plural(out, 'text')}"] if out else []
    return f"{', '.join(done)} in {plural(len(prospect.agents), 'bundle')}"


def render_effects(
    prospect: SharingProspect,
    names: Mapping[str, str],
    width: int,
    colours: Mapping[str, str],
    remark: str,
) -> Text:
    """Render each agent before and after, then the session; ``colours`` are those of the theme."""
    text = Text()
    title = "What each agent is handed then "
    text.append(title, "bold")
    if width >= WITH_BARS:
        text.append(f"{PARTS['shared']} ", colours["part-shared"])
        text.append("is read by itself ", colours["foreground-muted"])
    text.append("─" * max(0, width - text.cell_len) + "\n", colours["line"])
    for agent in reversed(prospect.agents):  # that of the screen is the last
        _append_agent(text, agent, names[agent.before.bundle_id], width, colours)
    session = (prospect.session_before, prospect.session_after)
    foreseen = prospect.foreseen
    if width >= WITH_BARS:
        bars = (draw_line(gauge, _bar_width(width)) for gauge in session)
        _append_bars(text, "the session", bars, session[1], width, colours)
    else:
        text.append("the session  ", "bold")
    read = session[1].used.tokens - foreseen.handed_after.tokens + foreseen.if_read.tokens
    _append_figures(text, [g.used for g in session], read, "if all read it", width, colours)
    if prospect.growth > 0:
        shortest = min(foreseen.sharing.items, key=lambda item: item.count.tokens)
        text.append(
            f"! It raises the session's total: to name a text and say why to read it takes more "
            f"than a short one does ({shortest.source} takes {shortest.count}).\n",
            colours["state-doubt"],
        )
    elif prospect.left:
        text.append("□ stays in each bundle, as it is.\n", colours["foreground-muted"])
    if remark:
        text.append(f"! {remark}\n", colours["state-doubt"])
    text.rstrip()
    return text


def _append_agent(
    text: Text, agent: AgentProspect, name: str, width: int, colours: Mapping[str, str]
) -> None:
    reads = agent.after.shared.tokens
    if width >= WITH_BARS:
        before = gauge_parts(agent.before, agent.ambient.total)
        after = (
            *gauge_parts(agent.after, agent.ambient.total),
            GaugePart("shared", "shared", reads),
        )
        cells = _bar_width(width)
        bars = iter(
            (
                draw_bar(before, agent.gauge_before, cells),
                draw_bar(after, agent.gauge_after, cells),
            )
        )
        _append_bars(text, name, bars, agent.gauge_after, width, colours)
    else:
        text.append(f"{name}  ", "bold")
    used = [agent.gauge_before.used, agent.gauge_after.used]
    if_read = used[1].tokens + reads
    words = "if it reads it" if width >= WITH_BARS else "if read"
    words = "if it reads the shared document" if width >= WIDE else words
    _append_figures(text, used, if_read, words, width, colours)


def _name_width(width: int) -> int:
    """The cells for the name of an agent before its gauges."""
    return 23 if width >= WIDE else 17


def _bar_width(width: int) -> int:
    """The cells of each of two gauges beside each other."""
    return (width - _name_width(width) - 3 - 11) // 2


def _append_bars(
    text: Text,
    name: str,
    bars: Iterator[list[tuple[str, str]]],
    after: LimitGauge,
    width: int,
    colours: Mapping[str, str],
) -> None:
    """Append the gauges before and after, and what is free then."""
    text.append(f"{fit_text(name, _name_width(width) - 1)} ", "bold")
    ground = f"on {colours['panel']}"
    plain = {"over": "state-failed", "limit": "foreground", "line": "foreground", "rest": "line"}
    for number, bar in enumerate(bars):
        text.append(" → " if number else "", colours["foreground-muted"])
        for kind, cells in bar:
            colour = colours.get(f"part-{kind}") or colours[plain.get(kind, "foreground-muted")]
            text.append(cells, colour if kind in ("line", "rest") else f"{colour} {ground}")
    left = after.limit - after.used.high
    said = f" {format_tokens(left)} free" if left >= 0 else f" OVER {format_tokens(-left)}"
    text.append(f"{said}\n", colours["foreground" if left >= 0 else "state-failed"])


def _append_figures(
    text: Text,
    used: Sequence[Count],
    if_read: int,
    words: str,
    width: int,
    colours: Mapping[str, str],
) -> None:
    """Append what is handed over before and after, and what is taken by whoever reads all."""
    muted = colours["foreground-muted"]
    if width >= WITH_BARS:
        text.append(" " * _name_width(width))
    change = used[1].tokens - used[0].tokens
    text.append(f"{_tokens(used[0])} → ", muted)
    text.append(_tokens(used[1]), "bold")
    sign = "+" if change > 0 else "−"
    said = f" {sign}{format_tokens(abs(change))}" if change else " same"
    colour = "state-doubt" if change > 0 else "state-done" if change else "foreground-muted"
    text.append(said, colours[colour])
    text.append(f" · ~{format_tokens(if_read)} {words}\n", muted)


def _tokens(count: Count) -> str:
    return f"{'' if count.exact else '~'}{format_tokens(count.tokens)}"
