"""What is known of Claude's tokenizers, taken from ctok and measured against it.

    python tests/bench/calibrate.py FOLDER [--write]

Needs Python 3.12 or newer with ctok, the offline reconstruction of Claude's tokenizers. Makes
``claude-*.bin``, the pieces that estimates are counted from; fits ``ratios.toml``, how Claude's
counts relate to o200k_base by kind of content; and measures both against ctok by kind of content,
``accuracy.md``. The corpus (``FIT``, and ``CHECK`` for texts that the fit has not seen) is fetched
into FOLDER with pip, npm and apt-get where it is not there yet. Prints the results; ``--write``
also replaces the files in ``assets/tokens``. Four minutes on two cores once the corpus is there.
"""

from __future__ import annotations

import gzip
import random
import re
import subprocess
import sys
import tarfile
import zlib
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from zipfile import ZipFile

import ctok  # type: ignore[import-not-found, unused-ignore]

from orch_tui.assets import asset
from orch_tui.prepare.count import BAND, FRAMES
from orch_tui.prepare.estimator_comparison import scale_count
from orch_tui.prepare.pieces import BYTES, CAPS, CLOSE, OPEN, SHIFT, load_pieces
from orch_tui.prepare.text_kinds import kind_of
from orch_tui.prepare.tokens import BANDS
from orch_tui.prepare.vocabulary import count_encoded

FIT = {
    "wheel": "django==5.2.19 bokeh==3.9.2 pandas==3.0.3 panel==1.9.4 jupyterlab==4.6.6 "
    "ansible-core==2.19.14 sqlfluff==4.5.0 textual==8.2.8 scikit-learn faker==40.54.0 statsmodels",
    "sdist": "pygments==2.21.0 libcst==1.9.0 py4j==0.10.9.9 jieba==0.42.1 peewee==4.5.3 sqlglot "
    "jpype1 psutil",
    "npm": "rxjs@7.8.2 zod@4.6.7 @angular/core@21.2.26 bootstrap@5.3.9 date-fns@4.4.0",
    "deb": "golang-github-spf13-cobra-dev golang-golang-x-net-dev librust-serde-dev "
    "bash-completion live-boot git-doc fortunes",
}
CHECK = {
    "wheel": "mkdocs-material flask rich dbt-core dbt-adapters streamlit pip homeassistant "
    "bokeh-sampledata",
    "sdist": "sphinx greenlet",
    "npm": "effect vue prettier",
    "deb": "golang-github-gin-gonic-gin-dev golang-github-spf13-viper-dev librust-tokio-dev "
    "initramfs-tools-core debian-faq fortunes-bofh-excuses vim-runtime",
}
VERSIONS = {"v3": "3.0", "v4.8": "4.8"}
"""ctok's version for each table; 4.7 differs from 4.8 in the frame of a message alone."""

SLICE = 4000
PER_KIND = 100
SMALL = 400
"""Characters of the short texts that ``floor`` is fitted on."""


@dataclass(frozen=True)
class Sample:
    kind: str
    raw: int
    claude: dict[str, int]


def main() -> None:
    folder = Path(sys.argv[1])
    fit, check, small = (
        measured(fetched(folder, packages), size)
        for packages, size in ((FIT, SLICE), (CHECK, SLICE), (CHECK, SMALL))
    )
    report({family: fitted(fit, family) for family in VERSIONS}, check)
    every = fit + check  # what is shipped knows all of them
    tables = {family: fitted(every, family) for family in VERSIONS}
    floors = {family: floor(small, tables[family], family) for family in VERSIONS}
    written: dict[str, bytes] = {f"claude-{name}.bin": joined(name) for name in VERSIONS}
    written["ratios.toml"] = as_toml(tables, floors, len(every)).encode()
    if "--write" in sys.argv:  # before they are measured
        for name, data in written.items():
            asset(f"tokens/{name}").write_bytes(data)
    accuracy = as_markdown(measured_files(folder))
    print(written["ratios.toml"].decode(), accuracy, sep="\n")
    if "--write" in sys.argv:
        asset("tokens/accuracy.md").write_text(accuracy, "utf-8")


def joined(family: str) -> bytes:
    """All pieces of a family in the form that ``load_pieces`` reads."""
    marks = {"⟨bow⟩": OPEN, "⟨eow⟩": CLOSE, "⟨shift⟩": SHIFT, "⟨caps⟩": CAPS}
    found = set()
    for piece, evidence in ctok.pieces(VERSIONS[family]).items():
        if evidence["kind"] == "prefix":
            piece = BYTES + bytes.fromhex(piece).decode("latin-1")
        elif piece[0] == "'" and piece[1:].isalpha():  # a contraction closes a word
            found.add(piece + CLOSE)
        for written, mark in marks.items():
            piece = piece.replace(written, mark)
        found.add(piece)
    return zlib.compress("\0".join(sorted(found)).encode(), 9)


@dataclass(frozen=True)
class Errors:
    """Of one file, against ctok, as shares of its count."""

    estimate: float
    scaled: float
    raw: float
    characters: float


FILES_PER_KIND = 60
SIZES = range(1_000, 40_001)


def measured_files(folder: Path) -> dict[tuple[str, str], list[Errors]]:
    """By kind and family: whole files of the corpus."""
    folders = [path for part in (FIT, CHECK) for path in fetched(folder, part)]
    by_kind: dict[str, list[str]] = defaultdict(list)
    paths = [path for each in folders for path in sampled(each)]
    random.Random(3).shuffle(paths)
    for path in paths:
        for text in texts(path):
            kind = kind_of(path.name, text)
            if len(text) in SIZES and len(by_kind[kind]) < FILES_PER_KIND:
                by_kind[kind].append(text)
    chosen = [(kind, text) for kind in sorted(by_kind) for text in by_kind[kind]]
    with ProcessPoolExecutor() as pool:
        exacts = list(pool.map(claude_counts, [text for _, text in chosen], chunksize=4))
    raws = count_encoded([text for _, text in chosen], "o200k_base")
    found: dict[tuple[str, str], list[Errors]] = defaultdict(list)
    for (kind, text), exact, raw in zip(chosen, exacts, raws, strict=True):
        for family, tokens in exact.items():
            figures = (
                load_pieces(family).tokens(text),
                scale_count(raw, kind, family).tokens,
                raw,
                len(text) // 4,
            )
            found[kind, family].append(Errors(*(abs(f / tokens - 1) for f in figures)))
    return found


def as_markdown(found: dict[tuple[str, str], list[Errors]]) -> str:
    lines = [
        "# How good counts are\n",
        f"Errors against ctok {version('ctok')} on whole files of 1,000 to 40,000 characters, by "
        "kind of content and\ntokenizer family; the last three columns are what other estimators "
        "would say. Made by\n`tests/bench/calibrate.py`, which names the corpus, all of it fetched "
        "from package registries.\n",
        "| kind of content | files | equal to ctok | median | 95th percentile | largest "
        "| inside the band | o200k scaled: median, 95th | o200k | characters/4 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, family in sorted(found, key=lambda key: (key[1], key[0])):
        rows = found[kind, family]
        cut = quantiles((row.estimate for row in rows), n=20, method="inclusive")
        by_ratio = quantiles((row.scaled for row in rows), n=20, method="inclusive")
        within = sum(row.estimate <= BANDS.get(kind, BAND) for row in rows)
        lines.append(
            f"| {kind}, {family} | {len(rows)} "
            f"| {sum(row.estimate == 0 for row in rows) / len(rows):.0%} "
            f"| {cut[9]:.2%} | {cut[-1]:.2%} | {max(row.estimate for row in rows):.2%} "
            f"| {within / len(rows):.0%} | {by_ratio[9]:.1%}, {by_ratio[-1]:.0%} "
            f"| {median(row.raw for row in rows):.0%} "
            f"| {median(row.characters for row in rows):.0%} |"
        )
    return "\n".join(lines) + "\n"


Band = tuple[float, float, float]


def fitted(samples: list[Sample], family: str) -> dict[str, Band]:
    """p5, median and p95 of the ratio, by kind; ``other`` from all kinds alike."""
    ratios = defaultdict(list)
    for sample in samples:
        ratio = sample.claude[family] / sample.raw
        ratios[sample.kind].append(ratio)
    ratios["other"] = [ratio for kind in sorted(ratios) for ratio in ratios[kind]]
    return {kind: band(values) for kind, values in sorted(ratios.items())}


def band(ratios: list[float]) -> Band:
    cuts = quantiles(ratios, n=20, method="inclusive")
    return round(cuts[0], 3), round(median(ratios), 3), round(cuts[-1], 3)


def floor(samples: list[Sample], table: dict[str, Band], family: str) -> int:
    """Tokens to widen a band by, at least, so that nine short texts in ten stay within."""
    needed = []
    for sample in samples:
        low, middle, high = (ratio * sample.raw for ratio in table[sample.kind])
        actual = sample.claude[family]
        needed.append(0.0 if low <= actual <= high else abs(actual - middle))
    return round(quantiles(needed, n=10)[-1] + 0.5)


def report(tables: dict[str, dict[str, Band]], check: list[Sample]) -> None:
    """How the fit does on the texts that it has not seen."""
    for family, table in tables.items():
        print(f"\n{family:14}    low  ratio   high | unseen  median error  p95 error  up to high")
        for kind, (low, middle, high) in table.items():
            rows = [sample for sample in check if kind in (sample.kind, "other")]
            print(f"{kind:14} {low:6.3f} {middle:6.3f} {high:6.3f} | {len(rows):6}", end=" ")
            print(quality(rows, table, family) if len(rows) > 4 else "")


def quality(rows: list[Sample], table: dict[str, Band], family: str) -> str:
    errors = quantiles(
        (abs(table[row.kind][1] * row.raw / row.claude[family] - 1) for row in rows), n=20
    )
    within = sum(row.claude[family] <= table[row.kind][2] * row.raw for row in rows)
    return f"{errors[9]:13.1%} {errors[-1]:10.1%} {within / len(rows):11.0%}"


def as_toml(tables: dict[str, dict[str, Band]], floors: dict[str, int], slices: int) -> str:
    corpus = "; ".join(f"{client}: {names} {CHECK[client]}" for client, names in FIT.items())
    lines = [
        "# Written by tests/bench/calibrate.py: Claude's tokens per token of o200k_base, as the",
        "# 5th percentile, median and 95th percentile of texts of 4,000 characters. `floor` widens",
        "# the band of short texts, in tokens to either side.",
        "",
        f"date = {date.today().isoformat()}",
        f'estimators = "ctok {version("ctok")}, tiktoken {version("tiktoken")}"',
        f'corpus = "{slices} texts; {corpus}"',
        "",
        "[tables] # Opus 4.7 and 4.8 share their pieces and differ in the frame of a message",
        'v3 = "v3"',
        '"v4.7" = "v4.8"',
        '"v4.8" = "v4.8"',
    ]
    for family, table in tables.items():
        lines += ["", f'["{family}"]', f"floor = {floors[family]}", "", f'["{family}".kinds]']
        lines += [f"{kind} = [{low}, {mid}, {high}]" for kind, (low, mid, high) in table.items()]
    return "\n".join(lines) + "\n"


def measured(folders: list[Path], size: int) -> list[Sample]:
    """Up to ``PER_KIND`` texts of ``size`` characters of each kind, spread over the packages."""
    chosen = slices(folders, size)
    raws = count_encoded([text for _, text in chosen], "o200k_base")
    with ProcessPoolExecutor() as pool:
        claudes = pool.map(claude_counts, [text for _, text in chosen], chunksize=8)
        rows = zip(chosen, raws, claudes, strict=True)
        return [Sample(kind, raw, claude) for (kind, _), raw, claude in rows if raw]


def claude_counts(text: str) -> dict[str, int]:
    """Content tokens by family: without the frame that ctok adds for the message."""
    return {
        family: ctok.token_count(text, version=name) - FRAMES[family]
        for family, name in VERSIONS.items()
    }


def slices(folders: list[Path], size: int) -> list[tuple[str, str]]:
    by_kind: dict[str, dict[Path, list[str]]] = defaultdict(lambda: defaultdict(list))
    for folder in folders:
        for path in sampled(folder):
            for text in texts(path):
                start = random.Random(path.name).randrange(max(1, len(text) - size + 1))
                start = text.rfind("\n", 0, start) + 1
                piece = text[start : start + size]
                if len(piece) >= size // 4:
                    by_kind[kind_of(path.name, text)][folder].append(piece)
    chosen = []
    for kind, by_folder in sorted(by_kind.items()):
        turns = max(map(len, by_folder.values()))
        dealt = [
            pieces[turn]
            for turn in range(turns)
            for pieces in by_folder.values()
            if turn < len(pieces)
        ]
        chosen += [(kind, piece) for piece in dealt[:PER_KIND]]
    return chosen


_LICENCE = re.compile("licen|copying|copyright|notice|legal|authors|RECORD", re.IGNORECASE)


def sampled(folder: Path) -> list[Path]:
    """The files of a package, at most 100 of a suffix, in an order of no meaning. Licences, the
    same few everywhere and much of them in capitals, would stand for English prose."""
    by_suffix: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if not _LICENCE.search(path.name) and path.is_file():
            by_suffix[path.suffix].append(path)
    for paths in by_suffix.values():
        random.Random(0).shuffle(paths)
    return [path for paths in by_suffix.values() for path in paths[:100]]


def texts(path: Path) -> list[str]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        data = file.read(1_000_000)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return []
    if "\0" in text:
        return []
    if path.suffix == ".po":  # translations as prose: their English originals left out
        entries = text.split("msgstr ")[2:]
        return ["\n".join(entry.partition("\n\n")[0].strip('"\n') for entry in entries)]
    return [text]


def fetched(folder: Path, packages: dict[str, str]) -> list[Path]:
    """The unpacked packages, a folder for each."""
    return [
        unpacked(folder, client, package)
        for client, names in packages.items()
        for package in names.split()
    ]


COMMANDS = {
    "wheel": [sys.executable, "-m", "pip", "download", "-q", "--no-deps"],
    "sdist": [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"],
    "npm": ["npm", "pack", "--silent"],
    "deb": ["apt-get", "download", "-qq"],
}


def unpacked(folder: Path, client: str, package: str) -> Path:
    target = folder / client / package.replace("/", "-")
    if not target.exists():
        target.mkdir(parents=True)
        subprocess.run([*COMMANDS[client], package], cwd=target, check=True)
        for archive in list(target.iterdir()):
            if archive.suffix == ".whl":
                ZipFile(archive).extractall(target)
            elif archive.suffix == ".deb":
                subprocess.run(["dpkg", "-x", archive.name, "."], cwd=target, check=True)
            else:
                with tarfile.open(archive) as tar:
                    tar.extractall(target, filter="data")
            archive.unlink()
    return target


if __name__ == "__main__":
    main()
