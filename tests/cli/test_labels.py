"""Labels of another machine, ``exec-014@ann-laptop``, wherever an id is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SESSION = "orch-2026-11-22-001@ann-laptop"
RUN = "exec-014@ann-laptop"
BUNDLE = "bundle-003@ann-laptop"


@pytest.fixture
def theirs(did: Run) -> None:
    """A session with a run and a bundle of two versions, as if it came from another machine."""
    bundle = ("prepare-bundle", "--agent-type", "debugger", "--bundle-id", BUNDLE)
    did("init-session", "--scope", "s", "--session-id", SESSION)
    did(*bundle, "--files", "lib/types.ts", "--session-id", SESSION)
    did("init-deployment", "--context-bundle", BUNDLE, "--execution-id", RUN)
    did("record-completion", "--execution-id", RUN, "--final-message", "It is the cache.")
    did("collect", "--execution-id", RUN, "--insights", "LRU is wrong here")
    did(*bundle, "--files", "lib/types.ts,references/hnsw-algorithm.md", "--session-id", SESSION)


def test_a_bundle_is_found_by_its_label_and_its_version(theirs: None, did: Run, orch: Run) -> None:
    for label, items in ((BUNDLE, 2), (f"{BUNDLE}@1", 1), (f"{BUNDLE}@2", 2)):
        did("bundles", label, "--export", "b.json")
        assert len(json.loads(Path("b.json").read_text())["context_items"]) == items, label
    for version in ("3", "9" * 5_000, "٢"):
        refused = orch("bundles", f"{BUNDLE}@{version}")
        assert (refused.code, refused.out) == (1, "") and "Traceback" not in refused.err
    for words in (
        ("generate-briefing", "--bundle"),
        ("track-budget", "--bundles"),
        ("deduplicate", "--bundles"),
        ("validate", "--scope", "s", "--bundles"),
        ("init-deployment", "--context-bundle"),
        ("plan", "--agent-type", "debugger", "--scope", "s", "--bundle"),
    ):
        label = BUNDLE if words[0] == "plan" else f"{BUNDLE}@1"
        done = orch(*words, label)
        assert "not known" not in done.err and done.code in (0, 1), (words, done)


def test_what_their_run_gave_back_is_context(theirs: None, did: Run) -> None:
    sources = f"{RUN}:message,{RUN}:outputs"
    did("prepare-bundle", "--agent-type", "fixer", "--files", sources, "--output", "b.json")
    given = json.loads(Path("b.json").read_text())["context_items"]
    items = {item["source"]: item["text"] for item in given}
    assert items[f"{RUN}:message"] == "It is the cache."
    assert "LRU is wrong here" in items[f"{RUN}:outputs"]


def test_their_run_and_session_are_found_by_label(theirs: None, did: Run) -> None:
    assert RUN in did("show", RUN).out
    assert did("show", RUN, "--part", "said").out.strip() == "It is the cache."
    assert RUN in did("compare", RUN, RUN).out
    assert did("replay", RUN).out
    assert did("outputs", "--execution-id", RUN, "--format", "json").json
    found = did("history", f"session:{SESSION}", "--format", "json").json
    assert [hit["execution_id"] for hit in found] == [RUN]
    assert [
        run["execution_id"]
        for run in did("query", "--session-id", SESSION, "--format", "json").json
    ] == [RUN]
    assert did("record-allocation", "--execution-id", RUN, "--bundle", f"{BUNDLE}@1")
    assert did("retract", RUN, "--reason", "a mistake")
    assert did("retract", BUNDLE, "--reason", "a mistake")
