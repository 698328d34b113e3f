"""The files of a project as a tree to choose from, drawn line by line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from orch_tui.prepare.tree import FileMatch, ProjectTree
from orch_tui.screens.widgets.line_list import HERE, LineList
from orch_tui.screens.widgets.project_lines import LineNote, ProjectLines, TreeLine


class FileTree(LineList):
    """A project to choose from, by keyboard."""

    STYLES: ClassVar[Mapping[str, str]] = {
        **LineList.STYLES,
        "folder": "bold",
        "quiet": "$foreground-muted",
        "required": "$part-required",
        "recommended": "$part-recommended",
        "optional": "$part-optional",
        "bad": "$text-error",
        "mark": "bold underline",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "open", "Open", show=False),
        Binding("left,h", "close", "Close", show=False),
        Binding("space", "choose", "take or leave"),
        Binding("enter", "enter", "Open or in/out", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor is on another line; None where there is none."""

        tree: FileTree
        line: TreeLine | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FileTree.Highlighted)

    @dataclass
    class Chosen(Message):
        """A line is to be put in or taken out."""

        tree: FileTree
        line: TreeLine

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
        describe: Callable[[TreeLine], LineNote],
        *,
        has_sections: Callable[[str], bool],
        id: str | None = None,  # noqa: A002 # Textual's own name
    ) -> None:
        """``describe`` is called for each line that is drawn, and ``has_sections`` tells of a path
        whether opening the file is offered."""
        self._project_lines = ProjectLines(describe, has_sections)
        super().__init__(self._project_lines, id=id)

    # What is shown

    @property
    def lines(self) -> Sequence[TreeLine]:
        """All lines, from the first."""
        return self._project_lines.lines

    @property
    def line(self) -> TreeLine | None:
        """The line under the cursor; None where there is none."""
        return self.lines[self.cursor] if self.lines else None

    @property
    def lines_in_view(self) -> Sequence[TreeLine]:
        return [self.lines[index] for index in self.in_view]

    @property
    def opened(self) -> list[str]:
        """Paths of the folders and files that are open, sorted."""
        return sorted(self._project_lines.opened)

    def show(
        self,
        tree: ProjectTree,
        matches: Sequence[FileMatch] | None = None,
        *,
        empty: str = "",
        first: bool = False,
    ) -> None:
        """Show a project, or of it only what was found; ``first`` puts the cursor on the first."""
        here, at = self.line, self.cursor
        self._project_lines.rebuild(tree, matches)
        self.empty = empty
        same = self._project_lines.find(here.key) if here and not first else 0
        self._lines_changed(at if same is None else same)

    def open(self, paths: Sequence[str]) -> None:
        """Open these paths as well, as far as they are there."""
        self._project_lines.opened.update(paths)
        self._rebuild()

    def set_sections(self, path: str, titles: Sequence[tuple[str, int]]) -> None:
        """Show the sections of a file, pairs of a title and a level from 1."""
        self._project_lines.sections[path] = titles
        self._rebuild()

    def forget_sections(self, paths: Collection[str]) -> None:
        """Have the sections of files that changed found anew, as far as they are open."""
        for path in self._project_lines.forget_sections(paths):
            self._tell_opened(path)

    def reveal(self, path: str) -> None:
        """Put the cursor on a file, with the folders above it open."""
        parts = path.split("/")
        self.open(["/".join(parts[:n]) for n in range(1, len(parts))])
        index = self._project_lines.find((path, ""))
        if index is not None:
            self.move_to(index)

    def _rebuild(self) -> None:
        lines = self._project_lines
        self.show(lines.tree, lines.matches, empty=self.empty)

    def _lines_changed(self, cursor: int) -> None:
        self.update_lines(cursor)
        self.cursor_moved()
        self._tell_seen()

    # Telling others

    def cursor_moved(self) -> None:
        line = self.line
        self.tell(lambda: self.Highlighted(self, line))

    def _tell_seen(self) -> None:
        self.tell(lambda: self.Seen(self))

    def _tell_opened(self, path: str) -> None:
        self.tell(lambda: self.Opened(self, path))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._tell_seen()

    def on_resize(self) -> None:
        self._tell_seen()

    # Opening and choosing

    def action_open(self) -> None:
        """Open what is under the cursor; where it is open, go to what is in it."""
        line, lines = self.line, self._project_lines
        if line is None or not lines.can_open(line):
            return
        if lines.is_open(line):
            if lines.count_inside(self.cursor):
                self.action_cursor(1)
        elif lines.open(self.cursor):
            self._lines_changed(self.cursor)
        else:
            self._tell_opened(line.node.path)

    def action_close(self) -> None:
        """Close what is under the cursor, or go to what it is in."""
        line, lines = self.line, self._project_lines
        if line is None:
            return
        if lines.is_open(line):
            lines.close(self.cursor)
            self._lines_changed(self.cursor)
        else:
            self.move_to(lines.find_parent(self.cursor))

    def action_choose(self) -> None:
        """Put what is under the cursor in, or take it out."""
        line = self.line
        if line is not None:
            chosen = line
            self.tell(lambda: self.Chosen(self, chosen))

    def action_enter(self) -> None:
        """Open or close a folder; put anything else in or take it out."""
        line = self.line
        if line is None or not line.node.is_folder:
            self.action_choose()
        elif self._project_lines.is_open(line):
            self.action_close()
        else:
            self.action_open()

    def line_clicked(self, index: int, event: events.Click) -> None:
        line = self.lines[index]
        if event.chain == 2:
            self.action_enter()
        elif (event.get_content_offset_capture(self).x - len(HERE)) // 2 == line.depth:  # triangle
            if self._project_lines.is_open(line):
                self.action_close()
            else:
                self.action_open()
