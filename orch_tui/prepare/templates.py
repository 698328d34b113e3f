"""Filling templates: Jinja2, and the older ``{placeholder}`` form.

A template is text from anywhere. One in Jinja2 that did not come with orch is filled in a process
of its own, under limits (`filling`); how long one of the older form gets is known before. Nothing
it asks for is ever left standing in the result; what is not known is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from orch_tui.assets import asset
from orch_tui.errors import NotFoundError, SourceError
from orch_tui.frozen import frozen
from orch_tui.paths import resolve_path
from orch_tui.prepare.filling_limits import limit_memory, refuse_filling
from orch_tui.prepare.placeholders import check_placeholders

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")


@frozen
class Template:
    """A template and the name to call it by."""

    name: str
    text: str

    @property
    def is_jinja(self) -> bool:
        text = self.text
        comment = text.find("{#")
        return "{{" in text or "{%" in text or comment >= 0 and "#}" in text[comment + 2 :]

    @property
    def is_own(self) -> bool:
        """Tell whether it came with orch, as it stands."""
        own = asset("templates") / Path(self.name).name
        return own.is_file() and own.read_text("utf-8") == self.text


def load_template(name: str, folders: Sequence[Path] = (), cwd: Path | None = None) -> Template:
    """Load the template at path ``name``, or called so in ``folders`` or among those of orch.

    A name may leave out its last suffixes (``briefing`` is ``briefing.md.tmpl``); a relative path
    is taken from ``cwd`` (default: the working folder). Raises NotFoundError with the nearest
    names, SourceError for a file that holds no text, PathError for what can be no file.
    """
    searched = [folder for folder in (*folders, asset("templates")) if folder.is_dir()]
    path = Path(resolve_path(name, cwd))
    if path.is_file():
        return _read(path)
    if len(Path(name).parts) > 1:
        raise SourceError(name, "there is no such template")
    for folder in searched:
        if (folder / name).is_file():
            return _read(folder / name)
        for entry in sorted(folder.iterdir()):
            if entry.name.split(".")[0] == name and entry.is_file():
                return _read(entry)
    known = [entry.name for folder in searched for entry in sorted(folder.iterdir())]
    raise NotFoundError("template", name, known)


def fill_template(
    template: Template, values: Mapping[str, object], *, for_html: bool = False
) -> str:
    """Fill a template from ``values``; ``for_html``: each text among them is escaped.

    Raises FormatError for a placeholder that ``values`` lacks, for a syntax error (with its line)
    and for a template that does not end or grows without end. In the older form HTML comments are
    dropped, and what is filled in is never looked at again.
    """
    if not template.is_jinja:
        return _fill_older(template, values, for_html)
    if template.is_own:
        from orch_tui.prepare.jinja_templates import fill_jinja

        return fill_jinja(template.name, template.text, values, for_html=for_html)
    from orch_tui.prepare.filling import fill_under_limits

    return fill_under_limits(template.name, template.text, values, for_html=for_html)


def _read(path: Path) -> Template:
    if path.parent == asset("templates"):  # those of orch are UTF-8 and hold no secret
        return Template(path.name, path.read_text("utf-8"))
    from orch_tui.prepare.sources import SourceReader

    reader = SourceReader(path.parent, path.parent, allow_secret=True, max_bytes=1_000_000)
    (source,) = reader.read_source(str(path.absolute()))
    return Template(path.name, source.text)


def _fill_older(template: Template, values: Mapping[str, object], for_html: bool) -> str:
    known = {name: value for name, value in values.items() if isinstance(value, str | int | float)}
    kept: list[str] = []
    asked: dict[str, int] = {}
    times: Counter[str] = Counter()
    line, end = 1, 0
    for start, next_end in (*_find_comments(template.text), (len(template.text), 0)):
        stretch = template.text[end:start]
        counted = 0
        for match in _PLACEHOLDER.finditer(stretch):
            line += stretch.count("\n", counted, match.start())
            counted = match.start()
            asked.setdefault(match[1], line)
            times[match[1]] += 1
        kept.append(stretch)
        line += stretch.count("\n", counted)
        line += template.text.count("\n", start, next_end)
        end = next_end
    check_placeholders(template.name, asked, known)
    filled = {name: str(known[name]) for name in asked}
    if for_html:
        from html import escape  # with a table of two thousand names

        filled = {name: escape(text) for name, text in filled.items()}
    size = sum(map(len, filled.values()))
    if sum(count * len(filled[name]) for name, count in times.items()) > limit_memory(size):
        raise refuse_filling(template.name)
    return "".join(_PLACEHOLDER.sub(lambda match: filled[match[1]], each) for each in kept)


def _find_comments(text: str) -> Iterator[tuple[int, int]]:
    """Find HTML comments; one that has lines to itself, with the blanks around and the last end."""
    end = 0
    while (start := text.find("<!--", end)) >= 0:
        closing = text.find("-->", start + 4)
        if closing < 0:
            return
        before = text.rfind("\n", end, start) + 1
        has_another_before = end > 0 and not before
        end = closing + 3
        if not has_another_before and not text[before:start].strip(" \t"):
            after = end
            while text[after : after + 1] in (" ", "\t"):
                after += 1
            newline = text.startswith("\n", after) or 2 * text.startswith("\r\n", after)
            if newline:
                start, end = before, after + newline
        yield start, end
