"""What is done with bundles of the record: saved, opened, shared with others, made to fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui import compose_context
from orch_tui.compose_context import OpenableBundle, composition_for
from orch_tui.prepare.composition import Composition, Weight
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_editor import CompositionEditor
from orch_tui.screens.compose.composition_text import (
    describe_deployed,
    describe_fit,
)
from orch_tui.screens.compose.openable_rows import (
    NEW,
    OPENABLE_COLUMNS,
    OPENABLE_WORDS,
    openable_rows,
)
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.compose.share_dialog import ShareDialog
from orch_tui.screens.dialogs import Pick
from orch_tui.screens.limit_form import ask_limits
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.widgets.form import Values, draft_of
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.errors import SourceError
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.record.sessions import SessionChanges
    from orch_tui.rows import PlannedAgent
    from orch_tui.sharing_prospect import SharingProspect


class BundleActions:
    """Moves compositions between the screen and the record; what could be lost is asked about."""

    def __init__(
        self,
        screen: OrchScreen,
        state: ComposeState,
        editor: CompositionEditor,
        files: ProjectFiles,
    ) -> None:
        self._screen = screen
        self._state = state
        self._editor = editor
        self._files = files

    # Saving

    def save(self) -> None:
        """Save the composition as its bundle, or as a new one where it has none."""
        self._save(self._state.composition)

    def save_as_new(self) -> None:
        """Save the composition as a new bundle."""
        self._save(replace(self._state.composition, bundle_id=""))

    def _save(self, composition: Composition) -> None:
        if not composition.choices:
            return
        if not composition.agent_type:
            self._editor.edit_agent()
            return
        project, session_id = self._screen.app.project, self._state.session_id
        self._screen.run_in_thread(
            lambda: compose_context.save_composition(project, session_id, composition),
            self._saved,
            group="save",
        )

    def _saved(self, saved: tuple[Bundle, Composition]) -> None:
        bundle, composition = saved
        twice = f"; {len(bundle.dropped)} left out, they were in twice" if bundle.dropped else ""
        text = f"saved {bundle.bundle_id} v{bundle.version}: {bundle.total} tokens{twice}"
        self._screen.notify(text, markup=False)
        self._adopt_saved(composition)

    def _adopt_saved(self, saved: Composition) -> None:
        """Go on with a composition that is in the record as it is."""
        state = self._state
        state.saved[saved.bundle_id] = saved
        state.edits.edit(replace(saved, planned_id=state.composition.planned_id))
        self._editor.announce()
        self._screen.app.read_session()
        self._screen.load()

    # Opening

    def open(self) -> None:
        """Ask which planned agent or saved bundle to go on with."""
        context, project = self._state.context, self._screen.app.project
        if context is not None:
            self._screen.run_in_thread(
                lambda: compose_context.list_openable(project, context), self._offer, group="open"
            )

    def _offer(self, openable: list[OpenableBundle]) -> None:
        def chosen(choice: str | None) -> None:
            if choice == NEW:
                self.begin_new()
            elif choice is not None:
                self._open(openable[int(choice)])

        rows = openable_rows(openable, now=self._screen.app.project.now())
        dialog = Pick(
            "Open a bundle",
            OPENABLE_COLUMNS,
            rows,
            find_in=OPENABLE_WORDS,
            at="0" if openable else NEW,
            enter="opens it",
        )
        self._screen.app.push_screen(dialog, chosen)

    def _open(self, chosen: OpenableBundle) -> None:
        if chosen.planned is not None:
            self.compose_for(chosen.planned)
        elif chosen.saved is not None:
            self._load(chosen.saved.bundle_id, as_new=chosen.as_new)

    def begin_new(self) -> None:
        """Begin an empty bundle."""
        self._replace(Composition())

    def compose_for(self, agent: PlannedAgent) -> None:
        """Go on with the bundle of a planned agent, or begin one; where it is at hand, it stays."""
        now = self._state.composition
        if (agent.bundle_id or agent.planned_id) == (now.bundle_id or now.planned_id):
            self._focus_box()
        elif agent.bundle_id:
            self._load(agent.bundle_id)
        else:
            self._replace(composition_for(agent))

    def compose_from_run(self, label: str) -> None:
        """Begin a bundle of what a past run was given, as the files are now."""
        from orch_tui.project_bundles import compose_from_run

        project = self._screen.app.project
        left_out: list[SourceError] = []

        def then(made: Composition) -> None:
            self._editor.tell_left_out(left_out)
            self._replace(made)

        self._screen.run_in_thread(
            lambda: compose_from_run(project, label, left_out=left_out.append), then, group="open"
        )

    def _load(self, bundle_id: str, *, as_new: bool = False) -> None:
        project = self._screen.app.project

        def then(loaded: Composition) -> None:
            if not as_new:
                self._state.saved[loaded.bundle_id] = loaded
            self._replace(loaded)

        self._screen.run_in_thread(
            lambda: compose_context.load_composition(project, bundle_id, as_new=as_new),
            then,
            group="open",
        )

    def _replace(self, other: Composition) -> None:
        """Go on with another bundle; what would be left unsaved is asked about."""
        if not self._state.has_unsaved_changes:
            self._begin(other)
            return
        bundle = one_line(self._state.composition.bundle_id, 40) or "the new bundle"
        self._editor.confirm(
            f"Leave {bundle} unsaved?",
            "z brings it back as it is.",
            lambda: self._begin(other),
            yes="leaves it",
        )

    def _begin(self, other: Composition) -> None:
        self._editor.edit(other)
        self._focus_box()

    def _focus_box(self) -> None:
        """Where nothing is chosen yet, have letters be those of a file at once."""
        if not self._state.composition.choices:
            self._files.box.value = ""
            self._files.box.focus()

    # Sharing

    def share(self) -> None:
        """Foretell what sharing does, and ask what of it is to be done."""
        state = self._state
        if state.common is None or not state.common.changes:
            return
        if not state.composition.agent_type:
            self._editor.edit_agent()
            return
        self._foretell(None, self._offer_sharing)

    def _foretell(
        self, left: frozenset[str] | None, then: Callable[[SharingProspect], None]
    ) -> None:
        """Foretell sharing without the items that ``left`` names."""
        project, context = self._screen.app.project, self._state.context
        composition, items = self._state.composition, self._state.weigh_items()
        if context is not None:
            self._screen.run_in_thread(
                lambda: compose_context.foretell_composition_sharing(
                    project, context, composition, items, left
                ),
                then,
                group="share",
            )

    def _offer_sharing(self, prospect: SharingProspect) -> None:
        context = self._state.context
        deployed = [
            agent.before.agent_type
            for agent in prospect.agents
            if context and (saved := context.find_bundle(agent.before.bundle_id)) and saved.frozen
        ]
        dialog = ShareDialog(
            prospect,
            first="saves this bundle, " if self._state.has_unsaved_changes else "",
            remark=describe_deployed(deployed),
            foretell=self._foretell,
        )
        self._screen.app.push_screen(dialog, self._share)

    def _share(self, left: frozenset[str] | None) -> None:
        if left is None:
            return
        project, session_id = self._screen.app.project, self._state.session_id
        composition, unsaved = self._state.composition, self._state.has_unsaved_changes

        def then(shared: Composition) -> None:
            self._screen.notify("shared; D takes it back")
            self._adopt_saved(shared)

        self._screen.run_in_thread(
            lambda: compose_context.share_composition(
                project, session_id, composition, unsaved=unsaved, left=left
            ),
            then,
            group="save",
        )

    def unshare(self) -> None:
        """Ask whether to make the bundles again what they were before they were shared."""
        state = self._state
        shared = state.context.shared_ids if state.context else ()
        if not shared:
            return
        unsaved = state.has_unsaved_changes and state.composition.bundle_id in shared
        self._editor.confirm(
            "Take sharing back?",
            f"{one_line(', '.join(shared), 300)}: each becomes again what it was before, as its "
            "next version." + " What is unsaved here is left; z brings it back." * unsaved,
            lambda: self._unshare(shared),
            yes="takes it back",
        )

    def _unshare(self, shared: tuple[str, ...]) -> None:
        project, composition = self._screen.app.project, self._state.composition

        def then(before: Composition) -> None:
            self._screen.notify("the bundles are again what they were")
            if before is composition:
                self._screen.load()
            else:
                self._adopt_saved(before)

        self._screen.run_in_thread(
            lambda: compose_context.unshare_composition(project, shared, composition),
            then,
            group="save",
        )

    # Fitting

    def fit(self) -> None:
        """Ask whether to leave out or cut what is too much."""
        project, composition = self._screen.app.project, self._state.composition
        context, agent = self._state.context, self._state.agent
        if context is None or agent is None or not composition.choices:
            return
        self._screen.run_in_thread(
            lambda: compose_context.fit_composition(project, context, agent, composition),
            self._offer_fit,
            group="fit",
        )

    def _offer_fit(self, fitted: Fitted) -> None:
        if not fitted.changes:
            self._screen.notify(str(fitted), markup=False)
            return
        composition, weights = compose_context.apply_fit(self._state.composition, fitted)
        self._editor.confirm(
            "Make it fit?",
            describe_fit(fitted),
            lambda: self._fit(composition, weights),
            yes="makes it fit",
        )

    def _fit(self, composition: Composition, weights: dict[str, Weight]) -> None:
        self._files.post_weights(self._state.family, weights)
        self._editor.edit(composition)

    # Limits

    def ask_limits(self) -> None:
        """Ask for the limit of this agent, and for those of the session."""
        state, screen = self._state, self._screen
        if not state.session_id:
            return

        def change(session_id: str, changes: SessionChanges, typed: tuple[str, Values]) -> None:
            from orch_tui.record import sessions

            project, drafts = screen.app.project, screen.app.drafts

            def work() -> None:
                drafts.save(typed[0], draft_of(typed[1]))
                sessions.change_session(project.record, session_id, **changes)
                drafts.drop(typed[0])

            screen.run_in_thread(work, lambda _: self._limits_changed(), group="limits")

        agent_type = state.composition.agent_type
        ask_limits(screen, state.session_id, change, agent_type=agent_type, at="agent_limit")

    def _limits_changed(self) -> None:
        self._screen.notify("the limits are changed; L changes them again")
        self._screen.app.read_session()
        self._screen.load()
