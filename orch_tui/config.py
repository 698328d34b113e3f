"""The settings: TOML in the user's configuration folder and in the project, the nearer wins.

``load(root)`` reads ``config.toml`` in ``paths.config_folder()`` and then in the project's
``.claude/orchestration``. Settings win one by one, the entries of a table too: a project that
names one key of the keymap keeps the user's others.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any

from orch_tui.errors import FormatError, PathError
from orch_tui.frozen import frozen
from orch_tui.paths import AnyPath, config_folder, record_folder, resolve_path

MOST_BYTES = 1_000_000
"""A larger file of settings is not read."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@frozen
class Config:
    """Every setting, by the name it has in ``config.toml``."""

    database: str = "project"
    """Where the record lives: ``project`` (one for each) or ``user`` (one for all of them)."""

    model: str = "sonnet"
    """The model of a deployment or bundle that names none; any name the catalogue knows."""

    budget: int = 200_000
    """Tokens that the bundles of one session may take together."""

    warn_threshold: float = 0.75
    """Share of a limit from which a gauge warns; above 0, at most 1."""

    critical_threshold: float = 0.90
    """Share of a limit from which a gauge is critical; not below ``warn_threshold``."""

    output_reserve: int = 32_000
    """Tokens of an agent's window that are kept free for what it writes."""

    theme: str = ""
    """The theme of the screens; any that Textual knows, or one of ``themes``. Without one it is
    ``orch-dark`` or ``orch-light``, whichever fits the terminal."""

    themes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    """A table of tables: themes by name, with the fields of ``textual.theme.Theme``; ``primary``
    is the only one that must be there."""

    keymap: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """A table: the id of an action, and the keys for it, separated by commas."""

    notify: str = "off"
    """What tells of an agent that came back besides the screen: ``bell`` (the terminal rings),
    ``osc9`` (it shows a notice of its own, where it knows how to) or ``off``."""

    template_folders: tuple[str, ...] = ()
    """Folders searched for templates before those that come with orch.

    Absolute paths here; in a file, relative ones start at the project root (the project's file)
    or at the folder of the file (the user's).
    """

    models: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    """A table of tables: models added to the catalogue or changed in it, by their name."""

    project: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """A table: ``key`` is what every record calls the project (by itself its remote 'origin')."""

    ignore_files: tuple[str, ...] = ()
    """Names of ignore files that count in every folder besides ``.gitignore`` and ``.orchignore``,
    such as ``.ignore`` and ``.rgignore``; of two that speak of a file the later one decides."""

    search_order: str = "best"
    """The order of what a search finds, where no other is chosen: ``best`` (the best matches, where
    few enough are found) or ``newest`` first."""

    max_file_size: int = 10_000_000
    """Bytes; a larger file is refused as a context source."""

    sync_every: int = 300
    """Seconds after which a command that wrote begins another sync with the hub of a team, where
    the record is joined to one; 0: none does."""

    origins: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """The file each setting came from, or ``default``; entries of tables as ``keymap.quit``."""


DEFAULTS = Config()
"""Every setting where no file says otherwise: the one place these figures stand in."""


def load(root: AnyPath, broken: Callable[[FormatError], object] | None = None) -> Config:
    """The settings for the project at ``root``.

    Raises FormatError, naming file, setting, what is wrong and what would be right; with
    ``broken`` that is told instead, and what is wrong counts as not there.
    """

    def refuse(error: FormatError) -> None:
        if broken is None:
            raise error
        broken(error)

    settings: dict[str, Any] = {}
    origins = {name: "default" for name in _CHECKS}
    for folder, base in ((config_folder(), config_folder()), (record_folder(root), root)):
        file = os.path.join(folder, "config.toml")
        try:
            values = _read(file)
        except FormatError as error:
            refuse(error)
            continue
        for key, value in values.items():
            try:
                checked = check_setting(file, key, value, os.path.abspath(base))
            except FormatError as error:
                refuse(error)
                continue
            if isinstance(checked, dict):
                origins |= {f"{key}.{entry}": file for entry in checked}
                checked = MappingProxyType({**settings.get(key, {}), **checked})
            settings[key] = checked
            origins[key] = file
    config = Config(**settings, origins=MappingProxyType(origins))
    if config.warn_threshold > config.critical_threshold:
        wrong = FormatError(
            f"warn_threshold {config.warn_threshold} ({origins['warn_threshold']}) is above"
            f" critical_threshold {config.critical_threshold} ({origins['critical_threshold']})",
            hint="a warning comes first: make it the lower of the two",
        )
        refuse(wrong)
        both = ("warn_threshold", "critical_threshold")
        return replace(config, **{name: getattr(DEFAULTS, name) for name in both})
    return config


def _read(file: str) -> dict[str, Any]:
    try:
        found = os.stat(file)  # a repository can bring a link to a pipe or an endless device
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise FormatError(
                f"{file}: cannot be read: it is no plain file of {MOST_BYTES:,} bytes at most",
                hint="remove it",
            )
        with open(file, "rb") as stream:
            import tomllib  # only who has a file pays for the parser

            return tomllib.load(stream)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise FormatError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not TOML; not even UTF-8; absurdly nested
        raise FormatError(f"{file}: is not TOML: {error}") from error


def check_setting(file: str, key: str, value: Any, base: str) -> Any:
    """Give the value of a setting as it is kept; ``base`` is where relative paths start.

    Raises:
        FormatError: it names file, setting, what is wrong and what would be right.
    """
    check = _CHECKS.get(key)
    if check is None:
        from difflib import get_close_matches  # only an error pays for it

        near = get_close_matches(key, _CHECKS, n=3)
        raise FormatError(
            f"{file}: {key}: is not a setting",
            hint=f"nearest: {', '.join(near)}" if near else f"settings: {', '.join(_CHECKS)}",
        )
    try:
        return check(value, base)
    except _WrongValueError as wrong:
        raise FormatError(
            f"{file}: {key}{wrong.where}: must be {wrong}, not {wrong.value!r}"
        ) from None


class _WrongValueError(Exception):
    """Says what a value must be; ``where`` is the entry of a table it stands at."""

    def __init__(self, must_be: str, value: Any, where: str = "") -> None:
        super().__init__(must_be)
        self.value = value
        self.where = where


def _one_of(*choices: str) -> Callable[[Any, str], str]:
    def check(value: Any, base: str) -> str:
        if value not in choices:
            raise _WrongValueError(" or ".join(f'"{choice}"' for choice in choices), value)
        return str(value)

    return check


def _text(value: Any, base: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _WrongValueError("a text", value)
    return value


_MOST = 10**15
"""More than any budget or file, and little enough for all that counts in 64 bits."""


def _whole(unit: str, least: int) -> Callable[[Any, str], int]:
    def check(value: Any, base: str) -> int:
        if type(value) is not int or value < least:  # True is an int too
            raise _WrongValueError(f"a whole number of {unit}, {least} or more", value)
        if value > _MOST:
            raise _WrongValueError(f"{_MOST:,} {unit} at most", value)
        return value

    return check


def _share(value: Any, base: str) -> float:
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise _WrongValueError("a number above 0 and at most 1", value)
    return float(value)


def _folders(value: Any, base: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _WrongValueError("a list of folders", value)
    try:
        return tuple(os.path.normpath(resolve_path(item, base)) for item in value)
    except PathError as error:
        raise _WrongValueError("folders that can be", error.name) from None


def _file_names(value: Any, base: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(_is_file_name(item) for item in value):
        raise _WrongValueError("a list of names without a folder", value)
    return tuple(value)


def _is_file_name(name: Any) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and not {*name} & {"/", "\0"}


def _table(value: Any, entry: type, must_be: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise _WrongValueError("a table", value)
    for name, item in value.items():
        if not isinstance(item, entry):
            raise _WrongValueError(must_be, item, f".{name}")
        yield name, item


def _keys(value: Any, base: str) -> dict[str, str]:
    return dict(_table(value, str, "keys as a text"))


def _project(value: Any, base: str) -> dict[str, str]:
    said = dict(_table(value, str, "a name as a text"))
    for name, key in said.items():
        if name != "key" or not key.strip():
            raise _WrongValueError("a table with a key that is no empty text", key, f".{name}")
    return said


def _tables(value: Any, base: str) -> dict[str, Mapping[str, Any]]:
    return {name: MappingProxyType(model) for name, model in _table(value, dict, "a table")}


_CHECKS: Mapping[str, Callable[[Any, str], Any]] = {
    "database": _one_of("project", "user"),
    "model": _text,
    "budget": _whole("tokens", 1),
    "warn_threshold": _share,
    "critical_threshold": _share,
    "output_reserve": _whole("tokens", 0),
    "theme": _text,
    "keymap": _keys,
    "notify": _one_of("bell", "osc9", "off"),
    "template_folders": _folders,
    "models": _tables,
    "themes": _tables,
    "project": _project,
    "ignore_files": _file_names,
    "search_order": _one_of("best", "newest"),
    "max_file_size": _whole("bytes", 1),
    "sync_every": _whole("seconds", 0),
}
"""What each setting must be: takes the value and the folder relative paths start at, gives the
value to keep."""
