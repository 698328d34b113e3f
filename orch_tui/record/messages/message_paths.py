"""The files a message speaks of, and whether it claims to have made, changed or removed them.

Two questions, answered apart. *Is it a path?* By its form (a folder, a known suffix), and where
the form leaves doubt by the disk. *Is it claimed?* By the words around it: a verb of doing that
nobody denied, wished or quoted, with nothing between that turns the path into something else
(``based on``, ``for``, ``from``); or the heading, list or table it stands in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from orch_tui.errors import PathError
from orch_tui.frozen import frozen
from orch_tui.paths import relative, resolve_path
from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.patterns import compile_lazily

Claim = Literal["created", "modified", "deleted", ""]


@frozen
class FoundPath:
    """A file the message names."""

    path: str
    """Relative to the project where inside, else absolute."""
    claim: Claim
    """What the message says was done to it; empty: it is merely mentioned."""
    exists: bool
    inside: bool
    """Inside the project, links followed."""
    line: int
    excerpt: str


def find_paths(lines: Iterable[MessageLine], root: Path) -> list[FoundPath]:
    """Every file named, once, in the order of first mention, checked against the disk."""
    disk = _Disk(root)
    mentions = list(_mentions(lines, disk))
    full_names = _full_names(mentions)
    found: dict[str, list[_Mention]] = {}
    for mention in mentions:
        found.setdefault(full_names.get(mention.path, mention.path), []).append(mention)
    return [_found(path, said, disk) for path, said in found.items()]


@frozen
class _Mention:
    path: str
    claim: Claim
    line: MessageLine


def _found(path: str, said: Sequence[_Mention], disk: _Disk) -> FoundPath:
    claims = [mention for mention in said if mention.claim]
    # What was made and then removed is gone; what was made and then changed is still new.
    lasting = [mention for mention in claims if mention.claim != "modified"]
    best = (lasting or claims or said)[-1 if lasting else 0]
    return FoundPath(
        path,
        best.claim,
        disk.is_file(path),
        disk.is_inside(path),
        best.line.number,
        best.line.excerpt,
    )


def _full_names(mentions: Iterable[_Mention]) -> dict[str, str]:
    """Short names (``index.ts``) of files that are also given by exactly one longer name."""
    paths = dict.fromkeys(mention.path for mention in mentions)
    longer: dict[str, list[str]] = {}
    for path in paths:
        longer.setdefault(os.path.basename(path), []).append(path)
    full: dict[str, str] = {}
    for name, candidates in longer.items():
        others = [path for path in candidates if path != name]
        if name in paths and len(others) == 1:
            full[name] = others[0]
    return full


# --- where paths stand -----------------------------------------------------------------------


def _mentions(lines: Iterable[MessageLine], disk: _Disk) -> Iterator[_Mention]:
    subject: _Mention | None = None  # the file that the lines below speak of
    tree = _Tree()
    for line in lines:
        if line.kind == "code":
            yield from _in_code(line, tree, disk)
            continue
        tree = _Tree()
        places = list(_places(line.content, disk))
        if not places:
            if line.kind == "heading":
                subject = None
            elif subject and not subject.claim and _describes(line, subject.line):
                subject = _Mention(subject.path, "modified", line)
                yield subject
            continue
        claims = _claims(line, places)
        mentions = [
            _Mention(place.path, claim, line)
            for place, claim in zip(places, claims, strict=True)
            if place.certain or claim
        ]
        yield from mentions
        leads = not line.content[: places[0].start].strip(_DECORATION)
        if (leads or line.kind == "heading") and mentions and mentions[0].path == places[0].path:
            subject = mentions[0]
        elif line.kind == "heading" or not subject or line.indent <= subject.line.indent:
            subject = None


def _describes(line: MessageLine, subject: MessageLine) -> bool:
    """A line below its subject that begins by saying what was done."""
    below = line.indent > subject.indent or subject.kind == "heading"
    verb = _VERB.match(line.content.lstrip("*_ "))
    return bool(below and verb and not _is_future(line))


_PLAIN_LANGUAGES = ("", "text", "txt", "plaintext", "console", "tree")
_MARKED = compile_lazily(
    r"(?:(?P<git>[AMD?+~-]{1,2})\s{1,4}"
    r"|(?P<verb>new file|modified|deleted|create mode \d{6}):?\s+)?"
    r"(?P<path>\S{1,400})(?:\s+(?P<rest>\S.{0,200}))?"
)
_MARKS: dict[str, Claim] = {
    **dict.fromkeys(("A", "??", "+", "new file", "create mode"), "created"),
    **dict.fromkeys(("M", "MM", "AM", "~", "modified"), "modified"),
    **dict.fromkeys(("D", "-", "deleted"), "deleted"),
}


def _in_code(line: MessageLine, tree: _Tree, disk: _Disk) -> Iterator[_Mention]:
    """A listing of files: bare, as git prints it, or drawn as a tree."""
    if line.language not in _PLAIN_LANGUAGES:
        return
    text = tree.whole(line.text)
    marked = _MARKED.fullmatch(text)
    if not marked or len(text) > 500:
        return
    rest = marked["rest"] or ""
    if rest and rest[0] not in "#(<[←-–—|+":  # a sentence or a command, not a listing
        return
    place = _place(marked["path"], 0, 0, disk, quoted=True)
    if place and place.certain:
        mark = marked["git"] or re.sub(r" \d+", "", marked["verb"] or "")
        said = _AFTER.match(rest)
        claim = _MARKS.get(mark) or (_said_after(said) if said else _section_claim(line))
        yield _Mention(place.path, claim, line)


class _Tree:
    """Puts the names of a drawn folder tree under their folders."""

    def __init__(self) -> None:
        self._folders: list[tuple[int, str]] = []

    def whole(self, text: str) -> str:
        """The line with the full path in place of a tree's name; other lines as they are."""
        name = text.lstrip(" \t│├└─|`+-\xa0")
        drawn = any(mark in text for mark in "├└│")
        if not drawn:
            self._folders = [(-1, name.split()[0])] if name.split()[:1] and "/" in name else []
            if self._folders and not self._folders[0][1].endswith("/"):
                self._folders = []
            return text.strip()
        column = len(text) - len(name)
        while self._folders and self._folders[-1][0] >= column:
            self._folders.pop()
        parents = "".join(folder for _, folder in self._folders)
        first = name.split()[0] if name.split() else ""
        if first.endswith("/"):
            self._folders.append((column, first))
        return parents.removeprefix("./") + name.strip()


# --- is it a path? ---------------------------------------------------------------------------


@frozen
class _Place:
    path: str
    start: int
    end: int
    certain: bool
    """A path by its form or by the disk; otherwise only where the message claims it."""


class _Disk:
    """The project's files, each looked up once."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.abspath(root)
        self._known: dict[tuple[str, bool], bool] = {}

    def name(self, path: str) -> str:
        return relative(self._full(path), self._root)

    def _full(self, path: str) -> str:
        try:
            return resolve_path(path, self._root)
        except PathError:  # a message may name what can be no file
            return os.path.join(self._root, path)

    def is_inside(self, path: str) -> bool:
        if os.path.isabs(path):
            return False
        real = os.path.realpath(os.path.join(self._root, path))
        return not os.path.isabs(relative(real, self._root))

    def is_file(self, path: str) -> bool:
        return self._is(path, folder=False)

    def is_folder(self, path: str) -> bool:
        return self._is(path, folder=True)

    def _is(self, path: str, *, folder: bool) -> bool:
        key = (path, folder)
        if key not in self._known:
            test = os.path.isdir if folder else os.path.isfile
            try:
                self._known[key] = test(self._full(path))
            except (OSError, ValueError):  # a NUL, a lone surrogate, a name too long
                self._known[key] = False
        return self._known[key]


_TOKEN = compile_lazily(
    r"`(?P<quoted>[^`]{1,400})`"
    r"|\[[^\]\[]{1,300}\]\((?P<link>[^()\s]{1,400})\)"
    r"|(?P<url>[a-z][a-z0-9+.-]{1,20}://\S{1,2000})"
    r"|(?P<bare>[\w.~/@+:=$%&?#\\*<>{}\[\]-]{3,400})",
)
_LINES = compile_lazily(r"(?:(?::\d{1,7})(?:[-–:,]\d{1,7})*|#L\d{1,7}(?:-L?\d{1,7})?)$")
_MEMBER = compile_lazily(r"(?:::|#)[\w.:\[\]-]{1,200}$")
_DECORATION = " \t*_|`\"'([<>✅✓✔☑🆕✨📄📝➕+~•→:#-–—️"


def _places(content: str, disk: _Disk) -> Iterator[_Place]:
    for token in _TOKEN.finditer(content):
        kind = token.lastgroup or ""
        if kind != "url":
            place = _place(token[kind], token.start(), token.end(), disk, quoted=kind != "bare")
            if place:
                yield place


def _place(text: str, start: int, end: int, disk: _Disk, *, quoted: bool) -> _Place | None:
    text = text.strip("\"'*_ ").rstrip(".,;:!?*_")
    if text[:1] + text[-1:] in ("[]", "<>"):
        text = text[1:-1]
    if ":" in text or "#" in text:
        text = _MEMBER.sub("", _LINES.sub("", text))
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
    return _Place(disk.name(text), start, end, certain)


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


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN_NAMES = _words(
    """Makefile Dockerfile Containerfile Procfile Jenkinsfile Gemfile Rakefile Vagrantfile Justfile
    justfile Brewfile Pipfile CODEOWNERS LICENSE README CHANGELOG .gitignore .gitattributes
    .dockerignore .editorconfig .env .env.example .env.local .npmrc .nvmrc .prettierrc .eslintrc
    .babelrc .tool-versions .prettierignore .eslintignore go.mod go.sum yarn.lock mix.lock uv.lock
    Cargo.lock poetry.lock Gemfile.lock composer.lock Pipfile.lock flake.lock bun.lockb"""
)
_SUFFIXES = _words(
    """adoc astro bash bat bzl cc cfg cjs clj cmake conf cpp cs css csv cts cxx dart diff docx eex
    el erb erl ex exs feature fish fs gif go gql gradle graphql groovy gz h5 hcl heex hh hpp hs htm
    html ico ini ipynb j2 java jinja jpeg jpg js json json5 jsonc jsonl jsx kt kts leex less lua md
    mdx mjs mk ml mli mts ndjson nim nix parquet patch pdf php pl plist png po pot prisma proto ps1
    py pyi pyx rb rego rs rst sass scala scss service sh snap sol sql sqlite styl svelte svg swift
    tar tcss tf tfvars tgz tmpl toml ts tsv tsx txt vim vue wasm webp whl xlsx xml yaml yml zig
    zip zsh mm rake"""
)
_AMBIGUOUS = _words("c d db env h in key lock log m map mod out pem pub r s sum")
"""Suffixes that are as often attributes of an object; taken only behind a folder."""
_BARE_SUFFIXES = frozenset((".d", ".test", ".spec", ".min", ".module", ".stories", ".config"))
_PRODUCTS = _words(
    """alpine.js angular.js backbone.js chart.js d3.js day.js discord.js docs.rs ember.js express.js
    knockout.js moment.js nest.js next.js node.js nuxt.js p5.js react.js require.js three.js vue.js
    bun.sh deno.js socket.js solid.js electron.js"""
)
_OBJECTS = _words("console math res response req request resp this self module window")


# --- is it claimed? --------------------------------------------------------------------------

_KINDS: dict[Claim, str] = {
    "created": """created added wrote written generated introduced scaffolded implemented built
        produced drafted new""",
    "modified": """modified updated changed edited refactored fixed rewrote rewritten extended
        patched replaced extracted adjusted improved simplified registered wired enhanced reworked
        migrated converted cleaned corrected bumped documented formatted reformatted switched
        integrated gained tweaked expanded hardened optimized optimised""",
    "deleted": "deleted removed dropped moved renamed",
}
_KIND_OF: dict[str, Claim] = {
    verb: kind for kind, verbs in _KINDS.items() for verb in verbs.split()
}
_INTO = _words("added introduced implemented built")
"""Verbs whose object goes into a file: "added parse()" changes the file it is said of."""
_SMALL = compile_lazily(
    r"(?:variable|function|field|option|column|prop|flag|setting|test|case|endpoint|route|method"
    r"|argument|parameter|key|section|entry|entries|behaviou?r|button|command)s?",
    re.I,
)
"""What is new inside a file that need not be new itself."""
_VERBS = "|".join(_KIND_OF)
_VERB = compile_lazily(rf"\b({_VERBS})\b(?![-/]\w)", re.I)
_UNSURE = compile_lazily(
    r"\b(?:not|never|no|none|nothing|without|cannot|unable|failed to|should|would|could|will|must"
    r"|needs?|to be|can be|may|might|if|unless|until|once|when|recommend\w*|suggest\w*|consider"
    r"|plan(?:ned|s)?|todo|instead of|rather than|previously|already|originally|earlier|existing"
    r"|going to|want|please|let me|\w{1,8}n['’]t)\b",
    re.I,
)
"""Words before a verb of doing that make it no report of something done."""
_LEADS_ON = compile_lazily(r"\b(?:in|into|to|at|under|inside|within|as|onto)\b", re.I)
_LEADS_AWAY = compile_lazily(
    r"\b(?:from|based|using|uses?|for|of|like|following|per|see|against|with|by|than|via|about"
    r"|imports?|calls?|reads?|match(?:es|ing)?|similar|because|since|that|which|whose|where|how|so"
    r"|while|but|alongside|after|before|through|on|over|use|call|import|read|between|support)\b",
    re.I,
)
_STAYS_AWAY = compile_lazily(
    r"\b(?:based|following|similar|like|see|per|using|match(?:es|ing)?|because|since|compared)\b",
    re.I,
)
"""What these lead away from, no later ``in`` or ``to`` leads back to."""
_JOINS = compile_lazily(
    r"[\s,&+/*_`)(\]→>|-]*(?:\b(?:and|or|plus|as well as|along with)\b[\s*_`(]*)?"
)
_JOINED_LATER = compile_lazily(r",\s+(?:and|plus|as well as)\s*[*_`(]*$")
_BOUNDARY = compile_lazily(r"[.;!?](?=\s|$)|\s[—–]\s|\bbut\b")
_AFTER = compile_lazily(
    r"[\s*_`)\]|:–—(\[\-←#<]{0,12}(?:(?:,?\s*which )?I(?:['’]ve| have)?\s+)?(?:\d{1,5}\s+)?"
    r"(?:(?:was|were|is|are|has been|have been|got|file)\s+)?"
    r"(?:(?:also|now|newly|successfully|fully|just|brand|then|later|both|all)[\s-]+)*"
    rf"(?P<verb>{_VERBS})\b(?![-/]\w)(?P<by>\s+(?:by|from)\b)?(?P<what>[ `]{{1,3}}[\w:]+)?",
    re.I,
)
_STARTS = compile_lazily(
    rf"(?:^|[.;:|(—–-]\s*)(?:(?:also|now|newly)\s+)?(?P<verb>{_VERBS})\b(?!\s+by\b)(?![-/]\w)", re.I
)
_DENIED = compile_lazily(
    r"[^.;]{0,40}(?:\b(?:not|never)\s+\w|\w['’]t\b"
    r"|\b(?:unchanged|untouched|unmodified|excluded|skipped|no (?:changes?|edits?))\b)"
    r"|[\W_]{0,12}(?:existing|reference|read[- ]only)\b",
    re.I,
)


_WITHDRAWN = compile_lazily(
    r"[\W_]{0,12}(?:(?:I|we|it|file|was|is|were|has|have|had|been|could|did|does|do|would|still|but"
    r"|that)\s+){0,4}"
    r"(?:(?:not|never|cannot|\w{1,8}n['’]t)\s+(?:\w{1,12}\s+){0,3}?"
    rf"(?:{_VERBS}|made|done|touched|needed?|necessary|finished|exists?|there|yet|possible|be"
    r"|create|write|make|change|modify|update|touch|get|reach|manage)\b"
    r"|(?:unchanged|untouched|unmodified|to be|should be|needs? to|will be)\b"
    r"|(?:excluded|skipped|planned|pending|missing|todo|to do|none|existing(?: file| code)?"
    r"|no (?:changes?|edits?)(?: needed)?|reference(?: only)?|read[- ]only)[\s*_`]*"
    r"(?:$|[()\],.;:—–]|-\s))",
    re.I,
)
"""Behind a path in a list of deliverables; other denials there tell of what the file does."""
_DELIVERABLES = compile_lazily(r"\bdeliverables?\b", re.I)


def _lists_deliverables(line: MessageLine) -> bool:
    """An entry under *Deliverables*: claimed by standing there."""
    return line.kind == "item" and bool(line.headings and _DELIVERABLES.search(line.headings[-1]))


def _claims(line: MessageLine, places: Sequence[_Place]) -> list[Claim]:
    """What the line says was done, for each path in it."""
    if _is_future(line) or line.unticked:
        return [""] * len(places)
    starts, ends = [place.start for place in places], [place.end for place in places]
    befores = [line.content[a:b] for a, b in zip([0, *ends], starts, strict=False)]
    afters = [line.content[a:b] for a, b in zip(ends, [*starts[1:], None], strict=True)]
    claims = _by_verbs_before(befores)
    denied = _WITHDRAWN if _lists_deliverables(line) else _DENIED
    for index in reversed(range(len(places))):
        if denied.match(afters[index]):
            claims[index] = ""
        elif said := _AFTER.match(afters[index]):
            claims[index] = _said_after(said)
        elif index + 1 < len(places) and not claims[index] and _JOINS.fullmatch(afters[index]):
            # "`a` and `b` were updated": what is said of the last holds for those joined to it.
            claims[index] = claims[index + 1] if _AFTER.match(afters[index + 1]) else ""
    listed = _listed(line, befores[0], afters[0])
    for index, place_claim in enumerate(claims):  # "Deliverables: `a`, `b` and `c`"
        if index and not _JOINS.fullmatch(befores[index]):
            break
        if not place_claim and not denied.match(afters[index]):
            claims[index] = listed
    return claims


def _listed(line: MessageLine, before: str, after: str) -> Claim:
    """What is said of a path that leads its line, or is led by no more than a label."""
    label = before.strip(_DECORATION)
    if label:
        said = _claim_of(label) if before.rstrip(" *_`").endswith(":") else ""
        names_it = said is None and _lists_deliverables(line) and not _LEADS_AWAY.search(label)
        return _section_claim(line) if names_it else said or ""
    if _lists_deliverables(line):
        return "" if _WITHDRAWN.match(after) else _section_claim(line)
    if _DENIED.match(after):
        return ""
    starts = _STARTS.search(after)
    if starts and not _UNSURE.search(after[: starts.start("verb")]):
        return "modified"
    return _section_claim(line)


def _by_verbs_before(befores: Sequence[str]) -> list[Claim]:
    """Follow a verb to the paths behind it, until the sentence turns away or ends."""
    claims: list[Claim] = []
    verb, sentence = "", ""
    last: Claim = ""
    for before in befores:
        *ended, part = _BOUNDARY.split(before)
        if ended:
            verb, sentence, last = "", "", ""
        found = max(_VERB.finditer(part), key=re.Match.start, default=None)
        if found:
            unsure = _UNSURE.search((sentence + part[: found.start()])[-60:])
            verb = "" if unsure else found[1].lower()
            claim = _led(verb, part[found.end() :]) if verb else ""
        elif not verb:
            claim = ""
        elif _JOINS.fullmatch(part) or (last and _JOINED_LATER.search(part)):
            claim = "created" if verb in ("moved", "renamed") and "→" in part else last
        else:
            claim = _led(verb, part) if _LEADS_ON.search(part) else ""
        sentence += part + "\0"
        last = claim
        claims.append(claim)
    return claims


def _led(verb: str, gap: str) -> Claim:
    """What a verb says of a path that ``gap`` parts from it."""
    kind = _kind(verb)
    tail = gap.rstrip(" *_`'\"")
    if tail.endswith(("(", ":", "→")):
        return "modified" if kind == "deleted" else kind
    ons = [match.start() for match in _LEADS_ON.finditer(gap)]
    aways = [match.start() for match in _LEADS_AWAY.finditer(gap)]
    if aways and (not ons or aways[-1] > ons[-1]):
        taken_out = kind == "deleted" or verb == "extracted"
        return "modified" if taken_out and gap[aways[-1] :].startswith("from") else ""
    if _STAYS_AWAY.search(gap):
        return ""
    if not ons:
        return kind
    if verb in ("moved", "renamed", "wrote", "written", "created", "generated"):
        return "created"
    return "modified"


def _said_after(said: re.Match[str]) -> Claim:
    """What the words after a path say of it: ``x.py (new)``, ``x.py: added parse()``."""
    kind = _kind(said["verb"])
    if said["by"] and "(" not in said[0]:  # "x.py is generated by": of somebody else
        return ""
    verb, what = said["verb"].lower(), (said["what"] or "").strip(" `")
    into = (verb in _INTO and what) or (verb == "new" and _SMALL.fullmatch(what))
    return "modified" if into else kind


def _kind(verb: str) -> Claim:
    return _KIND_OF[verb.lower()]


_FUTURE = compile_lazily(
    r"\b(?:next|todo|to[- ]do|recommend\w*|suggest\w*|follow[- ]?ups?|remaining|future|proposed"
    r"|proposal|plan|how to|usage|to (?:create|modify|change|update|add|delete|remove|write)"
    r"|(?:not|n['’]t|un)[ -]?(?:changed|modified|touched|done|created|updated)"
    r"|should|would|could)\b",
    re.I,
)
_SECTIONS: tuple[tuple[Claim, re.Pattern[str]], ...] = (
    ("deleted", compile_lazily(r"\b(?:deleted|removed)\b", re.I)),
    (
        "",
        compile_lazily(
            r"\b(?:reviewed|examined|explored|read|checked|analy\w+|consulted|references?|related"
            r"|relevant|existing|key files|context|background|overview|structure|issues?|problems?"
            r"|findings|requested|insights?|notes?)\b",
            re.I,
        ),
    ),
    (
        "created",
        compile_lazily(
            r"\b(?:created|new|added|deliverables?|outputs?|artifacts?|written|generated)\b", re.I
        ),
    ),
    (
        "modified",
        compile_lazily(
            r"\b(?:modified|changed|changes|updated|edited|implementation|implemented|refactor\w*"
            r"|touched|fixed|fixes|what (?:i|was) (?:did|done|changed)|work done|completed)\b",
            re.I,
        ),
    ),
)


def _is_future(line: MessageLine) -> bool:
    return any(_FUTURE.search(heading) for heading in line.headings)


def _section_claim(line: MessageLine) -> Claim:
    """What the nearest heading that says anything says of the files listed under it."""
    for heading in reversed(line.headings):
        if (claim := _claim_of(heading)) is not None:
            return claim
    return ""


def _claim_of(heading: str) -> Claim | None:
    """What a heading or label says of the files below it; None: nothing at all."""
    if _FUTURE.search(heading):
        return ""
    return next((claim for claim, words in _SECTIONS if words.search(heading)), None)
