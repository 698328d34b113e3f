"""How a hub is named, reached and asked whether this orch may use it.

A hub is named as PostgreSQL's own tools name a database: by an entry of ``~/.pg_service.conf``, or
by an address without a password. Passwords are libpq's matter (``~/.pgpass``, PGPASSWORD): orch
keeps none, and no error shows one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orch_tui.errors import HubError, UsageError
from orch_tui.frozen import frozen
from orch_tui.models.values import HUB_VERSION

if TYPE_CHECKING:
    from psycopg import Connection

DEFAULT_SCHEMA = "orch"

CONNECT_TIMEOUT = 2
"""Seconds to wait for a server that does not answer; libpq takes no fewer."""

TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",  # what it locked others wait for
}
"""After which the server gives up on a statement, a lock, a client that fell silent."""

_SAFE = "verify-full"


def role_names(schema: str) -> tuple[str, str]:
    """Name the roles of who reads and of who pushes in the hub of this schema.

    Roles are of all databases of a server: each hub has its own, by its schema.
    """
    return f"{schema}_reader", f"{schema}_pusher"


def quoted_name(name: str) -> str:
    """Write a name as SQL takes it."""
    if re.fullmatch("[a-z_][a-z0-9_]*", name):
        return name
    return '"{}"'.format(name.replace('"', '""'))


@frozen
class HubService:
    """A database server and how to reach it."""

    name: str
    """As it was given."""
    parameters: Mapping[str, str]
    """libpq's, with those of the service's entry in place."""
    place: str
    """Where it is, for people: ``db.example.org/team``."""


@frozen
class OpenHub:
    """A hub that this orch may use, and the connection to it."""

    connection: Connection[Any]
    uid: str
    version: int
    schema: str
    service: HubService
    person: str
    """Who PostgreSQL says this is."""
    may_read: bool
    may_push: bool


def find_service(name: str, *, insecure: bool = False) -> HubService:
    """Find what a name stands for: an entry of the service file, or an address.

    ``insecure``: a server elsewhere may be reached without TLS that proves who it is.

    Raises:
        UsageError: it holds a password, or is no address.
        HubError: there is no such entry, or the way there is not safe.
    """
    if not name.strip():
        raise UsageError("no service is named", hint="orch hub connect NAME; is a variable empty?")
    if "://" in name or "=" in name:
        given = _read_address(name)
        shown = without_password(name)
    else:
        given, shown = {"service": name}, name
    entry = given.pop("service", None) or os.environ.get("PGSERVICE")
    parameters = {**(_read_service(entry) if entry else {}), **given}
    service = HubService(shown, parameters, _name_place(parameters))
    if not insecure:
        _require_tls(service, f"the entry [{entry}]" if entry else "its address")
    return service


def _read_address(text: str) -> dict[str, str]:
    """Take an address apart: a URI, or words like ``host=... dbname=...``."""
    psycopg = load_psycopg()
    if re.search(r"password\s*=|://[^/?@:]*:.*@", text, re.IGNORECASE):
        raise _password_given(without_password(text))
    try:
        read = psycopg.conninfo.conninfo_to_dict(text)
    except psycopg.Error:  # what it says quotes the text, with what may be a password
        raise UsageError(
            f"{without_password(text)} is no address of a database",
            hint="as postgresql://USER@HOST/DATABASE, or the name of an entry of "
            "~/.pg_service.conf",
        ) from None
    if read.keys() & {"password", "sslpassword"}:  # spelled so that it was not seen above
        raise _password_given(text.partition("?")[0])
    return {key: str(value) for key, value in read.items() if value is not None}


def _password_given(shown: str) -> UsageError:
    return UsageError(
        f"{shown}: an address of a hub holds no password",
        hint="leave it out, and write HOST:PORT:DATABASE:USER:PASSWORD into ~/.pgpass "
        "(chmod 600 ~/.pgpass); in CI set PGPASSWORD",
    )


def service_file() -> Path:
    """Name the file of the user's services, as libpq does."""
    return Path(os.environ.get("PGSERVICEFILE") or os.path.expanduser("~/.pg_service.conf"))


def _read_service(entry: str) -> dict[str, str]:
    files = [service_file()]
    if system := os.environ.get("PGSYSCONFDIR"):
        files.append(Path(system) / "pg_service.conf")
    for file in files:
        found: dict[str, str] | None = None
        with suppress(OSError):
            for line in file.read_text("utf-8", "replace").splitlines():
                line = line.strip()
                if line.startswith("["):
                    if found is not None:
                        break
                    found = {} if line == f"[{entry}]" else None
                elif found is not None and line and not line.startswith("#"):
                    key, _, value = line.partition("=")
                    found[key.strip()] = value.strip()
        if found is not None:
            return found
    raise HubError(
        f"there is no service [{entry}] in {files[0]}",
        hint=f"write it there: [{entry}], then lines host=..., dbname=..., user=..., "
        f"sslmode={_SAFE}",
    )


def _name_place(parameters: Mapping[str, str]) -> str:
    host = _value(parameters, "host", "PGHOST") or _value(parameters, "hostaddr", "PGHOSTADDR")
    port = _value(parameters, "port", "PGPORT")
    database = _value(parameters, "dbname", "PGDATABASE") or _value(parameters, "user", "PGUSER")
    where = (host or "this machine") + (f":{port}" if port not in ("", "5432") else "")
    if where.startswith("/"):
        return f"{database or 'a database'} on {where}"
    return f"{where}/{database}" if database else where


def _value(parameters: Mapping[str, str], name: str, variable: str) -> str:
    return parameters.get(name) or os.environ.get(variable, "")


def is_local(parameters: Mapping[str, str]) -> bool:
    """Tell whether a server is reached by a socket or the loopback of this machine alone."""
    reached = _value(parameters, "hostaddr", "PGHOSTADDR") or _value(parameters, "host", "PGHOST")
    return all(
        re.fullmatch(r"(|[/@].*|localhost|::1|127(\.\d+){3})", host) for host in reached.split(",")
    )


def _require_tls(service: HubService, where: str) -> None:
    """Refuse a way on which another could stand in for the server."""
    mode = _value(service.parameters, "sslmode", "PGSSLMODE")
    if mode == _SAFE or is_local(service.parameters):
        return
    said = f"sslmode={mode}" if mode else "no sslmode"
    raise HubError(
        f"{service.place} would be reached with {said}: anybody on the way could stand in for it",
        hint=f"write sslmode={_SAFE} into {where} (with sslrootcert=FILE, or "
        "sslrootcert=system), or say --insecure",
    )


def load_psycopg() -> Any:
    """Import psycopg.

    Raises:
        HubError: it is not installed.
    """
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError:
        raise HubError(
            "a hub is asked through psycopg, which is not installed",
            hint="pip install 'orch-tui[hub]' (pipx inject orch-tui 'psycopg[binary]')",
        ) from None
    return psycopg


def connect_to_service(service: HubService, schema: str = DEFAULT_SCHEMA) -> Connection[Any]:
    """Connect to a server, in autocommit, with the timeouts of a hub and its schema.

    Raises:
        HubError: it cannot be reached, or lets nobody in of that name.
    """
    psycopg = load_psycopg()
    try:
        connection: Connection[Any] = psycopg.connect(
            **{"application_name": "orch", "connect_timeout": str(CONNECT_TIMEOUT)}
            | {"tcp_user_timeout": "10000", "keepalives_idle": "30"}
            | {**service.parameters},
            autocommit=True,
        )
    except psycopg.ProgrammingError as error:
        raise HubError(
            f"the hub {service.name} is not named as libpq takes it: {_first_line(service, error)}",
            hint=f"see its entry in {service_file()}, or its address",
        ) from None
    except psycopg.Error as error:
        raise _refusal(service, str(error)) from None
    settings = {**TIMEOUTS, "search_path": quoted_name(schema)}
    try:
        connection.execute(
            f"SELECT {', '.join(['set_config(%s, %s, false)'] * len(settings))}".encode(),
            [word for setting in settings.items() for word in setting],
        )
    except psycopg.Error as error:
        connection.close()
        raise hub_error(service, error) from None
    return connection


@contextmanager
def open_hub(
    service: HubService, schema: str = DEFAULT_SCHEMA, *, pushes: bool = False
) -> Iterator[OpenHub]:
    """Connect to a hub and see that this orch may read it, or with ``pushes`` push to it.

    What PostgreSQL refuses within is a HubError.
    """
    with connected(service, schema) as connection:
        yield _look_at_hub(connection, service, schema, pushes=pushes)


@contextmanager
def connected(service: HubService, schema: str = DEFAULT_SCHEMA) -> Iterator[Connection[Any]]:
    """Connect to a server, whatever is there, until the end of the ``with``.

    What PostgreSQL refuses within, or that it goes away, is a HubError.
    """
    psycopg = load_psycopg()
    with closing(connect_to_service(service, schema)) as connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise hub_error(service, error) from None


def _look_at_hub(
    connection: Connection[Any], service: HubService, schema: str, *, pushes: bool
) -> OpenHub:
    """See what the hub is and what this orch and this person may do there."""
    from psycopg import errors

    user = connection.info.user
    roles = ", ".join(map(quoted_name, role_names(schema)))
    letting_in = f"its owner lets people in: GRANT {roles} TO {quoted_name(user)}"
    try:
        row = connection.execute(
            "SELECT uid, version, min_reader, min_writer, session_user, "
            "has_table_privilege('statements', 'SELECT'), "
            "has_any_column_privilege('statements', 'INSERT') FROM hub"
        ).fetchone()
    except errors.InsufficientPrivilege:
        raise HubError(
            f"{user} may not use the hub in schema {schema} of {service.place}", hint=letting_in
        ) from None
    except errors.UndefinedTable:
        row = None
    if row is None:  # whoever may not use a schema does not see its tables either
        raise HubError(
            f"{service.place} has no hub in schema {schema} that {user} may use",
            hint=f"orch hub admin init {service.name} makes one; {letting_in}",
        )
    uid, version, min_reader, min_writer, person, may_read, may_push = row
    least = max(min_reader, min_writer) if pushes else min_reader
    if least > HUB_VERSION:
        from orch_tui.processes import upgrade_command

        raise HubError(
            f"the hub {service.name} is of version {version} and takes an orch that knows "
            f"{least}; this one knows {HUB_VERSION}",
            hint=upgrade_command(),
        )
    return OpenHub(connection, uid, version, schema, service, person, may_read, may_push)


def hub_error(service: HubService, error: Exception) -> HubError:
    """Say what PostgreSQL refused, or that it went away, as an error of orch's."""
    psycopg = load_psycopg()
    said = _first_line(service, error)
    state = getattr(error, "sqlstate", None) or ""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return HubError(
            f"the hub {service.name} does not allow that: {said}",
            hint="its owner decides who reads and who pushes: docs/team.md",
        )
    is_away = not state or state[:2] in ("08", "53", "57", "55") or state == "25P03"
    return HubError(
        f"the hub {service.name} ({service.place}) "
        + (f"did not answer: {said}" if is_away else f"refused: {said}"),
        hint="nothing is lost: what was not taken goes along next time" if is_away else "",
        is_away=is_away,
    )


_REFUSALS = (
    (
        "password authentication failed|no password supplied|fe_sendauth",
        "does not let {user} in: {said}",
        "write HOST:PORT:DATABASE:USER:PASSWORD into ~/.pgpass (chmod 600); in CI set PGPASSWORD",
    ),
    ("pg_hba.conf|role .* does not exist|not permitted to log in", "does not let {user} in: {said}",
     "who keeps the server makes the role: docs/team.md"),
    ("database .* does not exist", "has no such database: {said}", "createdb makes it"),
    (
        "root certificate file",
        "has a certificate that cannot be checked: {said}",
        "sslrootcert=FILE names the authority's certificate, sslrootcert=system takes those of "
        "this machine",
    ),
    (
        "certificate|does not match host name",
        "has a certificate that is not accepted: {said}",
        "ask who keeps the server: it is misconfigured, or another stands in for it",
    ),
    (
        "does not support SSL",
        "has no TLS: {said}",
        "who keeps the server switches it on (ssl = on); through a tunnel (ssh -L) it is reached "
        "as localhost",
    ),
)  # fmt: skip
"""What a server says when it lets nobody in, what that is called and what to do."""


def _refusal(service: HubService, text: str) -> HubError:
    said = _first_line(service, text)
    user = _value(service.parameters, "user", "PGUSER") or "you"
    for pattern, message, hint in _REFUSALS:
        if re.search(pattern, text):
            told = message.format(user=user, said=said)
            return HubError(f"the hub {service.name} ({service.place}) {told}", hint=hint)
    return HubError(
        f"the hub {service.name} ({service.place}) cannot be reached: {said}",
        hint="what you do here is recorded all the same, and goes there when it is back",
        is_away=True,
    )


def _first_line(service: HubService, said: Exception | str) -> str:
    """Give the line of what libpq says that tells why, without any password."""
    text = str(said)
    if password := service.parameters.get("password"):
        text = text.replace(password, "...")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = without_password(lines[0]) if lines else "no word why"
    return re.sub(r"^(connection (failed|is bad): )?connection to server .*? failed: ", "", first)


def without_password(text: str) -> str:
    """Take out of a text what is, or may be, a password in an address."""
    text = re.sub(r"(://[^/?@:\s]*):.*@", r"\1@", text)
    return re.sub(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'?|[^\s&]*)", r"\1...", text, flags=re.I)
