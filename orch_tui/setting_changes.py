"""Changing one setting in a file of settings; comments and order of the file stay."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orch_tui.config import DEFAULTS, Config, check_setting, load
from orch_tui.errors import FormatError, UsageError
from orch_tui.files import read_plain, refuse_leading_out, write
from orch_tui.paths import config_folder, record_folder

ABOUT: Mapping[str, str] = {
    "database": "where records live: project (one for each) or user (one for all of them)",
    "model": "the model of a deployment or bundle that names none",
    "budget": "tokens that the bundles of one session may take together",
    "warn_threshold": "share of a limit from which a gauge warns",
    "critical_threshold": "share of a limit from which a gauge is critical",
    "output_reserve": "tokens of an agent's window kept free for what it writes",
    "theme": "the theme of the screens; none: orch's own that fits the terminal",
    "themes": "themes of your own, by name",
    "keymap": "keys by the id of an action",
    "notify": "what tells of an agent that came back: bell, osc9 or off",
    "template_folders": "folders searched for templates before those that come with orch",
    "models": "models added to the catalogue or changed in it",
    "project": "key: what every record calls the project",
    "ignore_files": "ignore files besides .gitignore and .orchignore: .ignore, .rgignore",
    "search_order": "what a search lists first: the best matches, or the newest",
    "max_file_size": "bytes; a larger file is refused as a context source",
    "sync_every": "seconds after which a command that wrote syncs with the hub; 0: never",
}
"""What each setting is, in a line."""

TABLES = ("themes", "models", "keymap", "project")
"""Settings that are tables: of these one entry is changed (``keymap.quit``), or the file."""


def name_file(root: Path, *, for_user: bool) -> Path:
    """Name the file of the settings of a project, or of the user."""
    return Path(config_folder() if for_user else record_folder(root), "config.toml")


def change_setting(root: Path, name: str, text: str | None, *, for_user: bool = False) -> Path:
    """Write one setting, or without a text take it out; give the file.

    ``name`` may be the entry of a table of texts, ``keymap.quit``. Lists are separated by commas,
    shares may be percentages.

    Raises:
        FormatError: there is no such setting, it cannot be that, or the file is no TOML.
        UsageError: it is a table of tables.
        SourceError: the file cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    file = name_file(root, for_user=for_user)
    table, _, entry = name.partition(".")
    if table in ("themes", "models"):
        raise UsageError(f"{table} holds tables", hint=f"change it in {file}")
    base = str(file.parent if for_user else root)
    if table not in ABOUT:
        check_setting(str(file), table, text, base)  # it names the nearest ones
    value = None if text is None else _parse(table, entry, text)
    if value is not None:
        check_setting(str(file), table, {entry: value} if entry else value, base)
    if table in ("warn_threshold", "critical_threshold"):
        _check_order(load(root), table, getattr(DEFAULTS, table) if value is None else value)
    if not for_user:
        refuse_leading_out(file, root)
    try:
        document = tomlkit.parse(read_plain(file).decode() if os.path.lexists(file) else "")
    except (OSError, ValueError, TOMLKitError) as error:
        raise FormatError(f"{file}: is not TOML: {error}") from error
    place: Any = document.setdefault(table, tomlkit.table()) if entry else document
    if value is None:
        place.pop(entry or table, None)
    else:
        place[entry or table] = value
    write(file, tomlkit.dumps(document).encode())
    return file


def _parse(table: str, entry: str, text: str) -> Any:
    """Read a value as the setting wants it; what cannot be read stays a text, and is refused."""
    text = text.strip()
    default = getattr(DEFAULTS, table, "")
    if entry or isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    plain = text.replace(",", "").replace("_", "").replace(" ", "")
    try:
        if isinstance(default, float):
            return float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)
        return int(plain)
    except ValueError:
        return text


def _check_order(config: Config, name: str, value: Any) -> None:
    warn = value if name == "warn_threshold" else config.warn_threshold
    critical = value if name == "critical_threshold" else config.critical_threshold
    if warn > critical:
        raise FormatError(
            f"warn_threshold {warn} would be above critical_threshold {critical}",
            hint="a warning comes first: change the other one before",
        )
