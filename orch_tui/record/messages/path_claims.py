"""What the words around a path say was done to it: created, modified, deleted, or nothing.

A verb of doing counts that nobody denied, wished or quoted, with nothing between that turns the
path into something else (``based on``, ``for``, ``from``); or the heading, list or table it stands
in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.path_forms import DECORATION, PathPlace, split_words
from orch_tui.record.messages.patterns import compile_lazily

Claim = Literal["created", "modified", "deleted", ""]
_KINDS: dict[Claim, str] = {
    "created": """created added wrote written generated introduced scaffolded implemented built
        produced drafted new""",
    "modified": """modified updated changed edited refactored fixed rewrote rewritten extended
        patched replaced extracted adjusted improved simplified registered wired enhanced reworked
        migrated converted cleaned corrected bumped documented formatted reformatted switched
        integrated gained tweaked expanded hardened optimized optimised""",
    "deleted": "deleted removed dropped moved renamed",
}
CLAIM_OF_VERB: dict[str, Claim] = {
    verb: kind for kind, verbs in _KINDS.items() for verb in verbs.split()
}
_INTO = split_words("added introduced implemented built")
"""Verbs whose object goes into a file: "added parse()" changes the file it is said of."""
_SMALL = compile_lazily(
    r"(?:variable|function|field|option|column|prop|flag|setting|test|case|endpoint|route|method"
    r"|argument|parameter|key|section|entry|entries|behaviou?r|button|command)s?",
    re.I,
)
"""What is new inside a file that need not be new itself."""
_VERBS = "|".join(CLAIM_OF_VERB)
VERB = compile_lazily(rf"\b({_VERBS})\b(?![-/]\w)", re.I)
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


def read_claims(line: MessageLine, places: Sequence[PathPlace]) -> list[Claim]:
    """Read what a line says was done, for each path in it."""
    if is_about_future(line) or line.unticked:
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


def read_listed_claim(line: MessageLine, after: str) -> Claim:
    """Read what a listing says of a file: behind it, or in the heading above."""
    said = _AFTER.match(after)
    return _said_after(said) if said else _section_claim(line)


def _listed(line: MessageLine, before: str, after: str) -> Claim:
    """What is said of a path that leads its line, or is led by no more than a label."""
    label = before.strip(DECORATION)
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
        found = max(VERB.finditer(part), key=re.Match.start, default=None)
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
    return CLAIM_OF_VERB[verb.lower()]


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


def is_about_future(line: MessageLine) -> bool:
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
