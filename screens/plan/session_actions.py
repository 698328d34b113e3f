"""What is done with a session: opened, changed, moved to another phase, closed, archived."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from orch_tui.phases import PHASES
from orch_tui.screens.dialogs import Choose, Confirm
from orch_tui.screens.limit_form import ask_limits, parse_tokens
from orch_tui.screens.orch_screen import OrchScreen
from orch_tui.screens.plan.forms import session_form, session_of
from orch_tui.screens.plan.next_step import word_missing
from orch_tui.screens.plan.plan_changes import PlanChanges
from orch_tui.screens.plan.plan_state import PlanState
from orch_tui.screens.secret_consent import ask_for_secrets
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.form import Values
from orch_tui.screens.widgets.safe import one_line

if TYPE_CHECKING:
    from orch_tui.models.database import Record
    from orch_tui.record.sessions import SessionChanges
    from orch_tui.rows import Session

T = TypeVar("T")


class SessionActions:
    """Asks what there is to ask, and has the record changed."""

    def __init__(
        self,
        screen: OrchScreen,
        state: PlanState,
        changes: PlanChanges,
        opened: Callable[[str], None],
    ) -> None:
        """``opened`` is called with a session that is new."""
        self._screen = screen
        self._state = state
        self._changes = changes
        self._opened = opened

    def _change(
        self,
        work: Callable[[Record], T],
        then: Callable[[T], None],
        *,
        typed: tuple[str, Values] | None = None,
    ) -> None:
        self._changes.make(work, then, typed=typed, of=self._state.session_id)

    def _say(self, text: str) -> None:
        self._screen.notify(one_line(text, 300), markup=False)

    def open_new(self) -> None:
        form = session_form(self._screen.app.project.limits.budget)

        def accepted(values: dict[str, str] | None) -> None:
            if values is None:
                return

            def make(allow_secret: bool) -> None:
                self._changes.make(
                    lambda record: self._begin(values, allow_secret=allow_secret),
                    lambda session: self._opened(session.session_id),
                    typed=(form.draft, values),
                )

            ask_for_secrets(self._screen, session_of(values)["scope"], make)

        self._screen.app.push_screen(form, accepted)

    def _begin(self, values: Values, *, allow_secret: bool) -> Session:
        """Open a session as it was typed, with the limit of its agents."""
        from orch_tui.prepare.budget import EACH
        from orch_tui.record import sessions

        project = self._screen.app.project
        session = project.init_session(**session_of(values), allow_secret=allow_secret)
        if limit := parse_tokens(values["each_limit"]):
            changes: SessionChanges = {"agent_limits": {EACH: limit}}
            sessions.change_session(project.record, session.session_id, **changes)
        return session

    def edit(self, *, agent_type: str = "", at: str = "scope") -> None:
        """Ask for another scope or other limits of the session, and of agents of a type."""

        def change(session_id: str, changes: SessionChanges, typed: tuple[str, Values]) -> None:
            from orch_tui.record import sessions

            def make(allow_secret: bool) -> None:
                self._change(
                    lambda record: sessions.change_session(
                        record, session_id, allow_secret=allow_secret, **changes
                    ),
                    lambda changed: self._say(f"changed {one_line(changed.scope, 60)}"),
                    typed=typed,
                )

            ask_for_secrets(self._screen, changes.get("scope", ""), make)

        if self._state.page is not None:
            session_id = self._state.session_id
            ask_limits(self._screen, session_id, change, agent_type=agent_type, at=at)

    def go_on(self) -> None:
        """Move to the phase that is advised."""
        from orch_tui.recall.next_step import list_next_steps

        steps = list_next_steps(self._state.page) if self._state.page else ()
        for step in steps:
            if step.act == "move":
                self._go_to_phase(step.phase)

    def choose_phase(self) -> None:
        def chosen(key: str | None) -> None:
            if key:
                self._go_to_phase(int(key))

        choices = [(str(number), f"{number} {name}") for number, name in PHASES.items()]
        self._screen.app.push_screen(Choose("Go to which phase?", choices), chosen)

    def _go_to_phase(self, phase: int) -> None:
        from orch_tui.record import sessions

        page = self._state.page
        if page is None:
            return
        session_id, before = page.session.session_id, page.session.phase or 1

        def go(agreed: bool | None) -> None:
            if agreed:
                self._change(
                    lambda record: sessions.set_phase(record, session_id, phase),
                    lambda _: self._say(f"phase {phase} {PHASES[phase]} · Ctrl+Z goes back"),
                )

        missing = [g for g in page.gates if before <= g.phase < phase and not g.met]
        if not missing:
            go(True)
            return
        listed = "\n".join(f"○ {gate.name}: {word_missing(gate)}" for gate in missing)
        self._screen.app.push_screen(
            Confirm(
                f"Move on to phase {phase} {PHASES[phase]} anyway?",
                detail=f"{listed}\n\nWhat was skipped is recorded with it.",
            ),
            go,
        )

    def close(self) -> None:
        from orch_tui.record import sessions

        page = self._state.page
        if page is None:
            return
        session_id = page.session.session_id

        words = {"completed": "done", "failed": "failed"}
        name = one_line(page.session.scope or session_id, 50)
        missing = [word_missing(gate) for gate in page.gates if not gate.met and gate.can_hold]

        def close(status: str | None) -> None:
            if status:
                self._change(
                    lambda record: sessions.complete_session(record, session_id, status),
                    lambda _: self._say(f"{name} is {words[status]} · Ctrl+Z opens it again"),
                )

        choices = [
            ("completed", f"{SIGNS['done']} done: it is what it was to be"),
            ("failed", f"{SIGNS['failed']} failed: it is given up"),
        ]
        detail = "\n".join(f"{SIGNS['planned']} {each}" for each in missing)
        self._screen.app.push_screen(Choose(f"Close {name} as", choices, detail=detail), close)

    def archive(self) -> None:
        from orch_tui.record import sessions

        page = self._state.page
        if page is None:
            return
        session_id, archived = page.session.session_id, bool(page.session.archived_at)

        def go(agreed: bool | None) -> None:
            if agreed:
                word = "shown again" if archived else "archived · Ctrl+Z or . shows it"
                self._change(
                    lambda record: sessions.archive_session(
                        record, session_id, archived=not archived
                    ),
                    lambda _: self._say(f"{session_id} is {word}"),
                )

        if archived:
            go(True)
            return
        detail = (
            "It is left out of lists and search. Nothing is deleted; the same key brings it back."
        )
        self._screen.app.push_screen(Confirm(f"Archive {session_id}?", detail=detail), go)
