"""Compose: choose what an agent is given, under gauges that move with every choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from orch_tui import compose_context as engine
from orch_tui.compose_context import (
    CommonContent,
    ComposeContext,
    ResolvedAgent,
    composition_for,
)
from orch_tui.errors import OrchError
from orch_tui.prepare.composition import Choice, Composition, Edits
from orch_tui.screens.compose.bundle_actions import Keeping
from orch_tui.screens.compose.editing import draft_of
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.compose.words import (
    besides,
    columns,
    flag,
    head,
    on_sharing,
    parts,
    row,
    state_of,
    text_or_refusal,
)
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.rows import Rows
from orch_tui.screens.widgets.stack import GaugePart, Stack
from orch_tui.screens.widgets.tabs import Tabs
from orch_tui.source_name import NamedFile, parse_source

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import ContextItem

TABS = {"item": "Item", "briefing": "Briefing", "sharing": "Sharing"}


class ComposeScreen(Keeping):
    """The bundle of one agent, from the files of the project."""

    CSS_PATH = "compose.tcss"
    AUTO_FOCUS = "#filter"
    HELP = """\
Left the project, right the bundle. Type in the box to find files by their letters; Enter puts the
one under the cursor in or takes it out, Esc goes to the tree. There Space does that too, and Right
opens a folder, or the sections and symbols of a file.

`●` required, `◐` recommended, `○` optional; `✗` cannot be taken. `~` is an estimate, and `?` a
guess until it is counted; gauges judge by the upper end of the band `░`. `▤` is what Claude Code
gives the agent by itself: off its limit, and needless in the bundle.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "toggle_focus", "Find", id="compose-focus"),
        Binding("space,delete,x", "take_out", "Out", id="compose-out"),
        Binding("p", "priority", "Priority", id="compose-priority"),
        Binding("t", "type", "Type", id="compose-type", show=False),
        Binding("shift+up", "shift(-1)", "Earlier", id="compose-earlier", show=False),
        Binding("shift+down", "shift(1)", "Later", id="compose-later", show=False),
        Binding("y", "allow", "Allow", id="compose-allow"),
        Binding("e", "edit", "Agent", id="compose-edit"),
        Binding("s", "save", "Save", id="compose-save"),
        Binding("S", "save_new", "Save as new", id="compose-save-new", show=False),
        Binding("f6", "next_tab", "View", id="compose-tab"),
        Binding("f", "fit", "Fit", id="compose-fit"),
        Binding("d", "share", "Share", id="compose-share"),
        Binding("D", "unshare", "Unshare", id="compose-unshare", show=False),
        Binding("m", "form", "Markdown/XML", id="compose-form"),
        Binding("c", "copy", "Copy", id="compose-copy", show=False),
        Binding("o", "open", "Open", id="compose-open", show=False),
        Binding("a", "add", "Add", id="compose-add", show=False),
        Binding("n", "new", "New", id="compose-new", show=False),
        Binding("z", "undo", "Undo", id="compose-undo"),
        Binding("Z", "redo", "Redo", id="compose-redo", show=False),
        Binding("ctrl+z", "undo", "Undo", id="compose-undo-anywhere", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._looking: Choice | None = None
        self._form = "markdown"
        self._status = "ok"
        self._about: tuple[object, ...] = ()
        """What was looked for in other bundles and in what agents have anyway, last."""
        self._searching = False
        self._enabled: tuple[bool | None, ...] = ()
        self._view = Lines(id="view")

    def body(self) -> Iterable[Widget]:
        yield Static("", id="head")
        with Vertical(id="gauges"):
            yield Stack("agent  ", id="agent-gauge")
            yield Stack("session", id="session-gauge")
        with Horizontal(id="compose"):
            yield self._project
            with Vertical(id="right"):
                with Vertical(id="list"):
                    yield self._items
                with Vertical(id="views"):
                    yield Tabs(TABS)
                    yield self._view

    # What is around: the record and the files

    def load(self) -> None:
        session_id = self.app.session.session_id if self.app.session else ""
        another = self._compose_context is None or self._compose_context.session_id != session_id
        project, drafts, now = self.app.project, self.app.drafts, self.now

        def work() -> ComposeContext:
            draft = Composition.from_json(drafts.load(draft_of(session_id))) if another else None
            return engine.load_compose_context(project, session_id, now, draft=draft)

        self.run_in_thread(work, self._context_loaded, group="around")

    def on_screen_resume(self) -> None:
        self._project.walk()

    def on_screen_suspend(self) -> None:
        self._project.stop()

    def _context_loaded(self, context: ComposeContext) -> None:
        before, self._compose_context = self._compose_context, context
        self._agent = context.agent
        if context != before:
            self._go_on(context, before)
        wished = self.app.to_compose
        if wished is not None and wished.session_id == context.session_id:
            self.app.to_compose = None
            self.compose_for(wished)

    def _go_on(self, context: ComposeContext, before: ComposeContext | None) -> None:
        """With the bundle there was, or with the draft of another session."""
        if context.saved_composition is not None:
            self._saved[context.saved_composition.bundle_id] = context.saved_composition
        # What was begun without a session goes on in the first one there is.
        if context.draft is not None or (before and before.session_id != context.session_id != ""):
            if before is not None:
                self._keep_draft(before.session_id)
            if context.draft is not None or (before and before.session_id):
                self._edits = Edits(context.draft or Composition())
        waiting = [agent for agent in context.planned if not agent.bundle_id]
        if waiting and self.now == Composition() and not self._edits.can_undo:
            self._edits = Edits(composition_for(waiting[0]))
        self._show()

    # Showing

    def _show(self) -> None:
        if self._compose_context is None or self._agent is None:
            return
        if not self._agent.matches(self.now):
            self._look_at_agent()
        self._project.show(self.now, self._family)
        self._show_figures()
        now = self.now
        state = state_of(now, self._compose_context, changed=self._changed)
        said = self._remarks(now.agent_type, now.model)
        text = head(now, state, self._usual_model, said)
        self.query_one("#head", Static).update(text, layout=False)
        self._show_keys()
        if self.tab == "briefing":
            self._show_view()

    def _look_at_agent(self) -> None:
        """Another agent or model was chosen: find what it has anyway."""
        project, now = self.app.project, self.now

        def then(agent: ResolvedAgent) -> None:
            self._agent = agent
            if agent.matches(self.now):
                self._show()

        self.run_in_thread(lambda: engine.resolve_agent(project, now), then, group="agent")

    @on(ProjectFiles.Weighed)
    def _weighed(self, event: ProjectFiles.Weighed) -> None:
        if any(choice.key in event.weights for choice in self.now.choices):
            self._show_figures()
            self._show_keys()

    def _show_figures(self) -> None:
        """The gauges, and the items with their figures."""
        context, agent, now = self._compose_context, self._agent, self.now
        if context is None or agent is None:
            return
        items = self._weighed_items()
        judged = context.judge(now, agent, items)
        self._status = judged.status
        self.query_one("#agent-gauge", Stack).show(
            judged.agent, parts(items, agent.ambient), besides(agent.ambient)
        )
        self.query_one("#session-gauge", Stack).show(
            judged.session,
            (
                GaugePart("other bundles", "▚", judged.others.tokens),
                GaugePart("this", "█", judged.agent.used.tokens),
            ),
        )
        self._show_items()
        self._look_for_common(items)

    def _weighed_items(self) -> list[ContextItem]:
        from orch_tui.prepare.composition import weighed

        return weighed(self.now, self._weights, self._project.sizes)

    def _show_items(self) -> None:
        weights, items, width = self._weights, self._weighed_items(), self._items.size.width
        held = self._common.holders(self.now, weights) if self._common else {}
        anyway = self._common.ambient_overlaps if self._common else {}
        largest = max((item.count.tokens for item in items), default=0)
        rows = [
            row(
                choice,
                item.count,
                weights.get(choice.key),
                largest=largest,
                also=_some(held.get(choice.key, ())) if held else None,
                anyway=flag(anyway.get(item.sha256, ())),
                width=width,
            )
            for choice, item in zip(self.now.choices, items, strict=True)
        ]
        self._items.set_columns(columns(width, shared=bool(held)))
        self._items.show(rows)
        count = f"{len(rows)} item{'' if len(rows) == 1 else 's'}"
        self.query_one("#list").border_title = f"Bundle · {count}" if rows else "Bundle"

    # What stands elsewhere too

    def _look_for_common(self, items: Sequence[ContextItem]) -> None:
        """Look for it anew where something of it changed, one search at a time."""
        context, agent = self._compose_context, self._agent
        if context is None or agent is None:
            return
        about = (context.session_id, context.bundles, agent, self.now, [i.sha256 for i in items])
        if about != self._about:
            self._about = about
            if not self._searching:
                self._search(items)

    def _search(self, items: Sequence[ContextItem]) -> None:
        project, session_id, now = self.app.project, self._session_id, self.now
        about, self._searching = self._about, True

        def work() -> CommonContent | None:
            try:
                return engine.find_common_content(project, session_id, now, items)
            except OrchError:  # the record cannot be read now
                return None

        def then(common: CommonContent | None) -> None:
            self._searching = False
            if self._about != about:
                self._search(self._weighed_items())
                return
            self._common = common
            self._show_items()
            self._show_keys()
            if self.tab == "sharing":
                self._show_view()

        self.run_in_thread(work, then, group="common")

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show_items)

    def _show_keys(self) -> None:
        """The footer, where other keys do something now; it is slow to draw."""
        enabled = tuple(self.check_action(name, ()) for name in sorted(_BY_LETTERS))
        if enabled != self._enabled:
            self._enabled = enabled
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self._project.is_mounted:
            return True
        if action in _BY_LETTERS and isinstance(self.focused, Input):
            return False  # a letter is a letter there
        if action == "take_out":
            return self.focused is self._items and bool(self.now.choices)
        if action in ("priority", "type"):
            return bool(self._targets)
        if action == "allow":
            return bool(self._secrets)
        if action == "save":
            return self._changed
        if action == "share":
            return bool(self._common and self._common.changes)
        if action == "unshare":
            return bool(self._compose_context and self._compose_context.shared_ids)
        if action == "fit":
            return self._status in ("critical", "over") and bool(self.now.choices)
        if action == "form":
            seen = self.has_class("-viewing") or not self.has_class("-narrow")
            return self.tab == "briefing" and seen
        if action == "copy":
            return bool(self.now.choices)
        if action == "undo":
            return self._edits.can_undo
        return True

    # The item, the briefing, what is shared

    @property
    def tab(self) -> str:
        return self.query_one(Tabs).active

    def action_next_tab(self) -> None:
        """The next view; on a small screen the bundle is one of them."""
        names = list(TABS)
        if self.has_class("-narrow"):
            if not self.has_class("-viewing"):
                self.add_class("-viewing")
                self.query_one(Tabs).active = names[0]
                return
            if self.tab == names[-1]:
                self.remove_class("-viewing")
                return
        self.query_one(Tabs).step(1)

    @on(Tabs.Activated)
    def _tab_activated(self) -> None:
        self._show_view()
        self._show_keys()

    def action_form(self) -> None:
        """The briefing in its other form."""
        self._form = "markdown" if self._form == "xml" else "xml"
        self._show_view()

    def on_descendant_focus(self) -> None:
        self._look()

    @on(FileTree.Highlighted)
    @on(Rows.Highlighted, "#items")
    def _look(self) -> None:
        """Show what is under the cursor of the list that is used."""
        line = self._project.files.line
        looking: Choice | None = None
        if self.focused is self._items:
            looking = next((c for c in self.now.choices if c.key == self._items.key), None)
        elif line is not None and not line.node.is_folder:
            looking = Choice(line.node.path, (line.title,) if line.title else ())
        if looking != self._looking or looking is None:
            self._looking = looking
            if self.tab == "item":
                self._show_view()
        self._show_keys()

    @on(Rows.Selected, "#items")
    def _go_to_file(self) -> None:
        for choice in self._targets:
            name = parse_source(choice.source, exists=self._project.sizes.__contains__)
            if isinstance(name, NamedFile):
                self._project.files.reveal(name.path)

    def _show_view(self) -> None:
        if self.tab == "sharing":
            self._view_text(on_sharing(self._common, self._compose_context, self._agent))
        else:
            text = self._item_text() if self.tab == "item" else self._briefing_text()
            self.run_in_thread(text, self._view_text, group="view")

    def _view_text(self, text: str) -> None:
        if self._view.text != text:
            self._view.show(text)

    def _item_text(self) -> Callable[[], str]:
        from orch_tui.prepare.composition import text_of

        looking, reader = self._looking, self.app.project.reader()
        line = self._project.files.line
        if looking is None:
            inside = line is not None and line.node.is_folder and self.focused is not self._items
            said = self._project.on_folder(line.node.path) if line and inside else ""
            return lambda: said
        held = [choice for choice in self.now.choices if choice.key == looking.key]
        choice = held[0] if held else looking  # what was said yes to can be read
        weight = self._weights.get(choice.key)
        if weight and weight.refused and weight.secret:
            reason = weight.refused.reason
            said = f"✗ {choice.source} {reason}.\n\nOnce it is chosen, y lets it pass."
            return lambda: said
        return lambda: text_or_refusal(lambda: text_of(choice, reader))

    def _briefing_text(self) -> Callable[[], str]:
        if not self.now.choices:
            return lambda: "Nothing is chosen yet."
        given = self.app.project, self._session_id, self._family, self.now, self._form
        return lambda: text_or_refusal(lambda: engine.render_composition(*given))

    def action_copy(self) -> None:
        if self.now.choices:
            text = self._briefing_text()
            self.run_in_thread(
                text, lambda found: self.app.copy(found, "the briefing"), group="copy"
            )

    # The rest

    def action_toggle_focus(self) -> None:
        """Between the box and the tree; what nothing matches is cleared."""
        project = self._project
        if self.focused is not project.box:
            project.box.focus()
            return
        if project.files.line is None:
            project.box.value = ""
        project.files.focus()

    def command(self) -> str:
        return self.now.command(self._session_id)

    def remember(self) -> dict[str, Any]:
        return {**self._project.remember(), "tab": self.tab, "form": self._form}

    def recollect(self, state: dict[str, Any]) -> None:
        self._project.recollect(state)
        if state.get("tab") in TABS:
            self.query_one(Tabs).active = state["tab"]
        if state.get("form") in ("markdown", "xml"):
            self._form = state["form"]


_BY_LETTERS = {
    binding.action.partition("(")[0]
    for binding in ComposeScreen.BINDINGS
    if isinstance(binding, Binding) and binding.action not in ("undo", "next_tab", "toggle_focus")
}
"""Actions whose keys are letters like any other in the box."""


def _some(labels: Sequence[str]) -> str:
    """The first of several, and how many more."""
    if not labels:
        return ""
    return f"{labels[0]} +{len(labels) - 1}" if len(labels) > 1 else labels[0]
