"""What a message says of its checks: ``tests: pass``, ``42 passed, 1 failed``, ``coverage: 85 %``.

Each line is cut into a few kinds of tokens and read once from left to right: names of checks are
gathered, results are given to them, a denial turns the next result around ("tests do not pass"),
a word that says nothing of either parts them. What is demanded, conditional or past ("should
pass", "once lint passes", "fixed 3 failing tests") is no result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from orch_tui.frozen import frozen, mutable
from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.patterns import compile_lazily, holds_any

Result = str | int | float


@frozen
class FoundCheck:
    """One result of one check."""

    name: str
    """format, lint, types, tests, coverage or build where it is one of these, else as given."""
    result: Result
    """``pass``, ``fail`` or ``skip``; or a number, for coverage the percentage."""
    line: int
    excerpt: str


def find_checks(lines: Iterable[MessageLine]) -> list[FoundCheck]:
    """Every result stated, each once, in the order in which they were last stated."""
    found: dict[tuple[str, Result], FoundCheck] = {}
    above: MessageLine | None = None
    for line in lines:
        if line.kind == "quote":
            continue
        if (
            above
            and line.indent > above.indent
            and _ALL_WELL.fullmatch(line.content)
            and _TESTS.search(above.content)
            and not above.unticked
        ):
            found["tests", "pass"] = FoundCheck("tests", "pass", line.number, line.excerpt)
        above = line
        if line.kind == "code" and line.language not in _OUTPUT_LANGUAGES:
            continue
        if line.unticked or any(_ELSEWHEN.search(heading) for heading in line.headings):
            continue
        for name, result in _results(line):
            found.pop((name, result), None)
            found[name, result] = FoundCheck(name, result, line.number, line.excerpt)
    return list(found.values())


def _results(line: MessageLine) -> Iterator[tuple[str, Result]]:
    under_checks = any(_CHECKING.search(heading) for heading in line.headings)
    content = put_into_english(line.content)
    for idiom, meaning in _IDIOMS:
        content = idiom.sub(meaning, content)
    content = _SKIPPED.sub(_count_skipped, content)
    if line.ticked:
        content = f"✅ {content}"
    if line.kind == "row" and (told := _by_columns(line)):
        yield from told
        return
    for part in _PARTS.split(content) if under_checks else (content,):
        found = _Reader().read(part) if _may_state(part) else []
        yield from found or (_labelled(part, line) if under_checks else [])


_ALL_WELL = compile_lazily(
    r"\W{0,4}(?:(?:they |these )?(?:all|both|everything)? ?(?:are |is )?(?:of them )?(?:now )?"
    r"(?:green|pass(?:es|ed|ing)?|succeed(?:s|ed)?))[\s.!✅✓]{0,4}",
    re.I,
)
_TESTS = compile_lazily(r"\b(?:tests?|specs?)\b", re.I)
"""``test_x.py (7 tests)``, and below it ``all green``."""
_OUTPUT_LANGUAGES = ("", "text", "txt", "plaintext", "console", "log", "output")
_ELSEWHEN = compile_lazily(
    r"\b(?:next|todo|to[- ]do|recommend\w*|suggest\w*|follow[- ]?ups?|remaining|future|proposed"
    r"|plan|how to|usage|before|previous\w*|acceptance|criteria|requirements?|expected)\b",
    re.I,
)

# --- tokens ----------------------------------------------------------------------------------

_NAMES: Mapping[str, str] = {
    "tests": "whole suite|full suite|entire suite|complete suite|the suite"
    "|pytest|unittest|tox|nox|cypress|ctest|jest|vitest|mocha|rspec|exunit|phpunit|junit"
    "|playwright|nextest|karma|jasmine|minitest|bats|dotnet test|gradle test|cargo test|go test"
    "|xcodebuild test|swift test|zig test|zig build test|sbt test|rebar3 ct|eunit|stack test"
    "|cabal test"
    "|dune runtest|dune test|mvn test|rails test|artisan test|pest|testthat|nose2|busted"
    "|mix test|npm test|bun test|make test|doctests?|tests?|specs?|test[ -]suite",
    "lint": "dart analyze|flutter analyze|oxlint|semgrep|bandit|standardrb|ruff check|go vet"
    "|ruff|credo|clippy|flake8|pylint|golangci-lint|rubocop|biome"
    "|shellcheck|staticcheck|checkstyle|detekt|phpcs|sqlfluff|[\\w-]{1,20}lint|linting|linters?"
    "|lints?",
    "format": "scalafmt\\w{0,12}|spotless\\w{0,12}|swift-?format|shfmt|yapf|ktfmt|dart format"
    "|zig fmt|deno fmt|csharpier|prettier|black|isort|clang-format|dprint|goimports"
    "|ruff format|gofmt|rustfmt|cargo fmt|terraform fmt|mix format"
    "|formatting|formatter|format",
    "types": "basedpyright|sorbet|vue-tsc|svelte-check|phpstan|psalm"
    "|type[- ]?checks?|type[- ]?checking|type[- ]?checker|types?|typing|tsc|mypy|pyright"
    "|dialyzer|typescript",
    "coverage": "coverage",
    "build": "builds?|compilation|compiles?|cargo build|vite build|go build",
}
_ANY_NAME = "|".join(sorted("|".join(_NAMES.values()).split("|"), key=len, reverse=True))
"""Longer ones first: "ruff format" is not "ruff"."""
_KIND_OF_TESTS = (
    "integration|e2e|end[- ]to[- ]end|smoke|regression|performance|acceptance|snapshot|property"
    "|contract|backend|frontend|api|ui"
)
_WORDS: Mapping[str, str] = {
    "pass": "pass passes passed passing green clean ok succeed succeeds succeeded success"
    " successful successfully happy works ✅ ✓ ✔ ☑ 🟢",
    "fail": "fail fails failed failing broken ❌ ✗ ✘ ✖ 🔴",
    "errors": "error errors issue issues problem problems violation violations offenses offences"
    " regressions failure failures",
    "warnings": "warnings warning",
    "deny": "not never none neither no zero 0 without cannot",
    "unsure": "should must will would could may might ensure verify if when until once before"
    " unless need needs expect expects want previously initially originally earlier fixed"
    " fixes fixing resolve resolved resolves repair repaired why whether where asserts make"
    " caused causes",
    "target": "target targets threshold goal minimum required requires least above below over ≥ >",
    "except": "except",
    "at": "at",
    "skip": "skipped",
    "again": "too likewise",
    "count": "two three four five six seven eight nine ten several some many",
    "join": ", and & / + plus",
    "end": ";",
    "filler": "is are was were be been being now all still also currently check checks checker"
    " checking suite suites run runs ran result results status final output exit exits exited"
    " complete completed completes finished gate step job command script validation do does did"
    " have has fully cleanly the found came come back returned returns report reports reported"
    " remain remains stay stays with any new existing unit full in under of a an to from went"
    " up rose increased improved reached total overall line lines code branch examples assertions"
    " cases statement entire whole"
    " readability style minor major small remaining pre-existing preexisting"
    " unrelated file files old"
    " mix npx yarn pnpm cargo gradlew formatted linted done says say said prints printed shows"
    " gives | : = * _ ` ' \" – — - → > ( ) [ ] 100% 🧪 📊",
}
_KIND_OF_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_TOKEN = compile_lazily(
    rf"(?P<name>(?:(?P<kind_of_tests>{_KIND_OF_TESTS})[ -](?=tests?\b|test[ -]suite\b))?"
    rf"(?P<check>{_ANY_NAME}))(?![\w/]|[.-]\w)"
    rf"|(?P<tests>{_KIND_OF_TESTS}|unit)(?=[\s*_`]{{0,4}}(?:[:|=✅❌✓✗]|\s(?:pass|fail)))"
    r"|(?P<same>so (?:do|does|did|is|are|was|were)\b|as (?:do|does|did|is|are)\b)"
    r"|(?P<deny>no longer\b|\w{1,8}n['’]t\b)"
    r"|(?P<other>n/a\b|not run\b|(?:not|never) (?:executed|applicable)\b)"
    r"|(?P<filler>both(?= (?:pass|succeed|work|fail|are|were)\w*)"
    r"|`[\w./-]{1,80}/`|\.{0,2}/[\w./-]*|(?<!\w)--?\w[\w=-]*)"
    r"|(?P<end>[.!?](?=[\s*_`)\"']|$))"
    r"|(?P<percent>\d{1,3}(?:\.\d{1,4})?)\s?%"
    r"|(?P<ratio>\d{1,7} ?/ ?\d{1,7})\b"
    r"|(?P<number>[1-9]\d{0,6})(?![\w.])"
    r"|(?P<word>\w+(?:[.-]\w+)*(?:[/\\](?:[\w./\\-]*[\w/\\-])?)?|[^\w\s])",
    re.I,
)
_MAY_NAME = holds_any(*set(re.findall(r"[a-z]{3,}(?!\?)", _ANY_NAME)))
_COMMAND = compile_lazily(
    r"`(?:[A-Z_]{1,30}=\S{1,60} )*(?:npx |uv run |poetry run |python3? -m |bundle exec |pnpm "
    r"|yarn "
    r"|npm run |npm |bun run |bun |make |just |\./)*(?:[\w./-]{1,20} )?(?::?[\w-]{1,20}:){0,3}"
    rf"(?P<check>{_ANY_NAME})(?![\w/]|\.\w)[^`]{{0,200}}`",
    re.I,
    where=_MAY_NAME,
)
"""A command in backticks stands for the check that it runs."""

_WITH_ARGUMENTS = compile_lazily(
    rf"(?:(?<=[.;,] )|^)(?P<check>{_ANY_NAME})"
    r"(?: (?:-\S{1,60}|(?!and\b|or\b)[\w/=*-]{1,40}(?:\.[\w/=*.-]{0,40}[\w/=*-])?)){1,5}(?=: )",
    re.I,
    where=compile_lazily(": "),
)
"""The same without backticks, at the beginning: ``mypy --strict src: Success``."""
_IDIOMS = (
    (
        compile_lazily(
            r"\b(?:does|do|did)(?: not|n['’]t) (?:yet )?(build|compile|type-?check|lint)\b", re.I
        ),
        r"\1 failed.",
    ),
    (
        compile_lazily(
            r"\bexit(?:s|ed)?(?: (?:code|status|with)){0,3}:? 0\b", re.I, where=holds_any("exit")
        ),
        "passed",
    ),
    (
        compile_lazily(
            r"\bexit(?:s|ed)?(?: (?:code|status|with)){0,3}:? [1-9]\d{0,2}\b",
            re.I,
            where=holds_any("exit"),
        ),
        "failed",
    ),
    (
        compile_lazily(
            r"\b(tests|specs)\b(?:(?!not\b|fail)[^.;:]|\.(?=\w)){1,200}?"
            r"\band (?:they )?(?:all |both )?(?:pass|are green|succeed)\b",
            re.I,
        ),
        r"\1 pass",
    ),
    (compile_lazily(r", (?:which|and (?:it|they|that)) (?=(?:all )?(?:pass|fail|succe))"), " "),
    (
        compile_lazily(
            r"^(?:\W*(?:unit )?tests?\W{1,4}(?<=[:*] )).{1,300}[.;] (?:all|everything) "
            r"(?:is |are )?(green|pass\w*)\b",
            re.I,
            where=compile_lazily("test", re.I),
        ),
        r"tests \1",
    ),
    (compile_lazily(r"\bcould not compile\b", re.I), "build failed."),
    (
        compile_lazily(
            r"\b(?:everything|all(?: checks| gates| of (?:it|them))?) (?:is |are )?"
            r"(?:pass(?:es|ed)?|green|clean|fine|ok)\s?[:(—–-]\s?([^.;:]{1,200})",
            re.I,
        ),
        r"\1 passed",
    ),
    (
        compile_lazily(
            r"(?<=`)(?: and|,|, and) `[a-z][\w:-]{0,30}(?: [\w:./=-]{1,40}){0,6}`"
            r"(?= (?:are|is|both|all|pass|were|succe)\w*)"
        ),
        "",
    ),
    (compile_lazily(r"\balready formatted\b", re.I), "clean"),
    (compile_lazily(r"\bwould (?:be )?reformat(?:ted)?\b", re.I), "failed"),
    (compile_lazily(r"`make\s"), "`"),
    (compile_lazily(r"^ok\s+\S+\s+(?:\d+\.\d+s|\(cached\))"), "tests passed"),
    (compile_lazily(r"^FAIL\s+\S+\s+(?:\d+\.\d+s|\[)"), "tests failed ["),
    (
        compile_lazily(
            r"\b(?:reports?|says?|has|have|finds?|found|shows?)"
            r" (?:nothing|no (?:complaints?|findings))\b(?: to (?:say|report))?",
            re.I,
        ),
        "is clean",
    ),
    (
        compile_lazily(r"\b(\d{1,3}(?:\.\d{1,4})?) ?% (?:of )?test coverage\b", re.I),
        r"\1% coverage",
    ),
)
"""What tools and people say that other words here would make something else of."""

_SKIPPED = compile_lazily(
    r"\b(?P<done>\d{1,6}) ?/ ?(?P<of>\d{1,6})(?P<between>[^\w.;]{0,4}(?:pass\w{0,3}|ok"
    r"|green)?[\s(,;]{1,4})"
    r"(?P<left>\d{1,6}) (?=skipped|ignored|xfailed|pending)",
    re.I,
    where=holds_any("skip", "ignor", "xfail", "pending"),
)


def _count_skipped(found: re.Match[str]) -> str:
    """``23/24 (1 skipped)``: nothing failed."""
    done, of, left = (int(found[part]) for part in ("done", "of", "left"))
    return f"{of}/{of}{found['between']}" if done + left == of else found[0]


_BARE_COVERAGE = compile_lazily(
    r"\b(coverage[*_`]{0,3} ?[:=][ *_`]{0,4}(?:100|\d{1,2}(?:\.\d{1,4})?))(?=[ *_`]*(?:$|[,;)("
    r"|]))",
    re.I,
)
"""``coverage: 85``, of which a person adds the sign."""

_SIGNS = frozenset("?[\\")
_PLAIN = {
    word: name
    for name, words in _NAMES.items()
    for word in words.split("|")
    if _SIGNS.isdisjoint(word)
}
_SPELT = {
    name: compile_lazily("|".join(word for word in words.split("|") if word not in _PLAIN), re.I)
    for name, words in _NAMES.items()
}
"""The others, each spelt in several ways."""


def _canonical(check: str) -> str:
    if plain := _PLAIN.get(check.lower()):
        return plain
    return next((name for name, words in _SPELT.items() if words.fullmatch(check)), "")


_OF_TESTS = frozenset(("pass", "passed", "passing", "fail", "failed", "failing"))
"""What a number stands before that is one of tests, whoever it is said of."""
_STATING = frozenset(
    " ".join(_WORDS[kind] for kind in ("pass", "fail", "errors", "warnings", "skip")).split()
    + ["%", "coverage"]
)
_WORD = compile_lazily(r"\w+|[^\w\s]")
_RATIO = compile_lazily(r"\d ?/ ?\d")


def _may_state(text: str) -> bool:
    """Tell whether anything may be stated of a check: most lines do not, and reading takes"
    " long."""
    return not _STATING.isdisjoint(_WORD.findall(text.lower())) or bool(_RATIO.search(text))


_FILE = r"(?:`[^`\s]{1,200}`|[\w.-]{1,60}/[\w./*-]{0,100}[\w*/])"
_OF_FILE = compile_lazily(
    rf"(?<=[ts] )(?:in|under|of|from|for) (?=`?[\w.-]*[/.]){_FILE}(?:,? (?:and )?{_FILE}){{0,8}}",
    re.I,
)
"""Where the tests are that pass."""
_CODE_SPAN = compile_lazily(r"`[^`]{1,400}`")


def _name_command(span: re.Match[str]) -> str:
    """Put the check that a command runs in its place; other code stays as it is."""
    command = _COMMAND.fullmatch(span[0])
    return f" {_canonical(command['check'])} " if command else span[0]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    text = _BARE_COVERAGE.sub(r"\1%", text)
    text = _OF_FILE.sub("in", text)
    text = _CODE_SPAN.sub(_name_command, text)
    text = _WITH_ARGUMENTS.sub(lambda match: _canonical(match["check"]), text)
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "tests":
            tests = match["tests"].lower()
            yield "name", "tests" if tests in ("unit", "api", "ui") else f"{tests} tests"
        elif match["name"]:
            tests = match["kind_of_tests"]
            yield "name", f"{tests.lower()} tests" if tests else _canonical(match["check"])
        elif kind == "word":
            word = match["word"].lower()
            parts = word.split("/")
            if len(parts) > 1 and all(part in _NAMES for part in parts):
                for part in parts:  # "lint/types/tests"
                    yield "name", part
                    yield "join", "/"
            else:
                yield _KIND_OF_WORD.get(word, "other"), word
        else:
            yield kind, match[kind]


# --- reading ---------------------------------------------------------------------------------


@mutable
class _Reader:
    """Reads one line. The fields are what it remembers between two tokens."""

    found: list[tuple[str, Result]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """The checks that the next result belongs to."""
    results: list[str] = field(default_factory=list)
    mark: str = ""
    """A tick or cross that stands before a name."""
    percent: Result | None = None
    ratio: str = ""
    """What ``212/212`` behind a name says."""
    denied: bool = False
    unsure: bool = False
    target: bool = False
    number: bool = False
    counted: bool = False
    """The token before was a number."""
    joined: bool = False
    last: str = ""
    """The result before, which "so does the linter" repeats."""
    parentheses: int = 0

    def read(self, text: str) -> list[tuple[str, Result]]:
        tokens = list(_tokens(text))
        for (kind, word), (following, _) in zip(tokens, [*tokens[1:], ("end", "")], strict=False):
            self.take(kind, word, following)
            self.counted = kind in ("number", "ratio")
        self.close()
        return self.found

    def take(self, kind: str, word: str, following: str) -> None:
        self.parentheses += (word == "(") - (word == ")")
        match kind:
            case "name":
                self.name(word)
            case "pass" | "fail":
                self.result(kind, word, following)
            case "skip" if self.names and not (self.results or self.number):
                if following in ("end", "filler", "join"):
                    self.results.append("skip")
            case "errors" if self.denied or self.number:
                self.result("fail", word, following)
            case "warnings" if self.denied:
                self.result("fail", word, following)
            case "percent" if self.parentheses and self.percent is not None:
                pass  # "88 % (was 86 %)"
            case "percent" if not (self.target or self.unsure or following == "target"):
                self.percent = float(word) if "." in word else int(word)
            case "ratio":
                done, of = map(int, word.split("/"))
                self.number, self.denied = True, done < of
                self.ratio = "fail" if done < of else "pass"
            case "number" | "count":
                self.number = True
            case "deny":
                self.denied = not self.denied
            case "unsure" if self.results and word in ("if", "when", "once", "unless", "until"):
                self.results.clear()  # "tests pass once …"
            case "unsure":
                self.unsure = True
            case "target" | "at":
                self.target = kind == "target"
            case "except" if self.results:
                self.results.append("fail")
            case "again" if self.names and self.last and not self.results:
                self.results.append(self.last)
            case "same" if self.results or self.last:
                last = "fail" if "fail" in self.results else "pass" if self.results else self.last
                self.close()
                self.mark = last
            case "filler" if word in ("—", "–") and not self.names:
                self.unsure = False  # another clause
            case "join":
                self.joined = True
            case "end":
                self.close()
                self.unsure = self.target = False
                self.mark = ""
            case "other" if not self.parentheses:
                self.ratio = ""
                self.close()
                self.mark = ""

    def name(self, name: str) -> None:
        if self.results or not self.joined:
            denied, number, percent = self.denied, self.number, self.percent
            self.close()
            self.denied, self.number = denied, number
            if name == "coverage":  # "85 % coverage"
                self.percent = percent
        self.names.append(name)
        self.joined = self.target = False

    def result(self, kind: str, word: str, following: str) -> None:
        if not self.names and not word.isalpha():
            self.mark = kind
        elif (
            not self.names
            and self.counted
            and word in _OF_TESTS
            and following not in ("other", "unsure")
        ):
            self.names.append("tests")  # "42 passed"
        if self.names and not self.unsure:
            denied = {"pass": "fail", "fail": "pass"}
            self.results.append(denied[kind] if self.denied else kind)
        self.denied = self.number = self.joined = False

    def close(self) -> None:
        """Give the names what was gathered for them; the worst counts."""
        told = self.mark or self.ratio
        results = self.results or ([told] if told and not self.unsure else [])
        for name in self.names:
            if name == "coverage" and self.percent is not None:
                self.found.append((name, self.percent))
            elif results:
                told_of = [result for result in ("fail", "pass", "skip") if result in results]
                self.last = told_of[0]
                self.found.append((name, self.last))
        self.names, self.results, self.percent, self.ratio = [], [], None, ""
        self.denied = self.number = self.joined = False


_PARTS = compile_lazily(r",(?=[\s*_`]{0,8}[A-Za-z][\w +.-]{0,40}[\s*_`]{0,6}:)")
"""Where ``format:pass,lint:0`` is cut."""
_LABELLED = compile_lazily(
    r"[|\s*_`-]{0,8}(?P<label>[A-Za-z][\w &+.-]{1,40}?)[\s*_`]{0,6}[:|][\s*_`|:]{0,8}"
    r"(?:(?:(?P<pass>pass(?:ed|es)?|✅|✓|✔)|(?P<fail>fail(?:ed|s)?|❌|✗|✘)|skip(?:ped)?)(?![\w-])"
    r"|(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?) ?%?(?=[\s*_`]*(?:$|[(|—–])))",
    re.I,
)
_CHECKING = compile_lazily(r"\b(?:validat|verif|check|gate|quality|result|ci\b)\w*", re.I)
_VALIDATION = compile_lazily(r"\bvalidat", re.I)
_NO_CHECK = compile_lazily(
    r"\b(?:status|overall|summary|verdict|before|after|total|note|version|duration|time|date"
    r"|exit)\b",
    re.I,
)


def _by_columns(line: MessageLine) -> list[tuple[str, Result]]:
    """Read ``| unit | 310 | 0 |`` below ``| Suite | Passed | Failed |``."""
    head = next((heading for heading in reversed(line.headings) if "|" in heading), "")
    if not _FAILED.search(head):
        return []
    heads = [cell.strip() for cell in head.strip("| ").split("|")]
    cells = [cell.strip(" *_`") for cell in line.content.strip("| ").split("|")]
    told = {
        "fail" if _FAILED.match(name) else "pass": int(cell)
        for name, cell in zip(heads, cells, strict=False)
        if cell.isdecimal() and (_FAILED.match(name) or _PASSED.match(name))
    }
    if not told or not cells[0] or cells[0].isdecimal() or _NO_CHECK.search(cells[0]):
        return []
    name = cells[0].lower()
    kind = "tests" if name in ("unit", "unit tests") else _canonical(name) or name
    result = "fail" if told.get("fail") else "pass" if told.get("pass") else ""
    return [(kind, result)] if result else []


_FAILED = compile_lazily(r"\b(?:failed|failures?|failing|fail|errors?)\b", re.I)
_PASSED = compile_lazily(r"\b(?:passed|passing|pass|successe?s|ok)\b", re.I)


def _labelled(text: str, line: MessageLine) -> list[tuple[str, Result]]:
    """``Security audit: pass`` under a heading about checks: a check by the name it is given.

    A number is a result of a check that is known, and in a list of validation results of any.
    """
    match = _LABELLED.match(text)
    if not match or _NO_CHECK.search(match["label"]):
        return []
    label = match["label"].strip().lower()
    name = _canonical(label)
    listed = line.kind == "item" and _VALIDATION.search(line.headings[-1])
    if not match["number"]:
        result = "pass" if match["pass"] else "fail" if match["fail"] else "skip"
        return [(name or label, result)]
    number = float(match["number"]) if "." in match["number"] else int(match["number"])
    return [(name or label, number)] if name or listed else []
