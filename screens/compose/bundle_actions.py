"""Compose's bundles: saved, opened, shared with others, made to fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orch_tui import compose_context as engine
from orch_tui.compose_context import CommonContent, OpenableBundle, composition_for
from orch_tui.prepare.composition import Composition, Weight
from orch_tui.screens.compose.editing import Editing
from orch_tui.screens.compose.project_files import ProjectFiles
from orch_tui.screens.compose.words import on_fitting, on_openable, to_share
from orch_tui.screens.dialogs import Choose
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.prepare.bundle import Bundle
    from orch_tui.prepare.fitting import Fitted
    from orch_tui.rows import PlannedAgent


class Keeping(Editing):
    """A composition and the bundles in the record."""

    def __init__(self) -> None:
        super().__init__()
        self._saved: dict[str, Composition] = {}
        """Bundles as they are in the record, by id, as far as they were opened here."""
        self._common: CommonContent | None = None

    @property
    def _changed(self) -> bool:
        return self.now.differs_from(self._saved.get(self.now.bundle_id))

    # Saving

    def action_save(self) -> None:
        self._save(self.now)

    def action_save_new(self) -> None:
        self._save(replace(self.now, bundle_id=""))

    def _save(self, now: Composition) -> None:
        if not now.choices:
            return
        if not now.agent_type:
            self.action_edit()
            return
        project, session_id = self.app.project, self._session_id
        self.run_in_thread(
            lambda: engine.save_composition(project, session_id, now), self._kept, group="save"
        )

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

    # Opening

    def action_open(self) -> None:
        context, project = self._compose_context, self.app.project
        if context is not None:
            self.run_in_thread(
                lambda: engine.list_openable(project, context), self._offer, group="open"
            )

    def _offer(self, openable: list[OpenableBundle]) -> None:
        choices = [(str(n), on_openable(each)) for n, each in enumerate(openable)]

        def chosen(choice: str | None) -> None:
            if choice == "new":
                self.action_new()
            elif choice is not None:
                self._open(openable[int(choice)])

        self.app.push_screen(Choose("Open", [*choices, ("new", "a new bundle")]), chosen)

    def _open(self, chosen: OpenableBundle) -> None:
        if chosen.planned is not None:
            self.compose_for(chosen.planned)
        elif chosen.saved is not None:
            self._open_bundle(chosen.saved.bundle_id, as_new=chosen.as_new)

    def action_new(self) -> None:
        self._replace(Composition())

    def compose_for(self, agent: PlannedAgent) -> None:
        """Go on with the bundle of a planned agent, or begin one; where it is at hand, it stays."""
        now = self.now
        if (agent.bundle_id or agent.planned_id) == (now.bundle_id or now.planned_id):
            self._let_type()
        elif agent.bundle_id:
            self._open_bundle(agent.bundle_id)
        else:
            self._replace(composition_for(agent))

    def _open_bundle(self, bundle_id: str, *, as_new: bool = False) -> None:
        project = self.app.project

        def then(opened: Composition) -> None:
            if not as_new:
                self._saved[opened.bundle_id] = opened
            self._replace(opened)

        self.run_in_thread(
            lambda: engine.load_composition(project, bundle_id, as_new=as_new), then, group="open"
        )

    def _replace(self, other: Composition) -> None:
        """Go on with another bundle; what would be left unsaved is asked about."""
        if not self._changed:
            self._begin(other)
            return
        what = one_line(self.now.bundle_id, 40) or "the new bundle"
        self._confirm(
            f"Leave {what} unsaved?", "z brings it back as it is.", lambda: self._begin(other)
        )

    def _begin(self, other: Composition) -> None:
        self._edit(other)
        self._let_type()

    def _let_type(self) -> None:
        """Where nothing is chosen yet, letters are at once those of a file."""
        if not self.now.choices:
            self._project.box.value = ""
            self._project.box.focus()

    # Sharing

    def action_share(self) -> None:
        common = self._common
        if common is None or not common.changes:
            return
        if not self.now.agent_type:
            self.action_edit()
            return
        count = len(common.changes)
        first = " This bundle is saved first." if self._changed else ""
        self._confirm(
            f"Leave out or move these tokens in {count} bundle{'' if count == 1 else 's'}?",
            f"{to_share(common)}{first}",
            self._share,
        )

    def _share(self) -> None:
        project, now, session_id = self.app.project, self.now, self._session_id
        unsaved = self._changed

        def then(shared: Composition) -> None:
            self.app.notify("shared; D takes it back")
            self._was_saved(shared)

        self.run_in_thread(
            lambda: engine.share_composition(project, session_id, now, unsaved=unsaved),
            then,
            group="save",
        )

    def action_unshare(self) -> None:
        shared = self._compose_context.shared_ids if self._compose_context else ()
        if not shared:
            return
        unsaved = self._changed and self.now.bundle_id in shared
        self._confirm(
            "Take sharing back?",
            f"{one_line(', '.join(shared), 300)}: each becomes again what it was before, as its "
            "next version." + " What is unsaved here is left; z brings it back." * unsaved,
            lambda: self._take_back(shared),
        )

    def _take_back(self, shared: tuple[str, ...]) -> None:
        project, now = self.app.project, self.now

        def then(before: Composition) -> None:
            self.app.notify("the bundles are again what they were")
            if before is now:
                self.load()
            else:
                self._was_saved(before)

        self.run_in_thread(
            lambda: engine.unshare_composition(project, shared, now), then, group="save"
        )

    # Fitting

    def action_fit(self) -> None:
        context, agent, project, now = (
            self._compose_context,
            self._agent,
            self.app.project,
            self.now,
        )
        if context is None or agent is None or not now.choices:
            return
        self.run_in_thread(
            lambda: engine.fit_composition(project, context, agent, now),
            self._would_fit,
            group="fit",
        )

    def _would_fit(self, fitted: Fitted) -> None:
        if not fitted.changes:
            self.app.notify(str(fitted), markup=False)
            return
        composition, weights = engine.apply_fit(self.now, fitted)
        self._confirm("Make it fit?", on_fitting(fitted), lambda: self._fit(composition, weights))

    def _fit(self, composition: Composition, weights: dict[str, Weight]) -> None:
        self._project.post_message(ProjectFiles.Weighed(self._family, weights))
        self._edit(composition)
