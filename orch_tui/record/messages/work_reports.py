"""Files that a report of work tells of without a verb of doing: ``x.py returns an error instead``.

Whoever reports on work names mostly the files it went into, in more ways than can be listed. So
there every file counts that is there, unless the words around it say that it stayed as it was, was
only looked at, or is still to be done. What answers, explores, plans or reviews, or says that
nothing was changed, only describes what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orch_tui.record.messages.message_lines import MessageLine
from orch_tui.record.messages.other_languages import put_into_english
from orch_tui.record.messages.path_claims import (
    ARROW,
    BOUNDARY,
    IRREGULAR,
    JOINS,
    LOOKS,
    ONLY_LOOKS,
    STAYS_AWAY,
    WHAT_TO_DO,
    begins_with_verb,
    claim_of_label,
    is_about_future,
    is_by_others,
    is_quoted,
    is_said_to_stay,
    read_gaps,
    read_section_claim,
)
from orch_tui.record.messages.path_forms import DECORATION, PathPlace
from orch_tui.record.messages.patterns import FIRST_PERSON, compile_lazily, holds_any

_NOTHING_DONE = compile_lazily(
    r"\b(?:no (?:other )?(?:files?|changes?|code|edits?) (?:\w+ ){0,2}?"
    r"(?:made|changed|modified|touched|written)"
    r"|nothing (?:was|has been|is|were) (?:\w+ )?(?:changed|modified|written|committed|touched"
    r"|implemented|done|built|started|fixed)|no (?:fix|change|code|edits?) yet|nothing else[.;,]"
    r"|(?:I|we) (?:made no|changed nothing|only (?:reviewed|read|looked|analy[sz]ed)"
    r"|(?:could not|couldn['’]t|(?:was|have) not (?:been )?able to) (?:reproduce|find)"
    r"|(?:did not|didn['’]t|haven['’]t|have not) (?:\w+ )?"
    r"(?:chang|modif|touch|start|writ|edit|ma[kd])\w*"
    r"(?: any| a)?(?: files?| changes?| code|thing)?(?: yet)?[.,;])|read[- ]only)",
    re.I,
    where=holds_any("no ", "made no", "nothing", "only", "not ", "n't", "n’t"),
)
_LEADS_AWAY = compile_lazily(
    r"\b(?:from|based|like|as|following|per|against|via|than|about|since|because|whose|while"
    r"|through|over|between|besides?|alongside|before|until|by|with|for|(?<!out )of|similar|same"
    r"|us(?:e[sd]?|ing)|follows?|imports?|imported|calls?|called|depends?|rel(?:y|ies|ied)"
    r"|match\w*"
    r"|mirrors?)\b",
    re.I,
)
"""Words that lead to a file which is not what was worked on."""
_LOOKS_AT = compile_lazily(
    r"\b(?:(?:re)?reads?|see|cf|e\.g|compar\w+|describ\w+"
    r"|document(?:ed|s) (?:in|at)|explain\w*|defin\w+|mention\w*|reused?|kept|keeps?"
    r"|look\w*(?: (?:into|in|at|through|over|for))?"
    r"|review\w*|check(?:ed|s|ing)?|inspect\w*|verif\w+|confirm\w*|examin\w+|analy[sz]\w+"
    r"|stud(?:y|ied)|scann\w+|pars(?:ed|ing)|ran|run|runs|running|execut\w+|trying"
    r"|investigat\w+|explor\w+|learn\w+|suspect|affect\w*|concerns?|belongs?|block(?:ed|s)?"
    r"|start (?:with|at|in)|background|context|consider\w*|reference|inputs?|caller|relevant"
    r"|copied"
    r"|duplicated|cloned)\b",
    re.I,
)
"""Words of what was done with it instead."""
_ON = compile_lazily(
    r"\b(?:in|into|to|at|under|inside|within|onto|so that|and|which|there (?:is|are)"
    r"|consists? of|made up of|comprises?"
    r"|(?:covered|tested|checked|proven|pinned|guarded) (?:by|with|in)"
    r"|(?:linked|registered|exported|mounted) (?:it|them|this|that|both|all) from)\b",
    re.I,
)
"""Words that lead back to what was."""
_KEPT = compile_lazily(
    r"\b(?:not|never|nothing|neither|nor|cannot|unable|left|leave"
    r"|leaving|skip\w*|ignor\w+|exclud\w+|avoid\w*|unchanged|untouched|unmodified|as is"
    r"|(?:fault|bug|problem|issue|cause|leak|race) (?:is|lies)|needs?|to be|todo|remain\w*"
    r"|stays?|open|pending|missing|next(?! to)|unless"
    r"|when(?:ever)?|instead of|rather than|existing|already|previously|originally|fails?|failed"
    r"|failing|failures?|errors?|warnings?|tim(?:eout|es? out|ed out)|violations?|reformat\w*"
    r"|depend(?:s|ing)|revert\w*|undid|rolled back|backed|read[- ]only|\w{1,8}n['’]t)\b"
    r"|[❌✗✘⬜⏭🚫]",
    re.I,
)
"""Words in front of a file, in its clause, that stays as it was."""
_NO = compile_lazily(r"\b(?:no(?! longer)|none|without)\b", re.I)
_WISHED = compile_lazily(
    r"\b(?:should|would|could|will|must|may|might|want|please|recommend\w*|suggest\w*|consider"
    r"|propos\w+|plan(?:ned|s)?|asked|wanted|requested|ha(?:s|ve) to|if|tried|attempt(?:ed|ing"
    r"|s to)"
    r"|I['’](?:d|ll)|let me|can|to do|options?)\b",
    re.I,
)
"""Words in front of it, in its sentence, that make all of it a wish."""
_STANDS = compile_lazily(
    r"[\s*_`)\],:—–-]{0,6}(?:still|already|also (?:has|uses|calls)|needs?|stays?|remains?"
    r"|requires?|says?|expects?|has (?:the|an?) (?:same|similar|old|own)|has (?:its|their) own"
    r"|has not|have|had|came|comes"
    r"|is (?:where|fine|yours|ok|correct|unrelated|generated|called|used|not|only|untouched|as)"
    r"|are (?:the|fine|not|unrelated|generated)|was (?:fine|right|correct|not|already|left"
    r"|there)|were"
    r"|looks|fails?|failed|breaks?|hides?|leaks?"
    r"|crash\w*|probably|to be|not|where|for|pattern|unrelated|existing|reference|until)\b"
    r"(?![^.;]{0,60}\b(?:new|instead|now)\b)",
    re.I,
)
"""How a sentence goes on that describes a file, or finds fault with it."""
_MUST = compile_lazily(
    r"[\s*_`)\]:—–-]{0,6}(?:must|should|will|would|can|could|may|might|cannot|ha(?:s|ve) to)\b",
    re.I,
)
_DESCRIBES = compile_lazily(
    r"[\s*_`)\]]{0,6}(?:calls?|uses?|imports?|contains?|depends?|describes?|defines?|keeps?|kept"
    r"|ignores?|is the|is an?"
    r"|(?:is|are) (?!now|new|no longer|complete|done|ready|in place|written|rewritten|gone|also"
    r"|both"
    r"|fully|built|rebuilt|split|in\b|up|back|much|far|faster|smaller|shorter|simpler"
    r"|\w+ed\b)\w+)\b(?![^.;]{0,40}\b(?:new|instead|now)\b)",
    re.I,
)
"""The same of a file that a sentence, and no entry of a list, is about."""
_STAYS = compile_lazily(
    r"\b(?:unchanged|untouched|unmodified|unrelated|alone|as (?:it |they |you |I )?(?:is|was"
    r"|were|are|before|gave|found|left)\b"
    r"|(?:as|same|like) (?:is|was|were|before)|out of scope|skipped|skip|not (?:done|started|part"
    r"|from|mine|needed|yet)|no (?:changes?|edits?|need)|reference only"
    r"|read[- ]only|was fine|is fine|left (?:it|them|that|this|for|out)|reused|pending"
    r"|(?<!key is )missing"
    r"|already (?:right|correct|there|fine|ok|does|did|had|has|handle[sd]?|covered|worked|works)"
    r"|(?:is|was|were|are) (?:only )?(?:read|checked|reviewed|consulted|compared|inspected)"
    r"|runs fine|is the same|needs? (?:nothing|no)|nothing (?:to|was|is|had|needed)"
    r"|still (?:there|exists?)|no longer (?:used|read|needed|called|loaded|referenced)"
    r"|ruled out|not the (?:cause|problem|culprit|issue)|innocent|yours|I left it|blocked"
    r"|to ?do|planned|belongs to|does it right|done right)\b",
    re.I,
)
"""What is said, anywhere in the clause behind it, of a file that stays as it was."""
_FINE = compile_lazily(
    r"[^.;]{0,60}\bbut (?:it|that|this|they|both) (?:is|are|was|were) (?:\w+ )?"
    r"(?:fine|ok|right|correct)\b",
    re.I,
)
_INTRODUCED = compile_lazily(
    r"\W{0,4}(?:an?|one|two|the new|another|a new) (?:[\w-]+ ){0,3}[\w-]+[,:]?\s[`*(\[]*", re.I
)
"""``A script, x.py, fails the build``: nobody speaks so of what was there already."""
_COMMA = compile_lazily(r",\s|\s(?:and|so|then|while) (?=[`*\[]*$)")
_SO = compile_lazily(r",\s(?:so|and|but|because|since)\b")
_NAMED = compile_lazily(r"\W{0,4}([^\W\d_][\w ]{2,40})[*_`]{0,3}:[*_`]{0,3}\s")
"""What a list of paths in a line is called."""
_CODE_SPAN = compile_lazily(r"`[^`]{1,200}`")
_SENTENCE_END = compile_lazily(r"[.!?](?=\s|$)")


_DONE = compile_lazily(
    r"^\W*(?:all |everything (?:on the list )?)?(?:is )?(?:done|complete[d]?|finished|ready"
    r"|outcome)\b"
    r"|\b(?:is|are) (?:now )?(?:done|complete|completed|finished|in place|fixed|ready)\b"
    r"|\b(?:is|are|can|works?|runs?|passes|supports?) (?:[\w-]+ ){0,4}(?<!for )now[.!:]"
    r"|\bno longer\b"
    r"|(?<!for )(?<!until )(?<!to )\bnow[.!:](?:\s|$)|\bnow [a-z]{2,20}s\b"
    r"|\bhas (?:now )?(?:the|an?|two|three|some) new\b"
    r"|\bworks? (?:end[ -]to[ -]end|again|as expected)\b"
    r"|\b(?:the|my) (?:\w+ ){0,2}(?:fix|change|patch)(?:es|s)? [^.;]{0,30}\b(?:is|are|was"
    r"|were) in\b"
    r"|(?<!not )\b(?:added|created|fixed|updated|implemented)[.!]?$"
    r"|^\W*status\W{1,3}(?:success\w*|ok|done|completed?)\b"
    r"|^\W*(?:committed|pushed|amended|squashed)\b"
    r"|\b(?:both|all|the|these) (?:\w+ )?files? (?:is|are|were|have been) (?:now )?"
    r"(?:written|created|updated|changed)\b"
    r"|^\W*(?:one|two|three|four|five|\d{1,2}) commits?\b"
    r"|\bnow (?=\(`)|\((?:done|completed?|finished)\)"
    r"|\b(?:tickets?|tasks?|items?) (?:are )?done\b"
    r"|\b(?:I|we)(?:['’]ve| have)? (?:now )?(?:finished|completed)\b(?! (?:reviewing|reading"
    r"|looking"
    r"|analy|investigat|explor|my (?:review|analysis|investigation|exploration)))"
    r"|\b(?:cured|solved|fixed|resolved|mended) (?:it|this|that|the \w+)\b|\b(?:did"
    r"|does) the trick\b"
    r"|(?<!not )\bdone[.:]? \(`|\b(?:one|two|three|four|five|\d+) of (?:one|two|three|four|five"
    r"|six|\d+) (?:are )?done\b"
    r"|\b(?:what was (?:done|changed)|summary of (?:the |my )?(?:changes|work|edits))\b",
    re.I,
)
_DESCRIBES_WHAT_IS = compile_lazily(
    r"\b(?:I|we)(?:['’]ve| have)? (?:\w+ )?(?:reviewed|looked|read|examined|explored|searched"
    r"|traced"
    r"|checked|went through|analy[sz]ed|investigated|found|ran (?:the|all|your|a|it)|compared"
    r"|scanned)\b"
    r"|\b(?:lives?|sits?|is (?:called|loaded|defined|used|handled|stored|validated"
    r"|configured|implemented|declared|started|registered|in (?=[`\w]))"
    r"|are (?:in|defined|handled|stored|kept))\b"
    r"|\b(?:is|are) (?:\w+ly )?(?:\w{2,20}ed|read|set|built|kept|made|written|sent)"
    r" (?:in|by|from|through|at|via|once|per|when)\b|^\W*here (?:are|is) (?:the|where|all)\b"
    r"|\bplaces where\b"
    r"|^\W*(?:code |security |pr )?review\b|\b(?:request(?:ing)? changes|before merging)\b"
    r"|\b(?:severity|looks good|architecture|overview|code ?base|explor\w+|in your code|existing"
    r"|already (?:there|exists?|does|handles?|supports?)|nothing to do|you (?:can|could|should"
    r"|may)"
    r"|if you|severit\w+|vulnerab\w+|current(?:ly)?|responsible for|triggered by|entry points?"
    r"|how it works|flow|there(?:['’]s| is| are) no|options?|pros|cons|steps|possibl[ey]"
    r"|potential(?:ly)?|unused|suspicious)\b"
    r"|^\W*to [a-z]{2,20} |\b(?:bug|fault|leak|problem|issue|error)s? (?:is|are|lies?|sits?) in\b"
    r"|\?$",
    re.I,
)
"""What a message is full of that answers, explains, explores or reviews."""


def tells_of_work(lines: Iterable[MessageLine], *, claims_any: bool) -> bool:
    """Tell whether a message reports changes; ``claims_any``: it says so of some file.

    Most do, and few words are common to them. So one does that says so anywhere ("Fixed 1,204
    rows", "it retries now"), and one that has nothing of an answer, an exploration or a review.
    """
    said = [(line, put_into_english(line.content)) for line in lines if line.kind != "code"]
    if any(line.kind != "quote" and _NOTHING_DONE.search(text) for line, text in said):
        return False
    does = any(
        line.kind in ("text", "item", "heading")
        and (
            _DONE.search(text)
            or _I_DID.search(text)
            or (line.kind == "text" and begins_with_verb(text.lstrip(DECORATION)))
        )
        for line, text in said
    )
    if claims_any and not does:
        return not any(line.kind == "heading" and _SURVEY.search(text) for line, text in said)
    return does or not any(_DESCRIBES_WHAT_IS.search(text) for _, text in said)


_SURVEY = compile_lazily(
    r"^\W*(?:\w+ )?(?:overview|architecture|how it works|code ?base)\W*$", re.I
)
"""Headings of a message that tells of what is there."""
_I_DID = compile_lazily(
    r"\b(?:I|we)(?:['’]ve| have)? (?:(?:now|also|just|then|only|successfully|simply"
    r"|therefore) ){0,2}"
    rf"(?:(?!(?:{LOOKS})\w*ed\b)[a-z]{{2,20}}ed|{IRREGULAR}|wrote|rewrote|took|had to teach)\b",
    re.I,
    where=FIRST_PERSON,
)


def is_news(
    line: MessageLine, places: Sequence[PathPlace], index: int, below: MessageLine | None = None
) -> bool | None:
    """Tell whether a report of work has news of a path of a line: nothing says that it stays as it
    was (None: it says so), was only looked at, or is still to be done."""
    if line.unticked or is_about_future(line) or read_section_claim(line) in ("", "deleted"):
        return False
    if is_quoted(line.content, places[index]):
        return False
    if line.kind == "heading" and below and ONLY_LOOKS.match(put_into_english(below.content)):
        return False
    gaps = [_CODE_SPAN.sub(" ", gap) for gap in read_gaps(line, places)]
    while index and JOINS.fullmatch(gaps[index]) and not ARROW.fullmatch(gaps[index]):
        index -= 1  # what is said of the first of several holds for all
    if index + 2 < len(gaps) and ARROW.fullmatch(gaps[index + 1]):
        return False
    after = next((gap for gap in gaps[index + 1 :] if not JOINS.fullmatch(gap)), gaps[-1])
    if after.strip(DECORATION + "."):
        if is_said_to_stay(gaps, index) or _STAYS.search(_first_clause(after)):
            return None
        end = _SENTENCE_END.search(after)
        if (end and end[0] == "?") or _FINE.search(after):
            return False
    until = "\0".join(gaps[: index + 1])
    if _NOW_SEE.search(until):
        return True
    if _BUT.search(until) and _GOES.match(after):
        return False
    before = BOUNDARY.split(until)[-1]
    if _TAKES_OUT.fullmatch(before):
        return False
    clause = _COMMA.split(before)[-1]
    if before.strip(DECORATION) and not _leads_to_news(before, clause):
        return False
    if _INTRODUCED.fullmatch(before) or not after.strip(DECORATION + "."):
        return True
    is_subject = line.kind == "text" and not clause.strip(DECORATION)
    return not (
        _STANDS.match(after)
        or _MUST.match(after)
        or (is_subject and _DESCRIBES.match(after))
        or is_by_others(after)
    )


_NOW_SEE = compile_lazily(r"\bnow\b[^.;]{0,40}(?:[;,]| [—–-]| ?\() ?see (?:also )?[`*(\[]*$", re.I)
"""``It commits by hand now; see x.java``."""
_TAKES_OUT = compile_lazily(r"\W*(?:deletes?|removes?|drops?)[\s`*(]*", re.I)
_BUT = compile_lazily(r"\b(?:but|however,?|though|although|whereas)\s[`*(\[]*$", re.I)
_GOES = compile_lazily(r"[\s*_`)\]]{0,6}[a-z]{2,20}s\b(?![^.;]{0,60}\b(?:new|instead|now)\b)", re.I)
"""``But x.py rounds on its own``: what stands in the way of it."""


def _first_clause(after: str) -> str:
    """What is said first behind a path, whatever parts the two."""
    clauses = (clause for clause in BOUNDARY.split(after) if clause.strip(DECORATION))
    return str(_SO.split(next(clauses, ""))[0])


def _leads_to_news(before: str, clause: str) -> bool:
    """Tell whether a sentence, as far as a path, and its last clause speak of work on it."""
    label = before.rstrip(" *_`([")
    if label.endswith(":") and claim_of_label(label) in ("", "deleted"):
        return False
    named = _NAMED.match(before)
    if named and claim_of_label(named[1]) in ("", "deleted"):
        return False
    inner = clause.rfind("(") + 1  # "Take it before reading (`lock.go`)" leads nowhere
    if _WISHED.search(before) or _KEPT.search(clause) or _NO.search(clause, inner):
        return False
    if STAYS_AWAY.search(clause) or WHAT_TO_DO.search(clause):
        return False
    aways = [match.end() for match in _LOOKS_AT.finditer(clause)]
    aways += [match.end() for match in _LEADS_AWAY.finditer(clause, inner)]
    ons = [match.end() for match in _ON.finditer(clause)]
    return not aways or bool(ons and ons[-1] >= max(aways))
