"""What the words around a path say was done to it: created, modified, deleted, or nothing.

A verb of doing counts that nobody denied, wished or quoted, with nothing between that turns the
path into something else (``based on``, ``for``, ``from``); or the heading, list or table it stands
in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.path_forms import DECORATION, PathPlace, split_words
from orch_tui.record.messages.patterns import FIRST_PERSON, LETTER, compile_lazily

Claim = Literal["created", "modified", "deleted", ""]
_KINDS: dict[Claim, str] = {
    "created": """created added wrote written generated introduced scaffolded implemented built
        regenerated recreated rebuilt produced drafted saved exported new""",
    "modified": """modified updated changed edited refactored fixed rewrote rewritten extended
        patched replaced extracted adjusted improved simplified registered wired enhanced reworked
        migrated converted cleaned corrected bumped documented formatted reformatted switched
        integrated gained tweaked expanded hardened optimized optimised adapted annotated amended
        reorganized reorganised restructured renumbered reverted inlined pointed lost split""",
    "deleted": "deleted removed dropped moved renamed",
}
CLAIM_OF_VERB: dict[str, Claim] = {
    verb: kind for kind, verbs in _KINDS.items() for verb in verbs.split()
}
_OF_BARE_VERB: dict[str, Claim] = {"write": "created", "create": "created", "add": "created"}
_INTO = split_words("added introduced implemented built")
"""Verbs whose object goes into a file: "added parse()" changes the file it is said of."""
_SMALL = compile_lazily(
    r"(?:variable|function|field|option|column|prop|flag|setting|test|case|endpoint|route|method"
    r"|argument|parameter|key|section|entry|entries|behaviou?r|button|command)s?",
    re.I,
)
"""What is new inside a file that need not be new itself."""
_VERBS = "|".join(CLAIM_OF_VERB)
_ANY_WORD = "[a-z]{3,14}"
"""What stands where a verb of doing may: ``_is_verb`` tells whether it is one sooner than a
pattern of all of them is compiled."""
_WORD_OF_DOING = compile_lazily(rf"\b(?P<verb>{_ANY_WORD})\b(?![-/]\w)", re.I, where=LETTER)
LOOKS = "|".join(
    split_words(
        """read look review check examin inspect test verif compar open search trac confirm notic us
        follow consider decid discover learn realis realiz reproduc benchmark measur profil
        investigat explor list ask want need tri start finish stop import referenc cit mention skip
        ignor exclud avoid call execut analys analyz studi scann validat ensur reli bas assum
        identifi debugg fail encounter observ suspect touch determin locat unchang unmodif untouch
        relat expect suggest requir propos recommend block delay reject nam stor load watch wait
        help grepp audit includ attach record exist receiv agre plann affect involv concern contain
        defin situat plac caus pars process count filter queri fetch iterat sampl crawl replay"""
    )
)
"""Beginnings of verbs that only look at a file, or tell nothing of it."""
ONLY_LOOKS = compile_lazily(
    rf"\W*(?:I |we )?(?:{LOOKS}|no (?:change|edit)|not |nothing|unchanged|untouched|fine|ok\b)",
    re.I,
)
"""How a line begins that says of the file above it that it stays as it was."""
_BARE = "write|create|add|update|change|modify|fix|extend|touch|edit|adjust|adapt|rewrite"
IRREGULAR = (
    "set|put|made|cut|gave|built|rebuilt|split|froze|drew|hid|bound|broke|brought|sent|taught"
    "|tore"
    "|swept|threw|shrank|spun|wove"
)
"""Verbs of doing in the past that do not end in ``ed``."""
_DID = compile_lazily(
    r"(?:\b(?:I|we)(?:['’]ve|(?: also| then| now| just| only| have| already)){0,3} "
    r"|\bI\b[^.;]{0,120}?\band (?:then |also |only )?|^[*_`) ]{0,4},? ?and (?:then |also )?"
    r"|^[\W_]{0,6}(?=(?-i:[A-Z])))"
    rf"(?P<verb>(?!(?:{LOOKS})\w*ed\b)(?:[a-z]{{2,20}}ed|{IRREGULAR}))\b"
    rf"|\b(?:did|had to) (?P<bare>{_BARE})\b"
    r"|\b(?:changes?|edits?|fix) (?:is|are|was|were) (?P<only>confined|limited"
    r"|restricted)(?= to\b)"
    r"|\b(?:fix|change)(?:es|s)? (?P<stands>is|are|was|were|went|lives?|landed)(?: now)?"
    r"(?=(?: (?:one|two|a|an|the|\d+)(?: \w+)?)? (?:in|into|to)\b)"
    r"|\b(?:is|are) (?:now )?(?P<ready>ready|available|attached|saved|stored)(?=: ?[\[`*(]*$)"
    r"|\b(?:document|report|draft|summary|write-up|notebook|analysis|output|findings|results?"
    r"|plan"
    r"|guide|proposal|dump|export|backup|patch|profiles?|charts?|plots?|figures?|notes|transcript"
    r"|log|spreadsheet|dataset|specification|numbers|measurements|comparison|benchmarks?)"
    r"(?:, [^,.;]{1,40},)? (?:is|are|was|were|lives?|stands?) (?:now |all )?"
    r"(?P<written>in|at|under)\b"
    r"|\b(?-i:An?|My|One) (?:\w+ ){0,2}(?:sketch|prototype|spike|demo|reproduction)"
    r" (?:is|lives?) (?P<shown>in|at|under)\b"
    r"|\b(?P<same>did the same (?:for|in|to|with)"
    r"|(?:covered|tested) (?:it|them|this) (?:with|by|in)"
    r"|(?:linked|registered|exported|mounted|mentioned) (?:it|them|this) (?:from|in|to|at))\b"
    r"|\b(?:it|this|(?:change|diff|patch|fix|commit|pr)) (?:only |just |also )?"
    r"(?P<present>touches|changes|modifies|updates)\b",
    re.I,
    where=LETTER,
)
"""Any other doing of the writer's own; what only looks at a file is none."""
_NOW = compile_lazily(
    r"[\s*_`)\]]{1,6}now(?:\b(?=\s*[(.,;]|$)| (?:also |only |always |never )?"
    r"(?!fails|needs|lacks|requires|shows|is\b|has\b|exists|was\b|does\b|works)[a-z]{2,20}s\b)",
    re.I,
    where=compile_lazily("now", re.I),
)
"""``x.py now retries``: since it was changed."""
_BOTH_NOW = compile_lazily(
    r"[\s*_`)\]]{0,4}[;,:—–-]\s*(?:both|all(?: of them)?|each|they|it)(?: all| both)? now\b"
    r"|[^.;]{0,60}; (?:both|they|it|that) (?!is\b|are\b|was\b)[a-z]{2,20} (?:[\w-]+ ){0,5}now\b",
    re.I,
    where=compile_lazily("now", re.I),
)
"""``a.py and b.py; both now go through it``."""
_GONE = compile_lazily(
    r"[\s*_`)\]]{0,4}(?:(?:is|are|was|were) (?:now |both |all )?(?:gone|no more)\b"
    r"|,? which I (?:then |have |later )?(?:removed|deleted)\b)",
    re.I,
)
_COMPLETE = compile_lazily(
    r"[\s*_`)\]]{0,4}(?:is|are) (?:now |both |all )?"
    r"(?:complete|completed|done|finished|ready|in place)\b(?! (?:but|except|to be))",
    re.I,
)
_NEEDED = compile_lazily(
    r"[\s*_`)\]]{0,4}(?:needed|required) "
    r"(?:(?:some |a |an |one )?(?:\w+ )?(?:work|change|changes|fix|edit|edits|update)"
    r"|fixing|updating|adjusting|changing)\b",
    re.I,
)
_DONE_CELL = compile_lazily(
    r"[\s*_`|]*(?:[✅✓✔☑]\ufe0f?|(?:[✅✓✔☑]\ufe0f?\s*)?(?:done|completed?|finished|implemented"
    r"|ready))"
    r"[\s*_`|]*",
    re.I,
)
"""The rest of a row that says that the file is done."""
_REFERS = compile_lazily(
    r"(?:[.;:,—]|\band\b|\bso\b)\s+(?:so |and )?I(?:['’]ve)?(?: also| then| have| simply)? "
    r"(?:(?:fixed|changed|updated|corrected|adjusted|rewrote|edited|modified|extended|patched"
    r"|refactored) (?:it|that|this)\b(?!(?: \w+)? (?:in|into|within|by)\b)"
    rf"|(?!(?:{LOOKS})\w*ed\b)[a-z]{{1,20}}(?:ed|ewrote) [^.;]{{1,60}} "
    r"(?:there|in it|in th(?:at|is) file)\b)"
    r"|[.;,]\s+(?:it |this |that |which |ya )?(?:is|was|has been) (?:now |already )?"
    r"(?:fixed|corrected|repaired|mended|resolved)\b",
    re.I,
)
"""``x.py had a bug; I fixed it``."""
_WHICH_I = compile_lazily(
    r"[^.;,]{0,60}\b(?:that|which) I (?:have |also |just )?(?:wrote|written|produced|created|made"
    r"|generated|compiled|drafted|prepared)\b|"
    r"[\s*_`)\]]{0,4},? (?:(?:(?:to|in|into) )?which|where) I (?:had to |have |then |also "
    r"|just ){0,3}"
    rf"(?!(?:{LOOKS}|removed|deleted|dropped|not|never|have|had|was|am|could|can|did|do|think"
    rf"|left|leave|kept|keep|know"
    rf"|saw|found|ran|run|use|used|took|take|tried|try|copied|compared"
    rf"|read|checked|looked)\w*\b)[a-z]{{2,20}}\b",
    re.I,
    where=FIRST_PERSON,
)
_FAULT = compile_lazily(
    r"\b(?:issue|problem|typo|bug|fault|cause|culprit|error|mistake|leak|race|crash|regression)\b"
    r"[^.;]{0,30}\b(?:in|from|at|inside)\b[\s`*(]*$",
    re.I,
    where=LETTER,
)
_MENDED = compile_lazily(
    r"\bI (?:have |then |also )?(?:\w+ ){0,3}?(?:fixed|added|changed|corrected|replaced|guarded"
    r"|rewrote|adjusted|updated|patched|removed)\b",
    re.I,
    where=FIRST_PERSON,
)
"""``The fault was in x.py. I added a guard``."""
_FIXED = compile_lazily(r"\W*(?:fixed|corrected|repaired|done)\b\s?[.:!]", re.I)
_EXCEPT = compile_lazily(
    r"\b(?:nothing|no (?:other )?files?)\b(?:(?!\b(?:calls?|uses?|imports?|reads?|needs?|refers?"
    r"|depends?)\b)[^.;]){0,60}\b(?:except|apart from|other than|but)(?: for)?[\s`*(]*$",
    re.I,
    where=LETTER,
)
"""``Nothing changed except x.py``."""
_UNDONE = compile_lazily(
    r"\bI (?:then |have |later |had to ){0,2}(?:reverted|revert|undid|undo|restored|rolled back"
    r"|discarded)\b(?: it| that| this| them| the change)",
    re.I,
    where=FIRST_PERSON,
)
_NEITHER = compile_lazily(
    r"\b(?:neither|nor|none of|rather than|instead of)\b[^.;,]{0,40}$", re.I, where=LETTER
)
_STANDS = compile_lazily(
    r"[\s*_`)\]:—–-]{0,6}(?:still|already|calls?|uses?|imports?|needs?|stays?|keeps?|remains?"
    r"|contains?|links?|depends?|is (?:the|a|an|where|not|only|fine|still|already)"
    r"|has (?:the|a|an|no)|was fine|(?:line|l\.) ?\d)\b",
    re.I,
)
"""What is said of a file that stays as it was, in the midst of what was changed."""
_UNSURE = compile_lazily(
    r"\b(?:not|never|no|none|nothing|without|cannot|unable|failed to|should|would|could|will|must"
    r"|needs?|to be|can be|may|might|if|unless|until|once(?! ?\()|when|recommend\w*|suggest\w*"
    r"|consider"
    r"|plan(?:ned|s)?|todo|instead of|rather than|previously"
    r"|(?<!I have )(?<!I've )(?<!I’ve )already|originally|earlier|existing"
    r"|going to|want|please|let me|\w{1,8}n['’]t)\b",
    re.I,
)
"""Words before a verb of doing that make it no report of something done."""
_LEADS_ON = compile_lazily(r"\b(?:in|into|to|at|under|inside|within|as|onto)\b", re.I)
_LEADS_AWAY = compile_lazily(
    r"\b(?:from|based|using|uses?|for|of|like|following|per|see|against|with|by|than|via|about"
    r"|imports?|calls?|reads?|match(?:es|ing)?|similar|because|since|that|which|whose|where|how"
    r"|so"
    r"|while|but|alongside|after|before|through|on|over|use|call|import|read|between|support)\b",
    re.I,
)
STAYS_AWAY = compile_lazily(
    r"\b(?:based|following|similar|like|see|per|using|match(?:es|ing)?|because|since|compared)\b",
    re.I,
)
"""What these lead away from, no later ``in`` or ``to`` leads back to."""
JOINS = compile_lazily(
    r"(?:[\s*_`]{0,4}\([^()]{1,80}\))?[\s,&+/*_`)(\]→>|-]*"
    r"(?:\b(?:and|or|plus|as well as|along with)\b[\s*_`(]*)?"
)
_JOINED_LATER = compile_lazily(r",\s+(?:and|plus|as well as)\s*[*_`(]*$")
BOUNDARY = compile_lazily(r"[.;!?](?=\s|$)|\s[—–]\s|\bbut\b")
_AFTER = compile_lazily(
    r"[\s*_`)\]|:–—(\[\-←#<]{0,12}"
    rf"(?:,\s(?=(?:both|all)\b|(?:also )?{_ANY_WORD} (?:too|as well)\b))?"
    r"(?:,?\s*(?:which|that)\s+)?(?:I(?:['’]ve| have)?\s+)?(?:\d{1,5}\s+)?"
    r"(?:existing,? )?(?:(?P<passive>was|were|is|are|has been|have been|got|file)\s+)?"
    r"(?:(?:also|now|newly|successfully|fully|just|brand|then|later|both|all)[\s-]+)*"
    rf"(?P<verb>{_ANY_WORD})\b(?![-/]\w)(?P<by>\s+(?:by|from)\b)?(?P<what>[ `]{{1,3}}[\w:]+)?",
    re.I,
    where=LETTER,
)
_STARTS = compile_lazily(
    rf"(?:^|[.;:|(—–-]\s*)(?:(?:also|now|newly)\s+)?(?P<verb>{_ANY_WORD})\b(?!\s+by\b)(?![-/]\w)",
    re.I,
    where=LETTER,
)
_DENIED = compile_lazily(
    r"(?:(?!\bbut\b|, so\b)[^.;]){0,40}(?:"
    r"\b(?:was|were|is|are|been|be|did|do|does|have|has|had|could|can|would|should|need|needed"
    r"|must)(?: \w+)? (?:not|never)\b(?! only\b)"
    r"|\b(?:not|never) (?:\w+ )?(?:[a-z]{2,16}ed|(?:re)?written|(?:re)?built|done|changing"
    r"|touching"
    r"|part|mine|yet|change|modify|touch|made|from|begun)\b"
    r"|\bnothing (?:\w+ )?(?:chang|touch|modif)\w+|\w['’]t\b"
    r"|\b(?:unchanged|untouched|unmodified|excluded|skipped|no (?:changes?|edits?))\b)",
    re.I,
)
_EXISTING = compile_lazily(
    r"[\W_]{0,12}(?:existing|reference|read[- ]only)\b"
    rf"(?:,? (?:but |now )?(?P<verb>{_ANY_WORD})\b)?",
    re.I,
)
_WITHDRAWN = compile_lazily(
    r"[\W_]{0,12}(?:(?:I|we|it|file|was|is|were|has|have|had|been|could|did|does|do|would|still"
    r"|but"
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
    if line.unticked:
        return [""] * len(places)
    gaps = read_gaps(line, places)
    if is_about_future(line):
        is_told = line.kind == "text"  # "The full report is in x.md" ends what is recommended
        return ["modified" if is_told and _is_written_in(gap) else "" for gap in gaps[:-1]]
    befores, afters = gaps[:-1], gaps[1:]
    claims = _by_verbs_before(befores)
    denied = _WITHDRAWN.match if _lists_deliverables(line) else is_denied
    afters = [*map(_without_denial_of_next, afters[:-1]), afters[-1]]
    for index in reversed(range(len(places))):
        if is_quoted(line.content, places[index]):
            claims[index] = ""
            continue
        mended = _FAULT.search(befores[index]) and (
            _MENDED.search(afters[index]) or _FIXED.match(line.content)
        )
        refers = _REFERS.search(afters[index]) or _WHICH_I.match(afters[index])
        if not claims[index] and (mended or refers or _EXCEPT.search(befores[index])):
            claims[index] = "modified"
        elif is_said_to_stay(gaps, index, denied):
            claims[index] = ""
        elif _GONE.match(afters[index]):
            claims[index] = "deleted"
        elif said := _match_after(afters[index]):
            claims[index] = _said_after(said)
        elif not claims[index] and (
            _COMPLETE.match(afters[index])
            or _NEEDED.match(afters[index])
            or (line.kind == "row" and _DONE_CELL.fullmatch(afters[index]))
            or _tells_of_now(afters[index])
        ):
            claims[index] = "modified"
        elif (
            index + 1 < len(places)
            and JOINS.fullmatch(afters[index])
            and claims[index + 1] == "deleted"
            and _GONE.match(afters[index + 1])
        ):
            claims[index] = "deleted"
            afters[index] = afters[index + 1]  # and so are those before it
        elif (
            index + 1 < len(places)
            and (not claims[index] or _is_passive(afters[index + 1]))
            and JOINS.fullmatch(afters[index])
            and (_match_after(afters[index + 1]) or _tells_of_now(afters[index + 1]))
        ):
            # "`a` and `b` were updated": what is said of the last holds for those joined to it.
            claims[index] = claims[index + 1]
            if not afters[index + 1].lstrip(" *_`").startswith("("):
                afters[index] = afters[index + 1]  # and so are those before it
    listed = _listed(line, befores[0], afters[0])
    for index, place_claim in enumerate(claims):  # "Deliverables: `a`, `b` and `c`"
        if index and not JOINS.fullmatch(befores[index]):
            break
        if not place_claim and not denied(afters[index]):
            claims[index] = listed
    if line.kind != "item":
        label = befores[0].strip(DECORATION) if befores[0].rstrip(" *_`").endswith(":") else ""
        section = (claim_of_label(label) if label else None) or _section_claim(line)
        for index, before in enumerate(befores):  # "`a` puts …; `b` warms …" of what was done
            begins = index and not BOUNDARY.split(before)[-1].strip(DECORATION)
            if begins and not JOINS.fullmatch(before) and not claims[index]:
                stands = denied(afters[index]) or _STANDS.match(afters[index])
                claims[index] = "" if stands or section == "deleted" else section
    for index, after in enumerate(afters[:-1]):  # "`old.py` → `new.py`"
        if ARROW.fullmatch(after) and (claim := claims[index]):
            is_moved = claim == "deleted"
            claims[index] = "deleted" if is_moved else ""
            claims[index + 1] = "created" if is_moved else claims[index + 1] or claim
    return claims


_QUOTED = compile_lazily(r"\"[^\"]{1,300}\"")
"""Words of somebody else: ``"Should be memoized" → x.tsx``."""
ARROW = compile_lazily(r"[\s*_`)\]]*(?:→|⟶|[-=]{1,2}>)[\s*_`(\[]*")
_LINE_NUMBERS = compile_lazily(r"(?::|#L)\d+(?:[-–:,]L?\d+)*")


def read_gaps(line: MessageLine, places: Sequence[PathPlace]) -> list[str]:
    """Read what stands before, between and behind the paths of a line, in English, without the
    numbers of lines behind a path."""
    starts, ends = [place.start for place in places], [place.end for place in places]
    gaps = [line.content[a:b] for a, b in zip([0, *ends], [*starts, None], strict=True)]
    gaps = [_QUOTED.sub('""', gap) if '"' in gap else gap for gap in gaps]
    return [
        put_into_english(_LINE_NUMBERS.sub("", gap) if _begins_with_number(gap) else gap)
        for gap in gaps
    ]


def _begins_with_number(gap: str) -> bool:
    return bool(_LINE_NUMBERS.match(gap))


def _is_written_in(before: str) -> bool:
    found = max(_DID.finditer(before), key=_verb_start, default=None)
    return bool(
        found and found.lastgroup == "written" and not before[found.end() :].strip(DECORATION)
    )


def _is_passive(after: str) -> bool:
    """``are deleted``, whatever stood before the paths."""
    said = _match_after(after)
    return bool(said and said["passive"])


def _tells_of_now(after: str) -> bool:
    return bool(_NOW.match(after) or _BOTH_NOW.match(after))


def _without_denial_of_next(gap: str) -> str:
    """``a.py, did not touch b.py`` says nothing against the first."""
    denies = _DENIES_NEXT.search(gap)
    return gap[: denies.start()] if denies else gap


_DENIES_NEXT = compile_lazily(
    r"[,;]\s(?:but |and )?(?:I )?(?:(?:did|have|do) not|did?n['’]t|haven['’]t|not) "
    r"(?:\w+ ){1,3}[`*(\[]*$",
    re.I,
)


def read_listed_claim(line: MessageLine, after: str) -> Claim:
    """Read what a listing says of a file: behind it, or in the heading above."""
    said = _match_after(after)
    return _said_after(said) if said else _section_claim(line)


def _match_after(gap: str) -> re.Match[str] | None:
    """Match a verb of doing behind a path, with what parts them."""
    found = _AFTER.match(gap)
    return found if found and _is_verb(found) else None


def is_denied(gap: str) -> bool:
    """Tell whether the words behind a path say that nothing was done to it."""
    existing = _EXISTING.match(gap)
    return bool(_DENIED.match(gap) or (existing and not _is_verb(existing)))


def _is_verb(found: re.Match[str]) -> bool:
    return (found["verb"] or "").lower() in CLAIM_OF_VERB


_COUNTED = compile_lazily(r":[\s*_`]*\d{1,4}(?: files?)?[\s*_`]*\(?[\s*_`]*$")
"""``Files touched: 3 (`` before the first of them."""


_DONE_IN = compile_lazily(
    r"(?<!not )\b(?:done|finished|completed?|implemented|in place)[:.,]? ?\([\s`*]*$", re.I
)
"""``Timeouts: done (`x.py`)``."""
_BOLD_LABEL = compile_lazily(r"\*\*[^*]{1,80}\*\*:? ?\([`*]*")
"""``**Middleware** (`` stands before its file as the words of an item do."""
_MARKS = "✅☑✔✓❌✗✘⬜\ufe0f "
_MARK = compile_lazily(r"\s*(?:[✅☑✔✓]|(?P<no>[❌✗✘⬜]))\ufe0f?[\s*_`]*$")
"""A path that a sign leads: it is done, or it is not."""


def is_quoted(content: str, place: PathPlace) -> bool:
    """Tell whether a path stands within the words of somebody else: ``FR-7 says "write to"
    " x.csv"``."""
    return bool(
        content.count('"', 0, place.start) % 2
        and _SAYS.search(content, 0, content.rfind('"', 0, place.start) + 1)
        and '"' in content[place.end :]
    )


_SAYS = compile_lazily(
    r"\b(?:says?|said|asks?|asked|demands?|requires?|reads?|states?|wants?|wanted|named|titled"
    r"|called|quote)\b[^\"]{0,20}\"$",
    re.I,
)


def is_said_to_stay(
    gaps: Sequence[str], index: int, denied: Callable[[str], object] = is_denied
) -> bool:
    """Tell whether the words around a path say that it was not changed, or not in the end."""
    after = gaps[index + 1]
    if index + 2 < len(gaps):
        after = _without_denial_of_next(after)
    return bool(denied(after) or _NEITHER.search(gaps[index]) or _UNDONE.search(after))


def _listed(line: MessageLine, before: str, after: str) -> Claim:
    """What is said of a path that leads its line, or is led by no more than a label."""
    before = _COUNTED.sub(":", before)
    label = before.strip(DECORATION)
    if not label and line.ticked and read_section_claim(line) is None:
        return "" if is_denied(after) else "modified"
    if _DONE_IN.search(before):
        return "modified"
    mark = _MARK.match(before) if not label or not label.strip(_MARKS) else None
    if mark and mark["no"]:
        return ""
    if label:
        opens = before.endswith("(") and (
            line.kind == "item" or bool(_BOLD_LABEL.fullmatch(before))
        )
        if opens and line.ticked and not _LEADS_AWAY.search(label[-20:]):
            return "modified"
        said = (
            None if opens else claim_of_label(label) if before.rstrip(" *_`").endswith(":") else ""
        )
        listed = opens or _lists_deliverables(line)
        names_it = said is None and listed and not _LEADS_AWAY.search(label)
        return _section_claim(line) if names_it else said or ""
    if _lists_deliverables(line):
        return "" if _WITHDRAWN.match(after) else _section_claim(line)
    if is_denied(after):
        return ""
    starts = next(filter(_is_verb, _STARTS.finditer(after)), None)
    if starts and not _UNSURE.search(after[: starts.start("verb")]):
        return "modified"
    return _section_claim(line)


def _by_verbs_before(befores: Sequence[str]) -> list[Claim]:
    """Follow a verb to the paths behind it, until the sentence turns away or ends."""
    claims: list[Claim] = []
    verb, sentence = "", ""
    last: Claim = ""
    for before in befores:
        *ended, part = BOUNDARY.split(before)
        if ended:
            verb, sentence, last = "", "", ""
        said = _match_after(part) if claims else None
        if said and said["passive"]:  # "`a` is deleted, `b` …" says nothing of the second
            part = part[said.end("verb") :]
        found = _last_verb(part)
        if found:
            unsure = _UNSURE.search((sentence + part[: _verb_start(found)])[-60:])
            verb = "" if unsure else found[found.lastgroup or 0].lower()
            claim = _led(verb, part[found.end() :]) if verb else ""
        elif not verb:
            claim = ""
        elif JOINS.fullmatch(part) or (last and _JOINED_LATER.search(part)):
            claim = "created" if verb in ("moved", "renamed") and "→" in part else last
        else:
            claim = _led(verb, part) if _LEADS_ON.search(part) else ""
        sentence += part + "\0"
        last = claim
        claims.append(claim)
    return claims


def find_verbs(text: str) -> Iterator[re.Match[str]]:
    """Find the verbs of doing in a text, as the group ``verb``."""
    return filter(_is_verb, _WORD_OF_DOING.finditer(text))


def begins_with_verb(text: str) -> bool:
    """Tell whether the first thing in a text is a verb of doing."""
    found = _WORD_OF_DOING.match(text)
    return found is not None and _is_verb(found)


def _last_verb(text: str) -> re.Match[str] | None:
    return max((*find_verbs(text), *_DID.finditer(text)), key=_verb_start, default=None)


def _verb_start(found: re.Match[str]) -> int:
    return found.start(found.lastgroup or 0)


def _led(verb: str, gap: str) -> Claim:
    """What a verb says of a path that ``gap`` parts from it."""
    kind = _kind(verb)
    if _BUT_NOT.search(gap) or (verb in _CARRIED_OUT and WHAT_TO_DO.search(gap)):
        return ""
    tail = gap.rstrip(" *_`'\"[")
    if tail.endswith(("(", ":", "→")):
        return "modified" if kind == "deleted" and _WORD.search(gap) else kind
    ons = [match.start() for match in _LEADS_ON.finditer(gap)]
    aways = [match.start() for match in _LEADS_AWAY.finditer(gap)]
    if aways and (not ons or aways[-1] > ons[-1]):
        taken_out = kind == "deleted" or verb == "extracted"
        is_source = gap[aways[-1] :].startswith("from") or _OUT_OF.search(gap)
        return "modified" if taken_out and is_source else ""
    if STAYS_AWAY.search(gap):
        return ""
    if verb in ("copied", "duplicated", "cloned"):
        return "created" if ons else ""
    if not ons:
        return kind
    if verb in ("moved", "renamed", "wrote", "written", "created", "generated"):
        return "created"
    return "modified"


def is_by_others(after: str) -> bool:
    """Tell whether the words behind a path give what was done to it to somebody else."""
    said = _match_after(after)
    return bool(said and _is_of_others(said))


def _is_of_others(said: re.Match[str]) -> bool:
    """``x.py is generated by``."""
    others = said["by"] and (said["passive"] or _kind(said["verb"]) == "created")
    is_habit = said["passive"] in ("is", "are") and _EACH_TIME.match(said.string, said.end("verb"))
    return bool(is_habit or (others and "(" not in said[0] and not _OWN.search(said[0])))


_EACH_TIME = compile_lazily(
    r" (?:(?:at|during) (?!the (?:end|root|top)\b)|on(?: the)? (?:fly|demand)\b|each\b|every\b"
    r"|automatically\b|when(?:ever)?\b)",
    re.I,
)
"""``x.json is generated at test time``: it always is."""


def _said_after(said: re.Match[str]) -> Claim:
    """What the words after a path say of it: ``x.py (new)``, ``x.py: added parse()``."""
    kind = _kind(said["verb"])
    if _is_of_others(said):
        return ""
    verb, what = said["verb"].lower(), (said["what"] or "").strip(" `")
    into = (verb in _INTO and what) or (verb == "new" and _SMALL.fullmatch(what))
    active = kind == "deleted" and not said["passive"]
    takes_out = active and _OBJECT.match(said.string, said.end("verb"))
    return "modified" if into or takes_out else kind


_CARRIED_OUT = split_words("implemented built completed followed finished addressed")
WHAT_TO_DO = compile_lazily(
    r"\b(?:spec|specification|plan|design|tickets?|tasks?|requirements?|proposal|issues?|brief"
    r"|rfc|adr"
    r"|story|stories|steps|checklist)\b(?: [\w-]+){0,2} (?:in|at|from|of|under)[\s`*(]*$",
    re.I,
)
"""``Implemented the spec in x.md``: that is where it says what to do."""
_OBJECT = compile_lazily(
    r"[ `]{1,3}(?!(?:as|at|because|since|due|in|into|to|from|by|for|via|per|on|out|after|before"
    r"|with|when|while|once|and|or|but|so|too|also|now|again|here|there|it|instead|already"
    r"|altogether|completely|entirely|fully|today|yesterday"
    r"|(?:(?:the|this|that|whole|entire|old|unused|dead|obsolete) )*"
    r"(?:file|module|folder|directory|script))\b)\w",
    re.I,
)
"""What was taken out of a file that stays: ``x.py: removed the cache``."""
_WORD = compile_lazily(r"[^\W\d_]")
_BUT_NOT = compile_lazily(r"\b(?:not|never|nor|without)(?: in| to| into)?[\s*_`(]*$", re.I)
_OUT_OF = compile_lazily(r"\bout of[\s`*(]*$", re.I)
_OWN = compile_lazily(r"\bI\b")


def _kind(verb: str) -> Claim:
    return CLAIM_OF_VERB.get(verb.lower()) or _OF_BARE_VERB.get(verb.lower(), "modified")


_FUTURE = compile_lazily(
    r"\b(?:next|todo|to[- ]do|recommend\w*|suggest\w*|follow[- ]?ups?|remaining|future|proposed"
    r"|proposal|plan|how to|usage|to (?:create|modify|change|update|add|delete|remove|write)"
    r"|(?:not|n['’]t|un)[ -]?(?:changed?|modif(?:y|ied)|touch(?:ed)?|done|created?|updated?"
    r"|fixed|solved|resolved|addressed|started|finished|migrated|included|covered|part|in scope"
    r"|needed|necessary|delivered|shipped|implemented)"
    r"|(?:for|until) later|later on|deferred|postponed|left (?:for|out|over|open)|outstanding"
    r"|\b(?:did|do|have)(?: not|n['’]t)(?=\W*$)|not started|no changes?|without changes?"
    r"|not begun|should|would|(?<!what I )could(?! not (?:run|test|verify"
    r"|execute|try)))\b|[⏳🔜🚧⬜]",
    re.I,
)
_SECTIONS: tuple[tuple[Claim, re.Pattern[str]], ...] = (
    ("deleted", compile_lazily(r"\b(?:deleted|removed)\b", re.I)),
    (
        "",
        compile_lazily(
            r"\b(?:reviewed|examined|explored|read|checked|analy\w+|consulted|references?"
            r"|related|relevant|existing|key files|context|background|overview|structure|issues?"
            r"|problems?|findings|verdict|request\w* changes|changes request\w*"
            r"|(?:non-?)?blocking|severity"
            r"|targets?|inspected|viewed|opened|scanned|considered|(?:^|was )requested"
            r"|insights?|notes?|gotchas?|lessons?|learn\w*"
            r"|take-?aways?|sources"
            r"|decisions?|caveats?|limitations?|surpris\w+|observ\w+|noticed|looked"
            r"|inputs?|data)\b",
            re.I,
        ),
    ),
    (
        "created",
        compile_lazily(
            r"\b(?:created|new|added|deliverables?|outputs?|artifacts?|written|generated"
            r"|screenshots?|recordings?|attachments?)\b",
            re.I,
        ),
    ),
    (
        "modified",
        compile_lazily(
            r"\b(?:modified|changed|changes|updated|edited|edits|implementation|implemented"
            r"|refactor\w*"
            r"|touched|fix(?:ed|es)?|in place|finished|delivered"
            r"|^\W*done\b|\bnow\W*$|what (?:i|was) (?:did|done|changed)|work done|completed)\b",
            re.I,
        ),
    ),
)


_NAME = compile_lazily(r"`[^`\s]{0,200}[/.][^`\s]{0,200}`")
_ALL_DONE = compile_lazily(
    r"(?!.{0,80}\b(?:how|what|why|where|when|which|who)\b)(?:.{0,80}\bup[ -]to[ -]date\b"
    r"|.{0,80}\b(?:are|is|was|were|been) (?:now |all |also )?"
    rf"(?!(?:{LOOKS}|handl)\w*ed\b)[a-z]{{2,20}}ed\b)",
    re.I,
    where=LETTER,
)
"""``All imports are adjusted:`` above a list."""


def is_about_future(line: MessageLine) -> bool:
    return any(_FUTURE.search(heading) for heading in line.headings)


def _section_claim(line: MessageLine) -> Claim:
    return read_section_claim(line) or ""


def read_section_claim(line: MessageLine) -> Claim | None:
    """What the nearest heading that says anything says of the files under it; None: none does."""
    for heading in reversed(line.headings):
        if (claim := claim_of_label(heading)) is not None:
            return claim
    return None


def claim_of_label(heading: str) -> Claim | None:
    """What a heading or label says of the files below it, by its own words, not by names in it;
    None: nothing at all."""
    heading = _NAME.sub(" ", heading)
    if _FUTURE.search(heading):
        return ""
    for claim, words in _SECTIONS:
        if words.search(heading):
            return claim
    return "modified" if _ALL_DONE.match(heading) else None
