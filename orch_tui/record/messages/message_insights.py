"""What a message sets apart as worth keeping: what was learned, found out, decided, warned of.

An insight is an item or paragraph under a heading that says so (*Key findings*, *Gotchas*, *Design
decisions*), the text behind such a label (``Note: …``), or a sentence that tells of learning or
deciding ("It turned out that …"). Code, rows of tables, rules and what others are quoted with are
none, and neither is what is left to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import lru_cache

from orch_tui.frozen import frozen, mutable
from orch_tui.record.messages.message_checks import find_checks
from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.path_claims import find_verbs
from orch_tui.record.messages.patterns import compile_lazily, holds_any


@frozen
class FoundInsight:
    """Something the agent learned."""

    text: str
    line: int
    excerpt: str


def find_insights(lines: Sequence[MessageLine]) -> list[FoundInsight]:
    """Every insight, in the order of the lines."""
    reader = _Reader()
    for passage in _passages(lines):
        reader.take(passage)
    return reader.close()


# --- passages --------------------------------------------------------------------------------


@mutable
class _Passage:
    """A heading, an item or a paragraph, however many lines it is broken into."""

    first: MessageLine
    texts: list[str]
    last: int
    """The number of its last line."""
    introduces: bool = False
    """Ends in a colon, with what it introduces below."""

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def _passages(lines: Sequence[MessageLine]) -> Iterator[_Passage]:
    passage: _Passage | None = None
    for line in lines:
        if passage and _continues(passage, line):
            passage.texts.append(line.content)
            passage.last = line.number
            continue
        if passage:
            passage.introduces = passage.text.rstrip("*_ ").endswith((":", "："))
            yield passage
        is_read = line.kind not in ("code", "row")
        passage = _Passage(line, [line.content], line.number) if is_read else None
    if passage:
        yield passage


def _continues(passage: _Passage, line: MessageLine) -> bool:
    first = passage.first
    if line.number - passage.last > 1:
        return False
    if line.kind == "quote" and _ALERT.match(passage.texts[0]):
        return True  # a box is one, whatever it lists
    if line.kind == first.kind in ("text", "quote"):
        if line.headings != first.headings:
            return False
        return not passage.texts[-1].rstrip("*_ ").endswith((":", "：")) and not _begins(line)
    return line.kind == "text" and first.kind == "item" and line.indent > first.indent


def _begins(line: MessageLine) -> bool:
    """A label or mark begins a paragraph of its own, blank line or not."""
    label = _LABEL_AND_REST.match(line.content)
    return bool(label or _SYMBOL.match(line.content))


# --- what says that something is an insight --------------------------------------------------

_KIND = (
    r"(?:insights?|findings?|learnings?|learn(?:ed|t)|lessons?(?:[- ]learn(?:ed|t))?|take-?aways?"
    r"|notes?|remarks?|observations?|discover(?:y|ies)|gotchas?|caveats?|pitfalls?|surprises?"
    r"|decisions?"
    r"|decided|choices|rationale|trade-?offs?|principles?|root[- ]causes?|causes?|conclusions?"
    r"|heads[- ]?up|warnings?|important|caution|attention|watch[- ]?outs?|quirks?|tips?|fyi|til"
    r"|n\.?b\.?|limitations?"
    r"|(?:good|worth|nice|useful) (?:to )?(?:know(?:ing)?|not(?:e|ing)|remember(?:ing)?)"
    r"|(?:things?|points?|what) (?:that )?(?:(?:are )?worth |to |i |we |you )?(?:should |have )?"
    r"(?:also )?(?:know(?:ing)?|not(?:e|ing)|remember(?:ing)?|learn(?:ed|t)|noticed"
    r"|found(?: out)?"
    r"|discovered|watch(?: out for)?)|what surprised (?:me|us))"
)
_FEW_WORDS = r"(?:[\w/’'-]{1,20},? ){0,4}?"
_HEADING = compile_lazily(
    rf"[\W\d_]{{0,12}}{_FEW_WORDS}{_KIND}\b(?![-/]\w)"
    r"(?:[^\w]{0,6}\Z|(?:\s?[,/&+(]|\s[—–-]\s|\s(?:and|or|observed|made|taken|found|learned"
    r"|worth|for"
    r"|about|from|of|on|in|during|along|while|to|that|you|with|behind|here|I|we)\b).{0,80}\Z)",
    re.I,
)
_NO_HEADING = compile_lazily(
    r"\b(?:release|upgrade|patch|meeting|open|pending|previous|prior|no|not|without"
    r"|address(?:ed|es)?"
    r"|resol\w+|todo|your|warnings?:? \d|passed|failed|files?)\b",
    re.I,
)
_ENDS_SECTION = compile_lazily(
    r"\bnext\b(?! \w+\W*$)|\bnext (?:steps?|actions?|tasks?|up)\b"
    r"|\b(?:todo|to[- ]do|recommend\w*|suggest\w*|follow[- ]?ups?|remaining|future|proposed"
    r"|open questions?|questions?|deliverables?|verification|validation|sources|references"
    r"|see also"
    r"|files? (?:created|changed|modified|touched)|(?:changed|modified|created|new) files?)\b",
    re.I,
)
"""A heading below that of insights that is about something else."""
_LABEL_AND_REST = compile_lazily(
    r"[\W_]{0,8}(?:ℹ\ufe0f?[\W_]{0,4})?(?P<label>[^\W_][^.!?:：。`\n]{1,60}?)[*_]{0,3}\s?(?:[:：—–]|\s-\s)[*_\s]{0,4}(?P<rest>\S.*)",
    re.S,
)
_LABEL = compile_lazily(
    rf"{_FEW_WORDS}{_KIND}(?:[ #]{{1,2}}\d{{1,3}})?"
    r"(?:\s?\([^()]{1,40}\)| for [\w ]{1,30})?[\W_]{0,4}",
    re.I,
)
_ALERT = compile_lazily(r"\[!(?:note|tip|important|warning|caution)\]\s*", re.I)
_SYMBOL = compile_lazily(r"[*_]{0,3}(?:💡|⚠️?|❗|‼️?|🔑|📌)\s*")
_SENTENCE = compile_lazily(r"(?<=[.!?。！])[\"”’)*_`]{0,3}(?:\s+|(?<=[。！]))")
_TOLD = compile_lazily(
    r"\W{0,6}(?:(?:also|however|but|and|so|then|in the end|along the way"
    r"|(?:while|when|during|after) [^,.]{1,60}),? )?"
    r"(?:it (?:turns|turned) out|turns out"
    r"|(?:I|we) (?:did )?consider(?:ed)?\b[^.]{1,200}\bdecided\b"
    r"|(?:I|we)(?:['’]ve|(?: also| then| have| only| later| soon| deliberately| finally)){0,2} "
    r"(?:learn(?:ed|t)|discovered|reali[sz]ed|found out|found that|figured out|decided|chose"
    r"|opted|concluded|settled on)\b(?! (?:no|nothing)\b)"
    r"|(?:please |also )?note that|keep in mind|be aware|beware"
    r"|(?:it(?:['’]s| is) )?worth (?:noting|knowing|remembering|mentioning)"
    r"|the (?:\w{1,12} )?(?:lesson|catch|trick|cause|insight|takeaway|surprise"
    r"|gotcha)\b[^.]{0,40}"
    r" (?:is|was)\b|(?:one|another) (?:\w{1,12} )?(?:thing to|gotcha|caveat|surprise|lesson"
    r"|catch)\b|surprisingly|interestingly)",
    re.I,
    where=holds_any(
        *("turn", "consider", "learn", "discover", "reali", "found", "figured", "decided", "chose"),
        *("opted", "concluded", "settled", "note", "mind", "ware", "worth", "lesson", "catch"),
        *("trick", "cause", "insight", "takeaway", "surpris", "gotcha", "thing", "caveat"),
        "interest",
    ),
)
"""How a sentence begins that tells of something learned or decided."""
_GOES_ON = compile_lazily(
    r"\W*(?:(?:I|we)\b|(?:(?:all|the|\d+) ){0,3}(?:\w+ )?(?:tests?|checks?|specs?|suite)\b)", re.I
)
"""How a sentence begins that goes on with the report."""
_NOTHING = compile_lazily(
    r"[\W_]{0,6}(?:n/?a|not applicable|(?:none|nothing|no (?:\w{1,12} )?(?:insights?|findings?"
    r"|learnings?|lessons|notes?|observations?|discoveries|gotchas?|surprises|decisions|caveats))"
    r"(?: (?:to (?:report|add|note|share|mention|list)|new|special|notable|noteworthy|of note"
    r"|here"
    r"|this time|so far|yet|found|identified|learned|recorded)){0,3})"
    r"[\s.!*_`]{0,6}(?:[(—–-].{0,200})?",
    re.I,
    where=compile_lazily("n[/ao]", re.I),
)
"""What stands in a list for having nothing to list."""
_SHORTEST, _SHORTEST_OF_SIGNS = 8, 4


@lru_cache(maxsize=64)  # the same ones, for each line below them
def _is_heading(heading: str) -> bool:
    return bool(
        _HEADING.match(heading) and not _NO_HEADING.search(heading) and not any(find_verbs(heading))
    )


def _section(headings: Sequence[str]) -> str:
    """The nearest heading that says that what is below are insights."""
    for heading in reversed(headings):
        if _ENDS_SECTION.search(heading):
            return ""
        if _is_heading(heading):
            return heading
    return ""


def _labelled(text: str) -> Iterator[str]:
    """The texts behind labels that stand at the beginning of a sentence."""
    sentences = _SENTENCE.split(text)
    behind: list[str] = []
    for sentence in sentences:
        split = _LABEL_AND_REST.match(sentence)
        if split and _is_label(split["label"]):
            if behind:
                yield " ".join(behind)
            behind = [split["rest"]]
        elif behind and _GOES_ON.match(put_into_english(sentence)):
            yield " ".join(behind)
            behind = []
        elif behind:
            behind.append(sentence)
    if behind:
        yield " ".join(behind)


def _is_label(label: str) -> bool:
    label = put_into_english(label).strip()
    return bool(
        _LABEL.fullmatch(label) and not _NO_HEADING.search(label) and not any(find_verbs(label))
    )


# --- reading ---------------------------------------------------------------------------------


@mutable
class _Reader:
    """Reads the passages of a message in their order."""

    found: list[FoundInsight] = field(default_factory=list)
    section: str = ""
    """Heading of the insights being read."""
    margin: int = 0
    """Indentation of the outermost items of the section."""
    title: MessageLine | None = None
    """A heading inside the section, until it is known what stands below."""
    joined: tuple[str, ...] = ()
    """Below these headings all belongs to the last insight."""

    def take(self, passage: _Passage) -> None:
        first = passage.first
        if first.kind == "quote":
            self.quoted(passage)
            return
        section = _section(first.headings)
        if section != self.section:
            self.end_title()
            self.section, self.margin = section, first.indent
        if first.kind == "heading":
            self.heading(first)
        elif self.joined and first.headings[: len(self.joined)] == self.joined:
            self.join(passage.text)
        elif _NOTHING.fullmatch(passage.text):
            pass
        elif behind := list(_labelled(passage.text)):
            self.end_title()
            self.told_before_label(passage)
            for text in behind:
                if section or len(text) >= (_SHORTEST if text.isascii() else _SHORTEST_OF_SIGNS):
                    self.add(text, first)
        elif section:
            self.listed(passage)
        else:
            self.told(passage)

    def quoted(self, passage: _Passage) -> None:
        """Only what is set in a box is the agent's own."""
        alert = _ALERT.match(passage.text)
        behind = [passage.text[alert.end() :]] if alert else []
        starts = _LABEL_AND_REST.match(passage.text)
        if not alert and starts and _is_label(starts["label"]):
            behind = list(_labelled(passage.text))
        for text in behind:
            self.add(text, passage.first)

    def heading(self, line: MessageLine) -> None:
        """``Finding 2: the queue …`` is one; a heading inside a section is its title."""
        self.end_title()
        self.joined = ()
        behind = list(_labelled(line.content))
        if behind and not _is_heading(line.content):
            self.add(" ".join(behind), line)
            self.joined = (*line.headings, line.content)
        elif self.section and not (_is_heading(line.content) or _ENDS_SECTION.search(line.content)):
            self.title = line

    def listed(self, passage: _Passage) -> None:
        first = passage.first
        if first.kind == "text" and passage.introduces:
            return
        if first.indent > self.margin and self.found:
            self.join(passage.text)
            return
        self.margin = first.indent
        if self.title and first.kind == "text":
            title, self.title = self.title, None
            self.add(f"{title.content.rstrip(':')}: {passage.text}", title)
        else:
            self.title = None
            self.add(passage.text, first)

    def told(self, passage: _Passage) -> None:
        """Sentences that tell of learning, and what a bulb or warning sign stands before."""
        first = passage.first
        if first.unticked or any(_ENDS_SECTION.search(heading) for heading in first.headings):
            return
        if (symbol := _SYMBOL.match(passage.text)) and not find_checks([first]):
            self.add(passage.text[symbol.end() :], first)
            return
        for sentence in _SENTENCE.split(passage.text):
            if _TOLD.match(sentence) and not sentence.rstrip().endswith(("?", ":")):
                self.add(sentence, first)

    def told_before_label(self, passage: _Passage) -> None:
        """Tell of learning in sentences that stand before a label."""
        for sentence in _SENTENCE.split(passage.text):
            label = _LABEL_AND_REST.match(sentence)
            if label and _is_label(label["label"]):
                return
            if _TOLD.match(sentence):
                self.add(sentence, passage.first)

    def add(self, text: str, line: MessageLine) -> None:
        text = re.sub(r"\*\*|__", "", text).strip()
        if text and not _NOTHING.fullmatch(text):
            self.found.append(FoundInsight(text, line.number, line.excerpt))

    def join(self, text: str) -> None:
        last = self.found.pop()
        plain = re.sub(r"\*\*|__", "", text).strip()
        self.found.append(FoundInsight(f"{last.text}\n{plain}", last.line, last.excerpt))

    def end_title(self) -> None:
        """A title with nothing below says it all."""
        if self.title:
            self.add(self.title.content, self.title)
        self.title = None

    def close(self) -> list[FoundInsight]:
        self.end_title()
        return self.found
