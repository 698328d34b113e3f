"""Filling a template from anywhere in a process of its own, under limits of the system.

What Jinja2 can be made to compute cannot be metered from within: every filter, method and operator
is another way to grow. The process has seconds, memory and nothing to lose.
"""

from __future__ import annotations

import json
import marshal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

from orch_tui.errors import FormatError, OrchError
from orch_tui.prepare.filling_limits import ENDLESS, SECONDS, limit_memory, refuse_filling
from orch_tui.processes import own_module

_AT_MOST = 20
"""Seconds to wait for the process, however busy the machine is."""


def fill_under_limits(
    name: str, text: str, values: Mapping[str, object], *, for_html: bool = False
) -> str:
    """Fill a template from ``values``; ``for_html``: each text among them is escaped.

    Raises FormatError for what is wrong in it, with its line, and where it takes more than
    `SECONDS` or what `limit_memory` gives.
    """
    asked = marshal.dumps((name, text, _make_plain(values), for_html))
    try:
        done = subprocess.run(
            own_module(__name__),
            input=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_AT_MOST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise refuse_filling(name) from None
    except OSError as error:
        raise OrchError(f"template {name} cannot be filled: {error}") from None
    if done.returncode != 0:  # killed by a limit, or too much for it to say so
        raise refuse_filling(name)
    kind, said, hint = json.loads(done.stdout)
    if kind == "filled":
        return str(said)
    if kind == "endless":
        raise refuse_filling(name, said)
    raise FormatError(said, hint=hint)


def _make_plain(value: Any) -> Any:
    """Make what a process can be sent of a value: a dict of what stands for more."""
    if isinstance(value, Mapping):
        return {_make_plain(key): _make_plain(held) for key, held in value.items()}
    if is_dataclass(value):
        return {each.name: _make_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return tuple(map(_make_plain, value))
    return list(map(_make_plain, value)) if isinstance(value, list) else value


def _fill() -> None:
    """Fill what comes on standard input; answer on standard output."""
    import resource
    import signal

    from orch_tui.prepare.jinja_templates import fill_jinja

    asked = sys.stdin.buffer.read()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # its signal ends the process
    most = limit_memory(len(asked))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most < hard:  # else who started orch allows less
        with suppress(OSError, ValueError):  # macOS may refuse; the second holds there, too
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    name, text, values, for_html = marshal.loads(asked)
    try:
        answer = ("filled", fill_jinja(name, text, values, for_html=for_html), "")
    except FormatError as error:
        kind = "endless" if error.message.endswith(ENDLESS) else "wrong"
        answer = (kind, error.message, error.hint)
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    _fill()
