"""Files that a machine wrote: minified, generated, locks. Rarely what an agent needs to read.

They are told by their names, by what tools write at the beginning of what they generate, and by
lines that nobody writes. They are taken when they are chosen; that they could be left out is said.
"""

from __future__ import annotations

import re

_LOCKS = {
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"),
    *("poetry.lock", "uv.lock", "Pipfile.lock", "pdm.lock", "pixi.lock", "conda-lock.yml"),
    *("Cargo.lock", "Gemfile.lock", "composer.lock", "go.sum", "flake.lock", "deno.lock"),
    *("mix.lock", "pubspec.lock", "Podfile.lock", "Package.resolved", "packages.lock.json"),
    *("gradle.lockfile", ".terraform.lock.hcl", "MODULE.bazel.lock"),
}
_GENERATED_NAME = re.compile(
    r"(?i)(?:_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h)|\.pb\.\w+|\.g\.(?:dart|cs)|\.freezed\.dart"
    r"|\.designer\.cs|\.generated\.\w+|_generated\.\w+|\.(?:js|css|mjs|cjs)\.map)\Z"
)
_MINIFIED_NAME = re.compile(r"(?i)[.-]min\.(?:js|mjs|cjs|css|html|svg)\Z")
_MAY_BE_MINIFIED = (".js", ".mjs", ".cjs", ".css")

_HEAD = 2_000
"""Bytes at the beginning in which a tool says that it made a file."""

_SAID = re.compile(
    rb"(?im)^[ \t]*(?:#|//|/?\*|--|;|%|<!--|\(\*|\"\"\").{0,200}?"
    rb"(?:@generated\b|code generated\b|(?:auto|automatically)[ -]?generated\b"
    rb"|generated (?:automatically|by)\b.{0,80}(?:do not|don't) (?:edit|modify)"
    rb"|this file (?:is|was) (?:\w+ )?generated\b)"
)

_MINIFIED_FROM = 2_000
"""Bytes from which a file with lines of several hundred signs is minified."""
_LONG_LINES = 400


def name_machine_made(name: str, data: bytes) -> str:
    """Name what a machine made of a file: ``minified``, ``generated``, ``a lock file``; else empty.

    ``name`` is its path or source, of which only the end counts.
    """
    file = name.rpartition("/")[2]
    if file in _LOCKS:
        return "a lock file"
    if _MINIFIED_NAME.search(file) or (
        file.lower().endswith(_MAY_BE_MINIFIED) and _has_long_lines(data)
    ):
        return "minified"
    head = data[:_HEAD]
    says_so = b"generated" in head.lower() and _SAID.search(head)  # the word alone is rare
    return "generated" if says_so or _GENERATED_NAME.search(file) else ""


def _has_long_lines(data: bytes) -> bool:
    if len(data) < _MINIFIED_FROM:
        return False
    lines = data.count(b"\n") + 1
    # A licence on lines of its own may stand before one line that is all the rest.
    return len(data) / lines > _LONG_LINES or max(map(len, data.split(b"\n"))) > len(data) * 0.8
