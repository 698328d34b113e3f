"""What a past execution gave back, as context for the next one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orch_tui.models.database import Record
from orch_tui.record import executions, outputs
from orch_tui.record.ledger import contents
from orch_tui.rows import Output
from orch_tui.source_name import Result


def read_past_result(record: Record, label: str, what: Result) -> bytes:
    """Its latest ``message``, byte for byte, or its ``outputs`` as Markdown; empty: none.

    Raises:
        NotFoundError: no such execution, with the nearest known labels.
    """
    execution = executions.get_execution(record, label)
    if what == "message":
        ids = [c.message_id for c in executions.list_completions(record, execution.execution_id)]
        exact = [contents.get_content(record, message) for message in ids if message is not None]
        return (exact[-1] if exact else None) or (execution.final_message or "").encode()
    held = outputs.list_execution_outputs(record, execution.execution_id)
    if not held:
        return b""
    title = f"# Outputs of {execution.execution_id} ({execution.agent_type})"
    return "\n".join([title, *_told(held), ""]).encode("utf-8", "surrogateescape")


def _told(held: Sequence[Output]) -> Iterator[str]:
    """The outputs by type; of a deliverable its latest version, of validations the latest."""
    files = {output.path: output for output in held if output.output_type == "deliverable"}
    by_type = {"deliverable": list(files.values())}
    for output in held:
        if output.output_type == "validation_result":
            by_type["validation_result"] = [output]
        elif output.output_type != "deliverable":
            by_type.setdefault(output.output_type or "other", []).append(output)
    for kind, title in _TITLES.items():
        if by_type.get(kind):
            yield f"\n## {title}\n"
            for output in by_type[kind]:
                yield from _lines(output)


_TITLES = {
    "deliverable": "Deliverables",
    "validation_result": "Validation results",
    "insight": "Insights",
    "error": "Errors",
    "other": "Others",
}


def _lines(output: Output) -> Iterator[str]:
    if output.output_type == "deliverable":
        size = "" if output.size is None else f" ({output.size:,} bytes)"
        yield f"- {output.file_path}{size or ' (missing)'}"
        return
    if output.output_type == "validation_result" and isinstance(output.content, dict):
        yield from (f"- {name}: {result}" for name, result in output.content.items())
        return
    yield "- " + output.text.replace("\n", "\n  ")
