"""The commands of the record verb: what they print, where, and what then stands in the record."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Shell, rows
from tests.variants import vary


def test_ids_are_made_printed_alone_and_count_up(did: Run) -> None:
    first = did("init-session", "--scope", "one")
    assert re.fullmatch(r"orch-\d{4}-\d\d-\d\d-001\n", first.out)
    assert did("init-session", "--scope", "two").out == first.out.replace("001", "002")
    deployment = ("init-deployment", "--agent-type", "Explore", "--scope", "look")
    assert [did(*deployment).out for _ in range(2)] == ["exec-001\n", "exec-002\n"]
    bundle = ("prepare-bundle", "--agent-type", "Explore", "--output", "b.json", "--files")
    printed = [did(*bundle, path).out for path in ("lib/types.ts", "constitution.md")]
    assert printed == ["bundle-001\n", "bundle-002\n"]


def test_the_same_call_twice_succeeds_and_changes_nothing(did: Run, project: Path) -> None:
    calls = [
        ("init-session", "--scope", "s", "--session-id", "mine", "--metadata", '{"a": [1]}'),
        ("init-deployment", "--agent-type", "a", "--scope", "s", "--execution-id", "x"),
        ("record-completion", "--execution-id", "x", "--final-message", "done"),
        ("collect", "--execution-id", "x", "--insights", "it works"),
        ("prepare-bundle", "--agent-type", "a", "--files", "lib/types.ts", "--output", "b.json"),
        ("complete-session", "--session-id", "mine"),
    ]
    for call in calls:
        first = did(*call)
        journal = rows(project, "SELECT * FROM journal")
        assert did(*call).out.startswith(first.out.rstrip("\n"))
        assert rows(project, "SELECT * FROM journal") == journal


def test_metadata_and_budget_are_kept(did: Run) -> None:
    did("init-session", "--scope", "s", "--metadata", '{"a": [1]}', "--budget", "50_000")
    (session,) = did("query", "--sessions", "--format", "json").json
    assert (session["metadata"], session["budget"]) == ({"a": [1]}, 50_000)


def test_a_phase_is_set_and_skipped_gates_are_said(did: Run) -> None:
    did("init-session", "--scope", "s", "--session-id", "mine")
    done = did("set-phase", "3")
    assert done.out == "mine 3 execute\n"
    assert "gate 1 (validated) was skipped" in done.err
    assert did("set-phase", "2").err == ""


def test_a_plan_is_made_edited_and_shown_in_waves(did: Run) -> None:
    did("init-session", "--scope", "s")
    did("plan", "--agent-type", "builder", "--scope", "build")
    did("plan", "--agent-type", "checker", "--scope", "check", "--after", "1")
    did("plan", "--agent-type", "writer")
    did("plan", "--edit", "2", "--model", "opus")
    did("plan", "--move", "3", "1")
    planned = did("plan", "--remove", "1", "--format", "json").json
    assert [(p["position"], p["wave"], p["agent_type"], p["model"]) for p in planned] == [
        (1, 1, "builder", None),
        (2, 2, "checker", "opus"),
    ]
    assert planned[1]["waits_for"] == [1]


def test_a_plan_says_how_far_its_agents_are_and_who_went_too_early(did: Run) -> None:
    did("init-session", "--scope", "s")
    for words in ("builder", "checker --after 1", "writer --after 2"):
        did("plan", "--agent-type", *words.split())

    def states() -> list[tuple[str, str | None]]:
        listed = did("plan", "--format", "json").json
        return [(each["state"], each["execution_id"]) for each in listed]

    def finish(label: str, status: str) -> None:
        message = ("--final-message", "Did what was asked, all of it.")
        did("record-completion", "--execution-id", label, "--status", status, *message)

    assert states() == [("ready", None), ("blocked", None), ("blocked", None)]
    early = did("init-deployment", "--planned", "3").err
    assert "planned agent 3 is deployed before 2 (checker) completed" in early
    assert "not begun" in early
    assert "is deployed before" not in did("init-deployment", "--planned", "1").err
    assert states() == [("deployed", "exec-002"), ("blocked", None), ("deployed", "exec-001")]
    assert (
        "which it waits for: exec-002 has not returned"
        in did(*("init-deployment", "--agent-type", "checker", "--planned", "2")).err
    )
    finish("exec-002", "failed")
    assert "exec-002 failed" in did("init-deployment", "--planned", "2").err
    did("init-deployment", "--planned", "1")
    finish("exec-005", "completed")
    assert states()[0] == ("completed", "exec-005")
    assert "is deployed before" not in did("init-deployment", "--planned", "2").err
    assert did("plan").out.splitlines()[0].split()[:4] == ["n", "wave", "state", "execution"]


def test_a_change_of_the_plan_is_undone(did: Run) -> None:
    did("init-session", "--scope", "x")
    did("plan", "--agent-type", "builder", "--scope", "build")
    assert len(did("plan", "--duplicate", "1", "--format", "json").json) == 2
    undone = did("plan", "--undo", "--format", "json")
    assert [p["agent_type"] for p in undone.json] == ["builder"]
    assert "undone: added 2 builder" in undone.err


def test_a_retracted_bundle_is_marked_in_the_plan_and_deployed_only_when_it_is_back(
    did: Run, orch: Run
) -> None:
    did("init-session", "--scope", "s")
    did("prepare-bundle", "-a", "builder", "--files", "lib/types.ts", "--output", "b.json")
    did("plan", "--agent-type", "builder", "--bundle", "bundle-001")
    did("plan", "--agent-type", "checker")
    did("retract", "bundle-001", "--reason", "mistake")
    assert "bundle-001 (retracted)" in did("plan").out
    planned = did("plan", "--format", "json").json
    assert [each["bundle_removed"] for each in planned] == [True, False]
    back = "orch bundles bundle-001 --restore 1"
    assert back in did("plan", "--edit", "2", "--bundle", "bundle-001").err
    for given in ("--context-bundle bundle-001", "--planned 1", "-a builder"):
        done = orch("init-deployment", *given.split())
        refused = not given.startswith("-a")  # of the type alone: nothing is handed over
        assert (done.code, back in done.err) == (int(refused), refused), given
    assert did(*back.split()[1:]).err.startswith("bundle-001 was retracted and counts again")
    did("init-deployment", "--planned", "1")


def test_what_is_odd_about_a_planned_bundle_is_said_and_it_counts(did: Run) -> None:
    did("prepare-bundle", "-a", "coder", "--files", "lib/types.ts", "--output", "b.json")
    did("init-session", "--scope", "s", "--budget", "50000")
    did("set-budget", "--agent-limit", "reviewer=20")
    assert did("track-budget", "--format", "json").json["bundles"] == []
    odd = did("plan", "--agent-type", "reviewer", "--bundle", "bundle-001").err
    assert "bundle-001 was prepared for coder, not reviewer" in odd
    assert "bundle-001: agent limit: " in odd and " of 20 tokens, over" in odd
    assert did("plan", "--agent-type", "coder", "--bundle", "bundle-001").err == ""
    (counted,) = did("track-budget", "--format", "json").json["bundles"]
    assert counted["bundle_id"] == "bundle-001"


def test_an_agent_waits_only_for_those_that_the_plan_has(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "s")
    did("plan", "--agent-type", "builder")
    done = orch("plan", "--agent-type", "checker", "--after", "9")
    assert done.err == "orch: planned agent '9' is not known\n      nearest: 1\n"


def test_a_deployment_takes_what_it_is_not_told_from_the_plan(did: Run) -> None:
    did("init-session", "--scope", "s")
    bundle = ("prepare-bundle", "--agent-type", "builder", "--scope", "build", "--output", "b.json")
    did(*bundle, "--files", "lib/types.ts")
    did("plan", "--agent-type", "builder", "--scope", "build it", "--bundle", "bundle-001")
    did("init-deployment", "--planned", "1", "--output", "briefing.md")
    (execution,) = did("query", "--format", "json").json
    assert (execution["agent_type"], execution["scope"]) == ("builder", "build it")
    assert execution["context_token_count"] > 0
    briefing = Path("briefing.md").read_text()
    assert briefing.endswith(f"<!-- orch {execution['uid']} -->\n")
    assert "export type Vector" in briefing


def test_a_briefing_of_ones_own_is_kept_exactly(did: Run) -> None:
    did("init-session", "--scope", "s")
    given = b"Do it.\r\nNow \xff\n"
    did("init-deployment", "--agent-type", "a", "--briefing", "-", "--output", "b", stdin=given)
    assert Path("b").read_bytes().startswith(given.rstrip(b"\n"))


def test_a_message_comes_as_text_as_a_file_or_from_standard_input(
    did: Run, deployed: str, project: Path
) -> None:
    complete = ("record-completion", "--execution-id", deployed)
    did(*complete, "--final-message", "one")
    Path("answer.md").write_text("two")
    did(*complete, "--final-message-file", "answer.md")
    done = did(*complete, "--final-message", "-", stdin=b"three")
    assert done.out == f"{deployed} completed, completion 3\n"
    did(*complete, "--final-message-file", "-", stdin=b"four")
    said = did("show", deployed, "--part", "said", "--format", "json").json
    assert [each["final_message"] for each in said] == ["one", "two", "three", "four"]


def test_success_follows_the_status_unless_given(did: Run, deployed: str) -> None:
    did(
        *("record-completion", "--execution-id", deployed, "--status", "failed"),
        *("--error-message", "it broke", "--error-code", "ORG-003"),
    )
    facts = did("show", deployed, "--part", "facts", "--format", "json").json
    assert (facts["status"], facts["success"]) == ("failed", False)
    assert (facts["error_message"], facts["error_code"]) == ("it broke", "ORG-003")
    did("init-deployment", "--agent-type", "a")
    did("record-completion", "--execution-id", "exec-002", "--success", "false")
    facts = did("show", "exec-002", "--part", "facts", "--format", "json").json
    assert (facts["status"], facts["success"]) == ("failed", False)


MESSAGE = """Done.

## Deliverables
- Created `lib/vector-search.ts`

## Validation
- tests: pass

## Insights
- Sorting once is enough
"""


def test_what_a_message_tells_of_is_offered(did: Run, deployed: str) -> None:
    done = did("record-completion", "--execution-id", deployed, "--final-message", MESSAGE)
    assert "tells of 3 outputs; --collect auto records them" in done.err
    assert did("outputs", "--format", "json").json == []


def test_a_deliverable_that_was_named_is_not_offered_once_more(did: Run, deployed: str) -> None:
    complete = ("record-completion", "--execution-id", deployed, "--deliverables")
    only = "Created `lib/vector-search.ts`."
    done = did(*complete, "lib/vector-search.ts", "--final-message", only)
    assert "--collect auto" not in done.err
    done = did(*complete, "lib/vector-search.ts", "--final-message", MESSAGE)
    assert "tells of 2 outputs" in done.err


def test_what_a_message_tells_of_is_recorded_as_found(did: Run, deployed: str) -> None:
    complete = ("record-completion", "--execution-id", deployed, "--final-message", MESSAGE)
    done = did(*complete, "--collect", "auto", "--deliverables", "lib/types.ts")
    assert "found deliverable lib/vector-search.ts" in done.err
    assert "found validation tests:pass" in done.err
    recorded = did("outputs", "--format", "json").json
    assert {(o["output_type"], o["path"], o["found"]) for o in recorded} == {
        ("deliverable", "lib/types.ts", False),
        ("deliverable", "lib/vector-search.ts", True),
        ("validation_result", None, True),
        ("insight", None, True),
    }


def test_a_sign_of_trouble_is_said(did: Run, deployed: str) -> None:
    message = "API Error: 529 overloaded_error"
    done = did("record-completion", "--execution-id", deployed, "--final-message", message)
    assert "sign of trouble, error: API Error: 529" in done.err
    taken_back = ("--supersede", "it said nothing")
    done = did("record-completion", "-e", deployed, "--final-message", "", *taken_back)
    assert done.err == "sign of trouble, empty\n"
    assert "\nsign of trouble: empty\n" in did("show", deployed).out


@pytest.mark.parametrize(
    ("message", "doubt"),
    [
        ("I changed src/shop.py. Tests: 3 failed.", "check failed: tests"),
        ("API Error: 529 Overloaded", "it ended with an API error: API Error: 529 Overloaded"),
        ("I could not complete the task.", "it says: I could not complete the task."),
    ],
)
def test_a_message_that_tells_of_a_failure_leaves_a_run_in_doubt_where_nobody_says_how_it_ended(
    did: Run, deployed: str, message: str, doubt: str
) -> None:
    told = ("record-completion", "-e", deployed, "--final-message", message)
    done = did(*told, "--format", "json")
    (remark,) = done.json["remarks"]
    assert remark in done.err and f"failure ({doubt})" in remark
    execution = done.json["execution"]
    assert (execution["status"], execution["unverified"]) == ("completed", doubt)
    assert not did(*told, "--format", "json").json["is_new"]
    (found,) = did("history", "has:doubt", "--format", "json").json
    assert found["execution_id"] == deployed
    did(*shlex.split(remark.partition("failed: orch ")[2]))
    failed = did("show", deployed, "--part", "facts", "--format", "json").json
    assert (failed["status"], failed["unverified"]) == ("failed", None)
    assert failed["error_message"] == doubt


def test_who_says_how_a_run_ended_is_believed_whatever_its_message_tells(
    did: Run, deployed: str
) -> None:
    told = ("record-completion", "-e", deployed, "--final-message", "Tests: 3 failed.")
    meant = ("--status", "completed", "--format", "json")
    done = did(*told, *meant)
    assert (done.json["remarks"], done.json["execution"]["unverified"]) == ([], None)
    did("init-deployment", "--agent-type", "a")
    later = ("record-completion", "-e", "exec-002")
    assert did(*later, *told[3:], "--format", "json").json["execution"]["unverified"]
    done = did(*later, *meant, "--supersede", "they failed before")
    assert (done.json["execution"]["unverified"], done.json["is_new"]) == (None, True)


def test_a_secret_in_a_final_message_is_flagged_and_kept(did: Run, deployed: str) -> None:
    key = "ghp_" + "x8Kq2LmN5vB9zR3tY7wE1uI4oP6aS0dF8gHj"
    done = did("record-completion", "-e", deployed, "--final-message", f"All done: {key}.")
    assert "sign of trouble, secret: GitHub token, line 1" in done.err and key not in done.err
    assert "\nsign of trouble: secret: GitHub token, line 1\n" in did("show", deployed).out
    (said,) = did("show", deployed, "--format", "json").json["said"]
    assert said["secrets"] == [{"kind": "GitHub token", "line": 1}]
    assert key in said["final_message"]


def test_outputs_are_the_json_of_the_proposal(did: Run, deployed: str) -> None:
    collected = did(
        *("collect", "--execution-id", deployed, "--deliverables"),
        *("lib/vector-search.ts,tests/vector-search.test.ts", "--format", "json"),
        *("--validation-results", "format:pass,lint:fail,coverage:85"),
        *("--insights", "HNSW, O(log n)", "--errors", "one test is flaky"),
    ).json
    first = collected[0]
    assert [*first][:6] == [
        *("output_id", "execution_id", "output_type", "content", "created_at", "metadata")
    ]
    assert first["content"]["file_path"] == "lib/vector-search.ts"
    assert first["content"]["validation"] == {"format": "pass", "lint": "fail", "coverage": 85}
    assert first["metadata"]["related_files"] == ["tests/vector-search.test.ts"]
    kinds = [output["output_type"] for output in collected]
    assert kinds == ["deliverable", "deliverable", "validation_result", "insight", "error"]
    assert collected[3]["content"] == "HNSW, O(log n)"  # one insight, comma and all


def test_a_deliverable_that_is_not_there_is_recorded_as_missing(did: Run, deployed: str) -> None:
    done = did("collect", "--execution-id", deployed, "--deliverables", "nope.ts,lib")
    assert "nope.ts (missing)" in done.out
    assert "lib (is a folder)" in done.out


def test_allocations_are_recorded_where_the_deployment_did_not(did: Run, deployed: str) -> None:
    did("init-deployment", "--agent-type", "task-implementor", "--execution-id", "bare")
    done = did("record-allocation", "--execution-id", "bare", "--bundle", "bundle.json")
    assert re.fullmatch(r"bare 2 items, \d+ tokens\n", done.out)
    assert [
        each["context_source"]
        for each in did("show", "bare", "--part", "given", "--format", "json").json
    ] == ["spec/requirements.md", "lib/types.ts"]


def test_a_retracted_execution_leaves_the_lists_and_stays_readable(did: Run, deployed: str) -> None:
    assert did("retract", deployed, "--reason", "wrong session").out == f"{deployed} retracted\n"
    assert did("query", "--format", "json").json == []
    assert "retracted" in did("show", deployed).out.splitlines()[0]
    late = did("record-completion", "--execution-id", deployed, "--final-message", "late")
    assert f"{deployed} was retracted" in late.err


def test_a_session_is_closed_hidden_and_shown_again(did: Run, deployed: str) -> None:
    done = did("complete-session", "--status", "failed", "--archive")
    session_id, status = done.out.split()
    assert status == "failed"
    assert did("query", "--sessions", "--format", "json").json == []
    assert did("query", "--sessions", "--archived", "--format", "json").json != []
    did("complete-session", "--session-id", session_id, "--unarchive")
    assert did("query", "--sessions", "--format", "json").json != []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["--final-message-file answer", "--final-message -"])
def test_invalid_utf8_is_kept_exactly_and_shown_replaced(shell: Shell, how: str) -> None:
    message = b"caf\xe9 \xff\xfe \xc3\xa9\n" + bytes(range(1, 32))
    Path("answer").write_bytes(message)
    done = shell(
        "orch init-session --scope s >/dev/null && orch init-deployment --agent-type a && "
        f"orch record-completion --execution-id exec-001 {how} < answer && "
        "orch show exec-001 --part said --format json"
    )
    assert done.returncode == 0, done
    printed = done.stdout.decode().split("\n", 2)[2]
    (said,) = json.loads(printed)
    assert said["final_message"].startswith("caf\ufffd \ufffd\ufffd \u00e9\n")
    assert shell("orch show exec-001 --part said").stdout == message
    (stored,) = rows(Path(), "SELECT data FROM contents ORDER BY size DESC LIMIT 1")
    assert stored == (message,)


@pytest.mark.slow
def test_a_message_as_text_may_be_invalid_utf8_too(shell: Shell) -> None:
    done = shell(
        "orch init-session --scope s >/dev/null && orch init-deployment --agent-type a && "
        "orch record-completion --execution-id exec-001 --final-message $'caf\\xe9'"
    )
    assert done.returncode == 0, done
    assert (b"caf\xe9",) in rows(Path(), "SELECT data FROM contents")


@pytest.mark.slow
@pytest.mark.parametrize("size", vary([300_000, 3_000_000]))
def test_a_long_message_is_recorded(did: Run, deployed: str, size: int) -> None:
    line = "All work and no play makes a long message.\n"
    message = (line * (size // len(line))).encode()
    Path("answer").write_bytes(message)
    did("record-completion", "--execution-id", deployed, "--final-message-file", "answer")
    (said,) = did("show", deployed, "--part", "said", "--format", "json").json
    assert said["final_message"].encode() == message


def test_without_a_message_the_latest_return_is_meant(did: Run, orch: Run, deployed: str) -> None:
    Path("a.py").write_text("pass\n")
    which = ("record-completion", "--execution-id", deployed)
    for words in (("--deliverables", "a.py"), ("--status", "completed"), ()):
        refused = orch(*which, *words)
        assert refused.code == 2 and f"{deployed} has not returned" in refused.err
        assert "--status failed" in refused.err
    assert did("outputs", "--format", "json").json == []
    broke = ("--status", "failed", "--error-message", "boom")
    did(*which, *broke, "--final-message", "it broke")
    assert "failed, completion 1" in did(*which, "--deliverables", "a.py").out
    (run,) = did("query", "--format", "json").json
    assert (run["status"], run["success"]) == ("failed", False)
    assert (run["final_message"], run["error_message"]) == ("it broke", "boom")
    assert len(did("outputs", "--format", "json").json) == 1
    refused = orch(*which, "--status", "completed")
    assert refused.code != 0 and "--supersede REASON" in refused.err
    did(*which, "--status", "completed", "--supersede", "it was the network")
    (run,) = did("query", "--format", "json").json
    assert (run["status"], run["final_message"]) == ("completed", "it broke")
    (said,) = did("show", deployed, "--part", "said", "--format", "json").json
    assert said["position"] == 1


def test_the_scope_and_the_limits_of_a_session_are_changed(did: Run, orch: Run) -> None:
    did("init-session", "--scope", "one", "--session-id", "s1", "--budget", "5000")
    assert did("set-scope", "one and a half").out == "s1 one and a half\n"
    said = did("set-budget", "900", "--warn-threshold", "0.5", "--reserve", "1,000").out
    assert said == "s1 900 tokens, warning at 50%, critical at 90%, 1,000 kept free\n"
    bundle = did("prepare-bundle", "--agent-type", "Explore", "--files", "constitution.md").json
    assert bundle["budget_remaining"] == 900 - bundle["total_tokens"]
    tracked = did("track-budget", "--format", "json").json
    assert (tracked["budget"], tracked["status"]) == (900, "warning")
    (listed,) = did("query", "--sessions", "--format", "json").json
    assert (listed["scope"], listed["budget"]) == ("one and a half", 900)
    assert did("set-budget", "default").out.startswith("s1 200,000 tokens, warning at 50%")
    said = did("set-budget", "--agent-limit", "20000", "--agent-limit", "Explore=5000").out
    assert said.endswith("kept free, each agent 20,000, Explore 5,000\n")
    assert did("set-budget", "--agent-limit", "Explore=default").out.endswith("agent 20,000\n")
    assert orch("set-budget", "--agent-limit", "Explore=much").code == 2
    assert orch("set-budget").code == 2
    assert orch("set-budget", "none").code == 2
    assert orch("set-budget", "--warn-threshold", "0.95", "--critical-threshold", "0.9").code == 2
    assert orch("set-scope", " ").code == 2


def test_the_reason_of_a_failure_stands_where_its_words_would(did: Run, deployed: str) -> None:
    failed = ("--status", "failed", "--error-message", "lost it", "--error-code", "ORG-004")
    did("record-completion", "--execution-id", deployed, *failed)
    shown = did("show", deployed).out
    assert "said: completion 1, failed\n(no message) lost it, ORG-004\n" in shown
    assert "sign of trouble" not in shown
    assert "lost it" in did("query").out
    assert "\n    lost it\n" in did("history").out


def test_an_empty_message_is_warned_of(did: Run, deployed: str) -> None:
    done = did("record-completion", "--execution-id", deployed, "--final-message", "")
    assert done.err == "sign of trouble, empty\n"
    failed = ("--status", "failed", "--supersede", "no answer")
    did("record-completion", "--execution-id", deployed, *failed)
    completed = ("--status", "completed", "--supersede", "it had answered")
    done = did("record-completion", "--execution-id", deployed, *completed)
    assert done.err == f"{deployed} is unverified: its final message is empty\n"


def test_taking_back_something_of_a_closed_session_is_said(did: Run, deployed: str) -> None:
    assert did("retract", "bundle-001", "--reason", "not needed").err == ""
    did("record-completion", "--execution-id", deployed, "--final-message", "Did all of it.")
    did("complete-session")
    for label in ("bundle-001", deployed):
        done = did("retract", label, "--reason", "a mistake", "--format", "json")
        assert "was closed as completed" in done.err
        assert done.json["remarks"] == done.err.splitlines()
