"""From what a user names to the exact bytes an agent is handed.

How sources are written stands in ``orch_tui.source_name``. What exists under the whole name wins,
so that a file called ``notes#1.md`` or ``a,b.md`` needs no escaping.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orch_tui.config import DEFAULTS
from orch_tui.errors import NotFoundError, PathError, SourceError
from orch_tui.files import (
    compose_letters,
    find_nearest_files,
    find_spelling,
    is_same_name,
    list_names,
)
from orch_tui.frozen import frozen
from orch_tui.paths import AnyPath, resolve_path, working_tree
from orch_tui.prepare import sections
from orch_tui.prepare.encoding import (
    count_controls,
    decode_text,
    detect_encoding,
    encode_part,
)
from orch_tui.prepare.notebooks import CELLS, OUTPUTS, is_notebook, render_notebook
from orch_tui.prepare.secret_verdicts import SecretVerdicts
from orch_tui.prepare.secrets import named_like_one, refuse_found
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
from orch_tui.worktrees import find_file_tree, is_within

if TYPE_CHECKING:
    from orch_tui.prepare.ignore_rules import FileRules

_TEXT_LABEL = 72
_MOST_COMMAS = 5
"""In the name of a heading or symbol: each more is another look at its file."""
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_UNREAD_HINT = "its permissions keep you out; .orchignore can leave it out"
_ASCII = bytes(range(128))


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


class _LeftOutError(SourceError):
    """What a folder or pattern passes over: no text, or a link that leads outside."""


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
                return (self._file(source, path, name.lines, parts),)
        if any(mark in source for mark in "*?["):
            paths, folder = self._glob(source)
            return self._several(source, paths, tuple(parts), folder)
        raise self._missing(source)

    def source_exists(self, source: str) -> bool:
        """Find out whether ``source`` names something that is there, be it of use or not."""
        match self._parse(source):
            case NamedFile(path):
                found = self._find(path)
                return found is not None and _is_there(found, os.stat)
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
        if self.look_inside and not self.allow_secret:
            verdicts = self.verdicts or SecretVerdicts(None)
            if found := verdicts.find_in(source.data, source.text):
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
            if _is_there(path, os.lstat):
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
        places: _Places | None = None,
    ) -> Source:
        places = places or _Places(self.root)
        data = _read_file(path, given, self.max_bytes)
        name = self._name(path, places)
        if not _is_utf8(name):  # neither JSON nor the record could hold it
            raise _LeftOutError(_bad_part(given), "has a name that is no UTF-8", hint="rename it")
        if not self.allow_secret and named_like_one(path, places.resolve(path)):
            raise SourceError(given, "looks like a secret", hint="--allow-secret hands it over")
        if lines is None and not parts:
            if is_notebook(path.name) and (cells := render_notebook(data, outputs=False)):
                return self.refuse_secret(Source(name, (CELLS,), cells))
            return self.refuse_secret(Source(name, (), data))
        if lines is not None and parts:
            raise SourceError(given, "names lines and sections", hint="choose one of them")
        if lines is not None:
            span = sections.find_line_span(decode_text(data), *lines, source=given)
            return self.refuse_secret(
                Source(_format_name(name, lines), (), encode_spans(data, [span]))
            )
        return self.refuse_secret(
            Source(name, parts, cut_parts(data, path.name, parts, source=given))
        )

    def _several(
        self, given: str, paths: Sequence[Path], parts: tuple[str, ...], folder: Path
    ) -> tuple[Source, ...]:
        """The files that are text and lie in the project or ``folder``. Raises SourceError naming
        each that is refused."""
        sources: list[Source] = []
        refused: list[SourceError] = []
        left_out: dict[str, SourceError] = {}
        within = self._within(folder)
        places = _Places(self.root)
        for path in paths:
            try:
                self._refuse_leading_out(path, within, places)
                sources.append(self._file(self._shown(path), path, None, parts, places))
            except _LeftOutError as error:
                left_out.setdefault(error.source, error)  # a linked folder once
            except SourceError as error:
                refused.append(error)
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

    def _within(self, folder: Path) -> tuple[Path, ...]:
        """Where what is taken for a folder or pattern has to lie, links resolved.

        A cloned repository can hold links; nobody who names a folder names what they lead to.
        """
        return *(tree.resolve() for tree in self._trees), folder.resolve()

    def _refuse_leading_out(self, path: Path, within: Sequence[Path], places: _Places) -> None:
        """Refuse a path that links lead out, by the first of these links."""
        if any(is_within(places.resolve(path), str(base)) for base in within):
            return
        if path.is_symlink() and not os.path.exists(path):
            return  # reading it says where it leads
        if _leads_out(path, within):
            root = Path(os.path.abspath(self.root))
            up_to = [*reversed(path.parents), path]
            below = (up for up in up_to if up != root and up.is_relative_to(root))
            links = (up for up in below if up.is_symlink() and _leads_out(up, within))
            first = next(links, path)
            raise _LeftOutError(
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
            self._refuse_unread(path for path in unread if not _hidden(path, base / under))
        paths = [base / node.path for node in tree.files]
        links, within = [base / path for path in tree.folder_links], self._within(folder)
        paths += [link for link in links if _leads_out(link, within)]  # they are named
        visible = [path for path in paths if not _hidden(path, base / under)]
        others = [base / path for path in tree.repositories]
        self._leave_out_repositories(path for path in others if not _hidden(path, base / under))
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

    def _name(self, path: Path, places: _Places) -> str:
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
        named = list(filter(_is_hidden, Path(relative).parts))  # as in a shell, * finds none
        for base in [Path("/")] if anchored else self._folders:
            below = _spelled(base / _fixed_folders(relative))
            try:
                matches = _match_pattern(base, relative)
            except ValueError as error:
                raise SourceError(pattern, f"is no usable pattern ({error})") from None
            rules = self._rules_below(below)
            inside = [path / "*" for path in matches.unread if not _hidden(path, base, named)]
            self._refuse_unread(path.parent for path in self._not_ignored(inside, rules))
            found = sorted(path for path in matches.paths if _may_be_file(path))
            visible = [path for path in found if not _hidden(path, base, named)]
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
        _check_size(STANDARD_INPUT, len(data), self.max_bytes)
        _check_text(STANDARD_INPUT, data)
        return self.refuse_secret(Source(STANDARD_INPUT, (), data))


class _Places:
    """Where files really are, each folder looked up once: a bundle asks of hundreds of files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._resolved: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self._trees: dict[str, str | None] = {}

    def resolve(self, path: AnyPath) -> str:
        """Resolve the links of a path."""
        written = os.fspath(path)
        if written not in self._resolved:
            self._resolved[written] = self._look_up(written)
        return self._resolved[written]

    def _look_up(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", os.curdir, os.pardir) or os.path.islink(path):
            return os.path.realpath(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return os.path.join(self._real[folder], name)

    def find_tree(self, real: str) -> str | None:
        """Find the working tree of the project that a file lies in."""
        folder = os.path.dirname(real)
        if folder not in self._trees:
            self._trees[folder] = find_file_tree(real, self._root)
        return self._trees[folder]


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


def cut_parts(data: bytes, name: str, parts: Sequence[str], *, source: str) -> bytes:
    """Cut headings or symbols out of the data of a file called ``name``, in the order of the text.

    Raises:
        SourceError: one is not there, with ``source`` and the nearest names.
    """
    from orch_tui.prepare import outline

    if is_notebook(name):
        return _cut_notebook(data, parts, source)
    return encode_spans(
        data, outline.find_part_spans(decode_text(data), name, parts, source=source)
    )


def _cut_notebook(data: bytes, parts: Sequence[str], source: str) -> bytes:
    """The cells of a notebook, with what they put out where any of the parts asks for that."""
    if not {*parts} <= {CELLS, OUTPUTS}:
        raise SourceError(source, "is a notebook", hint=f"its parts are {CELLS} and {OUTPUTS}")
    cells = render_notebook(data, outputs=OUTPUTS in parts)
    if cells is None:
        raise SourceError(source, "holds no notebook that can be read")
    return cells


def encode_spans(data: bytes, spans: Iterable[sections.Span]) -> bytes:
    """Encode spans of the text of ``data`` as the whole is, so that they can be read like it."""
    text = decode_text(data)
    return encode_part("".join(text[start:end] for start, end in spans), data)


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


def _read_file(path: Path, given: str, max_bytes: int) -> bytes:
    """All bytes of a regular file that stayed the same while it was read."""
    try:
        before = os.stat(path)
        _check_regular(given, before)
        if before.st_size > max_bytes and _begins_binary(path):
            raise _LeftOutError(given, "is binary (it holds NUL bytes)")
        _check_size(given, before.st_size, max_bytes)
        # Not blocking: the file may have become a pipe since it was looked at.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            _check_regular(given, os.fstat(descriptor))
            data = file.read(before.st_size + 1)  # a read makes room for all that is asked for
            if len(data) > before.st_size:  # it says less than there is, as in /proc
                data += file.read(max_bytes + 1 - len(data))
            after = os.fstat(descriptor)
    except OSError as error:
        raise _explain_os_error(given, path, error) from None
    _check_size(given, len(data), max_bytes)
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (
        *(after.st_ino, after.st_size, after.st_mtime_ns),
    ):
        raise SourceError(given, "changed while it was read", hint="try again when it is still")
    _check_text(given, data)
    return data


def _begins_binary(path: Path) -> bool:
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        start = file.read(8192)
    return b"\0" in start and not _is_wide(start)


def _check_regular(given: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(given, "is a folder", hint="only files have lines and parts")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(given, "is not a regular file")


def _check_size(given: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise SourceError(
            given,
            f"is over the limit of {max_bytes / 1e6:g} MB ({size / 1e6:.1f} MB)",
            hint="max_file_size in the configuration raises it",
        )


def _check_text(given: str, data: bytes) -> None:
    codec, mark, how = detect_encoding(data)
    if mark:
        try:
            data[len(mark) :].decode(codec)
            return
        except UnicodeDecodeError:
            raise _LeftOutError(given, f"is binary (no {codec} after its mark)") from None
    if b"\0" in data and not _is_wide(data):
        raise _LeftOutError(given, "is binary (it holds NUL bytes)")
    if how == "guessed":
        beyond_ascii = len(data.translate(None, _ASCII))
        if count_controls(data) > len(data) * 0.05 or beyond_ascii > len(data) * 0.95:
            raise _LeftOutError(
                given, "is binary (mostly undecodable)", hint="convert text to UTF-8"
            )


def _is_wide(data: bytes) -> bool:
    """Whether NUL bytes belong to the text: half of its letters, or a quarter of them."""
    return detect_encoding(data).codec.startswith(("utf-16", "utf-32"))


def _explain_os_error(given: str, path: Path, error: OSError) -> SourceError:
    if error.errno == errno.ELOOP:
        return _LeftOutError(given, "is a loop of links")
    if error.errno == errno.ENOENT and path.is_symlink():
        return _LeftOutError(given, f"is a link to {os.readlink(path)}, which does not exist")
    reason = (error.strerror or str(error)).lower()
    return SourceError(given, f"cannot be read ({reason})")


def _is_there(path: AnyPath, look: Callable[[AnyPath], os.stat_result]) -> bool:
    """Whether something is there, or may be in a folder that lets nobody look."""
    try:
        look(path)
    except OSError as error:
        return error.errno not in _ABSENT
    except ValueError:
        return False
    return True


def _leads_out(path: Path, within: Iterable[Path]) -> bool:
    real = Path(os.path.realpath(path))  # a circle of links does not bar its folder
    return not any(real.is_relative_to(base) for base in within)


def _may_be_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError as error:  # refused where it is read, as a link to nothing is left out
        return error.errno not in _ABSENT or path.is_symlink()


class _Matches(NamedTuple):
    """What fits a pattern, and the folders in which it looks and that cannot be read."""

    paths: set[Path]
    unread: set[Path]


def _match_pattern(base: Path, pattern: str) -> _Matches:
    """Find what fits a pattern below ``base``, each folder listed once.

    ``Path.glob`` passes over folders that cannot be read and does not say so. As there, ``*`` finds
    what is hidden, and ``**`` follows no links.
    """
    fixed = _fixed_folders(pattern)
    parts = [part for part in pattern.removeprefix(fixed).split("/") if part not in ("", ".")]
    unread: set[Path] = set()

    @cache
    def listed(folder: Path) -> dict[str, bool]:
        """The names in a folder, and whether each is one of a folder that is no link."""
        with _noting(folder, unread), os.scandir(folder) as entries:
            return {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        return {}

    found = {_spelled(base / fixed)}
    for part in parts:
        if part == "**":
            waiting = list(found)
            while waiting:
                folder = waiting.pop()
                inner = [folder / name for name, is_folder in listed(folder).items() if is_folder]
                waiting += [path for path in inner if path not in found]
                found.update(inner)
        elif _is_wild(part):
            found = {path / name for path in found for name in _filter(listed(path), part)}
        elif part.isascii():
            found = {path / part for path in found if _is_in(path, part, unread)}
        else:
            same = ((path, name) for path in found for name in listed(path))
            found = {path / name for path, name in same if is_same_name(name, part)}
    return _Matches(set() if pattern.endswith("/") else found, unread)


def _spelled(path: Path) -> Path:
    """The path as it is spelled on disk."""
    return Path(find_spelling(str(path)) or path)


def _filter(names: Iterable[str], pattern: str) -> list[str]:
    """The names that fit a pattern, whichever code points their letters are written with."""
    composed = {name: compose_letters(name) for name in names}
    pattern = compose_letters(pattern)
    return [name for name, letters in composed.items() if fnmatch.fnmatchcase(letters, pattern)]


def _is_in(folder: Path, name: str, unread: set[Path]) -> bool:
    with _noting(folder, unread):
        os.lstat(folder / name)
        return True
    return False


@contextmanager
def _noting(folder: Path, unread: set[Path]) -> Iterator[None]:
    """Pass over a folder that cannot be looked into, noted where that is not for want of one."""
    try:
        yield
    except OSError as error:
        if error.errno not in _ABSENT:
            unread.add(folder)


def _below(folder: Path, base: Path) -> str:
    """The folder as ``walk_project`` takes it: empty for the base itself."""
    return "" if folder == base else folder.relative_to(base).as_posix()


def _fixed_folders(pattern: str) -> str:
    """The folders that a pattern begins with, up to its first wildcard."""
    parts = pattern.split("/")
    wild = next((n for n, part in enumerate(parts) if _is_wild(part)), 0)
    return "/".join(parts[:wild])


def _is_wild(part: str) -> bool:
    return any(mark in part for mark in "*?[")


def _format_path(path: Path) -> str:
    """A name that does not read as something else than a file."""
    return _format_name(path.as_posix())


def _format_name(path: str, lines: LineRange | None = None) -> str:
    return format_source(NamedFile(path, lines))


def _hidden(path: Path, base: Path, named: Sequence[str] = ()) -> bool:
    """Whether a part of the path is hidden and matches none of the hidden ones that were named."""
    return any(
        not any(fnmatch.fnmatchcase(part, name) for name in named)
        for part in path.relative_to(base).parts
        if _is_hidden(part)
    )


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part not in (".", "..")
