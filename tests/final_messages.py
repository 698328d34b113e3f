"""The corpus of final messages (``tests/fixtures/final_messages``), and how well it is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orch_tui.record.messages.findings import Findings, read_findings
from orch_tui.record.messages.path_forms import split_words
from orch_tui.record.run_place import RunPlace

CORPUS = Path(__file__).parent / "fixtures" / "final_messages"
PROJECT = "/home/dev/project"
"""The project of the messages that name absolute paths."""
PARTS = ("files", "checks", "insights")
_FILE_LIKE = re.compile(r"[\w.\\/@-]*\w\.[A-Za-z]\w{0,5}\b|\bMakefile\b")
_USUAL = split_words("py ts js md toml json yml yaml c rs go css sql sh txt Makefile")
_ENOUGH = 2 / 3
"""Share of an insight's text that has to be found."""


@dataclass(frozen=True)
class LabelledMessage:
    """A message and what a reader says is in it."""

    name: str
    source: str
    text: str
    files: Sequence[str]
    checks: dict[str, str | int]
    insights: Sequence[str]
    either_files: Sequence[str] = ()
    either_checks: Sequence[str] = ()
    either_insights: Sequence[str] = ()


@dataclass
class Agreement:
    """What was found of what is there, of one part."""

    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def labelled(self) -> int:
        """How many there are to find."""
        return self.right + len(self.missed)

    @property
    def precision(self) -> float:
        """Share of what was found that is there."""
        found = self.right + len(self.wrong)
        return self.right / found if found else 1.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found."""
        return self.right / self.labelled if self.labelled else 1.0


def load_messages(*sources: str) -> list[LabelledMessage]:
    """The labelled messages of the named files, default all."""
    paths = [CORPUS / f"{source}.toml" for source in sources] or sorted(CORPUS.glob("*.toml"))
    return [
        LabelledMessage(source=path.stem, **message)
        for path in paths
        for message in tomllib.loads(path.read_text(encoding="utf-8"))["message"]
    ]


def compare_corpus(messages: Iterable[LabelledMessage], folder: Path) -> dict[str, Agreement]:
    """Read each message in a project of its own below ``folder``, where all it names exists."""
    agreements = {part: Agreement() for part in PARTS}
    for number, message in enumerate(messages):
        root = folder / str(number)
        _make_files(message, root)
        found = read_findings(message.text.replace(PROJECT, str(root)), RunPlace(root))
        _compare_files(message, found, agreements["files"])
        _compare_checks(message, found, agreements["checks"])
        _compare_insights(message, found, agreements["insights"])
    return agreements


def _make_files(message: LabelledMessage, root: Path) -> None:
    root.mkdir(parents=True)
    text = message.text.replace(PROJECT + "/", "")
    like = (match[0] for match in _FILE_LIKE.finditer(text))
    named = [*message.files, *(name for name in like if "/" in name or _is_usual(name))]
    for name in named:
        path = (root / name.replace("\\", "/").lstrip("/")).resolve()
        below_a_file = any(parent.is_file() for parent in path.parents)
        if path.is_relative_to(root.resolve()) and not (path.exists() or below_a_file):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def _is_usual(name: str) -> bool:
    """Such as lies in the folder of a project; ``Cache.evict`` doesn't."""
    return name.rpartition(".")[2] in _USUAL


def _compare_files(message: LabelledMessage, found: Findings, agreement: Agreement) -> None:
    either = {_plain_path(path) for path in message.either_files}
    paths = [_plain_path(found_path.path) for found_path in found.deliverables]
    _compare(
        message,
        [_plain_path(path) for path in message.files],
        [path for path in paths if path not in either],
        lambda label, path: label == path,
        agreement,
    )


def _plain_path(path: str) -> str:
    return path.replace("\\", "/")


def _compare_checks(message: LabelledMessage, found: Findings, agreement: Agreement) -> None:
    either = set(message.either_checks)
    _compare(
        message,
        [f"{name}:{result}" for name, result in message.checks.items()],
        [
            f"{name}:{result}"
            for name, result in (found.validation or {}).items()
            if name not in either
        ],
        _is_check,
        agreement,
    )


def _is_check(label: str, check: str) -> bool:
    names, _, result = label.rpartition(":")
    name, _, found_result = check.rpartition(":")
    return name in names.split("|") and result == found_result


def _compare_insights(message: LabelledMessage, found: Findings, agreement: Agreement) -> None:
    texts = [insight.text for insight in found.insights]
    _compare(
        message,
        message.insights,
        [
            text
            for text in texts
            if not any(_is_insight(either, text) for either in message.either_insights)
        ],
        _is_insight,
        agreement,
    )


def _is_insight(label: str, text: str) -> bool:
    short, long = sorted((_plain_text(label), _plain_text(text)), key=len)
    return bool(short) and short in long and len(short) >= _ENOUGH * len(long)


def _plain_text(text: str) -> str:
    return " ".join(re.sub(r"[*_`]", "", text).casefold().split()).strip(" .:;,-")


def _compare(
    message: LabelledMessage,
    labels: Iterable[str],
    found: Iterable[str],
    is_same: Callable[[str, str], bool],
    agreement: Agreement,
) -> None:
    left = list(found)
    for label in labels:
        match = next((one for one in left if is_same(label, one)), None)
        if match is None:
            agreement.missed.append(f"{message.source}/{message.name}: {label}")
        else:
            agreement.right += 1
            left.remove(match)
    agreement.wrong += [f"{message.source}/{message.name}: {one}" for one in left]


def describe_agreements(agreements: dict[str, Agreement]) -> Iterator[str]:
    """A line for each part: precision, recall and how many there are to find."""
    for part, agreement in agreements.items():
        yield (
            f"{part:<9} precision {agreement.precision:6.1%}  recall {agreement.recall:6.1%}  "
            f"n {agreement.labelled}"
        )
