"""The lines of a project's tree: which folders, files and sections there are, and how each looks.

It knows what is open. What stands beside a line (chosen or not, tokens, why not) is asked of its
owner when the line is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from orch_tui.prepare.tree import NO_FILES, FileMatch, Node, ProjectTree
from orch_tui.screens.theme import PARTS
from orch_tui.screens.widgets.line_list import LineFrame, fit_text
from orch_tui.screens.widgets.safe import plain

FIGURE_WIDTH = 8
"""Cells for the tokens at the right."""

_KINDS = {PARTS[name]: name for name in ("required", "recommended", "optional")} | {"✗": "bad"}
"""The styles of the signs before lines; that of another is quiet."""


class TreeLine(NamedTuple):
    """One line of the tree: a folder, a file or a section of a file."""

    node: Node
    depth: int
    title: str = ""
    """Of a section of the file."""
    spans: tuple[tuple[int, int], ...] = ()
    """The characters of the path that were looked for."""

    @property
    def key(self) -> tuple[str, str]:
        return self.node.path, self.title


class LineNote(NamedTuple):
    """What stands beside a line: whether it is chosen, its tokens, a remark and its style."""

    glyph: str = " "
    figure: str = ""
    remark: str = ""
    style: str = ""


class ProjectLines:
    """The lines of a project, or of what was found in it: a ``LineSource``."""

    def __init__(
        self, describe: Callable[[TreeLine], LineNote], has_sections: Callable[[str], bool]
    ) -> None:
        """``has_sections`` tells of a file's path whether opening it is offered, as long as its
        sections are not known."""
        self.lines: list[TreeLine] = []
        self.opened: set[str] = set()
        """Paths of folders and files."""
        self.sections: dict[str, Sequence[tuple[str, int]]] = {}
        """Of the files they are known of: pairs of a title and a level from 1."""
        self.tree = NO_FILES
        self.matches: Sequence[FileMatch] | None = None
        """What was found; None: all of the tree is shown."""
        self._describe = describe
        self._has_sections = has_sections

    def __len__(self) -> int:
        return len(self.lines)

    def can_hold_cursor(self, index: int) -> bool:
        return True

    def rebuild(self, tree: ProjectTree, matches: Sequence[FileMatch] | None) -> None:
        """Make the lines anew from a project, or of it only what was found."""
        self.tree, self.matches = tree, matches
        self.lines = list(self._top())

    def find(self, key: tuple[str, str]) -> int | None:
        """Return the index of the line with a key; None where there is none."""
        return next((n for n, line in enumerate(self.lines) if line.key == key), None)

    # What is open

    def is_open(self, line: TreeLine) -> bool:
        return not line.title and line.node.path in self.opened

    def can_open(self, line: TreeLine) -> bool:
        """Tell whether a line holds, or may hold, others."""
        if line.title:
            return False
        if line.node.is_folder:
            return True
        titles = self.sections.get(line.node.path)
        return self._has_sections(line.node.path) if titles is None else bool(titles)

    def open(self, index: int) -> bool:
        """Put what a line holds beneath it; False where its sections are not known yet."""
        line = self.lines[index]
        path = line.node.path
        self.opened.add(path)
        if not line.node.is_folder and path not in self.sections:
            return False
        inside = self._under(path, line.depth + 1) if line.node.is_folder else self._beneath(line)
        self.lines[index + 1 : index + 1] = list(inside)
        return True

    def close(self, index: int) -> None:
        """Take what a line holds away from beneath it."""
        self.opened.discard(self.lines[index].node.path)
        del self.lines[index + 1 : index + 1 + self.count_inside(index)]

    def count_inside(self, index: int) -> int:
        """Count the lines beneath one that are inside it."""
        depth = self.lines[index].depth
        end = index + 1
        while end < len(self.lines) and self.lines[end].depth > depth:
            end += 1
        return end - index - 1

    def find_parent(self, index: int) -> int:
        """Return the index of the line that one is inside; its own where there is none."""
        depth = self.lines[index].depth
        return next((n for n in range(index - 1, -1, -1) if self.lines[n].depth < depth), index)

    def forget_sections(self, paths: Collection[str]) -> list[str]:
        """Forget the sections of files that changed; return the paths of those that are open."""
        for path in [path for path in self.sections if path in paths]:
            del self.sections[path]
        return [path for path in self.opened if path in paths and self._has_sections(path)]

    def _top(self) -> Iterator[TreeLine]:
        if self.matches is None:
            yield from self._under("", 0)
            return
        for match in self.matches:
            line = TreeLine(match.node, 0, spans=match.spans)
            yield line
            yield from self._beneath(line)

    def _under(self, folder: str, depth: int) -> Iterator[TreeLine]:
        """Yield the lines in a folder, and in what is open there."""
        waiting = [TreeLine(node, depth) for node in reversed(self.tree.children.get(folder, ()))]
        while waiting:
            line = waiting.pop()
            yield line
            if line.node.path not in self.opened:
                continue
            if line.node.is_folder:
                nodes = reversed(self.tree.children.get(line.node.path, ()))
                waiting += (TreeLine(node, line.depth + 1) for node in nodes)
            else:
                yield from self._beneath(line)

    def _beneath(self, line: TreeLine) -> Iterator[TreeLine]:
        """Yield the sections of a file that is open."""
        if line.node.path not in self.opened:
            return
        titles = self.sections.get(line.node.path, ())
        least = min((level for _, level in titles), default=1)
        for title, level in titles:
            yield TreeLine(line.node, line.depth + 1 + level - least, title)

    # Drawing

    def draw_line(self, index: int, frame: LineFrame, cursor: Style) -> Strip:
        line = self.lines[index]
        note = self._describe(line)

        def style(name: str = "") -> Style:
            return frame.styles[name] + cursor

        triangle = ("▾" if self.is_open(line) else "▸") if self.can_open(line) else " "
        lead = f"{'  ' * min(line.depth, 12)}{triangle} "
        room = max(1, frame.width - len(lead) - 2 - FIGURE_WIDTH - 1)
        own = "folder" if line.node.is_folder else note.style
        segments = [
            Segment(lead, style("quiet")),
            Segment(f"{note.glyph} ", style(_KINDS.get(note.glyph, "quiet"))),
            *self._label(line, room, style(own), style("quiet"), style("mark")),
        ]
        taken = sum(cell_len(segment.text) for segment in segments)
        left = frame.width - taken - FIGURE_WIDTH - 1
        remark = f" {plain(note.remark)}" if note.remark else ""
        if left > 0:
            text = set_cell_size(_cut(remark, left), left)
            segments.append(Segment(text, style(note.style or "quiet")))
        segments.append(Segment(f"{note.figure:>{FIGURE_WIDTH}} ", style("quiet")))
        return Strip(segments).adjust_cell_length(frame.width, style())

    def _label(
        self, line: TreeLine, room: int, own: Style, quiet: Style, mark: Style
    ) -> list[Segment]:
        """Draw the name, or where files were looked for the path, its end where room is short."""
        if line.title:
            return [Segment(_cut(plain(line.title), room), own)]
        if self.matches is None:
            return [Segment(_cut(plain(line.node.name), room), own)]
        path = line.node.path
        name_at = len(path) - len(line.node.name)
        start = max(0, len(path) - room + 1) if len(path) > room else 0
        segments = [Segment("…", quiet)] if start else []
        cuts = {start, name_at, len(path), *(edge for span in line.spans for edge in span)}
        edges = sorted(edge for edge in cuts if edge >= start)
        for begin, end in zip(edges, edges[1:], strict=False):
            marked = any(first <= begin < last for first, last in line.spans)
            style = mark if marked else own if begin >= name_at else quiet
            segments.append(Segment(plain(path[begin:end]), style))
        return segments


def _cut(text: str, room: int) -> str:
    return text if cell_len(text) <= room else fit_text(text, room)
