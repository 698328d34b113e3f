"""The kinds of keys that are known by their form: each is found, and no text takes long."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from orch_tui.prepare import secret_rules
from orch_tui.prepare.secret_rules import SHORTEST, Rule, find_keys, load_rules
from orch_tui.prepare.secrets import find_secrets
from tests.bench.secret_kinds import KINDS, NAMED, PEMS
from tests.bench.secrets import try_kinds

RULES = load_rules()


def test_all_kinds_that_are_made_up_are_found_in_every_shape_of_file() -> None:
    assert len(KINDS) + len(PEMS) + len(NAMED) >= 270
    missed, _ = try_kinds(seed=5, each=1)
    assert {kind: places for kind, places in missed.items() if places} == {}


def test_each_kind_has_one_line_and_a_mark_of_its_own() -> None:
    assert len(RULES) > 200
    assert len({(rule.kind, rule.rest) for rule in RULES}) == len(RULES)
    assert all(rule.kind and all(rule.marks) for rule in RULES)


def test_what_a_pattern_repeats_has_an_end() -> None:
    for rule in RULES:
        assert not re.search(r"(?<!\\)[*]|(?<![\\}?+)])\+|\{\d*,\}", _without_classes(rule.rest))
        for mark in rule.marks:
            rule.compile(mark)


def _without_classes(pattern: str) -> str:
    return re.sub(r"\[(?:\\.|[^\]])+\]", "C", pattern)


def test_a_key_that_is_one_run_is_never_shorter_than_what_is_looked_at() -> None:
    for rule in RULES:
        if rule.is_run and not rule.begins_before:
            shortest = min(len(mark) for mark in rule.marks)
            least = sum(int(found[1]) for found in re.finditer(r"\{(\d+)(?:,\d+)?\}", rule.rest))
            assert shortest + least >= SHORTEST or "|" in rule.rest, rule.kind


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "0" * 36,
        "sk_live_" + "0123456789" * 3,
        "xAKIA" + "Q3EGR7J2XKLM4P5T",
        "the mark AKIA alone, and ghp_, sk-, hf_, eyJ",
        "-----BEGIN RSA PRIVATE KEY-----",
        'if text.startswith("-----BEGIN PRIVATE KEY-----"):\n    return parse_a_private_key(text)',
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQ\n",
    ],
)
def test_stand_ins_marks_alone_and_the_middles_of_words_are_none(text: str) -> None:
    assert list(find_keys(text)) == []


@pytest.mark.parametrize("before", ["", " ", '"', "=", ":", "\\n", "%3D", "(", ">", "_url: "])
def test_what_may_stand_before_a_key(before: str) -> None:
    assert [kind for _, kind in find_keys(f"{before}AKIA" + "Q3EGR7J2XKLM4P5T")] == [
        "AWS access key"
    ]


def test_a_pattern_is_only_made_where_its_mark_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def compile_and_tell(rule: Rule, mark: str) -> re.Pattern[str]:
        made.append(mark)
        return rule.compile(mark)

    monkeypatch.setattr(secret_rules, "_compiled", compile_and_tell)
    list(find_keys(f"a text with {'hf_' + 'b' * 34} in it and nothing more"))
    assert made == ["hf_"]


@pytest.mark.parametrize(
    "piece",
    [
        *("eyJ", "-eyJ", ".eyJ", "sk-", "sk-proj-", "-----BEGIN ", "MT", "a", '"d":"', "<D>A"),
        *("key=a1bcdefgh, ", "key=", "password='", "://a:b", "://a:b1bbbbbb@", "@://", "\\"),
        *("token: str = ", "-----BEGIN RSA PRIVATE KEY-----\\n", "Authorization: Basic "),
        "".join(chain.from_iterable(rule.marks for rule in RULES)),
    ],
    ids=lambda piece: piece[:12],
)
def test_hostile_texts_are_looked_through(piece: str) -> None:
    """In the square of their length it would take longer than any test may."""
    find_secrets(piece * (100_000 // len(piece)))
    find_secrets(piece * (100_000 // len(piece)) + "T3BlbkFJ")
