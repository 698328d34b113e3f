"""What is found in final messages, against what a person found in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.final_messages import PARTS, Agreement, compare_corpus, load_messages

pytestmark = pytest.mark.slow

FLOOR = 0.95


@pytest.fixture(scope="module")
def agreements(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Agreement]:
    messages = load_messages()
    assert len(messages) >= 60
    assert len({(message.source, message.name) for message in messages}) == len(messages)
    return compare_corpus(messages, Path(tmp_path_factory.mktemp("projects")).resolve())


@pytest.mark.parametrize("part", PARTS)
def test_what_a_message_tells_is_found(part: str, agreements: dict[str, Agreement]) -> None:
    assert agreements[part].labelled >= 60
    assert agreements[part].recall > FLOOR, agreements[part].missed


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_found_that_a_message_does_not_tell(
    part: str, agreements: dict[str, Agreement]
) -> None:
    assert agreements[part].precision > FLOOR, agreements[part].wrong
