"""The files of the project with a box to find them, counted in the background."""

from __future__ import annotations

import gc
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import Worker, get_current_worker

from orch_tui.errors import OrchError, SourceError
from orch_tui.prepare.composition import Choice, Weight, source_of_key
from orch_tui.prepare.outline import FilePart as FilePart
from orch_tui.prepare.outline import may_have_parts
from orch_tui.prepare.tree import NO_FILES, FileMatches, ProjectTree, Tally
from orch_tui.screens.compose.compose_state import ComposeState
from orch_tui.screens.compose.composition_text import PRIORITIES, format_weight
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.filetree import FileTree
from orch_tui.screens.widgets.project_lines import LineNote, TreeLine
from orch_tui.screens.widgets.words import format_tokens
from orch_tui.source_name import path_of
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.prepare.count_order import Counting

LARGE = 5_000
"""Files from which on the garbage collector is told that the tree is to stay: walking over 20,000
again and again, it held the screen up for 80 ms each time."""

MEANWHILE = 200
"""Files counted while others were tallied that are added in the event loop; of more it is done
anew, in a thread."""

EXACT_AFTER = 1.0
"""Seconds without an edit until what is chosen is counted exactly."""

NOT_LISTED = "Looking for files …"
NO_MATCH = """No file matches.

Its letters in this order are enough. What
.gitignore leaves out is not listed: Esc, then
a adds it by name."""


class FilterInput(Input):
    """The box over the tree. Its width never depends on its text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "take or leave")]

    def refresh(self, *regions: Any, layout: bool = False, **more: Any) -> Any:
        # Input sets its virtual size at every key, which would lay the whole screen out anew.
        return super().refresh(*regions, layout=False, **more)


class ListedProject(NamedTuple):
    """The files of a project as they were listed, and what was known of them then."""

    tree: ProjectTree
    sizes: dict[str, int]
    other: set[str]
    """Paths of files that changed since they were listed before, or came or went."""
    family: str
    tally: Tally
    weights: dict[str, Weight]
    """What the tally sums up, for the family."""
    stale: list[str]
    """The keys of those weights whose files changed."""


class ProjectFiles(ScreenPart):
    """Lists the project, marks what is chosen, and has files counted into ``state.weights``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
    ]

    @dataclass
    class Weighed(Message):
        """Some sources were counted, by the keys of their choices."""

        family: str
        weights: dict[str, Weight]

    def __init__(self, state: ComposeState, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._state = state
        self._outlined: dict[str, Weight] = {}
        """Of parts of files that were opened: their tokens alone, until they are chosen."""
        self._project_tree = NO_FILES
        self._tally = Tally(NO_FILES)
        self._shown = ""
        """The letters that the lines which are shown were found by."""
        self._submitted_early = False
        self._family = ""
        """The tokenizer family that files are counted for; empty: none yet."""
        self._counting: tuple[Counting, Worker[None]] | None = None
        self._exact_due: Timer | None = None
        self._wanted: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        yield FilterInput(placeholder="find a file by its letters", id="filter", compact=True)
        yield FileTree(self._describe_line, has_sections=_is_document, id="tree")

    def on_mount(self) -> None:
        self.border_title = "Project"
        self.add_class("pane")

    @property
    def project_tree(self) -> ProjectTree:
        """The files as they were listed last."""
        return self._project_tree

    @property
    def file_tree(self) -> FileTree:
        """The tree of files."""
        return self.query_one(FileTree)

    @property
    def box(self) -> FilterInput:
        """The box that finds files by their letters."""
        return self.query_one(FilterInput)

    @property
    def source_at_cursor(self) -> Choice | None:
        """The file or section under the cursor as a choice; None on a folder or without files."""
        line = self.file_tree.line
        if line is None or line.node.is_folder:
            return None
        return Choice(line.node.path, (line.title,) if line.title else ())

    @property
    def choices_at_cursor(self) -> list[Choice]:
        """What is chosen of the file, section or folder under the cursor."""
        composition, line = self._state.composition, self.file_tree.line
        if line is None:
            return []
        path, title = line.key
        if line.node.is_folder:
            return composition.under(path)
        chosen = composition.of(path)
        return [choice for choice in chosen if title in choice.sections] if title else chosen

    def show(self) -> None:
        """Mark what is chosen, and have it counted for the agent's model."""
        if self._state.family != self._family:
            self._family = self._state.family
            self._state.weights.clear()
            self._outlined.clear()
            self._tally = self._tally.emptied()
            self.stop()
        self.file_tree.refresh()
        self._count()
        self._count_exactly_soon()

    # Listing

    def list_project(self) -> None:
        """List the project anew; what is chosen is counted anew too."""
        self._tally_project(None)

    def _tally_project(self, listed: ProjectTree | None) -> None:
        """Have a project, that was listed or not, tallied with what is counted so far."""
        from orch_tui.prepare.tree import walk_project

        project, before = self.app.project, self._project_tree
        root, ignore_files = project.tree, project.config.ignore_files
        family, weights = self._family, dict(self._state.weights)

        def work() -> ListedProject:
            worker = get_current_worker()
            tree = listed or walk_project(
                root, cancelled=lambda: worker.is_cancelled, ignore_files=ignore_files
            )
            sizes = {node.path: node.size for node in tree.files}
            other = {node.path for node in {*tree.files} ^ {*before.files}}
            tally = Tally(tree)
            stale = []
            for key, weight in weights.items():
                if _reads_one_of(key, other):
                    stale.append(key)
                elif key in sizes:
                    tally.add(key, weight.count.tokens)
            if len(tree.files) > LARGE:
                gc.freeze()
            return ListedProject(tree, sizes, other, family, tally, weights, stale)

        self.run_in_thread(work, self._project_listed, group="walk")

    def _project_listed(self, listed: ListedProject) -> None:
        tree, other, tally, tallied = listed.tree, listed.other, listed.tally, listed.weights
        if other or self._project_tree is NO_FILES:
            if listed.family != self._family:
                tally, tallied = tally.emptied(), {}
            meanwhile = self._state.weights.keys() - tallied.keys()
            if len(meanwhile) > MEANWHILE:
                self._tally_project(tree)
                return
            self._project_tree, self._tally, self._state.sizes = tree, tally, listed.sizes
            weights = self._state.weights
            for key in listed.stale:
                weights.pop(key, None)
            for key in [key for key in self._outlined if _reads_one_of(key, other)]:
                del self._outlined[key]
            for key in meanwhile:
                if key in listed.sizes:
                    tally.add(key, weights[key].count.tokens)
            self.file_tree.forget_sections(other)
            self._find_files()
            self.border_title = f"Project · {len(tree.files):,} files{'+' if tree.cut else ''}"
            self._bring_back()
        self._count(again=True)
        self._count_exactly_soon()

    def files_under(self, folder: str) -> list[str]:
        """Return the paths of all files in a folder, however deep."""
        return [node.path for node in self._project_tree.under(folder)]

    def describe_folder_at_cursor(self) -> str:
        """Describe the folder under the cursor; empty where there is none."""
        line = self.file_tree.line
        if line is None or not line.node.is_folder:
            return ""
        folder = line.node.path
        files = plural(len(self.files_under(folder)), "file")
        tokens, complete = self._tally.of(folder)
        counted = f"~{format_tokens(tokens)} tokens"
        if not complete:
            counted = f"being counted, {counted} so far" if tokens else "being counted"
        return (
            f"{folder}/\n\n{files}, {counted}\n\n"
            "Right opens it; Space puts all its files in, or takes them out."
        )

    @on(FileTree.Opened)
    def _outline_file(self, event: FileTree.Opened) -> None:
        """Find the sections or symbols of a file that was opened."""
        from orch_tui.prepare.composition import read_choice_text
        from orch_tui.prepare.outline import outline_file

        project, path, family = self.app.project, event.path, self._family
        reader = project.reader()

        def work() -> list[FilePart]:
            try:
                # Only the names of its parts are shown.
                text = read_choice_text(Choice(path, allow_secret=True), reader)
                return outline_file(text, path, family=family)
            except SourceError:  # the line says why
                return []

        def then(parts: list[FilePart]) -> None:
            if family == self._family:
                self._outlined |= {
                    Choice(path, (part.name,)).key: Weight(part.count) for part in parts
                }
            self.file_tree.set_sections(path, [(part.name, part.level) for part in parts])

        self.run_in_thread(work, then, group=f"open {path}")

    # Finding

    @on(Input.Changed, "#filter")
    def _letters_typed(self) -> None:
        self._submitted_early = False
        self._find_files()

    def _find_files(self) -> None:
        """Show the files that the letters in the box match, or all."""
        from orch_tui.prepare.tree import find_files

        text, tree = self.box.value.strip(), self._project_tree
        if text:
            self.run_in_thread(
                lambda: find_files(tree, text), lambda f: self._show_found(f, text), group="find"
            )
            return
        self._shown = ""
        self.file_tree.show(
            tree, empty=NOT_LISTED if tree is NO_FILES else "There are no files here."
        )

    def _show_found(self, found: FileMatches, text: str) -> None:
        if text != self.box.value.strip():  # another letter was typed meanwhile
            return
        self._shown = text
        empty = NOT_LISTED if self._project_tree is NO_FILES else NO_MATCH
        self.file_tree.show(self._project_tree, found.matches, empty=empty, first=True)
        if self._submitted_early:
            self._choose_found()

    @on(Input.Submitted, "#filter")
    def _choose_found(self) -> None:
        """Choose the file under the cursor; where the search is not done, the first it finds."""
        text = self.box.value.strip()
        self._submitted_early = self._project_tree is NO_FILES
        if self._submitted_early:
            return
        if self._shown == text:
            self.file_tree.action_enter()
        else:
            self._choose_first(text)
        self.box.select_all()  # the next name can be typed at once

    def _choose_first(self, text: str) -> None:
        """Choose the file that will be found, whatever is typed meanwhile."""
        from orch_tui.prepare.tree import find_files

        tree, file_tree = self._project_tree, self.file_tree

        def then(found: FileMatches) -> None:
            for match in found.matches[:1]:
                self.post_message(FileTree.Chosen(file_tree, TreeLine(match.node, 0)))

        self.run_in_thread(lambda: find_files(tree, text), then, group=f"take {text}")

    def action_move(self, by: int) -> None:
        self.file_tree.action_cursor(by)

    def action_page(self, by: int) -> None:
        self.file_tree.action_page(by)

    # What stands beside a line

    def _describe_line(self, line: TreeLine) -> LineNote:
        """Say what stands beside a line of the tree."""
        path = line.node.path
        if line.node.is_folder:
            return self._describe_folder(path)
        chosen, weights = self._state.composition.of(path), self._state.weights
        if line.title:
            held = [choice for choice in chosen if line.title in choice.sections]
            whole = any(not choice.sections for choice in chosen)
            glyph = PRIORITIES[held[0].priority] if held else "·" if whole else " "
            key = Choice(path, (line.title,)).key
            return LineNote(glyph, format_weight(weights.get(key) or self._outlined.get(key)))
        allowed = any(choice.allow_secret for choice in chosen)
        weight = weights.get(Choice(path, allow_secret=allowed).key)
        if weight and weight.refused:
            glyph, style = ("✗", "bad") if chosen else (" ", "quiet")
            return LineNote(glyph, "–", f"✗ {weight.refused.reason}", style)
        glyph = PRIORITIES[chosen[0].priority] if chosen else " "
        count = sum(len(choice.sections) for choice in chosen)
        remarks = (plural(count, "section") if count else "", weight.remark if weight else "")
        return LineNote(glyph, format_weight(weight), ", ".join(filter(None, remarks)))

    def _describe_folder(self, path: str) -> LineNote:
        if path in self._project_tree.unreadable:
            return LineNote(remark="✗ cannot be listed", style="bad")
        tokens, complete = self._tally.of(path)
        inside = len(self._state.composition.under(path))
        figure = f"~{format_tokens(tokens)}{'' if complete else '+'}" if tokens else ""
        return LineNote("·" if inside else " ", figure, f"{inside} chosen" if inside else "")

    # Counting

    @on(FileTree.Seen)
    def _lines_seen(self) -> None:
        self._count()

    def stop(self) -> None:
        """Stop counting, until something is shown anew."""
        for group in ("count", "exact"):
            self.workers.cancel_group(self, group)
        self._counting = None
        if self._exact_due is not None:
            self._exact_due.stop()

    def _count(self, *, again: bool = False) -> None:
        """Have counted what is chosen and in view, then the rest; ``again`` has also what was
        counted before counted anew."""
        from orch_tui.prepare.count_order import Counting

        if not self._family:
            return
        chosen, known = self._state.composition.choices, self._state.weights
        first = [choice for choice in chosen if again or choice.key not in known]
        for line in self.file_tree.lines_in_view:
            choice = Choice(line.node.path, (line.title,) if line.title else ())
            counted = choice.key in known or choice.key in self._outlined
            if not line.node.is_folder and not counted:
                first.append(choice)
        if self._counting and not again and not self._counting[1].is_finished:
            self._counting[0].first = first
            return
        counting = Counting(first, self._project_tree.files, frozenset(known))
        worker = self.run_worker(
            lambda: self._count_batches(counting, self._family),
            thread=True,
            exclusive=True,
            group="count",
            exit_on_error=True,
        )
        self._counting = counting, worker

    def _count_batches(self, counting: Counting, family: str) -> None:
        """Count batch after batch, in a thread."""
        from orch_tui.prepare.composition import weigh_choices

        worker, project = get_current_worker(), self.app.project
        reader, cache = project.reader(), project.counts
        for batch in counting.batches():
            if worker.is_cancelled:
                return
            try:
                weights = weigh_choices(batch, reader=reader, family=family, cache=cache)
            except OrchError:  # the record cannot be read or written now: count without it
                cache = None
                weights = weigh_choices(batch, reader=reader, family=family)
            keyed = dict(zip((choice.key for choice in batch), weights, strict=True))
            self.post_weights(family, keyed)

    def _count_exactly_soon(self) -> None:
        """Count exactly once nothing is edited for a while, where that is possible at all."""
        from orch_tui.prepare import exact

        if self._exact_due is not None:
            self._exact_due.stop()
        if exact.is_available() and self._state.composition.choices:
            self._exact_due = self.set_timer(EXACT_AFTER, self._count_exactly)

    def _count_exactly(self) -> None:
        """Have what is chosen counted exactly, one after the other; an edit begins that anew, with
        what is known by then."""
        known = self._state.weights
        left = [c for c in self._state.composition.choices if _is_estimate(known.get(c.key))]
        if not left:
            return
        if any(choice.key not in known for choice in left):  # estimates come first
            self._count_exactly_soon()
            return
        family = self._family
        self.run_worker(
            lambda: self._count_choices_exactly(left, family),
            thread=True,
            exclusive=True,
            group="exact",
            exit_on_error=True,
        )

    def _count_choices_exactly(self, choices: list[Choice], family: str) -> None:
        """Have another process count, in a thread that waits for it."""
        from orch_tui.prepare.composition import weigh_exactly

        worker, project = get_current_worker(), self.app.project
        with suppress(OrchError):  # the record cannot be read or written now
            weighing = weigh_exactly(
                choices,
                reader=project.reader(),
                family=family,
                cache=project.counts,
                stopped=lambda: worker.is_cancelled,
            )
            with closing(weighing):
                for key, weight in weighing:
                    if worker.is_cancelled:
                        return
                    self.post_weights(family, {key: weight})

    def post_weights(self, family: str, weights: dict[str, Weight]) -> None:
        """Have weights taken that were counted for a tokenizer family, by the keys of choices."""
        self.post_message(self.Weighed(family, weights))

    def on_project_files_weighed(self, message: Weighed) -> None:
        if message.family != self._family:
            message.stop()
            return
        self._state.weights |= message.weights
        for path, weight in message.weights.items():
            if path in self._state.sizes:
                self._tally.add(path, weight.count.tokens)
        self.file_tree.refresh()

    # Coming back

    def remember(self) -> dict[str, Any]:
        line = self.file_tree.line
        return {
            "filter": self.box.value,
            "open": self.file_tree.opened,
            "at": line.node.path if line else "",
        }

    def recollect(self, state: dict[str, Any]) -> None:
        self._wanted = state
        if isinstance(state.get("filter"), str):
            self.box.value = state["filter"]
            self.box.select_all()

    def _bring_back(self) -> None:
        """Open in the tree what was open, once there is a tree."""
        wanted, self._wanted = self._wanted, {}
        if isinstance(opened := wanted.get("open"), list):
            self.file_tree.open([path for path in opened if path in self._project_tree.children])
        if isinstance(at := wanted.get("at"), str) and at in self._state.sizes:
            self.file_tree.reveal(at)


def _is_estimate(weight: Weight | None) -> bool:
    return weight is None or not (weight.count.exact or weight.refused)


def _is_document(path: str) -> bool:
    """Whether a file is likely to have sections, so that opening it is offered."""
    return PurePosixPath(path).suffix not in ("", ".txt") and may_have_parts(path)


def _reads_one_of(key: str, paths: set[str]) -> bool:
    """Tell whether what the choice of a key reads is in one of the files."""
    source = source_of_key(key)
    return source in paths or path_of(source) in paths
