"""The commands before a deployment: bundles, budgets, sharing, briefings, checks, counts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orch_tui.prepare.vocabulary import load_encoding
from tests.cli.conftest import Run, rows

BUNDLE = ("prepare-bundle", "--agent-type", "task-implementor", "--scope", "Implement HNSW")


def test_a_bundle_goes_to_standard_output_and_what_is_said_of_it_does_not(did: Run) -> None:
    done = did(*BUNDLE, "--files", "spec/requirements.md,lib/types.ts")
    assert [item["source"] for item in done.json["context_items"]] == [
        *("spec/requirements.md", "lib/types.ts")
    ]
    assert [*done.json][:7] == [
        *("bundle_id", "agent_type", "scope", "created_at", "context_items"),
        *("total_tokens", "budget_remaining"),
    ]
    assert "agent limit: ~" in done.err
    assert "session budget: ~" in done.err


def test_every_kind_of_source_is_taken(did: Run) -> None:
    done = did(
        *(*BUNDLE, "--files", "spec/requirements.md#Vector Search Requirements,lib/types.ts:2-4"),
        *("--references", "references/*.md", "--optional", "-", "--shared", "constitution.md"),
        *("--text", "Mind the tests, and the types.", "--model", "haiku"),
        stdin=b"from a pipe\n",
    )
    items = done.json["context_items"]
    assert [(i["type"], i["priority"], i["source"]) for i in items] == [
        ("briefing", "required", "text:Mind the tests, and the types."),
        ("shared_context", "required", "constitution.md"),
        ("file", "required", "spec/requirements.md"),
        ("file", "required", "lib/types.ts:2-4"),
        ("reference", "recommended", "references/hnsw-algorithm.md"),
        ("file", "optional", "-"),
    ]
    assert items[2]["sections"] == ["Vector Search Requirements"]


def test_an_item_that_is_there_twice_is_left_out_and_named(did: Run) -> None:
    done = did(*BUNDLE, "--files", "lib/types.ts", "--references", "lib/types.ts")
    assert len(done.json["context_items"]) == 1
    assert done.json["dropped"][0]["source"] == "lib/types.ts"
    assert "lib/types.ts is in the bundle already" in done.err


def test_a_bundle_is_made_of_a_past_run(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    part = "spec/requirements.md#Vector Search Requirements"
    sources = ("--files", f"{part},lib/types.ts", "--optional", "constitution.md", "--text", "Do.")
    did(*BUNDLE, *sources, "--model", "haiku", "--output", "b.json")
    did("init-deployment", "--context-bundle", "b.json", "--output", "briefing.md")
    Path("lib/types.ts").unlink()
    done = did("prepare-bundle", "--from", "exec-001", "--references", "constitution.md")
    made = done.json
    assert (made["agent_type"], made["scope"]) == ("task-implementor", "Implement HNSW")
    assert [(i["priority"], i["source"], i["sections"]) for i in made["context_items"]] == [
        ("required", "text:Do.", []),
        ("required", "spec/requirements.md", ["Vector Search Requirements"]),
        ("recommended", "constitution.md", []),  # of two priorities the higher
    ]
    assert made["bundle_id"] == "bundle-002"
    assert "left out: lib/types.ts" in done.err
    again = did("prepare-bundle", "--from", "exec-001", "--references", "constitution.md")
    assert again.json["bundle_id"] == "bundle-002"
    other = did("prepare-bundle", "--from", "exec-001", "--agent-type", "Explore", "--scope", "x")
    assert (other.json["agent_type"], other.json["scope"]) == ("Explore", "x")
    assert "exec-001" in orch("prepare-bundle", "--from", "exec-010").err
    nobody = orch("prepare-bundle", "--files", "constitution.md")
    assert nobody.code == 2 and "agent type" in nobody.err


def test_what_is_shared_is_chosen_by_name(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    for agent in ("one", "two"):
        files = ("--files", "lib/types.ts,spec/requirements.md")
        did("prepare-bundle", "--agent-type", agent, *files)
    apart = did("deduplicate", "--leave", "lib/types.ts", "--apply", "--format", "json").json
    assert [item["source"] for item in apart["shared_items"]] == ["spec/requirements.md"]
    assert "is in none of the bundles" in orch("deduplicate", "--leave", "lib/type.ts").err


def test_the_same_bundle_again_is_the_same_bundle(did: Run, project: Path) -> None:
    first = did(*BUNDLE, "--files", "lib/types.ts").json
    assert did(*BUNDLE, "--files", "lib/types.ts").json == first
    assert did(*BUNDLE, "--files", "constitution.md").json["bundle_id"] == "bundle-002"


def test_a_secret_needs_consent_which_is_recorded(did: Run, orch: Run, project: Path) -> None:
    Path(".env").write_text("KEY=1")
    refused = orch(*BUNDLE, "--files", ".env")
    assert refused.code == 1
    assert "--allow-secret" in refused.err
    did(*BUNDLE, "--files", ".env", "--allow-secret")
    assert rows(project, "SELECT after FROM journal WHERE action = 'allow-secret'") == [
        ('{"sources": [".env"]}',)
    ]


KEY = "AKIA" + "Q3EGR7J2XKLM4P5T"


@pytest.mark.parametrize(
    ("words", "consents"),
    [
        (("init-session", "--scope", f"use {KEY}"), ["the scope"]),
        (("set-scope", f"use {KEY}"), ["the scope"]),
        (("plan", "--agent-type", "a", "--scope", f"use {KEY}"), ["the scope"]),
        (("plan", "--edit", "1", "--scope", f"use {KEY}"), ["the scope"]),
        (("init-deployment", "--agent-type", "a", "--scope", f"use {KEY}"), ["the scope"]),
        (("init-deployment", "--agent-type", "a", "--briefing", "-"), ["the briefing"]),
        (("prepare-bundle", "--agent-type", "a", "--scope", f"use {KEY}"), ["the scope"]),
        ((*BUNDLE, "--text", f"use {KEY}"), ["the text"]),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_words_that_hold_a_key_need_consent(
    did: Run, orch: Run, project: Path, words: tuple[str, ...], consents: list[str]
) -> None:
    did("init-session", "--scope", "s")
    did("plan", "--agent-type", "a", "--scope", "s")
    refused = orch(*words, stdin=f"use {KEY}\n".encode())
    assert (refused.code, refused.out) == (1, "")
    assert "holds what looks like a secret (AWS access key, line 1)" in refused.err
    assert KEY not in refused.err and "--allow-secret" in refused.err
    did(*words, "--allow-secret", stdin=f"use {KEY}\n".encode())
    told = rows(project, "SELECT after FROM journal WHERE action = 'allow-secret'")
    assert [json.loads(after)["sources"] for (after,) in told] == [consents]


def test_what_was_allowed_once_is_not_asked_again(did: Run, project: Path) -> None:
    did("init-session", "--scope", f"use {KEY}", "--session-id", "s", "--allow-secret")
    did("init-session", "--scope", f"use {KEY}", "--session-id", "s")
    did("plan", "--agent-type", "a", "--scope", f"use {KEY} twice", "--allow-secret")
    did("plan", "--edit", "1", "--model", "opus")
    did("plan", "--duplicate", "1")
    did("init-deployment", "--planned", "1")
    did("init-deployment", "--agent-type", "b")


def test_a_text_that_holds_a_key_needs_consent_too(did: Run, orch: Run, project: Path) -> None:
    Path("conf.py").write_text("key = 'AKIA" + "Q3EGR7J2XKLM4P5T'\n")
    refused = orch(*BUNDLE, "--files", "conf.py")
    assert (refused.code, refused.out) == (1, "")
    assert "conf.py: holds what looks like a secret (AWS access key, line 1)" in refused.err
    assert "--allow-secret" in refused.err
    did(*BUNDLE, "--files", "conf.py", "--allow-secret", "--output", "b.json")
    did("init-session", "--scope", "s")
    did("init-deployment", "--context-bundle", "b.json")
    assert (
        rows(project, "SELECT after FROM journal WHERE action = 'allow-secret'")
        == [('{"sources": ["conf.py"]}',)] * 2
    )
    Path("foreign.json").write_text(
        json.dumps(
            {
                "bundle_id": "bundle-009",
                "agent_type": "a",
                "scope": "s",
                "context_items": [{"type": "file", "source": "conf.py", "token_count": 9}],
            }
        )
    )
    done = did("init-deployment", "--context-bundle", "foreign.json")
    assert "holds what looks like a secret" in done.err


def test_a_folder_gives_its_text_files(did: Run, orch: Run, project: Path) -> None:
    Path("lib/logo.png").write_bytes(b"\0png")
    done = did(*BUNDLE, "--files", "lib")
    assert [item["source"] for item in done.json["context_items"]] == [
        *("lib/types.ts", "lib/vector-search.ts")
    ]
    assert "lib/logo.png: is binary" in done.err


FITTING = (*BUNDLE, "--files", "lib/types.ts", "--references", "guide.md", "--optional", "a.csv")


def test_what_would_make_a_bundle_fit_is_said_and_done(did: Run, orch: Run, project: Path) -> None:
    Path("guide.md").write_text("# Guide\nShort.\n\n" + "Word after word. " * 900)
    Path("a.csv").write_text("1,2\n" * 2_000)
    did("init-session", "--scope", "s", "--budget", "2000")
    over = orch(*FITTING)
    assert over.code == 1
    assert "it would fit with --fit" in over.err
    assert "  leave out a.csv (optional, " in over.err
    assert "  cut guide.md to its skeleton (recommended, " in over.err
    before = len(rows(project, "SELECT * FROM bundles"))
    done = did(*FITTING, "--fit")  # what was found to be over takes no room from it
    assert done.json["fit"]["limit_of"] == "session budget"
    items = done.json["context_items"]
    assert [(i["source"], i["sections"]) for i in items] == [
        ("lib/types.ts", []),
        ("guide.md", ["(skeleton)"]),
    ]
    assert [change["action"] for change in done.json["fit"]["changes"]] == ["left out", "cut"]
    assert done.json["fit"]["after"]["band"][1] <= done.json["fit"]["limit"] == 2000
    assert "now it takes ~" in done.err
    assert len(rows(project, "SELECT * FROM bundles")) == before
    ((subject, receipt),) = rows(
        project, "SELECT subject, after FROM journal WHERE action = 'fit-bundle'"
    )
    assert (subject, json.loads(receipt)) == ("bundle-001 v1", done.json["fit"])


def test_what_other_bundles_leave_is_told_and_what_to_do_where_it_is_nothing(
    did: Run, orch: Run, project: Path
) -> None:
    Path("a.csv").write_text("1,2\n" * 2_000)
    Path("guide.md").write_text("Short.\n")
    did("init-session", "--scope", "s", "--budget", "2000")
    orch("prepare-bundle", "--agent-type", "other", "--files", "a.csv")
    over = orch(*FITTING)
    assert "the other bundles of the session take 8," in over.err and "of its 2,000" in over.err
    assert "orch retract BUNDLE --reason TEXT" in over.err
    for bundle in ("bundle-001", "bundle-002"):
        did("retract", bundle, "--reason", "only a question")
    did("prepare-bundle", "--agent-type", "other", "--text", "word " * 1_500)
    refused = orch(*FITTING, "--fit")
    assert "(session budget, where other bundles take 1,9" in refused.err


def test_the_same_fit_again_is_the_same_bundle(did: Run, project: Path) -> None:
    Path("guide.md").write_text("# Guide\nShort.\n\n" + "Word after word. " * 900)
    Path("a.csv").write_text("1,2\n" * 2_000)
    did("init-session", "--scope", "s", "--budget", "2000")
    first, again = (did(*FITTING, "--fit", "--output", "b.json").out for _ in range(2))
    assert first == again == "bundle-001\n"


def test_a_fit_keeps_the_chosen_part_and_never_drops_what_is_required(
    did: Run, orch: Run, project: Path
) -> None:
    Path("guide.md").write_text("# Guide\n" + "Word after word. " * 900 + "\n# Use\nDo it.\n")
    Path("a.csv").write_text("1,2\n")
    done = did(*FITTING, "--fit", "3,000", "--keep", "guide.md#Use", "--no-record")
    assert [i["sections"] for i in done.json["context_items"]] == [[], ["Use"], []]
    refused = orch(*BUNDLE, "--files", "guide.md", "--fit", "500", "--no-record")
    assert (refused.code, refused.out) == (1, "")
    assert "the required items alone take ~" in refused.err
    assert "of 500 tokens" in refused.err and "guide.md (" in refused.err
    assert orch(*FITTING, "--fit", "--keep", "guide.md").code == 2
    assert orch(*FITTING, "--fit", "--keep", "lib/vector-search.ts:1-2").code == 2
    no_item = orch(*FITTING, "--fit", "--keep", "lib/vector-search.ts#search")
    assert no_item.code == 2 and "lib/vector-search.ts is not in the bundle" in no_item.err
    assert orch(*FITTING, "--keep", "guide.md#Use").code == 2


def test_a_bundle_is_for_somebody_and_an_unknown_model_is_named(did: Run, orch: Run) -> None:
    nobody = orch("prepare-bundle", "--agent-type", " ", "--files", "lib/types.ts")
    assert nobody.code == 2 and "--agent-type is empty" in nobody.err
    assert "'gpt-4' is not in the catalogue" in did("count", "lib", "--model", "gpt-4").err


def test_a_symbol_and_a_skeleton_are_context(did: Run, project: Path) -> None:
    Path("a.py").write_text("import os\n\ndef one():\n    return 1\ndef two():\n    return 2\n")
    words = ("--files", "a.py#two", "--references", "a.py#(skeleton)", "--output", "b.json")
    done = did(*BUNDLE, *words)
    assert done.out == "bundle-001\n"
    briefing = did("generate-briefing", "--bundle", "b.json").out
    assert "a.py (sections: two)\n\n```python\ndef two():\n    return 2\n```" in briefing
    assert "```python\nimport os\ndef one():\ndef two():\n```" in briefing


def test_other_models_are_counted_with_tiktoken(did: Run, project: Path) -> None:
    text = (project / "lib" / "types.ts").read_text()
    (project / ".claude" / "orchestration").mkdir(parents=True, exist_ok=True)
    (project / ".claude" / "orchestration" / "config.toml").write_text(
        '[models.house-model]\nfamily = "cl100k_base"\nwindow = 64000\n'
    )
    for model, name, assumed in (
        ("gpt-4o", "o200k_base", True),
        ("cl100k_base", "cl100k_base", True),
        ("house-model", "cl100k_base", False),
    ):
        counted = did("count", "lib/types.ts", "--model", model, "--format", "json")
        (row,) = counted.json
        assert row["tokens"] == len(load_encoding(name).encode_ordinary(text)), model
        assert row["estimator"] == name
        assert ("assumed" in counted.err) == assumed
    did("prepare-bundle", "--agent-type", "a", "--files", "lib/types.ts", "--model", "gpt-4o")


def test_what_an_execution_gave_back_is_context_for_the_next(
    did: Run, orch: Run, project: Path
) -> None:
    did("init-session", "--scope", "s")
    did("init-deployment", "--agent-type", "a", "--scope", "find out")
    did("record-completion", "--execution-id", "exec-001", "--final-message", "It is the cache.")
    did("collect", "--execution-id", "exec-001", "--insights", "LRU is wrong here")
    done = did(
        *(*BUNDLE, "--files", "exec-001:message", "--references", "exec-001:outputs"),
        *("--output", "b.json"),
    )
    assert done.out == "bundle-001\n"
    briefing = did("generate-briefing", "--bundle", "b.json", "--no-record").out
    assert "### exec-001:message\n\n```\nIt is the cache.\n```" in briefing
    assert "# Outputs of exec-001 (a)\n\n## Insights\n\n- LRU is wrong here\n" in briefing
    refused = orch(*BUNDLE, "--files", "exec-01:message")
    assert "exec-01:message: execution 'exec-01' is not known" in refused.err
    assert "nearest: exec-001" in refused.err


def test_a_bundle_over_budget_is_prepared_and_the_answer_is_no(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s", "--budget", "10")
    done = orch(*BUNDLE, "--files", "spec/requirements.md", "--output", "b.json")
    assert (done.code, done.out) == (1, "bundle-001\n")
    assert "over by" in done.err
    tracked = orch("track-budget")
    assert tracked.code == 1
    assert "bundle-001" in tracked.out
    refused = orch("init-deployment", "--context-bundle", "b.json")
    assert (refused.code, refused.out) == (1, "")
    assert "allow" in refused.err
    allowed = did("init-deployment", "--context-bundle", "b.json", "--allow-overflow", "must be")
    assert allowed.out == "exec-001\n"
    assert "over by" in allowed.err


def test_what_an_agent_has_anyway_is_counted_and_named(did: Run, project: Path) -> None:
    (project / "CLAUDE.md").write_text("Read on.\n@constitution.md\n")
    agents = project / ".claude" / "agents"
    agents.mkdir()
    (agents / "a.md").write_text(
        "---\nname: task-implementor\ndescription: implements\nmodel: haiku\n---\nYou implement.\n"
    )
    done = did(*BUNDLE, "--files", "constitution.md,lib/types.ts")
    ambient = done.json["ambient"]
    assert done.json["model"] == "haiku"
    assert [part["source"] for part in ambient["parts"]][:3] == [
        *(".claude/agents/a.md", "CLAUDE.md", "constitution.md")
    ]
    assert {"notes", "tools", "skills list", "headings of instructions"} <= {
        part["role"] for part in ambient["parts"] if part["source"] == "Claude Code 2.1.332"
    }
    assert sum(part["token_count"] for part in ambient["parts"]) == ambient["total_tokens"]
    assert ambient["unknown"] == []
    assert ambient["already_held"][0]["source"] == "constitution.md"
    assert "task-implementor has it anyway, from constitution.md" in done.err
    assert "ambient)" in done.err
    (row,) = did("track-budget", "--bundles", "bundle-001", "--format", "json").json["bundles"]
    assert row["ambient_tokens"] == ambient["total_tokens"] > 0
    window = 1_000_000 - 32_000 - ambient["band"][1]
    assert row["agent_limit"] == window
    briefed = did("generate-briefing", "--bundle", "bundle-001")
    assert "tokens from Claude Code: " in briefed.err and " skills list" in briefed.err


def test_the_budget_is_tracked_as_in_the_proposal(did: Run, orch: Run) -> None:
    session_id = did("init-session", "--scope", "s").out.strip()
    did(*BUNDLE, "--files", "lib/types.ts", "--output", "bundle-001.json")
    report = did(
        *("track-budget", "--session-id", session_id, "--bundles", "bundle-001.json"),
        *("--phase", "3", "--budget", "200000", "--warn-threshold", "0.75", "--format", "json"),
    ).json
    assert report["total_tokens"] == report["bundles"][0]["tokens"]  # once, though named twice
    assert report["budget_remaining"] == 200_000 - report["total_tokens"]
    assert report["status"] == "ok"
    warned = did("track-budget", "--budget", str(report["band"][1] + 10))
    assert "critical" in warned.err
    assert orch("track-budget", "--budget", str(report["band"][1] - 1)).code == 1


def test_shared_items_are_found_written_and_applied(did: Run) -> None:
    for name, own in (("a", "lib/types.ts"), ("b", "spec/requirements.md")):
        did(
            *BUNDLE, "--files", f"constitution.md,{own}", "--name", name, "--output", f"{name}.json"
        )
    done = did("deduplicate", "--bundles", "a.json,b.json", "--output", "shared.json", "--apply")
    assert "1 item stands in several bundles" in done.err
    document = json.loads(Path("shared.json").read_text())
    assert did("deduplicate", "--bundles", "bundle-001,bundle-002", "--format", "json").json
    assert "constitution.md" in json.dumps(document)
    item = json.loads(Path("a.json").read_text())["context_items"][0]
    assert (item["type"], item["shared_with"]) == ("shared_context", ["bundle-002"])


def test_deduplicating_can_be_taken_back(did: Run, orch: Run, project: Path) -> None:
    session_id = did("init-session", "--scope", "s").out.strip()
    law = "".join(f"Article {n}\n" for n in range(1, 50))
    (project / "a.md").write_text(f"A\n{law}")
    (project / "b.md").write_text(f"{law}B\n")
    did(*BUNDLE, "--files", "constitution.md,a.md,b.md", "--output", "one.json")
    did(*BUNDLE, "--files", "constitution.md,lib/types.ts")
    before = Path("one.json").read_bytes()
    done = did("deduplicate", "--apply", "--format", "json")
    assert done.json["bundles"][0]["repeated_blocks_tokens"] > 0
    (overlap,) = done.json["bundles"][0]["overlaps"]
    assert (overlap["source"], overlap["lines"], overlap["by"]) == ("b.md", [1, 49], "a.md")
    shared = project / ".claude" / "orchestration" / "shared" / f"{session_id}.md"
    assert "### constitution.md" in shared.read_text()
    briefed = did("generate-briefing", "--bundle", "bundle-001").out
    assert "- b.md, lines 1-49: the same as a.md, lines 2-50" in briefed
    assert f"stands together in .claude/orchestration/shared/{session_id}.md" in briefed
    assert briefed.count("Article 3\n") == 1
    did("deduplicate", "--undo", "--bundles", "bundle-002")
    assert "version 3: as before" in did("deduplicate", "--undo", "--bundles", "one.json").err
    after = json.loads(Path("one.json").read_bytes())
    assert after["context_items"] == json.loads(before)["context_items"]
    again = orch("deduplicate", "--undo", "--bundles", "bundle-001")
    assert again.code == 1 and "version 2 was the deduplicated one" in again.err
    found = rows(project, "SELECT version FROM bundle_versions WHERE bundle_id = 'bundle-001'")
    assert found == [(1,), (2,), (3,)]


def test_all_that_was_deduplicated_is_taken_back_and_nothing_else(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    for own in ("lib/types.ts", "spec/requirements.md"):
        did(*BUNDLE, "--files", f"constitution.md,{own}")
    did(*BUNDLE, "--text", "alone")
    assert "has no deduplicated bundles" in orch("deduplicate", "--undo").err
    did("deduplicate", "--apply")
    done = did("deduplicate", "--undo")
    assert [line.split(":")[0] for line in done.err.splitlines()] == [
        "bundle-001 version 3",
        "bundle-002 version 3",
    ]
    assert orch("deduplicate", "--undo").code == 2
    assert orch("deduplicate", "--apply", "--undo").code == 2


def test_what_is_known_by_name_alone_is_shared_by_name_alone(did: Run, project: Path) -> None:
    session_id = did("init-session", "--scope", "s").out.strip()
    for number in (1, 2):
        items = [{"type": "file", "source": "gone.md", "token_count": 9}]
        Path("b.json").write_text(
            json.dumps(
                {
                    "bundle_id": f"bundle-00{number}",
                    "agent_type": "a",
                    "scope": "s",
                    "context_items": items,
                }
            )
        )
        did("bundles", "--import", "b.json", "--session-id", session_id)
    assert "1 item stands in several bundles" in did("deduplicate", "--apply").err
    assert not (project / ".claude/orchestration/shared").exists()
    briefed = did("generate-briefing", "--bundle", "bundle-001").out
    assert "- gone.md" in briefed and "stands together in" not in briefed
    deployed = did("init-deployment", "--context-bundle", "bundle-001").out.strip()
    assert "nothing to compare" in did("replay", deployed, "--drift").err


def test_the_shared_document_is_written_where_it_is_wanted(did: Run) -> None:
    for own in ("lib/types.ts", "spec/requirements.md"):
        did(*BUNDLE, "--files", f"constitution.md,{own}")
    given = ("deduplicate", "--bundles", "bundle-001,bundle-002", "--output", "docs/shared.md")
    did(*given, "--apply")
    assert "### constitution.md" in Path("docs/shared.md").read_text()
    assert "together in docs/shared.md" in did("generate-briefing", "--bundle", "bundle-002").out


def test_saved_bundles_are_listed_with_their_versions_and_uses(
    did: Run, orch: Run, deployed: str
) -> None:
    did(*BUNDLE, "--files", "constitution.md", "--bundle-id", "bundle-001", "--name", "law")
    (line,) = did("bundles", "--named", "--format", "json").json
    assert (line["bundle_id"], line["version"], line["uses"], line["items"]) == (
        *("bundle-001", 2, 1),
        1,
    )
    versions = did("bundles", "law", "--format", "json").json
    assert [(v["version"], v["frozen"], v["executions"]) for v in versions] == [
        (2, False, []),
        (1, True, [deployed]),
    ]
    assert [v["version"] for v in did("bundles", "law@1", "--format", "json").json] == [1]
    assert "nearest: 2" in orch("bundles", "law@3").err
    assert "law" in orch("bundles", "lax").err
    did("bundles", "bundle-001", "--restore", "1")
    assert [v["items"] for v in did("bundles", "law", "--format", "json").json] == [2, 1, 2]


def test_a_bundle_is_used_again_in_another_session(did: Run, orch: Run) -> None:
    did(*BUNDLE, "--files", "constitution.md,lib/types.ts", "--name", "law")
    session_id = did("init-session", "--scope", "another").out.strip()
    copied = did("bundles", "law", "--copy", "--session-id", session_id, "--name", "my law")
    assert copied.out == "bundle-002\n"
    assert "constitution.md" in did("generate-briefing", "--bundle", "my law").out
    (line,) = did("bundles", "--session-id", session_id, "--format", "json").json
    assert (line["bundle_id"], line["name"]) == ("bundle-002", "my law")
    assert "bundle-002 is called 'law'" in did("bundles", "bundle-002", "--name", "law").err
    refused = orch("bundles", "law")
    assert refused.code == 1 and "2 bundles are called 'law'" in refused.err
    assert orch("bundles", "nope").code == 1
    assert orch("bundles", "--copy").code == 2


def test_a_bundle_travels_as_json(did: Run, orch: Run, project: Path) -> None:
    did(*BUNDLE, "--files", "constitution.md,lib/types.ts", "--text", "Mind.", "--name", "law")
    before = did("generate-briefing", "--bundle", "law@1").out
    did("bundles", "law", "--export", "law.json")
    did("bundles", "law", "--export", "bare.json", "--bare")
    bare = json.loads(Path("bare.json").read_text())
    assert [*bare] == [
        *("bundle_id", "agent_type", "scope", "created_at", "context_items"),
        *("total_tokens", "budget_remaining"),
    ]
    assert {key for item in bare["context_items"] for key in item} == {
        *("type", "source", "token_count", "priority", "sections")
    }
    (project / "constitution.md").write_text("other law")
    assert did("bundles", "--import", "law.json").out == "bundle-001\n"
    shutil.rmtree(project / ".claude")
    (project / ".claude").mkdir()
    did(*BUNDLE, "--files", "lib/types.ts")
    taken = did("bundles", "--import", "law.json", "--name", "old law")
    assert taken.out == "bundle-002\n" and "bundle-001 is another bundle here" in taken.err
    assert did("bundles", "--import", "law.json", "--name", "old law").out == "bundle-002\n"
    assert "total_tokens" not in did("bundles", "--import", "bare.json").err
    assert orch("bundles", "--bare").code == 2
    assert did("generate-briefing", "--bundle", "old law").out == before


def test_a_briefing_is_rendered_from_a_file_or_an_id(did: Run) -> None:
    did(*BUNDLE, "--files", "lib/types.ts", "--output", "bundle.json")
    rendered = did("generate-briefing", "--bundle", "bundle.json")
    assert "export type Vector" in rendered.out
    did("generate-briefing", "--bundle", "bundle-001", "--output", "out/briefing.md")
    assert Path("out/briefing.md").read_text() == rendered.out
    given = did(
        *("generate-briefing", "--bundle", "bundle.json", "--template", "briefing-template.md")
    )
    assert given.out.startswith("# Task for task-implementor")


def test_a_briefing_is_copied_or_written_in_xml(did: Run, orch: Run) -> None:
    did(*BUNDLE, "--files", "lib/types.ts")
    given = ("generate-briefing", "--bundle", "bundle-001")
    copied = did(*given, "--form", "xml", "--copy")
    assert copied.out == "" and "there is no clipboard here; it is in " in copied.err
    text = Path(copied.err.strip().rpartition("it is in ")[2]).read_text()
    assert text.startswith("<documents>")
    assert did(*given, "--form", "xml").out == text
    assert orch(*given, "--form", "xml", "--template", "briefing-template.md").code == 2
    did("init-session", "--scope", "s")
    deployed = did("init-deployment", "--context-bundle", "bundle-001", "--copy")
    assert deployed.out == "exec-001\n" and "the briefing: " in deployed.err


def test_a_plan_is_validated(did: Run, orch: Run) -> None:
    sound = did("validate", "--scope", "Implement vector search", "--context-files", "lib/types.ts")
    assert [*sound.json][:6] == [
        *("valid", "scope_defined", "context_files_exist", "dependencies_acyclic"),
        *("complexity_estimate", "warnings"),
    ]
    done = orch(
        *("validate", "--scope", "Implement it", "--dependencies", "a->b,b->a"),
        *("--context-files", "nope.md", "--agent-types", "nobody"),
    )
    assert done.code == 1
    assert done.json["missing_files"] == ["nope.md"]
    assert done.json["cycles"] == [["a", "b"]]
    assert done.json["unknown_agent_types"] == ["nobody"]


def test_the_validation_of_a_session_is_recorded(did: Run, project: Path) -> None:
    session_id = did("init-session", "--scope", "Implement vector search").out.strip()
    did("plan", "--agent-type", "task-implementor")
    did("validate", "--session-id", session_id)
    assert rows(project, "SELECT count(*) FROM journal WHERE action = 'validate'") == [(1,)]
    did("validate")  # the open one
    assert rows(project, "SELECT count(*) FROM journal WHERE action = 'validate'") == [(2,)]
    assert did("validate", "--scope", "Another").json["scope_defined"]
    assert rows(project, "SELECT count(*) FROM journal WHERE action = 'validate'") == [(2,)]


def test_bounds_are_checked(did: Run, orch: Run) -> None:
    assert did("check-bounds", "--phase", "2", "--files", "lib/types.ts").json["status"] == "ok"
    Path("big.txt").write_text("word " * 300_000)
    done = orch("check-bounds", "--phase", "2", "--files", "big.txt")
    assert (done.code, done.json["status"]) == (1, "critical")


def test_parts_are_counted_by_name_and_nothing_is_no_source(did: Run, orch: Run) -> None:
    Path("a.md").write_text("# One\n1\n# Two\n2\n")
    done = did("count", "a.md#One", "a.md#Two")
    assert "a.md#One" in done.out and "a.md#Two" in done.out
    assert orch("count", "").code == 2
    done = did("count", "-", "-", stdin=b"once")
    assert done.err.startswith("1 source, ")


def test_files_are_counted_the_largest_first(did: Run) -> None:
    counted = did("count", "lib/*.ts", "spec/requirements.md", "--format", "json").json
    assert [*counted[0]] == ["tokens", "low", "high", "estimator", "source", "sections"]
    tokens = [each["tokens"] for each in counted]
    assert tokens == sorted(tokens, reverse=True)
    assert all(each["low"] <= each["tokens"] <= each["high"] for each in counted)


@pytest.mark.parametrize(
    "command",
    [
        (*BUNDLE, "--files", "lib/types.ts", "--output", "b.json"),
        ("track-budget", "--bundles", "bundle-002.json"),
        ("deduplicate", "--bundles", "bundle-002.json,other.json", "--apply"),
        ("generate-briefing", "--bundle", "bundle-002.json"),
        ("validate", "--scope", "Implement vector search"),
        ("check-bounds", "--phase", "1", "--files", "lib/types.ts"),
        ("count", "lib/types.ts"),
    ],
    ids=lambda command: command[0],
)
def test_preparing_works_without_a_record(
    did: Run, project: Path, command: tuple[str, ...]
) -> None:
    shutil.rmtree(project / ".claude")
    other = Path("bundle-002.json").read_text().replace("bundle-002", "bundle-003")
    Path("other.json").write_text(other)
    before = {path.name for path in project.rglob("*")}
    did(*command, "--no-record")
    assert {path.name for path in project.rglob("*")} - before <= {"b.json"}


@pytest.mark.parametrize(
    "command", [("validate", "--scope", "Implement it"), ("count", "lib/types.ts")]
)
def test_checking_makes_no_record(did: Run, project: Path, command: tuple[str, ...]) -> None:
    did(*command)
    assert not (project / ".claude" / "orchestration").exists()


def test_a_link_that_leads_out_is_left_out_of_its_folder_and_taken_by_its_own_name(
    did: Run, project: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("somebody's own\n")
    (project / "d").mkdir()
    (project / "d" / "a.md").write_text("a\n")
    (project / "d" / "lnk").symlink_to(outside)
    (project / "d" / "out").symlink_to(tmp_path)
    for source in ("d", "d/*"):
        done = did(*BUNDLE, "--files", source)
        assert [item["source"] for item in done.json["context_items"]] == ["d/a.md"]
        assert f"left out: d/lnk: leads outside, to {outside}" in done.err
    taken = did(*BUNDLE, "--files", "d/lnk")
    assert [item["source"] for item in taken.json["context_items"]] == [str(outside)]
    assert f"{outside} is outside the project" in taken.err


def test_the_first_bundle_of_a_project_keeps_what_it_counted(did: Run, project: Path) -> None:
    assert not (project / ".claude/orchestration/execution.db").exists()
    did(*BUNDLE, "--files", "spec/requirements.md,lib/types.ts")
    kept = rows(project, "SELECT lower(hex(sha256)) FROM token_counts")
    contents = rows(project, "SELECT lower(hex(sha256)) FROM contents")
    assert len(contents) == 2 and {*contents} <= {*kept}


def test_a_bundle_needs_an_agent_type_and_lists_have_commas(did: Run, orch: Run) -> None:
    done = orch("prepare-bundle", "--files", "lib/types.ts")
    assert done.code == 2 and done.err.startswith("orch: --agent-type NAME is required")
    sources = ("--files", "lib/types.ts", "docs/*.md")
    done = orch("prepare-bundle", "--agent-type", "a", *sources)
    assert "arguments: docs/*.md; separate several with commas: --files A,B\n" in done.err
    assert "commas" not in orch("prepare-bundle", "--scope", "one", "two").err
    made = did("prepare-bundle", "--agent-type", "a", *sources[:2], "--format", "json")
    assert made.json["agent_type"] == "a"


def test_a_copy_is_for_the_session_that_is_meant(did: Run) -> None:
    made = ("prepare-bundle", "-a", "a", "--files", "lib/types.ts", "--output", "b.json")
    did(*made)
    assert did("bundles", "bundle-001", "--copy").out == "bundle-002\n"
    session = did("init-session", "--scope", "s").out.strip()
    did("bundles", "bundle-001", "--copy")
    held = {b["bundle_id"]: b["session_id"] for b in did("bundles", "--format", "json").json}
    assert held == {"bundle-001": "", "bundle-002": "", "bundle-003": session}


def test_what_changes_nothing_says_so(did: Run) -> None:
    did("init-session", "--scope", "s")
    for name in "ab":
        did("prepare-bundle", "-a", name, "--files", "lib/types.ts,constitution.md", "-o", "b.json")
    left = "nothing is left to share: the bundles stay as they are"
    assert left not in did("deduplicate", "--apply").err
    assert left in did("deduplicate", "--apply").err
    did("init-deployment", "--context-bundle", "bundle-001")
    done = did("replay", "exec-001", "--refresh", "--format", "json")
    assert "nothing changed: bundle-001 version 2 stays what exec-001 was given" in done.err
    assert not done.json["is_new"]
