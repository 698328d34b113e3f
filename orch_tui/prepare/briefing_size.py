"""How many tokens a briefing takes, part by part: its items, the frame of the message, and what its
template says around them, with the line under all that names the deployment.

Each part is counted once and added: what is said around the items is counted with a short text in
place of each. Tokens do not reach across lines, so the sum is what the whole takes, or a little
more where line ends meet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace

from orch_tui.prepare.briefing import render_briefing
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import (
    FAMILIES,
    Count,
    CountCache,
    PlainText,
    add_frame,
    exact_name,
    make_template_count,
)
from orch_tui.prepare.marker import mark_briefing
from orch_tui.prepare.tokens import count_items

_SIGN = "\ue000"
"""Tells the places of texts; counted with the text that stands in, and taken off with it."""

_BEGINNING = re.compile(rb"[^A-Za-z0-9\x80-\xff]{0,3}")
_FENCE = re.compile(rb"`{3,}")
_CLOSING = re.compile(rb"</document_content_*>", re.IGNORECASE)
_INSIDE = {_FENCE: b"```", _CLOSING: b"</document_content"}
"""What a frame depends on, each with what stands in it: to find that takes a tenth as long."""


def make_stand_in(data: bytes) -> bytes:
    """Make the shortest text that a template frames as it does this one: with the same beginning
    and end, as long a fence and the same closing tag."""
    if not data:
        return b""
    lowered = data.lower()
    looked_for = [each for each, part in _INSIDE.items() if part in lowered]
    inside = {max(found, key=len) for each in looked_for if (found := each.findall(data))}
    begin, end = _BEGINNING.match(data), data[len(data.rstrip(b"\r\n")) :]
    return b"".join(
        (
            begin[0] if begin and data.strip() else b"",
            b"\n".join([f"x{_SIGN}".encode(), *sorted(inside)]),
            end,
        )
    )


def measure_briefing(
    bundle: Bundle, family: str, *, cache: CountCache | None = None, exact: bool | None = None
) -> Bundle:
    """Return the bundle with the tokens that its template takes, counted for a tokenizer family.

    What the cache knows is not counted again. An item without data counts as it is claimed. Where
    the template leaves out items or repeats them, its figure is what the whole takes besides them,
    which may be below 0.

    ``exact=True`` has the whole counted exactly, where its items are; so it is without that where
    the cache knows it.

    Raises:
        FormatError: what is wrong in the template.
        UsageError: an exact count is asked for and cannot be had.
    """
    count = _count_exactly(bundle, family, cache, must=bool(exact))
    return replace(bundle, template_count=count or _count_template(bundle, family, cache))


def count_briefing(rendered: bytes, family: str, *, cache: CountCache | None = None) -> Count:
    """Count a briefing as it was rendered, in the frame of its message; once, with a cache."""
    (count,) = _count_texts([_text(rendered)], family, cache)
    return add_frame(count)


def _count_template(bundle: Bundle, family: str, cache: CountCache | None) -> Count:
    bundle = _with_id(bundle)
    given = [item for item in bundle.items if item.data and not item.is_pointed_to]
    stand_ins = [make_stand_in(item.data or b"") for item in given]
    short = iter(stand_ins)
    items = [
        _with_data(item, next(short)) if item.data and not item.is_pointed_to else item
        for item in bundle.items
    ]
    may_cut = bundle.template is not None and bundle.template.is_jinja
    around = "" if may_cut else _handed(replace(bundle, items=tuple(items)))
    if not may_cut and around.count(_SIGN) == len(given):
        texts = [around, *(_text(text).rstrip("\r\n") for text in stand_ins)]
    else:
        texts = [_handed(bundle), *(item.text for item in given)]
    whole, *inside = _count_texts(texts, family, cache)
    return make_template_count(whole.tokens - sum(each.tokens for each in inside), family)


def _count_exactly(
    bundle: Bundle, family: str, cache: CountCache | None, *, must: bool
) -> Count | None:
    """Count what a template takes as the whole less its items; None where that is an estimate."""
    given = bundle.given
    if family not in FAMILIES or not given.exact or given.estimator not in ("", exact_name(family)):
        return None
    if not must and (cache is None or not given.tokens):
        return None
    whole = PlainText(_handed(_with_id(bundle)), "markdown")
    if not must and not (cache and cache.get_counts([whole.sha256], exact_name(family))):
        return None
    (count,) = count_items([whole], family=family, cache=cache, exact=True)
    return make_template_count(count.tokens - given.tokens, family, exact=True)


def _with_id(bundle: Bundle) -> Bundle:
    """Give a bundle a usual id where it has none yet: saving gives it one."""
    return replace(bundle, bundle_id=bundle.bundle_id or "bundle-00000")


def draw_uid(family: str) -> str:
    """Draw the uid of a new deployment, 32 hexadecimal digits, one whose marker takes as many
    tokens as a bundle is counted with.

    So a bundle and what is handed over of it take the same to the token.
    """
    chance = int.from_bytes(os.urandom(16))
    uid = ""
    for sign in _SHAPES.get(family, _SHAPE):
        digits = "0123456789" if sign == "0" else "abcdef"
        chance, place = divmod(chance, len(digits))
        uid += digits[place]
    return uid


_SHAPE = "00a00a00a00a000a000a000a000a0000"
_SHAPES = {family: "00a00a00a00a00a00a00a00a00a00000" for family in ("v4.7", "v4.8")}
"""Where the decimal digits and the letters of a uid stand, so that its marker takes what the usual
one does: a letter alone is one token, and so are up to three digits, in every tokenizer. Counting
one uid after the other until one fits would load the pieces of the tokenizer for nothing else."""


def _handed(bundle: Bundle) -> str:
    return _text(mark_briefing(render_briefing(bundle)))


def _with_data(item: ContextItem, data: bytes) -> ContextItem:
    return replace(item, data=data, sha256=item.sha256 or "-")


def _text(rendered: bytes) -> str:
    return rendered.decode("utf-8", "replace")


def _count_texts(texts: Sequence[str], family: str, cache: CountCache | None) -> list[Count]:
    plain = [PlainText(text, "markdown") for text in texts]
    return count_items(plain, family=family, cache=cache, exact=False)
