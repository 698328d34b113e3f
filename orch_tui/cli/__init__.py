"""The commands: they parse, call the engine, print and exit; they hold no logic.

Standard output is data, standard error is narration. Exit codes: 0 done, 1 the answer is no,
2 wrong usage, 129, 130 and 143 hung up, interrupted and terminated, 70 a bug in orch, which is no
answer.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `orch hook` comes through here and has no time for any import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

INTERRUPTED = 130
TERMINATED = 143
BROKEN = 70
"""EX_SOFTWARE of sysexits.h: a script must not take a bug for an answer."""


class _TerminatedError(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt it is nobody's to catch on the way."""


_signals: list[int] = []
"""What arrived: where it ends a statement of SQLite, what its handler raised is lost there."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    if argv is None and sys.argv[1:2] == ["hook"] and not {"-h", "--help"} & {*sys.argv}:
        if "--hand-over" in sys.argv:
            from orch_tui import hand_over_hook

            hand_over_hook.main()
        from orch_tui import hook

        hook.main()
    import gc

    if argv is None:
        gc.set_threshold(50_000, 20, 20)  # importing makes no garbage
        _defer_inspect()
    from orch_tui.cli.terminal_text import guarded_terminals

    _prepare_streams()
    try:
        with guarded_terminals():
            return _run(sys.argv[1:] if argv is None else list(argv))
    finally:
        if argv is None:
            gc.freeze()  # the process ends; looking for garbage would be a fifth of its time


def _run(given: list[str]) -> int:
    """Run one command; whatever goes wrong in it is said, and is its exit code."""
    import signal

    from orch_tui.cli.parser import parse
    from orch_tui.errors import OrchError

    previous = signal.signal(signal.SIGTERM, _terminate)
    arguments = None
    try:
        arguments = parse(given)
        code = int(arguments.run(arguments) or 0)
        sys.stdout.flush()
        return code
    except OrchError as error:
        complain(error)
        return error.exit_code
    except SystemExit as stop:  # argparse
        return stop.code if isinstance(stop.code, int) else 1
    except (KeyboardInterrupt, _TerminatedError) as stop:
        return _stopped(stop)
    except BrokenPipeError:  # the reader had enough; what was recorded is recorded
        _let_go_of_output()
        return 0
    except UnicodeEncodeError as error:
        return _no(f"{error.object!r} is not valid UTF-8", 2)
    except OSError as error:  # the system's no: a full disk, a working folder that is gone
        _let_go_of_output()
        return _no(f"{error.filename or 'standard output'}: {error.strerror or error}", 1)
    except Exception as error:
        if _is_interrupt(error):
            return _stopped(error)
        if sys.flags.dev_mode:
            raise
        return _broken(error, given)
    finally:
        signal.signal(signal.SIGTERM, previous)
        _signals.clear()
        if opened := getattr(arguments, "project_opened", None):
            opened.close()


def _defer_inspect() -> None:
    """Let ``inspect`` be loaded when somebody looks into it.

    ``dataclasses`` imports it, with ``ast``, ``dis`` and ``tokenize``: most of a bare start of
    Python again, for a function that no class with a docstring needs. The lazy loader of
    ``importlib`` would not do: it loads when the module is imported a second time.
    """
    if "inspect" in sys.modules:
        return
    deferred = type(sys)("inspect")

    def load(name: str) -> object:
        del vars(deferred)["__getattr__"]
        if sys.modules.get("inspect") is deferred:
            del sys.modules["inspect"]
        import inspect

        vars(deferred).update(vars(inspect))
        return getattr(inspect, name)

    vars(deferred)["__getattr__"] = load
    sys.modules["inspect"] = deferred


def complain(error: Exception) -> None:
    """What is wrong and what to do, on standard error."""
    from orch_tui.cli.printing import say

    sys.stdout.flush()
    hint = getattr(error, "hint", "")
    message = f"orch: {getattr(error, 'message', error)}"
    say(*message.split("\n"), *([f"      {hint}"] if hint else []))


def _prepare_streams() -> None:
    """Data is UTF-8, nothing to print ever fails, and a closed stream is one nobody reads."""
    import io

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _let_go_of_output() -> None:
    """Print what can be printed; the rest goes nowhere, or Python complains of it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _no(message: str, code: int) -> int:
    print(f"orch: {message}", file=sys.stderr)
    return code


def _stopped(stop: BaseException) -> int:
    """Say what is done; who had done a part of it notes so on the way of the exception."""
    how, code = ("terminated", TERMINATED) if _signals else ("interrupted", INTERRUPTED)
    nothing = "nothing is half written, and the same command may be run again"
    return _no(f"{how}; {'; '.join(getattr(stop, '__notes__', ())) or nothing}", code)


def _broken(error: Exception, given: Sequence[str]) -> int:
    """An error nobody foresaw: what it is and where, and how to see all of it."""
    import shlex
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}, line {last.lineno}"
    print(
        f"orch: a bug in orch, please report it: {type(error).__name__}: {error} ({where})",
        f"      python -P -X dev -m orch_tui {shlex.join(given)}",
        "      shows the whole trace",
        sep="\n",
        file=sys.stderr,
    )
    return BROKEN


def _is_interrupt(error: Exception) -> bool:
    """Tell whether a signal arrived while rows were fetched: it ended that, and was lost."""
    from sqlite3 import OperationalError

    if not isinstance(error, OperationalError):
        return False
    from orch_tui.models.database import is_interrupt

    return is_interrupt(error)


def _terminate(number: int, frame: FrameType | None) -> None:
    _signals.append(number)
    raise _TerminatedError
