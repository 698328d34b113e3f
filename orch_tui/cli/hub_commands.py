"""Commands of whoever shares a hub with others: join it, look at it, leave it."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orch_tui.cli.answers import add_answer_format, print_answer
from orch_tui.cli.consent import is_answered
from orch_tui.cli.parser import Parser, project_of
from orch_tui.cli.printing import NO, as_row, print_object, print_rows, say
from orch_tui.errors import UsageError
from orch_tui.wording import plural

if TYPE_CHECKING:
    from orch_tui.hub.joining import HubStatus, Invitation
    from orch_tui.hub.settings import Level

_LEVELS = ("nothing", "figures", "messages", "everything")


def hub_connect() -> argparse.ArgumentParser:
    parser = Parser(
        "hub connect",
        remarks="SERVICE is an entry of ~/.pg_service.conf, or an address without a password;\n"
        "without one, the hub that `orch hub serve` runs here. What is sent is asked:\n\n"
        "  nothing     only what others sent is fetched\n"
        "  figures     agent, model, status, times, tokens, cost: no text, no path\n"
        "  messages    and scopes, messages, outputs, paths and what briefings say\n"
        "  everything  and the files that agents were given",
        example="""
orch hub connect team
orch hub connect postgresql://ann@db.example.org/orch?sslmode=verify-full""",
    )
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="default: the one here")
    parser.add_argument("--send", choices=_LEVELS, help="what is sent; without it, it is asked")
    parser.add_argument("--yes", action="store_true", help="send messages, without asking")
    add_schema(parser)
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="also a server elsewhere that does not prove who it is (TLS, verify-full)",
    )
    parser.forbid("--yes", "--send")
    add_answer_format(parser)
    parser.set_defaults(run=_connect)
    return parser


def add_schema(parser: argparse.ArgumentParser) -> None:
    """``--schema``, for commands that name a hub."""
    parser.add_argument(
        "--schema",
        metavar="NAME",
        default="orch",
        help="of the database; one hub is one schema; default: %(default)s",
    )


def _connect(arguments: Namespace) -> int:
    from orch_tui.hub.joining import PROPOSED, join_hub, look_at_invitation
    from orch_tui.hub.settings import read_settings

    service = arguments.service
    if service is None:
        from orch_tui.hub.server import served_address

        service = served_address()
    record = project_of(arguments).record
    found = look_at_invitation(
        record, service, schema=arguments.schema, insecure=arguments.insecure
    )
    send: Level | None = arguments.send
    if send is None and (arguments.yes or not found.may_push):
        send = PROPOSED if found.may_push else "nothing"
    send = send or _ask_level(found)
    if send is None:
        say("nothing was changed")
        return NO
    before = read_settings(record)
    settings = join_hub(record, found, send)
    if before and before.hub_uid != settings.hub_uid:
        say(f"the record was joined to {before.service} until now")
    print_answer(
        arguments,
        f"joined {found.place} as {found.person}; what is sent: {send}",
        service=settings.service,
        place=found.place,
        schema=settings.schema,
        hub=settings.hub_uid,
        person=found.person,
        may_read=found.may_read,
        may_push=found.may_push,
        send=send,
    )
    return 0


def _ask_level(found: Invitation) -> Level | None:
    """Ask what is sent; None: the answer was none of them."""
    from orch_tui.hub.joining import PROPOSED
    from orch_tui.hub.settings import MEANING

    if not is_answered():
        raise UsageError(
            f"what is sent to {found.place}? Nobody can answer here",
            hint=f"add --send {'|'.join(MEANING)}, or --yes for {PROPOSED}",
        )
    say(f"What is sent to {found.place}, where everybody who may read it sees it?")
    for number, (level, meaning) in enumerate(MEANING.items(), start=1):
        say(f"  {number}  {level:<11}{meaning}")
    print(f"1-4 or a name [{PROPOSED}]: ", end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    word = typed.strip().lower()
    if typed and not word:
        return PROPOSED
    named = dict(zip("1234", MEANING, strict=True))
    return next((level for n, level in named.items() if word in (n, level)), None)


def hub_status() -> argparse.ArgumentParser:
    parser = Parser("hub status", example="orch hub status")
    add_answer_format(parser)
    parser.set_defaults(run=_status)
    return parser


def _status(arguments: Namespace) -> int:
    from orch_tui.hub.joining import read_hub_status

    status = read_hub_status(project_of(arguments).existing_record)
    if arguments.format == "json":
        print_object({**as_row(status), "origins": [as_row(each) for each in status.origins]})
    else:
        _print_status(status)
    return NO if status.problem else 0


def _print_status(status: HubStatus) -> None:
    if not status.joined:
        say("the record is joined to no hub", "      orch hub connect SERVICE joins one")
        return
    print(f"hub      {status.service} ({status.place or 'not found'}), schema {status.schema}")
    print(f"sends    {status.send}")
    if status.problem:
        say(f"orch: {status.problem}", *([f"      {status.hint}"] if status.hint else []))
        return
    may = {(True, True): "reads and pushes", (True, False): "reads", (False, True): "pushes"}
    print(f"as       {status.person}, who {may[bool(status.may_read), bool(status.may_push)]}")
    waiting = status.waiting or 0
    print(f"waiting  {plural(waiting, 'statement')} of this record" if waiting else "waiting  none")
    total = status.redactions or 0
    rows = [
        {
            "machine": f"{origin.name} (this record)" if origin.mine else origin.name,
            "person": origin.person,
            "statements": origin.statements,
            "sends": origin.sends,
            **({"redacted": f"{origin.redactions} of {total}"} if total else {}),
            "seen_at": origin.seen_at,
        }
        for origin in status.origins
    ]
    if rows:
        print()
        print_rows(rows, "table")


def hub_disconnect() -> argparse.ArgumentParser:
    parser = Parser(
        "hub disconnect",
        remarks="Whoever keeps the hub can remove what is there.",
        example="orch hub disconnect",
    )
    add_answer_format(parser)
    parser.set_defaults(run=_disconnect)
    return parser


def _disconnect(arguments: Namespace) -> None:
    from orch_tui.hub.joining import leave_hub

    left = leave_hub(project_of(arguments).existing_record)
    print_answer(
        arguments,
        f"left {left.service}; what was sent there stays there",
        service=left.service,
        schema=left.schema,
        hub=left.hub_uid,
    )


def hub_serve() -> argparse.ArgumentParser:
    parser = Parser(
        "hub serve",
        remarks="With the PostgreSQL of the machine, or else that of the extra hub-server. It\n"
        "listens on a Unix socket that only you can reach, until Ctrl-C; what is in it\n"
        "stays. From another machine: ssh -L /tmp/hub/.s.PGSQL.5432:SOCKET HOST.",
        example="""
orch hub serve
orch hub connect    # in a project, in another terminal""",
        has_record=False,
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="listen on 127.0.0.1, too, where passwords are asked"
    )
    parser.add_argument("--data", metavar="DIR", help="default: in your state folder")
    parser.set_defaults(run=_serve)
    return parser


def _serve(arguments: Namespace) -> None:
    import shlex

    from orch_tui.hub.server import served_home, serving_hub, wait_while_served
    from orch_tui.paths import resolve_path

    if arguments.port is not None and not 0 < arguments.port < 65_536:
        raise UsageError(f"--port {arguments.port}: there is no such port", hint="1 to 65535")
    home = Path(resolve_path(arguments.data)) if arguments.data else served_home()
    with serving_hub(home, arguments.port) as served:
        made = "made a hub" if served.made else "the hub is back"
        say(f"{made}, on PostgreSQL {served.release}, in {home}; Ctrl-C stops it")
        say("from a project: orch hub connect" + (f" '{served.address}'" if arguments.data else ""))
        if arguments.port:
            sockets = shlex.quote(str(served.sockets))
            say(
                f"on 127.0.0.1:{arguments.port} a login needs a password: "
                f"psql -h {sockets} -p {arguments.port} -U orch orch -c '\\password NAME'"
            )
        print(served.address, flush=True)
        with suppress(KeyboardInterrupt):
            wait_while_served(served)
    say("the hub is stopped")
