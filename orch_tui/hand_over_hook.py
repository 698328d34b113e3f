"""The hand-over hook: puts a briefing in the place of the line that names it.

Claude Code starts it before a call of the tool ``Agent`` and takes ``updatedInput`` of its answer
for the input of the call (https://code.claude.com/docs/en/hooks); everything but the prompt is
passed on as it came, byte for byte. It says nothing else and ends with 0 whatever happens. What it
cannot hand over goes through as it is, and a note of that is left in the inbox. It opens no record
and no settings, keeps nothing, and gives up when its time is over. ``orch install --hooks
--hand-over`` registers this very file with an interpreter that skips ``site``.
"""

from __future__ import annotations

import os
import stat
import sys
import time

TYPE_CHECKING = False  # type checkers know the name; importing typing would load re
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

    Scan = Callable[[str, int], tuple[object, int]]

TIME = 0.08
"""Seconds from the start of the process after which the call goes through as it is."""

EVENT = "OrchHandOver"
"""The event of the note that something was not handed over."""

_LARGEST = 64_000_000
"""Bytes of a briefing; a model takes a tenth of that at most."""


class _LateError(BaseException):
    """The time is over."""


class _NotHandedOverError(Exception):
    """Why a call goes through as it is."""


def main() -> NoReturn:
    """The whole process; nothing of Python's own end is needed, so it is left out."""
    try:
        import _signal  # type: ignore[import-not-found]  # the public module brings enum

        def expire(*_: object) -> NoReturn:
            raise _LateError

        _signal.signal(_signal.SIGALRM, expire)
        # what the process has used up so far is the least that has passed since its start
        _signal.setitimer(_signal.ITIMER_REAL, max(TIME - time.process_time(), 0.001))
        _answer(lambda: _signal.setitimer(_signal.ITIMER_REAL, 0))
    except BaseException:
        pass
    finally:
        os._exit(0)


def _answer(stop_clock: Callable[[], object]) -> None:
    chunks: list[bytes] = []
    try:
        try:
            _read_into(chunks)
            answer = _make_answer(b"".join(chunks))
        except _LateError:
            raise _NotHandedOverError(f"it took more than {TIME * 1000:.0f} ms") from None
        finally:
            stop_clock()
    except _LateError:  # between the two
        return
    except _NotHandedOverError as reason:
        _leave_note(b"".join(chunks), str(reason))
        return
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(1, rest) :]


def _read_into(chunks: list[bytes]) -> None:
    while chunk := os.read(0, 1 << 20):
        chunks.append(chunk)


def _make_answer(payload: bytes) -> bytes:
    """Make the answer to a payload; empty where it names no briefing.

    Raises:
        _NotHandedOverError: it names one that cannot be handed over.
    """
    from orch_tui.hand_over_line import OPENING, SeveralLinesError, find_hand_over

    if OPENING not in payload:
        return b""
    text = payload.decode()
    scan, quote = _json_parts()
    call = {key: text[start:end] for key, start, end in _members(text, 0, scan)}
    if call.get("hook_event_name") != '"PreToolUse"' or call.get("tool_name") not in _LAUNCHERS:
        return b""
    given = call["tool_input"]
    prompts = [place for place in _members(given, 0, scan) if place[0] == "prompt"]
    if len(prompts) != 1:
        return b""
    _, start, end = prompts[0]
    prompt = scan(given, start)[0]
    if not isinstance(prompt, str):
        return b""
    try:
        named = find_hand_over(prompt)
    except SeveralLinesError as error:
        raise _NotHandedOverError(str(error)) from None
    if named is None:
        return b""
    updated = f"{given[:start]}{quote(_read_briefing(*named))}{given[end:]}"
    return (
        '{"hookSpecificOutput":{"hookEventName":"PreToolUse","updatedInput":' + updated + "}}"
    ).encode()


_LAUNCHERS = ('"Agent"', '"Task"')


def _read_briefing(uid: str, sha256: str) -> str:
    """Read what was left for a deployment.

    Raises:
        _NotHandedOverError: it is not there, or may be somebody else's.
    """
    from orch_tui.paths import hand_over_folder, is_private

    folder = hand_over_folder()
    if not os.path.isdir(folder):
        raise _NotHandedOverError("there is no briefing of that id (any more)")
    if not is_private(folder):
        raise _NotHandedOverError(f"{folder} is a link or open to others")
    try:
        file = os.open(os.path.join(folder, uid), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _NotHandedOverError("there is no briefing of that id (any more)") from None
    except OSError as error:
        raise _NotHandedOverError(f"its file is a link or unreadable: {error.strerror}") from None
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise _NotHandedOverError("its file is no plain file")
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise _NotHandedOverError("its file is another user's, or open to others")
    if found.st_size > _LARGEST:
        raise _NotHandedOverError(f"its file has {found.st_size:,} bytes")
    data = b""
    while chunk := os.read(file, found.st_size + 1):
        data += chunk
    if _sha256(data) != sha256:
        raise _NotHandedOverError("its file has another SHA-256")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _NotHandedOverError("its file is not UTF-8") from None


def _sha256(data: bytes) -> str:
    # hashlib brings OpenSSL, a third of a bare start-up; the others are what it falls back on,
    # the first of them until Python 3.11
    for name in ("_sha256", "_sha2", "hashlib"):
        try:
            return str(__import__(name).sha256(data).hexdigest())
        except (ImportError, AttributeError):
            continue
    return ""


# JSON: the places of its values, so that what is passed on stays as it came


class _Strict:
    """How the scanner reads, as ``json.decoder`` asks for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _json_parts() -> tuple[Scan, Callable[[str], str]]:
    """Give what reads the JSON value at a place, with the place after it, and what quotes a
    text; the module ``json`` loads ``re``, which takes as long as all of this hook."""
    try:
        import _json

        strict: Any = _Strict
        return _json.make_scanner(strict), _json.encode_basestring_ascii
    except (ImportError, AttributeError):
        import json

        decoder: Any = json.JSONDecoder()
        return decoder.scan_once, json.dumps


def _members(text: str, start: int, scan: Scan) -> Iterator[tuple[object, int, int]]:
    """Yield key, beginning and end of the value of each member of the JSON object at a place.

    Raises:
        ValueError: there is none.
    """
    place = _skip(text, start, "{")
    if text[_skip(text, place) : _skip(text, place) + 1] == "}":
        return
    while True:
        key, place = scan(text, _skip(text, place))
        begin = _skip(text, _skip(text, place, ":"))
        _, end = scan(text, begin)
        yield key, begin, end
        place = _skip(text, end)
        if text[place : place + 1] != ",":
            _skip(text, place, "}")
            return
        place += 1


def _skip(text: str, place: int, sign: str = "") -> int:
    """Skip blanks and, where one is given, a sign that must stand there."""
    while text[place : place + 1] in (" ", "\t", "\n", "\r"):
        place += 1
    if not text.startswith(sign, place):
        raise ValueError(f"no {sign} at character {place}")
    return place + len(sign)


# What was not handed over

_NAMING = ("session_id", "tool_name", "tool_use_id")
"""What of a payload says which call it is of."""


def _leave_note(payload: bytes, reason: str) -> None:
    """Leave in the inbox which call went through as it was, and why."""
    from orch_tui.hook import find_project, put

    scan, quote = _json_parts()
    text = payload.decode()
    call = {key: text[start:end] for key, start, end in _members(text, 0, scan)}
    said = ",".join(f'"{name}":{call[name]}' for name in _NAMING if name in call)
    note = f'{{"hook_event_name":"{EVENT}",{said},"reason":{quote(reason)}}}'
    put([note.encode()], find_project(), time.time_ns())


if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    main()
