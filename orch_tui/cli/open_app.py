"""Opening the screens from the shell; Textual is imported only here."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from orch_tui.assets import asset
from orch_tui.cli.printing import say
from orch_tui.errors import OrchError
from orch_tui.processes import own_module
from orch_tui.project import Project

PORT = 8000
ONLY_HERE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; connect-src 'self' ws:",
}
"""What a browser may ask for the page, nothing of any other host, and keep of it."""


def are_possible() -> bool:
    """Tell whether there is a terminal to open them in, or a browser at the other end."""
    return "TEXTUAL_DRIVER" in os.environ or (_is_on_terminal() and not _is_dumb())


def _is_on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _is_dumb() -> bool:
    """Tell whether the terminal says of itself that it cannot place text."""
    return os.environ.get("TERM") in ("dumb", "unknown")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``orch`` without a command."""
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
    elif _is_on_terminal():
        raise OrchError(
            f"TERM is {os.environ['TERM']}: the screens need a terminal that can place text",
            hint="orch help lists the commands, which do the same; orch --web opens a browser; "
            "TERM=xterm-256color orch, where this terminal can after all",
        )
    else:
        parser.print_help()
    return 0


def open_on(folder: Path, *, database: str | None = None) -> int:
    """Open the screens on the project that a folder belongs to; gives the exit code."""
    # At Textual's 60 frames a second, half of the wait for a key is for the next frame.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from orch_tui.app import run

    return run(Project(folder, database=database, face="screens"))


def _refuse_taken(port: int) -> None:
    import socket

    for family, *_, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(address)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise OrchError(f"port {port}: {reason}", hint="--port names another") from None


def serve(port: int, *, database: str | None = None) -> None:
    """Serve the screens in a browser, an app for each page, until Ctrl+C: for this machine, and for
    who knows the key in the address: other users of the machine reach its ports, too."""
    import secrets
    import shlex
    from hmac import compare_digest

    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise OrchError(
            "--web needs textual-serve, which is not installed", hint="pip install textual-serve"
        ) from None

    _refuse_taken(port)
    hosts = {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
    page = asset("web/page.html").read_text("utf-8")
    key = secrets.token_urlsafe(24)

    class Local(Server):
        async def _make_app(self) -> web.Application:
            """Serve the page and its socket under the key; of the files no list."""
            app = web.Application()
            app.add_routes(
                [
                    web.get("/{key}/", self.handle_index),
                    web.get("/{key}/ws", self.handle_websocket),
                    web.static("/static", self.statics_path),
                ]
            )
            app.on_startup.append(self.on_startup)
            return app

        async def on_startup(self, app: web.Application) -> None:
            print(f"http://localhost:{port}/{key}/", flush=True)
            say("the screens in a browser, until Ctrl+C; who has this address acts as you")

        async def handle_index(self, request: web.Request) -> web.Response:
            """Serve a page of our own, which asks no host but the one that it came from: Textual's
            names one host in all it asks for, and has a font brought from elsewhere."""
            _refuse_others(request)
            size = request.query.get("fontsize", "")
            shown = page.replace("HOST", request.host).replace("KEY", key)
            shown = shown.replace("SIZE", size if size.isdecimal() else "16")
            return web.Response(text=shown, content_type="text/html", headers=ONLY_HERE)

        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            """Refuse pages of other sites, which could open a socket to this machine, too."""
            _refuse_others(request)
            if request.headers.get("Origin") != f"http://{request.host}":
                raise web.HTTPForbidden(text="open the page itself")
            return await super().handle_websocket(request)

    def _refuse_others(request: web.Request) -> None:
        """Refuse who does not know the key, or calls this machine by a name that is none of its."""
        known = compare_digest(request.match_info["key"].encode(), key.encode())
        if not known or request.host not in hosts:
            raise web.HTTPForbidden(text="open the address that orch printed")

    words = own_module("orch_tui", *(["--db", database] if database else []))
    Local(shlex.join(words), host="localhost", port=port, title="orch").serve()
