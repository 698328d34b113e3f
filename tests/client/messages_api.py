"""A Messages API on loopback that plays a script and keeps what it served.

Its shapes are those of https://docs.claude.com/en/api/messages and its streaming page. Claude Code
names the agent that asks in a header.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.client.script import AFTER_THE_SCRIPT, AGENT_OF, FILE, PLAY, Answer, Block, Parts, Step

PATIENCE = 120
"""Seconds that anything is waited for; a run in which it does not come is wrong."""

COMPACTION = re.compile(r"\bsummary of (the|our|this) conversation\b")


@dataclass
class Served:
    """One request and what came of it."""

    agent: str | None
    """The id of the agent; None: the main session."""
    session: str
    part: str
    step: int
    model: str
    prompt: str
    """The text that names the part."""
    at: float
    sizes: dict[str, int]
    """Bytes of the system prompt, of the tools and of the messages, as JSON."""
    message: dict[str, Any] | None = None
    """The message as it was sent in full."""
    error: int | None = None
    broken: bool = False
    """It did not reach the client as a whole."""


@dataclass
class Play:
    """The state of a run, shared by the threads of the server."""

    parts: Parts
    project: str
    served: list[Served] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    held: set[str] = field(default_factory=set)
    first_requests: dict[str, Any] = field(default_factory=dict)
    """The first body that each agent sent, by its id."""
    over: bool = False
    _refused: dict[tuple[str, int], int] = field(default_factory=dict)

    def wait_until_held(self, part: str) -> bool:
        return self._wait(lambda: part in self.held)

    def wait_until_said(self, part: str, step: int) -> bool:
        """Wait until an answer was served; False: it did not come."""
        return self._wait(
            lambda: any(s.part == part and s.step >= step and s.message for s in self.served)
        )

    def hold(self, part: str) -> None:
        """Wait until the run is over."""
        with self.changed:
            self.held.add(part)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.over, PATIENCE)

    def pause(self, seconds: float) -> None:
        """Let a time pass, or what is left of the run."""
        with self.changed:
            self.changed.wait_for(lambda: self.over, seconds)

    def end(self) -> None:
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def keep(self, served: Served) -> int:
        """Keep a request and give its number, from 1."""
        with self.changed:
            self.served.append(served)
            return len(self.served)

    def note(self, served: Served, **changes: Any) -> None:
        with self.changed:
            for name, value in changes.items():
                setattr(served, name, value)
            self.changed.notify_all()

    def choose(self, part: str, step: int) -> Step:
        """Choose what is served: an answer, or a refusal whose times are not over."""
        steps = self.parts.get(part, ())
        chosen: Step = steps[step] if step < len(steps) else AFTER_THE_SCRIPT
        if isinstance(chosen, Answer):
            return chosen
        with self.changed:
            times = self._refused.get((part, step), 0)
            self._refused[part, step] = times + 1
        return chosen if times < chosen.times else chosen.then

    def fill(self, block: Block) -> Block:
        """Put what only the run knows in the places that a script leaves for it."""
        agents = {served.part: served.agent or "" for served in list(self.served)}
        words = json.dumps(block).replace("{project}", self.project)
        words = FILE.sub(lambda found: json.dumps(self._read(found[1]))[1:-1], words)
        filled: Block = json.loads(AGENT_OF.sub(lambda found: agents[found[1]], words))
        return filled

    def _read(self, name: str) -> str:
        return Path(self.project, name).read_text().strip()

    def _wait(self, condition: Any) -> bool:
        with self.changed:
            return bool(self.changed.wait_for(lambda: self.over or condition(), PATIENCE))


class MessagesApi:
    """The server; within ``with`` it listens."""

    def __init__(self, parts: Parts, project: str) -> None:
        self.play = Play(parts, project)
        handler = type("Handler", (_Handler,), {"play": self.play})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Play:
        self._thread.start()
        return self.play

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.play.end()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """Connections that may wait: fifty agents ask at once."""


def write_served(served: list[Served], target: Path) -> None:
    target.write_text("".join(json.dumps(asdict(one)) + "\n" for one in served))


def read_served(source: Path) -> list[Served]:
    return [Served(**json.loads(line)) for line in source.read_text().splitlines()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    play: Play

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._send_json(200, {})

    def do_GET(self) -> None:
        self._send_json(404, _error("not_found_error", "there is nothing here"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.split("?")[0]
        if path == "/v1/messages/count_tokens":
            self._send_json(200, {"input_tokens": len(body) // 4})
        elif path == "/v1/messages":
            self._answer(json.loads(body))
        else:
            self.do_GET()

    def _answer(self, request: dict[str, Any]) -> None:
        # without tools the client asks for itself: a title, say
        part, step, prompt = _place(request["messages"] if request.get("tools") else [])
        names = ("system", "tools", "messages")
        served = Served(
            agent=self.headers.get("x-claude-code-agent-id"),
            session=self.headers.get("x-claude-code-session-id", ""),
            part=part,
            step=step,
            model=request["model"],
            prompt=prompt,
            at=time.time(),
            sizes={n: len(json.dumps(request.get(n, ""), ensure_ascii=False)) for n in names},
        )
        if served.agent:
            self.play.first_requests.setdefault(served.agent, request)
        number = self.play.keep(served)
        chosen = self.play.choose(part, step)
        if not isinstance(chosen, Answer):
            self.play.note(served, error=chosen.status)
            self._send_json(chosen.status, _error(chosen.kind, "as the script has it"))
            return
        if chosen.waits_for:
            self.play.wait_until_held(chosen.waits_for)
        if chosen.held:
            self.play.note(served, broken=True)
            self.play.hold(part)
            self.close_connection = True
            return
        self.play.pause(chosen.after)
        message = self._make_message(number, served, chosen)
        try:
            if request.get("stream"):
                self._stream(message, chosen)
            else:
                self._send_json(200, message)
        except OSError:
            self.play.note(served, broken=True)
        self.play.note(served, message=message, broken=served.broken or chosen.cut)

    def _make_message(self, number: int, served: Served, answer: Answer) -> dict[str, Any]:
        blocks = [
            {**block, "id": f"toolu_{served.part}_{number:03}_{at}"}
            if block["type"] == "tool_use"
            else block
            for at, block in enumerate(map(self.play.fill, answer.blocks))
        ]
        calls = any(block["type"] == "tool_use" for block in blocks)
        written = 1000 + number
        return {
            "id": f"msg_{served.session[:8]}_{number:03}",
            "type": "message",
            "role": "assistant",
            "model": served.model,
            "content": blocks,
            "stop_reason": answer.stop or ("tool_use" if calls else "end_turn"),
            "stop_sequence": None,
            "usage": {
                "input_tokens": 10 + number,
                "cache_creation_input_tokens": written,
                "cache_read_input_tokens": sum(served.sizes.values()) // 4,
                "output_tokens": 1 + len(json.dumps(blocks)) // 4,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": written,
                    "ephemeral_1h_input_tokens": 0,
                },
                "service_tier": "standard",
            },
        }

    def _stream(self, message: dict[str, Any], answer: Answer) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in _events(message):
            kind = event["type"]
            self.wfile.write(f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
            if kind == "content_block_delta" and event["index"] == 0:
                self.play.pause(answer.stalls)
                if answer.cut:
                    return

    def _send_json(self, status: int, value: Mapping[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _place(messages: list[dict[str, Any]]) -> tuple[str, int, str]:
    """Find the part that is played, the number of its next answer, and the text that names it."""
    found = ("", 0, "")
    step = 0
    for message in messages:
        if message["role"] == "assistant":
            step += 1
            continue
        for told in _texts(message["content"]):
            if COMPACTION.search(told):
                found, step = ("compaction", 0, told), 0
            for name in PLAY.findall(told):
                found, step = (name, 0, told), 0
    return found[0], step, found[2]


def _texts(content: Any) -> Iterator[str]:
    """Give what the user wrote; what tools gave back is not of that."""
    if isinstance(content, str):
        yield content
    else:
        yield from (block["text"] for block in content if block["type"] == "text")


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Take a message apart into the events of its stream."""
    usage = message["usage"]
    begun: dict[str, Any] = {
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": {**message, **begun}}
    for at, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            given = json.dumps(block["input"])
            delta = {"type": "input_json_delta", "partial_json": given}
        yield {"type": "content_block_start", "index": at, "content_block": empty}
        yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}


def _error(kind: str, words: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": words}}
