"""What one machine redacted goes from the others, too, and from what they have not sent yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.completion import record_completion
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.redacted_elsewhere import redact_as_elsewhere
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import restore_export
from tests.record.test_redaction import fill, traces

SECRET = "hunter2-zanzibar"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Record]:
    """The record of another machine."""
    with open_record(tmp_path / "other" / "execution.db", create=True, actor="bob") as record:
        yield record


def tell(source: Record, target: Record, path: Path) -> None:
    path.write_text("".join(row + "\n" for row in export_record(source)))
    restore_export(target, path)


def gone(record: Record) -> list[bytes]:
    """What the record holds no more of contents and briefings."""
    return [
        bytes(sha256)
        for (sha256,) in record.sql(
            "SELECT sha256 FROM contents WHERE encoding = 'gone' "
            "UNION SELECT sha256 FROM briefings WHERE parts LIKE '[[\"gone\"%'"
        )
    ]


def changed(record: Record, before: dict[bytes, object]) -> list[bytes]:
    return [digest for digest, said in statements(record).items() if before.get(digest) != said]


def statements(record: Record) -> dict[bytes, object]:
    return dict(record.sql("SELECT digest, payload FROM observations"))


def test_a_secret_goes_wherever_the_other_record_has_it(
    record: Record, other: Record, tmp_path: Path
) -> None:
    label = fill(record, SECRET, tmp_path)
    tell(record, other, tmp_path / "first")
    newest = other.value("SELECT max(observation_id) FROM observations")
    (ours,) = other.sql("SELECT execution_id FROM agent_executions")[0]
    record_completion(other, ours, final_message=f"Here I say {SECRET}, and told nobody yet.")
    assert traces(other, SECRET)
    before = statements(record)
    redact_secret(record, SECRET, "it leaked")
    tell(record, other, tmp_path / "second")
    assert traces(other, SECRET)
    assert redact_as_elsewhere(other, gone(record), changed(record, before), newest)
    assert not traces(other, SECRET)
    assert "[redacted], and told nobody yet" in str(
        other.sql("SELECT final_message FROM agent_executions")
    )
    assert not redact_as_elsewhere(other, gone(record), changed(record, before), 0)
    assert label


def test_a_content_whose_secret_is_not_known_goes_as_a_whole(
    record: Record, other: Record, tmp_path: Path
) -> None:
    label = fill(record, SECRET, tmp_path)
    tell(record, other, tmp_path / "first")
    (message,) = record.sql(
        "SELECT sha256 FROM contents JOIN agent_executions ON content_id = message_id "
        "WHERE execution_id = ?",
        [label],
    )[0]
    assert redact_as_elsewhere(other, [message], [], 0)
    assert other.sql("SELECT final_message FROM agent_executions") != record.sql(
        "SELECT final_message FROM agent_executions"
    )
    assert not redact_as_elsewhere(other, [message], [], 0)
