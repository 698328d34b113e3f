"""Pipes: where a file is read, ``-`` is standard input; and where things are is printed alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Shell


def test_a_bundle_goes_through_a_pipe_to_its_deployment(shell: Shell) -> None:
    shell("orch init-session --scope s")
    made = "orch prepare-bundle --agent-type a --scope s --text 'Be brief.' --no-record"
    rendered = shell(f"{made} | orch generate-briefing --bundle -")
    assert b"Be brief." in rendered.stdout
    deployed = shell(f"{made} | orch init-deployment --context-bundle -")
    assert deployed.stdout == b"exec-001\n"
    taken = shell(f"{made} | orch bundles --import -")
    assert taken.stdout.startswith(b"bundle-")
    broken = shell("echo '{' | orch generate-briefing --bundle -")
    assert (broken.returncode, b"standard input" in broken.stderr) == (1, True)


def test_an_export_goes_through_a_pipe_to_another_record(shell: Shell, tmp_path: Path) -> None:
    shell("orch init-session --scope 'far away'")
    other = tmp_path / "other.db"
    done = shell(f"orch export | orch import - --db {other}")
    assert done.returncode == 0
    assert b"far away" in shell(f"orch query --sessions --db {other}").stdout
    wrong = shell("echo '{}' | orch import -")
    assert (wrong.returncode, b"is no export of orch" in wrong.stderr) == (1, True)


def test_a_template_and_metadata_come_from_a_pipe(shell: Shell) -> None:
    opened = shell("""echo '{"team": "blue"}' | orch init-session --scope s --metadata -""")
    assert opened.returncode == 0
    assert b"blue" in shell("orch query --sessions --format json").stdout
    shell("orch prepare-bundle --agent-type a --scope 'Mend it' --text x --output b.json")
    rendered = shell(
        "echo 'Task: {{ scope }}' | orch generate-briefing --bundle b.json --template -"
    )
    assert rendered.stdout.strip() == b"Task: Mend it"
    wrong = shell(r"printf '\377' | orch generate-briefing --bundle b.json --template -")
    assert b"is not UTF-8" in wrong.stderr


def test_where_things_are_is_printed_alone(did: Run, orch: Run, project: Path) -> None:
    database = did("path").out.strip()
    assert not Path(database).exists()  # where it would be
    did("init-session", "--scope", "s")
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    connection.close()
    assert did("path", "project").out.strip() == str(project)
    config = did("path", "config").out.strip()
    assert did("config", "path").out.strip() == config
    did("config", "set", "budget", "300000")
    assert "300000" in Path(config).read_text()
    own = did("config", "path", "--user").out.strip()
    assert own == did("path", "user-config").out.strip() != config
    for place in ("inbox", "state", "claude"):
        assert os.path.isabs(did("path", place).out.strip())
    assert orch("path", "nowhere").code == 2


def test_settings_are_opened_in_the_editor(
    did: Run, orch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("add.sh").write_text('echo "budget = $1" >> "$2"\n')
    monkeypatch.setenv("VISUAL", "sh add.sh 250000")
    did("config", "edit", "--user")
    assert "250,000" in did("config").out
    monkeypatch.setenv("VISUAL", "sh add.sh many")
    assert "config.toml: is not TOML" in orch("config", "edit").err
    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert "$EDITOR names it" in orch("config", "edit", "--user").err


def test_a_record_that_was_named_is_not_made_by_watching(orch: Run) -> None:
    done = orch("watch", "--db", "nope.db")
    assert (done.code, Path("nope.db").exists()) == (1, False)
    assert "there is no record" in done.err


def test_a_heading_with_commas_is_one_heading(did: Run, orch: Run) -> None:
    Path("d.md").write_text("# A\nx\n## Install, upgrade and remove\ny\n## B\nz\n")
    bundle = ("prepare-bundle", "--agent-type", "a", "--files")
    made = did(*bundle, "d.md#Install, upgrade and remove,d.md#B")
    assert [item["sections"] for item in made.json["context_items"]] == [
        ["Install, upgrade and remove"],
        ["B"],
    ]
    assert "no heading 'Instal'" in orch(*bundle, "d.md#Instal,d.md#B").err
