"""Make a fixture of what a run left, without this machine's paths and without the client's texts.

    python -m tests.client.sanitize RUN TARGET

RUN is a folder that ``python -m tests.client --keep`` left. TARGET gets ``payloads.jsonl``, those
of the events that orch listens to, with their times; ``projects/``, the transcripts; and
``truth.json``. Of a text that is not of our making its length is left, except for the forms around
ours by which orch reads it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orch_tui.claude_client import transcripts_folder
from orch_tui.install.hook_settings import EVENTS
from tests.client.messages_api import Served, read_served
from tests.client.run import PROJECT
from tests.client.truth import read_truth

HOME = "/home/dev"
SHORT = 24
"""Characters up to which a text is a name, a state or a label."""

FORM = re.compile(
    r"</?[a-z-]+>|<teammate-message [^>]*>"
    r"|Agent terminated early due to an API error: |API Error: \d+"
    r"|NOTE: this agent stopped at its \d+-turn limit"
    r"|The coordinator sent a message[^\n]*:|Address this before "
    r"|\[Request interrupted by user[^]]*\]|User rejected tool use"
    r"|This agent's report was delivered to you as a message"
    r"|Base directory for this skill:|\(play [\w-]+\)"
    r"|\[Subagent hand-back\]|\[Workflow harness[^]]*\]"
    r"|agentId: \w+|(subagent_tokens|tool_uses|duration_ms): \d+"
)
"""How lines begin that tell orch what a text is; the rest of such a line is looked at by itself."""

CLOSED = re.compile(r"(.*?)((?:</[a-z-]+>)+)")
BESIDE_THE_TALK = ("api-request", "attachment", "system", "cost-state")
"""Types of records that hold what the client tells the model; of attachments, a message that had
to wait is of the talk."""
OF_THE_TALK = ("queued_command", "fork-context-ref")
COMMON = ("type", "uuid", "parentUuid", "sessionId", "agentId", "timestamp", "isSidechain")


def sanitize_run(run: Path, target: Path) -> None:
    """Write what a run left into a new folder."""
    served = read_served(run / "served.jsonl")
    cleaner = Cleaner(run, served)
    target.mkdir(parents=True)
    (target / "payloads.jsonl").write_text(cleaner.render_lines(_heard(run)))
    sources = run / "home" / ".claude" / "projects"
    for source in sorted(sources.rglob("*.json*")):
        written = target / "projects" / cleaner.rename(str(source.relative_to(sources)))
        written.parent.mkdir(parents=True, exist_ok=True)
        records = map(json.loads, source.read_text().splitlines())
        written.write_text(cleaner.render_lines(records))
    truth = {
        "agents": [asdict(agent) for agent in read_truth(served)],
        "lasted": [served[0].at, served[-1].at],
    }
    (target / "truth.json").write_text(cleaner.render_lines([truth]))


class Cleaner:
    """Knows which texts of a run are ours, and which names are this machine's."""

    def __init__(self, run: Path, served: Iterable[Served]) -> None:
        project = run / "project"
        self._ours = "\n".join([*PROJECT.values(), *_our_texts(served)])
        self._names = {
            str(project): f"{HOME}/project",
            transcripts_folder(str(project)): transcripts_folder(f"{HOME}/project"),
            str(run / "home"): HOME,
            str(run): f"{HOME}/run",
        }

    def rename(self, text: str) -> str:
        for name, other in self._names.items():
            text = text.replace(name, other)
        return text

    def render_lines(self, records: Iterable[Mapping[str, Any]]) -> str:
        """Render records, cleaned, as JSON lines."""
        cleaned = (self._clean(_without_talk_beside(record)) for record in records)
        lines = (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in cleaned)
        return self.rename("".join(f"{line}\n" for line in lines))

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._clean(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._clean(each) for each in value]
        return self._clean_text(value) if isinstance(value, str) else value

    def _clean_text(self, text: str) -> str:
        if text.startswith(("{", "[{")):
            try:
                return json.dumps(self._clean(json.loads(text)))
            except ValueError:
                pass
        return "\n".join(map(self._clean_line, text.split("\n")))

    def _clean_line(self, line: str) -> str:
        words = line.strip()
        if " " not in words or len(words) <= SHORT or words in self._ours:
            return line
        if form := FORM.match(words):
            closed = CLOSED.fullmatch(words, form.end())
            inner, end = closed.groups() if closed else (words[form.end() :], "")
            return f"{form[0]}{self._clean_line(inner)}{end}"
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}<{len(line)} characters>"


def _heard(run: Path) -> Iterator[dict[str, Any]]:
    """Give the payloads of the events that orch listens to, with the time of each in ns."""
    for file in sorted(run.glob("payloads/*.json")):
        payload = json.loads(file.read_bytes())
        tools = EVENTS.get(payload["hook_event_name"], "")
        if tools is None or payload.get("tool_name") in tools.split("|"):
            yield {"at": int(file.name.split("-")[0]), "payload": payload}


def _without_talk_beside(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave of a record only that it was there, where orch reads no more than that."""
    attached = record.get("attachment", {}).get("type")
    if not str(record.get("type")).startswith(BESIDE_THE_TALK) or attached in OF_THE_TALK:
        return record
    told = {"attachment": {"type": attached}} if attached else {}
    return {**{name: record[name] for name in COMMON if name in record}, **told}


def _our_texts(value: Any) -> Iterator[str]:
    """Give every text in what was served, however deep."""
    if isinstance(value, Served):
        yield from _our_texts((value.message or {}).get("content", []))
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _our_texts(list(value.values()))
    elif isinstance(value, Iterable):
        for each in value:
            yield from _our_texts(each)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.client.sanitize RUN TARGET")
    sanitize_run(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
