"""What keys look like: rules kept as data (``assets/secrets.tsv``), looked for in one pass.

A rule is asked only where one of its marks stands, and what its pattern repeats is bounded and
never tried again shorter: how long a text takes depends on its length alone, whatever it holds.
Nothing is verified: no key ever leaves the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from orch_tui.assets import asset

SHORTEST = 16
"""Characters of the shortest key that is one run of what keys are made of."""

_OF_KEYS = r"\w+/=.:$|~@?&%-"
_RUN = rf"(?<![{_OF_KEYS}])[{_OF_KEYS}]{{{SHORTEST},}}+"
_BEFORE = r"(?:(?<![\w-]{mark})|(?<=\\[nrt]{mark})|(?<=%[0-9A-Fa-f][0-9A-Fa-f]{mark}))"
"""Nothing that makes a mark the middle of a word, but an escape as JSON and addresses have them."""
_APART = (r"\s", " ", '"', "'", "[^")
_PLACEHOLDER = r"(?i)example|sample|dummy|placeholder|your|fake|redacted|xxxx|\*\*\*|\.\.\.|<"
_BEFORE_MARK = 20
"""Characters before a mark that are looked at, where a key begins there."""
_FEWEST = 7
"""Different characters in a key that nobody typed as a stand-in."""


class Rule(NamedTuple):
    """A kind of key."""

    kind: str
    marks: tuple[str, ...]
    """One of them stands in each such key."""
    rest: str
    """The pattern of what follows the mark, or, in a lookbehind, stands before it, too."""

    @property
    def is_run(self) -> bool:
        """Tell whether such a key is one run of what keys are made of: no blanks, no quotes."""
        return not any(part in self.rest for part in _APART) and all(
            re.fullmatch(r"[\w+/=.:$|~@?&%-]+", mark) for mark in self.marks
        )

    @property
    def begins_before(self) -> bool:
        """Tell whether a part of such a key stands before the mark."""
        return self.rest.startswith("(?<=")

    def compile(self, mark: str) -> re.Pattern[str]:
        """Make the pattern of such keys with one of the marks."""
        escaped = re.escape(mark)
        begins_word = mark[0].isalnum() and not self.begins_before
        before = _BEFORE.replace("{mark}", escaped) if begins_word else ""
        after = r"(?!\w)" if self.rest.endswith(("}", "]")) else ""
        return re.compile(f"{escaped}{before}{self.rest}{after}")


@cache
def load_rules() -> tuple[Rule, ...]:
    """Load the kinds of keys that are known, in the order of the file."""
    lines = asset("secrets.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple(Rule(kind, tuple(marks.split(" ")), rest) for kind, marks, rest in rows)


def find_keys(text: str) -> Iterator[tuple[int, str]]:
    """Find keys by their form: where each begins, and its kind; by kind, not in order."""
    # Hundreds of marks are looked for in what may be a key alone: a twentieth of most texts.
    runs = "\n".join(dict.fromkeys(_pattern(_RUN).findall(text)))
    held = [(r, mark) for r, mark, is_run in _list_marks() if mark in (runs if is_run else text)]
    for rule, mark in held:
        for match in _compiled(rule, mark).finditer(text):
            start = match.start() - (_BEFORE_MARK if rule.begins_before else 0)
            if is_meant(text[max(0, start) : match.end()]):
                yield match.start(), rule.kind


def is_meant(key: str) -> bool:
    """Tell whether a key is meant as one, and no stand-in that somebody typed."""
    return (
        len(set(key)) >= _FEWEST
        and not _pattern(_PLACEHOLDER).search(key)
        and sum(ord(after) - ord(one) == 1 for one, after in pairwise(key)) <= len(key) * 0.6
    )


@cache
def _list_marks() -> tuple[tuple[Rule, str, bool], ...]:
    return tuple((rule, mark, rule.is_run) for rule in load_rules() for mark in rule.marks)


@cache
def _compiled(rule: Rule, mark: str) -> re.Pattern[str]:
    """Compile it when it is first needed: that takes a millisecond."""
    return rule.compile(mark)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
