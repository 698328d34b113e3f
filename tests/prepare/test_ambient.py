from __future__ import annotations

import json
from pathlib import Path

import pytest

from orch_tui.claude_client import transcripts_folder
from orch_tui.prepare import agent_types
from orch_tui.prepare import ambient as ambient_module
from orch_tui.prepare.ambient import Ambient, AmbientAgents, Surroundings
from orch_tui.prepare.bundle import ContextItem
from orch_tui.prepare.catalogue import Model
from orch_tui.prepare.count import Count
from orch_tui.prepare.overlaps import in_ambient

AGENT = "---\nname: reviewer\ndescription: Use when: reviewing\n{}---\nYou review.\n"
MODEL = Model("small", window=100_000, family="v3")


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    """A project two folders deep and a user's folder beside it."""
    monkeypatch.setattr(ambient_module, "MANAGED", tmp_path / "managed")
    (tmp_path / "above" / "project").mkdir(parents=True)
    return Surroundings(tmp_path / "above" / "project", tmp_path / "user")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def sources(found: Ambient, role: str = "") -> list[str]:
    return [part.source for part in found.parts if role in ("", part.role)]


def test_an_agent_has_its_definition_skills_memory_and_instructions(around: Surroundings) -> None:
    fields = "model: opus\nskills: tdd, missing\nmemory: project\n"
    write(around.root / ".claude/agents/team/r.md", AGENT.format(fields))
    write(around.root / ".claude/skills/tdd/SKILL.md", "---\nname: tdd\n---\nTests first.\n")
    memory = "".join(f"{n}\n" for n in range(300))
    write(around.root / ".claude/agent-memory/reviewer/MEMORY.md", memory)
    write(around.root / "CLAUDE.md", "Be brief.\n<!-- for people -->\n")
    found = around.ambient("reviewer")
    assert sources(found) == [
        ".claude/agents/team/r.md",
        ".claude/skills/tdd/SKILL.md",
        ".claude/agent-memory/reviewer/MEMORY.md",
        "CLAUDE.md",
    ]
    assert [part.text for part in found.parts][:2] == ["You review.\n", "Tests first.\n"]
    assert found.parts[2].text.count("\n") == 200
    assert found.parts[3].text == "Be brief.\n"
    assert found.model == "opus"
    assert found.unknown
    assert found.problems == (
        ".claude/agents/team/r.md: skill missing is not found: it is not preloaded",
    )


def test_the_projects_definition_goes_before_the_users(around: Surroundings) -> None:
    write(around.user / "agents/r.md", AGENT.format("model: haiku\n"))
    assert around.ambient("reviewer").model == "haiku"
    write(around.root / ".claude/agents/r.md", AGENT.format("model: inherit\n"))
    again = Surroundings(around.root, around.user)
    assert again.ambient("reviewer").model == ""
    assert sources(again.ambient("reviewer")) == [".claude/agents/r.md"]


def test_agents_are_defined_as_claude_code_reads_them(around: Surroundings) -> None:
    folder = around.root / ".claude" / "agents"
    write(folder / "a.md", "---\nname: task-implementor\ndescription: does it\n---\nBody")
    write(folder / "b.md", '\ufeff---\r\ndescription: >\r\n  x\r\nname: "quoted"\r\n---\r\n')
    write(folder / "c.md", "---\nname: lacks-description\n---\n")
    write(folder / "d.md", "no front matter\nname: x\ndescription: y\n")
    assert {*around.definitions} == {"task-implementor", "quoted"}


def test_broken_frontmatter_is_named(around: Surroundings) -> None:
    write(around.root / ".claude/agents/r.md", AGENT.format("}}}\n"))
    assert around.ambient("reviewer").problems == (
        ".claude/agents/r.md: line 4 of its frontmatter is no `key: value`",
    )


def test_a_definition_that_claude_code_skips_is_named(around: Surroundings) -> None:
    write(around.root / ".claude/agents/x.md", "---\nname: silent\n---\nBody")
    found = around.ambient("silent")
    assert "definition" not in [part.role for part in found.parts]
    assert ".claude/agents/x.md: has no description, so Claude Code skips it" in found.problems


def test_instructions_come_from_broad_to_near(around: Surroundings, tmp_path: Path) -> None:
    root = around.root
    write(tmp_path / "managed/CLAUDE.md", "1")
    write(around.user / "CLAUDE.md", "2")
    write(around.user / "rules/style.md", "3")
    write(root.parent / "CLAUDE.md", "4")
    write(root / "CLAUDE.md", "5")
    write(root / ".claude/CLAUDE.md", "6")
    write(root / ".claude/rules/deep/a.md", "7")
    write(root / ".claude/rules/b.md", "---\npaths: ['**/*.py']\n---\nonly when needed")
    write(root / "CLAUDE.local.md", "8")
    write(root / ".claude/agents/r.md", AGENT.format("omitClaudeMd: true\n"))
    write(root / "AGENTS.md", "not where there is a CLAUDE.md")
    parts = around.ambient("general-purpose").parts
    assert [part.text for part in parts] == list("12345678")
    assert around.ambient("Explore").parts == ()
    assert around.ambient("Plan").unknown == ("the system prompt of Plan, which is not published",)
    assert sources(around.ambient("reviewer")) == [".claude/agents/r.md"]


def test_agents_md_is_read_where_there_is_no_claude_md(around: Surroundings) -> None:
    write(around.user / "CLAUDE.md", "of the user")
    write(around.root / "AGENTS.md", "for all tools")
    assert sources(around.ambient(""))[-1] == "AGENTS.md"


def test_excluded_instructions_are_not_loaded(around: Surroundings) -> None:
    write(around.root.parent / "CLAUDE.md", "of another team")
    write(around.root / "CLAUDE.md", "ours")
    write(around.root / ".claude/settings.json", '{"claudeMdExcludes": ["**/above/CLAUDE.md"]}')
    assert sources(around.ambient("")) == ["CLAUDE.md"]


def test_imports_are_followed_but_not_in_code(
    around: Surroundings, own_home: Path, tmp_path: Path
) -> None:
    root = around.root
    write(
        root / "CLAUDE.md",
        "See @docs/a.md and @~/mine.md .\n`@docs/no.md`\n```sh\n@docs/no.md\n```\n"
        "<!--\n@docs/no.md\n-->\nmail me@docs/no.md , (@docs/no.md) @someone, @docs/none.md\n",
    )
    write(root / "docs/a.md", "@b.md @../CLAUDE.md @with\\ blank.md")
    write(root / "docs/b.md", "@a.md")
    write(root / "docs/with blank.md", "x")
    write(root / "docs/no.md", "never")
    write(own_home / "mine.md", "mine")
    found = around.ambient("")
    assert sources(found) == ["CLAUDE.md", "docs/a.md", "docs/b.md", "docs/with blank.md"]
    assert found.problems == (
        "CLAUDE.md: imports ~/mine.md from outside the project, which the user has not agreed to "
        "in Claude Code: not loaded",
        "CLAUDE.md: imports docs/none.md, which does not exist",
    )


def test_an_import_from_outside_is_loaded_when_the_user_agreed(
    around: Surroundings, own_home: Path
) -> None:
    write(around.root / "CLAUDE.md", "@~/mine.md")
    write(own_home / "mine.md", "mine")
    agreed = {"projects": {str(around.root): {"hasClaudeMdExternalIncludesApproved": True}}}
    for text, loaded in (("no JSON", 1), ("[]", 1), (json.dumps(agreed), 2)):
        write(around.user / ".claude.json", text)
        assert len(Surroundings(around.root, around.user).ambient("").parts) == loaded


@pytest.mark.parametrize("behind", [".", ",", ":", "!", "'", ")"])
def test_a_sign_behind_an_import_belongs_to_its_name(around: Surroundings, behind: str) -> None:
    """As release 2.1.332 takes it."""
    write(around.root / "CLAUDE.md", f"See @docs/a.md{behind} Then go on.")
    write(around.root / "docs/a.md", "a")
    found = around.ambient("")
    assert sources(found) == ["CLAUDE.md"]
    assert found.problems == (f"CLAUDE.md: imports docs/a.md{behind}, which does not exist",)


def test_what_is_remembered_of_the_project_is_had_by_all_but_explorers(
    around: Surroundings,
) -> None:
    folder = around.user / "projects" / transcripts_folder(str(around.root)) / "memory"
    write(folder / "MEMORY.md", "line\n" * 300)
    write(around.root / ".claude/agents/a.md", "---\nname: a\ndescription: d\n---\nBody")
    for agent_type, roles in (
        ("general-purpose", ["auto memory"]),
        ("a", ["definition", "auto memory"]),
        ("Explore", []),
        ("Plan", []),
    ):
        found = Surroundings(around.root, around.user).ambient(agent_type)
        assert [part.role for part in found.parts] == roles
    assert found.parts == () and around.ambient("a").parts[-1].text.count("\n") == 200


def test_imports_end_after_four_hops(around: Surroundings) -> None:
    write(around.root / "CLAUDE.md", "@1.md")
    for hop in range(1, 6):
        write(around.root / f"{hop}.md", f"@{hop + 1}.md")
    found = around.ambient("")
    assert sources(found) == ["CLAUDE.md", "1.md", "2.md", "3.md", "4.md"]
    assert found.problems == ("4.md: imports 5.md, the fifth in a row: not loaded",)


def test_circles_of_links_and_huge_files_are_no_trouble(around: Surroundings) -> None:
    rules = around.root / ".claude" / "rules"
    write(rules / "a.md", "rule")
    (rules / "again").symlink_to(rules)
    (around.root / "CLAUDE.md").write_bytes(b"x" * (agent_types.MAX_BYTES + 1))
    found = around.ambient("")
    assert sources(found) == [".claude/rules/a.md"]
    assert found.problems == ("CLAUDE.md: cannot be read, is no text or is over 4 MiB",)


def test_agents_are_counted_once(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    write(around.root / "CLAUDE.md", "Be brief. " * 50)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(around.user))
    agents = AmbientAgents(around.root)
    tokens = agents.tokens("reviewer", MODEL)
    assert 100 < tokens.tokens < 300 and tokens.estimator.startswith("claude-v3")
    (around.root / "CLAUDE.md").unlink()
    assert agents.tokens("reviewer", MODEL) == tokens


def test_items_that_the_agent_has_anyway_are_found(around: Surroundings) -> None:
    law = "".join(f"Article {n} of the constitution.\n" for n in range(10))
    write(around.root / "CLAUDE.md", f"# Ours\n@law.md\n{law}")
    write(around.root / "law.md", "short law\n")
    found = around.ambient("")

    def item(source: str, text: str | None) -> ContextItem:
        data = None if text is None else text.encode()
        return ContextItem("file", source, "required", (), data, Count(100, "x", 90, 110))

    held = in_ambient(
        [
            item("copy.md", "  short   law\n"),
            item("part.md", f"own\n\n{law}own too\n"),
            item("CLAUDE.md", None),
            item("other.md", "nothing\n" * 20),
        ],
        found,
    )
    assert [(h.source, h.whole, h.by) for h in held] == [
        ("copy.md", True, "law.md"),
        ("part.md", False, "CLAUDE.md"),
        ("CLAUDE.md", True, "CLAUDE.md"),
    ]
    assert (held[1].first, held[1].last, held[1].by_first, held[1].by_last) == (3, 12, 3, 12)
    assert 90 < held[1].count.tokens < 100


@pytest.mark.parametrize(
    "text",
    [
        "<!--\n" * 800_000,
        "@x " + " ".join("`" * length for length in range(1, 2800)),
        "`" * 4_000_000,
        "~~~~\n" * 700_000 + "@x",
        " ".join(f"@x{number}" for number in range(400_000)),
    ],
    ids=["comments", "code spans", "a fence", "fences", "imports"],
)
def test_instructions_of_any_form_are_read_in_time_by_their_length(
    around: Surroundings, text: str
) -> None:
    (around.root / "CLAUDE.md").write_text(text)  # quadratic time would end at every test's limit
    assert sources(around.ambient("reviewer"))


def test_comments_and_code_spans_end_where_they_end(around: Surroundings) -> None:
    for name in "abcd":
        (around.root / f"{name}.md").write_text(name)
    (around.root / "CLAUDE.md").write_text(
        "<!-- @b.md\n-->  \n@a.md `` ` @b.md ` `` ``` @c.md `\n<!-- @d.md\n"
    )
    found = sources(around.ambient("reviewer"), "import")
    assert found == ["a.md", "c.md", "d.md"]
