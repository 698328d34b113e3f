"""The commands for the record and the installation themselves."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orch_tui.assets import asset
from orch_tui.record.upkeep import migrate
from tests.cli.conftest import Run
from tests.cli.test_bad_input import DATABASE, corrupt, dump
from tests.record.test_migrate import LAST, stored


def test_every_setting_is_shown_with_where_it_comes_from(did: Run, project: Path) -> None:
    folder = project / ".claude" / "orchestration"
    folder.mkdir()
    dates = '[themes.x]\nprimary = 07:32:00\n[models."claude-x"]\ndate = 2026-11-22\n'
    (folder / "config.toml").write_text(f"budget = 5000\n[keymap]\nquit = 'q'\n{dates}")
    done = did("config", "--format", "json")
    settings = {each["setting"]: (each["value"], each["from"]) for each in done.json}
    assert settings["budget"] == (5000, str(folder / "config.toml"))
    assert settings["themes"][0] == {"x": {"primary": "07:32:00"}}
    assert settings["keymap"] == ({"quit": "q"}, str(folder / "config.toml"))
    assert settings["warn_threshold"] == (0.75, "default")
    assert f"record: {DATABASE.absolute()}" in did("config").err


def older_record() -> Path:
    folder = Path(".claude/orchestration")
    folder.mkdir()
    return stored(LAST, folder)


def test_a_record_of_an_older_orch_is_brought_up_to_date(did: Run, project: Path) -> None:
    path = older_record()
    before = path.read_bytes()
    done = did("migrate")
    assert done.out == f"{path.absolute()}\n"
    backup = path.with_name("execution.db.v1.bak")
    assert str(backup) in done.err
    assert backup.read_bytes()[100:] == before[100:]
    assert "up to date already" in did("migrate").err
    assert "exec-001" in did("query").out


def test_an_older_search_index_answers_until_it_is_made_anew(did: Run, project: Path) -> None:
    older_record()
    did("migrate")

    def told() -> dict[str, str]:
        (found,) = (
            f for f in did("doctor", "--format", "json").json if f["what"] == "search index"
        )
        return {name: found[name] for name in ("level", "remedy")}

    before = did("history", "again", "--format", "json").json
    assert before
    did("init-session", "--scope", "a command on its way")
    assert told() == {"level": "warning", "remedy": "open orch, or orch doctor --repair"}
    assert "indexed anew" in did("doctor", "--repair").err
    assert told() == {"level": "ok", "remedy": ""}
    assert did("history", "again", "--format", "json").json == before


def test_a_command_that_does_something_else_migrates_no_large_record(
    did: Run, orch: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = older_record()
    before = path.read_bytes()
    monkeypatch.setattr(migrate, "MANY_RUNS", 3)
    for words in (("query",), ("init-session", "--scope", "s"), ("backup", "b.db")):
        done = orch(*words)
        assert done.code == 1
        assert "orch migrate" in done.err
    assert path.read_bytes() == before
    did("migrate")
    did("query")


def test_there_is_nothing_to_migrate(orch: Run, project: Path) -> None:
    done = orch("migrate")
    assert done.code == 1
    assert "there is no record" in done.err


def test_a_sound_record_is_called_sound(did: Run, deployed: str) -> None:
    findings = did("doctor", "--format", "json").json
    assert findings
    assert [each for each in findings if each["level"] == "problem"] == []
    assert did("doctor").out.split()[:3] == ["level", "what", "detail"]


def test_what_is_wrong_is_found_and_exits_with_1(did: Run, orch: Run, deployed: str) -> None:
    with closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("DELETE FROM sessions")
        connection.commit()
    done = orch("doctor", "--format", "json")
    assert done.code == 1
    problems = {each["what"]: each for each in done.json if each["level"] == "problem"}
    assert "agent_executions" in problems["references"]["detail"]
    assert problems["references"]["remedy"]


def test_a_record_that_is_corrupt_or_missing_can_be_examined(
    did: Run, orch: Run, deployed: str
) -> None:
    corrupt(DATABASE)
    done = orch("doctor")
    assert done.code == 1
    assert "corrupt" in done.out
    DATABASE.unlink()
    done = orch("doctor", "--format", "json")
    assert (done.code, done.json[0]["level"]) == (1, "problem")
    assert not DATABASE.exists()


def test_what_can_be_derived_again_is_repaired(did: Run, deployed: str) -> None:
    assert did("doctor", "--repair").err == "nothing needed mending\n"
    DATABASE.chmod(0o644)
    before = dump()
    assert did("doctor", "--repair").err.startswith("execution.db: closed to others\n")
    assert DATABASE.stat().st_mode & 0o777 == 0o600
    assert dump() == before


def test_a_backup_is_a_whole_record(did: Run, deployed: str) -> None:
    assert did("backup", "copy.db").out == "copy.db\n"
    assert dump(Path("copy.db")) == dump()
    assert Path("copy.db").stat().st_mode & 0o777 == 0o600
    assert did("query", "--db", "copy.db").out == did("query").out


def test_folders_of_a_copy_are_made_and_said(did: Run, orch: Run, deployed: str) -> None:
    assert did("backup", "a/b/copy.db").err == "made the folder a/b\n"
    assert did("export", "--sqlite", "c/plain.db").err.startswith("made the folder c\n")
    assert Path("a/b/copy.db").exists() and Path("c/plain.db").exists()
    assert "cannot be written" in orch("backup", "a/b/copy.db/d/copy.db").err


def test_a_model_that_is_set_and_that_nobody_knows_is_remarked_on(did: Run, deployed: str) -> None:
    assert "(nearest: sonnet)" in did("config", "set", "model", "sonett").err
    assert "nearest" not in did("config", "set", "model", "opus").err


def test_everything_is_exported_as_lines_of_json(did: Run, deployed: str) -> None:
    printed = did("export").out
    lines = [json.loads(line) for line in printed.splitlines()]
    assert any("exec-001" in json.dumps(line) for line in lines)
    done = did("export", "--output", "out/record.jsonl")
    assert done.out == ""
    written = Path("out/record.jsonl").read_text()
    assert written.splitlines()[1:] == printed.splitlines()[1:]  # the first says when it was made


def test_a_secret_is_removed_from_everywhere(did: Run, deployed: str) -> None:
    secret = b"sk-0123456789-secret"
    did("record-completion", "--execution-id", deployed, "--final-message", f"It is {secret!r}.")
    Path("mine.txt").write_bytes(secret + b"\n")
    looked = did("redact", "mine.txt", "--reason", "pasted", "--dry-run", "--format", "json")
    assert {each["where"] for each in looked.json} >= {"contents", "agent_executions"}
    assert secret in DATABASE.read_bytes()
    done = did("redact", "-", "--reason", "pasted by mistake", stdin=secret + b"\n")
    assert "contents" in done.out
    assert secret not in DATABASE.read_bytes()
    assert secret.decode() not in did("show", deployed).out
    again = did("redact", "-", "--reason", "pasted by mistake", stdin=secret)
    assert "does not hold it" in again.err


def test_files_that_orch_wrote_are_cleaned_when_somebody_says_so(did: Run, deployed: str) -> None:
    secret = "sk-0123456789-secret"
    did("record-completion", "--execution-id", deployed, "--final-message", f"It is {secret}.")
    did("collect", "--execution-id", deployed, "--insights", f"never print {secret}")
    did("synthesize", "--output", "report.md")
    did("backup", "copy.db")
    did("export", "--output", "out.jsonl")
    Path("mine.txt").write_text(secret)
    named = did("redact", "-", "--reason", "pasted", stdin=secret.encode()).err
    for name in ("report.md", "copy.db", "out.jsonl"):
        assert f"still in {Path(name).resolve()}, which orch wrote" in named
    assert "--yes takes it out of those 3 files" in named
    assert "the history of git" in named and "mine.txt" not in named
    assert secret in Path("report.md").read_text()
    done = did("redact", "mine.txt", "--reason", "pasted", "--yes").err
    for name in ("report.md", "copy.db", "out.jsonl"):
        assert f"taken out of {Path(name).resolve()}" in done
        assert secret.encode() not in Path(name).read_bytes()
    assert Path("mine.txt").read_text() == secret
    assert "which orch wrote" not in did("redact", "mine.txt", "--reason", "pasted").err


def test_what_is_too_short_to_be_a_secret_is_refused(orch: Run, deployed: str) -> None:
    before = dump()
    done = orch("redact", "-", "--reason", "r", stdin=b"a\n")
    assert (done.code, done.out) == (2, "")
    assert dump() == before


def test_the_skill_is_installed_and_removed(did: Run, project: Path) -> None:
    skill = project / ".claude" / "skills" / "multi-agent-orchestration"
    looked = did("install", "--dry-run")
    assert (looked.out, skill.exists()) == (f"{skill}\n", False)
    assert "files to write" in looked.err and "nothing was changed" in looked.err
    assert did("install", "--yes").out == f"{skill}\n"
    assert (skill / "SKILL.md").exists()
    (skill / "SKILL.md").write_text("mine now")
    again = did("install", "--yes")
    assert "yours; kept as SKILL.md" in again.err
    assert "removed" in did("uninstall", "--yes").err
    assert [path.name for path in skill.iterdir()] == [
        name for name in os.listdir(skill) if name.startswith("SKILL.md.")
    ]


def test_the_demo_leaves_a_record_to_explore(
    did: Run, orch: Run, project: Path, tmp_path: Path
) -> None:
    printed = did("demo", tmp_path / "sample").out
    for phase in ("1 Analyze", "2 Plan", "3 Execute", "4 Validate", "5 Confirm"):
        assert f"\n{phase}\n" in printed
    shown = [line.split("$ ")[1] for line in printed.splitlines() if line.startswith("  $ orch ")]
    assert len(shown) >= 15
    database = tmp_path / "sample" / ".claude" / "orchestration" / "execution.db"
    found = did("query", "--db", database, "--format", "json").json
    assert [each["status"] for each in found] == ["completed", "completed"]
    assert all(each["success"] for each in found)
    assert orch("demo", tmp_path / "sample").code == 1


def test_the_demo_adds_nothing_to_a_project_outside_its_folder(did: Run, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    did("demo", "--project", ".")
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    own = project / ".claude" / "orchestration"
    assert before == {path: data for path, data in after.items() if own not in path.parents}
    assert any(own in path.parents for path in after)


def test_the_demo_runs_no_code_of_a_project(did: Run, project: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (project / "tests").mkdir(exist_ok=True)
    shutil.copy(asset("sample/tests/test_word_index.py"), project / "tests")
    for name in ("unittest.py", "tests/test_more.py"):
        (project / name).write_text(f"open({str(ran)!r}, 'w').write(__name__)")
    did("demo", "--project", ".")
    assert not ran.exists(), ran.read_text()


# Hooks and plugin


def test_installing_the_hooks_shows_the_difference_first(project: Path, did: Run) -> None:
    settings = project / ".claude/settings.local.json"
    planned = did("install", "--hooks", "--dry-run")
    assert '+    "PreToolUse": [' in planned.err and "nothing was changed" in planned.err
    assert not settings.exists()
    done = did("install", "--hooks", "--yes")
    assert done.out.strip() == str(settings)
    assert "of hooks: PreToolUse, " in done.err
    assert "there already" in did("install", "--hooks", "--yes").err
    did("uninstall", "--hooks", "--dry-run")
    assert settings.exists()
    did("uninstall", "--yes")
    assert not settings.exists()


def test_where_the_hooks_go(project: Path, did: Run, orch: Run, own_home: Path) -> None:
    did("install", "--hooks", "--shared", "--yes")
    shared = json.loads((project / ".claude/settings.json").read_text())
    commands = {e["command"] for g in shared["hooks"].values() for each in g for e in each["hooks"]}
    assert commands == {"orch hook"}
    did("install", "--hooks", "--user", "--yes")
    assert (own_home / ".claude/settings.json").exists()
    assert not (project / ".claude/settings.local.json").exists()
    assert orch("install", "--hooks", "--user", "--shared").code == 2
    did("uninstall", "--user", "--yes")
    did("uninstall", "--hooks", "--shared", "--yes")
    assert not (own_home / ".claude/settings.json").exists()
    assert not (project / ".claude/settings.json").exists()
    assert orch("uninstall", "--hooks", "--yes").code == 1


def test_uninstalling_takes_skill_and_hooks(project: Path, did: Run) -> None:
    did("install", "--yes")
    did("install", "--hooks", "--yes")
    did("uninstall", "--yes")
    assert list((project / ".claude").rglob("*")) == []


def test_broken_settings_are_refused(project: Path, orch: Run) -> None:
    settings = project / ".claude/settings.local.json"
    settings.write_text("{ // mine\n}")
    done = orch("install", "--hooks", "--yes")
    assert done.code == 1 and "line 1, column 3" in done.err and "mend the file" in done.err
    assert settings.read_text() == "{ // mine\n}"


def test_the_plugin_is_a_folder(project: Path, did: Run, tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    assert did("install", "--plugin", str(folder), "--yes").out.strip() == str(folder)
    assert (folder / ".claude-plugin/plugin.json").exists()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    did("install", "--plugin", str(folder), "--yes")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    did("uninstall", "--plugin", str(folder), "--yes")
    assert not folder.exists()


def test_doctor_runs_where_the_settings_are_broken_and_says_so(orch: Run, project: Path) -> None:
    assert orch("init-session", "--scope", "Find the leak in the cache").code == 0
    (project / ".claude" / "orchestration" / "config.toml").write_text("budget = \n")
    assert "config.toml: is not TOML" in orch("query").err
    done = orch("doctor", "--format", "json")
    assert done.code == 1
    (wrong,) = [found for found in done.json if found["level"] == "problem"]
    assert wrong["what"] == "settings"
    assert "config.toml: is not TOML" in wrong["detail"]
    assert {"integrity", "schema"} <= {found["what"] for found in done.json}


def test_a_copy_for_other_tools_is_written(did: Run, orch: Run, deployed: str) -> None:
    done = did("export", "--sqlite", "plain.db")
    assert (done.out, done.err) == ("", "written to plain.db: 1 run\n")
    assert orch("export", "--sqlite", "plain.db").code == 1
    assert "does not go with" in orch("export", "--sqlite", "x.db", "-o", "y").err


def test_a_backup_is_made_the_record_again(did: Run, orch: Run, deployed: str) -> None:
    did("backup", "copy.db")
    did("init-deployment", "--agent-type", "a", "--scope", "since")
    done = did("restore", "copy.db", "--format", "json")
    assert (done.json["runs"], "the record as it was: " in done.err) == (1, True)
    assert [each["execution_id"] for each in did("query", "--format", "json").json] == [deployed]
    assert Path(done.json["kept"]).exists()
    assert orch("restore", "nowhere.db").code == 1


def test_texts_of_old_runs_are_forgotten_when_it_is_agreed_to(
    did: Run, orch: Run, two_runs: None
) -> None:
    refused = orch("forget")
    assert refused.code == 2
    assert "--before DATE, or --session-id ID" in refused.err
    assert orch("forget", "--before", "tomorow").code == 2
    looked = did("forget", "--before", "2999-01-01", "--dry-run", "--format", "json")
    assert looked.json["forgotten"] is False
    assert looked.json["runs"] == 2
    assert "HNSW index answers" in did("show", "exec-001").out
    asked = orch("forget", "--before", "2999-01-01")
    assert asked.code == 2
    assert "Nobody can answer here" in asked.err
    done = did("forget", "--before", "2999-01-01", "--yes", "--format", "json")
    assert done.json == looked.json | {"forgotten": True}
    shown = did("show", "exec-001").out
    assert "[forgotten]" in shown
    assert "HNSW index answers" not in shown
    assert did("forget", "--before", "2999-01-01", "--yes").out == ""
    assert did("doctor").code == 0
