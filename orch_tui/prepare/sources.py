"""From what a user names to the exact bytes an agent is handed.

How sources are written stands in ``orch_tui.source_name``. What exists under the whole name wins,
so that a file called ``notes#1.md`` or ``a,b.md`` needs no escaping.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.config import DEFAULTS
from orch_tui.errors import NotFoundError, PathError, SourceError
from orch_tui.files import find_nearest_files, find_spelling, list_names
from orch_tui.frozen import frozen
from orch_tui.paths import resolve_path, working_tree
from orch_tui.prepare import sections
from orch_tui.prepare.encoding import decode_text
from orch_tui.prepare.file_patterns import (
    find_fixed_folders,
    is_hidden_below,
    is_hidden_name,
    match_pattern,
    spell_path,
)
from orch_tui.prepare.file_places import FilePlaces, leads_out, may_be_file, may_be_there
from orch_tui.prepare.notebooks import CELLS, is_notebook, render_notebook
from orch_tui.prepare.secret_verdicts import SecretVerdicts
from orch_tui.prepare.secrets import named_like_one, refuse_found
from orch_tui.prepare.source_parts import cut_parts, encode_spans
from orch_tui.prepare.text_files import LeftOutError, check_file_size, check_is_text, read_text_file
from orch_tui.source_name import (
    STANDARD_INPUT,
    TEXT,
    FreeText,
    LineRange,
    NamedFile,
    PastResult,
    Result,
    SourceName,
    StandardInput,
    format_source,
    is_free_text,
    parse_source,
)
from orch_tui.worktrees import is_within

if TYPE_CHECKING:
    from orch_tui.prepare.ignore_rules import FileRules


_TEXT_LABEL = 72
_MOST_COMMAS = 5
"""In the name of a heading or symbol: each more is another look at its file."""
_UNREAD_HINT = "its permissions keep you out; .orchignore can leave it out"


@frozen
class Source:
    """The bytes behind one source, and how it is named from now on."""

    name: str
    """Relative to the project, absolute outside it, ``exec-003:message``, ``text:...`` or ``-``."""
    sections: tuple[str, ...]
    """The headings or symbols that were cut out, as they were asked for; none: all of it."""
    data: bytes
    """Byte for byte as read; parts in the encoding of the whole, where it can be told of them."""

    @property
    def text(self) -> str:
        """Decode the data in the encoding that is found; it never fails."""
        return decode_text(self.data)


PastReader = Callable[[str, Result], bytes]
"""Reads what an execution gave back, by its id; empty: nothing yet. Raises NotFoundError."""


@frozen
class SourceReader:
    """Reads context sources for one project; what it refuses is a SourceError that says why."""

    cwd: Path
    """Where relative paths are looked up first."""
    root: Path
    """The project: looked up last, and what names are relative to."""
    allow_secret: bool = False
    """Take what looks like a secret."""
    max_bytes: int = DEFAULTS.max_file_size
    ignore_files: tuple[str, ...] = DEFAULTS.ignore_files
    stdin: Callable[[], bytes] | None = None
    look_inside: bool = False
    """What is read is handed over: refuse also what holds something that looks like a secret."""
    verdicts: SecretVerdicts | None = None
    """Which texts hold no secret; None: each is looked into."""
    past: PastReader | None = None
    """None: there is no record to look in."""
    left_out: Callable[[SourceError], object] | None = None
    """Told of what a folder or pattern leaves out: files that are no text, links that lead out."""
    tree: Path | None = None
    """The linked worktree that is worked in: looked up second, and names in it are relative to
    it."""

    @property
    def base(self) -> Path:
        """What names are relative to: the tree that is worked in."""
        return self.tree or self.root

    @property
    def _trees(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.base, self.root)))

    @property
    def _folders(self) -> tuple[Path, ...]:
        """Where relative paths are looked up, in turn."""
        return tuple(dict.fromkeys((self.cwd, *self._trees)))

    def split_values(self, values: Iterable[str]) -> list[str]:
        """Split repeated, comma-separated values into single sources, in order.

        A comma in the path of something that exists separates nothing, and free text is never
        split.
        """
        names_in = cache(list_names)
        return [source for value in values for source in self._split(value, names_in)]

    def read_source(self, source: str, parts: Sequence[str] = ()) -> tuple[Source, ...]:
        """Read what ``source`` names: one source, or every file of a folder or pattern, sorted.

        ``parts`` cuts headings or symbols out of a file, as ``#Name`` does. What is no text, and
        what links lead to outside the project and the folder, is left out of folders and patterns
        (``left_out`` is told), not refused.

        Raises:
            SourceError: it is not there, is no text, too large, changed while it was read, or looks
                like a secret; of several files of a folder each is named.
        """
        match self._parse(source):
            case StandardInput():
                return (self._standard_input(),)
            case FreeText(text):
                return (self.refuse_secret(make_text_source(text)),)
            case PastResult() as name if self.past is not None:
                return (self._returned(source, name, self.past),)
            case NamedFile() as name if path := self._find(name.path):
                parts = (*parts, *filter(None, [name.part]))
                if os.path.isdir(path) and not (name.lines or parts):
                    return self._several(source, self._folder(source, path), (), path)
                return (self.refuse_secret(self._file(source, path, name.lines, parts)),)
        if any(mark in source for mark in "*?["):
            paths, folder = self._glob(source)
            return self._several(source, paths, tuple(parts), folder)
        raise self._missing(source)

    def source_exists(self, source: str) -> bool:
        """Find out whether ``source`` names something that is there, be it of use or not."""
        match self._parse(source):
            case NamedFile(path):
                found = self._find(path)
                return found is not None and may_be_there(found, os.stat)
            case PastResult(execution_id, what) if self.past is not None:
                try:
                    return bool(self.past(execution_id, what))
                except NotFoundError:
                    return False
        return False

    def refuse_secret(self, source: Source) -> Source:
        """Give the source back, unless what it holds looks like a secret.

        Only where ``look_inside`` asks for that and nobody said yes (``allow_secret``).

        Raises:
            SourceError: what of it looks like one, without showing it.
        """
        return self._refuse_secret(source, self.verdicts or SecretVerdicts(None))

    def _refuse_secret(self, source: Source, verdicts: SecretVerdicts) -> Source:
        looks = self.look_inside and not self.allow_secret
        if looks and (found := verdicts.find_in(source.data, source.text)):
            is_text = is_free_text(source.name)  # its name is what it says
            what = "the text" if is_text else "#".join((source.name, *source.sections))
            raise refuse_found(what, found)
        return source

    def _split(self, value: str, names_in: Callable[[str], list[str]]) -> Iterator[str]:
        if is_free_text(value):
            yield value
            return
        pieces = value.split(",")
        while pieces:
            # Not every length is tried for every piece: of 200 files that took nine seconds.
            most = len(pieces) if self._may_hold_comma(pieces[0], names_in) else 1
            taken = next(n for n in range(most, 0, -1) if n == 1 or self._is_one(pieces[:n]))
            taken = max(taken, self._count_pieces_of_name(pieces))
            source = ",".join(pieces[:taken]).strip()
            if source:
                yield source
            del pieces[:taken]

    def _may_hold_comma(self, piece: str, names_in: Callable[[str], list[str]]) -> bool:
        """Whether anything is there whose path begins with the piece and a comma."""
        folder, name = os.path.split(piece.lstrip())
        for base in self._folders:
            try:
                names = names_in(resolve_path(folder or ".", base))
            except PathError:
                continue
            if any(each.startswith(f"{name},") for each in names):
                return True
        return False

    def _is_one(self, pieces: Sequence[str]) -> bool:
        """Whether the pieces joined are one source whose path holds all the commas."""
        name = self._parse(",".join(pieces).strip())
        if not isinstance(name, NamedFile) or "," in name.part:
            return False
        return self._find(name.path) is not None

    def _count_pieces_of_name(self, pieces: Sequence[str]) -> int:
        """Return how many pieces make up the name of one heading or symbol that the file has."""
        first = self._parse(pieces[0].strip())
        if isinstance(first, NamedFile) and first.part:
            for count in range(min(len(pieces), _MOST_COMMAS + 1), 1, -1):
                with suppress(SourceError):
                    self.read_source(",".join(pieces[:count]).strip())
                    return count
        return 1

    def _parse(self, source: str) -> SourceName:
        return parse_source(source, exists=lambda path: self._find(path) is not None)

    def _find(self, name: str) -> Path | None:
        for base in self._folders:
            try:
                path = resolve_path(name, base)
            except PathError:
                return None
            if may_be_there(path, os.lstat):
                return Path(path)
        if not name.isascii():
            spelled = (find_spelling(resolve_path(name, base)) for base in self._folders)
            return next((Path(path) for path in spelled if path), None)
        return None

    def _file(
        self,
        given: str,
        path: Path,
        lines: tuple[int, int] | None,
        parts: tuple[str, ...],
        places: FilePlaces | None = None,
    ) -> Source:
        places = places or FilePlaces(self.root)
        data = read_text_file(path, given, self.max_bytes)
        name = self._name(path, places)
        if not _is_utf8(name):  # neither JSON nor the record could hold it
            raise LeftOutError(_bad_part(given), "has a name that is no UTF-8", hint="rename it")
        if not self.allow_secret and named_like_one(path, places.resolve(path)):
            raise SourceError(given, "looks like a secret", hint="--allow-secret hands it over")
        if lines is None and not parts:
            if is_notebook(path.name) and (cells := render_notebook(data, outputs=False)):
                return Source(name, (CELLS,), cells)
            return Source(name, (), data)
        if lines is not None and parts:
            raise SourceError(given, "names lines and sections", hint="choose one of them")
        if lines is not None:
            span = sections.find_line_span(decode_text(data), *lines, source=given)
            return Source(_format_name(name, lines), (), encode_spans(data, [span]))
        return Source(name, parts, cut_parts(data, path.name, parts, source=given))

    def _several(
        self, given: str, paths: Sequence[Path], parts: tuple[str, ...], folder: Path
    ) -> tuple[Source, ...]:
        """The files that are text and lie in the project or ``folder``. Raises SourceError naming
        each that is refused."""
        read: list[Source | SourceError] = []
        left_out: dict[str, SourceError] = {}
        within = self._within(folder)
        places = FilePlaces(self.root)
        for path in paths:
            try:
                self._refuse_leading_out(path, within, places)
                read.append(self._file(self._shown(path), path, None, parts, places))
            except LeftOutError as error:
                left_out.setdefault(error.source, error)  # a linked folder once
            except SourceError as error:
                read.append(error)
        sources, refused = self._refuse_secrets(read)
        if self.left_out is not None:
            for each in left_out.values():
                self.left_out(each)
        if refused:
            raise combine_errors(refused)
        if not sources:
            first = next(iter(left_out.values()), None)
            hint = first.message if first and first.hint else ""
            raise SourceError(given, "holds no text file", hint=hint)
        return tuple(sources)

    def _refuse_secrets(
        self, read: Sequence[Source | SourceError]
    ) -> tuple[list[Source], list[SourceError]]:
        """Part what is no secret from what is refused, in order."""
        verdicts = self.verdicts or SecretVerdicts(None)
        if self.look_inside and not self.allow_secret:
            verdicts.look_into([(r.data, r.text) for r in read if isinstance(r, Source)])
        sources: list[Source] = []
        refused: list[SourceError] = []
        for each in read:
            try:
                if isinstance(each, SourceError):
                    raise each
                sources.append(self._refuse_secret(each, verdicts))
            except SourceError as error:
                refused.append(error)
        return sources, refused

    def _within(self, folder: Path) -> tuple[Path, ...]:
        """Where what is taken for a folder or pattern has to lie, links resolved.

        A cloned repository can hold links; nobody who names a folder names what they lead to.
        """
        return *(tree.resolve() for tree in self._trees), folder.resolve()

    def _refuse_leading_out(self, path: Path, within: Sequence[Path], places: FilePlaces) -> None:
        """Refuse a path that links lead out, by the first of these links."""
        if any(is_within(places.resolve(path), str(base)) for base in within):
            return
        if path.is_symlink() and not os.path.exists(path):
            return  # reading it says where it leads
        if leads_out(path, within):
            root = Path(os.path.abspath(self.root))
            up_to = [*reversed(path.parents), path]
            below = (up for up in up_to if up != root and up.is_relative_to(root))
            links = (up for up in below if up.is_symlink() and leads_out(up, within))
            first = next(links, path)
            raise LeftOutError(
                self._shown(first),
                f"leads outside, to {os.path.realpath(first)}",
                hint="name it by itself to take it",
            )

    def _shown(self, path: Path) -> str:
        """A path in a message, with no look at what it is."""
        within = (tree for tree in self._trees if path.is_relative_to(tree))
        base = next(within, None)
        return _format_path(path.relative_to(base) if base else path)

    def _folder(self, given: str, folder: Path) -> list[Path]:
        """The files under a folder, without those that are hidden or ignored."""
        from orch_tui.prepare.tree import walk_project

        base, under = self._place(folder)
        tree = walk_project(base, under=under, ignore_files=self.ignore_files)
        if tree.cut:
            raise SourceError(given, "holds too many files", hint="name folders in it")
        if unread := [base / path for path in tree.unreadable]:
            self._refuse_unread(path for path in unread if not is_hidden_below(path, base / under))
        paths = [base / node.path for node in tree.files]
        links, within = [base / path for path in tree.folder_links], self._within(folder)
        paths += [link for link in links if leads_out(link, within)]  # they are named
        visible = [path for path in paths if not is_hidden_below(path, base / under)]
        others = [base / path for path in tree.repositories]
        self._leave_out_repositories(
            path for path in others if not is_hidden_below(path, base / under)
        )
        if not visible:
            hint = "the rest is hidden, or ignored by .gitignore or .orchignore"
            raise SourceError(given, "is a folder without files", hint=hint)
        return sorted(visible)

    def _leave_out_repositories(self, folders: Iterable[Path]) -> None:
        """Tell of folders that are repositories of their own, as submodules are."""
        for folder in sorted(folders):
            if self.left_out is not None:
                reason = "is a repository of its own"
                hint = "name it by itself to take it"
                self.left_out(SourceError(self._shown(folder), reason, hint=hint))

    def _refuse_unread(self, folders: Iterable[Path]) -> None:
        """Refuse a source of which nobody can say what it holds: each such folder is named."""
        refused = [
            SourceError(self._shown(folder), "is a folder that cannot be read", hint=_UNREAD_HINT)
            for folder in sorted(folders)
        ]
        if refused:
            raise combine_errors(refused)

    def _place(self, folder: Path) -> tuple[Path, str]:
        """The folder whose ignore files count, and what is looked at under it."""
        given = Path(os.path.abspath(folder))
        for tree in map(Path, map(os.path.abspath, self._trees)):
            if given.is_relative_to(tree):
                return tree, _below(given, tree)
        repository = Path(working_tree(given.parent) or given)
        return repository, _below(given, repository)

    def _returned(self, given: str, name: PastResult, past: PastReader) -> Source:
        try:
            data = past(name.execution_id, name.what)
        except NotFoundError as error:
            raise SourceError(given, error.message, hint=error.hint) from None
        if not data:
            raise SourceError(given, f"the execution gave back no {name.what} yet")
        return self.refuse_secret(Source(given, (), data))

    def _name(self, path: Path, places: FilePlaces) -> str:
        real = places.resolve(path)
        tree = places.find_tree(real)
        if tree is None:
            return real
        # The name as given, through links inside the project, where it still leads to the file.
        given = os.path.abspath(path)
        for base in (*map(os.path.abspath, self._trees), tree):
            if is_within(given, base) and places.resolve(given) == real:
                return _format_name(os.path.relpath(given, base))
        return _format_name(os.path.relpath(real, tree))

    def _glob(self, pattern: str) -> tuple[list[Path], Path]:
        """The files that fit a pattern, and the folder that it names outright."""
        try:
            resolved = resolve_path(pattern, self.cwd)
        except PathError as error:
            raise SourceError(pattern, error.reason, hint=error.hint) from None
        if pattern.startswith("~"):
            pattern = resolved
        anchored = Path(pattern).is_absolute()
        relative = os.path.relpath(pattern, "/") if anchored else pattern
        if relative.endswith("**"):
            relative += "/*"
        named = list(filter(is_hidden_name, Path(relative).parts))  # as in a shell, * finds none
        for base in [Path("/")] if anchored else self._folders:
            below = spell_path(base / find_fixed_folders(relative))
            try:
                matches = match_pattern(base, relative)
            except ValueError as error:
                raise SourceError(pattern, f"is no usable pattern ({error})") from None
            rules = self._rules_below(below)
            inside = [
                path / "*" for path in matches.unread if not is_hidden_below(path, base, named)
            ]
            self._refuse_unread(path.parent for path in self._not_ignored(inside, rules))
            found = sorted(path for path in matches.paths if may_be_file(path))
            visible = [path for path in found if not is_hidden_below(path, base, named)]
            if kept := self._not_ignored(visible, rules):
                return kept, Path(os.path.abspath(below))
        raise SourceError(pattern, "matches no file", hint=self._looked_in())

    def _rules_below(self, below: Path) -> tuple[Path, FileRules]:
        """The folder that a pattern names outright, and the rules for what is in it."""
        from orch_tui.prepare.ignore_rules import FileRules

        base, under = self._place(below)
        return base / under, FileRules(base, under, ignore_files=self.ignore_files)

    def _not_ignored(
        self, paths: Sequence[Path], rules_below: tuple[Path, FileRules]
    ) -> list[Path]:
        """Without what is ignored under the folder that the pattern names outright."""
        top, rules = rules_below
        plain = [Path(os.path.abspath(path)) for path in paths]  # without ".."
        kept = [
            path
            for path in plain
            if not (path.is_relative_to(top) and rules.leaves_out(_below(path, top)))
        ]
        self._leave_out_repositories(top / folder for folder in rules.repositories_met)
        rules.repositories_met.clear()
        return kept

    def _missing(self, source: str) -> SourceError:
        name = parse_source(source)
        try:
            path = resolve_path(name.path if isinstance(name, NamedFile) else source, "")
        except PathError as error:
            return SourceError(source, error.reason, hint=error.hint)
        stem, _, lines = source.rpartition(":")
        if stem and lines.strip("0123456789") == "-":
            return SourceError(source, "does not exist", hint=f"lines are written {stem}:10-80")
        if nearest := find_nearest_files(path, self._folders):
            return SourceError(source, "does not exist", hint=f"nearest: {', '.join(nearest)}")
        return SourceError(source, "does not exist", hint=self._looked_in())

    def _looked_in(self) -> str:
        return f"looked in {' and '.join(map(str, self._folders))}"

    def _standard_input(self) -> Source:
        if self.stdin is None:
            raise SourceError(STANDARD_INPUT, "there is no standard input here")
        data = self.stdin()
        if not data:
            raise SourceError(STANDARD_INPUT, "standard input is empty")
        check_file_size(STANDARD_INPUT, len(data), self.max_bytes)
        check_is_text(STANDARD_INPUT, data)
        return self.refuse_secret(Source(STANDARD_INPUT, (), data))


def make_text_source(text: str) -> Source:
    """Make a source of a text itself, named by the beginning of its first line.

    Raises:
        SourceError: there is nothing in it.
    """
    if not text.strip():
        raise SourceError(TEXT, "is empty")
    data = _encode_text(text)
    shown = data.decode("utf-8", "replace")
    line = shown.strip().splitlines()[0]
    whole = line == shown and len(shown) <= _TEXT_LABEL
    label = line if whole else f"{line[: _TEXT_LABEL - 1].rstrip()}…"
    return Source(format_source(FreeText(label)), (), data)


def _encode_text(text: str) -> bytes:
    """The bytes of text from a command line, where those that are no UTF-8 are lone surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def is_outside(name: str) -> bool:
    """Decide by the name of a source whether it lies outside the project."""
    return name.startswith("/")


def combine_errors(refused: Sequence[SourceError]) -> SourceError:
    """Combine refusals into one error that gives the reason of each."""
    if len(refused) == 1:
        return refused[0]
    lines = [
        f"{error.message} ({error.hint})" if error.hint else error.message for error in refused
    ]
    reason = "\n  ".join(["cannot be taken", *lines])
    return SourceError(f"{len(refused)} sources", reason)


def _bad_part(path: str) -> str:
    """A path up to the first name in it that is no UTF-8, as it can be shown."""
    parts = path.split("/")
    bad = next((n for n, part in enumerate(parts, 1) if not _is_utf8(part)), len(parts))
    return ascii("/".join(parts[:bad]))


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _below(folder: Path, base: Path) -> str:
    """The folder as ``walk_project`` takes it: empty for the base itself."""
    return "" if folder == base else folder.relative_to(base).as_posix()


def _format_path(path: Path) -> str:
    """A name that does not read as something else than a file."""
    return _format_name(path.as_posix())


def _format_name(path: str, lines: LineRange | None = None) -> str:
    return format_source(NamedFile(path, lines))
