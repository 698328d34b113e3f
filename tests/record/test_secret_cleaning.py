"""A secret is taken out of the files that orch wrote, and of no others."""

from __future__ import annotations

import json
from pathlib import Path

from orch_tui.models.database import Record
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.redaction import redact_secret
from orch_tui.record.upkeep.restore import restore_export
from orch_tui.record.upkeep.secret_cleaning import clean_files
from tests.record.test_redaction import AWKWARD, KEY, fill, traces, write


def exported(record: Record, path: Path) -> str:
    path.write_text("".join(line + "\n" for line in export_record(record)))
    return str(path)


def test_texts_backups_and_exports_of_the_record_are_cleaned(
    record: Record, tmp_path: Path
) -> None:
    fill(record, KEY, tmp_path)
    record.backup(tmp_path / "copy.db")
    export = exported(record, tmp_path / "export.jsonl")
    text = write(tmp_path / "report.md", f"one {KEY}, two {KEY}")
    Path(text).chmod(0o640)
    redact_secret(record, KEY, "pasted")
    paths = [str(tmp_path / "copy.db"), export, text]
    assert list(clean_files(record, KEY, "pasted", paths)) == paths
    assert Path(text).read_text() == "one [redacted], two [redacted]"
    assert Path(text).stat().st_mode & 0o777 == 0o640
    assert KEY not in Path(export).read_text()
    with Record(tmp_path / "copy.db", create=False) as copy:
        assert traces(copy, KEY) == []
    with open_record(tmp_path / "again.db") as again:
        assert restore_export(again, Path(export)).statements


def test_a_secret_of_several_lines_is_taken_out_of_json(record: Record, tmp_path: Path) -> None:
    bundle = write(tmp_path / "bundle.json", json.dumps({"scope": f"a {AWKWARD} b"}))
    assert list(clean_files(record, AWKWARD, "x", [bundle])) == [bundle]
    assert json.loads(Path(bundle).read_text()) == {"scope": "a [redacted] b"}


def test_an_export_of_another_record_is_left_as_it_is(record: Record, tmp_path: Path) -> None:
    with open_record(tmp_path / "other" / "execution.db") as other:
        fill(other, KEY, tmp_path)
        export = exported(other, tmp_path / "export.jsonl")
    before = Path(export).read_bytes()
    assert list(clean_files(record, KEY, "x", [export, str(tmp_path / "gone.md")])) == [
        str(tmp_path / "gone.md")
    ]
    assert Path(export).read_bytes() == before


def test_what_lies_behind_a_link_is_not_touched(record: Record, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.md", KEY)
    link = record.path.parent / "drafts" / "a.draft"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    list(clean_files(record, KEY, "x", [str(link)]))
    assert Path(outside).read_text() == KEY
