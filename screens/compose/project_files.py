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
from orch_tui.prepare.composition import Choice, Composition, Weight, source_of_key
from orch_tui.prepare.outline import Part as FilePart
from orch_tui.prepare.outline import may_have_parts
from orch_tui.prepare.tree import NO_FILES, Found, ProjectTree, Tally
from orch_tui.screens.compose.words import PRIORITIES, figure
from orch_tui.screens.screen_part import ScreenPart
from orch_tui.screens.widgets.filetree import Beside, FileTree, Line
from orch_tui.screens.widgets.stack import short
from orch_tui.source_name import path_of

if TYPE_CHECKING:
    from orch_tui.prepare.count_order import Counting

LARGE = 5_000
"""Files from which on the garbage collector is told that the tree is to stay: walking over 20,000
again and again, it held the screen up for 80 ms each time."""

EXACT_AFTER = 1.0
"""Seconds without an edit until what is chosen is counted exactly."""

NOT_LISTED = "Looking for files …"
NO_MATCH = """No file matches.

Its letters in this order are enough. What
.gitignore leaves out is not listed: Esc, then
a adds it by name."""


class FilterInput(Input):
    """The box over the tree. Its width never depends on its text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "In/out")]

    def refresh(self, *regions: Any, layout: bool = False, **more: Any) -> Any:
        # Input sets its virtual size at every key, which would lay the whole screen out anew.
        return super().refresh(*regions, layout=False, **more)


class Walked(NamedTuple):
    """A project as it was listed, and what was known of it then."""

    tree: ProjectTree
    sizes: dict[str, int]
    other: set[str]
    """Paths that are not as they were."""
    family: str
    tally: Tally
    weights: dict[str, Weight]
    """What the tally was made of, for the family."""
    stale: list[str]
    """Of those, what is told of files that changed."""


class ProjectFiles(ScreenPart):
    """Knows what every file weighs, as far as it was counted."""

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name
        super().__init__(id=id)
        self.weights: dict[str, Weight] = {}
        """By the key of a choice, for the tokenizer family of the composition's model."""
        self._outlined: dict[str, Weight] = {}
        """Of parts of files that were opened: their tokens alone, until they are chosen."""
        self.sizes: dict[str, int] = {}
        """Bytes of each file."""
        self._tree = NO_FILES
        self._tally = Tally(NO_FILES)
        self._shown = ""
        """What was looked for when the lines that are shown were found."""
        self._submitted_early = False
        self._composition = Composition()
        self._family = ""
        self._counting: tuple[Counting, Worker[None]] | None = None
        self._exact_due: Timer | None = None
        self._wanted: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        yield FilterInput(placeholder="find a file by its letters", id="filter", compact=True)
        yield FileTree(self._beside, has_sections=_is_document, id="tree")

    def on_mount(self) -> None:
        self.border_title = "Project"

    @property
    def files(self) -> FileTree:
        return self.query_one(FileTree)

    @property
    def box(self) -> FilterInput:
        return self.query_one(FilterInput)

    def show(self, composition: Composition, family: str) -> None:
        """Mark what is chosen, and have it counted for a tokenizer family."""
        if family != self._family:
            self._family, self.weights, self._outlined = family, {}, {}
            self._tally = self._tally.emptied()
            self.stop()
        self._composition = composition
        self.files.refresh()
        self._count()
        self._count_exactly_soon()

    # Listing

    def walk(self) -> None:
        """List the project again; what is chosen is weighed again too."""
        from orch_tui.prepare.tree import walk

        root, before = self.app.project.root, self._tree
        family, weights = self._family, dict(self.weights)

        def work() -> Walked:
            worker = get_current_worker()
            tree = walk(root, cancelled=lambda: worker.is_cancelled)
            sizes = {node.path: node.size for node in tree.files}
            other = {node.path for node in {*tree.files} ^ {*before.files}}
            tally = Tally(tree)
            stale = []
            for key, weight in weights.items():
                if _is_of(key, other):
                    stale.append(key)
                elif key in sizes:
                    tally.add(key, weight.count.tokens)
            if len(tree.files) > LARGE:
                gc.freeze()
            return Walked(tree, sizes, other, family, tally, weights, stale)

        self.run_in_thread(work, self._walked, group="walk")

    def _walked(self, found: Walked) -> None:
        tree, other, tally, tallied = found.tree, found.other, found.tally, found.weights
        if other or self._tree is NO_FILES:
            if found.family != self._family:
                tally, tallied = tally.emptied(), {}
            self._tree, self._tally, self.sizes = tree, tally, found.sizes
            for key in found.stale:
                self.weights.pop(key, None)
            for key in [key for key in self._outlined if _is_of(key, other)]:
                del self._outlined[key]
            for key in self.weights.keys() - tallied.keys():  # weighed meanwhile
                if key in found.sizes:
                    tally.add(key, self.weights[key].count.tokens)
            self.files.forget_sections(other)
            self._filter()
            self.border_title = f"Project · {len(tree.files):,} files{'+' if tree.cut else ''}"
            self._bring_back()
        self._count(again=True)
        self._count_exactly_soon()

    def files_under(self, folder: str) -> list[str]:
        return [node.path for node in self._tree.under(folder)]

    def on_folder(self, folder: str) -> str:
        """A folder in words."""
        count = len(self.files_under(folder))
        tokens, complete = self._tally.of(folder)
        so_far = "" if complete else " so far"
        return (
            f"{folder}/\n\n{_many(count, 'file')}, ~{short(tokens)} tokens{so_far}\n\n"
            "Right opens it; Space puts all its files in, or takes them out."
        )

    @on(FileTree.Opened)
    def _opened(self, event: FileTree.Opened) -> None:
        """Find the sections or symbols of a file."""
        from orch_tui.prepare.composition import text_of
        from orch_tui.prepare.outline import outline

        project, path, family = self.app.project, event.path, self._family
        reader = project.reader()

        def work() -> list[FilePart]:
            try:
                # Only the names of its parts are shown.
                text = text_of(Choice(path, allow_secret=True), reader)
                return outline(text, path, family=family)
            except SourceError:  # the line says why
                return []

        def then(parts: list[FilePart]) -> None:
            if family == self._family:
                self._outlined |= {
                    Choice(path, (part.name,)).key: Weight(part.count) for part in parts
                }
            self.files.set_sections(path, [(part.name, part.level) for part in parts])

        self.run_in_thread(work, then, group=f"open {path}")

    # Finding

    @on(Input.Changed, "#filter")
    def _typed(self) -> None:
        self._submitted_early = False
        self._filter()

    def _filter(self) -> None:
        from orch_tui.prepare.tree import find

        text, tree = self.box.value.strip(), self._tree
        if text:
            self.run_in_thread(
                lambda: find(tree, text), lambda f: self._found(f, text), group="find"
            )
            return
        self._shown = ""
        self.files.show(tree, empty=NOT_LISTED if tree is NO_FILES else "There are no files here.")

    def _found(self, found: Found, text: str) -> None:
        if text != self.box.value.strip():  # another letter was typed meanwhile
            return
        self._shown = text
        empty = NOT_LISTED if self._tree is NO_FILES else NO_MATCH
        self.files.show(self._tree, found.matches, empty=empty, first=True)
        if self._submitted_early:
            self._submitted()

    @on(Input.Submitted, "#filter")
    def _submitted(self) -> None:
        """Take what is meant: where the search is not done, what it finds."""
        text = self.box.value.strip()
        self._submitted_early = self._tree is NO_FILES
        if self._submitted_early:
            return
        if self._shown == text:
            self.files.action_enter()
        else:
            self._take_first(text)
        self.box.select_all()  # the next name can be typed at once

    def _take_first(self, text: str) -> None:
        """Take what will be found, whatever is typed meanwhile."""
        from orch_tui.prepare.tree import find

        tree, files = self._tree, self.files

        def then(found: Found) -> None:
            for match in found.matches[:1]:
                self.post_message(FileTree.Chosen(files, Line(match.node, 0)))

        self.run_in_thread(lambda: find(tree, text), then, group=f"take {text}")

    def action_move(self, by: int) -> None:
        self.files.action_cursor(by)

    def action_page(self, by: int) -> None:
        self.files.action_page(by)

    # What stands beside a line

    def _beside(self, line: Line) -> Beside:
        path = line.node.path
        if line.node.is_folder:
            return self._beside_folder(path)
        chosen = self._composition.of(path)
        if line.title:
            held = [choice for choice in chosen if line.title in choice.sections]
            whole = any(not choice.sections for choice in chosen)
            glyph = PRIORITIES[held[0].priority] if held else "·" if whole else " "
            key = Choice(path, (line.title,)).key
            return Beside(glyph, figure(self.weights.get(key) or self._outlined.get(key)))
        allowed = any(choice.allow_secret for choice in chosen)
        weight = self.weights.get(Choice(path, allow_secret=allowed).key)
        if weight and weight.refused:
            glyph, style = ("✗", "bad") if chosen else (" ", "quiet")
            return Beside(glyph, "–", f"✗ {weight.refused.reason}", style)
        glyph = PRIORITIES[chosen[0].priority] if chosen else " "
        count = sum(len(choice.sections) for choice in chosen)
        return Beside(glyph, figure(weight), _many(count, "section") if count else "")

    def _beside_folder(self, path: str) -> Beside:
        if path in self._tree.unreadable:
            return Beside(remark="✗ cannot be listed", style="bad")
        tokens, complete = self._tally.of(path)
        inside = len(self._composition.under(path))
        said = f"~{short(tokens)}{'' if complete else '+'}" if tokens else ""
        return Beside("·" if inside else " ", said, f"{inside} chosen" if inside else "")

    # Counting

    @on(FileTree.Seen)
    def _seen(self) -> None:
        self._count()

    def stop(self) -> None:
        """Count no more, until something is shown again."""
        for group in ("count", "exact"):
            self.workers.cancel_group(self, group)
        self._counting = None
        if self._exact_due is not None:
            self._exact_due.stop()

    def _count(self, *, again: bool = False) -> None:
        """Have counted what is chosen and in view, then the rest; ``again``: also what was."""
        from orch_tui.prepare.count_order import Counting

        if not self._family:
            return
        chosen, known = self._composition.choices, self.weights
        first = [choice for choice in chosen if again or choice.key not in known]
        for line in self.files.in_view:
            choice = Choice(line.node.path, (line.title,) if line.title else ())
            counted = choice.key in known or choice.key in self._outlined
            if not line.node.is_folder and not counted:
                first.append(choice)
        if self._counting and not again and not self._counting[1].is_finished:
            self._counting[0].first = first
            return
        counting = Counting(first, self._tree.files, frozenset(known))
        worker = self.run_worker(
            lambda: self._work(counting, self._family),
            thread=True,
            exclusive=True,
            group="count",
            exit_on_error=True,
        )
        self._counting = counting, worker

    def _work(self, counting: Counting, family: str) -> None:
        """In a thread: count batch after batch."""
        from orch_tui.prepare.composition import weigh

        worker, project = get_current_worker(), self.app.project
        reader, cache = project.reader(), project.counts
        for batch in counting.batches():
            if worker.is_cancelled:
                return
            try:
                weights = weigh(batch, reader=reader, family=family, cache=cache)
            except OrchError:  # the record cannot be read or written now: count without it
                cache = None
                weights = weigh(batch, reader=reader, family=family)
            keyed = dict(zip((choice.key for choice in batch), weights, strict=True))
            self.post_message(self.Weighed(family, keyed))

    def _count_exactly_soon(self) -> None:
        """Once nothing is edited for a while, and where that is possible at all."""
        from orch_tui.prepare import exact

        if self._exact_due is not None:
            self._exact_due.stop()
        if exact.is_available() and self._composition.choices:
            self._exact_due = self.set_timer(EXACT_AFTER, self._count_exactly)

    def _count_exactly(self) -> None:
        """Have counted exactly what is chosen, one after the other; what is edited then begins it
        anew, with what is known by then."""
        known = self.weights
        left = [c for c in self._composition.choices if _is_estimate(known.get(c.key))]
        if not left:
            return
        if any(choice.key not in known for choice in left):  # estimates come first
            self._count_exactly_soon()
            return
        family = self._family
        self.run_worker(
            lambda: self._work_exactly(left, family),
            thread=True,
            exclusive=True,
            group="exact",
            exit_on_error=True,
        )

    def _work_exactly(self, choices: list[Choice], family: str) -> None:
        """In a thread: the counting itself is done in another process."""
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
                    self.post_message(self.Weighed(family, {key: weight}))

    def on_project_files_weighed(self, message: Weighed) -> None:
        if message.family != self._family:
            message.stop()
            return
        self.weights |= message.weights
        for path, weight in message.weights.items():
            if path in self.sizes:
                self._tally.add(path, weight.count.tokens)
        self.files.refresh()

    # Coming back

    def remember(self) -> dict[str, Any]:
        line = self.files.line
        return {
            "filter": self.box.value,
            "open": self.files.opened,
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
            self.files.open([path for path in opened if path in self._tree.children])
        if isinstance(at := wanted.get("at"), str) and at in self.sizes:
            self.files.reveal(at)


def _is_estimate(weight: Weight | None) -> bool:
    return weight is None or not (weight.count.exact or weight.refused)


def _is_document(path: str) -> bool:
    """Whether a file is likely to have sections, so that opening it is offered."""
    return PurePosixPath(path).suffix not in ("", ".txt") and may_have_parts(path)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _is_of(key: str, paths: set[str]) -> bool:
    """Whether what a choice reads is in one of the files."""
    source = source_of_key(key)
    return source in paths or path_of(source) in paths
