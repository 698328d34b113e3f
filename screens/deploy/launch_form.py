"""Deploying one agent: what it would be, what it would take, and the briefing to hand over."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from orch_tui.errors import ConflictError, UsageError
from orch_tui.paths import resolve_path
from orch_tui.screens.dialogs import Ask
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.theme import SIGNS
from orch_tui.screens.widgets.bundle_parts import gauge_parts
from orch_tui.screens.widgets.lines import Lines
from orch_tui.screens.widgets.safe import one_line
from orch_tui.screens.widgets.stack import Stack
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.project import Project
    from orch_tui.record.deployment import Deployment, Prospect

ROOMY = 24
"""Lines of the terminal from which the parts of the agent's gauge are told."""
NO_BUNDLE = """There is no bundle, so there is no briefing to hand over.

F2 composes one for this agent. Deployed as it is, only the deployment is recorded."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be deployed: a planned agent, a bundle, or an agent by its name."""

    session_id: str
    planned: int | None = None
    bundle_id: str | None = None
    agent_type: str | None = None
    scope: str | None = None


class LaunchForm(ScreenPart):
    """One deployment, looked over before it is recorded."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,f8", "go('line')", "record it, copy the line", id="deploy-go"),
        Binding("enter,f8", "go('briefing')", "record it, copy the briefing", id="deploy-go"),
        Binding("enter,f8", "go('')", "record it", id="deploy-go"),
        Binding("enter,f8,escape", "done", "to the list", id="deploy-done"),
        Binding("l", "line", "copy the line", id="deploy-line"),
        Binding("b", "copy", "copy the briefing", id="deploy-copy"),
        Binding("m", "markdown", "as it is, or read", id="deploy-markdown"),
        Binding("w", "write", "write it to a file", id="deploy-write"),
        Binding("escape", "leave", "back, nothing is recorded", id="deploy-back"),
    ]

    @dataclass
    class Closed(Message):
        """The view is done with; ``execution_id`` is what was deployed, if anything."""

        execution_id: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self._wanted: Wanted | None = None
        self._prospect: Prospect | None = None
        self._deployed: Deployment | None = None
        self._is_recording = False
        """The record may keep it waiting: another Enter is no other deployment."""
        self._reason: str | None = None
        self._as_markdown = True
        self._has_hook = False
        """Whether a hook of the project hands briefings over."""

    def compose(self) -> ComposeResult:
        with Vertical(id="deploying-head", classes="pane"):
            yield Static("", id="deploying-what", markup=False)
            yield Stack("this agent ", id="deploying-agent")
            yield Stack("the session", id="deploying-session")
            yield Static("", id="deploying-next", markup=False)
            yield Static("", id="deploying-told", markup=False)
        briefing = Lines(id="deploying-briefing", classes="pane")
        briefing.border_title = "Briefing"
        yield briefing

    def open(self, wanted: Wanted) -> None:
        """Show what this deployment would be."""
        from orch_tui.record.deployment import preview_deployment

        project = self.app.project
        self._wanted, self._prospect, self._deployed, self._reason = wanted, None, None, None
        head = self.query_one("#deploying-head")
        head.border_title, head.border_subtitle = "Hand over", ""
        self.query_one("#deploying-next", Static).update("")
        self.query_one("#deploying-what", Static).update("")
        self._tell(())
        self.query_one(Lines).show("")
        self.query(Stack).set(display=False)
        self.query_one(Lines).focus()

        def work() -> tuple[Prospect, bool]:
            from orch_tui.install import hook_settings

            prospect = preview_deployment(
                project.existing_record,
                wanted.session_id,
                catalogue=project.catalogue,
                limits=project.limits,
                planned=wanted.planned,
                bundle_id=wanted.bundle_id,
                agent_type=wanted.agent_type,
                scope=wanted.scope,
            )
            return prospect, hook_settings.state(project.root).hands_over

        self.run_in_thread(work, lambda found: self._show(*found), group="prospect")

    @property
    def _copied(self) -> str:
        """What is copied to hand over: ``line``, ``briefing`` or nothing."""
        prospect = self._prospect
        if prospect is None or not prospect.briefing:
            return ""
        return "line" if self._has_hook else "briefing"

    def _show(self, prospect: Prospect, has_hook: bool) -> None:
        self._prospect, self._has_hook = prospect, has_hook
        self.query_one("#deploying-next", Static).update(_NEXT[self._copied])
        bundle, scope = prospect.bundle, one_line(prospect.scope or "", 200)
        given = plural(len(bundle.items), "item") if bundle else "no bundle"
        what = Content.assemble(
            (scope, "bold"),
            (f"   {one_line(str(prospect.model_choice), 60)} · {given}", "$foreground-muted"),
        )
        self.query_one("#deploying-what", Static).update(what)
        head = self.query_one("#deploying-head")
        head.border_title = Content(f"Hand over to {one_line(prospect.agent_type, 60)}")
        head.border_subtitle = Content(
            f"{one_line(bundle.bundle_id, 40)} v{bundle.version}" if bundle else ""
        )
        agent = prospect.judgement.agent
        parts = gauge_parts(bundle, agent.ambient) if bundle else ()
        self.query_one("#deploying-agent", Stack).show(
            agent, parts if self.app.size.height >= ROOMY else ()
        )
        self.query_one("#deploying-session", Stack).show(prospect.judgement.session)
        self.query(Stack).set(display=True)
        briefing = prospect.briefing.decode("utf-8", "replace")
        self._show_briefing(briefing)
        self._tell(self._warnings(prospect))
        self.refresh_bindings()

    def _show_briefing(self, briefing: str) -> None:
        self.query_one(Lines).show(briefing or NO_BUNDLE, markdown=self._as_markdown)

    def action_markdown(self) -> None:
        """Show the briefing as Markdown reads, or to the letter."""
        self._as_markdown = not self._as_markdown
        self._show_briefing(self.query_one(Lines).text)

    def _warnings(self, prospect: Prospect) -> Iterable[str]:
        if prospect.judgement.status == "over":
            yield "Over budget: deploying it needs a reason, which is recorded."
        gauges = (str(prospect.judgement.agent), str(prospect.judgement.session))
        yield from (f"{remark}." for remark in prospect.remarks if remark not in gauges)

    def _tell(self, lines: Iterable[str]) -> None:
        told, text = self.query_one("#deploying-told", Static), "\n".join(map(one_line, lines))
        told.update(text)
        told.display = bool(text)
        told.set_class(self._deployed is not None, "-done")

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "go":
            is_open = self._prospect is not None and self._deployed is None
            return is_open and parameters == (self._copied,)
        if action in ("done", "leave"):
            is_left = action == "leave" and self._is_recording
            return not is_left and (action == "done") == (self._deployed is not None)
        if action in ("copy", "write"):
            return bool(self._deployed and self._deployed.briefing)
        if action == "line":
            return bool(self._deployed and self._deployed.line)
        return True

    def action_go(self, copied: str) -> None:
        """Record the deployment and then hand the briefing over."""
        prospect = self._prospect
        if prospect is None or self._deployed or self._is_recording:
            return
        if prospect.judgement.status != "over":
            self._deploy(None)
            return
        over = [g for g in (prospect.judgement.agent, prospect.judgement.session) if g.share > 1]
        self.app.push_screen(
            Ask(
                "It is over budget. Why deploy it all the same?",
                value=self._reason or "",
                detail="\n".join(map(str, over)),
            ),
            self._overridden,
        )

    def _overridden(self, reason: str | None) -> None:
        if reason is None:
            return
        if reason.strip():
            self._deploy(reason.strip())
        else:
            self.refuse(
                UsageError("over budget, and no reason", hint="nothing was recorded"), "deploy"
            )

    def _deploy(self, reason: str | None) -> None:
        from orch_tui.record.deployment import record_deployment

        project, wanted, prospect = self.app.project, self._wanted, self._prospect
        assert wanted is not None and prospect is not None
        self._reason = reason
        self._is_recording = True

        def work() -> Deployment:
            return record_deployment(
                project.record,
                wanted.session_id,
                catalogue=project.catalogue,
                limits=project.limits,
                agent_type=prospect.agent_type,
                scope=prospect.scope,
                bundle=prospect.bundle,
                planned=wanted.planned,
                allow_overflow=reason,
                worktree=project.worktree,
                root=project.root,
            )

        self.run_in_thread(
            work,
            lambda done: self._done(done, wanted),
            group="deploy",
            failed=lambda error: self._recorded(),
        )

    def _recorded(self) -> None:
        self._is_recording = False

    def _done(self, deployed: Deployment, wanted: Wanted) -> None:
        self._recorded()
        line, left = deployed.line, deployed.hand_over
        if line:
            self._copy_line(line, deployed)
        elif deployed.briefing:
            self._copy(deployed)
        if wanted is not self._wanted:  # this view shows another one by now
            return
        self._deployed = deployed
        head = self.query_one("#deploying-head")
        head.border_title = Content(f"Handed over to {one_line(deployed.execution.agent_type, 60)}")
        self.query_one("#deploying-next", Static).update(_word_handed(deployed))
        if line:
            told = ["The hook puts the briefing in its place; b copies it, w writes it to a file."]
        elif deployed.briefing:
            told = ["If your terminal did not take it, w writes it to a file."]
        else:
            told = []
        self._tell([*told, *(left.remarks if left else ())])
        self._show_briefing(deployed.briefing.decode("utf-8", "replace"))
        self.refresh_bindings()

    def _copy(self, deployed: Deployment) -> None:
        text = deployed.briefing.decode("utf-8", "replace")
        self.app.copy(text, f"the briefing of {deployed.execution.execution_id}")

    def _copy_line(self, line: str, deployed: Deployment) -> None:
        self.app.copy(line, f"the line for {deployed.execution.execution_id}")

    def action_line(self) -> None:
        if self._deployed and self._deployed.line:
            self._copy_line(self._deployed.line, self._deployed)

    def action_copy(self) -> None:
        if self._deployed:
            self._copy(self._deployed)

    def action_write(self) -> None:
        if self._deployed:
            write_briefing(self, self._deployed.execution.execution_id, self._deployed.briefing)

    def action_done(self) -> None:
        if self._deployed:
            self.post_message(self.Closed(self._deployed.execution.execution_id))

    def action_leave(self) -> None:
        self.post_message(self.Closed(""))

    def command(self) -> str:
        wanted, prospect = self._wanted, self._prospect
        if wanted is None or prospect is None:
            return ""
        words = ["orch", "init-deployment", "--session-id", wanted.session_id]
        if wanted.planned:
            words += ["--planned", str(wanted.planned)]
        elif prospect.bundle:
            words += ["--context-bundle", prospect.bundle.bundle_id]
        else:
            words += ["--agent-type", prospect.agent_type]
            words += ["--scope", prospect.scope] if prospect.scope else []
        if prospect.briefing:
            words += ["--output", "briefing.md"]
        if prospect.judgement.status == "over":
            words += ["--allow-overflow", self._reason or "REASON"]
        return join(words)


_NEXT = {
    "line": "Enter records it and copies one line: say it in Claude Code, a hook does the rest.",
    "briefing": "Enter records it and copies the briefing: give it to the agent as its prompt.",
    "": "Enter records it: there is no briefing to hand over.",
}
"""What comes next, by what is copied."""


def _word_handed(deployed: Deployment) -> Content:
    """Say what is recorded, and what to do with what is on the clipboard."""
    label = one_line(deployed.execution.execution_id, 40)
    sign = (f"{SIGNS['running']} ", "$state-running")
    if deployed.line:
        line = (one_line(deployed.line, 400), "bold $text-accent")
        return Content.assemble(sign, f"{label} is recorded. Say in Claude Code:  ", line)
    if deployed.briefing:
        words = f"{label} is recorded, its briefing is on the clipboard: give it to the agent."
        return Content.assemble(sign, (words, "bold"))
    words = f"{label} is recorded. There is no briefing to hand over."
    return Content.assemble(sign, (words, "bold"))


def write_briefing(part: ScreenPart, label: str, briefing: bytes) -> None:
    """Ask for a file and write a briefing to it: for terminals that take no clipboard."""
    project = part.app.project

    def write_to(name: str | None) -> None:
        if not name:
            return
        part.run_in_thread(
            lambda: _write_new(project, name, label, briefing),
            lambda _: part.notify(f"the briefing of {label} is in {one_line(name)}", markup=False),
            group="write",
        )

    inside = project.root / ".claude" / "orchestration" / "briefings" / f"{label}.md"
    suggested = os.path.relpath(inside, project.cwd)
    part.app.push_screen(Ask("Write the briefing to which file?", value=suggested), write_to)


def _write_new(project: Project, name: str, label: str, data: bytes) -> None:
    from orch_tui.files import write
    from orch_tui.record.ledger.briefing_files import log_briefing_file
    from orch_tui.written_files import note_written

    path = Path(resolve_path(name, project.cwd))
    if path.exists() and not (path.is_file() and path.read_bytes() == data):
        raise ConflictError(f"{path} exists already", hint="name another file")
    write(path, data)
    note_written(path)
    log_briefing_file(project.record, label, str(path.resolve()))
