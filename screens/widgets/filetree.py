"""The files of a project, drawn line by line: only what is in view is ever described or measured.

It knows folders, files, sections of files, and which of them are open. What stands beside them
(chosen or not, tokens, why not) is asked of its owner when a line is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orch_tui.prepare.tree import NO_FILES, Match, Node, ProjectTree
from orch_tui.screens.widgets.safe import plain

FIGURES = 8
"""Cells for the tokens at the right."""


class Line(NamedTuple):
    """One line of the tree."""

    node: Node
    depth: int
    title: str = ""
    """Of a section of the file."""
    spans: tuple[tuple[int, int], ...] = ()
    """The characters of the path that were looked for."""

    @property
    def key(self) -> tuple[str, str]:
        return self.node.path, self.title


class Beside(NamedTuple):
    """What is said beside a line: whether it is chosen, its tokens, a remark and its style."""

    glyph: str = " "
    figure: str = ""
    remark: str = ""
    style: str = ""


class FileTree(ScrollView, can_focus=True):
    """A project to choose from, by keyboard."""

    DEFAULT_CSS = """
    FileTree {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;
        & > .filetree--cursor { background: $block-cursor-blurred-background; }
        & > .filetree--cursor-focus {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: bold;
        }
        & > .filetree--folder { text-style: bold; }
        & > .filetree--quiet { color: $foreground-muted; }
        & > .filetree--chosen { color: $text-success; text-style: bold; }
        & > .filetree--bad { color: $text-error; }
        & > .filetree--mark { color: $text-warning; text-style: bold underline; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "filetree--cursor",
        "filetree--cursor-focus",
        "filetree--folder",
        "filetree--quiet",
        "filetree--chosen",
        "filetree--bad",
        "filetree--mark",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False),
        Binding("down,j", "cursor(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "to(0)", "First", show=False),
        Binding("end,G", "to(-1)", "Last", show=False),
        Binding("right,l", "open", "Open", show=False),
        Binding("left,h", "close", "Close", show=False),
        Binding("space", "choose", "In/out"),
        Binding("enter", "enter", "Open or in/out", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another line; None where there is none."""

        tree: FileTree
        line: Line | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FileTree.Highlighted)

    @dataclass
    class Chosen(Message):
        """A line is to be put in or taken out."""

        tree: FileTree
        line: Line

    @dataclass
    class Opened(Message):
        """A file was opened whose sections are not known yet."""

        tree: FileTree
        path: str

    @dataclass
    class Seen(Message):
        """Other lines may be in view."""

        tree: FileTree

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FileTree.Seen)

    def __init__(
        self,
        beside: Callable[[Line], Beside],
        *,
        has_sections: Callable[[str], bool],
        id: str | None = None,  # noqa: A002 # Textual's own name
    ) -> None:
        super().__init__(id=id)
        self._beside = beside
        self._has_sections = has_sections
        self._tree = NO_FILES
        self._matches: Sequence[Match] | None = None
        self._open: set[str] = set()
        self._sections: dict[str, Sequence[tuple[str, int]]] = {}
        self._lines: list[Line] = []
        self._cursor = 0
        self._empty = ""
        self._styles: dict[str, Style] = {}

    # What is shown

    @property
    def line(self) -> Line | None:
        """The line under the cursor."""
        return self._lines[self._cursor] if self._lines else None

    @property
    def in_view(self) -> Sequence[Line]:
        top = round(self.scroll_offset.y)
        return self._lines[top : top + max(1, self.size.height)]

    @property
    def opened(self) -> list[str]:
        """Folders and files that are open."""
        return sorted(self._open)

    def show(
        self,
        tree: ProjectTree,
        matches: Sequence[Match] | None = None,
        *,
        empty: str = "",
        first: bool = False,
    ) -> None:
        """Show a project, or of it only what was found; ``first`` puts the cursor on the first."""
        here = self.line
        at = self._cursor
        self._tree, self._matches, self._empty = tree, matches, empty
        self._lines = list(self._top())
        same = (
            next((n for n, line in enumerate(self._lines) if line.key == here.key), None)
            if here and not first
            else 0
        )
        self._cursor = min(at, max(0, len(self._lines) - 1)) if same is None else same
        self._changed()

    def open(self, paths: Sequence[str]) -> None:
        """Open these as well, as far as they are there."""
        self._open.update(paths)
        self.show(self._tree, self._matches, empty=self._empty)

    def set_sections(self, path: str, titles: Sequence[tuple[str, int]]) -> None:
        """The sections of a file, pairs of a title and a level from 1."""
        self._sections[path] = titles
        self.show(self._tree, self._matches, empty=self._empty)

    def forget_sections(self, paths: Mapping[str, object] | set[str]) -> None:
        """These files are not what they were."""
        for path in [path for path in self._sections if path in paths]:
            del self._sections[path]
        for path in self._open:
            if path in paths and self._has_sections(path):
                self._tell(self.Opened, path)

    def reveal(self, path: str) -> None:
        """Put the cursor on a file, with the folders above it open."""
        parts = path.split("/")
        self.open(["/".join(parts[:n]) for n in range(1, len(parts))])
        for index, line in enumerate(self._lines):
            if line.key == (path, ""):
                self.move_to(index)
                return

    def _top(self) -> Iterator[Line]:
        if self._matches is None:
            yield from self._under("", 0)
            return
        for match in self._matches:
            line = Line(match.node, 0, spans=match.spans)
            yield line
            yield from self._beneath(line)

    def _under(self, folder: str, depth: int) -> Iterator[Line]:
        waiting = [Line(node, depth) for node in reversed(self._tree.children.get(folder, ()))]
        while waiting:
            line = waiting.pop()
            yield line
            if line.node.path not in self._open:
                continue
            if line.node.is_folder:
                nodes = reversed(self._tree.children.get(line.node.path, ()))
                waiting += (Line(node, line.depth + 1) for node in nodes)
            else:
                yield from self._beneath(line)

    def _beneath(self, line: Line) -> Iterator[Line]:
        """The sections of a file that is open."""
        if line.node.path not in self._open:
            return
        titles = self._sections.get(line.node.path, ())
        least = min((level for _, level in titles), default=1)
        for title, level in titles:
            yield Line(line.node, line.depth + 1 + level - least, title)

    def _changed(self) -> None:
        height = len(self._lines)
        if self.virtual_size.height != height:  # a layout reactive: set only when it changes
            self.virtual_size = Size(self.size.width, height)
        self._reveal()
        self.refresh()
        self._tell(self.Highlighted, self.line)
        self._tell(self.Seen)

    # Moving

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, as far as there is one."""
        index = max(0, min(index, len(self._lines) - 1))
        if not self._lines or index == self._cursor:
            return
        self._cursor = index
        self._reveal()
        self.refresh()
        self._tell(self.Highlighted, self.line)

    def action_cursor(self, by: int) -> None:
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._cursor + by * max(1, self.size.height - 1))

    def action_to(self, index: int) -> None:
        self.move_to(index % len(self._lines) if self._lines else 0)

    def _reveal(self) -> None:
        region = Region(0, self._cursor, 1, 1)
        self.scroll_to_region(region, animate=False, immediate=True, x_axis=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell(self.Seen)

    # Opening and choosing

    def action_open(self) -> None:
        """Open what is under the cursor; where it is open, go to what is in it."""
        line = self.line
        if line is None or line.title or not self._may_open(line):
            return
        path = line.node.path
        if path in self._open:
            if self._following(self._cursor):
                self.action_cursor(1)
            return
        self._open.add(path)
        if not line.node.is_folder and path not in self._sections:
            self._tell(self.Opened, path)
            return
        if line.node.is_folder:
            inside = list(self._under(path, line.depth + 1))
        else:
            inside = list(self._beneath(line))
        self._lines[self._cursor + 1 : self._cursor + 1] = inside
        self._changed()

    def action_close(self) -> None:
        """Close what is under the cursor, or go to what it is in."""
        line = self.line
        if line is None:
            return
        if not line.title and line.node.path in self._open:
            self._open.discard(line.node.path)
            del self._lines[self._cursor + 1 : self._cursor + 1 + self._following(self._cursor)]
            self._changed()
            return
        above = range(self._cursor - 1, -1, -1)
        self.move_to(next((n for n in above if self._lines[n].depth < line.depth), self._cursor))

    def action_choose(self) -> None:
        if self.line is not None:
            self._tell(self.Chosen, self.line)

    def action_enter(self) -> None:
        """Open or close a folder; put anything else in or take it out."""
        line = self.line
        if line is None or not line.node.is_folder:
            self.action_choose()
        elif line.node.path in self._open:
            self.action_close()
        else:
            self.action_open()

    def on_click(self, event: events.Click) -> None:
        index = event.y + round(self.scroll_offset.y)
        if not 0 <= index < len(self._lines):
            return
        self.move_to(index)
        if event.chain == 2:
            self.action_enter()
        elif event.x // 2 == self._lines[index].depth:  # on the triangle
            if self._lines[index].node.path in self._open:
                self.action_close()
            else:
                self.action_open()

    def _may_open(self, line: Line) -> bool:
        path = line.node.path
        if line.node.is_folder:
            return True
        titles = self._sections.get(path)
        return bool(titles) if titles is not None else self._has_sections(path)

    def _following(self, index: int) -> int:
        """How many lines are inside the one at ``index``."""
        depth = self._lines[index].depth
        end = index + 1
        while end < len(self._lines) and self._lines[end].depth > depth:
            end += 1
        return end - index - 1

    def _tell(self, kind: Callable[..., Message], *about: object) -> None:
        """Post a message of our own: made while the parent handles one, it would end there."""
        self.call_next(lambda: self.post_message(kind(self, *about)))

    # Drawing

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))
        self._reveal()
        self._tell(self.Seen)

    def render_lines(self, crop: Region) -> list[Strip]:
        base = self.rich_style  # read once a frame: it walks the whole ancestry
        self._styles = {
            name.removeprefix("filetree--"): self.get_component_rich_style(name)
            for name in self.COMPONENT_CLASSES
        } | {"": base}
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self._styles[""]
        index = y + round(self.scroll_offset.y)
        if index >= len(self._lines):
            lines = [] if self._lines else self._empty.splitlines()
            text = lines[y - 1] if 1 <= y < len(lines) + 1 else ""
            return Strip([Segment(set_cell_size(f"  {text}", width), self._styles["quiet"])])
        line = self._lines[index]
        here = index == self._cursor
        cursor = self._styles["cursor-focus" if self.has_focus else "cursor"] if here else Style()
        return self._draw(line, cursor).adjust_cell_length(width, base + cursor)

    def _draw(self, line: Line, cursor: Style) -> Strip:
        beside = self._beside(line)

        def style(name: str = "") -> Style:
            return self._styles[name] + cursor

        triangle = " "
        if not line.title and self._may_open(line):
            triangle = "▾" if line.node.path in self._open else "▸"
        lead = f"{'  ' * min(line.depth, 12)}{triangle} "
        room = max(1, self.size.width - len(lead) - 2 - FIGURES - 1)
        own = "folder" if line.node.is_folder else beside.style
        segments = [
            Segment(lead, style("quiet")),
            Segment(f"{beside.glyph} ", style("chosen")),
            *self._label(line, room, style(own), style("quiet"), style("mark")),
        ]
        taken = sum(cell_len(segment.text) for segment in segments)
        left = self.size.width - taken - FIGURES - 1
        remark = f" {plain(beside.remark)}" if beside.remark else ""
        if left > 0:
            said = set_cell_size(_cut(remark, left), left)
            segments.append(Segment(said, style(beside.style or "quiet")))
        segments.append(Segment(f"{beside.figure:>{FIGURES}} ", style("quiet")))
        return Strip(segments)

    def _label(self, line: Line, room: int, own: Style, quiet: Style, mark: Style) -> list[Segment]:
        """The name, or where files were looked for the path, its end where there is no room."""
        if line.title:
            return [Segment(_cut(plain(line.title), room), own)]
        if self._matches is None:
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
    return text if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"
