"""The scripted API: streamed or not, counts, refusals, cuts, answers that are empty or wait."""

from __future__ import annotations

import json
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from threading import Thread
from typing import Any

from tests.client.messages_api import MessagesApi, Play, read_served, write_served
from tests.client.script import Answer, Parts, Refusal, call, holds, says
from tests.client.truth import read_truth


class Asking:
    """A client's side of one conversation."""

    def __init__(self, api: MessagesApi, agent: str | None = None) -> None:
        self._address = api.url.removeprefix("http://")
        self._headers = {"x-claude-code-session-id": "s1"}
        if agent:
            self._headers["x-claude-code-agent-id"] = agent
        self.messages: list[dict[str, Any]] = []

    def post(self, path: str, body: Any) -> tuple[int, bytes]:
        connection = HTTPConnection(self._address)
        connection.request("POST", path, json.dumps(body), self._headers)
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        except IncompleteRead as error:
            return answer.status, error.partial
        finally:
            connection.close()

    def ask(self, **how: Any) -> tuple[int, bytes]:
        body = {"model": "m", "tools": [{"name": "Agent"}], "messages": self.messages, **how}
        return self.post("/v1/messages?beta=true", body)

    def say(self, words: str) -> dict[str, Any]:
        """Say something and give the answer, which is added to the conversation."""
        self.messages.append({"role": "user", "content": words})
        message: dict[str, Any] = json.loads(self.ask()[1])
        self.messages.append({"role": "assistant", "content": message["content"]})
        return message


def served_by(parts: Parts, project: Path = Path()) -> MessagesApi:
    return MessagesApi(parts, str(project))


def test_a_part_is_played_answer_by_answer_and_the_last_named_one_counts() -> None:
    api = served_by({"a": [says("1"), says("2")], "b": [says("3")]})
    with api:
        asking = Asking(api)
        said = [asking.say(words) for words in ("(play a)", "on", "(play b) now", "on")]
    assert [each["content"][0]["text"] for each in said[:3]] == ["1", "2", "3"]
    assert said[3]["content"][0]["text"]


def test_a_stream_has_what_the_message_has() -> None:
    api = served_by({"a": [says("Look.", call("Read", file_path="{project}/x"))]}, Path("/p"))
    with api:
        asking = Asking(api)
        whole = asking.say("(play a)")
        del asking.messages[1:]
        status, data = asking.ask(stream=True)
    assert (status, whole["stop_reason"]) == (200, "tool_use")
    assert whole["content"][1]["input"] == {"file_path": "/p/x"}
    events = [json.loads(line[6:]) for line in data.splitlines() if line.startswith(b"data: ")]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert deltas[0]["text"] == "Look."
    assert json.loads(deltas[1]["partial_json"]) == {"file_path": "/p/x"}
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-1] == {"type": "message_stop"}


def test_refusals_cuts_and_empty_answers_come_when_they_are_asked_for() -> None:
    parts: Parts = {
        "a": [Refusal(529, "overloaded_error", 1, says("Now.")), Answer()],
        "b": [says("This is", cut=True)],
    }
    api = served_by(parts)
    with api as play:
        asking = Asking(api, "a1")
        asking.messages.append({"role": "user", "content": "(play a)"})
        status, data = asking.ask()
        assert (status, json.loads(data)["error"]["type"]) == (529, "overloaded_error")
        assert json.loads(asking.ask()[1])["content"][0]["text"] == "Now."
        asking.messages.append({"role": "assistant", "content": "Now."})
        assert json.loads(asking.ask()[1])["content"] == []
        asking.messages = [{"role": "user", "content": "(play b)"}]
        assert b"message_stop" not in asking.ask(stream=True)[1]
    assert [one.broken for one in play.served] == [False, False, False, True]
    assert [one.error for one in play.served] == [529, None, None, None]


def test_an_answer_is_held_until_the_end_and_another_waits_for_it() -> None:
    api = served_by({"held": [holds()], "a": [says("It is held.", waits_for="held")]})
    answers: list[Any] = []
    with api as play:
        thread = Thread(target=lambda: answers.append(Asking(api).say("(play a)")))
        thread.start()
        assert not answers
        Thread(target=_ask_in_vain, args=(api,), daemon=True).start()
        thread.join()
        assert play.wait_until_held("held")
    assert answers[0]["content"][0]["text"] == "It is held."


def _ask_in_vain(api: MessagesApi) -> None:
    asking = Asking(api, "a1")
    asking.messages.append({"role": "user", "content": "(play held)"})
    try:
        asking.ask()
    except OSError:
        return


def test_what_was_served_is_read_back_and_tells_the_truth(tmp_path: Path) -> None:
    launch = call("Agent", prompt="(play b) go", description="go", model="opus")
    api = served_by({"a": [says(launch)], "b": [says("Gone.")]})
    with api as play:
        Asking(api, "a1").say("(play a)")
        said = Asking(api, "b1").say("(play b) go")
    write_served(play.served, tmp_path / "served.jsonl")
    above, below = read_truth(read_served(tmp_path / "served.jsonl"))
    assert (above.agent_id, above.tool_calls, above.depth) == ("a1", 1, 1)
    assert (below.parent, below.depth, below.model, below.final) == ("a1", 2, "opus", "Gone.")
    assert below.usage[said["id"]]["input_tokens"] == said["usage"]["input_tokens"]
    assert below.context_end == sum(below.usage[said["id"]].values())


def test_tokens_are_counted_and_requests_of_the_clients_own_play_nothing() -> None:
    api = served_by({"a": [says("never")]})
    with api as play:
        asking = Asking(api)
        asking.messages.append({"role": "user", "content": "(play a)"})
        assert b"never" not in asking.ask(tools=[])[1]
        status, data = asking.post("/v1/messages/count_tokens", {"messages": []})
        assert (status, json.loads(data)["input_tokens"] > 0) == (200, True)
        assert asking.post("/v1/other", {})[0] == 404
    assert isinstance(play, Play)
    assert [one.part for one in play.served] == [""]
