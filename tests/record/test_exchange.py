"""Records that exchange their exports, in any order, any number of times, end up the same."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orch_tui.errors import OrchError
from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.record import bundles, library, outputs, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import restore_executions, retract_execution
from orch_tui.record.hooks import payload_ingest, payloads
from orch_tui.record.ledger.rebuild import find_stale_executions
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.export import export_record
from orch_tui.record.upkeep.restore import restore_export
from tests.counts import COUNTS
from tests.record import claude_home
from tests.record.claude_home import CWD
from tests.record.empty import write_empty_record
from tests.record.reporting import report
from tests.record.test_hooks_and_transcripts import EVENTS
from tests.record.test_importer import take_in

STARTED = datetime(2026, 2, 14, tzinfo=UTC)


class Machine:
    """One record with a clock that is wrong by up to a minute and a half, and what it exports."""

    def __init__(self, folder: Path, name: str, chance: random.Random) -> None:
        self.folder, self.name, self.chance = folder / name, name, chance
        self.folder.mkdir()
        self.path = write_empty_record(self.folder / "x.db")
        self._wrong = timedelta(seconds=chance.uniform(-90, 90))
        self._ticks = 0
        self.files: list[Path] = []
        self.record = self._open()

    def _open(self) -> Record:
        return open_record(self.path, clock=self._now, actor=self.name)

    def _now(self) -> datetime:
        self._ticks += 1
        return STARTED + self._wrong + timedelta(seconds=self._ticks)

    def export(self) -> Path:
        path = self.folder / f"{len(self.files)}.jsonl"
        path.write_text("".join(line + "\n" for line in export_record(self.record)))
        self.files.append(path)
        return path

    def backup(self) -> None:
        (self.folder / "backup.db").unlink(missing_ok=True)
        self.record.backup(self.folder / "backup.db")

    def restore_backup(self) -> None:
        """An older backup in the place of the record, in the very same file."""
        if (self.folder / "backup.db").exists():
            self.record.close()
            for end in ("-wal", "-shm"):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)
            with (self.folder / "backup.db").open("rb") as old, self.path.open("r+b") as new:
                new.truncate()
                shutil.copyfileobj(old, new)
            self.record = self._open()

    # What people do

    def _session(self) -> Any:
        return self._any("SELECT session_id FROM sessions WHERE claude_session IS NULL")

    def _any(self, query: str) -> Any:
        found = self.record.sql(f"{query} ORDER BY 1")
        return self.chance.choice(found)[0] if found else None

    def open_session(self) -> None:
        sessions.init_session(self.record, f"scope {self.chance.random()}", project=CWD)

    def change_session(self) -> None:
        session = self._session()
        if session is None:
            return
        change = self.chance.randrange(3)
        if change == 0:
            sessions.set_phase(self.record, session, self.chance.randint(1, 5))
        elif change == 1:
            sessions.archive_session(self.record, session, archived=self.chance.random() < 0.7)
        else:
            with suppress(OrchError):
                sessions.complete_session(self.record, session)

    def edit_plan(self) -> None:
        session = self._session()
        if session is None:
            return
        planned = plan.list_planned_agents(self.record, session)
        if len(planned) < 2 or self.chance.random() < 0.4:
            bundle = self._any("SELECT bundle_id FROM bundles WHERE removed_at IS NULL")
            waits = [1] if planned and self.chance.random() < 0.5 else []
            plan.add_planned_agent(
                self.record, session, "tester", bundle_id=bundle, waits_for=waits
            )
            return
        position = self.chance.randint(1, len(planned))
        change = self.chance.randrange(4)
        with suppress(OrchError):
            if change == 0:
                plan.change_planned_agent(
                    self.record, session, position, scope=f"s{self.chance.random()}"
                )
            elif change == 1:
                plan.move_planned_agent(
                    self.record, session, position, self.chance.randint(1, len(planned))
                )
            elif change == 2:
                plan.remove_planned_agent(self.record, session, position)
            else:
                plan.undo_plan_change(self.record, session)

    def save_bundle(self) -> None:
        session = self._session()
        known = self._any("SELECT bundle_id FROM bundles WHERE removed_at IS NULL")
        data = f"text {self.chance.randrange(5)}".encode()
        item = ContextItem(
            type="file",
            source="lib/a.py",
            priority="required",
            sections=(),
            data=data,
            count=Count(3, "claude-v4.8", 3, 3),
        )
        bundle = Bundle(
            bundle_id=known if known and self.chance.random() < 0.5 else "",
            agent_type="tester",
            scope="s",
            items=(item,),
            model="",
            created_at=self.record.now(),
        )
        try:
            saved = bundles.save_bundle(self.record, bundle, session)
        except OrchError:  # it is a bundle of another session
            return
        if self.chance.random() < 0.2:
            library.rename_bundle(
                self.record, saved.bundle.bundle_id, f"name {self.chance.random()}"
            )
        elif self.chance.random() < 0.1:
            bundles.drop_bundle(self.record, saved.bundle.bundle_id, "not needed")

    def deploy(self) -> None:
        session = self._session()
        if session:
            report(
                self.record,
                "deployed",
                {
                    "session_id": session,
                    "agent_type": "debugger",
                    "scope": f"find {self.chance.random()}",
                    "deployed_at": self.record.now(),
                },
                source="manual",
            )

    def complete(self) -> None:
        run = self._any("SELECT execution_id FROM agent_executions")
        if run is None:
            return
        words = self.chance.choice(["It fails.", "All fine.", f"done {self.chance.random()}"])
        with suppress(OrchError):
            record_completion(
                self.record,
                run,
                final_message=words,
                status=self.chance.choice([None, "failed"]),
                supersede="it was wrong" if self.chance.random() < 0.3 else None,
            )

    def collect(self) -> None:
        run = self._any("SELECT execution_id FROM agent_executions")
        if run:
            outputs.collect_outputs(
                self.record,
                run,
                root=self.folder,
                deliverable_paths=["x.jsonl"] if self.chance.random() < 0.3 else [],
                insights=[f"insight {self.chance.randrange(3)}"],
            )

    def retract(self) -> None:
        run = self._any("SELECT execution_id FROM agent_executions")
        if run and self.chance.random() < 0.3:
            retract_execution(self.record, run, "by mistake")

    def restore(self) -> None:
        run = self._any("SELECT execution_id FROM agent_executions WHERE retracted_at IS NOT NULL")
        if run and self.chance.random() < 0.5:
            restore_executions(self.record, [run])

    def edit_with_sql(self) -> None:
        run = self._any("SELECT execution_id FROM agent_executions")
        if run is None:
            return
        change = self.chance.randrange(3)
        if change == 0:
            self.record.execute(
                "UPDATE agent_executions SET scope = ? WHERE execution_id = ?",
                [f"sql {self.chance.random()}", run],
            )
        elif change == 1:
            self.record.execute(
                "INSERT INTO outputs (execution_id, output_type, content) VALUES (?, ?, ?)",
                [run, "insight", f"by hand {self.chance.random()}"],
            )
        else:
            self.record.execute(
                "INSERT INTO context_allocations (execution_id, context_type, context_source, "
                "token_count, included_in_deployment) VALUES (?, 'file', 'lib/b.py', 7, 1)",
                [run],
            )
        with self.record.write():
            pass

    # What machines tell

    def hear(self) -> None:
        self.hear_event(*self.chance.choice(EVENTS))

    def hear_event(self, at: str, payload: Any) -> None:
        heard = payloads.read_payload(payload, at)
        assert heard is not None
        with self.record.write():
            payload_ingest.ingest_hook_payload(self.record, CWD, heard, at, {})

    def read_transcript(self) -> None:
        transcripts = [*claude_home.foreground(), *claude_home.background()]
        take_in(self.record, self.chance.choice(transcripts).write(self.folder / "home"))


ACTS: tuple[Callable[[Machine], None], ...] = (
    Machine.open_session,
    Machine.change_session,
    Machine.edit_plan,
    Machine.edit_plan,
    Machine.save_bundle,
    Machine.deploy,
    Machine.complete,
    Machine.complete,
    Machine.collect,
    Machine.retract,
    Machine.restore,
    Machine.edit_with_sql,
    Machine.hear,
    Machine.hear,
    Machine.read_transcript,
)


def view(record: Record) -> dict[str, list[Any]]:
    """Every column of everything that travels, by what names it in every record."""
    runs = {
        "runs": """SELECT e.uid, e.agent_type, e.deployed_at, e.completed_at, e.status, e.scope,
            e.context_token_count, e.model, final_message, success, error_message, error_code,
            e.source, e.phase, e.estimator, ambient_tokens, p.uid, v.uid, hex(b.sha256),
            tool_use_id, agent_id, parent.uid, e.depth, resolved_model, context_end_tokens,
            input_tokens, cache_write_tokens, cache_read_tokens, output_tokens, tool_calls,
            duration_ms, cost_usd, price_date, price_tier, unverified, retracted_at,
            hex(c.sha256), worktree, run_project, ran_in, agent_name, agent_kind, client_version,
            ending, parent_key, {session}
            FROM agent_executions AS e LEFT JOIN sessions AS s USING (session_id)
            LEFT JOIN planned_agents AS p USING (planned_id)
            LEFT JOIN bundle_versions AS v ON v.version_id = e.bundle_version_id
            LEFT JOIN briefings AS b ON b.briefing_id = e.briefing_id
            LEFT JOIN contents AS c ON c.content_id = e.message_id
            LEFT JOIN (SELECT execution_id, uid FROM agent_executions) AS parent
            ON parent.execution_id = e.parent_execution_id""",
        "completions": """SELECT e.uid, r.position, r.completed_at, r.status, r.success,
            hex(c.sha256), r.error_message, r.error_code, r.source, r.ending FROM completions AS r
            JOIN agent_executions AS e USING (execution_id)
            LEFT JOIN contents AS c ON c.content_id = r.message_id""",
        "outputs": """SELECT e.uid, o.uid, output_type, content, created_at, o.metadata, found,
            path, o.sha256, o.size, o.retracted_at FROM outputs AS o
            JOIN agent_executions AS e USING (execution_id)""",
        "allocations": """SELECT e.uid, context_type, context_source, a.token_count,
            included_in_deployment, position, priority, sections, a.estimator, token_low,
            token_high, hex(c.sha256), arrived FROM context_allocations AS a
            JOIN agent_executions AS e USING (execution_id)
            LEFT JOIN contents AS c USING (content_id)""",
        "usage": """SELECT e.uid, m.message_id, m.at, m.model, m.input_tokens,
            m.output_tokens, m.tool_calls, m.cost_usd FROM usage_messages AS m
            JOIN agent_executions AS e USING (execution_id)""",
        "files": """SELECT e.uid, path, read_at, written_at FROM execution_files
            JOIN agent_executions AS e USING (execution_id)""",
        "keys": """SELECT e.uid, key FROM execution_keys JOIN agent_executions AS e
            USING (execution_id) WHERE key NOT LIKE 'id:%'""",
        "sessions": """SELECT {session}, s.created_at, scope, phase, status, metadata,
            s.project_key, budget, completed_at, archived_at, claude_session, title, ended_at
            FROM sessions AS s""",
        "plan": """SELECT p.uid, {session}, position, p.agent_type, p.scope, p.model, b.uid,
            p.created_at, p.removed_at, (SELECT group_concat(uid) FROM (SELECT uid
            FROM planned_waits AS w JOIN planned_agents AS o ON o.planned_id = w.waits_for
            WHERE w.planned_id = p.planned_id ORDER BY uid)) FROM planned_agents AS p
            LEFT JOIN sessions AS s USING (session_id)
            LEFT JOIN (SELECT bundle_id, uid FROM bundles) AS b USING (bundle_id)""",
        "bundles": """SELECT b.uid, {session}, name, b.created_at, b.removed_at, v.uid, version,
            v.agent_type, v.scope, model, v.created_at, i.position, type, source, priority,
            i.token_count, hex(c.sha256) FROM bundles AS b
            LEFT JOIN sessions AS s USING (session_id)
            LEFT JOIN bundle_versions AS v USING (bundle_id)
            LEFT JOIN bundle_items AS i USING (version_id)
            LEFT JOIN contents AS c USING (content_id)""",
        "journal": """SELECT at, actor, action, {session}, e.uid, subject, before, after
            FROM journal AS j LEFT JOIN sessions AS s USING (session_id)
            LEFT JOIN execution_keys AS k ON k.key = 'id:' || j.execution_id
            LEFT JOIN agent_executions AS e ON e.execution_id = k.execution_id""",
        "statements": "SELECT hex(digest), kind, about, hex(payload) FROM observations",
    }
    session = "coalesce('claude:' || s.claude_session, s.uid)"
    return {
        name: sorted(record.sql(query.format(session=session)), key=repr)
        for name, query in runs.items()
    }


def exchange_all(machines: list[Machine]) -> None:
    """Everybody takes in what everybody has, until nothing is new."""
    for _ in range(4):
        new = 0
        for giver in machines:
            path = giver.export()
            new += sum(
                restore_export(taker.record, path).statements
                for taker in machines
                if taker is not giver
            )
        if not new:
            return
    raise AssertionError("there is always something new to exchange")


def assert_agreement(machines: list[Machine]) -> None:
    """All records hold the same in every table."""
    first, *others = [view(machine.record) for machine in machines]
    for other in others:
        for part, rows in first.items():
            assert other[part] == rows, part


def joined(exports: list[Path], folder: Path) -> Path:
    """Everything that was ever exported, as one export: each line once, after a head line."""
    heads_and_rest = [path.read_text().splitlines(keepends=True) for path in exports]
    rest = dict.fromkeys(line for _, *lines in heads_and_rest for line in lines)
    path = folder / "everything.jsonl"
    path.write_text(heads_and_rest[-1][0] + "".join(rest))
    return path


def live(chance: random.Random, folder: Path) -> list[Machine]:
    """Three records that do what people and machines do, and exchange now and then."""
    machines = [Machine(folder, name, chance) for name in ("ann", "bob", "ci")]
    for _ in range(chance.randint(8, 30)):
        machine = chance.choice(machines)
        act = chance.random()
        files = [path for each in machines for path in each.files]
        if act < 0.12:
            machine.export()  # it may be lost, or taken in late, or twice
        elif act < 0.26 and files:
            restore_export(machine.record, chance.choice(files))
        elif act < 0.30:
            machine.backup()
        elif act < 0.33:
            machine.restore_backup()
        else:
            chance.choice(ACTS)(machine)
    return machines


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(max_examples=COUNTS.exchanges, phases=[Phase.generate])
def test_records_that_exchange_everything_agree(chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machines = live(chance, folder)
        if chance.random() < 0.3:  # a copy of a record goes on beside it
            copy = Machine(folder, "copy", chance)
            copy.record.close()
            copy.path.unlink()
            machines[0].record.backup(copy.path)
            copy.record = open_record(copy.path, clock=copy._now, actor="copy")
            machines.append(copy)
            for machine in (machines[0], copy):
                for _ in range(3):
                    chance.choice(ACTS)(machine)
        exchange_all(machines)
        late = Machine(folder, "late", chance)
        restore_export(late.record, machines[0].export())
        machines.append(late)
        assert_agreement(machines)
        # an export that nobody took in may tell what an older backup lost since
        everything = joined([path for machine in machines for path in machine.files], folder)
        for machine in machines:
            restore_export(machine.record, everything)
        assert_agreement(machines)
        for machine in machines:
            assert list(find_stale_executions(machine.record)) == []
            assert machine.record.sql("PRAGMA foreign_key_check") == []
            before = machine.record.value("SELECT count(*) FROM observations")
            assert restore_export(machine.record, everything).statements == 0
            machine.export()
            assert machine.record.value("SELECT count(*) FROM observations") == before
            machine.record.close()
