"""Leads to orch. The scripts beside this file hold no logic of their own, and neither does this.

It runs on any Python from 3.8 on, one that knows nothing of orch included: `orch install` leaves
below the Python that has it.
"""

import os
import sys

INTERPRETER = ""

_SENT = "ORCH_SENT_TO"  # set while a program starts again, so that it cannot start for ever

_ASK = """\
import json, os, sys
from importlib.machinery import EXTENSION_SUFFIXES
own = os.path.dirname(os.__file__)
mine = (own, os.path.join(own, "lib-dynload"))
path = [p for p in sys.path if p and p not in mine and not p.endswith(".zip")]
print(json.dumps([EXTENSION_SUFFIXES, path]))
"""


def run(script: str) -> None:
    """Do what `script` was called for, and exit with its code."""
    try:
        if not _has_orch():
            _start_again()
    except ImportError as error:
        print(f"{os.path.basename(script)}: {error}", file=sys.stderr)
        sys.exit(2)
    from orch_tui.cli.scripts import main

    sys.exit(main([script, *sys.argv[1:]]))


def make_importable() -> None:
    """Make `import orch_tui` work in the running program.

    Where orch lives under the same kind of Python, its folders are added at the end of the path:
    the program keeps its own packages, and they win. Compiled packages of another Python cannot
    be loaded, so otherwise the program starts again under the Python of orch. That is only
    harmless near its beginning: what it did before this import it does twice. Where starting
    again is impossible (a prompt, a notebook, a program with threads, one read from standard
    input), ImportError says what to do.
    """
    if not _has_orch() and not _borrow():
        _start_again()


def _has_orch() -> bool:
    if sys.version_info < (3, 11):  # noqa: UP036
        return False
    try:
        import orch_tui.cli.scripts  # noqa: F401
    except ImportError:
        return False
    os.environ.pop(_SENT, None)
    return True


def _borrow() -> bool:
    """Add the folders of orch's Python to this one's path, if the two can share packages."""
    import json
    import site
    import subprocess
    from importlib.machinery import EXTENSION_SUFFIXES

    asked = subprocess.run([_interpreter(), "-P", "-c", _ASK], stdout=subprocess.PIPE)
    if asked.returncode:
        return False
    suffixes, folders = json.loads(asked.stdout.decode().splitlines()[-1])
    if suffixes != EXTENSION_SUFFIXES:  # version, build and platform in one
        return False
    for folder in folders:
        site.addsitedir(folder)  # reads .pth files, where editable installs live
    return _has_orch()


def _start_again() -> None:
    """Run the whole program under the Python that has orch, in place of this one."""
    interpreter = _interpreter()
    if os.environ.pop(_SENT, "") == interpreter:
        raise ImportError(f"{interpreter} has no orch any more\n{_REMEDY}")
    if not _can_start_again():
        raise ImportError(
            f"this Python ({sys.version.split()[0]}) cannot load orch\n"
            f"run the program with {interpreter}"
        )
    # sys.orig_argv (3.10) has what sys.argv lacks: -c and its code, -m, -X, -W.
    command = [interpreter, *getattr(sys, "orig_argv", ["", *sys.argv])[1:]]
    os.environ[_SENT] = interpreter
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":  # exec there returns to the shell before the program ends
        import subprocess

        sys.exit(subprocess.call(command))
    os.execv(interpreter, command)


def _can_start_again() -> bool:
    import threading

    program = sys.argv[0] if sys.argv else ""
    known = os.path.isfile(program) or (program == "-c" and hasattr(sys, "orig_argv"))
    return known and threading.active_count() == 1 and not sys.flags.interactive


def _interpreter() -> str:
    if not INTERPRETER:
        raise ImportError(f"this copy of the skill was not installed\n{_REMEDY}")
    if not os.access(INTERPRETER, os.X_OK):
        raise ImportError(f"the Python that has orch is gone: {INTERPRETER}\n{_REMEDY}")
    return INTERPRETER


_REMEDY = "run `orch install` again, from where orch is installed now"
