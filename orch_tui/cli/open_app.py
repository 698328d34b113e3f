"""Opening the screens from the shell; Textual is imported only here."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from orch_tui.errors import OrchError
from orch_tui.processes import own_module
from orch_tui.project import Project

PORT = 8000


def are_possible() -> bool:
    """Whether there is a terminal to open them in, or a browser at the other end."""
    return "TEXTUAL_DRIVER" in os.environ or (sys.stdin.isatty() and sys.stdout.isatty())


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``orch`` without a command."""
    parser.add_argument("--db", metavar="FILE", help="the database (default: the project's)")
    parser.add_argument("--web", action="store_true", help="the screens in a browser, on localhost")
    parser.add_argument("--port", type=_port, metavar="N", help=f"for --web (default: {PORT})")
    parser.set_defaults(run=lambda arguments: _open(arguments, parser))


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 1 to 65535")
    return int(text)


def _open(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if arguments.port and not arguments.web:
        parser.error("--port is only for --web")
    if arguments.web:
        serve(arguments.port or PORT, database=arguments.db)
    elif are_possible():
        return open_on(Path.cwd(), database=arguments.db)
    else:
        parser.print_help()
    return 0


def open_on(folder: Path, *, database: str | None = None) -> int:
    """Open the screens on the project that a folder belongs to; gives the exit code."""
    # At Textual's 60 frames a second, half of the wait for a key is for the next frame.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from orch_tui.app import run

    return run(Project(folder, database=database, face="screens"))


def serve(port: int, *, database: str | None = None) -> None:
    """The screens in a browser: one app for each page, until Ctrl+C; for this machine only."""
    import shlex

    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise OrchError(
            "--web needs textual-serve, which is not installed", hint="pip install 'orch-tui[web]'"
        ) from None

    class Local(Server):
        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            """A page of another site could open a socket to this machine too."""
            if request.headers.get("Origin") != self.public_url:
                raise web.HTTPForbidden(text="open the page itself")
            return await super().handle_websocket(request)

    words = own_module("orch_tui", *(["--db", database] if database else []))
    Local(shlex.join(words), host="localhost", port=port, title="orch").serve()
