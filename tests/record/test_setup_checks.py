"""What the doctor tells of settings, installations and the inbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from orch_tui.models.database import Record
from orch_tui.record.upkeep.doctor import examine_record
from tests.record.examining import fill_record, find_troubles


@pytest.fixture
def filled(record: Record) -> Record:
    return fill_record(record)


def test_an_orch_of_another_version_is_named(
    filled: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "lib/python3.11/site-packages/orch_tui-0.0.1.dist-info").mkdir(
        parents=True
    )
    program = tmp_path / "venv" / "bin" / "orch"
    program.write_text(f"#!{tmp_path}/venv/bin/python\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    finding = find_troubles(filled, tmp_path)["orch"]
    assert str(program) in finding.detail
    assert "0.0.1" in finding.detail
    assert finding.remedy.endswith("pip install --upgrade orch-tui")


def test_payloads_in_the_inbox(filled: Record) -> None:
    root = filled.path.parents[2]
    aside = filled.path.parent / "inbox" / "unreadable"
    aside.mkdir(parents=True)
    (aside / "a.json").touch()
    for name in ("b.json", "c.json"):
        (aside.parent / name).touch()
    told = [f for f in examine_record(filled.path, root) if f.what == "inbox"]
    assert [(f.level, f.detail.split(" in ")[0]) for f in told] == [
        ("warning", "1 payload could not be read"),
        ("ok", "2 payloads"),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("budget = ", "is not TOML"),
        ("budget = 0", "budget: must be"),
        ("bugdet = 1", "bugdet: is not a setting"),
        ("warn_threshold = 0.95", "is above"),
    ],
)
def test_settings_that_are_wrong_are_a_finding(
    filled: Record, tmp_path: Path, settings: str, said: str
) -> None:
    folder = tmp_path / "sets" / ".claude" / "orchestration"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f"{settings}\n")
    finding = find_troubles(filled, tmp_path / "sets")["settings"]
    assert finding.level == "problem"
    assert said in finding.detail
    assert finding.remedy
