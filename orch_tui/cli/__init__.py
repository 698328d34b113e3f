"""The commands: they parse, call the engine, print and exit; they hold no logic.

Standard output is data, standard error is narration. Exit codes: 0 done, 1 the answer is no,
2 wrong usage.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

INTERRUPTED = 130
TERMINATED = 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    from orch_tui.cli.parser import parse
    from orch_tui.errors import OrchError

    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        arguments = parse(sys.argv[1:] if argv is None else list(argv))
        code = int(arguments.run(arguments) or 0)
        sys.stdout.flush()
        return code
    except OrchError as error:
        complain(error)
        return error.exit_code
    except SystemExit as stop:  # argparse, SIGTERM
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        print("orch: interrupted; nothing was half written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader had enough; what was recorded is recorded
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        signal.signal(signal.SIGTERM, previous)


def complain(error: Exception) -> None:
    """What is wrong and what to do, on standard error."""
    hint = getattr(error, "hint", "")
    sys.stdout.flush()
    print(f"orch: {getattr(error, 'message', error)}", file=sys.stderr)
    if hint:
        print(f"      {hint}", file=sys.stderr)


def _terminate(number: int, frame: FrameType | None) -> None:
    print("orch: terminated; nothing was half written", file=sys.stderr)
    raise SystemExit(TERMINATED)
