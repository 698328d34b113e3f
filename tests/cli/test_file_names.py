"""Names that no file can have, wherever a command takes one: said, with nothing written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_bad_input import dump
from tests.variants import vary

pytestmark = pytest.mark.slow  # every command with every name

NAMES = {
    "nobody's home": ("~nosuchuser/x", "there is no user nosuchuser"),
    "long": ("x" * 300, "is too long for a file name"),
    "nul": ("a\0b", "holds a character that no file name can hold"),
    "deep": ("d/" * 2500 + "x", "is too long for a file name"),
    "half a pair": ("a\ud800b", "holds a character that no file name can hold"),
}
"""Each with what is said of it, which is not what is said of the one before."""
NAMED = pytest.mark.parametrize(("name", "said"), NAMES.values(), ids=NAMES)


@pytest.mark.parametrize(
    "command",
    vary(
        [
            "query --db @",
            "bundles --import @",
            "bundles bundle-001 --export @",
            "deduplicate --bundles @",
            "deduplicate --bundles bundle-001 --output @",
            "deduplicate --bundles bundle-001 --output @.md",
            "demo @ --no-tui",
            "demo --project @ --no-tui",
            "import @",
            "backup @",
            "export --output @",
            "redact @ --reason r",
            "install --plugin @",
            "install --project @",
            "install --hooks --yes --project @",
            "uninstall --plugin @",
            "uninstall --project @",
            "prepare-bundle --agent-type a --scope s --files @",
            "prepare-bundle --agent-type a --scope s --files @#x",
            "prepare-bundle --agent-type a --scope s --files @:1-2",
            "prepare-bundle --agent-type a --scope s --files @/*.md",
            "prepare-bundle --agent-type a --scope s --files @ --output out.json",
            "prepare-bundle --agent-type a --scope s --files README.md --template @ --fit",
            "prepare-bundle --agent-type a --scope s --files README.md --output @",
            "count @",
            "generate-briefing --bundle @",
            "generate-briefing --bundle bundle-001 --template @",
            "generate-briefing --bundle bundle-001 --output @",
            "track-budget --bundles @",
            "replay exec-001 --output @",
            "synthesize --template @",
            "synthesize --output @",
            "init-deployment --agent-type a --scope s --briefing @",
            "init-deployment --context-bundle @",
            "init-deployment --planned 1 --template @",
            "init-deployment --agent-type a --briefing README.md --output @",
            "record-completion --execution-id exec-001 --final-message-file @",
        ],
        always=12,
    ),
)
def test_a_name_no_file_can_have_is_said_and_nothing_is_written(
    orch: Run, deployed: str, project: Path, command: str
) -> None:
    (project / "README.md").write_text("# Read me\n")
    before, files = dump(), sorted(Path().rglob("*"))
    for name, said in NAMES.values():
        done = orch(*(word.replace("@", name) for word in command.split()))
        assert (done.code in (1, 2), done.out) == (True, ""), done
        assert said in done.err
        assert len(done.err) < 600  # the reason is not lost behind the name
        assert dump() == before
        assert sorted(Path().rglob("*")) == files


@NAMED
def test_a_deliverable_that_can_be_no_file_is_a_claim_of_what_is_missing(
    did: Run, orch: Run, deployed: str, name: str, said: str
) -> None:
    done = orch("collect", "--execution-id", deployed, "--deliverables", f"{name},lib/types.ts")
    if "\ud800" in name:  # no text of the record may hold it
        assert (done.code, "is not valid UTF-8" in done.err) == (2, True)
        return
    assert done.code == 0, done
    recorded = did("outputs", "--format", "json").json
    assert sorted("missing" in str(output) for output in recorded) == [False, True]


@NAMED
def test_bounds_name_the_file_that_cannot_be(
    orch: Run, deployed: str, name: str, said: str
) -> None:
    done = orch("check-bounds", "--phase", "1", "--files", name)
    assert (done.code in (0, 1), "bug in orch" in done.err) == (True, False), done
    assert any(word in done.out for word in (said, "does not exist")), done


def test_the_home_folder_is_meant_where_no_shell_expanded_it(
    did: Run, deployed: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    did("generate-briefing", "--bundle", "bundle-001", "--output", "~/out/briefing.md")
    did("bundles", "bundle-001", "--export", "~/b.json")
    did("bundles", "--import", "~/b.json")
    did("backup", "~/copy.db")
    with closing(sqlite3.connect(home / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM agent_executions").fetchone() == (1,)
    (home / "notes.md").write_text("# Notes\n")
    assert "1 source" in did("count", "~/notes.md").err
    assert "1 source" in did("count", "~/note*.md").err
    did("record-completion", "--execution-id", deployed, "--final-message-file", "~/notes.md")
    assert (home / "out" / "briefing.md").is_file()
    assert not (project / "~").exists()


def test_what_begins_with_a_tilde_and_is_there_is_a_file(did: Run, project: Path) -> None:
    (project / "~$draft.md").write_text("# Draft\n")
    assert "1 source" in did("count", "~$draft.md").err


def test_a_name_may_be_as_long_as_the_system_lets_it(did: Run, deployed: str) -> None:
    name = "n" * 255
    did("generate-briefing", "--bundle", "bundle-001", "--output", name)
    assert Path(name).is_file()


def test_a_project_that_is_not_there_is_not_the_one_around_it(orch: Run, project: Path) -> None:
    for words in (("install", "--yes"), ("install", "--hooks", "--yes"), ("uninstall", "--yes")):
        done = orch(*words, "--project", "nope")
        assert (done.code, "there is no such folder" in done.err) == (1, True), done
    assert not (project / ".claude" / "skills").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("import", "/dev/zero"),
        ("record-completion", "--execution-id", "exec-001", "--final-message-file", "/dev/zero"),
        ("redact", "/dev/zero", "--reason", "r"),
    ],
)
def test_a_device_that_has_no_end_is_refused(
    orch: Run, deployed: str, words: tuple[str, ...]
) -> None:
    done = orch(*words)
    assert done.code == 1
    assert done.err.startswith("orch: /dev/zero: is a device")
