"""The skill: what it says holds, and installing it touches nothing that is not its own."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orch_tui.assets import asset
from orch_tui.cli.parser import COMMANDS, builder
from orch_tui.cli.scripts import GROUPS
from orch_tui.errors import OrchError, SourceError, UsageError
from orch_tui.install.skill import MANIFEST, NAME, install, skill_folder, uninstall
from orch_tui.models.schema import TABLES
from orch_tui.rows import ERROR_CODES

PYTHON = "/opt/orch/bin/python"
SKILL = asset("skill")
DOCUMENTS = [SKILL / "SKILL.md", *sorted((SKILL / "references").glob("*.md"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return skill_folder(tmp_path)


def tree(root: Path) -> dict[str, bytes | None]:
    """Everything below a folder: files with their bytes, folders with None."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


# Installing


def test_the_installed_skill_is_whole_and_knows_its_interpreter(folder: Path) -> None:
    installed = install(folder, PYTHON)
    expected = {
        "SKILL.md",
        "assets/execution_db.schema.sql",
        "assets/synthesis-report.tmpl",
        "assets/orchestration-plan.tmpl",
        "references/execution_schema.md",
        "references/context_strategies.md",
        "references/api_guide.md",
        "examples/orchestration.sh",
        "examples/orchestration.py",
        *(f"scripts/{name}.py" for name in ("orchestration_api", *GROUPS)),
        *(f"scripts/{name}.py" for name in ("validate_orchestration", "check_context_bounds")),
        "scripts/synthesize_reports.py",
    }
    assert expected <= {path.relative_to(folder).as_posix() for path in installed.written}
    assert not installed.backed_up and not installed.unchanged
    assert f"INTERPRETER = {PYTHON!r}" in (folder / "scripts/_orch.py").read_text()
    assert PYTHON not in (SKILL / "scripts/_orch.py").read_text()


def test_the_copied_assets_are_orchs_own(folder: Path) -> None:
    install(folder, PYTHON)
    for name in ("synthesis-report.tmpl", "briefing.md.tmpl"):
        assert (folder / "assets" / name).read_bytes() == asset(f"templates/{name}").read_bytes()


def test_installing_again_changes_nothing(folder: Path) -> None:
    first = install(folder, PYTHON)
    before = tree(folder)
    again = install(folder, PYTHON)
    assert again.unchanged == first.written
    assert not (again.written or again.backed_up)
    assert tree(folder) == before


def test_another_interpreter_is_no_reason_for_a_backup(folder: Path) -> None:
    install(folder, PYTHON)
    moved = install(folder, "/elsewhere/python")
    assert moved.written == (folder / "scripts/_orch.py",)
    assert not moved.backed_up


def test_a_file_of_the_users_is_moved_aside_and_named(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("mine")
    backup = folder / "SKILL.md.bak"
    assert install(folder, PYTHON).backed_up == ((folder / "SKILL.md", backup),)
    assert backup.read_text() == "mine"
    assert (folder / "SKILL.md").read_bytes() == (SKILL / "SKILL.md").read_bytes()


def test_an_edited_file_is_moved_aside_and_no_backup_is_lost(folder: Path) -> None:
    skill = folder / "SKILL.md"
    for edit, backup in (("one", "SKILL.md.bak"), ("two", "SKILL.md.2.bak")):
        install(folder, PYTHON)
        skill.write_text(edit)
        assert install(folder, PYTHON).backed_up == ((skill, folder / backup),)
    assert (folder / "SKILL.md.bak").read_text() == "one"
    assert (folder / "SKILL.md.2.bak").read_text() == "two"


def test_a_link_of_the_users_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    dotfile = tmp_path / "dotfiles.md"
    dotfile.write_text("mine")
    folder.mkdir(parents=True)
    (folder / "SKILL.md").symlink_to(dotfile)
    install(folder, PYTHON)
    assert dotfile.read_text() == "mine"
    assert (folder / "SKILL.md.bak").is_symlink()


@pytest.mark.parametrize("linked", [".claude", "skills", NAME])
def test_a_skill_folder_that_leads_out_of_the_project_is_refused(
    tmp_path: Path, linked: str
) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    place = skill_folder(project)
    link = next(path for path in (place, *place.parents) if path.name == linked)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(SourceError, match=f"leads out of {project}, to {outside}"):
        skill_folder(project)
    link.unlink()
    (project / "agents").mkdir()
    link.symlink_to(project / "agents")  # within the project it is the project's own matter
    install(skill_folder(project), PYTHON)


def test_a_link_within_the_skill_leads_nothing_out_of_it(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    install(folder, PYTHON)
    (folder / "scripts").rename(tmp_path / "scripts")
    copies = [*(tmp_path / "scripts").iterdir()]
    for copy in copies:
        copy.rename(outside / copy.name)
    (folder / "scripts").symlink_to(outside)
    before = tree(outside)
    with pytest.raises(SourceError, match="leads out of"):
        install(folder, "/other/python")
    with pytest.raises(SourceError, match="leads out of"):
        uninstall(folder)
    assert tree(outside) == before


def test_a_pipe_or_device_where_a_file_belongs_is_not_read(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.mkfifo(folder / "SKILL.md")
    (folder / MANIFEST).symlink_to("/dev/zero")
    done = install(folder, PYTHON)
    assert [path.name for path, _ in done.backed_up] == ["SKILL.md"]


def test_what_is_no_longer_part_of_the_skill_goes_unless_edited(folder: Path) -> None:
    install(folder, PYTHON)
    manifest = json.loads((folder / MANIFEST).read_text())
    for name in ("old.md", "old-edited.md"):
        (folder / name).write_bytes((folder / "SKILL.md").read_bytes())
        manifest["files"][name] = manifest["files"]["SKILL.md"]
    (folder / "old-edited.md").write_text("mine now")
    (folder / MANIFEST).write_text(json.dumps(manifest))
    updated = install(folder, PYTHON)
    assert updated.removed == (folder / "old.md",)
    assert updated.kept == (folder / "old-edited.md",)
    assert (folder / "old-edited.md").read_text() == "mine now"


def test_a_dry_run_says_the_same_and_does_nothing(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("mine")
    before = tree(tmp_path)
    planned = install(folder, PYTHON, dry_run=True)
    assert tree(tmp_path) == before
    assert install(folder, PYTHON) == planned
    before = tree(tmp_path)
    leaving = uninstall(folder, dry_run=True)
    assert tree(tmp_path) == before
    assert uninstall(folder) == leaving


def test_a_relative_interpreter_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="absolute"):
        install(folder, "python3")
    assert not folder.exists()


def test_a_file_where_a_folder_must_be_is_named(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "scripts").write_text("mine")
    with pytest.raises(OrchError, match="cannot be written"):
        install(folder, PYTHON)
    assert (folder / "scripts").read_text() == "mine"


def test_the_users_skill_lives_in_the_configured_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/configured")
    assert skill_folder() == Path("/configured/skills") / NAME


# Uninstalling


@pytest.mark.parametrize("there", [(), (".claude",), (".claude", ".claude/skills")])
def test_uninstalling_leaves_the_project_as_it_was(tmp_path: Path, there: tuple[str, ...]) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    before = tree(tmp_path)
    folder = skill_folder(tmp_path)
    install(folder, PYTHON)
    install(folder, "/elsewhere/python")
    cache = folder / "scripts/__pycache__"
    cache.mkdir()
    (cache / "_orch.cpython-311.pyc").write_bytes(b"left by running it")
    uninstall(folder)
    assert tree(tmp_path) == before


def test_uninstalling_keeps_and_names_what_is_the_users(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("mine")
    install(folder, PYTHON)
    (folder / "notes.md").write_text("mine too")
    edited = folder / "references/api_guide.md"
    edited.write_text("edited")
    gone = uninstall(folder)
    assert gone.kept == (edited,)
    assert gone.backups == (folder / "SKILL.md.bak",)
    assert {name for name, data in tree(folder).items() if data is not None} == {
        "SKILL.md.bak",
        "notes.md",
        "references/api_guide.md",
    }


def test_uninstalling_what_was_never_installed_is_an_error(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("somebody else's skill of this name")
    with pytest.raises(OrchError, match="no skill of orch is in"):
        uninstall(folder)
    assert (folder / "SKILL.md").exists()


@pytest.mark.parametrize("name", ["../victim", "/{root}/victim", "a/../../victim", "a\0b"])
def test_a_manifest_cannot_reach_outside_its_folder(folder: Path, name: str) -> None:
    install(folder, PYTHON)
    victim = folder.parent / "victim"
    victim.write_bytes((folder / "SKILL.md").read_bytes())
    manifest = json.loads((folder / MANIFEST).read_text())
    name = name.replace("/{root}", str(folder.parent))
    manifest["files"][name] = manifest["files"]["SKILL.md"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    uninstall(folder)
    assert victim.exists()


@pytest.mark.parametrize("damage", ["", "[]", '{"files": 1}', '{"files": {}, "parents": "x"}', "{"])
def test_a_damaged_manifest_costs_nothing_but_backups(folder: Path, damage: str) -> None:
    install(folder, PYTHON)
    (folder / "SKILL.md").write_text("edited")
    (folder / MANIFEST).write_text(damage)
    with pytest.raises(OrchError, match="damaged"):
        uninstall(folder)
    assert [old.name for old, _ in install(folder, PYTHON).backed_up] == ["SKILL.md"]
    assert uninstall(folder).backups == (folder / "SKILL.md.bak",)


# What the skill says


def test_the_skill_keeps_to_the_rules_for_skills() -> None:
    text = (SKILL / "SKILL.md").read_text()
    assert len(text.splitlines()) < 500
    _, head, body = text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    assert set(fields) == {"name", "description"}
    assert fields["name"] == NAME
    assert "Use when" in fields["description"] and len(fields["description"]) <= 1024
    assert not re.search(r": | #|^[\W]", fields["description"])  # plain YAML, no quotes needed
    for number, phase in enumerate(("Analyze", "Plan", "Execute", "Validate", "Confirm"), 1):
        assert f"## Phase {number}: {phase}" in body


def test_the_skill_says_how_agents_return_today() -> None:
    text = (SKILL / "SKILL.md").read_text()
    for said in ("in the background by default", "Workflow tool", "`orch import`", "A fork",
                 "pass this line as the prompt:", "`registered in ...`"):  # fmt: skip
        assert said in text, said


def test_no_command_of_the_skill_needs_a_permission_of_its_own() -> None:
    """2.1.332 asks for a line with a variable even where a rule allows every orch command."""
    text = (SKILL / "SKILL.md").read_text()
    for block in re.findall(r"```bash\n(.*?)```", text, re.S):
        assert "$" not in block, block


def test_every_file_the_skill_points_at_is_installed(folder: Path) -> None:
    install(folder, PYTHON)
    for document in DOCUMENTS:
        for name in re.findall(
            r"`((?:scripts|references|examples)/[\w./]+)`", document.read_text()
        ):
            assert (folder / name).is_file(), f"{document.name}: {name}"


def test_the_skill_explains_every_error_code() -> None:
    rows = re.findall(r"^\| (ORG-\d+) \| (.+?) \|", (SKILL / "SKILL.md").read_text(), re.M)
    assert dict(rows) == ERROR_CODES


def commands_named() -> Iterator[tuple[str, str, list[str]]]:
    """Document, command and flags of every command line in code, also of the examples."""
    helpers = {"tracker": "execution_tracker", "context": "context_manager"}
    helpers["outputs"] = "output_collector"
    for path in (*DOCUMENTS, SKILL / "examples/orchestration.sh"):
        text = path.read_text().replace("\\\n", " ")
        code = text
        if path.suffix == ".md":
            code = "\n".join(
                a or b for a, b in re.findall(r"```bash\n(.*?)```|`(.+?)`", text, re.S)
            )
        for helper, name, rest in re.findall(
            r"\b(orch|tracker|context|outputs) ([a-z-]+)\b([^\n)|>]*)", code
        ):
            command = GROUPS[helpers[helper]].get(name, "") if helper != "orch" else name
            yield path.name, command, re.findall(r"(?<!\S)--[a-z-]+", rest)


def test_every_command_line_of_the_documents_exists() -> None:
    lines = list(commands_named())
    assert len(lines) > 50
    for document, command, flags in lines:
        assert command in COMMANDS, f"{document}: orch {command}"
        known = builder(command)()._option_string_actions
        for flag in flags:
            assert flag in known, f"{document}: orch {command} {flag}"


def test_the_schema_document_names_exactly_the_columns_there_are() -> None:
    text = (SKILL / "references/execution_schema.md").read_text()
    sections = re.split(r"^### `(\w+)`$", text, flags=re.M)[1:]
    documented = {
        name: re.findall(r"^\| `(\w+)` \|", body.split("\n## ")[0], re.M)
        for name, body in zip(sections[::2], sections[1::2], strict=True)
    }
    real = {
        table._meta.table_name: [field.column_name for field in table._meta.sorted_fields]
        for table in TABLES
    }
    assert documented == real


def test_the_queries_of_the_schema_document_run(tmp_path: Path) -> None:
    from orch_tui.models.database import Record

    text = (SKILL / "references/execution_schema.md").read_text()
    (block,) = re.findall(r"```sql\n(.*?)```", text, re.S)
    queries = [query for query in block.split(";") if query.strip()]
    assert len(queries) == 4
    with Record(tmp_path / "execution.db") as record:
        for query in queries:
            assert record.sql(query) == []


@pytest.mark.parametrize("script", sorted((SKILL / "scripts").glob("*.py")), ids=lambda p: p.name)
def test_the_scripts_can_be_read_by_an_old_python(script: Path) -> None:
    ast.parse(script.read_text(), feature_version=(3, 8))
