"""What in a text is a path: by its form (a folder, a suffix) and, where in doubt, by the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator

from orch_tui.frozen import frozen
from orch_tui.record.messages.patterns import compile_lazily
from orch_tui.record.run_place import PlacedFile, RunPlace
from orch_tui.worktrees import find_file_tree


@frozen
class PathPlace:
    path: str
    start: int
    end: int
    certain: bool
    """A path by its form or by the disk; otherwise only where the message claims it."""


class ProjectDisk:
    """The files of a run, each looked up once."""

    def __init__(self, place: RunPlace) -> None:
        self._place = place
        self._placed: dict[str, PlacedFile] = {}
        self._known: dict[tuple[str, bool], bool] = {}

    def placed(self, path: str) -> PlacedFile:
        """Place what a message names; also by the name that ``name`` gave it."""
        if path not in self._placed:
            placed = self._place.place_claim(path)
            self._placed[path] = self._placed.setdefault(placed.name, placed)
        return self._placed[path]

    def name(self, path: str) -> str:
        return self.placed(path).name

    def is_inside(self, path: str) -> bool:
        """Tell whether a file is of the project, links followed."""
        if os.path.isabs(path):
            return False
        try:
            real = os.path.realpath(self.placed(path).file)
        except ValueError:  # a NUL, half of a surrogate pair
            return False
        return find_file_tree(real, self._place.root) is not None

    def is_file(self, path: str) -> bool:
        return self._is(path, folder=False)

    def is_folder(self, path: str) -> bool:
        return self._is(path, folder=True)

    def _is(self, path: str, *, folder: bool) -> bool:
        key = (path, folder)
        if key not in self._known:
            test = os.path.isdir if folder else os.path.isfile
            self._known[key] = test(self.placed(path).file)
        return self._known[key]


_TOKEN = compile_lazily(
    r"`(?P<quoted>[^`]{1,400})`"
    r"|\"(?P<spaced>[^\"`]{1,300}\.\w{1,8})\""
    r"|\[[^\]\[]{1,300}\]\((?P<link>[^()\s]{1,400})\)"
    r"|(?P<url>[a-z][a-z0-9+.-]{1,20}://\S{1,2000})"
    r"|(?P<bare>[\w.~/@+:=$%&?#\\*<>{}\[\]-]{3,400})",
)
_LINES = compile_lazily(r"(?:(?::\d{1,7})(?:[-–:,]\d{1,7})*|#L\d{1,7}(?:-L?\d{1,7})?)$")
_MEMBER = compile_lazily(r"(?:::|#)[\w.:\[\]-]{1,200}$")
DECORATION = " \t*_|`\"'([<>✅✓✔☑🆕✨📄📝➕+~•→:#-–—️"


def find_places(content: str, disk: ProjectDisk) -> Iterator[PathPlace]:
    """Find the paths in a line: in backticks, as links, or bare; those of URLs are none.

    A name alone is that of the file in the folder that the line names: ``a.rs under `src/` ``.
    """
    folders: list[str] = []
    for place in list(_find_places(content, disk, folders)):
        if folders and "/" not in place.path:
            full = (os.path.join(folder, place.path) for folder in folders)
            inside = [disk.name(path) for path in full if disk.is_file(path)]
            if len(inside) == 1:
                yield PathPlace(inside[0], place.start, place.end, place.certain)
                continue
        yield place


def _find_places(content: str, disk: ProjectDisk, folders: list[str]) -> Iterator[PathPlace]:
    for token in _TOKEN.finditer(content):
        kind = token.lastgroup or ""
        if kind != "url":
            end = token.end()
            if kind == "bare":  # a full stop behind it ends the sentence
                word = token[0].rstrip(".,;:!?")
                if word.isalnum() and word not in _PLAIN_NAMES:  # as most of a message is
                    continue
                end = token.start() + len(word)
            place = read_place(token[kind], token.start(), end, disk, quoted=kind != "bare")
            if place:
                yield place
            elif "/" in token[kind] and disk.is_folder(token[kind].strip("*_.,;:")):
                folders.append(token[kind].strip("*_.,;:"))


def read_place(
    text: str, start: int, end: int, disk: ProjectDisk, *, quoted: bool
) -> PathPlace | None:
    """Read a piece of a line as a path; None where it is none."""
    text = text.strip("\"'*_ ").rstrip(".,;:!?*_")
    if text[:1] + text[-1:] in ("[]", "<>"):
        text = text[1:-1]
    if ":" in text or "#" in text:
        text = _MEMBER.sub("", _LINES.sub("", text))
    if "\\" in text and _WINDOWS.fullmatch(text):
        text = text.replace("\\", "/")
    if "." not in text and "/" not in text and text not in _PLAIN_NAMES:
        return None
    if len(text) < 3 or text[-1] == "/" or disk.is_folder(text):
        return None
    if not disk.is_file(text):
        if not _has_form(text):
            return None
        certain = _has_suffix(text, quoted=quoted)
        folder = os.path.dirname(text)
        plausible = quoted and "." not in os.path.basename(text) and not text[-1].isdigit()
        if not certain and not (plausible and folder and disk.is_folder(folder)):
            return None
    else:
        certain = quoted or "/" not in text or "." in text
    return PathPlace(disk.name(text), start, end, certain)


_WINDOWS = compile_lazily(r"(?:[A-Za-z]:\\|\.{1,2}\\)?(?:[\w.@+-]+(?: [\w.@+-]+)*\\)+[\w.@+-]+")
_NOT_IN_A_PATH = compile_lazily(r"[\s<>*?|\"'=$&%{}\\:;,@#\x00-\x1f]|^[-(]|^//|\.\.\.|\(\)|…")
_HOST = compile_lazily(
    r"(?:www\.|[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.(?:com|org|net|io|dev|ai|app))$"
)
_VERSION = compile_lazily(r"[vV]?\d{1,9}(?:\.\d{1,9}){1,4}[\w.+-]{0,30}$")


def _has_form(text: str) -> bool:
    first, slash, _ = text.partition("/")
    return not (
        _NOT_IN_A_PATH.search(text)
        or (slash and _HOST.match(first))
        or (not slash and _VERSION.match(text))
    )


def _has_suffix(text: str, *, quoted: bool) -> bool:
    name = os.path.basename(text)
    if name in _PLAIN_NAMES:
        return quoted or "/" in text or name not in ("LICENSE", "README", "CHANGELOG")
    stem, dot, suffix = name.rpartition(".")
    suffix = suffix.lower()
    if not dot or not stem.strip("."):
        return False
    if stem.startswith(".") and stem in _BARE_SUFFIXES:  # `.test.ts`: a kind of file, not a file
        return False
    if "/" in text:
        return suffix in _SUFFIXES or suffix in _AMBIGUOUS
    if f"{stem}.{suffix}".lower() in _PRODUCTS or stem.lower() in _OBJECTS:
        return False
    return suffix in _SUFFIXES


def split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN_NAMES = split_words(
    """Makefile Dockerfile Containerfile Procfile Jenkinsfile Gemfile Rakefile Vagrantfile Justfile
    justfile Brewfile Pipfile CODEOWNERS LICENSE README CHANGELOG .gitignore .gitattributes
    .dockerignore .editorconfig .env .env.example .env.local .npmrc .nvmrc .prettierrc .eslintrc
    .babelrc .tool-versions .prettierignore .eslintignore go.mod go.sum yarn.lock mix.lock uv.lock
    Cargo.lock poetry.lock Gemfile.lock composer.lock Pipfile.lock flake.lock bun.lockb"""
)
_SUFFIXES = split_words(
    """adoc astro bash bat bzl cc cfg cjs clj cmake conf cpp cs css csv cts cxx dart diff docx eex
    el erb erl ex exs feature fish fs gif go gql gradle graphql groovy gz h5 hcl heex hh hpp hs htm
    html ico ini ipynb j2 java jinja jpeg jpg js json json5 jsonc jsonl jsx kt kts leex less lua md
    mdx mjs mk ml mli mts ndjson nim nix parquet patch pdf php pl plist png po pot prisma proto ps1
    py pyi pyx rb rego rs rst sass scala scss service sh snap sol sql sqlite styl svelte svg swift
    tar tcss tf tfvars tgz tmpl toml ts tsv tsx txt vim vue wasm webp whl xlsx xml yaml yml zig
    zip zsh mm rake csproj sln"""
)
_AMBIGUOUS = split_words("c d db env h in key lock log m map mod out pem pub r s sum")
"""Suffixes that are as often attributes of an object; taken only behind a folder."""
_BARE_SUFFIXES = frozenset((".d", ".test", ".spec", ".min", ".module", ".stories", ".config"))
_PRODUCTS = split_words(
    """alpine.js angular.js backbone.js chart.js d3.js day.js discord.js docs.rs ember.js express.js
    knockout.js moment.js nest.js next.js node.js nuxt.js p5.js react.js require.js three.js vue.js
    bun.sh deno.js socket.js solid.js electron.js"""
)
_OBJECTS = split_words("console math res response req request resp this self module window")
