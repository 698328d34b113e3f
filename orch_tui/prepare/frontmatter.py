"""The frontmatter of agents, skills and rules, read as leniently as Claude Code reads it.

A YAML parser would refuse many files that work: descriptions with a colon in them are common.
Only keys at the margin are read, as texts and lists of texts; what is nested under them is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orch_tui.text_lines import split_lines

_HEAD = r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)"
_KEY = r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?$"


class Frontmatter:
    """What stands in front of a text."""

    # No dataclass: making one takes a command longer than reading a file with it.
    __slots__ = ("body", "problem", "values")

    def __init__(self, values: Mapping[str, str | list[str]], body: str, problem: str = "") -> None:
        self.values = values
        self.body = body
        """The text after it; the whole text where there is none."""
        self.problem = problem
        """What is wrong with it, with the line; empty when nothing is."""

    def text(self, key: str) -> str:
        """A value as one text; empty where there is none."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ", ".join(value)

    def listed(self, key: str) -> tuple[str, ...]:
        """A value as a list, written as a YAML list or separated by commas."""
        value = self.values.get(key, "")
        parts = value.strip("[]").split(",") if isinstance(value, str) else value
        return tuple(text for part in parts if (text := _plain(part)))

    def true(self, key: str) -> bool:
        return self.text(key).lower() in ("true", "yes", "on")


def parse_frontmatter(text: str) -> Frontmatter:
    """The frontmatter of a text. Never raises."""
    if not re.match(r"\ufeff?---[ \t]*\r?$", text, re.M):
        return Frontmatter({}, text)
    head = re.match(_HEAD, text, re.S | re.M)
    if head is None:
        return Frontmatter({}, text, "its frontmatter does not end")
    values: dict[str, str | list[str]] = {}
    entries: dict[str, list[str]] = {}
    going_on: dict[str, list[str]] = {}
    problem, key = "", ""
    for number, line in enumerate(split_lines(head[1]), start=2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if found := re.match(_KEY, line):
            key, value = found[1], (found[2] or "").strip()
            values[key] = "" if re.fullmatch(r"[|>][+-]?\d?", value) else _plain(value)
            entries.pop(key, None)
            going_on.pop(key, None)
        elif key and (entry := re.match(r"[ \t]*-[ \t]+(.*)$", line)):
            if key in entries:
                entries[key].append(_plain(entry[1]))
            else:
                entries[key] = [entry[1]]
        elif key and line[0] in " \t":
            if key not in entries:
                going_on.setdefault(key, []).append(line.strip())
        else:
            problem = problem or f"line {number} of its frontmatter is no `key: value`"
    for key, lines in going_on.items():
        values[key] = " ".join((str(values[key]), *lines)).strip()
    return Frontmatter(values | entries, text[head.end() :], problem)


def _plain(value: str) -> str:
    """A value without its quotes, or without the comment behind it."""
    value = value.strip()
    if len(value) > 1 and value[0] in "\"'" and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return re.sub(r"(?:^|[ \t])#.*", "", value).strip()
