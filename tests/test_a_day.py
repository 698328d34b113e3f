"""A day's work in three terminals and two worktrees, by commands, screens and API; at its end every
figure, state and reason agrees with what happened on disk and with the bytes handed over."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual import events

from orch_tui import OrchestrationSession
from orch_tui.app import OrchApp
from orch_tui.prepare.briefing_size import count_briefing
from orch_tui.project import Project
from orch_tui.screens.widgets.words import format_tokens
from tests.cli.conftest import Run, did, orch, project
from tests.record import hook_events as hooks
from tests.screens.deploy.driven import settled
from tests.screens.quiet import stand_still

__all__ = ["did", "orch", "project"]

FAMILY = "v4.8"
SEARCH, FIX = "Make search fast", "Mend the parser"
CUT_OFF = "API Error: 529 overloaded_error"


@dataclass
class Happened:
    """What one agent did that day, as whoever looked on would tell it."""

    label: str
    agent_type: str
    session: str
    worktree: str | None = None
    handed: Path | None = None
    """The file with the bytes that it was handed."""
    claimed: int | None = None
    asked: str | None = None
    ran: str | None = None
    outcome: str = "waiting"
    """well, failed, doubted or waiting."""
    reason: str = ""
    files: dict[str, str] = field(default_factory=dict)
    """Its deliverables, and what became of each."""

    @property
    def tokens(self) -> int | None:
        """What it was given, counted from the bytes."""
        if self.handed is None:
            return self.claimed
        return count_briefing(self.handed.read_bytes(), FAMILY).tokens


@dataclass
class Day:
    root: Path
    did: Run
    patch: pytest.MonkeyPatch
    runs: dict[str, Happened] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """Ids by scope."""

    @contextmanager
    def terminal(self, folder: Path, **variables: str) -> Iterator[Run]:
        with self.patch.context() as patch:
            patch.chdir(folder)
            for name, value in variables.items():
                patch.setenv(name, value)
            yield self.did

    def note(self, label: str, agent_type: str, session: str, **more: Any) -> Happened:
        run = self.runs[label] = Happened(label, agent_type, session, **more)
        return run

    def ask(self, *words: str) -> Any:
        with self.terminal(self.root, TMUX_PANE="%1"):
            return self.did(*words, "--format", "json").json


@pytest.fixture
def feat(project: Path) -> Path:
    return project / ".claude" / "worktrees" / "feat"


@pytest.fixture
def fix(project: Path) -> Path:
    return project.parent / "fix"


@pytest.fixture
def day(project: Path, feat: Path, fix: Path, did: Run, monkeypatch: pytest.MonkeyPatch) -> Day:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for words in (
        *(("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "start")),
        ("worktree", "add", "-q", str(feat), "-b", "feat"),
        ("worktree", "add", "-q", str(fix), "-b", "fix"),
    ):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    return Day(project, did, monkeypatch)


def text_of(app: OrchApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def morning(day: Day, feat: Path, fix: Path) -> None:
    """Two sessions are opened, and agents sent off from everywhere."""
    with day.terminal(day.root, TMUX_PANE="%1") as did:
        search = day.sessions[SEARCH] = did("init-session", "--scope", SEARCH).out.strip()
        bundle = ("--agent-type", "implementor", "--scope", "Implement it")
        did("prepare-bundle", *bundle, "--files", "lib/types.ts", "--bundle-id", "types")
        did("plan", *bundle, "--bundle", "types")
        did("init-deployment", "--planned", "1", "--output", "first.md")
        day.note("exec-001", "implementor", search, handed=day.root / "first.md")
    with day.terminal(feat, TMUX_PANE="%2") as did:
        mend = day.sessions[FIX] = did("init-session", "--scope", FIX).out.strip()
        (feat / "lib" / "types.ts").write_text("export type Other = string;\n" * 30)
        words = ("--agent-type", "fixer", "--scope", "Fix it", "--files", "lib/types.ts")
        did("prepare-bundle", *words, "--bundle-id", "fixes")
        words = ("--context-bundle", "fixes", "--model", "haiku", "--output", "fix.md")
        did("init-deployment", *words)
        run = day.note("exec-002", "fixer", mend, worktree=".claude/worktrees/feat", asked="haiku")
        run.handed = feat / "fix.md"
        did("init-deployment", "--agent-type", "tester", "--context-token-count", "300")
        day.note("exec-003", "tester", mend, worktree=run.worktree, claimed=300)
        mistake = did("init-deployment", "--context-bundle", "fixes").out.strip()
        did("retract", mistake, "--reason", "sent twice")
    with day.terminal(fix, ORCH_SESSION=search) as did:
        did("init-deployment", "--agent-type", "Explore", "--scope", "Look around")
        day.note("exec-005", "Explore", search, worktree="../fix")


def noon(day: Day, feat: Path) -> None:
    """Agents come back: one failed and is sent again, one names a file that is not there."""
    with day.terminal(day.root, TMUX_PANE="%1") as did:
        words = ("record-completion", "--execution-id", "exec-001", "--status", "failed")
        did(*words, "--error-message", "tests broke", "--error-code", "ORG-005")
        day.runs["exec-001"].outcome, day.runs["exec-001"].reason = "failed", "tests broke"
        did("init-deployment", "--planned", "1", "--output", "again.md")
        again = day.note("exec-006", "implementor", day.sessions[SEARCH])
        again.handed = day.root / "again.md"
        (day.root / "lib" / "new.ts").write_text("a\nb\n")
        said = "Created `lib/new.ts`.\n\n## Validation\n- tests: pass\n"
        did(
            "record-completion",
            "--execution-id",
            "exec-006",
            "--final-message",
            said,
            "--collect",
            "auto",
        )
        again.outcome, again.files = "well", {"lib/new.ts": "unchanged"}
    with day.terminal(feat, TMUX_PANE="%2") as did:
        (feat / "lib" / "feat.ts").write_text("x\n")
        done = did(
            "record-completion",
            "--execution-id",
            "exec-002",
            "--final-message",
            "Done.",
            "--deliverables",
            "lib/feat.ts,lib/gone.ts",
        )
        assert "lib/gone.ts" in done.err
        run = day.runs["exec-002"]
        run.outcome, run.reason = "doubted", "missing when it was collected: lib/gone.ts"
        run.files = {"lib/feat.ts": "unchanged", "lib/gone.ts": "missing"}
    with OrchestrationSession.open(day.sessions[SEARCH], project=day.root) as session:
        (day.root / "docs").mkdir(exist_ok=True)
        (day.root / "docs" / "review.md").write_text("# Review\n")
        reviewer = session.init_deployment("reviewer", context_token_count=1234)
        run = day.note(reviewer.execution_id, "reviewer", session.session_id, claimed=1234)
        reviewer.record_completion("Reviewed.", deliverables="docs/review.md")
        run.outcome, run.files = "well", {"docs/review.md": "changed since"}
        checker = session.init_deployment("checker", context_token_count=50)
        run = day.note(checker.execution_id, "checker", session.session_id, claimed=50)
        (day.root / "lib" / "feat.ts").write_text("another one of that name\n")
        checker.record_completion("It is not right.", success=False, deliverables="lib/feat.ts")
        run.outcome, run.files = "failed", {"lib/feat.ts": "unchanged"}


async def afternoon(day: Day, feat: Path) -> None:
    """A return is pasted on the screens, a client tells by hooks, and a file is changed."""
    app = OrchApp(Project(day.root))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.use_session(day.sessions[SEARCH])
        await pilot.press("f3")
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        app.post_message(events.Paste(CUT_OFF))
        await settled(pilot)
        await pilot.press("f8")
        await stand_still(pilot)  # what hooks leave from here on is for the commands
    run = day.runs["exec-005"]
    run.outcome, run.reason = "failed", f"it ended with an API error: {CUT_OFF}"
    launch = hooks.call("toolu_1", "look for it", model="opus")
    returned = hooks.answer(launch, hooks.completed("a1", "Found it."))
    hooks.deliver(day.root, [each | {"cwd": str(feat)} for each in (launch, returned)])
    with day.terminal(day.root) as did:
        told = did("query", "--agent-type", "Explore", "--format", "json").json
    (label,) = (row["execution_id"] for row in told if row["source"] == "hook")
    run = day.note(label, "Explore", f"claude-{hooks.SESSION[:8]}", outcome="well")
    run.worktree, run.asked, run.ran = ".claude/worktrees/feat", "opus", "claude-sonnet-5-5"
    (day.root / "docs" / "review.md").write_text("# Review\n\nOf today.\n")
    (feat / "lib" / "feat.ts").write_text("x\ny\n")
    day.runs["exec-002"].files["lib/feat.ts"] = "changed since"


async def evening(day: Day) -> dict[str, str]:
    """The text of each screen, on both sessions."""
    found = {}
    app = OrchApp(Project(day.root))
    async with app.run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        for scope, session in day.sessions.items():
            app.use_session(session)
            for key, name in (("f1", "Plan"), ("f3", "Deploy"), ("f4", "History"), ("f5", "All")):
                await pilot.press(key)
                await settled(pilot)
                found[f"{name} of {scope}"] = text_of(app)
    return found


SIGNS = {"waiting": "●", "well": "✓", "failed": "✗", "doubted": "!"}


def check_screens(day: Day, shown: dict[str, str]) -> None:
    """Each run has one sign wherever it stands; sums are those of the commands."""
    for scope, session in day.sessions.items():
        mine = [run for run in day.runs.values() if run.session == session]
        signs = Counter((SIGNS[run.outcome], run.agent_type) for run in mine)
        deploy = _signed(shown[f"Deploy of {scope}"], {run.agent_type for run in mine})
        assert deploy == signs, scope
        budget = day.ask("track-budget", "--session-id", session)
        assert f"~{format_tokens(budget['total_tokens'])} of 200k" in shown[f"Plan of {scope}"]
    everything = list(day.runs.values())
    signs = Counter((SIGNS[run.outcome], run.agent_type) for run in everything)
    history = _signed(shown[f"History of {SEARCH}"], {run.agent_type for run in everything})
    assert history == signs
    insights = shown[f"All of {SEARCH}"]
    well, failed = (sum(r.outcome == o for r in everything) for o in ("well", "failed"))
    unknown = len(everything) - well - failed
    assert f"n {well + failed}, and {unknown} unknown" in insights
    waiting = sum(run.outcome == "waiting" for run in everything)
    assert f"● {waiting} waiting" in insights and f"✗ {failed} failed" in insights


def _signed(text: str, names: set[str]) -> Counter[tuple[str, str]]:
    """Count the rows that begin with a sign and the type of an agent."""
    found = re.findall(rf"([●✓✗!]) +({'|'.join(names)})\b", text)
    return Counter(found)


@pytest.mark.slow
async def test_at_the_end_of_a_day_everything_agrees(day: Day, feat: Path, fix: Path) -> None:
    morning(day, feat, fix)
    noon(day, feat)
    await afternoon(day, feat)
    shown = await evening(day)
    check_screens(day, shown)
    check_runs(day)
    check_budgets(day)
    check_statistics(day)
    check_outputs(day)
    check_reports(day)


def check_runs(day: Day) -> None:
    listed = {row["execution_id"]: row for row in day.ask("query")}
    assert set(listed) == set(day.runs)
    for label, run in day.runs.items():
        facts = day.ask("show", label)["facts"]
        assert listed[label] == facts
        told = (facts["session_id"], facts["agent_type"], facts["worktree"])
        assert told == (run.session, run.agent_type, run.worktree)
        assert facts["context_token_count"] == run.tokens, label
        assert (facts["status"] == "deployed") == (run.outcome == "waiting")
        assert (facts["success"] is False) == (run.outcome == "failed")
        assert (facts["unverified"] or "") == (run.reason if run.outcome == "doubted" else "")
        assert (facts["error_message"] or "") == (run.reason if run.outcome == "failed" else "")
        asked = (facts["model"], facts["requested_model"], facts["resolved_model"])
        assert asked == (run.asked, run.asked, run.ran)


def check_budgets(day: Day) -> None:
    bundles = {row["bundle_id"]: row["token_count"] for row in day.ask("bundles")}
    for scope, bundle in ((SEARCH, "types"), (FIX, "fixes")):
        session = day.sessions[scope]
        mine = [run for run in day.runs.values() if run.session == session]
        budget = day.ask("track-budget", "--session-id", session)
        handed = {run.tokens for run in mine if run.handed}
        assert handed == {bundles[bundle]}, "each attempt was handed the same"
        claimed = [run.claimed for run in mine if run.claimed]
        assert budget["total_tokens"] == bundles[bundle] + sum(claimed)
        assert budget["known"] == len(handed) + len(claimed)
        assert budget["without_count"] == sum(run.tokens is None for run in mine)


def check_statistics(day: Day) -> None:
    def counted(runs: list[Happened]) -> tuple[int, int, int, int]:
        well = sum(run.outcome == "well" for run in runs)
        failed = sum(run.outcome == "failed" for run in runs)
        return len(runs), well, failed, len(runs) - well - failed

    everything = list(day.runs.values())
    (overall,) = day.ask("stats", "--by", "overall")
    assert tuple(overall[n] for n in ("n", "success", "failure", "unknown")) == counted(everything)
    for part in ("model", "agent_type"):
        groups: dict[str | None, list[Happened]] = {}
        for run in everything:
            name = run.ran or run.asked if part == "model" else run.agent_type
            groups.setdefault(name, []).append(run)
        rows = {row[part]: row for row in day.ask("stats", "--by", part)}
        assert set(rows) == set(groups)
        for name, some in groups.items():
            told = tuple(rows[name][n] for n in ("n", "success", "failure", "unknown"))
            assert told == counted(some), name
    doubted = {hit["execution_id"] for hit in day.ask("history", "has:doubt")}
    assert doubted == {r.label for r in everything if r.outcome == "doubted"}


def check_outputs(day: Day) -> None:
    states = {(r["execution_id"], r["path"]): r["state"] for r in day.ask("outputs", "--state")}
    assert states == {
        (label, path): state for label, run in day.runs.items() for path, state in run.files.items()
    }


def check_reports(day: Day) -> None:
    for scope, session in day.sessions.items():
        mine = {label: run for label, run in day.runs.items() if run.session == session}
        report = day.ask("synthesize", "--session-id", session)
        budget = day.ask("track-budget", "--session-id", session)
        told = report["budget"]
        assert (told["tokens"], told["known"], told["without_count"]) == (
            *(budget["total_tokens"], budget["known"], budget["without_count"]),
        ), scope
        agents = {agent["execution_id"]: agent for agent in report["agents"]}
        assert set(agents) == set(mine)
        for label, run in mine.items():
            assert agents[label]["context_token_count"] == run.tokens
            assert (agents[label]["unverified"] or agents[label]["error_message"] or "") == (
                run.reason
            )
        assert {d["path"]: d["state"] for d in report["deliverable_states"]} == {
            path: state for run in mine.values() for path, state in run.files.items()
        }
