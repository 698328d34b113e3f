"""One deployment from Python, and what came back of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

from orch_tui.models.values import Ending
from orch_tui.paths_given import Paths, Texts, listed
from orch_tui.project import Project
from orch_tui.record import executions, found_outputs, outputs, run_return
from orch_tui.record.run_place import MissingFile
from orch_tui.rows import ErrorCode, ExecutionFacts, Output


class Execution:
    """One deployment, to be completed when its agent returns."""

    def __init__(
        self,
        project: Project,
        execution_id: str,
        briefing: bytes = b"",
        hand_over: str | None = None,
        remarks: tuple[str, ...] = (),
        *,
        other_project: bool = False,
    ) -> None:
        self.project = project
        self.other_project = other_project
        """Whether to write into it though it is of another project, in a record that serves
        several."""
        self.execution_id = execution_id
        self.briefing = briefing.decode("utf-8", "replace")
        """The text to hand to the agent; empty without a bundle."""
        self.hand_over = hand_over
        """The line to pass for it; None where no hook puts the briefing in its place."""
        self.remarks = remarks
        """What a person should know of it: an overflow, an assumed model, that no hook can hand the
        briefing over and the agent has to read the file that the line names."""

    @property
    def facts(self) -> ExecutionFacts:
        """The execution as it is stored now."""
        return executions.get_execution(self.project.record, self.execution_id)

    def record_completion(
        self,
        final_message: str | bytes | None = None,
        *,
        deliverables: Paths = (),
        validation_results: Mapping[str, str | int | float] | None = None,
        insights: Texts = (),
        errors: Texts = (),
        collect: bool = False,
        status: Ending | None = None,
        success: bool | None = None,
        error_message: str | None = None,
        error_code: ErrorCode | None = None,
        completed_at: str | None = None,
        supersede: str | None = None,
    ) -> ExecutionFacts:
        """Record what came back; the same call again changes nothing.

        ``deliverables`` are paths the agent made; ``collect`` also records what the message
        itself tells of, marked as found. A deliverable that is missing is recorded as missing, and
        warned of (``UserWarning``), and so is a message that tells of a failure where nothing says
        how the run ended: it is completed and in doubt. ``status`` and ``success`` follow, and an
        error is a failure. Without a message the latest return is meant: outputs are added to it,
        another outcome amends it. ``supersede`` is the reason to take back what was said of
        earlier returns, or of the outcome of the latest.

        Raises:
            UsageError: a status or error code that does not exist; no message of a run that never
                returned and is not closed as failed.
            ConflictError: the same message was recorded with another status or error, or the
                latest return with another outcome, and no reason is given.
        """
        self._check_own()
        missing: list[MissingFile] = []
        recorded, _ = run_return.record_return(
            self.project.record,
            self.execution_id,
            root=self.project.root,
            cwd=self.project.cwd,
            final_message=final_message,
            deliverable_paths=listed(deliverables),
            validation=validation_results,
            insights=listed(insights),
            errors=listed(errors),
            collect=collect,
            status=status,
            success=success,
            error_message=error_message,
            error_code=error_code,
            completed_at=completed_at,
            supersede=supersede,
            source="api",
            missing=missing.append,
        )
        _warn_of_missing(missing)
        if recorded.doubt:
            warnings.warn(
                f"{self.execution_id} is recorded as completed and in doubt, since its message "
                f"tells of a failure ({recorded.doubt}); to record it as failed: "
                'record_completion(status="failed", supersede=REASON)',
                stacklevel=2,
            )
        return recorded.execution

    def collect(
        self,
        *,
        deliverables: Paths = (),
        validation_results: Mapping[str, str | int | float] | None = None,
        insights: Texts = (),
        errors: Texts = (),
    ) -> list[Output]:
        """Record deliverables (as they are on disk now), validation results, insights, errors.

        A deliverable that is missing is recorded as missing, and warned of (``UserWarning``).
        """
        self._check_own()
        missing: list[MissingFile] = []
        collected = outputs.collect_outputs(
            self.project.record,
            self.execution_id,
            root=self.project.root,
            cwd=self.project.cwd,
            deliverable_paths=listed(deliverables),
            validation=validation_results,
            insights=listed(insights),
            errors=listed(errors),
            source="api",
            missing=missing.append,
        )
        _warn_of_missing(missing)
        return collected

    def collect_found(self) -> list[Output]:
        """Keep what its recorded messages tell of; gives all of it, marked as found.

        Nobody has verified it. Hooks and the import do this by themselves for what they record.
        """
        self._check_own()
        return found_outputs.collect_found(
            self.project.record, self.execution_id, session_id=None, root=self.project.root
        )

    def outputs(self) -> list[Output]:
        """What was collected so far."""
        return outputs.list_execution_outputs(self.project.record, self.execution_id)

    def retract(self, reason: str) -> ExecutionFacts:
        """Take the execution back: recorded by mistake."""
        self._check_own()
        return executions.retract_execution(
            self.project.record, self.execution_id, reason, source="api"
        )

    def _check_own(self) -> None:
        self.project.check_own_run(self.execution_id, other_project=self.other_project)

    def __repr__(self) -> str:
        return f"Execution({self.execution_id!r})"


def _warn_of_missing(files: Iterable[MissingFile]) -> None:
    """Warn of deliverables that are not there, as of something in the line that named them."""
    for file in files:
        warnings.warn(f"deliverable {file}", stacklevel=3)
