"""A record of runs that hooks and transcripts tell of, with what they used and their files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from orch_tui.models.database import Record
from orch_tui.prepare.catalogue import load_catalogue
from orch_tui.record.hooks import inbox
from orch_tui.record.transcripts.importer import import_files
from orch_tui.record.transcripts.transcript_files import find_in_paths
from orch_tui.search import index_merge
from tests.bench.corpus import Corpus, Run
from tests.record import hook_events
from tests.record.claude_home import CWD, Transcript, done, launch, tool

RUNS = 2_000
TURNS = 12
"""Model messages of one run; each reads or writes one file."""


def record_heard(record: Record, folder: Path) -> None:
    """Record the runs of one corpus: every event of a run by hooks, then its transcript."""
    (folder / ".git").mkdir()  # payloads wait in the folder of a project
    corpus = Corpus(seed=9)
    runs = (run for run in corpus.runs(2 * RUNS, 20) if run.final_message)
    number = 0
    while some := list(islice(runs, min(8, RUNS - number))):
        told = [_Told(corpus, run, number + place) for place, run in enumerate(some)]
        number += len(some)
        session = f"{number:08}-0000-4000-8000-000000000000"
        hook_events.deliver(
            folder,
            [event for each in told for event in each.events(session)],
            hook_events.START_NS + number * 3_600_000_000_000,
        )
        inbox.drain_inbox(record, folder)
        files = [each.write(folder / "home") for each in _transcripts(session, told)]
        import_files(record, find_in_paths(files), catalogue=load_catalogue(), root=Path(CWD))
        while index_merge.merge_share(record):  # as the open app does beside
            pass


class _Told:
    """One run as Claude Code tells of it."""

    def __init__(self, corpus: Corpus, run: Run, number: int) -> None:
        self.run = run
        self.call = f"toolu_{number:020}"
        self.agent = f"a{number:016x}"
        self.paths = corpus.random.choices(corpus.paths, k=TURNS)
        self.number = number

    def events(self, session: str) -> list[dict[str, Any]]:
        """What hooks say of it, in the background."""
        run = self.run
        called = hook_events.call(self.call, run.briefing, description=run.scope)
        events = [
            called,
            hook_events.answer(called, hook_events.launched(self.agent)),
            hook_events.start(self.agent),
            hook_events.stop(self.agent, run.final_message),
        ]
        return [{**event, "session_id": session} for event in events]

    def transcript(self, session: str, start: int) -> Transcript:
        """Its own transcript."""
        path = f"{session}/subagents/agent-{self.agent}.jsonl"
        own = Transcript(path, session, self.agent, start=start)
        own.hears(self.run.briefing)
        for turn, path in enumerate(self.paths):
            name, used = ("Write", "") if turn % 4 == 3 else ("Read", "text")
            key = f"{self.call}_{turn}"
            message = f"msg_{self.number:012}{turn:012}"
            own.says(message, tool(key, name, file_path=f"{CWD}/{path}"), output=90 + turn)
            own.gets(key, used)
        own.says(f"msg_{self.number:012}{TURNS:012}", self.run.final_message, stop="end_turn")
        return own


def _transcripts(session: str, told: list[_Told]) -> Iterator[Transcript]:
    parent = Transcript(f"{session}.jsonl", session)
    for place, each in enumerate(told):
        run = each.run
        launched = launch(each.call, "Explore", run.briefing, description=run.scope)
        parent.says(f"msg_{each.call}", launched)
        parent.gets(each.call, run.final_message, done(each.agent, run.final_message, 900))
        yield each.transcript(session, start=100 * place)
    yield parent
