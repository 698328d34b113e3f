"""Edits of a composition: what is chosen, as what and for whom; each can be undone, none is lost.

Every edit goes down one road: ``edit`` makes another composition, has the draft saved soon, and
calls ``changed``, upon which the screen draws all that depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from orch_tui.compose_context import composition_for, look_at_source
from orch_tui.prepare.composition import Choice, Composition, Edits, Weight, describe_edit
from orch_tui.prepare.model_choice import ModelChoice, choose_model
from orch_tui.screens.agent_choices import list_agent_choices
from orch_tui.screens.compose.add_source import AddSource
from orch_tui.screens.compose.bundle_list import BundleList
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_text import PRIORITIES, TYPES, agent_remarks
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.dialogs import Confirm
from orch_tui.screens.orch_screen import OrchScreen, Problem
from orch_tui.screens.widgets.form import Field, Form
from orch_tui.screens.widgets.project_lines import TreeLine
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.compose_context import ComposeContext, SourceLook
    from orch_tui.errors import SourceError
    from orch_tui.prepare.validation import Remark

SAVE_AFTER = 0.3
"""Seconds after an edit until the draft is written."""

MANY = 50
"""Files in a folder above which a person is asked whether all are meant."""


class CompositionEditor:
    """Edits the composition as keys say, by what is under the cursor of the tree or the list."""

    def __init__(
        self,
        screen: OrchScreen,
        state: ComposeState,
        files: ProjectFiles,
        bundle_list: BundleList,
        changed: Callable[[], None],
    ) -> None:
        self._screen = screen
        self._state = state
        self._files = files
        self._list = bundle_list
        self._changed = changed
        self._draft_due: Timer | None = None
        self._typed = ""
        """What was typed for a source, and not added."""

    # The one road

    def edit(self, composition: Composition) -> None:
        """Make another composition, which can be undone."""
        state = self._state
        held = {choice.key for choice in state.composition.choices}
        if state.edits.edit(composition):
            added = [choice.key for choice in composition.choices if choice.key not in held]
            if added and not self._list.is_focused:
                self._list.rows.wanted = added[-1]  # brings it into view
            self.announce()

    def undo(self) -> None:
        """Take the last edit back, if there is one, and say what it was."""
        edits = self._state.edits
        made = edits.now
        if edits.undo():
            self._tell_edit(f"undone: {describe_edit(edits.now, made)} · Z does it again")

    def redo(self) -> None:
        """Make the edit again that was taken back last, and say what it was."""
        edits = self._state.edits
        before = edits.now
        if edits.redo():
            self._tell_edit(f"done again: {describe_edit(before, edits.now)}")

    def _tell_edit(self, words: str) -> None:
        self.announce()
        self._screen.app.notify(one_line(words, 200), markup=False)

    def announce(self) -> None:
        """Have the draft saved soon, and everything drawn that depends on the composition."""
        if self._draft_due is not None:
            self._draft_due.stop()
        self._draft_due = self._screen.set_timer(
            SAVE_AFTER, lambda: self._save_draft(self._state.session_id)
        )
        self._screen.query_one(Problem).clear()
        self._changed()

    # The draft

    def owe_draft(self) -> None:
        """Hand over the draft of an edit that is not written yet."""
        if self._draft_due is not None:
            self._owe_draft(self._state.session_id)

    def _owe_draft(self, session_id: str) -> None:
        if self._draft_due is not None:
            self._draft_due.stop()
            self._draft_due = None
        if self._state.context is None:  # the draft was not even read yet
            return
        composition = self._state.composition
        text = "" if composition == Composition() else composition.to_json()
        self._screen.app.drafts.owe(draft_name(session_id), text)

    def _save_draft(self, session_id: str) -> None:
        self._owe_draft(session_id)
        self._screen.run_in_thread(self._screen.app.drafts.settle, lambda _: None, group="draft")

    def adopt_context(self, context: ComposeContext) -> None:
        """Go on in what was loaded: with the composition there is, with the draft of another
        session, or with the first planned agent that has no bundle."""
        state = self._state
        before, state.context, state.agent = state.context, context, context.agent
        if context == before:
            return
        if context.saved_composition is not None:
            saved = context.saved_composition
            state.saved[saved.bundle_id] = saved
        # What was begun without a session goes on in the first one there is.
        moved = before is not None and before.session_id != context.session_id != ""
        if context.draft is not None or moved:
            if before is not None:
                self._save_draft(before.session_id)
            if context.draft is not None or (before and before.session_id):
                state.edits = Edits(context.draft or Composition())
        waiting = [agent for agent in context.planned if not agent.bundle_id]
        if waiting and state.composition == Composition() and not state.edits.can_undo:
            state.edits = Edits(composition_for(waiting[0]))
        self._changed()

    # Choosing

    def toggle_line(self, line: TreeLine) -> None:
        """Put a file, a section or all files of a folder in, or take them out."""
        path, title = line.key
        composition = self._state.composition
        weight = self._state.weights.get(path)
        if line.node.is_folder:
            self._toggle_folder(path)
        elif weight and weight.refused and not weight.secret and not composition.of(path):
            self._screen.query_one(Problem).show(weight.refused, "choose")
        elif title:
            self.edit(composition.toggled_section(path, title))
        else:
            self.edit(composition.toggled(path))

    def _toggle_folder(self, folder: str) -> None:
        composition = self._state.composition
        held = {choice.source for choice in composition.choices}
        missing = [path for path in self._files.files_under(folder) if path not in held]
        if not missing:
            self.edit(composition.without({choice.key for choice in composition.under(folder)}))
        elif len(missing) <= MANY:
            self._add_files(missing)
        else:
            size = sum(self._state.sizes.get(path, 0) for path in missing)
            self.confirm(
                f"Put {len(missing):,} files into the bundle?",
                f"{one_line(folder, 60)} holds {size / 1000:,.0f} kB that are not in it yet.",
                lambda: self._add_files(missing),
            )

    def _add_files(self, paths: Sequence[str]) -> None:
        """Weigh the files first, so that what cannot be taken is left out and named."""
        from orch_tui.prepare.composition import weigh_choices

        project, family = self._screen.app.project, self._state.family
        choices = [Choice(path) for path in paths]

        def work() -> dict[str, Weight]:
            weights = weigh_choices(
                choices, reader=project.reader(), family=family, cache=project.counts
            )
            return {choice.key: weight for choice, weight in zip(choices, weights, strict=True)}

        def then(weights: dict[str, Weight]) -> None:
            self._files.post_weights(family, weights)
            fit = [choice for choice in choices if not weights[choice.key].refused]
            if len(fit) < len(choices):
                count = len(choices) - len(fit)
                self._screen.notify(f"{count} left out: secret, binary or not readable")
            self.edit(self._state.composition.adding(fit))

        self._screen.run_in_thread(work, then, group="folder")

    def ask_for_source(self) -> None:
        """Ask for a source by its name, and add what it names."""
        self._screen.app.push_screen(AddSource(self._typed, self._look), self._add_source)

    def _look(self, typed: str, then: Callable[[SourceLook], None]) -> None:
        """Find out what typed text names; it is kept until something is added."""
        self._typed = typed
        project, tree, family = (
            self._screen.app.project,
            self._files.project_tree,
            self._state.family,
        )
        self._screen.run_in_thread(
            lambda: look_at_source(project, tree, typed, family), then, group="look"
        )

    def _add_source(self, found: SourceLook | None) -> None:
        if found is not None:
            self._typed = ""
            self.tell_left_out(found.left_out)
            self._files.post_weights(self._state.family, dict(found.weights))
            self.edit(self._state.composition.adding(found.choices))

    def tell_left_out(self, refused: Sequence[SourceError]) -> None:
        """Say what of several sources cannot be taken, where there is any."""
        if refused:
            more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
            text = one_line(f"left out: {refused[0].message}{more}", 300)
            self._screen.notify(text, markup=False)

    # What is under the cursor

    @property
    def targets(self) -> list[Choice]:
        """The marked choices of the list or the one under its cursor, or those of the tree's."""
        return self._list.targets if self._list.is_focused else self._files.choices_at_cursor

    @property
    def secrets(self) -> list[Choice]:
        """The choices under the cursor that wait for a yes."""
        weights = self._state.weights
        return [
            choice
            for choice in self.targets
            if (weight := weights.get(choice.key)) and weight.secret
        ]

    def cycle_priority(self) -> None:
        """Give the choices under the cursor the next priority."""
        self._cycle("priority", list(PRIORITIES), self.targets)

    def cycle_type(self) -> None:
        """Give the choices under the cursor, but for texts, the next type."""
        names = [name for name in TYPES if name != "briefing"]
        self._cycle("type", names, [choice for choice in self.targets if choice.text is None])

    def _cycle(self, field: str, names: Sequence[str], targets: Sequence[Choice]) -> None:
        """Give all of them the value that follows that of the first."""
        if not targets:
            return
        value = names[(names.index(getattr(targets[0], field)) + 1) % len(names)]
        values: dict[str, Any] = {field: value}
        if field == "type":
            values["shared_with"] = ()  # said anew when it is shared
        keys = {choice.key for choice in targets}
        self.edit(self._state.composition.changed(keys, **values))

    def move_item(self, by: int) -> None:
        """Move the marked items of the list, or the one under its cursor, up or down."""
        if self._list.is_focused and self._list.rows.key:
            keys = {choice.key for choice in self._list.targets}
            self.edit(self._state.composition.moved(keys, by))

    def take_out(self) -> None:
        """Take the marked items of the list out, or the one under its cursor; the cursor goes to
        the next that stays."""
        rows = self._list.rows
        if self._list.is_focused and rows.key:
            keys = {choice.key for choice in self._list.targets}
            order = [*rows.rows[rows.cursor :], *rows.rows[: rows.cursor][::-1]]
            rows.wanted = next((row.key for row in order if row.key not in keys), "")
            self.edit(self._state.composition.without(keys))

    def ask_to_allow(self) -> None:
        """Ask whether the secrets under the cursor may be handed over."""
        if secrets := self.secrets:
            names = "\n".join(one_line(choice.source, 60) for choice in secrets)
            self.confirm(
                "Hand what looks like a secret to the agent?",
                f"{names}\n\nThat you said yes is recorded with the bundle.",
                lambda: self._allow({choice.key for choice in secrets}),
            )

    def _allow(self, keys: set[str]) -> None:
        at = self._list.rows.cursor
        self.edit(self._state.composition.changed(keys, allow_secret=True))
        self._list.rows.move_to(at)  # with what it reads, its key is another

    # For whom

    def edit_agent(self) -> None:
        """Ask for which agent the bundle is, what that is to do, and the bundle's name."""
        project, now = self._screen.app.project, self._state.composition
        models = [
            (name, model.model_id if name != model.model_id else "")
            for model in project.catalogue.models.values()
            for name in (*model.aliases, model.model_id)
        ]
        agents = list_agent_choices(self._agent_types)
        default = f"{self._default_model}, unless you say another"
        fields = (
            Field("agent_type", "agent type", now.agent_type, "as in .claude/agents", agents),
            Field("scope", "scope", now.scope, "what it is to do"),
            Field("model", "model", now.model, default, models),
            Field("name", "name", now.name, "to find the bundle by; may stay empty"),
        )
        form = Form("Whom the bundle is for", fields, check=self._check, accept="accept")
        self._screen.app.push_screen(form, self._accept)

    def _accept(self, values: Mapping[str, str] | None) -> None:
        if values is not None:
            given: dict[str, Any] = {name: value.strip() for name, value in values.items()}
            self.edit(replace(self._state.composition, **given))

    def _check(self, values: Mapping[str, str]) -> list[Remark]:
        from orch_tui.prepare.validation import Remark

        agent_type, model = values["agent_type"].strip(), values["model"].strip()
        return [Remark(field, text) for field, text in self._remarks(agent_type, model)]

    def _remarks(self, agent_type: str, model: str) -> list[tuple[str, str]]:
        return agent_remarks(
            agent_type, model, known=self._agent_types, project=self._screen.app.project
        )

    @property
    def remarks(self) -> list[tuple[str, str]]:
        """What is unusual about the composition's agent and model, by field."""
        return self._remarks(self._state.composition.agent_type, self._state.composition.model)

    @property
    def model_choice(self) -> ModelChoice:
        """The model that the agent will be asked to run on, and who says so."""
        model = self._state.composition.model
        return ModelChoice(model, "asked") if model else self._default_model

    @property
    def _default_model(self) -> ModelChoice:
        agent = self._state.agent
        definition = agent.ambient.model if agent else ""
        return choose_model(definition=definition, session=self._screen.app.project.config.model)

    @property
    def _agent_types(self) -> Sequence[str]:
        return self._state.context.agent_types if self._state.context else ()

    def confirm(
        self, question: str, detail: str, then: Callable[[], None], *, yes: str = ""
    ) -> None:
        """Ask a question, and call ``then`` after a yes, which is worded as ``Confirm`` has it."""
        dialog = Confirm(question, detail=detail, yes=yes)
        self._screen.app.push_screen(dialog, lambda yes: then() if yes else None)


def draft_name(session_id: str) -> str:
    """Name the draft of a session."""
    return f"compose-{session_id}" if session_id else "compose"
