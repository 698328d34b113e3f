"""A past run as what the next one could be given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orch_tui.errors import NotFoundError
from orch_tui.models.database import Record
from orch_tui.prepare.composition import Choice
from orch_tui.recall.run_composition import compose_past_run
from tests.recall.runs import make_bundle, make_item, open_session, run_agent
from tests.recall.test_file_worth import touch


def test_a_prepared_run_is_the_items_of_its_bundle(record: Record) -> None:
    part = replace(make_item("spec.md"), sections=("Search",), priority="optional")
    shared = replace(make_item("a.py", "shared_context"), shared_with=("b2",))
    bundle = make_bundle("b", shared, part)
    run = run_agent(record, open_session(record), bundle=bundle, scope="Mend it")
    touch(record, run, "read.py")
    made = compose_past_run(record, run)
    assert (made.agent_type, made.scope, made.model) == ("implementor", "Mend it", "sonnet")
    assert (made.bundle_id, made.name, made.planned_id) == ("", "", 0)
    assert made.choices == (
        Choice("a.py", type="shared_context"),  # whole again
        Choice("spec.md", ("Search",), priority="optional"),
    )


def test_another_run_is_its_prompt_and_what_it_read(record: Record) -> None:
    run = run_agent(record, open_session(record), briefing=b"Find the leak.", scope="Leak")
    touch(record, run, "b.py", "a.py", "/tmp/x", written=("new.py",))
    made = compose_past_run(record, run)
    prompt, *files = made.choices
    assert (prompt.source, prompt.text) == ("text:Find the leak.", "Find the leak.")
    assert (prompt.type, prompt.priority) == ("briefing", "required")
    assert files == [
        Choice(path, type="reference", priority="recommended") for path in ("a.py", "b.py")
    ]


def test_a_run_of_which_nothing_is_known_has_nothing(record: Record) -> None:
    run = run_agent(record, open_session(record))
    assert compose_past_run(record, run).choices == ()
    with pytest.raises(NotFoundError):
        compose_past_run(record, "exec-999")
