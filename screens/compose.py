"""Compose: choose what an agent is given, under gauges that move with every choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from orch_tui.errors import SourceError
from orch_tui.prepare.composition import Choice, Composition, Edits, Weight
from orch_tui.screens.base import OrchScreen, Problem
from orch_tui.screens.composing import (
    PRIORITIES,
    THIS,
    TYPES,
    Around,
    columns,
    differs,
    head,
    holders,
    look_around,
    on_sharing,
    parts,
    remarks,
    row,
    state_of,
)
from orch_tui.screens.dialogs import Ask, Choose, Confirm
from orch_tui.screens.project_files import ProjectFiles
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.form import Field, Form
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.rows import Rows
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.stack import Part, Stack
from orch_tui.screens.widgets.tabs import Tabs

if TYPE_CHECKING:
    from orch_tui.facts import PlannedAgent
    from orch_tui.prepare.bundle import Bundle, ContextItem
    from orch_tui.prepare.sharing import Sharing
    from orch_tui.prepare.validation import Remark

SAVE_AFTER = 0.3
"""Seconds after an edit until the draft is written."""

MANY = 50
"""Files in a folder from which on it is asked whether all are meant."""

TABS = {"item": "Item", "briefing": "Briefing", "sharing": "Sharing"}

NOTHING_CHOSEN = """Nothing is chosen yet.

Type letters of a file's name
and press Enter. Or Esc: then
Space chooses in the tree,
e says for which agent it is,
o opens what is planned or saved,
a adds lines, patterns, text."""


class ComposeScreen(OrchScreen):
    """The bundle of one agent, from the files of the project."""

    CSS_PATH = "compose.tcss"
    AUTO_FOCUS = "#filter"
    HELP = """\
Left the project, right the bundle. Type in the box to find files by their letters; Enter puts the
one under the cursor in or takes it out, Esc goes to the tree. There Space does that too, and Right
opens a folder, or the sections and symbols of a file.

`●` required, `◐` recommended, `○` optional; `✗` cannot be taken. `~` is an estimate, and `?` a
guess until it is counted; gauges judge by the upper end of the band `░`.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "toggle_focus", "Find", id="compose-focus"),
        Binding("space,delete,x", "take_out", "Out", id="compose-out"),
        Binding("p", "priority", "Priority", id="compose-priority"),
        Binding("t", "type", "Type", id="compose-type"),
        Binding("shift+up", "shift(-1)", "Earlier", id="compose-earlier", show=False),
        Binding("shift+down", "shift(1)", "Later", id="compose-later", show=False),
        Binding("y", "allow", "Allow", id="compose-allow"),
        Binding("e", "edit", "Agent", id="compose-edit"),
        Binding("s", "save", "Save", id="compose-save"),
        Binding("S", "save_new", "Save as new", id="compose-save-new", show=False),
        Binding("d", "share", "Share", id="compose-share"),
        Binding("c", "copy", "Copy", id="compose-copy", show=False),
        Binding("o", "open", "Open", id="compose-open", show=False),
        Binding("a", "add", "Add", id="compose-add", show=False),
        Binding("n", "new", "New", id="compose-new", show=False),
        Binding("z", "undo", "Undo", id="compose-undo"),
        Binding("Z", "redo", "Redo", id="compose-redo", show=False),
        Binding("ctrl+z", "undo", "Undo", id="compose-undo-anywhere", show=False),
        Binding("f6", "next_tab", "View", id="compose-tab"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._edits = Edits(Composition())
        self._around: Around | None = None
        self._saved: dict[str, Composition] = {}
        """Bundles as they are in the record, by id, as far as they were opened here."""
        self._sharing: Sharing | None = None
        self._looking: Choice | None = None
        self._draft_due: Timer | None = None
        self._enabled: tuple[bool | None, ...] = ()
        self._project = ProjectFiles(id="files")
        self._items = Rows((), id="items", empty=NOTHING_CHOSEN)
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

    @property
    def now(self) -> Composition:
        """What is on the screen."""
        return self._edits.now

    @property
    def _weights(self) -> dict[str, Weight]:
        return self._project.weights

    @property
    def _session_id(self) -> str:
        return self._around.session_id if self._around else ""

    # What is around: the record and the files

    def load(self) -> None:
        session_id = self.app.session.session_id if self.app.session else ""
        another = self._around is None or self._around.session_id != session_id
        project, drafts, bundle_id = self.app.project, self.app.drafts, self.now.bundle_id

        def work() -> Around:
            draft = Composition.from_json(drafts.load(_draft(session_id))) if another else None
            return look_around(project, session_id, bundle_id, draft)

        self.ask(work, self._looked_around, group="around")

    def on_screen_resume(self) -> None:
        self._project.walk()

    def on_screen_suspend(self) -> None:
        self._project.stop()

    def _looked_around(self, around: Around) -> None:
        before, self._around = self._around, around
        if around != before:
            self._go_on(around, before)
        wished = self.app.to_compose
        if wished is not None and wished.session_id == around.session_id:
            self.app.to_compose = None
            self.compose_for(wished)

    def _go_on(self, around: Around, before: Around | None) -> None:
        """With the bundle there was, or with the draft of another session."""
        if around.composed is not None:
            self._saved[around.composed.bundle_id] = around.composed
        # What was begun without a session goes on in the first one there is.
        if around.draft is not None or (before and before.session_id != around.session_id != ""):
            if before is not None:
                self._keep_draft(before.session_id)
            if around.draft is not None or (before and before.session_id):
                self._edits = Edits(around.draft or Composition())
        waiting = [agent for agent in around.planned if not agent.bundle_id]
        if waiting and self.now == Composition() and not self._edits.can_undo:
            self._edits = Edits(_begun(waiting[0]))
        self._show()

    # Choosing

    @on(FileTree.Chosen)
    def _chosen(self, event: FileTree.Chosen) -> None:
        path, title = event.line.key
        if event.line.node.is_folder:
            self._choose_folder(path)
            return
        weight = self._weights.get(path)
        if weight and weight.refused and not weight.secret and not self.now.of(path):
            self.query_one(Problem).show(weight.refused, "choose")
        elif title:
            self._edit(self.now.toggled_section(path, title))
        else:
            self._edit(self.now.toggled(path))

    def _choose_folder(self, folder: str) -> None:
        """All files of a folder in; or, where they all are, out."""
        held = {choice.source for choice in self.now.choices}
        missing = [path for path in self._project.files_under(folder) if path not in held]
        if not missing:
            inside = {c.key for c in self.now.choices if c.source.startswith(f"{folder}/")}
            self._edit(self.now.without(inside))
        elif len(missing) <= MANY:
            self._add_files(missing)
        else:
            size = sum(self._project.sizes.get(path, 0) for path in missing)
            self._confirm(
                f"Put {len(missing):,} files into the bundle?",
                f"{one_line(folder, 60)} holds {size / 1000:,.0f} kB that are not in it yet.",
                lambda: self._add_files(missing),
            )

    def _add_files(self, paths: Sequence[str]) -> None:
        """Weigh first, so that what cannot be taken is left out and said."""
        from orch_tui.prepare.composition import weigh

        project, family = self.app.project, self._family
        choices = [Choice(path) for path in paths]

        def work() -> dict[str, Weight]:
            weights = weigh(choices, reader=project.reader(), family=family, cache=project.counts)
            return {choice.key: weight for choice, weight in zip(choices, weights, strict=True)}

        def then(weights: dict[str, Weight]) -> None:
            self._project.post_message(ProjectFiles.Weighed(family, weights))
            fit = [choice for choice in choices if not weights[choice.key].refused]
            if len(fit) < len(choices):
                count = len(choices) - len(fit)
                self.app.notify(f"{count} left out: secret, binary or not readable")
            self._edit(self.now.adding(fit))

        self.ask(work, then, group="folder")

    def action_add(self) -> None:
        self.app.push_screen(
            Ask(
                "Add a source",
                detail="lib/a.py:10-80    docs/a.md#Heading    lib/a.py#Parser.parse    lib/*.py\n"
                "/outside/the/project    exec-003:message    text:instructions of your own",
            ),
            self._add,
        )

    def _add(self, given: str | None) -> None:
        if not given or not given.strip():
            return
        from orch_tui.prepare.composition import named

        reader = self.app.project.reader()
        source = given if given.startswith("text:") else given.strip()
        self.ask(
            lambda: named(source, reader),
            lambda choices: self._edit(self.now.adding(choices)),
            group="choose",
        )

    # Editing

    def _edit(self, composition: Composition) -> None:
        """Make an edit that can be undone."""
        held = {choice.key for choice in self.now.choices}
        if self._edits.edit(composition):
            fresh = [choice.key for choice in composition.choices if choice.key not in held]
            if fresh and self.focused is not self._items:
                self._items.wanted = fresh[-1]  # brings it into view
            self._edited()

    def _edited(self) -> None:
        if self._draft_due is not None:
            self._draft_due.stop()
        self._draft_due = self.set_timer(SAVE_AFTER, lambda: self._keep_draft(self._session_id))
        self.query_one(Problem).clear("choose")
        self._show()

    def _keep_draft(self, session_id: str) -> None:
        if self._draft_due is not None:
            self._draft_due.stop()
        if self._around is None:  # the draft was not even read yet
            return
        drafts = self.app.drafts
        text = "" if self.now == Composition() else self.now.to_json()
        self.ask(lambda: drafts.save(_draft(session_id), text), lambda _: None, group="draft")

    def action_undo(self) -> None:
        if self._edits.undo():
            self._edited()

    def action_redo(self) -> None:
        if self._edits.redo():
            self._edited()

    @property
    def _targets(self) -> list[Choice]:
        """The choices under the cursor, of the bundle or of the tree."""
        if self.focused is self._items:
            return [choice for choice in self.now.choices if choice.key == self._items.key]
        line = self._project.files.line
        if line is None:
            return []
        path, title = line.key
        if line.node.is_folder:
            return [c for c in self.now.choices if c.source.startswith(f"{path}/")]
        chosen = self.now.of(path)
        return [choice for choice in chosen if title in choice.sections] if title else chosen

    def action_priority(self) -> None:
        self._cycle("priority", list(PRIORITIES), self._targets)

    def action_type(self) -> None:
        names = [name for name in TYPES if name != "briefing"]
        self._cycle("type", names, [choice for choice in self._targets if choice.text is None])

    def _cycle(self, what: str, names: Sequence[str], targets: Sequence[Choice]) -> None:
        """Give all of them the value that follows that of the first."""
        if not targets:
            return
        value = names[(names.index(getattr(targets[0], what)) + 1) % len(names)]
        values: dict[str, Any] = {what: value}
        if what == "type":
            values["shared_with"] = ()  # said anew when it is shared
        self._edit(self.now.changed({choice.key for choice in targets}, **values))

    def action_shift(self, by: int) -> None:
        if self.focused is self._items and self._items.key:
            self._edit(self.now.moved(self._items.key, by))

    def action_take_out(self) -> None:
        items = self._items
        if self.focused is items and items.key:
            following = [*items.rows[items.cursor + 1 :], *items.rows[: items.cursor][::-1]]
            key, items.wanted = items.key, following[0].key if following else ""
            self._edit(self.now.without({key}))

    @property
    def _secrets(self) -> list[Choice]:
        """What waits for a yes under the cursor."""
        return [
            choice
            for choice in self._targets
            if (weight := self._weights.get(choice.key)) and weight.secret
        ]

    def action_allow(self) -> None:
        if secrets := self._secrets:
            names = "\n".join(one_line(choice.source, 60) for choice in secrets)
            self._confirm(
                "Hand what looks like a secret to the agent?",
                f"{names}\n\nThat you said yes is recorded with the bundle.",
                lambda: self._allow({choice.key for choice in secrets}),
            )

    def _allow(self, keys: set[str]) -> None:
        at = self._items.cursor
        self._edit(self.now.changed(keys, allow_secret=True))
        self._items.move_to(at)  # with what it reads, its key is another

    def action_edit(self) -> None:
        """For which agent it is, what that is to do, and the name of the bundle."""
        project, now = self.app.project, self.now
        models = [
            (name, model.model_id if name != model.model_id else "")
            for model in project.catalogue.models.values()
            for name in (*model.aliases, model.model_id)
        ]
        agents = [(agent, "") for agent in self._agents]
        default = f"{project.config.model}, as configured"
        fields = (
            Field("agent_type", "Agent", now.agent_type, "as in .claude/agents", choices=agents),
            Field("scope", "Scope", now.scope, "what it is to do"),
            Field("model", "Model", now.model, default, choices=models),
            Field("name", "Name", now.name, "to find the bundle by; may stay empty"),
        )
        form = Form("Whom the bundle is for", fields, check=self._check, accept="accept")
        self.app.push_screen(form, self._accept)

    def _accept(self, values: Mapping[str, str] | None) -> None:
        if values is not None:
            given: dict[str, Any] = {name: value.strip() for name, value in values.items()}
            self._edit(replace(self.now, **given))

    def _check(self, values: Mapping[str, str]) -> list[Remark]:
        from orch_tui.prepare.validation import Remark

        return [
            Remark(field, text)
            for field, text in self._remarks(values["agent_type"].strip(), values["model"].strip())
        ]

    def _remarks(self, agent_type: str, model: str) -> list[tuple[str, str]]:
        return remarks(agent_type, model, agents=self._agents, project=self.app.project)

    @property
    def _agents(self) -> Sequence[str]:
        return self._around.agents if self._around else ()

    # Showing

    @property
    def _family(self) -> str:
        """The tokenizer of the model that was chosen."""
        return self.app.project.catalogue.model(self.now.model).family

    def _show(self) -> None:
        """Show the composition, whatever of it changed."""
        if self._around is None:
            return
        self._project.show(self.now, self._family)
        self._show_figures()
        project, now = self.app.project, self.now
        state = state_of(now, self._around, changed=self._changed)
        said = self._remarks(now.agent_type, now.model)
        text = head(now, state, project.config.model, said)
        self.query_one("#head", Static).update(text, layout=False)
        self._show_keys()
        if self.tab == "briefing":
            self._show_view()

    @property
    def _changed(self) -> bool:
        return differs(self.now, self._saved.get(self.now.bundle_id))

    @on(ProjectFiles.Weighed)
    def _weighed(self, event: ProjectFiles.Weighed) -> None:
        if any(choice.key in event.weights for choice in self.now.choices):
            self._show_figures()
            self._show_keys()

    def _show_figures(self) -> None:
        """The gauges, and the items with their figures."""
        from orch_tui.prepare.budget import judge
        from orch_tui.prepare.tokens import ZERO

        if self._around is None:
            return
        items = self._weighed_items()
        own = self.now.bundle_id
        others = sum((count for label, count in self._around.used if label != own), ZERO)
        model = self.app.project.catalogue.model(self.now.model)
        judged = judge(items, model, self._around.limits, session_used=others)
        self.query_one("#agent-gauge", Stack).show(judged.agent, parts(items))
        self.query_one("#session-gauge", Stack).show(
            judged.session,
            (
                Part("other bundles", "▚", others.tokens),
                Part("this", "█", judged.agent.used.tokens),
            ),
        )
        self._show_items()
        self._look_for_sharing(items)

    def _weighed_items(self) -> list[ContextItem]:
        from orch_tui.prepare.composition import weighed

        return weighed(self.now, self._weights, self._project.sizes)

    def _show_items(self) -> None:
        weights, items, width = self._weights, self._weighed_items(), self._items.size.width
        held = holders(self.now, weights, self._sharing)
        largest = max((item.count.tokens for item in items), default=0)
        rows = []
        for choice, item in zip(self.now.choices, items, strict=True):
            also = _some(held.get(choice.key, ())) if held else None
            weight = weights.get(choice.key)
            rows.append(row(choice, item.count, weight, largest=largest, also=also, width=width))
        self._items.set_columns(columns(width, shared=bool(held)))
        self._items.show(rows)
        count = f"{len(rows)} item{'' if len(rows) == 1 else 's'}"
        self.query_one("#list").border_title = f"Bundle · {count}" if rows else "Bundle"

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show_items)

    def _show_keys(self) -> None:
        """The footer, where other keys do something now; it is slow to draw."""
        names = ("take_out", "priority", "allow", "save", "share", "copy", "undo")
        enabled = tuple(self.check_action(name, ()) for name in names)
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
            return bool(self._sharing and self._sharing.items)
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
            self._project.files.reveal(choice.source.partition(":")[0])

    def _show_view(self) -> None:
        if self.tab == "sharing":
            self._view_text(on_sharing(self._sharing, self._around))
        else:
            text = self._item_text() if self.tab == "item" else self._briefing_text()
            self.ask(text, self._view_text, group="view")

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
        return lambda: _or_why_not(lambda: text_of(choice, reader))

    def _briefing_text(self) -> Callable[[], str]:
        from orch_tui.prepare.briefing import render
        from orch_tui.prepare.composition import make

        if not self.now.choices:
            return lambda: "Nothing is chosen yet."
        project, now, family = self.app.project, self.now, self._family
        session_id = self._session_id

        def bundle() -> Bundle:
            return make(
                now,
                reader=project.reader(),
                family=family,
                created_at=project.now(),
                session_id=session_id,
                cache=project.counts,
            )

        return lambda: _or_why_not(lambda: render(bundle()).decode("utf-8", "replace"))

    def action_copy(self) -> None:
        if self.now.choices:
            text = self._briefing_text()
            self.ask(text, lambda found: self.app.copy(found, "the briefing"), group="copy")

    # Sharing

    def _look_for_sharing(self, items: Sequence[ContextItem]) -> None:
        if self._around is None or not self._around.bundles:
            return
        from orch_tui.prepare.bundle import Bundle
        from orch_tui.prepare.sharing import deduplicate

        own = self.now.bundle_id
        others = [saved.bundle for saved in self._around.bundles if saved.bundle.bundle_id != own]
        this = Bundle(own or THIS, "", "", tuple(items), "", "")
        self.ask(lambda: deduplicate([*others, this]), self._shared, group="sharing")

    def _shared(self, sharing: Sharing) -> None:
        if sharing != self._sharing:
            self._sharing = sharing
            self._show_items()
            self._show_keys()
        if self.tab == "sharing":
            self._show_view()

    def action_share(self) -> None:
        sharing = self._sharing
        if sharing is None or not sharing.items:
            return
        held = {label for item in sharing.items for label in item.shared_with}
        first = "This bundle is saved first. " if self._changed else ""
        self._confirm(
            f"Share {len(sharing.items)} items among {len(held)} bundles?",
            f"{first}They take {sharing.moved} tokens in the bundles, {sharing.document} in one "
            "document. Every briefing then names them for its agent to read; a bundle that was "
            "deployed gets a new version.",
            self._share,
        )

    def _share(self) -> None:
        from orch_tui import api
        from orch_tui.record import bundles

        project, now, session_id = self.app.project, self.now, self._session_id
        changed = self._changed

        def work() -> Composition:
            bundle_id = now.bundle_id
            if changed:
                bundle_id = api.keep_composition(
                    project, now, session_id=session_id
                ).bundle.bundle_id
            api.share_bundles(project, session_id)
            if not bundle_id:
                return now
            return Composition.of_bundle(bundles.load(project.record, bundle_id).bundle)

        def then(shared: Composition) -> None:
            self.app.notify("shared items are named in every briefing, not repeated")
            self._was_saved(shared)

        self.ask(work, then, group="save")

    # Saving and opening

    def action_save(self) -> None:
        self._save(self.now)

    def action_save_new(self) -> None:
        self._save(replace(self.now, bundle_id=""))

    def _save(self, now: Composition) -> None:
        from orch_tui import api

        if not now.choices:
            return
        if not now.agent_type:
            self.action_edit()
            return
        project, session_id = self.app.project, self._session_id or None

        def work() -> tuple[Bundle, Composition]:
            kept = api.keep_composition(project, now, session_id=session_id).bundle
            return kept, Composition.of_bundle(kept)

        self.ask(work, self._kept, group="save")

    def _kept(self, kept: tuple[Bundle, Composition]) -> None:
        bundle, composed = kept
        twice = f"; {len(bundle.dropped)} left out, they were in twice" if bundle.dropped else ""
        said = f"saved {bundle.bundle_id} v{bundle.version}: {bundle.total} tokens{twice}"
        self.app.notify(said, markup=False)
        self._was_saved(composed)

    def _was_saved(self, saved: Composition) -> None:
        self._saved[saved.bundle_id] = saved
        self._edits.edit(replace(saved, planned_id=self.now.planned_id))
        self._edited()
        self.app.read_session()
        self.load()

    def action_open(self) -> None:
        around = self._around
        if around is None:
            return
        choices = [
            (f"planned {agent.position}", f"{agent.agent_type} · {agent.scope}  (planned)")
            for agent in around.planned
            if not agent.bundle_id
        ]
        for saved in around.bundles:
            bundle = saved.bundle
            name = f" · “{bundle.name}”" if bundle.name else ""
            said = f"{bundle.bundle_id} v{bundle.version} · {bundle.agent_type}{name}"
            count = f"{len(bundle.items)} items, {bundle.total} tokens"
            choices.append((f"bundle {bundle.bundle_id}", f"{said} · {count}"))
        choices.append(("new ", "a new bundle"))
        self.app.push_screen(Choose("Open", choices), self._open)

    def action_new(self) -> None:
        self._replace(Composition())

    def _replace(self, other: Composition) -> None:
        """Go on with another bundle; what would be left unsaved is asked about."""
        if not self._changed:
            self._edit(other)
            return
        what = one_line(self.now.bundle_id, 40) or "the new bundle"
        self._confirm(
            f"Leave {what} unsaved?", "z brings it back as it is.", lambda: self._edit(other)
        )

    def _open(self, choice: str | None) -> None:
        if choice is None or self._around is None:
            return
        kind, _, label = choice.partition(" ")
        if kind == "new":
            self.action_new()
        elif kind == "bundle":
            self._open_bundle(label)
        else:
            for agent in self._around.planned:
                if str(agent.position) == label:
                    self.compose_for(agent)

    def compose_for(self, agent: PlannedAgent) -> None:
        """Go on with the bundle of a planned agent, or begin one."""
        if agent.bundle_id:
            self._open_bundle(agent.bundle_id)
            return
        self._replace(_begun(agent))

    def _open_bundle(self, bundle_id: str) -> None:
        from orch_tui.record import bundles

        project = self.app.project

        def then(opened: Composition) -> None:
            self._saved[opened.bundle_id] = opened
            self._replace(opened)

        self.ask(
            lambda: Composition.of_bundle(bundles.load(project.existing_record, bundle_id).bundle),
            then,
            group="open",
        )

    def _confirm(self, question: str, detail: str, then: Callable[[], None]) -> None:
        self.app.push_screen(Confirm(question, detail=detail), lambda yes: then() if yes else None)

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
        return {**self._project.remember(), "tab": self.tab}

    def recollect(self, state: dict[str, Any]) -> None:
        self._project.recollect(state)
        if state.get("tab") in TABS:
            self.query_one(Tabs).active = state["tab"]


_BY_LETTERS = {
    binding.action.partition("(")[0]
    for binding in ComposeScreen.BINDINGS
    if isinstance(binding, Binding) and binding.action not in ("undo", "next_tab", "toggle_focus")
}
"""Actions whose keys are letters like any other in the box."""


def _draft(session_id: str) -> str:
    """The name of the draft of a session."""
    return f"compose-{session_id}" if session_id else "compose"


def _begun(agent: PlannedAgent) -> Composition:
    """What is to become the bundle of a planned agent."""
    return Composition(
        agent_type=agent.agent_type,
        scope=agent.scope,
        model=agent.model or "",
        planned_id=agent.planned_id,
    )


def _some(labels: Sequence[str]) -> str:
    """The first of several, and how many more."""
    if not labels:
        return ""
    return f"{labels[0]} +{len(labels) - 1}" if len(labels) > 1 else labels[0]


def _or_why_not(text: Callable[[], str]) -> str:
    """A text, or in its place why there is none."""
    try:
        return text()
    except SourceError as error:
        return f"✗ {error.message}\n\n{error.hint}"
