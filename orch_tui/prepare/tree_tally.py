"""What files weigh, folder by folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orch_tui.frozen import frozen
from orch_tui.prepare.count import ZERO, Count
from orch_tui.source_name import path_of


@frozen
class TallyLine:
    """A file or folder, as one line of a tree."""

    depth: int
    name: str
    """Of a folder with a slash at the end; folders that hold one folder only share a line."""
    count: Count


def outline_counts(counts: Iterable[tuple[str, Count]]) -> list[TallyLine]:
    """The tree of these sources with the sums of their folders, the heaviest first."""
    top = _Folder()
    for source, count in counts:
        top.put(source, count)
    return list(top.lines(0))


@dataclass
class _Folder:
    folders: dict[str, _Folder] = field(default_factory=dict)
    files: list[tuple[str, Count]] = field(default_factory=list)
    count: Count = ZERO

    def put(self, source: str, count: Count) -> None:
        """File a source under the folders that its name begins with."""
        folder = self
        folder.count += count
        path = path_of(source)
        *folders, file = path.split("/")
        for name in folders:
            folder = folder.folders.setdefault(f"{name}/", _Folder())
            folder.count += count
        behind = source.removeprefix("./")[len(path) :]  # its lines or part
        folder.files.append((f"{file}{behind}", count))

    def lines(self, depth: int) -> Iterator[TallyLine]:
        entries: list[tuple[str, Count, _Folder | None]] = [(n, c, None) for n, c in self.files]
        for name, folder in self.folders.items():
            while not folder.files and len(folder.folders) == 1:
                [(below, folder)] = folder.folders.items()
                name += below
            entries.append((name, folder.count, folder))
        for name, count, inside in sorted(entries, key=lambda entry: (-entry[1].tokens, entry[0])):
            yield TallyLine(depth, name, count)
            if inside:
                yield from inside.lines(depth + 1)
