"""``orch help json``: which commands answer with JSON, and the JSON Schema of each answer."""

from __future__ import annotations

from collections.abc import Sequence

from orch_tui.assets import asset
from orch_tui.errors import UsageError

_HEAD = """\
Answers that have a JSON Schema; orch help json COMMAND prints it:

"""
_TAIL = """
An option in the name gives an answer of another shape. A line of --format jsonl
is one of the objects that the array of --format json holds. New keys may come.
"""


def render_json_help(words: Sequence[str]) -> str:
    """Render the list of answers, or the schema of the one that is named.

    Raises:
        UsageError: there is none of that name.
    """
    folder = asset("schemas")
    names = sorted(
        path.stem.replace(".", " --").replace("_", " ") for path in folder.glob("*.json")
    )
    if not words:
        return _HEAD + "".join(f"  orch {name}\n" for name in names) + _TAIL
    wanted = " ".join(words)
    if wanted not in names:
        from difflib import get_close_matches

        near = get_close_matches(wanted, names, n=3)
        raise UsageError(
            f"there is no JSON Schema of {wanted!r}",
            hint=f"nearest: {', '.join(near)}" if near else "orch help json lists those there are",
        )
    return (folder / name_schema_file(wanted)).read_text("utf-8")


def name_schema_file(name: str) -> str:
    """Name the file of the schema of an answer: ``stats --by`` is in ``stats.by.json``."""
    return f"{name.replace(' --', '.').replace(' ', '_')}.json"
