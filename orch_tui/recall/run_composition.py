"""A past run as what the next one could be given: the items of its bundle, or what it used."""

from __future__ import annotations

from dataclasses import replace

from orch_tui.models.database import Record
from orch_tui.prepare.composition import Choice, Composition
from orch_tui.prepare.marker import is_hand_over, remove_marker
from orch_tui.prepare.sources import is_outside, make_text_source
from orch_tui.record import bundles, executions
from orch_tui.record.ledger import briefings, file_use
from orch_tui.rows import ExecutionFacts


def compose_past_run(record: Record, label: str) -> Composition:
    """Compose what a run was given, for another of its agent type and scope.

    Of a run that nobody prepared a bundle for it is the prompt (required) and the files of the
    project that it read before it wrote them (recommended). What was shared with other bundles is
    whole again; which secrets were allowed is asked anew.

    Raises:
        NotFoundError: no such execution, with the nearest known labels.
    """
    execution = executions.get_execution(record, label)
    if execution.bundle_version_id is None:
        made = Composition().adding(_list_used(record, execution))
    else:
        given = bundles.load_bundle_version(record, execution.bundle_version_id).bundle
        made = Composition.of_bundle(given)
        made = made.changed(
            {choice.key for choice in made.choices}, shared_with=(), allow_secret=False
        )
    return replace(
        made,
        agent_type=execution.agent_type,
        scope=execution.scope or made.scope,
        model=made.model or execution.model or "",
        name="",
        bundle_id="",
    )


def _list_used(record: Record, execution: ExecutionFacts) -> list[Choice]:
    prompt_id = execution.briefing_id or execution.handed_over_id
    prompt = ""
    if prompt_id is not None:
        prompt = briefings.get_briefing(record, prompt_id).decode("utf-8", "surrogateescape")
    used = []
    if prompt.strip() and not is_hand_over(prompt):
        text = remove_marker(prompt)
        used.append(Choice(make_text_source(text).name, type="briefing", text=text))
    return used + [
        Choice(file.path, type="reference", priority="recommended")
        for file in file_use.list_file_use(record, execution.execution_id)
        if file.is_needed and not is_outside(file.path)
    ]
