"""What a release of the client is like: events, shapes, models, and how much agents are handed.

``profile.json`` is that of the release that the scenarios were written with; another is compared
with it, so that what a new release changed is told besides what orch gets wrong of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.client.run import Run
from tests.client.truth import read_truth

STORED = Path(__file__).with_name("profile.json")
DEEPEST = 3
"""Levels of keys that are looked at; what lies below is what tools and models say."""

CLOSE = 0.02
"""Sizes differ by that much where nothing changed: they hold paths and dates."""

Sizes = dict[str, list[int]]


class Profile(NamedTuple):
    """A release as some runs showed it."""

    version: str
    facts: set[str]
    """A line each: an event, a key of a payload or a record, the model that an agent got."""
    sizes: Sizes
    """Bytes, from the least to the most, by what was handed to which agent."""


def read_profile(version: str, runs: Iterable[Run]) -> Profile:
    profile = Profile(version, set(), {})
    for run in runs:
        profile.facts.update(_payload_facts(run), _record_facts(run))
        _add_requests(run, profile)
    return profile


def load_profile() -> Profile:
    version, facts, sizes = json.loads(STORED.read_text())
    return Profile(version, set(facts), sizes)


def store_profile(profile: Profile) -> None:
    version, facts, sizes = profile
    told = [version, sorted(facts), dict(sorted(sizes.items()))]
    STORED.write_text(json.dumps(told, indent=0) + "\n")


def list_changes(old: Profile, new: Profile, all_ran: bool) -> Iterator[str]:
    """Tell what is new, and what is gone where all scenarios ran, a line each."""
    yield from (f"new: {fact}" for fact in sorted(new.facts - old.facts))
    if all_ran:
        yield from (f"gone: {fact}" for fact in sorted(old.facts - new.facts))
    for name, (least, most) in sorted(new.sizes.items()):
        known = old.sizes.get(name)
        if known and (least < known[0] * (1 - CLOSE) or most > known[1] * (1 + CLOSE)):
            yield f"size: {name}: {least:,} to {most:,} bytes, was {known[0]:,} to {known[1]:,}"


def _payload_facts(run: Run) -> Iterator[str]:
    for file in run.payloads:
        payload = json.loads(file.read_bytes())
        name = f"{payload['hook_event_name']} {payload.get('tool_name', '')}".rstrip()
        yield f"event {name}"
        yield from (f"payload of {name}: {key}" for key in _keys(payload))


def _record_facts(run: Run) -> Iterator[str]:
    for file in run.config.glob("projects/**/*.json*"):
        kind = "sidecar" if file.name.endswith(".meta.json") else None
        for line in file.read_text().splitlines():
            record = json.loads(line)
            name = kind or str(record.get("type"))
            attached = record.pop("attachment", {}).get("type", "")
            yield from (f"record {name} {attached}".rstrip() + f": {key}" for key in _keys(record))


def _keys(value: Any, path: str = "", depth: int = DEEPEST) -> Iterator[str]:
    """Give the paths of all keys; those that are no identifiers are data."""
    if isinstance(value, list):
        for each in value:
            yield from _keys(each, path, depth)
    elif isinstance(value, dict) and depth:
        for key, each in value.items():
            if key.isidentifier():
                yield f"{path}{key}"
                yield from _keys(each, f"{path}{key}.", depth - 1)


def _add_requests(run: Run, profile: Profile) -> None:
    agents = {truth.agent_id: truth for truth in read_truth(run.served)}
    for one in run.served:
        if not one.part or one.step:
            continue
        truth = agents.get(one.agent or "")
        name = (truth.agent_type or "agent of a workflow") if truth else "main session"
        asked = f" with {truth.model}" if truth and truth.model else ""
        profile.facts.add(f"model of {name}{asked}: {one.model}")
        where = "interactive" if run.scenario.interactive else "print"
        for part in ("system", "tools"):
            size = one.sizes[part]
            known = profile.sizes.setdefault(f"{part} of {name}, {where}", [size, size])
            known[:] = [min(*known, size), max(*known, size)]
