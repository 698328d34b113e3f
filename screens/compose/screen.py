"""Compose: choose what an agent is given, under gauges that move with every choice.

A change of the composition, whoever makes it, comes to ``ComposeScreen.show``, and what files weigh
to its part ``_show_figures``: from there the widgets are told to draw it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from orch_tui.compose_context import ComposeContext, load_compose_context, resolve_agent
from orch_tui.prepare.composition import Composition
from orch_tui.screens.compose.budget_gauges import BudgetGauges
from orch_tui.screens.compose.bundle_actions import BundleActions
from orch_tui.screens.compose.bundle_list import BundleList
from orch_tui.screens.compose.bundle_views import FORMS, VIEWS, BundleViews
from orch_tui.screens.compose.common_search import CommonContentSearch
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_editor import CompositionEditor, draft_name
from orch_tui.screens.compose.composition_text import describe_state, name_bundle, render_head
from orch_tui.screens.compose.earlier_runs import EarlierRuns
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.limit_form import LIMITS, LIMITS_OF
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.split_panes import SplitPanes
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.row_list import Rows
from orch_tui.screens.widgets.tabs import Tabs
from orch_tui.source_name import NamedFile, parse_source

if TYPE_CHECKING:
    from orch_tui.compose_context import ResolvedAgent


SLIM, LOW = 72, 20
"""Columns and lines with fewer of which one pane has the room."""


class ComposeScreen(OrchScreen):
    """The bundle of one agent, from the files of the project."""

    CSS_PATH = "compose.tcss"
    AUTO_FOCUS = "#filter"
    HELP = """\
Left the project, right the bundle. Type in the box to find files by their letters; Enter puts the
one under the cursor in or takes it out, Esc goes to the tree. There Space does that too, and Right
opens a folder, or the sections and symbols of a file. In the bundle Space marks: priority, type,
order and taking out are for all that are marked.

`█` required, `▆` recommended, `▃` optional, `▚` shared; `✗` cannot be taken. `~` is an estimate,
and `?` a guess until it is counted; gauges judge by the upper end of what is uncertain, `╱`. In
their bars `┊` is where orch begins to warn, and then where it gets critical; `┃` is the limit, and
`╳` what is beyond it. `░` is what Claude Code gives the agent by itself: off its limit, and
needless in the bundle.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f",
            "fit",
            "make it fit",
            id="compose-fit",
            tooltip="take out what is optional, until it fits",
        ),
        Binding("escape", "to_tree", "to the tree", id="compose-focus"),
        Binding("escape", "to_box", "find a file", id="compose-focus"),
        Binding("s", "save", "save", id="compose-save", tooltip="save it, for the planned agent"),
        Binding(
            "space",
            "mark",
            "mark",
            id="compose-mark",
            tooltip="mark it: keys for one item are for all that are marked",
        ),
        Binding("u", "unmark", "unmark all", id="compose-unmark", show=False),
        Binding(
            "x,delete",
            "take_out",
            "take out",
            id="compose-out",
            tooltip="take it out of the bundle",
        ),
        Binding(
            "p",
            "priority",
            "priority",
            id="compose-priority",
            tooltip="required, recommended or optional",
        ),
        Binding(
            "t",
            "type",
            "type",
            id="compose-type",
            show=False,
            tooltip="how it is given: its text, a reference to read, a briefing, shared",
        ),
        Binding(
            "shift+up",
            "shift(-1)",
            "earlier",
            id="compose-earlier",
            show=False,
            tooltip="move it up, earlier in the briefing",
        ),
        Binding(
            "shift+down",
            "shift(1)",
            "later",
            id="compose-later",
            show=False,
            tooltip="move it down, later in the briefing",
        ),
        Binding(
            "y",
            "allow",
            "take it anyway",
            id="compose-allow",
            tooltip="take a file anyway that looks like a secret",
        ),
        Binding("ctrl+s", "save_from_box", "save", id="compose-save-from-box"),
        Binding(
            "S",
            "save_new",
            "save as new",
            id="compose-save-new",
            show=False,
            tooltip="save it as a bundle of its own",
        ),
        Binding(
            "r",
            "earlier",
            "from earlier runs",
            id="compose-earlier-runs",
            tooltip="what runs that succeeded were given or read",
        ),
        Binding(
            "a",
            "add",
            "add",
            id="compose-add",
            tooltip="add lines, a heading, a symbol, a pattern, words of your own",
        ),
        Binding(
            "d",
            "share",
            "share",
            id="compose-share",
            tooltip="send once what several bundles carry",
        ),
        Binding(
            "f6",
            "next_tab",
            "next view",
            id="compose-tab",
            tooltip="the next view: the item, the briefing, sharing",
        ),
        Binding("tab", "next_pane(1)", "next pane", id="compose-next-pane", show=False),
        Binding("shift+tab", "next_pane(-1)", "pane before", id="compose-pane-before", show=False),
        Binding(
            "o",
            "open",
            "open",
            id="compose-open",
            tooltip="open a planned agent, or a bundle that is saved",
        ),
        Binding(
            "e",
            "edit",
            "agent and scope",
            id="compose-edit",
            tooltip="which agent it is for, and what that is to do",
        ),
        Binding("L", "limits", LIMITS, id="limits", tooltip=LIMITS_OF),
        Binding(
            "D", "unshare", "unshare", id="compose-unshare", show=False, tooltip="take sharing back"
        ),
        Binding(
            "m",
            "form",
            "Markdown/XML",
            id="compose-form",
            tooltip="the briefing as Markdown or XML",
        ),
        Binding("c", "copy", "copy", id="compose-copy", show=False, tooltip="copy the briefing"),
        Binding("n", "new", "new", id="compose-new", show=False, tooltip="begin another bundle"),
        Binding("z", "undo", "undo", id="compose-undo"),
        Binding("Z", "redo", "redo", id="compose-redo", show=False),
        Binding("ctrl+z", "undo", "undo", id="compose-undo-anywhere", show=False),
    ]

    NOT_NOW: ClassVar[dict[str, str]] = {
        "take_out": "choose one in the bundle",
        "priority": "choose one in the bundle",
        "type": "choose one in the bundle",
        "allow": "nothing was refused for a secret",
        "save": "nothing changed since",
        "share": "no other bundle carries the same",
        "unshare": "nothing is shared",
        "fit": "it fits",
        "form": "open the briefing",
        "copy": "the bundle is empty",
        "undo": "nothing was changed yet",
        "limits": "there is no session: the settings say them",
    }

    def __init__(self) -> None:
        super().__init__()
        self.state = ComposeState()
        self.files = ProjectFiles(self.state, id="files")
        self.list = BundleList(self.state, id="list")
        self.views = BundleViews(self.state, self.files, self.list, id="views")
        self._gauges = BudgetGauges(self.state, id="gauges")
        self._editor = CompositionEditor(self, self.state, self.files, self.list, self.show)
        self._actions = BundleActions(self, self.state, self._editor, self.files)
        self._earlier_runs = EarlierRuns(self, self.state, self._editor, self.files)
        self._common_search = CommonContentSearch(self, self.state, self._common_found)
        self._enabled: tuple[bool | None, ...] = ()

    def body(self) -> Iterable[Widget]:
        with Vertical(id="top", classes="pane"):
            yield Static("", id="head")
            yield self._gauges
        with SplitPanes(id="compose"):
            yield self.files
            with Vertical(id="right"):
                yield self.list
                yield self.views

    # The record and the files

    def load(self) -> None:
        session_id = self.app.session.session_id if self.app.session else ""
        context, composition = self.state.context, self.state.composition
        another = context is None or context.session_id != session_id
        project, drafts = self.app.project, self.app.drafts

        def work() -> ComposeContext:
            draft = Composition.from_json(drafts.load(draft_name(session_id))) if another else None
            return load_compose_context(project, session_id, composition, draft=draft)

        self.run_in_thread(work, self._context_loaded, group="context")

    def _context_loaded(self, context: ComposeContext) -> None:
        self._editor.adopt_context(context)
        wished = self.app.to_compose
        if wished is not None and wished.session_id == context.session_id:
            self.app.to_compose = None
            self._actions.compose_for(wished)
        if label := self.app.run_to_compose:
            self.app.run_to_compose = ""
            self._actions.compose_from_run(label)

    def on_screen_resume(self) -> None:
        self.files.list_project()

    def on_screen_suspend(self) -> None:
        self.files.stop()

    def owe_draft(self) -> None:
        self._editor.owe_draft()

    # From a change to what is shown

    def show(self) -> None:
        """Draw everything that depends on the composition or its context."""
        state = self.state
        if state.context is None or state.agent is None:
            return
        if not state.agent.matches(state.composition):
            self._resolve_agent()
        self.files.show()
        self._show_figures()
        self._show_head()
        if self.views.active == "briefing":
            self.views.show()

    def _resolve_agent(self) -> None:
        """Find the model and ambient context of another agent that was chosen."""
        project, composition = self.app.project, self.state.composition

        def then(agent: ResolvedAgent) -> None:
            self.state.agent = agent
            if agent.matches(self.state.composition):
                self.show()

        self.run_in_thread(lambda: resolve_agent(project, composition), then, group="agent")

    @on(ProjectFiles.Weighed)
    def _weighed(self, event: ProjectFiles.Weighed) -> None:
        if any(choice.key in event.weights for choice in self.state.composition.choices):
            self._show_figures()
        self.views.show_folder()

    def _show_figures(self) -> None:
        """Draw the gauges and the list, and look for what stands elsewhere too."""
        if self.state.context is None:
            return
        items = self.state.weigh_items()
        self._gauges.show(items)
        self.list.show(items)
        self._tell_panes()
        self._show_keys()
        self._common_search.search(items)

    def _common_found(self) -> None:
        self.list.show(self.state.weigh_items())
        self._show_keys()
        if self.views.active == "sharing":
            self.views.show()

    def _show_head(self) -> None:
        now = self.state.composition
        self.query_one("#top").border_title = Content(name_bundle(now))
        self._show_state()
        text = render_head(now, self._editor.model_choice, self._editor.remarks)
        self.query_one("#head", Static).update(text, layout=False)

    def _show_state(self) -> None:
        """Say at the edge whether it is saved, and before that what can be done about too much."""
        state = self.state
        keys = ["L limits"] if state.session_id else []
        if self._is_too_much:
            keys.insert(0, "Esc, f makes it fit" if self.is_typing else "f makes it fit")
        told = describe_state(state.composition, state.context, changed=state.has_unsaved_changes)
        self.query_one("#top").border_subtitle = Content(" · ".join([*keys, told]))

    def _show_keys(self) -> None:
        """Draw the footer, where other keys do something now; it is slow to draw."""
        names = ("save_from_box", *sorted(_BY_LETTERS))
        enabled = tuple(self.check_action(name, ()) for name in names)
        if enabled != self._enabled:
            self._enabled = enabled
            self._show_state()
            self.refresh_bindings()

    @on(FileTree.Highlighted)
    @on(Rows.Highlighted, "#items")
    def _follow_cursor(self) -> None:
        self.views.follow_cursor()
        self._show_keys()

    def on_descendant_focus(self) -> None:
        self._follow_cursor()

    @on(Tabs.Activated)
    def _view_activated(self) -> None:
        self._show_keys()

    # Keys

    @property
    def _is_too_much(self) -> bool:
        state = self.state
        return state.budget_status in ("critical", "over") and bool(state.composition.choices)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state = self.state
        if not self.files.is_mounted:
            return True
        if action in _BY_LETTERS and self.is_typing:
            return False  # a letter is a letter there
        match action:
            case "take_out" | "mark":
                return self.list.is_focused and bool(state.composition.choices)
            case "unmark":
                return self.list.is_focused and self.list.has_marks
            case "to_tree" | "to_box":
                return (action == "to_tree") == (self.focused is self.files.box)
            case "priority" | "type":
                return bool(self._editor.targets)
            case "allow":
                return bool(self._editor.secrets)
            case "save":
                return state.has_unsaved_changes
            case "save_from_box":
                return self.is_typing and state.has_unsaved_changes
            case "share":
                return bool(state.common and state.common.changes)
            case "unshare":
                return bool(state.context and state.context.shared_ids)
            case "fit":
                return self._is_too_much
            case "form":
                seen = self.has_class("-viewing") or not self.has_class("-narrow")
                return self.views.active == "briefing" and seen
            case "copy":
                return bool(state.composition.choices)
            case "undo":
                return state.edits.can_undo or self.app.doings.can_undo
            case "limits":
                return bool(state.session_id)
        return True

    @on(FileTree.Chosen)
    def _line_chosen(self, event: FileTree.Chosen) -> None:
        self._editor.toggle_line(event.line)

    @on(Rows.Selected, "#items")
    def _reveal_file(self) -> None:
        for choice in self._editor.targets:
            name = parse_source(choice.source, exists=self.state.sizes.__contains__)
            if isinstance(name, NamedFile):
                self.files.file_tree.reveal(name.path)

    def action_mark(self) -> None:
        self.list.mark()
        self._show_keys()

    def action_unmark(self) -> None:
        self.list.unmark()
        self._show_keys()

    def action_take_out(self) -> None:
        self._editor.take_out()

    def action_priority(self) -> None:
        self._editor.cycle_priority()

    def action_type(self) -> None:
        self._editor.cycle_type()

    def action_shift(self, by: int) -> None:
        self._editor.move_item(by)

    def action_allow(self) -> None:
        self._editor.ask_to_allow()

    def action_edit(self) -> None:
        self._editor.edit_agent()

    def action_limits(self) -> None:
        self._actions.ask_limits()

    def action_add(self) -> None:
        self._editor.ask_for_source()

    def action_earlier(self) -> None:
        self._earlier_runs.offer()

    def action_undo(self) -> None:
        """Undo the last edit here or, where there is none, what was done last elsewhere."""
        if self.state.edits.can_undo:
            self._editor.undo()
        else:
            super().action_undo()

    def action_redo(self) -> None:
        if self.state.edits.can_redo:
            self._editor.redo()
        else:
            super().action_redo()

    def action_save_from_box(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        self._actions.save()

    def action_save_new(self) -> None:
        self._actions.save_as_new()

    def action_open(self) -> None:
        self._actions.open()

    def action_new(self) -> None:
        self._actions.begin_new()

    def action_share(self) -> None:
        self._actions.share()

    def action_unshare(self) -> None:
        self._actions.unshare()

    def action_fit(self) -> None:
        self._actions.fit()

    def action_form(self) -> None:
        self.views.switch_form()

    def action_copy(self) -> None:
        if self.state.composition.choices:
            self.run_in_thread(
                self.views.briefing_text(),
                lambda text: self.app.copy(text, "the briefing"),
                group="copy",
            )

    def action_next_tab(self) -> None:
        """Show the next view; on a small screen the bundle, and on a smaller one the project, are
        among them."""
        names = list(VIEWS)
        if self.has_class("-slim") and not self.has_class("-bundle"):
            self._show_pane(self.list.rows)
        elif self.has_class("-narrow") and not self.has_class("-viewing"):
            self.add_class("-viewing")
            self.views.active = names[0]
            if self.has_class("-slim"):
                self.views.focus_text()
        elif self.has_class("-narrow") and self.views.active == names[-1]:
            self.remove_class("-viewing")
            if self.has_class("-slim"):
                self._show_pane(self.files.box)
        else:
            self.views.show_next()

    def action_next_pane(self, by: int) -> None:
        """Go to the next pane; where one has the room, that comes up."""
        if not self.has_class("-slim"):
            (self.app.action_focus_next if by > 0 else self.app.action_focus_previous)()
        elif self.has_class("-bundle"):
            self._show_pane(self.files.box)
        else:
            self._show_pane(self.list.rows)

    def _show_pane(self, inside: Widget) -> None:
        """Give the room that one pane has to the one this widget is in, and go there."""
        self.set_class(inside is self.list.rows, "-bundle")
        self.remove_class("-viewing")
        inside.focus()
        self._tell_panes()

    def _tell_panes(self) -> None:
        """Say at the edge of the project what F6 brings, where one pane has the room."""
        slim, count = self.has_class("-slim"), len(self.state.composition.choices)
        self.files.border_subtitle = f"F6 the bundle · {count}" if slim else ""

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        width, height = self.app.size
        slim = width < SLIM or height < LOW
        if slim and not self.has_class("-slim"):
            in_files = self.focused is None or self.files in self.focused.ancestors_with_self
            self.set_class(not in_files, "-bundle")
        self.set_class(slim, "-slim")
        self._tell_panes()

    def action_to_box(self) -> None:
        self.files.box.focus()

    def action_to_tree(self) -> None:
        """Go to the tree; text in the box that matches nothing is cleared."""
        if self.files.file_tree.line is None:
            self.files.box.value = ""
        self.files.file_tree.focus()

    # Going and coming back

    def command(self) -> str:
        return self.state.composition.command(self.state.session_id)

    def remember(self) -> dict[str, Any]:
        return {**self.files.remember(), "tab": self.views.active, "form": self.views.form}

    def recollect(self, state: dict[str, Any]) -> None:
        self.files.recollect(state)
        if state.get("tab") in VIEWS:
            self.views.active = state["tab"]
        if state.get("form") in FORMS:
            self.views.form = state["form"]


_BY_LETTERS = {
    binding.action.partition("(")[0]
    for binding in ComposeScreen.BINDINGS
    if isinstance(binding, Binding)
    and binding.action.partition("(")[0]
    not in ("undo", "next_tab", "next_pane", "to_tree", "to_box", "save_from_box")
}
"""Actions whose keys are letters like any other in the box."""
