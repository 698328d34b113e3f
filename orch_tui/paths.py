"""Where things are: the project root, its database, its inbox, and the user's own folders.

Plain strings and ``os`` only. The hook starts inside every tool call of the user and needs this
module; importing ``pathlib`` alone would take more than half of a bare interpreter's start-up.
Nothing is resolved at import: every answer comes from the environment and the disk as they are.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False  # type checkers know the name; importing typing would load re
if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_FOLDER = os.path.join(".claude", "orchestration")
"""Where a project keeps its record, relative to its root."""

SET_ASIDE = "unreadable"
"""The folder within an inbox where payloads lie that could not be read, each with the reason."""

AnyPath = str | os.PathLike[str]


def project_root(start: AnyPath | None = None) -> str:
    """The project that ``start`` (default: the working folder) belongs to.

    The nearest folder, upwards, with ``.git`` or ``.claude``; a linked worktree belongs to its
    main working tree. The configuration folder of Claude Code is no such mark, so that an
    unmarked folder under the home folder does not make all of it a project. Without a mark the
    folder is its own root.
    """
    try:
        folder = start = os.path.realpath(os.getcwd() if start is None else start)
    except ValueError:  # a NUL, half of a surrogate pair: told by a file, never by the system
        return os.fspath(start or "")
    configuration = {os.path.realpath(path) for path in _claude_folders()}
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return folder
        if os.path.isfile(git):
            return _main_working_tree(git) or folder
        claude = os.path.join(folder, ".claude")
        if os.path.isdir(claude) and os.path.realpath(claude) not in configuration:
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent


def working_tree(folder: AnyPath) -> str | None:
    """The nearest folder, ``folder`` and then upwards, with ``.git``; None: there is none."""
    here = os.path.abspath(folder)
    while not os.path.exists(os.path.join(here, ".git")):
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above
    return here


def record_folder(root: AnyPath) -> str:
    """The folder of the project's record; not necessarily there yet."""
    return os.path.join(root, RECORD_FOLDER)


def database_path(root: AnyPath, *, given: AnyPath | None = None, configured: str = "") -> str:
    """The database to use: as ``given``, else ORCH_DB, else as ``configured``.

    Raises PathError for a name that no file can have.

    ``configured`` is the setting ``database``: ``user`` for one database for all of the user's
    projects, anything else for the project's own.
    """
    wanted = given or os.environ.get("ORCH_DB")
    if wanted:
        return os.path.abspath(resolve_path(wanted))
    if configured == "user":
        return os.path.join(_user_folder("data"), "execution.db")
    return os.path.join(record_folder(root), "execution.db")


def drafts_folder(database: AnyPath) -> str:
    """Unsaved text of the screens, beside the database it is meant for."""
    return os.path.join(os.path.dirname(os.path.abspath(database)), "drafts")


def inboxes(root: AnyPath) -> Iterator[str]:
    """Where hooks may leave payloads of the project, best first; whoever drains looks in all.

    The first lies in the project and is for those that have a record: a hook creates no folder in
    a repository without. The other two are the user's, one folder a project, three below what
    must be checked to be the user's own.
    """
    yield os.path.join(record_folder(root), "inbox")
    project = _folder_name(root)
    yield os.path.join(state_folder(), "inbox", project)
    temporary = os.environ.get("TMPDIR") or "/tmp"
    yield os.path.join(temporary, f"orch-{os.getuid()}", "inbox", project)


def safe_inboxes(root: AnyPath) -> Iterator[str]:
    """The inboxes of the project that are there and that nobody else could have filled."""
    for number, folder in enumerate(inboxes(root)):
        if (
            is_plain_inbox(folder)
            if number == 0
            else is_private(os.path.dirname(os.path.dirname(folder)))
        ):
            yield folder


def is_plain_inbox(inbox: AnyPath) -> bool:
    """Whether a project's inbox is there and is what a hook makes: nothing leads out of it.

    It is reached by no symbolic link, since a repository may hold one, and is the user's or of
    who has the project (in a container that may be another).
    """
    aside = os.path.join(inbox, SET_ASIDE)
    if linked_part(aside):
        return False
    try:
        found, root = os.lstat(inbox), os.stat(os.path.join(inbox, "..", "..", ".."))
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), root.st_uid):
            return False
        return stat.S_ISDIR(os.lstat(aside).st_mode)
    except FileNotFoundError:
        return os.path.isdir(inbox)
    except OSError:
        return False


def linked_part(path: AnyPath) -> str | None:
    """Give the first part of an absolute path that is a symbolic link, from ``.claude`` on.

    None: there is no link, or the path leads into no record folder, by its name. Git makes the
    links of a repository when it clones it, to anywhere; so nothing that lies behind one is
    orch's to read, move, write or delete.
    """
    full = os.fspath(path)
    end = f"{full}/".rfind(f"/{RECORD_FOLDER}/")
    while end >= 0:
        end = full.find("/", end + 1)
        part = full if end < 0 else full[:end]
        if os.path.islink(part):
            return part
    return None


def anything_waits(root: AnyPath) -> bool:
    """Whether an inbox holds anything; every command asks, so it is a listing and no more."""
    for folder in safe_inboxes(root):
        try:
            with os.scandir(folder) as entries:
                if any(entry.name.endswith((".json", ".tmp")) for entry in entries):
                    return True
        except OSError:
            continue
    return False


def is_private(folder: AnyPath) -> bool:
    """Whether only the user can have put there what is in it, wherever the folder lies."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def config_folder() -> str:
    """The user's configuration folder: ORCH_CONFIG_DIR, else the platform's."""
    return os.environ.get("ORCH_CONFIG_DIR") or _user_folder("config")


def state_folder() -> str:
    """The user's folder for what outlives a run and is no configuration."""
    return _user_folder("state")


def hand_over_folder() -> str:
    """The user's folder of the briefings that the hand-over hook puts into prompts."""
    return os.path.join(state_folder(), "hand-over")


def hubs_folder() -> str:
    """The user's folder of what was said of each record that is joined to a hub."""
    return os.path.join(config_folder(), "hubs")


def claude_folder() -> str:
    """The configuration folder of Claude Code: CLAUDE_CONFIG_DIR, else ``~/.claude``."""
    return next(_claude_folders())


def resolve_path(given: AnyPath, folder: AnyPath | None = None) -> str:
    """Resolve what a person named a file or folder to the path to open, be it there or not.

    ``~`` and ``~user`` are homes, where there is such a user; a relative name is taken from
    ``folder`` (default: the working folder). Links and ``..`` are left to the system.

    Raises:
        PathError: no name at all, the home of nobody, or what no system call takes: a name that
            is too long, a NUL, half of a surrogate pair.
    """
    import errno

    from orch_tui.errors import PathError

    name = os.fspath(given)
    if not name.strip():
        raise PathError(repr(name), "names no file", hint="type a name or a path")
    literal = os.path.join(os.getcwd() if folder is None else folder, name)
    path = literal
    try:
        if name.startswith("~"):
            path = _with_home(name) or literal
        os.lstat(path)
    except ValueError:  # UnicodeEncodeError is one
        raise PathError(name, "holds a character that no file name can hold") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise PathError(name, "is too long for a file name", hint="choose a shorter") from None
        if name.startswith("~") and path == literal:
            user = name[1:].partition(os.sep)[0]
            reason = f"there is no user {user}" if user else "you have no home folder"
            hint = f"./{name} is a file that is called so" if user else "set HOME"
            raise PathError(name, reason, hint=hint) from None
    return path


def _with_home(name: str) -> str | None:
    """``~/x`` and ``~user/x`` with the home folder in place; None: there is no such home."""
    user, _, rest = name[1:].partition(os.sep)
    try:
        return os.path.join(_home(user), rest) if rest else _home(user)
    except KeyError:
        return None


def relative(path: AnyPath, root: AnyPath) -> str:
    """``path`` as the record names it: relative to the project where inside, else absolute.

    A relative ``path`` is taken from the working folder. Inside means by name or, where links
    lead around, in fact.
    """
    for normal in (os.path.abspath, os.path.realpath):
        try:
            full, base = normal(path), normal(root)
        except ValueError:  # a NUL, half of a surrogate pair: no file of this project
            return os.fspath(path)
        if full == base:
            return "."
        prefix = base.rstrip(os.sep) + os.sep
        if full.startswith(prefix):
            return full.removeprefix(prefix)
    return os.path.abspath(path)


def _claude_folders() -> Iterator[str]:
    configured = os.environ.get("CLAUDE_CONFIG_DIR")
    if configured:
        yield os.path.expanduser(configured)
    yield os.path.expanduser("~/.claude")


def _main_working_tree(git_file: str) -> str | None:
    """The main working tree of the linked worktree with this ``.git`` file; None: not linked.

    The file says ``gitdir: X``; X holds a file ``commondir`` in a linked worktree, and in
    nothing else (gitrepository-layout). Of a bare repository there is no main working tree.
    """
    gitdir = git_folder(git_file)
    common = first_line(os.path.join(gitdir, "commondir")) if gitdir else ""
    if not gitdir or not common:
        return None
    repository = os.path.realpath(os.path.join(gitdir, common))
    tree, name = os.path.split(repository)
    return tree if name == ".git" and os.path.isdir(repository) else None


def git_folder(git_file: str) -> str | None:
    """Read which folder of a repository a ``.git`` file names; None: it names none."""
    told = first_line(git_file)
    folder = told.removeprefix("gitdir:").strip()
    return os.path.join(os.path.dirname(git_file), folder) if folder not in ("", told) else None


def first_line(path: str) -> str:
    """Read the first line of a file without its end, up to a NUL: what names a file holds none.
    Empty where it cannot be read."""
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            return ""
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(65536).partition("\0")[0].strip()
    except (OSError, ValueError):  # a file may name what no path can be
        return ""


def _folder_name(root: AnyPath) -> str:
    """A short folder name for the project, readable and its own."""
    try:
        # What hashlib gives out as blake2b; it brings OpenSSL too, a third of a bare start-up,
        # and no public module hashes without it. Where Python has no such part, hashlib it is.
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    full = os.path.realpath(root)
    return f"{os.path.basename(full)}-{blake2b(os.fsencode(full), digest_size=6).hexdigest()}"


_PLACES = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "data": ("XDG_DATA_HOME", ".local/share"),
    "state": ("XDG_STATE_HOME", ".local/state"),
}


def _user_folder(kind: str) -> str:
    """Where platformdirs has it (a test compares them); importing that costs more than the hook."""
    variable, usual = _PLACES[kind]
    given = os.environ.get(variable, "")
    if os.path.isabs(given):
        return os.path.join(given, "orch")
    if sys.platform == "darwin":
        usual = "Library/Application Support"
    try:
        return os.path.join(_home(), usual, "orch")
    except KeyError:
        from orch_tui.errors import PathError

        raise PathError("~", "you have no home folder", hint="set HOME") from None


def _home(user: str = "") -> str:
    """The home folder of a user, by default of whoever runs this. Raises KeyError: unknown."""
    home = "" if user else os.environ.get("HOME", "")
    if os.path.isabs(home):
        return home
    import pwd

    return (pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())).pw_dir
