"""Realistic synthetic runs, the same for the same seed: what the search benchmark is measured on.

Word frequencies follow Zipf's law over a vocabulary whose head is real technical English and whose
tail is made of syllables; messages are lognormal (median 2.9 kB) and mix prose, headings, paths,
identifiers and figures, as agents' final messages do. Runs come in sessions of about eight, in
working hours, over four hundred days.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

HEAD = re.findall(
    r"\w+",
    """
the to of and a in is for that it with this are as be on not from by or an all was now has no can
when but one which if test file tests error code function added data return value type line new use
used using run only after before each into so its have should must does build check class list
index search query path name result update fixed implementation module config request response
server client user session token context agent bundle phase validation deliverable report summary
change changes changed created updated removed missing existing default option command output input
table column schema database migration record write read open close lock thread worker queue cache
memory size limit budget count total number time date first last next previous order sort filter
prefix match string text bytes byte json yaml markdown python typescript vector graph node edge
tree layer level distance nearest neighbour recall precision latency throughput benchmark median
performance memory parser lexer grammar symbol import export interface abstract generic factory
method property field key hash digest signature secret password permission access denied allowed
network socket timeout retry connection pool stream buffer chunk block page row cell header body
route handler middleware controller service model view template render component widget screen
event hook callback promise async await future task job schedule cron deploy release version tag
branch commit merge conflict rebase patch diff review approve reject issue bug fix regression root
cause reproduce trace stack log debug warning failure passing failing coverage lint format strict
assert expected actual fixture mock stub integration unit endpoint payload header status healthy
documentation readme guide example usage install package dependency lockfile upgrade pin security
vulnerability audit sanitize escape inject encode decode compress archive restore backup snapshot
replica shard partition rollback transaction isolation deadlock constraint foreign unique primary
""",
)

AGENTS = (
    ("task-implementor", 30),
    ("systematic-debugger", 16),
    ("code-reviewer", 14),
    ("test-writer", 12),
    ("explore", 10),
    ("general-purpose", 8),
    ("doc-writer", 5),
    ("security-auditor", 3),
    ("migration-planner", 1),
    ("performance-analyst", 1),
)
MODELS = (("sonnet", 55), ("opus", 25), ("haiku", 15), ("claude-opus-4-8", 5))
STATUSES = (("completed", 86), ("failed", 9), ("deployed", 5))
SOURCES = (("hook", 60), ("import", 25), ("manual", 10), ("api", 5))
FOLDERS = ("lib", "src", "tests", "docs", "scripts", "spec", "references", "packages/core")
SUFFIXES = (".ts", ".py", ".md", ".go", ".test.ts", ".json", ".yaml")
START = datetime(2025, 10, 1, tzinfo=UTC)
DAYS = 400


@dataclass(frozen=True, slots=True)
class Given:
    """One context item: its type, its source and which content of the corpus it is."""

    type: str
    source: str
    content: int


@dataclass(frozen=True, slots=True)
class Run:
    """One execution and all that is searched of it."""

    execution_id: str
    session_id: str
    agent_type: str
    deployed_at: datetime
    status: str
    model: str
    source: str
    phase: int
    scope: str
    briefing: str
    final_message: str
    error_message: str
    outputs: tuple[tuple[str, str], ...]
    given: tuple[Given, ...]


class Corpus:
    """The vocabulary, files and sentences that runs are made of."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.vocabulary = self._vocabulary(30_000)
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(self.vocabulary))))
        self.paths = [self._path() for _ in range(4_000)]
        self.identifiers = [self._identifier() for _ in range(40_000)]
        self.sentences = [self._sentence() for _ in range(40_000)]

    def words(self, count: int) -> list[str]:
        """Words of the vocabulary as often as they occur in the text."""
        return self.random.choices(self.vocabulary, cum_weights=self._weights, k=count)

    def contents(self, count: int) -> Iterator[str]:
        """The text of the files that agents were given, about 4 kB each."""
        for _ in range(count):
            size = max(300, int(self.random.lognormvariate(8.1, 0.7)))
            yield self._prose(size)

    def runs(
        self, count: int, contents: int, names: tuple[str, str] = ("exec", "orch")
    ) -> Iterator[Run]:
        """`count` runs, oldest first, which were given some of `contents` contents; `names` begin
        the ids of runs and of sessions."""
        run, session = names
        chance = self.random
        popularity = list(accumulate(1 / (rank + 1) ** 0.8 for rank in range(contents)))
        sessions = max(1, count // 8)
        starts = sorted(self._working_hour() for _ in range(sessions))
        per_day: dict[str, int] = {}
        made = 0
        for number, start in enumerate(starts):
            day = start.strftime("%Y-%m-%d")
            per_day[day] = per_day.get(day, 0) + 1
            session_id = f"{session}-{day}-{per_day[day]:03d}"
            last = number == sessions - 1
            for position in range(count - made if last else min(count - made, 8)):
                made += 1
                at = start + timedelta(seconds=position * 200 + chance.random() * 150)
                yield self._run(f"{run}-{made:03d}", session_id, at, contents, popularity)

    def _run(
        self,
        execution_id: str,
        session_id: str,
        at: datetime,
        contents: int,
        popularity: list[float],
    ) -> Run:
        chance = self.random
        status = _pick(chance, STATUSES)
        size = int(chance.lognormvariate(7.97, 0.5))
        chosen = sorted(set(chance.choices(range(contents), cum_weights=popularity, k=7)))
        paths = chance.sample(self.paths, 3)
        outputs = [("deliverable", path) for path in paths[: chance.randrange(4)]]
        if status == "completed" and chance.random() < 0.5:
            outputs.append(("validation_result", "format:pass lint:pass types:pass tests:fail"))
        if chance.random() < 0.2:
            outputs.append(("insight", chance.choice(self.sentences)))
        return Run(
            execution_id=execution_id,
            session_id=session_id,
            agent_type=_pick(chance, AGENTS),
            deployed_at=at,
            status=status,
            model=_pick(chance, MODELS),
            source=_pick(chance, SOURCES),
            phase=chance.choice((1, 2, 3, 3, 3, 4)),
            scope=" ".join(self.words(9)).capitalize(),
            briefing=self._prose(600),
            final_message="" if status == "deployed" else self._prose(size),
            error_message="it ran out of turns" if status == "failed" else "",
            outputs=tuple(outputs),
            given=tuple(
                Given("file", self.paths[content % len(self.paths)], content) for content in chosen
            ),
        )

    def _vocabulary(self, size: int) -> list[str]:
        onsets = re.findall(
            r"\w+", "b br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sc st str t tr v w z"
        )
        vowels = ["a", "e", "i", "o", "u", "ai", "ea", "io", "ou"]
        codas = ["", "n", "r", "s", "l", "t", "ck", "nt", "st", "rm"]
        seen = dict.fromkeys(HEAD)
        while len(seen) < size:
            parts = self.random.choice((1, 2, 2, 3, 3, 4))
            word = "".join(
                self.random.choice(onsets) + self.random.choice(vowels) for _ in range(parts)
            )
            seen[word + self.random.choice(codas)] = None
        return list(seen)

    def _path(self) -> str:
        folders = [self.random.choice(FOLDERS)]
        folders += self.words(self.random.randrange(3))
        stem = "-".join(self.random.choices(self.vocabulary[:4000], k=2))
        return "/".join(folders) + "/" + stem + self.random.choice(SUFFIXES)

    def _identifier(self) -> str:
        words = self.random.choices(self.vocabulary[:6000], k=self.random.choice((2, 2, 3)))
        if self.random.random() < 0.5:
            return "_".join(words)
        return words[0] + "".join(word.capitalize() for word in words[1:])

    def _sentence(self) -> str:
        chance = self.random
        words = self.words(chance.randrange(5, 18))
        if chance.random() < 0.3:
            words.insert(chance.randrange(len(words)), f"`{chance.choice(self.identifiers)}`")
        return " ".join(words).capitalize() + "."

    def _prose(self, size: int) -> str:
        """Paragraphs, headings and bullets of about `size` characters."""
        chance = self.random
        parts: list[str] = []
        length = 0
        while length < size:
            kind = chance.random()
            if kind < 0.06:
                part = "\n\n## " + " ".join(self.words(3)).capitalize() + "\n\n"
            elif kind < 0.20:
                line = chance.randrange(1, 900)
                sentence = chance.choice(self.sentences)
                part = f"\n- `{chance.choice(self.paths)}:{line}`: {sentence}"
            elif kind < 0.30:
                part = f" `{chance.choice(self.identifiers)}()` took {chance.randrange(5000)} ms."
            else:
                part = " " + chance.choice(self.sentences)
            parts.append(part)
            length += len(part)
        return "".join(parts).strip()

    def _working_hour(self) -> datetime:
        hours = self.random.triangular(7, 22, 14)
        return START + timedelta(days=self.random.randrange(DAYS), hours=hours)


def _pick(chance: random.Random, choices: tuple[tuple[str, int], ...]) -> str:
    values, weights = zip(*choices, strict=True)
    return str(chance.choices(values, weights=weights)[0])
